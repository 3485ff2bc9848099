"""Second-order master equations of an environment with levels: general H_S and S, any projector.

The unknown is P_ss'(eps; t) = Tr rho |s'><s| delta(eps - H_B), or eta_ss'(t) with the environment
fixed at eps.  Every term comes out of the ordered cumulant of `pertsym.expansion` with its
system indices left open; H_I = lambda S (x) B.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from pertsym.environments.long_times import require_long_time_limit
from pertsym.environments.non_crossing import NonCrossing
from pertsym.exact import Gaussian
from pertsym.expansion.cumulants import SidedTerm, projected_cumulant
from pertsym.expansion.interaction import Interaction, level_energies
from pertsym.expansion.paths import Element, PathTerm, path_terms
from pertsym.expansion.rule import ENERGY_RESOLVED, FIXED_STATE, Projector, added, energy_form

Linear = tuple[tuple[str, int], ...]
"""A linear form over names: "ε", "ε'" and level indices (index s stands for E_s)."""

FINAL, OTHER = "ε", "ε'"
KET, BRA = "s", "s'"
_DUMMIES = ("r", "r'")


class Elements(NamedTuple):
    """A matrix element S_{row column}, by index names."""

    row: str
    column: str


@dataclass(frozen=True)
class RateTerm:
    """coefficient * lambda^2 * elements * n(first) F(density) * int_0^t e^{-i phase tau} * P.

    Summed over all indices but s and s', integrated over eps'.

    Attributes
    ----------
    coefficient
        +1 or -1.
    elements
        Matrix elements of S.
    unknown
        Indices of P.
    density
        (a, b) in n(a) F(a, b).
    energy
        Argument of P: "ε", "ε'", or "" with the environment fixed.
    phase
        Linear form over energies and levels.
    """

    coefficient: int
    elements: tuple[Elements, ...]
    unknown: tuple[str, str]
    density: tuple[str, str]
    energy: str
    phase: Linear

    @property
    def shift(self) -> Linear:
        """eps' - eps where the phase vanishes, as a form over the levels."""
        parts = dict(self.phase)
        sign = -parts[OTHER]
        levels = {name: sign * c for name, c in parts.items() if name not in (FINAL, OTHER)}
        return energy_form(levels)

    def renamed(self, names: Mapping[str, str]) -> RateTerm:
        """The term with level indices replaced."""

        def new(name: str) -> str:
            return names.get(name, name)

        return replace(
            self,
            elements=tuple(Elements(new(e.row), new(e.column)) for e in self.elements),
            unknown=(new(self.unknown[0]), new(self.unknown[1])),
            phase=added((new(name), c) for name, c in self.phase),
        )


def master_equation(projector: Projector) -> tuple[RateTerm, ...]:
    """Terms of dP_ss'/dt beyond -i(E_s - E_s') P_ss', losses first."""
    cumulant = projected_cumulant(NonCrossing(), projector, 2)
    terms = [_open_indices(term, projector) for term in cumulant]
    return tuple(sorted(terms, key=lambda term: (term.coefficient, term.elements)))


def _open_indices(term: SidedTerm, projector: Projector) -> RateTerm:
    """Name the indices of a second-order term: s and s' in the end, dummies before."""
    coefficient, shape = term
    names = iter(_DUMMIES)
    start_ket = next(names) if shape.left else KET
    start_bra = next(names) if shape.right else BRA
    kets = [start_ket, *(next(names) for _ in shape.left[1:]), *([KET] if shape.left else [])]
    bras = [start_bra, *(next(names) for _ in shape.right[1:]), *([BRA] if shape.right else [])]
    elements: list[Elements] = []
    parts: list[tuple[str, int]] = []
    for k, (time, _) in enumerate(shape.left):
        element = Elements(kets[k + 1], kets[k])
        elements.insert(0, element)
        parts += _transition(element, time)
    for k, (time, _) in enumerate(shape.right):
        element = Elements(bras[k], bras[k + 1])
        elements.append(element)
        parts += _transition(element, time)
    # energies: `label` is the one after, which is eps; number 0 the one before
    named = {0: FINAL, 1: OTHER} if shape.label == 0 else {1: FINAL, 0: OTHER}
    (weight,), (gap,) = shape.weights, shape.gaps
    parts += [(named[energy], c) for energy, c in gap]
    return RateTerm(
        int(coefficient.re),
        tuple(elements),
        (start_ket, start_bra),
        (named[weight.energies[0]], named[weight.energies[1]]),
        named[0] if projector.resolves_energy else "",
        added(parts),
    )


