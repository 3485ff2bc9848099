"""P(w) and its derivatives at one |w| for many temperatures: polynomials in beta on panels.

The sum over nodes is analytic in beta as long as no thermal pole meets the path.  The nodes are
made at the centres of the panels; at other temperatures, real or complex, their residues change as
the spectrum does.  The bound of the interpolation comes from the values on an ellipse with its foci
at the ends of the panel, that of the sum from the nodes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from pertsym.baths.node_path import Path
from pertsym.baths.nodes import Nodes
from pertsym.baths.product_nodes import floor_of, product_nodes
from pertsym.baths.tabulated import (
    NUMERATOR,
    UNIT,
    Pieces,
    chebyshev,
    combined,
    fitted,
    panels,
    resonant,
    resonant_parts,
)

SIZE = 15  # points of a panel
ELLIPSE = 18.0  # sum of its half axes in units of half a panel: within 35 degrees of the axis
RING = 12  # points on it; its values vary slowly, and are doubled
_PRODUCT_DEEPER = 1e-3

PathOf = Callable[[Any], Path]
"""From an array of beta to the `Path` of a bath; of its spectrum and resonances at complex beta."""

Residues = Callable[[Any], tuple[Any, Any]]
"""From beta, shape (panels, n), to the residues of nodes and resonances, (panels, n, M)."""


@dataclass(frozen=True, eq=False)
class ThermalTransform:
    """P^(m)(w) of one bath at one |w|, m = 0 or 1, for many temperatures.

    Parameters
    ----------
    path : callable
        The bath as a function of beta.
    x : float
        |w| > 0.
    low, high : float
        The smallest and the largest beta, finite.
    """

    path: PathOf
    x: float
    low: float
    high: float

    def transform(self, beta: Any, derivative: int = 0, side: int = 1) -> tuple[Any, Any]:
        """P^(m)(side x) and the bound of its error at every beta."""
        value, error = self._tables[derivative](np.asarray(beta, dtype=float))
        row = 0 if side > 0 else 1
        return value[row], error[row]

    def parts(self, beta: Any, derivative: int = 0) -> tuple[Any, Any, Any, Any]:
        """S_m(x), its error, D_m(x), its error at every beta, as in `tabulated`."""
        value, error = self._tables[derivative](np.asarray(beta, dtype=float))
        even, rounding = (value[0] + value[1]) / 2, UNIT * (np.abs(value[0]) + np.abs(value[1]))
        return even, (error[0] + error[1]) / 2 + rounding, value[2], error[2]

    def _made(self, centre: Any) -> tuple[Nodes, Residues, float]:
        """Nodes at the centres, their residues elsewhere, the relative error of resonances."""
        nodes = Nodes.of(self.path(centre), self.x, self.x)
        return nodes, moving(self.path, nodes, centre), 0.0

    @cached_property
    def _tables(self) -> tuple[Pieces, Pieces]:
        """P^(m)(x), P^(m)(-x) and D_m(x) for m = 0 and 1."""
        first, centre, half = panels(self.low, self.high)
        nodes, residues, uncertain = self._made(centre)
        angle = 2 * math.pi * (np.arange(RING) + 0.5) / RING
        ring = (ELLIPSE * np.exp(1j * angle) + np.exp(-1j * angle) / ELLIPSE) / 2
        inside = residues(centre[:, None] + half[:, None] * chebyshev(SIZE))
        around = residues(centre[:, None] + half[:, None] * ring)
        tables = []
        for m in (0, 1):
            own = _kernels(nodes.poles, self.x, m), _kernels(nodes.resonances[0], self.x, m)
            values = sum(a @ k for a, k in zip(inside, own, strict=True))
            sizes = sum(np.abs(a) @ np.abs(k) for a, k in zip(around, own, strict=True))
            widest = 2 * math.pi * np.max(sizes, 1).T
            misfit = 2 * 4 * widest * ELLIPSE ** (1 - SIZE) / (ELLIPSE - 1)
            # in a panel beta changes by an eighth, and the bound by less than its own size
            lebesgue = 2 / math.pi * math.log(SIZE) + 1
            bound = misfit + (1 + lebesgue) * 2 * self._bound(nodes, len(centre), m, uncertain)
            table = np.moveaxis(-2 * math.pi * values.imag, -1, 0)
            tables.append(fitted(first, table, bound))
        return tables[0], tables[1]

    def _bound(self, nodes: Nodes, count: int, m: int, uncertain: float) -> Any:
        x, everywhere = self.x, np.full(count, self.x)
        plain, odd = (math.factorial(n) * nodes.bound(everywhere, n) for n in (m, m + 1))
        bound = 2 * math.pi * np.stack((plain, plain, odd))
        seen = (nodes.resonances[0], np.moveaxis(nodes.resonances[1], -1, 0))
        bound[0] += resonant(seen, x, m, uncertain)[1]
        bound[1] += resonant(seen, -x, m, uncertain)[1]
        bound[2] += resonant_parts(seen, x, m, uncertain)[1][1]
        return bound


@dataclass(frozen=True, eq=False)
class ThermalProduct(ThermalTransform):
    """The same of the product of a spectrum and a transform (`product_nodes`), without a shift.

    Parameters
    ----------
    kind : "CC" or "CP"
    other : callable
        The bath of the transform as a function of the same beta; `path` is that of the spectrum.
    """

    kind: Literal["CC", "CP"]
    other: PathOf

    def _made(self, centre: Any) -> tuple[Nodes, Residues, float]:
        a = Nodes.of(self.path(centre), _PRODUCT_DEEPER * self.x, self.x)
        b = Nodes.of(self.other(centre), *floor_of(a, 0.0))
        product, uncertain = product_nodes(self.kind, a, b, 0.0)
        spectrum, transform = moving(self.path, a, centre), moving(self.other, b, centre)
        columns = (
            -1 / (product.poles + b.poles[:, None]),
            -1 / (product.poles + b.resonances[0][:, None]),
        )
        single = (
            -1 / (a.resonances[0] + b.poles[:, None]),
            -1 / (a.resonances[0] + b.resonances[0][:, None]),
        )

        def terms(beta: Any) -> tuple[Any, Any]:
            (arms, poles), factors = spectrum(beta), transform(beta)
            own = sum(f @ c for f, c in zip(factors, columns, strict=True))
            at_poles = sum(f @ c for f, c in zip(factors, single, strict=True))
            return arms * own, poles * at_poles

        # what the open ends add is in the product's residues, and stays in proportion
        middle, middle_single = terms(centre[:, None])
        scale = ratio(product.residues[:, None], middle)
        shape = (len(centre), product.resonances[0].shape[-1])
        own = np.broadcast_to(product.resonances[1], shape)
        scale_single = ratio(own[:, None], middle_single)

        def residues(beta: Any) -> tuple[Any, Any]:
            arms, poles = terms(beta)
            return scale * arms, scale_single * poles

        return product, residues, uncertain


def moving(path: PathOf, nodes: Nodes, centre: Any) -> Residues:
    """How the residues of nodes made at the centres change with beta."""
    places = np.concatenate([arm.poles for arm in nodes.arms])
    middle = path(centre)
    count = middle.resonances[0].shape[-1]
    unit = ratio(nodes.residues, middle.spectrum(places))[..., None, :]
    single = ratio(nodes.resonances[1], middle.resonances[1])[..., None, :]

    def residues(beta: Any) -> tuple[Any, Any]:
        there = path(beta.ravel())
        arms = there.spectrum(places)
        poles = np.broadcast_to(there.resonances[1], (beta.size, count))
        shape = beta.shape
        if arms.ndim == 1:
            arms = np.broadcast_to(arms, (beta.size, len(places)))
        return unit * arms.reshape(*shape, -1), single * poles.reshape(*shape, count)

    return residues


def ratio(a: Any, b: Any) -> Any:
    with np.errstate(all="ignore"):
        ratio = a / b
    return np.where(np.isfinite(ratio), ratio, 0.0)


def _kernels(poles: Any, x: float, m: int) -> Any:
    """g(x), g(-x) and [g(x) - g(-x)]/(2x) of g = d^m/dx^m 1/(x - w), for every pole."""
    factor = (-1.0) ** m * math.factorial(m)
    inverse = 1 / ((x - poles) * (x + poles)) ** (m + 1)
    odd = combined([poles**k * inverse for k in range(NUMERATOR[m] + 1)], x * x, m)[1]
    return np.stack((factor / (x - poles) ** (m + 1), factor / (-x - poles) ** (m + 1), odd), -1)
