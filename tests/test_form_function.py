"""Compiled forms of two levels: against the evaluator, against balls, and what they may cost."""

from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import Any

import flint
import numpy as np
import pytest

import pertsym as ps
from pertsym.baths import interpolated, thermal_tables
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import (
    DrudeLorentz,
    Exponentials,
    ExpressionDensity,
    Ohmic,
    Underdamped,
)
from pertsym.baths.divergence import Divergent
from pertsym.baths.nodes import Nodes
from pertsym.baths.thermal_tables import Barycentric, Panel, Polynomial, through
from pertsym.codegen.finite_parts import Question
from pertsym.codegen.point_sums import PointSums
from pertsym.codegen.program import Atom
from pertsym.codegen.runtime import Sums
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.expressions.expression import parse_expression
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.numerics import form_function
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.form_function import FormFunction
from pertsym.numerics.requests import Request
from pertsym.numerics.single_point import FEW, OFTEN, PAIRS, Single, product_sums
from pertsym.numerics.spectra import DoubleSpectra, EnclosedSpectra
from pertsym.rates import interaction_of
from pertsym.reduction.spectral import CannotEvaluate, SpectralForm

OPERATORS = {"plain": [[0.0, 1.0], [1.0, 0.0]], "biased": [[0.2, 0.9], [0.9, 0.8]]}
NAMES = ("k_up", "k_down", "inv_T2", "inv_T2_prime", "frequency_shift")


@lru_cache
def bloch(coupling: str) -> Bloch:
    bath = Bath("b", "boson", 1.0, DrudeLorentz(0.1, 2.0))
    model = Model.of([0, 1], [Coupling.of(np.array(OPERATORS[coupling]), "b")], [bath])
    return Bloch(interaction_of(model))


@lru_cache
def function(coupling: str, name: str, order: int = 4) -> FormFunction:
    return FormFunction(form(coupling, name, order))


def form(coupling: str, name: str, order: int = 4) -> SpectralForm:
    if name == "constant":
        return EquilibriumConstant(bloch(coupling).interaction)[order - 2]
    return bloch(coupling).series(name)[order].form


