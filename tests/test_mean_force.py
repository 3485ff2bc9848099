"""Mean-force Gibbs states: exact diagonalisation, HEOM, independent formulas, exact cases."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse.linalg
import scipy.special
from scipy.integrate import quad

from pertsym import load_model, steady
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
from pertsym.dynamics.half_sided import channels
from pertsym.dynamics.imaginary_modes import ImaginaryTimeModes, modes_of
from pertsym.dynamics.imaginary_time import Expansion, fourth_order, ground_state, normalised
from pertsym.dynamics.levels import gibbs
from pertsym.dynamics.mean_force import mean_force, second_order
from pertsym.dynamics.redfield import relaxation
from pertsym.expressions.expression import parse_expression
from pertsym.model.bath import Bath
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.values import Coupling, Model

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
    driven = (relaxation(model).matrix @ gibbs(model).reshape(-1)).reshape(3, 3)
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


def rayleigh_schroedinger(
    energies: Sequence[float], oscillators: Sequence[Oscillator]
) -> tuple[Matrix, Matrix]:
    """Second and fourth order of Tr_B |Psi><Psi|, normalised, with all states of two quanta.

    Operators are matrices here and nothing is displaced; two quanta suffice for this order.
    """
    count, size = len(oscillators), len(energies)
    kept = [q for q in itertools.product(range(3), repeat=count) if sum(q) <= 2]
    place = {q: i for i, q in enumerate(kept)}
    quanta = np.array(kept) @ np.array([mode.frequency for mode in oscillators])
    free = np.add.outer(quanta, np.array(energies) - energies[0]).ravel()
    coupling = np.zeros((len(free), len(free)), dtype=complex)
    for k, mode in enumerate(oscillators):
        lowering = np.zeros((len(kept), len(kept)))
        for q, i in place.items():
            if q[k]:
                below = (*q[:k], q[k] - 1, *q[k + 1 :])
                lowering[place[below], i] = math.sqrt(q[k])
        coupling += mode.strength * np.kron(lowering + lowering.T, mode.operator)
    resolvent = np.array([0, *(-1 / free[1:])])
    psi = [np.eye(len(free))[0].astype(complex)]
    shifts: list[complex] = [0]
    for k in range(1, 5):
        driven = coupling @ psi[-1]
        shifts.append(driven[0])
        psi.append(resolvent * (driven - sum(shifts[j] * psi[k - j] for j in range(1, k))))

    def reduced(k: int) -> Matrix:
        parts = [v.reshape(len(kept), size) for v in psi]
        return sum(parts[j].T @ parts[k - j].conj() for j in range(k + 1))

    bare, r2, r4 = reduced(0), reduced(2), reduced(4)
    second = r2 - np.trace(r2) * bare
    return second, r4 - np.trace(r4) * bare - np.trace(r2) * second


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_ground_state_against_perturbation_theory_in_fock_space(seed: int) -> None:
    rng = np.random.default_rng(seed)
    size = 2 + seed % 3
    energies = (0.0, *np.sort(rng.uniform(0.4, 2.0, size - 1)))
    operators = [hermitian(size, 10 * seed), hermitian(size, 10 * seed + 1)]
    w, g = rng.uniform(0.3, 2.5, (2, 3)), rng.uniform(0.1, 0.6, (2, 3))
    baths = [ImaginaryTimeModes(math.inf, tuple(w[b]), tuple(g[b] ** 2)) for b in range(2)]
    raw = ground_state(energies, operators, baths)
    gibbs = np.eye(size)[0]
    found = normalised(gibbs, raw, (0.0, 0.0), 0.0)
    modes = [Oscillator(w[b, k], g[b, k], operators[b]) for b in range(2) for k in range(3)]
    second, fourth = rayleigh_schroedinger(energies, modes)
    assert np.max(np.abs(fourth)) > 1e-3
    assert found.second == pytest.approx(second, abs=1e-13)
    assert found.fourth == pytest.approx(fourth, abs=1e-12)


@pytest.mark.parametrize(("density", "power"), [("drude", 2), ("ohmic", 2), ("sub-ohmic", 1.6)])
def test_fourth_order_at_zero_temperature_is_the_limit(density: str, power: float) -> None:
    # imaginary-time quadrature, which shares only Ĉ, reaches it as T^(s+1)
    energies, s = (0.2, 0.9, 1.5), hermitian(3, 6)

    def fourth(beta: float) -> tuple[Matrix, float]:
        model = open_system(energies, (s,), (DENSITIES[density],), beta)
        state = mean_force(model, 4)
        return state.matrix - mean_force(model, 2).matrix, state.error

    limit, error = fourth(math.inf)
    off = [fourth(beta)[0] - limit for beta in (50.0, 100.0)]
    size = np.max(np.abs(limit))
    assert error < 1e-9 * size
    assert np.max(np.abs(off[1])) < 0.03 * size
    assert np.linalg.norm(off[0]) / np.linalg.norm(off[1]) == pytest.approx(2**power, rel=0.06)
    extrapolated = (2**power * off[1] - off[0]) / (2**power - 1)
    assert np.max(np.abs(extrapolated)) < 0.1 * np.max(np.abs(off[1]))


@pytest.mark.parametrize("density", DENSITIES)
def test_fourth_order_at_zero_temperature_says_how_well_it_is_known(
    density: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = open_system((0.2, 0.9, 1.5), (hermitian(3, 6),), (DENSITIES[density],), math.inf)
    state = mean_force(model, 4)
    assert state.matrix.trace() == pytest.approx(1, abs=1e-13)
    monkeypatch.setattr("pertsym.dynamics.mean_force._POINTS_AT_ZERO", (20, 32))
    finer = mean_force(model, 4)
    assert np.max(np.abs(state.matrix - finer.matrix)) <= state.error < 1e-11
    monkeypatch.setattr("pertsym.dynamics.mean_force._POINTS_AT_ZERO", (3, 4))
    coarse = mean_force(model, 4)
    assert np.max(np.abs(coarse.matrix - finer.matrix)) <= coarse.error
    assert coarse.error > 1e-9


def test_common_displacement_at_zero_temperature() -> None:
    # S -> S + x displaces the bath and adds 2 lam x S to H_S: no other trace in the state
    lam, x, s, energies = 0.02, 0.7, hermitian(3, 9), (0.0, 0.8, 1.7)
    density = (DrudeLorentz(lam, 1.0),)

    def fourth(operator: Matrix) -> Matrix:
        return mean_force(open_system(energies, (operator,), density, math.inf), 4).matrix

    moved, plain = fourth(s + x * np.eye(3)), fourth(s)
    # first-order perturbation theory of the shift by -2 lam x S, and by terms of fourth order
    shift = -2 * lam * x * s[1:, 0] / -np.array(energies[1:])
    assert (moved - plain)[1:, 0] == pytest.approx(shift, abs=10 * lam**2)
    assert fourth(s + x * np.eye(3) * 0) == pytest.approx(plain, abs=1e-15)


# ---------------------------------------------------------------------------------------------
# Sixth order


def imaginary_time_hierarchy(
    energies: Sequence[float], operator: Matrix, modes: ImaginaryTimeModes, highest: int
) -> list[Matrix]:
    """Orders 2, 4, ... of Tr_B exp(-beta H)/Z by a one-sided hierarchy in imaginary time.

    C(-i tau) = sum_k c_k e^{-nu_k tau} makes every open arc an auxiliary; with S to the left,
    d rho_n/dtau = -(H_S + sum nu) rho_n + S sum_k rho_(n+k) + sum_k n_k c_k S rho_(n-k).
    """
    w, c = np.array(modes.frequencies), np.array(modes.weights)
    nu, c = np.concatenate((w, -w)), np.concatenate((c, c * np.exp(-modes.beta * w)))
    size, exponents = len(energies), range(len(nu))
    kept = [
        (order, arcs)
        for order in range(highest + 1)
        for level in range(order % 2, min(order, highest - order) + 1, 2)
        for arcs in itertools.combinations_with_replacement(exponents, level)
    ]
    place = {key: i for i, key in enumerate(kept)}
    free = [-energy - sum(nu[k] for k in arcs) for _, arcs in kept for energy in energies]
    links = []
    for (order, arcs), i in place.items():
        for k in set(arcs):  # the arc is opened by the S of this order
            rest = list(arcs)
            rest.remove(k)
            if (order - 1, tuple(rest)) in place:
                links.append((i, place[order - 1, tuple(rest)], arcs.count(k) * c[k]))
        for k in exponents:  # or closed by it
            more = (order - 1, tuple(sorted((*arcs, k))))
            if more in place:
                links.append((i, place[more], 1.0))
    rows, columns, values = zip(*links, strict=True)
    shape = (len(kept), len(kept))
    coupled = scipy.sparse.kron(scipy.sparse.csr_matrix((values, (rows, columns)), shape), operator)
    start = np.zeros((len(free), size), dtype=complex)
    start[:size] = np.eye(size)
    evolved = scipy.sparse.linalg.expm_multiply(
        modes.beta * (scipy.sparse.diags(free) + coupled).tocsc(), start
    )
    raw = [evolved[size * place[n, ()] :][:size] for n in range(0, highest + 1, 2)]
    found: list[Matrix] = []
    for k, part in enumerate(raw):  # divided by Z, order by order
        traces = [np.trace(raw[k - j]) * found[j] for j in range(k)]
        found.append((part - sum(traces)) / np.trace(raw[0]))
    return found[1:]


def gauss_laguerre(density: Ohmic, beta: float, count: int) -> ImaginaryTimeModes:
    """C(-i tau) of J ~ w^s e^{-w/wc} by so many oscillators."""
    x, weight = scipy.special.roots_genlaguerre(count, float(density.s) - 1)
    w = float(density.wc) * x
    strength = float(density.alpha) * float(density.wc) ** 2 * weight * x / -np.expm1(-beta * w)
    return ImaginaryTimeModes(beta, tuple(w), tuple(strength / math.pi))


@pytest.mark.parametrize(("energies", "seed"), [((0.0, 0.9), 11), ((0.0, 0.6, 1.5), 12)])
def test_sixth_order_against_a_hierarchy_in_imaginary_time(
    energies: tuple[float, ...], seed: int
) -> None:
    # generators of order 8 on one side, no time at all on the other
    density, beta, s = Ohmic(0.05, 0.8, 3.0), 1.3, hermitian(len(energies), seed)
    model = open_system(energies, (s,), (density,), beta)
    states = [mean_force(model, n) for n in (0, 2, 4, 6)]
    found = [b.matrix - a.matrix for a, b in itertools.pairwise(states)]
    coarse, fine = (
        imaginary_time_hierarchy(energies, s, gauss_laguerre(density, beta, count), 6)
        for count in (5, 7)
    )
    for n in range(3):
        size = np.max(np.abs(fine[n]))
        assert size > 1e-8
        tolerance = 2 * np.max(np.abs(fine[n] - coarse[n])) + states[n + 1].error
        assert tolerance < 1e-3 * size
        assert np.max(np.abs(found[n] - fine[n])) < tolerance


def test_sixth_order_that_generators_do_not_fix() -> None:
    """Two blocks, each with off-diagonal coupling; an element that grows with time."""
    s = np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]], dtype=complex)
    model = open_system((0.0, 0.5, 1.1, 1.9), (s,), (DrudeLorentz(0.05, 1.0),), 1.2)
    with pytest.raises(NotYetDerivable, match="do not connect"):
        mean_force(model, 6)
    model = open_system((0.0, 0.8, 0.8), (hermitian(3, 13),), (Ohmic(0.05, 0.8, 3.0),), 1.3)
    with pytest.raises(NotYetDerivable, match=r"order 8.*lacks an element: .* grows as"):
        mean_force(model, 6)


def test_steady_states_of_generators_have_sixth_order_populations() -> None:
    """TCL8 is right to sixth order in its populations, Gibbs to none."""
    density, s, left = Ohmic(0.05, 0.8, 3.0), hermitian(2, 11), []
    for strength in (0.5, 0.4):
        model = open_system((0.0, 0.9), (strength * s,), (density,), 1.3)
        left.append(
            [
                abs(steady(model, f"tcl{n + 2}") - mean_force(model, n).matrix)[1, 1]
                for n in (2, 4, 6)
            ]
        )
    for k, n in enumerate((2, 4, 6)):
        assert left[0][k] / left[1][k] == pytest.approx(1.25 ** (n + 2), rel=0.25)


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


@pytest.mark.parametrize("order", [2, 4, 6])
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
    assert other == pytest.approx(u.conj().T @ state @ u, abs=1e-12 if order < 6 else 1e-9)


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
    with pytest.raises(NotYetDerivable, match="not 3"):
        mean_force(open_system((0.0, 1.0, 2.0), (s,), density, 1.0), 3)
    for order in (2, 4):
        with pytest.raises(InputError, match="degenerate ground level"):
            mean_force(open_system((0.5, 0.5, 2.0), (s,), density, math.inf), order)
    rising = ExpressionDensity(parse_expression("0.1*w"))  # no cutoff: the shift is infinite
    with pytest.raises(Divergent):
        mean_force(open_system((0.0, 1.0, 2.0), (s,), (rising,), 1.0), 2)
    assert mean_force(open_system((0.5, 0.5, 2.0), (s,), density, math.inf), 0).matrix[
        0, 0
    ] == pytest.approx(0.5)
