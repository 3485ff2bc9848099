"""Blocks of the generator after elimination of everything that oscillates otherwise.

The elements of rho that rotate freely with one frequency are a block P, all others Q.  On the
invariant subspace that starts as P the others follow, q = M p with
K_QP + K_QQ M = M (K_PP + K_PQ M), so that dp/dt = L p with L = K_PP + K_PQ M, order by order in
the coupling.  Populations, or a coherence alone, then have eigenvalues of the whole generator.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pertsym.generators.second_order import Term
from pertsym.generators.system import Array

_SAME = 1e-9  # of the largest frequency: rounding of energies that were meant to be equal


class Block(NamedTuple):
    """Elements ab of rho with one free frequency E_a - E_b; `places` are rows of the generator."""

    elements: tuple[tuple[int, int], ...]
    places: Array


@dataclass(frozen=True)
class _Uncertain:
    """A matrix, a bound of each element's error, and which elements are missing."""

    value: Array
    error: Array
    missing: Array

    def __matmul__(self, other: _Uncertain) -> _Uncertain:
        mine, its = np.abs(self.value), np.abs(other.value)
        error = mine @ other.error + self.error @ (its + other.error)
        present, there = (x.missing | (np.abs(x.value) > x.error) for x in (self, other))
        missing = self.missing @ there | present @ other.missing
        return _Uncertain(self.value @ other.value, error, missing)

    def __add__(self, other: _Uncertain) -> _Uncertain:
        return _Uncertain(
            self.value + other.value, self.error + other.error, self.missing | other.missing
        )

    def __neg__(self) -> _Uncertain:
        return replace(self, value=-self.value)

    def over(self, column: Array) -> _Uncertain:
        """Every row divided by a number."""
        return replace(self, value=self.value / column, error=self.error / np.abs(column))


def blocks(generators: Mapping[int, Term]) -> Iterator[Block]:
    """The populations, then the coherences of every free frequency > 0, each once.

    Coherences between levels of equal energy are in the block of the populations.  A frequency
    -w belongs to the Hermitian conjugates and is left out.
    """
    size, gaps = _gaps(generators)
    tolerance = _SAME * float(np.abs(gaps).max(initial=0.0))
    left = [(a, b) for a in range(size) for b in range(size) if gaps[a, b] >= -tolerance]
    left.sort(key=lambda ab: (abs(gaps[ab]) > tolerance, ab[0] != ab[1], ab))
    while left:
        here = [ab for ab in left if abs(gaps[ab] - gaps[left[0]]) <= tolerance]
        left = [ab for ab in left if ab not in here]
        yield Block(tuple(here), np.array([a * size + b for a, b in here]))


def eliminated(generators: Mapping[int, Term], block: Block) -> dict[int, Term]:
    """Orders 2, 4, ... of L on a block.

    Parameters
    ----------
    generators
        Order -> N^2 x N^2 contribution, 0, 2, 4, ... with none left out.
    block

    Returns
    -------
    dict
        Order -> its contribution to L, rows and columns in the order of `block.elements`, with a
        bound from those of the elements; what needs an element that is missing is missing.
    """
    free = np.diag(generators[0].matrix)
    other = np.setdiff1d(np.arange(len(free)), block.places)
    where = {"P": block.places, "Q": other}
    # lambda_Q - lambda_P; the frequencies of a block are equal up to rounding
    distance = (free[other] - free[block.places].mean())[:, None]
    orders = sorted(n for n in generators if n)
    parts = {
        (n, row + column): _part(generators[n], where[row], where[column])
        for n in orders
        for row in "PQ"
        for column in "PQ"
    }
    following: dict[int, _Uncertain] = {}
    result: dict[int, _Uncertain] = {}
    for n in orders:
        total, driving = parts[n, "PP"], parts[n, "QP"]
        for k, q in following.items():
            total = total + parts[n - k, "PQ"] @ q
            driving = driving + parts[n - k, "QQ"] @ q + -(q @ result[n - k])
        result[n] = total
        following[n] = (-driving).over(distance)
    return {
        n: Term(x.value, x.error, *_reasons(x.missing, generators, n)) for n, x in result.items()
    }


def _gaps(generators: Mapping[int, Term]) -> tuple[int, Array]:
    """N and E_a - E_b, from K_0."""
    free = np.diag(generators[0].matrix)
    size = math.isqrt(len(free))
    return size, -free.imag.reshape(size, size)


def _part(term: Term, rows: Array, columns: Array) -> _Uncertain:
    missing = np.zeros(term.matrix.shape, dtype=bool)
    for place in (*term.divergent, *term.not_derived):
        missing[place] = True
    chosen = np.ix_(rows, columns)
    value, error = (np.where(missing, 0.0, x)[chosen] for x in (term.matrix, term.error))
    return _Uncertain(value, error, missing[chosen])


def _reasons(
    missing: Array, generators: Mapping[int, Term], order: int
) -> tuple[dict[tuple[int, int], str], dict[tuple[int, int], str]]:
    """Why elements are missing: the first reason that an order has, divergence before others."""
    known = [generators[n] for n in sorted(generators) if n and n <= order]
    divergent = next((r for term in known for r in term.divergent.values()), None)
    reason = divergent or next((r for term in known for r in term.not_derived.values()), "")
    places: Sequence[tuple[int, int]] = [(int(a), int(b)) for a, b in np.argwhere(missing)]
    found = dict.fromkeys(places, reason)
    return (found, {}) if divergent else ({}, found)
