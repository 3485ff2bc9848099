"""Relations that hold in a limit, for the atoms of a formula and for J, n and exponentials."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from math import comb

from pertsym.equations.thermal import classical, detailed_balance
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.language.dictionary import Limit
from pertsym.language.field import BETA, Element, Field
from pertsym.language.syntax import NotUnderstood
from pertsym.reduction.spectral import (
    Atom,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
    is_reversed,
    monomial,
    negated,
)

__all__ = ["LIMITS", "Limit", "Relations", "sign"]

LIMITS: tuple[Limit, ...] = ("", "thermal", "zero-temperature", "classical")

_ONE = Gaussian(1)


def sign(form: Sequence[Fraction | int]) -> int | None:
    """Sign of a linear form of w_k = E_k - E_0 with ascending energies; None if it can be either.

    With gaps e_1 = w_1, e_k = w_k - w_(k-1), all positive, it is the sign that all coefficients of
    the gaps share.
    """
    gaps = [sum(form[k:], Fraction(0)) for k in range(len(form))]
    if all(x >= 0 for x in gaps):
        return 1 if any(gaps) else 0
    return -1 if all(x <= 0 for x in gaps) else None


class Relations:
    """What an atom is in a limit, as an element of a field.

    thermal: Ĉ(-w) = e^{-beta w} Ĉ(w), all baths at one temperature; zero-temperature: Ĉ and
    Boltzmann factors vanish at negative frequencies; classical: Ĉ even, P odd.
    """

    def __init__(self, field: Field, limit: Limit) -> None:
        self.field, self.limit = field, limit
        self._known: dict[Atom, Element] = {}

    def __call__(self, atom: Atom) -> Element:
        if atom not in self._known:
            self._known[atom] = self._of(atom)
        return self._known[atom]

    def _of(self, atom: Atom) -> Element:
        if not self.limit:
            return self.field.atom(atom)
        if self.limit == "zero-temperature":
            return self._frozen(atom)
        rewritten = _thermal(atom) if self.limit == "thermal" else _classical(atom)
        return self.field.form(rewritten)

    def _frozen(self, atom: Atom) -> Element:
        none = self.field.number(0)
        if isinstance(atom, Value) and atom.kind == "C":
            return none if self.sign_of(atom.frequency) < 0 else self.field.atom(atom)
        if isinstance(atom, Thermal):
            inner = self.exponential(tuple(Fraction(-x) for x in atom.exponent), 0)
            return self.field.generator(BETA).power(atom.power) * inner
        if isinstance(atom, SpectralIntegral) and atom.kind == "CC" and atom.reflect < 0:
            return self.field.atom(atom) if self.sign_of(atom.shift) > 0 else none
        return self.field.atom(atom)

    def sign_of(self, form: Sequence[Fraction | int], at: int = 0) -> int:
        """The sign of a frequency, refused if it is not known."""
        found = sign(form)
        if found is None:
            raise NotUnderstood(
                "the sign of this combination of frequencies is not known, and the limit needs it",
                at,
            )
        return found

    def exponential(self, exponent: Sequence[Fraction], at: int) -> Element:
        """exp(beta exponent)."""
        if self.limit == "zero-temperature":
            side = self.sign_of(exponent, at)
            if side > 0:
                raise NotUnderstood("this exponential grows without bound as T -> 0", at)
            return self.field.number(0 if side else 1)
        halves = [-2 * x for x in exponent]
        if any(x.denominator != 1 for x in halves):
            raise NotUnderstood(
                "exponents are integer or half-integer multiples of beta and a frequency", at
            )
        return self.field.boltzmann(tuple(int(x) for x in halves))

    def coth(self, argument: Sequence[Fraction], at: int) -> Element:
        """coth(beta argument)."""
        if self.limit == "zero-temperature":
            side = self.sign_of(argument, at)
            if not side:
                raise NotUnderstood("coth of zero", at)
            return self.field.number(side)
        x = self.exponential([-2 * a for a in argument], at)
        one = self.field.number(1)
        if not one - x:
            raise NotUnderstood("coth of zero", at)
        return (one + x) * (one - x).inverse()

    def occupation(self, frequency: Sequence[Fraction], derivative: int, at: int) -> Element:
        """n^(m)(w), n = 1/(e^{beta w} - 1), from n' = -beta n (n + 1)."""
        one = self.field.number(1)
        n = (self.coth([x / 2 for x in frequency], at) - one) * self.field.number(Fraction(1, 2))
        if self.limit == "zero-temperature" and derivative:
            return self.field.number(0)
        polynomial = [Fraction(0), Fraction(1)]
        for _ in range(derivative):
            slope = [k * c for k, c in enumerate(polynomial)][1:]
            polynomial = [Fraction(0)] * (len(polynomial) + 1)
            for k, c in enumerate(slope):
                polynomial[k + 1] += c
                polynomial[k + 2] += c
        total = self.field.number(0)
        for c in reversed(polynomial):
            total = total * n + self.field.number(c)
        factor = self.field.generator(BETA).power(derivative) if derivative else one
        return total * factor * self.field.number((-1) ** derivative)

    def density(self, name: str, frequency: Frequency, derivative: int, at: int) -> Element:
        """J^(m)(w), w > 0: J(w) = Ĉ(w) (1 - e^{-beta w})/2, of classical baths Ĉ(w) beta w/2."""
        if sign(frequency) != 1:
            raise NotUnderstood(
                "J stands at positive frequencies only (its continuation is a convention); write "
                "J(w) n(w) for Ĉ(-w)/2",
                at,
            )
        half = self.field.number(Fraction(1, 2))
        total = self.field.number(0)
        beta = self.field.generator(BETA)
        for k in range(derivative + 1):
            value = self(Value("C", name, derivative - k, frequency))
            weight = self.field.number(comb(derivative, k))
            if self.limit == "zero-temperature":
                slope = self.field.number(int(not k))
            elif self.limit == "classical":
                slope = self.field.number(int(k < 2)) * beta
                slope = slope * self.field.linear(frequency) if k == 0 else slope
            else:
                x = self.exponential([Fraction(-n) for n in frequency], at)
                slope = self.field.number(int(not k)) - x * (-beta).power(k)
            total = total + weight * value * slope
        return total * half


