"""Hostile requests: model files, formulas and command lines, each of its own seed and number.

Most are nearly right, because what is plainly wrong is refused at the first look: a sound model of
any kind with a few entries replaced by numbers at the ends of their range, by other types, by
formulas, or left out; and now and then with bytes that are no text.  Nothing here names a device, a
pipe, or a path outside the folder in which a request runs.
"""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple


class Request(NamedTuple):
    """A command line, and the files that it finds in its folder."""

    arguments: tuple[str, ...]
    files: dict[str, bytes]


@dataclass(frozen=True)
class Raw:
    """TOML that is written as it stands."""

    text: str


# Entries

EXTREME: Final = (
    *(
        "0",
        "0.0",
        "-0.0",
        "-1",
        "1e-9",
        "1e9",
        "1e-300",
        "1e300",
        "5e-324",
        "1.7976931348623157e308",
    ),
    *("-1e300", "1e16", "1e-16", "nan", "inf", "-inf", "9223372036854775807", "3", "40", "1e4"),
    *("1" + "0" * 30, "1" + "0" * 400, "9" * 5000, "1e-4", "1e154", "1e-160", "0.9999999999999999"),
)
WRONG: Final = (
    *("true", '""', '"x"', '"a.b"', '"1"', "[]", "[1]", "[[1]]", "[[]]", "{}", "1979-05-27"),
    *(
        '{ kind = "ohmic" }',
        '"\\u0000"',
        '"\\u03c9"',
        '"nan"',
        '"1/0"',
        '"w"',
        '"I"',
        "[0, [0, 1]]",
    ),
    *('"' + "(" * 200 + '"', "[" * 60 + "]" * 60, "[" * 3000 + "]" * 3000, '"' + "x" * 4000 + '"'),
)
_UNARY: Final = (
    "sqrt",
    "sin",
    "cos",
    "exp",
    "Abs",
    "log",
    "cosh",
    "tanh",
    "Heaviside",
    "frob",
    "-",
)
_ATOMS: Final = (
    *("w", "w", "w", "0", "1", "2", "0.1", "0.3", "pi", "I", "1e300", "1e-300", "E", "oo", "zoo"),
    *("nan", "w0", "10**400", "3", "-1", "1/3", "sqrt(2)+sqrt(3)-sqrt(5+2*sqrt(6))", "exp(-w)"),
)

_POWERS: Final = ("2", "0.5", "(1/3)", "20", "-1", "w", "400", "(-3)", "1e9")


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
    size = rng.choice([2, 2, 2, 2, 3, 3, 4])
    names = "abc"[: rng.choice([1, 1, 2, 3])]
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


def _damaged(rng: random.Random, content: bytes) -> bytes:
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


# Command lines


class Words(NamedTuple):
    """What an option takes, and what it must refuse."""

    sound: tuple[str, ...]
    hostile: tuple[str, ...]

    def pick(self, rng: random.Random) -> str:
        """Mostly what it takes."""
        return rng.choice(self.hostile if rng.random() < 0.12 else self.sound)


