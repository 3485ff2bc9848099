"""Pools of processes that end with the process that started them, however that one ends."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any


def pool_of(workers: int) -> ProcessPoolExecutor:
    """A pool whose workers end at an interruption, and do not outlive their parent."""
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=end_with_parent)


def end_with_parent() -> None:
    """In a worker: end at once when its parent is interrupted, and not outlive it when it dies."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    parent = parent_process()
    if parent is None:
        return

    def wait_and_end() -> None:
        parent.join()
        os._exit(1)

    Thread(target=wait_and_end, daemon=True).start()


def end(pool: ProcessPoolExecutor) -> None:
    """Drop what a pool has not done and end its workers now."""
    workers: dict[int, Any] = dict(getattr(pool, "_processes", None) or {})
    pool.shutdown(wait=False, cancel_futures=True)
    for worker in workers.values():
        worker.terminate()
