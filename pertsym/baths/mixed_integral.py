"""Finite-part integrals over a spectrum and a transform, or over two spectra, moving either way.

FP int dw Ĉ_A(w) X_B(s + r w) sum_j c_j/(w - a_j)^n_j, X = Ĉ or P, r = +-1, and its regular part
where Ĉ_A has a kink at the pole (see `reflected_product`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from pertsym.baths.correlation import Correlation
from pertsym.baths.divergence import Divergent, power_text
from pertsym.baths.existence import require_integrable
from pertsym.baths.finite_part import finite_part
from pertsym.baths.integrand import Kernel, Pole
from pertsym.baths.reflected_product import UNIT, Factor, ReflectedProduct
from pertsym.baths.transform_function import TransformFunction
from pertsym.estimate import Estimate

Kind = Literal["CC", "CP"]
"""Which X_B: the spectrum or the transform."""

HIGHEST_ORDER = 2
"""Of the poles beside a transform; at fourth order in the coupling no higher one occurs."""


def mixed_integral(
    kind: Kind,
    a: Correlation,
    b: Correlation,
    reflect: int,
    shift: float,
    poles: Sequence[tuple[float, float, int]],
) -> Estimate:
    """FP int dw Ĉ_A(w) X_B(shift + reflect w) sum_j c_j/(w - a_j)^n_j in double precision.

    Parameters
    ----------
    kind : "CC" or "CP"
        X_B is Ĉ_B or P_B.
    a, b : Correlation
        With scalar parameters; Ĉ(w > 0) = 2 J(w) [n(w) + 1].
    reflect : -1 or +1
    shift : float
    poles : sequence of (coefficient, position, order)
        Orders 1 and 2.

    Returns
    -------
    Estimate
        value and a bound of the absolute error (quadrature and rounding).

    Raises
    ------
    Divergent
        Naming the term and the power, e.g. "∫dw w^-1.2 at w -> 0".
    """
    chosen = checked_poles(poles)
    if not chosen or a.thermal.is_zero or b.thermal.is_zero:
        return Estimate(0.0, 0.0)
    if kind == "CP":
        require_integrable(b.thermal, 1)
    orders = tuple((p, max(n for _, q, n in chosen if q == p)) for _, p, _ in chosen)
    product = ReflectedProduct(a.thermal, _factor(kind, b), float(shift), reflect, orders)
    require_convergence(product, chosen)
    return finite_part(product, chosen)


def regular_part(
    kind: Kind, a: Correlation, b: Correlation, reflect: int, shift: float, pole: float
) -> Estimate:
    """FP int dw Ĉ_A(w) [X_B(s + r w) - X_B(s + r pole) chi(w)]/(w - pole)^2.

    Raises
    ------
    Divergent
        If X_B is not smooth at s + r pole, or the rest diverges elsewhere.
    """
    if a.thermal.is_zero or b.thermal.is_zero:
        return Estimate(0.0, 0.0)
    if kind == "CP":
        require_integrable(b.thermal, 1)
    return _regular(a, _factor(kind, b), reflect, float(shift), float(pole))


def regular_slope(a: Correlation, pole: float) -> Estimate:
    """int dw Ĉ_A(w) [1 - chi(w)]/(w - pole)^2, what P_A'(pole) is without its divergent part."""
    if a.thermal.is_zero:
        return Estimate(0.0, 0.0)
    return _regular(a, UNIT, -1, 0.0, float(pole))


def checked_poles(poles: Sequence[tuple[float, float, int]]) -> tuple[Pole, ...]:
    """The poles that count, orders checked."""
    chosen = tuple(Pole(*pole) for pole in poles if pole[0] != 0)
    for pole in chosen:
        if not 1 <= pole.order <= HIGHEST_ORDER:
            raise ValueError(
                f"order: must be 1 or 2, got {pole.order}; integrate by parts to lower it"
            )
    return chosen


def require_convergence(product: ReflectedProduct, poles: tuple[Pole, ...]) -> None:
    """Raise Divergent unless the integral exists away from its poles."""
    kernel = Kernel(poles)
    low, high = product.support
    for point in product.points:
        if point.width == 0 and low <= point.position <= high:
            power = point.power + (kernel.zero_order if point.position == 0 else 0)
            if power <= -1:
                where = "w -> 0" if point.position == 0 else f"w -> {point.position:.6g}"
                raise Divergent(f"∫dw w^{power_text(power)} at {where}")
    for tail, edge in zip(product.tails, (low, high), strict=True):
        power = tail - kernel.decay_order
        if power >= -1 and math.isinf(edge):
            raise Divergent(f"∫dw w^{power_text(power)} at w -> {edge}")


def require_regular(product: ReflectedProduct, poles: tuple[Pole, ...]) -> None:
    """Raise Divergent unless taking off the value at the pole leaves a convergent integral."""
    if product.varies_over == 0:
        raise Divergent(
            f"FP∫dw f(w)/(w - a)^2 at a = {float(poles[0].position):.6g}: both factors of f have a "
            "kink there"
        )
    require_convergence(product, poles)


def _factor(kind: Kind, b: Correlation) -> Factor:
    return b.thermal if kind == "CC" else TransformFunction(b.thermal)


def _regular(a: Correlation, factor: Factor, reflect: int, shift: float, pole: float) -> Estimate:
    product = ReflectedProduct(a.thermal, factor, shift, reflect, ((pole, 2),), pole)
    poles = (Pole(1.0, pole, 2),)
    require_regular(product, poles)
    return finite_part(product, poles)
