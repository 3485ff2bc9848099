"""The hierarchy of auxiliary superoperators over the exponents of all baths.

With C_ab(t) = sum_j c_j exp(-nu_j t) the reduced state rho = X_0 and its auxiliaries obey, for
every multiset m of exponents,

    dX_m/dt = (L_0 - sum_{j in m} nu_j) X_m - i sum_a S_a^x sum_{j of ab} X_{m+j}
              - i sum_{j in m} Theta_j X_{m-j},      Theta_j = c_j S_b^L - c~_j S_b^R,

where c~_j belongs to C_ab*.  Here is the algebra of its right-hand side; which X are functions of
time, and of what order in the coupling, is decided by those who use it.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pertsym.generators.system import Array, Mode, System, as_matrix, left, right

Index = NDArray[np.intp]

Place = tuple[int, int]
"""(level, order): the auxiliaries over so many modes, and the power of the coupling."""


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """Multisets of up to `depth` modes; level l holds those of l modes in lexical order.

    A level's superoperators are an array (..., number of multisets, N, N, N, N); axes in front,
    such as one of times, are carried along.
    """

    system: System
    modes: tuple[Mode, ...]
    depth: int
    precision: type = np.complex128

    @cached_property
    def levels(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """The multisets of each level, as sorted tuples of mode numbers."""
        numbers = range(len(self.modes))
        return tuple(
            tuple(itertools.combinations_with_replacement(numbers, level))
            for level in range(self.depth + 1)
        )

    @cached_property
    def _positions(self) -> tuple[dict[tuple[int, ...], int], ...]:
        return tuple({m: i for i, m in enumerate(level)} for level in self.levels)

    @cached_property
    def raised(self) -> tuple[Index, ...]:
        """For each level, (multisets, modes): where each multiset plus each mode is, or -1."""
        return tuple(
            np.array(
                [
                    [above.get(tuple(sorted((*m, j))), -1) for j in range(len(self.modes))]
                    for m in self.levels[level]
                ],
                dtype=np.intp,
            ).reshape(len(self.levels[level]), len(self.modes))
            for level, above in enumerate(self._positions[1:])
        )

    @cached_property
    def lowered(self) -> tuple[tuple[Index, Index], ...]:
        """For each level from 1, (multisets, level): the multisets without one of their modes."""
        tables = []
        for level in range(1, self.depth + 1):
            below, multisets = self._positions[level - 1], self.levels[level]
            rest = [[below[m[:k] + m[k + 1 :]] for k in range(level)] for m in multisets]
            shape = (len(multisets), level)
            tables.append(
                (
                    np.array(rest, dtype=np.intp).reshape(shape),
                    np.array(multisets, dtype=np.intp).reshape(shape),
                )
            )
        return tuple(tables)

    @cached_property
    def by_later(self) -> dict[str, list[int]]:
        """The mode numbers by the coupling at the later time."""
        members: dict[str, list[int]] = {}
        for number, mode in enumerate(self.modes):
            members.setdefault(mode.later, []).append(number)
        return members

    def operator(self, name: str) -> Array:
        """The operator of a coupling, in the precision of the hierarchy."""
        operator: Array = self.system.operators[name].astype(self.precision)
        return operator

    @cached_property
    def coefficients(self) -> dict[str, tuple[Array, Array]]:
        """By the coupling b at the earlier time: -i c_j and +i c~_j, zero for the other modes."""
        return {
            name: (
                self._numbers([-1j * m.left if m.earlier == name else 0j for m in self.modes]),
                self._numbers([1j * m.right if m.earlier == name else 0j for m in self.modes]),
            )
            for name in sorted({mode.earlier for mode in self.modes})
        }

    def _numbers(self, values: list[complex]) -> Array:
        return np.array(values, dtype=self.precision)

    def damping(self, level: int) -> Array:
        """sum nu_j of each multiset of a level."""
        rates = self._numbers([mode.rate for mode in self.modes])
        total: Array = rates[np.array(self.levels[level], dtype=np.intp)].sum(axis=1)
        return total

    @cached_property
    def identity(self) -> Array:
        """X_0 = 1 at order 0: the only superoperator of level 0, shape (1, N, N, N, N)."""
        size = self.system.dimension
        return np.eye(size**2, dtype=self.precision).reshape(1, size, size, size, size)

    def denominators(self, level: int) -> Array:
        """sum nu + i w_ab - i w_cd for the element (ab <- cd) of each multiset of a level."""
        gaps: Array = self.system.gaps.astype(self.precision)
        free = gaps[:, :, None, None] - gaps[None, None, :, :]
        total: Array = self.damping(level)[:, None, None, None, None] + 1j * free
        return total

    def from_above(self, level: int, above: Array) -> Array:
        """-i sum_a S_a^x sum_{j of ab} X_{m+j} for every multiset m of a level."""
        total = self.zeros(level, above)
        for name, members in self.by_later.items():
            gathered = above[..., self.raised[level][:, members[0]], :, :, :, :]
            for j in members[1:]:
                gathered += above[..., self.raised[level][:, j], :, :, :, :]
            operator = -1j * self.operator(name)
            total += left(operator, gathered)
            total -= right(operator, gathered)
        return total

    def from_below(self, level: int, below: Array) -> Array:
        """-i sum_{j in m} Theta_j X_{m-j} for every multiset m of a level >= 1."""
        rest, removed = self.lowered[level - 1]
        total = self.zeros(level, below)
        for name, (ahead, behind) in self.coefficients.items():
            operator = self.operator(name)
            before, after = left(operator, below), right(operator, below)
            for k in range(level):
                for coefficients, side in ((ahead, before), (behind, after)):
                    term = side[..., rest[:, k], :, :, :, :]
                    term *= coefficients[removed[:, k], None, None, None, None]
                    total += term
        return total

    def places(self, order: int) -> Iterator[Place]:
        """The auxiliaries that K_2 ... K_order need, each after those it is made from."""
        for k in range(1, order):
            for level in range(1, min(k, order - k) + 1):
                if (k - level) % 2 == 0:
                    yield level, k

    def first(self) -> dict[int, Array]:
        """K_1, if the noise has a mean."""
        return {}

    def driven(self, level: int, k: int, known: Mapping[Place, Array]) -> Array:
        """What drives the auxiliaries of a level at order k, by those of order k - 1."""
        total: Array | None = None
        for shift, act in self.drivers().items():
            if (source := known.get((level + shift, k - 1))) is not None:
                part = act(level, source)
                total = part if total is None else total + part
        return self.zeros(level, known[0, 0]) if total is None else total

    def drivers(self) -> dict[int, Callable[[int, Array], Array]]:
        """Distance of a level -> what its auxiliaries drive."""
        return {1: self.from_above, -1: self.from_below}

    def marched(
        self, order: int, solve: Callable[[Place, Any, Array], Array], *axes: int
    ) -> tuple[dict[int, Array], dict[Place, Array]]:
        """K_1 (if the noise has a mean), K_2, ... K_order, and all auxiliaries that they need.

        Parameters
        ----------
        order
        solve
            The auxiliaries of a place, or some members of its level, from what drives them.
        axes
            In front of all arrays, such as one of times.
        """
        identity = np.broadcast_to(self.identity, (*axes, *self.identity.shape))
        known: dict[Place, Array] = {(0, 0): identity}
        generators = {n: np.broadcast_to(x, (*axes, *x.shape)) for n, x in self.first().items()}
        for level, k in self.places(order):
            total = self.driven(level, k, known)
            for lower, generator in generators.items():
                if (earlier := known.get((level, k - lower))) is not None:
                    total -= (as_matrix(earlier) @ generator[..., None, :, :]).reshape(total.shape)
            known[level, k] = self.solved(level, total, functools.partial(solve, (level, k)))
            if level == 1 and (k % 2 or 1 in generators):
                generators[k + 1] = as_matrix(self.from_above(0, known[1, k]))[..., 0, :, :]
        return generators, known

    def solved(self, level: int, source: Array, solve: Callable[[Any, Array], Array]) -> Array:
        """The auxiliaries of a level from their source.

        `solve` does it for some of its multisets, which each depend on their own source only.
        """
        return solve(slice(None), source)

    def zeros(self, level: int, like: Array) -> Array:
        """Superoperators for a level, with the axes in front of those of `like`."""
        shape = (*like.shape[:-5], len(self.levels[level]), *like.shape[-4:])
        return np.zeros(shape, dtype=self.precision)
