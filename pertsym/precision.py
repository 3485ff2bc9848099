"""The working precisions of mpmath and of arb, which each library keeps once for all threads.

Nothing else in the package sets them.  A block at a precision of its own excludes the others, so
that computations in several threads do not take each other's digits away.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import flint
import mpmath

_ALONE = threading.RLock()


def _renewed() -> None:
    """In a forked process no thread is left that could release it."""
    global _ALONE
    _ALONE = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renewed)


@contextmanager
def decimals(digits: int) -> Iterator[None]:
    """So many decimal digits of mpmath."""
    with _ALONE, mpmath.workdps(digits):
        yield


@contextmanager
def ball_bits(bits: int) -> Iterator[None]:
    """So many bits of arb."""
    with _ALONE, flint.ctx.workprec(bits):
        yield


@contextmanager
def ball_decimals(digits: int) -> Iterator[None]:
    """So many decimal digits of arb."""
    with _ALONE, flint.ctx.workdps(digits):
        yield


@contextmanager
def series_terms(terms: int) -> Iterator[None]:
    """So many terms of arb's power series."""
    with _ALONE:
        before = flint.ctx.cap
        flint.ctx.cap = terms
        try:
            yield
        finally:
            flint.ctx.cap = before
