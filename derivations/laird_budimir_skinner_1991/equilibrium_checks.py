"""Checks of Secs. III C, IV B and Appendix D: equilibrium constant and detailed balance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mpmath
import numpy as np
import sympy

from derivations.laird_budimir_skinner_1991.common import (
    BLOCH,
    SYMBOLIC,
    ZERO_FORM,
    K,
    boltzmann,
    c,
    over_2pi,
    p,
)
from derivations.laird_budimir_skinner_1991.identity_checks import proved
from derivations.laird_budimir_skinner_1991.rates_checks import gamma_prime_integral
from pertsym.certify.claims import Check, Evidence, Finding, close, conclude, exact
from pertsym.certify.imaginary_time import (
    Mode,
    equilibrium_constant_correction,
    exact_second_order,
    second_order_populations,
    second_order_weight,
)
from pertsym.equations.equilibrium import SimplexTerm, renormalised_splitting
from pertsym.equations.models import laird
from pertsym.equations.thermal import detailed_balance, zero_temperature
from pertsym.reduction.spectral import SpectralForm, Thermal, Value

_W, _W0, _BETA = sympy.symbols("w w0 beta", positive=True)

# One oscillator with a real h: C1(-i tau) in closed form, and H small enough to diagonalise.
BETA_VALUE, GAP = 1.5, 0.75
MODE = Mode(1.25, np.array([[0, 1], [1, 0]]), 0.5)

KMS = "forms modulo the KMS relation"


def _energy(frequency: tuple[int, ...]) -> sympy.Expr:
    return frequency[0] * _W0


def simplex_kernel(term: SimplexTerm) -> sympy.Expr:
    """What multiplies Ĉ(w) dw in a term of the imaginary-time expansion."""
    a = _W - _energy(term.pole)
    weight = sympy.Rational(term.weight.re.numerator, term.weight.re.denominator)
    kernel = (sympy.exp(-_BETA * a) - 1 + _BETA * a) / a**2
    return weight * sympy.exp(-_BETA * _energy(term.energy)) * kernel / (2 * sympy.pi)


def _population_kernel(level: int) -> sympy.Expr:
    return sum(simplex_kernel(term) for term in K.simplex_terms(level))


def _bracket(pole: sympy.Expr) -> sympy.Expr:
    a = _W - pole
    return (sympy.exp(-_BETA * a) - 1 + _BETA * a) / a**2


def paper_111() -> sympy.Expr:
    """Kernel of (111)."""
    return sympy.exp(-_BETA * _W0) / (2 * sympy.pi) * (_bracket(_W0) - _bracket(-_W0))


def _of_the_mode(kernel: sympy.Expr, beta: Any, gap: Any) -> Any:
    """int dw Ĉ(w) kernel(w) for the lines 2 pi g^2 {[n + 1] delta(w - w1) + n delta(w + w1)}."""
    function = sympy.lambdify((_W, _W0, _BETA), kernel, "mpmath")
    w1, g = mpmath.mpf(MODE.frequency), mpmath.mpf(MODE.strength)
    n = 1 / mpmath.expm1(beta * w1)
    lines = (n + 1) * function(w1, gap, beta) + n * function(-w1, gap, beta)
    return 2 * mpmath.pi * g**2 * lines


def imaginary_time(digits: int) -> Evidence:
    """(104)-(110): the simplex terms against quadrature in imaginary time and diagonalisation."""
    findings = [
        exact("(106), (107)", K[0], boltzmann(1)),
        Finding("(104), (105): iterated integrals in powers of H_I", _boltzmann_series()),
    ]
    u, l_ = sympy.symbols("u l", positive=True)
    inner = sympy.integrate(sympy.exp(-_W * u), (u, 0, l_))
    simplex = sympy.integrate(sympy.expand(inner), (l_, 0, _BETA))
    findings.append(exact("integral over the simplex", simplex, _bracket(sympy.Integer(0))))
    with mpmath.workdps(digits + 10):
        beta, gap = mpmath.mpf(BETA_VALUE), mpmath.mpf(GAP)
        correlation = MODE.correlation(BETA_VALUE)
        for level, sign, equation in ((0, -1, 108), (1, 1, 109)):
            weight = second_order_weight(correlation, beta, sign * gap, digits)
            wanted = mpmath.exp(-level * beta * gap) * weight.value
            found = _of_the_mode(_population_kernel(level), beta, gap)
            findings.append(close(f"({equation}) for one oscillator", found, wanted, digits))
        _, added = second_order_populations((0, gap), [(MODE.operator, correlation)], beta, digits)
    diagonalised = exact_second_order((0.0, GAP), [MODE], BETA_VALUE, cutoff=20)
    agreed = abs(float(added[1]) - float(diagonalised[1])) <= 1e-8 * abs(float(added[1]))
    findings.append(Finding("populations of a diagonalised Hamiltonian, to 8 digits", agreed))
    return conclude(
        ("imaginary-time expansion", "quadrature of (108), (109)", "diagonalisation"),
        *findings,
        status="derived",
    )


def _boltzmann_series() -> bool:
    """e^{-beta(H0 + H_I)} to second order in H_I against the iterated integrals, 2 x 2, exactly.

    Both sides are compared as power series in beta through beta^4 with non-commuting rational
    matrices: int over the simplex of beta1^a beta2^b is a rational number.
    """
    h0, h1 = sympy.Matrix([[1, 2], [2, -1]]), sympy.Matrix([[0, 1], [3, 1]])
    beta, delta, lam, gam = sympy.symbols("beta delta lambda gamma")
    top = 4

    def exponential(generator: sympy.Matrix, at: sympy.Expr) -> sympy.Matrix:
        terms = (generator**k * at**k / sympy.factorial(k) for k in range(top + 1))
        return sum(terms, sympy.zeros(2))

    def turned(at: sympy.Expr) -> sympy.Matrix:
        return (exponential(h0, at) * h1 * exponential(h0, -at)).applyfunc(sympy.expand)

    second = (turned(lam) * turned(gam)).applyfunc(
        lambda e: sympy.integrate(sympy.integrate(sympy.expand(e), (gam, 0, lam)), (lam, 0, beta))
    )
    first = turned(lam).applyfunc(lambda e: sympy.integrate(e, (lam, 0, beta)))
    series = sympy.eye(2) - delta * first + delta**2 * second
    difference = exponential(-(h0 + delta * h1), beta) - exponential(-h0, beta) * series
    kept = difference.applyfunc(
        lambda e: sum(
            z * beta**i * delta**j
            for (i, j), z in sympy.Poly(sympy.expand(e), beta, delta).terms()
            if i <= top and j <= 2
        )
    )
    return bool(kept.is_zero_matrix)


def K_2(digits: int) -> Evidence:
    """(103), (111), and (110) by quadrature."""
    delta, a0, a2, b0, b2 = sympy.symbols("delta a0 a2 b0 b2", positive=True)
    ratio = sympy.series((b0 + delta**2 * b2) / (a0 + delta**2 * a2), delta, 0, 4).removeO()
    combined = _population_kernel(1) - sympy.exp(-_BETA * _W0) * _population_kernel(0)
    with mpmath.workdps(digits + 10):
        beta, gap = mpmath.mpf(BETA_VALUE), mpmath.mpf(GAP)
        direct = equilibrium_constant_correction(gap, beta, MODE.correlation(BETA_VALUE), digits)
        value = _of_the_mode(paper_111(), beta, gap)
        number = close("(111) against (110) for one oscillator", value, direct.value, digits)
    return conclude(
        ("imaginary-time expansion", SYMBOLIC, "quadrature of (110)"),
        exact("(103)", ratio, b0 / a0 + delta**2 * (b2 / a0 - a2 * b0 / a0**2)),
        exact("(111)", combined, paper_111()),
        number,
    )


def _k_2() -> SpectralForm:
    """(116)."""
    return over_2pi(
        boltzmann(1, 1) * (p(1, 1) - p(1, -1))
        + boltzmann(1) * p(1, -1, 1) * (boltzmann(-1) + boltzmann(0))
        - boltzmann(1) * p(1, 1, 1) * (boltzmann(1) + boltzmann(0))
    )


def reflected(kernel: sympy.Expr) -> sympy.Expr:
    """A kernel k'(w) with int dw Ĉ(w) k'(w) = int dw Ĉ(w) k(w): w -> -w, then (D2)."""
    return kernel.subs(_W, -_W) * sympy.exp(-_BETA * _W)


def finite_part_kernel(form: SpectralForm) -> sympy.Expr:
    """A form linear in P, P' as a kernel against Ĉ: FP int Ĉ/(w - a)^(n+1) = P^(n)(a)/n!, (B16)."""
    total = sympy.Integer(0)
    for m, z in form:
        term = sympy.Rational(z.re.numerator, z.re.denominator) * sympy.pi**m.pi_power
        for atom in m.atoms:
            if isinstance(atom, Value) and atom.kind == "P":
                n = atom.derivative
                term *= sympy.factorial(n) / (_W - _energy(atom.frequency)) ** (n + 1)
            elif isinstance(atom, Thermal):
                term *= _BETA**atom.power * sympy.exp(-_BETA * _energy(atom.exponent))
            else:
                raise ValueError(f"{atom}: expected a transform or a Boltzmann factor")
        total += term
    return total


