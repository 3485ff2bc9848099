"""Values of atoms at one point after another, from sums over nodes that are kept."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property, lru_cache
from typing import Any

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity
from pertsym.baths.interpolated import by_frequency, is_smooth
from pertsym.baths.product_nodes import floor_of, product_nodes, rules_of_both
from pertsym.baths.thermal_tables import Panel
from pertsym.codegen import runtime
from pertsym.codegen.finite_parts import source_of
from pertsym.codegen.point_sums import PointSums
from pertsym.numerics.requests import Answers, Request, bath_of, kind_of

NARROWEST = 2.0**-12  # half of a panel over w0, of w0
OFTEN, FEW = 16, 3  # calls within an octave and in a panel after which it gets a polynomial
PAIRS = 256, 1024  # kept sums of products and integrals of two baths


class Single:
    """A bath with scalar parameters, and what was made for it."""

    def __init__(self, c: Correlation) -> None:
        self.correlation = c
        self.amplitude = float(c.amplitude)
        self.kind = kind_of(c)
        self._sums: dict[int, PointSums] = {}
        self._constants: dict[str, tuple[float, float]] = {}
        self._integrals: dict[tuple[str, int], OverFrequency] = {}
        self._bath = bath_of(c, float, scalar=True)
        self.spectra = self._bath.spectra

    @cached_property
    def source(self) -> Any:
        """For `interpolated`."""
        if isinstance(self._bath, runtime.Discrete):
            return source_of(self._bath)
        return source_of(bath_of(self.correlation, float, scalar=False))

    @cached_property
    def unit(self) -> Any:
        """What nodes and finite-part integrals are made for."""
        return self.source.at(None)

    def transforms(self, w0: float) -> PointSums:
        """P at +-w0."""
        octave = math.frexp(w0)[1]
        if octave not in self._sums:
            panel = _octave(octave)
            self._sums[octave] = PointSums(self.unit.nodes(panel.low, panel.high))
        return self._sums[octave]

    def product(self, kind: str, other: Single, w0: float) -> PointSums:
        """T of the integrals over Ĉ_A(w) X_B(-w)."""
        return product_sums(kind, self.source, other.source, math.frexp(w0)[1])

    def constant(self, request: Request) -> tuple[float, float]:
        """A value at w = 0."""
        if request.name not in self._constants:
            bath, question = self.unit, request.question
            if question is None:
                value, error = bath.spectrum(0.0, request.atom.derivative)
            else:
                value, error = question.answer(bath, bath, 1.0)
            self._constants[request.name] = float(value), float(error)
        return self._constants[request.name]

    def integral(self, request: Request, other: Single, w0: float) -> tuple[float, float]:
        """A finite-part integral, from polynomials if its octave is asked for often."""
        octave = math.frexp(w0)[1]
        if other is not self:
            return over_frequency(request.question, self.source, other.source, octave)(w0)
        found = self._integrals.get((request.name, octave))
        if found is None or found.question != request.question:  # names are short
            if len(self._integrals) >= PAIRS[0]:
                self._integrals.clear()
            found = over_frequency(request.question, self.source, self.source, octave)
            self._integrals[request.name, octave] = found
        return found(w0)


class OverFrequency:
    """The answer at one w0 of a panel after another: polynomials where it is asked often."""

    def __init__(self, asked: tuple[Any, Any, Any], panel: Panel, root: Any = None) -> None:
        (self.question,) = asked[0]
        self._asked, self._panel, self._root = asked, panel, root or self
        self.calls = 0
        self._value: Callable[[float], tuple[float, float]] | None = None
        self._halves: list[OverFrequency] = []

    def __call__(self, w0: float) -> tuple[float, float]:
        """Value and bound of the error."""
        self.calls += 1
        if self._value is not None:
            return self._value(w0)
        if self._halves:
            return self._halves[w0 >= self._panel.centre](w0)
        if self._root.calls >= OFTEN:
            if not is_smooth(*self._asked, self._panel):
                if self._panel.half > NARROWEST * self._panel.low:
                    parts = self._panel.halves
                    self._halves = [OverFrequency(self._asked, p, self._root) for p in parts]
                    return self(w0)
            elif self.calls >= FEW:
                self._value = by_frequency(*self._asked, self._panel).single()
                return self._value(w0)
        (question,), a, b = self._asked
        value, error = question.answer(a.at(None), b.at(None), w0)
        return float(value), float(error)


@lru_cache(maxsize=PAIRS[0])
def product_sums(kind: str, a: Any, b: Any, octave: int) -> PointSums:
    """Of two sources: their values are the key, so that no bath is kept alive."""
    panel = _octave(octave)
    makers = a.at(None).nodes, b.at(None).nodes
    first, second = rules_of_both(*makers, runtime.DEEPER * panel.low, panel.high, floor_of)
    return PointSums(product_nodes("CC" if kind == "QC" else "CP", first, second, 0.0))


@lru_cache(maxsize=PAIRS[1])
def over_frequency(question: Any, a: Any, b: Any, octave: int) -> OverFrequency:
    """The polynomials of two sources."""
    return OverFrequency(((question,), a, b), _octave(octave))


def _octave(exponent: int) -> Panel:
    """All numbers with this exponent of `math.frexp`."""
    return Panel(2.0 ** (exponent - 1), 2.0**exponent)


@lru_cache(maxsize=64)
def single_of(density: BathDensity, statistics: Any, beta: Any) -> Single:
    """A bath that later calls find again."""
    return Single(Correlation(density, statistics, beta))


class Point(Answers):
    """Values of atoms at one point; everything is a number."""

    def _product(self, kind: str, names: tuple[str, ...]) -> Any:
        return self.baths[names[0]].product(kind, self.baths[names[1]], self.w0)

    def _asked(self, request: Request) -> Any:
        names = request.key[1]
        one = self.baths[names[0]]
        if len(names) == 2:
            return one.integral(request, self.baths[names[1]], self.w0)
        return one.constant(request)
