"""Exponential representation of any bath: C(t > 0) ~ sum_k c_k exp(-nu_k t), with its error.

J convention: C(t) = (1/pi) int_0^inf dw J(w) [coth(beta w/2) cos wt - i sin wt], so that
Ĉ(w > 0) = 2 J(w) [n(w) + 1].  With C(t) = S(t) + i A(t), S and A real, the even part of Ĉ(w) and
the odd part over w are functions of x = w^2; they are approximated by rational functions of x
with common poles x_k, and nu_k = sqrt(-x_k): real, or in pairs nu, nu*.  Amplitudes follow by
linear least squares.  Where only frequencies in a band matter, the result is reduced further.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.band_limited import reduced, weighted_peak
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Exponentials, Underdamped
from pertsym.baths.divergence import Divergent
from pertsym.baths.existence import require_integrable, require_transform
from pertsym.baths.exponential_basis import Fit, Rates, Samples
from pertsym.baths.fit_error import deviation, half_sided
from pertsym.baths.frequency_grid import FrequencyGrid
from pertsym.baths.jets import EPS
from pertsym.baths.symmetric_rational import Barycentric, approximate

_Array = NDArray[np.float64]
_Complex = NDArray[np.complex128]

_SAFETY = 1.25  # for what lies between the points where the error was measured
_TERMS = 100
_AHEAD = 0.1  # approximants are made up to this fraction of the tolerance, to choose among
_FINEST = 1e-13
_LEAST = 0.1  # of the error of a poor fit: its reduction adds no less
_FIRST = 0.02  # of the tolerance, for the fit to all frequencies alike that is then reduced
_LEVELS = 4  # densities of the grid, each twice the one before
_RESOLVED = 5.0  # a deviation off the grid that is larger by this calls for a finer grid
_NEGLIGIBLE = 1e-2  # of the tolerance
_FEW = 8  # fits to choose from where none reaches the tolerance
_FINER, _MARGIN = 2.37, 31.0  # of the grid of the check, not commensurate with that of the fit


@dataclass(frozen=True)
class Representation:
    """A sum of exponentials that stands for a bath, and how well.

    Attributes
    ----------
    exponentials : Exponentials
        C(t > 0) ~ sum c exp(-nu t); the nu of a fit are real or in pairs nu, nu*.
    error : float
        sup over real w of |G(w) - G_fit(w)|, G(w) = int_0^inf dt e^{iwt} C(t), as measured on a
        grid finer than the fit's, with a safety factor.  0 for a bath given by exponentials.
        With a band, sup of the weighted difference.
    scale : float
        sup |G|, for reference; with a band, sup of the weighted |G|.
    """

    exponentials: Exponentials
    error: float
    scale: float


def represent(
    correlation: Correlation, tolerance: float = 1e-9, band: float | None = None
) -> Representation:
    """Represent a bath by as few exponentials as reach the tolerance.

    Parameters
    ----------
    correlation : Correlation
        With scalar parameters.
    tolerance : float
        Wanted error relative to scale, between 1e-13 and 1e-1.
    band : float, optional
        Where the bath's frequencies matter, in the unit of w: error and scale are then those of
        G(w) min(1, (band/w)^2).  Twice the largest Bohr frequency keeps generators for
        t -> infinity to about ten tolerances, with far fewer exponentials.  A bath that is
        exactly a sum of few exponentials is left as it is.

    Returns
    -------
    Representation
        Where the tolerance is out of reach, the best found: compare its error.

    Raises
    ------
    Divergent
        If G is not bounded: a sub-Ohmic bath at T > 0, a J that jumps, a J that does not decay.
    ValueError
        If the tolerance or the band is out of range or a parameter is an array.
    """
    if band is not None and not 0 < band < math.inf:
        raise ValueError(
            f"band: must be positive and finite, got {band!r}; take some twice the largest Bohr "
            "frequency, or leave it out for all frequencies alike"
        )
    if not _FINEST <= tolerance <= 0.1:
        raise ValueError(
            f"tolerance: must be between 1e-13 and 0.1, got {tolerance!r}; it is relative to sup|G|"
        )
    if correlation.shape:
        raise ValueError(
            f"correlation: must have scalar parameters, got arrays of shape {correlation.shape}; "
            "represent the baths one by one"
        )
    if isinstance(correlation.density, Exponentials):
        return _exact(correlation.density, 0.0, band)
    thermal = correlation.thermal
    if thermal.is_zero:
        return Representation(Exponentials((0.0,), (thermal.scale,)), 0.0, 0.0)
    _require_bounded(correlation)
    closed = _closed_form(correlation)
    if closed is not None:
        # the formula is exact, its numbers are rounded, which moves a narrow resonance
        return _exact(closed, 8 * EPS * max(abs(nu) / nu.real for nu in closed.nu), band)
    return (
        _fitted(correlation, tolerance)
        if band is None
        else _fitted_in(correlation, tolerance, band)
    )


def _exact(exponentials: Exponentials, rounding: float, band: float | None) -> Representation:
    largest = _largest(exponentials)
    scale = largest if band is None else weighted_peak(exponentials, band)
    return Representation(exponentials, rounding * largest, scale)


def _fitted_in(correlation: Correlation, tolerance: float, band: float) -> Representation:
    """A fit to all frequencies alike, reduced: the errors of the two steps add up."""
    fine = _fitted(correlation, max(_FIRST * tolerance, _FINEST))
    scale = weighted_peak(fine.exponentials, band)
    wanted = _FIRST * tolerance * scale / fine.scale
    if _FINEST <= wanted < _FIRST * tolerance / 2:  # much of the bath lies outside the band
        fine = _fitted(correlation, wanted)
    goal = max(tolerance * scale - fine.error, _LEAST * fine.error)
    exponentials, distance = reduced(fine.exponentials, band, goal)
    return Representation(exponentials, fine.error + distance, scale)


def _require_bounded(correlation: Correlation) -> None:
    thermal = correlation.thermal
    try:
        correlation.spectrum(0.0)
        require_integrable(thermal, 1)
        for point in thermal.points:
            if point.regularity <= 0:
                require_transform(thermal, point.position, 0)
    except Divergent as error:
        raise Divergent(
            f"G(w) is unbounded, so that no sum of exponentials comes close to it: {error.reason}"
        ) from None


def _largest(exponentials: Exponentials) -> float:
    """sup |G|, from points that resolve every resonance."""
    nu = np.array(exponentials.nu)
    widths = np.concatenate(([0.0], np.geomspace(1e-3, 1e3, 121)))
    offsets = np.outer(np.real(nu), widths).ravel()
    centres = np.repeat(np.imag(nu), len(widths))
    w = np.concatenate((centres - offsets, centres + offsets, [0.0]))
    return float(np.max(np.abs(half_sided(exponentials, w))))


def _closed_form(correlation: Correlation) -> Exponentials | None:
    """Classical baths: Ĉ = 2T J(w)/w is rational."""
    density = correlation.density
    if correlation.statistics != "classical":
        return None
    temperature = 1 / float(correlation.beta)
    if isinstance(density, DrudeLorentz):
        return Exponentials((2 * density.lam * temperature,), (density.gamma,))
    if isinstance(density, Underdamped):
        return _damped_oscillator(density, temperature)
    return None


def _damped_oscillator(density: Underdamped, temperature: float) -> Exponentials | None:
    """C(t) = (lam^2 T/w0^2) (nu2 e^{-nu1 t} - nu1 e^{-nu2 t})/(nu2 - nu1); nu1 nu2 = w0^2.

    None close to critical damping, where the two amplitudes cancel.
    """
    lam, w0, gamma = float(density.lam), float(density.w0), float(density.gamma)
    discriminant = (gamma / 2 - w0) * (gamma / 2 + w0)
    if abs(discriminant) < 1e-2 * w0**2:
        return None
    root = math.sqrt(abs(discriminant))
    if discriminant < 0:
        nu1, nu2 = complex(gamma / 2, -root), complex(gamma / 2, root)
    else:
        nu2 = complex(gamma / 2 + root)
        nu1 = w0 * (w0 / nu2)
    strength = lam / w0 * (lam / w0) * temperature / (nu2 - nu1)
    return Exponentials((strength * nu2, -strength * nu1), (nu1, nu2))


def _fitted(correlation: Correlation, tolerance: float) -> Representation:
    grid = FrequencyGrid.of(correlation, tolerance)
    goal = tolerance * grid.peak
    best: Representation | None = None
    for level in range(_LEVELS):
        samples = Samples.of(correlation, grid.positive(2.0**level))
        check = Samples.of(correlation, grid.positive(_FINER * 2.0**level, margin=_MARGIN))
        steps = _approximants(samples, goal)
        rates = [Rates.of(step.poles(), samples.w) for step in steps]
        fits = [_pruned(found, samples, goal) for found in rates if found.number > 0]
        if not fits:
            continue
        spectral = [_spectral_deviation(correlation, check, fit) for fit in fits]
        hopeful = [k for k, error in enumerate(spectral) if error <= 2 * goal]
        ratio = 0.0  # of the error of G to that of Ĉ, much the same for all fits to one bath
        for k in hopeful or [int(np.argmin(spectral))]:
            if best is not None and ratio * spectral[k] > 1.2 * tolerance * best.scale:
                continue
            found = _measured(correlation, fits[k], check.w)
            ratio = found.error / max(spectral[k], EPS * goal)
            if best is None or found.error < best.error:
                best = found
            if found.error <= tolerance * found.scale:
                return found
        if min(spectral) <= _RESOLVED * min(step.error for step in steps):
            break  # a finer grid would change nothing
    if best is None:
        raise ArithmeticError("no exponentials were found for a bath that is not zero")
    return best


def _approximants(samples: Samples, goal: float) -> list[Barycentric]:
    """Those that reach the goal on the samples, by number of poles, or those that come closest."""
    w = samples.w
    steps = approximate(
        w * w,
        np.array([samples.even, samples.odd / w]),
        np.array([np.ones_like(w), w]),
        _AHEAD * goal,
        _TERMS,
    )
    steps = tuple(step for step in steps if len(step.nodes) > 1)
    close = [step for step in steps if step.error <= 2 * goal]
    return close or sorted(steps, key=lambda step: step.error)[:_FEW]


def _pruned(rates: Rates, samples: Samples, goal: float) -> Fit:
    """The least-squares fit, without exponentials that contribute nothing."""
    fit = Fit.of(rates, samples)
    dropped = fit.heights() < _NEGLIGIBLE * goal
    smaller = rates.without(dropped)
    return fit if smaller.number in (0, rates.number) else Fit.of(smaller, samples)


def _resonances(rates: Rates) -> _Array:
    """w > 0 where the fit may have peaks of its own."""
    offsets = np.array([-3.0, -1.0, -0.3, 0.0, 0.3, 1.0, 3.0])
    w = (rates.upper.imag + offsets[:, None] * rates.upper.real).ravel()
    return w[w > 0]


def _spectral_deviation(correlation: Correlation, check: Samples, fit: Fit) -> float:
    """Largest |Ĉ - Ĉ_fit| met."""
    peaks = _resonances(fit.rates)
    own = fit.deviation(Samples.of(correlation, peaks)) if len(peaks) else 0.0
    return max(own, fit.deviation(check))


def _measured(correlation: Correlation, fit: Fit, w: _Array) -> Representation:
    exponentials = fit.exponentials()
    w = np.unique(np.concatenate((w, _resonances(fit.rates))))
    w = np.concatenate((-w[::-1], [0.0], w))
    error = _SAFETY * deviation(correlation, exponentials, w)
    return Representation(exponentials, error, float(np.max(np.abs(half_sided(exponentials, w)))))
