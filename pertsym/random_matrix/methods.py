"""Populations over time of a model with a random-matrix environment, by any method.

"exact" is the von Neumann equation of the finite system and N random-matrix states: H_B is drawn
and diagonalised, B drawn in its eigenbasis (the ensemble is invariant under rotations), and
H = H_S + H_B + S (x) B diagonalised as a whole.  The environment starts in the equal mixture of its
states within the shell; populations are averaged over realisations.

The relaxation rate at one total energy comes from eigenstates of simulated Hamiltonians without any
master equation.  Pairs of eigenstates with mean energy E and distance omega give the spectrum of
sigma_z at conserved total energy,

    S(E, omega) = sum_mn |<m|sigma_z|n>|^2 delta(E - (E_m + E_n)/2) delta(omega - E_m + E_n),

in which the relaxation is a pole at omega = -i rate.  1/S, a smooth even function of omega, is
fitted by a polynomial in omega^2 whose zero next to the origin is -rate^2.  No master equation and
no fit in time is used, and no distribution over total energies blurs the rate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pertsym.dynamics.reliability import require_positive
from pertsym.model.errors import InputError
from pertsym.model.random_matrix import RandomMatrixModel
from pertsym.model.values import require_evolvable
from pertsym.random_matrix.ensemble import Floats, draw_symmetric
from pertsym.random_matrix.evolution import METHODS, populations

MOST_STATES: Final = 8000
"""Levels times N: a matrix of this size takes 0.5 GiB, diagonalising it some 4 GiB."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Evolution:
    """Populations, lowest level first.

    Attributes
    ----------
    populations : (times, levels)
    error : (times, levels) or None
        Standard error of the mean over realisations; None for master equations
        and for a single realisation.
    """

    populations: Floats
    error: Floats | None = None

    @property
    def z(self) -> Floats | None:
        """P_1 - P_0, (times,); None unless there are two levels."""
        if self.populations.shape[1] != 2:
            return None
        difference: Floats = self.populations[:, 1] - self.populations[:, 0]
        return difference


def simulate(
    model: RandomMatrixModel,
    initial: NDArray[np.complex128],
    times: Sequence[float],
    *,
    size: int,
    realisations: int,
    seed: int,
    progress: Progress = lambda _: None,
) -> Evolution:
    """Populations of the levels, averaged over realisations.

    Parameters
    ----------
    model
        Any number of levels and any Hermitian coupling.
    initial : (levels, levels)
        Density matrix of the system at t = 0; the total state is a product.
    times
        Inverse energy units.
    size, realisations, seed
        N, how many pairs (H_B, B), and the seed of the first; realisation r of a seed does not
        depend on how many there are.

    Raises
    ------
    InputError
        If a number is out of range, or a shell holds no state.
    """
    _check(model, size, realisations, seed)
    runs = []
    for number in range(realisations):
        progress(f"realisation {number + 1} of {realisations}")
        source = np.random.SeedSequence(seed, spawn_key=(number,))  # as `spawn`, one by one
        runs.append(_one(model, initial, times, size, np.random.default_rng(source)))
    found = np.array(runs)
    if realisations == 1:  # which says nothing of its own spread
        return Evolution(found[0])
    return Evolution(found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(realisations))


def _check(model: RandomMatrixModel, size: int, realisations: int, seed: int) -> None:
    states = model.dimension * size
    for name, value, least in (("size", size, 2), ("realisations", realisations, 1)):
        if value < least:
            raise InputError(
                model.name, name, f"must be at least {least}, got {value}", "give more"
            )
    if seed < 0:
        raise InputError(
            model.name, "seed", f"must not be negative, got {seed}", "use 0, 1, 2, ..."
        )
    if states > MOST_STATES:
        raise InputError(
            model.name,
            "size",
            f"{size} states of the environment and {model.dimension} levels make a matrix of "
            f"{states} rows, which takes too much memory",
            f"use at most {MOST_STATES // model.dimension}",
        )


