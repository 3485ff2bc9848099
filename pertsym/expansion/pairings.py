"""Wick pairings of the 2n interaction times, and other ways to divide times into clusters.

Time 0 is the latest, time 2n-1 the earliest.  A pair ``(i, j)`` with ``i < j`` is an arc from
the later time i to the earlier time j; a pairing is the ascending tuple of its pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import cast

Pair = tuple[int, int]
Pairing = tuple[Pair, ...]

Clusters = tuple[tuple[int, ...], ...]
"""Times that are averaged together, ascending in each."""


def pairings(order: int) -> Iterator[Pairing]:
    """All (order-1)!! complete pairings of the times 0 .. order-1, in lexicographic order.

    Raises
    ------
    ValueError
        If `order` is not a positive even integer: odd moments of a Gaussian bath vanish.
    """
    if order < 2 or order % 2:
        raise ValueError(
            f"order: must be a positive even integer, got {order}; odd orders of a centred "
            "Gaussian bath vanish"
        )
    yield from cast(Iterator[Pairing], clusterings(tuple(range(order)), (2,)))


def clusterings(times: tuple[int, ...], sizes: Sequence[int]) -> Iterator[Clusters]:
    """All divisions of the times into clusters of these sizes, ascending by first times."""
    if not times:
        yield ()
        return
    for size in sizes:
        for others in combinations(times[1:], size - 1):
            rest = tuple(time for time in times[1:] if time not in others)
            for tail in clusterings(rest, sizes):
                yield ((times[0], *others), *tail)


def is_irreducible(clusters: Clusters) -> bool:
    """True if no cut between two adjacent times leaves every cluster whole.

    A reducible pairing cancels identically between the moments of an ordered cumulant
    (the cluster property below Eq. (41) of Laird, Budimir and Skinner).
    """
    reach = 0
    for cluster in clusters:  # ascending: one that starts beyond the reach leaves a cut before it
        if cluster[0] > reach:
            return False
        reach = max(reach, cluster[-1])
    return True
