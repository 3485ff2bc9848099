"""The Bose factor w/(1 - e^(-beta w)), with derivatives, at any temperature and any sign of w."""

from __future__ import annotations

import math
from typing import Any, Final

import mpmath
import numpy as np
from numpy.typing import NDArray

from pertsym.baths.jets import EPS, Jet

_SMALL: Final = 1.5  # |beta w| below which the Bernoulli series is used; its radius is 2 pi
_TERMS: Final = 36  # (1.5/2pi)^36 = 4e-23


def _series_coefficients() -> NDArray[np.float64]:
    """Taylor coefficients of b(x) = x/(1 - e^-x) = 1 + x/2 + sum_k B_2k x^2k/(2k)!."""
    # mpmath's numbers are right to rounding, scipy's are not; its B_1 is -1/2
    numbers = [abs(mpmath.bernoulli(k)) if k == 1 else mpmath.bernoulli(k) for k in range(_TERMS)]
    return np.array([float(b / mpmath.factorial(k)) for k, b in enumerate(numbers)])


_SERIES: Final = _series_coefficients()


def bose_factor(w: NDArray[np.float64], beta: Any, order: int, uncertainty: Any = 0.0) -> Jet:
    """The jet of h(w) = w/(1 - e^(-beta w)) in double precision.

    Parameters
    ----------
    w : ndarray
        Frequencies of either sign; h(0) = 1/beta.
    beta : float or ndarray
        Inverse temperature, finite and > 0.
    order : int
        Highest Taylor coefficient.
    uncertainty : float or ndarray
        How far the stored w may be from the meant one.
    """
    top = order + 1  # one more coefficient to propagate the uncertainty of w
    w, beta = np.broadcast_arrays(np.asarray(w, dtype=float), np.asarray(beta, dtype=float))
    with np.errstate(all="ignore"):
        small = np.abs(w) * beta <= _SMALL
        if np.all(small):
            c, e = _near(w, beta, top)
        elif not np.any(small):
            c, e = _far(w, beta, top)
        else:
            c, e = np.empty((2, top + 1, *w.shape))
            c[:, small], e[:, small] = _near(w[small], beta[small], top)
            c[:, ~small], e[:, ~small] = _far(w[~small], beta[~small], top)
        steps = np.arange(1, top + 1).reshape(-1, *([1] * w.ndim))
        moved = np.where(np.asarray(uncertainty) > 0, steps * np.abs(c[1:]) * uncertainty, 0.0)
    return Jet(tuple(c[:top]), tuple(e[:top] + moved))


def _near(w: Any, beta: Any, top: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    x = beta * w
    c, e = [], []
    for k in range(top + 1):
        binomials = np.array([math.comb(n, k) for n in range(k, _TERMS)])
        value = np.polynomial.polynomial.polyval(x, binomials * _SERIES[k:])
        size = np.polynomial.polynomial.polyval(np.abs(x), np.abs(binomials * _SERIES[k:]))
        scale = beta ** (k - 1.0)
        c.append(value * scale)
        e.append((k + 4) * EPS * size * scale)
    return np.array(c), np.array(e)


def _far(w: Any, beta: Any, top: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    y = np.abs(w)
    n = _occupation(y, beta)
    # Taylor coefficients of n(y): n' = -beta n (n + 1), all terms of one sign
    occupation = [n]
    for k in range(top):
        pairs = sum(occupation[i] * occupation[k - i] for i in range(k + 1))
        occupation.append(np.where(n > 0, -beta * (occupation[k] + pairs) / (k + 1), 0.0))
    positive = w > 0
    c, e = [], []
    for k in range(top + 1):
        # y (1 + n) for w > 0, y n for w < 0; in powers of w = +-y
        direct, lowered = y * occupation[k], occupation[k - 1] if k else np.zeros_like(y)
        value = direct + lowered
        ones = y if k == 0 else np.ones_like(y) if k == 1 else np.zeros_like(y)
        value = np.where(positive, value + ones, value if k % 2 == 0 else -value)
        size = np.abs(direct) + np.abs(lowered) + np.where(positive, ones, 0.0)
        c.append(value)
        e.append((3 * k + 5) * EPS * size)
    return np.array(c), np.array(e)


def _occupation(y: Any, beta: Any) -> Any:
    """1/(e^(beta y) - 1) to a few units in the last place even where beta y is large."""
    x = beta * y
    n = -np.exp(-x) / np.expm1(-x)
    low = _product_tail(beta, y, x)
    return np.where(n > 0, n * (1 - (1 + n) * low), 0.0)


def _product_tail(a: Any, b: Any, product: Any) -> Any:
    """a b - fl(a b), exactly, by Dekker's splitting; 0 where the splitting would overflow."""
    usable = (np.abs(a) < 1e150) & (np.abs(b) < 1e150) & (np.abs(product) > 1e-250)
    usable &= (np.abs(a) > 1e-140) & (np.abs(b) > 1e-140)
    a, b = np.where(usable, a, 0.0), np.where(usable, b, 0.0)
    a_high, b_high = _high_part(a), _high_part(b)
    a_low, b_low = a - a_high, b - b_high
    tail = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return np.where(usable, tail, 0.0)


def _high_part(a: Any) -> Any:
    split = 134217729.0 * a
    return split - (split - a)
