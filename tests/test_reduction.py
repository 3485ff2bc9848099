"""Arc-length reduction."""

from __future__ import annotations

import pickle
from fractions import Fraction
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pertsym.equations.bloch import QUANTITIES, Bloch, parse_element
from pertsym.equations.models import independent_baths, laird
from pertsym.exact import Gaussian
from pertsym.expansion.paths import generator_element
from pertsym.expansion.terms import Factor, Shape, Term, TimeIntegrand
from pertsym.model.errors import NotYetDerivable
from pertsym.reduction.arc_length_reduction import (
    NotReducible,
    _rest_integral,
    powers_of_difference,
    reduce_imaginary,
    reduce_real,
)
from pertsym.reduction.arc_lengths import Kernel, collect
from pertsym.reduction.spectral import (
    ZERO_FORM,
    Monomial,
    SpectralForm,
    SpectralIntegral,
    Value,
    monomial,
)

from .spectral_numbers import ExponentialBath, form_value, time_value
from .test_expansion import BATHS, MODELS, ONE, SIGMA_X, SIGMA_Y, SIGMA_Z, factors

LAIRD = Bloch(laird())
TWO_BATHS = {
    "C1": ExponentialBath((0.5 + 0.2j, 0.1 - 0.3j), (0.9 + 0.4j, 1.7 - 0.3j)),
    "C2": ExponentialBath((0.3 - 0.6j, 0.2), (0.6 - 0.5j, 1.2)),
    "x": ExponentialBath((0.4 + 0.1j, 0.2j), (1.0 + 0.3j, 0.5 - 0.7j)),
    "y": ExponentialBath((0.3 - 0.2j,), (0.8 + 0.2j,)),
    "z": ExponentialBath((0.2 + 0.3j,), (0.7 - 0.1j,)),
    "r": ExponentialBath((0.3, 0.1), (0.6, 1.4)),
    "k": ExponentialBath((0.2, 0.2), (0.9, 0.3)),
    "b": ExponentialBath((0.2 + 0.3j, 0.4), (0.7 - 0.1j, 1.9 + 0.6j)),
}


def value(kind, name, derivative, n):
    return Value(kind, name, derivative, (n,))


def form(*terms):
    """[coefficient, pi power, power of 1/w0, atoms...] -> form."""
    return SpectralForm.collect(
        (Monomial(p, (((1,), d),) if d else (), atoms), Gaussian(Fraction(z)))
        for z, p, d, *atoms in terms
    )


def equation_91(w):
    """(91) for w = +1; the rule w0 -> -w0 for w = -1 flips 1/w0 too."""
    c, p = (lambda i, m, n: value("C", i, m, n * w)), (lambda i, m, n: value("P", i, m, n * w))
    h = Fraction(1, 2)
    return form(
        (h * w, -1, 1, c("C2", 0, -1), p("C2", 0, 1)),
        (-h * w, -1, 1, c("C2", 0, -1), p("C2", 0, -1)),
        (h, -1, 0, c("C1", 1, -1), p("C1", 0, 1)),
        (-h, -1, 0, c("C1", 1, -1), p("C1", 0, -1)),
        (h, -1, 0, p("C1", 1, -1), c("C1", 0, 1)),
        (-h, -1, 0, p("C1", 1, -1), c("C1", 0, -1)),
        (-1, -1, 0, c("C1", 0, -1), p("C1", 1, 1)),
    )


def test_second_order():
    assert LAIRD.k_up[2].form == monomial(ONE, value("C", "C1", 0, -1))
    assert LAIRD.k_down[2].form == monomial(ONE, value("C", "C1", 0, 1))
    assert LAIRD.inv_T2[2].form.scaled(Gaussian(2)) == LAIRD.inv_T1[2].form
    assert LAIRD.inv_T2_prime[2].form == ZERO_FORM
    shift = form(("1/2", -1, 0, value("P", "C1", 0, -1)), ("-1/2", -1, 0, value("P", "C1", 0, 1)))
    assert LAIRD.frequency_shift[2].form == shift


