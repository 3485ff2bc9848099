"""Values with error bounds, the two back ends of spectra, and the evaluator of spectral forms."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Exponentials, Ohmic
from pertsym.baths.divergence import Divergent
from pertsym.estimate import Estimate
from pertsym.exact import Gaussian
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra, EnclosedSpectra
from pertsym.reduction.spectral import (
    ZERO_FORM,
    CannotEvaluate,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
    monomial,
)

# ---------------------------------------------------------------------------------------------
# Bounded: random expressions beside exact rational arithmetic


@dataclass(frozen=True)
class Known:
    """A bounded double and an exact number inside its bound."""

    bounded: Bounded
    exact: Fraction


def holds(x: Bounded, exact: Fraction) -> bool:
    """|value - exact| <= error, but for the rounding of the bound itself."""
    if math.isinf(x.error):
        return True
    distance = abs(Fraction(float(x.value)) - exact)
    return distance <= Fraction(float(x.error)) * (1 + Fraction(1, 10**14))


@st.composite
def inputs(draw: Any) -> Known:
    value = draw(st.one_of(st.just(0.0), st.floats(1e-3, 1e3), st.floats(-1e3, -1e-3)))
    error = draw(st.one_of(st.just(0.0), st.floats(1e-18, 1e-2))) * (abs(value) or 1.0)
    where = draw(st.fractions(-1, 1, max_denominator=7))
    return Known(Bounded(value, error), Fraction(value) + where * Fraction(error))


def combine(pair: tuple[Known, Known], operation: str) -> Known:
    a, b = pair
    if operation == "+":
        return Known(a.bounded + b.bounded, a.exact + b.exact)
    if operation == "-":
        return Known(a.bounded - b.bounded, a.exact - b.exact)
    if operation == "/" and b.bounded.value and b.exact:
        return Known(a.bounded / b.bounded, a.exact / b.exact)
    return Known(a.bounded * b.bounded, a.exact * b.exact)


expressions = st.recursive(
    inputs(),
    lambda smaller: st.one_of(
        st.builds(combine, st.tuples(smaller, smaller), st.sampled_from("+-*/")),
        st.builds(lambda x, n: Known(x.bounded**n, x.exact**n), smaller, st.integers(1, 3)),
        st.builds(lambda x: Known(-x.bounded, -x.exact), smaller),
    ),
    max_leaves=8,
)


@given(expressions)
def test_the_exact_result_lies_within_the_bound(x: Known) -> None:
    assert holds(x.bounded, x.exact)


@given(st.lists(st.floats(0.1, 10.0), min_size=2, max_size=8))
def test_the_bound_is_tight(numbers: list[float]) -> None:
    """Exact inputs: about half a unit in the last place for every operation, not more."""
    total, product = Bounded.of(numbers[0]), Bounded.of(numbers[0])
    for x in numbers[1:]:
        total, product = total + x, product * x
    operations = len(numbers) - 1
    assert 0 < total.error <= 1.3e-16 * operations * total.value
    assert 0 < product.error <= 1.3e-16 * operations * product.value


@given(inputs(), inputs())
def test_plain_numbers_count_as_exact(x: Known, y: Known) -> None:
    number = y.bounded.value
    exact = Fraction(number)
    assert holds(number + x.bounded, exact + x.exact)
    assert holds(number - x.bounded, exact - x.exact)
    assert holds(x.bounded - number, x.exact - exact)
    assert holds(number * x.bounded, exact * x.exact)
    if x.bounded.value and x.exact:
        assert holds(number / x.bounded, exact / x.exact)


def test_exact_zeros_stay_exact() -> None:
    zero, x = Bounded(0.0, 0.0), Bounded(3.0, 0.5)
    for result in (zero * x, x * zero, zero / x, zero + zero, zero - zero, -zero, zero**2, 0 * x):
        assert result.value == 0.0
        assert result.error == 0.0
    assert (x * 0.0).error == 0.0
    assert Bounded.of(Estimate(2.0, 0.25)) == Bounded(2.0, 0.25)
    assert Bounded.of(7.0) == Bounded(7.0, 0.0)
    assert (x + 0.0).estimate()[1] >= 0.5


@pytest.mark.parametrize(
    "numerator", [Bounded(1.0, 0.0), Bounded(1e-16, 1e-18), Bounded(0.0, 1e-9)]
)
@pytest.mark.parametrize("divisor", [Bounded(1e-3, 1e-2), Bounded(-1e-20, 1e-20)])
def test_a_divisor_that_may_be_zero_bounds_nothing(numerator: Bounded, divisor: Bounded) -> None:
    assert math.isinf((numerator / divisor).error)
    one = (
        numerator / Bounded(np.array([divisor.value, 2.0]), np.array([divisor.error, 0.1]))
    ).error
    assert math.isinf(one[0])
    assert np.isfinite(one[1])
    precise = Bounded(flint.arb(numerator.value), flint.arb(numerator.error)) / Bounded(
        flint.arb(divisor.value), flint.arb(divisor.error)
    )
    assert not precise.error.is_finite()


def test_only_positive_powers() -> None:
    x = Bounded(2.0, 0.125)
    assert (x**3).value == 8.0
    assert (x**3).error >= 2.125**3 - 8
    for n in (0, -1):
        with pytest.raises(ValueError, match=rf"Bounded \*\* {n}: only positive powers"):
            x**n


def test_arrays_broadcast_from_both_sides() -> None:
    x = Bounded(np.array([1.0, 2.0]), np.array([0.1, 0.0]))
    for result in (np.array([[1.0], [3.0]]) * x, x * np.array([[1.0], [3.0]])):
        assert isinstance(result, Bounded)
        assert np.array_equal(result.value, [[1.0, 2.0], [3.0, 6.0]])
        assert result.error[1, 0] == pytest.approx(0.3)


def test_balls_use_the_working_precision() -> None:
    with flint.ctx.workdps(40):
        third = Bounded.of(flint.arb(1)) / flint.arb(3)
        assert 0 < third.error < flint.arb(10) ** -39
        assert third.value.is_exact()
        cancelled = third * 3 - 1
        assert abs(cancelled.value) <= cancelled.error
        assert cancelled.error < flint.arb(10) ** -38


def test_rationals_are_exact_among_balls() -> None:
    third = Bounded.of(flint.fmpq(1)) / flint.fmpq(3)
    assert (third.value, third.error) == (flint.fmpq(1, 3), 0)
    with flint.ctx.workdps(30):
        ball = third * flint.arb(2)
        assert abs(ball.value - flint.arb(2) / 3) <= ball.error + flint.arb(10) ** -29


@pytest.mark.parametrize("digits", [5, 17, 40])
def test_the_text_of_a_ball_holds_it(digits: int) -> None:
    with flint.ctx.workdps(60):
        ball = Bounded.ball(flint.arb(2).sqrt() / 1000, flint.arb(10) ** -45)
    shown, radius = ball.ball_text(digits)
    with mpmath.workdps(70):
        off = abs(mpmath.mpf(shown) - mpmath.sqrt(2) / 1000)
        assert off <= mpmath.mpf(radius) <= 1.1 * (off + mpmath.mpf(10) ** -45) + 1e-60


# ---------------------------------------------------------------------------------------------
# A fake bath with exact rational answers, for the evaluator and for generated code


def exact_value(kind: str, name: str, w: Fraction, derivative: int) -> Fraction:
    """Some rational number, different for every request."""
    seed = sum(ord(letter) for letter in kind + name)
    return Fraction(seed + 3 * derivative, 50) + w / (derivative + 2) + 1 / (3 + w * w)


def exact_integral(
    name: str, other: str, shift: Fraction, poles: list[tuple[Fraction, Fraction, int]]
) -> Fraction:
    """Linear in the pole coefficients, as an integral is."""
    base = exact_value("I", name, shift, 0) - 2 * exact_value("I", other, shift, 1)
    return sum((c * (base + a / (n + 1) - n) for c, a, n in poles), Fraction(0))


def exact_thermal(power: int, energy: Fraction, beta: Fraction) -> Fraction:
    """beta^power times something that is no exponential, to stay rational."""
    return beta**power * (2 + energy) / (5 + energy * energy * beta)


PI = Fraction(355, 113)


class SmoothSpectra:
    """What a `Spectra` says of baths without kinks."""

    def has_slope(self, name: str, w: Any) -> bool:
        return True

    def mixed_integral(
        self, kind: str, name: str, other: str, reflect: int, shift: Any, poles: Any
    ) -> Any:
        assert (kind, reflect) == ("CC", -1)
        return Bounded.of(self.integral(name, other, shift, poles))  # type: ignore[attr-defined]


@dataclass(frozen=True)
class RationalSpectra(SmoothSpectra):
    """A `Spectra` whose answers are exact: sums and products can be compared without tolerance."""

    pi: Fraction = PI

    def number(self, x: Any) -> Fraction:
        return Fraction(x)

    def exact(self, x: Any) -> Bounded:
        return Bounded.of(self.number(x))

    def spectrum(self, name: str, w: Any, derivative: int = 0) -> Any:
        return Bounded.of(exact_value("C", name, Fraction(w), derivative))

    def transform(self, name: str, w: Any, derivative: int = 0) -> Any:
        return Bounded.of(exact_value("P", name, Fraction(w), derivative))

    def integral(self, name: str, other: str, shift: Any, poles: Any) -> Any:
        return exact_integral(
            name, other, Fraction(shift), [(c, Fraction(a), n) for c, a, n in poles]
        )

    def thermal(self, power: int, energy: Any, beta: Any) -> Any:
        return exact_thermal(power, Fraction(energy), Fraction(beta))


@dataclass(frozen=True)
class RoundedSpectra(SmoothSpectra):
    """The same answers in double precision, each with the bound of one rounding."""

    pi: float = math.pi

    def number(self, x: Any) -> float:
        return float(x)

    def exact(self, x: Any) -> Bounded:
        return Bounded.of(self.number(x))

    def spectrum(self, name: str, w: Any, derivative: int = 0) -> Bounded:
        return _rounded(exact_value("C", name, Fraction(w), derivative))

    def transform(self, name: str, w: Any, derivative: int = 0) -> Bounded:
        return _rounded(exact_value("P", name, Fraction(w), derivative))

    def integral(self, name: str, other: str, shift: Any, poles: Any) -> Bounded:
        """Like a quadrature, whose bound has some roundings of every pole's share."""
        shares = [
            exact_integral(name, other, Fraction(shift), [(Fraction(c), Fraction(a), n)])
            for c, a, n in poles
        ]
        return Bounded(float(sum(shares)), 1e-15 * float(sum(map(abs, shares))))

    def thermal(self, power: int, energy: Any, beta: Any) -> Bounded:
        return _rounded(exact_thermal(power, Fraction(energy), Fraction(beta)))


