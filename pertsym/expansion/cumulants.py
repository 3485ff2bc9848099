"""Ordered cumulants: the signed operator orderings of each Wick pairing, and what they do.

The time-convolutionless generator of order 2n is the integral of the ordered cumulant

    <L(t0) L(t1) ... L(t_{2n-1})>_oc
        = sum over ordered partitions into blocks (-1)^(blocks - 1) <block 1><block 2>...

where every block is time-ordered and the first one holds t0 (van Kampen; Eq. (41) of Laird,
Budimir and Skinner at order 4).  With Wick's theorem each block's moment is a sum over pairings
of its own times, so that the sum may be taken pairing by pairing, over ordered partitions of the
*pairs*.  A word is the order in which the superoperators of the 2n times multiply; equal words
cancel, and what survives has coefficient +1 or -1.

Of any contraction rule the terms are collected by what they do: which operators act on the ket and
which on the bra, in which order, and the environment's weights and phases e^{-i sum_k x_k tau_k}.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import compress, permutations, product
from operator import not_
from types import MappingProxyType
from typing import Any, NamedTuple

from pertsym.exact import Gaussian
from pertsym.expansion.moments import ordered_cumulant_blocks
from pertsym.expansion.pairings import Clusters, Pairing, clusterings, is_irreducible, pairings
from pertsym.expansion.rule import (
    Action,
    ContractionRule,
    EnergyForm,
    Projector,
    Weight,
    added,
    energy_form,
)

Word = tuple[int, ...]

Chain = tuple[tuple[int, int], ...]
"""(time, operator) pairs in the order of application."""


def word_coefficients(clusters: Clusters) -> Mapping[Word, int]:
    """Words of one pairing, or division into cumulants, with coefficients, zero ones removed.

    Recursion over subsets of pairs, K(P) = w(P) - sum_B K(B) w(P without B), B running over the
    proper subsets that contain the pair of time 0; w(P) is the time-ordered word of P.

    Examples
    --------
    >>> dict(word_coefficients(((0, 2), (1, 3))))
    {(0, 1, 2, 3): 1, (0, 2, 1, 3): -1}
    >>> dict(word_coefficients(((0, 1), (2, 3))))
    {}
    """
    full = (1 << len(clusters)) - 1
    ordered = {mask: _time_ordered(clusters, mask) for mask in range(full + 1)}
    cumulant: dict[int, dict[Word, int]] = {}
    for mask in range(1, full + 1, 2):  # odd masks: those that hold cluster 0, hence time 0
        words = {ordered[mask]: 1}
        block = (mask - 1) & mask
        while block:
            if block & 1:
                tail = ordered[mask ^ block]
                for head, sign in cumulant[block].items():
                    word = head + tail
                    total = words.get(word, 0) - sign
                    if total:
                        words[word] = total
                    else:
                        del words[word]
            block = (block - 1) & mask
        cumulant[mask] = words
    return MappingProxyType(dict(sorted(cumulant[full].items())))


def _time_ordered(clusters: Clusters, mask: int) -> Word:
    chosen = [cluster for bit, cluster in enumerate(clusters) if mask >> bit & 1]
    return tuple(sorted(time for cluster in chosen for time in cluster))


def ordered_cumulant(order: int) -> Iterator[tuple[Pairing, Mapping[Word, int]]]:
    """The surviving pairings of an order, each with its signed words.

    Reducible pairings cancel word by word and are skipped before any words are made.

    Raises
    ------
    ValueError
        If `order` is not a positive even integer.
    """
    for pairing in pairings(order):
        if is_irreducible(pairing):
            yield pairing, word_coefficients(pairing)


class Sides(NamedTuple):
    """Times at which the interaction acts on the ket and on the bra, in order of application."""

    left: tuple[int, ...]
    right: tuple[int, ...]


@lru_cache(maxsize=4)
def sided_words(
    order: int, sizes: tuple[int, ...], whole: bool
) -> Mapping[Sides, Mapping[Clusters, int]]:
    """The ordered cumulant by what acts on either side, with (-1)^(actions from the right).

    Words that differ only in how actions on the ket and on the bra alternate are the same here.

    Parameters
    ----------
    order
        Of the generator.
    sizes
        Of a cluster.
    whole
        Whether a cluster is a whole block of the ordered cumulant; then clusters are in the order
        of the blocks.  Otherwise blocks are products of clusters, in the order of first times.
    """
    sums: dict[Sides, dict[Clusters, int]] = {}
    signed: Iterable[tuple[Clusters, Mapping[Word, int]]]
    if whole:
        signed = (
            (blocks, {tuple(time for block in blocks for time in block): sign})
            for blocks, sign in ordered_cumulant_blocks(order, sizes).items()
        )
    else:
        signed = (
            (clusters, word_coefficients(clusters))
            for clusters in clusterings(tuple(range(order)), sizes)
            if is_irreducible(clusters)
        )
    choices = [(c, (-1) ** sum(c)) for c in product((False, True), repeat=order)]
    for clusters, words in signed:
        for word, sign in words.items():
            applied = word[::-1]
            for right, parity in choices:
                bra = [right[time] for time in applied]
                ket = map(not_, bra)
                sides = Sides(tuple(compress(applied, ket)), tuple(compress(applied, bra)))
                group = sums.setdefault(sides, {})
                group[clusters] = group.get(clusters, 0) + sign * parity
    return MappingProxyType(
        {sides: {c: n for c, n in group.items() if n} for sides, group in sorted(sums.items())}
    )


class Environment(NamedTuple):
    """The environment's part of a term.

    Energy 0 is the environment's energy before, `label` the one after; every other number is
    integrated over.  `gaps` are the x_k of gap k = 1, 2, ... (times t_{k-1} > t_k).
    """

    weights: tuple[Any, ...]
    gaps: tuple[EnergyForm, ...]
    label: int


class SidedShape(NamedTuple):
    """What a term does: operators on the ket and on the bra, and the environment's part."""

    left: Chain
    right: Chain
    weights: tuple[Any, ...]
    gaps: tuple[EnergyForm, ...]
    label: int


