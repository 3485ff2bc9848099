"""Spectra of exponential correlation functions by residues, integrals over a transform included.

For C(t > 0) = sum c exp(-nu t) both Ĉ and P are sums of simple poles in the plane: with
G(w) = sum i c/(w + i nu), whose poles lie below, and its mirror image with poles above,

    Ĉ = G + G*,    P = i pi (G - G*).

A finite part over real functions is the real part of the integral along a line just above the
axis.  In a product of two such functions the pieces with poles below only vanish (the line is
closed above), mixed pieces leave the poles above, and pieces with poles above only are closed
below, on the poles of the kernel.  No quadrature, no principal value, any precision.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath

from pertsym.baths.mixed_integral import Kind
from pertsym.certify.time_domain import Exponentials
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.spectra import Pole

Fractions = list[tuple[Any, Any]]
"""(residue, place) of simple poles."""


@dataclass(frozen=True)
class ResidueSpectra:
    """A `MixedSpectra` in mpmath's working precision.

    Every spectrum is smooth: what is asked for at a kink is the whole value.

    Attributes
    ----------
    baths
        C(t > 0) by name, exact coefficients.
    digits
        Relative accuracy claimed for a single answer.
    """

    baths: Mapping[str, Exponentials]
    digits: int

    @property
    def pi(self) -> Any:
        return +mpmath.pi

    def number(self, x: Any) -> Any:
        return mpmath.mpf(x)

    def spectrum(self, name: str, w: Any, derivative: int = 0) -> Bounded:
        return self._bounded(_value(self._fractions("C", name), w, derivative).real)

    def transform(self, name: str, w: Any, derivative: int = 0) -> Bounded:
        return self._bounded(_value(self._fractions("P", name), w, derivative).real)

    def difference(self, name: str, w: Any, reference: Any) -> Bounded:
        return self.transform(name, w) - self.transform(name, reference)

    def integral(self, name: str, other: str, shift: Any, poles: Sequence[Pole]) -> Bounded:
        return self.mixed_integral("CC", name, other, -1, shift, poles)

    def mixed_integral(
        self, kind: Kind, name: str, other: str, reflect: int, shift: Any, poles: Sequence[Pole]
    ) -> Bounded:
        first = self._fractions("C", name)
        moved = [
            (reflect * residue, reflect * (place - shift))
            for residue, place in self._fractions("P" if kind == "CP" else "C", other)
        ]
        return self._bounded(_finite_part(first, moved, poles))

    def has_slope(self, name: str, w: Any) -> bool:
        return True

    def mean_slope(self, name: str, w: Any) -> Bounded:
        return self.spectrum(name, w, 1)

    def regular_slope(self, name: str, w: Any) -> Bounded:
        return self.transform(name, w, 1)

    def regular_part(
        self, kind: Kind, name: str, other: str, reflect: int, shift: Any, pole: Any
    ) -> Bounded:
        return self.mixed_integral(kind, name, other, reflect, shift, [(mpmath.mpf(1), pole, 2)])

    def thermal(self, power: int, energy: Any, beta: Any) -> Bounded:
        raise ValueError("thermal: correlation functions given as exponentials have no temperature")

    def _fractions(self, kind: str, name: str) -> Fractions:
        """Ĉ or P of a bath as simple poles, below and above the axis."""
        i = mpmath.mpc(0, 1)
        found: Fractions = []
        for c, nu in zip(self.baths[name].c, self.baths[name].nu, strict=True):
            weight, rate = _mpc(c), _mpc(nu)
            below, above = i * weight, -i * mpmath.conj(weight)
            if kind == "P":
                below, above = i * mpmath.pi * below, -i * mpmath.pi * above
            found += [(below, -i * rate), (above, i * mpmath.conj(rate))]
        return found

    def _bounded(self, value: Any) -> Bounded:
        return Bounded(value, abs(value) * mpmath.mpf(10) ** (-self.digits))


def _finite_part(first: Fractions, second: Fractions, poles: Sequence[Pole]) -> Any:
    first_above, first_below = _split(first)
    second_above, second_below = _split(second)
    total = mpmath.mpc(0)
    for here, opposite in ((first_above, second_below), (second_above, first_below)):
        for residue, place in here:
            kernel = mpmath.fsum(c / (place - a) ** n for c, a, n in poles)
            total += residue * _value(opposite, place) * kernel
    for coefficient, at, order in poles:
        m = order - 1
        total -= coefficient * mpmath.fsum(
            mpmath.binomial(m, k)
            / mpmath.factorial(m)
            * _value(first_above, at, m - k)
            * _value(second_above, at, k)
            for k in range(order)
        )
    return (2j * mpmath.pi * total).real


def _split(fractions: Fractions) -> tuple[Fractions, Fractions]:
    above = [item for item in fractions if item[1].imag > 0]
    return above, [item for item in fractions if item[1].imag < 0]


def _value(fractions: Fractions, w: Any, derivative: int = 0) -> Any:
    """d^m/dw^m of sum residue/(w - place)."""
    scale = mpmath.factorial(derivative) * (-1) ** derivative
    return scale * mpmath.fsum(
        residue / (w - place) ** (derivative + 1) for residue, place in fractions
    )


def _mpc(number: Any) -> Any:
    return mpmath.mpc(
        mpmath.mpf(number.re.numerator) / number.re.denominator,
        mpmath.mpf(number.im.numerator) / number.im.denominator,
    )
