"""Exports in C, compiled on request: a shared library for each text, kept under its hash."""

from __future__ import annotations

import ctypes
import hashlib
import math
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pertsym.codegen.export import Codegen
from pertsym.codegen.runtime import LEAST, MOST, common_shape, reals

COMPILE = ("-std=c11", "-O3", "-march=native", "-ffast-math", "-fPIC", "-c")
LINK = ("-shared",)  # without -ffast-math, which would change the arithmetic of the whole process

_Array = NDArray[np.float64]
_Found = tuple[dict[str, dict[int, Any]], dict[str, dict[int, Any]]]


class NoCompiler(RuntimeError):
    """There is no C compiler, or it failed; the Python export does the same."""


@dataclass(frozen=True)
class Compiled:
    """The functions of a library.

    Attributes
    ----------
    parameters
        Names and defaults, in the order of the C structure.
    relations
        As in `Codegen`; what is not in it may have either sign.
    names
        quantity -> orders.
    library
    """

    parameters: Mapping[str, float]
    relations: Mapping[str, str]
    names: Mapping[str, tuple[int, ...]]
    library: ctypes.CDLL

    def function(self, quantity: str, order: int, **parameters: Any) -> tuple[Any, Any]:
        """Value and bound of the error; parameters broadcast, the others are the defaults.

        Raises
        ------
        TypeError
            For a parameter that there is not, or a value that is no number.
        ValueError
            For a quantity that there is not, or a parameter out of range.
        """
        if order not in self.names.get(quantity, ()):
            raise ValueError(f"{quantity}, order {order}: is not exported; export it")
        values, errors = self._called({quantity: (order,)}, parameters)
        return values[quantity][order], errors[quantity][order]

    def both(self, **parameters: Any) -> _Found:
        """Values and errors of everything, as `both` of the Python export."""
        return self._called(self.names, parameters)

    def _rows(self, given: Mapping[str, Any]) -> tuple[_Array, tuple[int, ...]]:
        unknown = sorted(given.keys() - self.parameters.keys())
        if unknown:
            raise TypeError(f"{unknown[0]} is no parameter; there are {', '.join(self.parameters)}")
        columns = {name: reals(name, x) for name, x in {**self.parameters, **given}.items()}
        shape = common_shape(columns)
        rows = np.empty((*shape, len(self.parameters)))
        for k, (name, column) in enumerate(columns.items()):
            low, high = (float(f(column, initial=0.5)) for f in (np.min, np.max))
            # a nan makes both of them nan
            relation = self.relations.get(name)
            negative = relation and not (low > 0 if relation == ">" else low >= 0)
            if negative or not math.isfinite(low + high):
                raise ValueError(
                    f"{name}: must be finite{f' and {relation} 0' if relation else ''}"
                )
            size = np.abs(column)
            if not np.all((size == 0) | ((size >= LEAST) & (size <= MOST))):
                raise ValueError(f"{name}: must be 0 or {LEAST:g} to {MOST:g} in size")
            rows[..., k] = column
        return rows.reshape(-1, len(self.parameters)), shape

    def _called(self, names: Mapping[str, tuple[int, ...]], given: Mapping[str, Any]) -> _Found:
        rows, shape = self._rows(given)
        found: _Found = ({}, {})
        for quantity, orders in names.items():
            for order in orders:
                pair = np.empty((2, len(rows)))
                pointers = (array.ctypes.data_as(ctypes.c_void_p) for array in (rows, *pair))
                points = getattr(self.library, f"{quantity}_{order}_points")
                points(ctypes.c_size_t(len(rows)), *pointers)
                self._require_correlated(rows[np.isnan(pair[0])])
                for kept, part in zip(found, pair, strict=True):
                    kept.setdefault(quantity, {})[order] = part.reshape(shape)[()]
        return found

    def _require_correlated(self, rows: _Array) -> None:
        if len(rows) and hasattr(self.library, "fault"):
            self.library.fault.restype = ctypes.c_char_p
            for row in rows:
                text = self.library.fault(row.ctypes.data_as(ctypes.c_void_p))
                if text:
                    raise ValueError(text.decode())


def compiled(code: Codegen, compiler: str | None = None, cache: Path | None = None) -> Compiled:
    """The export in C, compiled, or as it was compiled before.

    Parameters
    ----------
    code : Codegen
    compiler : str, optional
        The command; $CC or cc.
    cache : Path, optional
        Where libraries are kept; $XDG_CACHE_HOME/pertsym.

    Raises
    ------
    NoCompiler
        If there is none, or it fails.
    """
    command = compiler or os.environ.get("CC") or "cc"
    if shutil.which(command) is None:
        raise NoCompiler(f"there is no C compiler {command!r}; use the Python export")
    text = code.render("c")
    content = "\n".join((text, command, *COMPILE, *LINK))
    root = cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pertsym"
    target = root / f"{hashlib.sha256(content.encode()).hexdigest()[:32]}.so"
    if not target.exists():
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root) as folder:
            source = Path(folder) / "export.c"
            source.write_text(text, encoding="utf-8")
            built = Path(folder) / "export.so"
            _run(command, *COMPILE, str(source), "-o", str(Path(folder) / "export.o"))
            _run(command, *LINK, str(Path(folder) / "export.o"), "-o", str(built), "-lm")
            os.replace(built, target)
    names: dict[str, tuple[int, ...]] = {
        quantity: tuple(sorted(orders)) for quantity, orders in code.forms.items()
    }
    return Compiled(code.parameters, code.relations, names, ctypes.CDLL(str(target)))


def _run(*command: str) -> None:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise NoCompiler(f"{' '.join(command[:2])} failed: {result.stderr.strip()[-500:]}")
