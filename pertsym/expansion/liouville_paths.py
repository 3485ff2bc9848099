"""Which double-sided (Liouville) paths a term of the expansion stands for, for its diagrams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pertsym.exact import Gaussian
from pertsym.expansion.cumulants import Cumulant
from pertsym.expansion.interaction import Interaction
from pertsym.expansion.paths import Element, Moves, together, walks
from pertsym.expansion.rule import FIXED_STATE
from pertsym.expansion.terms import Factor, Shape, Term, conjugate, representative
from pertsym.expansion.wick import Wick


class LiouvillePath(NamedTuple):
    """One path of |c><d| to |a><b|: what acts on the ket and on the bra, in order of action.

    Operators on the left commute with those on the right, so their mutual order does not count;
    paths of equal words but for that are one.

    Attributes
    ----------
    ket, bra
        Times that act on that side, the first to act first.
    ket_levels, bra_levels
        Levels of that side: c or d, then the one reached by each time.
    factors
        The contractions, sorted: `Factor(i + 1, j, ...)` joins the later time i with the earlier j.
    """

    ket: tuple[int, ...]
    bra: tuple[int, ...]
    ket_levels: tuple[int, ...]
    bra_levels: tuple[int, ...]
    factors: tuple[Factor, ...]

    def mirrored(self, real: frozenset[str]) -> LiouvillePath:
        """Ket and bra exchanged: the path of the complex conjugate."""
        factors = conjugate(Term(Gaussian(1), Shape(self.factors, ())), real).shape.factors
        return LiouvillePath(self.bra, self.ket, self.bra_levels, self.ket_levels, factors)


Contributions = Mapping[Shape, Mapping[LiouvillePath, Gaussian]]
"""Terms by shape, each with its paths and what they contribute to the coefficient."""


def liouville_paths(
    interaction: Interaction,
    order: int,
    elements: Mapping[Element, Gaussian],
    real_part: bool = False,
) -> Contributions:
    """Which paths make up each term of a weighted sum of elements.

    The contributions to a shape add up to the coefficient of that term in the sum of
    `generator_element`; with `real_part`, in its `real_parts()`: there a path and its mirror image
    (ket and bra exchanged) are drawn as one.
    """
    cumulant = Cumulant(Wick(interaction), FIXED_STATE, order)
    moves = Moves(interaction, together(interaction))
    found: dict[Shape, dict[LiouvillePath, Gaussian]] = {}
    for element, scale in elements.items():
        for sides, ket, bra, phases, entries, environments in walks(cumulant, moves, element):
            levels = (element[2], *ket.levels), (element[3], *bra.levels)
            weight = scale * cumulant.power * ket.number * bra.number
            for number, n in environments.items():
                factors = cumulant.found[number].weights
                for names, z in moves.product(entries).items():
                    term = Term(weight * n * z, Shape(factors, phases, names))
                    path = LiouvillePath(*sides, *levels, factors)
                    if real_part:
                        term, path = _one_of_two(term, path, interaction.real)
                    parts = found.setdefault(term.shape, {})
                    parts[path] = parts.get(path, Gaussian()) + term.coefficient
    left = {
        shape: {path: z for path, z in sorted(parts.items()) if z} for shape, parts in found.items()
    }
    return {shape: left[shape] for shape in sorted(left) if sum(left[shape].values(), Gaussian())}


def _one_of_two(
    term: Term, path: LiouvillePath, real: frozenset[str]
) -> tuple[Term, LiouvillePath]:
    """Term and path, or their conjugates: those that stand for both in a real part."""
    shown = representative(term, real)
    mirrored = path.mirrored(real)
    if shown.shape != term.shape:
        return shown, mirrored
    own = conjugate(term, real).shape == term.shape
    return shown, min(path, mirrored) if own else path
