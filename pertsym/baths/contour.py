"""Enclosures of int dw f(w)/(w - z)^n over a path above the real axis, for piecewise analytic f.

The path leaves every end of an analytic piece at a slope of 1/2, lies above the axis as far as
ball arithmetic shows f to be analytic, and ends in rays to infinity, which are bounded.  A branch
point |w - b|^p is left on the axis.  Poles on the real axis lie below the path: for real f the
real part of the integral is the finite part.  Poles at an end of a piece get Hadamard's finite
part, on either side for itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

import flint
import numpy as np

from pertsym.baths import balls
from pertsym.baths.balls import Decay, tail_integral
from pertsym.baths.panels import CLEAR, DEEPEST, GRADES, Function, Germ, Panel, free, widened

_Ray = tuple[Any, int, Any, Decay]
"""(b, side, distance, bound)"""

_Step = tuple[Any, Any, Any]
"""The ends of a stretch of the axis, and the height of the path above it."""

_STEP = flint.fmpq(9, 4)
_FARTHEST = 1200
_LARGER = 2**16  # |f| beside a panel may be so many times that on the axis


@dataclass(eq=False)
class Contour:
    """The path for one function; integrals of it with poles on or below the real axis."""

    function: Function
    panels: list[Panel]
    germs: list[Germ]
    rays: list[_Ray]

    @classmethod
    def of(
        cls,
        function: Function,
        bits: int,
        poles: Sequence[Any] = (),
        slowest: int = 1,
        closest: Any = None,
        kernel: Sequence[tuple[Any, Any, int]] = (),
    ) -> Contour:
        """A path that suits poles at these real places, or only one kernel with such poles.

        `slowest` is the power of the fastest kernel 1/w^n that the integral needs to converge.
        """
        contour = _Builder(function, bits, tuple(poles), slowest, closest).contour()
        contour._set_goals(bits, kernel)
        return contour

    def transform(self, z: Any, n: int = 1) -> Any:
        """int dw f(w)/(w - z)^n, z on the axis (an `fmpq` or `arb`) or below the path."""
        if self.rays and isinstance(z, flint.acb) and not z.imag.upper() <= 0:
            return flint.acb("nan")
        total = (
            self._beside(z)
            if n == 1
            else sum((panel.kernel_integral([(1, z, n)]) for panel in self.panels), flint.acb(0))
        )
        for germ in self.germs:
            total += germ.transform(z, n)
        # |w - z| >= d/2 on the rays
        return widened(total, self._rays_below if n == 1 else self._beyond(n, flint.arb(2) ** n))

    def kernel_integral(self, poles: Sequence[tuple[Any, Any, int]], order: int) -> Any:
        """int dw f(w) sum_j c_j/(w - a_j)^n_j, poles on the axis, the kernel ~ w^-order."""
        exact = [(balls.real(c), a, n) for c, a, n in poles]
        total = flint.acb(0)
        for panel in self.panels:
            total += panel.kernel_integral(exact)
        for germ in self.germs:
            for c, a, n in exact:
                total += germ.transform(a, n) * c
        for ray in self.rays:
            # K = sum_k kappa_k d^-k from k = order on, since lower orders cancel
            b, _, start, _ = ray
            away = max((abs(balls.real(a) - b).upper() for _, a, _ in exact), key=float)
            size = flint.arb(0)
            for c, _, n in exact:
                terms = sum(
                    math.comb(k - 1, n - 1) * away ** (k - n) / start ** (k - order)
                    for k in range(max(order, n), 60 + order)
                )
                size += abs(c) * terms * 2
            total = widened(total, self._beyond(order, size, [ray]))
        return total

    def _beyond(self, order: int, size: Any, rays: Sequence[_Ray] | None = None) -> Any:
        """A bound of the integrals along rays with a kernel |K| <= size d^-order."""
        total = flint.arb(0)
        for _, _, start, decay in self.rays if rays is None else rays:
            whole = tail_integral(decay.power - order, decay.rate, start)
            total += (size * decay.size * whole * flint.fmpq(9, 8)).abs_upper()
        return total.abs_upper()

    def _beside(self, z: Any) -> Any:
        """The panels' part of the transform; all bounds at once, in doubles on the safe side."""
        if not self.panels:
            return flint.acb(0)
        z = flint.acb(z)
        at = complex(z.mid())
        blur = math.hypot(float(z.real.rad()), float(z.imag.rad()))
        blur = blur + 1e-12 * (abs(at) + np.abs(self._centres))
        u, width = (at - self._centres) / self._halves, np.abs(self._halves)
        gaps = (np.abs(u - 1) + np.abs(u + 1)) / 2 - 5 / 3 - blur / width
        root = np.sqrt(u - 1) * np.sqrt(u + 1)
        # |q| from below
        size = np.maximum(np.abs(u + root), np.abs(u - root))
        grades = np.searchsorted(GRADES, np.log2(size * (1 - 1e-6)), side="right") - 1
        simple = (gaps > CLEAR) & (blur < 1e-9 * width) & (grades >= 0)
        total, errors = flint.acb(0), self._errors
        left_out = errors[1] * 2.0 ** (3 - 2 * GRADES[grades]) / (width * np.abs(root))
        sums = float(np.where(simple, errors[0] / gaps + left_out, 0.0).sum())
        for panel, plain, grade in zip(self.panels, simple.tolist(), grades.tolist(), strict=True):
            if plain:
                total += panel.cauchy((z - panel.centre) * panel.inverse, grade)
            else:
                total += panel.kernel_integral([(1, z, 1)])
        return widened(total, flint.arb(2 * sums) + flint.arb(2) ** -1000)

    @cached_property
    def _errors(self) -> tuple[Any, Any]:
        """Errors of rules for f, and sum |v_j| 2^-bits, as doubles."""
        rules = [float(panel.error.abs_upper()) for panel in self.panels]
        sums = [float(panel.total) * 2.0**-panel.bits for panel in self.panels]
        return np.array(rules), np.array(sums)

    @cached_property
    def _centres(self) -> Any:
        return np.array([complex(panel.centre.mid()) for panel in self.panels])

    @cached_property
    def _halves(self) -> Any:
        return np.array([complex(panel.half.mid()) for panel in self.panels])

    @cached_property
    def _sizes(self) -> Any:
        """Bounds of int |f| |dw| as doubles."""
        return np.array([float(panel.size.abs_upper()) for panel in self.panels])

    def deep(self, depth: Any) -> Any:
        """A bound of |transform(z)| for all z so far below the axis, and more."""
        total = sum((panel.size for panel in self.panels), flint.arb(0))
        total += sum((germ.size for germ in self.germs), flint.arb(0))
        return (total / depth + self._rays_below).abs_upper()

    def coarse(self, z: Any) -> Any:
        """A bound of |transform(z)| for a ball z below the path."""
        # twice what doubles make of it is a bound: distances are lowered by more than they round
        centre, radius = complex(z.mid()), math.hypot(float(z.real.rad()), float(z.imag.rad()))
        away = centre - self._centres
        margin = radius + 1e-12 * (abs(centre) + np.abs(self._centres) + radius)
        gaps = (np.abs(away - self._halves) + np.abs(away + self._halves)) / 2
        gaps = gaps - np.abs(self._halves) - margin
        if not np.all(gaps > 0):
            return flint.arb.pos_inf()
        total = flint.arb(2 * float((self._sizes / gaps).sum()))
        for germ in self.germs:
            gap = (z - germ.b).abs_lower() - germ.length
            if not gap > 0:
                return flint.arb.pos_inf()
            total += germ.size / gap
        if z.imag <= 0:
            return (total + self._rays_below).abs_upper()
        if all(4 * z.imag.upper() <= start for _, _, start, _ in self.rays):
            return (total + 2 * self._rays_below).abs_upper()  # |w - z| >= d/2 - d/4
        return flint.arb.pos_inf()

    @cached_property
    def _rays_below(self) -> Any:
        return self._beyond(1, flint.arb(2))

    def _set_goals(self, bits: int, poles: Sequence[tuple[Any, Any, int]]) -> None:
        """Fewer nodes on panels that add little to int |f K| |dw|."""
        if not (self.panels and poles):
            return
        places, lengths = self._centres, 2 * np.abs(self._halves)
        sizes = np.array([float(panel.middle) for panel in self.panels]) * lengths
        with np.errstate(all="ignore"):
            kernels = [float(c) / (places - float(a)) ** n for c, a, n in poles]
            whole = (sizes * np.abs(np.sum(kernels, axis=0))).sum()
            goals = whole / (np.abs(kernels).sum(axis=0) * lengths)
        for panel, goal in zip(self.panels, goals, strict=True):
            if math.isfinite(goal):
                panel.goal = flint.arb(float(goal)) * flint.arb(2) ** (-bits - 4)