def K_2_P_form(digits: int) -> Evidence:
    """(116) from the engine, and from the kernel of (111) by (D2) and finite parts."""
    a, b = _W - _W0, _W + _W0
    front = sympy.exp(-_BETA * _W0) / (2 * sympy.pi)
    linear = front * _BETA * (1 / a - 1 / b)
    constant = -front * (1 / a**2 - 1 / b**2)
    gained = reflected(front * sympy.exp(-_BETA * a) / a**2)
    gained -= reflected(front * sympy.exp(-_BETA * b) / b**2)
    exponentials = sympy.exp(-_BETA * a) / a**2 - sympy.exp(-_BETA * b) / b**2
    whole = linear + constant + front * exponentials
    return conclude(
        ("finite parts of the simplex terms", SYMBOLIC),
        exact("(116)", K[2], _k_2()),
        exact("the pieces add up to (111)", whole, paper_111()),
        exact(
            "(111) by (D2) and (B16)",
            linear + constant + gained,
            finite_part_kernel(K[2]),
        ),
        *proved("B16"),
    )


def detailed_balance_0(digits: int) -> Evidence:
    """(114)."""
    beta = sympy.Symbol("beta", positive=True)
    n = 1 / (sympy.exp(beta * _W0) - 1)
    difference = BLOCH.k_up[2].form - K[0] * BLOCH.k_down[2].form
    return conclude(
        (KMS, SYMBOLIC),
        exact("k10(2) - K(0) k01(2)", detailed_balance(difference), ZERO_FORM),
        exact("n/(n + 1)", n / (n + 1), sympy.exp(-beta * _W0)),
    )


