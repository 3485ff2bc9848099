"""`pertsym rates MODEL`: the Bloch rates of a model file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import click
import numpy as np

from pertsym.cli.console import (
    BAD_INPUT,
    NOT_DERIVABLE,
    command_errors,
    emit_json,
    even_order,
    fail,
    load,
    note,
    refuse_settings,
    settings_option,
    ticker,
)
from pertsym.cli.missing import NOISE, is_noise, leave, noise, word
from pertsym.cli.missing import record as missing_record
from pertsym.generators.elimination import blocks, eliminated
from pertsym.generators.representation import HIGHEST
from pertsym.generators.second_order import Term
from pertsym.generators.tcl import tcl_generator
from pertsym.model.random_matrix import is_random_matrix_file
from pertsym.model.values import Model
from pertsym.numerics.bounded import Bounded
from pertsym.rates import BlochRates, bloch_rates, out_of_reach, split_lines

DEFAULT_ORDER: Final = 4
RIGOROUS_DIGITS: Final = 15


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--order",
    type=int,
    help="Highest even order in the coupling [4; of random matrices without --total-energy 2].",
)
@click.option(
    "--digits",
    type=click.IntRange(15, 200),
    help="Significant digits of the model as stored, printed as strings: parameters of J and "
    "1/(k_B T) are double-precision numbers, energies and exponentials the decimals written.",
)
@click.option(
    "--rigorous",
    is_flag=True,
    help="Midpoint and radius of a ball that holds the exact number; 15 digits unless --digits.",
)
@click.option(
    "--total-energy",
    type=float,
    help="Of a random-matrix environment: rates at this energy of system and environment together.",
)
@settings_option
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def rates(
    model: Path,
    order: int | None,
    digits: int | None,
    rigorous: bool,
    total_energy: float | None,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Rates of a MODEL file (TOML); for two levels also shift and equilibrium constant.

    More levels: K_aa,bb, the populations' part of the generator. Every even order up to --order
    is printed, each the contribution of that order alone. "error" is a bound where closed forms
    are evaluated (two levels to order 4), else a measured estimate. Spectral densities follow
    the convention of the model file: Ĉ(w > 0) = 2 J(w) [n(w) + 1].
    """
    if order is not None:
        even_order(order)
    if rigorous:
        digits = digits or RIGOROUS_DIGITS
    if is_random_matrix_file(model):
        refuse_settings(settings)
        if rigorous:
            fail(
                "--rigorous: rates of random matrices are not enclosed; leave it out", NOT_DERIVABLE
            )
        from pertsym.cli import random_matrix  # other models do not need it

        random_matrix.rates(model, order, total_energy, digits, as_json)
        return
    if total_energy is not None:
        fail("--total-energy: belongs to a random-matrix environment; leave it out", BAD_INPUT)
    order = DEFAULT_ORDER if order is None else order
    parsed = load(model, settings)
    if parsed.dimension > 2:
        _many_levels(parsed, order, digits, as_json)
        return
    if order <= HIGHEST and (lost := out_of_reach(parsed, order)):
        note(
            f"not derived: {lost[order]}; orders up to {min(lost) - 2} are computed, which may "
            f"take minutes (interrupt, or ask for --order {max(min(lost) - 4, 2)})"
        )
    result = bloch_rates(parsed, order, digits, ticker())
    if as_json:
        emit_json(_record(result, digits, rigorous))
    else:
        _show(result, digits)
    _remarks(parsed, result)
    leave(_missing(result))


