"""`python -m pertsym.selftest`: does this installation compute the right numbers?

Every check compares with a number that no part of pertsym has computed: a formula of a textbook
that is written out here, or a property that the exact dynamics has.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator

import numpy as np

import pertsym as ps


def _two_levels(lam: float = 0.05, gamma: float = 2.0, beta: float = 1.0) -> ps.Model:
    bath = ps.Bath(ps.DrudeLorentz(lam=lam, gamma=gamma), temperature=1 / beta)
    return ps.Model(
        energies=[0, 1], couplings=[ps.Coupling([[0, 1], [1, 0]], "B")], baths={"B": bath}
    )


def golden_rule() -> float:
    """k_down at second order is 2 J(w0) [n(w0) + 1], k_up 2 J(w0) n(w0)."""
    numbers = ps.derive(_two_levels()).at()
    j, n = 2 * 0.05 * 2.0 / (2.0**2 + 1), 1 / math.expm1(1.0)
    up, down = numbers.k_up[2].value, numbers.k_down[2].value
    return float(max(abs(up - 2 * j * n), abs(down - 2 * j * (n + 1))))


def pure_dephasing() -> float:
    """A coupling that commutes with H_S: 1/T2 = 2 Ĉ(0) at order 2, nothing at order 4."""
    bath = ps.Bath(ps.DrudeLorentz(lam=0.05, gamma=2.0), temperature=1.5)
    model = ps.Model(
        energies=[0, 1], couplings=[ps.Coupling([[-1, 0], [0, 1]], "B")], baths={"B": bath}
    )
    numbers = ps.derive(model).at()
    expected = 2 * (2 * 1.5) * (2 * 0.05 / 2.0)  # Ĉ(0) = 2 T J'(0), J'(0) = 2 lam/gamma
    second = abs(numbers.inv_T2[2].value - expected)
    return max(float(second), abs(float(numbers.inv_T2[4].value)))


def detailed_balance() -> float:
    """k_up/k_down is that of the equilibrium populations, order by order."""
    numbers = ps.derive(_two_levels(beta=0.7)).at()
    k0, k2 = (float(numbers.equilibrium_constant[n].value) for n in (0, 2))
    up, down = (
        [float(getattr(numbers, name)[n].value) for n in (2, 4)] for name in ("k_up", "k_down")
    )
    return max(
        abs(k0 - math.exp(-0.7)),
        abs(up[0] - k0 * down[0]),
        abs(up[1] - k0 * down[1] - k2 * down[0]),
    )


def formula() -> float:
    """The closed form is the one on paper, and a wrong sign is seen."""
    derived = ps.derive([ps.Coupling([[0, 1], [1, 0]], "X")])
    right = derived.compare("k_up", 2, r"\hat C_X(-\omega_0)")
    wrong = derived.compare("k_up", 2, r"\hat C_X(\omega_0)")
    return 0.0 if right and not wrong else 1.0


def trace() -> float:
    """Populations over time sum to one and begin where they were put."""
    found = ps.derive(_two_levels()).at().evolve("tcl2", initial=1, times=np.linspace(0, 5, 6))
    sums = np.abs(found.populations.sum(axis=1) - 1).max()
    return max(float(sums), abs(float(found.populations[0, 1]) - 1))


CHECKS: tuple[Callable[[], float], ...] = (
    golden_rule,
    pure_dephasing,
    detailed_balance,
    formula,
    trace,
)
TOLERANCE = 1e-10


def run() -> Iterator[tuple[str, float | None]]:
    """Name and deviation of each check; None where it broke."""
    for check in CHECKS:
        try:
            yield check.__name__, float(check())
        except Exception as fault:  # one that breaks has failed, the others still say something
            print(f"{type(fault).__name__}: {fault}", file=sys.stderr)
            yield check.__name__, None


def main() -> int:
    """Print every check; 1 if one fails."""
    failed = 0
    for name, deviation in run():
        good = deviation is not None and deviation <= TOLERANCE
        failed += not good
        shown = "broke" if deviation is None else f"off by {deviation:.1e}"
        print(f"{'passed' if good else 'FAILED'}  {name}: {shown}")
    print(f"pertsym {ps.__version__}: {len(CHECKS) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
