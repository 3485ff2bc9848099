"""An element of the field as LaTeX that the language reads again."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import gcd

import flint

from pertsym.language.field import (
    BETA,
    PI,
    Boltzmann,
    Element,
    Field,
    FrequencyOf,
    Generator,
    SlopedIntegral,
)
from pertsym.present.formulas import atoms_markup, over
from pertsym.present.latex import form_latex
from pertsym.present.markup import Markup, frequency_symbols, joined, spectral_symbol
from pertsym.present.markup import label as bath_label


def element_latex(field: Field, element: Element) -> str:
    """As a spectral form where it is one, else real and imaginary part as fractions."""
    form = field.spectral_form(element)
    if form is not None:
        return form_latex(form)
    pieces = []
    for part, unit in ((element.re, ""), (element.im, "i")):
        if part:
            above = _polynomial(field, part.numerator)
            below = _polynomial(field, part.denominator)
            fraction = above if below == "1" else rf"\frac{{{above}}}{{{below}}}"
            if unit:
                fraction = rf"i\left({fraction}\right)"
            pieces.append(fraction)
    return " + ".join(pieces) or "0"


def _polynomial(field: Field, polynomial: flint.fmpz_mpoly) -> str:
    text = ""
    for named, coefficient in sorted(
        field.exponents(polynomial),
        key=lambda term: (len(term[0]), repr(sorted(map(str, term[0])))),
    ):
        body = _monomial(field, named)
        size = "" if abs(coefficient) == 1 and body else str(abs(coefficient))
        sign = "-" if coefficient < 0 else "+" if text else ""
        text = joined(f"{text} {sign} " if text else sign, joined(size, body))
    return text or "0"


def _monomial(field: Field, named: Mapping[Generator, int]) -> str:
    atoms, pieces = [], []
    halves = [0] * field.count
    for generator, n in named.items():
        raised = f"^{{{n}}}" if n != 1 else ""
        if generator == PI:
            pieces.append(rf"\pi{raised}")
        elif generator == BETA:
            pieces.append(rf"\beta{raised}")
        elif isinstance(generator, FrequencyOf):
            pieces.append(frequency_symbols(field.count)[generator.k].latex + raised)
        elif isinstance(generator, Boltzmann):
            halves[generator.k] = n
        elif isinstance(generator, SlopedIntegral):
            pieces += [_sloped(generator)] * n
        else:
            atoms.append((generator, n))
    if any(halves):
        pieces.append(f"e^{{-{_exponent(halves)}}}")
    text = ""
    for piece in pieces:
        text = joined(text, piece)
    return joined(text, atoms_markup(atoms).latex)


def _exponent(halves: list[int]) -> str:
    size = gcd(*halves)
    symbols = frequency_symbols(len(halves))
    inner = ""
    many = sum(map(bool, halves)) > 1
    for n, symbol in zip(halves, symbols, strict=True):
        if n:
            k = abs(n) // size
            inner += ("-" if n < 0 else "+" if inner else "") + (str(k) if k > 1 else "")
            inner += symbol.latex
    scale = Fraction(size, 2)
    number = "" if scale == 1 else rf"\tfrac{{{scale.numerator}}}{{{scale.denominator}}}"
    return rf"{number}\beta({inner})" if many else joined(rf"{number}\beta ", inner)


def _sloped(generator: SlopedIntegral) -> str:
    integral, derivative = generator
    second = spectral_symbol(integral.kind[1], integral.other, derivative).latex
    first = rf"\hat C{bath_label(integral.name).latex}(\omega)"
    symbols = frequency_symbols(len(integral.shift))

    def shifted(sign: int, form: tuple[int, ...]) -> str:
        text = "".join(
            ("+" if n > 0 else "-") + (str(abs(n)) if abs(n) > 1 else "") + symbol.latex
            for n, symbol in zip(form, symbols, strict=True)
            if n
        )
        return ("" if sign > 0 else "-") + r"\omega" + text

    pole = shifted(1, tuple(-x for x in integral.pole))
    above = Markup(rf"{first}{second}({shifted(integral.reflect, integral.shift)})")
    last = Markup(f"({pole})" + (f"^{{{integral.order}}}" if integral.order > 1 else ""))
    mark = "FP" if integral.order > 1 else "P"
    return rf"\left(\mathrm{{{mark}}}\!\int\!d\omega\,{over(above, (), last).latex}\right)"
