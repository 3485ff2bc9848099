"""`generated/`: comparison and update of a folder, and whether the committed one is current."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from pertsym.certify.claims import Evidence, Status
from pertsym.cli import main
from pertsym.codegen.regenerate import Change, compare, update
from pertsym.library import Project, builtin, find

FILES = {
    "__init__.py": "",
    "paper/rates.py": "one = 1\ntwo = 2\nthree = 3\n",
    "paper/ö.md": "ħ = 1\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "generated"
    folder.mkdir()
    update(folder, FILES)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def kinds(changes: tuple[Change, ...]) -> list[tuple[str, str]]:
    return [(change.path, change.kind) for change in changes]


def test_update_writes_exactly_the_files(root: Path) -> None:
    assert contents(root) == {name: text.encode() for name, text in FILES.items()}
    assert compare(root, FILES) == ()


def test_update_is_idempotent_and_touches_nothing_that_is_right(root: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    assert update(root, FILES) == ()
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


def test_one_character_is_found_and_shown(root: Path) -> None:
    (root / "paper/rates.py").write_text("one = 1\ntwo = 3\nthree = 3\n")
    (change,) = compare(root, FILES)
    assert (change.path, change.kind) == ("paper/rates.py", "changed")
    lines = change.diff.splitlines()
    assert lines[0] == "--- generated/paper/rates.py"
    assert lines[1] == "+++ derived/paper/rates.py"
    assert [line for line in lines[3:] if line[0] in "+-"] == ["-two = 3", "+two = 2"]
    assert " one = 1" in lines


def test_missing_files_and_orphans(root: Path) -> None:
    (root / "paper/ö.md").unlink()
    (root / "old").mkdir()
    (root / "old/rates.py").write_text("stale = 1\n")
    (root / ".hidden").write_text("")
    changes = compare(root, FILES)
    assert kinds(changes) == [
        (".hidden", "orphan"),
        ("old/rates.py", "orphan"),
        ("paper/ö.md", "missing"),
    ]
    assert "-stale = 1" in changes[1].diff
    assert "no derivation makes this file" in changes[1].diff
    assert changes[2].diff == ""
    assert update(root, FILES) == changes
    assert contents(root) == {name: text.encode() for name, text in FILES.items()}


def test_compiled_files_are_no_orphans(root: Path) -> None:
    cache = root / "paper" / "__pycache__"
    cache.mkdir()
    (cache / "rates.cpython-311.pyc").write_bytes(b"\x00")
    assert compare(root, FILES) == ()


@pytest.mark.parametrize(
    "spoiled",
    [b"one = 1\r\ntwo = 2\r\nthree = 3\r\n", b"one = 1\ntwo = 2\nthree = 3", b"one = \xff1\n", b""],
    ids=["carriage returns", "no newline at the end", "not UTF-8", "empty"],
)
def test_comparison_is_of_bytes(root: Path, spoiled: bytes) -> None:
    (root / "paper/rates.py").write_bytes(spoiled)
    (change,) = compare(root, FILES)
    assert change.kind == "changed"
    shown = [line for line in change.diff.splitlines()[2:] if line[:1] in ("+", "-")]
    assert shown  # a difference that a reader can see
    assert len(set(shown)) == len(shown)
    update(root, FILES)
    assert (root / "paper/rates.py").read_bytes() == FILES["paper/rates.py"].encode()


def test_an_interrupted_update_leaves_the_old_file(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    before = contents(root)
    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        update(root, {**FILES, "paper/rates.py": "one = 11\n"})
    assert contents(root) == before


# ---------------------------------------------------------------------------------------------
# The command


@pytest.fixture
def command(root: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    (root.parent / "pertsym.toml").write_text("")
    monkeypatch.chdir(root.parent)
    monkeypatch.setattr(Project, "regenerated", lambda *_: dict(FILES))
    return CliRunner()


def test_check_passes_on_what_is_current(command: CliRunner, root: Path) -> None:
    result = command.invoke(main, ["regenerate", "--check"])
    assert result.exit_code == 0
    assert "up to date" in result.stdout
    result = command.invoke(main, ["regenerate", "--check", "--json"])
    assert json.loads(result.stdout) == {"changed": []}


def test_check_fails_with_a_diff_and_repairs_nothing(command: CliRunner, root: Path) -> None:
    (root / "paper/rates.py").write_text("one = 1\ntwo = 3\nthree = 3\n")
    (root / "orphan.txt").write_text("alone\n")
    before = contents(root)
    result = command.invoke(main, ["regenerate", "--check"])
    assert result.exit_code == 1
    for line in ("changed: paper/rates.py", "-two = 3", "+two = 2", "orphan: orphan.txt", "-alone"):
        assert line in result.stdout.splitlines()
    result = command.invoke(main, ["regenerate", "--check", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"changed": ["orphan.txt", "paper/rates.py"]}
    assert "+two = 2" in result.stderr
    assert contents(root) == before


def test_regenerate_repairs(command: CliRunner, root: Path) -> None:
    (root / "paper/rates.py").write_text("one = 2\n")
    (root / "orphan.txt").write_text("alone\n")
    result = command.invoke(main, ["regenerate", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"changed": ["orphan.txt", "paper/rates.py"]}
    assert contents(root) == {name: text.encode() for name, text in FILES.items()}
    assert command.invoke(main, ["regenerate", "--check"]).exit_code == 0


def test_a_missing_file_is_one_line_and_what_was_done_is_said(
    command: CliRunner, root: Path
) -> None:
    (root / "paper/rates.py").unlink()
    (root / "orphan.txt").write_text("alone\n")
    (root / "__init__.py").write_text("changed = 1\n")
    result = command.invoke(main, ["regenerate", "--check"])
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "missing: paper/rates.py"
    result = command.invoke(main, ["regenerate"])
    assert result.stdout.splitlines() == [
        "changed: __init__.py",
        "deleted: orphan.txt",
        "wrote: paper/rates.py",
    ]


@pytest.mark.parametrize("check", [True, False])
def test_nothing_to_compare_with_is_said_before_anything_is_derived(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    def derived(*_: object) -> dict[str, str]:
        raise AssertionError("derives")

    monkeypatch.setattr(Project, "regenerated", derived)
    installed = Project(tmp_path / "site", own=False)
    monkeypatch.setattr("pertsym.library.project_at", lambda _: installed)
    result = CliRunner().invoke(main, ["regenerate", *["--check"] * check])
    assert result.exit_code == 2, result.exception
    assert "pertsym init DIR" in result.stderr
    assert not installed.root.exists()


def test_outside_a_project_nothing_is_written(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pertsym.toml").write_text("")
    monkeypatch.setattr(Project, "regenerated", lambda *_: dict(FILES))
    source = Project(root.parent)
    monkeypatch.setattr("pertsym.library.project_at", lambda _: source)
    for module in ("pertsym.library", "pertsym.cli.regenerate"):
        monkeypatch.setattr(f"{module}.builtin", lambda: source)
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    (root / "paper/rates.py").unlink()
    before = contents(root)
    result = CliRunner().invoke(main, ["regenerate"])
    assert result.exit_code == 2
    assert "this folder is in no project" in result.stderr
    assert contents(root) == before
    result = CliRunner().invoke(main, ["regenerate", "--check"])
    assert result.exit_code == 1
    assert "this folder is in no project" in result.stderr
    assert CliRunner().invoke(main, ["regenerate", "--project", str(tmp_path)]).exit_code == 0
    assert contents(root) == {name: text.encode() for name, text in FILES.items()}


def test_an_installed_copy_is_compared_but_not_written(
    command: CliRunner, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = Project(root.parent, own=False)
    monkeypatch.setattr("pertsym.library.project_at", lambda _: installed)
    before = contents(root)
    result = command.invoke(main, ["regenerate"])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "pertsym init DIR" in result.stderr
    assert command.invoke(main, ["regenerate", "--check"]).exit_code == 0
    assert contents(root) == before
    assert not (root.parent / ".pertsym.lock").exists()


@pytest.mark.parametrize("found", ["failed", "numerical", "derived"])
def test_a_ledger_that_is_not_what_its_claims_expect_is_not_written(
    command: CliRunner, root: Path, monkeypatch: pytest.MonkeyPatch, found: Status
) -> None:
    evidence = Evidence(found, ("one route",), None, "x = y")
    paper = find("steady_state_theorem")
    spoiled = replace(paper, checks={tag: lambda digits: evidence for tag in paper.checks})
    monkeypatch.setattr(Project, "regenerated", lambda *_: spoiled.generated_files())
    before = contents(root)
    result = command.invoke(main, ["regenerate"])
    assert result.exit_code == 1
    assert "pertsym: steady_state_theorem: " in result.stderr
    assert f"(T2) is {found}, expected proved: second_order_forms: one route" in result.stderr
    assert contents(root) == before


# ---------------------------------------------------------------------------------------------
# The real thing

DERIVE = """
import json, sys
from pertsym.codegen.python_export import render_runtime
from pertsym.library import builtin
files = {"__init__.py": "", "runtime.py": render_runtime()}
for name in sys.argv[1:]:
    files |= builtin().paper(name).generated_files()
