"""Check that the generator annihilates the mean-force Gibbs state, order by order.

Write C(t) = (1/2pi) int dw Ĉ(w) exp(-iwt).  For t -> infinity the state and the auxiliaries of
open lines w_1, ..., w_l that belong to it obey, from order to order,

    (w_1 + ... + w_l + E_a - E_b) X_ab(w_1..w_l) =
        - [S, int dw/(2pi) X(w_1..w_l, w)]_ab
        - sum_j {Ĉ(w_j) S X(without w_j) - Ĉ(-w_j) X(without w_j) S}_ab,

divided with w_j -> w_j - i0, and d(state)/dt = -i[H_S, X()] - i[S, int dw/(2pi) X(w)].  The
mean-force state is X() = r; it is stationary if, with Ĉ(-w) = exp(-beta w) Ĉ(w),

(1) every right-hand side vanishes where its denominator does, so that X is entire in the
    frequencies, the i0 is without effect and integrals may be reflected, w -> -w;
(2) -[H_S, r] - [S, int dw/(2pi) X(w)] vanishes.

Both are identities between rational functions of energies, frequencies, matrix elements, beta and
the exponentials exp(-beta E), exp(-beta w), which are algebraically independent of them.  With
all these as variables they are proved; at one random point of the field of 2^61 - 1 elements they
are sampled, and a polynomial of degree d that is not zero vanishes with probability below d/2^61.
A term of order 2n is linear in the spectrum at each of n frequencies, so that it is enough to
follow n lines, each of them open or closed, a closed one with both of its signs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import product

from pertsym.certify.series import (
    Element,
    Matrix,
    NotDivisible,
    Series,
    combined,
    constant,
    matrix_sum,
    negative,
    plus,
    quotient,
    times,
    weighted,
)
from pertsym.certify.spectral_lines import Line, Point, Points, mean_force_term


class NotStationary(AssertionError):
    """An identity that the theorem needs does not hold; says which."""


@dataclass(frozen=True)
class Auxiliaries:
    """X of open and closed lines at one point, by the recursion from the mean-force state."""

    point: Point
    states: dict[frozenset[int], Matrix] = field(default_factory=dict, repr=False)
    """X of closed lines alone, which a resonance of the others does not change: may be shared."""
    _known: dict[tuple[frozenset[Line], frozenset[int]], Matrix] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __call__(self, opened: frozenset[Line], closed: frozenset[int]) -> Matrix:
        """X of these lines.

        Raises
        ------
        NotDivisible
            If a right-hand side does not vanish with its denominator.
        """
        if not opened:
            if closed not in self.states:
                self.states[closed] = self._state(sorted(closed))
            return self.states[closed]
        key = opened, closed
        if key not in self._known:
            self._known[key] = self._divided(opened, closed)
        return self._known[key]

    def rate(self, closed: frozenset[int], coherences: bool) -> Iterator[tuple[int, int, Element]]:
        """(a, b, [H_S, r]_ab + [S, sum of X over one open line]_ab): i times d(state)/dt.

        Populations need no r of this order, which is the costly part.
        """
        driven = self._above(frozenset(), closed)
        for (a, b), x in _elements(driven):
            if a == b:
                yield a, b, x[0]
            elif coherences:
                r = self(frozenset(), closed)[a][b]
                yield a, b, x[0] + self._gap(a, b) * r[0]

    def _gap(self, a: int, b: int) -> Element:
        return self.point.energies[a] - self.point.energies[b]

    @property
    def _depth(self) -> int:
        return len(self.point.frequencies[0])

    def _state(self, closed: Sequence[int]) -> Matrix:
        term = mean_force_term(self.point, closed)
        return tuple(tuple(constant(x, self._depth) for x in row) for row in term)

    def _divided(self, opened: frozenset[Line], closed: frozenset[int]) -> Matrix:
        below = (self._below(line, self(opened - {line}, closed)) for line in sorted(opened))
        sources = reduce(matrix_sum, below, self._above(opened, closed))
        frequency = constant(0 * self.point.beta, self._depth)
        for j, sign in sorted(opened):
            frequency = plus(frequency, times(self.point.frequencies[j], sign))
        size = range(self.point.levels)
        what = f"the auxiliary of {len(opened)} open and {len(closed)} closed lines"
        return tuple(
            tuple(
                quotient(
                    times(sources[a][b], -1),
                    plus(frequency, constant(self._gap(a, b), self._depth)),
                    f"{what}, element {a}{b}",
                )
                for b in size
            )
            for a in size
        )

    def _above(self, opened: frozenset[Line], closed: frozenset[int]) -> Matrix:
        """[S, sum over closed lines and their signs of X with that line open]."""
        size = self.point.levels
        zero: Matrix = ((constant(0 * self.point.beta, self._depth),) * size,) * size
        return reduce(
            matrix_sum,
            (
                self._commutator(self(opened | {(j, sign)}, closed - {j}))
                for j in sorted(closed)
                for sign in (1, -1)
            ),
            zero,
        )

    def _commutator(self, x: Matrix) -> Matrix:
        return matrix_sum(self._left(x), negative(self._right(x)))

    def _below(self, line: Line, x: Matrix) -> Matrix:
        """Ĉ(w) S X - Ĉ(-w) X S, where Ĉ = 1 at the positive sign of the line."""
        j, sign = line
        weight = self.point.weights[j]
        left, right = self._left(x), negative(self._right(x))
        if sign > 0:
            return matrix_sum(left, weighted(right, weight))
        return matrix_sum(weighted(left, weight), right)

    def _left(self, x: Matrix) -> Matrix:
        size = range(self.point.levels)
        return tuple(
            tuple(combined(self.point.coupling[a], [x[c][b] for c in size]) for b in size)
            for a in size
        )

    def _right(self, x: Matrix) -> Matrix:
        size = range(self.point.levels)
        columns = tuple(zip(*self.point.coupling, strict=True))
        return tuple(tuple(combined(columns[b], x[a]) for b in size) for a in size)


def check_stationarity(points: Points, order: int, coherences: bool = True) -> Iterator[str]:
    """Test every identity behind K r = 0 up to an order; yield each in words as it holds.

    Parameters
    ----------
    points
        `RandomPoints` of N levels, or `TwoLevelVariables`, with which an identity is proved.
    order
        Even, of the generator: the populations of r are tested up to order - 2.
    coherences
        Whether to test the coherences of r at this order too, and not only below it.

    Raises
    ------
    NotStationary
        Naming the identity that fails.
    """
    half = order // 2
    for lines in range(1, half + 1):
        point = points(lines)
        whole = coherences or lines < half
        for a, b, rate in Auxiliaries(point).rate(frozenset(range(lines)), whole):
            if rate:
                raise NotStationary(f"order {2 * lines}: element {a}{b} of r has a rate of change")
        what = "element" if whole else "population"
        yield f"{point.levels} levels, order {2 * lines}: no {what} of r changes"
    for opened in range(1, half + 1):
        closed = half - opened
        generic = points(half, depth=closed + 2)
        states: dict[frozenset[int], Matrix] = {}
        for a, b in product(range(generic.levels), repeat=2):
            auxiliaries = Auxiliaries(generic.on_resonance(opened, a, b), states)
            try:
                auxiliaries(
                    frozenset((j, 1) for j in range(opened)), frozenset(range(opened, half))
                )
            except NotDivisible as fault:
                raise NotStationary(str(fault)) from fault
        what = f"X of {opened} open and up to {closed} closed lines"
        yield f"{generic.levels} levels: {what} is entire"


def _elements(matrix: Matrix) -> Iterator[tuple[tuple[int, int], Series]]:
    for a, row in enumerate(matrix):
        for b, x in enumerate(row):
            yield (a, b), x
