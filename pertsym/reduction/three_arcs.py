"""Sixth order: integrals over three arcs as functions of the arc lengths, and what closes.

A term of order 6 has five gaps under three arcs.  Its correlation functions depend on the arc
lengths x = (u, v, w) alone; the two remaining gaps range over a polygon whose sides are linear in
x, on which the phase is linear.  By the theorem of Gauss, twice, the integral over it is

    int_P dd e^{-i c.d} = (i/c.xi) sum over sides (xi x e) int_0^L ds e^{-i c.(V + s e)},

with V a corner, e the direction and L the length of a side, xi any vector with c.xi != 0; where a
coefficient vanishes a length or an area is left.  So a sum of terms becomes

    Re int_0^inf du dv dw A(u) B(v) C(w) F(u, v, w),    F = sum_m h_m(x) m(x),

m = u^p v^q w^r e^{-i(alpha u + beta v + gamma w)} and h_m constant on each chamber of the planes
x_i = x_j, x_i = x_j + x_k.  These are 12 chambers: an order of the lengths, and whether the
longest exceeds the sum of the others.  With equal factors symmetrised and conjugates joined, the
h_m are unique.

Theorem.  Across a gap every arc goes once or not at all, so that F is a sum over cones whose edges
are vectors of zeros and ones.  Their indicators span nine dimensions only:

    1;   sgn(x_i - x_j) (3);   theta(x_i - x_j - x_k) (3);   whether x_i is the middle one (2 of 3).

1 is a product of half-sided transforms G and derivatives.  Each of the next six is one integral
over a frequency, of two transforms beside a factor or of three.  The last two are products of two
signs, hence two integrals.  The sum is a polynomial in G and its derivatives at fixed frequencies
exactly if only 1 occurs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import atan2, factorial
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import flint

from pertsym.equations.linear_fractions import Ring
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency, Strengths
from pertsym.expansion.terms import Term, TimeIntegrand
from pertsym.reduction.arc_length_reduction import transform
from pertsym.reduction.spectral import (
    ZERO_FORM,
    Denominators,
    MatrixElement,
    SpectralForm,
    added,
    monomial,
    multiply_denominators,
    negated,
    reciprocal,
)

Arc = tuple[str, bool]
"""A correlation function, conjugated or not."""
Vector = tuple[int, ...]
Cone = tuple[Vector, Vector, Vector]
"""Three edges with determinant +-1."""
Coefficient = Mapping[Denominators, Gaussian]
"""A rational function of the transition frequencies, a sum over denominators."""

ORDERS = tuple(itertools.permutations(range(3)))
CHAMBERS = tuple((order, far) for order in ORDERS for far in (True, False))
"""Arcs from the longest to the shortest; whether the longest exceeds the sum of the others."""

_UNIT: tuple[Vector, ...] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
_PAIRS = ((0, 1), (0, 2), (1, 2))


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


@dataclass(frozen=True)
class Step:
    """A function of the arc lengths that is constant on every chamber.

    Attributes
    ----------
    name
        "1", "sgn(u-v)", "theta(u-v-w)", "mid(u)", or one of those that do not occur.
    integrals
        0, 1 or 2: how many frequency integrals it costs.
    values
        On `CHAMBERS`.
    cones
        The same function as a sum over cones, with weights.
    """

    name: str
    integrals: int
    values: tuple[int, ...]
    cones: tuple[tuple[int, Cone], ...]


def _chain(order: Sequence[int]) -> Cone:
    i, j, _ = order
    return _UNIT[i], _plus(_UNIT[i], _UNIT[j]), (1, 1, 1)


def _plus(a: Vector, b: Vector) -> Vector:
    return tuple(x + y for x, y in zip(a, b, strict=True))


def _steps() -> tuple[Step, ...]:
    names = "uvw"
    octant: Cone = (_UNIT[0], _UNIT[1], _UNIT[2])
    found = [Step("1", 0, (1,) * len(CHAMBERS), ((1, octant),))]
    for i, j in _PAIRS:
        values = tuple(1 if o.index(i) < o.index(j) else -1 for o, _ in CHAMBERS)
        k = 3 - i - j
        longer: Cone = (_UNIT[i], _plus(_UNIT[i], _UNIT[j]), _UNIT[k])
        found.append(Step(f"sgn({names[i]}-{names[j]})", 1, values, ((2, longer), (-1, octant))))
    for i in range(3):
        j, k = (n for n in range(3) if n != i)
        values = tuple(int(far and o[0] == i) for o, far in CHAMBERS)
        cone: Cone = (_UNIT[i], _plus(_UNIT[i], _UNIT[j]), _plus(_UNIT[i], _UNIT[k]))
        found.append(Step(f"theta({names[i]}-{names[j]}-{names[k]})", 1, values, ((1, cone),)))
    for i in range(3):
        chains = tuple((1, _chain(o)) for o in ORDERS if o[1] == i)
        values = tuple(int(o[1] == i) for o, _ in CHAMBERS)
        found.append(Step(f"mid({names[i]})", 2, values, chains))
    for i in range(3):
        j, k = (n for n in range(3) if n != i)
        values = tuple(
            (1 if o.index(j) < o.index(k) else -1) * int(far and o[0] == i) for o, far in CHAMBERS
        )
        found.append(Step(f"theta({names[i]}) sgn({names[j]}-{names[k]})", 2, values, ()))
    return tuple(found)


STEPS = _steps()
"""They span all step functions, the last of the three mid depends on the others; the last three
have edges (2, 1, 1) and never occur."""

_BASIS = tuple(k for k, step in enumerate(STEPS) if step.name != "mid(w)")


@cache
def _inverse() -> tuple[tuple[Fraction, ...], ...]:
    """From values on the chambers to coefficients of `STEPS`."""
    matrix = flint.fmpq_mat(
        len(_BASIS), len(_BASIS), [STEPS[k].values[c] for c in range(len(CHAMBERS)) for k in _BASIS]
    ).inv()
    size = range(len(_BASIS))
    return tuple(
        tuple(Fraction(int(matrix[r, c].p), int(matrix[r, c].q)) for c in size) for r in size
    )


class Piece(NamedTuple):
    """coefficient * step(x) * monomial, of which the integral's real part is meant."""

    step: Step
    monomial: Quasimonomial
    coefficient: Coefficient


