"""Small pieces of notation, written in LaTeX and in Unicode text side by side.

Each piece carries both spellings, so that the two views of one result cannot drift apart; the
length of the text serves as the rendered width of the LaTeX when lines are broken.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from math import gcd

from pertsym.expansion.interaction import Frequency
from pertsym.expansion.terms import Factor
from pertsym.present.escape import escape_latex

_CONTROL_WORD_AT_END = re.compile(r"\\[A-Za-z]+$")
_NUMBERED = re.compile(r"C(\d+)", re.ASCII)
_PLAIN_LABEL = re.compile(r"[A-Za-z0-9]+", re.ASCII)
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


@dataclass(frozen=True)
class Markup:
    """One unbreakable piece of a formula in both notations."""

    latex: str = ""
    text: str = ""

    def __add__(self, other: Markup) -> Markup:
        return Markup(joined(self.latex, other.latex), self.text + other.text)

    def __bool__(self) -> bool:
        return bool(self.latex or self.text)

    @property
    def width(self) -> int:
        """Number of character cells of the text."""
        return text_width(self.text)


def both(source: str) -> Markup:
    """A piece spelled alike in both notations, such as a digit or a bracket."""
    return Markup(source, source)


def joined(left: str, right: str) -> str:
    r"""LaTeX juxtaposition: a space where a control word would swallow a letter."""
    swallows = right[:1].isalpha() and _CONTROL_WORD_AT_END.search(left)
    return f"{left} {right}" if swallows else left + right


def text_width(text: str) -> int:
    """Character cells of a text, combining marks not counted."""
    return sum(not unicodedata.combining(character) for character in text)


def raised(n: int) -> Markup:
    """The exponent n, nothing for n = 1."""
    return Markup() if n == 1 else Markup(f"^{{{n}}}", str(n).translate(_SUPERSCRIPTS))


def label(name: str) -> Markup:
    """Subscript for a correlation function: "C1" gives 1, a bath's name stands upright."""
    numbered = _NUMBERED.fullmatch(name)
    if numbered:
        digits = numbered[1]
        return Markup(f"_{digits}" if len(digits) == 1 else f"_{{{digits}}}", digits)
    if _PLAIN_LABEL.fullmatch(name):
        return Markup(rf"_{{\mathrm{{{name}}}}}", f"_{name}")
    return Markup(f"_{{{_words(name)}}}", f"_{name}")


def _words(name: str) -> str:
    r"""Any name inside math: words in \text, Greek letters and signs as themselves."""
    pieces: list[str] = []
    for is_math, run in groupby(map(escape_latex, name), lambda x: x.startswith(r"\ensuremath{")):
        words = "".join(run)
        pieces.append(words.replace(r"\ensuremath", "") if is_math else rf"\text{{{words}}}")
    return "".join(pieces)


def spectral_symbol(kind: str, name: str, derivative: int = 0) -> Markup:
    """Ĉ_name or P_name with primes for derivatives with respect to the argument."""
    symbol = Markup(r"\hat C", "Ĉ") if kind == "C" else both("P")
    if derivative <= 3:
        return symbol + label(name) + both("'" * derivative)
    return symbol + label(name) + Markup(f"^{{({derivative})}}", f"^({derivative})")


def frequency_symbols(count: int) -> tuple[Markup, ...]:
    """w0 for two levels; w1, w2, ... (E_k - E_0) for more."""
    if count == 1:
        return (Markup(r"\omega_0", "ω0"),)
    return tuple(
        Markup(rf"\omega_{{{k}}}" if k > 9 else rf"\omega_{k}", f"ω{k}")
        for k in range(1, count + 1)
    )


def gap_symbol(k: int) -> Markup:
    """The gap tau_k between neighbouring times."""
    return Markup(rf"\tau_{{{k}}}" if k > 9 else rf"\tau_{k}", f"τ{k}")


def combination(terms: Sequence[tuple[int, Markup]]) -> Markup:
    """An integer combination of symbols; 0 if nothing is left."""
    result = Markup()
    for n, symbol in terms:
        if not n:
            continue
        sign = "-" if n < 0 else "+" if result else ""
        size = both(str(abs(n))) if abs(n) != 1 else Markup()
        result = result + both(sign) + size + symbol
    return result or both("0")


