r"""LaTeX of integrands and spectral forms: display-math bodies for `equation`, `$$` or `\[`.

Only amsmath is needed.  Lines are broken between terms at about `width` rendered characters, and
every bracket has a fixed size, so that a bracket may span a line break.
"""

from __future__ import annotations

import re

from pertsym.expansion.terms import Term, TimeIntegrand
from pertsym.present.formulas import form_pieces, integrand_pieces, measure, number, term_parts
from pertsym.present.layout import Piece, broken, latex_lines
from pertsym.present.markup import Markup
from pertsym.present.metrics import rendered_width
from pertsym.reduction.spectral import SpectralForm

WIDTH = 80
"""Rendered characters per line: what a column of 16 cm holds at ten points."""


def integrand_latex(integrand: TimeIntegrand, prefix: str = "", *, explicit: bool = False) -> str:
    r"""The time integral as one displayed formula.

    Parameters
    ----------
    integrand
        Terms over the gaps tau_k >= 0; `real_part` shows as Re{...}.
    prefix
        LaTeX of the left-hand side, e.g. ``k_{10}^{(4)}``; the equals sign is added.
    explicit
        Write arc lengths as \tau_1+\tau_2+\tau_3 instead of \tau_{123}.

    Returns
    -------
    str
        Body without math delimiters; several lines stand in `aligned`.
    """
    return pieces_latex(integrand_pieces(integrand, explicit), prefix, WIDTH)


def term_latex(term: Term) -> str:
    """One time-domain term in a line."""
    sign, size = number(term.coefficient)
    parts = [size, *term_parts(term)] if size else term_parts(term)
    body = r"\,".join(part.latex for part in parts)
    return body if sign == "+" else f"-{body}"


def integral_latex(integrand: TimeIntegrand, prefix: str = "") -> str:
    """What is done with the sum of terms."""
    real = r"\operatorname{Re}" if integrand.real_part else ""
    left = f"{prefix} = " if prefix else ""
    return rf"{left}{measure(integrand.order - 1).latex}{real}\text{{ of the sum of}}"


def form_latex(form: SpectralForm, prefix: str = "", *, width: int = WIDTH) -> str:
    """A spectral form as one displayed formula, factored like Eq. (91) of Laird et al.

    Primes are derivatives with respect to the argument; P marks a principal value and FP a
    Hadamard finite part, over the whole real line.  Lines are `width` rendered characters long;
    prefix and result are as in `integrand_latex`.
    """
    return pieces_latex(form_pieces(form), prefix, width)


def pieces_latex(pieces: list[Piece], prefix: str = "", width: int = WIDTH) -> str:
    """Pieces that a writer has collected as one displayed formula."""
    used = rendered_width(prefix) + 2 if prefix else 0
    # Continuation lines start under the right-hand side: the prefix narrows all of them.
    return latex_lines(broken(pieces, width - used, piece_width=_width), prefix)


_TOKEN = re.compile(r"\\(?:left|right) ?(?:\\[{}|]|[^\\])|\\[A-Za-z]+|\\.|.", re.DOTALL)
_OPENS, _CLOSES = ("(", "[", r"\{"), (")", "]", r"\}")


def broken_row(row: str) -> list[str]:
    """A typed formula, or a row of `aligned`, broken at its signs if it is wider than a line.

    Nothing is broken between braces; brackets that grow with what they hold get a fixed size where
    a line ends between them.
    """
    left, mark, right = row.partition("&") if "&" in row else row.partition("=")
    if rendered_width(row) <= WIDTH + 2 or "&&" in row or r"\begin{" in row:
        return [row]
    right = "=" + right if mark == "=" else right
    used = rendered_width(left)
    first, *others = broken(_typed_pieces(right), WIDTH - used, piece_width=_width)
    return [
        left + "&" + latex_lines([first], ""),
        *(rf"&\quad{{}} {latex_lines([x], '')}" for x in others),
    ]


def _typed_pieces(latex: str) -> list[Piece]:
    """Terms of a typed formula, each with the number of brackets around it."""
    pieces, start, depth, braces, growing = [Piece(Markup())], True, 0, 0, list[bool]()
    tokens = _TOKEN.findall(latex)
    for k, token in enumerate(tokens):
        if token.startswith(r"\left") and token[5:6] not in "a" and not braces:
            growing.append(_reaches(tokens[k:]) > WIDTH / 2)
            token = token.replace(r"\left", r"\biggl") if growing[-1] else token
            depth += 1
        elif token.startswith(r"\right") and token[6:7] not in "a" and not braces:
            token = token.replace(r"\right", r"\biggr") if growing.pop() else token
            depth -= 1
        elif token in _OPENS:
            depth += 1
        elif token in _CLOSES:
            depth -= 1
        braces += (token == "{") - (token == "}")
        if token in "+-" and not start and not braces and all(growing):
            pieces.append(Piece(Markup(), token, depth))
        else:
            pieces[-1] = pieces[-1].followed_by(Markup(token, ""))
        if not token.isspace():
            start = token in ("=", "+", "-", *_OPENS) or token[1:].startswith(
                ("left", "bigg", "Big")
            )
    return pieces


def _reaches(tokens: list[str]) -> float:
    """The width up to the bracket that closes the first."""
    depth = 0
    for k, token in enumerate(tokens):
        depth += token.startswith(r"\left") - token.startswith(r"\right")
        if not depth:
            return rendered_width("".join(tokens[: k + 1]))
    return 0.0


def _width(piece: Piece) -> float:
    return rendered_width(piece.body.latex) + (2.3 if piece.sign else 0)
