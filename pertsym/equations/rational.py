"""Exponential correlation functions: every quantity becomes a rational function.

For C(t) = A exp(-lambda t), A and lambda real and positive (a classical Markov process), a spectral
form and its time-domain terms are both rational in w0, lambda and A, by two routes that meet only
in the result: residues of the closed spectral form, and the elementary integrals of the terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import sympy

from pertsym.equations.denominator_rule import over_gaps
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.expansion.terms import Factor, TimeIntegrand
from pertsym.reduction.spectral import Atom, MatrixElement, SpectralForm, SpectralIntegral, Value


class Exponential(NamedTuple):
    """C(t) = amplitude * exp(-rate |t|), symbols or positive numbers."""

    amplitude: sympy.Expr
    rate: sympy.Expr


Exponentials = Mapping[str, Exponential]

_W = sympy.Symbol("w", real=True)


def rational_form(form: SpectralForm, baths: Exponentials, w0: sympy.Symbol) -> sympy.Expr:
    """A two-level spectral form as one factored rational function, matrix elements as real symbols.

    Ĉ(w) = 2 lambda A/(lambda^2 + w^2) and P(w) = -2 pi A w/(lambda^2 + w^2), Eq. (E2); finite-part
    integrals by the residues in the upper half plane.
    """
    total = sympy.Integer(0)
    for m, z in form:
        term = _number(z) * sympy.pi**m.pi_power
        for (n,), power in m.denominators:
            term /= (n * w0) ** power
        for atom in m.atoms:
            term *= _atom(atom, baths, w0)
        total += term
    return sympy.factor(sympy.together(total))


def rational_terms(integrand: TimeIntegrand, baths: Exponentials, w0: sympy.Symbol) -> sympy.Expr:
    """The integral of two-level time-domain terms over all gaps, as one rational function."""

    def exponentials(factor: Factor) -> list[Exponential]:
        return [baths[factor.name]]

    def inverse(rates: list[sympy.Expr], x: Frequency) -> sympy.Expr:
        return 1 / (sympy.Add(*rates) + sympy.I * x[0] * w0)

    terms = over_gaps(integrand, exponentials, inverse)
    total = sympy.Add(
        *(
            _number(term.coefficient) * value * sympy.prod(map(_element, term.shape.strengths))
            for term, value in terms
        )
    )
    if integrand.real_part:
        total = (total + total.subs(sympy.I, -sympy.I)) / 2
    return sympy.factor(sympy.together(sympy.expand_complex(sympy.together(total))))


def _number(z: Gaussian) -> sympy.Expr:
    return sympy.Rational(z.re.numerator, z.re.denominator) + sympy.I * sympy.Rational(
        z.im.numerator, z.im.denominator
    )


def _element(name: str) -> sympy.Symbol:
    return sympy.Symbol(name, real=True)


def _spectrum(bath: Exponential, w: sympy.Expr) -> sympy.Expr:
    return 2 * bath.rate * bath.amplitude / (bath.rate**2 + w**2)


def _transform(bath: Exponential, w: sympy.Expr) -> sympy.Expr:
    return -2 * sympy.pi * bath.amplitude * w / (bath.rate**2 + w**2)


def _atom(atom: Atom, baths: Exponentials, w0: sympy.Symbol) -> sympy.Expr:
    if isinstance(atom, Value):
        function = _spectrum if atom.kind == "C" else _transform
        value = sympy.diff(function(baths[atom.name], _W), _W, atom.derivative)
        return value.subs(_W, atom.frequency[0] * w0)
    if isinstance(atom, SpectralIntegral) and atom.kind == "CC":
        return _finite_part(atom, baths, w0)
    if isinstance(atom, MatrixElement):
        return _element(atom.name)
    raise ValueError(f"{atom} has no rational form for exponential correlation functions")


def _finite_part(integral: SpectralIntegral, baths: Exponentials, w0: sympy.Symbol) -> sympy.Expr:
    """FP int dw Ĉ_A(w) Ĉ_B(shift -+ w)/(w - a)^n = Re 2 pi i sum of the residues above the axis.

    The pole a on the axis contributes pi i times a real number, hence nothing to the real part.
    """
    a, b = baths[integral.name], baths[integral.other]
    shift, pole = _scaled(integral.shift, w0), _scaled(integral.pole, w0)
    argument = shift + integral.reflect * _W
    integrand = _spectrum(a, _W) * _spectrum(b, argument) / (_W - pole) ** integral.order
    above = {sympy.I * a.rate, integral.reflect * (sympy.I * integral.reflect * b.rate - shift)}
    total = sympy.Integer(0)
    for z in sorted(above, key=sympy.default_sort_key):
        # Double where both spectra share the pole; the extra factor is harmless where they do not.
        total += sympy.diff(sympy.cancel(integrand * (_W - z) ** 2), _W).subs(_W, z)
    return sympy.simplify(sympy.re(sympy.expand_complex(2 * sympy.pi * sympy.I * total)))


def _scaled(form: Frequency, w0: sympy.Symbol) -> sympy.Expr:
    return form[0] * w0
