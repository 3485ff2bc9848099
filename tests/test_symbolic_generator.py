"""Generators with symbolic matrix elements: the algebra, the elements, their numbers."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.symbolic import dense
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Exponentials, Ohmic
from pertsym.baths.divergence import Divergent
from pertsym.certify.element_routes import (
    by_residues,
    drawn,
    element_findings,
    exponential_spectra,
    operators,
    recursion,
    superoperators,
)
from pertsym.certify.time_domain import Exponentials as ExactExponentials
from pertsym.certify.time_domain import time_integral
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.generator import Generator
from pertsym.equations.models import independent_baths, laird
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, level_energies
from pertsym.expansion.paths import Element, generator_element
from pertsym.model.errors import InputError
from pertsym.numerics.bounded import Bounded
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra
from pertsym.reduction import arc_length_reduction as reduction
from pertsym.reduction.arc_length_reduction import (
    NotReducible,
    Reduction,
    reduce_imaginary,
    reduce_real,
)
from pertsym.reduction.elements import (
    at_elements,
    by_elements,
    element_groups,
    factorised,
    symbols_of,
    with_elements,
)
from pertsym.reduction.spectral import ZERO_FORM, MatrixElement, SpectralForm, Value, monomial

C, D, X, Y = sympy.symbols("c d x y", real=True)
TILTED = symbolic_interaction(2, [([["d0", "x"], ["x", "d1"]], "B")])
GENERATOR = Generator(TILTED)
BLOCH = Bloch(TILTED)
# a complex element, a bath shared by two operators, and a third level
LADDER = symbolic_interaction(
    3,
    [
        ([[0, X + sympy.I * Y, 0], [X - sympy.I * Y, "d", 0], [0, 0, 0]], "X"),
        ([[0, 0, 0], [0, 0, 0.5], [0, 0.5, 0]], "X"),
        ([[0, 0, "z"], [0, 0, 0], ["z", 0, 0]], "Z"),
    ],
)
INTERACTIONS = (
    TILTED,
    replace(TILTED, real=frozenset({"B"})),
    LADDER,
    replace(LADDER, real=frozenset({"Z"})),
    laird(),
    laird(["C1"]),
    # two Hermitian operators with a correlation of their own
    Interaction(
        level_energies(2),
        (
            ((0, 0, Gaussian(1)), (0, 1, Gaussian(2)), (1, 0, Gaussian(2))),
            ((0, 1, Gaussian(0, 1)), (1, 0, Gaussian(0, -1)), (1, 1, Gaussian(1))),
        ),
        (0, 1),
        {(0, 0): "a", (1, 1): "b", (0, 1): "c", (1, 0): "c"},
        frozenset({"b"}),
        ("x", "y"),
    ),
)
dyadic = st.integers(-16, 16).map(lambda n: Gaussian(Fraction(n, 8)))


# ---------------------------------------------------------------------------------------------
# Stating an operator with symbols


def test_an_operator_is_a_sum_over_its_symbols() -> None:
    assert TILTED.symbols == ("d0", "d1", "x")
    assert symbolic_interaction(2, [([[C - D, X], [X, C + D]], "B")]).symbols == ("c", "d", "x")
    with_signs = symbolic_interaction(2, [([["-d", "x"], ["x", "d"]], "B")])
    (sigma_z,) = [
        {(i, j): z for i, j, z in operator}
        for operator, name in zip(with_signs.operators, with_signs.strengths, strict=True)
        if name == "d"
    ]
    assert sigma_z == {(0, 0): Gaussian(-1), (1, 1): Gaussian(1)}


def test_numbers_alone_are_the_interaction_of_numbers() -> None:
    sigma_x = tuple(tuple(Gaussian(z) for z in row) for row in ((0, 1), (1, 0)))
    assert symbolic_interaction(2, [([[0, 1.0], [1, 0]], "B")]) == independent_baths(
        2, [(sigma_x, "B")]
    )


@pytest.mark.parametrize(
    ("operator", "message"),
    [
        ([[0, "x"], ["y", 0]], r"couplings\[0\].operator\[1\]\[0\]: not Hermitian.*y.*x"),
        ([[0, X + sympy.I * Y], [X + sympy.I * Y, 0]], "not Hermitian"),
        ([[0, sympy.sin(X)], [sympy.sin(X), 0]], "no polynomial"),
        ([[0, "x/y"], ["x/y", 0]], "no polynomial"),
        ([[0, "x y"], ["x y", 0]], "not a formula near 'y'"),
        ([[0, sympy.pi * X], [sympy.pi * X, 0]], "no rational number"),
        ([[sympy.Symbol("q", imaginary=True), 0], [0, 0]], "not real"),
        ([[0, None], [None, 0]], "is no entry"),
        ([[0, 1, 0], [1, 0, 0]], "3 entries, not 2"),
    ],
)
def test_operators_that_are_refused(operator: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        symbolic_interaction(2, [(operator, "B")])


def test_strengths_belong_to_operators() -> None:
    one = Gaussian(1)
    raising, lowering = ((1, 0, one),), ((0, 1, one),)
    pairs = {(0, 0): "a", (1, 1): "a", (0, 1): "b", (1, 0): "b"}
    with pytest.raises(ValueError, match=r"strengths: 1 for 2 operators"):
        Interaction(level_energies(2), (raising, lowering), (1, 0), pairs, frozenset(), ("x",))
    with pytest.raises(ValueError, match=r"strengths\[0\]: 'x' must be that of the adjoint"):
        Interaction(level_energies(2), (raising, lowering), (1, 0), pairs, frozenset(), ("x", "y"))
    with pytest.raises(ValueError, match=r"there is no 'z'; there are: d0, d1, x"):
        TILTED.at({"z": one})
    with pytest.raises(ValueError, match=r"'x' must be real"):
        TILTED.at({"x": Gaussian(0, 1)})


# ---------------------------------------------------------------------------------------------
# Symbols commute with everything that is done to a term


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from([(g, e) for g in (GENERATOR, Generator(LADDER)) for e in g.elements[::3]]),
    st.sampled_from((2, 4)),
    st.data(),
)
def test_numbers_before_or_after(pair: Any, order: int, data: Any) -> None:
    """Putting numbers into the Hamiltonian, the terms or the form gives one and the same form."""
    generator, element = pair
    interaction = generator.interaction
    values = {name: data.draw(dyadic) for name in interaction.symbols}
    numeric = Generator(interaction.at(values))
    terms = generator.element(order, element).at(values)
    assert terms == numeric.element(order, element)
    if generator is GENERATOR or order == 2:
        assert at_elements(generator.form(order, element), values) == numeric.form(order, element)


@pytest.mark.parametrize("order", [2, 4])
def test_degree_is_the_order(order: int) -> None:
    for name in QUANTITIES:
        degrees = {len(names) for names, _ in by_elements(BLOCH.series(name)[order].form)}
        assert degrees <= {order}


def test_terms_with_symbols_are_not_integrated_blindly() -> None:
    numbers = drawn(TILTED, 1)
    with pytest.raises(ValueError, match=r"d0, d1, x have no values"):
        time_integral(GENERATOR.element(2, (1, 0, 1, 0)), numbers.baths, numbers.frequencies)


atoms = st.sampled_from(
    [Value("C", "B", 0, (1,)), Value("P", "B", 1, (0,)), Value("C", "B", 0, (-1,))]
)
symbols = st.lists(st.sampled_from("ab"), max_size=3)
sums = st.lists(st.tuples(dyadic, atoms, symbols), max_size=6).map(
    lambda items: SpectralForm.collect(
        term
        for z, atom, names in items
        for term in with_elements(monomial(z, atom), tuple(sorted(names)))
    )
)


@settings(max_examples=60)
@given(sums)
def test_groups_add_up_to_the_form(form: SpectralForm) -> None:
    total = ZERO_FORM
    for group in element_groups(form):
        sign, factors = factorised(group.polynomial)
        product = monomial(Gaussian(sign))
        for factor, power in factors:
            bracket = ZERO_FORM
            for names, value in factor:
                bracket += with_elements(monomial(Gaussian(value)), names)
            for _ in range(power):
                product = product * bracket
        assert not symbols_of(group.form)
        total += product * group.form
    assert total == form


def test_common_polynomials_are_found() -> None:
    """Golden rule and dephasing of the tilted system: x^2 and (d0 - d1)^2."""
    groups = element_groups(BLOCH.inv_T2[2].form)
    assert [list(factorised(g.polynomial)[1]) for g in groups] == [
        [(((("x",), 1),), 2)],
        [(((("d0",), 1), (("d1",), -1)), 2)],
    ]


# ---------------------------------------------------------------------------------------------
# Elements


def test_two_levels_by_every_route() -> None:
    numbers = drawn(TILTED, 11)
    matrices = recursion(TILTED, numbers, 4)
    for order in (2, 4):
        both = (superoperators(TILTED, numbers, order), matrices[order])
        for element in GENERATOR.elements[1::2]:
            found = element_findings(GENERATOR, numbers, order, element, 25, both)
            assert [f.what for f in found if not f.holds] == []


def test_complex_elements_and_shared_baths() -> None:
    generator, numbers = Generator(LADDER), drawn(LADDER, 12, exponents=1)
    brute = {n: superoperators(LADDER, numbers, n) for n in (2, 4)}
    for element in ((1, 1, 0, 0), (0, 1, 0, 1), (2, 0, 1, 0), (1, 0, 2, 2)):
        for order in (2, 4):
            found = element_findings(generator, numbers, order, element, 20, (brute[order],))
            assert [f.what for f in found if not f.holds] == []


def test_the_bloch_equations_are_elements() -> None:
    for order in (2, 4):
        assert BLOCH.k_up[order].form == GENERATOR.series("k_10")[order].form
        assert BLOCH.k_down[order].form == GENERATOR.series("k_01")[order].form
        assert BLOCH.inv_T2[order].form == -GENERATOR.series("R_1010")[order].form


def test_an_identity_is_a_static_field() -> None:
    """S -> S + c: the bath is displaced by the system's identity part, H_S -> H_S - (c P(0)/pi) S.

    At fourth order K4(S + c) - K4(S) is what the field changes in K2, by finite differences.
    """
    with_identity = symbolic_interaction(2, [([[C - D, X], [X, C + D]], "B")])
    numbers = drawn(with_identity, 13)
    quiet = type(numbers)(
        numbers.frequencies, {**numbers.strengths, "c": Fraction(0)}, numbers.baths
    )
    found = superoperators(with_identity, numbers, 4) - superoperators(with_identity, quiet, 4)
    (s,) = operators(with_identity, quiet).values()
    zero = by_residues(monomial(Gaussian(1), Value("P", "B", 0, (0,))), numbers, 20)
    field = -float(numbers.strengths["c"]) * float(zero) / np.pi
    h = np.diag([0.0, float(numbers.frequencies[0])])

    def second(step: float) -> Any:
        energies, basis = np.linalg.eigh(h + step * s)
        rotated = basis.conj().T @ s @ basis
        # the same operator in the eigenbasis of the field, as matrix elements of its own
        turned = symbolic_interaction(2, [([["a", "b"], ["b", "e"]], "B")])
        values = {"a": rotated[0, 0].real, "b": rotated[0, 1].real, "e": rotated[1, 1].real}
        moved = type(numbers)(
            (Fraction(float(energies[1] - energies[0])),),
            {name: Fraction(float(value)) for name, value in values.items()},
            numbers.baths,
        )
        turn = np.kron(basis, basis.conj())
        return turn @ superoperators(turned, moved, 2) @ turn.conj().T

    step = 1e-4
    slope = (second(step) - second(-step)) / (2 * step)
    assert np.abs(found).max() > 1e-3
    np.testing.assert_allclose(found, field * slope, atol=1e-7 * np.abs(slope).max())


def test_names() -> None:
    generator = Generator(LADDER)
    assert generator.names[:3] == ("k_01", "k_02", "k_10")
    assert generator.names[6] == "k_01_eliminated"
    assert generator.series("R_2010")[2] is generator.series("R_2010")[2]
    for wrong in ("k_00", "k_1", "R_0123", "R_101", "k_10_late", "rate", "R_1,0,1,0,1"):
        with pytest.raises(ValueError, match=f"'{wrong}' is unknown; use .*k_01.*indices 0 to 2"):
            generator.series(wrong)
    many = Generator(independent_baths(11, [(_ladder(11), "B")]))
    assert many.names[0] == "k_0,1"
    assert many.name((10, 0, 1, 1)) == "R_10,0,1,1"
    assert many.series("k_10,9")[2].form
    assert many.series("k_10,8")[2].form == ZERO_FORM
    with pytest.raises(NotReducible, match="orders 2 and 4"):
        _ = generator.series("k_10_eliminated")[6]
    assert BLOCH.names[: len(QUANTITIES)] == QUANTITIES
    assert set(GENERATOR.names) < set(BLOCH.names)
    assert BLOCH.series("k_10_eliminated").name == "k_10_eliminated"
    assert BLOCH.terms("k_10_eliminated", 4) is None
    assert BLOCH.generator is BLOCH.generator
    for asked in (BLOCH.series, lambda name: BLOCH.terms(name, 2)):
        with pytest.raises(ValueError, match="'k_sideways' is unknown; use one of k_up"):
            asked("k_sideways")


def _ladder(size: int) -> list[list[Gaussian]]:
    return [[Gaussian(int(abs(i - j) == 1)) for j in range(size)] for i in range(size)]


def test_nonzero_elements() -> None:
    assert Generator(TILTED.at({"x": Gaussian(0)})).nonzero(2) == ("R_0101", "R_1010")
    assert len(GENERATOR.nonzero(4)) == 16
    unbiased = Generator(TILTED.at({"d0": Gaussian(0), "d1": Gaussian(0)}))
    assert all(sum(map(int, name[2:])) % 2 == 0 for name in unbiased.nonzero(4))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(INTERACTIONS), st.sampled_from((2, 4)), st.data())
def test_hermiticity(interaction: Interaction, order: int, data: Any) -> None:
    """R_badc, which is taken from R_abcd, is what its own paths and their reduction give."""
    levels = st.integers(0, interaction.dimension - 1)
    a, b, c, d = data.draw(st.tuples(*[levels] * 4))
    terms = generator_element(interaction, order, (a, b, c, d))
    mirrored = generator_element(interaction, order, (b, a, d, c))
    assert mirrored == terms.conjugated()
    assert reduce_real(mirrored) == reduce_real(terms)
    assert reduce_imaginary(mirrored) == -reduce_imaginary(terms)
    generator = Generator(interaction)
    for element, own in (((a, b, c, d), terms), ((b, a, d, c), mirrored)):
        assert generator.element(order, element) == own
        quantity = generator.series(generator.name(element))[order]
        assert (quantity.form, quantity.imaginary) == (reduce_real(own), reduce_imaginary(own))


@pytest.mark.parametrize("element", [(1, 1, 0, 0), (1, 0, 1, 0), (0, 1, 1, 0)])
def test_order_six_is_hermitian_too(element: Element) -> None:
    a, b, c, d = element
    terms = generator_element(laird(), 6, element)
    assert generator_element(laird(), 6, (b, a, d, c)) == terms.conjugated()


def test_operators_with_their_own_correlations_stay_apart() -> None:
    """d |0><0| + x |1><1| with <AA>, <BB> and <AB>: each product meets its own function."""
    one = Gaussian(1)
    apart = Interaction(
        level_energies(2),
        (((0, 0, one),), ((1, 1, one),)),
        (0, 1),
        {(0, 0): "A", (1, 1): "B", (0, 1): "M", (1, 0): "M"},
        frozenset(),
        ("d", "x"),
    )
    terms = generator_element(apart, 2, (0, 1, 0, 1))
    found = {(shape.factors[0].name, shape.strengths) for _, shape in terms}
    assert found == {("A", ("d", "d")), ("B", ("x", "x")), ("M", ("d", "x"))}


def test_work_of_a_dense_generator(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shape is reduced once, whatever elements, conjugates and symbols it occurs with.

    The offset integral of a shape is done for its real and for its imaginary part, and serves its
    conjugate; nine symbols instead of six cost nothing here.
    """
    calls = Counter[str]()

    def count(name: str, function: Any) -> None:
        def counted(*args: Any) -> Any:
            calls[name] += 1
            return function(*args)

        monkeypatch.setattr(reduction, name, counted)

    count("arc_length_kernels", reduction.arc_length_kernels)
    count("_rest_integral", reduction._rest_integral)

    def work(generator: Generator, elements: Iterable[Element]) -> tuple[int, int, int]:
        calls.clear()
        for element in elements:
            generator.series(generator.name(element))[4]
        return generator.reduction.shapes, calls["arc_length_kernels"], calls["_rest_integral"]

    real = dense(3)
    column = [element for element in real.elements if element[2:] == (0, 1)]
    assert work(real, column) == work(dense(3, complex_elements=True), column) == (632, 632, 1094)
    assert work(real, real.elements) == (1512, 1512 - 632, 2010 - 1094)
    assert work(real, [(1, 1, 0, 0), (2, 1, 0, 1)]) == (1512, 0, 0)
    assert work(replace(real), column) == (632, 632, 1094)  # another object starts afresh


