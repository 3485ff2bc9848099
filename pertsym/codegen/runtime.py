"""What an exported module needs besides its formulas: spectra, transforms and their errors.

The text of this module, of `nodes`, `thermal_path`, `tabulated` and `product_nodes` becomes part of
every export; nothing here may import more than numpy.  Points are flat arrays; parameters are
floats or arrays of as many elements.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from pertsym.baths.nodes import Nodes
from pertsym.baths.product_nodes import floor_of, product_nodes, rules_of_both
from pertsym.baths.tabulated import UNIT, TabulatedTransform
from pertsym.baths.thermal_path import thermal_path
from pertsym.baths.thermal_tables import WORTH, Panel, panels_met, thermal_nodes, thermal_table
from pertsym.codegen.occupation import occupation, spectrum
from pertsym.codegen.point_sums import PointSums

BLOCK = 8192  # points at a time
FEW = 48  # points that are summed one by one
GROUP = 512  # parameters that share nodes
TINY = 1e-300
LEAST, MOST = 1e-61, 1e61  # sizes of parameters; beyond, products of several overflow
UNCORRELATED = (
    "{}: correlated baths have one temperature; give both the same",
    "{}: J_ab^2 must not exceed J_a J_b at w0; give a smaller J_ab",
)
DEEPER = 1e-3  # how far below the lowest frequency the nodes of a product begin


class Floats:
    """What `Bath.spectra` asks numpy for, of plain floats."""

    abs, exp, expm1, isinf, any = staticmethod(abs), math.exp, math.expm1, math.isinf, bool

    @staticmethod
    def where(condition: Any, a: Any, b: Any) -> Any:
        return a if condition else b


class Bath:
    """One bath at the given parameters; `density` is None for a sum of exponentials.

    `values` has every parameter of J, `beta` the inverse temperature (inf is T = 0).
    """

    def __init__(self, density: Any, classical: bool, values: dict[str, Any], beta: Any) -> None:
        self.density, self.classical, self.beta = density, classical, beta
        self.amplitude = density.amplitude(**values)
        self.shape = tuple(values[name] for name in density.shape_parameters)

    def spectra(self, w0: Any, sign: int) -> tuple[Any, Any, Any, Any]:
        """Ĉ(w), its error, Ĉ'(w), its error at w = sign w0."""
        f: Any = np
        single = isinstance(w0, float) or np.size(w0) == 1
        if single and w0 and all(isinstance(x, float) for x in (self.beta, *self.shape)):
            f, w0 = Floats, first(w0)
        reduced = self.density.reduced(w0, *self.shape)
        found = occupation(sign * w0, self.beta, self.classical, f)
        value, error, slope, slope_error = spectrum(reduced, sign, found, f)
        size = f.abs(self.amplitude)
        return (
            self.amplitude * value,
            size * error + TINY,
            self.amplitude * slope,
            size * slope_error + TINY,
        )

    @cached_property
    def fixed_shape(self) -> tuple[float, ...]:
        """The shape's parameters, which do not vary."""
        return tuple(map(first, self.shape))

    def groups(self, count: int) -> list[tuple[Any, tuple[Any, ...], Any]]:
        """(points, shape parameters, beta) of points whose parameters are the same."""
        columns = [self.beta, *self.shape]
        if all(constant(c) for c in columns):
            return [(slice(None), self.fixed_shape, first(self.beta))]
        table = np.stack([np.broadcast_to(c, count) for c in columns], -1)
        rows, inverse = np.unique(table, axis=0, return_inverse=True)
        order = np.argsort(inverse.ravel(), kind="stable")
        parts = np.split(order, np.cumsum(np.bincount(inverse.ravel()))[:-1])
        return [
            (part, tuple(map(float, row[1:])), float(row[0]))
            for part, row in zip(parts, rows, strict=True)
        ]

    @cached_property
    def varied(self) -> Varied:
        """The bath with its shape fixed."""
        beta = first(self.beta) if constant(self.beta) else None
        return Varied(self.density, self.classical, self.fixed_shape, beta)

    @property
    def source(self) -> Source:
        return Source(self.density, self.classical)

    def transforms(self, w0: Any) -> Transforms:
        """P and its derivatives at +-w0 for all points."""
        count = len(w0)
        way: Any
        closed = getattr(self.density, "closed", None)
        if closed is not None:
            way = Closed(closed, w0, self.beta, self.classical, self.shape)
            return Transforms([(slice(None), way)], count)
        if all(constant(c) for c in (self.beta, *self.shape)):
            low, high = octaves(w0)
            way = fixed(self, self.fixed_shape, first(self.beta), low, high, count)
            return Transforms([(slice(None), way)], count)
        same = all(constant(c) for c in (w0, *self.shape))
        if same and count > FEW and np.all(np.isfinite(self.beta)):
            return over_temperatures(("P", self.varied, self.varied, float(w0[0])), self.beta)
        groups = self.groups(count)
        if len(groups) * 8 <= count:
            members = []
            for points, shape, beta in groups:
                low, high = octaves(w0[points])
                members.append((points, fixed(self, shape, beta, low, high, len(w0[points]))))
            return Transforms(members, count)
        return Transforms(list(self._together(w0)), count)

    def _together(self, w0: Any) -> Any:
        """Points that share the places of their nodes, not the residues."""
        count = len(w0)
        columns = [np.broadcast_to(c, count) for c in (self.beta, *self.shape)]
        density = self.density(*self.shape)
        powers = np.broadcast_to(density.infrared, count)
        keys = np.stack((powers, np.isinf(columns[0])), -1)
        for key in np.unique(keys, axis=0):
            alike = np.flatnonzero(np.all(keys == key, axis=1))
            for start in range(0, len(alike), GROUP):
                part = alike[start : start + GROUP]
                beta, *shape = (c[part] for c in columns)
                path = thermal_path(self.density(*shape), self.classical, beta)
                nodes = Nodes.of(path, float(w0[part].min()), float(w0[part].max()))
                yield part, Sums(nodes)