def _rounded(exact: Fraction) -> Bounded:
    value = float(exact)
    return Bounded(value, abs(value) * 1.2e-16)


def direct(form: SpectralForm, w: list[Fraction], beta: Fraction, pi: Fraction) -> Fraction:
    """The form's value term by term, one integral at a time."""

    def at(linear: tuple[int, ...]) -> Fraction:
        return sum((n * x for n, x in zip(linear, w, strict=True)), Fraction(0))

    total = Fraction(0)
    for m, z in form:
        term = z.re * pi**m.pi_power
        for denominator, power in m.denominators:
            term /= at(denominator) ** power
        for atom in m.atoms:
            if isinstance(atom, Value):
                term *= exact_value(atom.kind, atom.name, at(atom.frequency), atom.derivative)
            elif isinstance(atom, Thermal):
                term *= exact_thermal(atom.power, at(atom.exponent), beta)
            else:
                poles = [(Fraction(1), at(atom.pole), atom.order)]
                term *= exact_integral(atom.name, atom.other, at(atom.shift), poles)
        total += term
    return total


small = st.integers(-2, 2)
coefficients = st.builds(
    lambda p, q: Gaussian(Fraction(p, q)), st.integers(-12, 12), st.sampled_from([1, 2, 3, 8])
)


@st.composite
def forms(draw: Any, dimension: int = 1) -> SpectralForm:
    """Random real forms that can be evaluated: values, Boltzmann factors, integrals alone."""
    linear = st.tuples(*[small] * dimension)
    values = st.builds(
        Value, st.sampled_from("CP"), st.sampled_from(["C1", "C2", "x"]), st.integers(0, 2), linear
    )
    thermals = st.builds(Thermal, st.just("T"), st.integers(0, 2), linear)
    integrals = st.builds(
        SpectralIntegral,
        st.just("CC"),
        st.sampled_from(["C1", "x"]),
        st.sampled_from(["C1", "x"]),
        st.just(-1),
        linear,
        linear,
        st.integers(1, 3),
    )
    products = st.builds(
        lambda atoms, thermal: (*atoms, *thermal),
        st.lists(values, max_size=3),
        st.lists(thermals, max_size=1),
    )
    atoms = st.one_of(products, products, integrals.map(lambda i: (i,)))
    unit = tuple(int(k == 0) for k in range(dimension))
    last = tuple(int(k == dimension - 1) for k in range(dimension))
    denominators = st.sampled_from([(), ((unit, 1),), ((unit, 2),), tuple({(last, 1), (unit, 1)})])
    total = ZERO_FORM
    for _ in range(draw(st.integers(0, 6))):
        total += monomial(
            draw(coefficients),
            *draw(atoms),
            pi_power=draw(small),
            denominators=tuple(sorted(draw(denominators))),
        )
    return total


