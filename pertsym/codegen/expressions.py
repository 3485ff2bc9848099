"""Generated modules of closed expressions, printed by SymPy."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sympy
from sympy.printing.numpy import NumPyPrinter, SciPyPrinter
from sympy.printing.pycode import PythonCodePrinter

from pertsym.codegen.templates import from_template

_IDENTIFIERS = {"lambda": "lam", "omega_0": "w0"}
_IN_LOWER_CASE = {"Delta": "delta", "epsilon": "eps", "E": "total"}  # by position


class ExpressionFunction(NamedTuple):
    """A named expression in its symbols.

    `source` is the equation that it reproduces, `arguments` has the names of symbols in the order
    in which they are given by position; see `render_expressions` for what holds without them.
    """

    name: str
    expression: sympy.Expr
    summary: str
    source: str | None = None
    arguments: tuple[str, ...] | None = None


def render_expressions(
    derivation: str,
    title: str,
    conventions: str,
    functions: Sequence[ExpressionFunction],
    prelude: str = "",
) -> str:
    """Source of a module with one function per expression, for floats and numpy arrays.

    Functions without `arguments` take their own symbols by name, sorted.  Those with neither these
    nor a `source` are rational and take the symbols of all, sorted: any arithmetic may be passed
    in, and they are interchangeable.  `prelude` has the functions that expressions call besides.

    Raises
    ------
    ValueError
        If an expression has a symbol that is no argument of its function.
    """
    rational = all(f.source is None and f.arguments is None for f in functions)
    bessel = any(f.expression.has(sympy.besselj) for f in functions)
    printer = (
        PythonCodePrinter({"fully_qualified_modules": False})
        if rational
        else (SciPyPrinter if bessel else NumPyPrinter)({"allow_unknown_functions": True})
    )
    every = {str(s) for f in functions for s in f.expression.free_symbols}
    rows, operations = [], 0
    for f in functions:
        own = {str(s) for s in f.expression.free_symbols}
        names = f.arguments or tuple(sorted(every if rational else own))
        unknown = sorted(own - set(names))
        if unknown:
            raise ValueError(f"{f.name}: the symbol {unknown[0]!r} is no argument; add it")
        count = int(sympy.count_ops(f.expression))
        operations += count
        renamed = _IDENTIFIERS | (_IN_LOWER_CASE if f.arguments else {})
        arguments = ", ".join(f"{renamed.get(name, name)}: Any" for name in names)
        own_words = f"{f.summary} {count} operations." if rational else f.summary
        rows.append(
            {
                "name": f.name,
                "arguments": arguments if rational or f.arguments else f"*, {arguments}",
                "summary": f"{own_words} Eq. {f.source}." if f.source else own_words,
                "source": printer.doprint(_renamed(f.expression, renamed)),
            }
        )
    modules = () if rational else ("numpy", *sorted(set(printer.module_imports) - {"numpy"}))
    return from_template(
        "expressions.py.j2",
        derivation=derivation,
        title=title,
        conventions=conventions,
        digest=hashlib.sha256(repr([_content(f) for f in functions]).encode()).hexdigest()[:16],
        operations=operations,
        imports=modules,
        exported=any(f.source for f in functions),
        prelude=prelude,
        functions=rows,
    )


def _renamed(expression: sympy.Expr, names: Mapping[str, str]) -> sympy.Expr:
    """With identifiers for symbols, and tanh for coth."""
    symbols = {
        s: sympy.Symbol(names.get(str(s), str(s)), **s.assumptions0)
        for s in expression.free_symbols
    }
    return expression.rewrite(sympy.coth, sympy.tanh).xreplace(symbols)


def _content(f: ExpressionFunction) -> tuple[object, ...]:
    given = (f.arguments, f.summary, f.source)
    return (f.name, sympy.srepr(f.expression), *(x for x in given if x is not None))
