"""One step in time of all auxiliaries of the hierarchy, to any order.

The auxiliaries start from rest.  Order by order

    dX_m/dt = -(sum nu + i w_ab - i w_cd) X_m + from above(X) + from below(X)
              - sum_l X_m^(k-l) K^(l)(t)

is linear with a known source.  So are the distances y = X - Y from the slow subspace, with
kappa = K(t) - K(inf):

    dy_m/dt = -(sum nu + i w_ab - i w_cd) y_m + from above(y) + from below(y)
              - sum_l { y_m^(k-l) K^(l)(inf) + [Y_m^(k-l) + y_m^(k-l)] kappa^(l) }.

The distances decay, so that late times are as accurate as the limit; but as long as X is much
smaller than Y, as with exponents much slower than the time, X alone keeps its digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

import numpy as np

from pertsym.generators.bloch_recursion import Place, SlowSubspace, places
from pertsym.generators.collocation import Radau
from pertsym.generators.system import Array, as_matrix

S = TypeVar("S")


class Transient(Protocol[S]):
    """The auxiliaries, or their distances from their limits, and one step of either in time."""

    @property
    def radau(self) -> Radau:
        """Whose nodes a step has."""

    @property
    def fastest(self) -> float:
        """The largest rate of any auxiliary."""

    def start(self) -> S:
        """The auxiliaries at t = 0, where they vanish."""

    def distance(self, state: S) -> S:
        """How far auxiliaries are from their limits."""

    def remaining(self, state: S) -> float:
        """The largest distance, each relative to its limit."""

    def step(self, state: S, length: float, settling: bool) -> tuple[S, dict[int, Array]]:
        """One step of the auxiliaries, or, if settling, of the distances.

        Returns what they are at the end, and K of each order, or K - K(inf), at the nodes,
        (p, N^2, N^2).
        """


Distances = Mapping[Place, Array]
"""(level, order) -> these auxiliaries, or their distances, shape (multisets, N, N, N, N)."""


def largest_ratio(above: Iterable[Array], below: Iterable[Array]) -> float:
    """The largest quotient of the sizes of two arrays, pair by pair; 0/0 counts as 0."""
    ratio = 0.0
    for x, y in zip(above, below, strict=True):
        if size := float(np.abs(x).max(initial=0.0)):
            other = float(np.abs(y).max())
            ratio = max(ratio, size / other if other else np.inf)
    return ratio


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
        self._slow, self.radau, self._refined = slow, radau, refined
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
        """The auxiliaries at t = 0, where they vanish."""
        return {place: np.zeros_like(self._slow.slaved[place]) for place in self._places}

    def distance(self, state: Distances) -> Distances:
        """How far auxiliaries are from their limits."""
        return {place: x - self._slow.slaved[place] for place, x in state.items()}

    def remaining(self, state: Distances) -> float:
        """The largest distance, each relative to its limit."""
        return largest_ratio(state.values(), (self._slow.slaved[place] for place in state))

    def step(
        self, state: Distances, length: float, settling: bool
    ) -> tuple[Distances, dict[int, Array]]:
        """The auxiliaries, or distances, at the end, and K or K - K(inf) at the nodes."""
        hierarchy = self._slow.hierarchy
        slaved: Distances = self._slow.slaved if settling else {}
        # level 0 is the state itself: it has no distance
        moving: dict[Place, Array] = {} if settling else {(0, 0): hierarchy.identity}
        generators: dict[int, Array] = {}
        for level, k in self._places:
            initial = state[level, k]
            source = np.zeros((self.radau.stages, *initial.shape), dtype=initial.dtype)
            if (above := moving.get((level + 1, k - 1))) is not None:
                source += hierarchy.from_above(level, above)
            if (below := moving.get((level - 1, k - 1))) is not None:
                source += hierarchy.from_below(level, below)
            for lower, generator in generators.items():
                place = (level, k - lower)
                if (y := moving.get(place)) is not None:
                    whole = generator + self._slow.generators[lower] if settling else generator
                    source -= (as_matrix(y) @ whole[:, None]).reshape(source.shape)
                if (limit := slaved.get(place)) is not None:
                    source -= (as_matrix(limit) @ generator[:, None]).reshape(source.shape)
            rates = self._rates[level]
            solution = self.radau.solve(length, rates, initial, source, self._refined)
            moving[level, k] = solution
            if level == 1:
                generators[k + 1] = as_matrix(hierarchy.from_above(0, solution)[:, 0])
        return {place: moving[place][-1] for place in self._places}, generators