frequencies = st.fractions(Fraction(1, 4), 4, max_denominator=16)


@given(forms(dimension=2), st.tuples(frequencies, frequencies), frequencies)
def test_evaluation_is_the_sum_of_the_terms(
    form: SpectralForm, w: tuple[Fraction, Fraction], beta: Fraction
) -> None:
    found = evaluate(form, w, RationalSpectra(), beta).value
    assert found == direct(form, list(w), beta, PI)


EXACT_PI = Fraction(math.pi) + Fraction("1.2246467991473531772e-16")
"""pi to 36 digits: the double and what it lacks."""


@given(forms(), st.sampled_from([0.5, 0.75, 1.25, 3.0]), st.sampled_from([0.5, 2.0]))
def test_rounding_of_an_evaluation_stays_within_its_bound(
    form: SpectralForm, w: float, beta: float
) -> None:
    found = evaluate(form, (w,), RoundedSpectra(), beta)
    assert holds(found, direct(form, [Fraction(w)], Fraction(beta), EXACT_PI))


def test_an_empty_form_is_exactly_zero() -> None:
    assert evaluate(ZERO_FORM, (1.5,), RoundedSpectra()) == Bounded(0.0, 0.0)


def test_what_cannot_be_evaluated_is_refused() -> None:
    one = Gaussian(1)
    spectrum = Value("C", "x", 0, (1,))
    with pytest.raises(ValueError, match="real coefficients"):
        evaluate(monomial(Gaussian(0, 1), spectrum), (1.0,), RoundedSpectra())
    mixed = SpectralIntegral("CP", "x", "y", 1, (0,), (1,), 1)
    with pytest.raises(CannotEvaluate, match=r"a spectrum and a transform .*x and y"):
        evaluate(monomial(one, mixed, spectrum), (1.0,), RoundedSpectra())
    for reflect in (1, -1):
        integral = SpectralIntegral("CC", "x", "y", reflect, (0,), (1,), 1)
        with pytest.raises(CannotEvaluate, match="two spectra"):
            evaluate(monomial(one, integral, spectrum), (1.0,), RoundedSpectra())
    with pytest.raises(ValueError, match=r"beta: .*Boltzmann"):
        evaluate(monomial(one, Thermal("T", 1, (0,))), (1.0,), RoundedSpectra())


