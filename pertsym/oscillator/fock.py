"""The oscillator and its damped two levels in a truncated Fock space, Eq. (35) solved in full."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any, Final

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import expm_multiply

from pertsym.oscillator import elimination as two

_SMALLEST: Final = 12
_LARGEST: Final = 160
_KETS: Final = {"+": (1.0, 0.0), "-": (0.0, 1.0)}


@dataclass(frozen=True)
class DampedLevels:
    """Parameters of Eq. (35), H = Omega0 a^+ a + g (a + a^+) sigma_z + splitting sigma_x/2.

    Attributes
    ----------
    coupling, rate, occupation, oscillator, splitting : float
        g, gamma, nbar, Omega0 and the distance of the two levels (the paper's (35) has twice its
        Delta), in one unit of energy.
    """

    coupling: float
    rate: float
    occupation: float
    oscillator: float
    splitting: float

    @property
    def heating(self) -> float:
        """Gamma of Eq. (41), 2 g^2/[gamma (2 nbar + 1)]; <N> then grows as 2 Gamma t."""
        return 2 * self.coupling**2 / (self.rate * (2 * self.occupation + 1))


@dataclass(frozen=True)
class Occupation:
    """<N>(t) from the vacuum and thermal levels, with how far the cut-off was raised.

    Attributes
    ----------
    times, number : ndarray
    cutoff : int
        Number of Fock states.
    change : float
        Largest change of <N> when the cut-off was last raised by half.
    """

    times: NDArray[np.float64]
    number: NDArray[np.float64]
    cutoff: int
    change: float


def phonon_number(
    levels: DampedLevels, end: float, count: int, tolerance: float = 1e-6
) -> Occupation:
    """<N>(t) at `count` times from 0 to `end`, the cut-off raised until it changes < tolerance.

    Parameters
    ----------
    levels
        Of H and of the damping; the oscillator starts in its vacuum, the levels thermal.
    end, count, tolerance
        In the inverse of the unit of energy, a number of times, an absolute change of <N>.

    Raises
    ------
    ArithmeticError
        If 160 Fock states are not enough; ask for a shorter time.
    """
    cutoff = _SMALLEST
    times, last = _number(levels, end, count, cutoff)
    while True:
        cutoff = 3 * cutoff // 2
        if cutoff > _LARGEST:
            raise ArithmeticError(
                f"end: <N>(t) up to t = {end} is not converged with {_LARGEST} Fock states; ask "
                "for a shorter time"
            )
        _, number = _number(levels, end, count, cutoff)
        change = float(np.max(np.abs(number - last)))
        if change < tolerance:
            return Occupation(times, number, cutoff, change)
        last = number


def _number(
    levels: DampedLevels, end: float, count: int, cutoff: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """<N>(t) with so many Fock states."""
    liouvillian = liouvillian_matrix(levels, cutoff)
    n = levels.occupation
    size = 2 * cutoff
    start = np.zeros((size, size), dtype=complex)
    start[0, 0], start[cutoff, cutoff] = n / (2 * n + 1), (n + 1) / (2 * n + 1)
    states: Any = expm_multiply(
        liouvillian, start.reshape(-1), start=0.0, stop=end, num=count, endpoint=True
    )
    diagonal = states.reshape(count, size, size).real.diagonal(axis1=1, axis2=2)
    return np.linspace(0, end, count), diagonal @ np.tile(np.arange(cutoff, dtype=float), 2)


def liouvillian_matrix(levels: DampedLevels, cutoff: int) -> Any:
    """Eq. (35) over row-major vec of (two levels |+>, |->) x (Fock states), sparse."""
    symbols = (two.COUPLING, two.RATE, two.OCCUPATION, two.OSCILLATOR, two.SPLITTING)
    values = dict(zip(symbols, astuple(levels), strict=True))
    lower = sparse.csr_matrix(np.diag(np.sqrt(np.arange(1.0, cutoff)), 1))
    x, p = (lower + lower.T) / np.sqrt(2), (lower - lower.T) / (1j * np.sqrt(2))
    total: Any = 0
    for (to, source), action in two.master_equation_with_levels().items():
        for powers, coefficient in action.terms.items():
            ahead, behind = (x**n @ p**m for n, m in powers)
            left, right = (
                sparse.kron(np.outer(_KETS[i], _KETS[k]), matrix)
                for i, k, matrix in zip(to, source, (ahead, behind.T), strict=True)
            )
            total = total + complex(coefficient.subs(values)) * sparse.kron(left, right)
    return total.tocsr()
