"""Parameters given as arrays: their common shape, and one element at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def varies(fields: Mapping[str, Any]) -> bool:
    """Whether any parameter is an array."""
    return any(np.ndim(value) > 0 for value in fields.values())


def element(
    fields: Mapping[str, Any], shape: tuple[int, ...], index: tuple[int, ...]
) -> dict[str, float]:
    """The parameters at one index of their common broadcast shape."""
    return {name: float(np.broadcast_to(value, shape)[index]) for name, value in fields.items()}
