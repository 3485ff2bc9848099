"""Polynomials on ranges of one parameter; P at one |w| for many temperatures.

What is found with nodes for given beta and w0 is analytic in beta where w0 is fixed, as long as no
thermal pole meets the path, which is turned to meet them late: in |arg beta| < 90 degrees, of
which octaves use 40 and wide panels `SECTOR`.  On every panel stands the
polynomial through Chebyshev points; its error follows from the size of the function on
an ellipse with its foci at the ends of the panel, that is from the sum of the sizes of its terms
there.  Few points are served by one wide panel in log beta, or without any where it would need more
points than are asked for; many by octaves, whose polynomials are evaluated faster.  The residues of
nodes that are made for real beta change as the spectrum does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from pertsym.baths.node_path import ALIKE, ANGLE, Arm, Path, Real, made
from pertsym.baths.nodes import Nodes, even_kernel, odd_kernel, plain_kernel
from pertsym.baths.product_nodes import floor_of, product_nodes, rules_of_both
from pertsym.baths.tabulated import UNIT, chebyshev, fitted

SECTOR = math.radians(66)  # around the axis, within which a function is continued
_POLES = math.pi / 2 - SECTOR  # from the axis down to the thermal poles at the sector's edge
TURN = ANGLE - _POLES / 2  # from the nodes' path to one half way there
BESIDE = math.tan(_POLES - math.radians(1))  # resonances that may lie above that path
WIDTH = 3.6  # sum of the half axes in halves of a panel, at most: on octaves within the sector
MISFIT = 3e-16  # of the largest size of a function
POWERS = 31  # points up to which a polynomial is a sum of powers
COARSE = 10  # Chebyshev polynomials
AVOIDED = 0.9  # share of the way to where places are singular
RING = 21  # points on the ellipse, both axes' ends and the first once more; sizes there are doubled
WORTH = 1.8  # points asked for by point of a polynomial, from which on it is made
MANY = 2048  # points from which on octaves are used
WIDEST = 7.0  # octaves of a panel
_PRODUCT_DEEPER = 1e-3


class Panel(NamedTuple):
    """An octave, a dyadic part of one, or an interval with the place counted in logarithms."""

    low: float
    high: float
    logarithmic: bool = False

    @property
    def centre(self) -> float:
        if self.logarithmic:
            return math.sqrt(self.low) * math.sqrt(self.high)
        return (self.low + self.high) / 2

    @property
    def half(self) -> float:
        if self.logarithmic:
            return math.log(self.high / self.low) / 2
        return (self.high - self.low) / 2

    @property
    @lru_cache(maxsize=32)  # noqa: B019
    def bend(self) -> float:
        """s of `logarithm`, for the widest ellipse.

        The map of Kosloff and Tal-Ezer: it leads an ellipse through t = 1/sin(s) to all of a strip,
        which a sector is in the logarithm.  Here |t| is at most AVOIDED/sin(s), and the ellipse
        touches the strip, of half width d, where |sin(s + i s d)| = AVOIDED.
        """
        strip = min(SECTOR / self.half, WIDTH)
        s = AVOIDED / math.hypot(1, strip)
        for _ in range(6):
            beyond = math.sinh(s * strip) ** 2 + math.sin(s) ** 2 - AVOIDED**2
            s -= beyond / (strip * math.sinh(2 * s * strip) + math.sin(2 * s))
        return s

    @property
    @lru_cache(maxsize=32)  # noqa: B019
    def width(self) -> float:
        """Sum of the half axes of the ellipse in halves."""
        if not self.logarithmic:
            return WIDTH
        axis = AVOIDED / math.sin(self.bend)
        return min(axis + math.sqrt(axis * axis - 1), WIDTH)

    @property
    @lru_cache(maxsize=32)  # noqa: B019
    def size(self) -> int:
        """Number of points, odd."""
        rest = math.log(MISFIT * (self.width - 1)) / math.log(self.width)
        return (math.ceil(-rest) + 1) // 2 * 2 + 1

    @property
    @lru_cache(maxsize=32)  # noqa: B019
    def points(self) -> Real:
        return np.asarray(self.at(chebyshev(self.size)))

    @property
    def ring(self) -> Any:
        """Complex numbers on the ellipse, those of conjugates in reversed order."""
        return self.at(self.places)

    @property
    @lru_cache(maxsize=32)  # noqa: B019
    def places(self) -> Any:
        """Where they lie."""
        turn = np.exp(2j * math.pi * np.linspace(0, 1, RING))
        return (self.width * turn + 1 / (self.width * turn)) / 2

    def at(self, place: Any) -> Any:
        """What lies at a place, from -1 to 1."""
        if self.logarithmic:
            return self.centre * np.exp(self.half * self.logarithm(place))
        return self.centre + self.half * place

    def place(self, x: Any) -> Any:
        if self.logarithmic:
            angle = self.bend / self.half * np.log(x / self.centre)
            return np.sin(angle) / math.sin(self.bend)
        return (x - self.centre) / self.half

    def logarithm(self, place: Any) -> Any:
        """y = log(x/centre)/half = arcsin(t sin s)/s at a place t."""
        return np.arcsin(math.sin(self.bend) * place) / self.bend

    @property
    def halves(self) -> tuple[Panel, Panel]:
        return Panel(self.low, self.centre), Panel(self.centre, self.high)


class Polynomial(NamedTuple):
    """Functions on a panel, and bounds: coefficients of powers of the place in it."""

    panel: Panel
    coefficients: Real
    errors: Real

    @classmethod
    def through(cls, panel: Panel, value: Real, error: Real, largest: Any) -> Polynomial:
        """As `through`, for few points."""
        bound = _bound(panel, value, error, np.max(largest, -1))
        made = fitted(0, value[:, None, :], bound[:, None])
        return cls(panel, made.coefficients[..., 0], made.errors[:, 0])

    def __call__(self, x: Any) -> tuple[Any, Any]:
        """Values and bounds of all functions at an array x, (functions, len(x))."""
        t = self.panel.place(x)
        *lower, highest = self.coefficients.T[:, :, None]
        values = np.repeat(highest, len(t), axis=1)
        for c in reversed(lower):
            values *= t
            values += c
        return values, np.broadcast_to(self.errors[:, None], values.shape)

    def single(self) -> Callable[[float], tuple[float, float]]:
        """The first function of a plain number, on a panel that is not logarithmic."""
        centre, half, error = self.panel.centre, self.panel.half, float(self.errors[0])
        horner = self.coefficients[0, ::-1].tolist()

        def value(x: float) -> tuple[float, float]:
            t, total = (x - centre) / half, 0.0
            for c in horner:
                total = total * t + c
            return total, error

        return value


class Barycentric(NamedTuple):
    """The same of a wide panel: values at its points, by weights of what is asked there.

    They are over e^(s_1 y + s_2 T_2(y)), y as in `Panel.logarithm`, so that one bound serves all
    of it, less a coarse sum of Chebyshev polynomials, so that they are small and their rounding
    does not count.
    """

    panel: Panel
    values: Real
    errors: Real
    scales: Real
    coarse: Real

    @classmethod
    def through(cls, panel: Panel, value: Real, error: Real, largest: Any) -> Barycentric:
        """As `through`, for any number of points."""
        size = panel.size
        t, y, modes, fit = _points(panel)
        level = np.maximum(error, 1e-30 * error.max(-1, keepdims=True) + 1e-300)
        scales = np.log(level) @ fit.T
        scale = _scale(scales, y)
        steep = np.abs(np.diff(value) / np.diff(t)) / scale[:, 1:]
        value, error = value / scale, error / scale
        around = _scale(scales, panel.logarithm(panel.places))
        bound = _bound(panel, value, error, np.max(largest / around, -1))
        coarse = value @ modes.T / np.sum(modes**2, -1)
        rest = value - coarse @ modes
        rounding = np.abs(coarse) @ (8.0 * np.arange(1, COARSE + 1))
        rounding += 4 * size * _lebesgue(size) * np.max(np.abs(rest), -1)
        # of the places, at the points and at what is asked
        moved_by = 2 / panel.half
        rounding += (_lebesgue(size) * (moved_by + 2.5) + moved_by + 4) * steep.max(-1)
        rounding += 4 * (1 + np.abs(scales).sum(-1)) * np.max(np.abs(value), -1)  # of e^(...)
        return cls(panel, rest, bound + UNIT * rounding, scales, coarse)

    def __call__(self, x: Any) -> tuple[Any, Any]:
        """As of a `Polynomial`."""
        y, modes, weights = _weights(self.panel, x.tobytes())
        scale = _scale(self.scales, y)
        return scale * (self.coarse @ modes + self.values @ weights), scale * self.errors[:, None]


def through(panel: Panel, value: Any, error: Any, largest: Any) -> Polynomial | Barycentric:
    """Functions from values at a panel's points with their errors, and sizes on its ring.

    Values and errors are of shape (functions, size), the sizes of (functions, RING), or (RING,) of
    all functions.
    """
    value, error = (np.broadcast_to(x, (len(value), panel.size)) for x in (value, error))
    kind = Polynomial if panel.size <= POWERS else Barycentric
    return kind.through(panel, value, error, largest)


def _bound(panel: Panel, value: Real, error: Real, largest: Any) -> Real:
    """Of what is interpolated: by sizes on the ring, and by the errors at the points."""
    misfit = 2 * 4 * largest * panel.width ** (1 - panel.size) / (panel.width - 1)
    bound = misfit + _lebesgue(panel.size) * error.max(-1)
    return np.where(value.any(-1) | error.any(-1), bound, 0.0)


def _lebesgue(size: int) -> float:
    """How much larger a polynomial may be than at its points."""
    return 2 / math.pi * math.log(size) + 1


def _scale(scales: Real, y: Any) -> Any:
    """e^(s_1 y + s_2 T_2(y)) in size, a row for each function."""
    return np.exp(np.real(scales @ np.stack((y, 2 * y * y - 1))))


def _modes(t: Any) -> Any:
    """The lowest Chebyshev polynomials."""
    return np.cos(np.outer(np.arange(COARSE), np.arccos(np.clip(t, -1.0, 1.0))))


@lru_cache(maxsize=8)
def _points(panel: Panel) -> tuple[Real, Real, Any, Real]:
    """Places and logarithms of a wide panel's points, `_modes`, and what fits s_1 and s_2."""
    t = chebyshev(panel.size)
    y = panel.logarithm(t)
    basis = np.stack((np.ones(len(y)), y, 2 * y * y - 1))
    return t, y, _modes(t), np.linalg.solve(basis @ basis.T, basis)[1:]


