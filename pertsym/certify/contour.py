"""Spectral values at any precision by contours in the complex frequency plane.

With I(w) = int dw' Ĉ(w')/(w' - w) over a path that passes above the pole,

    I(w) = P(w) - i pi Ĉ(w) = conj(2 pi i G(w)),    P = -2 pi Im G,    Ĉ = 2 Re G,

so that one integral along a rotated ray w' = r e^{i theta} gives a spectrum and its transform
without any principal value, and its derivatives give theirs.  For C(t > 0) = sum c exp(-nu t)
every integral is a finite sum of residues.  Neither the closed forms nor the quadratures of
`pertsym.baths` are used.  Boson bath: Ĉ(w > 0) = 2 J(w) [n(w) + 1].
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import mpmath

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Exponentials
from pertsym.certify import time_domain
from pertsym.certify.rays import kernel, ray_baths
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.spectra import Pole


class ContourBath(Protocol):
    """One bath, seen in the complex plane."""

    def half_sided(self, w: Any, derivative: int) -> Any:
        """G^(derivative)(w) at a real w."""

    def product(self, other: Any, shift: Any, poles: Sequence[Pole]) -> Any:
        """FP int dw Ĉ(w) Ĉ_other(shift - w) sum_j c_j/(w - a_j)^n_j."""


@dataclass(frozen=True)
class ResidueBath:
    """C(t > 0) = sum c exp(-nu t): everything by residues."""

    c: tuple[Any, ...]
    nu: tuple[Any, ...]

    @classmethod
    def of(cls, exponentials: time_domain.Exponentials) -> ResidueBath:
        """From exact coefficients, in mpmath's working precision."""
        return cls(
            tuple(_mpc(c.re, c.im) for c in exponentials.c),
            tuple(_mpc(nu.re, nu.im) for nu in exponentials.nu),
        )

    def half_sided(self, w: Any, derivative: int) -> Any:
        return _chain(self.c, self.nu, -1, w, derivative)

    def product(self, other: Any, shift: Any, poles: Sequence[Pole]) -> Any:
        """The path passes above the real poles; each factor is split by where its poles lie.

        Ĉ_A(w) = sum c/(nu - iw) [poles below] + sum c*/(nu* + iw) [above], and Ĉ_B(s - w)
        likewise.  Where both have poles above, the path is closed below, on the real poles.
        """
        if not isinstance(other, ResidueBath):
            raise TypeError("product: both baths must be exponential")
        total = mpmath.mpc(0)
        upper = [(mpmath.conj(c), mpmath.conj(nu)) for c, nu in zip(self.c, self.nu, strict=True)]
        lower_b = [
            (mpmath.conj(c), mpmath.conj(nu) + 1j * shift)
            for c, nu in zip(other.c, other.nu, strict=True)
        ]
        upper_b = [(c, nu - 1j * shift) for c, nu in zip(other.c, other.nu, strict=True)]
        for c, nu in upper:  # residue c/i at w = i nu
            w = 1j * nu
            total += 2 * mpmath.pi * c * _chain(*_split(lower_b), -1, w, 0) * kernel(poles, w)
        for c, nu in upper_b:
            w = 1j * nu
            total += 2 * mpmath.pi * c * _chain(self.c, self.nu, -1, w, 0) * kernel(poles, w)
        for coefficient, position, order in poles:
            m = order - 1
            for k in range(order):
                above = _chain(*_split(upper), 1, position, k) * _chain(
                    *_split(upper_b), 1, position, m - k
                )
                weight = mpmath.binomial(m, k) / mpmath.factorial(m)
                total -= 2j * mpmath.pi * coefficient * weight * above
        return total.real


def _chain(c: Sequence[Any], nu: Sequence[Any], side: int, w: Any, derivative: int) -> Any:
    """d^m/dw^m of sum c/(nu + side i w)."""
    scale = mpmath.factorial(derivative) * mpmath.mpc(0, -side) ** derivative
    return mpmath.fsum(
        scale * a / (rate + side * 1j * w) ** (derivative + 1)
        for a, rate in zip(c, nu, strict=True)
    )


