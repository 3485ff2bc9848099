"""I_n(x) = P int_0^inf dw w^n e^-w/(w - x) for integer n >= 0: the transform of an Ohmic bath.

At T = 0 P(w) = 2 alpha wc I_s(w/wc), classically P(w) = 2 T alpha [I_{s-1}(w/wc) - I_{s-1}(-w/wc)].
I_0(x) = -e^-x Ei(x), I_n = x I_{n-1} + (n - 1)!; for large |x| the asymptotic series, whose
error is below rounding there.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import exp1, expi

from pertsym.baths import jets
from pertsym.baths.jets import EPS, Jet

_ASYMPTOTIC = 60.0  # e^-60 is the size of the smallest term of sum k!/x^k
_LARGEST_POWER = 12


def ohmic_transform(alpha: Any, wc: Any, s: int, temperature: Any, w: Jet) -> Jet | None:
    """P as a jet in w (real, not 0), T = 0 for temperature None; None if s is too large.

    Convention: J = alpha w^s wc^(1-s) e^(-w/wc), Ĉ(w > 0) = 2 J(w) [n(w) + 1].
    """
    if s > _LARGEST_POWER:
        return None
    x = w / wc
    if temperature is None:
        return exponential_moment(s, x).scaled(2 * alpha * wc)
    moments = exponential_moment(s - 1, x) - exponential_moment(s - 1, -x)
    return moments.scaled(2 * temperature * alpha)


def exponential_moment(n: int, x: Jet) -> Jet:
    """I_n of a jet x != 0; per point, the form with the smaller error bound."""
    size = np.abs(np.asarray(x.c[0]))
    with np.errstate(all="ignore"):
        if np.all(size < _ASYMPTOTIC):
            return _by_recurrence(n, x)
        series = _asymptotic(n, x)
        if np.all(size >= _ASYMPTOTIC):
            return series
        exact = _by_recurrence(n, x)
    far = size >= _ASYMPTOTIC
    c = zip(series.c, exact.c, strict=True)
    e = zip(series.e or (), exact.e or (), strict=True)
    return Jet(tuple(np.where(far, a, b) for a, b in c), tuple(np.where(far, a, b) for a, b in e))


def _by_recurrence(n: int, x: Jet) -> Jet:
    result = _scaled_exponential_integral(x)
    for k in range(n):
        result = result * x + float(math.factorial(k))
    return result


def _scaled_exponential_integral(x: Jet) -> Jet:
    """-e^-x Ei(x), with Ei(-y) = -E1(y): y' = -y - 1/x gives the higher coefficients."""
    x0 = np.asarray(x.c[0], dtype=float)
    near = np.where(np.abs(x0) < _ASYMPTOTIC, x0, 1.0)
    y = np.abs(near)
    value = np.exp(-near) * np.where(near > 0, -expi(y), exp1(y))
    # near its zero at 0.3725 Ei is only accurate absolutely
    scale = np.abs(value) + np.exp(-near) * np.where(np.abs(near) < 2, 1.0, 0.0)
    inverse = jets.reciprocal(jets.variable(x0, x.order))
    c, e = [value], [16 * EPS * scale]
    for k in range(x.order):
        c.append(-(c[k] + inverse.c[k]) / (k + 1))
        total = e[k] + (inverse.e or ())[k] + 2 * EPS * (np.abs(c[k]) + np.abs(inverse.c[k]))
        e.append(total / (k + 1))
    return _composed(Jet(tuple(c), tuple(e)), x)


def _asymptotic(n: int, x: Jet) -> Jet:
    """-sum_k (n + k)!/x^(k+1), to its smallest term."""
    inverse = jets.reciprocal(x)
    result = jets.constant(0.0, x)
    for k in range(int(_ASYMPTOTIC) - n - 8, -1, -1):
        result = result * inverse + float(math.factorial(n + k))
    return -(result * inverse)


def _composed(outer: Jet, x: Jet) -> Jet:
    """f(x(w)) for an x that is linear in w."""
    slope, shift = x.c[1] if x.order else 1.0, (x.e or (0.0,))[0]
    c = tuple(v * slope**k for k, v in enumerate(outer.c))
    e = []
    for k, v in enumerate(outer.e or ()):
        # |f'| <= |f| + 1/|x| and so on: the rounding of x moves every coefficient by so much
        drift = (k + 1) * (np.abs(outer.c[k]) + np.abs(x.c[0]) ** -(k + 1.0)) * shift
        e.append((v + drift) * np.abs(slope) ** k + (k + 1) * EPS * np.abs(c[k]))
    return Jet(c, tuple(e))
