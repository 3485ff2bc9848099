"""Model files as they are stated, with symbols that have no value; and any model file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pertsym.model.bath_file import read_baths, read_cross, read_special
from pertsym.model.entries import entry_of, rows_of
from pertsym.model.errors import InputError
from pertsym.model.file import check_system, coupling_tables, parsed_document
from pertsym.model.read import Place, array, choice, table, text
from pertsym.model.schema import LEVELS_TOP, keyed
from pertsym.model.statement import Coupling, Model
from pertsym.model.symbols import read_symbols, with_values
from pertsym.model.units import UNITS


def load(path: str | os.PathLike[str]) -> Any:
    """The model of any model file, by its path.

    Returns
    -------
    Model, OscillatorModel or RandomMatrixModel

    Raises
    ------
    InputError
        Naming file and key of what is wrong.
    """
    from pertsym.model.oscillator import load_oscillator
    from pertsym.model.random_matrix import is_random_matrix_file, load_random_matrix

    if is_random_matrix_file(path):
        return load_random_matrix(path)
    system = parsed_document(Path(path), Place(os.fspath(path))).get("system")
    if isinstance(system, dict) and system.get("kind") == "oscillator":
        return load_oscillator(path)
    return load_statement(path)


def load_statement(
    path: str | os.PathLike[str], values: Mapping[str, Fraction] = MappingProxyType({})
) -> Model:
    """The model of a file as it is stated, symbols without value included; `values` for some.

    Raises
    ------
    InputError, NotYetDerivable
        As `pertsym.model.file.load_model`.
    """
    place = Place(os.fspath(path))
    return stated(parsed_document(Path(path), place), place, values)


def stated(document: Mapping[str, Any], place: Place, values: Mapping[str, Fraction]) -> Model:
    """The stated model of a parsed file."""
    keyed(document, place, LEVELS_TOP)
    units = choice(document.get("units", "natural"), UNITS, place.field("units"), "units")
    symbols = with_values(
        read_symbols(document.get("symbols", {}), place.field("symbols")), values, place
    )
    system, here = document["system"], place.field("system")
    check_system(system, here)
    given: dict[str, Any] = {}
    if "hamiltonian" in system:
        given["hamiltonian"] = rows_of(system["hamiltonian"], here.field("hamiltonian"), symbols)
    else:
        levels = array(system["energies"], here.field("energies"))
        given["energies"] = [
            entry_of(x, here.field("energies").item(k), symbols) for k, x in enumerate(levels)
        ]
    couplings = []
    for k, value in enumerate(coupling_tables(document["couplings"], place.field("couplings"))):
        here = place.field("couplings").item(k)
        couplings.append(
            Coupling(
                rows_of(value["operator"], here.field("operator"), symbols),
                text(value["bath"], here.field("bath")),
                entry_of(value.get("strength", 1), here.field("strength"), symbols),
            )
        )
    observables = table(document.get("observables", {}), place.field("observables"))
    baths = table(document.get("baths", {}), place.field("baths"))
    special, others = read_special(baths, UNITS[units], place.field("baths"))
    crosses = read_cross(document["cross"], place.field("cross")) if "cross" in document else ()
    try:
        return Model(
            **given,
            couplings=couplings,
            baths=(*read_baths(others, UNITS[units], place.field("baths")), *special),
            cross=crosses,
            symbols=symbols,
            observables={
                n: rows_of(x, place.field("observables").field(n), symbols)
                for n, x in observables.items()
            },
            name=text(document.get("name", Path(place.source).stem), place.field("name")),
            units=units,
        )
    except InputError as fault:
        if fault.source == place.source:
            raise
        key = f"system.{fault.key}" if fault.key.startswith(("hamil", "energ")) else fault.key
        raise InputError(place.source, key, fault.problem, fault.remedy) from None
