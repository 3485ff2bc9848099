"""Spectral densities written as text: a parser that never lets the text run.

The text is read into Python's syntax tree and the tree is walked with a whitelist; every node
becomes a call of a SymPy constructor.  Nothing is evaluated as Python, and numbers are kept as
the rationals that were written.
"""

from __future__ import annotations

import ast
import difflib
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import mpmath
import sympy

from pertsym.exact import exact_rational
from pertsym.expressions import asymptotics, domain
from pertsym.expressions.budget import bounded_work
from pertsym.expressions.numeric import NoValue, W, rational, value_at
from pertsym.expressions.pieces import Pieces, analytic_pieces
from pertsym.precision import decimals

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
"""Analytic functions of one argument."""

SWITCHES: Final[dict[str, Callable[..., sympy.Expr]]] = {
    "Abs": sympy.Abs,
    "Heaviside": sympy.Heaviside,
    "Max": sympy.Max,
    "Min": sympy.Min,
    "abs": sympy.Abs,
    "max": sympy.Max,
    "min": sympy.Min,
}
"""Functions that are analytic between break points; Max and Min take any number of arguments."""

PIECEWISE: Final = "Piecewise"

NAMES: Final[dict[str, sympy.Expr]] = {"w": W, "pi": sympy.pi, "e": sympy.E}

_LONGEST_TEXT: Final = 200_000
_MOST_NODES: Final = 10_000
_DEEPEST_NESTING: Final = 150
_LARGEST_EXPONENT: Final = 1000
_LARGEST_NUMBER_BITS: Final = 4096
_LARGEST_NUMBER: Final = 1e300
_LARGEST_DEGREE: Final = 3000
_LARGEST_NESTED: Final = 200
_MOST_EXPONENTIALS: Final = 4
_CALLS: Final = (*FUNCTIONS, *(name for name in SWITCHES if name[0].isupper()), PIECEWISE)
_ALLOWED: Final = "write it with w, numbers, + - * / ** ( ), pi, e and " + ", ".join(_CALLS)
_COMPARISONS: Final[dict[type[ast.cmpop], Callable[[sympy.Expr, sympy.Expr], sympy.Basic]]] = {
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
}


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

    @cached_property
    def pieces(self) -> Pieces:
        """Analytic formulas between break points; one formula if there are none."""
        return analytic_pieces(self.sympy_expr)

    @property
    def infrared_power(self) -> float:
        """p of J ~ w^p as w -> 0+; inf if J vanishes faster than every power.

        Raises
        ------
        ValueError
            If it cannot be decided, J carries a logarithm there, or grows beyond any power.
        """
        return asymptotics.power(self.pieces.formulas[0], sympy.S.Zero)

    @property
    def ultraviolet_power(self) -> float:
        """p of J ~ w^p as w -> oo; -inf if J vanishes faster than every power.

        Where J oscillates, p is that of an upper bound; a logarithm beside a power p != 0 is left
        out.

        Raises
        ------
        ValueError
            If it cannot be decided, or J grows faster than every power.
        """
        return asymptotics.power(self.pieces.formulas[-1], sympy.oo)

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
    source, tree = syntax_tree(text)
    nodes = sum(1 for _ in ast.walk(tree))
    if nodes > _MOST_NODES:
        raise ValueError(
            f"the formula has {nodes} numbers, names and operations, more than {_MOST_NODES}; "
            'shorten it or tabulate J with kind = "table"'
        )
    with bounded_work(f"{text.strip()[:60]!r} takes too much work to understand"):
        read = Reader(source).read(tree, 0)
        try:
            pieces = analytic_pieces(read)
        except NoValue as fault:
            raise ValueError(f"the break points cannot be found: {fault}; simplify it") from None
        _check_pieces(text, pieces)
        result = Expression(text, pieces.joined)
        vars(result)["pieces"] = pieces  # what the cached property would find again
        return result


def _check_pieces(text: str, pieces: Pieces) -> None:
    for low, high, formula in pieces.intervals:
        divisor = domain.vanishing_divisor(formula)
        if divisor is not None:
            raise ValueError(
                f"{text.strip()[:60]!r} has a division by zero: {str(divisor)[:60]} is 0 for "
                "every w; simplify it"
            )
        for point, fault in (
            (domain.first_complex_value(formula, low, high), "is not real at"),
            (domain.first_pole(formula, low, high), "is infinite near"),
        ):
            if point is not None:
                raise ValueError(
                    f"{text.strip()[:60]!r} {fault} w = {point:.3g}; "
                    "J(w) must be real and finite for every w > 0"
                )
        for root in sorted(formula.atoms(sympy.Pow), key=sympy.default_sort_key):
            if not root.has(W) and not root.is_real:
                try:
                    float(root)
                except TypeError:  # what rounding makes negative may be 0
                    raise ValueError(
                        f"{text.strip()[:60]!r} has a root of what may be negative, "
                        f"{str(root)[:60]}; simplify it"
                    ) from None


