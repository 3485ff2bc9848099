"""The steady state of a generator, and whether there is exactly one."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pertsym.model.errors import InputError

Matrix = NDArray[np.complex128]

_ROUNDINGS = 16


def steady_state(generator: Matrix) -> Matrix:
    """The state rho with generator rho = 0 and unit trace, shape (N, N), Hermitian.

    Rows are scaled to equal size first, which leaves the null space and frees slow populations
    from the size of fast coherences.  Positivity is not enforced: a truncated generator may have
    negative populations in its steady state.

    Parameters
    ----------
    generator
        Shape (N^2, N^2) over row-major vec, conserving trace and Hermiticity.

    Raises
    ------
    InputError
        If there are several steady states, none, or one without trace; or if the generator is
        not a finite N^2 x N^2 matrix.
    """
    size = math.isqrt(len(generator))
    if generator.shape != (size**2, size**2) or not np.all(np.isfinite(generator)):
        raise _fault(
            f"a matrix of shape {generator.shape} is not a finite N^2 x N^2 superoperator",
            "give one over row-major vec, without nan or inf",
        )
    largest = np.abs(generator).max(axis=1, keepdims=True)
    scaled = generator / np.where(largest > 0, largest, 1.0)
    _, singular, adjoint = np.linalg.svd(scaled)
    tolerance = _ROUNDINGS * size**2 * float(np.finfo(float).eps) * max(singular[0], 1.0)
    nullity = int(np.sum(singular <= tolerance))
    if nullity == 0:
        raise _fault(
            "it has no steady state: its smallest singular value is "
            f"{singular[-1] / singular[0]:.2g} of the largest",
            "check that the generator conserves the trace",
        )
    if nullity > 1:
        raise _fault(
            f"the steady state is not unique: {nullity} independent ones exist",
            "couple all levels, lift degeneracies, or evolve an initial state for a long time",
        )
    state = adjoint[-1].conj().reshape(size, size)
    trace = np.trace(state)
    if abs(trace) <= tolerance:
        raise _fault(
            "its null vector has no trace, so it is no state",
            "check that the generator conserves the trace",
        )
    state = state / trace
    return np.asarray((state + state.conj().T) / 2, dtype=np.complex128)


def _fault(problem: str, remedy: str) -> InputError:
    return InputError("generator", "steady state", problem, remedy)
