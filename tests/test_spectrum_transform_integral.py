"""Integrals over a spectrum and a transform, and double poles on the kink of a spectrum."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import flint
import numpy as np
import pytest

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import (
    BathDensity,
    DrudeLorentz,
    Exponentials,
    ExpressionDensity,
    Ohmic,
    Table,
    Underdamped,
)
from pertsym.baths.divergence import Divergent
from pertsym.baths.enclosure import BathBalls, PairBalls
from pertsym.baths.integrals import Kind, regular_part, regular_slope, spectral_integral
from pertsym.baths.integrand import Integrand, Transform
from pertsym.baths.kinks import has_slope, mean_slope
from pertsym.baths.piecewise_integral import finite_part
from pertsym.baths.piecewise_sampling import panels_of
from pertsym.certify.brute_force import generator
from pertsym.distributions.chains import Kink, divergent_part, kinks, mirror, with_poles_on_spectra
from pertsym.equations.bloch import Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.models import independent_baths
from pertsym.estimate import Estimate
from pertsym.exact import Gaussian
from pertsym.expansion.paths import generator_element
from pertsym.expressions.expression import parse_expression
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra, EnclosedSpectra
from pertsym.rates import BlochRates, bloch_rates
from pertsym.reduction.arc_length_reduction import reduce_imaginary, reduce_real
from pertsym.reduction.spectral import CannotEvaluate, SpectralIntegral, Value, monomial
from tests.open_systems import exponential_system

SIGMA_X: list[list[Any]] = [[0, 1], [1, 0]]
SIGMA_Z: list[list[Any]] = [[1, 0], [0, -1]]
TILTED: list[list[Any]] = [[0.5, 1], [1, -0.5]]
COLD = math.inf

DRUDE = Correlation(DrudeLorentz(0.02, 1.25), "boson", 1.0)
DRUDE_COLD = Correlation(DrudeLorentz(0.02, 1.25), "boson", COLD)
MODE = Correlation(Underdamped(0.2, 1.0, 0.4), "boson", 2.0)
MODE_COLD = Correlation(Underdamped(0.2, 1.0, 0.4), "boson", COLD)
OHMIC = Correlation(Ohmic(0.02, 1.0, 1.0), "boson", 1.0)
OHMIC_COLD = Correlation(Ohmic(0.02, 1.0, 1.0), "boson", COLD)
CUBIC = Correlation(Ohmic(0.02, 1.0, 3.0), "boson", 1.0)
ROOT = Correlation(Ohmic(0.02, 1.0, 1.5), "boson", 1.0)
SUB_OHMIC = Correlation(Ohmic(0.02, 1.0, 0.6), "boson", 1.0)
CLASSICAL = Correlation(Ohmic(0.02, 1.0, 1.0), "classical", 1.0)
SAMPLED = Correlation(Table((0.0, 0.5, 1.1, 2.0, 3.0), (0.0, 0.2, 0.3, 0.1, 0.0)), "boson", 1.0)
CUT_OFF = Correlation(Table((0.0, 0.5, 1.1, 2.0, 3.0), (0.0, 0.2, 0.3, 0.1, 0.07)), "boson", COLD)


def number(x: Any) -> Bounded:
    """A value that must be there."""
    assert x is not None
    return Bounded.of(x)


def within_bounds(*parts: Any) -> bool:
    """Whether a sum of numbers with bounds may be 0."""
    return abs(sum(float(p.value) for p in parts)) <= sum(float(p.error) for p in parts) + 1e-17


# ---------------------------------------------------------------------------------------------
# Exponential correlation functions: the generator from superoperator cumulants

RAW = {
    "a": ((0.3 + 0.1j, 0.1 - 0.05j), (1.1 + 0.4j, 0.6 - 0.9j)),
    "b": ((0.2 - 0.1j,), (0.8 + 0.5j,)),
    "c": ((0.3 + 0.1j,), (1.1 + 0.4j,)),
}
COUPLINGS: dict[str, list[tuple[list[list[Any]], str]]] = {
    "one bath": [([[0.3, 0.5j], [-0.5j, -0.7]], "a")],
    "two baths": [([[0.5, 1], [1, -1]], "c"), ([[0.25, 0.5], [0.5, 2]], "b")],
}
W0 = 0.9
EXPONENTIAL = DoubleSpectra(
    {name: ((1, Correlation(Exponentials(c, nu))),) for name, (c, nu) in RAW.items()}
)


@pytest.fixture(scope="module", params=COUPLINGS)
def biased(request: pytest.FixtureRequest) -> tuple[Any, Any, Any]:
    couplings = COUPLINGS[request.param]
    baths = {name: Exponentials(c, nu) for name, (c, nu) in RAW.items()}
    model = exponential_system((0.0, W0), couplings, baths)
    system = Model.of(
        [0, W0],
        [Coupling.of(operator, bath) for operator, bath in couplings],
        [Bath(name, "boson", None, Exponentials(c, nu)) for name, (c, nu) in RAW.items()],
    )
    return generator(*model, 2), generator(*model, 4), system


def test_elements_of_a_biased_system(biased: tuple[Any, Any, Any]) -> None:
    _, fourth, system = biased
    interaction = independent_baths(2, [(c.operator, c.bath) for c in system.couplings])
    scale = np.max(np.abs(fourth))
    chains = 0
    # the other rows are conjugates of these, or their negatives
    for a, b, c, d in itertools.product((0, 1), (0,), (0, 1), (0, 1)):
        terms = generator_element(interaction, 4, (a, b, c, d))
        direct = fourth[2 * a + b, 2 * c + d]
        for form, exact in (
            (reduce_real(terms), direct.real),
            (reduce_imaginary(terms), direct.imag),
        ):
            chains += sum(integral.kind == "CP" for integral in form.integrals)
            found = evaluate(form, (W0,), EXPONENTIAL)
            assert abs(found.value - exact) <= found.error + 1e-14 * scale, (a, b, c, d)
            assert found.error <= 1e-11 * scale
    assert chains > 0


def test_the_frequency_shift_of_a_biased_system(biased: tuple[Any, Any, Any]) -> None:
    """omega^2 = (w0 - Im R_1010)^2 - |R_1001|^2 to fourth order, from brute-force elements."""
    second, fourth, system = biased
    first = -second[2, 2].imag
    expected = -fourth[2, 2].imag + (first**2 - abs(second[2, 1]) ** 2 - first**2) / (2 * W0)
    rates = bloch_rates(system, 4)
    assert not rates.not_derived
    assert not rates.divergent
    shift = number(rates.orders[4]["frequency_shift"])
    assert abs(shift.value - expected) <= shift.error + 1e-14 * np.max(np.abs(fourth))


# ---------------------------------------------------------------------------------------------
# P as a function

FUNCTIONS = [DRUDE, MODE_COLD, OHMIC, OHMIC_COLD, ROOT, SUB_OHMIC, CLASSICAL, SAMPLED, CUT_OFF]


@pytest.mark.parametrize("c", FUNCTIONS)
def test_transforms_at_many_points(c: Correlation) -> None:
    w = np.array([-30.0, -1.0, -0.2, 1e-6, 0.3, 0.7, 1.0, 1.3, 3.05, 4.0])
    for order in (0, 1):
        by_panels = [finite_part(Integrand(c.thermal), [(1.0, x, order + 1)]) for x in w]
        value, error = np.array(by_panels).T
        other = c.transform(w, order)
        assert np.all(np.abs(value - other.value) <= error + other.error)
        plain = np.abs(w) > 0.1  # P and P' pass through 0: measured against the largest
        assert np.all(error[plain] <= 1e-11 * np.max(np.abs(value[plain])))


@pytest.mark.parametrize("c", [DRUDE, MODE_COLD, OHMIC, ROOT])
def test_transforms_continue_analytically(c: Correlation) -> None:
    """P - i pi Ĉ on the axis, and its continuation below: the mean over a circle there."""
    bits, count = 80, 40
    with flint.ctx.workprec(bits):
        bath = BathBalls(c, bits)
        here = bath.below(flint.fmpq(3, 4))
        for found, exact, scale in (
            (here.real, c.transform(0.75), 1.0),
            (here.imag, c.spectrum(0.75), -math.pi),
        ):
            assert abs(float(found.mid()) - scale * exact.value) <= 4 * exact.error + 1e-15
        centre, radius = flint.acb(0.75, -0.25), flint.arb(0.125)
        turns = [(flint.acb(2 * k) / count).exp_pi_i() * radius for k in range(count)]
        total = sum((bath.below_ball(centre + turn) for turn in turns), flint.acb(0))
        assert abs(total / count - bath.below(centre)) < 1e-12


# ---------------------------------------------------------------------------------------------
# The integrals


@pytest.mark.parametrize("reflect", [-1, 1])
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(
    ("a", "b"), [(DRUDE, CUBIC), (MODE, SAMPLED), (OHMIC_COLD, CUBIC)], ids=str
)
def test_either_function_may_be_transformed(
    a: Correlation, b: Correlation, reflect: int, order: int
) -> None:
    """The Poincare-Bertrand rule: one side transforms A, the other B."""
    chain = SpectralIntegral("CP", "a", "b", reflect, (2,), (-1,), order)
    other, weight, products = mirror(chain)
    spectra = DoubleSpectra({"a": ((1, a),), "b": ((1, b),)})
    w = (0.77,)
    here, turned, rest = (
        evaluate(form, w, spectra)
        for form in (
            monomial(Gaussian(1), chain),
            monomial(Gaussian(weight), other),
            products,
        )
    )
    assert within_bounds(here, -turned, -rest)
    assert here.error <= 3e-11 * max(abs(here.value), abs(rest.value))


POLES = [(1.0, 0.0, 2), (0.5, -0.75, 1)]


def enclosed(a: Correlation, b: Correlation, ask: Any) -> float:
    """The middle of a ball, which is narrow."""
    with flint.ctx.workprec(90):
        found = ask(PairBalls(BathBalls(a, 90), BathBalls(b, 90)))
        assert found.rad() < 1e-18
        return float(found.mid())


@pytest.mark.parametrize("kind", ["CC", "CP"])
def test_two_precisions_agree(kind: Kind) -> None:
    """Nodes below the axis, panels on it, and contours above it."""
    double = spectral_integral(kind, DRUDE, DRUDE_COLD, -1, 0.8125, POLES)
    second = DRUDE_COLD.thermal
    if kind == "CP":
        second = Transform(DRUDE_COLD.thermal, panels_of(DRUDE_COLD.thermal).regular_transform)
    panels = Estimate(*finite_part(Integrand(DRUDE.thermal, second, 0.8125, -1), POLES))
    precise = enclosed(DRUDE, DRUDE_COLD, lambda p: p.integral(kind, -1, 0.8125, POLES))
    for found in (double, panels):
        assert abs(found.value - precise) <= found.error + 1e-15 * abs(precise)
        assert found.error <= 2e-11 * abs(found.value)


@pytest.mark.parametrize(("a", "b"), [(OHMIC, CUBIC), (OHMIC, DRUDE)], ids=str)
def test_two_precisions_agree_for_thermal_baths(a: Correlation, b: Correlation) -> None:
    """Legendre series of Ĉ on panels, and Gauss rules on paths beside the axis."""
    poles = [(1.0, -0.75, 1)]
    double = spectral_integral("CP", a, b, -1, 0.8125, poles)
    precise = enclosed(a, b, lambda p: p.integral("CP", -1, 0.8125, poles))
    assert abs(double.value - precise) <= double.error + 1e-15 * abs(precise)
    assert double.error <= 1e-11 * abs(double.value)


@pytest.mark.parametrize("kind", ["CC", "CP"])
@pytest.mark.parametrize("c", [DRUDE_COLD, MODE_COLD], ids=str)
def test_two_precisions_agree_at_a_kink(kind: Kind, c: Correlation) -> None:
    double = regular_part(kind, c, c, -1, 0.8125, 0.0)
    precise = enclosed(c, c, lambda p: p.regular(kind, -1, 0.8125, 0))
    assert abs(double.value - precise) <= double.error + 1e-15 * abs(precise)
    assert double.error <= 1e-11 * abs(double.value)


@pytest.mark.parametrize("c", [OHMIC, ROOT, DRUDE_COLD], ids=str)
def test_slopes_at_a_kink(c: Correlation) -> None:
    assert not has_slope(c.thermal, 0.0)
    assert has_slope(c.thermal, 0.5)
    for double, ask in (
        (regular_slope(c, 0.0), "regular_slope"),
        (mean_slope(c, 0.0), "mean_slope"),
    ):
        precise = enclosed(c, c, lambda p, ask=ask: getattr(p.a, ask)(0))
        assert abs(double.value - precise) <= double.error + 1e-15 * abs(precise)
    mean = mean_slope(c, 0.0)
    near = [float(c.spectrum(side * 1e-9).value) for side in (1, -1)]
    assert mean.value == pytest.approx((near[0] - near[1]) / 2e-9, abs=1e-6)


def test_a_classical_spectrum_may_run_either_way() -> None:
    """Ĉ even and P odd: reflecting w changes the sign of a transform only."""
    for kind, parity in (("CC", 1), ("CP", -1)):
        against = spectral_integral(kind, DRUDE, CLASSICAL, -1, 0.5, [(1.0, -0.7, 2)])
        along = spectral_integral(kind, DRUDE, CLASSICAL, 1, -0.5, [(1.0, -0.7, 2)])
        assert against.value == pytest.approx(parity * along.value, rel=1e-12)


def test_both_back_ends_evaluate_the_same_form() -> None:
    """Names may be combinations of baths; P' and a double pole meet the kink of z."""
    baths = {"z": ((1, DRUDE_COLD),), "both": ((1, DRUDE_COLD), (-2, MODE_COLD))}
    double, precise = DoubleSpectra(baths), EnclosedSpectra(baths, 12)
    chain = SpectralIntegral("CP", "z", "both", -1, (1,), (0,), 2)
    form = monomial(Gaussian(1), chain)
    form -= monomial(Gaussian(1), Value("P", "z", 1, (0,)), Value("P", "both", 0, (1,)))
    here, there = (evaluate(form, (0.75,), spectra) for spectra in (double, precise))
    assert abs(here.value - float(there.value)) <= here.error + 1e-15 * abs(here.value)
    assert there.error <= 1e-12 * abs(there.value)
    assert double.mean_slope("z", 0.0).value == pytest.approx(2 * 0.02 / 1.25, rel=1e-15)
    assert float(precise.mean_slope("z", 0).value) == pytest.approx(2 * 0.02 / 1.25, rel=1e-8)


