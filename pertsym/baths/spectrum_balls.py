"""The spectrum Ĉ of a bath in ball arithmetic, and forms of its transform that are exact.

Boson bath: Ĉ(w > 0) = 2 J(w) [n(w) + 1].  L(z) = int dw Ĉ(w)/(w - z) over a path above z.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

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


@dataclass(frozen=True, eq=False)
class SpectrumBalls:
    """Ĉ of one bath with scalar parameters, a `contour.Function`."""

    thermal: ThermalSpectrum
    _kinds: dict[int, tuple[int, bool, int]] = field(default_factory=dict, repr=False)
    _warmth: dict[int, tuple[Any, Any]] = field(default_factory=dict, repr=False)

    @cached_property
    def cuts(self) -> tuple[Any, ...]:
        density = self.thermal.density
        if isinstance(density, Exponentials):
            return ()
        cold = self.thermal.zero_temperature
        edges = [balls.rational(w) for w, _ in density.edges]
        zero = [flint.fmpq(0)] if cold or density.kink_power < math.inf else []
        return (*([] if cold else (-w for w in reversed(edges))), *zero, *edges)

    @cached_property
    def is_cold(self) -> bool:
        return self.thermal.zero_temperature

    @cached_property
    def reach(self) -> float:
        points = self.thermal.points
        return max(min(points, key=lambda p: abs(p.position)).reach, self.thermal.scale * 1e-6)

    def _side(self, piece: int) -> int:
        """+1 or -1: the half axis of a piece; 0 if it holds w = 0 inside."""
        cuts = self.cuts
        if piece < len(cuts) and cuts[piece] <= 0:
            return -1
        return 1 if piece > 0 and cuts[piece - 1] >= 0 else 0

    def _part(self, piece: int) -> int:
        """Which piece of the density."""
        side, edges = self._side(piece), len(getattr(self.thermal.density, "edges", ()))
        if side == 0 or not edges:
            return 0
        return piece - (len(self.cuts) - edges) if side > 0 else edges - piece

    def vanishes(self, piece: int) -> bool:
        return self._signs(piece)[1]

    def _signs(self, piece: int) -> tuple[int, bool, int]:
        """The half axis of a piece, whether the spectrum vanishes there, which piece of J it is."""
        if piece not in self._kinds:
            density, side, part = self.thermal.density, self._side(piece), self._part(piece)
            beyond = (
                not isinstance(density, Exponentials)
                and density.end < math.inf
                and part == len(density.edges)
            )
            self._kinds[piece] = side, beyond or (self.is_cold and side < 0), part
        return self._kinds[piece]

    def value(self, z: Ball, piece: int) -> Ball:
        density = self.thermal.density
        if isinstance(density, Exponentials):
            return 2 * _half_sided(density, z) - _odd(density, z)
        side, vanishes, part = self._signs(piece)
        if vanishes:
            return 0 * z
        y = -z if side < 0 else z
        power, regular = self._regular(z, y, part)
        return regular if power == 0 else balls.power(y, power) * regular

    def _regular(self, z: Ball, y: Ball, part: int) -> tuple[float, Ball]:
        """Ĉ = y^power regular."""
        thermal, density = self.thermal, self.thermal.density
        assert not isinstance(density, Exponentials)
        core = 2 * density.core(y, part)
        if self.is_cold:
            return density.leading, core
        beta, temperature = self._betas(flint.ctx.prec)
        if thermal.statistics == "classical":
            return density.leading - 1, core * temperature
        return density.leading - 1, core * balls.bose(z * beta) * temperature

    def _betas(self, bits: int) -> tuple[Any, Any]:
        """beta and its inverse as balls at so many bits."""
        if bits not in self._warmth:
            beta = balls.real(self.thermal.beta)
            self._warmth[bits] = beta, 1 / beta
        return self._warmth[bits]

    def analytic(self, box: Any, piece: int) -> bool:
        return bool(self.value(box, piece).is_finite())

    def end(self, b: Any, side: int) -> End:
        piece = self.piece(b, side)
        if b == 0 and b in self.cuts:
            if self.vanishes(piece):
                return End(0.0, lambda x: 0 * x)
            density = self.thermal.density
            power = density.leading - (0 if self.thermal.zero_temperature else 1)  # type: ignore[union-attr]
            return End(power, lambda x: self._regular(side * x, x, 0)[1])
        density = self.thermal.density
        if not isinstance(density, Exponentials) and b in self.cuts and not self.vanishes(piece):
            sign = 1 if b > 0 else -1
            index = [balls.rational(w) for w, _ in density.edges].index(sign * b)
            power_law = density.edge(index, sign * side)
            if power_law is not None:
                return self._at_break(b, side, *power_law)
        return End(0.0, lambda x: self.value(side * x + b, piece))

    def _at_break(self, b: Any, side: int, power: float, regular: Callable[[Ball], Ball]) -> End:
        """Ĉ = 2 J(y) bose(beta w)/(beta y), y = |w|, where J follows a power of the distance."""
        sign = 1 if b > 0 else -1
        if self.is_cold:
            return End(power, lambda x: 2 * regular(x))
        beta, temperature = self._betas(flint.ctx.prec)
        classical = self.thermal.statistics == "classical"

        def factor(x: Ball) -> Ball:
            w = side * x + b
            return temperature / (sign * w) * (1 if classical else balls.bose(w * beta))

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
            largest = max((balls.real(abs(nu)) * (1 + 1e-12) for nu in density.nu), key=float)
            total = sum(abs(balls.real(x)) for c in density.c for x in (c.real, c.imag))
            return Decay(4 * total, -1.0, flint.arb(0)) if start > 2 * largest else None
        if side < 0 and thermal.zero_temperature:
            return Decay(flint.arb(0), 0.0, flint.arb(0))
        plain = density.decay(start)
        if plain is None or thermal.zero_temperature:
            return plain and plain._replace(size=2 * plain.size)
        beta = balls.real(thermal.beta)
        if thermal.statistics == "classical":
            return Decay(2 * plain.size / beta, plain.power - 1, plain.rate)
        damped = (-beta * start * 7 / 10).exp()  # Re w >= 7/10 |w|
        rate = plain.rate if side > 0 else plain.rate + beta
        return Decay(2 * plain.size / (1 - damped), plain.power, rate)


def exponents(density: Exponentials) -> list[tuple[Any, Any]]:
    def number(z: complex) -> Any:
        parts = (exact_rational(z.real), exact_rational(z.imag))
        return flint.acb(*(flint.arb(balls.rational(x)) for x in parts))

    return [(number(c), number(nu)) for c, nu in zip(density.c, density.nu, strict=True)]


def _half_sided(density: Exponentials, z: Ball) -> Ball:
    """G(z) = sum c/(nu - iz)."""
    return sum((c / (nu - _I * z) for c, nu in exponents(density)), 0 * z)


def _odd(density: Exponentials, z: Ball) -> Ball:
    """G(z) - conj G(conj z), so that Ĉ = 2 G less this, and P = i pi times this."""
    mirrored = (c.conjugate() / (nu.conjugate() + _I * z) for c, nu in exponents(density))
    return _half_sided(density, z) - sum(mirrored, 0 * z)


def below_exponentials(density: Exponentials, z: Any, n: int) -> Any:
    """L_n = L^(n-1)/(n-1)! with L(z) = -2 pi i conj G(conj z)."""
    z = flint.acb(z)
    total = flint.acb(0)
    for c, nu in exponents(density):
        total += c.conjugate() * (-_I) ** (n - 1) / (nu.conjugate() + _I * z) ** n
    return -2 * _I * flint.arb.pi() * total


class RationalTransform:
    """conj H(conj z), H(z) = int dw Ĉ(w)/(w - z) above the axis, closed below: a digamma form.

    With J = sum_p r_p/(w - p) over poles above the axis and their conjugates, every pole adds

        -2 pi i r {[1 + coth(beta p/2)] below, 2/(beta step) (psi(1 - i p/step) - psi(1 - i z/step))
        times -i}/(p - z),   step = 2 pi/beta,

    a logarithm in place of the digamma at T = 0, and what is below alone in a classical bath.
    """

    def __init__(self, thermal: ThermalSpectrum, poles: Sequence[tuple[Any, Any]]) -> None:
        pi, two_pi_i = flint.arb.pi(), 2 * _I * flint.arb.pi()
        self._cold = thermal.zero_temperature
        self._classical = not self._cold and thermal.statistics == "classical"
        self._scale = flint.acb(0)
        self._terms: list[tuple[Any, Any, Any]] = []
        """(pole, factor of the digamma or the logarithm, constant beside it)"""
        for p, r in poles:
            for pole, residue, lower in ((p, r, False), (p.conjugate(), r.conjugate(), True)):
                if self._cold:
                    self._terms.append((pole, 2 * residue, -2 * residue * balls.log(-pole)))
                    continue
                beta = balls.real(thermal.beta)
                if self._classical:
                    if lower:
                        constant = -two_pi_i * 2 * residue / (beta * pole)
                        self._terms.append((pole, flint.acb(0), constant))
                    continue
                constant = flint.acb(0)
                if lower:
                    constant = -two_pi_i * residue * (2 + 2 / ((beta * pole).exp() - 1))
                self._scale = -_I * beta / (2 * pi)
                factor = two_pi_i * residue * -_I / pi
                inner = (1 + self._scale * pole).digamma()
                self._terms.append((pole, factor, constant - factor * inner))

    def at(self, z: Any) -> Any:
        """The value for a ball z below the axis or on it, z != 0 at T = 0."""
        z = z.conjugate()
        shared: Any = 0 if self._classical else self._shared(z, z)
        if not (self._cold or self._classical):
            shared = shared.digamma()
        total = flint.acb(0)
        for pole, factor, constant in self._terms:
            total += (factor * shared + constant) / (pole - z)
        return total.conjugate()

    def series(self, z: Any, terms: int) -> list[Any]:
        """Taylor coefficients at such a z."""
        z = flint.acb(z).conjugate()

        def mirrored(x: Any) -> Any:
            shared: Any = 0 if self._classical else self._shared(x, z)
            if not (self._cold or self._classical):
                shared = shared.lgamma().derivative() / shared.derivative()
            parts = [(f * shared + c) / (pole - x) for pole, f, c in self._terms]
            return sum(parts[1:], parts[0])

        try:
            found = balls.taylor(mirrored, z, 1, terms)
        except ValueError:  # at a pole of J, where the numerator vanishes as well
            return [flint.acb("nan")] * terms
        return [c.conjugate() for c in found]

    def _shared(self, x: Any, place: Any) -> Any:
        """The argument of the digamma, or the logarithm, at x, a ball or a series from `place`."""
        if not self._cold:
            return 1 + self._scale * x
        # z lies above the axis: on the right -z crosses the cut of the logarithm
        if place.real > 0:
            return balls.log(x) - _I * flint.arb.pi()
        return balls.log(-x)


Fractions = list[tuple[Any, Any]]
"""(residue, place) of simple poles."""


def fractions(kind: Kind, density: Exponentials) -> Fractions:
    """Ĉ = G + G*, or P = i pi (G - G*), as simple poles below and above the axis."""
    found: Fractions = []
    turn = _I * flint.arb.pi() if kind == "CP" else flint.acb(1)
    for c, nu in exponents(density):
        below, above = turn * _I * c, turn.conjugate() * -_I * c.conjugate()
        found += [(below, -_I * nu), (above, _I * nu.conjugate())]
    return found


def by_residues(first: Fractions, second: Fractions, poles: Sequence[tuple[Any, Any, int]]) -> Any:
    """Pieces with poles below only vanish, mixed ones leave the poles above, closed there.

    Pieces with poles above only are closed below, on the real poles of the kernel.
    """

    def split(parts: Fractions) -> tuple[Fractions, Fractions]:
        above = [part for part in parts if part[1].imag > 0]
        return above, [part for part in parts if not part[1].imag > 0]

    def value(parts: Fractions, w: Any, m: int = 0) -> Any:
        """The Taylor coefficient of order m at w."""
        return sum((r * (-1) ** m / (w - p) ** (m + 1) for r, p in parts), flint.acb(0))

    (first_above, first_below), (second_above, second_below) = split(first), split(second)
    total = flint.acb(0)
    for here, opposite in ((first_above, second_below), (second_above, first_below)):
        for residue, place in here:
            kernel = sum(balls.real(c) / (place - balls.real(a)) ** n for c, a, n in poles)
            total += residue * value(opposite, place) * kernel
    for c, a, n in poles:
        at = flint.acb(balls.real(a))
        for k in range(n):
            total -= balls.real(c) * value(first_above, at, n - 1 - k) * value(second_above, at, k)
    return (2 * _I * flint.arb.pi() * total).real
