"""Mean-force Gibbs states: exact diagonalisation, HEOM, independent formulas, exact cases."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

from pertsym import load_model
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import (
    BathDensity,
    DrudeLorentz,
    Exponentials,
    ExpressionDensity,
    Ohmic,
    Table,
    Underdamped,
)
from pertsym.baths.divergence import Divergent
from pertsym.dynamics.gibbs import gibbs
from pertsym.dynamics.half_sided import channels
from pertsym.dynamics.imaginary_modes import ImaginaryTimeModes, modes_of
from pertsym.dynamics.imaginary_time import Expansion, fourth_order
from pertsym.dynamics.mean_force import mean_force, second_order
from pertsym.dynamics.redfield import dissipator
from pertsym.expressions.expression import parse_expression
from pertsym.model import Bath, Coupling, InputError, Model, NotYetDerivable

from .open_systems import Matrix, hermitian, open_system, two_bath_system

DATA = Path(__file__).parent / "data" / "taa"


@cache
def reference(name: str) -> tuple[Model, dict[str, Any]]:
    return load_model(DATA / f"{name}.toml"), json.loads((DATA / f"{name}.json").read_text())


# ---------------------------------------------------------------------------------------------
# Exact diagonalisation of a system with a few oscillators


@dataclass(frozen=True)
class Oscillator:
    frequency: float
    strength: float
    operator: Matrix


def exact_state(
    energies: Sequence[float],
    oscillators: Sequence[Oscillator],
    beta: float,
    delta: float,
    cutoff: int,
) -> Matrix:
    """Tr_B exp(-beta H)/Z with so many states of each oscillator."""
    shape = (len(energies), *[cutoff] * len(oscillators))

    def embedded(operators: dict[int, Any]) -> Matrix:
        product = np.eye(1, dtype=complex)
        for place, size in enumerate(shape):
            product = np.kron(product, operators.get(place, np.eye(size)))
        return product

    position = np.diag(np.sqrt(np.arange(1, cutoff)), 1)
    hamiltonian = embedded({0: np.diag(energies)})
    for k, mode in enumerate(oscillators, start=1):
        hamiltonian += mode.frequency * embedded({k: np.diag(np.arange(cutoff))})
        coupled = embedded({0: mode.operator, k: position + position.T})
        hamiltonian += delta * mode.strength * coupled
    levels, vectors = np.linalg.eigh(hamiltonian)
    weights = np.exp(-beta * (levels - levels[0]))
    state = ((vectors * (weights / weights.sum())) @ vectors.conj().T).reshape(
        len(energies), -1, len(energies), len(levels) // len(energies)
    )
    return np.einsum("aibi->ab", state)


def expansion_of(
    energies: Sequence[float], oscillators: Sequence[Oscillator], beta: float
) -> Expansion:
    return fourth_order(
        energies,
        [mode.operator for mode in oscillators],
        [
            ImaginaryTimeModes.oscillators(beta, [mode.frequency], [mode.strength])
            for mode in oscillators
        ],
    )


@pytest.mark.parametrize(
    ("energies", "oscillators", "cutoff"),
    [
        ((0.0, 0.6, 0.6), (Oscillator(1.1, 0.3, hermitian(3, 1)),), 28),
        (
            (0.0, 0.9),
            (Oscillator(2.6, 0.4, hermitian(2, 2)), Oscillator(3.1, 0.5, hermitian(2, 3))),
            7,
        ),
    ],
    ids=["degenerate", "two baths"],
)
def test_expansion_against_exact_diagonalisation(
    energies: tuple[float, ...], oscillators: tuple[Oscillator, ...], cutoff: int
) -> None:
    beta = 1.5
    expansion = expansion_of(energies, oscillators, beta)
    weights = np.exp(-beta * np.array(energies))
    bare = np.diag(weights / weights.sum())
    second, fourth, rest = [], [], []
    for delta in (0.2, 0.1):
        exact = exact_state(energies, oscillators, beta, delta, cutoff) - bare
        second.append(exact / delta**2)
        fourth.append((exact - delta**2 * expansion.second) / delta**4)
        rest.append(np.max(np.abs(fourth[-1] - expansion.fourth)) / delta**2)
    # what is left scales as the sixth order
    assert rest[0] == pytest.approx(rest[1], rel=0.05)
    extrapolated = (4 * fourth[1] - fourth[0]) / 3
    assert np.max(np.abs(extrapolated - expansion.fourth)) < 1e-3 * np.max(np.abs(expansion.fourth))
    assert np.max(np.abs(second[1] - expansion.second)) < 0.02 * np.max(np.abs(expansion.second))


def test_two_oscillators_may_share_one_operator_of_the_bath() -> None:
    s = hermitian(2, 4)
    joint = ImaginaryTimeModes.oscillators(1.5, [2.0, 2.7], [0.3, 0.4])
    expansion = fourth_order((0.0, 0.9), [s], [joint])
    modes = (Oscillator(2.0, 0.3, s), Oscillator(2.7, 0.4, s))
    apart = expansion_of((0.0, 0.9), modes, 1.5)
    assert expansion.second == pytest.approx(apart.second, abs=1e-13)
    assert expansion.fourth == pytest.approx(apart.fourth, abs=1e-12)


def test_fourth_order_approaches_hierarchical_equations_of_motion() -> None:
    model, expected = reference("N2_eta0.3")
    second, fourth = (mean_force(model, order).matrix for order in (2, 4))
    heom = np.array(expected["heom_steady_populations"])
    assert np.max(np.abs(np.diag(second).real - heom)) > 5e-5
    assert np.max(np.abs(np.diag(fourth).real - heom)) < expected["heom_error"]
    coherence = complex(*expected["heom_steady_rho01"])
    assert abs(second[0, 1] - coherence) > 5e-5
    assert abs(fourth[0, 1] - coherence) < expected["heom_error"]


# ---------------------------------------------------------------------------------------------
# Independent formulas of second order


@pytest.mark.parametrize("name", ["N2_eta0.3", "N6_eta0.3"])
def test_second_order_of_proton_transfer(name: str) -> None:
    model, expected = reference(name)
    state = mean_force(model, 2)
    assert np.diag(state.matrix).real == pytest.approx(expected["mfg2_populations"], abs=1e-12)
    assert state.matrix[0, 1] == pytest.approx(expected["mfg2_rho01"], abs=1e-9)


DENSITIES: dict[str, BathDensity] = {
    "drude": DrudeLorentz(0.05, 0.9),
    "ohmic": Ohmic(0.03, 1.5, 1.0),
    "sub-ohmic": Ohmic(0.03, 1.5, 0.6),
    "underdamped": Underdamped(0.3, 1.1, 0.1),
    "expression": ExpressionDensity(parse_expression("0.05*w**3/(1 + w**4)**2")),
    "table": Table((0.1, 0.5, 1.0, 2.0, 4.0), (0.01, 0.05, 0.06, 0.03, 0.001)),
}


@pytest.mark.parametrize("name", DENSITIES)
def test_transforms_and_imaginary_time_give_the_same_second_order(name: str) -> None:
    # principal values of Ĉ on one side, quadrature of C(-i tau) over tau on the other
    beta, s = 2.1, hermitian(3, 5)
    if name == "sub-ohmic":  # dP/dw at 0 does not exist, and cancels only level by level
        s = s - np.diag(np.diag(s))
    model = open_system((0.0, 0.7, 1.6), (s,), (DENSITIES[name],), beta)
    second = second_order(model.energies, channels(model), beta)
    modes = modes_of(Correlation(DENSITIES[name], "boson", beta), beta)
    other = fourth_order(model.energies, [s], [modes])
    assert modes.error < 1e-11
    assert np.max(np.abs(second.value - other.second)) < 1e-11 * np.max(np.abs(other.second))
    assert np.all(second.error < 1e-9 * np.max(np.abs(second.value)))


def test_coherences_solve_the_second_order_stationarity() -> None:
    # -i[H_S, rho2] + R[rho_Gibbs] = 0 off the diagonal
    model = two_bath_system()
    second = mean_force(model, 2).matrix - gibbs(model)
    driven = (dissipator(model.energies, channels(model)) @ gibbs(model).reshape(-1)).reshape(3, 3)
    for n, m in ((0, 1), (0, 2), (1, 2), (2, 0)):
        gap = model.energies[n] - model.energies[m]
        assert second[n, m] == pytest.approx(driven[n, m] / (1j * gap), abs=1e-14)


def test_imaginary_time_correlation_of_a_drude_bath() -> None:
    beta, density = 1.7, DrudeLorentz(0.2, 1.3)
    modes = modes_of(Correlation(density, "boson", beta), beta)
    for tau in (0.1, 0.85, 1.5):

        def integrand(w: float, tau: float = tau) -> float:
            thermal = math.exp(-w * tau) + math.exp(-w * (beta - tau))
            return float(density.at(w)) * thermal / -math.expm1(-beta * w) / math.pi

        expected = sum(quad(integrand, a, b)[0] for a, b in ((1e-12, 1), (1, 10), (10, 400)))
        found = modes.at(np.array([tau]), np.array([beta - tau]))[0]
        assert found == pytest.approx(expected, rel=1e-9)


# ---------------------------------------------------------------------------------------------
# Exact cases


def test_commuting_coupling_shifts_the_energies() -> None:
    # S diagonal: the mean-force state is Gibbs of E_n - lam s_n^2, exactly
    energies, shifts, beta, lam = np.array([0.0, 0.4, 1.1]), np.array([0.5, -1.0, 0.8]), 1.2, 0.02
    model = open_system(energies, (np.diag(shifts),), (DrudeLorentz(lam, 1.0),), beta)
    state = mean_force(model, 4)

    p = np.exp(-beta * energies)
    p /= p.sum()
    x = beta * lam * shifts**2
    mean, square = p @ x, p @ x**2
    expected = p * (1 + (x - mean) + (x**2 / 2 - square / 2 - mean * (x - mean)))
    assert state.matrix == pytest.approx(np.diag(expected), abs=1e-13)
    assert state.error < 1e-12


def test_identity_coupling_changes_nothing() -> None:
    model = open_system((0.0, 1.0), (np.eye(2),), (DrudeLorentz(0.3, 1.0),), 1.5)
    for order in (2, 4):
        state = mean_force(model, order)
        assert np.max(np.abs(state.matrix - gibbs(model))) <= state.error + 1e-15 < 1e-11


def test_ground_state_at_zero_temperature() -> None:
    # first-order perturbation theory of the pure ground state: one quantum emitted
    s = hermitian(3, 6)
    energies, density = (0.2, 0.9, 1.5), Ohmic(0.05, 1.0, 1.0)
    state = mean_force(open_system(energies, (s,), (density,), math.inf), 2).matrix
    for n in (1, 2):
        gap = energies[n] - energies[0]
        loss = quad(lambda w, gap=gap: float(density.at(w)) / (w + gap) ** 2, 0, 40, limit=200)[0]
        assert state[n, n] == pytest.approx(abs(s[n, 0]) ** 2 * loss / math.pi, rel=1e-8)
    assert state.trace() == pytest.approx(1, abs=1e-14)
    # and it is the limit of low temperatures, reached as T^(s+1)
    cold = [
        np.max(np.abs(mean_force(open_system(energies, (s,), (density,), beta), 2).matrix - state))
        for beta in (100.0, 200.0)
    ]
    assert cold[1] < 1e-4
    assert math.log2(cold[0] / cold[1]) == pytest.approx(2, abs=0.2)


# ---------------------------------------------------------------------------------------------
# Structure


@pytest.mark.parametrize("order", [0, 2, 4])
def test_states_are_hermitian_with_unit_trace(order: int) -> None:
    state = mean_force(two_bath_system(), order)
    assert state.matrix.trace() == pytest.approx(1, abs=1e-13)
    assert np.max(np.abs(state.matrix - state.matrix.conj().T)) < 1e-14
    assert 0 < state.error < 1e-11
    assert (order == 0) == np.array_equal(state.matrix, gibbs(two_bath_system()))


@pytest.mark.parametrize("order", [2, 4])
def test_contributions_scale_with_the_coupling(order: int) -> None:
    strong, weak = two_bath_system(0.8), two_bath_system(0.4)
    strong_term, weak_term = (
        mean_force(model, order).matrix - mean_force(model, order - 2).matrix
        for model in (strong, weak)
    )
    assert strong_term == pytest.approx(2.0**order * weak_term, abs=1e-13)


@pytest.mark.parametrize("order", [2, 4])
def test_near_degeneracy_joins_degeneracy(order: int) -> None:
    def state(gap: float) -> Matrix:
        operators, densities = (hermitian(3, 7),), (DrudeLorentz(0.05, 1.0),)
        return mean_force(
            open_system((0.0, 0.8, 0.8 + gap), operators, densities, 1.1), order
        ).matrix

    exact = state(0.0)
    assert np.max(np.abs(state(1e-9) - exact)) < 1e-8
    assert np.max(np.abs(state(1e-5) - exact)) < 1e-4
    assert np.max(np.abs(state(1e-2) - exact)) > 1e-6
    assert state(1e-16) == pytest.approx(exact, abs=1e-15)  # rounding of a diagonalisation


@pytest.mark.parametrize("order", [2, 4])
def test_rotation_of_a_degenerate_level_rotates_the_state(order: int) -> None:
    s, density = hermitian(3, 8), (DrudeLorentz(0.05, 1.0),)
    angle = 0.7
    u = np.eye(3, dtype=complex)
    u[1:, 1:] = [[math.cos(angle), 1j * math.sin(angle)], [1j * math.sin(angle), math.cos(angle)]]
    energies = (0.0, 0.8, 0.8)
    state = mean_force(open_system(energies, (s,), density, 1.1), order).matrix
    rotated = u.conj().T @ s @ u
    rotated = (rotated + rotated.conj().T) / 2
    other = mean_force(open_system(energies, (rotated,), density, 1.1), order).matrix
    assert other == pytest.approx(u.conj().T @ state @ u, abs=1e-12)


def test_order_of_levels_and_origin_of_energy_do_not_matter() -> None:
    s, density, places = hermitian(3, 9), (DrudeLorentz(0.05, 1.0),), [2, 0, 1]
    energies = np.array([0.0, 0.8, 1.7])
    state = mean_force(open_system(energies, (s,), density, 1.1), 4).matrix
    moved = open_system(energies[places] + 3, (s[np.ix_(places, places)],), density, 1.1)
    assert mean_force(moved, 4).matrix == pytest.approx(state[np.ix_(places, places)], abs=1e-12)


def test_fourth_order_converges_and_says_how_well(monkeypatch: pytest.MonkeyPatch) -> None:
    model = open_system((0.0, 1.0), ([[0.3, 1], [1, -0.2]],), (Ohmic(0.05, 1.0, 1.0),), 20.0)
    state = mean_force(model, 4)
    monkeypatch.setattr("pertsym.dynamics.imaginary_time._STEPS", (0.1, 0.075))
    finer = mean_force(model, 4)
    monkeypatch.setattr("pertsym.dynamics.imaginary_time._STEPS", (0.3, 0.22))
    coarse = mean_force(model, 4)
    assert np.max(np.abs(state.matrix - finer.matrix)) <= state.error < 1e-9
    assert np.max(np.abs(coarse.matrix - finer.matrix)) <= coarse.error
    assert coarse.error > 1e-8


# ---------------------------------------------------------------------------------------------
# Refusals


def test_baths_must_share_one_temperature() -> None:
    flip, density = [[0, 1], [1, 0]], DrudeLorentz(0.1, 1.0)
    couplings = [Coupling.of(flip, "hot"), Coupling.of(flip, "given")]
    given = Bath("given", "boson", None, Exponentials((0.1,), (1.0,)))
    model = Model.of((0.0, 1.0), couplings, [Bath("hot", "boson", 1.0, density), given])
    with pytest.raises(InputError, match=r"'hot'.*beta = 1.*'given'.*exponentials"):
        mean_force(model, 2)
    classical = [Bath(name, "classical", 1.0, density) for name in ("hot", "given")]
    with pytest.raises(InputError, match="classical"):
        mean_force(Model.of((0.0, 1.0), couplings, classical), 0)


def test_what_is_not_derived_or_does_not_exist() -> None:
    s, density = hermitian(3, 1), (DrudeLorentz(0.1, 1.0),)
    with pytest.raises(NotYetDerivable, match="not at 6"):
        mean_force(open_system((0.0, 1.0, 2.0), (s,), density, 1.0), 6)
    with pytest.raises(NotYetDerivable, match="T > 0"):
        mean_force(open_system((0.0, 1.0, 2.0), (s,), density, math.inf), 4)
    with pytest.raises(InputError, match="degenerate ground level"):
        mean_force(open_system((0.5, 0.5, 2.0), (s,), density, math.inf), 2)
    rising = ExpressionDensity(parse_expression("0.1*w"))  # no cutoff: the shift is infinite
    with pytest.raises(Divergent):
        mean_force(open_system((0.0, 1.0, 2.0), (s,), (rising,), 1.0), 2)
    assert mean_force(open_system((0.5, 0.5, 2.0), (s,), density, math.inf), 0).matrix[
        0, 0
    ] == pytest.approx(0.5)
