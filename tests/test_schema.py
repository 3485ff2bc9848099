"""The JSON schema of model files and the reader accept and refuse the same keys."""

from __future__ import annotations

import copy
import json
import random
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import pertsym as ps
from pertsym.cli.first import KINDS
from pertsym.model.read import Place
from pertsym.model.schema import BATH, TABLES, density_tables, required
from tests.command_line import run

jsonschema = pytest.importorskip("jsonschema")
EXAMPLES = Path(__file__).parent.parent / "examples"
VALIDATOR = jsonschema.Draft202012Validator(ps.model_schema())


def valid(document: Mapping[str, Any]) -> bool:
    return bool(VALIDATOR.is_valid(document))


def written(value: object) -> str:
    """A value as TOML; tables inline."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {written(x)}" for k, x in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value)


def accepted(document: Mapping[str, Any], folder: Path) -> str:
    """What the reader says; empty if it takes the document."""
    path = folder / "model.toml"
    path.write_text("\n".join(f"{k} = {written(x)}" for k, x in document.items()))
    bath = next(iter(document.get("baths", {}).values()), {})
    markov = isinstance(bath, dict) and bath.get("statistics") == "markov"
    try:
        model = None if markov else ps.load(path)  # of chains there are numbers alone
        if model is None or isinstance(model, ps.Model):
            ps.load_model(path)  # the numerical reader, which has ways of its own
    except ps.InputError as fault:
        return str(fault)
    return ""


LEVELS = {
    "name": "base",
    "units": "natural",
    "symbols": {"x": 0.5},
    "system": {"energies": [0.0, 1.0]},
    "couplings": [
        {"operator": [[0, "x"], ["x", 0]], "bath": "a", "strength": 0.5},
        {"operator": [[1, 0], [0, 0]], "bath": "b"},
    ],
    "baths": {
        name: {
            "statistics": "boson",
            "temperature": 1.0,
            "spectral_density": {"kind": "ohmic", "alpha": 0.1, "wc": 1.0, "s": 3.0},
        }
        for name in ("a", "b")
    },
    "cross": [{"baths": ["a", "b"], "fraction": 0.5}],
    "observables": {"q": [[1, 0], [0, 0]]},
}
HOPPING = {
    "system": {"hamiltonian": [[0, [0, 0.5]], [[0, -0.5], 1]]},
    "couplings": [{"operator": [[0, 1], [1, 0]], "bath": "a"}],
    "baths": {"a": {"statistics": "markov", "states": [1, -1], "rates": [[0, 1], [1, 0]]}},
}
OSCILLATOR = {
    "system": {"kind": "oscillator", "mass": 1.0, "frequency": 1.0},
    "couplings": [{"operator": "X", "bath": "a"}],
    "baths": {"a": copy.deepcopy(LEVELS["baths"]["a"])},  # type: ignore[index]
}
RANDOM = {
    "system": {"energies": [0.0, 0.5]},
    "couplings": [{"operator": [[0, 1], [1, 0]], "bath": "a", "strength": 0.1}],
    "baths": {"a": {"statistics": "random-matrix", "energy": 0.1, "shell_width": 0.05}},
}
DOCUMENTS: Mapping[str, Mapping[str, Any]] = {
    "levels": LEVELS,
    "markov": HOPPING,
    "oscillator": OSCILLATOR,
    "random-matrix": RANDOM,
}
OPEN = ("symbols", "observables", "baths")  # tables whose keys are names


def tables(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of all tables whose keys are fixed."""
    if isinstance(document, dict):
        if not path or path[-1] not in OPEN:
            yield path
        if not path or path[-1] not in ("symbols", "observables"):
            for key, value in document.items():
                yield from tables(value, (*path, key))
    elif isinstance(document, list):
        for k, value in enumerate(document):
            yield from tables(value, (*path, k))


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


