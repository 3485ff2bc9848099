"""Spectral forms at frequencies where a spectrum has a kink and P' does not exist.

A diagonal coupling puts double poles at w = 0, where Ĉ ~ |w| (Ohmic baths, any bath at T = 0).
P'(0) and the integrals over Ĉ(w)/w^2 then diverge one by one, but as one multiple of the same
divergence: with FP int dw Ĉ_A(w) h(w)/(w - p)^2 = h(p) P_A'(p) + a finite rest, the form is finite
exactly if the coefficient of P_A'(p), counted so, vanishes as a form.  This module writes chains
so that poles sit on spectra and decides that, symbolically.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from pertsym.distributions.chains import mirror
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.reduction.spectral import (
    Monomial,
    SpectralForm,
    SpectralIntegral,
    Value,
    added,
    monomial,
    negated,
)


class Kink(NamedTuple):
    """A spectrum and a frequency at which its P' does not exist."""

    name: str
    frequency: Frequency


HasKink = Callable[[Kink], bool]


def image(integral: SpectralIntegral) -> Frequency:
    """The argument of the second function at the pole."""
    r = integral.reflect
    return added(integral.shift, integral.pole if r > 0 else negated(integral.pole))


def kinks(form: SpectralForm, has_kink: HasKink) -> tuple[Kink, ...]:
    """Where a first derivative or a double pole of the form meets a kink, sorted."""
    candidates = {Kink(v.name, v.frequency) for v in form.values if v.derivative == 1}
    for integral in form.integrals:
        if integral.order == 2:
            candidates.add(Kink(integral.name, integral.pole))
            candidates.add(Kink(integral.other, image(integral)))
    return tuple(kink for kink in sorted(candidates) if has_kink(kink))


def with_poles_on_spectra(form: SpectralForm, found: tuple[Kink, ...]) -> SpectralForm:
    """Exchange the two functions of a chain whose transform has its kink at the double pole."""
    return SpectralForm.collect(item for m, z in form for item in _turned(m, z, found))


def _turned(
    m: Monomial, z: Gaussian, found: tuple[Kink, ...]
) -> Iterator[tuple[Monomial, Gaussian]]:
    for atom in m.atoms:
        if not (isinstance(atom, SpectralIntegral) and atom.kind == "CP" and atom.order == 2):
            continue
        if Kink(atom.other, image(atom)) in found and Kink(atom.name, atom.pole) not in found:
            other, weight, products = mirror(atom)
            others = list(m.atoms)
            others.remove(atom)
            rest = SpectralForm.collect([(m._replace(atoms=tuple(others)), z)])
            yield from rest * (products + monomial(Gaussian(weight), other))
            return
    yield m, z


def at_pole(integral: SpectralIntegral, kink: Kink) -> SpectralIntegral | None:
    """The integral with the kink in its first spectrum, at the double pole; None if it is not so.

    Two spectra can be exchanged: w -> shift + reflect w keeps a double pole's sign.
    """
    if integral.order != 2:
        return None
    if (integral.name, integral.pole) == kink:
        return integral
    if integral.kind == "CC" and (integral.other, image(integral)) == kink:
        return integral._replace(
            name=integral.other,
            other=integral.name,
            shift=integral.shift if integral.reflect < 0 else negated(integral.shift),
            pole=kink.frequency,
        )
    return None


def divergent_part(form: SpectralForm, kink: Kink) -> SpectralForm:
    """The coefficient of P_A'(p), integrals included; the form exists only where it vanishes."""
    parts: list[tuple[Monomial, Gaussian]] = []
    for m, z in form:
        for k, atom in enumerate(m.atoms):
            others = m.atoms[:k] + m.atoms[k + 1 :]
            if isinstance(atom, Value) and atom == Value("P", kink.name, 1, kink.frequency):
                parts.append((m._replace(atoms=others), z))
            elif isinstance(atom, SpectralIntegral):
                turned = at_pole(atom, kink)
                if turned is not None:
                    kind = "P" if turned.kind == "CP" else "C"
                    value = Value(kind, turned.other, 0, image(turned))
                    parts.append((m._replace(atoms=(*others, value)), z))
    return SpectralForm.collect(parts)


def depends_on_differences(form: SpectralForm, name: str) -> bool:
    """Whether adding one constant to P_name at all frequencies leaves the form unchanged."""
    slope = SpectralForm.collect(
        (m._replace(atoms=m.atoms[:k] + m.atoms[k + 1 :]), z)
        for m, z in form
        for k, atom in enumerate(m.atoms)
        if isinstance(atom, Value) and atom[:3] == ("P", name, 0)
    )
    return not slope