def test_arrays_go_element_by_element() -> None:
    betas = np.array([1.0, 2.0])
    baths = {"x": ((1, Correlation(DrudeLorentz(0.02, 1.25), "boson", betas)),)}
    form = monomial(Gaussian(1), SpectralIntegral("CP", "x", "x", -1, (1,), (-1,), 1))
    found = evaluate(form, (np.array([[0.7], [0.9]]),), DoubleSpectra(baths))
    assert found.value.shape == (2, 2)
    single = {"x": ((1, Correlation(DrudeLorentz(0.02, 1.25), "boson", 2.0)),)}
    assert found.value[1, 1] == evaluate(form, (0.9,), DoubleSpectra(single)).value


# ---------------------------------------------------------------------------------------------
# Rates of biased systems


def rates_of(
    density: BathDensity, beta: float, operators: dict[str, list[list[Any]]]
) -> BlochRates:
    bath = Bath("x", "boson", beta, density)
    couplings = [Coupling.of(operator, name) for name, operator in operators.items()]
    return bloch_rates(
        Model.of([0, 1], couplings, [replace(bath, name=name) for name in operators]), 4
    )


@pytest.mark.parametrize(
    ("density", "beta"),
    [
        (DrudeLorentz(0.02, 1.25), COLD),
        (Underdamped(0.2, 1.3, 0.1), COLD),
        (Ohmic(0.02, 1.0, 0.6), COLD),
        (Ohmic(0.02, 1.0, 1.0), 1.0),
    ],
    ids=str,
)
def test_kinks_keep_detailed_balance(density: BathDensity, beta: float) -> None:
    """Poles on |w| in k_up, k_down; the imaginary-time constant has none.

    With sigma_x and sigma_z on independent baths populations keep to themselves, and
    k_up = K k_down order by order.
    """
    interaction = independent_baths(2, [(SIGMA_X, "x"), (SIGMA_Z, "z")])
    bath = Correlation(density, "boson", beta)
    spectra = DoubleSpectra(dict.fromkeys(("x", "z"), ((1, bath),)))
    bloch, constant = Bloch(interaction), EquilibriumConstant(interaction)
    up, down, down_second = (
        evaluate(bloch.series(name)[order].form, (1.0,), spectra)
        for name, order in (("k_up", 4), ("k_down", 4), ("k_down", 2))
    )
    zeroth, second = (evaluate(constant[n], (1.0,), spectra, beta) for n in (0, 2))
    assert within_bounds(second * down_second, zeroth * down, -up)
    assert max(up.error, down.error) <= 1e-11 * abs(down.value)
    assert abs(up.value) > 1e3 * up.error


