"""Environments as data: contraction rules, projectors, and the expansion that takes both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.linalg import expm

import pertsym as ps
from pertsym.baths.divergence import Divergent
from pertsym.environments import static
from pertsym.environments.long_times import require_long_time_limit
from pertsym.environments.markov import MarkovChain
from pertsym.environments.non_crossing import NonCrossing
from pertsym.environments.spins import BathSpin, IndependentSpins
from pertsym.equations.energy_resolved import TwoLevels, master_equation, population_equation
from pertsym.equations.models import independent_baths, laird
from pertsym.exact import Gaussian
from pertsym.expansion.cumulants import projected_cumulant
from pertsym.expansion.interaction import Interaction, level_energies
from pertsym.expansion.moments import ordered_cumulant_blocks
from pertsym.expansion.pairings import pairings
from pertsym.expansion.paths import (
    Element,
    PathTerm,
    generator_element,
    path_terms,
)
from pertsym.expansion.rule import (
    ENERGY_RESOLVED,
    FIXED_STATE,
    Action,
    ContractionRule,
    EnvironmentTerm,
    Projector,
    RuleBath,
    Weight,
    around_the_state,
)
from pertsym.expansion.terms import Factor, Shape, Term, TimeIntegrand
from pertsym.expansion.wick import Wick
from pertsym.generators.contracted import Contracted
from pertsym.generators.tcl import tcl_generator
from pertsym.model.errors import NotYetDerivable
from pertsym.model.file import load_model
from pertsym.model.markov import MarkovNoise
from pertsym.model.values import Coupling, Model
from tests.command_line import refused, run

Array = NDArray[Any]
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
        assert not any(term.secular_gaps() for term in terms)
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


# ---------------------------------------------------------------------------------------------
# The page on rules, run
# ---------------------------------------------------------------------------------------------

PAGE = (Path(__file__).parent.parent / "docs/contraction-rules.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def averaged_series(
    values: Sequence[float], weights: Sequence[float], operator: Array, time: float
) -> list[Array]:
    """K_n(t) of static disorder: exact propagators averaged over x, on a circle of couplings."""

    def generator(lam: complex) -> Array:
        one, free = np.eye(2), np.diag([0.0, 1.0])
        total, slope = np.zeros((4, 4), dtype=complex), np.zeros((4, 4), dtype=complex)
        for x, p in zip(values, np.array(weights) / sum(weights), strict=True):
            h = free + lam * x * operator
            liouville = -1j * (np.kron(h, one) - np.kron(one, h.T))
            moved = p * expm(liouville * time)
            total, slope = total + moved, slope + liouville @ moved
        return slope @ np.linalg.inv(total)

    turns = np.exp(2j * np.pi * np.arange(32) / 32)
    return list(np.fft.fft(np.array([generator(z) for z in turns]), axis=0) / 32)


def test_the_example_of_the_page_gives_terms_numbers_and_a_model_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each block is run as it stands; every order against exact propagators, within its bound."""
    module, terms, numbers = blocks("python")
    source = Path(static.__file__).read_text()
    assert module == source
    names: dict[str, Any] = {}
    with pytest.raises(Divergent, match=r"K_10,10 ~ t\^1: .* x1 x1 x1 x1 has no phase in τ2"):
        exec(terms, names)
    assert "['x1', 'x1', 'x1', 'x1'] ((-1,), (0,), (-1,))" in capsys.readouterr().out
    exec(numbers, names)
    path = tmp_path / "model.toml"
    path.write_text(blocks("toml")[0])
    operator = np.array([[0.3, 1], [1, -0.4]])
    exact = averaged_series([0.2, -0.1], [1, 2], operator, 0.7)
    for model in (names["model"], load_model(path)):
        found = tcl_generator(model, 4, 0.7).orders
        assert list(found) == [0, 1, 2, 3, 4]  # the third moment is there, the mean is 0
        for n, term in found.items():
            assert np.all(np.abs(term.matrix - exact[n]) <= term.error + 1e-14), n
    assert np.abs(found[4].matrix).max() > 1e-4
    assert np.array_equal(names["term"].matrix, found[4].matrix)


