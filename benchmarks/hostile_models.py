"""Hostile model files: sound ones of any kind, and what is done to them.

A few entries are replaced by numbers at the ends of their range, by other types, by formulas, or
left out; and now and then there are bytes that are no text.
"""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True)
class Raw:
    """TOML that is written as it stands."""

    text: str


# Entries


def words(text: str) -> tuple[str, ...]:
    """Those of a text with blanks between them."""
    return tuple(text.split())


EXTREME: Final = (
    *words("0 0.0 -0.0 -1 1e-9 1e9 1e-300 1e300 5e-324 1.7976931348623157e308 -1e300 1e16 1e-16"),
    *words("nan inf -inf 9223372036854775807 3 40 1e4 1e-4 1e154 1e-160 0.9999999999999999"),
    *("1" + "0" * 30, "1" + "0" * 400, "9" * 5000),
)
WRONG: Final = (
    *words('true "" "x" "a.b" "1" [] [1] [[1]] [[]] {} 1979-05-27 "nan" "1/0" "w" "I"'),
    *('{ kind = "ohmic" }', '"\\u0000"', '"\\u03c9"', "[0, [0, 1]]", '"' + "(" * 200 + '"'),
    *("[" * 60 + "]" * 60, "[" * 3000 + "]" * 3000, '"' + "x" * 4000 + '"'),
)
_UNARY: Final = words("sqrt sin cos exp Abs log cosh tanh Heaviside frob -")
_ATOMS: Final = (
    *words("w w w 0 1 2 0.1 0.3 pi I 1e300 1e-300 E oo zoo nan w0 10**400 3 -1 1/3 exp(-w)"),
    "sqrt(2)+sqrt(3)-sqrt(5+2*sqrt(6))",
)
_POWERS: Final = words("2 0.5 (1/3) 20 -1 w 400 (-3) 1e9")


def number(rng: random.Random) -> float:
    """A moderate positive number."""
    return float(f"{10 ** rng.uniform(-2, 0.7):.3g}")


def expression(rng: random.Random, depth: int = 3) -> str:
    """A formula in w, mostly one that is no spectral density."""
    if depth == 0 or rng.random() < 0.2:
        return rng.choice(_ATOMS)
    match rng.randrange(8):
        case 0 | 1:
            return f"{rng.choice(_UNARY)}({expression(rng, depth - 1)})"
        case 2 | 3 | 4:
            return (
                f"({expression(rng, depth - 1)}){rng.choice('+-*/*')}({expression(rng, depth - 1)})"
            )
        case 5:
            return f"({expression(rng, depth - 1)})**{rng.choice(_POWERS)}"
        case 6:
            inner = expression(rng, depth - 1)
            return f"Piecewise(({inner}, w < {number(rng)}), ({expression(rng, depth - 1)}, True))"
        case _:
            return (
                f"{rng.choice(['Max', 'Min'])}({expression(rng, depth - 1)}, {expression(rng, 1)})"
            )


def _formula(rng: random.Random) -> str:
    """A J(w) that is sound, or not quite."""
    sound = (
        *("0.1*w**3*exp(-w)", "0.1*w*exp(-w**2)", "w/(1+w**2)", "0.1*w**2*exp(-w)*(1+sin(w))"),
        *("0.1*w*Heaviside(2-w)", "Piecewise((w, w < 1), (0, True))", "0.1*w**0.5*exp(-w)"),
        *("Abs(w-1)*w*exp(-w)", "w*exp(-sqrt(w))", "0.1*w/(1+w**4)", "Min(w, 1)*exp(-w)"),
    )
    chosen = rng.choice(sound)
    match rng.randrange(7):
        case 0:
            return expression(rng)
        case 1:
            return f"({chosen})*({expression(rng, 2)})"
        case 2:
            return (
                "exp(" * 12 + "-w" + ")" * 12
                if rng.random() < 0.3
                else f"({chosen})/({expression(rng, 2)})"
            )
        case 3:
            return chosen.replace("w", f"({expression(rng, 1)})")
        case _:
            return chosen


