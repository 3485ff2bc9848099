"""Generalized functions as values: pairing, products, what must raise, and how they print."""

import math
from fractions import Fraction

import numpy as np
import pytest

from pertsym.distributions import (
    RULES,
    Distribution,
    Divergent,
    NotClosed,
    PointwiseEvaluation,
    UndefinedProduct,
    delta_function,
    finite_part,
    gaussian,
    principal_value,
    regularised,
)
from pertsym.distributions.generalized import (
    Argument,
    Kind,
    collect,
    derivative,
    independent,
)
from pertsym.distributions.identities import D, P, Q, S, delta, fp, term
from pertsym.distributions.limits import X, Y
from pertsym.distributions.notation import (
    factor_latex,
    factor_text,
    frequency,
    linear_form,
    product_latex,
    product_text,
    signed_sum,
    term_text,
)
from pertsym.distributions.numerics import (
    laurent_coefficients,
    limit_coefficients,
    pair,
)
from pertsym.distributions.rewriting import release_first_regulator, rewrite
from pertsym.exact import Gaussian
from pertsym.expansion.terms import Factor as Arc
from pertsym.expansion.terms import Shape, Term

XY, MINUS_X = Argument(1, 1, (0,)), Argument(-1, 0, (0,))
EVEN = gaussian()
SLOPED = gaussian(slope=1.0)  # (1 + x) exp(-x^2)


def test_test_functions() -> None:
    f = gaussian(0.5, 2.0, 3.0)
    x = np.array([0.5, 1.5])
    assert f.value(x) == pytest.approx([2.5, 5.5 * math.exp(-0.25)])
    step = 1e-6
    assert f.derivative(x) == pytest.approx(
        (f.value(x + step) - f.value(x - step)) / (2 * step), abs=1e-8
    )


def test_limits_pair_by_their_definitions() -> None:
    f = gaussian(0.5, 1.0, 2.0)
    at0 = math.exp(-0.25)
    assert delta_function().pair(f) == pytest.approx(at0)
    assert delta_function(1).pair(f) == pytest.approx(-(2 + 1) * at0)
    assert principal_value().pair(SLOPED) == pytest.approx(math.sqrt(math.pi))
    assert finite_part(2).pair(EVEN) == pytest.approx(-2 * math.sqrt(math.pi))
    assert (delta_function() + principal_value().scaled(2)).pair(SLOPED) == pytest.approx(
        1 + 2 * math.sqrt(math.pi)
    )
    both = delta_function() * finite_part(1, Y)
    assert both.pair(SLOPED, SLOPED) == pytest.approx(math.sqrt(math.pi))
    assert (delta_function() * finite_part(2, Y)).pair(SLOPED) == pytest.approx(
        -2 * math.sqrt(math.pi)
    )


def test_limits_in_slanted_variables() -> None:
    """delta(x + y) delta'(y) etc. against f(x) g(y), by hand."""
    f, g = gaussian(0.5, 1.0, 2.0), gaussian(-0.3, 1.5, 1.0)

    def at(function, derivative=False):
        return float((function.derivative if derivative else function.value)(np.zeros(1))[0])

    f0, f1, g0, g1 = at(f), at(f, True), at(g), at(g, True)
    on_diagonal = delta_function(1) * delta_function(0, XY)
    # delta'(x) delta(z): -d/dx [f(x) g(z - x)] at 0
    assert on_diagonal.pair(f, g) == pytest.approx(-(f1 * g0 - f0 * g1))
    # delta(x) delta'(z): -d/dz [f(x) g(z - x)] at 0
    assert (delta_function() * delta_function(1, XY)).pair(f, g) == pytest.approx(-f0 * g1)
    assert (delta_function(0, Y) * delta_function(1, XY)).pair(f, g) == pytest.approx(-f1 * g0)
    assert (delta_function(1, Y) * delta_function(0, XY)).pair(f, g) == pytest.approx(
        -(f0 * g1 - f1 * g0)
    )
    minus = Argument(1, -1, (0,))  # x = (y + u), unit determinant with y
    assert (delta_function(0, Y) * delta_function(1, minus)).pair(f, g) == pytest.approx(-f1 * g0)
    with pytest.raises(NotImplementedError, match="one derivative"):
        (delta_function(1) * delta_function(1, Y)).pair(f, g)
    with pytest.raises(NotImplementedError, match="independent arguments"):
        (delta_function(0, XY) * delta_function(0, minus)).pair(f, g)
    with pytest.raises(NotImplementedError, match="numerical pairing of"):
        pair((term(1, delta(X, 1), P(Y)),), f, g)
    with pytest.raises(NotImplementedError, match="two limits of independent"):
        pair((term(1, delta(X), delta(Y), delta(XY)),), f, g)


