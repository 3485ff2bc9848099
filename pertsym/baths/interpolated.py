"""Finite-part integrals and values at w = 0 over one parameter: polynomials on panels.

What `integrals` finds for given beta and w0 is analytic in beta where w0 is fixed (see
`thermal_tables`), and in w0 where beta is fixed, in a sector of more than 40 degrees: no pole of
the kernel meets the path before.  Over w0 resonances may be closer, and panels are halved there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np

from pertsym.baths.node_integrals import node_pair
from pertsym.baths.nodes import Nodes
from pertsym.baths.thermal_tables import (
    MANY,
    RING,
    WORTH,
    Barycentric,
    Panel,
    Polynomial,
    Residues,
    moved,
    panels_met,
    through,
)

TOGETHER = 256  # points that are asked for together, if there are no polynomials
APART = 2.8  # halves of a panel over w0 to the nearest resonance: its path is not met on the ring


class Asked(NamedTuple):
    """What is asked about one or two baths, whose amplitudes are 1.

    Who evaluates adds `answer(a, b, w0)`: value and bound of the error for two baths of `at`, whose
    beta may be arrays, at a number w0.  Where the baths come from is a tuple with `beta` (None
    stands for what varies), `path(beta)` as `thermal_path` gives it (None of a sum of
    exponentials), and `at(beta)`: the bath, with these beta if they vary.  This text becomes part
    of exports.

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


@lru_cache(maxsize=512)
def by_temperature(
    questions: tuple[Any, ...], a: Any, b: Any, w0: float, panel: Panel
) -> Polynomial | Barycentric:
    """The answers for every beta of a panel."""
    one, other = (x.at(panel.points) for x in (a, b))
    largest = []
    for question in questions:
        pair = _nodes(question, one, other, w0)
        sizes = [moved(nodes, x, panel) for nodes, x in zip(pair, (a, b), strict=True)]
        largest.append(_largest(question, sizes, one, w0, a, panel.ring))
    value, error = _answers(questions, one, other, w0)
    return through(panel, value, error, np.stack(largest))


@lru_cache(maxsize=512)
def by_frequency(questions: tuple[Any, ...], a: Any, b: Any, panel: Panel) -> Polynomial:
    """The answers for every w0 of a panel at scalar beta."""
    one, other = a.at(None), b.at(None)
    largest = []
    for question in questions:
        pairs = (_nodes(question, one, other, x) for x in (panel.low, panel.high))
        sizes = ([Residues.still(nodes) for nodes in pair] for pair in pairs)
        largest.append(
            np.maximum(*(_largest(question, x, one, panel.ring, a, panel.ring) for x in sizes))
        )
    value, error = _answers(questions, one, other, panel.points)
    made = through(panel, value, error, np.stack(largest))
    assert isinstance(made, Polynomial)  # panels of w0 are octaves or less
    return made


@lru_cache(maxsize=512)
def _resonances(question: Any, a: Any, b: Any) -> Any:
    """Where the answer at scalar beta, or the sum that it is, may be singular in w0."""
    poles = []
    for bath in (a.at(None), b.at(None)):
        positions, residues = bath.nodes(bath.frequency_scale, bath.frequency_scale).resonances
        poles.append(positions[np.abs(residues) > 0])
    places = np.concatenate((*poles, np.add.outer(*poles).ravel()))
    at = {p for _, _, p, _ in question.kernel}
    multiples = at | {question.shift} | {question.shift + question.reflect * p for p in at}
    ratios = [np.divide(places, n) for n in sorted({abs(n) for n in multiples if n})]
    return np.concatenate([np.empty(0, complex), *ratios])


def is_smooth(questions: tuple[Any, ...], a: Any, b: Any, panel: Panel) -> bool:
    """Whether polynomials over w0 serve a panel: its ring meets no resonance."""
    places = np.concatenate([_resonances(question, a, b) for question in questions])
    beside = np.maximum(np.abs(np.abs(places.real) - panel.centre) - panel.half, 0.0)
    return bool(np.all(np.hypot(beside, places.imag) > APART * panel.half))


def _nodes(question: Any, a: Any, b: Any, w0: float) -> tuple[Nodes, Nodes]:
    """The rules that the answer is made of, or others whose nodes reach as far."""
    if question.kind in "PR":
        scale = a.frequency_scale
        nodes = a.nodes(scale * 1e-3, scale)
        return nodes, nodes
    places = [] if question.kind == "J" else [p for _, p, _ in question.poles(w0)]
    return node_pair(a, b, question.reflect, question.shift * w0, places)


def _largest(
    question: Any, sizes: Sequence[Residues], bath: Any, w0: Any, source: Any, ring: Any
) -> Any:
    """A bound of the answer on the ring, of beta or of w0: the sum of the sizes of its terms."""
    (poles, own), (places, other) = sizes
    if question.kind == "P":
        m = question.derivative
        terms = own / np.abs(poles) ** (m + 1)
        return 2 * math.pi * math.factorial(m) * terms.sum(-1)
    scale = float(np.min(bath.kink_scale))
    regular = own / np.abs(poles**2 + scale**2)
    if question.kind == "R":
        return 2 * math.pi * regular.sum(-1)
    if question.reflect > 0:
        other = other[::-1]
    s = np.atleast_1d(question.shift * w0)[:, None]

    def distances(w: Any) -> Any:
        """From the arguments of G_B at w to its poles."""
        image = s - w if question.reflect < 0 else (s + w).conj()
        return np.abs(image[..., None] - places)

    def levels(away: Any, sizes: Any, power: int = 1) -> Any:
        return ((1 / away**power) @ sizes[..., None])[..., 0]

    apart = distances(poles)
    factor = levels(apart, other)
    if question.kind == "J":
        at_pole = distances(np.zeros(1))
        away = at_pole[:, 0]
        rise = levels(apart, other / away)
        level, slope = (levels(at_pole, other, n) for n in (1, 2))
        radii = np.abs(poles)
        size = (own * rise / radii).sum(-1) + level[:, 0] * regular.sum(-1)
        total = 2 * math.pi * (size + (own / radii).sum(-1) * slope[:, 0])
    else:
        kernel, total = 0.0, 0.0
        for c, place, n in question.poles(w0):
            p = np.broadcast_to(place, RING).astype(complex)
            kernel = kernel + np.reshape(c, (-1, 1)) / (poles - p[:, None]) ** n
            heights = _heights(source, p, sizes[0], ring)
            around = distances(p[:, None])
            residue = sum(heights[k] * levels(around, other, n - k)[:, 0] for k in range(n))
            total = total + math.pi * np.abs(c) * residue
        total = total + 2 * math.pi * (own * factor * np.abs(kernel)).sum(-1)
    return (2 * math.pi if question.transform else 2.0) * total


