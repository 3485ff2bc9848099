"""Rates of two levels beyond fourth order, and the equilibrium constant that belongs to them.

The baths stand as sums of exponentials, twice: what the coarser representation changes is the
estimate of the finer one's error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from pertsym.baths.divergence import Divergent
from pertsym.dynamics.mean_force import mean_force
from pertsym.generators.limit import Limit
from pertsym.generators.long_times import divergent_elements
from pertsym.generators.representation import (
    TOLERANCE,
    correlations_of,
    limits,
    represented,
)
from pertsym.generators.second_order import second_order
from pertsym.generators.system import System
from pertsym.generators.threads import single_threaded
from pertsym.generators.two_levels import ELEMENTS, bloch_quantities, eliminated_rates
from pertsym.model.errors import NotYetDerivable
from pertsym.model.values import Model
from pertsym.numerics.bounded import Bounded

Progress = Callable[[str], None]


@single_threaded
def higher_rates(
    model: Model, order: int, progress: Progress = lambda _: None, tolerance: float = TOLERANCE
) -> dict[int, dict[str, Bounded | str]]:
    """Every order up to `order` of the rates of two levels, in energy units.

    A quantity that does not exist is the reason why, as text.

    Raises
    ------
    NotYetDerivable
        If G of a bath is not bounded, so that no exponentials can stand for it, or they are too
        many for the order.
    """
    system = System.of(model)
    progress("exponential representation of the baths")
    baths = represented(model, tolerance)
    slow, rough = limits(model, baths, order, progress)
    fine, coarse = (bloch_quantities(each.generators, model.w0) for each in (slow, rough))
    correlations = correlations_of(model)
    missing: dict[tuple[int, int], str] = {}
    result: dict[int, dict[str, Bounded | str]] = {}
    for n in range(2, order + 1, 2):
        if n > 2:  # a shift of one order holds elements of all lower ones
            missing |= divergent_elements(system, correlations, n)
        result[n] = {}
        for name, value in fine[n].items():
            reason = _reason(missing, name)
            error = abs(value - coarse[n][name]) + 4 * slow.rounding(n)
            result[n][name] = reason or Bounded(value, error)
    return result


def _reason(missing: Mapping[tuple[int, int], str], name: str) -> str | None:
    return next((missing[place] for place in ELEMENTS[name] if place in missing), None)


def mixes(model: Model) -> bool:
    """Whether some bath couples populations and coherences: diagonal and off-diagonal at once."""
    return any(
        matrix[0][1] and (matrix[0][0] != matrix[1][1]) for matrix in model.bath_operators.values()
    )


@single_threaded
def elimination(model: Model, order: int) -> dict[int, dict[str, Bounded]]:
    """What eliminating the coherences adds to k_up and k_down, at orders 4 (and 6, ...).

    Raises
    ------
    Divergent
        If an element between populations and coherences does not exist.
    NotYetDerivable
        Beyond fourth order, if a bath cannot stand as exponentials or they are too many.
    """
    system = System.of(model)
    second = second_order(system, correlations_of(model))
    for reason in second.divergent.values():
        raise Divergent(reason)
    if order <= 4:
        silent = np.zeros_like(second.matrix)
        values = eliminated_rates({0: system.free, 2: second.matrix, 4: silent})
        off = 8 * float(np.abs(second.matrix).max() * second.error.max()) / model.w0
        return {4: {name: Bounded(x, off) for name, x in values[4].items()}}
    baths = represented(model)
    slow, rough = limits(model, baths, order)
    for n in range(4, order, 2):
        for reason in divergent_elements(system, correlations_of(model), n).values():
            raise Divergent(reason)
    fine, coarse = (_corrections(system, each) for each in (slow, rough))
    return {
        n: {
            name: Bounded(x, abs(x - coarse[n][name]) + 8 * slow.rounding(n))
            for name, x in fine[n].items()
        }
        for n in fine
        if n > 2
    }


def _corrections(system: System, slow: Limit) -> dict[int, dict[str, float]]:
    """Eliminated minus raw rates."""
    eliminated = eliminated_rates({0: system.free, **slow.generators})
    raw = {n: {"k_up": k[3, 0].real, "k_down": k[0, 3].real} for n, k in slow.generators.items()}
    return {n: {name: x - raw[n][name] for name, x in row.items()} for n, row in eliminated.items()}


@single_threaded
def higher_constant(model: Model, order: int) -> Bounded:
    """The contribution of fourth order to p1/p0 in the mean-force state (Laird (99)-(111)).

    Raises
    ------
    NotYetDerivable
        Beyond fourth order, or at T = 0.
    """
    if order > 4:
        raise NotYetDerivable(
            model.name,
            "order",
            "the equilibrium constant is known to fourth order only",
            "ask for --order 6",
        )
    states = [mean_force(model, n) for n in (0, 2, 4)]
    populations = [state.matrix.diagonal().real for state in states]
    b0, a0 = (float(x) for x in populations[0])
    b2, a2 = (float(x) for x in populations[1] - populations[0])
    b4, a4 = (float(x) for x in populations[2] - populations[1])
    constant = a0 / b0
    value = a4 / b0 - a2 * b2 / b0**2 - constant * (b4 / b0 - (b2 / b0) ** 2)
    error = sum(state.error for state in states)
    return Bounded(value, error * (1 + constant) * (1 + abs(a2) + abs(b2)) / b0**2)
