"""The model: a finite system, its baths, and how they are coupled; from a file or from values.

The names below are loaded on first use.  `pertsym.baths` needs `pertsym.model.expression` and
`pertsym.model.values` needs `pertsym.baths`, so importing everything here would be a cycle.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pertsym.model.errors import InputError, NotYetDerivable
    from pertsym.model.expression import Expression, parse_expression
    from pertsym.model.file import load_model
    from pertsym.model.units import UNITS, Units
    from pertsym.model.values import Bath, Coupling, Model

__all__ = [
    "UNITS",
    "Bath",
    "Coupling",
    "Expression",
    "InputError",
    "Model",
    "NotYetDerivable",
    "Units",
    "load_model",
    "parse_expression",
]

_HOME = {
    "InputError": "errors",
    "NotYetDerivable": "errors",
    "Expression": "expression",
    "parse_expression": "expression",
    "load_model": "file",
    "UNITS": "units",
    "Units": "units",
    "Bath": "values",
    "Coupling": "values",
    "Model": "values",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
