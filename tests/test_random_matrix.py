"""Random-matrix environments: ensemble, master equations, simulation, fourth order."""

from __future__ import annotations

import json
import math
from fractions import Fraction as F
from pathlib import Path

import flint
import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import quad, solve_ivp

from generated.esposito_gaspard_2003 import rates as generated
from pertsym.baths.divergence import Divergent
from pertsym.certify.conserved_energy_routes import (
    finite_part,
    from_ladder,
    rate_from_cumulant,
)
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.random_matrix import RandomMatrixBath, RandomMatrixModel
from pertsym.model.units import UNITS
from pertsym.model.values import Coupling
from pertsym.random_matrix import second_order
from pertsym.random_matrix.ensemble import (
    VARIANCE,
    band_nodes,
    correlation,
    draw_symmetric,
    golden_rule,
    half_chord,
    level_density,
    resolvent,
    resolvent_slope,
)
from pertsym.random_matrix.evolution import METHODS, populations
from pertsym.random_matrix.methods import random_matrix_spectral_rate, simulate
from pertsym.random_matrix.rates import conserved_energy, random_matrix_rates

from .open_systems import gorm_spin

DATA = Path(__file__).parent.parent / "derivations" / "esposito_gaspard_2003" / "spin_gorm.json"
FloatArray = NDArray[np.float64]
UP = np.diag([0.0, 1.0]).astype(complex)


# ---------------------------------------------------------------------------------------------
# Ensemble
# ---------------------------------------------------------------------------------------------


def test_drawn_matrices_have_the_stated_deviations_and_band() -> None:
    size = 400
    matrix = draw_symmetric(size, np.random.default_rng(3))
    upper = matrix[np.triu_indices(size, 1)]
    assert np.array_equal(matrix, matrix.T)
    assert upper.std() == pytest.approx(1 / (4 * math.sqrt(size)), rel=0.02)
    assert np.diag(matrix).std() == pytest.approx(1 / (2 * math.sqrt(2 * size)), rel=0.15)
    assert np.abs(np.linalg.eigvalsh(matrix)).max() == pytest.approx(0.5, abs=0.02)


def test_resolvent_is_the_hilbert_transform_of_the_density() -> None:
    for z in (0.3 + 0.2j, -0.6 + 0.01j, 0.1 - 0.4j):
        value = sum(
            part * quad(lambda e, f=f, z=z: f(level_density(e) / (z - e)), -0.5, 0.5)[0]
            for part, f in ((1, np.real), (1j, np.imag))
        )
        assert resolvent(z) == pytest.approx(value, abs=1e-7)
    assert resolvent(0.2).imag == pytest.approx(-math.pi * level_density(0.2))
    assert resolvent(0.7).imag == 0


@given(x=st.floats(-2, 2).filter(lambda x: abs(abs(x) - 0.5) > 0.01))
@settings(max_examples=30)
def test_slope_of_the_resolvent_solves_the_differentiated_fixed_point(x: float) -> None:
    """g = 1/(x - v g) and its derivative g' = -g^2 (1 - v g')."""
    g, slope = resolvent(x), resolvent_slope(x)
    assert g * (x - VARIANCE * g) == pytest.approx(1, abs=1e-12)
    assert slope == pytest.approx(-(g**2) * (1 - VARIANCE * slope), abs=1e-10)


def test_correlation_function_decays_from_the_variance() -> None:
    nodes, weights = band_nodes(80)
    for t in (0.0, 1e-9, 3.0, 40.0):
        value = VARIANCE * np.sum(weights * np.exp(1j * (0.1 - nodes) * t))
        assert correlation(t, 0.1) == pytest.approx(value, abs=1e-14)
    assert correlation(0.0, 0.1) == VARIANCE


