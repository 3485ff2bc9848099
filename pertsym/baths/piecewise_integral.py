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
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pertsym.baths import existence
from pertsym.baths.jets import EPS, Jet
from pertsym.baths.piecewise_sampling import (
    FAR,
    Panels,
    Resolved,
    assembled,
    depth,
    derivatives,
    finest,
    graded,
    merged,
    placed,
    resolve,
)
from pertsym.baths.thermal_spectrum import SMOOTH, Point, ThermalSpectrum
from pertsym.read_only import read_only

_Array = NDArray[np.float64]

Poles = Sequence[tuple[float, float, int]]
"""(coefficient, position, order)."""

_GAUSS = 40  # nodes: exact for f of degree 31 beside a kernel with its poles at |t| >= 2
_FEW = 4  # points that a zone may hold
_LOGARITHM = 1e-6  # w^k log|w| counts as w^(k - this)
_MILD = 1.0  # the lowest regularity of Ĉ at which P is continuous
_SERIES = 20  # terms of a kernel near 0 and far out, at a ratio of 1/10
_CLOSE = 0.1  # of the distance over which X_B varies: its rise is then the mean of its slope
_AVERAGE = np.polynomial.legendre.leggauss(10)


class Factor(Protocol):
    """X as a function of the argument of X_B, and where it is not analytic."""

    @property
    def points(self) -> tuple[Point, ...]: ...
    @property
    def tails(self) -> tuple[float, float]: ...
    @property
    def extent(self) -> tuple[float, float]: ...
    @property
    def scale(self) -> float: ...

    def jet(self, anchor: _Array, offset: _Array, order: int) -> Jet:
        """X at the sum of anchor and offset."""
        ...


class Spectrum(NamedTuple):
    """X_B = Ĉ_B."""

    thermal: ThermalSpectrum

    @property
    def points(self) -> tuple[Point, ...]:
        return self.thermal.points

    @property
    def tails(self) -> tuple[float, float]:
        return self.thermal.tails

    @property
    def extent(self) -> tuple[float, float]:
        low, high = self.thermal.support
        left, right = self.thermal.extent
        return max(low, left), min(high, right)

    @property
    def scale(self) -> float:
        return self.thermal.scale

    def jet(self, anchor: _Array, offset: _Array, order: int) -> Jet:
        return self.thermal.jet(anchor, offset, order)


@dataclass(frozen=True)
class Transform:
    """X_B = P_B; `values` gives its derivatives at many points, with their errors."""

    thermal: ThermalSpectrum
    values: Callable[[_Array, int], tuple[_Array, _Array]]
    tails = (-1.0, -1.0)
    extent = (-math.inf, math.inf)

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """P ~ |w|^p log|w| or |w|^p sgn w for a term |w|^p of Ĉ.

        Where P is continuous panels are halved only as far as they matter.
        """
        found = []
        for point in self.thermal.points:
            if (regularity := point.regularity) < SMOOTH:
                width = 0.0 if regularity < _MILD else math.inf
                regularity -= _LOGARITHM * float(regularity).is_integer()
                power = min(regularity, 0.0)
                point = point._replace(width=width, power=power, regularity=regularity)
            found.append(point)
        return tuple(found)

    @property
    def scale(self) -> float:
        return self.thermal.scale

    def jet(self, anchor: _Array, offset: _Array, order: int) -> Jet:
        w = np.ravel(anchor + offset)
        w = np.where(w == 0, 1e-290, w)
        parts = [self.values(w, m) for m in range(order + 1)]
        shape = np.shape(anchor + offset)
        return Jet(
            tuple(value.reshape(shape) for value, _ in parts),
            tuple(error.reshape(shape) for _, error in parts),
        )


