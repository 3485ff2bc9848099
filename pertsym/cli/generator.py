"""`pertsym generator MODEL`: the time-convolutionless generator of a model file, and its parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

from pertsym.cli.console import (
    BAD_INPUT,
    command_errors,
    emit_json,
    even_order,
    fail,
    load,
    settings_option,
    ticker,
)
from pertsym.cli.missing import WORDS, leave, word
from pertsym.cli.missing import record as missing_record
from pertsym.generators.canonical_form import Parts, PartsError, decompose, parts_error, total_term
from pertsym.generators.second_order import Term
from pertsym.generators.system import element_name
from pertsym.generators.tcl import Generator, tcl_generator


def _each(result: Generator) -> Iterator[tuple[str, tuple[Parts, PartsError] | None]]:
    """Every order, then all together; None where an element is missing."""
    named = {str(n): term for n, term in result.orders.items()}
    named["total"] = total_term(result.orders)
    for name, term in named.items():
        # the parts of one order mix its elements
        missing = term.divergent or term.not_derived
        yield name, None if missing else (decompose(term.matrix), parts_error(term))


def parts_record(result: Generator, factor: float) -> dict[str, Any]:
    """For JSON, in the printed unit: null for an order with an element that is missing."""
    record: dict[str, Any] = {}
    for name, found in _each(result):
        if found is None:
            record[name] = None
            continue
        parts, error = found
        record[name] = {
            "hamiltonian": _complex(factor * parts.hamiltonian),
            "dissipator": _complex(factor * parts.dissipator),
            "canonical_rates": (factor * parts.rates).tolist(),
            "error": {
                "hamiltonian": factor * error.hamiltonian,
                "canonical_rates": factor * error.rates,
            },
        }
    return record


def show_parts(result: Generator, factor: float, unit: str) -> None:
    """The Hamiltonians and the canonical rates as text."""
    shown = f"in {unit}" if unit else "in the unit of the energies"
    for name, found in _each(result):
        title = "all orders" if name == "total" else f"order {name}"
        if found is None:
            click.echo(f"{title}: no canonical form, because an element is missing")
            continue
        parts, error = found
        click.echo(f"{title}, {shown}: H without trace, +- {factor * error.hamiltonian:.1e}")
        for a, b in np.argwhere(np.abs(parts.hamiltonian) > error.hamiltonian):
            value = factor * parts.hamiltonian[a, b]
            element = f"H_{a},{b}" if result.dimension > 10 else f"H_{a}{b}"
            click.echo(f"  {element:<12}{value.real:>22.14g} {value.imag:>+22.14g} i")
        click.echo(f"{title}, {shown}: canonical rates, +- {factor * error.rates:.1e}")
        for rate in parts.rates:
            if abs(rate) > error.rates:
                negative = "  negative" if rate < 0 else ""
                click.echo(f"  {factor * rate:>22.14g}{negative}")


def _complex(matrix: np.ndarray[Any, Any]) -> dict[str, Any]:
    return {"real": matrix.real.tolist(), "imag": matrix.imag.tolist()}


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--order", default=4, show_default=True, help="Highest even order in the coupling.")
@click.option("--time", type=float, help="Time since the product state; left out: t -> infinity.")
@click.option(
    "--spectral",
    is_flag=True,
    help="Order 4 from closed spectral forms, without a fit: few levels, t -> infinity.",
)
@click.option(
    "--parts",
    "with_parts",
    is_flag=True,
    help="Also Hamiltonian (Lamb shift), dissipator and canonical rates of each order, and of all.",
)
@settings_option
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def generator(
    model: Path,
    order: int,
    time: float | None,
    spectral: bool,
    with_parts: bool,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Time-convolutionless generator of a MODEL file (TOML), order by order.

    d rho/dt = sum of K_n rho, Schroedinger picture, energy eigenbasis; N^2 x N^2 matrices over
    row-major vec (rho_ab sits at a N + b). Order 0 is -i [H_S, .]. Ĉ(w > 0) = 2 J(w) [n(w) + 1].
    --parts splits K = -i [H, .] + D in the canonical way: H and the operators of D without
    trace; the canonical rates of a truncated expansion, or of finite times, may be negative.
    """
    even_order(order, lowest=0)
    if time is not None and not 0 <= time < np.inf:
        fail(f"--time: must be finite and >= 0, got {time}", BAD_INPUT)
    if spectral and (order != 4 or time is not None):
        fail("--spectral: closed forms are those of --order 4 without --time", BAD_INPUT)
    parsed = load(model, settings)
    units = parsed.units
    inside = None if time is None else units.time_to_internal(time)
    result = tcl_generator(parsed, order, inside, progress=ticker(), spectral=spectral)
    factor = units.rate_to_printed(1.0)
    missing = _missing(result)
    if as_json:
        record = {**_record(result, factor), **missing_record(missing)}
        if with_parts:
            record["parts"] = parts_record(result, factor)
        emit_json(record)
    else:
        _show(result, factor, units.rate)
        if with_parts:
            show_parts(result, factor, units.rate)
    leave(missing)


def _missing(result: Generator) -> dict[str, dict[str, dict[str, str]]]:
    """Kind -> order -> element -> reason."""
    return {
        kind: {
            str(n): {element_name(place, result.dimension): why for place, why in found.items()}
            for n, term in result.orders.items()
            if (found := getattr(term, kind))
        }
        for kind in WORDS
    }


def _record(result: Generator, factor: float) -> dict[str, Any]:
    record: dict[str, Any] = {"dimension": result.dimension, "orders": {}, "error": {}}
    for n, term in result.orders.items():
        matrix = factor * term.matrix
        record["orders"][str(n)] = {
            part: _rows(values, term)
            for part, values in (("real", matrix.real), ("imag", matrix.imag))
        }
        record["error"][str(n)] = _rows(factor * term.error, term)
    return record


def _rows(values: np.ndarray[Any, Any], term: Term) -> list[list[float | None]]:
    """Plain numbers, null where the element does not exist or is not known."""
    missing = {*term.divergent, *term.not_derived}
    return [
        [None if (i, j) in missing else float(x) for j, x in enumerate(row)]
        for i, row in enumerate(values)
    ]


def _show(result: Generator, factor: float, unit: str) -> None:
    missing = _missing(result)
    shown = f"in {unit}" if unit else "in the unit of the energies"
    for n, term in result.orders.items():
        click.echo(f"order {n}, {shown}: elements larger than their error")
        for place in np.ndindex(term.matrix.shape):
            value, error = factor * term.matrix[place], factor * term.error[place]
            where = int(place[0]), int(place[1])
            name = element_name(where, result.dimension)
            if where in term.divergent or where in term.not_derived:
                click.echo(f"  {name:<12} {word(missing, str(n), name)}")
            elif abs(value) > error:
                real, imaginary = (x if abs(x) > error else 0.0 for x in (value.real, value.imag))
                click.echo(f"  {name:<12}{real:>22.14g} {imaginary:>+22.14g} i  +- {error:.1e}")
