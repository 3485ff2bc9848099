"""Factored rational functions as LaTeX: long polynomials get a name and lines of their own."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

_SHORT = 4
"""Terms of a polynomial that may stay inside the fraction."""

_LINE = 5
"""Terms of a polynomial to a line."""


def rational_latex(symbol: str, expression: sympy.Expr) -> str:
    """``symbol = fraction``, with the long factor above called p and spelt out below.

    Where p is one of its variables, the factor is q.  A sign before the fraction goes into p
    where p begins with one.
    """
    if not expression:
        return rf"{symbol} = 0"
    above, below = sympy.fraction(expression)
    factors = [_split(factor) for factor in sympy.Mul.make_args(above)]
    many = [base for base, power in factors if _terms(base) > _SHORT and power % 2]
    odd = [base for base in many if _ordered(base)[0].startswith("-")]
    if odd and any(base.is_Number and base < 0 and power % 2 for base, power in factors):
        number = next(base for base, power in factors if base.is_Number and base < 0)
        factors = [(-x if x in (number, odd[0]) else x, power) for x, power in factors]
    long = [base for base, _ in factors if _terms(base) > _SHORT]
    taken = {str(variable)[0] for variable in expression.free_symbols}
    letter = next((free for free in "pqfg" if free not in taken), "p")
    names = [letter] if len(long) == 1 else [f"{letter}_{k}" for k in range(1, len(long) + 1)]
    named = dict(zip(long, names, strict=True))
    numerator = _product([(base, power, named.get(base)) for base, power in factors])
    if below == 1:
        head = rf"{symbol} = {numerator}"
    else:
        divisor = [_split(factor) for factor in sympy.Mul.make_args(below)]
        sign, shown = ("-", numerator[1:]) if numerator.startswith("-") else ("", numerator)
        denominator = _product([(base, power, None) for base, power in divisor])
        head = rf"{symbol} = {sign}\frac{{{shown}}}{{{denominator}}}"
    if not named:
        return head
    lines = [head.replace(" = ", " &= ", 1)]
    for base, name in named.items():
        lines += _spelt(name, _ordered(base))
    return r"\begin{aligned} " + r" \\ ".join(lines) + r" \end{aligned}"


def _split(factor: sympy.Expr) -> tuple[sympy.Expr, int]:
    base, power = factor.as_base_exp()
    return (base, int(power)) if power.is_Integer and power > 0 else (factor, 1)


def _terms(expression: sympy.Expr) -> int:
    return len(expression.args) if expression.is_Add else 1


def _product(factors: Sequence[tuple[sympy.Expr, int, str | None]]) -> str:
    """Numbers first, then powers of symbols, then sums."""
    pieces: list[tuple[int, str]] = []
    for base, power, name in factors:
        exponent = f"^{{{power}}}" if power > 1 else ""
        if name is not None:
            pieces.append((2, name + exponent))
        elif base.is_Number:
            text = sympy.latex(base**power)
            pieces.append((0, {"1": "", "-1": "-"}.get(text, text)))
        elif base.is_Add and len(factors) == 1 and power == 1:
            pieces.append((3, _sum(_ordered(base))))
        elif base.is_Add:
            pieces.append((3, rf"\left({_sum(_ordered(base))}\right){exponent}"))
        else:
            pieces.append((1, sympy.latex(base) + exponent))
    text = " ".join(piece for _, piece in sorted(pieces))
    return text if text not in ("", "-") else text + "1"


def _ordered(base: sympy.Expr) -> list[str]:
    return [sympy.latex(term) for term in base.as_ordered_terms()]


def _sum(terms: Sequence[str]) -> str:
    text = terms[0]
    for term in terms[1:]:
        text += f" - {term[1:].strip()}" if term.startswith("-") else f" + {term}"
    return text


def _spelt(name: str, terms: Sequence[str]) -> list[str]:
    lines = []
    for start in range(0, len(terms), _LINE):
        text = _sum(terms[start : start + _LINE])
        if start:
            text = text if text.startswith("-") else f"+ {text}"
            lines.append(rf"&\quad {text}")
        else:
            lines.append(rf"{name} &= {text}")
    return lines
