"""What the expansion needs to know of a Hamiltonian: energies, operators, contractions.

H_I = sum_a S_a (x) B_a over matrices S_a in the energy eigenbasis.  The S_a need not be Hermitian
one by one (Laird's Lam|1><0| + Lam^+|0><1| has two that are each other's adjoint); `adjoint`
says which a belongs to S_a^+.  Energies are integer linear forms over the basis of transition
frequencies w_k = E_k - E_0, so that they stay symbols.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pertsym.exact import Gaussian

Frequency = tuple[int, ...]
"""An integer linear form over the transition frequencies (w_1, ..., w_{N-1})."""

Operator = tuple[tuple[int, int, Gaussian], ...]
"""Nonzero matrix elements (row, column, value)."""


def level_energies(dimension: int) -> tuple[Frequency, ...]:
    """E_k - E_0 of N nondegenerate levels as linear forms: the zero form, then unit vectors."""
    if dimension < 2:
        raise ValueError(f"dimension: a system needs at least 2 levels, got {dimension}")
    return tuple(tuple(int(k == level) for k in range(1, dimension)) for level in range(dimension))


@dataclass(frozen=True)
class Interaction:
    """A finite system coupled to a Gaussian bath, ready to be expanded.

    Attributes
    ----------
    energies
        One linear form per level.
    operators
        The S_a, sparse.
    adjoint
        adjoint[a] is the index of S_a^+.
    correlations
        (a, b) -> name of <B_a(t) B_b(0)>; a missing pair is uncorrelated.
    real
        Names of correlation functions that are real (classical baths): C* = C.
    """

    energies: tuple[Frequency, ...]
    operators: tuple[Operator, ...]
    adjoint: tuple[int, ...]
    correlations: Mapping[tuple[int, int], str]
    real: frozenset[str] = field(default=frozenset())

    def __post_init__(self) -> None:
        object.__setattr__(self, "correlations", MappingProxyType(dict(self.correlations)))
        for a, operator in enumerate(self.operators):
            conjugated = tuple(sorted((col, row, z.conjugate()) for row, col, z in operator))
            if tuple(sorted(self.operators[self.adjoint[a]])) != conjugated:
                raise ValueError(
                    f"operators[{a}]: its adjoint is not operators[{self.adjoint[a]}]; "
                    "H_I must be Hermitian"
                )
        for (a, b), name in self.correlations.items():
            # <B_a(t)B_b(0)> and <B_b^+ B_a^+> carry one spectrum when it is real; stationarity
            # then needs C_ab = C_{b+ a+}, which is what makes C(-t) = C(t)*.
            mirrored = self.correlations.get((self.adjoint[b], self.adjoint[a]))
            if mirrored != name:
                raise ValueError(
                    f"correlations[{a}, {b}]: {name!r} must equal that of the adjoint pair, "
                    f"which is {mirrored!r}"
                )

    @property
    def dimension(self) -> int:
        return len(self.energies)

    def transition(self, final: int, initial: int) -> Frequency:
        """E_final - E_initial."""
        return tuple(
            f - i for f, i in zip(self.energies[final], self.energies[initial], strict=True)
        )