Values = list[Gaussian]
"""On `CHAMBERS`."""
T = TypeVar("T")
Piecewise = dict[Quasimonomial, dict[Denominators, Values]]


@dataclass(frozen=True)
class ThreeArcs:
    """The decomposition of a sum of sixth-order terms, of which the real part is meant.

    Attributes
    ----------
    pieces
        Sorted; equal factors and conjugates are joined, so that the list is unique.
    real
        Names of the correlation functions that are real.
    """

    pieces: tuple[Piece, ...]
    real: frozenset[str]

    @classmethod
    def of(cls, integrand: TimeIntegrand) -> ThreeArcs:
        """Integrate every term over its polygon and decompose the sum.

        Raises
        ------
        ValueError
            If a term is not of order 6 with three arcs over every gap.
        """
        total: Piecewise = {}
        for term in integrand:
            for number, (order, far) in enumerate(CHAMBERS):
                for monomial, below, z in _on_chamber(term, order, far):
                    values = total.setdefault(monomial, {}).setdefault(below, _zeros())
                    values[number] = values[number] + z
        return cls(tuple(_pieces(_joined(total, integrand.real), integrand.real)), integrand.real)

    @property
    def closed(self) -> SpectralForm:
        """The products of transforms."""
        return SpectralForm.collect(
            (m, z)
            for piece in self.pieces
            if not piece.step.integrals
            for m, z in self._product(piece)
        ).real

    def _product(self, piece: Piece) -> SpectralForm:
        form = monomial(Gaussian(1), *(MatrixElement("S", s) for s in piece.monomial.strengths))
        _, powers, exponents, _ = piece.monomial
        for arc, power, exponent in zip(piece.monomial.arcs, powers, exponents, strict=True):
            form = form * transform(arc, power, exponent)
        parts = (form.scaled(z, denominators=d) for d, z in piece.coefficient.items())
        return sum(parts, ZERO_FORM)

    @property
    def rest(self) -> tuple[Piece, ...]:
        """What takes one or two integrals."""
        return tuple(piece for piece in self.pieces if piece.step.integrals)

    def counts(self) -> tuple[int, int, int]:
        """How many pieces take no, one and two integrals."""
        found = [piece.step.integrals for piece in self.pieces]
        return found.count(0), found.count(1), found.count(2)

    def at_exponentials(
        self,
        correlations: Mapping[str, Sequence[tuple[Gaussian, Gaussian]]],
        frequencies: Sequence[Fraction],
        strengths: Mapping[str, Fraction] = MappingProxyType({}),
        integrals: Sequence[int] = (0, 1, 2),
    ) -> Fraction:
        """The exact value for C(t > 0) = sum_j c_j exp(-nu_j t).

        Parameters
        ----------
        correlations
            (c, nu) of each name.
        frequencies
            Transition frequencies, the entries of a `Frequency`.
        strengths
            Values of the matrix elements; 1 where not given.
        integrals
            Which pieces to take.
        """
        total = Gaussian()
        for piece in self.pieces:
            if piece.step.integrals not in integrals:
                continue
            z = _coefficient_at(piece.coefficient, frequencies)
            for name in piece.monomial.strengths:
                z = z * Gaussian(strengths.get(name, 1))
            shifts = [Gaussian(0, _dot(x, frequencies)) for x in piece.monomial.exponents]
            sides = [
                [(c.conjugate(), nu.conjugate()) if star else (c, nu) for c, nu in correlations[n]]
                for n, star in piece.monomial.arcs
            ]
            for choice in itertools.product(*sides):
                rates = [nu + shift for (_, nu), shift in zip(choice, shifts, strict=True)]
                amplitude = choice[0][0] * choice[1][0] * choice[2][0]
                for weight, cone in piece.step.cones:
                    value = cone_integral(cone, piece.monomial.powers, rates, _inverted)
                    total = total + z * amplitude * value * weight
        return total.re


