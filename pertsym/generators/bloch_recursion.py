"""The long-time generator of any even order, by recursion on the slow invariant subspace.

For t -> infinity the auxiliaries follow the state, X_m = Y_m rho with drho/dt = K rho, and the
hierarchy becomes an equation for Y_m and K = L_0 - i sum_a S_a^x sum_{j of a} Y_j.  In powers of
the coupling its element (ab <- cd) is

    (sum nu + i w_ab - i w_cd) Y_m^(k) = from above(Y^(k-1)) + from below(Y^(k-1))
                                         - sum_{l >= 2} Y_m^(k-l) K^(l),

an explicit recursion: Re nu > 0 keeps every denominator away from 0, so degenerate levels and
resonances need no care.  (Bloch's perturbation theory of an effective operator; the result is
the ordered-cumulant generator, because both are the unique closed equation for rho order by
order.)
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from pertsym.generators.hierarchy import Hierarchy, Place
from pertsym.generators.jumps import hierarchy_of
from pertsym.generators.system import Array, Correlated, System, modes_of


@dataclass(frozen=True, eq=False)
class SlowSubspace:
    """The auxiliaries and the generator for t -> infinity, order by order.

    Attributes
    ----------
    hierarchy
    generators
        Order 2, 4, ... -> N^2 x N^2 array over row-major vec, Schroedinger picture.
    slaved
        (level, order) -> Y, shape (multisets, N, N, N, N).
    """

    hierarchy: Hierarchy
    generators: Mapping[int, Array]
    slaved: Mapping[Place, Array]


def slow_subspace(
    system: System,
    correlations: Sequence[Correlated],
    order: int,
    precision: type = np.complex128,
) -> SlowSubspace:
    """K_2, K_4, ... K_order for t -> infinity, each the contribution of its order.

    Parameters
    ----------
    system
        N levels and the operators of its couplings.
    correlations
        The correlation function of every bath, or pair of couplings, that acts.
    order
        Even, at least 2; any positive one for noise that has odd moments, which has odd orders.
    precision
        numpy.complex128, or numpy.clongdouble for some three more digits at ten times the cost.

    Raises
    ------
    ValueError
        If `order` is not a positive integer, or odd where no odd orders exist.
    """
    return recursion(hierarchy_of(system, modes_of(correlations), order // 2, precision), order)


def recursion(hierarchy: Hierarchy, order: int) -> SlowSubspace:
    """The recursion of a hierarchy (ValueError as `slow_subspace`)."""
    if order < 1 or (order % 2 and 1 not in hierarchy.first()):
        raise ValueError(f"order: must be a positive even integer, got {order}")
    denominators = functools.cache(hierarchy.denominators)
    generators, slaved = hierarchy.marched(
        order, lambda place, members, source: source / denominators(place[0])[members]
    )
    return SlowSubspace(hierarchy, MappingProxyType(generators), MappingProxyType(slaved))
