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
    depth,
    finest,
    graded,
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
            away = (anchor - p) + offset
            term = c / away**n
            # close to p the rounding of the place counts
            value, size = value + term, size + abs(term) * (1 + n / 4 * abs(offset / away))
        w, places = anchor + offset, [abs(p) for _, p, _ in self.poles]
        series: list[tuple[Any, Any, int, Callable[..., Any]]] = []
        if self.zero_order:
            near = np.abs(w) < 0.1 * min(places)
            series.append((near, np.where(near, w, 0.0), self.zero_order, existence.taylor))
        if len(self.poles) > 1 and self.decay_order > min(n for *_, n in self.poles):
            far = np.abs(w) > 10 * max(places)
            inverse = 1 / np.where(far, w, np.inf)
            series.append((far, inverse, self.decay_order, existence.moment))
        for there, x, first, coefficient in series:
            total: Any = 0.0
            most: Any = 0.0
            for k in reversed(range(first, first + _SERIES)):
                c, width = coefficient(self.poles, k)
                total, most = total * x + c, most * np.abs(x) + width
            value = np.where(there, total * x**first, value)
            size = np.where(there, most * np.abs(x) ** first, size)
        return value, size


@lru_cache(maxsize=32)
def panels_of(spectrum: ThermalSpectrum, highest: int = 2) -> PiecewiseSpectrum:
    """Ĉ(w) and so many derivatives, remembered; boson bath: Ĉ(w > 0) = 2 J(w) [n(w) + 1]."""
    f = Integrand(spectrum)
    points, near = f.points, finest(f.points, f.scale)
    if not isinstance(spectrum.density, Exponentials) and spectrum.density.polynomial:
        points = [p._replace(width=math.inf) for p in points]
    panels = graded(points, f.limits, f.scale, lambda p: depth(p, near, 1), True)
    resolved = resolve(_sampler(f, highest + 1), panels)
    regular = {p.position: p.regularity for p in points if math.isfinite(p.regularity)}
    powers = [(0.0, *end) for end in zip(f.limits, f.tails, strict=True) if math.isfinite(end[1])]
    ends = zip(powers, *_power_laws(f, Kernel([]), powers), strict=True)
    tails = [(edge, float(y), float(error), power) for (_, edge, power), y, error in ends]
    return PiecewiseSpectrum(*resolved.absolute(), regular, tuple(tails))


def _sampler(f: Integrand, orders: int) -> Sampler:
    """f, f', ... and the bounds of their errors."""

    def sampler(anchor: _Array, offset: _Array) -> tuple[_Array, _Array]:
        jet = f.jet(anchor, offset, orders - 1)
        parts = zip(*(jet.derivative(k) for k in range(orders)), strict=True)
        values, errors = (np.array([np.broadcast_to(x, offset.shape) for x in p]) for p in parts)
        return values, errors

    return sampler


def _power_laws(
    f: Integrand, kernel: Kernel, ends: Sequence[tuple[float, float, float]]
) -> tuple[_Array, _Array]:
    """f K at ends (anchor, offset, power) from which on it follows a power of the offset.

    The error says how badly.
    """
    anchors, offsets, power = np.array(ends).reshape(-1, 3).T
    anchor, offset = anchors[:, None] * np.ones(2), offsets[:, None] * np.array([1.0, 0.5])
    value, error = f.jet(anchor, offset, 0).derivative(0)
    if kernel.poles:
        k, size = kernel.at(anchor, offset)
        value, error = value * k, error * np.abs(k) + 8 * EPS * np.abs(value) * size
    return value[:, 0], error[:, 0] + 4 * np.abs(value[:, 1] * 2.0**power - value[:, 0])


def finite_part(integrand: Integrand, poles: Poles) -> tuple[float, float]:
    """FP int dw f(w) sum_j c_j/(w - p_j)^n_j and a bound of its error; it must exist."""
    low, high = integrand.limits
    if not low < high:
        return 0.0, 0.0
    with np.errstate(all="ignore"):
        return _Work(integrand, Kernel(poles)).total()


