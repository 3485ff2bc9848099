"""Markov noise: against the joint equations of state and chain, at every order and time.

The reference holds the whole chain: d rho_s/dt = -i [H_S + xi_s S, rho_s] + sum W_ss' rho_s' as one
matrix, without perturbation theory.  Its expansion in the coupling is read off a circle of complex
couplings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import expm

from pertsym.algebra.linear_fractions import Ring
from pertsym.baths.densities import DrudeLorentz, Exponentials
from pertsym.dynamics.methods import evolve, steady
from pertsym.dynamics.redfield import redfield
from pertsym.environments.markov import MarkovChain
from pertsym.equations.exponential_bath import exact_generator, real_entries
from pertsym.equations.noise_ladders import JumpNoise, Ladder
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Operator, level_energies
from pertsym.generators.contracted import Contracted
from pertsym.generators.elimination import bloch_quantities, blocks, eliminated
from pertsym.generators.jumps import Jumps, hierarchy_of, largest_level
from pertsym.generators.second_order import Term
from pertsym.generators.system import Correlated, System
from pertsym.generators.tcl import tcl_generator
from pertsym.model.bath import Bath
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.markov import MarkovNoise
from pertsym.model.values import Coupling, Model
from pertsym.numerics.bounded import Bounded

Array = NDArray[np.complex128]

THREE = MarkovNoise.of("b", [0.9, -0.2, -0.5], [[0, 0.3, 1.1], [0.8, 0, 0.2], [0.4, 0.7, 0]])
"""Complex eigenvalues, a mean, no symmetry."""


def hermitian(size: int, seed: int) -> Array:
    """Small enough that the series converges on the unit circle."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
    result: Array = 0.12 * (matrix + matrix.conj().T)
    return result


def model(energies: Sequence[float], operators: Sequence[Array], *noises: MarkovNoise) -> Model:
    couplings = [
        Coupling.of(s.tolist(), noise.name) for s, noise in zip(operators, noises, strict=True)
    ]
    return Model.of(energies, couplings, noises)


def joint(
    energies: Sequence[float],
    operators: Sequence[Array],
    noises: Sequence[MarkovNoise],
    lam: complex,
) -> tuple[Array, Array]:
    """The joint generator over (states of all chains, row-major vec) and pi."""
    size = len(energies)
    one = np.eye(size)

    def commutator(x: Array) -> Array:
        return np.kron(x, one) - np.kron(one, x.T)

    total = -1j * commutator(np.diag(energies).astype(complex))
    pi = np.ones(1)
    for s, noise in zip(operators, noises, strict=True):
        w = np.array(noise.rates)
        np.fill_diagonal(w, 0.0)
        w = w - np.diag(w.sum(axis=0))
        states = len(w)
        old = len(pi)
        hop = np.kron(np.kron(w, np.eye(old)), np.eye(size**2))
        kick = np.kron(np.kron(np.diag(noise.states), np.eye(old)), commutator(s))
        total = np.kron(np.eye(states), total) + hop - 1j * lam * kick
        vector = np.linalg.svd(w)[2][-1]
        pi = np.kron(vector / vector.sum(), pi)
    return total, pi


def series(exact: Callable[[complex], Array], order: int, points: int = 64) -> list[Array]:
    """Taylor coefficients in the coupling of a function on the unit circle."""
    turns = np.exp(2j * np.pi * np.arange(points) / points)
    coefficients = np.fft.fft(np.array([exact(x) for x in turns]), axis=0) / points
    return list(coefficients[: order + 1])


def slow_generator(total: Array, pi: Array, size: int) -> Array:
    """K of t -> infinity: the slow invariant subspace, read as the averaged state."""
    values, vectors = np.linalg.eig(total)
    slow = np.argsort(-values.real)[: size**2]
    read = vectors[:, slow].reshape(len(pi), size**2, size**2).sum(axis=0)
    result: Array = read @ np.diag(values[slow]) @ np.linalg.inv(read)
    return result


def generator_in_time(total: Array, pi: Array, size: int, time: float) -> Array:
    start = np.kron(pi[:, None], np.eye(size**2))
    states = expm(total * time) @ start
    average = states.reshape(len(pi), size**2, size**2).sum(axis=0)
    change = (total @ states).reshape(len(pi), size**2, size**2).sum(axis=0)
    result: Array = change @ np.linalg.inv(average)
    return result


