"""K_2(t) and K_4(t) with what acts left and right of the state kept apart.

The auxiliaries of `product_form` as functions of time, from rest: A_j is an exponential, and the
part of the second level that acts from both sides is the product A_j rho A_k^+ at all times.
There is one N^4 array an exponent to be integrated, not one for each pair of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pertsym.generators.layout import ExponentialPace, Pace
from pertsym.generators.product_form import ProductForm
from pertsym.generators.system import Array, Correlated, System, modes_of
from pertsym.generators.transient import Grid, State

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
        form, times = self._form, grid.times[:, None, None, None]
        first = -form.first * np.expm1(-times * form.first_rates)
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
