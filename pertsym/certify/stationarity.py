"""Check that the generator annihilates the mean-force Gibbs state, order by order, over any field.

Write C(t) = (1/2pi) int dw Ĉ(w) exp(-iwt).  For t -> infinity the state and the auxiliaries of
open lines w_1, ..., w_l that belong to it obey, from order to order,

    (w_1 + ... + w_l + E_a - E_b) X_ab(w_1..w_l) =
        - [S, int dw/(2pi) X(w_1..w_l, w)]_ab
        - sum_j {Ĉ(w_j) S X(without w_j) - Ĉ(-w_j) X(without w_j) S}_ab,

divided with w_j -> w_j - i0; without open lines the two sides are i times [H_S, X()] and what the
bath adds to d(state)/dt.  With f(x) = exp(-beta x) and its divided differences f[x_0, ..., x_k],
imaginary time gives the mean-force state, X(), and with lines that leave towards exp(-beta H) as

    X_ab(w_1..w_l) = sum over walks S_{a k1} ... S_{kn b} prod Ĉ f[E_a + w_1 + ... + w_l, ..., E_b],

where each step ends one of the lines, or begins one over whose frequency is integrated and that a
later step ends; a node adds the frequencies of its lines to the energy of its level.  Divided
differences of an entire function are entire: if these X obey the equations off resonance, with
Ĉ(-w) = exp(-beta w) Ĉ(w), then they are the auxiliaries, the i0 is without effect, integrals may
be reflected, w -> -w, and the state is stationary.

These are identities between rational functions of energies, frequencies, matrix elements, beta and
the exponentials exp(-beta E), exp(-beta w), which are algebraically independent of them.  With
all these as variables they are proved; at one random point of the field of 2^61 - 1 elements they
are sampled, and a polynomial of degree d that is not zero vanishes with probability below d/2^61.
A term of order 2n is linear in the spectrum at each of n frequencies, so that it is enough to
follow n lines, each of them open or closed, a closed one with both of its signs; the equations of
an open line at -w are those at w with another name.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from operator import add
from typing import Any, Protocol

import flint
import numpy as np
from numpy.typing import NDArray

from pertsym.algebra.rational_functions import RationalFunction
from pertsym.certify.claims import Finding, Findings

PRIME = 2**61 - 1

Element = Any
"""Of a field: + - * / with its like and with integers, ==, and false if zero.

