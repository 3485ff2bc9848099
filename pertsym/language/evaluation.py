r"""Equations of numbers, matrices and superoperators in LaTeX, evaluated with what they speak of.

The language of spectra (`pertsym.language.decide`) is exact and knows Ĉ, P and J.  Here names stand
for values, and an equation holds if its sides agree at every point: commutators, traces, sums over
indices, integrals, |n><m|, matrices of two rows, eigenvalues, roots.  What is not understood is a
fault, never skipped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import expm

from pertsym.language.equations import NotRead
from pertsym.language.tokens import (
    CLOSING,
    ENDS,
    Tokens,
    end_of_term,
    goes_on,
    group_at,
    matching,
    parts_between,
    script_at,
    substituted,
    sum_indices,
    tokens,
)

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
    """What names stand for, at one point or several: reads LaTeX and says what is wrong with it.

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
    """

    points: Sequence[Mapping[str, Any]]
    indices: Mapping[str, Sequence[int]] = field(default_factory=dict)
    tolerance: float = 1e-9

    @property
    def digits(self) -> int:
        """To which equations hold at the points."""
        return -round(math.log10(self.tolerance))

    def __call__(self, latex: str) -> str:
        """What is wrong with the equations of a formula; "" if nothing is."""
        try:
            for equation in parts_between(tokens(latex), ";"):
                for point in self.points:
                    named = {**FUNCTIONS, **point}
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
        bound = {letter for group in sum_indices(equation) for letter in group}
        free = [i for i in self.indices if i in equation and i not in bound]
        for chosen in product(*(self.indices[i] for i in free)):
            at = dict(zip(free, chosen, strict=True))
            if any(at[a] == at[b] for a, b in unequal):
                continue
            reader = _Reader(_Context(names, self.indices))
            sides = [reader.whole(s) for s in parts_between(substituted(equation, at, names), "=")]
            if len(sides) < 2:
                raise NotRead("there is no equation: an equals sign is missing")
            for other in sides[1:]:
                apart = _norm(_plus(sides[0], _times(-1, other)))
                if not apart <= self.tolerance * max(reader.largest, 1e-300):
                    where = "".join(f", {i} = {n}" for i, n in at.items())
                    return f"sides differ by {apart:.3g} (terms of {reader.largest:.3g}{where})"
        return ""


class _Context(NamedTuple):
    names: Mapping[Tokens, Any]
    indices: Mapping[str, Sequence[int]]


class _Reader:
    """Evaluates one side after the other; `largest` is the size of the largest term of a sum."""

    def __init__(self, context: _Context) -> None:
        self.context = context
        self.largest = 0.0
        self.longest = sorted(context.names, key=lambda name: -len(name))

    def whole(self, source: Tokens) -> Any:
        value, at = self.sum(source, 0)
        if at < len(source):
            raise NotRead(f"not understood from here: {' '.join(source[at : at + 12])}")
        return value

    def sum(self, source: Tokens, at: int) -> tuple[Any, int]:
        total: Any = None
        while True:
            sign = 1
            if at < len(source) and source[at] in "+-":
                sign = -1 if source[at] == "-" else 1
                at += 1
            value, at = self.term(source, at)
            value = _times(sign, value)
            if not callable(value):
                self.largest = max(self.largest, _norm(value))
            total = value if total is None else _plus(total, value)
            if at >= len(source) or source[at] not in ("+", "-"):
                return total, at

    def term(self, source: Tokens, at: int) -> tuple[Any, int]:
        factors = []
        while at < len(source) and source[at] not in ENDS:
            if source[at] in (r"\cdot", r"\times", r"\otimes"):
                at += 1
            elif source[at] == "/":
                value, at = self.factor(source, at + 1)
                factors.append(1 / value)
            elif source[at] in (r"\sum", r"\prod"):
                value, at = self.over_indices(source, at)
                factors.append(value)
            elif source[at] == r"\int":
                value, at = self.integral(source, at)
                factors.append(value)
            else:
                value, at = self.factor(source, at)
                factors.append(value)
        if not factors:
            raise NotRead(f"a term is missing before: {' '.join(source[at : at + 8]) or 'the end'}")
        total = factors[-1]
        for value in reversed(factors[:-1]):  # what stands left acts on what stands right
            total = _times(value, total)
        return total, at

    def over_indices(self, source: Tokens, at: int) -> tuple[Any, int]:
        head, (below, at) = source[at], script_at(source, at + 1, "_")
        above, at = script_at(source, at, "^")
        end = end_of_term(source, at)
        body, total = source[at:end], None
        for assignment in self._assignments(below, above):
            value = self.whole(substituted(body, assignment, self.context.names))
            if not callable(value):
                self.largest = max(self.largest, _norm(value))
            join = _plus if head == r"\sum" else _times
            total = value if total is None else join(total, value)
        return (0 if total is None else total), end

    def _assignments(self, below: Tokens, above: Tokens) -> Iterator[dict[str, int]]:
        letter, *start = parts_between(below, "=")
        if start:
            first, last = (int(self.whole(side)) for side in (start[0], above))
            yield from ({letter[0]: n} for n in range(first, last + 1))
            return
        letters = [t for t in below if t != ","]
        unknown = [t for t in letters if t not in self.context.indices]
        if unknown or not letters:
            raise NotRead(f"a sum over {' '.join(below)}: its index has no range")
        for chosen in product(*(self.context.indices[i] for i in letters)):
            yield dict(zip(letters, chosen, strict=True))

    def integral(self, source: Tokens, at: int) -> tuple[Any, int]:
        """Over a variable whose measure follows the limits, by Gauss-Legendre panels.

        They are graded towards the lower end and, in 1/x, towards infinity.
        """
        below, at = script_at(source, at + 1, "_")
        above, at = script_at(source, at, "^")
        if source[at : at + 1] != ("d",) or not below or not above:
            raise NotRead("an integral has two limits and, behind them, its measure")
        end = at + (4 if source[at + 2 : at + 3] == ("_",) else 2)
        variable, body = source[at + 1 : end], source[end : end_of_term(source, end)]
        low = float(np.real(self.whole(below)))
        far = above == (r"\infty",)
        high = np.inf if far else float(np.real(self.whole(above)))

        def integrand(x: float) -> Any:
            names = {**self.context.names, variable: x}
            return _Reader(_Context(names, self.context.indices)).whole(body)

        if far:
            total = _plus(
                _panels(integrand, low + _PANELS),
                _panels(lambda u: integrand(low + 1 / u) / u**2, _PANELS),
            )
        else:
            total = _panels(integrand, np.linspace(low, high, 3))
        return total, end_of_term(source, end)

    def factor(self, source: Tokens, at: int) -> tuple[Any, int]:
        value, at = self.primary(source, at)
        while at < len(source):
            if callable(value) and source[at] in ("(", "["):
                arguments, at = self.arguments(source, at)
                value = value(*arguments)
            elif source[at] == "^":
                script, at = script_at(source, at, "^")
                value = self.power(value, script)
            elif source[at] == "_" and not callable(value) and np.ndim(value):
                script, at = script_at(source, at, "_")
                value = value[tuple(int(t) for t in script if t != ",")]
            else:
                break
        return value, at

    def arguments(self, source: Tokens, at: int) -> tuple[list[Any], int]:
        end = matching(source, at)
        return [self.whole(part) for part in parts_between(source[at + 1 : end], ",")], end + 1

    def power(self, value: Any, script: Tokens) -> Any:
        if script == ("*",):
            return np.conj(value)
        if script == (r"\dagger",):
            return np.conj(value).T
        exponent = self.whole(script)
        if np.ndim(exponent) == 2:
            return expm(np.log(value) * exponent)
        if np.ndim(value) == 2:
            return np.linalg.matrix_power(value, int(exponent))
        return value**exponent

    def primary(self, source: Tokens, at: int) -> tuple[Any, int]:
        for name in self.longest:
            value, after = self.context.names[name], at + len(name)
            if source[at:after] == name and not goes_on(source, after, np.ndim(value) > 0):
                return value, after
        token = source[at]
        if token.isdigit():
            end = at
            while end < len(source) and (source[end].isdigit() or source[end] == "."):
                end += 1
            text = "".join(source[at:end])
            return (float(text) if "." in text else int(text)), end
        if token in (r"\frac", r"\tfrac"):
            (above, at), parts = group_at(source, at + 1), []
            below, at = group_at(source, at)
            parts = [self.whole(above), self.whole(below)]
            return _times(1 / parts[1], parts[0]), at
        if token == r"\matrix":
            inside, at = group_at(source, at + 1)
            found, k = [], 0
            while k < len(inside):
                entry, k = group_at(inside, k)
                found.append(self.whole(entry))
            return np.array(found).reshape(2, -1), at
        if token == "|":  # |n><m|
            n, m = int(source[at + 1]), int(source[at + 4])
            size = next(len(v) for v in self.context.names.values() if np.ndim(v) == 2)
            dyad = np.zeros((size, size), dtype=complex)
            dyad[n, m] = 1
            return dyad, at + 6
        if token == r"\langle":  # <n|X|m>
            end = source.index("|", at + 3)
            inner = self.whole(source[at + 3 : end])
            return inner[int(source[at + 1]), int(source[end + 1])], end + 3
        if token == r"\sqrt":
            inside, at = group_at(source, at + 1)
            return np.sqrt(complex(self.whole(inside))), at
        if token in CLOSING:
            parts, after = self.arguments(source, at)
            if len(parts) == 1:
                return parts[0], after
            if len(parts) == 2 and token in ("[", r"\{"):
                a, b = parts
                return _plus(_times(a, b), _times(-1 if token == "[" else 1, _times(b, a))), after
            raise NotRead(f"brackets with {len(parts)} parts")
        constants = {"i": 1j, "e": np.e, r"\pi": np.pi}
        if token in constants:
            return constants[token], at + 1
        raise NotRead(f"no value for: {' '.join(source[at : at + 8])}")


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
