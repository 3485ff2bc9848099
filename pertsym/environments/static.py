"""Static disorder: noise that stays as it is during a run and is drawn anew for each one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pertsym.expansion.rule import Action, ContractionRule, EnvironmentTerm, Points, Weight
from pertsym.model.errors import InputError
from pertsym.model.read import Place, check_keys, reals, table


@dataclass(frozen=True)
class StaticDisorder(ContractionRule):
    """x S in H, where x is one of some values with probabilities proportional to the weights.

    The average of any n operators, on either side and at any times, is <x^n>: the weight
    `Weight("xn", ())`, without energies.  A mean of x is a first order.
    """

    values: tuple[float, ...]
    weights: tuple[float, ...]

    def sizes(self, order: int) -> tuple[int, ...]:
        """Any number of operators."""
        return tuple(range(1, order + 1))

    def contract(
        self, actions: Sequence[Action], label: int, fresh: int
    ) -> Iterator[EnvironmentTerm]:
        """<x^n>."""
        yield EnvironmentTerm(1, (Weight(f"x{len(actions)}", ()),), (), label)

    def points(self, weight: str) -> Points:
        """<x^n> in numbers."""
        power = int(weight.removeprefix("x"))
        terms = (p * x**power for x, p in zip(self.values, self.weights, strict=True))
        yield (), math.fsum(terms) / math.fsum(self.weights)

    @classmethod
    def read(
        cls, entries: Mapping[str, object], beta: float | None, place: Place
    ) -> StaticDisorder:
        """The table of a bath with statistics = "static": values, and weights unless equal."""
        check_keys(entries, ("values", "weights"), place)
        table(entries, place, required=("values",))
        values = reals(entries["values"], place.field("values"))
        weights = reals(entries.get("weights", [1.0] * len(values)), place.field("weights"))
        if len(weights) != len(values) or not min(weights, default=0) > 0:
            raise InputError(
                place.source,
                f"{place.key}.weights",
                "must be one positive number for each value",
                "give as many weights as values, or leave them out",
            )
        return cls(values, weights)
