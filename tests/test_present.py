"""LaTeX, text, JSON and SymPy views say what the value says: each is read back and evaluated."""

from __future__ import annotations

import cmath
import json
import math
import os
import pickle
import re
import subprocess
import sys
from fractions import Fraction
from random import Random

import pytest
import sympy

import pertsym as ps
from pertsym.exact import Gaussian
from pertsym.expansion.paths import generator_element
from pertsym.present import symbolic
from pertsym.present.display import shown
from pertsym.present.latex import form_latex, integrand_latex
from pertsym.present.metrics import rendered_width
from pertsym.present.rational import rational_latex
from pertsym.present.records import form_record, integrand_record
from pertsym.present.text import form_lines, integrand_lines
from pertsym.reduction.arc_length_reduction import reduce_imaginary, reduce_real
from tests.form_records import form_from_record
from tests.latex_reader import (
    BETA,
    FORMS,
    FREQUENCIES,
    INTEGRANDS,
    K_UP,
    K_UP_FORM,
    LAIRD,
    POINT,
    Reader,
    close,
    correlation,
    direct_form,
    direct_integrand,
    spectral,
    tau,
)


@pytest.mark.parametrize("key", FORMS)
@pytest.mark.parametrize("width", [30, 80, 500])
def test_latex_of_a_form_reads_back_as_its_value(key: str, width: int) -> None:
    form = FORMS[key]
    assert close(Reader(form_latex(form, width=width)).read(), direct_form(form))


@pytest.mark.parametrize("key", INTEGRANDS)
@pytest.mark.parametrize("explicit", [False, True])
def test_latex_of_an_integrand_reads_back_as_its_value(key: str, explicit: bool) -> None:
    integrand = INTEGRANDS[key]
    source = integrand_latex(integrand, explicit=explicit)
    assert close(Reader(source).read(), direct_integrand(integrand))


def test_the_reader_notices_a_changed_sign_prime_or_star() -> None:
    form, integrand = form_latex(K_UP_FORM), integrand_latex(K_UP)
    for source, old, new in (
        (form, "C_1'", "C_1"),
        (form, " - 2", " + 2"),
        (form, "2\\pi", "4\\pi"),
    ):
        assert old in source
        assert not close(Reader(source.replace(old, new, 1)).read(), direct_form(K_UP_FORM))
    for old, new in (("C_2^*", "C_2"), (r"\tau_{123}", r"\tau_{12}"), ("e^{-i", "e^{i")):
        assert old in integrand
        changed = Reader(integrand.replace(old, new, 1)).read()
        assert not close(changed, direct_integrand(K_UP))


@pytest.mark.parametrize("source", [
    *(form_latex(form, r"k_{10}^{(4)}") for form in FORMS.values()),
    *(integrand_latex(terms, "R") for terms in INTEGRANDS.values()),
])  # fmt: skip
def test_latex_lines_balance_their_braces_and_keep_the_width(source: str) -> None:
    body = source.removeprefix("\\begin{aligned}\n").removesuffix("\n\\end{aligned}")
    plain = source.replace(r"\{", "").replace(r"\}", "")
    for opening, closing in ((r"\bigl", r"\bigr"), (r"\biggl", r"\biggr"), ("(", ")")):
        assert plain.count(opening) == plain.count(closing)
    for line in body.split("\\\\\n"):
        bare = line.replace(r"\{", "").replace(r"\}", "")
        assert bare.count("{") == bare.count("}")
        assert "&" in line or line == source
        assert rendered_width(line) <= 84


def test_equation_91_is_written_like_a_theorist_writes_it() -> None:
    assert form_lines(K_UP_FORM, "k_up(4)", width=200) == (
        "k_up(4) = (1/2π){ (Ĉ2(-ω0)/ω0)[P2(ω0) - P2(-ω0)] + Ĉ1'(-ω0)[P1(ω0) - P1(-ω0)]"
        " + P1'(-ω0)[Ĉ1(ω0) - Ĉ1(-ω0)] - 2Ĉ1(-ω0) P1'(ω0) }",
    )


def test_one_integral_sign_for_shared_spectra() -> None:
    form = reduce_real(generator_element(LAIRD, 4, (1, 0, 0, 1)))
    assert len(form.integrals) == 4
    assert form_latex(form).count(r"\int") == 1
    assert "FP" in form_latex(form)


def test_squares_and_products_of_brackets_are_found() -> None:
    text = " ".join(form_lines(FORMS["4:(1, 0, 1, 0)"], width=1000))
    assert "[Ĉ2(ω0) - Ĉ2(-ω0)]²" in text
    assert "[P1(ω0) - P1(-ω0)][P1'(ω0) + P1'(-ω0)]" in text


