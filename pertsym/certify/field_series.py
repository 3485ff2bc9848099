"""Power series in eps over the field of 2^61 - 1 elements, and matrices of them.

A series is known to as many coefficients as it has; division by eps costs one.
"""

from __future__ import annotations

from collections.abc import Sequence

PRIME = 2**61 - 1

Series = tuple[int, ...]
"""Coefficients of 1, eps, eps^2, ... modulo PRIME, as many as are known."""

Matrix = tuple[tuple[Series, ...], ...]


class NotDivisible(ArithmeticError):
    """A series that does not start with eps was to be divided by one that does."""


def inverse(x: int) -> int:
    """1/x in the field."""
    return pow(x, -1, PRIME)


def constant(x: int, depth: int) -> Series:
    """A number as a series of `depth` coefficients."""
    return (x % PRIME, *(0,) * (depth - 1))


def plus(a: Series, b: Series) -> Series:
    """The sum as far as both are known."""
    return tuple((x + y) % PRIME for x, y in zip(a, b, strict=False))


def times(a: Series, number: int) -> Series:
    """The series times a number."""
    return tuple(x * number % PRIME for x in a)


def combined(numbers: Sequence[int], series: Sequence[Series]) -> Series:
    """sum of number * series."""
    return tuple(
        sum(z * x for z, x in zip(numbers, column, strict=True)) % PRIME
        for column in zip(*series, strict=False)
    )


def multiplied(a: Series, b: Series) -> Series:
    """The product as far as both are known."""
    depth = min(len(a), len(b))
    return tuple(sum(a[i] * b[k - i] for i in range(k + 1)) % PRIME for k in range(depth))


def quotient(a: Series, b: Series, what: str) -> Series:
    """a/b; where b starts with eps, so must a, and the last coefficient is lost.

    Raises
    ------
    NotDivisible
        Naming `what`, if a does not start with eps although b does.
    """
    if not b[0]:
        if a[0]:
            raise NotDivisible(f"{what}: the right-hand side does not vanish on resonance")
        a, b = a[1:], b[1:]
    leading = inverse(b[0])
    found: list[int] = []
    for k in range(min(len(a), len(b))):
        found.append((a[k] - sum(b[k - i] * found[i] for i in range(k))) * leading % PRIME)
    return tuple(found)


def matrix_sum(a: Matrix, b: Matrix) -> Matrix:
    """The sum of two matrices."""
    return tuple(
        tuple(plus(x, y) for x, y in zip(row, other, strict=True))
        for row, other in zip(a, b, strict=True)
    )


def weighted(a: Matrix, weight: Series) -> Matrix:
    """The matrix times a series."""
    return tuple(tuple(multiplied(x, weight) for x in row) for row in a)


def negative(a: Matrix) -> Matrix:
    """The matrix times -1."""
    return tuple(tuple(times(x, -1) for x in row) for row in a)
