"""exp(-beta H) traced over the bath, to fourth order in the coupling, by quadrature.

Tr_B exp(-beta H)/Z_B = e^{-beta H_S} <T exp(-int_0^beta dtau H_I(tau))>; with Wick's theorem for
the bath each order is a sum over pairings, a pair at imaginary times tau > tau' giving
C(-i(tau - tau')).  Read from the left, a fourth-order term is a chain of levels n, i, j, k, m
that last s_0, ..., s_4, sum s = beta, and its two arcs a and b have lengths u and v:

    (12)(34)   S_a S_a S_b S_b   u = s_1,        v = s_3
    (13)(24)   S_a S_b S_a S_b   u = s_1 + s_2,  v = s_2 + s_3
    (14)(23)   S_a S_b S_b S_a   u = s_1+s_2+s_3,  v = s_2

C depends on u and v only and is singular at most where they are 0 or beta, which the ends of a
tanh-sinh rule absorb; the rest is a smooth function of one length s (Gauss) and of s_0 - s_4 (done
exactly).  Nothing divides by a difference of energies, so degenerate levels are no special case.

At T = 0 the mean-force state is Tr_B |Psi><Psi|, Psi = psi_0 + psi_1 + ... of Rayleigh-Schroedinger
perturbation theory on |0> and the vacuum; psi_n holds at most n quanta.  Energies count from E_0.
A unitary of the baths alone, the displacement by -S_00 g/w, leaves the reduced state and turns

    S -> S - S_00,     H_S -> H_S - 2 lam S_00 S + const,     lam = (1/pi) int_0^inf dw J(w)/w,

after which no amplitude has a denominator that is w alone and J ~ w^s with s > 0 suffices.  With
nodes mu of a quadrature over w of every bath and R = -1/(E_n + sum of its w) the amplitudes are

    psi_1,n(mu)    = R S_n0,                    psi_2,n = R {sum_mu c_mu S psi_1(mu) + V}_n0,
    psi_2,n(mu,nu) = R {S_nu psi_1(mu) + S_mu psi_1(nu)}_n,
    psi_3,n(mu)    = R {S_mu psi_2 + sum_nu c_nu S_nu psi_2(mu,nu) + (V - E_2) psi_1(mu)}_n,
    psi_4,n        = R {sum_mu c_mu S_mu psi_3(mu) + (V - E_2) psi_2}_n,

V the shift of H_S above, of second order, and c_mu the weights of C(-i tau) = sum c_mu
e^{-w_mu tau}.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pertsym.dynamics.imaginary_modes import ImaginaryTimeModes
from pertsym.dynamics.levels import boltzmann
from pertsym.read_only import read_only

_Array = NDArray[np.float64]
Matrix = NDArray[np.complex128]

_STEPS: Final = (0.22, 0.15, 0.105, 0.075, 0.053)  # of the tanh-sinh rule, tried in turn
_REACH: Final = 3.4  # its last node is e^{-pi sinh 3.4} = 4e-21 from the end
_GOAL: Final = 2e-10  # relative change at which refining stops; the next would be some 1e-14
_ROUNDING: Final = 1e-14  # relative, of sums of some 1e5 terms
_BLOCK: Final = 400_000  # doubles held at once: they stay in the cache


@dataclass(frozen=True)
class Expansion:
    """Traceless terms of the equilibrium state, each of shape (N, N) and of its order alone.

    `error` estimates the largest absolute error of an element of `fourth`.
    """

    second: Matrix
    fourth: Matrix
    error: float


def fourth_order(
    energies: Sequence[float],
    operators: Sequence[Matrix],
    baths: Sequence[ImaginaryTimeModes],
) -> Expansion:
    """Second and fourth order of Tr_B exp(-beta H)/Z.

    Parameters
    ----------
    energies
        E_n, in any order, degenerate or not.
    operators, baths
        One Hermitian operator (N, N) for each independent bath; at least one, all at one finite
        beta.
    """
    beta = baths[0].beta
    levels = np.asarray(energies, dtype=float)
    levels = levels - levels.min()
    series: list[tuple[Matrix, Matrix]] = []
    change = (math.inf, math.inf)
    for step in _STEPS:
        system = _System(levels, tuple(operators), tuple(baths), beta, step)
        series.append((_second(system), _fourth(system)))
        if len(series) > 1:
            change = (
                float(np.max(np.abs(series[-1][0] - series[-2][0]))),
                float(np.max(np.abs(series[-1][1] - series[-2][1]))),
            )
            size = (float(np.max(np.abs(part))) for part in series[-1])
            if all(moved <= _GOAL * whole for moved, whole in zip(change, size, strict=True)):
                break
    return normalised(boltzmann(energies, beta), series[-1], change, max(b.error for b in baths))


def normalised(
    p: _Array, raw: tuple[Matrix, Matrix], change: tuple[float, float], missed: float
) -> Expansion:
    """(p + r2 + r4)/(1 + Tr r2 + Tr r4), term by term.

    Parameters
    ----------
    p
        Populations, sum 1.
    raw, change
        r2 and r4, and how much they moved in the last refinement.
    missed
        Relative error of a bath's correlation function.
    """
    gibbs = np.diag(p)
    r2, r4 = raw
    t2, t4 = float(np.trace(r2).real), float(np.trace(r4).real)
    second = r2 - t2 * gibbs
    fourth = r4 - t4 * gibbs - t2 * second
    n = len(p)
    largest = [float(np.max(np.abs(part))) for part in raw]
    relative = _ROUNDING + 2 * missed
    error = (1 + n) * (change[1] + relative * largest[1])
    error += 2 * (1 + n) * (abs(t2) + n * largest[0]) * (change[0] + relative * largest[0])
    return Expansion(second, fourth, error)


@dataclass(frozen=True)
class _System:
    """All that an integral needs; `step` sets the number of nodes."""

    levels: _Array
    operators: tuple[Matrix, ...]
    baths: tuple[ImaginaryTimeModes, ...]
    beta: float
    step: float

    @property
    def partition(self) -> float:
        return float(np.exp(-self.beta * self.levels).sum())

    @property
    def gauss_points(self) -> int:
        """Enough for e^{-x} on [0, beta (E_max - E_min)]; the nodes crowd at its ends."""
        spread = self.beta * float(self.levels.max())
        return min(80, 8 + math.ceil(3 * math.sqrt(spread)) + round(0.5 / self.step))


class _Lengths(NamedTuple):
    """Arc lengths at the nodes, as distances from 0 and from beta, and their weights."""

    u: _Array
    u_left: _Array
    v: _Array
    v_left: _Array
    weight: _Array


class _Rule(NamedTuple):
    """Nodes on [0, 1] as distances from either end, each to full relative accuracy."""

    start: _Array
    end: _Array
    weight: _Array


@cache
def _tanh_sinh(step: float) -> _Rule:
    count = math.floor(_REACH / step)
    t = step * np.arange(-count, count + 1)
    near = np.exp(-math.pi * np.sinh(np.abs(t)))
    close, far = near / (1 + near), 1 / (1 + near)
    weight = step * math.pi * np.cosh(t) * close * far
    start, end = np.where(t < 0, close, far), np.where(t < 0, far, close)
    return _Rule(read_only(start), read_only(end), read_only(weight))


def _second(system: _System) -> Matrix:
    """r2_nm = sum_k S_nk S_km int du C(u) e^{-E_k u} phi_nm(beta - u)."""
    rule = _tanh_sinh(system.step / 2)  # one dimension costs nothing
    u, left = system.beta * rule.start, system.beta * rule.end
    inner = np.exp(-u[:, None] * system.levels)
    outer = _outer(system, left)
    total: Matrix = np.zeros((len(system.levels),) * 2, dtype=np.complex128)
    for operator, bath in zip(system.operators, system.baths, strict=True):
        weight = system.beta * rule.weight * bath.at(u, left)
        integrals = np.einsum("p,pk,pnm->knm", weight, inner, outer)
        total += np.einsum("nk,km,knm->nm", operator, operator, integrals)
    return total / system.partition


def _fourth(system: _System) -> Matrix:
    total: Matrix = np.zeros((len(system.levels),) * 2, dtype=np.complex128)
    for pairing in (_not_crossing, _crossing):
        for chain, order in pairing(system):
            total += _chain_sum(system, chain, order)
    return total / system.partition


class _Chain(NamedTuple):
    """Quadrature points: how long the levels i, j, k last, and what remains for n and m."""

    lengths: _Lengths
    durations: tuple[_Array, _Array, _Array]
    remaining: _Array
    weight: _Array


_Order = Callable[[Matrix, Matrix], tuple[Matrix, Matrix, Matrix, Matrix]]
"""The operators of arcs a and b in the order of the chain."""


def _not_crossing(system: _System) -> Iterator[tuple[_Chain, _Order]]:
    """(12)(34): u and v apart, s between them; (14)(23): v inside u, s before it."""
    beta, rule = system.beta, _tanh_sinh(system.step)
    u, left = beta * rule.start[:, None], beta * rule.end[:, None]
    node, share = _gauss(system.gauss_points)
    one = np.ones_like(node)
    for room, outside in ((left, u), (u, left)):
        v, gap = room * rule.start, room * rule.end
        weight = beta * rule.weight[:, None] * room * rule.weight
        lengths = _flat(u, left, v, gap + outside, weight)
        wide = gap.reshape(-1, 1)
        s, rest, inner = wide * node, wide * (1 - node), lengths.v[:, None] * one
        if room is left:
            durations = lengths.u[:, None] * one, s, inner
            yield _Chain(lengths, durations, rest, wide * share), lambda a, b: (a, a, b, b)
        else:
            after = lengths.u_left[:, None] * one
            yield _Chain(lengths, (s, inner, rest), after, wide * share), lambda a, b: (a, b, b, a)


def _crossing(system: _System) -> Iterator[tuple[_Chain, _Order]]:
    """(13)(24): s is where u and v overlap, from max(0, u + v - beta) to min(u, v).

    The range has kinks on u = v and u + v = beta, where the interval of v is cut.
    """
    beta, rule = system.beta, _tanh_sinh(system.step)
    u, left = beta * rule.start[:, None], beta * rule.end[:, None]
    low, high = np.minimum(u, left), np.maximum(u, left)
    middle = np.abs(u - left)
    node, share = _gauss(system.gauss_points)
    for start, length, after in ((0 * u, low, high), (low, middle, low), (high, low, 0 * u)):
        v = start + length * rule.start
        v_left = after + length * rule.end
        weight = beta * rule.weight[:, None] * length * rule.weight
        lengths = _flat(u, left, v, v_left, weight)
        # at most what the shorter arc and the rest of the longer one allow
        overlap = np.minimum(lengths.u, lengths.v)
        least = np.maximum(lengths.v - lengths.u_left, 0.0)
        width = np.minimum(overlap, np.minimum(lengths.u_left, lengths.v_left))[:, None]
        s = least[:, None] + width * node
        first = np.maximum(lengths.u[:, None] - s, 0.0)
        last = np.maximum(lengths.v[:, None] - s, 0.0)
        rest = np.maximum(lengths.u_left[:, None] - last, 0.0)
        yield _Chain(lengths, (first, s, last), rest, width * share), lambda a, b: (a, b, a, b)


def _flat(u: _Array, u_left: _Array, v: _Array, v_left: _Array, weight: _Array) -> _Lengths:
    parts = np.broadcast_arrays(u, u_left, v, v_left, weight)
    return _Lengths(*(np.ascontiguousarray(part).reshape(-1) for part in parts))


@cache
def _gauss(points: int) -> tuple[_Array, _Array]:
    nodes, weights = np.polynomial.legendre.leggauss(points)
    return read_only((1 + nodes) / 2), read_only(weights / 2)


def _chain_sum(system: _System, chain: _Chain, order: _Order) -> Matrix:
    """sum_ab sum_ijk A_ni B_ij C_jk D_km int ... with the operators in the chain's order."""
    size, baths = len(system.levels), system.baths
    at_u = [bath.at(chain.lengths.u, chain.lengths.u_left) for bath in baths]
    at_v = [bath.at(chain.lengths.v, chain.lengths.v_left) for bath in baths]
    pairs = [(a, b) for a in range(len(baths)) for b in range(len(baths))]
    upper = np.triu_indices(size)
    integrals = np.zeros((len(pairs), size**3, len(upper[0])))
    points = chain.weight.shape[1]
    block = max(1, _BLOCK // (size**3 * points))
    for start in range(0, len(chain.lengths.weight), block):
        rows = slice(start, start + block)
        i, j, k = (
            np.exp(-duration[rows].reshape(-1, 1) * system.levels) for duration in chain.durations
        )
        inner = (i[:, :, None] * j[:, None, :]).reshape(len(i), -1, 1) * k[:, None, :]
        outer = _outer(system, chain.remaining[rows].reshape(-1))[:, *upper]
        outer *= (chain.weight[rows] * chain.lengths.weight[rows, None]).reshape(-1, 1)
        for index, (a, b) in enumerate(pairs):
            correlation = np.repeat(at_u[a][rows] * at_v[b][rows], points)
            integrals[index] += inner.reshape(len(i), -1).T @ (outer * correlation[:, None])
    total: Matrix = np.zeros((size, size), dtype=np.complex128)
    for index, (a, b) in enumerate(pairs):
        first, second, third, fourth = order(system.operators[a], system.operators[b])
        shaped = np.empty((size,) * 5)
        shaped[..., upper[0], upper[1]] = integrals[index].reshape(size, size, size, -1)
        shaped[..., upper[1], upper[0]] = shaped[..., upper[0], upper[1]]
        joined = np.einsum("ij,jk,ijknm->iknm", second, third, shaped, optimize=True)
        total += np.einsum("ni,km,iknm->nm", first, fourth, joined, optimize=True)
    return total


def _outer(system: _System, t: _Array) -> _Array:
    """phi_nm(t) = int_0^t ds e^{-E_n s} e^{-E_m (t - s)}, shape (len(t), N, N)."""
    levels = system.levels
    gap = np.abs(levels[:, None] - levels[None, :])
    lower = np.minimum(levels[:, None], levels[None, :])
    x = gap * t[:, None, None]
    mean = np.where(x > 0, -np.expm1(-x) / np.where(x > 0, x, 1.0), 1.0)
    shape: _Array = t[:, None, None] * np.exp(-lower * t[:, None, None]) * mean
    return shape


_PAIRS: Final = 200_000  # amplitudes of two quanta held at once


def ground_state(
    energies: Sequence[float], operators: Sequence[Matrix], baths: Sequence[ImaginaryTimeModes]
) -> tuple[Matrix, Matrix]:
    """Second and fourth order of Tr_B |Psi><Psi|, <0|Psi> = 1, of baths of discrete modes.

    Parameters
    ----------
    energies
        E_n, in any order; the lowest is not degenerate.
    operators, baths
        One Hermitian operator (N, N) for each independent bath, at beta = inf.
    """
    levels = np.asarray(energies, dtype=float)
    lowest = int(np.argmin(levels))
    gaps = levels - levels[lowest]
    s, shift = _displaced(lowest, operators, baths)
    w = np.concatenate([np.array(bath.frequencies) for bath in baths])
    c = np.concatenate([np.array(bath.weights) for bath in baths])
    owner = np.repeat(np.arange(len(baths)), [len(bath.weights) for bath in baths])
    apart = np.where(np.arange(len(levels)) == lowest, np.inf, gaps)  # Q of the vacuum
    one = gaps + w[:, None]
    psi1 = -s[owner, :, lowest] / one
    emitted = np.einsum("bnj,mj->bmn", s, psi1)  # S_b psi_1(mu) for every bath b
    back = c @ emitted[owner, np.arange(len(w))]
    psi2 = -(back + shift[:, lowest]) / apart
    energy = back[lowest].real
    system = shift - energy * np.eye(len(levels))
    absorbed, pairs = _two_quanta(gaps, s, w, c, owner, emitted)
    psi3 = -(np.einsum("mnj,j->mn", s[owner], psi2) + absorbed + psi1 @ system.T) / one
    psi4 = -(np.einsum("m,mnj,mj->n", c, s[owner], psi3) + system @ psi2) / apart
    vacuum = np.eye(len(levels))[lowest]
    crossed = (c[:, None] * psi3).T @ psi1.conj() + np.outer(psi4, vacuum)
    second = np.outer(psi2, vacuum)
    second = second + second.conj().T + (c[:, None] * psi1).T @ psi1.conj()
    fourth = crossed + crossed.conj().T + np.outer(psi2, psi2.conj()) + pairs
    return second, fourth


def _displaced(
    lowest: int, operators: Sequence[Matrix], baths: Sequence[ImaginaryTimeModes]
) -> tuple[Matrix, Matrix]:
    """S_b - S_b,00 of each bath, (baths, N, N), and V with V_00 = 0."""
    s = np.array(operators, dtype=np.complex128)
    own = s[:, lowest, lowest].real
    s = s - own[:, None, None] * np.eye(s.shape[1])
    reorganisation = np.array(
        [np.sum(np.array(bath.weights) / np.array(bath.frequencies)) for bath in baths]
    )
    return s, np.einsum("b,bnm->nm", -2 * own * reorganisation, s)


def _two_quanta(
    gaps: _Array, s: Matrix, w: _Array, c: _Array, owner: NDArray[np.intp], emitted: Matrix
) -> tuple[Matrix, Matrix]:
    """sum_nu c_nu S_nu psi_2(mu, nu), shape (modes, N), and the part of the state, (N, N)."""
    modes, size = len(w), len(gaps)
    absorbed: Matrix = np.zeros((modes, size), dtype=np.complex128)
    pairs: Matrix = np.zeros((size, size), dtype=np.complex128)
    rows = max(1, _PAIRS // max(1, modes * size))
    for start in range(0, modes, rows):
        here = np.arange(start, min(start + rows, modes))
        amplitude = emitted[:, here][owner].transpose(1, 0, 2) + emitted[owner[here]]
        amplitude /= -(gaps + (w[here, None] + w)[:, :, None])
        weighted = c[:, None] * amplitude
        for bath, operator in enumerate(s):
            absorbed[here] += weighted[:, owner == bath].sum(axis=1) @ operator.T
        weighted *= c[here, None, None] / 2
        pairs += weighted.reshape(-1, size).T @ amplitude.reshape(-1, size).conj()
    return absorbed, pairs
