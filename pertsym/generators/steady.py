"""The steady state of a generator, and whether there is exactly one; and that of a series.

sum_k K_2k r^(2m-2k) = 0 gives the state that K_0 + K_2 + ... leaves unchanged, order by order.
Elements between different energies follow from their own rows, where K_0 is -i(E_a - E_b), with all
lower orders; those between equal energies, populations first, from their rows two orders above,
where K_2 is the lowest.  By the steady-state theorem r is the mean-force state where all baths are
in equilibrium at one temperature.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pertsym.generators.second_order import Term
from pertsym.model.errors import InputError, NotYetDerivable

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


_Array = NDArray[np.float64]
Known = tuple[Matrix, _Array]
"""One order of a state and the error of each of its elements, both (N^2,)."""

_DISCONNECTED = 1e-9  # relative: a rate as small is none


def next_order(
    name: str, frequencies: _Array, terms: Mapping[int, Term], lower: list[Known]
) -> Known:
    """The part of order 2m of a state of unit trace, m > 0.

    Parameters
    ----------
    name
        Of the model, for messages.
    frequencies : (N, N)
        E_a - E_b; those meant to be 0 are 0.
    terms
        K_2, ..., K_(2m+2).
    lower
        Its parts of order 0, 2, ..., 2m - 2.

    `require_connected` first.

    Raises
    ------
    NotYetDerivable
        If an element of a generator is missing.
    """
    size, m = len(frequencies), len(lower)
    for n in range(2, 2 * m + 3, 2):
        missing = {**terms[n].divergent, **terms[n].not_derived}
        if missing:
            raise NotYetDerivable(
                name,
                "order",
                f"the generator of order {n}, which fixes the state, lacks an element: "
                + next(iter(missing.values())),
                "ask for order 4",
            )
    gaps = frequencies.reshape(-1)
    still = gaps == 0
    parts = [*lower, (np.zeros(size**2, dtype=np.complex128), np.zeros(size**2))]
    value, error = parts[m]
    driven, lost = _driven(terms, parts, m)
    value[~still] = driven[~still] / (1j * gaps[~still])
    error[~still] = lost[~still] / np.abs(gaps[~still])
    driven, lost = _driven(terms, parts, m + 1)
    flow = terms[2].matrix[np.ix_(still, still)]
    trace = np.eye(size).reshape(-1)[still]
    scale = float(np.max(np.abs(flow)))
    inverse = np.linalg.pinv(np.vstack([flow, scale * trace]))[:, :-1]
    value[still] = -inverse @ driven[still]
    # the error of K_2 itself acts on what is found
    lost = lost[still] + terms[2].error[np.ix_(still, still)] @ np.abs(value[still])
    error[still] = np.abs(inverse) @ lost
    return value, error


def require_connected(name: str, frequencies: _Array, second: Term) -> None:
    """Refuse a K_2 that leaves more than one state unchanged (NotYetDerivable)."""
    still = frequencies.reshape(-1) == 0
    singular = np.linalg.svd(second.matrix[np.ix_(still, still)], compute_uv=False)
    if len(singular) > 1 and singular[-2] <= _DISCONNECTED * singular[0]:
        raise NotYetDerivable(
            name,
            "couplings",
            "rates of second order do not connect all levels, so that they do not fix this order",
            "ask for order 4",
        )


def _driven(terms: Mapping[int, Term], parts: list[Known], m: int) -> Known:
    """sum over k > 0 of K_2k r^(2m-2k), with the error of each element."""
    total, lost = np.zeros_like(parts[0][0]), np.zeros_like(parts[0][1])
    for k in range(1, m + 1):
        term, (value, error) = terms[2 * k], parts[m - k]
        total = total + term.matrix @ value
        lost = lost + np.abs(term.matrix) @ error + term.error @ np.abs(value)
    return total, lost
