"""The exception of a quantity that does not exist."""

from __future__ import annotations


class Divergent(ArithmeticError):
    """A spectrum, principal value or finite part does not exist.

    Attributes
    ----------
    reason : str
        Names the integrand or the term and its power, e.g. "∫dw w^-1.2 at w -> 0".
    order : int or None
        Order in the coupling of the quantity that does not exist, where that is known.
    key : str or None
        Its name in a result, e.g. "K_01,11", where that is known.
    """

    def __init__(self, reason: str, order: int | None = None, key: str | None = None) -> None:
        super().__init__(reason, order, key)  # all three, so that the error pickles
        self.reason, self.order, self.key = reason, order, key

    def __str__(self) -> str:
        return (
            self.reason if self.key is None else f"{self.key} of order {self.order}: {self.reason}"
        )


def power_text(power: float) -> str:
    """Format an exponent for a reason: at most 12 significant digits, no trailing zeros."""
    return f"{power:.12g}"
