"""What a cache hands out cannot be changed by who gets it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest

from pertsym.baths.piecewise_integral import _gauss_rule
from pertsym.baths.piecewise_sampling import _legendre_rule
from pertsym.dynamics.imaginary_time import _gauss, _tanh_sinh
from pertsym.systems.proton_transfer import grid_states

Arrays = Iterable["np.ndarray[tuple[int, ...], np.dtype[np.float64]]"]


def levels() -> Arrays:
    states = grid_states(0.1, 3).states
    return states.energies, states.vectors


@pytest.mark.parametrize(
    "shared",
    [
        lambda: _legendre_rule(8),
        lambda: _gauss_rule(8),
        lambda: _tanh_sinh(0.2),
        lambda: _gauss(7),
        levels,
    ],
)
def test_shared_arrays_refuse_to_be_written(shared: Callable[[], Arrays]) -> None:
    for array in shared():
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0.0
