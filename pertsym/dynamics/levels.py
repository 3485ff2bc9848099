"""Energies and their differences, and which of them are equal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

_ROUNDINGS: Final = 64  # of the largest |E|: what a diagonalisation may separate


def rounding_of(energies: Sequence[float]) -> float:
    """Energies closer than this differ by rounding only."""
    return _ROUNDINGS * float(np.finfo(float).eps) * max(abs(energy) for energy in energies)


def merged(energies: Sequence[float]) -> tuple[float, ...]:
    """The same energies, those that differ by rounding only made equal (order kept)."""
    tolerance = rounding_of(energies)
    result = list(energies)
    order = sorted(range(len(result)), key=result.__getitem__)
    for lower, upper in pairwise(order):
        if energies[upper] - energies[lower] <= tolerance:
            result[upper] = result[lower]
    return tuple(result)


def bohr_frequencies(energies: Sequence[float]) -> NDArray[np.float64]:
    """D_nm = E_n - E_m, shape (N, N)."""
    levels = np.asarray(energies, dtype=float)
    gaps: NDArray[np.float64] = levels[:, None] - levels[None, :]
    return gaps
