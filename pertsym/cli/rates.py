"""`pertsym rates MODEL`: the Bloch rates of a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import mpmath
import numpy as np

from pertsym.cli.console import (
    BAD_INPUT,
    DOES_NOT_EXIST,
    NOT_DERIVABLE,
    Ticker,
    command_errors,
    emit_json,
    fail,
    load,
    note,
)
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.numerics.bounded import Bounded
from pertsym.rates import BlochRates, bloch_rates


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--order", default=4, show_default=True, help="Highest even order in the coupling.")
@click.option(
    "--digits",
    type=click.IntRange(15, 200),
    help="Significant digits of the model as stored, printed as strings: parameters of J and "
    "1/(k_B T) are double-precision numbers, energies and exponentials the decimals written.",
)
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
    parsed = load(model)
    try:
        with np.errstate(all="ignore"):  # overflow is found in the result and named there
            result = bloch_rates(parsed, order, digits, Ticker())
    except (InputError, NotYetDerivable) as fault:  # the model's name is not the user's file
        raise type(fault)(str(model), fault.key, fault.problem, fault.remedy) from None
    if as_json:
        emit_json(_record(result, digits))
    else:
        _show(result, digits)
    _remarks(result)
    if result.not_derived:
        raise SystemExit(NOT_DERIVABLE)
    if result.divergent:
        raise SystemExit(DOES_NOT_EXIST)


def _remarks(result: BlochRates) -> None:
    for kind, entries in (("divergent", result.divergent), ("not derived yet", result.not_derived)):
        for where, reasons in entries.items():
            for name, reason in reasons.items():
                click.echo(f"{kind}: {name}, order {where}: {reason}", err=True)
    if growing := result.growing():
        note(
            f"order 4 exceeds order 2 for {', '.join(growing)}: the expansion does not converge "
            "at this coupling"
        )
    if result.equilibrium_constant is None:
        note("no equilibrium constant: the baths are not all quantum-thermal at one temperature")


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
    if result.not_derived:
        record["not_derived"] = result.not_derived
    return record


def _value(x: Bounded | None, digits: int | None) -> float | str | None:
    if x is None:
        return None
    return float(x.value) if digits is None else str(mpmath.nstr(x.value, digits))


def _error(x: Bounded | None) -> float | None:
    return None if x is None else float(x.error)


def _show(result: BlochRates, digits: int | None) -> None:
    shown = digits or 12
    unit = f"in {result.rate_unit}" if result.rate_unit else "in the unit of the energies"
    for n, row in result.orders.items():
        click.echo(f"contribution of order {n}, {unit}")
        for name, x in row.items():
            click.echo(f"  {name:<16}{_line(x, shown)}")
    if result.equilibrium_constant is not None:
        click.echo("equilibrium constant K = p1/p0")
        for n, x in result.equilibrium_constant.items():
            click.echo(f"  order {n:<10}{_line(x, shown)}")


def _line(x: Bounded | None, shown: int) -> str:
    if x is None:
        return f"{'not available':>{shown + 8}}"
    value = x.value if isinstance(x.value, mpmath.mpf) else mpmath.mpf(float(x.value))
    return f"{mpmath.nstr(value, shown):>{shown + 8}}  +- {float(x.error):.1e}"
