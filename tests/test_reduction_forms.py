"""The algebra of spectral forms, and which of them have a numerical value."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pertsym.equations.bloch import Bloch
from pertsym.equations.models import laird
from pertsym.exact import Gaussian
from pertsym.expansion.paths import generator_element
from pertsym.reduction.arc_length_reduction import reduce_imaginary
from pertsym.reduction.spectral import (
    ZERO_FORM,
    CannotEvaluate,
    Monomial,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
    added,
    half_sided,
    monomial,
    reciprocal,
    require_evaluable,
    subtracted,
)

from .spectral_numbers import form_value, integral_value
from .test_expansion import BATHS, MODELS, ONE

LAIRD = Bloch(laird())
W = (0.83, 1.57)


def value(kind, name, derivative, n):
    return Value(kind, name, derivative, (n,))


atoms = st.builds(
    Value,
    st.sampled_from("CP"),
    st.sampled_from(["a", "b"]),
    st.integers(0, 2),
    st.tuples(st.integers(-2, 2), st.integers(-1, 1)),
)
forms = st.lists(
    st.tuples(
        st.integers(-3, 3),
        st.integers(-2, 1),
        st.sampled_from([(), (((1, 0), 1),), (((1, -1), 2),)]),
        st.lists(atoms, max_size=2),
    ),
    max_size=4,
).map(
    lambda terms: SpectralForm.collect(
        (Monomial(p, d, tuple(a)), Gaussian(z)) for z, p, d, a in terms
    )
)


@given(forms, forms)
def test_form_algebra_is_that_of_values(f, g):
    x, y = form_value(f, W, BATHS), form_value(g, W, BATHS)
    assert form_value(f + g, W, BATHS) == pytest.approx(x + y, abs=1e-8)
    assert form_value(f - g, W, BATHS) == pytest.approx(x - y, abs=1e-8)
    assert form_value(f * g, W, BATHS) == pytest.approx(x * y, abs=1e-6, rel=1e-9)
    assert form_value(f.scaled(Gaussian(3), -1, (((0, 1), 2),)), W, BATHS) == pytest.approx(
        3 * x / np.pi / W[1] ** 2
    )
    mirrored = tuple(-w for w in W)
    assert form_value(f.reversed_frequencies(), W, BATHS) == pytest.approx(
        form_value(f, mirrored, BATHS)
    )
    assert f - f == ZERO_FORM
    assert not (f - f)
    assert f * g == g * f
    assert f.conjugated() == f


@given(
    st.sampled_from(["a", "b"]),
    st.sampled_from(["a", "b"]),
    st.sampled_from([-1, 1]),
    st.integers(-2, 2),
    st.integers(-2, 2),
    st.integers(1, 2),
    st.sampled_from(["CC", "CP"]),
)
def test_integrals_have_one_canonical_orientation(a, b, reflect, shift, pole, n, kind):
    raw = SpectralIntegral(kind, a, b, reflect, (shift,), (pole,), n)
    canonical = monomial(ONE, raw)
    plain = integral_value(raw, (0.7,), BATHS)
    assert form_value(canonical, (0.7,), BATHS) == pytest.approx(plain, abs=1e-7)
    assert len(canonical.terms) <= 1
    if kind == "CC":
        moved = shift - pole if reflect < 0 else shift + pole
        mirrored = SpectralIntegral(
            kind, b, a, reflect, (shift if reflect < 0 else -shift,), (moved,), n
        )
        sign = (-1) ** n if reflect < 0 else 1
        assert monomial(Gaussian(sign), mirrored) == canonical


def test_half_sided_is_half_the_spectrum_minus_i_over_two_pi_the_transform():
    for m in (0, 1, 2):
        g = half_sided("a", (1,), m) if m else half_sided("a", (1,))
        real = form_value((g + g.conjugated()).scaled(Gaussian(Fraction(1, 2))), (0.6,), BATHS)
        imaginary = (g - g.conjugated()).scaled(Gaussian(0, Fraction(-1, 2)))
        exact = BATHS["a"].half_sided(0.6, m)
        assert real == pytest.approx(exact.real)
        assert form_value(imaginary, (0.6,), BATHS) == pytest.approx(exact.imag)


def test_reciprocals_are_primitive():
    assert reciprocal((-2, 4)) == ((((1, -2), 1),), Fraction(-1, 2))
    assert reciprocal((0, -3), 2) == ((((0, 1), 2),), Fraction(1, 9))
    for form in ((-2, 4), (1, 3), (0, 5)):
        ((primitive, _),), _ = reciprocal(form)
        assert all(isinstance(x, int) for x in primitive)
    message = "^reciprocal of a vanishing frequency: a resonance was not treated$"
    with pytest.raises(ZeroDivisionError, match=message):
        reciprocal((0, 0))


def test_frequencies_of_different_systems_do_not_mix():
    assert added((1, -2), (0, 3)) == (1, 1)
    assert subtracted((1, -2), (0, 3)) == (1, -5)
    for combine in (added, subtracted):
        with pytest.raises(ValueError, match="longer"):
            combine((1,), (1, 2))


def test_thermal_factors_merge():
    once = monomial(ONE, Thermal("T", 1, (1,)))
    assert (once * once).terms == ((Monomial(0, (), (Thermal("T", 2, (2,)),)), ONE),)
    inverse = monomial(ONE, Thermal("T", -1, (-1,)))
    assert once * inverse == monomial(ONE)
    assert once.reversed_frequencies() == monomial(ONE, Thermal("T", 1, (-1,)))
    beta, w = 0.7, (1.3,)
    for power, n in ((1, 0), (0, 1), (2, -1)):
        factor = form_value(monomial(ONE, Thermal("T", power, (n,))), w, {}, beta)
        assert factor == pytest.approx(beta**power * np.exp(-beta * n * 1.3))


def test_signs_of_several_turned_integrals_multiply():
    one = SpectralIntegral("CC", "b", "a", -1, (0,), (1,), 1)
    two = SpectralIntegral("CC", "b", "a", -1, (2,), (-1,), 1)
    three = SpectralIntegral("CC", "b", "a", -1, (1,), (2,), 2)
    for integrals in ((one, two), (one, three), (three, one)):
        product = monomial(ONE)
        for integral in integrals:
            product = product * monomial(ONE, integral)
        assert monomial(ONE, *integrals) == product
    assert monomial(ONE, one).terms[0][1] == -ONE


SPECTRA = SpectralIntegral("CC", "a", "b", -1, (0,), (1,), 2)
ALIKE = SPECTRA._replace(reflect=1)
TRANSFORM = SPECTRA._replace(kind="CP")
NUMBER = value("C", "a", 0, 1)


@pytest.mark.parametrize(
    ("atoms", "over"),
    [
        ((NUMBER, SPECTRA), "two spectra"),
        ((NUMBER, ALIKE), "two spectra"),
        ((NUMBER, TRANSFORM), "a spectrum and a transform"),
    ],
)
def test_integrals_without_a_numerical_routine_are_refused(atoms, over):
    message = (
        rf"^it holds a principal-value integral over {over} \(a and b\) that has no numerical "
        "routine yet; such integrals come from a diagonal part of a coupling in the energy "
        "eigenbasis$"
    )
    form = monomial(ONE, NUMBER, NUMBER) + monomial(ONE, *atoms)
    with pytest.raises(CannotEvaluate, match=message):
        require_evaluable(form)


def test_what_can_be_evaluated_passes():
    require_evaluable(ZERO_FORM)
    for atom in (SPECTRA, ALIKE, TRANSFORM):
        require_evaluable(monomial(ONE, NUMBER, NUMBER) + monomial(ONE, atom))
    require_evaluable(LAIRD.inv_T2[4].form)
    biased = reduce_imaginary(generator_element(MODELS["biased"], 4, (1, 0, 1, 0)))
    assert "CP" in {integral.kind for integral in biased.integrals}
    require_evaluable(biased)
    message = "^only forms with real coefficients have a numerical value$"
    for coefficient in (Gaussian(0, 1), Gaussian(1, -2)):
        with pytest.raises(ValueError, match=message):
            require_evaluable(monomial(coefficient, NUMBER))


def test_atoms_of_a_form():
    f = LAIRD.inv_T2[4].form
    assert {a.order for a in f.integrals} == {1, 2}
    assert value("C", "C2", 0, -1) in f.values
    assert list(f.values) == sorted(f.values)
    assert len(list(f)) == len(f.terms)
