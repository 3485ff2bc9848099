"""What must never end in a traceback, in nan, or in an endless wait."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from filelock import FileLock

from pertsym.cli.console import command_errors, ticker
from pertsym.cli.regenerate import LOCK
from pertsym.model.errors import InputError
from pertsym.sweeps.run import sweep
from tests.command_line import DENSITY, OPERATOR, TEMPERATURE, model_file, refused, run, said_by

PERTSYM = (sys.executable, "-m", "pertsym")
PATIENCE = 120  # seconds, of a machine that does much else

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


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "cp1252"])
def test_greek_on_a_terminal_that_cannot_print_it(tmp_path: Path, encoding: str) -> None:
    call = [*PERTSYM, "derive", model_file(tmp_path), "--quantity", "k_up", "--order", "2"]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(call, env=environment, capture_output=True, timeout=PATIENCE)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    if encoding != "ascii":  # which click takes for a wrong setting, and writes UTF-8
        assert b"?" in done.stdout
        done.stdout.decode(encoding)


def test_a_closed_pipe_ends_quietly(tmp_path: Path) -> None:
    folder = tmp_path / "derivations" / "mine"
    folder.mkdir(parents=True)
    (tmp_path / "pertsym.toml").write_text("")
    model_file(folder)
    call = [*PERTSYM, "list", "--json", "--project", tmp_path]
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(call, stdout=writing, stderr=subprocess.PIPE, timeout=PATIENCE)
    finally:
        os.close(writing)
    assert done.returncode == 141
    assert done.stderr == b""


def _sleepers(root: Path) -> Path:
    """A project of two derivations that leave their process's number and then take very long."""
    (root / "pertsym.toml").write_text("")
    for name in ("one", "two"):
        folder = root / "derivations" / name
        folder.mkdir(parents=True)
        (folder / "script.py").write_text(
            "import os, pathlib, time\n"
            "here = pathlib.Path(__file__).with_name('new')\n"
            "here.write_text(str(os.getpid()))\n"
            "here.rename(here.with_name('pid'))\n"
            "time.sleep(1000)\n"
        )
    return root


def _wait_for(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.1)


