"""What the lexers of both notations share: where they are, what they have found, the limits."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, Final, NoReturn

from lark import Token

from pertsym.language.dictionary import Dictionary
from pertsym.language.syntax import (
    DEEPEST,
    LARGEST_DERIVATIVE,
    LARGEST_POWER,
    LONGEST,
    MOST_DIGITS,
    Function,
    NotUnderstood,
    Number,
    Symbol,
)

OPENING: Final = {"(": "LPAR", "[": "LSQB", "{": "LBRACE"}
CLOSING: Final = {")": "RPAR", "]": "RSQB", "}": "RBRACE"}
OPERATORS: Final = {"+": "PLUS", "-": "MINUS", "*": "STAR", "/": "SLASH", "^": "CARET"}
ELEMENTARY: Final = ("exp", "coth", "tanh", "sinh", "cosh")
UNITS: Final = ("hbar", "k_B", "kB")

_END: Final = re.compile(r"(?:\s|\\[,!])*[.,;]\s*\Z")  # a formula may end a sentence
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?", re.ASCII)


class Lexer:
    """Reads a source from left to right into tokens; `at` is the next character."""

    def __init__(self, source: str, dictionary: Dictionary) -> None:
        if len(source) > LONGEST:
            raise NotUnderstood(f"longer than {LONGEST} characters; compare it in parts", LONGEST)
        self.source, self.dictionary = _END.sub("", source), dictionary
        self.at = 0
        self.tokens: list[Token] = []
        self._open: list[tuple[str, int]] = []

    def fail(self, problem: str, at: int | None = None) -> NoReturn:
        raise NotUnderstood(problem, self.at if at is None else at)

    def emit(self, kind: str, value: Any, at: int) -> None:
        self.tokens.append(Token(kind, value, start_pos=at))

    def opened(self, kind: str, shown: str, at: int) -> None:
        """A bracket opens."""
        if len(self._open) >= DEEPEST:
            self.fail(f"more than {DEEPEST} brackets inside each other", at)
        self._open.append((kind, at))
        self.emit(kind, shown, at)

    def closed(self, kind: str, shown: str, at: int) -> None:
        """A bracket closes; it must be of the kind that was opened last."""
        if not self._open:
            self.fail(f"{shown} closes a bracket that was not opened", at)
        opening, where = self._open.pop()
        if opening[1:] != kind[1:]:
            before = self.source[where : where + 1]
            self.fail(f"{shown} does not close the {before} opened at character {where + 1}", at)
        self.emit(kind, shown, at)

    def finished(self) -> None:
        """The source has ended."""
        if self._open:
            _, where = self._open[-1]
            self.fail("this bracket is not closed", where)

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """What the pattern matches here, which is then behind us."""
        found = pattern.match(self.source, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def number(self) -> bool:
        """A number, if there is one here."""
        at = self.at
        found = self.match(_NUMBER)
        if found is None:
            return False
        if len(found[0]) > MOST_DIGITS:
            self.fail(f"a number of more than {MOST_DIGITS} digits", at)
        before = [token.type for token in self.tokens[-2:]]
        if before[-1:] == ["NUMBER"] and before[0] != "CARET":
            self.fail("two numbers side by side; write a product with *", at)
        self.emit("NUMBER", Number(Fraction(found[0]), at), at)
        return True

    def bath_function(
        self, kind: str, subscript: str | None, derivative: int, power: int, at: int
    ) -> None:
        """The head of a function of a bath."""
        dictionary = self.dictionary
        name = subscript if subscript in dictionary.baths else dictionary.bath(subscript or "")
        if name is None:
            what = f"there is no bath {subscript!r}" if subscript else "the bath is not named"
            self.fail(f"{what}; the baths are {', '.join(dictionary.baths)}", at)
        self.function(kind, name, derivative, power, at)

    def function(self, kind: str, name: str, derivative: int, power: int, at: int) -> None:
        """The head of a call."""
        if derivative > LARGEST_DERIVATIVE:
            self.fail(f"a derivative of an order above {LARGEST_DERIVATIVE}", at)
        if not 0 < power <= LARGEST_POWER:
            self.fail(f"a power beyond {LARGEST_POWER}", at)
        self.emit("FUNC", Function(kind, name, derivative, power, at), at)

    def symbol(self, kind: str, name: str, at: int) -> None:
        self.emit("NAME", Symbol(kind, name, at), at)

    def clash(self, name: str) -> NoReturn:
        """A name that is a matrix element here and a function elsewhere."""
        self.fail(
            f"{name} is a matrix element here, so that this may be a product or the function "
            f"{name}; write a product as {name} * (...)"
        )

    def known_symbol(self, name: str, at: int) -> bool:
        """Constants and what the dictionary says of a bare name."""
        constants = {"pi": "pi", "π": "pi", "i": "i", "beta": "beta", "β": "beta", "T": "T"}
        if name in self.dictionary.elements:
            self.symbol("element", name, at)
        elif name in self.dictionary.values:
            self.emit("ALIAS", Symbol("alias", name, at), at)
        elif name in constants:
            self.symbol(constants[name], name, at)
        elif name in UNITS or name == "ħ":
            self.symbol("one", name, at)
        else:
            return False
        return True

    def frequency(self, index: str, at: int) -> None:
        """A transition frequency."""
        form = self.dictionary.frequency(index)
        if form is None:
            names = ", ".join(self.dictionary.frequencies)
            self.fail(f"there is no frequency ω{index}; there are {names}", at)
        self.emit("NAME", Symbol("frequency", f"ω{index}", at, form), at)
