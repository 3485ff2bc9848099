"""The identities: proofs at finite eps, proofs of the limits, numerical pairings, hypotheses."""

import math
from dataclasses import replace

import numpy as np
import pytest

from pertsym.distributions import RULES, HypothesisViolated, RuleNotProved, TestFunction, Validity
from pertsym.distributions.fourier import CHAMBERS, NoImage, image
from pertsym.distributions.generalized import Argument, collect
from pertsym.distributions.identities import D, P, Q, S, delta, fp, term
from pertsym.distributions.numerics import gaussian, pair
from pertsym.distributions.regularised import (
    EPS,
    FIRST,
    PI,
    SECOND,
    SHIFT,
    Laurent,
    _factor,
    constant,
    evaluate_factor,
    linear,
    power,
    rational,
)
from pertsym.exact import Gaussian

X, Y, MINUS_X = Argument(1, 0, (0,)), Argument(0, 1, (0,)), Argument(-1, 0, (0,))
XY, XY_A, X_A, A = (
    Argument(1, 1, (0,)),
    Argument(1, 1, (1,)),
    Argument(1, 0, (1,)),
    Argument(0, 0, (1,)),
)
F, G = gaussian(0.3, 1.1, 0.4), gaussian(-0.2, 0.9, -0.3)
LIMITS = [name for name, rule in RULES.items() if rule.validity is Validity.LIMIT]
EXACT = [name for name, rule in RULES.items() if rule.validity is Validity.EXACT]


@pytest.fixture(autouse=True)
def _cold_cache() -> None:
    """No proof rests on a rational function that an earlier test left in the cache."""
    _factor.cache_clear()


def test_the_papers_identities_are_there() -> None:
    numbers = {rule.equation for rule in RULES.values()}
    assert {f"(B{n})" for n in (2, *range(5, 18))} <= numbers


@pytest.mark.parametrize("name", RULES)
def test_rule_is_proved(name: str) -> None:
    proof = RULES[name].prove()
    assert proof.rule == name
    exact = RULES[name].validity is Validity.EXACT
    assert proof.method == (
        "rational identity in x, y, a, eps" if exact else "Fourier images, expanded in eps"
    )
    if not exact:
        assert proof.steps[-1] == "images equal through eps^0 on 6 chambers"
    assert len(proof.steps) == 1 + bool(RULES[name].via)


@pytest.mark.parametrize("name", RULES)
def test_proof_notices_every_wrong_sign_and_factor(name: str) -> None:
    rule = RULES[name]
    for i, product in enumerate(rule.rhs):
        for wrong in (
            product._replace(coefficient=-product.coefficient),
            product._replace(coefficient=product.coefficient * 2),
            product._replace(pi_power=product.pi_power + 1),
        ):
            rhs = (*rule.rhs[:i], wrong, *rule.rhs[i + 1 :])
            with pytest.raises(RuleNotProved, match=f"rule {name}: .*side"):
                replace(rule, rhs=rhs).prove()


@pytest.mark.parametrize("name", EXACT)
def test_exact_rule_pairs_equally(name: str) -> None:
    check = RULES[name].check(F, G)
    assert check.left[0] == check.right[0] == 0
    assert abs(check.right[1]) > 0.1
    assert check.deviation < 1e-12


@pytest.mark.parametrize("name", LIMITS)
def test_limit_rule_agrees_with_extrapolated_pairing(name: str) -> None:
    check = RULES[name].check(F, G)
    assert check.rule == name
    assert check.deviation < 1e-5
    assert max(map(abs, check.right)) > 0.02


def test_check_deviation_sees_a_wrong_rule_in_either_place() -> None:
    wrong = replace(RULES["pinch"], rhs=(term(2, delta(X), pi=1, eps=-1), term(1, fp(X, 2))))
    check = wrong.check(F)
    assert check.deviation == pytest.approx(0.5, abs=1e-6)  # relative to the larger right side
    wrong = replace(RULES["B5"], rhs=(term(1, delta(X)), term(1, fp(X))))
    assert wrong.check(F).deviation == pytest.approx(
        abs(pair((term(1, fp(X)),), F, G)) / abs(wrong.check(F).right[1]), rel=1e-6
    )


def test_a_via_that_is_not_equal_is_refused() -> None:
    wrong = replace(RULES["pinch"], via=(term(1, D(X), pi=1),))
    with pytest.raises(RuleNotProved, match="different rational functions"):
        wrong.prove()


def test_b17_needs_a_differentiable_test_function() -> None:
    kink = TestFunction(
        lambda x: np.exp(-np.abs(x)), lambda x: -np.sign(x) * np.exp(-np.abs(x)), smooth=False
    )
    with pytest.raises(HypothesisViolated, match=r"B17 needs: f differentiable at 0"):
        RULES["B17"].check(kink)
    with pytest.raises(HypothesisViolated):
        RULES["C5"].check(F, kink)
    there = RULES["B17"].check(kink, require_hypotheses=False)
    assert there.right[1] == 0
    assert there.left[1].real == pytest.approx(-1 / math.pi**2, abs=1e-4)
    RULES["B5"].check(kink)  # needs continuity only


