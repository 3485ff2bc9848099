"""Generated code, notation and Python interface of systems with symbolic matrix elements."""

from __future__ import annotations

import ast
import inspect
import math
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

import pertsym as ps
from derivations.biased_two_level import script as biased_two_level
from derivations.biased_two_level.checks import EQUATIONS, rational_results
from derivations.three_levels_two_baths import script as three_levels_two_baths
from derivations.three_levels_two_baths.script import GENERATOR as THREE
from generated.biased_two_level import exponential_bath
from generated.biased_two_level import rates as biased
from generated.three_levels_two_baths import rates as three
from pertsym.baths.balls import as_mpf, rational
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Ohmic
from pertsym.baths.divergence import Divergent
from pertsym.certify.element_routes import by_residues, drawn, exponential_spectra, recursion
from pertsym.codegen.emit import emit
from pertsym.codegen.module import FunctionSpec, render_module
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra
from pertsym.present.elements import element_symbol, polynomial_markup, strengths_markup
from pertsym.present.latex import form_latex
from pertsym.present.mathml import mathml
from pertsym.present.quantities import symbol
from pertsym.present.records import form_record, integrand_record
from pertsym.present.symbolic import form_expression
from pertsym.present.text import form_lines
from pertsym.reduction.elements import with_elements
from pertsym.reduction.spectral import SpectralIntegral, Value, monomial
from tests.form_records import form_from_record

ONE = Gaussian(1)
SPECTRUM = monomial(ONE, Value("C", "B", 0, (1,)))
NUMBERS = {"c": 0.125, "d": -0.375, "x": 0.75}
BIASED_SPECS = {spec.name: spec for spec in biased_two_level.PAPER.modules["rates.py"]()}
THREE_SPECS = {spec.name: spec for spec in three_levels_two_baths.PAPER.modules["rates.py"]()}


# ---------------------------------------------------------------------------------------------
# Generated functions


def test_every_form_has_its_function() -> None:
    assert biased.__all__ == list(BIASED_SPECS)
    assert three.__all__ == list(THREE_SPECS)


@pytest.mark.parametrize(
    ("module", "specs", "interaction", "seed"),
    [
        (biased, BIASED_SPECS, EQUATIONS.interaction, 21),
        (three, THREE_SPECS, THREE.interaction, 22),
    ],
)
def test_generated_functions_at_any_precision(
    module: Any, specs: Any, interaction: Any, seed: int
) -> None:
    """Random exponents: the same numbers as the forms, to thirty digits."""
    numbers = drawn(interaction, seed)
    spectra = exponential_spectra(numbers.baths, 40)
    with mpmath.workdps(40), spectra.precision():
        frequencies = [rational(w) for w in numbers.frequencies]
        elements = {name: rational(v) for name, v in numbers.strengths.items()}
        for name, spec in specs.items():
            found = getattr(module, name)(*frequencies, spectra, **elements)
            found = as_mpf(Bounded.of(found).value)
            wanted = by_residues(spec.form, numbers, 30)
            assert abs(found - wanted) < mpmath.mpf(10) ** -30


def test_generated_rates_against_the_recursion() -> None:
    numbers = drawn(THREE.interaction, 23)
    matrix = recursion(THREE.interaction, numbers, 4)[4]
    spectra = exponential_spectra(numbers.baths, 20)
    with spectra.precision():
        w1, w2 = map(rational, numbers.frequencies)
        strengths = {name: rational(v) for name, v in numbers.strengths.items()}
        for a, b in ((1, 0), (2, 0), (2, 1), (0, 2)):
            found = getattr(three, f"k_{a}{b}_4")(w1, w2, spectra, **strengths)
            assert abs(float(found.value) - matrix[4 * a, 4 * b]) < 1e-12 * abs(matrix).max()


@pytest.mark.parametrize(
    "name", ["k_up_4", "inv_T2_4", "k_up_eliminated_4", "inv_T2_eliminated_4", "im_R_1000_4"]
)
@pytest.mark.parametrize(
    ("density", "beta"),
    [(DrudeLorentz(0.0625, 1.25), 1.0), (Ohmic(0.0625, 1.5, 1.0), 0.75)],
)
def test_generated_functions_at_thermal_baths(name: str, density: Any, beta: float) -> None:
    """The Ohmic bath has a kink at w = 0, where a double pole sits."""
    spectra = DoubleSpectra({"B": ((1, Correlation(density, "boson", beta)),)})
    found = getattr(biased, name)(1.125, spectra, **NUMBERS)
    wanted = evaluate(BIASED_SPECS[name].form, (1.125,), spectra, None, NUMBERS)
    assert abs(found.value - wanted.value) <= found.error + wanted.error
    assert 0 < found.error < 1e-12