# ---------------------------------------------------------------------------------------------
# Both back ends, at parameters that doubles hold exactly

BETA = 0.75
X = Correlation(DrudeLorentz(0.125, 1.5), "boson", BETA)
Y = Correlation(Ohmic(0.03125, 2.0, 1.0), "boson", math.inf)
BATHS = {"C1": ((1, X), (1, Y)), "C2": ((1, X), (-1, Y)), "x": ((1, X),), "none": ()}


def agree(double: Bounded, precise: Bounded, digits: int) -> None:
    assert precise.error <= abs(precise.value) * flint.arb(10) ** -digits
    assert abs(float(double.value) - precise.value) <= double.error + precise.error
    assert double.error <= 1e-12 * max(1e-3, abs(double.value))


def test_double_and_enclosed_spectra_agree() -> None:
    digits = 16
    double, precise = DoubleSpectra(BATHS), EnclosedSpectra(BATHS, digits)
    with precise.precision():
        assert precise.pi.contains(flint.arb.pi())
        assert double.pi == math.pi
        for name in ("C1", "C2"):
            for w in (0.75, -0.75):
                for m in (0, 1, 2):
                    agree(double.spectrum(name, w, m), precise.spectrum(name, w, m), digits)
        agree(double.transform("C2", 0.75, 1), precise.transform("C2", 0.75, 1), digits)
        poles = [(0.25, -0.75, 2), (-0.5, 0.75, 1)]
        agree(double.integral("x", "x", 0.0, poles), precise.integral("x", "x", 0.0, poles), digits)
        for power, energy, beta in (
            (0, 0.75, BETA),
            (2, 1.5, BETA),
            (1, 0.0, BETA),
            (1, -1.0, BETA),
        ):
            agree(double.thermal(power, energy, beta), precise.thermal(power, energy, beta), digits)


