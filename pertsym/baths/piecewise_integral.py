"""Finite-part integrals over a spectrum known on the real axis only, by Legendre series on panels.

FP int dw f(w) sum_j c_j/(w - p_j)^n_j,   f = Ĉ_A(w) X(w),

with X = 1, X_B(s + r w), or what is left of it where its value at a kink of Ĉ_A is taken off (see
`integrals`).  Panels are graded towards every point of either function.  Around each pole there is
a zone in which f and its derivatives are a `PiecewiseSpectrum`, whose transform at the pole is
the integral in closed form; elsewhere the kernel is smooth on every panel, and a Gauss rule takes
the product.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pertsym.baths import existence
from pertsym.baths.densities import Exponentials
from pertsym.baths.integrand import LOGARITHM, Integrand
from pertsym.baths.jets import EPS
from pertsym.baths.piecewise import PiecewiseSpectrum
from pertsym.baths.piecewise_sampling import (
    Panels,
    Resolved,
    Sampler,
    absolute,
    depth,
    finest,
    graded,
    placed,
    resolve,
)
from pertsym.baths.thermal_spectrum import SMOOTH, Point, ThermalSpectrum
from pertsym.read_only import read_only

_Array = NDArray[np.float64]

Poles = Sequence[tuple[float, float, int]]
"""(coefficient, position, order)."""

_GAUSS = 40  # nodes: exact for f of degree 31 beside a kernel with its poles at |t| >= 1.6
_APART = 1.6
_WIDER = 1.9  # than its radius a zone may be: panels are not cut
_FEW = 4  # points that a zone may hold
_SERIES = 20  # terms of a kernel near 0 and far out, at a ratio of 1/10


class Kernel:
    """sum_j c_j/(w - p_j)^n_j without loss of digits where it vanishes: at w = 0 and far out."""

    def __init__(self, poles: Poles) -> None:
        self.poles = tuple(poles)
        self.zero_order = existence.zero_order(poles)
        self.decay_order = existence.decay_order(poles)

    def at(self, anchor: Any, offset: Any) -> tuple[Any, Any]:
        """The kernel at the sum of anchor and offset, and the sum of its terms' sizes."""
        value: Any = 0.0
        size: Any = 0.0
        for c, p, n in self.poles:
            term = c / ((anchor - p) + offset) ** n
            value, size = value + term, size + abs(term)
        w = anchor + offset
        places = [abs(p) for _, p, _ in self.poles]
        if self.zero_order:
            near = np.abs(w) < 0.1 * min(places)
            series = self._series(np.where(near, w, 0.0), self.zero_order, existence.taylor)
            value, size = (
                np.where(near, *pair) for pair in zip(series, (value, size), strict=True)
            )
        if len(self.poles) > 1 and self.decay_order > min(n for *_, n in self.poles):
            far = np.abs(w) > 10 * max(places)
            inverse = 1 / np.where(far, w, np.inf)
            series = self._series(inverse, self.decay_order, existence.moment)
            value, size = np.where(far, series[0], value), np.where(far, series[1], size)
        return value, size

    def _series(self, x: Any, first: int, term: Callable[..., Any]) -> tuple[Any, Any]:
        value: Any = 0.0
        size: Any = 0.0
        for k in reversed(range(first, first + _SERIES)):
            total, most = term(self.poles, k)
            value, size = value * x + total, size * np.abs(x) + most
        return value * x**first, size * np.abs(x) ** first


class _Sum:
    """A value with its error."""

    def __init__(self) -> None:
        self.value = self.error = 0.0

    def add(self, value: Any, error: Any) -> None:
        self.value += float(np.sum(value))
        self.error += float(np.sum(error)) + 2 * EPS * float(np.sum(np.abs(value)))


def finite_part(integrand: Integrand, poles: Poles) -> tuple[float, float]:
    """FP int dw f(w) sum_j c_j/(w - p_j)^n_j and a bound of its error; it must exist."""
    low, high = integrand.limits
    if not low < high:
        return 0.0, 0.0
    points = integrand.points
    if not points:
        points = [Point((low + high) / 2, math.inf, 0.0, SMOOTH, high - low)]
    with np.errstate(all="ignore"):
        return _Work(integrand, Kernel(poles), points).total()