def test_pairings_with_weights() -> None:
    product = term(3, delta(X), pi=1, eps=2, over_a=2)
    assert pair((product,), EVEN, EVEN, eps=0.5, a=2.0) == pytest.approx(3 * math.pi / 16)
    pinched, finite = limit_coefficients(
        (term(2, delta(X), eps=-1), term(5, fp(X))), SLOPED, EVEN, 1.0
    )
    assert pinched == pytest.approx(2)
    assert finite == pytest.approx(5 * math.sqrt(math.pi))
    got = laurent_coefficients((term(1, Q(X)),), EVEN, EVEN, 1.0)
    assert got == pytest.approx((math.pi, -2 * math.sqrt(math.pi)))


def test_no_values_at_points() -> None:
    with pytest.raises(PointwiseEvaluation, match=r"delta\(x\) has no value at a point; .*\.pair"):
        delta_function()(0.0)
    with pytest.raises(PointwiseEvaluation):
        principal_value()(1.0)


def test_no_products_of_dependent_limits() -> None:
    for left, right in (
        (delta_function(), delta_function()),
        (delta_function(), principal_value()),
        (delta_function() * delta_function(0, Y), principal_value(XY)),
        (principal_value(MINUS_X), principal_value()),
    ):
        with pytest.raises(UndefinedProduct, match="multiply the regularised functions"):
            _ = left * right
    assert str(principal_value() * delta_function(1, Y)) == "delta'(y) PV 1/(x)"


def test_regularised_functions_multiply_and_then_go_to_limits() -> None:
    s, d, p = regularised("S"), regularised("D"), regularised("P")
    assert d.limit() == delta_function()
    assert p.limit() == principal_value()
    assert p.derivative().limit() == finite_part(2).scaled(-1)
    assert d.derivative().limit() == delta_function(1)
    assert s.limit() == Distribution(
        collect([term(1, delta(X), pi=1), term(Gaussian(0, -1), fp(X))])
    )
    assert (d * p).limit() == delta_function(1).scaled(Gaussian.of("-0.5"))
    squared = (d * d).limit()
    assert squared.pinch == Distribution((term(Gaussian.of("0.5"), delta(X), pi=-1),))
    assert squared.finite == Distribution(())
    assert (p * p).limit().finite == finite_part(2)
    assert (s * regularised("S", MINUS_X)).limit() == regularised("Q").limit()
    assert (s * s).limit() == Distribution(
        collect([term(Gaussian(0, 1), delta(X, 1), pi=1), term(-1, fp(X, 2))])
    )
    assert (d * regularised("P", Y)).limit() == delta_function() * principal_value(Y)
    with pytest.raises(Divergent, match=r"eps\^-1.*no value; it must cancel"):
        squared.pair(EVEN)
    with pytest.raises(NotClosed, match="no rule applies"):
        (regularised("Q") * p).limit()
    with pytest.raises(NotClosed, match="no rule applies"):
        (regularised("Q") * regularised("P", Y)).limit()  # 1/eps beside a P not yet expanded
    with pytest.raises(ValueError, match=r"name: .* got 'T'"):
        regularised("T")
    with pytest.raises(ValueError, match=r"power: .* got 0"):
        finite_part(0)


def test_regularised_functions_have_values() -> None:
    s, d, p = regularised("S"), regularised("D"), regularised("P")
    x = np.array([0.3, -2.0])
    assert s(x, 0.1) == pytest.approx(1 / (0.1 + 1j * x))
    assert (d + p.scaled(3))(x, 0.1) == pytest.approx((0.1 / math.pi + 3 * x) / (0.01 + x**2) + 0j)
    assert (s * regularised("P", Y))(0.3, 0.1, y=0.5) == pytest.approx(0.5 / 0.26 / (0.1 + 0.3j))
    weighted = (term(2, P(X), pi=1, eps=1),)
    assert type(s)(weighted)(0.3, 0.1) == pytest.approx(2 * math.pi * 0.1 * 0.3 / 0.1)
    assert d.latex() == r"\mathcal{D}(x)"
    assert d._repr_latex_() == r"$\displaystyle \mathcal{D}(x)$"
    assert str(Distribution(())) == "0"


def test_derivatives() -> None:
    assert finite_part(1).derivative() == finite_part(2).scaled(-1)
    assert finite_part(3).derivative() == finite_part(4).scaled(-3)
    assert delta_function(1).derivative() == delta_function(2)
    assert (delta_function() - finite_part(2)).derivative() == delta_function(1) + finite_part(
        3
    ).scaled(2)
    for bad in (term(1, P(Y)), term(1, P(X), D(Y)), term(1, P(MINUS_X))):
        with pytest.raises(ValueError, match=r"derivative: needs products of one function of \+x"):
            derivative((bad,))


