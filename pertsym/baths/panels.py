"""Pieces of a path for a piecewise analytic function: panels off the real axis and ends on it.

On a panel a Gauss-Legendre rule is used, with the error bound (64/15) M rho^(-2N)/(1 - rho^-2) for
|f| <= M in the ellipse of radius rho; at a branch point |w - b|^p a Taylor series with Cauchy's
bound.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, Protocol

import flint

from pertsym.baths.balls import Ball, taylor

_RHO = 3
_MAJOR, _MINOR = flint.fmpq(5, 3), flint.fmpq(4, 3)  # half axes of the ellipse of radius 3
_MARGIN = flint.fmpq(1, 12)
DEEPEST = 60

Series = Callable[[Ball], Ball]


class End(NamedTuple):
    """f(b + side x) = x^power regular(x) for small x > 0."""

    power: float
    regular: Series

    @property
    def is_regular(self) -> bool:
        """Analytic at b itself."""
        return self.power >= 0 and float(self.power).is_integer()


class Beyond(NamedTuple):
    """|f| <= size d^power exp(-rate d) on the ray w = b + d (side + i/2), d >= some distance."""

    size: Any
    power: float
    rate: Any


class Function(Protocol):
    """A function of w, analytic but for finitely many real points."""

    @property
    def cuts(self) -> tuple[Any, ...]:
        """Where it is not analytic, ascending `fmpq`; piece i lies below cut i."""
        ...

    @property
    def reach(self) -> float:
        """The distance from 0, or from a cut, over which it hardly varies."""
        ...

    def vanishes(self, piece: int) -> bool:
        """Identically zero."""
        ...

    def value(self, z: Any, piece: int) -> Any:
        """The continuation of a piece at a ball; not finite where it is not analytic."""
        ...

    def analytic(self, box: Any, piece: int) -> bool:
        """Whether a piece continues analytically to a box above the axis."""
        ...

    def end(self, b: Any, side: int) -> End:
        """The behaviour on one side of a real point."""
        ...

    def beyond(self, b: Any, side: int, start: Any) -> Beyond | None:
        """A bound on a ray; None: not known from this distance on."""
        ...


@lru_cache(maxsize=64)
def _gauss(count: int, bits: int) -> tuple[tuple[Any, Any], ...]:
    with flint.ctx.workprec(bits):
        return tuple(flint.arb.legendre_p_root(count, k, weight=True) for k in range(count))


def _boxes() -> tuple[Any, ...]:
    """Boxes that cover the ellipse."""
    found = []
    radius = flint.arb("0.3334")
    ball = radius.union(-radius)
    for i in range(5):
        for j in range(4):
            x, y = 2 * (i - 2) / 3, (2 * j - 3) / 3
            near = max(abs(x) - 1 / 3, 0.0) / float(_MAJOR), (abs(y) - 1 / 3) / float(_MINOR)
            if math.hypot(*near) < 1.001:
                x0, y0 = flint.fmpq(2 * (i - 2), 3), flint.fmpq(2 * j - 3, 3)
                found.append(flint.acb(flint.arb(x0) + ball, flint.arb(y0) + ball))
    return tuple(found)


_COVER = _boxes()


@dataclass(eq=False)
class Panel:
    """A straight stretch of the path, halved as often as a pole beside it asks."""

    function: Function
    piece: int
    first: Any
    last: Any
    largest: Any
    bits: int
    depth: int = 0
    _nodes: list[tuple[Any, Any]] | None = field(default=None, repr=False)
    _halves: list[Panel] | None = field(default=None, repr=False)
    _bound: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.centre, self.half = (self.first + self.last) / 2, (self.last - self.first) / 2

    @property
    def bound(self) -> Any:
        """A bound of |f| in the ellipse; infinite if f is not analytic there."""
        if self._bound is None:
            self._bound = flint.arb(0)
            for u in _COVER:
                box = self.centre + self.half * u
                self._bound = self._bound.max(_largest(self.function, self.piece, box, 2))
                if not self._bound.is_finite():
                    break
        return self._bound

    def settled(self) -> list[Panel]:
        """This panel, or its parts, such that a rule can be used on each."""
        # a bound of a crude kind need not shrink with the panel: ask for less and less
        if self.bound < self.largest * 2 ** (4 * self.depth) or self.depth > DEEPEST:
            return [self]
        return [panel for half in self._split() for panel in half.settled()]

    def _split(self) -> list[Panel]:
        ends = (self.first, self.centre), (self.centre, self.last)
        return [
            Panel(self.function, self.piece, a, b, self.largest, self.bits, self.depth + 1)
            for a, b in ends
        ]

    @property
    def halves(self) -> list[Panel]:
        if self._halves is None:
            self._halves = [panel for half in self._split() for panel in half.settled()]
        return self._halves

    @property
    def count(self) -> int:
        return self.bits * 8 // 25 + 4  # 3^(-2 count) < 2^-bits

    @property
    def nodes(self) -> list[tuple[Any, Any]]:
        """(place, weight times f)."""
        if self._nodes is None:
            made = []
            for x, weight in _gauss(self.count, self.bits):
                w = self.centre + self.half * x
                made.append((w, self.function.value(w, self.piece) * self.half * weight))
            self._nodes = made
        return self._nodes

    @cached_property
    def size(self) -> Any:
        """A bound of int |f| |dw|."""
        total, parts = flint.arb(0), 8
        for k in range(parts):
            low, high = (flint.arb(2 * j - parts) / parts for j in (k, k + 1))
            value = self.function.value(self.centre + self.half * low.union(high), self.piece)
            total += value.abs_upper() if value.is_finite() else self.bound
        return 2 * total / parts * self.half.abs_upper()

    def transform(self, z: Any, n: int) -> Any:
        """int dw f(w)/(w - z)^n along the panel."""
        u = (z - self.centre) / self.half
        # the gap between confocal ellipses is that of their half axes
        gap = ((u - 1).abs_lower() + (u + 1).abs_lower()) / 2 - _MAJOR
        if not gap > _MARGIN:
            if self.depth > DEEPEST:
                return flint.acb("nan")
            return sum((half.transform(z, n) for half in self.halves), flint.acb(0))
        total = flint.acb(0)
        if n == 1:
            for w, value in self.nodes:
                total += value / (w - z)
        else:
            for w, value in self.nodes:
                total += value / (w - z) ** n
        width = self.half.abs_upper()
        error = self.error * width / (width * gap) ** n
        return widened(total, error.abs_upper())

    @property
    def error(self) -> Any:
        """Of the rule for a function |f| <= bound on [-1, 1]."""
        power = flint.arb(_RHO) ** (-2 * self.count)
        return self.bound * flint.arb(flint.fmpq(24, 5)) * power


def _halves(box: Any) -> tuple[Any, Any]:
    """A box cut across its longer side."""
    x, y = box.real, box.imag
    if x.rad() > y.rad():
        low, high = x.lower().union(x.mid()), x.mid().union(x.upper())
        return flint.acb(low, y), flint.acb(high, y)
    low, high = y.lower().union(y.mid()), y.mid().union(y.upper())
    return flint.acb(x, low), flint.acb(x, high)


def _largest(function: Function, piece: int, box: Any, cuts: int) -> Any:
    """A bound of |f| in a box, cut so often if it is too wide; infinite if there is none."""
    value = function.value(box, piece)
    if value.is_finite():
        return value.abs_upper()
    if not cuts:
        return flint.arb.pos_inf()
    first, second = _halves(box)
    bound = _largest(function, piece, first, cuts - 1)
    return bound.max(_largest(function, piece, second, cuts - 1)) if bound.is_finite() else bound


def free(function: Function, piece: int, box: Any, cuts: int = 8) -> bool:
    """Whether a function is analytic in a box, cut so often if it is too wide."""
    if function.analytic(box, piece):
        return True
    return cuts > 0 and all(free(function, piece, half, cuts - 1) for half in _halves(box))


def widened(value: Any, error: Any) -> Any:
    ball = flint.arb(0, error)
    return flint.acb(value.real + ball, value.imag + ball)


@dataclass(eq=False)
class Germ:
    """int_0^h dx x^power g(x) K(b + side x) at one end of a piece, g as a Taylor series."""

    b: Any
    side: int
    power: float
    length: Any
    coefficients: Sequence[Any]
    bound: Any
    _moments: dict[int, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, b: Any, side: int, end: End, longest: Any, bits: int) -> Germ | None:
        """With a length <= `longest` at which the series converges; None if there is none.

        The series is known in a disc of eight times the length.
        """
        length = flint.arb(longest)
        for _ in range(DEEPEST):
            ball = flint.arb(0, (8 * length).abs_upper())
            bound = end.regular(flint.acb(ball, ball))
            if bound.is_finite():
                break
            length = length / 4
        else:
            return None
        terms = bits // 3 + 4
        found = taylor(end.regular, 0, 1, terms)
        if not all(c.is_finite() for c in found):
            return None
        return cls(b, side, end.power, length, found, bound.abs_upper())

    def moment(self, j: int) -> Any:
        """FP int_0^h dx x^(power + j) g(x)."""
        if j not in self._moments:
            h, total = self.length, flint.acb(0)
            for k, c in enumerate(self.coefficients):
                e = self.power + j + k + 1
                exponent = flint.arb(self.power) + (j + k + 1)
                total += c * (h.log() if e == 0 else h**exponent / exponent)
            terms = len(self.coefficients)
            last = flint.arb(self.power) + (j + terms + 1)  # > 0
            rest = self.bound * h**last / last / (8 * h) ** terms * flint.fmpq(8, 7)
            self._moments[j] = widened(total, rest.abs_upper())
        return self._moments[j]

    def transform(self, z: Any, n: int) -> Any:
        away = z - self.b
        if isinstance(away, flint.fmpq) and away == 0:
            return self.moment(-n) * self.side**n
        away = flint.acb(away)
        ratio = self.length / away.abs_lower()
        if not ratio < flint.fmpq(1, 3):
            return flint.acb("nan")
        # (side x - away)^-n = (-away)^-n sum_k binomial (side x/away)^k
        terms, total, weight, turn = len(self.coefficients) * 2, flint.acb(0), 1, self.side / away
        factor = flint.acb(1)
        for k in range(terms):
            total += weight * factor * self.moment(k)
            weight, factor = weight * (k + n) // (k + 1), factor * turn
        rest = 3 * weight * ratio**terms * self.bound
        rest = rest * self.length ** (flint.arb(self.power) + 1)
        return widened(total, rest.abs_upper()) / (-away) ** n
