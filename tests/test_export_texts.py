"""What exports say of themselves and what they refuse: headings, names, units, input."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import sympy

import pertsym as ps
from pertsym.baths.densities import DrudeLorentz, Ohmic
from pertsym.codegen.export import LANGUAGES, Codegen
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.file import load_model
from pertsym.model.statement_file import load_statement
from pertsym.model.values import Model
from pertsym.present.quantities import symbol
from tests.command_line import refused, run
from tests.exports import (
    MODELS,
    TILTED,
    model_of,
    module_of,
)


def test_an_unknown_language_is_named_with_those_there_are(tmp_path: Path) -> None:
    """Every other attribute of the exporter, and what has a printer of its own, included."""
    model = load_model(MODELS[-1])
    known = "use python, c, julia, mathematica, jax"
    equations, code = ps.bloch(model), Codegen.of(model, 2, ["k_up"], digits=None)
    with pytest.raises(InputError, match=f"'title' is unknown; {known}"):
        equations.export(tmp_path / "f", language="title", order=2)
    for language in (*dir(Codegen), "portable", "C", ""):
        with pytest.raises(InputError, match=known):
            code.render(language)
    assert not (tmp_path / "f").exists()


def test_broadcasting_and_bad_input() -> None:
    module = module_of(Codegen.of(model_of(Ohmic(0.1, 1.0, 1.0), 1.0), 2, ["k_down"], digits=None))
    values = module.evaluate(w0=np.ones((3, 1)), temperature_b=np.ones(4))
    assert list(values) == ["k_down"]
    assert values["k_down"][2].shape == (3, 4)
    with pytest.raises(TypeError, match="gamma is no parameter"):
        module.evaluate(gamma=1.0)
    for no_number in ("1.5", [1.0, "one"], 1j, np.array([1j]), [[1.0], [1.0, 2.0]], None):
        with pytest.raises(TypeError, match="wc_b: must be a real number or an array of them"):
            module.evaluate(wc_b=no_number)
    for bad in ({"w0": 0.0}, {"wc_b": -1.0}, {"temperature_b": -1.0}, {"w0": math.nan}):
        with pytest.raises(ValueError, match=next(iter(bad))):
            module.evaluate(**bad)


def test_shapes_that_do_not_broadcast_are_named() -> None:
    code = Codegen.of(model_of(Ohmic(0.1, 1.0, 1.0), 1.0), 2, ["k_down"], digits=None)
    with pytest.raises(ValueError, match=r"do not broadcast: w0 \(3,\), wc_b \(2,\)$"):
        module_of(code).evaluate(w0=np.ones(3), wc_b=np.ones(2))


def test_names_of_models_end_no_comment(tmp_path: Path) -> None:
    """Whatever a model is called, its files are the same below their first lines."""
    plain = model_of(DrudeLorentz(0.1, 2.0), 1.0)
    named = replace(plain, name='a"""; x */ int y; /* *) $(z) \\ \n"""')
    one, other = (Codegen.of(m, 2, "k_up", digits=None) for m in (plain, named))
    for language in LANGUAGES:
        texts = [code.render(language).splitlines() for code in (one, other)]
        assert texts[0][4:] == texts[1][4:]
        head = (
            "".join(texts[1][:4]).replace('"""', "", 1).replace("/* Gen", "").replace("(* Gen", "")
        )
        assert not any(mark in head for mark in ('"""', "*/", "*)", "$", "\\"))


def test_sizes_that_overflow_are_refused() -> None:
    rng = np.random.default_rng(8)
    module = module_of(Codegen.of(model_of(Ohmic(0.1, 1.0, 3.0), 1.0), 4, ["k_up"], digits=None))
    sizes = [1e200, 1e250, *10 ** rng.uniform(61.5, 300, 4), *10 ** rng.uniform(-300, -61.5, 4)]
    for name, bad in product(("w0", "temperature_b", "wc_b", "alpha_b"), sizes):
        for value in (float(bad), np.array([1.0, bad])):
            with pytest.raises(ValueError, match=rf"{name}: must be finite, and 0 or 1e-61"):
                module.both(**{name: value})
    for name, good in product(("w0", "temperature_b"), (9e59, 1.1e-60)):
        values, errors = module.both(**{name: good})
        assert np.all(np.isfinite([*values["k_up"].values(), *errors["k_up"].values()]))


