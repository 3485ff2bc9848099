"""Legendre series on panels that resolve a function: graded, then halved until the series end.

Panels grow geometrically away from every branch point and resonance and meet half-way between
neighbours, so that singularities at a relative distance of 1e-6, or 1e-300, cost a few more panels
and no digits.  A table is sampled from the cubics of its own pieces, and what jumps at its knots
is known from their coefficients; any other Ĉ from its jets.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pertsym.baths import jets
from pertsym.baths.densities.density import Cubics
from pertsym.baths.exponentials import Exponentials
from pertsym.baths.jets import EPS, Jet
from pertsym.baths.piecewise import PiecewiseSpectrum
from pertsym.baths.thermal import bose_factor
from pertsym.baths.thermal_spectrum import Point, ThermalSpectrum
from pertsym.read_only import read_only

_Array = NDArray[np.float64]
_Indices = NDArray[np.intp]

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
    """Intervals from anchor + low to anchor + high; `cell` is the number of the anchor."""

    cell: _Indices
    low: _Array
    high: _Array

    def chosen(self, which: NDArray[np.bool_]) -> Panels:
        return Panels(self.cell[which], self.low[which], self.high[which])

    def halved(self) -> Panels:
        middle = (self.low + self.high) / 2
        return Panels(
            np.concatenate((self.cell, self.cell)),
            np.concatenate((self.low, middle)),
            np.concatenate((middle, self.high)),
        )


class Resolved(NamedTuple):
    """Legendre series of functions, shape (functions, panels, degree + 1), and their errors."""

    panels: Panels
    series: _Array
    errors: _Array


Sampler = Callable[[Panels, _Array], tuple[_Array, _Array]]
"""Panels and nodes t in [-1, 1] to values and bounds of their errors, both of shape
(functions, panels, nodes)."""


def piecewise(spectrum: ThermalSpectrum, highest: int = 2) -> PiecewiseSpectrum:
    """Panels for any Ĉ(w) and so many derivatives; boson bath: Ĉ(w > 0) = 2 J(w) [n(w) + 1]."""
    if (cubics := _cubics_of(spectrum)) is not None:
        return _of_table(spectrum, cubics, highest + 1)
    return _of_jets(spectrum, highest + 1)


def _cubics_of(spectrum: ThermalSpectrum) -> Cubics | None:
    density = spectrum.density
    return None if isinstance(density, Exponentials) else density.cubics


@lru_cache(maxsize=32)
def panels_of(spectrum: ThermalSpectrum, highest: int = 2) -> PiecewiseSpectrum:
    """The panels of one bath, remembered."""
    return piecewise(spectrum, highest)


def _of_jets(spectrum: ThermalSpectrum, count: int) -> PiecewiseSpectrum:
    """Panels for a piecewise analytic function that is known by its jets."""

    def sampler(panels: Panels, t: _Array) -> tuple[_Array, _Array]:
        nodes = placed(panels, t)
        return derivatives(spectrum.jet(np.zeros_like(nodes), nodes, count - 1), nodes.shape)

    resolved = resolve(sampler, _absolute(spectrum))
    regular = {p.position: p.regularity for p in spectrum.points if math.isfinite(p.regularity)}
    return assembled(resolved, regular, _tails(spectrum))


def assembled(
    resolved: Resolved,
    regular: dict[float, float],
    tails: tuple[tuple[float, float, float, float], ...] = (),
) -> PiecewiseSpectrum:
    """The series of f, f', ... with what is known of its regularity at some points."""
    orders = len(resolved.series)
    smooth = min([orders - 1, *[max(math.ceil(r), 0) for r in regular.values() if r % 1]])
    edges = _jumps_of_series(resolved, regular, {edge for edge, *_ in tails})
    (_, low, high), series, errors = resolved
    return PiecewiseSpectrum(low, high, series, errors, *edges, smooth, tails)


def _tails(spectrum: ThermalSpectrum) -> tuple[tuple[float, float, float, float], ...]:
    """Of an algebraic decay: heights where the panels end, and how badly they follow the power."""
    found = []
    for edge, power in zip(ends(spectrum), spectrum.tails, strict=True):
        if edge and math.isfinite(power):
            f, unsure = spectrum.jet_at(np.array([edge, edge / 2]), 0).derivative(0)
            missed = unsure[0] + 4 * abs(f[1] * 2.0**power - f[0])
            found.append((edge, float(f[0]), float(missed), power))
    return tuple(found)