def test_zero_temperature_is_a_limit() -> None:
    """At T > 0 a Drude bath has no kink, and nothing is taken off; the distance falls as T."""
    drude = DrudeLorentz(0.02, 1.25)
    cold, cool, warm = (
        rates_of(drude, beta, {"x": TILTED}).orders[4] for beta in (COLD, 2000.0, 1000.0)
    )
    scale = max(abs(float(number(x).value)) for x in cold.values())
    for name, limit in cold.items():
        near, far = (abs(number(x[name]).value - number(limit).value) for x in (cool, warm))
        assert near < 5e-3 * scale, name
        assert near < 0.52 * far + 1e-9 * scale, name


def test_the_bias_may_vanish() -> None:
    drude = DrudeLorentz(0.02, 1.25)
    straight, slight, slighter = (
        number(rates_of(drude, 1.0, {"x": [[e, 1], [1, -e]]}).orders[4]["frequency_shift"]).value
        for e in (0, 2e-3, 1e-3)
    )
    assert abs(slighter - straight) < 1e-5 * abs(straight)
    assert slight - straight == pytest.approx(4 * (slighter - straight), rel=1e-4)


# ---------------------------------------------------------------------------------------------
# Divergence


def test_divergences_cancel_symbolically_or_are_named() -> None:
    """k_down of a biased system is free of P_z'(0); alone that value would not exist."""
    bloch = Bloch(independent_baths(2, [(SIGMA_X, "x"), (SIGMA_Z, "z")]))
    kink = Kink("z", (0,))
    for name in ("k_down", "inv_T2", "frequency_shift"):
        form = bloch.series(name)[4].form
        assert kinks(form, lambda k: k == kink) == (kink,)
        turned = with_poles_on_spectra(form, (kink,))
        assert not divergent_part(turned, kink)
        lone = Value("P", "z", 1, (0,))
        assert divergent_part(turned + monomial(Gaussian(3), lone), kink) == monomial(Gaussian(3))
    spectra = DoubleSpectra({"z": ((1, OHMIC),)})
    with pytest.raises(Divergent, match=r"d\^1P/dw\^1 ~ log\|w\| at w -> 0"):
        evaluate(monomial(Gaussian(1), Value("P", "z", 1, (0,))), (1.0,), spectra)


