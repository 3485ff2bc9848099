"""`pertsym steady MODEL` and `pertsym evolve MODEL`: states of a model file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NoReturn

import click
import numpy as np

from pertsym.baths.divergence import Divergent
from pertsym.cli.console import (
    BAD_INPUT,
    command_errors,
    did_you_mean,
    emit_json,
    even_order,
    fail,
    load,
    note,
    note_negative,
    read_values,
    refuse_settings,
    settings_option,
    ticker,
)
from pertsym.cli.missing import record as missing_record
from pertsym.cli.missing import report, word
from pertsym.dynamics.methods import (
    EVOLVE,
    STEADY,
    Estimated,
    evolve_estimated,
    in_basis,
    steady_estimated,
)
from pertsym.dynamics.propagation import Matrix
from pertsym.dynamics.redfield import unresolved
from pertsym.dynamics.reliability import lowest_eigenvalue
from pertsym.estimate import Estimate
from pertsym.files import read_bounded
from pertsym.generators.heat_current import heat_currents
from pertsym.generators.system import element_name
from pertsym.generators.tcl import tcl_generator
from pertsym.model.file import observable, parsed_document
from pertsym.model.random_matrix import is_random_matrix_file, load_random_matrix
from pertsym.model.read import Place
from pertsym.model.values import Model, problem_of_state

RANDOM_MATRIX_METHODS = (
    "energy-resolved, energy-resolved-markov, redfield-nonmarkov, redfield, exact"
)
"""What --method takes with a random-matrix environment; a test compares it with the methods."""

_MOST_TIMES = 1_000_000
_LARGEST_STATE = 20_000_000  # bytes
_ROUNDING = 1e-15

_BASES = {"system": "basis of the system table", "energy": "energy eigenbasis"}

basis_option = click.option(
    "--basis",
    type=click.Choice(tuple(_BASES)),
    default="system",
    show_default=True,
    help="Of the initial state and of what is printed: that of the system table, or the "
    "eigenbasis of its hamiltonian, energies ascending.",
)
observable_option = click.option(
    "--observable",
    "observables",
    multiple=True,
    metavar="NAME=[[...]]",
    help="Also the expectation value of this Hermitian matrix (repeatable), given in the basis of "
    "the system table; entries as in a model file. Those of its table [observables] are printed "
    "too.",
)


@click.command("steady")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--method", help=f"One of: {', '.join(STEADY)}.")
@click.option(
    "--order",
    type=int,
    help="Of mean-force: 2 (default), 4, 6, ...; of heat currents: the highest even order "
    "(default 4).",
)
@click.option(
    "--heat-current",
    "currents",
    multiple=True,
    metavar="BATH",
    help="Instead of the state: what this bath gives per unit time in it, order by order "
    "(repeatable).",
)
@basis_option
@observable_option
@settings_option
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def steady_command(
    model: Path,
    method: str | None,
    order: int | None,
    currents: tuple[str, ...],
    basis: str,
    observables: tuple[str, ...],
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Steady state of a MODEL file (TOML) by one method.

    mean-force is the truncated series of the mean-force Gibbs state; tclN the null vector of
    K0 + K2 + ... + KN. Truncated expansions need not give positive states: a note says so.
    Heat currents -d<H_B>/dt take no method: state and current are expanded alike, and the
    currents of all baths add up to zero at every order.
    """
    if currents:
        if method is not None or observables:
            what = "--method" if observables == () else "--observable"
            fail(f"{what}: belongs to the state; heat currents take --order alone", BAD_INPUT)
        even_order(order if order is not None else 4)
        _heat_currents(load(model, settings), currents, 4 if order is None else order, as_json)
    if method is None:
        fail(f"--method: is needed for the state; use one of {', '.join(STEADY)}", BAD_INPUT)
    if order is not None and method != "mean-force":
        fail("--order: belongs to mean-force alone; write tcl2, tcl4, ... for others", BAD_INPUT)
    if order is not None:
        even_order(order)
    parsed = load(model, settings)
    wanted = read_observables(parsed, observables, model, settings)
    record: dict[str, Any] = {"basis": basis, "state": None}
    _separation(parsed, method)
    try:
        found = steady_estimated(parsed, method, order or 2, ticker())
    except Divergent as fault:
        _divergent(fault, parsed, method, order, as_json, record)
    _remarks(found)
    found, expected = in_basis(parsed, found, basis, wanted)
    state = found.states[0]
    if as_json:
        record["state"] = {"real": state.real.tolist(), "imag": state.imag.tolist()}
        if wanted:
            record["observables"] = {name: float(x.value[0]) for name, x in expected.items()}
            record["observables_error"] = _errors(expected)
        emit_json({**record, **_error(found)})
        return
    click.echo(f"steady state by {method}, {_BASES[basis]}{_stated(found)}")
    click.echo(f"{'level':>7}{'population':>20}")
    for n, x in enumerate(np.diagonal(state)):
        click.echo(f"{n:>7}{_plain(x.real):>20.10g}")
    click.echo(
        f"{'element':>7}{'real part':>20}{'imaginary part':>20}   (below the diagonal: conjugates)"
    )
    for a, b in combinations(range(len(state)), 2):
        x = state[a, b]
        click.echo(f"{f'{a},{b}':>7}{_plain(x.real):>20.10g}{_plain(x.imag):>20.10g}")
    for name, (value, error) in expected.items():
        click.echo(f"<{name}> = {_plain(float(value[0])):.10g}  +- {float(error[0]):.1e}")


