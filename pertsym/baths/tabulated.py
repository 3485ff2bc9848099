"""P(w) and its derivatives for large arrays: polynomials on panels, made from nodes, with a bound.

A sum over hundreds of nodes at every point is too slow for a sweep.  Every octave of the variable
is cut into equal panels, found from the bits of a double; on each stands the polynomial through
Chebyshev points.  What is tabulated for x > 0 is, of G(z) = sum_k a_k/(z - w_k) and P = -2 pi Im G,

    S_m(x) = [P^(m)(x) + P^(m)(-x)]/2    and    D_m(x) = [P^(m)(x) - P^(m)(-x)]/(2x),

so that neither loses digits where it is small beside P.

The interpolation error of every term is known: with N points

    1/(t - c) - interpolant = T_N(t)/[T_N(c) (t - c)],

and |T_N(c)| >= (r^N - r^-N)/2 with r = d + sqrt(1 + d^2) at the distance d of c from [-1, 1].
Tables over temperature are in `pertsym.baths.thermal_tables`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from pertsym.baths.node_path import Real
from pertsym.baths.nodes import Nodes

UNIT = 2.0**-53
BITS = 3  # an octave has 2^BITS panels
_MANTISSA = 52
_ONE = np.int64(1023 << 52)
_LOW = np.int64((1 << 52) - 1)
_SIZES = (9, 11, 13, 15, 17)  # numbers of points that are tried
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
    bits
        An octave has 2^bits panels.
    """

    first: int
    coefficients: Real
    errors: Real
    bits: int = BITS

    def __call__(self, x: Any) -> tuple[Real, Real]:
        """Values and bounds at x, shape (functions, *x.shape); x lies within the panels."""
        index, t = position(x, self.bits)
        index = index - self.first
        values = np.empty((len(self.coefficients), *t.shape))
        for rows, value in zip(self.coefficients, values, strict=True):
            value[...] = rows[-1][index]
            for row in rows[-2::-1]:
                value *= t
                value += row[index]
        return values, self.errors[:, index]

    def single(self, x: float) -> tuple[float, float]:
        """Value and bound of the first function at one x in the first panel of whole octaves."""
        t = 4 * math.frexp(x)[0] - 3
        value = 0.0
        for c in self._horner:
            value = value * t + c
        return value, float(self.errors[0, 0])

    @cached_property
    def _horner(self) -> list[float]:
        found: list[float] = self.coefficients[0, ::-1, 0].tolist()
        return found


def position(x: Any, bits: int = BITS) -> tuple[Any, Any]:
    """Number of the panel of every x > 0 and the place in it, from -1 to 1, both exact."""
    pattern = np.ascontiguousarray(x, dtype=float).view(np.int64)
    within = ((pattern << bits) & _LOW) | _ONE
    return pattern >> (_MANTISSA - bits), 2 * within.view(np.float64) - 3


