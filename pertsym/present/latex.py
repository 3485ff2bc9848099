r"""LaTeX of integrands and spectral forms: display-math bodies for `equation`, `$$` or `\[`.

Only amsmath is needed.  Lines are broken between terms at about `width` rendered characters, and
every bracket has a fixed size, so that a bracket may span a line break.
"""

from __future__ import annotations

from pertsym.expansion.terms import Term, TimeIntegrand
from pertsym.present.formulas import form_pieces, integrand_pieces, measure, number, term_parts
from pertsym.present.layout import Piece, broken, latex_lines
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


def _width(piece: Piece) -> float:
    return rendered_width(piece.body.latex) + (2.3 if piece.sign else 0)