Here these are `flint.nmod`, integers modulo a prime, and `RationalFunction`.
"""

Matrix = NDArray[np.object_]

Line = tuple[int, int]
"""Number of an oscillator and the sign, +1 or -1, of its frequency."""

Node = tuple[int, tuple[Line, ...]]
"""A level and the lines whose frequencies add to its energy."""


@dataclass(frozen=True)
class Point:
    """Elements of a field for everything that the identities depend on.

    Attributes
    ----------
    energies, boltzmann
        E_k and exp(-beta E_k).
    frequencies, weights
        w_j and exp(-beta w_j): lines have the spectra 1 at w_j and exp(-beta w_j) at -w_j.
    coupling
        S_nm.
    """

    energies: tuple[Element, ...]
    boltzmann: tuple[Element, ...]
    frequencies: tuple[Element, ...]
    weights: tuple[Element, ...]
    coupling: tuple[tuple[Element, ...], ...]
    beta: Element


class Points(Protocol):
    """Where identities are tested: a point for each number of lines."""

    def __call__(self, lines: int) -> Point:
        """Off every resonance."""


@dataclass(frozen=True)
class RandomPoints:
    """Points of the field of 2^61 - 1 elements: they sample an identity.

    The coupling matrix is neither symmetric nor real: nothing rests on that.
    """

    levels: int
    seed: int = 1

    def __call__(self, lines: int) -> Point:
        """Random elements, the same whenever the seed is."""
        source = random.Random(self.seed)

        def numbers(count: int) -> tuple[Element, ...]:
            return tuple(flint.nmod(source.randrange(1, PRIME), PRIME) for _ in range(count))

        return Point(
            numbers(self.levels),
            numbers(self.levels),
            numbers(lines),
            numbers(lines),
            tuple(numbers(self.levels) for _ in range(self.levels)),
            numbers(1)[0],
        )


class Laurent:
    """A Laurent polynomial whose coefficients are rational functions of other variables.

    Powers of a point's exponentials, beta and S_nm stand apart from fractions of its frequencies,
    which are then small.
    """

    def __init__(self, terms: Mapping[tuple[int, ...], RationalFunction]) -> None:
        self.terms = {powers: z for powers, z in terms.items() if z}

    def __add__(self, other: Laurent) -> Laurent:
        total = dict(self.terms)
        for powers, z in other.terms.items():
            total[powers] = total[powers] + z if powers in total else z
        return Laurent(total)

    def __sub__(self, other: Laurent) -> Laurent:
        return self + other * -1

    def __mul__(self, other: Laurent | RationalFunction | int) -> Laurent:
        if not isinstance(other, Laurent):
            return Laurent({powers: z * other for powers, z in self.terms.items()})
        total = Laurent({})
        for more, y in other.terms.items():
            moved = {tuple(map(add, powers, more)): z * y for powers, z in self.terms.items()}
            total = total + Laurent(moved)
        return total

    __rmul__ = __mul__

    def __truediv__(self, other: Laurent | RationalFunction | int) -> Laurent:
        """Over a rational function, or over one term."""
        if not isinstance(other, Laurent):
            return Laurent({powers: z / other for powers, z in self.terms.items()})
        ((powers, z),) = other.terms.items()
        return self * Laurent({tuple(-n for n in powers): z.inverse()})

    def __bool__(self) -> bool:
        return bool(self.terms)


@dataclass(frozen=True)
class TwoLevelVariables:
    """The variables themselves, which prove an identity, for two levels.

    Units of energy and coupling are E_1 - E_0 and |S_01|, whose phase drops out.

    Attributes
    ----------
    diagonal
        Whether S_00 and S_11 are variables, or zero.
    """

    diagonal: bool

    def __call__(self, lines: int) -> Point:
        """Frequencies w_j, weights q_j, beta, x = exp(-beta (E_1 - E_0)), S_00, S_11."""
        frequencies = RationalFunction.variables([f"w{j}" for j in range(lines)])
        unit, count = 1 + 0 * frequencies[0], lines + 4
        one, zero = Laurent({(0,) * count: unit}), Laurent({})
        beta, x, s00, s11, *weights = (
            Laurent({tuple(int(j == k) for j in range(count)): unit}) for k in range(count)
        )
        first, last = (s00, s11) if self.diagonal else (zero, zero)
        coupling = ((first, one), (one, last))
        return Point((0 * unit, unit), (one, x), frequencies, tuple(weights), coupling, beta)


@dataclass(frozen=True)
class MeanForce:
    """X of open and closed lines at one point, from imaginary time."""

    point: Point
    _known: dict[tuple[frozenset[Line], frozenset[int]], Matrix] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _differences: dict[tuple[Node, ...], Element] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    _values: dict[Node, tuple[Element, Element]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __call__(self, opened: frozenset[Line], closed: frozenset[int]) -> Matrix:
        """X of these lines, (N, N); without open ones the state, not normalised."""
        key = opened, closed
        if key not in self._known:
            size = range(len(self.point.energies))
            total = np.full((len(size),) * 2, 0 * self.point.beta, dtype=object)
            for a in size:
                for (b, _, _, nodes), amplitude in self._walks(a, opened, closed).items():
                    total[a, b] = total[a, b] + amplitude * self.difference(nodes)
            self._known[key] = total
        return self._known[key]

    def _walks(self, start: int, opened: frozenset[Line], closed: frozenset[int]) -> dict[Any, Any]:
        """(level, lines, closed ones to come, nodes passed, sorted) -> spectra and elements of S.

        A walk ends when no line is left.
        """
        weight = math.prod(map(self._spectrum, opened))
        walks = {(start, opened, closed, (_node(start, opened),)): weight}
        for _ in range(2 * len(closed) + len(opened)):
            following: dict[Any, Element] = {}
            for (level, lines, rest, nodes), amplitude in walks.items():
                moves = [(lines - {line}, rest, 1) for line in lines]
                for line in product(rest, (1, -1)):
                    moves.append((lines | {line}, rest - {line[0]}, self._spectrum(line)))
                for k, element in enumerate(self.point.coupling[level]):
                    for after, left, spectrum in moves if element else ():
                        key = (k, after, left, tuple(sorted((*nodes, _node(k, after)))))
                        value = amplitude * element * spectrum
                        following[key] = following[key] + value if key in following else value
            walks = following
        return walks

    def _spectrum(self, line: Line) -> Element:
        return 1 if line[1] > 0 else self.point.weights[line[0]]

    def difference(self, nodes: tuple[Node, ...]) -> Element:
        """f[x_0, ..., x_k] at nodes in order: equal ones stand side by side."""
        if nodes not in self._differences:
            first, last, count = nodes[0], nodes[-1], len(nodes) - 1
            if first == last:  # (-beta)^k f/k!
                value = self._at(first)[1] * math.prod([self.point.beta] * count, start=1)
                value = value * (-1) ** count / math.factorial(count)
            else:
                value = self.difference(nodes[1:]) - self.difference(nodes[:-1])
                value = value / (self._at(last)[0] - self._at(first)[0])
            self._differences[nodes] = value
        return self._differences[nodes]

    def _at(self, node: Node) -> tuple[Element, Element]:
        """x and f(x)."""
        if node not in self._values:
            x, f = self.point.energies[node[0]], self.point.boltzmann[node[0]]
            for j, sign in node[1]:
                weight = self.point.weights[j]
                x += sign * self.point.frequencies[j]
                f = f * weight if sign > 0 else f / weight
            self._values[node] = x, f
        return self._values[node]

    def residual(
        self, opened: frozenset[Line], closed: frozenset[int], coherences: bool = True
    ) -> Iterator[tuple[int, int, Element]]:
        """(a, b, left side minus right side of the equation), populations only if so wished.

        Without open lines populations need no X of all lines, which is the costly part.
        """
        coupling, energies = np.array(self.point.coupling, dtype=object), self.point.energies
        driven = np.full(coupling.shape, 0 * self.point.beta, dtype=object)
        for line in product(closed, (1, -1)):
            above = self(opened | {line}, closed - {line[0]})
            driven = driven + coupling @ above - above @ coupling
        for j, sign in opened:
            below = self(opened - {(j, sign)}, closed)
            ahead, behind = self._spectrum((j, sign)), self._spectrum((j, -sign))
            driven = driven + (coupling @ below) * ahead - (below @ coupling) * behind
        shift = sum(sign * self.point.frequencies[j] for j, sign in opened)
        for (a, b), value in np.ndenumerate(driven):
            if coherences or a == b:
                gap = shift + energies[a] - energies[b]
                yield a, b, value + self(opened, closed)[a, b] * gap if gap else value


def _node(level: int, lines: frozenset[Line]) -> Node:
    return level, tuple(sorted(lines))


def stationary(points: Points, order: int, coherences: bool = True) -> Findings:
    """Test every identity behind K r = 0 up to an order, each in words, until one fails.

    Parameters
    ----------
    points
        `RandomPoints` of N levels, or `TwoLevelVariables`, with which an identity is proved.
    order
        Even, of the generator: the populations of r are tested up to order - 2.
    coherences
        Whether to test the coherences of r at this order too, and not only below it.
    """
    for lines in range(1, order // 2 + 1):
        state = MeanForce(points(lines))
        levels = len(state.point.energies)
        for count in range(lines + 1):
            opened = frozenset((j, 1) for j in range(count))
            whole = coherences or lines < order // 2 or count > 0
            left = state.residual(opened, frozenset(range(count, lines)), whole)
            wrong = [f"{a}{b}" for a, b, value in left if value]
            what = f"X of {count} open and {lines - count} closed lines obeys its equation"
            if not count:
                what = f"no {'element' if whole else 'population'} of r changes"
            where = f": not element {wrong[0]}" if wrong else ""
            yield Finding(f"{levels} levels, order {2 * lines}: {what}{where}", not wrong)
            if wrong:
                return
