"""The generalized-function route: pairing, chains, whole terms, and agreement with arc lengths.

The numbers come from spectra p(w) exp(-w^2), whose correlation functions are elementary: time
integrals are done directly, principal values by symmetric nodes about the pole.
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pertsym.distributions import NotClosed, UncancelledPinch, orient_chains
from pertsym.distributions.chains import mirror
from pertsym.distributions.closing import Spectrum, close
from pertsym.distributions.generalized import Product
from pertsym.distributions.identities import P, delta, fp, term
from pertsym.distributions.notation import product_text, term_text
from pertsym.distributions.numerics import pair
from pertsym.distributions.route import (
    assemble,
    integrated_over_times,
    limit,
    paired_with_spectra,
    reduce_imaginary,
    reduce_real,
    released,
    trace,
)
from pertsym.equations.thermal import classical
from pertsym.exact import Gaussian
from pertsym.expansion.paths import generator_element
from pertsym.expansion.terms import Factor, Shape, Term, TimeIntegrand
from pertsym.reduction import arc_length_reduction as arc_route
from pertsym.reduction.spectral import (
    SpectralForm,
    SpectralIntegral,
    Value,
    monomial,
)
from tests.route_values import (
    BACK,
    BIASED,
    BLOCH,
    CLASSICAL,
    LAIRD,
    ONE,
    SPECTRA,
    TWO_BATHS,
    W0,
    A,
    B,
    V,
    W,
    Z,
    argument,
    atom_value,
    composite,
    form_value,
    number,
)


@pytest.mark.parametrize("signs", [(1, 1), (1, -1), (-1, 1), (-1, -1)])
@pytest.mark.parametrize(
    "factors",
    [
        (delta(W), delta(V)),
        (delta(W, 1), delta(V)),
        (delta(argument(-1, 0, 2), 1), fp(V)),
        (fp(W, 2), delta(V)),
        (fp(argument(-1, 0, 2)), fp(V)),
        (fp(W), fp(V, 2)),
        (delta(W), delta(Z)),
        (delta(W, 1), delta(Z)),
        (delta(W, 1), fp(Z)),
        (delta(V, 1), fp(BACK)),
        (fp(W), delta(Z)),
        (fp(V, 2), delta(BACK)),
        (fp(W), fp(Z)),
        (fp(V), fp(BACK)),
        (fp(V, 2), fp(Z)),
        (fp(argument(0, -1, 1), 2), fp(Z)),
        (fp(argument(0, -1, 1)), fp(Z)),
    ],
)
def test_closed_pairings_agree_with_quadrature(factors, signs) -> None:
    spectra = (Spectrum("A", signs[0]), Spectrum("B", signs[1]))
    f, g = (
        (bump if s > 0 else bump.mirrored()).test_function()
        for bump, s in zip((A, B), signs, strict=True)
    )
    product = term(Fraction(3, 2), *factors, pi=1)
    assert form_value(close(product, spectra)) == pytest.approx(
        pair((product,), f, g, a=W0), abs=1e-9
    )


def test_closing_scales_and_divides() -> None:
    product = Product(Gaussian(0, 2), -1, 0, (((1,), 1),), (delta(W), delta(V)))
    ((m, z),) = close(product, (Spectrum("A", 1), Spectrum("B", 1)))
    assert (m.pi_power, m.denominators, z) == (-1, (((1,), 1),), Gaussian(0, 2))
    assert m.atoms == (Value("C", "A", 0, (-1,)), Value("C", "B", 0, (2,)))


def test_what_cannot_be_closed_is_named() -> None:
    both = (Spectrum("A", 1), Spectrum("B", 1))
    for factors, reason in (
        ((P(W), delta(V)), "no pairing for P"),
        ((delta(argument(1, -1)), delta(V)), "no pairing for DELTA"),
        ((delta(Z), fp(argument(1, 1, 1))), "not independent"),
        ((fp(W), fp(Z, 2)), "has to be moved first"),
        ((fp(W), delta(Z, 1)), "has to be moved first"),
    ):
        with pytest.raises(NotClosed, match=rf"\(w.*{reason}"):
            close(term(1, *factors), both)


def test_spectrum_of_a_conjugated_factor_is_reflected() -> None:
    assert Spectrum.of(Factor(1, 2, "A", True)) == Spectrum("A", -1)
    assert Spectrum.of(Factor(1, 2, "A")) == Spectrum("A", 1)


# --- chains -------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("reflect", [1, -1])
def test_both_orders_of_integration_agree(reflect: int, order: int) -> None:
    chain = SpectralIntegral("CP", "A", "B", reflect, (2,), (-1,), order)
    other, weight, products = mirror(chain)
    assert (other.name, other.other) == ("B", "A")
    assert atom_value(chain) == pytest.approx(
        (form_value(products) + weight * atom_value(other)).real, abs=1e-9
    )
    back, weight_back, _ = mirror(other)
    assert (back, weight_back) == (chain, weight)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("reflect", [1, -1])
@pytest.mark.parametrize("names", ["AB", "BA", "AA"])
@pytest.mark.parametrize("shift", [0, -1, 2])
def test_orientation_keeps_the_value(names, reflect, order, shift) -> None:
    chain = SpectralIntegral("CP", *names, reflect, (shift,), (-1,), order)
    rest = Value("C", "A", 1, (1,))
    form = monomial(Gaussian(3), chain, rest, pi_power=-1, denominators=(((1,), 1),))
    turned = orient_chains(form)
    assert form_value(turned) == pytest.approx(form_value(form), abs=1e-9)
    assert orient_chains(turned) == turned
    assert all(i.name >= i.other for i in turned.integrals)
    if names == "AA" and shift in (0, -1):
        equal = mirror(chain)[0]
        assert orient_chains(monomial(Gaussian(3), equal)) - orient_chains(
            monomial(Gaussian(3), equal)
        ) == SpectralForm(())


def test_a_chain_that_mirrors_itself_closes() -> None:
    # sigma = 2 p: q = p
    closed = orient_chains(monomial(ONE, SpectralIntegral("CP", "A", "A", -1, (-2,), (-1,), 1)))
    half = Gaussian.of("0.5")
    assert closed == monomial(half, *[Value("P", "A", 0, (-1,))] * 2) + monomial(
        half, *[Value("C", "A", 0, (-1,))] * 2, pi_power=2
    )
    stays = monomial(ONE, SpectralIntegral("CP", "A", "A", -1, (-2,), (-1,), 2))
    assert orient_chains(stays) == stays
    equal = orient_chains(monomial(ONE, SpectralIntegral("CP", "A", "A", 1, (0,), (-1,), 1)))
    assert equal == monomial(half, *[Value("P", "A", 0, (-1,))] * 2) - monomial(
        half, *[Value("C", "A", 0, (-1,))] * 2, pi_power=2
    )


def test_equal_names_choose_the_smaller_pole() -> None:
    pole_low = SpectralIntegral("CP", "A", "A", -1, (0,), (-1,), 1)
    pole_high = mirror(pole_low)[0]
    assert pole_high.pole == (1,)
    assert orient_chains(monomial(ONE, pole_low)) == monomial(ONE, pole_low)
    assert orient_chains(monomial(ONE, pole_high)).integrals == (pole_low,)


# --- whole terms against time integrals ---------------------------------------------------

TAU, DTAU = composite(np.linspace(0, 12, 7), 10)


def time_integral(integrand: TimeIntegrand) -> complex:
    n = integrand.order - 1
    axes = [TAU.reshape([-1 if i == k else 1 for i in range(n)]) for k in range(n)]
    total = 0j
    for z, (factors, phase, _) in integrand:
        values = np.ones([1] * n, dtype=complex)
        for f in factors:
            c = SPECTRA[f.name].correlation(sum(axes[f.first - 1 : f.last]))
            values = values * (c.conj() if f.conjugate else c)
        for x, tau in zip(phase, axes, strict=True):
            values = values * np.exp(-1j * number(x) * tau)
        for _ in range(n):
            values = values @ DTAU
        total += complex(z) * complex(values)
    return total


def crossing(a: str, b: str, *phase: int) -> Term:
    return _term((1, 2), (2, 3), a, b, phase)


def nested(a: str, b: str, *phase: int) -> Term:
    return _term((1, 3), (2, 2), a, b, phase)


def _term(first, second, a, b, phase) -> Term:
    factors = tuple(
        Factor(*arc, name.rstrip("*"), name.endswith("*"))
        for arc, name in ((first, a), (second, b))
    )
    return Term(Gaussian(Fraction(2, 3), -1), Shape(factors, tuple((x,) for x in phase)))


@pytest.mark.parametrize("a", ["A", "A*"])
@pytest.mark.parametrize("b", ["B", "B*", "A"])
@pytest.mark.parametrize(
    ("shape", "phase"),
    [
        (crossing, (1, 2, 1)),
        (crossing, (1, 0, -1)),
        (crossing, (1, 0, 1)),
        (crossing, (1, 3, -1)),
        (nested, (1, 0, 1)),
        (nested, (1, 2, -1)),
    ],
)
def test_one_term_against_its_time_integral(shape, phase, a, b) -> None:
    integrand = TimeIntegrand.collect(4, [shape(a, b, *phase)])
    exact = time_integral(integrand)
    assert form_value(reduce_real(integrand)) == pytest.approx(exact.real, abs=1e-9)
    assert form_value(reduce_imaginary(integrand)) == pytest.approx(exact.imag, abs=1e-9)


@pytest.mark.parametrize("name", ["A", "A*"])
def test_second_order_against_its_time_integral(name) -> None:
    arc = Factor(1, 1, name.rstrip("*"), name.endswith("*"))
    integrand = TimeIntegrand.collect(2, [Term(Gaussian(1, 2), Shape((arc,), ((-1,),)))])
    exact = time_integral(integrand)
    assert form_value(reduce_real(integrand)) == pytest.approx(exact.real, abs=1e-10)
    assert form_value(reduce_imaginary(integrand)) == pytest.approx(exact.imag, abs=1e-10)


# --- agreement of the two routes ----------------------------------------------------------


def both_routes(integrand: TimeIntegrand) -> None:
    for name in ("reduce_real", "reduce_imaginary"):
        first = getattr(arc_route, name)(integrand)
        # chains of a bath with itself have no orientation on the first route
        assert orient_chains(first) == globals()[name](integrand)


@pytest.mark.parametrize("element", BLOCH)
@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("interaction", [LAIRD, TWO_BATHS])
def test_routes_agree(interaction, order, element) -> None:
    both_routes(generator_element(interaction, order, element))


@pytest.mark.parametrize("element", BLOCH[2:])
def test_routes_agree_for_a_biased_system(element) -> None:
    both_routes(generator_element(BIASED, 4, element))


@pytest.mark.parametrize("element", BLOCH[:5])
def test_routes_agree_for_classical_baths(element) -> None:
    """Up to the parity of even spectra, which neither route uses."""
    integrand = generator_element(CLASSICAL, 4, element)
    names = CLASSICAL.real
    first = classical(orient_chains(arc_route.reduce_real(integrand)), names)
    assert first == classical(reduce_real(integrand), names)


@pytest.mark.parametrize("element", BLOCH[:5])
@pytest.mark.parametrize("order", [2, 4])
def test_routes_agree_to_the_letter_where_chains_close(order, element) -> None:
    integrand = generator_element(LAIRD, order, element)
    assert reduce_real(integrand) == arc_route.reduce_real(integrand)
    assert reduce_imaginary(integrand) == arc_route.reduce_imaginary(integrand)


def test_second_order_of_a_classical_bath_is_symmetrised() -> None:
    """P(w0) + P(-w0) of an even spectrum is found to vanish."""
    integrand = generator_element(CLASSICAL, 2, (0, 0, 0, 0))
    assert not reduce_imaginary(integrand)
    atoms = {atom for m, _ in reduce_real(integrand) for atom in m.atoms}
    assert atoms == {Value("C", "X", 0, (1,)), Value("C", "X", 0, (-1,))}


names = st.sampled_from(["A", "A*", "B", "B*"])
phases = st.tuples(*[st.integers(-2, 2)] * 3)
coefficients = st.builds(Gaussian, st.integers(-3, 3), st.integers(-3, 3))


@st.composite
def random_terms(draw):
    shape = draw(st.sampled_from([crossing, nested]))
    made = shape(draw(names), draw(names), *draw(phases))
    return Term(draw(coefficients), made.shape)


@settings(max_examples=25, deadline=None)
@given(random_terms())
def test_routes_agree_on_random_terms(term_) -> None:
    both_routes(TimeIntegrand.collect(4, [term_]))


def test_equation_91() -> None:
    """k10(4) of Laird, Budimir and Skinner in closed form."""

    def c(name, w, m=0):
        return monomial(ONE, Value("C", name, m, (w,)))

    def p(name, w, m=0):
        return monomial(ONE, Value("P", name, m, (w,)))

    expected = (
        (c("C2", -1) * (p("C2", 1) - p("C2", -1))).scaled(ONE, denominators=(((1,), 1),))
        + c("C1", -1, 1) * (p("C1", 1) - p("C1", -1))
        + p("C1", -1, 1) * (c("C1", 1) - c("C1", -1))
        - (c("C1", -1) * p("C1", 1, 1)).scaled(Gaussian(2))
    ).scaled(Gaussian(Fraction(1, 2)), pi_power=-1)
    k_up = generator_element(LAIRD, 4, (1, 1, 0, 0))
    assert reduce_real(k_up) == expected
    assert reduce_real(k_up.real_parts()) == expected
    assert not reduce_imaginary(k_up.real_parts())
    k_down = generator_element(LAIRD, 4, (0, 0, 1, 1))
    assert reduce_real(k_down) == expected.reversed_frequencies()


def test_coherence_block_keeps_integrals_only_in_two_real_parts() -> None:
    diagonal, cross = (generator_element(LAIRD, 4, e) for e in ((1, 0, 1, 0), (1, 0, 0, 1)))
    assert all(i.kind == "CC" for e in (diagonal, cross) for i in reduce_real(e).integrals)
    assert reduce_real(diagonal).integrals
    assert reduce_real(cross).integrals
    assert not reduce_imaginary(diagonal).integrals


# --- Appendix C, pinches, traces ----------------------------------------------------------


def term_7() -> Term:
    """2 C1(12) C1(23) exp[-i w0 (tau1 + 2 tau2 + tau3)]: I7 of (C1)."""
    factors = (Factor(1, 2, "C1"), Factor(2, 3, "C1"))
    return Term(Gaussian(2), Shape(factors, ((1,), (2,), (1,))))


def test_appendix_c() -> None:
    """(C6), with its lost tail -(1/2 pi) Ĉ1(-w0) P1'(-w0)."""
    closed = reduce_real(TimeIntegrand.collect(4, [term_7()]))
    half = Gaussian(Fraction(1, 2))
    # FP int C1(w) [C1(-w-2w0) - C1(-w0)]/(w+w0)^2, the second piece being P1'(-w0)
    integral = SpectralIntegral("CC", "C1", "C1", -1, (-2,), (-1,), 2)
    product = monomial(half, Value("C", "C1", 0, (-1,)), Value("P", "C1", 1, (-1,)), pi_power=-1)
    assert closed == monomial(half, integral, pi_power=-1) - product.scaled(Gaussian(2))