# ---------------------------------------------------------------------------------------------
# Second order
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("energy", "delta"), [(-0.25, 0.5), (0.1, 0.3), (-0.4, 0.01)])
def test_rates_are_those_that_were_generated(energy: float, delta: float) -> None:
    for solve, name in (
        (second_order.energy_resolved, "energy_resolved"),
        (second_order.redfield, "redfield"),
    ):
        found = solve(delta, 0.01, energy)
        assert found.rate == pytest.approx(getattr(generated, f"rate_{name}")(energy, delta, 0.1))
        wanted = getattr(generated, f"z_infinity_{name}")(energy, delta, 0.1)
        assert found.z_infinity == pytest.approx(wanted, abs=1e-14)


def test_transition_rates_are_golden_rules_where_the_environment_ends() -> None:
    """2 pi |S|^2 n F, by hand: the way back differs, and vanishes outside the band."""
    delta, strength, energy = 0.3, 0.01, -0.4
    kept = second_order.energy_resolved(delta, strength, energy)
    fixed = second_order.redfield(delta, strength, energy)
    assert kept.down == pytest.approx(strength * golden_rule(energy + delta))
    assert kept.up == pytest.approx(strength * golden_rule(energy))
    assert fixed.down == kept.down
    assert fixed.up == golden_rule(energy - delta) == 0


def test_redfield_kernels_integrate_to_the_rates() -> None:
    eps, delta, lam = -0.1, 0.3, 0.1
    for kernel, end in (
        (generated.redfield_kernel_down, eps + delta),
        (generated.redfield_kernel_up, eps - delta),
    ):
        tail = quad(lambda tau, k=kernel: k(tau, eps, delta, lam), 1e-9, 800, limit=2000)[0]
        assert tail == pytest.approx(lam**2 * golden_rule(end), rel=1e-3)


def test_markovian_equations_relax_as_the_rates_say() -> None:
    times = np.linspace(0, 400, 5)
    for method, solve in (
        ("energy-resolved-markov", second_order.energy_resolved),
        ("redfield", second_order.redfield),
    ):
        relaxation = solve(0.3, 0.01, -0.1)
        assert relaxation.z_infinity is not None
        found = populations(method, 0.3, 0.01, -0.1, (0.0, 1.0), times)
        z = found[:, 1] - found[:, 0]
        end = relaxation.z_infinity
        assert z == pytest.approx(end + (1 - end) * np.exp(-relaxation.rate * times), abs=1e-14)


@pytest.mark.parametrize("method", METHODS)
def test_populations_add_to_one_and_start_where_they_should(method: str) -> None:
    found = populations(method, 0.5, 0.04, 0.1, (0.3, 0.7), (0.0, 3.0, 30.0))
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-12)
    assert found[0] == pytest.approx((0.3, 0.7), abs=1e-15)
    assert np.abs(found[2] - found[0]).max() > 0.01


def test_non_markovian_equations_start_quadratically_with_the_variance() -> None:
    """P_0(t) = |S|^2 C(0) t^2 at short times, in both equations."""
    t = 0.05
    for method in ("energy-resolved", "redfield-nonmarkov"):
        found = populations(method, 0.5, 0.04, 0.1, (0.0, 1.0), (t,))
        assert found[0, 0] == pytest.approx(0.04 * VARIANCE * t**2, rel=1e-3)


def test_second_order_population_is_the_window_integral() -> None:
    """To first order in |S|^2: P_0(t) = int n F 2 [1 - cos(x t)]/x^2, no master equation."""
    strength, delta, energy, t = 1e-6, 0.3, -0.1, 25.0

    def integrand(e: float) -> float:
        x = e - delta - energy
        return float(level_density(e)) * t**2 * float(np.sinc(x * t / 2 / np.pi)) ** 2

    wanted = strength * VARIANCE * quad(integrand, -0.5, 0.5, limit=400)[0]
    for method in ("energy-resolved", "redfield-nonmarkov"):
        found = populations(method, delta, strength, energy, (0.0, 1.0), (t,))
        assert found[0, 0] == pytest.approx(wanted, rel=1e-4)


