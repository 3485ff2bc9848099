"""Finite parts at any precision: tanh-sinh quadrature, poles passed through the upper half-plane.

For real f analytic around a pole a, the Hadamard finite part is the real part of the integral on
a path that leaves the axis near a, for every order of the pole.  Only where a pole sits on an
edge of a piecewise function is it done on the axis, by partial integration and folding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import mpmath

from pertsym.baths.integrand import Kernel, Point, Pole

_GUARD = 15
_MOST_LOST = 60
_LARGEST_DEGREE = 13


class IntegrandMp(Protocol):
    """The function f at any precision, with the same description as `Integrand`."""

    @property
    def points(self) -> tuple[Point, ...]: ...
    @property
    def support(self) -> tuple[float, float]: ...
    @property
    def tails(self) -> tuple[float, float]: ...
    @property
    def scale(self) -> float: ...

    def value_mp(self, anchor: Any, offset: Any, reference: float) -> Any:
        """f(anchor + offset), continued from the analytic piece that holds the real reference."""
        ...

    def derivatives_mp(self, anchor: Any, offset: Any, order: int) -> Sequence[Any]:
        """f, f', ... up to an order at a real point."""
        ...


class _Part(NamedTuple):
    """One piece of the integral with the quadrature's own estimate of its error."""

    value: Any
    error: Any


class _Cut(NamedTuple):
    """An end of integration intervals; the power is that of the left and right neighbourhood."""

    position: Any
    power: float


def finite_part_mp(integrand: IntegrandMp, poles: Sequence[Pole], digits: int) -> Any:
    """FP int dw f(w) sum_j c_j/(w - a_j)^n_j as an mpf, to so many digits.

    The working precision grows with the cancellation between the parts; a result that is 0 comes
    out as a number 60 digits below its largest part.

    Raises
    ------
    ArithmeticError
        If the quadrature does not converge.
    """
    extra = 0
    while True:
        with mpmath.workdps(digits + extra + _GUARD):
            parts = _parts(integrand, tuple(poles))
            total = mpmath.fsum(part.value for part in parts)
            error = mpmath.fsum(part.error for part in parts)
            size = max((abs(part.value) for part in parts), default=mpmath.mpf(0))
            goal = mpmath.mpf(10) ** -digits
            if error > size * goal:
                raise ArithmeticError(
                    f"a quadrature did not converge to {digits} digits; ask for fewer digits"
                )
            lost = int(mpmath.log10(size / abs(total))) if total else _MOST_LOST
            if (error <= abs(total) * goal and lost <= extra + _GUARD - 5) or extra >= _MOST_LOST:
                break
            extra = min(lost + 5, _MOST_LOST)
    with mpmath.workdps(digits):
        return +total


def _parts(integrand: IntegrandMp, poles: tuple[Pole, ...]) -> list[_Part]:
    low, high = integrand.support
    inside = sorted({p.position for p in poles if low <= p.position <= high})
    zero_order = Kernel(poles).zero_order
    cuts = {
        p.position: _power(p, zero_order if p.position == 0 else 0)
        for p in integrand.points
        if low <= p.position <= high
    }
    if not cuts:
        cuts[0.0 if math.isinf(low) else low] = 0.0
    parts: list[_Part] = []
    marks: list[tuple[float, Any, list[Pole]]] = []
    for a in inside:
        radius = _radius(a, integrand, inside)
        here = [p for p in poles if p.position == a]
        others = [p for p in poles if p.position != a]
        if a in cuts and _is_singular(a, integrand):
            parts += _folded(integrand, a, radius, here)
            marks.append((a, radius, others))
        else:
            cuts.pop(a, None)
            parts.append(_detour(integrand, a, radius, poles))
            marks.append((a, radius, []))
    for a, radius, others in marks:
        if others:
            parts += _interval(integrand, _Cut(a, 0.0), -radius, others)
            parts += _interval(integrand, _Cut(a, 0.0), radius, others)
    ends = [
        _Cut(w, power) for w, power in cuts.items() if all(abs(w - a) >= r for a, r, _ in marks)
    ]
    parts += _on_axis(integrand, ends, marks, poles)
    return parts


def _on_axis(
    integrand: IntegrandMp, cuts: list[_Cut], marks: list[Any], poles: Sequence[Pole]
) -> list[_Part]:
    """All stretches of the axis between cuts and windows, each half anchored at its end."""
    ends: list[tuple[Any, float, bool, bool]] = [
        (mpmath.mpf(c.position), c.power, True, True) for c in cuts
    ]
    for a, r, _ in marks:
        ends += [(mpmath.mpf(a) - r, 0.0, True, False), (mpmath.mpf(a) + r, 0.0, False, True)]
    ends.sort(key=lambda end: end[0])
    low, high = integrand.support
    parts: list[_Part] = []
    if math.isinf(low):
        parts += _tail(integrand, ends[0][0], ends[0][1], -1, poles)
    if math.isinf(high):
        parts += _tail(integrand, ends[-1][0], ends[-1][1], 1, poles)
    for left, right in pairwise(ends):
        if left[3] and right[2] and right[0] > left[0]:
            half = (right[0] - left[0]) / 2
            parts += _interval(integrand, _Cut(left[0], left[1]), half, poles)
            parts += _interval(integrand, _Cut(right[0], right[1]), -half, poles)
    return parts