def _one(
    model: RandomMatrixModel,
    initial: NDArray[np.complex128],
    times: Sequence[float],
    size: int,
    generator: np.random.Generator,
) -> Floats:
    environment = np.linalg.eigvalsh(draw_symmetric(size, generator))
    coupling = draw_symmetric(size, generator)
    bath = model.bath
    shell = np.nonzero(np.abs(environment - bath.energy) <= bath.shell_width / 2)[0]
    if not shell.size:
        raise InputError(
            model.name,
            f"baths.{bath.name}.shell_width",
            f"no state of the environment lies in the shell of width {bath.shell_width} at "
            f"{bath.energy} for N = {size}",
            "widen the shell or take more states",
        )
    system: Any = model.coupling
    if not np.any(system.imag):
        system = system.real
    h = np.kron(system, coupling)
    h[np.diag_indices_from(h)] += np.add.outer(np.array(model.energies), environment).reshape(-1)
    energies, vectors = np.linalg.eigh(h)
    del h
    result = np.zeros((len(times), model.dimension))
    for weight, state in _pure_states(initial):
        rows = vectors.reshape(model.dimension, size, -1)[:, shell, :]
        start = np.einsum("a,akn->nk", state, rows.conj())
        result += weight * _populations(vectors, energies, start, times, model.dimension)
    return result


def _pure_states(initial: NDArray[np.complex128]) -> Iterator[tuple[float, Any]]:
    weights, states = np.linalg.eigh(initial)
    for weight, state in zip(weights, states.T, strict=True):
        if weight > 1e-14:
            yield float(weight), state


def _populations(
    vectors: Any, energies: Floats, start: Any, times: Sequence[float], levels: int
) -> Floats:
    """Populations of all levels but the lowest by projection, the lowest from the trace."""
    size, states = energies.size // levels, start.shape[1]
    upper = vectors[size:]
    result = np.zeros((len(times), levels))
    for number, time in enumerate(times):
        moved = np.exp(-1j * energies * time)[:, None] * start
        if np.iscomplexobj(upper):
            squares = np.abs(upper @ moved) ** 2
        else:  # one real product for both parts
            parts = upper @ np.concatenate([moved.real, moved.imag], axis=1)
            squares = parts[:, :states] ** 2 + parts[:, states:] ** 2
        result[number, 1:] = squares.reshape(levels - 1, -1).sum(axis=1) / states
    result[:, 0] = 1 - result[:, 1:].sum(axis=1)
    return result


EXACT: Final = "exact"
EVOLVE: Final = (*METHODS, EXACT)
"""Every method."""
DEFAULT_SIZE: Final = 500
DEFAULT_REALISATIONS: Final = 10
DEFAULT_SEED: Final = 0


