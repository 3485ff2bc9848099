"""Spectral forms as polynomials in symbolic matrix elements.

Different monomials of matrix elements are linearly independent, so that a form is a sum of
(polynomial in the elements) x (form without them); collected by polynomial it is what a theorist
writes, e.g. x^2 (d0 - d1)^2 [...] + x^4 [...].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

import flint

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Strengths, require_strengths
from pertsym.reduction.spectral import MatrixElement, Monomial, SpectralForm

Polynomial = tuple[tuple[Strengths, Fraction], ...]
"""Sorted monomials with rational coefficients: content 1, first coefficient positive."""


@dataclass(frozen=True)
class ElementGroup:
    """polynomial * form, the form free of matrix elements."""

    polynomial: Polynomial
    form: SpectralForm


def with_elements(form: SpectralForm, names: Strengths) -> SpectralForm:
    """The form times a product of symbols."""
    if not names:
        return form
    atoms = tuple(MatrixElement("S", name) for name in names)
    return form * SpectralForm(((Monomial(0, (), atoms), Gaussian(1)),))


def split(m: Monomial) -> tuple[Strengths, Monomial]:
    """The symbols of a monomial and the rest of it."""
    names = tuple(sorted(atom.name for atom in m.atoms if isinstance(atom, MatrixElement)))
    rest = tuple(atom for atom in m.atoms if not isinstance(atom, MatrixElement))
    return names, m._replace(atoms=rest)


def symbols_of(form: SpectralForm) -> tuple[str, ...]:
    """Names of the matrix elements that occur, sorted."""
    return tuple(sorted({name for m, _ in form for name in split(m)[0]}))


def by_elements(form: SpectralForm) -> tuple[tuple[Strengths, SpectralForm], ...]:
    """Each monomial of matrix elements with the form that multiplies it, sorted."""
    parts: dict[Strengths, list[tuple[Monomial, Gaussian]]] = {}
    for m, z in form:
        names, rest = split(m)
        parts.setdefault(names, []).append((rest, z))
    return tuple((names, SpectralForm.collect(parts[names])) for names in sorted(parts))


def at_elements(form: SpectralForm, values: Mapping[str, Gaussian]) -> SpectralForm:
    """The form with real numbers for some or all of its matrix elements.

    Raises
    ------
    ValueError
        For a number that is not real.
    """
    require_strengths(values, (*symbols_of(form), *values))
    terms: list[tuple[Monomial, Gaussian]] = []
    for m, z in form:
        names, rest = split(m)
        for name in names:
            z = z * values.get(name, 1)
        left = tuple(MatrixElement("S", name) for name in names if name not in values)
        terms.append((rest._replace(atoms=(*rest.atoms, *left)), z))
    return SpectralForm.collect(terms)


def element_groups(form: SpectralForm) -> tuple[ElementGroup, ...]:
    """The form collected in its matrix elements, lowest and shortest first.

    Either by monomials, or by polynomials that spectral monomials have in common, e.g. (d0 - d1)^2:
    whichever is shorter, a group counting for two spectral monomials.
    """
    monomials = by_elements(form)
    polynomials = _by_polynomials(form)
    shared = len(form.terms) - sum(len(group.form.terms) for group in polynomials)
    if shared <= 2 * (len(polynomials) - len(monomials)):
        return tuple(ElementGroup(((names, Fraction(1)),), part) for names, part in monomials)
    return polynomials


def _by_polynomials(form: SpectralForm) -> tuple[ElementGroup, ...]:
    polynomials: dict[tuple[Monomial, bool], dict[Strengths, Fraction]] = {}
    for m, z in form:
        names, rest = split(m)
        for imaginary, value in ((False, z.re), (True, z.im)):
            if value:
                polynomials.setdefault((rest, imaginary), {})[names] = value
    groups: dict[Polynomial, list[tuple[Monomial, Gaussian]]] = {}
    for (rest, imaginary), polynomial in polynomials.items():
        content, primitive = _primitive(polynomial)
        weight = Gaussian(0, content) if imaginary else Gaussian(content)
        groups.setdefault(primitive, []).append((rest, weight))
    return tuple(
        ElementGroup(polynomial, SpectralForm.collect(groups[polynomial]))
        for polynomial in sorted(groups, key=lambda p: (len(p), p))
    )


def _primitive(polynomial: Mapping[Strengths, Fraction]) -> tuple[Fraction, Polynomial]:
    ordered = sorted(polynomial.items())
    values = [value for _, value in ordered]
    content = Fraction(gcd(*(v.numerator for v in values)), lcm(*(v.denominator for v in values)))
    if values[0] < 0:
        content = -content
    return content, tuple((names, value / content) for names, value in ordered)


def factorised(polynomial: Polynomial) -> tuple[int, tuple[tuple[Polynomial, int], ...]]:
    """Sign and irreducible factors with their powers, single symbols first; each primitive."""
    names = sorted({name for symbols, _ in polynomial for name in symbols})
    if not names:
        return 1, ()
    ring = flint.fmpz_mpoly_ctx.get(tuple(f"a{k}" for k in range(len(names))))
    number, found = ring.from_dict(
        {tuple(map(symbols.count, names)): int(value) for symbols, value in polynomial}
    ).factor()
    sign = 1 if number > 0 else -1
    factors: list[tuple[Polynomial, int]] = []
    for factor, power in found:
        content, primitive = _primitive(
            {
                tuple(n for n, k in zip(names, powers, strict=True) for _ in range(int(k))): (
                    Fraction(int(value))
                )
                for powers, value in factor.to_dict().items()
            }
        )
        sign *= 1 if content > 0 or power % 2 == 0 else -1
        factors.append((primitive, power))
    return sign, tuple(sorted(factors, key=lambda f: (len(f[0]), f)))
