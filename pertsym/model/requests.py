"""What can be wrong with the state and the times that an evolution is asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pertsym.model.errors import InputError

_ROUNDING = 1e-10


def problem_of_state(state: NDArray[np.complex128], size: int) -> str | None:
    """What keeps a matrix from being a state of so many levels; positivity is not asked for.

    States that a truncated expansion has evolved need not be positive, and may be evolved on.
    """
    if state.shape != (size, size) or not np.all(np.isfinite(state)):
        return f"must be a finite {size} x {size} matrix"
    if np.abs(state - state.conj().T).max() > _ROUNDING:
        return "is not Hermitian"
    if abs(np.trace(state) - 1) > _ROUNDING:
        return f"has the trace {np.trace(state).real:.12g}, not 1"
    return None


def require_evolvable(
    source: str, initial: ArrayLike, times: Sequence[float], size: int
) -> NDArray[np.complex128]:
    """The initial state as an array.

    Raises
    ------
    InputError
        Naming `source`, if the state is none of `size` levels or the times are not ascending
        from 0 on.
    """
    state = np.asarray(initial, dtype=np.complex128)
    problem = problem_of_state(state, size)
    if problem is not None:
        raise InputError(source, "initial", problem, f"give a density matrix of {size} levels")
    grid = np.asarray(times, dtype=float)
    if grid.ndim != 1 or not np.all(np.isfinite(grid)) or np.any(grid < 0):
        raise InputError(
            source,
            "times",
            "must be a sequence of finite numbers >= 0",
            "the state is a product at t = 0",
        )
    if np.any(np.diff(grid) < 0):
        raise InputError(source, "times", "must ascend", "sort them")
    return state


def state_of(source: str, initial: int | ArrayLike, size: int) -> NDArray[np.complex128]:
    """A pure level of `size` by its index, or a matrix as it is.

    Raises
    ------
    InputError
        Naming `source`, for a level that there is not.
    """
    given = np.asarray(initial)
    if given.ndim:
        return given.astype(np.complex128)
    if given.dtype.kind not in "iu" or not 0 <= given < size:
        raise InputError(
            source, "initial", f"there is no level {initial!r}", f"levels are 0 to {size - 1}"
        )
    state = np.zeros((size, size), dtype=np.complex128)
    state[int(given), int(given)] = 1.0
    return state
