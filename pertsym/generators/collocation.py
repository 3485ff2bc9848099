"""Radau IIA collocation for dy/dt = -d y + r(t) with many different stiff scalars d.

The collocation polynomial through the start and the nodes obeys the equation at the nodes.  It
is exact to the order 2 p - 1 at the end, damps what decays faster than the step, and, with its
matrix diagonalised once, costs two p x p products whatever the number of equations.  Many
intervals are solved at once: only their starting values wait for each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial import legendre

from pertsym.generators.system import Array

_LEAST_RATIO = 0.1  # of the terms beyond a series to its last ones: no faster is believed


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

    def over(
        self, lengths: Array, d: Array, start: Array, source: Array, refined: bool = True
    ) -> Array:
        """y at the nodes of consecutive intervals.

        Parameters
        ----------
        lengths : (Q,)
        d
            Any shape, Re d >= 0.
        start
            y at the beginning, the shape of `d`.
        source
            r at the nodes, shape (Q, p, ...).
        refined
            Give back the digits that the ill-conditioned eigenvectors lose.

        Returns
        -------
        (Q, p, ...) array
        """
        flat, begin = d.reshape(-1), start.reshape(-1)
        steps = np.asarray(lengths)[:, None, None]
        right = steps * source.reshape(*source.shape[:2], -1)
        eigenvalues = self._spectral[0]
        inverse = 1 / (eigenvalues[:, None] + steps * flat)
        nodes = self._chained(inverse, begin, right)
        if refined:
            before = np.concatenate([begin[None], nodes[:-1, -1]])
            right += self._inverse.sum(axis=1)[:, None] * before[:, None]
            right -= self._inverse @ nodes
            right -= steps * flat * nodes
            nodes += self._chained(inverse, np.zeros_like(begin), right)
        return nodes.reshape(source.shape)

    def _chained(self, inverse: Array, start: Array, right: Array) -> Array:
        """Each interval starts where the last one ends."""
        _, vectors, to_spectral = self._spectral
        weights = to_spectral @ self._inverse.sum(axis=1)
        inside = to_spectral @ right
        inside *= inverse
        gained = vectors[-1] @ inside
        kept = (vectors[-1] * weights) @ inverse
        begins = np.empty_like(gained)
        for q in range(len(right)):
            begins[q] = start
            start = gained[q] + kept[q] * start
        inside += weights[:, None] * inverse * begins[:, None]
        nodes: Array = vectors @ inside
        return nodes

    def propagators(self, lengths: Array, generators: Array) -> Array:
        """The solutions of dU/dt = K(t) U from U = 1 at the nodes of each interval.

        Parameters
        ----------
        lengths : (Q,)
        generators : (Q, p, n, n)
            K at the nodes.

        Returns
        -------
        (Q, p, n, n) array
        """
        count, stages, size = generators.shape[:3]
        one = np.eye(size)
        matrix = np.zeros((count, stages, size, stages, size), dtype=complex)
        matrix += self._inverse[:, None, :, None] * one[:, None, :]
        diagonal = np.arange(stages)
        # the two index arrays are not adjacent, so their axis comes first
        matrix[:, diagonal, :, diagonal, :] -= (lengths[:, None, None, None] * generators).swapaxes(
            0, 1
        )
        right = np.kron(self._inverse.sum(axis=1)[:, None], one)
        flat = matrix.reshape(count, stages * size, stages * size)
        solution: Array = np.linalg.solve(flat, right)
        return solution.reshape(generators.shape)

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


def beyond(series: Array, rounding: float = 0.0) -> float:
    """How large the terms beyond a Legendre series may be, by its last four.

    Parameters
    ----------
    series
        Coefficients along the first axis.
    rounding
        What they are uncertain by.
    """
    last, before = (
        max(float(np.abs(part).max()) - rounding, 0.0) for part in (series[-2:], series[-4:-2])
    )
    return last * min(1.0, max(_LEAST_RATIO, last / before)) if before else last
