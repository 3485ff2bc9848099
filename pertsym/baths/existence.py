"""Which values of Ĉ, of P and of their derivatives exist, decided from powers alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, NamedTuple

from pertsym.baths.balls import rational
from pertsym.baths.divergence import Divergent, power_text
from pertsym.baths.thermal_spectrum import ThermalSpectrum

Quantity = Literal["spectrum", "transform"]

_HIGHEST: Final = 3
"""Derivative of Ĉ and P."""


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


def require_value(
    quantity: Quantity, spectrum: ThermalSpectrum, w: Iterable[float], derivative: int
) -> None:
    """Raise Divergent unless a derivative of Ĉ or P exists at every w."""
    if derivative not in range(_HIGHEST + 1):
        raise ValueError(f"derivative: must be 0, 1, 2 or 3, got {derivative!r}; take fewer")
    if spectrum.is_zero:
        return
    if quantity == "transform":
        require_integrable(spectrum, derivative + 1)
    check = require_spectrum if quantity == "spectrum" else require_transform
    for position in set(singular_positions(spectrum)).intersection(w):
        check(spectrum, position, derivative)


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


def require_kernel(spectrum: ThermalSpectrum, poles: Sequence[tuple[Any, Any, int]]) -> None:
    """Raise Divergent unless FP int dw Ĉ(w) sum_j c_j/(w - p_j)^n_j exists."""
    require_integrable(spectrum, decay_order(poles))
    for position in singular_positions(spectrum):
        for _, p, n in poles:
            if p == position:
                require_transform(spectrum, position, n - 1)


def singular_positions(spectrum: ThermalSpectrum) -> tuple[float, ...]:
    """Every w at which Ĉ is not analytic."""
    return tuple(position for position, _ in _singular_points(spectrum))


def _singular_points(spectrum: ThermalSpectrum) -> list[tuple[float, float]]:
    return [
        (point.position, point.regularity)
        for point in spectrum.points
        if point.regularity < math.inf
    ]


def require_integral(
    kind: str,
    a: ThermalSpectrum,
    b: ThermalSpectrum,
    reflect: int,
    shift: Any,
    poles: Sequence[tuple[Any, Any, int]],
    regular: bool = False,
) -> bool:
    """Raise Divergent unless FP int dw Ĉ_A(w) X_B(s + r w) sum_j c_j/(w - p_j)^n_j exists.

    Parameters
    ----------
    kind
        "CC": X = Ĉ, "CP": X = P.
    shift, poles
        Floats, or exact rationals throughout: whether two places meet is then decided exactly.
    regular
        Whether X_B less its value at the double pole is meant, where Ĉ_A has a kink.

    Returns
    -------
    bool
        False where the integrand is exactly 0 everywhere.
    """
    if not poles or a.is_zero or b.is_zero:
        return False
    low, high = a.support
    if kind == "CP":
        require_integrable(b, 1)
    else:
        ends = sorted(reflect * (edge - float(shift)) for edge in b.support)
        low, high = max(low, ends[0]), min(high, ends[1])
        if low >= high:
            return False
    points = _product_points(kind, a, b, reflect, shift, poles[0][1] if regular else None)
    for point in points:
        if not low <= float(point.position) <= high:
            continue
        zero = zero_order(poles) if point.position == 0 else 0
        if point.power + zero <= -1:
            where = "w -> 0" if point.position == 0 else f"w -> {float(point.position):.6g}"
            raise Divergent(f"∫dw w^{power_text(point.power + zero)} at {where}")
        for _, position, order in poles:
            if position == point.position and point.regularity <= order - 1:
                raise Divergent(
                    f"FP∫dw f(w)/(w - a)^{order} at a = {float(position):.6g}: f has a term "
                    f"|w - a|^{power_text(point.regularity)} there, it must be smoother than "
                    f"|w - a|^{order - 1}"
                )
    other = b.tails if kind == "CC" else (-1.0, -1.0)
    other = other if reflect > 0 else other[::-1]
    if regular:
        other = max(other[0], -2.0), max(other[1], -2.0)
    for mine, theirs, edge, end in zip(a.tails, other, (low, high), ("-inf", "inf"), strict=True):
        power = mine + theirs - decay_order(poles)
        if power >= -1 and math.isinf(edge):
            raise Divergent(f"∫dw w^{power_text(power)} at w -> {end}")
    return True


class _Point(NamedTuple):
    """Where a product is not analytic: f ~ |w - position|^power, and its first such term."""

    position: Any
    power: float
    regularity: float


def _product_points(
    kind: str,
    a: ThermalSpectrum,
    b: ThermalSpectrum,
    reflect: int,
    shift: Any,
    pole: Any,
) -> list[_Point]:
    number = float if isinstance(shift, float) else rational
    found: dict[Any, _Point] = {}
    for place, regularity in _singular_points(a):
        position = number(place)
        power = a.power if position == 0 else 0.0
        if position == pole:  # what multiplies Ĉ_A vanishes there like w - p
            power, regularity = power + 1, regularity + 1
        found[position] = _Point(position, power, regularity)
    for place, regularity in _singular_points(b):
        position, power = reflect * (number(place) - shift), b.power if place == 0 else 0.0
        if kind == "CP":
            # |w|^p becomes |w|^p sgn w or |w|^p log|w|
            power = min(regularity, 0.0)
            regularity -= 0.5 * float(regularity).is_integer()
        if pole is not None:  # less its value elsewhere, it does not vanish there
            power = min(power, 0.0)
        if position == pole:
            raise Divergent(
                f"FP∫dw f(w)/(w - a)^2 at a = {float(position) + 0.0:.6g}: "
                "both factors of f have a kink there"
            )
        other = found.get(position)
        if other is not None:
            regularity = min(other.regularity + power, regularity + other.power)
            power = other.power + power
        found[position] = _Point(position, power, regularity)
    return [found[position] for position in sorted(found)]


_CANCELLED = 8 * float.fromhex("0x1p-52")
_TERMS = 20


def zero_order(poles: Sequence[tuple[Any, Any, int]]) -> int:
    """Order of the zero of the kernel at w = 0 (0 if it does not vanish, or has a pole)."""
    if len(poles) < 2 or any(p == 0 for _, p, _ in poles):
        return 0
    return next((k for k in range(_TERMS) if taylor(poles, k)[0] != 0), _TERMS)


def decay_order(poles: Sequence[tuple[Any, Any, int]]) -> int:
    """n of the kernel ~ w^-n at large w."""
    return next((k for k in range(1, _TERMS) if moment(poles, k)[0] != 0), _TERMS)


def taylor(poles: Sequence[tuple[Any, Any, int]], k: int) -> tuple[float, float]:
    """The coefficient of w^k in the kernel, 0 if it cancels to rounding, and its terms' size."""
    return _uncancelled(
        [float(c) * (-1) ** n * math.comb(n + k - 1, k) * float(p) ** -(n + k) for c, p, n in poles]
    )


def moment(poles: Sequence[tuple[Any, Any, int]], k: int) -> tuple[float, float]:
    """The same of w^-k at large w."""
    return _uncancelled(
        [float(c) * math.comb(k - 1, n - 1) * float(p) ** (k - n) for c, p, n in poles if k >= n]
    )


def _uncancelled(terms: Sequence[float]) -> tuple[float, float]:
    total, size = sum(terms), sum(map(abs, terms))
    return (total if abs(total) > _CANCELLED * size else 0.0), size
