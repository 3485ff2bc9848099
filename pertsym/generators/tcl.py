"""The time-convolutionless generator of a numerical model, with errors and divergences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from pertsym.generators.jumps import has_odd_orders
from pertsym.generators.representation import TOLERANCE, Progress
from pertsym.generators.routes import Request, term
from pertsym.generators.second_order import Term
from pertsym.generators.threads import single_threaded
from pertsym.model.values import AnyModel, numeric


@dataclass(frozen=True, eq=False)
class Generator:
    """K_0, K_2, ... of a model; K_1, K_3, ... too where they exist.

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
    model: AnyModel,
    order: int,
    time: float | None = None,
    tolerance: float = TOLERANCE,
    band: float | None = None,
    progress: Progress = lambda _: None,
    spectral: bool = False,
    whole: bool = False,
) -> Generator:
    """The time-convolutionless (ordered-cumulant) generator in the Schroedinger picture.

    Parameters
    ----------
    model
        Any number of levels, couplings and baths.
    order
        0 or even: the highest order in the coupling.  Markov chains with odd moments have odd
        orders too, of which those below it are given.
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
    whole
        Whether no order is of use without those below it: none is computed above one with an
        element that does not exist.

    Raises
    ------
    ValueError
        If the order is not even and >= 0, the time is negative, or `spectral` is asked for
        another order than 4 or a finite time.
    NotYetDerivable
        If no route of `pertsym.generators.routes` serves, with the reason of the last one.
    """
    model = numeric(model)
    if order < 0 or order % 2:
        raise ValueError(f"order: must be an even integer >= 0, got {order}")
    if time is not None and not 0 <= time < np.inf:
        raise ValueError(f"time: must be >= 0 and finite, got {time!r}; leave it out for the limit")
    if spectral and (order != 4 or time is not None):
        raise ValueError("spectral: closed forms are those of order 4 for t -> infinity")
    request = Request(model, order, time, tolerance, band, progress, spectral)
    orders = {0: Term.exact(request.system.free)}
    # the highest first: what cannot be had at all is known before anything else is computed
    step = 1 if has_odd_orders(model) else 2
    found: dict[int, Term] = {}
    for n in sorted(range(order, 0, -step), reverse=not whole):
        found[n] = term(request, n)
        if whole and found[n].divergent:
            break
    orders.update(sorted(found.items()))
    return Generator(model.dimension, MappingProxyType(orders))
