"""An algebraic spectral density with an exponential cutoff."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pertsym.baths import balls
from pertsym.baths.balls import Decay
from pertsym.baths.checks import real
from pertsym.baths.densities.density import Density, Facts, Functions, Shape, register, size
from pertsym.baths.time_correlation import Complex, TimeCorrelation, hurwitz

_UNDERFLOW = 800.0  # e^-800 times any moderate power is 0 in double precision


@register("ohmic")
@dataclass(frozen=True)
class Ohmic(Density):
    """J(w) = alpha w^s wc^(1-s) exp(-w/wc), with Ĉ(w > 0) = 2 J(w) [n(w) + 1].

    Parameters
    ----------
    alpha : float or ndarray
        Dimensionless strength, >= 0.
    wc : float or ndarray
        Cutoff frequency, > 0.
    s : float or ndarray
        Power, > 0 (1: Ohmic, < 1: sub-Ohmic, > 1: super-Ohmic).

    Raises
    ------
    ValueError
        If a parameter is out of range; the message starts with its name.
    """

    alpha: Any = field(metadata=real(0, positive=False, scales=1))
    wc: Any = field(metadata=real(1))
    s: Any = field(metadata=real(0))

    formula = "alpha w^s wc^(1-s) exp(-w/wc)"
    qutip = "OhmicEnvironment"

    @staticmethod
    def shape(f: Functions, w: Any, p: Any) -> Shape:
        return Shape(p.wc, p.s, f.exp(-w / p.wc) * (p.alpha * p.wc))

    @staticmethod
    def facts(f: Functions, p: Any) -> Facts:
        # w^s (1 - w/wc + ...): an odd s is followed by the even s + 1;
        # e^-x x^s has lost 40 orders of magnitude on the path at 45 degrees to the axis
        return Facts(
            f.if_odd(p.s, p.s + 1, p.s), -math.inf, p.wc, math.inf, (140 + 10 * p.s) * p.wc
        )

    @property
    def features(self) -> tuple[tuple[float, float], ...]:
        s, wc = size(self.s), size(self.wc)
        return ((s * wc, np.sqrt(s) * wc),) if s > 4 else ()

    @property
    def underflow(self) -> float:
        return (_UNDERFLOW + 10 * float(self.s)) * float(self.wc)

    def decay(self, start: Any) -> Decay | None:
        alpha, wc, s = (balls.real(x) for x in (self.alpha, self.wc, self.s))
        return Decay(alpha * wc ** (1 - s), self.leading, 1 / wc)

    def time_correlation(self, classical: bool, beta: float) -> TimeCorrelation | None:
        """C(t) at any temperature.

        Expanding n(w) = sum_k e^{-k beta w} gives, with two Hurwitz zeta functions,

            C(t) = (alpha wc^(1-s) Gamma(s+1)/pi) [ sum_{k>=0} (1/wc + k beta + it)^-(s+1)
                                                   + sum_{k>=1} (1/wc + k beta - it)^-(s+1) ];

        at T = 0 only the first term is left.  A classical bath has
        C(t) = (2 alpha wc^(1-s) Gamma(s)/(pi beta)) Re (1/wc + it)^-s.
        """
        alpha, wc, s = self.alpha, self.wc, self.s
        strip = 1 / wc
        weight = alpha * wc ** (1 - s) / math.pi
        if classical:
            height = 2 * weight * math.gamma(s) / beta
            return TimeCorrelation(lambda t: (height * (strip + 1j * t) ** -s).real + 0j, strip)
        height = weight * math.gamma(s + 1)
        if math.isinf(beta):
            return TimeCorrelation(lambda t: height * (strip + 1j * t) ** -(s + 1), strip)

        def thermal(t: NDArray[np.float64]) -> Complex:
            later = hurwitz(s + 1, strip / beta + 1j * np.asarray(t) / beta)
            earlier = hurwitz(s + 1, 1 + strip / beta - 1j * np.asarray(t) / beta)
            both: Complex = height * beta ** -(s + 1) * (later + earlier)
            return both

        return TimeCorrelation(thermal, strip)
