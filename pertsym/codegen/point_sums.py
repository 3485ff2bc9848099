"""Sums over nodes at one point: plain numbers are quicker than arrays of one element."""

from __future__ import annotations

import math
from bisect import bisect_left
from typing import Any

import numpy as np

from pertsym.baths.nodes import Nodes
from pertsym.baths.tabulated import UNIT


class PointSums:
    """P and P', and Ĉ of a sum of exponentials, at one point after another, with plain numbers."""

    def __init__(self, nodes: Nodes) -> None:
        w, a = nodes.poles, nodes.residues
        self._square = w * w
        self._moments = np.stack((a, a * w)), np.stack((a, a * w, a * w * w))
        self._resonances = [
            (pole, residue, abs(pole))
            for pole, residue in zip(*(x.tolist() for x in nodes.resonances), strict=True)
            if residue
        ]
        self._uncertainty = nodes.uncertainty
        self._last: tuple[float, tuple[Any, ...]] = (math.nan, ())
        self._radii: list[float] = []
        if nodes.arms:
            sums = [nodes.cumulative(nodes.weights(m), m + 1) for m in range(3)]
            self._radii = sums[0][0].tolist()
            self._weights = [(inner.tolist(), outer.tolist()) for _, inner, outer in sums]

    def _bounds(self, x: float) -> list[float]:
        """Of the errors of P, P' and P''."""
        index, power, unit, found = bisect_left(self._radii, x), 1.0, 2 * math.pi, []
        for m, (inner, outer) in enumerate(self._weights):
            power *= x
            near = inner[index]
            found.append(unit * ((near / power if near else 0.0) + outer[index]))
            unit *= m + 1
        return found

    def _arms(self, x: float) -> tuple[Any, ...]:
        """Both `parts` without the resonances."""
        if not self._radii:
            return (0.0,) * 8
        last = self._last  # read once: other threads may be at other points
        if last[0] != x:
            last = self._last = x, self._summed(x)
        return last[1]

    def _summed(self, x: float) -> tuple[Any, ...]:
        square = x * x
        q = np.reciprocal(square - self._square)
        zeroth = (self._moments[0] @ q).imag.tolist()
        first = (self._moments[1] @ (q * q)).imag.tolist()
        unit = 2 * math.pi
        bounds = self._bounds(x)
        return (
            -unit * zeroth[1],
            bounds[0],
            -unit * x * zeroth[0],
            x * bounds[1],
            unit * (square * first[0] + first[2]),
            bounds[1],
            2 * unit * x * first[1],
            x * bounds[2],
        )

    def parts(self, x: Any, m: int) -> tuple[Any, Any, Any, Any]:
        """[P^(m)(x) + P^(m)(-x)]/2, its error, half the difference, its error for x > 0."""
        x, unit = only(x), 2 * math.pi
        even, error, odd, odd_error = self._arms(x)[4 * m : 4 * m + 4]
        for pole, residue, radius in self._resonances:
            ahead, behind = x - pole, x + pole
            factor = residue / (ahead * behind)
            if m == 0:
                size = abs(factor)
                terms, sizes = (factor * pole, factor), (size * radius, size)
            else:
                factor /= ahead * behind
                size = abs(factor)
                terms = -factor * (x * x + pole * pole), -2 * factor * pole
                sizes = size * (x * x + radius * radius), 2 * size * radius
            spread = radius / min(abs(ahead), abs(behind))
            relative = unit * (self._uncertainty + UNIT * (32 + 8 * (m + 1) * spread))
            even -= unit * terms[0].imag
            odd -= unit * x * terms[1].imag
            error += sizes[0] * relative
            odd_error += x * sizes[1] * relative
        return even, error + 2 * UNIT * abs(even), odd, odd_error + 2 * UNIT * abs(odd)

    def difference(self, x: Any) -> tuple[Any, Any]:
        _, _, odd, error = self.parts(x, 0)
        return 2 * odd, 2 * error

    def transform(self, w: Any, m: int) -> tuple[Any, Any]:
        """P^(m)(w): resonances on the other side of w = 0 are not seen."""
        w = only(w)
        even, error, odd, odd_error = self._arms(abs(w))[4 * m : 4 * m + 4]
        value, error = (even + odd if w > 0 else even - odd), error + odd_error
        unit = 2 * math.pi * (1 if m else -1)
        for pole, residue, radius in self._resonances:
            inverse = 1 / (w - pole)
            term = unit * residue * (inverse * inverse if m else inverse)
            value += term.imag
            spread = 32 + 8 * (m + 1) * radius * abs(inverse)
            error += abs(term) * (self._uncertainty + UNIT * spread)
        return value, error + UNIT * (abs(even) + abs(odd) + abs(value))

    def spectra(self, w: float) -> tuple[Any, Any, Any, Any]:
        """Ĉ, its error, Ĉ' and its error, of a sum of exponentials."""
        found = [0.0, 0.0, 0.0, 0.0]
        for pole, residue, radius in self._resonances:
            distance = w - pole
            spread = 32 + 16 * radius / abs(distance)
            for m, term in enumerate((residue / distance, -residue / distance**2)):
                found[2 * m] += 2 * term.real
                found[2 * m + 1] += 2 * abs(term) * UNIT * (m + 1) * spread
        return found[0], found[1], found[2], found[3]


def only(x: Any) -> float:
    """A number, or the element of an array of one."""
    return x if isinstance(x, float) else float(x[0])