def _ended(number: int) -> bool:
    """Whether a process is gone, or dead and only not waited for (by whoever adopted it)."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{number}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="no /proc to look at")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL])
def test_an_end_from_outside_leaves_no_workers(tmp_path: Path, sent: signal.Signals) -> None:
    root = _sleepers(tmp_path)
    process = subprocess.Popen(
        [*PERTSYM, "regenerate", "--project", root],
        stderr=subprocess.PIPE,
        text=True,
        # whoever runs the tests in the background may ignore interruptions, and hand that on
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    files = [root / "derivations" / name / "pid" for name in ("one", "two")][: os.cpu_count()]
    _wait_for(lambda: all(file.is_file() for file in files))
    process.send_signal(sent)
    said = process.communicate(timeout=PATIENCE)[1]
    if sent == signal.SIGINT:
        assert process.returncode == 130
        assert "pertsym: interrupted" in said.splitlines()
    assert "Traceback" not in said
    _wait_for(lambda: all(_ended(int(file.read_text())) for file in files))


def test_two_that_regenerate_at_once_wait_for_each_other(tmp_path: Path) -> None:
    (tmp_path / "pertsym.toml").write_text("")
    with FileLock(tmp_path / LOCK):
        second = subprocess.Popen(
            [*PERTSYM, "regenerate", "--project", tmp_path], stderr=subprocess.PIPE, text=True
        )
        assert second.stderr is not None
        said = second.stderr.readline()
        assert "waiting for another" in said
        assert second.poll() is None
        assert not (tmp_path / "generated").exists()
    assert second.communicate(timeout=PATIENCE)[1]
    assert second.returncode == 0
    assert (tmp_path / "generated" / "runtime.py").is_file()


def test_a_project_of_ones_own(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    assert run("init", folder, "--kind", "biased").exit_code == 0
    project = ("--project", folder)
    rows = json.loads(run("list", *project, "--json").stdout)
    assert rows[0]["name"] == "biased"
    assert rows[0]["status"] == "not generated"
    call = [*PERTSYM, "regenerate"]
    assert subprocess.run(call, cwd=folder, capture_output=True).returncode == 0
    assert subprocess.run([*call, "--check"], cwd=folder, capture_output=True).returncode == 0
    ledger = folder / "generated" / "biased" / "ledger.md"
    ledger.write_text("spoiled")
    assert subprocess.run([*call, "--check"], cwd=folder, capture_output=True).returncode == 1
    result = run("verify", *project, "--json")
    assert result.exit_code == 0
    found = {record["claim"]: record["status"] for record in json.loads(result.stdout)}
    assert found["trace_and_hermiticity"] == "proved"
    assert found["elements_by_routes"] == "numerical"
    assert all(status in ("proved", "numerical") for status in found.values())


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


def test_pictures_of_every_bath_or_none(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    choose, output = random.Random(9), tmp_path / "picture.svg"
    w = sorted(round(choose.uniform(0.01, 5), 3) for _ in range(12))
    values = [round(choose.random(), 3) for _ in w[1:]] + [0.0]
    formulas = ("Abs(w-1)*w*exp(-w)", "w*Heaviside(2-w)*(2-w)", "w/(1+w**4)", "w**0.7*exp(-w)")
    densities = [f'{{ kind = "expression", expression = "{x}" }}' for x in formulas]
    densities += [f'{{ kind = "table", w = {w}, J = {values} }}', f"[{DENSITY}, {densities[0]}]"]
    for density in densities:
        path = model_file(tmp_path, (DENSITY, density))
        done = run("plot", path, "--kind", "bath", "--output", output)
        assert done.exit_code in (0, 4), done.stderr
        assert done.exit_code == 4 or "<svg" in output.read_text()


def test_check_knows_a_drude_bath(tmp_path: Path) -> None:
    (bath,) = json.loads(run("check", model_file(tmp_path), "--json").stdout)["baths"]
    assert bath["reorganisation_energy"] == pytest.approx(0.05, rel=1e-3)
    assert 0.5 < bath["correlation_time"] < 1.1  # 1/gamma, shorter by quantum noise


@pytest.mark.parametrize("seed", range(3))
def test_check_shows_correlated_baths_as_they_are_stated(tmp_path: Path, seed: int) -> None:
    alpha, cut, ratio = np.random.default_rng(seed).uniform((0.01, 0.5, 0.1), (0.05, 3.0, 0.9))
    ohmic = '{{ kind = "ohmic", alpha = {}, wc = {}, s = 1 }}'.format
    added = (
        '[[couplings]]\noperator = [[1, 0], [0, -1]]\nbath = "y"\n[baths.y]\n'
        f'{TEMPERATURE}\nspectral_density = {ohmic(alpha, cut)}\n[[cross]]\nbaths = ["x", "y"]\n'
        f"spectral_density = {ohmic(alpha * ratio, cut)}\n[baths.x]"
    )
    path = model_file(tmp_path, ("[baths.x]", added), (DENSITY, ohmic(alpha, cut)))
    found = json.loads(run("check", path, "--json").stdout)
    assert sorted(bath["name"] for bath in found["baths"]) == ["x", "y"]
    assert sorted(entry["bath"] for entry in found["couplings"]) == ["x", "y"]
    for bath in found["baths"]:  # (1/pi) int alpha exp(-w/wc) dw
        assert bath["reorganisation_energy"] == pytest.approx(alpha * cut / np.pi, rel=1e-3)
    (line,) = (x for x in run("check", path).stdout.splitlines() if "J_x,y" in x)
    assert f"alpha = {alpha * ratio:.6g}" in line


def test_check_shows_noise_that_jumps(tmp_path: Path) -> None:
    chain = 'statistics = "markov"\nstates = [0.3, -0.1]\nrates = [[0, 1], [3, 0]]\n'
    base = f"{TEMPERATURE}\nspectral_density = {DENSITY}\n"
    done = run("check", model_file(tmp_path, (base, chain)))
    (line,) = (x for x in done.stdout.splitlines() if x.startswith("bath"))
    # occupations 1/4 and 3/4: the mean is 0, the variance 0.03
    for words in ("x: noise that jumps between 2 states", "mean 0,", f"{0.03**0.5:.6g}"):
        assert words in line


def test_check_warns_of_what_other_commands_refuse(tmp_path: Path) -> None:
    swapped = run("check", model_file(tmp_path, ("[0.0, 1.0]", "[1.0, 0.0]")))
    assert swapped.exit_code == 0
    assert "list the lower level first" in swapped.stderr
    named = ("[0.0, 1.0]", '["E2", "E1"]\n[symbols]\nE1 = 1.0\nE2 = 0.0')
    path = model_file(tmp_path, named)
    assert run("rates", path, "--order", "2").exit_code == 0
    assert "derive` refuses symbols.E" in (told := run("check", path).stderr)
    assert told.split("refuses ")[1].strip() in run("derive", path).stderr
    fine = model_file(tmp_path, ("[0.0, 1.0]", '[0, "E1"]\n[symbols]\nE1 = 1.0'))
    assert "refuses" not in run("check", fine).stderr


def test_near_misses_are_named(tmp_path: Path) -> None:
    assert "did you mean 'rates'" in run("ratse").stderr
    path = model_file(tmp_path)
    assert "did you mean 'tcl4'" in run("steady", path, "--method", "tlc4").stderr
    assert "did you mean 'k_up'" in run("derive", path, "--quantity", "k_upp").stderr
    assert "did you mean 'dimer'" in run("new", "dimr").stderr


def test_what_to_cite(tmp_path: Path) -> None:
    laird = run("cite", "laird_budimir_skinner_1991").stdout
    assert "@article{LairdBudimirSkinner1991" in laird
    models = {
        "dimer": ("@software{pertsym", "@book{BreuerPetruccione2007", "@article{Redfield1965"),
        "oscillator": ("@software{pertsym", "Schlosshauer"),
        "gorm": ("@software{pertsym", "Esposito"),
    }
    for kind, wanted in models.items():
        path = tmp_path / f"{kind}.toml"
        assert run("new", kind, path).exit_code == 0
        done = run("cite", path)
        assert done.exit_code == 0
        assert all(words in done.stdout for words in wanted)
        assert done.stdout.count("{") == done.stdout.count("}")
        assert done.stdout.count("\n@") == len(wanted) - 1
    refused(run("cite", "lairt"), 2, "no derivation 'lairt'")


def test_one_temperature_of_several_is_said(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path, output = tmp_path / "m.toml", tmp_path / "picture.svg"
    bath = (
        "[baths.{}]\ntemperature = {}\nspectral_density = {{ kind = 'drude-lorentz', lam = 0.05, "
    )
    path.write_text(
        "[system]\nenergies = [0, 1]\n"
        "[[couplings]]\noperator = [[0, 1], [1, 0]]\nbath = 'a'\n"
        "[[couplings]]\noperator = [[1, 0], [0, 0]]\nbath = 'b'\n"
        + bath.format("a", 0.5)
        + "gamma = 1.0 }\n"
        + bath.format("b", 1.5)
        + "gamma = 1.0 }\n"
    )
    plot = ("plot", path, "--kind", "rates", "--output", output, "--over")
    noted = run(*plot, "temperature=1:1.5")
    assert noted.exit_code == 0
    assert "a at 0.5, b at 1.5" in noted.stderr
    one = run(*plot, "baths.b.temperature=1:1.5")
    assert one.exit_code == 0
    assert "note" not in one.stderr
    assert output.is_file()
    refused(run(*plot, "baths.c.temperature=1:2"), 2, "baths.NAME.temperature")


def test_a_first_item_that_takes_long_is_not_silent() -> None:
    @click.command()
    @click.argument("model")
    @click.option("--said/--unsaid")
    @command_errors
    def slow(model: str, said: bool) -> None:
        if said:
            ticker()("the first item")
        time.sleep(1.3)
        for number in range(100):  # one line a second, whatever there is to say
            ticker()(f"item {number}")
        time.sleep(1.3)

    assert CliRunner().invoke(slow, ["x"]).stderr == "... slow x\n... item 99\n"
    found = CliRunner().invoke(slow, ["x", "--said"])
    assert found.stderr == "... the first item\n... item 99\n"


@pytest.mark.parametrize("command", [("rates",), ("derive", "--order", "2", "--quantity", "k_up")])
def test_an_operator_that_is_no_matrix(tmp_path: Path, command: tuple[str, ...]) -> None:
    choose = random.Random(5)
    wrong = [f"{choose.uniform(-2, 2):.3g}", str(choose.randrange(9)), "true", '"x"', "{}", "[]"]
    for entry in [*wrong, f"[{choose.random()}, 1]", '["xy", "yx"]', "[{}, {}]", "2026-11-27"]:
        path = model_file(tmp_path, (OPERATOR, entry))
        refused(run(command[0], path, *command[1:]), 2, "couplings[0].operator")
        path = model_file(tmp_path, ("energies = [0.0, 1.0]", f"hamiltonian = {entry}"))
        refused(run(command[0], path, *command[1:]), 2, "system.hamiltonian")


@pytest.mark.parametrize("wrong", ['{ kind = "ohmic" }', "[]", '["boson"]', "[[1]]", "3", "true"])
def test_statistics_that_are_no_text(tmp_path: Path, wrong: str) -> None:
    path = model_file(tmp_path, (TEMPERATURE, f"{TEMPERATURE}\nstatistics = {wrong}"))
    for command in (("rates",), ("check",), ("derive", "--order", "2")):
        refused(run(command[0], path, *command[1:]), 2, "baths.x.statistics")
    assert run("cite", path).exit_code in (0, 2)


@pytest.mark.parametrize("output", [".", "", "..", "/", "folder"])
def test_a_sweep_into_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    (tmp_path / "folder").mkdir()
    path = model_file(tmp_path)
    monkeypatch.chdir(tmp_path)
    result = run("sweep", path, "--over", "temperature=1,2", "--jobs", "1", "--output", output)
    assert result.exit_code == 2
    assert re.search("is a (folder|directory)", said_by(result)[-1])
    with pytest.raises(InputError, match="is a folder"):
        sweep(path, {"temperature": [1.0, 2.0]}, output=output, jobs=1)
