"""`pertsym rates MODEL`: the Bloch rates of a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import mpmath

from pertsym.cli.console import (
    BAD_INPUT,
    DOES_NOT_EXIST,
    Ticker,
    command_errors,
    emit_json,
    fail,
    note,
)
from pertsym.model.file import load_model
from pertsym.numerics.bounded import Bounded
from pertsym.rates import BlochRates, bloch_rates


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--order", default=4, show_default=True, help="Highest even order in the coupling.")
@click.option("--digits", type=click.IntRange(15, 200), help="Significant digits, as strings.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def rates(model: Path, order: int, digits: int | None, as_json: bool) -> None:
    """Rates, frequency shift and equilibrium constant of a two-level MODEL file (TOML).

    Every even order up to --order is printed, each the contribution of that order alone, with a
    bound on its error. Spectral densities follow the convention of the model file:
    Ĉ(w > 0) = 2 J(w) [n(w) + 1].
    """
    if order < 2 or order % 2:
        fail(f"--order: must be a positive even integer, got {order}", BAD_INPUT)
    parsed = load_model(model)
    for remark in parsed.notes:
        note(f"{model}: {remark}")
    result = bloch_rates(parsed, order, digits, Ticker())
    if as_json:
        emit_json(_record(result, digits))
    else:
        _show(result, parsed.units.name, digits)
    for where, reasons in result.divergent.items():
        for name, reason in reasons.items():
            click.echo(f"divergent: {name}, order {where}: {reason}", err=True)
    if result.divergent:
        raise SystemExit(DOES_NOT_EXIST)


def _record(result: BlochRates, digits: int | None) -> dict[str, Any]:
    record: dict[str, Any] = {
        "orders": {
            str(n): {name: _value(x, digits) for name, x in row.items()}
            for n, row in result.orders.items()
        },
        "equilibrium_constant": None,
        "error": {
            str(n): {name: _error(x) for name, x in row.items()} for n, row in result.orders.items()
        },
    }
    if result.equilibrium_constant is not None:
        constant = result.equilibrium_constant
        record["equilibrium_constant"] = {str(n): _value(x, digits) for n, x in constant.items()}
        record["error"]["equilibrium_constant"] = {str(n): _error(x) for n, x in constant.items()}
    if result.divergent:
        record["divergent"] = result.divergent
    return record


def _value(x: Bounded | None, digits: int | None) -> float | str | None:
    if x is None:
        return None
    return float(x.value) if digits is None else str(mpmath.nstr(x.value, digits))


def _error(x: Bounded | None) -> float | None:
    return None if x is None else float(x.error)


def _show(result: BlochRates, units: str, digits: int | None) -> None:
    shown = digits or 12
    for n, row in result.orders.items():
        click.echo(f"order {n} ({units} units)")
        for name, x in row.items():
            click.echo(f"  {name:<16}{_line(x, shown)}")
    if result.equilibrium_constant is not None:
        click.echo("equilibrium constant K = p1/p0")
        for n, x in result.equilibrium_constant.items():
            click.echo(f"  order {n:<10}{_line(x, shown)}")


def _line(x: Bounded | None, shown: int) -> str:
    if x is None:
        return "divergent"
    return f"{mpmath.nstr(mpmath.mpf(x.value), shown):>{shown + 8}}  +- {float(x.error):.1e}"
