"""Averages over a chain of states: classical noise that jumps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from pertsym.expansion.rule import (
    Action,
    ContractionRule,
    EnvironmentTerm,
    Points,
    Weight,
    energy_form,
)
from pertsym.model.markov import MarkovNoise


@dataclass(frozen=True)
class MarkovChain(ContractionRule):
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
        Whether odd averages vanish.
    noise
        States and rates, for numbers: with the mean taken out and a W that has all eigenvectors.
    """

    name: str = "M"
    symmetric: bool = True
    noise: MarkovNoise | None = None

    @classmethod
    def of(cls, noise: MarkovNoise) -> MarkovChain:
        """The rule of a chain that has numbers."""
        return cls(symmetric=noise.symmetric, noise=noise)

    def sizes(self, order: int) -> tuple[int, ...]:
        """Any number of operators but one, since the noise is centred."""
        return tuple(range(2, order + 1, 2 if self.symmetric else 1))

    def contract(
        self, actions: Sequence[Action], label: int, fresh: int
    ) -> Iterator[EnvironmentTerm]:
        """The term of the average."""
        count = len(actions)
        later = sorted(range(count), key=lambda k: actions[k].time)  # 0 is the latest
        energies = tuple(range(fresh, fresh + count - 1))
        forms = [energy_form({})] * count
        for place, k in enumerate(later):
            after = {energies[place]: -1} if place < count - 1 else {}
            before = {energies[place - 1]: 1} if place else {}
            forms[k] = energy_form(after | before)
        weight = Weight(f"{self.name}{count}", energies)
        yield EnvironmentTerm(1, (weight,), tuple(forms), label)

    def points(self, weight: str) -> Points:
        """Paths through the eigenmodes of W, each at the energies -i nu_r of its intervals.

        Raises
        ------
        NotImplementedError
            Without a chain.
        """
        if self.noise is None:
            yield from super().points(weight)
            return
        noise = self.noise
        pi = np.array([float(p) for p in noise.stationary])
        xi = np.array([float(x - noise.mean) for x in noise.values])
        w = np.array([[float(x) for x in row] for row in noise.generator])
        rates, modes = np.linalg.eig(w)
        inverse = np.linalg.inv(modes)
        rates[np.argmin(np.abs(rates))] = 0  # of the stationary distribution
        first, between, last = xi @ modes, inverse @ (xi[:, None] * modes), inverse @ (xi * pi)
        for path in product(range(len(xi)), repeat=int(weight.removeprefix(self.name)) - 1):
            steps = [between[r, s] for r, s in pairwise(path)]
            amplitude = complex(first[path[0]] * np.prod(steps) * last[path[-1]])
            yield tuple(complex(1j * rates[r]) for r in path), amplitude
