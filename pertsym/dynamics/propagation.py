"""Propagation of a state under a constant generator, or one that is on its way to its limit.

d rho/dt = [K_0 + K(t)] rho by Radau collocation with K_0, which is diagonal, treated exactly as
stiff scalars; K(t) rho at the nodes is found by iteration, which converges fast because K(t) is
small beside 1/step; for few levels by one system of equations a step.  K(t) is needed at the
nodes alone, where its Legendre series give it by one product of matrices.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from pertsym.dynamics.reliability import LARGEST, require_finite
from pertsym.generators.collocation import Radau, beyond, combine, value_at
from pertsym.generators.finite_time import FiniteTime

_LONG = 1e3  # |K| t of one matrix exponential
_RADAU = Radau(9)
_FINE_RADAU = Radau(15)
_DIRECT = 150  # unknowns on one interval up to which the equations are solved without iteration
_ITERATIONS = 30
_CONVERGED = 0.03  # of the tolerance: what is left of the iteration
_SAFE = 0.3  # of the tolerance: the tail of the expansion that the next step aims at
_SHORTEST = 1e-9  # of the whole time: steps below this mean failure
_MOST = 50_000  # steps in all
_REFINE = 1e-10  # tolerances below need the refined linear algebra

Columns = NDArray[np.complex128]
"""Vectors over row-major vec side by side, (N^2, columns)."""


@dataclass(frozen=True, eq=False)
class Piece:
    """The solution on one interval of time, as Legendre coefficients (p + 1, N^2, columns).

    `tail` is how large those left out may be.
    """

    start: float
    end: float
    coefficients: NDArray[np.complex128]
    tail: float

    def at(self, time: float) -> Columns:
        """The solution at a time within the interval."""
        return value_at(self.coefficients, self.start, self.end, time)


def pieces(
    frequencies: NDArray[np.complex128],
    transient: FiniteTime,
    columns: Columns,
    end: float,
    tolerance: float,
) -> Iterator[Piece]:
    """The solution from t = 0 to `end`, interval by interval.

    Parameters
    ----------
    frequencies : (N^2,)
        The diagonal of K_0 = -i [H_S, .].
    transient
        The generators as functions of time, computed at least up to `end`.
    columns
        What is propagated, at t = 0.
    end
        Not beyond the last panel.
    tolerance
        Of each step, relative to the largest element.

    Raises
    ------
    ArithmeticError
        If a step cannot be made short enough for the tolerance.
    """
    direct = _FINE_RADAU.stages * len(frequencies) <= _DIRECT
    radau = _FINE_RADAU if direct else _RADAU
    free, rates = np.diag(frequencies), np.broadcast_to(-frequencies[:, None], columns.shape)
    step, now, steps = np.inf, 0.0, 0
    for panel in transient.panels:
        series = np.sum(list(panel.coefficients.values()), axis=0)
        width, last = panel.end - panel.start, min(panel.end, end)
        while now < last:
            steps += 1
            _require_few(steps, now)
            finish = last if now + 1.01 * step >= last else now + step
            length = finish - now
            part = (now - panel.start) / width, (finish - panel.start) / width
            generators = combine(radau.from_coefficients(*part, len(series)), series)
            nodes: NDArray[np.complex128] | None
            if direct:
                nodes = radau.propagators(length, free + generators) @ columns
            else:
                nodes = _collocate(rates, generators, columns, length, tolerance)
            tail = np.inf
            if nodes is not None:
                values = np.concatenate([columns[None], nodes])
                found = combine(radau.to_coefficients, values)
                size = float(np.abs(values).max()) or 1.0
                tail = beyond(found) / size
            if tail > tolerance or nodes is None:
                if length < _SHORTEST * end:
                    raise ArithmeticError(
                        f"the time-dependent generator cannot be integrated to {tolerance:.1g} "
                        f"at t = {now:.6g}"
                    )
                step = length * max(0.25, 0.9 * (_SAFE * tolerance / tail) ** (1 / radau.stages))
                continue
            yield Piece(now, finish, found, tail * size)
            columns, now = nodes[-1], finish
            step = length * min(4.0, (_SAFE * tolerance / max(tail, 1e-300)) ** (1 / radau.stages))


def _collocate(
    rates: NDArray[np.complex128],
    generators: NDArray[np.complex128],
    start: Columns,
    length: float,
    tolerance: float,
) -> NDArray[np.complex128] | None:
    """The solution at the nodes (p, N^2, columns), or None if the iteration does not converge."""
    nodes: NDArray[np.complex128] = start * np.exp(-length * rates * _RADAU.nodes[:, None, None])
    enough = _CONVERGED * tolerance * float(np.abs(start).max())
    previous = np.inf
    refined = tolerance < _REFINE
    for _ in range(_ITERATIONS):
        after = _step(length, rates, start, generators @ nodes, refined)
        change = float(np.abs(after - nodes).max())
        nodes = after
        if change <= enough:
            # once more, with the digits that keep trace and Hermiticity
            return _step(length, rates, start, generators @ nodes, True)
        if not change < 2 * previous:
            return None
        previous = change
    return None


def _step(
    length: float, rates: Columns, start: Columns, source: NDArray[np.complex128], refined: bool
) -> NDArray[np.complex128]:
    lengths = np.array([length])
    nodes: NDArray[np.complex128] = _RADAU.over(lengths, rates, start, source[None], refined)[0]
    return nodes


def _require_few(steps: float, time: float) -> None:
    if not steps <= _MOST:
        raise ArithmeticError(
            f"the states need more than {_MOST} steps, the first ones up to t = {time:.6g}"
        )


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
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused
        for piece in pieces(np.diag(free), transient, columns, end, tolerance):
            error += piece.tail
            while len(collected) < len(early) and early[len(collected)] <= piece.end:
                collected.append(piece.at(early[len(collected)]))
                errors.append(error)
            columns = piece.at(piece.end)
            if not np.abs(columns).max() < LARGEST:
                require_finite(columns, free + transient.total(piece.end))
    states = np.array(collected, dtype=complex).reshape(-1, *size)
    found = np.array(errors + [error] * len(late))
    if not late:
        return states, found
    constant = free + sum(transient.limit.values())
    after = propagate(constant, columns.reshape(size), [time - end for time in late])
    return np.concatenate([states, after]), found
