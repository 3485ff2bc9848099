"""Ordered cumulants, Wick pairings, Liouville paths."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pertsym.equations.models import independent_baths, laird
from pertsym.exact import Gaussian
from pertsym.expansion.cumulants import ordered_cumulant, word_coefficients
from pertsym.expansion.interaction import Interaction, level_energies
from pertsym.expansion.moments import generator_in_moments, ordered_cumulant_blocks
from pertsym.expansion.pairings import is_irreducible, pairings
from pertsym.expansion.paths import generator_element
from pertsym.expansion.terms import Factor, Shape, Term, TimeIntegrand, conjugate
from pertsym.reduction.arc_length_reduction import reduce_imaginary, reduce_real

from .spectral_numbers import ExponentialBath, time_value

ONE, ZERO, IMAGINARY = Gaussian(1), Gaussian(), Gaussian(0, 1)
SIGMA_X = ((ZERO, ONE), (ONE, ZERO))
SIGMA_Y = ((ZERO, -IMAGINARY), (IMAGINARY, ZERO))
SIGMA_Z = ((-ONE, ZERO), (ZERO, ONE))


@pytest.mark.parametrize(
    ("order", "everything", "surviving", "terms", "words"),
    [
        (2, 1, 1, 1, 1),
        (4, 3, 2, 4, 3),
        (6, 15, 10, 52, 30),
        (8, 105, 74, 1336, 630),
        (10, 945, 706, 58048, 22680),
    ],
)
def test_counts(order, everything, surviving, terms, words):
    cumulant = list(ordered_cumulant(order))
    assert sum(1 for _ in pairings(order)) == everything
    assert len(cumulant) == surviving
    assert sum(len(w) for _, w in cumulant) == terms
    assert len({word for _, w in cumulant for word in w}) == words
    assert {sign for _, w in cumulant for sign in w.values()} <= {1, -1}


@pytest.mark.parametrize("order", [2, 4, 6, 8])
def test_reducible_pairings_cancel_identically(order):
    for pairing in pairings(order):
        assert bool(word_coefficients(pairing)) == is_irreducible(pairing)


def test_order_four_words():
    assert dict(ordered_cumulant(4)) == {
        ((0, 2), (1, 3)): {(0, 1, 2, 3): 1, (0, 2, 1, 3): -1},
        ((0, 3), (1, 2)): {(0, 1, 2, 3): 1, (0, 3, 1, 2): -1},
    }


@pytest.mark.parametrize("order", [2, 4, 6])
def test_words_are_the_pairings_of_the_blocks_of_the_general_cumulant(order):
    """Independent route: Wick's theorem inside every block of the general ordered cumulant."""
    brute: dict[tuple, Counter] = {}
    for blocks, sign in ordered_cumulant_blocks(order).items():
        inside = [()]
        for block in blocks:
            chosen = [
                tuple((block[i], block[j]) for i, j in pairing) for pairing in pairings(len(block))
            ]
            inside = [done + pairs for done in inside for pairs in chosen]
        word = tuple(time for block in blocks for time in block)
        for pairing in inside:
            brute.setdefault(tuple(sorted(pairing)), Counter())[word] += sign
    expected = {
        pairing: {word: sign for word, sign in words.items() if sign}
        for pairing, words in brute.items()
        if any(words.values())
    }
    assert {p: dict(w) for p, w in ordered_cumulant(order)} == expected


@pytest.mark.parametrize("order", [0, -2, 1, 3])
def test_odd_orders_are_refused(order):
    message = (
        f"^order: must be a positive even integer, got {order}; odd orders of a centred "
        "Gaussian bath vanish$"
    )
    with pytest.raises(ValueError, match=message):
        list(pairings(order))


