"""Line breaking of formulas: between terms, outermost first, never inside a factor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from pertsym.present.markup import Markup, joined

INDENT = 4
"""Width that a continuation line loses to its indentation."""


@dataclass(frozen=True)
class Piece:
    """A signed term, or the part of one up to where a bracket may be broken.

    Attributes
    ----------
    body
        What is written, without the sign in front.
    sign
        "+", "-", or "" where nothing is written (the opening of a formula).
    depth
        How many brackets enclose the break before this piece; shallow breaks come first.
    """

    body: Markup
    sign: str = ""
    depth: int = 0

    def followed_by(self, markup: Markup) -> Piece:
        return replace(self, body=self.body + markup)


Line = tuple[Piece, ...]


def cells(piece: Piece) -> float:
    """Character cells of a piece in text."""
    return piece.body.width + (3 if piece.sign else 0)


def broken(
    pieces: Sequence[Piece],
    width: float,
    used: float = 0,
    piece_width: Callable[[Piece], float] = cells,
) -> tuple[Line, ...]:
    """Distribute pieces over lines of `width` cells, `used` of them taken on the first line.

    A piece that is wider than a line gets a line of its own; only there can the width be exceeded.
    """
    lines: list[list[Piece]] = [[]]
    taken = used

    def place(chunk: Sequence[Piece], depth: int) -> None:
        nonlocal taken
        needed = sum(map(piece_width, chunk))
        # A whole bracket opens a line even if it needs several; parts of one fill up the line.
        moves = depth == 1 or len(chunk) == 1 or INDENT + needed <= width
        if lines[-1] and taken + needed > width and moves:
            lines.append([])
            taken = INDENT
        if taken + needed <= width or len(chunk) == 1:
            lines[-1].extend(chunk)
            taken += needed
            return
        for part in _split(chunk, depth):
            place(part, depth + 1)

    for part in _split(pieces, 0):
        place(part, 1)
    return tuple(tuple(line) for line in lines)


def _split(pieces: Sequence[Piece], depth: int) -> Iterator[Sequence[Piece]]:
    """Runs that start at a piece of at most this depth."""
    start = 0
    for k in range(1, len(pieces)):
        if pieces[k].depth <= depth:
            yield pieces[start:k]
            start = k
    yield pieces[start:]


def latex_lines(lines: Sequence[Line], left: str) -> str:
    r"""Display-math body: one line as it is, several in `aligned`, all under the first."""
    bodies = [_latex_line(line) for line in lines]
    if len(bodies) == 1:
        return f"{left} = {bodies[0]}" if left else bodies[0]
    # A sign that opens a line would be set as a prefix; the empty group makes it binary.
    rows = [rf"&\quad{{}} {body}" for body in bodies[1:]]
    head = f"{left} &= {bodies[0]}" if left else f"& {bodies[0]}"
    return "\n".join([r"\begin{aligned}", " \\\\\n".join([head, *rows]), r"\end{aligned}"])


def text_lines(lines: Sequence[Line], left: str) -> tuple[str, ...]:
    """The same as lines for a terminal."""
    bodies = [_text_line(line) for line in lines]
    head = f"{left} = {bodies[0]}" if left else bodies[0]
    return (head, *(" " * INDENT + body for body in bodies[1:]))


def _latex_line(line: Line) -> str:
    source = ""
    for piece in line:
        source = joined(f"{source} {piece.sign} " if piece.sign else source, piece.body.latex)
    return source.lstrip()


def _text_line(line: Line) -> str:
    opening, *rest = line
    start = f"{opening.sign} {opening.body.text}".lstrip()
    return start + "".join(f" {piece.sign} {piece.body.text}" for piece in rest)
