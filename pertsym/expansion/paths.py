"""Liouville paths: matrix elements of the generator from words and contractions.

With L(t) = -i[H_I(t), .], the contraction of a pair (later i, earlier j) is

    -S_i^x [ C(t_i - t_j) S_j^L - C(t_i - t_j)* S_j^R ],     S^x = S^L - S^R,

S^L and S^R being multiplication from the left and from the right (for Hermitian B; in general
the second C is that of the adjoint operators).  A path applies the superoperators of a word from
right to left to |c><d| and must end in |a><b|.  Times are measured from t_0 = 0, so that the
result is the element of the Schroedinger-picture generator.
"""

from __future__ import annotations

from collections.abc import Iterator

from pertsym.exact import Gaussian
from pertsym.expansion.cumulants import Word, ordered_cumulant
from pertsym.expansion.interaction import Frequency, Interaction
from pertsym.expansion.pairings import Pairing
from pertsym.expansion.terms import Factor, Shape, Term, TimeIntegrand

Element = tuple[int, int, int, int]
"""Indices (a, b, c, d) of K_{ab,cd}: d rho_ab/dt gets K_{ab,cd} rho_cd."""


def generator_element(interaction: Interaction, order: int, element: Element) -> TimeIntegrand:
    """Time-domain terms of one element of the ordered cumulant of an even order.

    The element of the t -> infinity generator is the integral of the result over all gaps
    tau_k from 0 to infinity (DESIGN 4.1-4.2; Eqs. (40), (41), (43) of Laird et al. at 2 and 4).
    """
    if len(element) != 4 or not all(0 <= k < interaction.dimension for k in element):
        raise ValueError(
            f"element: needs four level indices below {interaction.dimension}, got {element}"
        )
    adjacency = _transitions(interaction)
    terms = (
        term
        for pairing, words in ordered_cumulant(order)
        for word, sign in words.items()
        for term in _paths(interaction, adjacency, pairing, word, sign, element)
    )
    return TimeIntegrand.collect(order, terms, interaction.real)


Moves = dict[int, tuple[tuple[int, int, Gaussian], ...]]
"""level -> (operator index, level reached, matrix element)."""


def _transitions(interaction: Interaction) -> tuple[Moves, Moves]:
    """Moves of the row index under S^L and of the column index under S^R."""
    left: dict[int, list[tuple[int, int, Gaussian]]] = {}
    right: dict[int, list[tuple[int, int, Gaussian]]] = {}
    for a, operator in enumerate(interaction.operators):
        for row, col, value in operator:
            left.setdefault(col, []).append((a, row, value))  # (S rho)_row gets S_row,col
            right.setdefault(row, []).append((a, col, value))  # (rho S)_col gets S_row,col
    return (
        {level: tuple(moves) for level, moves in left.items()},
        {level: tuple(moves) for level, moves in right.items()},
    )


def _paths(
    interaction: Interaction,
    adjacency: tuple[Moves, Moves],
    pairing: Pairing,
    word: Word,
    sign: int,
    element: Element,
) -> Iterator[Term]:
    left, right = adjacency
    earlier_of = dict(pairing)  # later time -> earlier time of its arc
    schedule = tuple(reversed(word))
    final_row, final_col = element[:2]
    steps = len(schedule)

    # Each open arc remembers how its earlier end acted: (from the right?, operator index).
    opened: dict[int, tuple[bool, int]] = {}
    frequency: list[Frequency] = [()] * steps
    strengths = [""] * steps
    factors: dict[int, Factor] = {}

    def walk(step: int, row: int, col: int, weight: Gaussian) -> Iterator[Term]:
        if step == steps:
            if (row, col) == (final_row, final_col):
                named = tuple(sorted(filter(None, strengths)))
                shape = Shape(tuple(sorted(factors.values())), _gap_phases(frequency), named)
                yield Term(weight, shape)
            return
        time = schedule[step]
        for from_right in (False, True):
            here = col if from_right else row
            for a, there, value in (right if from_right else left).get(here, ()):
                if time in earlier_of:
                    earlier = earlier_of[time]
                    conjugated, b = opened[earlier]
                    factor = _contraction(interaction, a, b, conjugated, time, earlier)
                    if factor is None:
                        continue
                    factors[time] = factor
                    flip = not from_right  # -S^L + S^R at the later end
                else:
                    opened[time] = (from_right, a)
                    flip = from_right  # +C S^L - C* S^R at the earlier end
                # <final|S(t)|initial> = S exp(i (E_final - E_initial) t) from the left; from the
                # right the column moves here -> there through <here|S|there>.
                frequency[time] = (
                    interaction.transition(here, there)
                    if from_right
                    else interaction.transition(there, here)
                )
                strengths[time] = interaction.strength(a)
                amplitude = weight * value
                yield from walk(
                    step + 1,
                    row if from_right else there,
                    there if from_right else col,
                    -amplitude if flip else amplitude,
                )

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