def test_a_reduction_is_of_its_own_correlation_functions() -> None:
    terms = generator_element(TILTED, 2, (0, 0, 0, 0))
    assert Reduction()(terms)[0] == reduce_real(terms)
    with pytest.raises(ValueError, match="real functions"):
        Reduction(frozenset({"B"}))(terms)


# ---------------------------------------------------------------------------------------------
# Numbers


def spectra(density: Any, beta: Any = None) -> DoubleSpectra:
    return DoubleSpectra({"B": ((1, Correlation(density, "boson", beta)),)})


VALUES = {"d0": 0.25, "d1": -0.5, "x": 0.75}


def test_elements_need_values() -> None:
    with pytest.raises(ValueError, match="elements: d1, x have no value"):
        evaluate(
            BLOCH.k_up[4].form, (1.0,), spectra(DrudeLorentz(0.1, 1.0), 1.0), None, {"d0": 1.0}
        )


def test_arrays_of_elements_are_what_scalars_are() -> None:
    bath = spectra(DrudeLorentz(0.1, 1.25), 1.0)
    form = BLOCH.inv_T2[4].form
    bias = np.array([-0.5, 0.0, 0.25])
    found = evaluate(form, (1.5,), bath, None, {**VALUES, "d1": bias})
    for k, d1 in enumerate(bias):
        single = evaluate(form, (1.5,), bath, None, {**VALUES, "d1": float(d1)})
        assert abs(found.value[k] - single.value) <= found.error[k] + single.error


