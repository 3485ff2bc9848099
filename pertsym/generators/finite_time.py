"""The generator K(t) of any even order for a state that factorises at t = 0.

The auxiliaries start at 0 and relax to those of the slow subspace.  Their distance from there is
integrated, so that the step is never limited by stiff exponents, and at late times K(t) is as
accurate as the limit because K(t) - K(inf) -> 0.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.polynomial import legendre

from pertsym.generators.bloch_recursion import SlowSubspace
from pertsym.generators.collocation import Radau, combine
from pertsym.generators.fourth_order_transient import FourthOrderTransient
from pertsym.generators.system import Array
from pertsym.generators.transient import HierarchyTransient, S, Transient

_RADAU = Radau(9)
_SAFE = 0.1  # the tail of the expansion must be below this part of the tolerance to grow the step
_FASTEST_START = 1.0  # first step times the largest rate
_SHORTEST = 1e-6  # step times the largest rate below which rounding, not the step, is at fault
_COARSE = 1e-10  # a tolerance that needs no refinement of the linear algebra
_DONE = 0.1  # of the tolerance: what is left of a transient that is over


@dataclass(frozen=True, eq=False)
class Panel:
    """kappa on one interval of time as Legendre coefficients, (degree + 1, N^2, N^2) an order."""

    start: float
    end: float
    coefficients: MappingProxyType[int, Array]


@dataclass(frozen=True, eq=False)
class FiniteTime:
    """K_2(t), K_4(t), ... on 0 <= t <= `end`, and beyond if the transient is over.

    Attributes
    ----------
    limit
        The generators for t -> infinity.
    panels
        Consecutive intervals from t = 0.
    settled
        Whether K(t) = K(inf) within the tolerance after the last panel.
    """

    limit: MappingProxyType[int, Array]
    panels: tuple[Panel, ...]
    settled: bool

    @property
    def end(self) -> float:
        """Where the last panel ends."""
        return self.panels[-1].end

    def at(self, order: int, time: float) -> Array:
        """K of one order at one time, N^2 x N^2 over row-major vec."""
        return self._evaluate(self.limit[order], time, lambda panel: panel.coefficients[order])

    def total(self) -> Callable[[float], Array]:
        """The sum of all orders as a function of time."""
        limit: Array = np.sum(list(self.limit.values()), axis=0)
        sums = {
            panel.start: np.sum(list(panel.coefficients.values()), axis=0) for panel in self.panels
        }
        return lambda time: self._evaluate(limit, time, lambda panel: sums[panel.start])

    def _evaluate(self, limit: Array, time: float, coefficients: Callable[[Panel], Array]) -> Array:
        if time > self.end and not self.settled:
            raise ValueError(f"time: {time} lies beyond the last computed time {self.end}")
        if time >= self.end and self.settled:
            return limit
        index = min(bisect.bisect_right(self._ends, time), len(self.panels) - 1)
        panel = self.panels[index]
        x = 2 * (time - panel.start) / (panel.end - panel.start) - 1
        values = coefficients(panel)
        weights = legendre.legvander(np.array([x]), len(values) - 1)[0]
        kappa: Array = np.tensordot(weights, values, axes=1)
        return limit + kappa

    @cached_property
    def _ends(self) -> list[float]:
        return [panel.end for panel in self.panels]


def finite_time(
    slow: SlowSubspace, end: float, tolerance: float = 1e-12, joint: bool = False
) -> FiniteTime:
    """Integrate the transient of the generator up to `end`.

    Parameters
    ----------
    slow
        The long-time solution, which fixes system, baths and order.
    end
        The latest time that will be asked for, > 0.
    tolerance
        Of each order's K(t), relative to its largest element over all times so far.
    joint
        The tolerance is relative to the largest element of all orders: enough for their sum.

    Raises
    ------
    ArithmeticError
        If K(t) cannot be resolved to the tolerance.
    """
    refined = tolerance < _COARSE
    if max(slow.generators) == 4 and slow.hierarchy.modes:
        fourth = FourthOrderTransient(slow, _RADAU, refined)
        return integrate(fourth, slow, end, tolerance, joint)
    return integrate(HierarchyTransient(slow, _RADAU, refined), slow, end, tolerance, joint)


def integrate(
    transient: Transient[S], slow: SlowSubspace, end: float, tolerance: float, joint: bool = False
) -> FiniteTime:
    """K(t) from one way to step the auxiliaries; see `finite_time`.

    Raises
    ------
    ArithmeticError
        If K(t) cannot be resolved to the tolerance.
    """
    limit = MappingProxyType(dict(slow.generators))
    scales = {n: float(np.abs(k).max()) for n, k in limit.items()}
    roundings = {n: slow.rounding(n) for n in limit}
    kappas = {n: -k for n, k in limit.items()}  # K(0) = 0
    state = transient.start()
    panels: list[Panel] = []
    now, step = 0.0, _FASTEST_START / transient.fastest
    while now < end:
        step = min(step, end - now)
        moved, generators = transient.step(state, step)
        coefficients, tail, left = {}, 0.0, 0.0
        for n, values in generators.items():
            nodes = np.concatenate([kappas[n][None], values])
            series = combine(_RADAU.to_coefficients, nodes)
            scales[n] = max(scales[n], float(np.abs(values + limit[n]).max()))
            unit = (max(scales.values()) if joint else scales[n]) or 1.0
            last = float(np.abs(series[-2:]).max())
            tail = max(tail, max(last - roundings[n], 0.0) / unit)
            left = max(left, float(np.abs(nodes).max()) / unit)
            coefficients[n] = series
        if tail > tolerance:
            if step * transient.fastest < _SHORTEST:
                raise ArithmeticError(
                    f"K(t) cannot be resolved to {tolerance:.1g} at t = {now:.6g}: ask for less"
                )
            step *= max(0.2, 0.8 * (_SAFE * tolerance / tail) ** (1 / _RADAU.stages))
            continue
        finish = end if step == end - now else now + step
        panels.append(Panel(now, finish, MappingProxyType(coefficients)))
        state, kappas = moved, {n: values[-1] for n, values in generators.items()}
        now = finish
        if left <= _DONE * tolerance and transient.remaining(state) <= _DONE * tolerance:
            return FiniteTime(limit, tuple(panels), True)
        grown = 0.9 * (_SAFE * tolerance / max(tail, 1e-300)) ** (1 / _RADAU.stages)
        step *= min(4.0, max(0.5, grown))
    return FiniteTime(limit, tuple(panels), False)
