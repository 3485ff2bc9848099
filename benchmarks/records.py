"""What one line of a benchmark says, and how it is measured."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from threadpoolctl import threadpool_limits

REPEATS = 5


class Record(NamedTuple):
    """One measurement, CPU time.

    Attributes
    ----------
    name
    seconds
    peer
        What else does the same, with its version; empty where there is nothing.
    peer_seconds
        None where the peer is not installed.
    aim
        The most that `seconds` may be.
    ratio
        The most that seconds/peer_seconds may be.
    note
    """

    name: str
    seconds: float
    peer: str = ""
    peer_seconds: float | None = None
    aim: float | None = None
    ratio: float | None = None
    note: str = ""

    @property
    def relative(self) -> float | None:
        """Our seconds over the peer's."""
        return None if self.peer_seconds is None else self.seconds / self.peer_seconds

    @property
    def met(self) -> bool:
        """Whether it is as fast as it should be."""
        late = self.aim is not None and self.seconds > self.aim
        slow = self.ratio is not None and self.relative is not None and self.relative > self.ratio
        return not late and not slow


def measured(function: Callable[[], Any], repeats: int = REPEATS) -> tuple[float, Any]:
    """The median CPU time of several runs, and what the last one returned."""
    times, result = [], None
    with threadpool_limits(limits=1, user_api="blas"):
        for _ in range(repeats):
            start = time.process_time()
            result = function()
            times.append(time.process_time() - start)
    return statistics.median(times), result


def table(records: list[Record]) -> str:
    """Markdown; where a peer is faster or an aim is missed it says so."""
    rows = []
    for r in records:
        aims = [f"{_time(r.aim)}"] if r.aim is not None else []
        aims += [f"{r.ratio:.3g} of the peer"] if r.ratio is not None else []
        ratio = "" if r.relative is None else f"{r.relative:.3g}"
        if r.relative is not None and r.relative > 1:
            ratio = f"**{ratio}**, slower"
        verdict = ("yes" if r.met else "**no**") if aims else ""
        peer = r.peer
        if peer and r.peer_seconds is not None:
            peer += f", {_time(r.peer_seconds)}"
        elif peer:
            peer, verdict = f"{peer}: not installed", ""
        name = r.name + (f" ({r.note})" if r.note else "")
        cells = (name, _time(r.seconds), peer, ratio, ", ".join(aims), verdict)
        rows.append("| " + " | ".join(cells) + " |")
    head = "| work | CPU time | peer | ours / peer | at most | met |\n|---|---|---|---|---|---|\n"
    return head + "\n".join(rows) + "\n"


def _time(seconds: float) -> str:
    if seconds != seconds:
        return ""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
