"""Closed expressions as LaTeX, and the sums and equations that are made of them."""

from __future__ import annotations

from collections.abc import Iterable

import sympy

from pertsym.derivation import Formula

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
