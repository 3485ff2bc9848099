"""Symbols in model files, and the basis of the system table."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy

from pertsym.model.errors import InputError
from pertsym.model.file import load_model
from pertsym.model.read import Place
from pertsym.model.symbols import Declared, parse_entry, read_symbols, value_of
from tests.command_line import refused, run

TILTED = """
[symbols]
eps = 0.5
Delta = "positive"
phi = "real"
[system]
hamiltonian = [["-eps/2", "Delta*exp(I*phi)/2"], ["Delta*exp(-I*phi)/2", "eps/2"]]
[[couplings]]
operator = [["-1/2", 0], [0, "1/2"]]
bath = "b"
strength = "sqrt(2)"
[observables]
sx = [[0, 1], [1, 0]]
[baths.b]
temperature = 0.5
spectral_density = { kind = "drude-lorentz", lam = 0.05, gamma = 1.0 }
"""


def written(folder: Path, text: str = TILTED, *replacements: tuple[str, str]) -> Path:
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    path = folder / "model.toml"
    path.write_text(text, encoding="utf-8")
    return path


def answer(*arguments: object) -> Any:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.mark.parametrize("seed", range(4))
def test_symbols_are_the_numbers_they_stand_for(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    eps, delta, phi = map(float, (rng.normal(), rng.uniform(0.1, 2.0), rng.normal()))
    given = {"eps": Fraction(eps), "Delta": Fraction(delta), "phi": Fraction(phi)}
    model = load_model(written(tmp_path), given)
    off = complex(delta * np.exp(1j * phi) / 2)
    numbers = (
        f"[[{-eps / 2!r}, [{off.real!r}, {off.imag!r}]], [[{off.real!r}, {-off.imag!r}], "
        f"{eps / 2!r}]]"
    )
    plain = TILTED[TILTED.index("[system]") :].replace(
        '[["-eps/2", "Delta*exp(I*phi)/2"], ["Delta*exp(-I*phi)/2", "eps/2"]]', numbers
    )
    plain = plain.replace('"sqrt(2)"', repr(float(np.sqrt(2))))
    other = load_model(written(tmp_path, plain))
    np.testing.assert_allclose(model.energies, other.energies, rtol=1e-14)
    for mine, theirs in zip(model.couplings, other.couplings, strict=True):
        for row, expected in zip(mine.operator, theirs.operator, strict=True):
            np.testing.assert_allclose(
                list(map(complex, row)), list(map(complex, expected)), atol=1e-14
            )


def test_an_entry_is_exact() -> None:
    symbols = {"a": Declared("a"), "b": Declared("b", positive=True)}
    entry = parse_entry("(a + I*b)**2/3 - 0.1", symbols)
    a, b = Fraction(1, 7), Fraction(3, 5)
    found = value_of(entry, {"a": a, "b": b})
    assert found.re == (a * a - b * b) / 3 - Fraction(1, 10)
    assert found.im == 2 * a * b / 3
    assert parse_entry("sqrt(b**2)", symbols) == symbols["b"].symbol
    third = value_of(parse_entry("sqrt(2)*sqrt(2)*cos(pi/3)/3", {}), {})
    assert third.re == Fraction(1, 3)


MISTAKES = [
    ('"-eps/2"', '"-epz/2"', (), "system.hamiltonian[0][0]", "did you mean 'eps'"),
    ('"-eps/2"', "\"__import__('os')\"", (), "system.hamiltonian[0][0]", "unknown function"),
    ('"-eps/2"', '"eps.real"', (), "system.hamiltonian[0][0]", "not allowed"),
    ('"-eps/2"', '"eps**999"', (), "system.hamiltonian[0][0]", "out of range"),
    ('"-eps/2"', '"1/(eps - eps)"', (), "system.hamiltonian[0][0]", "division by zero"),
    ('"-eps/2"', '"1/(eps - 1/2)"', ("phi=0", "Delta=1"), "system.hamiltonian[0][0]", "finite"),
    ('"-eps/2"', '"10**10**10"', (), "system.hamiltonian[0][0]", "too large"),
    ('"-eps/2"', '"I*eps"', ("phi=0", "Delta=1"), "system.hamiltonian[0][0]", "Hermitian"),
    ('"sqrt(2)"', '"sqrt"', ("phi=0", "Delta=1"), "couplings[0].strength", "needs an argument"),
    ("eps = 0.5", 'eps = "imaginary"', (), "symbols.eps", '"positive"'),
    ("eps = 0.5", "sqrt = 0.5", (), "symbols.sqrt", "meaning of its own"),
    ("eps = 0.5", "beta = 0.5", (), "symbols.beta", "inverse temperature"),
    ("eps = 0.5", "eps = true", (), "symbols.eps", "real number"),
    ("sx = [[0, 1], [1, 0]]", "sx = [[0, 1], [2, 0]]", ("phi=0", "Delta=1"), "observables.sx", ""),
    ("eps = 0.5", "eps = 0.5", ("phi=0",), "symbols.Delta", "--set Delta=NUMBER"),
    ("eps = 0.5", "eps = 0.5", ("Delta=-1",), "set Delta", "not positive"),
    ("eps = 0.5", "eps = 0.5", ("Delts=1",), "set Delts", "did you mean 'Delta'"),
    ("eps = 0.5", "eps = 0.5", ("Delta",), "set Delta", "NAME=VALUE"),
    ("eps = 0.5", "eps = 0.5", ("Delta=1", "Delta=2"), "set Delta", "twice"),
    ("eps = 0.5", "eps = 0.5", ("Delta=I",), "set Delta", "not real"),
    ("eps = 0.5", "eps = 0.5", ("Delta=eps",), "set Delta", "unknown name"),
]


@pytest.mark.parametrize(("old", "new", "settings", "key", "said"), MISTAKES)
def test_mistakes_are_named(
    tmp_path: Path, old: str, new: str, settings: tuple[str, ...], key: str, said: str
) -> None:
    path = written(tmp_path, TILTED, (old, new))
    options = [option for setting in settings for option in ("--set", setting)]
    line = refused(run("rates", path, "--order", 2, *options), 2, str(path), said)
    assert f": {key}" in line


def test_every_numerical_command_takes_settings(tmp_path: Path) -> None:
    path = written(tmp_path)
    options = ("--set", "Delta=1", "--set", "phi=pi/3")
    rates = answer("rates", path, "--order", 2, *options)["orders"]["2"]
    matrix = answer("generator", path, "--order", 2, *options)["orders"]["2"]["real"]
    assert rates["k_up"] == pytest.approx(-matrix[0][0], rel=1e-12)
    # independent of the phase, whatever the basis: 2 |S_01|^2 J (n + 1), S_01 = sqrt(2) s/2
    w0, s = np.sqrt(1.25), 1 / np.sqrt(1.25)
    density = 2 * 0.05 * w0 / (1 + w0**2)
    down = s**2 / 2 * 2 * density / (1 - np.exp(-w0 / 0.5))
    assert rates["k_down"] == pytest.approx(down, rel=1e-12)
    other = answer("rates", path, "--order", 2, "--set", "Delta=1", "--set", "phi=0")
    assert other["orders"]["2"]["k_up"] == pytest.approx(rates["k_up"], rel=1e-12)


# ---------------------------------------------------------------------------------------------
# Bases


@pytest.mark.parametrize("seed", range(3))
def test_site_populations_are_those_of_the_rotated_states(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    eps, delta, phi = map(float, (rng.normal(), rng.uniform(0.2, 1.0), rng.normal()))
    options = [f"--set={name}={x!r}" for name, x in (("eps", eps), ("Delta", delta), ("phi", phi))]
    off = delta * np.exp(1j * phi) / 2
    h = np.array([[-eps / 2, off], [off.conj(), eps / 2]])
    _, v = np.linalg.eigh(h)
    leading = [int(np.argmax(np.abs(v[:, n]))) for n in range(2)]
    v = v * [np.exp(-1j * np.angle(v[leading[n], n])) for n in range(2)]
    path = written(tmp_path)
    common = ("evolve", path, "--method", "tcl2", "--times", "0:3:4", "--states", *options)
    site = answer(*common, "--initial", 0)
    assert site["basis"] == "system"
    assert site["populations"][0] == pytest.approx([1, 0], abs=1e-12)
    start = v.conj().T @ np.diag([1.0, 0]) @ v
    file = tmp_path / "initial.json"
    file.write_text(json.dumps({"real": start.real.tolist(), "imag": start.imag.tolist()}))
    energy = answer(*common, "--initial", file, "--basis", "energy")
    assert energy["basis"] == "energy"
    sx = np.array([[0, 1], [1, 0]])
    for k in range(4):
        inside = np.array(energy["states"]["real"][k]) + 1j * np.array(energy["states"]["imag"][k])
        rotated = v @ inside @ v.conj().T
        assert site["populations"][k] == pytest.approx(list(rotated.diagonal().real), abs=1e-8)
        expected = float(np.trace(sx @ rotated).real)
        for record in (site, energy):  # observables do not depend on what is printed
            assert record["observables"]["sx"][k] == pytest.approx(expected, abs=1e-8)


def test_steady_state_in_both_bases(tmp_path: Path) -> None:
    path = written(tmp_path)
    options = ("--method", "tcl2", "--set", "Delta=0.7", "--set", "phi=0")
    extra = ("--observable", 'h=[["-eps/2", "Delta/2"], ["Delta/2", "eps/2"]]')
    site = answer("steady", path, *options, *extra)
    energy = answer("steady", path, *options, "--basis", "energy")
    rho = np.array(site["state"]["real"])
    h = np.array([[-0.25, 0.35], [0.35, 0.25]])
    assert site["observables"]["h"] == pytest.approx(np.trace(h @ rho), abs=1e-12)
    populations = np.diagonal(np.array(energy["state"]["real"]))
    w0 = np.sqrt(0.25 + 0.49)
    assert site["observables"]["h"] == pytest.approx(w0 / 2 * (populations @ [-1, 1]), abs=1e-9)
    shown = run("steady", path, *options, *extra).stdout
    assert "basis of the system table" in shown
    assert "<sx> = " in shown


def test_observables_are_checked(tmp_path: Path) -> None:
    path = written(tmp_path)
    common = ("steady", path, "--method", "tcl2", "--set", "Delta=0.7", "--set", "phi=0")
    for text, said in (
        ("n", "write NAME="),
        ("n=[[1, 0], [0, ]]", "entries"),
        ("n=[[1, 0], [1, 0]]", "Hermitian"),
        ("n=sigma", "no matrix"),
        ('n=[["nu", 0], [0, 0]]', "unknown name"),
        ("sx=[[1, 0], [0, 0]]", "twice"),
    ):
        refused(run(*common, "--observable", text), 2, said, str(path))


def test_values_of_entries_against_sympy() -> None:
    symbols = {"x": Declared("x"), "y": Declared("y")}
    rng = np.random.default_rng(3)
    for text in ("exp(I*x)*cos(y)", "sqrt(x**2 + y**2)/(1 + x^2)", "sin(x)**3 - I*y/7"):
        x, y = (Fraction(v) for v in rng.normal(size=2))
        found = complex(value_of(parse_entry(text, symbols), {"x": x, "y": y}))
        expected = complex(sympy.sympify(text.replace("^", "**")).subs({"x": x, "y": y}).evalf(20))
        assert found == pytest.approx(expected, rel=1e-14)


# ---------------------------------------------------------------------------------------------
# Sweeps


def test_a_sweep_over_symbols_is_single_calls(tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    path = written(tmp_path)
    output = tmp_path / "a.nc"
    over = ("--over", "symbols.eps=-0.5,0,0.75", "--over", "temperature=0.5,1")
    common = ("--set", "Delta=0.75", "--set", "phi=0", "--order", 2)
    result = run("sweep", path, *over, *common, "--output", output, "--jobs", 1)
    assert result.exit_code == 0, result.stderr
    with xarray.open_dataset(output) as found:
        assert found["k_up"].dims == ("symbols.eps", "temperature", "order")
        for i, eps in enumerate((-0.5, 0.0, 0.75)):
            single = answer("rates", path, *common, "--set", f"eps={eps}")["orders"]["2"]
            for name in ("k_up", "inv_T2", "frequency_shift"):
                value = float(found[name][i, 0, 0])
                assert value == pytest.approx(single[name], rel=1e-13, abs=1e-16)
        assert float(found["k_up"][1, 1, 0]) != float(found["k_up"][1, 0, 0])


def test_a_sweep_needs_the_other_symbols(tmp_path: Path) -> None:
    path = written(tmp_path)
    over = ("--over", "symbols.eps=0,1", "--order", 2, "--output", tmp_path / "a.nc")
    refused(run("sweep", path, *over, "--set", "phi=0"), 2, "symbols.Delta", "has no value")
    swept = ("--over", "symbols.Delta=-1,1", "--set", "phi=0", "--output", tmp_path / "a.nc")
    refused(run("sweep", path, *swept), 2, "Delta", "not positive")
    unknown = ("--over", "symbols.gamma=0,1", "--set", "phi=0", "--set", "Delta=1")
    refused(run("sweep", path, *unknown), 2, "no such number")


@pytest.mark.parametrize("name", ["lambda", "in", "class"])
def test_a_word_of_python_is_refused_as_one(name: str) -> None:
    said = f"'{name}' is a word of Python's own.*such as {name}_"
    with pytest.raises(InputError, match=said):
        read_symbols({name: 1.0}, Place("model"))
    assert f"{name}_" in read_symbols({f"{name}_": 1.0}, Place("model"))