class Source(NamedTuple):
    """Where nodes come from."""

    density: Any
    classical: bool

    def nodes(self, shape: tuple[Any, ...], beta: Any, low: float, high: float) -> Nodes:
        """The rule for low <= w <= high, made for whole octaves and remembered."""
        low, high = octaves((low, high))
        return nodes_of(self.density, shape, self.classical, beta, low, high)


class Sums:
    """P from the sum over nodes at every point."""

    def __init__(self, nodes: Nodes) -> None:
        self.nodes = nodes

    def transform(self, w: Any, m: int) -> tuple[Any, Any]:
        value, error = self.nodes.half_sided(w, m)
        return -2 * math.pi * value.imag, 2 * math.pi * error + 4 * UNIT * np.abs(value)

    def parts(self, x: Any, m: int) -> tuple[Any, Any, Any, Any]:
        found: list[Any] = []
        for parity in (1, -1):
            value, error = self.nodes.part(x, m, parity)
            found += [-2 * math.pi * value.imag, 2 * math.pi * error + 4 * UNIT * np.abs(value)]
        return found[0], found[1], found[2], found[3]

    def difference(self, x: Any) -> tuple[Any, Any]:
        odd, error = self.nodes.part(x, 0, -1)
        return -4 * math.pi * odd.imag, 4 * math.pi * error + 8 * UNIT * np.abs(odd)


class FromParts:
    """P from S and D of `tabulated`: `made` gives them, each with its error."""

    def made(self, x: Any, m: int) -> Any:
        raise NotImplementedError

    def parts(self, x: Any, m: int) -> tuple[Any, Any, Any, Any]:
        """[P^(m)(x) + P^(m)(-x)]/2, its error, half the difference, its error."""
        even, error, slope, slope_error = self.made(x, m)
        odd = x * slope
        return even, error, odd, x * slope_error + UNIT * np.abs(odd)

    def difference(self, x: Any) -> tuple[Any, Any]:
        _, _, odd, error = self.parts(x, 0)
        return 2 * odd, 2 * error


class Tables(FromParts):
    """P from polynomials in w0."""

    def __init__(self, table: TabulatedTransform) -> None:
        self.table, self.transform = table, table.transform

    def made(self, x: Any, m: int) -> Any:
        return self.table.parts(x, m)


class Varied(NamedTuple):
    """A bath whose shape does not vary; `beta` None stands for what does."""

    density: Any
    classical: bool
    shape: tuple[Any, ...]
    beta: float | None

    def path(self, beta: Any) -> Any:
        """Its path at beta, real or complex, or at its own; None of a sum of exponentials."""
        if self.density is Discrete:
            return None
        own = beta if self.beta is None else self.beta
        return thermal_path(self.density(*self.shape), self.classical, own)


