"""The shape in which a theorist writes a spectral form, before any notation is chosen.

A form is arranged in sections of equal power of pi with their common number pulled out; in each
section products of atoms are factored, [sum of atoms] x [sum of atoms] where possible, and
finite-part integrals over the same spectra share one integral sign.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import NamedTuple

import sympy

from pertsym.expansion.interaction import Frequency
from pertsym.reduction.spectral import (
    Atom,
    Denominators,
    MatrixElement,
    Monomial,
    SpectralForm,
    SpectralIntegral,
    Thermal,
)

Atoms = tuple[Atom, ...]
Polynomial = dict[Atoms, Fraction]

_LONGEST = 10**9
"""Whole numbers beyond this are not what a formula has: they come from decimals."""


class Sum(NamedTuple):
    """A bracket: coefficients and products of atoms; first coefficient positive, content 1."""

    terms: tuple[tuple[Fraction, Atoms], ...]


class Product(NamedTuple):
    """Single atoms times bracketed sums, each with its power."""

    atoms: tuple[tuple[Atom, int], ...]
    sums: tuple[tuple[Sum, int], ...] = ()


class Spectra(NamedTuple):
    """The two functions under an integral sign: Â(w) X_B(shift + reflect w)."""

    kind: str
    name: str
    other: str
    reflect: int
    shift: Frequency


class Pole(NamedTuple):
    """coefficient / (denominators (w - at)^order)."""

    coefficient: Fraction
    denominators: Denominators
    at: Frequency
    order: int


class Kernel(NamedTuple):
    """One integral sign: the spectra times a sum of poles."""

    spectra: Spectra
    poles: tuple[Pole, ...]


@dataclass(frozen=True)
class Item:
    """coefficient * content / denominators."""

    coefficient: Fraction
    denominators: Denominators
    content: Product | Kernel


@dataclass(frozen=True)
class Section:
    """i^(imaginary) pi^pi_power * content * (sum of items)."""

    imaginary: bool
    pi_power: int
    content: Fraction
    items: tuple[Item, ...]


def arrange(form: SpectralForm) -> tuple[Section, ...]:
    """Sections of a form: real before imaginary, higher powers of pi first."""
    parts: dict[tuple[bool, int], list[tuple[Monomial, Fraction]]] = {}
    for term, z in form:
        for imaginary, value in ((False, z.re), (True, z.im)):
            if value:
                parts.setdefault((imaginary, -term.pi_power), []).append((term, value))
    return tuple(
        _section(imaginary, -pi_power, terms)
        for (imaginary, pi_power), terms in sorted(parts.items())
    )


def _section(imaginary: bool, pi_power: int, terms: Iterable[tuple[Monomial, Fraction]]) -> Section:
    products: dict[Denominators, Polynomial] = {}
    poles: dict[Spectra, list[Pole]] = {}
    for term, value in terms:
        if len(term.atoms) == 1 and isinstance(term.atoms[0], SpectralIntegral):
            kind, name, other, reflect, shift, at, order = term.atoms[0]
            pole = Pole(value, term.denominators, at, order)
            poles.setdefault(Spectra(kind, name, other, reflect, shift), []).append(pole)
        else:
            products.setdefault(term.denominators, {})[_split_thermal(term.atoms)] = value
    items = [
        Item(coefficient, denominators, product)
        for denominators, polynomial in sorted(products.items(), key=lambda x: (not x[0], x[0]))
        for coefficient, product in factorised(polynomial)
    ]
    items += [_kernel(spectra, found) for spectra, found in sorted(poles.items())]
    content = _content([item.coefficient for item in items])
    return Section(
        imaginary,
        pi_power,
        content,
        tuple(Item(item.coefficient / content, item.denominators, item.content) for item in items),
    )


def _kernel(spectra: Spectra, poles: list[Pole]) -> Item:
    ordered = sorted(poles, key=lambda p: (len(p.denominators), -p.order, p.denominators, p.at))
    if len(ordered) == 1:
        (pole,) = ordered
        unit = pole._replace(coefficient=Fraction(1))
        return Item(pole.coefficient, (), Kernel(spectra, (unit,)))
    content = _content([pole.coefficient for pole in ordered])
    scaled = tuple(p._replace(coefficient=p.coefficient / content) for p in ordered)
    return Item(content, (), Kernel(spectra, scaled))


def factorised(polynomial: Polynomial) -> list[tuple[Fraction, Product]]:
    """A polynomial in atoms as a sum of products of brackets; longest products first."""
    items = [item for part in _components(polynomial) for item in _factorised_part(part)]
    return sorted(items, key=lambda item: (-_count(item[1]), _order(item[1])))


def _split_thermal(atoms: Atoms) -> Atoms:
    """Write beta^p exp(-beta w) as single powers of beta and of each exp(-+ beta w_k)."""
    parts: list[Atom] = []
    for atom in atoms:
        if not isinstance(atom, Thermal):
            parts.append(atom)
            continue
        zero = (0,) * len(atom.exponent)
        parts += [Thermal(atom.kind, 1, zero)] * atom.power
        for k, n in enumerate(atom.exponent):
            unit = (*zero[:k], 1 if n > 0 else -1, *zero[k + 1 :])
            parts += [Thermal(atom.kind, 0, unit)] * abs(n)
    return tuple(sorted(parts))


def _components(polynomial: Polynomial) -> Iterator[Polynomial]:
    """Parts that have no spectral atom and no thermal factor in common."""
    parts: list[tuple[set[Atoms], Polynomial]] = []
    for atoms, value in sorted(polynomial.items()):
        thermal = tuple(atom for atom in atoms if isinstance(atom, Thermal))
        keys: set[Atoms] = {(atom,) for atom in atoms if not isinstance(atom, Thermal)}
        if thermal:
            keys.add(thermal)
        merged: tuple[set[Atoms], Polynomial] = (keys, {atoms: value})
        apart = []
        for known, terms in parts:
            if known & merged[0]:
                merged = (known | merged[0], {**terms, **merged[1]})
            else:
                apart.append((known, terms))
        parts = [*apart, merged]
    return (terms for _, terms in parts)


def _factorised_part(part: Polynomial) -> list[tuple[Fraction, Product]]:
    whole = _by_algebra(part)
    return whole if whole is not None else _by_common_atoms(part)


def _by_algebra(part: Polynomial) -> list[tuple[Fraction, Product]] | None:
    """The whole polynomial as one product, if it is one."""
    if len(part) == 1:
        ((single, value),) = part.items()
        return [(value, Product(_powers(single)))]
    atoms = sorted({atom for term in part for atom in term})
    if not atoms:
        return None
    symbols = sympy.symbols(f"a:{len(atoms)}")
    position = {atom: k for k, atom in enumerate(atoms)}
    exponents: dict[tuple[int, ...], sympy.Rational] = {}
    for term, value in part.items():
        powers = [0] * len(atoms)
        for atom in term:
            powers[position[atom]] += 1
        exponents[tuple(powers)] = sympy.Rational(value.numerator, value.denominator)
    number, factors = sympy.Poly(exponents, *symbols).factor_list()
    if len(factors) == 1 and factors[0][1] == 1:
        return None
    coefficient = Fraction(int(number.p), int(number.q))
    singles: list[tuple[Atom, int]] = []
    sums: list[tuple[Sum, int]] = []
    for factor, power in factors:
        terms = {
            tuple(atom for atom, n in zip(atoms, powers, strict=True) for _ in range(n)): Fraction(
                int(value.p), int(value.q)
            )
            for powers, value in factor.terms()
        }
        if len(terms) == 1:
            (((atom,), value),) = terms.items()
            singles.append((atom, power))
            coefficient *= value**power
        else:
            content, bracket = _bracket(terms)
            sums.append((bracket, power))
            coefficient *= content**power
    return [(coefficient, Product(tuple(sorted(singles)), tuple(sorted(sums))))]


def _by_common_atoms(part: Polynomial) -> list[tuple[Fraction, Product]]:
    """Pull out one atom after the other; atoms with proportional cofactors share a bracket."""
    remaining = dict(part)
    groups: dict[Sum, Polynomial] = {}
    singles: Polynomial = {}
    while remaining:
        atom = _most_common(remaining)
        if atom is None:
            singles.update(remaining)
            break
        group = {m: remaining.pop(m) for m in list(remaining) if atom in m}
        common = _shared(group)
        content, bracket = _bracket({_without(m, common): value for m, value in group.items()})
        groups.setdefault(bracket, {})[common] = content
    items = [(value, Product(_powers(atoms))) for atoms, value in singles.items()]
    for bracket, partners in groups.items():
        if len(partners) == 1:
            ((atoms, content),) = partners.items()
            items.append((content, Product(_powers(atoms), ((bracket, 1),))))
        else:
            content, outer = _bracket(partners)
            items.append((content, Product((), tuple(sorted(((bracket, 1), (outer, 1)))))))
    return items


def _shared(terms: Iterable[Atoms]) -> Atoms:
    """The atoms, with their powers, that every product contains."""
    first, *others = map(Counter, terms)
    for other in others:
        first &= other
    return tuple(sorted(first.elements()))


def _most_common(terms: Mapping[Atoms, Fraction]) -> Atom | None:
    """The atom that most terms contain; of several, one whose bracket is a plain +- sum."""
    counts: Counter[Atom] = Counter(
        atom for term in terms for atom in sorted(set(term)) if not isinstance(atom, Thermal)
    )

    def rank(atom: Atom) -> tuple[int, bool, Atom]:
        sizes = {abs(value) for term, value in terms.items() if atom in term}
        return (-counts[atom], len(sizes) > 1, atom)

    shared = [atom for atom, n in counts.items() if n > 1]
    return min(shared, key=rank) if shared else None


def _bracket(terms: Mapping[Atoms, Fraction]) -> tuple[Fraction, Sum]:
    """A sum in writing order with its content, so that the first coefficient is positive."""
    ordered = sorted(terms.items(), key=lambda item: _product_order(item[0]))
    content = _content([value for _, value in ordered])
    return content, Sum(tuple((value / content, atoms) for atoms, value in ordered))


def _product_order(atoms: Atoms) -> list[tuple[object, ...]]:
    """Spectral atoms decide, thermal factors break the tie."""
    thermal = [atom for atom in atoms if isinstance(atom, Thermal)]
    others = [atom for atom in atoms if not isinstance(atom, Thermal)]
    return [_writing_order(atom) for atom in (*others, *thermal)]


def _writing_order(atom: Atom) -> tuple[object, ...]:
    """Positive frequencies before negative ones: P(w0) - P(-w0)."""
    if isinstance(atom, (Thermal, MatrixElement)):
        return (0, *atom)
    if isinstance(atom, SpectralIntegral):
        return (2, *atom)
    upwards = tuple(-x for x in atom.frequency)
    return (1, atom.kind, atom.name, atom.derivative, upwards)


def _order(product: Product) -> list[tuple[object, ...]]:
    leading = _product_order(tuple(atom for atom, _ in product.atoms))
    for bracket, _ in product.sums:
        leading += [key for _, atoms in bracket.terms for key in _product_order(atoms)[:1]]
    return leading


def _count(product: Product) -> int:
    return sum(len(bracket.terms) * power for bracket, power in product.sums)


def _powers(atoms: Atoms) -> tuple[tuple[Atom, int], ...]:
    return tuple(sorted(Counter(atoms).items()))


def _without(atoms: Atoms, common: Atoms) -> Atoms:
    return tuple(sorted((Counter(atoms) - Counter(common)).elements()))


def _content(values: list[Fraction]) -> Fraction:
    """Greatest common rational factor, with the sign of the first value.

    Of decimals that factor is tiny and leaves huge numbers; the first value itself stands for it.
    """
    size = Fraction(gcd(*(v.numerator for v in values)), lcm(*(v.denominator for v in values)))
    if any(abs(v / size) > _LONGEST for v in values):
        size = abs(values[0])
    return -size if values[0] < 0 else size
