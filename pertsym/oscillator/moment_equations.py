"""Equations of motion of the second moments under Eq. (23), and what static spins do to them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import sympy

from pertsym.oscillator.heisenberg import FREQUENCY, MASS, TIME
from pertsym.oscillator.master_equation import (
    COEFFICIENTS,
    DISSIPATION,
    NOISE,
    generator,
    master_equation,
)
from pertsym.oscillator.weyl import P, Weyl, X

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