def test_generator_in_moments_solves_the_definition():
    """R Phi = dPhi/dt order by order, with matrices that do not commute."""
    rng = np.random.default_rng(1)
    moment = {n: rng.normal(size=(3, 3)) for n in (2, 4, 6)}
    slope = {n: rng.normal(size=(3, 3)) for n in (2, 4, 6)}
    r = {}
    for n in (2, 4, 6):
        r[n] = np.zeros((3, 3))
        for word, coefficient in generator_in_moments(n).items():
            product = slope[word[0]]
            for k in word[1:]:
                product = product @ moment[k]
            r[n] += float(coefficient) * product
    for n in (2, 4, 6):
        left = r[n] + sum(r[n - k] @ moment[k] / factorial(k) for k in range(2, n, 2))
        assert np.allclose(left, slope[n] / factorial(n))


def test_moments_of_order_four_are_the_papers():
    assert generator_in_moments(2) == {(2,): Fraction(1, 2)}
    assert generator_in_moments(4) == {(4,): Fraction(1, 24), (2, 2): Fraction(-1, 4)}
    assert ordered_cumulant_blocks(4) == {
        ((0, 1, 2, 3),): 1,
        ((0, 1), (2, 3)): -1,
        ((0, 2), (1, 3)): -1,
        ((0, 3), (1, 2)): -1,
    }


# Eq. (90) as EQUATIONS reads it: sign, arcs, phase; the overall factor is -2 Re.
TEN_TERMS = [
    (+1, ("C2", 1, "123"), ("C2", 0, "2"), (1, 0, -1)),
    (+1, ("C2", 1, "123"), ("C2", 1, "2"), (1, 0, -1)),
    (+1, ("C2", 0, "12"), ("C2", 0, "23"), (1, 0, 1)),
    (+1, ("C2", 1, "12"), ("C2", 0, "23"), (1, 0, 1)),
    (+1, ("C1", 0, "123"), ("C1", 0, "2"), (1, 0, 1)),
    (-1, ("C1", 1, "123"), ("C1", 1, "2"), (1, 0, 1)),
    (-1, ("C1", 0, "12"), ("C1", 0, "23"), (1, 2, 1)),
    (-1, ("C1", 1, "12"), ("C1", 0, "23"), (1, 2, 1)),
    (-1, ("C1", 0, "123"), ("C1", 0, "2"), (1, 2, 1)),
    (-1, ("C1", 1, "123"), ("C1", 0, "2"), (1, 2, 1)),
]


def _term(sign, first, second, phase):
    factors = tuple(
        Factor(int(gaps[0]), int(gaps[-1]), name, bool(star))
        for name, star, gaps in (first, second)
    )
    return Term(Gaussian(-2 * sign), Shape(tuple(sorted(factors)), tuple((x,) for x in phase)))


def test_the_ten_terms_of_equation_90():
    terms = generator_element(laird(), 4, (0, 0, 0, 0)).scaled(-ONE).real_parts()
    assert set(terms) == {_term(*term) for term in TEN_TERMS}
    assert terms.real_part


def test_second_order_terms():
    (term,) = generator_element(laird(), 2, (1, 1, 0, 0)).real_parts()
    assert term == Term(Gaussian(2), Shape((Factor(1, 1, "C1"),), ((1,),)))
    (down,) = generator_element(laird(), 2, (0, 0, 1, 1)).real_parts()
    assert down.shape.factors == (Factor(1, 1, "C1", True),)
    assert down.shape.phase == ((1,),)


