"""G(w) of a model's baths where its transitions need it, and the operators that couple to them.

G(w) = int_0^inf dt e^{iwt} C(t) = Ĉ(w)/2 - (i/2pi) P(w), with Ĉ(w > 0) = 2 J(w) [n(w) + 1].
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.correlation import Correlation
from pertsym.baths.existence import singular_positions
from pertsym.baths.jets import EPS
from pertsym.estimate import Estimate
from pertsym.model.bath import Bath
from pertsym.model.values import Matrix as ExactMatrix
from pertsym.model.values import Model

Matrix = NDArray[np.complex128]

_NEAR: Final = 0.1  # of the distance to the nearest singularity: the Gauss rule is then exact
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)


@dataclass(frozen=True)
class HalfSided:
    """G(w) of one bath at real frequencies; every value is computed once."""

    correlation: Correlation
    _known: dict[tuple[str, float, int], Estimate] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    @classmethod
    def of(cls, bath: Bath) -> HalfSided:
        return cls(Correlation(bath.density, bath.statistics, bath.beta))

    def __call__(self, w: float) -> complex:
        """G(w).

        Raises
        ------
        Divergent
            If Ĉ(w) or P(w) does not exist.
        """
        return complex(self._spectrum(w).value / 2, self.shift(w).value)

    def shift(self, w: float, derivative: int = 0) -> Estimate:
        """Im G(w) = -P(w)/2pi, or a derivative of it with respect to w."""
        key = ("transform", w, derivative)
        if key not in self._known:
            value, error = self.correlation.transform(w, derivative)
            self._known[key] = Estimate(-value / (2 * math.pi), error / (2 * math.pi))
        return self._known[key]

    def prepare(self, frequencies: Iterable[float], derivative: int = 0) -> None:
        """Evaluate P (and at derivative 0 also Ĉ) at many frequencies at once, for later use.

        Bulk evaluation is much faster where a closed form exists.  Zero is left alone: values may
        exist there by symmetry that an array of frequencies does not show.
        """
        wanted = {float(w) for w in frequencies if w != 0}
        new = np.array(sorted(w for w in wanted if ("transform", w, derivative) not in self._known))
        if not len(new):
            return
        value, error = self.correlation.transform(new, derivative)
        for w, p, bound in zip(new, value, error, strict=True):
            self._known["transform", float(w), derivative] = Estimate(
                float(-p) / (2 * math.pi), float(bound) / (2 * math.pi)
            )
        if derivative == 0:
            value, error = self.correlation.spectrum(new)
            for w, p, bound in zip(new, value, error, strict=True):
                self._known["spectrum", float(w), 0] = Estimate(float(p), float(bound))

    def shift_slope(self, x: float, y: float) -> Estimate:
        """[Im G(x) - Im G(y)]/(x - y), and the derivative where x = y.

        Close together it is the mean of the derivative between them, so that no digits are lost.
        """
        if x == y:
            return self.shift(x, 1)
        if abs(x - y) < _NEAR * self._analytic_within(min(x, y), max(x, y)):
            middle, half = (x + y) / 2, (x - y) / 2
            value, error = self.correlation.transform(middle + half * _NODES, 1)
            bound = error + EPS * np.abs(value)
            return Estimate(
                float(-_WEIGHTS @ value) / (4 * math.pi), float(_WEIGHTS @ bound) / (4 * math.pi)
            )
        a, b = self.shift(x), self.shift(y)
        lost = EPS * (abs(a.value) + abs(b.value))
        return Estimate((a.value - b.value) / (x - y), (a.error + b.error + lost) / abs(x - y))

    def _spectrum(self, w: float) -> Estimate:
        key = ("spectrum", w, 0)
        if key not in self._known:
            self._known[key] = self.correlation.spectrum(w)
        return self._known[key]

    def _analytic_within(self, low: float, high: float) -> float:
        """A distance from [low, high] within which G is analytic; 0 if it is not even there."""
        gaps = [max(low - w, w - high, 0.0) for w in self._singular]
        return min([self._reach, *gaps])

    @cached_property
    def _singular(self) -> tuple[float, ...]:
        return singular_positions(self.correlation.thermal)

    @cached_property
    def _reach(self) -> float:
        return min(point.reach for point in self.correlation.thermal.points)


@dataclass(frozen=True)
class Channel:
    """All couplings to one bath: S = sum of their operators, and the bath's G.

    Attributes
    ----------
    name
        Of the bath.
    operator
        Hermitian, shape (N, N), strengths multiplied in.
    transform
        G(w).
    """

    name: str
    operator: Matrix
    transform: HalfSided


def channels(model: Model) -> tuple[Channel, ...]:
    """The independent baths of a model with their total coupling operators."""
    operators = model.bath_operators
    return tuple(
        Channel(bath.name, _array(operators[bath.name]), HalfSided.of(bath))
        for bath in model.used_baths
    )


def transitions(operator: Matrix, energies: Sequence[float]) -> Iterator[float]:
    """E_n - E_m wherever the Hermitian operator has an element: both signs of each."""
    for n, m in zip(*np.nonzero(operator), strict=True):
        yield energies[n] - energies[m]


def _array(matrix: ExactMatrix) -> Matrix:
    return np.array([[complex(entry) for entry in row] for row in matrix])
