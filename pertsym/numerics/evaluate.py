"""Numerical value of a spectral form, with its error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.spectra import Pole, Spectra
from pertsym.reduction.spectral import (
    Denominators,
    Monomial,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
    require_evaluable,
)


def evaluate(
    form: SpectralForm, frequencies: Sequence[Any], spectra: Spectra, beta: Any = None
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

    Raises
    ------
    pertsym.baths.divergence.Divergent
        If a part of the form diverges.
    ValueError, CannotEvaluate
        As in `require_evaluable`.
    """
    require_evaluable(form)
    frequencies = tuple(spectra.number(w) for w in frequencies)
    cache: dict[Value, Bounded] = {}
    total = Bounded.of(spectra.number(0))
    integrals: dict[SpectralIntegral, list[Pole]] = {}
    for m, z in form:
        prefactor = _prefactor(m, z, frequencies, spectra)
        kernels = [a for a in m.atoms if isinstance(a, SpectralIntegral)]
        if kernels:
            (kernel,) = kernels
            # poles over the same two spectra share one integral: they may converge only together
            pole = (prefactor.value, linear(kernel.pole, frequencies), kernel.order)
            integrals.setdefault(kernel._replace(pole=(), order=0), []).append(pole)
            continue
        for atom in m.atoms:
            if isinstance(atom, Thermal):
                if beta is None:
                    raise ValueError("beta: the form holds Boltzmann factors; give the temperature")
                energy = linear(atom.exponent, frequencies)
                prefactor = prefactor * spectra.thermal(atom.power, energy, beta)
            elif isinstance(atom, Value):
                prefactor = prefactor * _value(atom, frequencies, spectra, cache)
        total = total + prefactor
    for family, poles in integrals.items():
        shift = linear(family.shift, frequencies)
        total = total + spectra.integral(family.name, family.other, shift, poles)
    return total


def linear(form: Frequency, frequencies: Sequence[Any]) -> Any:
    """Value of an integer linear form."""
    total: Any = 0 * frequencies[0]
    for n, w in zip(form, frequencies, strict=True):
        if n:
            total = total + n * w
    return total


def _prefactor(m: Monomial, z: Gaussian, frequencies: Sequence[Any], spectra: Spectra) -> Bounded:
    scalar = spectra.number(z.re.numerator) / spectra.number(z.re.denominator)
    value = Bounded.of(scalar * spectra.pi**m.pi_power)
    quotient: Bounded = value / _denominator(m.denominators, frequencies)
    return quotient


def _denominator(denominators: Denominators, frequencies: Sequence[Any]) -> Any:
    product: Any = 1
    for form, power in denominators:
        product = product * linear(form, frequencies) ** power
    return product


def _value(
    atom: Value, frequencies: Sequence[Any], spectra: Spectra, cache: dict[Value, Bounded]
) -> Bounded:
    if atom not in cache:
        w = linear(atom.frequency, frequencies)
        ask = spectra.spectrum if atom.kind == "C" else spectra.transform
        cache[atom] = ask(atom.name, w, atom.derivative)
    return cache[atom]
