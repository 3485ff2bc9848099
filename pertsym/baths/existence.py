"""Which values of Ĉ, of P and of their derivatives exist, decided from powers alone."""

from __future__ import annotations

import math

from pertsym.baths.divergence import Divergent, power_text
from pertsym.baths.thermal_spectrum import ThermalSpectrum


def require_spectrum(spectrum: ThermalSpectrum, w: float, derivative: int) -> None:
    """Raise Divergent unless the derivative of Ĉ exists (and is finite) at w."""
    for position, regularity in _singular_points(spectrum):
        if position != w:
            continue
        if w == 0 and spectrum.power < 0:
            raise Divergent(f"Ĉ(w) ~ w^{power_text(spectrum.power)} at w -> 0")
        if derivative >= max(regularity, 0.5):
            raise Divergent(
                f"the derivative of order {derivative} of Ĉ(w) does not exist at w = {w:.6g}: "
                f"Ĉ has a term |w - {w:.6g}|^{power_text(regularity)} there"
            )
        if derivative == 0 and regularity <= 0:
            raise Divergent(f"Ĉ(w) jumps at w = {w:.6g}")


def require_integrable(spectrum: ThermalSpectrum, order: int) -> None:
    """Raise Divergent unless FP int dw Ĉ(w)/(w - a)^order exists apart from the pole."""
    if spectrum.power <= -1:
        raise Divergent(f"∫dw Ĉ(w)/(w - a): ∫dw w^{power_text(spectrum.power)} at w -> 0")
    power = max(spectrum.tails) - order
    if power >= -1:
        raise Divergent(f"∫dw Ĉ(w)/(w - a)^{order}: ∫dw w^{power_text(power)} at w -> inf")


def require_transform(spectrum: ThermalSpectrum, w: float, derivative: int) -> None:
    """Raise Divergent unless the derivative of P exists at w."""
    for position, regularity in _singular_points(spectrum):
        if position == w and regularity <= derivative:
            singular = (
                "log|w|"
                if regularity == derivative
                else f"|w|^{power_text(regularity - derivative)}"
            )
            near = "w -> 0" if w == 0 else f"w -> {w:.6g} (w counted from there)"
            raise Divergent(f"d^{derivative}P/dw^{derivative} ~ {singular} at {near}")


def singular_positions(spectrum: ThermalSpectrum) -> tuple[float, ...]:
    """Every w at which Ĉ is not analytic."""
    return tuple(position for position, _ in _singular_points(spectrum))


def _singular_points(spectrum: ThermalSpectrum) -> list[tuple[float, float]]:
    return [
        (point.position, point.regularity)
        for point in spectrum.points
        if point.regularity < math.inf
    ]
