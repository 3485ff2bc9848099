"""Closed expressions as LaTeX and as text, and the sums and equations that are made of them."""

from __future__ import annotations

import re
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
_PLAIN = {
    "Omega0": "Ω0", "gamma0": "γ0", "gamma": "γ", "Lambda": "Λ", "omega": "ω", "Delta": "Δ",
    "tau": "τ", "nu": "ν", "eta": "η", "pi": "π", "nbar": "n̄", "cos_theta": "cosθ",
    "sin_theta": "sinθ", "polygamma": "ψ",
}  # fmt: skip


def tex(expression: sympy.Expr) -> str:
    """LaTeX of an expression."""
    names = {s: _NAMES[str(s)] for s in expression.free_symbols if str(s) in _NAMES}
    text = str(sympy.latex(expression, symbol_names=names))
    return text.replace(r"\operatorname{polygamma}{\left(0,", r"\psi{\left(")


def plain(expression: sympy.Expr) -> str:
    """One line of text of an expression."""
    words = re.sub(r"[A-Za-z_]\w*", lambda m: _PLAIN.get(m[0], m[0]), str(expression))
    return words.replace("**", "^").replace("ψ(0, ", "ψ(")


def joined(pieces: list[str], write: str) -> str:
    """Summands; in LaTeX two a line."""
    if write != "latex" or len(pieces) < 4:
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


def results(
    rows: Iterable[tuple[str, str, sympy.Expr, str]],
) -> tuple[tuple[Formula, ...], tuple[str, ...]]:
    """Formulas and text lines of (latex name, text name, expression, source)."""
    rows = list(rows)
    formulas = tuple(equation(name, tex(value), source) for name, _, value, source in rows)
    return formulas, tuple(f"{name} = {plain(value)}" for _, name, value, _ in rows)
