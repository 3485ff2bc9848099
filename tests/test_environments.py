"""Environments as data: contraction rules, projectors, and the expansion that takes both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pertsym.baths.divergence import Divergent
from pertsym.environments import MarkovChain, NonCrossing
from pertsym.equations.energy_resolved import TwoLevels, master_equation, population_equation
from pertsym.equations.models import independent_baths, laird
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, level_energies
from pertsym.expansion.moments import ordered_cumulant_blocks
from pertsym.expansion.pairings import pairings
from pertsym.expansion.paths import (
    Element,
    PathTerm,
    generator_element,
    path_terms,
    projected_cumulant,
    require_long_time_limit,
    secular_terms,
)
from pertsym.expansion.rule import (
    ENERGY_RESOLVED,
    FIXED_STATE,
    Action,
    ContractionRule,
    EnvironmentTerm,
    Projector,
    Weight,
    around_the_state,
)
from pertsym.expansion.terms import Factor, Shape, Term, TimeIntegrand
from pertsym.expansion.wick import Wick

ONE, ZERO, TWO = Gaussian(1), Gaussian(0), Gaussian(2)
SIGMA_X = ((ZERO, ONE), (ONE, ZERO))
SIGMA_Z = ((ONE, ZERO), (ZERO, -ONE))
LADDER = ((ZERO, ONE, ZERO), (ONE, TWO, Gaussian(0, 1)), (ZERO, Gaussian(0, -1), ZERO))

GAUSSIAN = {
    "one bath": independent_baths(2, [(SIGMA_X, "A"), (SIGMA_Z, "A")]),
    "two baths": independent_baths(2, [(SIGMA_X, "A"), (SIGMA_Z, "B")]),
    "classical": independent_baths(2, [(SIGMA_X, "A")], real=("A",)),
    "adjoint pair": laird(),
    "three levels": independent_baths(3, [(LADDER, "A")]),
}


def plain_expansion(interaction: Interaction, order: int, element: Element) -> TimeIntegrand:
    """Every product of averages by itself: sides, levels and all pairings of each block.

    Nothing cancels before the end, no word of a pairing is known, and averages are taken of the
    operators as they stand around the state.
    """
    levels = range(interaction.dimension)
    matrices = [{(row, col): z for row, col, z in operator} for operator in interaction.operators]
    terms = []
    for blocks, sign in ordered_cumulant_blocks(order).items():
        applied = [time for block in reversed(blocks) for time in reversed(block)]
        for sides in product((False, True), repeat=order):
            walks = [(Gaussian((-1) ** sum(sides) * sign), element[2:], {})]
            for time in applied:
                longer = []
                for z, (row, col), steps in walks:
                    for (a, matrix), to in product(enumerate(matrices), levels):
                        step = (col, to) if sides[time] else (to, row)
                        if step in matrix:
                            reached = (row, to) if sides[time] else (to, col)
                            longer.append((z * matrix[step], reached, {**steps, time: (a, step)}))
                walks = longer
            for z, reached, steps in walks:
                if reached != element[:2]:
                    continue
                phase = tuple(
                    tuple(
                        sum(c)
                        for c in zip(
                            *(interaction.transition(*steps[j][1]) for j in range(k, order)),
                            strict=True,
                        )
                    )
                    for k in range(1, order)
                )
                for factors in product(*(averages(interaction, b, sides, steps) for b in blocks)):
                    for chosen in [tuple(sorted(x for f in factors for x in f))]:
                        shape = Shape(chosen, phase)
                        terms.append(Term(Gaussian((-1) ** (order // 2)) * z, shape))
    return TimeIntegrand.collect(order, terms, interaction.real)


def averages(interaction, block, sides, steps):  # type: ignore[no-untyped-def]
    """All pairings of a block, pairs in the order around the state; C(-t) is C(t)*."""
    actions = [Action(t, sides[t], steps[t][0]) for t in reversed(block)]
    loop = [actions[k] for k in around_the_state(actions)]
    for pairing in pairings(len(loop)):
        factors = []
        for i, j in pairing:
            first, second = loop[i], loop[j]
            backwards = first.time > second.time  # the earlier operator stands first
            pair = (first.operator, second.operator)
            if backwards:
                pair = tuple(interaction.adjoint[a] for a in reversed(pair))
            if (name := interaction.correlations.get(pair)) is None:
                break
            late, early = sorted((first.time, second.time))
            conjugate = backwards and name not in interaction.real
            factors.append(Factor(late + 1, early, name, conjugate))
        else:
            yield factors


# ---------------------------------------------------------------------------------------------
# Wick: the same sum as products of averages without any cancellation
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GAUSSIAN)
@pytest.mark.parametrize("order", [2, 4])
def test_pairs_give_the_terms_of_the_plain_expansion(name: str, order: int) -> None:
    interaction = GAUSSIAN[name]
    size = interaction.dimension
    elements = [(0, 0, 0, 0), (1, 0, 1, 0), (0, 1, 1, 0), (1, 1, 0, 0), (size - 1, 0, 0, 1)]
    for element in elements if order == 2 or size == 2 else elements[:2]:
        found = generator_element(interaction, order, element)  # type: ignore[arg-type]
        wanted = plain_expansion(interaction, order, element)  # type: ignore[arg-type]
        assert found.terms == wanted.terms
    assert generator_element(interaction, order, (0, 0, 0, 0)).terms


def test_pairs_at_sixth_order() -> None:
    interaction = independent_baths(2, [(SIGMA_X, "A")])
    found = generator_element(interaction, 6, (0, 0, 0, 0))
    assert found.terms == plain_expansion(interaction, 6, (0, 0, 0, 0)).terms
    assert len(found) > 10


def test_a_gaussian_environment_does_not_notice_the_projector() -> None:
    rule = Wick(GAUSSIAN["one bath"])
    assert projected_cumulant(rule, ENERGY_RESOLVED, 4) == projected_cumulant(rule, FIXED_STATE, 4)


class WholeWick(Wick):
    """The same averages by whole blocks."""

    whole = True

    def sizes(self, order: int) -> tuple[int, ...]:
        return tuple(range(2, order + 1, 2))

    def contract(
        self, actions: Sequence[Action], label: int, fresh: int
    ) -> Iterator[EnvironmentTerm]:
        for pairing in pairings(len(actions)):
            found = [(1, ())]
            for i, j in pairing:
                terms = tuple(super().contract([actions[i], actions[j]], label, fresh))
                found = [(n, w + t.weights) for n, w in found for t in terms]
            for n, weights in found:
                yield EnvironmentTerm(n, weights, (), label)


@pytest.mark.parametrize("order", [2, 4, 6])
def test_cumulants_and_whole_averages_agree(order: int) -> None:
    """The engine's two ways to divide times, the second without any cancellation beforehand."""
    interaction = GAUSSIAN["adjoint pair"]
    wick, whole = (
        projected_cumulant(rule(interaction), FIXED_STATE, order, (0, 1) if order < 6 else (0,))
        for rule in (Wick, WholeWick)
    )
    assert wick == whole
    assert wick