def test_halves_of_i7_diverge_and_say_so() -> None:
    piece = released(integrated_over_times(term_7()))
    halves = [limit(half, real_part=True) for half in piece.split()]
    assert len(halves) == 2
    for half in halves:
        with pytest.raises(UncancelledPinch) as caught:
            assemble([half])
        message = str(caught.value)
        assert message.startswith("terms in eps^-1 do not cancel; add the terms that belong")
        assert "eps^-1 delta(" in message
        assert "2 C1(12) C1(23) exp[-i((w0) tau1 + (2 w0) tau2 + (w0) tau3)]" in message
    assert assemble(halves) == reduce_real(TimeIntegrand.collect(4, [term_7()]))


def test_dropping_one_product_of_a_finite_sum_is_noticed() -> None:
    piece = limit(released(integrated_over_times(term_7())), real_part=True)
    pieces = piece.split()
    pinched = [p for p in pieces if p.products[0].eps_power]
    assert len(pinched) == 2
    for dropped in pinched:
        kept = [p for p in pieces if p is not dropped]
        with pytest.raises(UncancelledPinch) as caught:
            paired_with_spectra(kept)
        assert str(caught.value).count("from") == 1
    finite = next(p for p in pieces if not p.products[0].eps_power)
    paired_with_spectra([p for p in pieces if p is not finite])