def _heights(source: Any, p: Any, sizes: Residues, ring: Any) -> list[Any]:
    """Taylor coefficients of Ĉ_A in size, at a pole p on or near the axis, or as the nodes tell."""
    path = None
    if np.all(p):
        path = source.path(ring)
    if path is None:
        away = [np.abs(z[:, None] - sizes.poles) for z in (p, p.conj())]
        return [sum((sizes.sizes / x ** (k + 1)).sum(-1) for x in away) for k in range(3)]
    step = 1e-4 * np.abs(p)
    at = p[:, None] + np.multiply.outer(step, [-1.0, 0.0, 1.0])
    found = path.spectrum(at[0] if source.beta is None else at.ravel())
    below, here, above = np.reshape(found, (RING, 3)).T
    bend = np.abs(above - 2 * here + below) / (2 * step**2)
    return [np.abs(here), np.abs(above - below) / (2 * step), bend]


def interpolated(
    questions: tuple[Any, ...], a: Any, b: Any, w0: Any, beta: Any
) -> list[tuple[Any, Any]] | None:
    """Values and errors over w0 and those beta that vary, None where that is not worthwhile."""
    (splittings, place), (inverses, column) = (
        _distinct(np.asarray(x, dtype=float).tobytes()) for x in (w0, beta)
    )
    place, column = place.reshape(np.shape(w0)), column.reshape(np.shape(beta))
    points = math.prod(np.broadcast_shapes(place.shape, column.shape))
    if len(splittings) * len(inverses) > 4 * points or np.any(np.isinf(inverses)):
        return None
    table = np.empty((2, len(questions), len(splittings), len(inverses)))
    answers = partial(_answers, questions)
    if (a.beta is None or b.beta is None) and len(splittings) <= len(inverses):
        for k, w in enumerate(map(float, splittings)):
            ask = partial(_at_temperatures, answers, a, b, w)
            table[:, :, k] = _over(inverses, ask, partial(by_temperature, questions, a, b, w))
    else:
        for k, x in enumerate(map(float, inverses)):
            pair = [s._replace(beta=x) if s.beta is None else s for s in (a, b)]
            table[..., k] = _over(
                splittings,
                partial(answers, *(s.at(None) for s in pair)),
                partial(by_frequency, questions, *pair),
                partial(is_smooth, questions, *pair),
            )
    return [
        (value[place, column], error[place, column]) for value, error in zip(*table, strict=True)
    ]


@lru_cache(maxsize=8)
def _distinct(x: bytes) -> tuple[Any, Any]:
    """The numbers without repetition, and which is where: several integrals ask for the same."""
    return np.unique(np.frombuffer(x), return_inverse=True)


def _answers(questions: tuple[Any, ...], a: Any, b: Any, w0: Any) -> Any:
    """Values and errors, (2, questions, points), over w0 or over those beta that vary."""
    places, count = np.ravel(w0).tolist(), max(np.size(a.beta), np.size(b.beta))
    result = np.empty((2, len(questions), len(places), count))
    for k, w in enumerate(places):  # all questions at one w0: they have factors in common
        for j, question in enumerate(questions):
            result[0, j, k], result[1, j, k] = question.answer(a, b, w)
    return result.reshape(2, len(questions), -1)


def _at_temperatures(answers: Any, a: Any, b: Any, w0: float, beta: Any) -> Any:
    return answers(a.at(beta), b.at(beta), w0)


def _over(
    x: Any,
    direct: Callable[[Any], Any],
    table: Callable[[Panel], Polynomial | Barycentric],
    smooth: Callable[[Panel], bool] | None = None,
) -> Any:
    """Values and errors at an array x > 0, panel by panel: octaves or, where smooth, parts."""
    found: list[tuple[Any, Any]] = []
    pending, left = list(panels_met(x.tobytes(), 0 if smooth else MANY)), []
    while pending:
        panel, part = pending.pop()
        if len(part) <= WORTH * panel.size:
            left.append(part)
        elif smooth is None or smooth(panel):
            found.append((part, np.stack(table(panel)(x[part]))))
        else:
            above = x[part] >= panel.centre
            pending += zip(panel.halves, (part[~above], part[above]), strict=True)
    rest = np.sort(np.concatenate([np.empty(0, int), *left]))
    for start in range(0, len(rest), TOGETHER):
        part = rest[start : start + TOGETHER]
        found.append((part, direct(x[part])))
    if len(found) == 1:
        return found[0][1]
    result = np.empty((*found[0][1].shape[:-1], len(x)))
    for part, own in found:
        result[..., part] = own
    return result
