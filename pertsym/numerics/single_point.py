"""Values of atoms at one point after another, from sums over nodes that a bath keeps."""

from __future__ import annotations

import math
from collections import OrderedDict
from functools import cached_property, lru_cache
from typing import Any

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity, Exponentials
from pertsym.baths.interpolated import OverFrequency
from pertsym.baths.product_nodes import floor_of, product_nodes
from pertsym.baths.thermal_tables import Panel
from pertsym.codegen import runtime
from pertsym.codegen.densities import code_of, values_of
from pertsym.codegen.finite_parts import source_of
from pertsym.codegen.point_sums import PointSums
from pertsym.numerics.requests import Answers, Request, compiled_density, kind_of

PAIRS = 64, 1024  # kept sums of products and integrals of a bath with others


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
        self._sums: dict[int, PointSums] = {}
        self.token = object()
        self._products, self._integrals = map(Recent, PAIRS)
        self._constants: dict[str, tuple[float, float]] = {}
        density = self.unit.density
        self._code = code_of(density, "")
        if isinstance(density, Exponentials):
            self._bath: Any = runtime.Discrete(density.c, density.nu)
        else:
            assert self._code is not None
            self._values = values_of(density, self._code)
            made, classical = compiled_density(self._code, True), c.statistics == "classical"
            self._bath = runtime.Bath(made, classical, self._values, float(c.beta))
        self.spectra = self._bath.spectra

    def transforms(self, w0: float) -> PointSums:
        """P at +-w0."""
        octave = math.frexp(w0)[1]
        if octave not in self._sums:
            self._sums[octave] = PointSums(self.unit.nodes(*_ends(octave)))
        return self._sums[octave]

    def product(self, kind: str, other: Single, w0: float) -> PointSums:
        """T of the integrals over Ĉ_A(w) X_B(-w)."""
        octave = math.frexp(w0)[1]
        key = kind, other.token, octave
        found: PointSums | None = self._products.recall(key)
        if found is None:
            low, high = _ends(octave)
            a = self.unit.nodes(runtime.DEEPER * low, high)
            b = other.unit.nodes(*floor_of(a, 0.0))
            nodes, uncertainty = product_nodes("CC" if kind == "QC" else "CP", a, b, 0.0)
            found = PointSums(nodes, uncertainty)
            self._products.keep(key, found)
        return found

    @cached_property
    def source(self) -> Any:
        """For `interpolated`."""
        if self._code is None:
            return source_of(self._bath)
        made, own = compiled_density(self._code, False), self._bath
        return source_of(runtime.Bath(made, own.classical, self._values, own.beta))

    @property
    def summed(self) -> Any:
        """What finite-part integrals are summed for."""
        return self.source.at(None)

    def constant(self, request: Request) -> tuple[float, float]:
        """A value at w = 0."""
        if request.name not in self._constants:
            bath, question = self.summed, request.question
            if question is None:
                value, error = bath.spectrum(0.0, request.atom.derivative)
            else:
                value, error = question.answer(bath, bath, 1.0)
            self._constants[request.name] = float(value), float(error)
        return self._constants[request.name]

    def integral(self, request: Request, other: Single, w0: float) -> tuple[float, float]:
        """A finite-part integral, from polynomials if its octave is asked for often."""
        key = request.name, other.token, math.frexp(w0)[1]
        found: OverFrequency | None = self._integrals.recall(key)
        if found is None:
            octave = Panel(*_ends(key[-1]))
            found = OverFrequency(request.question, self.source, other.source, octave)
            self._integrals.keep(key, found)
        return found(w0)


def _ends(octave: int) -> tuple[float, float]:
    """Of all numbers with this exponent of `math.frexp`."""
    return 2.0 ** (octave - 1), 2.0**octave


@lru_cache(maxsize=64)
def single_of(density: BathDensity, statistics: Any, beta: Any) -> Single:
    """A bath that later calls find again."""
    return Single(Correlation(density, statistics, beta))


class Point(Answers):
    """Values of atoms at one point; everything is a number."""

    def _product(self, kind: str, names: tuple[str, ...]) -> Any:
        return self.baths[names[0]].product(kind, self.baths[names[1]], self.w0)

    def _asked(self, request: Request) -> Any:
        one, *others = (self.baths[name] for name in request.atom.baths)
        if others:
            return one.integral(request, others[0], self.w0)
        return one.constant(request)
