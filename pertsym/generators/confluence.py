"""Exponents that nearly meet, spread out on a circle.

Where exponents nu_k meet, C(t) becomes a polynomial times an exponential, and its amplitudes c_k
grow without bound against each other: the digits of C itself survive in a sum over them, those of
products do not.  By Cauchy's formula a cluster inside a circle is

    sum_k c_k e^{-nu_k t} = (1/2 pi i) contour int dz g(z) e^{-zt},    g(z) = sum_k c_k/(z - nu_k),

and the trapezoidal rule on a circle of radius R, which converges as max(r/R, R/D)^points with r and
D the distances of the exponents and of any frequency iw from the centre, replaces it by exponents
of moderate amplitude.  At equal exponents nothing happens: they are one.
"""

from __future__ import annotations

import math

import numpy as np

from pertsym.baths.exponentials import Exponentials
from pertsym.generators.system import Array

_OPPOSED = 3e3  # amplitudes of a cluster, over their sum's size on the circle, worth the trouble
_NEAR = 0.1  # exponents are together within this part of the slowest one's decay
_RADII = (0.1, 0.3)  # of the decay of the centre
_DIGITS = 16


def separated(exponentials: Exponentials) -> Exponentials:
    """The same C(t) to 1e-15 of its size, without large amplitudes that cancel."""
    c, nu = np.array(exponentials.c), np.array(exponentials.nu)
    if len(nu) < 2:
        return exponentials
    kept_c: list[complex] = []
    kept_nu: list[complex] = []
    for members in _clusters(nu):
        amplitudes, rates = c[members], nu[members]
        centre = complex(rates.mean())
        points, weights = _on_circle(amplitudes, rates, centre)
        moderate = len(members) == 1 or (
            float(np.abs(amplitudes).max()) < _OPPOSED * float(np.abs(weights).max())
        )
        kept_c.extend(amplitudes if moderate else weights)
        kept_nu.extend(rates if moderate else points)
    if len(kept_c) == len(c):
        return exponentials
    return Exponentials.computed(kept_c, kept_nu)


def _on_circle(amplitudes: Array, rates: Array, centre: complex) -> tuple[Array, Array]:
    spread = float(np.abs(rates - centre).max()) / centre.real
    radius = min(max(math.sqrt(spread), _RADII[0]), _RADII[1])
    number = math.ceil(-_DIGITS / math.log10(max(radius, spread / radius)))
    turns = np.exp(2j * np.pi * (np.arange(number) + 0.5) / number)
    offsets = radius * centre.real * turns
    points = centre + offsets
    values = (amplitudes / (points[:, None] - rates)).sum(axis=1)
    return points, offsets * values / number


def _clusters(nu: Array) -> list[list[int]]:
    """Exponents that belong together, each reached from another one of its cluster."""
    remaining, clusters = list(range(len(nu))), []
    while remaining:
        members, queue = [], [remaining.pop(0)]
        while queue:
            k = queue.pop()
            members.append(k)
            # seen from the first: a chain must not leave the circle
            near = [
                j
                for j in remaining
                if abs(nu[j] - nu[members[0]]) < _NEAR * min(nu[j].real, nu[members[0]].real)
            ]
            remaining = [j for j in remaining if j not in near]
            queue += near
        clusters.append(sorted(members))
    return clusters
