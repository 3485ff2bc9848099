"""The second-order generator from Ĉ and P themselves, with its error, for every kind of bath.

K_2 rho = sum_a [Lam rho, S] + h.c. with Lam_ab = S_ab G(E_b - E_a) and
G(w) = Ĉ(w)/2 - (i/2pi) P(w), Ĉ(w > 0) = 2 J(w) [n(w) + 1].
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pertsym.baths.correlation import Correlation
from pertsym.baths.divergence import Divergent
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
        values, errors, missing = _half_sided(system, operator, name, correlations[name])
        total += redfield_term(operator, operator * values)
        error += _bound(operator, errors)
        for reason, places, factor in missing:
            response = np.abs(redfield_term(operator, factor * operator * places))
            for row, column in np.argwhere(response > _ABSENT * np.abs(operator).max() ** 2):
                divergent.setdefault((int(row), int(column)), reason)
    return Term(total, error + _ROUNDING * np.abs(total), divergent)


def _half_sided(
    system: System, operator: Array, name: str, correlation: Correlation
) -> tuple[Array, Array, list[tuple[str, Array, complex]]]:
    """G(E_b - E_a) wherever the operator has an element, its error, and what does not exist.

    The last are (reason, where, factor): the part factor * infinity of G at these elements.
    """
    values = np.zeros(operator.shape, dtype=complex)
    errors = np.zeros(operator.shape)
    missing: list[tuple[str, Array, complex]] = []
    frequencies = -system.gaps
    for w in np.unique(frequencies[operator != 0]):
        here = (frequencies == w) & (operator != 0)
        for quantity, factor in (
            (correlation.spectrum, 0.5),
            (correlation.transform, -0.5j / math.pi),
        ):
            try:
                value, error = quantity(float(w))
            except Divergent as fault:
                missing.append((f"{fault.reason}, bath {name}", here, factor))
            else:
                values[here] += factor * value
                errors[here] += abs(factor) * error
    return values, errors, missing


def redfield_term(operator: Array, filtered: Array) -> Array:
    """rho -> [Lam rho, S] + h.c. for S and Lam, as an N^2 x N^2 matrix."""
    one = np.eye(len(operator))
    # A rho B is kron(A, B^T) over row-major vec
    result: Array = np.kron(filtered, operator.T) + np.kron(operator, filtered.conj())
    result -= np.kron(operator @ filtered, one)
    result -= np.kron(one, (filtered.conj().T @ operator).T)
    return result


def _bound(operator: Array, errors: Array) -> Array:
    """What errors of G can do, element by element."""
    size, one = np.abs(operator), np.eye(len(operator))
    off = size * errors
    result: Array = np.kron(off, size.T) + np.kron(size, off)
    result += np.kron(size @ off, one) + np.kron(one, (off.T @ size).T)
    return result
