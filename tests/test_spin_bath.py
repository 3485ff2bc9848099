"""Baths of spins: averages, the map to oscillators, what is not Gaussian in them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.linalg import expm

from pertsym.baths import enclosure
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Ohmic, SpinSurrogate, Table, Underdamped
from pertsym.environments.spins import (
    POLARISATION,
    UNBIASED,
    BathSpin,
    IndependentSpins,
    centred_moment,
    cumulant,
)
from pertsym.expansion.pairings import clusterings
from pertsym.expansion.rule import Action
from pertsym.generators.contracted import Contracted
from pertsym.model.bath import Bath
from pertsym.model.errors import InputError
from pertsym.model.file import load_model
from tests.command_line import TEMPERATURE, model_file, refused, run

Array = NDArray[Any]
SIGMA_X = np.array([[0, 1], [1, 0]], dtype=complex)
_TILTED = np.array([[0.3, 1], [1, -0.4]], dtype=complex)
steady = settings(max_examples=12, deadline=None, derandomize=True)


def test_a_moment_is_stationary_and_real_backwards() -> None:
    """Phases of every exponential add up to 0; reversing the operators conjugates."""
    for sum_of in (centred_moment(2), centred_moment(3), centred_moment(4), cumulant(4)):
        assert all(sum(phase) == 0 for phase in sum_of.terms)
        for phase, coefficient in sum_of.terms.items():
            mirrored = tuple(-k for k in reversed(phase))
            assert sum_of.terms[mirrored] == coefficient


def test_odd_averages_vanish_without_bias_only() -> None:
    assert not centred_moment(3).specialised(UNBIASED).terms
    assert centred_moment(3).terms


# ---------------------------------------------------------------------------------------------
# The oscillators that look like spins


@steady
@given(st.floats(0.05, 20), st.floats(0.1, 5), st.floats(0.2, 5))
def test_spectrum_of_spins(beta: float, w: float, cutoff: float) -> None:
    """Ĉ(w) + Ĉ(-w) is free of temperature, Ĉ(w) - Ĉ(-w) is it times tanh; KMS."""
    density = DrudeLorentz(0.7, cutoff)
    bath = Correlation(SpinSurrogate(density, beta), "boson", beta)
    up, down = bath.spectrum(w), bath.spectrum(-w)
    assert up.value + down.value == pytest.approx(2 * density.at(w), rel=1e-13)
    assert up.value - down.value == pytest.approx(
        2 * density.at(w) * math.tanh(beta * w / 2), rel=1e-12
    )
    assert down.value == pytest.approx(math.exp(-beta * w) * up.value, rel=1e-12)


@pytest.mark.parametrize(
    "density",
    [
        DrudeLorentz(1.0, 2.0),
        Ohmic(0.3, 1.5, 0.5),
        Ohmic(0.3, 1.5, 2.0),
        Underdamped(0.5, 1.0, 0.2),
    ],
)
def test_transform_of_spins_by_two_quadratures(density: object) -> None:
    for beta in (0.3, 4.0):
        bath = Correlation(SpinSurrogate(density, beta), "boson", beta)
        value, error = bath.transform(0.8)
        assert abs(value - float(enclosure.transform(bath, 0.8, 0, 18).mid())) <= error
        assert error < 1e-12 * abs(value)


def test_at_zero_temperature_spins_are_oscillators() -> None:
    density = Ohmic(0.2, 3.0, 1.0)
    cold = Correlation(SpinSurrogate(density, math.inf), "boson", math.inf)
    same = Correlation(density, "boson", math.inf)
    for w in (-1.0, 0.4, 2.0):
        assert cold.spectrum(w).value == same.spectrum(w).value
        assert cold.transform(w).value == pytest.approx(same.transform(w).value, rel=1e-12)


def test_table_and_zero_coupling() -> None:
    table = Table((0.5, 1.0, 2.0, 3.0), (0.1, 0.3, 0.2, 0.0))
    assert Correlation(SpinSurrogate(table, 2.0), "boson", 2.0).spectrum(4.0).value == 0
    nothing = Correlation(SpinSurrogate(DrudeLorentz(0.0, 1.0), 2.0), "boson", 2.0)
    assert nothing.thermal.is_zero
    with pytest.raises(ValueError, match="beta: must be finite and > 0"):
        SpinSurrogate(table, -1.0)


def test_levels_in_a_spin_bath(tmp_path: Path) -> None:
    """Golden rule with Ĉ(w0) = 2 J/(1 + e^{-beta w0}); the expansion's limit is said on stderr."""
    path = model_file(tmp_path, (TEMPERATURE, TEMPERATURE + '\nstatistics = "spin"'))
    result = run("rates", path, "--order", "2", "--json")
    assert result.exit_code == 0
    rates = json.loads(result.stdout)["orders"]["2"]
    j = DrudeLorentz(0.05, 1.0).at(1.0)
    assert rates["k_down"] == pytest.approx(2 * j / (1 + math.exp(-2)), rel=1e-13)
    assert rates["k_up"] == pytest.approx(2 * j / (1 + math.exp(2)), rel=1e-13)
    assert "fourth cumulant" in result.stderr


