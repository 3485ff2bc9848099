"""`python -m benchmarks`: speed and memory; every figure is measured in this run."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sympy

from benchmarks import generators
from benchmarks.calls import calls
from benchmarks.generated_code import generated_code
from benchmarks.hierarchy import hierarchy
from benchmarks.symbolic import symbolic
from pertsym.equations.bloch import QUANTITIES, Bloch
from pertsym.equations.models import laird
from pertsym.expansion.cumulants import ordered_cumulant
from pertsym.expansion.paths import generator_element


def timed(function: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def cumulant_counts() -> None:
    """Counts of the expansion to order 12, with time and peak memory."""
    for order in (8, 10, 12):
        tracemalloc.start()

        def count(n: int = order) -> tuple[int, int, int]:
            surviving = total = 0
            words: set[bytes] = set()
            for _, signed in ordered_cumulant(n):
                surviving += 1
                total += len(signed)
                words.update(bytes(word) for word in signed)
            return surviving, total, len(words)

        seconds, (surviving, total, words) = timed(count)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        print(
            f"order {order}: {surviving} pairings, {total} terms, {words} words; "
            f"{seconds:.1f} s, {peak:.0f} MB"
        )


def derivation() -> None:
    """The fourth-order derivation, and its collection step against the same in SymPy."""

    def derive() -> Bloch:
        bloch = Bloch(laird())
        for name in QUANTITIES:
            bloch.series(name)[4]
        return bloch

    seconds, _ = timed(derive)
    ours, terms = timed(lambda: generator_element(laird(), 6, (0, 0, 0, 0)))

    def with_sympy() -> sympy.Expr:
        total = sympy.Integer(0)
        for z, shape in terms:
            product = sympy.Rational(z.re.numerator, z.re.denominator)
            for factor in shape.factors:
                product *= sympy.Symbol(f"{factor.name}{factor.conjugate}{factor[:2]}")
            total += product * sympy.Symbol(f"phase{shape.phase}")
        return sympy.expand(total)

    theirs, _ = timed(with_sympy)
    print(f"all quantities at order 4: {seconds:.2f} s")
    print(
        f"order 6, {len(terms)} collected terms: merely adding them in SymPy takes "
        f"{theirs / ours:.1f} times as long as enumerating and collecting all paths here"
    )


def measured() -> list[dict[str, Any]]:
    """Records {name, seconds, peer, ratio} of this one run; a ratio below 1: the peer is faster."""
    exported = [
        {**r, "peer": f"C by hand, {r['peer']:.3g} s", "ratio": r["peer"] / r["seconds"]}
        for r in generated_code()
    ]
    return [*symbolic(), *generators.records(), *exported, *calls()]


def written(records: list[dict[str, Any]], folder: Path) -> None:
    """The records as JSON, and as a table that says where a peer is faster."""
    folder.mkdir(exist_ok=True)
    (folder / "benchmarks.json").write_text(json.dumps(records, indent=1, default=str) + "\n")
    rows = [
        f"| {r['name']} | {r['seconds']:.3g} | {r.get('peer') or ''} | {_ratio(r)} |"
        for r in records
    ]
    head = "| work | CPU seconds | peer | times faster than it |\n|---|---|---|---|\n"
    (folder / "benchmarks.md").write_text(head + "\n".join(rows) + "\n")
    print(head + "\n".join(rows))


def _ratio(record: dict[str, Any]) -> str:
    ratio = record.get("ratio")
    return "" if ratio is None else f"{ratio:.3g}"


if __name__ == "__main__":
    cumulant_counts()
    derivation()
    hierarchy()
    written(measured(), Path("build"))
