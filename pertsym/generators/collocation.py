"""Radau IIA collocation for dy/dt = -d y + r(t) with many different stiff scalars d.

The collocation polynomial through the start and the nodes obeys the equation at the nodes.  It
is exact to the order 2 p - 1 at the end, damps what decays faster than the step, and, with its
matrix diagonalised once, costs two p x p products whatever the number of equations.  Many
intervals are solved at once: only their starting values wait for each other.

The intervals, on which K(t) is a short Legendre series, are laid out before it is known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.polynomial import legendre

from pertsym.generators.system import Array, Mode, System

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

    def propagators(self, length: float, generators: Array) -> Array:
        """The solutions of dU/dt = K(t) U from U = 1 at the nodes, for K (p, n, n) there."""
        one, diagonal = np.eye(generators.shape[-1]), np.arange(self.stages)
        matrix = self._inverse[:, None, :, None] * one[:, None, :]
        matrix[diagonal, :, diagonal] -= length * generators
        right = np.kron(self._inverse.sum(axis=1)[:, None], one)
        solution: Array = np.linalg.solve(matrix.reshape(len(right), -1), right)
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


def value_at(series: Array, start: float, end: float, time: float) -> Array:
    """A Legendre series on an interval at a time within it."""
    x = 2 * (time - start) / (end - start) - 1
    value: Array = np.tensordot(legendre.legvander([x], len(series) - 1)[0], series, axes=1)
    return value


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


_SETTLED = 0.1  # of the tolerance: what is left of an exponent that is over


class Pace(Protocol):
    """How fast a part of K(t) varies."""

    def length(self, time: float) -> float:
        """How long an interval that begins at a time may be."""

    def is_over(self, time: float) -> bool:
        """Whether nothing changes after a time."""


@dataclass(frozen=True)
class Layout:
    """Intervals that serve several parts of K(t) at once."""

    paces: Sequence[Pace]

    def edges(self, start: float, end: float, margin: float, most: int) -> list[float]:
        """Where the next intervals begin and end: so many, to `end`, or until all is over."""
        edges = [start]
        while len(edges) <= most and edges[-1] < end:
            last = edges[-1]
            if len(edges) > 1 and self.is_over(last):
                break
            length = margin * self.length(last)
            edges.append(end if 1.001 * length >= end - last else last + length)
        return edges

    def length(self, time: float) -> float:
        """How long an interval that begins at a time may be."""
        return min((pace.length(time) for pace in self.paces), default=math.inf)

    def is_over(self, time: float) -> bool:
        """Whether nothing changes after a time."""
        return all(pace.is_over(time) for pace in self.paces)


class ExponentialPace:
    """That of exponents nu beside Bohr frequencies w.

    Their part of K(t) varies as e^{-zt} with |z| <= |nu| + |w|: its Legendre coefficients on an
    interval of length h are about (|z| h/2)^n/(2n - 1)!!, times e^{-Re nu t} of its size c/z
    beside that of K so far.

    Parameters
    ----------
    system, modes
    power
        n of the first coefficient that must be small.
    tolerance
        What it must be, of the size of K.
    """

    def __init__(self, system: System, modes: Sequence[Mode], power: int, tolerance: float) -> None:
        largest = {name: float(np.abs(x).max(initial=0.0)) for name, x in system.operators.items()}
        kept = [
            mode for mode in modes if mode.left and largest[mode.later] and largest[mode.earlier]
        ]
        self._rates = np.array([mode.rate for mode in kept])
        self._weights = np.array(
            [mode.left * largest[mode.later] * largest[mode.earlier] for mode in kept]
        )
        pairs = [(mode.later, mode.earlier) for mode in kept]
        self._pairs = [np.array([p == pair for p in pairs]) for pair in dict.fromkeys(pairs)]
        fast, spread = np.abs(self._rates), float(np.abs(system.gaps).max(initial=0.0))
        self._speeds = np.concatenate([fast, fast + spread])
        self._sizes = np.concatenate([np.abs(self._weights)] * 2) / self._speeds
        self._decays = np.concatenate([self._rates.real] * 2)
        self._power, self._tolerance = power, tolerance
        self._allowed = tolerance * double_factorial(power)
        self._known = (0.0, 0.0)

    def length(self, time: float) -> float:
        """How long an interval that begins at a time may be."""
        if not len(self._rates):
            return math.inf
        # e^{Re nu t} may overflow: long before, the exponent does not matter
        free = np.exp(np.minimum(self._decays * (time / self._power), 600.0)) / self._speeds
        length = 0.0 if time else float(1 / self._speeds.max())
        for _ in range(1 if time else 4):
            ratio = self._allowed * self._size(time + length) / self._sizes
            length = float(2 * (ratio ** (1 / self._power) * free).min())
        return length

    def is_over(self, time: float) -> bool:
        """Whether every exponent has decayed."""
        left = self._sizes * np.exp(-self._decays * time)
        return bool(left.max(initial=0.0) <= _SETTLED * self._tolerance * self._size(time))

    def _size(self, time: float) -> float:
        """The largest that int_0^t C has been: at the times it was asked for, in their order."""
        before, largest = self._known
        integral: Array = -np.expm1(-self._rates * time) / self._rates * self._weights
        now = max((float(abs(integral[pair].sum())) for pair in self._pairs), default=0.0)
        largest = max(now, 1e-300) if time < before or not before else max(largest, now)
        self._known = time, largest
        return largest


@dataclass(frozen=True)
class AnalyticPace:
    """That of int_0^t C(s) e^{-iws} ds with C analytic beside the real axis, never over.

    Attributes
    ----------
    strip
        The distance of C's singularities from t = 0.
    spread
        The largest |w|.
    power, tolerance
        As for `ExponentialPace`.
    """

    strip: float
    spread: float
    power: int
    tolerance: float

    def length(self, time: float) -> float:
        """How long an interval that begins at a time may be."""
        # coefficients fall as rho^-n with rho the sum of the half-axes of the largest ellipse
        rho = self.tolerance ** (-1 / self.power)
        analytic = 4 * math.hypot(time, self.strip) / (rho - 1 / rho)
        if not self.spread:
            return float(analytic)
        odd = self.tolerance * double_factorial(self.power)
        periodic = 2 * odd ** (1 / self.power) / self.spread
        return float(1 / (1 / analytic + 1 / periodic))

    def is_over(self, time: float) -> bool:
        """An algebraic tail never is."""
        return False


def double_factorial(power: int) -> float:
    """(2n - 1)!!."""
    return float(np.prod(np.arange(1, 2 * power, 2, dtype=float)))
