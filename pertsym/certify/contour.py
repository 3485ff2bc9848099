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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import mpmath

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Exponentials, Ohmic, Underdamped
from pertsym.certify import time_domain
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.spectra import Pole

GUARD_DIGITS = 10

Function = Callable[[Any], Any]


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
            total += 2 * mpmath.pi * c * _chain(*_split(lower_b), -1, w, 0) * _kernel(poles, w)
        for c, nu in upper_b:
            w = 1j * nu
            total += 2 * mpmath.pi * c * _chain(self.c, self.nu, -1, w, 0) * _kernel(poles, w)
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


def _kernel(poles: Sequence[Pole], w: Any) -> Any:
    return mpmath.fsum(c / (w - a) ** n for c, a, n in poles)


@dataclass(frozen=True)
class RayBath:
    """A bath with a spectral density that continues analytically into a sector.

    Attributes
    ----------
    right, left
        Ĉ(z) and Ĉ(-z) for z in the sector around the positive axis.
    angle
        Of the ray; the sector up to it holds no singularity but the origin.
    marks
        Scales at which the quadrature is split.
    cold
        Ĉ(w < 0) = 0.
    digits
        Relative accuracy asked of each quadrature.
    """

    right: Function
    left: Function
    angle: Any
    marks: tuple[Any, ...]
    cold: bool
    digits: int

    @classmethod
    def of(cls, bath: Correlation, digits: int) -> RayBath:
        """For Ohmic, Drude-Lorentz and underdamped densities, boson or classical.

        Raises
        ------
        TypeError
            For other densities.
        """
        density = bath.density
        angle = mpmath.pi / 4
        match density:
            case Ohmic(alpha=alpha, wc=wc, s=s):
                alpha, wc, s = mpmath.mpf(alpha), mpmath.mpf(wc), mpmath.mpf(s)
                scales = [wc]

                def j(z: Any) -> Any:
                    return alpha * wc * (z / wc) ** s * mpmath.exp(-z / wc)

            case DrudeLorentz(lam=lam, gamma=gamma):
                lam, gamma = mpmath.mpf(lam), mpmath.mpf(gamma)
                scales = [gamma]

                def j(z: Any) -> Any:
                    return 2 * lam * gamma * z / (gamma**2 + z**2)

            case Underdamped(lam=lam, w0=centre, gamma=gamma):
                lam, centre, gamma = mpmath.mpf(lam), mpmath.mpf(centre), mpmath.mpf(gamma)
                scales = [centre]
                pole = mpmath.sqrt(mpmath.mpc(centre**2 - gamma**2 / 4)) + 1j * gamma / 2
                angle = min(angle, mpmath.arg(pole) / 2)

                def j(z: Any) -> Any:
                    return lam**2 * gamma * z / ((centre**2 - z**2) ** 2 + gamma**2 * z**2)

            case _:
                raise TypeError(f"density: no ray for {type(density).__name__}")
        return cls._thermal(j, bath, angle, scales, digits)

    @classmethod
    def _thermal(
        cls, j: Function, bath: Correlation, angle: Any, scales: list[Any], digits: int
    ) -> RayBath:
        beta = mpmath.mpf(bath.beta)
        if bath.statistics == "classical":

            def even(z: Any) -> Any:
                return 2 * j(z) / (beta * z)

            return cls(even, even, angle, tuple(scales), False, digits)
        if mpmath.isinf(beta):
            return cls(lambda z: 2 * j(z), lambda z: mpmath.mpf(0), angle, tuple(scales), True, digits)
        return cls(
            lambda z: -2 * j(z) / mpmath.expm1(-beta * z),
            lambda z: 2 * j(z) / mpmath.expm1(beta * z),
            angle,
            (*scales, 1 / beta),
            False,
            digits,
        )

    def half_sided(self, w: Any, derivative: int) -> Any:
        n = derivative + 1
        if not w:
            raise ValueError("w: a ray cannot pass above the origin, where Ĉ may have a kink")
        size = abs(w)
        # w' = z on the right and w' = -z on the left, where above the axis means below it for z
        right, left = self._turned(1 if w > 0 else 0), self._turned(-1 if w < 0 else 0)
        total = self._along(right, lambda z: self.right(z) / (z - w) ** n, size)
        total += self._along(left, lambda z: self.left(z) / (-z - w) ** n, size)
        return mpmath.conj(total * mpmath.factorial(derivative)) / (2j * mpmath.pi)

    def product(self, other: Any, shift: Any, poles: Sequence[Pole]) -> Any:
        if not isinstance(other, RayBath) or shift:
            raise TypeError("product: two baths with a spectral density, and no shift")
        if self.cold or other.cold:
            return mpmath.mpf(0)
        angle = min(self.angle, other.angle)
        sizes = [abs(a) for _, a, _ in poles] + list(other.marks)
        total = self._along(
            mpmath.expj(angle), lambda z: self.right(z) * other.left(z) * _kernel(poles, z), *sizes
        )
        total += self._along(
            mpmath.expj(-angle),
            lambda z: self.left(z) * other.right(z) * _kernel(poles, -z),
            *sizes,
        )
        return total.real

    def _turned(self, side: int) -> Any:
        return mpmath.expj(side * self.angle)

    def _along(self, direction: Any, function: Function, *sizes: Any) -> Any:
        """int of a function along the ray in a direction from the origin."""
        marks = sorted({+mpmath.mpf(m) for m in (*self.marks, *sizes)})
        tail = [marks[-1] * 4, marks[-1] * 16]
        with mpmath.extradps(GUARD_DIGITS):
            value, error = mpmath.quad(
                lambda r: function(r * direction) * direction,
                [0, *marks, *tail, mpmath.inf],
                error=True,
                maxdegree=9,
            )
        if error > mpmath.mpf(10) ** (-self.digits) * abs(value):
            raise ArithmeticError(
                f"a ray integral reached only {mpmath.nstr(error / abs(value), 2)}; ask for "
                "fewer digits"
            )
        return value


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
    def of(cls, baths: Mapping[str, Sequence[tuple[int, Correlation]]], digits: int) -> ContourSpectra:
        """Contours for correlation functions, in mpmath's working precision."""
        made: dict[Correlation, ContourBath] = {}
        for parts in baths.values():
            for _, bath in parts:
                made[bath] = _contour_bath(bath, digits)
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

    def integral(self, name: str, other: str, shift: Any, poles: Sequence[Pole]) -> Bounded:
        return self._sum(
            (x * y, a.product(b, shift, poles))
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

    def _bounded(self, value: Any) -> Bounded:
        return Bounded(value, abs(value) * mpmath.mpf(10) ** (-self.digits))

    def _sum(self, parts: Iterable[tuple[int, Any]]) -> Bounded:
        pieces = [self._bounded(weight * value) for weight, value in parts]
        return functools.reduce(lambda a, b: a + b, pieces)


def residue_spectra(
    baths: Mapping[str, time_domain.Exponentials], digits: int
) -> ContourSpectra:
    """Spectra of exponential correlation functions given by name, with exact coefficients."""
    return ContourSpectra(
        {name: ((1, ResidueBath.of(function)),) for name, function in baths.items()}, digits
    )


def _contour_bath(bath: Correlation, digits: int) -> ContourBath:
    if isinstance(bath.density, Exponentials):
        given = time_domain.Exponentials.of(bath.density.c, bath.density.nu)
        return ResidueBath.of(given)
    return RayBath.of(bath, digits)


def _mpc(re: Any, im: Any) -> Any:
    return mpmath.mpc(
        mpmath.mpf(re.numerator) / re.denominator, mpmath.mpf(im.numerator) / im.denominator
    )