class Random:
    """Seeded parameters over decades."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)

    def between(self, low: float, high: float, shape: Any = None) -> Any:
        found = np.exp(self.rng.uniform(math.log(low), math.log(high), shape))
        return float(found) if shape is None else found

    def density(self) -> Any:
        match int(self.rng.integers(4)):
            case 0:
                return DrudeLorentz(self.between(0.01, 1), self.between(0.01, 100))
            case 1:
                power = float(self.rng.choice([0.5, 1.0, 1.5, 2.0, 3.0]))
                return Ohmic(self.between(0.01, 1), self.between(0.01, 100), power)
            case 2:
                mode, width = self.between(0.1, 10), self.between(0.001, 10)
                return Underdamped(self.between(0.1, 1), mode, width)
        c = (complex(self.between(0.1, 1), 0.1), 0.2 + 0j)
        nu = (complex(self.between(0.3, 3), self.between(0.1, 3)), complex(self.between(0.3, 3)))
        return Exponentials(c, nu)

    def beta(self) -> float:
        return math.inf if self.rng.uniform() < 0.3 else self.between(0.02, 50)


def correlation(density: Any, beta: Any, statistics: str = "boson") -> Correlation:
    if isinstance(density, Exponentials):
        return Correlation(density, "boson", None)
    return Correlation(density, statistics, beta)  # type: ignore[arg-type]


def slow(asked: SpectralForm, w0: float, c: Correlation, beta: float) -> Bounded | str:
    try:
        return evaluate(asked, (w0,), DoubleSpectra({"b": ((1, c),)}), beta)
    except (Divergent, CannotEvaluate) as fault:
        return repr(fault)


def fast(f: FormFunction, w0: Any, c: Correlation, beta: Any) -> Bounded | str:
    try:
        return f((w0,), {"b": c}, beta)
    except (Divergent, CannotEvaluate) as fault:
        return repr(fault)


def agree(found: Any, expected: Any, looser: float = 1e3) -> None:
    """The same refusal, or values within both bounds, ours not much looser."""
    if isinstance(expected, str) or isinstance(found, str):
        assert found == expected
        return
    assert abs(found.value - expected.value) <= found.error + expected.error
    assert found.error <= looser * expected.error + 1e-299


@pytest.mark.parametrize("seed", range(12))
def test_one_point_like_the_evaluator(seed: int) -> None:
    random = Random(seed)
    for _ in range(2):
        density, beta, w0 = random.density(), random.beta(), random.between(0.01, 100)
        warm = math.isfinite(beta) and random.rng.uniform() < 0.2
        c = correlation(density, beta, "classical" if warm else "boson")
        for coupling in OPERATORS:
            for name in QUANTITIES:
                for order in (2, 4):
                    expected = slow(form(coupling, name, order), w0, c, beta)
                    agree(fast(function(coupling, name, order), w0, c, beta), expected)


def test_every_quantity_is_compiled_for_every_density() -> None:
    """Nothing of these goes through the evaluator after the first call of its kind."""
    baths = [
        *(correlation(d, beta) for d in DENSITIES for beta in (1.0, math.inf)),
        correlation(Exponentials((1.0,), (1 + 1j,)), None),
    ]
    for coupling in OPERATORS:
        for name in (*QUANTITIES, "constant"):
            f = function(coupling, name)
            for c in baths:
                if name == "constant" and not isinstance(c.density, Exponentials):
                    assert fast(f, 0.7, c, c.beta) is not None
                elif name != "constant":
                    singles = {"b": Single(c)}
                    assert f.single(0.7, singles, c.beta, {}) is not None


COUPLINGS = [Coupling.of(((0, 1), (1, 0)), "b")]
DENSITIES = (
    DrudeLorentz(0.1, 2.0),
    Ohmic(0.2, 1.5, 1.0),
    Ohmic(0.2, 1.5, 3.0),
    Underdamped(0.3, 1.0, 0.2),
)


@pytest.mark.parametrize("coupling", OPERATORS)
@pytest.mark.parametrize("density", DENSITIES)
def test_against_balls(coupling: str, density: Any) -> None:
    """No value lies outside its own bound: one point, many temperatures, many frequencies."""
    random = Random(7)
    inverses, splittings = random.between(1.1, 1.9, 60), random.between(1.1, 1.9, 60)
    k = DENSITIES.index(density)
    # balls of integrals take seconds: one quantity for each bath
    for name in ("k_up", "inv_T2", "frequency_shift")[k % 3 :][: 1 if coupling == "biased" else 3]:
        f, asked = function(coupling, name), form(coupling, name)
        over = f((1.3,), {"b": correlation(density, inverses)}, inverses)
        along = f((splittings,), {"b": correlation(density, 1.4)}, 1.4)
        for found, w0, beta in (
            ((over.value[11], over.error[11]), 1.3, float(inverses[11])),
            ((along.value[23], along.error[23]), float(splittings[23]), 1.4),
        ):
            baths = {"b": ((1, correlation(density, beta)),)}
            exact = evaluate(asked, (w0,), EnclosedSpectra(baths, 17), beta)
            with flint.ctx.workdps(40):
                off = abs(flint.arb(float(found[0])) - exact.value)
                assert off <= float(found[1])
            direct = slow(asked, w0, correlation(density, beta), beta)
            assert isinstance(direct, Bounded)
            assert found[1] <= 300 * direct.error


@pytest.mark.parametrize("seed", range(8))
def test_arrays_like_the_evaluator(seed: int) -> None:
    """Over w0, temperature with T = 0 among it, a grid, and an amplitude."""
    random = Random(100 + seed)
    density = random.density()
    centre, w0 = random.between(0.1, 10), random.between(0.1, 10)
    cases: list[tuple[Any, Any]] = [
        (w0, centre * random.between(0.7, 1.4, 80)),
        (w0 * random.between(0.7, 1.4, 80), centre),
        (w0 * np.array([[1.0, 1.6]]), centre * random.between(0.8, 1.2, (50, 1))),
        (w0 * random.between(0.8, 1.2, (1, 50)), centre * np.array([[1.0], [1.7]])),
    ]
    w, beta = cases[seed % 4]
    if np.ndim(beta) and seed < 4:
        beta.flat[1] = math.inf
    shape = np.broadcast_shapes(np.shape(w), np.shape(beta))
    for name in ("k_up", "inv_T2", "frequency_shift"):
        found = fast(function("biased", name), w, correlation(density, beta), beta)
        for k in (0, 1, *random.rng.integers(0, math.prod(shape), 2)):
            index = tuple(int(i) for i in np.unravel_index(int(k), shape))
            at, inverse = (float(np.broadcast_to(x, shape)[index]) for x in (w, beta))
            expected = slow(form("biased", name), at, correlation(density, inverse), inverse)
            if isinstance(found, str):
                assert isinstance(expected, str) or np.any(np.isinf(beta))
                continue
            agree(Bounded(found.value[index], found.error[index]), expected)


@pytest.mark.parametrize("seed", range(12))
def test_few_temperatures_over_decades(seed: int) -> None:
    """One wide panel, or points of it that are too few: every value against a sum of its own."""
    random = Random(300 + seed)
    density = random.density()
    low, w0, count = random.between(0.01, 10), random.between(0.1, 10), (60, 150, 400)[seed % 3]
    beta = random.between(low, low * random.between(1.5, 3000), count)
    for name in ("k_up", "inv_T2", "frequency_shift"):
        f = function("biased", name)
        found = fast(f, w0, correlation(density, beta), beta)
        if isinstance(found, str):
            assert isinstance(density, Ohmic)
            assert density.s <= 1
            continue
        loose = []
        for k in random.rng.integers(0, count, 6):
            single = f.single(w0, {"b": Single(correlation(density, float(beta[k])))}, beta[k], {})
            assert single is not None
            assert abs(found.value[k] - single[0]) <= found.error[k] + single[1]
            loose.append(found.error[k] / single[1])
        assert np.median(loose) < 100


def test_a_wide_panel_bounds_functions_that_are_known() -> None:
    """Over four decades of size: analytic to the right, with their sizes on the ring as given."""
    panel = Panel(0.2, 9.0, logarithmic=True)

    def functions(x: Any) -> Any:
        return np.stack((1 / x**2, np.exp(-x), 1 / np.expm1(x), x**0 + 0 * x, 0 * x))

    x = panel.points
    error = 1e-15 * np.abs(functions(x))
    made = through(panel, functions(x) + error / 2, error, np.abs(functions(panel.ring)))
    assert isinstance(made, Barycentric)
    at = np.concatenate((np.geomspace(0.2, 9.0, 333), x[:3], [0.2, 9.0]))
    value, bound = made(at)
    off = np.abs(value - functions(at))
    assert np.all(off <= bound)
    assert np.all(bound[:4] <= 1.1e-13 * np.abs(functions(at))[:4])
    assert not np.any(bound[4])


@pytest.mark.parametrize("decades", [0.001, 0.3, 0.8, 1.4, 2.1])
def test_a_wide_panel_knows_what_is_analytic_in_its_sector_alone(decades: float) -> None:
    """Functions with a pole just beyond the sector, above the lower and the upper end."""
    panel = Panel(0.3, 0.3 * 10**decades, logarithmic=True)
    assert np.max(np.abs(np.angle(panel.ring))) <= thermal_tables.SECTOR * (1 + 1e-12)
    np.testing.assert_allclose(panel.ring[::-1], np.conj(panel.ring), rtol=1e-13)
    t = np.linspace(-1, 1, 101)
    np.testing.assert_allclose(panel.place(panel.at(t)), t, rtol=0, atol=1e-13 / panel.half)
    np.testing.assert_allclose(panel.at(np.array([-1.0, 1.0])), [panel.low, panel.high], rtol=1e-14)
    beyond = np.exp(1j * (thermal_tables.SECTOR + 0.02))
    poles = np.array([panel.low, panel.centre, panel.high])[:, None] * beyond

    def functions(x: Any) -> Any:
        return panel.high / (x - poles) + panel.high / (x - poles.conj())

    x = panel.points
    exact = functions(x).real
    made = through(panel, exact, 1e-16 * np.abs(exact), np.abs(functions(panel.ring)))
    at = np.geomspace(panel.low, panel.high, 400)
    value, bound = made(at)
    off = np.abs(value - functions(at).real)
    assert np.all(off <= bound)
    assert np.all(bound <= 1e-11 * np.abs(functions(at)).max(-1, keepdims=True))


@pytest.mark.parametrize("degrees", [3, 8, 12, 14, 16, 20, 23, 24, 25, 30])
def test_resonances_beside_the_thermal_poles_of_a_sector(degrees: float) -> None:
    """Resonances at any angle below the axis, where thermal poles of complex beta are, too."""
    density = Underdamped(0.3, 1.0, 2 * math.sin(math.radians(degrees)))
    for centre in (2 * math.pi, 2.0):
        beta = centre * np.geomspace(2**-2.5, 2**2.5, 120)
        for name in ("k_up", "frequency_shift"):
            f = function("biased", name)
            found = f((1.0,), {"b": correlation(density, beta)}, beta)
            few = beta[::17]
            direct = f((1.0,), {"b": correlation(density, few)}, few)
            assert np.all(
                np.abs(found.value[::17] - direct.value) <= found.error[::17] + direct.error
            )
            assert np.max(found.error) <= 1e-9 * np.max(np.abs(found.value))


@pytest.mark.parametrize("seed", range(4))
def test_sizes_on_a_ring_bound_polynomials_of_too_few_points(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """With a coarse aim the misfit is all of the error, far above rounding, and is bounded."""
    rng = np.random.default_rng(seed)
    low, high = rng.uniform(0.1, 0.3), rng.uniform(3.0, 30.0)
    beta = rng.permutation(np.geomspace(low, high, 90))
    frequency, width = rng.uniform(0.5, 3.0, 2)
    for density in (
        DrudeLorentz(0.1, width),
        Ohmic(0.1, width, 1.0),
        Ohmic(0.1, width, 3.0),
        Underdamped(0.3, frequency, 0.3 * frequency),
    ):
        f = function("biased", ("k_up", "frequency_shift")[seed % 2])
        few = beta[::3]
        direct = f((1.0,), {"b": correlation(density, few)}, few)
        with monkeypatch.context() as coarse:
            coarse.setattr(thermal_tables, "MISFIT", 1e-4)
            found = f((1.0,), {"b": correlation(density, beta)}, beta)
        off = np.abs(found.value[::3] - direct.value)
        assert np.all(off <= found.error[::3] + direct.error)
        assert np.max(off) > 100 * np.max(direct.error)


def test_an_amplitude_factors_out() -> None:
    """Exactly: what depends on it is a power, and nothing is asked for again."""
    beta = np.geomspace(0.5, 2.0, 3)[:, None]
    lam = np.array([[0.0, 0.25, 1.0, 4.0]])
    for name in ("k_up", "frequency_shift"):
        f = function("biased", name)
        all_of = f((1.0,), {"b": correlation(DrudeLorentz(lam, 2.0), beta)}, beta)
        unit = f((1.0,), {"b": correlation(DrudeLorentz(1.0, 2.0), beta)}, beta)
        np.testing.assert_allclose(all_of.value, unit.value * lam**2, rtol=1e-13, atol=0)
        assert np.all(all_of.error <= 3 * unit.error * lam**2 + 1e-299)


def test_repeated_calls_within_an_octave_become_a_polynomial(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    f, density = function("biased", "k_up"), DrudeLorentz(0.1, 2.0)
    singles = {"b": Single(correlation(density, 1.5))}
    for w0 in np.linspace(1.02, 1.9, OFTEN):
        f.single(float(w0), singles, 1.5, {})
    monkeypatch.setattr(Question, "answer", _forbidden)
    for w0 in (1.03, 1.37, 1.93):
        value, error = f.single(w0, singles, 1.5, {}) or (math.nan, math.nan)
        expected = slow(form("biased", "k_up"), w0, correlation(density, 1.5), 1.5)
        agree(Bounded(value, error), expected)


@pytest.mark.parametrize("seed", range(4))
def test_repeated_calls_beside_a_resonance_become_polynomials(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Panels as narrow as the resonance: on it, at half of it, at twice, and wherever else."""
    random = Random(70 + seed)
    width = random.between(3e-3, 2.0)
    beta = math.inf if seed == 1 else random.between(0.3, 3)
    density = Underdamped(0.3, 1.0, width)
    asked: list[float] = []
    answer = Question.answer

    def counted(question: Question, a: Any, b: Any, w0: Any) -> Any:
        asked.append(w0)
        return answer(question, a, b, w0)

    for name in ("k_up", "inv_T2", "frequency_shift"):
        f = function("biased", name)
        singles = {"b": Single(correlation(density, beta))}
        for centre in (0.5, 1.0, 2.0, random.between(0.3, 3)):
            for _ in range(OFTEN + FEW + 1):
                f.single(centre + width * random.between(1e-4, 0.01), singles, beta, {})
            with monkeypatch.context() as patch:
                patch.setattr(Question, "answer", counted)
                asked.clear()
                w0 = centre + width * random.between(1e-4, 0.01)
                value, error = f.single(w0, singles, beta, {}) or (math.nan, math.nan)
                assert not asked
            expected = slow(form("biased", name), w0, correlation(density, beta), beta)
            agree(Bounded(value, error), expected)


