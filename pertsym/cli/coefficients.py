"""`pertsym coefficients MODEL`: the master equation of an oscillator in numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pertsym.cli.console import BAD_INPUT, command_errors, emit_json, fail, ticker
from pertsym.cli.missing import NOISE, is_noise, leave, noise, word
from pertsym.cli.missing import record as missing_record
from pertsym.model.oscillator import OscillatorModel, load_oscillator
from pertsym.model.random_matrix import is_random_matrix_file
from pertsym.oscillator.coefficients import Coefficients, oscillator_coefficients


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def coefficients(model: Path, as_json: bool) -> None:
    """Damping, diffusion and frequency shift of an oscillator (MODEL file, TOML).

    \b
    d rho/dt = -i [H_S + M frequency_shift_squared X^2/2, rho] - i gamma [X, {P, rho}]
               - D [X, [X, rho]] - f [X, [P, rho]],   H_S = P^2/2M + M Omega0^2 X^2/2,
    to second order in the coupling X (x) B; C(t) = <B(t) B(0)> = nu(t) - i eta(t) and
    Ĉ(w > 0) = 2 J(w) [n(w) + 1] for bosons, 2 J(w)/(1 + exp(-beta w)) for spins.

    \b
    gamma = int eta sin(Omega0 t)/(M Omega0)        D = int nu cos(Omega0 t)
    f = -int nu sin(Omega0 t)/(M Omega0)            integrals over t from 0 to infinity
    frequency_shift_squared = -(2/M) int eta cos(Omega0 t), added to Omega0^2
    """
    if is_random_matrix_file(model):
        fail(
            f"{model}: this is a system of levels in a random-matrix environment, its equation has "
            "no coefficients gamma, D and f; use `pertsym rates` or `pertsym evolve`",
            BAD_INPUT,
        )
    parsed = load_oscillator(model)
    result = oscillator_coefficients(parsed, ticker())
    if as_json:
        emit_json(_record(result))
    else:
        _show(result, parsed)
    leave(_missing(result))


def _missing(result: Coefficients) -> dict[str, dict[str, dict[str, str]]]:
    return {"divergent": {"2": dict(result.divergent)}} if result.divergent else {}


def _record(result: Coefficients) -> dict[str, Any]:
    record: dict[str, Any] = {
        name: None if x is None else float(x.value) for name, x in result.values.items()
    }
    record["error"] = {
        name: None if x is None else float(x.error) for name, x in result.values.items()
    }
    if found := [*noise(record, record["error"])]:
        record["noise"] = found
    return {**record, **missing_record(_missing(result))}


def _show(result: Coefficients, model: OscillatorModel) -> None:
    rate = model.units.rate or "the unit of the energies"
    units = {
        "gamma": rate,
        "D": f"{rate}, per squared unit of X",
        "f": rate,
        "frequency_shift_squared": f"square of {rate}",
    }
    missing = _missing(result)
    for name, x in result.values.items():
        value = word(missing, "2", name) if x is None else f"{x.value:.15g}  +- {x.error:.1e}"
        small = NOISE if x is not None and is_noise(x.value, x.error) else ""
        click.echo(f"  {name:<26}{value:>34}   [{units[name]}]{small}")
