"""Brute force and time integrals against reference numbers computed outside this project."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy.linalg import expm

from pertsym.baths.exponentials import Exponentials as BathExponentials
from pertsym.certify.brute_force import generator
from pertsym.certify.claims import near
from pertsym.certify.element_routes import in_doubles
from pertsym.certify.standard import coupling_orders, gauss, joint_hierarchy
from pertsym.certify.time_domain import Exponentials, time_integral
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, level_energies
from pertsym.expansion.paths import generator_element
from pertsym.generators.canonical_form import commutator
from pertsym.generators.system import Correlated, System
from tests.open_systems import exponential_system

ROOT = Path(__file__).resolve().parents[1]


def reference(kind: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    for folder in (ROOT / "tests" / "data" / kind,):
        model = folder / f"{name}.toml"
        if model.exists():
            expected = json.loads(model.with_suffix(".json").read_text())
            return tomllib.loads(model.read_text()), expected["orders"]
    pytest.fail(f"reference {kind}/{name} is missing from tests/data")


def baths(model: dict[str, Any]) -> dict[str, Exponentials]:
    densities = {name: bath["spectral_density"] for name, bath in model["baths"].items()}
    return {name: Exponentials.of(d["c"], d["nu"]) for name, d in densities.items()}


def matrix(rows: list[list[Any]]) -> np.ndarray:
    return np.array([[complex(*z) if isinstance(z, list) else z for z in row] for row in rows])


@pytest.mark.parametrize(
    ("name", "order"),
    [(name, order) for name in ("P2", "MP", "P3") for order in (0, 2, 4)] + [("P2", 6)],
)
def test_brute_force_reproduces_the_reference_generator(name: str, order: int) -> None:
    table, orders = reference("generator", name)
    couplings = [
        (c.get("strength", 1.0) * matrix(c["operator"]), c["bath"]) for c in table["couplings"]
    ]
    doubles = {name: in_doubles(bath) for name, bath in baths(table).items()}
    model = exponential_system(table["system"]["energies"], couplings, doubles)
    expected = np.array(orders[str(order)]["real"]) + 1j * np.array(orders[str(order)]["imag"])
    error = np.max(np.abs(generator(*model, order) - expected)) / np.max(np.abs(expected))
    assert error < 2e-13


@pytest.fixture(scope="module")
def exp_complex() -> tuple[Interaction, dict[str, Exponentials], dict[str, Any]]:
    table, orders = reference("two_level", "EXP_complex")
    one, i = Gaussian(1), Gaussian(0, 1)
    sigma_x, sigma_y = ((0, 1, one), (1, 0, one)), ((0, 1, -i), (1, 0, i))
    interaction = Interaction(
        level_energies(2), (sigma_x, sigma_y), (0, 1), {(0, 0): "x", (1, 1): "y"}
    )
    return interaction, baths(table), orders


def exp_element(exp_complex: Any, order: int, element: tuple[int, int, int, int]) -> Any:
    interaction, correlations, _ = exp_complex
    integrand = generator_element(interaction, order, element)
    if element[0] == element[1]:  # population rates are real
        integrand = integrand.real_parts()
    return time_integral(integrand, correlations, ["1.1"], digits=36)


@pytest.mark.parametrize("order", [2, 4])
def test_time_integral_reproduces_all_rates_to_35_digits(exp_complex: Any, order: int) -> None:
    with mpmath.workdps(45):
        expected = {key: mpmath.mpf(text) for key, text in exp_complex[2][str(order)].items()}
        w0 = mpmath.mpf("1.1")
        up = exp_element(exp_complex, order, (1, 1, 0, 0)).real
        down = exp_element(exp_complex, order, (0, 0, 1, 1)).real
        coherence = exp_element(exp_complex, order, (1, 0, 1, 0))
        shift = -coherence.imag
        if order == 4:
            shift -= abs(exp_element(exp_complex, 2, (1, 0, 0, 1))) ** 2 / (2 * w0)
        got = {
            "k_up": up,
            "k_down": down,
            "inv_T1": up + down,
            "inv_T2": -coherence.real,
            "inv_T2_prime": -coherence.real - (up + down) / 2,
            "frequency_shift": shift,
        }
        assert got.keys() == expected.keys()
        for key, value in got.items():
            assert abs(value - expected[key]) < mpmath.mpf(10) ** -34, key


def test_sixth_order_time_integral(exp_complex: Any) -> None:
    with mpmath.workdps(45):
        up = exp_element(exp_complex, 6, (1, 1, 0, 0)).real
        assert abs(up - mpmath.mpf(exp_complex[2]["6"]["k_up"])) < mpmath.mpf(10) ** -34


def test_sixth_order_coherence_block(exp_complex: Any) -> None:
    """omega = sqrt((w0 - Im R_1010)^2 - |R_1001|^2), expanded to sixth order."""
    with mpmath.workdps(45):
        w0 = mpmath.mpf("1.1")
        a2 = exp_element(exp_complex, 2, (1, 0, 1, 0)).imag
        b2, b4 = (exp_element(exp_complex, order, (1, 0, 0, 1)) for order in (2, 4))
        r6 = exp_element(exp_complex, 6, (1, 0, 1, 0))
        cross = (b2 * b4.conjugate()).real
        shift = -r6.imag - cross / w0 - abs(b2) ** 2 * a2 / (2 * w0**2)
        expected = exp_complex[2]["6"]
        assert abs(-r6.real - mpmath.mpf(expected["inv_T2"])) < mpmath.mpf(10) ** -34
        assert abs(shift - mpmath.mpf(expected["frequency_shift"])) < mpmath.mpf(10) ** -34


def test_doubles_are_near_relative_to_the_largest_element() -> None:
    assert near("small against the largest", [1.0, 1e-12], [1.0, 3e-12]).holds
    assert near("both vanish", np.zeros(2), np.zeros(2)).holds
    assert not near("off", [1.0, 0.0], [1.0, 1e-9]).holds
    assert near("less is asked", [1.0, 0.0], [1.0, 1e-9], 1e-8).holds
    assert not near("not a number", [float("nan"), 1.0], [1.0, 1.0]).holds


def test_orders_of_the_coupling_add_up_to_the_exponential() -> None:
    draw = np.random.default_rng(3)
    for size in (2, 5):
        free, coupled = draw.normal(size=(2, size, size))
        parts = coupling_orders(free, coupled, 0.7, 6)
        found = sum(0.02**k * part for k, part in enumerate(parts))
        assert np.allclose(found, expm(0.7 * (free + 0.02 * coupled)), rtol=0, atol=1e-11)


def test_hierarchy_of_one_exponent_is_a_damped_oscillator_traced_out() -> None:
    """C(t) = c e^{-nu t} is that of sqrt(c) (a + a^+), a damped at rate 2 Re nu from its vacuum."""
    draw = np.random.default_rng(11)
    for _ in range(3):
        gap, weight, time = draw.uniform(0.3, 1.4, 3)
        nu, energies = complex(*draw.uniform(0.3, 1.5, 2)), np.array([0.0, gap])
        q = draw.normal(size=(2, 2))
        q = q + q.T
        wanted = damped_oscillator(energies, q, weight, nu, time)
        system = System(np.subtract.outer(energies, energies), {"B": q.astype(complex)})
        bath = Correlated("B", "B", BathExponentials((weight,), (nu,)))
        still, coupled, _ = joint_hierarchy(system, [bath], 4)
        found = [m[:4, :4] for m in coupling_orders(still, coupled, time, 4)]
        for order, (a, b) in enumerate(zip(found, wanted, strict=True)):
            assert np.abs(a - b).max() < 1e-13 * max(1, np.abs(b).max()), order
            assert order % 2 or np.abs(b).max() > 1e-3


def damped_oscillator(
    energies: np.ndarray, q: np.ndarray, weight: float, nu: complex, time: float
) -> list[np.ndarray]:
    """Tr_B U(t) . |0><0| at orders 0 to 4, each (4, 4): five states reach fourth order."""
    size, one = 5, np.eye(10)
    lower = np.kron(np.eye(2), np.diag(np.sqrt(np.arange(1.0, size)), 1))
    number = lower.T @ lower
    h = np.kron(np.diag(energies), np.eye(size)) + nu.imag * number
    lost = np.kron(lower, lower) - (np.kron(number, one) + np.kron(one, number)) / 2
    still = commutator(h) + 2 * nu.real * lost
    force = np.sqrt(weight) * np.kron(q, np.eye(size)) @ (lower + lower.T)
    ground = np.zeros((2 * size, 2 * size, 4), dtype=complex)
    for k in range(4):
        ground[k // 2 * size, k % 2 * size, k] = 1
    reached = coupling_orders(still, commutator(force), time, 4)
    split = [(m @ ground.reshape(-1, 4)).reshape(2, size, 2, size, 4) for m in reached]
    return [np.einsum("aibik->abk", x).reshape(4, 4) for x in split]


def test_gauss_integrates_over_a_triangle_of_times() -> None:
    found = sum(w * v * s**3 * t**2 for t, w in gauss(1.3) for s, v in gauss(t))
    assert found == pytest.approx(1.3**7 / 28, rel=1e-12)
