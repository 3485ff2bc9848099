"""The coefficients of the oscillator's master equation as closed spectral forms.

Each is a half-sided Fourier transform of Re C or Im C at +-Omega0; the reduction that serves the
Bloch equations turns it into values of Ĉ and P, with Ĉ(w > 0) = 2 J(w) [n(w) + 1] for bosons and
P(w) = P int dw' Ĉ(w')/(w' - w).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import MappingProxyType

import sympy

from pertsym.exact import Gaussian
from pertsym.expansion.terms import Factor, Shape, Term, TimeIntegrand
from pertsym.oscillator.heisenberg import FREQUENCY, MASS, TIME
from pertsym.oscillator.master_equation import (
    COEFFICIENTS,
    DISSIPATION,
    NOISE,
    master_equation,
)
from pertsym.reduction.arc_length_reduction import reduce_real
from pertsym.reduction.spectral import SpectralForm, reciprocal

CORRELATION = "B"
"""Name of the bath's correlation function in the forms."""


@dataclass(frozen=True)
class CoefficientForm:
    """One coefficient of Eq. (23): its terms in time and its spectral form, over M^mass_power.

    Attributes
    ----------
    name
        One of `COEFFICIENTS`.
    kernel
        The integrand of Eq. (24).
    terms
        M^mass_power times the coefficient as terms in C and phases, times the power of Omega0 in
        the denominator of the kernel.
    form
        M^mass_power times the coefficient; its one transition frequency is Omega0.
    mass_power
        Power of M in the denominator of the kernel.
    """

    name: str
    kernel: sympy.Expr
    terms: TimeIntegrand
    form: SpectralForm
    mass_power: int


@cache
def coefficient_forms() -> Mapping[str, CoefficientForm]:
    """Derive all four, by name."""
    kernels = master_equation().kernels
    return MappingProxyType({name: _reduced(name, kernels[name]) for name in COEFFICIENTS})


def _reduced(name: str, kernel: sympy.Expr) -> CoefficientForm:
    numerator, denominator = sympy.fraction(sympy.together(kernel))
    powers = sympy.Poly(denominator, MASS, FREQUENCY)
    ((mass, frequency), scale) = powers.terms()[0]
    if len(powers.terms()) != 1:
        raise AssertionError(f"{name}: its kernel is not a monomial over M and Omega0")
    integrand = TimeIntegrand.collect(2, _terms(numerator / scale)).real_parts()
    form = reduce_real(integrand)
    if frequency:
        denominators, factor = reciprocal((1,), frequency)
        form = form.scaled(Gaussian(factor), 0, denominators)
    return CoefficientForm(name, kernel, integrand, form, int(mass))


def _terms(expression: sympy.Expr) -> Iterator[Term]:
    """nu, eta, cos and sin in C, C*, e^{i Omega0 tau} and e^{-i Omega0 tau}."""
    c, conjugated, forward, backward = sympy.symbols("C C_conjugate forward backward")
    angle = FREQUENCY * TIME
    replaced = expression.subs(
        {
            NOISE: (c + conjugated) / 2,
            DISSIPATION: sympy.I * (c - conjugated) / 2,
            sympy.cos(angle): (forward + backward) / 2,
            sympy.sin(angle): (forward - backward) / (2 * sympy.I),
        }
    )
    poly = sympy.Poly(sympy.expand(replaced), c, conjugated, forward, backward)
    for (plain, mirrored, ahead, behind), coefficient in poly.terms():
        if (plain + mirrored, ahead + behind) != (1, 1):
            raise AssertionError(f"{expression}: a term is not one C times one phase")
        real, imaginary = coefficient.as_real_imag()
        # a phase is written exp(-i x tau)
        shape = Shape((Factor(1, 1, CORRELATION, bool(mirrored)),), ((behind - ahead,),))
        yield Term(Gaussian(_fraction(real), _fraction(imaginary)), shape)


def _fraction(value: sympy.Expr) -> Fraction:
    number = sympy.Rational(value)
    return Fraction(int(number.p), int(number.q))
