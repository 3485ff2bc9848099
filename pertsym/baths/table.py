"""A spectral density given by samples."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from pertsym.baths import jets
from pertsym.baths.checks import require
from pertsym.baths.jets import Jet


@dataclass(frozen=True)
class Table:
    """J(w) through samples, with Ĉ(w > 0) = 2 J(w) [n(w) + 1].

    Between samples J is SciPy's PCHIP: cubic pieces, continuous slope, no overshoot.  Below the
    first sample J is the straight line from J(0) = 0; beyond the last sample J = 0.

    Parameters
    ----------
    w : sequence of float
        At least two frequencies, strictly increasing, >= 0.
    J : sequence of float
        As many values >= 0; 0 at w = 0.

    Raises
    ------
    ValueError
        If a list is out of range; the message starts with its name.
    """

    w: tuple[float, ...]
    J: tuple[float, ...]

    def __post_init__(self) -> None:
        for field in ("w", "J"):
            object.__setattr__(self, field, _float_tuple(field, getattr(self, field)))
        w, values = np.array(self.w), np.array(self.J)
        require(len(w) >= 2, "w", "a list of at least two frequencies", self.w, "add samples")
        require(len(w) == len(values), "J", "as many as w", len(values), "pair every w with a J")
        require(w[0] >= 0, "w", ">= 0", self.w[0], "J is only given for positive w")
        require(np.diff(w) > 0, "w", "strictly increasing", self.w, "sort it, drop repeated w")
        require(values >= 0, "J", ">= 0", min(self.J), "a spectral density is not negative")
        if w[0] == 0:
            require(values[0] == 0, "J", "0 at w = 0", self.J[0], "J is an odd function of w")

    @cached_property
    def _pieces(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Left ends (ascending from 0, then the last sample) and ascending coefficients."""
        w, values = np.array(self.w), np.array(self.J)
        cubic = np.asarray(PchipInterpolator(w, values).c, dtype=float)[::-1].T
        if w[0] > 0:
            line = np.array([[0.0, values[0] / w[0], 0.0, 0.0]])
            w, cubic = np.concatenate(([0.0], w)), np.concatenate((line, cubic))
        if w[0] == 0:
            cubic[0, 0] = 0.0
        return w, np.concatenate((cubic, np.zeros((1, 4))))

    @property
    def infrared_power(self) -> float:
        """The first power that is present in the piece that starts at 0."""
        nonzero = np.flatnonzero(self._pieces[1][0])
        return float(nonzero[0]) if len(nonzero) else np.inf

    @property
    def kink_power(self) -> float:
        return 2.0 if self._pieces[1][0, 2] != 0 else np.inf

    @property
    def ultraviolet_power(self) -> float:
        return -np.inf

    @property
    def scale(self) -> float:
        return self.w[int(np.argmax(self.J))] or self.w[-1]

    @property
    def features(self) -> tuple[tuple[float, float], ...]:
        return ()

    @cached_property
    def edges(self) -> tuple[tuple[float, float], ...]:
        knots, coefficients = self._pieces
        inner = [(float(w), 1.0 if w == self.w[0] else 2.0) for w in knots[1:-1]]
        length = knots[-1] - knots[-2]
        slope = coefficients[-2] @ np.array([0.0, 1.0, 2 * length, 3 * length**2])
        last = 0.0 if self.J[-1] != 0 else 1.0 if slope != 0 else 2.0
        return (*inner, (float(knots[-1]), last))

    def at(self, w: Any, derivative: int = 0) -> Any:
        """J or a derivative of it at w > 0 (float or ndarray, or an mpmath number)."""
        if not isinstance(w, (mpmath.mpf, mpmath.mpc)):
            w = np.asarray(w, dtype=float)
        return self.jet(jets.variable(w, derivative)).derivative(derivative)[0]

    def reduced_jet(self, w: Jet) -> Jet:
        knots = self._pieces[0]
        if w.e is None:
            return self._lowered(w) if self._piece_of(w) == 0 else self.jet(w) / w
        first = np.asarray(w.c[0]) < knots[1]
        general = self.jet(w) / w
        if not np.any(first):
            return general
        lowered = self._lowered(w)
        c = zip(lowered.c, general.c, strict=True)
        e = zip(lowered.e or (), general.e or (), strict=True)
        return Jet(
            tuple(np.where(first, a, b) for a, b in c), tuple(np.where(first, a, b) for a, b in e)
        )

    def _lowered(self, w: Jet) -> Jet:
        """J/w on the first piece, whose constant term is 0."""
        low = self._pieces[1][0, 1:]
        result = jets.constant(_number(low[2], w), w)
        for coefficient in (low[1], low[0]):
            result = result * w + _number(coefficient, w)
        return result

    def jet(self, w: Jet) -> Jet:
        knots, coefficients = self._pieces
        index = self._piece_of(w)
        local = w - _number(knots[index], w)
        rows = coefficients[index]
        result = jets.constant(_number(rows[..., 3], w), w)
        for k in (2, 1, 0):
            result = result * local + _number(rows[..., k], w)
        return result

    def _piece_of(self, w: Jet) -> Any:
        """Index of the piece that holds each w; the last piece is J = 0."""
        if w.e is None:
            # a path around a pole may pass Re w = 0, where the first piece continues
            return max(bisect_right(self._pieces[0], mpmath.re(w.c[0])) - 1, 0)
        return np.searchsorted(self._pieces[0], np.asarray(w.c[0]), side="right") - 1


def _number(value: Any, like: Jet) -> Any:
    return value if like.e is not None else mpmath.mpf(float(value))


def _float_tuple(field: str, entries: Sequence[float]) -> tuple[float, ...]:
    try:
        numbers = tuple(float(entry) for entry in entries)
    except (TypeError, ValueError):
        raise ValueError(
            f"{field}: must be a list of numbers, got {entries!r}; give one number a sample"
        ) from None
    require(np.isfinite(np.array(numbers)), field, "finite", entries, "remove nan and inf")
    return numbers
