"""Docstrings of public names: there, with every parameter, what is returned, and what is raised."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import pertsym as ps
from pertsym.derivation import Derivation, Step
from pertsym.estimate import Estimate
from pertsym.evaluated import Numbers, States
from pertsym.language.decide import Comparison
from pertsym.paper import Paper
from pertsym.results import Result, ResultSeries

RETURNED = (Result, ResultSeries, Numbers, States, Estimate, Comparison, Paper, Derivation, Step)
CONSTANTS = {"sigma_x", "sigma_y", "sigma_z", "__version__"}  # described in docs/made.py
CHECKED = ("__init__", "__post_init__", "_check")  # what a class does when it is made
NOT_LISTED = {"AssertionError", "AttributeError", "StopIteration"}
PLAIN = re.compile(r"^(Any|float|int|bool|str|complex|tuple|dict|list|Mapping|Sequence|NDArray)\b")


def own_functions(value: type) -> Iterator[tuple[str, Any]]:
    """Public methods and properties that pertsym defines."""
    for name, member in inspect.getmembers_static(value):
        if name.startswith("_"):
            continue
        if isinstance(member, (classmethod, staticmethod)):
            member = member.__func__
        if isinstance(member, property):
            member = member.fget
        if isinstance(member, functools.cached_property):
            member = member.func
        if inspect.isfunction(member) and member.__module__.startswith("pertsym"):
            if member.__name__ == "<lambda>":
                continue  # the default of a field
            yield name, member


def documented() -> dict[str, Any]:
    """Everything that has to be documented, by the name that a user writes."""
    found = {}
    values = {name: getattr(ps, name) for name in ps.__all__ if name not in CONSTANTS}
    for name, value in {**values, **{x.__name__: x for x in RETURNED}}.items():
        found[name] = value
        if isinstance(value, type):
            found.update({f"{name}.{key}": x for key, x in own_functions(value)})
    return found


NAMES = documented()


def plain(function: Any) -> Any:
    return inspect.unwrap(function)


def text_of(name: str) -> str:
    """A docstring with those of the methods that it overrides."""
    owner, dot, method = name.partition(".")
    if not dot:
        return inspect.getdoc(NAMES[name]) or ""
    texts = []
    for base in NAMES[owner].__mro__:
        member = vars(base).get(method)
        member = getattr(member, "__func__", None) or getattr(member, "func", None) or member
        texts.append(inspect.getdoc(member) or "" if member is not None else "")
    return "\n".join(filter(None, texts))


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


@functools.cache
def tree_of(function: Callable[..., Any]) -> ast.FunctionDef:
    node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(node, ast.FunctionDef)
    return node


def raised(function: Any, module: ModuleType, deep: bool = True) -> set[str]:
    """Names of the exceptions that a function and the helpers of its module raise themselves."""
    node = tree_of(plain(function))
    found = set()
    for statement in ast.walk(node):
        if isinstance(statement, ast.Raise) and isinstance(statement.exc, ast.Call):
            found.add(made_by(statement.exc.func, module))
        if deep and isinstance(statement, ast.Call) and isinstance(statement.func, ast.Name):
            helper = getattr(module, statement.func.id, None)
            if statement.func.id.startswith("_") and inspect.isfunction(plain(helper)):
                found |= raised(helper, module, deep=False)
    return {name for name in found if name} - NOT_LISTED


def made_by(maker: ast.expr, module: ModuleType) -> str:
    """The exception that a call makes: the class itself, or what a helper says that it returns."""
    if isinstance(maker, ast.Attribute):
        return {"error": "InputError", "not_yet": "NotYetDerivable"}.get(maker.attr, "")
    if not isinstance(maker, ast.Name):
        return ""
    value = getattr(module, maker.id, None) or getattr(__builtins_module(), maker.id, None)
    if isinstance(value, type) and issubclass(value, BaseException):
        return value.__name__
    if inspect.isfunction(value):
        return str(value.__annotations__.get("return", ""))
    return ""


def __builtins_module() -> ModuleType:
    return sys.modules["builtins"]


def module_of(value: Any) -> ModuleType:
    return sys.modules[plain(value).__module__]


def parents(name: str) -> str:
    """The docstring of the class that a method belongs to."""
    owner = name.partition(".")[0]
    return (inspect.getdoc(NAMES[owner]) or "") if "." in name else ""


def says_nothing(name: str) -> bool:
    value, text = NAMES[name], text_of(name)
    # what dataclasses write by themselves is no docstring
    by_itself = dataclasses.is_dataclass(value) and text.startswith(f"{value.__name__}(")
    return len(text) <= 10 or by_itself


def unnamed_parameters(name: str) -> list[str]:
    value, text = NAMES[name], text_of(name)
    if isinstance(value, type):
        if issubclass(value, Exception) or value.__init__ is object.__init__:
            return []
        parameters = inspect.signature(value).parameters
    else:
        parameters = inspect.signature(plain(value)).parameters
    names = [p.strip("_") for p in parameters if p not in ("self", "cls") and p[0] != "_"]
    said = words(text) | words(parents(name) if name.count(".") else "")
    return [p for p in names if p not in said and p.rstrip("s") not in said]


def undescribed_result(name: str) -> str:
    """By a section of its own, unless it is a documented class or a method's or property's line."""
    value = plain(NAMES[name])
    if isinstance(value, type):
        return ""
    annotation = str(value.__annotations__.get("return", "Any"))
    text = inspect.getdoc(value) or ""
    told = "Returns\n---" in text or "-> " in text or "." in name or not PLAIN.match(annotation)
    return "" if told else annotation


def unlisted_errors(name: str) -> list[str]:
    value, text = NAMES[name], text_of(name)
    if isinstance(value, type):
        faults: set[str] = set()
        for method in CHECKED:
            function = vars(value).get(method)
            if inspect.isfunction(function) and not function.__qualname__.startswith("__create"):
                try:
                    faults |= raised(function, module_of(value))
                except (OSError, TypeError):  # written by dataclasses
                    continue
    else:
        faults = raised(value, module_of(value))
    return sorted(fault for fault in faults if fault not in text)


@pytest.mark.parametrize(
    "lacking", [says_nothing, unnamed_parameters, undescribed_result, unlisted_errors]
)
def test_docstrings_lack_nothing(lacking: Callable[[str], object]) -> None:
    assert {name: lack for name in NAMES if (lack := lacking(name))} == {}


def test_the_audit_notices_what_is_missing() -> None:
    def silent(model: Any, order: int) -> float:
        """The rate of a model."""
        if order % 2:
            raise ValueError("order")
        return 0.0

    assert raised(silent, sys.modules[__name__]) == {"ValueError"}
    assert "order" not in words(silent.__doc__ or "")
    assert np.isfinite(silent(None, 2))
    assert len(NAMES) > 150
