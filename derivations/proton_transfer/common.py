"""What the checks of the proton-transfer paper share: states, references and the paper's g(D).

The formulas of the paper are written here and in the check modules only as the thing to compare
with; what they are compared with comes out of the engine.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from pertsym.certify.claims import Finding
from pertsym.dynamics.methods import Method, generator, steady
from pertsym.dynamics.steady import steady_state
from pertsym.generators.representation import BAND
from pertsym.generators.tcl import tcl_generator
from pertsym.model.values import Model
from pertsym.systems.proton_transfer import CUTOFF, FEMTOSECOND, proton_transfer

Matrix = NDArray[np.complex128]
Reals = NDArray[np.float64]

DOUBLE = "double precision"
ENGINE = "engine"
PRINTED = "as printed (repaired)"
HIERARCHY = "hierarchy of equations of motion (QuTiP)"
ROUNDING = 1e-10
"""Relative distance that two routes in double precision may have here."""

STEADY_METHODS: tuple[tuple[str, int], ...] = (
    ("gibbs", 0),
    ("mean-force", 2),
    ("mean-force", 4),
    ("redfield", 2),
    ("redfield-secular", 2),
    ("ccqme", 2),
    ("ccqme-secular", 2),
    ("tcl4", 4),
)
"""(method, order) of every steady state that is tabulated."""


@cache
def model(eta: float, levels: int = 6) -> Model:
    """The paper's model."""
    return proton_transfer(eta, levels)


@cache
def state(eta: float, method: str, order: int = 2) -> Matrix:
    """The steady state of a method, (6, 6), in the eigenbasis of H_S(eta)."""
    if method == "tcl4":
        return steady_state(np.sum(list(tcl4_orders(eta).values()), axis=0))
    return steady(model(eta), method, order)


@cache
def tcl4_orders(eta: float) -> Mapping[int, Matrix]:
    """K_0, K_2 and K_4 at long times, (36, 36) each, by order."""
    found = tcl_generator(model(eta), 4, tolerance=1e-9, band=BAND).orders
    return {order: term.matrix for order, term in found.items()}


def applied(superoperator: Matrix, rho: Matrix) -> Matrix:
    """A superoperator over row-major vec on a state."""
    return (superoperator @ rho.reshape(-1)).reshape(rho.shape)


def populations(eta: float, method: str, order: int = 2) -> Reals:
    """Its diagonal."""
    return np.diag(state(eta, method, order)).real


@cache
def constant_generator(eta: float, method: str) -> Matrix:
    """K_0 + K_2 + ... of a method, (36, 36)."""
    known = (method,) if not method.startswith("tcl") else ("tcl2-asymptotic",)
    return generator(model(eta), Method.parse(method, known))


@cache
def hierarchy() -> Mapping[str, Any]:
    """The stored results of `python -m benchmarks.proton_transfer_heom`."""
    path = Path(__file__).with_name("heom.json")
    data: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def exact_steady(eta: float) -> Reals:
    """The hierarchy's steady populations."""
    (record,) = [row for row in hierarchy()["steady"] if row["eta"] == eta]
    return np.array(record["populations"])


def exact_dynamics(eta: float, initial: int) -> Reals:
    """The hierarchy's populations over time, shape (times, 6)."""
    (record,) = [
        row for row in hierarchy()["dynamics"] if (row["eta"], row["initial"]) == (eta, initial)
    ]
    return np.array(record["populations"])


def times_of(key: str) -> Reals:
    """The hierarchy's times in atomic units, e.g. those of "times_fs"."""
    start, stop, count = hierarchy()[key]
    return FEMTOSECOND * np.linspace(start, stop, count)


def within(what: str, left: Any, right: Any, tolerance: float = ROUNDING) -> Finding:
    """Two arrays of doubles that must agree, relative to the larger one's largest element."""
    scale = max(float(np.max(np.abs(left))), float(np.max(np.abs(right))))
    distance = float(np.max(np.abs(np.asarray(left) - np.asarray(right))))
    return Finding(
        f"{what} (distance {distance:.1e} of {scale:.1e})", distance <= tolerance * scale
    )


def holds(what: str, condition: object) -> Finding:
    """A statement that is true or not."""
    return Finding(what, bool(condition))


def ascending(values: Iterable[float]) -> bool:
    """Whether each value is larger than the one before."""
    listed = list(values)
    return all(a < b for a, b in pairwise(listed))


# ---------------------------------------------------------------------------------------------
# The paper's correlation function and tunneling rate, Eqs. (42), (56), (58)


