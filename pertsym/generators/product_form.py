"""Orders 2 and 4 with what acts left and right of the state kept apart, for t -> infinity.

With one auxiliary for each exponent of C_ab(t) = sum c_j exp(-nu_j t), those of second order are

    Y_j rho = A_j rho + rho (...),
    Y_jk rho = A_j rho A_k^+ + A_k rho A_j^+ + G_jk rho + rho (...),

    (nu_j + i w_ac) A_j = -i c_j S_b,
    (nu_j + nu_k + i w_ac) G_jk = -i (c_j S_b A_k + c_k S_b' A_j).

The part that acts from both sides is a product at all times, because its drive is that of a
product.  At third order

    (nu_j + i w_ac - i w_bd) M_j = -i sum_a { [S_a, A_j] rho A_a^+ + (A_j A_a - G_ja) rho S_a },
    (nu_j + i w_ac) T_j = -i sum_a (S_a G_ja - A_j S_a A_a),

with A_a, G_ja summed over the exponents at the later time of coupling a, and the Hermitian
conjugates; K_4 = -i sum_a [S_a, sum_j of a (M_j + T_j)] + h.c.  (The equations of
`bloch_recursion`, with the products taken out.)  The work is N^4 M for M exponents, instead of
N^4 M^2, and so is the memory, of which a part is held at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pertsym.generators.system import Array, Correlated, System, left, modes_of, right

_BLOCK = 4_000_000
"""Complex numbers held at a time."""


@dataclass(frozen=True, eq=False)
class Coupled:
    """One coupling: its operator, and the exponents at whose later time it stands."""

    operator: Array
    members: NDArray[np.intp]


class ProductForm:
    """The equations of the auxiliaries; M exponents that act from the left, N levels.

    Parameters
    ----------
    system
    correlations
        The correlation function of every bath, or pair of couplings, that acts.
    """

    def __init__(self, system: System, correlations: Sequence[Correlated]) -> None:
        # a mode without weight in C acts from the right alone: its conjugate is here
        modes = [mode for mode in modes_of(correlations) if mode.left]
        self.gaps = system.gaps
        self.size = system.dimension
        self.rates: Array = np.array([mode.rate for mode in modes], dtype=complex)
        self.couplings = [
            Coupled(
                system.operators[name],
                np.array([j for j, mode in enumerate(modes) if mode.later == name]),
            )
            for name in sorted({mode.later for mode in modes})
        ]
        earlier = sorted({mode.earlier for mode in modes})
        self.earlier: Array = np.array([system.operators[name] for name in earlier]).reshape(
            -1, self.size, self.size
        )
        self.source_of = np.array([earlier.index(mode.earlier) for mode in modes], dtype=np.intp)
        self.weights: Array = np.array([-1j * mode.left for mode in modes], dtype=complex)

    @cached_property
    def driving(self) -> Array:
        """-i c_j S_b, shape (M, N, N)."""
        result: Array = self.weights[:, None, None] * self.earlier[self.source_of]
        return result

    @cached_property
    def first_rates(self) -> Array:
        """nu_j + i w_ac, shape (M, N, N)."""
        result: Array = self.rates[:, None, None] + 1j * self.gaps
        return result

    @cached_property
    def first(self) -> Array:
        """A_j, shape (M, N, N)."""
        result: Array = self.driving / self.first_rates
        return result

    def second_order(self) -> Array:
        """K_2, N^2 x N^2."""
        result: Array = self.second(self.first[None])[0]
        return result

    def fourth_order(self) -> Array:
        """K_4, N^2 x N^2."""
        if not len(self.rates):
            return np.zeros((self.size**2, self.size**2), dtype=complex)
        first = self.first
        after = self.earlier[:, None] @ first  # S_b A_j
        triple = np.zeros_like(first)
        lefts: list[Array] = []
        rights: list[Array] = []
        for coupled in self.couplings:
            operator, members = coupled.operator, coupled.members
            pairs = self._pairs(after, members)
            total = first[members].sum(axis=0)
            triple += operator @ pairs - first @ (operator @ total)
            lefts += [operator @ first - first @ operator, first @ total - pairs]
            rights += [total.conj(), operator.T]  # rho A^+: from d to b, conj(A_bd)
        triple *= -1j
        triple /= self.first_rates
        columns = -1j * np.stack([x.reshape(len(first), -1) for x in lefts], axis=1)
        rows = np.stack([y.reshape(-1) for y in rights])
        mixed = [self._mixed(columns[c.members], rows, c.members) for c in self.couplings]
        result: Array = self.fourth(triple[None], [x[None] for x in mixed])[0]
        return result

    def _pairs(self, after: Array, members: NDArray[np.intp]) -> Array:
        """sum over the exponents k of one coupling of G_jk, shape (M, N, N)."""
        result = np.empty_like(self.first)
        for block in _blocks(len(self.rates), len(members) * self.size**2):
            sums = self.rates[block, None] + self.rates[members]
            shared = inverse(sums[:, :, None, None], self.gaps)
            sources = self.source_of[block]
            total = np.zeros((len(sums), self.size, self.size), dtype=complex)
            for b in range(len(self.earlier)):
                here = sources == b
                if np.any(here):
                    one = np.einsum("kxy,jkxy->jxy", after[b, members], shared[here])
                    total[here] += self.weights[block][here, None, None] * one
                of_b = self.source_of[members] == b
                if np.any(of_b):
                    weights = np.where(of_b, self.weights[members], 0)
                    total += np.tensordot(weights, shared, axes=(0, 1)) * after[b, block]
            result[block] = total
        return result

    def _mixed(self, columns: Array, rows: Array, members: NDArray[np.intp]) -> Array:
        """sum over the exponents of one coupling of M_j, (ac, bd) the element (ab <- cd)."""
        gaps = self.gaps.reshape(-1)
        result = np.empty((len(gaps), len(gaps)), dtype=complex)
        turned = np.ascontiguousarray(columns.transpose(2, 1, 0))  # (ac, products, exponents)
        for block in _blocks(len(gaps), len(members) * len(gaps)):
            differences = gaps[block, None] - gaps
            shared = inverse(self.rates[members][:, None], differences[:, None])
            result[block] = ((turned[block] @ shared) * rows).sum(axis=1)
        return result

    def second(self, first: Array) -> Array:
        """-i sum_a S_a^x A_a at every time, with its Hermitian conjugate."""
        size, times = self.size, len(first)
        result = np.zeros((times, size, size, size, size), dtype=complex)
        for coupled in self.couplings:
            total = -1j * first[:, coupled.members].sum(axis=1)
            _add_left(result, coupled.operator @ total)
            # rho_ab <- A_ac rho_cd S_db
            result -= total[:, :, None, :, None] * coupled.operator.T[:, None, :]
        return _with_conjugate(result)

    def fourth(self, triple: Array, mixed: Sequence[Array]) -> Array:
        """-i sum_a S_a^x (third order of a) at every time, with its Hermitian conjugate."""
        size, times = self.size, len(triple)
        result = np.zeros((times, size, size, size, size), dtype=complex)
        for coupled, both in zip(self.couplings, mixed, strict=True):
            inside = np.ascontiguousarray(both.reshape(result.shape).swapaxes(2, 3))
            _add_left(inside, triple[:, coupled.members].sum(axis=1))
            result += left(-1j * coupled.operator, inside)
            result += right(1j * coupled.operator, inside)
        return _with_conjugate(result)


def _blocks(count: int, width: int) -> Iterator[slice]:
    """Slices of `count` rows, each of which has so many numbers."""
    step = max(1, _BLOCK // max(width, 1))
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))


def inverse(rates: Array, frequencies: Array) -> Array:
    """1/(rate + i w), in real arithmetic, which is several times faster."""
    imaginary = rates.imag + frequencies
    real = rates.real
    squares = imaginary * imaginary
    squares += real * real
    np.reciprocal(squares, out=squares)
    result = np.empty(squares.shape, dtype=complex)
    np.multiply(real, squares, out=result.real)
    np.multiply(imaginary, squares, out=result.imag)
    np.negative(result.imag, out=result.imag)
    return result


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