def test_widely_split_levels_relax_alike_in_both_equations() -> None:
    times = np.linspace(0, 50, 11)
    one = populations("energy-resolved", 5.0, 0.01, 0.0, (0.0, 1.0), times)
    other = populations("redfield-nonmarkov", 5.0, 0.01, 0.0, (0.0, 1.0), times)
    assert np.abs(one - other).max() < 1e-5
    assert one[:, 0].max() > 1e-5
    still = populations("redfield", 5.0, 0.01, 0.0, (0.0, 1.0), times)
    assert np.all(still[:, 1] == 1.0)


# ---------------------------------------------------------------------------------------------
# Exact simulation
# ---------------------------------------------------------------------------------------------


def test_simulation_follows_the_master_equation_and_not_redfield() -> None:
    """A short version of the acceptance run: N = 150, coupling 0.2, Delta = 0.5."""
    times = np.linspace(0, 120, 7)
    run_ = simulate(gorm_spin(0.5, 0.2, -0.25, 0.1), UP, times, size=150, realisations=6, seed=1)
    z = run_.populations[:, 1] - run_.populations[:, 0]
    found = {}
    for method in METHODS:
        p = populations(method, 0.5, 0.04, -0.25, (0.0, 1.0), times)
        found[method] = np.abs(p[:, 1] - p[:, 0] - z).max()
    assert found["energy-resolved"] < 0.12
    assert found["redfield-nonmarkov"] > 0.5
    assert found["redfield"] > 0.5
    assert 0 < run_.error[-1, 0] < 0.05


def test_committed_exact_curves_meet_the_stated_accuracy() -> None:
    record = json.loads(DATA.read_text(encoding="utf-8"))["delta 0.5"]
    z = np.array(record["1000"]["z"])
    assert record["realisations"] >= 10
    assert record["times"][-1] == 600
    found = {}
    for method in METHODS:
        p = populations(method, 0.5, 0.01, -0.25, (0.0, 1.0), record["times"])
        found[method] = np.abs(p[:, 1] - p[:, 0] - z).max()
    assert found["energy-resolved"] < 0.03
    assert found["redfield"] > 0.6
    assert found["redfield-nonmarkov"] > 0.6
    half = np.array(record["500"]["z"])
    assert 0.005 < abs(z[-1] - half[-1]) < 0.03  # the bias of a finite environment


def test_simulation_is_seeded_and_unitary() -> None:
    model = gorm_spin(0.5, 0.3, 0.0, 0.2)
    one = simulate(model, UP, (0.0, 5.0), size=30, realisations=2, seed=4)
    again = simulate(model, UP, (0.0, 5.0), size=30, realisations=2, seed=4)
    other = simulate(model, UP, (0.0, 5.0), size=30, realisations=2, seed=5)
    assert np.array_equal(one.populations, again.populations)
    assert not np.array_equal(one.populations, other.populations)
    assert one.populations[0] == pytest.approx((0, 1), abs=1e-12)


def test_realisations_are_made_one_by_one() -> None:
    """A billion of them begins at once, and the first ones are those of a few."""
    said: list[str] = []

    def progress(item: str) -> None:
        said.append(item)
        if len(said) == 3:
            raise InterruptedError

    model = gorm_spin(0.5, 0.2, -0.25, 0.1)
    with pytest.raises(InterruptedError):
        simulate(model, UP, (0.0,), size=20, realisations=10**9, seed=4, progress=progress)
    assert said[-1] == "realisation 3 of 1000000000"


