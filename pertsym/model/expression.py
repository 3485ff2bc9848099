"""Spectral densities written as text: a parser that never lets the text run.

The text is read into Python's syntax tree and the tree is walked with a whitelist; every node
becomes a call of a SymPy constructor.  Nothing is evaluated as Python, and numbers are kept as
the rationals that were written.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import sympy

from pertsym.exact import exact_rational
from pertsym.model import asymptotics, domain
from pertsym.model.numeric import W

FUNCTIONS: Final[dict[str, Callable[[sympy.Expr], sympy.Expr]]] = {
    "exp": sympy.exp,
    "log": sympy.log,
    "sqrt": sympy.sqrt,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
}
"""Functions of one argument; no abs, since J is only asked for at w > 0."""

NAMES: Final[dict[str, sympy.Expr]] = {"w": W, "pi": sympy.pi, "e": sympy.E}

_LONGEST_TEXT: Final = 1000
_DEEPEST_NESTING: Final = 150
_LARGEST_EXPONENT: Final = 1000
_LARGEST_NUMBER_BITS: Final = 4096
_ALLOWED: Final = "write it with w, numbers, + - * / ** ( ), pi, e and " + ", ".join(FUNCTIONS)


@dataclass(frozen=True)
class Expression:
    """J(w) for w > 0 as a formula in the one variable w.

    Convention: Ĉ(w > 0) = 2 J(w) [n(w) + 1] for a boson bath.

    Attributes
    ----------
    text : str
        What the user wrote.
    sympy_expr : sympy.Expr
        The same in `Symbol("w", positive=True)`, numbers exact.
    """

    text: str
    sympy_expr: sympy.Expr = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Expression:
        """The same as `parse_expression`."""
        return parse_expression(text)

    def __str__(self) -> str:
        return self.text


def parse_expression(text: str) -> Expression:
    """Read a formula in w, such as "0.1*w**3*exp(-w)"; ^ is a synonym of **.

    Raises
    ------
    ValueError
        Names the piece that is not allowed and says what is.  Also if the formula divides by
        zero or is not real somewhere at w > 0.
    """
    if len(text) > _LONGEST_TEXT:
        raise ValueError(
            f"the formula has {len(text)} characters, more than {_LONGEST_TEXT}; "
            'shorten it or tabulate J with kind = "table"'
        )
    source = " ".join(text.split()).replace("^", "**")
    expression = _Reader(source).read(_syntax_tree(source).body, 0)
    for point, fault in (
        (domain.first_complex_value(expression), "is not real at"),
        (domain.first_pole(expression), "is infinite near"),
    ):
        if point is not None:
            raise ValueError(
                f"{text.strip()[:60]!r} {fault} w = {point:.3g}; "
                "J(w) must be real and finite for every w > 0"
            )
    return Expression(text, expression)


def leading_power(expr: Expression | sympy.Expr) -> float:
    """Return p of J ~ w^p as w -> 0+; inf if J vanishes faster than every power.

    Raises
    ------
    ValueError
        If the power cannot be decided, J carries a logarithm there, or grows beyond any power.
    """
    return asymptotics.power_at_zero(_formula(expr))


def decay(expr: Expression | sympy.Expr) -> asymptotics.Decay:
    """Return the behaviour of J as w -> oo: ("exponential",) or ("power", p) for J ~ w^p.

    "exponential" means faster than every power.  Where J oscillates, p is that of an upper
    bound; a logarithm beside a power p != 0 is left out.

    Raises
    ------
    ValueError
        If it cannot be decided, or J grows faster than every power.
    """
    return asymptotics.decay_at_infinity(_formula(expr))


def _formula(expr: Expression | sympy.Expr) -> sympy.Expr:
    return expr.sympy_expr if isinstance(expr, Expression) else expr


def _syntax_tree(source: str) -> ast.Expression:
    if not source:
        raise ValueError("the formula is empty; " + _ALLOWED)
    if "#" in source:
        raise ValueError("'#' is not allowed in a formula; " + _ALLOWED)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # e.g. of "1(w)", which the walk refuses anyway
            return ast.parse(source, mode="eval")
    except SyntaxError as error:
        near = source[max((error.offset or 1) - 1, 0) :][:20] or source[-20:]
        raise ValueError(
            f"not a formula near {near!r}: {error.msg}; "
            "write products with * and close every parenthesis"
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise ValueError("the formula cannot be read (nested too deeply?); simplify it") from None


class _Reader:
    """Builds the SymPy expression of a syntax tree, refusing every node it does not know."""

    def __init__(self, source: str) -> None:
        self._source = source

    def read(self, node: ast.expr, depth: int) -> sympy.Expr:
        if depth > _DEEPEST_NESTING:
            raise ValueError(
                f"the formula has more than {_DEEPEST_NESTING} terms in a row or nested levels; "
                "simplify it"
            )
        match node:
            case ast.Constant():
                result = self._number(node)
            case ast.Name(id=name):
                result = self._name(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                result = -self.read(operand, depth + 1)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                result = self.read(operand, depth + 1)
            case ast.BinOp(left=left, op=operator, right=right):
                result = self._operation(
                    node, operator, self.read(left, depth + 1), self.read(right, depth + 1)
                )
            case ast.Call():
                result = self._call(node, depth)
            case _:
                raise ValueError(f"{self._piece(node)} is not allowed in a formula; {_ALLOWED}")
        if result.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I):
            raise ValueError(
                f"{self._piece(node)} is not a finite real number; "
                "look for a division by zero or the root of a negative number"
            )
        return result

    def _piece(self, node: ast.AST) -> str:
        segment = ast.get_source_segment(self._source, node) or type(node).__name__
        return repr(segment if len(segment) <= 60 else segment[:57] + "...")

    def _number(self, node: ast.Constant) -> sympy.Expr:
        segment = ast.get_source_segment(self._source, node) or ""
        try:
            value = exact_rational(segment)
        except ValueError:
            raise ValueError(
                f"{self._piece(node)} is not a decimal number of moderate size; {_ALLOWED}"
            ) from None
        return _rational(value)

    def _name(self, name: str) -> sympy.Expr:
        if name in NAMES:
            return NAMES[name]
        if name in FUNCTIONS:
            raise ValueError(f"{name!r} is a function and needs an argument; write {name}(...)")
        raise ValueError(f"unknown name {name[:40]!r}{_guess(name, NAMES)}; {_ALLOWED}")

    def _call(self, node: ast.Call, depth: int) -> sympy.Expr:
        if not isinstance(node.func, ast.Name):
            raise ValueError(f"{self._piece(node.func)} cannot be called; {_ALLOWED}")
        name = node.func.id
        if name not in FUNCTIONS:
            raise ValueError(f"unknown function {name[:40]!r}{_guess(name, FUNCTIONS)}; {_ALLOWED}")
        if len(node.args) != 1 or node.keywords:
            raise ValueError(f"{self._piece(node)}: {name} takes exactly one argument; fix it")
        return FUNCTIONS[name](self.read(node.args[0], depth + 1))

    def _operation(
        self, node: ast.BinOp, operator: ast.operator, left: sympy.Expr, right: sympy.Expr
    ) -> sympy.Expr:
        match operator:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case ast.Div():
                return left / right
            case ast.Pow():
                self._check_power(node, left, right)
                return left**right
            case _:
                raise ValueError(f"the operator in {self._piece(node)} is not allowed; {_ALLOWED}")

    def _check_power(self, node: ast.BinOp, base: sympy.Expr, exponent: sympy.Expr) -> None:
        """Refuse powers whose exact value would not fit in memory, before computing them."""
        if not exponent.is_Rational:
            return
        size = abs(Fraction(int(exponent.p), int(exponent.q)))
        bits = max(int(base.p).bit_length(), int(base.q).bit_length()) if base.is_Rational else 0
        if size > _LARGEST_EXPONENT or bits * size > _LARGEST_NUMBER_BITS:
            raise ValueError(
                f"the power {self._piece(node)} is too large; exponents go up to "
                f"{_LARGEST_EXPONENT}, powers of numbers to {_LARGEST_NUMBER_BITS} bits"
            )


def _rational(value: Fraction) -> sympy.Expr:
    return sympy.Rational(value.numerator, value.denominator)


def _guess(name: str, known: dict[str, sympy.Expr] | dict[str, Callable[..., sympy.Expr]]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""
