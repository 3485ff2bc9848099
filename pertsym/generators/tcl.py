"""The time-convolutionless generator of a numerical model, with errors and divergences.

Order 2 comes from Ĉ and P themselves, higher orders and finite times from a representation of
each bath by exponentials, whose error is measured by repeating the calculation with a coarser one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.correlation import Correlation
from pertsym.generators.bloch_recursion import SlowSubspace
from pertsym.generators.finite_time import finite_time
from pertsym.generators.long_times import divergent_elements
from pertsym.generators.representation import (
    TOLERANCE,
    Progress,
    correlations_of,
    represented,
    slow_subspaces,
)
from pertsym.generators.second_order import Term, second_order
from pertsym.generators.spectral_route import fourth_order
from pertsym.generators.system import Array, System
from pertsym.generators.threads import single_threaded
from pertsym.model.errors import NotYetDerivable
from pertsym.model.values import Model

_POOR = 1e-4  # of the largest element of an order: errors beyond it ask for another route
_ROUNDING = 1e-12  # of the second order: errors below it are rounding about zero


@dataclass(frozen=True, eq=False)
class Generator:
    """K_0, K_2, ... of a model.

    Attributes
    ----------
    dimension
        N; superoperators are N^2 x N^2 over row-major vec, energy eigenbasis.
    orders
        Order -> contribution of that order, in the model's energy unit (hbar = 1).
    """

    dimension: int
    orders: Mapping[int, Term]


@single_threaded
def tcl_generator(
    model: Model,
    order: int,
    time: float | None = None,
    tolerance: float = TOLERANCE,
    band: float | None = None,
    progress: Progress = lambda _: None,
    spectral: bool = False,
) -> Generator:
    """The time-convolutionless (ordered-cumulant) generator in the Schroedinger picture.

    Parameters
    ----------
    model
        Any number of levels, couplings and baths.
    order
        0 or even: the highest order in the coupling.
    time
        None for t -> infinity; else the time, in inverse energy units, since the state was a
        product of a system state and the baths' equilibrium.
    tolerance
        Of the representation of a bath by exponentials, relative to sup|G|.
    band
        None, or the `band` of `represented`: fewer exponentials for many levels.
    progress
        Called with what is computed next.
    spectral
        Whether order 4 for t -> infinity comes from closed spectral forms, without a fit; it
        does by itself where a bath cannot be represented by exponentials.

    Raises
    ------
    ValueError
        If the order is not even and >= 0, the time is negative, or `spectral` is asked for
        another order than 4 or a finite time.
    NotYetDerivable
        If orders beyond 4, or a finite time, are asked of a bath whose G is not bounded, or
        order 4 of too many levels coupled to it.
    """
    if order < 0 or order % 2:
        raise ValueError(f"order: must be an even integer >= 0, got {order}")
    if time is not None and not 0 <= time < np.inf:
        raise ValueError(f"time: must be >= 0 and finite, got {time!r}; leave it out for the limit")
    if spectral and (order != 4 or time is not None):
        raise ValueError("spectral: closed forms are those of order 4 for t -> infinity")
    system = System.of(model)
    free = system.free
    orders = {0: Term(free, np.finfo(float).eps * np.abs(free), {})}
    if order == 0:
        return Generator(model.dimension, MappingProxyType(orders))
    correlations = correlations_of(model)
    if order == 2 and time is None:
        orders[2] = second_order(system, correlations)
        return Generator(model.dimension, MappingProxyType(orders))
    if spectral:
        return _in_closed_form(model, orders, correlations, progress)
    try:
        progress("exponential representation of the baths")
        baths = represented(model, tolerance, band)
    except NotYetDerivable:
        if order != 4 or time is not None:
            raise
        return _in_closed_form(model, orders, correlations, progress)
    slow, rough = slow_subspaces(model, baths, order, progress)
    if time is not None:
        progress("transient")
        values, others = (_at(model, each, time) for each in (slow, rough))
        for n, (matrix, rounding) in values.items():
            orders[n] = Term(matrix, _error(matrix, others[n][0], rounding), {})
        return Generator(model.dimension, MappingProxyType(orders))
    orders[2] = second_order(system, correlations)
    largest = float(np.max(np.abs(orders[2].matrix), where=orders[2].error < np.inf, initial=0.0))
    for n in range(4, order + 1, 2):
        matrix = slow.generators[n]
        error = _error(matrix, rough.generators[n], slow.rounding(n))
        enough = max(_POOR, 100 * tolerance) * _scale(matrix, error)
        poor = error > max(enough, _ROUNDING * largest)
        if n == 4 and np.any(poor):  # very slow exponents that cancel
            try:
                orders[4] = fourth_order(model, correlations, progress)
                continue
            except NotYetDerivable:
                pass  # what the exponentials do give is better than nothing
        progress(f"existence of the elements of order {n}")
        divergent = divergent_elements(system, baths.fine, correlations, n)
        orders[n] = _without(Term(matrix, error, divergent), poor & (error > np.abs(matrix) / 2))
    return Generator(model.dimension, MappingProxyType(orders))


def _in_closed_form(
    model: Model,
    orders: Mapping[int, Term],
    correlations: Mapping[str, Correlation],
    progress: Progress,
) -> Generator:
    """Orders 2 and 4 from values of Ĉ and P and integrals over them."""
    second = second_order(System.of(model), correlations)
    fourth = fourth_order(model, correlations, progress)
    return Generator(model.dimension, MappingProxyType({**orders, 2: second, 4: fourth}))


def _at(model: Model, slow: SlowSubspace, time: float) -> dict[int, tuple[Array, float]]:
    """Every order at a finite time, with the error of the integration."""
    if time == 0:
        return {n: (np.zeros_like(matrix), 0.0) for n, matrix in slow.generators.items()}
    try:
        transient = finite_time(slow, time)
    except ArithmeticError as fault:
        raise NotYetDerivable(model.name, "time", str(fault), "ask for an earlier time") from None
    return {n: (transient.at(n, time), transient.error(n, time)) for n in slow.generators}


def _scale(matrix: Array, error: Array) -> float:
    """The largest element that is known at all."""
    return float(np.max(np.abs(matrix), where=error <= np.abs(matrix) / 2, initial=0.0))


def _without(term: Term, lost: NDArray[np.bool_]) -> Term:
    """The term without numbers that mean nothing."""
    reasons = {
        (int(row), int(column)): "the bath's exponentials leave an error of "
        f"{term.error[row, column]:.1e}, more than the value"
        for row, column in np.argwhere(lost)
        if (row, column) not in term.divergent
    }
    matrix, error = term.matrix.copy(), term.error.copy()
    for place in reasons:
        matrix[place], error[place] = np.nan, np.inf
    return Term(matrix, error, term.divergent, reasons) if reasons else term


def _error(fine: Array, coarse: Array, rounding: float) -> Array:
    """What the coarser representation changes, and rounding."""
    error: Array = np.abs(fine - coarse) + rounding
    return error
