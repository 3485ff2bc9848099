"""A thermal bath that is exact at any precision: the Gaussian spectrum.

    Ĉ(w) = A exp(-w^2/(2 sigma^2) + beta w/2),     J(w) = A exp(-w^2/(2 sigma^2)) sinh(beta w/2)

obeys Ĉ(-w) = e^{-beta w} Ĉ(w) identically, with Ĉ(w > 0) = 2 J(w) [n(w) + 1].  Its correlation
function is entire,

    C(z) = A sigma/sqrt(2 pi) exp(-sigma^2 (z + i beta/2)^2/2),

so that at imaginary times it is an elementary function, and at real times the trapezoidal rule for
C(t) = (1/2pi) int du Ĉ(u - i s) exp(-(s + iu) t) on a line below the real axis is a sum of
exponentials whose error falls exponentially with their number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import flint

from pertsym.generators.system import Mode

BATH = "B"
"""Its name in a hierarchy."""


@dataclass(frozen=True)
class GaussianSpectrum:
    """The parameters are decimal text, so that they mean the same at every precision.

    Attributes
    ----------
    amplitude
        A (energy).
    width
        sigma (energy).
    beta
        Inverse temperature.
    """

    amplitude: str
    width: str
    beta: str

    def imaginary_time(self, tau: Any) -> Any:
        """C(-i tau) = A sigma/sqrt(2 pi) exp(sigma^2 (tau - beta/2)^2/2), an arb."""
        width, middle = flint.arb(self.width), flint.arb(self.beta) / 2
        scale = flint.arb(self.amplitude) * width / (2 * flint.arb.pi()).sqrt()
        return scale * ((width * (tau - middle)) ** 2 / 2).exp()

    def at(self, w: Any) -> Any:
        """Ĉ(w) at a complex frequency, an acb."""
        exponent = -((w / flint.arb(self.width)) ** 2) / 2 + w * flint.arb(self.beta) / 2
        return flint.arb(self.amplitude) * exponent.exp()

    def exponents(self, digits: int) -> tuple[Any, ...]:
        """Modes of acb numbers that represent C(t) to 10^-digits of its largest value.

        With a spacing h the rule adds images C(t + 2 pi m/h) e^{2 pi m s/h}, m != 0.  In units of
        sigma and with b = 2 pi sigma/h they are below e^{-L} if s b >= L and b^2/2 - s b >= L; the
        fewest points reach that at s = sqrt(L)/2, b = 2 sqrt(L).  The line is cut where Ĉ is
        below e^{-L}.
        """
        target = math.log(10) * digits
        shift, period = math.sqrt(target) / 2, 2 * math.sqrt(target)
        width = float(self.width)
        # both images may be added up to this many times over; a little more of each is cheap
        shift, period = shift * 1.01, period * 1.02
        tilt = float(self.beta) * width / 2  # centre of the spectrum
        reach = tilt + math.sqrt(2 * target + shift**2 + tilt**2)
        count = math.ceil(reach * period / (2 * math.pi))
        spacing = 2 * flint.arb.pi() * flint.arb(self.width) / _dyadic(period)
        down = flint.arb(self.width) * _dyadic(shift)
        frequencies = [spacing * k for k in range(-count, count + 1)]
        weights = [
            self.at(flint.acb(u, -down)) * spacing / (2 * flint.arb.pi()) for u in frequencies
        ]
        # C* has the conjugate exponents: those of the mirrored points of the line
        rates: list[Any] = [flint.acb(down, u) for u in frequencies]
        return tuple(
            Mode(BATH, BATH, rate, ahead, behind.conjugate())
            for rate, ahead, behind in zip(rates, weights, reversed(weights), strict=True)
        )


def _dyadic(x: float) -> Any:
    return flint.arb(round(x * 1024)) / 1024
