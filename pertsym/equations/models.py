"""Interactions of two-level systems, by name and from a model's coupling operators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, Operator, level_energies

Matrix = Sequence[Sequence[Gaussian]]

_ONE = Gaussian(1)


def laird(real: Iterable[str] = ()) -> Interaction:
    """Lam|1><0| + Lam^+|0><1|, with C1 = <Lam^+(t)Lam(0)> and C2 = <Lam(t)Lam(0)>.

    Eqs. (13), (61), (85) of Laird, Budimir and Skinner.
    C1 also equals <Lam(t)Lam^+(0)>, and C2 <Lam^+(t)Lam^+(0)>, because every h_k^2 is real
    (Eqs. (76), (88)).  Name C1, C2 in `real` for the stochastic model of Sec. V.
    """
    raising: Operator = ((1, 0, _ONE),)
    lowering: Operator = ((0, 1, _ONE),)
    return Interaction(
        level_energies(2),
        (raising, lowering),
        (1, 0),
        {(0, 0): "C2", (1, 1): "C2", (0, 1): "C1", (1, 0): "C1"},
        frozenset(real),
    )


def independent_baths(
    dimension: int, couplings: Iterable[tuple[Matrix, str]], real: Iterable[str] = ()
) -> Interaction:
    """H_I = sum over baths of S_bath (x) B_bath; couplings to one bath add up to its S_bath.

    Parameters
    ----------
    dimension
        Number of levels N.
    couplings
        Hermitian N x N operators in the energy eigenbasis with the name of their bath.
    real
        Names of the baths whose correlation function is real (classical).
    """
    totals: dict[str, list[list[Gaussian]]] = {}
    for matrix, bath in couplings:
        total = totals.setdefault(bath, [[Gaussian()] * dimension for _ in range(dimension)])
        for i in range(dimension):
            for j in range(dimension):
                total[i][j] = total[i][j] + matrix[i][j]
    names = tuple(totals)
    operators = tuple(_sparse(totals[name]) for name in names)
    correlations: Mapping[tuple[int, int], str] = {(k, k): name for k, name in enumerate(names)}
    return Interaction(
        level_energies(dimension),
        operators,
        tuple(range(len(names))),
        correlations,
        frozenset(real),
    )


def _sparse(matrix: Matrix) -> Operator:
    return tuple(
        (i, j, value) for i, row in enumerate(matrix) for j, value in enumerate(row) if value
    )
