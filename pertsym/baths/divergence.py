"""The exception of a quantity that does not exist."""

from __future__ import annotations


class Divergent(ArithmeticError):
    """A spectrum, principal value or finite part does not exist.

    Attributes
    ----------
    reason : str
        Names the integrand or the term and its power, e.g. "∫dw w^-1.2 at w -> 0".
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def power_text(power: float) -> str:
    """Format an exponent for a reason: at most 12 significant digits, no trailing zeros."""
    return f"{power:.12g}"