def test_exponentials_have_no_spins(tmp_path: Path) -> None:
    given_as = '{ kind = "exponentials", c = [1.0], nu = [1.0] }'
    path = model_file(
        tmp_path,
        (TEMPERATURE, 'statistics = "spin"'),
        ('{ kind = "drude-lorentz", lam = 0.05, gamma = 1.0 }', given_as),
    )
    refused(run("rates", path), 2, "baths.x.spectral_density.kind", "exponentials")


# ---------------------------------------------------------------------------------------------
# Fourth order


class Fourth:
    """What the fourth cumulant adds at fourth order."""

    def __init__(self, energies: Array, operator: Array, spins: tuple[BathSpin, ...]) -> None:
        rule = IndependentSpins(spins, only=(4,))
        self._term = Contracted.of(rule, energies, (operator,), 4)

    def generator(self, time: float) -> Array:
        return self._term.at(time).matrix

    def state(self, initial: Array, time: float) -> Array:
        change = self._term.state(time).matrix
        return (change @ np.reshape(initial, -1)).reshape(np.shape(initial))


@pytest.mark.parametrize("bias", [0.0, 0.7])
def test_generator_is_the_derivative_of_the_state(bias: float) -> None:
    """d rho4/dt = K0 rho4 + K4(t) rho0(t), by a central difference."""
    energies = np.array([0.0, 0.8])
    operator = np.array([[0.2, 1], [1, -0.3]], dtype=complex)
    term = Fourth(energies, operator, (BathSpin(0.9, bias, 1.1, 0.6),))
    start = np.array([[0.3, 0.1j], [-0.1j, 0.7]]).astype(complex)
    time, step = 1.4, 1e-3
    ahead, here, behind = (term.state(start, time + s) for s in (step, 0.0, -step))
    slope = ((ahead - behind) / (2 * step)).reshape(-1)
    gaps = (energies[:, None] - energies[None, :]).reshape(-1)
    free = start.reshape(-1) * np.exp(-1j * gaps * time)
    expected = -1j * gaps * here.reshape(-1) + term.generator(time) @ free
    assert np.max(np.abs(slope - expected)) < 3e-6 * np.max(np.abs(slope))
    assert abs(np.trace(here)) < 1e-14
    assert np.allclose(here, here.conj().T, atol=1e-14)