@lru_cache(maxsize=4096)
def _thermal(atom: Atom) -> SpectralForm:
    if isinstance(atom, SpectralIntegral) and atom.kind == "CC" and atom.reflect < 0:
        return _turned(atom)
    if isinstance(atom, Value) and atom.kind == "C" and not any(atom.frequency):
        return _at_zero(atom)
    return detailed_balance(monomial(_ONE, atom))


def _at_zero(atom: Value) -> SpectralForm:
    """Odd derivatives at w = 0 by even ones, from Ĉ(-w) = e^{-beta w} Ĉ(w) differentiated."""
    m, none = atom.derivative, (0,) * len(atom.frequency)
    if m % 2 == 0:
        return monomial(_ONE, atom)
    total = SpectralForm(())
    for k in range(m):
        weight = Gaussian(Fraction(-comb(m, k) * (-1) ** (m - k), 2))
        factor = monomial(weight, Thermal("T", m - k, none))
        total += factor * _at_zero(atom._replace(derivative=k))
    return total


def _turned(integral: SpectralIntegral) -> SpectralForm:
    """w -> -w and detailed balance of both spectra: shift s against shift -s.

    int Â(w) B̂(s - w)/(w - a)^n = e^{beta s} (-1)^n int Â(w) B̂(-s - w)/(w + a)^n.
    """
    shift, pole, order = integral.shift, integral.pole, integral.order
    mirrored = integral._replace(shift=negated(shift), pole=negated(pole))
    if not any(shift) and not any(pole):
        return SpectralForm(()) if order % 2 else monomial(_ONE, integral)  # its own negative
    if not is_reversed(shift if any(shift) else pole):
        return monomial(_ONE, integral)
    factor = Gaussian((-1) ** order)
    return monomial(factor, mirrored, Thermal("T", 0, negated(shift)))


@lru_cache(maxsize=4096)
def _classical(atom: Atom) -> SpectralForm:
    names = [atom.name] if isinstance(atom, Value) else []
    if isinstance(atom, SpectralIntegral):
        names = [atom.name, atom.other]
    rewritten = classical(monomial(_ONE, atom), names)
    if not isinstance(atom, SpectralIntegral):
        return rewritten
    total = SpectralForm(())
    for m, z in rewritten:
        (integral,) = m.atoms
        assert isinstance(integral, SpectralIntegral)
        parity = (-1) ** integral.order  # of w -> -w, over two even spectra
        if atom.kind == "CP":  # the transform is odd; the variable's sign in it is made positive
            parity = -parity
            if integral.reflect < 0:
                integral = integral._replace(reflect=1, shift=negated(integral.shift))
                z = -z
        total += _smaller(integral, z, parity)
    return total


def _smaller(integral: SpectralIntegral, z: Gaussian, parity: int) -> SpectralForm:
    mirrored = integral._replace(shift=negated(integral.shift), pole=negated(integral.pole))
    plain, turned = monomial(z, integral), monomial(z * parity, mirrored)
    if plain.terms and turned.terms and plain.terms[0][0] == turned.terms[0][0]:
        return plain if plain == turned else SpectralForm(())
    return min(plain, turned, key=lambda form: [m for m, _ in form])