def test_ten_terms_as_text() -> None:
    assert integrand_lines(K_UP) == (
        "-2 Re  C2*(τ123) C2(τ2) e^{-iω0(τ1-τ3)}",
        "-2 Re  C2*(τ123) C2*(τ2) e^{-iω0(τ1-τ3)}",
        "-2 Re  C2(τ12) C2(τ23) e^{-iω0(τ1+τ3)}",
        "-2 Re  C2*(τ12) C2(τ23) e^{-iω0(τ1+τ3)}",
        "-2 Re  C1(τ123) C1(τ2) e^{-iω0(τ1+τ3)}",
        "+2 Re  C1*(τ123) C1*(τ2) e^{-iω0(τ1+τ3)}",
        "+2 Re  C1(τ12) C1(τ23) e^{-iω0(τ1+2τ2+τ3)}",
        "+2 Re  C1*(τ12) C1(τ23) e^{-iω0(τ1+2τ2+τ3)}",
        "+2 Re  C1(τ123) C1(τ2) e^{-iω0(τ1+2τ2+τ3)}",
        "+2 Re  C1*(τ123) C1(τ2) e^{-iω0(τ1+2τ2+τ3)}",
    )


@pytest.mark.parametrize("width", [60, 100])
def test_text_keeps_the_columns(width: int) -> None:
    for form in FORMS.values():
        if not any(len(m.atoms) > 2 for m, _ in form):  # a product of three is one piece
            assert max(map(len, form_lines(form, "K", width=width))) <= width
    for terms in INTEGRANDS.values():
        assert max(map(len, integrand_lines(terms, explicit=True, width=width))) <= width


def test_record_of_the_ten_terms_follows_the_contract() -> None:
    record = json.loads(json.dumps(integrand_record(K_UP)))
    assert set(record) == {"terms"}
    assert len(record["terms"]) == 10
    assert record["terms"][0] == {
        "coefficient": -2,
        "factors": [["C2*", "123"], ["C2", "2"]],
        "phase": [1, 0, -1],
    }
    total = 0j
    for term in record["terms"]:
        product = complex(term["coefficient"])
        for name, gaps in term["factors"]:
            value = correlation(name.removesuffix("*"), math.fsum(tau(int(k)) for k in gaps))
            product *= value.conjugate() if name.endswith("*") else value
        angle = sum(n * tau(k) for k, n in enumerate(term["phase"], start=1))
        total += product * cmath.exp(-1j * FREQUENCIES[1][0] * angle)
    assert close(total, direct_integrand(K_UP))


def test_records_of_complex_and_many_level_integrands() -> None:
    record = integrand_record(INTEGRANDS["complex"])
    assert record["real_part"] is False
    assert {tuple(t["coefficient"]) for t in record["terms"]} == {(1, -0.5)}
    assert all(
        isinstance(x, list)
        for x in integrand_record(INTEGRANDS["three levels"])["terms"][0]["phase"]
    )
    half = integrand_record(
        generator_element(LAIRD, 2, (1, 0, 1, 0)).scaled(Gaussian(Fraction(1, 2)))
    )
    assert half["terms"][0]["coefficient"] == -0.5


@pytest.mark.parametrize("key", FORMS)
def test_form_record_round_trip(key: str) -> None:
    assert form_from_record(json.loads(json.dumps(form_record(FORMS[key])))) == FORMS[key]


def test_form_record_errors_name_the_place() -> None:
    record = json.loads(json.dumps(form_record(K_UP_FORM)))
    with pytest.raises(ValueError, match="version 2"):
        form_from_record({**record, "version": 2})
    del record["terms"][3]["atoms"][1]["derivative"]
    with pytest.raises(ValueError, match=r"terms\[3\]: key 'derivative' is missing"):
        form_from_record(record)
    record["terms"][3]["atoms"][1] = {"type": "value", "kind": "Q"}
    with pytest.raises(ValueError, match=r"terms\[3\]: kind of a value is 'Q'"):
        form_from_record(record)
    record["terms"][3]["coefficient"] = ["import os", "0"]
    with pytest.raises(ValueError, match=r"terms\[3\]"):
        form_from_record(record)


def _sympy_value(expression: sympy.Expr) -> complex:
    numbers = dict(zip(symbolic.transition_symbols(1), FREQUENCIES[1], strict=True))
    numbers |= dict(zip(symbolic.transition_symbols(2), FREQUENCIES[2], strict=True))
    numbers |= {symbolic.beta: BETA}

    def finite_part(
        name: str, kind: str, other: str, r: int, shift: float, at: float, n: int
    ) -> float:
        value = spectral("C", name, 0, POINT) * spectral(
            kind[1], other, 0, float(shift + r * POINT)
        )
        return value / float(POINT - at) ** int(n)

    functions = {
        symbolic.FinitePart: finite_part,
        symbolic.Spectrum: lambda name, w, m: spectral("C", name, int(m), float(w)),
        symbolic.PrincipalTransform: lambda name, w, m: spectral("P", name, int(m), float(w)),
    }
    return complex(symbolic.evaluated(expression, functions, numbers))


