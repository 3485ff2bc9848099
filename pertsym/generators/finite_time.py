"""The generator K(t) of any even order for a state that factorises at t = 0.

The auxiliaries are integrated from rest until they may be of the size of their limits, then their
distances from these.  So K(t) is accurate at every time relative to its own size, which an
exponent that is much slower than the time makes tiny beside K(inf); and at late times it is as
accurate as the limit, because K(t) - K(inf) -> 0.  Stiff exponents never limit the step.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.polynomial import legendre
from scipy.special import gammainc

from pertsym.generators.bloch_recursion import SlowSubspace
from pertsym.generators.collocation import Radau, combine
from pertsym.generators.fourth_order_transient import FourthOrderTransient
from pertsym.generators.system import Array
from pertsym.generators.transient import HierarchyTransient, S, Transient

_RADAU = Radau(9)
_FINE_RADAU = Radau(15)  # with the refined linear algebra that its eigenvectors need
_SAFE = 0.1  # the tail of the expansion must be below this part of the tolerance to grow the step
_FASTEST_START = 1.0  # first step times the largest rate
_SHORTEST = 1e-6  # step times the largest rate below which rounding, not the step, is at fault
_COARSE = 1e-10  # a tolerance that needs no refinement of the linear algebra
_DONE = 0.1  # of the tolerance: what is left of a transient that is over
_NEAR = 10.0  # sizes whose rounding differs by less: hardly a digit is lost
_EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Panel:
    """K(t) on one interval of time.

    Attributes
    ----------
    start, end
    coefficients
        Order -> Legendre coefficients on the interval, (degree + 1, N^2, N^2).
    rounding, error
        Order -> what rounding alone, and rounding and the tolerance may leave in an element.
    """

    start: float
    end: float
    coefficients: MappingProxyType[int, Array]
    rounding: MappingProxyType[int, float]
    error: MappingProxyType[int, float]


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
    rounding
        Order -> what rounding may leave in an element of the limit.
    """

    limit: MappingProxyType[int, Array]
    panels: tuple[Panel, ...]
    settled: bool
    rounding: MappingProxyType[int, float]

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

    def error(self, order: int, time: float) -> float:
        """What rounding and the tolerance may leave in an element of K(t), baths taken as given."""
        panel = self._panel(time)
        return self.rounding[order] if panel is None else panel.error[order]

    def _panel(self, time: float) -> Panel | None:
        """Where a time belongs; None is the limit."""
        if time > self.end and not self.settled:
            raise ValueError(f"time: {time} lies beyond the last computed time {self.end}")
        if time >= self.end and self.settled:
            return None
        return self.panels[min(bisect.bisect_right(self._ends, time), len(self.panels) - 1)]

    def _evaluate(self, limit: Array, time: float, coefficients: Callable[[Panel], Array]) -> Array:
        panel = self._panel(time)
        if panel is None:
            return limit
        x = 2 * (time - panel.start) / (panel.end - panel.start) - 1
        values = coefficients(panel)
        weights = legendre.legvander(np.array([x]), len(values) - 1)[0]
        result: Array = np.tensordot(weights, values, axes=1)
        return result

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
    radau = _FINE_RADAU if refined else _RADAU
    if max(slow.generators) == 4 and slow.hierarchy.modes:
        fourth = FourthOrderTransient(slow, radau, refined)
        return integrate(fourth, slow, end, tolerance, joint)
    return integrate(HierarchyTransient(slow, radau, refined), slow, end, tolerance, joint)


def integrate(
    transient: Transient[S], slow: SlowSubspace, end: float, tolerance: float, joint: bool = False
) -> FiniteTime:
    """K(t) from one way to step the auxiliaries; see `finite_time`.

    Raises
    ------
    ArithmeticError
        If K(t) cannot be resolved to the tolerance.
    """
    radau, fastest = transient.radau, transient.fastest
    limit = MappingProxyType(dict(slow.generators))
    last_rounding = MappingProxyType({n: slow.rounding(n) for n in limit})
    sizes = dict.fromkeys(limit, 0.0)  # the largest element so far
    before = {n: np.zeros_like(k) for n, k in limit.items()}  # K, or K - K(inf), at `now`
    state, settling = transient.start(), False
    panels: list[Panel] = []
    now, step = 0.0, _FASTEST_START / fastest
    while now < end:
        step = min(step, end - now)
        finish = end if step == end - now else now + step
        moved, generators = transient.step(state, step, settling)
        nodes = {n: np.concatenate([before[n][None], k]) for n, k in generators.items()}
        wholes = {n: k + limit[n] if settling else k for n, k in nodes.items()}
        grown = {n: max(sizes[n], float(np.abs(k).max())) for n, k in wholes.items()}
        rounding = last_rounding if settling else _rounding_at(slow, grown, finish)
        series = {n: combine(radau.to_coefficients, k) for n, k in nodes.items()}
        largest = max(grown.values())
        unit = {n: (largest if joint else size) or 1.0 for n, size in grown.items()}
        tail = max(
            max(float(np.abs(found[-2:]).max()) - rounding[n], 0.0) / unit[n]
            for n, found in series.items()
        )
        if tail > tolerance:
            if step * fastest < _SHORTEST:
                raise ArithmeticError(
                    f"K(t) cannot be resolved to {tolerance:.1g} at t = {now:.6g}: ask for less"
                )
            step *= max(0.2, 0.8 * (_SAFE * tolerance / tail) ** (1 / radau.stages))
            continue
        if settling:
            for n, found in series.items():
                found[0] += limit[n]
        error = {n: rounding[n] + tolerance * size for n, size in unit.items()}
        panels.append(
            Panel(
                now,
                finish,
                MappingProxyType(series),
                MappingProxyType(dict(rounding)),
                MappingProxyType(error),
            )
        )
        state, now, sizes = moved, finish, grown
        before = {n: values[-1] for n, values in generators.items()}
        if not settling and all(last_rounding[n] <= _NEAR * rounding[n] for n in limit):
            state, settling = transient.distance(state), True
            before = {n: k - limit[n] for n, k in before.items()}
        elif settling:
            left = max(float(np.abs(k).max()) / unit[n] for n, k in nodes.items())
            if max(left, transient.remaining(state)) <= _DONE * tolerance:
                return FiniteTime(limit, tuple(panels), True, last_rounding)
        longer = 0.9 * (_SAFE * tolerance / max(tail, 1e-300)) ** (1 / radau.stages)
        step *= min(4.0, max(0.5, longer))
    return FiniteTime(limit, tuple(panels), False, last_rounding)


def _rounding_at(slow: SlowSubspace, sizes: Mapping[int, float], time: float) -> dict[int, float]:
    """`SlowSubspace.rounding` at a time, by the sizes so far and g = S^2 int_0^t ds s |C(s)|."""
    operators = slow.hierarchy.system.operators
    strength = sum(
        np.abs(operators[mode.later]).max()
        * np.abs(operators[mode.earlier]).max()
        * max(abs(mode.left), abs(mode.right))
        * float(gammainc(2.0, mode.rate.real * time))
        / mode.rate.real**2
        for mode in slow.hierarchy.modes
    )
    return {
        n: 16 * _EPS * max(sizes[2] * float(strength) ** (n // 2 - 1), size)
        for n, size in sizes.items()
    }
