"""Model files of oscillators: `[system] kind = "oscillator"`, couplings by `operator = "X"`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pertsym.model.bath_file import read_baths
from pertsym.model.errors import InputError
from pertsym.model.file import parsed_document
from pertsym.model.oscillator import OscillatorModel, PositionCoupling
from pertsym.model.read import Place, array, check_keys, choice, guess, real, table, text
from pertsym.model.schema import COUPLING, OSCILLATOR, TOP, required
from pertsym.model.units import UNITS

KIND: Final = "oscillator"
_POSITION: Final = "X"


def load_oscillator(path: str | os.PathLike[str]) -> OscillatorModel:
    """Read the model file of an oscillator at a path.

    Convention of every J(w) in the file: Ĉ(w > 0) = 2 J(w) [n(w) + 1] for bosons, for spins
    C(t) = (1/pi) int_0^inf dw J(w) [cos wt - i tanh(beta w/2) sin wt].

    Raises
    ------
    InputError
        If the file cannot be read, is not of an oscillator, or something in it is wrong; names
        file and dotted key.
    NotYetDerivable
        If it asks for a kind of bath that has no correlation function of its own.
    """
    place = Place(os.fspath(path))
    document = parsed_document(Path(path), place)
    check_keys(document, TOP, place)
    table(document, place, required=("system", "couplings", "baths"))
    units = UNITS[choice(document.get("units", "natural"), UNITS, place.field("units"), "units")]
    name = text(document.get("name", Path(path).stem), place.field("name"))
    mass, frequency = _system(document["system"], place.field("system"))
    entries = table(document["baths"], place.field("baths"))
    couplings = _couplings(document["couplings"], entries, place.field("couplings"))
    baths = read_baths(entries, units, place.field("baths"))
    try:
        return OscillatorModel(name, units, mass, frequency, couplings, baths)
    except InputError as error:
        if error.source != "model":
            raise
        raise InputError(place.source, error.key, error.problem, error.remedy) from None


def _system(value: object, place: Place) -> tuple[float, float]:
    system = table(value, place)
    kind = system.get("kind", "levels")
    if kind == "levels":
        raise place.field("kind").error(
            "this is a system of levels, its equation has no coefficients gamma, D and f",
            'use `pertsym generator`, or write kind = "oscillator" with mass and frequency',
        )
    choice(kind, (KIND,), place.field("kind"), "system")
    check_keys(system, OSCILLATOR, place)
    table(system, place, required=required(OSCILLATOR))
    mass, frequency = (float(real(system[key], place.field(key))) for key in ("mass", "frequency"))
    return mass, frequency


def _couplings(
    value: object, baths: Mapping[str, object], place: Place
) -> tuple[PositionCoupling, ...]:
    if isinstance(value, dict):
        raise place.error("must be a list of tables", "write [[couplings]] with double brackets")
    couplings = []
    for index, entry in enumerate(array(value, place, of="tables [[couplings]]")):
        here = place.item(index)
        coupling = table(entry, here)
        check_keys(coupling, COUPLING, here)
        table(coupling, here, required=required(COUPLING))
        operator = coupling["operator"]
        if operator == "P":
            raise here.field("operator").not_yet(
                "a coupling by the momentum cannot be treated yet", 'use operator = "X"'
            )
        if operator != _POSITION:
            raise here.field("operator").error(
                "an oscillator is coupled by its position, and this is no matrix"
                if isinstance(operator, str)
                else "an oscillator has no matrix for its coupling",
                'write operator = "X"; a factor goes into strength',
            )
        bath = text(coupling["bath"], here.field("bath"))
        if bath not in baths:
            raise here.field("bath").error(
                f"there is no bath {bath!r}",
                f"add [baths.{bath}]" + (f" or {guess(bath, baths)}" if baths else ""),
            )
        strength = float(real(coupling.get("strength", 1), here.field("strength")))
        couplings.append(PositionCoupling(bath, strength))
    return tuple(couplings)
