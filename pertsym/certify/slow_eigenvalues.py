"""Slow eigenvalues of the stochastic Liouville equation, by perturbation theory of eigenvectors.

Classical noise with C(t) = c exp(-nu t) is a Gaussian Markov process, so that rho together with
its auxiliaries obeys the linear equations of the hierarchy, exactly.  Their slow eigenvalues are
those of the generator: s = -1/T1 for the populations and -1/T2 -+ i omega for the coherences of
two levels that do not mix.  Here they are expanded in the coupling as eigenvalues of one large
matrix H_0 + g V with diagonal H_0, without any generator:

    s_n = (V x_{n-1})_0,    x_n = (s_0 - H_0)^-1 [V x_{n-1} - sum_{k>=1} s_k x_{n-k}].

Noise commutes with the identity: the population difference z stands for both populations, and no
eigenvalue is degenerate with that of the trace.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import mpmath

from pertsym.algebra.linear_fractions import LinearFraction, Ring
from pertsym.equations.exponential_bath import Entries, ExponentialBath
from pertsym.expansion.paths import Element

DIFFERENCE, COHERENCE, CONJUGATE = range(3)
"""z = rho_11 = -rho_00, rho_10, rho_01."""

Matrix = tuple[tuple[LinearFraction, ...], ...]
State = dict[tuple[tuple[int, ...], int], LinearFraction]

_SHIFTS = (0, 1, -1)  # -K_0 of z, rho_10, rho_01 in units of y
_BASIS = ({(1, 1): 1, (0, 0): -1}, {(1, 0): 1}, {(0, 1): 1})
_READ = ((1, 1), (1, 0), (0, 1))


def slow_eigenvalue(bath: ExponentialBath, start: int, order: int) -> Mapping[int, LinearFraction]:
    """Orders 2, 4, ... of the eigenvalue that starts at that of z or of a coherence.

    Parameters
    ----------
    bath
        Two levels in classical noise.
    start
        DIFFERENCE, COHERENCE or CONJUGATE.
    """
    ring = bath.ring
    later = [commutator(ring, mode.later) for mode in bath.modes]
    earlier = [commutator(ring, mode.left) for mode in bath.modes]
    states: list[State] = [{((), start): ring.number(1)}]
    energies: dict[int, LinearFraction] = {}
    for n in range(1, order + 1):
        terms = _driven(states[n - 1], later, earlier, order // 2)
        energies[n] = ring.sum(terms.pop(((), start), [])).reduced()
        for k in range(1, n):
            for place, value in states[n - k].items():
                if place != ((), start):
                    terms.setdefault(place, []).append(-(energies[k] * value))
        states.append({})
        for (multiset, component), values in sorted(terms.items()):
            total = ring.sum(values).reduced()
            if total:
                form = {"y": _SHIFTS[component] - _SHIFTS[start]}
                for number in multiset:
                    rate = bath.modes[number].rate
                    form[rate] = form.get(rate, 0) + 1
                states[n][multiset, component] = total.over(ring.form(form)).reduced()
    # two powers of the coupling come with (-i)^2
    return {n: energies[n] * (-1) ** (n // 2) for n in range(2, order + 1, 2)}


def _driven(
    state: State, later: Sequence[Matrix], earlier: Sequence[Matrix], depth: int
) -> dict[tuple[tuple[int, ...], int], list[LinearFraction]]:
    """V x: S^x of an exponent more or less, the factors of -i left out."""
    terms: dict[tuple[tuple[int, ...], int], list[LinearFraction]] = {}
    for (multiset, component), value in state.items():
        moves = [
            (multiset[:k] + multiset[k + 1 :], later[number], 1)
            for k, number in enumerate(multiset)
            if number not in multiset[:k]
        ]
        if len(multiset) < depth:
            moves += [
                (tuple(sorted((*multiset, number))), earlier[number], multiset.count(number) + 1)
                for number in range(len(later))
            ]
        for target, matrix, multiplicity in moves:
            for row in range(3):
                weight = matrix[row][component]
                if weight:
                    terms.setdefault((target, row), []).append(weight * value * multiplicity)
    return terms


def commutator(ring: Ring, operator: Entries) -> Matrix:
    """[S, .] on z, rho_10, rho_01."""
    columns = []
    for column in _BASIS:
        image: dict[tuple[int, int], LinearFraction] = {}
        for ((i, j), sign), (row, col, weight) in itertools.product(column.items(), operator):
            if col == i:  # S |i><j|
                image[row, j] = image.get((row, j), ring.number(0)) + weight * sign
            if row == j:  # |i><j| S
                image[i, col] = image.get((i, col), ring.number(0)) - weight * sign
        columns.append([image.get(place, ring.number(0)) for place in _READ])
    return tuple(zip(*columns, strict=True))


def traceless_block(ring: Ring, generator: Mapping[Element, LinearFraction]) -> Matrix:
    """A contribution to the generator on z, rho_10, rho_01 (noise conserves the identity)."""
    zero = ring.number(0)

    def entry(to: tuple[int, int], of: Mapping[tuple[int, int], int]) -> LinearFraction:
        return ring.sum(generator.get((*to, *place), zero) * sign for place, sign in of.items())

    return tuple(tuple(entry(to, of) for of in _BASIS) for to in _READ)


def characteristic(
    ring: Ring,
    blocks: Mapping[int, Matrix],
    start: int,
    eigenvalue: Mapping[int, LinearFraction],
    order: int,
) -> Mapping[int, LinearFraction]:
    """det(s - K_0 - K_2 - ...) for the series s, by order; zero if s is an eigenvalue of K."""
    zero, y = ring.number(0), ring.variable("y")
    entries: list[list[Mapping[int, LinearFraction]]] = [[{}] * 3 for _ in range(3)]
    for r, c in itertools.product(range(3), repeat=2):
        entry = {n: -blocks[n][r][c] for n in range(2, order + 1, 2)}
        entry[0] = y * (_SHIFTS[r] - _SHIFTS[start]) if r == c else zero
        if r == c:
            entry = {n: value + eigenvalue.get(n, zero) for n, value in entry.items()}
        entries[r][c] = entry
    total = dict.fromkeys(range(0, order + 1, 2), zero)
    for permutation, sign in _PERMUTATIONS:
        product = {0: ring.number(sign)}
        for r, c in enumerate(permutation):
            product = _truncated(ring, product, entries[r][c], order)
        total = {n: total[n] + product.get(n, zero) for n in total}
    return {n: value.reduced() for n, value in total.items()}


def whole_eigenvalue(
    bath: ExponentialBath, values: Mapping[str, Any], guess: Any, depth: int
) -> Any:
    """A slow eigenvalue itself, from the hierarchy of one exponent folded into a 3 x 3 matrix.

    det[s - K_0 - Sigma_0(s)] = 0 with Sigma_{n-1}(s) = -n S^x [s + n nu - K_0 - Sigma_n]^-1 S^x c.

    Parameters
    ----------
    values
        mpmath numbers for the ring's names; that of y is i w0.
    guess
        Where the search for the root begins.
    depth
        Auxiliaries kept.
    """
    (mode,) = bath.modes
    ring, names = bath.ring, bath.ring.names
    point = [values[name] for name in names]
    later = mpmath.matrix(_numbers(commutator(ring, mode.later), point))
    earlier = mpmath.matrix(_numbers(commutator(ring, mode.left), point))
    free = mpmath.diag([shift * values["y"] for shift in _SHIFTS])  # -K_0

    def secular(s: Any) -> Any:
        folded = mpmath.zeros(3)
        for n in range(depth, 0, -1):
            damped = (s + n * values[mode.rate]) * mpmath.eye(3) + free - folded
            folded = -n * later * mpmath.inverse(damped) * earlier
        return mpmath.det(s * mpmath.eye(3) + free - folded)

    return mpmath.findroot(secular, guess, tol=mpmath.eps)


def _numbers(matrix: Matrix, point: Sequence[Any]) -> list[list[Any]]:
    return [[value.near(point) for value in row] for row in matrix]


_PERMUTATIONS = (
    ((0, 1, 2), 1),
    ((1, 2, 0), 1),
    ((2, 0, 1), 1),
    ((0, 2, 1), -1),
    ((2, 1, 0), -1),
    ((1, 0, 2), -1),
)


def _truncated(
    ring: Ring, a: Mapping[int, LinearFraction], b: Mapping[int, LinearFraction], order: int
) -> dict[int, LinearFraction]:
    return {
        n: ring.sum(a[k] * b[n - k] for k in a if n - k in b and a[k] and b[n - k]).reduced()
        for n in range(0, order + 1, 2)
    }
