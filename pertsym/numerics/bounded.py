"""Numbers that carry a bound on their error through +, -, *, / and powers.

Generated code is written with ordinary operators; with `Bounded` values the error of the result
comes along: the bounds of the inputs propagated in the worst case, plus the rounding of every
operation.  Values may be floats, numpy arrays (everything broadcasts) or, from enclosures at any
precision, flint's exact midpoints with radii.
"""

from __future__ import annotations

from typing import Any, Self

import flint
import mpmath
import numpy as np

from pertsym.baths.balls import as_mpf
from pertsym.codegen import standalone
from pertsym.estimate import Estimate
from pertsym.precision import ball_decimals

_BALLS = flint.arb, flint.fmpq


class Bounded(standalone.Bounded):
    """A value with |value - exact| <= error; an exact zero has error 0."""

    @classmethod
    def of(cls, x: Any) -> Self:
        """A Bounded as it is, an Estimate with its error, any other number as exact."""
        return cls(x.value, x.error) if isinstance(x, Estimate) else super().of(x)

    @classmethod
    def rounded(cls, value: Any, error: Any) -> Self:
        if isinstance(value, flint.arb):
            return cls.ball(value, error)
        return cls(value, error) if isinstance(value, flint.fmpq) else super().rounded(value, error)

    @staticmethod
    def quotient(error: Any, distance: Any) -> Any:
        if isinstance(distance, _BALLS):
            return error / distance if distance > 0 else flint.arb.pos_inf()
        return standalone.Bounded.quotient(error, distance)

    @classmethod
    def ball(cls, value: flint.arb, error: Any = 0) -> Self:
        """The midpoint of a ball, its radius added to an error."""
        return cls(value.mid(), (error + value.rad()).upper())

    @property
    def whole(self) -> flint.arb:
        """value +- error as one ball, for scalars."""
        return flint.arb(self.value) + flint.arb(0, flint.arb(self.error).upper())

    def is_finite(self) -> bool:
        """Whether value and error are numbers."""
        parts = (self.value, self.error)
        if isinstance(self.value, _BALLS):
            return all(flint.arb(part).is_finite() for part in parts)
        return all(bool(np.all(np.isfinite(part))) for part in parts)

    def text(self, digits: int) -> str:
        """The value to so many significant digits."""
        if isinstance(self.value, _BALLS):
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
