"""The spectral density of an overdamped mode: Ohmic with a Lorentzian cutoff."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from pertsym.baths import balls
from pertsym.baths.balls import Ball, Decay
from pertsym.baths.checks import real
from pertsym.baths.densities.density import Density, Facts, Functions, Shape, register
from pertsym.baths.exponentials import Exponentials


@register("drude-lorentz")
@dataclass(frozen=True)
class DrudeLorentz(Density):
    """J(w) = 2 lam gamma w/(gamma^2 + w^2), with Ĉ(w > 0) = 2 J(w) [n(w) + 1].

    Parameters
    ----------
    lam : float or ndarray
        Reorganisation energy, >= 0.
    gamma : float or ndarray
        Cutoff frequency, > 0.

    Raises
    ------
    ValueError
        If a parameter is out of range; the message starts with its name.
    """

    lam: Any = field(metadata=real(1, positive=False, scales=1))
    gamma: Any = field(metadata=real(1))

    formula = "2 lam gamma w/(gamma^2 + w^2)"
    qutip = "DrudeLorentzEnvironment"

    @staticmethod
    def shape(f: Functions, w: Any, p: Any) -> Shape:
        x = w / p.gamma
        return Shape(p.gamma, 1.0, 1.0 / (1.0 + x * x) * (2 * p.lam))

    @staticmethod
    def facts(f: Functions, p: Any) -> Facts:
        return Facts(math.inf, -1.0, p.gamma, p.gamma, p.gamma)

    def core(self, w: Ball, piece: int = 0) -> Ball:
        lam, gamma = balls.real(self.lam), balls.real(self.gamma)
        pole = balls.imaginary(gamma)
        # one division for each pole: a product of wide balls would hold 0
        return 2 * lam * gamma / (w - pole) / (w + pole)

    def decay(self, start: Any) -> Decay | None:
        lam, gamma = balls.real(self.lam), balls.real(self.gamma)
        return Decay(3 * lam * gamma, -1.0, balls.real(0)) if start > 2 * gamma else None

    @property
    def upper_poles(self) -> tuple[tuple[Any, Any], ...] | None:
        lam, gamma = balls.real(self.lam), balls.real(self.gamma)
        return ((balls.imaginary(gamma), balls.complex_of(lam * gamma)),)

    def classical_exponentials(self, temperature: float) -> Exponentials | None:
        return Exponentials.computed((2 * self.lam * temperature,), (self.gamma,))
