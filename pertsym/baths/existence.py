"""Which values of Ĉ, of P and of their derivatives exist, decided from powers alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

from pertsym.baths.balls import rational
from pertsym.baths.divergence import Divergent, power_text
from pertsym.baths.integrand import SMOOTH, Kernel, Pole
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


def require_product(
    kind: Literal["CC", "CP"],
    a: ThermalSpectrum,
    b: ThermalSpectrum,
    reflect: int,
    shift: Any,
    poles: Sequence[tuple[Any, Any, int]],
    taken_off: bool = False,
) -> None:
    """Raise Divergent unless FP int dw Ĉ_A(w) X_B(s + r w) sum_j c_j/(w - a_j)^n_j exists.

    Apart from the poles; `taken_off`: less the value at the one double pole, where Ĉ_A has a kink.
    """
    if kind == "CP":
        require_integrable(b, 1)
    kernel = Kernel(tuple(Pole(float(c), float(p), n) for c, p, n in poles))
    pole = poles[0][1] if taken_off else None
    behaviour: dict[Any, tuple[float, float]] = {}  # power (0 where smooth) and regularity
    for point in a.points:
        at, raised = rational(point.position), float(rational(point.position) == pole)
        raised *= point.regularity < SMOOTH
        power = point.power + raised if point.width == 0 else 0.0
        behaviour[at] = (power, point.regularity + raised)
    for point in b.points:
        image = reflect * (rational(point.position) - shift)
        power, regularity = point.power if point.width == 0 else 0.0, point.regularity
        if kind == "CP" and regularity < SMOOTH:  # a logarithm counts as half a power
            power = min(regularity, 0.0)
            regularity -= 0.5 * float(regularity).is_integer()
        if taken_off:
            if point.regularity < SMOOTH and image == pole:
                raise Divergent(
                    f"FP∫dw f(w)/(w - a)^2 at a = {float(image):.6g}: both factors of f have a "
                    "kink there"
                )
            power = min(power, 0.0)
        first = behaviour.get(image, (0.0, SMOOTH))
        behaviour[image] = (
            first[0] + power,
            min(first[1] + power, regularity + first[0]),
        )
    low, high = a.support
    if kind == "CC":
        ends = sorted(reflect * (end - float(shift)) for end in b.support)
        low, high = max(low, ends[0]), min(high, ends[1])
    for position, (power, regularity) in behaviour.items():
        if not low <= float(position) <= high:
            continue
        power += kernel.zero_order if position == 0 and power else 0
        if power <= -1:
            where = "w -> 0" if position == 0 else f"w -> {float(position):.6g}"
            raise Divergent(f"∫dw w^{power_text(power)} at {where}")
        for order in (n for _, p, n in poles if p == position and regularity <= n - 1):
            raise Divergent(
                f"FP∫dw f(w)/(w - a)^{order} at a = {float(position):.6g}: f has a term "
                f"|w - a|^{power_text(regularity)} there, it must be smoother than "
                f"|w - a|^{order - 1}"
            )
    tails = b.tails[::reflect] if kind == "CC" else (-1.0, -1.0)
    for own, other, edge in zip(a.tails, tails, (low, high), strict=True):
        power = own + (max(other, -2.0) if taken_off else other) - kernel.decay_order
        if power >= -1 and math.isinf(edge):
            raise Divergent(f"∫dw w^{power_text(power)} at w -> {edge}")


def singular_positions(spectrum: ThermalSpectrum) -> tuple[float, ...]:
    """Every w at which Ĉ is not analytic."""
    return tuple(position for position, _ in _singular_points(spectrum))


def _singular_points(spectrum: ThermalSpectrum) -> list[tuple[float, float]]:
    return [
        (point.position, point.regularity)
        for point in spectrum.points
        if point.regularity < math.inf
    ]
