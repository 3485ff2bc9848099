"""Values that show themselves: LaTeX in a notebook, text at a prompt."""

from __future__ import annotations

from dataclasses import dataclass

from pertsym.expansion.terms import TimeIntegrand
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