# ---------------------------------------------------------------------------------------------
# Non-crossing pairings
# ---------------------------------------------------------------------------------------------


@given(right=st.lists(st.booleans(), min_size=1, max_size=8))
@settings(max_examples=40)
def test_non_crossing_pairings_are_counted_by_catalan_numbers(right: list[bool]) -> None:
    actions = [Action(time, side) for time, side in enumerate(reversed(right))]
    terms = list(NonCrossing().contract(actions, 0, 1))
    catalan = {2: 1, 4: 2, 6: 5, 8: 14}
    assert len(terms) == catalan.get(len(right), 0)
    for term in terms:
        assert len(term.weights) == len(right) // 2
        # around the closed path every energy returns: with all times equal no phase is left
        if not any(right):
            assert term.label == 0


def test_inner_pair_of_a_nested_average_starts_from_the_outer_energy() -> None:
    """<B(t1)B(t2)B(t3)B(t4)>: c(t23) c(t14 - t23), not C(t14) C(t23)."""
    actions = [Action(time, False) for time in (4, 3, 2, 1)]
    nested = [
        term
        for term in NonCrossing().contract(actions, 0, 10)
        if sorted(w.energies[1] for w in term.weights) != [0, 0]
    ]
    (term,) = nested
    (outer,) = [w.energies[0] for w in term.weights if w.energies[1] == 0]
    (inner,) = [w.energies[0] for w in term.weights if w.energies[1] == outer]
    energy_after = [outer, inner, outer, 0]
    before = [0, outer, inner, outer]
    for form, e, e0 in zip(term.frequencies, energy_after, before, strict=True):
        assert dict(form) == {e: 1, e0: -1}


@pytest.mark.parametrize("projector", [FIXED_STATE, ENERGY_RESOLVED])
@pytest.mark.parametrize("order", [2, 4])
def test_total_probability_is_conserved_term_by_term(projector: Projector, order: int) -> None:
    interaction = independent_baths(3, [(LADDER, "A")])
    for source in ((0, 0), (1, 2)):
        sums: dict[object, Gaussian] = {}
        for level in range(3):
            for term in path_terms(
                interaction, NonCrossing(), projector, order, (level, level, *source)
            ):
                key = term.shape._replace(label=0)
                sums[key] = sums.get(key, ZERO) + term.coefficient
        assert sums
        assert not any(sums.values())


# ---------------------------------------------------------------------------------------------
# Limits of long times
# ---------------------------------------------------------------------------------------------


