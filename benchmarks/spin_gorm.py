"""Exact curves of the spin-GORM model, which the lesson on Esposito and Gaspard 2003 compares with.

    python -m benchmarks.spin_gorm CASE [--size N] [--realisations R] [--seed S]

CASE is one of those below, or `all` (a quarter of an hour on one core).  Every case is simulated
with N and with N/2 states, so that the bias of a finite environment can be extrapolated away; the
result replaces that case in derivations/esposito_gaspard_2003/spin_gorm.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from pertsym.model.random_matrix import RandomMatrixBath, RandomMatrixModel
from pertsym.model.units import UNITS
from pertsym.model.values import Coupling
from pertsym.random_matrix.methods import simulate

DATA = (
    Path(__file__).resolve().parent.parent
    / "derivations"
    / "esposito_gaspard_2003"
    / "spin_gorm.json"
)
SHORT = tuple(np.linspace(0, 20, 101))
LONG = (*np.linspace(0, 50, 26), *np.linspace(70, 600, 28))
STRONG = tuple(np.linspace(0, 40, 41))
CASES = {
    # name: (Delta, lambda, energy of the environment, times)
    "delta 0.01": (0.01, 0.1, 0.0, LONG),
    "delta 0.1": (0.1, 0.1, 0.0, LONG),
    "delta 0.5": (0.5, 0.1, -0.25, LONG),
    "delta 5": (5.0, 0.1, 0.0, SHORT),
    "lambda 0.3": (0.1, 0.3, 0.0, STRONG),
    "lambda 0.5": (0.1, 0.5, 0.0, STRONG),
}


def spin_gorm(delta: float, strength: float, energy: float) -> RandomMatrixModel:
    """The model of one case, with the paper's shell of width 0.05."""
    coupling = Coupling.of(((0, 1), (1, 0)), "env", strength)
    bath = RandomMatrixBath("env", energy, 0.05)
    return RandomMatrixModel(
        "spin-GORM", UNITS["natural"], (-delta / 2, delta / 2), (coupling,), bath
    )


def run(case: str, size: int, realisations: int, seed: int) -> dict[str, object]:
    """Times, and z with its standard error for N and N/2 states."""
    delta, strength, energy, times = CASES[case]
    record: dict[str, object] = {
        "delta": delta,
        "lambda": strength,
        "energy": energy,
        "realisations": realisations,
        "seed": seed,
        "times": [round(float(t), 6) for t in times],
    }
    start = np.diag([0.0, 1.0]).astype(complex)
    for states, count in ((size // 2, 2 * realisations), (size, realisations)):
        found = simulate(
            spin_gorm(delta, strength, energy),
            start,
            times,
            size=states,
            realisations=count,
            seed=seed,
            progress=lambda text, n=states: print(f"N = {n}: {text}", file=sys.stderr),
        )
        z = found.populations[:, 1] - found.populations[:, 0]
        record[str(states)] = {
            "z": [round(float(x), 6) for x in z],
            "standard_error": [round(2 * float(x), 6) for x in found.error[:, 1]],
        }
    return record


def main() -> None:
    """Simulate and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=[*CASES, "all"])
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--realisations", type=int, default=10)
    parser.add_argument("--seed", type=int, default=2003)
    given = parser.parse_args()
    for case in CASES if given.case == "all" else (given.case,):
        found = run(case, given.size, given.realisations, given.seed)
        data = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {}
        data[case] = found
        DATA.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({name: data[name] for name in CASES if name in data}, indent=None)
        DATA.write_text(text.replace('}, "', '},\n"') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
