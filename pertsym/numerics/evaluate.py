"""Numerical value of a spectral form, with its error."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import flint
import mpmath
import numpy as np

from pertsym.baths.divergence import Divergent
from pertsym.baths.integrals import Kind
from pertsym.baths.node_integrals import Pole
from pertsym.distributions.chains import (
    Kink,
    at_pole,
    depends_on_differences,
    divergent_part,
    kinks,
    with_poles_on_spectra,
)
from pertsym.exact import Gaussian, exact_rational
from pertsym.expansion.interaction import Frequency
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.spectra import DoubleSpectra, EnclosedSpectra, Spectra
from pertsym.reduction.elements import at_elements, by_elements, symbols_of
from pertsym.reduction.spectral import (
    ZERO_FORM,
    Denominators,
    Monomial,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
    monomial,
    negated,
    require_evaluable,
)


def evaluate(
    form: SpectralForm,
    frequencies: Sequence[Any],
    spectra: Spectra,
    beta: Any = None,
    elements: Mapping[str, Any] | None = None,
) -> Bounded:
    """Value and error bound of a form with real coefficients.

    Parameters
    ----------
    form
        Real; an empty form is exactly zero.
    frequencies
        The transition frequencies w_k = E_k - E_0, scalars or broadcastable arrays.
    spectra
        Where spectra, transforms and integrals come from.
    beta
        Inverse temperature, needed only if the form holds Boltzmann factors.
    elements
        Values of the symbolic matrix elements by name, real numbers or broadcastable arrays.
        Floats stand for the decimals that were written, as everywhere.

    Raises
    ------
    pertsym.baths.divergence.Divergent
        If a part of the form diverges.
    ValueError, CannotEvaluate
        As in `require_evaluable`; also for a matrix element without a value.

    With `EnclosedSpectra` the result is a ball to their digits, or as narrow as three doublings
    of the precision make it (a form that vanishes has no significant digits).
    """
    if isinstance(spectra, EnclosedSpectra):
        return _enclosed(form, frequencies, spectra, beta, elements)
    return _evaluated_with(form, frequencies, spectra, beta, elements)


def _enclosed(
    form: SpectralForm,
    frequencies: Sequence[Any],
    spectra: EnclosedSpectra,
    beta: Any,
    elements: Mapping[str, Any] | None,
) -> Bounded:
    """A ball to the digits of the spectra; cancellation asks for more digits of every part."""
    wanted = spectra.digits
    for _ in range(spectra.doublings):
        with spectra.precision():
            found = _evaluated_with(form, frequencies, spectra, beta, elements)
            if found.error <= abs(found.value) * flint.arb(10) ** -wanted:
                break
            ratio = flint.arb(found.error) / abs(flint.arb(found.value))
        # a form that vanishes has no leading digit: twice the digits
        lost = math.log10(float(ratio)) + wanted if ratio.is_finite() else math.inf
        spectra = spectra.refined(math.ceil(min(lost, wanted)) + 2)
    return found


def _evaluated_with(
    form: SpectralForm,
    frequencies: Sequence[Any],
    spectra: Spectra,
    beta: Any,
    elements: Mapping[str, Any] | None,
) -> Bounded:
    needed = symbols_of(form)
    if not needed:
        return _evaluated(form, frequencies, spectra, beta)
    values = elements or {}
    missing = [name for name in needed if name not in values]
    if missing:
        raise ValueError(f"elements: {', '.join(missing)} have no value; give one for each")
    # What multiplies a zero need not exist, and divergences may cancel between the elements.
    numbers = {n: Gaussian(_exact(values[n])) for n in needed if not np.ndim(values[n])}
    form = at_elements(form, numbers)
    total = spectra.exact(0)
    for names, part in by_elements(form):
        weight = spectra.exact(1)
        for name in names:
            weight = weight * spectra.number(values[name])
        if np.any(weight.value != 0):
            total = total + weight * _evaluated(part, frequencies, spectra, beta)
    return total


def _exact(value: Any) -> Fraction:
    if isinstance(value, mpmath.mpf):
        return Fraction(*map(int, mpmath.libmp.to_rational(value._mpf_)))
    return exact_rational(value if isinstance(value, (int, Fraction)) else float(value))


def _evaluated(
    form: SpectralForm, frequencies: Sequence[Any], spectra: Spectra, beta: Any
) -> Bounded:
    frequencies = tuple(spectra.number(w) for w in frequencies)
    form, finite = reduced(form, frequencies, spectra)
    cache = _values(form, frequencies, spectra, finite)
    total = spectra.exact(0)
    integrals: dict[SpectralIntegral, list[Pole]] = {}
    rounding: Any = 0  # relative, of the coefficients of all poles together
    for m, z in form:
        prefactor = _prefactor(m, z, frequencies, spectra)
        for atom in m.atoms:
            if isinstance(atom, Thermal):
                if beta is None:
                    raise ValueError("beta: the form holds Boltzmann factors; give the temperature")
                energy = linear(atom.exponent, frequencies)
                prefactor = prefactor * spectra.thermal(atom.power, energy, beta)
        kernels = [a for a in m.atoms if isinstance(a, SpectralIntegral)]
        if kernels:
            (kernel,) = kernels
            regular = _regular_part(kernel, frequencies, spectra, finite)
            if regular is not None:
                total = total + prefactor * regular
                continue
            if np.ndim(prefactor.value) == 0 and prefactor.value == 0 and prefactor.error == 0:
                continue  # a Boltzmann factor at T = 0
            # poles over the same two spectra share one integral: they may converge only together
            pole = (prefactor.value, linear(kernel.pole, frequencies), kernel.order)
            integrals.setdefault(kernel._replace(pole=(), order=0), []).append(pole)
            rounding = rounding + _relative(prefactor)
            continue
        for atom in m.atoms:
            if isinstance(atom, Value):
                prefactor = prefactor * cache[atom]
        total = total + prefactor
    for family, poles in integrals.items():
        value = _integral(family, poles, frequencies, spectra)
        total = total + Bounded(value.value, value.error + rounding * abs(value.value))
    return total


def _relative(x: Bounded) -> Any:
    """error/|value|, 0 for exact zeros."""
    if np.ndim(x.value) == 0:
        return abs(x.error / x.value)
    return np.where(x.error > 0, x.error / np.where(x.value != 0, np.abs(x.value), 1e-300), 0.0)


def reduced(
    form: SpectralForm, frequencies: Sequence[Any], spectra: Spectra
) -> tuple[SpectralForm, tuple[Kink, ...]]:
    """What is evaluated in place of the form at these frequencies, and where divergences cancel.

    Poles sit on spectra, products with an exact zero are gone, and of P(w) and P(-w) in double
    precision there are sum and difference (the kinds of `PARTS`).
    """
    require_evaluable(form, thermal=True)
    form, finite = _without_divergences(form, frequencies, spectra)
    form = _without_zeros(form, frequencies, spectra)
    return (_in_parts(form) if isinstance(spectra, DoubleSpectra) else form), finite


_turned = lru_cache(maxsize=256)(with_poles_on_spectra)


def _without_divergences(
    form: SpectralForm, frequencies: Sequence[Any], spectra: Spectra
) -> tuple[SpectralForm, tuple[Kink, ...]]:
    """The form with poles on spectra, and the kinks at which its divergences cancel."""

    def has_kink(kink: Kink) -> bool:
        return not spectra.has_slope(kink.name, linear(kink.frequency, frequencies))

    turned = _turned(form, kinks(form, has_kink))
    found = kinks(turned, has_kink)
    coefficients = {
        kink: _without_zeros(divergent_part(turned, kink), frequencies, spectra) for kink in found
    }
    return turned, tuple(kink for kink in found if not coefficients[kink])


def _without_zeros(
    form: SpectralForm, frequencies: Sequence[Any], spectra: Spectra
) -> SpectralForm:
    """The form without products that hold an exact zero: at T = 0, Ĉ at negative frequencies.

    What multiplies such a zero need not exist by itself.
    """

    def is_zero(atom: Value) -> bool:
        if atom.kind != "C" or atom.derivative:
            return False
        try:
            value = spectra.spectrum(atom.name, linear(atom.frequency, frequencies))
        except Divergent:
            return False
        return bool(np.all(value.value == 0) and np.all(value.error == 0))

    zeros = {atom for atom in form.values if is_zero(atom)}
    if not zeros:
        return form
    return SpectralForm.collect((m, z) for m, z in form if zeros.isdisjoint(m.atoms))


PARTS = {"P+": 1, "P-": -1}
"""[P(w) + P(-w)]/2 and half the difference: kinds of values that `reduced` brings in."""


@lru_cache(maxsize=256)
def _in_parts(form: SpectralForm) -> SpectralForm:
    """The form with P(w) and P(-w) of one bath as sum and difference of their parts.

    Where w is small beside the frequencies of the bath the two are nearly equal, and what cancels
    cancels here.
    """
    present = set(form.values)
    pairs = {
        atom
        for atom in present
        if atom.kind == "P"
        and atom.derivative <= 1
        and atom._replace(frequency=negated(atom.frequency)) in present
        and any(atom.frequency)
    }
    if not pairs:
        return form

    def parts(atom: Value) -> SpectralForm:
        forward = next(n for n in atom.frequency if n) > 0
        place = atom.frequency if forward else negated(atom.frequency)
        even, odd = (atom._replace(kind=kind, frequency=place) for kind in PARTS)
        return monomial(Gaussian(1), even) + monomial(Gaussian(1 if forward else -1), odd)

    total = ZERO_FORM
    for m, z in form:
        chosen = [atom for atom in m.atoms if atom in pairs]
        rest = m._replace(atoms=tuple(atom for atom in m.atoms if atom not in pairs))
        product = SpectralForm.collect([(rest, z)])
        for atom in chosen:
            product = product * parts(atom)
        total = total + product
    return total


def _regular_part(
    kernel: SpectralIntegral,
    frequencies: Sequence[Any],
    spectra: Spectra,
    finite: tuple[Kink, ...],
) -> Bounded | None:
    """The integral without its divergent part, where that cancels; else None."""
    for kink in finite:
        turned = at_pole(kernel, kink)
        if turned is not None:
            shift, pole = (linear(x, frequencies) for x in (turned.shift, turned.pole))
            kind: Kind = "CP" if turned.kind == "CP" else "CC"
            return spectra.regular_part(
                kind, turned.name, turned.other, turned.reflect, shift, pole
            )
    return None


def _integral(
    family: SpectralIntegral, poles: Sequence[Pole], frequencies: Sequence[Any], spectra: Spectra
) -> Bounded:
    kind: Kind = "CP" if family.kind == "CP" else "CC"
    shift = linear(family.shift, frequencies)
    return spectra.mixed_integral(kind, family.name, family.other, family.reflect, shift, poles)


def linear(form: Frequency, frequencies: Sequence[Any]) -> Any:
    """Value of an integer linear form."""
    total: Any = 0 * frequencies[0]
    for n, w in zip(form, frequencies, strict=True):
        if n:
            total = total + n * w
    return total


def _prefactor(m: Monomial, z: Gaussian, frequencies: Sequence[Any], spectra: Spectra) -> Bounded:
    scalar = spectra.number(z.re)
    value = Bounded.of(scalar * spectra.pi**m.pi_power)
    quotient: Bounded = value / _denominator(m.denominators, frequencies)
    return quotient


def _denominator(denominators: Denominators, frequencies: Sequence[Any]) -> Any:
    product: Any = 1
    for form, power in denominators:
        product = product * linear(form, frequencies) ** power
    return product


def _values(
    form: SpectralForm, frequencies: Sequence[Any], spectra: Spectra, finite: tuple[Kink, ...] = ()
) -> dict[Value, Bounded]:
    """All spectra and transforms of the form.

    A slow tail of J may make every P(w) of a bath diverge while the form only holds differences
    of them, which converge; then P is counted from one of its own values.
    """
    values: dict[Value, Bounded] = {}
    for name in sorted({atom.name for atom in form.values}):
        atoms = [atom for atom in form.values if atom.name == name]
        try:
            values.update({a: _asked(a, frequencies, spectra, finite) for a in atoms})
        except Divergent:
            plain = [a for a in atoms if a.kind == "P" and a.derivative == 0]
            if len(plain) < 2 or not depends_on_differences(form, name):
                raise
            reference = linear(plain[0].frequency, frequencies)
            for atom in atoms:
                w = linear(atom.frequency, frequencies)
                values[atom] = (
                    spectra.difference(name, w, reference)
                    if atom in plain
                    else _asked(atom, frequencies, spectra, finite)
                )
    return values


def _asked(
    atom: Value, frequencies: Sequence[Any], spectra: Spectra, finite: tuple[Kink, ...]
) -> Bounded:
    w = linear(atom.frequency, frequencies)
    if atom.kind in PARTS:
        assert isinstance(spectra, DoubleSpectra)
        return spectra.transform_part(atom.name, w, atom.derivative, PARTS[atom.kind])
    if atom.derivative == 1 and Kink(atom.name, atom.frequency) in finite:
        at_kink = spectra.mean_slope if atom.kind == "C" else spectra.regular_slope
        return at_kink(atom.name, w)
    ask = spectra.spectrum if atom.kind == "C" else spectra.transform
    return ask(atom.name, w, atom.derivative)
