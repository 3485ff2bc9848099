"""A harmonic oscillator coupled to baths through its position, as an immutable value.

H = P^2/(2 mass) + mass frequency^2 X^2/2 + H_B + sum_a strength_a X (x) B_a, hbar = k_B = 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pertsym.model.bath import Bath, require_in_range
from pertsym.model.errors import InputError
from pertsym.model.units import UNITS, Units


@dataclass(frozen=True)
class PositionCoupling:
    """strength * X (x) B; couplings to one bath share its B, so that their strengths add."""

    bath: str
    strength: float = 1.0


@dataclass(frozen=True)
class OscillatorModel:
    """The oscillator, its couplings and its baths.

    Attributes
    ----------
    name : str
    units : Units
        How the numbers are meant.  The unit of X is free where the file's energies are not in
        atomic units: with hbar = 1 a mass is 1/(energy length^2), J is energy^2/(energy length^2)
        for the unit of length chosen.
    mass, frequency : float
        Both > 0; the frequency in energy units.
    couplings : tuple of PositionCoupling
    baths : tuple of Bath
        With Ĉ(w > 0) = 2 J(w) [n(w) + 1].

    Raises
    ------
    InputError
        With source "model" and the key of what is wrong.
    """

    name: str
    units: Units
    mass: float
    frequency: float
    couplings: tuple[PositionCoupling, ...]
    baths: tuple[Bath, ...]

    @classmethod
    def of(
        cls, mass: float, frequency: float, baths: Sequence[Bath], units: str = "natural"
    ) -> OscillatorModel:
        """From plain values; X couples to each of the baths, which are named by their places.

        Raises
        ------
        InputError
            For unknown units, or as the class.
        """
        if units not in UNITS:
            raise InputError(
                "model", "units", f"{units!r} is unknown", f"use one of {', '.join(UNITS)}"
            )
        named = tuple(bath.named(bath.name or f"bath{k}") for k, bath in enumerate(baths))
        given = tuple(PositionCoupling(bath.name) for bath in named)
        return cls("oscillator", UNITS[units], mass, frequency, given, named)

    def __post_init__(self) -> None:
        object.__setattr__(self, "baths", tuple(bath.within(self.units) for bath in self.baths))
        for key, value in (("mass", self.mass), ("frequency", self.frequency)):
            if not 0 < value < math.inf:
                raise InputError(
                    "model",
                    f"system.{key}",
                    f"must be positive and finite, got {value!r}",
                    f"give the oscillator's {key}",
                )
            require_in_range(value, f"system.{key}")
        for index, coupling in enumerate(self.couplings):
            require_in_range(coupling.strength, f"couplings[{index}].strength")
        if not self.couplings:
            raise InputError("model", "couplings", "there is no coupling", "couple X to a bath")
        known = [bath.name for bath in self.baths]
        for index, coupling in enumerate(self.couplings):
            if coupling.bath not in known:
                raise InputError(
                    "model",
                    f"couplings[{index}].bath",
                    f"there is no bath {coupling.bath!r}",
                    f"add it, or use one of: {', '.join(known) or '(none)'}",
                )

    @property
    def strengths(self) -> dict[str, float]:
        """The factor of X (x) B for every bath in use, by name, in the order of `baths`."""
        return {
            bath.name: math.fsum(c.strength for c in self.couplings if c.bath == bath.name)
            for bath in self.baths
            if any(c.bath == bath.name for c in self.couplings)
        }
