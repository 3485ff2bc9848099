"""Spectra with a spectral density, continued onto a ray in the complex frequency plane.

int dw' Ĉ(w')/(w' - w)^n over a path above the pole is one integral along a rotated ray, on which
nothing is singular or oscillates.  Boson bath: Ĉ(w > 0) = 2 J(w) [n(w) + 1].
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import mpmath

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity, DrudeLorentz, Ohmic, Underdamped
from pertsym.numerics.spectra import Pole

_STEPS, _REACH, _LEVELS = 8, 5, 9  # nodes per unit of t, |t| at the ends, halvings

Function = Callable[[Any], Any]


def kernel(poles: Sequence[Pole], w: Any) -> Any:
    """sum_j c_j/(w - a_j)^n_j."""
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
                    yield (a * d * kernel(poles, z) + b * c * kernel(poles, -z)) * dz

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
    return tuple(_thermal(j, bath, ray) for (j, _, _), bath in zip(continued, baths, strict=True))


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
