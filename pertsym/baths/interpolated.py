"""Finite-part integrals and values at w = 0 over one parameter: polynomials on octaves.

What `integrals` finds for given beta and w0 is analytic in beta where w0 is fixed, and in w0 where
beta is fixed, in a sector of more than 40 degrees: no thermal pole and no pole of the kernel meets
the path before.  On every octave stands the polynomial through Chebyshev points; its error follows
from the size of the integral on an ellipse with its foci at the ends of the octave, that is from
the sum of the sizes of its terms, at complex beta or w0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np

from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity, Exponentials
from pertsym.baths.integrals import regular_part, regular_slope, spectral_integral
from pertsym.baths.node_integrals import node_pair
from pertsym.baths.node_path import Real
from pertsym.baths.nodes import Nodes
from pertsym.baths.tabulated import Pieces, chebyshev, fitted, position
from pertsym.baths.thermal_path import thermal_path
from pertsym.baths.thermal_spectrum import Statistics
from pertsym.estimate import Estimate

SIZE = 31  # points of an octave
ELLIPSE = 3.6  # sum of its half axes in halves of the octave: within 38 degrees of the axis
RING = 12  # points on it; the sizes vary slowly, and are doubled
_SIDEWAYS = math.radians(45)  # poles of J closer to the axis forbid a table over w0

Part = tuple[Fraction, int, int, int]
"""(coefficient, power of 1/w0, pole in units of w0, order) of a kernel."""


class Question(NamedTuple):
    """What is asked about one or two baths, whose amplitudes are 1.

    Attributes
    ----------
    kind
        "I" for FP int dw Ĉ_A(w) X_B(s w0 + r w) K(w), "J" for its regular part at a kink of Ĉ_A in
        w = 0 (see `integrals.regular_part`), "P" for P_A^(m)(0), "R" for its regular slope.
    transform
        Whether X_B is P_B.
    reflect, shift
        r and s.
    kernel
        K as a sum of its parts.
    derivative
        m of "P".
    """

    kind: Literal["I", "J", "P", "R"]
    transform: bool = False
    reflect: int = -1
    shift: int = 0
    kernel: tuple[Part, ...] = ()
    derivative: int = 0

    def poles(self, w0: Any) -> list[tuple[Any, Any, int]]:
        """The kernel at a splitting, real or complex."""
        return [(float(c) * w0**-power, n * w0, order) for c, power, n, order in self.kernel]

    def answer(self, a: Correlation, b: Correlation, w0: Any) -> Estimate:
        """The value and the bound of its error; parameters and w0 may be arrays."""
        kind: Literal["CC", "CP"] = "CP" if self.transform else "CC"
        shift = self.shift * w0
        match self.kind:
            case "I":
                return spectral_integral(kind, a, b, self.reflect, shift, self.poles(w0))
            case "J":
                return regular_part(kind, a, b, self.reflect, shift, 0.0)
            case "P":
                return a.transform(0.0, self.derivative)
        return regular_slope(a)


class Source(NamedTuple):
    """A bath with scalar parameters and amplitude 1; `beta` None stands for what varies."""

    density: BathDensity
    statistics: Statistics
    beta: float | None

    def at(self, beta: Any) -> Correlation:
        """The bath, with these beta if they vary; nodes serve the next call."""
        if self.beta is None:
            return _varied(self.density, self.statistics, beta.tobytes())
        return _fixed(self.density, self.statistics, self.beta)


_fixed = lru_cache(maxsize=64)(Correlation)


@lru_cache(maxsize=64)
def _varied(density: BathDensity, statistics: Statistics, beta: bytes) -> Correlation:
    return Correlation(density, statistics, np.frombuffer(beta))


def _points(octave: int) -> Real:
    centre, half = _panel(octave)
    return centre + half * chebyshev(SIZE)


def _panel(octave: int) -> tuple[float, float]:
    low, high = (np.array([octave, octave + 1], dtype=np.int64) << 52).view(np.float64)
    return float(low + high) / 2, float(high - low) / 2


def _ring(octave: int) -> Any:
    """Complex numbers on the ellipse, those of conjugates in reversed order."""
    centre, half = _panel(octave)
    angle = 2 * math.pi * (np.arange(RING) + 0.5) / RING
    return centre + half * (ELLIPSE * np.exp(1j * angle) + np.exp(-1j * angle) / ELLIPSE) / 2


def octaves_of(x: Any) -> Any:
    """Numbers of the octaves of an array."""
    return position(x, 0)[0]


@lru_cache(maxsize=512)
def over_temperature(question: Question, a: Source, b: Source, w0: float, octave: int) -> Pieces:
    """The answer for every beta of one octave."""
    one, other = (x.at(_points(octave)) for x in (a, b))
    found = question.answer(one, other, w0)
    first, second = _nodes(question, one, other, w0)
    ring = _ring(octave)
    sizes = tuple(
        _moved(nodes, source, c, ring)
        for nodes, source, c in zip((first, second), (a, b), (one, other), strict=True)
    )
    splittings = np.full(RING, w0)
    return _fitted(octave, found, _largest(question, sizes, one, splittings, a, ring))


@lru_cache(maxsize=512)
def over_frequency(question: Question, a: Source, b: Source, octave: int) -> Pieces | None:
    """The answer for every w0 of one octave at scalar beta, None where J has narrow peaks."""
    one, other = a.at(None), b.at(None)
    centre, half = _panel(octave)
    found = question.answer(one, other, _points(octave))
    nodes = [_nodes(question, one, other, x) for x in (centre - half, centre + half)]
    for pair in nodes:
        for rule in pair:
            near = np.abs(rule.resonances[0].imag) < np.tan(_SIDEWAYS) * np.abs(
                rule.resonances[0].real
            )
            if np.any(near & (rule.resonances[1] != 0)):
                return None
    ring = _ring(octave)
    sizes = [_largest(question, tuple(map(_still, pair)), one, ring, a, ring) for pair in nodes]
    return _fitted(octave, found, max(sizes))


def _fitted(octave: int, found: Estimate, largest: float) -> Pieces:
    value, error = (np.broadcast_to(x, SIZE) for x in found)
    lebesgue = 2 / math.pi * math.log(SIZE) + 1
    misfit = 2 * 4 * largest * ELLIPSE ** (1 - SIZE) / (ELLIPSE - 1)
    # within the octave the error changes by less than its largest value
    bound = misfit + (1 + lebesgue) * 2 * float(np.max(error))
    if not np.any(value) and not np.any(error):
        bound = 0.0
    return fitted(octave, value[None, None, :], np.array([[bound]]), 0)


def _nodes(question: Question, a: Correlation, b: Correlation, w0: float) -> tuple[Nodes, Nodes]:
    """The rules that the answer is made of, or others whose nodes reach as far."""
    if question.kind in "PR":
        scale = a.frequency_scale
        nodes = a.nodes(scale * 1e-3, scale)
        return nodes, nodes
    places = [] if question.kind == "J" else [p for _, p, _ in question.poles(w0)]
    return node_pair(a, b, question.reflect, question.shift * w0, places)


class _Sizes(NamedTuple):
    """Places of nodes and |residues| for every point of the ring, shape (RING, M)."""

    poles: Any
    residues: Any


def _still(nodes: Nodes) -> _Sizes:
    size = np.abs(np.concatenate((nodes.residues, nodes.resonances[1]), -1))
    return _Sizes(nodes.every_pole, np.broadcast_to(size, (RING, size.shape[-1])))


def _moved(nodes: Nodes, source: Source, c: Correlation, ring: Any) -> _Sizes:
    """The residues at complex beta: they change as the spectrum does."""
    if source.beta is not None or isinstance(source.density, Exponentials):
        return _still(nodes)
    density: Any = source.density
    classical = source.statistics == "classical"
    middle = float(np.min(c.beta))
    k = int(np.argmin(c.beta))
    there, here = (thermal_path(density, classical, x) for x in (ring, np.array([middle])))
    places = nodes.poles
    arms = _ratio(nodes.residues[k], here.spectrum(places)) * there.spectrum(places)
    own, single = nodes.resonances[1], here.resonances[1]
    if own.shape[-1]:
        poles = _ratio(own[k] if own.ndim > 1 else own, single) * there.resonances[1]
    else:
        poles = np.empty((RING, 0))
    size = np.abs(np.concatenate((np.broadcast_to(arms, (RING, len(places))), poles), -1))
    return _Sizes(nodes.every_pole, size)


def _ratio(a: Any, b: Any) -> Any:
    with np.errstate(all="ignore"):
        ratio = a / b
    return np.where(np.isfinite(ratio), ratio, 0.0)


def _largest(
    question: Question,
    sizes: tuple[_Sizes, ...],
    bath: Correlation,
    splittings: Any,
    source: Source,
    ring: Any,
) -> float:
    """A bound of the answer on the ring: the sum of the sizes of its terms."""
    a, b = sizes
    if question.kind == "P":
        m = question.derivative
        terms = a.residues / np.abs(a.poles) ** (m + 1)
        return 2 * math.pi * math.factorial(m) * float(np.max(terms.sum(-1)))
    scale = float(np.min(bath.kink_scale))
    if question.kind == "R":
        return 2 * math.pi * float(np.max(_over(a, lambda w: w * w + scale**2)))
    strength = 2 * math.pi if question.transform else 2.0
    if question.reflect > 0:
        b = b._replace(residues=b.residues[::-1])
    total = np.empty(RING)
    distance: tuple[Any, Any] = (None, None)
    for k, w0 in enumerate(splittings):
        s = question.shift * w0
        image = s - a.poles if question.reflect < 0 else (s + a.poles).conj()
        if distance[0] is None or distance[0] != s:
            distance = s, 1 / np.abs(image[:, None] - b.poles)
        own, other = a.residues[k], b.residues[k]
        if question.kind == "J":
            away = np.abs(s - b.poles)
            rise = distance[1] @ (other / away)
            level = float(np.sum(other / away))
            slope = float(np.sum(other / away**2))
            radii = np.abs(a.poles)
            size = own @ (rise / radii + level / np.abs(a.poles**2 + scale**2))
            peak = 2 * float(np.sum(own / radii))
            total[k] = 2 * math.pi * size + math.pi * peak * slope
            continue
        factor = distance[1] @ other
        size = 0.0
        kernel: Any = 0.0
        for c, p, n in question.poles(w0):
            kernel = kernel + c / (a.poles - p) ** n
            height = _height(source, p, ring[k]) or (
                float(np.sum(own / np.abs(p - a.poles) + own / np.abs(np.conj(p) - a.poles))),
                float(np.sum(own / np.abs(p - a.poles) ** 2))
                + float(np.sum(own / np.abs(np.conj(p) - a.poles) ** 2)),
            )
            away = np.abs((s - p if question.reflect < 0 else np.conj(s + p)) - b.poles)
            level = float(np.sum(other / away))
            residue = height[0] * level
            if n == 2:
                residue = height[1] * level + height[0] * float(np.sum(other / away**2))
            size += math.pi * abs(c) * residue
        total[k] = 2 * math.pi * (own * factor) @ np.abs(kernel) + size
    return strength * float(np.max(total))


def _height(source: Source, p: Any, beta: Any) -> tuple[float, float] | None:
    """|Ĉ_A| and |Ĉ_A'| at a pole p on or near the axis, None where only the nodes tell."""
    if p == 0 or isinstance(source.density, Exponentials):
        return None
    density: Any = source.density
    inverse = np.array([beta if source.beta is None else source.beta])
    path = thermal_path(density, source.statistics == "classical", inverse)
    step = 1e-4 * abs(p)
    below, at, above = np.ravel(path.spectrum(np.array([p - step, p, p + step], dtype=complex)))
    return float(abs(at)), float(abs(above - below)) / (2 * step)


def _over(sizes: _Sizes, below: Callable[[Any], Any]) -> Any:
    return (sizes.residues / np.abs(below(sizes.poles))).sum(-1)
