"""The fourth-order term that the fourth cumulant of a spin bath adds to the generator.

A bath of independent spins, B = sum_i g_i (sigma_z^(i) - <sigma_z^(i)>), is not Gaussian.  The
fourth order of its time-convolutionless generator is that of the Gaussian bath with the same C(t)
plus, for the fourth cumulant, the integral over t > t1 > t2 > t3 > 0 of the time-ordered average of
four interactions in which the four-point function is replaced by its cumulant.  The system's
superoperators carry B(t) on the left or on the right of the density operator:

    sum over sides (-1)^(number on the right) S_0 S_1 S_2 S_3 kappa(right early .. late, left late
    .. early),  kappa = sum_i g_i^4 kappa_i.

Biased spins also have a third cumulant, which adds an order 3 that is not treated here; for
unbiased ones (bias 0) odd cumulants vanish and nothing else is missing at this order.

All functions of time are exponentials, so that every nested integral is the corner of the
exponential of a block-bidiagonal matrix: no quadrature, no fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm

from pertsym.spins.moments import COS, POLARISATION, SIN, fourth_cumulant

Matrix = NDArray[np.complex128]
_LEFT, _RIGHT = 0, 1


@dataclass(frozen=True)
class BathSpin:
    """One spin 1/2, H = (bias sigma_z + tunnelling sigma_x)/2, B = strength sigma_z.

    Attributes
    ----------
    strength, bias, tunnelling : float
        Energies (times the unit of the system's operator); not both of the last two are 0.
    beta : float
        Inverse temperature > 0, inf is T = 0.

    Raises
    ------
    ValueError
        For a spin without a splitting, or beta that is not positive.
    """

    strength: float
    bias: float
    tunnelling: float
    beta: float

    def __post_init__(self) -> None:
        if not self.splitting > 0:
            raise ValueError(
                "tunnelling: a spin needs a splitting, bias or tunnelling must not be 0"
            )
        if not self.beta > 0:
            raise ValueError(f"beta: must be > 0 (inf is T = 0), got {self.beta!r}; use 1/T")

    @property
    def splitting(self) -> float:
        """wt = sqrt(bias^2 + tunnelling^2)."""
        return float(np.hypot(self.bias, self.tunnelling))

    @property
    def polarisation(self) -> float:
        """h = tanh(beta wt/2)."""
        return float(np.tanh(self.beta * self.splitting / 2))


@dataclass(frozen=True)
class FourthCumulant:
    """What the fourth cumulant adds for a finite system with one coupling S (x) B.

    Attributes
    ----------
    energies : ndarray, shape (N,)
    operator : ndarray, shape (N, N)
        S in the energy eigenbasis.
    spins : tuple of BathSpin
        Independent; their cumulants add.
    """

    energies: NDArray[np.float64]
    operator: Matrix
    spins: tuple[BathSpin, ...]

    def generator(self, time: float) -> Matrix:
        """The term of K_4(time), an N^2 x N^2 matrix over row-major vec, Schrödinger picture."""
        free = self._free
        inner = np.zeros_like(free)
        for sides, shifts, weight in self._terms():
            inner += weight * self._nested([self._interactions[s] for s in sides], shifts, time)
        result: Matrix = self._commutator @ inner @ expm(-free * time)
        return result

    def state(self, initial: Matrix, time: float) -> Matrix:
        """The term of fourth order in rho(time), N x N, from rho(0) = initial."""
        change = np.zeros_like(self._free)
        for sides, shifts, weight in self._terms():
            steps = [self._commutator, *(self._interactions[s] for s in sides)]
            change += weight * self._nested(steps, (0.0, *shifts), time)
        size = len(self.energies)
        vector = np.asarray(initial, dtype=complex).reshape(-1)
        result: Matrix = (change @ vector).reshape(size, size)
        return result

    @property
    def _free(self) -> Matrix:
        """-i [H_S, .]."""
        e = np.asarray(self.energies, dtype=float)
        return np.diag((-1j * (e[:, None] - e[None, :])).reshape(-1))

    @property
    def _interactions(self) -> tuple[Matrix, Matrix]:
        """-i S rho and +i rho S."""
        s, one = np.asarray(self.operator, dtype=complex), np.eye(len(self.energies))
        return -1j * np.kron(s, one), 1j * np.kron(one, s.T)

    @property
    def _commutator(self) -> Matrix:
        """-i [S, rho], at the latest time, where both sides meet the same operator of the bath."""
        left, right = self._interactions
        return left + right

    def _terms(self) -> Iterator[tuple[tuple[int, ...], tuple[float, ...], complex]]:
        """Sides of the three earlier interactions, frequencies added to each gap, weight.

        A phase exp(i wt (k_0 t_0 + ... )) adds wt (k_0 + ... + k_(m-1)) between t_(m-1) and t_m;
        all k add up to 0, since the bath is stationary.
        """
        for spin in self.spins:
            values = {
                COS: spin.bias / spin.splitting,
                SIN: spin.tunnelling / spin.splitting,
                POLARISATION: spin.polarisation,
            }
            numbers = {k: complex(x.subs(values)) for k, x in fourth_cumulant().terms.items()}
            for sides in product((_LEFT, _RIGHT), repeat=3):
                right = [j for j in (3, 2, 1) if sides[j - 1] == _RIGHT]  # early first
                order = (*right, 0, *(j for j in (1, 2, 3) if sides[j - 1] == _LEFT))
                for phase, value in numbers.items():
                    k = [0] * 4
                    for position, time in enumerate(order):
                        k[time] = phase[position]
                    if sum(k):
                        raise AssertionError("the four-point function must be stationary")
                    shifts = tuple(float(x) * spin.splitting for x in np.cumsum(k))
                    yield sides, shifts, spin.strength**4 * value

    def _nested(self, steps: Sequence[Matrix], shifts: Sequence[float], time: float) -> Matrix:
        """int U V_0 U V_1 ... U over ordered times, the free motion U shifted gap by gap."""
        free, size = self._free, len(self._free)
        blocks = len(shifts)
        total: Any = np.zeros((blocks * size, blocks * size), dtype=complex)
        for m, shift in enumerate(shifts):
            here = slice(m * size, (m + 1) * size)
            total[here, here] = free + 1j * shift * np.eye(size)
            if m + 1 < blocks:
                total[here, (m + 1) * size : (m + 2) * size] = steps[m]
        corner: Matrix = expm(total * time)[:size, -size:]
        return corner