MODELS = {
    "laird": laird(),
    "xy": independent_baths(2, [(SIGMA_X, "x"), (SIGMA_Y, "y")]),
    "biased": independent_baths(2, [(SIGMA_X, "b"), (SIGMA_Z, "b")]),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("order", [2, 4])
def test_trace_and_hermiticity_term_by_term(model, order):
    interaction = MODELS[model]
    for c in (0, 1):
        for d in (0, 1):
            upper = generator_element(interaction, order, (0, 0, c, d))
            lower = generator_element(interaction, order, (1, 1, c, d))
            assert not (upper + lower).terms
            for a in (0, 1):
                for b in (0, 1):
                    element = generator_element(interaction, order, (a, b, c, d))
                    mirrored = generator_element(interaction, order, (b, a, d, c))
                    assert element.conjugated() == mirrored


def test_parity_of_off_diagonal_coupling():
    """R_{aa'bb'} = 0 for odd a + a' + b + b' (below Eq. (43))."""
    for element in ((0, 0, 0, 1), (0, 1, 0, 0), (1, 0, 1, 1)):
        assert not generator_element(laird(), 4, element).terms
        assert generator_element(MODELS["biased"], 4, element).terms


def test_x_and_y_baths_are_lairds_combinations():
    """C1 = C_X + C_Y, C2 = C_X - C_Y, and H_I = X sigma_x + Y sigma_y, numerically."""
    x = ExponentialBath((0.4 + 0.1j, 0.2), (1.0 + 0.3j, 0.5 - 0.7j))
    y = ExponentialBath((0.3 - 0.2j,), (0.8 + 0.2j,))
    minus = ExponentialBath(x.c + tuple(-c for c in y.c), x.nu + y.nu)
    plus = ExponentialBath(x.c + y.c, x.nu + y.nu)
    for element in ((0, 0, 0, 0), (1, 1, 1, 1), (1, 0, 1, 0), (1, 0, 0, 1)):
        one = time_value(generator_element(laird(), 4, element), (1.1,), {"C1": plus, "C2": minus})
        two = time_value(generator_element(MODELS["xy"], 4, element), (1.1,), {"x": x, "y": y})
        assert one == pytest.approx(two, rel=1e-12)


def test_classical_bath_is_its_own_conjugate():
    quantum = generator_element(laird(), 4, (0, 0, 0, 0))
    stochastic = generator_element(laird(real=("C1", "C2")), 4, (0, 0, 0, 0))
    bath = ExponentialBath((0.7,), (1.3,))  # a real correlation function: both must agree
    baths = {"C1": bath, "C2": ExponentialBath((0.2, 0.1), (0.4, 2.0))}
    assert len(stochastic) < len(quantum)
    assert not any(f.conjugate for term in stochastic for f in term.shape.factors)
    assert time_value(stochastic, (0.9,), baths) == pytest.approx(
        time_value(quantum, (0.9,), baths)
    )
    four = generator_element(laird(real=("C1", "C2")), 4, (0, 0, 0, 0)).scaled(-ONE).real_parts()
    assert sorted(term.coefficient.re for term in four) == [-4, -4, 4, 4]  # Eq. (136)


def test_spectator_level_stays_out():
    """A third, uncoupled level does not decay, and changes no term of the others."""
    three = independent_baths(
        3, [(((ZERO, ONE, ZERO), (ONE, ZERO, ZERO), (ZERO, ZERO, ZERO)), "x")]
    )
    two = independent_baths(2, [(SIGMA_X, "x")])
    assert not generator_element(three, 4, (2, 2, 2, 2)).terms
    for element in ((0, 0, 0, 0), (1, 0, 0, 1)):
        wide = generator_element(three, 4, element)
        narrow = generator_element(two, 4, element)
        dropped = TimeIntegrand.collect(
            4,
            [Term(z, Shape(shape.factors, tuple(x[:1] for x in shape.phase))) for z, shape in wide],
        )
        assert all(x[1] == 0 for _, shape in wide for x in shape.phase)
        assert dropped == narrow


def test_pure_dephasing_vanishes_beyond_second_order():
    """The S_a commute with H_S and each other: every higher cumulant is zero when integrated."""
    z = independent_baths(2, [(SIGMA_Z, "z")])
    baths = {"z": ExponentialBath((0.4 + 0.3j, 0.2), (0.7 + 0.2j, 1.1 - 0.4j))}
    second = time_value(generator_element(z, 2, (1, 0, 1, 0)), (1.0,), baths)
    assert second.real == pytest.approx(-4 * np.real(baths["z"].half_sided(0)))
    for order in (4, 6):
        assert not generator_element(z, order, (1, 0, 1, 0)).real_parts().terms or abs(
            time_value(generator_element(z, order, (1, 0, 1, 0)), (1.0,), baths)
        ) == pytest.approx(0, abs=1e-12)


def test_bad_interactions_are_refused():
    raising = ((1, 0, ONE),)
    message = r"operators\[0\]: its adjoint is not operators\[0\]; H_I must be Hermitian$"
    with pytest.raises(ValueError, match=message):
        Interaction(level_energies(2), (raising,), (0,), {(0, 0): "x"})
    lowering = ((0, 1, ONE),)
    with pytest.raises(ValueError, match="adjoint pair"):
        Interaction(level_energies(2), (raising, lowering), (1, 0), {(0, 0): "a", (1, 1): "b"})
    with pytest.raises(ValueError, match="at least 2 levels"):
        level_energies(1)
    diagonal = ((0, 0, ONE),)
    ragged = Interaction(((0,), (1, 0)), (diagonal,), (0,), {(0, 0): "x"})
    for final, initial in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match=r"shorter|longer"):
            ragged.transition(final, initial)
    for element in ((0, 0, 0, 2), (0, 0, -1, 0), (0, 0, 0)):
        with pytest.raises(ValueError, match="four level indices below 2"):
            generator_element(laird(), 2, element)


