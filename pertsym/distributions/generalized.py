"""Products of generalized functions: the currency of the distribution route.

A factor is a regularised function of one linear argument,

    S(x) = 1/(eps + i x) = pi D(x) - i P(x),
    D(x) = eps/(pi (eps^2 + x^2)),   P(x) = x/(eps^2 + x^2),   Q(x) = P(x)/x = 1/(eps^2 + x^2),

or one of their limits: delta^(m)(x), and fp^n = FP 1/x^n, Hadamard's finite part, which for n = 1
is Cauchy's principal value.  Arguments are a x + b y + shift; in a rule x and y are any
independent variables and the shift is a multiple of one constant a != 0, in a derivation they are
the two spectral frequencies w, w' and the shift is a linear form of transition frequencies.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.reduction.spectral import Denominators


class Kind(IntEnum):
    """The generalized functions; regularised ones first."""

    S = 0
    D = 1
    P = 2
    Q = 3
    DELTA = 4
    FP = 5


class Argument(NamedTuple):
    """x * first variable + y * second variable + shift."""

    x: int
    y: int
    shift: Frequency

    def scaled(self, n: int) -> Argument:
        return Argument(n * self.x, n * self.y, tuple(n * s for s in self.shift))

    def plus(self, other: Argument) -> Argument:
        return Argument(
            self.x + other.x,
            self.y + other.y,
            tuple(s + t for s, t in zip(self.shift, other.shift, strict=True)),
        )

    @property
    def constant(self) -> bool:
        """Whether neither variable occurs."""
        return not (self.x or self.y)


class Factor(NamedTuple):
    """One generalized function of one argument.

    Attributes
    ----------
    kind, argument
        Which function, of what.
    order
        Derivatives with respect to the argument; for FP the power n >= 1 of 1/x^n.
    regulator
        The convergence factor is exp(-regulator * eps * tau).  0 stands for one that vanishes
        before all others; limits have none and carry 0.
    """

    kind: Kind
    argument: Argument
    order: int
    regulator: int

    @property
    def is_limit(self) -> bool:
        return self.kind in (Kind.DELTA, Kind.FP)


class Product(NamedTuple):
    """coefficient * pi^pi_power * eps^eps_power / denominators * product of factors."""

    coefficient: Gaussian
    pi_power: int
    eps_power: int
    denominators: Denominators
    factors: tuple[Factor, ...]

    @property
    def is_limit(self) -> bool:
        return all(factor.is_limit for factor in self.factors)


def independent(factors: Iterable[Factor]) -> bool:
    """Whether the factors depend on one variable each, or on two independent ones."""
    directions = [factor.argument[:2] for factor in factors]
    if len(directions) == 1:
        return directions[0] != (0, 0)
    if len(directions) == 2:
        (a, b), (c, d) = directions
        return a * d != b * c
    return not directions


Combination = tuple[Product, ...]
"""A sum of products, collected and sorted."""


def oriented(factor: Factor) -> tuple[Factor, int]:
    """The factor with its first variable's coefficient positive, and the sign that this costs.

    D, Q and delta are even, P odd; each derivative and each power of 1/x changes the parity.
    S has none and stays.
    """
    x, y, _ = factor.argument
    if factor.kind is Kind.S or (x, y) >= (0, 0):
        return factor, 1
    odd = factor.order + (factor.kind is Kind.P)
    return factor._replace(argument=factor.argument.scaled(-1)), -1 if odd % 2 else 1


def collect(products: Iterable[Product]) -> Combination:
    """Orient the factors, add up equal products and drop those that cancel."""
    sums: dict[Product, Gaussian] = {}
    for product in products:
        z, factors = product.coefficient, []
        for factor in product.factors:
            turned, sign = oriented(factor)
            factors.append(turned)
            z = z * sign
        key = product._replace(coefficient=Gaussian(), factors=tuple(sorted(factors)))
        previous = sums.get(key)
        sums[key] = z if previous is None else previous + z
    order = sorted(sums, key=lambda key: key[1:])
    return tuple(key._replace(coefficient=sums[key]) for key in order if sums[key])


def derivative(products: Combination) -> Combination:
    """d/dx of a sum of products of one factor each, all of the same argument +x.

    FP 1/x^n is by definition the derivative that makes (FP 1/x^n)' = -n FP 1/x^(n+1).
    """
    result = []
    for product in products:
        if len(product.factors) != 1 or product.factors[0].argument[:2] != (1, 0):
            raise ValueError("derivative: needs products of one function of +x each")
        (factor,) = product.factors
        scale = -factor.order if factor.kind is Kind.FP else 1
        result.append(
            product._replace(
                coefficient=product.coefficient * scale,
                factors=(factor._replace(order=factor.order + 1),),
            )
        )
    return collect(result)
