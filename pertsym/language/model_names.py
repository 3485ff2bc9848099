"""What the names of a model's own formulas stand for: its symbols, w0, and names of the basis."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import sympy

from pertsym.language.dictionary import Dictionary, Limit
from pertsym.model.bath import Bath
from pertsym.model.cross import spellings
from pertsym.model.eigenbasis import Definition, Eigenbasis

_W0: Final = sympy.Symbol("ω0", positive=True)
_OTHERWISE: Final = frozenset(
    """
    C P J G n T FP beta pi i e d w w0 omega omega0 hbar exp sin cos tan coth tanh sinh cosh
    sqrt Re Im int inf Chat Gamma
    """.split()  # noqa: SIM905
)
"""Names that formulas read as something else than a matrix element."""


class _Relations(NamedTuple):
    """Symbols besides those of the formulas, what names are, and what their squares are."""

    symbols: frozenset[str]
    definitions: dict[str, sympy.Expr]
    squares: dict[str, sympy.Expr]


def dictionary_of(basis: Eigenbasis) -> Dictionary:
    """The names of a model's formulas, with their definitions where these are rational.

    Of two levels with a gap W(symbols), the symbols are known beside the names of the basis: c is
    read as eps/w0 and so on, and one symbol's square (or a symbol that W is linear in) is
    eliminated by w0 = W.  Elsewhere names of the basis are independent but for p^2 + q^2 = 1 of
    cosine and sine, and only symbols that stand in couplings are known.
    """
    known = Dictionary.of(basis.interaction)
    used = [b for b in basis.model.baths if b.name in known.baths and isinstance(b, Bath)]
    found = _of_two_levels(basis) if basis.dimension == 2 else None
    if found is None:
        names = {d.name for d in basis.definitions} | (basis.model.symbols.keys() - _OTHERWISE)
        shown = ((d.name, d.written or d.expression) for d in basis.definitions)
        sums = {n: x for n, x in shown if x and _is_rational(x) and names >= _names(x)}
        others = [d for d in basis.definitions if d.name not in sums]
        found = _Relations(
            frozenset().union(*map(_names, sums.values())), sums, _unit_circles(others)
        )
    elements = {*known.elements, *found.symbols, *found.definitions, *found.squares}
    return replace(
        known,
        elements=tuple(sorted(elements)),
        definitions={name: _text(x) for name, x in found.definitions.items()},
        squares={name: _text(x) for name, x in found.squares.items()},
        temperature=temperature_of(used) if used else known.temperature,
        spellings=spellings(basis.model.pairs, known.baths),
        numbers={d.name: d.value for d in basis.definitions if d.value is not None}
        | {name: float(x) for name, x in basis.model.values.items()},
    )


def temperature_of(baths: Sequence[Bath]) -> Limit:
    """The limit in which J, n and beta are read: that of the baths, if they share one."""
    kinds = {(bath.statistics, bath.beta) for bath in baths}
    if len(kinds) != 1:
        return ""
    ((statistics, beta),) = kinds
    if beta is None:
        return ""
    if statistics == "classical":
        return "classical"
    return "zero-temperature" if math.isinf(beta) else "thermal"


def _of_two_levels(basis: Eigenbasis) -> _Relations | None:
    """Everything in symbols and w0; None where that cannot be told by rational functions."""
    gap = basis.frequencies[0]
    if gap is None or any(d.expression is None for d in basis.definitions):
        return None
    eliminated = _eliminated(gap)
    if eliminated is None:
        return None
    symbol, value, squared = eliminated
    definitions: dict[str, sympy.Expr] = {}
    squares: dict[str, sympy.Expr] = {}
    for d in basis.definitions:
        assert d.expression is not None
        if d.written is not None and _is_rational(d.written):  # in names before it
            before = {sympy.Symbol(n, real=True): x for n, x in definitions.items()}
            definitions[d.name] = d.written.xreplace(before)
            continue
        x, times = sympy.simplify(d.expression), sympy.simplify(d.expression * gap)
        if _is_rational(x):
            definitions[d.name] = x
        elif _is_rational(times):
            definitions[d.name] = times / _W0
        else:
            square = sympy.simplify(x**2)
            square = square if _is_rational(square) else sympy.simplify(x**2 * gap**2) / _W0**2
            above, below = sympy.fraction(sympy.together(square))
            if squared:  # a trial chooses the other symbols first
                above, below = (
                    sympy.expand(sympy.expand(y).subs(symbol**2, value)) for y in (above, below)
                )
            square = sympy.cancel(above / below)
            if not _is_rational(square) or symbol in square.free_symbols:
                return None
            squares[d.name] = square
    needed = {s for x in (*definitions.values(), *squares.values(), value) for s in x.free_symbols}
    own = set(basis.interaction.symbols)
    if symbol.name not in _OTHERWISE or symbol.name in own:
        if squared:  # last: the other squares hold this symbol's
            squares[symbol.name] = value
        else:
            definitions = {symbol.name: value, **definitions}
    elif symbol in needed or squared:
        return None
    names = {s.name for s in needed if s != _W0}
    if names - own & _OTHERWISE:
        return None
    return _Relations(frozenset(names), definitions, squares)


def _eliminated(gap: sympy.Expr) -> tuple[sympy.Symbol, sympy.Expr, bool] | None:
    """A symbol, and itself or (True) its square in terms of w0 and the other symbols."""
    for degree, left, right in ((1, gap, _W0), (2, sympy.expand(gap**2), _W0**2)):
        if not left.is_polynomial(*left.free_symbols):
            continue
        found = []
        for symbol in sorted(left.free_symbols, key=str):
            (power, *_), factor = (poly := sympy.Poly(left, symbol)).monoms()[0], poly.LC()
            if power == degree and factor.is_number and (degree == 1 or not poly.nth(1)):
                found.append((-abs(factor), symbol, (right - poly.nth(0)) / factor))
        if found:  # the largest factor, so that the others may have any size
            _, symbol, value = min(found, key=lambda entry: (entry[0], str(entry[1])))
            return symbol, sympy.expand(value), degree == 2
    return None


def _unit_circles(definitions: Sequence[Definition]) -> dict[str, sympy.Expr]:
    """p -> 1 - q^2 for every cosine p and its sine q."""
    squares: dict[str, sympy.Expr] = {}
    partners: set[str] = set()
    for p, q in itertools.combinations(definitions, 2):
        if p.expression is None or q.expression is None or {p.name, q.name} & partners:
            continue
        if sympy.simplify(p.expression**2 + q.expression**2) == 1:
            squares[p.name] = 1 - sympy.Symbol(q.name) ** 2
            partners |= {p.name, q.name}
    return squares


def _names(x: sympy.Expr) -> set[str]:
    return {s.name for s in x.free_symbols}


def _is_rational(x: sympy.Expr) -> bool:
    return (
        bool(x.is_rational_function(*x.free_symbols))
        and all(number.is_Rational for number in x.atoms(sympy.Number, sympy.NumberSymbol))
        and not x.has(sympy.I)
        and all(p.exp.is_Integer for p in x.atoms(sympy.Pow))
    )


def _text(x: sympy.Expr) -> str:
    return str(sympy.together(x)).replace("**", "^")
