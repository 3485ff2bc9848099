"""The functions that `pertsym.codegen.portable` calls, in numpy; every language has its own."""

# ruff: noqa: F401
# mypy: implicit-reexport

from __future__ import annotations

from math import ceil, nan, pi
from operator import add as joined
from typing import Any

import numpy as np
from numpy import cos, cosh, exp, expm1, floor, imag, log, maximum, minimum, real, sin, sinh, sqrt

from pertsym.codegen.occupation import EVEN

I = 1j  # noqa: E741
INFINITY, NOT_A_NUMBER = 1e300, nan
conj, fabs, pow, asinh = np.conj, np.abs, np.power, np.arcsinh
lowest, highest = min, max


def where(condition: bool, a: Any, b: Any) -> Any:
    return a if condition else b
