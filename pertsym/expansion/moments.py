"""Moments and ordered cumulants in general: the first steps of every derivation.

With sigma(t) = Phi(t) sigma(0), Phi = 1 + sum_n M^(2n)/(2n)! and

    M^(n)(t) = (-i)^n n! int_0^t dt1 int_0^t1 dt2 ... Tr_B[l(t1) ... l(tn) rho_B],

the time-convolutionless generator is R = (dPhi/dt) Phi^-1 (Eqs. (29)-(36) of Laird, Budimir and
Skinner, whose (38), (39) are this convention; l(t) = [H_I(t), .]).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import permutations
from math import factorial

from pertsym.expansion.pairings import Clusters, clusterings

MomentWord = tuple[int, ...]
"""(2k, 2l, 2m, ...) stands for dM^(2k)/dt M^(2l) M^(2m) ..."""

Blocks = Clusters
"""Times of each average, e.g. ((0, 2), (1, 3)) for <l0 l2><l1 l3>."""


def generator_in_moments(order: int) -> Mapping[MomentWord, Fraction]:
    """Coefficients of R^(order) in products of moments, Eqs. (37)-(39).

    Examples
    --------
    >>> {word: str(c) for word, c in generator_in_moments(4).items()}
    {(2, 2): '-1/4', (4,): '1/24'}
    """
    terms: dict[MomentWord, Fraction] = {}
    for word in _compositions(order):
        coefficient = Fraction((-1) ** (len(word) - 1))
        for n in word:
            coefficient /= factorial(n)
        terms[word] = coefficient
    return dict(sorted(terms.items()))


def _compositions(order: int) -> Iterator[MomentWord]:
    """Ordered sums of positive even numbers: first the derivative, then the expansion of Phi^-1."""
    for head in range(2, order + 1, 2):
        if head == order:
            yield (head,)
        else:
            for tail in _compositions(order - head):
                yield (head, *tail)


def ordered_cumulant_blocks(order: int, sizes: Sequence[int] = ()) -> Mapping[Blocks, int]:
    """Signed products of averages in the time-ordered integrand of R^(order), Eqs. (40), (41).

    Every product is an ordered partition of the times 0 .. order-1 into blocks of these sizes (of
    even size, if none are given), each internally time-ordered, the first one holding time 0; the
    sign is (-1)^(blocks - 1).

    Examples
    --------
    >>> ordered_cumulant_blocks(4)[((0, 2), (1, 3))]
    -1
    """
    blocks = sorted(
        (first, *rest)
        for first, *others in clusterings(tuple(range(order)), sizes or range(2, order + 1, 2))
        for rest in permutations(others)
    )
    return {each: (-1) ** (len(each) - 1) for each in blocks}
