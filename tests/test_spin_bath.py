"""Baths of spins: averages, the map to oscillators, what is not Gaussian in them."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from derivations.schlosshauer_hines_milburn_2008 import bath_checks
from pertsym.baths import enclosure
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Ohmic, SpinSurrogate, Table, Underdamped
from pertsym.certify.claims import checks_in
from pertsym.environments.rule import Action, contract_in_sequence
from pertsym.model import Bath, load_model
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.spins.fourth_cumulant import FourthCumulant, Spin
from pertsym.spins.moments import (
    POLARISATION,
    UNBIASED,
    centred_moment,
    correlation,
    fourth_cumulant,
)
from pertsym.spins.rule import IndependentSpins, cumulant_weight
from tests.command_line import TEMPERATURE, model_file, refused, run

CHECKS = checks_in(vars(bath_checks))
steady = settings(max_examples=12, deadline=None, derandomize=True)


@pytest.mark.parametrize("tag", [t for t in CHECKS if t != "static_spins"])
def test_derived(tag: str) -> None:
    found = CHECKS[tag](16)
    assert found.status in ("proved", "numerical"), found.detail


def test_a_moment_is_stationary_and_real_backwards() -> None:
    """Phases of every exponential add up to 0; reversing the operators conjugates."""
    for sum_of in (centred_moment(2), centred_moment(3), centred_moment(4), fourth_cumulant()):
        assert all(sum(phase) == 0 for phase in sum_of.terms)
        for phase, coefficient in sum_of.terms.items():
            mirrored = tuple(-k for k in reversed(phase))
            assert sum_of.terms[mirrored] == coefficient


def test_odd_averages_vanish_without_bias_only() -> None:
    assert not centred_moment(3).specialised(UNBIASED).terms
    assert centred_moment(3).terms


# ---------------------------------------------------------------------------------------------
# The oscillators that look like spins


@steady
@given(st.floats(0.05, 20), st.floats(0.1, 5), st.floats(0.2, 5))
def test_spectrum_of_spins(beta: float, w: float, cutoff: float) -> None:
    """Ĉ(w) + Ĉ(-w) is free of temperature, Ĉ(w) - Ĉ(-w) is it times tanh; KMS."""
    density = DrudeLorentz(0.7, cutoff)
    bath = Correlation(SpinSurrogate(density, beta), "boson", beta)
    up, down = bath.spectrum(w), bath.spectrum(-w)
    assert up.value + down.value == pytest.approx(2 * density.at(w), rel=1e-13)
    assert up.value - down.value == pytest.approx(
        2 * density.at(w) * math.tanh(beta * w / 2), rel=1e-12
    )
    assert down.value == pytest.approx(math.exp(-beta * w) * up.value, rel=1e-12)


@pytest.mark.parametrize(
    "density",
    [
        DrudeLorentz(1.0, 2.0),
        Ohmic(0.3, 1.5, 0.5),
        Ohmic(0.3, 1.5, 2.0),
        Underdamped(0.5, 1.0, 0.2),
    ],
)
def test_transform_of_spins_by_two_quadratures(density: object) -> None:
    for beta in (0.3, 4.0):
        bath = Correlation(SpinSurrogate(density, beta), "boson", beta)
        value, error = bath.transform(0.8)
        assert abs(value - float(enclosure.transform(bath, 0.8, 0, 18).mid())) <= error
        assert error < 1e-12 * abs(value)


def test_at_zero_temperature_spins_are_oscillators() -> None:
    density = Ohmic(0.2, 3.0, 1.0)
    cold = Correlation(SpinSurrogate(density, math.inf), "boson", math.inf)
    same = Correlation(density, "boson", math.inf)
    for w in (-1.0, 0.4, 2.0):
        assert cold.spectrum(w).value == same.spectrum(w).value
        assert cold.transform(w).value == pytest.approx(same.transform(w).value, rel=1e-12)


def test_table_and_zero_coupling() -> None:
    table = Table((0.5, 1.0, 2.0, 3.0), (0.1, 0.3, 0.2, 0.0))
    assert Correlation(SpinSurrogate(table, 2.0), "boson", 2.0).spectrum(4.0).value == 0
    nothing = Correlation(SpinSurrogate(DrudeLorentz(0.0, 1.0), 2.0), "boson", 2.0)
    assert nothing.thermal.is_zero
    with pytest.raises(ValueError, match="beta: must be finite and > 0"):
        SpinSurrogate(table, -1.0)


def test_levels_in_a_spin_bath(tmp_path: Path) -> None:
    """Golden rule with Ĉ(w0) = 2 J/(1 + e^{-beta w0}); the expansion's limit is said on stderr."""
    path = model_file(tmp_path, (TEMPERATURE, TEMPERATURE + '\nstatistics = "spin"'))
    result = run("rates", path, "--order", "2", "--json")
    assert result.exit_code == 0
    rates = json.loads(result.stdout)["orders"]["2"]
    j = DrudeLorentz(0.05, 1.0).at(1.0)
    assert rates["k_down"] == pytest.approx(2 * j / (1 + math.exp(-2)), rel=1e-13)
    assert rates["k_up"] == pytest.approx(2 * j / (1 + math.exp(2)), rel=1e-13)
    assert "fourth cumulant" in result.stderr


