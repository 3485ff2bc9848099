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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import mpmath

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity, DrudeLorentz, Exponentials, Ohmic, Underdamped
from pertsym.certify import time_domain
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.spectra import Pole

_STEPS, _REACH, _LEVELS = 8, 5, 9  # nodes per unit of t, |t| at the ends, halvings

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


@dataclass(frozen=True, eq=False)
class Ray:
    """The path z = scale exp(i angle) exp((pi/2) sinh t), summed by the trapezoidal rule in t.

    The step is halved until two sums agree; new nodes lie between the old ones.
    """

    angle: Any
    scale: Any
    digits: int
    _nodes: dict[int, tuple[tuple[Any, Any], ...]] = field(default_factory=dict, repr=False)

    def nodes(self, level: int) -> tuple[tuple[Any, Any], ...]:
        """(z, dz/dt) at the nodes that a level adds."""
        if level not in self._nodes:
            count = _REACH * _STEPS * 2**level
            first, stride = (-count, 1) if level == 0 else (1 - count, 2)
            half_pi, turn = mpmath.pi / 2, mpmath.expj(self.angle) * self.scale
            made = []
            for j in range(first, count + 1, stride):
                t = mpmath.mpf(j) / (_STEPS * 2**level)
                z = turn * mpmath.exp(half_pi * mpmath.sinh(t))
                made.append((z, z * half_pi * mpmath.cosh(t)))
            self._nodes[level] = tuple(made)
        return self._nodes[level]

    def integral(self, values: Callable[[int], Iterable[Any]]) -> Any:
        """int of a function along the ray.

        Parameters
        ----------
        values
            Level -> f(z) dz/dt at the nodes that the level adds.

        Raises
        ------
        ArithmeticError
            If the sums do not settle.
        """
        total, size = mpmath.mpc(0), mpmath.mpf(0)
        for level in range(_LEVELS):
            new = list(values(level))
            step = mpmath.mpf(1) / (_STEPS * 2**level)
            previous = total
            total = total / 2 + step * mpmath.fsum(new)
            size = size / 2 + step * mpmath.fsum(new, absolute=True)
            if level and abs(total - previous) <= mpmath.mpf(10) ** (-self.digits) * size:
                return total
        raise ArithmeticError("a contour integral did not settle; ask for fewer digits")


@dataclass(frozen=True, eq=False)
class RayBath:
    """A bath with a spectral density that continues analytically into a sector.

    Attributes
    ----------
    right, left
        Ĉ(z) and Ĉ(-z) for z in the sector between the positive axis and the ray; both are real
        on the axis.
    cold
        Ĉ(w < 0) = 0.
    ray
        The path; the sector holds no singularity but the origin.
    """

    right: Function
    left: Function
    cold: bool
    ray: Ray
    _known: dict[int, tuple[tuple[Any, Any] | None, ...]] = field(default_factory=dict, repr=False)

    def half_sided(self, w: Any, derivative: int) -> Any:
        """G^(derivative)(w).

        The path above the axis is w' = z on the right and w' = -conj(z) on the left; the axis
        may be left on either side where there is no pole.  For w < 0 it is the mirror image.
        """
        if not w:
            raise ValueError("w: a ray cannot pass above the origin, where Ĉ may have a kink")
        n = derivative + 1

        def values(level: int) -> Iterator[Any]:
            for (z, dz), here in zip(self.ray.nodes(level), self._at_nodes(level), strict=True):
                if here is not None:
                    right, left = here
                    yield (right / (z - w) ** n + left / (-z - w) ** n) * dz

        total = self.ray.integral(values) * mpmath.factorial(derivative)
        if self.cold and w < 0:  # no pole is passed: the integral is real
            total = mpmath.mpc(total.real)
        return (mpmath.conj(total) if w > 0 else total) / (2j * mpmath.pi)

    def product(self, other: Any, shift: Any, poles: Sequence[Pole]) -> Any:
        """See `ContourBath`; without shift, and on the same ray."""
        if not isinstance(other, RayBath) or other.ray is not self.ray or shift:
            raise TypeError("product: two baths with a spectral density, and no shift")
        if self.cold or other.cold:
            return mpmath.mpf(0)

        def values(level: int) -> Iterator[Any]:
            for (z, dz), here, there in zip(
                self.ray.nodes(level), self._at_nodes(level), other._at_nodes(level), strict=True
            ):
                if here is not None and there is not None:
                    (a, b), (c, d) = here, there
                    yield (a * d * _kernel(poles, z) + b * c * _kernel(poles, -z)) * dz

        return self.ray.integral(values).real

    def _at_nodes(self, level: int) -> tuple[tuple[Any, Any] | None, ...]:
        """Ĉ(z), Ĉ(-z) at the nodes; None far out, where they do not count any more."""
        if level not in self._known:
            nodes = self.ray.nodes(level)
            pairs = [(self.right(z), self.left(z)) for z, _ in nodes]
            sizes = [
                abs(z) * (abs(a) + abs(b)) for (z, _), (a, b) in zip(nodes, pairs, strict=True)
            ]
            least = max(sizes) * mpmath.mpf(10) ** (-self.ray.digits - 15)
            self._known[level] = tuple(
                None if size < least and abs(z) > self.ray.scale else pair
                for (z, _), pair, size in zip(nodes, pairs, sizes, strict=True)
            )
        return self._known[level]


