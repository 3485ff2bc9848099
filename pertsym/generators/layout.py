"""Intervals of time on which K(t) is a short Legendre series, laid out before it is known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pertsym.generators.system import Array, Mode, System

_SETTLED = 0.1  # of the tolerance: what is left of an exponent that is over


class Pace(Protocol):
    """How fast a part of K(t) varies."""

    def length(self, time: float) -> float:
        """How long an interval that begins at a time may be."""

    def is_over(self, time: float) -> bool:
        """Whether nothing changes after a time."""


@dataclass(frozen=True)
class Layout:
    """Intervals that serve several parts of K(t) at once."""

    paces: Sequence[Pace]

    def edges(self, start: float, end: float, margin: float, most: int) -> list[float]:
        """Where the next intervals begin and end: so many, to `end`, or until all is over."""
        edges = [start]
        while len(edges) <= most and edges[-1] < end:
            last = edges[-1]
            if len(edges) > 1 and self.is_over(last):
                break
            length = margin * self.length(last)
            edges.append(end if 1.001 * length >= end - last else last + length)
        return edges

    def length(self, time: float) -> float:
        """How long an interval that begins at a time may be."""
        return min((pace.length(time) for pace in self.paces), default=math.inf)

    def is_over(self, time: float) -> bool:
        """Whether nothing changes after a time."""
        return all(pace.is_over(time) for pace in self.paces)


class ExponentialPace:
    """That of exponents nu beside Bohr frequencies w.

    Their part of K(t) varies as e^{-zt} with |z| <= |nu| + |w|: its Legendre coefficients on an
    interval of length h are about (|z| h/2)^n/(2n - 1)!!, times e^{-Re nu t} of its size c/z
    beside that of K so far.

    Parameters
    ----------
    system, modes
    power
        n of the first coefficient that must be small.
    tolerance
        What it must be, of the size of K.
    """

    def __init__(self, system: System, modes: Sequence[Mode], power: int, tolerance: float) -> None:
        largest = {name: float(np.abs(x).max(initial=0.0)) for name, x in system.operators.items()}
        kept = [
            mode for mode in modes if mode.left and largest[mode.later] and largest[mode.earlier]
        ]
        self._rates = np.array([mode.rate for mode in kept])
        self._weights = np.array(
            [mode.left * largest[mode.later] * largest[mode.earlier] for mode in kept]
        )
        pairs = [(mode.later, mode.earlier) for mode in kept]
        self._pairs = [np.array([p == pair for p in pairs]) for pair in dict.fromkeys(pairs)]
        fast, spread = np.abs(self._rates), float(np.abs(system.gaps).max(initial=0.0))
        self._speeds = np.concatenate([fast, fast + spread])
        self._sizes = np.concatenate([np.abs(self._weights)] * 2) / self._speeds
        self._decays = np.concatenate([self._rates.real] * 2)
        self._power, self._tolerance = power, tolerance
        self._allowed = tolerance * double_factorial(power)
        self._known = (0.0, 0.0)

    def length(self, time: float) -> float:
        """How long an interval that begins at a time may be."""
        if not len(self._rates):
            return math.inf
        # e^{Re nu t} may overflow: long before, the exponent does not matter
        free = np.exp(np.minimum(self._decays * (time / self._power), 600.0)) / self._speeds
        length = 0.0 if time else float(1 / self._speeds.max())
        for _ in range(1 if time else 4):
            ratio = self._allowed * self._size(time + length) / self._sizes
            length = float(2 * (ratio ** (1 / self._power) * free).min())
        return length

    def is_over(self, time: float) -> bool:
        """Whether every exponent has decayed."""
        left = self._sizes * np.exp(-self._decays * time)
        return bool(left.max(initial=0.0) <= _SETTLED * self._tolerance * self._size(time))

    def _size(self, time: float) -> float:
        """The largest that int_0^t C has been: at the times it was asked for, in their order."""
        before, largest = self._known
        integral: Array = -np.expm1(-self._rates * time) / self._rates * self._weights
        now = max((float(abs(integral[pair].sum())) for pair in self._pairs), default=0.0)
        largest = max(now, 1e-300) if time < before or not before else max(largest, now)
        self._known = time, largest
        return largest


@dataclass(frozen=True)
class AnalyticPace:
    """That of int_0^t C(s) e^{-iws} ds with C analytic beside the real axis, never over.

    Attributes
    ----------
    strip
        The distance of C's singularities from t = 0.
    spread
        The largest |w|.
    power, tolerance
        As for `ExponentialPace`.
    """

    strip: float
    spread: float
    power: int
    tolerance: float

    def length(self, time: float) -> float:
        """How long an interval that begins at a time may be."""
        # coefficients fall as rho^-n with rho the sum of the half-axes of the largest ellipse
        rho = self.tolerance ** (-1 / self.power)
        analytic = 4 * math.hypot(time, self.strip) / (rho - 1 / rho)
        if not self.spread:
            return float(analytic)
        odd = self.tolerance * double_factorial(self.power)
        periodic = 2 * odd ** (1 / self.power) / self.spread
        return float(1 / (1 / analytic + 1 / periodic))

    def is_over(self, time: float) -> bool:
        """An algebraic tail never is."""
        return False


def double_factorial(power: int) -> float:
    """(2n - 1)!!."""
    return float(np.prod(np.arange(1, 2 * power, 2, dtype=float)))