def density(rng: random.Random) -> Any:
    """Any kind of spectral density."""
    match rng.randrange(8):
        case 0:
            return {
                "kind": "ohmic",
                "alpha": number(rng) / 10,
                "wc": number(rng),
                "s": rng.choice([1, 3, 0.5, 2, number(rng)]),
            }
        case 1 | 2:
            return {"kind": "drude-lorentz", "lam": number(rng) / 10, "gamma": number(rng)}
        case 3:
            return {
                "kind": "underdamped",
                "lam": number(rng) / 5,
                "w0": number(rng),
                "gamma": number(rng),
            }
        case 4:
            return {"kind": "expression", "expression": _formula(rng)}
        case 5:
            count = rng.choice([1, 2, 3, 6, 12, 30])
            values = [number(rng) / 10 for _ in range(count)]
            w = sorted(number(rng) for _ in range(count))
            found = {"kind": "table", "w": w, "J": values}
            return found | (
                {"interpolation": rng.choice(["linear", "monotone-cubic", "x"])}
                if rng.random() < 0.4
                else {}
            )
        case 6:
            pairs = [
                [
                    [number(rng) / 10, rng.choice([0.0, number(rng) / 30])],
                    [number(rng), rng.choice([0.0, number(rng)])],
                ]
                for _ in range(rng.randint(1, 3))
            ]
            return {"kind": "exponentials", "c": [p[0] for p in pairs], "nu": [p[1] for p in pairs]}
        case _:
            return [density(rng) for _ in range(rng.randint(1, 2))]


