"""How quantities are written: their symbols, and closed forms under these names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from pertsym.derivation import Formula, Step
from pertsym.equations.generator import ELIMINATED
from pertsym.equations.series import Equations
from pertsym.present.latex import form_latex
from pertsym.present.text import form_lines
from pertsym.reduction.spectral import SpectralForm


class Symbol(NamedTuple):
    """How a quantity is written: LaTeX and text, without its order."""

    latex: str
    text: str


_SYMBOLS: Mapping[str, Symbol] = MappingProxyType(
    {
        "k_up": Symbol("k_{10}", "k10"),
        "k_down": Symbol("k_{01}", "k01"),
        "inv_T1": Symbol(r"\left(1/T_1\right)", "(1/T1)"),
        "inv_T2": Symbol(r"\left(1/T_2\right)", "(1/T2)"),
        "inv_T2_prime": Symbol(r"\left(1/T_2'\right)", "(1/T2')"),
        "frequency_shift": Symbol(r"\Delta\omega", "Δω"),
        "equilibrium_constant": Symbol("K", "K"),
    }
)

_ELIMINATED: Mapping[str, Symbol] = MappingProxyType(
    {
        "k_up": Symbol(r"\tilde k_{10}", "k̃10"),
        "k_down": Symbol(r"\tilde k_{01}", "k̃01"),
        "inv_T1": Symbol(r"\left(1/\tilde T_1\right)", "(1/T̃1)"),
        "inv_T2": Symbol(r"\left(1/\tilde T_2\right)", "(1/T̃2)"),
        "inv_T2_prime": Symbol(r"\left(1/\tilde T_2'\right)", "(1/T̃2')"),
        "frequency_shift": Symbol(r"\Delta\tilde\omega", "Δω̃"),
    }
)
"""A tilde for what is left after elimination."""


def symbol(name: str) -> Symbol:
    """The symbol of a quantity or of an element such as R_1010."""
    plain = name.removesuffix(ELIMINATED)
    table = _SYMBOLS if plain == name else _ELIMINATED
    if plain in table:
        return table[plain]
    if name.startswith("k_"):
        tilde = (r"\tilde k", "k̃") if name.endswith(ELIMINATED) else ("k", "k")
        rate = plain.removeprefix("k_")
        return Symbol(f"{tilde[0]}_{{{rate}}}", f"{tilde[1]}{rate}")
    if plain != name:  # of a coherence ab
        kind, _, indices = plain.rpartition("_")
        latex, text = table[kind]
        return Symbol(f"{latex}_{{{indices}}}", f"{text}{indices}")
    indices = name.removeprefix("R_")
    return Symbol(f"R_{{{indices}}}", f"R{indices}")


def expansion_latex(name: str) -> str:
    """A quantity as a power series, for a notebook."""
    latex, first = symbol(name).latex, 0 if name == "equilibrium_constant" else 2
    return f"${latex}={latex}^{{({first})}}+{latex}^{{({first + 2})}}+\\dots$"


def at_order(name: str, order: int) -> Symbol:
    """The symbol of one order of a quantity."""
    latex, text = symbol(name)
    return Symbol(f"{latex}^{{({order})}}", f"{text}({order})")


class NamedForm(NamedTuple):
    """A left-hand side in LaTeX and text, a form, and the source equation."""

    latex: str
    text: str
    form: SpectralForm
    source: str = ""

    @property
    def formula(self) -> Formula:
        """As it is displayed."""
        lines = form_lines(self.form, self.text)
        return Formula(form_latex(self.form, self.latex), self.source, text=lines)


Shown = Formula | NamedForm | Step | Iterable["Shown"]
"""What a step may display."""


def displayed(shown: Shown) -> tuple[Formula, ...]:
    """All formulas of it, in order."""
    if isinstance(shown, Formula):
        return (shown,)
    if isinstance(shown, NamedForm):
        return (shown.formula,)
    if isinstance(shown, Step):
        return shown.formulas
    return tuple(formula for one in shown for formula in displayed(one))


def named(
    equations: Equations,
    names: Iterable[str],
    *orders: int,
    sources: Mapping[tuple[str, int], str] = MappingProxyType({}),
) -> list[NamedForm]:
    """Quantities by name, of complex elements both parts; `sources` has their equations."""
    found = []
    for order in orders:
        for name in names:
            quantity, (latex, text) = equations.series(name)[order], at_order(name, order)
            if name.startswith("R_"):
                found.append(NamedForm(rf"\mathrm{{Re}}\,{latex}", f"Re {text}", quantity.form))
                form = quantity.imaginary
                found.append(NamedForm(rf"\mathrm{{Im}}\,{latex}", f"Im {text}", form))
            else:
                source = sources.get((name, order), "")
                found.append(NamedForm(latex, text, quantity.form, source))
    return found
