"""Generalized functions as values: regularised ones, which multiply, and limits, which pair.

A limit is known by what it does to test functions: it has no values at points, and two limits
of the same variable have no product; both requests raise and say what to do instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Self

import numpy as np

from pertsym.distributions.generalized import (
    Argument,
    Combination,
    Factor,
    Kind,
    Product,
    collect,
    independent,
)
from pertsym.distributions.generalized import derivative as derivative_of
from pertsym.distributions.identities import delta, fp, term
from pertsym.distributions.notation import combination_latex, combination_text
from pertsym.distributions.numerics import Divergent, TestFunction, gaussian, pair
from pertsym.distributions.regularised import Complex, Real, evaluate_factor
from pertsym.distributions.rewriting import rewrite
from pertsym.exact import Gaussian

X = Argument(1, 0, (0,))
"""The variable x."""

Y = Argument(0, 1, (0,))
"""The variable y, independent of x."""


class PointwiseEvaluation(TypeError):
    """A limit was asked for its value at a point."""


class UndefinedProduct(TypeError):
    """Two limits of dependent variables were multiplied."""


@dataclass(frozen=True)
class _Sum:
    products: Combination

    def __str__(self) -> str:
        return combination_text(self.products)

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"

    def latex(self) -> str:
        """The sum in LaTeX, over x and y."""
        return combination_latex(self.products)

    def __add__(self, other: Self) -> Self:
        return type(self)(collect((*self.products, *other.products)))

    def scaled(self, z: Gaussian | Fraction | int) -> Self:
        """It times an exact number."""
        return type(self)(_scaled(self.products, z))

    def derivative(self) -> Self:
        """d/dx; for sums of single functions or limits of x."""
        return type(self)(derivative_of(self.products))


@dataclass(frozen=True)
class Regularised(_Sum):
    """A sum of products of S, D, P and Q at finite eps; an ordinary function."""

    def __call__(self, x: Real | float, eps: float, y: Real | float = 0.0) -> Complex:
        """Values at real points; shapes broadcast."""
        xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        total = np.zeros(np.broadcast_shapes(xs.shape, ys.shape), dtype=np.complex128)
        for product in self.products:
            value = complex(product.coefficient) * np.pi**product.pi_power
            values = np.asarray(value * eps**product.eps_power)
            for factor in product.factors:
                values = values * evaluate_factor(factor, xs, ys, eps, 1.0)
            total = total + values
        return total

    def __mul__(self, other: Regularised) -> Regularised:
        return Regularised(_multiplied(self.products, other.products))

    def limit(self) -> Distribution:
        """The limit eps -> 0, pinches 1/eps kept, by the rules of `identities`.

        Raises
        ------
        NotClosed
            If no rule applies.
        """
        sweeps = rewrite(self.products)
        return Distribution(sweeps[-1].products if sweeps else self.products)


@dataclass(frozen=True)
class Distribution(_Sum):
    """A sum of products of delta^(m) and FP 1/x^n, possibly with weights 1/eps."""

    def __call__(self, *points: object) -> complex:
        """Not defined: always raises `PointwiseEvaluation`."""
        raise PointwiseEvaluation(
            f"{self} has no value at a point; pair it with a test function: .pair(f)"
        )

    def __sub__(self, other: Distribution) -> Distribution:
        return self + other.scaled(-1)

    def __mul__(self, other: Distribution) -> Distribution:
        """The tensor product of limits in independent variables.

        Raises
        ------
        UndefinedProduct
            If both sides depend on one and the same combination of variables.
        """
        product = _multiplied(self.products, other.products)
        for item in product:
            if not independent(item.factors):
                raise UndefinedProduct(
                    f"({self}) times ({other}): limits of dependent variables have no product; "
                    "multiply the regularised functions, then take .limit()"
                )
        return Distribution(product)

    @property
    def pinch(self) -> Distribution:
        """The coefficient of 1/eps."""
        return Distribution(
            tuple(p._replace(eps_power=0) for p in self.products if p.eps_power == -1)
        )

    @property
    def finite(self) -> Distribution:
        """The terms without 1/eps."""
        return Distribution(tuple(p for p in self.products if not p.eps_power))

    def pair(self, f: TestFunction, g: TestFunction | None = None) -> complex:
        """int dx f(x) ..., or int int dx dy f(x) g(y) ...

        Raises
        ------
        Divergent
            If a term in 1/eps is left.
        """
        if self.finite != self:
            raise Divergent(
                f"{self}: a term in 1/eps has no value; it must cancel in a sum first, or be asked "
                "for by .pinch"
            )
        return pair(self.products, f, g or gaussian())


def delta_function(order: int = 0, argument: Argument = X) -> Distribution:
    """delta^(order)."""
    return Distribution((term(1, delta(argument, order)),))


def principal_value(argument: Argument = X) -> Distribution:
    """Cauchy's principal value of 1/x."""
    return finite_part(1, argument)


def finite_part(power: int, argument: Argument = X) -> Distribution:
    """Hadamard's finite part of 1/x^power, power >= 1."""
    if power < 1:
        raise ValueError(f"power: the finite part is that of 1/x^n with n >= 1, got {power}")
    return Distribution((term(1, fp(argument, power)),))


def regularised(name: str, argument: Argument = X) -> Regularised:
    """S, D, P or Q = P(x)/x of one argument.

    Raises
    ------
    ValueError
        For other names.
    """
    if name not in ("S", "D", "P", "Q"):
        raise ValueError(f"name: the regularised functions are S, D, P and Q, got {name!r}")
    return Regularised((term(1, Factor(Kind[name], argument, 0, 1)),))


def _multiplied(left: Combination, right: Combination) -> Combination:
    # combinations over x and y carry no denominators: those come with constants only
    return collect(
        Product(
            p.coefficient * q.coefficient,
            p.pi_power + q.pi_power,
            p.eps_power + q.eps_power,
            (),
            (*p.factors, *q.factors),
        )
        for p in left
        for q in right
    )


def _scaled(products: Combination, z: Gaussian | Fraction | int) -> Combination:
    return collect(p._replace(coefficient=p.coefficient * z) for p in products)
