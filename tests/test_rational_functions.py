"""Rational functions against SymPy's field of the same."""

from __future__ import annotations

from typing import Any

import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pertsym.algebra.rational_functions import RationalFunction

NAMES = ("x", "y", "z")
FIELD, *SYMPY = sympy.field(NAMES, sympy.ZZ)
OURS = RationalFunction.variables(NAMES)

Both = tuple[RationalFunction, Any]
"""One element in the two implementations."""

leaves = st.one_of(
    st.integers(0, 2).map(lambda k: (OURS[k], SYMPY[k])),
    st.integers(-3, 3).map(lambda n: (0 * OURS[0] + n, FIELD(n))),
)


def combine(parts: tuple[str, Both, Both]) -> Both:
    sign, (a, s), (b, t) = parts
    if sign == "+":
        return a + b, s + t
    if sign == "-":
        return a - b, s - t
    if sign == "*" or not b:
        return a * b, s * t
    return a / b, s / t


elements = st.recursive(
    leaves, lambda e: st.tuples(st.sampled_from("+-*/"), e, e).map(combine), max_leaves=8
)


def agrees(ours: RationalFunction, theirs: Any) -> bool:
    """Whether the two stand for one element."""
    x = dict(zip(NAMES, OURS, strict=True))
    numerator = polynomial_of(theirs.numer, x)
    return ours == numerator / polynomial_of(theirs.denom, x)


def polynomial_of(polynomial: Any, x: dict[str, RationalFunction]) -> RationalFunction:
    total = 0 * OURS[0]
    for powers, coefficient in polynomial.terms():
        term = 0 * OURS[0] + int(coefficient)
        for name, power in zip(NAMES, powers, strict=True):
            for _ in range(power):
                term = term * x[name]
        total = total + term
    return total


@settings(max_examples=100, derandomize=True, deadline=None)
@given(elements)
def test_arithmetic(pair: Both) -> None:
    ours, theirs = pair
    assert agrees(ours, theirs)
    assert bool(ours) == bool(theirs)
    assert (ours == 0) == (theirs == 0)


@settings(max_examples=50, derandomize=True, deadline=None)
@given(elements)
def test_lowest_terms(pair: Both) -> None:
    ours, theirs = pair
    assume(theirs)
    assert ours.numerator.gcd(ours.denominator).is_one()
    assert ours.denominator.leading_coefficient() > 0
    assert ours.inverse() * ours == 1
    assert 1 / ours == ours.inverse()
    assert 2 - ours == -(ours - 2)


def test_zero_has_no_inverse() -> None:
    with pytest.raises(ZeroDivisionError, match="zero"):
        OURS[0] / (OURS[1] - OURS[1])
    with pytest.raises(ZeroDivisionError, match="zero"):
        OURS[0] / 0
