"""What the parameters of a spectral density are; every message of a check starts with the field."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from pertsym.exact import LARGEST, SMALLEST

OUT_OF_RANGE: Final = f"0, or {SMALLEST:g} to {LARGEST:g} in size"
"""The requirement in words; what to do follows."""

OTHER_UNIT: Final = "use another unit of energy, or less extreme parameters"


def in_range(value: Any, smallest: float = SMALLEST) -> bool:
    """Whether every number is 0, or of a size that can be computed with."""
    size = np.abs(np.asarray(value, dtype=complex))
    return bool(np.all((size == 0) | ((size >= smallest) & (size <= LARGEST))))


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
    require(in_range(number), field, OUT_OF_RANGE, value, OTHER_UNIT)


def numbers(field: str, entries: Any, kind: type[Any], words: str, remedy: str) -> tuple[Any, ...]:
    """Demand a list of finite numbers of a kind."""
    try:
        found = tuple(map(kind, entries))
    except (TypeError, ValueError):
        raise ValueError(f"{field}: must be a list of {words}, got {entries!r}; {remedy}") from None
    require(np.isfinite(np.array(found)), field, "finite", entries, "remove nan and inf")
    return found


class Parameter(NamedTuple):
    """What a field of a density is.

    Attributes
    ----------
    form
        How a model file writes it; only "real" ones may be arrays and are swept.
    dimension
        Power of energy that it has.
    positive
        > 0, else >= 0.
    scales
        J is proportional to this power of it.
    """

    form: Literal["real", "reals", "text", "complexes", "formula"] = "real"
    dimension: float | None = None
    positive: bool = True
    scales: int = 0


def real(dimension: float, *, positive: bool = True, scales: int = 0) -> dict[str, Parameter]:
    """Metadata of a field that is a real number."""
    return {"parameter": Parameter("real", dimension, positive, scales)}


def given_as(form: Literal["reals", "text", "complexes", "formula"]) -> dict[str, Parameter]:
    """Metadata of a field that is something else."""
    return {"parameter": Parameter(form)}


def parameters_of(density: type[Any]) -> dict[str, Parameter]:
    """What the fields of a registered class are."""
    entries = ((f.name, f.metadata.get("parameter")) for f in fields(density) if f.init)
    return {name: parameter for name, parameter in entries if parameter is not None}
