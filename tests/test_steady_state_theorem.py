"""The generator annihilates the mean-force Gibbs state: forms, exact identities, numbers."""

from __future__ import annotations

import math
from itertools import pairwise, product
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations.steady_state_theorem import script as script
from derivations.steady_state_theorem.script import (
    BATH,
    CHECKS,
    COUPLING,
    GENERATOR,
    fourth_order_rate,
    second_order_rate,
)
from pertsym.algebra.rational_functions import RationalFunction
from pertsym.baths.densities import Underdamped
from pertsym.baths.exponentials import Exponentials
from pertsym.certify.stationarity import (
    Line,
    MeanForce,
    Point,
    Points,
    RandomPoints,
    TwoLevelVariables,
    stationary,
)
from pertsym.dynamics.imaginary_modes import ImaginaryTimeModes
from pertsym.dynamics.imaginary_time import fourth_order
from pertsym.dynamics.methods import steady
from pertsym.equations.mean_force import boltzmann, chains, second_order, through_kms
from pertsym.exact import Gaussian
from pertsym.generators.bloch_recursion import slow_subspace
from pertsym.generators.system import Correlated, System
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.numerics.evaluate import evaluate
from pertsym.rates import spectra_of
from pertsym.reduction.elements import at_elements
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm

from .open_systems import hermitian, two_bath_system

LEVELS = (0, 1)

# ---------------------------------------------------------------------------------------------
# Closed forms of two levels


def test_rates_of_the_mean_force_state_are_zero_forms() -> None:
    for a, b in product(LEVELS, repeat=2):
        assert second_order_rate(a, b)
        assert not through_kms(second_order_rate(a, b))
    for a in LEVELS:
        assert fourth_order_rate(a).integrals
        assert not through_kms(fourth_order_rate(a))


def test_gibbs_populations_are_not_stationary_at_fourth_order() -> None:
    total = ZERO_FORM
    for k in LEVELS:
        total += GENERATOR.form(4, (0, 0, k, k)) * boltzmann(COUPLING, k)
    assert through_kms(total)


def test_coherences_matter_with_a_diagonal_coupling() -> None:
    total = fourth_order_rate(0)
    for c, d in ((0, 1), (1, 0)):
        total -= GENERATOR.form(2, (0, 0, c, d)) * second_order(COUPLING, c, d)
    without = {"s00": Gaussian(), "s11": Gaussian()}
    assert through_kms(total)
    assert not through_kms(at_elements(total, without))


def test_closed_forms_vanish_in_numbers() -> None:
    """Elements evaluated one by one for a thermal bath: none of the symbolic KMS rules is used."""
    beta, w0 = 1.4, 0.9
    numbers = {"s00": Gaussian(1), "s01": Gaussian(2), "s11": Gaussian(-3)}
    operator = [[1.0, 2.0], [2.0, -3.0]]
    bath = Bath(BATH, "boson", beta, Underdamped(0.3, 1.2, 0.5))
    spectra = spectra_of(Model.of((0.0, w0), [Coupling.of(operator, BATH)], [bath]))

    def number(form: SpectralForm) -> complex:
        form = at_elements(form, numbers)
        real, imaginary = (
            (part + part.conjugated()) for part in (form, form.scaled(Gaussian(0, -1)))
        )
        return complex(*(evaluate(x, (w0,), spectra, beta).value / 2 for x in (real, imaginary)))

    weights = [1.0, math.exp(-beta * w0)]
    terms = [number(GENERATOR.form(4, (0, 0, k, k))) * weights[k] for k in LEVELS]
    terms += [
        number(GENERATOR.form(2, (0, 0, c, d))) * number(second_order(COUPLING, c, d))
        for c, d in product(LEVELS, repeat=2)
    ]
    assert abs(sum(terms)) < 1e-12 * max(map(abs, terms))


# ---------------------------------------------------------------------------------------------
# Exact identities of spectral lines


