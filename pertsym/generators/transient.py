"""One step in time of all auxiliaries of the hierarchy, to any order.

What is integrated is the distance y of the auxiliaries from those of the slow subspace,

    dy_m/dt = -(sum nu + i w_ab - i w_cd) y_m + from above(y) + from below(y)
              - sum_l { y_m^(k-l) K^(l)(inf) + [Y_m^(k-l)(inf) + y_m^(k-l)] kappa^(l) },

with kappa = K(t) - K(inf): each order is linear with a known source.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

import numpy as np

from pertsym.generators.bloch_recursion import Place, SlowSubspace, places
from pertsym.generators.collocation import Radau
from pertsym.generators.system import Array, as_matrix

S = TypeVar("S")


class Transient(Protocol[S]):
    """How far the auxiliaries are from their limits, and how that changes in one step."""

    @property
    def fastest(self) -> float:
        """The largest rate of any auxiliary."""

    def start(self) -> S:
        """The distance at t = 0, where all auxiliaries vanish."""

    def step(self, state: S, length: float) -> tuple[S, dict[int, Array]]:
        """The distance at the end, and K - K(inf) of each order at the nodes (p, N^2, N^2)."""

    def remaining(self, state: S) -> float:
        """The largest distance, each relative to its limit."""


Distances = Mapping[Place, Array]
"""(level, order) -> distance of these auxiliaries, shape (multisets, N, N, N, N)."""


class HierarchyTransient:
    """The transient of any order.

    Parameters
    ----------
    slow
        The long-time solution, which fixes system, baths and order.
    radau
        Whose nodes a step has.
    refined
        Whether to give back the digits that the collocation's eigenvectors lose.
    """

    def __init__(self, slow: SlowSubspace, radau: Radau, refined: bool) -> None:
        self._slow, self._radau, self._refined = slow, radau, refined
        self._places = tuple(places(max(slow.generators)))
        self._rates = {
            level: slow.hierarchy.denominators(level)
            for level in sorted({level for level, _ in self._places})
        }

    @property
    def fastest(self) -> float:
        """The largest rate."""
        return max(float(np.abs(rates).max()) for rates in self._rates.values())

    def start(self) -> Distances:
        """The distance at t = 0."""
        return {place: -self._slow.slaved[place] for place in self._places}

    def remaining(self, state: Distances) -> float:
        """The largest distance, each relative to its limit."""
        limits = self._slow.slaved
        return max(
            float(np.abs(y).max() / (np.abs(limits[place]).max() or 1.0))
            for place, y in state.items()
        )

    def step(self, state: Distances, length: float) -> tuple[Distances, dict[int, Array]]:
        """The distances at the end, and kappa of each order at the nodes (p, N^2, N^2)."""
        hierarchy, slaved = self._slow.hierarchy, self._slow.slaved
        distances: dict[Place, Array] = {}
        kappas: dict[int, Array] = {}
        for level, k in self._places:
            initial = state[level, k]
            shape = (self._radau.stages, *initial.shape)
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
            solution = self._radau.solve(length, self._rates[level], initial, source, self._refined)
            distances[level, k] = solution
            if level == 1:
                kappas[k + 1] = as_matrix(hierarchy.from_above(0, solution)[:, 0])
        return {place: y[-1] for place, y in distances.items()}, kappas