def detailed_balance_2(digits: int) -> Evidence:
    """(6), (113), (115), (D3)-(D9)."""
    up, down = BLOCH.k_up[4].form, BLOCH.k_down[4].form
    quotient = up - boltzmann(1) * down  # (115) times Ĉ1(w0)
    # (D4), (D5) times Ĉ1(w0)
    a = over_2pi((c(1, -1, 1) + boltzmann(1) * c(1, 1, 1)) * (p(1, 1) - p(1, -1)))
    b = _k_2() - over_2pi(boltzmann(1, 1) * (p(1, 1) - p(1, -1)))
    d6 = over_2pi(boltzmann(1, 1) * (p(1, 1) - p(1, -1)))
    delta, u2, u4, d2, d4 = sympy.symbols("delta u2 u4 d2 d4", positive=True)
    ratio = sympy.series((u2 + delta**2 * u4) / (d2 + delta**2 * d4), delta, 0, 4).removeO()
    findings = [
        exact("(113)", ratio, u2 / d2 + delta**2 * (u4 - d4 * u2 / d2) / d2),
        exact("k10 - K k01 at order 4", detailed_balance(quotient - c(1, 1) * K[2]), ZERO_FORM),
        exact("(D3)-(D5)", detailed_balance(quotient - a - c(1, 1) * b), ZERO_FORM),
        exact("(D4) = (D6)", detailed_balance(a - c(1, 1) * d6), ZERO_FORM),
        *_appendix_d(b, d6),
        *proved("B14", "B16", "B17", "pinch"),
    ]
    return conclude((KMS, SYMBOLIC, "proofs of the rewrite rules"), *findings)


