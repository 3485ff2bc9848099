"""A derivation as a value: numbered steps that can be shown, exported and checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, SupportsIndex, overload

if TYPE_CHECKING:
    from pertsym.present.diagrams import Drawing

Reading = Callable[[str], str]
"""Reads a formula in LaTeX and says in what it is not what the engine derives; "" if it is."""


@dataclass(frozen=True)
class Formula:
    """One displayed formula.

    Attributes
    ----------
    latex
        Display-math body without delimiters; long ones are already broken with `aligned`.
    source
        Equation number that it has in the source, e.g. "(91)"; empty if it has none.  The ledger
        says whether the engine derives that equation or takes it as a definition.
    compare, reason
        Of one that was typed: what reads it and compares it, or why nothing can.  Both are empty
        for one that the engine has rendered.  Scripts write `typed` and, for results, the
        functions of `pertsym.narrative`.
    lead
        Words before it, plain text with inline math between dollar signs.
    text
        The same as lines for a terminal, where there are others than its LaTeX read as text.
    """

    latex: str
    source: str = ""
    lead: str = ""
    text: tuple[str, ...] = ()
    compare: Reading | None = field(default=None, repr=False, compare=False)
    reason: str = ""


class Drawn(NamedTuple):
    """Something in LaTeX and the picture that belongs to it."""

    latex: str
    drawing: Drawing


def typed(latex: str, against: Reading | str, source: str = "", lead: str = "") -> Formula:
    """A formula as typed, with what it is compared with, or the reason why it is with nothing."""
    if isinstance(against, str):
        return Formula(latex, source, lead, reason=against)
    return Formula(latex, source, lead, compare=against)


@dataclass(frozen=True, repr=False)
class Step:
    """One step: what is done, in words, and what comes out.

    Attributes
    ----------
    key
        Short name by which a step is asked for (`derive --step KEY`).
    title, prose
        Heading, and the argument, in plain text with inline math between dollar signs.
    formulas
        Displayed results in order.
    text
        The same results as plain text lines for a terminal; by default the formulas read as text.
    level
        1 for a section, 2 for a part of the section before it.
    drawn
        Pictures, each with what it shows.
    caption
        How they are to be read.
    """

    key: str
    title: str
    prose: str
    formulas: tuple[Formula, ...] = ()
    text: tuple[str, ...] = ()
    level: int = 1
    drawn: tuple[Drawn, ...] = ()
    caption: str = ""

    def __post_init__(self) -> None:
        if self.formulas and not self.text:
            from pertsym.present.text import formula_text  # brings the writers

            lines = (line for formula in self.formulas for line in formula_text(formula))
            object.__setattr__(self, "text", tuple(lines))

    def __repr__(self) -> str:
        from pertsym.present.text import prose_text  # brings the writers

        head = f"{prose_text(self.title)}  [{self.key}]"
        return "\n".join((head, *(f"   {line}" for line in self.text)))

    def _repr_latex_(self) -> str:
        return "\n\n".join((self.title, self.prose, *map(_shown, self.formulas)))


def _shown(formula: Formula) -> str:
    return "\n\n".join(filter(None, (formula.lead, f"$${formula.latex}$$")))


class Steps(tuple[Step, ...]):
    """Steps that show themselves one below the other; slices are steps again."""

    @overload
    def __getitem__(self, which: SupportsIndex) -> Step: ...
    @overload
    def __getitem__(self, which: slice) -> Steps: ...
    def __getitem__(self, which: SupportsIndex | slice) -> Step | Steps:
        found = super().__getitem__(which)
        return Steps(found) if isinstance(found, tuple) else found

    def __repr__(self) -> str:
        return "\n".join(map(repr, self))

    def _repr_latex_(self) -> str:
        return "\n".join(step._repr_latex_() for step in self)


@dataclass(frozen=True)
class Derivation:
    """A named, ordered list of steps with its conventions and bibliography.

    Attributes
    ----------
    name, title, source, bibtex, summary
        As of `pertsym.paper.Paper`.
    conventions
        Sentences with inline math.
    steps
        In order; they show themselves.
    """

    name: str
    title: str
    source: str
    bibtex: str
    conventions: tuple[str, ...]
    steps: tuple[Step, ...] = field(default=())
    summary: str = ""

    def step(self, key: str) -> Step:
        """The step called `key`.

        Raises
        ------
        KeyError
            With the list of the steps there are.
        """
        for step in self.steps:
            if step.key == key:
                return step
        known = ", ".join(step.key for step in self.steps)
        raise KeyError(f"no step {key!r} in {self.name}; its steps are: {known}")
