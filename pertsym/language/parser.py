"""The grammar of formulas, one for both notations, and the trees it makes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from lark import Lark, Token, Transformer, UnexpectedToken
from lark.lexer import Lexer

from pertsym.language.dictionary import Dictionary
from pertsym.language.latex import latex_tokens
from pertsym.language.syntax import (
    LARGEST_POWER,
    MOST_FACTORS,
    Call,
    FormulaError,
    Function,
    Integral,
    Measure,
    Node,
    NotUnderstood,
    Number,
    Power,
    Product,
    Slope,
    Sum,
    Symbol,
    negative,
)
from pertsym.language.text import text_tokens

# Side by side binds tighter than "/": after a quotient only an operator may follow, because
# a/b c can be read in two ways.  The body of an integral goes on to the next + or -.
_GRAMMAR: Final = r"""
%declare NUMBER NAME ALIAS FUNC FRAC INT MEASURE SLOPE RAISED TIGHT
%declare PLUS MINUS STAR SLASH CARET
%declare LPAR RPAR LSQB RSQB LBRACE RBRACE LCURLY RCURLY LBAR RBAR

start: sum
sum: first other*
?first: term | PLUS term -> plus | MINUS term -> minus
?other: PLUS term -> plus | MINUS term -> minus
?term: product
     | integral
     | product integral            -> times
     | product STAR integral       -> times
integral: INT term
?product: run
        | product STAR run         -> times
        | product SLASH divisor    -> over
run: power+
?divisor: power
        | NUMBER TIGHT power       -> times
?power: atom
      | atom CARET exponent        -> raised
      | atom RAISED                -> raised
?exponent: NUMBER
         | MINUS NUMBER            -> minus
         | bracket
?atom: NUMBER | NAME | ALIAS | MEASURE -> measure
     | FRAC bracket bracket        -> fraction
     | SLOPE power                 -> slope
     | FUNC bracket                -> call
     | FUNC FRAC bracket bracket   -> call_fraction
     | FUNC LBAR sum RBAR          -> modulus
     | bracket
?bracket: LPAR sum RPAR            -> inner
        | LSQB sum RSQB            -> inner
        | LBRACE sum RBRACE        -> inner
        | LCURLY sum RCURLY        -> inner
