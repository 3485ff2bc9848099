"""Spectral densities J(w), w > 0, as immutable values.

Convention: C(t) = (1/pi) int_0^inf dw J(w) [coth(beta w/2) cos wt - i sin wt] for a boson bath,
so that Ĉ(w > 0) = 2 J(w) [n(w) + 1].  Names of parameters as in QuTiP's environments.

Every density can be evaluated as a jet (value and derivatives with error bounds in double
precision, or any precision and complex argument with mpmath), and tells its behaviour at small
and large w, from which divergences are decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import mpmath
import numpy as np

from pertsym.baths import jets
from pertsym.baths.checks import require_real
from pertsym.baths.density import Density, Evaluation
from pertsym.baths.exponentials import Exponentials
from pertsym.baths.jets import Jet
from pertsym.baths.spin_surrogate import SpinSurrogate
from pertsym.baths.table import Table

if TYPE_CHECKING:
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

    def jet(self, w: Jet) -> Jet:
        return self._power_times_cutoff(w, 0)

    def reduced_jet(self, w: Jet) -> Jet:
        return self._power_times_cutoff(w, 1).scaled(1 / _like(self.wc, w))

    def _power_times_cutoff(self, w: Jet, lowered: int) -> Jet:
        wc = _like(self.wc, w)
        x = w / wc
        shape = jets.power(x, _like(self.s, w) - lowered) * jets.exp(-x)
        return shape.scaled(_like(self.alpha, w) * wc)


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

    def jet(self, w: Jet) -> Jet:
        return w * self.reduced_jet(w)

    def reduced_jet(self, w: Jet) -> Jet:
        gamma = _like(self.gamma, w)
        x = w / gamma
        return jets.reciprocal(x * x + 1.0).scaled(2 * _like(self.lam, w) / gamma)


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