def test_pure_dephasing_by_spins() -> None:
    """S commutes with H_S: the coherence is a product over spins of an average phase.

    Without tunnelling B is sigma_z itself, so that <exp(-i phi B)> is that of a two-valued
    variable, with phi = 2 g t; its logarithm at fourth order is kappa4 phi^4/24.
    """
    g, beta, time = 0.4, 0.9, 1.3
    spin = BathSpin(g, 1.0, 0.0, beta)
    term = Fourth(np.array([0.0, 0.0]), np.diag([1.0, -1.0]).astype(complex), (spin,))
    mean = -math.tanh(beta / 2)
    variance = 1 - mean**2
    centred = sum(p * (s - mean) ** 4 for s, p in ((1, (1 + mean) / 2), (-1, (1 - mean) / 2)))
    kappa = centred - 3 * variance**2
    change = term.state(np.array([[0.5, 0.5], [0.5, 0.5]]), time)
    assert change[0, 1] == pytest.approx(0.5 * kappa * (2 * g * time) ** 4 / 24, rel=1e-12)
    assert abs(change[0, 0]) < 1e-14


def test_spins_add_and_refuse_nonsense() -> None:
    energies, operator = np.array([0.0, 1.0]), np.array([[0, 1], [1, 0]], dtype=complex)
    one, two = BathSpin(0.5, 0.2, 1.0, 1.0), BathSpin(0.3, 0.0, 2.0, math.inf)
    parts = [Fourth(energies, operator, (s,)).generator(0.9) for s in (one, two)]
    both = Fourth(energies, operator, (one, two)).generator(0.9)
    assert np.allclose(both, parts[0] + parts[1], atol=1e-15)
    with pytest.raises(ValueError, match="tunnelling"):
        BathSpin(1.0, 0.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="beta"):
        BathSpin(1.0, 0.0, 1.0, 0.0)


def exact_average(order: Sequence[int], times: Sequence[float], h: float, w: float) -> complex:
    """<B(t_i) B(t_j) ...> of an unbiased spin, operators in this order."""
    total = 0j
    for phase, x in (
        centred_moment(len(order)).specialised({**UNBIASED, POLARISATION: h}).terms.items()
    ):
        angle = sum(k * times[t] for k, t in zip(phase, order, strict=True))
        total += float(x) * np.exp(1j * w * angle)
    return total


@pytest.mark.parametrize("sides", [(False,) * 4, (False, True, True, False), (True,) * 4])
def test_contraction_rule_of_spins(sides: tuple[bool, ...]) -> None:
    """Products of the cumulants of four operators add up to the four-point function."""
    w, times = 1.3, (2.0, 1.1, 0.7, -0.3)
    rule = IndependentSpins((BathSpin(0.8, 0.0, w, 0.765),))
    actions = [Action(j, side) for j, side in zip((3, 2, 1, 0), sides, strict=True)]

    def average(inside: Sequence[Action]) -> complex:
        total = 0j
        for term in rule.contracted(inside, 0, 1):
            (weight,) = term.weights
            angles = [
                dict(form).get(1, 0) * times[a.time]
                for a, form in zip(inside, term.frequencies, strict=True)
            ]
            for (at,), amplitude in rule.points(weight.name):
                total += term.coefficient * amplitude * np.exp(1j * at * sum(angles))
        return total

    total = sum(
        math.prod(average([actions[k] for k in cluster]) for cluster in clusters)
        for clusters in clusterings((0, 1, 2, 3), rule.sizes(4))
    )
    right = [a.time for a in actions if a.right]
    left = [a.time for a in reversed(actions) if not a.right]
    h = math.tanh(0.765 * w / 2)
    expected = 0.8**4 * exact_average([*right, *left], times, h, w)
    assert total == pytest.approx(expected, abs=1e-13)


