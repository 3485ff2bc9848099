"""What evaluations of forms ask of a bath again and again, prepared once."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import numpy as np

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity, Exponentials
from pertsym.baths.densities.density import DensityCode
from pertsym.baths.tabulated import UNIT
from pertsym.codegen import runtime
from pertsym.codegen.densities import code_of
from pertsym.codegen.finite_parts import Question
from pertsym.codegen.program import Atom, as_products
from pertsym.codegen.python_export import density_class
from pertsym.model.errors import NotYetDerivable
from pertsym.numerics.spectra import DoubleSpectra


class Request(NamedTuple):
    """An atom with what is asked for it again and again.

    An integral that is a sum of products, see `program.as_products`, has them as (coefficient,
    power of 1/w0, factors).
    """

    atom: Atom
    name: str
    key: tuple[str, tuple[str, ...], int, int]
    question: Question | None
    products: tuple[tuple[float, int, tuple[Request, ...]], ...]

    @classmethod
    def of(cls, atom: Atom) -> Request:
        products = tuple(
            (float(t.coefficient) * math.pi**t.pi_power, t.below, tuple(map(cls.of, t.atoms)))
            for t in as_products(atom)
        )
        return cls(atom, atom.identifier, atom[:4], question_of(atom), products)

    def summed(self, w0: Any, ask: Callable[[Request], tuple[Any, Any]]) -> tuple[Any, Any]:
        """The integral from its products."""
        total, lost = 0.0, 0.0
        for coefficient, below, factors in self.products:
            value, error = coefficient * w0**-below, 0.0
            for factor in factors:
                x, e = ask(factor)
                error = abs(value) * e + error * (abs(x) + e)
                value = value * x
            total = total + value
            lost = lost + error + 16 * UNIT * abs(value)
        return total, lost


@dataclass
class Answers(ABC):
    """Values and errors of atoms at the same arguments; what was found is kept.

    Attributes
    ----------
    w0, beta
        A number each, or arrays that broadcast.
    at
        w0 as the baths take it.
    baths
        By name: what has `spectra` and `transforms`, of amplitude 1.
    amplitudes
    by_products
        Whether an integral that is a sum of products is taken from these.
    """

    flat: ClassVar[bool] = False
    """Whether answers come flat and are to be brought into shape."""

    w0: Any
    beta: Any
    at: Any
    baths: Mapping[str, Any]
    amplitudes: Mapping[str, Any]
    by_products: bool = True
    _kept: dict[Any, Any] = field(default_factory=dict)

    @abstractmethod
    def _product(self, kind: str, names: tuple[str, ...]) -> Any:
        """T of the integrals over Ĉ_A(w) X_B(-w)."""

    @abstractmethod
    def _asked(self, request: Request) -> Any:
        """An integral, or a value at w = 0."""

    def _shaped(self, pair: Any) -> Any:
        """What is flat, in the shape of the points."""
        raise NotImplementedError

    def answer(self, request: Request) -> tuple[Any, Any]:
        """Value and error; of arrays, of shapes that broadcast."""
        found: tuple[Any, Any] | None = self._kept.get(request.name)
        if found is None:
            found = self._kept[request.name] = self._answer(request)
        return found

    def _answer(self, request: Request) -> tuple[Any, Any]:
        if request.products and self.by_products:
            return request.summed(self.w0, self.answer)
        kind, names, m, n = request.key
        if kind[0] == "Q" or (n and kind in ("C", "P")):
            shared = self._once(kind, names, n if kind == "C" else 0)
            if kind == "C":
                found = shared[2 * m], shared[2 * m + 1]
            else:
                found = shared.transform(n * self.at, m)
        elif kind == "T":
            thermal = DoubleSpectra({}).thermal(m, n * self.w0, self.beta)
            return thermal.value, thermal.error
        elif kind in "EO":
            even, even_error, odd, odd_error = self._once("EO", names, m)
            found = (even, even_error) if kind == "E" else (odd, odd_error)
        else:
            found = self._asked(request)
        value, error = self._shaped(found) if self.flat else found
        amplitude = self.amplitudes[names[0]]
        if len(names) == 2:
            amplitude = amplitude * self.amplitudes[names[1]]
        value = amplitude * value
        return value, abs(amplitude) * error + 4 * UNIT * abs(value)

    def _once(self, kind: str, names: tuple[str, ...], at: int = 0) -> Any:
        """What several atoms are read from."""
        key = kind, names, at
        found = self._kept.get(key)
        if found is None:
            if kind == "C":
                found = self.baths[names[0]].spectra(self.at, at)
            elif kind == "P":
                found = self.baths[names[0]].transforms(self.at)
            elif kind == "EO":
                found = self._once("P", names).parts(self.at, at)
            else:
                found = self._product(kind, names)
            self._kept[key] = found
        return found


def question_of(atom: Atom) -> Question | None:
    """What an atom asks `interpolated`."""
    if atom.kind[0] not in "IJPR":
        return None
    if atom.kind in ("P", "R"):
        return Question(atom.kind, derivative=atom.derivative)
    kernel = tuple((float(c), power, pole, n) for c, power, pole, n in atom.kernel)
    return Question(atom.kind[0], atom.kind[2] == "P", atom.reflect, atom.shift, kernel)


def bath_of(c: Correlation, along: Callable[[Any], Any], scalar: bool) -> Any:
    """A bath of amplitude 1 as exported code has it, with `along` of its parameters."""
    code = code_of(c.density, "")
    if isinstance(c.density, Exponentials):
        return runtime.Discrete(c.density.c, c.density.nu)
    assert code is not None
    values = dict(zip(code.parameters, map(along, c.unit.density.values.values()), strict=True))
    made = compiled_density(code, scalar)
    return runtime.Bath(made, c.statistics == "classical", values, along(c.beta))


def has_sums(density: BathDensity | None) -> bool:
    """Whether the transforms of a bath are sums over nodes, here and in exported code."""
    if density is None or isinstance(density, Exponentials):
        return True
    try:
        return density.continues and code_of(density, "") is not None
    except NotYetDerivable:
        return False


def kind_of(c: Correlation) -> Any:
    """What decides which values exist; None for no coupling at all."""
    thermal = c.thermal
    if thermal.is_zero:
        return None
    cold = thermal.zero_temperature
    return type(c.density), c.statistics, cold, thermal.power, thermal.regularity, thermal.tails


@lru_cache(maxsize=64)
def compiled_density(code: DensityCode, scalar: bool) -> Any:
    """The class of exported code, for arrays or for plain floats."""
    space: dict[str, Any] = {"np": np, "UNIT": UNIT, "pi": math.pi, "I": 1j, "INFINITY": math.inf}
    if scalar:
        space |= {n: getattr(math, n) for n in ("exp", "log", "pow", "sqrt", "fabs", "floor")}
        space |= {"where": chosen, "real": np.real, "imag": np.imag, "minimum": min, "maximum": max}
    else:
        space |= {n: getattr(np, n) for n in ("exp", "log", "sqrt", "real", "imag", "where")}
        space |= {"pow": np.power, "fabs": np.abs, "floor": np.floor}
        space |= {"minimum": np.minimum, "maximum": np.maximum}
    exec(density_class(code, ()), space)
    (made,) = (x for x in space.values() if isinstance(x, type))
    return made


def chosen(condition: Any, a: Any, b: Any) -> Any:
    return a if condition else b
