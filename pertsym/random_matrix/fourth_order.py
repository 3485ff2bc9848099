"""Two levels at one conserved total energy: relaxation rate and asymptotic z to fourth order.

At leading order in 1/N the self-energy of level s is Sigma_s(E) = |S_01|^2 v g(E - E_o - Sigma_o),
o the other level, and the populations at total energy E relax at the pole

    rate = -2 Im [Sigma_0 + Sigma_1](E - i rate/2)

of the ladder of non-crossing pairings (derived and checked against the engine's fourth-order
cumulant in `derivations/esposito_gaspard_2003`).  With g_s = g(E - E_s + i0) and v = 1/16:

    rate^(2) = -2 v |S_01|^2 Im(g_0 + g_1)
    rate^(4) = 2 v^2 |S_01|^4 sum_s [Im g_s' Re g_o - Re g_s' Im g_s],   o the other level
    z^(0) = (n_1 - n_0)/(n_1 + n_0),  n_s = -Im g_s
    z^(2) = 2 [d_1 n_0 - n_1 d_0]/(n_1 + n_0)^2,  d_s = v |S_01|^2 Im(g_s' g_o)

(g_s' on the right: the derivative).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pertsym.baths.divergence import Divergent
from pertsym.random_matrix.ensemble import RADIUS, VARIANCE, resolvent


@dataclass(frozen=True)
class ConservedEnergy:
    """Contributions of each order at one total energy.

    Attributes
    ----------
    rates
        Order -> contribution to the relaxation rate of z.
    z_infinity
        Order -> contribution to the asymptotic z = P_1 - P_0.
    """

    rates: dict[int, float]
    z_infinity: dict[int, float]


def conserved_energy(
    energies: tuple[float, float], strength: float, total: float
) -> ConservedEnergy:
    """Rates and asymptotic z for the total energy `total` of system and environment.

    Parameters
    ----------
    energies
        E_0 < E_1.
    strength
        |S_01|^2.
    total
        E; the environment has E - E_s while the system is in level s.

    Raises
    ------
    Divergent
        If no state has this total energy, or a level is at an edge of the band, where dg/dE is
        not finite.
    """
    environment = total - np.array(energies)
    if np.all(np.abs(environment) >= RADIUS):
        raise Divergent(
            f"no state of the environment lies at {environment[0]:g} or {environment[1]:g}: "
            f"there is nothing at the total energy {total:g}"
        )
    if np.any(np.abs(environment) == RADIUS):
        raise Divergent(
            f"dg/dE ~ r^-1 with r -> 0: a level is at an edge of the band ({-RADIUS}, {RADIUS})"
        )
    g, slope = resolvent(environment), _slope(environment)
    other, coupling = g[::-1], strength * VARIANCE
    n, shift = -g.imag, coupling * (slope * other).imag
    second = 2 * coupling * n.sum()
    fourth = 2 * coupling**2 * (slope.imag * other.real - slope.real * g.imag).sum()
    z0 = (n[1] - n[0]) / n.sum()
    z2 = 2 * (shift[1] * n[0] - n[1] * shift[0]) / n.sum() ** 2
    return ConservedEnergy({2: float(second), 4: float(fourth)}, {0: float(z0), 2: float(z2)})


def _slope(energy: Any) -> Any:
    """dg/dE on the real axis, from above."""
    x = np.asarray(energy, dtype=complex)
    root = np.sqrt(x - RADIUS) * np.sqrt(x + RADIUS)
    return 2 / RADIUS**2 * (1 - x / root)
