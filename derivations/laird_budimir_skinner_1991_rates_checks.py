"""Checks of Secs. III A-B, IV, V and Appendix E: rates, dephasing, shifts, stochastic bath."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import mpmath
import sympy

from derivations.laird_budimir_skinner_1991_common_checks import (
    BLOCH,
    CLASSICAL,
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
from pertsym.equations.bloch import Bloch, Quantity
from pertsym.equations.rational import Exponential, rational_form, rational_terms
from pertsym.equations.thermal import classical, zero_temperature
from pertsym.exact import Gaussian
from pertsym.expansion.terms import Factor, Shape, Term, TimeIntegrand
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm, SpectralIntegral

NAMES = ("C1", "C2")
_W, _W0 = sympy.symbols("w w0", positive=True)
_GAMMA = sympy.Function("Gamma")


def _terms(quantity: Quantity) -> TimeIntegrand:
    if quantity.terms is None:
        raise ValueError(f"{quantity.name}: it is no single sum of time-domain terms")
    return quantity.terms


def _as_numbers(quantity: Quantity, digits: int, real: bool = False) -> list[Finding]:
    """The spectral form against the time integral, for two random pairs of C1, C2."""
    findings = []
    for seed in (1, 2):
        baths = sample_baths(seed, real)
        value = number(quantity.form, baths, digits)
        direct = time_integral(_terms(quantity), baths, (W0,), digits + 10).real
        what = f"{quantity.name}({quantity.order}) as a number"
        findings.append(close(what, value, direct, digits))
    return findings


def _both_routes(quantity: Quantity, paper: SpectralForm, equation: str) -> list[Finding]:
    return [
        exact(f"arc-length reduction gives {equation}", quantity.form, paper),
        exact(
            f"generalized functions give {equation}",
            reduce_by_distributions(_terms(quantity)),
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
            exact(f"one-sided integral of {names}", _terms(quantity), one_sided),
            *_both_routes(quantity, paper, names),
            *_as_numbers(quantity, digits),
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
        *_both_routes(BLOCH.inv_T1[2], c(1, 1) + c(1, -1), "(80)"),
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
    derived = _terms(BLOCH.k_up[4])
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
        *_both_routes(BLOCH.k_up[4], _k_up_4(), "(91)"),
        *_as_numbers(BLOCH.k_up[4], digits),
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
        *_both_routes(BLOCH.k_down[4], paper, "(97)"),
        exact("(91) with w0 -> -w0", BLOCH.k_up[4].form.reversed_frequencies(), paper),
        *_as_numbers(BLOCH.k_down[4], digits),
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
        *_both_routes(BLOCH.inv_T1[4], _inv_t1_4(), "(98)"),
        exact("k_up + k_down", rates, _inv_t1_4()),
        *_as_numbers(BLOCH.inv_T1[4], digits),
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
        exact(
            "(120)", _terms(quantity), TimeIntegrand.collect(2, one_sided).real_parts()
        ),
        *_both_routes(quantity, times(HALF, c(1, 1) + c(1, -1)), "(121)"),
        exact("(122)", times(2, quantity.form), BLOCH.inv_T1[2].form),
        exact("no pure dephasing", BLOCH.inv_T2_prime[2].form, ZERO_FORM),
        *_as_numbers(quantity, digits),
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


F_TERMS = tuple(
    Term(-term.coefficient, term.shape) for k, term in enumerate(TEN_TERMS, 1) if k in (1, 2, 4)
) + tuple(
    Term(sign * TEN_TERMS[k - 1].coefficient, TEN_TERMS[k - 1].shape)
    for k, sign in ((6, -1), (8, -1), (10, -1))
)
"""f(w0) of (134): terms 1, 2, 4, 6, 8, 10 of (90) with the sign of 1/T2'."""


def pure_dephasing_terms(digits: int) -> Evidence:
    """(132)-(134)."""
    quantity = BLOCH.inv_T2_prime[4]
    f = TimeIntegrand.collect(4, F_TERMS)
    both = f + f.reversed_frequencies()
    findings = [
        exact("(134)", up_to_relabelling(_terms(quantity)), up_to_relabelling(both)),
        exact(
            "even in w0", up_to_relabelling(_terms(quantity).reversed_frequencies()),
            up_to_relabelling(_terms(quantity)),
        ),
        exact(
            "(132)",
            quantity.form,
            BLOCH.inv_T2[4].form - times(HALF, BLOCH.inv_T1[4].form),
        ),
    ]
    for seed in (1, 2):
        baths = sample_baths(seed)
        left = time_integral(_terms(quantity), baths, (W0,), digits + 10).real
        right = time_integral(both.real_parts(), baths, (W0,), digits + 10).real
        findings.append(close("(134) as a number", left, right, digits))
    return conclude(("Liouville paths", "reduction", TIME), *findings)


