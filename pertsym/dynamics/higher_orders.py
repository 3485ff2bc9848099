"""Rates of two levels beyond fourth order, and the equilibrium constant that belongs to them.

The baths stand as sums of exponentials, twice: what the coarser representation changes is the
estimate of the finer one's error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pertsym.dynamics.mean_force import mean_force
from pertsym.generators.long_times import divergent_elements
from pertsym.generators.representation import (
    TOLERANCE,
    correlations_of,
    limits,
    represented,
)
from pertsym.generators.system import System
from pertsym.generators.tcl import tcl_generator
from pertsym.generators.threads import single_threaded
from pertsym.generators.two_levels import ELEMENTS, bloch_quantities, eliminated_quantities
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


def eliminated_beyond(model: Model, order: int) -> dict[int, dict[str, Bounded | str]]:
    """Rates of the populations and the eigenvalue of the coherence, every order up to `order`.

    A quantity that does not exist is the reason why, as text.

    Raises
    ------
    NotYetDerivable
        If a bath cannot stand as exponentials or they are too many.
    """
    return eliminated_quantities(tcl_generator(model, order).orders)


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
