"""Matrix elements of ordered cumulants: sums over Liouville paths.

The time-convolutionless generator of an order is the integral over the gaps between the times of

    sum over ordered partitions into blocks (-1)^(blocks - 1) <block 1> P <block 2> P ...,

the averages being the rule's and P the projector.  Every L(t) = -i[H_I(t), .] acts from the left
or, with the opposite sign, from the right, as `pertsym.expansion.cumulants` collects them.  Matrix
elements are sums over paths from |c><d| to |a><b|, of the ket and of the bra by themselves.  Times
are measured from t_0 = 0, so that the result is the element of the Schroedinger-picture generator.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from pertsym.exact import Gaussian
from pertsym.expansion.cumulants import Cumulant, Environment, Sides
from pertsym.expansion.interaction import Frequency, Interaction, Strengths, symbols_in
from pertsym.expansion.pairings import pairings
from pertsym.expansion.rule import (
    FIXED_STATE,
    ContractionRule,
    EnergyForm,
    Projector,
)
from pertsym.expansion.terms import Shape, Term, TimeIntegrand
from pertsym.expansion.wick import Wick

_NOT_COUNTED: Mapping[str, str] = MappingProxyType({})

Element = tuple[int, int, int, int]
"""Indices (a, b, c, d) of K_{ab,cd}: d rho_ab/dt gets K_{ab,cd} rho_cd."""


class PathShape(NamedTuple):
    """A term between two system states: the environment's part and the system's phases."""

    weights: tuple[Any, ...]
    gaps: tuple[EnergyForm, ...]
    system: tuple[Frequency, ...]
    label: int
    strengths: Strengths = ()


class PathTerm(NamedTuple):
    """coefficient * strengths * weights * exp(-i sum_k (x_k + system_k) tau_k)."""

    coefficient: Gaussian
    shape: PathShape

    def secular_gaps(self) -> tuple[int, ...]:
        """Gaps (1 is the latest) whose frequency vanishes identically: no decay, whatever n, F."""
        shape = self.shape
        gaps = shape.gaps or ((),) * len(shape.system)
        pairs = zip(gaps, shape.system, strict=True)
        return tuple(k for k, (x, y) in enumerate(pairs, 1) if not x and not any(y))


def path_terms(
    interaction: Interaction,
    rule: ContractionRule,
    projector: Projector,
    order: int,
    element: Element,
) -> tuple[PathTerm, ...]:
    """Terms of one matrix element K_{ab,cd} of the generator, collected.

    Matrix elements of the coupling operators and phases of the levels are those of `interaction`;
    its correlation functions are not used.
    """
    return next(paths_of(interaction, rule, projector, order, (element,)))


def paths_of(
    interaction: Interaction,
    rule: ContractionRule,
    projector: Projector,
    order: int,
    elements: Iterable[Element],
) -> Iterator[tuple[PathTerm, ...]]:
    """`path_terms` of several elements, averages taken once."""
    moves = Moves(interaction, tuple(range(len(interaction.operators))))
    cumulant = Cumulant(rule, projector, order)
    for element in elements:
        sums: dict[PathShape, Gaussian] = {}
        for (weights, gaps, label), phases, names, z in _elements(cumulant, moves, element):
            shape = PathShape(weights, gaps, phases, label, names)
            sums[shape] = sums.get(shape, Gaussian()) + z
        yield tuple(PathTerm(sums[shape], shape) for shape in sorted(sums) if sums[shape])


def generator_element(
    interaction: Interaction,
    order: int,
    element: Element,
    counted: Mapping[str, str] = _NOT_COUNTED,
) -> TimeIntegrand:
    """Time-domain terms of one element of the ordered cumulant of an even order, Gaussian baths.

    The element of the t -> infinity generator is the integral of the result over all gaps
    tau_k from 0 to infinity (DESIGN 4.1-4.2; Eqs. (40), (41), (43) of Laird et al. at 2 and 4).

    `counted` names the correlation functions that take the place of others where one end of an
    arc acts from the left and the other from the right: a counting field of the bath's energy.

    Raises
    ------
    ValueError
        If the order is odd or an index is no level.
    """
    next(pairings(order))  # refuses odd orders
    if len(element) != 4 or not all(0 <= k < interaction.dimension for k in element):
        raise ValueError(
            f"element: needs four level indices below {interaction.dimension}, got {element}"
        )
    cumulant = Cumulant(Wick(interaction, counted), FIXED_STATE, order)
    moves = Moves(interaction, together(interaction))
    terms = (
        Term(z, Shape(environment.weights, phases, names))
        for environment, phases, names, z in _elements(cumulant, moves, element)
    )
    return TimeIntegrand.collect(order, terms, interaction.real)


def count_paths(interaction: Interaction, order: int, element: Element) -> float:
    """How many pairs of a ket's and a bra's path `generator_element` goes through."""
    a, b, c, d = element
    steps = np.zeros((interaction.dimension,) * 2)
    for _, row, col in Moves(interaction, together(interaction))._elements:
        steps[row, col] += 1
    ways = [np.linalg.matrix_power(steps, k) for k in range(order + 1)]
    words = Cumulant(Wick(interaction), FIXED_STATE, order).words
    return sum(float(ways[len(ket)][a, c] * ways[len(bra)][d, b]) for ket, bra in words)


def together(interaction: Interaction) -> tuple[int, ...]:
    """For each operator the first Hermitian one with the same correlation functions.

    They move together, as that one: a path then is one between levels, however many symbols the
    matrix elements hold.
    """
    first: dict[object, int] = {}
    size = range(len(interaction.operators))
    found = []
    for a in size:
        pairs = [pair for b in size for pair in ((a, b), (b, a))]
        names = tuple(interaction.correlations.get(pair) for pair in pairs)
        own = None if interaction.adjoint[a] == a else a
        found.append(first.setdefault((names, own), a))
    return tuple(found)


class Walk(NamedTuple):
    """Paths of ket and bra with the environments (by their numbers) of what acts on either side."""

    sides: Sides
    ket: _Path
    bra: _Path
    phases: tuple[Frequency, ...]
    entries: tuple[int, ...]
    environments: Mapping[int, int]


def walks(cumulant: Cumulant, moves: Moves, element: Element) -> Iterator[Walk]:
    """Every way from |c><d| to |a><b| that the cumulant leaves."""
    a, b, c, d = element
    for sides, signed in cumulant.words.items():
        for ket in moves.paths(sides.left, c, a, False):
            for bra in moves.paths(sides.right, d, b, True):
                steps = ket.steps | bra.steps
                operators = tuple([steps[time][0] for time in range(cumulant.order)])
                if group := cumulant.environments(sides, signed, operators):
                    entries = tuple(sorted((*ket.entries, *bra.entries)))
                    yield Walk(sides, ket, bra, moves.gap_phases(steps), entries, group)


def _elements(
    cumulant: Cumulant, moves: Moves, element: Element
) -> Iterator[tuple[Environment, tuple[Frequency, ...], Strengths, Gaussian]]:
    """Environment, phases of the gaps, symbols and coefficient of terms that are to be added."""
    sums: dict[tuple[tuple[Frequency, ...], tuple[int, ...], _Integers], dict[int, int]] = {}
    for walk in walks(cumulant, moves, element):
        ket, bra = walk.ket, walk.bra
        key = walk.phases, walk.entries, (ket.number * bra.number).integers
        total = sums.setdefault(key, {})
        for number, n in walk.environments.items():
            total[number] = total.get(number, 0) + n
    found: dict[tuple[int, tuple[Frequency, ...], tuple[int, ...]], Gaussian] = {}
    for (phases, entries, integers), total in sums.items():
        value = cumulant.power * Gaussian.over(*integers)
        for number, n in total.items():
            place = number, phases, entries
            previous = found.get(place)
            found[place] = value * n if previous is None else previous + value * n
    products = {
        entries: moves.product(entries)
        for entries in {key[-1] for key, value in found.items() if value}
    }
    for (number, phases, entries), value in found.items():
        if value:
            for names, z in products[entries].items():
                yield cumulant.found[number], phases, names, value * z


_Integers = tuple[int, int, int]
"""Of a Gaussian number, which they hash faster than."""

_Entry = tuple[tuple[str, Gaussian], ...]
"""A matrix element that is linear in real symbols: (symbol, coefficient), "" for a number."""


class _Path(NamedTuple):
    """A path of the ket or of the bra: a number times linear forms; operator, frequency, levels."""

    number: Gaussian
    entries: tuple[int, ...]
    steps: dict[int, tuple[int, Frequency]]
    levels: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Moves:
    """What the coupling operators do to a level, operator a under the name `together[a]`."""

    interaction: Interaction
    together: tuple[int, ...]
    _known: dict[tuple[tuple[int, ...], int, int, bool], list[_Path]] = field(default_factory=dict)

    @cached_property
    def _elements(self) -> dict[tuple[int, int, int], _Entry]:
        """(operator, row, column) -> matrix element."""
        found: dict[tuple[int, int, int], dict[str, Gaussian]] = {}
        for a, operator in enumerate(self.interaction.operators):
            symbol = self.interaction.strength(a)
            for row, col, value in operator:
                entry = found.setdefault((self.together[a], row, col), {})
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
    def _from(self) -> dict[tuple[bool, int], list[_Path]]:
        """(bra?, level) -> each one step from there, as a path at time 0."""
        found: dict[tuple[bool, int], list[_Path]] = {}
        place = {entry: k for k, entry in enumerate(self._entries)}
        for (a, row, col), element in self._elements.items():
            if not element:
                continue
            number, entry = _without_number(element)
            # <row|S(t)|col> = S exp(i (E_row - E_col) t); (S rho)_row gets S_row,col of rho_col,
            # (rho S)_col that of rho_row
            steps = {0: (a, self.interaction.transition(row, col))}
            forms = (place[entry],) if entry else ()
            for bra, start, reached in ((False, col, row), (True, row, col)):
                step = _Path(number, forms, steps, (reached,))
                found.setdefault((bra, start), []).append(step)
        return found

    def paths(self, times: tuple[int, ...], start: int, end: int, bra: bool) -> list[_Path]:
        """Paths of the ket, or of the bra, with an operator at each of the times."""
        if not times:
            return [_Path(Gaussian(1), (), {}, ())] if start == end else []
        key = times, start, end, bra
        if (known := self._known.get(key)) is None:
            known = self._known[key] = [
                _Path(
                    step.number * path.number,
                    step.entries + path.entries,
                    {times[0]: step.steps[0], **path.steps},
                    step.levels + path.levels,
                )
                for step in self._from.get((bra, start), ())
                for path in self.paths(times[1:], step.levels[0], end, bra)
            ]
        return known

    def gap_phases(self, steps: Mapping[int, tuple[int, Frequency]]) -> tuple[Frequency, ...]:
        """With t_j = -(tau_1 + ... + tau_j), x_k of gap k is the sum over times j >= k."""
        totals: list[Frequency] = []
        running = (0,) * len(self.interaction.energies[0])
        for time in range(len(steps) - 1, 0, -1):
            running = tuple([x + y for x, y in zip(running, steps[time][1], strict=True)])
            totals.append(running)
        return tuple(reversed(totals))

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
