"""P continued into the complex plane at any precision, from any piece of the real line.

F(z) = int dw Ĉ(w)/(w - z) is analytic above the axis, where P + i pi Ĉ is its boundary value; P
continues upwards from a piece of the axis as F - i pi Ĉ, and downwards by reflection.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import mpmath

from pertsym.baths import jets
from pertsym.baths.densities import DrudeLorentz, Exponentials, Underdamped
from pertsym.baths.integrand import SMOOTH
from pertsym.baths.thermal_spectrum import ThermalSpectrum
from pertsym.exact import exact_mpf

Values = Callable[[Any, float, int], Any]
"""P(z), or P'(z), from z, the reference and the order of the derivative."""


@dataclass(frozen=True)
class TransformMp:
    """P and P' of one bath with scalar parameters."""

    spectrum: ThermalSpectrum
    _rules: dict[int, _Rule] = field(default_factory=dict, compare=False, repr=False)

    def value(self, z: Any, reference: float) -> Any:
        """P(z), continued from the piece of the axis that holds the reference."""
        return self._at(z, reference, 0)

    def slope(self, w: Any) -> Any:
        """P'(w) at real w."""
        return mpmath.re(self._at(mpmath.mpf(w), float(w), 1))

    def _at(self, z: Any, reference: float, derivative: int) -> Any:
        if self._closed is not None:
            value = self._closed(z, reference, derivative)
        elif mpmath.im(z) < 0:
            return mpmath.conj(self._at(mpmath.conj(z), reference, derivative))
        else:
            value = self._rule.transform(z, derivative)
            if mpmath.im(z) > 0:
                side = 1 if reference > 0 else -1
                jet = self.spectrum.jet_mp(jets.variable(mpmath.mpc(z), derivative), side)
                value -= 1j * mpmath.pi * jet.c[derivative]
        return mpmath.re(value) if mpmath.im(z) == 0 else value

    @property
    def _rule(self) -> _Rule:
        precision = mpmath.mp.prec
        if precision not in self._rules:
            self._rules[precision] = _Rule.of(self.spectrum)
        return self._rules[precision]

    @cached_property
    def _closed(self) -> Values | None:
        match self.spectrum.density:
            case Exponentials() as density:
                return _exponentials(density)
            case DrudeLorentz() | Underdamped() as density:
                distinct = isinstance(density, DrudeLorentz) or density.gamma != 2 * density.w0
                return _rational(self.spectrum, density) if distinct else None
        return None


def _exponentials(density: Exponentials) -> Values:
    def at(z: Any, reference: float, derivative: int) -> Any:
        del reference
        total = mpmath.mpc(0)
        for c, nu in zip(density.c, density.nu, strict=True):
            for sign in (1, -1):  # i pi [G(z) - conj G(conj z)]
                rate = mpmath.mpc(exact_mpf(nu.real), sign * exact_mpf(nu.imag))
                weight = mpmath.mpc(exact_mpf(c.real), sign * exact_mpf(c.imag))
                pole = 1 / (rate - sign * 1j * z)
                total += 1j * weight * pole**2 if derivative else sign * weight * pole
        return 1j * mpmath.pi * total

    return at


def _rational(spectrum: ThermalSpectrum, density: DrudeLorentz | Underdamped) -> Values:
    """The formula of `rational_transform` with digammas of complex arguments."""
    classical = spectrum.statistics == "classical"
    poles: dict[int, list[tuple[Any, Any]]] = {}  # by precision

    def at(z: Any, reference: float, derivative: int) -> Any:
        z = mpmath.mpc(z)
        precision = mpmath.mp.prec
        if precision not in poles:
            poles[precision] = _weighted_poles(spectrum, density)
        total = mpmath.mpc(0)
        if not classical:
            jet = density.jet(jets.variable(z, derivative)).c
            total -= 2 * jet[derivative] * _local(spectrum, z, reference, 0)
            if derivative:
                total -= 2 * jet[0] * _local(spectrum, z, reference, 1)
        for p, weight in poles[precision]:
            for pole, a in ((p, weight), (mpmath.conj(p), mpmath.conj(weight))):
                total += (-1) ** derivative * a / (z - pole) ** (1 + derivative) / 2
        return total

    return at


def _tau(spectrum: ThermalSpectrum) -> Any:
    """2 pi T."""
    cold = spectrum.zero_temperature
    return mpmath.mpf(0) if cold else 2 * mpmath.pi / mpmath.mpf(spectrum.beta)


def _local(spectrum: ThermalSpectrum, z: Any, reference: float, derivative: int) -> Any:
    """Re psi(1 - iw/tau) + log tau continued from real w, or its derivative; log|w| at T = 0."""
    tau = _tau(spectrum)
    if not tau:
        return 1 / z if derivative else mpmath.log(z if reference > 0 else -z)
    plus = mpmath.psi(derivative, 1 - 1j * z / tau)
    minus = mpmath.conj(plus) if z.imag == 0 else mpmath.psi(derivative, 1 + 1j * z / tau)
    if derivative:
        return 1j / (2 * tau) * (minus - plus)
    return (plus + minus) / 2 + mpmath.log(tau)


def _weighted_poles(
    spectrum: ThermalSpectrum, density: DrudeLorentz | Underdamped
) -> list[tuple[Any, Any]]:
    """Poles p of J in the upper half-plane, and a of the terms Re a/(w - p) of P."""
    poles, tau = _poles(density), _tau(spectrum)
    if spectrum.statistics == "classical":
        return [(p, -2j * tau * r / p) for p, r in poles]
    found = []
    for p, r in poles:
        digamma = mpmath.log(-1j * p)
        if tau:
            digamma = mpmath.psi(0, 1 - 1j * p / tau) + mpmath.log(tau)
        # Im a/(w - p) is Re of -i a/(w - p)
        found.append((p, -2j * mpmath.pi * r - 2j * tau * r / p + 4 * r * digamma))
    return found


