"""The canonically consistent quantum master equation, drho/dt = -i[H_S, rho] + R[(1 - Q) rho].

Q is chosen such that Q rho_Gibbs is the second-order term of the mean-force Gibbs state, which
therefore is stationary to second order.  With h_a(w) = Im G_a(w) of bath a,

    (Q rho)_nm = R[rho]_nm/(i D_nm),  n != m,  D_nm = E_n - E_m,
    (Q rho)_nn = sum_a sum_m |S_a,nm|^2 {h_a'(D_nm) rho_nn - h_a'(D_mn) rho_mm}
                 - beta {x_n rho_nn - p_n sum_k x_k rho_kk},
    x_n = sum_a sum_m |S_a,nm|^2 h_a(D_nm),

p the Gibbs populations; for one bath and a real operator this is the map of the proton-transfer
paper with g(D) = G(-D), i.e. b(D) = h(-D), db(D) = -h'(-D).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.divergence import Divergent
from pertsym.dynamics.half_sided import Channel, at_elements, channels
from pertsym.dynamics.levels import bohr_frequencies, boltzmann, common_temperature, merged
from pertsym.dynamics.redfield import relaxation, secular_part, unitary
from pertsym.model.errors import InputError
from pertsym.model.values import AnyModel, numeric

Matrix = NDArray[np.complex128]


def ccqme(model: AnyModel, secular: bool = False) -> Matrix:
    """The generator of the CCQME, shape (N^2, N^2), energy units.

    Parameters
    ----------
    model
        Any number of levels and baths, all quantum baths at one temperature > 0.
    secular
        Keep of R and of Q only what conserves the Bohr frequency (as in `redfield`): the
        populations then obey dp/dt = W (1 - Q) p among themselves.

    Raises
    ------
    InputError
        If the baths have no common temperature, or are at T = 0, where Q does not exist.
    Divergent
        If two levels that the baths couple are degenerate, so that Q divides by zero; or if G or
        its derivative does not exist at a transition frequency.
    """
    model = numeric(model)
    beta = common_temperature(model)
    if math.isinf(beta):
        raise InputError(
            model.name,
            "temperature",
            "the CCQME does not exist at T = 0: its map Q holds a term -beta Im G",
            "give T > 0, or use tcl4, whose steady state is canonical to second order too",
        )
    baths, energies = channels(model), merged(model.energies)
    r = relaxation(model).matrix
    if secular:
        r = secular_part(r, energies)
    q = coherence_map(energies, r)
    size = len(energies)
    populations = np.arange(size) * (size + 1)
    q[np.ix_(populations, populations)] = population_map(energies, baths, beta)
    return unitary(energies) + r @ (np.eye(size**2) - q)


def coherence_map(energies: Sequence[float], r: Matrix) -> Matrix:
    """The coherence rows of Q, R[.]_nm/(i D_nm), shape (N^2, N^2); population rows are 0.

    Raises
    ------
    Divergent
        If D_nm = 0 where the row of R is not 0.
    """
    gaps = bohr_frequencies(energies)
    driven = ~np.eye(len(gaps), dtype=bool) & np.any(r, axis=1).reshape(gaps.shape)
    for n, m in np.argwhere(driven & (gaps == 0)):
        raise Divergent(
            f"R[rho]_{n},{m}/(i(E_{n} - E_{m})) of the map Q: levels {n} and {m} are "
            "degenerate and R drives the coherence between them"
        )
    q, rows = np.zeros_like(r), driven.reshape(-1)
    q[rows] = r[rows] / (1j * gaps.reshape(-1, 1)[rows])
    return q


def population_map(
    energies: Sequence[float], baths: Sequence[Channel], beta: float
) -> NDArray[np.float64]:
    """Q among the populations, shape (N, N); every column sums to 0."""
    p, gaps = boltzmann(energies, beta), bohr_frequencies(energies)
    one = np.eye(len(p))
    q = np.zeros_like(one)
    for bath in baths:
        weight = np.abs(bath.operator) ** 2
        shifts = weight * at_elements(bath.transform.shift, gaps, weight).real
        slopes = weight * at_elements(bath.transform.shift, gaps, weight * (1 - one), 1).real
        q -= beta * (one - p[:, None]) * shifts.sum(axis=1)
        q += np.diag(slopes.sum(axis=1)) - slopes.T  # |n><n| to |m><m| and back
    return q
