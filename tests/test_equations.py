"""Equilibrium, detailed balance, limits and rational models."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest
import sympy

from pertsym.distributions.chains import depends_on_differences
from pertsym.equations.bloch import QUANTITIES, RATES, Bloch
from pertsym.equations.equilibrium import (
    EquilibriumConstant,
    principal_value_form,
    renormalised_splitting,
)
from pertsym.equations.mean_force import second_order
from pertsym.equations.models import independent_baths, laird
from pertsym.equations.rational import Exponential, rational_form, rational_terms
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.equations.thermal import classical, detailed_balance, zero_temperature
from pertsym.exact import Gaussian
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm, Thermal, Value, monomial

from .spectral_numbers import ExponentialBath, form_value
from .test_expansion import MODELS, SIGMA_X, SIGMA_Y, SIGMA_Z
from .test_reduction import form, value

ONE = Gaussian(1)
LAIRD = Bloch(laird())
K = EquilibriumConstant(laird())


def thermal(power, n):
    return Thermal("T", power, (n,))


def p1(m, n):
    return value("P", "C1", m, n)


def test_equation_116():
    half = Fraction(1, 2)
    assert K[0] == monomial(ONE, thermal(0, 1))
    assert K[2] == form(
        (half, -1, 0, thermal(1, 1), p1(0, 1)),
        (-half, -1, 0, thermal(1, 1), p1(0, -1)),
        (half, -1, 0, p1(1, -1)),
        (half, -1, 0, p1(1, -1), thermal(0, 1)),
        (-half, -1, 0, p1(1, 1), thermal(0, 1)),
        (-half, -1, 0, p1(1, 1), thermal(0, 2)),
    )
    with pytest.raises(ValueError, match="derived at 0, 2 and 4, got 6"):
        K[6]


@pytest.mark.parametrize("matrix", [SIGMA_X, SIGMA_Y, SIGMA_Z])
def test_equilibrium_against_the_simplex_integral(matrix):
    """K^(2) by mpmath quadrature of (108)-(110) for a KMS spectrum, no P and no P'."""
    interaction = independent_baths(2, [(matrix, "C1")])
    beta, w0 = mpmath.mpf(1.3), mpmath.mpf(0.9)

    def spectrum(w):  # J = w exp(-w^2), odd, so that Ĉ is smooth
        return 2 * w * mpmath.exp(-w * w) / -mpmath.expm1(-beta * w) if w else 2 / beta

    def population(n):
        total = mpmath.mpf(0)
        for term in EquilibriumConstant(interaction).simplex_terms(n):
            a = term.pole[0] * w0
            weight = mpmath.mpf(term.weight.re.numerator) * mpmath.exp(-beta * term.energy[0] * w0)

            def kernel(w, a=a):
                x = beta * (w - a)
                return beta**2 * ((mpmath.expm1(-x) + x) / x**2 if abs(x) > 1e-6 else 0.5 - x / 6)

            integral = mpmath.quad(lambda w, k=kernel: spectrum(w) * k(w), [-9, -3, 0, 0.9, 3, 9])
            total += weight * integral / (2 * mpmath.pi)
        return total

    expected = population(1) - mpmath.exp(-beta * w0) * population(0)

    def transform(w, m):  # symmetric folding, derivative by differentiation under the integral
        f = spectrum if m == 0 else lambda x: mpmath.diff(spectrum, x)
        return mpmath.quad(lambda x: (f(w + x) - f(w - x)) / x, [0, 1, 3, 9, 15])

    total = mpmath.mpf(0)
    for m, z in EquilibriumConstant(interaction)[2]:
        term = mpmath.mpf(z.re.numerator) / z.re.denominator * mpmath.pi**m.pi_power
        for atom in m.atoms:
            if isinstance(atom, Thermal):
                term *= beta**atom.power * mpmath.exp(-beta * atom.exponent[0] * w0)
            else:
                term *= transform(atom.frequency[0] * w0, atom.derivative)
        total += term
    assert total == pytest.approx(expected, rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_populations_are_sums_of_simplex_terms(level):
    """The sum over levels and pairs of operators against the sum over Boltzmann factors."""
    coupling = ((0, "x", 0), ("x", "d", "y"), (0, "y", 1))
    ladder = symbolic_interaction(3, [(coupling, "C1"), (((0, 0, 1), (0, 0, 0), (1, 0, 0)), "C2")])
    total = ZERO_FORM
    for term in EquilibriumConstant(ladder).simplex_terms(level):
        total += principal_value_form(term)
    assert total == second_order(ladder, level, level)
    assert total


def test_simplex_terms_of_two_correlation_functions():
    """Lam and Lam^+ pair with each other: the operators of an arc differ."""
    for level in (0, 1):
        total = ZERO_FORM
        for term in K.simplex_terms(level):
            total += principal_value_form(term)
        assert total == second_order(laird(), level, level) != ZERO_FORM


def test_diagonal_coupling_leaves_k_alone():
    """sigma_z shifts both levels alike."""
    assert EquilibriumConstant(independent_baths(2, [(SIGMA_Z, "z")]))[2] == ZERO_FORM


@pytest.mark.parametrize("model", ["laird", "xy"])
def test_detailed_balance_is_the_zero_form(model):
    bloch, constant = Bloch(MODELS[model]), EquilibriumConstant(MODELS[model])
    second = bloch.k_up[2].form - bloch.k_down[2].form * constant[0]
    fourth = (
        bloch.k_up[4].form - bloch.k_down[4].form * constant[0] - bloch.k_down[2].form * constant[2]
    )
    assert second
    assert fourth
    assert detailed_balance(second) == ZERO_FORM
    assert detailed_balance(fourth) == ZERO_FORM


def test_kms_of_derivatives():
    """Ĉ^(m)(-w) through derivatives of exp(-beta w) Ĉ(w), by SymPy."""
    w, beta = sympy.symbols("w beta", positive=True)
    f = sympy.Function("f")
    for m in range(4):
        exact = (-1) ** m * sympy.diff(sympy.exp(-beta * w) * f(w), w, m)
        ours = sympy.Integer(0)
        for mono, z in detailed_balance(monomial(ONE, value("C", "C1", m, -1))):
            term = sympy.Rational(z.re.numerator, z.re.denominator)
            for atom in mono.atoms:
                if isinstance(atom, Thermal):
                    term *= beta**atom.power * sympy.exp(-beta * atom.exponent[0] * w)
                else:
                    term *= sympy.diff(f(w), w, atom.derivative)
            ours += term
        assert sympy.simplify(exact - ours) == 0
    untouched = monomial(ONE, value("P", "C1", 0, -1), value("C", "C1", 1, 1))
    assert detailed_balance(untouched) == untouched


def test_zero_temperature():
    up = monomial(Gaussian(Fraction(1, 2)), value("C", "C1", 0, 1), p1(1, -1), pi_power=-1)
    assert zero_temperature(LAIRD.k_up[4].form) == up  # (96), with Ĉ1 = 2 Gamma_1
    assert zero_temperature(K[2]) == monomial(Gaussian(Fraction(1, 2)), p1(1, -1), pi_power=-1)
    assert zero_temperature(LAIRD.inv_T2_prime[4].form) == ZERO_FORM
    assert zero_temperature(LAIRD.k_up[2].form) == ZERO_FORM
    assert zero_temperature(LAIRD.k_up[4].form) == zero_temperature(
        LAIRD.k_down[2].form * K[2]
    )  # k10(4) = k01(2) K(2)
    with pytest.raises(ValueError, match="diverges as T -> 0"):
        zero_temperature(monomial(ONE, thermal(1, 0)))
    kept = LAIRD.series("R_1001")[4].form
    assert not zero_temperature(kept).integrals


def test_shift_difference_129():
    half = Fraction(1, 2)
    beta = monomial(ONE, thermal(1, 0))
    difference = renormalised_splitting(laird()) - beta * LAIRD.frequency_shift[2].form
    assert difference == form(
        (half, -1, 0, p1(1, 1), thermal(0, 1)),
        (half, -1, 0, p1(1, 1)),
        (-half, -1, 0, p1(1, -1), thermal(0, -1)),
        (-half, -1, 0, p1(1, -1)),
    )


def test_stochastic_bath_140():
    c, p = (lambda i, m: value("C", i, m, 1)), (lambda i, m: value("P", i, m, 1))
    expected = form(
        (2, -1, 1, c("C2", 0), p("C2", 0)),
        (-2, -1, 0, c("C1", 1), p("C1", 0)),
        (-2, -1, 0, c("C1", 0), p("C1", 1)),
    )
    assert classical(LAIRD.inv_T1[4].form, ("C1", "C2")) == expected
    assert classical(LAIRD.k_up[4].form, ("C1", "C2")) == classical(
        LAIRD.k_down[4].form, ("C1", "C2")
    )


def test_classical_second_order_has_no_transform_where_it_cancels():
    x = Bloch(independent_baths(2, [(SIGMA_X, "x")], real=["x"]))
    assert x.series("R_0000")[2].imaginary == ZERO_FORM
    half = monomial(Gaussian(Fraction(1, 2)), value("C", "x", 0, 1))
    assert x.k_up[2].form == half + half.reversed_frequencies()
    assert x.k_up[2].form == x.k_down[2].form
    assert x.inv_T2_prime[2].form == ZERO_FORM


def test_parity_of_a_classical_bath():
    bath = {"C1": ExponentialBath((0.7, 0.2), (1.3, 0.4)), "C2": ExponentialBath((0.5,), (0.8,))}
    for name in RATES:
        f = LAIRD.series(name)[4].form
        assert form_value(classical(f, ("C1", "C2")), (0.9,), bath) == pytest.approx(
            form_value(f, (0.9,), bath), abs=1e-10
        )
    at_zero = monomial(ONE, value("P", "C1", 0, 0)) + monomial(ONE, value("C", "C1", 1, 0))
    assert classical(at_zero, ("C1",)) == ZERO_FORM
    assert classical(at_zero, ("C2",)) == at_zero
    even = monomial(ONE, value("C", "C1", 0, 0)) + monomial(ONE, value("P", "C1", 1, 0))
    assert classical(even, ("C1",)) == even


W0, LAM, DELTA = sympy.symbols("w0 lambda Delta", positive=True)
FIELD = {"C1": Exponential(DELTA**2, LAM), "C2": Exponential(DELTA**2, LAM)}
SPIN = {"C1": Exponential(DELTA**2 / 2, LAM), "C2": Exponential(sympy.Integer(0), LAM)}


@pytest.mark.parametrize("baths", [FIELD, SPIN], ids=["E1", "E3"])
def test_rational_models_by_two_routes(baths):
    """Residues of the spectral form against elementary integrals of the terms."""
    bloch = Bloch(laird(real=("C1", "C2")))
    for name in RATES:
        for order in (2, 4):
            quantity = bloch.series(name)[order]
            closed = rational_form(quantity.form, baths, W0)
            assert quantity.terms is not None
            assert sympy.simplify(closed - rational_terms(quantity.terms, baths, W0)) == 0


def test_rational_values():
    """(E1): the known closed rates; two rates of decay in one product of spectra."""
    t1 = rational_form(LAIRD.inv_T1[4].form, FIELD, W0)
    assert sympy.simplify(t1 + 32 * DELTA**4 * LAM * W0**2 / (LAM**2 + W0**2) ** 3) == 0
    t2 = rational_form(LAIRD.inv_T2_prime[4].form, FIELD, W0)
    expected = 4 * DELTA**4 * W0**2 * (5 * LAM**2 + W0**2) / (LAM * (LAM**2 + W0**2) ** 3)
    assert sympy.simplify(t2 - expected) == 0
    mu = sympy.Symbol("mu", positive=True)
    mixed = {"C1": Exponential(DELTA**2, LAM), "C2": Exponential(DELTA, mu)}
    f = rational_form(LAIRD.series("R_1001")[4].form, mixed, W0)
    numbers = {W0: 0.9, LAM: 1.3, DELTA: 0.6, mu: 0.7}
    baths = {"C1": ExponentialBath((0.36,), (1.3,)), "C2": ExponentialBath((0.6,), (0.7,))}
    assert float(f.subs(numbers)) == pytest.approx(
        form_value(LAIRD.series("R_1001")[4].form, (0.9,), baths)
    )
    with pytest.raises(ValueError, match="no rational form"):
        rational_form(monomial(ONE, thermal(1, 0)), FIELD, W0)


def test_quantities_scale_with_the_coupling():
    """J -> lambda^2 J multiplies order n by lambda^n."""
    weak = {"C1": ExponentialBath((0.5 + 0.2j,), (0.9,)), "C2": ExponentialBath((0.1j,), (1.4,))}
    strong = {k: ExponentialBath(tuple(4 * c for c in b.c), b.nu) for k, b in weak.items()}
    for name in QUANTITIES:
        for order in (2, 4):
            f: SpectralForm = LAIRD.series(name)[order].form
            scaled = 2**order * form_value(f, (1.1,), weak)
            assert form_value(f, (1.1,), strong) == pytest.approx(scaled, rel=1e-9, abs=1e-12)


def test_series_derive_once():
    series = LAIRD.series("k_up")
    assert series[4] is series[4]
    assert isinstance(series[4].form.values[0], Value)


def test_forms_that_depend_on_differences_of_transforms():
    """Rates and shifts hold P only as P(w0) - P(-w0) and P', which decides convergence."""
    for name in ("k_up", "k_down", "inv_T1", "inv_T2", "frequency_shift"):
        for bath in ("C1", "C2"):
            assert depends_on_differences(LAIRD.series(name)[4].form, bath)
    assert depends_on_differences(LAIRD.frequency_shift[2].form, "C1")
    assert not depends_on_differences(monomial(ONE, value("P", "C1", 0, 1)), "C1")
