"""Checks of the equilibrium and steady states: Eqs. (13)-(18), (77), (81)-(91), (116)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from types import MappingProxyType

import numpy as np

from derivations.proton_transfer.common import (
    PRINTED,
    STEADY_METHODS,
    Matrix,
    constant_generator,
    exact_steady,
    holds,
    model,
    pairs,
    populations,
    rate_matrix,
    slope,
    state,
    tcl4_orders,
    within,
)
from derivations.proton_transfer.equation_checks import (
    ENGINE,
    ETA,
    G_ROUTE,
    applied,
    diagonal,
    engine_relaxation,
    gaps,
    operator,
    relaxation,
)
from pertsym.certify.claims import Check, Evidence, conclude
from pertsym.systems.proton_transfer import CUTOFF

LADDER = (0.01, 0.02)
"""Couplings between which slopes are measured."""
_MATSUBARA = 20_000
STEADY_ETAS = (0.1, 0.3, 1.0)
_DECIMALS = 5  # of tabulated populations: what every machine agrees on


def gibbs(digits: int) -> Evidence:
    """(16), (116): the Gibbs state of H_S(eta)."""
    given = model(ETA)
    assert given.baths[0].beta is not None
    weights = np.exp(-given.baths[0].beta * np.array(given.energies))
    return conclude(
        (ENGINE, PRINTED),
        within("p", populations(ETA, "gibbs"), weights / weights.sum()),
        status="numerical",
    )


def matsubara_sum(eta: float) -> Matrix:
    """The unnormalised second order of (84)-(86), its imaginary-time integrals done term by term.

    C(-i s) = (1/beta) sum_k K(nu_k) e^{i nu_k s}, K(nu) = eta wD^2/(wD + |nu|); then
    (rho_0 D_2)_nm = p_n sum_k q_nk q_km int_0^beta ds C(-is) e^{-s D_km} F(s), where F is
    (e^{beta D_nm} - e^{s D_nm})/D_nm, or beta - s on the diagonal.
    """
    given, q = model(eta), operator(eta).real
    beta = given.baths[0].beta
    assert beta is not None
    p, d = populations(eta, "gibbs"), gaps(eta)
    nu = 2 * np.pi / beta * np.arange(-_MATSUBARA, _MATSUBARA + 1)
    kernel = eta * CUTOFF**2 / (CUTOFF + np.abs(nu)) / beta

    def once(x: float) -> float:
        """int ds C(-is) e^{-sx}."""
        z = 1j * nu - x
        terms = np.expm1(-beta * x) / np.where(z == 0, 1, z)
        return float(np.sum(kernel * np.where(z == 0, beta, terms)).real)

    def weighted(x: float) -> float:
        """int ds C(-is) e^{-sx} (beta - s)."""
        z = 1j * nu - x
        terms = (np.expm1(-beta * x) - beta * z) / np.where(z == 0, 1, z) ** 2
        return float(np.sum(kernel * np.where(z == 0, beta**2 / 2, terms)).real)

    size = len(p)
    result = np.zeros((size, size))
    for n in range(size):
        for m in range(size):
            for k in range(size):
                if n == m:
                    part = weighted(d[k, n])
                else:
                    grown = np.exp(beta * d[n, m]) * once(d[k, m])
                    part = (grown - once(d[k, n])) / d[n, m]
                result[n, m] += p[n] * q[n, k] * q[k, m] * part
    return result.astype(complex)


def mean_force(digits: int) -> Evidence:
    """(15)-(18), (77), (82)-(86): the second-order state by three routes."""
    given, q = model(ETA), operator(ETA).real
    beta = given.baths[0].beta
    assert beta is not None
    b, db = rate_matrix(ETA).imag, rate_matrix(ETA, 1).imag
    p = populations(ETA, "gibbs")
    # d_n = sum_m q_nm^2 {db(D_nm) p_m - db(D_mn) p_n - beta b(D_mn) p_n}
    d = np.sum(q**2 * (db * p[None, :] - db.T * p[:, None] - beta * b.T * p[:, None]), axis=1)
    found = state(ETA, "mean-force") - np.diag(p)
    apart = np.where(gaps(ETA) == 0, 1.0, gaps(ETA))
    coherences = relaxation(ETA, np.diag(p).astype(complex)) / (1j * apart)
    summed = matsubara_sum(ETA)
    return conclude(
        ("imaginary-time expansion of the engine", G_ROUTE, "Matsubara sum of Eq. (85)"),
        within("Eq. (85)", found, summed - np.diag(p) * np.trace(summed), 1e-7),
        within("populations", np.diag(found), d - p * d.sum()),
        within("coherences", found - diagonal(found), coherences - diagonal(coherences)),
        within("trace", np.trace(state(ETA, "mean-force")), 1.0),
        status="numerical",
    )


def second_order_condition(digits: int) -> Evidence:
    """(87)-(90): -i[H_S, rho2] + R[rho_G] = 0; its diagonal holds whatever rho2 is."""
    rho = state(ETA, "mean-force")
    zeroth = diagonal(state(ETA, "gibbs"))
    driven = applied(engine_relaxation(ETA), zeroth)
    balance = -1j * gaps(ETA) * (rho - diagonal(rho)) + driven - diagonal(driven)
    scale = float(np.abs(driven).max())
    return conclude(
        (ENGINE, "second-order condition"),
        holds("off-diagonal condition", np.abs(balance).max() < 1e-10 * scale),
        holds("population constraint", np.abs(np.diag(driven)).max() < 1e-10 * scale),
        status="numerical",
    )


def fourth_order_condition(digits: int) -> Evidence:
    """(91): the diagonal of R2[rho2] + R4[rho_G] vanishes, and that of R2[rho2] alone does not."""
    orders = tcl4_orders(ETA)
    zeroth = state(ETA, "gibbs")
    second = state(ETA, "mean-force") - zeroth
    first = np.diag(applied(orders[2], second)).real
    other = np.diag(applied(orders[4], zeroth)).real
    return conclude(
        ("TCL4 of the engine", "imaginary-time expansion of the engine"),
        within("R2[rho2] = -R4[rho_G] on the diagonal", first, -other, 1e-5),
        holds("R2[rho2] alone does not vanish", np.abs(first).max() > 1e-9),
        status="numerical",
    )


def _distance(eta: float, method: str, order: int = 2) -> float:
    gap = populations(eta, method, order) - populations(eta, "mean-force")
    return float(np.abs(gap).max())


def scaling(digits: int) -> Evidence:
    """Steady populations minus the mean-force state: eta for Gibbs and Redfield, eta^2 beyond."""
    findings = []
    for method, power in (
        ("gibbs", 1),
        ("redfield-secular", 1),
        ("redfield", 1),
        ("ccqme", 2),
        ("ccqme-secular", 2),
        ("tcl4", 2),
    ):
        found = slope({eta: _distance(eta, method) for eta in LADDER})
        findings.append(holds(f"{method}: slope {found:.2f}", abs(found - power) < 0.15))
    return conclude((ENGINE, "slopes between two couplings"), *findings, status="numerical")


def positivity(digits: int) -> Evidence:
    """Sec. I: full Redfield has negative populations, its secular part has not."""
    full = {eta: float(populations(eta, "redfield").min()) for eta in (0.1, 0.3, 1.0)}
    secular = {eta: float(populations(eta, "redfield-secular").min()) for eta in (0.1, 0.3, 1.0)}
    rates = constant_generator(1.0, "redfield-secular")[::7, ::7].real
    off = rates - np.diag(np.diag(rates))
    return conclude(
        (ENGINE,),
        holds(f"full Redfield: lowest population at eta = {pairs(full)}", max(full.values()) < 0),
        holds(f"secular: {pairs(secular)}", min(secular.values()) > 0),
        holds("secular rates are not negative", off.min() >= 0),
        status="numerical",
    )


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


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "gibbs": gibbs,
        "mean_force": mean_force,
        "second_order_condition": second_order_condition,
        "fourth_order_condition": fourth_order_condition,
        "scaling": scaling,
        "positivity": positivity,
    }
)
