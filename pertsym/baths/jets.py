"""Truncated Taylor series in doubles that carry a bound of their rounding error.

A `Jet` holds the Taylor coefficients f(w), f'(w), f''(w)/2, ... at one point or at an array of
points.  Every operation also propagates first-order error bounds, so that a derivative taken from
a jet comes with an error that includes cancellation.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

EPS: Final = float(np.finfo(float).eps)
"""Spacing of doubles at 1: twice the unit roundoff."""

_SAFETY: Final = 3.0  # NumPy's elementary functions are a few units in the last place off


@dataclass(frozen=True, slots=True)
class Jet:
    """Taylor coefficients of a function at given points.

    Attributes
    ----------
    c : tuple
        c[k] = f^(k)/k!; floats, complex numbers, or arrays of them.
    e : tuple
        e[k] bounds the absolute error of c[k].
    """

    c: tuple[Any, ...]
    e: tuple[Any, ...]

    __array_ufunc__ = None  # an ndarray on the left leaves the operation to the jet

    @property
    def order(self) -> int:
        return len(self.c) - 1

    @property
    def zeros(self) -> tuple[float, ...]:
        """The derivatives of a constant."""
        return (0.0,) * self.order

    def __add__(self, other: Jet | Any) -> Jet:
        if not isinstance(other, Jet):
            other = constant(other, self)
        c = tuple(a + b for a, b in zip(self.c, other.c, strict=True))
        e = tuple(a + b + EPS * abs(v) for a, b, v in zip(self.e, other.e, c, strict=True))
        return Jet(c, e)

    __radd__ = __add__

    def __neg__(self) -> Jet:
        return Jet(tuple(-v for v in self.c), self.e)

    def __sub__(self, other: Jet | Any) -> Jet:
        negative: Jet | Any = -other
        return self.__add__(negative)

    def __rsub__(self, other: Any) -> Jet:
        return (-self).__add__(other)

    def __mul__(self, other: Jet | Any) -> Jet:
        if not isinstance(other, Jet):
            return self.scaled(other)
        c = _convolve(self.c, other.c)
        a, b = _sizes(self.c), _sizes(other.c)
        crossed = zip(_convolve(a, other.e), _convolve(self.e, b), _convolve(a, b), strict=True)
        e = tuple(x + y + (k + 2) * EPS * z for k, (x, y, z) in enumerate(crossed))
        return Jet(c, e)

    __rmul__ = __mul__

    def scaled(self, factor: Any) -> Jet:
        """The product with a constant."""
        c = tuple(factor * v for v in self.c)
        size = abs(factor)
        scaled = zip(c, self.e, strict=True)
        return Jet(c, tuple(size * e + 2 * EPS * abs(v) for v, e in scaled))

    def __truediv__(self, other: Jet | Any) -> Jet:
        if not isinstance(other, Jet):
            return self.scaled(1 / other)
        return self * reciprocal(other)

    def __rtruediv__(self, other: Any) -> Jet:
        return reciprocal(self).scaled(other)

    @property
    def real(self) -> Jet:
        return Jet(tuple(v.real for v in self.c), self.e)

    def reflected(self, sign: Any) -> Jet:
        """The jet in w of a function given as a jet in sign*w, with sign = +-1."""
        return Jet(tuple(v if k % 2 == 0 else sign * v for k, v in enumerate(self.c)), self.e)

    def derivative(self, k: int) -> tuple[Any, Any]:
        """f^(k) and the bound of its error."""
        scale = math.factorial(k)
        return scale * self.c[k], scale * self.e[k] + EPS * scale * abs(self.c[k])


def variable(w: Any, order: int, uncertainty: Any = 0.0) -> Jet:
    """The jet of w itself; `uncertainty` bounds how far the stored w is from the meant one."""
    zeros = (0.0,) * order
    return Jet((w, 1.0, *zeros)[: order + 1], (uncertainty, *zeros))


def constant(value: Any, like: Jet) -> Jet:
    """A constant of the same order as another jet."""
    return Jet((value, *like.zeros), (0.0, *like.zeros))


def reciprocal(b: Jet) -> Jet:
    """1/b."""
    first = 1 / b.c[0]
    c = [first]
    for k in range(1, b.order + 1):
        c.append(-first * sum(b.c[j] * c[k - j] for j in range(1, k + 1)))
    size = _sizes(b.c)
    majorant = [abs(first)]
    for k in range(1, b.order + 1):
        majorant.append(abs(first) * sum(size[j] * majorant[k - j] for j in range(1, k + 1)))
    slope = _convolve(_sizes(c), _sizes(c))
    return _with_errors(c, slope, b.e, majorant)


def exp(a: Jet) -> Jet:
    """e^a."""
    return _by_recurrence(a, np.exp(a.c[0]), lambda y: y)


def log(a: Jet) -> Jet:
    """Natural logarithm, principal branch."""
    c, s = [np.log(a.c[0])], reciprocal(a).c
    for k in range(1, a.order + 1):
        c.append(_integrated(a.c, s, k))
    return _with_errors(c, _sizes(s), a.e, _majorant(a, c[0], s))


def tanh(a: Jet) -> Jet:
    """Hyperbolic tangent; where 1 - tanh^2 is small it is taken from an exponential."""
    near = _by_recurrence(a, np.tanh(a.c[0]), lambda y: 1.0 - y * y)
    sign, far = np.where(a.c[0] < 0, -1.0, 1.0), np.abs(a.c[0]) > 0.5
    beside = reciprocal(exp(a.scaled(-2 * sign)) + 1.0).scaled(2 * sign)  # sign + tanh
    c = tuple(np.where(far, *pair) for pair in zip(beside.c[1:], near.c[1:], strict=True))
    e = tuple(np.where(far, *pair) for pair in zip(beside.e, near.e, strict=True))
    return Jet((near.c[0], *c), e)


def tan(a: Jet) -> Jet:
    """Tangent."""
    return _by_recurrence(a, np.tan(a.c[0]), lambda y: 1.0 + y * y)


def cos_sin(a: Jet) -> tuple[Jet, Jet]:
    """Cosine and sine."""
    return _pair(a, np.cos(a.c[0]), np.sin(a.c[0]), -1)


def cosh_sinh(a: Jet) -> tuple[Jet, Jet]:
    """Hyperbolic cosine and sine."""
    return _pair(a, np.cosh(a.c[0]), np.sinh(a.c[0]), +1)


def power(a: Jet, exponent: Any) -> Jet:
    """a**exponent for a constant exponent; a may vanish only where the result stays finite."""
    if not isinstance(exponent, np.ndarray) and exponent == int(exponent) and 0 <= exponent <= 8:
        result = constant(1.0, a)
        for _ in range(int(exponent)):
            result = result * a
        return result
    if all(isinstance(v, float) and v == 0 for v in a.c[2:]):
        c, slope = _powers_of_linear(a, exponent), _powers_of_linear(a, exponent - 1.0)
        exact = np.equal(a.c[0], 0) & np.equal(a.e[0], 0)  # no error, however steep
        if np.any(exact):
            slope = tuple(np.where(exact, 0.0, v) for v in slope)
        majorant = _sizes(c)
    else:
        c, slope = _powers(a.c, exponent), _powers(a.c, exponent - 1.0)
        # (|a0| - |a1| h - ...)^-|r| has positive coefficients and majorises a^r up to a factor
        size = _sizes(a.c)
        bound = _powers((size[0], *(-v for v in size[1:])), -abs(exponent))
        majorant = tuple(np.power(size[0], exponent + abs(exponent)) * v for v in bound)
    return _with_errors(c, [abs(exponent * v) for v in slope], a.e, majorant)


def _powers_of_linear(a: Jet, exponent: Any) -> tuple[Any, ...]:
    """Binomial coefficients times a0^(r-k) a1^k: no product of tiny and huge numbers."""
    result, binomial = [], 1.0
    for k in range(a.order + 1):
        value = binomial * np.power(a.c[0], exponent - k)
        if k:
            value = np.where(np.equal(binomial, 0), 0.0, value * a.c[1] ** k)
        result.append(value)
        binomial = binomial * (exponent - k) / (k + 1)
    return tuple(result)


def _powers(a: Sequence[Any], exponent: Any) -> tuple[Any, ...]:
    """Coefficients of a^r from a y' = r a' y."""
    inverse = 1 / a[0]
    c = [np.power(a[0], exponent)]
    for k in range(1, len(a)):
        terms = (((exponent + 1) * j - k) * a[j] * c[k - j] for j in range(1, k + 1))
        c.append(inverse * sum(terms) / k)
    return tuple(c)


def _convolve(a: Sequence[Any], b: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(sum(a[i] * b[k - i] for i in range(k + 1)) for k in range(len(a)))


def _sizes(c: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(abs(v) for v in c)


def _with_errors(
    c: Sequence[Any], slope: Sequence[Any], errors: Sequence[Any], majorant: Sequence[Any]
) -> Jet:
    propagated = _convolve(slope, errors)
    e = tuple(
        p + _SAFETY * (k + 1) * EPS * m
        for k, (p, m) in enumerate(zip(propagated, majorant, strict=True))
    )
    return Jet(tuple(c), e)


def _by_recurrence(a: Jet, first: Any, slope_of: Callable[[Jet], Jet]) -> Jet:
    """y = f(a) where y' = s(y) a': each coefficient of y needs only the earlier ones of s."""
    c = [first]
    for k in range(1, a.order + 1):
        c.append(_integrated(a.c, _values(slope_of, c), k))
    s = _values(slope_of, c)
    return _with_errors(c, _sizes(s), a.e, _majorant(a, first, s))


def _values(slope_of: Callable[[Jet], Jet], c: Sequence[Any]) -> tuple[Any, ...]:
    return slope_of(Jet(tuple(c), (0.0,) * len(c))).c


def _integrated(a: Sequence[Any], slope: Sequence[Any], k: int) -> Any:
    """Coefficient k > 0 of y where y' = slope a'."""
    return sum(j * a[j] * slope[k - j] for j in range(1, k + 1)) / k


def _majorant(a: Jet, first: Any, slope: Sequence[Any]) -> list[Any]:
    size, steep = _sizes(a.c), _sizes(slope)
    return [abs(first), *(_integrated(size, steep, k) for k in range(1, a.order + 1))]


def _pair(a: Jet, even: Any, odd: Any, sign: int) -> tuple[Jet, Jet]:
    """(cos, sin) for sign -1, (cosh, sinh) for +1: even' = sign odd a', odd' = even a'."""
    c, s = [even], [odd]
    for k in range(1, a.order + 1):
        c.append(sign * _integrated(a.c, s, k))
        s.append(_integrated(a.c, c, k))
    return (
        _with_errors(c, _sizes(s), a.e, _majorant(a, even, s)),
        _with_errors(s, _sizes(c), a.e, _majorant(a, odd, c)),
    )
