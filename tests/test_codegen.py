"""Generated code: the emitter against the evaluator, operation counts, the committed modules."""

from __future__ import annotations

import ast
import math
import re
import types
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import flint
import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from generated.laird_budimir_skinner_1991 import exponential_bath, rates
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Exponentials, Ohmic, Underdamped
from pertsym.codegen.emit import Body, emit
from pertsym.codegen.expressions import ExpressionFunction, render_expressions
from pertsym.codegen.module import FunctionSpec, render_module
from pertsym.codegen.quantities import form_function
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.models import laird
from pertsym.exact import Gaussian
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra, EnclosedSpectra
from pertsym.present.quantities import NamedForm
from pertsym.reduction.spectral import (
    ZERO_FORM,
    CannotEvaluate,
    SpectralForm,
    SpectralIntegral,
    Value,
    monomial,
)

from .test_numerics import PI, RationalSpectra, direct, forms, frequencies

BLOCH = Bloch(laird())
K = EquilibriumConstant(laird())
FORMS = {
    **{f"{name}_{n}": BLOCH.series(name)[n].form for n in (2, 4) for name in QUANTITIES},
    "K_0": K[0],
    "K_2": K[2],
}
OPERATIONS = {
    "k_up_2": 1,
    "k_down_2": 1,
    "inv_T1_2": 3,
    "inv_T2_2": 4,
    "inv_T2_prime_2": 0,
    "frequency_shift_2": 5,
    "k_up_4": 26,
    "k_down_4": 26,
    "inv_T1_4": 34,
    "inv_T2_4": 45,
    "inv_T2_prime_4": 10,
    "frequency_shift_4": 47,
    "K_0": 1,
    "K_2": 17,
}


def source(body: Body, names: Sequence[str]) -> str:
    """The body as a function of the frequencies, beta and spectra."""
    lines = [f"def emitted({', '.join(names)}, beta, spectra):", "    pi = spectra.pi"]
    lines += [f"    {name} = {request}" for name, request in body.assignments]
    return "\n".join([*lines, f"    return {' + '.join(body.pieces)}"])


def compiled(form: SpectralForm, names: Sequence[str]) -> Callable[..., Any]:
    namespace: dict[str, Any] = {"Bounded": Bounded}
    exec(source(emit(form, names), names), namespace)
    function: Callable[..., Any] = namespace["emitted"]
    return function


@given(forms(), frequencies, frequencies)
def test_emitted_code_is_the_form_exactly(form: SpectralForm, w0: Fraction, beta: Fraction) -> None:
    """In rational arithmetic nothing is rounded, so the values must be equal."""
    spectra = RationalSpectra()
    found = Bounded.of(compiled(form, ("w0",))(w0, beta, spectra)).value
    assert found == evaluate(form, (w0,), spectra, beta).value
    assert found == direct(form, [w0], beta, PI)


@given(forms(dimension=2), st.tuples(frequencies, frequencies), frequencies)
def test_several_transition_frequencies(
    form: SpectralForm, w: tuple[Fraction, Fraction], beta: Fraction
) -> None:
    found = compiled(form, ("w1", "w2"))(*w, beta, RationalSpectra())
    assert Bounded.of(found).value == direct(form, list(w), beta, PI)


@pytest.mark.parametrize("name", FORMS)
def test_operation_counts(name: str) -> None:
    """A change of the emitter that costs operations shows here, without a clock."""
    assert emit(FORMS[name], ("w0",)).operations == OPERATIONS[name]


@given(forms())
def test_the_operation_count_is_that_of_the_source(form: SpectralForm) -> None:
    """Operators and requests to the spectra, counted by Python's own parser."""
    body = emit(form, ("w0",))
    if not form:
        assert body.operations == 0
        return
    pieces = ast.walk(ast.parse(" + ".join(body.pieces)))
    counted = sum(isinstance(node, (ast.BinOp, ast.Call)) for node in pieces)
    assert body.operations == counted + len(body.assignments)


def test_a_count_in_every_docstring() -> None:
    for name, operations in OPERATIONS.items():
        assert f"\n    {operations} operations.\n" in getattr(rates, name).__doc__
    text = Path(rates.__file__).read_text(encoding="utf-8")
    assert f" {len(OPERATIONS)} functions, {sum(OPERATIONS.values())} operations." in text
    assert rates.__all__ == list(OPERATIONS)


def test_the_same_values_are_asked_for_once() -> None:
    for form in FORMS.values():
        body = emit(form, ("w0",))
        assert len({request for _, request in body.assignments}) == len(body.assignments)
        assert len({name for name, _ in body.assignments}) == len(body.assignments)
        assert body.uses_beta == (form in (K[0], K[2]))


