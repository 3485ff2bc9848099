"""Presentation MathML from LaTeX, so that a page shows its formulas without any script or network.

The converter is `latex2mathml`; what it leaves undone (big braces, `aligned`, negative spaces) is
mended here, and what it did not understand is refused rather than shown half converted.
"""

from __future__ import annotations

import re
from html import escape
from itertools import pairwise
from xml.etree import ElementTree

_NAMESPACE = "http://www.w3.org/1998/Math/MathML"
_ARITY = {"mfrac": 2, "msub": 2, "msup": 2, "mover": 2, "munder": 2, "msubsup": 3, "munderover": 3}
_DELIMITERS = {r"\{": "{", r"\}": "}", r"\|": "‖", r"\lbrace": "{", r"\rbrace": "}"}
_SYMBOLS = {"mi", "mo", "mn"}
_TEXT = re.compile(r"\\text\{((?:[^{}\\$]|\\[_%&#])*)\}")
_PLACEHOLDER = re.compile(r"text(\d+)")
_BRACKETS = set("()[]{}|∣‖⟨⟩")
_WITH_LIMITS = {"lim", "max", "min", "sup", "inf"}
_SIGNS = {"−", "+", "-"}
_BEFORE_OPERAND = {"(", "[", "{", "=", ",", "/", "<", ">", "≤", "≥", "≡", "→"}


class NotConvertible(ValueError):
    """A formula with LaTeX that has no MathML here; names the command."""


def mathml(latex: str, *, display: bool = False) -> str:
    """A `<math>` element with the LaTeX source as its annotation.

    Raises
    ------
    NotConvertible
        If the source is malformed or has a command that is not understood.
    """
    from latex2mathml.converter import convert  # only pages need it

    words: list[str] = []

    def set_aside(match: re.Match[str]) -> str:
        # The converter loses blanks and does not escape an ampersand.
        plain = re.sub(r"\\(.)", r"\1", match[1])
        words.append(plain.replace(" ", "\u00a0"))
        return rf"\text{{text{len(words) - 1}}}"

    source = _TEXT.sub(set_aside, latex)
    source = re.sub(r"(?:\\!)+", " ", source)
    source = re.sub(r"\\mathrm\{([A-Za-z]+)\}", r"\\operatorname{\1}", source)  # one word, upright
    source = re.sub(r"\\(begin|end)\{aligned\}", r"\\\1{align*}", source)
    try:
        root = ElementTree.fromstring(convert(source, display="block" if display else "inline"))
    except Exception as error:  # the converter raises a class of its own for every mishap
        raise NotConvertible(f"{_short(latex)}: {type(error).__name__} {error}".rstrip()) from None
    _mend(root, latex, words)
    body = "".join(ElementTree.tostring(child, encoding="unicode") for child in root)
    note = f'<annotation encoding="application/x-tex">{escape(latex, quote=False)}</annotation>'
    mode = "block" if display else "inline"
    return (
        f'<math xmlns="{_NAMESPACE}" display="{mode}">'
        f"<semantics><mrow>{body}</mrow>{note}</semantics></math>"
    )


def mathml_or_source(latex: str, *, display: bool = False) -> str:
    """MathML, or the LaTeX source itself where it cannot be converted."""
    try:
        return mathml(latex, display=display)
    except NotConvertible:
        return f'<code class="tex">{escape(latex)}</code>'


def _mend(element: ElementTree.Element, latex: str, words: list[str]) -> None:
    element.tag = element.tag.removeprefix(f"{{{_NAMESPACE}}}")
    for child in list(element):
        _mend(child, latex, words)
        if child.tag == "mspace" and child.get("width", "").startswith("negative"):
            element.remove(child)
    _mark_unary_signs(element)
    expected = _ARITY.get(element.tag)
    if expected is not None and len(element) != expected:
        raise NotConvertible(f"{_short(latex)}: <{element.tag}> with {len(element)} parts")
    text = element.text or ""
    if element.tag in _SYMBOLS and text.startswith("\\"):
        if text not in _DELIMITERS:
            raise NotConvertible(f"{_short(latex)}: {text} is not understood")
        element.text = _DELIMITERS[text]
    if element.tag == "mtext" and (place := _PLACEHOLDER.fullmatch(text)):
        element.text = words[int(place[1])]
    if element.tag == "mo":
        _mend_operator(element)
    if element.tag == "mi" and len(text) == 1 and "Α" <= text <= "Ω":
        element.set("mathvariant", "normal")  # capital Greek stands upright, as in TeX
    if element.tag == "mover" and element.get("accent") and len(element[1].text or "") == 1:
        element[1].set("stretchy", "false")
    if alignment := element.attrib.pop("columnalign", ""):
        element.set("style", f"text-align:{alignment};padding:0.25em 0")


def _mend_operator(operator: ElementTree.Element) -> None:
    """Brackets without space around them; the names of operators as upright identifiers."""
    text = operator.text or ""
    if text in _BRACKETS:
        operator.set("lspace", "0")
        operator.set("rspace", "0")
    elif text.isalpha() and text.isascii() and text not in _WITH_LIMITS:
        operator.tag = "mi"
        operator.set("mathvariant", "normal")


def _mark_unary_signs(row: ElementTree.Element) -> None:
    """A sign after an opening bracket or a relation belongs to its operand: no space around it."""
    for before, sign in pairwise(row):
        follows = before.tag == "mo" and (before.text or "") in _BEFORE_OPERAND
        if sign.tag == "mo" and (sign.text or "") in _SIGNS and follows:
            sign.set("form", "prefix")


def _short(latex: str) -> str:
    line = " ".join(latex.split())
    return repr(line if len(line) <= 60 else line[:57] + "...")