def test_simulation_of_three_levels_with_a_complex_coupling() -> None:
    """Against the matrix exponential of the same random numbers, one by one."""
    coupling = Coupling.of(((0, 1, 0.5j), (1, 0.2, 0), (-0.5j, 0, 0)), "env", 0.3)
    model = RandomMatrixModel(
        "three", UNITS["natural"], (0.0, 0.1, 0.4), (coupling,), RandomMatrixBath("env", 0.0, 2.0)
    )
    state = np.full((3, 3), 1 / 3, dtype=complex)
    size, time = 8, 3.0
    found = simulate(model, state, (time,), size=size, realisations=1, seed=9)
    (source,) = np.random.SeedSequence(9).spawn(1)
    draw = np.random.default_rng(source)
    levels = np.linalg.eigvalsh(draw_symmetric(size, draw))
    bath = draw_symmetric(size, draw)
    h = np.kron(np.diag(model.energies), np.eye(size)) + np.kron(np.eye(3), np.diag(levels))
    h = h + np.kron(model.coupling, bath)
    energies, u = np.linalg.eigh(h)
    evolution = (u * np.exp(-1j * energies * time)) @ u.conj().T
    rho = evolution @ np.kron(state, np.eye(size) / size) @ evolution.conj().T
    wanted = np.einsum("akak->a", rho.reshape(3, size, 3, size)).real
    assert found.populations[0] == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"size": 1}, "size: must be at least 2"),
        ({"size": 100_000}, "too much memory"),
        ({"realisations": 0}, "realisations"),
        ({"seed": -1}, "seed: must not be negative"),
    ],
)
def test_numbers_of_a_simulation_out_of_range(given: dict[str, int], said: str) -> None:
    with pytest.raises(InputError, match=said):
        simulate(
            gorm_spin(0.5, 0.1, 0.0),
            UP,
            (1.0,),
            **{"size": 10, "realisations": 1, "seed": 0, **given},
        )


def test_an_empty_shell_is_named() -> None:
    with pytest.raises(InputError, match=r"baths\.env\.shell_width"):
        simulate(gorm_spin(0.5, 0.1, 0.0, 1e-9), UP, (1.0,), size=10, realisations=1, seed=0)


# ---------------------------------------------------------------------------------------------
# Fourth order
# ---------------------------------------------------------------------------------------------


def test_equal_levels_have_a_closed_rate() -> None:
    """Delta -> 0, E = 0: the pole of the ladder is lambda^2/sqrt(1 - lambda^2)."""
    found = conserved_energy((-1e-9, 1e-9), 1.0, 0.0)
    assert found.rates[2] == pytest.approx(1)
    assert found.rates[4] == pytest.approx(0.5)
    assert abs(found.z_infinity[0]) < 1e-8


@pytest.mark.parametrize(("delta", "total"), [(0.3, 0.1), (0.5, -0.2), (0.9, 0.02)])
def test_conserved_energy_is_what_was_generated(delta: float, total: float) -> None:
    found = conserved_energy((-delta / 2, delta / 2), 0.09, total)
    for n in (2, 4):
        wanted = getattr(generated, f"rate_{n}_conserved")(total, delta, 0.3)
        assert found.rates[n] == pytest.approx(wanted, rel=1e-12)
        wanted = getattr(generated, f"z_infinity_{n - 2}_conserved")(total, delta, 0.3)
        assert found.z_infinity[n - 2] == pytest.approx(wanted, rel=1e-12)


def test_second_order_at_conserved_energy_is_paulis_rate() -> None:
    delta, energy = 0.3, -0.1
    found = conserved_energy((-delta / 2, delta / 2), 0.01, energy + delta / 2)
    wanted = second_order.energy_resolved(delta, 0.01, energy)
    assert found.rates[2] == pytest.approx(wanted.rate)
    assert found.z_infinity[0] == pytest.approx(wanted.z_infinity)


def test_one_level_outside_the_band() -> None:
    """+ has no states of the environment nearby: 1 -> 0 alone, and everything ends in -."""
    found = conserved_energy((-0.5, 0.5), 0.01, -0.3)
    assert half_chord(-0.8) == 0
    assert found.rates[2] == pytest.approx(0.01 * half_chord(0.2))
    assert found.z_infinity[0] == -1
    assert found.z_infinity[2] > 0  # - is dressed with +


def test_energies_without_a_rate() -> None:
    with pytest.raises(Divergent, match="nothing at the total energy"):
        conserved_energy((-0.15, 0.15), 0.01, 2.0)


