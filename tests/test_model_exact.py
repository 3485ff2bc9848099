"""Exact Gaussian rationals against pairs of fractions and Python's complex numbers."""

import pickle
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pertsym.exact import Gaussian, exact_rational

rationals = st.fractions(min_value=-50, max_value=50, max_denominator=40)
gaussians = st.builds(Gaussian, rationals, rationals)


@given(gaussians, gaussians)
def test_arithmetic_is_that_of_pairs_of_fractions(x: Gaussian, y: Gaussian) -> None:
    assert (x + y).re == x.re + y.re
    assert (x + y).im == x.im + y.im
    assert (x - y).re == x.re - y.re
    assert (x - y).im == x.im - y.im
    assert (x * y).re == x.re * y.re - x.im * y.im
    assert (x * y).im == x.re * y.im + x.im * y.re
    assert (x.conjugate().re, x.conjugate().im) == (x.re, -x.im)


@given(gaussians, gaussians)
def test_equal_values_are_one_value(x: Gaussian, y: Gaussian) -> None:
    back = x + y - y
    assert back == x
    assert hash(back) == hash(x)
    assert bool(x - x) is False
    assert bool(x) is (x.re != 0 or x.im != 0)


@given(gaussians, rationals)
def test_real_operands_from_either_side(x: Gaussian, r: Fraction) -> None:
    assert r * x == x * r == x * Gaussian(r)
    assert r + x == x + r == x + Gaussian(r)
    assert r - x == -(x - r)
    assert Gaussian(r) == r
    assert hash(Gaussian(r)) == hash(r)


@given(gaussians, gaussians, st.integers(0, 5))
def test_division_and_powers_undo_products(x: Gaussian, y: Gaussian, n: int) -> None:
    if not y:
        with pytest.raises(ZeroDivisionError, match="by zero"):
            x / y
        return
    assert x / y * y == x
    assert 1 / y * y == 1
    assert y**n * y**-n == 1
    assert y ** (n + 1) == y**n * y


def test_decimals_are_what_was_written() -> None:
    assert Gaussian.of(0.1, "-2.5e-1") == Gaussian(Fraction(1, 10), Fraction(-1, 4))
    assert exact_rational(1.25e-300) == Fraction(125, 10**302)
    assert complex(Gaussian.of(0.1, 0.3)) == 0.1 + 0.3j


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_survive(x: float) -> None:
    assert float(exact_rational(x)) == x


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), "1e999999999", "0x10", "1_0", "", "i"])
def test_refuses_what_is_no_moderate_decimal(bad: float | str) -> None:
    with pytest.raises(ValueError, match=r"number|exponent"):
        exact_rational(bad)


def test_immutable_and_pickles() -> None:
    number = Gaussian.of(0.5, 0.25)
    with pytest.raises(AttributeError, match="immutable"):
        number.re = Fraction(1)  # type: ignore[misc]
    with pytest.raises(AttributeError, match="immutable"):
        number._a = 3
    assert pickle.loads(pickle.dumps(number)) == number
    assert str(Gaussian(1, -2)) == "1-2i"
