"""Sixth order: which integrals over three arcs close, and what the others cost.

With equal factors symmetrised and conjugates joined, a sum of terms of order 6 is

    Re int_0^inf du dv dw A(u) B(v) C(w) F(u, v, w),    F = sum_m h_m(x) m(x),

m = u^p v^q w^r e^{-i(alpha u + beta v + gamma w)}, with unique h_m that are constant on each of
the 12 chambers of module `polygons`.

Theorem.  Across a gap every arc goes once or not at all, so that F is a sum over cones whose edges
are vectors of zeros and ones.  Their indicators span nine dimensions only:

    1;   sgn(x_i - x_j) (3);   theta(x_i - x_j - x_k) (3);   whether x_i is the middle one (2 of 3).

1 is a product of half-sided transforms G and derivatives.  Each of the next six is one integral
over a frequency, of two transforms beside a factor or of three.  The last two are products of two
signs, hence two integrals.  The sum is a polynomial in G and its derivatives at fixed frequencies
exactly if only 1 occurs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import flint
import numpy as np

from pertsym.algebra.linear_fractions import Ring
from pertsym.exact import Gaussian
from pertsym.expansion.terms import TimeIntegrand
from pertsym.reduction.arc_length_reduction import transform
from pertsym.reduction.polygons import (
    CHAMBERS,
    ORDERS,
    UNIT,
    Quasimonomial,
    Vector,
    dot,
    on_chamber,
)
from pertsym.reduction.spectral import (
    ZERO_FORM,
    Denominators,
    MatrixElement,
    SpectralForm,
    added,
    monomial,
)

Cone = tuple[Vector, Vector, Vector]
"""Three edges with determinant +-1."""
Coefficient = Mapping[Denominators, Gaussian]
"""A rational function of the transition frequencies, a sum over denominators."""

_PAIRS = ((0, 1), (0, 2), (1, 2))


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
    return UNIT[i], added(UNIT[i], UNIT[j]), (1, 1, 1)


def _steps() -> tuple[Step, ...]:
    names = "uvw"
    octant: Cone = (UNIT[0], UNIT[1], UNIT[2])
    found = [Step("1", 0, (1,) * len(CHAMBERS), ((1, octant),))]
    for i, j in _PAIRS:
        values = tuple(1 if o.index(i) < o.index(j) else -1 for o, _ in CHAMBERS)
        k = 3 - i - j
        longer: Cone = (UNIT[i], added(UNIT[i], UNIT[j]), UNIT[k])
        found.append(Step(f"sgn({names[i]}-{names[j]})", 1, values, ((2, longer), (-1, octant))))
    for i in range(3):
        j, k = (n for n in range(3) if n != i)
        values = tuple(int(far and o[0] == i) for o, far in CHAMBERS)
        cone: Cone = (UNIT[i], added(UNIT[i], UNIT[j]), added(UNIT[i], UNIT[k]))
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
                for key, below, z in on_chamber(term, order, far):
                    values = total.setdefault(key, {}).setdefault(below, _zeros())
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
        correlations: Mapping[str, Sequence[tuple[Any, Any]]],
        frequencies: Sequence[Fraction],
        strengths: Mapping[str, Fraction] = MappingProxyType({}),
        integrals: Sequence[int] = (0, 1, 2),
    ) -> Any:
        """The value for C(t > 0) = sum_j c_j exp(-nu_j t), exact for exact numbers.

        Parameters
        ----------
        correlations
            (c, nu) of each name, `Gaussian` numbers or complex ones.
        frequencies
            Transition frequencies, the entries of a `Frequency`.
        strengths
            Values of the matrix elements; 1 where not given.
        integrals
            Which pieces to take.
        """
        pairs = {name: np.array(list(some)).T for name, some in correlations.items()}
        doubles = any(values.dtype == complex for values in pairs.values())
        total: Any = 0.0 if doubles else Fraction(0)
        for piece in self.pieces:
            if piece.step.integrals not in integrals:
                continue
            z = _coefficient_at(piece.coefficient, frequencies)
            for name in piece.monomial.strengths:
                z = z * Gaussian(strengths.get(name, 1))
            amplitude: Any = complex(z) if doubles else z
            rates: list[Any] = []
            for axis, ((name, star), x) in enumerate(
                zip(piece.monomial.arcs, piece.monomial.exponents, strict=True)
            ):
                shape, shift = [1 if n != axis else -1 for n in range(3)], dot(x, frequencies)
                c, nu = pairs[name].conj() if star else pairs[name]
                turned = 1j * float(shift) if doubles else Gaussian(0, shift)
                amplitude = c.reshape(shape) * amplitude
                rates.append(nu.reshape(shape) + turned)
            for weight, cone in piece.step.cones:
                value = (cone_integral(cone, piece.monomial.powers, rates) * amplitude).sum()
                total += weight * (value.real if doubles else value.re)
        return total


def cone_integral(cone: Cone, powers: Vector, rates: Sequence[Any]) -> Any:
    """Integral of u^p v^q w^r exp(-(rates . x)) over a cone.

    Parameters
    ----------
    cone
        Its edges.
    powers
        p, q, r.
    rates
        Three numbers, or arrays that broadcast.
    """
    along = []
    for edge in cone:
        terms = [rate for rate, n in zip(rates, edge, strict=True) if n]  # edges of ones
        along.append(1 / sum(terms[1:], terms[0]))
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
                for unit, edge in zip(UNIT, cone, strict=True):
                    if edge[place]:
                        key = added(exponents, unit)
                        raised[key] = raised.get(key, 0) + weight * edge[place]
            found = raised
    return found


def _zeros() -> Values:
    return [Gaussian()] * len(CHAMBERS)


def _coefficient_at(coefficient: Coefficient, frequencies: Sequence[Fraction]) -> Gaussian:
    total = Gaussian()
    for below, z in coefficient.items():
        scale = Fraction(1)
        for form, power in below:
            scale /= dot(form, frequencies) ** power
        total = total + z * Gaussian(scale)
    return total


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
