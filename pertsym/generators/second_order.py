"""The second-order generator from Ĉ and P themselves, with its error, for every kind of bath.

K_2 rho = sum_a [Lam rho, S] + h.c. with Lam_ab = S_ab G(E_b - E_a) and
G(w) = Ĉ(w)/2 - (i/2pi) P(w), Ĉ(w > 0) = 2 J(w) [n(w) + 1].  The parts of P that are even and odd
in w act by themselves, so that what cancels of the one leaves the digits of the other: at
frequencies far below the cutoff P(w) and P(-w) are nearly equal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pertsym.baths.correlation import Correlation
from pertsym.baths.divergence import Divergent
from pertsym.estimate import Estimate
from pertsym.generators.system import Array, System

_ROUNDING = 4 * np.finfo(float).eps
_ABSENT = 1e-14  # of the largest: an element that a divergent number does not enter


@dataclass(frozen=True, eq=False)
class Term:
    """One order of the generator.

    Attributes
    ----------
    matrix
        N^2 x N^2 over row-major vec.
    error
        Bound on the modulus of each element's error.
    divergent
        (row, column) -> why this element does not exist; its number in `matrix` means nothing.
    not_derived
        (row, column) -> why this element, which exists, could not be computed; nan in `matrix`.
    """

    matrix: Array
    error: Array
    divergent: Mapping[tuple[int, int], str]
    not_derived: Mapping[tuple[int, int], str] = field(default_factory=dict)

    @classmethod
    def exact(cls, matrix: Array) -> Term:
        """A matrix that is known up to rounding."""
        return cls(matrix, _ROUNDING * np.abs(matrix), {})


def second_order(system: System, correlations: Mapping[str, Correlation]) -> Term:
    """K_2 for t -> infinity, element by element.

    An element that needs a value of Ĉ or P that does not exist is named in `divergent`; all
    others are right whatever diverges elsewhere.
    """
    size = system.dimension
    total = np.zeros((size**2, size**2), dtype=complex)
    error = np.zeros((size**2, size**2))
    divergent: dict[tuple[int, int], str] = {}
    for name, operator in system.operators.items():
        parts, missing = _half_sided(system, operator, name, correlations[name])
        for even, (values, errors) in zip((False, True), parts, strict=True):
            total += redfield_term(operator, operator * values)
            error += _bound(operator, errors, system.gaps if even else None)
            error += _ROUNDING * _bound(operator, np.abs(values), system.gaps if even else None)
        for reason, places, factor in missing:
            response = np.abs(redfield_term(operator, factor * operator * places))
            for row, column in np.argwhere(response > _ABSENT * np.abs(operator).max() ** 2):
                divergent.setdefault((int(row), int(column)), reason)
    return Term(total, error, divergent)


def _half_sided(
    system: System, operator: Array, name: str, correlation: Correlation
) -> tuple[list[tuple[Array, Array]], list[tuple[str, Array, complex]]]:
    """G(E_b - E_a) wherever the operator has an element, its error, and what does not exist.

    The first are two parts of G with their errors, the second one that of P even in w; the others
    are (reason, where, factor): the part factor * infinity of G at these elements.
    """
    present = operator != 0
    frequencies, places = np.unique(-system.gaps[present], return_inverse=True)
    places = places.reshape(-1)
    missing: list[tuple[str, Array, complex]] = []
    found = [np.zeros((2, len(frequencies)), dtype=complex) for _ in range(2)]

    def take(part: int, factor: complex, known: tuple[Array, Array, dict[int, str]]) -> None:
        found[part] += factor * known[0], abs(factor) * known[1]
        for k, reason in known[2].items():
            here = present & (-system.gaps == frequencies[k])
            missing.append((f"{reason}, bath {name}", here, factor))

    take(0, 0.5, _at_all(correlation.spectrum, frequencies))
    try:
        odd, even = _parts(correlation, frequencies)
    except Divergent:  # one of them may exist where the other does not
        take(0, -0.5j / math.pi, _at_all(correlation.transform, frequencies))
    else:
        take(0, -0.5j / math.pi, odd)
        take(1, -0.5j / math.pi, even)
    parts = []
    for value, error in found:
        both = np.zeros((2, *operator.shape), dtype=complex)
        both[:, present] = value[places], error[places]
        parts.append((both[0], both[1].real))
    return parts, missing


def _parts(
    correlation: Correlation, frequencies: Array
) -> Iterator[tuple[Array, Array, dict[int, str]]]:
    """The odd and the even part of P at all frequencies, with their errors.

    Raises
    ------
    Divergent
        If P does not exist at one of them or at its negative.
    """
    size, places = np.unique(np.abs(frequencies), return_inverse=True)
    zero = size == 0
    for parity in (-1, 1):
        value, error = np.zeros((2, len(size)))
        if np.any(zero) and parity > 0:
            value[zero], error[zero] = correlation.transform(0.0)
        if not np.all(zero):
            value[~zero], error[~zero] = correlation.transform_part(size[~zero], 0, parity)
        sign = np.sign(frequencies) if parity < 0 else 1.0
        yield sign * value[places], error[places], {}


def _at_all(
    quantity: Callable[[Any], Estimate], frequencies: Array
) -> tuple[Array, Array, dict[int, str]]:
    """Values and errors by one call for all frequencies, and the reason where there is none."""
    values, errors = np.zeros(len(frequencies)), np.zeros(len(frequencies))
    divergent: dict[int, str] = {}
    # P(0) has a rule of its own
    pending = [np.flatnonzero(frequencies == 0), np.flatnonzero(frequencies)]
    while pending:
        part = pending.pop()
        if not len(part):
            continue
        asked = float(frequencies[part[0]]) if len(part) == 1 else frequencies[part]
        try:
            values[part], errors[part] = quantity(asked)
        except Divergent as fault:
            if len(part) == 1:
                divergent[int(part[0])] = fault.reason
            else:  # not all of them diverge
                pending += [part[: len(part) // 2], part[len(part) // 2 :]]
    return values, errors, dict(sorted(divergent.items()))


def redfield_terms(operator: Array, filtered: Array) -> Array:
    """rho -> [Lam rho, S] + h.c. for S and Lam at many times, (times, N^2, N^2)."""
    # rho_ab <- A_ac rho_cd B_db
    half: Array = filtered[:, :, None, :, None] * operator.T[:, None, :]
    add_left(half, -operator @ filtered)
    return with_conjugate(half)


def add_left(superoperators: Array, operators: Array) -> None:
    """Add rho -> A rho, in place: (times, N, N) to (times, N, N, N, N)."""
    diagonal = np.arange(operators.shape[-1])
    # the two index arrays are not adjacent, so their axis comes first
    superoperators[:, :, diagonal, :, diagonal] += operators


def with_conjugate(superoperators: Array) -> Array:
    """X + the conjugate of X with both pairs of indices exchanged, (times, N^2, N^2)."""
    times, size = superoperators.shape[:2]
    total: Array = superoperators + superoperators.conj().transpose(0, 2, 1, 4, 3)
    return total.reshape(times, size**2, size**2)


def redfield_term(operator: Array, filtered: Array) -> Array:
    """rho -> [Lam rho, S] + h.c. for S and Lam, as an N^2 x N^2 matrix."""
    result: Array = redfield_terms(operator, filtered[None])[0]
    return result


def _bound(operator: Array, errors: Array, even: Array | None = None) -> Array:
    """What errors of G can do, element by element.

    With the gaps given as `even`, G is imaginary and the same at w and -w, its error included.
    """
    size, number = np.abs(operator), len(operator)
    one, off = np.eye(number), size * errors
    both: Array = np.kron(off, size.T) + np.kron(size, off)
    around = np.kron(size @ off, one) + np.kron(one, (off.T @ size).T)
    if even is not None:
        # rho -> Lam rho S + S rho Lam^+: the same number twice with opposite signs
        gap = np.abs(even)
        both[np.equal(gap[:, None, :, None], gap[None, :, None, :]).reshape(both.shape)] = 0.0
        # rho_ab -> rho_ab by way of b on the left and of a on the right
        twice = 2 * size * off * (1 - one)
        diagonal = np.arange(number**2)
        around[diagonal, diagonal] -= twice.reshape(-1)
        around = np.maximum(around, 0.0)
    result: Array = both + around
    return result
