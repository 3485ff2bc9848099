"""C(t) where it is elementary: Ohmic baths of any power, at any temperature.

With C(t) = (1/pi) int_0^inf dw J(w) [coth(beta w/2) cos wt - i sin wt] and
J(w) = alpha w^s wc^(1-s) exp(-w/wc), expanding n(w) = sum_k e^{-k beta w} gives

    C(t) = (alpha wc^(1-s) Gamma(s+1)/pi) [ sum_{k>=0} (1/wc + k beta + it)^-(s+1)
                                           + sum_{k>=1} (1/wc + k beta - it)^-(s+1) ],

two Hurwitz zeta functions; at T = 0 only the first term is left.  A classical bath has
C(t) = (2 alpha wc^(1-s) Gamma(s)/(pi beta)) Re (1/wc + it)^-s.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Ohmic

Complex = NDArray[np.complex128]

_TERMS = 12  # of the sum, before the Euler-Maclaurin formula takes over
# B_2k/(2k)! for k = 1, 2, ...
_BERNOULLI = (1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160, -691 / 1307674368000)


class TimeCorrelation(NamedTuple):
    """C(t) as a function of arrays of times >= 0.

    Attributes
    ----------
    function
        t -> C(t), to some digits short of double precision.
    strip
        C is analytic for |Im t| below it.
    """

    function: Callable[[NDArray[np.float64]], Complex]
    strip: float


def elementary(correlation: Correlation) -> TimeCorrelation | None:
    """C(t) of a bath with scalar parameters, or None where it has no such form here."""
    density: Any = correlation.density
    if not isinstance(density, Ohmic) or correlation.shape:
        return None
    alpha, wc, s, beta = density.alpha, density.wc, density.s, correlation.beta
    strip = 1 / wc
    weight = alpha * wc ** (1 - s) / math.pi
    if correlation.statistics == "classical":
        size = 2 * weight * math.gamma(s) / beta
        return TimeCorrelation(lambda t: (size * (strip + 1j * t) ** -s).real + 0j, strip)
    size = weight * math.gamma(s + 1)
    if math.isinf(beta):
        return TimeCorrelation(lambda t: size * (strip + 1j * t) ** -(s + 1), strip)

    def thermal(t: NDArray[np.float64]) -> Complex:
        later = hurwitz(s + 1, strip / beta + 1j * np.asarray(t) / beta)
        earlier = hurwitz(s + 1, 1 + strip / beta - 1j * np.asarray(t) / beta)
        both: Complex = size * beta ** -(s + 1) * (later + earlier)
        return both

    return TimeCorrelation(thermal, strip)


def hurwitz(power: float, q: Complex) -> Complex:
    """zeta(power, q) = sum_{k>=0} (q + k)^-power for power > 1 and Re q > 0.

    Relative accuracy some 1e-15 of the sum of the moduli.
    """
    q = np.asarray(q, dtype=complex)
    total: Complex = np.sum((q[..., None] + np.arange(_TERMS)) ** -power, axis=-1)
    far = q + _TERMS
    tail = far**-power
    total += far * tail / (power - 1) + tail / 2
    rising = power
    tail /= far
    for k, number in enumerate(_BERNOULLI):
        total += number * rising * tail
        rising *= (power + 2 * k + 1) * (power + 2 * k + 2)
        tail /= far * far
    return total
