"""What the formulas of jump noise are read with: numbers from the joint equations and the series.

An eigenvalue s is that of the joint matrix that the derived series leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from derivations.jump_noise.models import (
    FLIP,
    INVERSE,
    RING,
    SPLIT,
    TILTED,
    G,
    L,
    N,
    P,
    W,
    bath,
    fluctuators,
    joint_matrix,
    model,
)
from pertsym.derivation import Reading
from pertsym.expansion.interaction import Operator
from pertsym.language.evaluation import Values

GAMMA, LAMBDA, OMEGA, WEIGHT, SKEW, NUMBER = 1.4, 0.05, 1.1, 0.4, 0.03, 5
NAMES = {r"\gamma": GAMMA, r"\lambda": LAMBDA, r"\omega_0": OMEGA, "n": NUMBER, "p": WEIGHT}


def number(name: str, quantity: str, order: int) -> float:
    """A derived quantity at the numbers."""
    at = {G: GAMMA, L: LAMBDA, W: OMEGA, N: NUMBER, P: WEIGHT}
    return float(model(name).expression(quantity, order).subs(at))


def joint(states: Sequence[float], jumps: Sequence[Sequence[float]], operator: Operator) -> Any:
    """The joint generator of a chain, double precision."""
    return np.array(joint_matrix(states, jumps, operator, OMEGA).tolist(), dtype=complex)


def eigenvalue(
    states: Sequence[float], jumps: Sequence[Sequence[float]], operator: Operator, near: complex
) -> complex:
    """The eigenvalue of the joint equations that is nearest."""
    found = np.linalg.eigvals(joint(states, jumps, operator))
    return complex(found[np.argmin(np.abs(found - near))])


_HALF = [[0, GAMMA / 2], [GAMMA / 2, 0]]
_SIGNAL = ([LAMBDA, -LAMBDA], _HALF)


def populations() -> Values:
    """s = -1/T1 of telegraph noise."""
    near = -sum(number("telegraph", "inv_T1", n) for n in (2, 4, 6, 8))
    s = eigenvalue(*_SIGNAL, FLIP, near)
    return Values([NAMES | {"s": s, "1/T_1": -s, r"\frac1{T_1}": -s}])


def coherence() -> Values:
    """s = -1/T2 - i omega of telegraph noise."""
    decay, shift = (
        sum(number("telegraph", name, n) for n in (2, 4, 6, 8))
        for name in ("inv_T2", "frequency_shift")
    )
    return Values([NAMES | {"s": eigenvalue(*_SIGNAL, FLIP, -decay - 1j * (OMEGA + shift))}])


def dephasing() -> Values:
    """1/T2 of telegraph noise along z."""
    s = eigenvalue(*_SIGNAL, SPLIT, -number("telegraph_along_z", "inv_T2", 2) - 1j * OMEGA)
    decay = -(s + 1j * OMEGA)
    return Values([NAMES | {"1/T_2": decay, r"\frac1{T_2}": decay}])


def redrawn() -> Values:
    """s of three states that are drawn anew, along z; p_k and xi_k of the states."""
    p, states = [WEIGHT / 2, 1 - WEIGHT, WEIGHT / 2], [LAMBDA, 0.0, -LAMBDA]
    jumps = [[GAMMA * p[i] if i != j else 0.0 for j in range(3)] for i in range(3)]
    near = -number("kubo_anderson_along_z", "inv_T2", 2) - 1j * OMEGA
    s = eigenvalue(states, jumps, SPLIT, near) + 1j * OMEGA
    of_states = {f"p_{k}": p[k] for k in range(3)} | {rf"\xi_{k}": states[k] for k in range(3)}
    return Values([NAMES | of_states | {"s": s}], {"k": range(3)})


def unequal() -> Values:
    r"""s along z for two states with xi^2 = lambda^2 + \varsigma xi, centred."""
    root = np.sqrt(SKEW**2 + 4 * LAMBDA**2)
    states = [(SKEW + root) / 2, (SKEW - root) / 2]
    p = [-states[1] / root, states[0] / root]
    jumps = [[0.0, GAMMA * p[0]], [GAMMA * p[1], 0.0]]
    s = eigenvalue(states, jumps, SPLIT, -4 * LAMBDA**2 / GAMMA - 1j * OMEGA) + 1j * OMEGA
    return Values([NAMES | {"s": s, r"\varsigma": SKEW}])


def ladder() -> Values:
    """xi between components of the ladder of n signals, at a number n, and their decay."""
    (given,) = bath(FLIP, fluctuators(RING.variable(INVERSE))).ladders
    ((_, matrix),) = given.parts
    point = dict.fromkeys(RING.names, 0) | {"gamma": GAMMA, "lambda": LAMBDA, INVERSE: 1 / NUMBER}
    at = [point[name] for name in RING.names]
    names: dict[str, Any] = dict(NAMES)
    for r, row in enumerate(matrix):
        names |= {rf"\xi_{{{r},{s}}}": float(complex(x.near(at)).real) for s, x in enumerate(row)}
        names[rf"\nu_{r}"] = given.decays[r].get("gamma", 0) * GAMMA
    return Values([names], {"r": range(3)})


def fourth_order() -> Values:
    """1/T1 of many fluctuators at fourth order."""
    value = number("fluctuators", "inv_T1", 4)
    return Values([NAMES | {r"\left(1/T_1\right)^{(4)}": value}])


def equations() -> Values:
    """The joint equations of three states and the system, term by term."""
    states = [0.3, 0.1, -0.25]
    jumps = [[0, 0.4, 0.2], [0.3, 0, 0.5], [0.1, 0.7, 0]]
    rng = np.random.default_rng(3)
    rho = rng.normal(size=(3, 2, 2)) + 1j * rng.normal(size=(3, 2, 2))
    moved = (joint(states, jumps, TILTED) @ rho.reshape(-1)).reshape(3, 2, 2)
    w = np.array(jumps) - np.diag(np.sum(jumps, axis=0))
    names: dict[str, Any] = {"H_S": np.diag([0, OMEGA]), "S": np.array([[-1, 1], [1, 1]])}
    for k in range(3):
        names |= {rf"\rho_{k}": rho[k], rf"\dot\rho_{k}": moved[k], rf"\xi_{k}": states[k]}
        names |= {f"W_{{{k}{j}}}": w[k, j] for j in range(3)}
    return Values([names], {"k": range(3), "j": range(3)})


READINGS: Mapping[str, Callable[[], Reading]] = {
    "populations": populations,
    "coherence": coherence,
    "dephasing": dephasing,
    "redrawn": redrawn,
    "unequal": unequal,
    "ladder": ladder,
    "fluctuators": fourth_order,
    "joint": equations,
}
