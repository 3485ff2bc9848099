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
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from pertsym.baths.node_integrals import node_pair
from pertsym.baths.node_path import Real
from pertsym.baths.nodes import Nodes
from pertsym.baths.tabulated import Pieces, chebyshev, fitted, position
from pertsym.baths.thermal_tables import RING, ratio

POINTS = 31  # of an octave
WIDTH = 3.6  # sum of the half axes in halves of the octave: within 38 degrees of the axis
MANY = 32  # points of an octave for which polynomials are made
TOGETHER = 256  # points that are asked for together
_SIDEWAYS = math.radians(45)  # poles of J closer to the axis forbid a table over w0


class Asked(NamedTuple):
    """What is asked about one or two baths, whose amplitudes are 1.

    Who evaluates adds `answer(a, b, w0)`: value and bound of the error for two baths of `at`, their
    beta or w0 being arrays.  Where the baths come from is a tuple with `beta` (None stands for
    what varies), `path(beta)` as `thermal_path` gives it (None of a sum of exponentials), and
    `at(beta)`: the bath, with these beta if they vary.  This text becomes part of exports.

    Attributes
    ----------
    kind : "I", "J", "P" or "R"
        "I" for FP int dw Ĉ_A(w) X_B(s w0 + r w) K(w), "J" for its regular part at a kink of Ĉ_A in
        w = 0 (see `integrals.regular_part`), "P" for P_A^(m)(0), "R" for its regular slope.
    transform
        Whether X_B is P_B.
    reflect, shift
        r and s.
    kernel
        K as a sum of (coefficient, power of 1/w0, pole in units of w0, order).
    derivative
        m of "P".
    """

    kind: str
    transform: bool = False
    reflect: int = -1
    shift: int = 0
    kernel: tuple[tuple[Any, int, int, int], ...] = ()
    derivative: int = 0

    def poles(self, w0: Any) -> list[tuple[Any, Any, int]]:
        """The kernel at a splitting, real or complex."""
        return [(float(c) * w0**-power, n * w0, order) for c, power, n, order in self.kernel]


def _points(octave: int) -> Real:
    centre, half = _panel(octave)
    return centre + half * chebyshev(POINTS)


def _panel(octave: int) -> tuple[float, float]:
    low, high = (np.array([octave, octave + 1], dtype=np.int64) << 52).view(np.float64)
    return float(low + high) / 2, float(high - low) / 2


def _ring(octave: int) -> Any:
    """Complex numbers on the ellipse, those of conjugates in reversed order."""
    centre, half = _panel(octave)
    angle = 2 * math.pi * (np.arange(RING) + 0.5) / RING
    return centre + half * (WIDTH * np.exp(1j * angle) + np.exp(-1j * angle) / WIDTH) / 2


def octaves_of(x: Any) -> Any:
    """Numbers of the octaves of an array."""
    return position(x, 0)[0]


@lru_cache(maxsize=512)
def by_temperature(question: Any, a: Any, b: Any, w0: float, octave: int) -> Pieces:
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
def by_frequency(question: Any, a: Any, b: Any, octave: int) -> Pieces | None:
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


def _fitted(octave: int, found: Any, largest: float) -> Pieces:
    value, error = (np.broadcast_to(x, POINTS) for x in found)
    lebesgue = 2 / math.pi * math.log(POINTS) + 1
    misfit = 2 * 4 * largest * WIDTH ** (1 - POINTS) / (WIDTH - 1)
    # within the octave the error changes by less than its largest value
    bound = misfit + (1 + lebesgue) * 2 * float(np.max(error))
    if not np.any(value) and not np.any(error):
        bound = 0.0
    return fitted(octave, value[None, None, :], np.array([[bound]]), 0)


def _nodes(question: Any, a: Any, b: Any, w0: float) -> tuple[Nodes, Nodes]:
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