def _split(pairs: Sequence[tuple[Any, Any]]) -> tuple[list[Any], list[Any]]:
    return [a for a, _ in pairs], [b for _, b in pairs]


@dataclass(frozen=True)
class ContourSpectra:
    """What a spectral form asks of its baths, answered by contours; a `Spectra`.

    Attributes
    ----------
    baths
        Name -> linear combination of baths.
    digits
        Relative accuracy of a single answer.
    """

    baths: Mapping[str, Sequence[tuple[int, ContourBath]]]
    digits: int
    _known: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls, baths: Mapping[str, Sequence[tuple[int, Correlation]]], digits: int
    ) -> ContourSpectra:
        """Contours for correlation functions, in mpmath's working precision."""
        every = {bath: None for parts in baths.values() for _, bath in parts}
        rays = [bath for bath in every if not isinstance(bath.density, Exponentials)]
        made: dict[Correlation, ContourBath] = {}
        if rays:
            made.update(zip(rays, ray_baths(rays, digits), strict=True))
        for bath in every:
            if isinstance(bath.density, Exponentials):
                given = time_domain.Exponentials.of(bath.density.c, bath.density.nu)
                made[bath] = ResidueBath.of(given)
        return cls(
            {
                name: tuple((weight, made[bath]) for weight, bath in parts)
                for name, parts in baths.items()
            },
            digits,
        )

    @property
    def pi(self) -> Any:
        return +mpmath.pi

    def number(self, x: Any) -> Any:
        return mpmath.mpf(x)

    def spectrum(self, name: str, w: Any, derivative: int = 0) -> Bounded:
        return self._sum(
            (weight, 2 * self._half_sided(bath, w, derivative).real)
            for weight, bath in self.baths[name]
        )

    def transform(self, name: str, w: Any, derivative: int = 0) -> Bounded:
        return self._sum(
            (weight, -2 * mpmath.pi * self._half_sided(bath, w, derivative).imag)
            for weight, bath in self.baths[name]
        )

    def difference(self, name: str, w: Any, reference: Any) -> Bounded:
        return self.transform(name, w) - self.transform(name, reference)

    def integral(self, name: str, other: str, shift: Any, poles: Sequence[Pole]) -> Bounded:
        return self._sum(
            (x * y, self._product(a, b, shift, tuple(poles)))
            for (x, a), (y, b) in itertools.product(self.baths[name], self.baths[other])
        )

    def thermal(self, power: int, energy: Any, beta: Any) -> Bounded:
        if mpmath.isinf(beta) and energy > 0:
            return Bounded(mpmath.mpf(0), mpmath.mpf(0))
        value = mpmath.mpf(beta) ** power * mpmath.exp(-mpmath.mpf(beta) * energy)
        return self._bounded(value)

    def _half_sided(self, bath: ContourBath, w: Any, derivative: int) -> Any:
        key = (id(bath), w, derivative)
        if key not in self._known:
            self._known[key] = bath.half_sided(w, derivative)
        return self._known[key]

    def _product(self, a: ContourBath, b: ContourBath, shift: Any, poles: tuple[Pole, ...]) -> Any:
        key = (id(a), id(b), shift, poles)
        if key not in self._known:
            self._known[key] = a.product(b, shift, poles)
        return self._known[key]

    def _bounded(self, value: Any) -> Bounded:
        return Bounded(value, abs(value) * mpmath.mpf(10) ** (-self.digits))

    def _sum(self, parts: Iterable[tuple[int, Any]]) -> Bounded:
        pieces = [self._bounded(weight * value) for weight, value in parts]
        return functools.reduce(lambda a, b: a + b, pieces)


def residue_spectra(baths: Mapping[str, time_domain.Exponentials], digits: int) -> ContourSpectra:
    """Spectra of exponential correlation functions given by name, with exact coefficients."""
    return ContourSpectra(
        {name: ((1, ResidueBath.of(function)),) for name, function in baths.items()}, digits
    )


def _mpc(re: Any, im: Any) -> Any:
    return mpmath.mpc(
        mpmath.mpf(re.numerator) / re.denominator, mpmath.mpf(im.numerator) / im.denominator
    )
