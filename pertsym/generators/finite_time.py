"""The generator K(t) of any even order for a state that factorises at t = 0.

The auxiliaries are integrated from rest over intervals that are laid out beforehand: each is as
long as what has not decayed yet allows, so that stiff exponents never limit the late ones, and all
are solved at once.  Where the last terms of K(t)'s series are not small the rest is laid out anew.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np

from pertsym.generators.collocation import Layout, Radau, beyond, combine, value_at
from pertsym.generators.jumps import Jumps, hierarchy_of
from pertsym.generators.limit import Limit, rounding
from pertsym.generators.system import Array
from pertsym.generators.transient import (
    CorrelationEquations,
    Equations,
    Grid,
    HierarchyEquations,
    ProductEquations,
)

# for tolerances from the first number on; what the linear algebra loses without refinement, of
# K(t), or 0 with it
_METHODS = ((3e-7, Radau(15), 5e-8), (3e-9, Radau(12), 2e-9), (0.0, Radau(15), 0.0))
NODES = 15
"""The largest number of times at which all auxiliaries are kept at once."""
_BEYOND = 5  # what interpolation leaves, of the first term beyond the series
_LOST = 4  # rounding of the collocation over that of the limit
_SAFE = 0.3  # of the tolerance: what the layout aims at
_LAID_OUT = 64  # intervals at a time, at most
_TOGETHER = 6_000_000  # complex numbers at all nodes of what is solved at once
_MOST = 20_000  # intervals in all
_LEAST_MARGIN = 1e-4  # of the lengths laid out: below it rounding, not the length, is at fault


@dataclass(frozen=True, eq=False)
class Panel:
    """K(t) on one interval of time.

    Attributes
    ----------
    start, end
    coefficients
        Order -> Legendre coefficients on the interval, (degree + 1, N^2, N^2).
    error
        Order -> what rounding and the integration may leave in an element, the latter measured by
        the last terms of the series so far.
    """

    start: float
    end: float
    coefficients: MappingProxyType[int, Array]
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
        panel = self._panel(time)
        if panel is None:
            return self.limit[order]
        return value_at(panel.coefficients[order], panel.start, panel.end, time)

    def total(self, time: float) -> Array:
        """The sum of all orders at one time."""
        result: Array = np.sum([self.at(n, time) for n in self.limit], axis=0)
        return result

    def error(self, order: int, time: float) -> float:
        """What rounding and the integration leave in an element of K(t), baths taken as given."""
        panel = self._panel(time)
        return self.rounding[order] if panel is None else panel.error[order]

    def _panel(self, time: float) -> Panel | None:
        """Where a time belongs; None is the limit."""
        if time > self.end and not self.settled:
            raise ValueError(f"time: {time} lies beyond the last computed time {self.end}")
        if time >= self.end and self.settled:
            return None
        return self.panels[min(bisect.bisect_right(self._ends, time), len(self.panels) - 1)]

    @cached_property
    def _ends(self) -> list[float]:
        return [panel.end for panel in self.panels]


def finite_time(
    limit: Limit, end: float, tolerance: float = 1e-12, joint: bool = False
) -> FiniteTime:
    """Integrate the transient of the generator up to `end`.

    Parameters
    ----------
    limit
        The generators for t -> infinity, which fix system, baths and order.
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
    return integrate(equations_of(limit), limit, end, tolerance, joint)


