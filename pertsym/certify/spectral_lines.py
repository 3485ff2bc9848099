"""The mean-force Gibbs state for formal spectral lines, exactly, over any field.

A term of order 2n in Tr_B exp(-beta H) is linear in the spectrum at each of n frequencies; for n
lines of frequencies w_j, with weights 1 at w_j and exp(-beta w_j) at -w_j, it is a rational
function of energies, frequencies, matrix elements, beta and exponentials.  It is computed with
these as variables, or at a point of a finite field.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, permutations, product
from typing import Protocol

import flint

from pertsym.algebra.rational_functions import RationalFunction
from pertsym.certify.series import Element, Series, constant
from pertsym.equations.mean_force import chains

PRIME = 2**61 - 1

Line = tuple[int, int]
"""Number of an oscillator and the sign, +1 or -1, of its frequency."""


@dataclass(frozen=True)
class Point:
    """Elements of a field for everything that the identities depend on.

    Attributes
    ----------
    energies, boltzmann
        E_k and exp(-beta E_k).
    frequencies, weights
        w_j and exp(-beta w_j), as series in the distance eps from a resonance.
    coupling
        S_nm.
    """

    energies: tuple[Element, ...]
    boltzmann: tuple[Element, ...]
    frequencies: tuple[Series, ...]
    weights: tuple[Series, ...]
    coupling: tuple[tuple[Element, ...], ...]
    beta: Element

    def on_resonance(self, opened: int, a: int, b: int) -> Point:
        """The same with w_0 moved such that w_0 + ... + w_(opened-1) + E_a - E_b = eps."""
        depth = len(self.frequencies[0])
        w = self.energies[b] - self.energies[a]
        q = self.boltzmann[b] / self.boltzmann[a]
        for j in range(1, opened):
            w -= self.frequencies[j][0]
            q /= self.weights[j][0]
        first = (w, 1 + 0 * w, *(0 * w,) * depth)[:depth]
        decay, term = [], q  # q exp(-beta eps)
        for k in range(depth):
            decay.append(term)
            term *= -self.beta / (k + 1)
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


class Points(Protocol):
    """Where identities are tested: a point for each number of lines."""

    def __call__(self, lines: int, depth: int = 1) -> Point:
        """Off every resonance, with series of `depth` coefficients."""


@dataclass(frozen=True)
class RandomPoints:
    """Points of the field of 2^61 - 1 elements: they sample an identity.

    The coupling matrix is neither symmetric nor real: nothing rests on that.
    """

    levels: int
    seed: int = 1

    def __call__(self, lines: int, depth: int = 1) -> Point:
        """Random elements, the same whenever the seed is."""
        source = random.Random(self.seed)

        def numbers(count: int) -> tuple[Element, ...]:
            return tuple(flint.nmod(source.randrange(1, PRIME), PRIME) for _ in range(count))

        return Point(
            numbers(self.levels),
            numbers(self.levels),
            tuple(constant(w, depth) for w in numbers(lines)),
            tuple(constant(q, depth) for q in numbers(lines)),
            tuple(numbers(self.levels) for _ in range(self.levels)),
            numbers(1)[0],
        )


@dataclass(frozen=True)
class TwoLevelVariables:
    """The variables themselves, which prove an identity, for two levels.

    Units of energy and coupling are E_1 - E_0 and |S_01|, whose phase drops out.

    Attributes
    ----------
    diagonal
        Whether S_00 and S_11 are variables, or zero.
    """

    diagonal: bool

    def __call__(self, lines: int, depth: int = 1) -> Point:
        """Frequencies w_j, weights q_j, beta, x = exp(-beta (E_1 - E_0)), S_00, S_11."""
        numbered = [f"{name}{j}" for name in "wq" for j in range(lines)]
        variables = RationalFunction.variables([*numbered, "beta", "x", "s00", "s11"])
        beta, x, s00, s11 = variables[-4:]
        one = 1 + 0 * x
        first, last = (s00, s11) if self.diagonal else (0 * x, 0 * x)
        return Point(
            (0 * x, one),
            (one, x),
            tuple(constant(w, depth) for w in variables[:lines]),
            tuple(constant(q, depth) for q in variables[lines : 2 * lines]),
            ((first, one), (one, last)),
            beta,
        )


Node = tuple[int, tuple[Line, ...]]
"""A level and the lines whose frequencies add to its energy."""


def mean_force_term(point: Point, lines: Sequence[int]) -> tuple[tuple[Element, ...], ...]:
    """What is linear in the spectrum at each of these lines in Tr_B exp(-beta H)/Z_B, (N, N).

    The lines must be off resonance: only the leading coefficients of their series are used.
    """
    size = point.levels
    total = [[0 * point.beta] * size for _ in range(size)]
    if not lines:
        for n in range(size):
            total[n][n] = point.boltzmann[n]
        return tuple(map(tuple, total))
    known: dict[tuple[Node, ...], Element] = {}  # paths share divided differences
    for chain in chains(2 * len(lines)):
        for assigned in permutations(lines):
            for signs in product((1, -1), repeat=len(lines)):
                weight = 1
                for j, sign in zip(assigned, signs, strict=True):
                    weight = weight * (point.weights[j][0] if sign < 0 else 1)
                shifts = [
                    tuple(sorted((assigned[k], signs[k]) for k in arcs)) for arcs in chain.spanning
                ]
                for path in product(range(size), repeat=2 * len(lines) + 1):
                    ends: list[Node] = [(path[0], ()), (path[-1], ())]
                    nodes = tuple(sorted([*ends, *zip(path[1:-1], shifts, strict=True)]))
                    if nodes not in known:
                        values = [_node(point, node) for node in nodes]
                        known[nodes] = divided_difference(values, point.beta)
                    value = weight * known[nodes]
                    for i, k in pairwise(path):
                        value = value * point.coupling[i][k]
                    total[path[0]][path[-1]] += value
    return tuple(map(tuple, total))


def _node(point: Point, node: Node) -> tuple[Element, Element]:
    """x and exp(-beta x), where x is the energy of the level and its lines."""
    level, lines = node
    x, f = point.energies[level], point.boltzmann[level]
    for j, sign in lines:
        weight = point.weights[j][0]
        x += sign * point.frequencies[j][0]
        f = f * weight if sign > 0 else f / weight
    return x, f


def divided_difference(nodes: Sequence[tuple[Element, Element]], beta: Element) -> Element:
    """f[x_0, ..., x_k] of f(x) = exp(-beta x) from nodes (x, f(x)).

    Equal ones may be among them, side by side.
    """
    x = [node[0] for node in nodes]
    table = values = [node[1] for node in nodes]
    factor = 1  # (-beta)^k/k!
    for k in range(1, len(nodes)):
        factor = -factor * beta / k
        table = [
            values[i] * factor
            if x[i + k] == x[i]
            else (table[i + 1] - table[i]) / (x[i + k] - x[i])
            for i in range(len(nodes) - k)
        ]
    return table[0]
