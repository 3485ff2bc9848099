"""Second-order relaxation of two levels: energy-resolved (Pauli) and Redfield.

The spin starts in its upper level with the environment at `energy`.  Transition rates are the
golden-rule terms of the derived population equations, evaluated for Gaussian orthogonal matrices.
With the energy kept, the way back ends where it started; with the environment put back to `energy`
before every transition it ends one level spacing below (Esposito and Gaspard 2003, Secs. III, IV).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import sympy

from pertsym.equations import two_level_relaxation as derived
from pertsym.expansion.rule import ENERGY_RESOLVED, FIXED_STATE, Projector
from pertsym.random_matrix.ensemble import half_chord


@dataclass(frozen=True)
class Relaxation:
    """dz/dt = -rate (z - z_infinity) for z = P_1 - P_0.

    Attributes
    ----------
    down, up
        Rates 1 -> 0 and 0 -> 1, inverse energy units.
    """

    down: float
    up: float

    @property
    def rate(self) -> float:
        """Rate at which z relaxes."""
        return self.down + self.up

    @property
    def z_infinity(self) -> float | None:
        """Asymptotic z; None where both rates vanish and nothing relaxes."""
        return (self.up - self.down) / self.rate if self.rate else None


def energy_resolved(splitting: float, strength: float, energy: float) -> Relaxation:
    """Upper level at `energy`, lower level at `energy + splitting`: the total energy is conserved.

    Parameters
    ----------
    splitting
        Delta = E_1 - E_0 > 0.
    strength
        |S_01|^2, energy units squared.
    energy
        Energy of the environment while the spin is up.
    """
    return _relaxation(ENERGY_RESOLVED, splitting, strength, energy)


def redfield(splitting: float, strength: float, energy: float) -> Relaxation:
    """Both transitions from an environment at `energy`; parameters as `energy_resolved`."""
    return _relaxation(FIXED_STATE, splitting, strength, energy)


def _relaxation(
    projector: Projector, splitting: float, strength: float, energy: float
) -> Relaxation:
    down, up = transitions(projector)(energy, splitting)
    return Relaxation(strength * float(down), strength * float(up))


@cache
def transitions(projector: Projector) -> Callable[[Any, float], tuple[Any, Any]]:
    """(down, up) per |S_01|^2 of eps (arrays too) and Delta, compiled from the derived terms."""
    found = derived.relaxation(projector)
    rates = [
        sympy.expand(derived.semicircle(rate) / derived.LAM**2) for rate in (found.down, found.up)
    ]
    compiled: Callable[[Any, float], tuple[Any, Any]] = sympy.lambdify(
        (derived.EPS, derived.DELTA), tuple(rates), modules=[{"r": half_chord}, "numpy"]
    )
    return compiled
