"""Direct evaluation of time-ordered integrals, without any reduction to spectral forms.

A `TimeIntegrand` is integrated over its gaps tau_1 .. tau_m from 0 to infinity, exactly up to
arithmetic, for exponential correlation functions.  These are taken as given for t > 0; for a boson
bath C(t) = (1/pi) int_0^inf dw J(w) [coth(beta w/2) cos wt - i sin wt], so that
Ĉ(w > 0) = 2 J(w) [n(w) + 1].
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import mpmath
import numpy as np
from numpy.typing import NDArray

from pertsym.baths.exponentials import Exponentials as NumericExponentials
from pertsym.exact import Gaussian, exact_rational
from pertsym.expansion.interaction import Frequency
from pertsym.expansion.terms import Factor, TimeIntegrand
from pertsym.precision import decimals

GUARD_DIGITS: Final = 15

Fixed = tuple[int, int]
Exponents = tuple[int, ...]


@dataclass(frozen=True)
class Exponentials:
    """C(t > 0) = sum_k c_k exp(-nu_k t), with exact coefficients.

    Attributes
    ----------
    c, nu
        Amplitudes (energy squared) and rates (energy), Re nu > 0.  Floats stand for their
        shortest decimal form, so that 0.35 is 35/100 at every precision; mpmath numbers for
        their exact binary value.
    """

    c: tuple[Gaussian, ...]
    nu: tuple[Gaussian, ...]

    def __post_init__(self) -> None:
        if len(self.c) != len(self.nu):
            raise ValueError(f"c, nu: {len(self.c)} amplitudes but {len(self.nu)} rates")
        for k, rate in enumerate(self.nu):
            if rate.re <= 0:
                raise ValueError(f"nu[{k}]: {rate} must have a positive real part, or C(t) stays")

    @property
    def density(self) -> NumericExponentials:
        """The same as a bath of numbers.

        Raises
        ------
        ValueError
            If a coefficient is no decimal that a double stands for.
        """
        for z in (*self.c, *self.nu):
            if any(exact_rational(float(part)) != part for part in (z.re, z.im)):
                raise ValueError(f"c, nu: {z} is not the decimal of a double; choose another")
        return NumericExponentials(tuple(map(complex, self.c)), tuple(map(complex, self.nu)))

    @classmethod
    def of(cls, c: Iterable[Any], nu: Iterable[Any]) -> Exponentials:
        """Read numbers, or pairs (re, im) as in a model file."""
        return cls(tuple(map(_exact, c)), tuple(map(_exact, nu)))

    def __call__(self, t: Any) -> NDArray[np.complex128]:
        """C(t) in double precision for an array of times t > 0."""
        times = np.asarray(t, dtype=np.float64)
        total = np.zeros(times.shape, dtype=np.complex128)
        for amplitude, rate in zip(self.c, self.nu, strict=True):
            total += complex(amplitude) * np.exp(-complex(rate) * times)
        return total

    def conjugate(self) -> Exponentials:
        """C(t)*."""
        return Exponentials(
            tuple(c.conjugate() for c in self.c), tuple(nu.conjugate() for nu in self.nu)
        )

    def is_real(self) -> bool:
        """True if the exponents come in conjugate pairs, so that C(t) is real."""
        plain, mirrored = (Counter(zip(f.c, f.nu, strict=True)) for f in (self, self.conjugate()))
        return plain == mirrored


def time_integral(
    integrand: TimeIntegrand,
    correlations: Mapping[str, Exponentials],
    frequencies: Sequence[Any],
    digits: int = 30,
) -> Any:
    """int_0^inf dtau_1 .. dtau_m of the integrand for exponential correlation functions.

    Each term becomes a sum over the exponents of its factors of coefficient * prod c (or c*) *
    prod over gaps k of 1/(Gamma_k + i x_k.w), Gamma_k being the sum of nu (or nu*) over the
    factors that span gap k.

    Parameters
    ----------
    correlations
        C(t) by name.
    frequencies
        The transition frequencies w_1 .. w_{N-1} of the phases: mpf, or as `exact_rational`.
    digits
        The absolute error is below 10^-digits of the sum of the magnitudes of all terms.

    Returns
    -------
    mpc
        Of a real part, with imaginary part zero.

    Raises
    ------
    ValueError
        For a missing correlation function, a wrong number of frequencies, a complex C(t) under a
        name declared real, or a gap that no factor spans (the integral does not converge).
    """
    _check(integrand, correlations, frequencies)
    for name in sorted(integrand.real & correlations.keys()):
        if not correlations[name].is_real():
            raise ValueError(f"correlations: {name!r} is declared real but C(t) is complex")
    with decimals(digits + GUARD_DIGITS):
        gaps = _GapFactors(integrand, correlations, [_mpf(value) for value in frequencies])
        bits = gaps.bits
        real = imag = 0
        for coefficient, (factors, phase, _) in integrand:
            sum_re = sum_im = 0
            for (re, im), rates in gaps.choices(factors):
                for rate, x in zip(rates, phase, strict=True):
                    a, b = gaps.inverse(rate, x)
                    re, im = (re * a - im * b) >> bits, (re * b + im * a) >> bits
                sum_re += re
                sum_im += im
            c, d = coefficient.re, coefficient.im
            real += math.floor(sum_re * c - sum_im * d)
            imag += math.floor(sum_re * d + sum_im * c)
        total = mpmath.mpc(real, 0 if integrand.real_part else imag)
        return mpmath.ldexp(1, -bits) * gaps.unit * total


def exact_time_integral(
    integrand: TimeIntegrand,
    correlations: Mapping[str, Exponentials],
    frequencies: Sequence[Fraction],
) -> Gaussian:
    """The same as an exact number, term by term and gap by gap; matrix elements are 1.

    For few exponents: the denominators of the sum multiply.
    """
    total = Gaussian()
    for coefficient, (factors, phase, _) in integrand:
        sides = [correlations[f.name] for f in factors]
        sides = [c.conjugate() if f.conjugate else c for f, c in zip(factors, sides, strict=True)]
        for choice in itertools.product(*(zip(c.c, c.nu, strict=True) for c in sides)):
            gaps = [Gaussian(0, _dot(x, frequencies)) for x in phase]
            value = coefficient
            for factor, (c, nu) in zip(factors, choice, strict=True):
                value = value * c
                for k in range(factor.first - 1, factor.last):
                    gaps[k] += nu
            total += value / math.prod(gaps)
    return Gaussian(total.re) if integrand.real_part else total


class _GapFactors:
    """The factors 1/(Gamma + i x.w) of a sum of terms, each computed once, in fixed point.

    A high order has far more terms than distinct Gamma (sums of exponents nu, numbered here) and
    x, and products of integers cost a tenth of those of mpc.  |Gamma| is at least the smallest
    Re nu: in that unit, and with c in units of the largest, no factor exceeds 1.  `bits` makes up
    for how small their product may become; `unit` is what was divided out.
    """

    def __init__(
        self, integrand: TimeIntegrand, correlations: Mapping[str, Exponentials], w: Sequence[Any]
    ) -> None:
        phases = {x for _, shape in integrand for x in shape.phase}
        self._angle = {x: mpmath.mpc(0, _dot(x, w)) for x in phases}
        self._nu: list[Any] = []
        self._c: dict[tuple[str, bool], list[tuple[int, Any]]] = {}
        for name, plain in sorted(correlations.items()):
            for conjugate, function in ((False, plain), (True, plain.conjugate())):
                self._c[name, conjugate] = list(enumerate(map(_mpc, function.c), len(self._nu)))
                self._nu += map(_mpc, function.nu)
        amplitudes = [abs(c) for pairs in self._c.values() for _, c in pairs if c]
        largest = max(amplitudes, default=mpmath.mpf(1))
        self._slowest = min((nu.real for nu in self._nu), default=mpmath.mpf(1))
        self._c = {key: [(k, c / largest) for k, c in pairs] for key, pairs in self._c.items()}
        arcs, gaps = integrand.order // 2, integrand.order - 1
        fastest = arcs * max(map(abs, self._nu), default=0)
        fastest += max(map(abs, self._angle.values()), default=0)
        spread = (largest / min(amplitudes, default=largest)) ** arcs
        spread *= (1 + fastest / self._slowest) ** gaps
        self.bits: int = mpmath.mp.prec + int(mpmath.mag(spread))
        self.unit: Any = largest**arcs / self._slowest**gaps
        self._choices: dict[tuple[Factor, ...], list[tuple[Fixed, tuple[Exponents, ...]]]] = {}
        self._inverse: dict[tuple[Exponents, Frequency], Fixed] = {}

    def choices(self, factors: tuple[Factor, ...]) -> list[tuple[Fixed, tuple[Exponents, ...]]]:
        """For each choice of exponents the product of c and, gap by gap, the exponents open."""
        if factors not in self._choices:
            gaps = range(1, max(factor.last for factor in factors) + 1)
            self._choices[factors] = [
                (
                    self._fixed(mpmath.fprod(c for _, c in choice)),
                    tuple(
                        tuple(sorted(k for f, (k, _) in spans if f.first <= gap <= f.last))
                        for gap in gaps
                    ),
                )
                for choice in itertools.product(*(self._c[f.name, f.conjugate] for f in factors))
                for spans in [list(zip(factors, choice, strict=True))]
            ]
        return self._choices[factors]

    def inverse(self, rate: Exponents, x: Frequency) -> Fixed:
        """1/(Gamma + i x.w)."""
        key = (rate, x)
        if key not in self._inverse:
            gamma = mpmath.fsum(self._nu[k] for k in rate) + self._angle[x]
            self._inverse[key] = self._fixed(self._slowest / gamma)
        return self._inverse[key]

    def _fixed(self, z: Any) -> Fixed:
        return int(mpmath.ldexp(z.real, self.bits)), int(mpmath.ldexp(z.imag, self.bits))


def _check(
    integrand: TimeIntegrand, correlations: Mapping[str, object], frequencies: Sequence[object]
) -> None:
    for _, (factors, phase, _) in integrand.numeric():
        for factor in factors:
            if factor.name not in correlations:
                raise ValueError(f"correlations: no function given for {factor.name!r}")
        if len(frequencies) != len(phase[0]):
            raise ValueError(
                f"frequencies: the phases refer to {len(phase[0])} transition frequencies, "
                f"got {len(frequencies)}"
            )
        for gap in range(1, len(phase) + 1):
            if not any(factor.first <= gap <= factor.last for factor in factors):
                raise ValueError(
                    f"integrand: no correlation function spans tau_{gap}, so the integral over it "
                    "does not converge; only an ordered cumulant as a whole can be integrated"
                )


def _dot(x: Frequency, w: Sequence[Any]) -> Any:
    return sum(n * value for n, value in zip(x, w, strict=True))


def _exact(number: Any) -> Gaussian:
    if isinstance(number, Gaussian):
        return number
    if isinstance(number, str):
        return Gaussian(exact_rational(number))
    re, im = number if isinstance(number, (tuple, list)) else (number.real, number.imag)
    return Gaussian(_rational(re), _rational(im))


def _rational(number: Any) -> Fraction:
    if isinstance(number, mpmath.mpf):
        if not mpmath.isfinite(number):
            raise ValueError(f"{number} is not a finite number")
        sign, mantissa, exponent, _ = number._mpf_
        size = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
        return -size if sign else size
    return exact_rational(number)


def _mpf(number: Any) -> Any:
    if isinstance(number, mpmath.mpf):
        return number
    value = exact_rational(number)
    return mpmath.mpf(value.numerator) / value.denominator


def _mpc(number: Gaussian) -> Any:
    return mpmath.mpc(_mpf(number.re), _mpf(number.im))
