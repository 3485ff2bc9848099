"""The transient of K_2(t) and K_4(t), with what acts left and right of the state kept apart.

With one auxiliary for each exponent, Y_j rho = A_j rho + rho (...), where
dA_j/dt = -(nu_j + i w_ac) A_j - i c_j S is solved at all times; the part of the second level that
acts from both sides is the product A_j rho A_k^+.  At third order the part with two operators on
the left and one on the right is driven by

    -i sum_a { [S_a, A_j] rho A_a^+  +  (A_j A_a - G_ja) rho S_a },     A_a = sum_{k of a} A_k,

with G_ja = sum_{k of a} of the second level acting from the left alone; the part with three on
the left by -i sum_a (S_a G_ja - A_j S_a A_a).  The rest is the Hermitian conjugate.  There is one
N^4 array an exponent to be integrated, not one for each pair of them.

All of that holds for the auxiliaries themselves, which start from rest, and, bilinear as it is,
for their distances from the limits, without the drive of A_j.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pertsym.generators.bloch_recursion import SlowSubspace
from pertsym.generators.collocation import Radau
from pertsym.generators.system import Array, left, right
from pertsym.generators.transient import largest_ratio


@dataclass(frozen=True, eq=False)
class Distance:
    """Auxiliaries, or how far they are from their limits; M exponents, N levels.

    An axis of times may stand in front.

    Attributes
    ----------
    first : (M, N, N)
        A_j.
    pairs : (M (M + 1) / 2, N, N)
        The second level, acting from the left; each pair once.
    triple : (M, N, N)
        Third order, acting from the left.
    mixed : (M, N^2, N^2)
        Third order, acting twice from the left, once from the right: (ac, bd) is the element
        (rho_ab <- rho_cd).
    """

    first: Array
    pairs: Array
    triple: Array
    mixed: Array

    def map(self, function: Callable[[Array], Array]) -> Distance:
        """The same function of every part."""
        return Distance(*map(function, self.parts))

    @property
    def parts(self) -> tuple[Array, Array, Array, Array]:
        """All four."""
        return self.first, self.pairs, self.triple, self.mixed


class FourthOrderTransient:
    """One step of the auxiliaries, or of their distance from the slow subspace, to fourth order.

    Parameters
    ----------
    slow
        The long-time solution of order 4.
    radau
        Whose nodes a step has.
    refined
        Whether to give back the digits that the collocation's eigenvectors lose.
    """

    def __init__(self, slow: SlowSubspace, radau: Radau, refined: bool) -> None:
        system = slow.hierarchy.system
        # a mode without weight in C acts from the right alone: its conjugate is here
        modes = [mode for mode in slow.hierarchy.modes if mode.left]
        self.radau, self._refined, self._size = radau, refined, system.dimension
        self._couplings = [
            (system.operators[name], [j for j, mode in enumerate(modes) if mode.later == name])
            for name in sorted({mode.later for mode in modes})
        ]
        earlier = sorted({mode.earlier for mode in modes})
        self._earlier = np.array([system.operators[name] for name in earlier])
        self._source_of = np.array([earlier.index(mode.earlier) for mode in modes])
        self._weights = np.array([-1j * mode.left for mode in modes])
        self._driving = self._weights[:, None, None] * self._earlier[self._source_of]
        self._pair = np.triu_indices(len(modes))
        self._number = np.zeros((len(modes), len(modes)), dtype=np.intp)
        self._number[self._pair] = np.arange(len(self._pair[0]))
        self._number = np.maximum(self._number, self._number.T)
        rates = np.array([mode.rate for mode in modes])
        first = rates[:, None, None] + 1j * system.gaps
        mixed = first.reshape(len(modes), -1, 1) - 1j * system.gaps.reshape(-1)
        pairs = rates[self._pair[0], None, None] + first[self._pair[1]]
        self._rates = Distance(first, pairs, first, mixed)

    @property
    def fastest(self) -> float:
        """The largest rate."""
        return max(float(np.abs(rates).max()) for rates in self._rates.parts)

    @cached_property
    def _limit(self) -> Distance:
        first = self._driving / self._rates.first
        pairs = self._pair_source(first) / self._rates.pairs
        triple, mixed = self._third_source([(first[None], first[None])], pairs[None])
        return Distance(first, pairs, triple[0] / self._rates.triple, mixed[0] / self._rates.mixed)

    def start(self) -> Distance:
        """The auxiliaries at t = 0, where they vanish."""
        return self._limit.map(np.zeros_like)

    def distance(self, state: Distance) -> Distance:
        """How far auxiliaries are from their limits."""
        pairs = zip(state.parts, self._limit.parts, strict=True)
        return Distance(*(x - end for x, end in pairs))

    def remaining(self, state: Distance) -> float:
        """The largest distance, each relative to its limit."""
        return largest_ratio(state.parts, self._limit.parts)

    def step(
        self, state: Distance, length: float, settling: bool
    ) -> tuple[Distance, dict[int, Array]]:
        """The auxiliaries, or distances, at the end, and K or K - K(inf) at the nodes."""
        rates, limit = self._rates, self._limit.first
        times = length * self.radau.nodes[:, None, None, None]
        first = state.first * np.exp(-times * rates.first)
        if settling:
            products = [(first, limit + first), (limit[None], first)]
        else:
            first -= np.expm1(-times * rates.first) * limit
            products = [(first, first)]
        pairs = self._solve(length, rates.pairs, state.pairs, self._pair_source(first))
        sources = self._third_source(products, pairs)
        triple = self._solve(length, rates.triple, state.triple, sources[0])
        end, mixed = self._mixed_sums(length, state.mixed, sources[1])
        return Distance(first[-1], pairs[-1], triple[-1], end), {
            2: self._second(first),
            4: self._fourth(triple, mixed),
        }

    def _mixed_sums(
        self, length: float, start: Array, source: Array
    ) -> tuple[Array, tuple[Array, ...]]:
        """`mixed` at the end, and for each coupling its sum over exponents at the nodes."""
        rates, radau = self._rates.mixed, self.radau
        members = [numbers for _, numbers in self._couplings]
        if self._refined:
            nodes = self._solve(length, rates, start, source)
            return nodes[-1], tuple(nodes[:, m].sum(axis=1) for m in members)
        inside = radau.transformed(length, rates, start, source)
        sums = tuple(radau.at_nodes(inside[:, m].sum(axis=1)) for m in members)
        return radau.at_end(inside), sums

    def _solve(self, length: float, rates: Array, start: Array, source: Array) -> Array:
        return self.radau.solve(length, rates, start, source, self._refined)

    def _pair_source(self, first: Array) -> Array:
        """Theta_j A_k + Theta_k A_j, all acting from the left."""
        one, other = self._pair
        products = self._earlier[:, None] @ first[..., None, :, :, :]
        source: Array = self._weighted(one, products[..., self._source_of[one], other, :, :])
        source += self._weighted(other, products[..., self._source_of[other], one, :, :])
        return source

    def _weighted(self, modes: Array, gathered: Array) -> Array:
        gathered *= self._weights[modes, None, None]
        return gathered

    def _third_source(
        self, products: Sequence[tuple[Array, Array]], pairs: Array
    ) -> tuple[Array, Array]:
        """What drives `triple` and `mixed`: every product (x, y) has x_j, y_a for A_j, A_a."""
        times, size = len(pairs), self._size**2
        triple = np.zeros((times, *self._rates.first.shape), dtype=complex)
        lefts, rights = [], []
        for operator, members in self._couplings:
            inner = pairs[:, self._number[:, members]].sum(axis=2)
            triple += operator @ inner
            beside = -inner
            for x, y in products:
                total = y[:, members].sum(axis=1)
                triple -= x @ (operator @ total)[:, None]
                beside += x @ total[:, None]
                lefts.append(operator @ x - x @ operator)
                rights.append(total.conj())  # rho A^+: from d to b, conj(A_bd)
            lefts.append(beside)
            rights.append(operator.T[None])
        shape = beside.shape
        columns = np.stack([np.broadcast_to(x, shape).reshape(times, -1) for x in lefts], axis=2)
        rows = np.stack([np.broadcast_to(y.reshape(-1, size), (times, size)) for y in rights], 1)
        mixed = (-1j * columns) @ rows
        return -1j * triple, mixed.reshape(times, -1, size, size)

    def _second(self, first: Array) -> Array:
        """-i sum_a S_a^x A_a at every node, with its Hermitian conjugate."""
        size, times = self._size, len(first)
        result = np.zeros((times, size, size, size, size), dtype=complex)
        for operator, members in self._couplings:
            total = -1j * first[:, members].sum(axis=1)
            _add_left(result, operator @ total)
            # rho_ab <- A_ac rho_cd S_db
            result -= total[:, :, None, :, None] * operator.T[:, None, :]
        return _with_conjugate(result)

    def _fourth(self, triple: Array, mixed: tuple[Array, ...]) -> Array:
        """-i sum_a S_a^x (third order of a) at every node, with its Hermitian conjugate."""
        size, times = self._size, len(triple)
        result = np.zeros((times, size, size, size, size), dtype=complex)
        for (operator, members), both in zip(self._couplings, mixed, strict=True):
            inside = np.ascontiguousarray(both.reshape(result.shape).swapaxes(2, 3))
            _add_left(inside, triple[:, members].sum(axis=1))
            result += left(-1j * operator, inside)
            result += right(1j * operator, inside)
        return _with_conjugate(result)


def _add_left(superoperators: Array, operators: Array) -> None:
    """Add rho -> A rho, in place: (times, N, N) to (times, N, N, N, N)."""
    diagonal = np.arange(operators.shape[-1])
    # the two index arrays are not adjacent, so their axis comes first
    superoperators[:, :, diagonal, :, diagonal] += operators


def _with_conjugate(superoperators: Array) -> Array:
    """X + the conjugate of X with both pairs of indices exchanged, (times, N^2, N^2)."""
    times, size = superoperators.shape[:2]
    total: Array = superoperators + superoperators.conj().transpose(0, 2, 1, 4, 3)
    return total.reshape(times, size**2, size**2)
