"""Beside the rates of two levels: whether elements mix, and the equilibrium constant."""

from __future__ import annotations

from pertsym.dynamics.mean_force import mean_force
from pertsym.generators.system import single_threaded
from pertsym.model.values import Model
from pertsym.numerics.bounded import Bounded


def mixes(model: Model) -> bool:
    """Whether some bath couples populations and coherences: diagonal and off-diagonal at once."""
    return any(
        matrix[0][1] and (matrix[0][0] != matrix[1][1]) for matrix in model.bath_operators.values()
    )


@single_threaded
def fourth_constant_of(model: Model) -> Bounded:
    """The contribution of fourth order to p1/p0 in the mean-force state (Laird (99)-(111)).

    By quadrature over imaginary time, or from the ground state at T = 0; any coupling.
    """
    states = [mean_force(model, n) for n in (0, 2, 4)]
    populations = [state.matrix.diagonal().real for state in states]
    b0, a0 = (float(x) for x in populations[0])
    b2, a2 = (float(x) for x in populations[1] - populations[0])
    b4, a4 = (float(x) for x in populations[2] - populations[1])
    constant = a0 / b0
    value = a4 / b0 - a2 * b2 / b0**2 - constant * (b4 / b0 - (b2 / b0) ** 2)
    error = sum(state.error for state in states)
    return Bounded(value, error * (1 + constant) * (1 + abs(a2) + abs(b2)) / b0**2)
