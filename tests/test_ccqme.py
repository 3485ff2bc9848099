"""Redfield and CCQME: references, independent generators, steady states, refusals."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pertsym import load_model
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Exponentials, Ohmic
from pertsym.baths.divergence import Divergent
from pertsym.certify import brute_force
from pertsym.dynamics.ccqme import ccqme
from pertsym.dynamics.levels import gibbs
from pertsym.dynamics.mean_force import mean_force
from pertsym.dynamics.redfield import redfield
from pertsym.generators.steady import steady_state
from pertsym.generators.system import Correlated, System
from pertsym.model.bath import Bath
from pertsym.model.errors import InputError
from pertsym.model.values import Coupling, Model

from .open_systems import Matrix, hermitian, open_system, slope, two_bath_system

DATA = Path(__file__).parent / "data"


@cache
def reference(name: str) -> tuple[Model, dict[str, Any]]:
    path = DATA / "taa" / f"{name}.json"
    return load_model(path.with_suffix(".toml")), json.loads(path.read_text())


def populations(generator: Matrix) -> np.ndarray:
    return np.diag(steady_state(generator)).real


def exponential_model() -> Model:
    """Two baths given as complex exponentials, three levels."""
    baths = (
        Bath("x", "boson", None, Exponentials((0.3 + 0.1j, 0.1 - 0.2j), (1.0 + 0.4j, 0.7 - 1j))),
        Bath("y", "boson", None, Exponentials((0.2 - 0.05j,), (0.5 + 0.2j,))),
    )
    couplings = (
        Coupling.of(hermitian(3, 3).tolist(), "x"),
        Coupling.of(hermitian(3, 4).tolist(), "y"),
        Coupling.of(hermitian(3, 5).tolist(), "x", 0.5),  # shares B with the first
    )
    return Model.of((0.0, 0.4, 1.1), couplings, baths)


# ---------------------------------------------------------------------------------------------
# Against numbers and generators obtained otherwise


@pytest.mark.parametrize("name", ["N2_eta0.3", "N6_eta0.3"])
def test_steady_states_of_proton_transfer(name: str) -> None:
    model, expected = reference(name)
    assert np.diag(gibbs(model)).real == pytest.approx(expected["gibbs"], abs=1e-14)
    for generator, key in (
        (redfield(model), "redfield_full_steady"),
        (ccqme(model), "ccqme_full_steady"),
        (ccqme(model, secular=True), "ccqme_secular_steady"),
        (redfield(model, secular=True), "gibbs"),  # whatever the coupling
    ):
        assert populations(generator) == pytest.approx(expected[key], abs=1e-11), key


def test_redfield_is_the_second_order_cumulant() -> None:
    model = exponential_model()
    densities = {bath.name: bath.density for bath in model.baths}
    same = System.of(model), Correlated.independent(densities.items())  # type: ignore[arg-type]
    expected = brute_force.generator(*same, 0) + brute_force.generator(*same, 2)
    assert np.max(np.abs(redfield(model) - expected)) < 1e-13


def test_redfield_of_the_reference_with_two_baths() -> None:
    stored = json.loads((DATA / "generator" / "MP.json").read_text())["orders"]
    expected = sum(
        np.array(stored[order]["real"]) + 1j * np.array(stored[order]["imag"])
        for order in ("0", "2")
    )
    found = redfield(load_model(DATA / "generator" / "MP.toml"))
    assert np.max(np.abs(found - expected)) < 1e-12 * np.max(np.abs(expected))


def test_couplings_to_one_bath_add() -> None:
    x, y = hermitian(3, 6), hermitian(3, 7)
    bath = Bath("b", "boson", 1.0, DrudeLorentz(0.1, 1.0))
    parts = [Coupling.of(x.tolist(), "b"), Coupling.of(y.tolist(), "b", 0.5)]
    together = [Coupling.of((x + 0.5 * y).tolist(), "b")]
    energies = (0.0, 0.5, 1.2)
    for build in (redfield, ccqme):
        separate = build(Model.of(energies, parts, [bath]))
        assert separate == pytest.approx(build(Model.of(energies, together, [bath])), abs=1e-14)


# ---------------------------------------------------------------------------------------------
# Structure


@pytest.mark.parametrize("secular", [False, True])
@pytest.mark.parametrize("build", [redfield, ccqme])
def test_trace_and_hermiticity_are_conserved(build: Any, secular: bool) -> None:
    generator = build(two_bath_system(), secular=secular)
    size = 3
    assert np.max(np.abs(generator[:: size + 1].sum(axis=0))) < 1e-14
    order = np.arange(size**2).reshape(size, size).T.reshape(-1)
    assert np.max(np.abs(generator[np.ix_(order, order)] - generator.conj())) < 1e-14


def test_pauli_rates_and_their_detailed_balance() -> None:
    model = two_bath_system()
    generator = redfield(model, secular=True)
    rates = generator[::4, ::4]
    assert np.max(np.abs(rates.imag)) < 1e-15
    beta, energies = 1.3, np.array(model.energies)
    spectra = [Correlation(bath.density, "boson", beta) for bath in model.baths]
    operators = [hermitian(3, 1), hermitian(3, 2)]
    for n, m in ((0, 1), (1, 0), (0, 2), (2, 1)):
        expected = sum(
            abs(s[n, m]) ** 2 * c.spectrum(energies[m] - energies[n]).value
            for s, c in zip(operators, spectra, strict=True)
        )
        assert rates[n, m].real == pytest.approx(expected, rel=1e-13)
        ratio = np.exp(-beta * (energies[n] - energies[m]))
        assert rates[n, m].real == pytest.approx(ratio * rates[m, n].real, rel=1e-12)
    assert np.max(np.abs(generator @ gibbs(model).reshape(-1))) < 1e-15


def test_secular_keeps_transfer_between_equal_frequencies_only() -> None:
    s, density = hermitian(3, 8), (DrudeLorentz(0.1, 1.0),)
    ladder = redfield(open_system((0.1, 0.2, 0.3), (s,), density, 1.0), secular=True)
    uneven = redfield(open_system((0.1, 0.2, 0.31), (s,), density, 1.0), secular=True)
    one, other = 0 * 3 + 1, 1 * 3 + 2  # rho_01 and rho_12; 0.3 - 0.2 is not 0.2 - 0.1 in doubles
    assert abs(ladder[one, other]) > 1e-3
    assert uneven[one, other] == 0
    coherences = [1, 2, 3, 5, 6, 7]
    assert not np.any(uneven[np.ix_(coherences, [0, 4, 8])])
    assert not np.any(uneven[np.ix_([0, 4, 8], coherences)])


def test_bath_without_static_limit_serves_transitions() -> None:
    # Ĉ(0) of a sub-Ohmic bath is infinite, but no diagonal coupling asks for it
    density = (Ohmic(0.05, 1.0, 0.5),)
    flip = [[0, 1], [1, 0]]
    assert np.all(np.isfinite(redfield(open_system((0.0, 1.0), (flip,), density, 1.0))))
    with pytest.raises(Divergent, match=r"w\^-0\.5"):
        redfield(open_system((0.0, 1.0), ([[1, 1], [1, 0]],), density, 1.0))


# ---------------------------------------------------------------------------------------------
# Order of the steady states


def distance_to_mean_force(build: Any, strength: float, **options: bool) -> float:
    model = two_bath_system(strength)
    return float(
        np.max(np.abs(steady_state(build(model, **options)) - mean_force(model, 2).matrix))
    )


def test_ccqme_is_canonical_to_second_order_and_redfield_is_not() -> None:
    # the strength multiplies the operators: second order is strength^2
    for strength in (0.2, 0.1):
        assert slope(lambda x: distance_to_mean_force(ccqme, x), strength) == pytest.approx(
            4, abs=0.1
        )
    assert slope(lambda x: distance_to_mean_force(redfield, x), 0.1) == pytest.approx(2, abs=0.1)


def test_secular_ccqme_has_canonical_populations() -> None:
    def distance(strength: float) -> float:
        model = two_bath_system(strength)
        found = populations(ccqme(model, secular=True))
        return float(np.max(np.abs(found - np.diag(mean_force(model, 2).matrix).real)))

    assert slope(distance, 0.1) == pytest.approx(4, abs=0.1)


def test_redfield_coherences_are_canonical_to_second_order() -> None:
    def distance(strength: float) -> float:
        model = two_bath_system(strength)
        gap = steady_state(redfield(model)) - mean_force(model, 2).matrix
        return float(np.max(np.abs(gap - np.diag(np.diag(gap)))))

    assert slope(distance, 0.1) == pytest.approx(4, abs=0.2)


# ---------------------------------------------------------------------------------------------
# Steady states of generators, and refusals


def test_slow_populations_beside_fast_coherences() -> None:
    model = two_bath_system(1e-5)  # rates of 1e-11 beside frequencies of 1
    assert steady_state(ccqme(model)) == pytest.approx(gibbs(model), abs=1e-9)


def test_several_steady_states_are_refused() -> None:
    dephasing = open_system((0.0, 1.0), (np.diag([1.0, -1.0]),), (DrudeLorentz(0.1, 1.0),), 1.0)
    with pytest.raises(InputError, match="not unique: 2"):
        steady_state(redfield(dephasing))


@pytest.mark.parametrize(
    ("generator", "problem"),
    [
        (-np.eye(4), "no steady state"),
        (np.zeros((3, 3)), "not a finite"),
        (np.full((4, 4), np.nan), "not a finite"),
        (np.diag([-1.0, 0.0, -1.0, -1.0]), "no trace"),
    ],
)
def test_what_is_no_generator_is_refused(generator: Any, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        steady_state(generator.astype(complex))


def test_ccqme_needs_one_temperature_above_zero() -> None:
    flip, density = [[0, 1], [1, 0]], DrudeLorentz(0.1, 1.0)
    with pytest.raises(InputError, match="T = 0"):
        ccqme(open_system((0.0, 1.0), (flip,), (density,), np.inf))
    couplings = [Coupling.of(flip, "hot"), Coupling.of(flip, "cold")]
    baths = [Bath("hot", "boson", 1.0, density), Bath("cold", "boson", 2.0, density)]
    model = Model.of((0.0, 1.0), couplings, baths)
    assert np.all(np.isfinite(redfield(model)))
    with pytest.raises(InputError, match=r"'hot' \(boson, beta = 1\), 'cold' \(boson, beta = 2\)"):
        ccqme(model)


def test_ccqme_of_degenerate_levels_is_refused() -> None:
    model = open_system((0.0, 1.0, 1.0), (hermitian(3, 9),), (DrudeLorentz(0.1, 1.0),), 1.0)
    with pytest.raises(Divergent, match="levels 1 and 2 are degenerate"):
        ccqme(model)
    assert steady_state(redfield(model)).trace() == pytest.approx(1)