@lru_cache(maxsize=4)
def _weights(panel: Panel, x: bytes) -> tuple[Any, Any, Any]:
    """Of numbers in a wide panel: logarithms, `_modes`, what values at the points count there."""
    t, points = panel.place(np.frombuffer(x)), _points(panel)[0]
    away = t - points[:, None]
    own = np.sqrt(1 - points * points) * (-1) ** np.arange(len(points))
    weights = own[:, None] / np.where(away == 0, 1e-200, away)
    return panel.logarithm(t), _modes(t), weights / weights.sum(0)


@lru_cache(maxsize=8)
def panels_met(numbers: bytes, few: int = MANY) -> tuple[tuple[Panel, Any], ...]:
    """Panels that hold the elements of an array x > 0, with the numbers of these."""
    x = np.frombuffer(numbers)
    many = len(x) > few
    exponents = np.frexp(x)[1] - 1 if many else np.log2(x / x.min()) // WIDEST
    found = []
    values, place = np.unique(exponents, return_inverse=True)  # without this it loads numpy.ma
    for number, k in enumerate(values):
        part = np.flatnonzero(place == number)
        ends = 2.0**k, 2.0 ** (k + 1)
        if not many:
            ends = float(x[part].min()), float(x[part].max()) * (1 + 2**-20)
        found.append((Panel(*ends, logarithmic=not many), part))
    return tuple(found)


