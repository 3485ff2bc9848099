"""Arrays that many callers share."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

A = TypeVar("A", bound="np.ndarray[Any, Any]")


def read_only(array: A) -> A:
    """The same array, from now on refusing to be written; for what a cache hands out."""
    array.flags.writeable = False
    return array
