"""What can be wrong with a request: input that must be corrected, or theory not built yet."""

from __future__ import annotations

from typing import Final

_LONGEST_PIECE: Final = 300


def one_line(text: str) -> str:
    """Return text with control characters escaped and cut to a readable length."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return shown if len(shown) <= _LONGEST_PIECE else shown[: _LONGEST_PIECE - 3] + "..."


class _Located(Exception):
    """An error that says where (source and key), what is wrong, and what to do.

    Parameters
    ----------
    source : str
        The file's name, or "model" for values built in Python.
    key : str
        Dotted key of the offending entry, array items in brackets counted from 0.
    problem, remedy : str
        What is wrong; what to do.
    """

    def __init__(self, source: str, key: str, problem: str, remedy: str) -> None:
        super().__init__(source, key, problem, remedy)  # all four, so that the error pickles
        self.source, self.key, self.problem, self.remedy = source, key, problem, remedy

    def __str__(self) -> str:
        where = ": ".join(one_line(piece) for piece in (self.source, self.key) if piece)
        return f"{where}: {one_line(self.problem)}; {one_line(self.remedy)}"


class InputError(_Located, ValueError):
    """The input is wrong; `str()` is the line "FILE: KEY: what is wrong; what to do"."""


def model_error(key: str, problem: str, remedy: str) -> InputError:
    """What is wrong with a model that was built in Python."""
    return InputError("model", key, problem, remedy)


class NotYetDerivable(_Located):
    """The request is valid physics that the engine cannot derive yet."""
