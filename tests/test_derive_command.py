"""`pertsym derive MODEL`: text, JSON and documents of one's own Hamiltonian."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

import pertsym as ps
from pertsym.cli.console import command_errors
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.present.document import html_document, latex_document
from pertsym.present.statement import cells
from tests.command_line import BASE, model_file, refused, run, said_by
from tests.test_model_symbols import TILTED, written

CHAIN = """
name = "chain of three"
[symbols]
g = "positive"
[system]
hamiltonian = [[0.1, 0.3, 0], [0.3, 0.2, 0.3], [0, 0.3, 0.1]]
[[couplings]]
operator = [[1, 0, 0], [0, 0, 0], [0, 0, 1]]
bath = "b"
strength = "g"
[baths.b]
temperature = 0.5
spectral_density = { kind = "drude-lorentz", lam = 0.05, gamma = 1.0 }
"""


def record(*arguments: object) -> Any:
    result = run("derive", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_a_model_is_derived_with_all_stages(tmp_path: Path) -> None:
    path = written(tmp_path)
    found = record(path, "--order", 2)
    keys = [step["key"] for step in found["steps"]]
    assert keys[:6] == [
        "hamiltonian",
        "eigenbasis",
        "definitions",
        "moments",
        "cumulant2",
        "pairings2",
    ]
    assert len(set(keys)) == len(keys)
    assert {"k_up-2-wick", "k_up-2-spectral", "inv_T2-2-wick"} <= set(keys)
    assert "numbers" not in keys  # Delta has no value
    text = run("derive", path, "--order", 2).stdout
    for line in ("H_S = [-eps/2", "c = ", "Ĉ(ω) = ∫dt", "k10(2) = "):
        assert line in text
    for step in found["steps"]:
        assert step["prose"]
        assert step["latex"] or step["text"]


def test_a_quantity_has_its_closed_form(tmp_path: Path) -> None:
    path = written(tmp_path)
    found = record(path, "--quantity", "k_up", "--order", 4)
    derived = ps.derive(ps.load(path))
    assert found["latex"] == derived.k_up[4].latex()
    assert found["text"] == derived.k_up[4].text
    assert [step["key"] for step in found["steps"]][-6:] == [
        "wick",
        "method",
        "arcs",
        "spectral",
        "notation",
        "rules",
    ]
    complex_one = record(path, "--quantity", "R_1010", "--order", 2)
    assert complex_one["latex"].startswith(r"\mathrm{Re}")
    assert complex_one["imaginary_text"].startswith("Im R1010(2) = ")
    terms = record(path, "--quantity", "k_up", "--step", "wick", "--order", 2)
    assert terms.keys() == {"terms"}
    paper = record("biased_two_level", "--quantity", "k_up", "--order", 2)
    assert paper["text"] == "k10(2) = x² Ĉ_B(-ω0)"


def test_numbers_stand_beside_formulas(tmp_path: Path) -> None:
    path = written(tmp_path)
    options = ("--set", "Delta=0.7", "--set", "phi=0")
    found = record(path, "--order", 2, *options)
    numbers = next(step for step in found["steps"] if step["key"] == "numbers")
    rates = json.loads(run("rates", path, "--order", 2, *options, "--json").stdout)
    shown = dict(line.split(" = ") for line in numbers["text"])
    value = float(shown["k10(2)"].split()[0])
    assert value == pytest.approx(rates["orders"]["2"]["k_up"], rel=1e-9)
    named = "\n".join(next(s for s in found["steps"] if s["key"] == "eigenbasis")["text"])
    assert re.search(r"^c = .* = -0\.58123\d+", named, re.MULTILINE)


def test_a_numerical_chain_has_named_elements(tmp_path: Path) -> None:
    found = record(written(tmp_path, CHAIN), "--order", 4, "--quantity", "k_20")
    assert "S02" in found["text"]
    assert not re.search(r"\d{5}", found["text"] + found["latex"])
    basis = next(step for step in found["steps"] if step["key"] == "eigenbasis")
    lines = [line for line in basis["text"] if line.startswith("S02 = ")]
    assert re.search(r"= -?0\.\d{9,}", lines[0])
    none = record(written(tmp_path, CHAIN), "--order", 4, "--quantity", "k_10")
    assert none["text"] == "k10(4) = 0"  # parity


@pytest.mark.parametrize("text", [TILTED, CHAIN, BASE])
def test_documents_hold_together(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    latex, page = tmp_path / "a.tex", tmp_path / "a.html"
    result = run("derive", path, "--order", 2, "--latex", latex, "--html", page)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == ""
    source, shown = latex.read_text(encoding="utf-8"), page.read_text(encoding="utf-8")
    assert source.count(r"\begin{") == source.count(r"\end{")
    assert source.count("{") == source.count("}")
    for empty in (r"\cite", "Source", "ledger"):
        assert empty not in source
    assert "Source" not in shown
    assert '<code class="tex">' not in shown  # every formula has MathML
    for symbol in ("H_S =", r"\hat C(\omega) =", "M^{(n)}", r"\mathrm{FP}"):
        assert symbol in source
    if shutil.which("pdflatex"):
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", latex.name]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
        assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.filterwarnings("ignore")
def test_a_notebook_runs(tmp_path: Path) -> None:
    pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    target = tmp_path / "a.ipynb"
    path = written(tmp_path)
    result = run("derive", path, "--order", 2, "--notebook", target, "--quantity", "k_up")
    assert result.exit_code == 0, result.stderr
    notebook = json.loads(target.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert all(cell["execution_count"] for cell in code)
    outputs = [out["data"]["text/plain"] for cell in code for out in cell["outputs"]]
    assert "k10(2) = " in "".join("".join(x) for x in outputs)
    prose = "".join("".join(c["source"]) for c in notebook["cells"])
    assert "$$H_S = " in prose


def test_a_notebook_without_the_tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nbformat")
    monkeypatch.setattr("pertsym.present.notebook._NEEDED", ("no_such_module",))
    target = tmp_path / "a.ipynb"
    options = ("--order", 2, "--quantity", "k_up", "--notebook", target)
    result = run("derive", written(tmp_path), *options)
    assert result.exit_code == 0
    assert "not executed: install pertsym[notebook]" in result.stderr
    code = [c for c in json.loads(target.read_text())["cells"] if c["cell_type"] == "code"]
    assert code
    assert not any(cell["outputs"] for cell in code)


@pytest.mark.parametrize("text", [TILTED, CHAIN, BASE])
def test_cells_state_the_same_model(tmp_path: Path, text: str) -> None:
    model = ps.load(written(tmp_path, text))
    names: dict[str, Any] = {}
    exec(cells(model, "k_10")[0], names)
    again = names["model"]
    assert again.hamiltonian == model.hamiltonian
    assert again.energies == model.energies
    assert again.couplings == model.couplings
    assert again.symbols == model.symbols


def test_bad_requests(tmp_path: Path) -> None:
    path = written(tmp_path)
    refused(run("derive", tmp_path / "nowhere.toml"), 2, "nowhere.toml", "cannot be read")
    refused(run("derive", path, "--quantity", "k_sideways"), 2, "'k_sideways'")
    refused(run("derive", path, "--order", 6), 4, "orders 2, 4")
    refused(run("derive", path, "--set", "nu=1"), 2, "set nu", "no such symbol")
    refused(run("derive", path, "--step", "wack", "--order", 2), 2, "'wack'", "hamiltonian")
    refused(run("derive", "biased_two_level", "--set", "x=1"), 2, "--set", "no model file")
    refused(run("derive", "nobody_1990"), 2, "NAME", "MODEL")
    level = written(tmp_path, TILTED, ('"Delta*exp(I*phi)/2"', "0"), ('"Delta*exp(-I*phi)/2"', "0"))
    equal = level.read_text().replace('"-eps/2", 0], [0, "eps/2"', '"eps", 0], [0, "eps"')
    level.write_text(equal)
    refused(run("derive", level), 4, str(level), "degenerate")
    bad = model_file(tmp_path, ("[0.0, 1.0]", '[0.0, "w0"]'))
    refused(run("derive", bad), 2, "system.energies[1]", "unknown name 'w0'")


def test_a_dimer_evolves_in_its_sites() -> None:
    example = Path(__file__).parent.parent / "examples" / "dimer.toml"
    found = json.loads(
        run(
            *("evolve", example, "--set", "g=0.3", "--method", "redfield"),
            *("--initial", 1, "--times", "0:4:3", "--json"),
        ).stdout
    )
    assert found["basis"] == "system"
    assert found["populations"][0] == pytest.approx([0, 1], abs=1e-12)
    assert 0.2 < found["populations"][1][0] < 1
    assert len(found["observables"]["exciton"]) == 3


def test_a_model_with_values_is_exported(tmp_path: Path) -> None:
    """A tunnelling system in its site basis: one source file that runs without pertsym."""
    model = ps.Model(
        hamiltonian=[[0, "V"], ["V", 0]],
        couplings=[ps.Coupling([["1/2", 0], [0, "-1/2"]], "b")],
        baths={"b": ps.Bath(ps.DrudeLorentz(lam=0.1, gamma=2.0), temperature=0.5)},
        symbols={"V": 0.4},
    )
    derived = ps.derive(model)
    target = tmp_path / "rates.py"
    derived.export(target)
    names: dict[str, Any] = {"__name__": "rates"}
    exec(target.read_text(), names)
    found = names["evaluate"]()
    for order in (2, 4):
        assert found["k_up"][order] == pytest.approx(derived.at().k_up[order].value, rel=1e-11)


def evaluated(file: Path) -> Any:
    names: dict[str, Any] = {"__name__": "rates"}
    exec(file.read_text(), names)
    return names["evaluate"]()


@pytest.mark.parametrize("seed", range(2))
def test_values_are_exported(tmp_path: Path, seed: int) -> None:
    """A symbol without value in the file has one for the command and in Python."""
    rng = np.random.default_rng(seed)
    g, gap = round(rng.uniform(0.1, 0.9), 2), round(rng.uniform(0.5, 1.9), 2)
    path = model_file(
        tmp_path,
        ("[system]", '[symbols]\ng = "positive"\ngap = 1.0\n[system]'),
        ("[0.0, 1.0]", '[0.0, "gap"]'),
        ("[[0, 1], [1, 0]]", '[[0, "g"], ["g", 0]]'),
    )
    derived = ps.derive(ps.load(path))
    expected = derived.at(g=g, gap=gap).k_up[4].value
    one, other = tmp_path / "one.py", tmp_path / "other.py"
    derived.export(one, g=g, gap=gap)
    asked = ("export", path, "--language", "python", "--output", other)
    assert run(*asked, "--set", f"g={g}", "--set", f"gap={gap}").exit_code == 0
    for file in (one, other):
        assert evaluated(file)["k_up"][4] == pytest.approx(expected, rel=1e-11)
    refused(run(*asked), 2, str(path), "g")
    refused(run(*asked, "--set", "h=1"), 2, "h")
    with pytest.raises(TypeError, match="a value for g"):
        derived.export(one)


@pytest.mark.parametrize("language", ["python", "c", "julia"])
def test_exported_code_has_integrals_of_a_biased_coupling(tmp_path: Path, language: str) -> None:
    """In every language nothing is left out, and numbers are right."""
    dimer = Path(__file__).parent.parent / "examples" / "dimer.toml"
    file = tmp_path / "rates"
    result = run("export", dimer, "--set", "g=0.3", "--language", language, "--output", file)
    assert result.exit_code == 0
    assert "left out" not in result.stderr.lower()
    assert "C_a_0" in file.read_text()  # Ĉ(0) of order 2
    if language == "python":
        expected = ps.derive(ps.load(dimer)).at(g=0.3)
        found = evaluated(file)
        for name in ("k_up", "k_down", "inv_T1", "inv_T2"):
            assert found[name][2] == pytest.approx(expected[name][2].value, rel=1e-11)


@pytest.mark.parametrize("command", ["derive", "compare"])
def test_faults_name_the_file_of_a_source(tmp_path: Path, command: str) -> None:
    """Also those that only the derivation finds, which knows the model by its name."""
    formula = tmp_path / "formula.txt"
    formula.write_text("0", encoding="utf-8")
    rest = (formula, "--quantity", "k_up", "--order", 2) if command == "compare" else ()
    for energy, code in (("1.0", 4), ("nowhere", 2)):
        path = tmp_path / "levels.toml"
        path.write_text(
            f"""
