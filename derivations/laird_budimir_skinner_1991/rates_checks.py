"""Checks of Secs. III A, III B, IV A, IV B: the rates and shifts at second and fourth order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import mpmath
import sympy

from derivations.laird_budimir_skinner_1991.common import (
    BLOCH,
    CLOSED,
    ENGINE,
    GENERALIZED,
    HALF,
    SYMBOLIC,
    TIME,
    W0,
    c,
    number,
    over_2pi,
    over_w0,
    p,
    sample_baths,
    times,
    triple,
    up_to_relabelling,
)
from pertsym.certify.claims import Check, Evidence, Finding, close, conclude, exact
from pertsym.certify.time_domain import time_integral
from pertsym.distributions.route import reduce_real as reduce_by_distributions
from pertsym.equations.bloch import Bloch
from pertsym.equations.series import Quantity
from pertsym.equations.thermal import zero_temperature
from pertsym.exact import Gaussian
from pertsym.expansion.terms import Factor, Shape, Term, TimeIntegrand
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm

_W, _W0 = sympy.symbols("w w0", positive=True)
_GAMMA = sympy.Function("Gamma")


def terms_of(quantity: Quantity) -> TimeIntegrand:
    """The time-domain terms of a quantity that has them."""
    if quantity.terms is None:
        raise ValueError(f"{quantity.name}: it is no single sum of time-domain terms")
    return quantity.terms


def as_numbers(quantity: Quantity, digits: int, real: bool = False) -> list[Finding]:
    """The spectral form against the time integral, for two random pairs of C1, C2."""
    findings = []
    for seed in (1, 2):
        baths = sample_baths(seed, real)
        value = number(quantity.form, baths, digits)
        direct = time_integral(terms_of(quantity), baths, (W0,), digits + 10).real
        what = f"{quantity.name}({quantity.order}) as a number"
        findings.append(close(what, value, direct, digits))
    return findings


def both_routes(quantity: Quantity, paper: SpectralForm, equation: str) -> list[Finding]:
    return [
        exact(f"arc-length reduction gives {equation}", quantity.form, paper),
        exact(
            f"generalized functions give {equation}",
            reduce_by_distributions(terms_of(quantity)),
            paper,
        ),
    ]


def _one_sided(coefficient: Fraction, phase: int, conjugate: bool = False) -> Term:
    """coefficient C1(tau) e^{-i phase w0 tau}, or with C1*."""
    return Term(Gaussian(coefficient), Shape((Factor(1, 1, "C1", conjugate),), ((phase,),)))


def _second_order(
    series: Callable[[Bloch], Quantity], terms: tuple[Term, ...], paper: SpectralForm, names: str
) -> Callable[[int], Evidence]:
    def check(digits: int) -> Evidence:
        quantity = series(BLOCH)
        one_sided = TimeIntegrand.collect(2, terms).real_parts()
        return conclude(
            (ENGINE, GENERALIZED, TIME.replace("triple ", ""), CLOSED),
            exact(f"one-sided integral of {names}", terms_of(quantity), one_sided),
            *both_routes(quantity, paper, names),
            *as_numbers(quantity, digits),
        )

    return check


k_up_2 = _second_order(
    lambda bloch: bloch.k_up[2], (_one_sided(Fraction(2), 1),), c(1, -1), "(63), (69)"
)
k_down_2 = _second_order(
    lambda bloch: bloch.k_down[2], (_one_sided(Fraction(2), -1),), c(1, 1), "(77)"
)


def inv_T1_2(digits: int) -> Evidence:
    """(80), with (73) and n(w) = 1/(e^{beta w} - 1)."""
    beta = sympy.Symbol("beta", positive=True)
    n = 1 / (sympy.exp(beta * _W0) - 1)
    spectra = 2 * _GAMMA(_W0) * (n + 1) + 2 * _GAMMA(_W0) * n
    coth = 2 * _GAMMA(_W0) * sympy.coth(beta * _W0 / 2)
    return conclude(
        (ENGINE, GENERALIZED, SYMBOLIC),
        *both_routes(BLOCH.inv_T1[2], c(1, 1) + c(1, -1), "(80)"),
        exact("(80): 2n + 1", spectra, 2 * _GAMMA(_W0) * (2 * n + 1)),
        exact("(80): coth", (spectra - coth).rewrite(sympy.exp)),
    )


TEN_TERMS = (
    triple(-2, "C2*(123)", "C2(2)", (1, 0, -1)),
    triple(-2, "C2*(123)", "C2*(2)", (1, 0, -1)),
    triple(-2, "C2(12)", "C2(23)", (1, 0, 1)),
    triple(-2, "C2*(12)", "C2(23)", (1, 0, 1)),
    triple(-2, "C1(123)", "C1(2)", (1, 0, 1)),
    triple(2, "C1*(123)", "C1*(2)", (1, 0, 1)),
    triple(2, "C1(12)", "C1(23)", (1, 2, 1)),
    triple(2, "C1*(12)", "C1(23)", (1, 2, 1)),
    triple(2, "C1(123)", "C1(2)", (1, 2, 1)),
    triple(2, "C1*(123)", "C1(2)", (1, 2, 1)),
)
"""(90) as the paper prints it, without the factor -2 in front."""


def k_up_4_terms(digits: int) -> Evidence:
    """(81), (90): Liouville paths against the printed ten terms."""
    derived = terms_of(BLOCH.k_up[4])
    printed = TimeIntegrand.collect(4, TEN_TERMS)
    findings = [
        exact("number of terms", len(derived), 10),
        exact("(90)", up_to_relabelling(derived), up_to_relabelling(printed)),
    ]
    for seed in (1, 2):
        baths = sample_baths(seed)
        left = time_integral(derived, baths, (W0,), digits + 10).real
        right = time_integral(printed.real_parts(), baths, (W0,), digits + 10).real
        findings.append(close("(90) as a number", left, right, digits))
    return conclude(("Liouville paths", TIME), *findings)


def _k_up_4() -> SpectralForm:
    """(91)."""
    return over_2pi(
        over_w0(c(2, -1) * (p(2, 1) - p(2, -1)))
        + c(1, -1, 1) * (p(1, 1) - p(1, -1))
        + p(1, -1, 1) * (c(1, 1) - c(1, -1))
        - times(2, c(1, -1) * p(1, 1, 1))
    )


def k_up_4(digits: int) -> Evidence:
    """(91)."""
    return conclude(
        (ENGINE, GENERALIZED, TIME, CLOSED),
        *both_routes(BLOCH.k_up[4], _k_up_4(), "(91)"),
        *as_numbers(BLOCH.k_up[4], digits),
    )


def k_down_4(digits: int) -> Evidence:
    """(97), from its own ten terms and from (91) with w0 -> -w0."""
    paper = over_2pi(
        over_w0(c(2, 1) * (p(2, 1) - p(2, -1)))
        + c(1, 1, 1) * (p(1, -1) - p(1, 1))
        + p(1, 1, 1) * (c(1, -1) - c(1, 1))
        - times(2, c(1, 1) * p(1, -1, 1))
    )
    return conclude(
        (ENGINE, GENERALIZED, "w0 -> -w0 in the up rate", TIME, CLOSED),
        *both_routes(BLOCH.k_down[4], paper, "(97)"),
        exact("(91) with w0 -> -w0", BLOCH.k_up[4].form.reversed_frequencies(), paper),
        *as_numbers(BLOCH.k_down[4], digits),
    )


def _inv_t1_4() -> SpectralForm:
    """(98)."""
    return over_2pi(
        over_w0((c(2, 1) + c(2, -1)) * (p(2, 1) - p(2, -1)))
        - (c(1, 1, 1) - c(1, -1, 1)) * (p(1, 1) - p(1, -1))
        - (c(1, 1) + c(1, -1)) * (p(1, 1, 1) + p(1, -1, 1))
    )


def inv_T1_4(digits: int) -> Evidence:
    """(98), from its own terms and as the sum of the rates."""
    rates = BLOCH.k_up[4].form + BLOCH.k_down[4].form
    return conclude(
        (ENGINE, GENERALIZED, "sum of the rates", TIME, CLOSED),
        *both_routes(BLOCH.inv_T1[4], _inv_t1_4(), "(98)"),
        exact("k_up + k_down", rates, _inv_t1_4()),
        *as_numbers(BLOCH.inv_T1[4], digits),
    )


def gamma_prime_integral(digits: int) -> list[Finding]:
    """P1'(-w0) = 2 int_0^inf Gamma_1'(w)/(w + w0) at T = 0 for Gamma_1(0) = 0."""
    by_parts = sympy.diff(_GAMMA(_W) / (_W + _W0), _W)
    kernel = sympy.diff(_GAMMA(_W), _W) / (_W + _W0) - _GAMMA(_W) / (_W + _W0) ** 2
    with mpmath.workdps(digits + 10):
        w0 = mpmath.mpf(W0.numerator) / W0.denominator
        ends = [0, 1, 4, 16, mpmath.inf]
        left = mpmath.quad(lambda w: w**3 * mpmath.exp(-w) / (w + w0) ** 2, ends)
        right = mpmath.quad(lambda w: (3 - w) * w**2 * mpmath.exp(-w) / (w + w0), ends)
    return [
        exact("by parts, the boundary term Gamma_1/(w + w0) vanishing", by_parts, kernel),
        close("int Gamma'/(w + w0) for Gamma = w^3 exp(-w)", left, right, digits),
    ]


def zero_T_k_up(digits: int) -> Evidence:
    """(96): Ĉ1(w0) P1'(-w0)/(2 pi) with Ĉ1 = 2 Gamma_1 theta."""
    return conclude(
        ("limit of (91)", SYMBOLIC, "quadrature"),
        exact(
            "limit of the closed form",
            zero_temperature(BLOCH.k_up[4].form),
            over_2pi(c(1, 1) * p(1, -1, 1)),
        ),
        *gamma_prime_integral(digits),
    )


