"""A number together with a bound on its error."""

from __future__ import annotations

from math import isfinite
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

    def _repr_latex_(self) -> str | None:
        """A number and its bound; arrays have none but their text."""
        try:
            z, bound = complex(self.value), float(self.error)
        except (TypeError, ValueError):
            return None
        shown = scientific(z.real) + (f"{scientific(z.imag, sign=True)}\\,i" if z.imag else "")
        error = rf" \pm {scientific(bound, 2)}" if bound else ""
        return rf"$\displaystyle {shown}{error}$"


def scientific(x: float, digits: int = 8, *, sign: bool = False) -> str:
    """A number in LaTeX: 1.5\\times10^{-3}."""
    mark = "+" if sign and x >= 0 else ""
    if x and isfinite(x) and not 1e-3 <= abs(x) < 1e6:
        mantissa, _, exponent = f"{x:.{digits - 1}e}".partition("e")
        return rf"{mark}{mantissa}\times10^{{{int(exponent)}}}"
    return mark + f"{x:.{digits}g}"