def test_independence() -> None:
    assert independent([])
    assert independent([P(X)])
    assert independent([P(X), P(XY)])
    assert not independent([P(X), P(MINUS_X)])
    assert not independent([P(X), P(Y), P(XY)])
    assert not independent([S(Argument(0, 0, (1,)))])


# --- rules as rewriting -------------------------------------------------------------------


def at(x: int, y: int, *shift: int) -> Argument:
    return Argument(x, y, shift)


def test_rules_bind_linear_arguments() -> None:
    product = term(Gaussian(2), S(at(1, 0, 1, 3)), S(at(1, 0, 3, 3)))
    first, second = RULES["fractions"].apply(product)
    # a = 2 w1: 1/(i a) = -i/(2 w1)
    assert first == term(Gaussian(0, -1), S(at(1, 0, 1, 3)))._replace(denominators=(((1, 0), 1),))
    assert second == term(Gaussian(0, 1), S(at(1, 0, 3, 3)))._replace(denominators=(((1, 0), 1),))
    assert RULES["B7"].apply(product) is None
    same = term(1, S(at(1, 0, 1)), S(at(1, 0, 1)))
    assert RULES["fractions"].apply(same) is None  # a would vanish
    assert RULES["B7"].apply(same) == (term(Gaussian(0, 1), S(at(1, 0, 1), 1)),)
    mirrored = term(1, S(at(1, 0, 1)), S(at(-1, 0, -1)))
    assert RULES["B11"].apply(mirrored) is not None
    assert RULES["B11"].apply(same) is None
    two = term(1, S(at(1, 0, 1)), S(at(0, 1, 1)))
    for name in ("B7", "B11", "fractions", "fractions'"):
        assert RULES[name].apply(two) is None
    regulated = term(1, S(at(1, 0, 1)), S(at(1, 0, 1), 0, 2))
    assert RULES["B7"].apply(regulated) is None
    constant = term(1, S(at(0, 0, 1)), S(at(0, 0, 1)))
    assert RULES["B7"].apply(constant) is None  # x is a variable
    (value,) = RULES["nonresonant"].apply(term(1, S(at(0, 0, -2), 0, 2), P(at(1, 0, 0))))
    expected = term(Gaussian.of(0, "0.5"), P(at(1, 0, 0)))
    assert value == expected._replace(denominators=(((1,), 1),))


def test_powers_and_denominators_accumulate() -> None:
    over = ((1,), 1)
    product = term(1, Q(at(1, 0, 1)), pi=2, eps=1)._replace(denominators=(over,))
    pinched, finite = sorted(RULES["pinch"].apply(product), key=lambda p: p.eps_power)
    assert (pinched.pi_power, pinched.eps_power) == (3, 0)
    assert (finite.pi_power, finite.eps_power) == (2, 1)
    assert pinched.denominators == finite.denominators == (over,)
    shifted = term(1, S(at(1, 0, 0)), S(at(1, 0, 3)))._replace(denominators=(over,))
    first, _ = RULES["fractions"].apply(shifted)
    assert first.denominators == (((1,), 2),)
    assert first.coefficient == Gaussian(0, Fraction(-1, 3))


def test_sifting_eliminates_the_second_variable_only() -> None:
    z = at(1, 1, 2)
    product = term(1, S(at(1, 0, 1)), S(at(0, 1, 5)), delta(z))
    (sifted,) = RULES["sift"].apply(product)
    # w' = -w - 2: the argument w' + 5 becomes -w + 3
    assert sifted == term(1, *sorted((S(at(1, 0, 1)), S(at(-1, 0, 3)), delta(z))))
    assert RULES["sift"].apply(sifted) is None


def test_triple_products_choose_the_resonant_rule() -> None:
    resonant = term(1, D(at(1, 0, 1)), P(at(0, 1, 2)), fp(at(1, 1, 3)))
    assert RULES["C5"].apply(resonant) == (
        term(1, *sorted((delta(at(1, 0, 1)), P(at(0, 1, 2)), P(at(0, 1, 2))))),
    )
    assert RULES["transverse-DP"].apply(resonant) is None
    other = term(1, D(at(0, 1, 1)), P(at(1, 0, 2)), fp(at(1, 1, 7)))
    assert RULES["C5"].apply(other) is None
    near, far = sorted(RULES["transverse-DP"].apply(other), key=lambda p: p.factors)
    assert {near.factors[-1], far.factors[-1]} == {fp(at(1, 0, 2)), fp(at(1, 0, 6))}


