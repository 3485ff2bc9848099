"""Two levels at one conserved total energy: relaxation rate and asymptotic z to fourth order.

At leading order in 1/N the self-energy of level s is Sigma_s(E) = |S_01|^2 v g(E - E_o - Sigma_o),
o the other level, and the populations at total energy E relax at the pole

    rate = -2 Im [Sigma_0 + Sigma_1](E - i rate/2)

of the ladder of non-crossing pairings.  Its expansion (`pertsym.equations.conserved_energy`,
checked against the engine's fourth-order cumulant in `derivations/esposito_gaspard_2003`) is
evaluated here with the resolvent g of the semicircle, inside and outside the band.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
import sympy

from pertsym.baths.divergence import Divergent
from pertsym.equations import conserved_energy as derived
from pertsym.random_matrix.ensemble import RADIUS, VARIANCE, resolvent, resolvent_slope


@dataclass(frozen=True)
class ConservedEnergy:
    """Contributions of each order at one total energy.

    Attributes
    ----------
    rates
        Order -> contribution to the relaxation rate of z.
    z_infinity
        Order -> contribution to the asymptotic z = P_1 - P_0.
    divergent
        Why higher contributions are left out; empty if none is.
    """

    rates: Mapping[int, float]
    z_infinity: Mapping[int, float]
    divergent: str = ""


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
        If no state has this total energy.  With a level at an edge of the band, where dg/dE is not
        finite, only the lowest contributions are there.
    """
    environment = total - np.array(energies)
    # E - E_s is rounded, and just inside an edge nothing but rounding would be amplified
    rounding = 4 * np.spacing(np.maximum(abs(total), np.abs(energies)))
    at_edge = np.abs(np.abs(environment) - RADIUS) <= rounding
    environment = np.where(at_edge, np.copysign(RADIUS, environment), environment)
    if np.all(np.abs(environment) >= RADIUS):
        raise Divergent(
            f"no state of the environment lies at {environment[0]:g} or {environment[1]:g}: "
            f"there is nothing at the total energy {total:g}"
        )
    with np.errstate(all="ignore"):
        g, slope = resolvent(environment), resolvent_slope(environment)
        rates, z = _compiled()(strength * VARIANCE, g.real, g.imag, slope.real, slope.imag)
    if np.any(at_edge):
        reason = f"dg/dE ~ r^-1 with r -> 0: a level is at an edge of the band, +-{RADIUS}"
        return ConservedEnergy(_by_order({2: rates[2]}), _by_order({0: z[0]}), reason)
    return ConservedEnergy(_by_order(rates), _by_order(z))


@cache
def _compiled() -> Callable[..., tuple[dict[int, float], dict[int, float]]]:
    """The derived series as a function of u and the parts of g_s and g_s', lower level first."""
    series = derived.conserved_energy_series()
    arguments = (derived.U, derived.RE, derived.IM, derived.RE_SLOPE, derived.IM_SLOPE)
    compiled: Callable[..., tuple[dict[int, float], dict[int, float]]] = sympy.lambdify(
        arguments, (series.rate, series.z_infinity), modules="numpy"
    )
    return compiled


def _by_order(values: Mapping[int, float]) -> Mapping[int, float]:
    return MappingProxyType({order: float(value) for order, value in values.items()})
