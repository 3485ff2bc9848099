"""`pertsym steady MODEL` and `pertsym evolve MODEL`: states of a model file."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any, NoReturn

import click
import numpy as np

from pertsym.baths.divergence import Divergent
from pertsym.cli.console import (
    BAD_INPUT,
    Ticker,
    command_errors,
    emit_json,
    fail,
    load,
    note,
    note_negative,
)
from pertsym.cli.missing import record as missing_record
from pertsym.cli.missing import report
from pertsym.dynamics.methods import (
    EVOLVE,
    STEADY,
    Estimated,
    evolve_estimated,
    steady_estimated,
)
from pertsym.dynamics.propagation import Matrix, lowest_eigenvalue
from pertsym.dynamics.redfield import unresolved
from pertsym.generators.system import element_name
from pertsym.generators.tcl import tcl_generator
from pertsym.model.random_matrix_file import is_random_matrix_file, load_random_matrix
from pertsym.model.requests import problem_of_state
from pertsym.model.values import Model

RANDOM_MATRIX_METHODS = (
    "energy-resolved, energy-resolved-markov, redfield-nonmarkov, redfield, exact"
)
"""What --method takes with a random-matrix environment; a test compares it with the methods."""

_MOST_TIMES = 1_000_000
_ROUNDING = 1e-15


@click.command("steady")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--method", required=True, help=f"One of: {', '.join(STEADY)}.")
@click.option("--order", type=int, help="Of mean-force alone: 2 (default) or 4.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def steady_command(model: Path, method: str, order: int | None, as_json: bool) -> None:
    """Steady state of a MODEL file (TOML) by one method, in the energy eigenbasis.

    mean-force is the truncated series of the mean-force Gibbs state; tclN the null vector of
    K0 + K2 + ... + KN. Truncated expansions need not give positive states: a note says so.
    """
    if order is not None and method != "mean-force":
        fail("--order: belongs to mean-force alone; write tcl2, tcl4, ... for others", BAD_INPUT)
    if order is not None and (order < 2 or order % 2):
        fail(f"--order: must be 2 or 4, got {order}", BAD_INPUT)
    parsed = load(model)
    try:
        found = steady_estimated(parsed, method, order or 2, Ticker())
    except Divergent as fault:
        _divergent(fault, parsed, method, order, as_json, {"state": None})
    _remarks(found)
    _separation(parsed, method)
    state = found.states[0]
    if as_json:
        record = {"state": {"real": state.real.tolist(), "imag": state.imag.tolist()}}
        emit_json({**record, **_error(found)})
        return
    click.echo(f"steady state by {method} in the energy eigenbasis{_stated(found)}")
    click.echo(f"{'level':>7}{'population':>20}")
    for n, x in enumerate(np.diagonal(state)):
        click.echo(f"{n:>7}{_plain(x.real):>20.10g}")
    click.echo(
        f"{'element':>7}{'real part':>20}{'imaginary part':>20}   (below the diagonal: conjugates)"
    )
    for a, b in combinations(range(len(state)), 2):
        x = state[a, b]
        click.echo(f"{f'{a},{b}':>7}{_plain(x.real):>20.10g}{_plain(x.imag):>20.10g}")


@click.command("evolve")
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--method",
    required=True,
    help=f"One of: {', '.join(EVOLVE)}; for a random-matrix environment one of: "
    f"{RANDOM_MATRIX_METHODS}.",
)
@click.option("--initial", required=True, help="A level's index, or a JSON file {real, imag}.")
@click.option("--times", required=True, help="START:STOP:COUNT, both ends included.")
@click.option("--states", "with_states", is_flag=True, help="Also print the density matrices.")
@click.option("--size", type=int, help="Of --method exact: states of the environment [500].")
@click.option("--realisations", type=int, help="Of --method exact: how many are averaged [10].")
@click.option("--seed", type=int, help="Of --method exact: seed of the random matrices [0].")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def evolve_command(
    model: Path,
    method: str,
    initial: str,
    times: str,
    with_states: bool,
    size: int | None,
    realisations: int | None,
    seed: int | None,
    as_json: bool,
) -> None:
    """Populations of a MODEL file (TOML) over time, from a product state at t = 0.

    tclN is time-dependent, tclN-asymptotic uses the generator of t -> infinity, tclN-slip also
    replaces the initial state by the one that this generator must start from, which is right
    after the baths' memory. Energy eigenbasis; times in the model's time unit.
    """
    grid = read_times(times)
    sample = {"size": size, "realisations": realisations, "seed": seed}
    if is_random_matrix_file(model):
        from pertsym.cli import random_matrix  # other models do not need it

        random = load_random_matrix(model)
        random_matrix.evolve(
            random,
            method,
            read_initial(initial, random.dimension),
            grid,
            sample,
            with_states=with_states,
            as_json=as_json,
        )
        return
    if given := [name for name, value in sample.items() if value is not None]:
        fail(f"--{given[0]}: belongs to random-matrix environments; leave it out", BAD_INPUT)
    parsed = load(model)
    state = read_initial(initial, parsed.dimension)
    inside = [parsed.units.time_to_internal(time) for time in grid]
    record: dict[str, Any] = {"times": grid}
    try:
        estimated = evolve_estimated(parsed, method, state, inside, Ticker())
    except Divergent as fault:
        _divergent(fault, parsed, method, None, as_json, {**record, "populations": None})
    _remarks(estimated)
    _separation(parsed, method)
    found = estimated.states
    populations = np.real(np.diagonal(found, axis1=1, axis2=2)).tolist()
    if as_json:
        record["populations"] = populations
        if with_states:
            record["states"] = {"real": found.real.tolist(), "imag": found.imag.tolist()}
        emit_json({**record, **_error(estimated)})
        return
    unit = parsed.units.time or "1/energy"
    what = "density matrix, row by row" if with_states else "populations"
    click.echo(f"time in {unit}; {what}{_stated(estimated)}")
    for time, row, matrix in zip(grid, populations, found, strict=True):
        shown = matrix.reshape(-1) if with_states else row
        click.echo(f"{time:>14.8g}  " + "  ".join(f"{x:.10g}" for x in shown))


def _plain(x: float) -> float:
    """0 for what is 0 but for rounding: no populations are known better."""
    return x if abs(x) > _ROUNDING else 0.0


def read_times(text: str) -> list[float]:
    """START:STOP:COUNT of `--times`."""
    parts = text.split(":")
    try:
        start, stop, count = float(parts[0]), float(parts[1]), int(parts[2])
        valid = len(parts) == 3
    except (ValueError, IndexError):
        valid = False
    if not valid:
        fail(f"--times: {text!r} is not START:STOP:COUNT; write for example 0:100:51", BAD_INPUT)
    if not (0 <= start <= stop < np.inf and count >= 1) or (count == 1 and start != stop):
        fail(
            f"--times: {text!r} needs 0 <= START <= STOP and COUNT >= 2; times start at 0, where "
            "the state is a product",
            BAD_INPUT,
        )
    if count > _MOST_TIMES:
        fail(f"--times: {count} times are too many; ask for {_MOST_TIMES} at most", BAD_INPUT)
    return [float(time) for time in np.linspace(start, stop, count)]


def read_initial(text: str, size: int) -> Matrix:
    """A pure level, or the density matrix of a file."""
    if text.isdecimal():
        level = int(text)
        if level >= size:
            fail(f"--initial: there is no level {level}; levels are 0 to {size - 1}", BAD_INPUT)
        state = np.zeros((size, size), dtype=complex)
        state[level, level] = 1.0
        return state
    path = Path(text)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        matrix = np.array(data["real"], dtype=float) + 1j * np.array(
            data.get("imag", np.zeros((size, size))), dtype=float
        )
    except OSError as fault:
        fail(
            f"--initial: {text!r} is neither a level's index nor a readable file "
            f"({fault.strerror}); give 0 to {size - 1} or a JSON file",
            BAD_INPUT,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        fail(
            f'--initial: {text} must hold {{"real": N rows of N numbers, "imag": the same}}; '
            "correct the file",
            BAD_INPUT,
        )
    _check_state(text, matrix, size)
    return matrix


def _check_state(text: str, matrix: Matrix, size: int) -> None:
    problem = problem_of_state(matrix, size)
    if problem is None and np.linalg.eigvalsh(matrix).min() < -1e-10:
        problem = "has a negative eigenvalue"
    if problem is not None:
        fail(f"--initial: {text} {problem}; give a density matrix", BAD_INPUT)


def _remarks(found: Estimated) -> None:
    """What a reader of the states should know."""
    note_negative(lowest_eigenvalue(found.states))
    if found.notable is not None:
        note(f"the error of the generator leaves one of about {found.notable:.1g} in the states")


def _separation(model: Model, method: str) -> None:
    """Whether frequencies that the method holds apart are apart."""
    if not method.startswith(("ccqme", "redfield-")):
        return
    if reason := unresolved(model):
        note(f"{method} holds different frequencies apart, but {reason}: compare with redfield")


def _error(found: Estimated) -> dict[str, float]:
    """For JSON: the largest error of an element, where the method states one."""
    largest = found.largest_error
    return {"error": largest} if largest else {}


def _stated(found: Estimated) -> str:
    """The same for a heading."""
    largest = found.largest_error
    return f"; elements to about {largest:.0e} (truncation apart)" if largest else ""


def _divergent(
    fault: Divergent,
    model: Model,
    method: str,
    order: int | None,
    as_json: bool,
    record: dict[str, Any],
) -> NoReturn:
    missing = {"divergent": _places(fault, model, method, order)}
    if as_json:
        emit_json({**record, **missing_record(missing)})
    raise SystemExit(report(missing))


def _places(
    fault: Divergent, model: Model, method: str, order: int | None
) -> dict[str, dict[str, str]]:
    """Order -> quantity -> reason of what keeps a method from an answer."""
    if fault.order is not None and fault.key is not None:
        return {str(fault.order): {fault.key: fault.reason}}
    if method.startswith("redfield"):
        # tcl2 has the same generator, and its elements say which bath they diverge for
        term = tcl_generator(model, 2).orders[2]
        names = {element_name(x, model.dimension): why for x, why in term.divergent.items()}
        if names:
            return {"2": names}
    digits = method.removeprefix("tcl").partition("-")[0]
    highest = digits if digits.isdecimal() else str(order or 2)
    what = "state" if method == "mean-force" else "generator"
    return {highest: {what: fault.reason}}
