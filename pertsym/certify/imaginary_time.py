"""Equilibrium populations to second order, by quadrature and by exact diagonalisation.

The reduced equilibrium state Tr_B exp(-beta H)/Z_B has, to second order in the coupling, the
unnormalised populations (Eqs. (104)-(109) of Laird, Budimir and Skinner, for any levels)

    K_nn = e^{-beta E_n} { 1 + sum_a sum_m |S_a,nm|^2 int_0^beta dl int_0^l dtau
                                 e^{(E_n - E_m) tau} C_a(-i tau) },

C_a(-i tau) = (1/2pi) int dw Ĉ_a(w) e^{-w tau}, where Ĉ_a(w > 0) = 2 J_a(w) [n(w) + 1] for a
boson bath.  The double integral is taken numerically as int_0^beta dtau (beta - tau) ...; nothing
is reduced to principal values.  `exact_populations` gets the same populations from a truncated
Hamiltonian without any expansion: it fixes signs and factors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from numpy.typing import ArrayLike, NDArray

from pertsym.precision import decimals

GUARD_DIGITS = 10

ImaginaryTimeCorrelation = Callable[[Any], Any]
"""C(-i tau) for 0 <= tau <= beta as a function of an mpf."""


@dataclass(frozen=True)
class Mode:
    """One oscillator coupled through H_I = operator (x) strength (b + b^+).

    Attributes
    ----------
    frequency
        Of the oscillator, > 0.
    operator
        Hermitian N x N matrix in the energy eigenbasis (a read-only copy is kept).
    strength
        Coupling energy, at perturbation parameter 1.
    """

    frequency: float
    operator: NDArray[np.complex128]
    strength: float

    def __post_init__(self) -> None:
        operator = np.array(self.operator, dtype=np.complex128)
        if not np.array_equal(operator, operator.conj().T):
            raise ValueError("operator: must be Hermitian; add its adjoint")
        if not self.frequency > 0:
            raise ValueError(f"frequency: an oscillator needs one > 0, got {self.frequency}")
        operator.flags.writeable = False
        object.__setattr__(self, "operator", operator)

    def correlation(self, beta: float) -> ImaginaryTimeCorrelation:
        """C(-i tau) of the free oscillator in equilibrium."""
        omega, g = mpmath.mpf(self.frequency), mpmath.mpf(self.strength)

        def correlation(tau: Any) -> Any:
            occupation = 1 / mpmath.expm1(beta * omega)
            return g**2 * (
                (occupation + 1) * mpmath.exp(-omega * tau) + occupation * mpmath.exp(omega * tau)
            )

        return correlation


def second_order_weight(
    correlation: ImaginaryTimeCorrelation, beta: Any, energy: Any, digits: int = 20
) -> Any:
    """int_0^beta dl int_0^l dtau e^{energy tau} C(-i tau), mpf."""
    with decimals(digits + GUARD_DIGITS):
        return mpmath.quad(
            lambda tau: (beta - tau) * mpmath.exp(energy * tau) * correlation(tau), [0, beta]
        )


def second_order_populations(
    energies: Sequence[Any],
    couplings: Sequence[tuple[ArrayLike, ImaginaryTimeCorrelation]],
    beta: Any,
    digits: int = 20,
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Populations of the equilibrium (mean-force) state: order 0, and the term of order 2.

    Parameters
    ----------
    energies
        E_n, nondegenerate or not.
    couplings
        (S_a in the energy eigenbasis, C_a(-i tau)) of independent baths.

    Returns
    -------
    tuple of mpf, tuple of mpf
        The Gibbs populations p_n, and what is added to them; the latter sum to zero.
    """
    with decimals(digits + GUARD_DIGITS):
        levels = [mpmath.mpf(energy) for energy in energies]
        weights = [mpmath.exp(-beta * (energy - min(levels))) for energy in levels]
        added = [mpmath.mpf(0) for _ in levels]
        for operator, correlation in couplings:
            matrix = np.asarray(operator, dtype=np.complex128)
            for (n, m), element in np.ndenumerate(matrix):
                if element:
                    gap = levels[n] - levels[m]
                    integral = second_order_weight(correlation, beta, gap, digits)
                    added[n] += weights[n] * abs(mpmath.mpc(element)) ** 2 * integral
        total, change = mpmath.fsum(weights), mpmath.fsum(added)
        gibbs = tuple(weight / total for weight in weights)
        return gibbs, tuple(
            (extra - p * change) / total for extra, p in zip(added, gibbs, strict=True)
        )


def exact_populations(
    energies: Sequence[float], modes: Sequence[Mode], beta: float, delta: float, cutoff: int
) -> NDArray[np.float64]:
    """Populations of Tr_B exp(-beta H)/Z, H = H_S + H_B + delta H_I, by diagonalisation.

    Parameters
    ----------
    delta
        Perturbation parameter.
    cutoff
        States kept of each mode; the dimension is N cutoff^modes.
    """
    size = len(energies)
    shape = (size, *[cutoff] * len(modes))
    number = np.arange(cutoff)
    position = np.diag(np.sqrt(number[1:]), 1)
    position += position.T
    hamiltonian = _embed({0: np.diag(np.asarray(energies, dtype=np.complex128))}, shape)
    for k, mode in enumerate(modes, start=1):
        hamiltonian += _embed({k: mode.frequency * np.diag(number)}, shape)
        hamiltonian += delta * mode.strength * _embed({0: mode.operator, k: position}, shape)
    eigenvalues, vectors = np.linalg.eigh(hamiltonian)
    boltzmann = np.exp(-beta * (eigenvalues - eigenvalues[0]))
    probabilities = (np.abs(vectors) ** 2) @ boltzmann / np.sum(boltzmann)
    populations: NDArray[np.float64] = probabilities.reshape(size, -1).sum(axis=1)
    return populations


def exact_second_order(
    energies: Sequence[float],
    modes: Sequence[Mode],
    beta: float,
    cutoff: int,
) -> NDArray[np.float64]:
    """Coefficient of delta^2 in `exact_populations`, extrapolated in delta^2 from four of them."""
    squares = 0.1**2 / 2.0 ** np.arange(4)
    origin = exact_populations(energies, modes, beta, 0.0, cutoff)
    slopes = [
        (exact_populations(energies, modes, beta, x**0.5, cutoff) - origin) / x for x in squares
    ]
    # the value at 0 of the polynomial through all of them
    found: NDArray[np.float64] = np.linalg.solve(np.vander(squares), np.array(slopes))[-1]
    return found


def _embed(operators: dict[int, NDArray[Any]], shape: tuple[int, ...]) -> NDArray[np.complex128]:
    """Kronecker product with the given operators at their places and identities elsewhere."""
    product = np.ones((1, 1), dtype=np.complex128)
    for place, size in enumerate(shape):
        product = np.kron(product, operators.get(place, np.eye(size)))
    return product
