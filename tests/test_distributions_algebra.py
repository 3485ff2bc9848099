"""The algebra behind the generalized functions: images, matching, mirrors, guards and messages.

Complements the tests of the rules and of whole derivations with cases that no rule of the table
and no two-level term brings up: other multiples of a, third-order poles, a constant bound twice.
"""

import math
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy.integrate import quad

from pertsym.distributions import (
    RULES,
    Distribution,
    Divergent,
    HypothesisViolated,
    NotClosed,
    Regularised,
    Rule,
    UncancelledPinch,
    UndefinedProduct,
    Validity,
    delta_function,
    gaussian,
    regularised,
    rewriting,
)
from pertsym.distributions.chains import mirror
from pertsym.distributions.closing import Spectrum, close
from pertsym.distributions.fourier import CHAMBERS, NoImage, image
from pertsym.distributions.generalized import Argument, derivative, oriented
from pertsym.distributions.identities import D, P, Q, S, delta, fp, term
from pertsym.distributions.limits import X, Y
from pertsym.distributions.notation import factor_text, product_latex, product_text
from pertsym.distributions.numerics import _grid, pair
from pertsym.distributions.regularised import SHIFT, _factor, constant, linear, power
from pertsym.distributions.rewriting import _step, release_first_regulator, rewrite
from pertsym.distributions.route import (
    assemble,
    integrated_over_times,
    limit,
    paired_with_spectra,
    reduce_imaginary,
    released,
)
from pertsym.distributions.rules import Binding, match
from pertsym.exact import Gaussian
from pertsym.expansion.terms import Factor, Shape, Term, TimeIntegrand
from pertsym.reduction.spectral import SpectralForm, SpectralIntegral, Value, monomial

MINUS_X, XY = Argument(-1, 0, (0,)), Argument(1, 1, (0,))
X_A, A_X, XY_A = Argument(1, 0, (1,)), Argument(-1, 0, (1,)), Argument(1, 1, (1,))
A, TWO_A = Argument(0, 0, (1,)), Argument(0, 0, (2,))
ONE, HALF, I = Gaussian(1), Gaussian(Fraction(1, 2)), Gaussian(0, 1)  # noqa: E741
EVEN, SLOPED = gaussian(), gaussian(slope=1.0)
RULE_NAMES = ("x", "y"), ("a",)


@pytest.fixture(autouse=True)
def _cold_caches() -> None:
    """No test rests on what an earlier one left in a cache."""
    _factor.cache_clear()
    _step.cache_clear()


def at(x: int, y: int, *shift: int) -> Argument:
    return Argument(x, y, shift)


# --- Fourier images -----------------------------------------------------------------------


def test_multiples_of_the_constant_reach_the_image() -> None:
    over_a = power(SHIFT, -1)
    for chamber in CHAMBERS:
        plain = image((term(1, P(X)),), chamber)[0, 0]
        # S(c a) -> 1/(i c a), beside a factor that must not get lost
        for argument, c in ((A, 1), (TWO_A, 2)):
            value = image((term(1, S(argument, 0, 2), P(X)),), chamber)
            assert value == {(0, 0): constant(Gaussian(0, Fraction(-1, c))) * over_a * plain}
        scaled = term(1, P(X))._replace(denominators=(((2,), 2),))
        assert image((scaled,), chamber) == {
            (0, 0): constant(Fraction(1, 4)) * power(SHIFT, -2) * plain
        }
        # D(x) D(y) FP 1/(x + y + 2a) -> delta(x) delta(y)/(2a)
        triple = term(1, D(X), D(Y), fp(Argument(1, 1, (2,))))
        assert image((triple,), chamber) == image(
            (term(HALF, delta(X), delta(Y), over_a=1),), chamber
        )


def test_image_of_a_mixed_square() -> None:
    """D P = -D'/2 (B10) in the limit, by the convolution and not as a rational identity."""
    for chamber in CHAMBERS:
        expected = image((term(-HALF, delta(X, 1)),), chamber)
        assert expected[0, 0] == constant(Gaussian(0, Fraction(-1, 2))) * linear(1, 0)
        assert image((term(1, D(X), P(X)),), chamber) == expected
        assert image((term(1, P(X), D(X)),), chamber) == expected


