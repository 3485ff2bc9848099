"""Contraction rule of independent spins: Wick's pairings and the fourth cumulant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pertsym.environments.rule import Action, EnergyForm, EnvironmentTerm, Weight, energy_form
from pertsym.environments.wick import Wick, around_the_state
from pertsym.model.errors import NotYetDerivable
from pertsym.spins.moments import Phase, fourth_cumulant


def cumulant_weight(phase: Phase) -> str:
    """Name of the weight sum_i g_i^4 c_k delta(w - wt_i) of one exponential of the cumulant."""
    return "kappa[" + ",".join(f"{k:+d}" if k else "0" for k in phase) + "]"


@dataclass(frozen=True)
class IndependentSpins:
    """B = sum_i g_i (sigma_z^(i) - <sigma_z^(i)>) of spins that do not see each other.

    Pairs carry Ĉ(w)/2pi under `correlation`, as in Wick's rule; the fourth cumulant is a sum of
    exponentials exp(i w sum_j k_j t_j), each with the weight `cumulant_weight(k)` over the
    splitting w.  A cumulant adds to the pairings, since different spins are independent.

    Attributes
    ----------
    correlation
        Name of <B(t) B(0)>.
    """

    correlation: str = "B"

    def contract(
        self, actions: Sequence[Action], label: int, fresh: int
    ) -> Iterator[EnvironmentTerm]:
        """Terms of the average of up to five operators.

        Raises
        ------
        NotYetDerivable
            For six and more, which need the sixth cumulant, and for odd numbers.
        """
        if len(actions) > 5:
            raise NotYetDerivable(
                "spin bath",
                "order",
                f"the average of {len(actions)} operators needs cumulants beyond the fourth",
                "ask for order 4 at most",
            )
        if len(actions) % 2:
            # odd cumulants vanish for unbiased spins only
            if len(actions) > 1:
                raise NotYetDerivable(
                    "spin bath",
                    "order",
                    f"the average of {len(actions)} operators needs odd cumulants",
                    "ask for an even order",
                )
            return
        yield from Wick({(0, 0): self.correlation}).contract(actions, label, fresh)
        if len(actions) != 4:
            return
        loop = around_the_state(actions)
        for phase in fourth_cumulant().terms:
            frequencies: list[EnergyForm] = [()] * 4
            for position, k in zip(loop, phase, strict=True):
                frequencies[position] = energy_form({fresh: k})
            weight = Weight(cumulant_weight(phase), (fresh,))
            yield EnvironmentTerm(1, (weight,), tuple(frequencies), label)
