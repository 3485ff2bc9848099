"""Calls of `Result.function` and closed rates over grids, beside the goals for them.

CPU time of one thread.  "first" is the first call in this process for its bath and range of
parameters, with every table it makes; what comes after it is "next".
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.records import Record
from pertsym.api import bloch
from pertsym.baths.densities import DrudeLorentz, Ohmic, Underdamped
from pertsym.model.bath import Bath
from pertsym.model.values import Coupling, Model
from pertsym.sweeps.axes import Parameter, Temperature
from pertsym.sweeps.rates import rates_over

ONE_CALL = 100e-6  # s
POINT = 40 * 65e-9  # s: 40 times a table of P and P' in C written by hand,
BUILD = 40 * 0.05  # s: and 40 times what filling that table takes
BIASED_POINT = 50e-6  # s
SCAN = 1.0  # s
CALLS = 200
QUANTITIES = ("k_up", "inv_T2", "frequency_shift")
DENSITIES = (
    DrudeLorentz(0.1, 2.0),
    Ohmic(0.1, 1.0, 1.0),
    Ohmic(0.1, 1.0, 3.0),
    Underdamped(0.3, 1.0, 0.5),
)
PLAIN = np.array([[0.0, 1.0], [1.0, 0.0]])
BIASED = np.array([[0.2, 0.9], [0.9, 0.8]])


def records() -> Iterator[Record]:
    """One call, arrays and a scan of every density."""
    for density in DENSITIES:
        for kind, operator in (("", PLAIN), ("biased ", BIASED)):
            series = bloch([Coupling.of(operator, "b")])
            for name in QUANTITIES:
                f = getattr(series, name)[4].function(b=density)
                label = f"{kind}{name}(4), {density!r}"
                yield from _single(f, label)
                yield from _arrays(f, label, bool(kind))
        yield from _scan(density)


def _model(density: Any, operator: Any) -> Model:
    bath = Bath("b", "boson", 1.0, density)
    return Model.of([0, 1], [Coupling.of(operator, "b")], [bath])


def _single(f: Callable[..., Any], label: str) -> Iterator[Record]:
    splittings = np.linspace(1.01, 1.99, CALLS).tolist()
    for beta, at in ((1.0, "T = 1"), (math.inf, "T = 0")):
        for _ in range(2):
            seconds = _seconds(lambda beta=beta: [f(w0, beta) for w0 in splittings]) / CALLS
        yield Record(f"one call, {label}, {at}", seconds, aim=ONE_CALL)


def _arrays(f: Callable[..., Any], label: str, biased: bool) -> Iterator[Record]:
    count, goal = (10_000, BIASED_POINT) if biased else (100_000, POINT)
    sweep = np.geomspace(0.125, 8.0, count)
    cases: dict[str, Callable[[], Any]] = {"temperatures": lambda: f(1.0, sweep)}
    if not biased:
        cases |= {
            "w0, T = 1": lambda: f(sweep, 1.0),
            "w0, T = 0": lambda: f(sweep, math.inf),
        }
    for name, run in cases.items():
        for state in ("first", "next"):
            seconds = _seconds(run) / count
            built = BUILD / count if state == "first" and not biased else 0.0
            title = f"a point of {count} over {name}, {label}, {state}"
            yield Record(title, seconds, aim=goal + built)


def _scan(density: Any) -> Iterator[Record]:
    model = _model(density, BIASED)
    name = "alpha" if isinstance(density, Ohmic) else "lam"
    scan = {
        Temperature(("b",)): 1 / np.geomspace(0.11, 11.0, 200)[:, None],
        Parameter("b", name): np.linspace(0.01, 1.0, 50)[None, :],
    }
    for state in ("first", "next"):
        seconds = _seconds(lambda: rates_over(model, 4, scan, (200, 50)))
        title = f"all rates on 200 temperatures x 50 {name}, derived and evaluated"
        yield Record(f"{title}, {density!r}, {state}", seconds, aim=SCAN)


def _seconds(run: Callable[[], Any]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start
