r"""LaTeX of integrands and spectral forms: display-math bodies for `equation`, `$$` or `\[`.

Only amsmath is needed.  Lines are broken between terms at about `width` rendered characters, and
every bracket has a fixed size, so that a bracket may span a line break.
"""

from __future__ import annotations

from pertsym.expansion.terms import TimeIntegrand
from pertsym.present.formulas import form_pieces, integrand_pieces
from pertsym.present.layout import Piece, broken, latex_lines
from pertsym.present.metrics import rendered_width
from pertsym.reduction.spectral import SpectralForm, Thermal

WIDTH = 80
"""Rendered characters per line: what a column of 16 cm holds at ten points."""


def integrand_latex(
    integrand: TimeIntegrand, prefix: str = "", *, explicit: bool = False, width: int = WIDTH
) -> str:
    r"""The time integral as one displayed formula.

    Parameters
    ----------
    integrand
        Terms over the gaps tau_k >= 0; `real_part` shows as Re{...}.
    prefix
        LaTeX of the left-hand side, e.g. ``k_{10}^{(4)}``; the equals sign is added.
    explicit
        Write arc lengths as \tau_1+\tau_2+\tau_3 instead of \tau_{123}.
    width
        Rendered characters per line.

    Returns
    -------
    str
        Body without math delimiters; several lines stand in `aligned`.
    """
    return _body(integrand_pieces(integrand, explicit), prefix, width)


def form_latex(form: SpectralForm, prefix: str = "", *, width: int = WIDTH) -> str:
    """A spectral form as one displayed formula, factored like Eq. (91) of Laird et al.

    Primes are derivatives with respect to the argument; P marks a principal value and FP a
    Hadamard finite part, over the whole real line.  Parameters and result as in `integrand_latex`.
    """
    return _body(form_pieces(form), prefix, width)


def integrand_notes(integrand: TimeIntegrand) -> tuple[str, ...]:
    """Sentences (with inline math) that explain the notation of `integrand_latex`."""
    notes = ["$\\tau_k\\ge 0$ are the gaps between neighbouring times, latest first."]
    spans = [f for term in integrand for f in term.shape.factors if f.last > f.first]
    if spans:
        notes.append(
            r"Several indices on $\tau$ denote a sum: $\tau_{12}=\tau_1+\tau_2$, and so on."
        )
    if any(f.conjugate for term in integrand for f in term.shape.factors):
        notes.append("A star is the complex conjugate.")
    return tuple(notes)


def form_notes(form: SpectralForm) -> tuple[str, ...]:
    """Sentences (with inline math) that explain the notation of `form_latex`."""
    notes = [
        r"$\hat C(\omega)=\int\!dt\,e^{i\omega t}C(t)$, for a boson bath at $\omega>0$ equal to "
        r"$2J(\omega)[n(\omega)+1]$ with the spectral density $J$; "
        r"$P(\omega)=\mathrm{P}\!\int\!d\omega'\,\hat C(\omega')/(\omega'-\omega)$."
    ]
    if any(value.derivative for value in form.values):
        notes.append(
            r"Primes are derivatives with respect to the argument: "
            r"$P'(-\omega_0)$ is $dP/d\omega$ at $\omega=-\omega_0$."
        )
    if any(isinstance(atom, Thermal) for monomial, _ in form for atom in monomial.atoms):
        notes.append(r"$\beta=1/T$ is the inverse temperature common to all baths.")
    if any(integral.order > 1 for integral in form.integrals):
        notes.append("FP is the Hadamard finite part; integrals run over the real line.")
    return tuple(notes)


def _body(pieces: list[Piece], prefix: str, width: int) -> str:
    used = rendered_width(prefix) + 2 if prefix else 0
    # Continuation lines start under the right-hand side: the prefix narrows all of them.
    return latex_lines(broken(pieces, width - used, piece_width=_width), prefix)


def _width(piece: Piece) -> float:
    return rendered_width(piece.body.latex) + (2.3 if piece.sign else 0)