def test_what_multiplies_zero_need_not_exist() -> None:
    """A sub-Ohmic bath has no Ĉ(0): dephasing diverges unless the levels shift alike."""
    bath = spectra(Ohmic(0.1, 1.0, 0.6), 1.0)
    form = BLOCH.inv_T2[2].form
    with pytest.raises(Divergent):
        evaluate(form, (1.0,), bath, None, VALUES)
    alike: Mapping[str, Any] = {**VALUES, "d0": 0.3, "d1": 0.3}
    bounded: Bounded = evaluate(form, (1.0,), bath, None, alike)
    assert bounded.value == pytest.approx(
        0.75**2 * float((bath.spectrum("B", 1.0) + bath.spectrum("B", -1.0)).value) / 2
    )


@pytest.mark.parametrize("kind", ["CC", "CP"])
@pytest.mark.parametrize("reflect", [-1, 1])
def test_residues_are_what_quadrature_finds(kind: Any, reflect: int) -> None:
    c, nu = (0.3 + 0.1j, 0.2 - 0.25j), (1.0 + 0.5j, 0.75 - 0.25j)
    exact = exponential_spectra({"B": ExactExponentials.of(c, nu)}, 20)
    poles = [(1.0, 0.25, 2), (-0.5, -1.0, 1)]
    double = spectra(Exponentials(c, nu)).mixed_integral(kind, "B", "B", reflect, 0.5, poles)
    wanted = exact.mixed_integral(kind, "B", "B", reflect, 0.5, poles)
    assert abs(float(wanted.value) - double.value) <= double.error + 1e-13


def test_matrix_elements_have_no_direction() -> None:
    form = with_elements(monomial(Gaussian(1), Value("C", "B", 0, (1,))), ("x",))
    (m, _), *_ = form.reversed_frequencies()
    assert MatrixElement("S", "x") in m.atoms
    assert Value("C", "B", 0, (-1,)) in m.atoms


def test_the_same_text_whatever_the_hash_seed() -> None:
    code = (
        "from pertsym.equations.symbolic_operators import symbolic_interaction as s;"
        "from pertsym.equations.bloch import Bloch;"
        "from pertsym.codegen.module import FunctionSpec as F, render_module;"
        "b = Bloch(s(2, [([['d0', 'x'], ['x', 'd1']], 'B')]));"
        "print(render_module('n', 't', [F('f', b.inv_T2[4].form, '', '', '', '')]))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(texts) == 1
