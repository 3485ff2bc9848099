"""Rational functions whose denominators are products of linear forms: exact, and kept factored.

Perturbation theory with exponential correlation functions divides only by sums of exponents and
transition frequencies.  A value here is a polynomial over the rationals together with the powers
of the linear forms below it; a common denominator is then a matter of counting, and no greatest
common divisor is ever computed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import gcd, prod
from typing import Any

import flint
import mpmath
import sympy

LinearForm = tuple[int, ...]
"""Integer coefficients of a ring's variables; in denominators coprime, the first one positive."""

Polynomial = Any
"""flint.fmpq_mpoly, which has no type of its own that a checker could follow."""


@dataclass(frozen=True, eq=False)
class Ring:
    """Q[names] and its fractions over linear forms.

    Attributes
    ----------
    names
        The variables, in the order of the coefficients of a linear form.
    """

    names: tuple[str, ...]

    @cached_property
    def _context(self) -> Any:
        return flint.fmpq_mpoly_ctx.get(self.names, flint.Ordering.degrevlex)

    @cached_property
    def _polynomials(self) -> dict[LinearForm, Polynomial]:
        return {}

    def variable(self, name: str) -> LinearFraction:
        """The variable of this name.

        Raises
        ------
        ValueError
            If the ring has none of this name.
        """
        if name not in self.names:
            raise ValueError(f"name: {name!r} is no variable of {', '.join(self.names)}")
        return LinearFraction(self, self._context.gens()[self.names.index(name)])

    def number(self, value: int | Fraction) -> LinearFraction:
        """A rational number."""
        rational = flint.fmpq(value.numerator, value.denominator)
        return LinearFraction(self, self._context.constant(rational))

    def form(self, coefficients: Mapping[str, int]) -> LinearForm:
        """The linear form with the given coefficients, as they stand."""
        return tuple(coefficients.get(name, 0) for name in self.names)

    def polynomial(self, form: LinearForm) -> Polynomial:
        """A linear form as a polynomial."""
        if form not in self._polynomials:
            total = self._context.constant(0)
            for coefficient, generator in zip(form, self._context.gens(), strict=True):
                total += coefficient * generator
            self._polynomials[form] = total
        return self._polynomials[form]

    def sum(self, values: Iterable[LinearFraction]) -> LinearFraction:
        """The sum, equal denominators first."""
        gathered: dict[tuple[tuple[LinearForm, int], ...], Polynomial] = {}
        for value in values:
            if value.below in gathered:
                gathered[value.below] += value.numerator
            else:
                gathered[value.below] = value.numerator
        total = LinearFraction(self, self._context.constant(0))
        for below in sorted(gathered):
            total = total + LinearFraction(self, gathered[below], below)
        return total


