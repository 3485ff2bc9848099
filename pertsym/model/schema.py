"""The keys of a model file: one table, which the reader obeys and the JSON schema is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from pertsym.model.read import Place, check_keys, table

Form = Mapping[str, Any]
"""A JSON schema of one value."""


class Key(NamedTuple):
    """What stands behind a key: its form, what it means, and whether it must be there."""

    form: Form
    meaning: str
    required: bool = False


Keys = Mapping[str, Key]

_NUMBER: Final[Form] = {"type": "number"}
_POSITIVE: Final[Form] = {"type": "number", "exclusiveMinimum": 0}
_TEXT: Final[Form] = {"type": "string"}
_COMPLEX: Final[Form] = {
    "oneOf": [_NUMBER, {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}]
}
_ENTRY: Final[Form] = {"oneOf": [*_COMPLEX["oneOf"], _TEXT]}  # a text is a formula in the symbols


def _some(form: Form, least: int = 1) -> Form:
    return {"type": "array", "items": form, "minItems": least}


def _named(form: Form) -> Form:
    return {"type": "object", "additionalProperties": form}


def _place(name: str) -> Form:
    return {"$ref": f"#/$defs/{name}"}


_MATRIX: Final[Form] = _some(_some(_ENTRY))
_UNITS: Final[Form] = {"enum": ["natural", "atomic", "wavenumber"]}
_DENSITY: Final[Form] = {"oneOf": [_place("density"), _some(_place("density"))]}

TOP: Final[Keys] = {
    "name": Key(_TEXT, "of the model; by default that of the file"),
    "units": Key(_UNITS, "of all numbers; by default natural"),
    "system": Key({"oneOf": [_place("levels"), _place("oscillator")]}, "what relaxes", True),
    "couplings": Key(_some(_place("coupling")), "terms of H_I, tables [[couplings]]", True),
    "baths": Key(
        _named({"oneOf": [_place(x) for x in ("bath", "markov", "random_matrix")]}),
        "a table [baths.NAME] for each bath; needed for numbers",
    ),
}
LEVELS_TOP: Final[Keys] = {
    **TOP,
    "cross": Key(_some(_place("cross")), "correlations between baths, tables [[cross]]"),
    "symbols": Key(
        _named({"oneOf": [_NUMBER, {"enum": ["real", "positive"]}]}),
        "names in formulas: a value, or what is known of it",
    ),
    "observables": Key(_named(_MATRIX), "matrices whose expectation values are wanted"),
}
LEVELS: Final[Keys] = {
    "kind": Key({"const": "levels"}, "levels, the default, or oscillator"),
    "energies": Key(_some(_ENTRY, 2), "of the levels, whose eigenbasis is that of operators"),
    "hamiltonian": Key(_some(_some(_ENTRY), 2), "instead: a Hermitian matrix in any basis"),
}
OSCILLATOR: Final[Keys] = {
    "kind": Key({"const": "oscillator"}, "levels, the default, or oscillator", True),
    "mass": Key(_POSITIVE, "of the oscillator", True),
    "frequency": Key(_POSITIVE, "of the oscillator", True),
}
COUPLING: Final[Keys] = {
    "operator": Key(
        {"oneOf": [_MATRIX, {"const": "X"}]}, 'a Hermitian matrix; "X" of an oscillator', True
    ),
    "bath": Key(_TEXT, "the name of the bath whose B it multiplies", True),
    "strength": Key({"oneOf": [_NUMBER, _TEXT]}, "a factor of the operator; by default 1"),
}
CROSS: Final[Keys] = {
    "baths": Key({**_some(_TEXT, 2), "maxItems": 2}, "the two that are correlated", True),
    "fraction": Key(_NUMBER, "f of J_ab = f sqrt(J_a J_b)"),
    "spectral_density": Key(_DENSITY, "instead: J_ab itself"),
}
BATH: Final[Keys] = {
    "statistics": Key({"enum": ["boson", "classical", "spin"]}, "by default boson"),
    "temperature": Key({"type": "number", "minimum": 0}, "T >= 0, unless exponentials are given"),
    "beta": Key(_POSITIVE, "instead: 1/(k_B T)"),
    "spectral_density": Key(_DENSITY, "J(w), or a list whose sum it is", True),
}
MARKOV: Final[Keys] = {
    "statistics": Key({"const": "markov"}, "noise that jumps", True),
    "states": Key(_some(_NUMBER, 2), "the value of the noise in each state", True),
    "rates": Key(_some(_some(_NUMBER, 2), 2), "rates[i][j] is that from state j to i", True),
}
RANDOM_MATRIX: Final[Keys] = {
    "statistics": Key({"const": "random-matrix"}, "an environment of random matrices", True),
    "energy": Key(
        {"type": "number", "exclusiveMinimum": -0.5, "exclusiveMaximum": 0.5},
        "of the environment at t = 0, in the band (-1/2, 1/2)",
        True,
    ),
    "shell_width": Key(_POSITIVE, "of the shell of energies around it", True),
}
TABLES: Final[Mapping[str, Keys]] = {
    "levels": LEVELS,
    "oscillator": OSCILLATOR,
    "coupling": COUPLING,
    "cross": CROSS,
    "bath": BATH,
    "markov": MARKOV,
    "random_matrix": RANDOM_MATRIX,
}
_EXPONENTIALS: Final[Form] = {
    "properties": {
        "spectral_density": {"type": "object", "properties": {"kind": {"const": "exponentials"}}}
    }
}
_EITHER: Final[Mapping[str, list[Form]]] = {
    "levels": [{"required": ["energies"]}, {"required": ["hamiltonian"]}],
    "bath": [
        {"required": ["temperature"], "not": _EXPONENTIALS},
        {"required": ["beta"], "not": _EXPONENTIALS},
        {
            **_EXPONENTIALS,
            "not": {"anyOf": [{"required": ["temperature"]}, {"required": ["beta"]}]},
        },
    ],
}


def required(keys: Keys) -> tuple[str, ...]:
    """The keys that must be there."""
    return tuple(name for name, key in keys.items() if key.required)


def keyed(value: object, place: Place, keys: Keys) -> dict[str, Any]:
    """A table that has some of these keys, all that must be there, and no others (InputError)."""
    entries = table(value, place)
    check_keys(entries, keys, place)
    return table(entries, place, required=required(keys))


def density_tables() -> Mapping[str, Keys]:
    """The keys of each `kind` of spectral density."""
    from pertsym.baths.densities import DENSITIES

    return {kind: density_keys(kind, density) for kind, density in DENSITIES.items()}


def density_keys(kind: str, density: Any) -> Keys:
    """The keys of a spectral density, from the fields of its class."""
    from dataclasses import MISSING, fields

    from pertsym.baths.checks import parameters_of

    parameters = parameters_of(density)
    keys = {"kind": Key({"const": kind}, "of the density", True)}
    for each in (f for f in fields(density) if f.init):
        parameter = parameters[each.name]
        forms = {
            "real": _POSITIVE if parameter.positive else {"type": "number", "minimum": 0},
            "reals": _some(_NUMBER),
            "complexes": _some(_COMPLEX),
        }
        optional = each.default is not MISSING or each.default_factory is not MISSING
        form = forms.get(parameter.form, _TEXT)
        keys[each.name] = Key(form, f"a parameter of {density.__name__}", not optional)
    return keys


def _schema(keys: Keys) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            name: {**key.form, "description": key.meaning} for name, key in keys.items()
        },
        "required": list(required(keys)),
        "additionalProperties": False,
    }


def model_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of model files.

    Returns
    -------
    dict
        A new one.

    It knows tables, keys and forms of values.  What needs more, such as Hermitian matrices of one
    size or names of baths that exist, only the reader checks.  `pertsym schema` prints it; editors
    complete and check model files with it.
    """
    tables = {name: _schema(keys) for name, keys in TABLES.items()}
    for name, forms in _EITHER.items():
        tables[name]["oneOf"] = forms
    tables["density"] = {"oneOf": [_schema(keys) for keys in density_tables().values()]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pertsym model file",
        **_schema(LEVELS_TOP),
        "$defs": tables,
    }
