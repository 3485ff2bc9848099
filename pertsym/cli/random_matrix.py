"""Rates and evolution of models with a random-matrix environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click
import numpy as np

from pertsym.baths.divergence import Divergent
from pertsym.cli.console import (
    BAD_INPUT,
    DOES_NOT_EXIST,
    NOT_DERIVABLE,
    Ticker,
    emit_json,
    fail,
    note,
)
from pertsym.dynamics.propagation import Matrix
from pertsym.equations.energy_resolved import TwoLevels
from pertsym.model.random_matrix import RandomMatrixModel
from pertsym.model.random_matrix_file import load_random_matrix
from pertsym.random_matrix import second_order
from pertsym.random_matrix.evolution import METHODS, populations
from pertsym.random_matrix.exact import simulate
from pertsym.random_matrix.fourth_order import conserved_energy

EXACT: Final = "exact"
EVOLVE_METHODS: Final = (*METHODS, EXACT)
DEFAULT_SIZE, DEFAULT_REALISATIONS, DEFAULT_SEED = 500, 10, 0
_HIGHEST_ORDER: Final = 4


def rates(path: Path, order: int, total: float | None, digits: int | None, as_json: bool) -> None:
    """Second-order rates from the starting energy, or every order at a conserved total energy."""
    model = load_random_matrix(path)
    splitting, strength = model.two_levels()
    if digits:
        fail("--digits: random-matrix rates are computed in double precision", NOT_DERIVABLE)
    if order > _HIGHEST_ORDER:
        fail(
            f"--order: rates with random matrices are derived to order {_HIGHEST_ORDER}, not "
            f"{order}; ask for order 2 or 4",
            NOT_DERIVABLE,
        )
    if total is None:
        _starting_rates(model, splitting, strength, order, as_json)
    else:
        _conserved_rates(model, strength, order, total, as_json)


def _starting_rates(
    model: RandomMatrixModel, splitting: float, strength: float, order: int, as_json: bool
) -> None:
    record: dict[str, Any] = {}
    missing: dict[str, dict[str, str]] = {}
    factor = model.units.rate_to_printed(1.0)
    for name, solve in (
        ("energy_resolved", second_order.energy_resolved),
        ("redfield", second_order.redfield),
    ):
        found = solve(splitting, strength, model.bath.energy)
        record[name] = {"rate": factor * found.rate, "z_infinity": found.z_infinity}
        if found.z_infinity is None:
            missing.setdefault("2", {})[f"{name}.z_infinity"] = (
                "both transitions end outside the band: nothing relaxes, z keeps its first value"
            )
    if order == _HIGHEST_ORDER:
        record["orders"] = {"4": {"rate": None}}
        try:
            TwoLevels().fixed_energy_long_times(_HIGHEST_ORDER)
        except Divergent as fault:
            missing.setdefault("4", {})["rate"] = (
                f"environment fixed at its energy: {fault.reason}; with the energy kept and the "
                "total energy conserved the rate exists: give --total-energy"
            )
    if missing:
        record["divergent"] = missing
    if as_json:
        emit_json(record)
    else:
        unit = model.units.rate or "the unit of the energies"
        click.echo(f"second order, spin starting up; rate of z in {unit}")
        for name in ("energy_resolved", "redfield"):
            z = record[name]["z_infinity"]
            shown = "none" if z is None else f"{z:.12g}"
            click.echo(f"  {name:<18}rate {record[name]['rate']:.12g}   z_infinity {shown}")
    _leave(missing)


def _conserved_rates(
    model: RandomMatrixModel, strength: float, order: int, total: float, as_json: bool
) -> None:
    lower, upper = model.energies
    orders = range(2, order + 1, 2)
    record: dict[str, Any]
    missing: dict[str, dict[str, str]] = {}
    try:
        found = conserved_energy((lower, upper), strength, total)
        factor = model.units.rate_to_printed(1.0)
        record = {
            "orders": {str(n): {"rate": factor * found.rates[n]} for n in orders},
            "z_infinity": {str(n - 2): found.z_infinity[n - 2] for n in orders},
        }
        if order == _HIGHEST_ORDER and abs(found.rates[4]) > found.rates[2]:
            note("order 4 exceeds order 2: the expansion does not converge at this coupling")
    except Divergent as fault:
        record = {
            "orders": {str(n): {"rate": None} for n in orders},
            "z_infinity": {str(n - 2): None for n in orders},
        }
        missing = {str(n): {"rate": fault.reason} for n in orders}
        record["divergent"] = missing
    if as_json:
        emit_json(record)
    elif not missing:
        unit = model.units.rate or "the unit of the energies"
        click.echo(f"total energy {total:g}, leading order in 1/N; rate of z in {unit}")
        for label, row in record["orders"].items():
            click.echo(f"  order {label}: rate {row['rate']:.12g}")
        for label, z in record["z_infinity"].items():
            click.echo(f"  order {label}: z_infinity {z:.12g}")
    _leave(missing)


def _leave(missing: dict[str, dict[str, str]]) -> None:
    for label, reasons in missing.items():
        for name, reason in reasons.items():
            click.echo(f"divergent: {name}, order {label}: {reason}", err=True)
    if missing:
        raise SystemExit(DOES_NOT_EXIST)


def evolve(
    model: RandomMatrixModel,
    method: str,
    initial: Matrix,
    grid: list[float],
    sample: dict[str, int | None],
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
    if method not in EVOLVE_METHODS:
        fail(
            f"--method: {method!r} is no method for a random-matrix environment; use one of "
            f"{', '.join(EVOLVE_METHODS)}",
            BAD_INPUT,
        )
    if with_states:
        fail("--states: with random matrices only populations are computed", NOT_DERIVABLE)
    given = [name for name, value in sample.items() if value is not None]
    if given and method != EXACT:
        fail(f"--{given[0]}: belongs to --method {EXACT} alone; leave it out", BAD_INPUT)
    times = [model.units.time_to_internal(time) for time in grid]
    record: dict[str, Any] = {"times": grid}
    if method == EXACT:
        defaults = (DEFAULT_SIZE, DEFAULT_REALISATIONS, DEFAULT_SEED)
        size, realisations, seed = (
            default if sample[name] is None else int(sample[name] or 0)
            for name, default in zip(("size", "realisations", "seed"), defaults, strict=True)
        )
        run = simulate(
            model,
            initial,
            times,
            size=size,
            realisations=realisations,
            seed=seed,
            progress=Ticker(),
        )
        found = run.populations
        record["standard_error"] = run.error.tolist()
    else:
        splitting, strength = model.two_levels()
        diagonal = np.real(np.diagonal(initial))
        start = (float(diagonal[0]), float(diagonal[1]))
        energy = model.bath.energy
        found = populations(method, splitting, strength, energy, start, times, Ticker())
    record["populations"] = found.tolist()
    if model.dimension == 2:
        record["z"] = (found[:, 1] - found[:, 0]).tolist()
    if as_json:
        emit_json(record)
        return
    click.echo(f"time in {model.units.time or '1/energy'}; populations" + _z_heading(model))
    for number, (time, row) in enumerate(zip(grid, found, strict=True)):
        z = [record["z"][number]] if "z" in record else []
        click.echo(f"{time:>14.8g}  " + "  ".join(f"{x:.10g}" for x in (*row, *z)))


def _z_heading(model: RandomMatrixModel) -> str:
    return ", z = P_1 - P_0" if model.dimension == 2 else ""
