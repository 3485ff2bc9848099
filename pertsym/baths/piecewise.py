"""Ĉ as polynomials on panels, with the integrals over it that have closed forms.

P(z) = P int dx f(x)/(x - z) on the real line and its derivatives, for many
points and panels at once.  A panel close to z gives int_-1^1 dt P_k(t)/(t - z) = -2 Q_k(z); all
others enter through Chebyshev moments of ever larger groups of panels, by
1/(z - t) = 2 sum_n' r^n T_n(t)/(z^2 - 1)^(1/2), r = z - (z^2 - 1)^(1/2).  Derivatives are taken
of f, and what jumps at knots is added: nothing is lost at a small distance from a knot.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.jets import EPS

_Array = NDArray[np.float64]
_Indices = NDArray[np.intp]

_MOMENTS = 36  # at |r| <= 0.268: 36^2 r^36 = 3e-18
_FAR = 4.0  # |z - 1| + |z + 1| from here on counts as far
_REACH = 1.2  # max |t - z|^-1 over min(|z - 1|, |z + 1|)^-1 for far z
_GROWTH = 30.0  # Q_k is recurred upwards where rho^k stays below
_DESCENT = 18 * math.log(10) / 2  # rho^(-2 steps) < 1e-18
_CLASSES = (12, 24, 48, 96, 192, 400)  # numbers of steps downwards
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

    def level(self, number: int) -> slice:
        return slice(self.start[number], self.start[number + 1])

    def split(self, w: _Array) -> tuple[_Indices, _Indices, _Indices, _Indices]:
        """Far pairs (index of w, node) and near pairs (index of w, panel) that tile the panels."""
        rows = np.arange(len(w))
        nodes = np.zeros(len(w), dtype=np.intp)
        far: list[tuple[_Indices, _Indices]] = []
        for number in reversed(range(len(self.start) - 1)):
            here = self.start[number] + nodes
            low, high = self.low[here], self.high[here]
            apart = np.abs(w[rows] - low) + np.abs(w[rows] - high) >= _FAR / 2 * (high - low)
            far.append((rows[apart], here[apart]))
            rows, nodes = rows[~apart], nodes[~apart]
            if number:
                rows = np.repeat(rows, 2)
                nodes = (2 * nodes[:, None] + np.arange(2)).ravel()
                exists = nodes < self.start[number] - self.start[number - 1]
                rows, nodes = rows[exists], nodes[exists]
        far_rows, far_nodes = (np.concatenate(part) for part in zip(*far, strict=True))
        return far_rows, far_nodes, rows, nodes


class _Moments(NamedTuple):
    """int_-1^1 dt f T_n of every node (the first halved), of |f| and of the error of f."""

    chebyshev: _Array  # (moments, nodes)
    size: _Array
    error: _Array


@dataclass(frozen=True, eq=False)
class PiecewiseSpectrum:
    """f and its derivatives as Legendre series on panels, and what jumps at their ends.

    Attributes
    ----------
    low, high : ndarray, shape (panels,)
        Edges, ascending; f = 0 between panels that do not touch.
    series : ndarray, shape (orders, panels, degree + 1)
        Legendre coefficients of f, f', ... in t, x = (low + high)/2 + t (high - low)/2.
    errors : ndarray, shape (orders, panels)
        Bounds of |f^(m) - series|.
    knots : ndarray, shape (knots,)
        Where f or one of these derivatives jumps.
    jumps, jump_errors : ndarray, shape (orders, knots)
        f^(m)(knot + 0) - f^(m)(knot - 0).
    smooth : int
        The highest derivative that is integrable but for jumps, below the number of orders.
    tails : tuple of (edge, value, error, power)
        f ~ value |x/edge|^power beyond an outermost edge, where f does not end there.
    unit : float or None
        Stands for the distance 0 from a knot in logarithms, which cancel if f is continuous.
    """

    low: _Array
    high: _Array
    series: _Array
    errors: _Array
    knots: _Array
    jumps: _Array
    jump_errors: _Array
    smooth: int
    tails: tuple[tuple[float, float, float, float], ...] = ()
    unit: float | None = None

    def regular_transform(self, w: _Array, derivative: int) -> tuple[_Array, _Array]:
        """P^(m)(w) of P(w) = P int dx f(x)/(x - w), m below the orders, with true bounds.

        For a row of w; one that hits a knot counts as just above it.
        """
        value, error = self._shared(w, derivative, min(derivative, self.smooth))
        for order in reversed(range(min(derivative, self.smooth))):
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
            edges = self._edge_terms(w, derivative, order)
            beyond = self._beyond(w, derivative)
        value, error = value + edges[0] + beyond[0], error + edges[1] + beyond[1]
        return value, np.where(np.isfinite(value), error + 4 * EPS * np.abs(value), np.inf)

    # -- the panels ------------------------------------------------------------------------------

    @cached_property
    def _tree(self) -> Tree:
        return Tree.of(self.low, self.high)

    @cached_property
    def _moments(self) -> dict[int, _Moments]:
        return {}

    def _moments_of(self, order: int) -> _Moments:
        if order not in self._moments:
            self._moments[order] = _gathered(self._tree, self.series[order], self.errors[order])
        return self._moments[order]

    def _integral(self, w: _Array, order: int, lowered: int) -> tuple[_Array, _Array]:
        """d^lowered/dw^lowered of int dx f^(order)(x)/(x - w); the integral at real w is P's."""
        if not len(self.low):
            return np.zeros_like(w), np.zeros(len(w))
        rows, nodes, near_rows, panels = self._tree.split(w)
        value, error = np.zeros_like(w), np.zeros(len(w))
        for which, (part, bound) in (
            (rows, self._far(w[rows], nodes, order, lowered)),
            (near_rows, self._near(w[near_rows], panels, order, lowered)),
        ):
            value = value + np.bincount(which, part, len(w))
            error = error + np.bincount(which, bound, len(w))
        return value, error

    def _far(self, w: _Array, nodes: _Indices, order: int, lowered: int) -> tuple[_Array, _Array]:
        moments, tree = self._moments_of(order), self._tree
        half = (tree.high[nodes] - tree.low[nodes]) / 2
        plus, minus = (w - tree.low[nodes]) / half, (w - tree.high[nodes]) / half
        z = (plus + minus) / 2
        root = _root(plus, minus)
        ratio = 1 / (z + root)
        sums = [np.zeros_like(z) for _ in range(lowered + 1)]
        for n in reversed(range(_MOMENTS)):
            coefficient = moments.chebyshev[n, nodes]
            for k in range(lowered + 1):
                sums[k] = sums[k] * ratio + coefficient * n**k
        match lowered:
            case 0:
                value = -2 * sums[0] / root
            case 1:
                value = 2 * (sums[1] + z / root * sums[0]) / (root * root * half)
            case 2:
                slope = z / root
                value = sums[2] + 3 * slope * sums[1] + (3 * slope * slope - 1) * sums[0]
                value = -2 * value / (root * root * root * half * half)
            case _:
                slope, square = z / root, z / root * z / root
                value = sums[3] + 6 * slope * sums[2] + (15 * square - 4) * sums[1]
                value = value + (15 * square - 9) * slope * sums[0]
                value = 2 * value / (root**4 * half**3)
        kernel = _REACH / np.minimum(np.abs(plus), np.abs(minus))
        kernel = math.factorial(lowered) * kernel * (kernel / half) ** lowered
        return value, kernel * (moments.error[nodes] + 40 * EPS * moments.size[nodes])

    def _near(self, w: _Array, panels: _Indices, order: int, lowered: int) -> tuple[_Array, _Array]:
        """The panels that hold w or lie next to it, derivatives by partial integration."""
        low, high = self.low[panels], self.high[panels]
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
        for i in range(lowered):
            power = lowered - i
            weight = math.factorial(power - 1)
            left, right = self._ends[:, order + i, panels]
            unsure = self.errors[order + i, panels]
            for end, distance in ((left, -below), (-right, -above)):
                value = value + weight * end / distance**power
                bound = unsure + 8 * EPS * np.abs(end)
                error = error + weight * bound / np.abs(distance) ** power
        return value, error

    @cached_property
    def _ends(self) -> _Array:
        """f^(m) at the left and the right end of each panel, shape (2, orders, panels)."""
        signs = (-1.0) ** np.arange(self.series.shape[2])
        left, right = self.series @ signs, np.sum(self.series, axis=2)
        joined = np.flatnonzero(self.high[:-1] == self.low[1:])
        jumping = np.isin(self.high[joined], self.knots)
        for m in range(
            len(self.series)
        ):  # no difference of two roundings where f^(m) is continuous
            at = joined[~jumping]
            mean = (right[m, at] + left[m, at + 1]) / 2
            right[m, at], left[m, at + 1] = mean, mean
        return np.array([left, right])

    def _edge_terms(self, w: _Array, derivative: int, order: int) -> tuple[_Array, _Array]:
        """sum_k sum_i<order (m - 1 - i)! [f^(i)]_k/(k - w)^(m - i)."""
        value, error = np.zeros((2, len(w)))
        for i in range(order):
            jumps, unsure = self.jumps[i], self.jump_errors[i]
            there = (jumps != 0) | (unsure != 0)
            if not np.any(there):
                continue
            power, weight = derivative - i, math.factorial(derivative - 1 - i)
            knots, jumps, unsure = self.knots[there], jumps[there], unsure[there]
            unsure = weight * (unsure + 8 * EPS * np.abs(jumps))
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
        value, error = np.zeros_like(w), np.zeros(len(w))
        for b, height, unsure, power in self.tails:
            for k in range(3):
                n = derivative + k - power
                moment = math.factorial(derivative) * math.comb(derivative + k, k) / n
                term = moment * math.copysign(1.0, b) ** (derivative + k + 1)
                term = term * abs(b) ** -float(derivative) * (w / abs(b)) ** k
                value = value + height * term
                error = error + unsure * np.abs(term)
            error = error + np.abs(height * term)
        return value, error


