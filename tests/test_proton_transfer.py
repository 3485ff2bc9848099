"""Proton transfer: levels, steady states, dynamics and the ledger of the paper."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from derivations.proton_transfer import common as common
from derivations.proton_transfer import equation_checks as equation
from derivations.proton_transfer import script as script
from derivations.proton_transfer import table_checks as tables
from derivations.proton_transfer.regimes import classify
from pertsym.dynamics.methods import evolve, steady
from pertsym.library import find
from pertsym.model.errors import InputError
from pertsym.model.file import load_model
from pertsym.systems.proton_transfer import (
    FEMTOSECOND,
    WELL,
    DoubleWell,
    counter_term,
    grid_states,
    landmarks,
    proton_transfer,
    wavepacket,
)

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests" / "data" / "taa"


def test_both_tables_to_every_printed_digit() -> None:
    assert tables.table_1(20).status == "numerical"
    assert tables.table_2(20).status == "numerical"


def test_another_potential_is_noticed() -> None:
    found = grid_states(0.0, 6, DoubleWell(w1=WELL.w1 * (1 + 1e-6))).states.energies
    off = np.abs(found - [float(text) for text, _ in tables.ENERGIES])
    assert off.max() > 5e-9


def test_levels_of_the_renormalised_well() -> None:
    # first order of perturbation theory in lam from the levels at eta = 0
    bare = grid_states(0.0, 6).states
    eta = 1e-4
    shifts = counter_term(eta) * np.diag(bare.matrix(np.square))
    found = grid_states(eta, 6).states.energies - bare.energies
    assert found == pytest.approx(shifts, rel=1e-3)
    assert np.all(grid_states(0.3, 6).states.position[0, 1:] > 0)


def test_the_stored_six_levels() -> None:
    # that file was made with a potential whose frequencies have two digits less
    stored, found = load_model(DATA / "N6_eta0.3.toml"), proton_transfer(0.3)
    assert found.energies == pytest.approx(stored.energies, abs=3e-8)
    for method in ("gibbs", "ccqme-secular", "redfield"):
        assert np.diag(steady(found, method)).real == pytest.approx(
            np.diag(steady(stored, method)).real, abs=2e-5
        )


def test_the_example_is_the_model() -> None:
    example, model = load_model(ROOT / "examples" / "proton_transfer.toml"), proton_transfer(0.3)
    assert example.energies == model.energies
    assert example.couplings == model.couplings
    (given,), (bath,) = example.baths, model.baths
    assert given.density == bath.density
    assert given.beta == pytest.approx(bath.beta, rel=1e-12)


def test_wavepacket_moves_right_with_the_energy_of_the_barrier() -> None:
    start, marks = wavepacket(0.1, 12), landmarks()
    assert start.momentum**2 / (2 * WELL.mass) == pytest.approx(marks.barrier, rel=1e-12)
    assert start.captured == pytest.approx(1, abs=0.005)
    assert np.trace(start.state) == pytest.approx(1, abs=1e-12)
    q = grid_states(0.1, 12).states.position
    energies = np.array(proton_transfer(0.1, 12).energies)
    # d<q>/dt = <i[H, q]>
    speed = np.trace(start.state @ (1j * (energies[:, None] - energies[None, :]) * q)).real
    assert speed == pytest.approx(start.momentum / WELL.mass, rel=0.02)
    assert np.trace(start.state @ q).real == pytest.approx(marks.left, abs=0.01)


def test_time_dependent_tcl4_is_nearest_to_the_hierarchy() -> None:
    times = [FEMTOSECOND * t for t in np.linspace(0, 2000, 51)]
    state = np.zeros((6, 6))
    state[0, 0] = 1
    exact = common.exact_dynamics(0.3, 0)[:, 0]

    def error(method: str) -> float:
        states = evolve(proton_transfer(0.3), method, state, times, tolerance=1e-5)
        return float(np.abs(states[:, 0, 0].real - exact).mean())

    fourth, canonical, second = map(error, ("tcl4", "ccqme-secular", "redfield-secular"))
    assert fourth < 0.0015 < canonical < second


def test_our_hierarchy_is_the_reference_of_the_stored_model() -> None:
    stored = json.loads((DATA / "N6_eta0.3.json").read_text())
    for initial in (0, 1):
        other = np.array(stored["heom_populations"][f"init{initial}"])
        assert common.exact_dynamics(0.3, initial) == pytest.approx(other, abs=1e-4)
    assert common.exact_steady(0.3) == pytest.approx(stored["heom_steady_populations"], abs=2e-5)


def test_regimes() -> None:
    assert classify(0.6501, 0.65, 0.65, 1e-3).name == "ultraweak"
    assert classify(0.66, 0.65, 0.6501, 1e-3).name == "weak"
    found = classify(0.66, 0.65, 0.64, 1e-3)
    assert found.name == "intermediate"
    assert found.gibbs_error == pytest.approx(0.01 / 0.65)
    assert found.mean_force_error == pytest.approx(0.01 / 0.64)


@pytest.mark.parametrize(("eta", "problem"), [(0.0, "> 0"), (-1.0, "> 0"), (np.inf, ">= 0")])
def test_refused_couplings(eta: float, problem: str) -> None:
    with pytest.raises(InputError, match=f"eta: must be {problem}"):
        proton_transfer(eta)


def test_every_claim_names_a_check_that_exists() -> None:
    paper = find("proton_transfer")
    claims = paper.claims()
    assert {str(n) for n in range(1, 123)} <= {claim.equation for claim in claims}
    assert {claim.check for claim in claims} - {""} == set(paper.checks)
    for claim in claims:
        needs = claim.expected in ("derived", "proved", "enclosed", "numerical", "fitted")
        assert bool(claim.check) == needs, claim.equation


def test_a_swap_of_b_and_its_argument_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    right = common.rate_matrix
    monkeypatch.setattr(equation, "rate_matrix", lambda eta, d=0: right(eta, d).T)
    assert equation.canonical_map(20).status == "failed"
    assert equation.redfield(20).status == "failed"
    monkeypatch.undo()
    assert equation.canonical_map(20).status == "numerical"


def test_second_order_narrative_has_the_tables() -> None:
    derivation = replace(script.PAPER).derivation(2)
    assert "0.004114537" in derivation.step("potential").formulas[1].latex
    text = "\n".join(derivation.step("steady").text)
    assert "distance to mean force, ccqme-secular: eta^2.0" in text
    assert "distance to mean force, redfield-secular: eta^1.0" in text
