"""Exact complex numbers with rational parts, for matrix elements inside the symbolic stages.

A number is kept as (a + i b)/d with integers in lowest terms rather than as two fractions: a
product of small integers, the common case, then costs four integer products and no gcd.
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Final, NoReturn

DECIMAL: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE](?P<exponent>[+-]?\d+))?", re.ASCII)
SMALLEST: Final = 1e-60
LARGEST: Final = 1e60
"""Sizes of a model's numbers: products of several of them, as of order 4, are numbers still."""

_LARGEST_EXPONENT: Final = 400  # beyond the double range nothing can be evaluated anyway
_LONGEST_DECIMAL: Final = 1000


def exact_rational(value: int | float | str | Fraction) -> Fraction:
    """Return the rational number that the user wrote: 0.1 and "0.1" both give 1/10.

    A float stands for its shortest decimal form, so the result rounds back to the same float.

    Raises
    ------
    ValueError
        For NaN, an infinity, or text that is not a plain decimal number.
    """
    if isinstance(value, Fraction):
        return value
    if isinstance(value, int):
        return Fraction(int(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{float(value)!r} is not a finite number")
        value = repr(float(value))
    match = DECIMAL.fullmatch(value) if len(value) <= _LONGEST_DECIMAL else None
    if match is None:
        raise ValueError(f"{value[:40]!r} is not a decimal number")
    exponent = match["exponent"]
    if exponent is not None and (len(exponent) > 5 or abs(int(exponent)) > _LARGEST_EXPONENT):
        raise ValueError(f"the exponent of {value[:40]!r} is beyond {_LARGEST_EXPONENT}")
    return Fraction(value)


class Gaussian:
    """The exact number re + i im with rational re and im; immutable and hashable.

    Parameters
    ----------
    re, im : int or Fraction
        Use `Gaussian.of` for floats and decimal text.
    """

    __slots__ = ("_a", "_b", "_d")
    _a: int
    _b: int
    _d: int

    def __init__(self, re: int | Fraction = 0, im: int | Fraction = 0) -> None:
        d = math.lcm(re.denominator, im.denominator)
        _set(self, "_a", re.numerator * (d // re.denominator))
        _set(self, "_b", im.numerator * (d // im.denominator))
        _set(self, "_d", d)

    @classmethod
    def of(cls, re: int | float | str | Fraction, im: int | float | str | Fraction = 0) -> Gaussian:
        """Return re + i im with both parts read by `exact_rational`."""
        return cls(exact_rational(re), exact_rational(im))

    @staticmethod
    def over(a: int, b: int, d: int) -> Gaussian:
        """Return (a + i b)/d for integers, d > 0."""
        return _lowest(a, b, d)

    @property
    def integers(self) -> tuple[int, int, int]:
        """(a, b, d) of (a + i b)/d in lowest terms, d > 0."""
        return self._a, self._b, self._d

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Gaussian number is immutable; build a new one")

    def __reduce__(self) -> tuple[type[Gaussian], tuple[Fraction, Fraction]]:
        return Gaussian, (self.re, self.im)

    @property
    def re(self) -> Fraction:
        """The real part."""
        return Fraction(self._a, self._d)

    @property
    def im(self) -> Fraction:
        """The imaginary part."""
        return Fraction(self._b, self._d)

    real, imag = re, im

    def conjugate(self) -> Gaussian:
        """Return re - i im."""
        return _lowest(self._a, -self._b, self._d)

    def __add__(self, other: Gaussian | int | Fraction) -> Gaussian:
        if not isinstance(other, Gaussian):
            if not isinstance(other, (int, Fraction)):
                return NotImplemented
            other = Gaussian(other)
        if self._d == other._d:
            return _lowest(self._a + other._a, self._b + other._b, self._d)
        return _lowest(
            self._a * other._d + other._a * self._d,
            self._b * other._d + other._b * self._d,
            self._d * other._d,
        )

    __radd__ = __add__

    def __neg__(self) -> Gaussian:
        return _lowest(-self._a, -self._b, self._d)

    def __sub__(self, other: Gaussian | int | Fraction) -> Gaussian:
        return self + -other

    def __rsub__(self, other: int | Fraction) -> Gaussian:
        return -self + other

    def __mul__(self, other: Gaussian | int | Fraction) -> Gaussian:
        if not isinstance(other, Gaussian):
            if not isinstance(other, (int, Fraction)):
                return NotImplemented
            other = Gaussian(other)
        a, b, c, d = self._a, self._b, other._a, other._b
        return _lowest(a * c - b * d, a * d + b * c, self._d * other._d)

    __rmul__ = __mul__

    def __truediv__(self, other: Gaussian | int | Fraction) -> Gaussian:
        z = other if isinstance(other, Gaussian) else Gaussian(other)
        size = z._a * z._a + z._b * z._b
        if not size:
            raise ZeroDivisionError("division of a Gaussian number by zero")
        return self * _lowest(z._a * z._d, -z._b * z._d, size)

    def __rtruediv__(self, other: int | Fraction) -> Gaussian:
        return Gaussian(other) / self

    def __pow__(self, power: int) -> Gaussian:
        base, result = (self if power >= 0 else 1 / self), Gaussian(1)
        for _ in range(abs(power)):
            result = result * base
        return result

    def __bool__(self) -> bool:
        return bool(self._a or self._b)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Gaussian):
            return self._a == other._a and self._b == other._b and self._d == other._d
        if isinstance(other, (int, Fraction)):
            return self._b == 0 and self._a == other.numerator and self._d == other.denominator
        return NotImplemented

    def __hash__(self) -> int:
        if self._b:
            return hash((self._a, self._b, self._d))
        return hash(self._a) if self._d == 1 else hash(self.re)  # as equal int and Fraction have

    def __complex__(self) -> complex:
        return complex(self._a / self._d, self._b / self._d)

    def __repr__(self) -> str:
        return f"Gaussian({self.re!r}, {self.im!r})"

    def __str__(self) -> str:
        if not self._b:
            return str(self.re)
        return f"{self.im}i" if not self._a else f"{self.re}{'+' if self._b > 0 else ''}{self.im}i"


_set = object.__setattr__


def _lowest(a: int, b: int, d: int) -> Gaussian:
    """Return (a + i b)/d in lowest terms, without the checks of the constructor."""
    if d != 1:
        g = math.gcd(a, b, d)
        if g != 1:
            a, b, d = a // g, b // g, d // g
    number = Gaussian.__new__(Gaussian)
    _set(number, "_a", a)
    _set(number, "_b", b)
    _set(number, "_d", d)
    return number