def _away(distance: _Array, w: _Array) -> _Array:
    """A difference from w, kept off 0 by a positive one."""
    floor = EPS * np.abs(w) + _DEEPEST
    return np.where(np.abs(distance) < floor, floor, distance)


def _root(plus: _Array, minus: _Array) -> _Array:
    """(z^2 - 1)^(1/2) ~ z from z + 1 and z - 1, cut along [-1, 1]."""
    return np.sign(plus) * np.sqrt(np.abs(plus)) * np.sqrt(np.abs(minus))


# -- moments -----------------------------------------------------------------------------------


def _gathered(tree: Tree, series: _Array, errors: _Array) -> _Moments:
    """The moments of every node, from its children's."""
    degree = series.shape[1]
    # weights against int T_n P_k dt; |f| by its root mean square
    chebyshev = [_mixed(degree).T @ series.T]
    size = [2 * np.sqrt(np.sum(series**2 / (2 * np.arange(degree) + 1), axis=1))]
    error = [2 * errors]
    for number in range(len(tree.start) - 2):
        here, above = tree.level(number), tree.level(number + 1)
        count = here.stop - here.start
        parent = above.start + np.arange(count) // 2
        low, high = tree.low[here], tree.high[here]
        length = tree.high[parent] - tree.low[parent]
        shrunk = (high - low) / length
        moved = ((low - tree.low[parent]) + (high - tree.high[parent])) / length
        lifted = _lifted(chebyshev[-1], moved, shrunk) * shrunk
        chebyshev.append(_paired(lifted))
        size.append(_paired(size[-1] * shrunk))
        error.append(_paired((error[-1] + 8 * EPS * size[-2]) * shrunk))
    moments = np.concatenate(chebyshev, axis=1)
    moments[0] /= 2
    return _Moments(moments, np.concatenate(size), np.concatenate(error))