CASES = {
    "telegraph": ([0.0, 1.3], [hermitian(2, 1)], [MarkovNoise.telegraph("b", 0.7, 0.9)]),
    "unequal": ([0.0, 1.3], [hermitian(2, 2)], [MarkovNoise.of("b", [1, -0.4], [[0, 1], [2, 0]])]),
    "three": ([0.0, 0.8, 1.7], [hermitian(3, 3)], [THREE]),
    "defective": (
        [0.0, 1.1],
        [hermitian(2, 4)],
        [MarkovNoise.of("b", [1, 0, -1], [[0, 0, 1], [1, 0, 0], [0, 1, 0]])],
    ),
    "two chains": (
        [0.0, 1.2],
        [hermitian(2, 5), hermitian(2, 6)],
        [MarkovNoise.telegraph("a", 0.6, 1.1), THREE],
    ),
}
# one-way jumps 0 -> 1 -> 2 and back at rates that give a Jordan block: W with a double eigenvalue
_DEFECTIVE = MarkovNoise.of("b", [1, -0.3, -1], [[0, 0, 0.5], [2, 0, 0], [0, 2, 0]])
CASES["jordan"] = ([0.0, 1.1], [hermitian(2, 7)], [_DEFECTIVE])


@pytest.mark.parametrize("name", CASES)
def test_every_order_is_that_of_the_joint_equations(name: str) -> None:
    energies, operators, noises = CASES[name]
    size, order = len(energies), 6 if name in ("three", "two chains") else 8
    found = tcl_generator(model(energies, operators, *noises), order)
    exact = series(
        lambda lam: slow_generator(*joint(energies, operators, noises, lam), size), order
    )
    odd = any(not noise.symmetric for noise in noises)
    assert list(found.orders) == list(range(0, order + 1, 1 if odd else 2))
    for n, expected in enumerate(exact):
        if n in found.orders:
            assert found.orders[n].matrix == pytest.approx(expected, abs=1e-13), n
        else:
            assert np.abs(expected).max() < 1e-13


@pytest.mark.parametrize("name", ["telegraph", "unequal", "three"])
def test_eliminated_coherences_are_eigenvalues_of_the_joint_equations(name: str) -> None:
    energies, operators, noises = CASES[name]
    found = tcl_generator(model(energies, operators, *noises), 6).orders
    for block in blocks(found):
        if len(block.elements) > 1:
            continue  # the populations
        ((a, b),) = block.elements
        free = -1j * (energies[a] - energies[b])

        def exact(lam: complex, free: complex = free) -> Array:
            # on a smaller circle the nearest eigenvalue is the one that starts here
            values = np.linalg.eigvals(joint(energies, operators, noises, 0.2 * lam)[0])
            return np.array(values[np.argmin(np.abs(values - free))])

        expected = series(exact, 6)
        for n, term in eliminated(found, block).items():
            found_there = 0.2**n * term.matrix[0, 0]
            assert found_there == pytest.approx(complex(expected[n]), abs=1e-14), (a, b, n)


@pytest.mark.parametrize("time", [0.0, 0.3, 2.0, 9.0])
@pytest.mark.parametrize("name", ["unequal", "jordan", "three"])
def test_finite_times_are_those_of_the_joint_equations(name: str, time: float) -> None:
    energies, operators, noises = CASES[name]
    size = len(energies)
    found = tcl_generator(model(energies, operators, *noises), 4, time)
    exact = series(
        lambda lam: generator_in_time(*joint(energies, operators, noises, lam), size, time), 4
    )
    for n, term in found.orders.items():
        assert term.matrix == pytest.approx(exact[n], abs=1e-12), n
        # 1e-13: what the reference leaves
        assert np.all(np.abs(term.matrix - exact[n]) <= term.error + 1e-13), n


# ---------------------------------------------------------------------------------------------
# Exact rational generators, and the bounds of the numerical ones
# ---------------------------------------------------------------------------------------------

RING = Ring(("g", "lam", "v", "y"))
TILTED: Operator = tuple(
    (a, b, Gaussian(z)) for a, b, z in ((0, 0, -1), (0, 1, 1), (1, 0, 1), (1, 1, 1))
)