def _poles(density: DrudeLorentz | Underdamped) -> list[tuple[Any, Any]]:
    """Poles of J in the upper half-plane with their residues."""
    if isinstance(density, DrudeLorentz):
        gamma = mpmath.mpf(density.gamma)
        return [(1j * gamma, mpmath.mpf(density.lam) * gamma)]
    w0, gamma = mpmath.mpf(density.w0), mpmath.mpf(density.gamma)
    root = mpmath.sqrt(mpmath.mpc(4 * w0**2 - gamma**2))
    first, second = (root + 1j * gamma) / 2, (-root + 1j * gamma) / 2
    strength = mpmath.mpf(density.lam) ** 2 / 2j
    return [(first, strength / (first - second)), (second, strength / (second - first))]


@dataclass(frozen=True)
class _Rule:
    """Trapezoidal nodes w_j and weights Ĉ(w_j) dw_j on paths below the axis, in fixed point.

    Each piece (a, b) of the axis is run through by (w - a)/(b - w) = e^(t - i angle), t real, and
    the same with b = +-inf: the poles of the kernel, at the angle 0 or above, keep their distance
    however close they come to an end of the piece.
    """

    bits: int
    nodes: tuple[tuple[int, int, int, int], ...]

    @classmethod
    def of(cls, spectrum: ThermalSpectrum) -> _Rule:
        bits = 2 * mpmath.mp.prec + 40
        with mpmath.workprec(mpmath.mp.prec + 20):
            cuts = sorted({p.position for p in spectrum.points if p.regularity < SMOOTH} | {0.0})
            found: list[tuple[Any, Any]] = []
            if not spectrum.zero_temperature:
                found += _half_line(spectrum, cuts[0], -1)
            found += _half_line(spectrum, cuts[-1], 1)
            for low, high in pairwise(cuts):
                found += _between(spectrum, low, high)
            scaled = [
                tuple(int(mpmath.ldexp(x, bits)) for x in (w.real, w.imag, v.real, v.imag))
                for w, v in found
            ]
        return cls(bits, tuple((a, b, c, d) for a, b, c, d in scaled))

    def transform(self, z: Any, derivative: int) -> Any:
        """F(z) or F'(z) for z on or above the axis."""
        z, bits = mpmath.mpc(z), self.bits
        x, y = (int(mpmath.ldexp(part, bits)) for part in (z.real, z.imag))
        re = im = 0
        for a, b, c, d in self.nodes:
            dx, dy = a - x, b - y
            square = dx * dx + dy * dy
            if not square:
                continue
            u, v = ((c * dx + d * dy) << bits) // square, ((d * dx - c * dy) << bits) // square
            if derivative:  # once more over w - z
                u, v = ((u * dx + v * dy) << bits) // square, ((v * dx - u * dy) << bits) // square
            re += u
            im += v
        return mpmath.mpc(re, im) * mpmath.ldexp(1, -bits)


def _step(angle: Any) -> Any:
    """Trapezoidal step whose error is below the working precision, e^(-2 pi angle/step)."""
    return 2 * mpmath.pi * angle / (mpmath.mp.prec * mpmath.log(2))


def _half_line(spectrum: ThermalSpectrum, cut: float, side: int) -> list[tuple[Any, Any]]:
    """From a cut to side * infinity."""
    angle = _angle(spectrum, cut, side)
    turn = mpmath.expj(-side * angle) * side

    def node(t: Any) -> tuple[Any, Any]:
        distance = turn * mpmath.exp(t) * spectrum.scale
        w = cut + distance
        value = spectrum.jet_mp(jets.variable(w, 0), side).c[0]
        return w, side * value * distance

    return _walk(node, _step(angle), spectrum.scale)


def _between(spectrum: ThermalSpectrum, low: float, high: float) -> list[tuple[Any, Any]]:
    angle = min(_angle(spectrum, low, 1), _angle(spectrum, high, -1))
    if spectrum.zero_temperature and high <= 0:
        return []
    middle, length = (low + high) / 2, mpmath.mpf(high) - mpmath.mpf(low)

    def node(t: Any) -> tuple[Any, Any]:
        ratio = mpmath.exp(t - 1j * angle)
        w = mpmath.mpf(low) + length * ratio / (1 + ratio)
        value = spectrum.jet_mp(jets.variable(w, 0), 1 if middle > 0 else -1).c[0]
        return w, value * length * ratio / (1 + ratio) ** 2

    return _walk(node, _step(angle), float(length))


def _angle(spectrum: ThermalSpectrum, cut: float, side: int) -> Any:
    """Half the angle to the nearest resonance of Ĉ, at most pi/4."""
    angles = [math.pi / 4]
    for point in spectrum.points:
        ahead = (point.position - cut) * side
        if point.regularity == SMOOTH and 0 < point.width < math.inf and ahead > 0:
            angles.append(math.atan2(point.width, ahead) / 2)
    return mpmath.mpf(min(angles))


def _walk(node: Callable[[Any], tuple[Any, Any]], step: Any, scale: float) -> list[tuple[Any, Any]]:
    """Nodes both ways from t = 0 until the weights over w have vanished."""
    found: list[tuple[Any, Any]] = []
    largest = mpmath.mpf(0)
    for direction in (1, -1):
        k, small = (0 if direction > 0 else 1), 0
        while small < 8:
            w, weight = node(direction * k * step)
            weight *= step
            size = abs(weight) / max(abs(w), scale)
            largest = max(largest, size)
            small = small + 1 if size <= mpmath.mp.eps * largest and k * step > 3 else 0
            found.append((w, weight))
            k += 1
    return found
