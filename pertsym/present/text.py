"""Plain Unicode text of integrands and spectral forms for a terminal."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from pertsym.derivation import Formula
from pertsym.expansion.terms import Term, TimeIntegrand
from pertsym.present.escape import with_inline_math
from pertsym.present.formulas import form_pieces, number, sorted_terms, term_parts
from pertsym.present.layout import Piece, broken, text_lines
from pertsym.present.markup import text_width
from pertsym.reduction.spectral import SpectralForm

COLUMNS = 100


def integrand_lines(
    integrand: TimeIntegrand, *, explicit: bool = False, width: int = COLUMNS
) -> tuple[str, ...]:
    """One line per term, such as ``-2 Re  C2*(τ123) C2(τ2) e^{-iω0(τ1-τ3)}``.

    The value is the sum of the lines, integrated over all gaps τk from 0 to infinity.  A term
    that is wider than `width` columns continues, indented, on the next line.
    """
    terms = sorted_terms(integrand)
    if not terms:
        return ("0",)
    real = " Re" if integrand.real_part else ""
    heads = [_head(term) + real for term in terms]
    column = max(map(text_width, heads)) + 2
    return tuple(
        line
        for head, term in zip(heads, terms, strict=True)
        for line in _term_lines(head, column, term, explicit, width)
    )


def _head(term: Term) -> str:
    sign, size = number(term.coefficient)
    return sign + (size.text or "1")


def _term_lines(head: str, column: int, term: Term, explicit: bool, width: int) -> tuple[str, ...]:
    lines = [head + " " * (column - text_width(head))]
    empty = True
    for part in term_parts(term, explicit):
        if not empty and text_width(lines[-1]) + 1 + part.width > width:
            lines.append(" " * (column + 2) + part.text)
        else:
            lines[-1] += part.text if empty else f" {part.text}"
        empty = False
    return tuple(lines)


def form_lines(form: SpectralForm, prefix: str = "", *, width: int = COLUMNS) -> tuple[str, ...]:
    """A spectral form in text, factored as in LaTeX and broken at `width` columns.

    Primes are derivatives with respect to the argument; P∫ is a principal value and FP∫ a
    finite part over the whole real line.  `prefix` is a left-hand side.
    """
    return pieces_lines(form_pieces(form), prefix, width)


def pieces_lines(
    pieces: Sequence[Piece], prefix: str = "", width: int = COLUMNS
) -> tuple[str, ...]:
    """Pieces that a writer has collected as lines for a terminal."""
    used = text_width(prefix) + 3 if prefix else 0
    return text_lines(broken(pieces, width, used), prefix)


def prose_text(text: str) -> str:
    """Prose with its inline math in Unicode: "$k_{10}^{(4)}$" is k10(4)."""
    return with_inline_math(text, str, _math_text)


def formula_text(formula: Formula) -> tuple[str, ...]:
    """A displayed formula as lines for a terminal."""
    if formula.text:
        return formula.text
    if table := _TABLE.match(formula.latex):
        return _columns(_math_text(table["before"]), table["body"])
    body = re.sub(r"\\(begin|end)\{\w+\}|\\\\\[\w+\]", "", formula.latex)
    rows = re.split(r"\\\\\s", body.replace("&", " "))
    return tuple(filter(None, (_math_text(row) for row in rows)))


def _columns(before: str, body: str) -> tuple[str, ...]:
    """A table or matrix with its columns below each other."""
    cells = [[_math_text(cell) for cell in row.split("&")] for row in body.split(r"\\")]
    sizes = [max(map(text_width, column)) for column in zip(*cells, strict=True)]
    lines = (
        "  ".join(
            " " * (size - text_width(cell)) + cell for size, cell in zip(sizes, row, strict=True)
        )
        for row in cells
    )
    return (*filter(None, (before,)), *lines)


def _math_text(source: str) -> str:
    tokens = [token.strip() or " " for token in _TOKEN.findall(source)]
    found, rest = _plain(tokens, 0)
    while rest < len(tokens):  # a closing brace without partner
        more, rest = _plain(tokens, rest + 1)
        found += more
    found = re.sub(r"  +", " ", found).replace(" )", ")")
    return unicodedata.normalize("NFC", found).strip()


def _plain(tokens: list[str], k: int) -> tuple[str, int]:
    """Everything up to the end or a closing brace, and the position of that."""
    found = ""
    while k < len(tokens) and tokens[k] != "}":
        token = tokens[k]
        if token in ("^", "_"):
            script, k = _argument(tokens, k + 1)
            shown = _script(script, token)
            follows = _argument(tokens, k)[0][:1].isalpha()
            found += shown + (" " if shown[:1] == "_" and follows else "")
        elif token in _ACCENTS_ABOVE:
            body, k = _argument(tokens, k + 1)
            found += body[:1] + _ACCENTS_ABOVE[token] + body[1:]
        elif token in (r"\frac", r"\tfrac"):
            previous = tokens[k - 1] if k else ""
            above, k = _argument(tokens, k + 1)
            below, k = _argument(tokens, k)
            parts = (x.strip() for x in (above, below))
            quotient = "/".join(x if x.isalnum() else f"({x})" for x in parts)
            found += f"({quotient})" if previous in _FUNCTIONS else quotient + " "
        elif token == r"\sqrt":
            body, k = _argument(tokens, k + 1)
            found += f"√{body}" if body.isalnum() else f"√({body.strip()})"
        else:
            piece, k = _argument(tokens, k)
            found += piece
    return found, k


def _argument(tokens: list[str], k: int) -> tuple[str, int]:
    """One token or group in text, and the position after it."""
    if k >= len(tokens):
        return "", k
    if tokens[k] == "{":
        found, end = _plain(tokens, k + 1)
        return found, end + 1
    token = tokens[k]
    if token.startswith("\\"):
        name = token[1:].rstrip()
        known = _COMMANDS.get(name)
        if known is None:
            known = _greek(name) if name[:1].isalpha() else ""
        return known, k + 1
    return token, k + 1


def _greek(name: str) -> str:
    """A Greek letter by its name; other commands stand for themselves."""
    case = "CAPITAL" if name[0].isupper() else "SMALL"
    plain = {"LAMBDA": "LAMDA"}.get(
        name.upper().removeprefix("VAR"), name.upper().removeprefix("VAR")
    )
    try:
        return unicodedata.lookup(f"GREEK {case} LETTER {plain}")
    except KeyError:
        return name


def _script(body: str, kind: str) -> str:
    if kind == "^":
        if body.lstrip("-").isdigit():
            return body.translate(_RAISED)
        if body in ("*", "†", "'") or body.startswith("("):
            return body
    elif body.isdigit():
        return body
    bare = len(body) == 1 or (kind == "_" and body.isalnum())
    return f"{kind}{body}" if bare else f"{kind}{{{body}}}"


_TABLE = re.compile(
    r"(?P<before>[^&]*?)\\begin\{(?:array\}\{[lrc]+|pmatrix|matrix)\}(?P<body>(?:(?!\\begin).)*?)"
    r"\\end\{\w+\}\s*$",
    re.DOTALL,
)
_TOKEN = re.compile(r"\\[A-Za-z]+\s*|\\.|.", re.DOTALL)
_FUNCTIONS = frozenset(
    rf"\{f}"
    for f in ["sin", "cos", "tan", "cot", "sinh", "cosh", "tanh", "coth", "exp", "log", "ln"]
)
_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_ACCENTS_ABOVE = {r"\hat": "\u0302", r"\tilde": "\u0303", r"\dot": "\u0307", r"\bar": "\u0304"}
_COMMANDS = {
    "langle": "⟨", "rangle": "⟩", "infty": "∞", "int": "∫", "sum": "Σ", "le": "≤", "ge": "≥",
    "ne": "≠", "neq": "≠", "to": "→", "pm": "±", "mp": "∓", "times": "×", "cdot": "·",
    "dagger": "†", "otimes": "⊗", "partial": "∂", "hbar": "ħ", "simeq": "≃", "approx": "≈",
    "dots": "...", "ldots": "...", "cdots": "...", "sqrt": "√", "in": "∈", "ll": "≪", "gg": "≫",
    "mathrm": "", "mathcal": "", "mathsf": "", "mathbf": "", "operatorname": "", "text": "",
    "left": "", "right": "", "Big": "", "bigl": "", "bigr": "", "Bigl": "", "Bigr": "",
    "biggl": "", "biggr": "",
    "displaystyle": "", "quad": "  ", "qquad": "   ", ",": " ", ";": " ", ":": " ", " ": " ",
    "!": "", "{": "{", "}": "}", "|": "|", "&": "&", "%": "%", "_": "_", "#": "#", "\\": "; ",
    "epsilon": "ε", "varepsilon": "ε", "varphi": "φ", "vartheta": "ϑ", "prime": "'", "ell": "ℓ",
    "lambda": "λ", "equiv": "≡", "propto": "∝", "cup": "∪", "mid": "|", "Re": "Re", "Im": "Im",
    "nabla": "∇", "sim": "~", "leftrightarrow": "↔",
}  # fmt: skip
