"""The spectrum Ĉ of a bath in ball arithmetic, and its transform where that has a closed form.

Boson bath: Ĉ(w > 0) = 2 J(w) [n(w) + 1].  L(z) = int dw Ĉ(w)/(w - z) over a path above z.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal, NamedTuple, cast

import flint

from pertsym.baths import balls
from pertsym.baths.balls import Ball, Decay
from pertsym.baths.densities import Exponentials
from pertsym.baths.panels import End
from pertsym.baths.thermal_spectrum import ThermalSpectrum
from pertsym.exact import exact_rational

Kind = Literal["CC", "CP"]
"""Which X_B: the spectrum or the transform."""

_I = flint.acb(0, 1)


class _Piece(NamedTuple):
    """The half axis of a piece, 0 if it holds w = 0; whether Ĉ = 0 there; which piece of J."""

    side: int
    vanishes: bool
    part: int


@dataclass(frozen=True, eq=False)
class SpectrumBalls:
    """Ĉ of one bath with scalar parameters, a `contour.Function`."""

    thermal: ThermalSpectrum

    @cached_property
    def cuts(self) -> tuple[Any, ...]:
        density = self.thermal.density
        if isinstance(density, Exponentials):
            return ()
        cold = self.is_cold
        edges = [balls.rational(w) for w, _ in density.edges]
        zero = [flint.fmpq(0)] if cold or density.kink_power < float("inf") else []
        return (*([] if cold else (-w for w in reversed(edges))), *zero, *edges)

    @property
    def kinks(self) -> tuple[Any, ...]:
        """Where neither it nor its transform is analytic."""
        return self.cuts

    @cached_property
    def is_cold(self) -> bool:
        return self.thermal.zero_temperature

    @cached_property
    def reach(self) -> float:
        points = self.thermal.points
        return max(min(points, key=lambda p: abs(p.position)).reach, self.thermal.scale * 1e-6)

    @cached_property
    def _pieces(self) -> tuple[_Piece, ...]:
        density, found = self.thermal.density, []
        if isinstance(density, Exponentials):
            return (_Piece(0, False, 0),)
        edges = [balls.rational(w) for w, _ in density.edges]
        for x in inside(self.cuts):
            side, part = (x > 0) - (x < 0), sum(1 for w in edges if abs(x) > w)
            beyond = density.end < float("inf") and part == len(edges)
            found.append(_Piece(side, beyond or (self.is_cold and side < 0), part))
        return tuple(found)

    def vanishes(self, piece: int) -> bool:
        return self._pieces[piece].vanishes

    @cached_property
    def _exponents(self) -> list[tuple[Any, Any]]:
        return exponents(cast(Exponentials, self.thermal.density))

    def value(self, z: Ball, piece: int) -> Ball:
        if isinstance(self.thermal.density, Exponentials):
            terms = [
                c / (nu - _I * z) + c.conjugate() / (nu.conjugate() + _I * z)
                for c, nu in self._exponents
            ]
            return sum(terms, 0 * z)
        side, vanishes, part = self._pieces[piece]
        if vanishes:
            return 0 * z
        y = -z if side < 0 else z
        power, regular = self._power, self._regular(z, y, part)
        return regular if power == 0 else balls.power(y, power) * regular

    @cached_property
    def _power(self) -> float:
        return self.thermal.density.leading - (0 if self.is_cold else 1)  # type: ignore[union-attr]

    def _regular(self, z: Ball, y: Ball, part: int) -> Ball:
        """Ĉ/y^power, y = |w|."""
        core = 2 * self.thermal.density.core(y, part)  # type: ignore[union-attr]
        return core if self.is_cold else core * self._occupied(z)

    def _occupied(self, w: Ball) -> Ball:
        """w [n(w) + 1], or T in a classical bath."""
        if self.thermal.statistics == "classical":
            return self._temperature
        return balls.bose(w * self._beta) * self._temperature

    @cached_property
    def _beta(self) -> Any:
        return balls.real(self.thermal.beta)

    @cached_property
    def _temperature(self) -> Any:
        return 1 / self._beta

    def analytic(self, box: Any, piece: int) -> bool:
        return bool(self.value(box, piece).is_finite())

    def end(self, b: Any, side: int) -> End:
        piece, density = self.piece(b, side), self.thermal.density
        if b in self.cuts and not isinstance(density, Exponentials):
            if self.vanishes(piece):
                return End(0.0, lambda x: 0 * x)
            if b == 0:
                return End(self._power, lambda x: self._regular(side * x, x, 0))
            sign = 1 if b > 0 else -1
            index = [balls.rational(w) for w, _ in density.edges].index(sign * b)
            power_law = density.edge(index, sign * side)
            if power_law is not None:
                return self._at_break(b, side, *power_law)
        return End(0.0, lambda x: self.value(side * x + b, piece))

    def _at_break(self, b: Any, side: int, power: float, regular: Callable[[Ball], Ball]) -> End:
        """Ĉ = 2 J(|w|) (n + 1) where J follows a power of the distance."""
        if self.is_cold:
            return End(power, lambda x: 2 * regular(x))
        sign = 1 if b > 0 else -1

        def factor(x: Ball) -> Ball:
            w = side * x + b
            return self._occupied(w) / (sign * w)

        return End(power, lambda x: 2 * regular(x) * factor(x))

    def piece(self, b: Any, side: int) -> int:
        """The piece on one side of a real point; with side 0, b is no cut."""
        return sum(1 for c in self.cuts if c < b or (c == b and side > 0))

    def beyond(self, b: Any, side: int, start: Any) -> Decay | None:
        start, away = balls.real(start), abs(balls.real(b))
        if not start > 8 * away:
            return None
        decay = self._decay(side, start - away)
        if decay is None:
            return None
        # |w| between 99/100 d and 5/4 d, Re w >= d - |b|
        stretch = flint.arb(5) / 4 if decay.power > 0 else flint.arb(99) / 100
        size = decay.size * stretch ** balls.real(decay.power) * (decay.rate * away).exp()
        return Decay(size, decay.power, decay.rate)

    def _decay(self, side: int, start: Any) -> Decay | None:
        """A bound of |Ĉ| towards side * infinity."""
        thermal, density = self.thermal, self.thermal.density
        if isinstance(density, Exponentials):
            largest = max((abs(nu) for _, nu in self._exponents), key=float)
            total = sum((abs(c) for c, _ in self._exponents), flint.arb(0))
            return Decay(4 * total, -1.0, flint.arb(0)) if start > 2 * largest else None
        if side < 0 and self.is_cold:
            return Decay(flint.arb(0), 0.0, flint.arb(0))
        plain = density.decay(start)
        if plain is None or self.is_cold:
            return plain and plain._replace(size=2 * plain.size)
        if thermal.statistics == "classical":
            return Decay(2 * plain.size * self._temperature, plain.power - 1, plain.rate)
        damped = (-self._beta * start * 7 / 10).exp()  # Re w >= 7/10 |w|
        rate = plain.rate if side > 0 else plain.rate + self._beta
        return Decay(2 * plain.size / (1 - damped), plain.power, rate)


def inside(cuts: tuple[Any, ...]) -> list[Any]:
    """A point of every piece."""
    if not cuts:
        return [flint.fmpq(0)]
    return [cuts[0] - 1, *((x + y) / 2 for x, y in pairwise(cuts)), cuts[-1] + 1]


def exponents(density: Exponentials) -> list[tuple[Any, Any]]:
    def number(z: complex) -> Any:
        parts = (exact_rational(z.real), exact_rational(z.imag))
        return flint.acb(*(flint.arb(balls.rational(x)) for x in parts))

    return [(number(c), number(nu)) for c, nu in zip(density.c, density.nu, strict=True)]


class ClosedTransform:
    """L(z) = conj H(conj z), where H(z) = int dw Ĉ(w)/(w - z) above the axis is elementary.

    With J = sum_p r_p/(w - p) over poles above the axis and their conjugates, H is closed below,
    and every pole adds

        -2 pi i r {[1 + coth(beta p/2)] below, 2/(beta step) (psi(1 - i p/step) - psi(1 - i z/step))
        times -i}/(p - z),   step = 2 pi/beta,

    a logarithm in place of the digamma at T = 0.  What is below alone is left in a classical bath,
    and in one with C(t) = sum c e^(-nu t), H = sum 2 pi c/(-i nu - z).
    """

    def __init__(self, thermal: ThermalSpectrum) -> None:
        density = thermal.density
        self._cold = thermal.zero_temperature
        self._scale = flint.acb(0)
        self._terms: list[tuple[Any, Any, Any]] = []
        """(pole, factor of the digamma or the logarithm, constant beside it)"""
        pi, two_pi_i = flint.arb.pi(), 2 * _I * flint.arb.pi()
        zero = flint.acb(0)
        if isinstance(density, Exponentials):
            self._terms = [(-_I * nu, zero, 2 * pi * c) for c, nu in exponents(density)]
            self.is_rational = True
            return
        self.is_rational = not self._cold and thermal.statistics == "classical"
        beta = balls.real(thermal.beta)
        for p, r in density.upper_poles or ():
            for pole, residue, lower in ((p, r, False), (p.conjugate(), r.conjugate(), True)):
                if self._cold:
                    self._terms.append((pole, 2 * residue, -2 * residue * balls.log(-pole)))
                elif self.is_rational:
                    if lower:
                        self._terms.append((pole, zero, -two_pi_i * 2 * residue / (beta * pole)))
                else:
                    thermal_part = 2 + 2 / ((beta * pole).exp() - 1) if lower else zero
                    self._scale = -_I * beta / (2 * pi)
                    factor = two_pi_i * residue * -_I / pi
                    inner = (1 + self._scale * pole).digamma()
                    constant = -two_pi_i * residue * thermal_part - factor * inner
                    self._terms.append((pole, factor, constant))

    @classmethod
    def of(cls, thermal: ThermalSpectrum) -> ClosedTransform | None:
        """None where J is not rational, or has poles that meet."""
        density = thermal.density
        known = isinstance(density, Exponentials) or density.upper_poles is not None
        return cls(thermal) if known else None

    @property
    def poles(self) -> list[tuple[Any, Any]]:
        """Of Ĉ above the axis, with 2 pi i times the residues, if `is_rational`."""
        return [(pole.conjugate(), constant.conjugate()) for pole, _, constant in self._terms]

    def at(self, z: Any) -> Any:
        """The value for a ball z below the axis or on it, not finite around a pole of J."""
        return self._mirrored(z.conjugate(), z.conjugate()).conjugate()

    def series(self, z: Any, terms: int) -> list[Any]:
        """Taylor coefficients at such a z."""
        z = flint.acb(z).conjugate()
        try:
            found = balls.taylor(lambda x: self._mirrored(x, z), z, 1, terms)
        except ValueError:  # at a pole of J, where the numerator vanishes as well, or at log 0
            return [flint.acb("nan")] * terms
        return [c.conjugate() for c in found]

    def _mirrored(self, x: Ball, place: Any) -> Ball:
        """H at x, a ball or a series from `place`."""
        shared: Any = 0
        if not (self.is_rational or self._cold):
            shared = balls.digamma(1 + self._scale * x)
        elif self._cold:  # above the axis: on the right -x crosses the cut of the logarithm
            right = place.real > 0
            shared = balls.log(x) - _I * flint.arb.pi() if right else balls.log(-x)
        parts = [(factor * shared + c) / (pole - x) for pole, factor, c in self._terms]
        return sum(parts[1:], parts[0])
