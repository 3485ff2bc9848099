"""What lies beyond the last term of a sum over nodes, from the last three, and its error.

Terms are given from the end inwards, on the last axis.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pertsym.baths.node_path import ANGLE, EPS, OPERATIONS, nonzero

SLOW = 0.3  # a fall that the ratio of two terms does not tell
APART = 6  # nodes of a ray by which powers that diverge are told apart
STEEPEST, FLATTEST = 6, 0.5  # n of e^(-n x), and B/(A + B x), of what is taken for a logarithm


def continued(
    terms: Any, step: float, fall: float | None = None, logarithm: bool = False
) -> tuple[Any, Any]:
    """What lies beyond terms[..., 0], where they fall like a geometric series, and its error.

    A slow fall e^(fall x), known from the powers of w, is not left to the ratio of two terms.  Of a
    spectrum ~ 1/w, whose transform goes as log(w)/w, terms may go as (A + B x) e^(-n x): what
    claims the smaller error is taken.
    """
    if fall is not None and 0 < fall < SLOW:
        leading, rest, error = resolved(terms, step, fall)
        own = 1 / math.expm1(step * fall)
        return leading * own + rest, error * own
    first, second, third = terms[..., 0], terms[..., 1], terms[..., 2]
    sums = geometric(terms[..., :2], terms[..., 1:3])
    rest = sums[..., 0]
    error = 3 / step * np.abs(rest - (sums[..., 1] - first))
    if not logarithm:
        return rest, error
    with np.errstate(all="ignore"):
        n = np.rint(np.log(np.abs(second / first)) / step)
    q = np.exp(-step * np.where((n >= 1) & (n <= STEEPEST), n, 1.0))
    rise = first - q * second
    missed = np.abs(first - 2 * rise - q * q * third)
    left = q / (1 - q)
    other, own = (first + rise / (1 - q)) * left, 2 * missed * left * (1 + q) / (1 - q) ** 2
    # beside a zero of A + B x, which no spectrum has far out, n would be misread
    better = (own < error) & (np.abs(rise) < FLATTEST * step * np.abs(first))
    return np.where(better, other, rest), np.where(better, own, error)


def resolved(terms: Any, step: float, fall: float) -> tuple[Any, Any, Any]:
    """Terms as A e^(fall x) + B e^((fall + 1) x): A, what B adds beyond, and the error of A."""
    first, second, third = terms[..., 0], terms[..., 1], terms[..., 2]
    slow, fast = math.exp(step * fall), math.exp(step * (fall + 1))
    steep = (second - first * slow) / (fast - slow)
    leading = first - steep
    missed = np.abs(third - leading * slow**2 - steep * fast**2)
    error = (4 * missed / step + OPERATIONS * EPS * np.abs(first)) / step
    return leading, steep / math.expm1(step * (fall + 1)), error


def finite(terms: Any, step: float) -> tuple[Any, Any]:
    """The finite part of what lies beyond terms of two rays, every `APART`-th, that diverges.

    They go as e^-x, e^x and e^(2x): the constant between is odd and cancels.
    """
    powers = np.array([-1.0, 1.0, 2.0])
    places = np.exp(np.outer(np.arange(4) * APART * step, powers))
    shares = np.linalg.solve(places[:3], terms.real[..., :3, None])[..., 0]
    own = 1 / np.expm1(step * powers)
    missed = np.abs(terms.real[..., 3] - shares @ places[3])
    rounding = OPERATIONS * EPS * np.abs(terms).max(-1)
    return shares @ own, 4 * (missed + rounding) * np.abs(own).sum()


def mirrored(right: Any, left: Any, step: float, fall: float, order: int) -> tuple[Any, Any]:
    """`continued` for the inner ends of two rays together, for a kernel 1/w^order.

    Ĉ ~ |w|^p on both sides, so that the two are e^(-+i angle fall) of one number but for the sign
    (-1)^order: where they nearly cancel the difference is taken here.
    """
    parts = [resolved(terms, step, fall) for terms in (right, left)]
    turn, sign = np.exp(1j * ANGLE * fall), (-1) ** order
    one, other = parts[0][0] * turn, sign * parts[1][0] / turn
    error = parts[0][2] + parts[1][2]
    own = 1 / math.expm1(step * fall)
    both = 2 * math.cos(ANGLE * fall) if sign > 0 else -2j * math.sin(ANGLE * fall)
    value = (one + other) / 2 * both + (one - other) / 2 * (1 / turn - sign * turn)
    alike = np.abs(one - other) <= error
    value = np.where(alike, (one + other) / 2 * both, value)
    error = error * np.where(alike, abs(both), 2.0)
    return value * own + parts[0][1] + parts[1][1], error * own + 8 * EPS * np.abs(value) * own


def geometric(last: Any, before: Any) -> Any:
    """The sum of what follows `last`, 0 where it does not fall."""
    ratio = last / nonzero(before)
    falls = (np.abs(ratio) < 1 - 1e-4) & (before != 0)
    return np.where(falls, last * ratio / (1 - np.where(falls, ratio, 0.0)), 0.0)
