"""Checks of the equilibrium and steady states: Eq. (91) and Sec. III A."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from derivations.proton_transfer.common import (
    STEADY_METHODS,
    applied,
    constant_generator,
    exact_steady,
    holds,
    pairs,
    populations,
    slope,
    state,
    tcl4_orders,
    within,
)
from pertsym.certify.claims import Findings, check

ENGINE = "engine"
ETA = 0.3
LADDER = (0.01, 0.02)
"""Couplings between which slopes are measured."""
STEADY_ETAS = (0.1, 0.3, 1.0)
_DECIMALS = 5  # of tabulated populations: what every machine agrees on


@check("TCL4 of the engine", "imaginary-time expansion of the engine", status="numerical")
def fourth_order_condition(digits: int) -> Findings:
    """(91): the diagonal of R2[rho2] + R4[rho_G] vanishes, and that of R2[rho2] alone does not."""
    orders = tcl4_orders(ETA)
    zeroth = state(ETA, "gibbs")
    second = state(ETA, "mean-force") - zeroth
    first = np.diag(applied(orders[2], second)).real
    other = np.diag(applied(orders[4], zeroth)).real
    yield within("R2[rho2] = -R4[rho_G] on the diagonal", first, -other, 1e-5)
    yield holds("R2[rho2] alone does not vanish", np.abs(first).max() > 1e-9)


def _distance(eta: float, method: str, order: int = 2) -> float:
    gap = populations(eta, method, order) - populations(eta, "mean-force")
    return float(np.abs(gap).max())


@check(ENGINE, "slopes between two couplings", status="numerical")
def scaling(digits: int) -> Findings:
    """Steady populations minus the mean-force state: eta for Gibbs and Redfield, eta^2 beyond."""
    for method, power in (
        ("gibbs", 1),
        ("redfield-secular", 1),
        ("redfield", 1),
        ("ccqme", 2),
        ("ccqme-secular", 2),
        ("tcl4", 2),
    ):
        found = slope({eta: _distance(eta, method) for eta in LADDER})
        yield holds(f"{method}: slope {found:.2f}", abs(found - power) < 0.15)


@check(ENGINE, status="numerical")
def positivity(digits: int) -> Findings:
    """Sec. I: full Redfield has negative populations, its secular part has not."""
    full = {eta: float(populations(eta, "redfield").min()) for eta in (0.1, 0.3, 1.0)}
    secular = {eta: float(populations(eta, "redfield-secular").min()) for eta in (0.1, 0.3, 1.0)}
    rates = constant_generator(1.0, "redfield-secular")[::7, ::7].real
    off = rates - np.diag(np.diag(rates))
    yield holds(f"full Redfield: lowest population at eta = {pairs(full)}", max(full.values()) < 0)
    yield holds(f"secular: {pairs(secular)}", min(secular.values()) > 0)
    yield holds("secular rates are not negative", off.min() >= 0)


# ---------------------------------------------------------------------------------------------
# What is tabulated


@cache
def table(order: int) -> tuple[tuple[str, float, tuple[str, ...]], ...]:
    """(method, eta, six populations as text) for every method up to an order, and the hierarchy."""
    rows = []
    for eta in STEADY_ETAS:
        for method, its_order in STEADY_METHODS:
            if its_order <= order:
                named = f"{method}, order {its_order}" if method == "mean-force" else method
                rows.append((named, eta, _rounded(populations(eta, method, its_order).tolist())))
        rows.append(("hierarchy", eta, _rounded(exact_steady(eta).tolist())))
    return tuple(rows)


def _rounded(values: Sequence[float]) -> tuple[str, ...]:
    return tuple(f"{round(value, _DECIMALS) + 0.0:.{_DECIMALS}f}" for value in values)


@cache
def slopes(order: int) -> dict[str, str]:
    """Power of eta by which steady populations leave the mean-force state, by method."""
    methods = [m for m, n in STEADY_METHODS if n <= order and m != "mean-force"]
    return {m: f"{slope({eta: _distance(eta, m) for eta in LADDER}):.1f}" for m in methods}
