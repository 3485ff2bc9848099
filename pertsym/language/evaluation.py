r"""Equations of numbers, matrices and superoperators in LaTeX, evaluated with what they speak of.

The language of spectra (`pertsym.language.decide`) is exact and knows Ĉ, P and J.  Here names stand
for values, and an equation holds if its sides agree at every point: commutators, traces, sums over
indices, integrals, |n><m|, matrices of two rows, eigenvalues, roots.  What is not understood is a
fault, never skipped.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar

import numpy as np
import sympy
from scipy.linalg import expm

from pertsym.language.reader import (
    NotRead,
    Reader,
    Tokens,
    each_equation,
    instances,
    parts_between,
    tokens,
)

# Not zero: `sympy.N` raises its precision to 15 digits of what is not zero, and leaves of what is
# zero a number far below this; what is not above it is not refuted, and simplified
_SURELY = 1e-6
_PANELS = np.array([0.0, *(2.0**-k for k in range(20, 1, -1)), *np.linspace(0.5, 1, 5)])


FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    r"\cos": np.cos, r"\sin": np.sin, r"\tanh": np.tanh, r"\ln": np.log, r"\sinh": np.sinh,
    r"\coth": lambda x: 1 / np.tanh(x), r"\cot": lambda x: 1 / np.tan(x),
    r"\mathrm{sech}": lambda x: 1 / np.cosh(x),
    r"\mathrm{Re}": np.real, r"\mathrm{Im}": np.imag, r"\mathrm{Tr}": np.trace,
}  # fmt: skip
"""What `Values` knows without being told."""


def acting(matrix: Any) -> Callable[[Any], Any]:
    """The superoperator with this matrix over row-major vec, as a function of `Values`."""
    size = math.isqrt(matrix.shape[0])
    return lambda x: (matrix @ np.reshape(x, -1)).reshape(size, size)


def dissipator(jump: Any) -> Callable[[Any], Any]:
    r"""``\mathcal D[L]``: x -> L x L^+ - (L^+ L x + x L^+ L)/2."""
    back = jump.conj().T @ jump
    return lambda x: jump @ x @ jump.conj().T - (back @ x + x @ back) / 2


@dataclass(frozen=True)
class Values:
    r"""What names stand for, at one point or several: reads LaTeX and says what is wrong with it.

    Attributes
    ----------
    points
        Name in LaTeX -> number, matrix, or function of these (a superoperator).  A function takes
        what stands in brackets behind it, or the factors on its right.
    indices
        Letter -> the integers for all of which an equation is to hold, or over which sums without
        limits run.
    tolerance
        Of the difference of two sides, relative to the largest term that occurs.
    written
        A piece that stands for several, such as ``\pm``: a formula is read once for each.
    """

    points: Sequence[Mapping[str, Any]]
    indices: Mapping[str, Sequence[int]] = field(default_factory=dict)
    tolerance: float = 1e-9
    written: Mapping[str, Sequence[str]] = field(default_factory=dict)
    reader: ClassVar[Any]

    @property
    def digits(self) -> int | None:
        """To which equations hold at the points; None where that was decided exactly."""
        return -round(math.log10(self.tolerance))

    def __call__(self, latex: str) -> str:
        """What is wrong with the equations of a formula; "" if nothing is."""
        try:
            each = (tokens(part) for part in each_equation(latex, self.written))
            for equation in (one for part in each for one in parts_between(part, ";")):
                for point in self.points:
                    named = {**self.reader.functions, **point}
                    fault = self._fault(equation, {tokens(n): v for n, v in named.items()})
                    if fault:
                        return fault
        except (ArithmeticError, IndexError, TypeError, ValueError) as fault:  # NotRead is one
            return f"cannot be evaluated: {fault}"
        return ""

    def _fault(self, equation: Tokens, names: Mapping[Tokens, Any]) -> str:
        unequal: list[Tokens] = []
        if equation[-1:] == (")",) and equation[-3:-2] == (r"\ne",):  # (n \ne m) at the end
            unequal, equation = [(equation[-4], equation[-2])], equation[:-5]
        groups = [(index,) for index in self.indices]
        for at, found in instances(equation, groups, self.indices, names):
            if any(at[a] == at[b] for a, b in unequal):
                continue
            reader = self.reader((), names, self.indices)
            sides = list(map(reader.inner, found))
            for other in sides[1:]:
                apart = reader.apart(_plus(sides[0], _times(-1, other)), self.tolerance)
                if apart:
                    where = "".join(f", {i} = {n}" for i, n in at.items())
                    return f"sides differ by {apart}{where}"
        return ""


SYMBOLIC: Mapping[str, Callable[[Any], Any]] = {
    r"\cos": sympy.cos, r"\sin": sympy.sin, r"\tanh": sympy.tanh, r"\ln": sympy.log,
    r"\sinh": sympy.sinh, r"\coth": sympy.coth, r"\cot": sympy.cot,
    r"\mathrm{sech}": sympy.sech,
    r"\mathrm{Re}": sympy.re, r"\mathrm{Im}": sympy.im, r"\mathrm{Tr}": np.trace,
}  # fmt: skip
INTEGRAL = sympy.Symbol(r"\int", real=True)
"""Multiplies an integrand: integrals over one variable are equal if these are."""


@dataclass(frozen=True)
class Symbols(Values):
    """The same exactly, of SymPy expressions, `pertsym.oscillator.weyl`, exact numbers, matrices.

    The variable of an integral needs a value, the symbol in the integrands.
    """

    @property
    def digits(self) -> None:
        """Nothing is rounded."""
        return None


class _Reader(Reader):
    """Evaluates one side after the other; `largest` is the size of the largest term of a sum."""

    functions = FUNCTIONS
    constants: Mapping[str, Any] = {"i": 1j, "e": np.e, r"\pi": np.pi}
    entries: type = complex

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.largest = [0.0]

    def noted(self, value: Any) -> None:
        if not callable(value):
            self.largest[0] = max(self.largest[0], _norm(value))

    def apart(self, gap: Any, tolerance: float) -> str:
        """By how much two sides differ, "" if they do not."""
        size = _norm(gap)
        if size <= tolerance * max(self.largest[0], 1e-300):
            return ""
        return f"{size:.3g} (terms of {self.largest[0]:.3g})"

    def integral(self) -> Any:
        """Over a variable whose measure follows the limits, by Gauss-Legendre panels.

        They are graded towards the lower end and, in 1/x, towards infinity.
        """
        below, above = self.script("_"), self.script("^")
        if self.peek() != "d" or not below or not above:
            raise NotRead("an integral has two limits and, behind them, its measure")
        variable, body = self.measure(), self.rest()
        low = float(np.real(self.inner(below)))

        def integrand(x: float) -> Any:
            return _Reader(body, {**self.names, variable: x}, self.indices).whole()

        if above == (r"\infty",):
            return _plus(
                _panels(integrand, low + _PANELS),
                _panels(lambda u: integrand(low + 1 / u) / u**2, _PANELS),
            )
        return _panels(integrand, np.linspace(low, float(np.real(self.inner(above))), 3))

    def factor(self) -> Any:
        value = self.primary()
        while True:
            if callable(value) and self.peek() in ("(", "["):
                value = value(*self.arguments())
            elif script := self.script("^"):
                value = self.power(value, script)
            elif self.peek() == "_" and not callable(value) and np.ndim(value):
                value = value[tuple(int(t) for t in self.script("_") if t != ",")]
            else:
                return value

    def power(self, value: Any, script: Tokens) -> Any:
        if script == ("*",):
            return np.conj(value)
        if script == (r"\dagger",):
            return np.conj(value).T
        exponent = self.inner(script)
        if np.ndim(exponent) == 2:
            return expm(np.log(value) * exponent)
        if np.ndim(value) == 2:
            return np.linalg.matrix_power(value, int(exponent))
        return value**exponent

    def has_indices(self, value: Any) -> bool:
        return np.ndim(value) > 0

    def special(self) -> Any:
        token = self.peek()
        if token in (r"\sum", r"\prod"):
            value = self.folded(_plus if self.next() == r"\sum" else _times)
            return 0 if value is None else value
        if self.take(r"\int"):
            return self.integral()
        if self.take(r"\matrix"):
            return np.array(self.cells())
        if self.take("|"):  # |n><m|
            n = self.level()
            self.need(r"\rangle")
            self.need(r"\langle")
            m = self.level()
            self.need("|")
            size = next(len(v) for v in self.names.values() if np.ndim(v) == 2)
            dyad: Any = np.zeros((size, size), dtype=self.entries)
            dyad[n, m] = 1
            return dyad
        if self.take(r"\langle"):  # <n|X|m>
            n = self.level()
            self.need("|")
            end = self.source.index("|", self.at)
            inner, self.at = self.inner(self.source[self.at : end]), end + 1
            m = self.level()
            self.need(r"\rangle")
            return inner[n, m]
        if self.take(r"\sqrt"):
            return self.root(self.argument())
        return self.constants[self.next()] if token in self.constants else None

    def root(self, value: Any) -> Any:
        return np.sqrt(complex(value))

    def level(self) -> int:
        """The digit of a state."""
        if not self.peek().isdigit():
            self.fail("the number of a level is expected here")
        return int(self.next())

    def number(self, digits: str) -> Any:
        return float(digits) if "." in digits else int(digits)

    def plus(self, a: Any, b: Any) -> Any:
        return _plus(a, b)

    def times(self, a: Any, b: Any) -> Any:
        return _times(a, b)

    def over(self, above: Any, below: Any) -> Any:
        return _times(1 / below, above)


class _Symbolic(_Reader):
    """Decides whether a difference is zero."""

    functions = SYMBOLIC
    constants: Mapping[str, Any] = {"i": sympy.I, "e": sympy.E, r"\pi": sympy.pi}
    entries: type = object

    def noted(self, value: Any) -> None:
        pass

    def apart(self, gap: Any, tolerance: float) -> str:
        if callable(gap):
            raise NotRead("a superoperator stands alone; let it act on something")
        for entry in np.asarray(gap, dtype=object).flat:
            for z in getattr(entry, "terms", {"": entry}).values():
                rest = _rest(z) if isinstance(z, int | sympy.Basic) else z
                if rest:
                    return str(rest)
        return ""

    def integral(self) -> Any:
        if (self.script("_"), self.script("^")) != (("0",), (r"\infty",)):
            raise NotRead("integrals go from 0 to infinity")
        self.measure()
        return INTEGRAL * self.inner(self.rest())

    def root(self, value: Any) -> Any:
        return sympy.sqrt(value)

    def number(self, digits: str) -> Any:
        return sympy.Rational(digits)


Values.reader, Symbols.reader = _Reader, _Symbolic


def _rest(z: Any) -> Any:
    """0 if that is what an expression is."""
    z = sympy.expand(sympy.sympify(z))  # decides most, fast
    if _refuted(z):
        return z
    rest = sympy.cancel(sympy.together(sympy.expand(sympy.expand_trig(z).rewrite(sympy.exp))))
    return sympy.simplify(rest) if rest != 0 else 0


def _refuted(value: sympy.Expr) -> bool:
    """Whether its number at a random point shows that an expression is not zero."""
    draw = random.Random(1)
    names = sorted(value.free_symbols, key=str)
    number = sympy.N(value.xreplace({x: sympy.Rational(draw.randint(9, 99), 70) for x in names}))
    return bool(number.is_number and abs(number) > _SURELY)


def _panels(integrand: Any, edges: Any) -> Any:
    nodes, weights = np.polynomial.legendre.leggauss(14)
    total: Any = None
    for a, b in pairwise(edges):
        for x, w in zip(nodes, weights, strict=True):
            part = (b - a) / 2 * w * integrand((a + b + (b - a) * x) / 2)
            total = part if total is None else total + part
    return total


def _times(a: Any, b: Any) -> Any:
    if callable(a):
        return (lambda *x: _times(a, b(*x))) if callable(b) else a(b)
    if callable(b):
        return lambda *x: _times(a, b(*x))
    return a @ b if np.ndim(a) == 2 and np.ndim(b) >= 1 else a * b


def _plus(a: Any, b: Any) -> Any:
    if callable(a) or callable(b):
        return lambda x: _plus(_times(a, x), _times(b, x))
    if np.ndim(a) == 2 and not np.ndim(b):
        return a + b * np.eye(len(a))
    return _plus(b, a) if np.ndim(b) == 2 and not np.ndim(a) else a + b


def _norm(value: Any) -> float:
    if callable(value):
        raise NotRead("a superoperator stands alone; let it act on something")
    return float(np.max(np.abs(value)))
