"""`pertsym compare SOURCE`: is the formula on paper the one that is derived?"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import click

from pertsym.cli.console import (
    BAD_INPUT,
    CHECK_FAILED,
    NOT_DERIVABLE,
    Ticker,
    command_errors,
    emit_json,
    fail,
    load,
)
from pertsym.equations.series import Equations, Quantity
from pertsym.language.decide import Undecided, compare_form
from pertsym.language.dictionary import Dictionary
from pertsym.language.limits import LIMITS, Limit
from pertsym.language.syntax import LONGEST, FormulaError
from pertsym.model.values import Model

_CLOSED = (2, 4)


@click.command()
@click.argument("source")
@click.argument("formula", metavar="FILE", type=click.File(encoding="utf-8"))
@click.option("--quantity", required=True, help="E.g. k_up, inv_T1 or R_abcd.")
@click.option("--order", type=int, required=True, help="Even order in the coupling.")
@click.option("--limit", type=click.Choice(LIMITS[1:]), help="Compare in this limit.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def compare(
    source: str, formula: TextIO, quantity: str, order: int, limit: Limit | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Compare the formula in FILE with what is derived for SOURCE.

    SOURCE is a derivation's NAME (see `pertsym list`) or a MODEL file.  FILE (- for stdin) holds a
    right-hand side, or `name = right-hand side`, in LaTeX or as text; a name that begins with Re
    or Im compares that part.  A formula with J, n, coth or exp(-beta w) is compared under detailed
    balance.

    \b
    Exit codes: 0 equal; 1 different, or equal up to a factor; 2 not understood, with the place.
    """
    tick = Ticker()
    if order < 2 or order % 2:
        fail(f"--order: must be a positive even integer, got {order}", BAD_INPUT)
    text = _read(formula)
    equations, orders, dictionary = _equations(source)
    if order not in orders:
        fail(
            f"--order: {source} is derived to closed form at orders {', '.join(map(str, orders))}",
            NOT_DERIVABLE,
        )
    tick(f"deriving {quantity}")
    try:
        derived = _derived(equations, quantity, order)
    except ValueError as fault:
        fail(f"--{fault}", BAD_INPUT)
    try:
        result = compare_form(
            derived.form, text, dictionary, imaginary=derived.imaginary, limit=limit or ""
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


def _derived(equations: Equations, quantity: str, order: int) -> Quantity:
    """A quantity by name, the equilibrium constant of two levels among them."""
    if quantity == "equilibrium_constant" and equations.interaction.dimension == 2:
        from pertsym.equations.equilibrium import EquilibriumConstant

        form = EquilibriumConstant(equations.interaction)[order]
        return Quantity(quantity, order, None, form)
    return equations.series(quantity)[order]


def _temperature(model: Model) -> Limit:
    """The limit in which J, n and beta are read: that of the model's baths, if they share one."""
    kinds = {(bath.statistics, bath.beta) for bath in model.used_baths}
    if len(kinds) != 1:
        return ""
    ((statistics, beta),) = kinds
    if beta is None:
        return ""
    if statistics == "classical":
        return "classical"
    return "zero-temperature" if math.isinf(beta) else "thermal"


def _equations(source: str) -> tuple[Equations, tuple[int, ...], Dictionary]:
    """What is derived, at which orders, and what its names mean."""
    if Path(source).is_file():
        from pertsym.equations.bloch import Bloch
        from pertsym.equations.generator import Generator
        from pertsym.rates import interaction_of

        model = load(Path(source))
        interaction = interaction_of(model)
        equations = Bloch(interaction) if interaction.dimension == 2 else Generator(interaction)
        names = replace(Dictionary.of(interaction), temperature=_temperature(model))
        return equations, _CLOSED, names
    from pertsym.library import find

    try:
        paper = find(source)
    except KeyError:
        fail(
            f"SOURCE: {source!r} is neither a derivation (see `pertsym list`) nor a model file",
            BAD_INPUT,
        )
    if paper.equations is None:
        fail(f"SOURCE: {source} has no quantities to ask for one by one", BAD_INPUT)
    return paper.equations, paper.orders, paper.dictionary
