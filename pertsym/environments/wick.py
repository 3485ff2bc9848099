"""Wick's theorem: Gaussian environments, boson or classical."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pertsym.environments.rule import Action, EnergyForm, EnvironmentTerm, Weight, added
from pertsym.expansion.pairings import pairings


@dataclass(frozen=True)
class Wick:
    """All pairings; a pair is <B_a(t_i) B_b(t_j)> in the order around the state.

    The weight of a pair is `Weight(name, (w,))`, standing for Ĉ(w)/2pi, since
    C(t) = int dw Ĉ(w)/2pi e^{-iwt}.  The environment does not notice the system: the label stays.

    Attributes
    ----------
    correlations
        (a, b) -> name of <B_a(t) B_b(0)>; a missing pair is uncorrelated.
    """

    correlations: Mapping[tuple[int, int], str]

    def contract(
        self, actions: Sequence[Action], label: int, fresh: int
    ) -> Iterator[EnvironmentTerm]:
        """Terms of the average; none for an odd one."""
        if len(actions) % 2:
            return
        loop = around_the_state(actions)
        for pairing in pairings(len(loop)):
            weights: list[Weight] = []
            frequencies: list[EnergyForm] = [()] * len(actions)
            for number, (i, j) in enumerate(pairing):
                first, second = loop[i], loop[j]  # `first` stands to the left under the trace
                name = self.correlations.get((actions[first].operator, actions[second].operator))
                if name is None:
                    break
                energy = fresh + number
                weights.append(Weight(name, (energy,)))
                frequencies[first] = added(frequencies[first], ((energy, -1),))
                frequencies[second] = added(frequencies[second], ((energy, 1),))
            else:
                yield EnvironmentTerm(1, tuple(weights), tuple(frequencies), label)


def around_the_state(actions: Sequence[Action]) -> tuple[int, ...]:
    """Positions of the actions from left to right under the trace, Tr[... rho ...] = Tr[... rho].

    Left actions stand to the left of the state, the last one outermost; right actions to its
    right, the last one outermost, and come first when the trace is cycled.
    """
    left = [k for k, action in enumerate(actions) if not action.right]
    right = [k for k, action in enumerate(actions) if action.right]
    return (*right, *reversed(left))