def test_pinches_of_other_terms_are_not_named() -> None:
    other = Term(Gaussian(2), Shape((Factor(1, 2, "X"), Factor(2, 3, "X")), term_7().shape.phase))
    half, *_ = released(integrated_over_times(term_7())).split()
    whole = released(integrated_over_times(other))
    with pytest.raises(UncancelledPinch) as caught:
        assemble([limit(half, real_part=True), limit(whole, real_part=True)])
    assert "C1(12)" in str(caught.value)
    assert "X(12)" not in str(caught.value)


def test_trace_says_which_rules_took_a_term_where() -> None:
    ten = generator_element(LAIRD, 4, (1, 1, 0, 0)).real_parts()
    traces = trace(ten)
    assert len(traces) == 10
    total = SpectralForm(())
    for item in traces:
        total += item.result
    assert total == reduce_real(ten)
    by_term = {t.term.shape: t for t in traces}
    seven = by_term[term_7().shape]
    assert seven.rules == ("B2", "B5", "B6", "sift", "B11", "Re", "C5", "pinch", "B13", "B16")
    first = product_text(seven.start[0])
    products = [product_text(p) for sweep in seven.sweeps for p in sweep.products]
    assert term_text(seven.term).endswith(
        "C1(12) C1(23) exp[-i((w0) tau1 + (2 w0) tau2 + (w0) tau3)]"
    )
    assert first.endswith("pi^-2 S(w + w0) S_0(w + w' + 2 w0) S(w' + w0)")
    assert seven.sweeps[0].rules == ("B2", "B5", "B6")
    assert any("eps^-1 delta(w + w0)" in line for line in products)
    assert r"\delta(\omega + \omega_{0})" in seven.sweeps[-1].latex()
    nested_ = by_term[Shape((Factor(1, 3, "C1"), Factor(2, 2, "C1")), ((1,), (0,), (1,)))]
    assert nested_.rules == ("B2", "B5", "B6", "B7", "B8", "Re", "B15", "B16")
    assert all(item.result == item.paired for item in traces)


