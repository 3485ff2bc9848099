"""Populations over time of a model with a random-matrix environment, by any method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pertsym.dynamics.reliability import require_positive
from pertsym.model.errors import InputError
from pertsym.model.random_matrix import RandomMatrixModel
from pertsym.model.requests import require_evolvable
from pertsym.random_matrix.ensemble import Floats
from pertsym.random_matrix.evolution import METHODS, populations
from pertsym.random_matrix.exact import simulate

EXACT: Final = "exact"
EVOLVE: Final = (*METHODS, EXACT)
"""Every method."""
DEFAULT_SIZE: Final = 500
DEFAULT_REALISATIONS: Final = 10
DEFAULT_SEED: Final = 0


@dataclass(frozen=True)
class Evolution:
    """Populations, lowest level first.

    Attributes
    ----------
    populations : (times, levels)
    error : (times, levels) or None
        Standard error of the mean over realisations; None for master equations
        and for a single realisation.
    """

    populations: Floats
    error: Floats | None = None

    @property
    def z(self) -> Floats | None:
        """P_1 - P_0, (times,); None unless there are two levels."""
        if self.populations.shape[1] != 2:
            return None
        difference: Floats = self.populations[:, 1] - self.populations[:, 0]
        return difference


def random_matrix_evolve(
    model: RandomMatrixModel,
    method: str,
    initial: NDArray[np.complex128],
    times: Sequence[float],
    *,
    size: int | None = None,
    realisations: int | None = None,
    seed: int | None = None,
    slipped: bool = False,
    progress: Callable[[str], None] = lambda _: None,
) -> Evolution:
    """Populations from a product state at t = 0.

    Parameters
    ----------
    method
        One of `EVOLVE`; all but "exact" are for two levels coupled off-diagonally.
    initial : (levels, levels)
        Density matrix of the system in the energy eigenbasis; master equations use its diagonal.
    times
        Ascending, >= 0, inverse energy units.
    size, realisations, seed
        Of "exact" alone: states of the environment, averaged realisations and the seed.
    slipped
        Of the Markovian equations alone: start them such that they join the non-Markovian solution
        to second order; the populations at early times are not those of the system then.
    progress
        Called with what is computed next.

    Returns
    -------
    Evolution
        Populations (times, levels), and of "exact" their standard errors.

    Raises
    ------
    InputError
        If the method is unknown or a number is out of range or belongs to another method.
    NotYetDerivable
        If a master equation is asked for a model that it cannot treat, or gives no populations.
    """
    if method not in EVOLVE:
        raise InputError(
            model.name,
            "method",
            f"{method!r} is no method for a random-matrix environment",
            f"use one of {', '.join(EVOLVE)}",
        )
    initial = require_evolvable(model.name, initial, times, model.dimension)
    if method == EXACT and not slipped:
        run = simulate(
            model,
            initial,
            times,
            size=DEFAULT_SIZE if size is None else size,
            realisations=DEFAULT_REALISATIONS if realisations is None else realisations,
            seed=DEFAULT_SEED if seed is None else seed,
            progress=progress,
        )
        # one realisation says nothing of its own spread
        return Evolution(run.populations, None if realisations == 1 else run.error)
    for name, value in (("size", size), ("realisations", realisations), ("seed", seed)):
        if value is not None:
            raise InputError(model.name, name, f"belongs to method {EXACT} alone", "leave it out")
    splitting, strength = model.two_levels()
    lower, upper = (float(p) for p in np.real(np.diagonal(initial)))
    start = splitting, strength, model.bath.energy, (lower, upper)
    found = populations(method, *start, times, progress, slipped=slipped)
    require_positive(float(found.min(initial=0.0)), min(lower, upper), 0.0, method)
    return Evolution(found)
