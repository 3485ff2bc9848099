"""Finite-part integrals, and transforms at w = 0, at many points; part of exports that need them.

Points that share w0 are done together: the places of the nodes are common, the residues are not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from pertsym.baths.interpolated import Asked, interpolated
from pertsym.baths.node_integrals import (
    summed_finite_part,
    summed_regular_part,
    summed_regular_slope,
)
from pertsym.baths.nodes import Nodes
from pertsym.baths.tabulated import UNIT
from pertsym.baths.thermal_path import thermal_path
from pertsym.baths.thermal_tables import rule
from pertsym.codegen.runtime import (
    FEW,
    GROUP,
    TINY,
    Bath,
    Discrete,
    Varied,
    at_zero,
    constant,
    first,
)

NEAR_ZERO = 1e-290  # stands for w -> 0
KEPT = 1024  # answers of a bath
FROZEN = 1e100  # beta w of a bath that is at T = 0 as far as doubles can tell


class Unit:
    """A bath of amplitude 1, its parameters numbers or arrays of one length, that `integrals` asks.

    The density, beta and classical are as in `Bath`.
    """

    def __init__(self, density: Any, classical: bool, shape: tuple[Any, ...], beta: Any) -> None:
        values = dict.fromkeys(density.parameters, 1.0)
        values.update(zip(density.shape_parameters, shape, strict=True))
        self.bath = Bath(density, classical, values, beta)
        self.bath.amplitude, self.beta, self.least_beta = 1.0, beta, float(np.min(beta))
        made = density(*shape)
        self.path = thermal_path(made, classical, beta)
        # above what the path passes below, so that no pole of 1/(w^2 + L^2) lies between
        self.kink_scale = 2 * np.asarray(made.scale, dtype=float)
        self.frequency_scale = self.path.scale
        self.kept: dict[Any, Any] = {}

    def once(self, make: Callable[..., Any], *at: Any) -> Any:
        """What was made before is kept: several integrals ask for the same."""
        key = make.__name__, *at
        if key not in self.kept:
            if len(self.kept) >= KEPT:
                self.kept.clear()
            self.kept[key] = make(*at)
        return self.kept[key]

    @property
    def cold(self) -> Unit:
        """The same at T = 0."""
        if math.isinf(self.least_beta):
            return self
        found: Unit = self.once(self._cold)
        return found

    def _cold(self) -> Unit:
        bath = self.bath
        made = unit_of if all(isinstance(x, float) for x in bath.shape) else Unit
        return made(bath.density, False, bath.shape, math.inf)

    def nodes(self, floor: float, ceiling: float) -> Nodes:
        """For floor <= |z| <= ceiling, made for ranges that end at powers of 16, and kept."""
        if not self.bath.classical and self.least_beta * floor > FROZEN and self.cold is not self:
            return self.cold.nodes(floor, ceiling)
        ends = self.path.decisive(floor, ceiling)
        found: Nodes = self.once(self._nodes, *(2.0**k for k in ends))
        return found

    def _nodes(self, floor: float, ceiling: float) -> Nodes:
        if isinstance(self.beta, np.ndarray) and all(isinstance(x, float) for x in self.bath.shape):
            bath = self.bath
            source = Varied(bath.density, bath.classical, bath.shape, None)
            return rule(source, self.beta.tobytes(), floor, ceiling)
        return Nodes.of(self.path, floor, ceiling)

    def spectrum(self, w: float, m: int = 0) -> tuple[Any, Any]:
        """Ĉ^(m)(w), at w = 0 the value, or the mean slope."""
        if w:
            found = self.once(self.bath.spectra, abs(w), 1 if w > 0 else -1)
            return found[2 * m], found[2 * m + 1]
        if m:
            return self.once(mean_slope, self.bath)  # type: ignore[no-any-return]
        return self.once(at_zero, self.bath, np.float64(1.0))  # type: ignore[no-any-return]

    def transform(self, w: float, m: int = 0) -> tuple[Any, Any]:
        """P^(m)(w)."""
        return self.once(self._transform, w, m)  # type: ignore[no-any-return]

    def _transform(self, w: float, m: int) -> tuple[Any, Any]:
        if w == 0 and m == 0 and self.bath.classical:
            return 0.0, 0.0
        if w == 0 and m == 0 and self.cold is not self:
            # that at T = 0, because the even part of Ĉ drops out
            value, error = self.cold.transform(w)
            spread = np.zeros(np.shape(self.beta))
            return (value + spread)[()], (error + spread)[()]
        size = abs(w) or self.frequency_scale
        nodes = self.nodes(size if w else 2.0**-32 * size, size)
        found = nodes.half_sided(w, m) if w or nodes.analytic else nodes.at_zero(m)
        return seen_as_transform(*found)


class DiscreteUnit:
    """The same of a sum of exponentials."""

    def __init__(self, bath: Discrete) -> None:
        self.exact, self.bath, self.beta = bath.exact, bath, 0.0
        self.frequency_scale = float(np.min(np.abs(bath.exact.resonances[0])))
        self.kink_scale = 2 * self.frequency_scale

    def nodes(self, floor: float, ceiling: float) -> Nodes:
        return self.exact

    def spectrum(self, w: float, m: int = 0) -> tuple[Any, Any]:
        found = self.bath.spectra(np.asarray(w), 1)
        return found[2 * m], found[2 * m + 1]

    def transform(self, w: float, m: int = 0) -> tuple[Any, Any]:
        return seen_as_transform(*self.exact.half_sided(w, m))


def seen_as_transform(value: Any, error: Any) -> tuple[Any, Any]:
    """P of G."""
    return -2 * math.pi * value.imag, 2 * math.pi * error + 4 * UNIT * np.abs(value)


def mean_slope(bath: Any) -> tuple[Any, Any]:
    """[Ĉ'(+0) + Ĉ'(-0)]/2 of amplitude 1: J/w at w -> 0 at every temperature, classically 0."""
    if isinstance(bath, Discrete):
        found = bath.spectra(np.asarray(0.0), 1)
        return found[2], found[3]
    if bath.classical:
        return 0.0, 0.0
    with np.errstate(all="ignore"):
        r, _, error, _ = bath.density.reduced(NEAR_ZERO, *bath.shape)
    # s = 1.001 is not seen at any double beside 0
    r = np.where(np.asarray(bath.density(*bath.shape).infrared) > 1, 0.0, r)[()]
    return r, np.where(np.isnan(error), 64 * UNIT * np.abs(r), error) + TINY


@lru_cache(maxsize=64)
def unit_of(density: Any, classical: bool, shape: tuple[float, ...], beta: float) -> Unit:
    """Of scalar parameters."""
    return Unit(density, classical, shape, beta)


@lru_cache(maxsize=64)
def discrete_unit(bath: Discrete) -> DiscreteUnit:
    return DiscreteUnit(bath)


class Answering(Varied):
    """A bath for `interpolated`."""

    __slots__ = ()

    def at(self, beta: Any) -> Any:
        """The bath at these beta, if they vary."""
        if self.density is Discrete:
            return discrete_unit(self.shape[0])
        if self.beta is None:
            return varied_unit(self.density, self.classical, self.shape, beta.tobytes())
        return unit_of(self.density, self.classical, self.shape, self.beta)


@lru_cache(maxsize=64)
def varied_unit(density: Any, classical: bool, shape: tuple[float, ...], beta: bytes) -> Unit:
    return Unit(density, classical, shape, np.frombuffer(beta))


def source_of(bath: Any) -> Any:
    """The bath for `interpolated`, None where its shape varies."""
    if isinstance(bath, Discrete):
        return Answering(Discrete, False, (bath,), 0.0)
    return Answering(*bath.varied) if all(map(constant, bath.shape)) else None


def unit_at(bath: Any, part: Any) -> Any:
    """The bath at some of the points."""
    source = source_of(bath)
    if source is not None and source.beta is not None:
        return source.at(None)
    beta, *shape = (x[part] if np.ndim(x) else x for x in (bath.beta, *bath.shape))
    if np.ndim(beta) == 0:
        beta = np.full(len(part), beta)
    return Unit(bath.density, bath.classical, tuple(shape), beta)


def alike(count: int, baths: list[Any], w0: Any) -> Iterator[Any]:
    """Points that one call serves: one w0, the same powers of w at 0, and all at T = 0 or none."""
    columns = [np.broadcast_to(w0, count)]
    for bath in baths:
        if isinstance(bath, Bath):
            powers = bath.density(*bath.shape).infrared
            columns += [np.broadcast_to(x, count) for x in (powers, np.isinf(bath.beta))]
    _, inverse = np.unique(np.stack(columns, -1), axis=0, return_inverse=True)
    order = np.argsort(inverse.ravel(), kind="stable")
    for part in np.split(order, np.cumsum(np.bincount(inverse.ravel()))[:-1]):
        for start in range(0, len(part), GROUP):
            yield part[start : start + GROUP]


class Question(Asked):
    """What is asked about baths of amplitude 1, and the answer."""

    __slots__ = ()

    def answer(self, a: Any, b: Any, w0: Any) -> tuple[Any, Any]:
        """Value and error; beta may be an array, w0 is a number."""
        if self.kind == "P":
            return a.transform(0.0, self.derivative)  # type: ignore[no-any-return]
        if self.kind == "R":
            return summed_regular_slope(a)
        transform, reflect, shift = self.transform, self.reflect, self.shift * w0
        if not transform and reflect < 0 and shift <= 0 and is_cold(a) and is_cold(b):
            return 0.0, 0.0  # no frequency at which both spectra differ from 0
        poles = [(c, float(p), n) for c, p, n in self.poles(w0)]
        double = len(poles) == 1 and poles[0][1:] == (0.0, 2) and not transform
        if double and isinstance(b, Unit) and not np.any(b.spectrum(shift)[0]):
            value, error = summed_regular_part(False, a, b, reflect, shift)
            return poles[0][0] * value, abs(poles[0][0]) * error
        if self.kind == "J":
            return summed_regular_part(transform, a, b, reflect, shift)
        return summed_finite_part(transform, a, b, reflect, shift, poles)


def is_cold(bath: Any) -> bool:
    return isinstance(bath, Unit) and not bath.bath.classical and math.isinf(bath.least_beta)


def finite_parts(
    questions: tuple[Question, ...], a: Any, b: Any, w0: Any
) -> Sequence[tuple[Any, Any]]:
    """The answers at all points, amplitudes left outside; for "P" and "R" w0 and b do not count."""
    still = [question.kind in "PR" for question in questions]
    if all(still):
        w0 = np.ones(len(w0))
    elif any(still) and not constant(w0):
        pairs = list(zip(questions, still, strict=True))
        parts = (tuple(q for q, x in pairs if x == s) for s in (False, True))
        answers = [iter(finite_parts(part, a, b, w0)) for part in parts]
        return [next(answers[s]) for s in still]
    sources = [source_of(bath) for bath in (a, b)]
    one = sources[0]
    if one and all(q.kind == "P" and not q.derivative for q in questions):
        if one.beta is None:  # P(0) is the same at all T (see `Unit`)
            one = one._replace(beta=first(a.beta) if a.classical else math.inf)
        value, error = questions[0].answer(one.at(None), None, 1.0)
        return [(np.full(len(w0), value), np.full(len(w0), error))] * len(questions)
    betas = [bath.beta for bath, s in zip((a, b), sources, strict=True) if s and s.beta is None]
    if len(w0) > FEW and all(sources) and all(np.array_equal(x, betas[0]) for x in betas[1:]):
        found = interpolated(questions, sources[0], sources[1], w0, betas[0] if betas else 0.0)
        if found is not None:
            return found

    table = np.empty((len(questions), 2, len(w0)))
    for part in alike(len(w0), [a, b], w0):
        one = unit_at(a, part)
        other = one if a is b else unit_at(b, part)
        for rows, question in zip(table, questions, strict=True):
            rows[0, part], rows[1, part] = question.answer(one, other, float(w0[part[0]]))
    return [(value, error) for value, error in table]
