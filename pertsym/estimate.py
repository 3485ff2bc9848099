"""A number together with a bound on its error."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal, localcontext
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
        return rf"$\displaystyle {with_error(z, bound)[0]}$"


def with_error(value: complex, error: float) -> tuple[str, str]:
    """A number and its error in LaTeX and text, as many digits as the error allows.

    The number ends at the second digit of the error, which is rounded up and holds what rounding
    the number took: what is true of value and error is true of what is printed.  One without error
    is printed in full.
    """
    parts = [value.real, value.imag] if value.imag else [value.real]
    if not error or not all(map(isfinite, (*parts, error))):
        shown, bound = [Decimal(repr(x)) for x in parts], Decimal(0)
    else:
        with localcontext(prec=2000):
            exact, size = [Decimal(x) for x in parts], Decimal(error)
            place = Decimal((0, (1,), size.adjusted() - 1))
            shown = [x.quantize(place, ROUND_HALF_EVEN) for x in exact]
            lost = sum((abs(x - y) for x, y in zip(exact, shown, strict=True)), Decimal(0))
            bound = (size + lost).quantize(place, ROUND_CEILING)
    latex = text = ""
    for number, unit in zip(shown, ("", r"\,i"), strict=False):
        sign = "+" if unit and not number.is_signed() else ""
        latex += sign + _decimal(number, r"\times10^{%d}") + unit
        text += sign + _decimal(number, "e%d") + unit[2:]
    if error:
        latex += r" \pm " + _decimal(bound, r"\times10^{%d}")
        text += " +- " + _decimal(bound, "e%d")
    return latex, text


def _decimal(x: Decimal, power: str) -> str:
    """All its digits, with a power of ten where it is large or small."""
    if not x or not x.is_finite() or -3 <= x.adjusted() < 6:
        return f"{x:f}" if x else "0"
    mantissa, _, exponent = f"{x:e}".partition("e")
    return mantissa + power % int(exponent)


def scientific(x: float, digits: int = 8, *, sign: bool = False, zeros: bool = False) -> str:
    """A number in LaTeX: 1.5\\times10^{-3}; with `zeros` all digits, if they end in zeros."""
    mark = "+" if sign and x >= 0 else ""
    if x and isfinite(x) and not 1e-3 <= abs(x) < 1e6:
        mantissa, _, exponent = f"{x:.{digits - 1}e}".partition("e")
        return rf"{mark}{mantissa}\times10^{{{int(exponent)}}}"
    return mark + (f"{x:#.{digits}g}" if zeros else f"{x:.{digits}g}")
