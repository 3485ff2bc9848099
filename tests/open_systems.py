"""Random open systems and slopes, shared by the tests of master equations and equilibrium."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.densities import BathDensity, DrudeLorentz
from pertsym.baths.exponentials import Exponentials
from pertsym.generators.system import Correlated, System
from pertsym.model.bath import Bath
from pertsym.model.random_matrix import RandomMatrixBath, RandomMatrixModel
from pertsym.model.units import UNITS
from pertsym.model.values import Coupling, Model

Matrix = NDArray[np.complex128]


def hermitian(size: int, seed: int) -> Matrix:
    """A complex Hermitian matrix with entries of order 1."""
    generator = np.random.default_rng(seed)
    entries = generator.normal(size=(size, size)) + 1j * generator.normal(size=(size, size))
    return (entries + entries.conj().T) / 2


def open_system(
    energies: Sequence[float],
    operators: Sequence[Any],
    densities: Sequence[BathDensity],
    beta: float,
    strength: float = 1.0,
) -> Model:
    """One bath for each operator, all at one temperature."""
    names = [f"bath{k}" for k in range(len(operators))]
    return Model.of(
        energies,
        [
            Coupling.of(np.asarray(operator).tolist(), name, strength)
            for operator, name in zip(operators, names, strict=True)
        ],
        [
            Bath(name, "boson", beta, density)
            for name, density in zip(names, densities, strict=True)
        ],
    )


def exponential_system(
    energies: Sequence[float],
    couplings: Sequence[tuple[Any, str]],
    baths: Mapping[str, Exponentials],
) -> tuple[System, tuple[Correlated, ...]]:
    """Levels with independent baths; operators of one bath add up."""
    operators: dict[str, Matrix] = {}
    for matrix, name in couplings:
        operators[name] = operators.get(name, 0) + np.asarray(matrix, dtype=complex)
    gaps = np.subtract.outer(np.array(energies, dtype=float), np.array(energies, dtype=float))
    return System(gaps, operators), Correlated.independent(baths.items())


def two_bath_system(strength: float = 1.0, beta: float = 1.3) -> Model:
    """Three levels, two complex Hermitian operators, two Drude baths at one temperature."""
    return open_system(
        (0.0, 0.7, 1.6),
        (hermitian(3, 1), hermitian(3, 2)),
        (DrudeLorentz(0.05, 0.9), DrudeLorentz(0.03, 2.0)),
        beta,
        strength,
    )


def slope(distance: Callable[[float], float], coupling: float) -> float:
    """d log(distance)/d log(coupling) between a coupling and half of it."""
    return math.log2(distance(coupling) / distance(coupling / 2))


def gorm_spin(
    delta: float, strength: float, energy: float, width: float = 0.05
) -> RandomMatrixModel:
    """A spin of splitting delta in a random-matrix environment, coupled by sigma_x."""
    return RandomMatrixModel(
        "spin",
        UNITS["natural"],
        (-delta / 2, delta / 2),
        (Coupling.of(((0, 1), (1, 0)), "env", strength),),
        RandomMatrixBath("env", energy, width),
    )
