"""Escaping of free text for LaTeX and HTML, with inline math left alone."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\ensuremath{<}",
    ">": r"\ensuremath{>}",
    "|": r"\ensuremath{|}",
    '"': r"\textquotedbl{}",
}
# Straight quotes do not exist in the default text encoding: '' closes a quotation in print.
_SPECIAL['"'] = "''"

_MATHEMATICAL = {
    "−": "-", "±": r"\pm", "×": r"\times", "·": r"\cdot", "∞": r"\infty", "∫": r"\int",
    "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx", "≡": r"\equiv", "→": r"\to",
    "↔": r"\leftrightarrow", "⇒": r"\Rightarrow", "√": r"\surd", "∂": r"\partial",
    "⟨": r"\langle", "⟩": r"\rangle", "ħ": r"\hbar", "†": r"\dagger", "⊗": r"\otimes",
    "′": "'", "∈": r"\in", "∑": r"\sum", "∝": r"\propto", "ε": r"\varepsilon", "ϕ": r"\phi",
}  # fmt: skip
_TYPOGRAPHIC = {
    "–": "--", "—": "---", "‘": "`", "’": "'", "“": "``", "”": "''", "…": r"\ldots{}",
    "\u00a0": "~", "\u2009": r"\,",
}  # fmt: skip
_ACCENTED = re.compile("(\\w)\u0303")  # a letter under a tilde that is no character of its own
CODE = re.compile("`([^`]+)`")
_INLINE_MATH = re.compile(r"(?<!\\)\$(.+?)(?<!\\)\$", re.DOTALL)


def escape_latex(text: str) -> str:
    """Free text for a LaTeX paragraph; Greek letters and common signs become math."""
    pieces: list[str] = []
    end = 0
    normal = unicodedata.normalize("NFC", text)
    for match in _ACCENTED.finditer(normal):
        pieces += map(_latex_character, normal[end : match.start()])
        letter = _latex_character(match[1]).removeprefix(r"\ensuremath{").removesuffix("}")
        pieces.append(rf"\ensuremath{{\tilde{{{letter}}}}}")
        end = match.end()
    pieces += map(_latex_character, normal[end:])
    return "".join(pieces)


def with_inline_math(text: str, words: Callable[[str], str], math: Callable[[str], str]) -> str:
    """Rewrite prose: `words` sees the text between formulas, `math` the source inside $...$.

    A backslash before a dollar sign makes it an ordinary character.

    Raises
    ------
    ValueError
        For an unpaired dollar sign.
    """
    pieces: list[str] = []
    end = 0
    for match in _INLINE_MATH.finditer(text):
        pieces += [_words(text[end : match.start()], words), math(match[1])]
        end = match.end()
    pieces.append(_words(text[end:], words))
    return "".join(pieces)


def prose_latex(text: str) -> str:
    """Prose with inline math, and code between backquotes, as LaTeX."""

    def words(plain: str) -> str:
        return CODE.sub(r"\\texttt{\1}", escape_latex(plain))

    return with_inline_math(text, words, lambda source: f"${source}$")


def heading_latex(text: str) -> str:
    """The same for a heading, whose bookmark has its math as bare characters."""

    def math(source: str) -> str:
        bare = re.sub(r"[\\{}^_]", "", source)
        return rf"\texorpdfstring{{${source}$}}{{{bare}}}"

    return with_inline_math(text, escape_latex, math)


def _words(text: str, words: Callable[[str], str]) -> str:
    if re.search(r"(?<!\\)\$", text):
        raise ValueError(
            f"unpaired dollar sign in {text.strip()[:60]!r}; inline math stands between two, "
            r"and \$ is a plain dollar sign"
        )
    return words(text.replace(r"\$", "$"))


def _latex_character(character: str) -> str:
    if character in _SPECIAL:
        return _SPECIAL[character]
    if character.isascii():
        return character
    if character in _TYPOGRAPHIC:
        return _TYPOGRAPHIC[character]
    if character in _MATHEMATICAL:
        return rf"\ensuremath{{{_MATHEMATICAL[character]}}}"
    return _greek(character) or _digit(character) or _accented(character)


def _greek(character: str) -> str:
    words = unicodedata.name(character, "").split()
    if len(words) != 4 or words[0] != "GREEK" or words[2] != "LETTER":
        return ""
    name = {"LAMDA": "LAMBDA"}.get(words[3], words[3])
    roman = {
        "ALPHA": "A", "BETA": "B", "EPSILON": "E", "ZETA": "Z", "ETA": "H", "IOTA": "I",
        "KAPPA": "K", "MU": "M", "NU": "N", "OMICRON": "O", "RHO": "P", "TAU": "T",
        "UPSILON": r"\Upsilon", "CHI": "X",
    }  # fmt: skip
    if words[1] == "CAPITAL":
        command = roman.get(name, "\\" + name.capitalize())
        return rf"\ensuremath{{\mathrm{{{command}}}}}"
    return "o" if name == "OMICRON" else rf"\ensuremath{{\{name.lower()}}}"


def _digit(character: str) -> str:
    """A raised or lowered digit or sign."""
    kind, _, plain = unicodedata.decomposition(character).partition("> ")
    if kind not in ("<super", "<sub"):
        return ""
    body = chr(int(plain, 16))
    return rf"\ensuremath{{{'^' if kind == '<super' else '_'}{{{body.replace('−', '-')}}}}}"


_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u",
    "\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0327": "c",
}  # fmt: skip
_LETTERS = {
    "ß": r"\ss{}", "ø": r"\o{}", "Ø": r"\O{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}",
    "å": r"\aa{}", "Å": r"\AA{}", "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}", "§": r"\S{}",
    "°": r"\ensuremath{^\circ}",
}  # fmt: skip


def _accented(character: str) -> str:
    if character in _LETTERS:
        return _LETTERS[character]
    decomposed = unicodedata.normalize("NFD", character)
    if len(decomposed) == 2 and decomposed[0].isascii() and decomposed[1] in _ACCENTS:
        base = {"i": r"\i", "j": r"\j"}.get(decomposed[0], decomposed[0])
        return rf"\{_ACCENTS[decomposed[1]]}{{{base}}}"
    name = unicodedata.name(character, "no name")
    raise ValueError(
        f"character {character!r} ({name}) has no LaTeX spelling here; "
        "write it as inline math between dollar signs"
    )
