"""Baths of model files: the tables [baths.NAME] and [[cross]]."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, cast

from pertsym.baths.checks import Parameter, parameters_of
from pertsym.baths.densities import DENSITIES, Mixture
from pertsym.expansion.rule import ContractionRule, RuleBath
from pertsym.model.bath import Bath, Statistics, formula_of
from pertsym.model.cross import Cross
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.markov import MarkovNoise, is_markov, read_markov
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
from pertsym.model.schema import BATH, CROSS, density_keys, keyed, required
from pertsym.model.units import Units

_STATISTICS: Final = ("boson", "classical", "spin")
_STATISTICS_TO_COME: Final = ("random-matrix", "markov")
_GIVEN_AS_EXPONENTIALS: Final = "exponentials"


RULES: Final[Mapping[str, str]] = MappingProxyType(
    {"finite-spins": "spins.IndependentSpins", "static": "static.StaticDisorder"}
)
"""Statistics of a bath -> the rule, a class in `pertsym.environments`, which has `read`."""


def _rule_named(statistics: str) -> type[ContractionRule]:
    """The class for a kind of bath; its module is imported only now."""
    module, name = RULES[statistics].split(".")
    found: type[ContractionRule] = getattr(import_module(f"pertsym.environments.{module}"), name)
    return found


def read_cross(value: object, place: Place) -> tuple[Cross, ...]:
    """The tables [[cross]]: correlations between baths."""
    if isinstance(value, dict):
        raise place.error("must be a list of tables", "write [[cross]] with double brackets")
    found: list[Cross] = []
    for index, entry in enumerate(array(value, place, of="tables [[cross]]")):
        here = place.item(index)
        names = array(keyed(entry, here, CROSS)["baths"], here.field("baths"))
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


def read_special(
    entries: Mapping[str, object], units: Units, place: Place
) -> tuple[tuple[MarkovNoise | RuleBath, ...], dict[str, object]]:
    """Return the baths that jump or have a rule, and the entries of all others."""
    found: list[MarkovNoise | RuleBath] = []
    others: dict[str, object] = {}
    for key, entry in entries.items():
        if is_markov(entry):
            found.append(read_markov(key, entry, place.field(key)))
        elif isinstance(entry, Mapping) and entry.get("statistics") in tuple(RULES):
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
    return RuleBath(name, _rule_named(entries["statistics"]).read(own, beta, place))


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
    if "spectral_density" not in entries:
        raise place.field("spectral_density").error(
            "is missing", "give J(w), or for formulas alone, `pertsym derive`, leave [baths] out"
        )
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
    try:
        return Bath.spin(name, beta, density)
    except InputError as error:
        raise place.field(error.key).error(error.problem, error.remedy) from None
    except ValueError as error:  # of the density that stands for the spins
        _, problem, remedy = _dissected(str(error))
        key = "beta" if "beta" in entries else "temperature"
        raise place.field(key).error(problem, remedy) from None


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
        return "mixture", Mixture(tuple(density for _, density in entries_of))
    entries = table(value, place)
    if "kind" not in entries:
        raise place.field("kind").error("is missing", guess("", DENSITIES))
    kind = choice(entries["kind"], DENSITIES, place.field("kind"), "spectral density")
    density: Any = DENSITIES[kind]
    keyed(entries, place, density_keys(kind, density))
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
            try:
                return formula_of(text(value, here))
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
