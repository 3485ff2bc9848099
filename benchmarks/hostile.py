"""Hostile requests: model files, formulas and command lines, each of its own seed and number.

Most are nearly right, because what is plainly wrong is refused at the first look: a sound model of
any kind with a few entries replaced by numbers at the ends of their range, by other types, by
formulas, or left out; and now and then with bytes that are no text.  Nothing here names a device, a
pipe, or a path outside the folder in which a request runs.
"""

from __future__ import annotations

import random
from typing import Final, NamedTuple

from benchmarks.hostile_models import MODELS, damaged, expression, model_text, spoiled, words


class Request(NamedTuple):
    """A command line, and the files that it finds in its folder."""

    arguments: tuple[str, ...]
    files: dict[str, bytes]


# Command lines


class Words(NamedTuple):
    """What an option takes, and what it must refuse."""

    sound: tuple[str, ...]
    hostile: tuple[str, ...]

    @classmethod
    def of(cls, sound: str, hostile: str) -> Words:
        """Words without blanks; '' is the empty one."""
        return cls(*(tuple(x.strip("'") for x in words(text)) for text in (sound, hostile)))

    def pick(self, rng: random.Random) -> str:
        """Mostly what it takes."""
        return rng.choice(self.hostile if rng.random() < 0.12 else self.sound)