name = "named otherwise"
[system]
hamiltonian = [["{energy}", 0], [0, 1.0]]
[[couplings]]
operator = [[0, 1], [1, 0]]
bath = "x"
[baths.x]
temperature = 0.5
spectral_density = {{ kind = "drude-lorentz", lam = 0.05, gamma = 1.0 }}
""",
            encoding="utf-8",
        )
        result = run(command, path, *rest)
        assert result.exit_code == code
        assert said_by(result)[0].startswith(f"pertsym: {path}: ")
        assert "named otherwise" not in result.stderr


@pytest.mark.parametrize("kind", [InputError, NotYetDerivable])
def test_faults_deep_inside_name_the_file_of_a_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: type[InputError | NotYetDerivable]
) -> None:
    """A file by its name; a built-in derivation is none."""

    @command_errors
    def command(source: str) -> None:
        raise kind("model", "cross", "wrong", "correct it")

    for source, where in (
        (str(tmp_path / "model.toml"), f"{tmp_path}/model.toml"),
        ("laird", "model"),
    ):
        with pytest.raises(SystemExit) as caught, click.Context(click.Command("any")):
            command(source=source)
        assert caught.value.code == (2 if kind is InputError else 4)
        assert capsys.readouterr().err == f"pertsym: {where}: cross: wrong; correct it\n"


def test_a_long_document_says_what_it_leaves_out() -> None:
    size = 4
    operator = [[f"x{min(i, j)}{max(i, j)}" for j in range(size)] for i in range(size)]
    derived = ps.derive([(operator, "B")])
    document = derived.document(order=2)
    shown = {key.split("-")[0] for step in document.steps if (key := step.key).startswith("k_")}
    assert len(shown) == 6
    left = document.step("further")
    assert len(left.formulas) == 6
    assert left.formulas[-1].latex.startswith("k_{32}^{(2)} =")


def test_documents_of_python_models() -> None:
    """Nothing but an interaction, or a model of three levels without values."""
    laird = ps.derive(ps.laird()).document(order=2, quantities=["k_up"])
    assert laird.steps[0].key == "definitions"
    ladder = ps.derive([([[0, "x", 0], ["x", 0, "y"], [0, "y", 0]], "B")])
    document = ladder.document(order=2)
    keys = {step.key for step in document.steps}
    assert {"k_10-2-spectral", "k_21-2-spectral"} <= keys
    assert "k_20-2-spectral" not in keys  # no term at second order
    for text in (latex_document(document), html_document(document)):
        assert "omega_1" in text or "ω" in text
    with pytest.raises(NotYetDerivable, match="order 4"):
        ladder.document(order=6)
    with pytest.raises(ValueError, match="positive even integer"):
        ladder.document(order=3)


def test_the_equilibrium_constant_is_a_quantity_like_others(tmp_path: Path) -> None:
    path = model_file(tmp_path)
    derived = ps.derive(ps.load(path))
    for order in (0, 2, 4):
        for name in ("equilibrium_constant", "K"):
            found = record(path, "--quantity", name, "--order", order)
            assert found["text"] == derived.equilibrium_constant[order].text
            assert found["steps"][-1]["text"]
    page = run("derive", path, "--quantity", "K", "--order", 2, "--html", tmp_path / "K.html")
    assert page.exit_code == 0
    paper = run("derive", "laird_budimir_skinner_1991", "--quantity", "K", "--step", "spectral")
    assert "K(4) = " in paper.stdout
    refused(run("derive", written(tmp_path), "--quantity", "K"), 4, "diagonal")
    refused(run("derive", path, "--quantity", "K", "--order", 3), 2, "even")
    refused(run("derive", path, "--quantity", "K", "--step", "wick", "--json"), 2, "no single sum")
    refused(run("derive", path, "--quantity", "k_up", "--order", 0), 2, "--order")
    near = run("derive", path, "--quantity", "equilibrium_constnt")
    refused(near, 2, "did you mean 'equilibrium_constant'")
    chain = tmp_path / "chain.toml"
    chain.write_text(CHAIN, encoding="utf-8")
    refused(run("derive", chain, "--quantity", "K"), 2, "unknown")


def test_a_bath_without_density_says_that_formulas_need_none(tmp_path: Path) -> None:
    density = 'spectral_density = { kind = "drude-lorentz", lam = 0.05, gamma = 1.0 }\n'
    path = model_file(
        tmp_path, (density, ""), ("[0.0, 1.0]", '[0, "w0"]\n[symbols]\nw0 = "positive"')
    )
    refused(run("derive", path), 2, "baths.x.spectral_density: is missing", "leave [baths] out")
    bare = model_file(tmp_path, ("[baths.x]\ntemperature = 0.5\n" + density, ""))
    assert run("derive", bare, "--order", 2).exit_code == 0
    imaginary = ("[[0, 1], [1, 0]]", '[[0, "I*x"], ["-i*x", 0]]')
    file = model_file(tmp_path, imaginary, ("[system]", "[symbols]\nx = 1\n[system]"))
    refused(run("rates", file), 2, "the imaginary unit is I")


@pytest.mark.parametrize("seed", range(2))
def test_classical_noise_on_tilted_levels_to_fourth_order(tmp_path: Path, seed: int) -> None:
    """What is shown of kernels adds up where C(t) is real, whatever the levels."""
    rng = random.Random(seed)
    tilted = f"hamiltonian = [[{rng.uniform(-1, 0)}, 0.4], [0.4, {rng.uniform(0, 1)}]]"
    path = model_file(
        tmp_path,
        ("energies = [0.0, 1.0]", tilted),
        ("[[0, 1], [1, 0]]", f"[[{rng.uniform(-1, 1)}, 0], [0, 1]]"),
        ("temperature = 0.5", 'statistics = "classical"\ntemperature = 0.5'),
    )
    for quantity in ("inv_T1", "k_up"):
        result = run("derive", path, "--order", "4", "--quantity", quantity, "--step", "wick")
        assert result.exit_code == 0, result.stderr
