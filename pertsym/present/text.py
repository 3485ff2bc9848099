"""Plain Unicode text of integrands and spectral forms for a terminal."""

from __future__ import annotations

from pertsym.expansion.terms import Term, TimeIntegrand
from pertsym.present.formulas import form_pieces, number, sorted_terms, term_parts
from pertsym.present.layout import broken, text_lines
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
    used = text_width(prefix) + 3 if prefix else 0
    return text_lines(broken(form_pieces(form), width, used), prefix)
