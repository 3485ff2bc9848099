"""Radau IIA collocation for dy/dt = -d y + r(t) with many different stiff scalars d.

The collocation polynomial through the start and the nodes obeys the equation at the nodes.  It
is exact to the order 2 p - 1 at the end, damps what decays faster than the step, and, with its
matrix diagonalised once, costs two p x p products whatever the number of equations.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial import legendre

from pertsym.generators.system import Array


@dataclass(frozen=True)
class Radau:
    """The method with p stages on the unit step, the last node at its end."""

    stages: int

    @cached_property
    def nodes(self) -> Array:
        """The p nodes in (0, 1]: zeros of P_p - P_(p-1), shifted."""
        coefficients = np.zeros(self.stages + 1)
        coefficients[-2:] = -1.0, 1.0
        roots = np.sort(np.real(legendre.legroots(coefficients)))
        derivative = legendre.legder(coefficients)
        for _ in range(2):  # polish the eigenvalues that legroots returns
            roots = roots - legendre.legval(roots, coefficients) / legendre.legval(
                roots, derivative
            )
        roots[-1] = 1.0
        return (roots + 1) / 2

    @cached_property
    def _inverse(self) -> Array:
        """The inverse of the Runge-Kutta matrix A."""
        x = 2 * self.nodes - 1
        values = legendre.legvander(x, self.stages - 1)
        integrals = np.stack(
            [legendre.legval(x, legendre.legint(row, lbnd=-1)) / 2 for row in np.eye(self.stages)],
            axis=1,
        )
        inverse = np.linalg.solve(integrals.T, values.T).T  # values @ inv(integrals)
        return inverse.astype(complex)

    @cached_property
    def _spectral(self) -> tuple[Array, Array, Array]:
        eigenvalues, vectors = np.linalg.eig(self._inverse)
        return eigenvalues, vectors, np.linalg.inv(vectors)

    def solve(
        self, step: float, d: Array, start: Array, source: Array, refined: bool = True
    ) -> Array:
        """y at the nodes.

        Parameters
        ----------
        step
            Length of the interval.
        d
            Any shape, Re d >= 0.
        start
            y at the beginning, the shape of `d`.
        source
            r at the nodes, shape (p, ...).
        refined
            Give back the four digits that the ill-conditioned eigenvectors lose.

        Returns
        -------
        (p, ...) array
        """
        eigenvalues, vectors, inverse = self._spectral
        stiffness = step * d.reshape(1, -1)
        divisors = eigenvalues[:, None] + stiffness
        right = step * source.reshape(self.stages, -1)
        right += self._inverse.sum(axis=1)[:, None] * start.reshape(1, -1)
        solution: Array = vectors @ ((inverse @ right) / divisors)
        if not refined:
            return solution.reshape(source.shape)
        right -= self._inverse @ solution
        right -= stiffness * solution
        solution += vectors @ ((inverse @ right) / divisors)
        return solution.reshape(source.shape)

    @cached_property
    def to_coefficients(self) -> Array:
        """(p + 1) x (p + 1): values at 0 and the nodes -> Legendre coefficients on the step."""
        x = np.concatenate([[-1.0], 2 * self.nodes - 1])
        matrix: Array = np.linalg.inv(legendre.legvander(x, self.stages))
        return matrix
