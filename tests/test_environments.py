"""Environments as data: contraction rules, projectors, and the expansion that takes both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pertsym.baths.divergence import Divergent
from pertsym.environments import (
    ENERGY_RESOLVED,
    FIXED_STATE,
    Action,
    EnvironmentTerm,
    NonCrossing,
    PathTerm,
    Projector,
    Wick,
    path_terms,
    projected_cumulant,
)
from pertsym.environments.gaussian import time_integrand
from pertsym.environments.long_times import require_long_time_limit, secular_terms
from pertsym.equations.energy_resolved import TwoLevels, master_equation, population_equation
from pertsym.equations.models import independent_baths, laird
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, level_energies
from pertsym.expansion.paths import generator_element

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


def wick_terms(interaction: Interaction, order: int, element: tuple[int, ...]):  # type: ignore[no-untyped-def]
    operators = tuple(range(len(interaction.operators)))
    cumulant = projected_cumulant(Wick(interaction.correlations), FIXED_STATE, order, operators)
    terms = path_terms(interaction, cumulant, element)  # type: ignore[arg-type]
    return time_integrand(order, terms, interaction.real)


# ---------------------------------------------------------------------------------------------
# Wick: the same sum as the pair-based expansion
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GAUSSIAN)
@pytest.mark.parametrize("order", [2, 4])
def test_wick_gives_the_terms_of_the_pair_based_expansion(name: str, order: int) -> None:
    interaction = GAUSSIAN[name]
    size = interaction.dimension
    elements = [(0, 0, 0, 0), (1, 0, 1, 0), (0, 1, 1, 0), (1, 1, 0, 0), (size - 1, 0, 0, 1)]
    for element in elements if order == 2 or size == 2 else elements[:2]:
        found = wick_terms(interaction, order, element)
        wanted = generator_element(interaction, order, element)  # type: ignore[arg-type]
        assert found.terms == wanted.terms
    assert generator_element(interaction, order, (0, 0, 0, 0)).terms


def test_wick_at_sixth_order() -> None:
    interaction = independent_baths(2, [(SIGMA_X, "A")])
    found = wick_terms(interaction, 6, (0, 0, 0, 0))
    assert found.terms == generator_element(interaction, 6, (0, 0, 0, 0)).terms
    assert len(found) > 10


def test_a_gaussian_environment_does_not_notice_the_projector() -> None:
    rule = Wick({(0, 0): "C"})
    assert projected_cumulant(rule, ENERGY_RESOLVED, 4) == projected_cumulant(rule, FIXED_STATE, 4)


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
    cumulant = projected_cumulant(NonCrossing(), projector, order)
    interaction = independent_baths(3, [(LADDER, "A")])
    for source in ((0, 0), (1, 2)):
        sums: dict[object, Gaussian] = {}
        for level in range(3):
            for term in path_terms(interaction, cumulant, (level, level, *source)):
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


def test_a_gaussian_bath_has_no_secular_terms() -> None:
    interaction = independent_baths(2, [(SIGMA_X, "A"), (SIGMA_Z, "A")])
    cumulant = projected_cumulant(Wick(interaction.correlations), FIXED_STATE, 4)
    for element in product((0, 1), repeat=4):
        terms = path_terms(interaction, cumulant, element)  # type: ignore[arg-type]
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


class Careless:
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


def test_symbolic_strengths_are_refused() -> None:
    interaction = Interaction(
        level_energies(2), (((0, 1, ONE), (1, 0, ONE)),), (0,), {(0, 0): "C"}, strengths=("x",)
    )
    cumulant = projected_cumulant(NonCrossing(), FIXED_STATE, 2)
    with pytest.raises(ValueError, match=r"Interaction\.at"):
        path_terms(interaction, cumulant, (0, 0, 0, 0))


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