_LARGE: Final = "1" + "0" * 9
_ORDERS: Final = Words.of("2 2 2 2 2 4", f"6 0 -2 3 {_LARGE} x '' 8 1e3 2.0 998 12 40")
_TIMES: Final = Words.of(
    "0:1:3 0:2:5 0:10:3 0:100:3 0:0:2",
    f"0:0:1 1:0:3 0:inf:3 nan:1:3 0:1e300:3 0:1e-300:3 0:1:{_LARGE} a 0:1 0:1:0 -1:1:3 0:1e9:3 "
    f"0:1:{'9' * 5000} 5:5:1 :: 1:1e16:2",
)
_INITIAL: Final = Words(
    ("0", "1", "state.json"),
    (
        *("7", "-1", "1.5", "none.json", "[[1, 0], [0, 0]]", "[[0.5, 0.5], [0.5, 0.5]]", "", "[["),
        *("[[2, 0], [0, -1]]", "[[1e300, 0], [0, 1]]", "1" * 400, ".", "[[nan, 0], [0, 1]]"),
    ),
)
_EVOLVE: Final = Words.of(
    "redfield redfield-secular ccqme ccqme-secular tcl2 tcl4 tcl2-asymptotic tcl4-asymptotic "
    "tcl2-slip tcl4-slip",
    "exact tcl6 tcl3 tcl98 '' tlc4 energy-resolved gibbs tcl6-slip",
)
_STEADY: Final = Words.of(
    "gibbs mean-force redfield redfield-secular ccqme ccqme-secular tcl2 tcl4",
    "exact tcl6 tcl3 tcl98 '' tlc4 tcl2-slip ...",
)
_RANDOM: Final = Words.of(
    "energy-resolved energy-resolved-markov redfield-nonmarkov redfield exact", "tcl2 '' ccqme"
)
_OVER: Final = Words.of(
    "temperature=0.5:2:3 temperature=1,2 couplings.0.strength=0:1:2 temperature=0:1:2",
    "baths.a.temperature=1,nan system.energies.1=0.5,1e300 symbols.eps=0.1:1:2:log "
    f"baths.a.lam=0,1e-300 temperature=1:2:{_LARGE} temperature = x=1 baths.a.gamma=-1:1:3 "
    "temperature=0:1:2:log baths.a.0.gamma=1,2 temperature=inf temperature=-1,1 symbols.eps=1,2 "
    "baths.a.gamma=1e-300,1e300",
)
_QUANTITIES: Final = Words.of(
    "k_up k_down inv_T1 inv_T2 R_1010 frequency_shift inv_T2_prime",
    "k_10 equilibrium_constant frob '' R_99 k_10_eliminated R_0101 R_1001",
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
_DIGITS: Final = Words.of("15 20 30", "200 201 0 x -1")
_ENERGY: Final = Words.of("0 0.1 -0.3", "2 nan inf 1e300 x")
_TIME: Final = Words.of("0 1 10", "1e9 1e300 -1 nan inf x 1e-300")
_BASIS: Final = Words.of("system energy", "x")
_STEPS: Final = Words.of("wick spectral", "frob '' words")
_LIMITS: Final = Words.of("thermal zero-temperature classical", "x")
_SET: Final = Words.of(
    "eps=0.5 Delta=2 eps=0.3 Delta=1",
    "eps=1e300 eps=nan eps =1 eps= Delta=-1 Delta=0 eps=1/0 eps=x gamma=1 eps=0.5e-400 "
    f"eps={'9' * 5000} ε=1 eps=1e-9 eps=1e-300",
)
_SWEPT: Final = Words.of("tcl2 redfield,tcl4 gibbs mean-force", ", tcl3 tcl2,tcl2")
_DRAWN: Final = Words.of(
    "temperature=0.5:2 splitting=0.1:1 symbols.eps=1:2",
    "splitting=0:1 temperature=-1:1 temperature=1:inf x",
)


def _maybe(rng: random.Random, name: str, words: Words, chance: float) -> list[str]:
    return [name, words.pick(rng)] if rng.random() < chance else []


def _output(rng: random.Random, suffix: str) -> str:
    good = f"out{suffix}"
    return Words((good,), (f"none/{good}", ".", "", "x" * 300, "out")).pick(rng)


def command_line(rng: random.Random, kind: str) -> tuple[str, ...]:
    """A command about model.toml with options that are mostly sound."""
    chances = {"rates": 20, "generator": 12, "steady": 16, "evolve": 18, "check": 10, "derive": 5}
    chances |= {"compare": 6, "export": 4, "sweep": 4, "plot": 1, "cite": 1, "others": 1}
    chances["coefficients"] = 300.0 if kind == "oscillator" else 0.5
    command = rng.choices(list(chances), list(chances.values()))[0]
    if command == "others":
        return rng.choice(_OTHERS)
    found = [
        command,
        Words(("model.toml",), ("model.toml",) * 20 + ("none.toml", ".", "")).pick(rng),
    ]
    order = _maybe(rng, "--order", _ORDERS, 0.95)
    asked = ["--order", _ORDERS.pick(rng), "--quantity", _QUANTITIES.pick(rng)]
    chaotic = kind == "random-matrix"
    match command:
        case "rates":
            found += [*order, *_maybe(rng, "--digits", _DIGITS, 0.06)]
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
                found += ["--size", Words.of("20 50", f"0 -1 {_LARGE}").pick(rng)]
                found += ["--realisations", Words.of("1 2", f"0 {_LARGE}").pick(rng)]
                found += _maybe(rng, "--seed", Words.of("0", f"-1 {'9' * 40}"), 0.2)
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
            languages = Words.of("python c julia mathematica jax", "x")
            found += [*order, "--language", languages.pick(rng), "--output", _output(rng, ".py")]
            found += ["--quantities", asked[-1]] if rng.random() < 0.6 else []
        case "sweep":
            found += [*order, "--over", _OVER.pick(rng), "--output", _output(rng, ".nc")]
            found += ["--jobs", "1", *_maybe(rng, "--methods", _SWEPT, 0.3)]
            if rng.random() < 0.15:
                found += ["--initial", _INITIAL.pick(rng), "--times", _TIMES.pick(rng)]
            found += _maybe(rng, "--over", _OVER, 0.1)
        case "plot":
            kinds = Words.of("states rates bath generator", "x")
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


_OTHERS: Final = tuple(
    tuple(line.split())
    for line in (
        *("list", "new dimer out.toml", "new dimr", "new gorm none/x.toml", "init project"),
        *("init model.toml", "verify none", "cite none", "frob", "derive none", ""),
        *("list --project .", "regenerate --project .", f"verify none --digits {_LARGE}"),
        "derive laird_budimir_skinner_1991 --order 3",
    )
)


_STATES: Final = (
    *('{"real": [[1, 0], [0, 0]]}', '{"real": [[NaN, 0], [0, 1]]}', "[]", "{", '{"real": 1}'),
    '{"real": [[0.5, 0.5], [0.5, 0.5]], "imag": [[0, 1e999], [0, 0]]}',
)


def request(seed: int, index: int) -> Request:
    """Request number `index` of a seed; every number stands for itself."""
    rng = random.Random(f"{seed}:{index}")
    kind = rng.choices(list(MODELS), [60, 12, 10, 8, 8])[0]
    model = spoiled(rng, MODELS[kind](rng), rng.choice([0, 0, 0, 0, 1, 1, 1, 1, 2, 3]))
    content = model_text(model).encode()
    if rng.random() < 0.04:
        content = damaged(rng, content)
    state = rng.choice(_STATES)
    formula = (
        rng.choice(_FORMULAS.sound + _FORMULAS.hostile)
        if rng.random() < 0.7
        else expression(rng, 4)
    )
    files = {"model.toml": content, "state.json": state.encode(), "formula.txt": formula.encode()}
    if rng.random() < 0.1:
        files |= {f"out{suffix}": b"old" for suffix in (".py", ".tex", ".nc", ".svg", ".toml")}
    return Request(command_line(rng, kind), files)
