"""Checks of Sec. II: moments, cumulants, structure of the generator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import factorial
from typing import Any

import numpy as np

from derivations.laird_budimir_skinner_1991.common import BLOCH
from pertsym.certify.claims import Finding, Findings, check, exact
from pertsym.certify.standard import trace_and_hermiticity
from pertsym.expansion.cumulants import word_coefficients
from pertsym.expansion.moments import Blocks, generator_in_moments, ordered_cumulant_blocks
from pertsym.expansion.pairings import pairings

Matrix = Any
"""2 x 2 array of Fractions."""
Polynomial = dict[int, Matrix]
"""Power of t -> coefficient."""

# A random Liouvillian -i L(t) = +-(A + t B) with (A, B) drawn from this list: a finite ensemble
# stands for Tr_b[... rho_b], so that every average and every integral is an exact number.
_DRAWN = ((((1, 2), (0, -1)), ((3, 0), (1, 1))), (((0, 1), (1, 2)), ((-1, 1), (2, 0))))
ENSEMBLE: tuple[tuple[Matrix, Matrix], ...] = tuple(
    (sign * a, sign * b)
    for first, second in _DRAWN
    for a, b in [tuple(np.array(m, dtype=object) * Fraction(1) for m in (first, second))]
    for sign in (1, -1)
)
ENSEMBLE_ROUTE = "exact averages over a finite ensemble of Liouvillians linear in t"


def average(times: Sequence[int]) -> Iterator[tuple[tuple[int, ...], Matrix]]:
    """<l(t_1) ... l(t_n)> as (powers of the times, coefficient)."""
    for powers in product((0, 1), repeat=len(times)):
        total = np.zeros((2, 2), dtype=object)
        for member in ENSEMBLE:
            chain = np.eye(2, dtype=object)
            for power in powers:
                chain = chain @ member[power]
            total = total + chain * Fraction(1, len(ENSEMBLE))
        yield powers, total


def integrated(powers: Sequence[int]) -> tuple[Fraction, int]:
    """int t1^p1 ... tm^pm over t > t1 > ... > tm > 0: coefficient and power of t."""
    coefficient, power = Fraction(1), 0
    for p in reversed(powers):
        power += p + 1
        coefficient /= power
    return coefficient, power


def moment(n: int) -> Polynomial:
    """M^(n)(t) of Eq. (30): n! times the n-th iterated integral."""
    total: Polynomial = {}
    for powers, value in average(range(n)):
        coefficient, power = integrated(powers)
        _add(total, power, value * (coefficient * factorial(n)))
    return total


def cumulant_integral(blocks: Mapping[Blocks, int], order: int) -> Polynomial:
    """int dt1 ... of signed products of averages, time 0 being t: Eqs. (40), (41)."""
    total: Polynomial = {}
    for partition, sign in blocks.items():
        for choice in product(*(list(average(block)) for block in partition)):
            powers = [0] * order
            value = np.eye(2, dtype=object) * Fraction(sign)
            for block, (exponents, matrix) in zip(partition, choice, strict=True):
                value = value @ matrix
                for time, exponent in zip(block, exponents, strict=True):
                    powers[time] = exponent
            coefficient, power = integrated(powers[1:])
            _add(total, power + powers[0], value * coefficient)
    return total


def derivative(polynomial: Polynomial) -> Polynomial:
    """d/dt."""
    return {power - 1: value * Fraction(power) for power, value in polynomial.items() if power}


def times(a: Polynomial, b: Polynomial, scale: Fraction = Fraction(1)) -> Polynomial:
    """scale * a(t) b(t), in this order."""
    total: Polynomial = {}
    for i, x in a.items():
        for j, y in b.items():
            _add(total, i + j, (x @ y) * scale)
    return total


def plus(a: Polynomial, b: Polynomial) -> Polynomial:
    """a(t) + b(t)."""
    total = dict(a)
    for power, value in b.items():
        _add(total, power, value)
    return total


def _add(total: Polynomial, power: int, value: Matrix) -> None:
    total[power] = total[power] + value if power in total else value


def equal(a: Polynomial, b: Polynomial) -> bool:
    """Whether two matrix polynomials are the same."""
    zero = np.zeros((2, 2), dtype=object)
    return all(np.array_equal(a.get(k, zero), b.get(k, zero)) for k in a.keys() | b.keys())


def from_moments(order: int) -> Polynomial:
    """R^(order)(t) by `generator_in_moments`."""
    total: Polynomial = {}
    for word, coefficient in generator_in_moments(order).items():
        term = derivative(moment(word[0]))
        for n in word[1:]:
            term = times(term, moment(n))
        total = plus(total, times(term, {0: np.eye(2, dtype=object)}, coefficient))
    return total


@check("series of Phi^-1", ENSEMBLE_ROUTE)
def moments(digits: int) -> Findings:
    """(25)-(39): the series solves the equation of motion, and R Phi = dPhi/dt order by order."""
    for n in range(1, 5):  # d/dt of the n-th iterated integral is l(t) times the one before
        for powers in product((0, 1), repeat=n):
            coefficient, power = integrated(powers)
            inner, inner_power = integrated(powers[1:])
            holds = coefficient * power == inner and power - 1 == powers[0] + inner_power
            yield Finding(f"derivative of the iterated integral of {powers}", holds)
    yield Finding("odd moments vanish", equal(moment(1), {}) and equal(moment(3), {}))
    for order in (2, 4):
        made: Polynomial = {}
        for k in range(2, order + 1, 2):
            rest = moment(order - k) if k < order else {0: np.eye(2, dtype=object)}
            scale = Fraction(1, factorial(order - k))
            made = plus(made, times(from_moments(k), rest, scale))
        wanted = times(
            derivative(moment(order)), {0: np.eye(2, dtype=object)}, Fraction(1, factorial(order))
        )
        yield Finding(f"R Phi = dPhi/dt at order {order}", equal(made, wanted))
    paper = {2: {(2,): Fraction(1, 2)}, 4: {(4,): Fraction(1, 24), (2, 2): Fraction(-1, 4)}}
    yield from (
        exact(f"coefficients of ({equation})", dict(generator_in_moments(n)), paper[n])
        for n, equation in ((2, 38), (4, 39))
    )


@check("ordered partitions", "moments", ENSEMBLE_ROUTE)
def cumulant_2(digits: int) -> Findings:
    """(40)."""
    blocks = ordered_cumulant_blocks(2)
    yield exact("blocks of (40)", dict(blocks), {((0, 1),): 1})
    yield Finding("integral of (40) = R(2)", equal(cumulant_integral(blocks, 2), from_moments(2)))


@check("ordered partitions", "moments", ENSEMBLE_ROUTE)
def cumulant_4(digits: int) -> Findings:
    """(41), and that Wick's theorem applied to its averages leaves the engine's words."""
    blocks = ordered_cumulant_blocks(4)
    pairs = (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2)))
    paper = {((0, 1, 2, 3),): 1} | dict.fromkeys(pairs, -1)
    yield exact("blocks of (41)", dict(blocks), paper)
    yield Finding("integral of (41) = R(4)", equal(cumulant_integral(blocks, 4), from_moments(4)))
    for pairing in pairings(4):
        words: dict[tuple[int, ...], int] = {}
        for partition, sign in blocks.items():
            if all(any(set(pair) <= set(block) for block in partition) for pair in pairing):
                word = tuple(time for block in partition for time in block)
                words[word] = words.get(word, 0) + sign
        left = {word: sign for word, sign in words.items() if sign}
        yield exact(f"words of {pairing}", dict(word_coefficients(pairing)), left)


generator_structure = trace_and_hermiticity(BLOCH.generator)
