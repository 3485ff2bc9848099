"""The second-order time-convolutionless master equation of an oscillator coupled by X.

H = H_S + H_B + X (x) B with any stationary bath, C(tau) = <B(tau) B(0)> = nu(tau) - i eta(tau).
Equations (6), (7), (23) and (24) of Schlosshauer, Hines and Milburn come out of the ordered
cumulant and the algebra of X and P.  Each coefficient is a half-sided Fourier transform of Re C or
Im C at +-Omega0; the reduction that serves the Bloch equations turns it into values of Ĉ and P,
with Ĉ(w > 0) = 2 J(w) [n(w) + 1] for bosons and P(w) = P int dw' Ĉ(w')/(w' - w).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Final

import sympy

from pertsym.exact import Gaussian
from pertsym.expansion.cumulants import ordered_cumulant
from pertsym.expansion.terms import Factor, Shape, Term, TimeIntegrand
from pertsym.oscillator.weyl import (
    FREQUENCY,
    MASS,
    TIME,
    P,
    Superoperator,
    Weyl,
    X,
    heisenberg,
    oscillator_hamiltonian,
)
from pertsym.reduction.arc_length_reduction import reduce_real
from pertsym.reduction.spectral import SpectralForm, reciprocal

NOISE, DISSIPATION = sympy.symbols("nu eta", real=True)
"""nu(tau) = Re C(tau) and eta(tau) = -Im C(tau)."""

CORRELATION: Final = NOISE - sympy.I * DISSIPATION

COEFFICIENTS: Final = ("gamma", "D", "f", "frequency_shift_squared")
"""Damping rate, normal and anomalous diffusion, and the shift of Omega0^2, Eq. (24)."""


def second_order_integrand(coupling: Weyl, earlier: Weyl) -> Superoperator:
    """The integrand over tau of the second-order generator, Eq. (6).

    From the surviving words of the ordered cumulant: a pair with the earlier time tau ago is
    contracted as -S^x [C(tau) S(-tau)^L - C(tau)* S(-tau)^R], S^x the commutator.
    """
    total = Superoperator({})
    pair = {0: coupling, 1: earlier}
    for pairing, words in ordered_cumulant(2):
        ((late, early),) = pairing
        inner = Superoperator.left(pair[early]).scaled(CORRELATION)
        inner = inner - Superoperator.right(pair[early]).scaled(sympy.conjugate(CORRELATION))
        for word, sign in words.items():
            if word != (late, early):
                raise AssertionError("a pair has one time order")
            total = total + (Superoperator.commutator(pair[late]) * inner).scaled(-sign)
    return total


@dataclass(frozen=True)
class MasterEquation:
    """d rho/dt = -i [H_S, rho] + integral of `integrand` over tau > 0.

    Attributes
    ----------
    earlier
        X(-tau), the coupling in the interaction picture.
    integrand
        The dissipator's integrand as a superoperator.
    kernels
        Name of a coefficient -> its integrand over tau, in nu, eta, cos and sin: Eq. (24).
    """

    earlier: Weyl
    integrand: Superoperator
    kernels: Mapping[str, sympy.Expr]


def terms_of_the_equation() -> Mapping[str, Superoperator]:
    """What each coefficient multiplies in Eq. (23)."""
    x = Superoperator.commutator(X)
    return MappingProxyType(
        {
            "gamma": (x * Superoperator.anticommutator(P)).scaled(-sympy.I),
            "D": (x * x).scaled(-1),
            "f": (x * Superoperator.commutator(P)).scaled(-1),
            "frequency_shift_squared": Superoperator.commutator(X * X).scaled(-sympy.I * MASS / 2),
        }
    )


@cache
def master_equation() -> MasterEquation:
    """Derive Eqs. (6), (7), (23) and (24).

    Raises
    ------
    AssertionError
        If the generator is not a combination of the four terms of (23): nothing may be shown.
    """
    earlier = heisenberg(oscillator_hamiltonian(), X, -TIME)
    integrand = second_order_integrand(X, earlier)
    unknown = {name: sympy.Symbol(name) for name in COEFFICIENTS}
    ansatz = Superoperator({})
    for name, term in terms_of_the_equation().items():
        ansatz = ansatz + term.scaled(unknown[name])
    equations = list((ansatz - integrand).terms.values())
    solutions = sympy.linsolve(equations, *unknown.values())
    if not solutions:
        raise AssertionError("the generator has terms beyond those of Eq. (23)")
    (values,) = solutions
    kernels = {n: sympy.expand(v) for n, v in zip(unknown, values, strict=True)}
    return MasterEquation(earlier, integrand, MappingProxyType(kernels))


def generator(coefficients: Mapping[str, sympy.Expr]) -> Superoperator:
    """The right-hand side of Eq. (23) with these coefficients, H_S included."""
    total = Superoperator.commutator(oscillator_hamiltonian()).scaled(-sympy.I)
    for name, term in terms_of_the_equation().items():
        total = total + term.scaled(coefficients[name])
    return total


BATH = "B"
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
        shape = Shape((Factor(1, 1, BATH, bool(mirrored)),), ((behind - ahead,),))
        yield Term(Gaussian(_fraction(real), _fraction(imaginary)), shape)


def _fraction(value: sympy.Expr) -> Fraction:
    number = sympy.Rational(value)
    return Fraction(int(number.p), int(number.q))


C0: Final = sympy.Symbol("C0", positive=True)
"""The static part of C(tau): the variance of a force that never changes."""

MOMENTS: Final[Mapping[str, Weyl]] = MappingProxyType(
    {
        "XX": X * X,
        "XP": (X * P + P * X).scaled(sympy.Rational(1, 2)),
        "PP": P * P,
    }
)


def second_moments(coefficients: Mapping[str, sympy.Expr]) -> sympy.Matrix:
    """d(<X^2>, <XP+PX>/2, <P^2>)/dt = matrix (<X^2>, <XP+PX>/2, <P^2>, 1): 3 x 4, from (23)."""
    whole = generator(coefficients)
    rows = []
    for operator in MOMENTS.values():
        image = whole.adjoint_on(operator)
        mixed = image.coefficient(1, 1)
        # X P = (X P + P X)/2 + i/2
        constant = image.coefficient(0, 0) + sympy.I * mixed / 2
        rows.append([image.coefficient(2, 0), mixed, image.coefficient(0, 2), constant])
    return sympy.Matrix(rows).applyfunc(sympy.simplify)


def static_coefficients(until: sympy.Expr) -> Mapping[str, sympy.Expr]:
    """The coefficients of a constant nu = C0 at a finite time since the product state."""
    return MappingProxyType(
        {
            name: sympy.integrate(
                master_equation().kernels[name].subs({NOISE: C0, DISSIPATION: 0}),
                (TIME, 0, until),
            )
            for name in COEFFICIENTS
        }
    )


def static_limit() -> Mapping[str, sympy.Expr]:
    """The same for t -> infinity in the sense of Abel, e^{-eps tau} under the integral."""
    eps = sympy.Symbol("epsilon", positive=True)
    result = {}
    for name in COEFFICIENTS:
        kernel = master_equation().kernels[name].subs({NOISE: C0, DISSIPATION: 0})
        damped = sympy.integrate(kernel * sympy.exp(-eps * TIME), (TIME, 0, sympy.oo))
        result[name] = sympy.limit(sympy.simplify(damped), eps, 0, "+")
    return MappingProxyType(result)


def displacement(until: sympy.Expr) -> sympy.Matrix:
    """(<X^2>, <XP+PX>/2, <P^2>) added by a static random force of variance C0, exactly.

    X'' = -Omega0^2 X - F/M from rest: X = -F (1 - cos Omega0 t)/(M Omega0^2), P = M X'.
    """
    x = -(1 - sympy.cos(FREQUENCY * until)) / (MASS * FREQUENCY**2)
    p = MASS * sympy.diff(x, until)
    return C0 * sympy.Matrix([x * x, x * p, p * p])