NUMERICAL = """
name = "sites with numbers"
units = "wavenumber"
[system]
hamiltonian = [[0.0, 87.7], [87.7, {bias!r}]]
[[couplings]]
operator = [[1, 0], [0, 0]]
bath = "donor"
[baths.donor]
spectral_density = {{ kind = "drude-lorentz", lam = 35.0, gamma = 106.0 }}
temperature = 320.0
"""


@pytest.mark.parametrize("seed", range(2))
def test_numbers_in_the_docstring_can_be_read(tmp_path: Path, seed: int) -> None:
    """They are those of the exact form, to their digits, in the same places."""
    path = tmp_path / "model.toml"
    path.write_text(NUMERICAL.format(bias=round(np.random.default_rng(seed).uniform(20, 200), 1)))
    code = Codegen.of(load_model(path), digits=None)
    exact = code.exact
    assert re.search(r"\d{25}", exact)
    assert not re.search(r"[1-9]\d{17}", code.shown)
    number = re.compile(r"\d+(?:\.\d+)?(?:e[-+]?\d+)?(?:/\d+)?")

    def numbers(text: str) -> list[float]:
        return [float(Fraction(a) / Fraction(b or 1)) for a, _, b in
                (x.partition("/") for x in number.findall(text))]  # fmt: skip

    assert numbers(code.shown) == pytest.approx(numbers(exact), rel=1e-15)
    assert re.sub(r"[ /]", "", number.sub("#", code.shown)) == re.sub(
        r"[ /]", "", number.sub("#", exact)
    )
    assert exact.count("π") == code.shown.count("π")
    assert "/π" in code.shown
    stated = re.findall(r"^ *([^\sK]\S+)\(([24])\) = ", code.shown, re.MULTILINE)
    rates = {name: rows for name, rows in code.forms.items() if name != "equilibrium_constant"}
    assert set(stated) == {(symbol(q).text, str(n)) for q, rows in rates.items() for n in rows}
    assert "stay fixed when w0 is moved" in code.units_text()
    assert code.parameters["temperature_donor"] == 320.0


def test_units_are_those_of_the_model() -> None:
    bath = ps.Bath("b", "boson", 1 / 200.0, DrudeLorentz(30.0, 100.0))
    model = Model.of(
        [0, 150], [ps.Coupling.of(ps.sigma_x, "b")], [bath], units="wavenumber", name="in 1/cm"
    )
    code = Codegen.of(model, digits=None)
    assert code.parameters["temperature_b"] == pytest.approx(200 / 0.69503480, rel=1e-6)
    module = module_of(code)
    assert module.main() == 0


def test_what_cannot_be_exported_is_said() -> None:
    model = model_of(DrudeLorentz(0.1, 2.0), 1.0)
    with pytest.raises(NotYetDerivable, match="order 6"):
        Codegen.of(model, 6)
    for names in (["k_sideways"], "k_sideways"):
        with pytest.raises(InputError, match="'k_sideways' is unknown"):
            Codegen.of(model, 2, names)
    for order in (3, 0, "4", None):
        with pytest.raises(InputError, match=r"order: .* is no positive even integer"):
            Codegen.of(model, order)  # type: ignore[arg-type]
    table = ps.Bath("b", "boson", 1.0, ps.Table((1.0, 2.0, 3.0), (0.0, 1.0, 0.0)))
    with pytest.raises(NotYetDerivable, match=r"baths\.b"):
        Codegen.of(Model.of([0, 1], [ps.Coupling.of(ps.sigma_x, "b")], [table]), 2)


def test_rates_of_populations_are_exported_by_request() -> None:
    """What is known of them stands in every file; what they lack is said as of the others."""
    plain = Codegen.of(model_of(DrudeLorentz(0.1, 2.0), 1.0, TILTED), 2, digits=None)
    assert not any(name.endswith("_eliminated") for name in plain.forms)
    flat = [re.sub(r"\s+", " ", plain.render(name)) for name in LANGUAGES]
    assert all("inv_T2_eliminated and so on, and are exported by request" in x for x in flat)
    names = ["k_up_eliminated", "k_up", "k_up_eliminated"]
    diverges = Codegen.of(model_of(Ohmic(0.1, 2.0, 0.5), 1.0, TILTED), 4, names, digits=None)
    assert list(diverges.forms) == names[:2]
    assert list(diverges.missing) == ["k_up_eliminated, order 4", "k_up, order 4"]
    assert all("w^-0.5" in reason for reason in diverges.missing.values())


