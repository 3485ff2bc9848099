"""The spectral density of a damped mode: a Lorentzian peak."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pertsym.baths import balls, jets
from pertsym.baths.balls import Ball, Decay
from pertsym.baths.checks import real
from pertsym.baths.densities.density import Density, DensityCode, along, register, size
from pertsym.baths.exponentials import Exponentials
from pertsym.baths.jets import Jet

_CODE = DensityCode(
    kind="underdamped",
    formula="lam^2 gamma w/[(w0^2 - w^2)^2 + gamma^2 w^2]",
    parameters=("lam", "w0", "gamma"),
    amplitude="lam * lam",
    infrared="1.0",
    kink="INFINITY",
    ultraviolet="-3.0",
    scale="fabs(slow)",
    axis="fabs(slow)",
    reach="fabs(pole)",
    prelude=(
        ("root", "sqrt((w0 - gamma / 2.0) * (w0 + gamma / 2.0) + 0.0 * I)"),
        ("pole", "real(root) - I * (gamma / 2.0 + imag(root))"),
        (
            "slow",
            "where(imag(root) > 0.0, -I * w0 * (w0 / fabs(pole)), -real(root) - I * gamma / 2.0)",
        ),
    ),
    # without the poles, which have no slope where they meet
    continued="gamma * w / (((w - w0) * (w + w0) + I * gamma * w)"
    " * ((w - w0) * (w + w0) - I * gamma * w))",
    resonances=(
        (
            "pole",
            "where(real(pole) > 0.0, 0.25 * I / where(real(pole) > 0.0, real(pole), 1.0), 0.0 * I)",
        ),
    ),
    steps=(
        ("detuning", "(w0 - y) * (w0 + y)"),
        ("friction", "gamma * y"),
        ("below", "detuning * detuning + friction * friction"),
    ),
    reduced="gamma / below",
    slope="-2.0 * y * (gamma * gamma - 2.0 * detuning) / below",
    slope_size="2.0 * y * (gamma * gamma + 2.0 * fabs(detuning)) / below",
    rounding="24.0",
)


@register("underdamped")
@dataclass(frozen=True)
class Underdamped(Density):
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

    lam: Any = field(metadata=real(1.5, positive=False, scales=2))
    w0: Any = field(metadata=real(1))
    gamma: Any = field(metadata=real(1))

    formula = "lam^2 gamma w/[(w0^2 - w^2)^2 + gamma^2 w^2]"
    qutip = "UnderDampedEnvironment"
    code = _CODE

    infrared_power = 1.0
    kink_power = math.inf
    ultraviolet_power = -3.0
    powers_vary = False

    @property
    def scale(self) -> float:
        # the modulus of the pole of J that is nearest to 0
        w0, gamma = size(self.w0), size(self.gamma)
        if gamma <= 2 * w0:
            return w0
        return 2 * w0 / (gamma / w0 + float(np.sqrt((gamma / w0 - 2) * (gamma / w0 + 2))))

    @property
    def kink_scale(self) -> Any:
        # beside the poles of J, which are at -i times a frequency from critical damping on
        return 1.25 * np.abs(self._roots()[1])

    @property
    def features(self) -> tuple[tuple[float, float], ...]:
        w0, gamma = size(self.w0), size(self.gamma)
        centre = float(np.sqrt(max((w0 - gamma / 2) * (w0 + gamma / 2), 0.0)))
        return ((centre, gamma / 2),) if centre > gamma / 2 else ()

    @property
    def axis(self) -> float:
        return float(np.min(np.abs(self._roots()[1])))

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
        w0, gamma = self.w0, self.gamma
        x, ratio = w / w0, gamma / w0
        detuning = _one_minus_square(x, (w0 - w) / w0)
        friction = x * ratio
        strength = (self.lam / w0) ** 2 * ratio / w0
        return jets.reciprocal(detuning * detuning + friction * friction).scaled(strength)

    leading = 1.0

    def core(self, w: Ball, piece: int = 0) -> Ball:
        # one division for each pole: a product of wide balls would hold 0
        lam, gamma = balls.real(self.lam), balls.real(self.gamma)
        product = lam * lam * gamma
        for pole in self._upper_roots():
            product = product / (w - pole) / (w - pole.conjugate())
        return product

    def _upper_roots(self) -> tuple[Any, Any]:
        """Poles of J above the real axis, equal at critical damping."""
        w0, gamma = balls.real(self.w0), balls.real(self.gamma)
        root, middle = balls.root(4 * w0 * w0 - gamma * gamma), balls.imaginary(gamma)
        return (middle + root) / 2, (middle - root) / 2

    @property
    def upper_poles(self) -> tuple[tuple[Any, Any], ...] | None:
        first, second = self._upper_roots()
        if not abs(first - second) > 0:
            return None
        strength = balls.real(self.lam) ** 2 / balls.imaginary(2 * (first - second))
        return ((first, strength), (second, -strength))

    def decay(self, start: Any) -> Decay | None:
        # |(w0^2 - w^2)^2 + gamma^2 w^2| >= |w|^4 [(1 - 1/16)^2 - 1/16] > 4 |w|^4/5
        lam, w0, gamma = (balls.real(x) for x in (self.lam, self.w0, self.gamma))
        far = start > 4 * w0 and start > 4 * gamma
        return Decay(lam * lam * gamma * 5 / 4, -3.0, balls.real(0)) if far else None

    def classical_exponentials(self, temperature: float) -> Exponentials | None:
        """C(t) = (lam^2 T/w0^2) (nu2 e^{-nu1 t} - nu1 e^{-nu2 t})/(nu2 - nu1); nu1 nu2 = w0^2.

        None close to critical damping, where the two amplitudes cancel.
        """
        lam, w0, gamma = float(self.lam), float(self.w0), float(self.gamma)
        discriminant = (gamma / 2 - w0) * (gamma / 2 + w0)
        if abs(discriminant) < 1e-2 * w0**2:
            return None
        root = math.sqrt(abs(discriminant))
        if discriminant < 0:
            nu1, nu2 = complex(gamma / 2, -root), complex(gamma / 2, root)
        else:
            nu2 = complex(gamma / 2 + root)
            nu1 = w0 * (w0 / nu2)
        strength = lam / w0 * (lam / w0) * temperature / (nu2 - nu1)
        return Exponentials.computed((strength * nu2, -strength * nu1), (nu1, nu2))


def _one_minus_square(x: Jet, one_minus_x: Jet) -> Jet:
    """1 - x^2: the value factored, exact near x = 1, the derivatives not, exact near x = 0."""
    value, rest = one_minus_x * (1.0 + x), 1.0 - x * x
    return Jet((value.c[0], *rest.c[1:]), (value.e[0], *rest.e[1:]))
