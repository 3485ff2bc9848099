"""A number together with a bound on its error."""

from __future__ import annotations

from typing import Any, NamedTuple


class Estimate(NamedTuple):
    """A numerical result and a bound on its absolute error.

    Attributes
    ----------
    value : float or ndarray
        The result.
    error : float or ndarray of the same shape
        |value - exact| <= error, rounding included; exactly 0.0 only where value is exact.
    """

    value: Any
    error: Any
