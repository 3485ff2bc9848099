"""Closed expressions as LaTeX, and the sums and equations that are made of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import sympy

from pertsym.derivation import Formula
from pertsym.present.rational import rational_latex

_EQUATION = re.compile(r"(?<![({_^,])[-+=]")

_NAMES = {
    "cos_theta": r"{\cos\theta}",
    "sin_theta": r"{\sin\theta}",
    "nbar": r"\bar n",
    "Omega0": r"\Omega_0",
    "gamma0": r"\gamma_0",
    "C0": "C_0",
}


def tex(expression: sympy.Expr) -> str:
    """LaTeX of an expression."""
    names = {s: _NAMES[str(s)] for s in expression.free_symbols if str(s) in _NAMES}
    text = str(sympy.latex(expression, symbol_names=names))
    return text.replace(r"\operatorname{polygamma}{\left(0,", r"\psi{\left(")


def joined(pieces: list[str]) -> str:
    """Summands, two a line."""
    if len(pieces) < 4:
        return " + ".join(pieces).replace("+ -", "- ")
    rows = [" + ".join(pieces[k : k + 2]) for k in range(0, len(pieces), 2)]
    body = (r"\begin{aligned}&" + r"\\ &+ ".join(rows) + r"\end{aligned}").replace("+ -", "- ")
    return body


def equation(left: str, right: str, source: str = "") -> Formula:
    """left = right, also where the right-hand side is broken into lines."""
    if right.startswith(r"\begin{aligned}&"):
        head = r"\begin{aligned}" + f"{left} ={{}}&"
        return Formula(head + right.removeprefix(r"\begin{aligned}&"), source)
    return Formula(f"{left} = {right}", source)


def results(rows: Iterable[tuple[str, sympy.Expr, str]]) -> tuple[Formula, ...]:
    """Formulas of (name, expression, source)."""
    return tuple(equation(name, tex(value), source) for name, value, source in rows)


def rendered(left: str, value: Any, source: str = "") -> Formula:
    """``left = value`` of a SymPy expression or matrix, or of what shows itself as text."""
    if _EQUATION.search(left):
        raise ValueError(f"{left}: is an equation, not a name")
    if isinstance(value, sympy.MatrixBase):
        return Formula(f"{left}={sympy.latex(value)}", source)
    if isinstance(value, sympy.Basic):
        return Formula(rational_latex(left, value), source)
    return Formula(f"{left}={value}", source)


def rows(left: str, expression: sympy.Expr, unknowns: Iterable[Any], source: str = "") -> Formula:
    """left = sum of [coefficient] unknown, linear in symbols, one of them a line."""
    if _EQUATION.search(left):
        raise ValueError(f"{left}: is an equation, not a name")
    terms = []
    for unknown in unknowns:
        weight = sympy.factor_terms(sympy.expand(expression).coeff(unknown))
        if weight != 0:
            terms.append(rf"\left[{sympy.latex(weight)}\right]{sympy.latex(unknown)}")
    head, *rest = terms
    if not rest:
        return Formula(f"{left}={head}", source)
    lines = [f"{left}&={head}", *(rf"&\quad{{}}+{term}" for term in rest)]
    return Formula(r"\begin{aligned}" + " \\\\\n".join(lines) + r"\end{aligned}", source)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Formula:
    """Numbers below their names."""
    lines = [" & ".join(map(str, row)) for row in (heads, *rows)]
    columns, body = "r" * len(heads), r" \\ ".join(lines)
    return Formula(rf"\begin{{array}}{{{columns}}} {body} \end{{array}}")
