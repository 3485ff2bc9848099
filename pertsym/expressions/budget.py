"""A bound on the work that a formula may cause, the same on every machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

WORK: Final = 20_000_000  # calls and returns, a few seconds


class _Exhausted(BaseException):
    """Not an `Exception`: SymPy catches those on its way."""


@contextmanager
def bounded_work(problem: str, calls: int = WORK) -> Iterator[None]:
    """Stop after so many function calls of this thread, or where a number is too large.

    Raises
    ------
    ValueError
        "PROBLEM; simplify the formula, or tabulate J".
    """
    left = calls
    previous = sys.getprofile()

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise _Exhausted

    sys.setprofile(count)
    try:
        yield
    except (_Exhausted, RecursionError, MemoryError, OverflowError):
        raise ValueError(
            f'{problem}; simplify the formula, or tabulate J with kind = "table"'
        ) from None
    finally:
        sys.setprofile(previous)
