"""The exact relaxation rate at one total energy, from eigenstates of simulated Hamiltonians.

Pairs of eigenstates with mean energy E and distance omega give the spectrum of sigma_z at conserved
total energy,

    S(E, omega) = sum_mn |<m|sigma_z|n>|^2 delta(E - (E_m + E_n)/2) delta(omega - E_m + E_n),

in which the relaxation is a pole at omega = -i rate.  1/S, a smooth even function of omega, is
fitted by a polynomial in omega^2 whose zero next to the origin is -rate^2.  No master equation and
no fit in time is used, and no distribution over total energies blurs the rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pertsym.model.random_matrix import RandomMatrixModel
from pertsym.random_matrix.ensemble import Floats, draw_symmetric

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


def spectral_rate(
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