def test_a_transform_with_its_kink_at_the_pole_changes_places() -> None:
    """FP int Â P_B(w)/w^2 with a kink of B̂ at 0 is brought to a pole on B̂."""
    chain = SpectralIntegral("CP", "a", "b", -1, (1,), (1,), 2)
    kink = Kink("b", (0,))
    turned = with_poles_on_spectra(monomial(Gaussian(1), chain), (kink,))
    assert [(i.name, i.other, i.pole) for i in turned.integrals] == [("b", "a", (0,))]
    assert not divergent_part(turned, kink)  # P_a P_b' against the integral


def test_what_diverges_is_named() -> None:
    rates = rates_of(Ohmic(0.02, 1.0, 0.6), 1.0, {"x": SIGMA_X, "z": SIGMA_Z})
    assert "w^-0.4 at w -> 0" in rates.divergent["4"]["frequency_shift"]
    assert "|w - a|^0.6" in rates.divergent["4"]["k_down"]
    assert rates.orders[4]["frequency_shift"] is None
    with pytest.raises(Divergent, match="both factors"):
        regular_part("CC", OHMIC, OHMIC, -1, 0.0, 0.0)
    with pytest.raises(Divergent, match=r"dĈ/dw ~ w\^-0.4 at w -> 0"):
        mean_slope(Correlation(Ohmic(0.02, 1.0, 0.6), "boson", COLD), 0.0)
    with pytest.raises(Divergent, match=r"\|w - a\|\^1 there"):
        spectral_integral("CC", OHMIC, DRUDE, -1, 1.0, [(1.0, 0.0, 2)])


