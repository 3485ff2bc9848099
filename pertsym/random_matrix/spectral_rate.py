"""The exact relaxation rate at one total energy, from eigenstates of simulated Hamiltonians.

Pairs of eigenstates with mean energy E and distance omega give the spectrum of sigma_z at conserved
total energy,

    S(E, omega) = sum_mn |<m|sigma_z|n>|^2 delta(E - (E_m + E_n)/2) delta(omega - E_m + E_n),

in which the relaxation is a pole at omega = -i rate.  1/S, a smooth even function of omega, is
fitted by a polynomial in omega^2 whose zero next to the origin is -rate^2.  No master equation and
no fit in time is used, and no distribution over total energies blurs the rate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pertsym.model.random_matrix import RandomMatrixModel
from pertsym.random_matrix.ensemble import Floats, draw_symmetric

_BINS = 60


@dataclass(frozen=True)
class SpectralRate:
    """A rate and its error: that over realisations (jackknife), and the fit's dependence on degree.

    The number of states is finite besides: compare two sizes.
    """

    rate: float
    error: float


def spectral_rate(
    model: RandomMatrixModel,
    total: float,
    *,
    size: int,
    realisations: int,
    seed: int,
    window: float = 0.2,
    reach: float = 0.6,
    degree: int = 3,
    progress: Callable[[str], None] = lambda _: None,
) -> SpectralRate:
    """The rate at total energy `total`.

    Parameters
    ----------
    model
        Two levels coupled off-diagonally; its initial energy is not used.
    size, realisations, seed
        As in the simulation.
    window
        Width of the interval of mean energies, energy units.
    reach, degree
        Largest omega of the fit, and its degree in omega^2.

    Raises
    ------
    ValueError
        If the fit has no zero on the imaginary axis: the reach is too short or the statistics poor.
    """
    model.two_levels()
    edges = np.linspace(reach / _BINS / 4, reach, _BINS + 1)
    spectra = []
    for number, source in enumerate(np.random.SeedSequence(seed).spawn(realisations), 1):
        progress(f"realisation {number} of {realisations}")
        spectra.append(_spectrum(model, total, size, np.random.default_rng(source), window, edges))
    found = np.array(spectra)
    middle = (edges[1:] + edges[:-1]) / 2
    rate = _zero(middle, found.mean(axis=0), degree)
    left_out = [
        _zero(middle, np.delete(found, k, axis=0).mean(axis=0), degree)
        for k in range(realisations if realisations > 1 else 0)
    ]
    spread = np.sqrt((realisations - 1) * np.var(left_out)) if left_out else 0.0
    return SpectralRate(rate, float(np.hypot(spread, _fit_error(middle, found, degree, rate))))


def _fit_error(omega: Floats, found: Floats, degree: int, rate: float) -> float:
    """How far the rate moves with one degree less or more."""
    moved = []
    for other in (degree - 1, degree + 1):
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
    window: float,
    edges: Floats,
) -> Floats:
    environment = np.linalg.eigvalsh(draw_symmetric(size, generator))
    coupling = np.sqrt(model.two_levels()[1]) * draw_symmetric(size, generator)
    lower, upper = model.energies
    h = np.block(
        [[np.diag(lower + environment), coupling], [coupling, np.diag(upper + environment)]]
    )
    energies, vectors = np.linalg.eigh(h)
    near = np.abs(energies - total) < (window + edges[-1]) / 2
    energies, top = energies[near], vectors[size:, near]
    squares = (2 * top.T @ top) ** 2  # off the diagonal sigma_z is twice the upper part
    pairs = np.abs(energies[:, None] + energies[None, :] - 2 * total) < window
    counted = np.histogram(
        np.abs(energies[:, None] - energies[None, :])[pairs], edges, weights=squares[pairs]
    )[0]
    result: Floats = counted / (np.diff(edges) * window * size)
    return result


def _zero(omega: Floats, spectrum: Floats, degree: int) -> float:
    """rate with 1/S = 0 at omega^2 = -rate^2, weighted by equal relative errors."""
    fit = np.polynomial.Polynomial.fit(omega**2, 1 / spectrum, degree, w=spectrum)
    roots = [complex(z) for z in fit.roots()]
    candidates = sorted(-z.real for z in roots if abs(z.imag) < 1e-12 and z.real < 0)
    if not candidates:
        raise ValueError("the fit of 1/S has no zero at negative omega^2; take more states")
    return float(np.sqrt(candidates[0]))
