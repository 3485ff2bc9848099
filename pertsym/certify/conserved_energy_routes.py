"""The fourth-order rate at conserved total energy by routes that share nothing but the Hamiltonian.

1. The engine's fourth-order cumulant with the energy kept, its terms integrated as they stand over
   both energies, with every gap damped by e^{-eta tau} and eta -> 0 by extrapolation.  It acts on
   the eigenmode that decays at the rate g(E); dressed at second order this is, with x = E - h,

       n_s(h) [delta(x) - (k_o/2 pi) FP 1/x^2 - Re Sigma_s delta'(x)],

   normalised, h = eps + E_s, k_s the second-order rate out of s at total energy h, o the other
   level.  The dressing adds its change of the second-order rates.
2. The pole of the self-consistent ladder at a coupling so small that the next order is beyond the
   digits asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from scipy.integrate import quad

from pertsym.environments.expansion import PathTerm
from pertsym.environments.projector import ENERGY_RESOLVED
from pertsym.environments.rule import EnergyForm
from pertsym.equations.energy_resolved import TwoLevels
from pertsym.precision import decimals
from pertsym.random_matrix.ensemble import (
    RADIUS,
    VARIANCE,
    band_nodes,
    golden_rule,
    level_density,
    resolvent,
)

_DAMPINGS = (0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1)
_NODES = 250
_STEP = 1e-6
_ITERATIONS = 400  # of self-energies and pole; a dozen for weak coupling


def rate_from_cumulant(splitting: float, total: float) -> float:
    """rate^(4) for |S_01| = 1 and levels at -+ splitting/2, both inside the band (route 1)."""
    energies = np.array([-splitting / 2, splitting / 2])
    direct = [_sharp(splitting, source, total - energies[source]) for source in (0, 1)]
    rate = direct[0] - direct[1]
    for s, o in ((0, 1), (1, 0)):
        rate += _dressing(energies[s], energies[o], total)
    return rate


def _sharp(splitting: float, source: int, energy: float) -> float:
    """Fourth-order change of P_1 in unit time from `source` at a sharp energy."""
    terms = TwoLevels().element(ENERGY_RESOLVED, 4, (1, 1, source, source))
    values = [_integrated(terms, splitting, energy, eta) for eta in _DAMPINGS]
    return float(np.polyfit(_DAMPINGS, values, len(_DAMPINGS) - 1)[-1])


def _integrated(terms: tuple[PathTerm, ...], splitting: float, energy: float, eta: float) -> float:
    nodes, weights = band_nodes(_NODES)
    at: dict[int, Any] = {0: energy, 1: nodes[:, None], 2: nodes[None, :]}
    total = 0j
    for term in terms:
        value = VARIANCE**2 * weights[:, None] * weights[None, :] + 0j
        for gap, (level,) in zip(term.shape.gaps, term.shape.system, strict=True):
            value = value / (eta + 1j * (_value(gap, at) + level * splitting))
        total += complex(term.coefficient) * complex(value.sum())
    return total.real


def _value(form: EnergyForm, at: dict[int, Any]) -> Any:
    return sum(c * at[energy] for energy, c in form)


def _dressing(own: float, other: float, total: float) -> float:
    """int k_s chi_s over total energies, chi_s the dressing of the mode in level s."""

    def density(h: float) -> float:
        return float(level_density(h - own))

    def out(h: float) -> float:
        return float(golden_rule(h - other))

    back = float(golden_rule(total - own))  # k_o: out of the other level, into this one
    shift = VARIANCE * float(resolvent(total - other).real)
    low, high = max(own, other) - RADIUS, min(own, other) + RADIUS
    both = finite_part(lambda h: density(h) * out(h), total, low, high)
    alone = finite_part(density, total, own - RADIUS, own + RADIUS)
    spread = (both - out(total) * alone) / density(total)
    return -back / (2 * np.pi) * spread - shift * _slope(out, total)


def _slope(function: Callable[[float], float], x: float) -> float:
    return (function(x + _STEP) - function(x - _STEP)) / (2 * _STEP)


def finite_part(function: Callable[[float], float], pole: float, low: float, high: float) -> float:
    """Hadamard's finite part of int function(h)/(h - pole)^2 over (low, high)."""
    value, slope = function(pole), _slope(function, pole)

    def smooth(h: float) -> float:
        return (function(h) - value - slope * (h - pole)) / (h - pole) ** 2

    integral = quad(smooth, low, high, points=[pole], limit=400, epsabs=1e-9)[0]
    ends = value * (-1 / (high - pole) - 1 / (pole - low))
    return float(integral + ends + slope * np.log((high - pole) / (pole - low)))


def rate_from_pole(splitting: Fraction, total: Fraction, digits: int) -> tuple[Any, Any]:
    """(rate^(2), rate^(4)) for |S_01| = 1 from the pole of the ladder (route 2)."""
    with decimals(3 * digits + 30):
        small = mpmath.mpf(10) ** (-digits - 5)  # lambda^2
        points = [mpmath.mpf(x.numerator) / x.denominator for x in _points(splitting, total)]
        tiny = small**2
        second = _pole(points, tiny) / tiny  # the next order is beyond 2 digits
        # the difference quotient of rate/lambda^2 at two couplings
        return second, (_pole(points, small) / small - second) / (small - tiny)


def rate_at_coupling(splitting: Fraction, total: Fraction, coupling: float) -> float:
    """The relaxation rate at a finite coupling |S_01|^2: the pole of the ladder, N -> infinity."""
    points = [mpmath.mpf(x.numerator) / x.denominator for x in _points(splitting, total)]
    return float(_pole(points, mpmath.mpf(coupling)))


def _points(splitting: Fraction, total: Fraction) -> tuple[Fraction, Fraction]:
    """E - E_s, lower level first."""
    return total + splitting / 2, total - splitting / 2


def _pole(points: list[Any], coupling: Any) -> Any:
    """The rate at coupling lambda^2, by iterating self-energies and pole together.

    `points` are E - E_s.  The resolvent is continued through the band to below the real axis.
    """
    strength = coupling / 16
    rate = mpmath.mpf(0)
    sigma = [mpmath.mpc(0), mpmath.mpc(0)]
    for _ in range(_ITERATIONS):
        before = rate
        z = [x - 1j * rate / 2 - s for x, s in zip(points, sigma, strict=True)]
        g = [8 * (w - 1j * mpmath.sqrt(mpmath.mpf(1) / 4 - w * w)) for w in z]
        sigma = [strength * g[1], strength * g[0]]
        rate = -2 * mpmath.im(sigma[0] + sigma[1])
        if abs(rate - before) <= 4 * mpmath.eps * abs(rate):
            break
    return rate
