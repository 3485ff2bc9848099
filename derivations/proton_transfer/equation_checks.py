"""Checks of the equations of motion: Eqs. (11), (12), (19), (20), (59)-(80), (92)-(122).

Matrices of the six-level model are compared in double precision.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from derivations.laird_budimir_skinner_1991.expansion_checks import (
    cumulant_2,
    cumulant_4,
    moments,
)
from derivations.proton_transfer.common import (
    DOUBLE,
    Matrix,
    Reals,
    constant_generator,
    holds,
    model,
    populations,
    rate_matrix,
    state,
    within,
)
from pertsym.certify.claims import Check, Evidence, conclude
from pertsym.dynamics.ccqme import coherence_map, population_map
from pertsym.dynamics.half_sided import channels
from pertsym.dynamics.redfield import dissipator, unitary
from pertsym.generators.tcl import tcl_generator

ETA = 0.3
ENGINE = "engine"
G_ROUTE = f"g(D) in digammas, {DOUBLE}"


def operator(eta: float) -> Matrix:
    """q in the eigenbasis of H_S(eta)."""
    return np.array([[complex(x) for x in row] for row in model(eta).couplings[0].operator])


def gaps(eta: float) -> Reals:
    """D_nm = E_n - E_m."""
    energies = np.array(model(eta).energies)
    result: Reals = energies[:, None] - energies[None, :]
    return result


def relaxation(eta: float, rho: Matrix) -> Matrix:
    """R[rho] of (71), (95): S rho q + q rho S^+ - q S rho - rho S^+ q, S_nm = q_nm g(D_nm)."""
    q = operator(eta)
    s = q * rate_matrix(eta)
    adjoint = s.conj().T
    result: Matrix = s @ rho @ q + q @ rho @ adjoint - q @ s @ rho - rho @ adjoint @ q
    return result


def engine_relaxation(eta: float) -> Matrix:
    """R of the engine, shape (36, 36)."""
    return dissipator(model(eta).energies, channels(model(eta)))


def applied(superoperator: Matrix, rho: Matrix) -> Matrix:
    """A superoperator over row-major vec on a state."""
    return (superoperator @ rho.reshape(-1)).reshape(rho.shape)


def random_state(seed: int = 1) -> Matrix:
    """A density matrix without symmetry."""
    random = np.random.default_rng(seed)
    root = random.normal(size=(6, 6)) + 1j * random.normal(size=(6, 6))
    square = root @ root.conj().T
    normalised: Matrix = square / np.trace(square)
    return normalised


def diagonal(values: Any) -> Matrix:
    """Pi_D as a matrix."""
    return np.diag(np.diag(values)).astype(complex)


def cumulant(digits: int) -> Evidence:
    """(61)-(67), (80): the expansion is that of the first derivation, and so are its checks."""
    found = [moments(digits), cumulant_2(digits), cumulant_4(digits)]
    routes = tuple(dict.fromkeys(route for each in found for route in each.routes))
    findings = (holds(each.detail, each.status != "failed") for each in found)
    return conclude(routes, *findings, status="derived")


def redfield(digits: int) -> Evidence:
    """(11), (12), (70), (71), (92)-(104): the engine's Redfield and TCL2 against the paper's g."""
    rho = random_state()
    printed = relaxation(ETA, rho)
    tcl = tcl_generator(model(ETA), 2).orders[2].matrix
    free = -1j * gaps(ETA) * rho
    return conclude(
        ("Redfield of the engine", "TCL2 of the engine", G_ROUTE),
        within("R[rho]", applied(engine_relaxation(ETA), rho), printed),
        within("TCL2", applied(tcl, rho), printed),
        within("unitary part", applied(unitary(model(ETA).energies), rho), free),
        status="numerical",
    )


def secular_rates(digits: int) -> Evidence:
    """Sec. II, end: W_nm = 2 q_nm^2 Re g(D_nm), detailed balance, Gibbs stationary."""
    found = constant_generator(ETA, "redfield-secular")[::7, ::7].real
    rates = 2 * operator(ETA).real ** 2 * rate_matrix(ETA).real
    rates -= np.diag(np.diag(rates))
    printed = rates - np.diag(rates.sum(axis=0))
    p = populations(ETA, "gibbs")
    return conclude(
        ("secular Redfield of the engine", G_ROUTE),
        within("W", found, printed),
        within("detailed balance", rates * p[None, :], (rates * p[None, :]).T),
        within("steady state", populations(ETA, "redfield-secular"), p),
        status="numerical",
    )


def canonical_map(digits: int) -> Evidence:
    """(20), (106)-(118): Q on the diagonal and off it."""
    given, q = model(ETA), operator(ETA).real
    beta = given.baths[0].beta
    assert beta is not None
    b, db = rate_matrix(ETA).imag, rate_matrix(ETA, 1).imag
    p = populations(ETA, "gibbs")
    size = len(p)
    dissipators = np.zeros((size, size))  # Pi_D D[|n><m|]: from m to n
    for n in range(size):
        for m in range(size):
            dissipators[n, m] += q[n, m] ** 2 * db[n, m]
            dissipators[m, m] -= q[n, m] ** 2 * db[n, m]
    weights = np.sum(q**2 * b.T, axis=1)  # sum_m q_nm^2 b(D_mn)
    rescaling = -beta * (np.eye(size) - p[:, None]) * weights[None, :]
    found = population_map(given.energies, channels(given), beta)
    rho = random_state()
    apart = np.where(gaps(ETA) == 0, 1.0, gaps(ETA))
    driven = relaxation(ETA, rho) / (1j * apart)
    coherences = applied(coherence_map(given.energies, engine_relaxation(ETA)), rho)
    second = np.diag(state(ETA, "mean-force")).real - p
    return conclude(
        ("CCQME of the engine", G_ROUTE),
        within("population map", found, dissipators + rescaling),
        within("coherence map", coherences, driven - diagonal(driven)),
        within("Q p = second-order populations", found @ p, second),
        holds("Q keeps the trace", np.abs(found.sum(axis=0)).max() < 1e-10),
        status="numerical",
    )


def canonical_equation(digits: int) -> Evidence:
    """(19), (76)-(79), (119)-(122): stationary up to the neglected term -R[Q rho2], exactly."""
    given = model(ETA)
    size = given.dimension
    r = engine_relaxation(ETA)
    q = coherence_map(given.energies, r)
    places = np.arange(size) * (size + 1)
    assert given.baths[0].beta is not None
    q[np.ix_(places, places)] = population_map(given.energies, channels(given), given.baths[0].beta)
    zeroth, rho = state(ETA, "gibbs"), state(ETA, "mean-force")
    left = applied(constant_generator(ETA, "ccqme"), rho)
    neglected = -applied(r, applied(q, rho - zeroth))
    return conclude(
        ("CCQME of the engine", "imaginary-time expansion of the engine"),
        within("K[rho_G + rho2] = -R[Q rho2]", left, neglected, 1e-9),
        within(
            "K rho",
            left,
            applied(unitary(given.energies), rho) + applied(r, rho - applied(q, rho)),
            1e-9,
        ),
        status="numerical",
    )


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "cumulant": cumulant,
        "redfield": redfield,
        "secular_rates": secular_rates,
        "canonical_map": canonical_map,
        "canonical_equation": canonical_equation,
    }
)
