"""The auxiliaries of generators as functions of time, which start from rest.

To any order those of the hierarchy, order by order

    dX_m/dt = -(sum nu + i w_ab - i w_cd) X_m + from above(X) + from below(X)
              - sum_l X_m^(k-l) K^(l)(t),

linear with a known source, which is solved on many intervals of time at once; to order 4 those of
`product_form`, of which the part that acts from both sides of the state is a product at all times,
so that one N^4 array an exponent is integrated, not one for each pair of them; of order 2, where
C(t) is elementary, K_2(t) rho = sum [Lam(t) rho, S] + h.c. itself, with
Lam_ab(t) = S_ab int_0^t ds C(s) e^{-i w_ab s}: no exponentials, and no limit need exist.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from pertsym.baths.time_correlation import TimeCorrelation, elementary
from pertsym.generators.collocation import AnalyticPace, ExponentialPace, Layout, Pace, Radau
from pertsym.generators.hierarchy import Hierarchy, Place
from pertsym.generators.product_form import ProductForm
from pertsym.generators.representation import correlations_of
from pertsym.generators.second_order import redfield_terms
from pertsym.generators.system import Array, Correlated, System, modes_of
from pertsym.model.values import Model

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
    """

    hierarchy: Hierarchy
    order: int

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
        rates = functools.cache(hierarchy.denominators)

        def solve(place: Place, members: Any, source: Array) -> Array:
            return grid.solve(rates(place[0])[members], state[place][members], source)

        generators, moving = hierarchy.marched(self.order, solve, len(grid.times))
        ends = {place: grid.ends(moving[place]) for place in state}
        return generators, ends


_TOGETHER = 2_000_000
"""Complex numbers in one array of third-order auxiliaries at all nodes."""


