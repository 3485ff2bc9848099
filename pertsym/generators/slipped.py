"""The initial slip of a numerical model, with errors and divergences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from pertsym.generators.bloch_recursion import slow_subspace
from pertsym.generators.initial_slip import initial_slip
from pertsym.generators.long_times import divergent_elements
from pertsym.generators.representation import (
    TOLERANCE,
    Progress,
    correlations_of,
    represented,
    slow_subspaces,
)
from pertsym.generators.second_order import Term
from pertsym.generators.system import Array, Correlated, System
from pertsym.generators.threads import single_threaded
from pertsym.model.values import Model


@dataclass(frozen=True, eq=False)
class Slip:
    """Lam_0 = 1, Lam_2, ...: e^{K t} Lam rho(0) is the state after the baths' memory.

    Attributes
    ----------
    dimension
        N; superoperators are N^2 x N^2 over row-major vec, energy eigenbasis.
    orders
        Order -> contribution of that order, without unit.
    """

    dimension: int
    orders: Mapping[int, Term]


@single_threaded
def tcl_slip(
    model: Model,
    order: int,
    tolerance: float = TOLERANCE,
    band: float | None = None,
    progress: Progress = lambda _: None,
) -> Slip:
    """The initial slip that belongs to the generator of t -> infinity, order by order.

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
    system, correlations = System.of(model), correlations_of(model)
    progress("exponential representation of the baths")
    baths = represented(model, tolerance, band)
    slip, rough = (initial_slip(slow) for slow in slow_subspaces(model, baths, order, progress))
    size = system.dimension**2
    orders = {0: Term(np.eye(size, dtype=complex), np.zeros((size, size)), {})}
    for n in range(2, order + 1, 2):
        progress(f"existence of the elements of order {n}")
        divergent = divergent_elements(system, correlations, n, _slip_of, n)
        rounding = 64 * np.finfo(float).eps * float(np.abs(slip[n]).max())
        error: Array = np.abs(slip[n] - rough[n]) + rounding
        orders[n] = Term(slip[n], error, divergent)
    return Slip(system.dimension, MappingProxyType(orders))


def _slip_of(system: System, baths: Sequence[Correlated], order: int) -> Array:
    return initial_slip(slow_subspace(system, baths, order))[order]
