"""Guarded numerical values of formulas in w, for checks of what was decided analytically."""

from __future__ import annotations

from collections.abc import Mapping
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
    }
)


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


def _power(base: Any, exponent: Any) -> Any:
    if base:
        _check_size(exponent * mpmath.log(base))
    return mpmath.power(base, exponent)


def _check_size(argument: Any) -> None:
    if argument and mpmath.mag(argument) > _LARGEST_ARGUMENT_BITS:
        raise NoValue("an argument is too large")
