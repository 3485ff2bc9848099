"""Values of atoms at many points, from the machinery of exported code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from pertsym.baths import kinks
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Exponentials
from pertsym.baths.interpolated import interpolated
from pertsym.baths.tabulated import UNIT
from pertsym.codegen import runtime
from pertsym.codegen.densities import code_of
from pertsym.numerics.requests import (
    Question,
    Request,
    Source,
    compiled_density,
    has_sums,
    parameters,
)
from pertsym.numerics.spectra import DoubleSpectra


class Points:
    """Values of atoms at many points, from the machinery of exported code.

    Amplitudes stay outside: the points are those of everything else, flat, and answers come in
    the shape that this broadcasts to.
    """

    def __init__(self, w0: Any, baths: Mapping[str, Correlation], beta: Any) -> None:
        self.w0, self.beta, self.correlations = w0, beta, baths
        columns = [w0]
        for c in baths.values():
            if has_sums(c.density) and parameters(c):
                columns += [c.beta, *parameters(c.unit).values()]
        self.shape = np.broadcast_shapes(*map(np.shape, columns))
        self.count = math.prod(self.shape)
        self.flat = np.broadcast_to(np.asarray(w0, dtype=float), self.shape).reshape(-1)
        self._baths: dict[str, Any] = {}
        self._kept: dict[Any, Any] = {}

    def _bath(self, name: str) -> Any:
        if name not in self._baths:
            self._baths[name] = self._made(self.correlations[name])
        return self._baths[name]

    def _made(self, c: Correlation) -> Any:
        density = c.density
        if isinstance(density, Exponentials):
            return runtime.Discrete(density.c, density.nu)
        code = code_of(density, "")
        assert code is not None
        own = map(self._along, parameters(c.unit).values())
        values = dict(zip(code.parameters, own, strict=True))
        made = compiled_density(code, False)
        return runtime.Bath(made, c.statistics == "classical", values, self._along(c.beta))

    def _along(self, x: Any) -> Any:
        if np.ndim(x) == 0:
            return float(x)
        return np.broadcast_to(np.asarray(x, dtype=float), self.shape).reshape(-1)

    def answer(self, request: Request) -> tuple[Any, Any]:
        """Value and error, of a shape that broadcasts."""
        if request.name not in self._kept:
            self._kept[request.name] = self._answer(request)
        found: tuple[Any, Any] = self._kept[request.name]
        return found

    @cached_property
    def _by_frequency(self) -> bool:
        """Whether w0 has more values than beta."""
        betas = [c.beta for c in self.correlations.values() if np.ndim(c.beta)]
        return len(np.unique(self.w0)) > max((len(np.unique(x)) for x in betas), default=0)

    def _answer(self, request: Request) -> tuple[Any, Any]:
        atom = request.atom
        if request.products and self._by_frequency:
            return request.summed(np.asarray(self.w0, dtype=float), self.answer)
        if atom.kind == "T":
            energy = atom.multiple * np.asarray(self.w0)
            thermal = DoubleSpectra({}).thermal(atom.derivative, energy, self.beta)
            return thermal.value, thermal.error
        value, error = (
            x if np.ndim(x) == 0 else np.reshape(np.broadcast_to(x, self.count), self.shape)
            for x in self._flat_answer(request)
        )
        for name in atom.baths:
            amplitude = np.asarray(self.correlations[name].amplitude)
            value = amplitude * value
            error = np.abs(amplitude) * error + 2 * UNIT * np.abs(value)
        return value, error

    def _flat_answer(self, request: Request) -> Any:
        atom = request.atom
        names, m, n = atom.baths, atom.derivative, atom.multiple
        bath = self._bath(names[0])
        key: tuple[Any, ...]
        match atom.kind:
            case "C" if n:
                key = ("C", names, n)
                if key not in self._kept:
                    self._kept[key] = bath.spectra(self.flat, n)
                return self._kept[key][2 * m : 2 * m + 2]
            case "P" if n:
                key = ("P", names)
                if key not in self._kept:
                    self._kept[key] = bath.transforms(self.flat)
                return self._kept[key].transform(n * self.flat, m)
            case "E" | "O":
                key = ("P", names, m)
                if key not in self._kept:
                    self._kept[key] = bath.transforms(self.flat).parts(self.flat, m)
                first = 0 if atom.kind == "E" else 2
                return self._kept[key][first : first + 2]
            case "QC" | "QP":
                key = (atom.kind, names)
                if key not in self._kept:
                    other = self._bath(names[1])
                    self._kept[key] = runtime.products(atom.kind, bath, other, self.flat)
                return self._kept[key].transform(n * self.flat, m)
        c, other = (self.correlations[name].unit for name in (names[0], names[-1]))
        if request.question is not None:
            pair = asked(request.question, c, other, self.w0)
        else:
            pair = c.spectrum(0.0, m) if atom.kind == "C" else kinks.mean_slope(c.sample, 0.0)
        return [x if np.ndim(x) == 0 else np.broadcast_to(x, self.shape).reshape(-1) for x in pair]


def asked(question: Question, a: Correlation, b: Correlation, w0: Any) -> tuple[Any, Any]:
    """The answer over arrays; from polynomials where w0 or beta has many values."""
    if question.kind in "PR":
        b, w0 = a, 1.0
    betas = [c.beta for c in (a, b) if not isinstance(c.density, Exponentials) and np.ndim(c.beta)]
    varied = any(np.ndim(x) for c in (a, b) for x in parameters(c).values())
    if not varied and all(x is betas[0] or np.array_equal(x, betas[0]) for x in betas[1:]):
        one, other = (
            Source(
                c.density,
                c.statistics,
                None
                if np.ndim(c.beta) and betas
                else (math.inf if c.beta is None else float(c.beta)),
            )
            for c in (a, b)
        )
        found = interpolated(question, one, other, w0, betas[0] if betas else 0.0)
        if found is not None:
            return found
    return question.answer(a, b, w0)
