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

from pertsym.baths.balanced_truncation import EPS, Complex, Modes, Truncation, fitted
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import Exponentials
from pertsym.baths.divergence import Divergent
from pertsym.baths.existence import require_integrable, require_transform
from pertsym.baths.line_bound import Line
from pertsym.baths.nodes import TRUNCATION, Nodes, Path
from pertsym.baths.rational_samples import sampled
from pertsym.baths.thermal_spectrum import ThermalSpectrum

_FINEST = 1e-13
_ENDS = 1e-3  # of the tolerance, for what frequencies beyond the ends of the line may add
_LOST = 1e-3  # of the tolerance, for what the nodes leave out at either end
_DEEPEST = 1e-60  # of the scale
_BASIS = 1e-4  # of the tolerance: what the basis of the truncation may leave
_START = 0.5  # of the tolerance: the singular values that are left out at first
_PATIENCE = 4  # so many exponents more without a gain: the rounding of the truncation
_NARROW = 0.3  # Re nu/Im nu below which a resonance is an exponent of its own
_LEAST = 0.1  # of the target's own error: its reduction adds no less
_ZOOMS, _COARSE = 5, 8
_MAIN = 1e-5  # of the largest share of G
_PER_DECADE = 24  # of the weighted Gramian
_RESOLVED = 1e-10  # of Ĉ(0): a difference that is smaller is continued as a power


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
    """

    exponentials: Exponentials
    error: float
    scale: float


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
    """

    modes: Modes
    own: Modes
    error: float
    scale: float

    def joined(self, other: Target) -> Target:
        """What stands for the sum of two G."""
        modes, own = self.modes.joined(other.modes), self.own.joined(other.own)
        return Target(modes, own, self.error + other.error, max(self.scale, other.scale))


def represent(
    correlation: Correlation, tolerance: float = 1e-9, band: float | None = None
) -> Representation:
    """Represent a bath by as few exponentials as reach the tolerance.

    Parameters
    ----------
    correlation : Correlation
        With scalar parameters.
    tolerance : float
        Wanted error relative to scale, between 1e-13 and 1e-1.
    band : float, optional
        Where the bath's frequencies matter, in the unit of w: error and scale are then those of
        G(w) min(1, (band/w)^2).  Twice the largest Bohr frequency keeps generators for
        t -> infinity to about ten tolerances, with far fewer exponentials.  A bath that is
        exactly a sum of few exponentials is left as it is.

    Returns
    -------
    Representation
        Where the tolerance is out of reach, the best found: compare its error.

    Raises
    ------
    Divergent
        If G is not bounded: a sub-Ohmic bath at T > 0, a J that jumps, a J that does not decay.
    ValueError
        If the tolerance or the band is out of range or a parameter is an array.
    """
    return represent_at(correlation, (tolerance,), band)[0]


def represent_at(
    correlation: Correlation, tolerances: Sequence[float], band: float | None = None
) -> tuple[Representation, ...]:
    """The same for several tolerances, which share all work but the last step."""
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
    _require_bounded(correlation)
    closed = _closed_form(correlation)
    if closed is not None:
        # the formula is exact, its numbers are rounded, which moves a narrow resonance
        rounding = 8 * EPS * max(abs(nu) / nu.real for nu in closed.nu)
        return (_exact(closed, rounding, width),) * len(tolerances)
    finest = min(tolerances)
    targets = [_target(part, finest, width) for part in correlation.parts]
    return _truncated(functools.reduce(Target.joined, targets), tolerances, width)


def _target(correlation: Correlation, tolerance: float, band: float) -> Target:
    if correlation.has_nodes:
        return _from_nodes(correlation.thermal, tolerance)
    modes, error = sampled(correlation, tolerance, band)
    own = _narrow(modes.nu)
    return Target(modes.chosen(~own), modes.chosen(own), error, correlation.thermal.scale)


def _exact(exponentials: Exponentials, rounding: float, band: float) -> Representation:
    modes = Modes.of(np.array(exponentials.c), np.array(exponentials.nu))
    scale = _peak(modes, band)
    largest = scale if math.isinf(band) else _peak(modes, math.inf)
    return Representation(exponentials, rounding * largest, scale)


def _require_bounded(correlation: Correlation) -> None:
    thermal = correlation.thermal
    try:
        correlation.spectrum(0.0)
        require_integrable(thermal, 1)
        for point in thermal.points:
            if point.regularity <= 0:
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