def test_exponentials_have_no_spins(tmp_path: Path) -> None:
    given_as = '{ kind = "exponentials", c = [1.0], nu = [1.0] }'
    path = model_file(
        tmp_path,
        (TEMPERATURE, 'statistics = "spin"'),
        ('{ kind = "drude-lorentz", lam = 0.05, gamma = 1.0 }', given_as),
    )
    refused(run("rates", path), 2, "baths.x.spectral_density.kind", "exponentials")


# ---------------------------------------------------------------------------------------------
# Fourth order


@pytest.mark.parametrize("bias", [0.0, 0.7])
def test_generator_is_the_derivative_of_the_state(bias: float) -> None:
    """d rho4/dt = K0 rho4 + K4(t) rho0(t), by a central difference."""
    energies = np.array([0.0, 0.8])
    operator = np.array([[0.2, 1], [1, -0.3]], dtype=complex)
    term = FourthCumulant(energies, operator, (Spin(0.9, bias, 1.1, 0.6),))
    start = np.array([[0.3, 0.1j], [-0.1j, 0.7]]).astype(complex)
    time, step = 1.4, 1e-3
    ahead, here, behind = (term.state(start, time + s) for s in (step, 0.0, -step))
    slope = ((ahead - behind) / (2 * step)).reshape(-1)
    gaps = (energies[:, None] - energies[None, :]).reshape(-1)
    free = start.reshape(-1) * np.exp(-1j * gaps * time)
    expected = -1j * gaps * here.reshape(-1) + term.generator(time) @ free
    assert np.max(np.abs(slope - expected)) < 3e-6 * np.max(np.abs(slope))
    assert abs(np.trace(here)) < 1e-14
    assert np.allclose(here, here.conj().T, atol=1e-14)


def test_pure_dephasing_by_spins() -> None:
    """S commutes with H_S: the coherence is a product over spins of an average phase.

    Without tunnelling B is sigma_z itself, so that <exp(-i phi B)> is that of a two-valued
    variable, with phi = 2 g t; its logarithm at fourth order is kappa4 phi^4/24.
    """
    g, beta, time = 0.4, 0.9, 1.3
    spin = Spin(g, 1.0, 0.0, beta)
    term = FourthCumulant(np.array([0.0, 0.0]), np.diag([1.0, -1.0]).astype(complex), (spin,))
    mean = -math.tanh(beta / 2)
    variance = 1 - mean**2
    centred = sum(p * (s - mean) ** 4 for s, p in ((1, (1 + mean) / 2), (-1, (1 - mean) / 2)))
    kappa = centred - 3 * variance**2
    change = term.state(np.array([[0.5, 0.5], [0.5, 0.5]]), time)
    assert change[0, 1] == pytest.approx(0.5 * kappa * (2 * g * time) ** 4 / 24, rel=1e-12)
    assert abs(change[0, 0]) < 1e-14