PLACES = [(name, path) for name, document in DOCUMENTS.items() for path in tables(document)]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda p: p.stem)
def test_examples_are_valid(path: Path) -> None:
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    assert list(VALIDATOR.iter_errors(document)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_new_files_are_valid(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "model.toml"
    assert run("new", kind, file).exit_code == 0
    assert list(VALIDATOR.iter_errors(tomllib.loads(file.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_documents_of_these_tests_are_taken_by_both(name: str, tmp_path: Path) -> None:
    assert accepted(DOCUMENTS[name], tmp_path) == ""
    assert valid(DOCUMENTS[name])


def test_the_schema_is_a_schema_and_the_command_prints_it() -> None:
    jsonschema.Draft202012Validator.check_schema(ps.model_schema())
    assert json.loads(run("schema").stdout) == ps.model_schema()


ALL_KEYS = sorted(
    {key for keys in (*TABLES.values(), *density_tables().values()) for key in keys}
    | set(ps.model_schema()["properties"])
)


@pytest.mark.parametrize(("name", "path"), PLACES, ids=lambda x: str(x).replace(" ", ""))
def test_unknown_keys_are_unknown_to_both(name: str, path: tuple[Any, ...], tmp_path: Path) -> None:
    """Every key that a table anywhere has, and some that none has, tried in every table."""
    draw = random.Random(f"{name}{path}")
    invented = ["".join(draw.choices("abcdefgh_", k=6)) for _ in range(3)]
    known = set()
    for key in [*ALL_KEYS, *invented]:
        document = copy.deepcopy(dict(DOCUMENTS[name]))
        table = at(document, path)
        if key in table:
            known.add(key)
            continue
        table[key] = 0.25
        said = accepted(document, tmp_path)
        place = Place("", "").field(key).key
        if f"{place}: unknown key" in said or ("unknown key" in said and place in said):
            assert not valid(document), key
        elif key in invented:
            raise AssertionError(f"{key}: the reader says {said!r}")
        else:
            known.add(key)
    # what the reader knows besides a table's own keys belongs to another kind of the same table
    own = next(
        (
            set(keys)
            for keys in (dict.fromkeys(s) for s in _alternatives(name, path))
            if set(at(DOCUMENTS[name], path)) <= set(keys)
        ),
        set(),
    )
    assert known == own, known ^ own


def _alternatives(name: str, path: tuple[Any, ...]) -> list[list[str]]:
    """Keys of the tables of the schema that may stand at a place."""
    schema = ps.model_schema()
    if not path:
        keys = set(schema["properties"])
        extra = {"cross", "symbols", "observables"}
        return [sorted(keys if name in ("levels", "markov") else keys - extra)]
    kinds = {
        "system": ("levels", "oscillator"),
        "couplings": ("coupling",),
        "cross": ("cross",),
        "baths": ("markov", "random_matrix", "bath"),
    }
    if path[-1] == "spectral_density":
        return [list(keys) for keys in density_tables().values()]
    found = [list(TABLES[kind]) for kind in kinds[path[0]]]
    if path[0] == "baths" and name == "markov":
        # named by the reader, and refused: a chain has neither temperature nor J(w)
        found[0] += ["temperature", "beta", "spectral_density"]
    return found


@pytest.mark.parametrize(("name", "path"), PLACES, ids=lambda x: str(x).replace(" ", ""))
def test_a_missing_key_is_missing_to_both(name: str, path: tuple[Any, ...], tmp_path: Path) -> None:
    for key in at(DOCUMENTS[name], path):
        document = copy.deepcopy(dict(DOCUMENTS[name]))
        del at(document, path)[key]
        said = accepted(document, tmp_path)
        if key == "baths" and not path:
            continue  # formulas need none, numbers do
        if key in ("statistics", "kind") and "unknown key" in said:
            assert not valid(document)  # what is left belongs to no other kind
        elif f"{key}: is missing" in said or "is missing" in said:
            assert not valid(document), (key, said)
        elif not said:
            assert valid(document), key


@pytest.mark.parametrize("kind", density_tables())
def test_every_density_by_its_schema(kind: str, tmp_path: Path) -> None:
    examples: dict[str, dict[str, Any]] = {
        "table": {"w": [0.5, 1.0, 2.0], "J": [0.1, 0.2, 0.05]},
        "expression": {"expression": "0.1*w*exp(-w)"},
        "exponentials": {"c": [[0.1, 0.0]], "nu": [[1.0, 0.0]]},
    }
    keys = density_tables()[kind]
    given = examples.get(kind, {k: 0.5 for k in required(keys) if k != "kind"})
    document = copy.deepcopy(HOPPING)
    bath: dict[str, Any] = {"spectral_density": {"kind": kind, **given}}
    if kind != "exponentials":
        bath["temperature"] = 1.0
    document["baths"] = {"a": bath}
    assert accepted(document, tmp_path) == ""
    assert valid(document)
    for key in given:
        less = copy.deepcopy(document)
        del less["baths"]["a"]["spectral_density"][key]  # type: ignore[index]
        assert (accepted(less, tmp_path) == "") == valid(less) == (not keys[key].required)


def test_values_of_another_form_are_invalid() -> None:
    for path, value in (
        (("baths", "a", "temperature"), -1.0),
        (("baths", "a", "temperature"), "1"),
        (("baths", "a", "beta"), 1.0),  # beside the temperature
        (("system", "hamiltonian"), [[0, 0], [0, 1]]),  # beside the energies
        (("units",), "parsec"),
        (("couplings",), {}),
        (("cross", 0, "baths"), ["a"]),
    ):
        document = copy.deepcopy(dict(LEVELS))
        at(document, path[:-1])[path[-1]] = value
        assert not valid(document), path
    assert set(BATH) == {"statistics", "temperature", "beta", "spectral_density"}
