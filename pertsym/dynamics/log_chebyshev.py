"""Interpolation of a function that is smooth in the logarithm of its argument."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float64]

_DEGREE: Final = 24
_WIDTH: Final = 1.2  # of a panel in log x: e^{-x} is bounded for |Im log x| < pi/2, so 1e-16


@dataclass(frozen=True)
class LogChebyshev:
    """Chebyshev series in log x on equal panels between two positive arguments.

    Arguments below the range take the value at its lower end.
    """

    low: float
    width: float
    coefficients: _Array

    @classmethod
    def of(cls, function: Callable[[_Array], _Array], low: float, high: float) -> LogChebyshev:
        """Sample a function of positive arguments (vectorised)."""
        span = math.log(high / low)
        count = max(1, math.ceil(span / _WIDTH))
        nodes = np.polynomial.chebyshev.chebpts1(_DEGREE + 1)
        y = math.log(low) + (np.arange(count)[:, None] + (1 + nodes) / 2) * span / count
        values = function(np.exp(y).reshape(-1)).reshape(count, -1)
        to_series = np.polynomial.chebyshev.chebvander(nodes, _DEGREE).T * 2 / (_DEGREE + 1)
        to_series[0] /= 2
        return cls(math.log(low), span / count, values @ to_series.T)

    def __call__(self, x: _Array) -> _Array:
        """The function at 0 < x <= high, by Clenshaw's recurrence."""
        y = np.maximum((np.log(x) - self.low) / self.width, 0.0)
        panel = np.minimum(y.astype(int), len(self.coefficients) - 1)
        t = 2 * (y - panel) - 1
        columns = np.ascontiguousarray(self.coefficients.T)
        before, value = np.zeros_like(t), np.zeros_like(t)
        for column in columns[:0:-1]:
            before, value = value, 2 * t * value - before + column[panel]
        result: _Array = t * value - before + columns[0][panel]
        return result
