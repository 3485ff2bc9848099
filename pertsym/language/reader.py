r"""A formula in LaTeX as pieces, and the recursive descent over them.

What names, sums, integrals and products mean, each domain says in a subclass of `Reader`: numbers
and matrices (`evaluation`), exact operators (`concrete`), equations with open indices (`kinetic`).
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NoReturn

_SEPARATE = re.compile(r",\s*\\q?quad")


class NotRead(ValueError):
    """A formula that is not understood, or whose names have no value; `at` is where, if known."""

    def __init__(self, problem: str, at: int | None = None) -> None:
        super().__init__(problem)
        self.at = at

    def place(self, source: str) -> int:
        """Offset in the source; its end where none is known."""
        return len(source) if self.at is None else self.at


def each_equation(latex: str, indices: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Equations that quads separate, once for each value of the indices that occur in them."""
    for part in _SEPARATE.split(latex):
        found = [(index, values) for index, values in indices.items() if index in part]
        for chosen in product(*(values for _, values in found)):
            one = part
            for (index, _), value in zip(found, chosen, strict=True):
                one = one.replace(index, value)
            yield one


Tokens = tuple[str, ...]


class Piece(str):
    """A command, a letter with its primes, a digit or a sign; `at` is its place in the source."""

    at: int


_PIECE = re.compile(r"\\[A-Za-z]+'*|\\.|[A-Za-z]'*|\S")
_DROPPED = re.compile(r"\\(?:left|right|[Bb]igg?[lr]?|displaystyle|[,;!: \\])|[&~]")
_MATRIX = re.compile(r"\\begin\{([pb]matrix)\}(.*?)\\end\{\1\}", re.DOTALL)
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\{aligned\}|\{\}")
_SPACES = (r"\quad", r"\qquad")
CLOSING = {"(": ")", "[": "]", "{": "}", r"\{": r"\}"}
ENDS = frozenset({*CLOSING.values(), "+", "-", "=", ",", r"\pm"})


def tokens(latex: str) -> Tokens:
    """The pieces of a formula; blanks and sizes dropped, scripts of one piece without braces."""
    latex = _ENVIRONMENT.sub(lambda m: " " * len(m[0]), _MATRIX.sub(_matrix, latex))
    pieces: list[Piece] = []
    for match in _PIECE.finditer(latex):
        piece = Piece(match[0])
        piece.at = match.start()
        if piece in _SPACES:
            if pieces and pieces[-1] == ",":
                pieces[-1] = Piece(";")  # the comma between two equations
            continue
        if _DROPPED.fullmatch(piece):
            continue
        pieces.append(piece)
        if piece == "}" and len(pieces) > 3 and pieces[-3] == "{" and pieces[-4] in "_^":
            pieces[-3:] = [pieces[-2]]
    return tuple(pieces)


def _matrix(found: re.Match[str]) -> str:
    r"""A matrix as ``\matrix``, the number of its rows, and its entries in braces."""
    rows = [row.split("&") for row in found[2].split(r"\\")]
    cells = "".join(f"{{{cell}}}" for row in rows for cell in row)
    return rf"\matrix{{{len(rows)}}}{{{cells}}}"


def _depths(source: Tokens) -> Iterator[tuple[int, str, int]]:
    """Places and pieces, and how many brackets are open behind each."""
    depth = 0
    for k, token in enumerate(source):
        depth += (token in CLOSING) - (token in CLOSING.values())
        yield k, token, depth


def parts_between(source: Tokens, mark: str) -> list[Tokens]:
    """Parts between marks outside of all brackets."""
    cuts = [k for k, token, depth in _depths(source) if token == mark and not depth]
    starts, ends = [0, *(k + 1 for k in cuts)], [*cuts, len(source)]
    return [source[a:b] for a, b in zip(starts, ends, strict=True)]


