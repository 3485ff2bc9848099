"""A stated model in LaTeX: its Hamiltonian, its interaction, expressions in its symbols."""

from __future__ import annotations

import sympy

from pertsym.model.entries import decimals
from pertsym.model.statement import Coupling, Model
from pertsym.present.elements import element_symbol
from pertsym.present.markup import label


def expression_latex(expression: sympy.Basic) -> str:
    """An expression, its symbols written as in formulas."""
    expression = decimals(expression)
    names = {s: _symbol(s.name) for s in expression.free_symbols}
    text: str = sympy.latex(expression, symbol_names=names, mat_delim="(", fold_short_frac=False)
    return text


def _matrix_latex(matrix: sympy.Matrix) -> str:
    """A matrix of numbers alike: fractions, or decimals where one entry has no short fraction."""
    if decimals(matrix) != matrix:
        numbers = (x for x in matrix.atoms(sympy.Rational) if int(x.q) > 1)
        matrix = matrix.xreplace({x: sympy.Symbol(f"{float(x):.12g}") for x in numbers})
    return expression_latex(matrix)


def hamiltonian_latex(model: Model) -> str:
    """H_S = matrix, in the basis that it was given in."""
    rows = (
        sympy.Matrix(model.hamiltonian) if model.energies is None else sympy.diag(*model.energies)
    )
    return f"H_S = {_matrix_latex(rows)}"


def interaction_latex(model: Model) -> str:
    """H_I = the sum of operators times baths."""
    return "H_I = " + " + ".join(map(coupling_latex, model.couplings))


def coupling_latex(coupling: Coupling) -> str:
    """strength operator (x) B."""
    factor = ""
    if coupling.strength != 1:
        factor = expression_latex(coupling.strength) + r"\,"
        if coupling.strength.is_Add or coupling.strength.could_extract_minus_sign():
            factor = rf"\left({factor}\right)"
    operator = _matrix_latex(sympy.Matrix(coupling.operator))
    return rf"{factor}{operator}\otimes B{label(coupling.bath).latex}"


def _symbol(name: str) -> str:
    return name if name[0].isdigit() else element_symbol(name).latex
