"""The second-order time-convolutionless master equation of an oscillator coupled by X.

H = H_S + H_B + X (x) B with any stationary bath, C(tau) = <B(tau) B(0)> = nu(tau) - i eta(tau).
Equations (6), (7), (23) and (24) of Schlosshauer, Hines and Milburn come out of the ordered
cumulant and the algebra of X and P.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

import sympy

from pertsym.expansion.cumulants import ordered_cumulant
from pertsym.oscillator.heisenberg import (
    FREQUENCY,
    MASS,
    TIME,
    heisenberg,
    oscillator_hamiltonian,
)
from pertsym.oscillator.weyl import P, Superoperator, Weyl, X

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


__all__ = [
    "COEFFICIENTS",
    "CORRELATION",
    "DISSIPATION",
    "FREQUENCY",
    "MASS",
    "NOISE",
    "TIME",
    "MasterEquation",
    "generator",
    "master_equation",
    "second_order_integrand",
    "terms_of_the_equation",
]
