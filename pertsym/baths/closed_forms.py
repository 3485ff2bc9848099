"""Which closed form gives P(w), if any."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pertsym.baths import jets
from pertsym.baths.densities import BathDensity, DrudeLorentz, Exponentials, Ohmic, Underdamped
from pertsym.baths.jets import Jet
from pertsym.baths.ohmic_transform import ohmic_transform
from pertsym.baths.rational_transform import rational_transform
from pertsym.baths.thermal_spectrum import Statistics, half_sided_jet

_TINY = 1e-290  # stands for w = 0 in J(w) log|w| and the like, whose limit there is 0


def closed_transform(
    density: BathDensity, statistics: Statistics, beta: Any, w: Any, derivative: int
) -> tuple[Any, Any]:
    """P^(derivative)(w) and its error bound; the bound is inf where there is no closed form.

    Parameters
    ----------
    density, statistics, beta
        As in `Correlation`; arrays broadcast to the shape of w.
    w : ndarray
    derivative : int
    """
    with np.errstate(all="ignore"):
        jet = _closed_jet(density, statistics, beta, w, derivative)
        if jet is None:
            return np.zeros(w.shape), np.full(w.shape, math.inf)
        value, error = jet.derivative(derivative)
    value, error = np.broadcast_to(value, w.shape), np.broadcast_to(error, w.shape)
    known = np.isfinite(value) & np.isfinite(error)
    return np.where(known, value, 0.0), np.where(known, error, math.inf)


def _closed_jet(
    density: BathDensity, statistics: Statistics, beta: Any, w: Any, order: int
) -> Jet | None:
    classical = statistics == "classical"
    if isinstance(density, Exponentials):
        return half_sided_jet(density, jets.variable(w, order)).imag * (-2 * math.pi)
    if isinstance(density, (DrudeLorentz, Underdamped)):
        x = jets.variable(np.where(w == 0, _TINY, w), order)
        return rational_transform(density, classical, beta, x)
    if not isinstance(density, Ohmic) or density.s != int(density.s) or np.any(w == 0):
        return None
    if not classical and not np.isinf(beta):
        return None
    temperature = 1 / beta if classical else None
    x = jets.variable(w, order)
    return ohmic_transform(density.alpha, density.wc, int(density.s), temperature, x)
