r"""Formulas with operators: LaTeX read into a function of its names, tried on numbers.

What stands side by side is a product of matrices, [a, b] and \{a, b\} are commutator and
anticommutator, a superoperator acts on all that follows it in its term, |n>\langle m| is a matrix,
and X_{nm} an element.  Sums over indices, integrals, exponentials of matrices and 2 x 2 literals
are understood.  The names stand for what a derivation has derived, evaluated at random numbers: two
sides that differ there are different, two that agree there, for every value of the indices, are
taken for equal.  Nothing is ignored: what is not understood is an error with its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from pertsym.language.syntax import FormulaError

Value = Any
"""A complex number, a matrix or a `Super`."""
Names = Mapping[str, Value]
Meaning = Callable[[Names], Value]

_TOKEN: Final = re.compile(r"\\begin\{pmatrix\}|\\end\{pmatrix\}|\\[A-Za-z]+|\\\S|\d+(?:\.\d+)?|\S")
_SKIP: Final = {r"\left", r"\right", r"\,", r"\!", r"\;", r"\quad", r"\qquad", r"\bigl", r"\bigr"}
_FONTS: Final = (r"\mathcal", r"\mathrm", r"\text", r"\tilde", r"\bar", r"\dot", r"\hat")
_OPEN: Final = {"(": ")", "[": "]", r"\{": r"\}", "{": "}"}
_CALLS: Final[Mapping[str, Callable[[Value], Value]]] = {
    r"\cos": np.cos, r"\sin": np.sin, r"\tanh": np.tanh, r"\ln": np.log, r"\sqrt": np.sqrt,
    r"\coth": lambda x: 1 / np.tanh(x), r"\cot": lambda x: 1 / np.tan(x),
    r"\mathrm{Re}": np.real, r"\mathrm{Im}": np.imag, r"\mathrm{sech}": lambda x: 1 / np.cosh(x),
    r"\mathrm{Tr}": np.trace,
}  # fmt: skip
TOLERANCE: Final = 1e-9
"""Relative difference up to which two sides are taken for equal."""


@dataclass(frozen=True)
class Super:
    """A linear map of matrices."""

    act: Callable[[Value], Value]

    def __call__(self, x: Value) -> Value:
        return self.act(x)

    @classmethod
    def of(cls, matrix: NDArray[Any]) -> Super:
        """The map with this matrix over row-major vec."""
        return cls(lambda x: (matrix @ x.reshape(-1)).reshape(x.shape))


def times(a: Value, b: Value) -> Value:
    """a b; a superoperator acts."""
    if isinstance(a, Super):
        if isinstance(b, Super):
            return Super(lambda x: a(b(x)))
        return a(b) if np.ndim(b) else Super(lambda x: b * a(x))
    if isinstance(b, Super):
        return Super(lambda x: a * b(x))
    return a @ b if np.ndim(a) == 2 and np.ndim(b) == 2 else a * b


def plus(a: Value, b: Value) -> Value:
    """a + b; a number beside something else is a multiple of one."""
    if isinstance(a, Super) or isinstance(b, Super):
        return Super(lambda x: times(a, x) + times(b, x))
    if np.ndim(a) != np.ndim(b):
        a, b = (x if np.ndim(x) else x * np.eye(len(a if np.ndim(a) else b)) for x in (a, b))
    return a + b


@dataclass(frozen=True)
class Vocabulary:
    """What the names of a source's formulas stand for, at one set of random numbers.

    Attributes
    ----------
    values
        Names in LaTeX, without blanks and superfluous braces -> number, vector, matrix or `Super`.
        X_{nm} is element (n, m) of X_ or of X, unless it is a name of its own.
    functions
        Heads of calls -> (number of primes, arguments) -> value; X[...] of a head is a call too.
    indices
        Letters -> how many values each has.
    size
        Dimension of matrices.
    block
        How much of a matrix is compared; the rest suffers from the truncation of a Fock space.
    """

    values: Mapping[str, Value]
    functions: Mapping[str, Callable[..., Value]] = field(default_factory=dict)
    indices: Mapping[str, int] = field(default_factory=dict)
    size: int = 1
    block: int | None = None

    def difference(self, latex: str) -> float:
        """The largest relative difference between the sides of an equation, or a chain of them.

        Raises
        ------
        FormulaError
            If it is not understood, or has one side only.
        """
        parser = _Parser(latex, self)
        sides, unequal = parser.equation()
        letters = [x for x in self.indices if x in parser.used]
        worst, tried = 0.0, 0
        for chosen in product(*(range(self.indices[x]) for x in letters)):
            at = dict(zip(letters, chosen, strict=True))
            if any(at[a] == at[b] for a, b in unequal):
                continue
            tried += 1
            found = [self._shown(side({**self.values, **at})) for side in sides]
            scale = max(1e-30, *(float(np.max(np.abs(x))) for x in found))
            for x in found[1:]:
                if np.ndim(x) != np.ndim(found[0]):
                    x, first = plus(x, 0 * found[0]), plus(found[0], 0 * x)
                else:
                    first = found[0]
                gap = float(np.max(np.abs(x - first)))
                worst = max(worst, gap / scale if np.isfinite(gap) else np.inf)
        if not tried:
            raise FormulaError("no value of its indices is left to compare", latex, 0)
        return worst

    def _shown(self, value: Value) -> Value:
        if isinstance(value, Super):
            random = np.random.default_rng(7)
            value = value(random.normal(size=(self.size, self.size)) + 0j)
        return value[: self.block, : self.block] if self.block and np.ndim(value) == 2 else value


_GRADED: Final = np.array([0.0, *(2.0**-k for k in range(20, 1, -1)), *np.linspace(0.5, 1, 5)])


def _integral(body: Callable[[float], Value], low: float, high: float) -> Value:
    """Gauss-Legendre on [low, high]; to infinity in two pieces, the far one in 1/x."""
    if np.isinf(high):
        far = _panels(lambda u: body(low + 1 / u) / u**2, 0.0, _GRADED)
        return _panels(body, low, _GRADED) + far
    return _panels(body, low, (high - low) * np.linspace(0, 1, 3))


def _panels(body: Callable[[float], Value], low: float, edges: NDArray[np.float64]) -> Value:
    nodes, weights = np.polynomial.legendre.leggauss(16)
    total: Value = 0
    for a, b in pairwise(edges):
        for x, w in zip(nodes, weights, strict=True):
            total = total + (b - a) / 2 * w * body(float(low + (a + b + (b - a) * x) / 2))
    return total


class _Parser:
    """Recursive descent over the tokens of one formula."""

    def __init__(self, source: str, words: Vocabulary) -> None:
        self.source, self.words = source, words
        found = [(m[0], m.start()) for m in _TOKEN.finditer(source)]
        self.tokens = [t for t, _ in found if t not in _SKIP]
        self.places = [at for t, at in found if t not in _SKIP] + [len(source)]
        self.i = 0
        self.used: set[str] = set()
        self.bound: list[str] = []

    @property
    def next(self) -> str:
        return self.tokens[self.i] if self.i < len(self.tokens) else ""

    def fail(self, problem: str) -> FormulaError:
        return FormulaError(problem, self.source, self.places[min(self.i, len(self.places) - 1)])

    def take(self, wanted: str = "") -> str:
        token = self.next
        if wanted and token != wanted:
            raise self.fail(f"{wanted!r} is missing")
        self.i += 1
        return token

    def equation(self) -> tuple[list[Meaning], list[tuple[str, str]]]:
        """The sides, and pairs of indices that must differ: "(n \\ne m)" at the end."""
        unequal: list[tuple[str, str]] = []
        if len(self.tokens) > 5 and self.tokens[-3] == r"\ne" and self.tokens[-1] == ")":
            unequal.append((self.tokens[-4], self.tokens[-2]))
            del self.tokens[-5:]
        sides = [self.sum()]
        while self.next in ("=", r"\equiv"):
            self.take()
            sides.append(self.sum())
        if self.next:
            raise self.fail(f"{self.next!r} is not understood here")
        if len(sides) < 2:
            raise self.fail("an equation has two sides")
        return sides, unequal

    def sum(self) -> Meaning:
        terms: list[tuple[int, Meaning]] = []
        sign = 1
        if self.next in "+-" and self.next:
            sign = -1 if self.take() == "-" else 1
        terms.append((sign, self.term()))
        while self.next and self.next in "+-":
            sign = -1 if self.take() == "-" else 1
            terms.append((sign, self.term()))

        def meaning(names: Names) -> Value:
            total = times(terms[0][0], terms[0][1](names))
            for sign, term in terms[1:]:
                total = plus(total, times(sign, term(names)))
            return total

        return terms[0][1] if len(terms) == 1 and terms[0][0] > 0 else meaning

    def starts(self) -> bool:
        """Whether a factor begins here."""
        t = self.next
        closing = (")", "]", r"\}", "}", "+", "-", "=", ",", "&", "/", r"\\", r"\rangle")
        stop = (*closing, r"\end{pmatrix}", r"\equiv", r"\ne", r"\to", r"\approx", r"\propto")
        return bool(t) and t not in stop

    def term(self) -> Meaning:
        factors = [self.factor()]
        while True:
            if self.next == "/":
                self.take()
                factors.append(_inverse(self.factor()))
            elif self.starts():
                factors.append(self.factor())
            else:
                break

        return factors[0] if len(factors) == 1 else _product(factors)

    def factor(self) -> Meaning:
        value = self.atom()
        while self.next in ("^", "_"):
            value = self.raised(value) if self.take() == "^" else self.element(value)
        return value

    def raised(self, base: Meaning) -> Meaning:
        if self.next == r"\dagger" or self.tokens[self.i : self.i + 3] == ["{", r"\dagger", "}"]:
            self.i += 1 if self.next == r"\dagger" else 3
            return lambda names: base(names).conj().T
        if self.next in ("*",):
            self.take()
            return lambda names: np.conj(base(names))
        exponent = self.group() if self.next == "{" else self.atom()

        def meaning(names: Names) -> Value:
            value, n = base(names), exponent(names)
            if np.ndim(value) == 2:
                return np.linalg.matrix_power(value, int(np.real(n)))
            return value**n

        return meaning

    def indices(self) -> list[str]:
        raw = self.raw()
        if not all(x.isdigit() or x in self.words.indices for x in raw):
            known = ", ".join(self.words.indices)
            raise self.fail(f"{''.join(raw)}: indices are {known} or digits")
        self.used.update(x for x in raw if not x.isdigit() and x not in self.bound)
        return [d for x in raw for d in (x if x.isdigit() else [x])]

    def element(self, base: Meaning) -> Meaning:
        letters = self.indices()

        def meaning(names: Names) -> Value:
            at = tuple(int(x) if x.isdigit() else names[x] for x in letters)
            value = base(names)
            if np.ndim(value) != len(at):
                raise FormulaError(f"{len(at)} indices where {np.ndim(value)} are needed",
                                   self.source, 0)  # fmt: skip
            return value[at]

        return meaning

    def raw(self) -> list[str]:
        """The tokens of a subscript."""
        if self.next != "{":
            return [self.take()]
        start, depth = self.i + 1, 0
        while self.next:
            depth += {"{": 1, "}": -1}.get(self.take(), 0)
            if not depth:
                return self.tokens[start : self.i - 1]
        raise self.fail("a bracket is not closed")

    def group(self) -> Meaning:
        """What stands in brackets; with a comma, a commutator or an anticommutator."""
        opened = self.take()
        first = self.sum()
        if self.next == "," and opened in ("[", r"\{"):
            self.take()
            second, sign = self.sum(), -1 if opened == "[" else 1
            self.take(_OPEN[opened])
            return lambda names: _bracket(first(names), second(names), sign)
        self.take(_OPEN[opened])
        return first

    def name(self) -> str:
        token = self.take()
        if token in _FONTS:
            inner = "".join(self.raw())
            token = f"{token}{{{inner}}}" if token in (r"\mathrm", r"\text") else token + inner
        return token

    def atom(self) -> Meaning:
        token = self.next
        if token in _OPEN:
            return self.group()
        if token and token[0].isdigit():
            number = float(self.take())
            return lambda names: number
        special = {
            r"\frac": self.fraction, r"\tfrac": self.fraction, r"\sum": self.total,
            r"\int": self.integral, "|": self.outer, r"\langle": self.inner,
            r"\begin{pmatrix}": self.literal,
        }  # fmt: skip
        if token in special:
            return special[token]()
        if token == "e" and self.tokens[self.i + 1 : self.i + 2] == ["^"]:
            self.i += 2
            exponent = self.group() if self.next == "{" else self.atom()
            return lambda names: _exponential(exponent(names))
        if not self.starts() or token in ("^", "_", "'"):
            raise self.fail(f"{token or 'the end'!r} is not understood here")
        return self.named()

    def named(self) -> Meaning:
        start = self.i
        key = self.name()
        if key in _CALLS:
            power = 1.0
            if self.next == "^":
                self.take()
                power = float("".join(self.raw()))
            argument, call = self.argument(), _CALLS[key]
            return lambda names: call(argument(names)) ** power
        for separator in ("_", "^"):
            if self.next == separator:
                back = self.i
                self.take()
                longer = f"{key}{separator}{''.join(self.raw())}"
                if self.known(longer):
                    key = longer
                else:
                    self.i = back
        primes = 0
        while self.next == "'":
            self.take()
            primes += 1
        if key in self.words.functions and self.next in ("(", "["):
            function, arguments = self.words.functions[key], self.arguments()
            return lambda names: function(primes, *(x(names) for x in arguments))
        if self.next == "_" and key + "_" in self.words.values:
            key += "_"
        if primes or not (key in self.words.values or key in self.bound):
            self.i = start
            raise self.fail(f"{key} is not known")
        if key in self.words.indices:
            self.used.add(key)
        if self.next == "[" and isinstance(self.words.values.get(key), Super):
            argument = self.group()
            return lambda names: times(names[key], argument(names))
        return lambda names: names[key]

    def arguments(self) -> list[Meaning]:
        closing, found = _OPEN[self.take()], [self.sum()]
        while self.next == ",":
            self.take()
            found.append(self.sum())
        self.take(closing)
        return found

    def known(self, key: str) -> bool:
        return key in self.words.values or key in self.words.functions or key in self.bound

    def argument(self) -> Meaning:
        """Of a function without brackets: what follows, up to the next function."""
        if self.next in _OPEN:
            return self.factor() if self.next != "{" else self.group()
        factors = []
        while self.starts() and self.next not in (*_CALLS, "[", "("):
            factors.append(self.factor())
            if self.next == "/":
                self.take()
                factors.append(_inverse(self.factor()))
        if not factors:
            raise self.fail("a function without an argument")
        return _product(factors)

    def fraction(self) -> Meaning:
        self.take()
        above = self.group() if self.next == "{" else self.digit()
        below = self.group() if self.next == "{" else self.digit()
        return lambda names: times(1 / below(names), above(names))

    def digit(self) -> Meaning:
        """The 1 and the 2 of \\frac12, or the i of \\frac i2."""
        token = self.next
        if token[:1].isdigit() and len(token) == 2:
            self.tokens[self.i] = token[1]
            value = float(token[0])
            return lambda names: value
        return self.atom()

    def total(self) -> Meaning:
        self.take()
        self.take("_")
        raw = self.raw()
        letters = [x for x in raw if x in self.words.indices]
        differ = r"\ne" in raw
        first = 0
        if "=" in raw:
            first = int(raw[-1])
        elif len(letters) + differ != len(raw):
            raise self.fail(f"{''.join(raw)}: indices are {', '.join(self.words.indices)}")
        if self.next == "^":
            self.take()
            self.raw()
        self.bound += letters
        body = self.term()
        del self.bound[len(self.bound) - len(letters) :]
        counts = [range(first, self.words.indices[x]) for x in letters]

        def meaning(names: Names) -> Value:
            value: Value = 0
            for chosen in product(*counts):
                if differ and len(set(chosen)) < len(chosen):
                    continue
                part = body({**names, **dict(zip(letters, chosen, strict=True))})
                value = part if isinstance(value, int) else plus(value, part)
            return value

        return meaning

    def integral(self) -> Meaning:
        self.take()
        limits: dict[str, Meaning] = {}
        while self.next in ("_", "^"):
            side = self.take()
            if self.next == r"\infty":
                self.take()
                limits[side] = lambda names: np.inf
            else:
                limits[side] = self.group() if self.next == "{" else self.atom()
        if len(limits) < 2:
            raise self.fail("an integral needs both limits")
        self.take("d")
        variable = self.name()
        if self.next == "_":
            self.take()
            variable += "_" + "".join(self.raw())
        self.bound.append(variable)
        body = self.term()
        self.bound.pop()

        def meaning(names: Names) -> Value:
            low, high = (float(np.real(limits[side](names))) for side in "_^")
            return _integral(lambda x: body({**names, variable: x}), low, high)

        return meaning

    def level(self) -> Meaning:
        token = self.take()
        if token not in self.words.indices and not token.isdigit():
            raise self.fail(f"{token} is no level")
        self.used.update({token} if token in self.words.indices and token not in self.bound else ())
        return lambda names: int(token) if token.isdigit() else names[token]

    def outer(self) -> Meaning:
        """|n><m|."""
        self.take("|")
        left = self.level()
        for token in (r"\rangle", r"\langle"):
            self.take(token)
        right = self.level()
        self.take("|")

        def meaning(names: Names) -> Value:
            result = np.zeros((self.words.size, self.words.size), dtype=complex)
            result[left(names), right(names)] = 1
            return result

        return meaning

    def inner(self) -> Meaning:
        """<n|X|m>."""
        self.take(r"\langle")
        left = self.level()
        self.take("|")
        depth = self.tokens.index("|", self.i)
        middle = _Parser(self.source, self.words)
        middle.tokens, middle.places, middle.i = self.tokens[:depth], self.places, self.i
        middle.bound, middle.used = self.bound, self.used
        body = middle.sum()
        if middle.next:
            raise middle.fail("not understood here")
        self.i = depth + 1
        right = self.level()
        self.take(r"\rangle")
        return lambda names: body(names)[left(names), right(names)]

    def literal(self) -> Meaning:
        """A matrix, row by row."""
        self.take()
        rows: list[list[Meaning]] = [[]]
        while True:
            rows[-1].append(self.sum())
            token = self.take()
            if token == r"\\":
                rows.append([])
            elif token == r"\end{pmatrix}":
                return lambda names: np.array([[x(names) for x in row] for row in rows])
            elif token != "&":
                self.i -= 1
                raise self.fail("a matrix has & and \\\\ between its elements")


def _product(factors: Sequence[Meaning]) -> Meaning:
    def meaning(names: Names) -> Value:
        value = factors[-1](names)
        for factor in reversed(factors[:-1]):
            value = times(factor(names), value)
        return value

    return meaning


def _inverse(value: Meaning) -> Meaning:
    return lambda names: 1 / value(names)


def _bracket(a: Value, b: Value, sign: int) -> Value:
    return times(a, b) + sign * times(b, a)


def _exponential(x: Value) -> Value:
    return expm(x) if np.ndim(x) == 2 else np.exp(x)


@dataclass(frozen=True)
class Vocabularies:
    """The vocabularies of a source by name, each at random numbers of a seed.

    Attributes
    ----------
    sets
        Name, as a row's `compare` has it -> seed -> vocabulary.
    """

    sets: Mapping[str, Callable[[int], Vocabulary]]

    def difference(self, name: str, latex: str, seeds: int = 2) -> float:
        r"""The largest difference between the sides of the equations, those between ",\quad".

        Raises
        ------
        FormulaError
            If one is not understood, or there is no such vocabulary.
        """
        if name not in self.sets:
            raise FormulaError(f"{name!r} is none of {', '.join(self.sets)}", latex, 0)
        equations = [part for part in re.split(r",\s*\\q?quad", latex) if part.strip()]
        return max(
            self.sets[name](seed).difference(part) for seed in range(seeds) for part in equations
        )