def test_the_transform_of_combined_baths_is_minus_two_pi_im_g() -> None:
    """C(t) = c exp(-nu t): G(w) = c/(nu - iw), with weights 1 and -1."""
    a, b = Exponentials((0.3 + 0.1j,), (1.0 + 0.5j,)), Exponentials((0.2,), (0.7,))
    spectra = DoubleSpectra({"C2": ((1, Correlation(a)), (-1, Correlation(b)))})
    half_sided = (0.3 + 0.1j) / (1.0 + 0.5j - 0.9j) - 0.2 / (0.7 - 0.9j)
    for kind, exact in (
        ("spectrum", 2 * half_sided.real),
        ("transform", -2 * math.pi * half_sided.imag),
    ):
        found = getattr(spectra, kind)("C2", 0.9)
        assert abs(found.value - exact) <= found.error + 1e-15


def test_a_bath_left_out_is_exactly_zero() -> None:
    for spectra in (DoubleSpectra(BATHS), EnclosedSpectra(BATHS, 20)):
        zero = Bounded(0.0, 0.0)
        assert spectra.spectrum("none", 1.0) == zero
        assert spectra.transform("none", 1.0, 1) == zero
        assert spectra.integral("none", "x", 0.0, [(1.0, 0.5, 1)]) == zero


def test_boltzmann_factors_at_zero_temperature() -> None:
    for spectra in (DoubleSpectra(BATHS), EnclosedSpectra(BATHS, 20)):
        frozen = spectra.thermal(2, spectra.number(0.5), math.inf)
        assert (frozen.value, frozen.error) == (0, 0)
        with pytest.raises(Divergent, match="E < 0"):
            spectra.thermal(0, spectra.number(-0.5), math.inf)
    mixed = DoubleSpectra(BATHS).thermal(1, 0.5, np.array([1.0, math.inf]))
    assert mixed.value[0] == pytest.approx(math.exp(-0.5), rel=1e-15)
    assert (mixed.value[1], mixed.error[1]) == (0.0, 0.0)


def test_a_bounded_value_as_one_ball() -> None:
    for value, error in np.random.default_rng(12).normal(size=(5, 2)):
        ball = Bounded(float(value), abs(float(error))).whole
        low, high = float(ball.lower()), float(ball.upper())
        assert low <= value - abs(error) <= value + abs(error) <= high
        assert high - low <= 2.0001 * abs(error)


def test_answers_that_are_kept_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scans over many frequencies do not fill the memory, and are answered the same."""
    monkeypatch.setattr("pertsym.numerics.spectra._KEPT", 8)
    bath = Correlation(DrudeLorentz(0.1, 2.0), "boson", 1.3)
    spectra = DoubleSpectra({"B": ((1, bath),)})
    for w in np.random.default_rng(1).uniform(-3, 3, 50):
        found = spectra.spectrum("B", float(w), 0)
        assert found.value == DoubleSpectra(spectra.baths).spectrum("B", float(w), 0).value
        assert 0 < len(spectra._kept) <= 8
