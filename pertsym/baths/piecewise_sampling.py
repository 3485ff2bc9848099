"""Polynomials on panels for Ĉ of one bath: panels halved until its Legendre series end.

A table is sampled from the cubics of its own pieces, and what jumps at its knots is known from
their coefficients; any other Ĉ from its jets, on panels graded towards its branch points.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pertsym.baths import jets
from pertsym.baths.densities.density import Cubics
from pertsym.baths.exponentials import Exponentials
from pertsym.baths.integrand import Integrand, Kernel
from pertsym.baths.jets import EPS, Jet
from pertsym.baths.mesh import build_mesh
from pertsym.baths.piecewise import PiecewiseSpectrum
from pertsym.baths.thermal import bose_factor
from pertsym.baths.thermal_spectrum import ThermalSpectrum

_Array = NDArray[np.float64]

_NODES = (8, 16, 32)
_RESOLVED = 16 * EPS
_NOISE = 8.0  # projection amplifies the noise of the samples
_NEGLIGIBLE = 1e-25  # of the largest |f|, and of the largest integral over a panel
_BISECTIONS = 60
_MOST_PANELS = 200_000
_CORE_DIGITS = 22.0  # the integral of |f| left out at a branch point, relative
_DEEPEST = 1e-280

Sampler = Callable[[_Array, _Array, _Array], tuple[_Array, _Array]]
"""Edges (panels,), (panels,) and nodes t in [-1, 1] to f, f', f'' and bounds of their errors,
both of shape (3, panels, nodes)."""


def piecewise(spectrum: ThermalSpectrum) -> PiecewiseSpectrum:
    """Panels for any Ĉ(w); boson bath: Ĉ(w > 0) = 2 J(w) [n(w) + 1]."""
    density = spectrum.density
    if not isinstance(density, Exponentials) and density.cubics is not None:
        return _of_cubics(spectrum, density.cubics)
    return of_integrand(spectrum)


def of_integrand(integrand: Integrand) -> PiecewiseSpectrum:
    """Panels for any piecewise analytic function that is known by its jets."""

    def sampler(low: _Array, high: _Array, t: _Array) -> tuple[_Array, _Array]:
        nodes = (low + high)[:, None] / 2 + (high - low)[:, None] / 2 * t
        return _derivatives(integrand.jet(np.zeros_like(nodes), nodes, 2), nodes.shape)

    resolved = _resolved(sampler, *_graded(integrand))
    regular = {p.position: p.regularity for p in integrand.points if math.isfinite(p.regularity)}
    smooth = min([2, *[max(math.ceil(r), 0) for r in regular.values() if r % 1]])
    knots, jumps, unsure = _jumps_of_series(resolved, regular)
    return PiecewiseSpectrum(*resolved, knots, jumps, unsure, smooth)


class _Resolved(NamedTuple):
    low: _Array
    high: _Array
    series: _Array
    errors: _Array


def _resolved(sampler: Sampler, low: _Array, high: _Array) -> _Resolved:
    """Legendre series on panels, with more nodes and then halves until all three end."""
    done: list[_Resolved] = []
    largest, heaviest = 0.0, np.zeros((3, 1))
    with np.errstate(all="ignore"):
        for depth in range(_BISECTIONS):
            for nodes in _NODES:
                x, project = _legendre_rule(nodes)
                values, noise = sampler(low, high, x)
                series = values @ project.T
                head = np.max(np.abs(series), axis=2, initial=0.0)
                tail = np.max(np.abs(series[:, :, -3:]), axis=2)
                unsure = np.max(noise, axis=2)
                largest = max(largest, float(np.max(head[0], initial=0.0)))
                settled = np.all((tail <= _RESOLVED * head) | (tail <= _NOISE * unsure), axis=0)
                weight = head * (high - low)
                heaviest = np.maximum(heaviest, np.max(weight, axis=1, keepdims=True))
                light = np.all(weight <= _NEGLIGIBLE * heaviest, axis=0)
                settled |= light & (head[0] <= _NEGLIGIBLE * largest)
                middle = (low + high) / 2
                last = depth == _BISECTIONS - 1 or len(low) > _MOST_PANELS
                if nodes == _NODES[-1]:
                    settled |= last | ~((middle > low) & (middle < high))
                errors = 4 * tail + unsure + 4 * EPS * np.max(np.abs(values), axis=2)
                kept = _Resolved(low, high, series, errors)
                done.append(_chosen(kept, settled))
                low, high, middle = low[~settled], high[~settled], middle[~settled]
                if not len(low):
                    return _joined(done)
            low, high = np.concatenate((low, middle)), np.concatenate((middle, high))
    return _joined(done)


def _chosen(panels: _Resolved, which: NDArray[np.bool_]) -> _Resolved:
    low, high, series, errors = panels
    return _Resolved(low[which], high[which], series[:, which], errors[:, which])


def _joined(parts: list[_Resolved]) -> _Resolved:
    """All panels in ascending order, shorter series filled up with zeros."""
    parts = [part for part in parts if len(part.low)]
    if not parts:
        return _Resolved(np.zeros(0), np.zeros(0), np.zeros((3, 0, 1)), np.zeros((3, 0)))
    degree = max(part.series.shape[2] for part in parts)
    padding = [((0, 0), (0, 0), (0, degree - part.series.shape[2])) for part in parts]
    series = [np.pad(part.series, pad) for part, pad in zip(parts, padding, strict=True)]
    low, high = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
    order = np.argsort(low)
    return _Resolved(
        low[order],
        high[order],
        np.concatenate(series, axis=1)[:, order],
        np.concatenate([part.errors for part in parts], axis=1)[:, order],
    )


def _derivatives(jet: Jet, shape: tuple[int, ...]) -> tuple[_Array, _Array]:
    parts = [jet.derivative(k) for k in range(3)]
    values = np.array([np.broadcast_to(value, shape) for value, _ in parts])
    errors = np.array([np.broadcast_to(error, shape) for _, error in parts])
    return values, errors


def _graded(integrand: Integrand) -> tuple[_Array, _Array]:
    """Panels that grow geometrically away from every point of interest."""
    powers = [p.power for p in integrand.points if p.width == 0]
    depth = max(10 ** (-_CORE_DIGITS / (min([0.0, *powers]) + 1)), _DEEPEST)
    panels = build_mesh(integrand, Kernel(()), depth).panels
    low, high = panels.anchor + panels.low, panels.anchor + panels.high
    order = np.argsort(low)
    low, high = low[order], high[order]
    close = np.abs(high[:-1] - low[1:]) <= 8 * EPS * np.abs(low[1:])
    low[1:] = np.where(close, high[:-1], low[1:])
    for point in integrand.points:
        if point.width == 0 and point.power == 0:  # f is continuous: close the gap
            high[:-1][(high[:-1] < point.position) & (low[1:] > point.position)] = point.position
            low[1:][high[:-1] == point.position] = point.position
    wide = high > low
    return low[wide], high[wide]


def _jumps_of_series(
    panels: _Resolved, regular: dict[float, float]
) -> tuple[_Array, _Array, _Array]:
    """Jumps where panels do not touch, and where a derivative is known not to be continuous."""
    low, high, series, errors = panels
    if not len(low):
        return np.zeros(0), np.zeros((3, 0)), np.zeros((3, 0))
    left, right = series @ (-1.0) ** np.arange(series.shape[2]), np.sum(series, axis=2)
    touching = high[:-1] == low[1:]
    order = np.array([regular.get(float(x), math.inf) for x in high[:-1]])
    met = np.flatnonzero(touching & (order < 3))
    ends = np.flatnonzero(np.append(~touching, True))
    starts = np.flatnonzero(np.append(True, ~touching))
    known = np.arange(3)[:, None] < order[met]
    jump = np.where(known, 0.0, left[:, met + 1] - right[:, met])
    unsure = np.where(known, 0.0, errors[:, met] + errors[:, met + 1])
    return (
        np.concatenate((high[met], high[ends], low[starts])),
        np.concatenate((jump, -right[:, ends], left[:, starts]), axis=1),
        np.concatenate((unsure, errors[:, ends], errors[:, starts]), axis=1),
    )


# -- tables ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Weight:
    """g of Ĉ(side y) = J(y) g(y) on one half-axis, and g(y) y, which is regular at 0."""

    spectrum: ThermalSpectrum
    side: int

    def regular(self, y: _Array) -> Jet:
        """G(y) y as a jet in y."""
        if self.spectrum.statistics == "classical":
            return jets.constant(np.full_like(y, 2 / self.spectrum.beta), jets.variable(y, 2))
        return bose_factor(self.side * y, self.spectrum.beta, 2).reflected(self.side) * 2.0

    def plain(self, y: _Array) -> Jet:
        """G(y) as a jet in y > 0."""
        if self.spectrum.zero_temperature:
            return jets.constant(np.full_like(y, 2.0), jets.variable(y, 2))
        return self.regular(y) * jets.reciprocal(jets.variable(y, 2))


def _of_cubics(spectrum: ThermalSpectrum, table: Cubics) -> PiecewiseSpectrum:
    parts, knots, jumps, unsure = [], [], [], []
    edges = np.array(table.knots)
    for side in (1,) if spectrum.zero_temperature else (1, -1):
        weight = _Weight(spectrum, side)
        found = _resolved(_table_sampler(table, weight), edges[:-1], edges[1:])
        if side < 0:  # x = -y: the odd Legendre polynomials and the odd derivatives change sign
            signs = (-1.0) ** (np.arange(3)[:, None, None] + np.arange(found.series.shape[2]))
            found = _Resolved(
                -found.high[::-1],
                -found.low[::-1],
                (found.series * signs)[:, ::-1],
                found.errors[:, ::-1],
            )
        parts.append(found)
        at, jump, error = _table_jumps(table, weight)
        knots.append(side * at)
        jumps.append(jump if side > 0 else jump * np.array([[-1.0], [1.0], [-1.0]]))
        unsure.append(error)
    return PiecewiseSpectrum(
        *_joined(parts),
        np.concatenate(knots),
        np.concatenate(jumps, axis=1),
        np.concatenate(unsure, axis=1),
        2,
    )


def _table_sampler(table: Cubics, weight: _Weight) -> Sampler:
    knots, cubics = np.array(table.knots), table.coefficients

    def sampler(low: _Array, high: _Array, t: _Array) -> tuple[_Array, _Array]:
        piece = np.searchsorted(knots, (low + high) / 2, side="right") - 1
        # from the knot, not as a difference of frequencies: a piece may be narrow
        x = (low - knots[piece])[:, None] + (high - low)[:, None] / 2 * (1 + t)
        y = knots[piece][:, None] + x
        polynomial = _cubic(cubics[piece], x)
        jet = polynomial * weight.plain(np.where(y > 0, y, 1.0))
        first = piece == 0
        if np.any(first) and not weight.spectrum.zero_temperature:
            c = cubics[piece[first]]
            lowered = np.concatenate((c[:, 1:], np.zeros_like(c[:, :1])), axis=1)
            near = _cubic(lowered, x[first]) * weight.regular(y[first])
            for into, values in zip(_arrays(jet), _arrays(near), strict=True):
                into[first] = values
        return _derivatives(jet, x.shape)

    return sampler


def _arrays(jet: Jet) -> tuple[_Array, ...]:
    return (*jet.c, *(jet.e or ()))


def _cubic(c: _Array, x: _Array) -> Jet:
    """c_0 + c_1 x + c_2 x^2 + c_3 x^3 of exact coefficients (panels, 4), a jet in x."""
    a, b, d, e = (c[:, k, None] for k in range(4))
    values = (
        a + x * (b + x * (d + x * e)),
        b + x * (2 * d + x * (3 * e)),
        d + 3 * e * x,
    )
    size = np.abs(x)
    a, b, d, e = (np.abs(v) for v in (a, b, d, e))
    sizes = (
        a + size * (b + size * (d + size * e)),
        b + size * (2 * d + size * (3 * e)),
        d + 3 * e * size,
    )
    return Jet(values, tuple(4 * EPS * v for v in sizes))


def _table_jumps(table: Cubics, weight: _Weight) -> tuple[_Array, _Array, _Array]:
    """What J g and its derivatives jump by at each knot, as functions of y going up.

    At y = 0 half of what Ĉ jumps by there: a term |w| of an even Ĉ is found on either side.
    """
    knots, steps = np.array(table.knots), table.jumps
    y = knots[1:]
    c = np.array([steps[1:, 0], steps[1:, 1], steps[1:, 2] / 2])
    jet = Jet(tuple(c), tuple(2 * EPS * np.abs(c))) * weight.plain(y)
    jumps, errors = _derivatives(jet, y.shape)
    c = table.coefficients[0]
    if weight.spectrum.zero_temperature:
        first = 2.0 * np.array([0.0, c[1], 2 * c[2]])
        unsure = 4 * EPS * np.abs(first)
    else:
        # Ĉ(side y) = (c_1 + c_2 y + c_3 y^2) h: only c_2 y h is not analytic in w = side y
        kink = Jet((np.zeros(1), np.full(1, c[2]), np.zeros(1)), (np.zeros(1),) * 3)
        jet = kink * weight.regular(np.zeros(1))
        values, bounds = _derivatives(jet, (1,))
        first, unsure = values[:, 0], bounds[:, 0] + 4 * EPS * np.abs(values[:, 0])
    return (
        knots,
        np.concatenate((first[:, None], jumps), axis=1),
        np.concatenate((unsure[:, None], errors), axis=1),
    )


# -- the rule ----------------------------------------------------------------------------------


@lru_cache(maxsize=len(_NODES))
def _legendre_rule(count: int) -> tuple[_Array, _Array]:
    """Gauss-Legendre nodes and the matrix from values there to Legendre coefficients.

    NumPy's weights are off by 6e-14 at the ends: nodes are polished and weights formed, as
    1/sum_k (k + 1/2) P_k^2, in extended precision.
    """
    x = np.polynomial.legendre.leggauss(count)[0].astype(np.longdouble)
    for _ in range(3):
        basis = _legendre_p(x, count)
        x = x - basis[count] * (1 - x * x) / (count * (basis[count - 1] - x * basis[count]))
    basis = _legendre_p(x, count)[:count]
    scale = (np.arange(count) + np.longdouble(0.5))[:, None]
    weights = 1 / np.sum(scale * basis * basis, axis=0)
    return x.astype(float), (scale * basis * weights).astype(float)


def _legendre_p(x: NDArray[np.longdouble], count: int) -> NDArray[np.longdouble]:
    """P_0..P_count in extended precision, shape (count + 1, points)."""
    result = np.ones((count + 1, *x.shape), dtype=np.longdouble)
    result[1] = x
    for k in range(1, count):
        result[k + 1] = ((2 * k + 1) * x * result[k] - k * result[k - 1]) / (k + 1)
    return result