def noise_ladder(name: str) -> Ladder:
    """Telegraph noise of amplitude lam; two unequal states; Gaussian noise of variance v."""
    one, none = RING.number(1), RING.number(0)
    lam, v = RING.variable("lam"), RING.variable("v")
    operator = real_entries(RING, TILTED)
    match name:
        case "telegraph":
            return Ladder.fluctuators(operator, "g", lam * lam, one, 6)
        case "unequal":  # centred values lam and -lam/2: xi^2 = lam^2/2 + (lam/2) xi
            half = RING.number(Fraction(1, 2)) * lam
            return Ladder.fluctuators(operator, "g", half * lam, one, 6, half)
        case _:
            return Ladder.fluctuators(operator, "g", v, none, 6)


def exact_values(ladders: Sequence[Ladder], **numbers: Fraction) -> dict[int, Array]:
    found = exact_generator(JumpNoise(RING, ("y",), level_energies(2), tuple(ladders)), 6)
    result: dict[int, Array] = {}
    with mpmath.workdps(40):
        point = [mpmath.mpf(x.numerator) / x.denominator for x in numbers.values()]
        point[-1] *= 1j
        for n, elements in found.items():
            matrix = np.zeros((4, 4), dtype=complex)
            for (a, b, c, d), value in elements.items():
                matrix[2 * a + b, 2 * c + d] = complex(value.near(point)) * (-1j) ** (n % 2)
            result[n] = matrix
    return result


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["telegraph", "unequal", "beside Gaussian noise"])
def test_errors_bound_the_distance_from_exact_values(kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    g, lam, v, w0 = (Fraction(int(k), 16) for k in rng.integers(2, 40, 4))
    names = ["telegraph", "gaussian"] if "Gaussian" in kind else [kind]
    exact = exact_values([noise_ladder(name) for name in names], g=g, lam=lam, v=v, y=w0)
    operator = np.array([[-1, 1], [1, 1]])
    amplitude, rate = float(lam), float(g)
    chain = MarkovNoise.telegraph("b", amplitude, rate)
    if kind == "unequal":
        jumps = [[0, rate / 3], [2 * rate / 3, 0]]
        chain = MarkovNoise.of("b", [amplitude, -amplitude / 2], jumps)
    baths: list[Bath | MarkovNoise] = [chain]
    if len(names) == 2:
        baths.append(Bath("c", "classical", None, Exponentials((float(v),), (rate,))))
    couplings = [Coupling.of(operator.tolist(), bath.name) for bath in baths]
    found = tcl_generator(Model.of([0.0, float(w0)], couplings, baths), 6)
    for n, matrix in exact.items():
        term = found.orders[n]
        assert np.all(np.abs(term.matrix - matrix) <= term.error), n
        assert np.abs(term.error).max() <= 1e-9 * max(1.0, float(np.abs(matrix).max()))


@pytest.mark.parametrize("seed", range(24))
def test_errors_bound_the_distance_for_stiff_chains(seed: int) -> None:
    """Pure dephasing against the eigenvalue of W - 2i xi, expanded in 60 digits.

    Rates over two or nine decades, states that are hardly ever occupied, means of any size.
    """
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 6))
    jumps = 10.0 ** rng.uniform(-9 if seed % 2 else -2, 0, (count, count))
    np.fill_diagonal(jumps, 0.0)
    noise = MarkovNoise.of("b", rng.uniform(-1, 1, count).tolist(), jumps.tolist())
    coupling = Coupling.of([[-1, 0], [0, 1]], "b")
    found = tcl_generator(Model.of([0.0, 1.0], [coupling], [noise]), 6)
    for n, value in enumerate(dephasing_series(noise, 6)):
        if n:
            term = found.orders[n]
            assert abs(complex(term.matrix[2, 2]) - value) <= term.error.max(), n


def test_a_mean_far_above_the_rates_is_in_the_bound() -> None:
    states, jumps = (0.6592103541249283, 0.6786945399159645), [[0, 5.5e-8], [1.0e-7, 0]]
    noise = MarkovNoise.of("b", states, jumps)
    coupling = Coupling.of([[-1, 0], [0, 1]], "b")
    found = tcl_generator(Model.of([0.0, 1.0], [coupling], [noise]), 6)
    for n, value in enumerate(dephasing_series(noise, 6)):
        if n:
            term = found.orders[n]
            assert abs(complex(term.matrix[2, 2]) - value) <= term.error.max(), n


