"""Pictures of contractions: pairings, and Liouville paths as double-sided diagrams.

One layout, marks in points with y upwards, and three writers: SVG, TikZ, and LaTeX's own `picture`,
which needs no package.  Time runs from left to right, the ket is the upper line, the bra the lower
one; digits on them are levels, an arc is a correlation function, conjugate where its earlier end
acts on the bra.  A dotted line is where the order of action goes back in time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import NamedTuple

from pertsym.exact import Gaussian
from pertsym.expansion.liouville_paths import LiouvillePath
from pertsym.expansion.pairings import Pairing
from pertsym.expansion.terms import Factor
from pertsym.present.formulas import number
from pertsym.present.markup import Markup, both, label

_COLUMN, _MARGIN, _APART = 28, 24, 38
_ROW = 11
"""Height of a line of text."""
_GAP = 8
_WIDEST = 460
"""What a column of an article holds."""
_BLUE = "#0072B2"


class Line(NamedTuple):
    """What goes straight; dotted where time goes back."""

    x: float
    y: float
    x2: float
    y2: float
    dotted: bool = False


class Arc(NamedTuple):
    """A quadratic Bezier curve."""

    x: float
    y: float
    cx: float
    cy: float
    x2: float
    y2: float


class Dot(NamedTuple):
    """One interaction with the bath."""

    x: float
    y: float


class Text(NamedTuple):
    """What is written around a point; base, subscript and star in LaTeX and in text."""

    x: float
    y: float
    base: str
    sub: Markup = Markup()
    star: bool = False

    @property
    def half(self) -> float:
        """Half of its width, not less than that of any of its writers."""
        raised = 4.5 if self.star else 0.0
        written = 6.2 * len(self.base) + 4.4 * len(self.sub.text.removeprefix("_")) + raised
        return max(_ROW, written) / 2


Mark = Line | Arc | Dot | Text


@dataclass(frozen=True, repr=False)
class Drawing:
    """A picture; it shows itself in a notebook."""

    marks: tuple[Mark, ...]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, lower, right and upper edge."""
        xs, ys = [0.0], [0.0]
        for mark in self.marks:
            wide, high = (mark.half, _ROW / 2) if isinstance(mark, Text) else (1.5, 1.5)
            xs += [mark.x - wide, mark.x + wide]
            ys += [mark.y - high, mark.y + high]
            if isinstance(mark, Line | Arc):
                xs.append(mark.x2)
                # a curve reaches half as far as its control point
                ys.append(mark.y2 if isinstance(mark, Line) else (mark.y + mark.cy) / 2)
        return min(xs), min(ys), max(xs), max(ys)

    def moved(self, dx: float, dy: float) -> tuple[Mark, ...]:
        """The marks further to the right and higher."""
        ends = {"x": dx, "x2": dx, "cx": dx, "y": dy, "y2": dy, "cy": dy}
        return tuple(
            mark._replace(**{k: getattr(mark, k) + d for k, d in ends.items() if hasattr(mark, k)})
            for mark in self.marks
        )

    @property
    def svg(self) -> str:
        """An <svg> element."""
        left, lower, right, upper = self.box
        body = "".join(_svg(mark) for mark in self.marks)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" width="{right - left:g}" '
            f'height="{upper - lower:g}" viewBox="{left:g} {-upper:g} {right - left:g} '
            f'{upper - lower:g}" role="img" font-family="serif" font-size="10" '
            f'text-anchor="middle" stroke-width="0.8" fill="none">{body}</svg>'
        )

    @property
    def tikz(self) -> str:
        """A tikzpicture."""
        body = "\n".join(f"  {_tikz(mark)}" for mark in self.marks)
        options = "x=1pt,y=1pt,baseline=(current bounding box.center),font=\\scriptsize"
        return f"\\begin{{tikzpicture}}[{options}]\n{body}\n\\end{{tikzpicture}}"

    @property
    def latex(self) -> str:
        """A `picture` of LaTeX, centred on the line of text."""
        left, lower, right, upper = self.box
        body = "".join(f"{_picture(mark)}%\n" for mark in self.marks)
        size = f"({right - left:g},{upper - lower:g})({left:g},{lower:g})"
        return (
            "\\raisebox{-0.5\\height}{\\setlength{\\unitlength}{1pt}%\n"
            f"\\begin{{picture}}{size}%\n{body}\\end{{picture}}}}"
        )

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        left, lower, right, upper = self.box
        return f"drawing of {right - left:.0f} x {upper - lower:.0f} points: .svg, .tikz, .latex"


def draw_pairing(pairing: Pairing) -> Drawing:
    """A pairing of the times 0 .. 2n-1: arcs over one line."""
    size = 2 * len(pairing)
    column = {time: _MARGIN + _COLUMN * (size - 1 - time) for time in range(size)}
    marks: list[Mark] = [Line(0, 0, 2 * _MARGIN + _COLUMN * (size - 1), 0)]
    marks += [_bow(column[j], column[i], 0.0, 1) for i, j in pairing]
    marks += [Dot(x, 0) for x in column.values()]
    return Drawing((*marks, *_times(column, -_ROW)))


