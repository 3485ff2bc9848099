"""The integral that pure dephasing needs: two spectra, one reversed, and a kernel of poles.

FP int dw Ĉ_A(w) Ĉ_B(x - w) sum_j c_j/(w - a_j)^n_j
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pertsym.baths.correlation import Correlation
from pertsym.baths.divergence import Divergent, power_text
from pertsym.baths.finite_part import finite_part
from pertsym.baths.integrand import Kernel, Point, Pole
from pertsym.baths.jets import EPS, Jet
from pertsym.baths.thermal_spectrum import ThermalSpectrum
from pertsym.estimate import Estimate


def product_integral(
    a: Correlation, b: Correlation, shift: float, poles: Sequence[tuple[float, float, int]]
) -> Estimate:
    """FP int dw Ĉ_A(w) Ĉ_B(shift - w) sum_j c_j/(w - a_j)^n_j in double precision.

    Parameters
    ----------
    a, b : Correlation
        With scalar parameters.
    shift : float
        The frequency x.
    poles : sequence of (coefficient, position, order)
        Orders 1 to 4; positions away from the branch points 0 and x of the spectra.

    Returns
    -------
    Estimate
        Exactly 0.0 with error 0.0 where the product vanishes (both baths at T = 0, x <= 0).

    Raises
    ------
    Divergent
        Naming the power, e.g. "∫dw w^-1.2 at w -> 0".
    """
    kernel = Kernel(tuple(Pole(*pole) for pole in poles if pole[0] != 0))
    product = SpectrumProduct(a.thermal, b.thermal, float(shift))
    if not kernel.poles or product.vanishes:
        return Estimate(0.0, 0.0)
    _require_existence(product, kernel)
    return finite_part(product, kernel.poles)


@dataclass(frozen=True)
class SpectrumProduct:
    """Ĉ_A(w) Ĉ_B(shift - w), an integrand in double precision."""

    a: ThermalSpectrum
    b: ThermalSpectrum
    shift: float

    @property
    def vanishes(self) -> bool:
        """Exactly 0 at every w."""
        low, high = self.support
        return self.a.is_zero or self.b.is_zero or high <= low

    @cached_property
    def support(self) -> tuple[float, float]:
        low, high = self.b.support
        return (
            max(self.a.support[0], self.shift - high),
            min(self.a.support[1], self.shift - low),
        )

    @cached_property
    def extent(self) -> tuple[float, float]:
        low, high = self.b.extent
        return max(self.a.extent[0], self.shift - high), min(self.a.extent[1], self.shift - low)

    @cached_property
    def tails(self) -> tuple[float, float]:
        return self.a.tails[0] + self.b.tails[1], self.a.tails[1] + self.b.tails[0]

    @cached_property
    def scale(self) -> float:
        return min(self.a.scale, self.b.scale)

    @cached_property
    def points(self) -> tuple[Point, ...]:
        mirrored = [p._replace(position=self.shift - p.position) for p in self.b.points]
        found: dict[float, Point] = {}
        for point in (*self.a.points, *mirrored):
            other = found.get(point.position)
            found[point.position] = point if other is None else _coincident(point, other)
        return tuple(sorted(found.values()))

    def jet(self, anchor: Any, offset: Any, order: int) -> Jet:
        first = self.a.jet(anchor, offset, order)
        rest = self.shift - anchor
        w = rest - offset
        # the difference of shift and anchor is rounded unless one of them is 0 or they are equal
        inexact = np.where((rest == 0) | (anchor == 0), 0.0, EPS / 2 * np.abs(rest))
        moved = EPS * np.abs(offset) + inexact + np.where(rest == 0, 0.0, EPS / 2 * np.abs(w))
        return first * self.b.jet_at(w, order, moved).reflected(-1.0)


def _coincident(first: Point, second: Point) -> Point:
    """Two points at one place: powers add, the lowest non-analytic term is of either factor."""
    return Point(
        first.position,
        min(first.width, second.width),
        first.power + second.power,
        min(first.regularity + second.power, second.regularity + first.power),
        min(first.reach, second.reach),
    )


def _require_existence(product: SpectrumProduct, kernel: Kernel) -> None:
    low, high = product.support
    for point in product.points:
        if point.width == 0 and low <= point.position <= high:
            zero = kernel.zero_order if point.position == 0 else 0
            if point.power + zero <= -1:
                where = "w -> 0" if point.position == 0 else f"w -> {point.position:.6g}"
                raise Divergent(f"∫dw w^{power_text(point.power + zero)} at {where}")
    for tail, edge in zip(product.tails, ("-inf", "inf"), strict=True):
        power = tail - kernel.decay_order
        if power >= -1 and math.isinf(low if edge == "-inf" else high):
            raise Divergent(f"∫dw w^{power_text(power)} at w -> {edge}")
