"""The mean-force Gibbs state for formal spectral lines, exactly, at points of a finite field.

A term of order 2n in Tr_B exp(-beta H) is linear in the spectrum at each of n frequencies; for n
lines of frequencies w_j, with weights 1 at w_j and exp(-beta w_j) at -w_j, it is a rational
function of energies, frequencies, matrix elements, beta and exponentials.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations, product

from pertsym.certify.field_series import PRIME, Series, constant, inverse
from pertsym.equations.mean_force import chains

Line = tuple[int, int]
"""Number of an oscillator and the sign, +1 or -1, of its frequency."""


@dataclass(frozen=True)
class Point:
    """Random field elements for everything that the identities depend on.

    Attributes
    ----------
    energies, boltzmann
        E_k and exp(-beta E_k).
    frequencies, weights
        w_j and exp(-beta w_j), as series in the distance eps from a resonance.
    coupling
        S_nm, neither symmetric nor real: nothing rests on that.
    """

    energies: tuple[int, ...]
    boltzmann: tuple[int, ...]
    frequencies: tuple[Series, ...]
    weights: tuple[Series, ...]
    coupling: tuple[tuple[int, ...], ...]
    beta: int

    @classmethod
    def draw(cls, levels: int, lines: int, seed: int, depth: int = 1) -> Point:
        """A point off every resonance, series of `depth` coefficients."""
        source = random.Random(seed)

        def numbers(count: int) -> tuple[int, ...]:
            return tuple(source.randrange(1, PRIME) for _ in range(count))

        return cls(
            numbers(levels),
            numbers(levels),
            tuple(constant(w, depth) for w in numbers(lines)),
            tuple(constant(q, depth) for q in numbers(lines)),
            tuple(numbers(levels) for _ in range(levels)),
            numbers(1)[0],
        )

    def on_resonance(self, opened: int, a: int, b: int) -> Point:
        """The same with w_0 moved such that w_0 + ... + w_(opened-1) + E_a - E_b = eps."""
        depth = len(self.frequencies[0])
        w = self.energies[b] - self.energies[a]
        q = self.boltzmann[b] * inverse(self.boltzmann[a]) % PRIME
        for j in range(1, opened):
            w -= self.frequencies[j][0]
            q = q * inverse(self.weights[j][0]) % PRIME
        first = ((w % PRIME, 1) + (0,) * depth)[:depth]
        decay, term = [], q  # q exp(-beta eps)
        for k in range(depth):
            decay.append(term)
            term = -term * self.beta * inverse(k + 1) % PRIME
        return Point(
            self.energies,
            self.boltzmann,
            (first, *self.frequencies[1:]),
            (tuple(decay), *self.weights[1:]),
            self.coupling,
            self.beta,
        )

    @property
    def levels(self) -> int:
        """Number of levels N."""
        return len(self.energies)


def mean_force_term(point: Point, lines: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """What is linear in the spectrum at each of these lines in Tr_B exp(-beta H)/Z_B, (N, N).

    The lines must be off resonance: only the leading coefficients of their series are used.
    """
    size = point.levels
    total = [[0] * size for _ in range(size)]
    if not lines:
        for n in range(size):
            total[n][n] = point.boltzmann[n]
        return tuple(map(tuple, total))
    known: dict[tuple[tuple[int, int], ...], int] = {}  # paths share divided differences
    for chain in chains(2 * len(lines)):
        for assigned in permutations(lines):
            for signs in product((1, -1), repeat=len(lines)):
                weight = 1
                for j, sign in zip(assigned, signs, strict=True):
                    weight = weight * (point.weights[j][0] if sign < 0 else 1) % PRIME
                shifts = [
                    _shift(point, [(assigned[k], signs[k]) for k in arcs])
                    for arcs in chain.spanning
                ]
                for path in product(range(size), repeat=2 * len(lines) + 1):
                    nodes = tuple(sorted(_nodes(point, path, shifts)))
                    if nodes not in known:
                        known[nodes] = divided_difference(nodes, point.beta)
                    value = weight * known[nodes]
                    for i, k in pairwise(path):
                        value = value * point.coupling[i][k] % PRIME
                    total[path[0]][path[-1]] += value
    return tuple(tuple(x % PRIME for x in row) for row in total)


def _shift(point: Point, lines: Sequence[Line]) -> tuple[int, int]:
    """The sum of the lines' frequencies and exp(-beta sum)."""
    w, q = 0, 1
    for j, sign in lines:
        w += sign * point.frequencies[j][0]
        weight = point.weights[j][0]
        q = q * (weight if sign > 0 else inverse(weight)) % PRIME
    return w % PRIME, q


def _nodes(
    point: Point, path: Sequence[int], shifts: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """(x, exp(-beta x)) for the energies x along a path."""
    for n in (path[0], path[-1]):
        yield point.energies[n], point.boltzmann[n]
    for k, (w, q) in zip(path[1:-1], shifts, strict=True):
        yield (point.energies[k] + w) % PRIME, point.boltzmann[k] * q % PRIME


def divided_difference(nodes: Sequence[tuple[int, int]], beta: int) -> int:
    """f[x_0, ..., x_k] of f(x) = exp(-beta x) from nodes (x, f(x)), equal ones included."""
    nodes = sorted(nodes)
    x = [node[0] for node in nodes]
    table = [node[1] for node in nodes]
    values = dict(nodes)
    factor = 1  # (-beta)^k/k!
    for k in range(1, len(nodes)):
        factor = -factor * beta * inverse(k) % PRIME
        table = [
            (table[i + 1] - table[i]) * inverse(x[i + k] - x[i]) % PRIME
            if x[i + k] != x[i]
            else values[x[i]] * factor % PRIME
            for i in range(len(nodes) - k)
        ]
    return table[0]
