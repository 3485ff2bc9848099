"""Checks of Appendices B and C: the engine proves its rules, and uses them on one term."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import mpmath
import sympy

from derivations.laird_budimir_skinner_1991.common import (
    BLOCH,
    CLOSED,
    TIME,
    W0,
    c,
    chain,
    number,
    over_2pi,
    p,
    sample_baths,
    times,
    triple,
    up_to_relabelling,
)
from pertsym.certify.claims import Check, Evidence, Finding, close, conclude, exact
from pertsym.certify.time_domain import time_integral
from pertsym.distributions.generalized import Combination, Kind
from pertsym.distributions.identities import RULES
from pertsym.distributions.route import (
    Piece,
    UncancelledPinch,
    assemble,
    integrated_over_times,
    limit,
    reduce_real,
    released,
)
from pertsym.distributions.rules import RuleNotProved
from pertsym.expansion.terms import TimeIntegrand
from pertsym.reduction.arc_length_reduction import reduce_real as reduce_by_arcs

PROOFS = "proofs of the rewrite rules"
TEST_FUNCTION = "test function 1/(1 + (x - 1/3)^2)"

_X, _EPS = sympy.symbols("x epsilon", positive=True)
D = _EPS / (sympy.pi * (_EPS**2 + _X**2))
P = _X / (_EPS**2 + _X**2)
S = 1 / (_EPS + sympy.I * _X)


def proved(*names: str) -> list[Finding]:
    """The rules of these names, each proved by the engine here and now."""
    findings = []
    for name in names:
        try:
            RULES[name].prove()
        except RuleNotProved as fault:
            findings.append(Finding(str(fault), False))
        else:
            findings.append(Finding(f"rule {name}", True))
    return findings


def _finite_eps(names: tuple[str, ...], *identities: tuple[str, sympy.Expr, sympy.Expr]) -> Check:
    """Rules that are exact, proved by the engine and once more as displayed, by SymPy."""

    def check(digits: int) -> Evidence:
        shown = [exact(what, left, right) for what, left, right in identities]
        return conclude((PROOFS, "rational functions in SymPy"), *proved(*names), *shown)

    return check


_dP, _dD, _dS = (sympy.diff(f, _X) for f in (P, D, S))

identity_B2 = _finite_eps(
    ("B2", "B3", "B4"),
    ("(B2)", S, sympy.pi * D - sympy.I * P),
    ("(B3) = Re S/pi", D, (S + S.subs(_X, -_X)) / (2 * sympy.pi)),
)
identity_B7 = _finite_eps(
    ("B7", "B8"),
    ("(B7)", S**2, sympy.I * _dS),
    ("(B8)", S**2, sympy.I * sympy.pi * _dD + _dP),
)
identity_B9 = _finite_eps(
    ("B9", "B10"),
    ("(B9)", sympy.pi**2 * D**2 - P**2, _dP),
    ("(B10)", D * P, -_dD / 2),
)
identity_B11 = _finite_eps(
    ("B11", "B12"),
    ("(B11)", S * S.subs(_X, -_X), P / _X),
    ("(B12)", sympy.pi**2 * D**2 + P**2, P / _X),
)
identity_B13 = _finite_eps(
    ("B13", "B14"),
    ("(B13)", 2 * P**2, P / _X - _dP),
    ("(B13), second form", 2 * P**2, -_X * sympy.diff(P / _X, _X)),
    ("(B14)", 2 * sympy.pi**2 * D**2, _dP + P / _X),
)


def _paired(kernel: Callable[[mpmath.mpf, mpmath.mpf], mpmath.mpf], eps: mpmath.mpf) -> mpmath.mpf:
    """int dx f(x) kernel(x, eps) for f = 1/(1 + (x - 1/3)^2)."""
    ends = [-mpmath.inf, -2, -8 * eps, 0, 8 * eps, 2, mpmath.inf]
    return mpmath.quad(lambda x: kernel(x, eps) / (1 + (x - mpmath.mpf(1) / 3) ** 2), ends)


def identity_B15(digits: int) -> Evidence:
    """(B5), (B6), (B15), (B16), with (68), (95), (D7).

    The test function is the real part on the axis of F(z) = i/(z - 1/3 + i), analytic above it, so
    that int f D = Re F(i eps), int f P = -pi Im F(i eps), and derivatives of F for those of D, P.
    """
    with mpmath.workdps(digits + 15):
        eps = mpmath.mpf(1) / 4
        third = mpmath.mpf(1) / 3
        above = 1j * eps - third + 1j
        value, slope = 1j / above, -1j / above**2  # F and F' at z = i eps
        pi = mpmath.pi
        kernels = (
            ("D", lambda x, e: e / (x**2 + e**2) / pi, value.real),
            ("P", lambda x, e: x / (x**2 + e**2), -pi * value.imag),
            ("D'", lambda x, e: -2 * e * x / (x**2 + e**2) ** 2 / pi, -slope.real),
            ("P'", lambda x, e: (e**2 - x**2) / (x**2 + e**2) ** 2, pi * slope.imag),
        )
        findings = [
            close(f"int f {name}", _paired(kernel, eps), wanted, digits)
            for name, kernel, wanted in kernels
        ]
    return conclude((PROOFS, TEST_FUNCTION), *proved("B5", "B6", "B8", "B15", "B16"), *findings)


def identity_B17(digits: int) -> Evidence:
    """(B17), and that it fails for f = e^{-|x|}, whose left side tends to -1/pi^2."""
    with mpmath.workdps(digits + 15):
        small = mpmath.mpf(10) ** -(digits + 5)
        # int D^2 [e^{-|x|} - 1] = (2/pi^2) int_0^inf [e^{-eps u} - 1]/(eps (1 + u^2)^2) du
        kink = mpmath.quad(
            lambda u: mpmath.expm1(-small * u) / small / (1 + u**2) ** 2, [0, 1, mpmath.inf]
        )
        smooth = mpmath.quad(  # the same for 1/(1 + x^2)
            lambda u: -small * u**2 / (1 + (small * u) ** 2) / (1 + u**2) ** 2,
            [0, 1, mpmath.inf],
        )
        scale = 2 / mpmath.pi**2
        findings = [
            close("f = e^{-|x|} tends to -1/pi^2", scale * kink, -1 / mpmath.pi**2, digits),
            close("f = 1/(1 + x^2) tends to 0", scale * smooth, 0, digits, scale=1),
        ]
    rest = sympy.integrate((D**2).subs(_EPS, 1), (_X, 0, sympy.oo)) * 2
    return conclude(
        (PROOFS, "test functions with and without a kink"),
        *proved("B14", "B17", "pinch"),
        exact("int D^2 = 1/(2 pi eps)", rest, 1 / (2 * sympy.pi)),
        *findings,
    )


SEVENTH = triple(2, "C1(12)", "C1(23)", (1, 2, 1))
"""(C1): term 7 of (90) with its sign and prefactor."""


def example_I7(digits: int) -> Evidence:
    """(C1)-(C6), by the paper's route step by step, and by arc lengths."""
    integrand = TimeIntegrand.collect(4, [SEVENTH]).real_parts()
    others = [
        term
        for term in up_to_relabelling(BLOCH.k_up[4].terms or integrand)
        if term in up_to_relabelling(integrand).terms
    ]
    start = integrated_over_times(SEVENTH)
    split = released(start)
    paper = over_2pi(chain(1, -1, 2, shift=-2)) - over_2pi(
        times(2, c(1, -1) * p(1, -1, 1))  # the subtraction in (C6), and its last term
    )
    findings = [
        exact("(C1) is a term of (90)", len(others), 1),
        exact("(C3)", _kinds(start.products), [(Kind.S, Kind.S, Kind.S)]),
        exact(
            "(C4): delta and principal part of the middle S",
            sorted(_kinds(split.products)),
            [(Kind.S, Kind.S, Kind.DELTA), (Kind.S, Kind.S, Kind.FP)],
        ),
        exact("(C5), (C6)", assemble([limit(split, real_part=True)]), paper),
        exact("reduction of the term", reduce_real(integrand), paper),
        exact("arc-length reduction", reduce_by_arcs(integrand), paper),
        *[Finding("each half of (C4) diverges", _diverges(half)) for half in split.split()],
        *proved("B2", "B5", "B6", "B11", "B13", "pinch", "sift", "C5"),
    ]
    for seed in (1, 2):
        baths = sample_baths(seed)
        direct = time_integral(integrand, baths, (W0,), digits + 10).real
        findings.append(close("(C6) as a number", number(paper, baths, digits), direct, digits))
    return conclude(("generalized functions", "arc-length reduction", TIME, CLOSED), *findings)


def _kinds(products: Combination) -> list[tuple[Kind, ...]]:
    return [tuple(sorted(factor.kind for factor in product.factors)) for product in products]


def _diverges(half: Piece) -> bool:
    """Whether a half of (C4) alone leaves a pinch."""
    try:
        assemble([limit(half, real_part=True)])
    except UncancelledPinch:
        return True
    return False


CHECKS: Mapping[str, Check] = {
    "identity_B2": identity_B2,
    "identity_B7": identity_B7,
    "identity_B9": identity_B9,
    "identity_B11": identity_B11,
    "identity_B13": identity_B13,
    "identity_B15": identity_B15,
    "identity_B17": identity_B17,
    "example_I7": example_I7,
}