def ends(spectrum: ThermalSpectrum) -> tuple[float, float]:
    """Where the panels end: at the support's, beyond all decay, or far out on a power law."""
    positions = [0.0, *[p.position for p in spectrum.points]]
    far = FAR * max(spectrum.scale, *map(abs, positions))
    left, right = spectrum.extent
    if _cubics_of(spectrum) is None:
        left = min(left, *(x - spectrum.scale for x in positions))
        right = max(right, *(x + spectrum.scale for x in positions))
    low, high = spectrum.support
    return max(low, left, -far), min(high, right, far)


# -- panels ------------------------------------------------------------------------------------


def graded(
    points: Sequence[Point], limits: tuple[float, float], scale: float, depths: Sequence[float]
) -> Panels:
    """Panels whose anchors are the points (ascending), from limits[0] to limits[1].

    Each point looks after the line as far as half-way to its neighbours.  From one of width 0 the
    panels start at its depth (0 too if f is finite there), otherwise with its width.
    """
    at = np.array([p.position for p in points])
    halves = np.diff(at) / 2
    parts = []
    for side, rooms in (
        (-1, np.concatenate(([at[0] - limits[0]], halves))),
        (1, np.concatenate((halves, [limits[1] - at[-1]]))),
    ):
        outermost = np.arange(len(at)) == (0 if side < 0 else len(at) - 1)
        first = np.array([p.width for p in points])
        first = np.where(outermost, np.minimum(first, scale), first)
        simple = np.flatnonzero((rooms > 0) & (first >= rooms))
        parts.append((simple, np.zeros(len(simple)), side * rooms[simple]))
        for i in np.flatnonzero((rooms > 0) & (first < rooms)).tolist():
            marks = _marks(points[i], first[i] or min(depths[i], rooms[i]), rooms[i])
            cells = np.full(len(marks) - 1, i)
            parts.append((cells, side * marks[:-1], side * marks[1:]))
    cell, one, other = (np.concatenate(x) for x in zip(*parts, strict=True))
    return Panels(cell, np.minimum(one, other), np.maximum(one, other))


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


def _absolute(spectrum: ThermalSpectrum) -> Panels:
    """Panels in ascending order, counted from 0."""
    low, high = ends(spectrum)
    points = [p for p in merged(spectrum.points) if low <= p.position <= high]
    near = finest(points, spectrum.scale)
    depths = [depth(p, near, 1) for p in points]
    cell, a, b = graded(points, (low, high), spectrum.scale, depths)
    at = np.array([p.position for p in points])[cell]
    a, b = at + a, at + b
    order = np.argsort(a)
    a, b = a[order], b[order]
    close = np.abs(b[:-1] - a[1:]) <= 8 * EPS * np.abs(a[1:])
    a[1:] = np.where(close, b[:-1], a[1:])
    wide = b > a
    return Panels(np.zeros(int(wide.sum()), dtype=np.intp), a[wide], b[wide])


def placed(panels: Panels, t: _Array) -> _Array:
    """The nodes of every panel, counted from its anchor."""
    _, low, high = panels
    return np.asarray((low + high)[:, None] / 2 + (high - low)[:, None] / 2 * t)


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
                values, noise = sampler(panels, x)
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
                    return joined(done)
            panels = panels.halved()
    return joined(done)


def joined(parts: Sequence[Resolved]) -> Resolved:
    """All panels in ascending order of cells and places, shorter series filled up with zeros."""
    degree = max(part.series.shape[2] for part in parts)
    padding = [((0, 0), (0, 0), (0, degree - part.series.shape[2])) for part in parts]
    series = [np.pad(part.series, pad) for part, pad in zip(parts, padding, strict=True)]
    cell, low, high = (np.concatenate([part.panels[i] for part in parts]) for i in range(3))
    order = np.lexsort((low, cell))
    return Resolved(
        Panels(cell[order], low[order], high[order]),
        np.concatenate(series, axis=1)[:, order],
        np.concatenate([part.errors for part in parts], axis=1)[:, order],
    )


def derivatives(jet: Jet, shape: tuple[int, ...]) -> tuple[_Array, _Array]:
    """f, f', ... and the bounds of their errors."""
    parts = [jet.derivative(k) for k in range(jet.order + 1)]
    values = np.array([np.broadcast_to(value, shape) for value, _ in parts])
    errors = np.array([np.broadcast_to(error, shape) for _, error in parts])
    return values, errors


