"""`python -m benchmarks.proton_transfer_heom`: the hierarchy's answers for proton transfer.

Writes derivations/proton_transfer/heom.json with QuTiP's HEOM solver (`pertsym[qutip]`): steady
states, populations from |0> and |1> with six levels, and a wavepacket with twelve.  Every number is
computed at two depths, the greater ones from eta = 0.5 on; a record states both and their largest
distance.  At eta = 1 the number of Pade terms is varied as well.  About half an hour on one core.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import qutip
from qutip.solver.heom import DrudeLorentzPadeBath, HEOMSolver
from threadpoolctl import threadpool_limits

from pertsym.files import write_whole
from pertsym.model.values import Model
from pertsym.systems.proton_transfer import (
    CUTOFF,
    FEMTOSECOND,
    TEMPERATURE,
    proton_transfer,
    proton_wavepacket,
)

DATA = Path(__file__).parent.parent / "derivations" / "proton_transfer" / "heom.json"

TERMS = 3  # Pade terms besides the Drude pole
DEPTHS = (4, 5)  # the second one is kept
DEEP = (6, 7)
STRONG = 0.5  # from here on
FEWER_TERMS, MORE_TERMS = 2, 4
STEADY = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
DYNAMICS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
TIMES = (0.0, 2000.0, 51)  # fs
PACKET_LEVELS = 12
PACKET_DEPTHS = {0.1: (3, 4), 0.3: (3, 4), 0.5: (4, 5), 1.0: (5, 6)}
PACKET_TIMES = (0.0, 1000.0, 501)
DIGITS = 6
OPTIONS = {"progress_bar": "", "rtol": 1e-7, "atol": 1e-9, "nsteps": 10**7}


def depths(eta: float) -> tuple[int, int]:
    """The two depths at a coupling."""
    return DEEP if eta >= STRONG else DEPTHS


def solver(model: Model, depth: int, terms: int = TERMS) -> HEOMSolver:
    """The hierarchy of a model with one Drude bath, J as in pertsym."""
    (bath,) = model.baths
    density: Any = bath.density
    operator = qutip.Qobj(position(model))
    pade = DrudeLorentzPadeBath(operator, density.lam, density.gamma, 1 / bath.beta, terms)
    return HEOMSolver(qutip.Qobj(np.diag(model.energies)), pade, depth, options=OPTIONS)


def position(model: Model) -> Any:
    """q in the model's basis, shape (N, N)."""
    return np.array([[complex(entry) for entry in row] for row in model.couplings[0].operator])


def deeper(results: Sequence[Any]) -> tuple[list[Any], float]:
    """The result of the greater depth, rounded, and how far the two are apart."""
    shallow, deep = results
    return (np.round(deep, DIGITS) + 0.0).tolist(), float(f"{np.abs(deep - shallow).max():.1e}")


def steady(eta: float) -> dict[str, Any]:
    """Populations of the steady state."""
    model = proton_transfer(eta)
    found = [np.diag(solver(model, depth).steady_state()[0].full()).real for depth in depths(eta)]
    populations, change = deeper(found)
    return {"eta": eta, "depths": depths(eta), "populations": populations, "change": change}


def dynamics(eta: float, initial: int) -> dict[str, Any]:
    """Populations over time from one level."""
    model = proton_transfer(eta)
    state = qutip.basis(model.dimension, initial).proj()
    found = [
        np.array([np.diag(rho.full()).real for rho in run(model, depth, state, TIMES)])
        for depth in depths(eta)
    ]
    populations, change = deeper(found)
    return {
        "eta": eta,
        "depths": depths(eta),
        "initial": initial,
        "populations": populations,
        "change": change,
    }


def terms(eta: float = 1.0, depth: int = DEEP[0]) -> dict[str, Any]:
    """How far the populations from |1> move when a Pade term is left out, or one more is taken."""
    model = proton_transfer(eta)
    state = qutip.basis(model.dimension, 1).proj()
    found = {
        n: np.array([np.diag(rho.full()).real for rho in run(model, depth, state, TIMES, n)])
        for n in (FEWER_TERMS, TERMS, MORE_TERMS)
    }
    changes = {
        str(n): float(f"{np.abs(found[n] - found[TERMS]).max():.1e}")
        for n in (FEWER_TERMS, MORE_TERMS)
    }
    return {"eta": eta, "depth": depth, "change": changes}


def packet(eta: float) -> dict[str, Any]:
    """<q> and the four lowest populations of the wavepacket over time."""
    model = proton_transfer(eta, PACKET_LEVELS)
    state = qutip.Qobj(proton_wavepacket(eta, PACKET_LEVELS).state)
    q = position(model)
    found = []
    for depth in PACKET_DEPTHS[eta]:
        states = [rho.full() for rho in run(model, depth, state, PACKET_TIMES)]
        populations = [np.diag(rho).real[:4] for rho in states]
        found.append(np.column_stack([populations, [np.trace(q @ rho).real for rho in states]]))
    rows, change = deeper(found)
    return {
        "eta": eta,
        "depths": PACKET_DEPTHS[eta],
        "populations": [row[:4] for row in rows],
        "position": [row[4] for row in rows],
        "change": change,
    }


def run(
    model: Model, depth: int, state: Any, grid: tuple[float, float, int], terms: int = TERMS
) -> Any:
    """States of the reduced system at the times of a grid in fs."""
    return solver(model, depth, terms).run(state, FEMTOSECOND * np.linspace(*grid)).states


def written(data: dict[str, Any]) -> str:
    """JSON with one record a line."""
    lines = []
    for key, value in data.items():
        text = json.dumps(value)
        if isinstance(value, list):
            text = "[\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]"
        lines.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def told(record: dict[str, Any], what: str) -> dict[str, Any]:
    """Report progress."""
    print(f"{what}, eta = {record['eta']}: change {record['change']}", file=sys.stderr, flush=True)
    return record


def main(path: Path = DATA) -> None:
    """Compute everything and write the file."""
    with threadpool_limits(limits=1, user_api="blas"):
        data = {
            "command": "python -m benchmarks.proton_transfer_heom",
            "qutip": qutip.__version__,
            "temperature_K": TEMPERATURE,
            "cutoff_hartree": CUTOFF,
            "pade_terms": TERMS,
            "steady": [told(steady(eta), "steady") for eta in STEADY],
            "times_fs": TIMES,
            "dynamics": [
                told(dynamics(eta, initial), f"from level {initial}")
                for eta in DYNAMICS
                for initial in (0, 1)
            ],
            "terms": told(terms(), "Pade terms"),
            "wavepacket_levels": PACKET_LEVELS,
            "wavepacket_times_fs": PACKET_TIMES,
            "wavepacket": [told(packet(eta), "wavepacket") for eta in PACKET_DEPTHS],
        }
    path.parent.mkdir(exist_ok=True)
    write_whole(path, written(data))


if __name__ == "__main__":
    main()