class _Work:
    """One integral: zones, panels, and the sum over them."""

    def __init__(self, integrand: Integrand, kernel: Kernel, points: list[Point]) -> None:
        self.f, self.kernel = integrand, kernel
        self.top: dict[float, int] = {}
        for _, p, n in kernel.poles:
            self.top[p] = max(n, self.top.get(p, 0))
        if kernel.zero_order:
            points = [
                p._replace(power=p.power + kernel.zero_order) if p.position == 0 else p
                for p in points
            ]
        # a mild kink is no reason for panels of any fineness, unless a pole makes it matter
        points = [
            p._replace(width=0.0) if p.position in self.top and p.regularity < SMOOTH else p
            for p in points
        ]
        self.radii = {p: self._radius(p, points) for p in self.top}
        self.points, self.anchors = points, np.array([p.position for p in points])

    def _radius(self, pole: float, points: list[Point]) -> float:
        """How far the zone reaches: up to half-way to where f has no derivative that is asked for.

        Over a few points of f: where one of them is close to the pole, f/(w - p)^n is much larger
        than its integral.  Other poles are at least four radii away, so that zones are apart.
        """
        away = [(abs(pole - p.position), p) for p in points if p.regularity < SMOOTH]
        close = sorted(distance for distance, p in away if distance)
        few = close[_FEW - 1 : _FEW]
        others = [abs(pole - p) / 4 for p in self.top if p != pole]
        rough = [
            distance / 2
            for distance, p in away
            if distance and (p.power < 0 or p.regularity < self.top[pole] - 1 - 2 * LOGARITHM)
        ]
        nearest = min(abs(pole - p.position) for p in points)
        smooth = [
            math.hypot(pole - p.position, p.width)
            for p in points
            if p.regularity == SMOOTH and p.width < math.inf
        ]
        local = max(nearest / 2, min([self.f.scale / 2, *smooth]))
        return min([local, *others, *rough, *few])

    def total(self) -> tuple[float, float]:
        result = _Sum()
        zones, outside = self._divided()
        outer = self._resolved(outside, 1, self.kernel.poles)
        self._gauss(result, outer, self.kernel)
        for pole, panels in zones.items():
            order = self.top[pole]
            here = [x for x in self.kernel.poles if x[1] == pole]
            others = [x for x in self.kernel.poles if x[1] != pole]
            inner = self._resolved(panels, order, here)
            self._closed(result, inner, pole, here)
            if others:
                self._gauss(result, inner, Kernel(others))
        self._ends(result)
        return result.value, result.error

    def _divided(self) -> tuple[dict[float, Panels], Panels]:
        """Panels in the zone of each pole, and all others; other poles are far from them."""
        near = finest(self.points, self.f.scale)
        depths = [depth(p, near, self.top.get(p.position, 0)) for p in self.points]
        outside = graded(self.points, self.f.limits, self.f.scale, depths)
        zones: dict[float, Panels] = {}
        for pole, radius in self.radii.items():
            outside = self._halved(outside, pole, radius)
            away, half = self._distance(outside, pole)
            inside = away + half <= _WIDER * radius
            zones[pole], outside = outside.chosen(inside), outside.chosen(~inside)
        for pole in self.radii:
            outside = self._halved(outside, pole)
            zones = {p: x if p == pole else self._halved(x, pole) for p, x in zones.items()}
        return {pole: part for pole, part in zones.items() if len(part.low)}, outside

    def _distance(self, panels: Panels, pole: float) -> tuple[_Array, _Array]:
        """Of the middle of every panel from a pole, and half the width."""
        middle = (self.anchors[panels.cell] - pole) + (panels.low + panels.high) / 2
        return np.abs(middle), (panels.high - panels.low) / 2

    def _halved(self, panels: Panels, pole: float, radius: float = 0.0) -> Panels:
        """Halved until a pole is far enough for the Gauss rule.

        With a radius: until every panel is in a zone, or starts at half of it or farther away.
        """
        done = []
        for _ in range(200):
            away, half = self._distance(panels, pole)
            if radius:
                settled = (away - half >= radius / 2) | (away + half <= _WIDER * radius)
            else:
                settled = away >= _APART * half
            done.append(panels.chosen(settled))
            panels = panels.chosen(~settled).halved()
            if not len(panels.low):
                break
        return Panels(*(np.concatenate(x) for x in zip(*done, panels, strict=True)))

    def _resolved(self, panels: Panels, orders: int, poles: Poles) -> Resolved:
        anchors = self.anchors

        def share(panels: Panels) -> _Array:
            middle, width = (panels.low + panels.high) / 2, panels.high - panels.low
            result = np.zeros((orders, len(width)))
            for c, p, n in poles:
                away = np.abs((anchors[panels.cell] - p) + middle)
                if orders > 1:
                    result[n - 1] += 4 * abs(c) * width / np.maximum(away, width)
                else:
                    result[0] += abs(c) * width / np.maximum(away - width / 2, width / 2) ** n
            return result

        return resolve(_sampler(self.f, anchors, orders), panels, share)

    def _gauss(self, result: _Sum, resolved: Resolved, kernel: Kernel) -> None:
        """int f K over panels on which K is smooth."""
        (cell, low, high), series, errors = resolved
        if not len(low):
            return
        t, weights, basis = _gauss_rule(series.shape[2])
        values = series[0] @ basis
        k, size = kernel.at(self.anchors[cell][:, None], placed(resolved.panels, t))
        half = (high - low)[:, None] / 2 * weights
        terms = half * values * k
        lost = half * (errors[0][:, None] * np.abs(k) + 8 * EPS * np.abs(values) * size)
        result.add(terms.sum(1), lost.sum(1))

    def _closed(self, result: _Sum, inner: Resolved, pole: float, here: Poles) -> None:
        """The zone around a pole: derivatives of the transform at it."""
        zone = absolute(inner, self.anchors, pole)
        _, low, high = zone.panels
        within = np.intersect1d(low, high)  # beyond the ends of the zone f goes on
        regular = {
            p.position - pole: p.regularity
            for p in self.points
            if math.isfinite(p.regularity)
            and (p.position in self.f.limits or p.position - pole in within)
        }
        spectrum = PiecewiseSpectrum(
            low, high, zone.series, zone.errors, regular, unit=self.radii[pole]
        )
        left, right = np.flatnonzero(high == 0), np.flatnonzero(low == 0)
        for c, _, n in here:
            value, error = spectrum.regular_transform(np.zeros(1), n - 1)
            weight = c / math.factorial(n - 1)
            result.add(weight * value, abs(weight) * error)
            if n == 1 and len(left) and len(right):  # what f seems to jump by at its kink
                one, other = zone.series[0, left[-1]], zone.series[0, right[0]]
                jump = np.sum(one) - np.sum(other * (-1.0) ** np.arange(len(other)))
                widths = np.array([high[left[-1]] - low[left[-1]], high[right[0]]])
                result.add(0.0, abs(c * jump) * np.abs(np.log(widths / self.radii[pole])))

    def _ends(self, result: _Sum) -> None:
        """What power laws leave beyond the outermost panels, and within the innermost ones."""
        low, high = self.f.limits
        found = [
            (0.0, edge, tail - self.kernel.decay_order)
            for edge, tail in zip((low, high), self.f.tails, strict=True)
            if math.isfinite(tail)
        ]
        near = finest(self.points, self.f.scale)
        for p in self.points:
            if p.width == 0 and p.power < 0:
                rooms = ((-1, p.position - low), (1, high - p.position))
                start = depth(p, near)
                found += [(p.position, side * start, p.power) for side, room in rooms if room > 0]
        if not found:
            return
        anchors, offsets, power = np.array(found).T
        anchor, offset = anchors[:, None] * np.ones(2), offsets[:, None] * np.array([1.0, 0.5])
        f, error = self.f.jet(anchor, offset, 0).derivative(0)
        k, size = self.kernel.at(anchor, offset)
        f, error = f * k, error * np.abs(k) + 8 * EPS * np.abs(f) * size
        reach = np.abs(offset[:, 0]) / np.abs(power + 1)
        missed = 4 * np.abs(f[:, 1] * 2.0**power - f[:, 0])
        result.add(f[:, 0] * reach, (error[:, 0] + missed) * reach)