@click.command("evolve")
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--method",
    required=True,
    help=f"One of: {', '.join(EVOLVE)}; for a random-matrix environment one of: "
    f"{RANDOM_MATRIX_METHODS}.",
)
@click.option(
    "--initial",
    required=True,
    help="A level's index, a density matrix [[...], ...] as in a model file, or a JSON file.",
)
@click.option("--times", required=True, help="START:STOP:COUNT, both ends included.")
@basis_option
@observable_option
@settings_option
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
    basis: str,
    observables: tuple[str, ...],
    settings: tuple[str, ...],
    with_states: bool,
    size: int | None,
    realisations: int | None,
    seed: int | None,
    as_json: bool,
) -> None:
    """Populations of a MODEL file (TOML) over time, from a product state at t = 0.

    tclN is time-dependent, tclN-asymptotic uses the generator of t -> infinity, tclN-slip also
    replaces the initial state by the one that this generator must start from, which is right
    after the baths' memory. Times in the model's time unit.
    """
    grid = read_times(times)
    sample = {"size": size, "realisations": realisations, "seed": seed}
    if is_random_matrix_file(model):
        refuse_settings(settings)
        if observables:
            fail("--observable: random matrices give populations alone; leave it out", BAD_INPUT)
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
    parsed = load(model, settings)
    wanted = read_observables(parsed, observables, model, settings)
    state = read_initial(initial, parsed.dimension)
    if basis == "system":
        state = parsed.to_energy(state)
    inside = [parsed.units.time_to_internal(time) for time in grid]
    record: dict[str, Any] = {"basis": basis, "times": grid}
    _separation(parsed, method)
    try:
        estimated = evolve_estimated(parsed, method, state, inside, ticker())
    except Divergent as fault:
        _divergent(fault, parsed, method, None, as_json, {**record, "populations": None})
    _remarks(estimated)
    estimated, expected = in_basis(parsed, estimated, basis, wanted)
    found = estimated.states
    populations = np.real(np.diagonal(found, axis1=1, axis2=2)).tolist()
    if as_json:
        record["populations"] = populations
        if with_states:
            record["states"] = {"real": found.real.tolist(), "imag": found.imag.tolist()}
        if wanted:
            record["observables"] = {name: x.value.tolist() for name, x in expected.items()}
            record["observables_error"] = _errors(expected)
        emit_json({**record, **_error(estimated)})
        return
    unit = parsed.units.time or "1/energy"
    what = "density matrix, row by row" if with_states else "populations"
    named = "".join(f", <{name}>" for name in expected)
    click.echo(f"time in {unit}; {what}{named}; {_BASES[basis]}{_stated(estimated)}")
    for k, (time, row, matrix) in enumerate(zip(grid, populations, found, strict=True)):
        shown = [
            *(matrix.reshape(-1) if with_states else row),
            *(x.value[k] for x in expected.values()),
        ]
        click.echo(f"{time:>14.8g}  " + "  ".join(f"{_plain(x):.10g}" for x in shown))


def read_observables(
    model: Model, texts: Sequence[str], file: Path, settings: Sequence[str]
) -> dict[str, Matrix]:
    """Those of the model file and of `--observable`, as arrays in the basis of the file's system.

    Raises
    ------
    InputError
        For a text that is no NAME=MATRIX, a matrix that is not Hermitian, or a name given twice.
    """
    found = dict(model.observables)
    document = parsed_document(file, Place(str(file))) if texts else {}
    for text in texts:
        name, equals, written = (part.strip() for part in text.partition("="))
        place = Place(str(file), f"observable {name or text}")
        if not equals or not name:
            raise place.error("is no observable", "write NAME=[[...], ...]")
        if name in found:
            raise place.error("is given twice", "rename one of the two")
        found[name] = observable(
            written, document, place, model.dimension, read_values(file, settings)
        )
    return {
        name: np.array([[complex(x) for x in row] for row in matrix])
        for name, matrix in found.items()
    }