@pytest.mark.parametrize(
    ("product", "message"),
    [
        (term(1, D(XY)), r"one function of .*: write it in terms of x alone"),
        (term(1, D(at(2, 0, 0))), r"one function of .*: write it in terms of x alone"),
        (term(1, D(X), D(at(0, 2, 0))), "they must be independent, of unit determinant$"),
        (term(1, Q(X)), r"^Q: write it as \(pi/eps\) D first$"),
        (term(1, D(A)), "^D of a constant$"),
        (term(1, D(X), D(X), D(X)), "^3 factors of one argument$"),
        (term(1, D(X), D(at(1, -1, 0))), r"^the sign of \(1, 1\) is not constant on a chamber$"),
        (term(1, S(X), D(Y), fp(XY)), "^line integral over S$"),
        (term(1, D(X), D(X), eps=-1), "^a convolution is expanded to eps.0 only: it cannot carry"),
        # three arguments of another pattern, one of them twice, and a factor beside the pattern
        *(
            (
                term(1, *factors),
                r"^three arguments: only F\(x\) G\(y\) FP 1/\(x \+ y \+ a\) is known$",
            )
            for factors in (
                (D(X), D(X_A), fp(XY)),
                (D(Y), D(Argument(0, 1, (1,))), fp(XY)),
                (D(X), D(Y), fp(XY, 2)),
                (D(X), D(X), P(Y), fp(XY)),
                (S(A, 0, 2), D(X), P(Y), fp(XY)),
                (D(X), D(Y), fp(XY), fp(XY_A)),
            )
        ),
        # beyond the order to which images are expanded
        (term(1, D(X), D(X), D(Y), D(Y)), "^a convolution is expanded to eps.0 only"),
        (term(1, D(X), P(Y), fp(XY), eps=-1), "^a convolution is expanded to eps.0 only"),
        (term(1, D(X), eps=-3), r"^images are expanded for weights up to 1/eps\^2 only$"),
    ],
)
def test_refused_images_say_why(product, message) -> None:
    with pytest.raises(NoImage, match=message):
        image((product,), CHAMBERS[0])


# --- matching and inserting ---------------------------------------------------------------


def test_a_constant_bound_twice_must_agree() -> None:
    wanted = (D(X), D(X_A), D(at(1, 0, 2)))
    factors = (D(at(1, 0, 1, 0)), D(at(1, 0, 1, 3)), D(at(1, 0, 1, 6)))
    assert match(wanted, factors) == Binding(x=at(1, 0, 1, 0), a=(0, 3))
    for other in (at(1, 0, 1, 7), at(1, 0, 2, 6), at(1, 0, 1, 0), at(1, 1, 1, 6)):
        assert match(wanted, (*factors[:2], D(other))) is None
    mirrored = (D(X), D(X_A), D(A_X))
    assert match(mirrored, (*factors[:2], D(at(-1, 0, -1, 3)))) == Binding(at(1, 0, 1, 0), a=(0, 3))


def test_matches_that_are_not_unique_are_none() -> None:
    target = S(at(1, 1, 1))
    assert match((S(XY),), (target,)) is None  # any x and y with this sum
    assert match((S(X_A),), (target,)) is None
    assert match((S(MINUS_X),), (target,)) is None  # solved only for +x
    assert match((S(Y),), (target,)) == Binding(y=target.argument)
    with pytest.raises(ValueError, match="argument 2"):
        match((S(X), S(Y)), (target,))


def test_powers_of_the_constant_are_inserted() -> None:
    rule = Rule("", "", (term(1, S(A, 0, 2)),), (term(3, over_a=2),), Validity.LIMIT)
    (value,) = rule.apply(term(1, S(at(0, 0, -2, 4), 0, 2)))
    assert value == term(Gaussian(Fraction(3, 4)))._replace(denominators=(((1, -2), 2),))


def test_a_delta_of_the_first_variable_alone_eliminates_nothing() -> None:
    assert RULES["sift"].apply(term(1, S(at(-1, 0, 3)), delta(at(1, 0, 2)))) is None


def test_orientation_leaves_constants_alone() -> None:
    for factor in (P(A), D(at(0, 0, -1)), S(MINUS_X)):
        assert oriented(factor) == (factor, 1)
    assert oriented(P(at(0, -1, 1))) == (P(at(0, 1, -1)), -1)
    assert oriented(P(at(0, -1, 1), 1)) == (P(at(0, 1, -1), 1), 1)


# --- closing ------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [1, -1])
def test_a_third_order_pole_pairs_with_half_the_second_derivative(sign: int) -> None:
    spectra = (Spectrum("A", sign), Spectrum("B", 1))
    closed = close(term(1, fp(at(1, 0, 1), 3), delta(at(0, 1, -2))), spectra)
    assert closed == monomial(
        Gaussian(Fraction(sign, 2)), Value("P", "A", 2, (-sign,)), Value("C", "B", 0, (2,))
    )


