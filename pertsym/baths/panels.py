"""Pieces of a path for a piecewise analytic function: panels off the real axis and ends on it.

On a panel a Gauss-Legendre rule is used, with the error bound (64/15) M rho^(-2N)/(1 - rho^-2) for
|f| <= M in the ellipse of radius rho; at a branch point |w - b|^p a Taylor series with Cauchy's
bound.  Beside a panel its sum over nodes t_j is itself summed as a power series,

    1/(u - t) = [1 + 2 sum_k T_k(t) q^-k]/r,   r^2 = u^2 - 1,  q = u + r,

with |T_k| <= 1 for what is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, NamedTuple, Protocol

import flint
import numpy as np

from pertsym.baths.balls import Ball, Decay, taylor
from pertsym.precision import ball_bits

_I = flint.acb(0, 1)
_RHO = 3
_MAJOR, _MINOR = flint.fmpq(5, 3), flint.fmpq(4, 3)  # half axes of the ellipse of radius 3
_MARGIN = flint.fmpq(1, 12)
_FEWEST = 3  # nodes
_LONE = 40  # halvings without any bound
CLEAR = 0.0834  # more than the margin, for what doubles make of it
DEEPEST = 60

Series = Callable[[Ball], Ball]


class End(NamedTuple):
    """f(b + side x) = x^power regular(x) for small x > 0.

    Where that does not say it all, `germs` makes of a length and a number of bits what f is a sum
    of there; None where no expansion is found.
    """

    power: float
    regular: Series
    germs: Callable[[Any, int], list[Germ] | None] | None = None

    @property
    def is_regular(self) -> bool:
        """Analytic at b itself."""
        return self.germs is None and self.power >= 0 and float(self.power).is_integer()


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

    def beyond(self, b: Any, side: int, start: Any) -> Decay | None:
        """A bound on the ray w = b + d (side + i/2), d >= start; None: there is none yet."""
        ...


@lru_cache(maxsize=512)
def _gauss(count: int, bits: int) -> tuple[tuple[Any, Any], ...]:
    with ball_bits(bits):
        return tuple(flint.arb.legendre_p_root(count, k, weight=True) for k in range(count))


@lru_cache(maxsize=256)
def _powers(count: int, bits: int) -> Any:
    """(1 or 2) T_k(t_j): what the coefficients of q^-k are made of."""
    with ball_bits(bits):
        nodes = [x for x, _ in _gauss(count, bits)]
        rows = [[flint.arb(1)] * count, nodes]
        for _ in range(2, bits * 2 // 3 + 2):
            rows.append([2 * x * b - a for x, a, b in zip(nodes, *rows[-2:], strict=True)])
        return flint.acb_mat([rows[0], *([2 * x for x in row] for row in rows[1:])])


_SIDE = flint.arb(0, 0.3334)
_COVER = tuple(
    flint.acb(_SIDE + flint.fmpq(2 * x, 3), _SIDE + flint.fmpq(y, 3))
    for x in range(-2, 3)
    for y in (-3, -1, 1, 3)
)
"""Boxes that cover the ellipse."""
_WHOLE = flint.acb(*(flint.arb(0, float(x) * (1 + 1e-15)) for x in (5 / 3, 4 / 3)))
_TIGHT = 2**10  # a bound from one box, over the value inside
GRADES = np.array([1.6, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 14.0, 20.0, 30.0, 50.0])
"""log2 of |q|; for each the terms that the precision asks for."""


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
    goal: Any = None
    """What the error of the rule for |f| need not fall below."""
    _polynomials: dict[int, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.centre, self.half = (self.first + self.last) / 2, (self.last - self.first) / 2
        self.inverse = 1 / self.half

    @cached_property
    def bound(self) -> Any:
        """A bound of |f| in the ellipse; infinite if f is not analytic there."""
        whole = self._largest(self.centre + self.half * _WHOLE, 0)
        if whole < _TIGHT * self.middle:
            return whole
        bound = flint.arb(0)
        for u in _COVER:
            bound = bound.max(self._largest(self.centre + self.half * u, 2))
            if not bound.is_finite():
                break
        return bound

    def _largest(self, box: Any, cuts: int) -> Any:
        """A bound of |f| in a box, cut so often if it is too wide; infinite if there is none."""
        value = self.function.value(box, self.piece)
        if value.is_finite():
            return value.abs_upper()
        if not cuts:
            return flint.arb.pos_inf()
        first, second = _halves(box)
        bound = self._largest(first, cuts - 1)
        return bound.max(self._largest(second, cuts - 1)) if bound.is_finite() else bound

    @cached_property
    def middle(self) -> Any:
        """|f| at the centre."""
        return self.function.value(self.centre, self.piece).abs_upper()

    def settled(self) -> list[Panel]:
        """This panel, or its parts, such that a rule can be used on each."""
        # a bound of a crude kind need not shrink with the panel: ask for less and less
        if self.bound < self.largest * 2 ** (4 * self.depth) or self.depth > DEEPEST:
            return [self]
        if self.depth > _LONE and not self.bound.is_finite():
            raise ArithmeticError("a bath is not analytic on the path, or too narrow beside it")
        return [panel for half in self._split() for panel in half.settled()]

    def _split(self) -> list[Panel]:
        ends = (self.first, self.centre), (self.centre, self.last)
        return [
            replace(self, first=a, last=b, depth=self.depth + 1, _polynomials={}) for a, b in ends
        ]

    @cached_property
    def halves(self) -> list[Panel]:
        return [panel for half in self._split() for panel in half.settled()]

    @cached_property
    def count(self) -> int:
        most = self.bits * 8 // 25 + 4  # 3^(-2 count) < 2^-bits
        if self.goal is None or not self.goal > 0:
            return most
        if not self.bound > self.goal:
            return _FEWEST
        wanted = float((self.bound / self.goal).log()) / (2 * math.log(_RHO))
        return min(most, math.ceil(wanted) + _FEWEST)

    @cached_property
    def nodes(self) -> list[tuple[Any, Any]]:
        """(place, weight times f)."""
        made = []
        for x, weight in _gauss(self.count, self.bits):
            w = self.centre + self.half * x
            made.append((w, self.function.value(w, self.piece) * self.half * weight))
        return made

    @cached_property
    def size(self) -> Any:
        """A bound of int |f| |dw|."""
        total, parts = flint.arb(0), 3
        for k in range(parts):
            low, high = (flint.arb(2 * j - parts) / parts for j in (k, k + 1))
            value = self.function.value(self.centre + self.half * low.union(high), self.piece)
            total += value.abs_upper() if value.is_finite() else self.bound
        return 2 * total / parts * self.half.abs_upper()

    def kernel_integral(self, poles: Sequence[tuple[Any, Any, int]]) -> Any:
        """int dw f(w) sum_j c_j/(w - a_j)^n_j along the panel."""
        width, error = self.half.abs_upper(), flint.arb(0)
        for c, a, n in poles:
            u = (a - self.centre) * self.inverse
            gap = ((u - 1).abs_lower() + (u + 1).abs_lower()) / 2 - _MAJOR
            if not gap > _MARGIN:
                if self.depth > DEEPEST:
                    return flint.acb("nan")
                return sum((half.kernel_integral(poles) for half in self.halves), flint.acb(0))
            error += abs(c) * self.error * width / (width * gap) ** n
        total = flint.acb(0)
        for w, value in self.nodes:
            kernel: Any = 0
            for c, a, n in poles:
                kernel = kernel + (c / (w - a) if n == 1 else c / (w - a) ** n)
            total += value * kernel
        return widened(total, error.abs_upper())

    def cauchy(self, u: Any, grade: int) -> Any:
        """sum_j v_j/(w_j - z) at z = centre + half u, by powers of 1/q.

        The caller knows that |q| is at least 2^GRADES[grade]; it adds the bound of what is left
        out, sum_(k >= K) 2 |tau_k| |q|^-k <= 2 sum |v_j| |q|^-K/(1 - |1/q|).
        """
        square = u * u
        steep = abs(float(u.real.mid())) >= abs(float(u.imag.mid()))
        root = (square - 1).sqrt() if steep else (1 - square).sqrt() * _I
        if (u * root.conjugate()).real < 0:  # |u + r| > |u - r|
            root = -root
        return self._series(grade)(1 / (u + root)) / root * -self.inverse

    def _series(self, grade: int) -> Any:
        if grade not in self._polynomials:
            values = flint.acb_mat([[value] for _, value in self.nodes])
            terms = math.ceil(self.bits / GRADES[grade]) + 2
            moments = (_powers(self.count, self.bits) * values).entries()
            self._polynomials[grade] = flint.acb_poly(moments[:terms])
        return self._polynomials[grade]

    @cached_property
    def total(self) -> Any:
        """sum_j |v_j|."""
        return sum((value.abs_upper() for _, value in self.nodes), flint.arb(0)).abs_upper()

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
    """int_0^h dx x^power g(x) K(b + side x) at one end of a piece, g as a Taylor series.

    With a factor log x where `logarithmic`.
    """

    b: Any
    side: int
    power: float
    length: Any
    coefficients: Sequence[Any]
    bound: Any
    logarithmic: bool = False
    _moments: dict[int, Any] = field(default_factory=dict, repr=False)
    _polynomials: dict[int, Any] = field(default_factory=dict, repr=False)

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

    @property
    def size(self) -> Any:
        """A bound of int |f| |dw|, power > -1, without a logarithm."""
        exponent = flint.arb(self.power) + 1
        return self.bound * self.length**exponent / exponent

    def moment(self, j: int) -> Any:
        """FP int_0^h dx x^(power + j) g(x), or with log x."""
        if j not in self._moments:
            h, total, terms = self.length, flint.acb(0), len(self.coefficients)
            logarithm, log = h.log(), self.logarithmic
            for k, c in enumerate(self.coefficients):
                exponent = flint.arb(self.power) + (j + k + 1)
                if self.power + j + k + 1 == 0:
                    total += c * (logarithm**2 / 2 if log else logarithm)
                else:
                    factor = logarithm - 1 / exponent if log else 1
                    total += c * factor * h**exponent / exponent
            last = flint.arb(self.power) + (j + terms + 1)  # > 0
            rest = self.bound * h**last / last / (8 * h) ** terms * flint.fmpq(8, 7)
            if log:
                rest = rest * (abs(logarithm) + 1 / last)
            self._moments[j] = widened(total, rest.abs_upper())
        return self._moments[j]

    def transform(self, z: Any, n: int) -> Any:
        away = z - self.b
        if n == 0:
            return self.moment(0)
        if isinstance(away, flint.fmpq) and away == 0:
            return self.moment(-n) * self.side**n
        away = flint.acb(away)
        ratio = self.length / away.abs_lower()
        if not ratio < flint.fmpq(1, 3):
            return flint.acb("nan")
        # (side x - away)^-n = (-away)^-n sum_k binomial (side x/away)^k
        terms = len(self.coefficients) * 2
        if n not in self._polynomials:
            moments = [math.comb(n - 1 + k, k) * self.moment(k) for k in range(terms)]
            self._polynomials[n] = flint.acb_poly(moments)
        total = self._polynomials[n](self.side / away)
        rest = 3 * math.comb(n - 1 + terms, terms) * ratio**terms * self.bound
        rest = rest * self.length ** (flint.arb(self.power) + 1)
        if self.logarithmic:
            rest = rest * (abs(self.length.log()) + 1 / (flint.arb(self.power) + 1))
        return widened(total, rest.abs_upper()) / (-away) ** n