def _paired(values: _Array) -> _Array:
    """Sums of neighbours 2i and 2i + 1 along the last axis."""
    result = values[..., ::2].copy()
    result[..., : values.shape[-1] // 2] += values[..., 1::2]
    return result


def _lifted(moments: _Array, moved: _Array, shrunk: _Array) -> _Array:
    """int f T_n(moved + shrunk t) from int f T_n(t): T_(n+1) = 2 x T_n - T_(n-1), times T_j(t)."""
    result = np.empty_like(moments)
    before = moments
    now = _shifted(moments, moved, shrunk / 2)
    result[0], result[1] = before[0], now[0]
    for n in range(2, len(moments)):
        before, now = now, _shifted(now, 2 * moved, shrunk) - before[: len(now) - 1]
        result[n] = now[0]
    return result


def _shifted(rows: _Array, moved: _Array, shrunk: _Array) -> _Array:
    """moved m_j + shrunk (m_(j+1) + m_|j-1|) for all j but the last."""
    result = rows[1:].copy()
    result[0] += rows[1]
    result[1:] += rows[:-2]
    return moved * rows[:-1] + shrunk * result


def _mixed(degree: int) -> _Array:
    """int_-1^1 P_k T_n dt, shape (degree, moments), exact for a Gauss rule of enough nodes."""
    x, weights = np.polynomial.legendre.leggauss((degree + _MOMENTS) // 2 + 1)
    legendre = np.polynomial.legendre.legvander(x, degree - 1)
    chebyshev = np.polynomial.chebyshev.chebvander(x, _MOMENTS - 1)
    return np.asarray(legendre.T @ (weights[:, None] * chebyshev))


# -- Legendre functions ------------------------------------------------------------------------


def _legendre_q(plus: _Array, minus: _Array, logarithm: _Array, count: int) -> _Array:
    """Q_0..Q_(count-1), shape (count, points), at z given by z + 1 and z - 1.

    Q_0 is half the given logarithm of (z + 1)/(z - 1).
    """
    z = (plus + minus) / 2
    result = np.empty((count, len(z)), dtype=z.dtype)
    result[0] = logarithm / 2
    if count == 1:
        return result
    mean = np.maximum((np.abs(plus) + np.abs(minus)) / 2, 1.0)
    rate = np.log(mean + np.sqrt((mean - 1) * (mean + 1)))  # log rho
    upwards = rate * (count - 1) <= math.log(_GROWTH)
    steps = np.where(upwards, 0, _DESCENT / np.where(upwards, 1.0, rate))
    if np.any(upwards):
        at, q = z[upwards], [result[0, upwards], z[upwards] * result[0, upwards] - 1]
        for k in range(1, count - 1):
            q.append(((2 * k + 1) * at * q[k] - k * q[k - 1]) / (k + 1))
        result[:, upwards] = q[:count]
    fewer = 0
    for most in _CLASSES:
        chosen = ~upwards & (steps > fewer) & (steps <= most if most != _CLASSES[-1] else True)
        fewer = most
        if np.any(chosen):
            ratios = _descending(z[chosen], 1 / (z + _root(plus, minus))[chosen], count, most)
            result[1:, chosen] = ratios * result[0, chosen]
    return result


def _descending(z: _Array, ratio: _Array, count: int, steps: int) -> _Array:
    """Q_k/Q_0 for k = 1.. off the cut, from the ratios Q_k/Q_(k-1) recurred downwards."""
    ratios = np.empty((count - 1, len(z)), dtype=z.dtype)
    for k in range(count - 1 + steps, 0, -1):
        ratio = k / ((2 * k + 1) * z - (k + 1) * ratio)
        if k < count:
            ratios[k - 1] = ratio
    return np.asarray(np.cumprod(ratios, axis=0))