def inv_T2_2(digits: int) -> Evidence:
    """(9), (118)-(122)."""
    quantity = BLOCH.inv_T2[2]
    one_sided = (_one_sided(Fraction(1), -1), _one_sided(Fraction(1), -1, conjugate=True))
    return conclude(
        (ENGINE, GENERALIZED, TIME.replace("triple ", ""), CLOSED),
        exact("(120)", terms_of(quantity), TimeIntegrand.collect(2, one_sided).real_parts()),
        *both_routes(quantity, times(HALF, c(1, 1) + c(1, -1)), "(121)"),
        exact("(122)", times(2, quantity.form), BLOCH.inv_T1[2].form),
        exact("no pure dephasing", BLOCH.inv_T2_prime[2].form, ZERO_FORM),
        *as_numbers(quantity, digits),
    )


def shift_2(digits: int) -> Evidence:
    """(123)-(125)."""
    shift = BLOCH.frequency_shift[2].form
    one_sided = (_one_sided(Fraction(1), -1), _one_sided(Fraction(1), -1, conjugate=True))
    integral = TimeIntegrand.collect(2, one_sided)
    element = BLOCH.element(2, (1, 0, 1, 0)).scaled(Gaussian(-1))
    findings = [
        exact("(124)", element, integral),
        exact("(125)", shift, over_2pi(p(1, -1) - p(1, 1))),
        exact(
            "generalized functions give (125)",
            reduce_by_distributions(integral.scaled(Gaussian(0, -1))),
            shift,
        ),
    ]
    for seed in (1, 2):
        baths = sample_baths(seed)
        direct = time_integral(integral, baths, (W0,), digits + 10).imag
        findings.append(close("(124) as a number", number(shift, baths, digits), direct, digits))
    return conclude((ENGINE, GENERALIZED, "time integral", CLOSED), *findings)


CHECKS: Mapping[str, Check] = {
    "k_up_2": k_up_2,
    "k_down_2": k_down_2,
    "inv_T1_2": inv_T1_2,
    "k_up_4_terms": k_up_4_terms,
    "k_up_4": k_up_4,
    "k_down_4": k_down_4,
    "inv_T1_4": inv_T1_4,
    "zero_T_k_up": zero_T_k_up,
    "inv_T2_2": inv_T2_2,
    "shift_2": shift_2,
}