print(json.dumps(files))
"""
# half a minute; `make check` derives all of them, which takes five times as long
QUICK = (
    "ccqme_two_levels",
    "exponential_bath",
    "heat_current",
    "jump_noise",
    "laird_budimir_skinner_1991",
    "sixth_order",
    "three_levels_two_baths",
)


@pytest.fixture(scope="module")
def derived() -> Mapping[str, str]:
    """Half of everything derived anew, under a hash seed of its own."""
    process = subprocess.run(
        [sys.executable, "-c", DERIVE, *QUICK],
        env={**os.environ, "PYTHONHASHSEED": "1"},
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    files: Mapping[str, str] = json.loads(process.stdout)
    return files


def test_the_committed_files_are_current_whatever_the_hash_seed(derived: Mapping[str, str]) -> None:
    """They were written under another seed, and continuous integration compares under a third."""
    slow = [f"{name}/" for name in set(builtin().names) - set(QUICK)]
    found = compare(builtin().generated, derived)
    changes = [c for c in found if not c.path.startswith(tuple(slow))]
    assert not changes, "run `pertsym regenerate`\n" + "".join(c.diff for c in changes)[:4000]


def test_generated_files_are_plain(derived: Mapping[str, str]) -> None:
    """Nothing that another machine or another day would write differently."""
    for name, text in derived.items():
        assert "\r" not in text, name
        assert not text or text.endswith("\n"), name
        for trace in (str(Path.home()) + "/", str(Path(__file__).parent.parent), " object at 0x"):
            assert trace not in text, name