def _appendix_d(b: SpectralForm, d6: SpectralForm) -> list[Finding]:
    """(D5) -> (D8) -> (D9): P' = 2 pi^2 D^2 - P/x under the integral, -P/x -> -FP 1/x^2 - pinch."""
    plus, minus = sympy.exp(_BETA * _W0) + 1, sympy.exp(-_BETA * _W0) + 1
    front = sympy.exp(-_BETA * _W0) / (2 * sympy.pi)
    d8 = front * (plus / (_W + _W0) ** 2 - minus / (_W - _W0) ** 2)
    d9 = front * (
        (sympy.exp(-_BETA * (_W - _W0)) - 1) / (_W - _W0) ** 2
        - (sympy.exp(-_BETA * (_W + _W0)) - 1) / (_W + _W0) ** 2
    )
    # the weights with which D^2 meets Ĉ1: what multiplies 1/eps has to vanish by (D2)
    pinched = (boltzmann(-1) + boltzmann(0)) * c(1, -1) - (boltzmann(1) + boltzmann(0)) * c(1, 1)
    # w -> -w and (D2) turn e^{beta w0}/(w + w0)^2 into e^{-beta(w - w0)}/(w - w0)^2, and back
    moved = front * (
        sympy.exp(_BETA * _W0) / (_W + _W0) ** 2 - sympy.exp(-_BETA * _W0) / (_W - _W0) ** 2
    )
    return [
        exact("(D5) as finite parts", finite_part_kernel(b), d8),
        exact("weights of D^2 in (D8)", detailed_balance(pinched), ZERO_FORM),
        exact("(D8) = (D9)", d9, d8 - moved + reflected(moved)),
        exact("(D6) + (D9) = (111)", finite_part_kernel(d6) + d9, paper_111()),
    ]


def zero_T_K(digits: int) -> Evidence:
    """(117), and k10(4) = k01(2) K(2) at T = 0."""
    cold = zero_temperature(K[2])
    return conclude(
        ("limit of (116)", SYMBOLIC, "quadrature"),
        exact("limit of (116)", cold, over_2pi(p(1, -1, 1))),
        exact("limit of K(0)", zero_temperature(K[0]), ZERO_FORM),
        exact(
            "k10(4) = k01(2) K(2)",
            zero_temperature(BLOCH.k_up[4].form),
            zero_temperature(BLOCH.k_down[2].form) * cold,
        ),
        *gamma_prime_integral(digits),
    )


def renormalized_splitting(digits: int) -> Evidence:
    """(128)."""
    delta, k0, k2 = sympy.symbols("delta k0 k2", positive=True)
    shift = sympy.series(-sympy.log(k0 + delta**2 * k2) / _BETA, delta, 0, 4).removeO()
    return conclude(
        ("series of the logarithm", "imaginary-time expansion"),
        exact("(128) from (126)", shift, -sympy.log(k0) / _BETA - delta**2 * k2 / (_BETA * k0)),
        exact("(128)", renormalised_splitting(laird()), -(boltzmann(-1) * K[2])),
    )


def shift_difference(digits: int) -> Evidence:
    """(129), times beta."""
    beta = boltzmann(0, 1)
    paper = over_2pi(
        p(1, 1, 1) * (boltzmann(1) + boltzmann(0)) - p(1, -1, 1) * (boltzmann(-1) + boltzmann(0))
    )
    difference = renormalised_splitting(laird()) - beta * BLOCH.frequency_shift[2].form
    return conclude(("(128) and (125)", SYMBOLIC), exact("(129)", difference, paper))


def zero_T_shift(digits: int) -> Evidence:
    """(153), (154)."""
    form = zero_temperature(BLOCH.frequency_shift[2].form)
    cutoff = sympy.Function("Gamma")
    kernel = finite_part_kernel(form) * 2 * cutoff(_W)  # Ĉ1 = 2 Gamma theta
    paper = -2 * _W0 / sympy.pi * cutoff(_W) / (_W**2 - _W0**2)
    return conclude(
        ("limit of (125)", SYMBOLIC),
        exact("(125) at T = 0", form, over_2pi(p(1, -1) - p(1, 1))),
        exact("(154)", kernel, paper),
    )


CHECKS: Mapping[str, Check] = {
    check.__name__: check
    for check in (
        imaginary_time,
        K_2,
        K_2_P_form,
        detailed_balance_0,
        detailed_balance_2,
        zero_T_K,
        renormalized_splitting,
        shift_difference,
        zero_T_shift,
    )
}
