"""The ground state of system and baths traced over the baths, to fourth order in the coupling.

At T = 0 the mean-force state is Tr_B |Psi><Psi|, Psi = psi_0 + psi_1 + ... of Rayleigh-Schroedinger
perturbation theory on |0> and the vacuum; psi_n holds at most n quanta.  Energies count from E_0.
A unitary of the baths alone, the displacement by -S_00 g/w, leaves the reduced state and turns

    S -> S - S_00,     H_S -> H_S - 2 lam S_00 S + const,     lam = (1/pi) int_0^inf dw J(w)/w,

after which no amplitude has a denominator that is w alone and J ~ w^s with s > 0 suffices.  With
nodes mu of a quadrature over w of every bath and R = -1/(E_n + sum of its w) the amplitudes are

    psi_1,n(mu)    = R S_n0,                    psi_2,n = R {sum_mu c_mu S psi_1(mu) + V}_n0,
    psi_2,n(mu,nu) = R {S_nu psi_1(mu) + S_mu psi_1(nu)}_n,
    psi_3,n(mu)    = R {S_mu psi_2 + sum_nu c_nu S_nu psi_2(mu,nu) + (V - E_2) psi_1(mu)}_n,
    psi_4,n        = R {sum_mu c_mu S_mu psi_3(mu) + (V - E_2) psi_2}_n,

V the shift of H_S above, of second order, and c_mu the weights of C(-i tau) = sum c_mu
e^{-w_mu tau}.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pertsym.dynamics.imaginary_modes import ImaginaryTimeModes

_Array = NDArray[np.float64]
Matrix = NDArray[np.complex128]

_BLOCK: Final = 200_000  # amplitudes of two quanta held at once


class Raw(NamedTuple):
    """Second and fourth order of Tr_B |Psi><Psi| with <0|Psi> = 1, shape (N, N) each."""

    second: Matrix
    fourth: Matrix


def ground_state(
    energies: Sequence[float], operators: Sequence[Matrix], baths: Sequence[ImaginaryTimeModes]
) -> Raw:
    """The expansion for baths of discrete modes, exactly.

    Parameters
    ----------
    energies
        E_n, in any order; the lowest is not degenerate.
    operators, baths
        One Hermitian operator (N, N) for each independent bath, at beta = inf.
    """
    levels = np.asarray(energies, dtype=float)
    lowest = int(np.argmin(levels))
    gaps = levels - levels[lowest]
    s, shift = _displaced(lowest, operators, baths)
    w = np.concatenate([np.array(bath.frequencies) for bath in baths])
    c = np.concatenate([np.array(bath.weights) for bath in baths])
    owner = np.repeat(np.arange(len(baths)), [len(bath.weights) for bath in baths])
    apart = np.where(np.arange(len(levels)) == lowest, np.inf, gaps)  # Q of the vacuum
    one = gaps + w[:, None]
    psi1 = -s[owner, :, lowest] / one
    emitted = np.einsum("bnj,mj->bmn", s, psi1)  # S_b psi_1(mu) for every bath b
    back = c @ emitted[owner, np.arange(len(w))]
    psi2 = -(back + shift[:, lowest]) / apart
    energy = back[lowest].real
    system = shift - energy * np.eye(len(levels))
    absorbed, pairs = _two_quanta(gaps, s, w, c, owner, emitted)
    psi3 = -(np.einsum("mnj,j->mn", s[owner], psi2) + absorbed + psi1 @ system.T) / one
    psi4 = -(np.einsum("m,mnj,mj->n", c, s[owner], psi3) + system @ psi2) / apart
    vacuum = np.eye(len(levels))[lowest]
    crossed = (c[:, None] * psi3).T @ psi1.conj() + np.outer(psi4, vacuum)
    second = np.outer(psi2, vacuum)
    second = second + second.conj().T + (c[:, None] * psi1).T @ psi1.conj()
    fourth = crossed + crossed.conj().T + np.outer(psi2, psi2.conj()) + pairs
    return Raw(second, fourth)


def _displaced(
    lowest: int, operators: Sequence[Matrix], baths: Sequence[ImaginaryTimeModes]
) -> tuple[Matrix, Matrix]:
    """S_b - S_b,00 of each bath, (baths, N, N), and V with V_00 = 0."""
    s = np.array(operators, dtype=np.complex128)
    own = s[:, lowest, lowest].real
    s = s - own[:, None, None] * np.eye(s.shape[1])
    reorganisation = np.array(
        [np.sum(np.array(bath.weights) / np.array(bath.frequencies)) for bath in baths]
    )
    return s, np.einsum("b,bnm->nm", -2 * own * reorganisation, s)


def _two_quanta(
    gaps: _Array, s: Matrix, w: _Array, c: _Array, owner: NDArray[np.intp], emitted: Matrix
) -> tuple[Matrix, Matrix]:
    """sum_nu c_nu S_nu psi_2(mu, nu), shape (modes, N), and the part of the state, (N, N)."""
    modes, size = len(w), len(gaps)
    absorbed: Matrix = np.zeros((modes, size), dtype=np.complex128)
    pairs: Matrix = np.zeros((size, size), dtype=np.complex128)
    rows = max(1, _BLOCK // max(1, modes * size))
    for start in range(0, modes, rows):
        here = np.arange(start, min(start + rows, modes))
        amplitude = emitted[:, here][owner].transpose(1, 0, 2) + emitted[owner[here]]
        amplitude /= -(gaps + (w[here, None] + w)[:, :, None])
        weighted = c[:, None] * amplitude
        for bath, operator in enumerate(s):
            absorbed[here] += weighted[:, owner == bath].sum(axis=1) @ operator.T
        weighted *= c[here, None, None] / 2
        pairs += weighted.reshape(-1, size).T @ amplitude.reshape(-1, size).conj()
    return absorbed, pairs