def _jumps_of_series(
    resolved: Resolved, regular: dict[float, float], open_ends: set[float]
) -> tuple[_Array, _Array, _Array]:
    """Jumps where panels do not touch, and where a derivative is known not to be continuous."""
    (_, low, high), series, errors = resolved
    orders = np.arange(len(series))[:, None]
    if not len(low):
        return np.zeros(0), np.zeros((len(series), 0)), np.zeros((len(series), 0))
    left, right = series @ (-1.0) ** np.arange(series.shape[2]), np.sum(series, axis=2)
    touching = high[:-1] == low[1:]
    order = np.array([regular.get(float(x), math.inf) for x in high[:-1]])
    met = np.flatnonzero(touching & (order < len(series)))
    stops = np.flatnonzero(np.append(~touching, high[-1] not in open_ends))
    starts = np.flatnonzero(np.append(low[0] not in open_ends, ~touching))
    known = orders < order[met]
    jump = np.where(known, 0.0, left[:, met + 1] - right[:, met])
    unsure = np.where(known, 0.0, errors[:, met] + errors[:, met + 1])
    # f may also be 0 on one side, and as continuous there as is known: a power of the distance
    ends = np.concatenate((high[stops], low[starts]))
    known = orders < np.array([regular.get(float(x), -1.0) for x in ends])
    at_ends = np.concatenate((-right[:, stops], left[:, starts]), axis=1)
    lost = np.concatenate((errors[:, stops], errors[:, starts]), axis=1)
    return (
        np.concatenate((high[met], ends)),
        np.concatenate((jump, np.where(known, 0.0, at_ends)), axis=1),
        np.concatenate((unsure, np.where(known, 0.0, lost)), axis=1),
    )


# -- tables ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Weight:
    """g of Ĉ(side y) = J(y) g(y) on one half-axis, and g(y) y, which is regular at 0."""

    spectrum: ThermalSpectrum
    side: int
    count: int

    def regular(self, y: _Array) -> Jet:
        """g(y) y as a jet in y."""
        order = self.count - 1
        if self.spectrum.statistics == "classical":
            return jets.constant(np.full_like(y, 2 / self.spectrum.beta), jets.variable(y, order))
        return bose_factor(self.side * y, self.spectrum.beta, order).reflected(self.side) * 2.0

    def plain(self, y: _Array) -> Jet:
        """g(y) as a jet in y > 0."""
        order = self.count - 1
        if self.spectrum.zero_temperature:
            return jets.constant(np.full_like(y, 2.0), jets.variable(y, order))
        return self.regular(y) * jets.reciprocal(jets.variable(y, order))


def _of_table(spectrum: ThermalSpectrum, table: Cubics, count: int) -> PiecewiseSpectrum:
    parts, knots, jumps, unsure = [], [], [], []
    edges = np.array(table.knots)
    panels = Panels(np.arange(len(edges) - 1), np.zeros(len(edges) - 1), np.diff(edges))
    odd = np.arange(count)[:, None] % 2 > 0
    for side in (1,) if spectrum.zero_temperature else (1, -1):
        weight = _Weight(spectrum, side, count)
        (cell, low, high), series, errors = resolve(_table_sampler(table, weight), panels)
        ends_here = high == panels.high[cell]
        low, high = edges[cell] + low, np.where(ends_here, edges[cell + 1], edges[cell] + high)
        if side < 0:  # x = -y: the odd Legendre polynomials and the odd derivatives change sign
            signs = (-1.0) ** (np.arange(count)[:, None, None] + np.arange(series.shape[2]))
            low, high = -high[::-1], -low[::-1]
            series, errors = (series * signs)[:, ::-1], errors[:, ::-1]
        parts.append(Resolved(Panels(np.zeros_like(cell), low, high), series, errors))
        at, jump, error = _table_jumps(table, weight)
        knots.append(side * at)
        jumps.append(np.where(odd, jump, side * jump))
        unsure.append(error)
    (_, low, high), series, errors = joined(parts)
    return PiecewiseSpectrum(
        low,
        high,
        series,
        errors,
        np.concatenate(knots),
        np.concatenate(jumps, axis=1),
        np.concatenate(unsure, axis=1),
        count - 1,
    )


