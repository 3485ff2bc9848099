"""A finite system coupled to an environment of random matrices, as an immutable value.

H = H_S + H_B + S (x) B, hbar = k_B = 1.  H_B and B are independent Gaussian orthogonal matrices of
the scale in `pertsym.model.gaussian_orthogonal`: the band of H_B is [-1/2, 1/2] in the energy unit
of the model, whatever the number of states.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pertsym.exact import Gaussian
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.gaussian_orthogonal import RADIUS
from pertsym.model.units import UNITS, Units
from pertsym.model.values import Coupling, require_computable


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
        if units not in UNITS:
            raise InputError(
                "model", "units", f"{units!r} is unknown", f"use one of {', '.join(UNITS)}"
            )
        bath = RandomMatrixBath("environment", energy, shell_width)
        given = (Coupling.of(operator, bath.name),)
        return cls("random matrices", UNITS[units], tuple(map(float, energies)), given, bath)

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