def random_matrix_evolve(
    model: RandomMatrixModel,
    method: str,
    initial: NDArray[np.complex128],
    times: Sequence[float],
    *,
    size: int | None = None,
    realisations: int | None = None,
    seed: int | None = None,
    slipped: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Evolution:
    """Populations from a product state at t = 0.

    Parameters
    ----------
    method
        One of `EVOLVE`; all but "exact" are for two levels coupled off-diagonally.
    initial : (levels, levels)
        Density matrix of the system in the energy eigenbasis; master equations use its diagonal.
    times
        Ascending, >= 0, inverse energy units.
    size, realisations, seed
        Of "exact" alone: states of the environment, averaged realisations and the seed.
    slipped
        Of the Markovian equations alone: start them such that they join the non-Markovian solution
        to second order; the populations at early times are not those of the system then.
    progress
        Called with what is computed next.

    Returns
    -------
    Evolution
        Populations (times, levels), and of "exact" their standard errors.

    Raises
    ------
    InputError
        If the method is unknown or a number is out of range or belongs to another method.
    NotYetDerivable
        If a master equation is asked for a model that it cannot treat, or gives no populations.
    """
    if method not in EVOLVE:
        raise InputError(
            model.name,
            "method",
            f"{method!r} is no method for a random-matrix environment",
            f"use one of {', '.join(EVOLVE)}",
        )
    initial = require_evolvable(model.name, initial, times, model.dimension)
    if method == EXACT and not slipped:
        return simulate(
            model,
            initial,
            times,
            size=DEFAULT_SIZE if size is None else size,
            realisations=DEFAULT_REALISATIONS if realisations is None else realisations,
            seed=DEFAULT_SEED if seed is None else seed,
            progress=progress,
        )
    for name, value in (("size", size), ("realisations", realisations), ("seed", seed)):
        if value is not None:
            raise InputError(model.name, name, f"belongs to method {EXACT} alone", "leave it out")
    splitting, strength = model.two_levels()
    lower, upper = (float(p) for p in np.real(np.diagonal(initial)))
    start = splitting, strength, model.bath.energy, (lower, upper)
    found = populations(method, *start, times, progress, slipped=slipped)
    require_positive(float(found.min(initial=0.0)), min(lower, upper), 0.0, method)
    return Evolution(found)


_BINS = 60
_WINDOW = 0.2  # width of the interval of mean energies, energy units
_REACH = 0.6  # largest omega of the fit, energy units
_DEGREE = 3  # of the fit, in omega^2


@dataclass(frozen=True)
class SpectralRate:
    """A rate and its error: that over realisations (jackknife), and the fit's dependence on degree.

    The number of states is finite besides: compare two sizes.
    """

    rate: float
    error: float


def random_matrix_spectral_rate(
    model: RandomMatrixModel,
    total: float,
    *,
    size: int,
    realisations: int,
    seed: int,
) -> SpectralRate:
    """The rate at total energy `total`.

    Parameters
    ----------
    model
        Two levels coupled off-diagonally; its initial energy is not used.
    size, realisations, seed
        As in the simulation.

    Raises
    ------
    ValueError
        If the fit has no zero on the imaginary axis: the statistics are poor.
    """
    model.two_levels()
    edges = np.linspace(_REACH / _BINS / 4, _REACH, _BINS + 1)
    spectra = []
    for source in np.random.SeedSequence(seed).spawn(realisations):
        spectra.append(_spectrum(model, total, size, np.random.default_rng(source), edges))
    found = np.array(spectra)
    middle = (edges[1:] + edges[:-1]) / 2
    rate = _zero(middle, found.mean(axis=0), _DEGREE)
    left_out = [
        _zero(middle, np.delete(found, k, axis=0).mean(axis=0), _DEGREE)
        for k in range(realisations if realisations > 1 else 0)
    ]
    spread = np.sqrt((realisations - 1) * np.var(left_out)) if left_out else 0.0
    return SpectralRate(rate, float(np.hypot(spread, _fit_error(middle, found, rate))))


def _fit_error(omega: Floats, found: Floats, rate: float) -> float:
    """How far the rate moves with one degree less or more."""
    moved = []
    for other in (_DEGREE - 1, _DEGREE + 1):
        try:
            moved.append(abs(_zero(omega, found.mean(axis=0), other) - rate))
        except ValueError:  # that fit has no zero, and says nothing
            continue
    return max(moved, default=rate)


def _spectrum(
    model: RandomMatrixModel,
    total: float,
    size: int,
    generator: np.random.Generator,
    edges: Floats,
) -> Floats:
    environment = np.linalg.eigvalsh(draw_symmetric(size, generator))
    coupling = np.sqrt(model.two_levels()[1]) * draw_symmetric(size, generator)
    lower, upper = model.energies
    h = np.block(
        [[np.diag(lower + environment), coupling], [coupling, np.diag(upper + environment)]]
    )
    energies, vectors = np.linalg.eigh(h)
    near = np.abs(energies - total) < (_WINDOW + edges[-1]) / 2
    energies, top = energies[near], vectors[size:, near]
    squares = (2 * top.T @ top) ** 2  # off the diagonal sigma_z is twice the upper part
    pairs = np.abs(energies[:, None] + energies[None, :] - 2 * total) < _WINDOW
    counted = np.histogram(
        np.abs(energies[:, None] - energies[None, :])[pairs], edges, weights=squares[pairs]
    )[0]
    result: Floats = counted / (np.diff(edges) * _WINDOW * size)
    return result


def _zero(omega: Floats, spectrum: Floats, degree: int) -> float:
    """rate with 1/S = 0 at omega^2 = -rate^2, weighted by equal relative errors."""
    fit = np.polynomial.Polynomial.fit(omega**2, 1 / spectrum, degree, w=spectrum)
    roots = [complex(z) for z in fit.roots()]
    candidates = sorted(-z.real for z in roots if abs(z.imag) < 1e-12 and z.real < 0)
    if not candidates:
        raise ValueError("the fit of 1/S has no zero at negative omega^2; take more states")
    return float(np.sqrt(candidates[0]))
