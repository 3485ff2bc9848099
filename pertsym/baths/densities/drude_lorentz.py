"""The spectral density of an overdamped mode: Ohmic with a Lorentzian cutoff."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pertsym.baths import balls, jets
from pertsym.baths.balls import Ball, Decay
from pertsym.baths.checks import require_real
from pertsym.baths.densities.density import Evaluation, along, like, size
from pertsym.baths.jets import Jet


@dataclass(frozen=True)
class DrudeLorentz(Evaluation):
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

    lam: Any
    gamma: Any

    def __post_init__(self) -> None:
        require_real("lam", self.lam, positive=False)
        require_real("gamma", self.gamma, positive=True)

    @property
    def infrared_power(self) -> float:
        return 1.0

    @property
    def kink_power(self) -> float:
        return np.inf

    @property
    def ultraviolet_power(self) -> float:
        return -1.0

    @property
    def scale(self) -> float:
        return size(self.gamma)

    @property
    def features(self) -> tuple[tuple[float, float], ...]:
        return ()

    @property
    def edges(self) -> tuple[tuple[float, float], ...]:
        return ()

    @property
    def axis(self) -> float:
        return float(np.min(self.gamma))

    @property
    def continues(self) -> bool:
        return True

    def split(self) -> tuple[Any, DrudeLorentz]:
        return self.lam, replace(self, lam=1.0)

    @property
    def reach(self) -> float:
        return size(self.gamma)

    def continued(self, w: Any) -> Any:
        gamma = along(self.gamma)
        x = w / gamma
        return 2 * along(self.lam) * x / ((1 + 1j * x) * (1 - 1j * x))

    def jet(self, w: Jet) -> Jet:
        return w * self.reduced_jet(w)

    def reduced_jet(self, w: Jet) -> Jet:
        gamma = like(self.gamma, w)
        x = w / gamma
        return jets.reciprocal(x * x + 1.0).scaled(2 * like(self.lam, w) / gamma)

    leading = 1.0

    def core(self, w: Ball, piece: int = 0) -> Ball:
        lam, gamma = balls.real(self.lam), balls.real(self.gamma)
        pole = balls.imaginary(gamma)
        # one division for each pole: a product of wide balls would hold 0
        return 2 * lam * gamma / (w - pole) / (w + pole)

    def decay(self, start: Any) -> Decay | None:
        lam, gamma = balls.real(self.lam), balls.real(self.gamma)
        return Decay(3 * lam * gamma, -1.0, balls.real(0)) if start > 2 * gamma else None