def test_spins_add_and_refuse_nonsense() -> None:
    energies, operator = np.array([0.0, 1.0]), np.array([[0, 1], [1, 0]], dtype=complex)
    one, two = Spin(0.5, 0.2, 1.0, 1.0), Spin(0.3, 0.0, 2.0, math.inf)
    parts = [FourthCumulant(energies, operator, (s,)).generator(0.9) for s in (one, two)]
    both = FourthCumulant(energies, operator, (one, two)).generator(0.9)
    assert np.allclose(both, parts[0] + parts[1], atol=1e-15)
    with pytest.raises(ValueError, match="tunnelling"):
        Spin(1.0, 0.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="beta"):
        Spin(1.0, 0.0, 1.0, 0.0)


def exact_average(order: Sequence[int], times: Sequence[float], h: float, w: float) -> complex:
    """<B(t_i) B(t_j) ...> of an unbiased spin, operators in this order."""
    total = 0j
    for phase, x in (
        centred_moment(len(order)).specialised({**UNBIASED, POLARISATION: h}).terms.items()
    ):
        angle = sum(k * times[t] for k, t in zip(phase, order, strict=True))
        total += float(x) * np.exp(1j * w * angle)
    return total


@pytest.mark.parametrize("sides", [(False,) * 4, (False, True, True, False), (True,) * 4])
def test_contraction_rule_of_spins(sides: tuple[bool, ...]) -> None:
    """The terms of four operators, evaluated for one spin, are its four-point function."""
    h, w, times = 0.46, 1.3, (2.0, 1.1, 0.7, -0.3)
    values = {**UNBIASED, POLARISATION: h}
    cumulant = fourth_cumulant()
    # weight -> the (strength, frequency) at which it sits; C(t) = sum p e^{ikwt}
    places = {cumulant_weight(k): [(0.0, w)] for k in cumulant.terms}
    places |= {
        cumulant_weight(k): [(float(x), w)] for k, x in cumulant.specialised(values).terms.items()
    }
    places["B"] = [
        (float(x), -k[0] * w) for k, x in correlation().specialised(values).terms.items()
    ]
    actions = [Action(j, side) for j, side in zip((3, 2, 1, 0), sides, strict=True)]
    total = 0j
    for term in contract_in_sequence(IndependentSpins(), actions, 0, 1):
        for chosen in itertools.product(*(places[weight.name] for weight in term.weights)):
            at = {x.energies[0]: y[1] for x, y in zip(term.weights, chosen, strict=True)}
            angle = sum(
                c * at[e] * times[action.time]
                for action, form in zip(actions, term.frequencies, strict=True)
                for e, c in form
            )
            total += term.coefficient * math.prod(y[0] for y in chosen) * np.exp(1j * angle)
    right = [a.time for a in actions if a.right]
    left = [a.time for a in reversed(actions) if not a.right]
    assert total == pytest.approx(exact_average([*right, *left], times, h, w), abs=1e-13)


def test_the_rule_says_what_it_cannot_do() -> None:
    with pytest.raises(NotYetDerivable, match=r"6 operators .*the fourth; .*order 4 at most"):
        list(IndependentSpins().contract([Action(j, False) for j in range(6)], 0, 1))
    with pytest.raises(NotYetDerivable, match=r"3 operators .*odd cumulants; .*even order"):
        list(IndependentSpins().contract([Action(j, False) for j in range(3)], 0, 1))
    assert not list(IndependentSpins().contract([Action(0, False)], 0, 1))


def test_spin_baths_in_python_are_those_of_files(tmp_path: Path) -> None:
    density = DrudeLorentz(0.05, 1.0)
    path = model_file(tmp_path, ("[baths.x]", '[baths.x]\nstatistics = "spin"'))
    assert load_model(path).baths == (Bath.spin("x", 2.0, density),)
    with pytest.raises(InputError, match=r"Bath\.spin"):
        Bath("x", "spin", 2.0, density)  # type: ignore[arg-type]
