"""C(-i tau) of a thermal bath as a sum of exponentials, by quadrature over its spectrum.

C(-i tau) = (1/2pi) int dw Ĉ(w) e^{-w tau} and Ĉ(-w) = e^{-beta w} Ĉ(w) give, for 0 < tau < beta,

    C(-i tau) = (1/2pi) int_0^inf dw Ĉ(w) [e^{-w tau} + e^{-w (beta - tau)}],

so every node of a rule on w > 0 is an oscillator.  Ĉ(w > 0) = 2 J(w) [n(w) + 1].  At T = 0 the
second term is absent, and what is asked for are integrals over denominators w + E, E >= 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from pertsym.baths.correlation import Correlation
from pertsym.baths.existence import require_integrable
from pertsym.baths.piecewise_sampling import Panels, depth, finest, graded, merged, placed, resolve
from pertsym.baths.thermal_spectrum import SMOOTH, Point, ThermalSpectrum
from pertsym.model.errors import InputError

_DEGREE: Final = 24
_WIDTH: Final = 1.2  # of a panel in log x: e^{-x} is bounded for |Im log x| < pi/2, so 1e-16


_Array = NDArray[np.float64]

_FAR: Final = 1e18  # in units of 1/beta: what is beyond acts for a time of no weight
_FROZEN_DIGITS: Final = (
    15.0  # of int J/w, at T = 0: pairs of nodes cost time, what is left is known
)
_NO_TIME: Final = 1e-17  # e^{-x} = 1 from here down
_POINTS: Final = 40  # of the Gauss rule on a panel
_TRIAL_TIMES: Final = (1e-4, 1e-2, 0.1, 0.5)  # of beta


@dataclass(frozen=True)
class ImaginaryTimeModes:
    """C(-i tau) = sum_k c_k [e^{-w_k tau} + e^{-w_k (beta - tau)}], 0 < tau < beta.

    Attributes
    ----------
    beta
        Inverse temperature; inf at T = 0, where `at` has no meaning.
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

    def _half(self, x: _Array) -> _Array:
        """sum_k c_k e^{-w_k x} by its series."""
        start, width, series = self._series
        y = np.maximum((np.log(x) - start) / width, 0.0)
        panel = np.minimum(y.astype(int), series.shape[1] - 1)
        value: _Array = chebyshev.chebval(2 * (y - panel) - 1, series[:, panel], tensor=False)
        return value

    @cached_property
    def _series(self) -> tuple[float, float, _Array]:
        """Chebyshev series in log x on equal panels, because very many x are asked for."""
        w, c = np.array(self.frequencies), np.array(self.weights)
        start = math.log(min(_NO_TIME / float(w.max()), _NO_TIME * self.beta))  # constant below
        span = math.log(self.beta) - start
        count = max(1, math.ceil(span / _WIDTH))
        nodes = chebyshev.chebpts1(_DEGREE + 1)
        y = start + (np.arange(count)[:, None] + (1 + nodes) / 2) * span / count
        values = np.exp(-np.exp(y)[..., None] * w) @ c
        series = np.linalg.solve(chebyshev.chebvander(nodes, _DEGREE), values.T)
        return start, span / count, series


