"""Hadamard finite parts and principal values on the real line, in double precision.

FP int dw f(w) sum_j c_j/(w - a_j)^n_j for a piecewise analytic f.  In a symmetric window around
a pole the order is lowered to one by partial integration, with derivatives from jets, and the
principal value is folded: int_0^r du [F(a + u) - F(a - u)]/u.  No Taylor polynomial is
subtracted, so a pole of order four costs no more digits than a simple one; and no contour leaves
the real axis, so resonances close to it do no harm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.adaptive import NOTHING, Panels, Quadrature, integrate
from pertsym.baths.divergence import Divergent, power_text
from pertsym.baths.integrand import Integrand, Kernel, Point, Pole
from pertsym.baths.jets import EPS
from pertsym.baths.mesh import End, Mesh, Window, build_mesh, core_offset
from pertsym.estimate import Estimate

_Array = NDArray[np.float64]

_ZONE_CORE = 1e-19  # in a zone two powers may meet at the point: go where their rest is nothing


def finite_part(integrand: Integrand, poles: Sequence[Pole]) -> Estimate:
    """FP int dw f(w) sum_j c_j/(w - a_j)^n_j, n_j from 1 to 4.

    Returns
    -------
    Estimate
        value and a bound of the absolute error (quadrature and rounding).

    Raises
    ------
    Divergent
        If f is not smooth enough at a pole.  Divergence at branch points and at infinity is the
        caller's to decide.
    """
    poles = tuple(Pole(*pole) for pole in poles if pole[0] != 0)
    if not poles:
        return Estimate(0.0, 0.0)
    _require_smooth(integrand, poles)
    with np.errstate(all="ignore"):
        zone = _find_zone(integrand, poles)
        mesh = build_mesh(integrand, Kernel(poles), None if zone is None else _ZONE_CORE)
        parts = [_outside(integrand, mesh, poles, zone)]
        size = parts[0].size
        parts += [_in_window(integrand, window, poles, zone, size) for window in mesh.windows]
        parts += _cores(integrand, mesh.cores, Kernel(poles), zone)
        parts += [_tail(integrand, tail, Kernel(poles)) for tail in mesh.tails]
    return Estimate(
        math.fsum(part.value for part in parts),
        math.fsum(part.error for part in parts) + EPS * math.fsum(abs(p.value) for p in parts),
    )


class _Zone:
    """A stretch around one pole where k partial integrations come first.

    Next to a point where f is finite but not smooth the parts of the integral of f/(w - a)^n
    are larger than their sum; those of f^(k)/(w - a)^(n - k) are not.
    """

    def __init__(self, pole: Pole, lowered: int, low: float, high: float) -> None:
        self.pole, self.lowered, self.low, self.high = pole, lowered, low, high

    @property
    def weight(self) -> float:
        n, k = self.pole.order, self.lowered
        return self.pole.coefficient * math.factorial(n - 1 - k) / math.factorial(n - 1)

    @property
    def order(self) -> int:
        return self.pole.order - self.lowered


def _require_smooth(integrand: Integrand, poles: Sequence[Pole]) -> None:
    low, high = integrand.support
    for _, position, order in poles:
        if not 1 <= order <= 4:
            raise ValueError(f"order: must be 1, 2, 3 or 4, got {order}; split the kernel")
        for point in integrand.points:
            if point.position == position and low <= position <= high:
                _require_smooth_at(point, order)


def _require_smooth_at(point: Point, order: int) -> None:
    if point.regularity <= order - 1:
        raise Divergent(
            f"FP∫dw f(w)/(w - a)^{order} at a = {point.position:.6g}: f has a term "
            f"|w - a|^{power_text(point.regularity)} there, it must be smoother than "
            f"|w - a|^{order - 1}"
        )


def _find_zone(integrand: Integrand, poles: Sequence[Pole]) -> _Zone | None:
    if len(poles) != 1 or poles[0].order < 2:
        return None
    pole = poles[0]
    close = [
        p
        for p in integrand.points
        if (p.power if p.width == 0 else 0.0) < p.regularity < math.inf
        and 0 < abs(p.position - pole.position) < p.reach / 4
    ]
    if not close:
        return None
    nearest = min(close, key=lambda p: abs(p.position - pole.position))
    # half of the reach: the ends of the zone must not be kinks or jumps themselves
    low, high = nearest.position - nearest.reach / 2, nearest.position + nearest.reach / 2
    inside = [p.regularity for p in integrand.points if low <= p.position <= high]
    lowered = min([pole.order - 1] + [math.ceil(r) for r in inside if r < math.inf])
    return _Zone(pole, lowered, low, high) if lowered > 0 else None


def _outside(
    integrand: Integrand, mesh: Mesh, poles: tuple[Pole, ...], zone: _Zone | None
) -> Quadrature:
    """Everything but the windows; also the other poles' terms inside each window."""
    panels = mesh.panels
    parts = []
    if zone is not None:
        centre = panels.anchor + (panels.low + panels.high) / 2
        within = (centre > zone.low) & (centre < zone.high)
        parts.append(_in_zone(integrand, _select(panels, within), mesh, zone))
        panels = _select(panels, ~within)
    parts.append(_with_kernel(integrand, panels, Kernel(poles)))
    for window in mesh.windows:
        others = tuple(pole for pole in poles if pole.position != window.position)
        if others:
            r = window.radius
            halves = Panels(np.full(2, window.position), np.array([-r, 0.0]), np.array([0.0, r]))
            parts.append(_with_kernel(integrand, halves, Kernel(others)))
    return _sum(parts)


