"""What the repository says of itself: rooms and their order, version, workflow, hooks."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

import pertsym

ROOT = Path(__file__).parent.parent
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
LAYERS = {
    name: int(level)
    for level, names in re.findall(r'L(\d+)\["([^"]+)"\]', CONTRIBUTING)
    for name in names.split(", ")
}
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def rooms() -> set[str]:
    package = ROOT / "pertsym"
    folders = {path.parent.name for path in package.glob("*/__init__.py")}
    return folders | {path.stem for path in package.glob("*.py")} - {"__init__"}


def room(module: str) -> str:
    return module.split(".")[1]


def imported(tree: ast.AST) -> Iterator[str]:
    """Modules of the package that are imported when a module is loaded."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [alias.name for alias in node.names]
            if node.module == "pertsym":
                yield from (f"pertsym.{name}" for name in names)
            elif node.module.startswith("pertsym."):
                yield node.module
        elif isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.startswith("pertsym."))
        else:
            yield from imported(node)


def test_every_room_is_on_the_map_once() -> None:
    rows = re.findall(r"^\| `(\w+)` \| \S", CONTRIBUTING, re.MULTILINE)
    picture = [
        n
        for _, names in re.findall(r'L(\d+)\["([^"]+)"\]', CONTRIBUTING)
        for n in names.split(", ")
    ]
    assert sorted(rows) == sorted(picture) == sorted(rooms())


def test_the_arrows_of_the_picture_point_down() -> None:
    arrows = [(int(a), int(b)) for a, b in re.findall(r"L(\d+)\[[^]]*\] --> L(\d+)", CONTRIBUTING)]
    assert arrows == [(k, k - 1) for k in range(max(LAYERS.values()), 0, -1)]


def test_imports_point_down() -> None:
    upwards = []
    seen = set()
    for path in sorted((ROOT / "pertsym").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        here = room(module)
        if here == "__init__":
            continue
        for other in imported(ast.parse(path.read_text())):
            there = room(other)
            if there in LAYERS:
                seen.add((here, there))
                if LAYERS[there] > LAYERS[here]:
                    upwards.append(f"{module} imports {other}")
    assert not upwards
    assert ("api", "results") in seen  # the walk sees imports
    assert len(seen) > 100


def test_one_version() -> None:
    version = pertsym.__version__
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["version"] == {
        "path": "pertsym/__init__.py"
    }
    assert metadata.version("pertsym") == version
    said = subprocess.run(
        [sys.executable, "-m", "pertsym", "--version"], capture_output=True, text=True, check=True
    )
    assert said.stdout.split()[-1] == version
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()


def test_the_changelog_is_by_version() -> None:
    heads = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert heads[0] == "[Unreleased]"
    assert heads[1].startswith(f"[{pertsym.__version__}] - ")
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", head) for head in heads[1:])
    released = re.search(r"date-released: (\S+)", (ROOT / "CITATION.cff").read_text())
    assert released
    assert heads[1].endswith(released[1])
    kinds = set(re.findall(r"^### (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_workflow_runs_the_makefile() -> None:
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    runs = re.findall(r"run: (.*)$", text, re.MULTILINE)
    matrix = re.findall(r"target: (\w+)", text)
    called = {run.removeprefix("make ") for run in runs if "${{" not in run} | set(matrix)
    assert all(run.startswith("make ") for run in runs)
    assert called <= TARGETS
    # what .ci/run runs is there, too
    local = set(re.findall(r"^make (\w+)", (ROOT / ".ci" / "run").read_text(), re.MULTILINE))
    assert local <= called
    lowest = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    pythons = re.findall(r'python(?:-version)?: "?\[?"(3\.\d+)"', text)
    assert f">={pythons[0]}" == lowest
    listed = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    assert {pythons[0], listed[-1]} <= set(pythons)
    assert set(pythons) <= set(listed)


def test_hooks_are_those_of_make_check() -> None:
    hooks = re.findall(
        r"entry: \.venv/bin/(.*)$", (ROOT / ".pre-commit-config.yaml").read_text(), re.MULTILINE
    )
    recipe = (ROOT / "Makefile").read_text().partition("\ncheck:")[2].partition("\n\n")[0]
    for hook in hooks:
        command = hook.replace(" --force-exclude", "")
        assert f"$(BIN)/{command}" in recipe
    assert len(hooks) == 3


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_files_of_a_release_are_kept() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    kept = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\n")  # fmt: skip
    for name in ("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", ".pre-commit-config.yaml"):
        assert name in kept
    assert ".github/workflows/ci.yml" in kept
