"""A spectral density given by samples."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from pertsym.baths import balls, jets
from pertsym.baths.balls import Ball
from pertsym.baths.checks import OTHER_UNIT, given_as, in_range, numbers, require
from pertsym.baths.densities.density import Density, register
from pertsym.baths.jets import EPS, Jet
from pertsym.exact import LARGEST

Interpolation = Literal["monotone-cubic", "linear"]
"""What J is between samples."""

_NO_CURVATURE: Final = (Fraction(0), Fraction(0))
_FEWEST: Final = 5  # samples of which every other still says something


@register("table")
@dataclass(frozen=True)
class Table(Density):
    """J(w) through samples, with Ĉ(w > 0) = 2 J(w) [n(w) + 1].

    Below the first sample J is the straight line from J(0) = 0; beyond the last sample J = 0,
    with a jump there unless the last J is 0.

    Parameters
    ----------
    w : sequence of float
        At least two frequencies, strictly increasing, >= 0.
    J : sequence of float
        As many values >= 0; 0 at w = 0.
    interpolation : "monotone-cubic" or "linear"
        Between samples: cubic pieces with a continuous slope that never overshoot (PCHIP: Fritsch,
        Butland, SIAM J. Sci. Stat. Comput. 5 (1984) 300), J'' jumps at the samples; or straight
        lines, J' jumps at the samples.

    Raises
    ------
    ValueError
        If a list is out of range; the message starts with its name.
    """

    w: tuple[float, ...] = field(metadata=given_as("reals"))
    J: tuple[float, ...] = field(metadata=given_as("reals"))
    interpolation: Interpolation = field(default="monotone-cubic", metadata=given_as("text"))

    powers_vary = False
    polynomial = True
    continues = False
    axis = math.inf
    ultraviolet_power = -math.inf
    leading = 1.0

    def __post_init__(self) -> None:
        for name in ("w", "J"):
            found = numbers(name, getattr(self, name), float, "numbers", "give one number a sample")
            require(
                in_range(found, 0.0),
                name,
                f"at most {LARGEST:g}",
                max(found, default=0),
                OTHER_UNIT,
            )
            object.__setattr__(self, name, found)
        w, values = np.array(self.w), np.array(self.J)
        require(len(w) >= 2, "w", "a list of at least two frequencies", self.w, "add samples")
        require(len(w) == len(values), "J", "as many as w", len(values), "pair every w with a J")
        require(w[0] >= 0, "w", ">= 0", self.w[0], "J is only given for positive w")
        require(np.diff(w) > 0, "w", "strictly increasing", self.w, "sort it, drop repeated w")
        require(values >= 0, "J", ">= 0", min(self.J), "a spectral density is not negative")
        choices = get_args(Interpolation)
        known = self.interpolation in choices
        wanted = " or ".join(map(repr, choices))
        require(known, "interpolation", wanted, self.interpolation, "choose one, or leave it out")
        if w[0] == 0:
            require(values[0] == 0, "J", "0 at w = 0", self.J[0], "J is an odd function of w")

    @cached_property
    def knots(self) -> tuple[float, ...]:
        """0 and every sample: the ends of the pieces; J = 0 beyond the last."""
        return self.w if self.w[0] == 0 else (0.0, *self.w)

    @cached_property
    def _exact(self) -> tuple[tuple[Fraction, ...], ...]:
        """Ascending coefficients of each piece in w - knot, exact in the samples and slopes.

        Rounded coefficients would leave jumps of J and J' at the knots, and with them logarithms
        in principal values.
        """
        w, values = [Fraction(x) for x in self.w], [Fraction(x) for x in self.J]
        steps = zip(pairwise(w), pairwise(values), strict=True)
        rises = [(q - p) / (b - a) for (a, b), (p, q) in steps]
        pieces = [] if self.w[0] == 0 else [(Fraction(0), values[0] / w[0], *_NO_CURVATURE)]
        if self.interpolation == "linear":
            pieces += [(p, rise, *_NO_CURVATURE) for p, rise in zip(values, rises, strict=False)]
        else:
            slopes = [Fraction(float(d)) for d in _monotone_slopes(self.w, self.J)]
            for i, rise in enumerate(rises):
                length = w[i + 1] - w[i]
                bend = (3 * rise - 2 * slopes[i] - slopes[i + 1]) / length
                twist = (slopes[i] + slopes[i + 1] - 2 * rise) / length**2
                pieces.append((values[i], slopes[i], bend, twist))
        return (*pieces, (Fraction(0), Fraction(0), *_NO_CURVATURE))

    @cached_property
    def coefficients(self) -> NDArray[np.float64]:
        """Ascending coefficients in w - knot of each piece, J = 0 beyond the last knot as one."""
        return np.array([[float(c) for c in piece] for piece in self._exact])

    @cached_property
    def interpolation_error(self) -> float:
        """An estimate of |J - interpolant| between samples, from those left out of every other.

        The largest difference at the samples from the interpolant through every other one, the
        last included: an overestimate where the samples resolve J.  nan for fewer than 5 samples.
        """
        if len(self.w) < _FEWEST:
            return np.nan
        kept = sorted({*range(0, len(self.w), 2), len(self.w) - 1})
        coarse = Table(
            tuple(self.w[i] for i in kept), tuple(self.J[i] for i in kept), self.interpolation
        )
        # the last itself is the jump to 0, not an interpolated value
        return float(np.max(np.abs(coarse.at(np.array(self.w[:-1])) - np.array(self.J[:-1]))))

    @property
    def infrared_power(self) -> float:
        """The first power that is present in the piece that starts at 0."""
        return next((float(k) for k, c in enumerate(self._exact[0]) if c), np.inf)

    @property
    def kink_power(self) -> float:
        return 2.0 if self._exact[0][2] else np.inf

    @property
    def scale(self) -> float:
        return self.w[int(np.argmax(self.J))] or self.w[-1]

    kink_scale = scale

    @property
    def is_zero(self) -> bool:
        return not any(self.J)

    @property
    def end(self) -> float:
        return self.w[-1]

    def remarks(self) -> tuple[str, ...]:
        if not self.interpolation_error > 0:
            return ()
        return (
            f"J between its {len(self.w)} samples is {self.interpolation}; without every other "
            f"sample it would differ by up to {self.interpolation_error:.2g}",
        )

    @cached_property
    def edges(self) -> tuple[tuple[float, float], ...]:
        found = []
        for i, (x, y) in enumerate(pairwise(map(Fraction, self.knots))):
            h, (a, b, c, d) = y - x, self._exact[i]
            ends = a + h * (b + h * (c + h * d)), b + h * (2 * c + 3 * h * d), c + 3 * h * d, d
            pairs = enumerate(zip(ends, self._exact[i + 1], strict=True))
            order = next((k for k, (before, after) in pairs if before != after), None)
            if order is not None:
                found.append((self.knots[i + 1], float(order)))
        return tuple(found)

    def jet(self, w: Jet, place: tuple[Any, Any] | None = None) -> Jet:
        """J of a jet w > 0; a `place` is two numbers with the sum w."""
        index, x = self._piece_of(w, place)
        return self._polynomial(self.coefficients[index], x)

    def reduced_jet(self, w: Jet, place: tuple[Any, Any] | None = None) -> Jet:
        """J(w)/w of a jet w > 0; a `place` is two numbers with the sum w."""
        # the first piece has no constant term: dividing it by w is dropping a power
        index, x = self._piece_of(w, place)
        lowered = self.coefficients.copy()
        lowered[0] = [*lowered[0, 1:], 0.0]
        plain = self._polynomial(lowered[index], x)
        general = plain / w
        pairs = (plain.c, general.c), (plain.e, general.e)
        chosen = ((np.where(index == 0, *pair) for pair in zip(*p, strict=True)) for p in pairs)
        return Jet(*map(tuple, chosen))

    def core(self, w: Ball, piece: int = 0) -> Ball:
        *rest, first = [balls.rational(c) for c in reversed(self._exact[piece])]
        x, result = w - balls.rational(self.knots[piece]), 0 * w
        for c in rest:
            result = result * x + c
        return (result * x + first) / w if piece else result

    @staticmethod
    def _polynomial(coefficients: NDArray[np.float64], x: Jet) -> Jet:
        """With ascending coefficients along the last axis, each rounded once."""
        result = jets.constant(0.0, x)
        for value in np.moveaxis(coefficients, -1, 0)[::-1]:
            rounded = Jet((value, *x.zeros), (EPS / 2 * np.abs(value), *x.zeros))
            result = result * x + rounded
        return result

    def _piece_of(self, w: Jet, place: tuple[Any, Any] | None) -> tuple[Any, Jet]:
        """Index of the piece that holds each w, J = 0 the last, and the jet of w - knot.

        From a place beside a knot, not as a difference of frequencies: a piece may be narrow.
        """
        knots = np.array(self.knots)
        index = np.searchsorted(knots, np.asarray(w.c[0]), side="right") - 1
        if place is None:
            return index, w - knots[index]
        anchor, offset = place
        nearest = np.searchsorted(knots, anchor)
        met = np.append(knots, np.inf)[nearest] == anchor
        beside = np.where(offset < 0, np.minimum(index, nearest - 1), np.maximum(index, nearest))
        index = np.where(met & (offset != 0), beside, index)
        x = (anchor - knots[index]) + offset
        return index, Jet((x, *w.c[1:]), (2 * EPS * np.abs(x), *w.e[1:]))


def _monotone_slopes(w: tuple[float, ...], values: tuple[float, ...]) -> NDArray[np.float64]:
    from scipy.interpolate import PchipInterpolator  # slow to import, and rarely needed

    return np.asarray(PchipInterpolator(np.array(w), np.array(values)).derivative()(np.array(w)))
