"""Fewer exponentials for the frequencies of a system: reduction with a weight that fades beyond.

G(w) = sum_k c_k/(nu_k - iw) is approximated by as few terms as keep the weighted error within a
goal.  The weight is 1 in the band and (band/w)^2 beyond it: what C(t) does within 1/w moves a
system of Bohr frequencies w_0 << w by some (w_0/w)^2 less than G does at w_0.  Rates start from a
rational approximation in w^2 and are then optimised with the amplitudes eliminated (variable
projection: Golub, Pereyra, SIAM J. Numer. Anal. 10 (1973) 413), reweighted towards equal ripple.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from pertsym.baths.exponential_basis import Fit, Rates
from pertsym.baths.exponentials import Exponentials
from pertsym.baths.fit_error import half_sided
from pertsym.baths.jets import EPS
from pertsym.baths.symmetric_rational import approximate

_Array = NDArray[np.float64]
_Complex = NDArray[np.complex128]
_Numbers = NDArray[Any]

_STEEPNESS = 2
_PER_DECADE, _FINER = 16, 71  # points of the fit and of its check
_BELOW, _BEYOND = 1e-2, 10.0  # of the smallest and largest |nu|
_SAFETY = 1.01  # for what lies between the points of the check
_TERMS = 60
_AHEAD = 0.02  # of the goal: how far rational approximants are pursued
_HOPELESS = 300.0  # the optimisation of the rates gains no more than this
_ROUNDS = 12  # of reweighting
_GAIN = 4.0  # what the first of them may leave to the others
_INSIDE = 0.98  # of the goal on the samples, to meet it between them
_RANGE = 1e-2  # of the goal: samples end where less than this is left of G
_FLOOR = 0.03  # of the largest deviation: a point with less keeps some weight
_EVALUATIONS = 40
_SPAN = 30.0  # e-foldings a rate may move before it is taken to have run away


def band_weight(w: _Array, band: float) -> _Array:
    """1 for |w| <= band, (band/w)^2 beyond."""
    return np.asarray(1 / np.maximum(1.0, np.abs(w) / band) ** _STEEPNESS)


def weighted_peak(exponentials: Exponentials, band: float) -> float:
    """Sup over w of weight |G|."""
    w = _grid(exponentials, band, _FINER)
    w = np.concatenate((-w[::-1], [0.0], w))
    return float(np.max(band_weight(w, band) * np.abs(half_sided(exponentials, w))))


def reduced(fine: Exponentials, band: float, goal: float) -> tuple[Exponentials, float]:
    """The fewest exponentials found whose weighted distance from `fine` is within the goal.

    Parameters
    ----------
    fine : Exponentials
        Re nu > 0; nu real or in conjugate pairs.
    band, goal : float
        Positive; the goal is absolute, in units of G.

    Returns
    -------
    tuple of Exponentials and float
        With the weighted distance; `fine` itself and 0 if nothing shorter reaches the goal.
    """
    target = _Target.of(fine, band, _grid(fine, band, _PER_DECADE)).down_to(_RANGE * goal)
    found = _ascending(target, _INSIDE * goal)
    if found is None:
        return fine, 0.0
    # the samples may miss a peak of the difference: then a fit does not count
    for fit in (_thinned(found, target, _INSIDE * goal), found):
        exponentials, error = _checked(fit, fine, band)
        if error <= goal and len(exponentials.nu) < len(fine.nu):
            return exponentials, error
    return fine, 0.0


class _Target(NamedTuple):
    """Samples at w > 0 of G = G_S + i G_A, of the real and the imaginary part of C."""

    w: _Array
    weight: _Array
    real: _Complex
    imaginary: _Complex

    @classmethod
    def of(cls, exponentials: Exponentials, band: float, w: _Array) -> _Target:
        right = half_sided(exponentials, w)
        left = half_sided(exponentials, -w).conj()
        return cls(w, band_weight(w, band), (right + left) / 2, (right - left) / 2j)

    def down_to(self, negligible: float) -> _Target:
        """Without the high frequencies where weight |G| is less than this."""
        size = self.weight * (np.abs(self.real) + np.abs(self.imaginary))
        end = 1 + int(np.flatnonzero(size > negligible).max(initial=1))
        return _Target(self.w[:end], self.weight[:end], self.real[:end], self.imaginary[:end])

    def deviation(self, fit: Fit) -> _Array:
        """Weighted |G - G_fit|, the larger of w and -w."""
        columns = _columns(fit.rates, self.w)
        real = columns @ fit.even - self.real
        imaginary = columns @ fit.odd - self.imaginary
        both = np.maximum(np.abs(real + 1j * imaginary), np.abs(real - 1j * imaginary))
        return np.asarray(self.weight * both)

    def fit(self, rates: Rates, weight: _Array) -> Fit:
        matrix = _stacked(weight[:, None] * _columns(rates, self.w))
        length = np.linalg.norm(matrix, axis=0)
        values = _stacked(weight[:, None] * np.stack((self.real, self.imaginary), axis=1))
        solved = np.linalg.lstsq(matrix / length, values, rcond=EPS)[0] / length[:, None]
        return Fit(rates, solved[:, 0], solved[:, 1])


def _grid(exponentials: Exponentials, band: float, per_decade: int) -> _Array:
    """W > 0, logarithmic, and around resonances."""
    nu = np.array(exponentials.nu)
    size = np.abs(nu)
    low, high = _BELOW * min(band, float(size.min())), _BEYOND * max(band, float(size.max()))
    points = 1 + math.ceil(per_decade * math.log10(high / low))
    parts: list[_Array] = [np.geomspace(low, high, points), np.array([band])]
    offsets = np.geomspace(1e-2, 1e2, 4 * per_decade)
    for rate in nu[(nu.imag > 0) & (nu.real < nu.imag)]:
        parts += [
            rate.imag + rate.real * offsets,
            rate.imag - rate.real * offsets,
            np.array([rate.imag]),
        ]
    w = np.unique(np.concatenate(parts))
    return np.asarray(w[(w >= low) & (w <= high)])


def _columns(rates: Rates, w: _Array) -> _Complex:
    """G of e^{-nu t}, and for a pair of e^{-nu t} + c.c. and i e^{-nu t} + c.c."""
    single = 1 / (rates.real - 1j * w[:, None])
    one, other = _pair(rates, w)
    return np.hstack((single, one + other, 1j * (one - other)))


def _pair(rates: Rates, w: _Array) -> tuple[_Numbers, _Numbers]:
    below = rates.upper.real - 1j * (w[:, None] - rates.upper.imag)
    above = rates.upper.real - 1j * (w[:, None] + rates.upper.imag)
    return np.asarray(1 / below), np.asarray(1 / above)


def _stacked(values: _Numbers) -> _Array:
    return np.concatenate((values.real, values.imag))


def _ascending(target: _Target, goal: float) -> Fit | None:
    """The fit from the first rational approximant that reach the goal once optimised."""
    w, weight = target.w, target.weight
    parts = (target.real, target.imaginary)
    steps = approximate(
        w**2,
        np.array([f for g in parts for f in (g.real, g.imag / w)]),
        np.array([weight, weight * w] * 2),
        _AHEAD * goal,
        _TERMS,
    )
    for step in steps:
        rates = Rates.of(step.poles(), w) if len(step.nodes) > 1 else None
        if rates is None or rates.number == 0:
            continue
        if np.max(target.deviation(target.fit(rates, weight))) > _HOPELESS * goal:
            continue
        better, error = _optimised(rates, target, goal)
        if error <= goal:
            return better
    return None


def _thinned(fit: Fit, target: _Target, goal: float) -> Fit:
    """Without one rate or pair after another, the least significant first, while that is met."""
    while fit.rates.number > 1:
        rates = fit.rates
        candidates = [_without(rates, k) for k in range(len(rates.real) + len(rates.upper))]
        candidates = [c for c in candidates if c.number > 0]
        if not candidates:
            break
        errors = [np.max(target.deviation(target.fit(c, target.weight))) for c in candidates]
        better, error = _optimised(candidates[int(np.argmin(errors))], target, goal)
        if error > goal:
            break
        fit = better
    return fit


def _without(rates: Rates, k: int) -> Rates:
    singles = len(rates.real)
    if k < singles:
        return Rates(np.delete(rates.real, k), rates.upper)
    return Rates(rates.real, np.delete(rates.upper, k - singles))


def _optimised(rates: Rates, target: _Target, goal: float) -> tuple[Fit, float]:
    """The fit of smallest weighted deviation met, and it; ends early once within the goal."""
    emphasis = np.ones_like(target.w)
    best, smallest = target.fit(rates, target.weight), math.inf
    for _ in range(_ROUNDS):
        rates = _least_squares_rates(rates, target, target.weight * emphasis)
        fit = target.fit(rates, target.weight * emphasis)
        deviation = target.deviation(fit)
        error = float(np.max(deviation))
        if not math.isfinite(error):
            break
        if error < smallest:
            best, smallest = fit, error
        if error <= goal or error > _GAIN * goal:
            break
        emphasis = emphasis * np.sqrt(np.maximum(deviation / error, _FLOOR))
        emphasis /= math.sqrt(float(np.mean(emphasis**2)))
    return best, smallest


def _least_squares_rates(rates: Rates, target: _Target, weight: _Array) -> Rates:
    """Gauss-Newton in the logarithms of the rates, the amplitudes at their best throughout."""
    singles, pairs = len(rates.real), len(rates.upper)
    start = np.log(np.concatenate((rates.real, rates.upper.real, rates.upper.imag)))
    values = _stacked(weight[:, None] * np.stack((target.real, target.imaginary), axis=1))
    values /= np.linalg.norm(values)

    def rates_at(p: _Array) -> Rates:
        parts = np.exp(np.clip(p, start - _SPAN, start + _SPAN))
        upper = parts[singles : singles + pairs] + 1j * parts[singles + pairs :]
        return Rates(parts[:singles], upper)

    def residual_and_slope(p: _Array) -> tuple[_Array, _Array]:
        now = rates_at(p)
        matrix = _stacked(weight[:, None] * _columns(now, target.w))
        length = np.linalg.norm(matrix, axis=0)
        q, r = np.linalg.qr(matrix / length)
        projected = q.T @ values
        solved = np.linalg.lstsq(r, projected, rcond=EPS)[0] / length[:, None]
        residual = q @ projected - values
        single = 1 / (now.real - 1j * target.w[:, None])
        one, other = _pair(now, target.w)
        slopes = []
        for amplitudes in solved.T:
            a, b, c = np.split(amplitudes, [singles, singles + pairs])
            left, right = -(b + 1j * c) * one**2, -(b - 1j * c) * other**2
            moved = np.hstack(
                (
                    -a * now.real * single**2,
                    now.upper.real * (left + right),
                    now.upper.imag * 1j * (left - right),
                )
            )
            moved = _stacked(weight[:, None] * moved)
            slopes.append(moved - q @ (q.T @ moved))
        return residual.T.ravel(), np.concatenate(slopes)

    def residual(p: _Array) -> _Array:
        return residual_and_slope(p)[0]

    def slope(p: _Array) -> _Array:
        return residual_and_slope(p)[1]

    solution = least_squares(
        residual,
        start,
        jac=slope,
        xtol=1e-10,
        ftol=1e-6,
        gtol=None,
        max_nfev=_EVALUATIONS,
    )
    return rates_at(solution.x)


def _checked(fit: Fit, fine: Exponentials, band: float) -> tuple[Exponentials, float]:
    """The exponentials, and their weighted distance on a grid that resolves both sums."""
    exponentials = fit.exponentials()
    both = Exponentials(fine.c + exponentials.c, fine.nu + exponentials.nu)
    check = _Target.of(fine, band, _grid(both, band, _FINER))
    return exponentials, _SAFETY * float(np.max(check.deviation(fit)))
