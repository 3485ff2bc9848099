"""The integrals of `mixed_integral` at any precision, by the contours of `finite_part_mp`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Protocol

import mpmath

from pertsym.baths import jets
from pertsym.baths.correlation import Correlation
from pertsym.baths.existence import require_integrable
from pertsym.baths.finite_part_mp import finite_part_mp
from pertsym.baths.integrand import SMOOTH, Point, Pole
from pertsym.baths.mixed_integral import Kind, checked_poles, require_convergence, require_regular
from pertsym.baths.reflected_product import UNIT, Factor, ReflectedProduct
from pertsym.baths.thermal_spectrum import ThermalSpectrum
from pertsym.baths.transform_function import TransformFunction
from pertsym.baths.transform_mp import TransformMp


def mixed_integral_mp(
    kind: Kind,
    a: Correlation,
    b: Correlation,
    reflect: int,
    shift: Any,
    poles: Sequence[tuple[Any, Any, int]],
    digits: int = 30,
) -> Any:
    """As `mixed_integral`, an mpf correct to so many digits; seconds to minutes."""
    chosen = checked_poles(poles)
    if not chosen or a.thermal.is_zero or b.thermal.is_zero:
        return mpmath.mpf(0)
    if kind == "CP":
        require_integrable(b.thermal, 1)
    factor, function = _factors(kind, b)
    orders = tuple((p, max(n for _, q, n in chosen if q == p)) for _, p, _ in chosen)
    product = ReflectedProduct(a.thermal, factor, shift, reflect, orders)
    require_convergence(product, chosen)
    return finite_part_mp(_ProductMp(product, function), chosen, digits)


def regular_part_mp(
    kind: Kind, a: Correlation, b: Correlation, reflect: int, shift: Any, pole: Any, digits: int
) -> Any:
    """As `regular_part`, an mpf correct to so many digits."""
    if a.thermal.is_zero or b.thermal.is_zero:
        return mpmath.mpf(0)
    if kind == "CP":
        require_integrable(b.thermal, 1)
    return _regular(a, *_factors(kind, b), reflect, shift, pole, digits)


def regular_slope_mp(a: Correlation, pole: Any, digits: int) -> Any:
    """As `regular_slope`, an mpf correct to so many digits."""
    if a.thermal.is_zero:
        return mpmath.mpf(0)
    return _regular(a, UNIT, _One(), -1, mpmath.mpf(0), pole, digits)


def _regular(
    a: Correlation,
    factor: Factor,
    function: _FunctionMp,
    reflect: int,
    shift: Any,
    pole: Any,
    digits: int,
) -> Any:
    product = ReflectedProduct(a.thermal, factor, shift, reflect, ((pole, 2),), pole)
    poles = (Pole(mpmath.mpf(1), pole, 2),)
    require_regular(product, poles)
    return finite_part_mp(_ProductMp(product, function), poles, digits)


class _FunctionMp(Protocol):
    """X_B at any precision."""

    def value(self, z: Any, reference: float) -> Any:
        """X_B(z), continued from the piece of the axis that holds the reference."""
        ...

    def slope(self, w: Any) -> Any:
        """X_B'(w) at real w."""
        ...


@dataclass(frozen=True)
class _SpectrumMp:
    spectrum: ThermalSpectrum

    def value(self, z: Any, reference: float) -> Any:
        return self.spectrum.jet_mp(jets.variable(z, 0), 1 if reference > 0 else -1).c[0]

    def slope(self, w: Any) -> Any:
        return mpmath.re(self.spectrum.jet_mp(jets.variable(w, 1), 1 if w > 0 else -1).c[1])


class _One:
    def value(self, z: Any, reference: float) -> Any:
        del z, reference
        return mpmath.mpf(1)

    def slope(self, w: Any) -> Any:
        del w
        return mpmath.mpf(0)


def _factors(kind: Kind, b: Correlation) -> tuple[Factor, _FunctionMp]:
    if kind == "CC":
        return b.thermal, _SpectrumMp(b.thermal)
    return TransformFunction(b.thermal), _transform_mp(b.thermal)


