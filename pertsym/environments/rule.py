"""The interface of a contraction rule: what an average of bath operators is worth.

An average is one block of an ordered cumulant: a sequence of bath operators B(t_j), each acting
from the left or from the right on the state of the environment, in the order of application.  A
rule turns it into a sum of terms

    coefficient * product of weights * exp(i sum_j omega_j t_j)

to be integrated over the energies that the weights introduce.  Energies are named by integers:
the label that the environment carries before the block, and fresh numbers for integration
energies.  omega_j is an integer linear form over them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

EnergyForm = tuple[tuple[int, int], ...]
"""(energy, coefficient) pairs, by energy, without zeros; () is identically zero."""


def energy_form(coefficients: Mapping[int, int]) -> EnergyForm:
    """The canonical form of a linear combination of energies."""
    return tuple((energy, c) for energy, c in sorted(coefficients.items()) if c)


def difference(upper: int, lower: int) -> EnergyForm:
    """Energy `upper` minus energy `lower`; zero if they are one and the same."""
    return energy_form({upper: 1, lower: -1}) if upper != lower else ()


def added(*forms: EnergyForm) -> EnergyForm:
    """The sum of linear forms."""
    total: dict[int, int] = {}
    for form in forms:
        for energy, c in form:
            total[energy] = total.get(energy, 0) + c
    return energy_form(total)


class Action(NamedTuple):
    """One bath operator: its time index (0 is the latest), its side, and which operator it is."""

    time: int
    right: bool
    operator: int = 0


class Weight(NamedTuple):
    """A spectral weight over energies; the first one is integrated over.

    What the name means is the rule's to document: "C" of one energy w may be Ĉ(w)/2pi, "nF" of
    two energies n(e) F(e, e').
    """

    name: str
    energies: tuple[int, ...]


@dataclass(frozen=True)
class EnvironmentTerm:
    """One term of an average.

    Attributes
    ----------
    coefficient
        An integer; signs of left and right action are not included.
    weights
        Spectral weights.
    frequencies
        omega_j of each action, in the order in which the actions were given.
    label
        The energy that the environment has after the block; the label before it if the rule's
        environment does not change.
    """

    coefficient: int
    weights: tuple[Weight, ...]
    frequencies: tuple[EnergyForm, ...]
    label: int


class ContractionRule(Protocol):
    """The average of one block of bath operators."""

    def contract(
        self, actions: Sequence[Action], label: int, fresh: int
    ) -> Iterator[EnvironmentTerm]:
        """Terms of the average of `actions`, given in the order of application.

        Parameters
        ----------
        actions
            Operators of one block; an odd average of a centred environment has no terms.
        label
            The energy of the environment before the block.
        fresh
            The first number that may be used for a new energy.
        """


def contract_in_sequence(
    rule: ContractionRule, actions: Sequence[Action], label: int, fresh: int
) -> tuple[EnvironmentTerm, ...]:
    """The terms of a rule, checked: one frequency an action, no energy out of nowhere.

    Raises
    ------
    ValueError
        Naming the rule and what is wrong with its term.
    """
    terms = tuple(rule.contract(actions, label, fresh))
    name = type(rule).__name__
    for term in terms:
        if len(term.frequencies) != len(actions):
            raise ValueError(
                f"{name}: {len(term.frequencies)} frequencies for {len(actions)} actions; "
                "give one frequency for each action"
            )
        known = {label} | {energy for weight in term.weights for energy in weight.energies}
        used = {energy for form in term.frequencies for energy, _ in form} | {term.label}
        if not used <= known:
            raise ValueError(
                f"{name}: energies {sorted(used - known)} are used but no weight introduces them; "
                "list every energy in a weight"
            )
    return terms
