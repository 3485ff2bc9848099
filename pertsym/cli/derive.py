"""`pertsym derive NAME`: a derivation's steps as text, JSON, LaTeX or HTML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pertsym.cli.console import BAD_INPUT, NOT_DERIVABLE, Ticker, command_errors, emit_json, fail
from pertsym.derivation import Derivation, Step
from pertsym.equations.series import Equations
from pertsym.files import write_whole
from pertsym.library import find
from pertsym.narrative import pipeline
from pertsym.paper import Paper
from pertsym.present.records import form_record, integrand_record
from pertsym.reduction.spectral import ZERO_FORM


@click.command()
@click.argument("name")
@click.option("--order", default=4, show_default=True, help="Even order in the coupling.")
@click.option("--quantity", help="E.g. k_up, inv_T1 or R_abcd; a wrong name lists those there are.")
@click.option("--step", help="Only this step, e.g. wick or spectral; a wrong name lists them.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@click.option("--latex", type=click.Path(dir_okay=False, path_type=Path), help="Write an article.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a web page.")
@command_errors
def derive(
    name: str,
    order: int,
    quantity: str | None,
    step: str | None,
    as_json: bool,
    latex: Path | None,
    html: Path | None,
) -> None:
    """Derive NAME (see `pertsym list`) and show every step, or write it as a document."""
    tick = Ticker()
    try:
        paper = find(name)
    except KeyError as fault:
        fail(str(fault.args[0]), BAD_INPUT)
    if order < 2 or order % 2:
        fail(f"--order: must be a positive even integer, got {order}", BAD_INPUT)
    equations = paper.equations
    if quantity is not None:
        _require_quantity(paper, quantity)
    wanted_terms = equations if step == "wick" and as_json else None
    if wanted_terms is not None and latex is None and html is None:  # any order
        emit_json(_terms(wanted_terms, quantity, order))
        return
    if order not in paper.orders:
        known = ", ".join(map(str, paper.orders))
        fail(
            f"--order: {name} is derived to closed form at orders {known}"
            + (
                ""
                if equations is None
                else f"; at order {order} only the terms exist (--step wick --json)"
            ),
            NOT_DERIVABLE,
        )
    tick(f"deriving {name}")
    derivation = _derivation(paper, quantity, order)
    steps = derivation.steps
    if step is not None:
        try:
            steps = (derivation.step(step),)
        except KeyError as fault:
            fail(f"--step: {fault.args[0]}", BAD_INPUT)
    if latex is not None or html is not None:
        # brings template engines, which steps at a terminal do not need
        from pertsym.present.document import html_document, latex_document

        if latex is not None:
            _write(latex, latex_document(derivation))
        if html is not None:
            _write(html, html_document(derivation))
    if wanted_terms is not None:
        emit_json(_terms(wanted_terms, quantity, order))
    elif as_json:
        emit_json(_record(paper, derivation, steps, quantity, order))
    elif latex is None and html is None:
        _show(derivation, steps)


def _derivation(paper: Paper, quantity: str | None, order: int) -> Derivation:
    whole = paper.derivation(order)
    if quantity is None or paper.equations is None:
        return whole
    return Derivation(
        whole.name,
        f"{whole.title}: {quantity}, order {order}",
        whole.source,
        whole.bibtex,
        whole.conventions,
        whole.legend,
        pipeline(paper.equations, quantity, order),
    )


def _require_quantity(paper: Paper, quantity: str) -> None:
    if paper.equations is None:
        fail(
            f"--quantity: {paper.name} has no quantities to ask for one by one; leave it out, or "
            "choose a --step",
            BAD_INPUT,
        )
    try:
        paper.equations.series(quantity)
    except ValueError as fault:
        fail(f"--{fault}", BAD_INPUT)


def _terms(equations: Equations, chosen: str | None, order: int) -> dict[str, Any]:
    quantity = chosen or equations.names[0]
    terms = equations.terms(quantity, order)
    if terms is None:
        fail(
            f"--quantity: {quantity} is no single sum of terms; ask for R_1010 and R_1001",
            BAD_INPUT,
        )
    return dict(integrand_record(terms))


def _record(
    paper: Paper, derivation: Derivation, steps: tuple[Step, ...], quantity: str | None, order: int
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
    if quantity is not None and paper.equations is not None:
        derived = paper.equations.series(quantity)[order]
        record["form"] = form_record(derived.form)
        if derived.imaginary != ZERO_FORM:
            record["imaginary"] = form_record(derived.imaginary)
    return record


def _show(derivation: Derivation, steps: tuple[Step, ...]) -> None:
    click.echo(derivation.title)
    click.echo(f"{derivation.source}\n")
    for sentence in derivation.legend:
        click.echo(f"  {sentence}")
    for number, step in enumerate(steps, 1):
        click.echo(f"\n{number}. {step.title}  [{step.key}]")
        sources = ", ".join(dict.fromkeys(f.source for f in step.formulas if f.source))
        if sources:
            click.echo(f"   in the source: {sources}")
        for line in step.text:
            click.echo(f"   {line}")


def _write(path: Path, text: str) -> None:
    try:
        write_whole(path, text)
    except OSError as fault:
        fail(f"{path}: cannot be written: {fault.strerror}; choose another file", BAD_INPUT)
    click.echo(f"wrote {path}", err=True)
