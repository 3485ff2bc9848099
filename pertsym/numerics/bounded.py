"""Numbers that carry a bound on their error through +, -, *, / and powers.

Generated code is written with ordinary operators; with `Bounded` values the error of the result
comes along: the bounds of the inputs propagated in the worst case, plus the rounding of every
operation.  Values may be floats, numpy arrays (everything broadcasts) or, from enclosures at any
precision, flint's exact midpoints with radii.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import flint
import mpmath
import numpy as np

from pertsym.baths.balls import as_mpf
from pertsym.estimate import Estimate
from pertsym.precision import ball_decimals

_UNIT_ROUNDOFF = 1.2e-16
_TINY = 1e-307


def _quotient(error: Any, distance: Any) -> Any:
    """error/distance, infinite where the divisor may be zero (distance <= 0)."""
    if isinstance(distance, (flint.arb, flint.fmpq)):
        return error / distance if distance > 0 else flint.arb.pos_inf()
    if np.ndim(distance) == 0:
        return error / distance if distance > 0 else np.inf
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(distance > 0, error / distance, np.inf)


@dataclass(frozen=True, slots=True)
class Bounded:
    """A value with |value - exact| <= error; an exact zero has error 0."""

    value: Any
    error: Any

    # numpy must not try to take the operators over
    __array_ufunc__ = None

    @classmethod
    def of(cls, x: Any) -> Bounded:
        """A Bounded as it is, an Estimate with its error, any other number as exact."""
        if isinstance(x, Bounded):
            return x
        if isinstance(x, Estimate):
            return cls(x.value, x.error)
        return cls(x, 0 * x)

    @classmethod
    def ball(cls, value: flint.arb, error: Any = 0) -> Bounded:
        """The midpoint of a ball, its radius added to an error."""
        return cls(value.mid(), (error + value.rad()).upper())

    @property
    def whole(self) -> flint.arb:
        """value +- error as one ball, for scalars."""
        return flint.arb(self.value) + flint.arb(0, flint.arb(self.error).upper())

    def _rounded(self, value: Any, error: Any) -> Bounded:
        if isinstance(value, flint.arb):
            return Bounded.ball(value, error)
        if isinstance(value, flint.fmpq):
            return Bounded(value, error)
        # a product of small numbers may underflow; an exact zero stays one
        tiny = ((value != 0) | (error != 0)) * _TINY
        return Bounded(value, error + _UNIT_ROUNDOFF * abs(value) + tiny)

    def __add__(self, other: Any) -> Bounded:
        b = Bounded.of(other)
        return self._rounded(self.value + b.value, self.error + b.error)

    __radd__ = __add__

    def __neg__(self) -> Bounded:
        return Bounded(-self.value, self.error)

    def __sub__(self, other: Any) -> Bounded:
        return self + (-Bounded.of(other))

    def __rsub__(self, other: Any) -> Bounded:
        return Bounded.of(other) + (-self)

    def __mul__(self, other: Any) -> Bounded:
        b = Bounded.of(other)
        error = abs(self.value) * b.error + self.error * (abs(b.value) + b.error)
        return self._rounded(self.value * b.value, error)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Bounded:
        b = Bounded.of(other)
        quotient = self.value / b.value
        error = _quotient(self.error + abs(quotient) * b.error, abs(b.value) - b.error)
        return self._rounded(quotient, error)

    def __rtruediv__(self, other: Any) -> Bounded:
        return Bounded.of(other) / self

    def __pow__(self, n: int) -> Bounded:
        if n < 1:
            raise ValueError(f"Bounded ** {n}: only positive powers are defined; divide instead")
        result: Bounded = self
        for _ in range(n - 1):
            result = result * self
        return result

    def is_finite(self) -> bool:
        """Whether value and error are numbers."""
        parts = (self.value, self.error)
        if isinstance(self.value, (flint.arb, flint.fmpq)):
            return all(flint.arb(part).is_finite() for part in parts)
        return all(bool(np.all(np.isfinite(part))) for part in parts)

    def text(self, digits: int) -> str:
        """The value to so many significant digits."""
        if isinstance(self.value, (flint.arb, flint.fmpq)):
            with ball_decimals(digits + 15):
                shown = flint.arb(self.value)
            return str(mpmath.nstr(as_mpf(shown), digits))
        return str(mpmath.nstr(mpmath.mpf(float(self.value)), digits))

    def ball_text(self, digits: int) -> tuple[str, str]:
        """The value of a ball to so many digits, and a radius around that text, rounded up."""
        shown = self.text(digits)
        with ball_decimals(digits + 30):
            radius = (abs(flint.arb(self.value) - flint.arb(shown)) + flint.arb(self.error)).upper()
            raised = as_mpf((radius * flint.arb(1.01)).upper())  # three digits are rounded by less
        return shown, str(mpmath.nstr(raised, 3))

    def estimate(self) -> Estimate:
        """The value with its bound as a plain pair."""
        return Estimate(self.value, self.error)
