"""The pen that writes a formula piece by piece, and the brackets it uses."""

from __future__ import annotations

from pertsym.present.layout import Piece
from pertsym.present.markup import Markup, both

SQUARE = Markup(r"\bigl[", "["), Markup(r"\bigr]", "]")
TALL_SQUARE = Markup(r"\biggl[", "["), Markup(r"\biggr]", "]")
CURLY = Markup(r"\bigl\{", "{ "), Markup(r"\bigr\}", " }")
TALL_CURLY = Markup(r"\biggl\{", "{ "), Markup(r"\biggr\}", " }")
TALL_ROUND = Markup(r"\biggl(", "("), Markup(r"\biggr)", ")")


class Writer:
    """Collects pieces; a term that opens a bracket or the formula joins the piece before it."""

    def __init__(self) -> None:
        self.pieces = [Piece(Markup())]
        self.depth = 0
        self._fresh = True

    def term(self, sign: str, body: Markup) -> None:
        if self._fresh:
            self.more(both("-" if sign == "-" else "") + body)
            self._fresh = False
        else:
            self.pieces.append(Piece(body, sign, self.depth))

    def more(self, body: Markup) -> None:
        self.pieces[-1] = self.pieces[-1].followed_by(body)

    def open(self, bracket: Markup) -> None:
        self.more(bracket)
        self.depth += 1
        self._fresh = True

    def close(self, bracket: Markup) -> None:
        self.more(bracket)
        self.depth -= 1
        self._fresh = False