@pytest.mark.parametrize(("energies", "total"), [((-0.15, 0.15), 0.35), ((0.0, 0.7), 0.2)])
def test_at_an_edge_of_the_band_the_lowest_order_is_left(
    energies: tuple[float, float], total: float
) -> None:
    """0.2 - 0.7 is -0.5 but for rounding, which the slope of g would amplify."""
    found = conserved_energy(energies, 0.01, total)
    inside = total - energies[0] if abs(total - energies[0]) < 0.49 else total - energies[1]
    assert found.rates == {2: pytest.approx(0.01 * half_chord(inside))}
    assert found.z_infinity.keys() == {0}
    assert abs(found.z_infinity[0]) == pytest.approx(1)
    assert "edge of the band" in found.divergent


@pytest.mark.parametrize("coupling", [0.2, 1.0, 2.0])
@pytest.mark.parametrize("method", ["energy-resolved", "redfield-nonmarkov"])
def test_strong_couplings_are_integrated_as_well(method: str, coupling: float) -> None:
    """Against an implicit solver at tight tolerance, for equations written down anew."""
    delta, energy, end = 0.5, -0.1, 10.0
    nodes, weights = band_nodes(90)
    u = coupling**2 * VARIANCE

    def window(x: FloatArray, t: float) -> FloatArray:
        return t * np.sinc(x * t / math.pi)

    if method == "redfield-nonmarkov":

        def slope(t: float, p: FloatArray) -> FloatArray:
            up, down = (2 * u * weights @ window(energy - nodes + s * delta, t) for s in (1, -1))
            return np.array([up * p[1] - down * p[0], down * p[0] - up * p[1]])

        start = np.array([0.0, 1.0])
    else:
        grid, density = np.append(nodes, energy), 2 * u * np.append(weights, 0.0)
        gaps = grid[:, None] - grid[None, :]
        count = grid.size

        def slope(t: float, p: FloatArray) -> FloatArray:
            lower, upper = p[:count], p[count:]
            to_upper, to_lower = window(gaps + delta, t), window(gaps - delta, t)
            return np.concatenate(
                [
                    density * (to_lower @ upper) - lower * (to_lower @ density),
                    density * (to_upper @ lower) - upper * (to_upper @ density),
                ]
            )

        start = np.zeros(2 * count)
        start[-1] = 1.0
    solved = solve_ivp(slope, (0, end), start, "Radau", rtol=1e-9, atol=1e-11).y[:, -1]
    half = solved.size // 2
    wanted = [solved[:half].sum(), solved[half:].sum()]
    found = populations(method, delta, coupling**2, energy, (0.0, 1.0), (end,))[0]
    assert found == pytest.approx(wanted, abs=1e-7)


def test_equations_that_run_away_or_need_too_much_are_refused() -> None:
    with pytest.raises(NotYetDerivable, match="run away"):
        populations("energy-resolved", 0.5, 25.0, -0.1, (0.0, 1.0), (60.0,))
    with pytest.raises(NotYetDerivable, match="energies of the environment"):
        populations("energy-resolved", 0.5, 1e-4, -0.1, (0.0, 1.0), (1e5,))


def test_microcanonical_mean_of_sigma_z_is_the_asymptotic_z() -> None:
    """Eigenstates at E know nothing of master equations: their mean sigma_z is z_infinity."""
    delta, lam, total, size = 0.5, 0.4, 0.2, 250
    model = gorm_spin(delta, lam, 0.0)
    values = []
    for seed in range(6):
        draw = np.random.default_rng(seed)
        levels = np.linalg.eigvalsh(draw_symmetric(size, draw))
        bath = lam * draw_symmetric(size, draw)
        lower, upper = model.energies
        h = np.block([[np.diag(lower + levels), bath], [bath, np.diag(upper + levels)]])
        energies, vectors = np.linalg.eigh(h)
        near = np.abs(energies - total) < 0.05
        values.append(np.mean(2 * np.sum(vectors[size:, near] ** 2, axis=0) - 1))
    exact, error = np.mean(values), np.std(values) / math.sqrt(len(values) - 1)
    found = conserved_energy(model.energies, lam**2, total).z_infinity
    assert abs(exact - found[0]) > 4 * error + 0.005
    assert abs(exact - found[0] - found[2]) < 0.25 * abs(exact - found[0])