def test_a_transform_that_exists_only_as_a_difference() -> None:
    """J -> constant: every P(w) diverges like the logarithm of the cutoff."""
    flat = Correlation(ExpressionDensity(parse_expression("w/(1 + w)")), "boson", 1.0)
    with pytest.raises(Divergent, match=r"w\^-1 at w -> inf"):
        spectral_integral("CP", DRUDE, flat, -1, 1.0, [(1.0, 0.5, 1)])
    form = monomial(Gaussian(1), SpectralIntegral("CP", "x", "y", -1, (1,), (-1,), 1))
    with pytest.raises(CannotEvaluate, match="'y' exists only as a difference"):
        evaluate(form, (1.0,), DoubleSpectra({"x": ((1, DRUDE),), "y": ((1, flat),)}))


def test_requests_that_are_refused() -> None:
    with pytest.raises(ValueError, match=r"order: must be 1 to 3, got \[4\]"):
        spectral_integral("CP", DRUDE, DRUDE, -1, 1.0, [(1.0, 0.5, 4)])
    flat = Correlation(Exponentials((0.1,), (1.0,)))
    assert spectral_integral("CP", flat, DRUDE, -1, 1.0, []).value == 0.0
    form = monomial(
        Gaussian(1), SpectralIntegral("CP", "x", "x", -1, (0,), (1,), 1), Value("C", "x", 0, (1,))
    )
    with pytest.raises(CannotEvaluate):
        evaluate(form, (1.0,), DoubleSpectra({"x": ((1, DRUDE),)}))
