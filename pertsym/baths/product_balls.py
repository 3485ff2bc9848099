"""Products of two baths' functions of w in ball arithmetic, as integrands on a contour."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import flint

from pertsym.baths import balls
from pertsym.baths.balls import Ball
from pertsym.baths.densities import Exponentials
from pertsym.baths.panels import Beyond, End
from pertsym.baths.spectrum_balls import SpectrumBalls, exponents

if TYPE_CHECKING:
    from pertsym.baths.enclosure import BathBalls


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
        for value in self.b.series(at, z.prec):
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
            pairs = exponents(self.b.correlation.density)
            bound = sum((abs(c) / nu.real for c, nu in pairs), flint.arb(0)) * 7
        else:
            bound = self.b.contour(closest=self.closest).deep(start / 2)
        return first._replace(size=first.size * bound.abs_upper())