@pytest.mark.parametrize(("splitting", "total"), [(F(3, 10), F(1, 10)), (F(7, 10), F(-1, 20))])
def test_rates_are_the_pole_of_the_ladder(splitting: F, total: F) -> None:
    """The pole iterated at a tiny coupling, with no expansion, and linearity in |S|^2 and |S|^4."""
    wanted, _ = from_ladder(splitting, total, 12)
    half = float(splitting) / 2
    found = conserved_energy((-half, half), 0.04, float(total)).rates
    assert found[2] == pytest.approx(0.04 * float(wanted[0]), rel=1e-12)
    assert found[4] == pytest.approx(0.04**2 * float(wanted[1]), rel=1e-10)


def test_finite_part_of_a_chord() -> None:
    """FP int_{-1}^{1} sqrt(1 - h^2) (1 + h)/(h - p)^2 = pi d/dp [-p (1 + p) + 1/2]."""
    with flint.ctx.workdps(30):
        p = flint.acb("0.3")
        value = finite_part(lambda h: 1 + h, p, flint.acb(0), flint.acb(1), 120)
        expected = -flint.arb.pi() * (1 + 2 * p.real)
        assert abs(value.real - expected) < 1e-25


@pytest.mark.parametrize(("delta", "total"), [(F(3, 10), F(1, 10)), (F(2, 5), F(-1, 20))])
def test_cumulant_and_pole_of_the_ladder_give_one_rate(delta: F, total: F) -> None:
    """The engine's fourth-order terms as integrals, the ladder without them: to 20 digits."""
    cumulant = rate_from_cumulant(delta, total, 20)
    (_, pole), _ = from_ladder(delta, total, 20)
    with mpmath.workdps(30):
        assert abs(cumulant - pole) < mpmath.mpf(10) ** -20


def rate_at_coupling(splitting: float, total: float, coupling: float) -> float:
    """The relaxation rate at |S_01|^2 = coupling: the pole of the self-consistent ladder."""
    rate, sigma = 0.0, [0j, 0j]
    for _ in range(400):
        points = (total + splitting / 2, total - splitting / 2)  # E - E_s, lower level first
        z = [x - 0.5j * rate - s for x, s in zip(points, sigma, strict=True)]
        lower, upper = (w - 1j * np.sqrt(0.25 - w * w) for w in z)  # continued through the band
        sigma = [coupling / 2 * upper, coupling / 2 * lower]
        rate = -2 * (sigma[0] + sigma[1]).imag
    return float(rate)


@pytest.mark.parametrize(("coupling", "factor"), [(0.09, 3), (0.25, 3)])
def test_fourth_order_is_several_times_nearer_to_the_exact_rate(
    coupling: float, factor: float
) -> None:
    """The pole of the ladder at N -> infinity, lambda = 0.3 and 0.5, Delta = 0.1."""
    rates = conserved_energy((-0.05, 0.05), coupling, 0.0).rates
    exact = rate_at_coupling(0.1, 0.0, coupling)
    assert factor * abs(exact - sum(rates.values())) < abs(exact - rates[2])


def test_simulated_rate_at_one_energy_is_the_pole() -> None:
    """From eigenstates of 60 realisations, within its own error; order 2 is far outside."""
    model = gorm_spin(0.1, 0.5, 0.0)
    found = random_matrix_spectral_rate(model, 0.0, size=150, realisations=60, seed=5)
    exact = rate_at_coupling(0.1, 0.0, 0.25)
    second = conserved_energy(model.energies, 0.25, 0.0).rates[2]
    assert abs(found.rate - exact) < 2 * found.error
    assert abs(found.rate - second) > 2 * abs(found.rate - exact)


def test_nothing_relaxes_where_one_level_leaves_the_band() -> None:
    """E = 0.46, Delta = 0.1: the ladder has no pole; z is that of the dressed level."""
    found = random_matrix_rates(gorm_spin(0.1, 0.1, 0.0), total_energy=0.46)
    assert dict(found.orders) == {2: None, 4: None}
    assert "outside its band" in found.divergent["4"]["rate"]
    assert found.z_infinity[0] == 1.0
