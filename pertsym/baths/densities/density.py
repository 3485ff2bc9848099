"""What a spectral density offers to the code that integrates it."""

from __future__ import annotations

from typing import Any, Protocol

import mpmath
import numpy as np

from pertsym.baths import jets
from pertsym.baths.balls import Ball, Decay
from pertsym.baths.jets import Jet


class Density(Protocol):
    """What every density with a J(w) offers.

    Attributes
    ----------
    infrared_power : float
        p of J ~ w^p as w -> 0+; inf if J vanishes faster than every power.
    kink_power : float
        The smallest power in the small-w expansion of J that is not an odd integer; inf if J
        continues to an odd function analytic at 0.
    ultraviolet_power : float
        p of J ~ w^p as w -> inf; -inf if J decays faster than every power.
    scale : float
        A frequency at which J varies.
    features : tuple of (centre, width)
        Where J varies on a scale much smaller than w.
    edges : tuple of (position, regularity)
        Points w > 0 where J is not analytic; J^(regularity) is the first derivative that jumps.
    """

    @property
    def infrared_power(self) -> float: ...
    @property
    def kink_power(self) -> float: ...
    @property
    def ultraviolet_power(self) -> float: ...
    @property
    def scale(self) -> float: ...
    @property
    def features(self) -> tuple[tuple[float, float], ...]: ...
    @property
    def edges(self) -> tuple[tuple[float, float], ...]: ...

    @property
    def continues(self) -> bool:
        """Whether `continued`, and with it `axis`, `reach` and `resonances`, is known."""
        ...

    @property
    def axis(self) -> float:
        """Distance from 0 of the nearest singularity of J on the imaginary axis; inf without."""
        ...

    @property
    def reach(self) -> float:
        """Where J has vanished if it decays exponentially, else where its last power begins."""
        ...

    @property
    def resonances(self) -> tuple[Any, Any]:
        """Poles of J with -pi/2 < arg w < 0 and their residues, shape S + (n,)."""
        ...

    def split(self) -> tuple[Any, Any]:
        """An amplitude that multiplies J, and the density without it."""
        ...

    def continued(self, w: Any) -> Any:
        """J at complex w, Re w >= 0: shape (M,) to S + (M,), S that of the parameters."""
        ...

    def jet(self, w: Jet) -> Jet:
        """J of a jet w > 0."""
        ...

    def reduced_jet(self, w: Jet) -> Jet:
        """J(w)/w of a jet w > 0, without loss of digits at small w."""
        ...

    @property
    def leading(self) -> float:
        """p of J(w) = w^p core(w), the power that `core` leaves out."""
        ...

    def core(self, w: Ball, piece: int = 0) -> Ball:
        """J(w)/w^leading, continued from the piece between two edges; see `baths.balls`.

        Not finite on a ball that meets a singularity; in the first piece also around w = 0 where
        J/w^leading is analytic there.
        """
        ...

    def decay(self, start: Any) -> Decay | None:
        """A bound of J beyond a distance at which it holds; None: not yet at this distance."""
        ...


class Evaluation:
    """Plain values of J, for densities that have a jet; no continuation below the axis."""

    @property
    def continues(self) -> bool:
        return False

    @property
    def reach(self) -> float:
        raise NotImplementedError

    def continued(self, w: Any) -> Any:
        raise NotImplementedError

    def split(self: Any) -> tuple[Any, Any]:
        """An amplitude and the density without it."""
        return 1.0, self

    @property
    def axis(self) -> float:
        return np.inf

    @property
    def resonances(self) -> tuple[Any, Any]:
        return np.empty(0, complex), np.empty(0, complex)

    def at(self: Any, w: Any, derivative: int = 0) -> Any:
        """J or a derivative of it at w > 0 (float or ndarray, or an mpmath number)."""
        if not isinstance(w, (mpmath.mpf, mpmath.mpc)):
            w = np.asarray(w, dtype=float)
        return self.jet(jets.variable(w, derivative)).derivative(derivative)[0]


def like(parameter: Any, w: Jet) -> Any:
    """A parameter as the kind of number that the jet holds; floats are taken as exact."""
    return parameter if w.e is not None else mpmath.mpf(parameter)


def size(parameter: Any) -> float:
    """One representative number of a parameter that may be an array."""
    return float(np.max(np.asarray(parameter, dtype=float)))


def along(parameter: Any) -> Any:
    """A parameter with an axis for frequencies behind its own, if it is an array."""
    return np.asarray(parameter, dtype=float)[..., None] if np.ndim(parameter) else parameter