@lru_cache(maxsize=32)
def _transform_mp(spectrum: ThermalSpectrum) -> TransformMp:
    """One for each bath: its quadrature rules are kept."""
    return TransformMp(spectrum)


@dataclass(frozen=True)
class _ProductMp:
    """An `IntegrandMp` with the description of a `ReflectedProduct`."""

    product: ReflectedProduct
    function: _FunctionMp
    _series: dict[int, list[Any]] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def points(self) -> tuple[Point, ...]:
        # a logarithm ends an analytic piece, whatever the smoothness that the poles need
        return tuple(
            p if p.regularity == SMOOTH else p._replace(width=min(p.width, 1e300))
            for p in self.product.points
        )

    @property
    def support(self) -> tuple[float, float]:
        return self.product.support

    @property
    def tails(self) -> tuple[float, float]:
        return self.product.tails

    @property
    def scale(self) -> float:
        return float(self.product.scale)

    def value_mp(self, anchor: Any, offset: Any, reference: float) -> Any:
        product = self.product
        w = anchor + offset
        first = product.a.jet_mp(jets.variable(w, 0), 1 if reference > 0 else -1).c[0]
        at = float(product.shift) + product.reflect * reference
        return first * self._second(w, anchor, offset, at)

    def derivatives_mp(self, anchor: Any, offset: Any, order: int) -> Sequence[Any]:
        product, w = self.product, anchor + offset
        jet = product.a.jet_mp(jets.variable(w, 1), 1 if w > 0 else -1)
        first = [mpmath.re(c) for c in jet.c]
        argument = product.shift + product.reflect * w
        value = mpmath.re(self._second(w, anchor, offset, float(argument)))
        if order == 0:
            return [first[0] * value]
        slope = self._second_slope(w, anchor, offset)
        return [first[0] * value, first[1] * value + first[0] * slope]

    def _second(self, w: Any, anchor: Any, offset: Any, reference: float) -> Any:
        product = self.product
        if product.pole is None:
            return self.function.value(product.shift + product.reflect * w, reference)
        x = (anchor - product.pole) + offset
        square = (x / mpmath.mpf(product.a.scale)) ** 2
        coefficients = self._coefficients
        lost = coefficients[0] * square / (1 + square)
        if abs(x) < self._radius / 4:
            y = product.reflect * x
            return lost + y * mpmath.polyval(coefficients[:0:-1], y)
        value = self.function.value(product.shift + product.reflect * w, reference)
        return value - coefficients[0] + lost

    def _second_slope(self, w: Any, anchor: Any, offset: Any) -> Any:
        product = self.product
        slope = product.reflect * self.function.slope(product.shift + product.reflect * w)
        if product.pole is None:
            return slope
        x, scale = (anchor - product.pole) + offset, mpmath.mpf(product.a.scale)
        return slope + self._coefficients[0] * 2 * x / scale**2 / (1 + (x / scale) ** 2) ** 2

    @cached_property
    def _radius(self) -> Any:
        return mpmath.mpf(self.product.varies_over)

    @property
    def _coefficients(self) -> list[Any]:
        """Taylor coefficients of X_B at s + r p, by the trapezoidal rule on a circle."""
        precision = mpmath.mp.prec
        if precision not in self._series:
            image, radius = self.product.image, self._radius / 2
            count = precision + 8  # aliases are down by 2^-count
            values = [
                self.function.value(
                    image + radius * mpmath.expjpi(2 * (mpmath.mpf(k) / count)), float(image)
                )
                for k in range(count)
            ]
            turns = [mpmath.expjpi(-2 * mpmath.mpf(k) / count) for k in range(count)]
            self._series[precision] = [
                mpmath.re(mpmath.fdot((values[k], turns[(k * n) % count]) for k in range(count)))
                / count
                / radius**n
                for n in range(precision // 2 + 4)  # (1/4)^n at the largest distance
            ]
        return self._series[precision]