class SidedTerm(NamedTuple):
    coefficient: Gaussian
    shape: SidedShape


def projected_cumulant(
    rule: ContractionRule, projector: Projector, order: int, operators: Sequence[int] = (0,)
) -> tuple[SidedTerm, ...]:
    """The integrand of the generator of an order, collected and sorted.

    Parameters
    ----------
    rule, projector
        The environment.
    order
        Order in the coupling.
    operators
        Indices of the bath operators in H_I = sum_a S_a (x) B_a.
    """
    cumulant = Cumulant(rule, projector, order)
    sums: dict[SidedShape, int] = {}
    for sides, signed in cumulant.words.items():
        for chosen in product(operators, repeat=order):
            left, right = (tuple((time, chosen[time]) for time in side) for side in sides)
            for number, n in cumulant.environments(sides, signed, chosen).items():
                shape = SidedShape(left, right, *cumulant.found[number])
                sums[shape] = sums.get(shape, 0) + n
    return tuple(SidedTerm(cumulant.power * sums[x], x) for x in sorted(sums) if sums[x])


class _Average(NamedTuple):
    """A term of the product of the averages of some clusters."""

    coefficient: int
    weights: tuple[Any, ...]
    frequencies: tuple[tuple[int, EnergyForm], ...]
    label: int
    fresh: int


@dataclass(frozen=True, eq=False)
class Cumulant:
    """The terms of an order in integers: without (-i)^order, environments by their numbers."""

    rule: ContractionRule
    projector: Projector
    order: int
    found: list[Environment] = field(default_factory=list)
    _numbers: dict[Environment, int] = field(default_factory=dict)
    _known: dict[Any, Any] = field(default_factory=dict)

    @property
    def power(self) -> Gaussian:
        """(-i)^order."""
        return (Gaussian(1), Gaussian(0, -1), Gaussian(-1), Gaussian(0, 1))[self.order % 4]

    @property
    def words(self) -> Mapping[Sides, Mapping[Clusters, int]]:
        """See `sided_words`."""
        return sided_words(self.order, self.rule.sizes(self.order), self.rule.whole)

    def environments(
        self, sides: Sides, signed: Mapping[Clusters, int], operators: tuple[int, ...]
    ) -> Mapping[int, int]:
        """Numbers of environments with their coefficients, for the operators at the times."""
        if operators not in self._known:
            self._known[operators] = self.rule.possible(operators)
        if not self._known[operators]:
            return {}
        if (known := self._known.get((sides, operators))) is not None:
            return known  # type: ignore[no-any-return]
        bras = frozenset(sides.right)
        sums: dict[int, int] = {}
        for clusters, sign in signed.items():
            key = clusters, bras, operators
            if (terms := self._known.get(key)) is None:
                terms = self._known[key] = self._averages(*key)
            for coefficient, number in terms:
                sums[number] = sums.get(number, 0) + sign * coefficient
        found = self._known[sides, operators] = {k: n for k, n in sums.items() if n}
        return found

    def _averages(
        self, clusters: Clusters, bras: frozenset[int], operators: tuple[int, ...]
    ) -> list[tuple[int, int]]:
        """The terms of a product of averages: coefficient, number of the environment."""
        averages = [_Average(1, (), (), 0, 1)]
        # the last block acts first, and in it the earliest time
        for cluster in reversed(clusters) if self.rule.whole else clusters:
            actions = tuple([Action(t, t in bras, operators[t]) for t in reversed(cluster)])
            averages = [longer for each in averages for longer in self._grown(each, actions)]
            if not averages:
                return []
        results = []
        for average in averages:
            gaps: tuple[EnergyForm, ...] = ()
            if of := dict(average.frequencies):
                late = range(1, self.order)
                gaps = tuple(added(*(of.get(j, ()) for j in range(k, self.order))) for k in late)
            environment = Environment(tuple(sorted(average.weights)), gaps, average.label)
            if any(isinstance(weight, Weight) for weight in average.weights):
                environment = _canonical(environment)
            number = self._numbers.setdefault(environment, len(self.found))
            if number == len(self.found):
                self.found.append(environment)
            results.append((average.coefficient, number))
        return results

    def _grown(self, average: _Average, actions: tuple[Action, ...]) -> Iterator[_Average]:
        key = actions, average.label, average.fresh
        if (terms := self._known.get(key)) is None:
            terms = self._known[key] = self.rule.contracted(*key)
        for coefficient, weights, frequencies, after in terms:
            placed = zip((action.time for action in actions), frequencies, strict=False)
            yield _Average(
                average.coefficient * coefficient,
                average.weights + weights,
                (*average.frequencies, *placed),
                after if self.projector.resolves_energy else 0,
                average.fresh + len(actions),
            )


def _canonical(environment: Environment) -> Environment:
    """The same with its integration energies numbered 1, 2, ...; the least such naming."""
    used = sorted({e for weight in environment.weights for e in weight.energies} - {0})
    return min(
        _renamed(environment, {0: 0, **dict(zip(used, names, strict=True))})
        for names in permutations(range(1, len(used) + 1))
    )


def _renamed(environment: Environment, name: dict[int, int]) -> Environment:
    weights, gaps, label = environment
    return Environment(
        tuple(sorted(Weight(w.name, tuple(name[e] for e in w.energies)) for w in weights)),
        tuple(energy_form({name[e]: c for e, c in form}) for form in gaps),
        name[label],
    )
