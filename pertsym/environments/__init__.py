"""Environments as contraction rules, one module each.

A rule (`pertsym.expansion.rule` has the interface) says what averages of bath operators are worth;
the expansion, `pertsym.expansion.paths`, takes any of them, and knows none by name but Wick's.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final

from pertsym.expansion.rule import ContractionRule

RULES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "finite-spins": ("spins", "IndependentSpins"),
        "static": ("static", "StaticDisorder"),
    }
)
"""Statistics of a bath in a model file -> module here and class, which has `read`."""


def rule_named(statistics: str) -> type[ContractionRule]:
    """The class for a kind of bath; its module is imported only now."""
    module, name = RULES[statistics]
    found: type[ContractionRule] = getattr(import_module(f"pertsym.environments.{module}"), name)
    return found
