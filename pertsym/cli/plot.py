"""`pertsym plot MODEL`: pictures of states, rates, baths and generators."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import click
import numpy as np

from pertsym import pictures
from pertsym.baths.divergence import Divergent
from pertsym.cli.console import (
    BAD_INPUT,
    DOES_NOT_EXIST,
    command_errors,
    emit_json,
    even_order,
    fail,
    load,
    note,
    progress,
    read_values,
    settings_option,
)
from pertsym.cli.states import basis_option, read_initial, read_times
from pertsym.evaluated import Basis
from pertsym.files import require_writable
from pertsym.model.values import Model


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--kind",
    type=click.Choice(pictures.KINDS),
    default="states",
    show_default=True,
    help="states: populations and coherences over time; rates: both orders and their sum against "
    "a number of the model; bath: J, Ĉ and C(t); generator: heat maps.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="File to write: .svg, .png or .pdf.",
)
@click.option("--methods", default="redfield,tcl2,tcl4", show_default=True, help="Of states.")
@click.option("--initial", default="0", show_default=True, help="Of states, as of `evolve`.")
@click.option("--times", help="Of states; by default over which the model relaxes.")
@click.option(
    "--over",
    default="temperature",
    show_default=True,
    metavar="PATH=START:STOP",
    help="Of rates: temperature (of all baths), baths.NAME.temperature, splitting (of two levels) "
    "or symbols.NAME. Without =START:STOP, from a half to the double of the model's own.",
)
@click.option("--order", default=2, show_default=True, help="Of generator.")
@basis_option
@settings_option
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def plot(
    model: Path,
    kind: str,
    output: Path,
    methods: str,
    initial: str,
    times: str | None,
    over: str,
    order: int,
    basis: str,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Draw a MODEL file (TOML): states, rates, baths or its generator.

    In the basis of the system table populations are those of the model's own states, a dimer's
    sites. Needs matplotlib (pertsym[plot]).
    """
    if output.suffix.lower() not in pictures.SUFFIXES:
        fail(f"--output: {output} must end in {', '.join(pictures.SUFFIXES)}", BAD_INPUT)
    require_writable(output)
    parsed = load(model, settings)
    page: Any
    try:
        match kind:
            case "states":
                page = pictures.states_figure(
                    parsed,
                    [name.strip() for name in methods.split(",") if name.strip()],
                    read_initial(initial, parsed.dimension),
                    np.array(read_times(times)) if times else pictures.default_times(parsed),
                    cast(Basis, basis),
                )
            case "rates":
                page = _rates(parsed, model, over, settings)
            case "bath":
                page = pictures.bath_figure(parsed)
            case _:
                even_order(order, lowest=0)
                page = pictures.generator_figure(parsed, order)
        pictures.save(page, output)
    except ModuleNotFoundError as fault:
        fail(str(fault), BAD_INPUT)
    except Divergent as fault:
        fail(f"{model}: divergent: {fault}", DOES_NOT_EXIST)
    if as_json:
        emit_json({"output": str(output), "kind": kind})
    else:
        click.echo(f"wrote {output}", err=True)


def _rates(parsed: Model, file: Path, over: str, settings: tuple[str, ...]) -> Any:
    from pertsym.model.file import load_model

    path, given, span = over.partition("=")
    count = pictures.points(parsed)

    def each(values: Any) -> Iterable[float]:
        return progress(values, len(values), "rates")

    if path == "temperature":
        stated = {name: f"{t:.6g}" for name, t in pictures.temperatures(parsed).items()}
        if len(set(stated.values())) > 1:
            listed = ", ".join(f"{name} at {t}" for name, t in stated.items())
            note(f"temperature is that of all baths ({listed}); baths.NAME.temperature is of one")
    known = path in ("temperature", "splitting") or path.startswith("baths.")
    if known and not given:
        models, label = pictures.varied(parsed, path)
        values = pictures.default_values(parsed, path)
        return pictures.rates_figure(models, values, label, each=each)
    try:
        start, stop = (float(x) for x in span.split(":"))
    except ValueError:
        start = stop = np.nan
    if not (np.isfinite(start) and np.isfinite(stop) and start < stop):
        fail(f"--over: {over!r} is not PATH=START:STOP with START < STOP", BAD_INPUT)
    values = np.linspace(start, stop, count)
    if known:
        if start < 0 or (path == "splitting" and start == 0):
            fail(f"--over: {path} must be positive, got {start:g}", BAD_INPUT)
        models, label = pictures.varied(parsed, path)
        return pictures.rates_figure(models, values, label, each=each)
    name = path.removeprefix("symbols.")
    if name == path:
        fail(
            f"--over: {path!r} is none of temperature, baths.NAME.temperature, splitting, "
            "symbols.NAME",
            BAD_INPUT,
        )

    def at(value: float) -> Model:
        return load_model(file, {**read_values(file, settings), **_exact(name, value)})

    return pictures.rates_figure(at, values, name, each=each)


def _exact(name: str, value: float) -> dict[str, Any]:
    from pertsym.exact import exact_rational

    return {name: exact_rational(value)}