@dataclass(frozen=True, eq=False)
class LinearFraction:
    """numerator / product of powers of linear forms.

    Sums and products are not reduced; `reduced` divides out every common factor, after which
    equal values have equal parts.
    """

    ring: Ring
    numerator: Polynomial
    below: tuple[tuple[LinearForm, int], ...] = ()

    def __bool__(self) -> bool:
        return not self.numerator.is_zero()

    def __add__(self, other: LinearFraction) -> LinearFraction:
        if not self:
            return other
        if not other:
            return self
        if self.below == other.below:
            return LinearFraction(self.ring, self.numerator + other.numerator, self.below)
        powers = dict(self.below)
        for form, power in other.below:
            powers[form] = max(power, powers.get(form, 0))
        common = tuple(sorted(powers.items()))
        numerator = self._raised(common) + other._raised(common)
        return LinearFraction(self.ring, numerator, common)

    def _raised(self, common: tuple[tuple[LinearForm, int], ...]) -> Polynomial:
        numerator, own = self.numerator, dict(self.below)
        for form, power in common:
            missing = power - own.get(form, 0)
            if missing:
                numerator = numerator * self.ring.polynomial(form) ** missing
        return numerator

    def __neg__(self) -> LinearFraction:
        return LinearFraction(self.ring, -self.numerator, self.below)

    def __sub__(self, other: LinearFraction) -> LinearFraction:
        return self + -other

    def __mul__(self, other: LinearFraction | int) -> LinearFraction:
        if isinstance(other, int):
            return LinearFraction(self.ring, self.numerator * other, self.below if other else ())
        powers = dict(self.below)
        for form, power in other.below:
            powers[form] = powers.get(form, 0) + power
        numerator = self.numerator * other.numerator
        return LinearFraction(self.ring, numerator, tuple(sorted(powers.items())))

    __rmul__ = __mul__

    def __pow__(self, power: int) -> LinearFraction:
        return prod([self] * power, start=self.ring.number(1))

    def over(self, form: Sequence[int], power: int = 1) -> LinearFraction:
        """Divided by a power of a linear form.

        Raises
        ------
        ZeroDivisionError
            If the form is zero.
        """
        leading = next((k for k in form if k), 0)
        if not leading:
            raise ZeroDivisionError("form: every coefficient is zero, so nothing can be divided")
        content = gcd(*form) * (1 if leading > 0 else -1)
        powers = dict(self.below)
        primitive = tuple(k // content for k in form)
        powers[primitive] = powers.get(primitive, 0) + power
        scale = flint.fmpq(1) / content**power
        return LinearFraction(self.ring, self.numerator * scale, tuple(sorted(powers.items())))

    def reduced(self) -> LinearFraction:
        """The same value with every factor that cancels divided out."""
        numerator = self.numerator
        if numerator.is_zero():
            return LinearFraction(self.ring, numerator)
        left = []
        for form, power in self.below:
            divisor = self.ring.polynomial(form)
            while power:
                quotient, rest = divmod(numerator, divisor)
                if not rest.is_zero():
                    break
                numerator, power = quotient, power - 1
            if power:
                left.append((form, power))
        return LinearFraction(self.ring, numerator, tuple(left))

    def equals(self, other: LinearFraction) -> bool:
        """Whether two values are the same rational function."""
        return not (self - other)

    def conjugate(self) -> LinearFraction:
        """Of real variables and of y = i w0, or y1, y2, ... of several transitions."""
        return self.reflected(*(n for n in self.ring.names if re.fullmatch(r"y\d*", n)))

    def reflected(self, *names: str) -> LinearFraction:
        """With the sign of these variables reversed."""
        context = self.numerator.context()
        images = [
            -generator if name in names else generator
            for name, generator in zip(self.ring.names, context.gens(), strict=True)
        ]
        result = LinearFraction(self.ring, self.numerator.compose(*images))
        for form, power in self.below:
            mirrored = tuple(
                -k if name in names else k for name, k in zip(self.ring.names, form, strict=True)
            )
            result = result.over(mirrored, power)
        return result

    def at(self, values: Mapping[str, Any]) -> Any:
        """The value at exact numbers, rational or Gaussian, by the ring's names.

        Raises
        ------
        ZeroDivisionError
            At a zero of the denominator.
        """
        return self._at([values[name] for name in self.ring.names], Fraction)

    def near(self, point: Sequence[Any]) -> Any:
        """The value at mpmath numbers, in the order of the ring's names, at working precision."""
        return self._at(point, lambda above, below: mpmath.mpf(above) / below)

    def _at(self, point: Sequence[Any], number: Callable[[int, int], Any]) -> Any:
        total = number(0, 1)
        for exponents, coefficient in self.numerator.to_dict().items():
            term = number(int(coefficient.p), int(coefficient.q))
            for x, power in zip(point, exponents, strict=True):
                term *= x ** int(power)
            total += term
        for form, power in self.below:
            total /= sum((k * x for k, x in zip(form, point, strict=True) if k), 0) ** power
        return total


def polynomial_expression(
    polynomial: Polynomial, names: Sequence[str], symbols: Mapping[str, sympy.Expr]
) -> sympy.Expr:
    """A polynomial as a SymPy sum of monomials."""
    total = sympy.Integer(0)
    for exponents, coefficient in sorted(polynomial.to_dict().items()):
        term = sympy.Rational(int(coefficient.p), int(coefficient.q))
        for name, power in zip(names, exponents, strict=True):
            term *= symbols[name] ** power
        total += term
    return total