def test_equations_91_97_98():
    assert LAIRD.k_up[4].form == equation_91(1)
    assert LAIRD.k_down[4].form == equation_91(-1)
    assert LAIRD.k_up[4].form.reversed_frequencies() == LAIRD.k_down[4].form
    assert LAIRD.inv_T1[4].form == LAIRD.k_up[4].form + LAIRD.k_down[4].form


def test_pure_dephasing_is_one_integral():
    def integral(name, n):
        return SpectralIntegral("CC", name, name, -1, (0,), (-1,), n)

    assert LAIRD.inv_T2_prime[4].form == form(
        (1, -1, 0, integral("C1", 2)), (1, -1, 1, integral("C2", 1))
    )
    assert LAIRD.inv_T2[4].form == LAIRD.inv_T2_prime[4].form + LAIRD.inv_T1[4].form.scaled(
        Gaussian(Fraction(1, 2))
    )


def test_the_fourth_order_shift_is_closed():
    four = LAIRD.frequency_shift[4].form
    assert four
    assert not four.integrals
    coupling = LAIRD.series("R_1001")[2]
    square = coupling.form * coupling.form + coupling.imaginary * coupling.imaginary
    raw = -LAIRD.series("R_1010")[4].imaginary
    half = Gaussian(Fraction(1, 2))
    assert four == raw - square.scaled(half, denominators=(((1,), 1),))


ELEMENTS = [(0, 0, 0, 0), (1, 1, 1, 1), (1, 0, 1, 0), (1, 0, 0, 1), (0, 0, 1, 0), (1, 0, 0, 0)]
INTERACTIONS = {
    "laird": laird(),
    "xy": MODELS["xy"],
    "biased": MODELS["biased"],
    "xyz": independent_baths(2, [(SIGMA_X, "x"), (SIGMA_Y, "y"), (SIGMA_Z, "z")]),
    "mixed": independent_baths(2, [(SIGMA_X, "x"), (SIGMA_X, "r")], real=["r"]),
    "mixed, swapped": independent_baths(2, [(SIGMA_X, "k"), (SIGMA_Y, "x")], real=["k"]),
    "shared": independent_baths(2, [(SIGMA_X, "x"), (SIGMA_Y, "x"), (SIGMA_X, "y")]),
}


@pytest.mark.parametrize("model", INTERACTIONS)
@pytest.mark.parametrize("order", [2, 4])
def test_every_element_against_its_time_integral(model, order):
    """Closed forms and finite-part integrals against the gap-by-gap time integral."""
    for element in ELEMENTS:
        terms = generator_element(INTERACTIONS[model], order, element)
        direct = time_value(terms, (1.1,), TWO_BATHS)
        real = form_value(reduce_real(terms), (1.1,), TWO_BATHS)
        imaginary = form_value(reduce_imaginary(terms), (1.1,), TWO_BATHS)
        assert real == pytest.approx(direct.real, abs=1e-9)
        assert imaginary == pytest.approx(direct.imag, abs=1e-9)


@pytest.mark.parametrize("model", ["laird", "xy", "mixed", "mixed, swapped"])
def test_rates_need_one_orientation_of_the_integral_only(model):
    """With off-diagonal coupling every integral is over Ĉ(w) Ĉ(-w), which vanishes at T = 0."""
    for name in ("inv_T2", "inv_T2_prime"):
        for integral in Bloch(INTERACTIONS[model]).series(name)[4].form.integrals:
            assert (integral.kind, integral.reflect, integral.shift) == ("CC", -1, (0,))


@pytest.mark.parametrize("model", ["xyz", "laird", "biased"])
def test_reversed_frequencies_reach_the_integrals(model):
    for element in ((1, 0, 1, 0), (1, 0, 0, 1), (0, 0, 1, 0)):
        terms = generator_element(INTERACTIONS[model], 4, element)
        for f in (reduce_real(terms), reduce_imaginary(terms)):
            flipped = form_value(f.reversed_frequencies(), (1.1,), TWO_BATHS)
            assert flipped == pytest.approx(form_value(f, (-1.1,), TWO_BATHS), abs=1e-9)