def panels(low: float, high: float, bits: int = BITS) -> tuple[int, Real, Real]:
    """Number of the first panel; centres and half widths of those that cover low <= x <= high."""
    first, last = (int(position(np.array([x]), bits)[0][0]) for x in (low, high))
    pattern = np.arange(first, last + 2, dtype=np.int64) << (_MANTISSA - bits)
    edges = pattern.view(np.float64)
    return first, (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2


def chebyshev(size: int) -> Real:
    """Zeros of T_size; the middle one is 0 for an odd size."""
    points = np.cos(math.pi * (np.arange(size) + 0.5) / size)
    points[size // 2] = 0.0
    return points


def fitted(first: int, values: Real, errors: Real, bits: int = BITS) -> Pieces:
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
    angles = math.pi * (np.arange(size) + 0.5) / size
    modes = np.cos(np.outer(angles, np.arange(size))) * (2 / size)
    modes[:, 0] /= 2
    powers = np.zeros((size, size))
    powers[0, 0] = powers[1, 1] = 1.0
    for k in range(2, size):  # T_k = 2 t T_(k-1) - T_(k-2)
        powers[k, 1:] = 2 * powers[k - 1, :-1]
        powers[k] -= powers[k - 2]
    coefficients = rest @ modes @ powers
    coefficients[..., 0] += middle[..., 0]
    horner = np.abs(coefficients) @ (2.0 * np.arange(size) + 2)
    rounding = UNIT * (horner + 2 * size * size * np.max(np.abs(rest), -1))
    rows = np.ascontiguousarray(np.swapaxes(coefficients, 1, 2))
    return Pieces(first, rows, errors + rounding, bits)


@dataclass(frozen=True, eq=False)
class TabulatedTransform:
    """P^(m)(w) of one bath with fixed parameters, for many w.

    Parameters
    ----------
    nodes : Nodes
        Of scalar parameters; valid from `low` to `high`.
    low, high : float
        The smallest and the largest |w| > 0 that will be asked for.
    uncertainty : float
        Relative error of the residues of the resonances.
    """

    nodes: Nodes
    low: float
    high: float
    uncertainty: float = 0.0
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
        single, rounding = resonant(self.nodes.resonances, w, derivative, self.uncertainty)
        value = value + single
        return value, error + rounding + UNIT * np.abs(value)

    def parts(self, x: Any, derivative: int = 0) -> tuple[Any, Any, Any, Any]:
        """S_m(x), its error, D_m(x), its error for x > 0; P^(m)(+-x) = S_m +- x D_m."""
        x = np.asarray(x, dtype=float)
        even, even_error, slope, slope_error = self._arms(x, derivative)
        added, rounding = resonant_parts(self.nodes.resonances, x, derivative, self.uncertainty)
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
    poles, weights = nodes.poles, np.abs(nodes.residues)
    bound = math.factorial(m) * nodes.bound(centre - half, m)
    if m < 3:
        slope = math.factorial(m + 1) * nodes.bound(centre - half, m + 1)
    else:
        slope = bound / (centre - half)
    bounds = 2 * math.pi * np.stack((bound, slope))
    distance = np.hypot(
        np.maximum(np.abs(np.abs(poles.real) - centre[:, None]) - half[:, None], 0), poles.imag
    )
    distance /= half[:, None]
    radii = np.abs(poles)
    inner = radii < centre[:, None] / 4
    for size in _SIZES:
        missed = [_missed(distance, half, size, j) for j in range(m + 1)]
        even = missed[m] @ weights
        apart = [missed[m - j] / radii ** (j + 1) for j in range(m + 1)]
        odd = np.where(inner, _missed_around(centre, half, radii, size, m), sum(apart)) @ weights
        misfit = 2 * math.pi * math.factorial(m) * np.stack((even, odd))
        if np.all(misfit <= 0.1 * bounds):
            break
    x = (centre[:, None] + half[:, None] * chebyshev(size)).ravel()
    values = np.empty((2, len(x)))
    rows = max(1, _CHUNK // max(1, len(poles)))
    for start in range(0, len(x), rows):
        part = slice(start, start + rows)
        values[:, part] = summed(nodes.residues, poles, x[part], m)
    lebesgue = 2 / math.pi * math.log(size) + 1
    return fitted(first, values.reshape(2, len(centre), size), misfit + (1 + lebesgue) * bounds)


def _missed(distance: Real, half: Real, size: int, m: int) -> Real:
    """Interpolation error of 1/(x - w)^(m+1): by Cauchy's formula on a circle around w."""
    radius = distance * (m / (size + m + 1))
    left = distance - radius
    growth = size * np.log(left + np.sqrt(1 + left * left))
    result = np.exp(-growth) * 2 / -np.expm1(-2 * growth) / left
    if m:
        result /= radius**m
    return np.asarray(result / half[:, None] ** (m + 1))


def _missed_around(centre: Real, half: Real, radii: Real, size: int, m: int) -> Real:
    """The same of D_m, where both poles +-w lie in the inner quarter, on a circle around both."""
    circle = centre / 2
    left = (centre - circle - half) / half
    missed = circle / (half * left) * 2 / ((left + np.sqrt(1 + left * left)) ** size - 1)
    gap = (circle[:, None] ** 2 - radii**2) ** (m + 1)
    gap = np.where(gap > 0, gap, np.inf)
    moments = [radii**k / gap for k in range(NUMERATOR[m] + 1)]
    size_of = np.abs(combined(moments, circle[:, None] ** 2, m)[1]) / math.factorial(m)
    return np.asarray(missed[:, None] * size_of)


def summed(residues: Any, poles: Any, x: Any, m: int) -> Any:
    """S_m and D_m of the poles at an array of x > 0."""
    square = x * x
    q = 1 / (square[:, None] - poles * poles)
    power = q if m == 0 else q * q if m == 1 else q ** (m + 1)
    moments = [power @ (residues * poles**k) for k in range(NUMERATOR[m] + 1)]
    return -2 * math.pi * np.stack(combined(moments, square, m)).imag


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


def resonant(
    resonances: tuple[Any, Any], w: Any, m: int, uncertainty: float = 0.0
) -> tuple[Any, Any]:
    """P^(m)(w) of single poles, which may lie close to the axis, and the bound of rounding.

    Positions and residues have the poles on their first axis.
    """
    shape = np.broadcast_shapes(np.shape(w), resonances[1].shape[1:])
    value, lost = np.zeros(shape), np.zeros(shape)
    for pole, residue in zip(*resonances, strict=True):
        distance = w - pole
        term = -2 * math.pi * (-1.0) ** m * math.factorial(m) * residue / distance ** (m + 1)
        value = value + term.imag
        spread = np.abs(pole) / np.abs(distance)
        lost = lost + np.abs(term) * (uncertainty + UNIT * (32 + 8 * (m + 1) * spread))
    return value, lost


def resonant_parts(
    resonances: tuple[Any, Any], x: Any, m: int, uncertainty: float = 0.0
) -> tuple[Any, Any]:
    """S_m and D_m of single poles, and the bound of rounding."""
    shape = (2, *np.broadcast_shapes(np.shape(x), resonances[1].shape[1:]))
    value, lost = np.zeros(shape), np.zeros(shape)
    for pole, residue in zip(*resonances, strict=True):
        factor = residue / ((x - pole) * (x + pole)) ** (m + 1)
        powers = range(NUMERATOR[m] + 1)
        term = -2 * math.pi * np.stack(combined([factor * pole**k for k in powers], x * x, m))
        size = np.stack(combined([np.abs(factor) * np.abs(pole) ** k for k in powers], x * x, m))
        spread = np.abs(pole) / np.minimum(np.abs(x - pole), np.abs(x + pole))
        value = value + term.imag
        relative = uncertainty + UNIT * (32 + 8 * (m + 1) * spread)
        lost = lost + 2 * math.pi * np.abs(size) * relative
    return value, lost
