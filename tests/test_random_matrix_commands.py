"""Random-matrix environments: ledger, model files and commands."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import pertsym
from pertsym.certify.ledger import established, load_claims
from pertsym.certify.run import all_checks
from pertsym.library import find
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.random_matrix import (
    RandomMatrixBath,
    RandomMatrixModel,
    is_random_matrix_file,
    load_random_matrix,
)
from pertsym.model.units import UNITS
from pertsym.model.values import Coupling
from pertsym.random_matrix.evolution import METHODS, populations
from tests.command_line import refused, run
from tests.open_systems import gorm_spin

SPIN = """
[system]
energies = [-0.25, 0.25]
[[couplings]]
operator = [[0, 1], [1, 0]]
strength = 0.1
bath = "env"
[baths.env]
statistics = "random-matrix"
energy = -0.25
shell_width = 0.05
"""
UP = np.diag([0.0, 1.0]).astype(complex)


def model_file(folder: Path, *replacements: tuple[str, str]) -> Path:
    text = SPIN
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    path = folder / "spin.toml"
    path.write_text(text, encoding="utf-8")
    return path


# ---------------------------------------------------------------------------------------------
# Ledger
# ---------------------------------------------------------------------------------------------

PAPER = find("esposito_gaspard_2003")
CHECKS = all_checks(PAPER)
CLAIMS = load_claims(
    Path(find.__code__.co_filename).parent.parent
    / "derivations"
    / "esposito_gaspard_2003"
    / "claims.toml"
)


@pytest.mark.parametrize("tag", CHECKS)
def test_certificate_holds(tag: str) -> None:
    evidence = CHECKS[tag](12)
    assert evidence.status in ("proved", "numerical"), evidence.detail
    for claim in CLAIMS:
        if claim.check == tag:
            assert established(claim, evidence) == claim.expected or claim.expected == "derived"


def test_ledger_names_every_check_and_display() -> None:
    used = {claim.check for claim in CLAIMS if claim.check}
    assert used == set(CHECKS)
    numbers = [claim.equation for claim in CLAIMS if claim.equation.isdecimal()]
    assert numbers == [str(n) for n in range(1, len(numbers) + 1)]
    sources = {
        f.source
        for step in PAPER.steps()
        for f in step.formulas
        if f.source and "," not in f.source
    }
    assert {source.strip("()") for source in sources} <= set(numbers)


# ---------------------------------------------------------------------------------------------
# Model files and commands
# ---------------------------------------------------------------------------------------------


def test_model_file(tmp_path: Path) -> None:
    path = model_file(tmp_path)
    assert is_random_matrix_file(path)
    model = load_random_matrix(path)
    assert model.two_levels() == pytest.approx((0.5, 0.01))
    assert (model.bath.energy, model.bath.shell_width) == (-0.25, 0.05)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("energy = -0.25", "energy = 0.5", "baths.env.energy"),
        ("energy = -0.25", "", "baths.env.energy"),
        ("shell_width = 0.05", "shell_width = 0", "baths.env.shell_width"),
        ("shell_width = 0.05", "shell_width = 0.05\ntemperature = 1", "baths.env.temperature"),
        ("[[0, 1], [1, 0]]", "[[0, 1], [2, 0]]", "couplings[0].operator"),
    ],
)
def test_wrong_entries_are_named(tmp_path: Path, old: str, new: str, key: str) -> None:
    path = model_file(tmp_path, (old, new))
    refused(run("rates", path), 2, str(path), key)


def test_rates_command(tmp_path: Path) -> None:
    result = run("rates", model_file(tmp_path), "--order", 2, "--json")
    assert result.exit_code == 0
    record = json.loads(result.stdout)
    assert set(record) == {"energy_resolved", "redfield"}
    wanted = 0.02 * math.sqrt(3) / 4  # lambda^2 [r(-1/4) + r(1/4)]
    assert record["energy_resolved"]["rate"] == pytest.approx(wanted)
    assert record["energy_resolved"]["z_infinity"] == pytest.approx(0, abs=1e-15)
    assert record["redfield"]["z_infinity"] == -1


EXAMPLE = Path(__file__).parent.parent / "examples" / "spin_gorm.toml"


def test_default_order_is_the_highest_that_exists() -> None:
    """Without any option the shipped example has rates; a total energy adds the fourth order."""
    assert (
        run("rates", EXAMPLE, "--json").stdout
        == run("rates", EXAMPLE, "--order", 2, "--json").stdout
    )
    result = run("rates", EXAMPLE, "--json")
    assert result.exit_code == 0
    assert set(json.loads(result.stdout)) == {"energy_resolved", "redfield"}
    result = run("rates", EXAMPLE, "--total-energy", 0.1, "--json")
    assert result.exit_code == 0
    assert result.stdout == run(
        "rates", EXAMPLE, "--order", 4, "--total-energy", 0.1, "--json"
    ).stdout  # fmt: skip
    assert set(json.loads(result.stdout)["orders"]) == {"2", "4"}
    plain = run("rates", EXAMPLE, "--order", 4)
    assert plain.exit_code == 3
    assert "energy_resolved" in plain.stdout
    assert "order 4: rate divergent" in plain.stdout
    assert "--total-energy" in plain.stderr


def test_python_has_what_the_commands_print() -> None:
    model = pertsym.load_random_matrix(EXAMPLE)
    printed = json.loads(run("rates", EXAMPLE, "--total-energy", 0.1, "--json").stdout)
    found = pertsym.random_matrix_rates(model, total_energy=0.1)
    assert {n: row["rate"] for n, row in printed["orders"].items()} == {
        str(n): rate for n, rate in found.orders.items()
    }
    assert not found.divergent
    assert not found.equations
    nowhere = pertsym.random_matrix_rates(model, total_energy=3.0)
    assert set(nowhere.orders.values()) == set(nowhere.z_infinity.values()) == {None}
    assert set(nowhere.divergent) == {"0", "2", "4"}
    moved = pertsym.random_matrix_evolve(model, "redfield", UP, (0.0, 10.0))
    lines = run(
        "evolve", EXAMPLE, "--method", "redfield", "--initial", 1, "--times", "0:10:2", "--json"
    )
    assert json.loads(lines.stdout)["populations"] == moved.populations.tolist()
    assert moved.z is not None
    assert moved.error is None


def test_python_refuses_as_the_commands_do() -> None:
    model = gorm_spin(0.5, 0.1, 0.0)
    for order, fault, said in ((3, InputError, "even"), (6, NotYetDerivable, "order 4, not 6")):
        with pytest.raises(fault, match=said):
            pertsym.random_matrix_rates(model, order)
    with pytest.raises(InputError, match="total_energy: must be finite"):
        pertsym.random_matrix_rates(model, total_energy=math.nan)
    with pytest.raises(InputError, match="redfield, exact"):
        pertsym.random_matrix_evolve(model, "tcl2", UP, (0.0, 1.0))
    with pytest.raises(InputError, match="size: belongs to method exact"):
        pertsym.random_matrix_evolve(model, "redfield", UP, (0.0, 1.0), size=10)
    with pytest.raises(InputError, match="energy-resolved-markov, redfield-nonmarkov"):
        populations("x", 0.5, 0.01, 0.0, (0.0, 1.0), (1.0,))


def test_help_names_the_methods_for_random_matrices() -> None:
    said = "".join(run("evolve", "--help").stdout.split())
    assert all(method in said for method in (*METHODS, "exact"))


def test_fourth_order_needs_a_total_energy(tmp_path: Path) -> None:
    path = model_file(tmp_path)
    result = run("rates", path, "--order", 4, "--json")
    assert result.exit_code == 3
    record = json.loads(result.stdout)
    assert record["orders"]["4"]["rate"] is None
    assert "t^1" in record["divergent"]["4"]["rate"]
    assert record["energy_resolved"]["rate"] > 0
    result = run("rates", path, "--order", 4, "--total-energy", 0.1, "--json")
    assert result.exit_code == 0
    record = json.loads(result.stdout)
    assert set(record) == {"orders", "z_infinity"}
    assert set(record["orders"]) == {"2", "4"}
    assert set(record["z_infinity"]) == {"0", "2"}
    refused(run("rates", path, "--order", 6), 4, "order")
    result = run("rates", path, "--total-energy", 3, "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["orders"]["4"]["rate"] is None


@pytest.mark.parametrize("method", [*METHODS, "exact"])
def test_evolve_command(tmp_path: Path, method: str) -> None:
    sample = ("--size", 40, "--realisations", 2, "--seed", 3) if method == "exact" else ()
    result = run(
        "evolve", model_file(tmp_path), "--method", method, "--initial", 1, "--times", "0:10:3",
        "--json", *sample,
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    record = json.loads(result.stdout)
    assert record["times"] == [0.0, 5.0, 10.0]
    assert record["z"][0] == pytest.approx(1)
    assert record["z"] == pytest.approx([p[1] - p[0] for p in record["populations"]])
    assert record["z"][2] < 0.999


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--method", "tcl4"), 2, "energy-resolved"),
        (("--method", "redfield", "--size", 3), 2, "size: belongs to method exact"),
        (("--method", "exact", "--size", 1), 2, "size"),
        (("--method", "redfield", "--states"), 4, "--states"),
    ],
)
def test_refused_evolutions(
    tmp_path: Path, arguments: tuple[object, ...], code: int, said: str
) -> None:
    result = run("evolve", model_file(tmp_path), "--initial", 1, "--times", "0:1:2", *arguments)
    refused(result, code, said)


def test_more_levels_have_no_master_equation_yet() -> None:
    coupling = Coupling.of(((0, 1, 0), (1, 0, 1), (0, 1, 0)), "env")
    three = RandomMatrixModel(
        "three", UNITS["natural"], (0.0, 0.1, 0.3), (coupling,), RandomMatrixBath("env", 0, 0.1)
    )
    with pytest.raises(NotYetDerivable, match="not for 3"):
        three.two_levels()
    tilted = Coupling.of(((0.5, 1), (1, 0)), "env")
    two = RandomMatrixModel(
        "two", UNITS["natural"], (0.0, 0.1), (tilted,), RandomMatrixBath("env", 0, 0.1)
    )
    with pytest.raises(NotYetDerivable, match="diagonal"):
        two.two_levels()


def test_derivation_prints_and_order_two_is_shorter() -> None:
    result = run("derive", "esposito_gaspard_2003", "--step", "pauli")
    assert result.exit_code == 0
    assert "=2πλ²Σ_r S_sr S_rs F(ε,ε+E_s-E_r)[n(ε)P_rr(ε+E_s-E_r)-" in result.stdout
    assert "P_rr(ε+E_s-E_r)" in result.stdout
    assert len(list(PAPER.narrate(2))) < len(PAPER.steps())


def test_negative_populations_are_noted(tmp_path: Path) -> None:
    path = model_file(tmp_path, ("strength = 0.1", "strength = 1.0"))
    args = ("--method", "redfield-nonmarkov", "--initial", "1", "--times", "0:30:5")
    result = run("evolve", path, *args)
    assert result.exit_code == 0
    assert "not positive: lowest population -0.0" in result.stderr


def test_without_a_coupling_nothing_relaxes_for_that_reason(tmp_path: Path) -> None:
    result = run("rates", model_file(tmp_path, ("strength = 0.1", "strength = 0.0")), "--json")
    assert result.exit_code == 3
    reasons = json.loads(result.stdout)["divergent"]["2"]
    assert all("the coupling is zero" in reason for reason in reasons.values())
