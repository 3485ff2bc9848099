"""Checks of the equations of motion: N symbolic levels, and the reduced map order by order."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from derivations.proton_transfer.common import (
    DOUBLE,
    Matrix,
    constant_generator,
    holds,
    model,
    populations,
    rate_matrix,
    within,
)
from derivations.proton_transfer.names import readings
from pertsym.baths.exponentials import Exponentials
from pertsym.certify.claims import Findings, check
from pertsym.certify.formulas import Objects, tie
from pertsym.certify.ledger import load_claims
from pertsym.dynamics.half_sided import channels
from pertsym.equations.ccqme import Ccqme
from pertsym.equations.mean_force import boltzmann, second_order
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.equations.thermal import detailed_balance
from pertsym.exact import Gaussian
from pertsym.generators.tcl import tcl_generator
from pertsym.model.values import Bath, Coupling, Model
from pertsym.reduction.elements import with_elements
from pertsym.reduction.spectral import (
    ZERO_FORM,
    SpectralForm,
    Value,
    half_sided,
    monomial,
    negated,
    reciprocal,
)

ETA = 0.3
SIZE = 4
"""Levels of the symbolic check: an element of R names four at most, and sums over one."""
SYMBOLS = [[f"q{min(n, m)}{max(n, m)}" for m in range(SIZE)] for n in range(SIZE)]


@check("formula as displayed", "engine at two sets of random numbers", status="numerical")
def formulas_at_numbers(digits: int) -> Findings:
    """The rows that are compared: the formula as displayed against the engine's objects."""
    objects = Objects(readings=readings())
    claims = [c for c in load_claims(Path(__file__).with_name("claims.toml")) if c.compare]
    yield from (holds(f"({c.equation})", tie(c, objects).holds) for c in claims)


# ---------------------------------------------------------------------------------------------
# N levels with symbols


def _half(equation: Ccqme, n: int, m: int) -> SpectralForm:
    """S_nm = q_nm g(D_nm), g(D) = G(-D)."""
    at = negated(equation.interaction.transition(n, m))
    return with_elements(half_sided("B", at), (SYMBOLS[n][m],))


def _shift(equation: Ccqme, n: int, m: int, derivative: int) -> SpectralForm:
    """q_nm^2 b(D_nm) or q_nm^2 b'(D_nm): b(D) = -P(-D)/2pi."""
    at = negated(equation.interaction.transition(n, m))
    value = Value("P", "B", derivative, at)
    form = monomial(Gaussian(Fraction(1 if derivative else -1, 2)), value)
    return with_elements(form.scaled(Gaussian(1), pi_power=-1), (SYMBOLS[n][m],) * 2)


def _tensor(equation: Ccqme, n: int, m: int, k: int, j: int) -> SpectralForm:
    """R_{nm,kj} of S rho q + q rho S^+ - q S rho - rho S^+ q."""
    levels = range(SIZE)

    def q(a: int, b: int) -> SpectralForm:
        return with_elements(monomial(Gaussian(1)), (SYMBOLS[a][b],))

    def adjoint(a: int, b: int) -> SpectralForm:
        return _half(equation, b, a).conjugated()

    total = _half(equation, n, k) * q(j, m) + q(n, k) * adjoint(j, m)
    if j == m:
        total -= sum((q(n, a) * _half(equation, a, k) for a in levels), start=ZERO_FORM)
    if n == k:
        total -= sum((adjoint(j, a) * q(a, m) for a in levels), start=ZERO_FORM)
    return total