_LARGE: Final = "1" + "0" * 9
_ORDERS: Final = Words(
    ("2", "4"), ("6", "0", "-2", "3", _LARGE, "x", "", "8", "1e3", "2.0", "998", "12", "40")
)
_TIMES: Final = Words(
    ("0:1:3", "0:2:5", "0:10:3", "0:100:3", "0:0:2"),
    (
        *("0:0:1", "1:0:3", "0:inf:3", "nan:1:3", "0:1e300:3", "0:1e-300:3", f"0:1:{_LARGE}", "a"),
        *("0:1", "0:1:0", "-1:1:3", "0:1e9:3", "0:1:" + "9" * 5000, "5:5:1", "::", "1:1e16:2"),
    ),
)
_INITIAL: Final = Words(
    ("0", "1", "state.json"),
    (
        *("7", "-1", "1.5", "none.json", "[[1, 0], [0, 0]]", "[[0.5, 0.5], [0.5, 0.5]]", "", "[["),
        *("[[2, 0], [0, -1]]", "[[1e300, 0], [0, 1]]", "1" * 400, ".", "[[nan, 0], [0, 1]]"),
    ),
)
_EVOLVE: Final = Words(
    (
        *("redfield", "redfield-secular", "ccqme", "ccqme-secular", "tcl2", "tcl4"),
        *("tcl2-asymptotic", "tcl4-asymptotic", "tcl2-slip", "tcl4-slip"),
    ),
    ("exact", "tcl6", "tcl3", "tcl98", "", "tlc4", "energy-resolved", "gibbs", "tcl6-slip"),
)
_STEADY: Final = Words(
    (
        "gibbs",
        "mean-force",
        "redfield",
        "redfield-secular",
        "ccqme",
        "ccqme-secular",
        "tcl2",
        "tcl4",
    ),
    ("exact", "tcl6", "tcl3", "tcl98", "", "tlc4", "tcl2-slip", "..."),
)
_RANDOM: Final = Words(
    ("energy-resolved", "energy-resolved-markov", "redfield-nonmarkov", "redfield", "exact"),
    ("tcl2", "", "ccqme"),
)
_OVER: Final = Words(
    ("temperature=0.5:2:3", "temperature=1,2", "couplings.0.strength=0:1:2", "temperature=0:1:2"),
    (
        *("baths.a.temperature=1,nan", "system.energies.1=0.5,1e300", "symbols.eps=0.1:1:2:log"),
        *("baths.a.lam=0,1e-300", f"temperature=1:2:{_LARGE}", "temperature", "=", "x=1"),
        *(
            "baths.a.gamma=-1:1:3",
            "temperature=0:1:2:log",
            "baths.a.0.gamma=1,2",
            "temperature=inf",
        ),
        *("temperature=-1,1", "symbols.eps=1,2", "baths.a.gamma=1e-300,1e300"),
    ),
)
_QUANTITIES: Final = Words(
    ("k_up", "k_down", "inv_T1", "inv_T2", "R_1010", "frequency_shift", "inv_T2_prime"),
    ("k_10", "equilibrium_constant", "frob", "", "R_99", "k_10_eliminated", "R_0101", "R_1001"),
)
_FORMULAS: Final = Words(
    ("Ĉ(-w0)", "k = Ĉ(-ω0)", r"\hat{C}(-\omega_0)", "2 J(w0) n(w0)", "P(w0)", "0", "x^2 Ĉ(-ω0)"),
    (
        *("1/2π", "1e400", "((((", "", r"\frac{1}{", "exp(exp(exp(exp(w0))))", "1/0", "a = b = c"),
        *(f"w0**{_LARGE}", r"\int_0^\infty", "G(w0)**40", "(w0+1)**400", "n(w0)**-1", r"\sqrt{-1}"),
        *("é$%&", "{" * 3000, "(" * 3000 + "w0" + ")" * 3000, "9" * 5000, "coth(beta w0/2)"),
        *("sin(w0)/0.0", "P(P(w0))", "Ĉ(Ĉ(w0))", "cosh(1e300*1000)**0.3", "sin(w0+w0*(1+w0))**20"),
    ),
)
_OBSERVABLES: Final = Words(
    ("x=[[1, 0], [0, -1]]", "x=[[0, 1], [1, 0]]"),
    ("x", "=[[1]]", "x=[[1e300, 0], [0, 1]]", "x=[[nan, 0], [0, 1]]", 'x=[["eps", 0], [0, 1]]'),
)
_DIGITS: Final = Words(("15", "20", "30"), ("200", "201", "0", "x", "-1"))
_ENERGY: Final = Words(("0", "0.1", "-0.3"), ("2", "nan", "inf", "1e300", "x"))
_TIME: Final = Words(("0", "1", "10"), ("1e9", "1e300", "-1", "nan", "inf", "x", "1e-300"))
_BASIS: Final = Words(("system", "energy"), ("x",))
_STEPS: Final = Words(("wick", "spectral"), ("frob", "", "words"))
_LIMITS: Final = Words(("thermal", "zero-temperature", "classical"), ("x",))
_SET: Final = Words(
    ("eps=0.5", "Delta=2", "eps=0.3", "Delta=1"),
    (
        *("eps=1e300", "eps=nan", "eps", "=1", "eps=", "Delta=-1", "Delta=0", "eps=1/0", "eps=x"),
        *("gamma=1", "eps=0.5e-400", "eps=" + "9" * 5000, "ε=1", "eps=1e-9", "eps=1e-300"),
    ),
)
_SWEPT: Final = Words(("tcl2", "redfield,tcl4", "gibbs", "mean-force"), (",", "tcl3", "tcl2,tcl2"))
_DRAWN: Final = Words(
    ("temperature=0.5:2", "splitting=0.1:1", "symbols.eps=1:2"),
    ("splitting=0:1", "temperature=-1:1", "temperature=1:inf", "x"),
)


