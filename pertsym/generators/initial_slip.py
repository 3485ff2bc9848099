"""The initial slip: which initial state the long-time generator must start from.

A product state at t = 0 is not on the slow subspace.  After the baths' memory it is found at
e^{K t} Lam rho(0), where K is the generator for t -> infinity and Lam projects on the slow
subspace along the fast one.  The rows of that projection are w = (1, w_1, w_2, ...) with
w H = k w, H the right-hand side of the hierarchy: in powers of the coupling its element
(ab <- cd), with the factorials of repeated exponents taken out of w, is

    (sum nu - i w_ab + i w_cd) w_m^(n) = sum_{j in m} w_{m-j}^(n-1) (-i S^x)
                             + sum_j w_{m+j}^(n-1) (-i Theta_j) - sum_{l >= 2} k^(l) w_m^(n-l),

Bloch's recursion for the left instead of the right invariant subspace.  With the auxiliaries
X_m = Y_m rho of that, Lam = (1 + sum_m w_m Y_m)^-1, and K Lam = Lam k.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from pertsym.generators.bloch_recursion import SlowSubspace, recursion, slow_subspace
from pertsym.generators.hierarchy import Hierarchy, Place
from pertsym.generators.long_times import divergent_elements
from pertsym.generators.representation import (
    TOLERANCE,
    Progress,
    correlations_of,
    represented,
    twice,
)
from pertsym.generators.second_order import Term
from pertsym.generators.system import (
    Array,
    Correlated,
    System,
    as_matrix,
    left,
    right,
    single_threaded,
)
from pertsym.generators.tcl import Generator
from pertsym.model.values import AnyModel, numeric


@single_threaded
def tcl_slip(
    model: AnyModel,
    order: int,
    tolerance: float = TOLERANCE,
    band: float | None = None,
    progress: Progress = lambda _: None,
) -> Generator:
    """The initial slip that belongs to the generator of t -> infinity, order by order, no unit.

    Lam_0 = 1, Lam_2, ...: e^{K t} Lam rho(0) is the state after the baths' memory.

    Parameters
    ----------
    model
        Any number of levels, couplings and baths.
    order
        2, 4, ...: the highest order in the coupling.
    tolerance, band
        As in `tcl_generator`.
    progress
        Called with what is computed next.

    Raises
    ------
    ValueError
        If the order is not a positive even integer.
    NotYetDerivable
        If G of a bath is not bounded, or its exponentials are too many for the order.
    """
    model = numeric(model)
    system, correlations = System.of(model), correlations_of(model)
    progress("exponential representation of the baths")
    baths = represented(model, tolerance, band)
    both = twice(slow_subspace, model, baths, order, progress, nodes=1)
    slip, rough = map(initial_slip, both)
    size = system.dimension**2
    orders = {0: Term(np.eye(size, dtype=complex), np.zeros((size, size)), {})}
    for n in range(2, order + 1, 2):
        progress(f"existence of the elements of order {n}")
        divergent = divergent_elements(system, correlations, n, _slip_of, n)
        rounding = 64 * np.finfo(float).eps * float(np.abs(slip[n]).max())
        error: Array = np.abs(slip[n] - rough[n]) + rounding
        orders[n] = Term(slip[n], error, divergent)
    return Generator(system.dimension, MappingProxyType(orders), "Lam")


def _slip_of(system: System, baths: Sequence[Correlated], order: int) -> Array:
    return initial_slip(slow_subspace(system, baths, order))[order]


def initial_slip(slow: SlowSubspace) -> Mapping[int, Array]:
    """Lam_0 = 1, Lam_2, ... up to the order of the long-time generator.

    e^{K t} Lam rho(0), both to order 2n, is the state of the time-dependent generator of that
    order at late times, but for order 2n + 2.

    Returns
    -------
    order -> N^2 x N^2 array over row-major vec
    """
    order = max(slow.generators)
    rows = rows_of(slow)
    inverse = {n: _overlap(slow, rows, n) for n in range(2, order + 1, 2)}
    size = slow.hierarchy.system.dimension**2
    slip: dict[int, Array] = {0: np.eye(size, dtype=complex)}
    for n in inverse:
        slip[n] = -np.sum([slip[n - k] @ inverse[k] for k in range(2, n + 1, 2)], axis=0)
    return MappingProxyType(slip)


def rows_of(slow: SlowSubspace) -> Mapping[Place, Array]:
    """w by (level, order), transposed: shape (multisets, N, N, N, N), element (cd, ab)."""
    h = slow.hierarchy
    # the transpose of (sum nu - i w_ab + i w_cd) is what the auxiliaries have
    left_side = _LeftHierarchy(h.system, h.modes, h.depth, h.precision)
    return recursion(left_side, max(slow.generators)).slaved


class _LeftHierarchy(Hierarchy):
    """Transposed rows in place of auxiliaries: S^x and Theta_j change places."""

    def from_below(self, level: int, below: Array) -> Array:
        """Transposed sum_{j in m} w_{m-j} (-i S^x) for every multiset m of a level >= 1."""
        rest, removed = self.lowered[level - 1]
        total = self.zeros(level, below)
        for name, members in self.by_later.items():
            gathered = self.zeros(level, below)
            for k in range(level):
                here = np.isin(removed[:, k], members)
                gathered[here] += below[rest[here, k]]
            operator = -1j * self.operator(name).T
            total += left(operator, gathered) - right(operator, gathered)
        return total

    def from_above(self, level: int, above: Array) -> Array:
        """Transposed sum_j w_{m+j} (-i Theta_j) for every multiset m of a level."""
        raised = self.raised[level]
        total = self.zeros(level, above)
        for name, (ahead, behind) in self.coefficients.items():
            operator = self.operator(name).T
            for weights, apply in ((ahead, left), (behind, right)):
                gathered = self.zeros(level, above)
                for j in np.flatnonzero(weights):
                    gathered += weights[j] * above[raised[:, j]]
                total += apply(operator, gathered)
        return total


def _overlap(slow: SlowSubspace, rows: Mapping[Place, Array], order: int) -> Array:
    """sum_m w_m Y_m at one order."""
    size = slow.hierarchy.system.dimension**2
    total = np.zeros((size, size), dtype=complex)
    for (level, n), row in rows.items():
        column = slow.slaved.get((level, order - n))
        if level == 0 or column is None:
            continue
        repeats = np.array([_repeats(m) for m in slow.hierarchy.levels[level]])
        left_rows = as_matrix(row).swapaxes(1, 2) / repeats[:, None, None]
        total += (left_rows @ as_matrix(column)).sum(axis=0)
    return total


def _repeats(multiset: tuple[int, ...]) -> int:
    return math.prod(math.factorial(count) for count in Counter(multiset).values())