def _many_levels(model: Model, order: int, digits: int | None, as_json: bool) -> None:
    """K_aa,bb of every order; diagonal elements included."""
    if digits:
        fail(
            "--digits, --rigorous: more than two levels are computed in double precision",
            NOT_DERIVABLE,
        )
    result = tcl_generator(model, order, progress=ticker())
    size, factor = model.dimension, model.units.rate_to_printed(1.0)
    record: dict[str, Any] = {"orders": {}, "eliminated": {}, "equilibrium_constant": None}
    record["error"] = {"eliminated": {}}
    missing: dict[str, dict[str, dict[str, str]]] = {"divergent": {}, "not_derived": {}}
    terms = {n: term for n, term in result.orders.items() if n}
    levels = np.arange(size) * (size + 1)
    for n, term in terms.items():
        values, errors = _table(term, levels, factor, missing, str(n), "rates")
        record["orders"][str(n)] = {"rates": _parts(values, np.real)}
        record["error"][str(n)] = {"rates": errors}
    for block in blocks(result.orders):
        for n, term in eliminated(result.orders, block).items():
            name = "".join(f"{a}{b}," for a, b in block.elements).rstrip(",")
            places = np.arange(len(block.elements))
            values, errors = _table(term, places, factor, missing, str(n), f"eliminated[{name}]")
            entry = {"elements": [list(ab) for ab in block.elements]}
            record["eliminated"].setdefault(str(n), []).append(
                {**entry, "real": _parts(values, np.real), "imag": _parts(values, np.imag)}
            )
            record["error"]["eliminated"].setdefault(str(n), []).append({**entry, "error": errors})
    record.update({**_noise(record), **missing_record(missing)})
    if as_json:
        emit_json(record)
    else:
        _show_levels(record, missing, model.units.rate or "the unit of the energies")
    leave(missing)


def _noise(record: Mapping[str, Any]) -> dict[str, list[str]]:
    """The entry "noise" of the JSON: the numbers that are not larger than their errors, if any."""
    errors = record["error"]
    found = [*noise(record["orders"], errors, "orders")]
    for key in ("eliminated", "equilibrium_constant"):
        found += noise(record[key], errors.get(key), key)
    return {"noise": found} if found else {}


_Cells = list[list[complex | None]]


def _table(
    term: Term,
    places: Any,
    factor: float,
    missing: dict[str, dict[str, dict[str, str]]],
    order: str,
    name: str,
) -> tuple[_Cells, list[list[float | None]]]:
    """Elements between `places` and their errors; None where they are missing, which is noted."""
    values: _Cells = [[None] * len(places) for _ in places]
    errors: list[list[float | None]] = [[None] * len(places) for _ in places]
    for a, row in enumerate(places):
        for b, column in enumerate(places):
            place = (int(row), int(column))
            for kind, reasons in (("divergent", term.divergent), ("not_derived", term.not_derived)):
                if place in reasons:
                    missing[kind].setdefault(order, {})[f"{name}[{a}][{b}]"] = reasons[place]
                    break
            else:
                values[a][b] = factor * complex(term.matrix[place])
                errors[a][b] = factor * float(term.error[place])
    return values, errors


def _parts(cells: _Cells, part: Callable[[complex], Any]) -> list[list[float | None]]:
    return [[None if x is None else float(part(x)) for x in row] for row in cells]


def _show_levels(
    record: dict[str, Any], missing: dict[str, dict[str, dict[str, str]]], unit: str
) -> None:
    for label, row in record["orders"].items():
        errors = [x for line in record["error"][label]["rates"] for x in line if x is not None]
        off = f"; errors up to {max(errors):.0e}, (less than its error)" if errors else ""
        click.echo(f"contribution of order {label}, in {unit}: K_aa,bb, rows a, columns b{off}")
        for a, line in enumerate(row["rates"]):
            cells = (
                word(missing, label, f"rates[{a}][{b}]")
                if x is None
                else f"({x:.1g})"
                if is_noise(x, record["error"][label]["rates"][a][b])
                else f"{x:.10g}"
                for b, x in enumerate(line)
            )
            click.echo("  " + "".join(f"{cell:>18}" for cell in cells))
        click.echo(f"eigenvalues of the coherences ab by themselves, order {label}, in {unit}")
        for block in record["eliminated"][label][1:]:
            if len(block["elements"]) == 1:
                ((a, b),) = block["elements"]
                decay, shift = block["real"][0][0], block["imag"][0][0]
                said = (
                    "not available"
                    if decay is None
                    else f"1/T2 {-decay:18.10g}   shift {-shift:18.10g}"
                )
                click.echo(f"  {f'{a}{b}':<6}{said}")
            else:
                several = " ".join(f"{a}{b}" for a, b in block["elements"])
                click.echo(f"  {several}   of one frequency: their block is in the JSON")


def _missing(result: BlochRates) -> dict[str, dict[str, dict[str, str]]]:
    return {"divergent": result.divergent, "not_derived": result.not_derived}


