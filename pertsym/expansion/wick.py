"""Wick's theorem, the rule of Gaussian environments, boson or classical: clusters are pairs.

A pair is <B_a(t) B_b(t')> in the order around the state, a function of the difference of its times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pertsym.expansion.interaction import Interaction
from pertsym.expansion.rule import Action, ContractionRule, EnvironmentTerm
from pertsym.expansion.terms import Factor


@dataclass(frozen=True)
class Wick(ContractionRule):
    """Pairs C_ab(t - t'), conjugated where the earlier end acts from the right.

    Attributes
    ----------
    interaction
        Names the correlation functions; a missing pair is uncorrelated.
    counted
        Names of those that take the place of others where one end acts from the left and the other
        from the right: a counting field of the bath's energy.
    """

    interaction: Interaction
    counted: Mapping[str, str] = field(default_factory=dict)
    whole = False

    def sizes(self, order: int) -> tuple[int, ...]:
        """Pairs."""
        return (2,)

    @cached_property
    def _connected(self) -> Mapping[int, int]:
        """Operator -> the least one that correlations connect it with."""
        least = {a: a for a in range(len(self.interaction.operators))}
        for _ in least:
            for a, b in self.interaction.correlations:
                least[a] = least[b] = min(least[a], least[b])
        return least

    def possible(self, operators: tuple[int, ...]) -> bool:
        """An even number of operators that are correlated with each other."""
        counts = Counter(self._connected[a] for a in operators)
        return not any(n % 2 for n in counts.values())

    def contract(
        self, actions: Sequence[Action], label: int, fresh: int
    ) -> Iterator[EnvironmentTerm]:
        """<B_a(t) B_b(0)> or, conjugated, <B_b(0) B_a(t)> = <B_a^+(t) B_b^+(0)>*."""
        earlier, later = actions
        a, b = later.operator, earlier.operator
        if earlier.right:
            a, b = self.interaction.adjoint[a], self.interaction.adjoint[b]
        name = self.interaction.correlations.get((a, b))
        if name is None:
            return
        conjugate = earlier.right and name not in self.interaction.real
        if earlier.right != later.right:
            name = self.counted.get(name, name)
        factor = Factor(later.time + 1, earlier.time, name, conjugate)
        yield EnvironmentTerm(1, (factor,), (), label)
