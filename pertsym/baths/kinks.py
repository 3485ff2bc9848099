"""Kinks of a spectrum: where P' does not exist, and the mean slope of Ĉ across w = 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from pertsym.baths import jets
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity
from pertsym.baths.divergence import Divergent, power_text
from pertsym.baths.existence import require_spectrum, require_transform, singular_positions
from pertsym.baths.thermal_spectrum import ThermalSpectrum
from pertsym.estimate import Estimate

_NEAR_ZERO = 1e-290


def has_slope(spectrum: ThermalSpectrum, w: Any) -> bool:
    """Whether P' exists at w (at every w of an array)."""
    if spectrum.is_zero:
        return True
    met = np.ravel(np.asarray(w, dtype=float)).tolist()
    for position in set(singular_positions(spectrum)).intersection(met):
        try:
            require_transform(spectrum, position, 1)
        except Divergent:
            return False
    return True


def mean_slope(c: Correlation, w: float) -> Estimate:
    """[Ĉ'(w + 0) + Ĉ'(w - 0)]/2 for scalar parameters.

    At w = 0 of a boson bath it is the limit of J(w)/w, because Ĉ(w) - Ĉ(-w) = 2 J(w) for w > 0 at
    every temperature.

    Raises
    ------
    Divergent
        Where it is infinite, or w is a kink other than 0.
    """
    if len(c.parts) > 1:  # powers that differ by 0.001 are not told apart beside w = 0
        values, errors = zip(*(mean_slope(part, w) for part in c.parts), strict=True)
        return Estimate(sum(values), sum(errors))
    density = with_kink(c, w)
    if density is None:
        return c.spectrum(w, 1)
    if c.statistics == "classical" or density.infrared_power > 1:
        return Estimate(0.0, 0.0)
    jet = density.reduced_jet(jets.variable(np.array(_NEAR_ZERO), 0))
    value, error = jet.derivative(0)
    return Estimate(float(value), float(error))


def with_kink(c: Correlation, w: float) -> Any:
    """The density if w is its kink at 0, None where Ĉ' exists."""
    density: BathDensity = c.density
    if c.thermal.is_zero:
        return None
    try:
        require_spectrum(c.thermal, w, 1)
    except Divergent:
        if w != 0:
            raise
        power = density.infrared_power
        if power < 1 and c.statistics == "boson":
            raise Divergent(f"dĈ/dw ~ w^{power_text(power - 1)} at w -> 0") from None
        if c.thermal.power < 0:
            raise
        return density
    return None
