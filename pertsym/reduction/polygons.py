"""Sixth-order terms as functions of their three arc lengths.

A term of order 6 has five gaps under three arcs.  Its correlation functions depend on the arc
lengths x = (u, v, w) alone; the two remaining gaps range over a polygon whose sides are linear in
x, on which the phase is linear.  By the theorem of Gauss, twice, the integral over it is

    int_P dd e^{-i c.d} = (i/c.xi) sum over sides (xi x e) int_0^L ds e^{-i c.(V + s e)},

with V a corner, e the direction and L the length of a side, xi any vector with c.xi != 0; where a
coefficient vanishes a length or an area is left.  Which corners there are depends on the chamber
of the planes x_i = x_j, x_i = x_j + x_k that x lies in: 12, by the order of the lengths and by
whether the longest exceeds the sum of the others.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from math import atan2
from typing import NamedTuple

import flint

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency, Strengths
from pertsym.expansion.terms import Term
from pertsym.reduction.spectral import (
    Denominators,
    added,
    multiply_denominators,
    negated,
    reciprocal,
)

Arc = tuple[str, bool]
"""A correlation function, conjugated or not."""
Vector = tuple[int, ...]
ORDERS = tuple(itertools.permutations(range(3)))
CHAMBERS = tuple((order, far) for order in ORDERS for far in (True, False))
"""Arcs from the longest to the shortest; whether the longest exceeds the sum of the others."""

UNIT: tuple[Vector, ...] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))


class Quasimonomial(NamedTuple):
    """A(u) B(v) C(w) u^p v^q w^r exp(-i(alpha u + beta v + gamma w)) times matrix elements."""

    arcs: tuple[Arc, ...]
    powers: Vector
    exponents: tuple[Frequency, ...]
    strengths: Strengths = ()

    def permuted(self, order: Sequence[int]) -> Quasimonomial:
        """Arc number k of the result is number order[k] of this one."""
        return self._replace(
            arcs=tuple(self.arcs[k] for k in order),
            powers=tuple(self.powers[k] for k in order),
            exponents=tuple(self.exponents[k] for k in order),
        )

    def conjugated(self, real: frozenset[str]) -> Quasimonomial:
        """Complex conjugate; names in `real` are their own."""
        return self._replace(
            arcs=tuple((name, star ^ (name not in real)) for name, star in self.arcs),
            exponents=tuple(map(negated, self.exponents)),
        )


def dot(form: Sequence[int], values: Sequence[Fraction]) -> Fraction:
    """A linear form at a point."""
    return sum((n * x for n, x in zip(form, values, strict=True)), Fraction(0))


class _Layout(NamedTuple):
    """tau_k = lengths[k] . x + slopes[k] . d over two offsets d, which are gaps themselves."""

    lengths: tuple[Vector, ...]
    slopes: tuple[Vector, ...]


class _Side(NamedTuple):
    corner: tuple[Vector, Vector]
    end: tuple[Vector, Vector]
    direction: Vector
    length: Vector


@cache
def _layout(spans: tuple[tuple[int, int], ...]) -> _Layout:
    for free in itertools.combinations(range(5), 2):
        bound = [k for k in range(5) if k not in free]
        matrix = flint.fmpz_mat([[int(a <= k + 1 <= b) for k in bound] for a, b in spans])
        if abs(int(matrix.det())) == 1:
            inverse = flint.fmpq_mat(matrix).inv()
            across = flint.fmpq_mat([[int(a <= k + 1 <= b) for k in free] for a, b in spans])
            slopes = -inverse * across
            lengths: list[Vector] = [(0, 0, 0)] * 5
            directions: list[Vector] = [(0, 0)] * 5
            for row, k in enumerate(bound):
                lengths[k] = tuple(int(inverse[row, c].p) for c in range(3))
                directions[k] = tuple(int(slopes[row, c].p) for c in range(2))
            directions[free[0]], directions[free[1]] = (1, 0), (0, 1)
            return _Layout(tuple(lengths), tuple(directions))
    raise ValueError(f"arcs over gaps {spans} do not leave two gaps free")


@cache
def _polygon(
    spans: tuple[tuple[int, int], ...], order: tuple[int, ...], far: bool
) -> tuple[_Side, ...]:
    """The sides counter-clockwise, corners as linear forms in x; empty if there is no polygon."""
    lengths, slopes = _layout(spans)
    sample = inside(order, far)
    values = [dot(form, sample) for form in lengths]
    corners = []
    for j, k in itertools.combinations(range(5), 2):
        (a, b), (c, d) = slopes[j], slopes[k]
        determinant = a * d - b * c
        if not determinant:
            continue
        # slopes[j] . point = -lengths[j] . x, the same for k
        known = list(zip(lengths[j], lengths[k], strict=True))
        point = (
            tuple(_whole(b * y - d * x, determinant) for x, y in known),
            tuple(_whole(c * x - a * y, determinant) for x, y in known),
        )
        place = dot(point[0], sample), dot(point[1], sample)
        if all(v + dot(s, place) >= 0 for v, s in zip(values, slopes, strict=True)):
            corners.append((point, place, {j, k}))
    if not corners:
        return ()
    middle = [sum(place[n] for _, place, _ in corners) / len(corners) for n in range(2)]
    corners.sort(key=lambda c: atan2(float(c[1][1] - middle[1]), float(c[1][0] - middle[0])))
    sides = []
    for (start, at, lines), (end, to, others) in zip(
        corners, corners[1:] + corners[:1], strict=True
    ):
        (line,) = lines & others
        a, b = slopes[line]
        step = tuple(y - x for x, y in zip(at, to, strict=True))
        direction = (-b, a) if -b * step[0] + a * step[1] > 0 else (b, -a)
        n = 0 if direction[0] else 1
        length = tuple(_whole(y - x, direction[n]) for x, y in zip(start[n], end[n], strict=True))
        sides.append(_Side(start, end, direction, length))
    return tuple(sides)


def inside(order: tuple[int, ...], far: bool) -> list[Fraction]:
    """A point inside a chamber and on no plane where three lines of gaps meet."""
    x = [Fraction(0)] * 3
    for arc, value in zip(order, (19, 7, 5) if far else (11, 7, 5), strict=True):
        x[arc] = Fraction(value)
    return x


def _whole(a: int, b: int) -> int:
    quotient, rest = divmod(a, b)
    if rest:
        raise ArithmeticError("a corner of the polygon is no integer form of the arc lengths")
    return quotient


def _combined(weights: Sequence[int], forms: Sequence[Frequency]) -> Frequency:
    return tuple(
        sum(n * x for n, x in zip(weights, xs, strict=True)) for xs in zip(*forms, strict=True)
    )


def on_chamber(
    term: Term, order: tuple[int, ...], far: bool
) -> Iterator[tuple[Quasimonomial, Denominators, Gaussian]]:
    """One term integrated over its two offsets where the arc lengths lie in one chamber.

    Raises
    ------
    ValueError
        If the term is not of order 6 with arcs over every gap.
    """
    factors, phase, strengths = term.shape
    if len(factors) != 3 or len(phase) != 5:
        raise ValueError(f"integrand: {len(factors)} arcs over {len(phase)} gaps are not order 6")
    spans = tuple((f.first, f.last) for f in factors)
    arcs = tuple((f.name, f.conjugate) for f in factors)
    lengths, slopes = _layout(spans)
    sides = _polygon(spans, order, far)
    base = [_combined(column, phase) for column in zip(*lengths, strict=True)]
    slope = [_combined(column, phase) for column in zip(*slopes, strict=True)]
    z = term.coefficient

    def at(corner: tuple[Vector, Vector], powers: Vector) -> Quasimonomial:
        moved = (
            added(b, _combined(weights, slope))
            for b, weights in zip(base, zip(*corner, strict=True), strict=True)
        )
        return Quasimonomial(arcs, powers, tuple(moved), strengths)

    if not any(map(any, slope)):
        area: dict[Vector, int] = {}
        for side in sides:
            for n, sign in ((0, 1), (1, -1)):
                for (j, p), (k, q) in itertools.product(
                    enumerate(side.corner[n]), enumerate(side.end[1 - n])
                ):
                    key = added(UNIT[j], UNIT[k])
                    area[key] = area.get(key, 0) + sign * p * q
        for powers, n in area.items():
            if n:
                yield at(((0, 0, 0), (0, 0, 0)), powers), (), z * Gaussian(Fraction(n, 2))
        return
    xi = 0 if any(slope[0]) else 1
    below, content = reciprocal(slope[xi])
    for side in sides:
        flux = side.direction[1] if xi == 0 else -side.direction[0]  # xi x e
        if not flux:
            continue
        weight = z * Gaussian(0, content * flux)
        along = _combined(side.direction, slope)
        if any(along):
            again, scale = reciprocal(along)
            for corner, sign in ((side.end, 1), (side.corner, -1)):
                yield (
                    at(corner, (0, 0, 0)),
                    multiply_denominators(below, again),
                    weight * Gaussian(0, scale * sign),
                )
        else:
            for unit, n in zip(UNIT, side.length, strict=True):
                if n:
                    yield at(side.corner, unit), below, weight * Gaussian(n)
