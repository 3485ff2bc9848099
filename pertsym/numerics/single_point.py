"""Values of atoms at one point after another, from sums over nodes that a bath keeps."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from pertsym.baths import kinks
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity, Exponentials
from pertsym.baths.interpolated import by_frequency, octaves_of
from pertsym.baths.nodes import Nodes
from pertsym.baths.product_nodes import floor_of, product_nodes
from pertsym.baths.tabulated import NUMERATOR, UNIT, combined
from pertsym.codegen import runtime
from pertsym.codegen.densities import code_of, values_of
from pertsym.numerics.requests import Request, Source, compiled_density, kind_of
from pertsym.numerics.spectra import DoubleSpectra

OFTEN = 32  # calls within an octave after which an integral gets a polynomial
PAIRS = 64, 1024  # kept sums of products and integrals (or counts of calls) of a bath with others


class Recent(OrderedDict[Any, Any]):
    """The values that were used last."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def recall(self, key: Any) -> Any:
        """None where it is not kept."""
        found = self.get(key)
        if found is not None:
            self.move_to_end(key)
        return found

    def keep(self, key: Any, value: Any) -> None:
        """As the last used one."""
        self[key] = value
        self.move_to_end(key)
        if len(self) > self.size:
            self.popitem(last=False)


class Single:
    """A bath with scalar parameters, and what was made for it.

    What belongs to a pair of baths is kept by the other one's token, which keeps no bath alive.
    """

    def __init__(self, c: Correlation) -> None:
        self.correlation, self.unit = c, c.unit
        self.amplitude = float(c.amplitude)
        self.kind = kind_of(c)
        self._sums: dict[int, NodeSums] = {}
        self.token = object()
        self._products, self._integrals = map(Recent, PAIRS)
        self._constants: dict[str, tuple[float, float]] = {}
        density = self.unit.density
        self._exact: NodeSums | None = None
        if isinstance(density, Exponentials):
            self._exact = NodeSums(self.unit.nodes(1.0, 1.0))
        else:
            code = code_of(density, "")
            assert code is not None
            values = values_of(density, code)
            made = compiled_density(code, True)
            classical = c.statistics == "classical"
            self._bath = runtime.Bath(made, classical, values, float(c.beta))

    def spectra(self, w0: float, sign: int) -> Any:
        """Ĉ, its error, Ĉ' and its error at sign w0, without the amplitude."""
        if self._exact is not None:
            return self._exact.spectra(sign * w0)
        return self._bath.spectra(w0, sign)

    def sums(self, w0: float) -> NodeSums:
        """P at +-w0."""
        if self._exact is not None:
            return self._exact
        octave = math.frexp(w0)[1]
        if octave not in self._sums:
            self._sums[octave] = NodeSums(self.unit.nodes(*_ends(octave)))
        return self._sums[octave]

    def product(self, kind: str, other: Single, w0: float) -> NodeSums:
        """T of the integrals over Ĉ_A(w) X_B(-w)."""
        octave = math.frexp(w0)[1]
        key = kind, other.token, octave
        found: NodeSums | None = self._products.recall(key)
        if found is None:
            low, high = _ends(octave)
            a = self.unit.nodes(runtime.DEEPER * low, high)
            b = other.unit.nodes(*floor_of(a, 0.0))
            nodes, uncertainty = product_nodes("CC" if kind == "QC" else "CP", a, b, 0.0)
            found = NodeSums(nodes, uncertainty)
            self._products.keep(key, found)
        return found

    @cached_property
    def source(self) -> Source:
        """For `interpolated`."""
        beta = self.unit.beta
        return Source(
            self.unit.density, self.unit.statistics, math.inf if beta is None else float(beta)
        )

    def constant(self, request: Request) -> tuple[float, float]:
        """A value at w = 0."""
        if request.name not in self._constants:
            c, m = self.unit, request.atom.derivative
            if request.question is not None:
                found = request.question.answer(c, c, 1.0)
            else:
                found = c.spectrum(0.0, m) if request.atom.kind == "C" else kinks.mean_slope(c, 0.0)
            self._constants[request.name] = float(found.value), float(found.error)
        return self._constants[request.name]

    def integral(self, request: Request, other: Single, w0: float) -> tuple[float, float]:
        """A finite-part integral, from a polynomial if its octave is asked for often."""
        question, octave = request.question, math.frexp(w0)[1]
        assert question is not None
        key = request.name, other.token, octave
        kept = self._integrals.recall(key) or 0  # the polynomial, before that a count of calls
        if isinstance(kept, int):
            table = None
            if kept + 1 == OFTEN:
                number = int(octaves_of(np.array([w0]))[0])
                table = by_frequency(question, self.source, other.source, number)
            self._integrals.keep(key, kept + 1 if table is None else table)
            if table is None:
                found = question.answer(self.unit, other.unit, w0)
                return float(found.value), float(found.error)
            kept = table
        value, error = kept.single(w0)
        return value, error


def _ends(octave: int) -> tuple[float, float]:
    """Of all numbers with this exponent of `math.frexp`."""
    return 2.0 ** (octave - 1), 2.0**octave


@lru_cache(maxsize=64)
def single_of(density: BathDensity, statistics: Any, beta: Any) -> Single:
    """A bath that later calls find again."""
    return Single(Correlation(density, statistics, beta))


