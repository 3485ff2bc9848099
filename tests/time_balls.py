"""C(t) of a bath as a ball, from a contour above the real axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import flint

from pertsym.baths import balls
from pertsym.baths.balls import Ball, Decay
from pertsym.baths.contour import Contour
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Exponentials
from pertsym.baths.enclosure import BathBalls, summed
from pertsym.baths.panels import End
from pertsym.baths.spectrum_balls import SpectrumBalls, exponents

_I = flint.acb(0, 1)


def correlation(c: Correlation, t: Any, digits: int = 30) -> Any:
    """C(t), t >= 0, as a complex ball of so many digits."""
    return summed(c, digits, lambda bath: _correlated(bath, t))


def _correlated(bath: BathBalls, t: Any) -> Any:
    """C(t) = (1/2pi) int dw Ĉ(w) e^(-iwt), t >= 0, a complex ball.

    Raises
    ------
    ArithmeticError
        If Ĉ does not decay fast enough (C(0) of a Drude-Lorentz bath diverges).
    """
    density, t = bath.correlation.density, balls.real(t)
    if isinstance(density, Exponentials):
        return sum((c * (-nu * t).exp() for c, nu in exponents(density)), flint.acb(0))
    thermal = bath.correlation.thermal
    if t == 0 and max(thermal.tails) >= -1:
        raise ArithmeticError("C(0) = (1/2pi) int dw Ĉ(w) diverges; ask for t > 0")
    if bath.is_zero:
        return flint.acb(0)
    contour = Contour.of(Oscillating(bath.function, t), bath.bits, slowest=0)
    far = flint.acb(0, flint.arb(-(2.0**500)))
    return contour.transform(far, 0).conjugate() / (2 * flint.arb.pi())


@dataclass(frozen=True, eq=False)
class Oscillating:
    """Ĉ(w) e^(iwt), a `contour.Function`."""

    spectrum: SpectrumBalls
    t: Any

    @property
    def cuts(self) -> tuple[Any, ...]:
        return self.spectrum.cuts

    @property
    def reach(self) -> float:
        return min(self.spectrum.reach, 1 / float(self.t) if self.t > 0 else math.inf)

    def vanishes(self, piece: int) -> bool:
        return self.spectrum.vanishes(piece)

    def value(self, z: Ball, piece: int) -> Ball:
        return self.spectrum.value(z, piece) * (z * _I * self.t).exp()

    def analytic(self, box: Any, piece: int) -> bool:
        return self.spectrum.analytic(box, piece)

    def end(self, b: Any, side: int) -> End:
        end = self.spectrum.end(b, side)
        return End(end.power, lambda x: end.regular(x) * ((side * x + b) * _I * self.t).exp())

    def beyond(self, b: Any, side: int, start: Any) -> Decay | None:
        plain = self.spectrum.beyond(b, side, start)
        return plain and plain._replace(rate=plain.rate + self.t / 2)
