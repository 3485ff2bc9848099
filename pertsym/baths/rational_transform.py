"""P(w) in closed form where J is rational: Drude-Lorentz and underdamped, any temperature.

With the poles p of J in the upper half-plane, their residues r, tau = 2 pi/beta and
D(z) = psi(1 - iz/tau) + a constant that drops out,

    boson:      P(w) = 2 pi Im sum r/(w - p) + 2 tau Im sum (r/p)/(w - p)
                       - 2 J(w) Re D(w) + 4 Re sum r D(p)/(w - p),
    classical:  P(w) = 4 pi T Im sum (r/p)/(w - p).

It follows from pi coth(pi x) = 1/x + i [psi(1 - ix) - psi(1 + ix)], whose two digammas are
analytic in the upper and lower half-plane.  The constant is chosen as log(tau/Lambda), which
makes D finite at T = 0 (D = log(-iz/Lambda)) and free of cancellation near it: one formula
serves all temperatures.  Derivatives come from the jet.
"""

from __future__ import annotations

from typing import Any, Protocol

import mpmath
import numpy as np

from pertsym.baths import jets
from pertsym.baths.densities import DrudeLorentz, Underdamped
from pertsym.baths.jets import EPS, Jet

_SHIFT = 12  # psi is moved up so far before its asymptotic series is used
_BERNOULLI = tuple(float(mpmath.bernoulli(k)) for k in range(2, 28, 2))


def rational_transform(
    density: DrudeLorentz | Underdamped, classical: bool, beta: Any, w: Jet
) -> Jet:
    """P as a jet in w (real, any sign); parameters, beta and w broadcast."""
    poles: _Poles = (
        _DrudePoles(density) if isinstance(density, DrudeLorentz) else _TwoPoles(density)
    )
    if classical:
        return poles.lowered_sum(w).imag.scaled(4 * np.pi / beta)
    tau = 2 * np.pi / np.asarray(beta, dtype=float)
    weighted = poles.weighted_sum(w, tau)
    local = shifted_digamma(w * (-1j) + tau, tau, poles.scale).real
    return (
        poles.plain_sum(w).imag.scaled(2 * np.pi)
        + poles.lowered_sum(w).imag.scaled(2 * tau)
        - density.jet(w) * local * 2.0
        + weighted.real * 4.0
    )


def shifted_digamma(u: Jet, tau: Any, scale: Any) -> Jet:
    """psi(u/tau) + log(tau/scale) for Re u >= tau; tau = 0 is its limit log(u/scale)."""
    total = jets.constant(0.0, u)
    for j in range(_SHIFT):
        total = total - jets.reciprocal(u + j * tau).scaled(tau)
    far = u + _SHIFT * tau
    ratio = jets.reciprocal(far).scaled(tau)
    square = ratio * ratio
    series = jets.constant(0.0, u)
    for k in range(len(_BERNOULLI), 0, -1):
        series = series * square + _BERNOULLI[k - 1] / (2 * k)
    return total + jets.log(far / scale) - ratio * 0.5 - series * square


class _Poles(Protocol):
    """Sums over the poles p of J in the upper half-plane, r their residues."""

    @property
    def scale(self) -> Any: ...
    def plain_sum(self, w: Jet) -> Jet:
        """sum r/(w - p)"""
        ...

    def lowered_sum(self, w: Jet) -> Jet:
        """sum (r/p)/(w - p)"""
        ...

    def weighted_sum(self, w: Jet, tau: Any) -> Jet:
        """sum r D(p)/(w - p)"""
        ...


class _DrudePoles:
    """J = 2 lam gamma w/(gamma^2 + w^2): p = i gamma, r = lam gamma."""

    def __init__(self, density: DrudeLorentz) -> None:
        self.scale = np.asarray(density.gamma, dtype=float)
        self._lam = np.asarray(density.lam, dtype=float)

    def plain_sum(self, w: Jet) -> Jet:
        return jets.reciprocal(w - 1j * self.scale).scaled(self._lam * self.scale)

    def lowered_sum(self, w: Jet) -> Jet:
        return jets.reciprocal(w - 1j * self.scale).scaled(-1j * self._lam)

    def weighted_sum(self, w: Jet, tau: Any) -> Jet:
        at_pole = _digamma_at(1j * self.scale, tau, self.scale, w)
        return at_pole * self.plain_sum(w)


class _TwoPoles:
    """J = lam^2 gamma w/[(w0^2 - w^2)^2 + gamma^2 w^2]: r = +-lam^2/(2i(p1 - p2)).

    The distances w - p are built from w -+ w0, which is exact near a narrow resonance.
    """

    def __init__(self, density: Underdamped) -> None:
        self.scale = w0 = np.asarray(density.w0, dtype=float)
        gamma = np.asarray(density.gamma, dtype=float)
        self._w0, self._gamma = w0, gamma
        self._strength = np.asarray(density.lam, dtype=float) ** 2 / 2j
        root = np.sqrt(np.abs((2 * w0 - gamma) * (2 * w0 + gamma)))
        damped = gamma >= 2 * w0
        high = 1j * (gamma + root) / 2
        under = (root + 1j * gamma) / 2
        self._first = np.where(damped, high, under)
        self._second = np.where(damped, -(w0**2) / high, -np.conj(under))
        self._split = np.where(damped, 1j * root, root + 0j)
        # w0 - Re p without cancellation
        self._red_shift = np.where(damped, w0, gamma**2 / (4 * (w0 + root / 2)))

    def _distances(self, w: Jet) -> tuple[Jet, Jet]:
        result = []
        for side, pole in ((1, self._first), (-1, self._second)):
            distance = ((w - side * self._w0) + side * self._red_shift) - 1j * pole.imag
            rounding = 4 * EPS * (np.abs(self._red_shift) + np.abs(pole.imag))
            result.append(_with_extra_error(distance, rounding))
        return result[0], result[1]

    def plain_sum(self, w: Jet) -> Jet:
        first, second = self._distances(w)
        return jets.reciprocal(first * second).scaled(self._strength)

    def lowered_sum(self, w: Jet) -> Jet:
        return (self.plain_sum(w) * (w - 1j * self._gamma)).scaled(1 / self._w0**2)

    def weighted_sum(self, w: Jet, tau: Any) -> Jet:
        first, second = self._distances(w)
        terms = [
            _digamma_at(pole, tau, self.scale, w) * jets.reciprocal(distance)
            for pole, distance in ((self._first, first), (self._second, second))
        ]
        return (terms[0] - terms[1]).scaled(self._strength / self._split)


def _digamma_at(pole: Any, tau: Any, scale: Any, like: Jet) -> Jet:
    """D(p), a constant jet; p is known to a few units in the last place."""
    u = Jet((-1j * pole + tau,), (8 * EPS * (np.abs(pole) + tau),))
    d = shifted_digamma(u, np.asarray(tau), scale)
    zeros = (0.0,) * like.order
    return Jet((d.c[0], *zeros), ((d.e or (0.0,))[0], *zeros))


def _with_extra_error(jet: Jet, extra: Any) -> Jet:
    errors = jet.e or ()
    return Jet(jet.c, (errors[0] + extra, *errors[1:]))
