"""S, D, P and Q at finite eps: exact rational functions, and their numerical values.

Laurent polynomials and rational functions over the Gaussian rationals carry the proofs: an
identity at finite eps is an equality of rational functions of x, y, a and eps (pi enters as one
more indeterminate, which is sound because it is transcendental), and a limit is an equality of
Laurent polynomials of the dual variables.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import factorial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pertsym.distributions.generalized import Combination, Factor, Kind
from pertsym.exact import Gaussian

Exponents = tuple[int, int, int, int, int]
"""Powers of (pi, eps, first variable, second variable, a)."""

PI: Final = 0
EPS: Final = 1
FIRST: Final = 2
SECOND: Final = 3
SHIFT: Final = 4


class Laurent:
    """A finite sum of coefficient * pi^i eps^j x^k y^l a^m with integer exponents; immutable."""

    __slots__ = ("terms",)
    terms: Mapping[Exponents, Gaussian]

    def __init__(self, terms: Mapping[Exponents, Gaussian]) -> None:
        self.terms = {key: terms[key] for key in sorted(terms) if terms[key]}

    def __add__(self, other: Laurent) -> Laurent:
        sums = dict(self.terms)
        for key, z in other.terms.items():
            sums[key] = sums[key] + z if key in sums else z
        return Laurent(sums)

    def __neg__(self) -> Laurent:
        return Laurent({key: -z for key, z in self.terms.items()})

    def __sub__(self, other: Laurent) -> Laurent:
        return self + -other

    def __mul__(self, other: Laurent) -> Laurent:
        sums: dict[Exponents, Gaussian] = {}
        for (i, j, k, l, m), z in self.terms.items():  # noqa: E741 - exponents, in order
            for (p, q, r, s, t), u in other.terms.items():
                key = (i + p, j + q, k + r, l + s, m + t)
                sums[key] = sums[key] + z * u if key in sums else z * u
        return Laurent(sums)

    def __pow__(self, n: int) -> Laurent:
        if n < 0:
            raise ValueError(f"only non-negative powers of a sum are polynomials, got {n}")
        result = constant(1)
        for _ in range(n):
            result = result * self
        return result

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Laurent) and self.terms == other.terms

    def __hash__(self) -> int:
        return hash(tuple(self.terms.items()))

    def __repr__(self) -> str:
        return f"Laurent({dict(self.terms)!r})"

    def derivative(self, variable: int) -> Laurent:
        """The partial derivative with respect to one variable."""
        step = power(variable, -1)
        return Laurent({key: z * key[variable] for key, z in self.terms.items()}) * step

    def substituted(self, variable: int, value: Laurent) -> Laurent:
        """The polynomial with one variable, in non-negative powers, replaced by `value`."""
        total = constant(0)
        for key, z in self.terms.items():
            rest = Laurent({key: z}) * power(variable, -key[variable])
            total = total + rest * value ** key[variable]
        return total

    def truncated(self, variable: int, highest: int) -> Laurent:
        """The terms whose power of one variable does not exceed `highest`."""
        return Laurent({key: z for key, z in self.terms.items() if key[variable] <= highest})


def constant(z: Gaussian | Fraction | int) -> Laurent:
    return Laurent({(0, 0, 0, 0, 0): z if isinstance(z, Gaussian) else Gaussian(z)})


def power(variable: int, n: int = 1) -> Laurent:
    """One variable to an integer power."""
    i, j, k, m, s = (n if index == variable else 0 for index in range(5))
    return Laurent({(i, j, k, m, s): Gaussian(1)})


def linear(first: int, second: int, shift: int = 0) -> Laurent:
    """first * x + second * y + shift * a."""
    return (
        constant(first) * power(FIRST)
        + constant(second) * power(SECOND)
        + constant(shift) * power(SHIFT)
    )


@dataclass(frozen=True)
class Rational:
    """numerator/denominator; equality is decided by cross-multiplication."""

    numerator: Laurent
    denominator: Laurent

    def __add__(self, other: Rational) -> Rational:
        return Rational(
            self.numerator * other.denominator + other.numerator * self.denominator,
            self.denominator * other.denominator,
        )

    def __mul__(self, other: Rational) -> Rational:
        return Rational(self.numerator * other.numerator, self.denominator * other.denominator)

    def derivative(self, variable: int) -> Rational:
        """The partial derivative with respect to one variable."""
        n, d = self.numerator, self.denominator
        return Rational(n.derivative(variable) * d - n * d.derivative(variable), d * d)

    def substituted(self, variable: int, value: Laurent) -> Rational:
        """The function with one variable replaced by a polynomial."""
        return Rational(
            self.numerator.substituted(variable, value),
            self.denominator.substituted(variable, value),
        )

    def equals(self, other: Rational) -> bool:
        """Whether both are the same rational function."""
        return self.numerator * other.denominator == other.numerator * self.denominator


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
