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

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from pertsym.expansion.pairings import Pair, Pairing, is_irreducible, pairings

Word = tuple[int, ...]


def word_coefficients(pairing: Pairing) -> Mapping[Word, int]:
    """Words of one pairing with their coefficients, zero ones removed.

    Recursion over subsets of pairs, K(P) = w(P) - sum_B K(B) w(P without B), B running over the
    proper subsets that contain the pair of time 0; w(P) is the time-ordered word of P.

    Examples
    --------
    >>> dict(word_coefficients(((0, 2), (1, 3))))
    {(0, 1, 2, 3): 1, (0, 2, 1, 3): -1}
    >>> dict(word_coefficients(((0, 1), (2, 3))))
    {}
    """
    full = (1 << len(pairing)) - 1
    ordered = {mask: _time_ordered(pairing, mask) for mask in range(full + 1)}
    cumulant: dict[int, dict[Word, int]] = {}
    for mask in range(1, full + 1, 2):  # odd masks: those that hold pair 0, hence time 0
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


def _time_ordered(pairing: Pairing, mask: int) -> Word:
    chosen: list[Pair] = [pair for bit, pair in enumerate(pairing) if mask >> bit & 1]
    return tuple(sorted(time for pair in chosen for time in pair))


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
