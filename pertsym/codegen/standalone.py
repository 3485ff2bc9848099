"""What generated modules ask for, in numpy alone: spectra of named baths, and values with bounds.

    from generated.runtime import Bath, DrudeLorentz, Spectra
    bath = Bath(DrudeLorentz(2.0), 0.1, temperature=1.0)
    rates.k_up_4(w0, Spectra({"C1": [(1, bath)], "C2": [(1, bath)]}))

`pertsym.numerics.spectra` answers the same questions for more kinds of baths, with arrays of
parameters and as enclosures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Self

import numpy as np

from pertsym.baths.nodes import Nodes
from pertsym.baths.product_nodes import floor_of, product_nodes, rules_of_both
from pertsym.baths.tabulated import UNIT
from pertsym.baths.thermal_path import thermal_path
from pertsym.codegen.occupation import occupation, spectrum

KEPT = 32  # rules of one bath


@dataclass(frozen=True)
class Bounded:
    """A value with |value - exact| <= error through +, -, *, / and powers."""

    value: Any
    error: Any

    __array_ufunc__ = None  # numpy must not take the operators over

    @classmethod
    def of(cls, x: Any) -> Self:
        """A Bounded as it is, any other number as exact."""
        return x if isinstance(x, cls) else cls(x, 0 * x)

    @classmethod
    def rounded(cls, value: Any, error: Any) -> Self:
        # a product of small numbers may underflow; an exact zero stays one
        tiny = ((value != 0) | (error != 0)) * 1e-307
        return cls(value, error + 1.1 * UNIT * abs(value) + tiny)

    @staticmethod
    def quotient(error: Any, distance: Any) -> Any:
        """error/distance, infinite where the divisor may be zero (distance <= 0)."""
        if np.ndim(distance) == 0:
            return error / distance if distance > 0 else np.inf
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(distance > 0, error / distance, np.inf)

    def __add__(self, other: Any) -> Self:
        b = self.of(other)
        return self.rounded(self.value + b.value, self.error + b.error)

    __radd__ = __add__

    def __neg__(self) -> Self:
        return type(self)(-self.value, self.error)

    def __sub__(self, other: Any) -> Self:
        return self + -self.of(other)

    def __rsub__(self, other: Any) -> Self:
        return self.of(other) + -self

    def __mul__(self, other: Any) -> Self:
        b = self.of(other)
        error = abs(self.value) * b.error + self.error * (abs(b.value) + b.error)
        return self.rounded(self.value * b.value, error)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Self:
        b = self.of(other)
        value = self.value / b.value
        error = self.quotient(self.error + abs(value) * b.error, abs(b.value) - b.error)
        return self.rounded(value, error)

    def __rtruediv__(self, other: Any) -> Self:
        return self.of(other) / self

    def __pow__(self, n: int) -> Self:
        if n < 1:
            raise ValueError(f"Bounded ** {n}: only positive powers are defined; divide instead")
        return self if n == 1 else self * self ** (n - 1)


class Bath:
    """J = amplitude * density at one temperature; the density has its shape's parameters."""

    def __init__(
        self, density: Any, amplitude: float, temperature: float, classical: bool = False
    ) -> None:
        self.density, self.amplitude, self.classical = density, amplitude, classical
        self.beta = math.inf if temperature == 0 else 1 / temperature
        path = thermal_path(density, classical, self.beta)
        self._nodes = lru_cache(KEPT)(lambda low, high: Nodes.of(path, low, high))

    def nodes(self, low: float, high: float) -> Nodes:
        """For low <= |w| <= high, made for whole octaves; the last KEPT of them are remembered."""
        return self._nodes(_octave(low)[0], _octave(high)[1])

    def spectrum(self, w: Any, m: int) -> Bounded:
        """Ĉ^(m)(w), m = 0 or 1; w = 0 stands for the limit."""
        w = np.asarray(w, dtype=float)
        x, side = np.maximum(np.abs(w), 1e-290), np.where(w < 0, -1.0, 1.0)
        r, slope, error, slope_error = self.density.reduced(x, *self.density.shape)
        if self.density.infrared_power > 1:  # s = 1.001 is not seen at any double beside 0
            r, error = (np.where(w == 0, 0.0, y) for y in (r, error))
        reduced = r, slope, error, slope_error
        found = spectrum(reduced, side, occupation(w, self.beta, self.classical))
        value, error = found[2 * m : 2 * m + 2]
        return Bounded((self.amplitude * value)[()], (abs(self.amplitude) * error)[()])

    def transform(self, w: Any, m: int) -> Bounded:
        """P^(m)(w); w = 0 where it exists."""
        return self._scaled(_transform(self.nodes(*_sizes(w)), w, m))

    def _scaled(self, pair: tuple[Any, Any]) -> Bounded:
        value = self.amplitude * pair[0]
        return Bounded(value, abs(self.amplitude) * pair[1] + 2 * UNIT * np.abs(value))


