"""Exact correlation functions of one spin 1/2 at any number of times, from Pauli algebra.

H = (omega sigma_z + Delta sigma_x)/2 in the thermal state, and B = sigma_z.  In the eigenbasis,
with splitting wt = sqrt(omega^2 + Delta^2), every average is a finite sum of exponentials,

    <sigma_z(t_1) ... sigma_z(t_n)> = sum_k c_k exp(i wt (k_1 t_1 + ... + k_n t_n)),

with c_k a polynomial in cos(theta) = omega/wt, sin(theta) = Delta/wt and the polarisation
h = tanh(beta wt/2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product
from types import MappingProxyType

import sympy

COS, SIN, POLARISATION = sympy.symbols("cos_theta sin_theta h", real=True)
"""omega/wt, Delta/wt and tanh(beta wt/2)."""

Phase = tuple[int, ...]
"""k_j: the exponential is exp(i wt sum_j k_j t_j)."""


@dataclass(frozen=True)
class ExponentialSum:
    """sum_k c_k exp(i wt sum_j k_j t_j) over a fixed number of times.

    Attributes
    ----------
    terms
        Phase -> coefficient, expanded with cos^2 + sin^2 = 1, without zeros.
    """

    terms: Mapping[Phase, sympy.Expr]

    @classmethod
    def collect(cls, terms: Iterable[tuple[Phase, sympy.Expr]]) -> ExponentialSum:
        """Add up equal exponentials and drop those that cancel."""
        sums: dict[Phase, sympy.Expr] = {}
        for phase, value in terms:
            sums[phase] = sums.get(phase, sympy.Integer(0)) + value
        reduced = {phase: _reduced(value) for phase, value in sums.items()}
        return cls(MappingProxyType({k: reduced[k] for k in sorted(reduced) if reduced[k] != 0}))

    def __add__(self, other: ExponentialSum) -> ExponentialSum:
        return ExponentialSum.collect((*self.terms.items(), *other.terms.items()))

    def __sub__(self, other: ExponentialSum) -> ExponentialSum:
        return self + other.scaled(-1)

    def __mul__(self, other: ExponentialSum) -> ExponentialSum:
        return ExponentialSum.collect(
            (tuple(a + b for a, b in zip(k, m, strict=True)), x * y)
            for k, x in self.terms.items()
            for m, y in other.terms.items()
        )

    def scaled(self, factor: object) -> ExponentialSum:
        """The sum times a number."""
        return ExponentialSum.collect((k, sympy.sympify(factor) * x) for k, x in self.terms.items())

    def at(self, times: Sequence[int], count: int) -> ExponentialSum:
        """The same function of the times with these numbers, among `count` times."""
        placed = []
        for phase, value in self.terms.items():
            k = [0] * count
            for time, part in zip(times, phase, strict=True):
                k[time] += part
            placed.append((tuple(k), value))
        return ExponentialSum.collect(placed)

    def specialised(self, values: Mapping[sympy.Symbol, object]) -> ExponentialSum:
        """With numbers or expressions for COS, SIN or POLARISATION."""
        return ExponentialSum.collect((k, x.subs(values)) for k, x in self.terms.items())


def _reduced(value: sympy.Expr) -> sympy.Expr:
    return sympy.expand(
        sympy.expand(value).subs(SIN**4, (1 - COS**2) ** 2).subs(SIN**2, 1 - COS**2)
    )


def _sigma_z() -> tuple[tuple[sympy.Expr, ...], ...]:
    """sigma_z in the eigenbasis (|+>, |->) of H, derived from its eigenvectors."""
    half = sympy.Symbol("theta", real=True) / 2
    vectors = sympy.Matrix(
        [[sympy.cos(half), -sympy.sin(half)], [sympy.sin(half), sympy.cos(half)]]
    )
    matrix = (vectors.T * sympy.diag(1, -1) * vectors).applyfunc(sympy.trigsimp)
    named = {sympy.cos(2 * half): COS, sympy.sin(2 * half): SIN}
    return tuple(tuple(matrix[i, j].subs(named) for j in range(2)) for i in range(2))


@cache
def moment(count: int) -> ExponentialSum:
    """<sigma_z(t_1) ... sigma_z(t_n)>, operators in this order, times in any order."""
    matrix = _sigma_z()
    weights = ((1 - POLARISATION) / 2, (1 + POLARISATION) / 2)  # upper and lower state
    terms = []
    for path in product(range(2), repeat=count):
        closed = (*path, path[0])
        amplitude = weights[path[0]]
        for a, b in pairwise(closed):
            amplitude = amplitude * matrix[a][b]
        # |a><b| turns with E_a - E_b; index 0 is the upper state
        terms.append((tuple(b - a for a, b in pairwise(closed)), amplitude))
    return ExponentialSum.collect(terms)


@cache
def centred_moment(count: int) -> ExponentialSum:
    """The same for sigma_z - <sigma_z>."""
    mean = moment(1).terms.get((0,), sympy.Integer(0))
    total = ExponentialSum.collect(())
    for kept in product((True, False), repeat=count):
        times = [j for j, keep in enumerate(kept) if keep]
        weight = (-mean) ** (count - len(times))
        if times:
            total = total + moment(len(times)).at(times, count).scaled(weight)
        else:
            total = total + ExponentialSum.collect([((0,) * count, weight)])
    return total


def correlation() -> ExponentialSum:
    """<dB(t_1) dB(t_2)> of dB = sigma_z - <sigma_z>."""
    return centred_moment(2)


@cache
def fourth_cumulant() -> ExponentialSum:
    """<B1 B2 B3 B4> minus the three pairings, each pair in the same operator order."""
    pair = correlation()
    pairings = (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2)))
    total = centred_moment(4)
    for first, second in pairings:
        total = total - pair.at(first, 4) * pair.at(second, 4)
    return total


UNBIASED: Mapping[sympy.Symbol, int] = MappingProxyType({COS: 0, SIN: 1})
"""omega = 0: no asymmetry energy."""
