"""How far a sum of exponentials is from a correlation function: sup |G(w) - G_fit(w)|.

G(w) = int_0^inf dt e^{iwt} C(t) = Ĉ(w)/2 - (i/2pi) P(w).  Ĉ is cheap and P is not, but
P - P_fit is the principal-value transform of Ĉ - Ĉ_fit: a small function on a fine grid, whose
transform needs few digits.  P itself is asked for at a few points, as an independent check.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.correlation import Correlation
from pertsym.baths.exponentials import Exponentials

_Array = NDArray[np.float64]
_Complex = NDArray[np.complex128]

_LARGEST, _SPREAD = 12, 12  # points where P is computed: of largest error, and evenly placed
_BLOCK = 1_000_000


def half_sided(exponentials: Exponentials, w: _Array) -> _Complex:
    """G(w) = sum_k c_k/(nu_k - iw) for real w."""
    total = np.zeros(np.shape(w), dtype=complex)
    for c, nu in zip(exponentials.c, exponentials.nu, strict=True):
        # nu - iw = re - i (w - im) keeps its digits on a narrow resonance
        total += c / (nu.real - 1j * (w - nu.imag))
    return total


def deviation(correlation: Correlation, exponentials: Exponentials, w: _Array) -> float:
    """Largest |G - G_fit| over a grid that resolves Ĉ - Ĉ_fit.

    Parameters
    ----------
    w : ndarray
        Increasing, of both signs; Ĉ - Ĉ_fit is negligible beyond its ends.

    Notes
    -----
    The larger of |Ĉ - Ĉ_fit|/2 on the grid, |G - G_fit| half-way between its points by the
    transform of the piecewise linear difference, and |G - G_fit| from P itself at 24 of these.
    """
    difference = correlation.spectrum(w).value - 2 * half_sided(exponentials, w).real
    targets = _between(w)
    slopes = np.diff(difference) / np.diff(w)
    there = difference[:-1] + slopes * (targets - w[:-1])
    predicted = np.hypot(there / 2, piecewise_linear_transform(w, difference, targets) / math.tau)
    chosen = targets[_selection(predicted)]
    transform = correlation.transform(chosen)
    exact = correlation.spectrum(chosen).value / 2 - 1j / math.tau * transform.value
    # what P itself is uncertain by says nothing against the fit
    direct = np.abs(exact - half_sided(exponentials, chosen)) - transform.error / math.tau
    return float(max(np.max(np.abs(difference)) / 2, np.max(predicted), np.max(direct)))


def piecewise_linear_transform(w: _Array, values: _Array, targets: _Array) -> _Array:
    """P int dw' f(w')/(w' - target) of a piecewise linear f that is 0 beyond the ends of w.

    Targets must not be points of w.
    """
    low, width = w[:-1], np.diff(w)
    rise = np.diff(values)
    slope = rise / width
    result = np.empty(len(targets))
    step = max(1, _BLOCK // len(w))
    for start in range(0, len(targets), step):
        target = targets[start : start + step, None]
        ratio = width / (low - target)
        # log|1 + ratio|, accurate for the small ratios of far intervals, where it must cancel
        inside = ratio < -1
        logarithm = np.log1p(np.where(inside, -2 - ratio, ratio))
        extended = values[:-1] + slope * (target - low)
        result[start : start + step] = np.sum(extended * logarithm + rise, axis=1)
    return result


def _between(w: _Array) -> _Array:
    """A point inside each interval, half-way on a logarithmic scale where 0 is outside."""
    low, high = w[:-1], w[1:]
    geometric = np.sign(low) * np.sqrt(np.abs(low)) * np.sqrt(np.abs(high))
    return np.asarray(np.where(low * high > 0, geometric, (low + high) / 2))


def _selection(predicted: _Array) -> NDArray[np.intp]:
    """Indices of the largest local maxima, and of points placed evenly."""
    padded = np.concatenate(([-1.0], predicted, [-1.0]))
    maxima = np.flatnonzero((predicted >= padded[:-2]) & (predicted >= padded[2:]))
    largest = maxima[np.argsort(-predicted[maxima], kind="stable")[:_LARGEST]]
    evenly = np.linspace(0, len(predicted) - 1, _SPREAD).astype(np.intp)
    return np.unique(np.concatenate((largest, evenly)))
