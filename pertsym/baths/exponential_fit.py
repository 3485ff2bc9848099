"""Exponential representation of any bath: C(t > 0) ~ sum_k c_k exp(-nu_k t), with its error.

J convention: C(t) = (1/pi) int_0^inf dw J(w) [coth(beta w/2) cos wt - i sin wt], so that
Ĉ(w > 0) = 2 J(w) [n(w) + 1].  Where Ĉ continues analytically G(w) = int_0^inf dt e^{iwt} C(t) is a
sum of some hundred poles with a bound (`node_poles`); elsewhere a rational function is fitted to
samples of G.  Either is cut down to few exponentials by balanced truncation, and the difference of
the two sums is bounded on the whole real line.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pertsym.baths.balanced_truncation import EPS, Complex, Modes, Truncation, fitted
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Exponentials
from pertsym.baths.line_bound import Line
from pertsym.baths.node_path import Path
from pertsym.baths.node_poles import error_on_axis, from_nodes, require_bounded
from pertsym.baths.rational_samples import sampled
from pertsym.baths.thermal_spectrum import ThermalSpectrum

_FINEST = 1e-13
_ENDS = 1e-3  # of the tolerance, for what frequencies beyond the ends of the line may add
_LOST = 1e-3  # of the tolerance, for what the nodes leave out at either end
_BASIS = 1e-3  # of the tolerance: what the basis of the truncation may leave
_START = 0.5  # of the tolerance: the singular values that are left out at first
_PATIENCE = 4  # so many exponents more without a gain: the rounding of the truncation
_MANY = 48  # exponents, from which on more than one is added at a time
_NARROW = 0.3  # Re nu/Im nu below which a resonance is an exponent of its own
_LEAST = 0.1  # of the target's own error: its reduction adds no less
_ZOOMS, _COARSE = 5, 8
_MAIN = 1e-5  # of the largest share of G
_PER_DECADE = 24  # of the weighted Gramian
_LATEST = 1000.0  # power of 2 of a horizon
_SLOWEST, _KEPT = 3e-3, 4  # of 1/horizon: exponents below it become so many, with their moments


@dataclass(frozen=True)
class Representation:
    """A sum of exponentials that stands for a bath, and how well.

    Attributes
    ----------
    exponentials : Exponentials
        C(t > 0) ~ sum c exp(-nu t), slowest first; the nu of a fit are real or in pairs nu, nu*.
    error : float
        A bound of |G(w) - G_fit(w)| for all real w, G(w) = int_0^inf dt e^{iwt} C(t); for a table
        or a formula what was measured between samples, with a safety factor.  0 for a bath given
        by exponentials.  With a band, of the weighted difference.
    scale : float
        sup |G|, for reference; with a band, sup of the weighted |G|; with a horizon |G| at the
        frequencies of the bath.
    horizon : float
        Up to which time it stands for the bath.
    """

    exponentials: Exponentials
    error: float
    scale: float
    horizon: float = math.inf


class Target(NamedTuple):
    """What stands for G before the truncation.

    Attributes
    ----------
    modes, own
        Exponentials that are to be cut down, and those that stay as they are.
    error
        Bound of the difference to G at all real w.
    scale
        A frequency at which G varies.
    horizon
        Up to which time.
    """

    modes: Modes
    own: Modes
    error: float
    scale: float
    horizon: float = math.inf

    def joined(self, other: Target) -> Target:
        """What stands for the sum of two G."""
        modes, own = self.modes.joined(other.modes), self.own.joined(other.own)
        scale, horizon = max(self.scale, other.scale), min(self.horizon, other.horizon)
        return Target(modes, own, self.error + other.error, scale, horizon)


def represent(
    correlation: Correlation,
    tolerances: Sequence[float],
    band: float | None = None,
    horizon: float | None = None,
) -> tuple[Representation, ...]:
    """Represent a bath by as few exponentials as reach each tolerance; all but the last is shared.

    Parameters
    ----------
    correlation : Correlation
        With scalar parameters.
    tolerances : sequence of float
        Wanted errors relative to scale, between 1e-13 and 1e-1.
    band : float, optional
        Where the bath's frequencies matter, in the unit of w: error and scale are then those of
        G(w) min(1, (band/w)^2).  Twice the largest Bohr frequency keeps generators for
        t -> infinity to about ten tolerances, with far fewer exponentials.  A bath that is
        exactly a sum of few exponentials is left as it is.
    horizon : float, optional
        The latest time that matters.  Where G is unbounded at w -> 0, or nearly so, the error is
        then that of a bath with the same C(t) up to the horizon, and scale, which the tolerances
        are relative to, is |G| at the frequencies of the bath.

    Returns
    -------
    tuple of Representation
        Where a tolerance is out of reach, the best found: compare its error.

    Raises
    ------
    Divergent
        If G is not bounded: a sub-Ohmic bath at T > 0 without a horizon, a J that jumps, a J that
        does not decay.
    ValueError
        If a tolerance or the band is out of range or a parameter is an array.
    """
    if band is not None and not 0 < band < math.inf:
        raise ValueError(
            f"band: must be positive and finite, got {band!r}; take some twice the largest Bohr "
            "frequency, or leave it out for all frequencies alike"
        )
    for tolerance in tolerances:
        if not _FINEST <= tolerance <= 0.1:
            raise ValueError(
                f"tolerance: must be between 1e-13 and 0.1, got {tolerance!r}; "
                "it is relative to sup|G|"
            )
    if correlation.shape:
        raise ValueError(
            f"correlation: must have scalar parameters, got arrays of shape {correlation.shape}; "
            "represent the baths one by one"
        )
    width = math.inf if band is None else band
    if isinstance(correlation.density, Exponentials):
        return (_exact(correlation.density, 0.0, width),) * len(tolerances)
    thermal = correlation.thermal
    if thermal.is_zero:
        zero = Representation(Exponentials((0.0,), (thermal.scale,)), 0.0, 0.0)
        return (zero,) * len(tolerances)
    for part in correlation.parts:
        require_bounded(part, horizon if part.has_nodes else None)
    closed = _closed_form(correlation)
    if closed is not None:
        # the formula is exact, its numbers are rounded, which moves a narrow resonance
        rounding = 8 * EPS * max(abs(nu) / nu.real for nu in closed.nu)
        return (_exact(closed, rounding, width),) * len(tolerances)
    finest = min(tolerances)
    targets = [_target(part, finest, width, horizon) for part in correlation.parts]
    target = functools.reduce(Target.joined, targets)
    return _truncated(target, tolerances, width, correlation.thermal.scale)


def _target(
    correlation: Correlation, tolerance: float, band: float, horizon: float | None
) -> Target:
    if correlation.has_nodes:
        return _cut_down(correlation.thermal, tolerance, horizon)
    modes, error = sampled(correlation, tolerance, band)
    own = _narrow(modes.nu)
    return Target(modes.chosen(~own), modes.chosen(own), error, correlation.thermal.scale)


def _exact(exponentials: Exponentials, rounding: float, band: float) -> Representation:
    modes = Modes.of(np.array(exponentials.c), np.array(exponentials.nu))
    scale = _peak(modes, band)
    largest = scale if math.isinf(band) else _peak(modes, math.inf)
    return Representation(exponentials, rounding * largest, scale)


def _closed_form(correlation: Correlation) -> Exponentials | None:
    """Classical baths whose Ĉ = 2T J(w)/w is rational."""
    density = correlation.density
    if correlation.statistics != "classical" or isinstance(density, Exponentials):
        return None
    return density.classical_exponentials(1 / float(correlation.beta))


def _cut_down(thermal: ThermalSpectrum, tolerance: float, horizon: float | None) -> Target:
    path = thermal.path()
    horizon = horizon if horizon is not None and _lasts(path) else math.inf
    slowest = _SLOWEST / horizon
    found, nodes, count = from_nodes(thermal, _LOST * tolerance, 0.0, slowest)
    narrow = _narrow(found.nu)
    narrow[: len(narrow) - count] = False
    own = Modes.of(found.c[narrow], found.nu[narrow])
    # the numbers of a narrow resonance are rounded, which moves it
    moved = 4 * EPS * float(np.sum(own.size * np.abs(own.nu) / own.nu.real**2))
    top = max(path.scale, thermal.scale, *path.reach)
    c, nu, left = found.c[~narrow], found.nu[~narrow], error_on_axis(nodes)
    if slowest:
        c, nu, lost = _merged(c, nu, slowest)
        left = float(nodes.half_sided(np.array(1 / horizon))[1]) + lost * horizon
    return Target(Modes.of(c, nu), own, left + moved, top, horizon)


def _lasts(path: Path) -> bool:
    """Whether a horizon counts: else C(t) decays so fast that no slow exponent is left."""
    return not path.analytic and path.power < 1


def shared_horizon(correlation: Correlation, time: float) -> float | None:
    """A horizon beyond a time that many times share; None where `represent` depends on none.

    Powers of 2 in the bath's own unit: up to twice as late costs an exponent or two.
    """
    if isinstance(correlation.density, Exponentials) or correlation.thermal.is_zero:
        return None
    if not any(part.has_nodes and _lasts(part.thermal.path()) for part in correlation.parts):
        return None
    unit = math.log2(correlation.thermal.scale)
    power = math.ceil(math.log2(time) + unit) - unit
    return max(time, math.exp2(min(power, _LATEST)))


def _merged(c: Complex, nu: Complex, slowest: float) -> tuple[Complex, Complex, float]:
    """Few exponents for all slower ones of each ray, and what |C(t)| loses by it up to the horizon.

    C(t) = sum_n (-t)^n/n! sum_k c_k nu_k^n keeps its first moments; t nu <= `_SLOWEST`.
    """
    lost = 0.0
    for side in (1, -1):
        slow = (np.abs(nu) < slowest) & (nu.imag * side > 0)
        if slow.sum() <= _KEPT:
            continue
        ray = nu[slow][np.argmax(np.abs(nu[slow]))]
        places = np.exp(-np.arange(_KEPT)) * slowest / abs(ray)
        powers = np.arange(_KEPT)[:, None]
        moments = ((nu[slow] / ray) ** powers * c[slow]).sum(1)
        shares = np.linalg.solve(places**powers, moments)
        size = float(np.abs(c[slow]).sum() + np.abs(shares).sum())
        lost += size * _SLOWEST**_KEPT / math.factorial(_KEPT)
        c = np.concatenate((c[~slow], shares))
        nu = np.concatenate((nu[~slow], ray * places))
    return c, nu, lost


def _narrow(nu: Complex) -> np.ndarray:
    return np.asarray(nu.real < _NARROW * np.abs(nu.imag))


def _truncated(
    target: Target, tolerances: Sequence[float], band: float, usual: float
) -> tuple[Representation, ...]:
    """As good as the tolerances; with a horizon relative to |G| at a usual frequency.

    There sup |G| is what lasts until the horizon, and grows with it.
    """
    modes, own = target.modes, target.own
    if not len(modes.nu):
        scale = _peak(own, band)
        return (_representation(own, target.error, scale, target.horizon),) * len(tolerances)
    unit = scale = _peak(modes.joined(own), band)
    if target.horizon < math.inf:
        unit = min(scale, float(np.abs(modes.half_sided(np.array([usual]))).sum()))
        share = max(unit / scale, _FINEST / min(tolerances))
        tolerances = [tolerance * share for tolerance in tolerances]
    finest = min(tolerances) * scale
    points = 8 + 2 * math.ceil(-math.log10(min(tolerances)) / 2)
    line = Line.around(modes, target.scale, _ENDS * finest, points, band).refined(modes, finest)
    w = line.at()
    even, odd = modes.half_sided(w.ravel())
    weighted = None
    if not math.isinf(band):
        decades = math.log10(line.edges[-1] / line.edges[0])
        grid = np.geomspace(line.edges[0], line.edges[-1], 2 + int(_PER_DECADE * decades))
        weighted = (grid, line.weight(grid) ** 2)
    truncation = Truncation.of(modes, _BASIS * finest, weighted)
    results = []
    for tolerance in tolerances:
        goal = max(tolerance * scale - target.error, _LEAST * target.error)
        first = truncation.number(_START * goal)
        tried: list[tuple[float, int, Modes]] = []
        for number in range(first, len(truncation.singular) + 1, 1 + first // _MANY):
            for kind in range(len(truncation.steps)):
                rates = truncation.rates(number, kind)
                rates = rates[np.abs(rates) > line.edges[0]]
                fit = fitted(rates, w.ravel(), even, odd, line.weight(w.ravel()))
                tried.append((_difference(line, modes, fit, even, odd, goal), number, fit))
                if tried[-1][0] <= goal:
                    break
            error, reached, fit = min(tried, key=lambda entry: entry[:2])
            if error <= goal or number >= reached + _PATIENCE:
                break
        whole, lost = fit.joined(own), error + target.error
        results.append(_representation(whole, lost, unit, target.horizon))
    return tuple(results)


def _representation(modes: Modes, error: float, scale: float, horizon: float) -> Representation:
    c, nu = modes.exponentials()
    return Representation(Exponentials.computed(c.tolist(), nu.tolist()), error, scale, horizon)


def _difference(
    line: Line, modes: Modes, fit: Modes, even: Complex, odd: Complex, goal: float
) -> float:
    """Bound of weight |G - G_fit|, G given at the points of the line."""
    difference = modes.joined(Modes(fit.nu, -fit.s, -fit.a))
    finer = line.refined(difference, goal)
    known = np.isin(finer.edges[:-1], line.edges[:-1]) & np.isin(finer.edges[1:], line.edges[1:])
    old = np.isin(line.edges[:-1], finer.edges[:-1][known])
    w = finer.at()
    parts = []
    new = difference.half_sided(w[~known].ravel())
    same = fit.half_sided(w[known].ravel())
    for whole, g, h in zip((even, odd), new, same, strict=True):
        part = np.empty(w.shape, complex)
        part[~known] = g.reshape(-1, finer.points)
        part[known] = whole.reshape(-1, line.points)[old] - h.reshape(-1, finer.points)
        parts.append(part)
    return finer.largest(difference, parts[0], parts[1])


def _peak(modes: Modes, band: float) -> float:
    """Sup over w of weight |G|."""
    share = modes.size / modes.nu.real
    main = modes.nu[share > _MAIN * share.max()]
    if not main.size:  # all weights have underflown
        raise OverflowError("exponentials that would stand for a bath")
    low, high = float(np.abs(main).min()) / 10, 10 * float(np.abs(main).max())
    narrow = main[main.real < main.imag / 2]
    beside = narrow.imag[:, None] + np.outer(narrow.real, [-1, 0, 1])
    number = 2 + int(_COARSE * math.log10(high / low))
    w = np.concatenate(([0.0, band], np.geomspace(low, high, number), beside.ravel()))
    w = np.unique(w[(w >= 0) & np.isfinite(w)])
    for _ in range(_ZOOMS):
        even, odd = modes.half_sided(w)
        height = np.maximum(np.abs(even + 1j * odd), np.abs(even - 1j * odd))
        height = height / np.maximum(1.0, w / band) ** 2
        top = int(np.argmax(height))
        ends = w[max(top - 1, 0)], w[min(top + 1, len(w) - 1)]
        w = np.unique(np.concatenate((np.linspace(*ends, 2 * _PER_DECADE), w[top : top + 1])))
    return float(height.max())
