"""`pertsym derive SOURCE`: a derivation's steps as text, JSON, LaTeX, HTML or a notebook."""

from __future__ import annotations

import re
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pertsym.cli.console import (
    BAD_INPUT,
    NOT_DERIVABLE,
    command_errors,
    did_you_mean,
    emit_json,
    even_order,
    fail,
    note,
    settings_option,
    ticker,
)
from pertsym.cli.source import Source, source_of
from pertsym.derivation import Derivation, Step
from pertsym.equations.equilibrium import EquilibriumConstant, is_constant
from pertsym.equations.series import Equations
from pertsym.files import require_writable, write_whole
from pertsym.narrative import pipeline
from pertsym.present.records import form_record, integrand_record
from pertsym.reduction.spectral import ZERO_FORM
from pertsym.results import ConstantResult, ConstantSeries, Result

_MOST_TERMS = 10  # the order, with 10^6 terms


@click.command()
@click.argument("source")
@click.option("--order", default=4, show_default=True, help="Even order in the coupling.")
@click.option("--quantity", help="E.g. k_up, R_abcd or K; a wrong name lists those there are.")
@click.option("--step", help="Only this step, e.g. wick or spectral; a wrong name lists them.")
@settings_option
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@click.option("--latex", type=click.Path(dir_okay=False, path_type=Path), help="Write an article.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a web page.")
@click.option(
    "--notebook",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a notebook, executed where nbclient and ipykernel are installed.",
)
@command_errors
def derive(
    source: str,
    order: int,
    quantity: str | None,
    step: str | None,
    settings: tuple[str, ...],
    as_json: bool,
    latex: Path | None,
    html: Path | None,
    notebook: Path | None,
) -> None:
    """Derive SOURCE, a NAME (see `pertsym list`) or a MODEL file, and show every step.

    A model file may leave its symbols without value. Documents state the Hamiltonian, its
    eigenbasis, all definitions, every stage and, where the file has values, the numbers.
    """
    tick = ticker()
    chosen = source_of(source, settings)
    equations = chosen.equations
    constant = equations is not None and is_constant(equations, quantity)
    even_order(order, 0 if constant else 2)
    if quantity is not None:
        _require_quantity(chosen, quantity)
    written = [file for file in (latex, html, notebook) if file is not None]
    writes = bool(written)
    for file in written:
        require_writable(file)
    wanted_terms = equations if step == "wick" and as_json else None
    if wanted_terms is not None and order > _MOST_TERMS:
        fail(
            f"--order: terms of order {order} are out of reach; ask for {_MOST_TERMS} at most",
            NOT_DERIVABLE,
        )
    if wanted_terms is not None and not writes:  # any order
        emit_json(_terms(wanted_terms, quantity, order))
        return
    if order not in chosen.orders and not (constant and order == 0):
        known = ", ".join(map(str, chosen.orders))
        fail(
            f"--order: {chosen.name} is derived to closed form at orders {known}"
            + (
                ""
                if equations is None
                else f"; at order {order} only the terms exist (--step wick --json)"
            ),
            NOT_DERIVABLE,
        )
    tick(f"deriving {chosen.name}")
    derivation = _derivation(chosen, quantity, order)
    steps = derivation.steps
    if step is not None:
        try:
            steps = (derivation.step(step),)
            if not (as_json or writes):
                steps = (*_abbreviations(derivation, steps[0]), *steps)
        except KeyError as fault:
            near = did_you_mean(step, [known.key for known in derivation.steps])
            fail(f"--step: {fault.args[0]}{near}", BAD_INPUT)
    if latex is not None or html is not None:
        # brings template engines, which steps at a terminal do not need
        from pertsym.present.document import html_document, latex_document

        if latex is not None:
            _write(latex, latex_document(derivation))
        if html is not None:
            _write(html, html_document(derivation))
    if notebook is not None:
        _write_notebook(notebook, derivation, chosen.cells)
    if wanted_terms is not None:
        emit_json(_terms(wanted_terms, quantity, order))
    elif as_json:
        emit_json(_record(chosen, derivation, steps, quantity, order))
    elif not writes:
        _show(derivation, steps)


def _derivation(source: Source, quantity: str | None, order: int) -> Derivation:
    if quantity is None or source.equations is None:
        return source.document(order)
    if is_constant(source.equations, quantity):
        stages: tuple[Step, ...] = _constant(source.equations, order).steps
    else:
        stages = (*pipeline(source.equations, quantity, order), *source.values(quantity, order))
    steps = (*source.preface(), *stages)
    title = f"{source.heading.title}: {quantity}, order {order}"
    return replace(source.heading, title=title, steps=steps)


def _constant(equations: Equations, order: int) -> ConstantResult:
    try:
        return ConstantSeries(EquilibriumConstant(equations.interaction))[order]
    except ValueError as fault:
        fail(f"--{fault}", NOT_DERIVABLE)