def cone_integral(
    cone: Cone, powers: Vector, rates: Sequence[Any], inverse: Callable[[Any], Any]
) -> Any:
    """Integral of u^p v^q w^r exp(-(rates . x)) over a cone.

    Parameters
    ----------
    cone
        Its edges.
    powers
        p, q, r.
    rates
        Three numbers, or arrays that broadcast.
    inverse
        z -> 1/z for these.
    """
    along = []
    for edge in cone:
        terms = [rate for rate, n in zip(rates, edge, strict=True) if n]  # edges of ones
        along.append(inverse(sum(terms[1:], terms[0])))
    total: Any = 0
    for exponents, weight in on_edges(cone, powers).items():
        value = along[0] * along[1] * along[2]
        for n, factor in zip(exponents, along, strict=True):
            for k in range(1, n + 1):
                value = value * factor * k
        total = value * weight + total
    return total


def on_edges(cone: Cone, powers: Vector) -> dict[Vector, int]:
    """u^p v^q w^r as a polynomial in the coordinates along the edges."""
    found: dict[Vector, int] = {(0, 0, 0): 1}
    for place, power in enumerate(powers):
        for _ in range(power):
            raised: dict[Vector, int] = {}
            for exponents, weight in found.items():
                for unit, edge in zip(_UNIT, cone, strict=True):
                    if edge[place]:
                        key = _plus(exponents, unit)
                        raised[key] = raised.get(key, 0) + weight * edge[place]
            found = raised
    return found


def _inverted(z: Gaussian) -> Gaussian:
    return z.conjugate() * (1 / (z.re**2 + z.im**2))


def _zeros() -> Values:
    return [Gaussian()] * len(CHAMBERS)


def _dot(form: Sequence[int], values: Sequence[Fraction]) -> Fraction:
    return sum((n * x for n, x in zip(form, values, strict=True)), Fraction(0))


def _coefficient_at(coefficient: Coefficient, frequencies: Sequence[Fraction]) -> Gaussian:
    total = Gaussian()
    for below, z in coefficient.items():
        scale = Fraction(1)
        for form, power in below:
            scale /= _dot(form, frequencies) ** power
        total = total + z * Gaussian(scale)
    return total


# ---- the integral over the polygon


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
    inside = _sample(order, far)
    values = [_dot(form, inside) for form in lengths]
    corners = []
    for j, k in itertools.combinations(range(5), 2):
        (a, b), (c, d) = slopes[j], slopes[k]
        determinant = a * d - b * c
        if not determinant:
            continue
        # slopes[j] . point = -lengths[j] . x, the same for k
        point = (
            tuple(_whole(b * y - d * x, determinant) for x, y in zip(lengths[j], lengths[k])),
            tuple(_whole(c * x - a * y, determinant) for x, y in zip(lengths[j], lengths[k])),
        )
        place = _dot(point[0], inside), _dot(point[1], inside)
        if all(v + _dot(s, place) >= 0 for v, s in zip(values, slopes, strict=True)):
            corners.append((point, place, {j, k}))
    if not corners:
        return ()
    middle = [sum(place[n] for _, place, _ in corners) / len(corners) for n in range(2)]
    corners.sort(key=lambda c: atan2(float(c[1][1] - middle[1]), float(c[1][0] - middle[0])))
    sides = []
    for (start, at, lines), (end, to, others) in zip(corners, corners[1:] + corners[:1]):
        (line,) = lines & others
        a, b = slopes[line]
        step = tuple(y - x for x, y in zip(at, to, strict=True))
        direction = (-b, a) if -b * step[0] + a * step[1] > 0 else (b, -a)
        n = 0 if direction[0] else 1
        length = tuple(_whole(y - x, direction[n]) for x, y in zip(start[n], end[n], strict=True))
        sides.append(_Side(start, end, direction, length))
    return tuple(sides)


def _sample(order: tuple[int, ...], far: bool) -> list[Fraction]:
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
    return tuple(sum(n * x for n, x in zip(weights, xs)) for xs in zip(*forms, strict=True))


