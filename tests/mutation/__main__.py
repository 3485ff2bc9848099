"""A seeded sample of mutants, each against the tests that reach its line.

    python -m tests.mutation [--each N] [--seed S] [--only PART ...] [--output FILE]

Every mutant is a changed file in a copy of the project.  Which tests reach which line, and how long
they take, is found once; then a process is forked for every mutant, with the libraries imported
before, and runs a few quick tests of different kinds, then all others up to a limit of CPU time,
until one fails.  FILE keeps what is done, and a second run goes on from there; `--report` prints
shares and survivors.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from fnmatch import fnmatch
from hashlib import sha256
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.mutation.mutants import Mutant, mutants
from tests.mutation.reach import Reached, statement_of

ROOT = Path(__file__).parents[2]
PACKAGES = ("baths", "numerics", "codegen", "expansion", "reduction", "distributions")
LIBRARIES = (
    "flint mpmath sympy numpy scipy.integrate scipy.interpolate scipy.linalg scipy.optimize "
    "scipy.special hypothesis.strategies hypothesis.extra.numpy"
)
STAGES = (1.5, 6.0, 40.0)
"""CPU seconds of the tests that are run first, of those for what these leave alive, and so on."""
TEST, FILE = 0.01, 0.3
"""What a test takes beside its own time, and what another file of tests takes."""
PATIENCE = 6.0
"""So many times the CPU time that a test takes without a change, and one second more."""
_READS: dict[str, tuple[str, ...]] = {
    "*.c": ("pertsym/codegen/compiled.py", "pertsym/codegen/c_export.py"),
    "pertsym/codegen/portable*": ("pertsym/codegen/portable_export.py",),
    **dict.fromkeys(
        (
            f"pertsym/codegen/{name}.py"
            for name in (
                "closed",
                "finite_parts",
                "occupation",
                "point_sums",
                "runtime",
                "standalone",
            )
        ),
        ("pertsym/codegen/python_export.py",),
    ),
}
"""Files that become part of exports, and what reads them: tests that reach this run their text."""


def modules() -> list[str]:
    """What is mutated, by its path in the project."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / "pertsym" / package).rglob("*")):
            if path.suffix in (".py", ".c") and path.name != "__init__.py":
                found.append(path.relative_to(ROOT).as_posix())
    return found


def chosen(module: str, each: int, seed: int) -> list[Mutant]:
    """The sample of one module; all with each = 0."""
    every = mutants(module, (ROOT / module).read_text(encoding="utf-8"))
    if not each or len(every) <= each:
        return every
    return random.Random(f"{seed} {module}").sample(every, each)


def equivalent() -> dict[tuple[str, str, str], str]:
    """Why a mutant changes nothing, by its module, its line and what it makes of that."""
    text = (Path(__file__).parent / "equivalent.toml").read_text(encoding="utf-8")
    return {
        (m["module"], m["line"], m["changed"]): m["reason"] for m in tomllib.loads(text)["mutant"]
    }


def lines_of(row: Any) -> tuple[str, str, str]:
    """A mutant as the table of those that change nothing has it."""
    old, new = (
        [line[1:].strip() for line in row["diff"].splitlines()[2:] if line[0] == sign]
        for sign in "-+"
    )
    return row["module"], "\n".join(old), "\n".join(new)


def key_of(module: str, mutant: Mutant) -> str:
    """What finds a mutant again; another one when the module changes."""
    return sha256(f"{module}\n{mutant.text}".encode()).hexdigest()[:16]


