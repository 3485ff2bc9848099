"""Which statements of the mutated packages a test reaches.

The modules are compiled with a note in front of every statement of a function; their files, which
exports read, stay as they are.
"""

from __future__ import annotations

import ast
import builtins
import os
import signal
import sys
from collections.abc import Iterator
from importlib.machinery import FileFinder, SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

NOTE = "__reached__"
LONGEST = 4.0
"""CPU seconds of a test that counts; what takes longer kills no mutants."""


def statements(body: list[ast.stmt], inside: bool = False) -> Iterator[list[ast.stmt]]:
    """The lists of statements within functions."""
    if inside:
        yield body
    for node in body:
        within = inside or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        for part in ("body", "orelse", "finalbody"):
            yield from statements(getattr(node, part, []), within)
        for part in (*getattr(node, "handlers", []), *getattr(node, "cases", [])):
            yield from statements(part.body, within)


def statement_of(text: str) -> dict[int, int]:
    """By line, where its statement begins; lines outside functions are left out."""
    found: dict[int, int] = {}
    for body in statements(ast.parse(text).body):  # outer before inner
        for node in body:
            assert node.end_lineno is not None
            found |= dict.fromkeys(range(node.lineno, node.end_lineno + 1), node.lineno)
    return found


class _Noting(SourceFileLoader):
    root: Path

    def get_code(self, fullname: str) -> Any:
        tree = ast.parse(self.get_data(self.path))
        module = Path(self.path).relative_to(self.root).as_posix()
        for body in list(statements(tree.body)):
            for place in range(len(body) - 1, -1, -1):
                node = body[place]
                if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                    continue
                note = ast.parse(f"{NOTE}(({module!r}, {node.lineno}))").body[0]
                body.insert(place, note)
        return compile(ast.fix_missing_locations(tree), self.path, "exec")


class Reached:
    """A plugin of pytest: by test that passed, its CPU time and the lines it reached."""

    def __init__(self, root: Path, packages: tuple[str, ...]) -> None:
        self.tests: dict[str, Any] = {}
        self._seen: set[tuple[str, int]] = set()
        self._passed = True
        setattr(builtins, NOTE, self._seen.add)
        _Noting.root = root
        hook = FileFinder.path_hook((_Noting, [".py"]))
        folders = tuple(str(root / "pertsym" / package) for package in packages)

        def only(path: str) -> FileFinder:
            if not path.startswith(folders):
                raise ImportError
            return hook(path)

        sys.path_hooks.insert(0, only)

        def stop(*_: Any) -> None:
            pytest.fail("takes too long")

        signal.signal(signal.SIGPROF, stop)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """One test."""
        self._seen.clear()
        self._passed = True
        before = os.times()
        signal.setitimer(signal.ITIMER_PROF, LONGEST)
        result = yield
        signal.setitimer(signal.ITIMER_PROF, 0)
        seconds = sum(b - a for a, b in zip(before[:4], os.times()[:4], strict=True))
        if self._passed:
            masks: dict[str, int] = {}
            for module, line in self._seen:
                masks[module] = masks.get(module, 0) | 1 << line
            lines = {module: format(mask, "x") for module, mask in masks.items()}
            self.tests[item.nodeid] = [round(seconds, 2), lines]
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Whether it passed."""
        self._passed &= report.passed
