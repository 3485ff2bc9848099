"""Liouville paths: matrix elements of the generator from words and contractions.

With L(t) = -i[H_I(t), .], the contraction of a pair (later i, earlier j) is

    -S_i^x [ C(t_i - t_j) S_j^L - C(t_i - t_j)* S_j^R ],     S^x = S^L - S^R,

S^L and S^R being multiplication from the left and from the right (for Hermitian B; in general
the second C is that of the adjoint operators).  A path applies the superoperators of a word from
right to left to |c><d| and must end in |a><b|.  Times are measured from t_0 = 0, so that the
result is the element of the Schroedinger-picture generator.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from pertsym.exact import Gaussian
from pertsym.expansion.cumulants import Word, ordered_cumulant
from pertsym.expansion.interaction import Frequency, Interaction, Strengths, symbols_in
from pertsym.expansion.pairings import Pairing
from pertsym.expansion.terms import (
    Factor,
    Shape,
    Term,
    TimeIntegrand,
    conjugate,
    representative,
)

_NOT_COUNTED: Mapping[str, str] = MappingProxyType({})

Element = tuple[int, int, int, int]
"""Indices (a, b, c, d) of K_{ab,cd}: d rho_ab/dt gets K_{ab,cd} rho_cd."""


def generator_element(
    interaction: Interaction,
    order: int,
    element: Element,
    counted: Mapping[str, str] = _NOT_COUNTED,
) -> TimeIntegrand:
    """Time-domain terms of one element of the ordered cumulant of an even order.

    The element of the t -> infinity generator is the integral of the result over all gaps
    tau_k from 0 to infinity (DESIGN 4.1-4.2; Eqs. (40), (41), (43) of Laird et al. at 2 and 4).

    `counted` names the correlation functions that take the place of others where one end of an
    arc acts from the left and the other from the right: a counting field of the bath's energy.
    """
    if len(element) != 4 or not all(0 <= k < interaction.dimension for k in element):
        raise ValueError(
            f"element: needs four level indices below {interaction.dimension}, got {element}"
        )
    moves = _Moves(interaction)
    sums: dict[_Path, Gaussian] = {}
    for pairing, words in ordered_cumulant(order):
        for word, sign in words.items():
            for path, weight, _ in _paths(moves, pairing, word, sign, element, counted):
                previous = sums.get(path)
                sums[path] = weight if previous is None else previous + weight
    products: dict[tuple[int, ...], dict[Strengths, Gaussian]] = {}
    for _, _, entries in sums:
        if entries not in products:
            products[entries] = moves.product(entries)
    terms = (
        Term(weight * z, Shape(factors, phase, names))
        for (factors, phase, entries), weight in sums.items()
        if weight
        for names, z in products[entries].items()
    )
    return TimeIntegrand.collect(order, terms, interaction.real)


class LiouvillePath(NamedTuple):
    """One path of |c><d| to |a><b|: what acts on the ket and on the bra, in order of action.

    Operators on the left commute with those on the right, so their mutual order does not count;
    paths of equal words but for that are one.

    Attributes
    ----------
    ket, bra
        Times that act on that side, the first to act first.
    ket_levels, bra_levels
        Levels of that side: c or d, then the one reached by each time.
    factors
        The contractions, sorted: `Factor(i + 1, j, ...)` joins the later time i with the earlier j.
    """

    ket: tuple[int, ...]
    bra: tuple[int, ...]
    ket_levels: tuple[int, ...]
    bra_levels: tuple[int, ...]
    factors: tuple[Factor, ...]

    def mirrored(self, real: frozenset[str]) -> LiouvillePath:
        """Ket and bra exchanged: the path of the complex conjugate."""
        factors = conjugate(Term(Gaussian(1), Shape(self.factors, ())), real).shape.factors
        return LiouvillePath(self.bra, self.ket, self.bra_levels, self.ket_levels, factors)


Contributions = Mapping[Shape, Mapping[LiouvillePath, Gaussian]]
"""Terms by shape, each with its paths and what they contribute to the coefficient."""


def liouville_paths(
    interaction: Interaction,
    order: int,
    elements: Mapping[Element, Gaussian],
    real_part: bool = False,
) -> Contributions:
    """Which paths make up each term of a weighted sum of elements.

    The contributions to a shape add up to the coefficient of that term in the sum of
    `generator_element`; with `real_part`, in its `real_parts()`: there a path and its mirror image
    (ket and bra exchanged) are drawn as one.
    """
    moves = _Moves(interaction)
    found: dict[Shape, dict[LiouvillePath, Gaussian]] = {}
    for element, scale in elements.items():
        for pairing, words in ordered_cumulant(order):
            for word, sign in words.items():
                walked = _paths(moves, pairing, word, sign, element, _NOT_COUNTED)
                for (factors, phase, entries), weight, moved in walked:
                    walked_path = _sides(tuple(reversed(word)), moved, element, factors)
                    for names, z in moves.product(entries).items():
                        term = Term(scale * weight * z, Shape(factors, phase, names))
                        path = walked_path
                        if real_part:
                            term, path = _one_of_two(term, path, interaction.real)
                        parts = found.setdefault(term.shape, {})
                        parts[path] = parts.get(path, Gaussian()) + term.coefficient
    left = {
        shape: {path: z for path, z in sorted(parts.items()) if z} for shape, parts in found.items()
    }
    return {shape: left[shape] for shape in sorted(left) if sum(left[shape].values(), Gaussian())}


def _sides(
    schedule: tuple[int, ...],
    moved: list[tuple[bool, int]],
    element: Element,
    factors: tuple[Factor, ...],
) -> LiouvillePath:
    ket = tuple(t for t in schedule if not moved[t][0])
    bra = tuple(t for t in schedule if moved[t][0])
    ket_levels = (element[2], *(moved[t][1] for t in ket))
    bra_levels = (element[3], *(moved[t][1] for t in bra))
    return LiouvillePath(ket, bra, ket_levels, bra_levels, factors)


def _one_of_two(
    term: Term, path: LiouvillePath, real: frozenset[str]
) -> tuple[Term, LiouvillePath]:
    """Term and path, or their conjugates: those that stand for both in a real part."""
    shown = representative(term, real)
    mirrored = path.mirrored(real)
    if shown.shape != term.shape:
        return shown, mirrored
    own = conjugate(term, real).shape == term.shape
    return shown, min(path, mirrored) if own else path


_Path = tuple[tuple[Factor, ...], tuple[Frequency, ...], tuple[int, ...]]
"""Factors and phases of a term, and which linear forms in symbols multiply it."""

_Move = tuple[int, int, Gaussian, int | None, Frequency]
"""Operator, level reached, matrix element as a number times a linear form, and frequency."""

_Entry = tuple[tuple[str, Gaussian], ...]
"""A matrix element that is linear in real symbols: (symbol, coefficient), "" for a number."""


@dataclass(frozen=True)
class _Moves:
    """What the coupling operators do to a level.

    Hermitian operators with the same correlation functions move together, as the first of them:
    a path then is one between levels, however many symbols the matrix elements hold.
    """

    interaction: Interaction

    @cached_property
    def _elements(self) -> dict[tuple[int, int, int], _Entry]:
        """(operator, row, column) -> matrix element."""
        interaction = self.interaction
        size = range(len(interaction.operators))
        first: dict[object, int] = {}
        found: dict[tuple[int, int, int], dict[str, Gaussian]] = {}
        for a, operator in enumerate(interaction.operators):
            pairs = [pair for b in size for pair in ((a, b), (b, a))]
            names = tuple(interaction.correlations.get(pair) for pair in pairs)
            own = None if interaction.adjoint[a] == a else a
            together = first.setdefault((names, own), a)
            for row, col, value in operator:
                entry = found.setdefault((together, row, col), {})
                symbol = interaction.strength(a)
                entry[symbol] = entry.get(symbol, Gaussian()) + value
        return {
            key: tuple((symbol, z) for symbol, z in sorted(entry.items()) if z)
            for key, entry in found.items()
        }

    @cached_property
    def _entries(self) -> tuple[_Entry, ...]:
        """The linear forms that are more than a number, single symbols without their number."""
        split = {_without_number(entry)[1] for entry in self._elements.values()}
        return tuple(sorted(split - {()}, key=repr))

    @cached_property
    def _by_level(self) -> tuple[dict[int, list[_Move]], dict[int, list[_Move]]]:
        left: dict[int, list[_Move]] = {}
        right: dict[int, list[_Move]] = {}
        place = {entry: k for k, entry in enumerate(self._entries)}
        transition = self.interaction.transition
        for (a, row, col), element in self._elements.items():
            if not element:
                continue
            number, entry = _without_number(element)
            # <row|S(t)|col> = S exp(i (E_row - E_col) t)
            rest = (number, place.get(entry), transition(row, col))
            left.setdefault(col, []).append((a, row, *rest))  # (S rho)_row gets S_row,col
            right.setdefault(row, []).append((a, col, *rest))  # (rho S)_col gets S_row,col
        return left, right

    def of(self, level: int, from_right: bool) -> list[_Move]:
        """Moves of the row index under S^L, or of the column index under S^R."""
        return self._by_level[from_right].get(level, [])

    def product(self, entries: tuple[int, ...]) -> dict[Strengths, Gaussian]:
        """The product of some linear forms as a polynomial."""
        total: dict[Strengths, Gaussian] = {(): Gaussian(1)}
        for k in entries:
            grown: dict[Strengths, Gaussian] = {}
            for names, z in total.items():
                for symbol, value in self._entries[k]:
                    key = tuple(sorted((*names, *symbols_in(symbol)))) if symbol else names
                    grown[key] = grown.get(key, Gaussian()) + z * value
            total = grown
        return total


def _without_number(entry: _Entry) -> tuple[Gaussian, _Entry]:
    """The number that multiplies a single symbol, or is everything; sums stay as they are."""
    if len(entry) != 1:
        return Gaussian(1), entry
    ((symbol, number),) = entry
    return number, ((symbol, Gaussian(1)),) if symbol else ()


def _paths(
    moves: _Moves,
    pairing: Pairing,
    word: Word,
    sign: int,
    element: Element,
    counted: Mapping[str, str],
) -> Iterator[tuple[_Path, Gaussian, list[tuple[bool, int]]]]:
    """Paths and weights, with the side and the level reached of each time.

    The last list is the walk's own and goes on changing: who keeps it copies it.
    """
    earlier_of = dict(pairing)  # later time -> earlier time of its arc
    schedule = tuple(reversed(word))
    final = element[:2]
    steps = len(schedule)

    # Each open arc remembers how its earlier end acted: (from the right?, operator index).
    opened: dict[int, tuple[bool, int]] = {}
    frequency: list[Frequency] = [()] * steps
    entries: list[int | None] = [None] * steps
    factors: dict[int, Factor] = {}
    moved: list[tuple[bool, int]] = [(False, 0)] * steps

    def walk(
        step: int, row: int, col: int, weight: Gaussian
    ) -> Iterator[tuple[_Path, Gaussian, list[tuple[bool, int]]]]:
        if step == steps:
            forms = tuple(sorted(k for k in entries if k is not None))
            yield (tuple(sorted(factors.values())), _gap_phases(frequency), forms), weight, moved
            return
        time = schedule[step]
        earlier = earlier_of.get(time)
        for from_right in (False, True):
            # -S^L + S^R at the later end, +C S^L - C* S^R at the earlier end
            signed = -weight if from_right == (earlier is None) else weight
            for a, there, number, entry, omega in moves.of(col if from_right else row, from_right):
                reached = (row, there) if from_right else (there, col)
                if step == steps - 1 and reached != final:
                    continue
                if earlier is None:
                    opened[time] = (from_right, a)
                else:
                    conjugated, b = opened[earlier]
                    factor = _contraction(moves.interaction, a, b, conjugated, time, earlier)
                    if factor is None:
                        continue
                    if from_right != conjugated and factor.name in counted:
                        factor = factor._replace(name=counted[factor.name])
                    factors[time] = factor
                moved[time] = (from_right, there)
                frequency[time] = omega
                entries[time] = entry
                yield from walk(step + 1, *reached, signed if number == 1 else signed * number)

    return walk(0, element[2], element[3], Gaussian(sign))


def _contraction(
    interaction: Interaction, a: int, b: int, conjugated: bool, time: int, earlier: int
) -> Factor | None:
    """<B_a(t) B_b(0)> or, conjugated, <B_b(0) B_a(t)> = <B_a^+(t) B_b^+(0)>*."""
    pair = (interaction.adjoint[a], interaction.adjoint[b]) if conjugated else (a, b)
    name = interaction.correlations.get(pair)
    if name is None:
        return None
    return Factor(time + 1, earlier, name, conjugated and name not in interaction.real)


def _gap_phases(frequency: list[Frequency]) -> tuple[Frequency, ...]:
    """Phase of each gap: with t_j = -(tau_1 + ... + tau_j), x_k is the sum over times j >= k."""
    totals: list[Frequency] = []
    running = (0,) * len(frequency[0])
    for omega in reversed(frequency[1:]):
        running = tuple(x + y for x, y in zip(running, omega, strict=True))
        totals.append(running)
    return tuple(reversed(totals))