def test_populations_and_their_shift_close_without_integrals():
    for element in ((0, 0, 0, 0), (1, 1, 1, 1)):
        assert not reduce_real(generator_element(laird(), 4, element)).integrals
    assert not reduce_imaginary(generator_element(laird(), 4, (1, 0, 1, 0))).integrals
    assert reduce_real(generator_element(laird(), 4, (1, 0, 1, 0))).integrals
    for model in ("xy", "mixed", "mixed, swapped"):  # the same of two baths, once both are named
        assert not reduce_imaginary(
            generator_element(INTERACTIONS[model], 4, (1, 0, 1, 0))
        ).integrals
    assert not reduce_real(generator_element(INTERACTIONS["shared"], 4, (0, 0, 0, 0))).integrals
    one_bath = independent_baths(2, [(SIGMA_X, "x")])
    assert not reduce_imaginary(generator_element(one_bath, 4, (1, 0, 0, 1))).integrals


def test_population_element_has_no_imaginary_part():
    assert reduce_imaginary(generator_element(laird(), 4, (0, 0, 0, 0))) == ZERO_FORM
    assert reduce_imaginary(LAIRD.k_up[4].terms) == ZERO_FORM
    classical = (INTERACTIONS["mixed"], laird(real=("C1",)), laird(real=("C1", "C2")))
    for interaction in classical:  # C* = C must be used, or zero is only a value of parity
        for element in ((0, 0, 0, 0), (1, 1, 0, 0)):
            assert reduce_imaginary(generator_element(interaction, 4, element)) == ZERO_FORM


def test_pure_dephasing_coupling_has_no_fourth_order():
    z = independent_baths(2, [(SIGMA_Z, "z")])
    for element in ((1, 0, 1, 0), (0, 0, 0, 0)):
        terms = generator_element(z, 4, element)
        assert reduce_real(terms) == ZERO_FORM
        assert reduce_imaginary(terms) == ZERO_FORM
    dephasing = Bloch(z).inv_T2[2].form
    assert dephasing == form((2, 0, 0, value("C", "z", 0, 0)))  # Kubo's exact rate, 2 Ĉ(0)


# --- random terms: three levels, so that frequencies are genuine linear forms -----------------

phases = st.tuples(*[st.tuples(st.integers(-1, 1), st.integers(-1, 1))] * 3)
coefficients = st.builds(Gaussian, st.integers(-2, 2), st.integers(-2, 2))
W = (0.83, 1.57)


@given(coefficients, factors, phases)
def test_any_term_against_its_time_integral(z, fs, phase):
    terms = TimeIntegrand.collect(4, [Term(z, Shape(tuple(sorted(fs)), phase))])
    direct = time_value(terms, W, BATHS)
    real, imaginary = reduce_real(terms), reduce_imaginary(terms)
    assert form_value(real, W, BATHS) == pytest.approx(direct.real, abs=1e-8)
    assert form_value(imaginary, W, BATHS) == pytest.approx(direct.imag, abs=1e-8)
    assert all(not z.im for _, z in real)


@given(st.lists(st.tuples(coefficients, factors, phases), min_size=2, max_size=3))
def test_reduction_is_linear(parts):
    pieces = [TimeIntegrand.collect(4, [Term(z, Shape(tuple(sorted(f)), p))]) for z, f, p in parts]
    reduced = [reduce_real(piece) for piece in pieces]
    total = pieces[0]
    for piece in pieces[1:]:
        total = total + piece
    combined = ZERO_FORM
    for piece in reduced:
        combined = combined + piece
    assert reduce_real(total) == combined