def kernels(form: SpectralForm) -> dict[tuple[str, str, int], sympy.Expr]:
    """Even part of the kernel of every integral over Ĉ_i(w) Ĉ_i(-w), by name and reflection.

    The product of the spectra is even in w, so that only the even part of its kernel counts.
    """
    found: dict[tuple[str, str, int], sympy.Expr] = {}
    for m, z in form:
        (atom,) = m.atoms
        if not isinstance(atom, SpectralIntegral) or any(atom.shift) or z.im:
            raise ValueError(f"{atom}: expected an integral over C(w) C(-w)")
        kernel = sympy.Rational(z.re.numerator, z.re.denominator) * sympy.pi**m.pi_power
        for (n,), power in m.denominators:
            kernel /= (n * _W0) ** power
        kernel /= (_W - atom.pole[0] * _W0) ** atom.order
        key = (atom.name, atom.other, atom.reflect)
        found[key] = found.get(key, 0) + (kernel + kernel.subs(_W, -_W)) / 2
    return found


def _one_integral(form: SpectralForm, reflect: int) -> list[Finding]:
    """(135), (141): (1/pi) P int [w d/dw Q1 - Q2]/(w^2 - w0^2), by parts for the first piece."""
    found = kernels(form)
    pole = 1 / (_W**2 - _W0**2)
    return [
        exact("both spectra occur", sorted(found), [(i, i, reflect) for i in NAMES]),
        exact(
            "kernel of the C1 part, by parts",
            found["C1", "C1", reflect],
            -sympy.diff(_W * pole, _W) / sympy.pi,
        ),
        exact("kernel of the C2 part", found["C2", "C2", reflect], -pole / sympy.pi),
    ]


def pure_dephasing_integral(digits: int) -> Evidence:
    """(135), both routes; zero at T = 0."""
    quantity = BLOCH.inv_T2_prime[4]
    return conclude(
        (ENGINE, GENERALIZED, SYMBOLIC, TIME, CLOSED),
        *_one_integral(quantity.form, -1),
        exact("generalized functions", reduce_by_distributions(_terms(quantity)), quantity.form),
        exact("(1/T2')(4) = 0 at T = 0", zero_temperature(quantity.form), ZERO_FORM),
        *_as_numbers(quantity, digits),
    )


def classical_k_up(digits: int) -> Evidence:
    """(136), from the interaction with real correlation functions and from (90)."""
    paper = TimeIntegrand.collect(
        4,
        (
            triple(-4, "C2(123)", "C2(2)", (1, 0, -1)),
            triple(-4, "C2(12)", "C2(23)", (1, 0, 1)),
            triple(4, "C1(12)", "C1(23)", (1, 2, 1)),
            triple(4, "C1(123)", "C1(2)", (1, 2, 1)),
        ),
        frozenset(NAMES),
    )
    quantum = TimeIntegrand.collect(
        4,
        (
            Term(z, Shape(tuple(sorted(f._replace(conjugate=False) for f in s.factors)), s.phase))
            for z, s in _terms(BLOCH.k_up[4])
        ),
        frozenset(NAMES),
    )
    derived = _terms(CLASSICAL.k_up[4])
    return conclude(
        ("expansion with real C", "terms of (90) with C* = C", TIME, CLOSED),
        exact("(136)", up_to_relabelling(derived), up_to_relabelling(paper)),
        exact("(90) with C* = C", up_to_relabelling(quantum), up_to_relabelling(paper)),
        *_as_numbers(CLASSICAL.k_up[4], digits, real=True),
    )


def classical_T1(digits: int) -> Evidence:
    """(140): (80) and (98) for even spectra, and directly."""
    paper = (
        over_w0(c(2, 1) * p(2, 1)) - c(1, 1, 1) * p(1, 1) - c(1, 1) * p(1, 1, 1)
    ).scaled(Gaussian(2), pi_power=-1)
    return conclude(
        ("limit of (98)", "expansion with real C", TIME, CLOSED),
        exact("second order", classical(BLOCH.inv_T1[2].form, NAMES), times(2, c(1, 1))),
        exact("fourth order", classical(BLOCH.inv_T1[4].form, NAMES), paper),
        exact("real C from the start", classical(CLASSICAL.inv_T1[4].form, NAMES), paper),
        *_as_numbers(CLASSICAL.inv_T1[4], digits, real=True),
    )


