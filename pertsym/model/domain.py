"""Where on w > 0 a formula fails to be a finite real number, or is negative: a scan of w.

The scan runs from 1e-8 to 1e8 with four points a decade, so it finds what changes over a factor
of two in w; it can miss narrow features and never condemns a sound formula.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mpmath
import sympy

from pertsym.model.numeric import NoValue, W, value_at

_ROUNDING = 1e-15  # relative, in 30 digits


def first_complex_value(expr: sympy.Expr) -> float | None:
    """Return a w > 0 at which the formula is not real, or None."""
    for point, value in _scan(expr):
        if abs(mpmath.im(value)) > _ROUNDING * abs(value):
            return float(point)
    return None


def first_negative_value(expr: sympy.Expr) -> float | None:
    """Return a w > 0 at which the formula is negative, or None."""
    return next((float(point) for point, value in _scan(expr) if mpmath.re(value) < 0), None)


def first_pole(expr: sympy.Expr) -> float | None:
    """Return a w > 0 near which the formula divides by something that changes sign, or None."""
    divisors = {power.base for power in expr.atoms(sympy.Pow) if power.exp.is_negative}
    divisors |= {sympy.cos(call.args[0]) for call in expr.atoms(sympy.tan)}
    for divisor in sorted(divisors, key=sympy.default_sort_key):
        if not divisor.has(W):
            continue
        before = 0
        for point, value in _scan(divisor):
            sign = int(mpmath.sign(mpmath.re(value)))
            if sign == 0 or sign * before < 0:
                return float(point)
            before = sign
    return None


def _scan(expr: sympy.Expr) -> Iterator[tuple[Any, Any]]:
    with mpmath.workdps(30):
        for step in range(-32, 33):
            point = mpmath.mpf(10) ** (mpmath.mpf(step) / 4)
            try:
                yield point, value_at(expr, point)
            except NoValue:
                continue
