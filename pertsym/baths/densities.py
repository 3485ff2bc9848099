"""Spectral densities J(w), w > 0, as immutable values.

Convention: C(t) = (1/pi) int_0^inf dw J(w) [coth(beta w/2) cos wt - i sin wt] for a boson bath,
so that Ĉ(w > 0) = 2 J(w) [n(w) + 1].  Names of parameters as in QuTiP's environments.

Every density can be evaluated as a jet (value and derivatives with error bounds in double
precision, or any precision and complex argument with mpmath), and tells its behaviour at small
and large w, from which divergences are decided.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import mpmath
import numpy as np

from pertsym.baths import balls, jets
from pertsym.baths.balls import Ball, Decay
from pertsym.baths.checks import require_real
from pertsym.baths.density import Density, Evaluation
from pertsym.baths.exponentials import Exponentials
from pertsym.baths.jets import Jet
from pertsym.baths.spin_surrogate import SpinSurrogate
from pertsym.baths.table import Table

if TYPE_CHECKING:
    from pertsym.baths.expression_balls import ExpressionBalls
    from pertsym.baths.expression_continuation import ExpressionContinuation
    from pertsym.baths.expression_jet import ExpressionJet
    from pertsym.model.expression import Expression

__all__ = [
    "DENSITIES",
    "BathDensity",
    "Density",
    "DrudeLorentz",
    "Exponentials",
    "ExpressionDensity",
    "Ohmic",
    "SpinSurrogate",
    "Table",
    "Underdamped",
]


def _like(parameter: Any, w: Jet) -> Any:
    """A parameter as the kind of number that the jet holds; floats are taken as exact."""
    return parameter if w.e is not None else mpmath.mpf(parameter)


def _size(parameter: Any) -> float:
    """One representative number of a parameter that may be an array."""
    return float(np.max(np.asarray(parameter, dtype=float)))


def _along(parameter: Any) -> Any:
    """A parameter with an axis for frequencies behind its own, if it is an array."""
    return np.asarray(parameter, dtype=float)[..., None] if np.ndim(parameter) else parameter


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
        return _size(self.wc)

    @property
    def features(self) -> tuple[tuple[float, float], ...]:
        s, wc = _size(self.s), _size(self.wc)
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
        return (140 + 10 * _size(self.s)) * _size(self.wc)

    def continued(self, w: Any) -> Any:
        x = w / _along(self.wc)
        return _along(self.alpha) * _along(self.wc) * x ** _along(self.s) * np.exp(-x)

    def jet(self, w: Jet) -> Jet:
        return self._power_times_cutoff(w, 0)

    def reduced_jet(self, w: Jet) -> Jet:
        return self._power_times_cutoff(w, 1).scaled(1 / _like(self.wc, w))

    def _power_times_cutoff(self, w: Jet, lowered: int) -> Jet:
        wc = _like(self.wc, w)
        x = w / wc
        shape = jets.power(x, _like(self.s, w) - lowered) * jets.exp(-x)
        return shape.scaled(_like(self.alpha, w) * wc)

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
        return _size(self.gamma)

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
        return _size(self.gamma)

    def continued(self, w: Any) -> Any:
        gamma = _along(self.gamma)
        x = w / gamma
        return 2 * _along(self.lam) * x / ((1 + 1j * x) * (1 - 1j * x))

    def jet(self, w: Jet) -> Jet:
        return w * self.reduced_jet(w)

    def reduced_jet(self, w: Jet) -> Jet:
        gamma = _like(self.gamma, w)
        x = w / gamma
        return jets.reciprocal(x * x + 1.0).scaled(2 * _like(self.lam, w) / gamma)

    leading = 1.0

    def core(self, w: Ball, piece: int = 0) -> Ball:
        lam, gamma = balls.real(self.lam), balls.real(self.gamma)
        pole = balls.imaginary(gamma)
        # one division for each pole: a product of wide balls would hold 0
        return 2 * lam * gamma / (w - pole) / (w + pole)

    def decay(self, start: Any) -> Decay | None:
        lam, gamma = balls.real(self.lam), balls.real(self.gamma)
        return Decay(3 * lam * gamma, -1.0, balls.real(0)) if start > 2 * gamma else None


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
        w0, gamma = _size(self.w0), _size(self.gamma)
        if gamma <= 2 * w0:
            return w0
        return 2 * w0 / (gamma / w0 + float(np.sqrt((gamma / w0 - 2) * (gamma / w0 + 2))))

    @property
    def features(self) -> tuple[tuple[float, float], ...]:
        w0, gamma = _size(self.w0), _size(self.gamma)
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
        strength = _along(self.lam) ** 2 * _along(self.gamma)
        return strength * w / ((w - first) * (w - second) * (w + first) * (w + second))

    def jet(self, w: Jet) -> Jet:
        return w * self.reduced_jet(w)

    def reduced_jet(self, w: Jet) -> Jet:
        # in units of w0: no overflow
        w0, gamma = _like(self.w0, w), _like(self.gamma, w)
        x, ratio = w / w0, gamma / w0
        detuning = _one_minus_square(x, (w0 - w) / w0)
        friction = x * ratio
        strength = (_like(self.lam, w) / w0) ** 2 * ratio / w0
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


@dataclass(frozen=True)
class ExpressionDensity(Evaluation):
    """J(w) given by a formula, with Ĉ(w > 0) = 2 J(w) [n(w) + 1].

    Parameters
    ----------
    expression : pertsym.model.expression.Expression
        The parsed formula; it is evaluated by a walk over its tree, never as Python.

    Raises
    ------
    ValueError
        From the attributes, if the behaviour at small or large w cannot be decided.
    """

    expression: Expression

    @cached_property
    def _program(self) -> ExpressionJet:
        from pertsym.baths.expression_jet import ExpressionJet

        return ExpressionJet(self.expression)

    @property
    def infrared_power(self) -> float:
        return self._program.infrared_power

    @property
    def kink_power(self) -> float:
        return self._program.kink_power

    @property
    def ultraviolet_power(self) -> float:
        return self._program.ultraviolet_power

    @property
    def scale(self) -> float:
        return self._program.scale

    @property
    def features(self) -> tuple[tuple[float, float], ...]:
        return self._program.features

    @property
    def edges(self) -> tuple[tuple[float, float], ...]:
        return self._program.edges

    @property
    def end(self) -> float:
        """J is exactly 0 beyond; inf if it is not."""
        return self._program.end

    def jet(self, w: Jet) -> Jet:
        return self._program.jet(w)

    def reduced_jet(self, w: Jet) -> Jet:
        return self._program.reduced_jet(w)

    @property
    def leading(self) -> float:
        return self._balls.leading

    def core(self, w: Ball, piece: int = 0) -> Ball:
        return self._balls.core(w)

    def decay(self, start: Any) -> Decay | None:
        return self._balls.decay(start)

    @cached_property
    def continues(self) -> bool:
        """Whether the formula is seen to be analytic below the axis but for poles, and tried."""
        if not self._continuation.readable or self.edges:
            return False
        powers = self.infrared_power, self.ultraviolet_power
        if math.isinf(powers[0]) or powers[1] >= 0 or not self.expression.sympy_expr.free_symbols:
            return False
        return self._continuation.is_sure(self)

    @property
    def axis(self) -> float:
        return self._continuation.axis

    @cached_property
    def reach(self) -> float:
        return self._continuation.reach(self.scale, math.isinf(self.ultraviolet_power))

    @cached_property
    def resonances(self) -> tuple[Any, Any]:
        return self._continuation.resonances()

    def continued(self, w: Any) -> Any:
        return self._continuation.at(w)[0]

    @cached_property
    def _continuation(self) -> ExpressionContinuation:
        from pertsym.baths.expression_continuation import ExpressionContinuation

        return ExpressionContinuation(*self._program.analytic)

    @cached_property
    def _balls(self) -> ExpressionBalls:
        from pertsym.baths.expression_balls import ExpressionBalls

        return ExpressionBalls(self.expression, self.infrared_power)


BathDensity = (
    Ohmic | DrudeLorentz | Underdamped | ExpressionDensity | Table | Exponentials | SpinSurrogate
)
"""Every value that a bath may have."""

DENSITIES: Final[dict[str, type[BathDensity]]] = {
    "ohmic": Ohmic,
    "drude-lorentz": DrudeLorentz,
    "underdamped": Underdamped,
    "expression": ExpressionDensity,
    "table": Table,
    "exponentials": Exponentials,
}
"""The kinds of `spectral_density` in a model file."""
