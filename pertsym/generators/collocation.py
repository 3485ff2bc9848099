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
        if not refined:
            return self.at_nodes(self.transformed(step, d, start, source))
        eigenvalues, vectors, inverse = self._spectral
        stiffness = step * d.reshape(1, -1)
        divisors = eigenvalues[:, None] + stiffness
        right = step * source.reshape(self.stages, -1)
        right += self._inverse.sum(axis=1)[:, None] * start.reshape(1, -1)
        solution: Array = vectors @ ((inverse @ right) / divisors)
        right -= self._inverse @ solution
        right -= stiffness * solution
        solution += vectors @ ((inverse @ right) / divisors)
        return solution.reshape(source.shape)

    def transformed(self, step: float, d: Array, start: Array, source: Array) -> Array:
        """What `at_nodes` and `at_end` make y of, shape (p, ...); sums over axes may go first."""
        eigenvalues, _, inverse = self._spectral
        matrix = np.empty((self.stages, self.stages + 1), dtype=complex)
        matrix[:, :-1] = step * inverse
        matrix[:, -1] = inverse @ self._inverse.sum(axis=1)
        both = np.concatenate([source.reshape(self.stages, -1), start.reshape(1, -1)])
        result: Array = matrix @ both
        result /= eigenvalues[:, None] + step * d.reshape(1, -1)
        return result.reshape(source.shape)

    def at_nodes(self, transformed: Array) -> Array:
        """Y at the nodes, the shape of the argument."""
        flat = transformed.reshape(self.stages, -1)
        values: Array = self._spectral[1] @ flat
        return values.reshape(transformed.shape)

    def at_end(self, transformed: Array) -> Array:
        """Y at the end of the step, without the axis of the nodes."""
        flat = transformed.reshape(self.stages, -1)
        values: Array = self._spectral[1][-1] @ flat
        return values.reshape(transformed.shape[1:])

    def from_coefficients(self, start: float, end: float, count: int) -> Array:
        """(p, count) matrix: Legendre coefficients on the step -> values at the nodes of a part.

        The part goes from `start` to `end`, within [0, 1].
        """
        x = 2 * (start + (end - start) * self.nodes) - 1
        matrix: Array = legendre.legvander(x, count - 1)
        return matrix

    @cached_property
    def to_coefficients(self) -> Array:
        """(p + 1) x (p + 1), real: values at 0 and the nodes -> Legendre coefficients."""
        x = np.concatenate([[-1.0], 2 * self.nodes - 1])
        matrix: Array = np.linalg.inv(legendre.legvander(x, self.stages))
        return matrix


def combine(matrix: Array, values: Array) -> Array:
    """matrix @ values for a real matrix and complex values, as real numbers."""
    flat = np.ascontiguousarray(values).reshape(len(values), -1)
    product: Array = (matrix @ flat.view(float)).view(complex)
    return product.reshape(len(matrix), *values.shape[1:])