class Residues(NamedTuple):
    """Sizes of residues on the ring, (RING, M) with nodes first, and places of their poles.

    Neighbours that a bound does not tell apart are one: all but the ends of arms.
    """

    poles: Any
    sizes: Any

    @classmethod
    def still(cls, nodes: Nodes) -> Residues:
        """Of nodes that stay."""
        starts, middles = grouped(nodes)
        sizes = np.add.reduceat(np.abs(_residues(nodes)), starts, -1)
        return cls(nodes.every_pole[middles], np.broadcast_to(sizes, (RING, len(starts))))


def grouped(nodes: Nodes) -> tuple[Any, Any]:
    """The first and the middle one of what `Residues` takes together, by number."""
    is_first, end = np.ones(len(nodes.every_pole), bool), 0
    for arm in nodes.arms:
        start, end = end, end + len(arm.poles)
        is_first[start + 1 : end - 1] = False
        is_first[start + 1 : end - 1 : ALIKE] = True
    joined = np.flatnonzero(is_first)
    following = np.append(joined[1:], len(nodes.every_pole))
    return joined, (joined + following - 1) // 2


@lru_cache(maxsize=128)
def moved(nodes: Nodes, source: Any, panel: Panel) -> Residues:
    """Of nodes made at the points of a panel of beta: they change as the spectrum does."""
    if source.beta is not None or nodes.residues.ndim == 1:
        return Residues.still(nodes)
    here, there = _around_panel(source, panel)
    starts, middles = grouped(nodes)
    still = starts < len(nodes.poles)
    places = nodes.poles[middles[still]]
    # those of the lowest beta, moved to a path closer to the axis that thermal poles do not meet
    if nodes.analytic:
        u = np.arcsinh(places / here.scale)
        turned, slope = here.scale * np.sinh(u + 1j * TURN), np.cosh(u + 1j * TURN) / np.cosh(u)
    else:
        slope = np.exp(1j * TURN * np.sign(places.real))
        turned = slope * places
    sizes = np.add.reduceat(np.abs(nodes.residues[-1]), starts[still]) * np.abs(slope)
    arms = ratio(sizes, here.spectrum(places)[1]) * there.spectrum(turned)
    positions, own = nodes.resonances
    poles: Any = np.empty((RING, 0))
    if positions.shape[-1]:
        last = own[-1] if own.ndim > 1 else own
        poles = ratio(last, here.resonances[1][-1]) * there.resonances[1]
        poles = np.where(-positions.imag < BESIDE * np.abs(positions.real), poles, 0.0)
    sizes = np.abs(np.concatenate((arms, poles), -1))
    return Residues(np.concatenate((turned, positions)), sizes)


