"""Operators of an oscillator as LaTeX."""

from __future__ import annotations

from pertsym.oscillator.weyl import Superoperator, Weyl
from pertsym.present.expressions import joined, tex


def operator(value: Weyl) -> str:
    """A polynomial in X and P."""
    pieces = []
    for powers, coefficient in sorted(value.terms.items(), reverse=True):
        letters, text = _letters(powers), tex(coefficient)
        shown = "" if coefficient == 1 and letters else text
        shown = f"({text})" if coefficient.is_Add else shown
        pieces.append(rf"{shown}\,{letters}" if shown else letters)
    return " + ".join(pieces).replace("+ -", "- ")


def superoperator(value: Superoperator) -> str:
    """A sum of c A rho B."""
    return joined(
        [
            rf"\left({tex(coefficient)}\right)\,{_letters(left)}\rho {_letters(right)}"
            for (left, right), coefficient in sorted(value.terms.items(), reverse=True)
        ]
    )


def _letters(powers: tuple[int, int]) -> str:
    return "".join(f"{c}^{n}" if n > 1 else c for c, n in zip("XP", powers, strict=True) if n)
