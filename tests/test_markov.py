"""Markov noise: against the joint equations of state and chain, at every order and time.

The reference holds the whole chain: d rho_s/dt = -i [H_S + xi_s S, rho_s] + sum W_ss' rho_s' as one
matrix, without perturbation theory.  Its expansion in the coupling is read off a circle of complex
couplings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.linalg import expm

from pertsym.generators.initial_slip import initial_slip  # noqa: F401
from pertsym.generators.tcl import tcl_generator
from pertsym.model.markov import MarkovNoise
from pertsym.model.values import Coupling, Model

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
