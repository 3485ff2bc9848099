"""Guarded numerical values of formulas in w, for checks of what was decided analytically."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final

import mpmath
import sympy

W: Final = sympy.Symbol("w", positive=True)
"""The variable of every spectral density."""

_LARGEST_ARGUMENT_BITS: Final = 300  # mpmath's exp needs as many extra bits as its argument has

_NUMERIC: Final[Mapping[type, str]] = MappingProxyType(
    {
        sympy.exp: "exp",
        sympy.log: "log",
        sympy.sin: "sin",
        sympy.cos: "cos",
        sympy.tan: "tan",
        sympy.sinh: "sinh",
        sympy.cosh: "cosh",
        sympy.tanh: "tanh",
        sympy.cot: "cot",
        sympy.coth: "coth",
        sympy.sec: "sec",
        sympy.csc: "csc",
        sympy.sech: "sech",
        sympy.csch: "csch",
    }
)


def rational(value: Fraction) -> sympy.Rational:
    """A fraction as SymPy's number."""
    return sympy.Rational(value.numerator, value.denominator)


def shown(expr: sympy.Expr) -> str:
    """A formula in a message, cut to a readable length."""
    text = str(expr)
    return text if len(text) <= 60 else text[:57] + "..."


class NoValue(ArithmeticError):
    """The formula has no usable value at this point: a pole, or an argument beyond 2^300."""


def value_at(expr: sympy.Expr, point: Any) -> Any:
    """Evaluate at w = point (mpf) in mpmath's working precision.

    Raises
    ------
    NoValue
        Instead of an overflow or a computation without end.
    """
    if expr == W:
        return point
    if expr.is_Rational:
        return mpmath.mpf(int(expr.p)) / int(expr.q)
    if expr is sympy.pi:
        return +mpmath.pi
    if expr is sympy.E:
        return +mpmath.e
    if expr is sympy.I:
        return mpmath.mpc(0, 1)
    if expr.is_Float:
        return mpmath.mpf(str(expr))
    if expr.is_Piecewise:
        for formula, condition in expr.args:
            if holds_at(condition, point):
                return value_at(formula, point)
        raise NoValue("no case of Piecewise holds")
    arguments = [value_at(argument, point) for argument in expr.args]
    try:
        if expr.is_Add:
            return mpmath.fsum(arguments)
        if expr.is_Mul:
            return mpmath.fprod(arguments)
        if expr.is_Pow:
            return _power(*arguments)
        name = _NUMERIC.get(expr.func)
        if name is None:
            raise NoValue(f"{expr.func} is not evaluated here")
        _check_size(arguments[0])
        return getattr(mpmath, name)(arguments[0])
    except (ZeroDivisionError, OverflowError, ValueError) as error:
        raise NoValue(str(error)) from None


def holds_at(condition: sympy.Basic, point: Any) -> bool:
    """Whether a condition made of comparisons, and, or, not holds at w = point (mpf)."""
    if condition in (sympy.true, sympy.false):
        return bool(condition)
    if isinstance(condition, sympy.And):
        return all(holds_at(part, point) for part in condition.args)
    if isinstance(condition, sympy.Or):
        return any(holds_at(part, point) for part in condition.args)
    if isinstance(condition, sympy.Not):
        return not holds_at(condition.args[0], point)
    left, right = (mpmath.re(value_at(side, point)) for side in condition.args)
    return bool(condition.func(int(mpmath.sign(left - right)), 0))


def _power(base: Any, exponent: Any) -> Any:
    if base:
        _check_size(exponent * mpmath.log(base))
    return mpmath.power(base, exponent)


def _check_size(argument: Any) -> None:
    if argument and mpmath.mag(argument) > _LARGEST_ARGUMENT_BITS:
        raise NoValue("an argument is too large")
