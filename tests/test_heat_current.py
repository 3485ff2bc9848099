"""Heat currents: known formulas, energy balance, exact hierarchies, other units, refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pertsym as ps
from derivations.heat_current.script import CHECKS, thermal_values
from pertsym.baths.correlation import Correlation
from pertsym.baths.divergence import Divergent
from pertsym.baths.exponentials import Exponentials
from pertsym.certify.ledger import LEDGER_DIGITS
from pertsym.equations.heat_current import CountedGenerator
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.expansion.paths import generator_element
from pertsym.generators.bloch_recursion import slow_subspace
from pertsym.generators.heat_current import currents_of, flow_rows, heat_currents, steady_orders
from pertsym.generators.system import Correlated, System, as_matrix
from pertsym.library import find
from pertsym.model.errors import InputError
from pertsym.numerics.spectra import DoubleSpectra
from tests.command_line import refused, run

QUBIT = [ps.Coupling(ps.sigma_x, "hot"), ps.Coupling(ps.sigma_x, "cold")]
BIASED = [ps.Coupling([["1/4", 1], [1, "-1/4"]], "hot"), ps.Coupling(ps.sigma_x, "cold")]
LADDER = [
    ps.Coupling([[0, 1, 0], [1, 0, 0], [0, 0, "1/3"]], "hot"),
    ps.Coupling([[0, 0, "1/4"], [0, "1/2", 1], ["1/4", 1, 0]], "cold"),
]


def drude(lam: float, gamma: float, temperature: float) -> ps.Bath:
    return ps.Bath(ps.DrudeLorentz(lam=lam, gamma=gamma), temperature=temperature)


def random_system(seed: int, size: int) -> tuple[System, dict[str, Exponentials]]:
    rng = np.random.default_rng(seed)
    energies = np.sort(rng.uniform(0, 2, size))
    operators = {}
    for name in ("a", "b"):
        half = rng.normal(size=(size, size)) + 1j * rng.normal(size=(size, size))
        operators[name] = (half + half.conj().T) / 2
    baths = {}
    for name in operators:
        c = rng.uniform(0.1, 0.4, 2) + 1j * rng.uniform(-0.2, 0.2, 2)
        nu = rng.uniform(0.5, 2, 2) + 1j * rng.uniform(-1, 1, 2)
        baths[name] = Exponentials(tuple(map(complex, c)), tuple(map(complex, nu)))
    return System(np.subtract.outer(energies, energies), operators), baths


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_checks_of_the_derivation_hold(name: str) -> None:
    evidence = CHECKS[name](LEDGER_DIGITS)
    assert evidence.status != "failed", evidence.detail


@pytest.mark.parametrize("seed", range(6))
def test_second_order_current_is_the_known_formula(seed: int) -> None:
    rng = np.random.default_rng(seed)
    w0 = rng.uniform(0.3, 2.5)
    lam, gamma, temperature = (
        rng.uniform(0.01, 0.2, 2),
        rng.uniform(0.5, 4, 2),
        rng.uniform(0.2, 3, 2),
    )
    baths = [drude(*each) for each in zip(lam, gamma, temperature, strict=True)]
    found = ps.derive(QUBIT).at(w0=w0, hot=baths[0], cold=baths[1]).heat_current("hot")[2]
    j = 2 * lam * gamma * w0 / (gamma**2 + w0**2)
    n = 1 / np.expm1(w0 / temperature)
    known = 2 * w0 * j[0] * j[1] * (n[0] - n[1]) / (j @ (2 * n + 1))
    assert abs(found.value - known) <= found.error <= 1e-6 * abs(known) + 1e-8
    assert (found.value > 0) == (temperature[0] > temperature[1])


@pytest.mark.parametrize("couplings", [QUBIT, BIASED, LADDER], ids=["qubit", "biased", "ladder"])
def test_no_current_between_baths_of_one_temperature(couplings: list[Any]) -> None:
    """Though the density matrices of the baths, and the state at fourth order, differ."""
    derived = ps.derive(couplings)
    gaps = {"w0": 0.9} if derived.dimension == 2 else {"w1": 0.9, "w2": 1.7}
    cold = ps.Bath(ps.Ohmic(alpha=0.03, wc=2.0, s=3), temperature=0.8)
    still = derived.at(**gaps, hot=drude(0.05, 1.3, 0.8), cold=cold)
    warm = derived.at(**gaps, hot=drude(0.05, 1.3, 0.9), cold=cold)
    for order in (2, 4):
        found = still.heat_current("hot")[order]
        assert abs(found.value) <= found.error
        moved = warm.heat_current("hot")[order]
        assert abs(moved.value) > 100 * found.error


@pytest.mark.parametrize(("seed", "size"), [(1, 2), (2, 3), (3, 4)])
def test_currents_add_up_to_zero_at_every_order(seed: int, size: int) -> None:
    system, baths = random_system(seed, size)
    order = 6 if size < 4 else 4
    slow = slow_subspace(system, Correlated.independent(baths.items()), order)
    found = currents_of(slow, order)
    for n in range(2, order + 1, 2):
        values = [found[name][0][n] for name in baths]
        assert abs(sum(values)) < 1e-12 * found["a"][1][n]
        assert abs(values[0]) > 1e-4 * found["a"][1][n]


@pytest.mark.parametrize(("seed", "size"), [(4, 2), (5, 3)])
def test_rows_are_those_of_the_exponents(seed: int, size: int) -> None:
    """d<H_b>/dt = sum_j nu_j Tr S X_j, less what a jump of Im C at t = 0 does at order 2."""
    system, baths = random_system(seed, size)
    slow = slow_subspace(system, Correlated.independent(baths.items()), 6)
    for name, bath in baths.items():
        operator, members = system.operators[name], slow.hierarchy.by_later[name]
        rates = np.array([slow.hierarchy.modes[j].rate for j in members])
        for n, row in flow_rows(slow, name, 6).items():
            weighted = as_matrix(np.tensordot(rates, slow.slaved[1, n - 1][members], 1))
            wanted = -operator.T.reshape(-1) @ weighted
            if n == 2:
                wanted = wanted + 2 * sum(bath.c).imag * (operator @ operator).T.reshape(-1)
            assert abs(row - wanted).max() < 1e-12 * abs(row).max()


def test_steady_orders_solve_the_generator_order_by_order() -> None:
    """With two levels of one energy, whose coherence stays in the state of lowest order."""
    system, baths = random_system(7, 3)
    energies = np.array([0.0, 0.0, 1.1])
    system = System(np.subtract.outer(energies, energies), system.operators)
    slow = slow_subspace(system, Correlated.independent(baths.items()), 6)
    states = steady_orders(slow, 6)
    assert abs(states[0][0, 1]) > 1e-3
    k = {0: system.free, **slow.generators}
    for n in (0, 2, 4):
        left = sum(k[m] @ states[n - m].reshape(-1) for m in k if n - m in states)
        # the populations' part of order n + 2 fixes that of the state; all else is zero here
        assert abs(left).max() < 1e-11
        assert abs(np.trace(states[n]) - (n == 0)) < 1e-12


def test_closed_forms_agree_with_the_hierarchy_of_fitted_baths() -> None:
    """And a wrong formula does not."""
    second = find("heat_current").row("H4").latex
    assert thermal_values()(second) == ""
    assert thermal_values()(second.replace("2n_X+1", "2n_X-1")) != ""


def test_units_of_a_current() -> None:
    def numbers(units: str, scale: float, temperature: float) -> Any:
        model = ps.Model(energies=[0, scale], couplings=QUBIT, units=units)
        return ps.derive(model).at(
            hot=drude(0.05 * scale, 1.3 * scale, temperature),
            cold=drude(0.03 * scale, 2.0 * scale, temperature / 2),
        )

    natural = numbers("natural", 1.0, 1.0).heat_current("hot")[2]
    kelvin = 100.0 / 0.6950348004  # k_B T = 100/cm
    wave = numbers("wavenumber", 100.0, kelvin).heat_current("hot")[2]
    rate = 2 * np.pi * 2.99792458e-5  # 1/fs of 1/cm
    assert wave.value == pytest.approx(natural.value * 100.0**2 * rate, rel=1e-7)


def test_what_has_no_current_is_refused() -> None:
    derived = ps.derive(QUBIT)
    cold = drude(0.03, 2.0, 0.5)
    numbers = derived.at(w0=1.0, hot=drude(0.05, 1.3, 1.0), cold=cold)
    with pytest.raises(InputError, match=r"warm.*hot, cold"):
        numbers.heat_current("warm")
    with pytest.raises(ValueError, match="order"):
        numbers.heat_current("hot")[3]
    noise = ps.Bath(ps.DrudeLorentz(lam=0.05, gamma=1.3), temperature=1.0, statistics="classical")
    with pytest.raises(InputError, match="noise without energy"):
        derived.at(w0=1.0, hot=noise, cold=cold).heat_current("cold")[2]


def test_a_divergent_current_is_refused() -> None:
    """Slow noise that shifts the levels makes the fourth-order rates diverge, and the currents."""
    slow = ps.Bath(ps.Ohmic(alpha=0.01, wc=2.0, s=1.0), temperature=1.0)
    for s in (1.0, 2.0):
        numbers = ps.derive(BIASED).at(
            w0=1.0, hot=ps.Bath(ps.Ohmic(alpha=0.01, wc=2.0, s=s), temperature=1.0), cold=slow
        )
        try:
            rate = numbers.k_10[4]
        except Divergent:
            with pytest.raises(Divergent):
                numbers.heat_current("hot")[4]
        else:
            assert np.isfinite(rate.value)
            assert np.isfinite(numbers.heat_current("hot")[4].value)


def test_zero_temperature_and_the_spectrum_at_work() -> None:
    """A bath at T = 0 takes what one at T > 0 gives; both at T = 0 leave the ground state alone."""
    derived = ps.derive(QUBIT)
    still = derived.at(w0=1.0, hot=drude(0.05, 1.3, 0.0), cold=drude(0.03, 2.0, 0.0))
    assert abs(still.heat_current("hot")[2].value) <= still.heat_current("hot")[2].error
    numbers = derived.at(w0=1.0, hot=drude(0.05, 1.3, 1.0), cold=drude(0.03, 2.0, 0.0))
    hot = DoubleSpectra(
        {"hot": ((1, Correlation(ps.DrudeLorentz(lam=0.05, gamma=1.3), "boson", 1.0)),)}
    )
    up, down = (float(hot.spectrum("hot", w).value) for w in (-1.0, 1.0))
    emitted = 2 * 2 * 0.03 * 2.0 / (4.0 + 1.0)
    wanted = up * emitted / (up + down + emitted)
    assert numbers.heat_current("hot")[2].value == pytest.approx(wanted, rel=1e-7)


def test_counting_field_at_zero_is_the_generator() -> None:
    """Counted names put back give the elements without counting; names with commas are refused."""
    interaction = symbolic_interaction(2, [([["d", "x"], ["x", "-d"]], "B")])
    counted = CountedGenerator(interaction)
    for element in ((1, 1, 0, 0), (1, 0, 1, 0), (0, 0, 1, 0)):
        same = generator_element(interaction, 4, element, {"B": "B"})
        assert same == generator_element(interaction, 4, element)
        assert counted.counted.element(4, element) != same
    with pytest.raises(ValueError, match="comma"):
        CountedGenerator(symbolic_interaction(2, [([[0, 1], [1, 0]], "B,s")]))


def test_errors_cover_the_change_by_another_tolerance() -> None:
    """Fourth order of unlike baths: the estimate against closed forms of two levels."""
    numbers = ps.derive(QUBIT).at(
        w0=1.0, hot=drude(0.05, 1.3, 1.5), cold=ps.Bath(ps.Ohmic(0.03, 2.0, 3), temperature=0.5)
    )
    both = heat_currents(numbers.model, 4)
    total = both["hot"][4].value + both["cold"][4].value
    assert abs(total) <= both["hot"][4].error + both["cold"][4].error


FILE = """
units = "{units}"
[system]
energies = [0.0, {w0}]
[[couplings]]
operator = [[0.25, 1], [1, -0.25]]
bath = "hot"
[[couplings]]
operator = [[0, 1], [1, 0]]
bath = "cold"
[baths.hot]
temperature = 300.0
spectral_density = {{ kind = "drude-lorentz", lam = 10.0, gamma = {w0} }}
[baths.cold]
temperature = {cold}
spectral_density = {{ kind = "ohmic", alpha = 0.01, wc = 400.0, s = {s} }}
"""


@pytest.mark.parametrize("units", ["wavenumber", "natural"])
def test_the_command_says_what_the_interface_says(tmp_path: Path, units: str) -> None:
    path = tmp_path / "model.toml"
    path.write_text(FILE.format(units=units, w0=200.0, cold=150.0, s=3))
    asked = ("steady", path, "--heat-current", "hot", "--heat-current", "cold")
    record = json.loads(run(*asked, "--json").stdout)
    numbers = ps.derive(ps.load(path)).at()
    for n in ("2", "4"):
        values = {bath: record["heat_current"][bath][n] for bath in ("hot", "cold")}
        for bath, value in values.items():
            expected = numbers.heat_current(bath)[int(n)]
            assert value == pytest.approx(expected.value, rel=1e-12)
            assert record["error"][bath][n] == pytest.approx(expected.error, rel=1e-6)
        assert abs(sum(values.values())) <= sum(record["error"][bath][n] for bath in values)
    shown = run(*asked).stdout.splitlines()
    assert ("cm^-1 times" in shown[0]) == (units == "wavenumber")
    table = [line.split() for line in shown[2:]]
    assert [row[:2] for row in table] == [[b, n] for b in ("hot", "cold") for n in ("2", "4")]
    for bath, n, value, error in table:
        assert float(value) == pytest.approx(record["heat_current"][bath][n], rel=1e-9)
        assert float(error) == pytest.approx(record["error"][bath][n], rel=0.1)


def test_the_command_names_what_diverges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An order that does not exist is null with its reason, the finite one is printed still."""

    def raising(model: Any, order: int, tick: Any) -> Any:
        if order > 2:
            raise Divergent("the memory of this term is too long", order, "heat_current")
        return heat_currents(model, order, tick)

    monkeypatch.setattr("pertsym.cli.states.heat_currents", raising)
    path = tmp_path / "model.toml"
    path.write_text(FILE.format(units="natural", w0=200.0, cold=150.0, s=3))
    result = run("steady", path, "--heat-current", "cold", "--json")
    record = json.loads(result.stdout)
    assert result.exit_code == 3
    assert record["heat_current"]["cold"]["2"] < 0
    assert record["heat_current"]["cold"]["4"] is None
    assert record["error"]["cold"]["4"] is None
    assert "too long" in record["divergent"]["4"]["heat_current_cold"]
    shown = run("steady", path, "--heat-current", "cold")
    assert shown.exit_code == 3
    assert shown.stdout.splitlines()[-1].split() == ["cold", "4", "divergent"]
    assert "too long" in shown.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--heat-current", "hto"), "did you mean 'hot'"),
        (("--heat-current", "hot", "--order", 3), "even"),
        (("--heat-current", "hot", "--method", "tcl2"), "--order alone"),
        (("--heat-current", "hot", "--observable", "x=[[1,0],[0,1]]"), "--order alone"),
        ((), "--method: is needed"),
    ],
)
def test_the_command_refuses(tmp_path: Path, arguments: tuple[Any, ...], said: str) -> None:
    path = tmp_path / "model.toml"
    path.write_text(FILE.format(units="natural", w0=200.0, cold=150.0, s=3))
    refused(run("steady", path, *arguments), 2, said)
