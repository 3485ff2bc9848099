"""What a command says about quantities without a number, and the exit code that goes with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

import click

from pertsym.cli.console import DOES_NOT_EXIST, DONE, NOT_DERIVABLE

Reasons = Mapping[str, Mapping[str, str]]
"""Order -> quantity -> why it has no number."""

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {"divergent": "divergent", "not_derived": "not derived yet"}
)
"""The two kinds of missing quantities as in JSON, and in words."""

_CODES: Final = MappingProxyType({"divergent": DOES_NOT_EXIST, "not_derived": NOT_DERIVABLE})


def word(missing: Mapping[str, Reasons], order: str, name: str) -> str:
    """What stands in a table in place of a number."""
    found = (kind for kind in WORDS if name in missing.get(kind, {}).get(order, {}))
    return next((WORDS[kind] for kind in found), "not available")


NOISE: Final = "   less than its error"


def is_noise(value: Any, error: Any) -> bool:
    """Whether a number says only that it is small."""
    return bool(error) and abs(float(value)) <= float(error)


def noise(values: Any, errors: Any, key: str = "") -> Iterator[str]:
    """Keys of the numbers of a record that are not larger than their errors."""
    match values:
        case dict():
            for name, entry in values.items():
                if isinstance(errors, Mapping) and name in errors:
                    yield from noise(entry, errors[name], f"{key}.{name}" if key else name)
        case list():
            for n, (entry, error) in enumerate(zip(values, errors, strict=True)):
                yield from noise(entry, error, f"{key}[{n}]")
        case int() | float() | str() if errors is not None and is_noise(values, errors):
            yield key


def record(missing: Mapping[str, Reasons]) -> dict[str, dict[str, dict[str, str]]]:
    """The entries "divergent" and "not_derived" of a command's JSON; empty ones are left out."""
    return {
        kind: {order: dict(names) for order, names in missing[kind].items()}
        for kind in WORDS
        if missing.get(kind)
    }


def report(missing: Mapping[str, Reasons]) -> int:
    """Say on stderr what has no number and why, quantities with one reason in one line.

    Parameters
    ----------
    missing
        "divergent" and "not_derived" -> order -> quantity -> reason.

    Returns
    -------
    int
        The exit code: 4 if something is not derived yet, else 3 if something diverges, else 0.
    """
    code = DONE
    for kind, said in WORDS.items():
        for reason, (names, orders) in _grouped(missing.get(kind, {})):
            plural = "s" if len(orders) > 1 else ""
            where = f"{', '.join(names)}, order{plural} {', '.join(orders)}"
            click.echo(f"{said}: {where}: {reason}", err=True)
            code = max(code, _CODES[kind])
    return code


def _grouped(reasons: Reasons) -> Iterator[tuple[str, tuple[list[str], tuple[str, ...]]]]:
    """Reason, and the quantities that lack a number for it at the same orders."""
    orders: dict[tuple[str, str], list[str]] = {}
    for order, names in reasons.items():
        for name, reason in names.items():
            orders.setdefault((reason, name), []).append(order)
    groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (reason, name), found in orders.items():
        groups.setdefault((reason, tuple(sorted(found, key=int))), []).append(name)
    for (reason, at), quantities in groups.items():
        yield reason, (quantities, at)


def leave(missing: Mapping[str, Reasons]) -> None:
    """`report`, and end the command with the exit code if anything is missing."""
    if code := report(missing):
        raise SystemExit(code)
