"""`pertsym generator MODEL`: the time-convolutionless generator of a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

from pertsym.cli.console import (
    BAD_INPUT,
    DOES_NOT_EXIST,
    Ticker,
    command_errors,
    emit_json,
    fail,
    load,
)
from pertsym.generators.second_order import Term
from pertsym.generators.tcl import Generator, tcl_generator


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--order", default=4, show_default=True, help="Highest even order in the coupling.")
@click.option("--time", type=float, help="Time since the product state; left out: t -> infinity.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def generator(model: Path, order: int, time: float | None, as_json: bool) -> None:
    """Time-convolutionless generator of a MODEL file (TOML), order by order.

    d rho/dt = sum of K_n rho, Schroedinger picture, energy eigenbasis; N^2 x N^2 matrices over
    row-major vec (rho_ab sits at a N + b). Order 0 is -i [H_S, .]. Ĉ(w > 0) = 2 J(w) [n(w) + 1].
    """
    if order < 0 or order % 2:
        fail(f"--order: must be an even integer >= 0, got {order}", BAD_INPUT)
    if time is not None and not 0 <= time < np.inf:
        fail(f"--time: must be finite and >= 0, got {time}", BAD_INPUT)
    parsed = load(model)
    units = parsed.units
    inside = None if time is None else units.time_to_internal(time)
    result = tcl_generator(parsed, order, inside, progress=Ticker())
    factor = units.rate_to_printed(1.0)
    if as_json:
        emit_json(_record(result, factor))
    else:
        _show(result, factor, units.rate)
    divergent = False
    for n, term in result.orders.items():
        for place, reason in term.divergent.items():
            divergent = True
            click.echo(
                f"divergent: {_name(place, result.dimension)}, order {n}: {reason}", err=True
            )
    if divergent:
        raise SystemExit(DOES_NOT_EXIST)


def _name(place: tuple[int, int], size: int) -> str:
    """K_ab,cd of a row and a column."""
    (a, b), (c, d) = divmod(place[0], size), divmod(place[1], size)
    return f"K_{a},{b};{c},{d}" if size > 10 else f"K_{a}{b},{c}{d}"


def _record(result: Generator, factor: float) -> dict[str, Any]:
    size = result.dimension
    record: dict[str, Any] = {"dimension": size, "orders": {}, "error": {}}
    for n, term in result.orders.items():
        matrix = factor * term.matrix
        record["orders"][str(n)] = {
            part: _rows(values, term)
            for part, values in (("real", matrix.real), ("imag", matrix.imag))
        }
        record["error"][str(n)] = _rows(factor * term.error, term)
    divergent = {
        str(n): {_name(place, size): reason for place, reason in term.divergent.items()}
        for n, term in result.orders.items()
        if term.divergent
    }
    if divergent:
        record["divergent"] = divergent
    return record


def _rows(values: np.ndarray[Any, Any], term: Term) -> list[list[float | None]]:
    """Plain numbers, null where the element does not exist."""
    return [
        [None if (i, j) in term.divergent else float(x) for j, x in enumerate(row)]
        for i, row in enumerate(values)
    ]


def _show(result: Generator, factor: float, unit: str) -> None:
    size = result.dimension
    shown = f"in {unit}" if unit else "in the unit of the energies"
    for n, term in result.orders.items():
        click.echo(f"order {n}, {shown}: elements larger than their error")
        for place in np.ndindex(term.matrix.shape):
            value, error = factor * term.matrix[place], factor * term.error[place]
            row, column = int(place[0]), int(place[1])
            name = _name((row, column), size)
            if (row, column) in term.divergent:
                click.echo(f"  {name:<12} divergent")
            elif abs(value) > error:
                click.echo(
                    f"  {name:<12}{value.real:>22.14g} {value.imag:>+22.14g} i  +- {error:.1e}"
                )
