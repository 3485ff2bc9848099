"""The commands `generator`, `steady` and `evolve`, and `rates` of many levels."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import pytest

from pertsym.baths.divergence import Divergent
from pertsym.generators import tcl
from tests.command_line import DENSITY, OPERATOR, model_file, refused, run, said_by


def test_rates_of_many_levels_are_the_populations_of_the_generator(tmp_path: Path) -> None:
    levels = (("[0.0, 1.0]", "[0.0, 1.0, 2.5]"), (OPERATOR, "[[0, 1, 0], [1, 0, 1], [0, 1, 0]]"))
    path = model_file(tmp_path, *levels)
    rates, generator = (
        json.loads(run(command, path, "--json").stdout)["orders"]
        for command in ("rates", "generator")
    )
    for order in ("2", "4"):
        for a, b in itertools.product(range(3), repeat=2):
            assert rates[order]["rates"][a][b] == generator[order]["real"][4 * a][4 * b]
        assert sum(rates[order]["rates"][a][1] for a in range(3)) == pytest.approx(0, abs=1e-12)


def test_steady_and_evolve(tmp_path: Path) -> None:
    """At late times every method is at its own steady state."""
    path = model_file(tmp_path)
    for method in ("redfield", "ccqme-secular", "tcl4", "tcl4-asymptotic"):
        steady = json.loads(
            run("steady", path, "--method", method.removesuffix("-asymptotic"), "--json").stdout
        )
        args = ("--initial", "1", "--times", "0:900:4", "--json", "--states")
        record = json.loads(run("evolve", path, "--method", method, *args).stdout)
        assert record["times"] == [0.0, 300.0, 600.0, 900.0]
        assert record["populations"][0] == [0.0, 1.0]
        diagonal = [steady["state"]["real"][n][n] for n in range(2)]
        assert record["populations"][-1] == pytest.approx(diagonal, abs=1e-7)
        assert record["states"]["imag"][-1][0][0] == pytest.approx(0, abs=1e-12)


def test_steady_state_in_print(tmp_path: Path) -> None:
    """Populations, then what is above the diagonal; the error stands in the heading."""
    biased = model_file(tmp_path, (OPERATOR, "[[0.5, 1], [1, -0.5]]"))
    record = json.loads(run("steady", biased, "--method", "tcl4", "--json").stdout)
    heading, _, *rows = run("steady", biased, "--method", "tcl4").stdout.splitlines()
    assert f"to about {record['error']:.0e}" in heading
    populations = {row.split()[0]: float(row.split()[1]) for row in rows[:2]}
    real, imag = record["state"]["real"], record["state"]["imag"]
    assert populations == pytest.approx({"0": real[0][0], "1": real[1][1]}, abs=1e-9)
    name, *coherence = rows[3].split()
    assert name == "0,1"
    assert list(map(float, coherence)) == pytest.approx([real[0][1], imag[0][1]], rel=1e-9)


@pytest.mark.parametrize("method", ["redfield-secular", "ccqme", "ccqme-secular"])
def test_splittings_below_a_rate_are_noted(tmp_path: Path, method: str) -> None:
    """Two levels excited together: their coherence lives, and secular equations lose it."""

    def run_at(splitting: float) -> tuple[str, float]:
        levels = f"[0.0, 1.0, {1 + splitting!r}]"
        shape = (("[0.0, 1.0]", levels), (OPERATOR, "[[0, 1, 1], [1, 0, 0], [1, 0, 0]]"))
        path = model_file(tmp_path, *shape)
        result = run("steady", path, "--method", method, "--json")
        if method == "ccqme" and splitting < 0.01:  # a coherence of 1.4
            assert result.exit_code == 4
            assert "mean nothing" in result.stderr
            return result.stderr, math.inf
        assert result.exit_code == 0
        return result.stderr, json.loads(result.stdout)["state"]["real"][1][2]

    said, _ = run_at(1e-3)
    assert "rho_0,0 and rho_1,2" in said
    assert "compare with redfield" in said
    apart, coherence = run_at(0.7)
    assert "compare with redfield" not in apart
    assert abs(coherence) < 0.1
    path = model_file(
        tmp_path,
        ("[0.0, 1.0]", "[0.0, 1.0, 1.001]"),
        (OPERATOR, "[[0, 1, 1], [1, 0, 0], [1, 0, 0]]"),
    )
    assert "holds different" not in run("steady", path, "--method", "redfield").stderr


BAD_STATES = [
    (("steady", "--method", "tcl3"), "odd order"),
    (("steady", "--method", "heom"), "unknown"),
    (("evolve", "--method", "tcl2", "--initial", "2", "--times", "0:1:2"), "no level 2"),
    (("evolve", "--method", "tcl2", "--initial", "nowhere.json", "--times", "0:1:2"), "neither"),
    (("evolve", "--method", "tcl2", "--initial", "0", "--times", "0:1"), "START:STOP:COUNT"),
    (("evolve", "--method", "tcl2", "--initial", "0", "--times", "1:0:3"), "START <= STOP"),
    (("evolve", "--method", "tcl2", "--initial", "0", "--times", "0:1:9999999"), "too many"),
    (("steady", "--method", "mean-force", "--order", "3"), "positive even"),
    (("steady", "--method", "tcl4", "--order", "4"), "mean-force alone"),
    (("generator", "--order", "3"), "even"),
    (("generator", "--time", "nan"), "finite"),
]


@pytest.mark.parametrize(("args", "problem"), BAD_STATES)
def test_bad_requests_for_states(tmp_path: Path, args: tuple[str, ...], problem: str) -> None:
    command, *rest = args
    refused(run(command, model_file(tmp_path), *rest, "--json"), 2, problem)


def test_divergent_elements_are_null(tmp_path: Path) -> None:
    """Ĉ(0) of a sub-Ohmic bath at T > 0 enters only the damping of coherences."""
    sub_ohmic = '{ kind = "ohmic", alpha = 0.02, wc = 1.0, s = 0.5 }'
    path = model_file(tmp_path, (DENSITY, sub_ohmic), (OPERATOR, "[[-1, 0], [0, 1]]"))
    result = run("generator", path, "--order", "2", "--json")
    assert result.exit_code == 3
    record = json.loads(result.stdout)
    assert sorted(record["divergent"]["2"]) == ["K_01,01", "K_10,10"]
    assert record["orders"]["2"]["real"][1][1] is None
    assert record["orders"]["2"]["real"][0][0] == 0.0
    assert "w^-0.5 at w -> 0" in result.stderr
    evolve = ("evolve", path, "--initial", "0", "--times", "0:1:2")
    for method, (command, *args) in itertools.product(
        ("tcl2", "redfield", "redfield-secular"), (("steady", path), evolve)
    ):
        # tcl2 at finite times exists
        name = "tcl2-asymptotic" if (method, command) == ("tcl2", "evolve") else method
        found = run(command, *args, "--method", name, "--json")
        assert found.exit_code == 3
        answer = json.loads(found.stdout)
        assert answer["state" if command == "steady" else "populations"] is None
        assert answer["divergent"].keys() == {"2"}
        for reason in answer["divergent"]["2"].values():
            assert "w^-0.5 at w -> 0, bath x" in reason
        if method != "tcl2":
            assert answer["divergent"]["2"].keys() == record["divergent"]["2"].keys()
        assert said_by(found)[0].startswith("divergent: ")


def test_what_diverges_at_order_2_is_known_before_order_4(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sub_ohmic = '{ kind = "ohmic", alpha = 0.02, wc = 1.0, s = 0.5 }'
    path = model_file(tmp_path, (DENSITY, sub_ohmic), (OPERATOR, "[[-1, 0], [0, 1]]"))
    asked: list[int] = []
    term = tcl.term

    def counted(request: tcl.Request, n: int) -> tcl.Term:
        asked.append(n)
        return term(request, n)

    monkeypatch.setattr(tcl, "term", counted)
    for line in ("steady --method tcl4", "evolve --method tcl4-asymptotic --times 0:1:2"):
        command, *rest = line.split()
        found = run(command, path, *rest, *(("--initial", "0") if command == "evolve" else ()))
        assert found.exit_code == 3
        assert ", order 2: " in found.stderr
    assert asked == [2, 2]


def test_one_word_for_what_is_missing(tmp_path: Path) -> None:
    """Tables and remarks name a missing number alike."""
    sub_ohmic = '{ kind = "ohmic", alpha = 0.02, wc = 1.0, s = 0.5 }'
    path = model_file(tmp_path, (DENSITY, sub_ohmic), (OPERATOR, "[[-1, 0], [0, 1]]"))
    for command, name in (("generator", "K_01,01"), ("rates", "inv_T2")):
        result = run(command, path, "--order", "2")
        assert result.exit_code == 3
        *_, line = (x for x in result.stdout.splitlines() if x.split()[0] == name)
        assert line.split() == [name, "divergent"]
        (said,) = (
            x for x in result.stderr.splitlines() if x.startswith("divergent: ") and name in x
        )
        assert ", order 2: " in said


def test_a_place_that_is_known_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def raising(*_: object) -> None:
        raise Divergent("∫dw w^-1.2 at w -> 0", 4, "K_01,11")

    monkeypatch.setattr("pertsym.cli.states.steady_estimated", raising)
    found = run("steady", model_file(tmp_path), "--method", "tcl4", "--json")
    assert found.exit_code == 3
    assert json.loads(found.stdout)["divergent"] == {"4": {"K_01,11": "∫dw w^-1.2 at w -> 0"}}
    assert said_by(found) == ["divergent: K_01,11, order 4: ∫dw w^-1.2 at w -> 0"]
