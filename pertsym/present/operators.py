"""Operators of an oscillator, sums of exponentials and closed forms as LaTeX and as text."""

from __future__ import annotations

import re
from collections.abc import Iterable

import sympy

from pertsym.derivation import Formula
from pertsym.oscillator.weyl import Superoperator, Weyl
from pertsym.spins.moments import ExponentialSum

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


def operator(value: Weyl, write: str = "latex") -> str:
    """A polynomial in X and P."""
    pieces = []
    for (a, b), coefficient in sorted(value.terms.items(), reverse=True):
        powers = "".join(
            f"{letter}^{n}" if n > 1 else letter for letter, n in (("X", a), ("P", b)) if n
        )
        text = tex(coefficient) if write == "latex" else plain(coefficient)
        bare = coefficient == 1 and powers
        brackets = coefficient.is_Add
        shown = "" if bare else (f"({text})" if brackets else text)
        gap = r"\," if write == "latex" else " "
        pieces.append(f"{shown}{gap if shown else ''}{powers}")
    return " + ".join(pieces).replace("+ -", "- ")


def superoperator(value: Superoperator, write: str = "latex") -> str:
    """A sum of c A rho B."""
    pieces = []
    rho = r"\rho " if write == "latex" else "ρ"
    for (left, right), coefficient in sorted(value.terms.items(), reverse=True):
        a, b = (
            "".join(f"{c}^{n}" if n > 1 else c for c, n in (("X", k[0]), ("P", k[1])) if n)
            for k in (left, right)
        )
        text = tex(coefficient) if write == "latex" else plain(coefficient)
        gap = r"\," if write == "latex" else " "
        bracketed = f"\\left({text}\\right)" if write == "latex" else f"({text})"
        pieces.append(f"{bracketed}{gap}{a}{rho}{b}")
    return _joined(pieces, write)


def _joined(pieces: list[str], write: str) -> str:
    """Summands; in LaTeX two a line."""
    if write != "latex" or len(pieces) < 4:
        return " + ".join(pieces).replace("+ -", "- ")
    rows = [" + ".join(pieces[k : k + 2]) for k in range(0, len(pieces), 2)]
    body = (r"\begin{aligned}&" + r"\\ &+ ".join(rows) + r"\end{aligned}").replace("+ -", "- ")
    return body


def exponentials(value: ExponentialSum, write: str = "latex") -> str:
    """sum c exp(i w (k1 t1 + ...))."""
    pieces = []
    for phase, coefficient in sorted(value.terms.items(), reverse=True):
        times = [
            (k, f"t_{j + 1}" if write == "latex" else f"t{j + 1}") for j, k in enumerate(phase)
        ]
        exponent = "".join(f"{'+' if k > 0 else '-'}{t}" for k, t in times if k).lstrip("+")
        factor = (
            tex(sympy.factor(coefficient)) if write == "latex" else plain(sympy.factor(coefficient))
        )
        if not exponent:
            pieces.append(factor)
        elif write == "latex":
            pieces.append(rf"{factor}\,e^{{i\tilde\omega({exponent})}}")
        else:
            pieces.append(f"({factor}) e^{{iw({exponent})}}")
    return _joined(pieces, write)


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
