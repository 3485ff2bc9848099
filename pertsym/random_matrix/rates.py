"""Relaxation rates of a model with a random-matrix environment, in the model's printed unit.

At one conserved total energy to fourth order.  At leading order in 1/N the self-energy of level s
is Sigma_s(E) = |S_01|^2 v g(E - E_o - Sigma_o), o the other level, and the populations at total
energy E relax at the pole

    rate = -2 Im [Sigma_0 + Sigma_1](E - i rate/2)

of the ladder of non-crossing pairings.  Its expansion (`pertsym.equations.conserved_energy`,
checked against the engine's fourth-order cumulant in `derivations/esposito_gaspard_2003`) is
evaluated here with the resolvent g of the semicircle, inside and outside the band.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

import numpy as np
import sympy

from pertsym.baths.divergence import Divergent
from pertsym.equations import conserved_energy as derived
from pertsym.equations.energy_resolved import TwoLevels
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.random_matrix import RandomMatrixModel
from pertsym.random_matrix import second_order
from pertsym.random_matrix.ensemble import RADIUS, VARIANCE, resolvent, resolvent_slope
from pertsym.random_matrix.second_order import Relaxation


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


HIGHEST_ORDER: Final = 4
_EQUATIONS: Final = {
    "energy_resolved": second_order.energy_resolved,
    "redfield": second_order.redfield,
}

Reasons = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class RandomMatrixRates:
    """What is known of the relaxation of z = P_1 - P_0.

    Attributes
    ----------
    equations
        "energy_resolved" and "redfield" -> second order, the spin starting up with the environment
        at its energy; empty if a total energy was given.
    orders
        Order -> contribution to the rate at the total energy, None where it diverges.  Without a
        total energy: order 4 of the environment put back to its energy, which diverges.
    z_infinity
        Order -> contribution to the asymptotic z at the total energy; None as in `orders`.
    divergent
        Order -> name -> reason, for every None.
    rate_unit
        Unit of rates; empty in natural units.
    remarks
        What a reader of the numbers should know.
    """

    equations: Mapping[str, Relaxation]
    orders: Mapping[int, float | None]
    z_infinity: Mapping[int, float | None]
    divergent: Reasons
    rate_unit: str = ""
    remarks: tuple[str, ...] = ()

    def growing(self) -> bool:
        """Whether the fourth order exceeds the second: no convergence, or a small second order."""
        second, fourth = self.orders.get(2), self.orders.get(4)
        return second is not None and fourth is not None and abs(fourth) > second


def random_matrix_rates(
    model: RandomMatrixModel, order: int | None = None, *, total_energy: float | None = None
) -> RandomMatrixRates:
    """Rate and asymptotic z of two levels coupled off-diagonally.

    Parameters
    ----------
    model
        `load_random_matrix` reads one.
    order
        2 or 4; None for the highest that exists: 2 from a sharp energy of the environment, 4 at a
        conserved total energy.
    total_energy
        E of system and environment together, `model.energies` as given; leading order in 1/N.

    Raises
    ------
    InputError
        If the order is no positive even number, or the total energy not finite.
    NotYetDerivable
        For orders beyond 4, more levels, or a coupling with diagonal elements.
    """
    splitting, strength = model.two_levels()
    if order is None:
        order = 2 if total_energy is None else HIGHEST_ORDER
    if order < 2 or order % 2:
        raise InputError(
            model.name, "order", f"must be a positive even integer, got {order}", "use 2 or 4"
        )
    if order > HIGHEST_ORDER:
        raise NotYetDerivable(
            model.name,
            "order",
            f"rates with random matrices are derived to order {HIGHEST_ORDER}, not {order}",
            "ask for order 2 or 4",
        )
    if total_energy is not None and not math.isfinite(total_energy):
        raise InputError(
            model.name, "total_energy", f"must be finite, got {total_energy}", "give a number"
        )
    if total_energy is None:
        return _from_sharp_energy(model, splitting, strength, order)
    return _at_total_energy(model, strength, order, total_energy)


def _from_sharp_energy(
    model: RandomMatrixModel, splitting: float, strength: float, order: int
) -> RandomMatrixRates:
    factor = model.units.rate_to_printed(1.0)
    equations: dict[str, Relaxation] = {}
    missing: dict[str, dict[str, str]] = {}
    for name, solve in _EQUATIONS.items():
        found = solve(splitting, strength, model.bath.energy)
        equations[name] = Relaxation(factor * found.down, factor * found.up)
        if found.z_infinity is None:
            why = "both transitions end outside the band" if strength else "the coupling is zero"
            missing.setdefault("2", {})[f"{name}.z_infinity"] = (
                f"{why}: nothing relaxes, z keeps its first value"
            )
    remarks: tuple[str, ...] = ()
    if abs(model.bath.energy + splitting) > RADIUS:
        remarks = (
            "energy + splitting lies outside the band: a spin that starts up has no partner and "
            "keeps z near 1; the energy-resolved rate is that of the equation from other states",
        )
    orders: dict[int, float | None] = {}
    if order == HIGHEST_ORDER:
        orders[order] = None
        missing[str(order)] = {"rate": _why_not_fixed(order)}
    return RandomMatrixRates(
        MappingProxyType(equations),
        MappingProxyType(orders),
        MappingProxyType({}),
        MappingProxyType(missing),
        model.units.rate,
        remarks,
    )


def _why_not_fixed(order: int) -> str:
    """What the engine says of the environment put back to its energy."""
    try:
        TwoLevels().fixed_energy_long_times(order)
    except Divergent as fault:
        return (
            f"environment fixed at its energy: {fault.reason}; with the energy kept and the total "
            "energy conserved the rate exists: give a total energy (--total-energy)"
        )
    raise AssertionError(f"order {order} has a limit of long times and must be evaluated")


def _at_total_energy(
    model: RandomMatrixModel, strength: float, order: int, total: float
) -> RandomMatrixRates:
    lower, upper = model.energies
    orders = range(2, order + 1, 2)
    rates: dict[int, float | None] = dict.fromkeys(orders)
    z: dict[int, float | None] = {n - 2: None for n in orders}
    missing: dict[str, dict[str, str]] = {}
    try:
        found = conserved_energy((lower, upper), strength, total)
    except Divergent as fault:
        for n in orders:
            missing.setdefault(str(n), {})["rate"] = fault.reason
            missing.setdefault(str(n - 2), {})["z_infinity"] = fault.reason
    else:
        factor = model.units.rate_to_printed(1.0)
        z = {n - 2: found.z_infinity.get(n - 2) for n in orders}
        outside = [s for s in (0, 1) if abs(total - model.energies[s]) > RADIUS]
        if outside:  # the ladder has no pole then
            for n in orders:
                missing.setdefault(str(n), {})["rate"] = (
                    f"with level {outside[0]} the environment would lie outside its band: nothing "
                    "relaxes, only dressed states of one level exist at this total energy"
                )
        else:
            rates = {n: factor * found.rates[n] if n in found.rates else None for n in orders}
        for n in orders:
            if n not in found.rates:
                missing.setdefault(str(n), {}).setdefault("rate", found.divergent)
                missing.setdefault(str(n - 2), {})["z_infinity"] = found.divergent
    return RandomMatrixRates(
        MappingProxyType({}),
        MappingProxyType(rates),
        MappingProxyType(z),
        MappingProxyType(missing),
        model.units.rate,
    )
