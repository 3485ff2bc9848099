"""`python -m benchmarks [GROUP ...]`: every figure in one run, one thread, CPU time, medians.

Writes build/benchmarks.json and, if all groups were run, docs/benchmarks.md.
"""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import scipy

from benchmarks import calls, generated_code, generators, hierarchy, symbolic
from benchmarks.records import Record, measured, table

ROOT = Path(__file__).parent.parent
HEAD = """\
# Benchmarks

Made by `make benchmarks`; edit nothing here. CPU time of one thread, medians of several runs,
all in one run on {machine}, Python {python}, numpy {numpy}, SciPy {scipy}, {date}. Ratios matter,
digits drift. "C by hand" is 60 lines without error bounds; ours bounds every error. "cold" counts
the making of tables, "warm" does not; the one figure that is not of this run are the 50 ms that
"cold" adds to C by hand, what filling its table by quadrature took. A "first call of a process"
is made in a fresh interpreter after the import. Where a peer is faster or an aim is missed the
line says so. Random baths against enclosures: `python -m benchmarks.campaign`.

"""


def start_up() -> Iterator[Record]:
    """Commands that compute nothing."""
    for option in ("--help", "--version"):
        command = [sys.executable, "-m", "pertsym", option]

        def run(c: list[str] = command) -> float:
            before = os.times()
            subprocess.run(c, check=True, capture_output=True, cwd=ROOT)
            after = os.times()
            return (
                after.children_user
                + after.children_system
                - (before.children_user + before.children_system)
            )

        seconds = sorted(run() for _ in range(5))[2]
        yield Record(f"pertsym {option}", seconds, aim=0.2)


GROUPS: dict[str, Callable[[], Iterator[Record]]] = {
    "start-up": start_up,
    "symbolic": symbolic.records,
    "generated-code": generated_code.records,
    "calls": calls.records,
    "generators": generators.records,
    "hierarchy": hierarchy.records,
}


def main(names: list[str]) -> None:
    unknown = sorted(set(names) - GROUPS.keys())
    if unknown:
        sys.exit(f"{unknown[0]} is no group; there are {', '.join(GROUPS)}")
    measured(lambda: np.linalg.eigvals(np.eye(64)), 3)  # wakes BLAS
    found = {name: list(GROUPS[name]()) for name in names or GROUPS}
    text = "\n".join(f"## {name}\n\n{table(rows)}" for name, rows in found.items())
    print(text)
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    data = [
        {"group": group, **r._asdict(), "relative": r.relative, "met": r.met}
        for group, rows in found.items()
        for r in rows
        if not math.isnan(r.seconds)
    ]
    (build / "benchmarks.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    if not names:
        head = HEAD.format(
            machine=platform.machine(),
            python=platform.python_version(),
            numpy=np.__version__,
            scipy=scipy.__version__,
            date=datetime.now(UTC).date(),
        )
        (ROOT / "docs" / "benchmarks.md").write_text(head + text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
