"""Averages over a chain of states: classical noise that jumps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pertsym.environments.rule import Action, EnvironmentTerm, Weight, energy_form
from pertsym.model.errors import NotYetDerivable


@dataclass(frozen=True)
class MarkovChain:
    """One term for any number of operators: the product of the chain's propagators.

    Whether an operator acts from the left or the right, and in which order, does not matter: the
    noise is a number.  With the times sorted, t_1 > t_2 > ... > t_n,

        <xi(t_1) ... xi(t_n)> = 1^T xi e^{W (t_1 - t_2)} xi ... xi pi
                              = int dw_1 ... M_n(w_1, ..., w_{n-1}) e^{-i sum_k w_k (t_k - t_{k+1})}

    is one weight `Weight(name + "n", (w_1, ..., w_{n-1}))`.  In eigenmodes of W, e^{W t} = sum_r
    P_r e^{-nu_r t}, it is a sum of products 1^T xi P_r xi P_s ... pi, and where only t > 0 counts
    every w_k stands for -i nu_r.  The label stays.

    Attributes
    ----------
    name
        Of the chain, the beginning of its weights' names.
    symmetric
        Whether odd averages vanish.  Otherwise products of them are missing from order 6 on,
        since the expansion's blocks are of even size.
    """

    name: str = "M"
    symmetric: bool = True

    def contract(
        self, actions: Sequence[Action], label: int, fresh: int
    ) -> Iterator[EnvironmentTerm]:
        """The term of the average; none for one operator alone, since the noise is centred.

        Raises
        ------
        NotYetDerivable
            Beyond order 4 if there are odd averages.
        """
        count = len(actions)
        if count < 2:
            return
        if count > 4 and not self.symmetric:
            raise NotYetDerivable(
                "Markov chain",
                "order",
                "products of odd averages are not expanded",
                "ask for order 4 at most, or for numbers (`pertsym.tcl_generator`)",
            )
        later = sorted(range(count), key=lambda k: actions[k].time)  # 0 is the latest
        energies = tuple(range(fresh, fresh + count - 1))
        forms = [energy_form({})] * count
        for place, k in enumerate(later):
            after = {energies[place]: -1} if place < count - 1 else {}
            before = {energies[place - 1]: 1} if place else {}
            forms[k] = energy_form(after | before)
        weight = Weight(f"{self.name}{count}", energies)
        yield EnvironmentTerm(1, (weight,), tuple(forms), label)
