"""The initial slip against the time-dependent generator it stands for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import expm

from pertsym.baths.densities import DrudeLorentz, Ohmic
from pertsym.baths.divergence import Divergent
from pertsym.baths.exponentials import Exponentials
from pertsym.dynamics.methods import evolve
from pertsym.dynamics.propagation import pieces
from pertsym.generators.bloch_recursion import SlowSubspace, slow_subspace
from pertsym.generators.finite_time import finite_time
from pertsym.generators.initial_slip import initial_slip, rows_of, tcl_slip
from pertsym.generators.limit import Limit
from pertsym.generators.system import Array, Correlated, System, as_matrix
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from tests.open_systems import hermitian, two_bath_system

C1 = Exponentials((0.4 + 0.15j, 0.2 - 0.1j), (1.1 + 0.4j, 0.6 - 0.3j))
C2 = Exponentials((0.3 - 0.2j,), (0.9 + 0.7j,))


def problem(strength: float) -> tuple[System, tuple[Correlated, ...]]:
    levels = np.array([0.0, 0.4, 1.3])
    operators = {"a": strength * hermitian(3, 5), "b": strength * hermitian(3, 6)}
    baths = Correlated.independent([("a", C1), ("b", C2)])
    return System(np.subtract.outer(levels, levels), operators), baths


def solved(strength: float, order: int) -> SlowSubspace:
    return slow_subspace(*problem(strength), order)


def constant(slow: SlowSubspace) -> Array:
    total: Array = slow.hierarchy.system.free + sum(slow.generators.values())
    return total


@pytest.mark.parametrize("order", [2, 4, 6])
def test_slip_is_what_the_transient_leaves(order: int) -> None:
    """e^{-K t} U(t), with U of the time-dependent generator, differs at the next even order."""
    distances = []
    for strength in (0.3, 0.15):
        slow = solved(strength, order)
        end = 30.0
        system, baths = problem(strength)
        transient = finite_time(Limit.of(system, baths, order), end, 1e-9)
        frequencies = np.diag(slow.hierarchy.system.free)
        *_, last = pieces(frequencies, transient, np.eye(9, dtype=complex), end, 1e-10)
        left_over = expm(-constant(slow) * end) @ last.at(end)
        distances.append(np.abs(left_over - sum(initial_slip(slow).values())).max())
    assert math.log2(distances[0] / distances[1]) == pytest.approx(order + 2, abs=0.5)


def test_slip_joins_the_two_invariant_subspaces() -> None:
    """K Lam = Lam k order by order, k from the left subspace and K from the right one."""
    slow = solved(1.0, 8)
    slip, rows = initial_slip(slow), rows_of(slow)
    free = slow.hierarchy.system.free
    # k^(n) = sum_j w_j^(n-1) (-i Theta_j)
    left = {0: free}
    for n in range(2, 9, 2):
        total = np.zeros((9, 9), dtype=complex)
        for row, mode in zip(rows[1, n - 1], slow.hierarchy.modes, strict=True):
            operator, one = slow.hierarchy.system.operators[mode.earlier], np.eye(3)
            theta = mode.left * np.kron(operator, one) - mode.right * np.kron(one, operator.T)
            total += as_matrix(row).T @ (-1j * theta)
        left[n] = total
    right = {0: free, **slow.generators}
    for n in (2, 4, 6, 8):
        before = sum(right[k] @ slip[n - k] for k in range(0, n + 1, 2))
        after = sum(slip[n - k] @ left[k] for k in range(0, n + 1, 2))
        scale = np.abs(right[n]).max() + np.abs(slip[n]).max()
        assert np.abs(before - after).max() < 1e-12 * scale


def test_slip_keeps_trace_and_hermiticity() -> None:
    for n, matrix in initial_slip(solved(1.0, 6)).items():
        tensor = matrix.reshape(3, 3, 3, 3)
        expected = np.eye(3) if n == 0 else np.zeros((3, 3))
        np.testing.assert_allclose(np.einsum("aacd->cd", tensor), expected, atol=1e-12)
        np.testing.assert_allclose(tensor.conj(), tensor.transpose(1, 0, 3, 2), atol=1e-12)


def test_pure_dephasing_slips_by_the_area_under_the_transient() -> None:
    """TCL2 is exact: ln Lam = -(s_a - s_b) int dt t [s_a C - s_b C*] (minus sign of the tail)."""
    s = np.array([0.3, -1.1, 0.7])
    levels = np.array([0.0, 0.4, 1.5])
    system = System(np.subtract.outer(levels, levels), {"a": np.diag(s).astype(complex)})
    slip = initial_slip(slow_subspace(system, Correlated.independent([("a", C1)]), 4))
    moment = sum(c / nu**2 for c, nu in zip(C1.c, C1.nu, strict=True))
    exponent = np.array([(a - b) * (a * moment - b * np.conj(moment)) for a in s for b in s])
    np.testing.assert_allclose(np.diag(slip[2]), exponent, atol=1e-13)
    np.testing.assert_allclose(np.diag(slip[4]), exponent**2 / 2, atol=1e-13)


def test_late_states_with_slip() -> None:
    """The populations of tcl4 at late times: with slip four orders on, without two."""
    times = [25.0, 30.0]
    initial = np.diag([0.0, 0.0, 1.0]).astype(complex)
    sizes: dict[str, list[float]] = {"tcl4-slip": [], "tcl4-asymptotic": []}
    for strength in (0.2, 0.1):
        model = two_bath_system(strength)
        exact = evolve(model, "tcl4", initial, times, tolerance=1e-9)
        for method, found in sizes.items():
            found.append(np.abs(evolve(model, method, initial, times) - exact).max())
    slopes = {name: math.log2(a / b) for name, (a, b) in sizes.items()}
    assert slopes["tcl4-slip"] > 5
    assert slopes["tcl4-asymptotic"] < 3
    assert sizes["tcl4-slip"][0] < 0.001 * sizes["tcl4-asymptotic"][0]


def test_errors_of_the_slip_are_true() -> None:
    model = Model.of(
        (0.0, 0.6, 1.1),
        [Coupling.of(hermitian(3, 40).tolist(), "b")],
        [Bath("b", "boson", 1.5, DrudeLorentz(0.05, 1.2))],
    )
    rough, fine = (tcl_slip(model, 4, tolerance) for tolerance in (1e-5, 1e-9))
    for order in (2, 4):
        off = np.abs(rough.orders[order].matrix - fine.orders[order].matrix)
        assert np.all(off <= rough.orders[order].error + fine.orders[order].error)
        assert fine.orders[order].error.max() < 1e-5 * np.abs(fine.orders[order].matrix).max()


def test_slip_of_slow_baths_diverges_where_the_generator_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ohmic at T > 0: C(t) ~ t^-2, so int dt t C(t) ~ int dt/t where no frequency cuts it off."""
    bath = Bath("b", "boson", 2.0, Ohmic(0.05, 1.0, 1.0))
    model = Model.of((0.0, 1.0), [Coupling.of([[1, 0], [0, -1]], "b")], [bath])
    slip = tcl_slip(model, 2, tolerance=1e-3)
    assert set(slip.orders[2].divergent) == {(1, 1), (2, 2)}
    monkeypatch.setattr("pertsym.dynamics.methods._STEADY_TOLERANCE", 1e-3)  # a quick fit
    initial = np.diag([0.5, 0.5]).astype(complex)
    with pytest.raises(Divergent, match="Lam_01,01 of order 2: a term grows"):
        evolve(model, "tcl2-slip", initial, [1.0])
    crossed = Model.of((0.0, 1.0), [Coupling.of([[0, 1], [1, 0]], "b")], [bath])
    assert not tcl_slip(crossed, 2, tolerance=1e-3).orders[2].divergent