def linear_form(form: Frequency) -> Markup:
    """A linear form over the transition frequencies, what is positive first: w2 - w1."""
    terms = zip(form, frequency_symbols(len(form)), strict=True)
    return combination(sorted(terms, key=lambda term: term[0] < 0))


def spans_one_symbol(form: Frequency) -> bool:
    """Whether the form is a multiple of a single symbol (no bracket needed around it)."""
    return sum(bool(x) for x in form) <= 1


def bracketed_form(form: Frequency) -> Markup:
    """The form as a factor: in parentheses if it has several symbols."""
    inner = linear_form(form)
    return inner if spans_one_symbol(form) else both("(") + inner + both(")")


def span(first: int, last: int, explicit: bool = False) -> Markup:
    """The arc length tau_first + ... + tau_last, written tau_{first...last} unless explicit."""
    gaps = range(first, last + 1)
    if explicit or first == last:
        return combination([(1, gap_symbol(k)) for k in gaps])
    separator = "," if last > 9 else ""
    indices = separator.join(map(str, gaps))
    return Markup(rf"\tau_{{{indices}}}", f"τ{indices}")


def correlation(factor: Factor, explicit: bool = False) -> Markup:
    """C_name or C_name* of its arc length."""
    star = Markup("^*", "*") if factor.conjugate else Markup()
    argument = span(factor.first, factor.last, explicit)
    return both("C") + label(factor.name) + star + both("(") + argument + both(")")


def phase_factor(phase: Sequence[Frequency], times: Sequence[Markup] = ()) -> Markup:
    """exp(-i sum_k x_k t_k), times collected by the frequency they carry; empty without phase.

    `times` are the gaps tau_1, tau_2, ... unless others are given.
    """
    symbols = times or [gap_symbol(k) for k in range(1, len(phase) + 1)]
    groups: dict[Frequency, list[tuple[int, Markup]]] = {}
    for time, x in zip(symbols, phase, strict=True):
        content = gcd(*x)
        if not content:
            continue
        if next(c for c in x if c) < 0:
            content = -content
        primitive = tuple(c // content for c in x)
        groups.setdefault(primitive, []).append((content, time))
    if not groups:
        return Markup()
    pieces: list[tuple[int, Markup]] = []
    for primitive, gaps in groups.items():
        content = gcd(*(n for n, _ in gaps)) * (1 if gaps[0][0] > 0 else -1)
        together = combination([(n // content, gap) for n, gap in gaps])
        if len(gaps) > 1:
            together = both("(") + together + both(")")
        pieces.append((content, bracketed_form(primitive) + together))
    if len(pieces) == 1:
        ((n, body),) = pieces
        size = both(str(abs(n))) if abs(n) != 1 else Markup()
        exponent = both("-" if n > 0 else "") + size + both("i") + body
    else:
        flip = -1 if pieces[0][0] < 0 else 1
        inner = combination([(flip * n, body) for n, body in pieces])
        exponent = both("-i[" if flip > 0 else "i[") + inner + both("]")
    return both("e^{") + exponent + both("}")


def scalar(value: Fraction, imaginary: bool = False, pi_power: int = 0) -> Markup:
    """|value| i^(imaginary) pi^pi_power as a factor in front; empty if it is 1.

    The sign is left to the caller, who knows whether it opens a line.
    """
    pi = Markup(r"\pi", "π") + raised(abs(pi_power)) if pi_power else Markup()
    over = _integer(value.numerator) + (both("i") if imaginary else Markup())
    under = _integer(value.denominator)
    if pi_power > 0:
        over = over + pi
    elif pi_power < 0:
        under = under + pi
    if not under:
        return over
    over = over or both("1")
    return Markup(rf"\frac{{{over.latex}}}{{{under.latex}}}", f"({over.text}/{under.text})")


def _integer(n: int) -> Markup:
    return both(str(abs(n))) if abs(n) != 1 else Markup()
