"""How far states may be off because their generator is known with an error only.

An error dK of the generator drives d(drho)/dt = K drho + dK rho.  It is carried on with the
slowest relaxation of K, or its fastest growth, so that it saturates where K relaxes and swells
where K is unstable: an estimate of the size, not a bound.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pertsym.generators.finite_time import FiniteTime
from pertsym.model.errors import NotYetDerivable

Matrix = NDArray[np.complex128]
Numbers = NDArray[np.float64]

NOTABLE = 1e-4
"""An error of a state, relative to max(1, its largest element), that is worth a note."""

MEANINGLESS = 1e-2
"""An error of a state that makes it no result."""

ABSURD = 0.1
"""How far below 0 an eigenvalue of a state may lie: what a truncation leaves out is at least that.

Smaller ones are worth a note."""

LARGEST = 1e100
"""Elements of states beyond are as good as infinite."""

_OVERFLOW = 700.0
_NEXT = 1.2  # the growth is determined anew when the time has grown by this factor


def felt(error: Numbers) -> float:
    """The largest element that an error of a generator can give d rho/dt, over density matrices.

    Parameters
    ----------
    error : (N^2, N^2)
        Of each element, >= 0.
    """
    size = math.isqrt(len(error))
    if not np.all(np.isfinite(error)):
        return math.inf
    # |rho_cd| <= sqrt(rho_cc rho_dd): the largest value of a quadratic form for each row
    return float(np.linalg.norm(error.reshape(-1, size, size), 2, axis=(1, 2)).max())


def growth(generator: Matrix) -> float:
    """The largest real part of an eigenvalue, the steady state's left out; < 0 if all relax."""
    values = np.linalg.eigvals(generator)
    others = np.delete(values.real, np.argmin(np.abs(values)))
    return float(others.max(initial=-np.inf)) if len(others) else 0.0


def carried(error: float, source: float, rate: float, time: float) -> float:
    """The solution of de/dt = rate e + source after a time, from `error`."""
    if rate * time > _OVERFLOW:
        return math.inf if error or source else 0.0
    gained = time if rate * time == 0 else math.expm1(rate * time) / rate
    return error * math.exp(rate * time) + source * gained


def errors_of_constant(
    generator: Matrix, error: Numbers, times: Sequence[float], initial: float = 0.0
) -> Numbers:
    """The error of each state under a constant generator; `initial` is that at t = 0."""
    source = felt(error)
    if not source and not initial:
        return np.zeros(len(times))
    rate = growth(generator)
    return np.array([carried(initial, source, rate, time) for time in times])


class Misfit(NamedTuple):
    """The error of each element of K_2 at a time."""

    time: float
    error: Numbers


def errors_of_transient(
    free: Matrix,
    transient: FiniteTime,
    integration: Numbers,
    times: Sequence[float],
    second: Sequence[Misfit] = (),
) -> Numbers:
    """The error of each state under a time-dependent generator.

    Parameters
    ----------
    free : (N^2, N^2)
        K_0.
    transient
        With what rounding and its integration leave in K(t).
    integration : (times,)
        Of the states, as if nothing were unstable.
    times
        Ascending.
    second
        What the baths' representation leaves in the elements of K_2 at ascending times, the last
        of which is inf: between two the larger.  Higher orders K_n are taken to share its size
        relative to K_2, n/2 times, because n/2 baths' C enter.
    """
    size = math.isqrt(len(free))
    measured = [(x.time, felt(x.error)) for x in second]
    steps = [
        (time, max(off, before))
        for (time, off), before in zip(measured, [0.0, *(x for _, x in measured)], strict=False)
    ] or [(math.inf, 0.0)]
    ends, gained, swollen = [0.0], [0.0], [1.0]
    known, rate = 0.0, 0.0
    for panel in transient.panels:
        # the Legendre polynomials are 1 at the end
        matrices = {n: values.sum(axis=0) for n, values in panel.coefficients.items()}
        if panel.end >= _NEXT * known:
            known, rate = panel.end, growth(free + np.sum(list(matrices.values()), axis=0))
        for time, off in steps:
            length = min(time, panel.end) - ends[-1]
            if length <= 0:
                continue
            source = size * sum(panel.error.values()) + _represented(matrices, off)
            ends.append(min(time, panel.end))
            gained.append(carried(gained[-1], source, rate, length))
            swollen.append(carried(swollen[-1], 0.0, max(rate, 0.0), length))
    found = np.interp(times, ends, gained) + integration * np.interp(times, ends, swollen)
    found[np.isnan(found)] = math.inf  # between a finite error and an infinite one
    late = np.array([time > ends[-1] for time in times], dtype=bool)
    if np.any(late):
        rate = growth(free + np.sum(list(transient.limit.values()), axis=0))
        source = size * sum(transient.rounding.values())
        source += _represented(transient.limit, measured[-1][1] if measured else 0.0)
        found[late] = [
            carried(gained[-1], source, rate, length)
            + carried(left * swollen[-1], 0.0, max(rate, 0.0), length)
            for length, left in zip(
                np.asarray(times)[late] - ends[-1], integration[late], strict=True
            )
        ]
    return found