def _table_sampler(table: Cubics, weight: _Weight) -> Sampler:
    knots, cubics = np.array(table.knots), table.coefficients

    def sampler(panels: Panels, t: _Array) -> tuple[_Array, _Array]:
        # from the knot, not as a difference of frequencies: a piece may be narrow
        x = placed(panels, t)
        piece = panels.cell
        y = knots[piece][:, None] + x
        jet = _cubic(cubics[piece], x, weight.count) * weight.plain(np.where(y > 0, y, 1.0))
        first = piece == 0
        if np.any(first) and not weight.spectrum.zero_temperature:
            c = cubics[piece[first]]
            lowered = np.concatenate((c[:, 1:], np.zeros_like(c[:, :1])), axis=1)
            near = _cubic(lowered, x[first], weight.count) * weight.regular(y[first])
            for into, values in zip((*jet.c, *jet.e), (*near.c, *near.e), strict=True):
                into[first] = values
        return derivatives(jet, x.shape)

    return sampler


def _cubic(c: _Array, x: _Array, count: int) -> Jet:
    """c_0 + c_1 x + c_2 x^2 + c_3 x^3 of exact coefficients (panels, 4), a jet in x."""

    def rows(c: _Array, x: _Array) -> tuple[_Array, ...]:
        a, b, d, e = (c[:, k, None] for k in range(4))
        every = (
            a + x * (b + x * (d + x * e)),
            b + x * (2 * d + x * (3 * e)),
            d + 3 * e * x,
            e + 0 * x,
        )
        return every[:count]

    return Jet(rows(c, x), tuple(4 * EPS * v for v in rows(np.abs(c), np.abs(x))))


def _table_jumps(table: Cubics, weight: _Weight) -> tuple[_Array, _Array, _Array]:
    """What J g and its derivatives jump by at each knot, as functions of y going up.

    At y = 0 half of what Ĉ jumps by there: a term |w| of an even Ĉ is found on either side.
    """
    knots, steps, count = np.array(table.knots), table.jumps, weight.count
    y = knots[1:]
    c = steps[1:, :count].T / np.array([1.0, 1.0, 2.0, 6.0])[:count, None]
    jet = Jet(tuple(c), tuple(2 * EPS * np.abs(c))) * weight.plain(y)
    jumps, errors = derivatives(jet, y.shape)
    c = table.coefficients[0]
    if weight.spectrum.zero_temperature:
        first = 2.0 * np.array([0.0, c[1], 2 * c[2], 6 * c[3]])[:count]
        unsure = 4 * EPS * np.abs(first)
    else:
        # Ĉ(side y) = (c_1 + c_2 y + c_3 y^2) h: only c_2 y h is not analytic in w = side y
        rows = tuple(np.full(1, c[2] if k == 1 else 0.0) for k in range(count))
        kink = Jet(rows, (np.zeros(1),) * count)
        values, bounds = derivatives(kink * weight.regular(np.zeros(1)), (1,))
        first, unsure = values[:, 0], bounds[:, 0] + 4 * EPS * np.abs(values[:, 0])
    return (
        knots,
        np.concatenate((first[:, None], jumps), axis=1),
        np.concatenate((unsure[:, None], errors), axis=1),
    )


# -- the rule ----------------------------------------------------------------------------------


@lru_cache(maxsize=len(_NODES))
def _legendre_rule(count: int) -> tuple[_Array, _Array]:
    """Gauss-Legendre nodes and the matrix from values there to Legendre coefficients.

    NumPy's weights are off by 6e-14 at the ends: nodes are polished and weights formed, as
    1/sum_k (k + 1/2) P_k^2, in extended precision.
    """
    x = np.polynomial.legendre.leggauss(count)[0].astype(np.longdouble)
    for _ in range(3):
        basis = _legendre_p(x, count)
        x = x - basis[count] * (1 - x * x) / (count * (basis[count - 1] - x * basis[count]))
    basis = _legendre_p(x, count)[:count]
    scale = (np.arange(count) + np.longdouble(0.5))[:, None]
    weights = 1 / np.sum(scale * basis * basis, axis=0)
    return read_only(x.astype(float)), read_only((scale * basis * weights).astype(float))


def _legendre_p(x: NDArray[np.longdouble], count: int) -> NDArray[np.longdouble]:
    """P_0..P_count in extended precision, shape (count + 1, points)."""
    result = np.ones((count + 1, *x.shape), dtype=np.longdouble)
    result[1] = x
    for k in range(1, count):
        result[k + 1] = ((2 * k + 1) * x * result[k] - k * result[k - 1]) / (k + 1)
    return result
