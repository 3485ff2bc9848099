"""S, D, P and Q at finite eps: exact rational functions, and their numerical values."""

from __future__ import annotations

import math
from functools import lru_cache
from math import factorial

import numpy as np
from numpy.typing import NDArray

from pertsym.distributions.generalized import Combination, Factor, Kind
from pertsym.distributions.laurent import (
    EPS,
    FIRST,
    PI,
    Laurent,
    Rational,
    constant,
    linear,
    power,
)
from pertsym.exact import Gaussian

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


def rational(products: Combination) -> Rational:
    """The sum as one rational function of x, y, a, eps (and pi).

    Raises
    ------
    ValueError
        For a delta function, which is none.
    """
    total = Rational(constant(0), constant(1))
    for product in products:
        weight = power(PI, product.pi_power) * power(EPS, product.eps_power)
        value = Rational(constant(product.coefficient) * weight, constant(1))
        for form, n in product.denominators:
            value = value * Rational(constant(1), linear(0, 0, form[0]) ** n)
        for factor in product.factors:
            value = value * _factor(factor)
        total = total + value
    return total


@lru_cache(maxsize=1024)
def _factor(factor: Factor) -> Rational:
    x, y, (a,) = factor.argument
    t = linear(x, y, a)
    if factor.kind is Kind.FP:
        return Rational(constant(1), t**factor.order)
    value = _definition(factor.kind, constant(factor.regulator) * power(EPS))
    for _ in range(factor.order):
        value = value.derivative(FIRST)
    return value.substituted(FIRST, t)


def _definition(kind: Kind, eps: Laurent) -> Rational:
    """(B1), (B3), (B4) as functions of the first variable."""
    x = power(FIRST)
    square = eps * eps + x * x
    match kind:
        case Kind.S:
            return Rational(constant(1), eps + constant(Gaussian(0, 1)) * x)
        case Kind.D:
            return Rational(eps, power(PI) * square)
        case Kind.P:
            return Rational(x, square)
        case Kind.Q:
            return Rational(constant(1), square)
    raise ValueError(f"{kind.name} is no function at finite eps; take its pairing instead")


def evaluate_factor(factor: Factor, x: Real, y: Real, eps: float, a: float) -> Complex:
    """Values of one factor at real points (FP 1/x^n away from its zero); shapes broadcast.

    Straight from (B1), (B3), (B4), not through the rational functions of the proofs.  `a` is the
    constant in the arguments of the rules.

    Raises
    ------
    ValueError
        For a delta function, which has no values, and for high derivatives.
    """
    argument = factor.argument
    t = argument.x * x + argument.y * y + argument.shift[0] * a
    return _values(factor, t, factor.regulator * eps).astype(np.complex128)


def _values(factor: Factor, t: Real, eps: float) -> Real | Complex:
    m, square = factor.order, eps**2 + t**2
    match factor.kind, m:
        case Kind.FP, _:
            return t ** (-float(m))
        case Kind.S, _:
            return np.asarray(factorial(m) * (-1j) ** m / (eps + 1j * t) ** (m + 1))
        case Kind.D, 0:
            return eps / (math.pi * square)
        case Kind.D, 1:
            return -2 * eps * t / (math.pi * square**2)
        case Kind.P, 0:
            return t / square
        case Kind.P, 1:
            return (eps**2 - t**2) / square**2
        case Kind.Q, 0:
            return 1 / square
    raise ValueError(f"no numerical values for {factor.kind.name} of order {m}")