def _models() -> dict[str, dict[str, Exponential]]:
    rate, strength = sympy.symbols("lambda Delta", positive=True)
    return {
        "E1": {name: Exponential(strength**2, rate) for name in NAMES},
        "E3": {
            "C1": Exponential(strength**2 / 2, rate),
            "C2": Exponential(sympy.Integer(0), rate),
        },
    }


def _rational(quantity: Quantity, model: str) -> list[Finding]:
    """Residues of the spectral form against the time integrals of the terms."""
    baths = _models()[model]
    left = rational_form(quantity.form, baths, _W0)
    right = rational_terms(_terms(quantity), baths, _W0)
    return [exact(f"{quantity.name}({quantity.order}) of ({model})", left, right)]


def classical_dephasing(digits: int) -> Evidence:
    """(141)."""
    limit = classical(BLOCH.inv_T2_prime[4].form, NAMES)
    return conclude(
        ("limit of (135)", SYMBOLIC, "residues", TIME, CLOSED),
        *_one_integral(limit, 1),
        *_rational(CLASSICAL.inv_T2_prime[4], "E1"),
        *_as_numbers(CLASSICAL.inv_T2_prime[4], digits, real=True),
    )


def model_E1(digits: int) -> Evidence:
    """(E1), (E2) and what (140), (141) give."""
    rate, strength = sympy.symbols("lambda Delta", positive=True)
    field = _models()["E1"]
    transform = sympy.pi * -2 * strength**2 * _W0 / (rate**2 + _W0**2)
    # G = int_0^inf dt Delta^2 e^{(i w0 - lambda) t}
    real, imaginary = sympy.expand_complex(strength**2 / (rate - sympy.I * _W0)).as_real_imag()
    square = rate**2 + _W0**2
    return conclude(
        ("residues of the spectral form", "rational time integrals"),
        exact("(E1) = 2 Re G", 2 * real, 2 * rate * strength**2 / square),
        exact("(E2) = -2 pi Im G", -2 * sympy.pi * imaginary, transform),
        exact("(E2) as used", rational_form(p(1, 1), field, _W0), transform),
        *[f for n in (2, 4) for f in _rational(CLASSICAL.inv_T1[n], "E1")],
        *_rational(CLASSICAL.inv_T2_prime[4], "E1"),
        exact(
            "1/T1 at fourth order",
            rational_form(BLOCH.inv_T1[4].form, field, _W0),
            -32 * rate * strength**4 * _W0**2 / square**3,
        ),
        exact(
            "1/T2' at fourth order",
            rational_form(BLOCH.inv_T2_prime[4].form, field, _W0),
            4 * strength**4 * _W0**2 * (5 * rate**2 + _W0**2) / (rate * square**3),
        ),
    )


def model_E3(digits: int) -> Evidence:
    """(E3), with omega_1 written Delta."""
    rate, strength = sympy.symbols("lambda Delta", positive=True)
    field = _models()["E3"]
    square = rate**2 + _W0**2
    t1 = 2 * rate * strength**4 * (rate**2 - 3 * _W0**2) / square**3
    t2 = strength**4 * (_W0**4 + 6 * rate**2 * _W0**2 - 3 * rate**4) / (2 * rate * square**3)
    return conclude(
        ("residues of the spectral form", "rational time integrals"),
        exact("(E3)", rational_form(c(1, 1), field, _W0), rate * strength**2 / square),
        *[f for n in (2, 4) for f in _rational(CLASSICAL.inv_T1[n], "E3")],
        *_rational(CLASSICAL.inv_T2_prime[4], "E3"),
        exact("1/T1 at fourth order", rational_form(BLOCH.inv_T1[4].form, field, _W0), t1),
        exact("1/T2' at fourth order", rational_form(BLOCH.inv_T2_prime[4].form, field, _W0), t2),
    )


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
    "pure_dephasing_terms": pure_dephasing_terms,
    "pure_dephasing_integral": pure_dephasing_integral,
    "classical_k_up": classical_k_up,
    "classical_T1": classical_T1,
    "classical_dephasing": classical_dephasing,
    "model_E1": model_E1,
    "model_E3": model_E3,
}
