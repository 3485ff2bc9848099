"""Second-order generators from the averaged double commutator: no contraction rule, no cumulant.

The elements of B between a handful of environment levels are independent complex Gaussian numbers
of mean square F_kl; then the average of

    -int_0^t dtau P [H_I, [H_I(-tau), P .]]

is a finite sum, evaluated here with plain matrices in double precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pertsym.equations.energy_resolved import FINAL, OTHER, RateTerm

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]


@dataclass(frozen=True)
class SmallEnvironment:
    """H_S and S of a few levels, and an environment of a few levels.

    Attributes
    ----------
    energies, coupling
        Levels of the system, and Hermitian S in their basis.
    levels, squares
        Levels e_k of the environment, and F_kl.
    """

    energies: Floats
    coupling: Complexes
    levels: Floats
    squares: Floats


def averaged_double_commutator(model: SmallEnvironment, time: float) -> Complexes:
    """d P_ab(k) / d P_cd(l) from the double commutator, shape (a, b, k, c, d, l)."""
    n, m = model.energies.size, model.levels.size
    total = np.add.outer(model.energies, model.levels).reshape(-1)
    window = _window(np.subtract.outer(total, total), time)  # of the operator at -tau
    result = np.zeros((n, n, m, n, n, m), dtype=complex)
    for k, j in product(range(m), repeat=2):
        outer = np.kron(model.coupling, _unit(m, k, j))
        inner = np.kron(model.coupling, _unit(m, j, k)) * window
        for c, d, i in product(range(n), range(n), range(m)):
            state = np.kron(_unit(n, c, d), _unit(m, i, i)).astype(complex)
            first = inner @ state - state @ inner
            change = -model.squares[k, j] * (outer @ first - first @ outer)
            blocks = change.reshape(n, m, n, m)
            result[:, :, :, c, d, i] += np.einsum("akbk->abk", blocks)
    return result


def _unit(size: int, row: int, column: int) -> Floats:
    matrix = np.zeros((size, size))
    matrix[row, column] = 1.0
    return matrix


def _window(x: Floats, time: float) -> Complexes:
    """int_0^time of e^{-ix tau}."""
    safe = np.where(x == 0, 1.0, x)
    return np.where(x == 0, time, (1 - np.exp(-1j * safe * time)) / (1j * safe))


def engine_generator(
    terms: Sequence[RateTerm], model: SmallEnvironment, time: float, fixed: int | None = None
) -> Complexes:
    """The same array from the terms of a master equation, n(eps) being 1 at each level.

    With the environment fixed at level `fixed` the array is d eta_ab / d eta_cd, (a, b, c, d).
    """
    n, m = model.energies.size, model.levels.size
    result = np.zeros((n, n, m, n, n, m), dtype=complex)
    for term in terms:
        names = sorted({"s", "s'", *(x for e in term.elements for x in e)})
        phase = dict(term.phase)
        for indices in product(range(n), repeat=len(names)):
            at = dict(zip(names, indices, strict=True))
            amplitude = complex(term.coefficient)
            for e in term.elements:
                amplitude *= model.coupling[at[e.row], at[e.column]]
            system = sum(model.energies[at[name]] * c for name, c in phase.items() if name in at)
            here, there = (phase.get(x, 0) * model.levels for x in (FINAL, OTHER))
            change = model.squares * _window(system + np.add.outer(here, there), time)
            place: Any = at["s"], at["s'"], slice(None), *(at[x] for x in term.unknown)
            if term.energy == OTHER:
                result[place] += amplitude * change
            else:
                result[place] += amplitude * np.diag(change.sum(axis=1))
    return result if fixed is None else result[:, :, fixed, :, :, fixed]


def example(seed: int, levels: int = 3) -> SmallEnvironment:
    """A random model with a Hermitian, complex S, a symmetric F and six states around."""
    states = 6
    draw = np.random.default_rng(seed)
    s = draw.standard_normal((levels, levels)) + 1j * draw.standard_normal((levels, levels))
    f = draw.uniform(0.2, 1.0, (states, states))
    return SmallEnvironment(
        np.sort(draw.uniform(0, 2, levels)), s + s.conj().T, draw.uniform(-1, 1, states), f + f.T
    )