def joint_series(
    energies: Array, operator: Array, spins: Sequence[BathSpin], time: float, order: int
) -> list[Array]:
    """K_n(t), n = 0, 1, ..., from the joint propagator of system and spins on a circle."""
    size = len(energies)
    sigma_x, sigma_z = np.array([[0, 1], [1, 0]]), np.diag([1.0, -1.0])
    bath, force, thermal = np.zeros((1, 1)), np.zeros((1, 1)), np.ones((1, 1))
    for spin in spins:
        h = (spin.bias * sigma_z + spin.tunnelling * sigma_x) / 2
        values, vectors = np.linalg.eigh(h)
        p = np.exp(-spin.beta * (values - values[0]))
        state = vectors @ np.diag(p / p.sum()) @ vectors.T
        b = spin.strength * (sigma_z - np.trace(state @ sigma_z) * np.eye(2))
        old = np.eye(len(bath))
        bath = np.kron(bath, np.eye(2)) + np.kron(old, h)
        force = np.kron(force, np.eye(2)) + np.kron(old, b)
        thermal = np.kron(thermal, state)
    many = len(bath)
    free = np.kron(np.diag(energies), np.eye(many)) + np.kron(np.eye(size), bath)
    one = np.eye(size * many)
    start = np.einsum("ac,bd,ij->aibjcd", np.eye(size), np.eye(size), thermal)
    start = start.reshape((size * many) ** 2, size**2)

    def commutator(x: Array) -> Array:
        return -1j * (np.kron(x, one) - np.kron(one, x.T))

    def reduced(states: Array) -> Array:
        parts = states.reshape(size, many, size, many, size**2)
        return np.einsum("aibix->abx", parts).reshape(size**2, size**2)

    def generator(lam: complex) -> Array:
        total = commutator(free) + lam * commutator(np.kron(operator, force))
        states = expm(total * time) @ start
        return reduced(total @ states) @ np.linalg.inv(reduced(states))

    turns = 0.5 * np.exp(2j * np.pi * np.arange(32) / 32)
    found = np.fft.fft(np.array([generator(x) for x in turns]), axis=0) / 32
    return [found[n] / 0.5**n for n in range(order + 1)]


@pytest.mark.parametrize(
    ("spins", "operator", "order"),
    [
        ((BathSpin(0.5, 0.0, 1.1, 0.6),), SIGMA_X, 6),
        ((BathSpin(0.5, 0.7, 1.1, 0.6),), SIGMA_X, 5),
        ((BathSpin(0.4, 0.7, 1.1, 0.6), BathSpin(0.3, -0.2, 0.8, math.inf)), _TILTED, 4),
    ],
)
def test_the_generator_of_spins_is_that_of_system_and_spins(
    spins: tuple[BathSpin, ...], operator: Array, order: int
) -> None:
    """Every order with its bound, odd ones and those beyond the fourth cumulant included."""
    energies = np.array([0.0, 0.9])
    spins = tuple(replace(s, beta=200.0) if s.beta == math.inf else s for s in spins)
    exact = joint_series(energies, operator, spins, 0.8, order)
    rule = IndependentSpins(spins)
    for n in range(2, order + 1):
        found = Contracted.of(rule, energies, (operator,), n).at(0.8)
        # the reference has rounding of its own, divided by the radius of the circle to the n
        assert np.all(np.abs(found.matrix - exact[n]) < found.error + 1e-13 * 2.0**n), n
        assert found.error.max() < 1e-11
    if not any(spin.bias for spin in spins):
        assert not np.any(Contracted.of(rule, energies, (operator,), 3).at(0.8).matrix)


def test_spins_in_symbols_have_no_numbers() -> None:
    with pytest.raises(NotImplementedError, match="IndependentSpins has no numbers"):
        Contracted.of(IndependentSpins(), [0.0, 1.0], (SIGMA_X,), 2)


def test_spin_baths_in_python_are_those_of_files(tmp_path: Path) -> None:
    density = DrudeLorentz(0.05, 1.0)
    path = model_file(tmp_path, ("[baths.x]", '[baths.x]\nstatistics = "spin"'))
    assert load_model(path).baths == (Bath.spin("x", 2.0, density),)
    with pytest.raises(InputError, match=r"Bath\.spin"):
        Bath("x", "spin", 2.0, density)  # type: ignore[arg-type]