@pytest.mark.parametrize("reflect", [1, -1])
def test_mirrors_of_higher_order_are_derivatives_at_fixed_sigma(reflect: int) -> None:
    """chain_(n+1) = (1/n) d chain_n/dp, hence also the products and the mirrored chain."""
    p, sigma = -1, 5
    rates = {(p,): 1, (sigma + reflect * p,): reflect}
    for n in (1, 2, 3):
        (other, weight, products), (higher, next_weight, expected) = (
            mirror(SpectralIntegral("CP", "A", "B", reflect, (sigma,), (p,), order))
            for order in (n, n + 1)
        )
        slope = SpectralForm(())
        for m, z in products:
            for i, atom in enumerate(m.atoms):
                atoms = (*m.atoms[:i], atom._replace(derivative=atom.derivative + 1))
                slope += monomial(
                    z * Fraction(rates[atom.frequency], n), *atoms, *m.atoms[i + 1 :], pi_power=m[0]
                )
        assert expected == slope
        assert expected
        assert higher == other._replace(order=n + 1)
        assert next_weight == weight * reflect


def test_shifts_of_different_length_are_never_mixed() -> None:
    """Frequencies of two models in one product: an error, not a truncated argument."""
    both = (Spectrum("A", 1), Spectrum("B", 1))
    wide, narrow = at(1, 1, 1, 2), at(1, 0, 1)
    over = term(1)._replace(denominators=(((1, -1), 1),))
    for mixed in (
        lambda: narrow.plus(wide),
        lambda: close(term(1, fp(narrow), fp(wide)), both),
        lambda: mirror(SpectralIntegral("CP", "A", "B", 1, (1, 2), (1,), 1)),
        lambda: factor_text(delta(wide), *RULE_NAMES),
        lambda: product_text(over, *RULE_NAMES),
        lambda: product_latex(over, *RULE_NAMES),
    ):
        with pytest.raises(ValueError, match="argument 2 is"):
            mixed()


def test_a_derivative_in_the_sum_of_frequencies_names_the_product() -> None:
    spectra = (Spectrum("A", 1), Spectrum("B", 1))
    for outer in (at(1, 0, 1), at(0, 1, -2)):
        with pytest.raises(NotClosed, match=r"FP 1/\(w \+ w' \+ 3 w0\)\^2: a derivative with resp"):
            close(term(1, fp(outer), fp(at(1, 1, 3), 2)), spectra)


# --- numerical pairings against closed forms and adaptive quadrature ------------------------


def damped(eps: float) -> float:
    """int dx D(x) exp(-x^2) = exp(eps^2) erfc(eps)."""
    return math.exp(eps**2) * math.erfc(eps)


@pytest.mark.parametrize("eps", [0.01, 0.1])
def test_pairings_of_regularised_functions(eps: float) -> None:
    slope = math.sqrt(math.pi) - math.pi * eps * damped(eps)  # int P(x) x exp(-x^2)
    for factors, f, g, expected in (
        ((D(X), D(Y)), EVEN, EVEN, damped(eps) ** 2),
        ((D(X), P(Y)), EVEN, SLOPED, damped(eps) * slope),
        ((P(X), D(Y)), SLOPED, EVEN, damped(eps) * slope),
    ):
        assert pair((term(1, *factors),), f, g, eps) == pytest.approx(expected, rel=1e-10)
    # delta(x + a) takes f(-a), delta(-x + a) takes f(a)
    for argument, x in ((X_A, -0.7), (A_X, 0.7), (at(1, 0, 2), -1.4), (X, 0.0)):
        fixed = float(SLOPED.value(np.array(x)))
        value = pair((term(1, delta(argument), P(Y)),), SLOPED, SLOPED, eps, 0.7)
        assert value == pytest.approx(fixed * slope, rel=1e-10)


@pytest.mark.parametrize("a", [0.5, 2.0])
@pytest.mark.parametrize("argument", [XY_A, at(1, -1, 1), at(-1, 1, 1)])
def test_pairings_on_a_line(argument: Argument, a: float) -> None:
    f, g, eps = gaussian(0.3, 1.1, 0.4), gaussian(-0.2, 0.9, -0.3), 0.01

    def integrand(x: float) -> float:
        y = -(argument.x * x + a) / argument.y
        lorentzians = eps / math.pi / (eps**2 + x**2) * y / (eps**2 + y**2)
        return float(f.value(np.array(x)) * g.value(np.array(y))) * lorentzians

    zero_of_y = -a / argument.x
    exact, error = quad(
        integrand, -9, 9, points=sorted((0.0, zero_of_y)), limit=400, epsabs=1e-12, epsrel=1e-12
    )
    assert error < 1e-10
    assert pair((term(1, D(X), P(Y), delta(argument)),), f, g, eps, a) == pytest.approx(
        exact, rel=1e-9
    )


