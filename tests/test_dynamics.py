"""Steady states and evolution against the proton-transfer references; divergences at late times."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.special import roots_jacobi

import pertsym as ps
from pertsym.baths.densities import DrudeLorentz, Ohmic
from pertsym.baths.divergence import Divergent
from pertsym.baths.exponentials import Exponentials
from pertsym.dynamics.methods import Method, evolve, evolve_estimated, steady, steady_estimated
from pertsym.dynamics.propagation import propagate
from pertsym.dynamics.reliability import error_of_steady, errors_of_constant
from pertsym.expansion.paths import generator_element
from pertsym.generators.bloch_recursion import slow_subspace
from pertsym.generators.long_times import divergent_elements
from pertsym.generators.representation import correlations_of, represented
from pertsym.generators.second_order import second_order
from pertsym.generators.steady import steady_state
from pertsym.generators.system import Array, System, as_matrix
from pertsym.generators.tcl import tcl_generator
from pertsym.model.bath import Bath
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.file import load_model
from pertsym.model.values import Coupling, Model
from pertsym.numerics.evaluate import evaluate
from pertsym.random_matrix.methods import random_matrix_evolve
from pertsym.rates import interaction_of, spectra_of
from pertsym.reduction.arc_length_reduction import reduce_imaginary, reduce_real
from tests.open_systems import gorm_spin, hermitian, two_bath_system

DATA = Path(__file__).parent / "data" / "taa"
FS = 41.3413733
SIGMA_X = ((0, 1), (1, 0))
DRUDE = DrudeLorentz(0.05, 1.0)


@pytest.mark.parametrize(("name", "tolerance"), [("N2_eta0.3", 1e-6), ("N6_eta0.3", 1e-3)])
def test_time_dependent_fourth_order_against_heom(name: str, tolerance: float) -> None:
    """Mean |dp0| over 2 ps below 0.15 and 0.35 points; the asymptotic generator is worse."""
    model = load_model(DATA / f"{name}.toml")
    reference = json.loads((DATA / f"{name}.json").read_text())
    times = [FS * t for t in reference["times_fs"]]
    for level, limit in ((0, 0.0015), (1, 0.0035)):
        initial = np.zeros((model.dimension, model.dimension), dtype=complex)
        initial[level, level] = 1
        exact = np.array(reference["heom_populations"][f"init{level}"])[:, 0]
        errors = []
        for method in ("tcl4", "tcl4-asymptotic"):
            states = evolve(model, method, initial, times, tolerance=tolerance)
            errors.append(np.abs(states[:, 0, 0].real - exact).mean())
            assert np.abs(np.trace(states, axis1=1, axis2=2) - 1).max() < 1e-9
        assert errors[0] < limit
        assert errors[0] < errors[1]


def test_steady_state_of_fourth_order() -> None:
    for name in ("N2_eta0.3", "N6_eta0.3"):
        reference = json.loads((DATA / f"{name}.json").read_text())
        state = steady(load_model(DATA / f"{name}.toml"), "tcl4")
        np.testing.assert_allclose(state.diagonal().real, reference["tcl4_steady"], atol=5e-8)


def test_steady_states_and_the_mean_force_state() -> None:
    """TCL4 has the mean-force populations of second order, TCL6 those of fourth; TCL2 neither.

    Differences scale with the first power of coupling^2 that is missed: three levels, two
    complex coupling operators, two baths.
    """
    missed = {("tcl2", 2): 2, ("tcl4", 2): 4, ("tcl6", 4): 6}
    for (method, order), power in missed.items():
        sizes = []
        for strength in (0.3, 0.15):
            model = two_bath_system(strength)
            off = steady(model, method) - steady(model, "mean-force", order)
            sizes.append(np.abs(off.diagonal()).max())
        assert math.log2(sizes[0] / sizes[1]) == pytest.approx(power, abs=0.35)


def test_constant_generators_are_exponentiated() -> None:
    """Uneven times, one at 0: the same as one step to each of them."""
    model = two_bath_system()
    generator = tcl_generator(model, 2)
    total = generator.orders[0].matrix + generator.orders[2].matrix
    initial = np.diag([0.2, 0.3, 0.5]).astype(complex)
    times = [0.0, 0.7, 1.4, 5.0]
    together = propagate(total, initial, times)
    for time, state in zip(times, together, strict=True):
        np.testing.assert_allclose(state, propagate(total, initial, [time])[0], atol=1e-13)


@pytest.mark.parametrize("name", ["tcl0", "tcl3", "tcl", "heom", "...", "gibbs-asymptotic"])
def test_unknown_methods(name: str) -> None:
    with pytest.raises(InputError, match="method"):
        Method.parse(name, ("redfield", "tcl2", "..."))


# ---------------------------------------------------------------------------------------------
# What does not exist


def biased(bath: Bath, bias: float) -> Model:
    return Model.of((0.0, 1.0), [Coupling.of([[bias, 1], [1, -bias]], bath.name)], [bath])


POPULATIONS, COHERENCE = (0, 0, 1, 1), (1, 0, 1, 0)
BOTH = (1, 0, 1, 1)  # at T = 0 what leaves the lower level meets a spectrum of 0


@pytest.mark.parametrize(
    ("s", "beta", "bias"),
    [
        *[(s, 2.0, 0.0) for s in (0.2, 0.5, 0.6, 1.0)],
        *[(s, 2.0, 0.3) for s in (0.5, 1.0)],
        (0.5, math.inf, 0.3),
    ],
)
def test_divergence_by_probing_is_that_of_the_closed_forms(
    s: float, beta: float, bias: float
) -> None:
    """Fourth order of two levels: the elements whose spectral form diverges, and no others."""
    model = biased(Bath("b", "boson", beta, Ohmic(0.1, 1.0, s)), bias)
    interaction, spectra = interaction_of(model), spectra_of(model)
    diverging = set()
    for a, b, c, d in (POPULATIONS, COHERENCE, BOTH):
        terms = generator_element(interaction, 4, (a, b, c, d))
        for reduced in (reduce_real, reduce_imaginary):
            try:
                evaluate(reduced(terms), (1.0,), spectra)
            except Divergent:
                diverging.add((2 * a + b, 2 * c + d))
    found = divergent_elements(System.of(model), correlations_of(model), 4)
    assert set(found) & {(0, 3), (2, 2), (2, 3)} == diverging


def test_second_order_names_what_diverges() -> None:
    """Ĉ(0) of a sub-Ohmic bath is missing only where it enters; the rest is right."""
    bath = Bath("b", "boson", 2.0, Ohmic(0.1, 1.0, 0.5))
    model = biased(bath, 0.3)
    term = second_order(System.of(model), correlations_of(model))
    assert {(1, 1), (2, 2)} <= term.divergent.keys()
    assert (0, 0) not in term.divergent
    assert all("w^-0.5" in reason for reason in term.divergent.values())
    pure = second_order(System.of(biased(bath, 0.0)), correlations_of(model))
    assert not pure.divergent
    assert term.matrix[3, 0] == pytest.approx(pure.matrix[3, 0], rel=1e-13)


def test_errors_of_the_generator_are_true() -> None:
    """A fit of 1e-6 against one of 1e-9, at both ends of time."""
    model = Model.of(
        (0.0, 0.6, 1.1),
        [Coupling.of(hermitian(3, 40).tolist(), "b")],
        [Bath("b", "boson", 1.5, DrudeLorentz(0.05, 1.2))],
    )
    for time in (None, 2.5):
        rough, fine = (tcl_generator(model, 4, time, tolerance) for tolerance in (1e-6, 1e-9))
        for order in (2, 4):
            off = np.abs(rough.orders[order].matrix - fine.orders[order].matrix)
            assert np.all(off <= rough.orders[order].error + fine.orders[order].error)
            largest = np.abs(fine.orders[order].matrix).max()
            assert fine.orders[order].error.max() < 1e-6 * largest


# ---------------------------------------------------------------------------------------------
# What the error of a generator leaves in the states


def slow_noise(rate: float) -> Model:
    """A biased coupling to one real exponential."""
    bath = Bath("a", "boson", None, Exponentials((0.1 + 0j,), (rate + 0j,)))
    return Model.of((0.0, 1.0), [Coupling.of([[0.3, 1.0], [1.0, -0.5]], "a")], [bath])


UPPER = np.diag([0.0, 1.0]).astype(complex)


def test_very_slow_noise_by_its_hierarchy() -> None:
    """tcl4 with a rate of 1e-6: the auxiliaries and the state in one explicit integration."""
    model = slow_noise(1e-6)
    found = evolve_estimated(model, "tcl4", UPPER, [0.0, 1.0, 2.0])
    slow = slow_subspace(System.of(model), represented(model).fine, 4)
    hierarchy, places_ = slow.hierarchy, list(slow.hierarchy.places(4))
    free = System.of(model).free
    shapes = {place: slow.slaved[place].shape for place in places_}

    def slope(_: float, y: np.ndarray) -> np.ndarray:
        state, rest = y[:4], y[4:]
        x = {(0, 0): hierarchy.identity}
        for place, shape in shapes.items():
            count = math.prod(shape)
            x[place], rest = rest[:count].reshape(shape), rest[count:]
        k = {n: as_matrix(hierarchy.from_above(0, x[1, n - 1])[0]) for n in (2, 4)}
        slopes = [(free + k[2] + k[4]) @ state]
        for level, n in places_:
            change = -hierarchy.denominators(level) * x[level, n]
            if (level + 1, n - 1) in x:
                change += hierarchy.from_above(level, x[level + 1, n - 1])
            if (level - 1, n - 1) in x:
                change += hierarchy.from_below(level, x[level - 1, n - 1])
            for lower, generator in k.items():
                if n - lower > 0 and (level, n - lower) in x:
                    part = as_matrix(x[level, n - lower]) @ generator
                    change -= part.reshape(change.shape)
            slopes.append(change.reshape(-1))
        return np.concatenate(slopes)

    start = np.zeros(4 + sum(map(math.prod, shapes.values())), dtype=complex)
    start[:4] = UPPER.reshape(-1)
    exact = solve_ivp(slope, (0, 2), start, t_eval=[0, 1, 2], rtol=1e-10, atol=1e-12).y[:4].T
    off = np.abs(found.states.reshape(3, 4) - exact).max(axis=1)
    assert off.max() < 1e-7
    assert np.all(found.errors < 1e-6)
    assert found.notable is None


def test_states_that_a_generator_does_not_determine_are_refused() -> None:
    """K_4(inf) is 1e10 with an error of 10; at finite times nothing is wrong."""
    model = slow_noise(1e-6)
    with pytest.raises(NotYetDerivable, match="error"):
        evolve(model, "tcl4-asymptotic", UPPER, [0.0, 1.0, 2.0])
    with pytest.raises(NotYetDerivable, match="error"):
        steady(model, "tcl4")
    populations = steady(model, "tcl2").diagonal().real
    np.testing.assert_allclose(populations, [0.5, 0.5], atol=1e-9)


@pytest.mark.filterwarnings("error")
def test_unstable_generators_overflow_with_a_reason() -> None:
    """Growth e^{t/2} of one state: fine at first, refused when it leaves the numbers."""
    unstable = np.diag([0.0, -1.0, -1.0, 0.5]).astype(complex)
    early = propagate(unstable, UPPER, [0.0, 4.0])
    assert early[1, 1, 1] == pytest.approx(math.exp(2))
    with pytest.raises(NotYetDerivable, match=r"positive real part 0\.5"):
        propagate(unstable, UPPER, [0.0, 10.0, 1e4])


@given(st.integers(0, 10**6), st.sampled_from([0.3, 5.0, 200.0]))
@settings(max_examples=10, deadline=None, derandomize=True)
def test_estimated_errors_are_those_of_perturbed_generators(seed: int, time: float) -> None:
    """States under K + dK, |dK| below the error, stay within a few times the estimate.

    Nor is that much larger than what the worst of some perturbations does.
    """
    random = np.random.default_rng(seed)
    jumps = random.uniform(0.1, 1.0, (3, 3))
    generator = np.diag(-1j * np.subtract.outer([0.0, 0.7, 1.1], [0.0, 0.7, 1.1]).reshape(-1))
    generator -= np.diag(np.where(np.eye(3).reshape(-1), 0.0, 2.0))
    generator[::4, ::4] += jumps - np.diag(jumps.sum(axis=0))
    initial = np.diag([0.2, 0.5, 0.3]).astype(complex)
    error = np.full((9, 9), 1e-6)
    stated = errors_of_constant(generator, error, [time])[0]
    before, changes, steady_changes = propagate(generator, initial, [time])[0], [], []
    for _ in range(8):
        change = random.choice([-1e-6, 1e-6], (9, 9)).astype(complex)
        change[8] -= change[::4].sum(axis=0)  # the trace stays; up to three times the error
        changes.append(np.abs(propagate(generator + change, initial, [time])[0] - before).max())
        steady_changes.append(
            np.abs(steady_state(generator + change) - steady_state(generator)).max()
        )
    assert 0.02 * stated < max(changes) < 4 * stated
    bound = error_of_steady(generator, error, steady_state(generator))
    assert 0.02 * bound < max(steady_changes) < 4 * bound


BAD_EVOLUTIONS = [
    (np.diag([0, 1]), (8.0, 0.5), "times: must ascend"),
    (np.diag([0, 1]), (-1.0, 2.0), "numbers >= 0"),
    (np.diag([0, 1]), (0.0, math.inf), "finite"),
    (np.diag([0, 10]), (0.0, 1.0), "the trace 10, not 1"),
    (np.array([[0, 1], [0, 1]]), (0.0, 1.0), "not Hermitian"),
    (np.eye(3) / 3, (0.0, 1.0), "2 x 2"),
]


@pytest.mark.parametrize(("initial", "times", "said"), BAD_EVOLUTIONS)
def test_states_and_times_are_checked(initial: Array, times: tuple[float, ...], said: str) -> None:
    model = Model.of([0, 1], [Coupling.of(SIGMA_X, "x")], [Bath("x", "boson", 1.0, DRUDE)])
    with pytest.raises(InputError, match=said):
        evolve(model, "tcl4", initial, times)
    with pytest.raises(InputError, match=said):
        random_matrix_evolve(gorm_spin(0.5, 0.1, 0.0), "redfield", initial, times)


@pytest.mark.parametrize("method", ["redfield", "redfield-secular", "ccqme", "mean-force", "tcl2"])
def test_second_order_states_carry_an_error(method: str) -> None:
    """No larger than rounding makes it for a Drude bath, and not exactly zero."""
    found = steady_estimated(two_bath_system(0.1), method)
    assert 0 < found.largest_error < 1e-9


def test_a_generator_that_no_machine_holds_is_refused() -> None:
    """35 exponents at order 20."""
    field = Exponentials((0.01,) * 35, tuple(1.0 + k for k in range(35)))
    coupling = Coupling.of([[1, 1], [1, -1]], "x")
    model = Model.of([0, 1], [coupling], [Bath("x", "classical", None, field)])
    with pytest.raises(NotYetDerivable, match="35 exponents"):
        tcl_generator(model, 20)


@pytest.mark.parametrize("second", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_errors_of_early_states(seed: int, second: bool) -> None:
    """Exponentials for 1e-7 leave more of K(t) early than late; against those for 1e-11.

    Of some of these baths the coarser representation is the same, of others it is not.
    """
    rng = np.random.default_rng(seed)
    density = ps.Underdamped(rng.uniform(0.2, 1.0), rng.uniform(0.8, 3.5), rng.uniform(0.1, 0.6))
    model = ps.Model(
        energies=[0, rng.uniform(0.6, 1.6)],
        couplings=[
            ps.Coupling([[0.4, 1], [1, rng.uniform(-0.5, 0.5)]], "B"),
            *([ps.Coupling([[0, 1], [1, 0.3]], "D")] if second else []),
        ],
        baths={
            "B": ps.Bath(density, temperature=rng.uniform(0.1, 2.0)),
            "D": ps.Bath(ps.DrudeLorentz(lam=0.05, gamma=2.0), temperature=0.7),
        },
    ).numeric()
    start, times = np.full((2, 2), 0.5 + 0j), [0.0, 0.01, 0.03, 0.1, 0.3, 1.0]
    found = evolve_estimated(model, "tcl2", start, times)
    finer = evolve_estimated(model, "tcl2", start, times, tolerance=1e-11)
    off = np.abs(found.states - finer.states).max(axis=(1, 2))
    assert np.all(off <= found.errors + finer.errors)
    assert np.all(found.errors <= (1e-5 if second else 1e-6))


def spectral_lines(bath: Ohmic, temperature: float, end: float) -> Exponentials:
    """Undamped lines at the nodes of Gauss's rules for C(t), good up to a time.

    The first panel has the weight |w|^p of Ĉ at w -> 0.
    """
    power = bath.s - (temperature > 0)
    edges = bath.wc * np.array([0, 0.5, 2, 5, 9, 14, 20, 27])
    c, nu = [], []
    for low, high in itertools.pairwise(edges):
        exponent = 0.0 if low else power
        x, weight = roots_jacobi(12 + int(end * (high - low) / 2), 0.0, exponent)
        w = low + (high - low) * (1 + x) / 2
        weight = weight * (1 + x) ** -exponent * (high - low) / 2
        j = weight * bath.alpha * w**bath.s * bath.wc ** (1 - bath.s) * np.exp(-w / bath.wc)
        n = 1 / np.expm1(w / temperature) if temperature else 0 * w
        c += [j * (n + 1) / np.pi, j * n / np.pi]
        nu += [1j * w, -1j * w]
    weights, rates = np.concatenate(c), np.concatenate(nu)
    kept = weights > 1e-14 * weights.max()
    return Exponentials(tuple(weights[kept]), tuple(rates[kept] + 1e-13))


@pytest.mark.parametrize(
    ("s", "temperature"), [(0.1, 0.0), (0.3, 0.3), (0.5, 1.0), (0.95, 5.0), (1.02, 1.0)]
)
def test_slowly_decaying_baths_at_finite_times(s: float, temperature: float) -> None:
    """Sub-Ohmic and nearly Ohmic baths to fourth order against lines by quadrature.

    Ĉ(0) is infinite at T > 0, so that nothing exists for t -> infinity.
    """
    random = np.random.default_rng(int(100 * s))
    bath, end = Ohmic(0.01, 1.0, s), 2.0
    (a, b), (x, y, z) = random.uniform(-1, 1, 2), random.uniform(-1, 1, 3)
    model = ps.Model(hamiltonian=[[a, b], [b, -a]], couplings=[ps.Coupling([[x, y], [y, z]], "B")])
    found, expected = (
        ps.derive(model).at(B=given).evolve("tcl4", initial=0, times=[0, end / 3, end])
        for given in (
            ps.Bath(bath, temperature=temperature),
            ps.Bath(spectral_lines(bath, temperature, end)),
        )
    )
    off = np.abs(found.states - expected.states).max(axis=(1, 2))
    assert np.all(off <= found.error + expected.error)
    assert off.max() < 1e-6
    assert found.error.max() < 1e-3


@pytest.mark.parametrize(("s", "temperature"), [(0.15, 2.0), (0.3, 2.0)])
def test_errors_of_generators_of_slow_baths(s: float, temperature: float) -> None:
    """Where what lasts is most of sup|G|, and both representations are as fine as can be."""
    bath, end = Ohmic(0.05, 1.0, s), 1.5
    found, expected = (
        tcl_generator(
            ps.Model(
                energies=[0, 0.9],
                couplings=[ps.Coupling([[0.3, 0.8], [0.8, -0.6]], "b")],
                baths=[given],
            ),
            4,
            end,
        ).orders[4]
        for given in (
            ps.Bath(bath, temperature=temperature, name="b"),
            ps.Bath(spectral_lines(bath, temperature, end), name="b"),
        )
    )
    assert np.all(np.abs(found.matrix - expected.matrix) <= found.error + expected.error + 1e-12)
    assert found.error.max() < 1e-7 * np.abs(found.matrix).max()
