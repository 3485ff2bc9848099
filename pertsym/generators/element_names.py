"""Names of the elements of a superoperator, the same in every command and message."""

from __future__ import annotations


def element_name(place: tuple[int, int], dimension: int, symbol: str = "K") -> str:
    """K_ab,cd of a row a N + b and a column c N + d; K_a,b;c,d for more than ten levels."""
    (a, b), (c, d) = divmod(place[0], dimension), divmod(place[1], dimension)
    return f"{symbol}_{a},{b};{c},{d}" if dimension > 10 else f"{symbol}_{a}{b},{c}{d}"
