"""Model files: TOML in, a `Model` or one error that names file and key out."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from pertsym.expansion.rule import RuleBath
from pertsym.files import read_bounded
from pertsym.model.bath_file import read_baths, read_cross, read_special
from pertsym.model.errors import InputError
from pertsym.model.markov import MarkovNoise
from pertsym.model.matrix import eigenbasis, hermitian_matrix, in_basis
from pertsym.model.read import (
    Place,
    array,
    check_keys,
    choice,
    guess,
    real,
    reals,
    replaced,
    table,
    text,
)
from pertsym.model.schema import COUPLING, LEVELS, LEVELS_TOP, Keys, keyed
from pertsym.model.units import UNITS, Units
from pertsym.model.values import Coupling, Matrix, Model

_LARGEST: Final = 20_000_000  # bytes of a file; tables of J with 10^6 samples are smaller
_OSCILLATOR: Final = "oscillator"


def load_model(
    path: str | os.PathLike[str], values: Mapping[str, Fraction] = MappingProxyType({})
) -> Model:
    """Read the model file at a path, with `values` for symbols of its table [symbols].

    Operators are returned in the energy eigenbasis: as given with `energies`, transformed with
    `hamiltonian` (see `pertsym.model.matrix.to_eigenbasis`).  Convention of every J(w) in the
    file: Ĉ(w > 0) = 2 J(w) [n(w) + 1].

    Raises
    ------
    InputError
        If the file cannot be read or something in it is wrong; names file and dotted key.
    NotYetDerivable
        If the file is sound but asks for a kind of bath or system that is not supported yet.
    """
    place = Place(os.fspath(path))
    return model_of(parsed_document(Path(path), place), place, values)


def model_of(
    document: dict[str, Any],
    place: Place,
    values: Mapping[str, Fraction] = MappingProxyType({}),
) -> Model:
    """The model of a parsed model file, as `load_model`; `place` is the file."""
    check_keys(document, LEVELS_TOP, place)
    document = with_numbers(document, place, values)
    units, name, baths = heading(document, place, LEVELS_TOP)
    energies, given, vectors = read_levels(document, baths, place)
    size = len(energies)
    observables = tuple(
        (key, hermitian_matrix(value, place.field("observables").field(key), size))
        for key, value in table(document.get("observables", {}), place.field("observables")).items()
    )
    crosses = read_cross(document["cross"], place.field("cross")) if "cross" in document else ()
    special, others = read_special(baths, units, place.field("baths"))
    bound = read_baths(others, units, place.field("baths"))
    markov = tuple(bath for bath in special if isinstance(bath, MarkovNoise))
    ruled = tuple(bath for bath in special if isinstance(bath, RuleBath))
    try:
        return Model(
            name, units, energies, given, bound, crosses, vectors, observables, markov, ruled
        )
    except InputError as error:
        if error.source != "model":
            raise
        key = error.key
        if key.startswith("energies"):
            key = f"system.{key}" if vectors is None else "system.hamiltonian"
        raise InputError(place.source, key, error.problem, error.remedy) from None


def heading(
    document: Mapping[str, Any], place: Place, keys: Keys
) -> tuple[Units, str, dict[str, Any]]:
    """Units, name and the tables of the baths of a parsed file with these keys."""
    table(keyed(document, place, keys), place, required=("baths",))
    units = UNITS[choice(document.get("units", "natural"), UNITS, place.field("units"), "units")]
    name = text(document.get("name", Path(place.source).stem), place.field("name"))
    return units, name, table(document["baths"], place.field("baths"))


def read_levels(
    document: Mapping[str, Any], baths: Mapping[str, object], place: Place
) -> tuple[tuple[float, ...], tuple[Coupling, ...], tuple[tuple[complex, ...], ...] | None]:
    """Energies and couplings in the energy eigenbasis; its vectors where a hamiltonian is given."""
    here = place.field("system")
    energies, hamiltonian = read_system(document["system"], here)
    size = len(hamiltonian or energies)
    given = read_couplings(document["couplings"], baths, size, place.field("couplings"))
    if hamiltonian is None:
        return energies, given, None
    return in_eigenbasis(hamiltonian, given, here)


def with_numbers(
    document: dict[str, Any], place: Place, values: Mapping[str, Fraction]
) -> dict[str, Any]:
    """The document with numbers for its symbols; as it is where it has none."""
    if not values and "symbols" not in document and not _holds_text(document):
        return document
    # only here: it brings SymPy, which models without symbols do not need
    from pertsym.model.symbols import read_symbols, resolved, with_values

    symbols = read_symbols(document.get("symbols", {}), place.field("symbols"))
    return resolved(document, place, with_values(symbols, values, place))


def _holds_text(document: Mapping[str, Any]) -> bool:
    """Whether an entry that may hold symbols is a text, or a list with one in it."""
    texts: list[str] = []

    def look(value: object, here: Place) -> object:
        for item in value if isinstance(value, list) else ():
            look(item, here)
        texts.extend([value] if isinstance(value, str) else [])
        return value

    replaced(document, Place(""), look)
    return bool(texts)


def observable(
    written: str,
    document: Mapping[str, Any],
    place: Place,
    size: int,
    values: Mapping[str, Fraction],
) -> Matrix:
    """A Hermitian matrix written as in a model file, with the symbols of that file."""
    try:
        matrix = tomllib.loads(f"matrix = {written}")["matrix"]
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        raise place.error(
            f"{written[:60]!r} is no matrix", 'write [[1, 0], [0, -1]], entries with symbols in ""'
        ) from None
    given = {"observables": {"matrix": matrix}, "symbols": document.get("symbols", {})}
    found = with_numbers(given, place, values)["observables"]["matrix"]
    return hermitian_matrix(found, place, size)


def parsed_document(path: Path, place: Place) -> dict[str, Any]:
    """Return the TOML document of a file."""
    try:
        return tomllib.loads(read_bounded(path, _LARGEST).decode())
    except OSError as error:
        raise place.field("file").error(
            f"cannot be read: {error.strerror or error}", "give a readable TOML file"
        ) from None
    except UnicodeDecodeError as error:
        raise place.field("file").error(
            f"is not UTF-8 text (byte {error.start})", "save it as UTF-8"
        ) from None
    except RecursionError:
        raise place.field("file").error("is nested too deeply", "flatten its lists") from None
    except tomllib.TOMLDecodeError as error:
        where = re.search(r" \(at (.*)\)$", str(error))
        raise InputError(
            place.source,
            where[1] if where else "file",
            f"not valid TOML: {str(error)[: where.start()] if where else error}",
            "correct the syntax",
        ) from None
    except ValueError:  # Python refuses to read integers of more than 4300 digits
        raise place.field("file").error(
            "holds an integer with thousands of digits", "write numbers of moderate size"
        ) from None


def read_system(value: object, place: Place) -> tuple[tuple[float, ...], Matrix | None]:
    """Return the energies of a finite system, or none and its Hamiltonian."""
    key = check_system(value, place)
    system = table(value, place)
    energies: tuple[float, ...] = ()
    hamiltonian: Matrix | None = None
    if key == "energies":
        energies = reals(system[key], place.field(key))
    else:
        hamiltonian = hermitian_matrix(system[key], place.field(key))
    if len(hamiltonian or energies) < 2:
        raise place.field(key).error(
            "gives one level, but a system needs at least two", "give every level"
        )
    return energies, hamiltonian


def check_system(value: object, place: Place) -> str:
    """Refuse what is no finite system; "energies" or "hamiltonian", whichever it gives."""
    system = table(value, place)
    kind = choice(
        system.get("kind", "levels"), ("levels", _OSCILLATOR), place.field("kind"), "system"
    )
    if kind == _OSCILLATOR:
        raise place.field("kind").not_yet(
            "an oscillator has infinitely many levels, this request needs a finite system",
            "use `pertsym coefficients` (in Python load_oscillator), or give energies = [...] or "
            "hamiltonian = [[...], ...]",
        )
    check_keys(system, LEVELS, place)
    if ("energies" in system) == ("hamiltonian" in system):
        both = "energies" in system
        raise place.field("energies").error(
            "is given together with hamiltonian" if both else "is missing, and so is hamiltonian",
            "give exactly one of the two",
        )
    return "energies" if "energies" in system else "hamiltonian"


def read_couplings(
    value: object, baths: Mapping[str, object], size: int, place: Place
) -> tuple[Coupling, ...]:
    """Return the couplings of a finite system, in the basis of its table."""
    couplings: list[Coupling] = []
    for index, coupling in enumerate(coupling_tables(value, place)):
        here = place.item(index)
        operator = hermitian_matrix(coupling["operator"], here.field("operator"), size)
        bath = coupled_bath(coupling, baths, here)
        strength = real(coupling.get("strength", 1), here.field("strength"))
        couplings.append(Coupling.of(operator, bath, strength))
    return tuple(couplings)


def coupled_bath(coupling: Mapping[str, Any], baths: Mapping[str, object], place: Place) -> str:
    """The bath that a coupling names, one of these."""
    bath = text(coupling["bath"], place.field("bath"))
    if bath not in baths:
        raise place.field("bath").error(
            f"there is no bath {bath!r}",
            f"add [baths.{bath}]" + (f" or {guess(bath, baths)}" if baths else ""),
        )
    return bath


def coupling_tables(value: object, place: Place) -> list[dict[str, Any]]:
    """The tables [[couplings]], each with the keys that it needs."""
    if isinstance(value, dict):
        raise place.error("must be a list of tables", "write [[couplings]] with double brackets")
    entries = array(value, place, of="tables [[couplings]]")
    return [keyed(entry, place.item(k), COUPLING) for k, entry in enumerate(entries)]


def in_eigenbasis(
    hamiltonian: Matrix, couplings: tuple[Coupling, ...], place: Place
) -> tuple[tuple[float, ...], tuple[Coupling, ...], tuple[tuple[complex, ...], ...]]:
    """Return energies and couplings in the eigenbasis of a Hamiltonian, and its eigenvectors."""
    try:
        energies, vectors = eigenbasis(hamiltonian)
    except np.linalg.LinAlgError as error:
        raise place.field("hamiltonian").error(
            f"cannot be diagonalised: {error}", "check the size of its entries"
        ) from None
    operators = in_basis(vectors, [c.operator for c in couplings])
    return (
        energies,
        tuple(
            Coupling(operator, coupling.bath)
            for operator, coupling in zip(operators, couplings, strict=True)
        ),
        tuple(tuple(map(complex, row)) for row in vectors.tolist()),
    )
