"""The field in which formulas are compared: rational functions of everything that has no relation.

Its generators are pi, beta, transition frequencies, matrix elements, e^{-beta w_k/2}, values of
spectra and transforms, and finite-part integrals.  Numbers are pairs of real rational functions, so
that an element is zero exactly if both parts are the zero polynomial over something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Any, Final, NamedTuple, TypeVar

import flint

from pertsym.algebra.rational_functions import RationalFunction
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.reduction.spectral import (
    Atom,
    Denominators,
    MatrixElement,
    Monomial,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
    multiply_denominators,
    reciprocal,
)

T = TypeVar("T")

MOST_TERMS: Final = 400_000
"""Terms of a polynomial before a product is refused."""

_FIRST_SIZE: Final = 64


class TooLarge(ValueError):
    """A product would have more terms than a comparison may take."""


class Moving(NamedTuple):
    """Ĉ^(m) or P^(m) at shift + reflect * (variable of an integral)."""

    kind: str
    name: str
    derivative: int
    reflect: int
    shift: Frequency


class Boltzmann(NamedTuple):
    """e^{-beta w_k/2}."""

    k: int
    kind: str = "e"  # tuples of different classes must not be equal


class FrequencyOf(NamedTuple):
    """w_k."""

    k: int
    kind: str = "w"


class SlopedIntegral(NamedTuple):
    """The integral with the derivative of its second function."""

    integral: SpectralIntegral
    derivative: int


PI, BETA, VARIABLE, MOVING_BOLTZMANN = "pi", "beta", "omega", "e^{-beta omega}"
Generator = Any
"""One of these (the last two belong to an integral), a class from above, or an atom of a form."""


class _Full(Exception):
    """More generators than the ring has variables."""


class Element(NamedTuple):
    """re + i im."""

    re: RationalFunction
    im: RationalFunction

    def __add__(self, other: Element) -> Element:  # type: ignore[override]
        return Element(self.re + other.re, self.im + other.im)

    def __neg__(self) -> Element:
        return Element(-self.re, -self.im)

    def __sub__(self, other: Element) -> Element:
        return self + (-other)

    def __mul__(self, other: Element) -> Element:  # type: ignore[override]
        if not self.im and not other.im:
            return Element(_product(self.re, other.re), self.im)
        return Element(
            _product(self.re, other.re) - _product(self.im, other.im),
            _product(self.re, other.im) + _product(self.im, other.re),
        )

    def inverse(self) -> Element:
        """1/self; ZeroDivisionError for zero."""
        if not self.im:
            return Element(self.re.inverse(), self.im)
        size = (_product(self.re, self.re) + _product(self.im, self.im)).inverse()
        return Element(_product(self.re, size), -_product(self.im, size))

    def power(self, n: int) -> Element:
        """self^n."""
        base = self if n >= 0 else self.inverse()
        result = base if n else Element(_one_like(self.re), self.im * 0)
        for _ in range(abs(n) - 1):
            result = result * base
        return result

    def __bool__(self) -> bool:
        return bool(self.re) or bool(self.im)


def _one_like(x: RationalFunction) -> RationalFunction:
    ring = x.numerator.context()
    return RationalFunction(ring.constant(1), ring.constant(1))


def _product(a: RationalFunction, b: RationalFunction) -> RationalFunction:
    if len(a.numerator) * len(b.numerator) > MOST_TERMS:
        raise TooLarge(f"its product has more than {MOST_TERMS} terms; compare it in parts")
    return a * b


class Field:
    """Generators by name; use `with_room`, which widens the ring when they do not fit."""

    def __init__(self, count: int, size: int) -> None:
        self.count, self.size = count, size
        self.ring = flint.fmpz_mpoly_ctx.get(
            tuple(f"g{k}" for k in range(size)), flint.Ordering.degrevlex
        )
        self._gens = self.ring.gens()
        self._index: dict[Generator, int] = {}
        self.generators: list[Generator] = []

    def index(self, generator: Generator) -> int:
        """The variable of a generator."""
        if generator not in self._index:
            if len(self.generators) == self.size:
                raise _Full
            self._index[generator] = len(self.generators)
            self.generators.append(generator)
        return self._index[generator]

    def real(self, generator: Generator) -> RationalFunction:
        return self.quotient(self._gens[self.index(generator)])

    def quotient(
        self, above: flint.fmpz_mpoly, below: flint.fmpz_mpoly | None = None
    ) -> RationalFunction:
        """above/below in lowest terms, below = 1 if it is not given."""
        one = self.ring.constant(1)
        whole = RationalFunction(above, one)
        return whole if below is None else whole * RationalFunction(below, one).inverse()

    def rational(self, value: Fraction | int) -> RationalFunction:
        value = Fraction(value)
        return RationalFunction(
            self.ring.constant(value.numerator), self.ring.constant(value.denominator)
        )

    def generator(self, generator: Generator) -> Element:
        return Element(self.real(generator), self.rational(0))

    def number(self, value: Fraction | int, imaginary: Fraction | int = 0) -> Element:
        return Element(self.rational(value), self.rational(imaginary))

    def linear(self, form: Frequency) -> Element:
        """A linear form of transition frequencies."""
        total = self.rational(0)
        for k, n in enumerate(form):
            if n:
                total = total + self.real(FrequencyOf(k)) * n
        return Element(total, self.rational(0))

    def boltzmann(self, halves: Frequency) -> Element:
        """e^{-beta (halves . w)/2}."""
        total = self.number(1)
        for k, n in enumerate(halves):
            if n:
                total = total * self.generator(Boltzmann(k)).power(n)
        return total

    def form(self, form: SpectralForm, atom: Callable[[Atom], Element] | None = None) -> Element:
        """A spectral form; `atom` says what its atoms are here, by default generators."""
        meaning = atom or self.atom
        known: dict[Atom, Element] = {}
        parts: dict[tuple[int, Denominators], Element] = {}
        for m, z in form:
            term = self.number(z.re, z.im)
            for a in m.atoms:
                if a not in known:
                    known[a] = meaning(a)
                term = term * known[a]
            key = (m.pi_power, m.denominators)
            parts[key] = parts[key] + term if key in parts else term
        total = self.number(0)
        for (pi_power, denominators), part in parts.items():
            part = part * self.generator(PI).power(pi_power)
            for linear, power in denominators:
                part = part * self.linear(linear).power(-power)
            total = total + part
        return total

    def atom(self, atom: Atom) -> Element:
        """An atom as a generator; Boltzmann factors by their own."""
        if isinstance(atom, Thermal):
            doubled = tuple(2 * x for x in atom.exponent)
            return self.generator(BETA).power(atom.power) * self.boltzmann(doubled)
        return self.generator(atom)

    def exponents(self, polynomial: flint.fmpz_mpoly) -> Iterable[tuple[dict[Generator, int], int]]:
        """Monomials with their integer coefficients."""
        for powers, coefficient in polynomial.to_dict().items():
            named = {self.generators[k]: n for k, n in enumerate(powers) if n}
            yield named, int(coefficient)

    def truncated(self, element: Element, generator: Generator, order: int) -> Element:
        """Without powers of a generator from `order` on; it must not stand in a denominator."""
        k, parts = self.index(generator), []
        for part in element:
            if part.denominator.degrees()[k]:
                raise ValueError(f"{generator} stands in a denominator")
            kept = {e: c for e, c in part.numerator.to_dict().items() if e[k] < order}
            parts.append(self.quotient(self.ring.from_dict(kept), part.denominator))
        return Element(*parts)

    def reduced(self, element: Element, generator: Generator, square: Element) -> Element:
        """Even powers of a generator above the line by its square, which is real."""
        k, parts = self.index(generator), []
        for part in element:
            total = self.rational(0)
            for exponents, coefficient in part.numerator.to_dict().items():
                rest = (*exponents[:k], exponents[k] % 2, *exponents[k + 1 :])
                term = self.quotient(self.ring.from_dict({rest: coefficient}))
                for _ in range(exponents[k] // 2):
                    term = term * square.re
                total = total + term
            parts.append(total * self.quotient(part.denominator).inverse())
        return Element(*parts)

    def partial(self, part: RationalFunction, generator: Generator) -> RationalFunction:
        """The derivative with respect to a generator, the others fixed."""
        k, n, d = self.index(generator), part.numerator, part.denominator
        return self.quotient(n.derivative(k) * d - n * d.derivative(k), d * d)

    def derivative(self, element: Element, generator: Generator) -> Element:
        """The derivative with respect to a generator that no other depends on."""
        return Element(*(self.partial(part, generator) for part in element))

    def substituted(self, element: Element, generator: Generator, value: Element) -> Element:
        """The element with a real value for a generator."""
        k = self.index(generator)

        def at(polynomial: flint.fmpz_mpoly) -> RationalFunction:
            powers: dict[int, dict[tuple[int, ...], int]] = {}
            for exponents, coefficient in polynomial.to_dict().items():
                rest = (*exponents[:k], 0, *exponents[k + 1 :])
                powers.setdefault(exponents[k], {})[rest] = int(coefficient)
            total = self.rational(0)
            for n in range(max(powers, default=0), -1, -1):
                part = self.quotient(self.ring.from_dict(powers.get(n, {})))
                total = total * value.re + part
            return total

        return Element(*(at(x.numerator) * at(x.denominator).inverse() for x in element))

    def used(self, element: Element) -> set[Generator]:
        """Generators that occur."""
        found: set[Generator] = set()
        for part in element:
            for polynomial in (part.numerator, part.denominator):
                for k, n in enumerate(polynomial.degrees()):
                    if n > 0:
                        found.add(self.generators[k])
        return found

    def spectral_form(self, element: Element) -> SpectralForm | None:
        """The element as a spectral form, None where it is not one."""
        terms: list[tuple[Monomial, Gaussian]] = []
        for part, unit in ((element.re, Gaussian(1)), (element.im, Gaussian(0, 1))):
            below = self._denominator(part.denominator)
            if below is None:
                return None
            scale, denominators, others = below
            for named, coefficient in self.exponents(part.numerator):
                m = _monomial(named, others, denominators, self.count)
                if m is None:
                    return None
                terms.append((m, unit * Gaussian(Fraction(coefficient) / scale)))
        return SpectralForm.collect(terms)

    def _denominator(
        self, polynomial: flint.fmpz_mpoly
    ) -> tuple[Fraction, Denominators, Mapping[Generator, int]] | None:
        """Content, linear forms of frequencies and powers of other generators."""
        content, factors = polynomial.factor()
        scale = Fraction(int(content))
        denominators: Denominators = ()
        others: dict[Generator, int] = {}
        for factor, power in factors:
            linear = self.linear_form(self.quotient(factor))
            if linear is not None and any(linear):
                primitive, inverse = reciprocal(tuple(int(x) for x in linear), int(power))
                denominators = multiply_denominators(denominators, primitive)
                scale /= inverse
                continue
            ((named, coefficient), *more) = self.exponents(factor)
            if more or len(named) != 1 or coefficient != 1:
                return None
            others[next(iter(named))] = int(power)
        return scale, denominators, others

    def linear_form(self, part: RationalFunction) -> tuple[Fraction, ...] | None:
        """Coefficients of a linear form of transition frequencies, None if it is none."""
        return self._linear(part, {FrequencyOf(k): k for k in range(self.count)})

    def moving_form(self, part: RationalFunction) -> tuple[Fraction, ...] | None:
        """The same with the variable of the integral as one more symbol, the last."""
        places = {FrequencyOf(k): k for k in range(self.count)}
        return self._linear(part, {**places, VARIABLE: self.count})

    def thermal_form(self, part: RationalFunction) -> tuple[Fraction, ...] | None:
        """x in beta x."""
        beta = self.real(BETA)
        return self.linear_form(part * beta.inverse())

    def _linear(
        self, part: RationalFunction, places: Mapping[Generator, int]
    ) -> tuple[Fraction, ...] | None:
        below = part.denominator
        if any(n > 0 for n in below.degrees()):
            return None
        scale = Fraction(int(below.leading_coefficient()))
        found = [Fraction(0)] * len(places)
        for named, coefficient in self.exponents(part.numerator):
            if len(named) != 1:
                return None
            ((generator, n),) = named.items()
            if n != 1 or generator not in places:
                return None
            found[places[generator]] = coefficient / scale
        return tuple(found)


def _monomial(
    named: Mapping[Generator, int],
    below: Mapping[Generator, int],
    denominators: Denominators,
    count: int,
) -> Monomial | None:
    powers = {g: named.get(g, 0) - below.get(g, 0) for g in {**named, **below}}
    pi_power = powers.pop(PI, 0)
    thermal = Thermal("T", powers.pop(BETA, 0), (0,) * count)
    exponent = [0] * count
    atoms: list[Atom] = []
    for generator, n in powers.items():
        if isinstance(generator, FrequencyOf):
            unit = tuple(int(generator.k == k) for k in range(count))
            denominators = multiply_denominators(denominators, ((unit, -n),))
        elif isinstance(generator, Boltzmann):
            if n % 2:
                return None
            exponent[generator.k] = n // 2
        elif n > 0 and isinstance(generator, Value | SpectralIntegral | MatrixElement):
            atoms += [generator] * n
        else:
            return None
    thermal = thermal._replace(exponent=tuple(exponent))
    if thermal.power or any(thermal.exponent):
        atoms.append(thermal)
    return Monomial(pi_power, denominators, tuple(atoms))


def with_room(count: int, work: Callable[[Field], T]) -> T:
    """What `work` returns in a field that has room for its generators."""
    size = _FIRST_SIZE
    while True:
        try:
            return work(Field(count, size))
        except _Full:
            size *= 2