def test_generated_functions_take_arrays() -> None:
    spectra = DoubleSpectra({"B": ((1, Correlation(DrudeLorentz(0.0625, 1.25), "boson", 1.0)),)})
    bias = np.array([-0.5, 0.0, 0.5])
    found = biased.k_up_4(1.125, spectra, c=0.0, d=bias, x=0.75)
    assert found.value.shape == (3,)
    # without a displacement only d^2 occurs
    assert found.value[0] == pytest.approx(found.value[2], rel=1e-13)
    unbiased = biased.k_up_4(1.125, spectra, c=0.3, d=0.0, x=0.75)
    assert found.value[1] == pytest.approx(unbiased.value, rel=1e-13)


def test_a_zero_temperature_ohmic_bath_has_no_shift_slope() -> None:
    """At T = 0 an Ohmic Ĉ has a kink at 0; interference leaves the rates finite all the same."""
    spectra = DoubleSpectra({"B": ((1, Correlation(Ohmic(0.0625, 1.5, 1.0), "boson", math.inf)),)})
    with pytest.raises(Divergent):
        spectra.transform("B", 0.0, 1)
    with pytest.raises(Divergent):  # a single P'(0), with nothing to cancel it
        evaluate(monomial(ONE, Value("P", "B", 1, (0,))), (1.125,), spectra)
    found = biased.k_down_4(1.125, spectra, **NUMBERS)
    assert math.isfinite(found.value)
    assert found.error < 1e-12


def test_rational_functions_of_a_classical_field() -> None:
    at = {"Delta": 0.5, "lam": 1.25, "w0": 0.75, "d": -0.25, "x": 0.5}
    renamed = {"lam": "lambda", "w0": "omega_0"}
    expressions = {function.name: function.expression for function in rational_results()}
    for name in ("inv_T1", "inv_T2_prime"):
        expression = expressions[f"{name}_4"]
        values = {
            s: at[{v: k for k, v in renamed.items()}.get(str(s), str(s))]
            for s in expression.free_symbols
        }
        wanted = float(expression.subs(values))
        assert getattr(exponential_bath, f"{name}_4")(**at) == pytest.approx(wanted, rel=1e-13)


def test_arguments_of_generated_functions() -> None:
    two = with_elements(SPECTRUM, ("x",)) + SPECTRUM
    source = render_module("s", "T.", [FunctionSpec("f", two, "A.", "", "", "")])
    ast.parse(source)
    assert "w0: Any, spectra: Any, *, x: Any" in source
    assert "`x`, real matrix elements" in source
    plain = render_module("s", "T.", [FunctionSpec("f", SPECTRUM, "A.", "", "", "")])
    assert "def f(w0: Any, spectra: Any) -> Any:" in plain
    assert "matrix elements" not in plain
    crossed = monomial(ONE, SpectralIntegral("CP", "B", "B", -1, (1,), (1,), 1))
    mixed = render_module("s", "T.", [FunctionSpec("f", crossed, "A.", "", "", "")])
    assert "are known to pertsym's alone" in mixed
    assert "pertsym's alone" not in plain
    assert not any("import pertsym" in text or "from pertsym" in text for text in (source, mixed))


