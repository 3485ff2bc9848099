"""Closed spectral forms: what a reduction ends in.

A spectral form is a sum of coefficient * pi^k / (linear forms of transition frequencies) *
product of atoms.  Atoms are values of a bath's spectrum and its principal-value transform,

    Ĉ^(m)(w),    P^(m)(w) = d^m/dw^m P int dw' Ĉ(w')/(w' - w),

where no such product suffices one finite-part integral over two of them, and symbolic matrix
elements.  Terms are kept canonical, so that two forms are equal exactly if they compare equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import gcd
from typing import NamedTuple

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency

HALF = Fraction(1, 2)


class Value(NamedTuple):
    """Ĉ^(derivative)(frequency) for kind "C", P^(derivative)(frequency) for kind "P"."""

    kind: str
    name: str
    derivative: int
    frequency: Frequency


class SpectralIntegral(NamedTuple):
    """Finite part of int dw Â(w) X_B(shift + reflect * w) / (w - pole)^order, reflect = -1 or +1.

    X_B is the spectrum B̂ for kind "CC" and the transform P_B for kind "CP".
    """

    kind: str
    name: str
    other: str
    reflect: int
    shift: Frequency
    pole: Frequency
    order: int


class Thermal(NamedTuple):
    """beta^power exp(-beta exponent): what detailed balance brings in; at most one a monomial."""

    kind: str
    power: int
    exponent: Frequency


class MatrixElement(NamedTuple):
    """A real symbol: a matrix element of a coupling operator, or its strength."""

    kind: str
    name: str


Atom = Value | SpectralIntegral | Thermal | MatrixElement

Denominators = tuple[tuple[Frequency, int], ...]
"""Primitive linear forms with their powers, sorted."""


class Monomial(NamedTuple):
    pi_power: int
    denominators: Denominators
    atoms: tuple[Atom, ...]


@dataclass(frozen=True)
class SpectralForm:
    """An immutable, canonical sum of monomials."""

    terms: tuple[tuple[Monomial, Gaussian], ...]

    @classmethod
    def collect(cls, terms: Iterable[tuple[Monomial, Gaussian]]) -> SpectralForm:
        """Add up equal monomials, brought to canonical form, and drop those that cancel."""
        canonical = ((_canonical(m), z) for m, z in terms)
        return cls._summed((m, z if sign > 0 else -z) for (m, sign), z in canonical if sign)

    @classmethod
    def _summed(cls, terms: Iterable[tuple[Monomial, Gaussian]]) -> SpectralForm:
        """The same for monomials that are canonical already."""
        sums: dict[Monomial, Gaussian] = {}
        for m, z in terms:
            previous = sums.get(m)
            sums[m] = z if previous is None else previous + z
        return cls(tuple((m, sums[m]) for m in sorted(sums) if sums[m]))

    def __iter__(self) -> Iterator[tuple[Monomial, Gaussian]]:
        return iter(self.terms)

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __add__(self, other: SpectralForm) -> SpectralForm:
        return SpectralForm._summed((*self.terms, *other.terms))

    def __sub__(self, other: SpectralForm) -> SpectralForm:
        return self + (-other)

    def __neg__(self) -> SpectralForm:
        return SpectralForm(tuple((m, -z) for m, z in self))

    def __mul__(self, other: SpectralForm) -> SpectralForm:
        return SpectralForm.collect(
            (
                Monomial(
                    a.pi_power + b.pi_power,
                    multiply_denominators(a.denominators, b.denominators),
                    (*a.atoms, *b.atoms),
                ),
                x * y,
            )
            for a, x in self
            for b, y in other
        )

    def scaled(
        self, scalar: Gaussian, pi_power: int = 0, denominators: Denominators = ()
    ) -> SpectralForm:
        """The form times scalar * pi^pi_power / denominators."""
        if pi_power or denominators or not scalar:
            return self * SpectralForm(((Monomial(pi_power, denominators, ()), scalar),))
        return SpectralForm(tuple((m, z * scalar) for m, z in self))

    def conjugated(self) -> SpectralForm:
        """The complex conjugate; all atoms are real."""
        return SpectralForm(tuple((m, z.conjugate()) for m, z in self))

    @property
    def real(self) -> SpectralForm:
        """The real part."""
        return SpectralForm(tuple((m, Gaussian(z.re)) for m, z in self if z.re))

    def reversed_frequencies(self) -> SpectralForm:
        """Every transition frequency w -> -w, in the denominators too."""
        return SpectralForm.collect(_reversed(m, z) for m, z in self)

    @property
    def integrals(self) -> tuple[SpectralIntegral, ...]:
        """The finite-part integrals that occur, sorted."""
        found = {a for m, _ in self for a in m.atoms if isinstance(a, SpectralIntegral)}
        return tuple(sorted(found))

    @property
    def values(self) -> tuple[Value, ...]:
        """The spectral values that occur, sorted."""
        return tuple(sorted({a for m, _ in self for a in m.atoms if isinstance(a, Value)}))


ZERO_FORM = SpectralForm(())


class CannotEvaluate(NotImplementedError):
    """A form holds something for which there is no numerical routine yet."""


def require_evaluable(form: SpectralForm, *, thermal: bool = False) -> None:
    """Refuse forms that neither `numerics.evaluate` nor generated code can handle.

    Parameters
    ----------
    form
        The form.
    thermal
        Whether an integral may be multiplied by a Boltzmann factor.

    Raises
    ------
    ValueError
        If a coefficient is not real.
    CannotEvaluate
        For an integral that multiplies a spectral value.
    """
    for m, z in form:
        if z.im:
            raise ValueError("only forms with real coefficients have a numerical value")
        for atom in m.atoms:
            if not isinstance(atom, SpectralIntegral):
                continue
            scalars = (MatrixElement, Thermal) if thermal else (MatrixElement,)
            others = [a for a in m.atoms if not isinstance(a, scalars)]
            if len(others) > 1:
                what = "a spectrum and a transform" if atom.kind != "CC" else "two spectra"
                raise CannotEvaluate(
                    f"it holds a principal-value integral over {what} "
                    f"({atom.name} and {atom.other}) that has no numerical routine yet; such "
                    "integrals come from a diagonal part of a coupling in the energy eigenbasis"
                )


def monomial(
    coefficient: Gaussian,
    *atoms: Atom,
    pi_power: int = 0,
    denominators: Denominators = (),
) -> SpectralForm:
    """A form of one term."""
    return SpectralForm.collect([(Monomial(pi_power, denominators, atoms), coefficient)])


def half_sided(name: str, frequency: Frequency, derivative: int = 0) -> SpectralForm:
    """G^(m)(w) = Ĉ^(m)(w)/2 - (i/2 pi) P^(m)(w), the half-sided Fourier transform of C."""
    return SpectralForm.collect(
        [
            (Monomial(0, (), (Value("C", name, derivative, frequency),)), Gaussian(HALF)),
            (Monomial(-1, (), (Value("P", name, derivative, frequency),)), Gaussian(0, -HALF)),
        ]
    )


def reciprocal(form: Frequency, power: int = 1) -> tuple[Denominators, Fraction]:
    """1/form^power as a primitive denominator and a rational factor.

    Raises
    ------
    ZeroDivisionError
        If the form vanishes identically.
    """
    content = gcd(*form)
    if not content:
        raise ZeroDivisionError("reciprocal of a vanishing frequency: a resonance was not treated")
    if next(x for x in form if x) < 0:
        content = -content
    return ((tuple(x // content for x in form), power),), Fraction(1, content**power)


def multiply_denominators(a: Denominators, b: Denominators) -> Denominators:
    """Product of two reciprocal monomials."""
    powers: dict[Frequency, int] = dict(a)
    for form, power in b:
        powers[form] = powers.get(form, 0) + power
    return tuple(sorted((form, power) for form, power in powers.items() if power))


def negated(form: Frequency) -> Frequency:
    return tuple(-x for x in form)


def added(a: Frequency, b: Frequency) -> Frequency:
    return tuple(x + y for x, y in zip(a, b, strict=True))


def subtracted(a: Frequency, b: Frequency) -> Frequency:
    return tuple(x - y for x, y in zip(a, b, strict=True))


def multiplied(n: int, form: Frequency) -> Frequency:
    return tuple(n * x for x in form)


def is_reversed(form: Frequency) -> bool:
    """True for one of w and -w, for any number of transition frequencies; False for zero."""
    return next((x for x in form if x), 0) < 0


def _reversed(m: Monomial, z: Gaussian) -> tuple[Monomial, Gaussian]:
    sign = -1 if sum(power for _, power in m.denominators) % 2 else 1
    return Monomial(m.pi_power, m.denominators, tuple(map(_reversed_atom, m.atoms))), z * sign


def _reversed_atom(atom: Atom) -> Atom:
    if isinstance(atom, Value):
        return atom._replace(frequency=negated(atom.frequency))
    if isinstance(atom, Thermal):
        return atom._replace(exponent=negated(atom.exponent))
    if isinstance(atom, MatrixElement):
        return atom
    return atom._replace(shift=negated(atom.shift), pole=negated(atom.pole))


def _canonical(m: Monomial) -> tuple[Monomial, int]:
    """Atoms sorted, thermal factors merged, integrals oriented; and the sign, 0 if it vanishes."""
    sign = 1
    atoms: list[Atom] = []
    thermal: Thermal | None = None
    for atom in m.atoms:
        if isinstance(atom, Thermal):
            thermal = atom if thermal is None else _merged(thermal, atom)
            continue
        if isinstance(atom, SpectralIntegral):
            atom, flip = _oriented(atom)
            sign *= flip
        atoms.append(atom)
    if thermal is not None and (thermal.power or any(thermal.exponent)):
        atoms.append(thermal)
    atoms.sort()  # by kind first: every class of atoms has kinds of its own
    return Monomial(m.pi_power, m.denominators, tuple(atoms)), sign


def _merged(a: Thermal, b: Thermal) -> Thermal:
    return Thermal("T", a.power + b.power, added(a.exponent, b.exponent))


def _oriented(integral: SpectralIntegral) -> tuple[SpectralIntegral, int]:
    """The smaller of the two ways to write one integral, with the sign between them.

    The substitution w -> shift + reflect * w exchanges the two spectra: with reflect = -1 the
    pole a goes to shift - a and (w - a)^-n gains (-1)^n; with reflect = +1 it is w' = w + shift,
    whose pole is a + shift, and the other spectrum sits at w' - shift.
    """
    if integral.kind != "CC":
        return integral, 1
    r = integral.reflect
    moved = (
        subtracted(integral.shift, integral.pole) if r < 0 else added(integral.shift, integral.pole)
    )
    mirrored = integral._replace(
        name=integral.other,
        other=integral.name,
        shift=integral.shift if r < 0 else negated(integral.shift),
        pole=moved,
    )
    sign = -1 if r < 0 and integral.order % 2 else 1
    if mirrored == integral:
        return integral, (0 if sign < 0 else 1)
    return (integral, 1) if integral < mirrored else (mirrored, sign)
