"""How smoothly two analytic formulas meet at a break point."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Final

import mpmath
import sympy

from pertsym.baths import jets
from pertsym.baths.jets import Jet
from pertsym.precision import decimals

_DIGITS: Final = 500  # five derivatives of the root of a square, beside its zero
_BESIDE: Final = 45  # digits of the distance at which derivatives are taken; breaks have 60
_EQUAL: Final = 38  # digits to which derivatives on both sides must agree
_HIGHEST: Final = 5  # derivative that is compared; what is smoother still counts as one more
_NEAR: Final = (-34, -38)  # decimal exponents of two distances from the break
_TOLERANCE: Final = 1e-3
_DENOMINATOR: Final = 60


def regularity(
    position: sympy.Expr, below: Callable[[Jet], Jet], above: Callable[[Jet], Jet]
) -> float:
    """The order of the first derivative that jumps, a fraction if it diverges on either side.

    Parameters
    ----------
    position : sympy number
        > 0; rational, or known to 60 digits.
    below, above : functions of a jet of mpmath numbers
        The formulas on either side.

    Raises
    ------
    ValueError
        If J is not finite there, or its behaviour is not that of a power.
    """
    with decimals(_DIGITS):
        at = mpmath.mpf(str(sympy.N(position, _DIGITS)))
        if position.is_Rational:
            at = mpmath.mpf(int(position.p)) / int(position.q)
        singular = min(_singular_power(below, at, -1), _singular_power(above, at, 1))
        if singular < 0:
            raise ValueError(f"expression: J is infinite at w = {float(at):.6g}; it must be finite")
        sides = [_derivatives(f, at, side, singular) for f, side in ((below, -1), (above, 1))]
        size = max((abs(d) * at**k for ds in sides for k, d in enumerate(ds)), default=0)
        for k, (left, right) in enumerate(zip(*sides, strict=True)):
            if abs(left - right) * at**k > size * mpmath.mpf(10) ** -_EQUAL:
                return float(k)
        return min(singular, float(_HIGHEST + 1))


def _singular_power(f: Callable[[Jet], Jet], at: Any, side: int) -> float:
    """The lowest power of |w - at| on one side that is not a natural number, or inf."""
    near = [at * (1 + side * mpmath.mpf(10) ** d) for d in _NEAR]
    jets_near = [f(jets.variable(w, _HIGHEST)).c for w in near]
    decades = _NEAR[0] - _NEAR[1]
    for k, (far, close) in enumerate(zip(*jets_near, strict=True)):
        if abs(close) > 10 * abs(far) and far:
            slope = float(mpmath.log10(abs(close / far))) / decades
            power = k - slope
            exact = Fraction(power).limit_denominator(_DENOMINATOR)
            if abs(power - exact) > _TOLERANCE or exact.denominator == 1:
                raise ValueError(
                    f"expression: J at w = {float(at):.6g} is not a power of the distance from it; "
                    "replace the logarithm there"
                )
            return float(exact)
    return math.inf


def _derivatives(f: Callable[[Jet], Jet], at: Any, side: int, singular: float) -> Sequence[Any]:
    """J and the derivatives that exist, beside the break, where nothing is 0/0."""
    highest = int(min(math.ceil(singular) - 1, _HIGHEST)) if singular < math.inf else _HIGHEST
    c = f(jets.variable(at * (1 + side * mpmath.mpf(10) ** -_BESIDE), highest)).c
    return [mpmath.re(value) * math.factorial(k) for k, value in enumerate(c)]
