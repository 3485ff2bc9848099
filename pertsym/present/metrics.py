"""Estimated typeset width of a LaTeX fragment, good to some ten per cent: enough to break lines.

Widths are those of ten-point Computer Modern in points, divided by the 5.3 points of an average
character of a formula, so that they read as characters.
"""

from __future__ import annotations

import re

_AVERAGE = 5.3
_SCRIPT = 0.8  # seven-point type is wider than seven tenths of ten-point type
_TEXT = re.compile(r"\\text\{[^{}]*\}")
_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|\S", re.DOTALL)

_CONTROL = {
    r"\,": 1.7, r"\;": 2.8, r"\:": 2.2, r"\!": -1.7, r"\quad": 10.0, r"\qquad": 20.0,
    r"\int": 9.0, r"\sum": 14.4, r"\infty": 10.0, r"\cdots": 15.0, r"\omega": 6.2,
    r"\tau": 4.7, r"\pi": 5.9, r"\biggl": 3.0, r"\biggr": 3.0, r"\bigl": 1.0, r"\bigr": 1.0,
    r"\le": 13.0, r"\ge": 13.0,
}  # fmt: skip
_WITHOUT_WIDTH = {
    r"\hat", r"\dot", r"\mathrm", r"\mathcal", r"\operatorname", r"\text", r"\left", r"\right",
    r"\begin", r"\end", r"\displaystyle", "{", "}", "&",
}  # fmt: skip
_CHARACTER = {
    "(": 3.9,
    ")": 3.9,
    "[": 2.8,
    "]": 2.8,
    "|": 2.8,
    ",": 4.4,
    "'": 3.0,
    "*": 5.0,
    "~": 3.3,
}
_BINARY = "+-="


def rendered_width(latex: str) -> float:
    """Width in characters of a fragment of one line."""
    spaced = _TEXT.sub(lambda words: words[0].replace(" ", "~"), latex)
    tokens = _TOKEN.findall(spaced)
    width, rest = _sequence(tokens, 0, 1.0)
    while rest < len(tokens):  # a closing brace without its partner belongs to another piece
        more, rest = _sequence(tokens, rest + 1, 1.0)
        width += more
    return width / _AVERAGE


def _sequence(tokens: list[str], k: int, scale: float) -> tuple[float, int]:
    """Total width up to the end or a closing brace, and the position of that."""
    width = 0.0
    while k < len(tokens) and tokens[k] != "}":
        if tokens[k] in "^_":
            # A subscript and a superscript at one base stand above each other.
            scripts = []
            while k < len(tokens) and tokens[k] in "^_":
                script, k = _argument(tokens, k + 1, scale * _SCRIPT)
                scripts.append(script)
            width += max(scripts)
        else:
            more, k = _argument(tokens, k, scale)
            width += more
    return width, k


def _argument(tokens: list[str], k: int, scale: float) -> tuple[float, int]:
    """Width of one token, group or fraction, and the position after it."""
    if k >= len(tokens):
        return 0.0, k
    token = tokens[k]
    if token == "{":
        width, end = _sequence(tokens, k + 1, scale)
        return width, end + 1
    if token in (r"\frac", r"\tfrac"):
        size = scale * (_SCRIPT if scale < 1 or token == r"\tfrac" else 1.0)
        above, k = _argument(tokens, k + 1, size)
        below, k = _argument(tokens, k, size)
        return max(above, below) + 2.4 * scale, k
    return _single(token, scale) * scale, k + 1


def _single(token: str, scale: float) -> float:
    if token in _WITHOUT_WIDTH:
        return 0.0
    if token in _CONTROL:
        return _CONTROL[token]
    if token in _BINARY:
        return 12.2 if scale == 1.0 else 7.8
    if token in _CHARACTER:
        return _CHARACTER[token]
    return 7.2 if token.isupper() else 5.3