def _bath(rng: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {"spectral_density": density(rng)}
    kind = found["spectral_density"]
    if isinstance(kind, dict) and kind["kind"] == "exponentials" and rng.random() < 0.9:
        return found
    if rng.random() < 0.35:
        found["statistics"] = rng.choice(["boson", "classical", "spin", "spin"])
    if rng.random() < 0.15:
        return found | {"temperature": 0}
    found[rng.choice(["temperature", "temperature", "beta"])] = rng.choice(
        [number(rng), number(rng), 1.0]
    )
    return found


def _matrix(rng: random.Random, size: int) -> list[list[Any]]:
    rows: list[list[Any]] = [[0] * size for _ in range(size)]
    for i in range(size):
        rows[i][i] = rng.choice([0, 0, 1, number(rng)])
        for j in range(i):
            if rng.random() < 0.2:
                x, y = number(rng), number(rng)
                rows[i][j], rows[j][i] = [x, y], [x, -y]
            else:
                rows[i][j] = rows[j][i] = rng.choice([0, 1, number(rng)])
    return rows


# Models

Table = dict[str, Any]


def levels(rng: random.Random) -> Table:
    """A few levels and baths."""
    size = rng.choice([2, 2, 2, 2, 2, 2, 3, 3, 3, 4])
    names = "abc"[: rng.choice([1, 1, 1, 2, 2, 3])]
    system: Table = (
        {"energies": sorted(number(rng) for _ in range(size))}
        if rng.random() < 0.6
        else {"hamiltonian": _matrix(rng, size)}
    )
    if rng.random() < 0.15 and "energies" in system:
        system["energies"][1] = system["energies"][0]
    found: Table = {
        "system": system,
        "couplings": [{"operator": _matrix(rng, size), "bath": name} for name in names],
    }
    if rng.random() < 0.2:
        found["couplings"][0]["strength"] = number(rng)
    if rng.random() < 0.3:
        found["units"] = rng.choice(["natural", "atomic", "wavenumber"])
    if rng.random() < 0.2:
        found["observables"] = {"x": _matrix(rng, size)}
    if len(names) > 1 and rng.random() < 0.3:
        pair: Table = {"baths": [names[0], names[1]], "fraction": rng.choice([0.5, 1, -1, 1.5])}
        if rng.random() < 0.3:
            del pair["fraction"]
            pair["spectral_density"] = density(rng)
        found["cross"] = [pair]
    found["baths"] = {name: _bath(rng) for name in names}
    if "cross" in found and rng.random() < 0.7:
        found["baths"]["b"] = dict(found["baths"]["a"])
    return found


def symbols(rng: random.Random) -> Table:
    """Two or three levels with symbols."""
    given: Table = {
        "eps": rng.choice([0.5, "real", number(rng)]),
        "Delta": rng.choice([1.0, "positive"]),
    }
    entry = rng.choice(
        [
            "Delta/2",
            "sqrt(Delta)",
            "Delta*exp(eps)",
            "1/eps",
            "Delta**20",
            "cos(eps)",
            expression(rng, 2).replace("w", "eps"),
        ]
    )
    system: Table = {"hamiltonian": [["-eps/2", entry], [entry, "eps/2"]]}
    size = 2
    if rng.random() < 0.25:
        system, size = {"energies": ["0", "eps", "Delta"]}, 3
    found: Table = {"symbols": given, "system": system}
    found["couplings"] = [
        {"operator": _matrix(rng, size), "bath": "a", "strength": rng.choice([1, "eps", "Delta"])}
    ]
    if size == 2 and rng.random() < 0.5:
        found["couplings"][0]["operator"] = [["-1/2", 0], [0, "1/2"]]
    return found | {"baths": {"a": _bath(rng)}}


def chain(rng: random.Random) -> Table:
    """Noise that jumps."""
    count = rng.choice([1, 2, 2, 3])
    rates = [[0 if i == j else number(rng) for j in range(count)] for i in range(count)]
    noise = {
        "statistics": "markov",
        "states": [rng.choice([-1, 1]) * number(rng) / 5 for _ in range(count)],
        "rates": rates,
    }
    found = levels(rng)
    found.pop("cross", None)
    found["baths"][rng.choice(list(found["baths"]))] = noise
    return found


def random_matrix(rng: random.Random) -> Table:
    """A spin in an environment of random matrices."""
    return {
        "system": {"energies": [-0.25, rng.choice([0.25, number(rng)])]},
        "couplings": [{"operator": [[0, 1], [1, 0]], "strength": number(rng) / 10, "bath": "a"}],
        "baths": {
            "a": {
                "statistics": "random-matrix",
                "energy": rng.uniform(-0.6, 0.6),
                "shell_width": number(rng) / 20,
            }
        },
    }


def oscillator(rng: random.Random) -> Table:
    """A damped oscillator."""
    return {
        "system": {"kind": "oscillator", "mass": number(rng), "frequency": number(rng)},
        "couplings": [{"operator": "X", "bath": "a"}],
        "baths": {"a": _bath(rng)},
    }


MODELS: Final[dict[str, Callable[[random.Random], Table]]] = {
    "levels": levels,
    "symbols": symbols,
    "markov": chain,
    "random-matrix": random_matrix,
    "oscillator": oscillator,
}


# From sound to hostile


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of every entry, tables and lists included."""
    found = [path] if path else []
    if isinstance(value, dict):
        for key, entry in value.items():
            found += _places(entry, (*path, key))
    elif isinstance(value, list):
        for key, entry in enumerate(value):
            found += _places(entry, (*path, key))
    return found


def spoiled(rng: random.Random, model: Table, times: int) -> Table:
    """The model with so many entries replaced, removed, renamed or added."""
    for _ in range(times):
        places = _places(model)
        numbers = [place for place in places if isinstance(_at(model, place), (int, float))]
        if numbers and rng.random() < 0.7:
            *way, last = rng.choice(numbers)
            _put(model, (*way, last), Raw(rng.choice(EXTREME)))
            if len(way) > 1 and way[-2] in ("operator", "hamiltonian") and last != way[-1]:
                partner = (*way[:-1], last, way[-1])  # Hermitian nevertheless
                _put(model, partner, _at(model, (*way, last)))
            continue
        *way, last = rng.choice(places or [("name",)])
        within = _at(model, way)
        match rng.randrange(8):
            case 0 | 1:
                within[last] = Raw(rng.choice(WRONG + EXTREME))
            case 2:
                within[last] = expression(rng, 2)
            case 3 if last in within or isinstance(within, list):
                del within[last]
            case 4 if isinstance(within, dict) and last in within:
                new = rng.choice(["frobnicate", f"{last}s", "kind", "w", "", "é.x"])
                within[new] = within.pop(last)
            case 5 if isinstance(within, list):
                within.insert(0, within[last])
            case _:
                within[last] = number(rng)
    return model


def _at(value: Any, path: Sequence[Any]) -> Any:
    for key in path:
        value = value[key]
    return value


def _put(value: Any, path: Sequence[Any], new: Any) -> None:
    with contextlib.suppress(TypeError, IndexError, KeyError):
        _at(value, path[:-1])[path[-1]] = new


def written(value: Any) -> str:
    """A value as TOML."""
    match value:
        case Raw(text):
            return text
        case bool():
            return str(value).lower()
        case str():
            return json.dumps(value)
        case dict():
            return (
                "{ "
                + ", ".join(
                    f"{json.dumps(k, ensure_ascii=False)} = {written(x)}" for k, x in value.items()
                )
                + " }"
            )
        case list():
            return "[" + ", ".join(map(written, value)) + "]"
        case _:
            return repr(value)


def model_text(model: Table) -> str:
    """A model as a TOML file; a list of tables in brackets where it is one."""
    return "".join(
        f"{json.dumps(key, ensure_ascii=False)} = {written(x)}\n" for key, x in model.items()
    )


def damaged(rng: random.Random, content: bytes) -> bytes:
    """The file with bytes lost or added."""
    at = rng.randrange(len(content) + 1)
    match rng.randrange(6):
        case 0:
            return content[:at] + bytes([rng.randrange(256)]) + content[at:]
        case 1:
            return content[:at]
        case 2:
            return content[:at] + b"\xff\xfe\x00" + content[at:]
        case 3:
            return content[:at] + b"[" * 5000 + content[at:]
        case 4:
            return b"\xef\xbb\xbf" + content
        case _:
            return content[:at] + bytes(rng.randrange(32, 127) for _ in range(5)) + content[at:]