"""

_SPOKEN: Final = {
    "NUMBER": "a number", "NAME": "a symbol", "FUNC": "a function", "FRAC": "a fraction",
    "INT": "an integral", "MEASURE": "dω", "SLOPE": "d/dω", "PLUS": "+", "MINUS": "-", "STAR": "*",
    "SLASH": "/", "CARET": "^", "LPAR": "(", "LSQB": "[", "RPAR": ")", "RSQB": "]",
    "RBRACE": "}", "RCURLY": "}", "$END": "the end",
}  # fmt: skip
_BEGINS: Final = frozenset(
    ("NUMBER", "NAME", "ALIAS", "FUNC", "FRAC", "MEASURE", "LPAR", "LSQB", "LBRACE", "LCURLY")
)


class _Given(Lexer):
    """Hands the tokens on that a lexer of ours has made."""

    def __init__(self, lexer_conf: Any) -> None:
        pass

    def lex(self, data: Any) -> Iterator[Token]:  # type: ignore[override]
        yield from data


def _parts(items: list[Any]) -> list[Any]:
    return [item for item in items if not isinstance(item, Token) or item.type in _VALUED]


_VALUED: Final = frozenset(("NUMBER", "NAME", "ALIAS", "FUNC", "INT", "MEASURE", "SLOPE", "RAISED"))


class _Trees(Transformer[Token, Node]):
    """Nodes from what the grammar has recognised."""

    def start(self, items: list[Any]) -> Node:
        return _node(items[0])

    def sum(self, items: list[Any]) -> Node:
        if len(items) == 1:
            return _node(items[0])
        terms: list[tuple[int, Node]] = []
        for node in map(_node, items):
            single = isinstance(node, Sum) and len(node.terms) == 1  # what `minus` makes
            terms += node.terms if isinstance(node, Sum) and single else [(1, node)]
        return Sum(tuple(terms), terms[0][1].at)

    def plus(self, items: list[Any]) -> Node:
        return _node(items[1])

    def minus(self, items: list[Any]) -> Node:
        return negative(_node(items[1]))

    def run(self, items: list[Any]) -> Node:
        nodes = list(map(_node, items))
        return nodes[0] if len(nodes) == 1 else _product([(1, node) for node in nodes])

    def times(self, items: list[Any]) -> Node:
        return _product([(1, _node(item)) for item in _parts(items)])

    def over(self, items: list[Any]) -> Node:
        above, below = map(_node, _parts(items))
        return _product([(1, above), (-1, below)])

    def fraction(self, items: list[Any]) -> Node:
        return self.over(items[1:])

    def raised(self, items: list[Any]) -> Node:
        base, exponent = _parts(items)
        node = _node(base)
        if isinstance(exponent, Token) and exponent.type == "RAISED":
            power, at = exponent.value
        else:
            power, at = _integer(_node(exponent)), node.at
        if power is None or abs(power) > LARGEST_POWER:
            raise NotUnderstood(
                f"exponents are integers of size up to {LARGEST_POWER}, except those of e",
                _node(exponent).at,
            )
        return Power(node, power, at)

    def integral(self, items: list[Any]) -> Node:
        mark, half, at = items[0].value
        return Integral(mark, half, _node(items[1]), at)

    def measure(self, items: list[Any]) -> Node:
        name, at = items[0].value
        return Measure(name, at)

    def slope(self, items: list[Any]) -> Node:
        name, at = items[0].value
        return Slope(name, _node(items[1]), at)

    def call(self, items: list[Any]) -> Node:
        function: Function = items[0].value
        return Call(function, _node(items[1]), function.at)

    def call_fraction(self, items: list[Any]) -> Node:
        return self.call([items[0], self.over(items[2:])])

    def modulus(self, items: list[Any]) -> Node:
        return self.call([items[0], items[2]])

    def inner(self, items: list[Any]) -> Node:
        return _node(items[1])


def _node(item: Any) -> Node:
    node: Node = item.value if isinstance(item, Token) else item
    return node


def _product(factors: list[tuple[int, Node]]) -> Node:
    """A product; one that it begins with is taken up into it, so that chains do not nest."""
    (side, first), *rest = factors
    head = first.factors if isinstance(first, Product) and side > 0 else (factors[0],)
    if len(head) + len(rest) > MOST_FACTORS:
        raise NotUnderstood(f"more than {MOST_FACTORS} factors in a product", first.at)
    return Product((*head, *rest), first.at)


def _integer(node: Node) -> int | None:
    if isinstance(node, Sum) and len(node.terms) == 1:
        sign, inner = node.terms[0]
        value = _integer(inner)
        return None if value is None else sign * value
    if isinstance(node, Number) and node.value.denominator == 1:
        return int(node.value)
    return None


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", lexer=_Given, transformer=_Trees())


def parse(source: str, dictionary: Dictionary, notation: str = "") -> Node:
    r"""The tree of a formula.

    Parameters
    ----------
    source
        One right-hand side.
    dictionary
        What its names mean.
    notation
        "latex" or "text"; by default LaTeX if there is a backslash.

    Raises
    ------
    FormulaError
        Where something is not understood.
    """
    try:
        return _parsed(source, dictionary, notation, ())
    except NotUnderstood as fault:
        raise FormulaError(fault.problem, source, fault.at) from None


def _parsed(source: str, dictionary: Dictionary, notation: str, inside: tuple[str, ...]) -> Node:
    latex = notation == "latex" or (not notation and "\\" in source)
    tokens = (latex_tokens if latex else text_tokens)(source, dictionary)
    if not tokens:
        raise NotUnderstood("there is no formula", 0)
    for position, token in enumerate(tokens):
        if token.type == "ALIAS":
            tokens[position] = _resolved(token, dictionary, inside)
    try:
        tree: Node = _parser().parse(tokens)  # type: ignore[assignment]
    except UnexpectedToken as fault:
        raise _unexpected(fault, len(source)) from None
    except Exception as fault:  # lark wraps what a callback raises
        cause = getattr(fault, "orig_exc", None)
        if isinstance(cause, NotUnderstood):
            raise cause from None
        raise
    return tree


def _resolved(token: Token, dictionary: Dictionary, inside: tuple[str, ...]) -> Token:
    """A paper's own symbol by what the dictionary says it is."""
    symbol: Symbol = token.value
    if symbol.name in inside:
        raise NotUnderstood(f"{symbol.name} is defined through itself", symbol.at)
    known = dictionary.quantities.get(symbol.name)
    latex = isinstance(known, str)
    meaning = known if isinstance(known, str) else dictionary.values[symbol.name]
    try:
        node = _parsed(meaning, dictionary, "latex" if latex else "", (*inside, symbol.name))
    except NotUnderstood as fault:
        raise NotUnderstood(
            f"{symbol.name} = {meaning} is not understood: {fault.problem}", symbol.at
        ) from None
    return Token("NAME", Sum(((1, node),), symbol.at), start_pos=symbol.at)


def _unexpected(fault: UnexpectedToken, end: int) -> NotUnderstood:
    token = fault.token
    at = end if token.type == "$END" else int(token.start_pos or 0)
    expected = set(fault.expected)
    if token.type in _BEGINS and "STAR" in expected and token.type not in expected:
        return NotUnderstood(
            "a factor after a quotient can be read in two ways; bracket the quotient, as in "
            "(1/2) x, or the divisor, as in 1/(2 x)",
            at,
        )
    names = [spoken for kind, spoken in _SPOKEN.items() if kind in expected]
    found = "the formula ends" if token.type == "$END" else f"{_shown(token)} is not expected here"
    return NotUnderstood(f"{found}; expected {', '.join(names)}", at)


def _shown(token: Token) -> str:
    if token.type in _SPOKEN and not isinstance(token.value, str):
        return _SPOKEN[token.type]
    return str(token.value) or "this"
