"""What a generator needs of the system and its baths: energies, one operator a bath, exponentials.

Superoperators are arrays Y[a, b, c, d], the element (rho_ab <- rho_cd) in the energy eigenbasis;
as N^2 x N^2 matrices over row-major vec, rho_ab sits at a N + b.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from pertsym.baths.exponentials import Exponentials
from pertsym.model.values import Model

F = TypeVar("F", bound=Callable[..., Any])


def single_threaded(function: F) -> F:
    """Run a function with one BLAS thread; the caller's setting comes back afterwards."""

    @functools.wraps(function)
    def limited(*args: Any, **kwargs: Any) -> Any:
        with threadpool_limits(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return cast(F, limited)


Array = NDArray[Any]
"""Complex numbers, in double or long double precision."""


@dataclass(frozen=True, eq=False)
class System:
    """A finite system and the operators that couple it to independent baths.

    Attributes
    ----------
    gaps : (N, N) float array
        w_ab = E_a - E_b, each the exact difference rounded once.
    operators : name of a bath -> (N, N) complex array
        The sum of all operators that are coupled to it.
    """

    gaps: Array
    operators: Mapping[str, Array]

    @classmethod
    def of(cls, model: Model) -> System:
        """The numbers of a model: couplings to one bath are added exactly."""
        energies = model.energies_exact
        gaps = np.array([[float(a - b) for b in energies] for a in energies])
        operators = {
            name: np.array([[complex(x) for x in row] for row in matrix])
            for name, matrix in model.bath_operators.items()
        }
        return cls(gaps, operators)

    @property
    def dimension(self) -> int:
        """The number of levels N."""
        return len(self.gaps)

    @property
    def free(self) -> Array:
        """K_0 = -i [H_S, .] as an N^2 x N^2 matrix."""
        return np.diag(-1j * self.gaps.reshape(-1))


def left(operator: Array, superoperators: Array) -> Array:
    """S rho applied after each superoperator; shape (..., N, N, N, N) is kept."""
    size = len(operator)
    flat = superoperators.reshape(*superoperators.shape[:-3], size**3)
    result: Array = np.matmul(operator, flat)
    return result.reshape(superoperators.shape)


def right(operator: Array, superoperators: Array) -> Array:
    """Rho S applied after each superoperator; shape (..., N, N, N, N) is kept."""
    size = len(operator)
    flat = superoperators.reshape(*superoperators.shape[:-2], size**2)
    result: Array = np.matmul(operator.T, flat)
    return result.reshape(superoperators.shape)


def as_matrix(superoperator: Array) -> Array:
    """(N, N, N, N) -> N^2 x N^2."""
    size = superoperator.shape[-1]
    return superoperator.reshape(*superoperator.shape[:-4], size**2, size**2)


@dataclass(frozen=True)
class Correlated:
    """<B_later(t) B_earlier(0)> = sum c exp(-nu t) for t > 0, of two couplings by name.

    Couplings to one bath are added up to one operator beforehand, so that in models from files
    `later` and `earlier` are the same bath; correlated couplings have an entry for each pair.
    """

    later: str
    earlier: str
    exponentials: Exponentials

    @classmethod
    def independent(cls, baths: Iterable[tuple[str, Exponentials]]) -> tuple[Correlated, ...]:
        """Baths without correlations between them."""
        return tuple(cls(name, name, exponentials) for name, exponentials in baths)

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The distinct exponents of C and C*; one that is real serves both at once."""
        weights: dict[complex, list[complex]] = {}
        for c, nu in zip(self.exponentials.c, self.exponentials.nu, strict=True):
            weights.setdefault(nu, [0j, 0j])[0] += c
            weights.setdefault(nu.conjugate(), [0j, 0j])[1] += c.conjugate()
        pair = self.later, self.earlier
        found = tuple(Mode(*pair, nu, c, d) for nu, (c, d) in weights.items())
        # of a bath that is zero one without weight stays: equations of motion want an exponent
        return tuple(mode for mode in found if mode.left or mode.right) or found[:1]


@dataclass(frozen=True)
class Mode:
    """One exponent of C_ab: C_ab(t) ~ left exp(-rate t), C_ab(t)* ~ right exp(-rate t)."""

    later: str
    earlier: str
    rate: complex
    left: complex
    right: complex

    @property
    def size(self) -> float:
        """The square of the coupling that products of this exponent are as large as."""
        return max(abs(self.left), abs(self.right))

    @property
    def doubt(self) -> float:
        """The relative error of the exponent, in units of rounding."""
        return 1.0


def modes_of(correlations: Sequence[Correlated]) -> tuple[Mode, ...]:
    """The distinct exponents of C and C* of every pair of couplings.

    A real exponent, or a pair of conjugate exponents, serves C and C* at once.
    """
    return tuple(mode for pair in correlations for mode in pair.modes)


def element_name(place: tuple[int, int], dimension: int, symbol: str = "K") -> str:
    """K_ab,cd of a row a N + b and a column c N + d; K_a,b;c,d for more than ten levels."""
    (a, b), (c, d) = divmod(place[0], dimension), divmod(place[1], dimension)
    return f"{symbol}_{a},{b};{c},{d}" if dimension > 10 else f"{symbol}_{a}{b},{c}{d}"
