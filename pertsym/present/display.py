"""Values that show themselves: LaTeX in a notebook, text at a prompt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pertsym.expansion.terms import TimeIntegrand
from pertsym.present.formulas import sorted_terms
from pertsym.present.latex import form_latex, integrand_latex
from pertsym.present.text import form_lines, integrand_lines
from pertsym.reduction.spectral import SpectralForm


@dataclass(frozen=True, repr=False)
class Shown:
    """A result in both notations.

    Attributes
    ----------
    latex
        Display-math body without delimiters.
    text
        The same as lines for a terminal.
    """

    latex: str
    text: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(self.text)

    def _repr_latex_(self) -> str:
        return f"$${self.latex}$$"

    def above(self, other: Shown) -> Shown:
        """Both, this one first."""
        both = rf"\begin{{gathered}}{self.latex}\\{other.latex}\end{{gathered}}"
        return Shown(both, (*self.text, *other.text))


def shown(value: TimeIntegrand | SpectralForm, prefix: str = "", name: str = "") -> Shown:
    """Make an integrand or a spectral form show itself.

    Parameters
    ----------
    value
        What to show.
    prefix, name
        Left-hand side in LaTeX and in text.
    """
    if isinstance(value, SpectralForm):
        return Shown(form_latex(value, prefix), form_lines(value, name))
    if isinstance(value, TimeIntegrand):
        head = (f"{name} = integral over all τ > 0 of",) if name else ()
        return Shown(integrand_latex(value, prefix), (*head, *integrand_lines(value)))
    raise TypeError(f"cannot show a {type(value).__name__}; give a TimeIntegrand or a SpectralForm")


@dataclass(frozen=True, repr=False)
class Terms:
    """A sum of time-domain terms that shows itself; it has a length, items and slices.

    Attributes
    ----------
    integrand
    prefix, name
        Left-hand side in LaTeX and in text.
    """

    integrand: TimeIntegrand
    prefix: str = ""
    name: str = ""

    def __len__(self) -> int:
        return len(self.integrand)

    def __iter__(self) -> Iterator[Terms]:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, which: int | slice) -> Terms:
        """One term or some of them, in the order in which they are printed."""
        listed = sorted_terms(self.integrand)
        some = listed[which] if isinstance(which, slice) else (listed[which],)
        return Terms(replace(self.integrand, terms=tuple(some)))

    @property
    def latex(self) -> str:
        """Display-math body without delimiters."""
        return integrand_latex(self.integrand, self.prefix)

    @property
    def text(self) -> tuple[str, ...]:
        """The same as lines for a terminal."""
        return shown(self.integrand, self.prefix, self.name).text

    def __repr__(self) -> str:
        return "\n".join(self.text)

    def _repr_latex_(self) -> str:
        return f"$${self.latex}$$"