def syntax_tree(text: str, allowed: str = _ALLOWED) -> tuple[str, ast.expr]:
    """The formula on one line with ** for powers, and its syntax tree.

    Raises
    ------
    ValueError
        For text that is no formula; `allowed` says what to do.
    """
    source = " ".join(text.split()).replace("^", "**")
    if not source:
        raise ValueError("the formula is empty; " + allowed)
    if "#" in source:
        raise ValueError("'#' is not allowed in a formula; " + allowed)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # e.g. of "1(w)", which the walk refuses anyway
            return source, ast.parse(source, mode="eval").body
    except SyntaxError as error:
        near = source[max((error.offset or 1) - 1, 0) :][:20] or source[-20:]
        near = near.replace("**", "^") if "^" in text else near
        raise ValueError(
            f"not a formula near {near!r}: {error.msg}; "
            "write products with * and close every parenthesis"
        ) from None
    except (ValueError, RecursionError, MemoryError):
        raise ValueError("the formula cannot be read (nested too deeply?); simplify it") from None


_SUM: Final = (ast.Add, ast.Sub)
_PRODUCT: Final = (ast.Mult, ast.Div)
_SEVERAL: Final = ("Max", "Min", "max", "min")


def _degree(expr: sympy.Basic) -> int:
    """A bound of the degree of every polynomial in w that the expression holds."""
    if not expr.args:
        return int(expr == W)
    degrees = [_degree(argument) for argument in expr.args]
    if isinstance(expr, sympy.Mul):
        return sum(degrees)
    if isinstance(expr, sympy.Pow) and expr.exp.is_Rational:
        return int(degrees[0] * max(1, abs(expr.exp)))
    return max(degrees)


def _powers(expr: sympy.Basic) -> int:
    """How many powers of sums are inside each other."""
    inside = max((_powers(argument) for argument in expr.args), default=0)
    return inside + int(isinstance(expr, sympy.Pow) and expr.base.is_Add)


_FAST_GROWING: Final = (sympy.exp, sympy.sinh, sympy.cosh, sympy.tanh)


def _exponentials(expr: sympy.Basic) -> int:
    """How many of them are inside each other."""
    inside = max((_exponentials(argument) for argument in expr.args), default=0)
    grows = isinstance(expr, _FAST_GROWING) or (isinstance(expr, sympy.Pow) and expr.exp.has(W))
    return inside + int(grows)


def _starred(node: ast.Call) -> bool:
    return any(isinstance(argument, ast.Starred) for argument in node.args)


