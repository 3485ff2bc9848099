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
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pertsym.certify.series import Element, NotDivisible, constant, quotient
from pertsym.certify.spectral_lines import Line, Point, Points, mean_force_term

Matrix = NDArray[np.object_]
"""Elements of a field: row, column and power of eps."""


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
        driven = self._above(frozenset(), closed)[..., 0]
        for (a, b), x in np.ndenumerate(driven):
            if a == b:
                yield a, b, x
            elif coherences:
                r = self(frozenset(), closed)[a, b, 0]
                yield a, b, x + (self.point.energies[a] - self.point.energies[b]) * r

    def _state(self, closed: Sequence[int]) -> Matrix:
        term = mean_force_term(self.point, closed)
        depth = len(self.point.frequencies[0])
        return _array([[constant(x, depth) for x in row] for row in term])

    def _divided(self, opened: frozenset[Line], closed: frozenset[int]) -> Matrix:
        parts = [self._below(line, self(opened - {line}, closed)) for line in sorted(opened)]
        sources = _sum([self._above(opened, closed), *parts])
        first, *others = _sum([_array(self.point.frequencies[j]) * sign for j, sign in opened])
        energies, size = self.point.energies, range(self.point.levels)
        what = f"the auxiliary of {len(opened)} open and {len(closed)} closed lines, element"
        found = [
            quotient(-sources[a, b], (first + energies[a] - energies[b], *others), f"{what} {a}{b}")
            for a, b in product(size, repeat=2)
        ]
        known = min(map(len, found))
        return _array([x[:known] for x in found]).reshape(len(size), len(size), known)

    def _above(self, opened: frozenset[Line], closed: frozenset[int]) -> Matrix:
        """[S, sum over closed lines and their signs of X with that line open]."""
        signed = product(sorted(closed), (1, -1))
        parts = [self(opened | {(j, sign)}, closed - {j}) for j, sign in signed]
        total = _sum([0 * self._state(()), *parts])
        commutator: Matrix = self._left(total) - self._right(total)
        return commutator

    def _below(self, line: Line, x: Matrix) -> Matrix:
        """Ĉ(w) S X - Ĉ(-w) X S, where Ĉ = 1 at the positive sign of the line."""
        j, sign = line
        weight, depth = self.point.weights[j], x.shape[-1]
        left, right = self._left(x), -self._right(x)
        plain, other = (left, right) if sign > 0 else (right, left)
        powers = [sum(other[..., k - i] * weight[i] for i in range(k + 1)) for k in range(depth)]
        below: Matrix = plain + np.stack(powers, axis=-1)
        return below

    def _left(self, x: Matrix) -> Matrix:
        return np.tensordot(_array(self.point.coupling), x, (1, 0))

    def _right(self, x: Matrix) -> Matrix:
        return np.moveaxis(np.tensordot(x, _array(self.point.coupling), (1, 0)), 1, 2)


def _array(rows: Any) -> Matrix:
    return np.array(rows, dtype=object)


def _sum(parts: Sequence[Matrix]) -> Matrix:
    """As far as all are known."""
    depth = min(x.shape[-1] for x in parts)
    return sum((x[..., :depth] for x in parts[1:]), parts[0][..., :depth])


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
