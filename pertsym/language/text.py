"""Lexer of the text form that the package prints, and of what one can type on a keyboard."""

from __future__ import annotations

import re
from typing import Final

from lark import Token

from pertsym.language.dictionary import Dictionary
from pertsym.language.lexer import ELEMENTARY, OPENING, Lexer
from pertsym.language.syntax import Function
from pertsym.present.markup import label

_C = re.compile
_WORD: Final = r"(?:(?![⁰¹²³⁴⁵⁶⁷⁸⁹⁻πβħ])\w)"  # superscripts and these stand for themselves
_BLANK: Final = _C(r"\s+")
_INTEGRAL: Final = _C(
    r"(?:(?P<mark>F?P|P\.?V\.?|p\.?v\.?)\s*)?(?:∫|int\b)\s*"
    r"(?:_\{?(?P<low>0|-∞|-inf)\}?\s*\^\{?(?:∞|inf|\+∞)\}?)?"
)
_VARIABLE: Final = rf"(?P<variable>ω|w|omega|ν|nu)(?P<primes>['′]*)(?!{_WORD})"
_MEASURE: Final = _C(rf"d{_VARIABLE}")
_SLOPE: Final = _C(rf"(?:∂/∂|d/d){_VARIABLE}")
_FREQUENCY: Final = _C(rf"(?:ω|w|omega)_?(?:\{{(?P<group>\d+)\}}|(?P<index>\d+))(?!{_WORD})")
_NAME: Final = _C(rf"[πβħ]|(?:Ĉ|(?!\d){_WORD})(?:(?!Ĉ){_WORD})*")
_HEAD: Final = _C(r"Ĉ|Chat|P|J|Γ|Gamma")
_RAISED: Final = _C(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
_PRIMES: Final = _C(r"['′]+")
_ORDER: Final = _C(r"\^\(\s*(\d{1,3})\s*\)(?=\s*[(\[])", re.ASCII)
_POWER: Final = _C(rf"(?:\^|\*\*)([0-9]{{1,3}})(?=\s*[(\[])|{_RAISED.pattern}")
_SUPERSCRIPTS: Final = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_VARIANTS: Final = str.maketrans("ϕϑϵµϰϱ", "φθεμκρ")  # the same letters in other shapes
_SIGNS: Final = {"·": "*", "×": "*", "−": "-"}
_LETTERS: Final = {"Ĉ": "C", "Chat": "C", "P": "P", "J": "J"}
_GREEK: Final = {"Γ": "Gamma"}
_VARIABLES: Final = {"ω": "omega", "w": "omega", "omega": "omega", "ν": "nu", "nu": "nu"}


class TextLexer(Lexer):
    """Tokens of a formula in text."""

    BLANK, MEASURE, SLOPE = _BLANK, _MEASURE, _SLOPE
    PRIMES, ORDER, POWER = _PRIMES, _ORDER, _POWER
    SIGNS, VARIABLES, STARS_RAISE = _SIGNS, _VARIABLES, True

    def number(self) -> bool:
        found = super().number()
        if found:
            self._tight()
        return found

    def _sign(self) -> bool:
        at = self.at
        if found := self.match(_RAISED):
            self.emit("RAISED", (self._raised(found[0], at), at), at)
        return bool(found) or self._integral()

    def _tight(self) -> None:
        """1/2π is 1/(2π): a number that touches the name behind it belongs to it."""
        if len(self.tokens) > 1 and self.tokens[-2].type == "SLASH":
            following = self.source[self.at : self.at + 1]
            if following.isalpha() and not _RAISED.match(following):
                self.emit("TIGHT", "", self.at)

    def _raised(self, shown: str, at: int) -> int:
        plain = shown.translate(_SUPERSCRIPTS)
        if not re.fullmatch(r"-?\d{1,3}", plain, re.ASCII):
            self.fail(f"{shown} is no exponent", at)
        return int(plain)

    def _integral(self) -> bool:
        at = self.at
        found = self.match(_INTEGRAL)
        if found:
            mark = {None: "", "FP": "FP"}.get(found["mark"], "P")
            self.emit("INT", (mark, found["low"] == "0", at), at)
            if self.source[self.at : self.at + 1] in ("_", "^"):
                self.fail("integrals run over the real line, or from 0: ∫_0^∞")
        return bool(found)

    def _name(self) -> None:
        at = self.at
        for written, element in self.dictionary.element_ways:
            behind = self.source[at + len(written) : at + len(written) + 1]
            if self.source.startswith(written, at) and not re.match(_WORD, behind):
                if behind == "(" and element in ("P", "J", "n", *ELEMENTARY):
                    self.clash(element)
                self.at += len(written)
                return self.symbol("element", element, at)
        if found := self.match(_FREQUENCY):
            return self.frequency(found["group"] or found["index"], at)
        if self._bath_function():
            return None
        found = self.match(_NAME)
        if not found:
            self.fail(f"{self.source[at]!r} is not part of the language")
        return self._word(found[0], at)

    def _word(self, name: str, at: int) -> None:
        behind = self.source[self.at : self.at + 1]
        if name in _VARIABLES:
            primes = self.match(_PRIMES)
            return self.symbol(
                "variable", _VARIABLES[name] + "'" * len(primes[0] if primes else ""), at
            )
        if name == "e" and (behind == "^" or self.source.startswith("**", self.at)):
            self.at += 1 if behind == "^" else 2
            if self.source[self.at : self.at + 1] not in OPENING:
                self.fail("bracket the exponent of e")
            return self.emit("FUNC", Function("exp", "", 0, 1, at), at)
        if name in ELEMENTARY or name in ("n", "Re", "Im"):
            derivative, power = self._suffix()
            return self.function(name, "", derivative, power, at)
        if self.known_symbol(name, at):
            return None
        self.at = at
        if name[:2] == "n_" and name[2:] in self.dictionary.baths:
            self.fail(self.dictionary.occupation_advice(name[2:]))
        if name.startswith("C"):
            self.fail(f"{name} is not known; spectra are Ĉ (or Chat)")
        self.fail(f"{name} is not known; {self.dictionary.suggestion(name)}")

    def _bath_function(self) -> bool:
        """Ĉ_B, P1, J, Γ_1 with primes and powers."""
        start = self.at
        head = self.match(_HEAD)
        if not head:
            return False
        letter = head[0]
        if letter not in _LETTERS and _GREEK.get(letter, letter) not in self.dictionary.densities:
            self.at = start
            return False
        subscript = self._label()
        if subscript is None and re.compile(_WORD).match(self.source, self.at):
            self.at = start
            if letter != "Ĉ":  # a longer word that begins like a function
                return False
            self.fail(f"the bath is not known; the baths are {', '.join(self.dictionary.baths)}")
        derivative, power = self._suffix()
        self.bath_function(_LETTERS.get(letter, "J"), subscript, derivative, power, start)
        return True

    def _label(self) -> str | None:
        """The bath's name behind the letter, the longest that fits."""
        choices = []
        for way, name in self.dictionary.bath_ways:
            plain = label(way).text.removeprefix("_")
            for shown in (f"_{{{way}}}", f"_{{{plain}}}", f"_{way}", f"_{plain}"):
                choices.append((shown, name))
            if plain.isdecimal():
                choices.append((plain, name))
        for shown, name in sorted(choices, key=lambda pair: -len(pair[0])):
            end = self.at + len(shown)
            if self.source.startswith(shown, self.at) and (
                shown.endswith("}") or not re.compile(_WORD).match(self.source, end)
            ):
                self.at = end
                return name
        return None

    def _size(self, raised: re.Match[str]) -> int:
        return int(raised[1]) if raised[1] else self._raised(raised[0], raised.start())


def text_tokens(source: str, dictionary: Dictionary) -> list[Token]:
    """The tokens of a formula in text."""
    return TextLexer(source.translate(_VARIANTS), dictionary).read()
