"""P(w) = P int dw' Ĉ(w')/(w' - w) as a function on the line: many points at once, as jets.

In closed form where there is one, else from the panels of `piecewise`, which are kept for each
bath.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from pertsym.baths.closed_forms import closed_transform
from pertsym.baths.densities import DrudeLorentz, Exponentials, Ohmic, Underdamped
from pertsym.baths.integrand import SMOOTH, Point
from pertsym.baths.jets import Jet
from pertsym.baths.piecewise import PiecewiseSpectrum
from pertsym.baths.piecewise_sampling import piecewise
from pertsym.baths.thermal_spectrum import ThermalSpectrum

_LARGEST_POWER = 12  # of an Ohmic density with a closed transform
_MILD = 2.0  # the lowest regularity of Ĉ at which P has a continuous slope
_CLOSE = 0.25  # of the reach of such a point: panels start so close
_TINY = 1e-290  # stands for w = 0, where logarithms are multiplied by powers of w


@dataclass(frozen=True)
class TransformFunction:
    """P of one bath with scalar parameters; Ĉ(w > 0) = 2 J(w) [n(w) + 1]."""

    spectrum: ThermalSpectrum

    @cached_property
    def points(self) -> tuple[Point, ...]:
        """Where P is not analytic, |w|^p log|w| or |w|^p sgn w for a term |w|^p of Ĉ.

        The logarithm counts as half a power, so that the mesh reaches deep enough.  Where P is
        continuous with its slope (knots of a table) panels are halved only as far as they matter.
        """
        return tuple(
            point
            if point.regularity == SMOOTH
            else point._replace(
                width=0.0 if point.regularity < _MILD else _CLOSE * point.reach,
                power=min(point.regularity, 0.0),
                regularity=point.regularity - 0.5 * float(point.regularity).is_integer(),
            )
            for point in self.spectrum.points
        )

    @property
    def tails(self) -> tuple[float, float]:
        """P ~ -(1/w) int dw' Ĉ(w'), but for logarithms."""
        return -1.0, -1.0

    @property
    def extent(self) -> tuple[float, float]:
        return -math.inf, math.inf

    @property
    def scale(self) -> float:
        return self.spectrum.scale

    def jet_at(self, w: Any, order: int, uncertainty: Any = 0.0) -> Jet:
        """P at w (ndarray, any sign), order 0 or 1, w known to `uncertainty`."""
        w = np.asarray(w, dtype=float)
        w = np.where(w == 0, _TINY, w)
        parts = [self._derivative(w, k) for k in range(order + 1)]
        moved = np.asarray(uncertainty, dtype=float)
        errors = [error for _, error in parts]
        if np.any(moved > 0):
            # |G'| <= rate |G| in order of magnitude, with G = Ĉ/2 - iP/(2 pi)
            rate = self._rate(w, np.maximum(moved, _TINY))
            size = np.abs(parts[0][0]) + math.pi * np.abs(self.spectrum.jet_at(w, 0).c[0])
            slope = np.abs(parts[1][0]) if order else size * rate
            moves = [slope * moved, 2 * slope * np.minimum(rate * moved, 1.0)]
            errors = [e + move for e, move in zip(errors, moves, strict=False)]
        return Jet(tuple(value for value, _ in parts), tuple(errors))

    def _rate(self, w: Any, closest: Any) -> Any:
        """How fast P varies at w, relative to its size; w is not known to come closer to a kink."""
        rate = np.full(np.shape(w), 1 / self.scale)
        kinks = [p for p in self.spectrum.points if 1 <= p.regularity < SMOOTH]
        if kinks:  # the nearest with the shortest reach exceeds all of them
            at = np.array([p.position for p in kinks])
            at.sort()
            after = np.searchsorted(at, w).clip(0, len(at) - 1)
            away = np.minimum(np.abs(w - at[after]), np.abs(w - at[np.maximum(after - 1, 0)]))
            reach = min(self.scale, *(p.reach for p in kinks))
            near = np.minimum(np.maximum(away, closest) / reach, 1.0)
            rate = np.maximum(rate, (1 - np.log(near)) / reach)
        for point in self.spectrum.points:
            if 1 <= point.regularity < SMOOTH:
                continue
            away = np.abs(w - point.position)
            if point.regularity == SMOOTH:
                found = 1 / np.minimum(np.hypot(away, point.width), self.scale)
            else:
                reach = min(point.reach, self.scale)
                near = np.minimum(np.maximum(away, closest) / reach, 1.0)
                found = near ** (min(point.regularity, 1.0) - 1) * (1 - np.log(near)) / reach
            rate = np.maximum(rate, found)
        return rate

    def _derivative(self, w: Any, order: int) -> tuple[Any, Any]:
        spectrum = self.spectrum
        if self._is_closed:
            return closed_transform(spectrum.density, spectrum.statistics, spectrum.beta, w, order)
        value, error = panels_of(spectrum).regular_transform(np.ravel(w), order)
        return value.reshape(np.shape(w)), error.reshape(np.shape(w))

    @cached_property
    def _is_closed(self) -> bool:
        spectrum = self.spectrum
        match spectrum.density:
            case Exponentials() | DrudeLorentz() | Underdamped():
                return True
            case Ohmic(s=s):
                cold = spectrum.zero_temperature or spectrum.statistics == "classical"
                return cold and float(s) == int(s) and s <= _LARGEST_POWER
        return False


@lru_cache(maxsize=32)
def panels_of(spectrum: ThermalSpectrum) -> PiecewiseSpectrum:
    """The panels of one bath, remembered."""
    return piecewise(spectrum)
