"""Printing of rates and evolution with a random-matrix environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from pertsym.cli import missing
from pertsym.cli.console import NOT_DERIVABLE, emit_json, fail, note, note_negative, ticker
from pertsym.dynamics.propagation import Matrix
from pertsym.model.random_matrix import RandomMatrixModel, load_random_matrix
from pertsym.random_matrix.methods import Evolution, random_matrix_evolve
from pertsym.random_matrix.rates import RandomMatrixRates, random_matrix_rates


def rates(
    path: Path, order: int | None, total: float | None, digits: int | None, as_json: bool
) -> None:
    """Second-order rates from the starting energy, or every order at a conserved total energy."""
    model = load_random_matrix(path)
    if digits:
        fail("--digits: random-matrix rates are computed in double precision", NOT_DERIVABLE)
    found = random_matrix_rates(model, order, total_energy=total)
    if as_json:
        emit_json(_record(found))
    else:
        _show(found, total)
    for remark in found.remarks:
        note(remark)
    if found.growing():
        note(
            "order 4 exceeds order 2: the expansion does not converge at this coupling, or order 2 "
            "is small by itself"
        )
    missing.leave({"divergent": found.divergent})


def _record(found: RandomMatrixRates) -> dict[str, Any]:
    record: dict[str, Any] = {
        name: {"rate": part.rate, "z_infinity": part.z_infinity}
        for name, part in found.equations.items()
    }
    if found.orders:
        record["orders"] = {str(n): {"rate": rate} for n, rate in found.orders.items()}
    if found.z_infinity:
        record["z_infinity"] = {str(n): z for n, z in found.z_infinity.items()}
    return {**record, **missing.record({"divergent": found.divergent})}


def _show(found: RandomMatrixRates, total: float | None) -> None:
    unit = found.rate_unit or "the unit of the energies"
    if total is None:
        click.echo(f"second order, spin starting up; rate of z in {unit}")
    else:
        click.echo(f"total energy {total:g}, leading order in 1/N; rate of z in {unit}")
    for name, part in found.equations.items():
        z = _shown(found, 2, f"{name}.z_infinity", part.z_infinity)
        click.echo(f"  {name:<18}rate {part.rate:.12g}   z_infinity {z}")
    for quantity, values in (("rate", found.orders), ("z_infinity", found.z_infinity)):
        for n, value in values.items():
            click.echo(f"  order {n}: {quantity} {_shown(found, n, quantity, value)}")


def _shown(found: RandomMatrixRates, order: int, name: str, value: float | None) -> str:
    if value is None:
        return missing.word({"divergent": found.divergent}, str(order), name)
    return f"{value:.12g}"


def evolve(
    model: RandomMatrixModel,
    method: str,
    initial: Matrix,
    grid: list[float],
    sample: Mapping[str, Any],
    *,
    with_states: bool,
    as_json: bool,
) -> None:
    """Populations over time; for two levels also z = P_1 - P_0.

    Parameters
    ----------
    initial
        Density matrix in the energy eigenbasis.
    grid
        Times in the model's unit.
    sample
        size, realisations and seed of the simulation; None where not given.
    """
    if with_states:
        fail("--states: with random matrices only populations are computed", NOT_DERIVABLE)
    times = [model.units.time_to_internal(time) for time in grid]
    found = random_matrix_evolve(model, method, initial, times, **sample, progress=ticker())
    note_negative(float(found.populations.min()), "population")
    if as_json:
        emit_json(_evolution_record(grid, found))
    else:
        _show_evolution(model, grid, found)


def _evolution_record(grid: list[float], found: Evolution) -> dict[str, Any]:
    record: dict[str, Any] = {"basis": "energy", "times": grid}
    if found.error is not None:
        record["standard_error"] = found.error.tolist()
    record["populations"] = found.populations.tolist()
    if found.z is not None:
        record["z"] = found.z.tolist()
    return record


def _show_evolution(model: RandomMatrixModel, grid: list[float], found: Evolution) -> None:
    rows = found.populations.tolist()
    heading = "populations"
    if found.z is not None:
        heading += ", z = P_1 - P_0"
        rows = [[*row, z] for row, z in zip(rows, found.z.tolist(), strict=True)]
    click.echo(f"time in {model.units.time or '1/energy'}; {heading}")
    for time, row in zip(grid, rows, strict=True):
        click.echo(f"{time:>14.8g}  " + "  ".join(f"{x:.10g}" for x in row))
