"""Numbers for a formula, straight from its tree: a bath is chosen, every function evaluated.

Nothing here knows the canonical form.  Spectra are analytic in a strip around the real line, so
that a finite part is the mean of the integrals just above and just below the poles, the real part
of either one where the integrand is real on the line.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pertsym.language.dictionary import Dictionary
from pertsym.language.limits import Limit
from pertsym.language.parser import parse
from pertsym.language.syntax import (
    Call,
    Integral,
    Measure,
    Node,
    Number,
    Power,
    Product,
    Slope,
    Sum,
    Symbol,
)
from pertsym.reduction.spectral import MatrixElement, SpectralForm, SpectralIntegral, Thermal, Value

Complex = npt.NDArray[np.complex128]

_CIRCLE: Final = np.exp(2j * np.pi * np.arange(24) / 24)
_NODES: Final = 1200
_PATIENCE: Final = 20
_COLD: Final = 24.0  # beta times the smallest gap where the temperature should be zero


class Trial:
    """One choice of all numbers: frequencies, temperature, elements, and a bath's spectra.

    Without a limit and in the classical one Ĉ(w) = sum_k 2 a l/(l^2 + (w - v)^2), with v = 0 for
    classical baths; thermal ones have Ĉ(w) = 2 J(w)/(1 - e^{-beta w}), J = a w/(l^2 + w^2)^2.
    """

    def __init__(self, dictionary: Dictionary, limit: Limit, seed: int) -> None:
        rng = random.Random(f"{limit}{seed}{dictionary.baths}{dictionary.elements}")
        self.dictionary, self.limit = dictionary, limit
        gaps = [round(rng.uniform(0.6, 1.4), 2) for _ in range(dictionary.count)]
        self.frequencies = [round(math.fsum(gaps[: k + 1]), 2) for k in range(dictionary.count)]
        self.thermal = limit in ("thermal", "zero-temperature")
        cold = limit == "zero-temperature"
        self.beta = round(_COLD / min(gaps), 2) if cold else round(rng.uniform(0.5, 1.1), 2)
        self.elements = self._elements(rng)
        self.baths = {name: self._bath(rng) for name in dictionary.baths}
        widths = [min(width for _, width, _ in bath) for bath in self.baths.values()]
        room = [*widths, 2 * math.pi / self.beta] if self.thermal else widths
        self.strip = 0.5 * min(room)

    def _elements(self, rng: random.Random) -> dict[str, float]:
        """Matrix elements: free ones at random, roots and defined ones from their formulas."""
        dictionary = self.dictionary
        names = [name for name in dictionary.elements if name not in dictionary.definitions]
        for attempt in itertools.count():
            self.elements = {name: round(rng.uniform(0.3, 1.5), 2) for name in names}
            squares = {name: self._formula(text) for name, text in dictionary.squares.items()}
            if all(square > 0 for square in squares.values()):
                break
            if attempt >= _PATIENCE:  # e.g. w0^2 - 25: no gap drawn so far is large enough
                self.frequencies = [round(1.2 * w, 2) for w in self.frequencies]
        self.elements |= {name: math.sqrt(square) for name, square in squares.items()}
        for name, text in dictionary.definitions.items():
            self.elements[name] = self._formula(text)
        return self.elements

    def _formula(self, text: str) -> float:
        return complex(self.tree(parse(text, self.dictionary, "text"))).real

    def _bath(self, rng: random.Random) -> list[tuple[float, float, float]]:
        parts = 1 if self.limit else 2
        shifted = not self.limit
        return [
            (
                round(rng.uniform(0.4, 1.2), 2),
                round(rng.uniform(0.8, 1.8), 2),
                round(rng.uniform(-1.0, 1.0), 2) if shifted else 0.0,
            )
            for _ in range(parts)
        ]

    @cached_property
    def described(self) -> dict[str, Any]:
        """The choice in words and numbers."""
        names = self.dictionary.frequencies
        record: dict[str, Any] = dict(zip(names, self.frequencies, strict=True))
        record |= {name: float(f"{x:.15g}") for name, x in self.elements.items()}
        if self.limit:
            record["β"] = self.beta
        for name, parts in self.baths.items():
            if self.thermal:
                ((a, width, _),) = parts
                record[f"J_{name}(ω)"] = f"{a} ω/({width}^2 + ω^2)^2"
            else:
                shown = []
                for a, width, v in parts:
                    centre = f"(ω - {v})" if v > 0 else f"(ω + {-v})" if v else "ω"
                    shown.append(f"2*{a}*{width}/({width}^2 + {centre}^2)")
                record[f"Ĉ_{name}(ω)"] = " + ".join(shown)
        return record

    def linear(self, form: Sequence[int]) -> float:
        return math.fsum(n * w for n, w in zip(form, self.frequencies, strict=True))

    def density(self, name: str, derivative: int, z: Complex) -> Complex:
        """J^(m)(z); of a classical bath Ĉ(z) beta z/2."""
        if self.thermal:
            ((a, width, _),) = self.baths[name]
            return _slope(lambda u: a * u / (width**2 + u**2) ** 2, derivative, z, self.strip / 2)
        return _slope(
            lambda u: self.spectrum(name, 0, u) * self.beta * u / 2, derivative, z, self.strip / 2
        )

    def spectrum(self, name: str, derivative: int, z: Complex) -> Complex:
        """Ĉ^(m)(z)."""
        if self.thermal:
            ((a, width, _),) = self.baths[name]

            def function(u: Complex) -> Complex:
                up = u.real > 0  # neither exponential may overflow
                small = np.exp(np.where(up, -1, 1) * self.beta * u)
                n = np.where(up, 1, -small) / (1 - small)
                return np.asarray(2 * a * u / (width**2 + u**2) ** 2 * n)

            return _slope(function, derivative, z, self.strip / 4, always=True)
        total = np.zeros_like(z)
        factor = (-1) ** derivative * math.factorial(derivative)
        for a, width, v in self.baths[name]:
            above, below = (z - v + 1j * width), (z - v - 1j * width)
            m = derivative + 1
            total = total + factor * 1j * a * (above**-m - below**-m)
        return total

    def transform(self, name: str, derivative: int, z: Complex) -> Complex:
        """P^(m)(z), continued from the real line into the strip."""
        m = derivative + 1
        if not self.thermal:
            total = np.zeros_like(z)
            factor = -math.pi * (-1) ** derivative * math.factorial(derivative)
            for a, width, v in self.baths[name]:
                above, below = (z - v + 1j * width), (z - v - 1j * width)
                total = total + factor * a * (above**-m + below**-m)
            return total
        line, weights = self._line(self.strip)
        values = self.spectrum(name, 0, line) * weights * math.factorial(derivative)
        flat = z.reshape(-1)
        found = np.empty_like(flat)
        for start in range(0, len(flat), 256):
            part = flat[start : start + 256]
            found[start : start + 256] = (values / (line - part[:, None]) ** m).sum(axis=1)
        return found.reshape(z.shape) + 1j * math.pi * self.spectrum(name, derivative, z)

    def _line(self, height: float) -> tuple[Complex, npt.NDArray[np.float64]]:
        """Nodes on R + i height and their weights, w = L tan(theta)."""
        nodes = _NODES * (4 if self.limit == "zero-temperature" else 1)
        theta = (np.arange(nodes) + 0.5) / nodes * math.pi - math.pi / 2
        scale = 2.0
        weights = scale / np.cos(theta) ** 2 * math.pi / nodes
        line: Complex = np.asarray(scale * np.tan(theta) + 1j * height, dtype=np.complex128)
        return line, weights

    def finite_part(self, integrand: Any) -> complex:
        """FP int of a callable that is real on the real line up to a constant phase."""
        line, weights = self._line(self.strip / 2)
        with np.errstate(over="ignore", invalid="ignore"):
            above, below = (integrand(x) * weights for x in (line, line.conj()))
        values = (above + below) / 2
        if self.thermal:  # far out e^{-beta w} overflows where Ĉ(w) vanishes, and nothing is left
            far = np.abs(line.real) > 500 / self.beta
            values = np.where(far & ~np.isfinite(values), 0, values)
        return complex(values.sum())

    def form(self, form: SpectralForm) -> complex:
        """A spectral form, monomial by monomial."""
        known: dict[Any, complex] = {}
        total = 0j
        for m, z in form:
            term = complex(z) * math.pi**m.pi_power
            for linear, power in m.denominators:
                term /= self.linear(linear) ** power
            for atom in m.atoms:
                if atom not in known:
                    known[atom] = self._atom(atom)
                term *= known[atom]
            total += term
        return total

    def _atom(self, atom: Any) -> complex:
        if isinstance(atom, Value):
            function = self.spectrum if atom.kind == "C" else self.transform
            place = np.array(self.linear(atom.frequency), dtype=complex)
            return complex(function(atom.name, atom.derivative, place))
        if isinstance(atom, MatrixElement):
            return self.elements[atom.name]
        if isinstance(atom, Thermal):
            return self.beta**atom.power * math.exp(-self.beta * self.linear(atom.exponent))
        assert isinstance(atom, SpectralIntegral)
        second = self.spectrum if atom.kind == "CC" else self.transform
        shift, pole = self.linear(atom.shift), self.linear(atom.pole)
        return self.finite_part(
            lambda w: (
                self.spectrum(atom.name, 0, w)
                * second(atom.other, 0, shift + atom.reflect * w)
                / (w - pole) ** atom.order
            )
        )

    def tree(self, node: Node, variables: Mapping[str, Complex] | None = None) -> Complex:
        """The value of a tree."""
        bound = variables or {}
        match node:
            case Number(value):
                return np.array(float(value), dtype=complex)
            case Symbol():
                return self._symbol(node, bound)
            case Sum(terms):
                total = np.array(0j)
                for sign, term in terms:
                    total = total + sign * self.tree(term, bound)
                return total
            case Product(factors):
                product = np.array(1 + 0j)
                for side, factor in factors:
                    part = self.tree(factor, bound)
                    product = product * part if side > 0 else product / part
                return product
            case Power(base, exponent, _):
                return _raised(self.tree(base, bound), exponent)
            case Measure():
                return np.array(1 + 0j)
            case Call():
                return _raised(self._call(node, bound), node.function.power)
            case Slope(variable, body, _):
                return _slope(
                    lambda u: self.tree(body, {**bound, variable: u}),
                    1,
                    bound[variable] if variable in bound else np.array(self.elements[variable]),
                    self.strip / 8,
                )
            case Integral(_, _, body, _):
                name = _variable(body)
                # from 0: only at T = 0, where J stands for half of Ĉ, which vanishes below
                return np.array(self.finite_part(lambda u: self.tree(body, {**bound, name: u})))

    def _symbol(self, node: Symbol, bound: Mapping[str, Complex]) -> Complex:
        values: dict[str, complex] = {
            "pi": math.pi, "i": 1j, "beta": self.beta, "T": 1 / self.beta, "one": 1,
        }  # fmt: skip
        if node.kind == "variable":
            free = np.array(self.dictionary.free * self.frequencies[0], dtype=complex)
            return bound.get(node.name, free)
        if node.kind == "quantity":
            known = self.dictionary.quantities[node.name]
            assert not isinstance(known, str)
            return np.array(self.form(known.form) + 1j * self.form(known.imaginary))
        if node.kind == "element":
            value = bound.get(node.name, np.array(self.elements[node.name], dtype=complex))
            return value
        if node.kind == "frequency":
            return np.array(self.linear(node.form), dtype=complex)
        return np.array(values[node.kind], dtype=complex)

    def _call(self, node: Call, bound: Mapping[str, Complex]) -> Complex:
        function = node.function
        z = self.tree(node.argument, bound)
        kind, name, m = function.kind, function.name, function.derivative
        if kind == "J" and bound and self.limit == "zero-temperature":
            return self.spectrum(name, m, z) / 2
        if kind == "J" and self.dictionary.one_sided and z.ndim == 0 and z.real < 0:
            return np.array(0j)
        if kind in ("C", "P", "J"):
            chosen = {"C": self.spectrum, "P": self.transform, "J": self.density}[kind]
            return chosen(name, m, z)
        if kind == "n":
            return _slope(lambda u: 1 / np.expm1(self.beta * u), m, z, self.strip / 2)
        if kind == "defined":
            argument, formula = self.dictionary.functions[name]
            body = parse(formula, self.dictionary, "latex")
            return _slope(lambda u: self.tree(body, {**bound, argument: u}), m, z, self.strip / 8)
        if kind == "abs":
            return np.abs(z).astype(complex)
        if kind in ("Re", "Im"):
            return (z.real if kind == "Re" else z.imag).astype(complex)
        if kind == "coth":
            return np.asarray(1 / np.tanh(z))
        functions: dict[str, Any] = {
            "exp": np.exp, "tanh": np.tanh, "sinh": np.sinh, "cosh": np.cosh
        }  # fmt: skip
        return np.asarray(functions[kind](z))


def _raised(value: Complex, power: int) -> Complex:
    return value if power == 1 else value ** float(power)


def _slope(function: Any, m: int, z: Complex, radius: float, always: bool = False) -> Complex:
    """f^(m)(z) by Cauchy's integral; `always` for m = 0 too, over removable singularities."""
    if not m and not always:
        return np.asarray(function(z))
    z = np.asarray(z, dtype=complex)
    total = np.zeros_like(z)
    for point in _CIRCLE * np.exp(0.1j):
        total = total + function(z + radius * point) * point**-m
    return total * math.factorial(m) / radius**m / len(_CIRCLE)


def _variable(body: Node) -> str:
    waiting = [body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Measure):
            return node.variable
        if isinstance(node, Product):
            waiting += [factor for _, factor in node.factors]
    raise AssertionError("the meaning of an integral was read before its numbers")
