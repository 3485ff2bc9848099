"""Typed reading of parsed TOML: every value knows its place, every refusal names it."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pertsym.exact import LARGEST, Gaussian
from pertsym.model.errors import InputError, NotYetDerivable

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_TYPE_NAMES: Final[Mapping[type, str]] = {
    dict: "a table",
    list: "a list",
    str: "a text",
    bool: "a truth value",
    int: "an integer",
    float: "a number",
    Gaussian: "a complex number",
}


@dataclass(frozen=True)
class Place:
    """Where a value stands: the file and the dotted key, list items counted from 0."""

    source: str
    key: str = ""

    def field(self, name: str) -> Place:
        """Return the place of an entry of this table."""
        part = name if _BARE_KEY.fullmatch(name) else f'"{name}"'
        return Place(self.source, f"{self.key}.{part}" if self.key else part)

    def item(self, index: int) -> Place:
        """Return the place of an item of this list."""
        return Place(self.source, f"{self.key}[{index}]")

    def error(self, problem: str, remedy: str) -> InputError:
        """Return the error to raise when the value here is wrong."""
        return InputError(self.source, self.key, problem, remedy)

    def not_yet(self, problem: str, remedy: str) -> NotYetDerivable:
        """Return the error to raise when the value here is sound but not supported yet."""
        return NotYetDerivable(self.source, self.key, problem, remedy)


def shown(value: object) -> str:
    """Return a short form of a value for a message: its type, and what it is if that is short."""
    name = _TYPE_NAMES.get(type(value), f"a {type(value).__name__}")
    text = repr(value) if not isinstance(value, (dict, list)) else ""
    return f"{name} {text}" if text and len(text) <= 40 else name


def guess(word: str, known: Iterable[str]) -> str:
    """Return the advice that follows an unknown word: the nearest known ones, or all."""
    known = list(known)
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"use one of: {', '.join(known)}" if known else "remove it"


def table(value: object, place: Place, *, required: Iterable[str] = ()) -> dict[str, Any]:
    """Return a TOML table that has the required keys."""
    if not isinstance(value, dict):
        raise place.error(f"must be a table, got {shown(value)}", "see the model file's format")
    for key in required:
        if key not in value:
            raise place.field(key).error("is missing", "add it")
    return value


def check_keys(entries: Mapping[str, object], allowed: Iterable[str], place: Place) -> None:
    """Refuse the first key that is not allowed in this table."""
    allowed = list(allowed)
    for key in entries:
        if key not in allowed:
            raise place.field(key).error("unknown key", guess(key, allowed))


def array(value: object, place: Place, *, of: str = "values") -> list[Any]:
    """Return a non-empty TOML list."""
    if not isinstance(value, list) or not value:
        got = "an empty list" if isinstance(value, list) else shown(value)
        raise place.error(f"must be a non-empty list of {of}, got {got}", "write [..., ...]")
    return value


def text(value: object, place: Place) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise place.error(f"must be a text, got {shown(value)}", "put it in quotation marks")
    return value


def choice(value: object, options: Iterable[str], place: Place, what: str) -> str:
    """Return a text that is one of the options."""
    options = list(options)
    word = text(value, place)
    if word not in options:
        raise place.error(f"unknown {what} {word!r}", guess(word, options))
    return word


def real(value: object, place: Place, *, hint: str = "write a plain number") -> int | float:
    """Return a finite real number as it was written, integers exact."""
    if isinstance(value, Gaussian) and not value.im:  # of a formula
        return int(value.re) if value.re.denominator == 1 else float(value.re)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise place.error(f"must be a real number, got {shown(value)}", hint)
    if isinstance(value, float) and not math.isfinite(value):
        raise place.error(f"must be a finite number, got {shown(value)}", hint)
    if abs(value) > LARGEST:
        raise place.error(
            f"must be a finite number, at most {LARGEST:g}", "use another unit of energy"
        )
    return value


def gaussian(value: object, place: Place) -> Gaussian:
    """Return an exact complex number, written as a number or as [re, im]."""
    hint = "write a number, or [re, im] for a complex one"
    if isinstance(value, Gaussian):  # of a formula
        return value
    if not isinstance(value, list):
        return Gaussian.of(real(value, place, hint=hint))
    if len(value) != 2:
        raise place.error(f"a complex number has two parts, got {len(value)}", hint)
    return Gaussian.of(*(real(part, place.item(i), hint=hint) for i, part in enumerate(value)))


def reals(value: object, place: Place) -> tuple[float, ...]:
    """Return a non-empty list of finite real numbers."""
    items = array(value, place, of="real numbers")
    return tuple(float(real(item, place.item(i))) for i, item in enumerate(items))


def complexes(value: object, place: Place) -> tuple[complex, ...]:
    """Return a non-empty list of finite complex numbers, each a number or [re, im]."""
    items = array(value, place, of="complex numbers")
    return tuple(complex(gaussian(item, place.item(i))) for i, item in enumerate(items))


def replaced(
    document: Mapping[str, Any], place: Place, change: Callable[[object, Place], object]
) -> dict[str, Any]:
    """The document with everything that may hold symbols changed, and without its symbols."""
    found = {key: value for key, value in document.items() if key != "symbols"}

    def inside(entries: object, here: Place, keys: Iterable[str]) -> object:
        if not isinstance(entries, dict):
            return entries
        return {
            key: change(value, here.field(key))
            if key in keys and (key == "strength" or isinstance(value, list))
            else value
            for key, value in entries.items()
        }

    if "system" in found:
        found["system"] = inside(
            found["system"], place.field("system"), ("hamiltonian", "energies")
        )
    couplings = found.get("couplings")
    if isinstance(couplings, list):
        found["couplings"] = [
            inside(entry, place.field("couplings").item(k), ("operator", "strength"))
            for k, entry in enumerate(couplings)
        ]
    observables = found.get("observables")
    if isinstance(observables, dict):
        found["observables"] = inside(observables, place.field("observables"), observables)
    return found
