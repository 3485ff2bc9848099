"""Blocks of the generator after elimination, against eigenvalues of whole matrices."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pertsym.baths.densities import DrudeLorentz, Exponentials, Ohmic
from pertsym.certify.standard import joint_hierarchy
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.generators.elimination import blocks, eliminated, eliminated_quantities
from pertsym.generators.second_order import Term
from pertsym.generators.system import Correlated, System
from pertsym.generators.tcl import tcl_generator
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.model_narrative import definitions_step
from pertsym.narrative import FEEDBACK
from pertsym.numerics.bounded import Bounded
from pertsym.rates import bloch_rates, interaction_of
from pertsym.reduction.spectral import ZERO_FORM
from tests.open_systems import hermitian, two_bath_system

Array = NDArray[np.complex128]
_POINTS = 64


def series(matrix: Callable[[complex], Array], start: complex, radius: float) -> Array:
    """Taylor coefficients in x of the eigenvalue of matrix(x) that is `start` at x = 0."""
    values = []
    for x in radius * np.exp(2j * np.pi * np.arange(_POINTS) / _POINTS):
        found = np.linalg.eigvals(matrix(x))
        values.append(found[np.argmin(abs(found - start))])
    return np.asarray(np.fft.fft(values) / _POINTS / radius ** np.arange(_POINTS))


def truncated(generators: dict[int, Array]) -> Callable[[complex], Array]:
    """x -> K_0 + x K_2 + x^2 K_4 + ..."""
    return lambda x: np.asarray(sum(x ** (n // 2) * k for n, k in generators.items()))


def biased(seed: int) -> Model:
    """Two levels, two baths, each with diagonal and off-diagonal coupling."""
    draw = np.random.default_rng(seed)
    baths = [
        Bath("a", "boson", float(draw.uniform(0.5, 2)), DrudeLorentz(0.03, 1.7)),
        Bath("b", "boson", float(draw.uniform(0.5, 2)), Ohmic(0.02, 1.3, 3)),
    ]
    couplings = [
        Coupling.of(hermitian(2, seed + k).tolist(), bath.name) for k, bath in enumerate(baths)
    ]
    return Model.of((0.0, float(draw.uniform(0.6, 1.6))), couplings, baths)


@pytest.mark.parametrize("seed", [1, 5, 9])
def test_closed_forms_are_eigenvalues_of_the_generator(seed: int) -> None:
    model = biased(seed)
    rates = bloch_rates(model, 4)
    matrices = {n: term.matrix for n, term in tcl_generator(model, 4).orders.items()}
    coherence = series(truncated(matrices), -1j * model.w0, 0.05)
    # the rate matrix of the populations has the eigenvalues 0 and -1/T1; so slow ones sum up
    for n in (2, 4):
        row = {name: rates.eliminated[n][name] for name in QUANTITIES}
        values = {name: x.value for name, x in row.items() if x is not None}
        assert -values["inv_T2"] == pytest.approx(coherence[n // 2].real, abs=1e-12)
        assert -values["frequency_shift"] == pytest.approx(coherence[n // 2].imag, abs=1e-12)
        slow = np.trace(matrices[n]).real - 2 * coherence[n // 2].real
        assert -values["inv_T1"] == pytest.approx(slow, abs=1e-12)
        assert values["inv_T1"] == pytest.approx(values["k_up"] + values["k_down"], abs=1e-15)
        assert values["inv_T2_prime"] == pytest.approx(
            values["inv_T2"] - values["inv_T1"] / 2, abs=1e-15
        )
    fourth, raw = rates.eliminated[4]["inv_T2"], rates.orders[4]["inv_T2"]
    assert fourth is not None
    assert raw is not None
    assert abs(fourth.value - raw.value) > 1e-6


@pytest.mark.parametrize("seed", [2, 6])
def test_closed_forms_are_within_bounds_of_the_recursion(seed: int) -> None:
    model = biased(seed)
    closed = bloch_rates(model, 4).eliminated
    recursion = eliminated_quantities(tcl_generator(model, 4).orders)
    for n, name in itertools.product((2, 4), QUANTITIES):
        one, other = closed[n][name], recursion[n][name]
        assert isinstance(one, Bounded)
        assert isinstance(other, Bounded)
        assert abs(one.value - other.value) <= one.error + other.error
        assert other.error < 1e-8


def hierarchy(model: Model, depth: int) -> Callable[[complex], Array]:
    """x -> all equations of the hierarchy for couplings sqrt(x) S, to auxiliaries of a depth."""
    baths = Correlated.independent((bath.name, bath.density) for bath in model.used_baths)
    still, coupled, _ = joint_hierarchy(System.of(model), baths, depth)
    return lambda x: np.asarray(still + np.sqrt(complex(x)) * coupled)


@pytest.mark.parametrize(("size", "order"), [(2, 6), (3, 4)])
def test_eigenvalues_of_the_hierarchy(size: int, order: int) -> None:
    """All auxiliaries of order/2 exponents: exact to that order, and no generator anywhere."""
    baths = [
        Bath("a", "boson", None, Exponentials((0.3 - 0.1j,), (1.1 + 0.4j,))),
        Bath("b", "boson", None, Exponentials((0.2 + 0.15j,), (0.9 - 0.3j,))),
    ]
    couplings = [Coupling.of(hermitian(size, 3 + k).tolist(), b.name) for k, b in enumerate(baths)]
    model = Model.of((0.0, 1.0, 1.7)[:size], couplings, baths)
    generators = tcl_generator(model, order).orders
    found = [(block, eliminated(generators, block)) for block in blocks(generators)]
    assert [len(block.elements) for block, _ in found] == [size] + [1] * (size * (size - 1) // 2)
    matrix = hierarchy(model, order // 2)
    for block, terms in found[1:]:
        ((a, b),) = block.elements
        exact = series(matrix, -1j * (model.energies[a] - model.energies[b]), 0.05)
        for n, term in terms.items():
            assert abs(term.matrix[0, 0] - exact[n // 2]) <= 1e-11 + term.error[0, 0]
            assert term.error[0, 0] < 1e-6 * abs(exact[n // 2]) + 1e-9


def test_coherences_of_one_frequency_are_one_block() -> None:
    """Equal spacings: 10 and 21 rotate together; their block has the sum of both eigenvalues."""
    model = two_bath_system()
    ladder = Model.of((0.0, 0.8, 1.6), list(model.couplings), list(model.used_baths))
    generators = tcl_generator(ladder, 4).orders
    first, second, third = blocks(generators)
    assert first.elements == ((0, 0), (1, 1), (2, 2))
    assert second.elements == ((1, 0), (2, 1))
    assert third.elements == ((2, 0),)
    matrix = truncated({n: term.matrix for n, term in generators.items()})
    sums = []
    for x in 0.05 * np.exp(2j * np.pi * np.arange(_POINTS) / _POINTS):
        values = np.linalg.eigvals(matrix(x))
        sums.append(values[np.argsort(abs(values + 0.8j))[:2]].sum())
    exact = np.fft.fft(sums) / _POINTS / 0.05 ** np.arange(_POINTS)
    for n, term in eliminated(generators, second).items():
        assert np.trace(term.matrix) == pytest.approx(exact[n // 2], abs=1e-12)
    degenerate = Model.of((0.0, 0.0, 1.6), list(model.couplings), list(model.used_baths))
    (whole, upper) = blocks(tcl_generator(degenerate, 2).orders)
    assert whole.elements == ((0, 0), (1, 1), (2, 2), (0, 1), (1, 0))
    assert upper.elements == ((2, 0), (2, 1))


def test_what_is_missing_stays_missing_and_nothing_else() -> None:
    generators = dict(tcl_generator(biased(4), 4).orders)
    lost = replace(generators[2], divergent={(2, 0): "a reason"})  # R_1000
    found = eliminated_quantities({**generators, 2: lost})
    assert all(isinstance(x, Bounded) for x in found[2].values())
    assert {name for name, x in found[4].items() if x == "a reason"} == set(QUANTITIES) - {"k_down"}
    down = found[4]["k_down"]  # driven from 11 only
    assert isinstance(down, Bounded)
    assert down.value == pytest.approx(_value(eliminated_quantities(generators)[4]["k_down"]))


def _value(x: Bounded | str) -> float:
    assert isinstance(x, Bounded)
    return float(x.value)


def test_error_of_every_element_is_carried() -> None:
    generators = tcl_generator(biased(8), 4).orders
    draw = np.random.default_rng(3)
    off = 1e-7
    moved = {
        n: Term(
            term.matrix + off * np.exp(2j * np.pi * draw.uniform(size=term.matrix.shape)),
            term.error + off,
            {},
        )
        if n
        else term
        for n, term in generators.items()
    }
    for block in blocks(generators):
        exact, wrong = eliminated(generators, block), eliminated(moved, block)
        for n in (2, 4):
            distance = np.abs(exact[n].matrix - wrong[n].matrix)
            assert np.all(distance <= exact[n].error + wrong[n].error)
            assert np.all(wrong[n].error < 20 * off)


def test_elimination_moves_decay_and_keeps_the_trace() -> None:
    bloch = Bloch(symbolic_interaction(2, [([["d0", "x"], ["x", "d1"]], "B")]))
    moved = bloch.mediated("inv_T1", 4)
    assert moved != ZERO_FORM
    assert not moved.integrals  # products of second-order elements
    assert moved + bloch.mediated("inv_T2", 4).scaled(Gaussian(2)) == ZERO_FORM
    assert all(bloch.mediated(name, 2) == ZERO_FORM for name in QUANTITIES)


def test_nothing_to_eliminate_without_mixing() -> None:
    bath = Bath("b", "boson", 1.0, DrudeLorentz(0.05, 1.4))
    model = Model.of((0.0, 1.0), [Coupling.of(((0, 1), (1, 0)), "b")], [bath])
    bloch = Bloch(interaction_of(model))
    assert all(bloch.mediated(name, 4) == ZERO_FORM for name in QUANTITIES)


@pytest.mark.parametrize("seed", range(5))
def test_the_feedback_that_documents_print_is_that_of_eigenvalues(seed: int) -> None:
    """Letter by letter, with the phases of the equation of motion, for small R^(2)."""
    shown, phase = FEEDBACK.removeprefix(r"\sum_Q").split(r",\qquad")
    bath = Bath("b", "boson", 1.0, DrudeLorentz(0.1, 2.0))
    two_levels = Model.of([0, 1], [Coupling.of(np.array([[0.2, 1], [1, 0]]), "b")], [bath])
    motion = definitions_step(interaction_of(two_levels)).formulas[0].latex
    assert phase.removeprefix(r"\lambda_{ab}=") in motion
    rng = np.random.default_rng(seed)
    poles = -1j * np.cumsum(rng.uniform(0.3, 1.0, 6))
    second = 1e-4 * (rng.normal(size=(6, 6)) + 1j * rng.normal(size=(6, 6)))
    np.fill_diagonal(second, 0)
    exact = np.linalg.eigvals(np.diag(poles) + second)
    for old, new in (("R_{PQ}^{(2)}", "second[p, q]*"), ("R_{QP}^{(2)}", "second[q, p]"),
                     (r"\lambda_P", "poles[p]"), (r"\lambda_Q", "poles[q]"),
                     (r"\frac{", "("), ("}{", ")/("), ("}", ")")):  # fmt: skip
        shown = shown.replace(old, new)
    for p in range(6):
        names = {"second": second, "poles": poles, "p": p}
        added = sum(eval(shown, names | {"q": q}) for q in range(6) if q != p)
        off = np.min(np.abs(exact - poles[p] - added))
        assert off < 0.02 * abs(added)
