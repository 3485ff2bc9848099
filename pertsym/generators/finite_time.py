"""The generator K(t) of any even order for a state that factorises at t = 0.

The auxiliaries Y_m^(k)(t) start at 0 and relax to those of the slow subspace.  What is
integrated is their distance y from there,

    dy_m/dt = -(sum nu + i w_ab - i w_cd) y_m + from above(y) + from below(y)
              - sum_l { y_m^(k-l) K^(l)(inf) + [Y_m^(k-l)(inf) + y_m^(k-l)] kappa^(l) },

with kappa = K(t) - K(inf): each order is linear with a known source, so the step is never limited
by stiff exponents, and at late times K(t) is as accurate as the limit because kappa -> 0.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.polynomial import legendre

from pertsym.generators.bloch_recursion import Place, SlowSubspace, places
from pertsym.generators.collocation import Radau
from pertsym.generators.system import Array, as_matrix

_RADAU = Radau(9)
_SAFE = 0.1  # the tail of the expansion must be below this part of the tolerance to grow the step
_FASTEST_START = 0.05  # first step times the largest rate
_SHORTEST = 1e-6  # step times the largest rate below which rounding, not the step, is at fault
_COARSE = 1e-10  # a tolerance that needs no refinement of the linear algebra
_DONE = 1e-3  # of the tolerance, relative to each auxiliary's limit: the transient is over


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


def finite_time(slow: SlowSubspace, end: float, tolerance: float = 1e-12) -> FiniteTime:
    """Integrate the transient of the generator up to `end`.

    Parameters
    ----------
    slow
        The long-time solution, which fixes system, baths and order.
    end
        The latest time that will be asked for, > 0.
    tolerance
        Of each order's K(t), relative to its largest element over all times so far.
    """
    transient = _Transient(slow, refined=tolerance < _COARSE)
    order = max(slow.generators)
    state = {place: -slow.slaved[place] for place in places(order)}
    scales = {n: float(np.abs(k).max()) for n, k in slow.generators.items()}
    roundings = {n: slow.rounding(n) for n in slow.generators}
    kappas = {n: -k for n, k in slow.generators.items()}  # K(0) = 0
    floor = {place: _DONE * tolerance * np.abs(y).max() for place, y in state.items()}
    panels: list[Panel] = []
    now, step = 0.0, _FASTEST_START / transient.fastest
    while now < end:
        step = min(step, end - now)
        moved, generators = transient.step(state, step)
        coefficients, tail = {}, 0.0
        for n, values in generators.items():
            nodes = np.concatenate([kappas[n][None], values])
            series: Array = np.tensordot(_RADAU.to_coefficients, nodes, axes=1)
            scales[n] = max(scales[n], float(np.abs(values + slow.generators[n]).max()))
            last: Array = np.abs(series[-2:])
            tail = max(tail, max(float(last.max()) - roundings[n], 0.0) / (scales[n] or 1.0))
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
        if all(np.abs(y).max() <= floor[place] for place, y in state.items()):
            return FiniteTime(MappingProxyType(dict(slow.generators)), tuple(panels), True)
        grown = 0.9 * (_SAFE * tolerance / max(tail, 1e-300)) ** (1 / _RADAU.stages)
        step *= min(2.5, max(0.5, grown))
    return FiniteTime(MappingProxyType(dict(slow.generators)), tuple(panels), False)


class _Transient:
    """One step of the distance from the slow subspace, order after order."""

    def __init__(self, slow: SlowSubspace, refined: bool) -> None:
        self._slow, self._refined = slow, refined
        self._places = tuple(places(max(slow.generators)))
        self._rates = {
            level: slow.hierarchy.denominators(level)
            for level in sorted({level for level, _ in self._places})
        }

    @property
    def fastest(self) -> float:
        return max(float(np.abs(rates).max()) for rates in self._rates.values())

    def step(
        self, start: dict[Place, Array], length: float
    ) -> tuple[dict[Place, Array], dict[int, Array]]:
        """The distances at the end, and kappa of each order at the nodes (p, N^2, N^2)."""
        hierarchy, slaved = self._slow.hierarchy, self._slow.slaved
        distances: dict[Place, Array] = {}
        kappas: dict[int, Array] = {}
        for level, k in self._places:
            initial = start[level, k]
            shape = (_RADAU.stages, *initial.shape)
            source = np.zeros(shape, dtype=initial.dtype)
            if (above := distances.get((level + 1, k - 1))) is not None:
                source += hierarchy.from_above(level, above)
            if (below := distances.get((level - 1, k - 1))) is not None:
                source += hierarchy.from_below(level, below)
            for lower, kappa in kappas.items():
                place = (level, k - lower)
                if place not in slaved:
                    continue
                full = as_matrix(slaved[place]) @ kappa[:, None]
                if (y := distances.get(place)) is not None:
                    full = full + as_matrix(y) @ (self._slow.generators[lower] + kappa)[:, None]
                source -= full.reshape(shape)
            solution = _RADAU.solve(length, self._rates[level], initial, source, self._refined)
            distances[level, k] = solution
            if level == 1:
                kappas[k + 1] = as_matrix(hierarchy.from_above(0, solution)[:, 0])
        return {place: y[-1] for place, y in distances.items()}, kappas
