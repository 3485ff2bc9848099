"""Independent Hermitian bath operators behind an interaction's correlation functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pertsym.expansion.interaction import Interaction, Operator


@dataclass(frozen=True, eq=False)
class HermitianBath:
    """One Hermitian bath operator with what it couples to.

    Attributes
    ----------
    matrix
        N x N system operator that multiplies it in H_I.
    weights
        Correlation name -> weight of this operator's correlation function in it.
    """

    matrix: NDArray[np.complex128]
    weights: Mapping[str, int]


def hermitian_baths(interaction: Interaction) -> tuple[HermitianBath, ...]:
    """Write every S (x) B + S^+ (x) B^+ as (S + S^+) X + i(S - S^+) Y with B = X + iY.

    X and Y are independent Hermitian operators, so that <B B^+> = C_X + C_Y = <B^+ B> and
    <B B> = C_X - C_Y = <B^+ B^+>; a Hermitian B is one operator.

    Raises
    ------
    ValueError
        If different operators are correlated: they cannot be written in this way.
    """
    size, found = interaction.dimension, []
    for a, operator in enumerate(interaction.operators):
        b = interaction.adjoint[a]
        for i, j in interaction.correlations:
            if i in (a, b) and j not in (a, b):
                raise ValueError(f"correlations[{i}, {j}]: operators of two baths are correlated")
        s = dense(operator, size)
        if a == b:
            found.append(HermitianBath(s, {interaction.correlations[a, a]: 1}))
        elif b < a:  # the second of a pair: the first has brought both
            cross = {interaction.correlations[pair] for pair in ((a, b), (b, a))}
            same = {interaction.correlations[pair] for pair in ((a, a), (b, b))}
            if len(cross) > 1 or len(same) > 1:
                raise ValueError(f"operators[{b}], [{a}]: X and Y are correlated with each other")
            (plus,), (minus,) = cross, same
            first = dense(interaction.operators[b], size)
            found.append(HermitianBath(first + s, {plus: 1, minus: 1}))
            found.append(HermitianBath(1j * (first - s), {plus: 1, minus: -1}))
    return tuple(found)


def dense(operator: Operator, size: int) -> NDArray[Any]:
    """A sparse operator as a matrix."""
    matrix = np.zeros((size, size), dtype=np.complex128)
    for row, column, value in operator:
        matrix[row, column] = complex(value)
    return matrix