def test_pinch_order_matters() -> None:
    """D(x) P(y) P(x + y) pinches with pi/2 eps; with three equal regulators it would be pi/3."""
    ordered = RULES["C5"].check(gaussian(), gaussian())
    assert ordered.left[0].real == pytest.approx(math.pi / 2, rel=1e-8)
    t = np.linspace(-60, 60, 1201)
    x, y, zero = t[:, None], t[None, :], np.zeros(1)
    weight = evaluate_factor(D(X), x, zero, 1.0, 0.0) * evaluate_factor(P(Y), zero, y, 1.0, 0.0)
    equal = complex((weight * evaluate_factor(P(XY), x, y, 1.0, 0.0)).sum() * 0.1**2)
    assert equal.real + 2 / 60 == pytest.approx(math.pi / 3, rel=0.01)  # 2/60: tails in y


# --- statements ---------------------------------------------------------------------------


def test_statements_are_readable() -> None:
    assert RULES["B2"].text == "S(x) = -i P(x) + pi D(x)"
    assert RULES["B7"].text == "S(x) S(x) = i S'(x)"
    assert RULES["B16"].text == "P'(x) -> -FP 1/(x)^2"
    assert RULES["pinch"].text == "Q(x) -> FP 1/(x)^2 + pi eps^-1 delta(x)"
    assert RULES["fractions'"].text == "S(x) S(-x + a) = S(-x + a) S_2(a) + S_2(a) S(x)"
    assert RULES["nonresonant"].text == "S_2(a) -> -i (a)^-1"
    assert RULES["B2"].statement == r"s(x) = -i\,\mathcal{P}(x)+\pi\,\mathcal{D}(x)"
    assert RULES["B13"].statement == (
        r"\mathcal{P}(x)\,\mathcal{P}(x) = -\frac{1}{2}\,\mathcal{P}'(x)"
        r"+\frac{1}{2}\,\frac{\mathcal{P}(x)}{x}"
    )
    assert RULES["pinch"].statement == (
        r"\frac{\mathcal{P}(x)}{x} \simeq \mathrm{FP}\frac{1}{x^{2}}"
        r"+\frac{\pi}{\epsilon}\,\delta(x)"
    )
    assert RULES["nonresonant"].statement == r"s_2(a) \simeq -\frac{i}{a}"


# --- exact arithmetic ---------------------------------------------------------------------


def test_laurent_arithmetic() -> None:
    x, eps = power(FIRST), power(EPS)
    assert (x + eps) * (x - eps) == x * x - eps * eps
    assert (x + eps) ** 2 - x**2 - eps**2 == constant(2) * x * eps
    assert (x**3 * power(PI)).derivative(FIRST) == constant(3) * x**2 * power(PI)
    assert not x - x
    assert bool(x)
    assert hash(x + eps) == hash(eps + x)
    assert linear(2, -1, 3) == constant(2) * x - power(SECOND) + constant(3) * power(SHIFT)
    assert (x**2 + x).substituted(FIRST, x + eps) == x**2 + constant(2) * x * eps + eps**2 + x + eps
    assert (power(EPS, -1) + constant(1) + eps).truncated(EPS, 0) == power(EPS, -1) + constant(1)
    assert x != Gaussian(1)
    assert repr(constant(2)) == f"Laurent({{(0, 0, 0, 0, 0): {Gaussian(2)!r}}})"
    with pytest.raises(ValueError, match="only non-negative powers"):
        _ = x**-1


def test_rational_functions_are_the_definitions() -> None:
    x, eps, pi = power(FIRST), power(EPS), power(PI)
    i = constant(Gaussian(0, 1))
    for factor, numerator, denominator in (
        (S(X), constant(1), eps + i * x),
        (S(MINUS_X), constant(1), eps - i * x),
        (S(X, 0, 2), constant(1), constant(2) * eps + i * x),
        (S(X, 1), -i, (eps + i * x) ** 2),
        (D(X), eps, pi * (eps**2 + x**2)),
        (P(X_A), x + power(SHIFT), eps**2 + (x + power(SHIFT)) ** 2),
        (P(X, 1), eps**2 - x**2, (eps**2 + x**2) ** 2),
        (Q(X), constant(1), eps**2 + x**2),
        (fp(X, 2), constant(1), x**2),
    ):
        value = rational((term(1, factor),))
        assert value.numerator * denominator == value.denominator * numerator
    scaled = rational((term(3, P(X), pi=1, eps=2, over_a=1),))
    assert scaled.numerator * power(SHIFT) * (eps**2 + x**2) == (
        constant(3) * pi * eps**2 * x * scaled.denominator
    )
    with pytest.raises(ValueError, match="DELTA is no function at finite eps"):
        rational((term(1, delta(X)),))


