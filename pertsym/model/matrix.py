"""Hermitian matrices: read from a file, and brought to the energy eigenbasis."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pertsym.exact import Gaussian
from pertsym.model.read import Place, array, gaussian
from pertsym.model.values import Matrix

_ASYMMETRY = Fraction(1, 10**13)  # of the largest part: rounding of a printed matrix, not intent
_PHASE_TIE = 1e-8  # relative; components this close to the largest count as largest
_NOISE = 1e-15  # of the largest part of a transformed operator


def hermitian_matrix(value: object, place: Place, size: int | None = None) -> Matrix:
    """Read a square Hermitian matrix of numbers or [re, im] pairs, exactly as written.

    Asymmetry at the level of rounding (1e-13 of the largest part) is averaged away; anything
    larger is an error that names the entry.

    Raises
    ------
    InputError
        If the shape is wrong, an entry is no finite number, or the matrix is not Hermitian.
    """
    rows = array(value, place, of="rows")
    expected = len(rows) if size is None else size
    if len(rows) != expected:
        raise place.error(
            f"has {len(rows)} rows, but the system has {expected} levels",
            f"give a {expected} x {expected} matrix",
        )
    entries: list[list[Gaussian]] = []
    for i, row in enumerate(rows):
        cells = array(row, place.item(i), of="matrix elements")
        if len(cells) != expected:
            raise place.item(i).error(
                f"has {len(cells)} entries, not {expected}",
                f"give a {expected} x {expected} matrix",
            )
        entries.append([gaussian(cell, place.item(i).item(j)) for j, cell in enumerate(cells)])
    return _symmetrised(entries, place)


def _symmetrised(entries: Sequence[Sequence[Gaussian]], place: Place) -> Matrix:
    largest = max(_size(entry) for row in entries for entry in row)
    for i, row in enumerate(entries):
        for j in range(i + 1):
            mirrored = entries[j][i].conjugate()
            if _size(row[j] - mirrored) > _ASYMMETRY * largest:
                pair = (
                    "a diagonal entry must be real"
                    if i == j
                    else f"[{j}][{i}] is {_decimal(entries[j][i])}"
                )
                here = place.item(i).item(j)
                raise here.error(
                    f"not Hermitian: this entry is {_decimal(row[j])}, {pair}",
                    "make the matrix equal to its conjugate transpose",
                )
    return tuple(
        tuple((entry + entries[j][i].conjugate()) * Fraction(1, 2) for j, entry in enumerate(row))
        for i, row in enumerate(entries)
    )


def _size(number: Gaussian) -> Fraction:
    return max(abs(number.re), abs(number.im))


def _decimal(number: Gaussian) -> str:
    value = complex(number)
    return f"{value.real:g}" if not value.imag else f"[{value.real:g}, {value.imag:g}]"


def to_eigenbasis(
    hamiltonian: Matrix, operators: Sequence[Matrix]
) -> tuple[tuple[float, ...], tuple[Matrix, ...]]:
    """Diagonalise H_S and express the operators in its eigenbasis.

    Energies ascend.  The phase of each eigenvector makes the first component within 1e-8
    (relative) of its largest real positive; inside an exactly degenerate subspace no basis is
    promised.  Parts of operator entries below 1e-15 of the operator's largest are set to zero.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the diagonalisation does not converge.
    """
    energies, vectors = eigenbasis(hamiltonian)
    return energies, in_basis(vectors, operators)


def in_basis(vectors: NDArray[np.inexact], operators: Sequence[Matrix]) -> tuple[Matrix, ...]:
    """V^+ S V of each operator, cleaned of rounding as in `to_eigenbasis`."""
    return tuple(_cleaned(vectors.conj().T @ _array(operator) @ vectors) for operator in operators)


def eigenbasis(hamiltonian: Matrix) -> tuple[tuple[float, ...], NDArray[np.inexact]]:
    """Ascending energies, and the eigenvectors as columns in the phases of `to_eigenbasis`.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the diagonalisation does not converge.
    """
    energies, vectors = np.linalg.eigh(_array(hamiltonian))
    if not (np.all(np.isfinite(energies)) and np.all(np.isfinite(vectors))):
        raise np.linalg.LinAlgError("the eigenvalues are not finite")
    return tuple(float(energy) for energy in energies), vectors * _phases(vectors)


def _array(matrix: Matrix) -> NDArray[np.complex128] | NDArray[np.float64]:
    """Return doubles, real if all entries are: eigenvectors are then real too."""
    values = np.array([[complex(entry) for entry in row] for row in matrix])
    return values if np.any(values.imag) else np.ascontiguousarray(values.real)


def _phases(vectors: NDArray[np.inexact]) -> NDArray[np.inexact]:
    """Return the factor of each column that realises the phase convention."""
    size = np.abs(vectors)
    leading = np.argmax(size >= (1 - _PHASE_TIE) * size.max(axis=0), axis=0)
    component = vectors[leading, np.arange(vectors.shape[1])]
    phases: NDArray[np.inexact] = component.conj() / np.abs(component)
    return phases


def _cleaned(operator: NDArray[np.inexact]) -> Matrix:
    values = (operator + operator.conj().T) / 2
    parts = values.real.copy(), values.imag.copy()
    threshold = _NOISE * max(float(np.abs(part).max()) for part in parts)
    for part in parts:
        part[np.abs(part) < threshold] = 0.0
    return tuple(
        tuple(Gaussian.of(float(x), float(y)) for x, y in zip(*rows, strict=True))
        for rows in zip(*parts, strict=True)
    )
