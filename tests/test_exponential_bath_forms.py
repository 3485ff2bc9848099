"""Exact rational generators of exponential baths, and detailed balance at sixth order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations.detailed_balance_sixth_order.script import (
    BATH,
    BIASED,
    OFF_DIAGONAL,
    gaussian_spectrum,
)
from derivations.exponential_bath import checks as checks
from derivations.exponential_bath import script as script
from derivations.exponential_bath.checks import (
    FIELD_ALONG_X,
    ISOTROPIC_FIELD,
    MODELS,
    NOISE,
    TILTED_FIELD,
    NoiseModel,
)
from generated.exponential_bath import fields
from generated.exponential_bath import tilted_field as tilted
from pertsym.algebra.linear_fractions import LinearFraction, Ring
from pertsym.baths.densities import ExpressionDensity
from pertsym.baths.exponentials import Exponentials
from pertsym.certify.detailed_balance import (
    TwoLevels,
    constants_from_generator,
    constants_from_imaginary_time,
)
from pertsym.certify.ledger import rows_from
from pertsym.certify.slow_eigenvalues import (
    COHERENCE,
    DIFFERENCE,
    residual,
    slow_eigenvalue,
    slow_mode,
)
from pertsym.equations.bloch import QUANTITIES
from pertsym.equations.classical_words import classical_generator
from pertsym.equations.denominator_rule import integrate
from pertsym.equations.exact_rates import ExactRates
from pertsym.equations.exponential_bath import Decay, ExponentialBath, exact_generator
from pertsym.equations.models import independent_baths
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, level_energies
from pertsym.expansion.paths import generator_element
from pertsym.expressions.expression import parse_expression
from pertsym.generators.bloch_recursion import slow_subspace
from pertsym.generators.elimination import bloch_quantities, eliminated_quantities
from pertsym.generators.second_order import Term
from pertsym.generators.system import Correlated, System
from pertsym.generators.tcl import tcl_generator
from pertsym.model.bath import Bath
from pertsym.model.errors import NotYetDerivable
from pertsym.model.values import Coupling, Model
from pertsym.numerics.bounded import Bounded

ONE, MINUS = Gaussian(1), Gaussian(-1)
RING = Ring(("a", "b", "y"))
AT = {"a": Fraction(3, 7), "b": Fraction(5, 2), "y": Fraction(-4, 9)}


# --- fractions over linear forms ------------------------------------------------------------

_small = st.integers(-4, 4)


@st.composite
def _fractions(draw: st.DrawFn) -> LinearFraction:
    value = RING.number(draw(_small))
    for name in RING.names:
        value = value + RING.variable(name) * draw(_small)
    for _ in range(draw(st.integers(0, 3))):
        value = value.over((draw(st.integers(1, 3)), draw(_small), draw(_small)))
    return value


@settings(max_examples=30, deadline=None, derandomize=True)
@given(_fractions(), _fractions())
def test_fractions_compute_like_rational_numbers(f: LinearFraction, g: LinearFraction) -> None:
    x, y = f.at(AT), g.at(AT)
    for value, expected in (
        (f + g, x + y),
        (f - g, x - y),
        (f * g, x * y),
        (-f, -x),
        (RING.sum([f, g, f]), 2 * x + y),
        ((f * g).reduced(), x * y),
        (f.over((2, -4, 6)), x / (2 * AT["a"] - 4 * AT["b"] + 6 * AT["y"])),
        (f**3, x * x * x),
        (f.over((-2, 4, 6), 3), x / (-2 * AT["a"] + 4 * AT["b"] + 6 * AT["y"]) ** 3),
    ):
        assert value.at(AT) == expected
    assert f.reflected("y").at(AT | {"y": -AT["y"]}) == x
    turned = AT | {"y": Gaussian(0, AT["y"])}  # exact at Gaussian numbers too
    assert (f * g).at(turned) == f.at(turned) * g.at(turned)
    assert complex(f.at(turned)) == pytest.approx(
        complex(f.near([mpmath.mpmathify(complex(turned[name])) for name in RING.names]))
    )
    assert (f - g).reduced().equals(f - g)


def test_reduced_fractions_have_no_common_factor() -> None:
    a, b = RING.variable("a"), RING.variable("b")
    value = ((a + b) * (a - b)).over((1, 1, 0), 2).over((0, 2, 0)).reduced()
    assert value.below == (((0, 1, 0), 1), ((1, 1, 0), 1))
    assert value.equals((a - b).over((0, 2, 0)).over((1, 1, 0)))
    assert not value.equals(a - b)


def test_nothing_is_divided_by_a_zero_form() -> None:
    with pytest.raises(ZeroDivisionError, match="every coefficient is zero"):
        RING.number(1).over((0, 0, 0))
    with pytest.raises(ValueError, match="no variable of a, b, y"):
        RING.variable("c")


# --- routes to the generator ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "order"),
    [(model, order) for model in MODELS for order in (2, 4, 6)]
    + [(FIELD_ALONG_X, 8), (ISOTROPIC_FIELD, 8)],
    ids=lambda x: x.name if isinstance(x, NoiseModel) else str(x),
)
def test_recursion_equals_the_sum_over_all_words(model: NoiseModel, order: int) -> None:
    words = classical_generator(model.interaction, model.decay, order)
    recursion = model.rates.generators[order]
    assert words.keys() == recursion.keys()
    assert words
    assert all(words[element].equals(recursion[element]) for element in words)


def test_words_see_which_operators_are_correlated() -> None:
    """The isotropic field is not the field along x with fewer elements."""
    x, isotropic = (m.rates.element(4, (0, 0, 0, 0)) for m in (FIELD_ALONG_X, ISOTROPIC_FIELD))
    assert not x.equals(isotropic)


def _numeric(value: LinearFraction, point: Mapping[str, complex]) -> complex:
    names, total = value.ring.names, 0j
    for exponents, coefficient in value.numerator.to_dict().items():
        term = complex(int(coefficient.p)) / int(coefficient.q)
        for name, power in zip(names, exponents, strict=True):
            term *= point[name] ** int(power)
        total += term
    for form, power in value.below:
        total /= sum(k * point[name] for k, name in zip(form, names, strict=True)) ** power
    return total


def test_three_levels_with_complex_exponents_against_the_numerical_recursion() -> None:
    zero = Gaussian()
    coupling = ((zero, ONE, zero), (ONE, Gaussian(2), MINUS), (zero, MINUS, zero))
    interaction = independent_baths(3, [(coupling, "X")])
    decays = {"X": (Decay(("c",), "nu", (("c*",), "nu*")),)}
    found = exact_generator(ExponentialBath.of(interaction, decays), 4)
    w = (0.0, 0.7, 1.9)
    c, nu = 0.3 - 0.1j, 0.9 + 0.4j
    point = {"c": c, "c*": c.conjugate(), "nu": nu, "nu*": nu.conjugate()}
    point |= {"y1": 1j * w[1], "y2": 1j * w[2]}
    system = System(
        np.subtract.outer(w, w), {"X": np.array([[complex(z) for z in row] for row in coupling])}
    )
    baths = Correlated.independent([("X", Exponentials((c,), (nu,)))])
    numeric = slow_subspace(system, baths, 4).generators
    for order in (2, 4):
        exact_matrix = np.zeros((9, 9), dtype=complex)
        for (a, b, c_, d), value in found[order].items():
            exact_matrix[3 * a + b, 3 * c_ + d] = _numeric(value, point)
        # expanded numerators cancel some digits in double precision
        assert exact_matrix == pytest.approx(numeric[order], abs=1e-10)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_eighth_order_against_the_numerical_recursion(model: NoiseModel) -> None:
    rate, delta, w0, strengths = 1.3, 0.4, 0.8, {"x": 0.35, "d": -0.2}
    point = {"lambda": rate, "Delta": delta, "y": 1j * w0, **strengths}
    x, d = (strengths["x"], strengths["d"]) if model.interaction.symbols else (delta, 0.0)
    sigma_x, split = np.array([[0, 1], [1, 0]]), np.array([[-1, 0], [0, 1]])
    operators = {"X": x * sigma_x + d * split}
    if model.name == "isotropic_field":  # two fields at right angles, each with C/2
        operators = {"X": x * sigma_x / 2**0.5, "Y": x * np.array([[0, -1j], [1j, 0]]) / 2**0.5}
    system = System(np.array([[0, -w0], [w0, 0]]), operators)
    baths = Correlated.independent(
        (name, Exponentials((1 + 0j,), (rate + 0j,))) for name in operators
    )
    numeric = slow_subspace(system, baths, 8).generators[8]
    for (a, b, c, e), value in model.rates.generators[8].items():
        found = numeric[2 * a + b, 2 * c + e]
        assert _numeric(value, point) == pytest.approx(found, abs=1e-12 * np.abs(numeric).max())


def test_single_elements_by_liouville_paths() -> None:
    """The terms as `derive` prints them; a wrong coefficient is seen."""
    model = ISOTROPIC_FIELD
    terms = generator_element(model.interaction, 6, (1, 0, 1, 0))
    value, rest = integrate(terms, model.interaction, model.decays)
    expected = model.rates.element(6, (1, 0, 1, 0))
    assert value.equals(expected)
    assert not rest
    fewer = replace(terms, terms=terms.terms[1:])
    assert not integrate(fewer, model.interaction, model.decays)[0].equals(expected)
    with pytest.raises(ValueError, match="complex terms"):
        integrate(terms.real_parts(), model.interaction, model.decays)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_slow_eigenvalues_of_the_whole_hierarchy(model: NoiseModel) -> None:
    rates = model.rates
    for start in (DIFFERENCE, COHERENCE):
        slow = slow_mode(rates.bath, start, 8)
        assert set(slow.eigenvalue) == {2, 4, 6, 8}
        assert not any(residual(rates.bath, rates.generators, slow).values())
    spoilt = dict(slow.eigenvalue)
    spoilt[8] = spoilt[8] + rates.ring.number(1)
    assert residual(rates.bath, rates.generators, slow._replace(eigenvalue=spoilt))[8]
    decay = slow_eigenvalue(rates.bath, DIFFERENCE, 8)
    for order, value in decay.items():
        up, down = (rates.eliminated(name, order) for name in ("k_up", "k_down"))
        assert value.equals(-(up + down))


# --- the rates ------------------------------------------------------------------------------


def test_lower_orders() -> None:
    evidence = checks.CHECKS["spectral_forms"](20)
    assert evidence.status == "proved", evidence.detail


@pytest.mark.parametrize("equation", ["degenerate levels", "white noise", "symmetries"])
def test_limits_and_symmetries(equation: str) -> None:
    """Their formula is decided exactly, and so is what a check adds."""
    (claim,) = (claim for claim in script.PAPER.claims() if claim.equation == equation)
    evidence = {claim.check: checks.CHECKS[claim.check](20)} if claim.check else {}
    (row,) = rows_from([claim], evidence, 20, script.PAPER.objects)
    assert (row.status, row.digits) == ("proved", None)


def test_degenerate_levels_keep_their_second_order() -> None:
    reading = checks.degenerate()
    assert not reading("K^{(4)}=0")
    assert "differ" in reading("K^{(2)}=0")


def test_white_noise_without_its_frequency_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.white_noise(20).status == "proved"
    right = checks._white
    monkeypatch.setattr(checks, "_white", lambda z, gamma: right(z, 2 * gamma))
    failed = checks.white_noise(20)
    assert failed.status == "failed"
    assert "field_along_x" in failed.detail
    assert "isotropic" not in failed.detail  # it has no shift to be wrong


def test_scaling() -> None:
    """Rates of order 2n are Delta^2n times a form of degree 1 - 2n in w0 and lambda."""
    rates = FIELD_ALONG_X.rates
    point = {"lambda": Fraction(7, 5), "Delta": Fraction(1, 3), "y": Fraction(2, 9)}
    longer = {name: 3 * value for name, value in point.items()}
    for order in (2, 4, 6, 8):
        value = rates.value("inv_T2", order)
        assert value.at(longer) == 3 * value.at(point)
        assert value.at(point | {"Delta": Fraction(2, 3)}) == 2**order * value.at(point)


def test_expressions_are_real_and_equal_the_elements() -> None:
    symbols, w0 = checks.SYMBOLS, sympy.Symbol("omega_0", positive=True)
    rates = TILTED_FIELD.rates
    values = {"lambda": Fraction(4, 3), "x": Fraction(1, 2), "d": Fraction(2, 5)}
    numbers = {symbols[k]: sympy.Rational(v.numerator, v.denominator) for k, v in values.items()}
    point = {name: complex(value) for name, value in values.items()} | {"y": 1.1j}
    generators = {}
    for order in (2, 4, 6):
        matrix = np.zeros((4, 4), dtype=complex)
        for (a, b, c, d), value in rates.generators[order].items():
            matrix[2 * a + b, 2 * c + d] = _numeric(value, point)
        generators[order] = matrix
    free = np.diag([0, 1.1j, -1.1j, 0])
    terms = {n: Term.exact(k) for n, k in {0: free, **generators}.items()}
    expected, eliminated = bloch_quantities(terms, 1.1), eliminated_quantities(terms)
    for order in (2, 4, 6):
        for name in QUANTITIES:
            value = (
                rates.expression(name, order, symbols)
                .subs(numbers)
                .subs(w0, sympy.Rational(11, 10))
            )
            whole = expected[order][name]
            assert isinstance(whole, Bounded)
            assert float(value) == pytest.approx(whole.value, rel=1e-11)
        value = rates.expression("k_up", order, symbols, eliminated=True).subs(numbers)
        found = float(value.subs(w0, sympy.Rational(11, 10)))
        other = eliminated[order]["k_up"]
        assert isinstance(other, Bounded)
        assert found == pytest.approx(other.value, rel=1e-11)


def test_generated_functions_take_fractions() -> None:
    point = {"Delta": Fraction(2, 3), "lam": Fraction(5, 4), "w0": Fraction(7, 6)}
    value = fields.isotropic_field_inv_T1_8(**point)
    assert isinstance(value, Fraction)
    rates = ISOTROPIC_FIELD.rates
    expression = rates.expression("inv_T1", 8, checks.SYMBOLS)
    names = {"Delta": "Delta", "lam": "lambda", "w0": "omega_0"}
    exact = expression.subs(
        {
            sympy.Symbol(names[k], positive=True): sympy.Rational(v.numerator, v.denominator)
            for k, v in point.items()
        }
    )
    assert Fraction(int(exact.p), int(exact.q)) == value
    assert tilted.tilted_field_k_up_eliminated_2(d=1.0, lam=2.0, w0=1.0, x=0.5) == pytest.approx(
        0.2
    )


def test_the_derivation_counts_its_terms_and_shows_every_order() -> None:
    derivation = script.PAPER.derivation(8)
    counted = derivation.step("counting").text[-1].split()
    assert counted == ["8", "105", "74", "1336", "630"]
    shown = derivation.step("tilted_field").text
    for n in (2, 4, 6, 8):
        assert any(line.startswith(f"k10({n}), coherences eliminated = ") for line in shown)
    assert script.PAPER.derivation(2).step("isotropic_field").text[0] == (
        "k10(2) = 2*Delta**2*lambda/(lambda**2 + omega_0**2)"
    )


# --- what is refused ------------------------------------------------------------------------


def test_refusals_name_what_is_wrong() -> None:
    model = FIELD_ALONG_X
    with pytest.raises(ValueError, match="positive even integer, got 5"):
        exact_generator(model.rates.bath, 5)
    with pytest.raises(ValueError, match="no exponentials for 'C1'"):
        ExponentialBath.of(model.interaction, {"other": (model.decay,)})
    complex_decay = Decay(("c",), "nu", (("c*",), "nu*"))
    with pytest.raises(ValueError, match="is real, give its exponentials without conjugates"):
        ExponentialBath.of(model.interaction, {NOISE: (complex_decay,)})
    with pytest.raises(ValueError, match="is complex; integrate the terms"):
        classical_generator(replace(model.interaction, real=frozenset()), model.decay, 2)
    with pytest.raises(NotYetDerivable, match="complex exponentials"):
        ExactRates.of(model.interaction, {NOISE: (complex_decay,)}, 2)
    i = Gaussian(0, 1)
    sigma_y = Interaction(
        level_energies(2), (((0, 1, -i), (1, 0, i)),), (0,), {(0, 0): NOISE}, frozenset({NOISE})
    )
    with pytest.raises(ValueError, match=r"operators\[0\]: element \[0, 1\] = -1i is not real"):
        ExponentialBath.of(sigma_y, model.decays)
    with pytest.raises(ValueError, match="name: 'R_1010' is not one of"):
        model.rates.expression("R_1010", 2, checks.SYMBOLS)


# --- detailed balance at sixth order --------------------------------------------------------


@pytest.mark.parametrize("system", [OFF_DIAGONAL, BIASED], ids=["off-diagonal", "biased"])
def test_steady_state_of_sixth_order_is_that_of_imaginary_time(system: TwoLevels) -> None:
    rates = constants_from_generator(system, BATH, 11)
    equilibrium = constants_from_imaginary_time(system, BATH, 11)
    for n in (0, 2, 4):
        left, right = float(rates[n].mid()), float(equilibrium[n].mid())
        assert left == pytest.approx(right, rel=1e-9), n
    hotter = constants_from_imaginary_time(system, replace(BATH, beta="1.2500001"), 11)
    assert float(hotter[4].mid()) != pytest.approx(float(rates[4].mid()), rel=1e-9)


def test_the_rates_of_the_gaussian_spectrum_by_the_fitted_exponentials() -> None:
    """The engine's own sixth order, exponents fitted to J(w): the same K(4)."""
    density = ExpressionDensity(parse_expression("0.3*exp(-w**2/2)*sinh(0.625*w)"))
    bath = Bath("b", "boson", 1.25, density)
    model = Model.of((0.0, 0.9), [Coupling.of([[0, 1], [1, 0]], "b")], [bath])
    rates = bloch_quantities(tcl_generator(model, 6).orders, 0.9)
    up, down = ([rates[n][name] for n in (2, 4, 6)] for name in ("k_up", "k_down"))
    assert all(isinstance(x, Bounded) for x in (*up, *down))
    a, b = ([x.value for x in series if isinstance(x, Bounded)] for series in (up, down))
    k0 = a[0] / b[0]
    k2 = (a[1] - k0 * b[1]) / b[0]
    k4 = (a[2] - k0 * b[2] - k2 * b[1]) / b[0]
    exact = constants_from_imaginary_time(OFF_DIAGONAL, BATH, 8)
    assert [k0, k2, k4] == pytest.approx([float(exact[n].mid()) for n in (0, 2, 4)], abs=1e-9)


def test_exponents_of_the_gaussian_spectrum() -> None:
    evidence = gaussian_spectrum(20)
    assert evidence.status == "numerical", evidence.detail
    assert evidence.digits is not None
    assert evidence.digits >= 20