class Copy:
    """The project elsewhere, with at most one changed file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
        for name in listed.stdout.splitlines():
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        self._clock = time.time() + 10
        os.environ |= {"PYTHONPATH": str(folder), "OPENBLAS_NUM_THREADS": "1"}
        for name in LIBRARIES.split():
            import_module(name)

    def write(self, module: str, text: str) -> None:
        """A file with a time of its own, so that no compiled one is taken for it."""
        path = self.folder / module
        path.write_text(text, encoding="utf-8")
        self._clock += 2
        os.utime(path, (self._clock, self._clock))

    def forked(self, limit: float, work: Callable[[], int]) -> tuple[int, float]:
        """The exit status of some work in the copy - negative when killed - and its CPU time."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        child = os.fork()
        if not child:
            status = 70
            try:
                os.setpgid(0, 0)
                os.chdir(self.folder)
                sys.path[:] = [str(self.folder), *(p for p in sys.path if Path(p or ".") != ROOT)]
                for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
                    del sys.modules[name]
                nothing = os.open(os.devnull, os.O_RDWR)
                for stream in range(3):
                    os.dup2(nothing, stream)
                resource.setrlimit(resource.RLIMIT_CPU, (int(limit), int(limit) + 5))
                signal.alarm(int(20 * limit))
                status = work()
            finally:
                os._exit(status)
        _, ended, after = os.wait4(child, 0)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what it may have left running
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return os.waitstatus_to_exitcode(ended), round(spent, 2)

    def reach(self, file: str) -> dict[str, Any]:
        """By test of a file, where it passes without a change: its CPU time and lines."""
        kept = self.folder / "reach.json"

        def work() -> int:
            reached = Reached(self.folder, PACKAGES)
            pytest.main([*_PYTEST, file], plugins=[reached])
            return kept.write_text(json.dumps(reached.tests)) and 0

        kept.write_text("{}")
        _, spent = self.forked(1200, work)
        return {"file": file, "seconds": spent, "reached": json.loads(kept.read_text())}

    def killed(self, tests: dict[str, float]) -> tuple[str, float]:
        """Whether one of some tests fails, and the CPU time up to there."""

        class Selection:
            def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
                found = {item.nodeid: item for item in items}
                items[:] = [found[name] for name in tests if name in found]

            @pytest.hookimpl(tryfirst=True)
            def pytest_runtest_setup(self, item: pytest.Item) -> None:
                signal.setitimer(signal.ITIMER_PROF, PATIENCE * (1 + tests[item.nodeid]))

        files = dict.fromkeys(name.split("::")[0] for name in tests)
        status, spent = self.forked(
            PATIENCE * (1 + sum(tests.values())),
            lambda: int(pytest.main([*_PYTEST, "-x", *files], plugins=[Selection()])),
        )
        return {0: "survived"}.get(status, "killed" if status > 0 else "timeout"), spent


_PYTEST = ("-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore:Module already imported")


class Choice:
    """Which tests a mutant is to fail."""

    def __init__(self, reached: dict[str, Any]) -> None:
        self._seconds = {name: seconds for name, (seconds, _) in reached.items()}
        self._lines = {
            name: {module: int(mask, 16) for module, mask in lines.items()}
            for name, (_, lines) in reached.items()
        }
        self._reached = {
            name: sum(mask.bit_count() for mask in lines.values())
            for name, lines in self._lines.items()
        }

    def stages(self, module: str, line: int) -> Iterator[dict[str, float]]:
        """A few quick tests of different kinds, then others, each up to a limit."""
        readers = (names for part, names in _READS.items() if fnmatch(module, part))
        masks = {name: -1 for names in readers for name in names}
        if module.endswith(".py"):
            starts = statement_of((ROOT / module).read_text(encoding="utf-8"))
            masks[module] = 1 << starts[line] if line in starts else -1
        reaching = {
            name: sum(lines.get(part, 0).bit_count() for part in masks) / self._reached[name]
            for name, lines in self._lines.items()
            if any(lines.get(part, 0) & mask for part, mask in masks.items())
        }
        kinds: Counter[str] = Counter()
        ranks = {}
        for name in sorted(reaching, key=lambda name: (self._seconds[name], name)):
            kind = name.split("[")[0]
            ranks[name] = (kinds[kind], -reaching[name])  # what is about this module first
            kinds[kind] += 1
        left = sorted(ranks, key=ranks.__getitem__)
        for most in STAGES:
            files: Counter[str] = Counter()
            taken, total = [], 0.0
            for name in left:
                file = name.split("::")[0]
                cost = self._seconds[name] + TEST + (FILE if file not in files else 0.0)
                if total + cost < most:
                    taken.append(name)
                    total += cost
                    files[file] += cost
            left = [name for name in left if name not in taken]
            # tests of a file stay together, for their fixtures
            taken.sort(key=lambda name: (files[name.split("::")[0]], name.split("::")[0]))
            yield {name: self._seconds[name] for name in taken}


