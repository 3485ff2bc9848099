"""A derivation as a complete document: a compilable LaTeX article, or one self-contained page."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup as Safe

from pertsym.derivation import Derivation, Drawn, Formula, Step
from pertsym.present.escape import escape_latex, heading_latex, prose_latex
from pertsym.present.latex import WIDTH, broken_row
from pertsym.present.ledger import Row, Style, ledger_table, prose_html
from pertsym.present.mathml import mathml_or_source
from pertsym.present.metrics import rendered_width

_ALIGNED = re.compile(r"\s*\\begin\{aligned\}(.*)\\end\{aligned\}\s*", re.DOTALL)
_OWN = re.compile(r"pertsym; .*? (?:in|of) (.*)")
"""The source of a result of our own: what is compared with what, which is the reference."""
_TALLEST = 8
"""Rows of a formula that are kept on one page; `aligned` cannot be broken across two."""
_WIDEST = WIDTH
"""Characters of a row, from where TeX is to measure it."""


@dataclass(frozen=True)
class _Equation:
    number: int
    body: str
    source: str
    lead: str


@dataclass(frozen=True)
class _Section:
    key: str
    number: str
    level: int
    title: str
    paragraphs: tuple[str, ...]
    equations: tuple[_Equation, ...]
    lines: tuple[str, ...]
    drawn: tuple[tuple[str, str], ...]
    caption: str


def latex_document(derivation: Derivation, ledger: Iterable[Row] = ()) -> str:
    """The derivation as an article that pdflatex compiles.

    Parameters
    ----------
    derivation
        What is shown: one numbered section or part of one for each step, equations numbered
        throughout, each with the number it has in the source.
    ledger
        Rows of an appendix with the claims of the source; none, no appendix.

    Returns
    -------
    str
        LaTeX that needs only texlive-latex-base and texlive-latex-recommended.

    Raises
    ------
    ValueError
        For prose with an unpaired dollar sign or a character without LaTeX spelling.
    """
    sections = _sections(
        derivation, prose_latex, _latex_equation, escape_latex, heading_latex, _latex_drawn
    )
    bibtex = derivation.bibtex.strip().splitlines()
    return _document("latex", derivation, ledger, prose_latex, sections=sections, bibtex=bibtex)


def html_document(derivation: Derivation, ledger: Iterable[Row] = ()) -> str:
    """The derivation as one HTML page that shows its formulas (MathML) without script or network.

    Parameters as in `latex_document`.  A formula that has no MathML is shown as its source.
    """

    def safe(text: str) -> Safe:
        return Safe(prose_html(text))

    sections = _sections(derivation, safe, _html_equation, str, safe, _html_drawn)
    return _document("html", derivation, ledger, safe, sections=sections)


def _document(
    style: Style,
    derivation: Derivation,
    ledger: Iterable[Row],
    prose: Callable[[str], str],
    **more: Any,
) -> str:
    rows, found = tuple(ledger), _OWN.fullmatch(derivation.source)
    own = derivation.source.startswith("pertsym")
    origin = f"{'Derived by' if own else 'Source:'} {derivation.source}"
    reference = (
        found[1] if found else "" if own and not _numbered(derivation) else derivation.source
    )
    template = {"latex": "article.tex.jinja", "html": "page.html.jinja"}[style]
    return (
        _environment(style)
        .get_template(template)
        .render(
            derivation=derivation,
            title=prose(derivation.title),
            source=derivation.source,
            summary=prose(derivation.summary),
            origin=prose(origin),
            reference=prose(reference),
            numbered=_numbered(derivation),
            conventions=[prose(text) for text in derivation.conventions],
            ledger=Safe(ledger_table(rows, style)) if rows else "",
            **more,
        )
    )


@cache
def _environment(kind: str) -> Environment:
    # Braces and percent signs belong to LaTeX: the delimiters are triple and starred brackets.
    delimiters: dict[str, Any] = {
        "block_start_string": "((*",
        "block_end_string": "*))",
        "variable_start_string": "(((",
        "variable_end_string": ")))",
        "comment_start_string": "((=",
        "comment_end_string": "=))",
    }
    return Environment(
        loader=PackageLoader("pertsym.present", "templates"),
        undefined=StrictUndefined,
        autoescape=kind == "html",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        **(delimiters if kind == "latex" else {}),
    )


def _sections(
    derivation: Derivation,
    prose: Callable[[str], str],
    equation: Callable[[int, Formula, str], _Equation],
    line: Callable[[str], str],
    heading: Callable[[str], str],
    drawing: Callable[[Drawn], tuple[str, str]],
) -> list[_Section]:
    sections = []
    number = section = part = 0
    for step in derivation.steps:
        equations = []
        for formula in step.formulas:
            number += 1
            equations.append(equation(number, formula, prose(formula.lead)))
        section, part = (section + 1, 0) if step.level == 1 else (section, part + 1)
        sections.append(
            _Section(
                step.key,
                f"{section}.{part}" if part else str(section),
                step.level,
                heading(step.title),
                tuple(prose(text) for text in _paragraphs(step)),
                tuple(equations),
                () if equations else tuple(line(text) for text in step.text),
                tuple(map(drawing, step.drawn)),
                prose(step.caption),
            )
        )
    return sections


def _numbered(derivation: Derivation) -> bool:
    """Whether a formula has a number in the source."""
    return any(formula.source for step in derivation.steps for formula in step.formulas)


def _paragraphs(step: Step) -> list[str]:
    return [text.strip() for text in re.split(r"\n\s*\n", step.prose) if text.strip()]


def _latex_equation(number: int, formula: Formula, lead: str) -> _Equation:
    body = _within_margins(formula.latex.strip())
    if match := _ALIGNED.fullmatch(body):
        rows = re.split(r"\\\\\s*\n", match[1].strip())
        if len(rows) > _TALLEST and r"\begin{aligned}" not in match[1]:
            joined = " \\notag\\\\\n".join(_smaller(row.strip()) for row in rows)
            body = f"\\begin{{align}}\n{joined}\n\\end{{align}}"
            return _Equation(number, body, _source_note(formula.source), lead)
    body = f"\\begin{{equation}}\n\\fitted{{{body}}}\n\\end{{equation}}"
    return _Equation(number, body, _source_note(formula.source), lead)


def _within_margins(body: str) -> str:
    """A formula whose lines are broken where they are too long."""
    match = _ALIGNED.fullmatch(body)
    if r"\begin{" in (match[1] if match else body):
        return body
    rows = re.split(r"\\\\\s*", match[1].strip()) if match else [body]
    broken = [line for row in rows for line in broken_row(row)]
    if len(broken) == len(rows):
        return body
    return "\\begin{aligned}\n" + " \\\\\n".join(broken) + "\n\\end{aligned}"


def _smaller(row: str) -> str:
    r"""A row of `align`; one of a single term that is wider than the text is set smaller."""
    if rendered_width(row) <= _WIDEST:
        return row
    left, _, right = row.partition("&")
    beside = round(rendered_width(left) / 2) + 4  # em of the text's width that it has not
    return f"{left}&\\fitted{{{{}}{right}\\hspace{{{beside}em}}}}\\hspace{{-{beside}em}}"


def _html_equation(number: int, formula: Formula, lead: str) -> _Equation:
    body = Safe(mathml_or_source(formula.latex, display=True))
    return _Equation(number, body, _source_note(formula.source), lead)


def _latex_drawn(drawn: Drawn) -> tuple[str, str]:
    return drawn.latex, drawn.drawing.latex


def _html_drawn(drawn: Drawn) -> tuple[str, str]:
    return Safe(mathml_or_source(drawn.latex, display=False)), Safe(drawn.drawing.svg)


def _source_note(source: str) -> str:
    if not source:
        return ""
    several = len(re.findall(r"\(", source)) > 1
    return f"Eqs. {source} of the source" if several else f"Eq. {source} of the source"
