"""Symbolic matrix elements and polynomials in them, in both notations."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from pertsym.expansion.interaction import Strengths
from pertsym.present.escape import escape_latex
from pertsym.present.markup import Markup, both, raised, scalar
from pertsym.reduction.elements import Polynomial, factorised

_INDEXED = re.compile(r"([A-Za-z]+)_?(\d*)", re.ASCII)
_OF_BATH = re.compile(r"([A-Za-z])_([A-Za-z][A-Za-z0-9]*)_(\d+)", re.ASCII)
_GREEK = frozenset(
    """
    alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi chi psi
    omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega
    """.split()  # noqa: SIM905
)


def element_symbol(name: str) -> Markup:
    """d0 with a subscript, S_B_01 with the bath above, Greek letters, any other word upright."""
    if of_bath := _OF_BATH.fullmatch(name):
        letter, bath, levels = of_bath.groups()
        return Markup(rf"{letter}^{{\mathrm{{{bath}}}}}_{{{levels}}}", name)
    match = _INDEXED.fullmatch(name)
    if match is None:
        return Markup(rf"\text{{{escape_latex(name)}}}", name)
    letters, digits = match.groups()
    if letters in _GREEK or letters == "eps":
        base = rf"\{letters}" if letters != "eps" else r"\varepsilon"
    else:
        base = letters if len(letters) == 1 else rf"\mathrm{{{letters}}}"
    return Markup(base + (f"_{{{digits}}}" if digits else ""), name)


def greek_spellings(name: str) -> tuple[str, ...]:
    """An element with a Greek letter in text: mu_1 is μ1 or μ_1; omega is no element's there."""
    match = _INDEXED.fullmatch(name)
    letters, digits = match.groups() if match else ("", "")
    if letters not in _GREEK - {"omega"} | {"eps"}:
        return ()
    word = {"eps": "EPSILON", "lambda": "LAMDA", "Lambda": "LAMDA"}.get(letters, letters.upper())
    size = "CAPITAL" if letters[0].isupper() else "SMALL"
    letter = unicodedata.lookup(f"GREEK {size} LETTER {word}")
    return (f"{letter}{digits}", f"{letter}_{digits}") if digits else (letter,)


def element_power(name: str, power: int) -> Markup:
    """A power of an element; in brackets where the symbol has something above already."""
    symbol = element_symbol(name)
    if power != 1 and "^" in symbol.latex:
        symbol = Markup(f"({symbol.latex})", symbol.text)
    return symbol + raised(power)


def strengths_markup(names: Strengths) -> Markup:
    """A product of symbols, powers collected; empty for none.

    A dot follows a symbol called d, which is never the last of several: d x is no differential.
    """
    powers = sorted(Counter(names).items())
    if len(powers) > 1 and powers[-1][0] == "d":
        powers = [powers[-1], *powers[:-1]]
    product, between = Markup(), Markup()
    for name, power in powers:
        product = product + between + element_power(name, power)
        between = Markup(r"\cdot " if name == "d" else "", " ")
    return product


def polynomial_markup(polynomial: Polynomial) -> tuple[str, Markup]:
    """Sign and factors of a polynomial; the markup is empty for 1."""
    sign, factors = factorised(polynomial)
    product, between = Markup(), Markup()
    for factor, power in factors:
        names = factor[0][0] if len(factor) == 1 else ()
        raised_to = (
            element_power(names[0], power) if len(names) == 1 else _factor(factor) + raised(power)
        )
        product = product + between + raised_to
        is_d = len(factor) == 1 and set(factor[0][0]) == {"d"}
        between = Markup(r"\cdot " if is_d else "", " ")
    return ("-" if sign < 0 else "+"), product


def _factor(polynomial: Polynomial) -> Markup:
    if len(polynomial) == 1:
        return strengths_markup(polynomial[0][0])
    inner = Markup()
    for names, value in polynomial:
        sign = both("-" if value < 0 else "+" if inner else "")
        body = strengths_markup(names)
        inner = inner + sign + ((scalar(value) + body) or both("1"))
    return both("(") + inner + both(")")
