"""Adaptive Gauss-Kronrod quadrature of many panels at once, with a bound that includes rounding."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.gauss_kronrod import gauss_kronrod
from pertsym.baths.jets import EPS

_Array = NDArray[np.float64]

_GOAL = 1e-16  # of the integral of |f|: one panel may miss so much
_MAX_DEPTH = 60
_MAX_PANELS = 20000  # beyond those given


class Panels(NamedTuple):
    """Intervals [anchor + low, anchor + high]; the anchor is kept apart to keep digits."""

    anchor: _Array
    low: _Array
    high: _Array


class Quadrature(NamedTuple):
    """An integral, the bound of its error, and the integral of the absolute value."""

    value: float
    error: float
    size: float


NOTHING = Quadrature(0.0, 0.0, 0.0)


def integrate(
    function: Callable[[_Array, _Array], tuple[_Array, _Array]],
    panels: Panels,
    elsewhere: float = 0.0,
) -> Quadrature:
    """Integrate over all panels.

    Parameters
    ----------
    function : callable
        Takes anchors and offsets (arrays of shape (panels, nodes)) and returns values and
        bounds of their absolute errors.
    panels : Panels
    elsewhere : float
        Size of the other parts of the same sum, against which an error is negligible.

    Notes
    -----
    The error of a panel is the difference of the two rules, i.e. the error of the lower one; the
    value returned is that of the higher one.
    """
    rule = gauss_kronrod()
    values: list[_Array] = []
    errors: list[_Array] = []
    settled_size, pieces = 0.0, -len(panels.low)
    for depth in range(_MAX_DEPTH):
        length = panels.high - panels.low
        offsets = panels.low[:, None] + length[:, None] * rule.nodes
        anchors = np.broadcast_to(panels.anchor[:, None], offsets.shape)
        f, bound = function(anchors, offsets)
        value = length * (f @ rule.weights)
        size = length * (np.abs(f) @ rule.weights)
        rounding = length * (bound @ rule.weights) + 4 * EPS * size
        gap = np.abs(value - length * (f @ rule.gauss_weights))
        seen = elsewhere + settled_size + float(np.sum(size))
        rough = gap > np.maximum(2 * rounding, _GOAL * seen)
        pieces += len(length)
        if depth == _MAX_DEPTH - 1 or pieces > _MAX_PANELS:
            rough = np.zeros_like(rough)
        keep = ~rough
        values.append(value[keep])
        errors.append((gap + rounding)[keep])
        settled_size += float(np.sum(size[keep]))
        if not np.any(rough):
            break
        low, high, anchor = panels.low[rough], panels.high[rough], panels.anchor[rough]
        middle = (low + high) / 2
        panels = Panels(
            np.concatenate((anchor, anchor)),
            np.concatenate((low, middle)),
            np.concatenate((middle, high)),
        )
    total = float(sum(map(np.sum, values)))
    error = float(sum(map(np.sum, errors))) + 4 * EPS * settled_size
    return Quadrature(total, error, settled_size)
