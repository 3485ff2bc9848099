"""Second order of two levels: the terms of the population equations, and Markovian relaxation.

The spin starts in its upper level with the environment at `energy`.  Transition rates are the
golden-rule terms of the derived population equations, evaluated for Gaussian orthogonal matrices.
With the energy kept, the way back ends where it started; with the environment put back to `energy`
before every transition it ends one level spacing below (Esposito and Gaspard 2003, Secs. III, IV).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pertsym.equations.energy_resolved import FINAL, OTHER, PopulationTerm, population_equation
from pertsym.expansion.rule import ENERGY_RESOLVED, FIXED_STATE, Projector
from pertsym.random_matrix.ensemble import Floats, golden_rule


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
    down, up = transitions(projector, energy, splitting)
    return Relaxation(strength * float(down), strength * float(up))


def transitions(projector: Projector, energy: ArrayLike, splitting: float) -> list[Floats]:
    """(down, up) per |S_01|^2: pi delta(x) of the two terms of dP_1/dt, 2 pi n F."""
    here = np.asarray(energy, dtype=float)
    places = (
        {FINAL: here, OTHER: here + offset(term, 1, splitting)}[term.density[0]]
        for term in loss_and_gain(projector)
    )
    return [golden_rule(place) for place in places]


def loss_and_gain(projector: Projector) -> tuple[PopulationTerm, PopulationTerm]:
    """The two terms of dP_s/dt: out of s, and from the other level r."""
    loss, gain = population_equation(projector)
    assert (loss.coefficient, loss.unknown) == (-1, "s")
    assert (gain.coefficient, gain.unknown) == (1, "r")
    return loss, gain


def offset(term: PopulationTerm, level: int, splitting: float) -> float:
    """x - (eps - eps') of a term in the equation of a level; r is the other one, E_0 = 0."""
    parts = dict(term.phase)
    assert (parts[FINAL], parts[OTHER]) == (1, -1)  # the canonical sign of a cosine's phase
    upper = "s" if level == 1 else "r"
    return parts.get(upper, 0) * splitting
