"""What must never end in a traceback, in nan, or in an endless wait."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command_line import DENSITY, model_file, refused, run

ZERO = (
    '{ kind = "drude-lorentz", lam = 0.0, gamma = 1.0 }',
    '{ kind = "ohmic", alpha = 0.0, wc = 1.0, s = 1 }',
    '{ kind = "expression", expression = "0" }',
    '{ kind = "table", w = [1.0, 2.0, 3.0], J = [0.0, 0.0, 0.0] }',
)


@pytest.mark.parametrize("density", ZERO)
def test_a_bath_that_is_zero_changes_nothing(tmp_path: Path, density: str) -> None:
    path = model_file(tmp_path, (DENSITY, density))
    for order in ("4", "6"):
        found = json.loads(run("rates", path, "--order", order, "--json").stdout)["orders"]
        assert all(not x for row in found.values() for x in row.values())
    for method in ("tcl2", "tcl4", "tcl2-slip"):
        done = run(
            "evolve", path, "--method", method, "--initial", "1", "--times", "0:1:3", "--json"
        )
        assert done.exit_code == 0, done.stderr
        for row in json.loads(done.stdout)["populations"]:
            assert row == pytest.approx([0.0, 1.0], abs=1e-13)
    assert run("check", path).exit_code == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_models_that_are_no_regular_files(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    refused(run("rates", pipe), 2, str(pipe), "no regular file")
    link = tmp_path / "zero.toml"
    link.symlink_to("/dev/zero")
    refused(run("check", link), 2, str(link), "no regular file")
    state = tmp_path / "state.json"
    os.mkfifo(state)
    path = model_file(tmp_path)
    arguments = ("evolve", path, "--method", "tcl2", "--times", "0:1:3", "--initial")
    refused(run(*arguments, state), 2, "--initial")
    state.unlink()
    state.write_text("[" * 100_000 + "]" * 100_000)
    refused(run(*arguments, state), 2, "--initial")
    refused(run(*arguments, "1" + "0" * 5000), 2, "--initial")


def test_large_files_and_numbers(tmp_path: Path) -> None:
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * 20_000_001)
    refused(run("rates", large), 2, str(large), "larger than")
    path = model_file(tmp_path, ("[0.0, 1.0]", f"[0.0, 1{'0' * 400}]"))
    refused(run("rates", path), 2, "system.energies[1]")
    path = model_file(tmp_path)
    for command in ("rates", "generator", "sweep"):
        over = ("--over", "temperature=1,2") if command == "sweep" else ()
        refused(run(command, path, *over, "--order", "1000000000"), 2, "--order")


@pytest.mark.parametrize("command", [("rates",), ("generator",), ("steady", "--method", "tcl4")])
def test_overflow_is_no_result(tmp_path: Path, command: tuple[str, ...]) -> None:
    path = model_file(tmp_path, (DENSITY, '{ kind = "drude-lorentz", lam = 1e300, gamma = 1e300 }'))
    for options in ((), ("--json",)):
        result = run(command[0], path, *command[1:], *options)
        assert result.exit_code in (2, 4)
        assert "nan" not in result.stdout.lower()


def test_files_are_written_through_links_and_never_over_devices(tmp_path: Path) -> None:
    path = model_file(tmp_path)
    real, link = tmp_path / "real.py", tmp_path / "link.py"
    real.write_text("old")
    link.symlink_to(real)
    arguments = ("export", path, "--language", "python", "--order", "2", "--output")
    assert run(*arguments, link).exit_code == 0
    assert link.is_symlink()
    assert "evaluate" in real.read_text()
    device = tmp_path / "device.py"  # a pipe stands for it: a mistake must not cost /dev/null
    os.mkfifo(device)
    refused(run(*arguments, device), 2, str(device), "no regular file")
    assert stat.S_ISFIFO(device.lstat().st_mode)


def test_greek_on_a_terminal_that_cannot_print_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pertsym",
            "derive",
            str(model_file(tmp_path)),
            "--quantity",
            "k_up",
        ],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
    )
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert b"?" in done.stdout


def test_an_interruption_is_one_line_and_leaves_no_workers(tmp_path: Path) -> None:
    (tmp_path / "pertsym.toml").write_text("")
    for name in ("one", "two"):
        folder = tmp_path / "derivations" / name
        folder.mkdir(parents=True)
        (folder / "script.py").write_text(
            "import os, pathlib, time\n"
            "pathlib.Path(__file__).with_name('pid').write_text(str(os.getpid()))\n"
            "time.sleep(100)\n"
        )
    process = subprocess.Popen(
        [sys.executable, "-m", "pertsym", "regenerate", "--project", str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
    )
    files = [tmp_path / "derivations" / name / "pid" for name in ("one", "two")]
    until = time.monotonic() + 60
    while not any(file.is_file() and file.read_text() for file in files):
        assert time.monotonic() < until
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert "Traceback" not in said
    assert said.splitlines()[-1] == "pertsym: interrupted"
    time.sleep(0.5)
    for file in files:
        if file.is_file():
            with pytest.raises(ProcessLookupError):
                os.kill(int(file.read_text()), 0)


def test_a_project_of_ones_own(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    assert run("init", folder, "--kind", "biased").exit_code == 0
    project = ("--project", folder)
    rows = json.loads(run("list", *project, "--json").stdout)
    assert rows[0]["name"] == "biased"
    assert rows[0]["status"] == "not generated"
    call = [sys.executable, "-m", "pertsym", "regenerate"]
    assert subprocess.run(call, cwd=folder, capture_output=True).returncode == 0
    assert subprocess.run([*call, "--check"], cwd=folder, capture_output=True).returncode == 0
    ledger = folder / "generated" / "biased" / "ledger.md"
    ledger.write_text("spoiled")
    assert subprocess.run([*call, "--check"], cwd=folder, capture_output=True).returncode == 1
    records = json.loads(run("verify", *project, "--json").stdout)
    assert [record["status"] for record in records] == ["proved", "numerical"]


@pytest.mark.parametrize("kind", ["states", "rates", "bath", "generator"])
def test_pictures(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("matplotlib")
    path, output = model_file(tmp_path), tmp_path / "picture.svg"
    arguments = ("plot", path, "--kind", kind, "--times", "0:2:5", "--output", output)
    done = run(*arguments)
    assert done.exit_code == 0, done.stderr
    text = output.read_text()
    assert "<svg" in text
    run(*arguments)
    assert output.read_text() == text
    refused(run("plot", path, "--output", tmp_path / "picture.bmp"), 2, "--output", ".svg")


def test_check_knows_a_drude_bath(tmp_path: Path) -> None:
    (bath,) = json.loads(run("check", model_file(tmp_path), "--json").stdout)["baths"]
    assert bath["reorganisation_energy"] == pytest.approx(0.05, rel=1e-3)
    assert 0.5 < bath["correlation_time"] < 1.1  # 1/gamma, shorter by quantum noise


def test_near_misses_are_named(tmp_path: Path) -> None:
    assert "did you mean 'rates'" in run("ratse").stderr
    path = model_file(tmp_path)
    assert "did you mean 'tcl4'" in run("steady", path, "--method", "tlc4").stderr
    assert "did you mean 'k_up'" in run("derive", path, "--quantity", "k_upp").stderr
    assert "did you mean 'dimer'" in run("new", "dimr").stderr
