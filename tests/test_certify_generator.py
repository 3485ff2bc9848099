"""Brute-force generator: agreement of independent routes, and cases whose answer is known."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pertsym.baths.exponentials import Exponentials as NumericExponentials
from pertsym.certify.brute_force import _cumulant_products, generator
from pertsym.certify.element_routes import in_doubles
from pertsym.certify.time_domain import Exponentials, time_integral
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, level_energies
from pertsym.expansion.paths import generator_element
from pertsym.generators.system import Correlated, System
from tests.open_systems import exponential_system
from tests.time_quadrature import generator_by_quadrature, ordered_cumulant

Model = tuple[System, tuple[Correlated, ...]]
BATH = NumericExponentials((0.5 + 0.25j,), (1.5 + 0.5j,))

SETTINGS = settings(derandomize=True, deadline=None, max_examples=6, database=None)

hundredths = st.integers(-100, 100)
numbers = st.builds(lambda a, b: Gaussian.of(f"{a}e-2", f"{b}e-2"), hundredths, hundredths)
rates = st.builds(
    lambda a, b: Gaussian.of(f"{a}e-2", f"{b}e-2"), st.integers(40, 250), st.integers(-150, 150)
)


@st.composite
def exponentials(draw: st.DrawFn) -> Exponentials:
    count = draw(st.integers(1, 2))
    c = draw(st.lists(numbers, min_size=count, max_size=count))
    nu = draw(st.lists(rates, min_size=count, max_size=count))
    return Exponentials(tuple(c), tuple(nu))


@st.composite
def hermitian(draw: st.DrawFn, size: int) -> dict[tuple[int, int], Gaussian]:
    elements: dict[tuple[int, int], Gaussian] = {}
    for row, column in itertools.combinations_with_replacement(range(size), 2):
        value = draw(numbers)
        if row == column:
            value = Gaussian(value.re)
        elements[row, column] = value
        elements[column, row] = value.conjugate()
    return elements


@st.composite
def systems(draw: st.DrawFn, size: int) -> tuple[Model, Interaction, dict, list[str]]:
    """The same random system for both routes: two couplings, on one bath or on two."""
    bath_names = draw(st.sampled_from([("b",), ("b", "b"), ("b", "c")]))
    correlations = {name: draw(exponentials()) for name in sorted(set(bath_names))}
    operators = [draw(hermitian(size)) for _ in bath_names]
    frequencies = [f"{draw(st.integers(-200, 200))}e-2" for _ in range(size - 1)]
    model = exponential_system(
        [0.0, *map(float, frequencies)],
        [
            ([[complex(m[a, b]) for b in range(size)] for a in range(size)], name)
            for m, name in zip(operators, bath_names, strict=True)
        ],
        {name: in_doubles(bath) for name, bath in correlations.items()},
    )
    interaction = Interaction(
        level_energies(size),
        tuple(tuple((a, b, z) for (a, b), z in sorted(m.items()) if z) for m in operators),
        tuple(range(len(operators))),
        {
            (a, b): name
            for a, name in enumerate(bath_names)
            for b, other in enumerate(bath_names)
            if name == other
        },
    )
    return model, interaction, correlations, frequencies


def assert_routes_agree(system: tuple, order: int, elements: list[tuple[int, ...]]) -> None:
    model, interaction, correlations, frequencies = system
    size = model[0].dimension
    brute = generator(*model, order)
    for a, b, c, d in elements:
        integrand = generator_element(interaction, order, (a, b, c, d))
        value = complex(time_integral(integrand, correlations, frequencies, digits=20))
        tolerance = 1e-12 * np.max(np.abs(brute)) + 1e-15
        assert abs(brute[a * size + b, c * size + d] - value) < tolerance


@SETTINGS
@given(systems(2))
def test_two_levels_agree_with_the_expansion(system: tuple) -> None:
    assert_routes_agree(system, 2, list(itertools.product(range(2), repeat=4)))
    assert_routes_agree(system, 4, [(1, 1, 0, 0), (1, 0, 1, 0), (1, 0, 0, 1), (0, 0, 1, 0)])


@SETTINGS
@given(systems(3))
def test_three_levels_agree_with_the_expansion(system: tuple) -> None:
    assert_routes_agree(system, 2, list(itertools.product((0, 2), (1, 2), (0, 1), (0, 1))))
    assert_routes_agree(system, 4, [(2, 1, 0, 2)])


def random_model(size: int, seed: int = 5, scale: float = 1.0) -> Model:
    rng = np.random.default_rng(seed)
    matrices = rng.normal(size=(2, size, size)) + 1j * rng.normal(size=(2, size, size))
    return exponential_system(
        np.sort(rng.uniform(0, 2, size)),
        [(m + m.conj().T, name) for m, name in zip(matrices, "bc", strict=True)],
        {
            "b": NumericExponentials((scale * 0.5 + scale * 0.25j,), (1.5 + 0.5j,)),
            "c": NumericExponentials((scale * 0.125, scale * -0.25j), (1.0 - 0.5j, 2.0)),
        },
    )


def test_products_that_survive_the_cumulant() -> None:
    """Counts of (pairing, word) of the ordered cumulants; <01><23> must drop out by itself."""
    for order, surviving in ((2, 1), (4, 4), (6, 52)):
        found = {
            (times, tuple((i, j) for i, j, _ in contractions))
            for (times, _), contracted in _cumulant_products(order).items()
            for contractions, _ in contracted
        }
        assert len(found) == surviving


def test_exact_integration_agrees_with_quadrature_of_matrix_products() -> None:
    model = exponential_system(
        [0.0, 0.5],
        [([[0.3, 0.2 - 0.4j], [0.2 + 0.4j, -0.1]], "b"), ([[0, 0.5], [0.5, 0.2]], "b")],
        {"b": BATH},
    )
    for order, points, tolerance in ((2, 40, 1e-12), (4, 14, 1e-5)):
        exact = generator(*model, order)
        error = np.max(np.abs(generator_by_quadrature(*model, order, points) - exact))
        assert error < tolerance * np.max(np.abs(exact))


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("size", [2, 3])
def test_trace_and_hermiticity_are_preserved(size: int, order: int) -> None:
    k = generator(*random_model(size), order)
    largest = np.max(np.abs(k))
    assert largest > 0.1
    trace = np.eye(size).reshape(-1)
    assert np.max(np.abs(trace @ k)) < 1e-13 * largest
    tensor = k.reshape(size, size, size, size)
    mirrored = tensor.transpose(1, 0, 3, 2).conj()
    assert np.max(np.abs(tensor - mirrored)) < 1e-13 * largest


@pytest.mark.parametrize("order", [2, 4])
def test_homogeneity_in_the_spectral_density(order: int) -> None:
    """C -> lambda C multiplies order 2n by lambda^n."""
    scaled, plain = (generator(*random_model(2, scale=s), order) for s in (0.25, 1.0))
    np.testing.assert_allclose(scaled, 0.25 ** (order // 2) * plain, rtol=1e-12, atol=1e-13)


def test_reordered_couplings_change_nothing() -> None:
    system, pairs = random_model(2)
    moved = replace(system, operators=dict(reversed(system.operators.items())))
    found = generator(moved, pairs[::-1], 4)
    np.testing.assert_allclose(found, generator(system, pairs, 4), rtol=1e-11, atol=1e-13)


def test_decoupled_spectator_level_stays_untouched() -> None:
    """Populations of an uncoupled third level are constant; the other two do not see it."""
    pair, pairs = random_model(2)
    energies = np.array([0.0, pair.gaps[1, 0], 2.7])
    with_spectator = System(
        np.subtract.outer(energies, energies),
        {name: np.pad(matrix, (0, 1)) for name, matrix in pair.operators.items()},
    )
    for order in (2, 4):
        k = generator(with_spectator, pairs, order).reshape(3, 3, 3, 3)
        assert np.max(np.abs(k[2, 2])) == 0
        assert np.max(np.abs(k[:, :, 2, 2])) == 0
        expected = generator(pair, pairs, order).reshape(2, 2, 2, 2)
        np.testing.assert_allclose(k[:2, :2, :2, :2], expected, rtol=1e-12, atol=1e-14)


def test_pure_dephasing_ends_at_second_order() -> None:
    """sigma_z: K2 is exact, d/dt rho_10 = -4 Re(c/nu) rho_10; K4 and K6 vanish."""
    c, nu = 0.5 + 0.25j, 1.5 + 0.5j
    bath = Exponentials.of([c], [nu])
    model = exponential_system([0.0, 0.7], [(np.diag([1.0, -1.0]), "b")], {"b": BATH})
    rate = 4 * (c / nu).real
    np.testing.assert_allclose(generator(*model, 2), np.diag([0, -rate, -rate, 0]), atol=1e-15)
    assert np.max(np.abs(generator(*model, 4))) < 1e-13
    assert np.max(np.abs(generator(*model, 6))) < 1e-13

    sigma_z = ((0, 0, Gaussian(1)), (1, 1, Gaussian(-1)))
    interaction = Interaction(level_energies(2), (sigma_z,), (0,), {(0, 0): "b"})
    integrand = generator_element(interaction, 4, (1, 0, 1, 0))
    assert abs(time_integral(integrand, {"b": bath}, ["0.7"])) < 1e-40


def test_degenerate_levels_with_one_coupling_end_at_second_order() -> None:
    """w0 = 0: the coupling commutes with H_S, whatever its basis."""
    operator = [[0.3, 0.2 - 0.4j], [0.2 + 0.4j, -0.1]]
    model = exponential_system([1.0, 1.0], [(operator, "b")], {"b": BATH})
    assert np.max(np.abs(generator(*model, 2))) > 0.05
    assert np.max(np.abs(generator(*model, 4))) < 1e-14


def test_zero_frequency_noise_dephases_whatever_the_splitting() -> None:
    """The pure-dephasing generator depends on C(t) alone, not on w0."""
    near, far = (
        generator(*exponential_system([0, w0], [(np.diag([1.0, -1.0]), "b")], {"b": BATH}), 2)
        for w0 in (0.1, 5.0)
    )
    np.testing.assert_allclose(near, far, rtol=0, atol=1e-15)


def test_operators_that_are_not_hermitian_are_refused() -> None:
    model = exponential_system([0, 1], [([[0, 1], [0, 0]], "b")], {"b": BATH})
    with pytest.raises(ValueError, match=r"operators\['b'\]: must be Hermitian"):
        generator(*model, 2)


def test_odd_orders_and_unordered_times_are_refused() -> None:
    model = random_model(2)
    with pytest.raises(ValueError, match="order: must be even"):
        generator(*model, 3)
    with pytest.raises(ValueError, match="times: must descend"):
        ordered_cumulant(*model, [np.zeros(2), np.ones(2)])
