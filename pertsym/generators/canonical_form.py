"""Unitary and dissipative parts of a generator: the canonical form with traceless operators.

Every generator that keeps trace and Hermiticity is, in exactly one way,

    K rho = -i [H, rho] + sum_k gamma_k (L_k rho L_k^+ - {L_k^+ L_k, rho}/2),

with H and all L_k traceless and tr L_j^+ L_k = delta_jk; rates gamma_k may be negative, and the
dissipator is the smallest that any choice of H leaves (Hayden and Sorce 2022; Hall, Cresser, Li,
Andersson 2014).  H of order 0 is the system's own, without its trace; of higher orders it is the
Lamb shift.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pertsym.generators.second_order import Term
from pertsym.generators.system import Array


@dataclass(frozen=True, eq=False)
class Parts:
    """A generator apart; energies and rates in its unit (hbar = 1).

    Attributes
    ----------
    hamiltonian : (N, N)
        H: Hermitian, traceless.
    dissipator : (N^2, N^2)
        The generator without -i [H, .], over row-major vec.
    rates : (N^2 - 1,)
        gamma_k, descending: the eigenvalues of the Kossakowski matrix.
    operators : (N^2 - 1, N, N)
        L_k.
    """

    hamiltonian: Array
    dissipator: Array
    rates: Array
    operators: Array

    @property
    def unitary(self) -> Array:
        """-i [H, .] as an N^2 x N^2 matrix."""
        return commutator(self.hamiltonian)


def commutator(hamiltonian: Array) -> Array:
    """-i [H, .] over row-major vec."""
    one = np.eye(len(hamiltonian))
    result: Array = -1j * (np.kron(hamiltonian, one) - np.kron(one, hamiltonian.T))
    return result


def decompose(generator: Array) -> Parts:
    """The canonical form of a generator, or of the contribution of one order to it.

    Parameters
    ----------
    generator : (N^2, N^2)
        Over row-major vec.  Should keep trace and Hermiticity; what it does not is left in the
        dissipator, so that the two parts always add up to it.

    Raises
    ------
    ValueError
        If it is not a finite N^2 x N^2 matrix.
    """
    size = math.isqrt(len(generator))
    if generator.shape != (size**2, size**2) or not np.all(np.isfinite(generator)):
        raise ValueError(
            f"generator: a matrix of shape {generator.shape} is not a finite N^2 x N^2 "
            "superoperator; give one over row-major vec, without nan or inf"
        )
    # K rho = sum M_(ac),(bd) |a><c| rho |d><b|
    tensor = generator.reshape(size, size, size, size).transpose(0, 2, 1, 3)
    matrix = tensor.reshape(size**2, size**2)
    matrix = (matrix + matrix.conj().T) / 2
    identity = np.eye(size).reshape(-1)
    column = matrix @ identity
    # what multiplies rho from the left, beside the operators without trace
    beside = column / size - identity * (identity @ column) / (2 * size**2)
    beside = beside.reshape(size, size)
    hamiltonian = 0.5j * (beside - beside.conj().T)
    traceless = np.eye(size**2) - np.outer(identity, identity) / size
    # the identity is an eigenvector, of no meaning; pushed below all others it can be dropped
    span = 2 * float(np.linalg.norm(matrix)) or 1.0
    pushed = traceless @ matrix @ traceless - span * np.outer(identity, identity) / size
    values, vectors = np.linalg.eigh(pushed)
    rates, operators = values[:0:-1], vectors.T[:0:-1].reshape(-1, size, size)
    return Parts(hamiltonian, generator - commutator(hamiltonian), rates, operators)


@dataclass(frozen=True)
class PartsError:
    """Bounds on the absolute errors of the parts of one order.

    Attributes
    ----------
    hamiltonian
        Of every element of H.
    rates
        Of every canonical rate.
    """

    hamiltonian: float
    rates: float


def parts_error(term: Term) -> PartsError:
    """What the errors of a generator's elements can do to its parts."""
    size = math.isqrt(len(term.error))
    tensor = term.error.reshape(size, size, size, size)
    single = np.einsum("acbc->ab", tensor) / size
    diagonal = float(np.einsum("abab->", tensor)) / (2 * size**2)
    # an eigenvalue moves by no more than the norm of the change (Weyl)
    # both leave some digits of the largest element to rounding
    rounding = 4 * size * np.finfo(float).eps * float(np.abs(term.matrix).max(initial=0.0))
    return PartsError(
        float(single.max()) + diagonal + rounding, float(np.linalg.norm(term.error)) + rounding
    )


def total_term(orders: Mapping[int, Term]) -> Term:
    """The sum of all orders, with the sum of their errors and everything that is missing."""
    terms = list(orders.values())
    divergent = {place: reason for term in terms for place, reason in term.divergent.items()}
    missing = {place: reason for term in terms for place, reason in term.not_derived.items()}
    matrix: Array = np.sum([term.matrix for term in terms], axis=0)
    error: Array = np.sum([term.error for term in terms], axis=0)
    return Term(matrix, error, divergent, missing)
