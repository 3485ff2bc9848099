"""The oscillator bath that a bath of many independent spins looks like to second order.

A spin bath has C(t) = (1/pi) int_0^inf dw J(w) [cos wt - i tanh(beta w/2) sin wt], which is the
boson bath's correlation function at the same temperature with J(w) tanh(beta w/2) in place of
J(w) (Feynman and Vernon; Eq. (22) of Schlosshauer, Hines and Milburn).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from pertsym.baths import balls, jets
from pertsym.baths.balls import Ball, Decay
from pertsym.baths.checks import require_real
from pertsym.baths.densities.density import Density, delegated
from pertsym.baths.jets import Jet


@dataclass(frozen=True)
class SpinSurrogate(Density):
    """J(w) tanh(beta w/2), a density of oscillators: Ĉ(w > 0) = 2 J(w) tanh(beta w/2) [n(w) + 1].

    Parameters
    ----------
    density : a value of `pertsym.baths.densities` that has a J(w)
        The density of the spins.
    beta : float
        Inverse temperature of the spins, > 0; at T = 0 (inf) the two densities are equal.

    Raises
    ------
    ValueError
        If beta is out of range; the message starts with its name.
    """

    density: Density
    beta: float

    def __post_init__(self) -> None:
        if not math.isinf(self.beta):
            require_real("beta", self.beta, positive=True)

    powers_vary = False

    is_zero = delegated("density.is_zero")
    spins = delegated("density")
    end = delegated("density.end")
    underflow = delegated("density.underflow")
    ultraviolet_power = delegated("density.ultraviolet_power")
    features = delegated("density.features")
    edges = delegated("density.edges")
    continues = delegated("density.continues")
    kink_scale = delegated("scale")

    @property
    def components(self) -> tuple[Density, ...]:
        parts = self.density.components
        if parts[0] is self.density:
            return (self,)
        return tuple(SpinSurrogate(part, self.beta) for part in parts)

    def remarks(self) -> tuple[str, ...]:
        return (
            "infinitely many spins, each weakly coupled, which make a Gaussian bath; N spins add "
            "a fourth cumulant of order 1/N, from fourth order in the coupling on, left out here",
            *self.density.remarks(),
        )

    @property
    def infrared_power(self) -> float:
        return self.density.infrared_power + (0.0 if math.isinf(self.beta) else 1.0)

    @property
    def kink_power(self) -> float:
        if math.isinf(self.beta):
            return self.density.kink_power
        # tanh raises every power of J by 1, 3, 5, ...
        first = self.infrared_power
        return first if first % 2 != 1 else first + 1

    @property
    def scale(self) -> float:
        thermal = math.pi / self.beta
        return min(self.density.scale, thermal) if thermal else self.density.scale

    def split(self) -> tuple[Any, SpinSurrogate]:
        amplitude, density = self.density.split()
        return amplitude, SpinSurrogate(density, self.beta)

    @property
    def axis(self) -> float:
        thermal = math.pi / self.beta  # 0 at T = 0, where nothing of tanh is left
        return min(self.density.axis, thermal) if thermal else self.density.axis

    @property
    def reach(self) -> float:
        return max(self.density.reach, 40 / self.beta)

    @property
    def resonances(self) -> tuple[Any, Any]:
        positions, residues = self.density.resonances
        return positions, residues * self._polarisation(positions)

    def continued(self, w: Any) -> Any:
        return self.density.continued(w) * self._polarisation(w)

    def _polarisation(self, w: Any) -> Any:
        return 1.0 if math.isinf(self.beta) else np.tanh(w * (self.beta / 2))

    def jet(self, w: Jet) -> Jet:
        return self._polarised(self.density.jet(w), w)

    def reduced_jet(self, w: Jet) -> Jet:
        return self._polarised(self.density.reduced_jet(w), w)

    @property
    def leading(self) -> float:
        return self.density.leading + (0.0 if math.isinf(self.beta) else 1.0)

    def core(self, w: Ball, piece: int = 0) -> Ball:
        plain = self.density.core(w, piece)
        if math.isinf(self.beta):
            return plain
        half = balls.real(self.beta) / 2
        return plain * balls.tanh_quotient(w * half) * half

    def decay(self, start: Any) -> Decay | None:
        plain = self.density.decay(start)
        if plain is None or math.isinf(self.beta):
            return plain
        left = (-balls.real(self.beta) * balls.real(start) / 2).exp()  # Re w > start/2
        return plain._replace(size=plain.size * (1 + left) / (1 - left))

    def _polarised(self, jet: Jet, w: Jet) -> Jet:
        """The jet times tanh(beta w/2), the polarisation of a spin."""
        if math.isinf(self.beta):
            return jet
        return jet * jets.tanh(w * (self.beta / 2))