def test_graded_grids_stay_inside_the_reach() -> None:
    for centers in ((0.0,), (0.0, -0.75, 0.75), (0.0, 2.5)):
        nodes, weights = _grid(centers, 10)
        assert np.abs(nodes).max() < 9
        assert weights.sum() == pytest.approx(18)
        assert nodes**2 @ weights == pytest.approx(2 * 9**3 / 3)
        for center in centers:  # graded: panels down to 9/2^11 on both sides
            offsets = nodes - center
            assert 0 < offsets[offsets > 0].min() < 9 / 2**11
            assert 0 > offsets[offsets < 0].max() > -9 / 2**11


def test_powers_and_values_of_the_constant() -> None:
    assert pair((term(1, delta(X), over_a=2),), EVEN, EVEN, a=3.0) == pytest.approx(1 / 9)
    # as values, generalized functions have a = 1
    assert delta_function(argument=X_A).pair(SLOPED) == pytest.approx(0, abs=1e-15)
    assert delta_function(argument=A_X).pair(SLOPED) == pytest.approx(2 / math.e)
    assert regularised("P", X_A)(0.3, 0.1) == pytest.approx(1.3 / (0.01 + 1.3**2))
    assert gaussian().value(np.array(1.0)) == pytest.approx(1 / math.e)


def test_pairing_messages() -> None:
    with pytest.raises(
        NotImplementedError, match=r"^a pairing needs two limits of independent arg"
    ):
        pair((term(1, delta(X), delta(Y), delta(XY)),), EVEN, EVEN)
    with pytest.raises(
        NotImplementedError, match=r"^a pairing needs two limits of independent arg"
    ):
        pair((term(1, delta(XY), delta(at(1, -1, 0))),), EVEN, EVEN)
    with pytest.raises(NotImplementedError, match=r"^a pairing takes one derivative of the test f"):
        pair((term(1, delta(X, 1), delta(Y, 1)),), EVEN, EVEN)


# --- generalized functions as values --------------------------------------------------------


def test_regularised_functions_broadcast_over_real_points() -> None:
    p = regularised("P")
    nothing = p + p.scaled(-1)
    values = nothing(np.ones(2), 0.1, np.ones((3, 1)))
    assert (values.shape, values.dtype) == ((3, 2), np.complex128)
    assert nothing.limit() == Distribution(())
    assert regularised("P", Y)(0.3, 0.1) == 0  # y = 0 unless given
    for bad in ((1j, 0.1, 0.0), (0.0, 0.1, 1j)):
        with pytest.raises(TypeError, match="complex"):
            regularised("S")(*bad)


def test_products_add_powers_of_pi_and_eps() -> None:
    left = Regularised((term(2, D(X), pi=1, eps=-1),))
    right = Regularised((term(3, P(Y), pi=2, eps=-2),))
    assert (left * right).products == (term(6, D(X), P(Y), pi=3, eps=-3),)


def test_messages_of_values_say_what_to_do() -> None:
    advice = r"dependent variables have no product; multiply the regularised functions, then take "
    with pytest.raises(UndefinedProduct, match=advice + r"\.limit\(\)$"):
        _ = delta_function() * delta_function()
    with pytest.raises(Divergent, match=r"cancel in a sum first, or be asked for by \.pinch$"):
        regularised("Q").limit().pair(EVEN)
    with pytest.raises(
        ValueError, match=r"^derivative: needs products of one function of \+x each$"
    ):
        derivative((term(1, P(Y)),))


# --- checks and proofs of rules -------------------------------------------------------------


def test_proofs_list_their_steps() -> None:
    assert RULES["B2"].prove().steps == ("lhs = rhs exactly",)
    assert RULES["pinch"].prove().steps == (
        "lhs rewritten exactly at finite eps",
        "images equal through eps^0 on 6 chambers",
    )


def test_checks_depend_on_their_inputs() -> None:
    rule = RULES["fractions"]
    check = rule.check(SLOPED, a=2.0)
    assert check.rule == "fractions"
    assert check.deviation < 1e-12
    assert check == rule.check(SLOPED, gaussian(-0.25, 0.9, -0.3), a=2.0)
    assert rule.check(SLOPED) == rule.check(SLOPED, a=0.75)
    assert abs(check.left[1] - rule.check(SLOPED).left[1]) > 0.1
    shuffle = RULES["shuffle"].check(SLOPED)  # of x and y: g matters
    assert shuffle == RULES["shuffle"].check(SLOPED, gaussian(-0.25, 0.9, -0.3))
    assert shuffle != RULES["shuffle"].check(SLOPED, EVEN)