def _octave(x: float) -> tuple[float, float]:
    """Powers of 2 around x."""
    exponent = math.frexp(x)[1]
    return 2.0 ** (exponent - 1), 2.0**exponent


def _sizes(w: Any) -> tuple[float, float]:
    sizes = np.abs(np.asarray(w, dtype=float))
    sizes = sizes[sizes > 0] if np.any(sizes > 0) else np.ones(1)
    return float(sizes.min()), float(sizes.max())


def _transform(nodes: Nodes, w: Any, m: int) -> tuple[Any, Any]:
    if not np.any(w) and not nodes.analytic:
        value, error = nodes.at_zero(m)
    else:
        value, error = nodes.half_sided(w, m)
    return -2 * math.pi * value.imag, 2 * math.pi * error + 4 * UNIT * np.abs(value)


class Spectra:
    """Named correlation functions, each a sum of (sign, bath)."""

    def __init__(self, baths: Mapping[str, Sequence[tuple[int, Bath]]]) -> None:
        self.baths = baths
        self.pi = math.pi

    def number(self, x: Any) -> Any:
        return x if isinstance(x, np.ndarray) else float(x)

    def exact(self, x: Any) -> Bounded:
        return Bounded.of(self.number(x))

    def spectrum(self, name: str, w: Any, derivative: int = 0) -> Bounded:
        rows = [sign * bath.spectrum(w, derivative) for sign, bath in self.baths[name]]
        return sum(rows[1:], start=rows[0])

    def transform(self, name: str, w: Any, derivative: int = 0) -> Bounded:
        rows = [sign * bath.transform(w, derivative) for sign, bath in self.baths[name]]
        return sum(rows[1:], start=rows[0])

    def thermal(self, power: int, energy: Any, beta: Any) -> Bounded:
        """beta^power e^(-beta energy)."""
        cold = np.isinf(beta)
        finite = np.where(cold, 0.0, beta)
        value = np.where(cold, 0.0, finite**power * np.exp(-finite * energy))
        error = np.abs(value) * UNIT * (8 + 4 * np.abs(finite * energy))
        return Bounded(value[()], (error + np.where(cold, 0.0, 1e-300))[()])

    def integral(self, name: str, other: str, shift: Any, poles: Sequence[Any]) -> Bounded:
        """FP int dw Ĉ_name(w) Ĉ_other(shift - w) sum_j c_j/(w - a_j)^n_j."""
        shape = np.broadcast_shapes(np.shape(shift), *(np.shape(a) for _, a, _ in poles))
        total = Bounded(np.zeros(shape)[()], np.zeros(shape)[()])
        for sign, a in self.baths[name]:
            for factor, b in self.baths[other]:
                if a is b or not (math.isinf(a.beta) and math.isinf(b.beta) and not np.any(shift)):
                    for c, place, n in poles:
                        found = _elementwise(a, b, shift, place, n, shape)
                        total = total + sign * factor * (Bounded.of(c) * found)
        return total


def _elementwise(a: Bath, b: Bath, shift: Any, place: Any, n: int, shape: Any) -> Bounded:
    shifts, places = (np.broadcast_to(np.asarray(x, float), shape) for x in (shift, place))
    value, error = np.empty(shape), np.empty(shape)
    for index in np.ndindex(shape):
        found = _finite_part(a, b, float(shifts[index]), float(places[index]), n)
        value[index], error[index] = found.value, found.error
    return Bounded(value[()], error[()])


def _finite_part(a: Bath, b: Bath, s: float, p: float, n: int) -> Bounded:
    """Over 1/(w - p)^n, n = 1 or 2: as `product_nodes` writes it."""
    low, high = _sizes([p, s - p])
    one, two = rules_of_both(a.nodes, b.nodes, 1e-3 * low, high, partial(floor_of, shift=s))
    value, error = _transform(product_nodes("CC", one, two, s), np.asarray(p), n - 1)
    size = a.amplitude * b.amplitude
    added = a.spectrum(p, n - 1) * b.transform(s - p, 0)
    if n == 2:
        added = added - a.spectrum(p, 0) * b.transform(s - p, 1)
    return Bounded(size * value, abs(size) * error + 2 * UNIT * abs(size * value)) - added