def _represented(generators: Mapping[int, Matrix], second: float) -> float:
    """What a representation with this error at second order leaves in all orders."""
    if not second:
        return 0.0
    sizes = {n: float(np.abs(k).max()) for n, k in generators.items()}
    return second * (1 + sum(n / 2 * x / sizes[2] for n, x in sizes.items() if n > 2 and sizes[2]))


def error_of_steady(generator: Matrix, error: Numbers, state: Matrix) -> float:
    """The largest error of an element of the steady state, to first order in the generator's."""
    size = len(state)
    vector, trace = state.reshape(-1), np.eye(size).reshape(-1)
    # the shift moves the eigenvalue 0 away and leaves all others
    shifted = generator - max(float(np.abs(generator).max()), 1e-300) * np.outer(vector, trace)
    with np.errstate(all="ignore"):
        try:
            response = np.abs(np.linalg.inv(shifted))
        except np.linalg.LinAlgError:  # rounding is all there is beside the largest elements
            return math.inf
        return float((response @ (error @ np.abs(vector))).max())


def require_known(errors: Numbers, states: Matrix, what: str) -> None:
    """Refuse states that the error of their generator makes meaningless.

    Parameters
    ----------
    errors : (times,)
    states : (times, N, N)
    what
        The method, for the message.

    Raises
    ------
    NotYetDerivable
        If an error is not small against max(1, the largest element of its state).
    """
    sizes = np.maximum(1.0, np.abs(states).max(axis=(1, 2)))
    worst = float((errors / sizes).max(initial=0.0))
    if not worst <= MEANINGLESS:
        raise NotYetDerivable(
            "generator",
            what,
            f"its error leaves one of {f'about {worst:.1g}' if worst < math.inf else 'any size'} "
            "in the states",
            "ask for earlier times, a lower order, or a bath without very slow exponents",
        )


def lowest_eigenvalue(states: Matrix) -> float:
    """The most negative eigenvalue of any of the states (their Hermitian parts)."""
    hermitian = (states + states.conj().swapaxes(-1, -2)) / 2
    return float(np.linalg.eigvalsh(hermitian).min(initial=0.0))


def require_positive(lowest: float, before: float, error: float, what: str) -> None:
    """Refuse states that are none.

    Parameters
    ----------
    lowest, before
        The lowest eigenvalue or population of the states, and of the one they started from.
    error
        Of the states' elements.
    what
        The method, for the message.

    Raises
    ------
    NotYetDerivable
        If it lies below `before` (or 0) by more than `ABSURD` and the error.
    """
    if not lowest >= min(before, 0.0) - ABSURD - error:
        raise NotYetDerivable(
            "generator",
            what,
            f"the states mean nothing: their lowest eigenvalue is {lowest:.3g}",
            "the expansion does not hold at this coupling: weaken it, or ask for a lower order, "
            "another method or earlier times",
        )


def require_finite(states: Matrix, generator: Matrix) -> None:
    """Refuse states that have overflown, with the reason.

    Raises
    ------
    NotYetDerivable
        If an element is not finite, or larger than `LARGEST`.
    """
    if not np.abs(states).max(initial=0.0) < LARGEST:
        raise NotYetDerivable(
            "generator",
            "",
            "the states overflow: an eigenvalue with the positive real part "
            f"{growth(generator):.3g} grows without bound",
            "ask for earlier times or a lower order; this truncated expansion is unstable",
        )
