"""G(w) of a model's baths where its transitions need it, and the operators that couple to them.

G(w) = int_0^inf dt e^{iwt} C(t) = Ĉ(w)/2 - (i/2pi) P(w), with Ĉ(w > 0) = 2 J(w) [n(w) + 1].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.correlation import Correlation
from pertsym.baths.existence import singular_positions
from pertsym.baths.jets import EPS
from pertsym.estimate import Estimate
from pertsym.generators.representation import correlations_of
from pertsym.generators.system import System
from pertsym.model.values import Model

Matrix = NDArray[np.complex128]
Real = NDArray[np.float64]

_NEAR: Final = 0.1  # of the distance to the nearest singularity: the Gauss rule is then exact
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)


@dataclass(frozen=True)
class HalfSided:
    """G(w) of one bath at real frequencies."""

    correlation: Correlation

    def __call__(self, w: float) -> complex:
        """G(w).

        Raises
        ------
        Divergent
            If Ĉ(w) or P(w) does not exist.
        """
        return complex(self.correlation.spectrum(w).value / 2, self.shift(w).value)

    def shift(self, w: Any, derivative: int = 0) -> Estimate:
        """Im G(w) = -P(w)/2pi, or a derivative of it with respect to w."""
        value, error = self.correlation.transform(w, derivative)
        return Estimate(-value / math.tau, error / math.tau)

    def shift_slope(self, x: float, y: float) -> Estimate:
        """[Im G(x) - Im G(y)]/(x - y), and the derivative where x = y.

        Close together it is the mean of the derivative between them, so that no digits are lost.
        """
        if x == y:
            return self.shift(x, 1)
        if abs(x - y) < _NEAR * self._analytic_within(min(x, y), max(x, y)):
            value, error = self.shift((x + y) / 2 + (x - y) / 2 * _NODES, 1)
            lost = error + EPS * np.abs(value)
            return Estimate(float(_WEIGHTS @ value) / 2, float(_WEIGHTS @ lost) / 2)
        a, b = self.shift(x), self.shift(y)
        lost = a.error + b.error + EPS * (abs(a.value) + abs(b.value))
        return Estimate((a.value - b.value) / (x - y), lost / abs(x - y))

    def _analytic_within(self, low: float, high: float) -> float:
        """A distance from [low, high] within which G is analytic; 0 if it is not even there."""
        gaps = [max(low - w, w - high, 0.0) for w in self._singular]
        return min([*(point.reach for point in self.correlation.thermal.points), *gaps])

    @cached_property
    def _singular(self) -> tuple[float, ...]:
        return singular_positions(self.correlation.thermal)


@dataclass(frozen=True)
class Channel:
    """All couplings to one bath: S = sum of their operators, and the bath's G.

    Attributes
    ----------
    operator
        Hermitian, shape (N, N), strengths multiplied in.
    transform
        G(w).
    """

    operator: Matrix
    transform: HalfSided


def channels(model: Model) -> tuple[Channel, ...]:
    """The independent baths of a model with their total coupling operators."""
    operators = System.of(model).operators
    correlations = correlations_of(model).items()
    return tuple(Channel(operators[name], HalfSided(found)) for name, found in correlations)


def at_elements(function: Callable[..., Any], gaps: Real, where: NDArray[Any], *rest: int) -> Any:
    """A function of E_n - E_m, asked only where a matrix has an element; 0 elsewhere."""
    result = np.zeros(gaps.shape, dtype=np.complex128)
    for n, m in zip(*np.nonzero(where), strict=True):
        found = function(float(gaps[n, m]), *rest)
        result[n, m] = found.value if isinstance(found, Estimate) else found
    return result
