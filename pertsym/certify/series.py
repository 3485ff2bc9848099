"""Power series in eps over any field.

A series is known to as many coefficients as it has; division by eps costs one.
"""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import Any

Element = Any
"""Of a field: + - * / with its like and with integers, ==, and false if zero.

Here these are `flint.nmod`, integers modulo a prime, and `RationalFunction`.
"""

Series = tuple[Element, ...]
"""Coefficients of 1, eps, eps^2, ..., as many as are known."""


class NotDivisible(ArithmeticError):
    """A series that does not start with eps was to be divided by one that does."""


def constant(x: Element, depth: int) -> Series:
    """An element as a series of `depth` coefficients."""
    return (x, *(0 * x,) * (depth - 1))


def times(a: Series, factor: Element) -> Series:
    """The series times an element."""
    return tuple(x * factor for x in a)


def multiplied(a: Series, b: Series) -> Series:
    """The product as far as both are known."""
    depth = min(len(a), len(b))
    return tuple(reduce(add, (a[i] * b[k - i] for i in range(k + 1))) for k in range(depth))


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
    found: list[Element] = []
    for k in range(min(len(a), len(b))):
        rest = reduce(add, (b[k - i] * found[i] for i in range(k)), 0 * a[k])
        found.append((a[k] - rest) / b[0])
    return tuple(found)
