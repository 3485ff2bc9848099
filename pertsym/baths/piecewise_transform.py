"""P int dx f(x)/(x - w) and its derivative at many w at once, for any piecewise analytic f.

On each panel f is a Legendre series.  Panels away from w are done by Gauss-Legendre quadrature,
those near w by P int_-1^1 dt P_k(t)/(t - z) = -2 Q_k(z); neighbours share the logarithm of their
common edge, so that nothing is lost where w comes close to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.integrand import Integrand, Kernel
from pertsym.baths.jets import EPS
from pertsym.baths.mesh import build_mesh

_Array = NDArray[np.float64]

_NODES = 32
_NEAR = 1.3  # in half-lengths of a panel; beyond, 32 Gauss nodes leave 2^-64
_FORWARD = 1.005  # up to here Q_k is recurred upwards, |z + (z^2 - 1)^(1/2)|^31 < 25
_DESCENT = 220  # 1.1^-440 < 1e-18
_CORE_DIGITS = 22.0  # the integral of |f| left out at a branch point, relative
_DEEPEST = 1e-280
_RESOLVED = 16 * EPS
_BISECTIONS = 12
_CONTINUOUS = 1e-9
_BLOCK = 400_000  # kernel entries formed at a time


@dataclass(frozen=True, eq=False)
class PiecewiseTransform:
    """Legendre series of f and f' on panels, with the transform they give.

    Attributes
    ----------
    low, high : ndarray, shape (panels,)
        Edges; neighbours share theirs exactly.
    values, errors : ndarray, shape (2, panels, nodes)
        f and f' at the nodes with bounds of their errors.
    ends, end_errors : ndarray, shape (2, panels)
        f at the left and the right end of each panel, from inside, with bounds.
    bounded : bool
        Whether f is finite everywhere, so that f' can be integrated.
    """

    low: _Array
    high: _Array
    values: _Array
    errors: _Array
    ends: _Array
    end_errors: _Array
    bounded: bool

    @classmethod
    def of(cls, integrand: Integrand) -> PiecewiseTransform:
        """Sample a function on panels graded towards its branch points, halved until resolved."""
        low, high = _panels(integrand)
        kept: list[tuple[_Array, _Array, _Array, _Array]] = []
        largest = 0.0
        for depth in range(_BISECTIONS):
            values, errors = _sampled(integrand, low, high)
            largest = max(largest, float(np.max(np.abs(values[0]), initial=0.0)))
            rough = ~_is_resolved(values, errors, largest) & (depth < _BISECTIONS - 1)
            kept.append((low[~rough], high[~rough], values[:, ~rough], errors[:, ~rough]))
            if not np.any(rough):
                break
            middle = (low[rough] + high[rough]) / 2
            low = np.concatenate((low[rough], middle))
            high = np.concatenate((middle, high[rough]))
        low, high = (np.concatenate([part[i] for part in kept]) for i in (0, 1))
        values, errors = (np.concatenate([part[i] for part in kept], axis=1) for i in (2, 3))
        order = np.argsort(low)
        bounded = all(p.power >= 0 for p in integrand.points if p.width == 0)
        low, high, values, errors = low[order], high[order], values[:, order], errors[:, order]
        return cls(
            low, high, values, errors, *_ends(integrand, low, high, values[0], errors[0]), bounded
        )

    def at(self, w: _Array, derivative: int) -> tuple[_Array, _Array]:
        """P(w), or P'(w) for derivative 1, with bounds of the absolute errors."""
        flat = np.ravel(w)
        value, error = np.zeros((2, len(flat)))
        step = max(1, _BLOCK // max(1, self._nodes.size))
        with np.errstate(all="ignore"):
            for start in range(0, len(flat), step):
                block = slice(start, start + step)
                value[block], error[block] = self._block(flat[block], derivative)
        return value.reshape(np.shape(w)), error.reshape(np.shape(w))

    @cached_property
    def _half(self) -> _Array:
        return (self.high - self.low) / 2

    @cached_property
    def _centre(self) -> _Array:
        return (self.high + self.low) / 2

    @cached_property
    def _nodes(self) -> _Array:
        return self._centre[:, None] + self._half[:, None] * _RULE[0]

    @cached_property
    def _series(self) -> _Array:
        return self.values @ _PROJECTION.T

    @cached_property
    def _continued(self) -> NDArray[np.bool_]:
        """Whether f goes on without a jump at the right end of each panel."""
        joined = (self.high[:-1] == self.low[1:]) & (self.ends[1, :-1] == self.ends[0, 1:])
        return np.append(joined, False)

    def _block(self, w: _Array, derivative: int) -> tuple[_Array, _Array]:
        if derivative and self.bounded:
            # int f/(x - w)^2 = -[f/(x - w)] + int f'/(x - w), the brackets only where f jumps
            value, error = self._sum(w, 1, 1)
            last = ~self._continued
            first = np.roll(last, 1)
            for edge, jump, unsure in (
                (self.high[last], -self.ends[1, last], self.end_errors[1, last]),
                (self.low[first], self.ends[0, first], self.end_errors[0, first]),
            ):
                distance = _away(edge - w[:, None], w[:, None])
                terms = jump / distance
                value = value + np.sum(terms, axis=1)
                error = error + np.sum(8 * EPS * np.abs(terms) + unsure / np.abs(distance), axis=1)
            return value, error
        return self._sum(w, derivative, 1 + derivative)

    def _sum(self, w: _Array, derivative: int, order: int) -> tuple[_Array, _Array]:
        """FP int dx f^(derivative)(x)/(x - w)^order; f itself if the order is 2."""
        source = derivative if order == 1 else 0
        weights = self._half[:, None] * _RULE[1]
        near = np.abs(w[:, None] - self._centre) < _NEAR * self._half
        kernel = np.reciprocal(self._nodes - w[:, None, None])
        if order == 2:
            kernel *= kernel
        kernel[near] = 0.0
        kernel = kernel.reshape(len(w), -1)
        f, e = weights * self.values[source], weights * self.errors[source]
        value = kernel @ np.ravel(f)
        error = np.abs(kernel, out=kernel) @ np.ravel(e + 8 * EPS * np.abs(f))
        rows, panels = np.nonzero(near)
        part, bound = self._near(w[rows], panels, derivative, order)
        np.add.at(value, rows, part)
        np.add.at(error, rows, bound)
        return value, error + 4 * EPS * np.abs(value)

    def _near(
        self, w: _Array, panels: NDArray[np.intp], derivative: int, order: int
    ) -> tuple[_Array, _Array]:
        """The panels that hold w or lie next to it."""
        below, above = _away(w - self.low[panels], w), -_away(w - self.high[panels], w)
        logarithm = np.log(np.abs(below)) - np.log(np.abs(above))
        functions = _legendre_q((w - self._centre[panels]) / self._half[panels], logarithm)
        series = self._series[derivative, panels]
        value = -2 * np.einsum("ki,ik->i", functions, series)
        size = np.einsum("ki,ik->i", np.abs(functions), np.abs(series))
        missed = 4 * np.max(np.abs(series[:, -3:]), axis=1)  # the tail, and what it feigns
        missed = missed + np.max(self.errors[derivative, panels], axis=1)
        error = 32 * EPS * size + missed * (4 + np.abs(logarithm))
        if order == 2:
            left, right = self.ends[:, panels]
            unsure = self.end_errors[:, panels]
            value = value - (right / above + left / below)
            error = error + (unsure[0] + 4 * EPS * np.abs(left)) / np.abs(below)
            error = error + (unsure[1] + 4 * EPS * np.abs(right)) / np.abs(above)
        return value, error


def _away(distance: _Array, w: _Array) -> _Array:
    """A distance from w, kept off 0: w counts as just above an edge that it hits."""
    floor = EPS * np.abs(w) + _DEEPEST
    return np.where(np.abs(distance) < floor, floor, distance)


def _panels(integrand: Integrand) -> tuple[_Array, _Array]:
    powers = [p.power for p in integrand.points if p.width == 0]
    depth = max(10 ** (-_CORE_DIGITS / (min([0.0, *powers]) + 1)), _DEEPEST)
    panels = build_mesh(integrand, Kernel(()), depth).panels
    low, high = panels.anchor + panels.low, panels.anchor + panels.high
    order = np.argsort(low)
    low, high = low[order], high[order]
    close = np.abs(high[:-1] - low[1:]) <= 8 * EPS * np.abs(low[1:])
    low[1:] = np.where(close, high[:-1], low[1:])
    for point in integrand.points:
        if point.width == 0 and point.power == 0:  # f is continuous: close the gap
            high[:-1][(high[:-1] < point.position) & (low[1:] > point.position)] = point.position
            low[1:][high[:-1] == point.position] = point.position
    wide = high > low
    return low[wide], high[wide]


def _sampled(integrand: Integrand, low: _Array, high: _Array) -> tuple[_Array, _Array]:
    nodes = (low + high)[:, None] / 2 + (high - low)[:, None] / 2 * _RULE[0]
    with np.errstate(all="ignore"):
        jet = integrand.jet(np.zeros_like(nodes), nodes, 1)
        parts = [jet.derivative(k) for k in (0, 1)]
    shape = nodes.shape
    values = np.array([np.broadcast_to(value, shape) for value, _ in parts])
    errors = np.array([np.broadcast_to(error, shape) for _, error in parts])
    return values, errors


def _ends(
    integrand: Integrand, low: _Array, high: _Array, values: _Array, errors: _Array
) -> tuple[_Array, _Array]:
    """f at the ends of the panels: itself where continuous, the series' limit where it jumps."""
    series = values @ _PROJECTION.T
    limits = np.array([values @ _AT_END[::-1], values @ _AT_END])
    edges = np.array([low, high])
    with np.errstate(all="ignore"):
        exact, error = integrand.jet(np.zeros_like(edges), edges, 0).derivative(0)
    jumps = ~(np.abs(exact - limits) <= _CONTINUOUS * np.max(np.abs(values), axis=1))
    noise = (errors + 8 * EPS * np.abs(values)) @ np.abs(_AT_END)
    noise = np.maximum(noise, (errors + 8 * EPS * np.abs(values)) @ np.abs(_AT_END[::-1]))
    missed = 4 * np.max(np.abs(series[:, -3:]), axis=1) + noise
    return np.where(jumps, limits, exact), np.where(jumps, missed, error)


def _is_resolved(values: _Array, errors: _Array, largest: float) -> Any:
    series = values @ _PROJECTION.T
    head, tail = (np.max(np.abs(part), axis=2) for part in (series, series[:, :, -3:]))
    noise = np.max(errors, axis=2)
    settled = (tail <= _RESOLVED * head) | (tail <= 8 * noise)  # projection amplifies noise
    return np.all(settled, axis=0) | (head[0] <= 1e-25 * largest)


def _legendre_rule() -> tuple[_Array, _Array, _Array]:
    """Gauss-Legendre nodes, weights, and the matrix from values to Legendre coefficients.

    NumPy's weights are off by 6e-14 at the ends: nodes are polished and weights formed, as
    1/sum_k (k + 1/2) P_k^2, in extended precision.
    """
    x = np.polynomial.legendre.leggauss(_NODES)[0].astype(np.longdouble)
    for _ in range(3):
        basis = _legendre_p(x)
        slope = _NODES * (basis[_NODES - 1] - x * basis[_NODES]) / (1 - x * x)
        x = x - basis[_NODES] / slope
    basis = _legendre_p(x)[:_NODES]
    scale = (np.arange(_NODES) + np.longdouble(0.5))[:, None]
    weights = 1 / np.sum(scale * basis * basis, axis=0)
    return x.astype(float), weights.astype(float), (scale * basis * weights).astype(float)


def _legendre_p(x: NDArray[np.longdouble]) -> NDArray[np.longdouble]:
    """P_0..P_32 in extended precision, shape (nodes + 1, points)."""
    result = np.ones((_NODES + 1, *x.shape), dtype=np.longdouble)
    result[1] = x
    for k in range(1, _NODES):
        result[k + 1] = ((2 * k + 1) * x * result[k] - k * result[k - 1]) / (k + 1)
    return result


*_RULE, _PROJECTION = _legendre_rule()
_AT_END = np.sum(_PROJECTION, axis=0)  # the value at t = 1 from those at the nodes


def _legendre_q(z: _Array, logarithm: _Array) -> _Array:
    """Q_0..Q_31, shape (nodes, points); Q_0 is half the given logarithm of |(z + 1)/(z - 1)|."""
    result = np.empty((_NODES, *z.shape))
    result[0] = logarithm / 2
    result[1] = z * result[0] - 1
    for k in range(1, _NODES - 1):
        result[k + 1] = ((2 * k + 1) * z * result[k] - k * result[k - 1]) / (k + 1)
    outside = np.abs(z) >= _FORWARD
    if np.any(outside):
        result[1:, outside] = _descending(z[outside]) * result[0, outside]
    return result


def _descending(z: _Array) -> _Array:
    """Q_k/Q_0 for k = 1.. off the cut, from the ratios Q_k/Q_(k-1) recurred downwards."""
    ratio = np.sign(z) * (np.abs(z) - np.sqrt(z * z - 1))
    ratios = np.empty((_NODES - 1, *z.shape))
    for k in range(_NODES + _DESCENT, 0, -1):
        ratio = k / ((2 * k + 1) * z - (k + 1) * ratio)
        if k < _NODES:
            ratios[k - 1] = ratio
    return np.asarray(np.cumprod(ratios, axis=0))
