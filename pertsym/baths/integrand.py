"""What is integrated on panels: Ĉ_A(w) X(w), with X = 1, Ĉ_B(s + r w) or P_B(s + r w).

Also what is left of it where the value of X at a kink of Ĉ_A is taken off (see `integrals`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.jets import EPS, Jet
from pertsym.baths.piecewise_sampling import FAR, finest, merged
from pertsym.baths.thermal_spectrum import SMOOTH, Point, ThermalSpectrum

_Array = NDArray[np.float64]

LOGARITHM = 1e-6
"""w^k log|w| counts as w^(k - this)."""

_MILD = 1.0  # the lowest regularity of Ĉ at which P is continuous
_CLOSE = 0.1  # of the distance over which X_B varies: its rise is then the mean of its slope
_AVERAGE = np.polynomial.legendre.leggauss(10)


class Factor(Protocol):
    """X as a function of the argument of X_B, and where it is not analytic: Ĉ_B or `Transform`."""

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
                regularity -= LOGARITHM * float(regularity).is_integer()
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
            tuple(v.reshape(shape) / math.factorial(m) for m, (v, _) in enumerate(parts)),
            tuple(e.reshape(shape) / math.factorial(m) for m, (_, e) in enumerate(parts)),
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
            for k, (c, e) in enumerate(zip(second.c, second.e, strict=True))
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
            math.hypot(p.position - image, p.width if p.regularity == SMOOTH else 0.0)
            for p in self.factor.points
        ]
        close = np.abs(x) < _CLOSE * min([scale, self.factor.scale, *away])
        apart = np.where(close, 1.0, x)
        rise = (second.c[0] - value) / apart
        error = (second.e[0] + known + EPS * np.abs(second.c[0])) / np.abs(apart)
        if np.any(close):  # the mean of the slope
            nodes, weights = _AVERAGE
            at = image + self.reflect * x[close][:, None] * (1 + nodes) / 2
            slope, unsure = self.factor.jet(at, np.zeros_like(at), 1).derivative(1)
            rise[close] = self.reflect * (slope @ weights) / 2
            error[close] = (unsure + 8 * EPS * np.abs(slope)) @ weights / 2
        rest = self._lost(anchor, offset).scaled(value)
        return Jet((rise,), (error + known / scale,)) + rest