@lru_cache(maxsize=64)
def _around_panel(source: Any, panel: Panel) -> tuple[Path, Path]:
    """Paths at the ends of a panel and on its ring."""
    return source.path(panel.points[[0, -1]]), source.path(panel.ring)


def _residues(nodes: Nodes) -> Any:
    """Of nodes and resonances."""
    parts = nodes.residues, nodes.resonances[1]
    shape = np.broadcast_shapes(*(x.shape[:-1] for x in parts))
    return np.concatenate([np.broadcast_to(x, (*shape, x.shape[-1])) for x in parts], -1)


def ratio(a: Any, b: Any) -> Any:
    with np.errstate(all="ignore"):
        ratio = a / b
    return np.where(np.isfinite(ratio), ratio, 0.0)


def rule(source: Any, beta: bytes, floor: float, ceiling: float) -> Nodes:
    """Nodes at an array of beta, where it varies, made for ranges that end at powers of 16."""
    return _rule(source, beta, *_path(source, beta).decisive(floor, ceiling))


@lru_cache(maxsize=64)
def _rule(source: Any, beta: bytes, low: int, high: int) -> Nodes:
    def make(path: Path, side: int, floor: float, ceiling: float, step: float) -> Arm:
        """An arm whose tail is no power serves rules of every ceiling."""
        end = ceiling if math.isfinite(path.tails[side > 0]) else 1.0
        return _arm(source, beta, side, floor, end, step)

    return Nodes.of(_path(source, beta), 2.0**low, 2.0**high, make=make)


