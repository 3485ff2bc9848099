"""A finite system coupled to an environment of random matrices: the value, and how files state it.

H = H_S + H_B + S (x) B, hbar = k_B = 1.  H_B and B are independent Gaussian orthogonal matrices.
With N states, off-diagonal elements have the standard deviation DEVIATION/sqrt N, diagonal ones
are sqrt 2 larger.  The mean resolvent obeys g = 1/(z - v g), v = VARIANCE: a semicircle of radius
2 sqrt v; the band of H_B is [-1/2, 1/2] in the energy unit of the model, whatever N.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pertsym.exact import Gaussian
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.file import heading, parsed_document, read_levels
from pertsym.model.read import Place, choice, real, table
from pertsym.model.schema import RANDOM_MATRIX, TOP, keyed
from pertsym.model.units import Units, units_named
from pertsym.model.values import Coupling, require_computable

DEVIATION: Final = Fraction(1, 4)
"""Standard deviation of an off-diagonal element times sqrt N."""
VARIANCE: Final = DEVIATION**2
"""v = N F, the sum of |<eps|B|eps'>|^2 over all states."""
RADIUS: Final = 2 * DEVIATION
"""The band of H_B is [-RADIUS, RADIUS] in the energy unit of the model."""


@dataclass(frozen=True)
class RandomMatrixBath:
    """The environment in a microcanonical state.

    Attributes
    ----------
    name : str
    energy : float
        Energy of the environment at t = 0; inside the band.
    shell_width : float
        Width of the shell of energies around it, > 0.  Master equations belong to a sharp energy
        and do not use it; the simulation averages over the states in the shell.

    Raises
    ------
    InputError
        For an energy outside the band, or a width that is not positive.
    """

    name: str
    energy: float
    shell_width: float

    def __post_init__(self) -> None:
        if not abs(self.energy) < RADIUS:
            raise InputError(
                "model",
                "energy",
                f"must lie inside the band of the environment, ({float(-RADIUS)}, "
                f"{float(RADIUS)}), got {self.energy!r}",
                "there are no states elsewhere",
            )
        if not 0 < self.shell_width < math.inf:
            raise InputError(
                "model",
                "shell_width",
                f"must be positive and finite, got {self.shell_width!r}",
                "0.05 is usual; a shell needs several states",
            )


@dataclass(frozen=True)
class RandomMatrixModel:
    """Levels, coupling operators and the environment; `energies` are the basis of the operators.

    Attributes
    ----------
    name : str
    units : Units
    energies : tuple of float
    couplings : tuple of Coupling
        All to the one bath; their operators add.
    bath : RandomMatrixBath
    """

    name: str
    units: Units
    energies: tuple[float, ...]
    couplings: tuple[Coupling, ...]
    bath: RandomMatrixBath

    def __post_init__(self) -> None:
        require_computable(self.energies, self.couplings)

    @classmethod
    def of(
        cls,
        energies: Sequence[float],
        operator: Sequence[Sequence[Any]],
        energy: float = 0.0,
        shell_width: float = 0.05,
        units: str = "natural",
    ) -> RandomMatrixModel:
        """From plain values: the levels, their operator S, the bath's `energy` and `shell_width`.

        Raises
        ------
        InputError
            For unknown units, or an energy outside the band.
        """
        bath = RandomMatrixBath("environment", energy, shell_width)
        given = (Coupling.of(operator, bath.name),)
        return cls("random matrices", units_named(units), tuple(map(float, energies)), given, bath)

    @property
    def dimension(self) -> int:
        """The number of levels."""
        return len(self.energies)

    @property
    def coupling(self) -> NDArray[np.complex128]:
        """S, (N, N), with its strength."""
        return np.array(
            [[complex(entry) for entry in row] for row in self._operator()], dtype=complex
        )

    def _operator(self) -> tuple[tuple[Gaussian, ...], ...]:
        return tuple(
            tuple(sum(entries, start=Gaussian(0)) for entries in zip(*rows, strict=True))
            for rows in zip(*(c.operator for c in self.couplings), strict=True)
        )

    def two_levels(self) -> tuple[float, float]:
        """(Delta, |S_01|^2) of two levels coupled off-diagonally, for which populations are closed.

        Raises
        ------
        NotYetDerivable
            For more levels, or a coupling with diagonal elements.
        InputError
            If the second level is not the upper one.
        """
        if self.dimension != 2:
            raise NotYetDerivable(
                self.name,
                "system.energies",
                f"rates and master equations with random matrices are evaluated for two levels, "
                f"not for {self.dimension}",
                "use two levels, or `pertsym evolve --method exact`",
            )
        operator = self.coupling
        if operator[0, 0] or operator[1, 1]:
            raise NotYetDerivable(
                self.name,
                "couplings",
                "a coupling with diagonal elements mixes populations and coherences, and energies "
                "beyond two",
                "use an off-diagonal operator, or `pertsym evolve --method exact`",
            )
        lower, upper = self.energies
        if not upper > lower:
            raise InputError(
                self.name,
                "system.energies",
                f"rates of two levels need E_1 > E_0, got {list(self.energies)}",
                "list the lower level first, with a level spacing > 0",
            )
        return upper - lower, float(abs(operator[0, 1]) ** 2)


STATISTICS: Final = "random-matrix"


def is_random_matrix_file(path: str | os.PathLike[str]) -> bool:
    """Whether the file declares a random-matrix environment (and should be read as such).

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    baths = parsed_document(Path(path), Place(os.fspath(path))).get("baths")
    found = baths.values() if isinstance(baths, dict) else ()
    return any(isinstance(x, dict) and x.get("statistics") == STATISTICS for x in found)


def load_random_matrix(path: str | os.PathLike[str]) -> RandomMatrixModel:
    """Read the model file at a path of a finite system in a random-matrix environment.

    Energies are in the file's unit, in which the band of the environment is [-1/2, 1/2].

    Raises
    ------
    InputError
        If the file cannot be read or something in it is wrong; names file and dotted key.
    NotYetDerivable
        If a random-matrix environment is combined with another bath.
    """
    place = Place(os.fspath(path))
    document = parsed_document(Path(path), place)
    units, name, entries = heading(document, place, TOP)
    energies, couplings, _ = read_levels(document, entries, place)
    if not couplings:
        raise place.field("couplings").error("there is no coupling", "couple the system to a bath")
    return RandomMatrixModel(name, units, energies, couplings, _bath(entries, place.field("baths")))


def _bath(entries: Mapping[str, object], place: Place) -> RandomMatrixBath:
    if len(entries) != 1:
        raise place.not_yet(
            "a random-matrix environment beside other baths cannot be treated yet",
            "keep one bath",
        )
    ((name, value),) = entries.items()
    here = place.field(name)
    bath = table(value, here)
    choice(bath.get("statistics"), (STATISTICS,), here.field("statistics"), "statistics")
    keyed(bath, here, RANDOM_MATRIX)
    energy, width = (float(real(bath[key], here.field(key))) for key in ("energy", "shell_width"))
    try:
        return RandomMatrixBath(name, energy, width)
    except InputError as error:
        raise here.field(error.key).error(error.problem, error.remedy) from None
