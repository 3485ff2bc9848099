"""Ĉ as polynomials on panels, with the integrals over it that have closed forms.

P(z) = P int dx f(x)/(x - z) on the real line and its derivatives, for many points and panels at
once.  A panel close to z gives int_-1^1 dt P_k(t)/(t - z) = -2 Q_k(z); all others enter through
moments int dt f t^n of ever larger groups of panels, by 1/(t - z) = -sum_n t^n/z^(n+1).
Derivatives are taken of f, and what jumps at knots is added: nothing is lost at a small distance
from a knot.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.jets import EPS

_Array = NDArray[np.float64]
_Indices = NDArray[np.intp]

_FAR = 2.0  # |z| from here on counts as far
_MOMENTS = 60  # C(63, 3) 2^-60 = 3e-14 of a third derivative, 1e-15 of its bound
_GROWTH = 30.0  # Q_k is recurred upwards where rho^k stays below
_DESCENT = 18 * math.log(10) / 2  # rho^(-2 steps) < 1e-18
_GOOD = 1e-13  # a larger relative error competes with other ways to take the derivative
_BLOCK = 4096  # points at a time
_PAIRS = 4_000_000  # knots times points at a time
_DEEPEST = 1e-280


class Tree(NamedTuple):
    """Panels, pairs of panels, pairs of pairs, ...: the nodes of all levels in a row.

    Attributes
    ----------
    low, high : ndarray, shape (nodes,)
    start : tuple of int
        Where each level begins, panels first; the last entry is the number of nodes.
    """

    low: _Array
    high: _Array
    start: tuple[int, ...]

    @classmethod
    def of(cls, low: _Array, high: _Array) -> Tree:
        """Nodes 2i and 2i + 1 of one level make node i of the next."""
        lows, highs, start = [low], [high], [0, len(low)]
        while len(lows[-1]) > 1:
            a, b = lows[-1], highs[-1]
            lows.append(a[::2])
            highs.append(np.append(b[1::2], b[-1:]) if len(b) % 2 else b[1::2])
            start.append(start[-1] + len(lows[-1]))
        return cls(np.concatenate(lows), np.concatenate(highs), tuple(start))

    def split(self, w: _Array) -> tuple[_Indices, _Indices, _Indices, _Indices]:
        """Far pairs (index of w, node) and near pairs (index of w, panel) that tile the panels.

        Near pairs are in ascending order.
        """
        rows = np.arange(len(w))
        nodes = np.zeros(len(w), dtype=np.intp)
        far: list[tuple[_Indices, _Indices]] = []
        for number in reversed(range(len(self.start) - 1)):
            here = self.start[number] + nodes
            low, high = self.low[here], self.high[here]
            apart = np.abs(w[rows] - low) + np.abs(w[rows] - high) >= _FAR * (high - low)
            far.append((rows[apart], here[apart]))
            rows, nodes = rows[~apart], nodes[~apart]
            if number:
                rows = np.repeat(rows, 2)
                nodes = (2 * nodes[:, None] + np.arange(2)).ravel()
                exists = nodes < self.start[number] - self.start[number - 1]
                rows, nodes = rows[exists], nodes[exists]
        far_rows, far_nodes = (np.concatenate(part) for part in zip(*far, strict=True))
        return far_rows, far_nodes, rows, nodes

    def moments(self, series: _Array, errors: _Array) -> tuple[_Array, _Array]:
        """int_-1^1 dt f t^n, shape (moments, nodes), of every node from its children's.

        And what bounds all they may miss: int dt of the error of f, and rounding by int dt |f|.
        """
        degree = series.shape[1]
        powers = [_mixed(degree).T @ series.T]
        # |f| by its root mean square
        size = [2 * np.sqrt(np.sum(series**2 / (2 * np.arange(degree) + 1), axis=1))]
        lost = [2 * errors + 40 * EPS * size[0]]
        for first, last in pairwise(self.start[:-1]):
            parent = last + np.arange(last - first) // 2
            low, high = self.low[first:last], self.high[first:last]
            length = self.high[parent] - self.low[parent]
            shrunk = (high - low) / length
            moved = ((low - self.low[parent]) + (high - self.high[parent])) / length
            powers.append(_paired(_lifted(powers[-1], moved, shrunk) * shrunk))
            lost.append(_paired((lost[-1] + 16 * EPS * size[-1]) * shrunk))
            size.append(_paired(size[-1] * shrunk))
        return np.concatenate(powers, axis=-1), np.concatenate(lost)


class _Edges(NamedTuple):
    """Where panels end; values and errors have the shape (orders, places)."""

    places: _Array
    below: _Array  # f^(m)(place - 0)
    above: _Array
    jumps: _Array  # 0 where f^(m) is known to be continuous
    lost: _Array  # of the jumps


@dataclass(frozen=True, eq=False)
class PiecewiseSpectrum:
    """f and its derivatives as Legendre series on panels.

    Attributes
    ----------
    low, high : ndarray, shape (panels,)
        Ends, ascending; f = 0 between panels that do not touch.
    series : ndarray, shape (orders, panels, degree + 1)
        Legendre coefficients of f, f', ... in t, x = (low + high)/2 + t (high - low)/2.
    errors : ndarray, shape (orders, panels)
        Bounds of |f^(m) - series|.
    regular : mapping
        From ends of panels to the order of the first derivative that is not continuous there (a
        fraction if it diverges).  Elsewhere f is smooth where two panels touch, and jumps where
        they do not.
    tails : tuple of (edge, value, error, power)
        f ~ value |x/edge|^power beyond an outermost edge, where f does not end there.
    unit : float or None
        Stands for the distance 0 from a knot in logarithms, which cancel if f is continuous.
    """

    low: _Array
    high: _Array
    series: _Array
    errors: _Array
    regular: Mapping[float, float]
    tails: tuple[tuple[float, float, float, float], ...] = ()
    unit: float | None = None

    def regular_transform(self, w: _Array, derivative: int) -> tuple[_Array, _Array]:
        """P^(m)(w) of P(w) = P int dx f(x)/(x - w), m below the orders, with true bounds.

        For a row of w; one that hits a knot counts as just above it.
        """
        fractions = [max(math.ceil(r), 0) for r in self.regular.values() if r % 1]
        most = min([derivative, len(self.series) - 1, *fractions])  # of f, integrable but for jumps
        value, error = self._shared(w, derivative, most)
        for order in reversed(range(most)):
            # beside a narrow peak derivatives of f are huge, and so are the errors of their sum
            poor = np.flatnonzero(error > _GOOD * np.abs(value))
            other, bound = self._shared(w[poor], derivative, order)
            better = bound < error[poor]
            value[poor[better]], error[poor[better]] = other[better], bound[better]
        return value, error

    def _shared(self, w: _Array, derivative: int, order: int) -> tuple[_Array, _Array]:
        """P^(m)(w) with so many derivatives taken of f, the others of 1/(x - w)."""
        value, error = np.zeros((2, len(w)))
        with np.errstate(all="ignore"):
            for start in range(0, len(w), _BLOCK):
                block = slice(start, start + _BLOCK)
                value[block], error[block] = self._integral(w[block], order, derivative - order)
            for part, bound in (
                self._jumps(w, derivative, order),
                self._beyond(w, derivative),
            ):
                value, error = value + part, error + bound
        return value, np.where(np.isfinite(value), error + 4 * EPS * np.abs(value), np.inf)

    # -- the panels ------------------------------------------------------------------------------

    @cached_property
    def _tree(self) -> Tree:
        return Tree.of(self.low, self.high)

    @cached_property
    def _moments(self) -> dict[int, tuple[_Array, _Array]]:
        return {}

    @cached_property
    def _edges(self) -> _Edges:
        places = np.union1d(self.low, self.high)
        orders = np.arange(len(self.series))[:, None]
        below, above, unsure = np.zeros((3, len(orders), len(places)))
        starts, stops = np.searchsorted(places, self.low), np.searchsorted(places, self.high)
        below[:, stops] = np.sum(self.series, axis=2)
        above[:, starts] = self.series @ (-1.0) ** np.arange(self.series.shape[2])
        unsure[:, stops] += self.errors
        unsure[:, starts] += self.errors
        known = np.full(len(places), -1.0)
        known[np.intersect1d(starts, stops)] = np.inf
        known[np.isin(places, [edge for edge, *_ in self.tails])] = np.inf
        for k in np.flatnonzero(np.isin(places, list(self.regular))).tolist():
            known[k] = self.regular[float(places[k])]
        continuous = orders < known
        jumps, lost = np.where(continuous, 0.0, (above - below, unsure))
        return _Edges(places, below, above, jumps, lost)

    def _integral(self, w: _Array, order: int, lowered: int) -> tuple[_Array, _Array]:
        """d^lowered/dw^lowered of int dx f^(order)(x)/(x - w); the integral at real w is P's."""
        value, error = np.zeros((2, len(w)))
        if len(self.low):
            rows, nodes, near_rows, panels = self._tree.split(w)
            for which, (part, bound) in (
                (rows, self._far(w[rows], nodes, order, lowered)),
                (near_rows, self._near(w, near_rows, panels, order, lowered)),
            ):
                value += np.bincount(which, part, len(w))
                error += np.bincount(which, bound, len(w))
        return value, error

    def _far(self, w: _Array, nodes: _Indices, order: int, lowered: int) -> tuple[_Array, _Array]:
        if order not in self._moments:
            self._moments[order] = self._tree.moments(self.series[order], self.errors[order])
        (powers, missed), low, high = self._moments[order], *(x[nodes] for x in self._tree[:2])
        half = (high - low) / 2
        z = ((w - low) + (w - high)) / 2 / half
        total = np.zeros_like(z)
        for n in reversed(range(_MOMENTS)):
            total = total / z + math.perm(n + lowered, lowered) * powers[n, nodes]
        nearest = np.minimum(np.abs(w - low), np.abs(w - high))
        kernel = math.factorial(lowered) * half / nearest ** (lowered + 1)
        return -total / z / (-half * z) ** lowered, kernel * missed[nodes]

    def _near(
        self, w: _Array, rows: _Indices, panels: _Indices, order: int, lowered: int
    ) -> tuple[_Array, _Array]:
        """The panels that hold w or lie next to it, derivatives by partial integration."""
        low, high, w = self.low[panels], self.high[panels], w[rows]
        below, above = _away(w - low, w), _away(w - high, w)
        left, right = np.abs(below), np.abs(above)
        if self.unit is not None:
            left, right = (np.where(x <= 2 * _DEEPEST, self.unit, x) for x in (left, right))
        logarithm = np.log(left) - np.log(right)
        half = (high - low) / 2
        series = self.series[order + lowered, panels]
        functions = _legendre_q(below / half, above / half, logarithm, series.shape[1])
        value = -2 * np.einsum("ki,ik->i", functions, series)
        size = np.einsum("ki,ik->i", np.abs(functions), np.abs(series))
        error = 32 * EPS * size + self.errors[order + lowered, panels] * (4 + np.abs(logarithm))
        if not lowered:
            return value, error
        # where two of these panels touch their ends make up the jump of f
        edges = self._edges
        starts, stops = (np.searchsorted(edges.places, x) for x in (low, high))
        joined = (rows[1:] == rows[:-1]) & (low[1:] == high[:-1])
        follows, goes_on = np.append(False, joined), np.append(joined, False)
        for i in range(order, order + lowered):
            power = order + lowered - i
            first = np.where(follows, edges.jumps[i, starts], edges.above[i, starts])
            last = np.where(goes_on, 0.0, -edges.below[i, stops])
            unsure = np.where(follows, edges.lost[i, starts], self.errors[i, panels])
            beyond = np.where(goes_on, 0.0, self.errors[i, panels])
            for end, missed, away in ((first, unsure, -below), (last, beyond, -above)):
                kernel = math.factorial(power - 1) / away**power
                value = value + kernel * end
                error = error + np.abs(kernel) * (missed + 8 * EPS * np.abs(end))
        return value, error

    def _jumps(self, w: _Array, derivative: int, order: int) -> tuple[_Array, _Array]:
        """sum_k sum_i<order (m - 1 - i)! [f^(i)]_k/(k - w)^(m - i)."""
        value, error = np.zeros((2, len(w)))
        for i in range(order):
            there = self._edges.lost[i] != 0
            if not np.any(there):
                continue
            power, weight = derivative - i, math.factorial(derivative - 1 - i)
            knots, jumps = self._edges.places[there], self._edges.jumps[i, there]
            unsure = weight * (self._edges.lost[i, there] + 8 * EPS * np.abs(jumps))
            step = max(1, _PAIRS // len(knots))
            for start in range(0, len(w), step):
                block = slice(start, start + step)
                column = w[block, None]
                kernel = np.reciprocal(-_away(column - knots, column)) ** power
                value[block] += weight * (kernel @ jumps)
                error[block] += np.abs(kernel) @ unsure
        return value, error

    def _beyond(self, w: _Array, derivative: int) -> tuple[_Array, _Array]:
        """The same of the tails, m! int dx A |x/b|^q/(x - w)^(m + 1) beyond b >> w."""
        value, error = np.zeros((2, len(w)))
        for b, height, unsure, power in self.tails:
            term = math.factorial(derivative) / (derivative - power) / abs(b) ** float(derivative)
            value += height * term * math.copysign(1.0, b) ** (derivative + 1)
            error += unsure * term + 2 * (derivative + 1) * abs(height) * term * np.abs(w / b)
        return value, error


def _away(distance: _Array, w: _Array) -> _Array:
    """A difference from w, kept off 0 by a positive one."""
    floor = EPS * np.abs(w) + _DEEPEST
    return np.where(np.abs(distance) < floor, floor, distance)


# -- moments -----------------------------------------------------------------------------------


def _paired(values: _Array) -> _Array:
    """Sums of neighbours 2i and 2i + 1 along the last axis."""
    result = values[..., ::2].copy()
    result[..., : values.shape[-1] // 2] += values[..., 1::2]
    return result


def _lifted(moments: _Array, moved: _Array, shrunk: _Array) -> _Array:
    """int f (moved + shrunk t)^n from int f t^n."""
    result, rows = np.empty_like(moments), moments.copy()
    for n in range(len(moments)):
        result[n] = rows[0]
        kept, rows = moved * rows[:-1], rows[1:]
        rows *= shrunk
        rows += kept
    return result


def _mixed(degree: int) -> _Array:
    """int_-1^1 P_k t^n dt, shape (degree, moments), exact for a Gauss rule of enough nodes."""
    x, weights = np.polynomial.legendre.leggauss((degree + _MOMENTS) // 2 + 1)
    legendre = np.polynomial.legendre.legvander(x, degree - 1)
    return np.asarray(legendre.T @ (weights[:, None] * np.vander(x, _MOMENTS, increasing=True)))


# -- Legendre functions ------------------------------------------------------------------------


def _legendre_q(plus: _Array, minus: _Array, logarithm: _Array, count: int) -> _Array:
    """Q_0..Q_(count-1), shape (count, points), at real z given by z + 1 and z - 1.

    Q_0 is half the given logarithm of |(z + 1)/(z - 1)|.
    """
    z = (plus + minus) / 2
    q = np.empty((count, len(z)))
    q[0] = logarithm / 2
    q[1:2] = z * q[0] - 1
    for k in range(1, count - 1):
        q[k + 1] = ((2 * k + 1) * z * q[k] - k * q[k - 1]) / (k + 1)
    root = np.sqrt(np.maximum(plus * minus, 0.0))
    rate = np.log(np.maximum(np.abs(z) + root, 1.0))  # log rho
    steep = np.flatnonzero(rate * (count - 1) > math.log(_GROWTH))
    if len(steep):  # ratios Q_k/Q_(k-1), recurred downwards
        z, ratio = z[steep], np.sign(z[steep]) * np.exp(-rate[steep])
        steps = math.ceil(_DESCENT / float(np.min(rate[steep])))
        ratios = np.empty((count - 1, len(z)))
        for k in range(count - 1 + steps, 0, -1):
            ratio = k / ((2 * k + 1) * z - (k + 1) * ratio)
            if k < count:
                ratios[k - 1] = ratio
        q[1:, steep] = np.cumprod(ratios, axis=0) * q[0, steep]
    return q
