"""The largest modulus on the real line of a sum of simple poles below it: a bound, not a sample.

On a panel of w a function is its polynomial interpolant at n Chebyshev points, but for a remainder
that is known for every pole: 1/(w - p) leaves T_n(x)/(T_n(x_p) (w - p)).  The interpolant is taken
at 8 n points, which miss no more than 1/cos(pi/8) of it, a weight w^-2 included (Ehlich, Zeller,
Math. Z. 86 (1964) 41).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.balanced_truncation import EPS, Modes

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]

_FINER = 8
_BETWEEN = 1 / math.cos(math.pi / _FINER)
_SHARE = 0.02  # of the goal, for remainders and what lies beyond the ends
_HALVINGS, _PANELS = 60, 4000
_ROUNDING = 8.0
_NEAR, _MOMENTS = 0.3, 10  # of the end of the line, and terms of the expansion beyond it
_WIDEST = 1e60


class Line(NamedTuple):
    """Panels that cover low <= w <= high, and a weight 1 up to band, (band/w)^2 beyond.

    Attributes
    ----------
    edges
        Increasing; shape (panels + 1,).
    points
        Number of Chebyshev points of a panel.
    band
        inf without a weight.
    """

    edges: Real
    points: int
    band: float

    @classmethod
    def over(cls, low: float, high: float, points: int, band: float) -> Line:
        """Panels of a factor 2 or less; the band is an edge."""
        if low < band < high:
            pieces = [_doublings(low, band), _doublings(band, high)[1:]]
            return cls(np.concatenate(pieces), points, band)
        return cls(_doublings(low, high), points, band)

    @classmethod
    def around(
        cls, modes: Modes, scale: float, negligible: float, points: int, band: float
    ) -> Line:
        """From where G is a polynomial in w to where it is one in 1/w."""
        low = scale / 10
        while low > scale / _WIDEST and _change(modes, low) > negligible:
            low /= 10
        high = 10 * scale
        while high < scale * _WIDEST:
            weight = 1 / max(1.0, high / band) ** 2
            if _rest(modes, high) * weight <= negligible:
                break
            high *= 10
        return cls.over(low, high, points, band)

    def at(self) -> Real:
        """The Chebyshev points, shape (panels, points)."""
        return self._places(_chebyshev(self.points))

    def _places(self, x: Real) -> Real:
        middle, half = (self.edges[1:] + self.edges[:-1]) / 2, np.diff(self.edges) / 2
        return np.asarray(middle[:, None] + half[:, None] * x)

    def weight(self, w: Real) -> Real:
        return np.asarray(1 / np.maximum(1.0, w / self.band) ** 2)

    def remainder(self, modes: Modes) -> tuple[Real, Real]:
        """What interpolation and what rounding leave at most in each panel, with the weight."""
        centre, half = (self.edges[1:] + self.edges[:-1]) / 2, np.diff(self.edges) / 2
        x = (modes.nu.imag - centre[:, None]) / half[:, None]
        y = modes.nu.real / half[:, None]
        square = y * y
        axes = np.sqrt((x - 1) ** 2 + square) + np.sqrt((x + 1) ** 2 + square)
        rho = (axes + np.sqrt(np.maximum(axes * axes - 4, 0.0))) / 2  # of the ellipse through p
        with np.errstate(over="ignore", divide="ignore"):
            power = _power(rho, self.points)
            chebyshev = (power - 1 / power) / 2
            away = np.maximum(np.abs(x) - 1, 0.0)
            height = modes.size / (np.sqrt(away * away + square) * half[:, None])
            lost = (height / chebyshev).sum(axis=1)
        weight = self.weight(self.edges[:-1])
        return lost * weight, _ROUNDING * EPS * height.sum(axis=1) * weight

    def refined(self, modes: Modes, goal: float) -> Line:
        """With panels halved until the remainder is a small share of the goal in each."""
        line = self
        for _ in range(_HALVINGS):
            coarse = line.remainder(modes)[0] > _SHARE * goal
            if not np.any(coarse) or len(line.edges) > _PANELS:
                break
            middle = (line.edges[1:] + line.edges[:-1])[coarse] / 2
            line = line._replace(edges=np.sort(np.concatenate((line.edges, middle))))
        return line

    def largest(self, modes: Modes, even: Complex, odd: Complex) -> float:
        """Sup of weight |G| over all real w, from G_S and G_A at the points.

        Parameters
        ----------
        modes : Modes
            The exponentials of G.
        even, odd : ndarray, shape (panels, points)
        """
        matrix = _between(self.points)
        even, odd = even @ matrix, odd @ matrix
        both = np.maximum(np.abs(even + 1j * odd), np.abs(even - 1j * odd))
        weight = self.weight(self._places(_chebyshev(_FINER * self.points)))
        inside = (both * weight).max(axis=1) * _BETWEEN
        inside = inside + _BETWEEN * 1.5 * sum(self.remainder(modes))
        return max(float(inside.max()), self.below(modes), self.above(modes))

    def below(self, modes: Modes) -> float:
        """A bound of |G| under the first edge, fast exponents expanded in w."""
        low = self.edges[0]
        near = _NEAR * np.abs(modes.nu) > low
        powers = (low / modes.nu[near]) ** np.arange(1, _MOMENTS + 1)[:, None] / low
        return 2 * _moments(powers, modes.chosen(near)) + _change(modes, low)

    def above(self, modes: Modes) -> float:
        """A bound of weight |G| beyond the last edge, slow exponents expanded in 1/w."""
        high = self.edges[-1]
        near = np.abs(modes.nu) < _NEAR * high
        powers = (modes.nu[near] / high) ** np.arange(_MOMENTS)[:, None] / high
        moments = 2 * _moments(powers, modes.chosen(near))
        return float((moments + _rest(modes, high)) * self.weight(high))


def _power(x: Real, n: int) -> Real:
    """x^n by squares, faster than a power of floats."""
    result = x if n % 2 else np.ones_like(x)
    while n := n // 2:
        x = x * x
        if n % 2:
            result = result * x
    return result


def _moments(powers: Complex, modes: Modes) -> float:
    moments = np.abs((powers @ modes.s).real) + np.abs((powers @ modes.a).real)
    return float(moments.sum())


def _change(modes: Modes, low: float) -> float:
    """Sum |c/(nu - iw)| at w < low, for fast nu the remainder of its expansion in w."""
    distance = np.hypot(np.maximum(modes.nu.imag - low, 0.0), modes.nu.real)
    return float(np.sum(modes.size * _remainder(low / np.abs(modes.nu)) / distance))


def _rest(modes: Modes, high: float) -> float:
    """Sum |c/(nu - iw)| at w > high, for slow nu the remainder of its expansion in 1/w."""
    distance = np.hypot(np.maximum(high - modes.nu.imag, 0.0), modes.nu.real)
    return float(np.sum(modes.size * _remainder(np.abs(modes.nu) / high) / distance))


def _remainder(size: Real) -> Real:
    """What the terms of an expansion leave, 1 where it is not used."""
    return np.asarray(np.where(size < _NEAR, np.minimum(size, 1.0) ** _MOMENTS, 1.0))


def _doublings(low: float, high: float) -> Real:
    number = max(1, math.ceil(math.log2(high / low)))
    edges = np.geomspace(low, high, number + 1)
    edges[0], edges[-1] = low, high
    return edges


def _chebyshev(number: int) -> Real:
    return np.asarray(np.cos((np.arange(number)[::-1] + 0.5) * (math.pi / number)))


def _between(number: int) -> Real:
    """Values of the interpolant at _FINER times as many points; shape (number, more)."""
    angle = (np.arange(number)[::-1] + 0.5) * (math.pi / number)
    finer = (np.arange(_FINER * number)[::-1] + 0.5) * (math.pi / (_FINER * number))
    order = np.arange(number)
    scale = np.where(order == 0, 1.0, 2.0) / number
    return np.asarray(np.cos(np.outer(angle, order)) * scale @ np.cos(np.outer(order, finer)))