def _moved(nodes: Nodes, source: Any, c: Any, ring: Any) -> _Sizes:
    """The residues at complex beta: they change as the spectrum does."""
    k = int(np.argmin(c.beta)) if source.beta is None else 0
    here = source.path(np.array([c.beta[k]])) if source.beta is None else None
    if here is None:
        return _still(nodes)
    there = source.path(ring)
    places = nodes.poles
    arms = ratio(nodes.residues[k], here.spectrum(places)) * there.spectrum(places)
    own, single = nodes.resonances[1], here.resonances[1]
    if own.shape[-1]:
        poles = ratio(own[k] if own.ndim > 1 else own, single) * there.resonances[1]
    else:
        poles = np.empty((RING, 0))
    size = np.abs(np.concatenate((np.broadcast_to(arms, (RING, len(places))), poles), -1))
    return _Sizes(nodes.every_pole, size)


def _largest(
    question: Any,
    sizes: tuple[_Sizes, ...],
    bath: Any,
    splittings: Any,
    source: Any,
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
        return 2 * math.pi * float(np.max(_divided(a, lambda w: w * w + scale**2)))
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


def _height(source: Any, p: Any, beta: Any) -> tuple[float, float] | None:
    """|Ĉ_A| and |Ĉ_A'| at a pole p on or near the axis, None where only the nodes tell."""
    path = source.path(np.array([beta if source.beta is None else source.beta])) if p else None
    if path is None:
        return None
    step = 1e-4 * abs(p)
    below, at, above = np.ravel(path.spectrum(np.array([p - step, p, p + step], dtype=complex)))
    return float(abs(at)), float(abs(above - below)) / (2 * step)


def _divided(sizes: _Sizes, below: Callable[[Any], Any]) -> Any:
    return (sizes.residues / np.abs(below(sizes.poles))).sum(-1)


def interpolated(question: Any, a: Any, b: Any, w0: Any, beta: Any) -> tuple[Any, Any] | None:
    """Values and errors over w0 and those beta that vary, None where that is not worthwhile."""
    splittings, place = np.unique(np.asarray(w0, dtype=float), return_inverse=True)
    inverses, column = np.unique(np.asarray(beta, dtype=float), return_inverse=True)
    place, column = place.reshape(np.shape(w0)), column.reshape(np.shape(beta))
    points = math.prod(np.broadcast_shapes(place.shape, column.shape))
    if len(splittings) * len(inverses) > 4 * points or np.any(np.isinf(inverses)):
        return None
    table = np.empty((2, len(splittings), len(inverses)))
    varies = a.beta is None or b.beta is None
    if varies and len(splittings) <= len(inverses):
        for k, w in enumerate(map(float, splittings)):
            table[:, k] = _over(
                inverses,
                partial(by_temperature, question, a, b, w),
                partial(_at_temperatures, question, a, b, w),
            )
    else:
        for k, x in enumerate(map(float, inverses)):
            pair = [s._replace(beta=x) if s.beta is None else s for s in (a, b)]
            table[:, :, k] = _over(
                splittings,
                partial(by_frequency, question, *pair),
                partial(question.answer, *(s.at(None) for s in pair)),
            )
    return table[0][place, column], table[1][place, column]


def _at_temperatures(question: Any, a: Any, b: Any, w0: float, beta: Any) -> Any:
    return question.answer(a.at(beta), b.at(beta), w0)


def _over(x: Any, table: Callable[[int], Any], direct: Callable[[Any], Any]) -> Any:
    """Values and errors at an array x > 0, octave by octave."""
    result = np.empty((2, len(x)))
    octaves = octaves_of(x)
    rest = np.ones(len(x), dtype=bool)
    numbers, counts = np.unique(octaves, return_counts=True)
    for octave in numbers[counts >= MANY]:
        pieces = table(int(octave))
        if pieces is not None:
            part = octaves == octave
            value, error = pieces(x[part])
            result[:, part] = value[0], error[0]
            rest[part] = False
    left = np.flatnonzero(rest)
    for start in range(0, len(left), TOGETHER):
        part = left[start : start + TOGETHER]
        result[:, part] = np.stack([np.broadcast_to(y, len(part)) for y in direct(x[part])])
    return result
