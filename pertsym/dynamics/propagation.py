"""Propagation of a state under a constant or a time-dependent generator."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from pertsym.dynamics.reliability import LARGEST, require_finite
from pertsym.dynamics.time_dependent import pieces
from pertsym.generators.finite_time import FiniteTime

_LONG = 1e3  # |K| t of one matrix exponential

Matrix = NDArray[np.complex128]
"""A state (N, N) or a superoperator (N^2, N^2)."""

States = NDArray[np.complex128]
"""Shape (times, N, N)."""


def propagate(generator: NDArray[np.complex128], state: States, times: Sequence[float]) -> States:
    """e^{Kt} rho for ascending times >= 0, by matrix exponentials.

    Parameters
    ----------
    generator : (N^2, N^2)
        Over row-major vec.
    state : (N, N)
        At t = 0.
    times
        Inverse energy units (hbar = 1).

    Raises
    ------
    NotYetDerivable
        If the states overflow, because the generator is unstable.
    """
    vector = np.asarray(state, dtype=complex).reshape(-1)
    now, step, power = 0.0, np.nan, np.eye(len(vector), dtype=complex)
    result = []
    with np.errstate(all="ignore"):  # what overflows is refused below
        for time in times:
            length = time - now
            if length and not np.isclose(length, step, rtol=1e-13, atol=0.0):
                step, power = length, _exponential(generator, length)
            if length:
                vector = power @ vector
            now = time
            result.append(vector)
    states: States = np.array(result).reshape(-1, *np.shape(state))
    require_finite(states, generator)
    return states


def _exponential(generator: NDArray[np.complex128], time: float) -> NDArray[np.complex128]:
    """e^{Kt} of a K that keeps the trace, at any time.

    Over times that are long beside all of K, rounding would turn its eigenvalue 0 into growth or
    decay: there the trace is restored at each squaring.
    """
    size = float(np.abs(generator).sum(axis=0).max()) * time
    squarings = max(0, math.ceil(math.log2(size / _LONG))) if size < math.inf and size > 0 else 0
    power: NDArray[np.complex128] = expm(generator * (time / 2**squarings))
    trace = np.eye(math.isqrt(len(generator))).reshape(-1)
    for _ in range(squarings):
        power = power @ power
        reached = power @ trace  # of the mixture of all states
        power += np.outer(reached / (trace @ reached), trace - trace @ power)
    return power


def propagate_transient(
    free: NDArray[np.complex128],
    transient: FiniteTime,
    state: States,
    times: Sequence[float],
    tolerance: float = 1e-10,
) -> tuple[States, NDArray[np.float64]]:
    """The solution of d rho/dt = [K_0 + K_2(t) + K_4(t) + ...] rho from a product state at t = 0.

    Parameters
    ----------
    free : (N^2, N^2)
        K_0 = -i [H_S, .], diagonal.
    transient
        The generators as functions of time; where they have settled, matrix exponentials take
        over.
    state : (N, N)
    times
        Ascending, >= 0.
    tolerance
        Relative, of each step of the integration.

    Returns
    -------
    states, errors : (times, N, N), (times,)
        The error is that of the integration, by the last terms of its series on every interval up
        to the time.

    Raises
    ------
    ArithmeticError
        If the integration fails.
    NotYetDerivable
        If the states overflow, because the generator is unstable.
    """
    size = np.shape(state)
    columns = np.asarray(state, dtype=complex).reshape(-1, 1)
    early = [time for time in times if time <= transient.end]
    late = [time for time in times if time > transient.end]
    end = transient.end if late else max(early, default=0.0)
    collected = [columns] * sum(time == 0 for time in early)
    errors, error = [0.0] * len(collected), 0.0
    total = transient.total()
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused
        for piece in pieces(np.diag(free), transient, columns, end, tolerance):
            error += piece.tail
            while len(collected) < len(early) and early[len(collected)] <= piece.end:
                collected.append(piece.at(early[len(collected)]))
                errors.append(error)
            columns = piece.at(piece.end)
            if not np.abs(columns).max() < LARGEST:
                require_finite(columns, free + total(piece.end))
    states = np.array(collected, dtype=complex).reshape(-1, *size)
    found = np.array(errors + [error] * len(late))
    if not late:
        return states, found
    constant = free + sum(transient.limit.values())
    after = propagate(constant, columns.reshape(size), [time - end for time in late])
    return np.concatenate([states, after]), found
