"""Claims and the evidence for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Status = Literal[
    "definition", "derived", "proved", "numerical", "misprint", "not applicable", "failed"
]
"""derived: comes out of the engine; proved: an identity was shown to be zero symbolically;
numerical: independent routes agree to the stated digits."""


@dataclass(frozen=True)
class Evidence:
    """What a check found.

    Attributes
    ----------
    status
        "derived", "proved" or "numerical" if it holds, "failed" if not.
    routes
        The independent routes that were compared.
    digits
        Agreeing significant digits of numerical routes; None for a symbolic proof.
    detail
        One line: what was compared, or what went wrong.
    """

    status: Status
    routes: tuple[str, ...]
    digits: int | None
    detail: str


Check = Callable[[int], Evidence]
"""Digits asked of the numerical routes -> evidence."""


@dataclass(frozen=True)
class Claim:
    """One numbered equation of a source, as read (repaired) and what the engine can say of it."""

    equation: str
    section: str
    latex: str
    statement: str
    kind: str
    expected: Status
    check: str
    note: str
