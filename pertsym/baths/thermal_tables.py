"""Polynomials on octaves of one parameter; P at one |w| for many temperatures.

What is found with nodes for given beta and w0 is analytic in beta where w0 is fixed, as long as no
thermal pole meets the path: in a sector of more than 40 degrees.  On every octave stands the
polynomial through Chebyshev points; its error follows from the size of the function on an ellipse
with its foci at the ends of the octave, that is from the sum of the sizes of its terms there.  The
residues of nodes that are made for real beta change as the spectrum does.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from pertsym.baths.node_path import Real
from pertsym.baths.nodes import Nodes, even_kernel, odd_kernel, plain_kernel
from pertsym.baths.product_nodes import floor_of, product_nodes
from pertsym.baths.tabulated import chebyshev, fitted, position

POINTS = 31  # of a panel
WIDTH = 3.6  # sum of the half axes in halves of an octave: within 38 degrees of the axis
RING = 12  # points on the ellipse; values vary slowly there, and are doubled
_PRODUCT_DEEPER = 1e-3


class Panel(NamedTuple):
    """An octave or a dyadic part of one."""

    low: float
    high: float

    @property
    def centre(self) -> float:
        return (self.low + self.high) / 2

    @property
    def half(self) -> float:
        return (self.high - self.low) / 2

    @property
    def points(self) -> Real:
        return self.centre + self.half * chebyshev(POINTS)

    @property
    def ring(self) -> Any:
        """Complex numbers on the ellipse, those of conjugates in reversed order."""
        angle = 2 * math.pi * (np.arange(RING) + 0.5) / RING
        place = (WIDTH * np.exp(1j * angle) + np.exp(-1j * angle) / WIDTH) / 2
        return self.centre + self.half * place

    @property
    def halves(self) -> tuple[Panel, Panel]:
        return Panel(self.low, self.centre), Panel(self.centre, self.high)


class Polynomial(NamedTuple):
    """Functions on a panel: coefficients of powers of the place in it, and bounds."""

    panel: Panel
    coefficients: Real
    errors: Real

    @classmethod
    def through(cls, panel: Panel, value: Any, error: Any, largest: Any) -> Polynomial:
        """From values at its points with their errors, (functions, POINTS), and largest sizes."""
        value, error = (np.broadcast_to(x, (len(value), POINTS)) for x in (value, error))
        lebesgue = 2 / math.pi * math.log(POINTS) + 1
        misfit = 2 * 4 * np.asarray(largest) * WIDTH ** (1 - POINTS) / (WIDTH - 1)
        # errors at the points, interpolated, and of the rule between them: within the panel it
        # changes by less than its largest value
        bound = misfit + (lebesgue + 2) * error.max(-1)
        bound = np.where(value.any(-1) | error.any(-1), bound, 0.0)
        made = fitted(0, value[:, None, :], bound[:, None], 0)
        return cls(panel, made.coefficients[..., 0], made.errors[:, 0])

    def __call__(self, x: Any) -> tuple[Any, Any]:
        """Values and bounds of all functions at an array x, (functions, len(x))."""
        t = (x - self.panel.centre) / self.panel.half
        *lower, highest = self.coefficients.T[:, :, None]
        values = np.repeat(highest, len(t), axis=1)
        for c in reversed(lower):
            values *= t
            values += c
        return values, np.broadcast_to(self.errors[:, None], values.shape)

    def single(self) -> Callable[[float], tuple[float, float]]:
        """The first function of a plain number."""
        (low, high), error = self.panel, float(self.errors[0])
        centre, half = (low + high) / 2, (high - low) / 2
        horner = self.coefficients[0, ::-1].tolist()

        def value(x: float) -> tuple[float, float]:
            t, total = (x - centre) / half, 0.0
            for c in horner:
                total = total * t + c
            return total, error

        return value


def octaves_met(x: Any) -> list[tuple[Panel, Any]]:
    """Octaves that hold elements of an array x > 0, with the numbers of these."""
    exponents = position(x, 0)[0] - 1023
    return [
        (Panel(2.0**k, 2.0 ** (k + 1)), np.flatnonzero(exponents == k))
        for k in map(int, np.unique(exponents))
    ]


class Residues(NamedTuple):
    """Sizes of residues on the ring, (RING, M) with nodes first, and places of their poles."""

    poles: Any
    sizes: Any

    @classmethod
    def still(cls, nodes: Nodes) -> Residues:
        """Of nodes that stay."""
        sizes = np.abs(_residues(nodes))
        return cls(nodes.every_pole, np.broadcast_to(sizes, (RING, sizes.shape[-1])))


@lru_cache(maxsize=128)
def moved(nodes: Nodes, source: Any, panel: Panel) -> Residues:
    """Of nodes made at the points of a panel of beta: they change as the spectrum does."""
    if source.beta is not None or nodes.residues.ndim == 1:
        return Residues.still(nodes)
    k = POINTS - 1  # the lowest beta
    here, there = source.path(panel.points[k : k + 1]), source.path(panel.ring)
    places, positions = nodes.poles, nodes.resonances[0]
    arms = ratio(nodes.residues[k], here.spectrum(places)) * there.spectrum(places)
    poles: Any = np.empty((RING, 0))
    if positions.shape[-1]:
        own = nodes.resonances[1]
        poles = ratio(own[k] if own.ndim > 1 else own, here.resonances[1]) * there.resonances[1]
    sizes = np.concatenate((np.broadcast_to(arms, (RING, len(places))), poles), -1)
    return Residues(nodes.every_pole, np.abs(sizes))


def _residues(nodes: Nodes) -> Any:
    """Of nodes and resonances."""
    parts = nodes.residues, nodes.resonances[1]
    shape = np.broadcast_shapes(*(x.shape[:-1] for x in parts))
    return np.concatenate([np.broadcast_to(x, (*shape, x.shape[-1])) for x in parts], -1)


def ratio(a: Any, b: Any) -> Any:
    with np.errstate(all="ignore"):
        ratio = a / b
    return np.where(np.isfinite(ratio), ratio, 0.0)


@lru_cache(maxsize=128)
def thermal_nodes(
    kind: str, a: Any, b: Any, x: float, panel: Panel
) -> tuple[Nodes, Residues, float]:
    """Rules for |w| = x at the points of a panel of beta, and the error of their resonances.

    Baths are given as in `interpolated`.  Of a, or for "QC" and "QP" of a product of a and b
    (`product_nodes`, without a shift).
    """
    if kind == "P":
        nodes = Nodes.of(a.path(panel.points), x, x)
        return nodes, moved(nodes, a, panel), 0.0
    one = Nodes.of(a.path(panel.points), _PRODUCT_DEEPER * x, x)
    other = Nodes.of(b.path(panel.points), *floor_of(one, 0.0))
    product, uncertain = product_nodes("CC" if kind == "QC" else "CP", one, other, 0.0)
    spectrum, transform = moved(one, a, panel), moved(other, b, panel)
    # what the open ends add is in the product's residues, and stays in proportion
    factor = np.concatenate([other.on_points(-w)[0] for w in (one.poles, one.resonances[0])], -1)
    larger = np.max(np.abs(np.atleast_2d(ratio(_residues(product), _residues(one) * factor))), 0)
    sizes = transform.sizes @ (1 / np.abs(spectrum.poles + transform.poles[:, None]))
    return product, Residues(product.every_pole, larger * spectrum.sizes * sizes), uncertain


@lru_cache(maxsize=512)
def thermal_table(kind: str, a: Any, b: Any, x: float, panel: Panel, m: int) -> Polynomial:
    """P^(m)(x), P^(m)(-x) and [P^(m)(x) - P^(m)(-x)]/(2x) over a panel of beta."""
    nodes, around, uncertain = thermal_nodes(kind, a, b, x, panel)
    found = [nodes.half_sided(z, m) for z in (x, -x)]
    odd, lost = nodes.part(x, m, -1)
    value = np.stack([*(v for v, _ in found), odd / x])
    error = np.stack([*(e for _, e in found), lost / x])
    positions, residues = nodes.resonances
    if uncertain:
        error = error + uncertain * (np.abs(residues) @ np.abs(_kernels(positions, x, m))).T
    sizes = around.sizes @ np.abs(_kernels(around.poles, x, m))
    unit = 2 * math.pi
    return Polynomial.through(panel, -unit * value.imag, unit * error, unit * sizes.max(0))


def _kernels(poles: Any, x: float, m: int) -> Any:
    """g(x), g(-x) and [g(x) - g(-x)]/(2x) of g = d^m/dx^m 1/(x - w), for every pole."""
    odd = even_kernel if m else odd_kernel
    both = (plain_kernel(z, poles, m) for z in (x, -x))
    return np.stack((*both, odd(x, poles, m) / x), -1)
