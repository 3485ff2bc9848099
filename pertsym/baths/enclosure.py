"""Spectra, transforms and finite-part integrals of baths as balls that hold the exact value.

Ĉ^(m)(w), P^(m)(w), C(t) and FP int dw Ĉ_A(w) X_B(s + r w) sum_j c_j/(w - a_j)^n_j with X = Ĉ or P,
from contours above the real axis (`baths.contour`), with every error inside the radius.  With
L(z) = int dw Ĉ(w)/(w - z) on the path, P - i pi Ĉ is the value of L from below the path:

    FP int dw Ĉ_A P_B(s - w) K = Re [int dw Ĉ_A L_B(s - w) K + i pi sum_j residue],

and likewise with conj L_B(conj z) for r = +1.  Parameters that are floats are taken as exact
doubles, exponentials as the decimals that were written.  Boson bath: Ĉ(w > 0) = 2 J(w) [n(w) + 1].
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import pairwise
from typing import Any, Literal

import flint

from pertsym.baths import balls
from pertsym.baths.balls import Ball, Decay
from pertsym.baths.contour import Beyond, Contour, End
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Exponentials, Table, Underdamped
from pertsym.baths.divergence import Divergent
from pertsym.baths.existence import (
    require_integrable,
    require_product,
    require_spectrum,
    require_transform,
    singular_positions,
)
from pertsym.baths.integrand import Kernel, Pole
from pertsym.baths.kinks import with_kink
from pertsym.baths.thermal_spectrum import ThermalSpectrum
from pertsym.exact import exact_rational

Kind = Literal["CC", "CP"]
"""Which X_B: the spectrum or the transform."""

_HIGHEST = 3
_CLOSER = 8
_GUARD = 24  # bits beyond the wanted ones
DOUBLINGS = 4
_I = flint.acb(0, 1)


@dataclass(frozen=True, eq=False)
class SpectrumBalls:
    """Ĉ of one bath with scalar parameters, a `contour.Function`."""

    thermal: ThermalSpectrum

    @cached_property
    def cuts(self) -> tuple[Any, ...]:
        density = self.thermal.density
        if isinstance(density, Exponentials):
            return ()
        cold = self.thermal.zero_temperature
        edges = [balls.rational(w) for w, _ in density.edges]
        zero = [flint.fmpq(0)] if cold or density.kink_power < math.inf else []
        return (*([] if cold else (-w for w in reversed(edges))), *zero, *edges)

    @property
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
        density = self.thermal.density
        if self.thermal.zero_temperature and self._side(piece) < 0:
            return True
        return isinstance(density, Table) and self._part(piece) == len(density.edges)

    def value(self, z: Ball, piece: int) -> Ball:
        density = self.thermal.density
        if isinstance(density, Exponentials):
            return 2 * _half_sided(density, z) - _odd(density, z)
        if self.vanishes(piece):
            return 0 * z
        y = -z if self._side(piece) < 0 else z
        power, regular = self._regular(z, y, self._part(piece))
        return regular if power == 0 else balls.power(y, power) * regular

    def _regular(self, z: Ball, y: Ball, part: int) -> tuple[float, Ball]:
        """Ĉ = y^power regular."""
        thermal, density = self.thermal, self.thermal.density
        assert not isinstance(density, Exponentials)
        core = 2 * density.core(y, part)
        if thermal.zero_temperature:
            return density.leading, core
        beta = balls.real(thermal.beta)
        if thermal.statistics == "classical":
            return density.leading - 1, core / beta
        return density.leading - 1, core * balls.bose(z * beta) / beta

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
        return End(0.0, lambda x: self.value(side * x + b, piece))

    def piece(self, b: Any, side: int) -> int:
        """The piece on one side of a real point; with side 0, b is no cut."""
        return sum(1 for c in self.cuts if c < b or (c == b and side > 0))

    def beyond(self, b: Any, side: int, start: Any) -> Beyond | None:
        start, away = balls.real(start), abs(balls.real(b))
        if not start > 8 * away:
            return None
        decay = self._decay(side, start - away)
        if decay is None:
            return None
        # |w| between 99/100 d and 5/4 d, Re w >= d - |b|
        stretch = flint.arb(5) / 4 if decay.power > 0 else flint.arb(99) / 100
        size = decay.size * stretch ** balls.real(decay.power) * (decay.rate * away).exp()
        return Beyond(size, decay.power, decay.rate)

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


def _pairs(density: Exponentials) -> list[tuple[Any, Any]]:
    def number(z: complex) -> Any:
        parts = (exact_rational(z.real), exact_rational(z.imag))
        return flint.acb(*(flint.arb(balls.rational(x)) for x in parts))

    return [(number(c), number(nu)) for c, nu in zip(density.c, density.nu, strict=True)]


def _half_sided(density: Exponentials, z: Ball) -> Ball:
    """G(z) = sum c/(nu - iz)."""
    return sum((c / (nu - _I * z) for c, nu in _pairs(density)), 0 * z)


def _odd(density: Exponentials, z: Ball) -> Ball:
    """G(z) - conj G(conj z), so that Ĉ = 2 G less this, and P = i pi times this."""
    mirrored = (c.conjugate() / (nu.conjugate() + _I * z) for c, nu in _pairs(density))
    return _half_sided(density, z) - sum(mirrored, 0 * z)


@dataclass(frozen=True, eq=False)
class BathBalls:
    """One bath at a fixed number of bits; its contours are kept.

    Call everything within `flint.ctx.workprec(bits)`.
    """

    correlation: Correlation
    bits: int
    _contours: list[tuple[Any, Contour]] = field(default_factory=list, repr=False)

    @cached_property
    def function(self) -> SpectrumBalls:
        return SpectrumBalls(self.correlation.thermal)

    @property
    def is_zero(self) -> bool:
        return self.correlation.thermal.is_zero

    def spectrum(self, w: Any, derivative: int = 0) -> Any:
        """Ĉ^(derivative)(w), a real ball.

        Raises
        ------
        Divergent
            If it does not exist.
        """
        w = self._checked("spectrum", w, derivative)
        if self.is_zero:
            return flint.arb(0)
        side = 1 if w in self.function.cuts else 0
        piece = self.function.piece(w, side)
        if w == 0 and side:
            end = self.function.end(w, side)
            left = derivative - round(end.power) if end.is_regular else -1
            if left < 0:
                return flint.arb(0)
            found = balls.taylor(end.regular, 0, 1, left + 1)
            return found[left].real * math.factorial(derivative)
        if derivative == 0:
            return self.function.value(flint.acb(w), piece).real
        found = balls.taylor(lambda z: self.function.value(z, piece), w, 1, derivative + 1)
        return found[derivative].real * math.factorial(derivative)

    def transform(self, w: Any, derivative: int = 0) -> Any:
        """P^(derivative)(w), a real ball; `Divergent` if it does not exist."""
        w = balls.rational(w)
        if self.correlation.is_static(w, derivative):
            return BathBalls(self.correlation.cold(), self.bits).transform(w)
        w = self._checked("transform", w, derivative)
        if self.is_zero:
            return flint.arb(0)
        return self.below(w, derivative + 1).real * math.factorial(derivative)

    def difference(self, w: Any, reference: Any) -> Any:
        """P(w) - P(reference), where neither need exist."""
        w, reference = balls.rational(w), balls.rational(reference)
        if w == reference or self.is_zero:
            return flint.arb(0)
        self.correlation.require_difference(float(w), float(reference))
        return finite_part(self.function, self.bits, ((1, w, 1), (-1, reference, 1))).real

    def regular_slope(self, pole: Any) -> Any:
        """int dw Ĉ(w)/[(w - p)^2 + scale^2], what P'(p) is without its divergent part."""
        if self.is_zero:
            return flint.arb(0)
        scale = balls.real(self.correlation.thermal.scale)
        return -self.below(flint.acb(balls.real(pole), -scale)).imag / scale

    def mean_slope(self, w: Any) -> Any:
        """[Ĉ'(w + 0) + Ĉ'(w - 0)]/2, a real ball; as `kinks.mean_slope`."""
        density = with_kink(self.correlation, float(w))
        if density is None:
            return self.spectrum(w, 1)
        if self.correlation.statistics == "classical" or density.infrared_power > 1:
            return flint.arb(0)
        return balls.taylor(density.core, 0, 1, 1)[0].real  # J/w, since Ĉ(w) - Ĉ(-w) = 2 J

    def below(self, z: Any, n: int = 1) -> Any:
        """int dw Ĉ(w)/(w - z)^n on the path, z on the axis or below the path."""
        density = self.correlation.density
        if isinstance(density, Exponentials):
            return _below_exponentials(density, z, n)
        return self.contour(() if isinstance(z, flint.acb) else (z,)).transform(z, n)

    def correlated(self, t: Any) -> Any:
        """C(t) = (1/2pi) int dw Ĉ(w) e^(-iwt), t >= 0, a complex ball.

        Raises
        ------
        ArithmeticError
            If Ĉ does not decay fast enough (C(0) of a Drude-Lorentz bath diverges).
        """
        density, t = self.correlation.density, balls.real(t)
        if isinstance(density, Exponentials):
            return sum((c * (-nu * t).exp() for c, nu in _pairs(density)), flint.acb(0))
        thermal = self.correlation.thermal
        if t == 0 and max(thermal.tails) >= -1:
            raise ArithmeticError("C(0) = (1/2pi) int dw Ĉ(w) diverges; ask for t > 0")
        if self.is_zero:
            return flint.acb(0)
        contour = Contour.of(Oscillating(self.function, t), self.bits, slowest=0)
        far = flint.acb(0, flint.arb(-(2.0**500)))
        return contour.transform(far, 0).conjugate() / (2 * flint.arb.pi())

    def contour(self, poles: Sequence[Any] = (), closest: Any = None) -> Contour:
        """A path for poles at real places, one of a few; kept."""
        function = self.function
        special = tuple(
            p
            for p in poles
            if any(abs(float(p) - float(c)) < function.reach for c in function.cuts)
        )
        key = (special, closest)
        found = next((c for k, c in self._contours if k == key), None)
        if found is None:
            found = Contour.of(function, self.bits, special, closest=closest)
            self._contours.append((key, found))
        return found

    def below_ball(self, z: Any, closest: Any = None) -> Any:
        """`below` for a ball z of any size; not finite where it meets the path or a cut."""
        density = self.correlation.density
        if isinstance(density, Exponentials):
            return _below_exponentials(density, z, 1)
        if self.poles is not None:
            return _below_rational(self.correlation.thermal, self.poles, z)
        contour = self.contour(closest=closest)
        if z.rad() < flint.arb(2) ** (-self.bits // 2) * z.abs_upper():
            return contour.transform(z)
        return _around_zero(contour.coarse(z))

    @cached_property
    def poles(self) -> tuple[tuple[Any, Any], ...] | None:
        """Simple poles of a rational J above the axis, with residues; else None."""
        density = self.correlation.density
        if isinstance(density, DrudeLorentz):
            lam, gamma = balls.real(density.lam), balls.real(density.gamma)
            return ((_I * gamma, flint.acb(lam * gamma)),)
        if not isinstance(density, Underdamped):
            return None
        first, second = density.upper_poles
        if not abs(first - second) > 0:
            return None
        strength = balls.real(density.lam) ** 2 / (2 * _I * (first - second))
        return ((first, strength), (second, -strength))

    def _checked(self, quantity: str, w: Any, derivative: int) -> Any:
        w = balls.rational(w)
        if derivative not in range(_HIGHEST + 1):
            raise ValueError(f"derivative: must be 0, 1, 2 or 3, got {derivative!r}; take fewer")
        thermal = self.correlation.thermal
        if thermal.is_zero:
            return w
        if quantity == "transform":
            require_integrable(thermal, derivative + 1)
        check = require_spectrum if quantity == "spectrum" else require_transform
        for position in singular_positions(thermal):
            if w == balls.rational(position):
                check(thermal, position, derivative)
        return w


def _around_zero(bound: Any) -> Any:
    if not bound.is_finite():
        return flint.acb("nan")
    ball = flint.arb(0, bound)
    return flint.acb(ball, ball)


def _below_exponentials(density: Exponentials, z: Any, n: int) -> Any:
    """L_n = L^(n-1)/(n-1)! with L(z) = -2 pi i conj G(conj z)."""
    z = flint.acb(z)
    total = flint.acb(0)
    for c, nu in _pairs(density):
        total += c.conjugate() * (-_I) ** (n - 1) / (nu.conjugate() + _I * z) ** n
    return -2 * _I * flint.arb.pi() * total


_Fractions = list[tuple[Any, Any]]
"""(residue, place) of simple poles."""


def _fractions(kind: Kind, density: Exponentials) -> _Fractions:
    """Ĉ = G + G*, or P = i pi (G - G*), as simple poles below and above the axis."""
    found: _Fractions = []
    turn = _I * flint.arb.pi() if kind == "CP" else flint.acb(1)
    for c, nu in _pairs(density):
        below, above = turn * _I * c, turn.conjugate() * -_I * c.conjugate()
        found += [(below, -_I * nu), (above, _I * nu.conjugate())]
    return found


def _by_residues(
    first: _Fractions, second: _Fractions, poles: Sequence[tuple[Any, Any, int]]
) -> Any:
    """Pieces with poles below only vanish, mixed ones leave the poles above, closed there.

    Pieces with poles above only are closed below, on the real poles of the kernel.
    """

    def split(parts: _Fractions) -> tuple[_Fractions, _Fractions]:
        above = [part for part in parts if part[1].imag > 0]
        return above, [part for part in parts if not part[1].imag > 0]

    def value(parts: _Fractions, w: Any, m: int = 0) -> Any:
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


def _below_rational(thermal: ThermalSpectrum, poles: Sequence[tuple[Any, Any]], z: Any) -> Any:
    """conj H(conj z), H(z) = int dw Ĉ(w)/(w - z) above the axis, closed below: a digamma form."""
    z, two_pi_i = z.conjugate(), 2 * _I * flint.arb.pi()
    total = flint.acb(0)
    for p, r in poles:
        for pole, residue in ((p, r), (p.conjugate(), r.conjugate())):
            if thermal.zero_temperature:
                # z lies above the axis: on the right -z crosses the cut of the logarithm
                right = z.real > 0
                turned = balls.log(z) - _I * flint.arb.pi() if right else balls.log(-z)
                logs = turned - balls.log(-pole)
                total += 2 * residue * logs / (pole - z)
                continue
            beta, lower = balls.real(thermal.beta), pole is not p
            if thermal.statistics == "classical":
                if lower:
                    total -= two_pi_i * 2 * residue / (beta * pole * (pole - z))
                continue
            if lower:
                coth = 1 + 2 / ((beta * pole).exp() - 1)
                total -= two_pi_i * residue * (1 + coth) / (pole - z)
            step = 2 * flint.arb.pi() / beta
            digammas = (1 - _I * pole / step).digamma() - (1 - _I * z / step).digamma()
            total -= two_pi_i * residue * 2 / beta * -_I / (step * (pole - z)) * digammas
    return total.conjugate()


@dataclass(frozen=True, eq=False)
class Oscillating:
    """Ĉ(w) e^(iwt), a `contour.Function`."""

    spectrum: SpectrumBalls
    t: Any

    @property
    def cuts(self) -> tuple[Any, ...]:
        return self.spectrum.cuts

    @property
    def reach(self) -> float:
        return min(self.spectrum.reach, 1 / float(self.t) if self.t > 0 else math.inf)

    def vanishes(self, piece: int) -> bool:
        return self.spectrum.vanishes(piece)

    def value(self, z: Ball, piece: int) -> Ball:
        return self.spectrum.value(z, piece) * (z * _I * self.t).exp()

    def analytic(self, box: Any, piece: int) -> bool:
        return self.spectrum.analytic(box, piece)

    def end(self, b: Any, side: int) -> End:
        end = self.spectrum.end(b, side)
        return End(end.power, lambda x: end.regular(x) * ((side * x + b) * _I * self.t).exp())

    def beyond(self, b: Any, side: int, start: Any) -> Beyond | None:
        plain = self.spectrum.beyond(b, side, start)
        return plain and plain._replace(rate=plain.rate + self.t / 2)


@dataclass(frozen=True, eq=False)
class Product:
    """Ĉ_A(w) Ĉ_B(s + r w), a `contour.Function`; the shift is exact if B has a cut."""

    a: SpectrumBalls
    b: SpectrumBalls
    shift: Any
    reflect: int

    def image(self, w: Any) -> Any:
        return self.shift + self.reflect * w

    @cached_property
    def cuts(self) -> tuple[Any, ...]:
        if self.b.cuts and not isinstance(self.shift, flint.fmpq):
            raise ValueError("shift: must be an exact number where a spectrum has a kink")
        return tuple(
            sorted({*self.a.cuts, *(self.reflect * (c - self.shift) for c in self.b.cuts)})
        )

    @property
    def reach(self) -> float:
        gaps = [float(y - x) / 3 for x, y in pairwise(self.cuts)]
        return min(self.a.reach, self.b.reach, *gaps)

    @cached_property
    def _pieces(self) -> tuple[tuple[int, int], ...]:
        """For every piece those of A and B, from a point inside."""
        cuts = self.cuts
        inside = [(x + y) / 2 for x, y in pairwise(cuts)]
        points = [cuts[0] - 1, *inside, cuts[-1] + 1] if cuts else [flint.fmpq(0)]
        return tuple(
            (self.a.piece(x, 0), self.b.piece(self.image(x), 0) if self.b.cuts else 0)
            for x in points
        )

    def vanishes(self, piece: int) -> bool:
        first, second = self._pieces[piece]
        return self.a.vanishes(first) or self.b.vanishes(second)

    def value(self, z: Ball, piece: int) -> Ball:
        first, second = self._pieces[piece]
        return self.a.value(z, first) * self.b.value(self.image(z), second)

    def analytic(self, box: Any, piece: int) -> bool:
        first, second = self._pieces[piece]
        return self.a.analytic(box, first) and self.b.analytic(self.image(box), second)

    def end(self, b: Any, side: int) -> End:
        first = self.a.end(b, side)
        second = self.b.end(self.image(b), self.reflect * side)
        regular = (first.regular, second.regular)
        return End(first.power + second.power, lambda x: regular[0](x) * regular[1](x))

    def beyond(self, b: Any, side: int, start: Any) -> Beyond | None:
        first = self.a.beyond(b, side, start)
        second = self.b.beyond(self.image(b), self.reflect * side, start)
        if first is None or second is None:
            return None
        return Beyond(
            first.size * second.size, first.power + second.power, first.rate + second.rate
        )


@dataclass(frozen=True, eq=False)
class MixedProduct:
    """Ĉ_A(w) L_B(s - w), or Ĉ_A(w) conj L_B(conj(s + w)), above the axis; a `contour.Function`."""

    a: SpectrumBalls
    b: BathBalls
    shift: Any
    reflect: int
    closest: Any = None
    """How near to a cut of B the path may come."""

    @property
    def cuts(self) -> tuple[Any, ...]:
        return self.a.cuts

    @property
    def reach(self) -> float:
        cuts = [self.reflect * (c - self.shift) for c in self.b.function.cuts]
        gaps = [abs(float(c - x)) / 3 for c in cuts for x in self.a.cuts if c != x]
        return min(self.a.reach, self.b.function.reach, *gaps)

    def vanishes(self, piece: int) -> bool:
        return self.a.vanishes(piece)

    def second(self, z: Ball) -> Ball:
        if balls.is_series(z):
            return self._series(z)
        at = self.shift + self.reflect * z
        if self.reflect < 0:
            return self.b.below_ball(at, self.closest)
        return self.b.below_ball(at.conjugate(), self.closest).conjugate()

    def _series(self, z: Any) -> Any:
        at, slope = self.shift + self.reflect * balls.rational(z[0].real), self.reflect * z[1]
        found, factor = [], flint.acb(1)
        for n in range(1, z.prec + 1):
            value = self.b.below(at, n)
            found.append(factor * (value if self.reflect < 0 else value.conjugate()))
            factor = factor * slope
        return flint.acb_series(found, z.prec)

    def value(self, z: Ball, piece: int) -> Ball:
        return self.a.value(z, piece) * self.second(z)

    def analytic(self, box: Any, piece: int) -> bool:
        return self.a.analytic(box, piece)

    def end(self, b: Any, side: int) -> End:
        first = self.a.end(b, side)
        if any(self.shift + self.reflect * b == c for c in self.b.function.cuts):
            raise ArithmeticError(
                "an integral over a spectrum and a transform with their kinks at one frequency "
                "has no enclosure yet"
            )
        return End(first.power, lambda x: first.regular(x) * self.second(side * x + b))

    def beyond(self, b: Any, side: int, start: Any) -> Beyond | None:
        first = self.a.beyond(b, side, start)
        if first is None:
            return None
        if isinstance(self.b.correlation.density, Exponentials):
            c_nu = _pairs(self.b.correlation.density)
            bound = sum((abs(c) / nu.real for c, nu in c_nu), flint.arb(0)) * 7
        else:
            bound = self.b.contour(closest=self.closest).deep(start / 2)
        return first._replace(size=first.size * bound.abs_upper())


def finite_part(function: Any, bits: int, poles: Sequence[tuple[Any, Any, int]]) -> Any:
    """int dw f(w) sum_j c_j/(w - a_j)^n_j on the path, poles on the real axis below it."""
    kernel = Kernel(tuple(Pole(float(c), float(a), n) for c, a, n in poles))
    order = kernel.decay_order
    places = tuple(a for _, a, _ in poles)
    contour = Contour.of(function, bits, places, slowest=order)
    inner, total = contour.without_rays(), flint.acb(0)
    for c, a, n in poles:
        total += inner.transform(a, n) * balls.real(c)
    bound = flint.arb(0)
    for b, _, start, beyond in contour.rays:
        # K = sum_k kappa_k d^-k from k = order on, since lower orders cancel
        away = max((abs(balls.real(a) - b).upper() for a in places), key=float)
        size = flint.arb(0)
        for c, _, n in poles:
            terms = sum(
                math.comb(k - 1, n - 1) * away ** (k - n) / start ** (k - order)
                for k in range(max(order, n), 60 + order)
            )
            size += abs(balls.real(c)) * terms * 2
        bound += contour.ray_bound(beyond, start, size, order)
    return total + _around_zero(bound.abs_upper())


@dataclass(frozen=True, eq=False)
class PairBalls:
    """Integrals over two baths at the same number of bits; within `flint.ctx.workprec(bits)`."""

    a: BathBalls
    b: BathBalls

    def integral(
        self, kind: Kind, reflect: int, shift: Any, poles: Sequence[tuple[Any, Any, int]]
    ) -> Any:
        """FP int dw Ĉ_A(w) X_B(s + r w) sum_j c_j/(w - a_j)^n_j, a real ball.

        Raises
        ------
        Divergent
            Naming the term and the power.
        ValueError
            If an order is out of range, or a position at a kink not exact.
        """
        chosen = _chosen(poles)
        shift = balls.rational(shift)
        if not chosen or self._vanishes(kind, reflect, shift):
            return flint.arb(0)
        a, b = self.a.correlation.thermal, self.b.correlation.thermal
        require_product(kind, a, b, reflect, shift, chosen)
        return self._value(kind, reflect, shift, chosen)

    def regular(self, kind: Kind, reflect: int, shift: Any, pole: Any) -> Any:
        """FP int dw Ĉ_A(w) [X_B(s + r w) - X_B(s + r p) chi(w)]/(w - p)^2, a real ball.

        chi = scale^2/[(w - p)^2 + scale^2], scale that of A.  With Hadamard's finite parts it is
        the plain integral less X_B(s + r p) times that over chi.
        """
        shift, pole = balls.rational(shift), balls.rational(pole)
        if self.a.is_zero or self.b.is_zero:
            return flint.arb(0)
        a, b = self.a.correlation.thermal, self.b.correlation.thermal
        poles = ((flint.fmpq(1), pole, 2),)
        require_product(kind, a, b, reflect, shift, poles, taken_off=True)
        image = shift + reflect * pole
        whole = self._value(kind, reflect, shift, poles)
        value = (
            self.b.function.value(flint.acb(image), self.b.function.piece(image, 0)).real
            if kind == "CC"
            else self.b.below(image).real
        )
        finite = self.a.contour((pole,)).transform(pole, 2).real
        return whole - value * (finite - self.a.regular_slope(pole))

    def _vanishes(self, kind: Kind, reflect: int, shift: Any) -> bool:
        if self.a.is_zero or self.b.is_zero:
            return True
        product = Product(self.a.function, self.b.function, shift, reflect)
        cuts = product.cuts
        return kind == "CC" and bool(cuts) and all(map(product.vanishes, range(len(cuts) + 1)))

    def _value(
        self, kind: Kind, reflect: int, shift: Any, poles: Sequence[tuple[Any, Any, int]]
    ) -> Any:
        a, b, bits = self.a.function, self.b.function, self.a.bits
        densities = self.a.correlation.density, self.b.correlation.density
        if isinstance(densities[0], Exponentials) and isinstance(densities[1], Exponentials):
            first = _fractions("CC", densities[0])
            second = [
                (reflect * c, reflect * (p - shift)) for c, p in _fractions(kind, densities[1])
            ]
            return _by_residues(first, second, poles)
        product = Product(a, b, shift, reflect)
        if kind == "CC":
            return finite_part(product, bits, poles).real
        total = flint.arb(0)
        for c, at, n in poles:  # half the residue of a pole below the path
            if at not in a.cuts:
                image = shift + reflect * at
                piece = b.piece(image, 1)
                here, there = (
                    balls.taylor(partial(a.value, piece=a.piece(at, 0)), at, 1, n),
                    balls.taylor(partial(b.value, piece=piece), image, reflect, n),
                )
                value = sum((here[k] * there[n - 1 - k] for k in range(n)), flint.acb(0))
                total -= balls.real(c) * reflect * value.real
        closest = None
        for _ in range(_CLOSER):
            mixed = MixedProduct(a, self.b, shift, reflect, closest)
            value = finite_part(mixed, bits, poles).real
            if value.is_finite():
                return value + total * flint.arb.pi() ** 2
            closest = (closest or flint.arb(mixed.reach)) / 64
        raise ArithmeticError("an integral over a transform could not be enclosed")


def _chosen(poles: Sequence[tuple[Any, Any, int]]) -> tuple[tuple[Any, Any, int], ...]:
    found = []
    for c, a, n in poles:
        if not 1 <= n <= 4:
            raise ValueError(f"order: must be 1 to 4, got {n}; integrate by parts to lower it")
        if c != 0:
            found.append((balls.rational(c), balls.rational(a), n))
    return tuple(found)


def enclosed(compute: Any, digits: int) -> Any:
    """A ball to so many significant digits, where a few doublings of the precision reach them.

    Parameters
    ----------
    compute
        Number of bits -> ball; called within that precision.
    digits
        Of the value.  A ball that holds 0 keeps the radius of the last precision.

    Raises
    ------
    ArithmeticError
        If no precision gives a finite ball.
    """
    wanted = bits_of(digits)
    best, fault = None, "no finite enclosure"
    for doubling in range(DOUBLINGS):
        bits = (wanted + _GUARD) * 2**doubling
        with flint.ctx.workprec(bits):
            try:
                value = compute(bits)
            except Divergent:
                raise
            except ArithmeticError as error:
                fault = str(error)
                continue
        if value.is_finite():
            best = value
            if value == 0 or value.rel_accuracy_bits() >= wanted:
                break
    if best is None:
        raise ArithmeticError(fault)
    return best


def bits_of(digits: int) -> int:
    """Bits of so many decimal digits."""
    return math.ceil(digits * math.log2(10)) + 2


def spectrum(c: Correlation, w: Any, derivative: int = 0, digits: int = 30) -> Any:
    """Ĉ^(derivative)(w) as a ball of so many digits."""
    return enclosed(lambda bits: BathBalls(c, bits).spectrum(w, derivative), digits)


def transform(c: Correlation, w: Any, derivative: int = 0, digits: int = 30) -> Any:
    """P^(derivative)(w) as a ball of so many digits."""
    return enclosed(lambda bits: BathBalls(c, bits).transform(w, derivative), digits)


def correlation(c: Correlation, t: Any, digits: int = 30) -> Any:
    """C(t), t >= 0, as a complex ball of so many digits."""
    return enclosed(lambda bits: BathBalls(c, bits).correlated(t), digits)