def equations_of(limit: Limit) -> Equations:
    """The equations for all orders of a limit."""
    order = max(limit.generators)
    jumps = any(isinstance(each, Jumps) for each in limit.correlations)
    if order <= 4 and not jumps:
        return ProductEquations(limit.system, limit.correlations, order)
    return HierarchyEquations(hierarchy_of(limit.system, limit.modes, order // 2), order)


def integrate(
    equations: Equations,
    limit: Limit,
    end: float,
    tolerance: float,
    joint: bool = False,
) -> FiniteTime:
    """K(t) from equations; see `finite_time`.

    Raises
    ------
    ArithmeticError
        If K(t) cannot be resolved to the tolerance.
    """
    _, radau, unrefined = next(method for method in _METHODS if tolerance >= method[0])
    layout = Layout([equations.pace(radau.stages - 1, _SAFE * tolerance)])
    size = limit.system.dimension**4
    numbers = radau.stages * (equations.numbers + size)
    together = max(1, min(_LAID_OUT, _TOGETHER // numbers))
    found = _Found(limit, tolerance, joint, unrefined)
    state = equations.start()
    now, margin = 0.0, 1.0
    while now < end and not found.settled:
        edges = layout.edges(now, end, margin, together)
        grid = Grid(radau, np.array(edges), not unrefined)
        generators, ends = equations.over(grid, state)
        accepted, worst = found.add(grid, generators, layout)
        if accepted:
            now = edges[accepted]
            state = {name: x[accepted - 1] for name, x in ends.items()}
        if accepted < len(grid.lengths):
            margin *= min(0.8, 0.9 * (_SAFE / worst) ** (1 / radau.stages))
            if margin < _LEAST_MARGIN:
                raise ArithmeticError(
                    f"K(t) cannot be resolved to {tolerance:.1g} at t = {now:.6g}: ask for less"
                )
        elif worst < _SAFE:
            margin = min(2.0, margin * (_SAFE / max(worst, 1e-9)) ** (0.5 / radau.stages))
        if len(found.panels) > _MOST:
            raise ArithmeticError(
                f"K(t) needs more than {_MOST} intervals, the first ones up to t = {now:.6g}"
            )
    return FiniteTime(
        MappingProxyType(dict(limit.generators)),
        tuple(found.panels),
        found.settled,
        MappingProxyType({n: limit.rounding(n) for n in limit.generators}),
    )


def second_order_transient(
    equations: CorrelationEquations, end: float, tolerance: float
) -> FiniteTime:
    """K_2(t) up to `end`, which never settles.

    Raises
    ------
    ArithmeticError
        If it cannot be resolved to the tolerance.
    """
    size = equations.system.dimension**2
    limit = Limit(equations.system, (), {2: np.zeros((size, size), dtype=complex)})
    return integrate(equations, limit, end, tolerance)


class _Found:
    """The panels so far, and what is left of the transient."""

    def __init__(self, limit: Limit, tolerance: float, joint: bool, unrefined: float) -> None:
        self._limit, self._tolerance, self._joint = limit, tolerance, joint
        self._unrefined = unrefined
        self._rounding = {n: limit.rounding(n) for n in limit.generators}
        size = limit.system.dimension**2
        # at t = 0 only the mean of the noise acts
        zero = np.zeros((size, size), dtype=complex)
        self._before = {n: zero if n > 1 else k for n, k in limit.generators.items()}
        self._sizes = dict.fromkeys(limit.generators, 0.0)
        self._tails = dict.fromkeys(limit.generators, 0.0)
        self.panels: list[Panel] = []
        self.settled = False

    def add(self, grid: Grid, generators: Mapping[int, Array], layout: Layout) -> tuple[int, float]:
        """Take the intervals whose series have converged.

        Returns their number, and the largest tail over the tolerance: of the first that has not
        converged, else of all.
        """
        stages, worst = grid.radau.stages, 0.0
        for q, (start, end) in enumerate(zip(grid.edges[:-1], grid.edges[1:], strict=True)):
            part = slice(q * stages, (q + 1) * stages)
            nodes = {
                n: np.concatenate([self._before[n][None], k[part]]) for n, k in generators.items()
            }
            grown = {n: max(self._sizes[n], float(np.abs(k).max())) for n, k in nodes.items()}
            limit = self._limit
            lost = {
                n: _LOST * rounding(limit.system, limit.modes, grown, n, end)
                + self._unrefined * size
                for n, size in grown.items()
            }
            series = {n: combine(grid.radau.to_coefficients, k) for n, k in nodes.items()}
            unit = {
                n: (max(grown.values()) if self._joint else size) or 1.0
                for n, size in grown.items()
            }
            tails = {n: beyond(found, lost[n]) for n, found in series.items()}
            tail = max(tails[n] / unit[n] for n in tails) / self._tolerance
            if tail > 1:
                return q, tail
            worst = max(worst, tail)
            self._sizes = grown
            self._tails = {n: max(self._tails[n], _BEYOND * x) for n, x in tails.items()}
            self._before = {n: k[-1] for n, k in nodes.items()}
            self.panels.append(
                Panel(
                    float(start),
                    float(end),
                    MappingProxyType(series),
                    MappingProxyType({n: lost[n] + self._tails[n] for n in lost}),
                )
            )
            if layout.is_over(end) and self._is_at_limit(unit):
                self.settled = True
                return q + 1, worst
        return len(grid.lengths), worst

    def _is_at_limit(self, unit: Mapping[int, float]) -> bool:
        return all(
            float(np.abs(k - self._limit.generators[n]).max())
            <= self._tolerance * unit[n] + self._rounding[n]
            for n, k in self._before.items()
        )
