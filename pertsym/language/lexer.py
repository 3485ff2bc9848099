"""What the lexers of both notations share: where they are, what they have found, the limits."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, ClassVar, Final, NoReturn

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
    """Reads a source from left to right into tokens; `at` is the next character.

    A notation has its patterns, and its ways with signs and names.
    """

    BLANK: ClassVar[re.Pattern[str]]
    MEASURE: ClassVar[re.Pattern[str]]
    SLOPE: ClassVar[re.Pattern[str]]
    PRIMES: ClassVar[re.Pattern[str]]
    ORDER: ClassVar[re.Pattern[str]]
    POWER: ClassVar[re.Pattern[str]]
    STARS_RAISE: ClassVar[bool] = False
    SIGNS: ClassVar[dict[str, str]] = {}
    VARIABLES: ClassVar[dict[str, str]] = {}

    def __init__(self, source: str, dictionary: Dictionary) -> None:
        if len(source) > LONGEST:
            raise NotUnderstood(f"longer than {LONGEST} characters; compare it in parts", LONGEST)
        self.source, self.dictionary = _END.sub("", source), dictionary
        self.at = 0
        self.tokens: list[Token] = []
        self._open: list[tuple[str, int]] = []

    def read(self) -> list[Token]:
        """All tokens.

        Raises
        ------
        NotUnderstood
            For anything that is not of the language.
        """
        while self._more():
            self._item()
        if self._open:
            _, where = self._open[-1]
            self.fail("this bracket is not closed", where)
        return self.tokens

    def _more(self) -> bool:
        self.match(self.BLANK)
        return self.at < len(self.source)

    def _item(self) -> None:
        at, character = self.at, self.SIGNS.get(self.source[self.at], self.source[self.at])
        if self._known() or self.number():
            return
        for brackets, take in ((OPENING, self.opened), (CLOSING, self.closed)):
            if character in brackets:
                self.at += 1
                return take(brackets[character], character, at)
        if character in OPERATORS:
            self.at += 1
            if character == "*" and self.source[self.at : self.at + 1] == "*":
                if not self.STARS_RAISE:
                    self.fail("write a power as x^{2}", at)
                self.at, character = self.at + 1, "^"
            self.emit(OPERATORS[character], character, at)
            if character == "^":
                self._raised_to()
        elif not (self._sign() or self._differential()):
            self._name()

    def _known(self) -> bool:
        """What goes before everything else."""
        return False

    def _raised_to(self) -> None:
        """What stands behind ^."""

    def _sign(self) -> bool:
        """Integral signs and others of this notation."""
        raise NotImplementedError

    def _name(self) -> None:
        """A symbol or the head of a function."""
        raise NotImplementedError

    def _differential(self) -> bool:
        """d omega, or the derivative d/d omega."""
        at = self.at
        for kind, pattern in (("SLOPE", self.SLOPE), ("MEASURE", self.MEASURE)):
            if found := self.match(pattern):
                parts = found.groupdict()
                name = parts["variable"] or parts["letter"]
                primes = "'" * len(parts["primes"] or "")
                self.emit(kind, (self.VARIABLES.get(name, name) + primes, at), at)
                return True
        return False

    def _suffix(self) -> tuple[int, int]:
        """The derivative that primes and (n) say, and a power."""
        derivative, power = 0, 1
        while True:
            if primes := self.match(self.PRIMES):
                derivative += primes[0].count("'") + primes[0].count("′") + primes[0].count("prime")
            elif order := self.match(self.ORDER):
                derivative += int(order[1])
            elif raised := self.match(self.POWER):
                power *= self._size(raised)
            else:
                return derivative, power

    def _size(self, raised: re.Match[str]) -> int:
        return int(next(filter(None, raised.groups())))

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
