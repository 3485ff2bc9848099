"""C(t) of baths where it is elementary, and the zeta function that it needs.

C(t) = (1/pi) int_0^inf dw J(w) [coth(beta w/2) cos wt - i sin wt]; which densities have such a form
their classes say.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.exponentials import Exponentials

if TYPE_CHECKING:
    from pertsym.baths.correlation import Correlation

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
    density = correlation.density
    if isinstance(density, Exponentials) or correlation.shape:
        return None
    return density.time_correlation(correlation.statistics == "classical", correlation.beta)


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