def test_first_regulator_is_released_before_the_others() -> None:
    start = (term(1, S(at(1, 0, 0)), S(at(1, 1, 1), 0, 0)),)
    sweep = release_first_regulator(start)
    assert sweep.rules == ("B2", "B5", "B6")
    assert sweep.products == collect(
        [
            term(1, S(at(1, 0, 0)), delta(at(1, 1, 1)), pi=1),
            term(Gaussian(0, -1), S(at(1, 0, 0)), fp(at(1, 1, 1))),
        ]
    )
    assert sweep.latex() == (
        r"-i\,s(\omega)\,\mathrm{P}\frac{1}{\omega + \omega' + \omega_{0}}"
        r"+\pi\,s(\omega)\,\delta(\omega + \omega' + \omega_{0})"
    )


def test_rewriting_records_each_sweep() -> None:
    (first, second) = rewrite((term(1, S(at(1, 0, 1))),))
    assert (first.rules, second.rules) == (("B2",), ("B6", "B5"))
    assert tuple(map(product_text, first.products)) == ("-i P(w + w0)", "pi D(w + w0)")
    real = rewrite((term(1, S(at(1, 0, 1))),), real_part=True)
    assert [sweep.rules for sweep in real] == [("B2", "Re"), ("B5",)]
    assert real[-1].products == (term(1, delta(at(1, 0, 1)), pi=1),)
    assert rewrite((term(1, delta(X)),)) == ()


# --- notation -----------------------------------------------------------------------------


def test_numbers_and_forms() -> None:
    assert linear_form(((1, "x"), (-2, "y"))) == "x - 2 y"
    assert linear_form(((-1, "x"), (1, "y"))) == "-x + y"
    assert linear_form(((0, "x"),)) == "0"
    assert frequency((2,)) == "2 w0"
    assert frequency((1, -1)) == "w1 - w2"
    assert frequency((0, 3), latex=True) == r"3 \omega_{2}"
    assert signed_sum(["-a", "b", "-c"]) == "-a+b-c"
    assert signed_sum(["a", "-c"], " ") == "a - c"
    assert signed_sum([]) == "0"


def test_factors_and_products() -> None:
    names = ("x", "y"), ("a",)
    assert factor_text(S(XY, 1, 0), *names) == "S'_0(x + y)"
    assert factor_text(delta(X, 2), *names) == "delta''(x)"
    assert factor_text(fp(X), *names) == "PV 1/(x)"
    assert factor_latex(fp(X, 2), *names) == r"\mathrm{FP}\frac{1}{x^{2}}"
    assert factor_latex(fp(X), *names) == r"\mathrm{P}\frac{1}{x}"
    assert factor_latex(S(X, 1, 2), *names) == "s_2'(x)"
    assert factor_latex(delta(X, 1), *names) == r"\delta'(x)"
    assert factor_latex(Q(X), *names) == r"\frac{\mathcal{P}(x)}{x}"
    mixed = term(Gaussian.of("0.5", -3), D(at(1, 0, 1)), pi=-2, eps=-1)
    assert product_text(mixed) == "(1/2 - 3 i) pi^-2 eps^-1 D(w + w0)"
    assert product_latex(mixed) == (
        r"\frac{\left(\frac{1}{2}-3i\right)}{\pi^{2}\epsilon}\,"
        r"\mathcal{D}(\omega + \omega_{0})"
    )
    over = term(-1, D(at(0, 1, 0, 1)), pi=2)._replace(denominators=(((1, -1), 2),))
    assert product_text(over) == "-pi^2 (w1 - w2)^-2 D(w' + w2)"
    assert product_latex(over) == (
        r"-\frac{\pi^{2}}{(\omega_{1} - \omega_{2})^{2}}\,\mathcal{D}(\omega' + \omega_{2})"
    )
    assert product_text(term(1)) == "1"
    assert product_latex(term(1)) == "1"
    assert product_text(term(Gaussian(0, 1))) == "i"
    assert product_latex(term(Gaussian.of(0, "1.5"))) == r"\frac{3\,i}{2}"
    assert product_latex(term(Gaussian(1, 1))) == r"\left(1+i\right)"
    assert product_latex(term(-2, pi=1)) == r"-2\,\pi"
    assert product_latex(term(Gaussian.of("-0.5"), P(X)), *names) == (
        r"-\frac{1}{2}\,\mathcal{P}(x)"
    )
    assert Kind.S < Kind.FP


def test_terms() -> None:
    shape = Shape((Arc(1, 2, "C1", True), Arc(2, 3, "C2")), ((1,), (0,), (-2,)))
    assert term_text(Term(Gaussian(-2), shape)) == (
        "-2 C1*(12) C2(23) exp[-i((w0) tau1 + (-2 w0) tau3)]"
    )
    still = Shape((Arc(1, 1, "C"),), ((0,),))
    assert term_text(Term(Gaussian(1), still)) == "C(1)"