class _Work:
    """One integral: zones, panels, and the sum over them."""

    def __init__(self, integrand: Integrand, kernel: Kernel) -> None:
        self.f, self.kernel = integrand, kernel
        self.value = self.error = 0.0
        self.top: dict[float, int] = {}
        for _, place, n in kernel.poles:
            self.top[place] = max(n, self.top.get(place, 0))
        low, high = integrand.limits
        middle = Point((low + high) / 2, math.inf, 0.0, SMOOTH, high - low)
        self.points: list[Point] = []
        for p in integrand.points or [middle]:
            if p.position == 0:
                p = p._replace(power=p.power + kernel.zero_order)
            # a mild kink is no reason for panels of any fineness, unless a pole makes it matter
            if p.position in self.top and p.regularity < SMOOTH:
                p = p._replace(width=0.0)
            self.points.append(p)
        self.near = finest(self.points, integrand.scale)

    def total(self) -> tuple[float, float]:
        zones, outside = self._divided()
        self._gauss(self._resolved(outside, 1, self.kernel.poles), self.kernel)
        for pole, panels in zones.items():
            here = [x for x in self.kernel.poles if x[1] == pole]
            others = [x for x in self.kernel.poles if x[1] != pole]
            inner = self._resolved(panels, self.top[pole], here)
            self._closed(inner, pole, here)
            if others:
                self._gauss(inner, Kernel(others))
        self._ends()
        return self.value, self.error

    def _add(self, value: Any, error: Any) -> None:
        self.value += float(np.sum(value))
        self.error += float(np.sum(error)) + 2 * EPS * float(np.sum(np.abs(value)))

    def _radius(self, pole: float) -> float:
        """How far the zone reaches: up to half-way to where f has no derivative that is asked for.

        Over a few points of f: where one of them is close to the pole, f/(w - p)^n is much larger
        than its integral.  Other poles are at least four radii away, so that zones are apart.
        """
        limits = [abs(pole - other) / 4 for other in self.top if other != pole]
        away = [(abs(pole - p.position), p) for p in self.points]
        kinks = sorted(x for x, p in away if x and p.regularity < SMOOTH)
        limits += kinks[_FEW - 1 : _FEW]
        least = self.top[pole] - 1 - 2 * LOGARITHM
        limits += [x / 2 for x, p in away if x and (p.power < 0 or p.regularity < least)]
        smooth = [math.hypot(x, p.width) for x, p in away if p.regularity == SMOOTH > p.width]
        nearest = min(x for x, _ in away)
        return min([max(nearest / 2, min([self.f.scale / 2, *smooth])), *limits])

    def _divided(self) -> tuple[dict[float, Panels], Panels]:
        """Panels in the zone of each pole, and all others; other poles are far from them."""
        outside = graded(self.points, self.f.limits, self.f.scale, self._depth)
        zones: dict[float, Panels] = {}
        for pole in self.top:
            radius = self._radius(pole)
            outside = _halved(outside, pole, radius)
            away, half = outside.distance(pole)
            inside = away + half <= _WIDER * radius
            zones[pole], outside = outside.chosen(inside), outside.chosen(~inside)
        for pole in self.top:
            outside = _halved(outside, pole)
            zones = {p: x if p == pole else _halved(x, pole) for p, x in zones.items()}
        return {pole: part for pole, part in zones.items() if len(part.low)}, outside

    def _depth(self, point: Point) -> float:
        return depth(point, self.near, self.top.get(point.position, 0))

    def _resolved(self, panels: Panels, orders: int, poles: Poles) -> Resolved:
        def share(panels: Panels) -> _Array:
            result = np.zeros((orders, len(panels.low)))
            for c, p, n in poles:
                away, half = panels.distance(p)
                if orders > 1:
                    result[n - 1] += 8 * abs(c) * half / np.maximum(away, 2 * half)
                else:
                    result[0] += 2 * abs(c) * half / np.maximum(away - half, half) ** n
            return result

        return resolve(_sampler(self.f, orders), panels, share)

    def _gauss(self, resolved: Resolved, kernel: Kernel) -> None:
        """int f K over panels on which K is smooth."""
        (_, low, high), series, errors = resolved
        if not len(low):
            return
        t, weights, basis = _gauss_rule(series.shape[2])
        values = series[0] @ basis
        k, size = kernel.at(*resolved.panels.nodes(t))
        half = (high - low)[:, None] / 2 * weights
        terms = half * values * k
        lost = half * (errors[0][:, None] * np.abs(k) + 8 * EPS * np.abs(values) * size)
        self._add(terms.sum(1), lost.sum(1))

    def _closed(self, inner: Resolved, pole: float, here: Poles) -> None:
        """The zone around a pole: derivatives of the transform at it."""
        low, high, series, errors = inner.absolute(pole)
        within = set(np.intersect1d(low, high).tolist())  # beyond the ends of the zone f goes on
        regular = {
            p.position - pole: p.regularity
            for p in self.points
            if math.isfinite(p.regularity)
            and (p.position in self.f.limits or p.position - pole in within)
        }
        unit = float(np.max(high - low))
        spectrum = PiecewiseSpectrum(low, high, series, errors, regular, unit=unit)
        left, right = np.flatnonzero(high == 0), np.flatnonzero(low == 0)
        for c, _, n in here:
            value, error = spectrum.regular_transform(np.zeros(1), n - 1)
            weight = c / math.factorial(n - 1)
            self._add(weight * value, abs(weight) * error)
            if n == 1 and len(left) and len(right):  # what f seems to jump by at its kink
                one, other = series[0, left[-1]], series[0, right[0]]
                jump = np.sum(one) - np.sum(other * (-1.0) ** np.arange(len(other)))
                widths = np.array([-low[left[-1]], high[right[0]]])
                self._add(0.0, abs(c * jump) * np.abs(np.log(widths / unit)))

    def _ends(self) -> None:
        """What power laws leave beyond the outermost panels, and within the innermost ones."""
        limits = zip(self.f.limits, self.f.tails, strict=True)
        order = self.kernel.decay_order
        ends = [(0.0, x, tail - order) for x, tail in limits if math.isfinite(tail)]
        for p in self.points:
            if p.width == 0 and p.power < 0:
                start = depth(p, self.near)
                sides = zip((-1, 1), self.f.limits, strict=True)
                ends += [(p.position, s * start, p.power) for s, x in sides if x != p.position]
        if ends:
            height, error = _power_laws(self.f, self.kernel, ends)
            _, offset, power = np.array(ends).T
            reach = np.abs(offset / (power + 1))
            self._add(height * reach, error * reach)


def _halved(panels: Panels, pole: float, radius: float = 0.0) -> Panels:
    """Halved until a pole is far enough for the Gauss rule.

    With a radius: until every panel is in a zone, or starts at half of it or farther away.
    """
    done = []
    for _ in range(200):
        away, half = panels.distance(pole)
        if radius:
            settled = (away - half >= radius / 2) | (away + half <= _WIDER * radius)
        else:
            settled = away >= _APART * half
        done.append(panels.chosen(settled))
        panels = panels.chosen(~settled).halved()
        if not len(panels.low):
            break
    return Panels.joined(*done, panels)


@lru_cache(maxsize=8)
def _gauss_rule(count: int) -> tuple[_Array, _Array, _Array]:
    """Nodes, weights, and Legendre polynomials there, shape (count, nodes)."""
    t, weights = np.polynomial.legendre.leggauss(_GAUSS)
    basis = np.polynomial.legendre.legvander(t, count - 1).T
    return read_only(t), read_only(weights), read_only(np.asarray(basis, dtype=float))
