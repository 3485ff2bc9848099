"""The error that a representation of the baths leaves in a generator, element by element.

It is some times the change that a coarser representation makes: an estimate of the coarser one's
error, which is larger than that of the finer one.  In a single element it may vanish by accident,
because the errors of G oscillate with the frequency.  So no element is believed to change less than
a quarter of all do, relative to

    W_n = V^n,  V rho = s rho + rho s,  s = sum_a sqrt(g_a) |S_a|,

what an element of its order can be by the operators alone: every word of n operators left and
right of the state is in W_n.  g_a is the largest |G_a| at a Bohr frequency.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from pertsym.generators.representation import Represented
from pertsym.generators.system import Array, Correlated, System

_QUARTER = 0.25
_SAFETY, _SLOW = 2.5, 8.0
"""Factors of the change: the second where a slow tail is cut off where |G| does not feel it."""


def spread_error(
    system: System,
    baths: Represented,
    order: int,
    value: Array,
    coarse: Array,
    rounding: Array | float,
    divergent: Mapping[tuple[int, int], str] | None = None,
    tails: bool = True,
) -> Array:
    """The estimated error of each element, (N^2, N^2).

    Parameters
    ----------
    system, baths
        For the operators and the sizes of the baths.
    order
    value, coarse
        The generator of this order with the fine and the coarse exponentials.
    rounding
        Of each element.
    divergent
        Elements that do not exist, whose errors say nothing.
    tails
        Whether C(t) of a bath decays by a power.
    """
    sizes = _by_operators(system, baths.fine, order)
    changed: Array = (_SLOW if tails else _SAFETY) * np.abs(value - coarse)
    if baths.fine == baths.coarse:  # the same, and still not exact
        changed = np.abs(value) * (baths.error * order / 2)
    changed = changed * baths.doubt
    # where no word of operators leads, both are exactly 0
    present = (value != 0) | (coarse != 0)
    typical = present & (sizes > 0)
    for place in divergent or ():
        typical[place] = False
    if np.any(typical):
        quotient = float(np.quantile(changed[typical] / sizes[typical], _QUARTER))
        changed = np.maximum(changed, quotient * sizes)
    error: Array = np.where(present, changed + rounding, 0.0)
    return error


def _by_operators(system: System, correlations: Sequence[Correlated], order: int) -> Array:
    """W of an order, N^2 x N^2."""
    frequencies = np.unique(system.gaps)
    strengths = dict.fromkeys(system.operators, 0.0)
    for pair in correlations:
        c, nu = np.array(pair.exponentials.c), np.array(pair.exponentials.nu)
        values = (c / (nu + 1j * frequencies[:, None])).sum(axis=1)
        size = float(np.abs(values).max())
        for name in (pair.later, pair.earlier):
            strengths[name] = max(strengths[name], size)
    one = np.zeros(system.gaps.shape)
    for name, strength in strengths.items():
        one += math.sqrt(strength) * np.abs(system.operators[name])
    powers = [np.eye(len(one))]
    for _ in range(order):
        powers.append(powers[-1] @ one)
    result: Array = np.zeros((len(one) ** 2,) * 2)
    for k in range(order + 1):
        result += math.comb(order, k) * np.kron(powers[k], powers[order - k].T)
    return result
