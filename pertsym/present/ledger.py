"""A ledger of claims as a table: one row for each equation of a source and what became of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Literal, Protocol

from pertsym.present.escape import CODE, prose_latex, with_inline_math
from pertsym.present.mathml import mathml_or_source

Style = Literal["markdown", "latex", "html"]


class Row(Protocol):
    """What a table needs to know of a claim: plain text with inline math, save `latex`.

    Number in the source, without brackets; the formula, display-math body, empty if there is none;
    definition, derived, proved, numerical, ...; what is claimed, what supports the status, what
    else to know.
    """

    @property
    def equation(self) -> str: ...
    @property
    def latex(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def statement(self) -> str: ...
    @property
    def evidence(self) -> str: ...
    @property
    def note(self) -> str: ...


def ledger_table(rows: Iterable[Row], style: Style = "markdown") -> str:
    """The rows as a table in Markdown, LaTeX (longtable, booktabs) or HTML.

    The LaTeX uses ``\\fitted`` and ``\\fitwidth`` of the document template for wide formulas.
    """
    tables: Mapping[str, Callable[[Iterable[Row]], str]] = {
        "markdown": _markdown,
        "latex": _latex,
        "html": _html,
    }
    if style not in tables:
        raise ValueError(f"style {style!r}: must be one of {', '.join(tables)}")
    return tables[style](rows)


def _markdown(rows: Iterable[Row]) -> str:
    lines = ["| Eq. | Status | Claim | Formula | Evidence | Note |", "|---|---|---|---|---|---|"]
    for row in rows:
        formula = f"${_markdown_math(row.latex)}$" if row.latex else ""
        texts = (row.statement, formula, row.evidence, row.note)
        cells = [f"({row.equation})", row.status, *map(_markdown_cell, texts)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _markdown_cell(text: str) -> str:
    guarded = with_inline_math(
        text, lambda words: words.replace("|", r"\|"), lambda tex: f"${_markdown_math(tex)}$"
    )
    return " ".join(guarded.split())


def _markdown_math(latex: str) -> str:
    """Math without the bar, which would end a cell."""
    return " ".join(re.sub(r"\\\||\|", _bar, latex).split())


def _bar(match: re.Match[str]) -> str:
    return r"\Vert " if match[0] == r"\|" else r"\vert "


def _latex(rows: Iterable[Row]) -> str:
    head = r"Eq. & Status & Claim, evidence \\"
    lines = [
        r"\begin{longtable}{@{}l>{\raggedright\arraybackslash}p{0.16\linewidth}"
        r">{\raggedright\arraybackslash}p{0.70\linewidth}@{}}",
        rf"\toprule {head} \midrule \endfirsthead",
        rf"\toprule {head} \midrule \endhead",
        r"\bottomrule \endfoot",
    ]
    for row in rows:
        words = " ".join(filter(None, (row.statement, row.evidence, row.note)))
        first = f"({prose_latex(row.equation)}) & {prose_latex(row.status)} & {prose_latex(words)}"
        if row.latex:
            # The formula has a row of its own: it may need the whole width of the page.
            lines.append(rf"{first} \\* ")
            lines.append(
                rf"\multicolumn{{3}}{{@{{}}c@{{}}}}{{\fitted{{{row.latex}}}}} \\ \addlinespace"
            )
        else:
            lines.append(rf"{first} \\ \addlinespace")
    return "\n".join([*lines, r"\end{longtable}"]) + "\n"


def _html(rows: Iterable[Row]) -> str:
    lines = [
        '<table class="ledger">',
        "<thead><tr><th>Eq.</th><th>Status</th><th>Claim</th><th>Evidence</th></tr></thead>",
        "<tbody>",
    ]
    for row in rows:
        formula = mathml_or_source(row.latex, display=True) if row.latex else ""
        formula = formula and f'<div class="formula">{formula}</div>'
        statement = f"{prose_html(row.statement)}{formula}"
        evidence = " ".join(prose_html(text) for text in (row.evidence, row.note) if text)
        status = escape(row.status)
        lines.append(
            f'<tr><td>({escape(row.equation)})</td><td class="{status.replace(" ", "-")}">'
            f"{status}</td><td>{statement}</td><td>{evidence}</td></tr>"
        )
    return "\n".join([*lines, "</tbody>", "</table>"]) + "\n"


def prose_html(text: str) -> str:
    """Prose with inline math, and code between backquotes, as HTML."""

    def words(plain: str) -> str:
        return CODE.sub(r"<code>\1</code>", escape(plain))

    return with_inline_math(text, words, mathml_or_source)