@pytest.mark.parametrize("name", ["w0", "pi", "spectra", "lambda", "C_B_pw0", "two words"])
def test_names_that_would_break_the_code(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a matrix element"):
        emit(with_elements(SPECTRUM, (name,)), ("w0",))


@pytest.mark.parametrize("name", ["k_up_4", "inv_T1_4", "re_R_1000_4"])
def test_operation_counts_with_elements(name: str) -> None:
    body = emit(BIASED_SPECS[name].form, ("w0",))
    tree = ast.walk(ast.parse("(" + " + ".join(body.pieces) + ")"))
    counted = sum(isinstance(node, (ast.BinOp, ast.Call)) for node in tree)
    assert body.operations == counted + len(body.assignments)
    assert body.uses_mixed == any("regular" in request for _, request in body.assignments)


# ---------------------------------------------------------------------------------------------
# Notation


def test_symbols_of_elements() -> None:
    assert element_symbol("d0").latex == "d_{0}"
    assert element_symbol("eta").latex == r"\eta"
    assert element_symbol("mu12").latex == r"\mu_{12}"
    assert element_symbol("bias").latex == r"\mathrm{bias}"
    assert strengths_markup(("d", "d", "x")).text == "d² x"
    sign, product = polynomial_markup(((("a", "a"), 1), (("a", "b"), -2), (("b", "b"), 1)))  # type: ignore[arg-type]
    assert (sign, product.text) == ("+", "(a-b)²")


def test_forms_with_elements_are_written_by_monomials() -> None:
    form = EQUATIONS.series("inv_T1")[4].form
    text = "\n".join(form_lines(form, "(1/T1)(4)"))
    for monomial_text in ("c d x²", "d² x²", "x⁴"):
        assert text.count(monomial_text) == 1
    latex = form_latex(form)
    assert latex.count("{") == latex.count("}")
    assert mathml(latex, display=True).startswith("<math")
    terms = EQUATIONS.series("R_1000")[2].terms
    assert terms is not None
    assert integrand_record(terms)["terms"][0]["elements"] == ["c", "x"]


def test_records_restore_elements() -> None:
    form = EQUATIONS.series("k_up")[4].form
    assert form_from_record(form_record(form)) == form
    record = form_record(with_elements(SPECTRUM, ("x",)))
    record["terms"][0]["atoms"][1]["kind"] = "Q"
    with pytest.raises(ValueError, match="kind of an element is 'Q'"):
        form_from_record(record)


def test_sympy_knows_the_elements() -> None:
    x = sympy.Symbol("x", real=True)
    assert form_expression(with_elements(SPECTRUM, ("x", "x"))).coeff(x, 2) == form_expression(
        SPECTRUM
    )


def test_symbols_of_rates() -> None:
    assert symbol("k_20").text == "k20"
    assert symbol("k_20_eliminated").latex == r"\tilde k_{20}"
    assert symbol("inv_T2_eliminated").text == "(1/T̃2)"
    assert symbol("frequency_shift_21_eliminated").latex == r"\Delta\tilde\omega_{21}"


# ---------------------------------------------------------------------------------------------
# Python interface

TILTED = ps.derive([([["d0", "x"], ["x", "d1"]], "B")])
BATH = ps.Bath("B", "boson", 1.0, DrudeLorentz(0.0625, 1.25))


def test_a_generator_shows_its_elements() -> None:
    assert repr(TILTED.k_10[2]) == "k10(2) = x² Ĉ_B(-ω0)"
    assert repr(TILTED[1, 0, 1, 0][2].imaginary).startswith("Im R1010(2) = (1/2π) x²")
    assert TILTED.R_1010[2].imaginary.latex().startswith(r"\mathrm{Im}")
    assert "d0, d1, x" in repr(TILTED)
    assert {"k_10", "k_01_eliminated", "R_0110", "at"} <= set(dir(TILTED))
    assert not hasattr(TILTED, "_private")
    with pytest.raises(AttributeError, match="'R_10' is unknown"):
        _ = TILTED.R_10
    with pytest.raises(ValueError, match="k_10_eliminated: is no sum of time-domain terms"):
        _ = TILTED.k_10_eliminated[4].terms
    assert [step.key for step in TILTED.k_10_eliminated[4].steps][-2:] == [
        "wick",
        "spectral",
    ]
    assert TILTED.nonzero(2)


def test_functions_and_arrays_agree() -> None:
    values = {"d0": 0.25, "d1": -0.5, "x": 0.75}
    numbers = TILTED.at(w0=1.125, B=BATH, **values)
    for part, name in ((TILTED.k_10[4], (3, 0)), (TILTED.R_1010[4].imaginary, (2, 2))):
        function = part.function(B=BATH.density)
        value, error = function(w0=1.125, beta=1.0, **values)
        number = numbers.matrix[4][name]
        wanted = number.imag if name == (2, 2) else number.real
        assert abs(value - wanted) < error + 1e-9 * abs(numbers.matrix[4]).max()
    with pytest.raises(TypeError, match="x"):
        function(1.125, 1.0, d0=0.0, d1=0.0)
    with pytest.raises(ValueError, match="w0: the level splitting must be positive"):
        function(-1.0, 1.0, **values)


def test_three_levels_take_two_frequencies() -> None:
    equations = ps.derive(THREE.interaction)
    function = equations.k_20[4].function(X=DrudeLorentz(0.0625, 1.25), Y=Ohmic(0.03, 2.0, 3.0))
    found = function(0.875, 2.125, 1.0, x=0.5, y=0.25)
    double = function(0.875, 2.125, beta=1.0, x=1.0, y=0.25)
    assert double.value == pytest.approx(4 * found.value)


def test_a_numerical_model_has_its_numbers() -> None:
    coupling = ps.Coupling.of([[0.25, 0.75], [0.75, -0.5]], "B")
    model = ps.Model.of([0.0, 1.125], [coupling], [BATH])
    given = ps.derive(model).at()
    symbolic = TILTED.at(w0=1.125, B=BATH, d0=0.25, d1=-0.5, x=0.75)
    for order in (0, 2):
        np.testing.assert_array_equal(given.matrix[order], symbolic.matrix[order])
    with pytest.raises(TypeError, match="unknown: w0"):
        ps.derive(model).at(w0=1.0)
    with pytest.raises(TypeError, match="give a value for x, a Bath for B"):
        TILTED.at(w0=1.0, d0=0.1, d1=0.2)
    with pytest.raises(TypeError, match="Hermitian couplings to independent baths"):
        ps.derive(ps.laird()).at(w0=1.0, B=BATH)


def test_bloch_equations_with_symbols() -> None:
    equations = ps.bloch([([["d0", "x"], ["x", "d1"]], "B"), ps.Coupling.of(ps.sigma_y, "Y")])
    assert equations.inv_T1[2].function(B=BATH.density, Y=None)(1.125, 1.0, x=0.75).value > 0
    assert equations.interaction.symbols == ("d0", "d1", "x")
    wanted = symbolic_interaction(2, [([["d0", "x"], ["x", "d1"]], "B"), (ps.sigma_y, "Y")])
    assert equations.interaction == wanted
    with pytest.raises(ValueError, match="there is no coupling"):
        ps.bloch([])


# ---------------------------------------------------------------------------------------------
# Derivations


@pytest.mark.parametrize("script", [biased_two_level, three_levels_two_baths])
def test_derivations_at_second_order(script: Any) -> None:
    steps = list(script.narrate(2))
    assert len({step.key for step in steps}) == len(steps)
    assert all(step.formulas and step.text for step in steps)
    tags = {claim.check for claim in script.PAPER.claims()} - {""}
    assert tags <= set(script.PAPER.checks)


@pytest.mark.parametrize(
    "check", ["interference", "pure_dephasing", "laird_limit", "displacement", "detailed_balance"]
)
def test_symbolic_claims_of_the_biased_system(check: str) -> None:
    evidence = biased_two_level.PAPER.checks[check](15)
    assert evidence.status == "proved", evidence.detail


@pytest.mark.parametrize("check", ["spectator", "paths_between_baths", "equilibrium"])
def test_symbolic_claims_of_three_levels(check: str) -> None:
    evidence = three_levels_two_baths.CHECKS[check](15)
    assert evidence.status == "proved", evidence.detail


def test_a_formula_at_a_resonance_is_refused_and_named() -> None:
    """An equidistant ladder: 1/(2 w1 - w2) of the general formula has a limit there."""
    ladder = ps.derive([([[0, "x", 0], ["x", 0, "y"], [0, "y", 0]], "A")])
    rate = ladder.k_10[4].function(A=ps.Ohmic(0.1, 1.0, 3))
    for w2 in (1.6, np.array([1.5, 1.6])):
        with pytest.raises(ValueError, match=r"2\*w1 -1\*w2, which is zero here; ask `.at"):
            rate(w1=0.8, w2=w2, beta=1, x=0.4, y=0.3)
    assert str(inspect.signature(rate)) == "(w1, w2, beta=None, *, x, y)"