def _sampler(f: Integrand, anchors: _Array, orders: int) -> Sampler:
    """f, f', ... and the bounds of their errors."""

    def sampler(panels: Panels, t: _Array) -> tuple[_Array, _Array]:
        offset = placed(panels, t)
        at = np.broadcast_to(anchors[panels.cell][:, None], offset.shape)
        jet = f.jet(at, offset, orders - 1)
        parts = zip(*(jet.derivative(k) for k in range(orders)), strict=True)
        values, errors = (np.array([np.broadcast_to(x, offset.shape) for x in p]) for p in parts)
        return values, errors

    return sampler


@lru_cache(maxsize=32)
def panels_of(spectrum: ThermalSpectrum, highest: int = 2) -> PiecewiseSpectrum:
    """Ĉ(w) and so many derivatives, remembered; boson bath: Ĉ(w > 0) = 2 J(w) [n(w) + 1]."""
    f = Integrand(spectrum)
    points, near = f.points, finest(f.points, f.scale)
    if not isinstance(spectrum.density, Exponentials) and spectrum.density.polynomial:
        points = [p._replace(width=math.inf) for p in points]
    panels = graded(points, f.limits, f.scale, [depth(p, near, 1) for p in points], True)
    anchors = np.array([p.position for p in points])
    resolved = absolute(resolve(_sampler(f, anchors, highest + 1), panels), anchors)
    regular = {p.position: p.regularity for p in points if math.isfinite(p.regularity)}
    tails = []
    for edge, power in zip(f.limits, f.tails, strict=True):
        if math.isfinite(power):  # heights where the panels end, and how badly they follow it
            value, unsure = spectrum.jet_at(np.array([edge, edge / 2]), 0).derivative(0)
            missed = unsure[0] + 4 * abs(value[1] * 2.0**power - value[0])
            tails.append((edge, float(value[0]), float(missed), power))
    (_, low, high), series, errors = resolved
    return PiecewiseSpectrum(low, high, series, errors, regular, tuple(tails))


@lru_cache(maxsize=8)
def _gauss_rule(count: int) -> tuple[_Array, _Array, _Array]:
    """Nodes, weights, and Legendre polynomials there, shape (count, nodes)."""
    t, weights = np.polynomial.legendre.leggauss(_GAUSS)
    basis = np.polynomial.legendre.legvander(t, count - 1).T
    return read_only(t), read_only(weights), read_only(np.asarray(basis, dtype=float))
