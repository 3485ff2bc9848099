"""Checks of Secs. IV C, V and Appendix E: pure dephasing and the stochastic bath."""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from derivations.laird_budimir_skinner_1991.common import (
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
    over_w0,
    p,
    sample_baths,
    times,
    triple,
    up_to_relabelling,
)
from derivations.laird_budimir_skinner_1991.rates_checks import TEN_TERMS, as_numbers, terms_of
from pertsym.certify.claims import Check, Evidence, Finding, close, conclude, exact
from pertsym.certify.time_domain import time_integral
from pertsym.distributions.route import reduce_real as reduce_by_distributions
from pertsym.equations.rational import Exponential, rational_form, rational_terms
from pertsym.equations.series import Quantity
from pertsym.equations.thermal import classical, zero_temperature
from pertsym.exact import Gaussian
from pertsym.expansion.terms import Shape, Term, TimeIntegrand
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm, SpectralIntegral

NAMES = ("C1", "C2")
_W, _W0 = sympy.symbols("w w0", positive=True)


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
        exact("(134)", up_to_relabelling(terms_of(quantity)), up_to_relabelling(both)),
        exact(
            "even in w0",
            up_to_relabelling(terms_of(quantity).reversed_frequencies()),
            up_to_relabelling(terms_of(quantity)),
        ),
        exact(
            "(132)",
            quantity.form,
            BLOCH.inv_T2[4].form - times(HALF, BLOCH.inv_T1[4].form),
        ),
    ]
    for seed in (1, 2):
        baths = sample_baths(seed)
        left = time_integral(terms_of(quantity), baths, (W0,), digits + 10).real
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
        exact("generalized functions", reduce_by_distributions(terms_of(quantity)), quantity.form),
        exact("(1/T2')(4) = 0 at T = 0", zero_temperature(quantity.form), ZERO_FORM),
        *as_numbers(quantity, digits),
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
            for z, s in terms_of(BLOCH.k_up[4])
        ),
        frozenset(NAMES),
    )
    derived = terms_of(CLASSICAL.k_up[4])
    return conclude(
        ("expansion with real C", "terms of (90) with C* = C", TIME, CLOSED),
        exact("(136)", up_to_relabelling(derived), up_to_relabelling(paper)),
        exact("(90) with C* = C", up_to_relabelling(quantum), up_to_relabelling(paper)),
        *as_numbers(CLASSICAL.k_up[4], digits, real=True),
    )


def classical_T1(digits: int) -> Evidence:
    """(140): (80) and (98) for even spectra, and directly."""
    paper = (over_w0(c(2, 1) * p(2, 1)) - c(1, 1, 1) * p(1, 1) - c(1, 1) * p(1, 1, 1)).scaled(
        Gaussian(2), pi_power=-1
    )
    return conclude(
        ("limit of (98)", "expansion with real C", TIME, CLOSED),
        exact("second order", classical(BLOCH.inv_T1[2].form, NAMES), times(2, c(1, 1))),
        exact("fourth order", classical(BLOCH.inv_T1[4].form, NAMES), paper),
        exact("real C from the start", classical(CLASSICAL.inv_T1[4].form, NAMES), paper),
        *as_numbers(CLASSICAL.inv_T1[4], digits, real=True),
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
    right = rational_terms(terms_of(quantity), baths, _W0)
    return [exact(f"{quantity.name}({quantity.order}) of ({model})", left, right)]


def classical_dephasing(digits: int) -> Evidence:
    """(141)."""
    limit = classical(BLOCH.inv_T2_prime[4].form, NAMES)
    return conclude(
        ("limit of (135)", SYMBOLIC, "residues", TIME, CLOSED),
        *_one_integral(limit, 1),
        *_rational(CLASSICAL.inv_T2_prime[4], "E1"),
        *as_numbers(CLASSICAL.inv_T2_prime[4], digits, real=True),
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
    "pure_dephasing_terms": pure_dephasing_terms,
    "pure_dephasing_integral": pure_dephasing_integral,
    "classical_k_up": classical_k_up,
    "classical_T1": classical_T1,
    "classical_dephasing": classical_dephasing,
    "model_E1": model_E1,
    "model_E3": model_E3,
}
