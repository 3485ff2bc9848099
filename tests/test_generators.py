"""The generator of any order and time: references, independent routes, exactly solvable models."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import expm
from scipy.sparse.linalg import expm_multiply

from pertsym.baths.exponentials import Exponentials
from pertsym.certify import brute_force, time_domain
from pertsym.certify.time_domain import time_integral
from pertsym.equations.models import independent_baths
from pertsym.expansion.paths import generator_element
from pertsym.generators.bloch_recursion import slow_subspace
from pertsym.generators.finite_time import FiniteTime, finite_time
from pertsym.generators.limit import Limit
from pertsym.generators.system import Correlated, System
from pertsym.model.file import load_model
from pertsym.model.values import Coupling
from tests.open_systems import hermitian

DATA = Path(__file__).parent / "data" / "generator"
Matrix = NDArray[np.complex128]

C1 = Exponentials((0.4 + 0.15j, 0.2 - 0.1j), (1.1 + 0.4j, 0.6 - 0.3j))
C2 = Exponentials((0.3 - 0.2j,), (0.9 + 0.7j,))


def certified(bath: Exponentials) -> time_domain.Exponentials:
    """The same function as the certificates write it."""
    return time_domain.Exponentials.of(bath.c, bath.nu)


def system(energies: Any, **operators: Any) -> System:
    levels = np.array(energies, dtype=float)
    matrices = {name: np.array(matrix, dtype=complex) for name, matrix in operators.items()}
    return System(np.subtract.outer(levels, levels), matrices)


def relative(found: Matrix, expected: Matrix) -> float:
    """Largest difference over the largest element."""
    return float(np.abs(found - expected).max() / np.abs(expected).max())


# ---------------------------------------------------------------------------------------------
# References and independent routes for t -> infinity


@pytest.mark.parametrize("name", ["MP", "P2", "P3"])
def test_reference_generators(name: str) -> None:
    model = load_model(DATA / f"{name}.toml")
    expected = json.loads((DATA / f"{name}.json").read_text())["orders"]
    baths = Correlated.independent((b.name, b.density) for b in model.used_baths)  # type: ignore[misc]
    found = slow_subspace(System.of(model), baths, int(max(expected, key=int)))
    for order, entry in expected.items():
        matrix = found.generators[int(order)] if int(order) else System.of(model).free
        assert relative(matrix, np.array(entry["real"]) + 1j * np.array(entry["imag"])) < 1e-12


@given(st.integers(0, 10**6), st.sampled_from([2, 3]), st.booleans())
@settings(max_examples=8, deadline=None)
def test_recursion_equals_superoperator_cumulants(seed: int, size: int, degenerate: bool) -> None:
    """Bloch recursion against the integrated ordered cumulants of Liouvillians, order 4."""
    random = np.random.default_rng(seed)
    energies = np.sort(random.uniform(0, 2, size))
    if degenerate:
        energies[1] = energies[0]
    first, second = hermitian(size, seed), hermitian(size, seed + 1)
    pairs = Correlated.independent([("a", C1), ("b", C2)])
    model = system(energies, a=first, b=second), pairs
    slow = slow_subspace(*model, 4)
    for order in (2, 4):
        assert relative(slow.generators[order], brute_force.generator(*model, order)) < 1e-12


def test_recursion_equals_denominator_rule_at_order_six() -> None:
    """Against words, pairings and paths, integrated gap by gap in exact arithmetic."""
    operator = [[0.25, 0.75], [0.75, -0.5]]
    interaction = independent_baths(2, [(Coupling.of(operator, "a").operator, "a")])
    pairs = Correlated.independent([("a", C2)])
    slow = slow_subspace(system([0.0, 1.25], a=operator), pairs, 6)
    for a, b, c, d in ((0, 0, 1, 1), (1, 0, 0, 1)):
        terms = generator_element(interaction, 6, (a, b, c, d))
        expected = complex(time_integral(terms, {"a": certified(C2)}, (1.25,)))
        found = slow.generators[6][2 * a + b, 2 * c + d]
        assert abs(found - expected) < 1e-12 * np.abs(slow.generators[6]).max()


def test_correlated_couplings() -> None:
    """C_ab != 0 between two couplings, against superoperator cumulants."""
    first, second = hermitian(3, 5), hermitian(3, 6)
    energies = (0.0, 0.4, 1.3)
    correlations = {(0, 0): C1, (1, 1): C2, (0, 1): C2, (1, 0): C1}
    pairs = [Correlated("ab"[i], "ab"[j], c) for (i, j), c in correlations.items()]
    model = system(energies, a=first, b=second), pairs
    slow = slow_subspace(*model, 4)
    for order in (2, 4):
        assert relative(slow.generators[order], brute_force.generator(*model, order)) < 1e-12


def test_rounding_is_small_at_order_eight() -> None:
    """Long double agrees with double: no digits are lost on the way."""
    args = system([0.0, 0.3, 1.7], a=hermitian(3, 8)), Correlated.independent([("a", C1)]), 8
    double, long = slow_subspace(*args), slow_subspace(*args, precision=np.clongdouble)
    for order in (2, 4, 6, 8):
        assert relative(double.generators[order], long.generators[order]) < 5e-15


# ---------------------------------------------------------------------------------------------
# Structure


def test_trace_and_hermiticity_are_kept() -> None:
    slow = slow_subspace(
        system([0.0, 0.7, 1.1], a=hermitian(3, 3)), Correlated.independent([("a", C1)]), 6
    )
    for matrix in slow.generators.values():
        tensor = matrix.reshape(3, 3, 3, 3)
        np.testing.assert_allclose(np.einsum("aacd->cd", tensor), 0, atol=1e-13)
        np.testing.assert_allclose(tensor.conj(), tensor.transpose(1, 0, 3, 2), atol=1e-13)


def test_spectator_stays_decoupled() -> None:
    """S (x) 1 on a system with a spectator: K is that of the system, at every order."""
    energies, spectator = np.array([0.0, 0.9]), np.array([0.0, 0.37, 0.41])
    operator = hermitian(2, 4)
    pairs = Correlated.independent([("a", C1)])
    small = slow_subspace(system(energies, a=operator), pairs, 6)
    sums = np.add.outer(energies, spectator).reshape(-1)
    large = slow_subspace(system(sums, a=np.kron(operator, np.eye(3))), pairs, 6)
    for order in (2, 4, 6):
        tensor = large.generators[order].reshape(2, 3, 2, 3, 2, 3, 2, 3)
        for i, j in itertools.product(range(3), repeat=2):
            part = tensor[:, i, :, j, :, i, :, j].reshape(4, 4)
            assert relative(part, small.generators[order]) < 1e-12
            rest = tensor[:, i, :, j].copy()
            rest[:, :, :, i, :, j] = 0
            assert np.abs(rest).max() < 1e-13


def test_basis_of_a_degenerate_level_is_free() -> None:
    rotation = np.eye(3, dtype=complex)
    rotation[:2, :2] = expm(1j * hermitian(2, 9))
    operator, pairs = hermitian(3, 10), Correlated.independent([("a", C1)])
    direct = slow_subspace(system([1.0, 1.0, 2.0], a=operator), pairs, 4)
    turned = rotation @ operator @ rotation.conj().T
    other = slow_subspace(system([1.0, 1.0, 2.0], a=turned), pairs, 4)
    change = np.kron(rotation, rotation.conj())
    for order in (2, 4):
        expected = change @ direct.generators[order] @ change.conj().T
        assert relative(other.generators[order], expected) < 1e-13


def test_nearly_degenerate_is_degenerate() -> None:
    operator, pairs = hermitian(3, 11), Correlated.independent([("a", C1)])
    exact = slow_subspace(system([0.0, 0.0, 1.0], a=operator), pairs, 6)
    near = slow_subspace(system([0.0, 1e-9, 1.0], a=operator), pairs, 6)
    for order in (2, 4, 6):
        assert relative(near.generators[order], exact.generators[order]) < 1e-7


@pytest.mark.parametrize("size", [4, 8])
def test_many_levels(size: int) -> None:
    """The second order of many levels in its textbook form; the fourth keeps the trace."""
    levels = np.random.default_rng(size).uniform(0, 3, size)
    operator = hermitian(size, size)
    slow = slow_subspace(system(levels, a=operator), Correlated.independent([("a", C1)]), 4)
    gaps = np.subtract.outer(levels, levels)
    filtered = operator * sum(c / (nu + 1j * gaps) for c, nu in zip(C1.c, C1.nu, strict=True))
    rho = hermitian(size, 77)
    product = filtered @ rho
    expected = product @ operator - operator @ product
    expected = expected + expected.conj().T
    found = (slow.generators[2] @ rho.reshape(-1)).reshape(size, size)
    assert relative(found, expected) < 1e-13
    assert abs(np.trace((slow.generators[4] @ rho.reshape(-1)).reshape(size, size))) < 1e-11


@pytest.mark.parametrize("order", [-2, 0, 3])
def test_bad_orders(order: int) -> None:
    with pytest.raises(ValueError, match="positive even"):
        slow_subspace(system([0, 1], a=hermitian(2, 0)), (), order)


# ---------------------------------------------------------------------------------------------
# Finite times


def transient(model: System, pairs: Any, order: int, end: float = 30.0) -> FiniteTime:
    return finite_time(Limit.of(model, pairs, order), end)


def test_pure_dephasing_is_second_order() -> None:
    """Commuting S: K_2(t) = -(s_a - s_b)^2 int C_r - i (s_a^2 - s_b^2) int C_i, K_4 = K_6 = 0."""
    s = np.array([0.3, -1.1, 0.7])
    solution = transient(
        system([0.0, 0.4, 1.5], a=np.diag(s)), Correlated.independent([("a", C1)]), 6
    )
    for time in (0.2, 1.7, 9.0, 30.0):
        integral = sum(c * (1 - np.exp(-nu * time)) / nu for c, nu in zip(C1.c, C1.nu, strict=True))
        expected = [-(a - b) * (a * integral - b * np.conj(integral)) for a in s for b in s]
        np.testing.assert_allclose(solution.at(2, time), np.diag(expected), atol=1e-13)
        for order in (4, 6):
            assert np.abs(solution.at(order, time)).max() < 1e-13


def test_two_equal_levels_are_pure_dephasing() -> None:
    """w0 = 0 and one Hermitian coupling: exact at second order in any basis."""
    for highest in (4, 8):
        limit = Limit.of(
            system([0.5, 0.5], a=hermitian(2, 2)), Correlated.independent([("a", C1)]), highest
        )
        for order in range(4, highest + 1, 2):
            assert np.abs(limit.generators[order]).max() < limit.rounding(order) < 1e-10


def test_damped_jaynes_cummings() -> None:
    """gamma_2 = gamma0 (1 - e^{-lam t}) and gamma_4 of Breuer and Petruccione, resonant.

    H_I = sigma+ B + sigma- B^+ with <B(t) B^+> = (gamma0 lam/2) e^{-lam t}, written with the
    Hermitian X = (B + B^+)/2 and Y = i (B - B^+)/2, which are correlated.
    """
    gamma0, lam = 0.8, 1.7
    raising = np.array([[0, 0], [1, 0]], dtype=complex)  # |1><0|, level 1 excited
    model = system([0, 0], x=raising + raising.T, y=-1j * raising + 1j * raising.T)
    weights = {"xx": 0.25, "yy": 0.25, "xy": -0.25j, "yx": 0.25j}
    pairs = [
        Correlated(name[0], name[1], Exponentials((factor * gamma0 * lam / 2,), (lam,)))
        for name, factor in weights.items()
    ]
    solution = transient(model, pairs, 4)
    for time in (0.3, 1.0, 4.0):
        decay = np.exp(-lam * time)
        second = gamma0 * (1 - decay)
        fourth = gamma0**2 / lam * (np.sinh(lam * time) - lam * time) * decay
        assert solution.at(2, time)[3, 3].real == pytest.approx(-second, abs=1e-12)
        assert solution.at(4, time)[3, 3].real == pytest.approx(-fourth, abs=1e-12)
        assert abs(solution.at(4, time)[0, 0]) < 1e-13  # the ground state is stationary


@pytest.mark.parametrize("energies", [(0.0, 1.1), (0.0, 0.0)])
def test_finite_time_equals_exact_diagonalisation(energies: tuple[float, float]) -> None:
    """A bath of two damped modes, propagated with the system, expanded order by order."""
    operator = hermitian(2, 21)
    modes = (
        (0.7, 0.35, 0.9),
        (0.5, 0.6, -0.4),
    )  # g, kappa, Omega: C = g^2 e^{-(kappa + i Omega) t}
    bath = Exponentials(tuple(g**2 for g, _, _ in modes), tuple(complex(k, w) for _, k, w in modes))
    solution = transient(system(energies, a=operator), Correlated.independent([("a", bath)]), 4)
    for time in (0.4, 3.0):
        for order, expected in _exact_orders(energies, operator, modes, time).items():
            assert np.abs(solution.at(order, time) - expected).max() < 1e-11


def _exact_orders(
    energies: tuple[float, float], operator: Matrix, modes: Any, time: float
) -> dict[int, Matrix]:
    """K_2(t), K_4(t) from the reduced propagator of system and damped modes in their vacuum."""
    levels = 3  # two quanta are the most that fourth order can put into a mode and take back
    size = 2 * levels ** len(modes)
    lower = np.diag(np.sqrt(np.arange(1.0, levels)), 1)
    annihilators = [
        np.kron(np.kron(np.eye(levels**k), lower), np.eye(levels ** (len(modes) - 1 - k)))
        for k in range(len(modes))
    ]
    one, rest = np.eye(size), np.eye(levels ** len(modes))
    free = np.kron(np.diag(energies), rest).astype(complex)
    coupling = np.zeros((size, size), dtype=complex)
    damping = np.zeros((size**2, size**2), dtype=complex)
    for (g, kappa, frequency), b in zip(modes, annihilators, strict=True):
        number, here = np.kron(np.eye(2), b.T @ b), np.kron(np.eye(2), b)
        free += frequency * number
        coupling += g * np.kron(operator, b + b.T)
        damping += 2 * kappa * np.kron(here, here)
        damping -= kappa * (np.kron(number, one) + np.kron(one, number))
    bare = -1j * (np.kron(free, one) - np.kron(one, free.T)) + damping
    jump = -1j * (np.kron(coupling, one) - np.kron(one, coupling.T))
    return _orders_of(_reduced_orders(bare, jump, time, levels ** len(modes)))


def _reduced_orders(
    bare: Matrix, jump: Matrix, time: float, bath: int
) -> list[tuple[Matrix, Matrix]]:
    """(U_n, dU_n/dt) for n = 0..4 from a block-bidiagonal exponential.

    Only the columns that start in the bath's vacuum are propagated.
    """
    size = len(bare)
    embed = np.zeros((2, bath, 2, bath, 2, 2))
    trace = np.zeros((2, 2, 2, bath, 2, bath))
    for a, b in itertools.product(range(2), repeat=2):
        embed[a, 0, b, 0, a, b] = 1
        for n in range(bath):
            trace[a, b, a, n, b, n] = 1
    blocks = sparse.kron(sparse.eye(5), sparse.csr_matrix(bare))
    blocks = (blocks + sparse.kron(sparse.eye(5, k=-1), sparse.csr_matrix(jump))).tocsr()
    start = np.concatenate([embed.reshape(size, 4), np.zeros((4 * size, 4))])
    final = expm_multiply(blocks * time, start.astype(complex))
    end = trace.reshape(4, size)
    return [
        (end @ u, end @ v)
        for u, v in zip(np.split(final, 5), np.split(blocks @ final, 5), strict=True)
    ]


def _orders_of(reduced: list[tuple[Matrix, Matrix]]) -> dict[int, Matrix]:
    """K_n from dU/dt = K U order by order."""
    inverse = np.linalg.inv(reduced[0][0])
    generators: dict[int, Matrix] = {}
    for n in (0, 2, 4):
        known = sum(
            (generators[k] @ reduced[n - k][0] for k in generators), start=np.zeros((4, 4), complex)
        )
        generators[n] = (reduced[n][1] - known) @ inverse
    return {n: generators[n] for n in (2, 4)}


def test_late_times_are_the_limit() -> None:
    """Slow and fast exponents together: no secular growth, no loss of digits."""
    bath = Exponentials((0.2, 30.0, 5.0 - 2j), (0.05, 4e5, 70 + 30j))
    slow = Limit.of(
        system([0.0, 0.8, 1.0], a=hermitian(3, 30)), Correlated.independent([("a", bath)]), 4
    )
    solution = finite_time(slow, 2000.0)
    assert solution.settled
    for order in (2, 4):
        assert relative(solution.at(order, 2000.0), slow.generators[order]) < 1e-14
        assert relative(solution.at(order, 1e-9), slow.generators[order]) > 0.9
