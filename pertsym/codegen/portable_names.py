"""The functions that `pertsym.codegen.portable` calls, in numpy; every language has its own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy import cos, cosh, exp, expm1, floor, log, sin, sinh, sqrt

from pertsym.codegen.occupation import EVEN

pi = math.pi
I = 1j  # noqa: E741
INFINITY = 1e300
NOT_A_NUMBER = math.nan
real, imag, conj, fabs, pow, asinh = np.real, np.imag, np.conj, np.abs, np.power, np.arcsinh
lowest, highest = min, max
minimum, maximum = np.minimum, np.maximum

__all__ = [
    "EVEN", "INFINITY", "NOT_A_NUMBER", "I", "asinh", "ceil", "conj", "cos", "cosh", "exp", "expm1",
    "fabs", "floor", "highest", "imag", "joined", "log", "lowest", "maximum", "minimum", "pi",
    "pow", "real", "sin", "sinh", "sqrt", "where",
]  # fmt: skip


def ceil(x: float) -> int:
    return math.ceil(x)


def joined(a: list[Any], b: list[Any]) -> list[Any]:
    return [*a, *b]


def where(condition: bool, a: Any, b: Any) -> Any:
    return a if condition else b
