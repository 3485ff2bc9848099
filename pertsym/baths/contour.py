"""Enclosures of int dw f(w)/(w - z)^n over a path above the real axis, for piecewise analytic f.

The path leaves every end of an analytic piece at a slope of 1/2, lies above the axis as far as
ball arithmetic shows f to be analytic, and ends in rays to infinity.  On its panels Gauss-Legendre
rules are used, with the error bound (64/15) M rho^(-2N)/(1 - rho^-2) for |f| <= M in the ellipse
of radius rho.  A branch point |w - b|^p is left on the axis, by a Taylor series with Cauchy's
bound; a ray is bounded.  Poles on the real axis lie below the path: for real f the real part of
the integral is the finite part.  Poles at an end of a piece get Hadamard's finite part, on either
side for itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import flint

from pertsym.baths.balls import Ball, tail_integral, taylor

_RHO = 3
_MAJOR, _MINOR = flint.fmpq(5, 3), flint.fmpq(4, 3)  # half axes of the ellipse of radius 3
_MARGIN = flint.fmpq(1, 12)
_STEP = flint.fmpq(9, 4)
_DEEPEST = 60
_FARTHEST = 1200
_LARGER = 2**16  # |f| beside a panel may be so many times that on the axis

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
        if self.bound < self.largest or self.depth > _DEEPEST:
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

    @property
    def size(self) -> Any:
        """A bound of int |f| |dw|."""
        return 2 * self.bound * self.half.abs_upper()

    def transform(self, z: Any, n: int) -> Any:
        """int dw f(w)/(w - z)^n along the panel."""
        u = (z - self.centre) / self.half
        # the gap between confocal ellipses is that of their half axes
        gap = ((u - 1).abs_lower() + (u + 1).abs_lower()) / 2 - _MAJOR
        if not gap > _MARGIN:
            if self.depth > _DEEPEST:
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
        return _widened(total, error.abs_upper())

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


def _free(function: Function, piece: int, box: Any, cuts: int = 8) -> bool:
    """Whether a function is analytic in a box, cut so often if it is too wide."""
    if function.analytic(box, piece):
        return True
    return cuts > 0 and all(_free(function, piece, half, cuts - 1) for half in _halves(box))


def _widened(value: Any, error: Any) -> Any:
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
        for _ in range(_DEEPEST):
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
            self._moments[j] = _widened(total, rest.abs_upper())
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
        return _widened(total, rest.abs_upper()) / (-away) ** n


@dataclass(eq=False)
class Contour:
    """The path for one function; integrals of it with poles on or below the real axis."""

    function: Function
    panels: list[Panel]
    germs: list[Germ]
    rays: list[tuple[Any, int, Any, Beyond]]
    """(b, side, distance, bound)"""

    @classmethod
    def of(
        cls,
        function: Function,
        bits: int,
        poles: Sequence[Any] = (),
        slowest: int = 1,
        closest: Any = None,
    ) -> Contour:
        """A path that suits poles at these real places.

        `slowest` is the power of the fastest kernel 1/w^n that the integral needs to converge.
        """
        return _Builder(function, bits, tuple(poles), slowest, closest).contour()

    def transform(self, z: Any, n: int = 1) -> Any:
        """int dw f(w)/(w - z)^n, z on the axis (an `fmpq` or `arb`) or below the path."""
        total = flint.acb(0)
        for panel in self.panels:
            total += panel.transform(z, n)
        for germ in self.germs:
            total += germ.transform(z, n)
        if self.rays and isinstance(z, flint.acb) and not z.imag.upper() <= 0:
            return flint.acb("nan")
        for _, _, start, beyond in self.rays:
            total = _widened(total, self._ray(beyond, start, n))
        return total

    def without_rays(self) -> Contour:
        return Contour(self.function, self.panels, self.germs, [])

    def _ray(self, beyond: Beyond, start: Any, n: int) -> Any:
        """A bound of the integral along a ray for all z below the axis: |w - z| >= d/2."""
        return self.ray_bound(beyond, start, flint.arb(2) ** n, n)

    @staticmethod
    def ray_bound(beyond: Beyond, start: Any, size: Any, order: int) -> Any:
        """A bound of the integral along a ray with a kernel |K| <= size d^-order."""
        whole = tail_integral(beyond.power - order, beyond.rate, start)
        return (size * beyond.size * whole * flint.fmpq(9, 8)).abs_upper()

    def deep(self, depth: Any) -> Any:
        """A bound of |transform(z)| for all z so far below the axis, and more."""
        total = sum((panel.size for panel in self.panels), flint.arb(0))
        for germ in self.germs:
            exponent = flint.arb(germ.power) + 1
            total += germ.bound * germ.length**exponent / exponent
        total = total / depth
        for _, _, start, beyond in self.rays:
            total += self._ray(beyond, start, 1)
        return total.abs_upper()

    def coarse(self, z: Any) -> Any:
        """A bound of |transform(z)| for a ball z below the path."""
        total = flint.arb(0)
        for panel in self.panels:
            u = (z - panel.centre) / panel.half
            gap = ((u - 1).abs_lower() + (u + 1).abs_lower()) / 2 - 1
            if not gap > 0:
                return flint.arb.pos_inf()
            total += 2 * panel.bound / gap
        for germ in self.germs:
            gap = (z - germ.b).abs_lower() - germ.length
            if not gap > 0:
                return flint.arb.pos_inf()
            exponent = flint.arb(germ.power) + 1
            total += germ.bound * germ.length**exponent / exponent / gap
        for b, _, start, beyond in self.rays:
            if z.imag <= 0:
                total += self._ray(beyond, start, 1)
            elif 4 * (z - b).abs_upper() <= start:  # |w - z| >= d |1 + i/2| - d/4
                total += 2 * self._ray(beyond, start, 1)
            else:
                return flint.arb.pos_inf()
        return total.abs_upper()


@dataclass
class _Builder:
    function: Function
    bits: int
    poles: tuple[Any, ...]
    slowest: int
    closest: Any
    panels: list[Panel] = field(default_factory=list)
    germs: list[Germ] = field(default_factory=list)
    rays: list[tuple[Any, int, Any, Beyond]] = field(default_factory=list)

    def contour(self) -> Contour:
        f = self.function
        self.unit = flint.arb(f.reach)
        if not f.cuts:
            self._line()
        for piece, (low, high) in enumerate(pairwise((None, *f.cuts, None))):
            if f.cuts and not f.vanishes(piece):
                self._piece(piece, low, high)
        return Contour(f, self.panels, self.germs, self.rays)

    def _line(self) -> None:
        zero = flint.fmpq(0)
        left, right = (self._outwards(0, zero, side, self.unit) for side in (-1, 1))
        xs = [-d for d in reversed(left)] + right
        heights = [d / 2 for d in reversed(left[1:])] + [self.unit / 2] + [d / 2 for d in right[1:]]
        self._roofs(0, xs, heights, True, True)

    def _piece(self, piece: int, low: Any, high: Any) -> None:
        """Distances from an end grow in steps of a fixed ratio; the height is half of them."""
        if low is None or high is None:
            b, side = (high, -1) if low is None else (low, 1)
            first = self._start(piece, b, side, self.unit)
            steps = self._outwards(piece, b, side, first or self.unit)
            steps = steps if first else [flint.arb(0), *steps]
            xs, heights = [b + side * d for d in steps], [d / 2 for d in steps[1:]]
            if side < 0:
                xs, heights = xs[::-1], heights[::-1]
            self._roofs(piece, xs, heights, side < 0, side > 0)
            return
        middle = flint.arb((high - low) / 2)
        halves = []
        for b, side in ((low, 1), (high, -1)):
            longest = self.unit.min(middle)
            first = self._start(piece, b, side, longest)
            steps = [first] if first else [flint.arb(0), longest]
            while not _STEP * steps[-1] >= middle:
                steps.append(_STEP * steps[-1])
            if steps[-1] < middle:
                steps.append(middle)
            steps[-1] = middle if len(steps) > 1 else steps[-1]
            halves.append([(b + side * d, d / 2) for d in steps])
        left, right = halves
        centre = (flint.arb(low) + high) / 2
        xs = [x for x, _ in left[:-1]] + [centre] + [x for x, _ in right[-2::-1]]
        heights = [h for _, h in left[1:]] + [h for _, h in right[:0:-1]]
        self._roofs(piece, xs, heights, False, False)

    def _start(self, piece: int, b: Any, side: int, longest: Any) -> Any:
        """The length of the Taylor series at an end; None where the path can start at the end."""
        end = self.function.end(b, side)
        on_end = any(isinstance(p, flint.fmpq) and p == b for p in self.poles)
        if end.is_regular and not on_end:
            return None
        for p in self.poles:
            if not (isinstance(p, flint.fmpq) and p == b):
                longest = longest.min(abs(flint.arb(p) - b) / 4)
        if self.closest is not None:
            longest = longest.min(flint.arb(self.closest) / 4)
        germ = Germ.of(b, side, end, longest / 8, self.bits)
        if germ is None:
            raise ArithmeticError(f"no expansion of a bath was found at w = {float(b):.6g}")
        self.germs.append(germ)
        return germ.length

    def _outwards(self, piece: int, b: Any, side: int, first: Any) -> list[Any]:
        """Distances in steps of a fixed ratio until the rest is below the working precision."""
        f, size, steps = self.function, flint.arb(0), [first]
        for _ in range(_FARTHEST):
            d = steps[-1]
            size = size.max(f.value(flint.acb(b + side * d), piece).abs_upper())
            beyond = f.beyond(b, side, d)
            if beyond is not None and all(d >= 4 * abs(flint.arb(p) - b) for p in self.poles):
                rest = beyond.size * tail_integral(beyond.power - self.slowest, beyond.rate, d)
                goal = size * flint.arb(2) ** -self.bits * first ** (1 - self.slowest)
                corner = flint.acb(b + side * (d / _STEP).union(d), flint.arb(0).union(d / 2))
                if rest <= goal and len(steps) > 1 and _free(f, piece, corner):
                    self.rays.append((b, side, d, beyond))
                    return steps
            steps.append(_STEP * d)
        raise ArithmeticError("the tail of a bath could not be bounded at this precision")

    def _roofs(
        self, piece: int, xs: list[Any], heights: list[Any], left_ray: bool, right_ray: bool
    ) -> None:
        """Panels over the stretches between ascending xs, at most so high."""
        boxes: list[tuple[Any, Any, Any]] = []
        for (low, high), height in zip(pairwise(xs), heights, strict=True):
            boxes += self._split(piece, flint.arb(low), flint.arb(high), height, 0)
        knots = [boxes[0][2] if left_ray else flint.arb(0)]
        knots += [a[2].min(c[2]) for a, c in pairwise(boxes)]
        knots.append(boxes[-1][2] if right_ray else flint.arb(0))
        size = flint.arb(0)
        for low, high, _ in boxes:
            value = self.function.value(flint.acb((low + high) / 2), piece)
            size = size.max(value.abs_upper())
        for (low, high, _), y0, y1 in zip(boxes, knots[:-1], knots[1:], strict=True):
            ends = flint.acb(low, y0), flint.acb(high, y1)
            panel = Panel(self.function, piece, *ends, size * _LARGER, self.bits)
            self.panels += panel.settled()

    def _split(
        self, piece: int, low: Any, high: Any, height: Any, depth: int
    ) -> Iterator[tuple[Any, Any, Any]]:
        """Boxes above [low, high] in which the function is analytic."""
        box = flint.acb(low.union(high), flint.arb(0).union(height))
        if _free(self.function, piece, box):
            yield low, high, height
            return
        if depth > _DEEPEST:
            raise ArithmeticError("a bath is not analytic above the real axis, or too narrow there")
        middle = (low + high) / 2
        yield from self._split(piece, low, middle, height / 2, depth + 1)
        yield from self._split(piece, middle, high, height / 2, depth + 1)
