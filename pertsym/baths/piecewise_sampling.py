"""Legendre series on panels that resolve a function: graded, then halved until the series end.

Panels grow geometrically away from every branch point and resonance and meet half-way between
neighbours, so that singularities at a relative distance of 1e-6, or 1e-300, cost a few more panels
and no digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.jets import EPS
from pertsym.baths.thermal_spectrum import Point
from pertsym.read_only import read_only

_Array = NDArray[np.float64]

_NODES = (8, 16, 32)
_RESOLVED = 16 * EPS
_NOISE = 8.0  # projection amplifies the noise of the samples
_NEGLIGIBLE = 1e-25  # of the largest |f|, and of the largest integral over a panel
_GOAL = 1e-16  # of an integral: one panel may miss so much
_TINY = 1e-290
"""Numbers below have fewer digits than others, or would be sums of such."""
_BISECTIONS = 60
_MOST_PANELS = 200_000
_CORE_DIGITS = 22.0  # the integral of |f| left out at a branch point, relative
_DEEPEST = 1e-280
_RATIO = 4.0  # of neighbouring panels
FAR = 1e20  # an algebraic tail is followed so many scales far, the rest is its power law


class Panels(NamedTuple):
    """Intervals from anchor + low to anchor + high."""

    anchor: _Array
    low: _Array
    high: _Array

    def chosen(self, which: NDArray[np.bool_]) -> Panels:
        return Panels(*(part[which] for part in self))

    def halved(self) -> Panels:
        middle = (self.low + self.high) / 2
        return Panels.joined(self._replace(high=middle), self._replace(low=middle))

    @staticmethod
    def joined(*parts: Panels) -> Panels:
        return Panels(*(np.concatenate(x) for x in zip(*parts, strict=True)))

    def nodes(self, t: _Array) -> tuple[_Array, _Array]:
        """Anchors and what is to be added to them at t in [-1, 1] of every panel."""
        offset = (self.low + self.high)[:, None] / 2 + (self.high - self.low)[:, None] / 2 * t
        return np.broadcast_to(self.anchor[:, None], offset.shape), offset

    def distance(self, w: float) -> tuple[_Array, _Array]:
        """Of the middle of every panel from w, and half its width."""
        middle = (self.anchor - w) + (self.low + self.high) / 2
        return np.abs(middle), (self.high - self.low) / 2


class Resolved(NamedTuple):
    """Legendre series of functions, shape (functions, panels, degree + 1), and their errors."""

    panels: Panels
    series: _Array
    errors: _Array

    def absolute(self, origin: float = 0.0) -> tuple[_Array, _Array, _Array, _Array]:
        """Ends counted from an origin, ascending, series and errors; no panels of no width."""
        anchor, low, high = self.panels
        low, high = (anchor - origin) + low, (anchor - origin) + high
        order = np.argsort(low)
        low, high = low[order], high[order]
        close = np.abs(high[:-1] - low[1:]) <= 16 * EPS * (np.abs(low[1:]) + abs(origin))
        high[:-1] = np.where(close, low[1:], high[:-1])
        wide = high > low
        order = order[wide]
        return low[wide], high[wide], self.series[:, order], self.errors[:, order]


Sampler = Callable[[_Array, _Array], tuple[_Array, _Array]]
"""Sums of two places, both of shape (panels, nodes), to values and bounds of their errors, both of
shape (functions, panels, nodes)."""


# -- panels ------------------------------------------------------------------------------------


def graded(
    points: Sequence[Point],
    limits: tuple[float, float],
    scale: float,
    depth_of: Callable[[Point], float],
    across: bool = False,
) -> Panels:
    """Panels whose anchors are the points (ascending), from limits[0] to limits[1].

    Each point looks after the line as far as half-way to its neighbours; `across`, the first of two
    that are wide enough as far as the second, from which places are then not counted.  From one of
    width 0 the panels start at its depth (0 too if f is finite there), otherwise with its width.
    """
    at, widths = np.array([p[:2] for p in points]).T
    gaps = np.diff(at)
    whole = across & (np.minimum(widths[:-1], widths[1:]) >= gaps)
    parts = []
    for side, rooms in (
        (-1, np.concatenate(([at[0] - limits[0]], np.where(whole, 0.0, gaps / 2)))),
        (1, np.concatenate((np.where(whole, gaps, gaps / 2), [limits[1] - at[-1]]))),
    ):
        outermost = np.arange(len(at)) == (0 if side < 0 else len(at) - 1)
        first = np.where(outermost, np.minimum(widths, scale), widths)
        simple = np.flatnonzero((rooms > 0) & (first >= rooms))
        parts.append((simple, np.zeros(len(simple)), side * rooms[simple]))
        for i in np.flatnonzero((rooms > 0) & (first < rooms)).tolist():
            start = first[i] or min(depth_of(points[i]), rooms[i])
            marks = _marks(points[i], start, rooms[i])
            cells = np.full(len(marks) - 1, i)
            parts.append((cells, side * marks[:-1], side * marks[1:]))
    cell, one, other = (np.concatenate(x) for x in zip(*parts, strict=True))
    return Panels(at[cell], np.minimum(one, other), np.maximum(one, other))


def _marks(point: Point, start: float, room: float) -> _Array:
    count = max(0, math.ceil(math.log(room / start, _RATIO) - 0.2))
    marks = [*(start * _RATIO ** np.arange(count)), room]
    return np.array([0.0, *marks] if point.width or point.power >= 0 else marks)


def depth(point: Point, scale: float, order: int = 0, core_digits: float = _CORE_DIGITS) -> float:
    """From where on panels leave out nothing of FP int f/(w - a)^order next to a branch point."""
    power = point.regularity - order if point.power >= 0 else point.power
    digits = core_digits / max(min(power + 1, 1.0), 0.05)
    return max(scale * float(10 ** -min(digits, 270.0)), _DEEPEST)


def finest(points: Sequence[Point], scale: float) -> float:
    return min([p.reach for p in points if p.reach > 0] + [scale])


def merged(points: Sequence[Point]) -> list[Point]:
    """In ascending order, of several at one place the least regular."""
    found: dict[float, Point] = {}
    for point in points:
        other = found.get(point.position, point)
        found[point.position] = min(point, other, key=lambda p: (p.regularity, p.width))
    return [found[position] for position in sorted(found)]


# -- series ------------------------------------------------------------------------------------


def resolve(
    sampler: Sampler,
    panels: Panels,
    share: Callable[[Panels], _Array] | None = None,
) -> Resolved:
    """Legendre series on panels, with more nodes and then halves until all functions' end.

    Parameters
    ----------
    share
        What multiplies a function on a panel in its part of one integral; where the error of that
        part is negligible against all parts together the series need not end.
    """
    done: list[Resolved] = []
    largest, heaviest, seen = 0.0, 0.0, 0.0
    with np.errstate(all="ignore"):
        for halvings in range(_BISECTIONS):
            for nodes in _NODES:
                x, project = _legendre_rule(nodes)
                values, noise = sampler(*panels.nodes(x))
                series = values @ project.T
                _, low, high = panels
                head = np.max(np.abs(series), axis=2, initial=0.0)
                tail = np.max(np.abs(series[:, :, -3:]), axis=2)
                unsure = 2 * np.mean(noise, axis=2)
                # beside a kink coefficients fall like k^-3 or slower, and all add up at the end
                middle = np.max(np.abs(series[:, :, nodes // 2 - 2 : nodes // 2 + 1]), axis=2)
                fast = (tail <= 0.01 * middle) | (tail <= 2 * EPS * head)
                missed = np.where(fast, 4, nodes // 2) * tail
                ended = (tail <= _RESOLVED * head) | (tail <= _NOISE * unsure) | (tail <= _TINY)
                settled = np.all(ended, axis=0)
                if share is None:
                    largest = max(largest, float(np.max(head[0], initial=0.0)))
                    weight = head * (high - low)
                    heaviest = np.maximum(heaviest, np.max(weight, axis=1, keepdims=True))
                    light = np.all(weight <= _NEGLIGIBLE * heaviest, axis=0)
                    settled |= light & (head[0] <= _NEGLIGIBLE * largest)
                    weight = np.zeros_like(head)
                else:
                    weight = share(panels)
                    total = seen + float(np.sum(head * weight))
                    settled |= np.all(missed * weight <= _GOAL * total, axis=0)
                last = halvings == _BISECTIONS - 1 or len(low) > _MOST_PANELS
                if nodes == _NODES[-1]:
                    half = (low + high) / 2
                    settled |= last | ~((half > low) & (half < high))
                errors = missed + unsure + 4 * EPS * np.max(np.abs(values), axis=2)
                seen += float(np.sum((head * weight)[:, settled]))
                done.append(
                    Resolved(panels.chosen(settled), series[:, settled], errors[:, settled])
                )
                panels = panels.chosen(~settled)
                if not len(panels.low):
                    return _together(done)
            panels = panels.halved()
    return _together(done)


def _together(parts: Sequence[Resolved]) -> Resolved:
    """All panels in ascending order of anchors and places, shorter series filled up with zeros."""
    degree = max(part.series.shape[2] for part in parts)
    padding = [((0, 0), (0, 0), (0, degree - part.series.shape[2])) for part in parts]
    series = [np.pad(part.series, pad) for part, pad in zip(parts, padding, strict=True)]
    panels = Panels.joined(*(part.panels for part in parts))
    order = np.lexsort((panels.low, panels.anchor))
    errors = np.concatenate([part.errors for part in parts], axis=1)
    chosen = Panels(*(x[order] for x in panels))
    return Resolved(chosen, np.concatenate(series, axis=1)[:, order], errors[:, order])


# -- the rule ----------------------------------------------------------------------------------


@lru_cache(maxsize=len(_NODES))
def _legendre_rule(count: int) -> tuple[_Array, _Array]:
    """Gauss-Legendre nodes and the matrix from values there to Legendre coefficients.

    The inverse of that from coefficients to values, with a step of Newton's in extended precision.
    """
    x = np.polynomial.legendre.leggauss(count)[0]
    values = np.polynomial.legendre.legvander(x.astype(np.longdouble), count - 1)
    inverse = np.linalg.inv(values.astype(float))
    project = inverse @ (2 * np.eye(count) - values @ inverse)
    return read_only(x), read_only(project.astype(float))
