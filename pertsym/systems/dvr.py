"""Bound states of a one-dimensional potential in a discrete variable representation.

H = p^2/2m + V(x) on the grid x_i of spacing h, in the basis of sinc functions (Colbert and Miller,
J. Chem. Phys. 96, 1982 (1992), their Eq. (2.3) for the infinite line), hbar = 1:

    T_ij = (-1)^(i-j)/(2 m h^2) {pi^2/3 for i = j, 2/(i-j)^2 otherwise},   V_ij = V(x_i) delta_ij.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pertsym.model.errors import InputError

Reals = NDArray[np.float64]
Potential = Callable[[Reals], Reals]
"""V on an array of positions."""

_OUTER_LOBE: Final = 1e-2  # of the largest component: where a wavefunction's first lobe begins
_STEPS: Final = 12  # refinements of the grid before giving up
_MOST_POINTS: Final = 1000


@dataclass(frozen=True)
class Grid:
    """Equidistant positions start, start + h, ..., stop.

    Raises
    ------
    InputError
        If the interval is empty or there are fewer than two points.
    """

    start: float
    stop: float
    points: int

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start) and math.isfinite(self.stop) and self.start < self.stop):
            raise _fault(
                "interval",
                f"[{self.start!r}, {self.stop!r}] is not a finite interval",
                "give start < stop",
            )
        if self.points < 2:
            raise _fault("points", f"must be at least 2, got {self.points}", "refine the grid")

    @property
    def spacing(self) -> float:
        """The spacing h."""
        return (self.stop - self.start) / (self.points - 1)

    @property
    def positions(self) -> Reals:
        """x_i, shape (points,)."""
        return np.linspace(self.start, self.stop, self.points)


@dataclass(frozen=True, eq=False)
class BoundStates:
    """The lowest eigenstates of H on a grid.

    Attributes
    ----------
    grid
    energies : (N,)
        Ascending.
    vectors : (points, N)
        Real and orthonormal; the wavefunction at x_i is vectors[i]/sqrt(h).  Coming from the left,
        every wavefunction is positive first.
    """

    grid: Grid
    energies: Reals
    vectors: Reals

    @property
    def position(self) -> Reals:
        """q_nm = <n|x|m>, shape (N, N)."""
        return self.matrix(lambda x: x)

    def matrix(self, function: Potential) -> Reals:
        """<n|f(x)|m>, shape (N, N)."""
        found: Reals = self.vectors.T @ (function(self.grid.positions)[:, None] * self.vectors)
        return (found + found.T) / 2

    def amplitudes(
        self, wavefunction: Callable[[Reals], NDArray[np.complex128]]
    ) -> NDArray[np.complex128]:
        """<n|psi>, shape (N,): the overlaps with a wavefunction given by position."""
        psi = wavefunction(self.grid.positions) * math.sqrt(self.grid.spacing)
        found: NDArray[np.complex128] = self.vectors.T @ psi
        return found


def states_on_grid(potential: Potential, mass: float, grid: Grid, count: int) -> BoundStates:
    """The `count` lowest eigenstates on one given grid.

    Raises
    ------
    InputError
        If the mass is not positive, the grid holds fewer points than states, or V is not finite
        on it.
    """
    if not 0 < mass < math.inf:
        raise _fault("mass", f"must be positive, got {mass!r}", "correct it")
    if not 1 <= count <= grid.points:
        raise _fault(
            "count",
            f"{count} states cannot be found on {grid.points} points",
            "ask for at least one and at most as many as there are points",
        )
    values = np.asarray(potential(grid.positions), dtype=float)
    if values.shape != (grid.points,) or not np.all(np.isfinite(values)):
        raise _fault("potential", "is not finite on the grid", "choose another interval")
    distance = np.subtract.outer(np.arange(grid.points), np.arange(grid.points))
    sign = np.where(distance % 2, -1.0, 1.0)
    kinetic = np.where(distance == 0, math.pi**2 / 3, 2 * sign / np.maximum(distance**2, 1))
    energies, vectors = np.linalg.eigh(kinetic / (2 * mass * grid.spacing**2) + np.diag(values))
    vectors = vectors[:, :count]
    large = np.abs(vectors) > _OUTER_LOBE * np.abs(vectors).max(axis=0)
    first = vectors[np.argmax(large, axis=0), np.arange(count)]
    return BoundStates(grid, energies[:count], vectors * np.sign(first))


@dataclass(frozen=True, eq=False)
class Converged:
    """Bound states and how far they are from those of a finer and wider grid.

    Attributes
    ----------
    states
        On the finer grid.
    energy_change, position_change
        Largest changes of an energy and of an element of q at the last refinement.
    """

    states: BoundStates
    energy_change: float
    position_change: float


def bound_states(
    potential: Potential, mass: float, grid: Grid, count: int, tolerance: float = 1e-12
) -> Converged:
    """Refine and widen the grid until energies and positions stop changing.

    Each step shortens the spacing by a fifth and widens the interval by a tenth on either side; the
    error of a sinc grid falls exponentially with both.

    Parameters
    ----------
    potential
        V(x), finite also somewhat outside of the grid's interval.
    mass
        Of the particle, hbar = 1.
    count
        How many states, the lowest ones.
    grid
        Where to begin.
    tolerance
        Largest accepted change, of energies relative to the largest |E| and of q relative to the
        largest |q|.

    Returns
    -------
    Converged
        The states on the finer grid, and the last changes.

    Raises
    ------
    InputError
        If that is not reached: no bound states, or a tolerance below rounding.
    """
    last = states_on_grid(potential, mass, grid, count)
    for _ in range(_STEPS):
        grid = _refined(last.grid)
        if grid.points > _MOST_POINTS:
            break
        states = states_on_grid(potential, mass, grid, count)
        energy = float(np.abs(states.energies - last.energies).max())
        position = float(np.abs(states.position - last.position).max())
        if energy <= tolerance * float(np.abs(states.energies).max()) and (
            position <= tolerance * float(np.abs(states.position).max())
        ):
            return Converged(states, energy, position)
        last = states
    raise _fault(
        "tolerance",
        f"{count} states are not converged to {tolerance:.2g} on {last.grid.points} points",
        "ask for fewer states or less accuracy, or begin with an interval that holds them",
    )


def _refined(grid: Grid) -> Grid:
    margin = 0.1 * (grid.stop - grid.start)
    points = math.ceil(1.2 * 1.25 * (grid.points - 1)) + 1
    return Grid(grid.start - margin, grid.stop + margin, points)


def _fault(key: str, problem: str, remedy: str) -> InputError:
    return InputError("dvr", key, problem, remedy)