class Temperatures(FromParts):
    """P from polynomials in beta."""

    def __init__(self, asked: tuple[str, Varied, Varied, float], panel: Panel, beta: Any) -> None:
        self.asked, self.beta = (*asked, panel), beta

    def _found(self, m: int) -> tuple[Any, Any]:
        return thermal_table(*self.asked, m)(self.beta)

    def transform(self, w: Any, m: int) -> tuple[Any, Any]:
        value, error = self._found(m)
        row = 0 if w[0] > 0 else 1
        return value[row], error[row]

    def made(self, x: Any, m: int) -> Any:
        value, error = self._found(m)
        rounding = UNIT * (np.abs(value[0]) + np.abs(value[1]))
        even = (value[0] + value[1]) / 2
        return even, (error[0] + error[1]) / 2 + rounding, value[2], error[2]


class Closed(FromParts):
    """P in closed form at every point, whatever varies; computed in blocks."""

    def __init__(
        self, parts: Callable[..., Any], x: Any, beta: Any, classical: bool, shape: Sequence[Any]
    ) -> None:
        self.rows = np.empty((8, len(x)))
        for start in range(0, len(x), BLOCK):
            at = slice(start, start + BLOCK)
            b, *own = (p[at] if np.ndim(p) else p for p in (beta, *shape))
            w = x[at] if len(x) > 1 else x[0]
            for row, part in zip(self.rows, parts(w, b, classical, *own), strict=True):
                row[at] = part

    def made(self, x: Any, m: int) -> Any:
        return self.rows[4 * m : 4 * m + 4]

    def transform(self, w: Any, m: int) -> tuple[Any, Any]:
        even, even_error, slope, slope_error = self.made(w, m)
        odd = w * slope
        value, size = even + odd, np.abs(odd)
        error = even_error + np.abs(w) * slope_error + 2 * UNIT * (size + np.abs(value))
        return value, error


class Transforms:
    """Several ways to the same function, each for some of the points."""

    def __init__(self, members: Sequence[tuple[Any, Any]], count: int) -> None:
        self.members, self.count = members, count

    def transform(self, w: Any, m: int) -> Any:
        return self._gathered(lambda way, points: way.transform(w[points], m))

    def parts(self, x: Any, m: int) -> Any:
        """[P^(m)(x) + P^(m)(-x)]/2, its error, half the difference, its error for x > 0."""
        return self._gathered(lambda way, points: way.parts(x[points], m), 4)

    def difference(self, x: Any) -> Any:
        return self._gathered(lambda way, points: way.difference(x[points]))

    def _gathered(self, ask: Callable[[Any, Any], Any], width: int = 2) -> Any:
        if len(self.members) == 1:
            return ask(self.members[0][1], self.members[0][0])
        result = np.empty((width, self.count))
        for points, way in self.members:
            for row, found in zip(result, ask(way, points), strict=True):
                row[points] = found
        return tuple(result)


def over_temperatures(asked: tuple[str, Varied, Varied, float], beta: Any) -> Transforms:
    """P at an array of beta from polynomials, or from nodes where they would need more points."""
    members: list[tuple[Any, Any]] = []
    for panel, part in panels_met(beta.tobytes()):
        own = beta[part]
        if len(part) > WORTH * panel.size:
            members.append((part, Temperatures(asked, panel, own)))
        else:
            members.append((part, Sums(thermal_nodes(*asked, own.tobytes())[0])))
    if len(members) == 1:
        members = [(slice(None), members[0][1])]
    return Transforms(members, len(beta))


def octaves(x: Any) -> tuple[float, float]:
    """Powers of 2 that enclose all x."""
    low, high = (float(np.min(x)), float(np.max(x))) if len(x) > 1 else (float(x[0]),) * 2
    return 2.0 ** math.floor(math.log2(low)), 2.0 ** math.ceil(math.log2(high))


@lru_cache(maxsize=64)
def nodes_of(
    density: Any, shape: tuple[float, ...], classical: bool, beta: float, low: float, high: float
) -> Nodes:
    """Nodes for scalar parameters."""
    return Nodes.of(thermal_path(density(*shape), classical, beta), low, high)


def fixed(
    bath: Bath, shape: tuple[float, ...], beta: float, low: float, high: float, count: int
) -> Any:
    """The way to P for scalar parameters."""
    ends = bath.density, shape, bath.classical, beta, low, high
    if count == 1:
        return point_sums(*ends)
    return Tables(table_of(*ends)) if count > FEW else Sums(nodes_of(*ends))


@lru_cache(maxsize=64)
def point_sums(*ends: Any) -> PointSums:
    """Of `nodes_of`."""
    return PointSums(nodes_of(*ends))


