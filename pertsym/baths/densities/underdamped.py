"""The spectral density of a damped mode: a Lorentzian peak."""

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
class Underdamped(Evaluation):
    """J(w) = lam^2 gamma w/[(w0^2 - w^2)^2 + gamma^2 w^2], with Ĉ(w > 0) = 2 J(w) [n(w) + 1].

    Parameters
    ----------
    lam : float or ndarray
        Coupling, >= 0, of dimension frequency^(3/2).
    w0 : float or ndarray
        Frequency of the mode, > 0.
    gamma : float or ndarray
        Its width, > 0; 2 w0 is critical damping.

    Raises
    ------
    ValueError
        If a parameter is out of range; the message starts with its name.
    """

    lam: Any
    w0: Any
    gamma: Any

    def __post_init__(self) -> None:
        require_real("lam", self.lam, positive=False)
        require_real("w0", self.w0, positive=True)
        require_real("gamma", self.gamma, positive=True)

    @property
    def infrared_power(self) -> float:
        return 1.0

    @property
    def kink_power(self) -> float:
        return np.inf

    @property
    def ultraviolet_power(self) -> float:
        return -3.0

    @property
    def scale(self) -> float:
        # the modulus of the pole of J that is nearest to 0
        w0, gamma = size(self.w0), size(self.gamma)
        if gamma <= 2 * w0:
            return w0
        return 2 * w0 / (gamma / w0 + float(np.sqrt((gamma / w0 - 2) * (gamma / w0 + 2))))

    @property
    def features(self) -> tuple[tuple[float, float], ...]:
        w0, gamma = size(self.w0), size(self.gamma)
        centre = float(np.sqrt(max((w0 - gamma / 2) * (w0 + gamma / 2), 0.0)))
        return ((centre, gamma / 2),) if centre > gamma / 2 else ()

    @property
    def edges(self) -> tuple[tuple[float, float], ...]:
        return ()

    @property
    def axis(self) -> float:
        return float(np.min(self.slowest))

    @property
    def slowest(self) -> Any:
        """The modulus of the pole of J that is nearest to 0."""
        return np.abs(self._roots()[1])

    @property
    def continues(self) -> bool:
        return True

    def split(self) -> tuple[Any, Underdamped]:
        return self.lam * self.lam, replace(self, lam=1.0)

    @property
    def reach(self) -> float:
        return float(np.max(np.abs(self._roots()[0])))

    @property
    def resonances(self) -> tuple[Any, Any]:
        """The pole in the lower right quadrant; on the imaginary axis where the mode is overdamped.

        J = lam^2 gamma w/[(w^2 - p^2)(w^2 - p*^2)], so that the residue is i lam^2/(4 Re p).
        """
        pole, _ = self._roots()
        apart = pole.real > 0
        residue = 0.25j * np.asarray(self.lam, dtype=float) ** 2 / np.where(apart, pole.real, 1.0)
        return pole[..., None], np.where(apart, residue, 0.0)[..., None]

    def _roots(self) -> tuple[Any, Any]:
        """Both poles of J below the axis: -p* beside p, or two on the imaginary axis."""
        w0, gamma = (np.asarray(x, dtype=float) for x in (self.w0, self.gamma))
        root = np.asarray(np.sqrt((w0 - gamma / 2) * (w0 + gamma / 2) + 0j))
        fast = -1j * gamma / 2 - 1j * root.imag
        slow = np.where(root.imag > 0, -1j * w0 * (w0 / np.abs(fast)), -root.real - 1j * gamma / 2)
        return root.real + fast, slow

    def continued(self, w: Any) -> Any:
        # factored at its own poles: narrow ones keep their digits
        first, second = (p[..., None] if p.ndim else p for p in self._roots())
        strength = along(self.lam) ** 2 * along(self.gamma)
        return strength * w / ((w - first) * (w - second) * (w + first) * (w + second))

    def jet(self, w: Jet) -> Jet:
        return w * self.reduced_jet(w)

    def reduced_jet(self, w: Jet) -> Jet:
        # in units of w0: no overflow
        w0, gamma = like(self.w0, w), like(self.gamma, w)
        x, ratio = w / w0, gamma / w0
        detuning = _one_minus_square(x, (w0 - w) / w0)
        friction = x * ratio
        strength = (like(self.lam, w) / w0) ** 2 * ratio / w0
        return jets.reciprocal(detuning * detuning + friction * friction).scaled(strength)

    leading = 1.0

    def core(self, w: Ball, piece: int = 0) -> Ball:
        # one division for each pole: a product of wide balls would hold 0
        lam, gamma = balls.real(self.lam), balls.real(self.gamma)
        product = lam * lam * gamma
        for pole in self.upper_poles:
            product = product / (w - pole) / (w - pole.conjugate())
        return product

    @property
    def upper_poles(self) -> tuple[Any, Any]:
        """Poles of J above the real axis, equal at critical damping."""
        w0, gamma = balls.real(self.w0), balls.real(self.gamma)
        root, middle = balls.root(4 * w0 * w0 - gamma * gamma), balls.imaginary(gamma)
        return (middle + root) / 2, (middle - root) / 2

    def decay(self, start: Any) -> Decay | None:
        # |(w0^2 - w^2)^2 + gamma^2 w^2| >= |w|^4 [(1 - 1/16)^2 - 1/16] > 4 |w|^4/5
        lam, w0, gamma = (balls.real(x) for x in (self.lam, self.w0, self.gamma))
        far = start > 4 * w0 and start > 4 * gamma
        return Decay(lam * lam * gamma * 5 / 4, -3.0, balls.real(0)) if far else None


def _one_minus_square(x: Jet, one_minus_x: Jet) -> Jet:
    """1 - x^2: the value factored, exact near x = 1, the derivatives not, exact near x = 0."""
    value, rest = one_minus_x * (1.0 + x), 1.0 - x * x
    if value.e is None or rest.e is None:
        return value
    return Jet((value.c[0], *rest.c[1:]), (value.e[0], *rest.e[1:]))
