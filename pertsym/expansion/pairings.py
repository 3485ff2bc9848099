"""Wick pairings of the 2n interaction times.

Time 0 is the latest, time 2n-1 the earliest.  A pair ``(i, j)`` with ``i < j`` is an arc from
the later time i to the earlier time j; a pairing is the ascending tuple of its pairs.
"""

from __future__ import annotations

from collections.abc import Iterator

Pair = tuple[int, int]
Pairing = tuple[Pair, ...]


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
    yield from _pair_up(tuple(range(order)))


def _pair_up(times: tuple[int, ...]) -> Iterator[Pairing]:
    if not times:
        yield ()
        return
    first, rest = times[0], times[1:]
    for k, partner in enumerate(rest):
        for tail in _pair_up(rest[:k] + rest[k + 1 :]):
            yield ((first, partner), *tail)


def is_irreducible(pairing: Pairing) -> bool:
    """True if no cut between two adjacent times leaves every arc whole.

    A reducible pairing cancels identically between the moments of an ordered cumulant
    (the cluster property below Eq. (41) of Laird, Budimir and Skinner).
    """
    reach = 0
    for i, j in pairing:  # ascending i: an arc that starts beyond the reach begins a new cluster
        if i > reach:
            return False
        reach = max(reach, j)
    return True
