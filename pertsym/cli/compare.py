"""`pertsym compare SOURCE`: is the formula on paper the one that is derived?"""

from __future__ import annotations

from typing import TextIO

import click

from pertsym.cli.console import (
    BAD_INPUT,
    CHECK_FAILED,
    NOT_DERIVABLE,
    command_errors,
    did_you_mean,
    emit_json,
    even_order,
    fail,
    settings_option,
    ticker,
)
from pertsym.cli.source import source_of
from pertsym.equations.equilibrium import quantity_of
from pertsym.language.decide import Undecided, compare_form
from pertsym.language.limits import LIMITS, Limit
from pertsym.language.syntax import LONGEST, FormulaError


@click.command()
@click.argument("source")
@click.argument("formula", metavar="FILE", type=click.File(encoding="utf-8"))
@click.option("--quantity", required=True, help="E.g. k_up, inv_T1 or R_abcd.")
@click.option("--order", type=int, required=True, help="Even order in the coupling.")
@settings_option
@click.option("--limit", type=click.Choice(LIMITS[1:]), help="Compare in this limit.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def compare(
    source: str, formula: TextIO, quantity: str, order: int, settings: tuple[str, ...],
    limit: Limit | None, as_json: bool,
) -> None:  # fmt: skip
    """Compare the formula in FILE with what is derived for SOURCE.

    SOURCE is a derivation's NAME (see `pertsym list`) or a MODEL file, whose names are those that
    `pertsym derive` shows; of two levels also the file's symbols, with w0 their gap.  FILE (- for
    stdin) holds a right-hand side, or `name = right-hand side`, in LaTeX or as text; a name that
    begins with Re or Im compares that part.  A formula with J, n, coth or exp(-beta w) is compared
    under detailed balance.

    \b
    Exit codes: 0 equal; 1 different, or equal up to a factor; 2 not understood, with the place.
    """
    tick = ticker()
    even_order(order)
    text = _read(formula)
    chosen = source_of(source, settings)
    equations = chosen.equations
    if equations is None:
        fail(f"SOURCE: {source} has no quantities to ask for one by one", BAD_INPUT)
    if order not in chosen.orders:
        known = ", ".join(map(str, chosen.orders))
        fail(
            f"--order: {source} is derived to closed form at orders {known}",
            NOT_DERIVABLE,
        )
    tick(f"deriving {quantity}")
    try:
        derived = quantity_of(equations, quantity, order)
    except ValueError as fault:
        fail(f"--{fault}{did_you_mean(quantity, equations.names)}", BAD_INPUT)
    try:
        result = compare_form(
            derived.form, text, chosen.dictionary(), imaginary=derived.imaginary, limit=limit or ""
        )
    except FormulaError as fault:
        fail(f"{formula.name}: {fault}", BAD_INPUT)
    except (Undecided, ValueError) as fault:
        fail(str(fault), NOT_DERIVABLE)
    if as_json:
        emit_json(result.record())
    else:
        click.echo(repr(result))
    if not result:
        raise SystemExit(CHECK_FAILED)


def _read(formula: TextIO) -> str:
    try:
        return str(formula.read(LONGEST + 1))
    except UnicodeDecodeError:
        fail(f"{formula.name}: is not UTF-8 text; save the formula as UTF-8", BAD_INPUT)
