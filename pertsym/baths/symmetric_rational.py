"""Rational approximation of several real functions of x = w^2 that share their poles.

The greedy algorithm is AAA (Nakatsukasa, Sète, Trefethen, SIAM J. Sci. Comp. 40 (2018) A1494) on
stacked weighted rows.  Poles in x make sets of poles in w that are closed under w -> -w and
w -> w*, which a fit in w itself has only by chance, and at half the degree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float64]
_Complex = NDArray[np.complex128]

_PATIENCE = 12  # close to the goal, so many steps without progress fit the rounding of the data
_CLOSE = 100.0
_SWEEPS = 40
_SETTLED = 1e-12


@dataclass(frozen=True, eq=False)
class Barycentric:
    """r_k(x) = sum_j w_j f_kj/(x - x_j) / sum_j w_j/(x - x_j): all r_k have the same poles.

    Attributes
    ----------
    nodes, weights : ndarray
        x_j >= 0 and w_j.
    error : float
        Largest weighted |f_k - r_k| over the samples.
    """

    nodes: _Array
    weights: _Array
    error: float

    def poles(self) -> _Complex:
        """Zeros of sum_j w_j/(x - x_j), to nearly full relative accuracy each.

        Simultaneous (Ehrlich-Aberth) iteration, which does not care how many decades the poles
        span; an eigenvalue solver would lose the small ones to the large ones.
        """
        order = np.argsort(self.nodes)
        z, w = self.nodes[order], self.weights[order]
        z, w = z[w != 0], w[w != 0]
        if len(z) < 2:
            return np.zeros(0, dtype=complex)
        # on the scale of the gap between two nodes, where poles that cluster at a kink are
        gap = np.diff(z)
        sides = np.where(np.arange(len(gap)) % 2, 1.0, -1.1)
        x = z[:-1] + gap * (0.5 + 1j * sides)
        moving = np.ones(len(x), dtype=bool)
        with np.errstate(all="ignore"):
            for _ in range(_SWEEPS):
                inverse = 1 / (x[moving, None] - z)
                value, slope = inverse @ w, -(inverse * inverse) @ w
                # p(x) = value prod(x - x_j) is the polynomial: newton = p/p'
                newton = value / (slope + value * np.sum(inverse, axis=1))
                gaps = x[moving, None] - x
                gaps[gaps == 0] = np.inf
                step = newton / (1 - newton * np.sum(_reciprocal(gaps), axis=1))
                step = np.where(np.isfinite(step), step, 0)
                x[moving] -= step
                moving[moving] = np.abs(step) > _SETTLED * np.abs(x[moving])
                if not np.any(moving):
                    break
        # where the weights sum to 0 a pole is at infinity
        return np.asarray(x[np.isfinite(x) & (np.abs(x) < 1e12 * z[-1])])


def _reciprocal(gaps: _Complex) -> _Complex:
    return np.asarray(np.where(np.isfinite(gaps), 1 / gaps, 0))


def approximate(
    x: _Array, values: _Array, weights: _Array, goal: float, terms: int
) -> tuple[Barycentric, ...]:
    """The approximants with 1, 2, ... nodes.

    Parameters
    ----------
    x : ndarray, shape (samples,)
        Distinct, >= 0.
    values, weights : ndarray, shape (functions, samples)
        f_k(x) and the weights >= 0 of its deviations.
    goal : float
        The weighted deviation at which to stop.
    terms : int
        The largest number of nodes.

    Returns
    -------
    tuple of Barycentric
        By number of nodes; the last need not be the best, nor reach the goal.
    """
    functions, samples = values.shape
    fitted = np.repeat(np.mean(values, axis=1)[:, None], samples, axis=1)
    free = np.ones(samples, dtype=bool)
    nodes: list[int] = []
    steps: list[Barycentric] = []
    with np.errstate(all="ignore"):
        for _ in range(min(terms, samples // 2)):
            deviation = np.max(weights * np.abs(values - fitted), axis=0)
            nodes.append(int(np.argmax(np.where(free, deviation, -1.0))))
            free[nodes[-1]] = False
            cauchy = 1 / (x[free, None] - x[nodes])
            rows = [
                (values[k, free, None] - values[k, nodes]) * cauchy * weights[k, free, None]
                for k in range(functions)
            ]
            w = _smallest_direction(np.vstack(rows))
            fitted = values.copy()
            fitted[:, free] = (values[:, nodes] * w) @ cauchy.T / (cauchy @ w)
            error = float(np.max(weights * np.abs(values - fitted)))
            steps.append(Barycentric(x[nodes], w, error))
            best = min(step.error for step in steps)
            recent = min(step.error for step in steps[-_PATIENCE:])
            if error <= goal or (best <= _CLOSE * goal and recent > best):
                break
    return tuple(steps)


def _smallest_direction(matrix: Any) -> _Array:
    """The vector that the matrix shrinks most, its columns brought to one length."""
    length = np.linalg.norm(matrix, axis=0)
    length[~(length > 0)] = 1.0
    triangle = np.linalg.qr(matrix / length, mode="r")
    return np.asarray(np.linalg.svd(triangle)[2][-1] / length)
