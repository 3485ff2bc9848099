"""Proton transfer: levels, steady states, dynamics and the ledger of the paper."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from derivations.ccqme_two_levels import common
from derivations.proton_transfer import equations
from derivations.proton_transfer import number_checks as numbers
from derivations.proton_transfer import script as script
from derivations.proton_transfer.number_checks import classify
from pertsym.baths.densities import Ohmic
from pertsym.certify.claims import Claim
from pertsym.certify.formulas import tie
from pertsym.dynamics import ccqme
from pertsym.dynamics.half_sided import channels
from pertsym.dynamics.levels import gibbs
from pertsym.dynamics.mean_force import mean_force
from pertsym.dynamics.methods import evolve, steady
from pertsym.dynamics.redfield import relaxation
from pertsym.expansion.interaction import Frequency
from pertsym.language.evaluation import Values, acting
from pertsym.library import find
from pertsym.model.bath import Bath
from pertsym.model.errors import InputError
from pertsym.model.file import load_model
from pertsym.model.values import Coupling, Model
from pertsym.reduction.spectral import SpectralForm
from pertsym.systems.proton_transfer import (
    FEMTOSECOND,
    WELL,
    DoubleWell,
    counter_term,
    grid_states,
    landmarks,
    proton_transfer,
    proton_wavepacket,
)
from tests.open_systems import hermitian

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests" / "data" / "taa"


def test_both_tables_to_every_printed_digit() -> None:
    assert numbers.tables(20).status == "numerical"


def test_another_potential_is_noticed() -> None:
    found = grid_states(0.0, 6, DoubleWell(w1=WELL.w1 * (1 + 1e-6))).states.energies
    off = np.abs(found - list(map(float, numbers.ENERGIES)))
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
    start, marks = proton_wavepacket(0.1, 12), landmarks()
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
    exact = numbers.exact("dynamics", eta=0.3, initial=0)[:, 0]

    def error(method: str) -> float:
        states = evolve(proton_transfer(0.3), method, state, times, tolerance=1e-5)
        return float(np.abs(states[:, 0, 0].real - exact).mean())

    fourth, canonical, second = map(error, ("tcl4", "ccqme-secular", "redfield-secular"))
    assert fourth < 0.0015 < canonical < second


def test_our_hierarchy_is_the_reference_of_the_stored_model() -> None:
    stored = json.loads((DATA / "N6_eta0.3.json").read_text())
    for initial in (0, 1):
        other = np.array(stored["heom_populations"][f"init{initial}"])
        found = numbers.exact("dynamics", eta=0.3, initial=initial)
        assert found == pytest.approx(other, abs=1e-4)
    steady = numbers.exact("steady", eta=0.3)
    assert steady == pytest.approx(stored["heom_steady_populations"], abs=2e-5)


def test_regimes() -> None:
    assert classify(0.6501, 0.65, 0.65, 1e-3)[-1] == "ultraweak"
    assert classify(0.66, 0.65, 0.6501, 1e-3)[-1] == "weak"
    *errors, name = classify(0.66, 0.65, 0.64, 1e-3)
    assert name == "intermediate"
    assert errors == pytest.approx([0.01 / 0.65, 0.01 / 0.64])


@pytest.mark.parametrize(("eta", "problem"), [(0.0, "> 0"), (-1.0, "> 0"), (np.inf, ">= 0")])
def test_refused_couplings(eta: float, problem: str) -> None:
    with pytest.raises(InputError, match=f"eta: must be {problem}"):
        proton_transfer(eta)


def test_every_claim_names_a_check_that_exists() -> None:
    paper = find("proton_transfer")
    claims = paper.claims()
    assert {str(n) for n in range(1, 123)} <= {claim.equation for claim in claims}
    assert {claim.check for claim in claims} - {"", "formulas"} == set(paper.checks)
    for claim in claims:
        needs = claim.expected in ("derived", "proved", "enclosed", "numerical", "fitted")
        assert bool(claim.check) <= needs <= bool(claim.check or claim.compare), claim.equation


def row(number: str) -> Claim:
    return next(c for c in find("proton_transfer").claims() if c.equation == number)


@pytest.mark.parametrize(
    ("number", "right", "wrong"),
    [
        ("20", r"b(\Delta_{mn})\,\Lambda_n", r"b(\Delta_{nm})\,\Lambda_n"),  # b, not its argument
        ("20", r"b'(\Delta_{nm})", r"b'(\Delta_{mn})"),
        ("98", "q_{01}g_-", "q_{01}g_+"),
        ("115", r"\rho_{nn}(\delta_{kn}-p_k)", r"\rho_{kk}(\delta_{kn}-p_n)"),  # second reading
        ("42", r"-i\right]", r"+i\right]"),
        ("85", r"\int_0^{\tau_1}", r"\int_0^{\beta}"),
        ("110", r"\rho_{11}&", r"\rho_{00}&"),
        ("89", r"{i\Delta_{nm}}", r"{i\Delta_{mn}}"),
    ],
)
def test_wrong_formulas_are_found_out(number: str, right: str, wrong: str) -> None:
    claim, objects = row(number), find("proton_transfer").objects
    assert right in claim.latex
    assert tie(claim, objects).holds
    assert not tie(replace(claim, latex=claim.latex.replace(right, wrong, 1)), objects).holds


@pytest.mark.parametrize(
    ("latex", "problem"),
    [
        (r"\rho_0+\rho_2", "equals sign"),
        (r"\rho_0=\int_0^\beta\rho_0", "measure"),
        (r"\rho_0=\int_0 d\tau\rho_0", "two limits"),
        (r"\rho_0=\chi", r"not known: \chi"),
    ],
)
def test_what_is_not_understood_is_said(latex: str, problem: str) -> None:
    found = tie(replace(row("16"), latex=latex), find("proton_transfer").objects)
    assert not found.holds
    assert problem in found.detail


def test_another_tensor_is_not_that_of_four_levels(monkeypatch: pytest.MonkeyPatch) -> None:
    right, claim = common.half_sided, row("71")

    def turned(name: str, frequency: Frequency, derivative: int = 0) -> SpectralForm:
        return right(name, tuple(-n for n in frequency), derivative)

    four = equations.printed(4)
    assert not four(claim.latex)
    assert not four(r"\mathcal Q\rho_0=\rho_2")  # (78), of more than two levels
    monkeypatch.setattr(common, "half_sided", turned)
    assert "differ" in equations.printed(4)(claim.latex)


@pytest.mark.parametrize("equation", ["19", "76", "77", "78", "79", "119", "120", "121", "122"])
def test_what_holds_for_two_levels_in_symbols_does_for_three_in_numbers(equation: str) -> None:
    claim, objects = row(equation), find("proton_transfer").objects
    point = equations.levels(3)
    energies, beta = np.diag(point["H_S"]).real, point[r"\beta"]
    model = Model.of(
        energies.tolist(),
        [Coupling.of(point["q"].real.tolist(), "B")],
        [Bath("B", "boson", beta, Ohmic(0.3, 1.1, 3.0))],
    )
    zeroth, baths = gibbs(model), channels(model)
    r, places = relaxation(model).matrix, np.arange(3) * 4
    q_map = ccqme.coherence_map(model.energies, r)
    q_map[np.ix_(places, places)] = ccqme.population_map(model.energies, baths, beta)
    rho = point[r"\rho_0"] + 0.1 * hermitian(3, 8)
    moved = {
        r"\Delta": np.subtract.outer(energies, energies),
        r"\rho": rho,
        "p": np.diag(zeroth).real,
        r"\dot\rho": acting(ccqme.ccqme(model))(rho),
        r"\bar\rho": rho - acting(q_map)(rho),
        r"\rho_2": mean_force(model, 2).matrix - zeroth,
        r"\mathcal R": acting(r),
        r"\mathcal Q": acting(q_map),
    }
    numbers_of_three = point if equation == "77" else point | moved
    read = Values([numbers_of_three], dict.fromkeys("nm", range(3)))
    wrong = claim.latex + (r"+p_n" if equation == "122" else r"+\rho_0")
    assert not read(claim.latex)
    for reading in (read, objects.reading(claim.compare)):
        assert "differ" in reading(wrong)


def test_another_memory_is_not_that_of_the_reduced_map(monkeypatch: pytest.MonkeyPatch) -> None:
    right = equations._twofold
    monkeypatch.setattr(equations, "_twofold", lambda *at: 1.001 * right(*at))
    found = equations.reduced_map(20)
    assert found.status == "failed"
    assert "(72)" in found.detail
    assert "(80)" not in found.detail


def test_the_hierarchy_is_converged_beyond_the_third_digit() -> None:
    assert numbers.hierarchy_converged(20).status == "numerical"
    strong = [r for r in numbers.hierarchy()["dynamics"] if r["eta"] >= 0.8]
    assert strong
    assert max(r["change"] for r in strong) < 5e-5


def test_second_order_narrative_has_the_tables() -> None:
    derivation = replace(script.PAPER).derivation(2)
    assert "0.004114537" in derivation.step("potential").formulas[1].latex
    steady = derivation.step("steady")
    assert "redfield-secular 1.0" in steady.prose
    assert "ccqme-secular 2.0" in steady.prose
    assert "ccqme-secular  0.63913" in "\n".join(steady.text)