@lru_cache(maxsize=16)
def _arm(source: Any, beta: bytes, *ends: Any) -> Arm:
    return made(_path(source, beta), *ends)


@lru_cache(maxsize=64)
def _path(source: Any, beta: bytes) -> Path:
    path: Path = source.path(np.frombuffer(beta))
    return path


@lru_cache(maxsize=128)
def thermal_nodes(kind: str, a: Any, b: Any, x: float, beta: bytes) -> tuple[Nodes, ...]:
    """The rule for |w| = x at an array of beta, and those of a and b that it is made of.

    Baths are given as in `interpolated`.  Of a, or for "QC" and "QP" of a product of a and b
    (`product_nodes`, without a shift).
    """
    if kind == "P":
        one = rule(a, beta, x, x)
        return one, one, one
    makers = partial(rule, a, beta), partial(rule, b, beta)
    one, other = rules_of_both(*makers, _PRODUCT_DEEPER * x, x, floor_of)
    return product_nodes("CC" if kind == "QC" else "CP", one, other, 0.0), one, other


@lru_cache(maxsize=64)
def _around(kind: str, a: Any, b: Any, x: float, panel: Panel) -> tuple[Nodes, Residues]:
    """`thermal_nodes` at the points of a panel, and what they become around it."""
    product, one, other = thermal_nodes(kind, a, b, x, panel.points.tobytes())
    spectrum = moved(one, a, panel)
    if kind == "P":
        return product, spectrum
    transform = moved(other, b, panel)
    larger = np.full(len(spectrum.poles), 2.0 if kind == "QC" else 2 * math.pi)
    # what the open ends add is in the product's residues, and stays in proportion
    starts = grouped(one)[0]
    last = np.cumsum([len(arm.poles) for arm in one.arms]) - 1
    ends = np.concatenate((last, 0 * last[:1], last[:-1] + 1))
    own = one.residues[..., ends] * other.on_points(-one.poles[ends])[0]
    larger[np.searchsorted(starts, ends)] = np.max(
        np.abs(np.atleast_2d(ratio(product.residues[..., ends], own))), 0
    )
    sizes = transform.sizes @ (1 / np.abs(spectrum.poles + transform.poles[:, None]))
    return product, Residues(spectrum.poles, larger * spectrum.sizes * sizes)


@lru_cache(maxsize=512)
def thermal_table(
    kind: str, a: Any, b: Any, x: float, panel: Panel, m: int
) -> Polynomial | Barycentric:
    """P^(m)(x), P^(m)(-x) and, of one bath, [P^(m)(x) - P^(m)(-x)]/(2x) over a panel of beta."""
    nodes, around = _around(kind, a, b, x, panel)
    poles, odd = around.poles, even_kernel if m else odd_kernel
    rows = [(*nodes.half_sided(z, m), plain_kernel(z, poles, m)) for z in (x, -x)]
    if kind == "P":
        rows.append(tuple(y / x for y in (*nodes.part(x, m, -1), odd(x, poles, m))))
    value, error, kernels = (np.stack(column) for column in zip(*rows, strict=True))
    sizes = around.sizes @ np.abs(kernels).T
    unit = 2 * math.pi
    return through(panel, -unit * value.imag, unit * error, unit * sizes.max(1))
