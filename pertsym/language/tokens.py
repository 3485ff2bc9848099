r"""A formula in LaTeX as pieces: terms, scripts, brackets, and numbers put in for indices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pertsym.language.equations import NotRead

Tokens = tuple[str, ...]

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\S")
_DROPPED = frozenset(
    [
        r"\,",
        r"\;",
        r"\!",
        r"\:",
        r"\left",
        r"\right",
        r"\bigl",
        r"\bigr",
        r"\Bigl",
        r"\Bigr",
        r"\big",
        r"\Big",
        r"\displaystyle",
        r"&",
        r"\\",
    ]
) | {"\\ "}
_MATRIX = re.compile(r"\\begin\{pmatrix\}(.*?)\\end\{pmatrix\}", re.S)
_ROW = re.compile(r"&|\\\\")
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\{aligned\}|\{\}")
_SPACES = (r"\quad", r"\qquad")
CLOSING = {"(": ")", "[": "]", "{": "}", r"\{": r"\}", r"\bigl[": r"\bigr]"}
ENDS = frozenset({*CLOSING.values(), "+", "-", "=", ",", r"\pm"})


def tokens(latex: str) -> Tokens:
    """The pieces of a formula; blanks and sizes dropped, scripts of one piece without braces."""
    latex = _MATRIX.sub(lambda m: rf"\matrix{{{{{_ROW.sub('}{', m[1])}}}}}", latex)
    found = [t for t in _TOKEN.findall(_ENVIRONMENT.sub(" ", latex)) if t not in _DROPPED]
    pieces: list[str] = []
    for k, token in enumerate(found):
        if token in _SPACES:
            if pieces and pieces[-1] == "," and k:
                pieces[-1] = ";"  # the comma between two equations
            continue
        pieces.append(token)
        if token == "}" and len(pieces) > 3 and pieces[-3] == "{" and pieces[-4] in "_^":
            pieces[-3:] = [pieces[-2]]
    return tuple(pieces)


def goes_on(source: Tokens, at: int, elements: bool) -> bool:
    """Whether a name has a prime, an index or an order that no name with it is known for."""
    if at >= len(source):
        return False
    other = source[at] == "'" or source[at : at + 3] == ("^", "{", "(")
    return other or (source[at] == "_" and not elements)


def parts_between(source: Tokens, mark: str) -> list[Tokens]:
    """Parts between marks outside of all brackets."""
    parts, depth, start = [], 0, 0
    for k, token in enumerate(source):
        depth += (token in CLOSING) - (token in CLOSING.values())
        if token == mark and not depth:
            parts.append(source[start:k])
            start = k + 1
    return [*parts, source[start:]]


def matching(source: Tokens, at: int) -> int:
    depth = 0
    for k in range(at, len(source)):
        depth += (source[k] in CLOSING) - (source[k] in CLOSING.values())
        if not depth:
            return k
    raise NotRead("a bracket is not closed")


def group_at(source: Tokens, at: int) -> tuple[Tokens, int]:
    """An argument of a command: what stands in braces, or one piece."""
    if at >= len(source):
        raise NotRead("an argument is missing at the end")
    if source[at] != "{":
        return source[at : at + 1], at + 1
    end = matching(source, at)
    return source[at + 1 : end], end + 1


def script_at(source: Tokens, at: int, kind: str) -> tuple[Tokens, int]:
    return group_at(source, at + 1) if source[at : at + 1] == (kind,) else ((), at)


def end_of_term(source: Tokens, at: int) -> int:
    depth = 0
    for k in range(at, len(source)):
        if not depth and k > at and source[k] in ENDS:
            return k
        depth += (source[k] in CLOSING) - (source[k] in CLOSING.values())
    return len(source)


def sum_indices(source: Tokens) -> Iterator[Tokens]:
    for k, token in enumerate(source):
        if token in (r"\sum", r"\prod"):
            letters = parts_between(script_at(source, k + 1, "_")[0], "=")[0]
            yield tuple(t for t in letters if t.isalpha())


def substituted(source: Tokens, at: Mapping[str, int], names: Mapping[Tokens, Any]) -> Tokens:
    """Integers for index letters; sums and multiples in a script are worked out."""
    if not at:
        return source
    result: list[str] = []
    k = 0
    while k < len(source):
        token = source[k]
        if token in ("_", "^"):
            script, k = group_at(source, k + 1)
            if any(t[0] == "\\" for t in script):
                written = substituted(script, at, names)
            else:
                written = _script_with(script, at, tuple(result), names)
            result += [token, *(("{", *written, "}") if len(written) != 1 else written)]
            continue
        if token in at:
            if result and result[-1].isdigit():
                result.append(r"\cdot")
            result += str(at[token])
        else:
            result.append(token)
        k += 1
    return tuple(result)


def _script_with(
    script: Tokens, at: Mapping[str, int], before: Tokens, names: Mapping[Tokens, Any]
) -> Tokens:
    if not any(t in at for t in script):
        return script
    inner = script[1:-1] if script[:1] == ("(",) and script[-1:] == (")",) else script
    parts = [_worked_out(part, at, before, names) for part in parts_between(inner, ",")]
    joined: list[str] = []
    for part in parts:
        joined += ([","] if joined else []) + list(part)
    return ("(", *joined, ")") if inner is not script else tuple(joined)


def _worked_out(
    part: Tokens, at: Mapping[str, int], before: Tokens, names: Mapping[Tokens, Any]
) -> Tokens:
    written = "".join(str(at.get(t, t)) for t in part)
    if any(t in "+-" for t in part):  # of several letters those that are known
        written = re.sub(
            r"(\d*)([a-z])",
            lambda m: str(int(m[1] or 1) * at[m[2]]) if m[2] in at else m[0],
            "".join(part),
        )
    summed = _arithmetic(part, at)
    if summed is None or summed < 0:
        return tokens(written)
    plain = tuple(str(summed))
    if any(t in "+-" for t in part):
        return plain
    for size in (1, 2):  # K_{2k} is K_4 where that has a value
        base = before[len(before) - size :]
        if (*base, "_", *plain) in names and (*base, "_", "{", *written, "}") not in names:
            return plain
    return tuple(written)


def _arithmetic(part: Tokens, at: Mapping[str, int]) -> int | None:
    text = "".join(part)
    if not re.fullmatch(r"[-+]?(?:\d*[a-z]|\d+)(?:[-+](?:\d*[a-z]|\d+))*", text):
        return None
    total = 0
    for sign, number, letter in re.findall(r"([-+]?)(\d*)([a-z]?)", text):
        if not number and not letter:
            continue
        if letter and letter not in at:
            return None
        size = int(number or 1) * (at[letter] if letter else 1)
        total += -size if sign == "-" else size
    return total
