"""One BLAS thread: the matrices are small, and several threads only wait for each other."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from threadpoolctl import threadpool_limits

F = TypeVar("F", bound=Callable[..., Any])


def single_threaded(function: F) -> F:
    """Run a function with one BLAS thread; the caller's setting comes back afterwards."""

    @functools.wraps(function)
    def limited(*args: Any, **kwargs: Any) -> Any:
        with threadpool_limits(limits=1, user_api="blas"):
            return function(*args, **kwargs)

    return cast(F, limited)
