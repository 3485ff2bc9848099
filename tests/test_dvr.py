"""Sinc-grid levels against potentials whose levels are known in closed form."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pertsym.model.errors import InputError
from pertsym.systems.dvr import Grid, bound_states, states_on_grid


def harmonic(mass: float, frequency: float, centre: float = 0.0):  # type: ignore[no-untyped-def]
    return lambda x: mass * frequency**2 * (x - centre) ** 2 / 2


@settings(max_examples=10, derandomize=True)
@given(
    st.floats(0.5, 2000.0),
    st.floats(0.005, 2.0),
    st.floats(-1.0, 1.0),
)
def test_harmonic_levels_and_positions(mass: float, frequency: float, centre: float) -> None:
    length = 1 / math.sqrt(mass * frequency)
    shift = centre * length
    grid = Grid(-7 * length, 7 * length, 57)
    found = bound_states(harmonic(mass, frequency, shift), mass, grid, 6, 1e-10).states
    n = np.arange(6)
    assert found.energies == pytest.approx(frequency * (n + 0.5), rel=1e-10)
    q = found.position
    assert np.diag(q) == pytest.approx(np.full(6, shift), abs=1e-9 * length)
    assert np.abs(np.diag(q, 1)) == pytest.approx(length * np.sqrt((n[:-1] + 1) / 2), rel=1e-9)
    assert (
        np.abs(
            q - np.diag(np.diag(q)) - np.diag(np.diag(q, 1), 1) - np.diag(np.diag(q, -1), -1)
        ).max()
        < 1e-9 * length
    )
    # from the left every wavefunction begins positive, so neighbours overlap with opposite tails
    assert np.all(np.diag(q, 1) < 0)


def test_morse_levels() -> None:
    mass, depth, width = 1836.0, 0.1, 1.0
    found = bound_states(
        lambda x: depth * (1 - np.exp(-width * x)) ** 2, mass, Grid(-1.2, 5.0, 81), 6, 1e-10
    ).states
    w = width * math.sqrt(2 * depth / mass)
    x = w * (np.arange(6) + 0.5)
    assert found.energies == pytest.approx(x - x**2 / (4 * depth), rel=1e-9)


def test_functions_of_position_and_normalisation() -> None:
    states = bound_states(harmonic(1.0, 1.0), 1.0, Grid(-6.0, 6.0, 61), 5).states
    assert states.vectors.T @ states.vectors == pytest.approx(np.eye(5), abs=1e-12)
    virial = np.diag(states.matrix(lambda x: x**2 / 2))
    assert virial == pytest.approx(states.energies / 2, rel=1e-11)


def test_overlaps_with_a_coherent_state_are_poissonian() -> None:
    states = bound_states(harmonic(1.0, 1.0), 1.0, Grid(-7.0, 7.0, 71), 12).states
    momentum = 1.2

    def packet(x):  # type: ignore[no-untyped-def]
        return math.pi**-0.25 * np.exp(-(x**2) / 2 + 1j * momentum * x)

    n = np.arange(12)
    mean = momentum**2 / 2
    expected = np.exp(-mean) * mean**n / np.array([math.factorial(k) for k in n])
    assert np.abs(states.amplitudes(packet)) ** 2 == pytest.approx(expected, abs=1e-12)


def test_error_falls_exponentially_with_the_spacing() -> None:
    # two steps of 0.05 each gain more digits than the one before, unlike any power of h
    errors = [
        abs(states_on_grid(harmonic(1.0, 1.0), 1.0, Grid(-8.0, 8.0, points), 1).energies[0] - 0.5)
        for points in (11, 13, 15)
    ]
    gains = [math.log(a / b) for a, b in pairwise(errors)]
    powers = [math.log(12 / 10), math.log(14 / 12)]
    assert gains[1] / powers[1] > gains[0] / powers[0] > 8


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Grid(1.0, 1.0, 10), "not a finite interval"),
        (lambda: Grid(0.0, math.inf, 10), "not a finite interval"),
        (lambda: Grid(0.0, 1.0, 1), "at least 2"),
        (lambda: states_on_grid(np.square, 0.0, Grid(-1.0, 1.0, 5), 1), "mass"),
        (lambda: states_on_grid(np.square, 1.0, Grid(-1.0, 1.0, 5), 6), "6 states"),
        (lambda: states_on_grid(lambda x: x * np.nan, 1.0, Grid(-1.0, 1.0, 5), 1), "potential"),
        # a free particle has no bound states: they spread with the interval
        (lambda: bound_states(np.zeros_like, 1.0, Grid(-5.0, 5.0, 21), 2), "not converged"),
    ],
)
def test_refusals(make, problem: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=problem):
        make()