def test_command(tmp_path: Path) -> None:
    target = tmp_path / "rates.py"
    path = MODELS[-1]
    result = run(
        "export", str(path), "--language", "python", "--order", "2", "--output", str(target)
    )
    assert result.exit_code == 0, result.output
    said = subprocess.run(
        [sys.executable, str(target)], capture_output=True, text=True, check=True, env=os.environ
    )
    assert said.stdout.endswith(" passed, 0 failed\n")
    for language, word in (("julia", "module PertsymRates"), ("mathematica", "BeginPackage")):
        options = ("--language", language, "--quantities", "k_up", "--output", str(target))
        result = run("export", str(path), *options)
        assert result.exit_code == 0, result.output
        assert word in target.read_text()
    result = run("export", str(path), "--language", "c", "--order", "6", "--output", str(target))
    assert result.exit_code == 4
    result = run("export", str(path), "--language", "c", "--order", "3", "--output", str(target))
    assert result.exit_code == 2
    nothing = ("--language", "c", "--quantities", ",", "--output", str(target))
    refused(run("export", str(path), *nothing), 2, "--quantities: names none")


def test_names_in_formulas_are_what_is_said_of_them(tmp_path: Path) -> None:
    a, b = map(float, np.random.default_rng(4).uniform(0.2, 1.0, 2))
    derived = ps.derive(
        ps.Model(
            hamiltonian=[["-eps/2", "Delta/2"], ["Delta/2", "eps/2"]],
            couplings=[ps.Coupling([["1/2", 0], [0, "-1/2"]], "B")],
        )
    )
    bath = ps.Bath(DrudeLorentz(0.1, 2.0), temperature=1.0)
    derived.export(tmp_path / "e.py", "python", 2, eps=a, Delta=b, B=bath)
    found = re.findall(r"^ +([cs]) = (\S+)  \(.*, (.*)\)$", (tmp_path / "e.py").read_text(), re.M)
    assert [name for name, _, _ in found] == ["c", "s"]
    for _, value, text in found:
        wanted = sympy.sympify(text).evalf(subs={"eps": a, "Delta": b})
        assert float(value) == pytest.approx(float(wanted), rel=1e-9)


BIASED = """
name = "tilted"
[system]
hamiltonian = [[{a!r}, {b!r}], [{b!r}, {d!r}]]
[[couplings]]
operator = [["-1/2", 0], [0, "1/2"]]
bath = "B"
[baths.B]
spectral_density = {{ kind = "drude-lorentz", lam = 0.1, gamma = 2.0 }}
temperature = 1.0
"""


@pytest.mark.parametrize("seed", range(3))
def test_formulas_for_readers_are_those_that_are_derived(tmp_path: Path, seed: int) -> None:
    """Of a Hamiltonian in numbers: named elements, their values, and no noise of rounding."""
    a, b, d = map(float, np.random.default_rng(seed).uniform(0.1, 1.0, 3).round(3))
    path = tmp_path / "model.toml"
    path.write_text(BIASED.format(a=a, b=b, d=d if seed else -a))
    derived = ps.derive(load_statement(path))
    for language in ("python", "c", "jax"):
        by_command, by_method = tmp_path / f"one.{language}", tmp_path / f"two.{language}"
        written = run("export", str(path), "--language", language, "--output", str(by_command))
        assert written.stderr.endswith(f"wrote {by_command}\n")
        derived.export(by_method, language)
        head, other = (f.read_text().partition("hbar = k_B")[0] for f in (by_command, by_method))
        assert head == other
        flat = re.sub(r"\s+", "", head)
        for name in ("k_up", "inv_T1", "inv_T2", "inv_T2_prime", "frequency_shift"):
            for order in (2, 4):
                assert re.sub(r"\s+", "", derived[name][order].text) in flat
        assert "K(2)=" in flat
        values = dict(re.findall(r"^ +([cs]) = (\S+)  \(", head, re.MULTILINE))
        bias = a - (d if seed else -a)
        gap = np.hypot(bias, 2 * b)
        assert float(values["c"]) == pytest.approx(bias / gap, rel=1e-9)
        assert float(values["s"]) == pytest.approx(2 * b / gap, rel=1e-9)
        assert "Here k10 is k_up, k01 is k_down" in re.sub(r"\s+", " ", head)
        assert not re.search(r"\d{8}", re.sub(r"^ +[cs] = .*$", "", head, flags=re.MULTILINE))
