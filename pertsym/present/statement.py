"""A stated model in LaTeX (Hamiltonian, interaction, expressions in its symbols) and in Python."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import sympy

from pertsym.baths.densities import Exponentials
from pertsym.baths.densities.density import Density
from pertsym.estimate import scientific
from pertsym.model.bath import Bath
from pertsym.model.entries import decimal_matrix, decimals
from pertsym.model.statement import Coupling, Model
from pertsym.present.elements import element_symbol
from pertsym.present.markup import label


def expression_latex(expression: sympy.Basic) -> str:
    """An expression, its symbols written as in formulas."""
    expression = decimals(expression)
    names = {s: _symbol(s.name) for s in expression.free_symbols}
    text: str = sympy.latex(expression, symbol_names=names, mat_delim="(", fold_short_frac=False)
    return text


def hamiltonian_latex(model: Model) -> str:
    """H_S = matrix, in the basis that it was given in."""
    own, *operators = matrices(model)
    return f"H_S = {expression_latex(decimal_matrix(own, operators))}"


def interaction_latex(model: Model) -> str:
    """H_I = the sum of operators times baths."""
    all_of_it = matrices(model)
    return "H_I = " + " + ".join(coupling_latex(x, all_of_it) for x in model.couplings)


def matrices(model: Model) -> list[sympy.Matrix]:
    """H_S first: numbers of all are written in one way."""
    own = model.hamiltonian if model.energies is None else sympy.diag(*model.energies)
    return [sympy.Matrix(own), *(sympy.Matrix(x.operator) for x in model.couplings)]


def coupling_latex(coupling: Coupling, beside: Iterable[sympy.Matrix] = ()) -> str:
    """strength operator (x) B, with decimals if those `beside` it need them."""
    factor = ""
    if coupling.strength != 1:
        factor = expression_latex(coupling.strength) + r"\,"
        if coupling.strength.is_Add or coupling.strength.could_extract_minus_sign():
            factor = rf"\left({factor}\right)"
    operator = expression_latex(decimal_matrix(coupling.operator, beside))
    return rf"{factor}{operator}\otimes B{label(coupling.bath).latex}"


def cells(model: Model, quantity: str) -> tuple[str, ...]:
    """Python that states the model and derives a quantity, for a notebook."""

    def matrix(rows: Sequence[Sequence[sympy.Expr]]) -> str:
        return "[" + ", ".join("[" + ", ".join(f'"{x}"' for x in row) + "]" for row in rows) + "]"

    system = (
        f"hamiltonian={matrix(model.hamiltonian)}"
        if model.hamiltonian is not None
        else "energies=[" + ", ".join(f'"{x}"' for x in model.energies or ()) + "]"
    )
    couplings = "".join(
        f'        ps.Coupling({matrix(c.operator)}, "{c.bath}", "{c.strength}"),\n'
        for c in model.couplings
    )
    crosses = "".join(
        f"ps.Cross({c.baths!r}{'' if c.fraction is None else f', {c.fraction!r}'}), "
        for c in model.cross
    )
    cross = f"    cross=[{crosses.removesuffix(', ')}],\n" if crosses else ""
    symbols = {
        s.name: float(s.value) if s.value is not None else ("positive" if s.positive else "real")
        for s in model.symbols.values()
    }
    stated = (
        f"import pertsym as ps\n\nmodel = ps.Model(\n    {system},\n    couplings=[\n{couplings}"
        f"    ],\n{cross}    symbols={symbols!r},\n)\nderived = ps.derive(model)\nderived"
    )
    return stated, f'derived["{quantity}"][2]', f'derived["{quantity}"][4]'


_NAMES = {"w": r"\omega", "w0": r"\omega_0", "wc": r"\omega_c", "lam": r"\lambda"}
_MOST_SHOWN = 4
"""Exponentials, or parts of a sum, that are written out."""


def bath_latex(bath: Bath) -> str:
    """J(w) with its numbers, or C(t), and what it is a bath of."""
    if isinstance(bath.density, Exponentials):
        pairs = list(zip(bath.density.c, bath.density.nu, strict=True))
        shown = [rf"({_number(c)})\,e^{{-({_number(nu)})t}}" for c, nu in pairs[:_MOST_SHOWN]]
        return f"C{label(bath.name).latex if bath.name else ''}(t)=" + _listed(shown, len(pairs))
    kind = r"\text{spins}" if bath.is_spin else rf"\text{{{_KINDS[bath.statistics]}}}"
    temperature = "T=0" if bath.beta == math.inf else f"T={_number(1 / (bath.beta or math.inf))}"
    temperature = rf",\quad {temperature}" if bath.beta is not None else ""
    density = bath.density.spins or bath.density
    name = label(bath.name).latex if bath.name else ""
    return rf"J{name}(\omega)={_density_latex(density)},\qquad {kind}{temperature}"


_KINDS = {"boson": "oscillators", "classical": "classical"}


def _density_latex(density: Density) -> str:
    if density.weighted != ((1.0, density),):
        parts = [
            _density_latex(part)
            if weight == 1
            else rf"{_number(weight)}\left[{_density_latex(part)}\right]"
            for weight, part in density.weighted
        ]
        return _listed(parts, len(parts))
    if density.expression_given is not None:
        return _with_names(density.expression_given)
    if not density.formula:
        return rf"\text{{{density.kind}}}"
    values = ",\\ ".join(
        f"{_NAMES.get(n, _symbol(n))}={_value(x)}" for n, x in density.values.items()
    )
    return rf"{_with_names(density_expression(density))}\quad({values})"


def density_expression(density: Density) -> sympy.Expr:
    """Its `formula` in symbols."""
    # a product is a blank between two factors
    text = re.sub(r"(?<=[\w)\]]) +(?=[\w(\[])", "*", density.formula)
    for written, meant in (("[", "("), ("]", ")"), ("^", "**")):
        text = text.replace(written, meant)
    names = {name: sympy.Symbol(name) for name in (*density.values, "w")}
    return sympy.sympify(text, names)


def _with_names(expression: sympy.Expr) -> str:
    names = {s: _NAMES.get(s.name, _symbol(s.name)) for s in expression.free_symbols}
    text: str = sympy.latex(decimals(expression), symbol_names=names)
    return text


def _value(x: Any) -> str:
    return _number(x) if np.ndim(x) == 0 else rf"\text{{{np.size(x)} values}}"


def _number(z: Any) -> str:
    z = complex(z)
    if not z.imag:
        return scientific(z.real, 6)
    return f"{scientific(z.real, 6)}{'-' if z.imag < 0 else '+'}{scientific(abs(z.imag), 6)}i"


def _listed(parts: list[str], count: int) -> str:
    more = rf"+\cdots\text{{ ({count - _MOST_SHOWN} more)}}" if count > _MOST_SHOWN else ""
    return " + ".join(parts[:_MOST_SHOWN]) + more


def _symbol(name: str) -> str:
    return name if name[0].isdigit() else element_symbol(name).latex
