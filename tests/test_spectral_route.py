"""Order 4 of N levels from closed spectral forms, against exponentials and against probing."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import DrudeLorentz, Exponentials, Ohmic
from pertsym.baths.exponential_fit import shared_horizon
from pertsym.dynamics.methods import steady
from pertsym.generators import representation, spectral_route
from pertsym.generators.bloch_recursion import slow_subspace
from pertsym.generators.representation import represented
from pertsym.generators.spectral_route import commensurate
from pertsym.generators.system import Correlated, System
from pertsym.generators.tcl import tcl_generator
from pertsym.model.bath import Bath
from pertsym.model.errors import NotYetDerivable
from pertsym.model.values import Coupling, Model
from tests.command_line import DENSITY, model_file, refused, run
from tests.open_systems import open_system

BIASED = [[0.3, 1], [1, -0.3]]
TURNED = [[0, -1j], [1j, 0]]
UPPER = [[0, 0, 0], [0, 0, 1j], [0, -1j, 0]]
LOWER = [[0, 1, 0], [1, 0, 0], [0, 0, 0.3]]
CASES: dict[str, tuple[tuple[float, ...], list[Any]]] = {
    "biased": ((0.0, 1.0), [BIASED]),
    "equal energies": ((0.4, 0.4), [BIASED, TURNED]),
    "three levels": ((0.0, 0.7, 1.6), [LOWER]),
    "resonant": ((0.0, 1.0, 2.0), [[[0, 1, 0], [1, 0, 1], [0, 1, 0]]]),
    "degenerate": ((0.0, 0.0, 1.0), [[[0, 0, 1], [0, 0, 1], [1, 1, 0]]]),
}


@pytest.mark.parametrize("name", list(CASES))
def test_closed_forms_equal_exponentials(name: str) -> None:
    """Drude baths: closed forms to 1e-12, against a fit that knows its own error."""
    energies, operators = CASES[name]
    densities = [DrudeLorentz(0.05, 0.9), DrudeLorentz(0.03, 2.0)][: len(operators)]
    model = open_system(energies, operators, densities, 1.3)
    closed = tcl_generator(model, 4, spectral=True).orders[4]
    fitted = tcl_generator(model, 4, tolerance=1e-9).orders[4]
    largest = np.abs(fitted.matrix).max()
    assert not closed.divergent
    assert closed.error.max() < 1e-11 * largest
    off = np.abs(closed.matrix - fitted.matrix)
    assert np.all(off <= 3 * fitted.error + closed.error)
    assert fitted.error.max() < 1e-7 * largest


def test_two_baths_and_three_levels() -> None:
    """Sparse operators; the sum over populations vanishes column by column."""
    densities = [DrudeLorentz(0.05, 0.9), DrudeLorentz(0.03, 2.0)]
    model = open_system((0.0, 0.7, 1.6), [UPPER, [[0, 1, 0], [1, 0, 0], [0, 0, 0]]], densities, 1.3)
    closed = tcl_generator(model, 4, spectral=True).orders[4]
    fitted = tcl_generator(model, 4, tolerance=1e-8).orders[4]
    assert np.all(np.abs(closed.matrix - fitted.matrix) <= 3 * fitted.error + closed.error)
    sums = np.einsum("aacd->cd", closed.matrix.reshape(3, 3, 3, 3))
    assert np.abs(sums).max() < 1e-13


def test_exact_for_baths_of_exponentials() -> None:
    """The model is a sum of exponentials: recursion and closed forms to rounding."""
    bath = Bath("b", "boson", None, Exponentials((0.4, 0.2 - 0.1j), (1.1 + 0.4j, 0.6)))
    model = Model.of((0.0, 0.9), [Coupling.of(BIASED, "b")], [bath])
    closed = tcl_generator(model, 4, spectral=True).orders[4]
    exponentials = bath.density
    assert isinstance(exponentials, Exponentials)
    baths = Correlated.independent([("b", exponentials)])
    exact = slow_subspace(System.of(model), baths, 4).generators[4]
    assert np.all(np.abs(closed.matrix - exact) <= closed.error + 1e-14)
    assert closed.error.max() < 1e-11 * np.abs(exact).max()


def test_zero_temperature_needs_no_fit() -> None:
    """T = 0, super-Ohmic: from the excited state alone, and K_00,00 = 0 at order 4."""
    model = open_system((0.0, 1.0), [[[0, 1], [1, 0]]], [Ohmic(0.02, 1.0, 3.0)], math.inf)
    closed = tcl_generator(model, 4, spectral=True).orders[4]
    poles = tcl_generator(model, 4).orders[4]
    assert np.all(np.abs(closed.matrix - poles.matrix) <= poles.error + closed.error)
    assert closed.error.max() < 1e-12 * np.abs(closed.matrix).max()


def test_energies_are_multiples_of_a_unit() -> None:
    forms, unit = commensurate((Fraction(1, 3), Fraction(3, 4), Fraction(2)))
    assert unit == Fraction(5, 12)
    assert forms == ((0,), (1,), (4,))
    assert commensurate((Fraction(2), Fraction(2))) == (((0,), (0,)), Fraction(1))
    gap = 1.6
    forms, unit = commensurate((Fraction(0), Fraction(0.7), Fraction(gap)))
    assert float(forms[2][0] * unit) == gap


def test_sub_ohmic_baths_have_a_fourth_order() -> None:
    """T > 0: no exponentials, so that the closed forms are used by themselves.

    Populations balance in detail with the mean-force state of second order, as for other baths.
    """
    model = open_system((0.0, 1.0), [[[0, 1], [1, 0]]], [Ohmic(0.05, 1.0, 0.5)], 1.3)
    result = tcl_generator(model, 4)
    assert set(result.orders[4].divergent) == {(1, 1), (1, 2), (2, 1), (2, 2)}
    second, fourth = result.orders[2].matrix.real, result.orders[4].matrix.real
    constant = second[3, 0] / second[0, 3]
    assert constant == pytest.approx(math.exp(-1.3), rel=1e-12)
    correction = (fourth[3, 0] - constant * fourth[0, 3]) / second[0, 3]
    # of the exponent s as of its neighbours on the side where a fit exists for comparison
    state = [steady(model, "mean-force", 2).diagonal().real, steady(model, "gibbs").diagonal().real]
    shift, before = state[0] - state[1], state[1]
    expected = (shift[1] - constant * shift[0]) / before[0]
    assert correction == pytest.approx(expected, rel=1e-8)
    with pytest.raises(
        NotYetDerivable, match=r"no sum of exponentials.*finite times exist; orders"
    ):
        tcl_generator(model, 6)
    assert tcl_generator(model, 4, time=1.0).orders[4].divergent == {}


@pytest.mark.parametrize("seed", range(3))
def test_a_time_changes_the_exponents_of_slow_baths_only(seed: int) -> None:
    """Where C(t) decays fast one fit serves all times."""
    rng = np.random.default_rng(80 + seed)
    times = (None, *rng.uniform(0.5, 30, 3))
    for density, alone in (
        (Ohmic(0.1, rng.uniform(0.5, 2), rng.uniform(2, 4)), True),
        (DrudeLorentz(0.1, rng.uniform(0.5, 2)), True),
        (Ohmic(0.1, rng.uniform(0.5, 2), rng.uniform(1.1, 1.7)), False),
    ):
        model = open_system((0.0, 1.0), [[[0, 1], [1, 0]]], [density], 1.3)
        found = [represented(model, 1e-6, horizon=time) for time in times]
        assert all((x.fine == found[0].fine) == alone for x in found[1:])
        for x, time in zip(found[1:], times[1:], strict=True):
            assert x.horizon == math.inf if alone else time <= x.horizon <= 2 * time


@pytest.mark.parametrize("seed", range(2))
def test_a_grid_of_times_shares_the_exponents_of_a_slow_bath(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """K_4(t) over 40 times by six fits at most, and the same with a fit for each time."""
    rng = np.random.default_rng(90 + seed)
    density = Ohmic(0.1, rng.uniform(0.5, 2), (0.6, 1.05)[seed])
    model = open_system((0.0, 1.0), [BIASED], [density], 1.3)
    times = rng.uniform(0.5, 20, 40)
    fits = {represented(model, horizon=time) for time in times}
    assert len({x.horizon for x in fits}) <= 6
    assert len({x.fine for x in fits}) <= 6
    for time in times[:3]:
        shared = tcl_generator(model, 4, time).orders[4]
        with monkeypatch.context() as patch:
            patch.setattr(representation, "shared_horizon", lambda _, time: time)
            assert represented(model, horizon=time).horizon == time
            alone = tcl_generator(model, 4, time).orders[4]
        assert np.all(np.abs(shared.matrix - alone.matrix) <= shared.error + alone.error)
        assert shared.error.max() < 1e-7 * np.abs(shared.matrix).max()


def test_shared_horizons_follow_the_unit_and_stay_finite() -> None:
    """Never before the time itself, less than twice as late, and the same in any unit."""
    times = 10.0 ** np.random.default_rng(7).uniform(-5, 5, 20)
    plain, *others = (
        [
            shared_horizon(Correlation(Ohmic(0.1, unit, 0.5), "boson", 2 / unit), t / unit)
            for t in times
        ]
        for unit in (1.0, 2.0**150, 2.0**-150)
    )
    assert all(t <= h <= 2 * t for t, h in zip(times, plain, strict=True))
    assert others[0] == pytest.approx([h / 2.0**150 for h in plain], rel=1e-12)
    assert others[1] == pytest.approx([h * 2.0**150 for h in plain], rel=1e-12)
    bath = Correlation(Ohmic(0.1, 1.0, 0.5), "boson", 2.0)
    assert all(t <= shared_horizon(bath, t) < math.inf for t in (1e-300, 1e300, 1.7e308))


def test_terms_that_only_cancel_together_are_not_called_divergent() -> None:
    """Two-photon noise of three levels: probing says which elements diverge, and no others."""
    chain = [[0, 1, 0], [1, 0, 1], [0, 1, 0]]
    model = open_system((0.0, 0.7, 1.6), [chain], [Ohmic(0.05, 1.0, 0.5)], 1.3)
    term = tcl_generator(model, 4).orders[4]
    assert term.divergent
    assert term.not_derived
    assert not set(term.divergent) & set(term.not_derived)
    assert all("cancel" in reason for reason in term.not_derived.values())
    known = np.ones((9, 9), dtype=bool)
    for place in (*term.divergent, *term.not_derived):
        known[place] = False
    assert np.all(np.isfinite(term.matrix[known]))
    assert all(np.isnan(term.matrix[place]) for place in term.not_derived)
    rates = term.matrix[::4, ::4].real
    np.testing.assert_allclose(rates.sum(axis=0), 0, atol=1e-14)
    assert np.abs(rates).max() > 1e-3


def test_too_many_terms_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spectral_route, "MOST_TERMS", 50)
    model = open_system((0.0, 1.0), [BIASED], [Ohmic(0.05, 1.0, 0.5)], 1.3)
    with pytest.raises(NotYetDerivable, match="more than 50 terms"):
        tcl_generator(model, 4)


@pytest.mark.parametrize(("order", "time"), [(2, None), (6, None), (4, 1.0)])
def test_closed_forms_are_of_order_four_and_late_times(order: int, time: float | None) -> None:
    model = open_system((0.0, 1.0), [BIASED], [DrudeLorentz(0.05, 0.9)], 1.3)
    with pytest.raises(ValueError, match="order 4"):
        tcl_generator(model, order, time, spectral=True)


def test_the_command(tmp_path: Path) -> None:
    path = model_file(tmp_path)
    fitted, closed = (
        json.loads(run("generator", path, *args, "--json").stdout) for args in ((), ("--spectral",))
    )
    for part in ("real", "imag"):
        found, expected = (np.array(x["orders"]["4"][part]) for x in (closed, fitted))
        np.testing.assert_allclose(found, expected, atol=1e-12)
    refused(run("generator", path, "--spectral", "--time", "1", "--json"), 2, "--spectral")
    sub_ohmic = '{ kind = "ohmic", alpha = 0.02, wc = 1.0, s = 0.5 }'
    result = run("generator", model_file(tmp_path, (DENSITY, sub_ohmic)), "--json")
    assert result.exit_code == 3
    record = json.loads(result.stdout)
    assert sorted(record["divergent"]["4"]) == ["K_01,01", "K_01,10", "K_10,01", "K_10,10"]
    assert record["orders"]["4"]["real"][3][0] is not None


BIASED_UNEQUAL = [[0.3, 1], [1, -0.5]]


def test_one_element_diverges_at_zero_temperature_where_a_vanishing_spectrum_saves_the_others() -> (
    None
):
    """s = 1/2, T = 0: Ĉ(-w0) = 0 multiplies what diverges in K_01,00, but not in K_01,11.

    A cutoff r of J at small w makes K_01,11 grow as r^-1/2 and leaves the other 14 finite.
    """
    model = open_system((0.0, 1.0), [BIASED_UNEQUAL], [Ohmic(0.1, 1.0, 0.5)], math.inf)
    term = tcl_generator(model, 4).orders[4]
    assert set(term.divergent) == {(1, 3), (2, 3)}
    assert not term.not_derived
    finite = np.delete(term.error.reshape(-1), [7, 11])
    assert finite.max() < 1e-12


def test_slow_exponents_that_cancel_give_way_to_closed_forms() -> None:
    """s = 3/2, T = 1: C ~ t^-3/2, and exponentials leave errors of 1e7 in the coherences."""
    model = open_system((0.0, 1.0), [BIASED_UNEQUAL], [Ohmic(0.1, 1.0, 1.5)], 1.0)
    term = tcl_generator(model, 4).orders[4]
    assert not term.divergent
    assert not term.not_derived
    # rays in the complex plane with an infrared cutoff, extrapolated
    assert term.matrix[1, 3].imag == pytest.approx(-0.0183, abs=5e-5)
    assert term.matrix[1, 0].imag == pytest.approx(0.0071, abs=5e-5)
    assert np.abs(term.matrix[0] + term.matrix[3]).max() < 1e-13


def test_noise_is_no_number_where_there_is_no_other_route() -> None:
    """Order 6 of the same bath: what the exponentials cannot tell is named, with the error."""
    model = open_system((0.0, 1.0), [BIASED_UNEQUAL], [Ohmic(0.1, 1.0, 1.5)], 1.0)
    term = tcl_generator(model, 6, tolerance=1e-4).orders[6]
    named = {*term.divergent, *term.not_derived}
    assert (1, 3) in named
    assert all("exponentials leave an error" in reason for reason in term.not_derived.values())
    for place in np.ndindex(4, 4):
        if place not in named:
            assert term.error[place] <= abs(term.matrix[place]) / 2
