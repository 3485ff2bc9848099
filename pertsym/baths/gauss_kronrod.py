"""The nested Gauss-Kronrod pair of 15 and 31 points on [0, 1], from its recurrence.

The Kronrod extension is built by Laurie's algorithm (Math. Comp. 66 (1997) 1133) from the
recurrence coefficients of the Legendre polynomials, so no table of nodes is needed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pertsym.read_only import read_only

_Array = NDArray[np.float64]
_Long = NDArray[np.longdouble]


class Pair(NamedTuple):
    """Nodes in (0, 1), ascending, with the weights of both rules (0 off the Gauss nodes)."""

    nodes: _Array
    weights: _Array
    gauss_weights: _Array


@lru_cache(maxsize=4)
def gauss_kronrod(points: int = 15) -> Pair:
    """The Gauss rule of so many (an odd number of) points and its Kronrod extension."""
    b = _kronrod_recurrence(points)
    off_diagonal = np.sqrt(b[1:].astype(float))
    x = np.linalg.eigvalsh(np.diag(off_diagonal, 1) + np.diag(off_diagonal, -1))
    x, weights = _polished(((x - x[::-1]) / 2).astype(np.longdouble), b)
    gauss_weights: _Array = np.zeros(2 * points + 1)
    gauss_weights[1::2] = np.asarray(np.polynomial.legendre.leggauss(points)[1]) / 2
    return Pair(
        read_only(((1 + x) / 2).astype(float)),
        read_only((weights / 2).astype(float)),
        read_only(gauss_weights),
    )


def _polished(x: _Long, b: _Long) -> tuple[_Long, _Long]:
    """Newton steps on the orthogonal polynomial of highest degree, then its Christoffel weights."""
    for _ in range(3):
        before, value, slope_before, slope = np.zeros_like(x), np.ones_like(x), 0 * x, 0 * x
        for k in range(len(b)):
            step = b[k] if k else np.longdouble(0)
            value, before, slope, slope_before = (
                x * value - step * before,
                value,
                value + x * slope - step * slope_before,
                slope,
            )
        x, weights = x - value / slope, np.prod(b) / (slope * before)
    return x, weights


def _kronrod_recurrence(n: int) -> _Long:
    """Coefficients b of the Jacobi-Kronrod matrix of order 2n + 1; its diagonal is 0."""
    k = np.arange(1, (3 * n + 1) // 2 + 1).astype(np.longdouble)
    b = np.zeros(2 * n + 1, dtype=np.longdouble)
    b[0], b[1 : len(k) + 1] = 2, k**2 / (4 * k**2 - 1)
    s, t = np.zeros((2, n // 2 + 2), dtype=np.longdouble)
    t[1] = b[n + 1]
    for m in range(n - 1):
        total = np.longdouble(0)
        for i in range((m + 1) // 2, -1, -1):
            total += b[i + n + 1] * s[i] - b[m - i] * s[i + 1]
            s[i + 1] = total
        s, t = t, s
    s[1 : n // 2 + 2] = s[0 : n // 2 + 1].copy()
    for m in range(n - 1, 2 * n - 2):
        total, j = np.longdouble(0), 0
        for i in range(m + 1 - n, (m - 1) // 2 + 1):
            j = n - 1 - (m - i)
            total += -b[i + n + 1] * s[j + 1] + b[m - i] * s[j + 2]
            s[j + 1] = total
        if m % 2 == 1:
            i = (m + 1) // 2
            b[i + n + 1] = s[j + 1] / s[j + 2]
        s, t = t, s
    return b
