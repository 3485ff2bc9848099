"""Integrands and spectral forms as breakable sequences of pieces, for either notation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import gcd, lcm

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.expansion.terms import Factor, Term, TimeIntegrand
from pertsym.present.elements import element_power, polynomial_markup, strengths_markup
from pertsym.present.layout import Piece
from pertsym.present.markup import (
    Markup,
    both,
    bracketed_form,
    combination,
    correlation,
    frequency_symbols,
    gap_symbol,
    linear_form,
    phase_factor,
    raised,
    scalar,
    spectral_symbol,
)
from pertsym.present.structure import Item, Kernel, Pole, Product, Section, Spectra, arrange
from pertsym.present.writer import CURLY, SQUARE, TALL_CURLY, TALL_ROUND, TALL_SQUARE, Writer
from pertsym.reduction.elements import element_groups
from pertsym.reduction.spectral import (
    Atom,
    Denominators,
    MatrixElement,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
    negated,
)

_OMEGA = Markup(r"\omega", "ω")
_BETA = Markup(r"\beta", "β")
_THIN = Markup(r"\,", " ")


def sorted_terms(integrand: TimeIntegrand) -> tuple[Term, ...]:
    """Terms by symbols, phase, diagram (longest arc first), then by correlation function."""
    return tuple(sorted(integrand, key=_reading_order))


def sorted_factors(term: Term) -> tuple[Factor, ...]:
    """Factors by first gap, the longer arc first."""
    return tuple(sorted(term.shape.factors, key=lambda f: (f.first, -f.last, f.name, f.conjugate)))


def _reading_order(term: Term) -> tuple[object, ...]:
    factors = sorted_factors(term)
    arcs = [(f.first, f.last) for f in factors]
    named = term.shape.strengths
    return named, term.shape.phase, arcs, [f.name for f in factors], [f.conjugate for f in factors]


def term_parts(term: Term, explicit: bool = False) -> list[Markup]:
    """Symbols, factors and phase of one term, without its coefficient."""
    named = strengths_markup(term.shape.strengths)
    parts = [named] if named else []
    parts += [correlation(factor, explicit) for factor in sorted_factors(term)]
    phase = phase_factor(term.shape.phase)
    return [*parts, phase] if phase else parts


def number(value: Gaussian) -> tuple[str, Markup]:
    """Sign and size of a coefficient, size empty if 1; a complex one is bracketed, sign "+"."""
    if value.re and value.im:
        real = scalar(value.re) or both("1")
        opening = both("(-" if value.re < 0 else "(")
        middle = both("-" if value.im < 0 else "+")
        return "+", opening + real + middle + scalar(value.im, imaginary=True) + both(")")
    part = value.im or value.re
    return ("-" if part < 0 else "+"), scalar(part, imaginary=bool(value.im))


def integrand_pieces(integrand: TimeIntegrand, explicit: bool = False) -> list[Piece]:
    """The integral over all gaps, common coefficient in front, terms in braces."""
    terms = sorted_terms(integrand)
    if not terms:
        return [Piece(both("0"))]
    writer = Writer()
    common, inverse = _common([term.coefficient for term in terms])
    sign, size = number(common)
    front = size + Markup("", " ") if size else size
    writer.term(sign, front + measure(integrand.order - 1))
    if integrand.real_part:
        writer.more(Markup(r"\operatorname{Re}", "Re "))
    writer.open(CURLY[0])
    for term in terms:
        sign, body = number(inverse * term.coefficient)
        for part in term_parts(term, explicit):
            body = body + (_THIN if body else Markup()) + part
        writer.term(sign, body)
    writer.close(CURLY[1])
    return writer.pieces


def measure(gaps: int) -> Markup:
    """The integral signs over positive gaps."""
    shown = range(1, gaps + 1) if gaps <= 3 else (1, gaps)
    measure = Markup()
    for k in shown:
        if k == gaps > 3:
            measure = measure + Markup(r"\cdots", " … ")
        tau = gap_symbol(k)
        measure = measure + Markup(rf"\int_0^\infty\!d{tau.latex}", f"∫d{tau.text} ")
    return measure + Markup(r"\,")


def _common(values: Sequence[Gaussian]) -> tuple[Gaussian, Gaussian]:
    """Common factor, with i if all are imaginary, and its inverse; the first term is positive."""
    parts = [part for z in values for part in (z.re, z.im) if part]
    size = Fraction(gcd(*(p.numerator for p in parts)), lcm(*(p.denominator for p in parts)))
    if parts[0] < 0:
        size = -size
    if any(z.re for z in values):
        return Gaussian(size), Gaussian(1 / size)
    return Gaussian(0, size), Gaussian(0, -1 / size)


def form_pieces(form: SpectralForm) -> list[Piece]:
    """A spectral form, one polynomial in its matrix elements after the other."""
    writer = Writer()
    for group in element_groups(form):
        sign, elements = polynomial_markup(group.polynomial)
        sections = arrange(group.form if sign == "+" else -group.form)
        if len(sections) == 1 or not elements:
            for section in sections:
                _write_section(writer, section, elements)
            continue
        writer.term("+", elements)
        writer.open(TALL_SQUARE[0])
        for section in sections:
            _write_section(writer, section)
        writer.close(TALL_SQUARE[1])
    return writer.pieces if form else [Piece(both("0"))]


def value_markup(value: Value) -> Markup:
    """Ĉ_name^(m)(w) or P_name^(m)(w)."""
    symbol = spectral_symbol(value.kind, value.name, value.derivative)
    return symbol + both("(") + linear_form(value.frequency) + both(")")


def integral_markup(integral: SpectralIntegral) -> Markup:
    """One finite-part integral on its own."""
    kind, name, other, reflect, shift, at, order = integral
    pole = Pole(Fraction(1), (), at, order)
    writer = Writer()
    _write_kernel(writer, Kernel(Spectra(kind, name, other, reflect, shift), (pole,)))
    (piece,) = writer.pieces
    return piece.body


def _write_section(writer: Writer, section: Section, elements: Markup | None = None) -> None:
    sign = "-" if section.content < 0 else "+"
    front = scalar(section.content, section.imaginary, section.pi_power)
    if elements:
        front = front + (Markup("", " ") if front else front) + elements
    if len(section.items) == 1:
        (item,) = section.items
        if _is_one(item):
            writer.term(sign, front or both("1"))
            return
        writer.term(sign, front + _THIN if front else front)
        _write_content(writer, item)
    elif not front and sign == "+":
        for item in section.items:
            _write_item(writer, item)
    else:
        opening, closing = _braces(section.items)
        writer.term(sign, front)
        writer.open(opening)
        for item in section.items:
            _write_item(writer, item)
        writer.close(closing)


def _braces(items: Iterable[Item]) -> tuple[Markup, Markup]:
    if any(item.denominators or isinstance(item.content, Kernel) for item in items):
        return TALL_CURLY
    plain = all(isinstance(item.content, Product) and not item.content.sums for item in items)
    return SQUARE if plain else CURLY


def _write_item(writer: Writer, item: Item) -> None:
    size = scalar(item.coefficient)
    if _is_one(item):
        size = size or both("1")
    elif size and isinstance(item.content, Kernel):
        size = size + _THIN
    writer.term("-" if item.coefficient < 0 else "+", size)
    _write_content(writer, item)


def _is_one(item: Item) -> bool:
    """Whether there is nothing but a number."""
    content = item.content
    return isinstance(content, Product) and not (content.atoms or content.sums or item.denominators)


def _write_content(writer: Writer, item: Item) -> None:
    if isinstance(item.content, Kernel):
        _write_kernel(writer, item.content)
    else:
        _write_product(writer, item.content, item.denominators)


def _write_product(writer: Writer, product: Product, denominators: Denominators) -> None:
    """Single atoms (over the denominators, if any), then the brackets."""
    atoms = atoms_markup(product.atoms)
    writer.more(over(atoms, denominators) if denominators else atoms)
    for bracket, power in product.sums:
        tall = any(isinstance(a, SpectralIntegral) for _, term in bracket.terms for a in term)
        opening, closing = TALL_SQUARE if tall else SQUARE
        writer.open(opening)
        for coefficient, term in bracket.terms:
            body = scalar(coefficient) + atoms_markup([(atom, 1) for atom in term])
            writer.term("-" if coefficient < 0 else "+", body or both("1"))
        writer.close(closing + raised(power))


def atoms_markup(atoms: Sequence[tuple[Atom, int]]) -> Markup:
    """A product of atoms with their powers, thermal factors first and merged into one."""
    thermal = [(atom, n) for atom, n in atoms if isinstance(atom, Thermal)]
    others = [(atom, n) for atom, n in atoms if not isinstance(atom, Thermal)]
    factors = [thermal_markup(thermal)] if thermal else []
    for atom, power in others:
        if isinstance(atom, Value):
            factors.append(value_markup(atom) + raised(power))
        elif isinstance(atom, MatrixElement):
            factors.append(element_power(atom.name, power))
        else:
            opening, closing = TALL_ROUND
            factors.append(opening + integral_markup(atom) + closing + raised(power))
    return _product(factors)


def thermal_markup(factors: Sequence[tuple[Thermal, int]]) -> Markup:
    """beta^p exp(-beta w) from its factors."""
    power = sum(atom.power * n for atom, n in factors)
    sizes = [[n * x for x in atom.exponent] for atom, n in factors]
    exponent = tuple(map(sum, zip(*sizes, strict=True)))
    beta = _BETA + raised(power) if power else Markup()
    if not any(exponent):
        return beta
    falls = next(x for x in exponent if x) > 0
    size = gcd(*exponent)
    primitive = tuple(x // size if falls else -x // size for x in exponent)
    many = both(str(size)) if size > 1 else Markup()
    inner = both("-" if falls else "") + many + _BETA + bracketed_form(primitive)
    return _product([beta, both("e^{") + inner + both("}")])


def _write_kernel(writer: Writer, kernel: Kernel) -> None:
    """FP int dw Â(w) X(...) times the sum of poles."""
    kind, name, other, reflect, shift = kernel.spectra
    finite_part = any(pole.order > 1 for pole in kernel.poles)
    mark = "FP" if finite_part else "P"
    second = spectral_symbol("P" if kind == "CP" else "C", other)
    factors = [
        spectral_symbol("C", name) + both("(") + _OMEGA + both(")"),
        second + both("(") + _with_omega(reflect, shift) + both(")"),
    ]
    if factors[0] == factors[1]:
        factors = [factors[0] + raised(2)]
    spectra = _product(factors)
    writer.more(Markup(rf"\mathrm{{{mark}}}\!\int\!d\omega\,", f"{mark}∫dω "))
    if len(kernel.poles) == 1:
        (pole,) = kernel.poles
        writer.more(over(spectra, pole.denominators, _pole(pole)))
        return
    opening, closing = TALL_SQUARE
    writer.more(spectra + _THIN)
    writer.open(opening)
    for pole in kernel.poles:
        numerator = both(str(abs(pole.coefficient)))
        writer.term(
            "-" if pole.coefficient < 0 else "+",
            over(numerator, pole.denominators, _pole(pole)),
        )
    writer.close(closing)


def _pole(pole: Pole) -> Markup:
    """(w - at)^order."""
    if not any(pole.at):
        return _OMEGA + raised(pole.order)
    return both("(") + _with_omega(1, negated(pole.at)) + both(")") + raised(pole.order)


def _with_omega(reflect: int, shift: Frequency) -> Markup:
    """shift + reflect w, the positive symbol first."""
    symbols = list(zip(shift, frequency_symbols(len(shift)), strict=True))
    return combination([(1, _OMEGA), *symbols] if reflect > 0 else [*symbols, (-1, _OMEGA)])


def over(
    numerator: Markup, denominators: Denominators, last: Markup | None = None, scale: int = 1
) -> Markup:
    """The numerator (1 if empty) over a number and a product of linear forms."""
    factors = [both(str(scale))] if scale != 1 else []
    factors += [bracketed_form(form) + raised(power) for form, power in denominators]
    factors += [last] if last else []
    if len(factors) == 1 and denominators and denominators[0][1] == 1:
        factors = [Markup(linear_form(denominators[0][0]).latex, factors[0].text)]
    below = _product(factors)
    above = numerator or both("1")
    divisor = below.text if len(factors) == 1 else f"[{below.text}]"
    text = f"{above.text}/{divisor}" if last else f"({above.text}/{divisor})"
    return Markup(rf"\frac{{{above.latex}}}{{{below.latex}}}", text)


def _product(factors: Iterable[Markup]) -> Markup:
    """Factors side by side; the text needs a space where LaTeX needs none."""
    product = Markup()
    for factor in factors:
        product = product + (Markup("", " ") if product else product) + factor
    return product