def draw_paths(paths: Mapping[LiouvillePath, Gaussian]) -> Drawing:
    """Liouville paths, as many in a row as fit; of several each with its contribution."""
    drawings = []
    for path, weight in paths.items():
        drawing = Drawing(_double_sided(path))
        if len(paths) > 1:
            sign, size = number(weight)
            factor = sign.replace("-", "\N{MINUS SIGN}") + (size.text or "1")
            half = Text(0, 0, factor).half
            aside = Text(half, -_APART / 2, factor)
            drawing = Drawing((aside, *drawing.moved(2 * half + 4 - drawing.box[0], 0)))
        drawings.append(drawing)
    marks: list[Mark] = []
    lower = 0.0
    wide = max((drawing.box[2] for drawing in drawings), default=0.0)
    many = max(1, int((_WIDEST + _GAP) // (wide + _GAP)))
    for row in (drawings[k : k + many] for k in range(0, len(drawings), many)):
        dy = lower - max(drawing.box[3] for drawing in row) - _GAP if marks else 0.0
        dx = 0.0
        for drawing in row:
            marks += drawing.moved(dx, dy)
            dx += drawing.box[2] + _GAP
        lower = Drawing(tuple(marks)).box[1]
    return Drawing(tuple(marks))


def _double_sided(path: LiouvillePath) -> tuple[Mark, ...]:
    order = _together(path.ket, path.bra)
    names = [Text(0, 0, "C", label(f.name), f.conjugate) for f in path.factors]
    apart = max([float(_COLUMN), *(1.3 * name.half + 12 for name in names)])
    column = {time: _MARGIN + apart * k for k, time in enumerate(order)}
    end = 2 * _MARGIN + apart * (len(order) - 1)
    marks: list[Mark] = []
    for times, levels, y in (
        (path.ket, path.ket_levels, 0.0),
        (path.bra, path.bra_levels, -_APART),
    ):
        corners = [0.0, *(float(column[t]) for t in times), float(end)]
        for a, b, level in zip(corners[:-1], corners[1:], levels, strict=True):
            middle = (a + b) / 2
            marks += [Line(a, y, middle - 5, y), Line(middle + 5, y, b, y)]
            marks.append(Text(middle, y, str(level)))
    for before, after in _steps_back(order):
        x = (column[before] + column[after]) / 2
        marks.append(Line(x, -6, x, 6 - _APART, dotted=True))
    arcs = [_joined(factor, column, path.bra) for factor in path.factors]
    marks += arcs
    for arc, name in zip(arcs, names, strict=True):
        marks.append(_clear(arc, name, marks))
    marks += [Dot(column[t], 0.0) for t in path.ket]
    marks += [Dot(column[t], -float(_APART)) for t in path.bra]
    return (*marks, *_times(column, Drawing(tuple(marks)).box[1] - _ROW / 2 - 2))


def _joined(factor: Factor, column: Mapping[int, float], bra: tuple[int, ...]) -> Arc:
    """The arc of a contraction: a bow outside one line, straight between the two."""
    later, earlier = factor.first - 1, factor.last
    x, x2 = float(column[earlier]), float(column[later])
    y, y2 = (-float(_APART) if time in bra else 0.0 for time in (earlier, later))
    if y == y2:
        return _bow(x, x2, y, -1 if y else 1)
    return Arc(x, y, (x + x2) / 2, (y + y2) / 2, x2, y2)


def _clear(arc: Arc, name: Text, marks: Sequence[Mark]) -> Text:
    """The name of an arc where it is written: over a bow, else beside the line, and there where it
    is farthest from other names and from all lines."""
    lines = [_along(m, k / 16) for m in marks if isinstance(m, Line | Arc) for k in range(17)]
    texts = [mark for mark in marks if isinstance(mark, Text)]

    def distance(at: tuple[float, float]) -> float:
        """Of a box from what lies next to it, negative where it covers that."""
        apart = [max(abs(at[0] - x) - name.half, abs(at[1] - y) - 4) for x, y in lines]
        apart += [
            max(abs(at[0] - t.x) - name.half - t.half, abs(at[1] - t.y) - _ROW) for t in texts
        ]
        return min(2.0, at[0] - name.half + 2, *apart)

    if arc.y == arc.y2:
        up = 1 if arc.cy > arc.y else -1
        top = (arc.y + arc.cy) / 2 + 7 * up
        places = [(arc.cx + dx * name.half, top) for dx in (0.0, -0.5, 0.5, -1.0, 1.0)]
    else:
        aside = name.half + 5 * abs((arc.x2 - arc.x) / (arc.y2 - arc.y)) + 2
        points = [_along(arc, t) for t in (0.5, 0.4, 0.6, 0.3, 0.7)]
        places = [(x + dx, y) for x, y in points for dx in (aside, -aside)]
    x, y = max(places, key=distance)
    return name._replace(x=x, y=y)


def _along(mark: Line | Arc, t: float) -> tuple[float, float]:
    """A point of a line or of a curve."""
    if isinstance(mark, Line):
        return mark.x + t * (mark.x2 - mark.x), mark.y + t * (mark.y2 - mark.y)
    a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
    return a * mark.x + b * mark.cx + c * mark.x2, a * mark.y + b * mark.cy + c * mark.y2


def _steps_back(order: tuple[int, ...]) -> list[tuple[int, int]]:
    return [(before, after) for before, after in pairwise(order) if after > before]


def _together(ket: Sequence[int], bra: Sequence[int]) -> tuple[int, ...]:
    """Both sequences merged, the earliest time first wherever their orders leave the choice."""
    left, right, found = list(ket), list(bra), []
    while left or right:
        found.append((left if (left or [-1])[0] > (right or [-1])[0] else right).pop(0))
    return tuple(found)


def _bow(x: float, x2: float, y: float, up: int) -> Arc:
    height = 10 + 0.5 * abs(x2 - x)
    return Arc(float(x), y, (x + x2) / 2, y + up * height, float(x2), y)


def _times(column: Mapping[int, float], y: float) -> Iterable[Text]:
    return [Text(float(x), y, "t", both(str(time))) for time, x in sorted(column.items())]


def _svg(mark: Mark) -> str:
    match mark:
        case Line(x, y, x2, y2, dotted):
            dash = ' stroke-dasharray="1 2"' if dotted else ""
            return f'<path d="M{x:g} {-y:g}L{x2:g} {-y2:g}" stroke="currentColor"{dash}/>'
        case Arc(x, y, cx, cy, x2, y2):
            curve = f"M{x:g} {-y:g}Q{cx:g} {-cy:g} {x2:g} {-y2:g}"
            return f'<path d="{curve}" stroke="{_BLUE}"/>'
        case Dot(x, y):
            return f'<circle cx="{x:g}" cy="{-y:g}" r="1.8" fill="currentColor"/>'
        case Text(x, y, base, sub, star):
            inner = escape(base) + ("*" if star else "")
            if sub:
                below = escape(sub.text.removeprefix("_"))
                inner += f'<tspan dy="2.5" font-size="7">{below}</tspan>'
            return f'<text x="{x:g}" y="{3 - y:g}" fill="currentColor">{inner}</text>'


def _tikz(mark: Mark) -> str:
    match mark:
        case Line(x, y, x2, y2, dotted):
            return f"\\draw{'[dotted]' if dotted else ''} ({x:g},{y:g}) -- ({x2:g},{y2:g});"
        case Arc(x, y, cx, cy, x2, y2):
            # the cubic curve that is the quadratic one
            near = f"({(x + 2 * cx) / 3:g},{(y + 2 * cy) / 3:g})"
            far = f"({(x2 + 2 * cx) / 3:g},{(y2 + 2 * cy) / 3:g})"
            return f"\\draw[blue] ({x:g},{y:g}) .. controls {near} and {far} .. ({x2:g},{y2:g});"
        case Dot(x, y):
            return f"\\fill ({x:g},{y:g}) circle[radius=1.8pt];"
        case Text(x, y):
            return f"\\node at ({x:g},{y:g}) {{{_math(mark)}}};"


def _picture(mark: Mark) -> str:
    match mark:
        case Line(x, y, x2, y2, True):
            dots = int(abs(y2 - y) / 3)
            return (
                f"\\qbezier[{dots}]({x:g},{y:g})({(x + x2) / 2:g},{(y + y2) / 2:g})({x2:g},{y2:g})"
            )
        case Line(x, y, x2):
            return f"\\put({x:g},{y:g}){{\\line(1,0){{{x2 - x:g}}}}}"
        case Arc(x, y, cx, cy, x2, y2):
            return f"\\qbezier({x:g},{y:g})({cx:g},{cy:g})({x2:g},{y2:g})"
        case Dot(x, y):
            return f"\\put({x:g},{y:g}){{\\circle*{{3}}}}"
        case Text(x, y):
            return f"\\put({x:g},{y:g}){{\\makebox(0,0){{\\scriptsize {_math(mark)}}}}}"


def _math(mark: Text) -> str:
    base = mark.base.replace("\N{MINUS SIGN}", "-")
    return f"${base}{mark.sub.latex and _lowered(mark)}{'^*' if mark.star else ''}$"


def _lowered(mark: Text) -> str:
    """Subscripts come as such from `label`, and bare for times."""
    return mark.sub.latex if mark.sub.latex.startswith("_") else f"_{{{mark.sub.latex}}}"
