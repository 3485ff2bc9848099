"""Proton transfer in thioacetylacetone: a double well in a Drude solvent, hartree atomic units.

H = H_TAA + H_B - q X + lam q^2 with H_TAA = p^2/2m + V(q), J(w) = eta w wD^2/(w^2 + wD^2), where
Ĉ(w > 0) = 2 J(w) [n(w) + 1], and lam = eta wD/2 = (1/pi) int_0^inf dw J(w)/w the counter-term.
V is the lower adiabatic surface of two coupled harmonic diabats:

    V = (v1 + v2)/2 - sqrt((v1 - v2)^2 + 4 k^2)/2,   v_i = m w_i^2 (x - x_i)^2/2 + D_i,
    k = kc exp(-(x - xc)^2).

The source of the model prints six energies and a 6 x 6 position matrix, but neither V nor the
temperature and cutoff: the parameters below are fitted to those tables (the two frequencies to all
digits of the energies), T and wD chosen so that the statements of its text hold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import constants
from scipy.optimize import minimize_scalar

from pertsym.baths.densities import DrudeLorentz
from pertsym.model.bath import Bath
from pertsym.model.errors import InputError
from pertsym.model.units import UNITS
from pertsym.model.values import Coupling, Model
from pertsym.read_only import read_only
from pertsym.systems.dvr import BoundStates, Converged, Grid, Reals, bound_states

MASS: Final = 1914.028
TEMPERATURE: Final = 300.0
"""K; chosen."""
CUTOFF: Final = 1.0e-3
"""wD in hartree; chosen."""
LEVELS: Final = 6
FEMTOSECOND: Final = 1e-15 / constants.physical_constants["atomic unit of time"][0]
"""One femtosecond in atomic units of time."""

_GRID: Final = Grid(-2.5, 3.5, 81)
_TOLERANCE: Final = 1e-11
_ENERGY_DIGITS: Final = 12  # a model holds what the grid has converged to, on every machine
_POSITION_DIGITS: Final = 9
_WIDTH: Final = 0.9  # of the left well's ground state: "slightly narrower than the well"


@dataclass(frozen=True)
class DoubleWell:
    """V of the two coupled diabats, a function of positions.

    Attributes
    ----------
    mass
        m in electron masses.
    w1, w2, x1, x2
        Frequencies w_i in hartree and minima x_i in bohr of the diabats.
    offset
        D_2 in hartree; D_1 = 0.
    kc, xc
        Height in hartree and place in bohr of the coupling k.
    """

    mass: float = MASS
    w1: float = 0.01413094471
    w2: float = 0.01202565943
    x1: float = -0.7181
    x2: float = 1.2094
    offset: float = 0.003583
    kc: float = 0.15582
    xc: float = 0.2872

    def __call__(self, x: Reals) -> Reals:
        """V(x) as defined, without a shift of its zero."""
        v1 = self.mass * self.w1**2 * (x - self.x1) ** 2 / 2
        v2 = self.mass * self.w2**2 * (x - self.x2) ** 2 / 2 + self.offset
        k = self.kc * np.exp(-((x - self.xc) ** 2))
        lower: Reals = (v1 + v2) / 2 - np.sqrt((v1 - v2) ** 2 + 4 * k**2) / 2
        return lower


WELL: Final = DoubleWell()


@dataclass(frozen=True)
class Landmarks:
    """Minima and barrier of V in bohr and hartree; energies count from the left minimum."""

    left: float
    right: float
    top: float
    zero: float
    asymmetry: float
    barrier: float
    curvature: float


@cache
def landmarks(well: DoubleWell = WELL) -> Landmarks:
    """The stationary points between and at the two diabatic minima."""

    def at(x: float) -> float:
        return float(well(np.array([x]))[0])

    def lowest(sign: float, bounds: tuple[float, float]) -> float:
        found = minimize_scalar(
            lambda x: sign * at(x), bounds=bounds, method="bounded", options={"xatol": 1e-10}
        )
        return float(found.x)

    left = lowest(1.0, (well.x1 - 0.5, well.x1 + 0.5))
    right = lowest(1.0, (well.x2 - 0.6, well.x2 + 0.4))
    top = lowest(-1.0, (left, right))
    h = 1e-3
    second = (
        -at(left - 2 * h) + 16 * at(left - h) - 30 * at(left) + 16 * at(left + h) - at(left + 2 * h)
    ) / (12 * h**2)
    zero = at(left)
    return Landmarks(left, right, top, zero, at(right) - zero, at(top) - zero, second)


def counter_term(eta: float) -> float:
    """lam = eta wD/2, the coefficient of q^2, in hartree/bohr^2."""
    return eta * CUTOFF / 2


@cache
def grid_states(eta: float, count: int, well: DoubleWell = WELL) -> Converged:
    """The lowest states of H_S(eta) = H_TAA + lam q^2, energies from V's left minimum.

    Raises
    ------
    InputError
        If eta is negative, or the grid does not converge.
    """
    if not 0 <= eta < math.inf:
        raise InputError("proton_transfer", "eta", f"must be >= 0, got {eta!r}", "correct it")
    lam, zero = counter_term(eta), landmarks(well).zero
    found = bound_states(lambda x: well(x) - zero + lam * x**2, well.mass, _GRID, count, _TOLERANCE)
    states = found.states
    # the source's phases: q_0n > 0, so the ground state alone is negative from the left
    vectors = states.vectors * np.where(np.arange(count) == 0, -1.0, 1.0)
    return Converged(
        BoundStates(states.grid, read_only(states.energies), read_only(vectors)),
        found.energy_change,
        found.position_change,
    )


def proton_transfer(eta: float, levels: int = LEVELS) -> Model:
    """The model in the eigenbasis of H_S(eta), energies in hartree.

    Parameters
    ----------
    eta
        Dimensionless strength in J(w) = eta w wD^2/(w^2 + wD^2), > 0.
    levels
        How many of the lowest levels are kept.

    Returns
    -------
    Model
        Its operator is q in bohr, the counter-term is part of the energies.

    Raises
    ------
    InputError
        If eta is not positive.
    """
    if not eta > 0:
        raise InputError(
            "proton_transfer", "eta", f"must be > 0, got {eta!r}", "without a bath nothing relaxes"
        )
    states = grid_states(eta, levels).states
    operator = np.round(states.position, _POSITION_DIGITS).tolist()
    energies = np.round(states.energies, _ENERGY_DIGITS).tolist()
    beta = UNITS["atomic"].inverse_temperature(TEMPERATURE)
    return Model.of(
        energies,
        [Coupling.of(operator, "solvent")],
        [Bath("solvent", "boson", beta, DrudeLorentz(counter_term(eta), CUTOFF))],
        name=f"thioacetylacetone, {levels} levels, eta = {eta:g}",
        units="atomic",
    )


@dataclass(frozen=True, eq=False)
class Wavepacket:
    """A Gaussian in the left well with the kinetic energy of the barrier, moving right.

    psi(x) ~ exp{-(x - x0)^2/(2 sigma^2) + i p0 (x - x0)}, Eq. (21) as read.

    Attributes
    ----------
    width, momentum
        sigma in bohr; p0 = sqrt(2 m V_b) in atomic units.
    captured
        The norm within the kept levels, before normalisation to 1.
    state : (N, N)
        |psi><psi| in the eigenbasis of H_S(eta).
    """

    width: float
    momentum: float
    captured: float
    state: NDArray[np.complex128]


def proton_wavepacket(eta: float, levels: int) -> Wavepacket:
    """The initial state of the paper's Sec. III C in the lowest levels of H_S(eta)."""
    marks = landmarks()
    width = _WIDTH * (WELL.mass * marks.curvature) ** -0.25
    momentum = math.sqrt(2 * WELL.mass * marks.barrier)

    def psi(x: Reals) -> NDArray[np.complex128]:
        envelope = (math.pi * width**2) ** -0.25 * np.exp(-((x - marks.left) ** 2) / (2 * width**2))
        return np.asarray(envelope * np.exp(1j * momentum * (x - marks.left)))

    amplitudes = grid_states(eta, levels).states.amplitudes(psi)
    captured = float(np.sum(np.abs(amplitudes) ** 2))
    state = np.outer(amplitudes, amplitudes.conj()) / captured
    return Wavepacket(width, momentum, captured, state)
