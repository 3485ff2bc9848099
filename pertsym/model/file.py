"""Model files: TOML in, a `Model` or one error that names file and key out."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast

import numpy as np

from pertsym.baths.checks import Parameter, parameters_of
from pertsym.baths.densities import DENSITIES, Mixture
from pertsym.environments import RULES, rule_named
from pertsym.expansion.rule import RuleBath
from pertsym.files import read_bounded
from pertsym.model.cross import Cross
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.markov import MarkovNoise, is_markov, read_markov
from pertsym.model.matrix import eigenbasis, hermitian_matrix, in_basis
from pertsym.model.read import (
    Place,
    array,
    check_keys,
    choice,
    complexes,
    guess,
    real,
    reals,
    table,
    text,
)
from pertsym.model.schema import BATH, COUPLING, CROSS, LEVELS, LEVELS_TOP, required
from pertsym.model.units import UNITS, Units
from pertsym.model.values import Bath, Coupling, Matrix, Model, Statistics

_STATISTICS: Final = ("boson", "classical", "spin")
_STATISTICS_TO_COME: Final = ("random-matrix", "markov")
_LARGEST: Final = 20_000_000  # bytes of a file; tables of J with 10^6 samples are smaller
_OSCILLATOR: Final = "oscillator"
_GIVEN_AS_EXPONENTIALS: Final = "exponentials"


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
    table(document, place, required=("system", "couplings", "baths"))
    units = UNITS[choice(document.get("units", "natural"), UNITS, place.field("units"), "units")]
    name = text(document.get("name", Path(place.source).stem), place.field("name"))

    system = read_system(document["system"], place.field("system"))
    baths = table(document["baths"], place.field("baths"))
    energies, hamiltonian = system
    size = len(energies) if hamiltonian is None else len(hamiltonian)
    given = read_couplings(document["couplings"], baths, size, place.field("couplings"))
    observables = tuple(
        (key, hermitian_matrix(value, place.field("observables").field(key), size))
        for key, value in table(document.get("observables", {}), place.field("observables")).items()
    )
    vectors = None
    if hamiltonian is not None:
        energies, given, vectors = in_eigenbasis(hamiltonian, given, place.field("system"))
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
            key = f"system.{key}" if hamiltonian is None else "system.hamiltonian"
        raise InputError(place.source, key, error.problem, error.remedy) from None


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

    def within(value: object) -> bool:
        return isinstance(value, str) or (isinstance(value, list) and any(map(within, value)))

    tables = [(document.get("system"), ("hamiltonian", "energies"))]
    couplings = document.get("couplings")
    tables += [(c, ("operator", "strength")) for c in couplings] if type(couplings) is list else []
    observables = document.get("observables")
    tables += [(observables, tuple(observables))] if isinstance(observables, dict) else []
    return any(
        within(entries.get(key))
        for entries, keys in tables
        if isinstance(entries, dict)
        for key in keys
    )


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
        bath = text(coupling["bath"], here.field("bath"))
        if bath not in baths:
            raise here.field("bath").error(
                f"there is no bath {bath!r}",
                f"add [baths.{bath}]" + (f" or {guess(bath, baths)}" if baths else ""),
            )
        strength = real(coupling.get("strength", 1), here.field("strength"))
        couplings.append(Coupling.of(operator, bath, strength))
    return tuple(couplings)


def read_cross(value: object, place: Place) -> tuple[Cross, ...]:
    """The tables [[cross]]: correlations between baths."""
    if isinstance(value, dict):
        raise place.error("must be a list of tables", "write [[cross]] with double brackets")
    found: list[Cross] = []
    for index, entry in enumerate(array(value, place, of="tables [[cross]]")):
        here = place.item(index)
        check_keys(table(entry, here), CROSS, here)
        names = array(table(entry, here, required=required(CROSS))["baths"], here.field("baths"))
        if len(names) != 2:
            raise here.field("baths").error(f"names {len(names)} baths", "name two")
        a, b = (text(x, here.field("baths").item(k)) for k, x in enumerate(names))
        fraction = density = None
        if "fraction" in entry:
            fraction = float(real(entry["fraction"], here.field("fraction")))
        if "spectral_density" in entry:
            kind, density = _density(entry["spectral_density"], here.field("spectral_density"))
            if kind == _GIVEN_AS_EXPONENTIALS:
                raise here.field("spectral_density").error(
                    "exponentials have no J(w)", "give J_ab(w) by another kind"
                )
        found.append(Cross((a, b), fraction, density))
    return tuple(found)


def coupling_tables(value: object, place: Place) -> list[dict[str, Any]]:
    """The tables [[couplings]], each with the keys that it needs."""
    if isinstance(value, dict):
        raise place.error("must be a list of tables", "write [[couplings]] with double brackets")
    tables = []
    for index, entry in enumerate(array(value, place, of="tables [[couplings]]")):
        here = place.item(index)
        check_keys(table(entry, here), COUPLING, here)
        tables.append(table(entry, here, required=required(COUPLING)))
    return tables


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


def read_special(
    entries: Mapping[str, object], units: Units, place: Place
) -> tuple[tuple[MarkovNoise | RuleBath, ...], dict[str, object]]:
    """Return the baths that jump or have a rule, and the entries of all others."""
    found: list[MarkovNoise | RuleBath] = []
    others: dict[str, object] = {}
    for key, entry in entries.items():
        if is_markov(entry):
            found.append(read_markov(key, entry, place.field(key)))
        elif isinstance(entry, Mapping) and entry.get("statistics") in RULES:
            found.append(_rule(key, entry, units, place.field(key)))
        else:
            others[key] = entry
    return tuple(found), others


def read_baths(entries: Mapping[str, object], units: Units, place: Place) -> tuple[Bath, ...]:
    """Return the baths that have a correlation function of their own."""
    baths: list[Bath] = []
    postponed: NotYetDerivable | None = None  # wrong input elsewhere is reported first
    for name, entry in entries.items():
        try:
            baths.append(_bath(name, entry, units, place.field(name)))
        except NotYetDerivable as error:
            postponed = postponed or error
    if postponed is not None:
        raise postponed
    return tuple(baths)


def _rule(name: str, value: object, units: Units, place: Place) -> RuleBath:
    entries = table(value, place)
    thermal = {"temperature", "beta"}.intersection(entries)
    beta = _inverse_temperature(entries, units, place) if thermal else None
    own = {key: x for key, x in entries.items() if key not in {"statistics", *thermal}}
    return RuleBath(name, rule_named(entries["statistics"]).read(own, beta, place))


def _bath(name: str, value: object, units: Units, place: Place) -> Bath:
    entries = table(value, place)
    statistics = choice(
        entries.get("statistics", "boson"),
        (*_STATISTICS, *_STATISTICS_TO_COME, *RULES),
        place.field("statistics"),
        "statistics",
    )
    if statistics in RULES:
        raise place.field("statistics").not_yet(
            f"a bath of statistics {statistics!r} has no formulas of its own",
            "use `pertsym generator` with --time",
        )
    if statistics in _STATISTICS_TO_COME:
        raise place.field("statistics").not_yet(
            f"for baths of statistics {statistics!r} this request cannot be treated yet",
            "use levels with `pertsym rates` or `pertsym evolve` (random matrices in Python: "
            f"load_random_matrix), or statistics {', '.join(map(repr, _STATISTICS))}",
        )
    check_keys(entries, BATH, place)
    table(entries, place, required=required(BATH))
    kind, density = _density(entries["spectral_density"], place.field("spectral_density"))
    if statistics == "spin":
        return _spin_bath(name, entries, kind, density, units, place)
    if kind == _GIVEN_AS_EXPONENTIALS:
        _check_exponentials(entries, statistics, density, place)
        beta = None
    else:
        beta = _inverse_temperature(entries, units, place)
    try:
        return Bath(name, cast(Statistics, statistics), beta, density)
    except InputError as error:
        raise place.field(error.key).error(error.problem, error.remedy) from None


def _spin_bath(
    name: str, entries: Mapping[str, object], kind: str, density: Any, units: Units, place: Place
) -> Bath:
    """Spins as the oscillators that have the same correlation function."""
    if kind == _GIVEN_AS_EXPONENTIALS:
        here = place.field("spectral_density").field("kind")
        raise here.error(
            "exponentials are a correlation function as it is, spins or not",
            'give J(w) by another kind, or remove statistics = "spin"',
        )
    beta = _inverse_temperature(entries, units, place)
    return Bath.spin(name, beta, density)


def _inverse_temperature(entries: Mapping[str, object], units: Units, place: Place) -> float:
    if ("temperature" in entries) == ("beta" in entries):
        both = "beta" in entries
        raise place.field("temperature").error(
            "is given together with beta" if both else "is missing, and so is beta",
            "give exactly one of the two",
        )
    if "beta" in entries:
        here = place.field("beta")
        beta = float(real(entries["beta"], here, hint="write temperature = 0 for absolute zero"))
        if not beta > 0:
            raise here.error(f"must be positive, got {beta!r}", "write beta = 1/(k_B T)")
        return beta
    here = place.field("temperature")
    temperature = float(real(entries["temperature"], here))
    if temperature < 0:
        raise here.error(f"must not be negative, got {temperature!r}", "give T >= 0")
    return units.inverse_temperature(temperature)


def _density(value: object, place: Place) -> tuple[str, Any]:
    """Return the kind and the spectral density, built by its own class from the file's fields.

    A list is the sum of its entries.
    """
    if isinstance(value, list):
        entries_of = [
            _density(item, place.item(k)) for k, item in enumerate(array(value, place, of="tables"))
        ]
        for k, (kind, _) in enumerate(entries_of):
            if kind == _GIVEN_AS_EXPONENTIALS:
                raise (
                    place.item(k)
                    .field("kind")
                    .error(
                        "exponentials have no J(w) that could be added to another",
                        "give them a bath of their own",
                    )
                )
        if not entries_of:
            raise place.error("is an empty list", "give at least one density")
        return "mixture", Mixture(tuple(density for _, density in entries_of))
    entries = table(value, place, required=("kind",))
    kind = choice(entries["kind"], DENSITIES, place.field("kind"), "spectral density")
    density: Any = DENSITIES[kind]
    declared = [entry for entry in fields(density) if entry.init]
    check_keys(entries, ("kind", *(entry.name for entry in declared)), place)
    needed = [e.name for e in declared if e.default is MISSING and e.default_factory is MISSING]
    table(entries, place, required=needed)
    forms = parameters_of(density)
    values = {k: _parameter(forms[k], k, entries[k], place) for k in entries if k != "kind"}
    try:
        return kind, density(**values)
    except ValueError as error:
        key, problem, remedy = _dissected(str(error))
        known = key in values
        raise (place.field(key) if known else place).error(
            problem if known else str(error), remedy or "correct it"
        ) from None


def _parameter(parameter: Parameter, key: str, value: object, place: Place) -> object:
    here = place.field(key)
    match parameter.form:
        case "formula":
            # only here: it brings SymPy, which models without formulas do not need
            from pertsym.expressions.expression import decay, leading_power, parse_expression

            formula = text(value, here)
            try:
                expression = parse_expression(formula)
                leading_power(expression), decay(expression)  # undecidable ends are refused here
                return expression
            except ValueError as error:
                problem, _, remedy = str(error).rpartition("; ")
                raise here.error(problem, remedy) from None
        case "text":
            return text(value, here)
        case "reals":
            return reals(value, here)
        case "complexes":
            return complexes(value, here)
        case _:
            return float(real(value, here))


def _dissected(message: str) -> tuple[str, str, str]:
    """Split "field: problem; remedy"."""
    key, _, rest = message.partition(": ")
    problem, _, remedy = rest.rpartition("; ")
    return key, problem, remedy


def _check_exponentials(
    entries: Mapping[str, object], statistics: str, density: Any, place: Place
) -> None:
    for key in ("temperature", "beta"):
        if key in entries:
            raise place.field(key).error(
                "a correlation function given as exponentials has no temperature", "remove it"
            )
    if statistics == "classical" and not _is_real(density.c, density.nu):
        here = place.field("spectral_density").field("c")
        raise here.error(
            "C(t) is complex, but a classical bath has a real one",
            'give every complex c, nu its conjugate partner, or remove statistics = "classical"',
        )


def _is_real(c: Any, nu: Any) -> bool:
    """Whether sum_k c_k exp(-nu_k t) is real for all t: terms come in conjugate pairs."""
    sums: dict[complex, complex] = {}
    for weight, rate in zip(c, nu, strict=True):
        sums[complex(rate)] = sums.get(complex(rate), 0j) + complex(weight)
    return all(
        weight == sums.get(rate.conjugate(), 0j).conjugate() for rate, weight in sums.items()
    )
