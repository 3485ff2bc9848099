"""Balls of spectra, transforms and finite parts: they hold the exact value and are narrow."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import flint
import mpmath
import pytest

from pertsym.baths import enclosure
from pertsym.baths.balls import as_mpf
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import (
    DrudeLorentz,
    Exponentials,
    ExpressionDensity,
    Ohmic,
    SpinSurrogate,
    Table,
    Underdamped,
)
from pertsym.baths.divergence import Divergent
from pertsym.baths.enclosure import BathBalls, PairBalls
from pertsym.baths.integrals import regular_part, regular_slope, spectral_integral
from pertsym.baths.integrand import Integrand, Transform
from pertsym.baths.piecewise_integral import finite_part
from pertsym.exact import Gaussian
from pertsym.expressions.expression import parse_expression
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra, EnclosedSpectra
from pertsym.reduction.spectral import CannotEvaluate, Value, monomial
from tests import second_opinion, time_balls

COLD = math.inf
TENT = Table((0.5, 1.0, 2.0), (0.2, 0.4, 0.0))


def formula(text: str) -> ExpressionDensity:
    return ExpressionDensity(parse_expression(text))


def drawn(draw: random.Random) -> Correlation:
    """A random bath of a random kind."""

    def scaled(low: float, high: float) -> float:
        return float(10 ** draw.uniform(low, high))

    kind = draw.randrange(7)
    density: Any = None
    if kind == 0:
        s = draw.choice([0.5, 1.0, 1.5, 2.0, 3.0, draw.uniform(0.3, 4)])
        density = Ohmic(0.1, scaled(-1, 1), s)
    elif kind == 1:
        density = DrudeLorentz(0.1, scaled(-2, 2))
    elif kind == 2:
        density = Underdamped(0.3, scaled(-0.5, 0.5), scaled(-4, 1))
    elif kind == 3:
        w = tuple(sorted(draw.uniform(0.1, 3) for _ in range(4)))
        density = Table(w, tuple(draw.uniform(0, 1) for _ in w))
    elif kind == 4:
        texts = ("0.1*w*exp(-w**2)", "0.1*w/(1+w)**3", "0.1*tanh(w)*exp(-w)", "w**1.5/(1+w**4)")
        density = formula(draw.choice(texts))
    elif kind == 5:
        return Correlation(Exponentials((0.3 + 0.1j, 0.2 - 0.1j), (1 + 2j, scaled(-1, 1))))
    beta = scaled(-2, 2)
    if kind == 6:
        return Correlation(SpinSurrogate(Ohmic(0.1, 1.0, 1.0), beta), "boson", beta)
    state = draw.choice([("boson", COLD), ("boson", beta), ("boson", beta), ("classical", beta)])
    return Correlation(density, *state)  # type: ignore[arg-type]


def ball(c: Correlation, ask: Callable[[BathBalls], Any], bits: int) -> Any:
    with flint.ctx.workprec(bits):
        return ask(BathBalls(c, bits))


@pytest.mark.parametrize("seed", range(60))
def test_two_precisions_overlap(seed: int) -> None:
    """At both the same number, and the narrower ball inside what the wider one allows."""
    draw = random.Random(seed)
    c = drawn(draw)
    w = draw.choice([1, -1]) * float(10 ** draw.uniform(-2, 1.5))
    m = draw.randrange(4)
    for name in ("spectrum", "transform"):

        def ask(bath: BathBalls, name: str = name) -> Any:
            return getattr(bath, name)(w, m)

        try:
            wide, narrow = (ball(c, ask, bits) for bits in (80, 150))
        except Divergent:
            with pytest.raises(Divergent):
                getattr(c, name)(w, m)
            continue
        assert wide.overlaps(narrow)
        assert narrow.rad() <= wide.rad()
        assert abs(narrow.mid() - wide.mid()) <= wide.rad() + narrow.rad()
        value, error = getattr(c, name)(w, m)
        if math.isfinite(error):
            assert abs(float(narrow.mid()) - value) <= error + 2e-15 * abs(value) + 1e-290


@pytest.mark.parametrize("seed", range(8))
def test_against_mpmath(seed: int) -> None:
    draw = random.Random(1000 + seed)
    kinds: list[Any] = [
        Ohmic(0.1, draw.uniform(0.5, 2), draw.choice([0.6, 1.0, 2.5, 3.0])),
        DrudeLorentz(0.1, draw.uniform(0.3, 3)),
        Underdamped(0.3, draw.uniform(0.7, 1.5), draw.uniform(0.2, 4)),
    ]
    state: Any = draw.choice([("boson", COLD), ("boson", draw.uniform(0.3, 3)), ("classical", 1.5)])
    c = Correlation(kinds[seed % 3], *state)
    w, m = draw.choice([1, -1]) * draw.uniform(0.2, 3), draw.randrange(3)
    exact = second_opinion.transform(c, w, m)
    found = enclosure.transform(c, w, m, 20)
    with mpmath.workdps(30):
        assert abs(as_mpf(found) - exact) <= abs(exact) * mpmath.mpf(10) ** -19


def test_ohmic_at_zero_temperature_is_an_exponential_integral() -> None:
    # s = 1: P = 2 alpha int_0^inf w e^-w/(w - x) = 2 alpha [1 - x e^-x Ei(x)]
    for x in (0.3, 2.5, -0.75, 14.0):
        with mpmath.workdps(45):
            y = mpmath.mpf(x)
            exact = 2 * mpmath.mpf(0.1) * (1 - y * mpmath.exp(-y) * mpmath.ei(y))
        found = enclosure.transform(Correlation(Ohmic(0.1, 1.0, 1.0)), x, 0, 40)
        with mpmath.workdps(45):
            assert abs(as_mpf(found) - exact) <= abs(exact) * mpmath.mpf(10) ** -39


def test_drude_is_a_digamma() -> None:
    lam, gamma, beta, w = 0.3, 1.5, 2.0, 0.8
    with mpmath.workdps(45):
        a, b = mpmath.mpf(gamma), 2 * mpmath.pi / mpmath.mpf(beta)
        lam, x = mpmath.mpf(lam), mpmath.mpf(w)
        g = lam * a * (mpmath.cot(beta * a / 2) - 1j) / (a - 1j * x)
        # sum_k nu/[(nu^2 - gamma^2)(nu - ix)], nu = b k, in partial fractions
        parts = {a: 1 / (2 * (a - 1j * x)), -a: -1 / (2 * (-a - 1j * x)) * -1}
        parts[-a] = -a / (-2 * a) / (-a - 1j * x)
        parts[1j * x] = 1j * x / ((1j * x) ** 2 - a**2)
        series = -sum(r * mpmath.digamma(1 - z / b) for z, r in parts.items()) / b
        exact = -2 * mpmath.pi * mpmath.im(g + 4 * lam * a / beta * series)
        found = enclosure.transform(Correlation(DrudeLorentz(0.3, 1.5), "boson", 2.0), w, 0, 40)
        assert abs(as_mpf(found) - exact) <= abs(exact) * mpmath.mpf(10) ** -38


@pytest.mark.parametrize(
    "c",
    [
        Correlation(Ohmic(0.1, 1.0, 1.0), "boson", 1.0),
        Correlation(Ohmic(0.1, 1.0, 0.5)),
        Correlation(Underdamped(0.3, 1.0, 1e-4), "boson", 2.0),  # Q = 10^4
        Correlation(Underdamped(0.3, 1.0, 2.0), "boson", 2.0),  # the poles coincide
        Correlation(DrudeLorentz(0.1, 2 * math.pi), "boson", 1.0),  # a pole of J on one of n
        Correlation(Table((0.5, 1.0, 2.0), (0.2, 0.4, 0.1)), "boson", 1.0),
        Correlation(formula("0.1*w*exp(-(w-1)**2)")),
    ],
    ids=repr,
)
def test_a_ladder_of_digits(c: Correlation) -> None:
    found = [enclosure.transform(c, 0.9375, 1, digits) for digits in (12, 25, 50, 80)]
    for digits, value in zip((12, 25, 50, 80), found, strict=True):
        assert value.rel_accuracy_bits() >= enclosure.bits_of(digits) - 1
    for wide, narrow in pairwise(found):
        assert wide.overlaps(narrow)


def test_poles_that_meet_are_no_exception() -> None:
    """P is smooth in gamma: the value at the meeting point lies between its neighbours."""
    for centre, made in (
        (2 * math.pi, lambda g: DrudeLorentz(0.1, g)),
        (2.0, lambda g: Underdamped(0.3, 1.0, g)),
    ):
        values = [
            float(enclosure.transform(Correlation(made(g), "boson", 1.0), 0.7, 0, 20).mid())
            for g in (centre * (1 - 1e-6), centre, centre * (1 + 1e-6))
        ]
        low, high = sorted((values[0], values[2]))
        assert low < values[1] < high


@pytest.mark.parametrize("t", [0.0, 0.7, 25.0])
def test_correlation_functions(t: float) -> None:
    found = time_balls.correlation(Correlation(Ohmic(0.1, 2.0, 3.0)), t, 30)
    with mpmath.workdps(40):
        exact = mpmath.mpf(0.1) * 6 * 4 / mpmath.pi / (1 + 2j * mpmath.mpf(t)) ** 4
        value = mpmath.mpc(as_mpf(found.real), as_mpf(found.imag))
        assert abs(value - exact) <= abs(exact) * mpmath.mpf(10) ** -28
    # T > 0: a Hurwitz zeta function
    found = time_balls.correlation(Correlation(Ohmic(1.0, 1.0, 3.0), "boson", 2.0), t, 30)
    with mpmath.workdps(40):
        z = 1j * mpmath.mpf(t)
        series = (mpmath.polygamma(3, (1 + z) / 2) + mpmath.polygamma(3, (3 - z) / 2)) / 16
        value = mpmath.mpc(as_mpf(found.real), as_mpf(found.imag))
        assert abs(value - series / mpmath.pi) <= abs(series) * mpmath.mpf(10) ** -28


def test_the_correlation_function_of_a_drude_bath_diverges_at_0() -> None:
    c = Correlation(DrudeLorentz(0.3, 1.5), "boson", 2.0)
    with pytest.raises(ArithmeticError, match="ask for t > 0"):
        time_balls.correlation(c, 0.0)
    with mpmath.workdps(30):
        t, b = mpmath.mpf(0.5), 2 * mpmath.pi / 2
        drude = mpmath.mpf(0.3) * 1.5 * (mpmath.cot(mpmath.mpf(1.5)) - 1j) * mpmath.exp(-1.5 * t)
        series = mpmath.nsum(
            lambda k: b * k / ((b * k) ** 2 - mpmath.mpf(2.25)) * mpmath.exp(-b * k * t),
            [1, mpmath.inf],
        )
        exact = drude + 4 * mpmath.mpf(0.3) * mpmath.mpf(1.5) / 2 * series
        found = time_balls.correlation(c, 0.5, 20)
        assert abs(mpmath.mpc(as_mpf(found.real), as_mpf(found.imag)) - exact) < 1e-19


# ---------------------------------------------------------------------------------------------
# Integrals over two baths: other paths in double precision, and exact residues

PAIRS = [
    (Correlation(Ohmic(0.1, 1.0, 1.0), "boson", 1.0), Correlation(Ohmic(0.1, 1.0, 3.0))),
    (Correlation(DrudeLorentz(0.1, 1.0)), Correlation(Underdamped(0.3, 1.0, 0.1), "boson", 2.0)),
    (Correlation(Ohmic(0.1, 1.0, 1.5)), Correlation(DrudeLorentz(0.2, 0.7), "boson", 1.5)),
    (
        Correlation(Table((0.0, 0.5, 1.1, 2.0), (0.0, 0.2, 0.3, 0.0)), "boson", 1.0),
        Correlation(DrudeLorentz(0.1, 1.0)),
    ),
    (
        Correlation(Ohmic(0.1, 1.0, 2.0), "classical", 1.0),
        Correlation(Exponentials((0.2 + 0.1j,), (1 + 0.5j,))),
    ),
    # the first has a transform in closed form, or few poles
    (Correlation(DrudeLorentz(0.1, 1.3), "boson", 1.5), Correlation(Ohmic(0.1, 1.0, 1.0))),
    (Correlation(DrudeLorentz(0.1, 1.3), "classical", 1.5), Correlation(TENT, "boson", 1.0)),
    (Correlation(Exponentials((0.2 + 0.1j,), (1 + 0.5j,))), Correlation(Underdamped(0.3, 1, 0.1))),
]


def pair(a: Correlation, b: Correlation, ask: Callable[[PairBalls], Any], bits: int = 80) -> Any:
    with flint.ctx.workprec(bits):
        return ask(PairBalls(BathBalls(a, bits), BathBalls(b, bits)))


def holds(found: Any, value: float, error: float) -> bool:
    return bool(abs(float(found.mid()) - value) <= float(found.rad()) + error + 1e-15 * abs(value))


@pytest.mark.parametrize(("a", "b"), PAIRS, ids=str)
@pytest.mark.parametrize("kind", ["CC", "CP"])
@pytest.mark.parametrize("reflect", [-1, 1])
def test_integrals_over_two_baths(a: Correlation, b: Correlation, kind: Any, reflect: int) -> None:
    draw = random.Random(f"{kind}{reflect}")
    shift, position = draw.uniform(0.3, 1.5), draw.uniform(-2, -0.2)
    poles = [(1.5, position, 1), (0.5, draw.uniform(1.6, 1.9), 2)]
    double = spectral_integral(kind, a, b, reflect, shift, poles)
    found = pair(a, b, lambda p: p.integral(kind, reflect, shift, poles))
    assert holds(found, *double)
    assert found.rad() < 1e-15
    product = Integrand(a.thermal, b.thermal, shift, reflect)
    if kind == "CP":
        product = replace(product, factor=Transform(b.thermal, b.transform_values))
    assert holds(found, *finite_part(product, poles))
    finer = pair(a, b, lambda p: p.integral(kind, reflect, shift, poles), 120)
    assert finer.overlaps(found)


@pytest.mark.parametrize("seed", range(6))
def test_kinks_at_one_frequency_by_gamma_functions(seed: int) -> None:
    """T = 0: FP int dw w^a e^-w int dy y^b e^-y/(y + w) = B(a + 1, b + 1) Gamma(a + b + 1)."""
    draw = random.Random(f"kinks{seed}")
    n = seed % 3
    powers = [draw.choice([1.0, 1.5, 2.0, 3.0, draw.uniform(0.4, 3)]) for _ in range(2)]
    a, b = (Correlation(Ohmic(0.5, 1.0, s + (n if k == 0 else 0))) for k, s in enumerate(powers))
    poles = [(1.0, 0.0, n)] if n else [(2.0, 0.0, 1), (-2.0, -0.75, 1)]
    found = pair(a, b, lambda p: p.integral("CP", -1, 0.0, poles))
    if n:
        with mpmath.workdps(30):
            x, y = (mpmath.mpf(s) for s in (a.density.s - n, b.density.s))  # type: ignore[union-attr]
            exact = mpmath.beta(x + 1, y + 1) * mpmath.gamma(x + y + 1)
        assert abs(as_mpf(found.mid()) - exact) <= as_mpf(found.rad())
    assert found.rad() < 1e-16
    assert holds(found, *spectral_integral("CP", a, b, -1, 0.0, poles))


@pytest.mark.parametrize("seed", range(4))
def test_kinks_at_one_frequency(seed: int) -> None:
    """Against sums over nodes, and in two precisions."""
    draw = random.Random(f"meet{seed}")
    reflect = draw.choice([-1, 1])

    def bath() -> Correlation:
        s = draw.choice([1.0, 1.5, 3.0, draw.uniform(1.2, 4)])
        density = draw.choice([Ohmic(0.1, draw.uniform(0.5, 2), s), DrudeLorentz(0.1, 1.3)])
        return Correlation(density, "boson", draw.choice([COLD, draw.uniform(0.5, 4)]))

    a, b = bath(), bath()
    poles = [(1.0, draw.uniform(0.3, 2), 1), (-0.4, draw.uniform(-2, -0.3), 2)]
    found = pair(a, b, lambda p: p.integral("CP", reflect, 0.0, poles))
    assert found.rad() < 1e-14
    assert holds(found, *spectral_integral("CP", a, b, reflect, 0.0, poles))
    finer = pair(a, b, lambda p: p.integral("CP", reflect, 0.0, poles), 110)
    assert finer.overlaps(found)
    assert finer.rad() < found.rad()


@pytest.mark.parametrize("powers", [(1.5, 1.5), (2.5, 2.5), (1.2, 1.8), (0.7, 2.3), (1.5, 3.0)])
@pytest.mark.parametrize("kind", ["CC", "CP"])
@pytest.mark.parametrize("temperature", [0.0, 0.7])
def test_powers_that_add_up_to_whole_numbers(
    powers: tuple[float, float], kind: Any, temperature: float
) -> None:
    """w^1/2 (-w)^1/2 is no power of w on both sides, and neither factor is analytic at w = 0."""
    beta = 1 / temperature if temperature else math.inf
    a, b = (Correlation(Ohmic(0.1, 2.0, s), "boson", beta) for s in powers)
    poles = [(1.0, 0.9, 1), (0.4, -1.3, 2)]
    for reflect in (-1, 1):
        found = pair(a, b, lambda p, r=reflect: p.integral(kind, r, 0.0, poles))  # type: ignore[misc]
        assert holds(found, *spectral_integral(kind, a, b, reflect, 0.0, poles))
        assert found.rad() <= 1e-15


def test_knots_of_tables_that_meet() -> None:
    a, poles = Correlation(TENT), [(1.0, -0.75, 1)]
    found = pair(a, a, lambda p: p.integral("CP", -1, 1.5, poles))
    assert found.rad() < 1e-14
    product = Integrand(a.thermal, Transform(a.thermal, a.transform_values), 1.5, -1)
    assert holds(found, *finite_part(product, poles))


@pytest.mark.parametrize("kind", ["CC", "CP"])
@pytest.mark.parametrize("c", [Correlation(DrudeLorentz(0.1, 1.25)), PAIRS[0][0]], ids=str)
def test_regular_parts_at_a_kink(kind: Any, c: Correlation) -> None:
    for shift in (0.8125, -0.9):
        double = regular_part(kind, c, c, -1, shift, 0.0)
        found = pair(c, c, lambda p, at=shift: p.regular(kind, -1, at, 0))
        assert holds(found, *double)
    assert holds(ball(c, lambda x: x.regular_slope(0), 80), *regular_slope(c, 0.0))


@pytest.mark.parametrize(
    ("factor", "value"),
    [
        ("sqrt(2)*pi", math.sqrt(2) * math.pi),
        ("(1 + sqrt(2) + pi)", 1 + math.sqrt(2) + math.pi),
        ("exp(sqrt(3)*pi/7)/3", math.exp(math.sqrt(3) * math.pi / 7) / 3),
    ],
)
def test_constants_of_formulas(factor: str, value: float) -> None:
    """Numbers that are no fractions, as a factor and within an exponent."""
    for text, plain in (
        (f"{factor}*w*exp(-w)", value * 0.7 * math.exp(-0.7)),
        (f"w*exp(-w*{factor})", 0.7 * math.exp(-0.7 * value)),
    ):
        found = enclosure.spectrum(Correlation(formula(text)), 0.7)  # T = 0: 2 J
        assert float(found.mid()) == pytest.approx(2 * plain, rel=1e-14)
        assert abs(enclosure.transform(Correlation(formula(text)), 0.7).rad()) < 1e-20


@pytest.mark.parametrize("kind", ["CC", "CP"])
@pytest.mark.parametrize("reflect", [-1, 1])
def test_regular_parts_elsewhere(kind: Any, reflect: int) -> None:
    """At a pole other than 0 the value that is taken off is that at its image, shift + r pole."""
    a, b = Correlation(TENT), Correlation(Ohmic(0.1, 1.0, 3.0), "boson", 1.0)
    for shift, pole in ((0.8125, 0.6875), (-0.9375, 1.25)):
        found = pair(a, b, lambda p, s=shift, x=pole: p.regular(kind, reflect, s, x))
        assert holds(found, *regular_part(kind, a, b, reflect, shift, pole))


def test_exponentials_by_residues_and_by_contours() -> None:
    """A rational bath written twice: 2 g/(g^2 + w^2) is an exponential and a classical Drude."""
    slow = Correlation(Exponentials((0.5,), (1.25,)))
    same = Correlation(DrudeLorentz(0.25, 1.25), "classical", 1.0)  # 4 lam g/(g^2 + w^2)/beta
    for kind in ("CC", "CP"):
        for reflect in (-1, 1):

            def ask(p: PairBalls, kind: Any = kind, reflect: int = reflect) -> Any:
                return p.integral(kind, reflect, 0.75, [(1.0, 0.25, 2), (-0.5, -1.0, 1)])

            exact, other = pair(slow, slow, ask), pair(same, same, ask)
            assert exact.overlaps(other)
            assert other.rad() < 1e-17


@pytest.mark.parametrize(
    ("kinds", "a", "b", "reflect", "poles"),
    [
        (["CC", "CP"], Ohmic(0.1, 1.0, 0.4), Ohmic(0.1, 1.0, 0.4), -1, [(1.0, 0.5, 1)]),
        (
            ["CC", "CP"],
            Table((0.5, 1.0, 2.0), (0.2, 0.4, 0.0)),
            Ohmic(0.1, 1.0, 1.0),
            1,
            [(1.0, 2.0, 2)],
        ),
        (["CP"], Ohmic(0.1, 1.0, 1.0), formula("w**1.2/(1+w)"), 1, [(1.0, 2.0, 1)]),
    ],
)
def test_divergences_have_the_same_reasons(
    kinds: Any, a: Any, b: Any, reflect: int, poles: Any
) -> None:
    first, second = Correlation(a, "boson", 1.0), Correlation(b, "boson", 1.0)
    for kind in kinds:
        reasons = []
        for ask in (
            lambda k=kind: spectral_integral(k, first, second, reflect, 0.0, poles),
            lambda k=kind: pair(first, second, lambda p, k=k: p.integral(k, reflect, 0.0, poles)),
        ):
            with pytest.raises(Divergent) as fault:
                ask()
            reasons.append(fault.value.reason)
        assert reasons[0] == reasons[1]


# ---------------------------------------------------------------------------------------------
# EnclosedSpectra


def test_the_precision_of_the_process_is_left_alone() -> None:
    before, other = flint.ctx.prec, mpmath.mp.prec
    spectra = EnclosedSpectra({"x": ((1, PAIRS[0][0]),)}, 30)
    spectra.transform("x", 0.5)
    with spectra.precision():
        assert flint.ctx.prec > 100
    evaluate(monomial(Gaussian(1), Value("P", "x", 0, (1,))), (0.5,), spectra)
    assert (flint.ctx.prec, mpmath.mp.prec) == (before, other)


def test_cancellation_asks_for_more_digits() -> None:
    """P(w) - P(w'): two nearly equal numbers, and the digits asked for hold for the difference."""
    x = Correlation(DrudeLorentz(0.1, 1.0), "boson", 1.0)
    spectra = EnclosedSpectra({"x": ((1, x),)}, 20)
    form = monomial(Gaussian(1), Value("P", "x", 0, (1, 0)))
    form -= monomial(Gaussian(1), Value("P", "x", 0, (0, 1)))
    w = (0.5, 0.5 + 2.0**-40)
    found = evaluate(form, w, spectra)
    assert 0 < found.error <= abs(found.value) * flint.arb(10) ** -20
    direct = spectra.difference("x", *w)
    with flint.ctx.workprec(300):
        assert abs(direct.value - found.value) <= direct.error + found.error
    slope = float(enclosure.transform(x, 0.5, 1, 20).mid())
    assert float(found.value) == pytest.approx(-slope * 2.0**-40, rel=1e-9)


def test_combinations_of_baths() -> None:
    baths = {"z": ((1, PAIRS[0][0]), (-2, PAIRS[1][1]))}
    double, exact = DoubleSpectra(baths), EnclosedSpectra(baths, 25)
    for ask in ("spectrum", "transform"):
        one, other = (getattr(s, ask)("z", 0.7, 1) for s in (double, exact))
        assert abs(float(one.value) - float(other.value)) <= one.error + 1e-15
        assert 0 < other.error < 1e-24


def test_what_has_no_enclosure_says_so() -> None:
    spectra = EnclosedSpectra({"x": ((1, Correlation(formula("0.1*exp(-1/w-w)"))),)}, 20)
    with pytest.raises(CannotEvaluate, match="at 20 digits"):
        spectra.transform("x", 0.5)


@pytest.mark.parametrize("shift", [-1, 1, 0.59375])
def test_a_crude_bound_does_not_split_panels_for_ever(shift: float) -> None:
    """The path of one factor passes near that of the other: bounds beside it stay large."""
    draw = random.Random(7)
    for wc in (2.5, 2.5 * draw.uniform(0.9, 1.1)):
        c = Correlation(Ohmic(0.1, wc, 1.0), "boson", 1.0)
        found, finer = (
            pair(c, c, lambda p, s=shift: p.regular("CP", -1, s, 0), bits) for bits in (80, 110)
        )
        assert found.overlaps(finer)
        assert holds(finer, *regular_part("CP", c, c, -1, shift, 0.0))


@pytest.mark.parametrize("seed", range(6))
def test_formulas_in_pieces(seed: int) -> None:
    """A power of the distance from a break, a corner, a jump, an end: each side for itself."""
    draw = random.Random(seed)
    b, p = draw.randrange(3, 40) / 16, draw.choice(["0.5", "1.5", "1/3"])
    texts = [
        f"w*exp(-w)*Abs(w-{b})**{p}",
        f"w*exp(-w)*Abs(w-{b})",
        f"w*Max(0,{b}-w)",
        f"w*exp(-w)*Heaviside({b}-w)",
        f"Min(w,{b})*exp(-w)",
        f"w*Max(0,{b}-w)**{p}",
    ]
    c = Correlation(formula(texts[seed]), "boson", draw.choice([COLD, draw.uniform(0.3, 3)]))
    for w in (b, draw.uniform(0.1, 0.9) * b, -draw.uniform(1.1, 2) * b):
        for m in (0, 1):
            try:
                value, error = c.transform(w, m)
            except Divergent as fault:
                with pytest.raises(Divergent, match=re.escape(fault.reason)):
                    enclosure.transform(c, w, m, 18)
                continue
            held = enclosure.transform(c, w, m, 18)
            assert abs(float((held - flint.arb(value)).mid())) <= error + float(held.rad())
            assert held.rad() < 1e-12
    moved = Correlation(formula("w*Max(0,sqrt(2)-w)"))
    with pytest.raises(ArithmeticError, match="no exact double"):
        enclosure.transform(moved, 0.5)


@pytest.mark.parametrize("seed", range(4))
def test_a_pole_beside_a_removable_quotient(seed: int) -> None:
    """(1 - cos w)/w is analytic around 0, but a disc that holds a pole of the rest has no bound."""
    draw = random.Random(seed)
    k = draw.randrange(1, 64) / 16
    density = formula(f"(1-cos({k}*w/4))/w/(1+({k}*w)**2)*exp(-{k}*w)")
    for size, held in ((0.01, True), (draw.uniform(0.01, 0.1), True), (1.05, False), (1.7, False)):
        side = flint.arb(0, size / k)
        found = density.core(flint.acb(side, side))
        assert found.is_finite() == held
        inside = flint.acb(side.upper() / 3, side.upper() / 2)
        assert not held or abs(density.core(inside)) <= found.abs_upper()


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        # the oscillation grows off the axis
        ("w*(1+cos({}*w))*exp(-w)", lambda w, a: w * (1 + mpmath.cos(a * w)) * mpmath.exp(-w)),
        ("w**3/(exp({}*w)-1)", lambda w, a: w**3 / mpmath.expm1(a * w)),
        ("w/cosh({}*w)", lambda w, a: w / mpmath.cosh(a * w)),
        # a removable quotient that does not vanish
        ("w*exp(-{}*w)/tanh(w)", lambda w, a: w * mpmath.exp(-a * w) / mpmath.tanh(w)),
    ],
)
def test_growing_divisors_and_oscillations(text: str, shape: Callable[[Any, Any], Any]) -> None:
    """P(x < 0) at T = 0 is a plain integral."""
    draw = random.Random(text)
    for a in (1.0, draw.randrange(8, 24) / 16):
        x = -draw.uniform(0.3, 2)
        held = enclosure.transform(Correlation(formula(text.format(a)), "boson", COLD), x, 0, 18)
        assert held.rel_accuracy_bits() > 55
        assert abs(as_mpf(held.mid()) - _cold_transform(shape, a, x)) <= 1e-16 * abs(float(held))


