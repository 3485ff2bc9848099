"""Shared test settings.

HYPOTHESIS_PROFILE=mutation runs a dozen fixed examples of each property: a mutation run with a
tool of its own repeats the suite hundreds of times.
"""

import gc
import os

from hypothesis import settings

settings.register_profile("default", max_examples=60, deadline=None, derandomize=True)
settings.register_profile("mutation", max_examples=12, deadline=None, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_collection_finish() -> None:
    """Searching all modules and thousands of collected tests for garbage took 10 % of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