def _interval(integrand: IntegrandMp, cut: _Cut, length: Any, poles: Sequence[Pole]) -> list[_Part]:
    """int over [cut, cut + length], length of either sign, with the branch power mapped away."""
    anchor, stretch = mpmath.mpf(cut.position), mpmath.mpf(length)
    exponent = 1 / (1 + mpmath.mpf(cut.power)) if cut.power < 0 else mpmath.mpf(1)
    reference = float(anchor + stretch / 2)

    def function(v: Any) -> Any:
        if v == 0:
            return mpmath.mpf(0)
        offset = stretch * v**exponent
        jacobian = abs(stretch) * exponent * v ** (exponent - 1)
        f = integrand.value_mp(anchor, offset, reference)
        return mpmath.re(f) * _kernel(poles, anchor, offset) * jacobian

    return [_quad(function)]


def _tail(
    integrand: IntegrandMp, end: Any, power: float, side: int, poles: Sequence[Pole]
) -> list[_Part]:
    """From the outermost end to infinity: near part, then w = 1/v^k with the power mapped away."""
    reach = mpmath.mpf(max(integrand.scale, abs(float(end)) / 2))
    near = _interval(integrand, _Cut(end, power), side * reach, poles)
    tail_power = integrand.tails[0 if side < 0 else 1] - min(p.order for p in poles)
    exponent = mpmath.mpf(1)
    if math.isfinite(tail_power) and tail_power > -2:
        exponent = 1 / (-mpmath.mpf(tail_power) - 1)
    reference = float(end + side * 2 * reach)

    def function(v: Any) -> Any:
        if v == 0:
            return mpmath.mpf(0)
        stretch = v**-exponent
        offset = side * reach * stretch
        jacobian = reach * exponent * stretch / v
        f = integrand.value_mp(end, offset, reference)
        return mpmath.re(f) * _kernel(poles, end, offset) * jacobian

    return [*near, _quad(function)]


def _detour(integrand: IntegrandMp, a: float, radius: Any, poles: Sequence[Pole]) -> _Part:
    """Real part of the integral along the upper semicircle from a - radius to a + radius."""
    anchor = mpmath.mpf(a)

    def function(v: Any) -> Any:
        offset = radius * mpmath.expjpi(1 - v)
        f = integrand.value_mp(anchor, offset, a)
        step = -1j * mpmath.pi * offset
        return mpmath.re(f * _kernel(poles, anchor, offset) * step)

    return _quad(function)


def _folded(integrand: IntegrandMp, a: float, radius: Any, poles: Sequence[Pole]) -> list[_Part]:
    """The window around a pole on an edge: partial integration to order one, then folding."""
    anchor, top = mpmath.mpf(a), max(p.order for p in poles) - 1
    boundary = mpmath.mpf(0)
    for side in (1, -1):
        f = integrand.derivatives_mp(anchor, side * radius, top)
        for p in poles:
            for i in range(p.order - 1):
                weight = mpmath.mpf(p.coefficient) * mpmath.factorial(p.order - 2 - i)
                weight /= mpmath.factorial(p.order - 1)
                boundary -= side * weight * f[i] / (side * radius) ** (p.order - 1 - i)

    def function(v: Any) -> Any:
        if v == 0:
            return mpmath.mpf(0)
        u = radius * v
        above = integrand.derivatives_mp(anchor, u, top)
        below = integrand.derivatives_mp(anchor, -u, top)
        return (
            mpmath.fsum(
                mpmath.mpf(p.coefficient)
                / mpmath.factorial(p.order - 1)
                * (above[p.order - 1] - below[p.order - 1])
                for p in poles
            )
            / v
        )

    return [_Part(boundary, mpmath.mpf(0)), _quad(function)]


def _quad(function: Callable[[Any], Any]) -> _Part:
    """int_0^1 by tanh-sinh; the degree is raised until the working precision is reached."""
    value, error = mpmath.quad(function, [0, 1], maxdegree=_LARGEST_DEGREE, error=True)
    return _Part(value, error)


def _kernel(poles: Sequence[Pole], anchor: Any, offset: Any) -> Any:
    total: Any = mpmath.mpf(0)
    zero_order = Kernel(tuple(poles)).zero_order if len(poles) > 1 else 0
    if zero_order:
        w, nearest = anchor + offset, min(abs(pole.position) for pole in poles)
        if abs(w) < mpmath.mpf(nearest) / 16:
            return _kernel_series(poles, w, zero_order)
    for coefficient, position, order in poles:
        total += coefficient / ((anchor - mpmath.mpf(position)) + offset) ** order
    return total


def _kernel_series(poles: Sequence[Pole], w: Any, zero_order: int) -> Any:
    """Taylor series at 0 of a kernel whose first coefficients cancel; 16^-i or faster."""
    total: Any = mpmath.mpf(0)
    for i in range(zero_order, zero_order + int(mpmath.mp.dps) + 5):
        coefficient = mpmath.fsum(
            mpmath.mpf(c) * (-1) ** n * mpmath.binomial(n + i - 1, i) * mpmath.mpf(a) ** -(n + i)
            for c, a, n in poles
        )
        total += coefficient * w**i
    return total


def _power(point: Point, raised: int) -> float:
    return min(point.power + raised, 0.0) if point.width == 0 else 0.0


def _is_singular(a: float, integrand: IntegrandMp) -> bool:
    return any(p.position == a and p.regularity < math.inf for p in integrand.points)


def _radius(a: float, integrand: IntegrandMp, poles: Sequence[float]) -> Any:
    """Half the distance to the nearest singularity or pole that the detour must not enclose."""
    distances = [abs(a - b) for b in poles if b != a]
    for point in integrand.points:
        away = abs(point.position - a)
        if point.regularity < math.inf:
            distances += [away] if away else []
        else:
            distances.append(math.hypot(away, point.width))
    return mpmath.mpf(min([integrand.scale, *distances])) / 2
