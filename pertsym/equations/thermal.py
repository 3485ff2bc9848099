"""Specialisations of a spectral form: detailed balance, zero temperature, classical bath."""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import comb

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.reduction.spectral import (
    ZERO_FORM,
    Atom,
    Monomial,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
    is_reversed,
    monomial,
    negated,
    subtracted,
)

Rule = Callable[[Atom], SpectralForm]


def substitute(form: SpectralForm, rule: Rule) -> SpectralForm:
    """Replace every atom by a form."""
    total = ZERO_FORM
    for m, z in form:
        product = SpectralForm(((Monomial(m.pi_power, m.denominators, ()), z),))
        for atom in m.atoms:
            product = product * rule(atom)
        total += product
    return total


def is_negative(frequency: Frequency) -> bool:
    """True for -w0, False for +w0 and zero.

    Raises
    ------
    ValueError
        For more than one transition frequency, whose differences have no sign of their own.
    """
    if len(frequency) > 1:
        raise ValueError(f"the sign of {frequency} is known for two levels only")
    return is_reversed(frequency)


def detailed_balance(form: SpectralForm) -> SpectralForm:
    """Write Ĉ at negative frequencies through positive ones by the KMS relation, Eq. (D2).

    Ĉ(-w) = exp(-beta w) Ĉ(w), hence, with derivatives taken with respect to the argument,
    Ĉ^(m)(-w) = (-1)^m exp(-beta w) sum_k binom(m, k) (-beta)^(m-k) Ĉ^(k)(w).
    All baths must be at one temperature.
    """
    return substitute(form, kms)


def kms(atom: Atom) -> SpectralForm:
    """Ĉ at a negative frequency through positive ones; other atoms as they are."""
    if not (isinstance(atom, Value) and atom.kind == "C" and is_reversed(atom.frequency)):
        return monomial(Gaussian(1), atom)
    w, m = negated(atom.frequency), atom.derivative
    total = ZERO_FORM
    for k in range(m + 1):
        weight = Gaussian((-1) ** (m + m - k) * comb(m, k))
        total += monomial(weight, Value("C", atom.name, k, w), Thermal("T", m - k, w))
    return total


def zero_temperature(form: SpectralForm) -> SpectralForm:
    """The limit T -> 0: Ĉ and its derivatives vanish at negative frequencies, and so do Boltzmann
    factors; Ĉ_A(w) Ĉ_B(-w) vanishes under an integral (Eqs. (73), (96), (117)).

    Raises
    ------
    ValueError
        If a power of beta survives, because then the form has no limit term by term.
    """
    limit = substitute(form, _frozen)
    for m, _ in limit:
        for atom in m.atoms:
            if isinstance(atom, Thermal):
                raise ValueError(f"the form diverges as T -> 0: a factor {atom} survives")
    return limit


def _frozen(atom: Atom) -> SpectralForm:
    if isinstance(atom, Value) and atom.kind == "C" and is_negative(atom.frequency):
        return ZERO_FORM
    if isinstance(atom, Thermal) and any(atom.exponent) and not is_negative(atom.exponent):
        return ZERO_FORM
    if isinstance(atom, SpectralIntegral) and atom.kind == "CC" and atom.reflect < 0:
        overlap = any(atom.shift) and not is_negative(atom.shift)  # needs 0 < w < shift
        return monomial(Gaussian(1), atom) if overlap else ZERO_FORM
    return monomial(Gaussian(1), atom)


def classical(form: SpectralForm, names: Collection[str]) -> SpectralForm:
    """Real, even correlation functions: Ĉ is even, P odd, in their argument (Sec. V)."""

    def rule(atom: Atom) -> SpectralForm:
        if isinstance(atom, Value) and atom.name in names and is_reversed(atom.frequency):
            parity = atom.derivative + (atom.kind == "P")
            mirrored = atom._replace(frequency=negated(atom.frequency))
            return monomial(Gaussian((-1) ** parity), mirrored)
        if isinstance(atom, Value) and atom.name in names and not any(atom.frequency):
            odd = (atom.derivative + (atom.kind == "P")) % 2
            return ZERO_FORM if odd else monomial(Gaussian(1), atom)
        if isinstance(atom, SpectralIntegral) and atom.kind == "CC" and atom.reflect < 0:
            return _even(atom, names)
        return monomial(Gaussian(1), atom)

    return substitute(form, rule)


def _even(integral: SpectralIntegral, names: Collection[str]) -> SpectralForm:
    """int Â(w) B̂(s - w)/(w - a)^n with B̂(w - s) if B̂ is even; exchanged first if only Â is."""
    if integral.other in names:
        return monomial(Gaussian(1), integral._replace(reflect=1, shift=negated(integral.shift)))
    if integral.name in names:  # w -> s - w exchanges the two spectra
        sign = (-1) ** integral.order
        exchanged = integral._replace(
            name=integral.other,
            other=integral.name,
            reflect=1,
            shift=negated(integral.shift),
            pole=subtracted(integral.shift, integral.pole),
        )
        return monomial(Gaussian(sign), exchanged)
    return monomial(Gaussian(1), integral)