@check(
    "ordered cumulant and arc-length reduction",
    "imaginary-time expansion",
    f"operator forms of the paper, {SIZE} levels",
    status="derived",
)
def symbolic_levels(digits: int) -> Findings:
    """(12), (20), (71), (83)-(90), (92)-(122): every element, exactly, with symbols q_nm.

    The tensor comes from the ordered cumulant, the mean-force state from imaginary time; Q of (20)
    is applied to the Gibbs state, whose image has to be rho_2 before normalisation.
    """
    equation = Ccqme(symbolic_interaction(SIZE, [(SYMBOLS, "B")]))
    levels = range(SIZE)

    def tensor() -> Iterator[bool]:
        for n, m, k, j in np.ndindex(SIZE, SIZE, SIZE, SIZE):
            yield not equation.redfield((n, m, k, j)) - _tensor(equation, n, m, k, j)

    def coherences() -> Iterator[bool]:
        for n in levels:
            for m in levels:
                if n != m:
                    yield not detailed_balance(_driven(equation, n, m) - _second(equation, n, m))

    def populations_of_q() -> Iterator[bool]:
        for n in levels:
            others = [m for m in levels if m != n]
            slopes = sum((_shift(equation, m, n, 0) for m in levels), start=ZERO_FORM)
            yield not equation.slope(n) - slopes
            for m in others:
                yield not equation.transfer(n, m) - _shift(equation, n, m, 1)
            loss = sum((_shift(equation, m, n, 1) for m in others), start=ZERO_FORM)
            yield not equation.transfer(n, n) + loss

    def balance() -> Iterator[bool]:
        for n in levels:
            row = sum(
                (equation.redfield((n, n, k, k)) * boltzmann(equation.interaction, k)
                 for k in levels),
                start=ZERO_FORM,
            )  # fmt: skip
            yield not detailed_balance(row)

    yield holds("R_{nm,kj}, all elements", all(tensor()))
    yield holds("(rho_2)_nm = R[rho_0]_nm/(i D_nm) under KMS", all(coherences()))
    yield holds(
        "Q among populations: q_nm^2 b'(D_nm), sum_m q_nm^2 b(D_mn)", all(populations_of_q())
    )
    yield holds("R[rho_0]_nn = 0 under KMS", all(balance()))


def _driven(equation: Ccqme, n: int, m: int) -> SpectralForm:
    """R[r0]_nm/(i D_nm), R as the paper has it."""
    denominators, factor = reciprocal(equation.interaction.transition(n, m))
    total = ZERO_FORM
    for k in range(SIZE):
        total += _tensor(equation, n, m, k, k) * boltzmann(equation.interaction, k)
    return total.scaled(Gaussian(0, -factor), denominators=denominators)


def _second(equation: Ccqme, n: int, m: int) -> SpectralForm:
    return second_order(equation.interaction, n, m)


# ---------------------------------------------------------------------------------------------
# The reduced map


@check(
    "joint evolution with a damped oscillator, block exponential",
    "TCL2 and TCL4 at time t",
    status="numerical",
)
def reduced_map(digits: int) -> Findings:
    """(62)-(67), (72)-(75), (80): Phi(t) = Tr_B U(t) . rho_B order by order, exactly.

    The bath is one damped oscillator in its ground state, C(t) = c e^{-nu t}: system and oscillator
    are propagated together, the powers of the coupling kept apart by a block matrix.
    """
    weight, nu, time, size = 0.36, 0.8 + 1.3j, 1.1, 5
    energies, q = np.array([0.0, 0.9]), np.array([[0.4, 1.0], [1.0, -0.7]])
    given = Model.of(
        energies.tolist(),
        [Coupling.of(q.tolist(), "B")],
        [Bath("B", "boson", None, Exponentials((weight,), (nu,)))],
    )
    phi, slope = _map_orders(energies, q, weight, nu, time, size)
    terms = tcl_generator(given, 4, time=time, tolerance=1e-11).orders
    free, second, fourth = (terms[n].matrix for n in (0, 2, 4))
    correction = _twofold(energies, q, weight, nu, time)  # Q_t of (73), (74)
    inverse = np.linalg.inv(phi[0])
    scale = np.abs(phi[2]).max()
    yield holds("(63) odd orders vanish", max(np.abs(phi[1]).max(), np.abs(phi[3]).max()) < 1e-12)
    yield within("(62), (72), (73) Phi_2 = Q_t Phi_0", phi[2], correction @ phi[0], 1e-8)
    yield within("(64), (65) dPhi_2/dt", slope[2], free @ phi[2] + second @ phi[0], 1e-8)
    yield within("(66) Phi_0^-1 Phi = 1 + O(2)", inverse @ phi[0], np.eye(4))
    yield holds("(66) and not to second order", np.abs(inverse @ phi[2]).max() > 0.1 * scale)
    yield within("(75) second order of (1 - Q_t) Phi", correction @ phi[0], phi[2], 1e-8)
    yield holds("(75) and not to fourth", np.abs(phi[4] - correction @ phi[2]).max() > 0.01 * scale)
    yield within(
        "(80) dPhi_4/dt", slope[4], free @ phi[4] + second @ phi[2] + fourth @ phi[0], 1e-7
    )


