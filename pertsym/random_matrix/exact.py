"""The von Neumann equation of a finite system and N random-matrix states, solved exactly.

H_B is drawn and diagonalised, B drawn in its eigenbasis (the ensemble is invariant under
rotations), and H = H_S + H_B + S (x) B diagonalised as a whole.  The environment starts in the
equal mixture of its states within the shell; populations are averaged over realisations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pertsym.model.errors import InputError
from pertsym.model.random_matrix import RandomMatrixModel
from pertsym.random_matrix.ensemble import Floats, draw_symmetric

MOST_STATES: Final = 8000
"""Levels times N: a matrix of this size takes 0.5 GiB, diagonalising it some 4 GiB."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class ExactRun:
    """An average over realisations.

    Attributes
    ----------
    populations : (times, levels)
    error : (times, levels)
        Standard error of the mean over realisations; zero for a single one.
    """

    populations: Floats
    error: Floats


def simulate(
    model: RandomMatrixModel,
    initial: NDArray[np.complex128],
    times: Sequence[float],
    *,
    size: int,
    realisations: int,
    seed: int,
    progress: Progress = lambda _: None,
) -> ExactRun:
    """Populations of the levels, averaged over realisations.

    Parameters
    ----------
    model
        Any number of levels and any Hermitian coupling.
    initial : (levels, levels)
        Density matrix of the system at t = 0; the total state is a product.
    times
        Inverse energy units.
    size, realisations, seed
        N, how many pairs (H_B, B), and the seed of the first; realisation r of a seed does not
        depend on how many there are.

    Raises
    ------
    InputError
        If a number is out of range, or a shell holds no state.
    """
    _check(model, size, realisations, seed)
    runs = []
    for number in range(realisations):
        progress(f"realisation {number + 1} of {realisations}")
        source = np.random.SeedSequence(seed, spawn_key=(number,))  # as `spawn`, one by one
        runs.append(_one(model, initial, times, size, np.random.default_rng(source)))
    found = np.array(runs)
    spread = found.std(axis=0, ddof=1) if realisations > 1 else np.zeros_like(found[0])
    return ExactRun(found.mean(axis=0), spread / np.sqrt(realisations))


def _check(model: RandomMatrixModel, size: int, realisations: int, seed: int) -> None:
    states = model.dimension * size
    for name, value, least in (("size", size, 2), ("realisations", realisations, 1)):
        if value < least:
            raise InputError(
                model.name, name, f"must be at least {least}, got {value}", "give more"
            )
    if seed < 0:
        raise InputError(
            model.name, "seed", f"must not be negative, got {seed}", "use 0, 1, 2, ..."
        )
    if states > MOST_STATES:
        raise InputError(
            model.name,
            "size",
            f"{size} states of the environment and {model.dimension} levels make a matrix of "
            f"{states} rows, which takes too much memory",
            f"use at most {MOST_STATES // model.dimension}",
        )


def _one(
    model: RandomMatrixModel,
    initial: NDArray[np.complex128],
    times: Sequence[float],
    size: int,
    generator: np.random.Generator,
) -> Floats:
    environment = np.linalg.eigvalsh(draw_symmetric(size, generator))
    coupling = draw_symmetric(size, generator)
    bath = model.bath
    shell = np.nonzero(np.abs(environment - bath.energy) <= bath.shell_width / 2)[0]
    if not shell.size:
        raise InputError(
            model.name,
            f"baths.{bath.name}.shell_width",
            f"no state of the environment lies in the shell of width {bath.shell_width} at "
            f"{bath.energy} for N = {size}",
            "widen the shell or take more states",
        )
    system: Any = model.coupling
    if not np.any(system.imag):
        system = system.real
    h = np.kron(system, coupling)
    h[np.diag_indices_from(h)] += np.add.outer(np.array(model.energies), environment).reshape(-1)
    energies, vectors = np.linalg.eigh(h)
    del h
    result = np.zeros((len(times), model.dimension))
    for weight, state in _pure_states(initial):
        rows = vectors.reshape(model.dimension, size, -1)[:, shell, :]
        start = np.einsum("a,akn->nk", state, rows.conj())
        result += weight * _populations(vectors, energies, start, times, model.dimension)
    return result


def _pure_states(initial: NDArray[np.complex128]) -> Iterator[tuple[float, Any]]:
    weights, states = np.linalg.eigh(initial)
    for weight, state in zip(weights, states.T, strict=True):
        if weight > 1e-14:
            yield float(weight), state


def _populations(
    vectors: Any, energies: Floats, start: Any, times: Sequence[float], levels: int
) -> Floats:
    """Populations of all levels but the lowest by projection, the lowest from the trace."""
    size, states = energies.size // levels, start.shape[1]
    upper = vectors[size:]
    result = np.zeros((len(times), levels))
    for number, time in enumerate(times):
        moved = np.exp(-1j * energies * time)[:, None] * start
        if np.iscomplexobj(upper):
            squares = np.abs(upper @ moved) ** 2
        else:  # one real product for both parts
            parts = upper @ np.concatenate([moved.real, moved.imag], axis=1)
            squares = parts[:, :states] ** 2 + parts[:, states:] ** 2
        result[number, 1:] = squares.reshape(levels - 1, -1).sum(axis=1) / states
    result[:, 0] = 1 - result[:, 1:].sum(axis=1)
    return result