def _remarks(model: Model, result: BlochRates) -> None:
    if growing := result.growing():
        note(
            f"order 4 exceeds order 2 for {', '.join(growing)}: the expansion does not converge at "
            "this coupling, or order 2 is small by cancellation (higher orders tell, --order 6)"
        )
    for name, ratios in result.diverging().items():
        note(
            f"orders 2, 4, ... of {name}, an eigenvalue of the whole generator, fall off slowly, "
            f"by {', '.join(f'{x:.2g}' for x in ratios)}: extrapolated, the series does not "
            "converge at this coupling; errors are those of each order, not of the sum"
        )
    for name, (g, total) in split_lines(model).items():
        note(
            f"baths.{name} shifts the frequency by {g:.3g} between its states, more than the sum "
            f"{total:.3g} of its rates: the line splits, and the series of 1/T2 and of the shift "
            "does not converge (exact if the coupling is diagonal in the eigenbasis)"
        )
    if result.equilibrium_constant is None:
        note("no equilibrium constant: the baths are not all quantum-thermal at one temperature")


def _record(result: BlochRates, digits: int | None, rigorous: bool) -> dict[str, Any]:
    def values(row: dict[Any, Bounded | None]) -> dict[str, float | str | None]:
        return {str(key): _value(x, digits, rigorous) for key, x in row.items()}

    def errors(row: dict[Any, Bounded | None]) -> dict[str, float | str | None]:
        return {str(key): _error(x, digits, rigorous) for key, x in row.items()}

    record: dict[str, Any] = {
        "orders": {str(n): values(row) for n, row in result.orders.items()},
        "equilibrium_constant": None,
        "error": {str(n): errors(row) for n, row in result.orders.items()},
    }
    if result.equilibrium_constant is not None:
        record["equilibrium_constant"] = values(result.equilibrium_constant)
        record["error"]["equilibrium_constant"] = errors(result.equilibrium_constant)
    record["eliminated"] = {str(n): values(row) for n, row in result.eliminated.items()}
    record["error"]["eliminated"] = {str(n): errors(row) for n, row in result.eliminated.items()}
    return {**record, **_noise(record), **missing_record(_missing(result))}


def _value(x: Bounded | None, digits: int | None, rigorous: bool) -> float | str | None:
    if x is None:
        return None
    if digits is None:
        return float(x.value)
    return x.ball_text(digits)[0] if rigorous else x.text(digits)


def _error(x: Bounded | None, digits: int | None, rigorous: bool) -> float | str | None:
    if x is None:
        return None
    return x.ball_text(digits)[1] if rigorous and digits else float(x.error)


def _show(result: BlochRates, digits: int | None) -> None:
    shown, missing = digits or 12, _missing(result)
    unit = f"in {result.rate_unit}" if result.rate_unit else "in the unit of the energies"
    for n, row in result.orders.items():
        click.echo(f"contribution of order {n}, {unit}")
        for name, x in row.items():
            click.echo(f"  {name:<16}{_line(x, shown, word(missing, str(n), name))}")
    for n, row in result.eliminated.items():
        if all(_same(x, result.orders[n][name]) for name, x in row.items()):
            continue
        click.echo(
            f"eigenvalues of the whole generator, what an experiment sees, order {n}, {unit}"
        )
        for name, x in row.items():
            said = word(missing, str(n), "eliminated")
            click.echo(f"  {name:<16}{_line(x, shown, said)}")
    if result.equilibrium_constant is not None:
        click.echo("equilibrium constant K = p1/p0")
        for n, x in result.equilibrium_constant.items():
            said = word(missing, str(n), "equilibrium_constant")
            click.echo(f"  order {n:<10}{_line(x, shown, said)}")


def _same(a: Bounded | None, b: Bounded | None) -> bool:
    """Whether two numbers of one origin differ by no more than rounding, far below their errors."""
    if a is None or b is None:
        return a is b
    return a is b or abs(float(a.value - b.value)) <= float(a.error) / 10


def _line(x: Bounded | None, shown: int, otherwise: str) -> str:
    if x is None:
        return f"{otherwise:>{shown + 8}}"
    small = NOISE if is_noise(x.value, x.error) else ""
    return f"{x.text(shown):>{shown + 8}}  +- {float(x.error):.1e}{small}"
