"""Lexer of the LaTeX that authors and the package write."""

from __future__ import annotations

import re
from typing import Final

from lark import Token

from pertsym.language.dictionary import Dictionary, bare
from pertsym.language.lexer import ELEMENTARY, Lexer
from pertsym.language.syntax import Function, Symbol

_C = re.compile
_BLANK: Final = _C(
    r"(?:\s|%[^\n]*|~|&|\\\\(?:\[[^\]]*\])?|\\[,!;: ]|\\q?quad(?![A-Za-z])|\{\}"
    r"|\\(?:begin|end)\{(?:aligned|align|split|equation|gathered|multline)\*?\}"
    r"|\\(?:left|right|[Bb]igg?[lrm]?|displaystyle|nonumber|limits)(?![A-Za-z])|\$)+"
)
_INTEGRAL: Final = _C(
    r"(?:(?:\\(?:mathrm|mathcal|operatorname|text)\s*(?:\{(?P<mark>F?P|P\.?V\.?|p\.?v\.?)\}|(?P<bare>P))"
    r"|(?P<letter>P))(?:\s|\\[,!; ])*)?\\int(?![A-Za-z])(?:\s|\\limits|\\!)*"
)
_LIMITS: Final = _C(r"_\s*(\{[^{}]*\}|[^\s\\{}]|\\[A-Za-z]+)\s*\^\s*(\{[^{}]*\}|\\[A-Za-z]+|\S)")
_VARIABLE: Final = r"\\(?P<variable>omega|nu)(?P<primes>'*)(?![A-Za-z])(?!\s*_)"
_MEASURE: Final = _C(rf"(?:d|\\mathrm\s*(?:d|\{{d\}}))\s*{_VARIABLE}")
_SLOPE: Final = _C(
    rf"\\[dt]?frac\s*\{{\s*(?:\\partial|d)\s*\}}\s*\{{\s*(?:\\partial|d)\s*"
    rf"(?:{_VARIABLE}|(?P<letter>[a-z]))\s*\}}"
)
_W: Final = _C(r"w(?:\s*_\s*(?:\{\s*(?P<group>\d+)\s*\}|(?P<one>\d))|(?P<index>\d+))(?![A-Za-z_])")
_FRACTION: Final = _C(r"\\[dtc]?frac(?![A-Za-z])")
_BASE: Final = _C(
    r"\\(?:hat|widehat)\s*(?:\{\s*(?P<hat>[A-Za-z])\s*\}|(?P<hatted>[A-Za-z]))"
    r"|\\(?:mathrm|text|operatorname|mathit|textrm)\s*(?:\{(?P<word>(?:[^{}]|\\[{}]|\{[^{}]*\})*)\}"
    r"|(?P<roman>[A-Za-z]))"
    r"|\\(?P<control>[A-Za-z]+)|(?P<letter>[A-Za-z])"
)
_SUBSCRIPT: Final = _C(
    r"\s*_\s*(?:\{(?P<group>(?:[^{}]|\\[{}]|\{(?:[^{}]|\\[{}]|\{[^{}]*\})*\})*)\}"
    r"|(?P<one>[A-Za-z0-9]|\\(?:mathrm|text)\s*\{[^{}]*\}|\\[A-Za-z]+))"
)
_ABOVE: Final = _C(
    r"(?P<letter>[A-Za-z])\s*(?:_\s*\{?(?P<below>\d+)\}?)?"
    r"\s*\^\s*\{?\s*\\(?:mathrm|text)\s*\{(?P<bath>[A-Za-z0-9]+)\}\s*\}?"
    r"\s*(?:_\s*\{?(?P<after>\d+)\}?)?",
    re.ASCII,
)
_PRIMES: Final = _C(r"\s*(?:'+|\^\s*\{?\s*(?:\\prime(?![A-Za-z])\s*)+\}?)")
_ORDER: Final = _C(r"\s*\^\s*\{\s*\((\d{1,3})\)\s*\}", re.ASCII)
_POWER: Final = _C(r"\s*\^\s*(?:\{\s*(\d{1,3})\s*\}|(\d))(?=(?:\s|\\left|\\[Bb]igg?l?)*[(\[{])")
_ARGUMENT: Final = _C(r"(?:\s|\\left|\\[Bb]igg?l?|\\[,!])*\(|'|\^\{?\\prime|\^\{\(\d")
_SPECIAL: Final = {
    r"\cdot": "STAR", r"\times": "STAR", r"\{": "LCURLY", r"\}": "RCURLY",
    r"\lbrace": "LCURLY", r"\rbrace": "RCURLY", r"\lbrack": "LSQB", r"\rbrack": "RSQB",
}  # fmt: skip
_SIGN: Final = _C(r"\\(?:cdot|times|lbrace|rbrace|lbrack|rbrack)(?![A-Za-z])|\\[{}]")


