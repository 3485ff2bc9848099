"""A bath as simple poles below the real axis: G(z) = sum_k a_k/(z - w_k), with a bound.

The poles are the nodes of a path (`node_path`) and the resonances beside it.  All real z are at
least max(|z|, |w|) sin(theta) away from a node, whence a bound for every z from two cumulative
sums.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np

from pertsym.baths.node_ends import APART, SLOW, continued, finite, mirrored
from pertsym.baths.node_path import (
    ALIKE,
    ANGLE,
    EPS,
    OPERATIONS,
    STEPS,
    Arm,
    Complex,
    Path,
    Real,
    burdened,
    made,
    seen,
)

_CANCELLED = 8 * EPS  # rounding of one part of a kernel
_BLOCK = 1 << 18
_DEPTHS = 3 * ALIKE  # nodes of a ray by which depths differ
_IN_CACHE = 1 << 14  # numbers of a part


@dataclass(frozen=True, eq=False)
class Nodes:
    """Poles and residues of G, and what bounds the error.

    Attributes
    ----------
    arms
        The nodes of the turned path: on the right and on the left.
    resonances
        Poles and residues that are added: of J between the axis and the path, or of a correlation
        function that is a sum of exponentials; both of shape S + (n,), S that of the parameters.
    floor, ceiling
        The bound holds for floor <= |z| <= ceiling; the floor is 0 on a hyperbola.  Beyond the
        ceiling `on_points` has one that grows.
    uncertainty
        Relative error of the residues of the resonances.
    reach
        `Path.reach` on the right, the largest |w_k| of a sum of exponentials; of a product unknown.
    """

    arms: tuple[Arm, ...]
    resonances: tuple[Complex, Complex]
    floor: float
    ceiling: float
    uncertainty: float = 0.0
    reach: float = 0.0

    @classmethod
    def of(
        cls,
        path: Path,
        floor: float,
        ceiling: float,
        step: float | None = None,
        make: Callable[[Path, int, float, float, float], Arm] = made,
    ) -> Nodes:
        """The rule for floor <= |z| <= ceiling (and z = 0 where Ĉ is analytic).

        Without a step the coarsest one is taken at which rounding is the larger part of the error.
        `make` gives arms as `made` does, if some may be there already.

        Raises
        ------
        ArithmeticError
            If Ĉ overflows on the path.
        """
        if path.analytic:
            floor = 0.0
        sides = (1, -1) if path.left or path.analytic else (1,)
        with np.errstate(all="ignore"):
            for h in STEPS if step is None else (step,):
                arms = tuple(make(path, side, floor, ceiling, h) for side in sides)
                if all(arm.is_fine(path.scale) for arm in arms):
                    break
        positions, residues, lost = seen(path, floor, h)
        arms, poles = burdened(arms, positions, lost), (positions, residues)
        return cls(arms, poles, floor, ceiling, reach=path.reach[1])

    @classmethod
    def discrete(cls, poles: Complex, residues: Complex) -> Nodes:
        """A sum of exponentials sum_k c_k e^{-i w_k t}: residues i c_k, no path."""
        return cls((), (poles, residues), 0.0, math.inf, reach=float(np.max(np.abs(poles))))

    @cached_property
    def poles(self) -> Complex:
        """w_k of all nodes, with what continues them at the ends; shape (M,)."""
        found: Complex = _joined([arm.closed[0] for arm in self.arms], complex)
        return found

    @cached_property
    def residues(self) -> Complex:
        """a_k of all nodes; shape S + (M,)."""
        found: Complex = _joined([arm.closed[1] for arm in self.arms], complex)
        return found

    @cached_property
    def every(self) -> tuple[Complex, Complex, Real, Real]:
        """w_k and a_k of all nodes as they are, the rounding of a term, and |a_k|."""
        residues = _joined([arm.residues for arm in self.arms], complex)
        sizes = np.abs(residues)
        rounding = _joined([arm.rounding for arm in self.arms], float) + 16 * EPS * sizes
        return _joined([arm.poles for arm in self.arms], complex), residues, rounding, sizes

    @cached_property
    def edges(self) -> tuple[Complex, Real]:
        """Both edges of the strips of all arms, as `Arm.strip`."""
        strips = [edge for arm in self.arms for edge in arm.strip]
        return _joined([w for w, _ in strips], complex), _joined([a for _, a in strips], float)

    @cached_property
    def _radii(self) -> Real:
        """Of the nodes that `weights` are for."""
        radii = [np.abs(arm.poles[:: arm.stride]) for arm in self.arms]
        return np.asarray(_joined(radii, float))

    def by_arm(self, values: Any) -> list[Any]:
        """What is there for every node, for the nodes of one arm after the other."""
        ends = list(accumulate((len(arm.poles) for arm in self.arms), initial=0))
        return [values[..., start:end] for start, end in pairwise(ends)]

    def weights(self, m: int) -> Real:
        """`Arm.weights` of all arms."""
        if m not in self._weights:
            self._weights[m] = _joined([arm.weights(m) for arm in self.arms], float)
        return self._weights[m]

    @cached_property
    def _weights(self) -> dict[int, Real]:
        return {}

    def half_sided(self, z: Any, derivative: int = 0) -> tuple[Any, Any]:
        """G^(m)(z) for Im z >= 0, and its error.

        Parameters
        ----------
        z : ndarray
            Of a shape that broadcasts with S; within floor and ceiling.
        derivative : int
            m, from 0 to 3.

        Returns
        -------
        value, error : ndarray
            Complex and real; |value - G^(m)(z)| <= error.
        """
        z = np.asarray(z)
        value, error = self._sum(plain_kernel, z, derivative)
        return value, error + self.bound(np.abs(z), derivative) * math.factorial(derivative)

    def at_zero(self, derivative: int) -> tuple[Any, Any]:
        """G^(m)(0) on rays; only its imaginary part, P, where Ĉ ~ w^p with p <= m.

        The ends of the rays are summed as powers of their own, those at 0 together: what diverges
        on one ray, and the arc between them, adds to the real part only.  Where p = m - 1 a finite
        part is left, which rays that end too deep lose: the best of several depths is taken.
        """
        value, error = self._at_zero(derivative)
        if self.arms[0].inner == derivative:
            for cut in range(_DEPTHS, min(len(a.poles) for a in self.arms) - 4 * APART, _DEPTHS):
                arms = tuple(arm.without(cut) for arm in self.arms)
                other, lost = replace(self, arms=arms)._at_zero(derivative)
                value = np.where(lost < error, other, value)[()]
                error = np.minimum(error, lost)
        return value, error

    def _at_zero(self, derivative: int) -> tuple[Any, Any]:
        order = derivative + 1
        value, error = self.integral(lambda w: 1 / w**order, order=order)
        factor = math.factorial(derivative) / (2 * math.pi)
        return -1j * factor * value, factor * error

    def integral(
        self,
        kernel: Callable[[Complex], Any],
        factor: Factor | None = None,
        parts: Callable[[Complex], Any] | None = None,
        order: int = 0,
    ) -> tuple[Any, Any]:
        """int dw Ĉ(w) F(w) K(w) along the path, (2 pi/i) sum_k a_k F_k K_k, and its error.

        Parameters
        ----------
        kernel
            K, which goes as 1/w^order at w = 0.
        factor
            F, 1 if it is not given.
        parts
            The sum of the sizes of what K is the sum of: far from its poles they cancel, and their
            rounding, that of the coefficients included, is left.

        Returns
        -------
        value, error : ndarray
            Complex and real, of shape S; in units of Ĉ F K times w.
        """
        w, own, rounding, size = self.every
        k = kernel(w)
        f, lost = factor.nodes if factor else (1.0, 0.0)
        terms = own * f * (-2j * math.pi * k)
        largest = np.abs(f)
        error = _weighted(rounding * largest + size * lost, np.abs(k))
        if parts:
            error = error + _CANCELLED * _weighted(size * largest, parts(w))
        w, strip = self.edges
        if factor:
            largest = factor.edges
        error = error + _weighted(strip * largest, np.abs(kernel(w)))
        value, error = terms.sum(-1), 2 * math.pi * error
        for rest, missed in self._ends(terms, order):
            value, error = value + rest, error + missed
        positions, residues = self.resonances
        if positions.shape[-1]:
            k = kernel(positions)
            f, lost = factor.resonances if factor else (1.0, 0.0)
            terms = -2j * math.pi * residues * f * k
            missed = np.abs(terms) * (64 * EPS + self.uncertainty)
            missed = missed + 2 * math.pi * np.abs(residues * k) * lost
            if parts:
                size = np.abs(residues * f)
                missed = missed + 2 * math.pi * _CANCELLED * parts(positions) * size
            value, error = value + terms.sum(-1), error + missed.sum(-1)
        return value, error

    def _ends(self, terms: Complex, order: int) -> Iterator[tuple[Any, Any]]:
        """What lies beyond the terms and its error, of the inner ends of two rays together."""
        terms_of_arms = self.by_arm(terms)
        for arm, along in zip(self.arms, terms_of_arms, strict=True):
            if arm.outer is not None:
                yield continued(along[..., :-4:-1], arm.step, logarithm=not arm.outer)
        if not self.arms or self.arms[0].inner is None:
            return
        right, *left = terms_of_arms
        fall, step = self.arms[0].inner - order, self.arms[0].step
        if not left:
            yield continued(right[..., :3], step, fall)
        elif 0 < fall < SLOW:
            yield mirrored(right[..., :3], left[0][..., :3], step, fall, order)
        elif fall == -1:
            deep = slice(None, 3 * APART + 1, APART)
            yield finite(right[..., deep] + left[0][..., deep], step)
        else:
            yield continued(right[..., :3] + left[0][..., :3], step)

    def part(self, z: Any, derivative: int, parity: int) -> tuple[Any, Any]:
        """[G^(m)(z) + parity G^(m)(-z)]/2 for real z != 0, m = 0 or 1, and its error.

        Neither part loses digits where it is much smaller than G: the terms are
        a_k w_k/(z^2 - w_k^2) and a_k z/(z^2 - w_k^2), and their derivatives.
        """
        z, m = np.asarray(z), derivative
        kernel = (
            even_kernel if (parity > 0) == (m == 0) else odd_kernel
        )  # the derivative of one is the other
        value, error = self._sum(kernel, z, m)
        size = np.abs(z)
        if parity > 0:
            return value, error + self.bound(size, m) * math.factorial(m)
        return value, error + self.bound(size, m + 1) * math.factorial(m + 1) * size

    def _sum(self, kernel: Kernel, z: Any, m: int) -> tuple[Any, Any]:
        """The sum over nodes, and over resonances with its rounding."""
        value = _cauchy_sum(kernel, self.residues, self.poles, z, m)
        positions, residues = self.resonances
        if not positions.shape[-1]:
            return value, 0.0
        terms = residues * kernel(z[..., None], positions, m)
        nearest = np.minimum(np.abs(z[..., None] - positions), np.abs(z[..., None] + positions))
        lost = OPERATIONS * EPS * (1 + (m + 1) * np.abs(positions) / nearest) + self.uncertainty
        return value + terms.sum(-1), (np.abs(terms) * lost).sum(-1)

    @cached_property
    def analytic(self) -> bool:
        """Whether the path passes below w = 0."""
        return all(arm.inner is None for arm in self.arms)

    @cached_property
    def outer_ends(self) -> tuple[tuple[float, float], ...]:
        """q of Ĉ ~ |w|^q and the last |w_k|, of the arms that go on as a power."""
        open_ends = [arm for arm in self.arms if arm.outer is not None]
        return tuple((arm.outer - 1, float(abs(arm.poles[-1]))) for arm in open_ends)  # type: ignore[operator]

    @cached_property
    def every_pole(self) -> Complex:
        """Nodes and resonances of all parameters, flat."""
        return np.concatenate((self.poles, self.resonances[0].ravel()))

    def on_points(self, z: Complex, anchor: float | None = None) -> tuple[Any, Any]:
        """G at points above the axis, shape (M,) to S + (M,), with its error.

        What lies beyond the last node w is known to (|z|/|w|)^2 of its size: of the error this is
        the only part that is larger above the ceiling.

        With an anchor on the axis: sum_k a_k/[(z - w_k)(anchor - w_k)] = [G(z) - G(a)]/(a - z).
        """
        positions, residues = self.resonances
        own = residues if anchor is None else residues / (anchor - positions)
        value = self._applied(z, anchor)
        m = 0 if anchor is None else 1
        error, size = self._spread(m, z, anchor), np.abs(z)
        for arm in self.arms:
            if arm.outer is not None and np.any(size > self.ceiling):
                last = abs(arm.poles[-1])
                grown = np.maximum(size / self.ceiling, 1.0) ** (2 - m) - 1
                grown = grown / np.maximum(size, last)
                grown = grown if anchor is None else grown / max(abs(anchor), last)
                error = error + arm.ends[m, 1][..., None] * grown
        if positions.shape[-1]:
            terms = own[..., None, :] / (z[:, None] - positions[..., None, :])
            value = value + terms.sum(-1)
            error = error + 64 * EPS * np.abs(terms).sum(-1)
        return value, error

    def _applied(self, z: Complex, anchor: float | None) -> Any:
        """The sum over nodes of `on_points`, in parts that stay in the cache."""
        poles, own, same = self._varying_first
        if anchor is not None:
            away = anchor - poles
            own, same = own / away[: own.shape[-1]], same / away[own.shape[-1] :]
        count, poles, same = own.shape[-1], poles[:, None], same[:, None]
        found = np.empty((*own.shape[:-1], len(z)), complex)
        columns = max(1, min(_IN_CACHE // max(1, len(poles)), len(z)))
        kernel = np.empty((len(poles), columns), complex)
        for start in range(0, len(z), columns):
            some = z[start : start + columns]
            part = kernel[:, : len(some)]
            np.reciprocal(np.subtract(some, poles, out=part), out=part)  # faster than 1/z
            once = (same * part[count:]).sum(0)  # a BLAS would wake its threads for so little
            found[..., start : start + columns] = own @ part[:count] + once
        return found

    @cached_property
    def _varying_first(self) -> tuple[Complex, Complex, Complex]:
        """w_k, first of those a_k that parameters change, with these a_k, and the other a_k."""
        lead = tuple(range(self.residues.ndim - 1))
        first = self.residues[(0,) * len(lead)]
        varies = np.any(self.residues != first, axis=lead) if lead else np.zeros(len(first), bool)
        order, count = np.argsort(~varies, kind="stable"), int(varies.sum())
        return self.poles[order], self.residues[..., order[:count]], first[order[count:]]

    def majorant(self, z: Complex, anchor: float | None = None) -> Any:
        """A bound of |G| at points above the axis, or of the same with an anchor."""
        power = 1 if anchor is None else 2
        bound = self._spread(None, z, anchor) * math.sin(ANGLE) ** -power
        positions, residues = self.resonances
        if positions.shape[-1]:
            own = residues if anchor is None else residues / (anchor - positions)
            away = np.abs(z[:, None] - positions[..., None, :])
            bound = bound + (np.abs(own)[..., None, :] / away).sum(-1)
        return bound

    def _spread(self, m: int | None, z: Complex, anchor: float | None) -> Any:
        """sum_k values_k/max(|z|, |w_k|), with an anchor each over max(|anchor|, |w_k|).

        The values are the weights of m, or sizes.
        """
        key = m, None if anchor is None else abs(anchor)
        if key not in self._sums:
            values = self._sizes if m is None else self.weights(m)
            if anchor is not None:
                values = values / np.maximum(self._radii, abs(anchor))
            self._sums[key] = self.cumulative(values, 1)
        return _within(self._sums[key], np.abs(z), 1)

    @cached_property
    def _sums(self) -> dict[Any, tuple[Real, Real, Real]]:
        return {}

    @property
    def _sizes(self) -> Real:
        sizes = [arm.merged(np.abs(arm.closed[1])) for arm in self.arms]
        return np.asarray(_joined(sizes, float))

    def bound(self, size: Any, m: int) -> Any:
        """sum_k weights_k/max(size, |w_k|)^(m+1): the error of G^(m)/m! at |z| = size."""
        weights = self.weights(m)
        if weights.ndim == 1:
            return _within(self.cumulative(weights, m + 1), size, m + 1)
        away = np.maximum(np.asarray(size)[..., None], self._radii) ** -float(m + 1)
        return _weighted(weights, away)

    def cumulative(self, values: Real, power: int) -> tuple[Real, Real, Real]:
        """Radii; sums of the values within each, and of values/radius^power beyond it."""
        order, radii = self._ordered
        values = values[..., order]
        with np.errstate(all="ignore"):  # infinite for radii that no z comes near
            scaled = np.where(values > 0, values / radii**power, 0.0)
        inner, outer = np.zeros((2, *values.shape[:-1], len(radii) + 1))
        np.cumsum(values, -1, out=inner[..., 1:])
        np.cumsum(scaled[..., ::-1], -1, out=outer[..., -2::-1])
        return radii, inner, outer

    @cached_property
    def _ordered(self) -> tuple[Any, Real]:
        order = np.argsort(self._radii, kind="stable")
        return order, self._radii[order]


class Factor(NamedTuple):
    """A function of w at nodes and at resonances, with errors, and a bound at the edges."""

    nodes: tuple[Any, Any]
    edges: Any
    resonances: tuple[Any, Any]


def _within(sums: tuple[Real, Real, Real], size: Any, power: int) -> Any:
    """From `Nodes.cumulative`: sum_k values_k/max(size, |w_k|)^power for every size."""
    radii, inner, outer = sums
    size = np.asarray(size, dtype=float)
    index = np.searchsorted(radii, size)
    near = inner[..., index] / np.where(index > 0, size, 1.0) ** power  # none is within 0
    near += outer[..., index]
    return near


def _weighted(sizes: Any, kernel: Any) -> Any:
    """Sums over the nodes, quicker where the kernel is the same for all parameters."""
    return sizes @ kernel if kernel.ndim == 1 else (sizes * kernel).sum(-1)


def _joined(parts: list[Any], kind: type[Any]) -> Any:
    """Properties of the nodes of all arms."""
    return np.concatenate(parts or [np.empty(0, kind)], -1)


Kernel = Callable[[Any, Any, int], Any]
"""A function of z and w that is summed over residues, and its derivatives with respect to z."""


def plain_kernel(z: Any, w: Any, m: int) -> Any:
    """The m-th derivative of 1/(z - w) with respect to z."""
    inverse = np.reciprocal(z - w)
    return inverse if m == 0 else (-1.0) ** m * math.factorial(m) * inverse ** (m + 1)


def even_kernel(z: Any, w: Any, m: int) -> Any:
    """w/(z^2 - w^2), the part of 1/(z - w) that is even in z, or its first derivative (m = 1)."""
    inverse = np.reciprocal((z - w) * (z + w))
    return w * inverse if m == 0 else -2 * z * w * inverse**2


def odd_kernel(z: Any, w: Any, m: int) -> Any:
    """z/(z^2 - w^2), the part of 1/(z - w) that is odd in z, or its first derivative (m = 1)."""
    inverse = np.reciprocal((z - w) * (z + w))
    return z * inverse if m == 0 else -(z * z + w * w) * inverse**2


def _cauchy_sum(kernel: Kernel, residues: Complex, poles: Complex, z: Any, m: int) -> Any:
    """sum_k a_k kernel(z, w_k) for every z, in blocks."""
    if not len(poles):
        return np.zeros(np.broadcast_shapes(residues.shape[:-1], z.shape), complex)
    if z.ndim == 0 or residues.ndim > 1:
        return _weighted(residues, kernel(z[..., None], poles, m))
    flat = z.ravel()
    result = np.empty(len(flat), dtype=complex)
    rows = max(1, _BLOCK // len(poles))
    for start in range(0, len(flat), rows):
        result[start : start + rows] = kernel(flat[start : start + rows, None], poles, m) @ residues
    return result.reshape(z.shape)