@lru_cache(maxsize=64)
def table_of(
    density: Any, shape: tuple[float, ...], classical: bool, beta: float, low: float, high: float
) -> TabulatedTransform:
    """Polynomials in w0 for scalar parameters."""
    return TabulatedTransform(nodes_of(density, shape, classical, beta, low, high), low, high)


class Discrete:
    """A bath whose C(t) is a sum of exponentials c e^(-nu t); its numbers are constants."""

    def __init__(self, c: Sequence[complex], nu: Sequence[complex]) -> None:
        self.exact = Nodes.discrete(-1j * np.array(nu), 1j * np.array(c))
        self.points = PointSums(self.exact)
        self.amplitude = 1.0
        self.source = self

    def spectra(self, w0: Any, sign: int) -> tuple[Any, Any, Any, Any]:
        """Ĉ(w), its error, Ĉ'(w), its error at w = sign w0."""
        if np.size(w0) == 1:
            return self.points.spectra(sign * first(w0))
        result: list[Any] = []
        for m in (0, 1):
            value, error = self.exact.half_sided(sign * w0, m)
            result += [2 * value.real, 2 * error + 4 * UNIT * np.abs(value)]
        return result[0], result[1], result[2], result[3]

    def groups(self, count: int) -> list[tuple[Any, tuple[Any, ...], Any]]:
        return [(slice(None), (), math.inf)]

    def nodes(self, shape: tuple[Any, ...], beta: Any, low: float, high: float) -> Nodes:
        return self.exact

    def transforms(self, w0: Any) -> Transforms:
        way = self.points if len(w0) == 1 else Sums(self.exact)
        return Transforms([(slice(None), way)], len(w0))


def at_zero(bath: Any, w0: Any) -> tuple[Any, Any]:
    """Ĉ(0), 2T J/w or 0 at T = 0, and its error without that of the power of w, which has none."""
    if isinstance(bath, Discrete):
        return bath.spectra(0.0 * w0, 1)[:2]
    with np.errstate(all="ignore"):
        r, _, error, _ = bath.density.reduced(0.0 * w0, *bath.shape)
        value, error = (2 * bath.amplitude / bath.beta * x for x in (r, error))
    if not bath.classical:
        cold = np.isinf(bath.beta)  # w^s, of which the power below left NaN where s < 1
        value, error = np.where(cold, 0.0, value), np.where(cold, 0.0, error)
    rounding = UNIT * np.abs(value)
    return value, np.where(np.isnan(error), 48 * rounding, np.abs(error)) + 16 * rounding + TINY


def require_finite(quantities: str, *baths: Any) -> None:
    """Refuse what is infinite by the spectrum of a bath at w = 0, or by the product of two there.

    At T > 0 they go as w^(s - 1), s the power of J.
    """
    total: Any = 0.0
    warm: Any = True
    for bath in baths:
        total = total + bath.density(*bath.shape).infrared
        warm = warm & (bath.classical | np.isfinite(bath.beta))
    if np.any(warm & (total < 1 if len(baths) == 1 else total <= 1)):
        least = "the product of two spectra has no integral" if len(baths) > 1 else "Ĉ is infinite"
        raise ValueError(
            f"{quantities}: diverges at T > 0, as J ~ w^{np.min(total) / len(baths):g} at w -> 0 "
            f"where {least}; ask at a higher power, at T = 0, or export other quantities"
        )


def require_correlated(name: str, w0: Any, a: Bath, b: Bath, cross: Any) -> None:
    """Refuse two temperatures, and J_ab^2 > J_a J_b at w0; J_ab/J_a is a number or J_ab a bath."""
    if np.any(a.beta != b.beta):
        raise ValueError(UNCORRELATED[0].format(name))

    def density(bath: Bath) -> Any:
        return bath.amplitude * bath.density.reduced(w0, *bath.shape)[0]

    one, other = density(a), density(b)
    both = density(cross) if isinstance(cross, Bath) else cross * one
    if np.any(both * both > one * other * (1 + 1e-9)):
        raise ValueError(UNCORRELATED[1].format(name))


def products(kind: str, a: Any, b: Any, w0: Any) -> Transforms:
    """T of the integrals over Ĉ_A(w) X_B(-w) at all points, without the amplitudes."""
    count = len(w0)
    over_temperature = _product_over_temperature(kind, a, b, w0)
    if over_temperature is not None:
        return over_temperature
    members: list[tuple[Any, Any]] = []
    way: Any
    for points, one, other in _pairs(a, b, count):
        low, high = octaves(w0[points])
        table = product(kind, a.source, b.source, one, other, low, high)
        many = len(w0[points]) > FEW and table.nodes.arms
        if len(w0[points]) == 1:
            way = point_product(table)
        else:
            way = Tables(table) if many else Sums(table.nodes)
        members.append((points, way))
    return Transforms(members, count)


