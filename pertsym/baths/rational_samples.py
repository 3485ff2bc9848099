"""Exponentials from samples of G on the real line, where nothing is known off it.

With C(t) = S(t) + i A(t), S and A real, the even and odd parts of G_S and G_A are functions of
x = w^2; they are approximated by rational functions of x with common poles x_k, and
nu_k = sqrt(-x_k): real, or in pairs nu, nu*.  Amplitudes follow by linear least squares.

The greedy algorithm is AAA (Nakatsukasa, Sète, Trefethen, SIAM J. Sci. Comp. 40 (2018) A1494) on
stacked weighted rows.  Poles in x make sets of poles in w that are closed under w -> -w and
w -> w*, which a fit in w itself has only by chance, and at half the degree.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from pertsym.baths.balanced_truncation import Complex, Modes, Real, fitted
from pertsym.baths.correlation import Correlation
from pertsym.baths.thermal_spectrum import SMOOTH, ThermalSpectrum

_SAFETY = 1.25  # for what lies between the points where the error was measured
_TERMS = 100
_AHEAD = 0.1  # approximants are made up to this fraction of the goal, to choose among
_FIRST = 0.3  # of the tolerance, for a fit that is then cut down
_LEVELS = 3  # densities of the grid, each twice the one before
_DENSITY = 0.7
_WIDER = 30.0  # the range, on both sides
_ON_LINE = 1e-7  # relative imaginary part below which x < 0 is taken as real
_UNRESOLVED = 0.1  # a resonance narrower than this fraction of the grid's spacing is not there
_RESOLVED = 5.0  # an error between samples that is larger by this calls for a finer grid
_FEW = 8  # fits to choose from where none reaches the goal

_PER_DECADE = 20
_MARGIN = 1e-2  # what is left out below and above is smaller than the tolerance by this
_SMOOTH_BELOW = 1e-3  # an analytic Ĉ has nothing new so far below its smallest scale
_DEEPEST, _HIGHEST = 1e-60, 1e60  # in units of the scale
_BUDGET = 600  # samples around edges, shared among them when they are many

_PATIENCE = 12  # close to the goal, so many steps without progress fit the rounding of the data
_CLOSE = 100.0
_SWEEPS = 40
_SETTLED = 1e-12


class Samples(NamedTuple):
    """G_S and G_A at w > 0, with the error of G = G_S +- i G_A and the weight of deviations."""

    w: Real
    even: Complex
    odd: Complex
    error: Real
    weight: Real

    @classmethod
    def of(cls, correlation: Correlation, w: Real, band: float) -> Samples:
        both = np.concatenate((w, -w))
        spectrum, transform = correlation.spectrum(both), correlation.transform(both)
        g = spectrum.value / 2 - 0.5j / math.pi * transform.value
        error = np.asarray(spectrum.error / 2 + transform.error / math.tau)
        right, left = g[: len(w)], g[len(w) :].conj()
        worst = np.maximum(error[: len(w)], error[len(w) :])
        weight = np.minimum(1.0, (band / w) ** 2)
        return cls(w, (right + left) / 2, (right - left) / 2j, worst, weight)

    @property
    def peak(self) -> float:
        return float(_larger(self.even, self.odd, self.weight).max())

    def deviation(self, modes: Modes) -> float:
        """Largest weighted |G - G_fit|, with the error of the samples."""
        even, odd = modes.half_sided(self.w)
        away = _larger(even - self.even, odd - self.odd, self.weight)
        return float((away + self.weight * self.error).max())


def _larger(even: Complex, odd: Complex, weight: Real) -> Real:
    both = np.maximum(np.abs(even + 1j * odd), np.abs(even - 1j * odd))
    return np.asarray(weight * both)


def sampled(correlation: Correlation, tolerance: float, band: float) -> tuple[Modes, float]:
    """A sum of exponentials, and its error as measured between the samples.

    Raises
    ------
    ArithmeticError
        If nothing was found.
    """
    grid = Grid.of(correlation, tolerance)
    best: tuple[Modes, float] | None = None
    for level in range(_LEVELS):
        w = grid.positive(_DENSITY * 2.0**level)
        samples = Samples.of(correlation, w, band)
        check = Samples.of(correlation, np.sqrt(w[1:] * w[:-1]), band)
        goal = _FIRST * tolerance * samples.peak
        steps = _approximants(samples, goal)
        for _, poles in steps:
            rates = _rates(poles, w)
            if not len(rates):
                continue
            modes = fitted(rates, w, samples.even, samples.odd, samples.weight)
            error = _SAFETY * max(samples.deviation(modes), check.deviation(modes))
            if best is None or error < best[1]:
                best = modes, error
            if error <= goal:
                return modes, error
        if best is not None and best[1] <= _RESOLVED * min(e for e, _ in steps):
            break  # a finer grid would change nothing
    if best is None:
        raise ArithmeticError("no exponentials were found for a bath that is not zero")
    return best


def _approximants(samples: Samples, goal: float) -> list[tuple[float, Complex]]:
    """Errors and poles of those that reach the goal on the samples, or that come closest."""
    w, weight = samples.w, samples.weight
    steps = approximate(
        w * w,
        np.array([f for g in (samples.even, samples.odd) for f in (g.real, g.imag / w)]),
        np.array([weight, weight * w] * 2),
        _AHEAD * goal,
        _TERMS,
    )
    steps = tuple(step for step in steps if len(step.nodes) > 1)
    close = [step for step in steps if step.error <= 2 * goal]
    chosen = close or sorted(steps, key=lambda step: step.error)[:_FEW]
    return [(step.error, step.poles()) for step in chosen]


def _rates(poles: Complex, w: Real) -> Complex:
    """nu with Im nu >= 0, from poles in x = w^2 of a fit to samples at w.

    A pole on x > 0 is a resonance without width, an artefact; so is one that is much narrower
    than the distance of the samples.
    """
    on_line = (np.abs(poles.imag) <= _ON_LINE * np.abs(poles)) & (poles.real < 0)
    real = np.sqrt(-poles[on_line].real)
    upper = np.sqrt(-poles[~on_line])
    upper = upper[upper.imag > 0]
    after = np.clip(np.searchsorted(w, upper.imag), 1, len(w) - 1)
    upper = upper[upper.real > _UNRESOLVED * (w[after] - w[after - 1])]
    return np.concatenate((np.sort(real).astype(complex), upper[np.argsort(np.abs(upper))]))


# -- frequencies -----------------------------------------------------------------------------


class Grid(NamedTuple):
    """The range of w > 0 that matters to a tolerance, and where to look closely in it.

    Attributes
    ----------
    low, high : float
        Below and above, Ĉ changes by less than the tolerance.
    clusters : tuple of (position, nearest, farthest)
        Points to be approached logarithmically from both sides, between these distances.
    """

    low: float
    high: float
    clusters: tuple[tuple[float, float, float], ...]

    @classmethod
    def of(cls, correlation: Correlation, tolerance: float) -> Grid:
        """For a bath with scalar parameters and a J."""
        thermal = correlation.thermal
        threshold = _MARGIN * tolerance
        points = [p for p in thermal.points if p.position >= 0]
        marks = [thermal.scale, *[p.position for p in points if p.position > 0]]
        reach = min([p.reach for p in points if p.reach > 0] + [thermal.scale])
        regularity = thermal.power if thermal.zero_temperature else thermal.regularity
        depth = max(threshold ** (1 / regularity), _DEEPEST) if regularity > 0 else _DEEPEST
        low = reach * min(_SMOOTH_BELOW, depth)
        rough = np.geomspace(low, 1e3 * max(marks), 600)
        rough = np.concatenate((rough, marks))
        peak = float(np.max(np.abs(correlation.spectrum(np.concatenate((-rough, rough))).value)))
        high = _upper_end(correlation, max(marks), threshold * peak)
        return cls(low, high, tuple(_clusters(thermal, threshold)))

    def positive(self, density: float) -> Real:
        """Increasing w > 0, logarithmic, denser at edges and narrow features; times a density."""
        low, high = self.low / _WIDER, self.high * _WIDER
        per_decade = _PER_DECADE * density
        parts = [np.geomspace(low, high, 1 + math.ceil(per_decade * math.log10(high / low)))]
        for position, nearest, farthest in self.clusters:
            decades = math.log10(farthest / nearest)
            share = min(0.75 * per_decade, density * _BUDGET / len(self.clusters) / decades)
            away = np.geomspace(nearest, farthest, 2 + math.ceil(share * decades))
            parts += [position - away, position + away]
        w = np.unique(np.concatenate(parts))
        # two samples so close that rounding moves them are one
        w = w[w >= low]
        return np.asarray(w[np.concatenate(([True], np.diff(w) > 4e-16 * w[1:]))])


def _upper_end(correlation: Correlation, start: float, negligible: float) -> float:
    high = start
    while high < _HIGHEST * start:
        w = high * np.array([1.0, 1.3, 1.7])
        values = correlation.spectrum(np.concatenate((-w, w))).value
        if np.all(np.abs(values) <= negligible):
            break
        high *= 2
    return 10 * high


def _clusters(thermal: ThermalSpectrum, threshold: float) -> list[tuple[float, float, float]]:
    result = []
    for w, width, _, regularity, reach in thermal.points:
        if w > 0 and regularity < SMOOTH:
            result.append(
                (w, max(reach * threshold ** (1 / max(regularity, 0.5)), 1e-14 * w), reach)
            )
        elif w > 0 and width < w / 2:
            result.append((w, 1e-2 * width, w / 2))
    return result


# -- rational functions ------------------------------------------------------------------------


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

    nodes: Real
    weights: Real
    error: float

    def poles(self) -> Complex:
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


def _reciprocal(gaps: Complex) -> Complex:
    return np.asarray(np.where(np.isfinite(gaps), 1 / gaps, 0))


def approximate(
    x: Real, values: Real, weights: Real, goal: float, terms: int
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


def _smallest_direction(matrix: Any) -> Real:
    """The vector that the matrix shrinks most, its columns brought to one length."""
    length = np.linalg.norm(matrix, axis=0)
    length[~(length > 0)] = 1.0
    triangle = np.linalg.qr(matrix / length, mode="r")
    return np.asarray(np.linalg.svd(triangle)[2][-1] / length)
