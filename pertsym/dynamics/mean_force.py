"""The mean-force Gibbs state Tr_B exp(-beta H)/Z order by order in the coupling.

exp(-beta H) is expanded in imaginary time.  At second order, with f(x) = e^{-beta x}/Z_S and its
divided difference f[x, y, z], the term before normalisation is

    r2_nm = sum_a sum_k S_a,nk S_a,km (1/2pi) int dw Ĉ_a(w) f[E_n, E_k + w, E_m];

the KMS relation e^{-beta w} Ĉ(w) = Ĉ(-w) turns it into values of h_a(w) = Im G_a(w) alone:

    r2_nm = sum_a sum_k S_a,nk S_a,km { [p_n h(D_nk) - p_m h(D_mk)]
                                        + p_k [h(D_kn) - h(D_km)] }/(E_n - E_m),  D_nm = E_n - E_m,

the limit being understood where energies coincide.  The state is p + (r2 - p Tr r2) + ...: the
truncated series, not exponentiated again.  The fourth order comes from quadrature over imaginary
time, or from the ground state at T = 0; higher ones are what the time-convolutionless generator
leaves unchanged, by the steady-state theorem.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.jets import EPS
from pertsym.dynamics.half_sided import Channel, HalfSided, channels
from pertsym.dynamics.imaginary_modes import modes_of
from pertsym.dynamics.imaginary_time import Expansion, fourth_order, ground_state, normalised
from pertsym.dynamics.levels import bohr_frequencies, boltzmann, common_temperature, merged
from pertsym.estimate import Estimate
from pertsym.generators.steady import next_order, require_connected
from pertsym.generators.system import single_threaded
from pertsym.generators.tcl import tcl_generator
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.values import AnyModel, Model, numeric
from pertsym.numerics.bounded import Bounded

Matrix = NDArray[np.complex128]

_POINTS_AT_ZERO: Final = (14, 20)  # of the Gauss rules on panels whose ends have the ratio 4


@dataclass(frozen=True)
class State:
    """A state and how well its elements are known.

    Attributes
    ----------
    matrix : ndarray of shape (N, N)
        Hermitian, unit trace; a truncated series need not be positive.
    error : float
        Estimate of the largest absolute error of an element.
    """

    matrix: Matrix
    error: float


def mean_force(model: AnyModel, order: int) -> State:
    """The mean-force Gibbs state up to an order, in the energy eigenbasis.

    Parameters
    ----------
    model
        Any number of levels and baths, all quantum baths at one temperature.
    order
        0 (the Gibbs state of H_S), 2, 4, or a higher even one.

    Returns
    -------
    State
        All corrections are traceless.  At order 2 the error is a bound, at order 4 an estimate
        from successive refinements of the quadrature, beyond it what the errors of the generators
        leave, which are estimates too.

    Raises
    ------
    InputError
        If the baths have no common temperature; at T = 0 with a degenerate ground level, where
        the expansion does not exist.
    NotYetDerivable
        For an odd order; beyond the fourth, if the generator two orders above is out of reach or
        the rates of second order do not connect all levels.
    Divergent
        If Im G or its derivative does not exist at a transition frequency.
    """
    model = numeric(model)
    if order < 0 or order % 2:
        raise NotYetDerivable(
            model.name,
            "order",
            f"the mean-force state has even orders 0, 2, 4, ..., not {order}",
            "ask for one of these",
        )
    parts = _orders(model, min(order, 4))
    if order > 4:
        parts += _beyond(model, order, parts)
    matrix = sum((part.matrix for part in parts[1:]), parts[0].matrix)
    return State(matrix, sum(part.error for part in parts))


def _orders(model: Model, order: int) -> list[State]:
    """The contributions of order 0, 2, ..., at most 4."""
    beta = common_temperature(model)
    energies, baths = merged(model.energies), channels(model)
    error = EPS * (1.0 if math.isinf(beta) else 1 + beta * float(np.ptp(energies)))
    parts = [State(np.diag(boltzmann(energies, beta)).astype(np.complex128), error)]
    if order > 0 and math.isinf(beta):
        _check_zero_temperature(model.name, energies)
    if order >= 2:
        second = second_order(energies, baths, beta)
        parts.append(State(second.value, float(np.max(second.error))))
    if order == 4:
        expansion = _fourth_order(energies, baths, beta)
        # the two routes to second order share nothing but Ĉ: their distance is a check of both
        off = float(np.max(np.abs(expansion.second - second.value)))
        parts.append(State(expansion.fourth, expansion.error + off))
    return parts


@single_threaded
def _beyond(model: Model, order: int, lower: Sequence[State]) -> list[State]:
    """The contributions of order 6, 8, ..., from generators up to two orders above."""
    energies = merged(model.energies)
    frequencies = bohr_frequencies(energies)
    require_connected(model.name, frequencies, tcl_generator(model, 2).orders[2])
    terms = tcl_generator(model, order + 2).orders
    known = [(part.matrix.reshape(-1), np.full(part.matrix.size, part.error)) for part in lower]
    # the same step at fourth order, where the state is known, measures the generators
    fourth, _ = next_order(model.name, frequencies, terms, known[:2])
    off = float(np.max(np.abs(fourth - known[2][0])))
    result = []
    for _ in range(6, order + 1, 2):
        value, error = next_order(model.name, frequencies, terms, known)
        known.append((value, error))
        matrix = value.reshape(len(energies), -1)
        matrix = (matrix + matrix.conj().T) / 2
        result.append(State(matrix, float(np.max(error)) + off))
    return result


def _fourth_order(energies: Sequence[float], baths: Sequence[Channel], beta: float) -> Expansion:
    operators = tuple(bath.operator for bath in baths)
    correlations = [bath.transform.correlation for bath in baths]
    if not math.isinf(beta):
        return fourth_order(energies, operators, [modes_of(c, beta) for c in correlations])
    gap = min((e - min(energies) for e in energies if e > min(energies)), default=1.0)
    raw, missed = [], 0.0
    for points in _POINTS_AT_ZERO:
        modes = [modes_of(c, beta, gap, points) for c in correlations]
        missed = max(mode.error for mode in modes)
        raw.append(ground_state(energies, operators, modes))
    coarse, fine = raw
    change = tuple(float(np.max(np.abs(a - b))) for a, b in zip(coarse, fine, strict=True))
    return normalised(boltzmann(energies, beta), fine, (change[0], change[1]), missed)


def _check_zero_temperature(name: str, energies: Sequence[float]) -> None:
    if sum(energy == min(energies) for energy in energies) > 1:
        raise InputError(
            name,
            "temperature",
            "at T = 0 the coupling selects a state inside the degenerate ground level, which no "
            "expansion in its strength gives",
            "lift the degeneracy or give T > 0",
        )


def second_order(energies: Sequence[float], baths: Sequence[Channel], beta: float) -> Estimate:
    """The traceless second-order term and the error bound of each element, both (N, N).

    Energies that are meant to be equal must be equal.
    """
    size = len(energies)
    weights = _Weights.of(energies, beta)
    value: Matrix = np.zeros((size, size), dtype=np.complex128)
    error = np.zeros((size, size))
    for bath in baths:
        s = bath.operator
        for n in range(size):
            for m in range(n, size):
                for k in np.flatnonzero(s[n] * s[:, m]):
                    term = _term(energies, weights, bath.transform, n, int(k), m)
                    value[n, m] += s[n, k] * s[k, m] * term.value
                    error[n, m] += abs(s[n, k] * s[k, m]) * term.error
    upper = np.triu(np.ones((size, size), dtype=bool), 1)
    value = value + np.where(upper, value, 0).conj().T
    error = error + np.where(upper, error, 0).T + 4 * EPS * np.abs(value)
    p = weights.p
    trace = float(np.trace(value).real)
    return Estimate(
        value - trace * np.diag(p), error + np.diag(p) * (float(np.trace(error)) + EPS * abs(trace))
    )


@dataclass(frozen=True)
class _Weights:
    """Gibbs populations p_n and their divided differences, shape (N) and (N, N)."""

    p: NDArray[np.float64]
    slopes: NDArray[np.float64]

    @classmethod
    def of(cls, energies: Sequence[float], beta: float) -> _Weights:
        levels = np.asarray(energies, dtype=float)
        p = boltzmann(energies, beta)
        gaps = levels[:, None] - levels[None, :]
        apart = np.where(gaps == 0, 1.0, gaps)
        if math.isinf(beta):
            # -beta p_n of the ground level drops out on normalisation, elsewhere it is 0
            return cls(p, np.where(gaps == 0, 0.0, (p[:, None] - p[None, :]) / apart))
        # p of the lower level times (e^{-beta |gap|} - 1)/|gap|
        steps = np.where(gaps == 0, -beta, np.expm1(-beta * np.abs(gaps)) / np.abs(apart))
        return cls(p, np.maximum(p[:, None], p[None, :]) * steps)


def _term(
    energies: Sequence[float], weights: _Weights, bath: HalfSided, n: int, k: int, m: int
) -> Estimate:
    """The coefficient of S_nk S_km in r2_nm, as divided differences of p and h."""
    e_n, e_k, e_m = energies[n], energies[k], energies[m]
    parts = [(float(weights.slopes[n, m]), bath.shift(e_m - e_k))]
    if not e_n == e_k == e_m:  # else the two slopes cancel, and need not exist one by one
        parts.append((float(weights.p[n]), bath.shift_slope(e_n - e_k, e_m - e_k)))
        parts.append((-float(weights.p[k]), bath.shift_slope(e_k - e_n, e_k - e_m)))
    return Estimate(
        math.fsum(factor * part.value for factor, part in parts),
        math.fsum(abs(factor) * (part.error + 8 * EPS * abs(part.value)) for factor, part in parts),
    )


@single_threaded
def fourth_constant_of(model: Model) -> Bounded:
    """The contribution of fourth order to p1/p0 in the mean-force state (Laird (99)-(111)).

    By quadrature over imaginary time, or from the ground state at T = 0; any coupling.
    """
    parts = _orders(model, 4)
    (b0, a0), (b2, a2), (b4, a4) = (part.matrix.diagonal().real.tolist() for part in parts)
    constant = a0 / b0
    value = a4 / b0 - a2 * b2 / b0**2 - constant * (b4 / b0 - (b2 / b0) ** 2)
    error = sum((3 - k) * part.error for k, part in enumerate(parts))
    return Bounded(value, error * (1 + constant) * (1 + abs(a2) + abs(b2)) / b0**2)
