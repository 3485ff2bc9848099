"""What the typed formulas of nuclear relaxation are read with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np

from derivations.nuclear_relaxation.common import (
    F_Z,
    SPINS,
    TAU,
    TENSORS,
    B,
    exact_orders,
    zero_field,
)
from derivations.nuclear_relaxation.routes import (
    LEVELS,
    SPIN,
    dense,
    dipolar,
    rate,
    shift_anisotropy,
    sphere,
    taylor_coefficients,
)
from pertsym.derivation import Reading
from pertsym.equations.nuclear_relaxation import ISOTROPIC
from pertsym.language.evaluation import Values

_B, _A, _TAU = 0.7, -0.4, 0.9
_POLAR, _AZIMUTH = 0.8, 1.9


def components(cosine: Any, azimuth: Any) -> Mapping[int, Any]:
    """F_0, F_1, F_2 of directions."""
    sine = np.sqrt(1 - cosine**2)
    return {
        0: 1 - 3 * cosine**2,
        1: sine * cosine * np.exp(-1j * azimuth),
        2: sine**2 * np.exp(-2j * azimuth),
    }


def hamiltonian() -> Reading:
    """Spin vectors and F_q at one direction; A_q and B_q as the engine has them."""
    n = np.array(
        [np.sin(_POLAR) * np.cos(_AZIMUTH), np.sin(_POLAR) * np.sin(_AZIMUTH), np.cos(_POLAR)]
    )
    point: dict[str, Any] = {
        "b": _B,
        "a_1": _A,
        r"\cos\theta": np.cos(_POLAR),
        r"\mathbf I\cdot\mathbf S": np.einsum("iab,ibc->ac", SPIN[0], SPIN[1]),
        r"(\mathbf I\cdot\mathbf n)": np.einsum("i,iab->ab", n, SPIN[0]),
        r"(\mathbf S\cdot\mathbf n)": np.einsum("i,iab->ab", n, SPIN[1]),
        r"H_{\mathrm d}": _B * dipolar(n),
        r"H_{\mathrm c}": _A * shift_anisotropy(0, n),
        r"\omega_1": 1.3,
        r"\omega_2": 0.6,
        "H_S": 1.3 * SPIN[0, 2] + 0.6 * SPIN[1, 2],
    }
    for letter, vector in zip("IS", SPIN, strict=True):
        point[f"{letter}_z"] = vector[2]
        point[f"{letter}_+"] = vector[0] + 1j * vector[1]
        point[f"{letter}_-"] = vector[0] - 1j * vector[1]
    for q, value in components(np.cos(_POLAR), _AZIMUTH).items():
        point[f"F_{q}"] = complex(value)
        for letter, tensor in zip("AB", TENSORS, strict=False):
            point[f"{letter}_{q}"] = dense(tensor.component(q, SPINS))
    return Values([point])


def averages() -> Reading:
    """g_q as the engine has them, and averages by quadrature."""
    points, weights = sphere()
    found = components(points[:, 2], np.arctan2(points[:, 1], points[:, 0]))
    point: dict[str, Any] = {f"g_{q}": float(g) for q, g in ISOTROPIC.items()}
    for q, value in found.items():
        average = float(np.sum(weights * np.abs(value) ** 2))
        point[rf"\langle|F_{q}|^2\rangle"] = average
    return Values([point])


def without_field() -> Reading:
    """Rates of I + S and the scalar coupling from the stochastic Liouville equation."""
    orders = taylor_coefficients((0.0, 0.0), 1 / (6 * _TAU), 4)
    total = dense(F_Z)
    scalar = np.einsum("iab,ibc->ac", SPIN[0], SPIN[1])
    commutator = np.kron(scalar, np.eye(LEVELS)) - np.kron(np.eye(LEVELS), scalar.T)
    coupling = 1j * np.vdot(commutator, orders[3]) / np.vdot(commutator, commutator)
    point = {"b": _B, r"\tau": _TAU, "j^{(3)}": complex(coupling) * _B**3}
    point |= {f"R^{{({n})}}": rate(orders[n], total, total) * _B**n for n in (2, 4)}
    point[r"R_{\mathrm G}^{(4)}"] = float(zero_field("gaussian", 4).subs({B: _B, TAU: _TAU}))
    return Values([point], tolerance=1e-8)


def structure() -> Reading:
    """Elements of orders 2 and 4 in Gaussian noise at numbers."""
    levels = range(LEVELS)
    points = []
    for n in (2, 4):
        at = dict.fromkeys(product(levels, repeat=4), 0j)
        for element, value in exact_orders("gaussian")[n].items():
            at[element] = complex(value.near([0.2, _B, 1.3j, 0.6j]))
        points.append({f"R_{{{a}{b},{c}{d}}}": x for (a, b, c, d), x in at.items()})
    return Values(points, {i: tuple(levels) for i in "abcd"})


READINGS: Mapping[str, Callable[[], Reading]] = {
    "hamiltonian": hamiltonian,
    "averages": averages,
    "structure": structure,
    "without field": without_field,
}
