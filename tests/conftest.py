"""Shared test settings.

HYPOTHESIS_PROFILE=mutation runs a dozen fixed examples of each property: the mutation run repeats
the suite hundreds of times.
"""

import os

from hypothesis import settings

settings.register_profile("default", max_examples=60, deadline=None, derandomize=True)
settings.register_profile("mutation", max_examples=12, deadline=None, derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
