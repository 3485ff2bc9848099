"""Frequencies that resolve a spectrum: logarithmic, denser at edges and narrow features."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.correlation import Correlation

_Array = NDArray[np.float64]

_PER_DECADE = 20
_MARGIN = 1e-2  # what is left out below and above is smaller than the tolerance by this
_SMOOTH_BELOW = 1e-3  # an analytic Ĉ has nothing new so far below its smallest scale
_DEEPEST, _HIGHEST = 1e-60, 1e60  # in units of the scale
_BUDGET = 600  # samples around edges, shared among them when they are many


@dataclass(frozen=True)
class FrequencyGrid:
    """The range of w > 0 that matters to a tolerance, and where to look closely in it.

    Attributes
    ----------
    low, high : float
        Below and above, Ĉ changes by less than the tolerance.
    peak : float
        Largest |Ĉ| met.
    clusters : tuple of (position, nearest, farthest)
        Points to be approached logarithmically from both sides, between these distances.
    """

    low: float
    high: float
    peak: float
    clusters: tuple[tuple[float, float, float], ...]

    @classmethod
    def of(cls, correlation: Correlation, tolerance: float) -> FrequencyGrid:
        """For a bath with scalar parameters and a J."""
        thermal = correlation.thermal
        threshold = _MARGIN * tolerance
        points = [p for p in thermal.points if p.position >= 0]
        marks = [thermal.scale, *[p.position for p in points if p.position > 0]]
        reach = min([p.reach for p in points if p.reach > 0] + [thermal.scale])
        regularity = thermal.power if thermal.zero_temperature else thermal.regularity
        depth = max(threshold ** (1 / regularity), _DEEPEST) if regularity > 0 else _DEEPEST
        low = reach * min(_SMOOTH_BELOW, depth)
        rough = np.geomspace(low, 1e3 * max(marks), 600)
        rough = np.concatenate((rough, marks))
        peak = float(np.max(np.abs(correlation.spectrum(np.concatenate((-rough, rough))).value)))
        high = _upper_end(correlation, max(marks), threshold * peak)
        return cls(low, high, peak, tuple(_clusters(correlation, threshold)))

    def positive(self, density: float = 1.0, margin: float = 1.0) -> _Array:
        """Increasing w > 0; density and margin multiply the points a decade and the range."""
        low, high = self.low / margin, self.high * margin
        per_decade = _PER_DECADE * density
        parts = [np.geomspace(low, high, 1 + math.ceil(per_decade * math.log10(high / low)))]
        for position, nearest, farthest in self.clusters:
            decades = math.log10(farthest / nearest)
            share = min(0.75 * per_decade, density * _BUDGET / len(self.clusters) / decades)
            away = np.geomspace(nearest, farthest, 2 + math.ceil(share * decades))
            parts += [position - away, position + away]
        w = np.unique(np.concatenate(parts))
        # two samples so close that rounding moves them are one
        w = w[w >= low]
        return np.asarray(w[np.concatenate(([True], np.diff(w) > 4e-16 * w[1:]))])


def _upper_end(correlation: Correlation, start: float, negligible: float) -> float:
    high = start
    while high < _HIGHEST * start:
        w = high * np.array([1.0, 1.3, 1.7])
        values = correlation.spectrum(np.concatenate((-w, w))).value
        if np.all(np.abs(values) <= negligible):
            break
        high *= 2
    return 10 * high


def _clusters(correlation: Correlation, threshold: float) -> list[tuple[float, float, float]]:
    density = correlation.thermal.density
    result = []
    for centre, width in getattr(density, "features", ()):
        if width < centre / 2:
            result.append((centre, 1e-2 * width, centre / 2))
    edges = [0.0, *[w for w, _ in getattr(density, "edges", ())]]
    for i, (w, regularity) in enumerate(getattr(density, "edges", ())):
        gap = min(w - edges[i], edges[i + 2] - w if i + 2 < len(edges) else w)
        nearest = max(gap * threshold ** (1 / max(regularity, 0.5)), 1e-14 * w)
        result.append((w, nearest, gap))
    return result