def test_trace_of_an_imaginary_part_cites_poincare_bertrand() -> None:
    integrand = TimeIntegrand.collect(4, [crossing("A", "B", 1, 2, 1)]).scaled(Gaussian(0, -1))
    (item,) = trace(integrand)
    assert "C5-PP" in item.rules
    assert item.result.integrals
    mirrored = TimeIntegrand.collect(4, [nested("A", "B", 1, 2, 1)]).scaled(Gaussian(0, -1))
    (item,) = trace(mirrored)
    assert item.rules[-1] == "Poincare-Bertrand"
    assert item.paired != item.result == reduce_imaginary(mirrored.scaled(Gaussian(0, 1)))


def test_other_arrangements_are_refused() -> None:
    factors = (Factor(1, 1, "A"), Factor(3, 3, "B"))
    bad = Term(ONE, Shape(factors, ((1,), (2,), (1,))))
    with pytest.raises(NotClosed, match=r"A\(1\) B\(3\).*got arcs over the gaps \(\(1, 1\)"):
        reduce_real(TimeIntegrand.collect(4, [bad]))
    sixth = generator_element(LAIRD, 6, (1, 1, 0, 0))
    with pytest.raises(NotClosed, match="one arc, and two that cross or are nested"):
        reduce_real(sixth)
