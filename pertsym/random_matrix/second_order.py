"""Second-order relaxation of two levels: energy-resolved (Pauli) and Redfield.

The spin starts in its upper level with the environment at `energy`.  Transitions go at
2 pi |S_01|^2 n F at the energy where the environment ends.  With the energy kept, the way back ends
where it started; with the environment put back to `energy` before every transition it ends one
level spacing below (Esposito and Gaspard 2003, Secs. III and IV).
"""

from __future__ import annotations

from dataclasses import dataclass

from pertsym.random_matrix.ensemble import golden_rule


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
    down, up = golden_rule(energy + splitting), golden_rule(energy)
    return Relaxation(strength * float(down), strength * float(up))


def redfield(splitting: float, strength: float, energy: float) -> Relaxation:
    """Both transitions from an environment at `energy`; parameters as `energy_resolved`."""
    down, up = golden_rule(energy + splitting), golden_rule(energy - splitting)
    return Relaxation(strength * float(down), strength * float(up))