@pytest.mark.parametrize(
    ("points", "order", "coherences"),
    [
        (RandomPoints(2, seed=7), 4, True),
        (RandomPoints(3, seed=7), 4, True),
        (RandomPoints(2, seed=7), 6, False),
        (TwoLevelVariables(diagonal=True), 4, False),
    ],
)
def test_identities_hold(points: Points, order: int, coherences: bool) -> None:
    held = [finding.holds for finding in stationary(points, order, coherences)]
    assert all(held)
    assert len(held) == sum(lines + 1 for lines in range(1, order // 2 + 1))


EITHER = pytest.mark.parametrize("points", [RandomPoints(2), TwoLevelVariables(diagonal=True)])


@EITHER
def test_a_missing_pairing_is_noticed(points: Points, monkeypatch: pytest.MonkeyPatch) -> None:
    """Walks of crossing arcs have both lines alone, and together."""
    whole = MeanForce._walks

    def without_crossing(self: MeanForce, *asked: Any) -> Any:
        def crosses(nodes: Any) -> bool:
            lines = {tuple(j for j, _ in node[1]) for node in nodes}
            return lines >= {(0,), (1,), (0, 1)}

        return {key: x for key, x in whole(self, *asked).items() if not crosses(key[-1])}

    monkeypatch.setattr(MeanForce, "_walks", without_crossing)
    *held, wrong = stationary(points, 4)
    assert all(finding.holds for finding in held)
    assert not wrong.holds
    assert "order 4: X of 1 open and 1 closed lines" in wrong.what


@EITHER
def test_a_wrong_second_order_is_noticed(points: Points, monkeypatch: pytest.MonkeyPatch) -> None:
    """Populations of r that are off leave auxiliaries without their equation."""
    right = MeanForce.__call__

    def shifted(self: MeanForce, opened: frozenset[Line], closed: frozenset[int]) -> Any:
        found = right(self, opened, closed)
        if opened or len(closed) != 1:
            return found
        found = found.copy()
        found[0, 0] = found[0, 0] + self.point.boltzmann[0]
        return found

    monkeypatch.setattr(MeanForce, "__call__", shifted)
    *_, wrong = stationary(points, 4, coherences=False)
    assert not wrong.holds
    assert "1 open and 1 closed lines" in wrong.what


@EITHER
def test_a_bath_that_is_not_thermal_is_noticed(
    points: Points, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = MeanForce._spectrum
    assert all(finding.holds for finding in stationary(points, 2))
    monkeypatch.setattr(
        MeanForce, "_spectrum", lambda self, line: right(self, line) * (2 if line[1] < 0 else 1)
    )
    *_, wrong = stationary(points, 2)
    assert not wrong.holds


@pytest.mark.parametrize("levels", [2, 3])
def test_walks_are_the_chains_of_imaginary_time(levels: int) -> None:
    """The state of two closed lines as the sum over pairings, signs and paths."""
    point = RandomPoints(levels, seed=5)(2)
    state = MeanForce(point)
    wanted = np.full((levels, levels), 0 * point.beta, dtype=object)
    for chain in chains(4):
        for assigned, signs in product(((0, 1), (1, 0)), product((1, -1), repeat=2)):
            shifts = [(), *(tuple((assigned[k], signs[k]) for k in x) for x in chain.spanning), ()]
            weight = math.prod(
                point.weights[j] if sign < 0 else 1 for j, sign in zip(assigned, signs, strict=True)
            )
            for path in product(range(levels), repeat=5):
                named = ((a, tuple(sorted(x))) for a, x in zip(path, shifts, strict=True))
                elements = math.prod(point.coupling[i][k] for i, k in pairwise(path))
                value = weight * elements * state.difference(tuple(sorted(named)))
                wanted[path[0], path[-1]] += value
    assert np.array_equal(state(frozenset(), frozenset((0, 1))), wanted)


@settings(max_examples=20, derandomize=True, deadline=None)
@given(st.integers(1, 10**9), st.integers(2, 4))
def test_divided_differences_of_distinct_nodes(seed: int, count: int) -> None:
    point = RandomPoints(count, seed)(1)
    nodes = tuple((level, ()) for level in range(count))
    total = 0
    for i in range(count):
        f = point.boltzmann[i]
        for k in range(count):
            if i != k:
                f /= point.energies[i] - point.energies[k]
        total += f
    assert MeanForce(point).difference(nodes) == total
    assert MeanForce(point).difference(nodes[::-1]) == total


def test_divided_differences_of_equal_nodes() -> None:
    """f' = -beta f: f[x, x] and f[x, x, y] by their definitions."""
    x, f, y, g, beta = RationalFunction.variables(["x", "f", "y", "g", "beta"])
    state, a, b = MeanForce(Point((x, y), (f, g), (), (), (), beta)), (0, ()), (1, ())
    assert state.difference((a, a)) == -beta * f
    assert state.difference((a, a, a)) == beta * beta * f / 2
    expected = ((g - f) / (y - x) + beta * f) / (y - x)
    assert state.difference((a, a, b)) == expected


# ---------------------------------------------------------------------------------------------
# Numbers


def test_chains_give_the_fourth_order_of_oscillators() -> None:
    """The divided differences along paths against quadrature in imaginary time."""
    beta, energies = 1.3, (0.0, 0.8)
    s = hermitian(2, 5)
    frequencies, strengths = (1.9, 2.6), (0.4, 0.3)
    lines = []
    for w, g in zip(frequencies, strengths, strict=True):
        n = 1 / math.expm1(beta * w)
        lines += [(w, g**2 * (n + 1)), (-w, g**2 * n)]

    def difference(nodes: list[float]) -> mpmath.mpf:
        """By shifting equal nodes apart at high precision."""
        with mpmath.workdps(60):
            x = [mpmath.mpf(node) + k * mpmath.mpf(10) ** -12 for k, node in enumerate(nodes)]
            table = [mpmath.exp(-beta * y) for y in x]
            for k in range(1, len(x)):
                table = [(table[i + 1] - table[i]) / (x[i + k] - x[i]) for i in range(len(x) - k)]
            return table[0]

    r = {2: np.zeros((2, 2), dtype=complex), 4: np.zeros((2, 2), dtype=complex)}
    for order, total in r.items():
        for chain in chains(order):
            for chosen in product(lines, repeat=order // 2):
                weight = math.prod(c for _, c in chosen)
                shifts = [0.0, *(sum(chosen[k][0] for k in arcs) for arcs in chain.spanning), 0.0]
                for path in product(LEVELS, repeat=order + 1):
                    nodes = [energies[k] + w for k, w in zip(path, shifts, strict=True)]
                    amplitude = np.prod([s[i, k] for i, k in pairwise(path)])
                    total[path[0], path[-1]] += weight * amplitude * float(difference(nodes))
    weights = np.exp(-beta * np.array(energies))
    p, z = np.diag(weights / weights.sum()), weights.sum()
    second = r[2] / z - p * np.trace(r[2]) / z
    fourth = r[4] / z - second * np.trace(r[2]) / z - p * np.trace(r[4]) / z
    found = fourth_order(
        energies, [s], [ImaginaryTimeModes.oscillators(beta, frequencies, strengths)]
    )
    assert second == pytest.approx(found.second, abs=1e-10)
    assert fourth == pytest.approx(found.fourth, abs=1e-10)


@pytest.mark.parametrize("levels", [2, 3, 4])
def test_sixth_order_of_a_thermal_bath(levels: int) -> None:
    """Ĉ(w) = exp(-w^2/2 + beta w/2) is thermal; a line below the axis gives exponentials of C(t).

    The trapezoidal rule on Im w = -shift with spacing h errs by about exp(-2 pi shift/h).
    """
    beta, shift, spacing, count = 0.8, 2.4, 0.5, 18
    w = spacing * np.arange(-count, count + 1)
    z = w - 1j * shift
    c = spacing / (2 * math.pi) * np.exp(-(z**2) / 2 + beta * z / 2)
    modes = Exponentials(tuple(map(complex, c)), tuple(complex(shift, x) for x in w))
    energies = np.array([0.0, 0.7, 1.5, 2.1][:levels])
    s = hermitian(levels, 3)
    system = System(energies[:, None] - energies[None, :], {"b": s})
    k = slow_subspace(system, Correlated.independent([("b", modes)]), 6).generators

    nodes, share = np.polynomial.legendre.leggauss(60)
    u, share = 6.0 * (1 + nodes), 6.0 * share
    spectrum = share / (2 * math.pi) * np.exp(-(u**2) / 2 + beta * u / 2)
    imaginary = ImaginaryTimeModes(beta, tuple(map(float, u)), tuple(map(float, spectrum)))
    expansion = fourth_order(tuple(energies), [s], [imaginary])
    gibbs = np.exp(-beta * energies)
    r = [
        matrix.reshape(-1)
        for matrix in (np.diag(gibbs / gibbs.sum()), expansion.second, expansion.fourth)
    ]
    free = -1j * system.gaps.reshape(-1)
    populations = np.arange(levels) * (levels + 1)

    fourth = [free * r[2], k[2] @ r[1], k[4] @ r[0]]
    scale = max(np.abs(term).max() for term in fourth)
    assert np.abs(sum(fourth)).max() < 1e-9 * scale
    sixth = [(k[2] @ r[2])[populations], (k[4] @ r[1])[populations], (k[6] @ r[0])[populations]]
    scale = max(np.abs(term).max() for term in sixth)
    assert np.abs(sum(sixth)).max() < 1e-8 * scale
    assert np.abs(sixth[1] + sixth[2]).max() > 1e-3 * scale


def test_coherences_of_fourth_order_come_one_order_earlier() -> None:
    """TCL4 has fourth-order coherences and TCL6 sixth-order ones, given populations."""
    missed = []
    for strength in (0.3, 0.15):
        model = two_bath_system(strength)
        off = steady(model, "tcl4") - steady(model, "mean-force", 4)
        missed.append((np.abs(np.diag(off)).max(), np.abs(off - np.diag(np.diag(off))).max()))
    powers = [math.log2(a / b) for a, b in zip(*missed, strict=True)]
    assert powers == pytest.approx([4, 6], abs=0.3)


def test_script() -> None:
    keys = [step.key for step in script.narrate(4)]
    assert "fourth-order" in keys
    assert "sixth-order" not in keys
    assert {claim.check for claim in script.PAPER.claims()} <= set(CHECKS)
