"""The auxiliaries of the hierarchy as functions of time, to any order.

They start from rest.  Order by order

    dX_m/dt = -(sum nu + i w_ab - i w_cd) X_m + from above(X) + from below(X)
              - sum_l X_m^(k-l) K^(l)(t)

is linear with a known source, which is solved on many intervals of time at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pertsym.generators.collocation import Radau
from pertsym.generators.hierarchy import Hierarchy, Place
from pertsym.generators.layout import ExponentialPace, Pace
from pertsym.generators.system import Array, as_matrix

State = Mapping[Any, Array]
"""Name of a set of auxiliaries -> what they are at one time."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Consecutive intervals of time with the nodes of a method on each.

    Attributes
    ----------
    radau
    edges : (Q + 1,)
        Ascending.
    refined
        Whether to give back the digits that the collocation's eigenvectors lose.
    """

    radau: Radau
    edges: Array
    refined: bool

    @property
    def lengths(self) -> Array:
        """The length of each interval."""
        return np.diff(self.edges)

    @property
    def times(self) -> Array:
        """All nodes, shape (Q p,)."""
        result: Array = self.edges[:-1, None] + self.lengths[:, None] * self.radau.nodes
        return result.reshape(-1)

    def solve(self, rates: Array, start: Array, source: Array) -> Array:
        """The solution of dy/dt = -rates y + source at all nodes, (Q p, ...) as the source."""
        shape = (len(self.lengths), self.radau.stages, *source.shape[1:])
        solution = self.radau.over(self.lengths, rates, start, source.reshape(shape), self.refined)
        return solution.reshape(source.shape)

    def ends(self, values: Array) -> Array:
        """What values at all nodes are at the end of each interval, (Q, ...)."""
        return values[self.radau.stages - 1 :: self.radau.stages]


class Equations(Protocol):
    """The auxiliaries that generators of some orders need, as functions of time."""

    @property
    def numbers(self) -> int:
        """How many complex numbers the auxiliaries are at one time."""

    def pace(self, power: int, tolerance: float) -> Pace:
        """How long intervals may be, for Legendre coefficients of a power to be so small."""

    def start(self) -> State:
        """The auxiliaries at t = 0, where they vanish."""

    def over(self, grid: Grid, state: State) -> tuple[dict[int, Array], State]:
        """Go through a grid from the auxiliaries at its beginning.

        Returns K of each order at all nodes, (Q p, N^2, N^2), and the auxiliaries at the end of
        each interval, (Q, ...).
        """


@dataclass(frozen=True, eq=False)
class HierarchyEquations:
    """The auxiliaries for generators up to any order.

    Attributes
    ----------
    hierarchy
    order
        The highest.
    lowest
        Generators of lower orders are not given back.
    """

    hierarchy: Hierarchy
    order: int
    lowest: int = 2

    @property
    def numbers(self) -> int:
        """How many complex numbers the auxiliaries are at one time."""
        each = [len(self.hierarchy.levels[level]) for level, _ in self.hierarchy.places(self.order)]
        return sum(each) * self.hierarchy.system.dimension**4

    def pace(self, power: int, tolerance: float) -> Pace:
        """See `Equations`."""
        return ExponentialPace(self.hierarchy.system, self.hierarchy.modes, power, tolerance)

    def start(self) -> State:
        """The auxiliaries at t = 0, where they vanish."""
        found: dict[Place, Array] = {}
        for level, k in self.hierarchy.places(self.order):
            count = len(self.hierarchy.levels[level])
            found[level, k] = np.zeros((count, *self.hierarchy.identity.shape[1:]), dtype=complex)
        return found

    def over(self, grid: Grid, state: State) -> tuple[dict[int, Array], State]:
        """See `Equations`."""
        hierarchy = self.hierarchy
        moving: dict[Place, Array] = {(0, 0): hierarchy.identity}
        generators = {
            n: np.repeat(x[None], len(grid.times), 0) for n, x in hierarchy.first().items()
        }
        for level, k in hierarchy.places(self.order):
            initial = state[level, k]
            source = np.zeros((len(grid.times), *initial.shape), dtype=complex)
            source += hierarchy.driven(level, k, moving)
            for lower, generator in generators.items():
                if (y := moving.get((level, k - lower))) is not None:
                    source -= (as_matrix(y) @ generator[:, None]).reshape(source.shape)
            moving[level, k] = hierarchy.solved(
                level,
                source,
                _over(grid, hierarchy.denominators(level), initial),
            )
            if level == 1 and (k % 2 or 1 in generators):
                generators[k + 1] = as_matrix(hierarchy.from_above(0, moving[level, k])[:, 0])
        ends = {place: grid.ends(moving[place]) for place in state}
        return {n: x for n, x in generators.items() if n >= self.lowest}, ends


def _over(grid: Grid, rates: Array, start: Array) -> Callable[[Any, Array], Array]:
    return lambda members, source: grid.solve(rates[members], start[members], source)
