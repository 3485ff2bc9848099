"""Direct evaluation of time-ordered integrals, without any reduction to spectral forms.

A `TimeIntegrand` is integrated over its gaps tau_1 .. tau_m from 0 to infinity, exactly up to
arithmetic, for exponential correlation functions.  These are taken as given for t > 0; for a boson
bath C(t) = (1/pi) int_0^inf dw J(w) [coth(beta w/2) cos wt - i sin wt], so that
Ĉ(w > 0) = 2 J(w) [n(w) + 1].
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import flint
import mpmath

from pertsym.baths.balls import as_mpf
from pertsym.baths.exponentials import Exponentials as NumericExponentials
from pertsym.equations.denominator_rule import over_gaps
from pertsym.exact import Gaussian, exact_rational
from pertsym.expansion.interaction import Frequency
from pertsym.expansion.terms import Factor, TimeIntegrand
from pertsym.precision import ball_decimals, decimals

GUARD_DIGITS: Final = 15


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

    Term by term and gap by gap, see `pertsym.equations.denominator_rule`.

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
    exact = [_rational(value) for value in frequencies]
    with ball_decimals(digits + GUARD_DIGITS), decimals(digits + GUARD_DIGITS):
        total = _integral(integrand, correlations, exact, _ball, flint.acb(0))
        return mpmath.mpc(as_mpf(total.real), 0 if integrand.real_part else as_mpf(total.imag))


def exact_time_integral(
    integrand: TimeIntegrand,
    correlations: Mapping[str, Exponentials],
    frequencies: Sequence[Fraction],
) -> Gaussian:
    """The same as an exact number; matrix elements are 1.

    For few exponents: the denominators of the sum multiply.
    """
    total: Gaussian = _integral(integrand, correlations, frequencies, lambda z: z, Gaussian())
    return Gaussian(total.re) if integrand.real_part else total


def _integral(
    integrand: TimeIntegrand,
    correlations: Mapping[str, Exponentials],
    w: Sequence[Fraction],
    number: Callable[[Gaussian], Any],
    zero: Any,
) -> Any:
    """The integral in the field that `number` leads to, from `zero`."""

    def exponentials(factor: Factor) -> list[tuple[Any, Gaussian]]:
        side = correlations[factor.name]
        side = side.conjugate() if factor.conjugate else side
        return [(number(c), nu) for c, nu in zip(side.c, side.nu, strict=True)]

    def inverse(rates: list[Gaussian], x: Frequency) -> Any:
        phase = sum(n * value for n, value in zip(x, w, strict=True))
        return 1 / number(sum(rates, Gaussian(0, phase)))

    total = zero
    for term, value in over_gaps(integrand, exponentials, inverse):
        total = total + number(term.coefficient) * value
    return total


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


def _exact(number: Any) -> Gaussian:
    if isinstance(number, Gaussian):
        return number
    if isinstance(number, str):
        return Gaussian(exact_rational(number))
    re, im = number if isinstance(number, (tuple, list)) else (number.real, number.imag)
    return Gaussian(_rational(re), _rational(im))


def _rational(number: Any) -> Fraction:
    if not isinstance(number, mpmath.mpf):
        return exact_rational(number)
    if not mpmath.isfinite(number):
        raise ValueError(f"{number} is not a finite number")
    return Fraction(*mpmath.libmp.to_rational(number._mpf_))


def _ball(z: Gaussian) -> Any:
    a, b, d = z.integers
    return flint.acb(a, b) / d
