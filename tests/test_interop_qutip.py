"""QuTiP and back: superoperators, environments, bases."""

from __future__ import annotations

import numpy as np
import pytest

from pertsym.baths.densities import DrudeLorentz, Exponentials, Ohmic, Underdamped
from pertsym.dynamics.methods import evolve, steady
from pertsym.generators.tcl import tcl_generator
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from tests.open_systems import hermitian, two_bath_system

qutip = pytest.importorskip("qutip")
interop = pytest.importorskip("pertsym.interop.qutip")


def test_steady_state_and_evolution_of_the_superoperator() -> None:
    model = two_bath_system(0.4)
    liouvillian = interop.to_superoperator(tcl_generator(model, 4, tolerance=1e-9))
    found = qutip.steadystate(liouvillian).full()
    np.testing.assert_allclose(found, steady(model, "tcl4"), atol=1e-7)
    initial = np.zeros((3, 3), dtype=complex)
    initial[2, 2] = 1
    times = np.linspace(0, 8, 4)
    options = {"atol": 1e-10, "rtol": 1e-9}
    result = qutip.mesolve(liouvillian, qutip.Qobj(initial), times, options=options)
    expected = evolve(model, "tcl4-asymptotic", initial, times.tolist())
    for state, other in zip(result.states, expected, strict=True):
        np.testing.assert_allclose(state.full(), other, atol=1e-7)


@pytest.mark.parametrize(
    "density", [DrudeLorentz(0.1, 0.7), Underdamped(0.3, 1.2, 0.4), Ohmic(0.1, 2.0, 3.0)]
)
def test_environments_have_the_same_spectral_density(density: object) -> None:
    bath = Bath("b", "boson", 2.0, density)  # type: ignore[arg-type]
    environment = interop.to_environment(bath)
    w = np.array([0.1, 0.8, 3.0])
    np.testing.assert_allclose(environment.spectral_density(w), bath.density.at(w), rtol=1e-12)  # type: ignore[union-attr]
    model, _ = interop.from_qutip(qutip.sigmaz(), [(qutip.sigmax(), environment)])
    assert model.baths[0].density == density
    assert model.baths[0].beta == pytest.approx(2.0)


@pytest.mark.parametrize(
    "density", [DrudeLorentz(0.1, 0.7), Underdamped(0.3, 1.2, 0.4), Ohmic(0.1, 2.0, 3.0)]
)
@pytest.mark.parametrize("beta", [2.0, np.inf])
def test_baths_survive_the_round_trip(density: object, beta: float) -> None:
    bath = Bath("b", "boson", beta, density)  # type: ignore[arg-type]
    assert interop.from_environment("b", interop.to_environment(bath)) == bath


def test_pade_exponents_of_qutip_give_its_correlation_function() -> None:
    environment = interop.to_environment(Bath("b", "boson", 2.0, DrudeLorentz(0.1, 0.7)))
    approximate = environment.approximate("pade", Nk=3)
    found = interop.from_environment("b", approximate).density
    t = np.array([0.3, 2.0])
    sums = sum(c * np.exp(-nu * t) for c, nu in zip(found.c, found.nu, strict=True))
    np.testing.assert_allclose(sums, approximate.correlation_function(t), rtol=1e-12)
    np.testing.assert_allclose(sums, environment.correlation_function(t), rtol=1e-2)


def test_exponentials_survive_the_round_trip() -> None:
    given = Exponentials((0.3 + 0.1j, 0.2), (1.1 + 0.4j, 0.7))
    environment = interop.to_environment(Bath("b", "boson", None, given))
    times = np.array([0.1, 1.0, 2.5])
    exact = sum(c * np.exp(-nu * times) for c, nu in zip(given.c, given.nu, strict=True))
    np.testing.assert_allclose(environment.correlation_function(times), exact, rtol=1e-12)
    model, _ = interop.from_qutip(qutip.sigmaz(), [(qutip.sigmax(), environment)])
    back = model.baths[0].density
    assert isinstance(back, Exponentials)
    found = sum(c * np.exp(-nu * times) for c, nu in zip(back.c, back.nu, strict=True))
    np.testing.assert_allclose(found, exact, rtol=1e-12)


def test_a_model_from_qutip_is_in_its_eigenbasis() -> None:
    """One environment given twice is one bath; the basis turns operators into the model's."""
    h, first, second = (qutip.Qobj(hermitian(3, seed)) for seed in (1, 2, 3))
    shared = interop.to_environment(Bath("b", "boson", 1.0, DrudeLorentz(0.1, 1.0)))
    model, basis = interop.from_qutip(h, [(first, shared), (second, shared)])
    assert len(model.baths) == 1
    diagonal = (basis.dag() * h * basis).full()
    np.testing.assert_allclose(diagonal, np.diag(model.energies), atol=1e-12)
    for coupling, operator in zip(model.couplings, (first, second), strict=True):
        found = np.array([[complex(x) for x in row] for row in coupling.operator])
        np.testing.assert_allclose(found, (basis.dag() * operator * basis).full(), atol=1e-12)


def test_what_has_no_counterpart() -> None:
    classical = Bath("b", "classical", 1.0, DrudeLorentz(0.1, 1.0))
    with pytest.raises(ValueError, match="no environment"):
        interop.to_environment(classical)
    with pytest.raises(ValueError, match="not one of"):
        interop.from_qutip(qutip.sigmaz(), [(qutip.sigmax(), "white noise")])
    model = Model.of(
        (0.0, 1.0),
        [Coupling.of([[1, 0], [0, -1]], "b")],
        [Bath("b", "boson", 1.0, Ohmic(0.1, 1.0, 0.5))],
    )
    with pytest.raises(ValueError, match="does not exist"):
        interop.to_superoperator(tcl_generator(model, 2))
