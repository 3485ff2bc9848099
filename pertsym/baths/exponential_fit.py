"""Exponential representation of any bath: C(t > 0) ~ sum_k c_k exp(-nu_k t), with its error.

J convention: C(t) = (1/pi) int_0^inf dw J(w) [coth(beta w/2) cos wt - i sin wt], so that
Ĉ(w > 0) = 2 J(w) [n(w) + 1].  Where Ĉ continues analytically G(w) = int_0^inf dt e^{iwt} C(t) is a
sum of some hundred poles with a bound (`nodes`); elsewhere a rational function is fitted to
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

from pertsym.baths.balanced_truncation import EPS, Complex, Modes, Real, Truncation, fitted
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Exponentials
from pertsym.baths.divergence import Divergent
from pertsym.baths.existence import require_integrable, require_transform
from pertsym.baths.line_bound import Line
from pertsym.baths.node_path import ANGLE, EDGES, TRUNCATION, Arm, Path
from pertsym.baths.nodes import Nodes
from pertsym.baths.rational_samples import sampled
from pertsym.baths.thermal_spectrum import ThermalSpectrum

_FINEST = 1e-13
_ENDS = 1e-3  # of the tolerance, for what frequencies beyond the ends of the line may add
_LOST = 1e-3  # of the tolerance, for what the nodes leave out at either end
_DEEPEST = 1e-60  # of the scale
_BASIS = 1e-3  # of the tolerance: what the basis of the truncation may leave
_START = 0.5  # of the tolerance: the singular values that are left out at first
_PATIENCE = 4  # so many exponents more without a gain: the rounding of the truncation
_MANY = 48  # exponents, from which on more than one is added at a time
_NARROW = 0.3  # Re nu/Im nu below which a resonance is an exponent of its own
_LEAST = 0.1  # of the target's own error: its reduction adds no less
_ZOOMS, _COARSE = 5, 8
_MAIN = 1e-5  # of the largest share of G
_PER_DECADE = 24  # of the weighted Gramian
_STEPS = (0.2, 0.14, 0.1, 0.07, 0.05, 0.035)  # of the nodes
_OPERATIONS = 16  # rounding errors of one term and of a sum
_MOMENTS = (-2, -1, 0, 1)  # of the inner end of a ray that are kept
_SLOWEST, _KEPT = 3e-3, 4  # of 1/horizon: exponents below it become so many, with their moments
_DIGITS = 1e-15  # of G, for poles that are not cut down
_SMALL, _DEGREE = 0.1, 14  # of the smallest scale, where a difference is a polynomial


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
        sup |G|, for reference; with a band, sup of the weighted |G|.
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


class Poles(NamedTuple):
    """C(t) = sum_k c_k exp(-nu_k t), with what its error is made of.

    Attributes
    ----------
    c, nu
        Shape (M,).
    weights
        The error of [G(x) - G(y)]/(x - y) at most sum_k weights_k/|(nu_k - ix)(nu_k - iy)|, for
        all x and y on the real line and above it.
    """

    c: Complex
    nu: Complex
    weights: Real


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
        The latest time that matters.  Where G is unbounded at w -> 0, or nearly so, error and
        scale are then those of a bath that has the same C(t) up to the horizon, and the tolerance
        is relative to |G| at the bath's frequencies.

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
        _require_bounded(part, horizon if part.has_nodes else None)
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


def _require_bounded(correlation: Correlation, horizon: float | None = None) -> None:
    """At all w, with a horizon but for w -> 0."""
    thermal = correlation.thermal
    try:
        if horizon is None:
            correlation.spectrum(0.0)
        require_integrable(thermal, 1)
        for point in thermal.points:
            if point.regularity <= 0 and (horizon is None or point.position):
                require_transform(thermal, point.position, 0)
    except Divergent as error:
        raise Divergent(
            f"G(w) is unbounded, so that no sum of exponentials comes close to it: {error.reason}"
        ) from None


def _closed_form(correlation: Correlation) -> Exponentials | None:
    """Classical baths whose Ĉ = 2T J(w)/w is rational."""
    density = correlation.density
    if correlation.statistics != "classical" or isinstance(density, Exponentials):
        return None
    return density.classical_exponentials(1 / float(correlation.beta))


def poles(correlation: Correlation, lowest: float) -> Poles | None:
    """Poles of G at z = 0 and |z| >= lowest, not cut down; None where nothing continues J.

    Parameters
    ----------
    correlation : Correlation
        With scalar parameters.
    lowest : float
        The smallest |z| > 0 that matters, of real z.

    Raises
    ------
    Divergent
        If G is not bounded.
    """
    if isinstance(correlation.density, Exponentials):
        return _rounded(np.array(correlation.density.c), np.array(correlation.density.nu))
    if correlation.thermal.is_zero:
        return _rounded(np.empty(0, complex), np.empty(0, complex))
    _require_bounded(correlation)
    if not all(part.has_nodes for part in correlation.parts):
        return None
    found = [_from_nodes(part.thermal, _DIGITS, lowest)[0] for part in correlation.parts]
    return Poles(*(np.concatenate(column) for column in zip(*found, strict=True)))


def _rounded(c: Complex, nu: Complex) -> Poles:
    """Poles as they are given, with what rounding makes of a sum over them."""
    return Poles(c, nu, _OPERATIONS * EPS * np.abs(c) * (1 + np.abs(nu) / nu.real))


def _from_nodes(
    thermal: ThermalSpectrum, negligible: float, lowest: float, slowest: float = 0.0
) -> tuple[Poles, Nodes, int]:
    """The poles, first those of nodes, and how many of the last ones are resonances.

    With lowest = 0 all z count alike, and ends of G below `negligible` are left out.  Nodes need
    not reach far below the slowest |w| that matters.
    """
    path = thermal.path()
    top = max(path.scale, thermal.scale, *path.reach)
    own = _rounded(np.empty(0, complex), np.empty(0, complex))
    if path.power == 0 and not path.analytic:
        path, height = _vanishing(path, thermal)
        shares = np.array([2 / 3, -1 / 3], dtype=np.complex128)
        rates = np.array([1, 2], dtype=np.complex128)
        own = _rounded(np.asarray(height * path.scale * shares), np.asarray(path.scale * rates))
    floor, ceiling = _range(path, top, negligible, lowest)
    for step in _STEPS:
        nodes = Nodes.of(path, max(floor, min(slowest, path.scale)), ceiling, step)
        if all(_is_fine(arm, path.scale, negligible) for arm in nodes.arms):
            break
    positions, residues = nodes.resonances
    seen = residues != 0
    resonances = _rounded(-1j * residues[seen], 1j * positions[seen])
    every = [*(_on_path(arm, lowest) for arm in nodes.arms), own, resonances]
    parts = (np.concatenate(part) for part in zip(*every, strict=True))
    return Poles(*parts), nodes, int(seen.sum())


def _on_path(arm: Arm, lowest: float) -> Poles:
    """The nodes of an arm, with what lies beyond its ends; weights mean nothing at lowest = 0."""
    w, a = arm.closed
    # max(|z|, |w|) is at least half of |z - w|, twice
    weights = arm.rounding + 4 * sum(
        size / math.sin(angle) ** 2 for angle, (_, size) in zip(EDGES, arm.strip, strict=True)
    )
    if arm.outer is not None:
        weights[-1] += 4 * abs(a[-1])
    if arm.inner is not None and lowest > 0:
        inner, moved = _inner_end(arm)
        lost = _OPERATIONS * EPS * np.abs(moved)
        size, following = np.abs(arm.residues[:2])
        bend = abs(following * math.exp(-arm.step * arm.inner) / size - 1)  # of the power law
        beyond = 4 * size / -math.expm1(-arm.step * arm.inner)
        lost[0] += beyond * (1.5 * bend / arm.step + 4 * (abs(arm.poles[0]) / lowest) ** 2)
        w = np.concatenate((inner, w[1:]))
        a = np.concatenate((moved, a[1:]))
        weights = np.concatenate((lost, weights[1:]))
    return Poles(-1j * a, 1j * w, weights)


def _inner_end(arm: Arm) -> tuple[Complex, Complex]:
    """Positions and residues that stand for the first node of a ray and all before it.

    With residues that follow a_0 e^{-hk(p+1)} at w_0 e^{-hk} their moments w^1, 1, 1/w and 1/w^2
    are geometric series, the last for p <= 1 its continuation in p.  At p = 1 that has a pole: in
    generators that exist it cancels, but for the angle between the ray and the imaginary axis, at
    whose end C(t) is cut off by a real function of time.
    """
    assert arm.inner is not None
    sums = np.empty(len(_MOMENTS), complex)
    for k, m in enumerate(_MOMENTS):
        power = arm.inner + m
        sums[k] = -1 / math.expm1(-arm.step * power) if power else 0.5
    if arm.inner == 2:
        sums[0] += 1j * np.sign(arm.poles[0].real) * (math.pi / 2 - ANGLE) / arm.step
    places = np.exp(-np.arange(len(_MOMENTS)))
    shares = np.linalg.solve(places ** np.array(_MOMENTS)[:, None], sums)
    return places * arm.poles[0], shares * arm.residues[0]


def _is_fine(arm: Arm, scale: float, negligible: float) -> bool:
    """Whether the trapezoidal rule adds no more than is negligible, or than the last digits."""
    inverse = 1 / np.maximum(np.abs(arm.poles), scale)
    limit = max(_OPERATIONS * EPS, negligible) * float(np.abs(arm.residues) @ inverse)
    return all(float(size @ inverse) <= limit for _, size in arm.strip)


def _cut_down(thermal: ThermalSpectrum, tolerance: float, horizon: float | None) -> Target:
    path = thermal.path()
    horizon = horizon if horizon is not None and _lasts(path) else math.inf
    slowest = _SLOWEST / horizon
    found, nodes, count = _from_nodes(thermal, _LOST * tolerance, 0.0, slowest)
    narrow = _narrow(found.nu)
    narrow[: len(narrow) - count] = False
    own = Modes.of(found.c[narrow], found.nu[narrow])
    # the numbers of a narrow resonance are rounded, which moves it
    moved = 4 * EPS * float(np.sum(own.size * np.abs(own.nu) / own.nu.real**2))
    top = max(path.scale, thermal.scale, *path.reach)
    c, nu, left = found.c[~narrow], found.nu[~narrow], _bound(nodes)
    if slowest:
        c, nu, lost = _merged(c, nu, slowest)
        left = float(nodes.half_sided(np.array(1 / horizon))[1]) + lost * horizon
    return Target(Modes.of(c, nu), own, left + moved, top, horizon)


def _lasts(path: Path) -> bool:
    """Whether a horizon counts: else C(t) decays so fast that no slow exponent is left."""
    return not path.analytic and path.power < 1


def is_slow(correlation: Correlation) -> bool:
    """Whether what `represent` finds depends on its horizon."""
    return any(part.has_nodes and _lasts(part.thermal.path()) for part in correlation.parts)


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


def _range(path: Path, top: float, negligible: float, lowest: float) -> tuple[float, float]:
    """Floor and ceiling of the nodes, so that little of G is left beyond the first and the last.

    These lie by powers of TRUNCATION below the floor and above the ceiling.
    """
    deepest = _DEEPEST if lowest == 0 else EPS
    depth = max(negligible ** (1 / path.power), deepest) if path.power > 0 else 1.0
    floor = path.scale * min(depth * TRUNCATION ** (-1 / (path.power + 2)), 1e-3)
    tail = max(path.tails)
    height = 1.0
    if not math.isinf(tail):
        height = TRUNCATION ** (1 / (2 - tail)) * negligible ** (1 / min(tail, -0.5))
    return min(floor, lowest or floor), top * max(height, 1e3)


def _bound(nodes: Nodes) -> float:
    """Of the error at all real w: close to the ends and beyond them all that is there."""
    error, first = 0.0, 0.0
    for arm in nodes.arms:
        size, share = np.abs(arm.poles), np.abs(arm.residues) / np.abs(arm.poles)
        if arm.inner is not None:
            first = max(first, 10 * float(size[0]))
            beyond = -1 / math.expm1(-arm.step * arm.inner)
            error += 4 * beyond * float(share[size < 10 * size[0]].sum())
        if arm.outer is not None:
            error += 4 * float(share[size > size[-1] / 10].sum())
    return error + float(nodes.half_sided(np.array(first))[1])


def _vanishing(path: Path, thermal: ThermalSpectrum) -> tuple[Path, float]:
    """Ĉ without Ĉ(0) (4 L_1 - L_2)/3 and Ĉ(0): the rest has no delta-like nodes at 0.

    L_k = 1/[1 + (w/k scale)^2], so that the difference decays as w^-4.
    """
    height = float(thermal.jet_at(np.array(0.0), 0).c[0])
    power = thermal.regularity
    spectrum, scale = path.spectrum, path.scale

    def difference(w: Complex) -> Complex:
        square = (w / scale) ** 2
        return spectrum(w) - 4 * height / (1 + square) / (4 + square)

    # close to w = 0 by interpolation along the rays, where the difference keeps no digits
    nodes = (1 - np.cos(np.pi * np.arange(1, _DEGREE + 1) / _DEGREE)) / 2
    rays = {side: side * np.exp(-1j * side * ANGLE) for side in (1, -1)}
    series = {
        side: np.linalg.solve(
            nodes[:, None] ** np.arange(1, _DEGREE + 1), difference(_SMALL * scale * nodes * ray)
        )
        for side, ray in rays.items()
    }

    def continued(w: Complex) -> Complex:
        found = np.asarray(difference(w))
        for side, ray in rays.items():
            near = (np.abs(w) < _SMALL * scale) & (w.real * side > 0)
            x = w[near] / (_SMALL * scale * ray)
            found[near] = x * np.polynomial.polynomial.polyval(x, series[side])
        return found

    tails = tuple(max(tail, -4.0) for tail in path.tails)
    return path._replace(spectrum=continued, power=power, tails=(tails[0], tails[1])), height


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
    scale = _peak(modes.joined(own), band)
    if target.horizon < math.inf:
        size = min(scale, float(np.abs(modes.half_sided(np.array([usual]))).sum()))
        tolerances = [max(_FINEST, tolerance * size / scale) for tolerance in tolerances]
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
        results.append(_representation(whole, lost, scale, target.horizon))
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
