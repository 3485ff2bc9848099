"""What the expansion needs to know of a Hamiltonian: energies, operators, contractions.

H_I = sum_a S_a (x) B_a over matrices S_a in the energy eigenbasis.  The S_a need not be Hermitian
one by one (Laird's Lam|1><0| + Lam^+|0><1| has two that are each other's adjoint); `adjoint`
says which a belongs to S_a^+.  Energies are integer linear forms over the basis of transition
frequencies w_k = E_k - E_0, so that they stay symbols; so do matrix elements where an S_a comes
multiplied by a named real number, its strength: d0 |0><0| + x (|0><1| + |1><0|) coupled to one bath
is two operators with the strengths d0 and x and one correlation function.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import prod
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


Strengths = tuple[str, ...]
"""Sorted names of real symbols, each as often as it is a factor."""


def symbols_in(strength: str) -> Strengths:
    """The symbols of a strength: ("c", "g") of "c*g", none of ""."""
    return tuple(sorted(strength.split("*"))) if strength else ()


def require_strengths(given: Mapping[str, Gaussian], known: tuple[str, ...]) -> None:
    """Refuse names that are not known and numbers that are not real (ValueError)."""
    for name, value in given.items():
        if name not in known:
            raise ValueError(
                f"strengths: there is no {name!r}; there are: {', '.join(known) or '(none)'}"
            )
        if value.im:
            raise ValueError(
                f"strengths: {name!r} must be real, got {value}; write a complex element as two "
                "strengths, of its real and its imaginary part"
            )


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
    strengths
        For each S_a the name of a real symbol that multiplies it, or of several as "c*g", "" for
        1; empty if all are 1.
    """

    energies: tuple[Frequency, ...]
    operators: tuple[Operator, ...]
    adjoint: tuple[int, ...]
    correlations: Mapping[tuple[int, int], str]
    real: frozenset[str] = field(default=frozenset())
    strengths: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.strengths and len(self.strengths) != len(self.operators):
            raise ValueError(
                f"strengths: {len(self.strengths)} for {len(self.operators)} operators; give one "
                'for each, "" where there is none'
            )
        object.__setattr__(self, "correlations", MappingProxyType(dict(self.correlations)))
        for a, operator in enumerate(self.operators):
            conjugated = tuple(sorted((col, row, z.conjugate()) for row, col, z in operator))
            if tuple(sorted(self.operators[self.adjoint[a]])) != conjugated:
                raise ValueError(
                    f"operators[{a}]: its adjoint is not operators[{self.adjoint[a]}]; "
                    "H_I must be Hermitian"
                )
            if self.strength(a) != self.strength(self.adjoint[a]):
                raise ValueError(
                    f"strengths[{a}]: {self.strength(a)!r} must be that of the adjoint operator, "
                    f"which is {self.strength(self.adjoint[a])!r}"
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

    @property
    def symbols(self) -> tuple[str, ...]:
        """The names of the symbols in the strengths that occur, sorted."""
        return tuple(sorted({name for strength in self.strengths for name in symbols_in(strength)}))

    def strength(self, a: int) -> str:
        """The real symbol that multiplies S_a, or a product "c*g" of some; empty for 1."""
        return self.strengths[a] if self.strengths else ""

    def at(self, strengths: Mapping[str, Gaussian]) -> Interaction:
        """The interaction with real numbers for some or all of its strengths.

        Raises
        ------
        ValueError
            For a name that does not occur, or a number that is not real.
        """
        require_strengths(strengths, self.symbols)
        named = [symbols_in(self.strength(a)) for a in range(len(self.operators))]
        weights = [
            prod((strengths[n] for n in names if n in strengths), start=Gaussian(1))
            for names in named
        ]
        scaled = tuple(
            tuple((row, col, weight * z) for row, col, z in operator if weight)
            for operator, weight in zip(self.operators, weights, strict=True)
        )
        left = tuple("*".join(n for n in names if n not in strengths) for names in named)
        return replace(self, operators=scaled, strengths=left if any(left) else ())

    def transition(self, final: int, initial: int) -> Frequency:
        """E_final - E_initial."""
        return tuple(
            f - i for f, i in zip(self.energies[final], self.energies[initial], strict=True)
        )
