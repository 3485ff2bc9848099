"""P(w) and its derivatives for large arrays: polynomials on panels, made from nodes, with a bound.

A sum over hundreds of nodes at every point is too slow for a sweep.  Every octave of the variable
is cut into equal panels, found from the bits of a double; on each stands the polynomial through
Chebyshev points.  What is tabulated for x > 0 is, of G(z) = sum_k a_k/(z - w_k) and P = -2 pi Im G,

    S_m(x) = [P^(m)(x) + P^(m)(-x)]/2    and    D_m(x) = [P^(m)(x) - P^(m)(-x)]/(2x),

so that neither loses digits where it is small beside P.

With N points a polynomial misses f by at most 4 M r^(1-N)/(r - 1), |f| <= M in the ellipse with its
foci at the ends of the panel and half axes with the sum r in halves of it.  For r = 20 that lies
within 36 degrees of the axis, no node within 45; so M is at most a known number of times

    sum_k |a_k|/max(x, |w_k|)^(m+1),

which is in the bound of the nodes itself, as the rounding of their residues.
Tables over temperature are in `pertsym.baths.thermal_tables`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

from pertsym.baths.node_path import Real
from pertsym.baths.nodes import Nodes

UNIT = 2.0**-53
BITS = 3  # an octave has 2^BITS panels
_MANTISSA = 52
_ONE = np.int64(1023 << 52)
_LOW = np.int64((1 << 52) - 1)
_SIZES = (13, 13, 13, 15)  # N for m = 0..3
_MISFIT = (0.05, 0.25, 1.3, 0.05)  # of the bound of the nodes, by the largest terms at r = 20
_CHUNK = 1 << 16


@dataclass(frozen=True, eq=False)
class Pieces:
    """Several functions of one positive variable as polynomials on panels.

    Attributes
    ----------
    first
        Number of the first panel: the leading bits of its doubles.
    coefficients
        Of powers of t in [-1, 1], the position in the panel; shape (functions, size, panels).
    errors
        Bounds; shape (functions, panels).
    """

    first: int
    coefficients: Real
    errors: Real

    def __call__(self, x: Any) -> tuple[Real, Real]:
        """Values and bounds at x, shape (functions, *x.shape); x lies within the panels."""
        index, t = position(x)
        index = index - self.first
        values = np.empty((len(self.coefficients), *t.shape))
        for rows, value in zip(self.coefficients, values, strict=True):
            value[...] = rows[-1][index]
            for row in rows[-2::-1]:
                value *= t
                value += row[index]
        return values, self.errors[:, index]


def position(x: Any) -> tuple[Any, Any]:
    """Number of the panel of every x > 0 and the place in it, from -1 to 1, both exact."""
    pattern = np.ascontiguousarray(x, dtype=float).view(np.int64)
    within = ((pattern << BITS) & _LOW) | _ONE
    return pattern >> (_MANTISSA - BITS), 2 * within.view(np.float64) - 3


def panels(low: float, high: float) -> tuple[int, Real, Real]:
    """Number of the first panel; centres and half widths of those that cover low <= x <= high."""
    first, last = (int(position(np.array([x]))[0][0]) for x in (low, high))
    pattern = np.arange(first, last + 2, dtype=np.int64) << (_MANTISSA - BITS)
    edges = pattern.view(np.float64)
    return first, (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2


def chebyshev(size: int) -> Real:
    """Zeros of T_size; the middle one is 0 for an odd size."""
    points = np.cos(math.pi * (np.arange(size) + 0.5) / size)
    points[size // 2] = 0.0
    return points


def fitted(first: int, values: Real, errors: Real) -> Pieces:
    """The polynomials through values at the Chebyshev points of every panel.

    Parameters
    ----------
    values : ndarray
        Shape (functions, panels, size), size odd.
    errors : ndarray
        Of the function that is interpolated, shape (functions, panels), interpolation included;
        the rounding of the polynomial is added.
    """
    size = values.shape[-1]
    middle = values[..., size // 2 : size // 2 + 1]
    rest = values - middle
    modes, powers = _modes_and_powers(size)
    coefficients = rest @ modes @ powers
    coefficients[..., 0] += middle[..., 0]
    horner = np.abs(coefficients) @ (2.0 * np.arange(size) + 2)
    rounding = UNIT * (horner + 2 * size * size * np.max(np.abs(rest), -1))
    rows = np.ascontiguousarray(np.swapaxes(coefficients, 1, 2))
    return Pieces(first, rows, errors + rounding)


@lru_cache(maxsize=32)
def _modes_and_powers(size: int) -> tuple[Real, Real]:
    """From values at the Chebyshev points to coefficients of T_k, and from these to powers."""
    angles = math.pi * (np.arange(size) + 0.5) / size
    modes = np.cos(np.outer(angles, np.arange(size))) * (2 / size)
    modes[:, 0] /= 2
    powers = np.zeros((size, size))
    powers[0, 0] = powers[1, 1] = 1.0
    for k in range(2, size):  # T_k = 2 t T_(k-1) - T_(k-2)
        powers[k, 1:] = 2 * powers[k - 1, :-1]
        powers[k] -= powers[k - 2]
    return modes, powers


@dataclass(frozen=True, eq=False)
class TabulatedTransform:
    """P^(m)(w) of one bath with fixed parameters, for many w.

    Parameters
    ----------
    nodes : Nodes
        Of scalar parameters; valid from `low` to `high`.
    low, high : float
        The smallest and the largest |w| > 0 that will be asked for.
    """

    nodes: Nodes
    low: float
    high: float
    _tables: dict[int, Pieces] = field(default_factory=dict)

    def transform(self, w: Any, derivative: int = 0) -> tuple[Any, Any]:
        """P^(m)(w) for real w of any sign, low <= |w| <= high, and the bound of its error.

        Parameters
        ----------
        w : ndarray
        derivative : int
            m, from 0 to 3.

        Returns
        -------
        value, error : ndarray
        """
        w = np.asarray(w, dtype=float)
        even, even_error, slope, slope_error = self._arms(np.abs(w), derivative)
        slope = w * slope
        value = even + slope
        error = even_error + np.abs(w) * slope_error + UNIT * (np.abs(slope) + np.abs(value))
        # a pole of one sign of w is not seen from the other: no even and odd parts here
        single, rounding = resonant(self.nodes, w, derivative)
        value = value + single
        return value, error + rounding + UNIT * np.abs(value)

    def parts(self, x: Any, derivative: int = 0) -> tuple[Any, Any, Any, Any]:
        """S_m(x), its error, D_m(x), its error for x > 0; P^(m)(+-x) = S_m +- x D_m."""
        x = np.asarray(x, dtype=float)
        even, even_error, slope, slope_error = self._arms(x, derivative)
        added, rounding = resonant_parts(self.nodes, x, derivative)
        even, slope = even + added[0], slope + added[1]
        even_error = even_error + rounding[0] + UNIT * np.abs(even)
        return even, even_error, slope, slope_error + rounding[1] + UNIT * np.abs(slope)

    def _arms(self, x: Any, m: int) -> tuple[Any, Any, Any, Any]:
        if m not in self._tables:
            self._tables[m] = over_frequency(self.nodes, self.low, self.high, m)
        value, error = self._tables[m](x)
        return value[0], error[0], value[1], error[1]


def over_frequency(nodes: Nodes, low: float, high: float, m: int) -> Pieces:
    """S_m and D_m of the nodes without their resonances."""
    first, centre, half = panels(low, high)
    bound = math.factorial(m) * nodes.bound(centre - half, m)
    if m < 3:
        slope = math.factorial(m + 1) * nodes.bound(centre - half, m + 1)
    else:
        slope = bound / (centre - half)
    bounds = 2 * math.pi * np.stack((bound, slope))
    size, poles = _SIZES[m], nodes.poles
    x = (centre[:, None] + half[:, None] * chebyshev(size)).ravel()
    values = np.empty((2, len(x)))
    rows = max(1, _CHUNK // max(1, len(poles)))
    for start in range(0, len(x), rows):
        square = x[start : start + rows] ** 2
        q = 1 / (square[:, None] - poles * poles)
        power = q if m == 0 else q * q if m == 1 else q ** (m + 1)
        moments = [power @ (nodes.residues * poles**k) for k in range(NUMERATOR[m] + 1)]
        parts = np.stack(combined(moments, square, m))
        values[:, start : start + rows] = -2 * math.pi * parts.imag
    lebesgue = 2 / math.pi * math.log(size) + 1
    errors = (1 + lebesgue + _MISFIT[m]) * bounds
    return fitted(first, values.reshape(2, len(centre), size), errors)


NUMERATOR = (1, 2, 3, 4)  # power of w in the numerators of `combined`


def combined(moments: Sequence[Any], square: Any, m: int) -> tuple[Any, Any]:
    """[g(x) + g(-x)]/2 and [g(x) - g(-x)]/(2x) of g = d^m/dx^m 1/(x - w).

    moments[k] is the sum of a w^k/(x^2 - w^2)^(m+1).
    """
    if m == 0:
        return moments[1], moments[0]
    if m == 1:
        return -(square * moments[0] + moments[2]), -2 * moments[1]
    if m == 2:
        return 6 * square * moments[1] + 2 * moments[3], 2 * square * moments[0] + 6 * moments[2]
    return (
        -6 * (square * square * moments[0] + 6 * square * moments[2] + moments[4]),
        -24 * (square * moments[1] + moments[3]),
    )


def resonant(nodes: Nodes, w: Any, m: int) -> tuple[Any, Any]:
    """P^(m)(w) of single poles, which may lie close to the axis, and the bound of rounding."""
    value, lost = np.zeros(np.shape(w)), np.zeros(np.shape(w))
    for pole, residue in zip(*nodes.resonances, strict=True):
        distance = w - pole
        term = -2 * math.pi * (-1.0) ** m * math.factorial(m) * residue / distance ** (m + 1)
        value = value + term.imag
        spread = np.abs(pole) / np.abs(distance)
        lost = lost + np.abs(term) * (nodes.uncertainty + UNIT * (32 + 8 * (m + 1) * spread))
    return value, lost


def resonant_parts(nodes: Nodes, x: Any, m: int) -> tuple[Any, Any]:
    """S_m and D_m of single poles, and the bound of rounding."""
    value, lost = np.zeros((2, *np.shape(x))), np.zeros((2, *np.shape(x)))
    for pole, residue in zip(*nodes.resonances, strict=True):
        factor = residue / ((x - pole) * (x + pole)) ** (m + 1)
        powers = range(NUMERATOR[m] + 1)
        term = -2 * math.pi * np.stack(combined([factor * pole**k for k in powers], x * x, m))
        size = np.stack(combined([np.abs(factor) * np.abs(pole) ** k for k in powers], x * x, m))
        spread = np.abs(pole) / np.minimum(np.abs(x - pole), np.abs(x + pole))
        value = value + term.imag
        relative = nodes.uncertainty + UNIT * (32 + 8 * (m + 1) * spread)
        lost = lost + 2 * math.pi * np.abs(size) * relative
    return value, lost