def _with_kernel(integrand: Integrand, panels: Panels, kernel: Kernel) -> Quadrature:
    if not len(panels.anchor):
        return NOTHING

    def function(anchor: _Array, offset: _Array) -> tuple[_Array, _Array]:
        f, error = integrand.jet(anchor, offset, 0).derivative(0)
        value, size = kernel.at(anchor, offset)
        return _guarded(f, f * value, error * np.abs(value) + 8 * EPS * np.abs(f) * size)

    return integrate(function, panels)


def _in_zone(integrand: Integrand, panels: Panels, mesh: Mesh, zone: _Zone) -> Quadrature:
    """The zone without its window, after partial integration; with the ends of the zone."""
    a, order, k = zone.pole.position, zone.order, zone.lowered

    def function(anchor: _Array, offset: _Array) -> tuple[_Array, _Array]:
        f, error = integrand.jet(anchor, offset, k).derivative(k)
        value = zone.weight / ((anchor - a) + offset) ** order
        return _guarded(f, f * value, error * np.abs(value) + 8 * EPS * np.abs(f * value))

    windows = [w for w in mesh.windows if w.position == a]
    lows = [-w.radius for w in windows] + list((panels.anchor - a) + panels.low)
    highs = [w.radius for w in windows] + list((panels.anchor - a) + panels.high)
    ends = _ends(integrand, a, min(lows), max(highs), [zone.pole], 0, zone.lowered)
    return _sum([ends, integrate(function, panels) if len(panels.anchor) else NOTHING])


def _in_window(
    integrand: Integrand,
    window: Window,
    poles: tuple[Pole, ...],
    zone: _Zone | None,
    elsewhere: float,
) -> Quadrature:
    """Partial integration down to simple poles, then the folded principal value."""
    a, r = window.position, window.radius
    here = [pole for pole in poles if pole.position == a]
    done = zone.lowered if zone is not None else 0
    weights = [0.0] * 4
    for coefficient, _, order in here:
        weights[order - 1] += coefficient / math.factorial(order - 1)
    top = max(pole.order for pole in here) - 1

    def folded(anchor: _Array, offset: _Array) -> tuple[_Array, _Array]:
        above, below = (integrand.jet(anchor, side * offset, top) for side in (1, -1))
        value, error, size = np.zeros((3, *offset.shape))
        for k in range(top + 1):
            if weights[k]:
                (f, e), (g, d) = above.derivative(k), below.derivative(k)
                value = value + weights[k] * (f - g)
                error = error + abs(weights[k]) * (e + d)
                size = size + abs(weights[k]) * np.abs(f - g)
        return _guarded(value, value / offset, (error + 8 * EPS * size) / offset)

    parts = [_ends(integrand, a, -r, r, here, done, 9)]
    marks = [0.0, r]
    point = window.point
    if point is not None and point.width == 0:
        # a smooth part of the function stays finite here, whatever vanishes beside it
        power = min(point.regularity - top - 1, 0.0)
        start = core_offset(point._replace(power=power), min(r, point.reach))
        marks = list(np.geomspace(start, r, 2 + int(math.log(r / start, 4))))
        f, error = folded(np.array([a, a]), np.array([start, start / 2]))
        parts.append(_power_law(f, error, start, power, -1))
    panels = Panels(np.full(len(marks) - 1, a), np.array(marks[:-1]), np.array(marks[1:]))
    parts.append(integrate(folded, panels, elsewhere))
    return _sum(parts)


