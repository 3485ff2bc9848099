"""Checks of the parameters of a spectral density; every message starts with the field."""

from __future__ import annotations

from typing import Any

import numpy as np


def require(holds: Any, field: str, requirement: str, value: Any, remedy: str) -> None:
    """Raise ValueError("field: must be ..., got ...; remedy") unless every entry holds."""
    if not np.all(holds):
        raise ValueError(f"{field}: must be {requirement}, got {value!r}; {remedy}")


def require_real(field: str, value: Any, *, positive: bool) -> None:
    """Demand a finite real number (or an array of them), > 0 or >= 0."""
    requirement = "finite and > 0" if positive else "finite and >= 0"
    numeric = not isinstance(value, bool) and np.asarray(value).dtype.kind in "iuf"
    remedy = "give a positive number" if positive else "give a number that is not negative"
    require(numeric, field, requirement, value, remedy)
    number = np.asarray(value, dtype=float)
    holds = np.isfinite(number) & (number > 0 if positive else number >= 0)
    require(holds, field, requirement, value, remedy)
