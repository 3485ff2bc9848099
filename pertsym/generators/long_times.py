"""Which elements of the long-time generator do not exist, because C(t) decays too slowly.

Where Ĉ(w) is not analytic, C(t) keeps an algebraic tail: a term |w - w_s|^p of Ĉ gives
C(t) ~ e^{-i w_s t} t^-(p+1).  Which elements of the generator it makes diverge is decided by
probing.  With a weak correlation function that decays slowly, on the time 1/eps, the part of an
element with j contractions of the probe grows as eps^-M where the time integral over a tail, cut
at T, grows as T^(M - j (p+1)).  Those parts are extracted exactly, because the generator is a
polynomial in the probe's strength.  The same decides about any other quantity that the recursion
gives, such as the initial slip.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pertsym.baths.correlation import Correlation
from pertsym.baths.divergence import power_text
from pertsym.baths.exponentials import Exponentials
from pertsym.generators.limit import Limit
from pertsym.generators.product_form import ProductForm
from pertsym.generators.system import Array, Correlated, System

Solve = Callable[[System, Sequence[Correlated], int], Array]
"""A quantity of one order, N^2 x N^2, for baths of exponentials."""

_SLOWNESS = (1e-4, 1e-5)  # eps of the two probes, of the smallest frequency in play
_SPREAD = ((1.0, 1.0), (2.7, 0.6))  # rates and weights of a probe's exponentials, over eps
_SAME_FREQUENCY = 1e-12  # of the spectrum: Bohr frequencies that differ by rounding
_ROUNDING = 64 * np.finfo(float).eps  # of an element, in any of its parts
_PRESENT = 1e-6  # of the largest response of this growth


@dataclass(frozen=True)
class Tail:
    """C(t) of a bath ~ phase e^{-i frequency t} t^-(power + 1) at late times."""

    bath: str
    frequency: float
    power: float
    phase: complex


def tails(correlations: Mapping[str, Correlation]) -> Iterator[Tail]:
    """The leading algebraic tails of every bath, from the points where its Ĉ is not analytic.

    At T > 0 the term |w|^p of Ĉ at w = 0 is even, its tail real; the term sign(w) |w|^(p+1) that
    comes with it gives an imaginary one.
    """
    for name, correlation in correlations.items():
        thermal = correlation.thermal
        for point in thermal.points if not thermal.is_zero else ():
            power = point.regularity
            if power == math.inf:
                continue
            if point.position == 0 and not thermal.zero_temperature:
                yield Tail(name, 0.0, power, 1.0)
                if thermal.statistics == "boson":
                    yield Tail(name, 0.0, power + 1, 1j)
            else:
                yield Tail(name, point.position, power, cmath.exp(-0.5j * math.pi * (power + 1)))


def generator_of(system: System, baths: Sequence[Correlated], order: int) -> Array:
    """The generator of one order for t -> infinity."""
    return Limit.of(system, baths, order).generators[order]


def stand_ins(system: System, names: Iterable[str]) -> tuple[Correlated, ...]:
    """Any exponentials for baths, on the system's own scale: the contractions beside slow ones."""
    unit = float(np.abs(system.gaps).max(initial=0.0)) or 1.0
    # of the size of the probes, whose G(0) is about 1
    fast = Exponentials((0.5 * unit, 0.25j * unit), (unit * (1 + 0.3j), unit * (0.7 - 0.2j)))
    return Correlated.independent((name, fast) for name in names)