class LatexLexer(Lexer):
    """Tokens of a LaTeX formula."""

    BLANK, MEASURE, SLOPE = _BLANK, _MEASURE, _SLOPE
    PRIMES, ORDER, POWER = _PRIMES, _ORDER, _POWER

    def _raised_to(self) -> None:
        self._argument("exponent")

    def _sign(self) -> bool:
        at = self.at
        if self.source[at] == "|":
            self._bar()
        elif sign := self.match(_SIGN):
            kind = _SPECIAL[sign[0]]
            if kind == "STAR":
                self.emit(kind, sign[0], at)
            else:
                (self.opened if kind.startswith("L") else self.closed)(kind, sign[0], at)
        else:
            return self._integral()
        return True

    def _known(self) -> bool:
        """A name of something derived."""
        at = self.at
        for pattern, name in self.dictionary.quantity_patterns:
            if self.match(pattern):
                is_formula = isinstance(self.dictionary.quantities[name], str)
                kind = "alias" if is_formula else "quantity"
                self.emit("ALIAS" if is_formula else "NAME", Symbol(kind, name, at), at)
                return True
        for pattern, head in self.dictionary.function_patterns:
            if self.match(pattern):
                derivative, _ = self._suffix()
                self.function("defined", head, derivative, 1, at)
                return True
        return False

    def _bar(self) -> None:
        """One of the two bars of a modulus: it closes the one opened last, if there is one."""
        at = self.at
        self.at += 1
        if self._open and self._open[-1][0] == "LBAR":
            self.closed("RBAR", "|", at)
        else:
            self.emit("FUNC", Function("abs", "", 0, 1, at), at)
            self.opened("LBAR", "|", at)

    def _argument(self, what: str) -> None:
        """A group, or one digit or symbol that is turned into a group."""
        if not self._more():
            self.fail(f"the {what} is missing")
        at = self.at
        if self.source[at] == "{":
            self.at += 1
            self.opened("LBRACE", "{", at)
            depth = len(self._open)
            while len(self._open) >= depth:
                if not self._more():
                    self.fail("this bracket is not closed", at)
                self._item()
            return
        self.opened("LBRACE", "{", at)
        if self.source[at].isdecimal():  # \tfrac12 and x^23 take one digit
            whole, self.source = self.source, self.source[: at + 1]
            self.number()
            self.source = whole
        elif self.source[at].isalpha() or self.source[at] == "\\":
            self._item()
        else:
            self.fail(f"the {what} must be a group in braces, a digit or a symbol", at)
        self.closed("RBRACE", "}", self.at)

    def _is_element(self, shown: str) -> bool:
        """Whether a model calls something of its own w, w1 or w_1."""
        known = {*self.dictionary.element_keys, *self.dictionary.values}
        return not known.isdisjoint(("w", bare(shown)))

    def _fraction(self) -> bool:
        at = self.at
        if not self.match(_FRACTION):
            return False
        self.emit("FRAC", r"\frac", at)
        self._argument("numerator")
        self._argument("denominator")
        return True

    def _integral(self) -> bool:
        at = self.at
        found = self.match(_INTEGRAL)
        if not found:
            return False
        mark = "FP" if found["mark"] == "FP" else "P" if found["mark"] else ""
        mark = "P" if found["bare"] or found["letter"] else mark
        half = False
        where = self.at
        limits = self.match(_LIMITS)
        if limits:
            ends = [re.sub(r"[{}\s]|\\,|\+", "", part) for part in limits.groups()]
            if ends not in ([r"-\infty", r"\infty"], ["0", r"\infty"]):
                self.fail("integrals run from -\\infty or from 0 to \\infty", where)
            half = ends[0] == "0"
        elif self.source[self.at : self.at + 1] in ("_", "^"):
            self.fail("integrals run from -\\infty or from 0 to \\infty: _{..}^{..}")
        self.emit("INT", (mark, half, at), at)
        return True

    def _name(self) -> None:
        at = self.at
        if self._fraction():
            return None
        if (typed := _W.match(self.source, at)) and not self._is_element(typed[0]):
            self.at = typed.end()
            return self.frequency(typed["group"] or typed["one"] or typed["index"], at)
        if self._of_bath(at):
            return None
        found = self.match(_BASE)
        if not found:
            self.fail(f"{self.source[at]!r} is not part of the language")
        hat = found["hat"] or found["hatted"]
        word = found["word"] if found["word"] is not None else found["roman"]
        base = hat or word or found["control"] or found["letter"]
        if hat and hat != "C":
            self.fail(rf"\hat {hat} is no known function; spectra are \hat C", at)
        if hat:
            return self._function("C", at)
        if word is not None and self._worded(found[0], at):
            return None
        if self._with_subscript(base) in self.dictionary.element_keys:
            if base in ("P", "J", "n") and _ARGUMENT.match(self.source, self._behind_subscript()):
                self.at = at
                self.clash(base)
            return self._element(found[0], base, at)
        if base in ("P", "J", *self.dictionary.densities):
            return self._function("P" if base == "P" else "J", at)
        if base in ("n", "Re", "Im"):
            return self._function(base, at)
        if base in ELEMENTARY and (found["control"] or word):
            return self._function(base, at)
        if base == "omega":
            return self._frequency(at)
        own = r"\nu" in self.dictionary.element_keys
        if base == "nu" and not own and not _SUBSCRIPT.match(self.source, self.at):
            return self._frequency(at)
        return self._element(found[0], base, at)

    def _of_bath(self, at: int) -> bool:
        r"""An element with its bath above, in either order: S^{\mathrm{B}}_{01}."""
        found = self.match(_ABOVE)
        if found:
            below = found["below"] or found["after"]
            name = f"{found['letter']}_{found['bath']}_{below}"
            if name in self.dictionary.elements:
                self.symbol("element", name, at)
                return True
            self.at = at
        return False

    def _worded(self, shown: str, at: int) -> bool:
        r"""An element that is a word, such as \mathrm{ab}_{2}, or \text{a b}."""
        behind = self.at
        subscript = self.match(_SUBSCRIPT)
        for latex, end in ((shown + (subscript[0] if subscript else ""), self.at), (shown, behind)):
            name = self.dictionary.element_keys.get(bare(latex))
            if name is not None:
                self.at = end
                self.symbol("element", name, at)
                return True
        self.at = behind
        return False

    def _behind_subscript(self) -> int:
        found = _SUBSCRIPT.match(self.source, self.at)
        return found.end() if found else self.at

    def _with_subscript(self, base: str) -> str:
        found = _SUBSCRIPT.match(self.source, self.at)
        return bare(base + (found[0] if found else ""))

    def _element(self, shown: str, base: str, at: int) -> None:
        """A matrix element, a constant, or a paper's own symbol."""
        behind = self.at
        if base == "e" and "e" not in self.dictionary.element_keys:
            self.match(_BLANK)
            if self.source[self.at : self.at + 1] == "^":
                self.at += 1
                self.emit("FUNC", Function("exp", "", 0, 1, at), at)
                return self._argument("exponent")
            self.at = behind
        subscript = self.match(_SUBSCRIPT)
        if subscript:
            inner = bare(subscript["group"] or subscript["one"])
            key = bare(shown + "_" + inner) if base != shown else f"{base}_{inner}"
            name = self.dictionary.element_keys.get(key)
            if name is not None:
                return self.symbol("element", name, at)
            if self.known_symbol(f"{base}_{inner}", at):
                return None
            self.at = behind
            self.fail(
                f"{base}_{inner} is not known; {self.dictionary.suggestion(base + inner)}", at
            )
        name = self.dictionary.element_keys.get(bare(shown))
        if name is not None:
            return self.symbol("element", name, at)
        if base == "C":
            self.fail(r"C(t) belongs to times; its spectrum is \hat C", at)
        if not self.known_symbol(base, at):
            self.fail(f"{shown} is not known; {self.dictionary.suggestion(base)}", at)
        return None

    def _frequency(self, at: int) -> None:
        subscript = self.match(_SUBSCRIPT)
        if subscript:
            return self.frequency(bare(subscript["group"] or subscript["one"]), at)
        name = self.source[at + 1 : self.at]
        while self.source[self.at : self.at + 1] == "'":
            name, self.at = name + "'", self.at + 1
        return self.symbol("variable", name, at)

    def _function(self, kind: str, at: int) -> None:
        derivative, power = self._suffix()
        subscript = self._label()
        more, times = self._suffix()
        derivative, power = derivative + more, power * times
        if kind in ("C", "P", "J"):
            return self.bath_function(kind, subscript, derivative, power, at)
        if subscript and kind == "n" and (bath := self._bath_of(subscript)):
            self.fail(self.dictionary.occupation_advice(bath), at)
        if subscript:
            self.fail(f"{kind} has no subscript here", at)
        return self.function(kind, "", derivative, power, at)

    def _bath_of(self, subscript: str) -> str | None:
        known = subscript in self.dictionary.baths
        return subscript if known else self.dictionary.bath(subscript)

    def _label(self) -> str | None:
        found = re.compile(r"\s*_").match(self.source, self.at)
        if found:
            for latex, name in self.dictionary.labels:
                if self.source.startswith(latex, found.end()):
                    self.at = found.end() + len(latex)
                    return name
        subscript = self.match(_SUBSCRIPT)
        return (subscript["group"] or subscript["one"]) if subscript else None


def latex_tokens(source: str, dictionary: Dictionary) -> list[Token]:
    """The tokens of a LaTeX formula."""
    return LatexLexer(source, dictionary).read()