def test_what_cannot_be_evaluated_is_not_emitted() -> None:
    spectrum = Value("C", "x", 0, (1,))
    with pytest.raises(ValueError, match="real coefficients"):
        emit(monomial(Gaussian(1, 1), spectrum), ("w0",))
    mixed = SpectralIntegral("CP", "x", "y", 1, (0,), (1,), 1)
    with pytest.raises(CannotEvaluate, match="a spectrum and a transform"):
        emit(monomial(Gaussian(1), mixed, spectrum), ("w0",))
    parallel = SpectralIntegral("CC", "x", "y", 1, (0,), (1,), 1)
    with pytest.raises(CannotEvaluate, match="two spectra"):
        emit(monomial(Gaussian(1), parallel, spectrum), ("w0",))


def test_the_digest_follows_the_content() -> None:
    def module(form: SpectralForm, summary: str = "A rate.") -> str:
        return render_module("script", "A title.", [FunctionSpec("f", form, summary, "", "", "")])

    up, down = FORMS["k_up_4"], FORMS["k_down_4"]
    assert module(up) == module(up)
    headers = {text.splitlines()[1] for text in (module(up), module(down), module(up, "Other."))}
    assert len(headers) == 3
    assert "Do not edit" in module(up).splitlines()[0]
    compile(module(ZERO_FORM), "module", "exec")


# ---------------------------------------------------------------------------------------------
# The committed modules

CALLED_WITH_BETA = ("K_0", "K_2")
W0 = np.array([0.7, 1.0, 1.9])
LAM = np.array([[0.1], [0.3]])
BETA = 0.8


def laird_spectra(lam: Any, beta: Any = BETA) -> DoubleSpectra:
    x = Correlation(DrudeLorentz(lam, 1.5), "boson", beta)
    y = Correlation(Underdamped(0.4, 2.0, 0.7), "boson", beta)
    return DoubleSpectra({"C1": ((1, x), (1, y)), "C2": ((1, x), (-1, y))})


@pytest.mark.parametrize("name", OPERATIONS)
def test_arrays_give_what_scalars_give(name: str) -> None:
    """w0 along one axis, a bath parameter along the other."""
    function = getattr(rates, name)
    extra = (BETA,) if name in CALLED_WITH_BETA else ()
    many = function(W0, *extra, laird_spectra(LAM))
    value, error = (np.broadcast_to(part, (2, 3)) for part in (many.value, many.error))
    for i, lam in enumerate(LAM[:, 0]):
        for j, w0 in enumerate(W0):
            one = function(float(w0), *extra, laird_spectra(float(lam)))
            assert np.ndim(one.value) == 0
            assert abs(value[i, j] - one.value) <= error[i, j] + one.error
            assert error[i, j] <= 1e-12


def test_arrays_of_temperatures() -> None:
    betas = np.array([0.5, 2.0])
    many = rates.K_2(1.1, betas, laird_spectra(0.1, betas))
    for k, beta in enumerate(betas):
        one = rates.K_2(1.1, float(beta), laird_spectra(0.1, float(beta)))
        assert abs(many.value[k] - one.value) <= many.error[k] + one.error


@pytest.mark.parametrize("name", ["k_up_2", "k_up_4", "inv_T2_prime_2", "K_0", "K_2"])
def test_the_same_source_serves_enclosures(name: str) -> None:
    extra = (BETA,) if name in CALLED_WITH_BETA else ()
    bath = Correlation(Ohmic(0.125, 2.0, 3.0), "boson", BETA)
    baths = {"C1": ((1, bath),), "C2": ((1, bath),)}
    double = getattr(rates, name)(1.25, *extra, DoubleSpectra(baths))
    spectra = EnclosedSpectra(baths, 20)
    with spectra.precision():
        precise = getattr(rates, name)(flint.fmpq(5, 4), *extra, spectra)
        assert precise.error <= 1e-18 * abs(flint.arb(precise.value))
        off = abs(float(double.value) - flint.arb(precise.value))
        assert off <= float(double.error) + flint.arb(precise.error)