class Reader:
    """Builds the SymPy expression of a syntax tree, refusing every node it does not know.

    A subclass changes what may stand in a formula: `allowed` says it in words, `functions` and
    `_name` are what it holds, `_check` refuses a value.
    """

    allowed: str = _ALLOWED
    functions: Mapping[str, Callable[..., sympy.Expr]] = MappingProxyType({**FUNCTIONS, **SWITCHES})

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
            case ast.BinOp():
                result = self._chain(node, depth)
            case ast.Call():
                result = self._call(node, depth)
            case _:
                raise ValueError(f"{self._piece(node)} is not allowed in a formula; {self.allowed}")
        self._check(node, result)
        return result

    def _check(self, node: ast.expr, result: sympy.Expr) -> None:
        if result.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I):
            raise ValueError(
                f"{self._piece(node)} is not a finite real number; "
                "look for a division by zero or the root of a negative number"
            )
        if not result.has(W):
            self._check_number(node, result)
        elif _degree(result) > (_LARGEST_NESTED if _powers(result) > 1 else _LARGEST_DEGREE):
            raise ValueError(
                f"the degree of {self._piece(node)} is too large; "
                f"powers go up to {_LARGEST_DEGREE}, powers of powers to {_LARGEST_NESTED}"
            )
        elif _exponentials(result) > _MOST_EXPONENTIALS:
            raise ValueError(
                f"{self._piece(node)} has too many exponentials inside each other; "
                f"{_MOST_EXPONENTIALS} are the most"
            )

    def _check_number(self, node: ast.expr, number: sympy.Expr) -> None:
        """Refuse constants that no double holds, before SymPy computes with them."""
        try:
            with decimals(20):
                size = abs(value_at(number, mpmath.mpf(1)))
        except NoValue:
            size = mpmath.inf
        if size > _LARGEST_NUMBER or 0 < size < 1 / _LARGEST_NUMBER:
            raise ValueError(
                f"{self._piece(node)} is too large or too small; "
                "keep constants between 1e-300 and 1e300"
            )

    def _chain(self, node: ast.BinOp, depth: int) -> sympy.Expr:
        """a + b - c ... or a * b / c ... at one depth, however long; other operations by pairs."""
        kinds = next((k for k in (_SUM, _PRODUCT) if isinstance(node.op, k)), None)
        links: list[ast.BinOp] = [node]
        while kinds and isinstance(first := links[-1].left, ast.BinOp):
            if not isinstance(first.op, kinds):
                break
            links.append(first)
        start = self.read(links[-1].left, depth + 1)
        rest = [(link, self.read(link.right, depth + 1)) for link in reversed(links)]
        if kinds == _SUM:
            signed = [-x if isinstance(link.op, ast.Sub) else x for link, x in rest]
            return sympy.Add(start, *signed)
        for link, x in rest:
            start = self._operation(link, link.op, start, x)
        return start

    def _piece(self, node: ast.AST) -> str:
        segment = ast.get_source_segment(self._source, node) or type(node).__name__
        return repr(segment if len(segment) <= 60 else segment[:57] + "...")

    def _number(self, node: ast.Constant) -> sympy.Expr:
        segment = ast.get_source_segment(self._source, node) or ""
        try:
            value = exact_rational(segment)
        except ValueError:
            raise ValueError(
                f"{self._piece(node)} is not a decimal number of moderate size; {self.allowed}"
            ) from None
        return rational(value)

    def _name(self, name: str) -> sympy.Expr:
        if name in NAMES:
            return NAMES[name]
        if name in (*FUNCTIONS, *SWITCHES, PIECEWISE):
            raise ValueError(f"{name!r} is a function and needs an argument; write {name}(...)")
        raise ValueError(f"unknown name {name[:40]!r}{_guess(name, NAMES)}; {self.allowed}")

    def _call(self, node: ast.Call, depth: int) -> sympy.Expr:
        if not isinstance(node.func, ast.Name):
            raise ValueError(f"{self._piece(node.func)} cannot be called; {self.allowed}")
        name, known = node.func.id, self.functions
        if name == PIECEWISE and known is Reader.functions:
            return self._piecewise(node, depth)
        if name not in known:
            raise ValueError(f"unknown function {name[:40]!r}{_guess(name, known)}; {self.allowed}")
        if name in _SEVERAL:
            if len(node.args) < 2 or node.keywords or _starred(node):
                raise ValueError(f"{self._piece(node)}: {name} takes several arguments; fix it")
            return known[name](*[self.read(argument, depth + 1) for argument in node.args])
        if len(node.args) != 1 or node.keywords:
            raise ValueError(f"{self._piece(node)}: {name} takes exactly one argument; fix it")
        return known[name](self.read(node.args[0], depth + 1))

    def _piecewise(self, node: ast.Call, depth: int) -> sympy.Expr:
        cases = []
        for case in node.args:
            if not isinstance(case, ast.Tuple) or len(case.elts) != 2 or node.keywords:
                raise ValueError(
                    f"{self._piece(node)}: {PIECEWISE} takes pairs (formula, condition); "
                    "write it as Piecewise((w, w < 1), (1/w, True))"
                )
            formula, condition = case.elts
            cases.append((self.read(formula, depth + 1), self._condition(condition, depth + 1)))
        if not cases or cases[-1][1] is not sympy.true:
            raise ValueError(f"{self._piece(node)} does not end; let its last case be (..., True)")
        return sympy.Piecewise(*cases)

    def _condition(self, node: ast.expr, depth: int) -> sympy.Basic:
        match node:
            case ast.Constant(value=True):
                return sympy.true
            case ast.BoolOp(op=operator, values=values):
                parts = [self._condition(value, depth + 1) for value in values]
                return (sympy.And if isinstance(operator, ast.And) else sympy.Or)(*parts)
            case ast.Compare(left=left, ops=operators, comparators=others) if all(
                type(op) in _COMPARISONS for op in operators
            ):
                sides = [self.read(side, depth + 1) for side in (left, *others)]
                pairs = zip(operators, pairwise(sides), strict=True)
                return sympy.And(*[_COMPARISONS[type(op)](a, b) for op, (a, b) in pairs])
        raise ValueError(
            f"{self._piece(node)} is not a condition; compare with < <= > >=, join with and, or"
        )

    def _operation(
        self, node: ast.BinOp, operator: ast.operator, left: sympy.Expr, right: sympy.Expr
    ) -> sympy.Expr:
        match operator:
            case ast.Mult():
                return left * right
            case ast.Div():
                return left / right
            case ast.Pow():
                self._check_power(node, left, right)
                return left**right
            case _:
                raise ValueError(
                    f"the operator in {self._piece(node)} is not allowed; {self.allowed}"
                )

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


def _guess(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