def _ends(
    integrand: Integrand,
    a: float,
    low: float,
    high: float,
    poles: Sequence[Pole],
    first: int,
    last: int,
) -> Quadrature:
    """Boundary terms of the partial integrations number first..last-1, at offsets low, high."""
    top = max(pole.order for pole in poles) - 1
    if top <= first:
        return NOTHING
    jet = integrand.jet(np.array([a, a]), np.array([low, high]), min(top, last) - 1)
    offsets, signs = np.array([low, high]), np.array([1.0, -1.0])
    parts = []
    for coefficient, _, n in poles:
        for i in range(first, min(n - 1, last)):
            weight = coefficient * math.factorial(n - 2 - i) / math.factorial(n - 1)
            f, error = jet.derivative(i)
            kernel = weight / offsets ** (n - 1 - i)
            terms = signs * f * kernel
            bound = np.sum(np.abs(kernel) * error + 8 * EPS * np.abs(terms))
            parts.append(Quadrature(float(np.sum(terms)), float(bound), float(np.sum(abs(terms)))))
    return _sum(parts)


def _cores(
    integrand: Integrand, cores: Sequence[End], kernel: Kernel, zone: _Zone | None
) -> list[Quadrature]:
    """The rest at every branch point, f at all of them at once."""
    zoned = [c for c in cores if zone is not None and zone.low < c.anchor < zone.high]
    parts = [_zone_core(integrand, c, zone) for c in zoned if zone is not None]
    plain = [c for c in cores if c not in zoned]
    if not plain:
        return parts
    anchor = np.array([[c.anchor] for c in plain]) * np.ones(2)
    offset = np.array([[c.offset] for c in plain]) * np.array([1.0, 0.5])
    f, error = integrand.jet(anchor, offset, 0).derivative(0)
    value, size = kernel.at(anchor, offset)
    bound = error * np.abs(value) + 8 * EPS * np.abs(f) * size
    return parts + [
        _power_law(values, unsure, abs(c.offset), min(c.power, 50.0), -1)
        for c, values, unsure in zip(plain, f * value, bound, strict=True)
    ]


def _zone_core(integrand: Integrand, core: End, zone: _Zone) -> Quadrature:
    """The same for f^(k) inside a zone: finite at the point, or one fractional power."""
    k = zone.lowered
    power = min(p.regularity for p in integrand.points if p.position == core.anchor) - k
    anchor, offset = np.full(2, core.anchor), core.offset * np.array([1.0, 0.5])
    f, error = integrand.jet(anchor, offset, k).derivative(k)
    kernel = zone.weight / ((anchor - zone.pole.position) + offset) ** zone.order
    return _power_law(f * kernel, error * np.abs(kernel), abs(core.offset), min(power, 0.0), -1)


def _tail(integrand: Integrand, tail: End, kernel: Kernel) -> Quadrature:
    """The rest of an algebraic tail."""
    if math.isinf(tail.power):
        return NOTHING
    power = tail.power - kernel.decay_order
    anchor = np.array([tail.anchor, tail.anchor])
    offset = tail.offset * np.array([1.0, 0.5])
    f, error = integrand.jet(anchor, offset, 0).derivative(0)
    value, size = kernel.at(anchor, offset)
    return _power_law(f * value, error * np.abs(size), abs(tail.offset), power, 1)


def _power_law(f: _Array, error: _Array, offset: float, power: float, side: int) -> Quadrature:
    """int of A x^power from offset to inf (side 1) or from 0 to offset (side -1).

    f holds the integrand at offset and at offset/2; how badly they follow the power measures the
    error.
    """
    value = -side * float(f[0]) * offset / (power + 1)
    rounding = abs(float(error[0]) * offset / (power + 1))
    expected = float(f[1]) * 2.0**power
    mismatch = abs(expected - float(f[0])) * offset / abs(power + 1)
    if not math.isfinite(value):
        return NOTHING if float(f[0]) == 0 else Quadrature(0.0, math.inf, 0.0)
    exponent_rounding = EPS * (2 + 2 / abs(power + 1)) * abs(value)
    return Quadrature(value, rounding + 4 * mismatch + exponent_rounding, abs(value))


def _guarded(f: _Array, value: _Array, error: _Array) -> tuple[_Array, _Array]:
    """0 where f vanishes, also where the kernel overflows."""
    vanishes = f == 0
    return np.where(vanishes, 0.0, value), np.where(vanishes & ~np.isfinite(error), 0.0, error)


def _select(panels: Panels, which: NDArray[np.bool_]) -> Panels:
    return Panels(panels.anchor[which], panels.low[which], panels.high[which])


def _sum(parts: Sequence[Quadrature]) -> Quadrature:
    return Quadrature(
        math.fsum(p.value for p in parts),
        math.fsum(p.error for p in parts),
        math.fsum(p.size for p in parts),
    )