def run(given: argparse.Namespace) -> None:
    """The sample, module by module, without what is done already."""
    done = {row["key"]: row for row in rows(given.output) if "key" in row}
    reached = {row["file"]: row["reached"] for row in rows(given.output) if "file" in row}
    wanted = [m for m in modules() if not given.only or any(fnmatch(m, p) for p in given.only)]
    order = [
        (k, module, mutant)
        for module in wanted
        for k, mutant in enumerate(chosen(module, given.each, given.seed))
    ]
    order.sort(key=lambda entry: entry[0])  # every module once, then every module again
    ends, known = time.time() + 60 * given.minutes, equivalent()
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        for path in sorted((ROOT / "tests").glob("test_*.py")):
            file = path.relative_to(ROOT).as_posix()
            if file not in reached and time.time() < ends and not given.no_map:
                row = copy.reach(file)
                reached[file] = row["reached"]
                keep(given.output, row)
                print(f"{row['seconds']:7.1f} s  {len(row['reached']):4} tests  {file}", flush=True)
        choice = Choice({name: row for tests in reached.values() for name, row in tests.items()})
        for stage, (_, module, mutant) in product(range(len(STAGES)), order):
            key = key_of(module, mutant)
            before = done.get(key, {"stage": -1, "status": "survived", "seconds": 0, "tests": 0})
            if before["status"] != "survived" or before["stage"] >= stage:
                continue
            if stage and lines_of(before) in known:
                continue
            if time.time() > ends:
                return
            text = (copy.folder / module).read_text(encoding="utf-8")
            tests = list(choice.stages(module, mutant.line))[stage]
            outcome, spent = "survived", 0.0
            if tests:
                copy.write(module, mutant.text)
                outcome, spent = copy.killed(tests)
                copy.write(module, text)
            changed = difflib.unified_diff(
                text.splitlines(True), mutant.text.splitlines(True), module, module, n=0
            )
            done[key] = {
                "key": key,
                "module": module,
                "line": mutant.line,
                "stage": stage,
                "status": outcome,
                "seconds": round(before["seconds"] + spent, 2),
                "tests": before["tests"] + len(tests),
                "diff": "".join(changed),
            }
            keep(given.output, done[key])
            change = f"{module}:{mutant.line}  {mutant.before} -> {mutant.after}"
            print(f"{stage} {outcome:9}{change}", flush=True)


def keep(path: Path, row: dict[str, Any]) -> None:
    """One more line of a file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def rows(path: Path) -> list[dict[str, Any]]:
    """What is done."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def report(path: Path) -> str:
    """Shares by package, without and with those that change nothing, and the other survivors."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    alive, known = [], equivalent()
    for row in {row["key"]: row for row in rows(path) if "key" in row}.values():
        count = counts[row["module"].split("/")[1]]
        count[row["status"]] += 1
        if row["status"] == "survived":
            count["equivalent"] += lines_of(row) in known
            if lines_of(row) not in known:
                alive.append(f"{row['module']}:{row['line']} ({row['tests']} tests)\n{row['diff']}")
    counts["together"] = sum(counts.values(), Counter())
    shares = []
    for name, count in counts.items():
        killed = count["killed"] + count["timeout"]
        total = killed + count["survived"]
        other = total - count["equivalent"]
        shares.append(
            f"{name}: {killed} of {total} killed, {killed / total:.1%}; "
            f"without {count['equivalent']} that change nothing {killed / other:.1%}"
        )
    return "\n".join([*shares, "", *alive])


def main() -> None:
    """Run, then report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--each", type=int, default=10, help="mutants of a module; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", help="patterns of paths, as pertsym/baths/*")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start none later")
    parser.add_argument("--output", type=Path, default=Path("build/mutation.jsonl"))
    parser.add_argument("--no-map", action="store_true", help="use the tests that are known")
    parser.add_argument("--report", action="store_true", help="only report")
    given = parser.parse_args()
    given.output.parent.mkdir(parents=True, exist_ok=True)
    if not given.report:
        run(given)
    print(report(given.output))


if __name__ == "__main__":
    main()
