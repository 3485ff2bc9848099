"""The model: a finite system, its baths, and how they are coupled; from a file or from values.

The names below are loaded on first use: errors and units need neither NumPy nor SymPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pertsym.model.bath import Bath
    from pertsym.model.errors import InputError, NotYetDerivable
    from pertsym.model.file import load_model
    from pertsym.model.units import UNITS, Units
    from pertsym.model.values import Coupling, Model

__all__ = [
    "UNITS",
    "Bath",
    "Coupling",
    "InputError",
    "Model",
    "NotYetDerivable",
    "Units",
    "load_model",
]

_HOME = {
    "InputError": "errors",
    "NotYetDerivable": "errors",
    "load_model": "file",
    "UNITS": "units",
    "Units": "units",
    "Bath": "bath",
    "Coupling": "values",
    "Model": "values",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