def _product_over_temperature(kind: str, a: Any, b: Any, w0: Any) -> Transforms | None:
    """From nodes over temperature, if nothing else varies and both have the same."""
    count = len(w0)
    if count <= FEW or np.any(w0 != w0[0]):
        return None
    baths = [bath for bath in (a, b) if isinstance(bath, Bath) and not constant(bath.beta)]
    if not baths or not all(isinstance(bath, Bath) for bath in (a, b)):
        return None
    beta = baths[0].beta
    if not np.all(np.isfinite(beta)) or any(np.any(bath.beta != beta) for bath in baths[1:]):
        return None
    if not all(constant(p) for bath in (a, b) for p in bath.shape):
        return None
    return over_temperatures((kind, a.varied, b.varied, float(w0[0])), beta)


def constant(x: Any) -> bool:
    """Whether all elements are the same."""
    return np.ndim(x) == 0 or bool(np.all(x == x[0]))


def first(x: Any) -> float:
    """The first element."""
    return float(x) if isinstance(x, float) else float(np.ravel(x)[0])


def _pairs(a: Any, b: Any, count: int) -> Any:
    """Points at which both baths have the same parameters, with these."""
    one, other = a.groups(count), b.groups(count)
    if a is b:
        return [(points, (shape, beta), (shape, beta)) for points, shape, beta in one]
    if len(one) == 1 and len(other) == 1:
        return [(slice(None), one[0][1:], other[0][1:])]
    labels = np.empty((2, count), dtype=int)
    for row, groups in zip(labels, (one, other), strict=True):
        for k, (points, _, _) in enumerate(groups):
            row[points] = k
    pairs, inverse = np.unique(labels, axis=1, return_inverse=True)
    return [
        (np.flatnonzero(inverse.ravel() == k), one[i][1:], other[j][1:])
        for k, (i, j) in enumerate(pairs.T)
    ]


@lru_cache(maxsize=64)
def product(
    kind: str, a: Any, b: Any, first: Any, second: Any, low: float, high: float
) -> TabulatedTransform:
    """The same for scalar parameters."""
    makers = partial(a.nodes, *first), partial(b.nodes, *second)
    left, right = rules_of_both(*makers, DEEPER * low, high, floor_of)
    nodes = product_nodes("CC" if kind == "QC" else "CP", left, right, 0.0)
    return TabulatedTransform(nodes, low, high)


@lru_cache(maxsize=64)
def point_product(table: TabulatedTransform) -> PointSums:
    return PointSums(table.nodes)


def flat(values: dict[str, Any]) -> tuple[dict[str, Any], tuple[int, ...], int]:
    """Parameters as floats or flat arrays, the shape they broadcast to, and its size."""
    if all(isinstance(x, float) and (x == 0 or LEAST <= abs(x) <= MOST) for x in values.values()):
        return {name: float(x) for name, x in values.items()}, (), 1
    arrays = {name: reals(name, value) for name, value in values.items()}
    shape = common_shape(arrays)
    count = math.prod(shape)
    for name, a in arrays.items():
        size = np.abs(a)
        if not np.all((size == 0) | ((size >= LEAST) & (size <= MOST))):
            raise ValueError(f"{name}: must be finite, and 0 or {LEAST:g} to {MOST:g} in size")
    spread = {
        name: float(a) if a.ndim == 0 else np.broadcast_to(a, shape).ravel()
        for name, a in arrays.items()
    }
    return spread, shape, count


def common_shape(arrays: dict[str, Any]) -> tuple[int, ...]:
    """What arrays broadcast to."""
    try:
        return np.broadcast_shapes(*(a.shape for a in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {a.shape}" for name, a in arrays.items() if a.ndim)
        raise ValueError(f"shapes do not broadcast: {shapes}") from None


def reals(name: str, value: Any) -> Any:
    """A parameter as an array of doubles."""
    try:
        given = np.asarray(value)
        if given.dtype.kind == "O":
            given = np.asarray(np.frompyfunc(float, 1, 1)(given), dtype=float)
        if given.dtype.kind in "biuf":  # numpy would read text, and drop imaginary parts
            return given.astype(float, copy=False)
    except (TypeError, ValueError):
        pass
    raise TypeError(f"{name}: must be a real number or an array of them, got {value!r}")
