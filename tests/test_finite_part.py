"""Finite parts on panels of the real axis: against exact results, against arb, and in the traps."""

from __future__ import annotations

import math
from itertools import pairwise

import flint
import mpmath
import numpy as np
import pytest

from pertsym.baths import enclosure
from pertsym.baths.balls import as_mpf
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, ExpressionDensity, Ohmic, Table, Underdamped
from pertsym.baths.divergence import Divergent
from pertsym.baths.enclosure import BathBalls, PairBalls
from pertsym.baths.existence import decay_order, moment, taylor, zero_order
from pertsym.baths.integrals import spectral_integral
from pertsym.baths.integrand import Integrand
from pertsym.baths.piecewise_integral import Kernel, finite_part
from pertsym.estimate import Estimate
from pertsym.expressions.expression import parse_expression


def assert_true_and_tight(estimate, exact, scale=None, tight=1e-11):
    assert abs(estimate.value - exact) <= estimate.error
    assert estimate.error <= tight * abs(exact if scale is None else scale)


def on_panels(correlation, poles):
    """FP int dw Ĉ(w) sum_j c_j/(w - p_j)^n_j on the real axis, whatever J is."""
    return Estimate(*finite_part(Integrand(correlation.thermal), poles))


def quadrature(correlation, w, derivative=0):
    """P or a derivative of it on the real axis."""
    return on_panels(correlation, [(float(math.factorial(derivative)), w, derivative + 1)])


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("w", [1e-6, -0.3, 1.5, 40.0])
def test_lorentzian_has_a_rational_transform(order, w):
    # Ĉ = A/(g^2 + w^2): P(w) = -A pi w/(g (g^2 + w^2))
    lam, gamma, beta = 0.3, 1.5, 0.7
    estimate = on_panels(
        Correlation(DrudeLorentz(lam, gamma), "classical", beta), [(1.0, w, order)]
    )
    a = mpmath.mpf(4 * lam * gamma) / beta
    with mpmath.workdps(40):
        exact = mpmath.taylor(
            lambda x: -a * mpmath.pi * x / (gamma * (gamma**2 + x**2)), w, order - 1
        )[-1]
    assert_true_and_tight(estimate, exact, scale=a / gamma ** (order + 1))


@pytest.mark.parametrize("s", [1, 2, 3])
@pytest.mark.parametrize("w", [1e-6, 1e-3, 0.3, 5.0, 1e4])
@pytest.mark.parametrize("derivative", [0, 3])
def test_zero_temperature_ohmic_by_exponential_integrals(s, w, derivative):
    with mpmath.workdps(60):

        def transform(x):
            result = -mpmath.exp(-x) * mpmath.ei(x)
            for k in range(s):
                result = x * result + mpmath.factorial(k)
            return mpmath.mpf(0.1) * 2 * result

        exact = mpmath.diff(transform, mpmath.mpf(w), derivative)
    correlation = Correlation(Ohmic(0.1, 1.0, s))
    assert_true_and_tight(quadrature(correlation, w, derivative), exact, tight=1e-10)
    assert_true_and_tight(correlation.transform(w, derivative), exact)


def arb_transform(density, w, digits=25):
    """P(w) of a boson bath by rigorous integration along 0 -> w/2 -> bump -> W, with w > 0.

    P = int_0^inf J(y) {coth(beta y/2) 2w + 2y}/(y^2 - w^2) dy; the integrand has only that pole.
    """
    s, wc, beta, alpha = density
    flint.ctx.dps = digits + 10
    a = flint.acb(w)

    def function(y, analytic):
        power = y.pow(flint.acb(s), analytic=analytic)
        j = power * (-y / wc).exp() * alpha * flint.acb(wc) ** (1 - s)
        half = y * beta / 2
        coth = half.cosh() / half.sinh()
        return j * (coth * 2 * a + 2 * y) / (y * y - a * a)

    tail = 90 * wc
    path = [flint.acb(1e-300), a / 2, a / 2 + flint.acb(0, 1) * a / 2]
    path += [3 * a / 2 + flint.acb(0, 1) * a / 2, 3 * a / 2, flint.acb(max(tail, 4 * w))]
    total = flint.acb(0)
    for start, end in pairwise(path):
        total += flint.acb.integral(function, start, end)
    return mpmath.mpf(total.real.mid().str(40, radius=False)), float(total.real.rad())


@pytest.mark.parametrize(("s", "w"), [(1, 0.3), (3, 2.0), (2, 0.05)])
def test_quadrature_inside_the_enclosure_of_arb(s, w):
    with mpmath.workdps(40):
        exact, radius = arb_transform((s, 1.0, 1.75, 0.125), w)  # exact in binary
        assert radius < 1e-20
        correlation = Correlation(Ohmic(0.125, 1.0, s), "boson", 1.75)
        assert_true_and_tight(quadrature(correlation, w), exact)
        assert abs(
            as_mpf(enclosure.transform(correlation, w, 0, 18)) - exact
        ) <= radius + 1e-18 * abs(exact)


