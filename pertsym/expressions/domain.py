"""Where on w > 0 a formula fails to be a finite real number, or is negative: a scan of w.

The scan runs from 1e-8 to 1e8 with four points a decade, so it finds what changes over a factor
of two in w; it can miss narrow features and never condemns a sound formula.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import mpmath
import sympy

from pertsym.expressions.numeric import NoValue, W, value_at
from pertsym.expressions.pieces import positive_roots
from pertsym.precision import decimals

_MANY_DIGITS, _ZERO_DIGITS = 300, 250
_ROUNDING = 1e-15  # relative, in 30 digits


def first_complex_value(expr: sympy.Expr, low: float = 0.0, high: float = math.inf) -> float | None:
    """Return a w between low and high at which the formula is not real, or None."""
    for point, value in _scan(expr, low, high):
        if abs(mpmath.im(value)) > _ROUNDING * abs(value):
            return float(point)
    return None


def first_negative_value(expr: sympy.Expr) -> float | None:
    """Return a w > 0 at which the formula is negative, or None."""
    return next((float(point) for point, value in _scan(expr) if mpmath.re(value) < 0), None)


def vanishing_divisor(expr: sympy.Expr) -> sympy.Expr | None:
    """Return a divisor that is 0 for every w, whatever its form, or None.

    Beyond rational functions: 0 to 300 digits at three points.
    """
    for divisor in sorted(_divisors(expr), key=sympy.default_sort_key):
        if divisor.has(W) and divisor.is_rational_function(W):
            if sympy.cancel(sympy.together(divisor)).is_zero:
                return divisor
            continue
        with decimals(_MANY_DIGITS):
            try:
                sizes = [abs(value_at(divisor, mpmath.sqrt(p))) for p in (2, 7, 13)]
            except NoValue:
                continue
            if max(sizes) < mpmath.mpf(10) ** -_ZERO_DIGITS:
                return divisor
    return None


def _divisors(expr: sympy.Expr) -> set[sympy.Expr]:
    return {p.base for p in expr.atoms(sympy.Pow) if p.exp.is_negative and not p.base.is_Rational}


def first_pole(expr: sympy.Expr, low: float = 0.0, high: float = math.inf) -> float | None:
    """Return a w between low and high near which the formula divides by 0, or None.

    Exact for divisors that are polynomials, elsewhere a change of sign that a scan finds.
    """
    divisors = _divisors(expr)
    divisors |= {sympy.cos(call.args[0]) for call in expr.atoms(sympy.tan)}
    for divisor in sorted(divisors, key=sympy.default_sort_key):
        if not divisor.has(W):
            continue
        exact = positive_roots(divisor) if divisor.is_rational_function(W) else None
        if exact is not None:
            inside = [float(z) for z, _ in exact if low < z < high]
            if inside:
                return inside[0]
            continue
        before = 0
        for point, value in _scan(divisor, low, high):
            sign = int(mpmath.sign(mpmath.re(value)))
            if sign == 0 or sign * before < 0:
                return float(point)
            before = sign
    return None


def _scan(expr: sympy.Expr, low: float = 0.0, high: float = math.inf) -> Iterator[tuple[Any, Any]]:
    with decimals(30):
        points = [mpmath.mpf(10) ** (mpmath.mpf(step) / 4) for step in range(-32, 33)]
        if low > 0 and math.isfinite(high):
            points += [low + (high - low) * mpmath.mpf(k) / 8 for k in range(1, 8)]
        for point in sorted(points):
            if not low < point < high:
                continue
            try:
                yield point, value_at(expr, point)
            except NoValue:
                continue
