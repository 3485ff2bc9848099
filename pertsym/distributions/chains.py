"""Canonical orientation of nested principal-value integrals.

A chain FP int dw Â(w) P_B(sigma + r w)/(w - p)^n, r = +-1, is a double integral over both
spectra, and can be done in either order.  With n = 1, x = w - p, t = w' - q and q = sigma + r p
the Poincare-Bertrand rule, P(x)P(y) = P(x + y)[P(x) + P(y)] - pi^2 delta(x) delta(y), gives

    chain_1[A, B](p) = P_A(p) P_B(q) - r pi^2 Â(p) B̂(q) - chain_1[B, A](q),

and chain_n is its (n-1)-st derivative with respect to p at fixed sigma, over (n-1)!.

A diagonal coupling puts double poles at w = 0, where Ĉ ~ |w| (Ohmic baths, any bath at T = 0).
P'(0) and the integrals over Ĉ(w)/w^2 then diverge one by one, but as one multiple of the same
divergence: with FP int dw Ĉ_A(w) h(w)/(w - p)^2 = h(p) P_A'(p) + a finite rest, the form is finite
exactly if the coefficient of P_A'(p), counted so, vanishes as a form.  Chains are written
so that poles sit on spectra and that is decided symbolically.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import comb, factorial
from typing import NamedTuple

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.reduction.spectral import (
    ZERO_FORM,
    Monomial,
    SpectralForm,
    SpectralIntegral,
    Value,
    added,
    monomial,
    negated,
)


def orient_chains(form: SpectralForm) -> SpectralForm:
    """Write every chain with the spectrum of the later name outside (equal names: smaller pole).

    A chain that is its own mirror image turns into products, which closes it.
    """
    kept: list[tuple[Monomial, Gaussian]] = []
    for m, z in form:
        chains = [a for a in m.atoms if isinstance(a, SpectralIntegral) and a.kind == "CP"]
        if len(chains) != 1:
            kept.append((m, z))
            continue
        (chain,) = chains
        others = list(m.atoms)
        others.remove(chain)
        rest = SpectralForm.collect([(Monomial(m.pi_power, m.denominators, tuple(others)), z)])
        kept += (rest * _oriented(chain)).terms
    return SpectralForm.collect(kept)


def _oriented(chain: SpectralIntegral) -> SpectralForm:
    other, weight, products = mirror(chain)
    here = monomial(Gaussian(1), chain)
    if other == chain:
        # chain = products + weight * chain: closed, unless the identity is empty
        return products.scaled(Gaussian(Fraction(1, 2))) if weight < 0 else here
    if (chain.name, negated(chain.pole), negated(chain.shift)) >= (
        other.name,
        negated(other.pole),
        negated(other.shift),
    ):
        return here
    return products + monomial(Gaussian(weight), other)


def mirror(chain: SpectralIntegral) -> tuple[SpectralIntegral, int, SpectralForm]:
    """chain = products + weight * other, `other` having the two spectra exchanged.

    Returns
    -------
    other, weight, products
    """
    r, p, n = chain.reflect, chain.pole, chain.order
    q = tuple(s + r * x for s, x in zip(chain.shift, p, strict=True))
    a, b = chain.name, chain.other
    m = n - 1
    products = ZERO_FORM
    for k in range(m + 1):
        scale = Gaussian(Fraction(comb(m, k) * r**k, factorial(m)))
        products += monomial(scale, Value("P", a, m - k, p), Value("P", b, k, q))
        products += monomial(scale * -r, Value("C", a, m - k, p), Value("C", b, k, q), pi_power=2)
    other = SpectralIntegral("CP", b, a, r, tuple(-r * s for s in chain.shift), q, n)
    return other, -(r**m), products


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
