"""An algebraic spectral density with an exponential cutoff."""

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
class Ohmic(Evaluation):
    """J(w) = alpha w^s wc^(1-s) exp(-w/wc), with Ĉ(w > 0) = 2 J(w) [n(w) + 1].

    Parameters
    ----------
    alpha : float or ndarray
        Dimensionless strength, >= 0.
    wc : float or ndarray
        Cutoff frequency, > 0.
    s : float or ndarray
        Power, > 0 (1: Ohmic, < 1: sub-Ohmic, > 1: super-Ohmic).

    Raises
    ------
    ValueError
        If a parameter is out of range; the message starts with its name.
    """

    alpha: Any
    wc: Any
    s: Any

    def __post_init__(self) -> None:
        require_real("alpha", self.alpha, positive=False)
        require_real("wc", self.wc, positive=True)
        require_real("s", self.s, positive=True)

    @property
    def infrared_power(self) -> float:
        return float(self.s)

    @property
    def kink_power(self) -> float:
        # w^s (1 - w/wc + ...): an odd s is followed by the even s + 1
        return float(self.s) + (float(self.s) % 2 == 1)

    @property
    def ultraviolet_power(self) -> float:
        return -np.inf

    @property
    def scale(self) -> float:
        return size(self.wc)

    @property
    def features(self) -> tuple[tuple[float, float], ...]:
        s, wc = size(self.s), size(self.wc)
        return ((s * wc, np.sqrt(s) * wc),) if s > 4 else ()

    @property
    def edges(self) -> tuple[tuple[float, float], ...]:
        return ()

    @property
    def continues(self) -> bool:
        return True

    def split(self) -> tuple[Any, Ohmic]:
        return self.alpha, replace(self, alpha=1.0)

    @property
    def reach(self) -> float:
        # e^-x x^s has lost 40 orders of magnitude on the path at 45 degrees to the axis
        return (140 + 10 * size(self.s)) * size(self.wc)

    def continued(self, w: Any) -> Any:
        x = w / along(self.wc)
        return along(self.alpha) * along(self.wc) * x ** along(self.s) * np.exp(-x)

    def jet(self, w: Jet) -> Jet:
        return self._power_times_cutoff(w, 0)

    def reduced_jet(self, w: Jet) -> Jet:
        return self._power_times_cutoff(w, 1).scaled(1 / like(self.wc, w))

    def _power_times_cutoff(self, w: Jet, lowered: int) -> Jet:
        wc = like(self.wc, w)
        x = w / wc
        shape = jets.power(x, like(self.s, w) - lowered) * jets.exp(-x)
        return shape.scaled(like(self.alpha, w) * wc)

    @property
    def leading(self) -> float:
        return float(self.s)

    def core(self, w: Ball, piece: int = 0) -> Ball:
        return self._strength * (w / -balls.real(self.wc)).exp()

    def decay(self, start: Any) -> Decay | None:
        return Decay(self._strength, self.leading, 1 / balls.real(self.wc))

    @property
    def _strength(self) -> Any:
        return balls.real(self.alpha) * balls.real(self.wc) ** (1 - balls.real(self.s))
