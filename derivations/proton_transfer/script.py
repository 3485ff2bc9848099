"""Proton transfer in thioacetylacetone: Redfield, CCQME, mean-force state and TCL4 for six levels.

The model from its Hamiltonian; numbers out of the engine, references from the hierarchy of
equations of motion.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from derivations.proton_transfer import equations
from derivations.proton_transfer import number_checks as numbers
from pertsym.certify.claims import checks_in
from pertsym.derivation import Formula, Step, typed
from pertsym.narrative import cumulant_step, moments_step
from pertsym.paper import Paper
from pertsym.systems import proton_transfer as taa


def narrate(order: int) -> Iterator[Step]:
    """The argument to second order; at order 4 with what TCL4 adds."""
    yield PAPER.told("hamiltonian")
    marks = {
        key: f"{x:.{6 if key in ('barrier', 'asymmetry') else 4}f}"
        for key, x in asdict(taa.landmarks()).items()
    }
    found, points = levels(), taa.grid_states(0.0, 6).states.grid.points
    energies = [[rf"E_{n}" for n in range(6)], [f"{e:.9f}" for e in found["energies_hartree"]]]
    body = _body([[f"{x:.4f}" for x in row] for row in found["q_bohr"]])
    q = typed(rf"q=\begin{{pmatrix}} {body} \end{{pmatrix}}", COMPUTED)
    said = {**asdict(taa.WELL), **marks, "points": points}
    yield PAPER.told("potential", _array(energies), q, **said)
    yield PAPER.told("bath", T=f"{taa.TEMPERATURE:g}", cutoff=f"{taa.CUTOFF:g}")
    yield moments_step(2, "(61)-(63)")
    yield cumulant_step(2, "(65)")
    yield from map(PAPER.told, ("redfield", "mean-force", "ccqme"))
    if order >= 4:
        yield cumulant_step(4, "(80)")
        yield PAPER.told("fourth-order")
    yield steady_states(order)
    yield regimes()
    start = taa.proton_wavepacket(0.1, 12)
    sigma, p0 = f"{start.width:.4f}", f"{start.momentum:.4f}"
    kept = f"{100 * start.captured:.2f}"
    yield PAPER.told("wavepacket", x0=marks["left"], sigma=sigma, p0=p0, captured=kept)


COMPUTED = "a table of computed numbers"


def levels() -> dict[str, Any]:
    """The six lowest levels at eta = 0, as many digits as are printed, and q among them."""
    states = taa.grid_states(0.0, 6).states
    energies = [float(round(energy, 9)) for energy in states.energies]
    q = np.round(states.position, 6) + 0.0
    return {"eta": 0.0, "energies_hartree": energies, "q_bohr": q.tolist()}


def steady_states(order: int) -> Step:
    """Sec. III A: six populations by method, and the order of their distance to mean force."""
    head = [r"\text{method}", *(f"p_{n}" for n in range(6))]
    arrays = []
    for eta in numbers.STEADY_ETAS:
        lines = [[rf"\text{{{m}}}", *values] for m, at, values in numbers.table(order) if at == eta]
        arrays.append(_array([head, *lines], rf"\eta={eta:g}:\quad"))
    methods = [m for m, n in numbers.STEADY_METHODS if n <= order and m != "mean-force"]
    powers = ", ".join(f"{m} {numbers.slope(m):.1f}" for m in methods)
    low, high = (f"{eta:g}" for eta in numbers.LADDER)
    return PAPER.told("steady", arrays, low=low, high=high, powers=powers)


def regimes() -> Step:
    """Sec. III A, end."""
    shown = [[r"\eta", r"|p_0^{G}-p_0^{MF}|/p_0^{MF}", r"|p_0^{MF}-p_0^{ex}|/p_0^{ex}", ""]]
    for eta in (row["eta"] for row in numbers.hierarchy()["steady"]):
        *found, name = numbers.regime(eta)
        shown.append([f"{eta:g}", *(f"{error:.5f}" for error in found), rf"\text{{{name}}}"])
    return PAPER.told("regimes", _array(shown), threshold=f"{100 * numbers.THRESHOLD:g}")


def _body(rows: Sequence[Sequence[str]]) -> str:
    return r" \\ ".join(" & ".join(row) for row in rows)


def _array(rows: Sequence[Sequence[str]], left: str = "") -> Formula:
    columns = "l" + "r" * (len(rows[0]) - 1)
    latex = rf"{left}\begin{{array}}{{{columns}}} {_body(rows)} \end{{array}}"
    return typed(latex, COMPUTED)


def generate() -> Mapping[str, str]:
    """The files below generated/proton_transfer/ besides document and ledger."""
    steady = [
        {"eta": eta, "method": method, "populations": [float(x) for x in values]}
        for method, eta, values in numbers.table(4)
    ]
    files = {"levels.json": levels(), "steady_states.json": steady}
    return {name: json.dumps(data, indent=1) + "\n" for name, data in files.items()}


PAPER = Paper(
    script=__file__,
    readings=equations.READINGS,
    narrate=narrate,
    generate=generate,
    contents="levels, steady states, ledger and document",
    checks=checks_in(vars(equations), vars(numbers)),
)