def _map_orders(
    energies: Matrix, q: Matrix, weight: float, nu: complex, time: float, size: int
) -> tuple[list[Matrix], list[Matrix]]:
    """Phi and its derivative at orders 0 to 4 in the coupling, each (4, 4)."""
    whole = 2 * size
    lower = np.kron(np.eye(2), np.diag(np.sqrt(np.arange(1.0, size)), 1))
    h = np.kron(np.diag(energies), np.eye(size)) + nu.imag * lower.T @ lower
    one, back = np.eye(whole), lower.T @ lower
    still = -1j * (np.kron(h, one) - np.kron(one, h.T)) + 2 * nu.real * (
        np.kron(lower, lower) - (np.kron(back, one) + np.kron(one, back)) / 2
    )
    force = np.sqrt(weight) * np.kron(q, np.eye(size)) @ (lower + lower.T)
    coupled = -1j * (np.kron(force, one) - np.kron(one, force.T))
    blocks = np.kron(np.eye(5), still) + np.kron(np.eye(5, k=1), coupled)
    ground = np.zeros((whole, whole, 4), dtype=complex)
    for k in range(4):
        ground[k // 2 * size, k % 2 * size, k] = 1
    start = np.zeros((5, whole**2, 4), dtype=complex)
    start[4] = ground.reshape(whole**2, 4)
    reached = expm(blocks * time) @ start.reshape(-1, 4)
    moving = blocks @ reached

    def traced(rows: NDArray[Any]) -> list[Matrix]:
        parts = rows.reshape(5, 2, size, 2, size, 4)
        return list(np.einsum("oaibik->oabk", parts).reshape(5, 4, 4)[::-1])

    return traced(reached), traced(moving)


def _twofold(energies: Matrix, q: Matrix, weight: float, nu: complex, time: float) -> Matrix:
    """Q_t of (73) in the Schroedinger picture, its two integrals by quadrature."""
    x, w = np.polynomial.legendre.leggauss(24)
    one = np.eye(2)

    def at(t: float) -> Matrix:
        phase = np.exp(-1j * (time - t) * (energies[:, None] - energies[None, :]))
        moved: Matrix = q * phase
        return moved

    total = np.zeros((4, 4), dtype=complex)
    for first, outer in zip(time * (x + 1) / 2, time * w / 2, strict=True):
        for second, inner in zip(first * (x + 1) / 2, first * w / 2, strict=True):
            c = weight * np.exp(-nu * (first - second))
            a, b = at(first), at(second)
            commutator = np.kron(a, one) - np.kron(one, a.T)
            total -= (
                outer * inner * commutator @ (c * np.kron(b, one) - np.conj(c) * np.kron(one, b.T))
            )
    return total


@check("secular Redfield of the engine", f"g(D) in digammas, {DOUBLE}", status="numerical")
def secular_rates(digits: int) -> Findings:
    """Sec. II, end: W_nm = 2 q_nm^2 Re g(D_nm), detailed balance, Gibbs stationary."""
    found = constant_generator(ETA, "redfield-secular")[::7, ::7].real
    rates = 2 * channels(model(ETA))[0].operator.real ** 2 * rate_matrix(ETA).real
    rates -= np.diag(np.diag(rates))
    printed = rates - np.diag(rates.sum(axis=0))
    p = populations(ETA, "gibbs")
    yield within("W", found, printed)
    yield within("detailed balance", rates * p[None, :], (rates * p[None, :]).T)
    yield within("steady state", populations(ETA, "redfield-secular"), p)
