"""Numbers on a grid with their errors, and the reason wherever there is no number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Place = tuple[int | slice, ...]

DIVERGENT, NOT_DERIVED, REFUSED = "divergent: ", "not derived yet: ", "bad input: "
"""How a reason begins: what does not exist, what is not there yet, what cannot be asked for."""

OVERFLOW = f"{REFUSED}no finite value in double precision; rescale the energy unit"


@dataclass(frozen=True, eq=False)
class Field:
    """One quantity on a grid.

    Attributes
    ----------
    value : (grid, *tail)
        NaN exactly where there is no number.
    error : (grid, *tail), or without the last axes of `tail`
        Absolute; NaN where there is no number.
    reason : array of text, as `error`
        "" where there is a number, else why there is none.
    tail
        Names of the dimensions after those of the grid.
    """

    value: Floats
    error: Floats
    reason: NDArray[np.object_]
    tail: tuple[str, ...] = ()

    @classmethod
    def empty(
        cls, grid: tuple[int, ...], tail: tuple[str, ...], sizes: tuple[int, ...], shared: int = 0
    ) -> Field:
        """A field of NaN without reasons, to be filled; `shared` last axes have one error."""
        own = grid + sizes[: len(sizes) - shared]
        reason = np.empty(own, dtype=object)
        reason[...] = ""
        return cls(np.full(grid + sizes, np.nan), np.full(own, np.nan), reason, tail)

    def put(self, at: Place, value: ArrayLike, error: ArrayLike) -> None:
        """Numbers at a place of `error`; where one is not finite there is a reason instead."""
        at = _slices(at)
        self.value[at], self.error[at] = np.asarray(value), np.asarray(error)
        self.reason[at] = ""
        # views: what is changed in them changes the field
        v, e, r = self.value[at], self.error[at], self.reason[at]
        shared = v.ndim - e.ndim
        bad = ~(np.isfinite(v).all(axis=tuple(range(-shared, 0))) & np.isfinite(e))
        v[bad], e[bad], r[bad] = np.nan, np.nan, OVERFLOW

    def refuse(self, at: Place, reason: str) -> None:
        """No number at a place."""
        at = _slices(at)
        self.value[at], self.error[at], self.reason[at] = np.nan, np.nan, reason

    def missing(self) -> Iterator[tuple[str, int]]:
        """Every reason that occurs, with the number of places."""
        found, counts = np.unique(self.reason[self.reason != ""].astype(str), return_counts=True)
        yield from zip(map(str, found), map(int, counts), strict=True)


def _slices(at: Place) -> tuple[slice, ...]:
    return tuple(slice(i, i + 1) if isinstance(i, int) else i for i in at)
