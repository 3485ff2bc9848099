"""A harmonic oscillator coupled to baths through its position: the value, and how files state it.

H = P^2/(2 mass) + mass frequency^2 X^2/2 + H_B + sum_a strength_a X (x) B_a, hbar = k_B = 1.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pertsym.model.bath import Bath, require_coupled, require_in_range
from pertsym.model.bath_file import read_baths
from pertsym.model.errors import InputError
from pertsym.model.file import coupled_bath, coupling_tables, heading, parsed_document
from pertsym.model.read import Place, choice, real, table
from pertsym.model.schema import OSCILLATOR, TOP, keyed
from pertsym.model.units import Units, units_named


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
        named = tuple(bath.named(bath.name or f"bath{k}") for k, bath in enumerate(baths))
        given = tuple(PositionCoupling(bath.name) for bath in named)
        return cls("oscillator", units_named(units), mass, frequency, given, named)

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
        require_coupled([c.bath for c in self.couplings], [bath.name for bath in self.baths])

    @property
    def strengths(self) -> dict[str, float]:
        """The factor of X (x) B for every bath in use, by name, in the order of `baths`."""
        return {
            bath.name: math.fsum(c.strength for c in self.couplings if c.bath == bath.name)
            for bath in self.baths
            if any(c.bath == bath.name for c in self.couplings)
        }


KIND: Final = "oscillator"
_POSITION: Final = "X"


def load_oscillator(path: str | os.PathLike[str]) -> OscillatorModel:
    """Read the model file of an oscillator at a path.

    Convention of every J(w) in the file: Ĉ(w > 0) = 2 J(w) [n(w) + 1] for bosons, for spins
    C(t) = (1/pi) int_0^inf dw J(w) [cos wt - i tanh(beta w/2) sin wt].

    Raises
    ------
    InputError
        If the file cannot be read, is not of an oscillator, or something in it is wrong; names
        file and dotted key.
    NotYetDerivable
        If it asks for a kind of bath that has no correlation function of its own.
    """
    place = Place(os.fspath(path))
    document = parsed_document(Path(path), place)
    units, name, entries = heading(document, place, TOP)
    mass, frequency = _system(document["system"], place.field("system"))
    couplings = _couplings(document["couplings"], entries, place.field("couplings"))
    baths = read_baths(entries, units, place.field("baths"))
    try:
        return OscillatorModel(name, units, mass, frequency, couplings, baths)
    except InputError as error:
        if error.source != "model":
            raise
        raise InputError(place.source, error.key, error.problem, error.remedy) from None


def _system(value: object, place: Place) -> tuple[float, float]:
    system = table(value, place)
    kind = system.get("kind", "levels")
    if kind == "levels":
        raise place.field("kind").error(
            "this is a system of levels, its equation has no coefficients gamma, D and f",
            'use `pertsym generator`, or write kind = "oscillator" with mass and frequency',
        )
    choice(kind, (KIND,), place.field("kind"), "system")
    keyed(system, place, OSCILLATOR)
    mass, frequency = (float(real(system[key], place.field(key))) for key in ("mass", "frequency"))
    return mass, frequency


def _couplings(
    value: object, baths: Mapping[str, object], place: Place
) -> tuple[PositionCoupling, ...]:
    couplings = []
    for index, coupling in enumerate(coupling_tables(value, place)):
        here = place.item(index)
        operator = coupling["operator"]
        if operator == "P":
            raise here.field("operator").not_yet(
                "a coupling by the momentum cannot be treated yet", 'use operator = "X"'
            )
        if operator != _POSITION:
            raise here.field("operator").error(
                "an oscillator is coupled by its position, and this is no matrix"
                if isinstance(operator, str)
                else "an oscillator has no matrix for its coupling",
                'write operator = "X"; a factor goes into strength',
            )
        bath = coupled_bath(coupling, baths, here)
        strength = float(real(coupling.get("strength", 1), here.field("strength")))
        couplings.append(PositionCoupling(bath, strength))
    return tuple(couplings)
