"""C(-i tau) of a thermal bath as a sum of exponentials, by quadrature over its spectrum.

C(-i tau) = (1/2pi) int dw Ĉ(w) e^{-w tau} and Ĉ(-w) = e^{-beta w} Ĉ(w) give, for 0 < tau < beta,

    C(-i tau) = (1/2pi) int_0^inf dw Ĉ(w) [e^{-w tau} + e^{-w (beta - tau)}],

so every node of a rule on w > 0 is an oscillator.  Ĉ(w > 0) = 2 J(w) [n(w) + 1].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.correlation import Correlation
from pertsym.baths.existence import require_integrable
from pertsym.baths.gauss_kronrod import gauss_kronrod
from pertsym.baths.integrand import Kernel
from pertsym.baths.mesh import build_mesh
from pertsym.baths.thermal_spectrum import ThermalSpectrum
from pertsym.dynamics.log_chebyshev import LogChebyshev
from pertsym.model.errors import InputError

_Array = NDArray[np.float64]

_GOAL: Final = 1e-13  # of each trial integral, that one panel may miss
_MAX_DEPTH: Final = 30
_FAR: Final = 1e18  # in units of 1/beta: what is beyond acts for a time of no weight
_NO_TIME: Final = 1e-17  # e^{-x} = 1 from here down
_TRIAL_TIMES: Final = (1e-4, 1e-2, 0.1, 0.5)  # of beta


@dataclass(frozen=True)
class ImaginaryTimeModes:
    """C(-i tau) = sum_k c_k [e^{-w_k tau} + e^{-w_k (beta - tau)}], 0 < tau < beta.

    Attributes
    ----------
    beta
        Inverse temperature, finite.
    frequencies, weights
        w_k > 0 and c_k >= 0 (energy squared).
    error
        Relative error of int_0^beta dtau C(-i tau).
    """

    beta: float
    frequencies: tuple[float, ...]
    weights: tuple[float, ...]
    error: float = 0.0

    @classmethod
    def oscillators(
        cls, beta: float, frequencies: Sequence[float], strengths: Sequence[float]
    ) -> ImaginaryTimeModes:
        """B = sum_k g_k (b_k + b_k^+) exactly, i.e. J(w) = pi sum_k g_k^2 delta(w - w_k)."""
        w = np.asarray(frequencies, dtype=float)
        weights = np.asarray(strengths, dtype=float) ** 2 / -np.expm1(-beta * w)
        return cls(beta, tuple(map(float, w)), tuple(map(float, weights)))

    def at(self, tau: _Array, remaining: _Array) -> _Array:
        """C(-i tau), given tau and remaining = beta - tau, each to full relative accuracy."""
        if not self.weights:
            return np.zeros_like(tau)
        return self._half(tau) + self._half(remaining)

    @cached_property
    def _half(self) -> LogChebyshev:
        """sum_k c_k e^{-w_k x}, which is asked for at very many x."""
        w, c = np.array(self.frequencies), np.array(self.weights)
        low = min(_NO_TIME / float(w.max()), _NO_TIME * self.beta)  # constant below
        return LogChebyshev.of(lambda x: np.exp(-x[:, None] * w) @ c, low, self.beta)


def modes_of(correlation: Correlation, beta: float) -> ImaginaryTimeModes:
    """Gauss rules on panels that resolve Ĉ(w), refined until the trial integrals settle.

    Raises
    ------
    Divergent
        If int dtau C(-i tau) does not exist.
    """
    spectrum = correlation.thermal
    if spectrum.is_zero:
        return ImaginaryTimeModes(beta, (), ())
    require_integrable(spectrum, 1)
    frequencies, weights = _core(spectrum)
    missed = 0.0
    low, high = _panels(spectrum, _FAR / beta)
    rule = gauss_kronrod()
    gauss = rule.gauss_weights > 0
    totals = np.zeros(len(_TRIAL_TIMES) + 1)
    for depth in range(_MAX_DEPTH):
        length = (high - low)[:, None]
        w = low[:, None] + length * rule.nodes
        c = length * _spectrum_at(spectrum, w) / (2 * math.pi)
        if not np.all(np.isfinite(c)):
            raise InputError(
                "model",
                "spectral_density",
                "Ĉ(w) has no finite value in double precision at some w > 0",
                "rescale the energy unit so that w, J and T are of similar size",
            )
        trials = np.stack([c / (w + 1 / beta), *(c * np.exp(-w * beta * t) for t in _TRIAL_TIMES)])
        fine, coarse = trials @ rule.weights, trials @ rule.gauss_weights
        gap = np.abs(fine - coarse)
        scale = totals + np.abs(fine).sum(axis=1)
        rough = np.any(gap > _GOAL * scale[:, None], axis=0) & (depth < _MAX_DEPTH - 1)
        keep = ~rough
        totals += fine[:, keep].sum(axis=1)
        missed += float(gap[0, keep].sum())
        frequencies.append(w[keep][:, gauss].reshape(-1))
        weights.append((c * rule.gauss_weights)[keep][:, gauss].reshape(-1))
        if not np.any(rough):
            break
        middle = (low[rough] + high[rough]) / 2
        low, high = np.concatenate((low[rough], middle)), np.concatenate((middle, high[rough]))
    every, every_weight = np.concatenate(frequencies), np.concatenate(weights)
    total = float(np.sum(every_weight / (every + 1 / beta)))
    missed += _beyond(spectrum, _FAR / beta)
    used = every_weight > 0
    return ImaginaryTimeModes(
        beta,
        tuple(map(float, every[used])),
        tuple(map(float, every_weight[used])),
        missed / total if total > 0 else 0.0,
    )


def _panels(spectrum: ThermalSpectrum, far: float) -> tuple[_Array, _Array]:
    """The panels of the spectrum's own mesh on w > 0, cut at `far`."""
    panels = build_mesh(spectrum, Kernel(())).panels
    low, high = panels.anchor + panels.low, panels.anchor + panels.high
    chosen = (low >= 0) & (high > low) & (low < far)
    return low[chosen], np.minimum(high[chosen], far)


def _core(spectrum: ThermalSpectrum) -> tuple[list[_Array], list[_Array]]:
    """What the mesh leaves to power laws near branch points on w >= 0, as one node each."""
    frequencies: list[_Array] = []
    weights: list[_Array] = []
    for core in build_mesh(spectrum, Kernel(())).cores:
        w = core.anchor + core.offset
        if w > 0:
            value = float(_spectrum_at(spectrum, np.array([w]))[0])
            weight = value * abs(core.offset) / (core.power + 1) / (2 * math.pi)
            frequencies.append(np.array([w]))
            weights.append(np.array([weight]))
    return frequencies, weights


def _beyond(spectrum: ThermalSpectrum, far: float) -> float:
    """(1/2pi) int dw Ĉ(w)/w over w > far by the power law of the tail."""
    power = spectrum.tails[1]
    if math.isinf(power) or far >= spectrum.extent[1]:
        return 0.0
    return float(_spectrum_at(spectrum, np.array([far]))[0]) / (-power * 2 * math.pi)


def _spectrum_at(spectrum: ThermalSpectrum, w: _Array) -> _Array:
    value, _ = spectrum.jet(np.zeros_like(w), w, 0).derivative(0)
    return np.asarray(value, dtype=float)