@pytest.mark.parametrize(
    "factor", [S(X), S(X, 1), S(X, 2), D(X), D(X, 1), P(X), P(X, 1), Q(X), fp(X, 3), P(XY_A)]
)
def test_numerical_values_agree_with_the_rational_functions(factor) -> None:
    values = {PI: math.pi, EPS: 0.3, FIRST: 0.7, SECOND: -0.4, SHIFT: 1.9}

    def number(polynomial: Laurent) -> complex:
        return sum(
            complex(z) * math.prod(values[i] ** n for i, n in enumerate(key))
            for key, z in polynomial.terms.items()
        )

    exact = rational((term(1, factor),))
    got = evaluate_factor(factor, np.array(0.7), np.array(-0.4), 0.3, 1.9)
    assert complex(got) == pytest.approx(number(exact.numerator) / number(exact.denominator))


def test_no_numerical_values_of_limits_and_high_derivatives() -> None:
    for factor in (delta(X), D(X, 2), P(X, 2)):
        with pytest.raises(ValueError, match="no numerical values"):
            evaluate_factor(factor, np.array(0.7), np.array(0.0), 0.3, 1.0)


# --- Fourier images -----------------------------------------------------------------------

K_POSITIVE = ((0, 0), (1, 0), (0, 1))
K_NEGATIVE = ((1, 0), (0, 0), (0, 1))
k, l_ = linear(1, 0), linear(0, 1)
I_PI = constant(Gaussian(0, 1)) * power(PI)


def one(factor, chamber, eps=0):
    return image((term(1, factor, eps=eps),), chamber)[0, 0]


def test_images_of_single_functions() -> None:
    assert one(D(X), K_POSITIVE, -1) == power(EPS, -1) - k
    assert one(D(X), K_NEGATIVE, -1) == power(EPS, -1) + k
    assert one(D(X), K_NEGATIVE, -2) == power(EPS, -2) + k * power(EPS, -1) + k * k * constant(
        Gaussian(1)
    ) * constant(Gaussian.of("0.5"))
    assert one(P(X), K_POSITIVE) == -I_PI
    assert one(P(X), K_NEGATIVE) == I_PI
    assert one(P(MINUS_X), K_POSITIVE) == I_PI
    assert one(S(X), K_NEGATIVE) == constant(2) * power(PI)
    assert image((term(1, S(X)),), K_POSITIVE) == {}
    assert one(delta(X, 2), K_POSITIVE) == -k * k
    assert one(delta(MINUS_X, 1), K_POSITIVE) == -constant(Gaussian(0, 1)) * k
    assert one(fp(X, 2), K_POSITIVE) == -power(PI) * k
    assert one(fp(X, 2), K_NEGATIVE) == power(PI) * k
    assert one(fp(X, 3), K_POSITIVE) == I_PI * k * k * constant(Gaussian.of("0.5"))


def test_images_with_shifts_carry_a_phase() -> None:
    assert image((term(1, delta(X_A)),), K_POSITIVE) == {(1, 0): constant(1)}
    moved = image((term(1, delta(XY_A), delta(Y)),), K_POSITIVE)
    assert moved == {(1, 0): constant(1)}  # x = -a, y = 0
    assert image((term(1, D(X), over_a=2),), K_POSITIVE) == {(0, 0): power(SHIFT, -2)}


def test_image_of_a_square_is_a_convolution() -> None:
    half = constant(Gaussian.of("0.5")) * power(PI, -1)
    for chamber in CHAMBERS:
        assert image((term(1, D(X), D(X)),), chamber)[0, 0] == half * power(EPS, -1)
    pinch = constant(Gaussian.of("0.5")) * power(PI) * power(EPS, -1)
    # P^2 = Q/2 - P'/2 ~ pi delta/(2 eps) + FP 1/x^2, whose image is -pi |k|
    assert image((term(1, P(X), P(X)),), K_POSITIVE)[0, 0] == pinch - power(PI) * k
    assert image((term(1, P(X), P(X)),), K_NEGATIVE)[0, 0] == pinch + power(PI) * k
    squared = image((term(1, delta(X), P(Y), P(Y)),), K_POSITIVE)[0, 0]
    assert squared == pinch - power(PI) * l_


@pytest.mark.parametrize(
    "factors",
    [
        (Q(X),),
        (D(Argument(2, 0, (0,))),),
        (D(Y),),
        (D(X), D(X), D(X)),
        (S(X), S(X)),
        (D(X), D(MINUS_X)),
        (D(X), D(Y), D(XY)),
        (D(X), D(Y), fp(XY, 2)),
        (D(X_A), D(Y), fp(XY)),
        (D(X), D(Y), fp(Argument(1, -1, (0,)))),
        (D(A),),
        (S(A, 1, 2),),
        (D(X, 1), D(Y), fp(XY)),
        (S(X), D(Y), fp(XY)),
    ],
)
def test_unknown_images_are_refused(factors) -> None:
    with pytest.raises(NoImage):
        image((term(1, *factors),), K_POSITIVE)


def test_a_convolution_under_a_pinch_is_refused() -> None:
    with pytest.raises(NoImage, match="cannot carry 1/eps"):
        image((term(1, D(X), D(X), eps=-1),), K_POSITIVE)


def test_collect_merges_and_drops() -> None:
    assert collect([term(1, D(X), P(Y)), term(2, P(Y), D(X))]) == (term(3, D(X), P(Y)),)
    assert collect([term(1, D(X)), term(-1, D(X))]) == ()
