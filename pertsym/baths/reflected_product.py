"""Ĉ_A(w) X_B(s + r w), r = +-1, X = Ĉ or P, as an integrand; also less its value at a pole.

Where Ĉ_A has a kink at the pole p of a kernel 1/(w - p)^2, the integral diverges, and so does
P_A'(p) = FP int dw Ĉ_A/(w - p)^2.  What is finite is a sum of such terms in which P_A'(p) drops
out.  There every 1/(w - p)^2 loses chi(w)/(w - p)^2 times the value at p of what multiplies Ĉ_A,

    Y(w) = X_B(s + r w) - X_B(s + r p) chi(w),   chi = scale^2/[(w - p)^2 + scale^2],

with one scale for each bath A: the sum stays as it is, and each term converges.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from pertsym.baths.integrand import SMOOTH, Point
from pertsym.baths.jets import EPS, Jet
from pertsym.baths.thermal_spectrum import ThermalSpectrum

_CLOSE = 0.1  # of the distance over which X_B varies: there Y is the integral of its slope
_AVERAGE = np.polynomial.legendre.leggauss(10)


class Factor(Protocol):
    """The second function X_B: a `ThermalSpectrum`, a `TransformFunction` or `UNIT`."""

    @property
    def points(self) -> tuple[Point, ...]: ...
    @property
    def tails(self) -> tuple[float, float]: ...
    @property
    def extent(self) -> tuple[float, float]: ...
    @property
    def scale(self) -> float: ...
    def jet_at(self, w: Any, order: int, uncertainty: Any = 0.0) -> Jet:
        """The function at w, known to `uncertainty`."""
        ...


@dataclass(frozen=True)
class _Unit:
    """The constant 1."""

    points: tuple[Point, ...] = ()
    tails: tuple[float, float] = (0.0, 0.0)
    extent: tuple[float, float] = (-math.inf, math.inf)
    scale: float = math.inf

    def jet_at(self, w: Any, order: int, uncertainty: Any = 0.0) -> Jet:
        del uncertainty
        zeros = np.zeros(np.shape(w))
        return Jet((zeros + 1.0, *[zeros] * order), (zeros,) * (order + 1))


UNIT = _Unit()


@dataclass(frozen=True)
class ReflectedProduct:
    """An `Integrand` in double precision.

    Parameters
    ----------
    a, b
        Ĉ_A and X_B, of scalar parameters.
    shift, reflect
        s and r.
    orders
        (position, highest order) of the kernel's poles: smoothness beyond that is of no concern.
    pole
        The pole p at which the value is taken off; None: nowhere.
    """

    a: ThermalSpectrum
    b: Factor
    shift: float
    reflect: int
    orders: tuple[tuple[float, int], ...] = ()
    pole: float | None = None

    @property
    def support(self) -> tuple[float, float]:
        return self.a.support

    @cached_property
    def extent(self) -> tuple[float, float]:
        low, high = sorted(self._place(w) for w in self.b.extent)
        if self.pole is not None:
            low, high = -math.inf, math.inf  # chi does not decay exponentially
        return max(self.a.extent[0], low), min(self.a.extent[1], high)

    @cached_property
    def tails(self) -> tuple[float, float]:
        tails = self.b.tails if self.reflect > 0 else self.b.tails[::-1]
        low, high = (max(t, -2.0) for t in tails) if self.pole is not None else tails
        return self.a.tails[0] + low, self.a.tails[1] + high

    @cached_property
    def scale(self) -> float:
        return min(self.a.scale, self.b.scale)

    @cached_property
    def points(self) -> tuple[Point, ...]:
        mirrored = [p._replace(position=self._place(p.position)) for p in self.b.points]
        if self.pole is not None:  # Y does not vanish where X_B does
            mirrored = [p._replace(power=min(p.power, 0.0)) for p in mirrored]
        found: dict[float, Point] = {}
        for point in self.a.points:
            if point.position == self.pole and point.regularity < SMOOTH:
                # Y vanishes there like w - p
                regularity, power = point.regularity + 1, point.power + 1
                point = point._replace(regularity=regularity, power=power)
            found[point.position] = _least(found.get(point.position), point)
        for point in mirrored:
            other = found.get(point.position)
            found[point.position] = point if other is None else _coincident(point, other)
        highest = dict(self.orders)
        return tuple(
            p
            if p.regularity == SMOOTH or p.position not in highest
            else p._replace(regularity=min(p.regularity, float(highest[p.position])))
            for p in sorted(found.values())
        )

    def jet(self, anchor: Any, offset: Any, order: int) -> Jet:
        anchor, offset = np.asarray(anchor, dtype=float), np.asarray(offset, dtype=float)
        first = self.a.jet(anchor, offset, order)
        rest = self.shift + self.reflect * anchor
        w = rest + self.reflect * offset
        # the sum of shift and anchor is rounded unless one of them is 0 or they cancel
        inexact = np.where((rest == 0) | (anchor == 0), 0.0, EPS / 2 * np.abs(rest))
        moved = EPS * np.abs(offset) + inexact + np.where(rest == 0, 0.0, EPS / 2 * np.abs(w))
        second = self.b.jet_at(w, order, moved).reflected(self.reflect)
        if self.pole is not None:
            second = self._without_value(second, (anchor - self.pole) + offset, order)
        return first * second

    @cached_property
    def image(self) -> float:
        """s + r p."""
        assert self.pole is not None
        return self.shift + self.reflect * self.pole

    @cached_property
    def varies_over(self) -> float:
        """The distance from s + r p to the nearest place where X_B varies or is not analytic."""
        away = [
            math.hypot(p.position - self.image, 0.0 if math.isinf(p.width) else p.width)
            for p in self.b.points
        ]
        return min([self.a.scale, self.b.scale, *away])

    def _place(self, w: float) -> float:
        """Where the argument of X_B is w."""
        return self.reflect * (w - self.shift)

    @cached_property
    def _value(self) -> tuple[float, float]:
        value, error = self.b.jet_at(np.array([self.image]), 0).derivative(0)
        return float(np.ravel(value)[0]), float(np.ravel(error)[0])

    def _without_value(self, second: Jet, x: Any, order: int) -> Jet:
        """X_B - X_B(p) chi, at a distance x from the pole."""
        value, known = self._value
        square = (x / self.a.scale) ** 2
        lost = square / (1 + square)  # 1 - chi
        close = np.abs(x) < _CLOSE * self.varies_over
        constant, error = second.c[0] - value, (second.e or (0.0,))[0] + known
        if np.any(close):
            rise, bound = self._rise(np.where(close, x, 0.0))
            constant, error = np.where(close, rise, constant), np.where(close, bound, error)
        c, e = [constant + value * lost], [error + 4 * EPS * np.abs(value * lost) + known * lost]
        if order:
            slope = 2 * value * x / self.a.scale**2 / (1 + square) ** 2
            c.append(second.c[1] + slope)
            e.append((second.e or (0.0, 0.0))[1] + 8 * EPS * np.abs(slope))
        if order > 1:
            raise ValueError("a product with its value taken off is known to first derivatives")
        return Jet(tuple(c), tuple(e))

    def _rise(self, x: Any) -> tuple[Any, Any]:
        """X_B at a distance x from the pole less its value there, without cancellation."""
        nodes, weights = _AVERAGE
        at = self.image + self.reflect * x[..., None] * (1 + nodes) / 2
        slope, error = self.b.jet_at(at, 1).derivative(1)
        mean, bound = slope @ weights / 2, error @ weights / 2
        size = np.abs(slope) @ weights / 2
        return self.reflect * x * mean, np.abs(x) * (bound + 8 * EPS * size)


def _least(first: Point | None, second: Point) -> Point:
    if first is None:
        return second
    return min(first, second, key=lambda p: (p.regularity, p.width))


def _coincident(first: Point, second: Point) -> Point:
    """Two points at one place: powers add, the lowest non-analytic term is of either factor."""
    return Point(
        first.position,
        min(first.width, second.width),
        first.power + second.power,
        min(first.regularity + second.power, second.regularity + first.power),
        min(first.reach, second.reach),
    )