def _maybe(rng: random.Random, name: str, words: Words, chance: float) -> list[str]:
    return [name, words.pick(rng)] if rng.random() < chance else []


def _output(rng: random.Random, suffix: str) -> str:
    good = f"out{suffix}"
    return Words((good,), (f"none/{good}", ".", "", "x" * 300, "out")).pick(rng)


def command_line(rng: random.Random, kind: str) -> tuple[str, ...]:
    """A command about model.toml with options that are mostly sound."""
    chances = {
        "rates": 20,
        "generator": 12,
        "steady": 16,
        "evolve": 18,
        "check": 10,
        "derive": 5,
        "compare": 6,
        "export": 4,
        "sweep": 4,
        "plot": 1,
        "cite": 1,
        "others": 1,
        "coefficients": 0.5,
    }
    if kind == "oscillator":
        chances["coefficients"] = 300
    command = rng.choices(list(chances), list(chances.values()))[0]
    if command == "others":
        return rng.choice(_OTHERS)
    found = [
        command,
        Words(("model.toml",), ("model.toml",) * 20 + ("none.toml", ".", "")).pick(rng),
    ]
    order = _maybe(rng, "--order", _ORDERS, 0.6)
    asked = ["--order", _ORDERS.pick(rng), "--quantity", _QUANTITIES.pick(rng)]
    chaotic = kind == "random-matrix"
    match command:
        case "rates":
            found += [*order, *_maybe(rng, "--digits", _DIGITS, 0.12)]
            found += ["--rigorous"] if rng.random() < 0.08 else []
            found += _maybe(rng, "--total-energy", _ENERGY, 0.5 if chaotic else 0.01)
        case "generator":
            found += [*order, *_maybe(rng, "--time", _TIME, 0.35)]
            found += [x for x in ("--spectral", "--parts") if rng.random() < 0.12]
        case "steady":
            found += ["--method", _STEADY.pick(rng), *_maybe(rng, "--basis", _BASIS, 0.2)]
            found += order if "mean-force" in found else _maybe(rng, "--order", _ORDERS, 0.03)
            found += _maybe(rng, "--observable", _OBSERVABLES, 0.1)
        case "evolve":
            methods = _RANDOM if chaotic else _EVOLVE
            found += ["--method", methods.pick(rng), "--initial", _INITIAL.pick(rng)]
            found += ["--times", _TIMES.pick(rng), *_maybe(rng, "--basis", _BASIS, 0.2)]
            found += ["--states"] if rng.random() < 0.3 else []
            found += _maybe(rng, "--observable", _OBSERVABLES, 0.1)
            if chaotic:
                found += ["--size", Words(("20", "50"), ("0", "-1", _LARGE)).pick(rng)]
                found += ["--realisations", Words(("1", "2"), ("0", _LARGE)).pick(rng)]
                found += _maybe(rng, "--seed", Words(("0",), ("-1", "9" * 40)), 0.2)
        case "derive":
            found += [*asked, *_maybe(rng, "--step", _STEPS, 0.5)]
            found += (
                [rng.choice(["--latex", "--html"]), _output(rng, ".tex")]
                if rng.random() < 0.1
                else []
            )
        case "compare":
            found += ["formula.txt", *asked, *_maybe(rng, "--limit", _LIMITS, 0.4)]
        case "export":
            languages = Words(("python", "c", "julia", "mathematica", "jax"), ("x",))
            found += [*order, "--language", languages.pick(rng), "--output", _output(rng, ".py")]
            found += ["--quantities", asked[-1]] if rng.random() < 0.6 else []
        case "sweep":
            found += [*order, "--over", _OVER.pick(rng), "--output", _output(rng, ".nc")]
            found += ["--jobs", "1", *_maybe(rng, "--methods", _SWEPT, 0.3)]
            if rng.random() < 0.15:
                found += ["--initial", _INITIAL.pick(rng), "--times", _TIMES.pick(rng)]
            found += _maybe(rng, "--over", _OVER, 0.1)
        case "plot":
            kinds = Words(("states", "rates", "bath", "generator"), ("x",))
            found += ["--kind", kinds.pick(rng), "--output", _output(rng, ".svg")]
            found += ["--times", _TIMES.pick(rng), *_maybe(rng, "--over", _DRAWN, 0.5), *order]
    if command not in ("coefficients", "cite") and not chaotic:
        chance = 0.6 if kind == "symbols" else 0.01
        found += [*_maybe(rng, "--set", _SET, chance), *_maybe(rng, "--set", _SET, chance / 2)]
    if rng.random() < 0.6:
        found.append("--json")
    if rng.random() < 0.01:
        found.append(rng.choice(["--frob", "-h", "--help", "extra", "--json", "--order"]))
    return tuple(found)