def test_an_interaction_keeps_its_own_correlations():
    correlations = {(0, 0): "x"}
    interaction = Interaction(level_energies(2), (((0, 0, ONE),),), (0,), correlations)
    correlations[0, 0] = "y"
    assert interaction.correlations == {(0, 0): "x"}
    with pytest.raises(TypeError):
        interaction.correlations[0, 0] = "y"


def test_level_energies_are_gaps_to_the_ground_state():
    assert level_energies(3) == ((0, 0), (1, 0), (0, 1))
    assert MODELS["xy"].transition(0, 1) == (-1,)


# --- canonical terms -------------------------------------------------------------------------

factors = st.sampled_from(
    [((1, 2), (2, 3)), ((1, 3), (2, 2))],
).flatmap(
    lambda arcs: st.tuples(
        *(
            st.builds(
                Factor,
                st.just(first),
                st.just(last),
                st.sampled_from(["a", "b"]),
                st.booleans(),
            )
            for first, last in arcs
        )
    )
)
terms = st.builds(
    lambda re, im, fs, phase: Term(
        Gaussian(re, im), Shape(tuple(sorted(fs)), tuple((x,) for x in phase))
    ),
    st.integers(-3, 3),
    st.integers(-3, 3),
    factors,
    st.tuples(*[st.integers(-2, 2)] * 3),
)
BATHS = {
    "a": ExponentialBath((0.5 + 0.2j, -0.3j), (0.9 + 0.4j, 1.7 - 0.3j)),
    "b": ExponentialBath((0.3 - 0.6j,), (0.6 - 0.5j,)),
}


def test_reversing_the_frequencies_of_a_complex_sum_only_turns_its_phases():
    factor = (Factor(1, 1, "a"),)
    f = TimeIntegrand.collect(2, [Term(Gaussian(2, 1), Shape(factor, ((1,),)))])
    g = TimeIntegrand.collect(2, [Term(Gaussian(2, 1), Shape(factor, ((-1,),)))])
    assert f.reversed_frequencies() == g
    assert g.reversed_frequencies() == f


@given(st.lists(terms, max_size=4), st.lists(terms, max_size=4))
def test_algebra_of_integrands_is_that_of_their_values(one, two):
    f, g = TimeIntegrand.collect(4, one), TimeIntegrand.collect(4, two)
    w = (0.83,)
    value = time_value(f, w, BATHS)
    assert time_value(f + g, w, BATHS) == pytest.approx(value + time_value(g, w, BATHS), abs=1e-9)
    assert time_value(f.scaled(Gaussian(2, -1)), w, BATHS) == pytest.approx((2 - 1j) * value)
    assert time_value(f.conjugated(), w, BATHS) == pytest.approx(np.conj(value))
    assert time_value(f.real_parts(), w, BATHS) == pytest.approx(value.real, abs=1e-9)
    reversed_value = time_value(f, (-0.83,), BATHS)
    assert time_value(f.reversed_frequencies(), w, BATHS) == pytest.approx(reversed_value)
    assert time_value(f.real_parts().reversed_frequencies(), w, BATHS) == pytest.approx(
        reversed_value.real, abs=1e-9
    )
    assert f.conjugated().conjugated() == f
    assert f.real_parts() == f.conjugated().real_parts()  # one representative per pair
    assert all(term.coefficient for term in f + g)
    assert [t.shape for t in f] == sorted({t.shape for t in f})


