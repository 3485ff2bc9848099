"""Routes to the generator that share nothing but the model, at orders 2 to 8.

Here is the denominator rule written out from words and pairings alone, in floating point: each
assignment of left or right, of matrix elements and of exponents gives a product over the gaps of
1/(Gamma_k + Omega_k), Gamma_k the exponents of the arcs that cross the gap and Omega_k the
frequencies of all earlier times.  Bloch's recursion knows neither words nor gaps, and quadrature
of the ordered cumulant over time knows no denominators.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pertsym.baths.exponentials import Exponentials
from pertsym.certify import brute_force
from pertsym.equations.models import independent_baths
from pertsym.expansion.cumulants import ordered_cumulant
from pertsym.expansion.paths import generator_element
from pertsym.generators.bloch_recursion import slow_subspace
from pertsym.generators.system import Array, Correlated, System
from pertsym.model.values import Coupling
from tests.open_systems import hermitian
from tests.time_quadrature import time_quadrature


def denominator_rule(
    energies: Array, operators: Mapping[str, Array], baths: Mapping[str, Exponentials], order: int
) -> Array:
    """K_order for t -> infinity, (N^2, N^2) over row-major vec."""
    size = len(energies)
    names = sorted(operators)
    moves = [
        (bath, a, b, operators[name][a, b])
        for bath, name in enumerate(names)
        for a, b in np.argwhere(operators[name] != 0)
    ]
    modes = [(names.index(n), c, nu) for n in names for c, nu in _pairs(baths[n])]
    total = np.zeros((size, size, size, size), dtype=complex)
    for pairing, words in ordered_cumulant(order):
        for word, sign in words.items():
            total += sign * _word(energies, moves, modes, dict(pairing), tuple(word), order)
    return total.reshape(size**2, size**2)


def _pairs(bath: Exponentials) -> list[tuple[complex, complex]]:
    return [(complex(c), complex(nu)) for c, nu in zip(bath.c, bath.nu, strict=True)]


def _word(
    energies: Array,
    moves: list[tuple[int, int, int, complex]],
    modes: list[tuple[int, complex, complex]],
    earlier_of: dict[int, int],
    word: tuple[int, ...],
    order: int,
) -> Array:
    """One word with one pairing: rows of every array are the assignments made so far."""
    size = len(energies)
    starts = np.indices((size, size)).reshape(2, -1)
    row, column = starts[0].copy(), starts[1].copy()
    first = np.arange(len(row))  # which |c><d| an assignment began with
    weight = np.ones(len(row), dtype=complex)
    omega = np.zeros((order, len(row)))
    gamma = np.zeros((order, len(row)), dtype=complex)
    acting = np.full((order, len(row)), -1)  # the bath at an open arc's earlier end
    later_of = {earlier: later for later, earlier in earlier_of.items()}
    for time in reversed(word):
        parts = []
        for bath, a, b, value in moves:
            for from_left in (True, False):
                # S|b> = |a> S_ab from the left, <a|S = S_ab <b| from the right
                here = np.flatnonzero(row == b if from_left else column == a)
                if time in earlier_of:
                    here = here[acting[earlier_of[time], here] == bath]
                    options = [(-1 + 0j if from_left else 1 + 0j, 0j)]
                else:
                    options = [
                        (c if from_left else -c.conjugate(), nu if from_left else nu.conjugate())
                        for owner, c, nu in modes
                        if owner == bath
                    ]
                for factor, rate in options:
                    after = (row[here].copy(), column[here].copy())
                    after[0 if from_left else 1][:] = a if from_left else b
                    turned, crossed, open_arcs = omega[:, here], gamma[:, here], acting[:, here]
                    turned[time] = energies[a] - energies[b]  # E_row - E_column grows by this
                    if time in later_of:
                        open_arcs[time] = bath
                        crossed[later_of[time] + 1 : time + 1] += rate
                    amplitude = weight[here] * value * factor
                    parts.append((*after, first[here], amplitude, turned, crossed, open_arcs))
        row, column, first, weight = (np.concatenate([p[k] for p in parts]) for k in range(4))
        omega, gamma, acting = (np.concatenate([p[k] for p in parts], axis=1) for k in (4, 5, 6))
    later_sums = np.cumsum(omega[::-1], axis=0)[::-1]
    weight = weight / np.prod(gamma[1:] + 1j * later_sums[1:], axis=0)
    result = np.zeros((size, size, size * size), dtype=complex)
    np.add.at(result, (row, column, first), weight)
    return result.reshape(size, size, size, size)


def recursion(
    energies: Array, operators: Mapping[str, Array], baths: Mapping[str, Exponentials], order: int
) -> Mapping[int, Array]:
    gaps = np.subtract.outer(energies, energies)
    return slow_subspace(
        System(gaps, operators), Correlated.independent(sorted(baths.items())), order
    ).generators


def random_bath(random: np.random.Generator, count: int) -> Exponentials:
    """Complex weights and exponents, as of no thermal bath in particular."""
    c = random.normal(size=count) + 1j * random.normal(size=count)
    nu = random.uniform(0.4, 2.0, count) + 1j * random.normal(size=count)
    return Exponentials(tuple(c.tolist()), tuple(nu.tolist()))


@given(st.integers(0, 10**6), st.sampled_from(["general", "degenerate", "resonant"]))
@settings(max_examples=6, deadline=None, derandomize=True)
def test_three_routes_at_orders_two_and_four(seed: int, kind: str) -> None:
    """Three levels, two baths, two complex exponents each; brute-force cumulants as well."""
    random = np.random.default_rng(seed)
    energies = {
        "general": np.sort(random.uniform(0, 2, 3)),
        "degenerate": np.array([0.0, 0.0, 1.0]),
        "resonant": np.array([0.0, 0.5, 1.0]),
    }[kind]
    operators = {"a": hermitian(3, seed), "b": np.diag([1.0, 0.0, -1.0]).astype(complex)}
    baths = {"a": random_bath(random, 1), "b": random_bath(random, 2)}
    found = recursion(energies, operators, baths, 4)
    gaps = np.subtract.outer(energies, energies)
    model = System(gaps, operators), Correlated.independent(baths.items())
    for order in (2, 4):
        largest = np.abs(found[order]).max()
        by_denominators = denominator_rule(energies, operators, baths, order)
        assert np.abs(by_denominators - found[order]).max() < 1e-12 * largest
        assert np.abs(brute_force.generator(*model, order) - found[order]).max() < 1e-12 * largest


def test_word_rule_by_time_ordered_quadrature() -> None:
    """No exponents are known to this route: C(t) is a function like any other."""
    energies = np.array([0.0, 1.25])
    operator = np.array([[0.25, 0.75], [0.75, -0.5]])
    bath = Exponentials((0.4 + 0.15j, 0.2 - 0.1j), (1.1 + 0.4j, 0.9 - 0.3j))
    interaction = independent_baths(2, [(Coupling.of(operator.tolist(), "a").operator, "a")])
    found = recursion(energies, {"a": operator.astype(complex)}, {"a": bath}, 4)[4]

    def correlation(t: Any) -> Any:
        return sum(c * np.exp(-nu * t) for c, nu in zip(bath.c, bath.nu, strict=True))

    for a, b, c, d in ((0, 0, 1, 1), (1, 0, 0, 1)):
        terms = generator_element(interaction, 4, (a, b, c, d))
        result = time_quadrature(terms, {"a": correlation}, [1.25], rtol=1e-6, ladder=(24, 32, 44))
        assert abs(result.value - found[2 * a + b, 2 * c + d]) < 1e-6 * np.abs(found).max()


@pytest.mark.parametrize("gap", [0.0, 1.3])
def test_order_six_of_two_baths(gap: float) -> None:
    """A general operator and a second bath that couples off the diagonal."""
    random = np.random.default_rng(6)
    energies = np.array([0.0, gap])
    operators = {"a": hermitian(2, 6), "b": np.array([[0, 1 - 0.5j], [1 + 0.5j, 0]])}
    baths = {"a": random_bath(random, 1), "b": random_bath(random, 1)}
    found = recursion(energies, operators, baths, 6)[6]
    expected = denominator_rule(energies, operators, baths, 6)
    assert np.abs(found - expected).max() < 1e-12 * np.abs(found).max()
    assert np.abs(found).max() > 1e-3


def test_order_eight() -> None:
    """All 1336 words, with a complex operator and exponent."""
    random = np.random.default_rng(8)
    energies = np.array([0.0, 0.9])
    operators = {"a": np.array([[0, 0.8 - 0.6j], [0.8 + 0.6j, 0]])}
    baths = {"a": random_bath(random, 1)}
    found = recursion(energies, operators, baths, 8)[8]
    expected = denominator_rule(energies, operators, baths, 8)
    assert np.abs(found - expected).max() < 1e-11 * np.abs(found).max()
    assert np.abs(found).max() > 1e-3