def drude_weight(eta: Any, cutoff: Any, beta: Any) -> Any:
    """c_0 = (eta wD^2/2)[cot(beta wD/2) - i], of e^{-wD t}; J = eta w wD^2/(w^2 + wD^2)."""
    return eta * cutoff**2 / 2 * (mpmath.cot(beta * cutoff / 2) - 1j)


def correlation(t: Any, eta: Any, cutoff: Any, beta: Any) -> Any:
    """C(t > 0) by Eq. (42): Drude pole and Matsubara series."""

    def term(k: Any) -> Any:
        nu = 2 * mpmath.pi * k / beta
        return nu * mpmath.exp(-nu * t) / (nu**2 - cutoff**2)

    series = mpmath.nsum(term, [1, mpmath.inf])
    return drude_weight(eta, cutoff, beta) * mpmath.exp(-cutoff * t) + (
        2 * eta * cutoff**2 / beta * series
    )


def fourier(density: Callable[[Any], Any], bose: Callable[[Any], Any], time: Any) -> Any:
    """(34): (1/pi) int J [(n + 1) e^{-iwt} + n e^{iwt}] over w > 0, by quadrature.

    2 J n falls off exponentially; the rest, J e^{-iwt}, does so on a ray below the real axis.
    """
    turn, nodes = mpmath.exp(-1j * mpmath.pi / 4), [0, 1, 4, 16, 64, mpmath.inf]
    thermal = mpmath.quad(lambda w: 2 * density(w) * bose(w) * mpmath.cos(w * time), nodes)
    ray = mpmath.quad(lambda y: turn * density(turn * y) * mpmath.exp(-1j * turn * y * time), nodes)
    return (thermal + ray) / mpmath.pi


def tunneling_rate(gap: Any, eta: Any, cutoff: Any, beta: Any, derivative: int = 0) -> Any:
    """g(D) = sum_k c_k/(nu_k + iD) of Eq. (56), or its first derivative of Eq. (58)."""
    power = derivative + 1
    factor = -1j if derivative else 1

    def term(k: Any) -> Any:
        nu = 2 * mpmath.pi * k / beta
        return nu / ((nu**2 - cutoff**2) * (nu + 1j * gap) ** power)

    series = mpmath.nsum(term, [1, mpmath.inf])
    drude = drude_weight(eta, cutoff, beta) / (cutoff + 1j * gap) ** power
    return factor * (drude + 2 * eta * cutoff**2 / beta * series)


@cache
def rate_matrix(eta: float) -> Matrix:
    """g(D_nm) of the six-level model, D_nm = E_n - E_m, from the closed form in digammas.

    With x = beta/2pi the series of (56) is
    sum_k nu_k/[(nu_k^2 - wD^2)(nu_k + iD)] = (x/2) sum over its three simple poles of digammas.
    """
    given = model(eta)
    assert given.baths[0].beta is not None
    beta, cutoff = mpmath.mpf(given.baths[0].beta), mpmath.mpf(CUTOFF)
    energies = given.energies
    result = np.zeros((len(energies), len(energies)), dtype=complex)
    with mpmath.workdps(30):
        for n, upper in enumerate(energies):
            for m, lower in enumerate(energies):
                gap = mpmath.mpf(upper) - mpmath.mpf(lower)
                result[n, m] = complex(_closed_rate(gap, mpmath.mpf(eta), cutoff, beta))
    return result


def _closed_rate(gap: Any, eta: Any, cutoff: Any, beta: Any) -> Any:
    """g(D) by partial fractions: sum_k 1/(k + z) -> -psi(1 + z), the weights adding to 0."""

    x = beta / (2 * mpmath.pi)
    weights = {  # of 1/(nu + z): residues of nu/[(nu - wD)(nu + wD)(nu + iD)]
        -cutoff: mpmath.mpf(1) / (2 * (cutoff + 1j * gap)),
        cutoff: mpmath.mpf(1) / (2 * (-cutoff + 1j * gap)),
        1j * gap: -1j * gap / (-(gap**2) - cutoff**2),
    }
    series = -x * sum(w * mpmath.digamma(1 + x * z) for z, w in weights.items())
    drude = drude_weight(eta, cutoff, beta) / (cutoff + 1j * gap)
    return drude + 2 * eta * cutoff**2 / beta * series


def pairs(values: Mapping[float, float]) -> str:
    """Numbers by eta, for the words of a finding."""
    return ", ".join(f"{eta:g}: {value:.3g}" for eta, value in values.items())


def slope(distance: Mapping[float, float]) -> float:
    """d log(distance)/d log(eta) between two values of eta."""
    (a, x), (b, y) = distance.items()
    return math.log(y / x) / math.log(b / a)