@dataclass(frozen=True)
class Integrand:
    """f = Ĉ_A(w) X(s + r w), or Ĉ_A(w) [X(s + r w) - X(s + r p) chi(w)]/(w - p).

    chi = L^2/[(w - p)^2 + L^2].  Without a factor X = 1.
    """

    a: ThermalSpectrum
    factor: Factor | None = None
    shift: float = 0.0
    reflect: int = -1
    taken_off: tuple[float, float] | None = None
    """p and L."""

    def image(self, w: Any) -> Any:
        """Where the argument of X is w."""
        return self.reflect * (w - self.shift)

    @cached_property
    def _mirrored(self) -> list[Point]:
        return [
            point._replace(
                position=self.image(point.position),
                # less its value elsewhere X does not vanish there
                power=min(point.power, 0.0) if self.taken_off else point.power,
            )
            for point in (self.factor.points if self.factor else ())
        ]

    @cached_property
    def points(self) -> list[Point]:
        """In ascending order."""
        found = {point.position: point for point in merged(self.a.points)}
        for point in merged(self._mirrored):
            other = found.get(point.position)
            if other is not None:  # powers add, the lowest term is of either factor
                regularity = min(other.regularity + point.power, point.regularity + other.power)
                power = other.power + point.power
                width, reach = (min(x) for x in zip(other[1:5:3], point[1:5:3], strict=True))
                point = Point(point.position, width, power, regularity, reach)
            found[point.position] = point
        low, high = self.limits
        return [found[w] for w in sorted(found) if low <= w <= high]

    @cached_property
    def scale(self) -> float:
        return min(self.a.scale, self.factor.scale) if self.factor else self.a.scale

    @cached_property
    def limits(self) -> tuple[float, float]:
        """Beyond which f is 0, has underflowed, or follows a power law."""
        places = [p.position for p in (*self.a.points, *self._mirrored)]
        far = FAR * max(self.scale, *map(abs, places))
        low, high = self.a.support
        left, right = self.a.extent
        low, high = max(low, left, -far), min(high, right, far)
        if self.factor and not self.taken_off:
            left, right = sorted(map(self.image, self.factor.extent))
            low, high = max(low, left), min(high, right)
        return low, high

    @cached_property
    def tails(self) -> tuple[float, float]:
        """The powers of f at both limits; -inf where nothing lies beyond."""
        low, high = self.limits
        first = self.factor.tails if self.factor else (0.0, 0.0)
        if self.reflect > 0:
            left, right = first
        else:
            right, left = first
        if self.taken_off:
            left, right = max(left, -2.0) - 1, max(right, -2.0) - 1
        far = 0.99 * FAR * self.scale
        return (
            self.a.tails[0] + left if low <= -far else -math.inf,
            self.a.tails[1] + right if high >= far else -math.inf,
        )

    def jet(self, anchor: _Array, offset: _Array, order: int) -> Jet:
        first = self.a.jet(anchor, offset, order)
        if self.factor is None:
            return first * self._lost(anchor, offset) if self.taken_off else first
        rest = self.shift + self.reflect * anchor
        second = self.factor.jet(rest, self.reflect * offset, order).reflected(self.reflect)
        if self.taken_off:
            second = self._without_value(second, anchor, offset)
        else:
            second = self._displaced(second, anchor, offset)
        return first * second

    def _displaced(self, second: Jet, anchor: _Array, offset: _Array) -> Jet:
        """With the error that comes from the rounded sum of shift and anchor.

        Beside a point where X or a derivative is singular it varies over the distance from there.
        """
        assert self.factor is not None
        rest = self.shift + self.reflect * anchor
        inexact = np.where((rest == 0) | (anchor == 0), 0.0, EPS * np.abs(rest))
        singular = [p.position for p in self._mirrored if p.regularity <= 0 or p.power < 0]
        near = np.maximum(np.abs(offset), np.maximum(inexact, 1e-300))
        plain = np.where(
            np.isin(anchor, singular), near, finest(self.factor.points, self.scale) / 30
        )
        moved = [
            e + inexact * np.abs(c) / (near if k else plain)
            for k, (c, e) in enumerate(zip(second.c, second.e or (), strict=True))
        ]
        return Jet(second.c, tuple(moved))

    @cached_property
    def _value(self) -> tuple[float, float]:
        assert self.factor is not None
        assert self.taken_off is not None
        at = np.array([self.shift + self.reflect * self.taken_off[0]])
        value, error = self.factor.jet(at, np.zeros(1), 0).derivative(0)
        return float(value[0]), float(error[0])

    def _lost(self, anchor: _Array, offset: _Array) -> Jet:
        """[1 - chi]/(w - p), order 0."""
        assert self.taken_off is not None
        pole, scale = self.taken_off
        x = (anchor - pole) + offset
        value = x / (x * x + scale * scale)
        return Jet((value,), (8 * EPS * np.abs(value),))

    def _without_value(self, second: Jet, anchor: _Array, offset: _Array) -> Jet:
        """[X - X(p) chi]/(w - p), order 0."""
        assert self.factor is not None
        assert self.taken_off is not None
        pole, scale = self.taken_off
        x = (anchor - pole) + offset
        (value, known), image = self._value, self.shift + self.reflect * pole
        away = [
            math.hypot(p.position - image, 0.0 if math.isinf(p.width) else p.width)
            for p in self.factor.points
        ]
        close = np.abs(x) < _CLOSE * min([scale, self.factor.scale, *away])
        apart = np.where(close, 1.0, x)
        rise = (second.c[0] - value) / apart
        error = ((second.e or (0.0,))[0] + known + EPS * np.abs(second.c[0])) / np.abs(apart)
        if np.any(close):  # the mean of the slope
            nodes, weights = _AVERAGE
            at = image + self.reflect * x[close][:, None] * (1 + nodes) / 2
            slope, unsure = self.factor.jet(at, np.zeros_like(at), 1).derivative(1)
            rise[close] = self.reflect * (slope @ weights) / 2
            error[close] = (unsure + 8 * EPS * np.abs(slope)) @ weights / 2
        rest = self._lost(anchor, offset).scaled(value)
        return Jet((rise,), (error + known / scale,)) + rest


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
        self.points = points
        self.anchors = np.array([p.position for p in self.points])
        self.radii = {p: self._radius(p, points) for p in self.top}

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
            if distance and (p.power < 0 or p.regularity < self.top[pole] - 1 - 2 * _LOGARITHM)
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
        """Panels in the zone of each pole, and all others, cut so that poles are far from them."""
        near = finest(self.points, self.f.scale)
        depths = [depth(p, near, self.top.get(p.position, 0)) for p in self.points]
        panels = graded(self.points, self.f.limits, self.f.scale, depths)
        for pole, radius in self.radii.items():
            for edge in (-radius, radius):
                at = (pole - self.anchors[panels.cell]) + edge
                cut = (panels.low < at) & (at < panels.high)
                if np.any(cut):
                    lower, upper = panels.chosen(cut), panels.chosen(cut)
                    parts = (
                        panels.chosen(~cut),
                        lower._replace(high=at[cut]),
                        upper._replace(low=at[cut]),
                    )
                    panels = _together(parts)
        zones: dict[float, Panels] = {}
        owner = np.full(len(panels.low), -1)
        for k, (pole, radius) in enumerate(self.radii.items()):
            middle = (self.anchors[panels.cell] - pole) + (panels.low + panels.high) / 2
            owner[np.abs(middle) < radius] = k
        for k, pole in enumerate(self.radii):
            part = panels.chosen(owner == k)
            for other in self.radii:
                if other != pole:
                    part = self._far_from(other, part)
            if len(part.low):
                zones[pole] = part
        outside = panels.chosen(owner < 0)
        for pole in self.radii:
            outside = self._far_from(pole, outside)
        return zones, outside

    def _far_from(self, pole: float, panels: Panels) -> Panels:
        """Halved until the pole is at least two half-widths from the middle of every panel."""
        done = [panels.chosen(np.zeros(len(panels.low), dtype=bool))]
        while len(panels.low):
            middle = (self.anchors[panels.cell] - pole) + (panels.low + panels.high) / 2
            near = np.abs(middle) < panels.high - panels.low
            done.append(panels.chosen(~near))
            panels = panels.chosen(near).halved()
            if len(done) > 200:
                done.append(panels)
                break
        return _together(done)

    def _resolved(self, panels: Panels, orders: int, poles: Poles) -> Resolved:
        anchors = self.anchors

        def sampler(panels: Panels, t: _Array) -> tuple[_Array, _Array]:
            offset = placed(panels, t)
            at = np.broadcast_to(anchors[panels.cell][:, None], offset.shape)
            return derivatives(self.f.jet(at, offset, orders - 1), offset.shape)

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

        return resolve(sampler, panels, share)

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
        (cell, low, high), series, errors = inner
        shift = self.anchors[cell] - pole
        low, high = shift + low, shift + high
        order = np.argsort(low)
        low, high = low[order], high[order]
        close = np.abs(high[:-1] - low[1:]) <= 16 * EPS * (np.abs(low[1:]) + abs(pole))
        low[1:] = np.where(close, high[:-1], low[1:])
        regular = {}
        for p in self.points:
            if math.isfinite(p.regularity) and abs(p.position - pole) <= self.radii[pole]:
                at = p.position - pole
                nearest = float(high[int(np.argmin(np.abs(high - at)))])
                close_by = abs(nearest - at) <= 16 * EPS * (abs(at) + abs(pole))
                regular[nearest if close_by else at] = p.regularity
        wide = high > low  # from the pole the innermost panels of a singular point are none
        low, high, order = low[wide], high[wide], order[wide]
        zone = Resolved(Panels(cell[order], low, high), series[:, order], errors[:, order])
        spectrum = replace(assembled(zone, regular), unit=self.radii[pole])
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


def _together(parts: Sequence[Panels]) -> Panels:
    return Panels(*(np.concatenate(x) for x in zip(*parts, strict=True)))


@lru_cache(maxsize=8)
def _gauss_rule(count: int) -> tuple[_Array, _Array, _Array]:
    """Nodes, weights, and Legendre polynomials there, shape (count, nodes)."""
    t, weights = np.polynomial.legendre.leggauss(_GAUSS)
    basis = np.polynomial.legendre.legvander(t, count - 1).T
    return read_only(t), read_only(weights), read_only(np.asarray(basis, dtype=float))
