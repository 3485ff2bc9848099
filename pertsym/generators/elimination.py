"""Blocks of the generator after elimination of everything that oscillates otherwise.

The elements of rho that rotate freely with one frequency are a block P, all others Q.  On the
invariant subspace that starts as P the others follow, q = M p with
K_QP + K_QQ M = M (K_PP + K_PQ M), so that dp/dt = L p with L = K_PP + K_PQ M, order by order in
the coupling.  Populations, or a coherence alone, then have eigenvalues of the whole generator.

Rates and frequency shift of two levels are read off the elements, before and after that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pertsym.generators.second_order import Term
from pertsym.generators.system import Array
from pertsym.numerics.bounded import Bounded

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


# rows and columns of rho_00, rho_01, rho_10, rho_11
_LOWER, _CONJUGATE, _COHERENCE, _UPPER = range(4)

Quantities = dict[int, dict[str, Bounded | str]]
"""Order -> quantity -> value with a bound, or the reason why it does not exist, as text."""


def bloch_quantities(generators: Mapping[int, Term], w0: float) -> Quantities:
    """Every order of what `pertsym rates` prints.

    Parameters
    ----------
    generators
        2, 4, ... (or 1, 2, 3, ...) -> contribution of that order, no order left out; order 0 is
        not read.
    w0
        E_1 - E_0 > 0.
    """
    terms = {n: generators[n] for n in sorted(generators) if n}
    shifts = _shifts(terms, w0)
    return {
        n: _quantities(
            _read(term, (_UPPER, _LOWER)),
            _read(term, (_LOWER, _UPPER)),
            _read(term, (_COHERENCE, _COHERENCE), -1),
            shifts[n],
        )
        for n, term in terms.items()
    }


def _quantities(
    up: Bounded | str, down: Bounded | str, decay: Bounded | str, shift: Bounded | str
) -> dict[str, Bounded | str]:
    rates = _sum(up, down)
    return {
        "k_up": up,
        "k_down": down,
        "inv_T1": rates,
        "inv_T2": decay,
        "inv_T2_prime": _sum(decay, rates if isinstance(rates, str) else rates * -0.5),
        "frequency_shift": shift,
    }


def _shifts(terms: Mapping[int, Term], w0: float) -> dict[int, Bounded | str]:
    """omega^2 = (w0 - Im R_1010)^2 - |R_1001|^2 solved order by order (Laird (55), (A5), (A6)).

    A shift of one order holds elements of all lower ones: what one of them lacks, all above do.
    """
    a: dict[int, Bounded] = {}
    b: dict[int, list[Bounded]] = {}  # real and imaginary part
    omega: dict[int, Bounded] = {}
    result: dict[int, Bounded | str] = {}
    lost = ""
    for n, term in terms.items():
        own = _read(term, (_COHERENCE, _COHERENCE), 1j)
        if lost or isinstance(own, str):
            result[n] = lost = lost or str(own)
            continue
        total = Bounded(0.0, 0.0)
        for k in (k for k in a if n - k in a):
            total += a[k] * a[n - k] - omega[k] * omega[n - k]
            for x, y in zip(b[k], b[n - k], strict=True):
                total -= x * y
        a[n], omega[n] = own, own + total / (2 * w0)
        result[n] = omega[n]
        parts = [_read(term, (_COHERENCE, _CONJUGATE), factor) for factor in (1, -1j)]
        lost = next((x for x in parts if isinstance(x, str)), "")
        b[n] = [x for x in parts if isinstance(x, Bounded)]
    return result


def eliminated_quantities(generators: Mapping[int, Term]) -> Quantities:
    """The same after elimination of what oscillates otherwise: eigenvalues of the generator.

    Rates are those of the populations once the coherences follow them; 1/T2 and shift are decay
    and frequency of the coherence as an eigenvalue of the whole generator, of which `generators`
    has every order, 0 too.
    """
    populations, coherence = (eliminated(generators, b) for b in blocks(generators))
    return {
        n: _quantities(
            _read(term, (1, 0)),
            _read(term, (0, 1)),
            _read(coherence[n], (0, 0), -1),
            _read(coherence[n], (0, 0), 1j),
        )
        for n, term in populations.items()
    }


def _read(term: Term, place: tuple[int, int], factor: complex = 1) -> Bounded | str:
    """Re(factor * element), or why it is missing."""
    for reasons in (term.divergent, term.not_derived):
        if place in reasons:
            return reasons[place]
    return Bounded(float((factor * term.matrix[place]).real), float(term.error[place]))


def _sum(a: Bounded | str, b: Bounded | str) -> Bounded | str:
    if isinstance(a, str) or isinstance(b, str):
        return a if isinstance(a, str) else b
    return a + b