def test_what_cannot_be_reduced_says_so():
    message = "order 6: closed spectral forms .* stay in the time domain; .* --order N` has numbers"
    with pytest.raises(NotReducible, match=message) as caught:
        reduce_real(generator_element(laird(), 6, (0, 0, 0, 0)))
    assert isinstance(caught.value, NotYetDerivable)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    shape = Shape((Factor(1, 1, "C1"), Factor(3, 3, "C1")), ((0,), (0,), (0,)))
    with pytest.raises(ValueError, match="neither crossing nor nested"):
        reduce_real(TimeIntegrand.collect(4, [Term(ONE, shape)]))
    kernel = Kernel(("a", False), ("b", False), True, 0, 1, (1,), (0,), ())

    def polynomial(*terms):
        return [(kernel._replace(p=p, q=q), Gaussian(z)) for p, q, z in terms]

    message = "is no polynomial in the difference of the arc lengths; "
    for wrong in (
        polynomial((0, 1, 1)),
        polynomial((1, 0, 1)),
        polynomial((1, 0, 1), (0, 1, 1)),
        polynomial((2, 0, 1), (1, 1, -2)),
        polynomial((1, 0, 1), (0, 1, -1), (1, 1, 1)),
    ):
        with pytest.raises(NotReducible, match=message):
            list(powers_of_difference(wrong))
    square = polynomial((2, 0, 3), (1, 1, -6), (0, 2, 3))
    group = kernel._replace(q=0)
    assert list(powers_of_difference(square)) == [(group, Gaussian(3), 2)]
    both = [*square, *polynomial((0, 1, 5), (1, 0, -5), (0, 0, 7))]
    assert sorted(powers_of_difference(both), key=lambda item: item[2]) == [
        (group, Gaussian(7), 0),
        (group, Gaussian(-5), 1),
        (group, Gaussian(3), 2),
    ]


def test_kernels_that_cancel_are_dropped():
    kernel = Kernel(("a", False), ("b", False), True, 0, 1, (1,), (0,), ())
    assert collect([(kernel, ONE), (kernel, ONE)]) == {kernel: Gaussian(2)}
    assert collect([(kernel, ONE), (kernel, -ONE)]) == {}
    assert collect([(kernel, Gaussian())]) == {}


@pytest.mark.parametrize("m", range(4))
@pytest.mark.parametrize("starred", [False, True])
def test_the_rest_of_any_power_against_its_double_integral(m, starred):
    """Re z int int du dv A(u) B(v) sgn(u - v) (u - v)^m exp(-i(alpha u + beta v)) / w."""
    kernel = Kernel(("a", False), ("b", starred), True, 0, 0, (1,), (-3,), (((1,), 1),))
    z, w = Gaussian(2, -3), 0.7
    direct = 0j
    for c, nu in zip(BATHS["a"].c, BATHS["a"].nu, strict=True):
        for d, mu in zip(BATHS["b"].c, BATHS["b"].nu, strict=True):
            if starred:
                d, mu = np.conj(d), np.conj(mu)
            x, y = nu + 1j * w, mu - 3j * w
            # s = |u - v|, and the shorter length runs freely
            direct += c * d / (x + y) * factorial(m) * (x ** -(m + 1) - (-1) ** m * y ** -(m + 1))
    expected = (complex(z) * direct).real / w
    assert form_value(_rest_integral(kernel, z, m), (w,), BATHS) == pytest.approx(expected)


def test_quantities_by_name():
    assert parse_element("R_1010") == (1, 0, 1, 0)
    for name in QUANTITIES:
        assert LAIRD.series(name)[2].name == name
    assert LAIRD.series("R_1010")[4].imaginary
    for bad in ("k_sideways", "R_1020", "R_10", "1010"):
        with pytest.raises(ValueError, match="unknown"):
            LAIRD.series(bad)
    with pytest.raises(ValueError, match="2 levels, got 3"):
        Bloch(independent_baths(3, [(((ONE,) * 3,) * 3, "x")]))