BATHS = {
    "kink, s = 1": Correlation(Ohmic(0.1, 1.0, 1.0), "boson", 0.7),
    "integrable singularity, s = 0.3": Correlation(Ohmic(0.1, 1.0, 0.3), "boson", 2.0),
    "s = 0.7": Correlation(Ohmic(0.1, 1.0, 0.7), "classical", 2.0),
    "s = 3, cold": Correlation(Ohmic(0.1, 1.0, 3.0), "boson", 1e4),
    "narrow resonance": Correlation(Underdamped(0.3, 1.0, 1e-3), "boson", 2.0),
    "expression with a resonance": Correlation(
        ExpressionDensity(parse_expression("0.01*w/((w**2-1)**2+1e-6*w**2)")), "boson", 2.0
    ),
    "expression, slow decay": Correlation(
        ExpressionDensity(parse_expression("sqrt(w)/(1+w)**1.7")), "boson", 3.0
    ),
    "table": Correlation(Table((0.2, 0.5, 1.0, 2.0), (0.1, 0.4, 0.2, 0.1)), "boson", 1.0),
}


@pytest.mark.parametrize(
    ("name", "w", "derivative"),
    [
        ("kink, s = 1", 1e-6, 1),
        ("integrable singularity, s = 0.3", -1e-6, 0),
        ("s = 0.7", 1e-3, 2),
        ("s = 3, cold", 1e-4, 1),
        ("narrow resonance", -1.001, 1),
        ("expression with a resonance", 1.0, 1),
        ("expression, slow decay", 0.3, 0),
        ("table", 0.7, 2),
        ("table", 1.0, 0),
    ],
)
def test_traps(name, w, derivative):
    correlation = BATHS[name]
    exact = as_mpf(enclosure.transform(correlation, w, derivative, 20))
    scale = abs(exact) + as_mpf(enclosure.spectrum(correlation, w, derivative, 20))
    assert_true_and_tight(quadrature(correlation, w, derivative), exact, scale, tight=1e-10)


def test_pole_on_a_knot_of_a_table_and_next_to_it():
    correlation = Correlation(Table((0.0, 0.3, 1.0, 2.0), (0.0, 0.4, 0.2, 0.0)))
    on = quadrature(correlation, 0.3, 1)
    beside = quadrature(correlation, 0.1 * 3, 1)  # one unit in the last place away
    assert 0.1 * 3 != 0.3
    assert_true_and_tight(on, as_mpf(enclosure.transform(correlation, 0.3, 1, 20)))
    assert abs(on.value - beside.value) <= on.error + beside.error + 1e-13
    with pytest.raises(Divergent, match="log"):
        correlation.transform(0.3, 2)


@pytest.mark.parametrize("order", [1, 2])
def test_homogeneity_of_the_error_too(order):
    # the same problem in units that differ by 2^40: the answer must be the same digits
    unit = 2.0**40
    small = Correlation(Ohmic(0.1, 1.0, 1.5), "boson", 0.7)
    large = Correlation(Ohmic(0.1, unit, 1.5), "boson", 0.7 / unit)
    first = on_panels(small, [(1.0, 0.4, order)])
    second = on_panels(large, [(1.0, 0.4 * unit, order)])
    assert first.value * unit ** (2 - order) == pytest.approx(second.value, rel=1e-14)
    assert first.error * unit ** (2 - order) == pytest.approx(second.error, rel=1e-2)


def test_kernel_with_a_zero_at_zero():
    even = Kernel(((0.5, 0.7, 1), (0.5, -0.7, 1)))  # w/(w^2 - 0.49)
    assert (even.zero_order, even.decay_order) == (1, 1)
    value, _ = even.at(np.array([0.0]), np.array([1e-12]))
    assert value[0] == pytest.approx(1e-12 / (1e-24 - 0.49), rel=1e-14)
    odd = Kernel(((1.0, 0.7, 1), (-1.0, -0.7, 1)))
    assert (odd.zero_order, odd.decay_order) == (0, 2)
    value, _ = odd.at(np.array([0.0]), np.array([1e9]))  # 1.4/(w^2 - 0.49)
    assert value[0] == pytest.approx(1.4e-18, rel=1e-15)