def test_a_refused_check_lists_all_hypotheses() -> None:
    rule = replace(RULES["B6"], hypotheses=("f is this", "f is that"))
    rough = replace(EVEN, smooth=False)
    with pytest.raises(
        HypothesisViolated,
        match=r"^rule B6 needs: f is this; f is that; the test function is not declared smooth$",
    ):
        rule.check(rough)


def test_polynomials_that_differ_have_different_hashes() -> None:
    assert len({hash(power(v, n)) for v in range(5) for n in (-1, 1, 2)}) == 15


# --- rewriting and the route ----------------------------------------------------------------


def test_rewriting_that_does_not_end_names_the_product(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewriting, "_MOST_SWEEPS", 1)
    with pytest.raises(NotClosed, match=r"^-i P\(w \+ w0\): still not a limit after 1 sweeps$"):
        rewrite((term(1, S(at(1, 0, 1))),))


def test_only_a_plain_function_can_be_released() -> None:
    with pytest.raises(NotClosed, match=r"S'\(w \+ w' \+ w0\): rule B2 does not match$"):
        release_first_regulator((term(1, S(at(1, 1, 1), 1, 0)),))


def seventh(name: str, coefficient: Gaussian) -> Term:
    """coefficient * C(12) C(23) exp[-i w0 (tau1 + 2 tau2 + tau3)]."""
    factors = (Factor(1, 2, name), Factor(2, 3, name))
    return Term(coefficient, Shape(factors, ((1,), (2,), (1,))))


def test_limits_of_pieces() -> None:
    piece = released(integrated_over_times(seventh("A", Gaussian(2, 1))))
    assert all(half.sweeps == piece.sweeps != () for half in piece.split())
    whole, real = limit(piece), limit(piece, real_part=True)
    assert whole == limit(piece, real_part=False) != real
    assert limit(whole) == whole
    # all limits are real: taking the real part early is taking it of the coefficients
    paired = paired_with_spectra([whole])
    assert any(z.im for _, z in paired)
    assert paired_with_spectra([real]) == SpectralForm.collect(
        (m, Gaussian(z.re)) for m, z in paired
    )


def test_every_uncancelled_pinch_is_on_a_line_of_its_own() -> None:
    halves = [
        limit(released(integrated_over_times(seventh(name, ONE))).split()[0], real_part=True)
        for name in ("A", "B")
    ]
    line = r"\n  \S[^\n]*   from   {0}\(12\) {0}\(23\) exp\[[^\n]*\]"
    with pytest.raises(
        UncancelledPinch,
        match="with the same order of the regulators:" + line.format("A") + line.format("B") + "$",
    ):
        assemble(halves)


def test_a_real_part_has_the_empty_imaginary_part() -> None:
    integrand = TimeIntegrand.collect(4, [seventh("A", I)]).real_parts()
    assert reduce_imaginary(integrand) == SpectralForm(())


# --- notation -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("z", "text", "latex"),
    [
        (Gaussian(0), "0 P(x)", r"0\,\mathcal{P}(x)"),
        (HALF, "1/2 P(x)", r"\frac{1}{2}\,\mathcal{P}(x)"),
        (Gaussian(0, Fraction(3, 2)), "3/2 i P(x)", r"\frac{3\,i}{2}\,\mathcal{P}(x)"),
        (Gaussian(0, -1), "-i P(x)", r"-i\,\mathcal{P}(x)"),
        (
            Gaussian(2, Fraction(1, 2)),
            "(2 + 1/2 i) P(x)",
            r"\left(2+\frac{1}{2}i\right)\,\mathcal{P}(x)",
        ),
        (
            Gaussian(Fraction(-1, 2), -1),
            "(-1/2 - 1 i) P(x)",
            r"\left(-\frac{1}{2}-i\right)\,\mathcal{P}(x)",
        ),
    ],
)
def test_coefficients(z: Gaussian, text: str, latex: str) -> None:
    product = term(z, P(X))
    assert product_text(product, *RULE_NAMES) == text
    assert product_latex(product, *RULE_NAMES) == latex


def test_products_without_factors() -> None:
    assert product_latex(term(1, over_a=1), *RULE_NAMES) == r"\frac{1}{a}"
    over = term(1)._replace(denominators=(((1, -1), 2),))
    assert product_text(over) == "(w1 - w2)^-2"
    assert product_latex(over) == r"\frac{1}{(\omega_{1} - \omega_{2})^{2}}"