@pytest.mark.parametrize("seed", range(5))
def test_errors_of_elements_reach_the_quantities(seed: int) -> None:
    """Elements moved within their errors move every quantity within its own."""
    rng = np.random.default_rng(seed)
    w0, terms, moved = 0.8, {}, {}
    for n in range(1, 5):
        matrix = rng.normal(size=(4, 4)) + 1j * rng.normal(size=(4, 4))
        error = 1e-9 * rng.uniform(0, 1, (4, 4)) * 10.0 ** rng.uniform(-2, 2)
        terms[n] = Term(matrix, error, {})
        shift = error * np.exp(2j * np.pi * rng.uniform(size=(4, 4)))
        moved[n] = Term(matrix + shift, 0 * error, {})
    bounds, shaken = bloch_quantities(terms, w0), bloch_quantities(moved, w0)
    for n, row in bounds.items():
        for name, value in row.items():
            other = shaken[n][name]
            assert isinstance(value, Bounded)
            assert isinstance(other, Bounded)
            assert abs(other.value - value.value) <= value.error * (1 + 1e-6), (n, name)


def test_the_shift_of_skewed_noise_is_that_of_the_coherence_block() -> None:
    """omega^2 = (w0 - Im R_1010)^2 - |R_1001|^2 with all orders, odd ones too."""
    operator, rests = hermitian(2, 12), []
    for strength in (0.8, 0.4):
        states = [0.9 * strength, -0.2 * strength, -0.5 * strength]
        found = tcl_generator(
            model([0.0, 1.0], [operator], MarkovNoise.of("b", states, THREE.rates)), 6
        ).orders
        total = sum(term.matrix for term in found.values())
        omega = np.sqrt(total[2, 2].imag ** 2 - abs(total[2, 1]) ** 2)
        shifts = [row["frequency_shift"] for row in bloch_quantities(found, 1.0).values()]
        rests.append(omega - 1 - sum(x.value for x in shifts if isinstance(x, Bounded)))
    assert abs(rests[0]) > 1e-12
    assert np.log2(abs(rests[0] / rests[1])) > 6.5


def dephasing_series(noise: MarkovNoise, order: int) -> list[complex]:
    with mpmath.workdps(60):

        def number(x: Fraction) -> mpmath.mpf:
            return mpmath.mpf(x.numerator) / x.denominator

        w = mpmath.matrix([[number(x) for x in row] for row in noise.generator])
        pi = mpmath.matrix([number(x) for x in noise.stationary])
        kick = mpmath.diag([mpmath.mpc(0, -2) * number(x) for x in noise.values])
        ones = mpmath.ones(1, w.rows)
        resolvent = (w - pi * ones) ** -1 * (mpmath.eye(w.rows) - pi * ones)
        vectors, values = [pi], [mpmath.mpf(0)]
        for k in range(1, order + 1):
            values.append((ones * kick * vectors[-1])[0])
            driven = -kick * vectors[-1]
            for j in range(1, k + 1):
                driven += values[j] * vectors[k - j]
            vectors.append(resolvent * driven)
        return [complex(x) for x in values]


def test_a_decay_that_rounding_swallows_is_refused() -> None:
    noise = MarkovNoise.of("b", [1, 0, -1], [[0, 1, 0], [1, 0, 1e-18], [0, 1e-18, 0]])
    with pytest.raises(InputError, match=r"baths\.b\.rates: the slowest decay"):
        tcl_generator(model([0.0, 1.0], [hermitian(2, 1)], noise), 2)


def test_four_fluctuators_are_a_quarter_of_the_way_to_one() -> None:
    """K4(n) - K4(Gaussian) falls as 1/n exactly, with n chains as n baths."""
    operator = [[-0.3, 1], [1, 0.3]]

    def fourth(baths: Sequence[Bath | MarkovNoise]) -> Array:
        couplings = [Coupling.of(operator, bath.name) for bath in baths]
        result: Array = tcl_generator(Model.of([0.0, 0.9], couplings, baths), 4).orders[4].matrix
        return result

    gaussian = fourth([Bath("b", "classical", None, Exponentials((0.04,), (1.3,)))])
    distances = [
        fourth([MarkovNoise.telegraph(f"b{k}", 0.2 / np.sqrt(n), 1.3) for k in range(n)]) - gaussian
        for n in (1, 2, 4)
    ]
    assert np.abs(distances[0]).max() > 1e-4
    assert 2 * distances[1] == pytest.approx(distances[0], abs=1e-14)
    assert 4 * distances[2] == pytest.approx(distances[0], abs=1e-14)


