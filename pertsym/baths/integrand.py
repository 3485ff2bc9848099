"""What the finite-part integrator needs to know about the function it integrates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Protocol

import numpy as np

from pertsym.baths.jets import Jet

SMOOTH = math.inf
"""Regularity of a point at which the function is analytic."""


class Point(NamedTuple):
    """A place that the mesh must respect.

    Attributes
    ----------
    position : float
    width : float
        0: a branch point, f ~ |w - position|^power on the sides where f does not vanish.
        > 0: the function is smooth up to the point on each side, on this scale.
    power : float
        > -1; only used where width = 0.
    regularity : float
        Order of the first derivative that is not continuous (a fraction if it diverges);
        `SMOOTH` if there is none.
    reach : float
        Distance over which the local behaviour holds.
    """

    position: float
    width: float
    power: float
    regularity: float
    reach: float


class Integrand(Protocol):
    """A real function of w, piecewise analytic.

    Attributes
    ----------
    points : tuple of Point
        Kinks, branch points, resonances; at least one.
    support : (float, float)
        The function is exactly 0 outside; both may be infinite.
    extent : (float, float)
        Where an exponential decay has underflowed on either side; infinite if it is algebraic.
    tails : (float, float)
        p of f ~ |w|^p at -inf and inf; -inf for faster decay.
    scale : float
        Distance over which f varies away from all points.
    """

    @property
    def points(self) -> tuple[Point, ...]: ...
    @property
    def support(self) -> tuple[float, float]: ...
    @property
    def extent(self) -> tuple[float, float]: ...
    @property
    def tails(self) -> tuple[float, float]: ...
    @property
    def scale(self) -> float: ...

    def jet(self, anchor: Any, offset: Any, order: int) -> Jet:
        """The function at w = anchor + offset, a sum that need not be representable."""
        ...


class Pole(NamedTuple):
    """coefficient/(w - position)^order."""

    coefficient: float
    position: float
    order: int


@dataclass(frozen=True)
class Kernel:
    """A sum of poles, evaluated at anchor + offset without losing the distance to a pole.

    Near w = 0 the Taylor series is used, so that a kernel that vanishes there (to rounding of
    its coefficients) vanishes as the power it should.
    """

    poles: tuple[Pole, ...]

    _TERMS = 20
    _NEAR = 0.1
    _CANCELLED = 8 * float(np.finfo(float).eps)

    def at(self, anchor: Any, offset: Any) -> tuple[Any, Any]:
        """The kernel and the sum of the magnitudes of its terms."""
        value: Any = 0.0
        size: Any = 0.0
        for coefficient, position, order in self.poles:
            term = coefficient / ((anchor - position) + offset) ** order
            value, size = value + term, size + abs(term)
        if self.zero_order:
            nearest = min(abs(pole.position) for pole in self.poles)
            w = anchor + offset
            near = np.abs(w) < self._NEAR * nearest
            if np.any(near):
                series, bound = self._near_zero(np.where(near, w, 0.0))
                value, size = np.where(near, series, value), np.where(near, bound, size)
        return value, size

    @cached_property
    def zero_order(self) -> int:
        """Order of the zero of the kernel at w = 0 (0 if it does not vanish, or has a pole)."""
        if len(self.poles) < 2 or any(pole.position == 0 for pole in self.poles):
            return 0
        for i in range(self._TERMS):
            if self._coefficient(i)[0] != 0:
                return i
        return self._TERMS

    @cached_property
    def decay_order(self) -> int:
        """n of the kernel ~ w^-n at large w."""
        for n in range(1, self._TERMS):
            total, size = 0.0, 0.0
            for coefficient, position, order in self.poles:
                if n >= order:
                    term = coefficient * math.comb(n - 1, order - 1) * position ** (n - order)
                    total, size = total + term, size + abs(term)
            if abs(total) > self._CANCELLED * size:
                return n
        return self._TERMS

    def _coefficient(self, i: int) -> tuple[float, float]:
        """Coefficient of w^i (0 if it cancels to rounding) and the sum of magnitudes."""
        total, size = 0.0, 0.0
        for coefficient, position, order in self.poles:
            term = coefficient * (-1) ** order * math.comb(order + i - 1, i)
            term *= position ** -float(order + i)
            total, size = total + term, size + abs(term)
        return (0.0 if abs(total) <= self._CANCELLED * size else total), size

    def _near_zero(self, w: Any) -> tuple[Any, Any]:
        value: Any = 0.0
        bound: Any = 0.0
        for i in reversed(range(self._TERMS)):
            coefficient, size = self._coefficient(i)
            value = value * w + coefficient
            bound = bound * np.abs(w) + (size if coefficient else 0.0)
        return value, bound