@pytest.mark.parametrize("key", FORMS)
def test_sympy_view_of_a_form_has_its_value(key: str) -> None:
    value = _sympy_value(symbolic.form_expression(FORMS[key]))
    assert close(value, direct_form(FORMS[key]))


def test_sympy_functions_differentiate_by_index_and_print() -> None:
    w = symbolic.w0
    value = symbolic.PrincipalTransform("C1", -2 * w)
    assert sympy.diff(value**2, w) == -4 * value * symbolic.PrincipalTransform("C1", -2 * w, 1)
    assert sympy.latex(symbolic.Spectrum("phonons", w, 2)) == (
        r"\hat C_{\mathrm{phonons}}''\left(\omega_{0}\right)"
    )
    assert symbolic.Spectrum("C1", w).free_symbols == {w}
    assert symbolic.Spectrum("C1", w) != symbolic.Spectrum("C2", w)
    expression = symbolic.form_expression(FORMS["4:(1, 0, 0, 1)"])
    assert pickle.loads(pickle.dumps(expression)) == expression
    assert expression.diff(symbolic.beta) == 0
    with pytest.raises(ValueError, match="2 given, the expression has 1"):
        symbolic.form_expression(K_UP_FORM, [1, 2])


def test_values_show_themselves() -> None:
    view = shown(K_UP_FORM, "k_{10}", "k_up")
    assert view._repr_latex_().startswith("$$\\begin{aligned}\nk_{10} &= ")
    assert view._repr_latex_().endswith("$$")
    assert repr(view).startswith("k_up = (1/2π){")
    assert len(shown(K_UP, name="k").text) == 11
    with pytest.raises(TypeError, match="float"):
        shown(1.0)  # type: ignore[arg-type]


def test_output_does_not_depend_on_the_hash_seed() -> None:
    terms = generator_element(LAIRD, 4, (1, 0, 0, 1))
    here = f"{integrand_latex(terms)} {form_latex(reduce_imaginary(terms))}"
    code = """
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, level_energies
from pertsym.expansion.paths import generator_element
from pertsym.present.latex import form_latex, integrand_latex
from pertsym.reduction.arc_length_reduction import reduce_imaginary
up, down = ((1, 0, Gaussian(1)),), ((0, 1, Gaussian(1)),)
names = {(0, 0): "C2", (1, 1): "C2", (0, 1): "C1", (1, 0): "C1"}
laird = Interaction(level_energies(2), (up, down), (1, 0), names)
terms = generator_element(laird, 4, (1, 0, 0, 1))
print(integrand_latex(terms), form_latex(reduce_imaginary(terms)), end="")
"""
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        check=True,
        text=True,
    )
    assert run.stdout == here


def test_a_long_factor_is_not_called_like_a_variable() -> None:
    x, p, q = sympy.symbols("x p q")
    for factor, name in ((x, "p"), (p, "q"), (p + q, "f")):
        text = rational_latex("a", x * (1 + x + x**2 + x**3 + factor * x**4 + factor) / 7)
        assert rf" \\ {name} &= " in text


@pytest.mark.parametrize("seed", range(6))
def test_a_sign_before_a_long_factor_goes_into_it(seed: int) -> None:
    x, y = sympy.symbols("x y")
    random = Random(seed)
    number, *signs = (random.choice((-1, 1)) * random.randint(2, 9) for _ in range(5))
    long = sum(sign * x**n for n, sign in enumerate(signs)) + y
    text = rational_latex("a", number * y * long / (1 + y**2))
    head, _, spelt = text.partition(r" \\ ")
    spelt = spelt.partition("&= ")[2].partition(r" \end")[0]
    assert not ("&= -" in head and spelt.startswith("-")), text
    shown = sympy.sympify(re.sub(r"(\d) x", r"\1*x", spelt).translate(str.maketrans("{}", "()")))
    assert sympy.expand(shown * (-1 if "&= -" in head else 1) * abs(number) - number * long) == 0


def test_decimals_leave_no_huge_numbers() -> None:
    model = ps.Model(
        hamiltonian=[[0, 0.4], [0.4, 0.7]], couplings=[ps.Coupling([[1, 0], [0, 0]], "left")]
    )
    text = str(ps.derive(model).k_up[4])
    assert not re.search(r"\d{30}|e[-+]\d\d", text)
    assert "[P_left(ω0)" in text