def _from_nodes(thermal: ThermalSpectrum, tolerance: float) -> Target:
    path = thermal.path()
    top = max(path.scale, thermal.scale, *path.reach)
    c, nu = np.empty(0, complex), np.empty(0, complex)
    if path.power == 0 and not path.analytic:
        path, lorentzian = _vanishing(path, thermal)
        c, nu = np.array([lorentzian * path.scale / 2]), np.array([path.scale + 0j])
    nodes = Nodes.of(path, *_range(path, top, _LOST * tolerance))
    poles, residues = nodes.resonances
    seen = residues != 0
    poles, residues = poles[seen], residues[seen]
    narrow = _narrow(1j * poles)
    c = np.concatenate((c, -1j * nodes.residues, -1j * residues[~narrow]))
    nu = np.concatenate((nu, 1j * nodes.poles, 1j * poles[~narrow]))
    own = Modes.of(-1j * residues[narrow], 1j * poles[narrow])
    # the numbers of a narrow resonance are rounded, which moves it
    moved = 4 * EPS * float(np.sum(own.size * np.abs(own.nu) / own.nu.real**2))
    return Target(Modes.of(c, nu), own, _bound(nodes) + moved, top)


def _range(path: Path, top: float, negligible: float) -> tuple[float, float]:
    """Floor and ceiling of the nodes, so that little of G is left beyond the first and the last.

    These lie by powers of TRUNCATION below the floor and above the ceiling.
    """
    depth = max(negligible ** (1 / path.power), _DEEPEST) if path.power > 0 else 1.0
    floor = path.scale * min(depth * TRUNCATION ** (-1 / (path.power + 2)), 1e-3)
    tail = max(path.tails)
    height = 1.0 if math.isinf(tail) else TRUNCATION ** (1 / (2 - tail)) / negligible
    return floor, top * max(height, 1e3)


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
    """Ĉ without Ĉ(0) scale^2/(scale^2 + w^2), and Ĉ(0): the rest has no delta-like nodes at 0."""
    height = float(thermal.jet_at(np.array(0.0), 0).c[0])
    power = thermal.regularity
    spectrum, scale = path.spectrum, path.scale
    size = scale * _RESOLVED ** (1 / power)

    def difference(w: Complex) -> Complex:
        return spectrum(w) - height / (1 + (w / scale) ** 2)

    def continued(w: Complex) -> Complex:
        near = np.abs(w) < size
        moved = np.where(near, size * w / np.where(w == 0, 1.0, np.abs(w)), w)
        return np.asarray(difference(moved) * np.where(near, np.abs(w) / size, 1.0) ** power)

    tails = tuple(max(tail, -2.0) for tail in path.tails)
    return path._replace(spectrum=continued, power=power, tails=(tails[0], tails[1])), height


def _narrow(nu: Complex) -> np.ndarray:
    return np.asarray(nu.real < _NARROW * np.abs(nu.imag))


def _truncated(
    target: Target, tolerances: Sequence[float], band: float
) -> tuple[Representation, ...]:
    modes, own = target.modes, target.own
    if not len(modes.nu):
        scale = _peak(own, band)
        return tuple(_representation(own, target.error, scale) for _ in tolerances)
    scale = _peak(modes.joined(own), band)
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
        for number in range(first, len(truncation.singular) + 1):
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
        results.append(_representation(fit.joined(own), error + target.error, scale))
    return tuple(results)


def _representation(modes: Modes, error: float, scale: float) -> Representation:
    c, nu = modes.exponentials()
    return Representation(Exponentials(tuple(c.tolist()), tuple(nu.tolist())), error, scale)


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
    nu = modes.nu
    share = modes.size / nu.real
    main = np.abs(nu[share > _MAIN * share.max()])
    low, high = (band / 10 if band < math.inf else math.inf), (band if band < math.inf else 0.0)
    low, high = min(low, float(main.min()) / 10), max(high, 10 * float(main.max()))
    narrow = nu[(nu.real < nu.imag / 2) & (share > _MAIN * share.max())]
    offsets = np.concatenate(([0.0], np.geomspace(0.03, 30, 31)))
    w = np.concatenate(
        (
            [0.0] if math.isinf(band) else [0.0, band],
            np.geomspace(low, high, 2 + int(_COARSE * math.log10(high / low))),
            np.outer(narrow.real, offsets).ravel() + np.repeat(narrow.imag, len(offsets)),
            np.repeat(narrow.imag, len(offsets)) - np.outer(narrow.real, offsets).ravel(),
        )
    )
    w = np.unique(w[w >= 0])
    for _ in range(_ZOOMS):
        even, odd = modes.half_sided(w)
        height = np.maximum(np.abs(even + 1j * odd), np.abs(even - 1j * odd))
        height = height / np.maximum(1.0, w / band) ** 2
        top = int(np.argmax(height))
        ends = w[max(top - 1, 0)], w[min(top + 1, len(w) - 1)]
        w = np.unique(np.concatenate((np.linspace(*ends, 2 * _PER_DECADE), w[top : top + 1])))
    return float(height.max())
