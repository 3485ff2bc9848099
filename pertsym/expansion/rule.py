"""Environments as data: a contraction rule and a projector.

A rule says what averages of bath operators are worth.  It is asked about one cluster of operators
at a time, each acting from the left or from the right on the state of the environment, and answers
with a sum of terms

    coefficient * product of weights * exp(i sum_j omega_j t_j).

Weights are functions of the times themselves (`terms.Factor`), whose omega_j are 0, or spectral
weights over energies (`Weight`), to be integrated over.  Energies are named by integers: the label
that the environment carries before the block, and fresh numbers for integration energies; omega_j
is an integer linear form over them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self, TypeVar

if TYPE_CHECKING:
    from pertsym.model.read import Place

EnergyForm = tuple[tuple[int, int], ...]
"""(energy, coefficient) pairs, by energy, without zeros; () is identically zero."""


_Name = TypeVar("_Name", int, str)


def energy_form(coefficients: Mapping[_Name, int]) -> tuple[tuple[_Name, int], ...]:
    """The canonical form of a linear combination of energies, by their numbers or names."""
    return tuple((energy, c) for energy, c in sorted(coefficients.items()) if c)


def difference(upper: int, lower: int) -> EnergyForm:
    """Energy `upper` minus energy `lower`; zero if they are one and the same."""
    return energy_form({upper: 1, lower: -1}) if upper != lower else ()


def added(*forms: Iterable[tuple[_Name, int]]) -> tuple[tuple[_Name, int], ...]:
    """The sum of linear forms, canonical or not."""
    total: dict[_Name, int] = {}
    for energy, c in chain.from_iterable(forms):
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


class EnvironmentTerm(NamedTuple):
    """One term of an average.

    Attributes
    ----------
    coefficient
        An integer; signs of left and right action are not included.
    weights
        `Weight`s, or factors of the times.
    frequencies
        omega_j of each action, in the order in which the actions were given; () if all are 0.
    label
        The energy that the environment has after the block; the label before it if the rule's
        environment does not change.
    """

    coefficient: int
    weights: tuple[Any, ...]
    frequencies: tuple[EnergyForm, ...] = ()
    label: int = 0


Points = Iterator[tuple[tuple[complex, ...], complex]]
"""Values of a weight's energies with the amplitude there."""


class ContractionRule(ABC):
    """What clusters of bath operators are worth.

    Attributes
    ----------
    whole
        True: a cluster is one whole average between two projectors.  False: it is a cumulant; an
        average is the sum over all ways to divide its operators into clusters, and the environment
        does not notice the system.
    """

    whole: ClassVar[bool] = True

    def sizes(self, order: int) -> tuple[int, ...]:
        """How many operators a cluster may have: an even number, if the rule does not say else."""
        return tuple(range(2, order + 1, 2))

    def possible(self, operators: tuple[int, ...]) -> bool:
        """Whether operators can have a nonzero average at all, whatever their times and sides."""
        return True

    @abstractmethod
    def contract(
        self, actions: Sequence[Action], label: int, fresh: int
    ) -> Iterator[EnvironmentTerm]:
        """Terms of one cluster, whose actions are given in the order of application.

        Parameters
        ----------
        actions
            Their times increase towards the present.
        label
            The energy of the environment before the block.
        fresh
            The first number that may be used for a new energy.
        """

    def points(self, weight: str) -> Points:
        """Numbers: the values of the energies at which a spectral weight sits, with amplitudes.

        Energies with a negative imaginary part decay.

        Raises
        ------
        NotImplementedError
            If a rule has terms only.
        """
        raise NotImplementedError(f"{type(self).__name__} has no numbers: write its `points`")

    @classmethod
    def read(cls, entries: Mapping[str, Any], beta: float | None, place: Place) -> Self:
        """The rule of a bath's table in a model file.

        Parameters
        ----------
        entries
            Without statistics, temperature and beta.
        beta
            From these; None if neither is given.
        place
            Of the table, for messages.

        Raises
        ------
        InputError
            Naming file and key.
        """
        raise NotImplementedError(f"{cls.__name__} has no place in model files: write its `read`")

    def contracted(
        self, actions: Sequence[Action], label: int, fresh: int
    ) -> tuple[EnvironmentTerm, ...]:
        """The terms, checked: one frequency an action, no energy out of nowhere.

        `actions`, `label` and `fresh` as of `contract`.

        Raises
        ------
        ValueError
            Naming the rule and what is wrong with its term.
        """
        terms = tuple(self.contract(actions, label, fresh))
        name = type(self).__name__
        for term in terms:
            if term.frequencies and len(term.frequencies) != len(actions):
                raise ValueError(
                    f"{name}: {len(term.frequencies)} frequencies for {len(actions)} actions; "
                    "give one frequency for each action"
                )
            spectral = (weight for weight in term.weights if isinstance(weight, Weight))
            known = {label} | {energy for weight in spectral for energy in weight.energies}
            used = {energy for form in term.frequencies for energy, _ in form} | {term.label}
            if not used <= known:
                raise ValueError(
                    f"{name}: energies {sorted(used - known)} are used but no weight introduces "
                    "them; list every energy in a weight"
                )
        return terms


class RuleBath(NamedTuple):
    """A bath of a model that is given by its rule."""

    name: str
    rule: ContractionRule

    def named(self, name: str) -> Self:
        """The same bath under a name."""
        return self._replace(name=name)


def around_the_state(actions: Sequence[Action]) -> tuple[int, ...]:
    """Positions of the actions from left to right under the trace, Tr[... rho ...] = Tr[... rho].

    Left actions stand to the left of the state, the last one outermost; right actions to its
    right, the last one outermost, and come first when the trace is cycled.
    """
    left = [k for k, action in enumerate(actions) if not action.right]
    right = [k for k, action in enumerate(actions) if action.right]
    return (*right, *reversed(left))


class Projector(NamedTuple):
    """The relevant part of the total state, as far as the environment goes.

    Attributes
    ----------
    name
        In words.
    resolves_energy
        True: Tr[rho |s'><s| delta(eps - H_B)] is kept, and an average begins at the energy where
        the last one ended.  False: the environment is put back into one fixed state, whose
        label is 0.
    """

    name: str
    resolves_energy: bool


FIXED_STATE = Projector("product with a fixed state of the environment", False)
ENERGY_RESOLVED = Projector("energy of the environment kept", True)