def ray_baths(baths: Sequence[Correlation], digits: int) -> tuple[RayBath, ...]:
    """Ohmic, Drude-Lorentz and underdamped baths, boson or classical, on one ray.

    Raises
    ------
    TypeError
        For other densities.
    """
    continued = [_continued(bath.density) for bath in baths]
    scale = mpmath.exp(mpmath.fsum(mpmath.log(s) for _, s, _ in continued) / len(continued))
    ray = Ray(min(angle for _, _, angle in continued), scale, digits)
    return tuple(
        _thermal(j, bath, ray) for (j, _, _), bath in zip(continued, baths, strict=True)
    )


def _continued(density: BathDensity) -> tuple[Function, Any, Any]:
    """J(z), its scale, and an angle short of its singularities."""
    angle = mpmath.pi / 4
    match density:
        case Ohmic():
            alpha, wc, s = map(mpmath.mpf, (density.alpha, density.wc, density.s))
            return lambda z: alpha * wc * (z / wc) ** s * mpmath.exp(-z / wc), wc, angle
        case DrudeLorentz():
            lam, gamma = map(mpmath.mpf, (density.lam, density.gamma))
            return lambda z: 2 * lam * gamma * z / (gamma**2 + z**2), gamma, angle
        case Underdamped():
            lam, w0, gamma = map(mpmath.mpf, (density.lam, density.w0, density.gamma))
            pole = mpmath.sqrt(mpmath.mpc(w0**2 - gamma**2 / 4)) + 0.5j * gamma
            return (
                lambda z: lam**2 * gamma * z / ((w0**2 - z**2) ** 2 + gamma**2 * z**2),
                w0,
                min(angle, mpmath.arg(pole) / 2),
            )
    raise TypeError(f"density: no contour for {type(density).__name__}")


def _thermal(j: Function, bath: Correlation, ray: Ray) -> RayBath:
    beta = mpmath.mpf(bath.beta)
    if bath.statistics == "classical":
        return RayBath(lambda z: 2 * j(z) / (beta * z), lambda z: 2 * j(z) / (beta * z), False, ray)
    if mpmath.isinf(beta):
        return RayBath(lambda z: 2 * j(z), lambda z: mpmath.mpf(0), True, ray)
    return RayBath(
        lambda z: -2 * j(z) / mpmath.expm1(-beta * z),
        lambda z: 2 * j(z) / mpmath.expm1(beta * z),
        False,
        ray,
    )


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


def residue_spectra(
    baths: Mapping[str, time_domain.Exponentials], digits: int
) -> ContourSpectra:
    """Spectra of exponential correlation functions given by name, with exact coefficients."""
    return ContourSpectra(
        {name: ((1, ResidueBath.of(function)),) for name, function in baths.items()}, digits
    )


def _mpc(re: Any, im: Any) -> Any:
    return mpmath.mpc(
        mpmath.mpf(re.numerator) / re.denominator, mpmath.mpf(im.numerator) / im.denominator
    )