def instances(
    equation: Tokens,
    groups: Iterable[Tokens],
    indices: Mapping[str, Sequence[int]],
    names: Mapping[Tokens, Any],
) -> Iterator[tuple[dict[str, int], list[Tokens]]]:
    """Values of the indices that an equation has without summing over them, and its sides there.

    Indices of a group are open only together.  What is at most another value is to reach it.
    """
    equation = tuple("=" if token in (r"\equiv", r"\le") else token for token in equation)
    signs = [k for k, token in enumerate(equation) if token in (r"\sum", r"\prod")]
    bound = {letter for k in signs for letter in Reader(equation[k + 1 :]).script("_")}
    free = [i for group in groups if set(group) <= set(equation) - bound for i in group]
    for chosen in product(*(indices[i] for i in free)):
        at = dict(zip(free, chosen, strict=True))
        sides = parts_between(substituted(equation, at, names), "=")
        if len(sides) < 2:
            raise NotRead("there is no equation: an equals sign is missing")
        yield at, sides


def substituted(
    source: Tokens, at: Mapping[str, int], names: Mapping[Tokens, Any], glued: bool = False
) -> Tokens:
    """Integers for index letters; sums and multiples in a script are worked out.

    Numbers side by side are multiplied, unless they are `glued` as indices are.
    """
    if not at:
        return source
    result: list[str] = []
    reader = Reader(source)
    while token := reader.peek():
        if token in ("_", "^"):
            script = reader.script(token)
            if any(t[0] == "\\" for t in script):
                written = substituted(script, at, names, glued=token == "_")
            else:
                written = _script_with(script, at, (*result, token), names)
            result += [token, *(("{", *written, "}") if len(written) != 1 else written)]
            continue
        reader.at += 1
        if token in at:
            if result and result[-1].isdigit() and not glued:
                result.append(r"\cdot")
            result += str(at[token])
        else:
            result.append(token)
    return tuple(result)


def _script_with(
    script: Tokens, at: Mapping[str, int], before: Tokens, names: Mapping[Tokens, Any]
) -> Tokens:
    if not any(t in at for t in script):
        return script
    inner = script[1:-1] if script[:1] == ("(",) and script[-1:] == (")",) else script
    parts = [_worked_out(part, at, before, names) for part in parts_between(inner, ",")]
    joined: list[str] = []
    for part in parts:
        joined += ([","] if joined else []) + list(part)
    return ("(", *joined, ")") if inner is not script else tuple(joined)


def _worked_out(
    part: Tokens, at: Mapping[str, int], before: Tokens, names: Mapping[Tokens, Any]
) -> Tokens:
    summed, is_sum = _arithmetic(part, at), any(t in "+-" for t in part)
    written = "".join(str(at.get(t, t)) for t in part)
    if is_sum or before[-1] == "^":  # of several letters those that are known
        written = re.sub(
            r"(\d*)([a-z])",
            lambda m: str(int(m[1] or 1) * at[m[2]]) if m[2] in at else m[0],
            "".join(part),
        )
    if summed is None or summed < 0:
        return tokens(written)
    plain = tuple(str(summed))
    if is_sum or before[-1] == "^":
        return plain
    for size in (2, 3):  # K_{2k} is K_4 where that has a value
        base = before[len(before) - size :]
        if (*base, *plain) in names and (*base, "{", *written, "}") not in names:
            return plain
    return tuple(written)


def _arithmetic(part: Tokens, at: Mapping[str, int]) -> int | None:
    text = "".join(part)
    if not re.fullmatch(r"[-+]?(?:\d*[a-z]|\d+)(?:[-+](?:\d*[a-z]|\d+))*", text):
        return None
    total = 0
    for sign, number, letter in re.findall(r"([-+]?)(\d*)([a-z]?)", text):
        if not number and not letter:
            continue
        if letter and letter not in at:
            return None
        size = int(number or 1) * (at[letter] if letter else 1)
        total += -size if sign == "-" else size
    return total


_LONGEST_NAME = 24