def test_only_the_fixed_projection_grows_at_fourth_order() -> None:
    two = TwoLevels()
    two.fixed_energy_long_times(2)
    two.energy_resolved_long_times(4)
    with pytest.raises(Divergent, match=r"t\^1.*nF\(ε1, ε\).*τ2"):
        two.fixed_energy_long_times(4)


class GaussianEnergies(ContractionRule):
    """Wick's pairs by energies: Weight("C", (w,)) is Ĉ(w)/2pi."""

    whole = False

    def sizes(self, order: int) -> tuple[int, ...]:
        return (2,)

    def contract(
        self, actions: Sequence[Action], label: int, fresh: int
    ) -> Iterator[EnvironmentTerm]:
        first, _ = around_the_state(actions)
        forms = tuple(((fresh, -1 if k == first else 1),) for k in range(2))
        yield EnvironmentTerm(1, (Weight("C", (fresh,)),), forms, label)


def test_a_gaussian_bath_has_no_secular_terms() -> None:
    interaction = independent_baths(2, [(SIGMA_X, "A"), (SIGMA_Z, "A")])
    for element in product((0, 1), repeat=4):
        terms = path_terms(interaction, GaussianEnergies(), FIXED_STATE, 4, element)  # type: ignore[arg-type]
        assert terms
        assert not secular_terms(terms)
        require_long_time_limit(terms, "K")


def test_secular_gaps_need_both_phases_to_vanish() -> None:
    (term, *_) = TwoLevels().element(ENERGY_RESOLVED, 2, (1, 1, 1, 1))
    assert term.secular_gaps() == ()
    bare = PathTerm(ONE, term.shape._replace(gaps=((),), system=((0,),)))
    assert bare.secular_gaps() == (1,)
    assert PathTerm(ONE, term.shape._replace(gaps=((),))).secular_gaps() == ()


# ---------------------------------------------------------------------------------------------
# The interface refuses what is no rule
# ---------------------------------------------------------------------------------------------


class Careless(ContractionRule):
    """A rule with one frequency too few, or an energy out of nowhere."""

    def __init__(self, stray: bool) -> None:
        self.stray = stray

    def contract(
        self, actions: Sequence[Action], label: int, fresh: int
    ) -> Iterator[EnvironmentTerm]:
        form = ((fresh, 1),)
        yield EnvironmentTerm(1, (), (form,) * (len(actions) - (not self.stray)), label)


@pytest.mark.parametrize(
    ("stray", "said"), [(False, "1 frequencies for 2 actions"), (True, "no weight introduces")]
)
def test_a_careless_rule_is_named(stray: bool, said: str) -> None:
    with pytest.raises(ValueError, match=f"Careless: .*{said}"):
        projected_cumulant(Careless(stray), FIXED_STATE, 2)


@pytest.mark.parametrize("rule", [NonCrossing(), MarkovChain()])
def test_symbolic_strengths_are_carried(rule: ContractionRule) -> None:
    """Terms with symbols, numbers put in afterwards, are those of the interaction with numbers."""
    operators = (((0, 1, ONE), (1, 0, ONE)), ((0, 0, ONE), (1, 1, -ONE)))
    pairs = {(a, b): "C" for a in (0, 1) for b in (0, 1)}
    named = Interaction(level_energies(2), operators, (0, 1), pairs, strengths=("x", "d"))
    values = {"x": Gaussian(3), "d": Gaussian(2)}
    for element in ((0, 0, 1, 1), (1, 0, 1, 0)):
        sums: dict[object, Gaussian] = {}
        for z, shape in path_terms(named, rule, FIXED_STATE, 4, element):
            for name in shape.strengths:
                z = z * values[name]
            key = shape._replace(strengths=())
            sums[key] = sums.get(key, ZERO) + z
        numbers = path_terms(named.at(values), rule, FIXED_STATE, 4, element)
        assert {key: z for key, z in sums.items() if z} == {t.shape: t.coefficient for t in numbers}
        assert len(numbers) > 10


# ---------------------------------------------------------------------------------------------
# What the paper's central point is: where the gain ends
# ---------------------------------------------------------------------------------------------


def test_gains_conserve_the_total_energy_only_where_it_is_kept() -> None:
    kept, fixed = population_equation(ENERGY_RESOLVED), population_equation(FIXED_STATE)
    loss, gain = sorted(kept, key=lambda term: term.coefficient)
    assert loss.shift == gain.shift
    assert gain.density[0] == "ε"
    loss, gain = sorted(fixed, key=lambda term: term.coefficient)
    assert dict(loss.shift) == {name: -c for name, c in gain.shift}


def test_equations_differ_in_the_gains_alone() -> None:
    kept, fixed = master_equation(ENERGY_RESOLVED), master_equation(FIXED_STATE)
    for a, b in zip(kept, fixed, strict=True):
        assert (a.coefficient, a.elements, a.unknown) == (b.coefficient, b.elements, b.unknown)
        assert (a.density == b.density and a.phase == b.phase) == (a.coefficient < 0)
