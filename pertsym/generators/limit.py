"""The generators for t -> infinity of baths given as exponentials, each order by its cheapest way.

Orders 2 and 4 come from `product_form`, order 6 of many levels or exponents from `sixth_order`,
everything else from `bloch_recursion`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from scipy.special import gammainc

from pertsym.generators.bloch_recursion import slow_subspace
from pertsym.generators.jumps import Jumps
from pertsym.generators.product_form import ProductForm
from pertsym.generators.sixth_order import SixthOrder
from pertsym.generators.system import Array, Correlated, Mode, System, modes_of

_EPS = float(np.finfo(float).eps)
_MANY = 400_000  # numbers on the third level of the hierarchy, from which it is worth avoiding


@dataclass(frozen=True, eq=False)
class Limit:
    """K_2, K_4, ... for t -> infinity, each the contribution of its order.

    Attributes
    ----------
    system, correlations
        What they belong to.
    generators
        Order -> N^2 x N^2 array over row-major vec, Schroedinger picture.
    """

    system: System
    correlations: tuple[Correlated, ...]
    generators: Mapping[int, Array]

    @classmethod
    def of(cls, system: System, correlations: Sequence[Correlated], order: int) -> Limit:
        """All orders up to `order`.

        Raises
        ------
        ValueError
            If `order` is not a positive integer, or odd where no odd orders exist.
        """
        if any(isinstance(each, Jumps) for each in correlations):
            generators = dict(slow_subspace(system, correlations, order).generators)
        elif order in (2, 4):
            product = ProductForm(system, correlations)
            generators = {2: product.second_order()}
            if order == 4:
                generators[4] = product.fourth_order()
        elif order == 6 and _third_level(system, correlations) > _MANY:
            generators = SixthOrder(system, correlations).generators()
        else:
            generators = dict(slow_subspace(system, correlations, order).generators)
        return cls(system, tuple(correlations), MappingProxyType(generators))

    @cached_property
    def modes(self) -> tuple[Mode, ...]:
        """The exponents of C and C*."""
        return modes_of(self.correlations)

    def rounding(self, order: int) -> float:
        """What rounding may leave in an element of K_order, also where its terms cancel."""
        sizes = {n: float(np.abs(k).max(initial=0.0)) for n, k in self.generators.items()}
        return rounding(self.system, self.modes, sizes, order)


def _third_level(system: System, correlations: Sequence[Correlated]) -> int:
    """How many numbers the auxiliaries over three exponents are."""
    return math.comb(len(modes_of(correlations)) + 2, 3) * system.dimension**4


def rounding(
    system: System,
    modes: Sequence[Mode],
    sizes: Mapping[int, float],
    order: int,
    time: float = np.inf,
) -> float:
    """What rounding may leave in an element of K_order at a time, also where its terms cancel.

    By size alone K_2n ~ K_2 g^(n-1) with g = S^2 int_0^t ds s |C(s)|; pure dephasing cancels all
    of it.

    Parameters
    ----------
    sizes
        Order -> the largest element, of order 2 and of `order`.
    """
    largest = {name: float(np.abs(x).max()) for name, x in system.operators.items()}
    strength = sum(
        largest[mode.later]
        * largest[mode.earlier]
        * mode.size
        * float(gammainc(2.0, mode.rate.real * time))
        / mode.rate.real**2
        for mode in modes
    )
    # first order is exact; odd orders lie between their even neighbours
    from_second = sizes.get(2, 0.0) * float(strength ** max(order / 2 - 1, 0.0))
    doubt = max((mode.doubt for mode in modes), default=1.0)
    return 16 * _EPS * doubt * max(from_second, sizes[order])