def modes_of(
    correlation: Correlation, beta: float, energy: float = 1.0, points: int = _POINTS
) -> ImaginaryTimeModes:
    """Gauss rules on panels on which Ĉ(w) and trial integrals of it are polynomials.

    Parameters
    ----------
    energy
        At T = 0: what stands for 1/beta, the smallest E > 0 of the denominators.
    points
        Of the rule on each panel.

    Raises
    ------
    Divergent
        If int dtau C(-i tau) does not exist.
    """
    spectrum = correlation.thermal
    if spectrum.is_zero:
        return ImaginaryTimeModes(beta, (), ())
    require_integrable(spectrum, 1)
    frozen = math.isinf(beta)
    soft = energy if frozen else 1 / beta
    far = min(_FAR * max(soft, spectrum.scale if frozen else soft), spectrum.extent[1])
    marks = [p for p in merged(spectrum.points) if 0 <= p.position < far]
    if not marks or marks[0].position > 0:
        marks.insert(0, Point(0.0, spectrum.scale, 0.0, SMOOTH, spectrum.scale))
    near = finest(marks, min(spectrum.scale, soft))
    marks = [p._replace(width=min(p.width, soft)) for p in marks]
    if frozen:
        depths = [depth(p, near, 1, _FROZEN_DIGITS) for p in marks]
    else:
        depths = [depth(p, near) for p in marks]
    limits = (0.0, far)
    panels = graded(marks, limits, min(spectrum.scale, soft), depths)
    anchors = np.array([p.position for p in marks])

    def spectrum_at(cell: NDArray[np.intp], offset: _Array) -> tuple[_Array, _Array]:
        at = np.broadcast_to(anchors[cell][:, None], offset.shape)
        value, error = spectrum.jet(at, offset, 0).derivative(0)
        if not np.all(np.isfinite(value)):
            raise InputError(
                "model",
                "spectral_density",
                "Ĉ(w) has no finite value in double precision at some w > 0",
                "rescale the energy unit so that w, J and T are of similar size",
            )
        return value, error

    def trials(panels: Panels, t: _Array) -> tuple[_Array, _Array]:
        offset = placed(panels, t)
        value, error = spectrum_at(panels.cell, offset)
        w = anchors[panels.cell][:, None] + offset
        if frozen:
            kernels = np.stack(
                [1 / (w + shift) for shift in (soft, 0.0, spectrum.scale, 1e-3 * soft)]
            )
        else:
            kernels = np.stack([1 / (w + soft), *(np.exp(-w * beta * t) for t in _TRIAL_TIMES)])
        return kernels * value, kernels * error

    resolved = resolve(
        trials, panels, lambda x: np.broadcast_to(x.high - x.low, (5 - frozen, len(x.low)))
    )
    (cell, low, high), _, errors = resolved
    nodes, share = np.polynomial.legendre.leggauss(points)
    offset = placed(resolved.panels, nodes)
    weights = (high - low)[:, None] / 2 * share * spectrum_at(cell, offset)[0]
    every, every_weight = (anchors[cell][:, None] + offset).ravel(), weights.ravel() / math.tau
    missed = float(np.max(errors[: 1 + frozen] @ (high - low))) / math.tau
    start = marks[0]
    if start.width == 0 and start.power < 0:  # what a power law leaves next to w = 0, as one node
        reach = np.array([[min(depths[0], far)]])
        weight = float(spectrum_at(np.zeros(1, dtype=np.intp), reach)[0][0, 0] * reach[0, 0])
        every = np.append(every, reach)
        every_weight = np.append(every_weight, weight / (start.power + 1) / math.tau)
    total = float(np.sum(every_weight / (every + soft)))
    missed += _beyond(spectrum, far)
    if frozen and start.power > 0:  # int J/w below the first panel
        value = spectrum_at(np.zeros(1, dtype=np.intp), np.array([[depths[0]]]))[0][0, 0]
        missed += float(value) / start.power / math.tau
    used = every_weight > 0
    return ImaginaryTimeModes(
        beta,
        tuple(map(float, every[used])),
        tuple(map(float, every_weight[used])),
        missed / total if total > 0 else 0.0,
    )


def _beyond(spectrum: ThermalSpectrum, far: float) -> float:
    """(1/2pi) int dw Ĉ(w)/w over w > far by the power law of the tail."""
    power = spectrum.tails[1]
    if math.isinf(power) or far >= spectrum.extent[1]:
        return 0.0
    value, _ = spectrum.jet_at(np.array([far]), 0).derivative(0)
    return float(value[0]) / (-power * math.tau)
