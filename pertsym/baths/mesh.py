"""Panels that resolve every point of interest of an integrand, graded geometrically.

The line is cut half-way between neighbouring points; each point then looks after its own cell
with panels that grow by a constant ratio, so that singularities at a relative distance of 1e-6,
or 1e-300, cost a few more panels and no digits.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from pertsym.baths.adaptive import Panels
from pertsym.baths.integrand import Integrand, Kernel, Point

_RATIO = 4.0
_FAR = 1e30  # an algebraic tail is integrated so many scales far, the rest is its power law
_POWER_LAW = 20.0  # decimal digits to which a power law must hold where it takes over


class End(NamedTuple):
    """Where a power law takes over: f ~ A |offset|^power, from here inwards or outwards."""

    anchor: float
    offset: float
    power: float


class Window(NamedTuple):
    """A symmetric interval around a pole; `point` is the branch point or edge it sits on."""

    position: float
    radius: float
    point: Point | None


class Mesh(NamedTuple):
    """Panels without poles, symmetric windows around the poles, and ends by power laws."""

    panels: Panels
    windows: tuple[Window, ...]
    cores: tuple[End, ...]
    tails: tuple[End, ...]


def build_mesh(integrand: Integrand, kernel: Kernel, depth: float | None = None) -> Mesh:
    """Cut the line for an integrand and a kernel of poles.

    `depth` is the distance, relative to the scale of the power law, at which it takes over at a
    branch point; by default where it holds to rounding.
    """
    low, high = integrand.support
    poles = tuple(pole.position for pole in kernel.poles)
    poles = tuple(sorted({a for a in poles if low <= a <= high}))
    points = [
        # a kernel that vanishes at 0 raises the power there
        p._replace(power=p.power + kernel.zero_order) if p.position == 0 else p
        for p in integrand.points
        if low <= p.position <= high
    ]
    swallowed = [_swallowed_by(p, poles) for p in points]
    anchors = _merge([p for p, gone in zip(points, swallowed, strict=True) if not gone], poles)
    limits = {
        a: min([p.width for p in points if abs(p.position - a) < p.width < math.inf] or [math.inf])
        for a in poles
    }
    finest = min([p.reach for p in points] + [integrand.scale] + [abs(a) for a in poles if a])
    segments: list[tuple[float, float, float]] = []
    windows, cores, tails = [], [], []
    for i, (position, point) in enumerate(anchors):
        left = position - anchors[i - 1][0] if i else math.inf
        right = anchors[i + 1][0] - position if i + 1 < len(anchors) else math.inf
        start, inner = 0.0, math.inf
        if position in limits:
            start = min(left / 2, right / 2, limits[position] / 2, integrand.scale)
            inner = start
            windows.append(Window(position, start, point))
        elif point is not None:
            near = min([abs(a - position) for a in poles], default=math.inf)
            inner = min(point.width or math.inf, near)
            if point.width == 0:
                start = core_offset(point, min(finest, near)) if depth is None else depth * finest
                inner = start
        for side, gap, edge in ((-1, left, low), (1, right, high)):
            if position == edge:
                continue
            if position not in limits and point is not None and point.width == 0:
                cores.append(End(position, side * start, point.power))
            reach, tail = gap / 2, None
            if math.isinf(gap):
                reach, tail = _outer_reach(integrand, position, side, start, edge)
            marks = _graded(start, min(inner, reach), reach)
            segments += [
                (position, min(side * a, side * b), max(side * a, side * b))
                for a, b in pairwise(marks)
            ]
            if tail is not None:
                tails.append(End(position, side * reach, tail))
    columns = np.array(segments, dtype=float).reshape(-1, 3).T
    return Mesh(Panels(*columns), tuple(windows), tuple(cores), tuple(tails))


def core_offset(point: Point, scale: float) -> float:
    """Distance from a branch point below which its power law holds to rounding."""
    power = min(point.power, 30.0)
    return 0.1 * scale * 10 ** (-_POWER_LAW / (power + 2))


def _swallowed_by(point: Point, poles: tuple[float, ...]) -> bool:
    """A smooth feature broader than its distance to a pole needs no panels of its own."""
    return (
        point.regularity == math.inf
        and point.width > 0
        and any(abs(point.position - a) < point.width for a in poles)
    )


def _merge(points: list[Point], poles: tuple[float, ...]) -> list[tuple[float, Point | None]]:
    """All positions in ascending order, each with the least regular point that sits there."""
    found: dict[float, Point | None] = dict.fromkeys(poles)
    for point in points:
        other = found.get(point.position)
        if other is None or (point.regularity, point.width) < (other.regularity, other.width):
            found[point.position] = point
    return sorted(found.items())


def _outer_reach(
    integrand: Integrand, position: float, side: int, start: float, edge: float
) -> tuple[float, float | None]:
    """How far the outermost cell goes, and the power of the tail beyond if there is one."""
    if math.isfinite(edge):
        return abs(edge - position), None
    extent = integrand.extent[0 if side < 0 else 1]
    if math.isfinite(extent):
        return max((extent - position) * side, start, integrand.scale), None
    largest = max(integrand.scale, abs(position), start)
    return _FAR * largest, integrand.tails[0 if side < 0 else 1]


def _graded(start: float, inner: float, reach: float) -> list[float]:
    """Marks from start to reach: start, inner, then growing by a constant ratio."""
    marks = [start]
    mark = inner if inner > start else start * _RATIO
    while mark < reach * 0.75:
        marks.append(mark)
        mark *= _RATIO
    if reach > marks[-1]:
        marks.append(reach)
    return marks
