"""Plain numerics for tests: spectral forms and time integrals of exponential correlation functions.

Independent of pertsym.numerics: values come from G(w) = sum c/(nu - iw) by hand, integrals over
two spectra from a quadrature along a line above the real axis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import factorial, pi

import numpy as np

from pertsym.expansion.terms import TimeIntegrand
from pertsym.reduction.spectral import SpectralForm, SpectralIntegral, Thermal, Value


@dataclass(frozen=True)
class ExponentialBath:
    """C(t > 0) = sum c exp(-nu t)."""

    c: tuple[complex, ...]
    nu: tuple[complex, ...]

    def half_sided(self, w: complex, m: int = 0) -> complex:
        return sum(
            c * 1j**m * factorial(m) / (nu - 1j * w) ** (m + 1)
            for c, nu in zip(self.c, self.nu, strict=True)
        )

    def mirrored(self, w: complex, m: int = 0) -> complex:
        """Analytic continuation of G(w)* from the real axis."""
        return sum(
            np.conj(c) * (-1j) ** m * factorial(m) / (np.conj(nu) + 1j * w) ** (m + 1)
            for c, nu in zip(self.c, self.nu, strict=True)
        )

    def spectrum(self, w: complex, m: int = 0) -> complex:
        return self.half_sided(w, m) + self.mirrored(w, m)

    def transform(self, w: complex, m: int = 0) -> complex:
        return 1j * pi * (self.half_sided(w, m) - self.mirrored(w, m))


Baths = Mapping[str, ExponentialBath]


def frequency(form: Sequence[int], w: Sequence[float]) -> float:
    return float(sum(n * x for n, x in zip(form, w, strict=True)))


def form_value(form: SpectralForm, w: Sequence[float], baths: Baths, beta: float = 1.0) -> float:
    total = 0.0
    for m, z in form:
        assert not z.im
        term = float(z.re) * pi**m.pi_power
        for d, power in m.denominators:
            term /= frequency(d, w) ** power
        for atom in m.atoms:
            if isinstance(atom, Value):
                bath = baths[atom.name]
                function = bath.spectrum if atom.kind == "C" else bath.transform
                term *= np.real(function(frequency(atom.frequency, w), atom.derivative))
            elif isinstance(atom, Thermal):
                term *= beta**atom.power * np.exp(-beta * frequency(atom.exponent, w))
            else:
                term *= integral_value(atom, w, baths)
        total += term
    return total


def integral_value(atom: SpectralIntegral, w: Sequence[float], baths: Baths) -> float:
    """Finite part = mean of the integrals just above and below the axis = real part of the former.

    (True for real integrands, which these are on the axis.)
    """
    a, b = baths[atom.name], baths[atom.other]
    shift, pole = frequency(atom.shift, w), frequency(atom.pole, w)
    height = 0.5 * min(np.real(nu) for bath in (a, b) for nu in bath.nu)
    s = np.linspace(-4.5, 4.5, 4001)
    x = np.sinh(np.sinh(s))  # doubly exponential: algebraic tails
    dx = np.cosh(np.sinh(s)) * np.cosh(s) * (s[1] - s[0])
    z = x + 1j * height
    other = b.spectrum if atom.kind == "CC" else b.transform
    values = a.spectrum(z) * other(shift + atom.reflect * z) / (z - pole) ** atom.order
    return float(np.real(np.sum(values * dx)))


def time_value(integrand: TimeIntegrand, w: Sequence[float], baths: Baths) -> complex:
    """The integral over all gaps, gap by gap."""
    total = 0j
    for z, shape in integrand:
        partial = [(complex(z), [1j * frequency(x, w) for x in shape.phase])]
        for factor in shape.factors:
            bath = baths[factor.name]
            following = []
            for weight, rates in partial:
                for c, nu in zip(bath.c, bath.nu, strict=True):
                    c, nu = (np.conj(c), np.conj(nu)) if factor.conjugate else (c, nu)
                    gaps = range(factor.first, factor.last + 1)
                    raised = [r + nu if k in gaps else r for k, r in enumerate(rates, 1)]
                    following.append((weight * c, raised))
            partial = following
        total += sum(weight / np.prod(rates) for weight, rates in partial)
    return complex(total.real) if integrand.real_part else total
