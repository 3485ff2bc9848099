"""Values of formulas in w: one walk over the tree for every kind of number, and guarded values."""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from functools import reduce
from typing import Any, Final, NamedTuple

import flint
import mpmath
import sympy

from pertsym.precision import ball_bits

W: Final = sympy.Symbol("w", positive=True)
"""The variable of every spectral density."""

_FUNCTIONS: Final = ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh")
_RECIPROCAL: Final = {
    "sec": "cos", "csc": "sin", "cot": "tan", "sech": "cosh", "csch": "sinh", "coth": "tanh"
}  # fmt: skip


_GUARD: Final = 10  # bits


class NoValue(ArithmeticError):
    """The formula has no usable value at this point: a pole, or an argument far too large."""


class Arithmetic(NamedTuple):
    """What a walk over a formula needs of a kind of number, beside + and *.

    Attributes
    ----------
    constant
        A formula without w to a function of w; None where its parts are walked over.
    power
        A number of SymPy to the function that takes the power with this exponent.
    function
        The name of exp, log, sin, cos, tan, sinh, cosh or tanh to that function.
    """

    constant: Callable[[sympy.Expr], Callable[[Any], Any] | None]
    power: Callable[[sympy.Expr], Callable[[Any], Any]]
    function: Callable[[str], Callable[[Any], Any]]


def compiled(node: sympy.Expr, arithmetic: Arithmetic) -> Callable[[Any], Any]:
    """A formula as a function of w.

    Raises
    ------
    NoValue
        If a node has no meaning in numbers.
    """
    if node == W:
        return lambda w: w
    if not node.has(W) and (known := arithmetic.constant(node)) is not None:
        return known
    parts = [compiled(argument, arithmetic) for argument in node.args]
    if node.is_Add or node.is_Mul:
        join = operator.add if node.is_Add else operator.mul
        return lambda w: reduce(join, [part(w) for part in parts])
    if node.is_Pow and node.exp.has(W):
        exp, log = map(arithmetic.function, ("exp", "log"))
        return lambda w: exp(log(parts[0](w)) * parts[1](w))
    if node.is_Pow:
        power = arithmetic.power(node.exp)
        return lambda w: power(parts[0](w))
    name = node.func.__name__
    if name not in (*_FUNCTIONS, *_RECIPROCAL):
        raise NoValue(f"{node.func} is not evaluated here")
    function = arithmetic.function(_RECIPROCAL.get(name, name))
    if name in _RECIPROCAL:
        return lambda w: 1 / function(parts[0](w))
    return lambda w: function(parts[0](w))


def _number(node: sympy.Expr) -> Callable[[Any], Any] | None:
    """A number without parts as a ball of the working precision."""
    if node.is_Rational:
        exact = rational_ball(node)
        return lambda _: flint.arb(exact)
    if node.is_Float:
        return lambda _: flint.arb(str(node))
    if node is sympy.I:
        return lambda _: flint.acb(0, 1)
    if node is sympy.pi:
        return lambda _: flint.arb.pi()
    return (lambda _: flint.arb(1).exp()) if node is sympy.E else None


def _power(exponent: sympy.Expr) -> Callable[[Any], Any]:
    if exponent.is_Integer:
        natural = abs(int(exponent))
        if exponent < 0:
            return lambda base: 1 / base**natural
        return lambda base: base**natural
    number, positive = balls_of(exponent), bool(exponent.is_positive)
    return lambda base: base if positive and base.is_zero() else base ** number(None)


BALLS: Final = Arithmetic(_number, _power, operator.methodcaller)
_COMPLEX: Final = BALLS._replace(
    constant=lambda node: (real := _number(node)) and (lambda w: flint.acb(real(w)))
)


def balls_of(expr: sympy.Expr) -> Callable[[Any], Any]:
    """A formula as a function that encloses its values for all w in a ball (`arb` or `acb`)."""
    return compiled(expr, BALLS)


def enclosed(expr: sympy.Expr) -> Any:
    """A ball that holds the value of a formula without w."""
    return balls_of(expr)(None)


def rational(value: Fraction) -> sympy.Rational:
    """A fraction as SymPy's number."""
    return sympy.Rational(value.numerator, value.denominator)


def rational_ball(value: sympy.Rational) -> Any:
    """SymPy's rational as an exact `fmpq`."""
    return flint.fmpq(int(value.p), int(value.q))


def shown(expr: sympy.Expr) -> str:
    """A formula in a message, cut to a readable length."""
    text = str(expr)
    return text if len(text) <= 60 else text[:57] + "..."


def value_at(expr: sympy.Expr, point: Any) -> Any:
    """Evaluate at w = point (mpf) in mpmath's working precision.

    Raises
    ------
    NoValue
        Instead of an overflow or a computation without end.
    """
    if expr.is_Piecewise:
        for formula, condition in expr.args:
            if holds_at(condition, point):
                return value_at(formula, point)
        raise NoValue("no case of Piecewise holds")
    sign, man, exponent, _ = point._mpf_
    with ball_bits(mpmath.mp.prec + _GUARD):
        w = flint.acb(int(-man if sign else man)) * flint.acb(2) ** exponent
        value = compiled(expr, _COMPLEX)(w)
        if not value.is_finite():
            raise NoValue("it is infinite, or an argument is too large")
        parts = [x.mid().man_exp() for x in (value.real, value.imag)]
    real, imaginary = (mpmath.ldexp(int(man), int(exponent)) for man, exponent in parts)
    return mpmath.mpc(real, imaginary) if imaginary else real


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