@pytest.mark.parametrize("seed", range(4))
def test_kubo_anderson_dephasing_is_the_root_of_its_condition(seed: int) -> None:
    """sum_k p_k g/(s + g + i v_k) = 1 with v the jumps of the frequency; order 20."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 6))
    values, weights, g = rng.uniform(-0.08, 0.08, count), rng.uniform(0.2, 1, count), 1.7
    noise = MarkovNoise.kubo_anderson("b", values.tolist(), weights.tolist(), g)
    found = tcl_generator(Model.of([0.0, 1.0], [Coupling.of([[-1, 0], [0, 1]], "b")], [noise]), 20)
    s = sum(term.matrix[2, 2] for term in found.orders.values()) + 1j
    p = weights / weights.sum()
    assert abs(np.sum(p * g / (s + g + 2j * values)) - 1) < 1e-12
    assert abs(s) > 1e-4


# ---------------------------------------------------------------------------------------------
# Orders, symmetry, methods
# ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_the_symmetry_of_a_chain_is_recognised(seed: int) -> None:
    """A chain doubled into its mirror image is symmetric, and no more so if a rate is changed."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 4))
    values = rng.integers(-8, 9, count) / 8 + 1 / 16
    inside, across = (rng.integers(1, 9, (count, count)) / 8 for _ in range(2))
    rates = np.block([[inside, across], [across, inside]])
    np.fill_diagonal(rates, 0.0)
    order = rng.permutation(2 * count)
    states = np.concatenate([values, -values])[order]
    chain = MarkovNoise.of("b", states.tolist(), rates[np.ix_(order, order)].tolist())
    assert chain.symmetric
    assert chain.mean == 0
    rates[0, 1] += 0.5
    changed = MarkovNoise.of("b", states.tolist(), rates[np.ix_(order, order)].tolist())
    assert not changed.symmetric


def test_a_cycle_without_mean_still_has_a_third_order() -> None:
    cycle = MarkovNoise.of("b", [1, 0, -1], [[0, 0, 1], [1, 0, 0], [0, 1, 0]])
    assert cycle.mean == 0
    assert not cycle.symmetric
    found = tcl_generator(model([0.0, 1.1], [hermitian(2, 4)], cycle), 4)
    assert not np.any(np.abs(found.orders[1].matrix) > found.orders[1].error)
    assert np.abs(found.orders[3].matrix).max() > 1e-5


@pytest.mark.parametrize(("method", "power"), [("tcl2", 4), ("tcl4", 6), ("tcl6", 8)])
def test_evolution_is_that_of_the_joint_equations_up_to_the_next_order(
    method: str, power: int
) -> None:
    energies, operator, times = [0.0, 1.2], hermitian(2, 8), [0.5, 1.5, 3.0]
    initial = np.diag([1.0, 0.0]).astype(complex)
    rests = []
    for strength in (0.4, 0.2):
        noise = MarkovNoise.telegraph("b", strength, 1.1)
        total, pi = joint(energies, [operator], [noise], 1.0)
        states = evolve(model(energies, [operator], noise), method, initial, times, tolerance=1e-11)
        exact = [
            (expm(total * t) @ np.kron(pi, initial.reshape(-1))).reshape(2, 4).sum(axis=0)
            for t in times
        ]
        rests.append(np.abs(states.reshape(len(times), 4) - np.array(exact)).max())
    assert np.log2(rests[0] / rests[1]) == pytest.approx(power, abs=0.2)


def test_redfield_is_the_second_order_with_the_mean() -> None:
    noisy = model([0.0, 0.8, 1.7], [hermitian(3, 3)], THREE)
    orders = tcl_generator(noisy, 2).orders
    total = sum(term.matrix for term in orders.values())
    assert redfield(noisy) == pytest.approx(total, abs=1e-15)
    assert steady(noisy, "redfield") == pytest.approx(np.eye(3) / 3, abs=1e-12)
    assert steady(noisy, "tcl4") == pytest.approx(np.eye(3) / 3, abs=1e-12)