def _transition(element: Elements, time: int) -> list[tuple[str, int]]:
    """E_row - E_column in the phase of the only gap, for the operator at its earlier end."""
    return [(element.row, 1), (element.column, -1)] if time == 1 else []


@dataclass(frozen=True)
class PopulationTerm:
    """coefficient * lambda^2 |S_sr|^2 n F 2 int_0^t cos(phase tau), summed over r.

    In the Markovian equation the integral is pi delta(phase): `shift` = eps' - eps there.
    """

    coefficient: int
    unknown: str
    density: tuple[str, str]
    energy: str
    phase: Linear
    shift: Linear


def population_equation(projector: Projector) -> tuple[PopulationTerm, ...]:
    """dP_ss/dt without coherences: conjugate terms pair up to twice a cosine.

    Raises
    ------
    ValueError
        If the terms do not pair up: then the equation would not be real.
    """
    pairs: dict[tuple[int, str, tuple[str, str], str, Linear], int] = {}
    for term in master_equation(projector):
        ket, bra = term.unknown
        diagonal = {BRA: KET}
        if ket != KET and bra != BRA:
            diagonal[bra] = ket  # gain: P_rr
        else:
            diagonal[ket if ket != KET else bra] = KET  # loss: P_ss
        bare = term.renamed(diagonal)
        bare = bare.renamed(
            {name: "r" for element in bare.elements for name in element if name != KET}
        )
        phase = bare.phase if dict(bare.phase)[FINAL] > 0 else _negative(bare.phase)
        key = (bare.coefficient, bare.unknown[0], bare.density, bare.energy, phase)
        pairs[key] = pairs.get(key, 0) + (1 if phase == bare.phase else -1)
        pairs.setdefault(key, 0)
    if any(pairs.values()):
        raise ValueError("population_equation: conjugate terms do not pair up")
    return tuple(
        PopulationTerm(
            coefficient,
            unknown,
            density,
            energy,
            phase,
            energy_form({k: c for k, c in phase if k not in (FINAL, OTHER)}),
        )
        for coefficient, unknown, density, energy, phase in sorted(pairs)
    )


def _negative(form: Linear) -> Linear:
    return tuple((name, -c) for name, c in form)


SIGMA_X = ((0, 1, Gaussian(1)), (1, 0, Gaussian(1)))


@dataclass(frozen=True)
class TwoLevels:
    """Two levels coupled by sigma_x to an environment with levels, at any even order."""

    @property
    def interaction(self) -> Interaction:
        """Levels 0 (lower) and 1; the correlation is not used."""
        return Interaction(level_energies(2), (SIGMA_X,), (0,), {(0, 0): "C"})

    def element(self, projector: Projector, order: int, element: Element) -> tuple[PathTerm, ...]:
        """Terms of K_{ab,cd} of an order, collected."""
        return path_terms(self.interaction, NonCrossing(), projector, order, element)

    def populations_close(self, projector: Projector, order: int) -> bool:
        """Whether no element couples populations and coherences."""
        mixed = ((0, 0, 0, 1), (0, 0, 1, 0), (1, 1, 0, 1), (0, 1, 0, 0), (0, 1, 1, 1))
        return not any(self.element(projector, order, e) for e in mixed)

    def fixed_energy_long_times(self, order: int) -> None:
        """Refuse the long-time limit of the rate 1 -> 0 with the environment fixed at its energy.

        Raises
        ------
        Divergent
            From order 4 on.
        """
        terms = self.element(FIXED_STATE, order, (0, 0, 1, 1))
        require_long_time_limit(terms, f"the order-{order} rate")

    def energy_resolved_long_times(self, order: int) -> None:
        """The same with the energy kept: at order 4 no gap is without a phase."""
        for element in ((0, 0, 1, 1), (1, 1, 1, 1)):
            require_long_time_limit(
                self.element(ENERGY_RESOLVED, order, element), f"the order-{order} rate"
            )
