"""The derivations of this checkout, found by their place."""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import derivations as scripts
from pertsym.paper import Paper


def derivations() -> tuple[Paper, ...]:
    """All there are: the PAPER that each derivations/NAME/script.py declares, by name."""
    return tuple(importlib.import_module(f"derivations.{name}.script").PAPER for name in _names())


def _names() -> list[str]:
    return sorted(info.name for info in pkgutil.iter_modules(scripts.__path__) if info.ispkg)


def find(name: str) -> Paper:
    """The paper of this name.

    Raises
    ------
    KeyError
        Naming those that exist.
    """
    names = _names()
    if name in names:
        paper: Paper = importlib.import_module(f"derivations.{name}.script").PAPER
        return paper
    known = ", ".join(names)
    raise KeyError(f"NAME: no derivation {name!r}; there are: {known} (see `pertsym list`)")


def generated_root() -> Path | None:
    """The generated/ folder of this source checkout; None for an installed copy.

    Only a folder beside this package and its own pyproject.toml counts, so that no other
    package called "generated" is ever written to.
    """
    checkout = Path(__file__).resolve().parent.parent
    project = checkout / "pyproject.toml"
    ours = project.is_file() and 'name = "pertsym"' in project.read_text(encoding="utf-8")
    path = checkout / "generated"
    return path if ours and path.is_dir() else None


def status(paper: Paper) -> str:
    """ "generated" or "not generated": whether generated/ holds this paper's files."""
    root = generated_root()
    return "generated" if root is not None and (root / paper.name).is_dir() else "not generated"


Watch = Callable[[Iterable[dict[str, str]], int], Iterable[dict[str, str]]]
"""Passes on what arrives, of a known number, and may show how far it has come."""


def regenerated(watch: Watch = lambda arriving, total: arriving) -> dict[str, str]:
    """Every file that belongs below generated/, derived now: relative path -> text.

    One derivation a process, as many at once as there are processors.
    """
    names = _names()
    from pertsym.codegen.python_export import render_runtime

    files = {"__init__.py": "", "runtime.py": render_runtime()}
    workers = min(len(names), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for some in watch(pool.map(_generated_files, names), len(names)):
            files.update(some)
    return files


def _generated_files(name: str) -> dict[str, str]:
    return find(name).generated_files()