def test_a_chain_without_a_coupling_changes_nothing() -> None:
    bath = Bath("c", "boson", 1.0, DrudeLorentz(0.05, 1.0))
    coupling = Coupling.of([[0, 1], [1, 0]], "c")
    alone = tcl_generator(Model.of([0, 1], [coupling], [bath]), 2)
    beside = tcl_generator(Model.of([0, 1], [coupling], [bath, THREE]), 2)
    assert np.array_equal(alone.orders[2].matrix, beside.orders[2].matrix)


def test_beside_a_chain_a_bath_must_be_given_as_exponentials() -> None:
    bath = Bath("c", "boson", 1.0, DrudeLorentz(0.05, 1.0))
    couplings = [Coupling.of([[0, 1], [1, 0]], name) for name in "bc"]
    with pytest.raises(NotYetDerivable, match=r"baths\.c: beside a Markov chain"):
        tcl_generator(Model.of([0, 1], couplings, [bath, THREE]), 4)


def test_many_states_and_many_chains_are_counted_before_they_are_built() -> None:
    for chains, depth in (([30], 3), ([2] * 9, 4), ([3, 4, 2], 4)):
        noises = [
            MarkovNoise.kubo_anderson(f"b{k}", np.linspace(-0.1, 0.1, n), np.ones(n), 1.0 + k)
            for k, n in enumerate(chains)
        ]
        sources = [*(Jumps.of(noise) for noise in noises), _BESIDE]
        modes = tuple(mode for each in sources for mode in each.modes)
        system = System.of(model([0.0, 1.0], [hermitian(2, 1)], noises[0]))
        levels = hierarchy_of(system, modes, depth).levels
        assert largest_level(sources, depth) == max(map(len, levels))
        assert all(len(set(level)) == len(level) for level in levels)
    many = MarkovNoise.kubo_anderson("b", np.linspace(-0.1, 0.1, 30), np.ones(30), 1.0)
    assert 12 in tcl_generator(model([0.0, 1.0], [hermitian(2, 1)], many), 12).orders
    with pytest.raises(NotYetDerivable, match="order 42"):
        tcl_generator(model([0.0, 1.0], [hermitian(2, 1)], many), 42)


_BESIDE = Correlated("g", "g", Exponentials((0.1, 0.2), (1.0, 2.0)))


# ---------------------------------------------------------------------------------------------
# The contraction rule
# ---------------------------------------------------------------------------------------------


RULE_CASES = {
    "telegraph": (MarkovNoise.telegraph("b", 0.7, 0.9), (2, 4)),
    "cycle": (MarkovNoise.of("b", [1, 0, -1], [[0, 0, 1], [1, 0, 0], [0, 1, 0]]), (2, 3, 4, 5)),
    "unequal": (MarkovNoise.of("b", [1, -0.5], [[0, 1], [2, 0]]), (2, 3, 4, 5)),
}


@pytest.mark.parametrize("time", [0.4, 30.0])
@pytest.mark.parametrize("name", RULE_CASES)
def test_the_rule_gives_every_order(name: str, time: float) -> None:
    """Its terms at the chain's eigenmodes are the numbers of the hierarchy, odd orders included.

    At t = 30 gaps without decay, which cancel between <4> and <2><2>, are large one by one.
    """
    noise, orders = RULE_CASES[name]
    assert noise.mean == 0
    coupling = [[-1.0, 1.0], [1.0, 0.5]]
    found = tcl_generator(
        Model.of([0.0, 1.3], [Coupling.of(coupling, "b")], [noise]), max(orders) + 1 & ~1, time
    )
    for n in orders:
        term = Contracted.of(MarkovChain.of(noise), [0.0, 1.3], (np.array(coupling),), n).at(time)
        gap = np.abs(term.matrix - found.orders[n].matrix)
        assert np.all(gap < term.error + found.orders[n].error), n
        assert np.abs(term.matrix).max() > 1e-4


def test_a_chain_without_states_has_no_numbers() -> None:
    with pytest.raises(NotImplementedError, match="MarkovChain has no numbers"):
        Contracted.of(MarkovChain(), [0.0, 1.0], (np.array([[0, 1], [1, 0]]),), 2)