@dataclass
class _Builder:
    function: Function
    bits: int
    poles: tuple[Any, ...]
    slowest: int
    closest: Any
    panels: list[Panel] = field(default_factory=list)
    germs: list[Germ] = field(default_factory=list)
    rays: list[_Ray] = field(default_factory=list)

    def contour(self) -> Contour:
        f = self.function
        self.unit = flint.arb(f.reach)
        for piece, (low, high) in enumerate(pairwise((None, *f.cuts, None))):
            if not f.vanishes(piece):
                self._roofs(piece, self._steps(piece, low, high), low is None, high is None)
        return Contour(f, self.panels, self.germs, self.rays)

    def _steps(self, piece: int, low: Any, high: Any) -> list[_Step]:
        """Distances from an end grow in steps of a fixed ratio; the height is half of them."""
        if low is None and high is None:
            left, right = (self._outwards(0, flint.fmpq(0), side, self.unit) for side in (-1, 1))
            bridge = -self.unit, self.unit, self.unit / 2
            return [*_steps(0, -1, left), bridge, *_steps(0, 1, right)]
        middle = None if low is None or high is None else flint.arb((high - low) / 2)
        found = []
        for b, side in ((low, 1), (high, -1)):
            if b is None:
                continue
            longest = self.unit if middle is None else self.unit.min(middle)
            first = self._start(piece, b, side, longest)
            distances = [first] if first else [flint.arb(0), longest]
            if middle is None:
                distances[-1:] = self._outwards(piece, b, side, distances[-1])
            else:
                while _STEP * distances[-1] < middle:
                    distances.append(_STEP * distances[-1])
                distances = [*(d for d in distances if d < middle), middle]
            found += _steps(b, side, distances)
        return found

    def _start(self, piece: int, b: Any, side: int, longest: Any) -> Any:
        """The length of the Taylor series at an end; None where the path can start at the end."""
        end = self.function.end(b, side)
        on_end = any(isinstance(p, flint.fmpq) and p == b for p in self.poles)
        if end.is_regular and not on_end:
            return None
        for p in self.poles:
            if not (isinstance(p, flint.fmpq) and p == b):
                longest = longest.min(abs(flint.arb(p) - b) / 4)
        if self.closest is not None:
            longest = longest.min(flint.arb(self.closest) / 4)
        if end.germs is not None:
            germs = end.germs(longest / 8, self.bits)
        else:
            germ = Germ.of(b, side, end, longest / 8, self.bits)
            germs = None if germ is None else [germ]
        if germs is None:
            raise ArithmeticError(f"no expansion of a bath was found at w = {float(b):.6g}")
        self.germs += germs
        return germs[0].length

    def _outwards(self, piece: int, b: Any, side: int, first: Any) -> list[Any]:
        """Distances in steps of a fixed ratio until the rest is below the working precision."""
        f, size, steps = self.function, flint.arb(0), [first]
        for _ in range(_FARTHEST):
            d = steps[-1]
            value = f.value(flint.acb(b + side * d), piece)
            size = size.max(value.abs_upper()) if value.is_finite() else size
            beyond = f.beyond(b, side, d)
            if beyond is not None and all(d >= 4 * abs(flint.arb(p) - b) for p in self.poles):
                rest = beyond.size * tail_integral(beyond.power - self.slowest, beyond.rate, d)
                goal = size * flint.arb(2) ** -self.bits * first ** (1 - self.slowest)
                corner = flint.acb(b + side * (d / _STEP).union(d), flint.arb(0).union(d / 2))
                if rest <= goal and len(steps) > 1 and free(f, piece, corner, 12):
                    self.rays.append((b, side, d, beyond))
                    return steps
            steps.append(_STEP * d)
        raise ArithmeticError("the tail of a bath could not be bounded at this precision")

    def _roofs(self, piece: int, steps: list[_Step], left_ray: bool, right_ray: bool) -> None:
        """Panels over ascending stretches, at most so high."""
        boxes: list[_Step] = []
        for low, high, height in steps:
            boxes += self._split(piece, flint.arb(low), flint.arb(high), height, 0)
        knots = [boxes[0][2] if left_ray else flint.arb(0)]
        knots += [a[2].min(c[2]) for a, c in pairwise(boxes)]
        knots.append(boxes[-1][2] if right_ray else flint.arb(0))
        size = flint.arb(0)
        for low, high, height in boxes:  # on the axis, or above it where a cut is too near
            for place in (flint.acb((low + high) / 2), flint.acb((low + high) / 2, height)):
                value = self.function.value(place, piece)
                if value.is_finite():
                    size = size.max(value.abs_upper())
                    break
        for (low, high, _), y0, y1 in zip(boxes, knots[:-1], knots[1:], strict=True):
            ends = flint.acb(low, y0), flint.acb(high, y1)
            panel = Panel(self.function, piece, *ends, size * _LARGER, self.bits)
            self.panels += panel.settled()

    def _split(self, piece: int, low: Any, high: Any, height: Any, depth: int) -> Iterator[_Step]:
        """Boxes above [low, high] in which the function is analytic."""
        box = flint.acb(low.union(high), flint.arb(0).union(height))
        if free(self.function, piece, box):
            yield low, high, height
            return
        if depth > DEEPEST:
            raise ArithmeticError("a bath is not analytic above the real axis, or too narrow there")
        middle = (low + high) / 2
        yield from self._split(piece, low, middle, height / 2, depth + 1)
        yield from self._split(piece, middle, high, height / 2, depth + 1)


def _steps(b: Any, side: int, distances: list[Any]) -> list[_Step]:
    """Ascending stretches between distances from a point."""
    if side > 0:
        return [(b + near, b + far, far / 2) for near, far in pairwise(distances)]
    return [(b - far, b - near, far / 2) for near, far in pairwise(distances)][::-1]
