"""Exponentials from samples of G on the real line, where nothing is known off it.

With C(t) = S(t) + i A(t), S and A real, the even and odd parts of G_S and G_A are functions of
x = w^2; they are approximated by rational functions of x with common poles x_k, and
nu_k = sqrt(-x_k): real, or in pairs nu, nu*.  Amplitudes follow by linear least squares.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from pertsym.baths.balanced_truncation import Complex, Modes, Real, fitted
from pertsym.baths.correlation import Correlation
from pertsym.baths.frequency_grid import FrequencyGrid
from pertsym.baths.symmetric_rational import approximate

_SAFETY = 1.25  # for what lies between the points where the error was measured
_TERMS = 100
_AHEAD = 0.1  # approximants are made up to this fraction of the goal, to choose among
_FIRST = 0.3  # of the tolerance, for a fit that is then cut down
_LEVELS = 3  # densities of the grid, each twice the one before
_DENSITY = 0.7
_MARGIN = 30.0
_ON_LINE = 1e-7  # relative imaginary part below which x < 0 is taken as real
_UNRESOLVED = 0.1  # a resonance narrower than this fraction of the grid's spacing is not there
_RESOLVED = 5.0  # an error between samples that is larger by this calls for a finer grid
_FEW = 8  # fits to choose from where none reaches the goal


class Samples(NamedTuple):
    """G_S and G_A at w > 0, with the error of G = G_S +- i G_A and the weight of deviations."""

    w: Real
    even: Complex
    odd: Complex
    error: Real
    weight: Real

    @classmethod
    def of(cls, correlation: Correlation, w: Real, band: float) -> Samples:
        both = np.concatenate((w, -w))
        spectrum, transform = correlation.spectrum(both), correlation.transform(both)
        g = spectrum.value / 2 - 0.5j / math.pi * transform.value
        error = np.asarray(spectrum.error / 2 + transform.error / math.tau)
        right, left = g[: len(w)], g[len(w) :].conj()
        worst = np.maximum(error[: len(w)], error[len(w) :])
        weight = np.minimum(1.0, (band / w) ** 2)
        return cls(w, (right + left) / 2, (right - left) / 2j, worst, weight)

    @property
    def peak(self) -> float:
        return float(_larger(self.even, self.odd, self.weight).max())

    def deviation(self, modes: Modes) -> float:
        """Largest weighted |G - G_fit|, with the error of the samples."""
        even, odd = modes.half_sided(self.w)
        away = _larger(even - self.even, odd - self.odd, self.weight)
        return float((away + self.weight * self.error).max())


def _larger(even: Complex, odd: Complex, weight: Real) -> Real:
    both = np.maximum(np.abs(even + 1j * odd), np.abs(even - 1j * odd))
    return np.asarray(weight * both)


def sampled(correlation: Correlation, tolerance: float, band: float) -> tuple[Modes, float]:
    """A sum of exponentials, and its error as measured between the samples.

    Raises
    ------
    ArithmeticError
        If nothing was found.
    """
    grid = FrequencyGrid.of(correlation, tolerance)
    best: tuple[Modes, float] | None = None
    for level in range(_LEVELS):
        w = grid.positive(_DENSITY * 2.0**level, margin=_MARGIN)
        samples = Samples.of(correlation, w, band)
        check = Samples.of(correlation, np.sqrt(w[1:] * w[:-1]), band)
        goal = _FIRST * tolerance * samples.peak
        steps = _approximants(samples, goal)
        for _, poles in steps:
            rates = _rates(poles, w)
            if not len(rates):
                continue
            modes = fitted(rates, w, samples.even, samples.odd, samples.weight)
            error = _SAFETY * max(samples.deviation(modes), check.deviation(modes))
            if best is None or error < best[1]:
                best = modes, error
            if error <= goal:
                return modes, error
        if best is not None and best[1] <= _RESOLVED * min(e for e, _ in steps):
            break  # a finer grid would change nothing
    if best is None:
        raise ArithmeticError("no exponentials were found for a bath that is not zero")
    return best


def _approximants(samples: Samples, goal: float) -> list[tuple[float, Complex]]:
    """Errors and poles of those that reach the goal on the samples, or that come closest."""
    w, weight = samples.w, samples.weight
    steps = approximate(
        w * w,
        np.array([f for g in (samples.even, samples.odd) for f in (g.real, g.imag / w)]),
        np.array([weight, weight * w] * 2),
        _AHEAD * goal,
        _TERMS,
    )
    steps = tuple(step for step in steps if len(step.nodes) > 1)
    close = [step for step in steps if step.error <= 2 * goal]
    chosen = close or sorted(steps, key=lambda step: step.error)[:_FEW]
    return [(step.error, step.poles()) for step in chosen]


def _rates(poles: Complex, w: Real) -> Complex:
    """nu with Im nu >= 0, from poles in x = w^2 of a fit to samples at w.

    A pole on x > 0 is a resonance without width, an artefact; so is one that is much narrower
    than the distance of the samples.
    """
    on_line = (np.abs(poles.imag) <= _ON_LINE * np.abs(poles)) & (poles.real < 0)
    real = np.sqrt(-poles[on_line].real)
    upper = np.sqrt(-poles[~on_line])
    upper = upper[upper.imag > 0]
    after = np.clip(np.searchsorted(w, upper.imag), 1, len(w) - 1)
    upper = upper[upper.real > _UNRESOLVED * (w[after] - w[after - 1])]
    return np.concatenate((np.sort(real).astype(complex), upper[np.argsort(np.abs(upper))]))
