"""What is between J/w and a bath's spectrum: Ĉ(w) = 2 J(|w|)/|w| g(w)."""

from __future__ import annotations

from typing import Any

import numpy as np

from pertsym.baths.tabulated import UNIT

# x/2 coth(x/2) - 1 = sum of these times x^2, x^4, ...
EVEN = (
    1 / 12,
    -1 / 720,
    1 / 30240,
    -1 / 1209600,
    1 / 47900160,
    -691 / 1307674368000,
    1 / 74724249600,
    -3617 / 10670622842880000,
    43867 / 5109094217170944000,
    -174611 / 802857662698291200000,
    77683 / 14101100039391805440000,
    -236364091 / 1693824136731743669452800000,
    657931 / 186134520519971831808000000,
    -3392780147 / 37893265687455865519472640000000,
)
WITH_SLOPES = tuple((EVEN[k - 1], 2 * k * EVEN[k - 1]) for k in range(len(EVEN), 0, -1))


def bose(x: Any, f: Any = np) -> tuple[Any, Any, Any]:
    """h = x/(1 - e^-x), h'(x), and the relative rounding of both, x known to 2 roundings.

    `f` is where functions come from: `numpy`, or a namespace for plain floats.
    """
    size = f.abs(x)
    small = size < 1.5
    near, far = f.where(small, x, 1.5), f.where(small, 1.5, size)
    decay = f.exp(-far)
    inverse = 1 / -f.expm1(-far)
    positive = x > 0
    value = far * f.where(positive, inverse, decay * inverse)
    steep = inverse * f.where(positive, 1 - far * decay * inverse, decay * (far * inverse - 1))
    square = near * near
    even = odd = 0.0 * near
    for c, slope in WITH_SLOPES:
        even = even * square + c
        odd = odd * square + slope
    value = f.where(small, 1 + near / 2 + square * even, value)
    return value, f.where(small, 0.5 + near * odd, steep), UNIT * (24 + 4 * size)


def occupation(w: Any, beta: Any, classical: bool, f: Any = np) -> tuple[Any, Any, Any]:
    """g, g' and the relative rounding of both: w/(1 - e^(-beta w)), at T = 0 w theta(w).

    Classically it is T.
    """
    if classical:
        return 1 / beta, 0.0, 8 * UNIT
    cold = f.isinf(beta)
    beta = f.where(cold, 1.0, beta)
    h, dh, lost = bose(beta * w, f)
    g, lost = h / beta, lost + 4 * UNIT
    if f.any(cold):
        up = f.where(w > 0, 1.0, 0.0)
        g, dh, lost = f.where(cold, up * w, g), f.where(cold, up, dh), f.where(cold, 8 * UNIT, lost)
    return g, dh, lost


def spectrum(reduced: Any, side: Any, found: Any, f: Any = np) -> tuple[Any, Any, Any, Any]:
    """Ĉ(w), its error, Ĉ'(w), its error from those of J/w and its slope at |w|; g at w."""
    (r, slope, error, slope_error), (g, dg, lost) = reduced, found
    error, slope_error = error + f.abs(r) * lost, slope_error + f.abs(slope) * lost
    steep = 2 * (slope_error * f.abs(g) + error * f.abs(dg))
    return 2 * r * g, 2 * error * f.abs(g), 2 * (side * slope * g + r * dg), steep
