"""Random-matrix environments at leading order in 1/N: non-crossing pairings of a closed path.

In the eigenbasis of H_B the coupling operator has independent Gaussian elements of variance
F(eps, eps').  Bath operators around the state form a closed path through the energies: left
actions in the order of application, then right actions from the last to the first.  A pairing of
the points of the path counts only if it does not cross; others cost a factor 1/N.  Its arcs divide
the path into faces, each with one energy of its own: an arc between the faces e (inside) and e'
(outside) is worth n(e) F(e, e').  The second pairing of a real symmetric matrix is again smaller
by 1/N.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pertsym.expansion.pairings import Pairing, pairings
from pertsym.expansion.rule import (
    Action,
    ContractionRule,
    EnergyForm,
    EnvironmentTerm,
    Weight,
    difference,
)


@dataclass(frozen=True)
class NonCrossing(ContractionRule):
    """The leading order in 1/N; the weight of a pair is `Weight(name, (inside, outside))`."""

    name: str = "nF"

    def contract(
        self, actions: Sequence[Action], label: int, fresh: int
    ) -> Iterator[EnvironmentTerm]:
        """Terms of the average; the label after it is the energy of the outermost face."""
        if len(actions) % 2:
            return
        left = [k for k, action in enumerate(actions) if not action.right]
        right = [k for k, action in enumerate(actions) if action.right]
        path = (*left, *reversed(right))
        for pairing in pairings(len(path)):
            if not _is_non_crossing(pairing):
                continue
            faces, weights = self._faces(pairing, label, fresh)
            frequencies: list[EnergyForm] = [()] * len(actions)
            for place, action in enumerate(path):
                before, after = faces[place], faces[place + 1]
                # <after|B(t)|before> = B e^{i(after - before)t}; from the right the path runs
                # against the order of application, but the matrix element is the same one
                frequencies[action] = difference(after, before)
            yield EnvironmentTerm(1, weights, tuple(frequencies), faces[len(left)])

    def _faces(
        self, pairing: Pairing, label: int, fresh: int
    ) -> tuple[tuple[int, ...], tuple[Weight, ...]]:
        """Energies of the stretches of the path, the label first and last; weights of the arcs."""
        opening = {i: fresh + number for number, (i, _) in enumerate(pairing)}
        faces, stack, weights = [label], [label], []
        for place in range(2 * len(pairing)):
            if place in opening:
                weights.append(Weight(self.name, (opening[place], stack[-1])))
                stack.append(opening[place])
            else:
                stack.pop()
            faces.append(stack[-1])
        return tuple(faces), tuple(weights)


def _is_non_crossing(pairing: Pairing) -> bool:
    return not any(i < k < j < m for i, j in pairing for k, m in pairing)