def _abbreviations(derivation: Derivation, chosen: Step) -> tuple[Step, ...]:
    """The definitions of the names in the formulas of one step, of one's own model."""
    found = next((known for known in derivation.steps if known.key == "eigenbasis"), None)
    if found is None or chosen.key in ("eigenbasis", "hamiltonian", "definitions"):
        return ()
    written = "\n".join((*chosen.text, *(line for f in chosen.formulas for line in f.text)))
    lines = tuple(
        line
        for line in found.text
        if re.search(rf"(?<![\w])(?:{re.escape(line.partition(' = ')[0])})(?![A-Za-z_])", written)
    )
    prose = "Names in the formulas below:"
    return (replace(found, title="Abbreviations", prose=prose, formulas=(), text=lines),) * bool(
        lines
    )


def _require_quantity(source: Source, quantity: str) -> None:
    if source.equations is None:
        fail(
            f"--quantity: {source.name} has no quantities to ask for one by one; leave it out, or "
            "choose a --step",
            BAD_INPUT,
        )
    if is_constant(source.equations, quantity):
        return
    try:
        source.equations.series(quantity)
    except ValueError as fault:
        names = (*source.equations.names, "equilibrium_constant")
        two = source.equations.interaction.dimension == 2
        near = did_you_mean(quantity, names if two else names[:-1])
        fail(f"--{fault}{near}", BAD_INPUT)


def _terms(equations: Equations, chosen: str | None, order: int) -> dict[str, Any]:
    quantity = chosen or equations.names[0]
    terms = None if is_constant(equations, quantity) else equations.terms(quantity, order)
    if terms is None:
        fail(
            f"--quantity: {quantity} is no single sum of terms; ask for R_1010 and R_1001",
            BAD_INPUT,
        )
    return dict(integrand_record(terms))


def _record(
    source: Source,
    derivation: Derivation,
    steps: tuple[Step, ...],
    quantity: str | None,
    order: int,
) -> dict[str, Any]:
    record: dict[str, Any] = {
        "name": derivation.name,
        "title": derivation.title,
        "source": derivation.source,
        "steps": [
            {
                "key": step.key,
                "title": step.title,
                "prose": step.prose,
                "latex": [{"formula": f.latex, "source": f.source} for f in step.formulas],
                "text": list(step.text),
            }
            for step in steps
        ],
    }
    if quantity is not None and source.equations is not None:
        if is_constant(source.equations, quantity):
            result: Result = _constant(source.equations, order)
        else:
            result = Result(source.equations.series(quantity)[order], source.equations)
        record["form"] = form_record(result.form)
        record["latex"], record["text"] = result.real.latex(), result.real.text
        if result.imaginary_form != ZERO_FORM:
            record["imaginary"] = form_record(result.imaginary_form)
            record["imaginary_latex"] = result.imaginary.latex()
            record["imaginary_text"] = result.imaginary.text
    return record


def _show(derivation: Derivation, steps: tuple[Step, ...]) -> None:
    from pertsym.present.text import COLUMNS, formula_text, prose_text

    def prose(text: str, indent: str = "") -> None:
        for paragraph in filter(None, map(str.strip, text.split("\n\n"))):
            click.echo(
                textwrap.fill(
                    prose_text(paragraph),
                    COLUMNS,
                    initial_indent=indent,
                    subsequent_indent=indent,
                    break_on_hyphens=False,
                )
            )

    prose(derivation.title)
    if derivation.source:
        click.echo(f"{derivation.source}\n")
    for sentence in derivation.conventions:
        prose(sentence, "  ")
    section = part = 0
    for step in steps:
        section, part = (section + 1, 0) if step.level == 1 else (section, part + 1)
        number = f"{section}.{part}" if part else f"{section}."
        click.echo(f"\n{number} {prose_text(step.title)}  [{step.key}]")
        prose(step.prose)
        sources = ", ".join(dict.fromkeys(f.source for f in step.formulas if f.source))
        if sources:
            click.echo(f"   in the source: {sources}")
        shown = step.text
        if any(formula.lead for formula in step.formulas):  # each line under the words before it
            shown = ()
            for formula in step.formulas:
                prose(formula.lead)
                for line in formula_text(formula):
                    click.echo(f"   {line}")
        for line in shown:
            click.echo(f"   {line}")


def _write_notebook(path: Path, derivation: Derivation, cells: tuple[str, ...]) -> None:
    from pertsym.present.notebook import write_notebook  # brings nbformat

    try:
        executed = write_notebook(path, derivation, cells)
    except ModuleNotFoundError as fault:
        fail(f"--notebook: {fault}", BAD_INPUT)
    click.echo(f"wrote {path}", err=True)
    if not executed:
        note("the notebook is not executed: install pertsym[notebook] to have it run")


def _write(path: Path, text: str) -> None:
    write_whole(path, text)
    click.echo(f"wrote {path}", err=True)