class NodeSums:
    """P and P' at one w at a time, by sums over nodes."""

    def __init__(self, nodes: Nodes, uncertainty: float = 0.0) -> None:
        w, a = nodes.poles, nodes.residues
        self._square = w * w
        self._moments = np.stack((a, a * w)), np.stack((a, a * w, a * w * w))
        self._resonances = list(zip(*(x.tolist() for x in nodes.resonances), strict=True))
        self._uncertainty = uncertainty
        self._last: tuple[float, tuple[Any, ...]] = (0.0, ())
        self._radii: list[float] = []
        if nodes.arms:
            self._radii = nodes._cumulative[0][0].tolist()
            self._weights = [
                (inner.tolist(), outer.tolist()) for _, inner, outer in nodes._cumulative[:3]
            ]

    def _bound(self, x: float, m: int) -> float:
        index = bisect_left(self._radii, x)
        inner, outer = self._weights[m]
        near = inner[index]
        return float(math.factorial(m) * ((near / x ** (m + 1) if near else 0.0) + outer[index]))

    def parts(self, x: float) -> tuple[Any, ...]:
        """[P^(m)(x) + P^(m)(-x)]/2, its error, half the difference, its error, for m = 0 and 1."""
        found = list(self._arms(x))
        for pole, residue in self._resonances:
            below = (x - pole) * (x + pole)
            spread = abs(pole) / min(abs(x - pole), abs(x + pole))
            for m in (0, 1):
                factor = residue / below ** (m + 1)
                powers = [factor * pole**k for k in range(NUMERATOR[m] + 1)]
                terms = combined(powers, x * x, m)
                sizes = combined([abs(y) for y in powers], x * x, m)
                relative = self._uncertainty + UNIT * (32 + 8 * (m + 1) * spread)
                for k, scale in enumerate((1.0, x)):
                    at = 4 * m + 2 * k
                    found[at] -= 2 * math.pi * scale * terms[k].imag
                    found[at + 1] += 2 * math.pi * scale * abs(sizes[k]) * relative
        for at in (0, 2, 4, 6):
            found[at + 1] += 2 * UNIT * abs(found[at])
        return tuple(found)

    def _arms(self, x: float) -> tuple[Any, ...]:
        if not self._radii:
            return (0.0,) * 8
        if self._last[0] != x:
            self._last = x, self._summed(x)
        return self._last[1]

    def _summed(self, x: float) -> tuple[Any, ...]:
        square = x * x
        q = 1 / (square - self._square)
        zeroth = (self._moments[0] @ q).imag.tolist()
        first = (self._moments[1] @ (q * q)).imag.tolist()
        unit = 2 * math.pi
        bounds = [unit * self._bound(x, m) for m in range(3)]
        return (
            -unit * zeroth[1],
            bounds[0],
            -unit * x * zeroth[0],
            x * bounds[1],
            unit * (square * first[0] + first[2]),
            bounds[1],
            2 * unit * x * first[1],
            x * bounds[2],
        )

    def transform(self, x: float, sign: int, m: int) -> tuple[float, float]:
        """P^(m)(sign x): resonances on the other side of w = 0 are not seen."""
        parts = self._arms(x)[4 * m : 4 * m + 4]
        value, error = parts[0] + sign * parts[2], parts[1] + parts[3]
        w = sign * x
        for pole, residue in self._resonances:
            distance = w - pole
            term = -2 * math.pi * (-1.0) ** m * residue / distance ** (m + 1)
            spread = abs(pole) / abs(distance)
            value += term.imag
            error += abs(term) * (self._uncertainty + UNIT * (32 + 8 * (m + 1) * spread))
        size = abs(parts[0]) + abs(parts[2]) + abs(value)
        return value, error + UNIT * size

    def spectra(self, w: float) -> tuple[float, float, float, float]:
        """Ĉ, its error, Ĉ' and its error, of a sum of exponentials."""
        found = [0.0, 0.0, 0.0, 0.0]
        for pole, residue in self._resonances:
            distance = w - pole
            spread = 32 + 16 * abs(pole) / abs(distance)
            for m, term in enumerate((residue / distance, -residue / distance**2)):
                found[2 * m] += 2 * term.real
                found[2 * m + 1] += 2 * abs(term) * UNIT * (m + 1) * spread
        return found[0], found[1], found[2], found[3]


def scalar(
    request: Request,
    baths: Mapping[str, Single | None],
    w0: float,
    beta: Any,
    elements: Mapping[str, Any],
    kept: dict[Any, Any],
) -> tuple[float, float]:
    """Value and error of one atom."""
    kind, names, m, n = request.atom[:4]
    if kind == "S":
        return float(elements[names[0]]), 0.0
    if kind == "T":
        found = DoubleSpectra({}).thermal(m, n * w0, beta)
        return float(found.value), float(found.error)
    bath = baths[names[0]]
    assert bath is not None
    amplitude = bath.amplitude
    if kind == "C" and n:
        key = "C", names, n
        if key not in kept:
            kept[key] = bath.spectra(w0, n)
        value, error = kept[key][2 * m : 2 * m + 2]
    elif kind == "P" and n:
        value, error = bath.sums(w0).transform(w0, n, m)
    elif kind in "EO":
        key = "P", names, 0
        if key not in kept:
            kept[key] = bath.sums(w0).parts(w0)
        at = 4 * m + (0 if kind == "E" else 2)
        value, error = kept[key][at : at + 2]
    elif len(names) == 1:
        value, error = bath.constant(request)
    else:
        other = baths[names[1]]
        assert other is not None
        amplitude *= other.amplitude
        if request.products:
            return request.summed(
                w0, lambda factor: scalar(factor, baths, w0, beta, elements, kept)
            )
        if kind[0] == "Q":
            value, error = bath.product(kind, other, w0).transform(w0, n, m)
        else:
            value, error = bath.integral(request, other, w0)
    value = amplitude * value
    return value, abs(amplitude) * error + 4 * UNIT * abs(value)
