r"""Heat currents of steady states for baths as exponentials, any number of levels, any even order.

The current that bath b gives is I_b = -d<H_b>/dt.  With the auxiliaries X_j of the hierarchy the
counting field's derivative is d<H_b>/dt = sum_{j of b} nu_j Tr S_b X_j - 2 Im C_b(0) Tr S_b^2 rho,
the last term because i dC/dt acts at t > 0 only and a real C(0) does not contribute.  In the slow
subspace X_j = Y_j rho, and the equation of motion of Y_j turns nu_j Y_j into what the other
members of the hierarchy drive: large exponents, and what their c_j leave of C(0), are gone,

    I_b^(n) = Tr S_b sum_{j of b} { i [H_S, Y_j]_(with w_cd) + sum_l Y_j K^(l)
                                    + i sum_a S_a^x sum_i Y_ij },   orders adding up to n.

The steady state rho = rho^(0) + rho^(2) + ... is that of K_0 + K_2 + ... order by order: the
currents add up to zero at every order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from pertsym.baths.divergence import Divergent
from pertsym.estimate import Estimate
from pertsym.generators.bloch_recursion import SlowSubspace, slow_subspace
from pertsym.generators.long_times import divergent_elements
from pertsym.generators.representation import BAND, Progress, correlations_of, represented, twice
from pertsym.generators.second_order import Term
from pertsym.generators.steady import next_order, steady_state
from pertsym.generators.system import Array, Correlated, System, as_matrix, single_threaded
from pertsym.model.errors import InputError
from pertsym.model.values import Model

_DOUBT = 8.0  # how much of the change by a coarser representation is believed to be left
_ROUNDING = 64 * float(np.finfo(float).eps)
_TOLERANCE = 1e-10


@single_threaded
def heat_currents(
    model: Model, order: int, progress: Progress = lambda _: None
) -> Mapping[str, Mapping[int, Estimate]]:
    """What each bath gives per unit time in the steady state, order by order in the coupling.

    Parameters
    ----------
    model
        Gaussian baths of any temperatures, uncorrelated.
    order
        2, 4, ...: the highest order; needs the generator to the same order.
    progress
        Called with what is computed next.

    Returns
    -------
    bath -> order -> I_b in units of energy^2 (hbar = 1), with an estimate of its error

    Raises
    ------
    ValueError
        If the order is not a positive even integer.
    InputError
        If there is no unique steady state, or a bath is classical noise, which has no energy, or
        correlated with another.
    Divergent
        If an element of the generator or of a current that the steady state needs does not exist.
    NotYetDerivable
        If no exponentials can stand for a bath, or they are too many for the order.
    """
    if order < 2 or order % 2:
        raise ValueError(f"order: must be a positive even integer, got {order}")
    classical = [bath.name for bath in model.used_baths if bath.statistics == "classical"]
    classical += [bath.name for bath in model.used_markov]
    if classical or model.cross:
        what = f"{classical[0]} is noise without energy" if classical else "correlated baths"
        raise InputError(
            model.name, "heat_current", what, "let all baths be quantum baths without [[cross]]"
        )
    progress("exponential representation of the baths")
    baths = represented(model, _TOLERANCE, BAND)
    fine, coarse = twice(slow_subspace, model, baths, order, progress, nodes=1)
    _require_existence(model, fine, order)
    found = currents_of(fine, order)
    rough = found if coarse is fine else currents_of(coarse, order)
    result = {}
    for name, (values, sizes) in found.items():
        result[name] = MappingProxyType(
            {
                n: Estimate(
                    value,
                    _DOUBT * baths.doubt * abs(value - rough[name][0][n])
                    + (baths.error * n + _ROUNDING) * sizes[n],
                )
                for n, value in values.items()
            }
        )
    return MappingProxyType(result)


def _require_existence(model: Model, slow: SlowSubspace, order: int) -> None:
    """Refuse elements that diverge where the steady state has something for them to act on."""
    system = slow.hierarchy.system
    count = system.dimension**2
    states = steady_orders(slow, order)
    oscillating = np.flatnonzero(system.gaps.reshape(-1))

    def rows(system: System, baths: Sequence[Correlated], n: int) -> Array:
        found = slow_subspace(system, baths, n)
        flows = [flow_rows(found, name, n)[n] for name in found.hierarchy.by_later]
        return np.vstack([found.generators[n], *flows])

    for n in range(4, order + 1, 2):
        present = np.zeros(count, dtype=bool)
        for m in range(0, order - n + 1, 2):
            state = np.abs(states[m].reshape(-1))
            present |= state > _ROUNDING * state.max()
        for (row, column), why in divergent_elements(
            system, correlations_of(model), n, rows
        ).items():
            if present[column] and not (n == order and row in oscillating):
                raise Divergent(why, n, "heat_current")


def currents_of(
    slow: SlowSubspace, order: int
) -> Mapping[str, tuple[Mapping[int, float], Mapping[int, float]]]:
    """I_b order by order, and by how much its terms may cancel."""
    states = steady_orders(slow, order)
    found = {}
    for name in slow.hierarchy.by_later:
        rows = flow_rows(slow, name, order)
        values, sizes = {}, {}
        for n in rows:
            parts = [(rows[k], states[n - k].reshape(-1)) for k in range(2, n + 1, 2)]
            values[n] = float(sum((row @ state).real for row, state in parts))
            sizes[n] = float(sum(np.abs(row) @ np.abs(state) for row, state in parts))
        found[name] = values, sizes
    return found


def flow_rows(slow: SlowSubspace, bath: str, order: int) -> dict[int, Array]:
    """J_b of orders 2, 4, ...: the current is J_b vec(rho), shape (N^2,)."""
    hierarchy = slow.hierarchy
    system = hierarchy.system
    members = hierarchy.by_later[bath]
    observable = hierarchy.operator(bath).T.reshape(-1)  # Tr S Y = vec(S^T) . vec(Y)
    gaps = system.gaps
    free = 1j * (gaps[:, :, None, None] - gaps[None, None, :, :])
    rows: dict[int, Array] = {}
    for n in range(2, order + 1, 2):
        first = slow.slaved[1, n - 1]
        total = as_matrix(free * first[members].sum(axis=0))
        for lower, generator in slow.generators.items():
            if (earlier := slow.slaved.get((1, n - 1 - lower))) is not None:
                total = total + as_matrix(earlier[members].sum(axis=0)) @ generator
        if (second := slow.slaved.get((2, n - 2))) is not None:
            driving = hierarchy.from_above(1, second)[members].sum(axis=0)
            total = total - as_matrix(driving)
        rows[n] = observable @ total
    return rows


def steady_orders(slow: SlowSubspace, order: int) -> dict[int, Array]:
    """rho^(0), rho^(2), ... up to two below an order; levels that coincide exactly stay together.

    Raises
    ------
    InputError
        If K_2 does not fix rho^(0), or the traceless rest.
    """
    system = slow.hierarchy.system
    size = system.dimension
    k = slow.generators
    gaps = system.gaps.reshape(-1)
    kept, fast = np.flatnonzero(gaps == 0), np.flatnonzero(gaps)
    embedded = np.zeros((size**2, size**2), dtype=complex)
    embedded[np.ix_(kept, kept)] = k[2][np.ix_(kept, kept)]
    embedded[fast, fast] = -1.0  # whatever oscillates is not in rho^(0)
    zero = np.zeros(embedded.shape)
    terms = {n: Term(generator, zero, {}) for n, generator in k.items()}
    states = [(steady_state(embedded).reshape(-1), zero[0])]
    for _ in range(2, order - 1, 2):
        states.append(next_order("generator", system.gaps, terms, states))
    return {2 * m: state.reshape(size, size) for m, (state, _) in enumerate(states)}