class ProductEquations:
    """The auxiliaries for K_2(t), and for K_4(t) where it is asked for.

    Parameters
    ----------
    system, correlations
        As for `ProductForm`.
    order
        2 or 4.
    """

    def __init__(self, system: System, correlations: Sequence[Correlated], order: int) -> None:
        self._system, self._modes = system, modes_of(correlations)
        self._form = ProductForm(system, correlations)
        self._order = order
        rates = self._form.rates
        self._pair = np.triu_indices(len(rates))
        self._number = np.zeros((len(rates), len(rates)), dtype=np.intp)
        self._number[self._pair] = np.arange(len(self._pair[0]))
        self._number = np.maximum(self._number, self._number.T)

    @property
    def numbers(self) -> int:
        """How many complex numbers the auxiliaries are at one time."""
        modes, size = len(self._form.rates), self._form.size
        if self._order == 2:
            return (modes + 1) * size**2
        return len(self._pair[0]) * size**2 + (modes + 2) * size**4

    def pace(self, power: int, tolerance: float) -> Pace:
        """See `Equations`."""
        return ExponentialPace(self._system, self._modes, power, tolerance)

    def start(self) -> State:
        """The auxiliaries at t = 0, where they vanish.

        `pairs` (M (M + 1) / 2, N, N) is G_jk, each pair once; `triple` (M, N, N) is T_j; `mixed`
        (M, N^2, N^2) is M_j, of which (ac, bd) is the element (rho_ab <- rho_cd).
        """
        modes, size = len(self._form.rates), self._form.size
        if self._order == 2:
            return {}
        shapes = {
            "pairs": (len(self._pair[0]), size, size),
            "triple": (modes, size, size),
            "mixed": (modes, size**2, size**2),
        }
        return {name: np.zeros(shape, dtype=complex) for name, shape in shapes.items()}

    def over(self, grid: Grid, state: State) -> tuple[dict[int, Array], State]:
        """See `Equations`."""
        form = self._form
        first = form.first_at(grid.times)
        generators = {2: form.second(first)}
        if self._order == 2:
            return generators, {}
        rates = form.first_rates
        one, other = self._pair
        pairs = grid.solve(
            form.rates[one, None, None] + rates[other], state["pairs"], self._pair_source(first)
        )
        columns, rows, drive = self._third_source(first, pairs)
        triple = grid.solve(rates, state["triple"], drive)
        ends, mixed = self._mixed_sums(grid, state["mixed"], columns, rows)
        generators[4] = form.fourth(triple, mixed)
        return generators, {
            "pairs": grid.ends(pairs),
            "triple": grid.ends(triple),
            "mixed": ends,
        }

    def _pair_source(self, first: Array) -> Array:
        """-i (c_j S_b A_k + c_k S_b' A_j)."""
        form, (one, other) = self._form, self._pair
        products = form.earlier[:, None] @ first[..., None, :, :, :]
        source: Array = self._weighted(one, products[..., form.source_of[one], other, :, :])
        source += self._weighted(other, products[..., form.source_of[other], one, :, :])
        return source

    def _weighted(self, modes: Array, gathered: Array) -> Array:
        gathered *= self._form.weights[modes, None, None]
        return gathered

    def _third_source(self, first: Array, pairs: Array) -> tuple[Array, Array, Array]:
        """What drives M_j, as columns (times, M, N^2, r) by rows (times, r, N^2), and T_j."""
        form = self._form
        times, size = len(first), form.size**2
        triple = np.zeros_like(first)
        lefts, rights = [], []
        for coupled in form.couplings:
            operator = coupled.operator
            inner = pairs[:, self._number[:, coupled.members]].sum(axis=2)
            total = first[:, coupled.members].sum(axis=1)
            triple += operator @ inner - first @ (operator @ total)[:, None]
            lefts += [operator @ first - first @ operator, first @ total[:, None] - inner]
            rights += [total.conj(), np.broadcast_to(operator.T, total.shape)]
        columns = np.stack([x.reshape(times, -1, size) for x in lefts], axis=3)
        rows = np.stack([y.reshape(times, size) for y in rights], axis=1)
        return -1j * columns, rows, -1j * triple

    def _mixed_sums(
        self, grid: Grid, start: Array, columns: Array, rows: Array
    ) -> tuple[Array, list[Array]]:
        """M_j at the ends of the intervals, and for each coupling its sum over j at all nodes."""
        form = self._form
        gaps = form.gaps.reshape(-1)
        frequencies = 1j * (gaps[:, None] - gaps)
        ends = np.empty((len(grid.lengths), *start.shape), dtype=complex)
        sums = []
        together = max(1, _TOGETHER // (len(rows) * start[0].size))
        for coupled in form.couplings:
            total = np.zeros((len(rows), *start.shape[1:]), dtype=complex)
            for k in range(0, len(coupled.members), together):
                j = coupled.members[k : k + together]
                rates = form.rates[j, None, None] + frequencies
                nodes = grid.solve(rates, start[j], columns[:, j] @ rows[:, None])
                ends[:, j] = grid.ends(nodes)
                total += nodes.sum(axis=1)
            sums.append(total)
        return ends, sums


class CorrelationEquations:
    """int_0^t C(s) e^{-iws} ds at all Bohr frequencies of some baths.

    Parameters
    ----------
    system
    correlations
        Name of a bath -> its C(t).
    """

    def __init__(self, system: System, correlations: Mapping[str, TimeCorrelation]) -> None:
        self.system, self._correlations = system, correlations

    @cached_property
    def _frequencies(self) -> Mapping[str, tuple[Array, Array]]:
        """Those that a coupling has, and which of them each of its elements is."""
        gaps = self.system.gaps
        found = {}
        for name in self._correlations:
            present = self.system.operators[name] != 0
            values, places = np.unique(gaps[present], return_inverse=True)
            numbers = np.zeros(gaps.shape, dtype=np.intp)
            numbers[present] = places.reshape(-1)
            found[name] = values, numbers
        return found

    @property
    def numbers(self) -> int:
        """How many complex numbers are integrated."""
        return len(self._correlations) * self.system.dimension**2

    def pace(self, power: int, tolerance: float) -> Pace:
        """See `Equations`."""
        return Layout(
            [
                AnalyticPace(
                    correlation.strip,
                    float(np.abs(self._frequencies[name][0]).max(initial=0.0)),
                    power,
                    tolerance,
                )
                for name, correlation in self._correlations.items()
            ]
        )

    def start(self) -> State:
        """The integrals at t = 0."""
        return {name: np.zeros(len(w), complex) for name, (w, _) in self._frequencies.items()}

    def over(self, grid: Grid, state: State) -> tuple[dict[int, Array], State]:
        """See `Equations`."""
        times, size = grid.times, self.system.dimension
        total = np.zeros((len(times), size**2, size**2), dtype=complex)
        ends = {}
        for name, correlation in self._correlations.items():
            frequencies, places = self._frequencies[name]
            phases = np.exp(-1j * times[:, None] * frequencies)
            source = correlation.function(times)[:, None] * phases
            integral = grid.solve(np.zeros(len(frequencies)), state[name], source)
            ends[name] = grid.ends(integral)
            if len(frequencies):
                operator = self.system.operators[name]
                total += redfield_terms(operator, operator * integral[:, places])
        return {2: total}, ends


def equations_in_time(model: Model) -> CorrelationEquations | None:
    """Those of a model all of whose baths have an elementary C(t)."""
    found = {}
    for name, correlation in correlations_of(model).items():
        if (in_time := elementary(correlation)) is None:
            return None
        found[name] = in_time
    return CorrelationEquations(System.of(model), found)