def _errors(expected: Mapping[str, Estimate]) -> dict[str, float]:
    """The largest error of each expectation value."""
    return {name: float(x.error.max(initial=0.0)) for name, x in expected.items()}


def _plain(x: Any) -> Any:
    """0 for what is 0 but for rounding: no populations are known better."""
    return x if abs(x) > _ROUNDING else type(x)(0)


def read_times(text: str) -> list[float]:
    """START:STOP:COUNT of `--times`."""
    try:
        first, last, number = text.split(":")
        start, stop, count = float(first), float(last), int(number)
    except ValueError:
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
    """A pure level, a density matrix written as in a model file, or that of a JSON file."""
    if text.isdecimal():
        level = int(text) if len(text) < 10 else size
        if level >= size:
            fail(f"--initial: there is no level {text[:20]}; levels are 0 to {size - 1}", BAD_INPUT)
        state = np.zeros((size, size), dtype=complex)
        state[level, level] = 1.0
        return state
    if text.lstrip().startswith("["):
        rows = observable(text, {}, Place("--initial", "matrix"), size, {})
        matrix = np.array([[complex(z) for z in row] for row in rows])
        _check_state("the matrix", matrix, size)
        return matrix
    path = Path(text)
    try:
        data = json.loads(read_bounded(path, _LARGEST_STATE).decode())
        parts = data["real"], data.get("imag", np.zeros((size, size)))
        real, imag = (np.array(part, dtype=float) for part in parts)
        matrix = np.empty(np.broadcast_shapes(real.shape, imag.shape), dtype=complex)
        matrix.real, matrix.imag = real, imag  # a product with 1j warns of infinities
    except OSError as fault:
        fail(
            f"--initial: {text!r} is neither a level's index nor a readable file "
            f"({fault.strerror}); give 0 to {size - 1}, [[...], ...] or a JSON file",
            BAD_INPUT,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
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


def _heat_currents(model: Model, baths: Sequence[str], order: int, as_json: bool) -> NoReturn:
    """Heat currents of some baths at every order, and an exit."""
    known = [bath.name for bath in model.used_baths]
    for bath in baths:
        if bath not in known:
            near = did_you_mean(bath, known)
            fail(f"--heat-current: no coupling acts on a bath {bath!r}{near}", BAD_INPUT)
    missing: dict[str, dict[str, str]] = {}
    found: Mapping[str, Mapping[int, Estimate]] = {}
    tick = ticker()
    for highest in range(order, 0, -2):
        try:
            found = heat_currents(model, highest, tick)
            break
        except Divergent as fault:
            missing[str(highest)] = dict.fromkeys(_current_names(baths), fault.reason)
    factor = model.units.rate_to_printed(1.0)
    orders = range(2, order + 1, 2)
    rows = {b: {n: found.get(b, {}).get(n) for n in orders} for b in baths}
    reasons = {"divergent": dict(sorted(missing.items()))}
    if as_json:
        values, errors = (
            {
                b: {str(n): None if x is None else factor * float(x[k]) for n, x in row.items()}
                for b, row in rows.items()
            }
            for k in (0, 1)
        )
        emit_json({"heat_current": values, "error": errors, **missing_record(reasons)})
        raise SystemExit(report(reasons))
    units = model.units
    unit = f" in {units.energy} times {units.rate}" if units.rate else ""
    click.echo(f"heat currents -d<H_B>/dt of the steady state{unit}")
    click.echo(f"{'bath':>12}{'order':>7}{'current':>20}{'error':>12}")
    for b, row in rows.items():
        for n, x in row.items():
            shown = word(reasons, str(n), f"heat_current_{b}")
            if x is not None:
                shown = f"{_plain(factor * x.value):.10g}"
            last = "" if x is None else f"{factor * x.error:>12.1e}"
            click.echo(f"{b:>12}{n:>7}{shown:>20}{last}")
    raise SystemExit(report(reasons))


def _current_names(baths: Sequence[str]) -> list[str]:
    return [f"heat_current_{bath}" for bath in baths]


def _remarks(found: Estimated) -> None:
    """What a reader of the states should know."""
    note_negative(lowest_eigenvalue(found.states))
    if found.notable is not None:
        note(f"the error of the generator leaves one of about {found.notable:.1g} in the states")


def _separation(model: Model, method: str) -> None:
    """Whether frequencies that the method holds apart are apart."""
    if not method.startswith(("ccqme", "redfield-")):
        return
    try:
        reason = unresolved(model)
    except Divergent:  # which the method itself names
        return
    if reason:
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