def _on_chamber(
    term: Term, order: tuple[int, ...], far: bool
) -> Iterator[tuple[Quasimonomial, Denominators, Gaussian]]:
    """One term integrated over its two offsets where the arc lengths lie in one chamber."""
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
            for (j, p), (k, q) in itertools.product(
                enumerate(side.corner[0]), enumerate(side.end[1])
            ):
                key = _plus(_UNIT[j], _UNIT[k])
                area[key] = area.get(key, 0) + p * q
            for (j, p), (k, q) in itertools.product(
                enumerate(side.corner[1]), enumerate(side.end[0])
            ):
                key = _plus(_UNIT[j], _UNIT[k])
                area[key] = area.get(key, 0) - p * q
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
            for unit, n in zip(_UNIT, side.length, strict=True):
                if n:
                    yield at(side.corner, unit), below, weight * Gaussian(n)


# ---- what is unique, and what it costs


def _joined(total: Piecewise, real: frozenset[str]) -> Piecewise:
    """One monomial for all that permutations and conjugation make equal."""
    joined: Piecewise = {}
    for key, parts in total.items():
        images = [
            (image.permuted(order), order, conjugated)
            for image, conjugated in ((key, False), (key.conjugated(real), True))
            for order in ORDERS
        ]
        least = min((image for image, _, _ in images), key=_rank)
        same = [(order, conjugated) for image, order, conjugated in images if image == least]
        for below, values in parts.items():
            into = joined.setdefault(least, {}).setdefault(below, _zeros())
            for order, conjugated in same:
                for number, value in enumerate(_renamed(values, order)):
                    z = value.conjugate() if conjugated else value
                    into[number] = into[number] + z * Gaussian(Fraction(1, len(same)))
    return joined


def _rank(m: Quasimonomial) -> tuple[object, ...]:
    return sum(star for _, star in m.arcs), m.arcs, m.exponents, m.powers


def _pieces(joined: Piecewise, real: frozenset[str]) -> Iterator[Piece]:
    """Decompose, and write what the permutations of equal arcs make equal in one way."""
    found: dict[tuple[int, Quasimonomial], dict[Denominators, Gaussian]] = {}
    for key, parts in joined.items():
        alike = [o for o in ORDERS if _family(key.permuted(o)) == _family(key)]
        for below, values in parts.items():
            for row, number in zip(_inverse(), _BASIS, strict=True):
                z = sum((v * Gaussian(w) for v, w in zip(values, row, strict=True)), Gaussian())
                if not z:
                    continue
                images = ((*_permuted_step(number, o), key.permuted(o)) for o in alike)
                step, sign, least = min(images, key=lambda image: (image[0], image[2]))
                into = found.setdefault((step, least), {})
                into[below] = into.get(below, Gaussian()) + z * sign
    for (number, key), coefficient in sorted(found.items(), key=_place):
        left = {below: z for below, z in coefficient.items() if z}
        if not _vanishes(left):
            if not STEPS[number].cones:
                raise ArithmeticError(f"{STEPS[number].name} occurs, against the theorem")
            yield Piece(STEPS[number], key, MappingProxyType(left))


def _family(m: Quasimonomial) -> tuple[object, ...]:
    return m.arcs, m.exponents, m.strengths


def _place(entry: tuple[tuple[int, Quasimonomial], object]) -> tuple[object, ...]:
    (number, key), _ = entry
    return _rank(key)[0], key.arcs, key.exponents, number, key.powers, key.strengths


@cache
def _permuted_step(number: int, order: tuple[int, ...]) -> tuple[int, int]:
    """The step of renamed arcs and its sign; a step that is no other's image stays itself."""
    values = _renamed(STEPS[number].values, order)
    for other, step in enumerate(STEPS):
        for sign in (1, -1):
            if values == tuple(sign * v for v in step.values):
                return other, sign
    raise ArithmeticError(f"{STEPS[number].name} has no image under {order}")


def _renamed(values: Sequence[T], order: Sequence[int]) -> tuple[T, ...]:
    """Values on the chambers once arc k is called what was arc order[k]."""
    return tuple(values[CHAMBERS.index((tuple(order[k] for k in o), far))] for o, far in CHAMBERS)


def _vanishes(coefficient: Coefficient) -> bool:
    """Whether a sum over denominators is zero as a rational function of the frequencies."""
    if len(coefficient) < 2:
        return not coefficient
    count = len(next(form for below in coefficient for form, _ in below))
    ring = Ring(tuple(f"w{k}" for k in range(count)))
    for part in ("re", "im"):
        terms = []
        for below, z in coefficient.items():
            value = ring.number(getattr(z, part))
            for form, power in below:
                value = value.over(form, power)
            terms.append(value)
        if ring.sum(terms):
            return False
    return True