@pytest.mark.parametrize("seed", range(4))
def test_expansions_of_a_kernel_at_both_ends(seed):
    """Those of random poles sum up to the kernel; what cancels is 0, so orders are integers."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(0.3, 3.0, 3) * rng.choice((-1, 1), 3)
    poles = [(float(rng.normal()), float(p), n) for p, n in zip(places, (1, 2, 3), strict=True)]

    def kernel(w):
        return sum(c / (w - p) ** n for c, p, n in poles)

    near, far = 0.02 * min(abs(places)), 50 * max(abs(places))
    assert sum(taylor(poles, k)[0] * near**k for k in range(12)) == pytest.approx(kernel(near))
    assert sum(moment(poles, k)[0] / far**k for k in range(12)) == pytest.approx(kernel(far))
    p, n = poles[1][1:]
    even = [(1.0, p, n), (1.0, -p, n)]  # 2 (w^2 + p^2)/(w^2 - p^2)^2
    assert [zero_order(even), decay_order(even)] == [0, 2]
    assert moment(even, 3)[0] == taylor(even, 1)[0] == 0
    odd = [(1.0, p, n), (-1.0, -p, n)]  # 4 p w/(w^2 - p^2)^2
    assert [zero_order(odd), decay_order(odd)] == [1, 3]
    assert moment(odd, 3)[0] == pytest.approx(4 * p)
    assert taylor(odd, 1)[0] == pytest.approx(4 / p**3)


def ohmic(s, beta, statistics="boson"):
    return Correlation(Ohmic(0.1, 1.0, s), statistics, beta)


PAIR = [(1.0, 0.8, 1), (-1.0, -0.8, 1)]
MIXED = [(1.0, 0.8, 2), (2.0, 0.8, 1), (0.3, -0.8, 2)]


def products(a, b, shift, poles):
    """By the engine that serves these baths, and on panels."""
    product = Integrand(a.thermal, b.thermal, shift, -1)
    return spectral_integral("CC", a, b, -1, shift, poles), Estimate(*finite_part(product, poles))


def product_integral(a, b, shift, poles):
    return spectral_integral("CC", a, b, -1, shift, poles)


def enclosed_product(a, b, shift, poles):
    def compute(bits):
        return PairBalls(BathBalls(a, bits), BathBalls(b, bits)).integral("CC", -1, shift, poles)

    return enclosure.enclosed(compute, 20)


@pytest.mark.parametrize(
    ("a", "b", "shift", "poles"),
    [
        (ohmic(0.7, 1.0), ohmic(0.8, 1.0, "classical"), 0.0, PAIR),
        (ohmic(1.0, math.inf), ohmic(0.5, math.inf), 0.3, MIXED),
        (ohmic(1.0, math.inf), ohmic(1.0, math.inf), 2.0, MIXED),
        (Correlation(DrudeLorentz(0.3, 1.5), "boson", 2.0), ohmic(0.5, math.inf), -0.2, MIXED),
        (Correlation(Underdamped(0.4, 0.9, 0.01)), ohmic(2.0, math.inf), 1.5, PAIR),
    ],
)
def test_product_integral_against_the_contour(a, b, shift, poles):
    exact = as_mpf(enclosed_product(a, b, shift, poles))
    for estimate in products(a, b, shift, poles):
        assert_true_and_tight(estimate, exact, tight=1e-10)


def test_product_of_exponentials_by_residues():
    # Ĉ = 2 g/(g^2 + w^2) twice, kernel 1/(w - a): P int Ĉ^2/(w - a) closes by residues
    from pertsym.baths.densities import Exponentials

    g, a = 1.3, 0.6
    bath = Correlation(Exponentials((1.0,), (g,)))
    with mpmath.workdps(30):
        z = mpmath.mpc(0, g)

        def upper(w):  # the integrand without its double pole at ig
            return (2 * mpmath.mpf(g)) ** 2 / (w + z) ** 2 / (w - mpmath.mpf(a))

        at_pole = (2 * mpmath.mpf(g)) ** 2 / (g**2 + mpmath.mpf(a) ** 2) ** 2
        residue = mpmath.diff(upper, z)
        exact = mpmath.re(2j * mpmath.pi * residue + 1j * mpmath.pi * at_pole)
    for estimate in products(bath, bath, 0.0, [(1.0, a, 1)]):
        assert_true_and_tight(estimate, exact)


def test_disjoint_zero_temperature_spectra_give_exactly_zero():
    assert product_integral(ohmic(0.2, math.inf), ohmic(0.3, math.inf), 0.0, PAIR) == (0.0, 0.0)
    assert enclosed_product(ohmic(0.2, math.inf), ohmic(0.3, math.inf), 0.0, PAIR) == 0


def test_infrared_divergence_is_decided_by_the_powers():
    with pytest.raises(Divergent, match=r"∫dw w\^-1\.2 at w -> 0"):
        product_integral(ohmic(0.4, 1.0), ohmic(0.4, 1.0), 0.0, PAIR)
    assert math.isfinite(product_integral(ohmic(0.55, 1.0), ohmic(0.55, 1.0), 0.0, PAIR).value)
    with pytest.raises(Divergent):
        product_integral(ohmic(0.5, 1.0), ohmic(0.5, 1.0), 0.0, PAIR)
    # w/(w^2 - a^2) is 0 at w = 0: one power more
    kernel = [(0.5, 0.8, 1), (0.5, -0.8, 1)]
    a, b = ohmic(0.4, 1.0), Correlation(Ohmic(0.1, 2.0, 0.4), "boson", 2.0)
    exact = as_mpf(enclosed_product(a, b, 0.0, kernel))
    for estimate in products(a, b, 0.0, kernel):
        assert_true_and_tight(estimate, exact, tight=3e-8)  # |w|^-0.2 ends slowly