class Reader:
    """Evaluates pieces from left to right; `names` are what is known, by their own pieces."""

    def __init__(
        self,
        source: Tokens,
        names: Mapping[Tokens, Any] | None = None,
        indices: Mapping[str, Sequence[int]] | None = None,
    ) -> None:
        self.source, self.at, self.names, self.indices = source, 0, names or {}, indices or {}

    # --- where we are

    def fail(self, problem: str) -> NoReturn:
        """Says what is wrong and what follows."""
        rest = self.source[self.at : self.at + 12]
        where = getattr(rest[0], "at", None) if rest else None
        raise NotRead(f"{problem}: {' '.join(rest) or 'the end'}", where)

    def peek(self, ahead: int = 0) -> str:
        """The piece that comes next, "" at the end."""
        return self.source[self.at + ahead] if self.at + ahead < len(self.source) else ""

    def take(self, *wanted: str) -> bool:
        """Whether these pieces come next; then they are behind us."""
        found = self.source[self.at : self.at + len(wanted)] == wanted
        self.at += len(wanted) * found
        return found

    def need(self, token: str) -> None:
        if not self.take(token):
            self.fail(f"{token} is expected here")

    def next(self) -> str:
        """The next piece, which is then behind us."""
        if not self.peek():
            self.fail("an argument is missing")
        self.at += 1
        return self.source[self.at - 1]

    def group(self) -> Tokens:
        """An argument of a command: what stands in braces, or one piece."""
        return self.enclosed() if self.peek() == "{" else (self.next(),)

    def enclosed(self) -> Tokens:
        """What stands in the bracket that opens here."""
        start = self.at
        for k, _, depth in _depths(self.source[start:]):
            if not depth:
                self.at = start + k + 1
                return self.source[start + 1 : start + k]
        self.fail("the end of this bracket is expected")

    def script(self, kind: str) -> Tokens:
        """What stands above or below, () for nothing."""
        return self.group() if self.take(kind) else ()

    def rest(self) -> Tokens:
        """Everything up to the end of the term."""
        start, self.at = self.at, len(self.source)
        for k, token, depth in _depths(self.source[start:]):
            closes = token in CLOSING.values()
            if (k or closes) and token in ENDS and depth == -closes:
                self.at = start + k
                break
        return self.source[start : self.at]

    def measure(self) -> Tokens:
        r"""The variable of ``d\omega'`` or ``dt_1``."""
        self.need("d")
        start = self.at
        if self.next() == r"\tilde":
            self.next()
        if self.peek() == "_" and self.peek(1).isdigit():
            self.at += 2
        return self.source[start : self.at]

    # --- what it says

    def inner(self, source: Tokens, more: Mapping[Tokens, Any] | None = None) -> Any:
        """The value of a part, in which `more` is known."""
        reader = copy.copy(self)
        reader.source, reader.at = source, 0
        reader.names = {**self.names, **more} if more else self.names
        return reader.whole()

    def whole(self) -> Any:
        value = self.sum()
        if self.peek():
            self.fail("this is not expected here")
        return value

    def sum(self) -> Any:
        total: Any = None
        while True:
            sign = -1 if self.take("-") else 1
            if sign > 0:
                self.take("+")
            value = self.term()
            value = self.times(-1, value) if sign < 0 else value
            self.noted(value)
            total = value if total is None else self.plus(total, value)
            if self.peek() not in ("+", "-"):
                return total

    def term(self) -> Any:
        factors = []
        while self.peek() and self.peek() not in ENDS:
            if self.peek() in (r"\cdot", r"\times", r"\otimes"):
                self.at += 1
            elif self.take("/"):
                factors.append(self.over(self.number("1"), self.factor()))
            else:
                factors.append(self.factor())
        if not factors:
            self.fail("a term is expected here")
        total = factors[-1]
        for value in reversed(factors[:-1]):  # what stands left acts on what stands right
            total = self.times(value, total)
        return total

    def factor(self) -> Any:
        """A primary with what is raised and applied behind it."""
        return self.primary()

    def primary(self) -> Any:
        value = self.named()
        if value is not None:
            return value
        if self.peek().isdigit():
            digits = self.next()
            while self.peek().isdigit() or self.peek() == ".":
                digits += self.next()
            return self.number(digits)
        if self.take(r"\frac") or self.take(r"\tfrac"):
            above, below = self.argument(), self.argument()
            return self.over(above, below)
        if self.peek() in CLOSING:
            opening, parts = self.peek(), self.arguments()
            if len(parts) == 1:
                return parts[0]
            if len(parts) == 2 and opening in ("[", r"\{"):
                a, b = parts
                sign = -1 if opening == "[" else 1
                return self.plus(self.times(a, b), self.times(sign, self.times(b, a)))
            self.fail(f"brackets with {len(parts)} parts before")
        value = self.special()
        if value is None:
            self.fail("this is not known")
        return value

    def argument(self) -> Any:
        return self.inner(self.group())

    def arguments(self) -> list[Any]:
        """The parts of a bracket between its commas."""
        return [self.inner(part) for part in parts_between(self.enclosed(), ",")]

    def cells(self) -> list[list[Any]]:
        r"""The entries of a ``\matrix``, row by row."""
        rows, reader = int("".join(self.group())), Reader(self.group())
        found = []
        while reader.peek():
            found.append(self.inner(reader.group()))
        size = len(found) // rows
        return [found[k : k + size] for k in range(0, len(found), size)]

    def folded(self, join: Callable[[Any, Any], Any]) -> Any:
        """The terms of a sum, or the factors of a product, behind its sign; None without any."""
        below, above, total = self.script("_"), self.script("^"), None
        body = self.rest()
        for assignment in self._assignments(below, above):
            value = self.inner(substituted(body, assignment, self.names))
            self.noted(value)
            total = value if total is None else join(total, value)
        return total

    def _assignments(self, below: Tokens, above: Tokens) -> Iterator[dict[str, int]]:
        letter, *start = parts_between(below, "=")
        if start:
            first, last = self.limit(start[0]), self.limit(above)
            yield from ({letter[0]: n} for n in range(first, last + 1))
            return
        letters = [t for t in below if t != ","]
        if not letters or any(t not in self.indices for t in letters):
            raise NotRead(f"a sum over {' '.join(below)}: its index has no range")
        for chosen in product(*(self.indices[i] for i in letters)):
            yield dict(zip(letters, chosen, strict=True))

    def named(self) -> Any:
        """The value of the longest name that fits here, None without any."""
        for size in range(min(_LONGEST_NAME, len(self.source) - self.at), 0, -1):
            name = self.source[self.at : self.at + size]
            if name in self.names and not self.goes_on(self.at + size, self.names[name]):
                self.at += size
                return self.meaning(name)
        return None

    def goes_on(self, at: int, value: Any) -> bool:
        """Whether a name has a prime, an index or an order that no name with it is known for."""
        following = self.source[at : at + 3]
        other = following[:1] == ("'",) or following == ("^", "{", "(")
        return other or (following[:1] == ("_",) and not self.has_indices(value))

    # --- what a domain says

    def has_indices(self, value: Any) -> bool:
        """Whether indices may follow a name with this value."""
        return False

    def meaning(self, name: Tokens) -> Any:
        """The value of a name that has just been read."""
        return self.names[name]

    def special(self) -> Any:
        """Whatever else the domain has here, None for nothing."""
        return None

    def limit(self, source: Tokens) -> int:
        """Where the index of a sum begins or ends."""
        return int(self.inner(source))

    def noted(self, value: Any) -> None:
        """A term of a sum has been read."""

    def number(self, digits: str) -> Any:
        raise NotImplementedError

    def plus(self, a: Any, b: Any) -> Any:
        return a + b

    def times(self, a: Any, b: Any) -> Any:
        return a * b

    def over(self, above: Any, below: Any) -> Any:
        return above / below
