"""What every reader of formulas starts with: single equations, for each value of their indices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

_SEPARATE = re.compile(r",\s*\\q?quad")


class NotRead(ValueError):
    """A formula that is not understood, or whose names have no value."""


def each_equation(latex: str, indices: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Equations that quads separate, once for each value of the indices that occur in them."""
    for part in _SEPARATE.split(latex):
        found = [(index, values) for index, values in indices.items() if index in part]
        for chosen in product(*(values for _, values in found)):
            one = part
            for (index, _), value in zip(found, chosen, strict=True):
                one = one.replace(index, value)
            yield one


def sides(latex: str, brackets: tuple[str, str] = ("{", "}")) -> list[str]:
    """What stands between the equals signs that are inside of no brackets.

    Raises
    ------
    NotRead
        Without any.
    """
    found, depth, start = [], 0, 0
    for k, character in enumerate(latex):
        depth += (character in brackets[0]) - (character in brackets[1])
        if character == "=" and not depth:
            found.append(latex[start:k])
            start = k + 1
    if not found:
        raise NotRead("there is no equation: an equals sign is missing")
    return [*found, latex[start:]]