def _cold_transform(shape: Callable[[Any, Any], Any], a: float, x: float) -> Any:
    with mpmath.workdps(20):
        ends = [0, 0.5, 1, 2, 4, 8, 16, 32, 64, 128]
        return 2 * mpmath.quad(lambda w: shape(w, a) / (w - mpmath.mpf(x)), ends)


@pytest.mark.parametrize("seed", range(3))
def test_towers_of_exponentials_end_in_bounded_memory(seed: int) -> None:
    scale = random.Random(seed).choice([1, 2, 3, 5])
    c = Correlation(formula(f"exp(-exp(exp(exp({scale}*w))))"))
    value, error = c.spectrum(0.25)
    with mpmath.workdps(40):
        x = mpmath.mpf(scale) / 4
        exact = 2 * mpmath.exp(-mpmath.exp(mpmath.exp(mpmath.exp(x))))
        assert abs(value - exact) <= error + mpmath.mpf(10) ** -300
    with pytest.raises(Divergent):
        Correlation(c.density, "boson", 1.0).transform(0.5)


@pytest.mark.parametrize("seed", range(3))
def test_spins_with_a_table(seed: int) -> None:
    """Beyond its last sample the density of spins vanishes as that of bosons does."""
    draw = random.Random(seed)
    places = tuple(sorted(draw.randrange(1, 60) / 16 for _ in range(4)))
    beta, last = draw.uniform(0.3, 3), draw.choice([0.0, 0.2])
    table = Table(places, (*(draw.uniform(0.1, 1) for _ in range(3)), last))
    for c in (
        Correlation(SpinSurrogate(table, beta), "boson", beta),
        Correlation(SpinSurrogate(table, COLD), "boson", COLD),
    ):
        for w in (draw.uniform(0.1, 4), -draw.uniform(0.1, 4)):
            for m in (0, 1):
                value, error = c.transform(w, m)
                held = enclosure.transform(c, w, m, 18)
                assert abs(float((held - flint.arb(value)).mid())) <= error + 1e-15 * abs(value)
