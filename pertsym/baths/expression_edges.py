"""How smoothly two analytic formulas meet at a break point."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

import flint
import sympy

from pertsym.baths.balls import Ball, taylor
from pertsym.expressions.numeric import enclosed
from pertsym.precision import ball_decimals

_DIGITS: Final = 500  # five derivatives of the root of a square, beside its zero
_BESIDE: Final = 45  # digits of the distance at which derivatives are taken; breaks have 60
_EQUAL: Final = 38  # digits to which derivatives on both sides must agree
_HIGHEST: Final = 5  # derivative that is compared; what is smoother still counts as one more
_NEAR: Final = (-34, -38)  # decimal exponents of two distances from the break
_TOLERANCE: Final = 1e-3
_DENOMINATOR: Final = 60

_Function = Callable[[Ball], Ball]


def regularity(position: sympy.Expr, below: _Function, above: _Function) -> float:
    """The order of the first derivative that jumps, a fraction if it diverges on either side.

    Parameters
    ----------
    position : sympy number
        > 0; rational, or known to 60 digits.
    below, above : functions of balls and power series
        The formulas on either side.

    Raises
    ------
    ValueError
        If J is not finite there, or its behaviour is not that of a power.
    """
    with ball_decimals(_DIGITS):
        at = enclosed(position, None).mid()
        singular = min(_singular_power(below, at, -1), _singular_power(above, at, 1))
        if singular < 0:
            raise ValueError(f"expression: J is infinite at w = {float(at):.6g}; it must be finite")
        highest = int(min(math.ceil(singular) - 1, _HIGHEST)) if singular < math.inf else _HIGHEST
        # beside the break, where nothing is 0/0
        left, right = (
            [(c.real * at**k).mid() for k, c in enumerate(_beside(f, at, side, -_BESIDE, highest))]
            for f, side in ((below, -1), (above, 1))
        )
        size = max((abs(x) * math.factorial(k) for ds in (left, right) for k, x in enumerate(ds)))
        for k, (x, y) in enumerate(zip(left, right, strict=True)):
            if abs(x - y) * math.factorial(k) > size * flint.arb(10) ** -_EQUAL:
                return float(k)
        return min(singular, float(_HIGHEST + 1))


def _beside(f: _Function, at: Any, side: int, exponent: int, highest: int) -> list[Any]:
    """Taylor coefficients at a relative distance 10^exponent."""
    return taylor(f, at * (1 + side * flint.arb(10) ** exponent), 1, highest + 1)


def _singular_power(f: _Function, at: Any, side: int) -> float:
    """The lowest power of |w - at| on one side that is not a natural number, or inf."""
    near = [_beside(f, at, side, exponent, _HIGHEST) for exponent in _NEAR]
    decades = _NEAR[0] - _NEAR[1]
    for k, (far, close) in enumerate(zip(*near, strict=True)):
        far, close = far.mid().abs_upper(), close.mid().abs_upper()
        if close > 10 * far and far > 0:
            slope = float((close / far).log()) / math.log(10) / decades
            power = k - slope
            exact = Fraction(power).limit_denominator(_DENOMINATOR)
            if abs(power - exact) > _TOLERANCE or exact.denominator == 1:
                raise ValueError(
                    f"expression: J at w = {float(at):.6g} is not a power of the distance from it; "
                    "replace the logarithm there"
                )
            return float(exact)
    return math.inf