_OTHERS: Final = (
    *(("list",), ("new", "dimer", "out.toml"), ("new", "dimr"), ("new", "gorm", "none/x.toml")),
    *(("init", "project"), ("init", "model.toml"), ("verify", "none"), ("cite", "none"), ("frob",)),
    *(("derive", "none"), (), ("list", "--project", "."), ("regenerate", "--project", ".")),
    *(
        ("verify", "none", "--digits", _LARGE),
        ("derive", "laird_budimir_skinner_1991", "--order", "3"),
    ),
)


def request(seed: int, index: int) -> Request:
    """Request number `index` of a seed; every number stands for itself."""
    rng = random.Random(f"{seed}:{index}")
    kind = rng.choices(list(MODELS), [60, 12, 10, 8, 8])[0]
    model = spoiled(rng, MODELS[kind](rng), rng.choice([0, 0, 0, 0, 0, 1, 1, 1, 2, 3]))
    content = model_text(model).encode()
    if rng.random() < 0.04:
        content = _damaged(rng, content)
    state = rng.choice(
        [
            '{"real": [[1, 0], [0, 0]]}',
            '{"real": [[NaN, 0], [0, 1]]}',
            "[]",
            "{",
            '{"real": 1}',
            '{"real": [[0.5, 0.5], [0.5, 0.5]], "imag": [[0, 1e999], [0, 0]]}',
        ]
    )
    formula = (
        rng.choice(_FORMULAS.sound + _FORMULAS.hostile)
        if rng.random() < 0.7
        else expression(rng, 4)
    )
    files = {"model.toml": content, "state.json": state.encode(), "formula.txt": formula.encode()}
    if rng.random() < 0.1:
        files |= {f"out{suffix}": b"old" for suffix in (".py", ".tex", ".nc", ".svg", ".toml")}
    return Request(command_line(rng, kind), files)
