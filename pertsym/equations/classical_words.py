"""The denominator rule for classical noise of one exponent, all words of an order at once.

With C(t) = C(t)* = c exp(-nu t) both ends of an arc act with S^x, and the integral over the gaps
of a term depends on two things only: how many arcs cross each gap, and how the transition
frequency changes at each time.  A word is a product of 2n superoperators S^x, each split by the
operator and by the change of frequency; as an array with one axis for each time it is made once,
read in the order of times, and added to the arrays of all pairings that have this word, sorted by
the numbers of arcs across the gaps.  What is left is a sum over few distinct denominators.

Nothing is shared with the recursion on the slow subspace, and of the Liouville paths of single
terms only the words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pertsym.algebra.linear_fractions import LinearFraction, Ring
from pertsym.equations.exponential_bath import (
    Decay,
    Superoperator,
    monomial,
    ring_of,
    transition_names,
)
from pertsym.expansion.cumulants import Word, ordered_cumulant
from pertsym.expansion.interaction import Frequency, Interaction
from pertsym.expansion.pairings import Pairing

Integers = NDArray[np.int64]


class _Kick(NamedTuple):
    """The part of S_a^x that changes the transition frequency by so much; its matrix is exact."""

    operator: int
    change: Frequency
    matrix: Integers


def classical_generator(interaction: Interaction, decay: Decay, order: int) -> Superoperator:
    """K of one order for t -> infinity when every correlation function is the same exponential.

    Parameters
    ----------
    interaction
        All its correlation functions are real; matrix elements are integers.
    decay
        The one exponential.

    Raises
    ------
    ValueError
        If a correlation function is complex or a matrix element no integer.
    """
    missing = sorted(set(interaction.correlations.values()) - interaction.real)
    if missing or decay.conjugate is not None:
        raise ValueError(
            f"interaction: {missing[0] if missing else decay.rate!r} is complex; integrate the "
            "terms of each element instead"
        )
    kicks = _kicks(interaction)
    profiles = _by_crossings(interaction, kicks, order)
    ring = ring_of(interaction, {"": (decay,)})
    values: dict[tuple[int, int, int, int], list[LinearFraction]] = {}
    for crossings, array in profiles.items():
        for element, term in _integrated(interaction, kicks, ring, decay, crossings, array):
            values.setdefault(element, []).append(term)
    sums = {element: ring.sum(values[element]).reduced() for element in sorted(values)}
    return {element: value for element, value in sums.items() if value}


def _kicks(interaction: Interaction) -> tuple[_Kick, ...]:
    size = interaction.dimension
    matrices: dict[tuple[int, Frequency], Integers] = {}
    for a, operator in enumerate(interaction.operators):
        for row, column, value in operator:
            if value.im or value.re.denominator != 1:
                raise ValueError(f"operators[{a}]: {value} is no integer; scale it into a strength")
            from_left = interaction.transition(row, column)
            for other in range(size):  # |row><column| from the left, then from the right
                ket = matrices.setdefault((a, from_left), np.zeros((size**2,) * 2, np.int64))
                ket[row * size + other, column * size + other] += int(value.re)
                # rho S moves the column index from `row` to `column`: the change is E_row - E_col
                ket[other * size + column, other * size + row] -= int(value.re)
    return tuple(_Kick(a, change, m) for (a, change), m in sorted(matrices.items()))


def _by_crossings(
    interaction: Interaction, kicks: tuple[_Kick, ...], order: int
) -> Mapping[tuple[int, ...], Integers]:
    """Numbers of arcs across the gaps -> summed words, axes (final, initial, time 0, 1, ...)."""
    gathered: dict[Word, dict[tuple[tuple[int, ...], Pairing | None], int]] = {}
    allowed = np.array([[_correlated(interaction, a, b) for b in kicks] for a in kicks])
    for pairing, words in ordered_cumulant(order):
        crossings = tuple(
            sum(later < gap <= earlier for later, earlier in pairing) for gap in range(1, order)
        )
        key = crossings, None if allowed.all() else pairing
        for word, sign in words.items():
            signs = gathered.setdefault(word, {})
            signs[key] = signs.get(key, 0) + sign
    shape = (interaction.dimension**2,) * 2 + (len(kicks),) * order
    totals: dict[tuple[int, ...], Integers] = {}
    for word, signs in gathered.items():
        product = _product(kicks, word)
        for (crossings, arcs), sign in signs.items():
            total = totals.setdefault(crossings, np.zeros(shape, np.int64))
            if sign:
                total += sign * (product if arcs is None else _masked(product, arcs, allowed))
    return totals


def _correlated(interaction: Interaction, a: _Kick, b: _Kick) -> bool:
    return (a.operator, b.operator) in interaction.correlations


def _product(kicks: tuple[_Kick, ...], word: Word) -> Integers:
    """The superoperators of a word multiplied, axes of the kicks in the order of times."""
    size, count = len(kicks[0].matrix), len(kicks)
    # doubles hold these integers exactly, and their products are fast
    factors = np.stack([kick.matrix for kick in kicks], axis=1).reshape(size, -1).astype(float)
    array: Any = np.eye(size)[:, None, :]
    for _ in word:  # from left to right: the kicks of later factors vary fastest
        array = (array @ factors).reshape(size, -1, size)
    array = array.reshape(size, *(count,) * len(word), size).astype(np.int64)
    place = {time: axis for axis, time in enumerate(word)}
    order = (1 + place[t] for t in range(len(word)))
    result: Integers = array.transpose(0, len(word) + 1, *order)
    return result


def _masked(product: Integers, arcs: Pairing, allowed: NDArray[np.bool_]) -> Integers:
    for later, earlier in arcs:
        shape = [1] * product.ndim
        shape[2 + later] = shape[2 + earlier] = len(allowed)
        product = product * allowed.reshape(shape)
    return product


def _integrated(
    interaction: Interaction,
    kicks: tuple[_Kick, ...],
    ring: Ring,
    decay: Decay,
    crossings: tuple[int, ...],
    array: Integers,
) -> Iterator[tuple[tuple[int, int, int, int], LinearFraction]]:
    """Distinct denominators with their coefficients; (-1)^n from -S^x C S^x of n arcs."""
    size, order, names = interaction.dimension, array.ndim - 2, transition_names(interaction)
    where = np.nonzero(array)
    changes = np.array([kick.change for kick in kicks])[np.stack(where[3:], axis=1)]
    phases = np.flip(np.cumsum(np.flip(changes, 1), axis=1), 1)  # sum over times >= k, gaps first
    crossed = np.broadcast_to(np.array(crossings)[None, :, None], (*phases.shape[:2], 1))
    forms = np.concatenate((crossed, phases), axis=2)
    # the order of the gaps does not matter any more: sort the forms of each row
    code = np.zeros(forms.shape[:2], np.int64)
    for k in range(forms.shape[2]):
        code = code * 64 + forms[:, :, k] + 32
    code.sort(axis=1)
    operators = np.stack(where[2:], axis=1)
    counts = [np.sum(operators == k, axis=1) for k in range(len(kicks))]
    rows = np.column_stack((where[0], where[1], *counts, code))
    distinct, inverse = np.unique(rows, axis=0, return_inverse=True)
    sums = np.zeros(len(distinct), np.int64)
    np.add.at(sums, inverse.reshape(-1), array[where])
    sign = (-1) ** (order // 2)
    strengths = [interaction.strength(kick.operator) for kick in kicks]
    above: dict[tuple[int, ...], LinearFraction] = {}
    below: dict[tuple[int, ...], LinearFraction] = {}
    for row, coefficient in zip(distinct.tolist(), sums.tolist(), strict=True):
        if not coefficient:
            continue
        powers, gaps = tuple(row[2 : 2 + len(kicks)]), tuple(row[2 + len(kicks) :])
        if powers not in above:
            symbols = [s for s, n in zip(strengths, powers, strict=True) if s for _ in range(n)]
            above[powers] = monomial(ring, (*symbols, *decay.amplitude * (order // 2)))
        if gaps not in below:
            below[gaps] = ring.number(1)
            for number in gaps:
                crossed_by, *steps = _decoded(number, forms.shape[2])
                form = {decay.rate: crossed_by} | dict(zip(names, steps, strict=True))
                below[gaps] = below[gaps].over(ring.form(form))
        element = (*divmod(row[0], size), *divmod(row[1], size))
        yield element, above[powers] * below[gaps] * (sign * coefficient)


def _decoded(code: int, count: int) -> list[int]:
    digits = []
    for _ in range(count):
        code, digit = divmod(code, 64)
        digits.append(digit - 32)
    return digits[::-1]
