"""A bath as simple poles below the real axis: G(z) = sum_k a_k/(z - w_k), with a bound.

G(z) = int_0^inf dt e^{izt} C(t) = (i/2pi) int dw Ĉ(w)/(z - w), the path below z.  Ĉ continues
analytically into the lower half-plane from w > 0 and from w < 0, so the path may be turned there:

    two rays     w = +-e^{x -+ i theta}        where Ĉ is not analytic at w = 0,
    a hyperbola  w = eta sinh(x - i theta)     where it is; it passes below 0 and reaches z = 0.

The trapezoidal rule in x is exact but for exp(-2 pi d/h), with d the half-width of the strip in
theta that is free of singularities: above it ends where w reaches z, below where w reaches the
imaginary axis with its thermal poles.  Poles of J on the way are added as residues.  What lies
beyond the first and the last node follows a power of w and is summed in closed form.

All real z are at least max(|z|, |w|) sin(theta) away from a node, whence a bound for every z from
two cumulative sums.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

EPS = float(np.finfo(float).eps)

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]

ANGLE = math.pi / 4
STEPS = (0.1, 0.07, 0.05, 0.035)
_STRIP = 0.8  # of the distance to the real and to the imaginary axis, for the bound
EDGES = ((1 - _STRIP) * ANGLE, ANGLE + _STRIP * (math.pi / 2 - ANGLE))
HIGHEST = 3  # derivative with a bound
_NEGLIGIBLE = 1e-19
TRUNCATION = 1e-17  # of what is summed as a power at either end
_LOWEST = 1e-60
SLOW = 0.3
_FEWEST = 3  # nodes of an arm: its ends are continued from so many
_OPERATIONS = 16  # rounding errors of one term and of the sum
_BLOCK = 1 << 18


class Path(NamedTuple):
    """How Ĉ behaves, as far as the rule needs to know.

    Attributes
    ----------
    spectrum
        Ĉ at complex w with Re w > 0 or Re w < 0 (or on the imaginary axis below 0 where it is
        analytic): shape (M,) to shape S + (M,), S that of the bath's parameters.
    power
        p of Ĉ ~ |w|^p at w -> 0.
    tails
        q of Ĉ ~ |w|^q at -inf and +inf; -inf for exponential decay.
    left
        Whether Ĉ does not vanish for w < 0.
    reach
        Where the path may end on the left and on the right, if the decay is exponential.
    scale
        The smallest frequency at which Ĉ varies, the distance of the imaginary axis' first
        singularity included.
    analytic
        Whether Ĉ is analytic at w = 0.
    resonances
        Positions and residues of the poles of Ĉ with -pi < arg w < 0 off the imaginary axis, both
        of shape S + (n,).
    """

    spectrum: Callable[[Complex], Complex]
    power: float
    tails: tuple[float, float]
    left: bool
    reach: tuple[float, float]
    scale: float
    analytic: bool
    resonances: tuple[Complex, Complex]


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
        The bound holds for floor <= |z| <= ceiling; the floor is 0 on a hyperbola.
    """

    arms: tuple[Arm, ...]
    resonances: tuple[Complex, Complex]
    floor: float
    ceiling: float

    @classmethod
    def of(cls, path: Path, floor: float, ceiling: float, step: float | None = None) -> Nodes:
        """The rule for floor <= |z| <= ceiling (and z = 0 where Ĉ is analytic).

        Without a step the coarsest one is taken at which rounding is the larger part of the error.

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
                arms = tuple(_arm(path, side, floor, ceiling, h) for side in sides)
                if all(arm.is_fine(path.scale) for arm in arms):
                    break
        positions, residues, lost = _seen(path, floor, h)
        return cls(_burdened(arms, positions, lost), (positions, residues), floor, ceiling)

    @classmethod
    def discrete(cls, poles: Complex, residues: Complex) -> Nodes:
        """A sum of exponentials sum_k c_k e^{-i w_k t}: residues i c_k, no path."""
        return cls((), (poles, residues), 0.0, math.inf)

    @cached_property
    def poles(self) -> Complex:
        """w_k of all nodes, with what continues them at the ends; shape (M,)."""
        return np.concatenate([arm.closed[0] for arm in self.arms] or [np.empty(0, complex)])

    @cached_property
    def residues(self) -> Complex:
        """a_k of all nodes; shape S + (M,)."""
        return np.concatenate([arm.closed[1] for arm in self.arms] or [np.empty(0, complex)], -1)

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
        value, error = self._sum(_plain, z, derivative)
        return value, error + self._bound(np.abs(z), derivative) * math.factorial(derivative)

    def at_zero(self, derivative: int) -> tuple[Any, Any]:
        """G^(m)(0) on rays; only its imaginary part, P, where Ĉ ~ w^p with p <= m.

        The ends of the rays are summed as powers of their own, those at 0 together: what diverges
        on one ray, and the arc between them, adds to the real part only.
        """
        m = derivative
        factor = -math.factorial(m)
        value: Any = 0.0
        error: Any = 0.0
        tips: list[Any] = []
        fall = math.inf
        for arm in self.arms:
            inverse = 1 / arm.poles ** (m + 1)
            terms = arm.residues * inverse
            value = value + factor * terms.sum(-1)
            lost = arm.rounding * np.abs(inverse)
            error = error - factor * lost.sum(-1)
            for w, strip in arm.strip:
                error = error - factor * (strip / np.abs(w) ** (m + 1)).sum(-1)
            if arm.inner is not None:
                tips.append(terms[..., :3])
                fall = arm.inner - m - 1
            if arm.outer is not None:
                rest, missed = continued(terms[..., :-4:-1], arm.step)
                value, error = value + factor * rest, error - factor * missed
        if tips:
            step = self.arms[0].step
            rest, missed = (
                mirrored(tips[0], tips[1], step, fall, m + 1)
                if len(tips) == 2 and 0 < fall < SLOW
                else continued(sum(tips), step, fall if len(tips) == 1 else None)
            )
            value, error = value + factor * rest, error - factor * missed
        positions, residues = self.resonances
        if positions.shape[-1]:
            terms = residues / positions ** (m + 1)
            value = value + factor * terms.sum(-1)
            error = error - factor * (np.abs(terms) * 64 * EPS).sum(-1)
        return value, error

    def part(self, z: Any, derivative: int, parity: int) -> tuple[Any, Any]:
        """[G^(m)(z) + parity G^(m)(-z)]/2 for real z != 0, m = 0 or 1, and its error.

        Neither part loses digits where it is much smaller than G: the terms are
        a_k w_k/(z^2 - w_k^2) and a_k z/(z^2 - w_k^2), and their derivatives.
        """
        z, m = np.asarray(z), derivative
        kernel = _even if (parity > 0) == (m == 0) else _odd  # the derivative of one is the other
        value, error = self._sum(kernel, z, m)
        size = np.abs(z)
        if parity > 0:
            return value, error + self._bound(size, m) * math.factorial(m)
        return value, error + self._bound(size, m + 1) * math.factorial(m + 1) * size

    def _sum(self, kernel: Kernel, z: Any, m: int) -> tuple[Any, Any]:
        """The sum over nodes, and over resonances with its rounding."""
        value = _cauchy_sum(kernel, self.residues, self.poles, z, m)
        positions, residues = self.resonances
        if not positions.shape[-1]:
            return value, 0.0
        terms = residues * kernel(z[..., None], positions, m)
        nearest = np.minimum(np.abs(z[..., None] - positions), np.abs(z[..., None] + positions))
        lost = _OPERATIONS * EPS * (1 + (m + 1) * np.abs(positions) / nearest)
        return value + terms.sum(-1), (np.abs(terms) * lost).sum(-1)

    @property
    def analytic(self) -> bool:
        """Whether the path passes below w = 0."""
        return all(arm.inner is None for arm in self.arms)

    @property
    def every_pole(self) -> Complex:
        """Nodes and resonances of all parameters, flat."""
        return np.concatenate((self.poles, self.resonances[0].ravel()))

    def on_points(self, z: Complex, anchor: float | None = None) -> tuple[Any, Any]:
        """G at points above the axis, shape (M,) to S + (M,), with its error.

        With an anchor on the axis: sum_k a_k/[(z - w_k)(anchor - w_k)] = [G(z) - G(a)]/(a - z).
        """
        positions, residues = self.resonances
        weights, own = self.residues, residues
        if anchor is not None:
            weights, own = weights / (anchor - self.poles), residues / (anchor - positions)
        value = weights @ (1 / (z - self.poles[:, None])) if self.arms else 0.0
        error = _within(*self._majorants(1, anchor), np.abs(z), 1)
        if positions.shape[-1]:
            terms = own[..., None, :] / (z[:, None] - positions[..., None, :])
            value = value + terms.sum(-1)
            error = error + 64 * EPS * np.abs(terms).sum(-1)
        return value, error

    def majorant(self, z: Complex, anchor: float | None = None) -> Any:
        """A bound of |G| at points above the axis, or of the same with an anchor."""
        bound = _within(*self._majorants(0, anchor), np.abs(z), 1)
        positions, residues = self.resonances
        if positions.shape[-1]:
            own = residues if anchor is None else residues / (anchor - positions)
            away = np.abs(z[:, None] - positions[..., None, :])
            bound = bound + (np.abs(own)[..., None, :] / away).sum(-1)
        return bound

    def _majorants(self, error: int, anchor: float | None) -> tuple[Real, Real, Real]:
        """Cumulative sums for sum_k v_k/max(|z|, |w_k|), v the residues or their errors."""
        radii = np.concatenate([np.abs(arm.poles) for arm in self.arms] or [np.empty(0)])
        if error:
            m = 0 if anchor is None else 1
            parts = [arm.weights(m) for arm in self.arms]
        else:
            power = 1 if anchor is None else 2
            parts = [np.abs(arm.closed[1]) / math.sin(ANGLE) ** power for arm in self.arms]
        values = np.concatenate(parts or [np.empty(0)], -1)
        if anchor is not None:
            values = values / np.maximum(radii, abs(anchor))
        order = np.argsort(radii, kind="stable")
        return _accumulated(radii[order], values[..., order], 1)

    def _bound(self, size: Any, m: int) -> Any:
        if not self.arms:
            return np.zeros(np.shape(size))
        radii, inner, outer = self._cumulative[m]
        if inner.ndim == 1:
            return _within(radii, inner, outer, size, m + 1)
        index = np.searchsorted(radii, size)
        shape = np.broadcast_shapes(inner.shape[:-1], index.shape)
        at = np.broadcast_to(index, shape)[..., None]
        near, far = (
            np.take_along_axis(np.broadcast_to(a, (*shape, a.shape[-1])), at, -1)[..., 0]
            for a in (inner, outer)
        )
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(near > 0, near / size ** (m + 1), 0.0) + far

    @cached_property
    def _cumulative(self) -> tuple[tuple[Real, Real, Real], ...]:
        """Radii; sum of the weights within each, and of weights/r^(m+1) beyond it."""
        radii = np.concatenate([np.abs(arm.poles) for arm in self.arms])
        order = np.argsort(radii, kind="stable")
        r = radii[order]
        result = []
        for m in range(HIGHEST + 1):
            weight = np.concatenate([arm.weights(m) for arm in self.arms], -1)[..., order]
            result.append(_accumulated(r, weight, m + 1))
        return tuple(result)


def _accumulated(radii: Real, values: Real, power: int) -> tuple[Real, Real, Real]:
    """Radii; sums of the values within each, and of values/radius^power beyond it."""
    zero = np.zeros((*values.shape[:-1], 1))
    inner = np.concatenate((zero, np.cumsum(values, -1)), -1)
    with np.errstate(all="ignore"):  # infinite for radii that no z comes near
        scaled = np.where(values > 0, values / radii**power, 0.0)[..., ::-1]
    return radii, inner, np.concatenate((np.cumsum(scaled, -1)[..., ::-1], zero), -1)


def _within(radii: Real, inner: Real, outer: Real, size: Any, power: int) -> Any:
    """sum_k values_k/max(size, radius_k)^power for an array of sizes."""
    index = np.searchsorted(radii, size)
    near = inner[..., index]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(near > 0, near / size**power, 0.0) + outer[..., index]


@dataclass(frozen=True, eq=False)
class Arm:
    """The nodes of one half of the path, from the inside to the outside.

    Attributes
    ----------
    poles, residues
        w_k, shape (M,), and a_k = (i/2pi) Ĉ(w_k) dw_k, shape S + (M,).
    rounding
        Absolute error of every residue, S + (M,), that of the sum included.
    strip
        (w, bound of |a|) on the two edges of the strip: |integral - sum| is at most the sum of
        bound * |f(w)| over both for whatever f is summed.
    ends
        For every derivative m = 0..3 what the continued ends may miss, of the residues' shape.
    inner, outer
        Exponents of a_k ~ e^{inner x} before the first and e^{outer x} after the last node; None
        where nothing is left out.
    step
        Of x.
    """

    poles: Complex
    residues: Complex
    rounding: Real
    strip: tuple[tuple[Complex, Real], ...]
    ends: tuple[Real, ...]
    inner: float | None
    outer: float | None
    step: float

    def weights(self, m: int) -> Real:
        """The error of G^(m)(z) is at most m! sum_k weights_k / max(|z|, |w_k|)^(m+1)."""
        total = self.ends[m] + self.rounding / math.sin(ANGLE) ** (m + 1)
        for angle, (_, size) in zip(EDGES, self.strip, strict=True):
            total = total + size / math.sin(angle) ** (m + 1)
        return total

    def is_fine(self, scale: float) -> bool:
        """Whether the trapezoidal rule adds less to the error than rounding."""
        inverse = 1 / np.maximum(np.abs(self.poles), scale)
        own = (self.rounding * inverse).sum(-1)
        return all(np.all((size * inverse).sum(-1) <= own) for _, size in self.strip)

    @cached_property
    def closed(self) -> tuple[Complex, Complex]:
        """The nodes with the first and the last one standing for all that lie beyond as well.

        The two moments that are kept are those of 1/(z - w) for |w| << |z| and |w| >> |z|.
        """
        poles, residues = self.poles, self.residues
        if self.inner is not None:
            zeroth = 1 / -math.expm1(-self.step * self.inner)
            first = 1 / -math.expm1(-self.step * (self.inner + 1))
            poles, residues = _replaced(
                poles, residues, 0, poles[0] * first / zeroth, residues[..., 0] * zeroth
            )
        if self.outer is not None:
            zeroth = 1 / -math.expm1(self.step * (self.outer - 1))
            first = 1 / -math.expm1(self.step * (self.outer - 2))
            poles, residues = _replaced(
                poles,
                residues,
                -1,
                poles[-1] * zeroth / first,
                residues[..., -1] * zeroth * zeroth / first,
            )
        return poles, residues


def continued(terms: Any, step: float, fall: float | None = None) -> tuple[Any, Any]:
    """What lies beyond terms[..., 0], where they fall like a geometric series, and its error.

    A slow fall e^(fall x), known from the powers of w, is not left to the ratio of two terms.
    """
    if fall is not None and 0 < fall < SLOW:
        leading, rest, error = resolved(terms, step, fall)
        own = 1 / math.expm1(step * fall)
        return leading * own + rest, error * own
    first, second, third = terms[..., 0], terms[..., 1], terms[..., 2]
    rest, earlier = _geometric(first, second), _geometric(second, third) - first
    return rest, 3 / step * np.abs(rest - earlier)


def resolved(terms: Any, step: float, fall: float) -> tuple[Any, Any, Any]:
    """Terms as A e^(fall x) + B e^((fall + 1) x): A, what B adds beyond, and the error of A."""
    first, second, third = terms[..., 0], terms[..., 1], terms[..., 2]
    slow, fast = math.exp(step * fall), math.exp(step * (fall + 1))
    steep = (second - first * slow) / (fast - slow)
    leading = first - steep
    missed = np.abs(third - leading * slow**2 - steep * fast**2)
    error = (4 * missed / step + _OPERATIONS * EPS * np.abs(first)) / step
    return leading, steep / math.expm1(step * (fall + 1)), error


def mirrored(right: Any, left: Any, step: float, fall: float, order: int) -> tuple[Any, Any]:
    """`continued` for the inner ends of two rays together, for a kernel 1/w^order.

    Ĉ ~ |w|^p on both sides, so that the two are e^(-+i angle fall) of one number but for the sign
    (-1)^order: where they nearly cancel the difference is taken here.
    """
    parts = [resolved(terms, step, fall) for terms in (right, left)]
    turn, sign = np.exp(1j * ANGLE * fall), (-1) ** order
    one, other = parts[0][0] * turn, sign * parts[1][0] / turn
    error = parts[0][2] + parts[1][2]
    own = 1 / math.expm1(step * fall)
    both = 2 * math.cos(ANGLE * fall) if sign > 0 else -2j * math.sin(ANGLE * fall)
    value = (one + other) / 2 * both + (one - other) / 2 * (1 / turn - sign * turn)
    alike = np.abs(one - other) <= error
    value = np.where(alike, (one + other) / 2 * both, value)
    error = error * np.where(alike, abs(both), 2.0)
    return value * own + parts[0][1] + parts[1][1], error * own + 8 * EPS * np.abs(value) * own


def _geometric(last: Any, before: Any) -> Any:
    """The sum of what follows `last`, 0 where it does not fall."""
    ratio = last / _nonzero(before)
    falls = (np.abs(ratio) < 1 - 1e-4) & (before != 0)
    return np.where(falls, last * ratio / (1 - np.where(falls, ratio, 0.0)), 0.0)


def _replaced(
    poles: Complex, residues: Complex, index: int, pole: complex, residue: Any
) -> tuple[Complex, Complex]:
    poles, residues = poles.copy(), residues.copy()
    poles[index], residues[..., index] = pole, residue
    return poles, residues


Kernel = Callable[[Any, Any, int], Any]
"""A function of z and w that is summed over residues, and its derivatives with respect to z."""


def _plain(z: Any, w: Any, m: int) -> Any:
    inverse = 1 / (z - w)
    return inverse if m == 0 else (-1.0) ** m * math.factorial(m) * inverse ** (m + 1)


def _even(z: Any, w: Any, m: int) -> Any:
    inverse = 1 / ((z - w) * (z + w))
    return w * inverse if m == 0 else -2 * z * w * inverse**2


def _odd(z: Any, w: Any, m: int) -> Any:
    inverse = 1 / ((z - w) * (z + w))
    return z * inverse if m == 0 else -(z * z + w * w) * inverse**2


def _cauchy_sum(kernel: Kernel, residues: Complex, poles: Complex, z: Any, m: int) -> Any:
    """sum_k a_k kernel(z, w_k) for every z, in blocks."""
    if not len(poles):
        return np.zeros(np.broadcast_shapes(residues.shape[:-1], z.shape), complex)
    if z.ndim == 0:
        return residues @ kernel(z, poles, m)
    if residues.ndim > 1:
        return np.sum(residues * kernel(z[..., None], poles, m), -1)
    flat = z.ravel()
    result = np.empty(len(flat), dtype=complex)
    rows = max(1, _BLOCK // len(poles))
    for start in range(0, len(flat), rows):
        result[start : start + rows] = kernel(flat[start : start + rows, None], poles, m) @ residues
    return result.reshape(z.shape)


def _arm(path: Path, side: int, floor: float, ceiling: float, step: float) -> Arm:
    """One half of the path, with its bound."""
    tail = path.tails[side > 0]
    x = _range(path, side, floor, ceiling, step)
    w, slope = _place(path, side, x, ANGLE)
    unit = 1j * step / (2 * math.pi)
    residues = unit * path.spectrum(w) * slope
    if math.isinf(tail):
        # an exponential decay: what adds less than rounding is left out
        size = np.abs(residues)
        beyond = size[..., ::-1].cumsum(-1)[..., ::-1]
        total = np.maximum(size.sum(-1, keepdims=True), 1e-300)
        kept = max(_FEWEST, int(np.max(np.sum(beyond > _NEGLIGIBLE * total, -1))))
        x, w, residues = x[:kept], w[:kept], residues[..., :kept]
    if not np.all(np.isfinite(residues)):
        raise ArithmeticError("Ĉ overflows on the path of integration")
    inner = None if path.analytic else path.power + 1
    outer = None if math.isinf(tail) else tail + 1
    r = np.abs(w)
    ends = [np.zeros(residues.shape) for _ in range(HIGHEST + 1)]
    if inner is not None:
        zeroth, first = 1 / -math.expm1(-step * inner), residues[..., 0]
        bend = np.abs(residues[..., 1] * math.exp(-step * inner) / _nonzero(first) - 1)
        missed = np.abs(first) * zeroth * (bend * 1.5 / step + 4 * (r[0] / floor) ** 2)
        for end in ends:
            end[..., 0] += missed
    if outer is not None:
        zeroth, last = 1 / -math.expm1(step * (outer - 1)), residues[..., -1]
        bend = np.abs(residues[..., -2] * math.exp(step * outer) / _nonzero(last) - 1)
        for m, end in enumerate(ends):
            far = 4 * (ceiling / r[-1]) ** max(0, 2 - m)
            end[..., -1] += np.abs(last) * zeroth * (bend * 1.5 / step + far)
    strip = tuple(_edge(path, side, x, angle, step) for angle in EDGES)
    rounding = _rounding(residues, x, step)
    return Arm(w, residues, rounding, strip, tuple(ends), inner, outer, step)


def _nonzero(x: Any) -> Any:
    return np.where(x == 0, 1.0, x)


def _range(path: Path, side: int, floor: float, ceiling: float, step: float) -> Real:
    tail = path.tails[side > 0]
    reach = path.reach[side > 0]
    if math.isfinite(tail):
        reach = max(reach, ceiling) * TRUNCATION ** (-1 / (2 - tail))
    if path.analytic:
        last = math.asinh(reach / path.scale) / step
        first = 0.0 if side > 0 else 1.0
        return np.asarray(step * (np.arange(math.ceil(last) + 1) + first))
    start = _start(path, floor)
    count = math.ceil((math.log(reach) - start) / step) + 1
    return np.asarray(start + step * np.arange(max(count, _FEWEST)))


def _place(path: Path, side: int, x: Real, angle: float) -> tuple[Complex, Complex]:
    """w(x) and dw/dx, counted from left to right, on the path of one angle."""
    if path.analytic:
        u = side * x - 1j * angle
        return path.scale * np.sinh(u), path.scale * np.cosh(u)
    slope: Complex = np.exp(x - side * 1j * angle)
    return side * slope, slope


def _edge(path: Path, side: int, x: Real, angle: float, step: float) -> tuple[Complex, Real]:
    """The path at an edge of the strip, and how much each of its points may add to the error."""
    w, slope = _place(path, side, x, angle)
    size = step / (2 * math.pi) * np.abs(path.spectrum(w) * slope)
    return w, size / math.expm1(2 * math.pi * abs(angle - ANGLE) / step)


def _rounding(residues: Complex, x: Real, step: float) -> Real:
    """Of the residues: more where they vary fast, as exponentials of large arguments do.

    Nodes are moved by the rounding of x, which beside a pole is more than that of a residue.
    """
    size = np.abs(residues)
    rough = np.abs(np.diff(residues, axis=-1)) / np.maximum(size[..., 1:], 1e-300) / step
    rough = np.concatenate((rough[..., :1], np.minimum(rough, 1e3)), -1)
    return np.asarray(EPS * (_OPERATIONS + (2 + np.abs(x) / 2) * rough) * size)


def _seen(path: Path, floor: float, step: float) -> tuple[Complex, Complex, Real]:
    """The resonances with the weight that they have beside the trapezoidal rule, and its rounding.

    A pole at u = x + i v in the variable of the rule, v > 0 towards the real axis, adds its
    residue if v > 0; and it leaves the rule an error that is known, so that the sum of the two is
    residue/(1 - exp(2 pi i (u - x_0)/h)) on either side.
    """
    positions, residues = path.resonances
    if not positions.shape[-1]:
        return positions, residues, np.zeros(positions.shape)
    right = positions.real > 0
    if path.analytic:
        x = np.arcsinh(positions / path.scale) + 1j * ANGLE
        start, towards = 0.0, np.ones(positions.shape)
    else:
        x = np.log(np.where(right, positions, -positions)) + 1j * np.where(right, ANGLE, -ANGLE)
        start, towards = _start(path, floor), np.where(right, 1.0, -1.0)
    within = x.imag * towards > -_STRIP * (math.pi / 2 - ANGLE)
    phase = 2j * math.pi / step * towards * (x - start)
    phase = np.where(within, phase, -1.0)
    weights = np.where(within, -residues / np.expm1(phase), 0.0)
    moved = 2 * math.pi / step * EPS * (np.abs(x) + abs(start) + _OPERATIONS)
    # of the quotient, whose derivative is 1/[4 sinh^2(phase/2)], both exponentials kept small
    decay = np.exp(-np.abs(phase.real))
    steep = decay / np.abs(1 - np.exp(-np.abs(phase.real) + 1j * phase.imag)) ** 2
    return positions, weights, np.where(within, np.abs(residues) * moved * steep, 0.0)


def _burdened(arms: tuple[Arm, ...], positions: Complex, lost: Real) -> tuple[Arm, ...]:
    """Arms with what the weights of resonances may miss on the nearest nodes.

    It counts only for those close to the path, and the distance to a node is at least half of it.
    """
    if not positions.shape[-1]:
        return arms
    found = []
    for side, arm in zip((1, -1), arms, strict=False):
        within = np.broadcast_shapes(arm.rounding.shape[:-1], lost.shape[:-1], positions.shape[:-1])
        middles = np.sqrt(np.abs(arm.poles[1:] * arm.poles[:-1]))
        share = np.where(positions.real * side > 0, 2 * lost, 0.0)
        share, at = (
            np.broadcast_to(part, (*within, lost.shape[-1]))
            for part in (share, np.searchsorted(middles, np.abs(positions)))
        )
        rounding = np.array(np.broadcast_to(arm.rounding, (*within, len(arm.poles))))
        np.add.at(rounding, (*np.indices(at.shape)[:-1], at), share)
        found.append(replace(arm, rounding=rounding))
    return tuple(found)


def _start(path: Path, floor: float) -> float:
    """x of the innermost node of a ray."""
    scale = max(min(floor, path.scale), _LOWEST * floor)  # colder than that is T = 0
    return math.log(scale * TRUNCATION ** (1 / (path.power + 2)))
