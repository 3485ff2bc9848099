"""Ordered-cumulant words: the signed operator orderings of each Wick pairing.

The time-convolutionless generator of order 2n is the integral of the ordered cumulant

    <L(t0) L(t1) ... L(t_{2n-1})>_oc
        = sum over ordered partitions into blocks (-1)^(blocks - 1) <block 1><block 2>...

where every block is time-ordered and the first one holds t0 (van Kampen; Eq. (41) of Laird,
Budimir and Skinner at order 4).  With Wick's theorem each block's moment is a sum over pairings
of its own times, so that the sum may be taken pairing by pairing, over ordered partitions of the
*pairs*.  A word is the order in which the superoperators of the 2n times multiply; equal words
cancel, and what survives has coefficient +1 or -1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import compress, product
from operator import not_
from types import MappingProxyType
from typing import NamedTuple

from pertsym.expansion.moments import ordered_cumulant_blocks
from pertsym.expansion.pairings import Clusters, Pairing, clusterings, is_irreducible, pairings

Word = tuple[int, ...]


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
