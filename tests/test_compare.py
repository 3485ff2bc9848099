"""`compare`: the command, results that compare themselves, the names of one's own model."""

from __future__ import annotations

import itertools
import json
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import pertsym as ps
from pertsym.equations.bloch import Bloch
from pertsym.equations.generator import Generator
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.language.decide import compare_form
from pertsym.language.dictionary import Dictionary
from pertsym.language.limits import Limit
from pertsym.language.parser import parse
from pertsym.language.syntax import FormulaError
from pertsym.language.trial import Trial
from pertsym.library import find
from pertsym.present.latex import form_latex
from pertsym.reduction.spectral import (
    Value,
    monomial,
)
from tests.command_line import BASE, DENSITY, TEMPERATURE, model_file, refused, run
from tests.laird import bloch


def test_the_command(tmp_path: Path) -> None:
    file = tmp_path / "formula.tex"
    arguments = ("compare", "laird_budimir_skinner_1991", file, "--quantity", "k_up", "--order", 4)
    source = form_latex(bloch().k_up[4].form, "k_{10}^{(4)}")
    file.write_text(source, encoding="utf-8")
    result = run(*arguments, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "verdict": "equal", "limit": None, "factor": "1", "difference": "0", "counterexample": None
    }  # fmt: skip
    file.write_text(source.replace(r"- P_1(-\omega_0)", r"+ 3P_1(-\omega_0)"), encoding="utf-8")
    result = run(*arguments, "--json")
    assert result.exit_code == 1
    record = json.loads(result.stdout)
    assert record["verdict"] == "different"
    assert record["difference"] == r"\frac{2}{\pi}\,\hat C_1'(-\omega_0)P_1(-\omega_0)"
    assert record["counterexample"]["given"] != record["counterexample"]["derived"]
    shown = run(*arguments)
    assert shown.exit_code == 1
    assert "given - derived" in shown.stdout
    file.write_text(source.replace(r"\omega_0", r"\omega_7", 1), encoding="utf-8")
    result = run(*arguments, "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "column" in result.stderr
    assert "^" in result.stderr


def test_the_command_with_a_model(tmp_path: Path) -> None:
    model = model_file(tmp_path)
    file = tmp_path / "formula.txt"
    file.write_text("k10 = 2 J(ω0) n(ω0)\n", encoding="utf-8")
    assert run("compare", model, file, "--quantity", "k_up", "--order", 2).exit_code == 0
    zero = ("--limit", "zero-temperature")
    assert run("compare", model, file, "--quantity", "k_up", "--order", 2, *zero).exit_code == 0
    file.write_text("0", encoding="utf-8")
    assert run("compare", model, file, "--quantity", "k_up", "--order", 2, *zero).exit_code == 0


def test_what_the_command_refuses(tmp_path: Path) -> None:
    file = tmp_path / "formula.txt"
    file.write_text("0", encoding="utf-8")
    start = ("compare", "laird_budimir_skinner_1991", file, "--quantity")
    refused(run(*start, "k_up", "--order", 3), 2, "--order")
    refused(run(*start, "k_up", "--order", 6), 4, "orders 2, 4")
    refused(run(*start, "speed", "--order", 2), 2, "--quantity", "k_up")
    refused(run("compare", "nobody", file, "--quantity", "k_up", "--order", 2), 2, "nobody")
    refused(
        run("compare", "proton_transfer", file, "--quantity", "k_up", "--order", 2), 2, "no quant"
    )


def test_results_compare_themselves() -> None:
    rate = ps.bloch([([["d", "x"], ["x", "c"]], "B")]).k_up[2]
    assert ps.compare(rate, "k10(2) = 2 x² J(ω0) n(ω0)")
    assert ps.compare(rate, repr(rate))
    wrong = ps.compare(rate, "2 x² J(ω0) [n(ω0) + 1]", limit="thermal")
    assert wrong.verdict == "different"
    assert "different" in repr(wrong)
    element = ps.generator([([["d", "x"], ["x", "c"]], "B")]).R_1010[2]
    assert ps.compare(element.real, element.real.latex())
    assert ps.compare(element.imaginary, element.imaginary.latex())
    assert not ps.compare(element, element.real.latex().partition("=")[2])


def test_three_level_models_compare_elements() -> None:
    equations = find("three_levels_two_baths").equations
    assert isinstance(equations, Generator)
    dictionary = Dictionary.of(equations.interaction)
    form = equations.series("k_10")[2].form
    limit: Limit = "thermal"
    assert compare_form(form, "x^2 2 J_X(ω1) n(ω1)", dictionary, limit=limit)


TILTED = Dictionary(
    1,
    ("B",),
    ("Delta", "d0", "d1", "eps", "x"),
    definitions={"d0": "-eps/(2 ω0)", "d1": "eps/(2 ω0)", "x": "Delta/(2 ω0)"},
    squares={"eps": "ω0^2 - Delta^2"},
)


@pytest.mark.parametrize(
    "source",
    [
        r"\frac{\Delta^2}{4(\epsilon^2+\Delta^2)}\hat C_B(-\omega_0)",
        r"\frac{\omega_0^2-\varepsilon^2}{4\omega_0^2}\hat C(-\omega_0)",
        r"\frac{\Delta^4-\omega_0^4+2\epsilon^2\omega_0^2-\epsilon^4+\Delta^2\omega_0^2}{4\omega_0^4}"
        r"\hat C(-\omega_0)",
        "x² Ĉ_B(-ω0)",
        "Delta^2/(2 (eps^2 + Delta^2)) * J(ω0) n(ω0).",
    ],
)
def test_elements_that_are_defined_by_other_symbols(source: str) -> None:
    """A tilted two-level system in the symbols of its site basis, with w0^2 = eps^2 + Delta^2."""
    bloch = Bloch(symbolic_interaction(2, [([["d0", "x"], ["x", "d1"]], "B")]))
    form = bloch.k_up[2].form
    result = compare_form(form, source, TILTED)
    assert result.verdict == "equal"
    node = parse(source, TILTED)
    trial = Trial(TILTED, result.limit, 4)
    assert trial.elements["eps"] ** 2 + trial.elements["Delta"] ** 2 == pytest.approx(
        trial.frequencies[0] ** 2
    )
    assert complex(trial.tree(node)) == pytest.approx(trial.form(form), rel=1e-9)
    wrong = compare_form(form, source.replace("4", "5", 1).replace("x²", "x³"), TILTED)
    assert wrong.verdict != "equal" or "J" in source
    assert compare_form(bloch.k_up[4].form, form_latex(bloch.k_up[4].form), TILTED)


def test_models_say_what_temperature_means(tmp_path: Path) -> None:
    file = tmp_path / "formula.txt"
    file.write_text("2 J(ω0) n(ω0)", encoding="utf-8")
    start = ("compare", model_file(tmp_path, (TEMPERATURE, "temperature = 0.0")), file)
    rest = ("--quantity", "k_up", "--order", 2, "--json")
    assert json.loads(run(*start, *rest).stdout)["limit"] == "zero-temperature"
    classical = model_file(tmp_path, (TEMPERATURE, 'statistics = "classical"\ntemperature = 0.5'))
    file.write_text("2 J(ω0)/(β ω0)", encoding="utf-8")
    assert json.loads(run("compare", classical, file, *rest).stdout) == {
        "verdict": "equal", "limit": "classical", "factor": "1", "difference": "0",
        "counterexample": None,
    }  # fmt: skip
    two = BASE.replace(
        "[[couplings]]", '[[couplings]]\noperator = [[0, 1], [1, 0]]\nbath = "y"\n[[couplings]]', 1
    )
    two += "[baths.y]\ntemperature = 2.0\nspectral_density = " + DENSITY + "\n"
    path = tmp_path / "two.toml"
    path.write_text(two, encoding="utf-8")
    file.write_text("2 J_x(ω0) n(ω0) + 2 J_y(ω0) n(ω0)", encoding="utf-8")
    result = run("compare", path, file, *rest)
    assert result.exit_code == 2
    assert "one temperature" in result.stderr
    file.write_text("Ĉ_x(-ω0) + Ĉ_y(-ω0)", encoding="utf-8")
    assert run("compare", path, file, *rest).exit_code == 0
    file.write_text(r"e^{-\beta\omega_0}\cdot 0", encoding="utf-8")
    constant = ("compare", "laird_budimir_skinner_1991", file, "--quantity", "equilibrium_constant")
    assert run(*constant, "--order", 2).exit_code == 1


@pytest.mark.parametrize("written", ["w0", "w_0", "w_{0}", "w _ 0"])
def test_w0_may_be_typed_in_latex(written: str) -> None:
    form, one = bloch().series("k_up")[2].form, Dictionary(1, ("C1", "C2"))
    typed = rf"\hat C_{{C1}}(-{written}) \cdot \frac{{{written}}}{{\omega_0}}"
    same = typed.replace(written, r"\omega_0")
    assert parse(typed, one) is not None
    assert compare_form(form, typed, one).verdict == compare_form(form, same, one).verdict
    three = Dictionary(2, ("B",))
    rate = monomial(Gaussian(2), Value("C", "B", 0, (-1, 1)))
    assert compare_form(rate, r"2\,\hat C_B(w_2 - w1)", three)
    for wrong in (r"\pi w", r"\pi w_3", r"\pi w0x", r"\pi w_{0"):
        with pytest.raises(FormulaError):
            parse(wrong, one)


@pytest.mark.parametrize(
    "written", ["2 J_x(w0) n_y(w0)", r"2 J_{x}(\omega_0)\,n_{y}(\omega_0)", r"\pi n_y(w0)"]
)
def test_occupations_of_several_temperatures_are_told_how_to_write(written: str) -> None:
    two = Dictionary(1, ("x", "y"), temperature="")
    with pytest.raises(FormulaError, match=r"\\hat C_y\(-\\omega_0\)"):
        parse(written, two)
    with pytest.raises(FormulaError, match=r"n\(ω\) for n_y"):
        parse(written, Dictionary(1, ("x", "y")))


def test_a_model_at_zero_temperature_is_compared_there(tmp_path: Path) -> None:
    path = model_file(tmp_path, (TEMPERATURE, "temperature = 0.0"))
    file = tmp_path / "formula.txt"

    def verdict(formula: str, quantity: str, order: int) -> tuple[str, str | None]:
        file.write_text(formula, encoding="utf-8")
        rest = ("--quantity", quantity, "--order", order, "--json")
        found = json.loads(run("compare", path, file, *rest).stdout)
        return found["verdict"], found["limit"]

    assert verdict("0", "k_up", 2) == ("equal", "zero-temperature")
    assert verdict("Ĉ_x(-ω0)", "k_up", 2) == ("equal", None)
    assert verdict("0", "k_down", 2)[0] == "different"
    assert verdict("Ĉ_x(ω0)", "inv_T1", 2) == ("equal", "zero-temperature")
    warm = model_file(tmp_path)
    file.write_text("0", encoding="utf-8")
    assert run("compare", warm, file, "--quantity", "k_up", "--order", 2).exit_code == 1


# ---------------------------------------------------------------------------------------------
# The names of one's own model

TILTED_FILE = """
[symbols]
eps = "real"
Delta = "positive"
[system]
hamiltonian = [["eps/2", "Delta/2"], ["Delta/2", "-eps/2"]]
[[couplings]]
operator = [["1/2", 0], [0, "-1/2"]]
bath = "B"
[baths.B]
temperature = 1.0
spectral_density = { kind = "drude-lorentz", lam = 0.1, gamma = 2.0 }
"""
DIMER = Path(__file__).parent.parent / "examples" / "dimer.toml"


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("which", ["dimer", "tilted"])
def test_compare_knows_what_derive_prints(tmp_path: Path, which: str, order: int) -> None:
    model, formula = DIMER, tmp_path / "formula"
    if which == "tilted":
        model = tmp_path / "tilted.toml"
        model.write_text(TILTED_FILE, encoding="utf-8")
    asked = ("--quantity", "k_up", "--order", order)
    record = json.loads(run("derive", model, *asked, "--json").stdout)
    for written in (record["latex"], record["text"]):
        formula.write_text(written, encoding="utf-8")
        result = run("compare", model, formula, *asked)
        assert (result.exit_code, result.stdout) == (0, "equal\n")
        name, _, body = written.partition("=")
        turned = body.translate({ord("+"): "-", ord("-"): "+"})
        for wrong in (f"-({body})", turned):
            formula.write_text(f"{name}={wrong}", encoding="utf-8")
            result = run("compare", model, formula, *asked, "--json")
            assert result.exit_code == 1
            assert json.loads(result.stdout)["verdict"] != "equal"


@pytest.mark.parametrize("seed", range(6))
def test_symbols_of_a_file_are_known_to_compare(tmp_path: Path, seed: int) -> None:
    """k_up(2) by hand in the symbols, of H = [[a eps, b V], [b V, -a eps]] and S = diag(p, q)."""
    rng = random.Random(seed)
    a, b = (Fraction(rng.randint(1, 9), rng.randint(1, 5)) for _ in range(2))
    p, q = rng.sample(range(-3, 4), 2)
    text = TILTED_FILE.replace("eps/2", f"{a}*eps").replace("Delta/2", f"{b}*Delta")
    text = text.replace('[["1/2", 0], [0, "-1/2"]]', f"[[{p}, 0], [0, {q}]]")
    model, formula = tmp_path / "model.toml", tmp_path / "formula.txt"
    model.write_text(text, encoding="utf-8")
    above = f"Ĉ(-ω0) * {(p - q) ** 2} * ({b})^2 Delta^2"
    right = f"{above}/(4 (({a})^2 eps^2 + ({b})^2 Delta^2))"
    asked = ("--quantity", "k_up", "--order", 2)
    for written, code in ((right, 0), (right.replace("eps^2 +", "eps^2 -"), 1)):
        formula.write_text(written, encoding="utf-8")
        result = run("compare", model, formula, *asked)
        assert result.exit_code == code, result.output
    formula.write_text(f"{above}/ω0^2", encoding="utf-8")
    assert run("compare", model, formula, *asked, "--set", f"eps={seed}").exit_code == 0
    refused(run("compare", model, formula, *asked, "--set", "delta=1"), 2, "delta")


@pytest.mark.parametrize(
    ("system", "names"),
    [
        ({"hamiltonian": [["eps/2", "x+I*y"], ["x-I*y", "-eps/2"]]}, "c eps f g h s x x2 y z"),
        ({"hamiltonian": [["eps/2", 3], [3, "-eps/2"]]}, "c eps g s x z"),
        ({"hamiltonian": [[5, 3], [3, 1]]}, "c g s x z"),
        ({"hamiltonian": [["e1", "V"], ["V", "e2"]]}, "V c e1 e2 g s x z"),
        ({"hamiltonian": [["e1", "T"], ["T", "e2"]]}, "c g s x z"),
        ({"energies": ["-E/2", "E/2"]}, "E g"),
        ({"energies": [0, "w0"]}, "g"),
    ],
)
def test_names_of_two_levels(system: Any, names: str) -> None:
    """Every model knows its own formulas, and squares keep signs apart."""
    coupling = ps.Coupling([["1/2", "g"], ["g", "-1/2"]], "B")
    derived = ps.derive(ps.Model(**system, couplings=[coupling]))
    assert " ".join(derived.dictionary.elements) == names
    trial = Trial(derived.dictionary, "", 1)
    if "c" in trial.elements:
        assert trial.elements["c"] ** 2 + trial.elements["s"] ** 2 == pytest.approx(1)
    for order, quantity in itertools.product((2, 4), ("k_up", "inv_T2", "frequency_shift")):
        result = derived[quantity][order]
        assert result.compare(result.latex())
        assert derived.compare(quantity, order, result.text)
        head, _, body = result.text.partition("=")
        assert not ps.compare(result, f"{head}= 2 ({body})")


def test_derived_models_compare() -> None:
    derived = ps.derive(ps.load(DIMER))
    second = "[Ĉ_a(-ω0) + Ĉ_b(-ω0)] g^2 V^2/(eps^2 + 4 V^2)"
    assert derived.compare("k_up", 2, second)
    assert derived.compare("k_up", 2, "2 n(ω0) [J_a(ω0) + J_b(ω0)] V^2 g^2/ω0^2")
    assert derived.k_up[2].compare(second)
    assert not derived.compare("k_up", 2, "-" + second)
    opposite = derived.compare("k_up", 2, "-[Ĉ_a(-ω0) + Ĉ_b(-ω0)] g^2 V^2/ω0^2")
    assert opposite.factor == "-1"
    assert derived.compare("k_up", 2, "0", limit="zero-temperature")
    constant = derived.equilibrium_constant[2]
    assert derived.compare("equilibrium_constant", 2, constant.latex())
    with pytest.raises(ValueError, match="speed"):
        derived.compare("speed", 2, "0")
    with pytest.raises(FormulaError, match="known are"):
        derived.compare("k_up", 2, "kappa")
    with pytest.raises(ValueError, match="order"):
        derived.compare("k_up", 3, "0")


def test_blocks_of_more_levels_have_unit_circles() -> None:
    model = ps.Model(
        hamiltonian=[["eps/2", "V", 0], ["V", "-eps/2", 0], [0, 0, "E"]],
        couplings=[ps.Coupling([[1, 0, 0], [0, 0, "g"], [0, "g", 0]], "B")],
    )
    derived = ps.derive(model)
    dictionary = derived.dictionary
    assert set(dictionary.squares.values()) == {"1 - s^2", "1 - v^2"}
    result = derived.k[1, 0][2]
    assert result.compare(result.latex())
    assert result.compare(f"{result.text} + (u^2 + v^2 - 1) Ĉ(ω1)")


def test_numbers_whose_squares_add_up_to_one_are_no_unit_circle() -> None:
    """Elements 4/5 and 3/5 are what they are, not a cosine and a sine."""
    bath = ps.Bath("b", "boson", 1.4, ps.DrudeLorentz(0.05, 2.0))
    coupling = ps.Coupling([["1/10", "4/5"], ["4/5", "3/5"]], "b")
    derived = ps.derive(ps.Model(energies=[0, 1], couplings=[coupling], baths=[bath]))
    assert not derived.dictionary.squares
    found = derived.compare("k_up", 2, "2 J_b(w0) n(w0)")
    assert not found
    assert found.factor == r"\frac{25}{16}"
    assert derived.compare("k_up", 2, "x^2 Ĉ_b(-w0)")


def test_numbers_for_names_are_told_the_values(tmp_path: Path) -> None:
    """Elements without a rational value are compared as symbols: the answer says what they are."""
    text = TILTED_FILE.replace("eps/2", "0.3").replace("Delta/2", "0.41")
    model, formula = tmp_path / "model.toml", tmp_path / "formula.txt"
    model.write_text(text, encoding="utf-8")
    asked = ("compare", model, formula, "--quantity", "k_up", "--order", 2)
    formula.write_text("0.16 Ĉ(-ω0)", encoding="utf-8")
    result = run(*asked)
    assert result.exit_code == 1
    assert result.stdout.endswith("for all values of the names; the model has s = 0.8070303257\n")
    formula.write_text("(1/4) s^2 Ĉ(-ω0)", encoding="utf-8")
    assert (run(*asked).exit_code, run(*asked).stdout) == (0, "equal\n")