def test_sums_of_two_baths_keep_neither_alive() -> None:
    """Many temperatures of one bath beside a fixed one: the others are let go."""
    random = Random(5)
    fixed = Single(correlation(DrudeLorentz(0.1, 2.0), 1.5))
    met = []
    for beta in (random.between(0.3, 3.0) for _ in range(PAIRS[0] + 20)):
        other = Single(correlation(Ohmic(0.2, 1.5, 1.0), beta))
        fixed.product("QC", other, 1.0)
        met.append(weakref.ref(other))
    assert fixed.product("QC", other, 1.0) is fixed.product("QC", other, 1.0)
    del other
    gc.collect()
    assert not any(each() for each in met)
    assert product_sums.cache_info().currsize <= PAIRS[0]


def _forbidden(*_: Any) -> Any:
    raise AssertionError("this was to be known already")


@pytest.mark.parametrize("density", DENSITIES)
def test_a_fixed_bath_makes_its_nodes_once(density: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next call in the same octave looks nothing up but its own sum."""
    model = ps.bloch(COUPLINGS)
    f = model.k_up[4].function(b=density)
    f(1.1, 0.7)
    monkeypatch.setattr(Nodes, "of", _forbidden)
    monkeypatch.setattr(form_function, "evaluate", _forbidden)
    assert f(1.7, 0.7) != f(1.2, 0.7)
    single, many = f(1.7, 0.7), None
    monkeypatch.undo()
    many = f(np.array([1.7, 1.2]), 0.7)
    assert abs(single.value - many.value[0]) <= single.error + many.error[0]


def test_bad_arguments_are_named() -> None:
    f = ps.bloch(COUPLINGS).k_up[4].function(b=DENSITIES[0])
    for bad in (0, -1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="w0"):
            f(bad, 1.0)
    for bad in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="beta"):
            f(1.0, bad)
    with pytest.raises(TypeError, match="beta"):
        f(1.0)
    assert f(1, 2) == f(1.0, 2.0) == f(np.float64(1), beta=2)


def test_a_bath_may_be_left_out_or_have_no_strength() -> None:
    model = ps.bloch(COUPLINGS)
    assert model.k_up[4].function(b=None)(1.0, 2.0) == (0.0, 0.0)
    assert model.k_up[4].function(b=DrudeLorentz(0.0, 1.0))(1.0, 2.0) == (0.0, 0.0)


def test_formulas_and_tables_go_through_the_evaluator() -> None:
    formula = ExpressionDensity(parse_expression("w*exp(-w)"))
    f = ps.bloch(COUPLINGS).k_up[2].function(b=formula)
    expected = 2 * math.exp(-1) / math.expm1(2.0)
    assert f(1.0, 2.0).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("question", ["integral", "regular", "slope"])
def test_the_ellipse_bounds_the_answer(density: Any, question: str) -> None:
    """Its bound holds on the real axis, which lies within, and is not astronomically large."""
    unit = density.split()[1]
    asked = {
        "integral": Question("I", False, -1, 1, ((Fraction(1), 0, 1, 1),)),
        "regular": Question("J", True, -1, 1),
        "slope": Question("R"),
    }[question]
    source = Single(correlation(unit, 1.3)).source._replace(beta=None)
    seen: list[float] = []
    original: Callable[..., Polynomial | Barycentric] = interpolated.through
    octave, wide = Panel(1.0, 2.0), Panel(0.3, 10.0, logarithmic=True)

    def kept(panel: Panel, value: Any, error: Any, largest: Any) -> Polynomial | Barycentric:
        seen.append(float(np.max(largest)) / float(np.max(np.abs(value))))
        return original(panel, value, error, largest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interpolated, "through", kept)
        for panel in (octave, wide):
            interpolated.by_temperature.__wrapped__((asked,), source, source, 0.8, panel)
        if not isinstance(density, Underdamped) and question == "integral":
            fixed = source._replace(beta=1.3)
            interpolated.by_frequency.__wrapped__((asked,), fixed, fixed, octave)
    assert seen
    assert all(0.5 <= x <= 1e4 for x in seen), seen


@pytest.mark.parametrize("seed", range(5))
def test_parts_of_a_kernel_that_cancel_far_from_its_poles(seed: int) -> None:
    """w0 far below a narrow peak: the rounding of every part is in the bound.

    The first is the set of parameters at which the bound was 20 times too small.
    """
    random = Random(40 + seed)
    density = Underdamped(0.6602408724223601, 0.6621132229408714, 0.006698618330813402)
    beta, w0 = 0.2640146056747369, 0.011352523382063506
    if seed:
        mode = random.between(0.1, 10)
        density = Underdamped(0.5, mode, mode * random.between(0.003, 0.03))
        beta, w0 = random.between(0.1, 1) / mode, mode * random.between(0.005, 0.03)
    f = function("biased", "frequency_shift")
    singles = {"b": Single(correlation(density, beta))}
    assert f.single(w0, singles, beta, {})
    (program,) = [p for key, p in f._programs.items() if key[0] == (singles["b"].kind,)]
    assert program is not None
    spectra = {"b": ((1, correlation(density, beta)),)}
    (question, *_) = [r.question for r in program.requests if r.question and r.question.kernel]
    at = "CP", "b", "b", question.reflect, question.shift * w0, question.poles(w0)
    found = DoubleSpectra(spectra).mixed_integral(*at)  # type: ignore[arg-type]
    exact = EnclosedSpectra(spectra, 17).mixed_integral(*at)  # type: ignore[arg-type]
    with flint.ctx.workdps(40):
        assert abs(flint.arb(found.value) - exact.value) <= found.error
    assert found.error <= 1e-6 * abs(found.value)


def test_two_baths_at_two_temperatures() -> None:
    baths = [
        Bath("x", "boson", 1.0, DENSITIES[0]),
        Bath("z", "boson", 2.0, DENSITIES[3]),
    ]
    couplings = [
        Coupling.of(np.array([[0.0, 1.0], [1.0, 0.0]]), "x"),
        Coupling.of(np.array([[0.5, 0.0], [0.0, -0.5]]), "z"),
    ]
    series = Bloch(interaction_of(Model.of([0, 1], couplings, baths)))
    beta = np.geomspace(0.5, 4.0, 120)
    for name in ("k_up", "inv_T2", "frequency_shift"):
        asked = series.series(name)[4].form
        given: Mapping[str, Correlation] = {
            "x": correlation(DENSITIES[0], beta),
            "z": correlation(DENSITIES[3], 2.0),
        }
        found = FormFunction(asked)((0.9,), given)
        for k in (0, 57, 119):
            parts = {
                "x": ((1, replace(given["x"], beta=float(beta[k]))),),
                "z": ((1, given["z"]),),
            }
            expected = evaluate(asked, (0.9,), DoubleSpectra(parts))  # type: ignore[arg-type]
            agree(Bounded(found.value[k], found.error[k]), expected)


@pytest.mark.parametrize("w", [0.0, 0.3, -0.3])
def test_sums_at_a_first_point_are_those_of_arrays(w: float) -> None:
    nodes = Single(correlation(Ohmic(0.1, 1.0, 1.0), 1.3)).unit.nodes(0.1, 10.0)
    value, error = PointSums(nodes).transform(w, 0)
    found, lost = Sums(nodes).transform(np.array([w]), 0)
    assert abs(value - found[0]) <= error + lost[0]
    assert error <= 1e-8


def test_sizes_that_overflow_are_refused() -> None:
    """As model files refuse them: products of several such numbers were nan."""
    rng = np.random.default_rng(7)
    model = ps.bloch([ps.Coupling([["d", 1], [1, "-d"]], "b")])
    functions = [model.k_up[n].function(b=DENSITIES[0]) for n in (2, 4)]
    sizes = [1e200, 1e250, *10 ** rng.uniform(60.5, 300, 4), *10 ** rng.uniform(-300, -60.5, 4)]
    for f, bad, name in product(functions, sizes, ("w0", "beta", "d")):
        for size in (bad, np.array([1.0, bad])):
            with pytest.raises(ValueError, match=rf"{name}: must be 0, or 1e-60 to 1e\+60"):
                f(**{"w0": 1.0, "beta": 1.0, "d": 0.5, name: size})
    for f, name, good in product(functions, ("w0", "beta", "d"), (9e59, 1.1e-60)):
        found = f(**{"w0": 1.0, "beta": 1.0, "d": 0.5, name: good})
        assert math.isfinite(found.value)
        assert math.isfinite(found.error)
    assert f(1.0, np.array([1.0, math.inf]), d=0.5).value.shape == (2,)


@pytest.mark.parametrize("quantity", ["k_up", "inv_T2", "frequency_shift"])
def test_parameters_of_a_density_may_be_arrays_where_nothing_else_is(quantity: str) -> None:
    """With numbers for w0 and beta, and powers that differ at T = 0 and above."""
    rng = np.random.default_rng(11)
    model = ps.derive([ps.Coupling(ps.sigma_x, "A"), ps.Coupling(ps.sigma_z, "B")])
    b = DrudeLorentz(0.04, 0.4)
    gammas, powers = rng.uniform(0.2, 5, 2), np.array([1.5, rng.uniform(2.1, 3)])
    sets = [
        (DrudeLorentz(0.03, gammas), [DrudeLorentz(0.03, x) for x in gammas]),
        (Ohmic(0.03, gammas, 1.0), [Ohmic(0.03, x, 1.0) for x in gammas]),
        (Ohmic(0.03, 1.9, powers), [Ohmic(0.03, 1.9, x) for x in powers]),
    ]
    temperatures: tuple[Any, ...] = (0.8, math.inf, np.array([math.inf, 0.8]))
    for n, beta, (a, each) in product((2, 4), temperatures, sets):
        result = getattr(model, quantity)[n]
        many = result.function(A=a, B=b)(0.9, beta)
        for k, one in enumerate(each):
            single = result.function(A=one, B=b)(0.9, float(np.broadcast_to(beta, 2)[k]))
            assert abs(many.value[k] - single.value) <= many.error[k] + single.error


@pytest.mark.parametrize("seed", range(20))
def test_a_sum_of_products_is_in_its_bound_however_large_the_errors(seed: int) -> None:
    """The extremes of factors that lie anywhere in their own bounds, which are reached."""
    random = np.random.default_rng(seed)
    w0 = float(random.uniform(0.5, 2))
    shown = Request.of(Atom("P", ("b",), 1, 1))
    factors = [shown._replace(name=name) for name in "abc"]
    known = {f.name: (random.uniform(-2, 2), random.uniform(0, 2)) for f in factors}
    total = shown._replace(products=((float(random.uniform(-2, 2)), 1, tuple(factors)),))
    value, error = total.summed(w0, lambda f: known[f.name])
    off = [
        abs(total.summed(w0, lambda f, at=at: (at[f.name], 0.0))[0] - value)
        for signs in product((-1, 1), repeat=3)
        for at in [{n: x + s * e for s, (n, (x, e)) in zip(signs, known.items(), strict=True)}]
    ]
    assert max(off) == pytest.approx(error, rel=1e-12)


@pytest.mark.parametrize("quality", [1e1, 1e3, 1e5])
@pytest.mark.parametrize("place", [1.0, 3e-4])
@pytest.mark.parametrize("m", [0, 1])
def test_rounding_beside_a_narrow_resonance_counts(quality: float, place: float, m: int) -> None:
    """The pole is rounded as w is: so much is unknown, however many digits a sum has."""
    pole, residue = place * (1.0 - 0.5j / quality), 0.3 - 0.1j
    sums = PointSums(Nodes.discrete(np.array([pole]), np.array([residue])))
    for near in (0.0, 0.3, -0.7, 4.0):
        w = place * (1.0 + near / quality)
        _, error = sums.transform(w, m)
        term = 2 * math.pi * abs(residue) / abs(w - pole) ** (m + 1)
        unknown = 2.0**-53 * (m + 1) * term * abs(pole / (w - pole))
        assert unknown <= error <= 100 * unknown
        _, even, _, odd = sums.parts(w, m)  # half of it each
        assert unknown / 2 <= even <= 100 * unknown
        assert unknown / 2 <= odd <= 100 * unknown
