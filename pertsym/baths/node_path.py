"""The path below the real axis on which the nodes of a bath lie, and what its rule may miss.

G(z) = int_0^inf dt e^{izt} C(t) = (i/2pi) int dw Ĉ(w)/(z - w), the path below z.  Ĉ continues
analytically into the lower half-plane from w > 0 and from w < 0, so the path may be turned there:

    two rays     w = +-e^{x -+ i theta}        where Ĉ is not analytic at w = 0,
    a hyperbola  w = eta sinh(x - i theta)     where it is; it passes below 0 and reaches z = 0.

The trapezoidal rule in x is exact but for exp(-2 pi d/h), with d the half-width of the strip in
theta that is free of singularities: above it ends where w reaches z, below where w reaches the
imaginary axis with its thermal poles.  Poles of J on the way are added as residues.  What lies
beyond the first and the last node follows a power of w and is summed in closed form.
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
OCTAVES = 4  # of the ranges of frequency that share a rule
_FEWEST = 3  # nodes of an arm: its ends are continued from so many
ALIKE = 4  # nodes of which one is enough for a bound
OPERATIONS = 16  # rounding errors of one term and of the sum


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
        Where the path may end on the left and on the right, if the decay is exponential; else where
        the last power of Ĉ begins, that of the thermal factor divided by `extension`.
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

    def decisive(self, floor: float, ceiling: float) -> tuple[int, int]:
        """Powers of 2 that enclose a range; rules are made for multiples of OCTAVES.

        An end that does not change the rule is 0.
        """
        low = 0 if self.analytic else math.floor(math.log2(floor) / OCTAVES)
        high = 0
        if any(map(math.isfinite, self.tails)):
            high = math.ceil(math.log2(max(ceiling, self.scale)) / OCTAVES)
        return low * OCTAVES, high * OCTAVES


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
        bound * |f(w)| over both for whatever f is summed.  Of arrays of parameters not every point
        of an edge is taken.
    ends
        What the continuations of the inner and of the outer end may miss, for every derivative
        m = 0..3; shape (4, 2) + S.
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
    ends: Real
    inner: float | None
    outer: float | None
    step: float

    @property
    def stride(self) -> int:
        """How many neighbours a bound takes for the first of them, which counts for most."""
        return 1 if len(self.strip[0][0]) == len(self.poles) else ALIKE

    def merged(self, values: Real) -> Real:
        """Sums over what a bound does not tell apart, as many as there are points of an edge."""
        if self.stride == 1:
            return values
        return np.add.reduceat(values, np.arange(0, len(self.poles), self.stride), -1)

    def weights(self, m: int) -> Real:
        """The error of G^(m)(z) is at most m! sum_k weights_k / max(|z|, |w_k|)^(m+1).

        The sum is over every `stride`-th node.
        """
        total = self._merged_rounding / math.sin(ANGLE) ** (m + 1)
        total[..., 0] += self.ends[m, 0]
        total[..., -1] += self.ends[m, 1]
        for angle, (_, size) in zip(EDGES, self.strip, strict=True):
            total = total + size / math.sin(angle) ** (m + 1)
        return total

    @cached_property
    def _merged_rounding(self) -> Real:
        return self.merged(self.rounding)

    def without(self, count: int) -> Arm:
        """The arm from a later node on, `count` a multiple of the stride."""
        k = count // self.stride
        return replace(
            self,
            poles=self.poles[count:],
            residues=self.residues[..., count:],
            rounding=self.rounding[..., count:],
            strip=tuple((w[k:], size[..., k:]) for w, size in self.strip),
            ends=np.stack((np.zeros_like(self.ends[:, 0]), self.ends[:, 1]), 1),
        )

    def is_fine(self, scale: float) -> bool:
        """Whether the trapezoidal rule adds less to the error than rounding."""
        own = self.rounding @ (1 / np.maximum(np.abs(self.poles), scale))
        return all(
            np.all(size @ (1 / np.maximum(np.abs(w), scale)) <= own) for w, size in self.strip
        )

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


def _replaced(
    poles: Complex, residues: Complex, index: int, pole: complex, residue: Any
) -> tuple[Complex, Complex]:
    poles, residues = poles.copy(), residues.copy()
    poles[index], residues[..., index] = pole, residue
    return poles, residues


def made(path: Path, side: int, floor: float, ceiling: float, step: float) -> Arm:
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
    ends = np.zeros((HIGHEST + 1, 2, *residues.shape[:-1]))
    if inner is not None:
        zeroth, first = 1 / -math.expm1(-step * inner), residues[..., 0]
        bend = np.abs(residues[..., 1] * math.exp(-step * inner) / nonzero(first) - 1)
        ends[:, 0] = np.abs(first) * zeroth * (bend * 1.5 / step + 4 * (r[0] / floor) ** 2)
    if outer is not None:
        zeroth, last = 1 / -math.expm1(step * (outer - 1)), residues[..., -1]
        bend = np.abs(residues[..., -2] * math.exp(step * outer) / nonzero(last) - 1)
        for m in range(HIGHEST + 1):
            far = 4 * (ceiling / r[-1]) ** max(0, 2 - m)
            ends[m, 1] = np.abs(last) * zeroth * (bend * 1.5 / step + far)
    # of several sets of parameters one place for four, as good for a bound that rounding exceeds
    stride = 1 if residues.ndim == 1 else ALIKE
    starts = np.arange(0, len(x), stride)
    count = np.minimum(stride, len(x) - starts)
    places, along = x[starts] + (count - 1) / 2 * step, count * step
    strip = _edges(path, side, places, step, along)
    rounding = _rounding(residues, x, step)
    return Arm(w, residues, rounding, strip, ends, inner, outer, step)


def nonzero(x: Any) -> Any:
    return np.where(x == 0, 1.0, x)


def extension(tail: float) -> float:
    """Where the path ends, in units of where Ĉ is the power of its tail."""
    return float(TRUNCATION ** (-1 / (2 - tail)))


def _range(path: Path, side: int, floor: float, ceiling: float, step: float) -> Real:
    tail = path.tails[side > 0]
    reach = path.reach[side > 0]
    if math.isfinite(tail):
        reach = max(reach, ceiling) * extension(tail)
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


def _edges(
    path: Path, side: int, x: Real, step: float, along: Real
) -> tuple[tuple[Complex, Real], ...]:
    """The path at both edges of the strip, and how much each of their points may add to the error.

    They stand for what is `along` each.
    """
    both = [_place(path, side, x, angle) for angle in EDGES]
    w, slope = (np.concatenate(parts) for parts in zip(*both, strict=True))
    sizes = np.split(np.abs(path.spectrum(w) * slope), 2, -1)
    shares = (
        along / (2 * math.pi) / math.expm1(2 * math.pi * abs(a - ANGLE) / step) for a in EDGES
    )
    return tuple((w, share * size) for (w, _), share, size in zip(both, shares, sizes, strict=True))


def _rounding(residues: Complex, x: Real, step: float) -> Real:
    """Of the residues: more where they vary fast, as exponentials of large arguments do.

    Nodes are moved by the rounding of x, which beside a pole is more than that of a residue.
    """
    size = np.abs(residues)
    rough = np.abs(np.diff(residues, axis=-1)) / np.maximum(size[..., 1:], 1e-300) / step
    rough = np.concatenate((rough[..., :1], np.minimum(rough, 1e3)), -1)
    return np.asarray(EPS * (OPERATIONS + (2 + np.abs(x) / 2) * rough) * size)


def seen(path: Path, floor: float, step: float) -> tuple[Complex, Complex, Real]:
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
    moved = 2 * math.pi / step * EPS * (np.abs(x) + abs(start) + OPERATIONS)
    # of the quotient, whose derivative is 1/[4 sinh^2(phase/2)], both exponentials kept small
    decay = np.exp(-np.abs(phase.real))
    steep = decay / np.abs(1 - np.exp(-np.abs(phase.real) + 1j * phase.imag)) ** 2
    return positions, weights, np.where(within, np.abs(residues) * moved * steep, 0.0)


def burdened(arms: tuple[Arm, ...], positions: Complex, lost: Real) -> tuple[Arm, ...]:
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
