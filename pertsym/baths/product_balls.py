"""Products of two functions of baths in ball arithmetic, as integrands on a contour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import flint

from pertsym.baths import balls
from pertsym.baths.balls import Ball, Decay
from pertsym.baths.contour import Contour
from pertsym.baths.panels import End, Germ, widened
from pertsym.baths.spectrum_balls import SpectrumBalls, inside

if TYPE_CHECKING:
    from pertsym.baths.enclosure import BathBalls


@dataclass(frozen=True, eq=False)
class Product:
    """f_A(w) f_B(s + r w), a `contour.Function`; the shift is exact if B has a cut."""

    a: SpectrumBalls
    b: SpectrumBalls | TransformBelow
    shift: Any
    reflect: int

    def image(self, w: Any) -> Any:
        return self.shift + self.reflect * w

    @cached_property
    def cuts(self) -> tuple[Any, ...]:
        return tuple(sorted({*self.a.cuts, *self._images(self.b.cuts)}))

    def _images(self, cuts: Sequence[Any]) -> list[Any]:
        if cuts and not isinstance(self.shift, flint.fmpq):
            raise ValueError("shift: must be an exact number where a spectrum has a kink")
        return [self.reflect * (c - self.shift) for c in cuts]

    @cached_property
    def reach(self) -> float:
        every = sorted({*self.a.cuts, *self._images(self.b.kinks)})
        gaps = [float(y - x) / 3 for x, y in pairwise(every)]
        return min(self.a.reach, self.b.reach, *gaps)

    @cached_property
    def gap(self) -> Any:
        """The distance between a kink of A and another of B; None without."""
        pairs = [(x, y) for x in self._images(self.b.kinks) for y in self.a.cuts if x != y]
        return min((abs(x - y) for x, y in pairs), default=None, key=float)

    @cached_property
    def _pieces(self) -> tuple[tuple[int, int], ...]:
        """For every piece those of A and B."""
        places = inside(self.cuts)
        return tuple((self.a.piece(x, 0), self.b.piece(self.image(x), 0)) for x in places)

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
        if isinstance(second, Singular):

            def germs(longest: Any, bits: int) -> list[Germ] | None:
                germ = Germ.of(b, side, first, longest.min(second.length / 32), bits)
                return None if germ is None else second.times(germ, self.reflect > 0)

            return first._replace(germs=germs)
        regular = (first.regular, second.regular)
        found = End(first.power + second.power, lambda x: regular[0](x) * regular[1](x))
        if first.is_regular and second.is_regular:
            return found

        def germ(longest: Any, bits: int) -> list[Germ] | None:
            one = Germ.of(b, side, found, longest, bits)
            return None if one is None else [one]

        return found._replace(germs=germ)  # sqrt(w) sqrt(w), too, whose factors are not analytic

    def beyond(self, b: Any, side: int, start: Any) -> Decay | None:
        first = self.a.beyond(b, side, start)
        second = first and self.b.beyond(self.image(b), self.reflect * side, start)
        if first is None or second is None:
            return None
        return Decay(first.size * second.size, first.power + second.power, first.rate + second.rate)


@dataclass(frozen=True, eq=False)
class TransformBelow:
    """L(z) of a bath from below the path, or conj L(conj z) above the axis; a factor B.

    The path of the bath stays so low that neither is singular where they are asked for.
    """

    bath: BathBalls
    conjugate: bool
    closest: Any = None
    """How near to a cut of the bath the path may come."""

    cuts: ClassVar[tuple[Any, ...]] = ()

    @property
    def kinks(self) -> tuple[Any, ...]:
        return self.bath.function.cuts

    @property
    def reach(self) -> float:
        return self.bath.function.reach

    def piece(self, b: Any, side: int) -> int:
        return 0

    def vanishes(self, piece: int) -> bool:
        return False

    def analytic(self, box: Any, piece: int) -> bool:
        return True

    def value(self, z: Ball, piece: int = 0) -> Ball:
        if balls.is_series(z):
            found, factor = [], flint.acb(1)
            for value in self.bath.series(balls.rational(z[0].real), z.prec):
                found.append(factor * (value.conjugate() if self.conjugate else value))
                factor = factor * z[1]
            return flint.acb_series(found, z.prec)
        if self.conjugate:
            return self.bath.below_ball(z.conjugate(), self.closest).conjugate()
        return self.bath.below_ball(z, self.closest)

    def end(self, b: Any, side: int) -> End | Singular:
        if b in self.kinks:
            return Singular.at(self.bath, b, side)
        return End(0.0, lambda x: self.value(side * x + b))

    def beyond(self, b: Any, side: int, start: Any) -> Decay:
        closed = self.bath.closed
        if closed is not None and closed.is_rational:
            bound = sum((abs(c) / p.imag for p, c in closed.poles), flint.arb(0))
        else:
            bound = self.bath.contour(closest=self.closest).deep(start / 2)
        return Decay(bound.abs_upper(), 0.0, flint.arb(0))


@dataclass(frozen=True, eq=False)
class Singular:
    """L_B(c + step x) from below the path, step = +-1, for real x > 0 at a cut c of B.

    What panels and other ends add is analytic at c.  An end int_0^l dy y^q g(y)/(sigma y - step x)
    adds, term by term in g = sum_k g_k y^k, with a = q + k and v = -sigma step x,

        sigma int_0^l dy y^a/(y + v) = sigma [-pi v^a/sin(pi a) + sum_j (-v)^j l^(a - j)/(a - j)],

    and for a whole number a  sigma [(-v)^a (log l - log v) + sum_(j != a) ...], arg v = sigma pi
    where v < 0.

    Attributes
    ----------
    length
        That of the shortest end.
    parts
        The analytic one first: (power, coefficients, a bound for |x| < length/4, whether log x
        multiplies).
    """

    length: Any
    parts: tuple[tuple[float, list[Any], Any, bool], ...]

    @classmethod
    def at(cls, bath: BathBalls, cut: Any, step: int) -> Singular:
        contour = bath.contour((cut,))
        ends = [germ for germ in contour.germs if germ.b == cut]
        rest = Contour(
            contour.function,
            contour.panels,
            [germ for germ in contour.germs if germ.b != cut],
            contour.rays,
        )
        length = min((germ.length for germ in ends), key=float)
        radius = (length / 4).abs_upper()
        terms = len(ends[0].coefficients)
        ball = flint.arb(0, radius)
        smooth = [rest.transform(cut, j + 1) * step**j for j in range(terms)]
        bound = rest.coarse(flint.acb(ball + cut, ball))
        parts: list[tuple[float, list[Any], Any, bool]] = []
        for germ in ends:
            added, most = _analytic_part(germ, germ.side * step)
            smooth = [c + extra for c, extra in zip(smooth, added, strict=True)]
            bound = bound + most
            parts += _singular_parts(germ, germ.side * step)
        return cls(length, ((0.0, smooth, bound, False), *parts))

    def times(self, germ: Germ, conjugate: bool) -> list[Germ]:
        """The product with an end of A, or of the conjugate."""
        first, terms = flint.acb_poly(germ.coefficients), len(germ.coefficients)
        found = []
        for power, coefficients, bound, logarithmic in self.parts:
            second = [c.conjugate() for c in coefficients] if conjugate else coefficients
            product = first * flint.acb_poly(second)
            found.append(
                Germ(
                    germ.b,
                    germ.side,
                    germ.power + power,
                    germ.length,
                    [product[k] for k in range(terms)],
                    (germ.bound * bound).abs_upper(),
                    logarithmic,
                )
            )
        return found


def _analytic_part(germ: Germ, turned: int) -> tuple[list[Any], Any]:
    """sigma sum_j (turned x)^j sum_k g_k l^(q + k - j)/(q + k - j), and a bound for x < l/4."""
    q, h, terms = flint.arb(germ.power), germ.length, len(germ.coefficients)
    whole = float(germ.power).is_integer()
    apart = flint.arb(1) if whole else flint.arb(germ.power - round(germ.power))
    size = germ.bound * flint.fmpq(8, 7) / abs(apart)  # |g_k| <= bound (8 l)^-k
    found = []
    for j in range(terms):
        total = flint.acb(0)
        for k, c in enumerate(germ.coefficients):
            if not (whole and germ.power + k == j):
                total += c * h ** (q + k - j) / (q + k - j)
        rest = size * h ** (q - j) / flint.arb(8) ** terms
        found.append(widened(total, rest.abs_upper()) * germ.side * turned**j)
    return found, (size * h**q * flint.fmpq(4, 3)).abs_upper()


def _singular_parts(germ: Germ, turned: int) -> list[tuple[float, list[Any], Any, bool]]:
    """What is not analytic: u^q, or u^q and u^q log u, u = turned x."""
    pi = flint.arb.pi()
    signed = [c * germ.side * turned**k for k, c in enumerate(germ.coefficients)]
    if not float(germ.power).is_integer():
        q = pi * flint.arb(germ.power)
        factor = flint.acb(-pi / q.sin())
        if turned > 0:
            factor *= flint.acb(0, germ.side * q).exp()
        bound = germ.bound * factor.abs_upper()
        return [(germ.power, [factor * c for c in signed], bound, False)]
    signed = [c * turned ** round(germ.power) for c in signed]
    constant = flint.acb(germ.length.log(), -germ.side * pi if turned > 0 else 0)
    return [
        (germ.power, [constant * c for c in signed], germ.bound * constant.abs_upper(), False),
        (germ.power, [-c for c in signed], germ.bound, True),
    ]