@pytest.mark.parametrize("seed", range(3))
def test_static_disorder_with_a_mean(seed: int) -> None:
    """A mean is a first order, and higher ones are not those of centred noise."""
    rng = np.random.default_rng(seed)
    values, weights = rng.normal(size=3), rng.uniform(0.2, 1, size=3)
    operator = rng.normal(size=(2, 2))
    operator = operator + operator.T
    rule = static.StaticDisorder(tuple(values.tolist()), tuple(weights.tolist()))
    model = Model.of([0.0, 1.0], [Coupling.of(operator.tolist(), "x")], [RuleBath("x", rule)])
    exact = averaged_series(values.tolist(), weights.tolist(), operator, 0.3)
    for n, term in tcl_generator(model, 4, 0.3).orders.items():
        assert np.all(np.abs(term.matrix - exact[n]) <= term.error + 1e-12), n
        assert np.abs(term.matrix).max() > 1e-5


FILE = blocks("toml")[0]
SPINS = 'statistics = "finite-spins"\ntemperature = 1.5\nspins = [[0.2, 0.3, 1.1], [0.1, 0, 0.8]]'
SPIN_FILE = FILE[: FILE.index("statistics")] + SPINS + "\n"


def test_a_model_file_with_finite_spins(tmp_path: Path) -> None:
    path = tmp_path / "model.toml"
    path.write_text(SPIN_FILE)
    rule = IndependentSpins((BathSpin(0.2, 0.3, 1.1, 1 / 1.5), BathSpin(0.1, 0.0, 0.8, 1 / 1.5)))
    wanted = Contracted.of(rule, [0.0, 1.0], (np.array([[0.3, 1], [1, -0.4]]),), 3).at(2.0)
    found = tcl_generator(load_model(path), 4, 2.0).orders
    assert np.array_equal(found[3].matrix, wanted.matrix)
    assert np.abs(found[4].matrix).max() > 1e-5


@pytest.mark.parametrize(
    ("file", "change", "code", "said"),
    [
        (FILE, ("weights = [1, 2]", "weights = [1]"), 2, ("baths.x.weights", "each value")),
        (FILE, ("values = [0.2, -0.1]\n", ""), 2, ("baths.x", "values")),
        (FILE, ("values", "temperature = 1\nvalue"), 2, ("baths.x.value",)),
        (SPIN_FILE, ("temperature = 1.5\n", ""), 2, ("baths.x.spins[0]", "temperature")),
        (SPIN_FILE, ("[0.1, 0, 0.8]", "[0.1, 0, 0]"), 2, ("baths.x.spins[1]", "splitting")),
        (SPIN_FILE, ("[0.1, 0, 0.8]", "[0.1, 0]"), 2, ("baths.x.spins[1]", "bias, tunnelling")),
        (FILE, ("", ""), 4, ("baths.x", "--time")),
        (SPIN_FILE, ("", ""), 4, ("baths.x", "--time")),
    ],
)
def test_files_with_rules_say_what_is_wrong(
    tmp_path: Path, file: str, change: tuple[str, str], code: int, said: tuple[str, ...]
) -> None:
    """Mistakes, and what is not there: the limit of long times."""
    path = tmp_path / "model.toml"
    path.write_text(file.replace(*change, 1))
    message = refused(run("generator", str(path), "--order", "2"), code)
    assert all(words in message for words in said), message
    if code == 4:
        for command in (["rates"], ["steady", "--method", "tcl2"], ["derive"]):
            assert "--time" in refused(run(command[0], str(path), *command[1:]), 4)


def test_numbers_of_a_rule_have_no_formulas_of_gaussian_baths() -> None:
    """A model of numbers keeps its rule, and what is derived of it is not Wick's."""
    rng = np.random.default_rng(41)
    rule = RuleBath("x", static.StaticDisorder(tuple(rng.uniform(0, 1, 2)), (1.0, 2.0)))
    numeric = Model.of([0.0, 1.0], [Coupling.of([[0, 1], [1, rng.random()]], "x")], [rule])
    derived = ps.derive(numeric)
    assert derived.model is not None
    assert derived.model.baths == (rule,)
    for asked in ("k_up", "R_1010", "equations", "generator", "equilibrium_constant"):
        with pytest.raises(NotYetDerivable, match="rule"):
            getattr(derived, asked)


def test_a_rule_beside_another_bath_is_refused() -> None:
    rule = RuleBath("x", static.StaticDisorder((0.1,), (1.0,)))
    coupled = [Coupling.of([[0, 1], [1, 0]], name) for name in ("x", "y")]
    model = Model.of([0.0, 1.0], coupled, [rule, MarkovNoise.telegraph("y", 0.1, 1.0)])
    with pytest.raises(NotYetDerivable, match="not combined"):
        tcl_generator(model, 2, 1.0)
    with pytest.raises(NotYetDerivable, match="order 6 at most"):
        tcl_generator(Model.of([0.0, 1.0], coupled[:1], [rule]), 8, 1.0)
