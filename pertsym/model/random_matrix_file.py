"""Model files with `statistics = "random-matrix"`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pertsym.model.errors import InputError
from pertsym.model.file import in_eigenbasis, parsed_document, read_couplings, read_system
from pertsym.model.random_matrix import RandomMatrixBath, RandomMatrixModel
from pertsym.model.read import Place, check_keys, choice, real, table, text
from pertsym.model.schema import RANDOM_MATRIX, TOP, required
from pertsym.model.units import UNITS

STATISTICS: Final = "random-matrix"


def is_random_matrix_file(path: str | os.PathLike[str]) -> bool:
    """Whether the file declares a random-matrix environment (and should be read as such).

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    document = parsed_document(Path(path), Place(os.fspath(path)))
    return any(_is_random(bath) for bath in _entries(document).values())


def _entries(document: Mapping[str, Any]) -> Mapping[str, object]:
    baths = document.get("baths")
    return baths if isinstance(baths, dict) else {}


def _is_random(bath: object) -> bool:
    return isinstance(bath, dict) and bath.get("statistics") == STATISTICS


def load_random_matrix(path: str | os.PathLike[str]) -> RandomMatrixModel:
    """Read the model file at a path of a finite system in a random-matrix environment.

    Energies are in the file's unit, in which the band of the environment is [-1/2, 1/2].

    Raises
    ------
    InputError
        If the file cannot be read or something in it is wrong; names file and dotted key.
    NotYetDerivable
        If a random-matrix environment is combined with another bath.
    """
    place = Place(os.fspath(path))
    document = parsed_document(Path(path), place)
    check_keys(document, TOP, place)
    table(document, place, required=("system", "couplings", "baths"))
    units = UNITS[choice(document.get("units", "natural"), UNITS, place.field("units"), "units")]
    name = text(document.get("name", Path(path).stem), place.field("name"))
    energies, hamiltonian = read_system(document["system"], place.field("system"))
    entries = table(document["baths"], place.field("baths"))
    size = len(energies) if hamiltonian is None else len(hamiltonian)
    couplings = read_couplings(document["couplings"], entries, size, place.field("couplings"))
    if hamiltonian is not None:
        energies, couplings, _ = in_eigenbasis(hamiltonian, couplings, place.field("system"))
    if not couplings:
        raise place.field("couplings").error("there is no coupling", "couple the system to a bath")
    return RandomMatrixModel(name, units, energies, couplings, _bath(entries, place.field("baths")))


def _bath(entries: Mapping[str, object], place: Place) -> RandomMatrixBath:
    if len(entries) != 1:
        raise place.not_yet(
            "a random-matrix environment beside other baths cannot be treated yet",
            "keep one bath",
        )
    ((name, value),) = entries.items()
    here = place.field(name)
    bath = table(value, here)
    choice(bath.get("statistics"), (STATISTICS,), here.field("statistics"), "statistics")
    check_keys(bath, RANDOM_MATRIX, here)
    table(bath, here, required=required(RANDOM_MATRIX))
    energy, width = (float(real(bath[key], here.field(key))) for key in ("energy", "shell_width"))
    try:
        return RandomMatrixBath(name, energy, width)
    except InputError as error:
        raise here.field(error.key).error(error.problem, error.remedy) from None