def test_generated_functions_evaluate_the_derived_forms() -> None:
    spectra = laird_spectra(0.1)
    for name, form in FORMS.items():
        extra = (BETA,) if name in CALLED_WITH_BETA else ()
        found = getattr(rates, name)(1.2, *extra, spectra)
        derived = evaluate(form, (1.2,), spectra, BETA)
        assert abs(found.value - derived.value) <= found.error + derived.error


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize(("model", "strength"), [("E1", (1.0, 1.0)), ("E3", (0.5, 0.0))])
def test_rational_functions_equal_the_general_ones(
    model: str, strength: tuple[float, float], quantity: str, order: int
) -> None:
    """C1 = a1 Delta^2 exp(-lam |t|) and C2 = a2 Delta^2 exp(-lam |t|), Eqs. (E1), (E3)."""
    delta, lam, w0 = 0.6, 0.9, 1.3
    baths = {
        name: ((1, Correlation(Exponentials((a * delta**2,), (lam,)))),) if a else ()
        for name, a in zip(("C1", "C2"), strength, strict=True)
    }
    closed = getattr(exponential_bath, f"{model}_{quantity}_{order}")
    general = getattr(rates, f"{quantity}_{order}")(w0, DoubleSpectra(baths))
    number = closed(delta, lam, w0)
    assert abs(number - general.value) <= general.error + 1e-15 * abs(number)
    assert general.error <= 1e-11 * delta**4
    exact = closed(Fraction(3, 5), Fraction(9, 10), Fraction(13, 10))
    assert float(exact) == pytest.approx(number, rel=1e-14)
    with mpmath.workdps(40):
        digits = closed(*(mpmath.mpf(x) for x in ("0.6", "0.9", "1.3")))
        assert abs(
            digits - mpmath.mpf(Fraction(exact).numerator) / Fraction(exact).denominator
        ) <= (abs(digits) * mpmath.mpf("1e-15"))
    grid = np.broadcast_to(closed(delta, lam, np.array([w0, 2.0])), (2,))
    assert grid[0] == pytest.approx(number, rel=1e-14)
    assert grid[1] == pytest.approx(closed(delta, lam, 2.0), rel=1e-14)


def test_rational_module_is_complete() -> None:
    names = {f"{m}_{q}_{n}" for m in ("E1", "E3") for q in QUANTITIES for n in (2, 4)}
    found = {name for name in vars(exponential_bath) if name[:2] in ("E1", "E3")}
    assert found == names


def test_zero_frequency_is_requested_as_zero() -> None:
    form = monomial(Gaussian(1), Value("C", "x", 0, (0,)))
    body = emit(form, ("w0",))
    assert body.assignments == (("C_x_at_zero", 'spectra.spectrum("x", 0 * w0)'),)
    bath = Correlation(DrudeLorentz(0.1, 2.0), "boson", 0.5)
    found = compiled(form, ("w0",))(math.pi, 0.5, DoubleSpectra({"x": ((1, bath),)}))
    assert found.value == pytest.approx(0.4, rel=1e-14)


def test_modules_of_closed_expressions() -> None:
    """The printed functions are the expressions, for numbers, arrays and exact fractions."""
    x, y, t = sympy.symbols("x omega_0 t")
    quotient = ExpressionFunction("quotient", (x + y**2) / (x - 3 * y), "Q.")
    text = render_expressions("none", "Title.", "Conventions.", [quotient])
    assert "import numpy" not in text
    found = module_of_text(text).quotient(x=Fraction(1, 3), w0=Fraction(2, 7))
    assert found == Fraction(str(quotient.expression.subs({x: "1/3", y: "2/7"})))
    wave = sympy.exp(-x * t) * sympy.cos(y * t)
    damped = ExpressionFunction("damped", wave, "D.", "7", ("t", "x", "omega_0"))
    wake = ExpressionFunction("wake", wave * sympy.besselj(1, t), "J.", None, ("t", "x", "omega_0"))
    for functions, modules in (([damped], ["numpy"]), ([damped, wake], ["numpy", "scipy.special"])):
        text = render_expressions("none", "Title.", "Conventions.", functions)
        assert re.findall(r"^import (\S+)$", text, re.MULTILINE) == modules
        times = np.array([0.2, 1.7])
        for f in functions:
            values = getattr(module_of_text(text), f.name)(times, 0.4, 1.1)
            for value, at in zip(values, times.tolist(), strict=True):
                exact = f.expression.evalf(subs={t: at, x: 0.4, y: 1.1})
                assert value == pytest.approx(float(exact), rel=1e-14)
    assert "Eq. 7." in text


def module_of_text(text: str) -> Any:
    module = types.ModuleType("printed")
    exec(compile(text, "printed.py", "exec"), module.__dict__)
    return module


def test_the_equation_of_a_form_is_named_where_there_is_one() -> None:
    form = monomial(Gaussian(1), Value("C", "1", 0, (1,)))
    for equation, said in (("58", "Eq. 58"), ("", "")):
        assert form_function("k", NamedForm("", "k", form, equation), "K.").source == said
