"""Values of a spectrum, its transform and C(t) at any precision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import mpmath

from pertsym.baths import jets
from pertsym.baths.finite_part_mp import finite_part_mp
from pertsym.baths.integrand import Point, Pole
from pertsym.baths.thermal_spectrum import ThermalSpectrum

_TINY = -2000  # decimal exponent of the w > 0 at which limits w -> 0 are taken
_NODES = 12


@dataclass(frozen=True)
class SpectrumMp:
    """One Ĉ as an `IntegrandMp`."""

    spectrum: ThermalSpectrum

    @property
    def points(self) -> tuple[Point, ...]:
        return self.spectrum.points

    @property
    def support(self) -> tuple[float, float]:
        return self.spectrum.support

    @property
    def tails(self) -> tuple[float, float]:
        return self.spectrum.tails

    @property
    def scale(self) -> float:
        return self.spectrum.scale

    def value_mp(self, anchor: Any, offset: Any, reference: float) -> Any:
        side = 1 if reference > 0 else -1
        return self.spectrum.jet_mp(jets.variable(anchor + offset, 0), side).c[0]

    def derivatives_mp(self, anchor: Any, offset: Any, order: int) -> Sequence[Any]:
        w = anchor + offset
        jet = self.spectrum.jet_mp(jets.variable(w, order), 1 if w > 0 else -1)
        return [mpmath.re(jet.c[k]) * mpmath.factorial(k) for k in range(order + 1)]


def spectrum_at(spectrum: ThermalSpectrum, w: Any, derivative: int, digits: int) -> Any:
    """Ĉ^(derivative)(w) to so many digits; at w = 0 the limit, which must exist."""
    if spectrum.zero_temperature and w <= 0:
        return mpmath.mpf(0)
    # derivatives of J(w)/w lose (scale/w)^derivative to cancellation
    depth = -_TINY if w == 0 else max(0.0, math.log10(spectrum.scale / abs(float(w))))
    extra = 20 + int(depth * (derivative + 3))
    with mpmath.workdps(digits + extra):
        point = mpmath.mpf(w) if w else mpmath.mpf(10) ** _TINY
        value = SpectrumMp(spectrum).derivatives_mp(point, mpmath.mpf(0), derivative)[-1]
    with mpmath.workdps(digits):
        return +value if w or abs(value) > mpmath.mpf(10) ** (_TINY // 200) else mpmath.mpf(0)


def transform_at(spectrum: ThermalSpectrum, w: Any, derivative: int, digits: int) -> Any:
    """P^(derivative)(w) to so many digits."""
    pole = Pole(math.factorial(derivative), w, derivative + 1)
    return finite_part_mp(SpectrumMp(spectrum), [pole], digits)


def correlation_mp(spectrum: ThermalSpectrum, t: Any, digits: int) -> Any:
    """C(t) = (1/2pi) int dw Ĉ(w) e^{-iwt}, t >= 0, as an mpc.

    Raises
    ------
    ArithmeticError
        If Ĉ does not decay fast enough for the integral (C(0) of a Drude-Lorentz bath diverges).
    """
    from pertsym.baths.densities import Exponentials

    density = spectrum.density
    with mpmath.workdps(digits + 15):
        t = mpmath.mpf(t)
        if isinstance(density, Exponentials):
            return mpmath.fsum(
                mpmath.mpmathify(c) * mpmath.exp(-mpmath.mpmathify(nu) * t)
                for c, nu in zip(density.c, density.nu, strict=True)
            )
        integrand = SpectrumMp(spectrum)
        if t == 0 and max(spectrum.tails) >= -1:
            raise ArithmeticError("C(0) = (1/2pi) int dw Ĉ(w) diverges; ask for t > 0")
        total = mpmath.mpc(0)
        for side in (1, -1):
            if side < 0 and spectrum.zero_temperature:
                continue
            total += _half_line(integrand, side, t)
        return total / (2 * mpmath.pi)


def _half_line(integrand: SpectrumMp, side: int, t: Any) -> Any:
    """int_0^inf dy Ĉ(side y) e^{-i side y t}, integrated piecewise, the oscillation by quadosc."""
    marks = sorted({abs(p.position) for p in integrand.points if p.position * side > 0})
    scale = mpmath.mpf(integrand.scale)
    power = integrand.spectrum.power
    exponent = 1 / (1 + mpmath.mpf(power)) if power < 0 else mpmath.mpf(1)

    def value(y: Any) -> Any:
        return mpmath.re(integrand.value_mp(mpmath.mpf(0), side * y, side * 1.0))

    def near(v: Any) -> Any:
        if v == 0:
            return mpmath.mpf(0)
        y = first * v**exponent
        return value(y) * mpmath.expj(-side * y * t) * first * exponent * v ** (exponent - 1)

    first = mpmath.mpf(min([integrand.scale, *marks, *([1 / float(t)] if t else [])])) / 4
    total = mpmath.quad(near, [0, 1])
    extent = integrand.spectrum.extent[1 if side > 0 else 0] * side
    last = max([scale, *map(mpmath.mpf, marks)]) * 2
    if math.isfinite(extent):
        last = mpmath.mpf(min(extent, 4 * integrand.scale * (mpmath.mp.dps + 10)))
    steps = [first]
    while steps[-1] < last:
        step = min(steps[-1], _NODES / t) if t else steps[-1]
        ahead = [m for m in marks if steps[-1] < m < steps[-1] + step]
        steps.append(mpmath.mpf(ahead[0]) if ahead else steps[-1] + step)
    total += mpmath.quad(lambda y: value(y) * mpmath.expj(-side * y * t), steps)
    if math.isfinite(extent):
        return total
    start = steps[-1]
    if t == 0:
        return total + mpmath.quad(value, [start, mpmath.inf])
    cosine = mpmath.quadosc(lambda y: value(y) * mpmath.cos(y * t), [start, mpmath.inf], omega=t)
    sine = mpmath.quadosc(lambda y: value(y) * mpmath.sin(y * t), [start, mpmath.inf], omega=t)
    return total + cosine - 1j * side * sine
