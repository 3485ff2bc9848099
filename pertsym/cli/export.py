"""`pertsym export MODEL`: one self-contained source file."""

from __future__ import annotations

from pathlib import Path

import click

from pertsym.cli.console import (
    BAD_INPUT,
    command_errors,
    emit_json,
    even_order,
    fail,
    load,
    note,
    read_values,
    settings_option,
)
from pertsym.codegen.export import LANGUAGES, Codegen


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--language", type=click.Choice(tuple(LANGUAGES)), required=True, help="Of the file.")
@click.option("--order", type=int, default=4, show_default=True, help="Highest even order.")
@click.option("--quantities", help="Names, separated by commas [all but *_eliminated].")
@settings_option
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@click.option("--output", type=click.Path(path_type=Path), required=True, help="The file to write.")
@command_errors
def export(
    model: Path, language: str, order: int, quantities: str | None, settings: tuple[str, ...],
    output: Path, as_json: bool,
) -> None:  # fmt: skip
    """Write the rates of a two-level MODEL as one source file that needs no pertsym.

    Python needs numpy; `evaluate(**parameters)` and `errors(**parameters)` broadcast over arrays.
    C99 has `double QUANTITY_ORDER(const struct parameters *)` and a form for many points.  Run as
    a script, or compiled with -DSELFTEST, it compares stored values, computed now with more
    digits, and prints "N passed, M failed".  Julia and Mathematica do the same point by point.
    jax is for gradients, near the model's parameters.
    """
    # what reads a model as it was stated brings SymPy
    from pertsym.files import require_writable, write_whole
    from pertsym.model.diagonalisation import eigenbasis_of
    from pertsym.model.statement_file import load_statement

    even_order(order)
    require_writable(output)
    names = [name.strip() for name in (quantities or "").split(",") if name.strip()]
    if quantities is not None and not names:
        fail("--quantities: names none; leave it out for all", BAD_INPUT)
    numbers = load(model, settings)
    stated = load_statement(model, read_values(model, settings))
    basis = eigenbasis_of(stated) if numbers.dimension == 2 else None
    code = Codegen.of(numbers, order, names, basis=basis, values=stated.values)
    for name, reason in code.missing.items():
        note(f"left out: {name}: {reason}")
    write_whole(output, code.render(language))
    if as_json:
        emit_json({"output": str(output), "language": language, "left_out": dict(code.missing)})
    click.echo(f"wrote {output}", err=True)
