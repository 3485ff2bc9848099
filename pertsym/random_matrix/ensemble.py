"""The Gaussian orthogonal ensemble of H_B and B in the limit of many states.

Elements are independent real Gaussian numbers of the scale in `pertsym.model.random_matrix`.
The mean resolvent obeys g = 1/(z - v g) with v = N F = 1/16: a semicircle of radius
R = 2 sqrt v = 1/2.

    n(eps) = N rho(eps),  rho = (8/pi) r,  r(eps) = sqrt(1/4 - eps^2) in the band, 0 outside,
    F(eps, eps') = 1/(16 N),  so that  n F = r/(2 pi).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import j1

from pertsym.model import random_matrix as model

Floats = NDArray[np.float64]
Complexes = NDArray[np.complex128]

OFF_DIAGONAL: Final = float(model.DEVIATION)
"""Standard deviation of an off-diagonal element times sqrt N; diagonal ones are sqrt 2 larger."""
VARIANCE: Final = float(model.VARIANCE)
"""v = N F, the sum of |<eps|B|eps'>|^2 over all states."""
RADIUS: Final = float(model.RADIUS)
"""The band of H_B is [-RADIUS, RADIUS]."""


def half_chord(energy: ArrayLike) -> Floats:
    """r(eps) = sqrt(1/4 - eps^2), 0 outside the band."""
    x = np.asarray(energy, dtype=float)
    return np.sqrt(np.maximum((RADIUS - x) * (RADIUS + x), 0.0))


def level_density(energy: ArrayLike) -> Floats:
    """rho(eps) = n(eps)/N, of unit integral."""
    return 2 / (np.pi * RADIUS**2) * half_chord(energy)


def golden_rule(energy: ArrayLike) -> Floats:
    """2 pi n(eps) F: the rate into eps per |S_ss'|^2."""
    return 2 * np.pi * VARIANCE * level_density(energy)


def resolvent(z: ArrayLike) -> Complexes:
    """g(z) = int rho/(z - eps) deps of complex z; on the real axis the limit from above."""
    w = np.asarray(z, dtype=complex)
    g: Complexes = (w - _root(w)) / (2 * VARIANCE)
    return g


def resolvent_slope(z: ArrayLike) -> Complexes:
    """dg/dz, as `resolvent`; not finite at the edges of the band."""
    w = np.asarray(z, dtype=complex)
    slope: Complexes = (1 - w / _root(w)) / (2 * VARIANCE)
    return slope


def _root(w: Complexes) -> Complexes:
    """sqrt(w^2 - R^2) with its cut on the band alone, +i r just above it."""
    root: Complexes = np.sqrt(w - RADIUS + 0j) * np.sqrt(w + RADIUS + 0j)
    return root


def correlation(time: ArrayLike, energy: float) -> Complexes:
    """C(t) = int deps' n F e^{i(eps - eps')t} = e^{i eps t} J_1(t/2)/(4 t); C(0) = 1/16."""
    t = np.asarray(time, dtype=float)
    safe = np.where(t == 0, 1.0, t)
    bessel = np.where(t == 0, VARIANCE, j1(RADIUS * safe) * OFF_DIAGONAL / safe)
    return np.exp(1j * energy * t) * bessel


def band_nodes(count: int) -> tuple[Floats, Floats]:
    """Energies and weights of Gauss's rule for int rho(eps) f(eps) deps; exact to degree 2n-1."""
    angle = np.pi * np.arange(1, count + 1) / (count + 1)
    return RADIUS * np.cos(angle), 2 / (count + 1) * np.sin(angle) ** 2


def draw_symmetric(size: int, generator: np.random.Generator) -> Any:
    """One real symmetric matrix of the ensemble, (size, size)."""
    upper = generator.standard_normal((size, size))
    upper += upper.T  # variance 2 off the diagonal, 4 on it
    upper *= OFF_DIAGONAL / np.sqrt(2 * size)
    return upper
