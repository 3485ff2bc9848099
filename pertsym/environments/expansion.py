"""Ordered cumulants for any contraction rule and any projector.

The time-convolutionless generator of order 2n is the integral over the gaps between the times of

    sum over ordered partitions into blocks (-1)^(blocks - 1) <block 1> P <block 2> P ...,

the average of a block being the rule's and P the projector (module `projector`).  Every
L(t) = -i[H_I(t), .] acts from the left or, with the opposite sign, from the right.  Terms are
collected by what they do: which times act on the ket and which on the bra, in which order, with
which weights and phases e^{-i sum_k x_k tau_k} of the environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from typing import NamedTuple

from pertsym.environments.projector import Projector
from pertsym.environments.rule import (
    Action,
    ContractionRule,
    EnergyForm,
    Weight,
    added,
    contract_in_sequence,
    energy_form,
)
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency, Interaction
from pertsym.expansion.moments import Blocks, ordered_cumulant_blocks
from pertsym.expansion.paths import Element

Chain = tuple[tuple[int, int], ...]
"""(time, operator) pairs in the order of application."""


class SidedShape(NamedTuple):
    """What a term does: operators on the ket and on the bra, and the environment's part.

    Energy 0 is the environment's energy before, `label` the one after; every other number is
    integrated over.  `gaps` are the x_k of gap k = 1, 2, ... (times t_{k-1} > t_k).
    """

    left: Chain
    right: Chain
    weights: tuple[Weight, ...]
    gaps: tuple[EnergyForm, ...]
    label: int


class SidedTerm(NamedTuple):
    coefficient: Gaussian
    shape: SidedShape


def projected_cumulant(
    rule: ContractionRule, projector: Projector, order: int, operators: Sequence[int] = (0,)
) -> tuple[SidedTerm, ...]:
    """The integrand of the generator of an even order, collected and sorted.

    Parameters
    ----------
    rule, projector
        The environment.
    order
        Even order in the coupling.
    operators
        Indices of the bath operators in H_I = sum_a S_a (x) B_a.
    """
    sums: dict[SidedShape, Gaussian] = {}
    for blocks, sign in ordered_cumulant_blocks(order).items():
        for right in sides(order):
            for chosen in product(operators, repeat=order):
                for factor, shape in _terms(rule, projector, blocks, right, chosen):
                    canonical = _canonical(shape)
                    value = _power_of_minus_i(order) * (sign * factor * (-1) ** sum(right))
                    sums[canonical] = sums.get(canonical, Gaussian(0)) + value
    return tuple(SidedTerm(sums[shape], shape) for shape in sorted(sums) if sums[shape])


def sides(count: int) -> Iterator[tuple[bool, ...]]:
    """All choices of a side for each of `count` actions; True is the right."""
    return product((False, True), repeat=count)


def _power_of_minus_i(order: int) -> Gaussian:
    return (Gaussian(1), Gaussian(0, -1), Gaussian(-1), Gaussian(0, 1))[order % 4]


def _terms(
    rule: ContractionRule,
    projector: Projector,
    blocks: Blocks,
    right: tuple[bool, ...],
    chosen: tuple[int, ...],
) -> Iterator[tuple[int, SidedShape]]:
    order = len(right)
    applied = [time for block in reversed(blocks) for time in reversed(block)]
    kets = tuple((time, chosen[time]) for time in applied if not right[time])
    bras = tuple((time, chosen[time]) for time in applied if right[time])

    def walk(
        rest: Blocks,
        label: int,
        fresh: int,
        factor: int,
        weights: tuple[Weight, ...],
        frequencies: dict[int, EnergyForm],
    ) -> Iterator[tuple[int, SidedShape]]:
        if not rest:
            gaps = tuple(added(*(frequencies[j] for j in range(k, order))) for k in range(1, order))
            yield factor, SidedShape(kets, bras, tuple(sorted(weights)), gaps, label)
            return
        block = tuple(reversed(rest[-1]))  # the last block acts first, its earliest time first
        actions = [Action(time, right[time], chosen[time]) for time in block]
        for term in contract_in_sequence(rule, actions, label, fresh):
            yield from walk(
                rest[:-1],
                projector.label_after(term.label),
                fresh + len(block),
                factor * term.coefficient,
                weights + term.weights,
                {**frequencies, **dict(zip(block, term.frequencies, strict=True))},
            )

    return walk(blocks, 0, 1, 1, (), {})


def _canonical(shape: SidedShape) -> SidedShape:
    """The same term with its integration energies numbered 1, 2, ...; the least such naming."""
    used = sorted({e for weight in shape.weights for e in weight.energies} - {0})
    return min(
        _renamed(shape, {0: 0, **dict(zip(used, names, strict=True))})
        for names in permutations(range(1, len(used) + 1))
    )


def _renamed(shape: SidedShape, name: dict[int, int]) -> SidedShape:
    return SidedShape(
        shape.left,
        shape.right,
        tuple(sorted(Weight(w.name, tuple(name[e] for e in w.energies)) for w in shape.weights)),
        tuple(energy_form({name[e]: c for e, c in form}) for form in shape.gaps),
        name[shape.label],
    )


class PathShape(NamedTuple):
    """A term between two system states: the environment's part and the system's phases."""

    weights: tuple[Weight, ...]
    gaps: tuple[EnergyForm, ...]
    system: tuple[Frequency, ...]
    label: int


@dataclass(frozen=True)
class PathTerm:
    """coefficient * weights * exp(-i sum_k (x_k + system_k) tau_k)."""

    coefficient: Gaussian
    shape: PathShape

    def secular_gaps(self) -> tuple[int, ...]:
        """Gaps (1 is the latest) whose frequency vanishes identically: no decay, whatever n, F."""
        shape = self.shape
        pairs = zip(shape.gaps, shape.system, strict=True)
        return tuple(k for k, (x, y) in enumerate(pairs, 1) if not x and not any(y))


def path_terms(
    interaction: Interaction, integrand: Iterable[SidedTerm], element: Element
) -> tuple[PathTerm, ...]:
    """Terms of one matrix element K_{ab,cd} of the generator, collected.

    Matrix elements of the coupling operators and phases of the levels are those of `interaction`
    (its correlation functions are not used).

    Raises
    ------
    ValueError
        If an operator comes with a symbolic strength, which terms here cannot carry.
    """
    if any(interaction.strengths):
        raise ValueError(
            "interaction: operators with symbolic strengths cannot be expanded for this rule; put "
            "numbers in with Interaction.at"
        )
    sums: dict[PathShape, Gaussian] = {}
    for coefficient, shape in integrand:
        gaps = len(shape.gaps)
        kets = _chain_paths(interaction, shape.left, element[2], element[0], adjoint=False)
        for ket_value, ket_phases in kets:
            bras = _chain_paths(interaction, shape.right, element[3], element[1], adjoint=True)
            for bra_value, bra_phases in bras:
                phases = {**ket_phases, **bra_phases}
                system = tuple(
                    tuple(map(sum, zip(*(phases[j] for j in range(k, gaps + 1)), strict=True)))
                    for k in range(1, gaps + 1)
                )
                key = PathShape(shape.weights, shape.gaps, system, shape.label)
                value = coefficient * ket_value * bra_value
                sums[key] = sums.get(key, Gaussian(0)) + value
    return tuple(PathTerm(sums[key], key) for key in sorted(sums) if sums[key])


def _chain_paths(
    interaction: Interaction, chain: Chain, start: int, end: int, *, adjoint: bool
) -> Iterator[tuple[Gaussian, dict[int, Frequency]]]:
    """Products of matrix elements along a chain of operators, with the frequency at each time.

    A ket moves here -> there through <there|S|here>, a bra (`adjoint`) through <here|S|there>.
    """
    if not chain:
        if start == end:
            yield Gaussian(1), {}
        return
    (time, operator), rest = chain[0], chain[1:]
    for row, column, value in interaction.operators[operator]:
        here, there = (row, column) if adjoint else (column, row)
        if here != start:
            continue
        frequency = interaction.transition(row, column)
        for product_, phases in _chain_paths(interaction, rest, there, end, adjoint=adjoint):
            yield value * product_, {time: frequency, **phases}
