"""Units at the edge: what the numbers of a model file mean, and how results are printed.

Inside, hbar = k_B = 1 and everything is a power of the file's energy unit: beta and times are its
inverse, rates, generators and shifts are the unit itself.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from scipy import constants

from pertsym.model.errors import model_error

_HARTREE: Final = constants.physical_constants["Hartree energy"][0]  # J
_WAVENUMBER: Final = 100 * constants.h * constants.c  # J in one cm^-1
_WAVENUMBER_PER_FS: Final = 100 * 2 * math.pi * constants.c * 1e-15  # angular frequency of 1 cm^-1


@dataclass(frozen=True)
class Units:
    """One row of the table of units.

    Attributes
    ----------
    name : str
        As written after `units =`.
    energy, temperature, beta, time, rate : str
        Unit symbols; empty in natural units.  `energy` holds for energies and frequencies, and
        for J, lam and alpha as they enter J, where Ĉ(w > 0) = 2 J(w) [n(w) + 1].
    temperature_to_energy : float
        k_B: the energy of one unit of temperature.
    rate_factor : float
        Printed rate = internal rate * rate_factor; also internal time = given time * rate_factor.
    """

    name: str
    energy: str = ""
    temperature: str = ""
    beta: str = ""
    time: str = ""
    rate: str = ""
    temperature_to_energy: float = 1.0
    rate_factor: float = 1.0

    def inverse_temperature(self, temperature: float) -> float:
        """Return beta = 1/(k_B T) in inverse energy units; inf at T = 0."""
        energy = temperature * self.temperature_to_energy
        return 1.0 / energy if energy else math.inf

    def temperature_of(self, beta: float) -> float:
        """The shortest decimal number whose `inverse_temperature` is beta, else the nearest."""
        if math.isinf(beta):
            return 0.0
        nearest = 1.0 / beta / self.temperature_to_energy
        shorter = (float(f"{nearest:.{digits}g}") for digits in range(1, 18))
        return next((t for t in shorter if self.inverse_temperature(t) == beta), nearest)

    def rate_to_printed(self, rate: float) -> float:
        """Convert an internal rate, generator element or shift to the printed unit."""
        return rate * self.rate_factor

    def time_to_internal(self, time: float) -> float:
        """Convert a time in the model's time unit to an inverse energy unit."""
        return time * self.rate_factor


UNITS: Final[Mapping[str, Units]] = MappingProxyType(
    {
        units.name: units
        for units in (
            Units("natural"),
            Units(
                "atomic",
                energy="hartree",
                temperature="K",
                beta="1/hartree",
                time="atomic time unit",
                rate="1/atomic time unit",
                temperature_to_energy=constants.k / _HARTREE,
            ),
            Units(
                "wavenumber",
                energy="cm^-1",
                temperature="K",
                beta="cm",
                time="fs",
                rate="1/fs",
                temperature_to_energy=constants.k / _WAVENUMBER,
                rate_factor=_WAVENUMBER_PER_FS,
            ),
        )
    }
)
"""Every choice of `units`, by name."""


def units_named(name: str) -> Units:
    """The row of a name (InputError if there is none)."""
    if name not in UNITS:
        raise model_error("units", f"unknown units {name!r}", f"use one of {', '.join(UNITS)}")
    return UNITS[name]
