"""The tree of a formula, whichever notation it was written in, and what can be wrong with one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

LONGEST: Final = 1_000_000
"""Characters of a formula."""
DEEPEST: Final = 60
"""Brackets inside brackets."""
LARGEST_POWER: Final = 64
MOST_FACTORS: Final = 2000
LARGEST_DERIVATIVE: Final = 16
MOST_DIGITS: Final = 60

_BEFORE, _AFTER = 50, 30  # characters of the line that an error shows around its place


class FormulaError(ValueError):
    """A formula that is not understood; `line` and `column` (from 1) say where.

    Attributes
    ----------
    problem
        What is wrong there and what to write instead.
    position
        Offset in the source.
    """

    def __init__(self, problem: str, source: str, position: int) -> None:
        super().__init__(problem, source, position)
        self.problem, self.source = problem, source
        self.position = min(max(position, 0), len(source))

    @property
    def line(self) -> int:
        """Number of the line, from 1."""
        return self.source.count("\n", 0, self.position) + 1

    @property
    def column(self) -> int:
        """Number of the character in its line, from 1."""
        return self.position - self.source.rfind("\n", 0, self.position)

    def __str__(self) -> str:
        start = self.position - self.column + 1
        end = self.source.find("\n", start)
        text = self.source[start : len(self.source) if end < 0 else end]
        at = self.column - 1
        first = max(0, at - _BEFORE)
        shown = "".join(c if c.isprintable() else " " for c in text[first : at + _AFTER])
        caret = " " * (at - first) + "^"
        return f"line {self.line}, column {self.column}: {self.problem}\n  {shown}\n  {caret}"


class NotUnderstood(Exception):
    """What a node means cannot be said; its reader turns this into a `FormulaError`."""

    def __init__(self, problem: str, at: int) -> None:
        super().__init__(problem, at)
        self.problem, self.at = problem, at


@dataclass(frozen=True, slots=True)
class Number:
    value: Fraction
    at: int


@dataclass(frozen=True, slots=True)
class Symbol:
    """pi, i, beta, T, a matrix element, or a transition frequency as a linear form.

    `kind` is "pi", "i", "beta", "T", "one" (units that are 1), "element", "frequency" or
    "variable" (of an integral).
    """

    kind: str
    name: str
    at: int
    form: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """The head of a call: "C", "P", "J" with a bath's name, or "n", "exp", "coth", "Re", ..."""

    kind: str
    name: str
    derivative: int
    power: int
    at: int


@dataclass(frozen=True, slots=True)
class Call:
    function: Function
    argument: Node
    at: int


@dataclass(frozen=True, slots=True)
class Sum:
    terms: tuple[tuple[int, Node], ...]
    at: int


@dataclass(frozen=True, slots=True)
class Product:
    """Factors, +1 above and -1 below the line."""

    factors: tuple[tuple[int, Node], ...]
    at: int


@dataclass(frozen=True, slots=True)
class Power:
    base: Node
    exponent: int
    at: int


@dataclass(frozen=True, slots=True)
class Measure:
    """d omega."""

    variable: str
    at: int


@dataclass(frozen=True, slots=True)
class Slope:
    """d/d omega of what follows."""

    variable: str
    body: Node
    at: int


@dataclass(frozen=True, slots=True)
class Integral:
    """`mark` is "P", "FP" or "", `half` whether it starts at 0; the measure is in the body."""

    mark: str
    half: bool
    body: Node
    at: int


Node = Number | Symbol | Call | Sum | Product | Power | Measure | Slope | Integral


def children(node: Node) -> Iterable[Node]:
    """What a node is made of."""
    match node:
        case Call():
            return (node.argument,)
        case Sum():
            return (term for _, term in node.terms)
        case Product():
            return (factor for _, factor in node.factors)
        case Power():
            return (node.base,)
        case Slope() | Integral():
            return (node.body,)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Every node, the outermost first."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(children(node))


def negative(node: Node) -> Node:
    return Sum(((-1, node),), node.at)
