"""The system of Laird, Budimir and Skinner, for tests of the language of formulas."""

from __future__ import annotations

from functools import cache

from pertsym.equations.bloch import Bloch
from pertsym.equations.models import laird
from pertsym.language.dictionary import Dictionary

LAIRD = Dictionary(1, ("C1", "C2"), densities=("Gamma",), values={"delta": "1"})


@cache
def bloch() -> Bloch:
    return Bloch(laird())
