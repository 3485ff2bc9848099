"""`pertsym check MODEL`: what was understood of a model file, and what may mislead."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import click
import numpy as np

from pertsym.baths.divergence import Divergent
from pertsym.cli.console import (
    command_errors,
    emit_json,
    finite,
    note,
    read_values,
    refuse_settings,
    settings_option,
    ticker,
)
from pertsym.expansion.rule import RuleBath
from pertsym.generators.representation import represented
from pertsym.model.bath import Bath
from pertsym.model.cross import Cross
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.file import load_model, parsed_document
from pertsym.model.markov import MarkovNoise
from pertsym.model.notes import model_notes
from pertsym.model.oscillator import load_oscillator
from pertsym.model.random_matrix import is_random_matrix_file, load_random_matrix
from pertsym.model.read import Place
from pertsym.model.values import Coupling, Matrix, Model

_POINTS = 4000
_WEAK = 0.3
"""The expansion parameter above which a fourth order is not small any more."""


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@settings_option
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
@command_errors
def check(model: Path, settings: tuple[str, ...], as_json: bool) -> None:
    """Say what was understood of a MODEL file (TOML), and warn of what may mislead.

    \b
    reorganisation energy   (1/pi) int J(w)/w dw over w > 0, times the square of the coupling
    correlation time        int t |C(t)| dt / int |C(t)| dt, t from 0 to infinity
    expansion parameter     |S| sqrt(int t |C(t)| dt): higher orders are smaller by its square;
                            of C = D^2 exp(-t/tau) it is |S| D tau
    """
    record, remarks = _understood(model, settings)
    if as_json:
        emit_json({**record, "notes": list(remarks)})
    else:
        for line in _lines(record):
            click.echo(line)
    for remark in remarks:
        note(f"{model}: {remark}")


def _understood(file: Path, settings: tuple[str, ...]) -> tuple[dict[str, Any], tuple[str, ...]]:
    document = parsed_document(file, Place(str(file)))
    system = document.get("system")
    if isinstance(system, dict) and system.get("kind") == "oscillator":
        refuse_settings(settings)
        found = load_oscillator(file)
        return {
            "name": found.name,
            "system": "oscillator; `pertsym coefficients` gives its master equation",
            "units": found.units.name,
        }, ()
    if is_random_matrix_file(file):
        refuse_settings(settings)
        random = load_random_matrix(file)
        return {
            "name": random.name,
            "system": "levels in a random-matrix environment; rates to second order",
            "units": random.units.name,
            "energies": list(map(float, random.energies)),
        }, ()
    values = read_values(file, settings)
    model = load_model(file, values)
    given = "hamiltonian" if model.vectors is not None else "energies"
    operators = {bath.name: matrix for bath, matrix in model.stated_baths}
    baths = [_bath(model, bath, matrix) for bath, matrix in model.stated_baths]
    others: tuple[MarkovNoise | RuleBath, ...] = (*model.used_markov, *model.used_ruled)
    for other in others:
        operators[other.name] = model.bath_operators[other.name]
        baths.append(_not_gaussian(other, operators[other.name]))
    weak = (*_warnings(model, baths), *_of_symbols(document, file, values))
    correlated = [_correlation(c) for c in model.cross if operators.keys() >= set(c.baths)]
    return {
        "name": model.name,
        "system": f"{model.dimension} levels",
        "units": model.units.name,
        "energy_unit": model.units.energy or "one consistent unit",
        "time_unit": model.units.time or "its inverse",
        "basis": "the eigenbasis of the hamiltonian, ascending; states are read and printed in the "
        "basis of the file"
        if given == "hamiltonian"
        else "that of the energies as given",
        "energies": list(map(float, model.energies)),
        "couplings": [
            {
                "bath": name,
                "operator": [[_cell(complex(x)) for x in row] for row in matrix],
            }
            for name, matrix in operators.items()
        ],
        "baths": baths,
        **({"correlations": correlated} if correlated else {}),
    }, (*model_notes(model), *weak)


def _bath(model: Model, bath: Bath, operator: Matrix) -> dict[str, Any]:
    record: dict[str, Any] = {"name": bath.name}
    beta = bath.beta
    if beta is not None:
        warm = 0.0 if np.isinf(beta) else 1 / (beta * model.units.temperature_to_energy)
        record["temperature"] = float(f"{warm:.12g}")
    record["coupling"] = strength = _size(operator)
    if getattr(bath.density, "is_zero", False):
        return {**record, "zero": True}
    # as it is stated: correlated baths are replaced by independent ones in the whole model
    alone = replace(model, couplings=(Coupling(operator, bath.name),), cross=())
    ticker()(f"correlation function of bath {bath.name!r}")
    try:
        (exponents,) = (x.exponentials for x in represented(alone).fine)
        weights, rates = np.array(exponents.c), np.array(exponents.nu)
        times = np.geomspace(1e-3 / np.abs(rates).max(), 40 / rates.real.min(), _POINTS)
        size = np.abs(np.exp(-np.outer(times, rates)) @ weights)
        first = float(np.trapezoid(times * size, np.log(times)))  # of |C| over t
        second = float(np.trapezoid(times**2 * size, np.log(times)))  # of t |C|
        # int_0^inf Im C dt = -(1/pi) int J/w dw
        record["reorganisation_energy"] = -(strength**2) * float((weights / rates).sum().imag)
        record["correlation_time"] = second / first / model.units.time_to_internal(1.0)
        record["expansion_parameter"] = strength * float(np.sqrt(second))
    except (Divergent, NotYetDerivable) as fault:
        record["not_known"] = str(fault)
    return record


def _not_gaussian(bath: MarkovNoise | RuleBath, operator: Matrix) -> dict[str, Any]:
    if isinstance(bath, RuleBath):
        return {"name": bath.name, "kind": "with a contraction rule", "coupling": _size(operator)}
    mean = bath.mean
    weighed = zip(bath.values, bath.stationary, strict=True)
    return {
        "name": bath.name,
        "kind": f"noise that jumps between {len(bath.states)} states",
        "coupling": _size(operator),
        "mean": float(mean),
        "standard_deviation": math.sqrt(sum(p * (x - mean) ** 2 for x, p in weighed)),
    }


def _correlation(cross: Cross) -> dict[str, Any]:
    if cross.density is None:
        return {"baths": list(cross.baths), "fraction": cross.fraction}
    density = cross.density
    values = ", ".join(f"{name} = {x:.6g}" for name, x in density.values.items())
    formula = density.expression_given
    kind = str(formula) if formula is not None else density.kind
    return {"baths": list(cross.baths), "spectral_density": f"{kind}, {values}".rstrip(", ")}


def _size(operator: Matrix) -> float:
    return float(np.linalg.norm(np.array(operator, dtype=complex), ord=2))


def _warnings(model: Model, baths: list[dict[str, Any]]) -> Iterator[str]:
    for bath in baths:
        size = bath.get("expansion_parameter")
        if bath.get("zero"):
            yield f"bath {bath['name']!r} is zero and has no effect"
        if size is not None and size > _WEAK:
            yield (
                f"bath {bath['name']!r}: the expansion parameter is {size:.2g}: compare order 4 "
                "with order 2 before you trust either"
            )
        if "not_known" in bath:
            yield f"bath {bath['name']!r}: {bath['not_known']}"
    if model.energies[0] == model.energies[-1]:
        yield "all levels have one energy"
    elif model.dimension == 2 and model.energies[0] > model.energies[1]:
        yield (
            "system.energies: rates of two levels need E_1 > E_0; list the lower level first and "
            "exchange rows and columns of the operators"
        )


def _of_symbols(
    document: Mapping[str, Any], file: Path, values: Mapping[str, Fraction]
) -> Iterator[str]:
    """What only the formulas of `pertsym derive` mind, such as a symbol that is called E1."""
    if "symbols" in document:
        from pertsym.model.statement_file import load_statement  # brings SymPy

        try:
            load_statement(file, values)
        except InputError as fault:
            yield f"`pertsym derive` refuses {fault.key}: {fault.problem}; {fault.remedy}"


def _cell(x: complex) -> float | list[float]:
    return x.real if not x.imag else [x.real, x.imag]


def _lines(record: dict[str, Any]) -> Iterator[str]:
    for key, value in record.items():
        said = key.replace("_", " ")
        if key == "couplings":
            for entry in value:
                rows = "; ".join(
                    ", ".join(
                        f"{x:.6g}" if isinstance(x, float) else f"{complex(*x):.6g}" for x in row
                    )
                    for row in entry["operator"]
                )
                yield f"{'coupling':<16}[{rows}] (x) {entry['bath']}"
        elif key == "baths":
            for entry in value:
                facts = ", ".join(
                    f"{k.replace('_', ' ')} {finite(x):.6g}"
                    for k, x in entry.items()
                    if isinstance(x, float)
                )
                kind = f"{entry['kind']}, " if "kind" in entry else ""
                yield f"{'bath':<16}{entry['name']}: {kind}{facts}"
        elif key == "correlations":
            for entry in value:
                names = ",".join(entry["baths"])
                said = (
                    f"fraction {entry['fraction']:.6g} of sqrt(J J)"
                    if "fraction" in entry
                    else entry["spectral_density"]
                )
                yield f"{'correlation':<16}J_{names}: {said}"
        elif key == "energies":
            yield f"{said:<16}" + ", ".join(f"{x:.10g}" for x in value)
        else:
            yield f"{said:<16}{value}"
