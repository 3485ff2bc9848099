"""Operators of an oscillator as LaTeX and as text."""

from __future__ import annotations

from pertsym.oscillator.weyl import Superoperator, Weyl
from pertsym.present.expressions import joined, plain, tex


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
    return joined(pieces, write)
