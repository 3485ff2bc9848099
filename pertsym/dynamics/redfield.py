"""The Redfield equation: the generator to second order at t -> infinity, full or secular."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.divergence import Divergent
from pertsym.dynamics.levels import bohr_frequencies, merged, rounding_of
from pertsym.generators.representation import correlations_of
from pertsym.generators.second_order import Term, second_order
from pertsym.generators.system import System
from pertsym.generators.tcl import tcl_generator
from pertsym.model.values import AnyModel, Model, numeric

Matrix = NDArray[np.complex128]

_SEPARATED = 0.3


def redfield(model: AnyModel, secular: bool = False) -> Matrix:
    """-i[H_S, .] + R, the asymptotic time-local generator to second order (TCL2).

    R rho = sum_a (Lam_a rho S_a + S_a rho Lam_a^+ - S_a Lam_a rho - rho Lam_a^+ S_a) with
    Lam_nm = S_nm G(E_m - E_n), one a for each bath.

    Parameters
    ----------
    model
        Any number of levels and baths; no common temperature is needed.  A Markov chain enters by
        its mean and its two-time correlation function.
    secular
        Keep the element rho_cd -> d(rho_ab)/dt only where E_a - E_b = E_c - E_d to rounding of
        the energies.  With non-degenerate Bohr frequencies these are the Pauli rates
        W_nm = |S_nm|^2 Ĉ(E_m - E_n) between populations and the damping of each coherence by
        itself; transfer between degenerate frequencies is kept.

    Returns
    -------
    ndarray
        Shape (N^2, N^2), in energy units (hbar = 1).

    Raises
    ------
    Divergent
        If G does not exist at a transition frequency of a coupling.
    """
    model = numeric(model)
    energies = merged(model.energies)
    total = unitary(energies) + relaxation(model).matrix
    return secular_part(total, energies) if secular else total


def unitary(energies: Sequence[float]) -> Matrix:
    """-i[H_S, .], shape (N^2, N^2)."""
    return np.diag(-1j * bohr_frequencies(energies).reshape(-1)).astype(np.complex128)


def relaxation(model: Model) -> Term:
    """R, all that order 2 (of Markov chains order 1 too) adds to K_0, Lamb shift included.

    Raises
    ------
    Divergent
        If an element does not exist.
    """
    if model.used_markov:
        terms = [term for n, term in tcl_generator(model, 2).orders.items() if n]
        matrix = np.sum([term.matrix for term in terms], axis=0)
        return Term(matrix, np.sum([term.error for term in terms], axis=0), {})
    system = System(bohr_frequencies(merged(model.energies)), System.of(model).operators)
    term = second_order(system, correlations_of(model))
    for reason in term.divergent.values():
        raise Divergent(reason)
    return term


def unresolved(model: Model) -> str | None:
    """Why equations that hold different Bohr frequencies apart are doubtful here, if they are.

    The secular approximation drops, and the CCQME eliminates, what relaxation transfers between
    elements ab and cd of rho at different frequencies: right as long as |R_ab,cd| is small
    against their difference.

    Returns
    -------
    str or None
        The pair that relaxation couples most strongly for its difference, if more than
        0.3 times it.
    """
    energies = merged(model.energies)
    frequencies = bohr_frequencies(energies).reshape(-1)
    distance = np.abs(frequencies[:, None] - frequencies[None, :])
    apart = distance > rounding_of(energies)
    transfer = np.abs(relaxation(model).matrix)
    ratio = np.where(apart, transfer, 0.0) / np.where(apart, distance, 1.0)
    row, column = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
    if ratio[row, column] <= _SEPARATED:
        return None
    size = len(energies)
    one, other = (f"rho_{k // size},{k % size}" for k in sorted((int(row), int(column))))
    return (
        f"relaxation couples {one} and {other} at {transfer[row, column]:.2g}, their frequencies "
        f"differ by {distance[row, column]:.2g} only (energy units)"
    )


def secular_part(generator: Matrix, energies: Sequence[float]) -> Matrix:
    """Elements of a superoperator that conserve the Bohr frequency, all others set to 0."""
    frequencies = bohr_frequencies(energies).reshape(-1)
    same = np.abs(frequencies[:, None] - frequencies[None, :]) <= rounding_of(energies)
    kept: Matrix = np.where(same, generator, 0.0)
    return kept
