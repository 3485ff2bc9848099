"""Two ways to step the auxiliaries to fourth order, and the integration of the state."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from pertsym.baths.densities import DrudeLorentz
from pertsym.baths.exponentials import Exponentials
from pertsym.dynamics.propagation import pieces, propagate_transient
from pertsym.generators.collocation import Radau
from pertsym.generators.finite_time import NODES, equations_of, finite_time, integrate
from pertsym.generators.hierarchy import Hierarchy
from pertsym.generators.limit import Limit
from pertsym.generators.representation import Represented, require_feasible
from pertsym.generators.system import Correlated, System
from pertsym.generators.transient import Grid, HierarchyEquations
from pertsym.model.errors import NotYetDerivable
from tests.open_systems import hermitian, open_system

C1 = Exponentials((0.4 + 0.15j, 0.2 - 0.1j), (1.1 + 0.4j, 0.6 - 0.3j))
C2 = Exponentials((0.3 - 0.2j, 0.1), (0.9 + 0.7j, 25.0))


def solution(energies: tuple[float, ...], strength: float = 1.0, order: int = 4) -> Limit:
    """Two baths, complex operators; with exponents that differ by a factor of forty."""
    gaps = np.subtract.outer(np.array(energies), np.array(energies))
    size = len(energies)
    operators = {"a": strength * hermitian(size, 5), "b": strength * hermitian(size, 6)}
    baths = Correlated.independent([("a", C1), ("b", C2)])
    return Limit.of(System(gaps, operators), baths, order)


def hierarchy_of(limit: Limit) -> HierarchyEquations:
    """The general equations for the orders of a limit."""
    order = max(limit.generators)
    return HierarchyEquations(Hierarchy(limit.system, limit.modes, order // 2), order)


@given(st.integers(0, 10**6), st.booleans(), st.booleans())
@settings(max_examples=6, deadline=None, derandomize=True)
def test_left_and_right_apart_equals_the_hierarchy(
    seed: int, correlated: bool, degenerate: bool
) -> None:
    """The structured transient of fourth order against the general one, interval by interval.

    Correlated couplings have exponents of their own in each pair.
    """
    random = np.random.default_rng(seed)
    energies = np.sort(random.uniform(0, 2, 3))
    if degenerate:
        energies[1] = energies[0]
    operators = {"a": hermitian(3, seed), "b": hermitian(3, seed + 1)}
    baths = Correlated.independent([("a", C1), ("b", C2)])
    if correlated:
        baths += (Correlated("a", "b", C2), Correlated("b", "a", C1))
    limit = Limit.of(System(np.subtract.outer(energies, energies), operators), baths, 4)
    structured, general = equations_of(limit), hierarchy_of(limit)
    grids = [Grid(Radau(9), np.array(edges), True) for edges in ([0, 0.005, 0.015], [0.015, 0.03])]
    state, other = structured.start(), general.start()
    for grid in grids:
        found, states = structured.over(grid, state)
        expected, others = general.over(grid, other)
        for order in (2, 4):
            largest = np.abs(limit.generators[order]).max()
            assert np.abs(found[order] - expected[order]).max() < 3e-13 * largest
        state = {name: x[-1] for name, x in states.items()}
        other = {name: x[-1] for name, x in others.items()}


def test_intervals_together_are_intervals_one_by_one() -> None:
    limit = solution((0.0, 0.4, 1.3), order=6)
    equations = hierarchy_of(limit)
    edges = [0.0, 0.02, 0.1, 0.5]
    together, _ = equations.over(Grid(Radau(9), np.array(edges), True), equations.start())
    state, parts = equations.start(), []
    for k in range(3):
        grid = Grid(Radau(9), np.array(edges[k : k + 2]), True)
        found, ends = equations.over(grid, state)
        state = {place: x[-1] for place, x in ends.items()}
        parts.append(found[6])
    off = np.abs(np.concatenate(parts) - together[6]).max()
    assert off < 1e-13 * np.abs(limit.generators[6]).max()


def test_both_transients_settle_at_the_limit() -> None:
    """At any time the two agree to the tolerance asked for, and at late times with the limit."""
    limit = solution((0.0, 0.4, 1.3))
    quick = finite_time(limit, 60.0, 1e-9)
    general = integrate(hierarchy_of(limit), limit, 60.0, 1e-11)
    for time in (0.05, 0.7, 4.0, 20.0, 59.0):
        for order in (2, 4):
            off = np.abs(quick.at(order, time) - general.at(order, time)).max()
            assert off < 3e-9 * np.abs(limit.generators[order]).max()
            assert off <= quick.error(order, time) + general.error(order, time)
            assert quick.error(order, time) < 1e-7 * np.abs(limit.generators[order]).max()
    assert quick.settled
    np.testing.assert_array_equal(quick.at(4, 59.9), limit.generators[4])


def test_a_joint_tolerance_is_that_of_the_sum() -> None:
    """Weak coupling: the fourth order is small, and so may be its share of the digits."""
    limit = solution((0.0, 0.4, 1.3), 0.05)
    ratio = np.abs(limit.generators[4]).max() / np.abs(limit.generators[2]).max()
    assert ratio < 0.01
    fine = finite_time(limit, 30.0, 1e-12)
    apart, joint = finite_time(limit, 30.0, 1e-6), finite_time(limit, 30.0, 1e-6, joint=True)
    assert len(joint.panels) <= len(apart.panels)
    largest = np.abs(fine.total(30.0)).max()
    for time in np.linspace(0.1, 29.9, 17):
        off = np.abs(joint.total(time) - fine.total(time)).max()
        assert off < 1e-6 * largest


@pytest.mark.parametrize("tolerance", [1e-4, 1e-7, 1e-11])
def test_states_follow_the_generator(tolerance: float) -> None:
    """Collocation against an explicit Runge-Kutta solver, at times of no pattern."""
    limit = solution((0.0, 0.4, 1.3), 0.4)
    free = limit.system.free
    transient = finite_time(limit, 100.0, 1e-12)
    initial = np.diag([0.1, 0.2, 0.7]).astype(complex)
    initial[0, 2], initial[2, 0] = 0.2j, -0.2j
    times = [0.0, 0.0, 0.013, 0.5, 3.7, 3.8, 11.0, 39.9, 55.0, 90.0]
    total, frequencies = transient.total, np.diag(free)

    def right_hand_side(time: float, y: np.ndarray) -> np.ndarray:
        result: np.ndarray = frequencies * y + total(time) @ y
        return result

    reference = solve_ivp(
        right_hand_side,
        (0, 90),
        initial.reshape(-1),
        method="DOP853",
        t_eval=times[1:],
        rtol=1e-12,
        atol=1e-13,
    ).y.T.reshape(-1, 3, 3)
    found, errors = propagate_transient(free, transient, initial, times, tolerance)
    np.testing.assert_allclose(found[1:], reference, atol=max(3 * tolerance, 3e-11))
    off = np.abs(found[1:] - reference).max(axis=(1, 2))
    assert np.all(off <= errors[1:] + 3e-11)
    assert errors[0] == 0
    assert errors.max() < 30 * tolerance
    np.testing.assert_array_equal(found[0], initial)
    assert np.abs(np.trace(found, axis1=1, axis2=2) - 1).max() < 1e-11
    np.testing.assert_allclose(found, found.conj().swapaxes(1, 2), atol=1e-12)


def test_columns_are_propagated_together() -> None:
    """The propagator as a matrix applies to every state."""
    limit = solution((0.0, 0.9), 0.4)
    frequencies = np.diag(limit.system.free)
    transient = finite_time(limit, 12.0, 1e-10)
    *_, last = pieces(frequencies, transient, np.eye(4, dtype=complex), 12.0, 1e-10)
    initial = hermitian(2, 3)
    expected, _ = propagate_transient(
        limit.system.free, transient, initial, [12.0], tolerance=1e-10
    )
    np.testing.assert_allclose(last.at(12.0) @ initial.reshape(-1), expected.reshape(-1), atol=1e-9)


def test_parts_of_a_step_are_those_of_its_series() -> None:
    radau = Radau(9)
    values = np.concatenate([[1.0], np.exp(-2 * radau.nodes)])
    series = radau.to_coefficients @ values
    inside = radau.from_coefficients(0.25, 0.75, len(series)) @ series
    np.testing.assert_allclose(inside, np.exp(-2 * (0.25 + 0.5 * radau.nodes)), atol=1e-9)


# ---------------------------------------------------------------------------------------------
# Exponents much slower than the time

SLOW_OPERATOR = np.array([[0.3, 1.0], [1.0, -0.5]])
SLOW_GAPS = np.array([[0.0, -1.0], [1.0, 0.0]])


def biased(c: tuple[float, ...], nu: tuple[float, ...], order: int = 4) -> Limit:
    """Two levels with a biased coupling to real exponentials."""
    bath = Exponentials(tuple(map(complex, c)), tuple(map(complex, nu)))
    system = System(SLOW_GAPS, {"a": SLOW_OPERATOR.astype(complex)})
    return Limit.of(system, Correlated.independent([("a", bath)]), order)


def static_noise(variance: float, order: int, time: float) -> dict[int, np.ndarray]:
    """K_2(t), ... for C(t) = variance at all times: the average over H_S + x S, x Gaussian.

    The average's series in the coupling is a Gauss-Hermite sum over Taylor coefficients of
    exp(-i (L_0 + x L_1) t), which a block matrix gives, and K = Z' Z^-1 order by order.
    """
    size, blocks, scale = 4, order + 1, max(1.0, 1 / time)  # the exponential is to see all powers
    one = np.eye(2)
    free = np.diag(-1j * SLOW_GAPS.reshape(-1))
    noise = -1j * scale * (np.kron(SLOW_OPERATOR, one) - np.kron(one, SLOW_OPERATOR.T))
    ladder = np.kron(np.eye(blocks), free) + np.kron(np.eye(blocks, k=-1), noise)
    column = expm(ladder * time)[:, :size]
    slope = (ladder @ column).reshape(blocks, size, size)
    taylor = column.reshape(blocks, size, size)
    x, weights = np.polynomial.hermite_e.hermegauss(order + 2)
    moments = [
        float(weights @ x**n / weights.sum()) * (variance / scale**2) ** (n / 2)
        if n % 2 == 0
        else 0.0
        for n in range(blocks)
    ]
    inverse, found = np.linalg.inv(taylor[0]), {0: free}
    for n in range(2, order + 1, 2):
        known = sum((k @ taylor[n - m] * moments[n - m] for m, k in found.items()), 0j)
        found[n] = (slope[n] * moments[n] - known) @ inverse
    return found


@pytest.mark.parametrize("time", [0.03, 0.3, 1.0, 5.0])
def test_exponents_slower_than_any_time_are_static_noise(time: float) -> None:
    """Rates that matter by 1e-13 only: K_n(inf) is 1e24 and more, K_n(t) keeps its own digits."""
    slow = biased((0.1,), (1e-14,), 6)
    expected = static_noise(0.1, 6, time)
    found = (
        finite_time(slow, time),
        finite_time(biased((0.1,), (1e-14,), 4), time),
        finite_time(slow, time, 1e-7, joint=True),
    )
    for transient in found:
        for order in transient.limit:
            off = np.abs(transient.at(order, time) - expected[order]).max()
            assert np.abs(slow.generators[order]).max() > 1e10 * np.abs(expected[order]).max()
            # an order much smaller than all of its terms has their rounding
            assert off <= 2e-12 * np.abs(expected[order]).max() + transient.error(order, time)
            assert transient.error(order, time) < 1e-6 * np.abs(expected[2]).max()


def test_second_order_by_quadrature_with_rates_far_apart() -> None:
    """K_2(t) = -int_0^t C(s) [S, S(-s) .] ds + h.c., every element to its own digits."""
    c, nu = (0.1, 0.2, 5.0), (1e-9, 1.0, 300.0)
    transient = finite_time(biased(c, nu), 0.5)
    for time in (1e-3, 0.02, 0.5):
        x, weights = np.polynomial.legendre.leggauss(120)
        s = (x + 1) * time / 2
        correlation = np.exp(-np.outer(s, nu)) @ c * weights * time / 2
        past = np.einsum(
            "s,sab,ab->ab", correlation, np.exp(-1j * s[:, None, None] * SLOW_GAPS), SLOW_OPERATOR
        )
        one = np.eye(2)
        commutator = np.kron(SLOW_OPERATOR, one) - np.kron(one, SLOW_OPERATOR.T)
        expected = -commutator @ (np.kron(past, one) - np.kron(one, past.conj()))
        off = np.abs(transient.at(2, time) - expected).max()
        assert off < 1e-12 * np.abs(expected).max()
        assert off <= transient.error(2, time) + 1e-13 * np.abs(expected).max()


def test_slow_exponents_settle_at_the_limit() -> None:
    """Product form and general hierarchy give the same at all times, then the limit."""
    limit = biased((0.1, 0.2), (1e-2, 1.0))
    transient = finite_time(limit, 6e3)
    assert transient.settled
    np.testing.assert_array_equal(transient.at(4, 6e3), limit.generators[4])
    general = integrate(hierarchy_of(limit), limit, 200.0, 1e-12)
    for now in np.linspace(1.0, 200.0, 40):
        expected = general.at(4, now)
        off = np.abs(transient.at(4, now) - expected).max()
        assert off < 1e-9 * np.abs(expected).max()


def test_late_times_are_reached_in_few_panels() -> None:
    """An algebraic tail by exponents down to 1e-10: panels follow the system's periods only."""
    rates = tuple(float(x) for x in np.logspace(-10, 1, 34))
    weights = tuple(0.1 * x**2 for x in rates)
    transient = finite_time(biased(weights, rates), 300.0)
    assert len(transient.panels) < 200


def test_auxiliaries_that_no_memory_holds_are_refused() -> None:
    """Order 6 of seven sites with seven exponents each: at one time they fit, at fifteen not."""
    exponentials = Exponentials((0.1,) * 7, tuple(float(k) for k in range(1, 8)))
    baths = Correlated.independent((f"bath{k}", exponentials) for k in range(7))
    model = open_system(
        np.arange(7.0), [np.diag(row) for row in np.eye(7)], [DrudeLorentz(0.1, 1.0)] * 7, 1.0
    )
    require_feasible(model, Represented(baths, baths), 6, nodes=1)
    with pytest.raises(NotYetDerivable, match="order 4 at most"):
        require_feasible(model, Represented(baths, baths), 6, NODES)
