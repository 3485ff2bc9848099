"""`pertsym sweep MODEL`: quantities of a model file over a grid of its parameters."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pertsym.cli.console import (
    BAD_INPUT,
    CHECK_FAILED,
    DOES_NOT_EXIST,
    NOT_DERIVABLE,
    command_errors,
    emit_json,
    even_order,
    fail,
    note,
    progress,
    read_values,
    settings_option,
)
from pertsym.cli.states import read_initial, read_times
from pertsym.model.notes import model_notes
from pertsym.sweeps.axes import read_options, read_subject
from pertsym.sweeps.run import Blocks, WorkerLost, sweep
from pertsym.sweeps.store import DIVERGENT, NOT_DERIVED, REFUSED

if TYPE_CHECKING:
    import xarray


@click.command("sweep")
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--over",
    multiple=True,
    required=True,
    metavar="PATH=VALUES",
    help="An axis (repeatable): START:STOP:COUNT, both ends included, with :log at the end for "
    "equal ratios, or VALUE,VALUE,... PATH is temperature (of all baths), baths.NAME.temperature, "
    "baths.NAME.PARAMETER of the spectral density, system.energies.K, couplings.K.strength or "
    "symbols.NAME.",
)
@settings_option
@click.option("--order", type=int, help="Highest even order of rates [4 without --methods].")
@click.option(
    "--methods", help="Populations by these methods of `steady` and `evolve`: tcl2,tcl4,..."
)
@click.option("--initial", help="With --times: a level's index, or a JSON file {real, imag}.")
@click.option("--times", help="Also populations over time: START:STOP:COUNT, both ends included.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="NetCDF file [the model file's name with .nc, in this folder].",
)
@click.option("--jobs", type=click.IntRange(1), help="Processes at once [one a processor].")
@click.option("--scheduler", metavar="ADDRESS", help="Compute on a Dask cluster instead.")
@click.option("--restart", is_flag=True, help="Begin anew, whatever is there.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def sweep_command(
    model: Path,
    over: tuple[str, ...],
    settings: tuple[str, ...],
    order: int | None,
    methods: str | None,
    initial: str | None,
    times: str | None,
    output: Path | None,
    jobs: int | None,
    scheduler: str | None,
    restart: bool,
    as_json: bool,
) -> None:
    """Quantities of a MODEL file (TOML) over a grid of its parameters, as a NetCDF file.

    Two levels: what `rates` gives, each order alone; more levels: K_aa,bb. With --methods the
    populations of steady states. NAME_error stands beside NAME, and where a number does not exist
    it is NaN and NAME_status counts the reason in `reason`. What is interrupted goes on with the
    same command.
    """
    if order is not None:
        even_order(order)
    given = read_options(over, str(model))
    values = read_values(model, settings)
    parsed = read_subject(model, given, values).model
    for remark in model_notes(parsed):
        note(f"{model}: {remark}")
    if (initial is None) != (times is None):
        fail("--times: needs --initial, and --initial needs --times; give both", BAD_INPUT)
    path = output or Path(f"{model.stem}.nc")
    try:
        found = sweep(
            model,
            given,
            values=values,
            order=order,
            methods=_listed(methods),
            initial=None if initial is None else read_initial(initial, parsed.dimension),
            times=() if times is None else read_times(times),
            output=path,
            jobs=jobs or os.cpu_count() or 1,
            scheduler=scheduler,
            restart=restart,
            command=shlex.join(["pertsym", *sys.argv[1:]]),
            remark=note,
            watch=_watched,
        )
    except WorkerLost as fault:
        fail(str(fault), CHECK_FAILED)
    except ImportError as fault:
        fail(str(fault), BAD_INPUT)
    missing = list(_missing(found))
    if as_json:
        emit_json(_record(path, found, missing))
    else:
        axes = ", ".join(f"{name} {size}" for name, size in found.sizes.items() if name != "reason")
        click.echo(f"wrote {path}: {axes}")
    code = 0
    for name, reason, count, total in missing:
        click.echo(f"{name}, {count} of {total}: {reason}", err=True)
        kinds = ((REFUSED, BAD_INPUT), (DIVERGENT, DOES_NOT_EXIST), (NOT_DERIVED, NOT_DERIVABLE))
        code = max([code, *(found for start, found in kinds if reason.startswith(start))])
    if code:
        raise SystemExit(code)


def _watched(arriving: Blocks, total: int) -> Blocks:
    return progress(arriving, total, "blocks")


def _listed(methods: str | None) -> list[str]:
    return [] if methods is None else [method.strip() for method in methods.split(",")]


def _missing(found: xarray.Dataset) -> Iterator[tuple[str, str, int, int]]:
    """Quantity, reason, in how many places, of how many."""
    reasons = [str(reason) for reason in found["reason"].values]
    for variable in found.data_vars:
        name = str(variable)
        if name.endswith("_status"):
            status = found[name].values
            for code in range(1, len(reasons)):
                if count := int((status == code).sum()):
                    yield name.removesuffix("_status"), reasons[code], count, status.size


def _record(
    path: Path, found: xarray.Dataset, missing: Iterable[tuple[str, str, int, int]]
) -> dict[str, Any]:
    record: dict[str, Any] = {
        "output": str(path),
        "dimensions": {str(name): size for name, size in found.sizes.items() if name != "reason"},
        "variables": sorted(map(str, found.data_vars)),
    }
    places: dict[str, dict[str, int]] = {}
    for name, reason, count, _ in missing:
        places.setdefault(name, {})[reason] = count
    return {**record, "missing": places} if places else record