@given(terms)
def test_representatives_have_positive_leading_phase(term):
    (kept,) = TimeIntegrand.collect(4, [Term(ONE, term.shape)]).real_parts().terms
    leading = next((x for (x,) in kept.shape.phase if x), 0)
    assert leading >= 0
    if not leading:
        assert kept.shape <= conjugate(kept, frozenset()).shape


def test_integrands_that_do_not_fit_are_refused():
    f = TimeIntegrand.collect(4, [_term(*TEN_TERMS[0])])
    message = "^cannot add integrands of different order, or a real part to a complex sum$"
    with pytest.raises(ValueError, match=message):
        f + f.real_parts()
    with pytest.raises(ValueError, match=message):
        f + TimeIntegrand(2, ())
    with pytest.raises(ValueError, match="real number"):
        f.real_parts().scaled(IMAGINARY)
    assert len(f.real_parts().scaled(Gaussian(2))) == 1


def test_conjugated_contractions_are_those_of_the_adjoint_operators():
    """<B_b(0) B_a(t)> = <B_a^+(t) B_b^+(0)>*: with <Lam Lam^+> unlike <Lam^+ Lam>."""
    raising, lowering = ((1, 0, ONE),), ((0, 1, ONE),)
    unlike = Interaction(level_energies(2), (raising, lowering), (1, 0), {(0, 1): "U", (1, 0): "V"})
    up = generator_element(unlike, 2, (1, 1, 0, 0))
    assert {(f.name, f.conjugate) for _, shape in up for f in shape.factors} == {
        ("V", False),
        ("V", True),
    }
    down = generator_element(unlike, 2, (0, 0, 1, 1))
    assert {f.name for _, shape in down for f in shape.factors} == {"U"}
    for order in (2, 4):
        element = generator_element(unlike, order, (1, 0, 1, 0))
        assert element.conjugated() == generator_element(unlike, order, (0, 1, 0, 1))
        populations = generator_element(unlike, order, (0, 0, 0, 0))
        assert populations.conjugated() == populations


def test_kinds_of_integrals_are_known_to_all_readers():
    kinds = {
        integral.kind
        for element in ((1, 0, 1, 0), (1, 0, 0, 1))
        for reduce in (reduce_real, reduce_imaginary)
        for integral in reduce(generator_element(MODELS["biased"], 4, element)).integrals
    }
    assert kinds == {"CC", "CP"}


def test_a_shape_that_is_its_own_conjugate_keeps_the_real_coefficient():
    """A real correlation function without phase: Re{(2 + 3i) C} = 2 C."""
    shape = Shape((Factor(1, 1, "r"),), ((0,),))
    f = TimeIntegrand.collect(2, [Term(Gaussian(2, 3), shape)], frozenset({"r"}))
    assert f.real_parts().terms == (Term(Gaussian(2), shape),)
    assert f.real_parts().real == {"r"}
    starred = Shape((Factor(1, 1, "q", True),), ((0,),))
    plain = Shape((Factor(1, 1, "q"),), ((0,),))
    g = TimeIntegrand.collect(2, [Term(Gaussian(2, 3), starred)])
    assert g.real_parts().terms == (Term(Gaussian(2, -3), plain),)


def test_what_is_real_stays_known():
    f = TimeIntegrand.collect(2, [Term(ONE, Shape((Factor(1, 1, "r"),), ((1,),)))], frozenset("r"))
    g = TimeIntegrand.collect(2, [Term(ONE, Shape((Factor(1, 1, "s"),), ((1,),)))], frozenset("s"))
    assert (f + g).real == {"r", "s"}
    total = f.real_parts() + g.real_parts()
    assert total.real_part
    assert total.scaled(Gaussian(3)).real_part
    (kept,) = f.real_parts().reversed_frequencies().terms
    assert kept.shape.phase == ((1,),)
