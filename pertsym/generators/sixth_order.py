"""K_6 for t -> infinity without the third level of the hierarchy.

Auxiliaries of as many modes as orders are products of what acts left and right of the state,

    Y_jkl rho = sum over ways to share j, k, l out of (left operator) rho (right operator),

so that their sum over l, all that the second level needs of them, is a sum of a few products.  Of
the second level at order 4, in turn, only sums over one of the two exponents are kept.  With M
exponents the memory is M N^4 for each coupling instead of M^3 N^4/6, and the work M^2 N^5.

Superoperators are held as N^2 x N^2 matrices (ac, bd), the element (rho_ab <- rho_cd): operators
on the left act on the first, on the right on the second index.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.balanced_truncation import inverse
from pertsym.generators.system import Array, Correlated, System, modes_of

_BLOCK = 4_000_000
"""Complex numbers held at a time."""


@dataclass(frozen=True, eq=False)
class _Side:
    """Products of operators on one side; those on the right are transposed.

    Attributes
    ----------
    gaps
        w_ac of their elements.
    operators
        S_b by the coupling at the earlier time.
    source_of, weights, rates
        Of each exponent: its b, -i c or i c~, and nu.
    """

    gaps: Array
    operators: Array
    source_of: NDArray[np.intp]
    weights: Array
    rates: Array

    @cached_property
    def first(self) -> Array:
        """One exponent, (M, N, N)."""
        result: Array = self.weights[:, None, None] * self.operators[self.source_of]
        result *= inverse(self.rates[:, None, None], self.gaps)
        return result

    @cached_property
    def pairs(self) -> Array:
        """Two exponents, (M, M, N, N)."""
        driven = self.weights[:, None, None, None] * (
            self.operators[self.source_of][:, None] @ self.first
        )
        sums = self.rates[:, None] + self.rates
        result: Array = driven + driven.swapaxes(0, 1)
        result *= inverse(sums[:, :, None, None], self.gaps)
        return result

    @cached_property
    def _after(self) -> Array:
        """S_b times two exponents, (B, M, M, N, N)."""
        result: Array = self.operators[:, None, None] @ self.pairs
        return result

    def triples(self, j: int, others: slice, members: NDArray[np.intp]) -> Array:
        """Three: j, each of some others, and the sum over the members, (others, N, N)."""
        sums = self.rates[others, None] + self.rates[members] + self.rates[j]
        shared = inverse(sums[:, :, None, None], self.gaps)
        after, sources = self._after, self.source_of
        one = np.einsum("klxy,klxy->kxy", after[sources[j], others][:, members], shared)
        result: Array = self.weights[j] * one
        for b in range(len(self.operators)):
            here = np.where(sources[others] == b, self.weights[others], 0)
            if np.any(here):
                two = np.einsum("lxy,klxy->kxy", after[b, j, members], shared)
                result += here[:, None, None] * two
            here = np.where(sources[members] == b, self.weights[members], 0)
            if np.any(here):
                result += np.tensordot(shared, here, axes=(1, 0)) * after[b, j, others]
        return result


class SixthOrder:
    """The auxiliaries up to fifth order, as far as they are kept.

    Parameters
    ----------
    system
    correlations
        The correlation function of every bath, or pair of couplings, that acts.
    """

    def __init__(self, system: System, correlations: Sequence[Correlated]) -> None:
        modes = modes_of(correlations)
        self._size, self._gaps = system.dimension, system.gaps
        self._rates: Array = np.array([mode.rate for mode in modes], dtype=complex)
        names = sorted({mode.later for mode in modes})
        self._couplings = [
            (system.operators[x], np.array([j for j, m in enumerate(modes) if m.later == x]))
            for x in names
        ]
        self._coupling_of = np.array([names.index(mode.later) for mode in modes], dtype=np.intp)
        earlier = sorted({mode.earlier for mode in modes})
        operators: Array = np.array([system.operators[x] for x in earlier])
        sources = np.array([earlier.index(mode.earlier) for mode in modes], dtype=np.intp)
        lefts = np.array([-1j * mode.left for mode in modes])
        rights = np.array([1j * mode.right for mode in modes])
        self._left = _Side(system.gaps, operators, sources, lefts, self._rates)
        self._right = _Side(
            system.gaps.T, operators.swapaxes(1, 2).copy(), sources, rights, self._rates
        )

    def generators(self) -> dict[int, Array]:
        """K_2, K_4 and K_6, each N^2 x N^2 over row-major vec."""
        left, right = self._left.first, self._right.first
        one = np.eye(self._size)
        first = _outer(left, one) + _outer(one, right)
        second = self._closed(first)
        third = np.empty_like(first)
        after = _on_left(left, second)  # L_j K_2
        for j in range(len(first)):
            total = -after[j] - _on_right(right[j], second)
            for operator, members in self._couplings:
                both = _outer(self._left.pairs[j, members].sum(axis=0), one)
                both += _outer(one, self._right.pairs[j, members].sum(axis=0))
                both += _outer(left[j], right[members].sum(axis=0))
                both += _outer(left[members].sum(axis=0), right[j])
                total += _commutator(operator, both)
            third[j] = total * self._inverse(self._rates[j])
        fourth = self._closed(third)
        sums = self._second_level(third, second, after)
        last = np.empty_like(first)
        second_matrix = self._as_matrix(second)
        for j in range(len(first)):
            total = -self._from_matrix(self._as_matrix(third[j]) @ second_matrix)
            total -= _on_left(left[j], fourth) + _on_right(right[j], fourth)
            for (operator, _), both in zip(self._couplings, sums[j], strict=True):
                total += _commutator(operator, both)
            last[j] = total * self._inverse(self._rates[j])
        found = {2: second, 4: fourth, 6: self._closed(last)}
        return {n: self._as_matrix(k) for n, k in found.items()}

    def _second_level(self, third: Array, second: Array, after: Array) -> Array:
        """sum over the exponents k of each coupling of Y_jk at order 4, (M, couplings, ...)."""
        count, shape = len(third), third.shape[1:]
        result = np.zeros((count, len(self._couplings), *shape), dtype=complex)
        step = max(1, _BLOCK // third[0].size)
        for j in range(count):
            for start in range(j, count, step):
                block = slice(start, min(start + step, count))
                found = self._pairs(j, block, third, second, after)
                for k, value in enumerate(found, start=start):
                    result[j, self._coupling_of[k]] += value
                    if k != j:
                        result[k, self._coupling_of[j]] += value
        return result

    def _pairs(self, j: int, block: slice, third: Array, second: Array, after: Array) -> Array:
        """Y_jk at order 4 for a block of k."""
        left, right = self._left, self._right
        columns, rows = self._from_above(j, block)
        total: Array = columns @ rows
        for side, act in ((left, _on_left), (right, _on_right)):
            operators = side.weights[:, None, None] * side.operators[side.source_of]
            total += act(operators[j], third[block]) + act(operators[block], third[j])
            total -= act(side.pairs[j, block], second)
        total -= _on_right(right.first[block], after[j]) + _on_right(right.first[j], after[block])
        total *= self._inverse(self._rates[block, None, None] + self._rates[j])
        return total

    def _from_above(self, j: int, block: slice) -> tuple[Array, Array]:
        """-i sum_a [S_a, sum over l of a of Y_jkl], as columns (k, N^2, r) by rows (k, r, N^2)."""
        left, right = self._left, self._right
        one = np.eye(self._size)
        one_left, one_right = left.first[block], right.first[block]
        both_left, both_right = left.pairs[j, block], right.pairs[j, block]
        products: list[tuple[Array, Array]] = []
        for operator, members in self._couplings:
            # sum over l of a: the left operator beside the right one
            shares = (
                (left.triples(j, block, members), one),
                (both_left, right.first[members].sum(axis=0)),
                (left.pairs[j, members].sum(axis=0), one_right),
                (left.pairs[block, members].sum(axis=1), right.first[j]),
                (left.first[j], right.pairs[block, members].sum(axis=1)),
                (one_left, right.pairs[j, members].sum(axis=0)),
                (left.first[members].sum(axis=0), both_right),
                (one, right.triples(j, block, members)),
            )
            for x, y in shares:
                products += [(-1j * operator @ x, y), (x, 1j * operator.T @ y)]
        shape = (len(one_left), self._size**2)

        def flat(x: Array) -> Array:
            return np.broadcast_to(x.reshape(-1, shape[1]), shape)

        columns = np.stack([flat(x) for x, _ in products], axis=2)
        rows = np.stack([flat(y) for _, y in products], axis=1)
        return columns, rows

    def _closed(self, auxiliaries: Array) -> Array:
        """-i sum_a [S_a, sum over j of a of Y_j]."""
        total = np.zeros(auxiliaries.shape[1:], dtype=complex)
        for operator, members in self._couplings:
            total += _commutator(operator, auxiliaries[members].sum(axis=0))
        return total

    def _inverse(self, rates: Array) -> Array:
        """1/(nu + i w_ac - i w_bd)."""
        gaps = self._gaps.reshape(-1)
        return inverse(np.asarray(rates), gaps[:, None] - gaps)

    def _as_matrix(self, held: Array) -> Array:
        """(ac, bd) -> (ab, cd)."""
        size = self._size
        return held.reshape((size,) * 4).swapaxes(1, 2).reshape(size**2, size**2)

    _from_matrix = _as_matrix


def _outer(left: Array, right: Array) -> Array:
    """rho -> X rho Y^T, (..., N^2, N^2)."""
    columns = left.reshape(*left.shape[:-2], -1, 1)
    result: Array = columns * right.reshape(*right.shape[:-2], 1, -1)
    return result


def _on_left(operators: Array, held: Array) -> Array:
    """X after each superoperator, on the left of the state."""
    size = operators.shape[-1]
    product = operators @ held.reshape(*held.shape[:-2], size, size**3)
    return product.reshape(*product.shape[:-2], size**2, size**2)


def _on_right(transposed: Array, held: Array) -> Array:
    """X, given transposed, after each superoperator, on the right of the state."""
    size = transposed.shape[-1]
    inner = held.reshape(*held.shape[:-2], size**2, size, size)
    product = transposed[..., None, :, :] @ inner
    return product.reshape(*product.shape[:-3], size**2, size**2)


def _commutator(operator: Array, held: Array) -> Array:
    """-i [S, Y]."""
    result: Array = _on_left(-1j * operator, held) + _on_right(1j * operator.T, held)
    return result
