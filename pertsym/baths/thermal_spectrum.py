"""The spectrum Ĉ(w) of a bath as a jet, with everything that panels must know about it.

Boson: Ĉ(w) = 2 {J(w) [n(w) + 1] + J(-w) n(-w)} with J(w < 0) = 0; at T = 0, 2 J(w) theta(w).
Classical: Ĉ(w) = 2 T J(|w|)/|w|.  Exponentials: Ĉ = 2 Re sum c/(nu - iw).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple, cast

import numpy as np

from pertsym.baths import jets
from pertsym.baths.densities import BathDensity, Density, Exponentials
from pertsym.baths.jets import EPS, Jet
from pertsym.baths.node_path import Path
from pertsym.baths.thermal import bose_factor
from pertsym.baths.thermal_path import thermal_path

Statistics = Literal["boson", "classical"]

SMOOTH = math.inf
"""Regularity of a point at which the function is analytic."""


class Point(NamedTuple):
    """A place that panels must respect.

    Attributes
    ----------
    position : float
    width : float
        0: a branch point, f ~ |w - position|^power on the sides where f does not vanish.
        > 0: the function is smooth up to the point on each side, on this scale.
    power : float
        > -1; only used where width = 0.
    regularity : float
        Order of the first derivative that is not continuous (a fraction if it diverges);
        `SMOOTH` if there is none.
    reach : float
        Distance over which the local behaviour holds.
    """

    position: float
    width: float
    power: float
    regularity: float
    reach: float


_UNDERFLOW = 800.0  # e^-800 times any moderate power is 0 in double precision


@dataclass(frozen=True)
class ThermalSpectrum:
    """Ĉ of one bath: values as jets, and its singular points.

    Parameters
    ----------
    density : a value of `pertsym.baths.densities`
        With scalar parameters, except for `jet`, which broadcasts.
    statistics : "boson" or "classical"
    beta : float
        Inverse temperature; inf is T = 0; ignored for `Exponentials`.
    """

    density: BathDensity
    statistics: Statistics
    beta: Any

    @property
    def _exponentials(self) -> bool:
        return isinstance(self.density, Exponentials)

    @property
    def zero_temperature(self) -> bool:
        """Ĉ(w < 0) = 0."""
        return not self._exponentials and bool(np.all(np.isinf(self.beta)))

    @cached_property
    def is_zero(self) -> bool:
        """No coupling at all."""
        return self.density.is_zero

    def jet(self, anchor: Any, offset: Any, order: int) -> Jet:
        """Ĉ at w = anchor + offset in double precision, with error bounds.

        The sum is rounded and the offset is a computed node: both enter the error.
        """
        anchor, offset = np.asarray(anchor, dtype=float), np.asarray(offset, dtype=float)
        w = anchor + offset
        moved = EPS * np.abs(offset) + np.where(anchor == 0, 0.0, EPS / 2 * np.abs(w))
        return self.jet_at(w, order, moved, (anchor, offset))

    def jet_at(
        self, w: Any, order: int, uncertainty: Any = 0.0, place: tuple[Any, Any] | None = None
    ) -> Jet:
        """Ĉ at w (ndarray, any sign), known to `uncertainty`, or as the sum of two numbers."""
        if isinstance(self.density, Exponentials):
            return half_sided_jet(self.density, jets.variable(w, order, uncertainty)).real * 2.0
        w = np.asarray(w, dtype=float)
        y, sign = jets.variable(np.abs(w), order, uncertainty), np.where(w < 0, -1.0, 1.0)
        given = {}
        if place is not None and self.density.polynomial:
            given["place"] = sign * place[0], sign * place[1]
        with np.errstate(all="ignore"):
            if self.zero_temperature:
                return _where(w > 0, self.density.jet(y, **given) * 2.0)
            reduced = self.density.reduced_jet(y, **given).reflected(sign)
            if self.statistics == "classical":
                return reduced.scaled(2.0 / self.beta)
            return reduced * bose_factor(w, self.beta, order, uncertainty) * 2.0

    def path(self) -> Path:
        """Ĉ below the real axis; not for `Exponentials`, tables or formulas."""
        return thermal_path(cast(Density, self.density), self.statistics == "classical", self.beta)

    @cached_property
    def power(self) -> float:
        """p of Ĉ ~ |w|^p at w -> 0 (on the right, where T = 0)."""
        return self.density.infrared_power - (0.0 if self.zero_temperature else 1.0)

    @cached_property
    def regularity(self) -> float:
        """Order of the lowest term at w = 0 that is not analytic."""
        if self.zero_temperature:
            return self.density.infrared_power
        return self.density.kink_power - 1.0

    @cached_property
    def tails(self) -> tuple[float, float]:
        """p of Ĉ ~ |w|^p at -inf and +inf."""
        if isinstance(self.density, Exponentials):
            slow = abs(math.fsum(c.imag for c in self.density.c)) > 0
            return (-1.0, -1.0) if slow else (-2.0, -2.0)
        power = self.density.ultraviolet_power
        if self.statistics == "classical":
            return power - 1.0, power - 1.0
        return -math.inf, power

    @property
    def support(self) -> tuple[float, float]:
        return (0.0 if self.zero_temperature else -math.inf), math.inf

    @cached_property
    def extent(self) -> tuple[float, float]:
        """Where an exponential decay has underflowed, on the left and on the right."""
        reach, thermal = self.density.underflow, math.inf
        if self.statistics == "boson" and not self._exponentials and self.beta > 0:
            thermal = _UNDERFLOW / self.beta
        return -min(reach, thermal), reach

    @cached_property
    def scale(self) -> float:
        return self.density.scale

    @cached_property
    def points(self) -> tuple[Point, ...]:
        if isinstance(self.density, Exponentials):
            return tuple(
                Point(nu.imag * side, nu.real, 0.0, SMOOTH, nu.real)
                for nu in self.density.nu
                for side in ((1, -1) if nu.imag else (1,))
            )
        density, thermal = self.density, 2 * math.pi / self.beta
        reach = min([density.scale, *[math.hypot(c, width) for c, width in density.features]])
        reach = min([reach, *[w for w, _ in density.edges]])
        if self.statistics == "boson" and thermal > 0:
            reach = min(reach, thermal)
        smooth = self.regularity == math.inf and not self.zero_temperature
        found = [Point(0.0, reach if smooth else 0.0, self.power, self.regularity, reach)]
        for side in (1,) if self.zero_temperature else (1, -1):
            found += [Point(side * c, width, 0.0, SMOOTH, width) for c, width in density.features]
            found += _edge_points(density, side)
        return tuple(found)


def _edge_points(density: Density, side: int) -> list[Point]:
    positions = [0.0, *[w for w, _ in density.edges]]
    result = []
    for i, (w, regularity) in enumerate(density.edges):
        before = w - positions[i]
        after = positions[i + 2] - w if i + 2 < len(positions) else before
        near = min(before, after)
        width = math.inf if density.polynomial else min(near, density.scale)
        result.append(Point(side * w, width, 0.0, regularity, near))
    return result


def _where(condition: Any, jet: Jet) -> Jet:
    return Jet(
        tuple(np.where(condition, v, 0.0) for v in jet.c),
        tuple(np.where(condition, v, 0.0) for v in jet.e),
    )


def half_sided_jet(density: Exponentials, w: Jet) -> Jet:
    """G(w) = sum c/(nu - iw) for real w."""
    result = jets.constant(0.0, w)
    for c, nu in zip(density.c, density.nu, strict=True):
        # nu - iw = re - i (w - im): the difference keeps its digits on a narrow resonance
        shifted = w - nu.imag
        result = result + jets.reciprocal(shifted * (-1j) + nu.real) * c
    return result
