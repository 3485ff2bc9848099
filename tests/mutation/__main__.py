"""A seeded sample of mutants, each against narrow tests.

    python -m tests.mutation [--each N] [--seed S] [--only PART ...] [--output FILE]

Every mutant is a changed file in a copy of the project; the tests of its module run there, in a
process of its own with a limit of CPU time, and it is killed if one of them fails.  FILE keeps what
is done, and a second run goes on from there; `--report` prints shares and survivors.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from fnmatch import fnmatch
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.mutation.mutants import Mutant, mutants
from tests.mutation.table import narrow_tests

ROOT = Path(__file__).parents[2]
PACKAGES = ("baths", "numerics", "codegen", "expansion", "reduction", "distributions")
LEAST, TIMES = 20, 6
"""The limit of CPU seconds: so many, and so many times what the tests take without a change."""


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

    def run(self, tests: tuple[str, ...], limit: float) -> tuple[str, float]:
        """How the tests end - passed, failed, timeout - and the CPU time that they take."""
        environment = os.environ | {
            "PYTHONPATH": str(self.folder),
            "OPENBLAS_NUM_THREADS": "1",
            "HYPOTHESIS_PROFILE": "mutation",
        }
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        cap = partial(resource.setrlimit, resource.RLIMIT_CPU, (int(limit), int(limit) + 5))
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
                cwd=self.folder,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                preexec_fn=cap,
                timeout=20 * limit,
                check=False,
            )
            outcome = "passed" if done.returncode == 0 else "failed"
            if done.returncode < 0:
                outcome = "timeout"
        except subprocess.TimeoutExpired:
            outcome = "timeout"
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return outcome, round(spent, 2)

    def write(self, module: str, text: str) -> None:
        """A file with a time of its own, so that no compiled one is taken for it."""
        path = self.folder / module
        path.write_text(text, encoding="utf-8")
        self._clock += 2
        os.utime(path, (self._clock, self._clock))


def run(given: argparse.Namespace) -> None:
    """The sample, module by module, without what is done already."""
    done = {row["key"] for row in rows(given.output) if "key" in row}
    unchanged = {
        tuple(row["tests"]): row["unchanged"] for row in rows(given.output) if "unchanged" in row
    }
    wanted = [m for m in modules() if not given.only or any(fnmatch(m, p) for p in given.only)]
    order = [(k, m, mutant) for m in wanted for k, mutant in enumerate(chosen(m, *sampled(given)))]
    order.sort(key=lambda entry: entry[0])  # every module once, then every module again
    ends = time.time() + 60 * given.minutes
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder))

        @cache
        def limit(tests: tuple[str, ...]) -> float:
            if tests not in unchanged:
                outcome, unchanged[tests] = copy.run(tests, 600)
                if outcome != "passed":
                    raise SystemExit(f"{' '.join(tests)}: {outcome} without a change; mend them")
                keep(given.output, {"unchanged": unchanged[tests], "tests": tests})
            return max(LEAST, TIMES * unchanged[tests])

        for _, module, mutant in order:
            key = key_of(module, mutant)
            if key in done:
                continue
            if time.time() > ends:
                return
            tests = narrow_tests(module)
            most = limit(tests)
            text = (copy.folder / module).read_text(encoding="utf-8")
            copy.write(module, mutant.text)
            outcome, seconds = copy.run(tests, most)
            copy.write(module, text)
            row = {
                "key": key,
                "module": module,
                "line": mutant.line,
                "status": {"passed": "survived", "failed": "killed"}.get(outcome, outcome),
                "seconds": seconds,
                "tests": tests,
                "diff": "".join(
                    difflib.unified_diff(
                        text.splitlines(True), mutant.text.splitlines(True), module, module, n=0
                    )
                ),
            }
            keep(given.output, row)
            change = f"{module}:{mutant.line}  {mutant.before} -> {mutant.after}"
            print(f"{row['status']:9}{change}", flush=True)


def sampled(given: argparse.Namespace) -> tuple[int, int]:
    """The options that say which mutants."""
    return given.each, given.seed


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
    """Shares by package, and the survivors of the present text."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    alive = []
    for row in (row for row in rows(path) if "key" in row):
        package = row["module"].split("/")[1]
        counts[package][0] += row["status"] != "survived"
        counts[package][1] += 1
        if row["status"] == "survived":
            alive.append(f"{row['module']}:{row['line']}\n{row['diff']}")
    shares = [f"{name}: {k} of {n} killed, {k / n:.0%}" for name, (k, n) in counts.items()]
    return "\n".join([*shares, "", *alive])


def main() -> None:
    """Run, then report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--each", type=int, default=10, help="mutants of a module; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="*", help="patterns of paths, as pertsym/baths/*")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start none later")
    parser.add_argument("--output", type=Path, default=Path("build/mutation.jsonl"))
    parser.add_argument("--report", action="store_true", help="only report")
    given = parser.parse_args()
    given.output.parent.mkdir(parents=True, exist_ok=True)
    if not given.report:
        run(given)
    print(report(given.output))


if __name__ == "__main__":
    main()
