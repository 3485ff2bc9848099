"""Values that show themselves: LaTeX in a notebook, text at a prompt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final

from pertsym.derivation import Drawn
from pertsym.equations.series import Equations
from pertsym.expansion.liouville_paths import Contributions, liouville_paths
from pertsym.expansion.terms import TimeIntegrand
from pertsym.present.diagrams import Drawing, draw_paths
from pertsym.present.formulas import sorted_terms
from pertsym.present.latex import form_latex, integral_latex, integrand_latex, term_latex
from pertsym.present.mathml import mathml_or_source
from pertsym.present.text import form_lines, integrand_lines
from pertsym.reduction.spectral import SpectralForm

MOST_DRAWN: Final = 24
"""Terms that are drawn where they are many."""


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

    In a notebook it is a table of the terms with their double-sided diagrams.

    Attributes
    ----------
    integrand
    prefix, name
        Left-hand side in LaTeX and in text.
    """

    integrand: TimeIntegrand
    prefix: str = ""
    name: str = ""
    _paths: Callable[[], Contributions] | None = field(default=None, compare=False)

    def __len__(self) -> int:
        return len(self.integrand)

    def __iter__(self) -> Iterator[Terms]:
        return (self[k] for k in range(len(self)))

    def __getitem__(self, which: int | slice) -> Terms:
        """One term or some of them, in the order in which they are printed."""
        listed = sorted_terms(self.integrand)
        some = listed[which] if isinstance(which, slice) else (listed[which],)
        integrand = replace(self.integrand, terms=tuple(some))
        return Terms(integrand, _paths=self._paths)

    def paths(self) -> Contributions:
        """The Liouville paths of each term and what they contribute to its coefficient.

        Of a real part a path stands for its mirror image, ket and bra exchanged, too.

        Raises
        ------
        ValueError
            If it is not known what the terms were derived from.
        """
        if self._paths is None:
            raise ValueError("terms: made by hand, they have no paths; take those of a result")
        found = self._paths()
        return {term.shape: found[term.shape] for term in sorted_terms(self.integrand)}

    def diagram(self) -> Drawing:
        """The double-sided diagrams of one term, side by side if it sums several paths.

        Raises
        ------
        ValueError
            If there is not exactly one term, or as `paths`.

        Examples
        --------
        >>> import pertsym as ps
        >>> ps.derive([ps.Coupling(ps.sigma_x, "X")]).k_up[4].terms[0].diagram().svg[:4]
        '<svg'
        """
        if len(self) != 1:
            raise ValueError(f"diagram: there are {len(self)} terms; take one, such as terms[0]")
        (paths,) = self.paths().values()
        return draw_paths(paths)

    def drawn(self, most: int = MOST_DRAWN) -> tuple[Drawn, ...]:
        """The first terms with their diagrams."""
        some = self[:most]
        drawings = map(draw_paths, some.paths().values())
        return tuple(
            Drawn(term_latex(term), drawing)
            for term, drawing in zip(sorted_terms(some.integrand), drawings, strict=True)
        )

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

    def _repr_html_(self) -> str | None:
        """A table of terms and diagrams; None where there are none, or orders beyond 4."""
        if self._paths is None or not len(self) or self.integrand.order > 4:
            return None
        rows = "".join(
            f'<tr><td style="text-align:left">{mathml_or_source(latex, display=False)}</td>'
            f'<td style="text-align:left">{drawing.svg}</td></tr>'
            for latex, drawing in self.drawn()
        )
        left = len(self) - MOST_DRAWN
        more = f"<p>and {left} more terms</p>" if left > 0 else ""
        head = mathml_or_source(integral_latex(self.integrand, self.prefix), display=False)
        return f"<p>{head}</p><table>{rows}</table>{more}"


def terms_of(equations: Equations, terms: TimeIntegrand, name: str, latex: str, text: str) -> Terms:
    """The terms of a quantity as a value that knows the Liouville paths behind them."""

    @cache
    def paths() -> Contributions:
        weights = equations.weights(name)
        assert weights is not None, "what has terms is a sum of elements"
        return liouville_paths(equations.interaction, terms.order, weights, terms.real_part)

    return Terms(terms, latex, text, paths)


def caption(terms: Terms, most: int = MOST_DRAWN) -> str:
    """How the diagrams of the first terms are to be read."""
    real, found = terms.integrand.real_part, list(terms[:most].paths().values())
    alone = sum(len(paths) for paths in found) == 1
    said = [
        "Behind it is this path." if alone else "Behind them are these paths.",
        f"{'It' if alone else 'Each path'} stands for its mirror image, ket and bra exchanged, too."
        if real
        else "",
        "Numbers say what each contributes." if any(len(paths) > 1 for paths in found) else "",
        f"The first {most} terms are drawn." if len(terms) > most else "",
    ]
    return " ".join(filter(None, said))