def divergent_elements(
    system: System,
    correlations: Mapping[str, Correlation],
    order: int,
    solve: Solve = generator_of,
    integrals: int | None = None,
) -> dict[tuple[int, int], str]:
    """(row, column) of K_order -> the term and the power that make it diverge.

    Parameters
    ----------
    system
    correlations
        The baths, whose tails are the question.
    order
        4, 6, ...
    solve, integrals
        Another quantity than the generator, and over how many times its terms are integrated;
        the generator's order - 1.
    """
    found: dict[tuple[int, int], str] = {}
    baths = stand_ins(system, correlations)
    integrals = order - 1 if integrals is None else integrals
    for tail in tails(correlations):
        if tail.power > integrals - order // 2:  # so many integrals may go over the tail's time
            continue
        for place, (contractions, growth) in _growth(
            system, baths, tail, order, solve, integrals
        ).items():
            found.setdefault(place, _reason(tail, contractions, growth))
    return found


def _reason(tail: Tail, contractions: int, growth: int) -> str:
    decay = f"C(t) ~ t^{power_text(-tail.power - 1)}, bath {tail.bath}"
    left = power_text(growth - contractions * (tail.power + 1) - 1)
    what = "a term" if contractions == 1 else f"a term with {contractions} factors C"
    return f"{what} grows as ∫dt t^{left} at t -> inf, {decay}"


def _growth(
    system: System,
    baths: Sequence[Correlated],
    tail: Tail,
    order: int,
    solve: Solve,
    integrals: int,
) -> dict[tuple[int, int], tuple[int, int]]:
    """The elements that diverge: the number of slow contractions and the power M of 1/eps."""
    unit = _smallest_frequency(system, tail)
    slow, slower = (
        [np.abs(part) for part in _responses(system, baths, tail, order, eps * unit, solve)]
        for eps in _SLOWNESS
    )
    ratio = _SLOWNESS[0] / _SLOWNESS[1]
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for contractions, (before, after) in enumerate(zip(slow, slower, strict=True), start=1):
        for growth in range(1, integrals + 1):
            if growth < contractions * (tail.power + 1):
                continue
            # a response ~ eps^-M grows by ratio^M; half a power decides
            grown = after > ratio ** (growth - 0.5) * before
            large = after > _PRESENT * np.max(after, where=grown, initial=0.0)
            for row, column in np.argwhere(grown & large & (after > 0)):
                found[int(row), int(column)] = contractions, growth
    return found


def _smallest_frequency(system: System, tail: Tail) -> float:
    """The smallest frequency that a slow probe must resolve."""
    gaps = np.unique(np.abs(system.gaps))
    spread = max(float(gaps[-1]), abs(tail.frequency))
    sums = np.abs(np.add.outer(gaps, -gaps)).reshape(-1)
    every = np.concatenate([gaps, sums, np.abs(gaps - abs(tail.frequency))])
    return float(min(every[every > _SAME_FREQUENCY * spread], default=1.0))


def _responses(
    system: System,
    baths: Sequence[Correlated],
    tail: Tail,
    order: int,
    slowness: float,
    solve: Solve,
) -> Array:
    """The parts of one order with 1, 2, ... contractions of a probe of unit strength."""
    degree = order // 2
    strengths = np.arange(-(degree // 2), (degree + 1) // 2 + 1, dtype=float)
    rates = tuple(complex(rate * slowness, tail.frequency) for rate, _ in _SPREAD)
    values = []
    for strength in strengths:
        # weak, so that all powers of the strength are of similar size
        weights = tuple(strength * slowness * weight * tail.phase for _, weight in _SPREAD)
        slow = Exponentials(weights, rates)
        probe = [Correlated(tail.bath, tail.bath, slow)] if strength else []
        values.append(solve(system, [*baths, *probe], order))
    parts = np.linalg.inv(np.vander(strengths, increasing=True))[1:]
    scale = slowness ** -np.arange(1.0, degree + 1)[:, None, None]
    responses: Array = np.tensordot(parts, np.array(values), axes=1) * scale
    noise: Array = _ROUNDING * np.abs(values).max(axis=0)
    if order == 4 and solve is generator_of:
        noise = noise + ProductForm(system, [*baths, *probe]).rounding()
    responses[np.abs(responses) <= noise * scale] = 0.0
    return responses
