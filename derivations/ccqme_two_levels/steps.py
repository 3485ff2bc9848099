"""Steps that show the Redfield equation of two levels: as matrices of symbols, and as spectra.

Equation numbers are those of Appendix F of the CCQME paper on proton transfer.
"""

from __future__ import annotations

from fractions import Fraction

import sympy

from derivations.ccqme_two_levels.matrices import Matrices
from pertsym.derivation import Formula, Step
from pertsym.equations.ccqme import Ccqme
from pertsym.exact import Gaussian
from pertsym.narrative import NamedForm, forms_step

_HALF = Gaussian(Fraction(1, 2))
_OVER_2I = Gaussian(0, Fraction(-1, 2))


def hamiltonian(matrices: Matrices) -> Step:
    """(92)-(98)."""
    m = matrices
    return Step(
        "hamiltonian",
        "Two levels, one bath",
        "A diagonal part of the coupling shifts the levels against each other and mixes "
        r"populations with coherences. $S_{nm}=q_{nm}g(D_{nm})$ is the operator $\int_0^\infty "
        r"dt\,C(t)\,q(-t)$ in the energy eigenbasis.",
        (
            Formula(r"H=\sum_nE_n|n\rangle\langle n|+q\otimes B+H_B", "(92), (93)"),
            Formula(rf"q={sympy.latex(m.q)},\qquad S={sympy.latex(m.filtered)}", "(96)-(98)"),
        ),
        (f"q = {_plain(m.q)}", f"S = {_plain(m.filtered)}"),
    )


def _plain(matrix: sympy.Matrix) -> str:
    rows = matrix.tolist()
    return "[" + ", ".join("[" + ", ".join(map(str, row)) + "]" for row in rows) + "]"


def row_formula(left: str, expression: sympy.Expr, unknowns: sympy.Matrix, source: str) -> Formula:
    """left = sum of (coefficient) unknown, one unknown a line."""
    terms = []
    for symbol in unknowns:
        weight = sympy.expand(expression).coeff(symbol)
        if weight != 0:
            terms.append(rf"\left[{sympy.latex(weight)}\right]{sympy.latex(symbol)}")
    head, *rest = terms
    if not rest:
        return Formula(f"{left}={head}", source)
    lines = [f"{left}&={head}", *(rf"&\quad{{}}+{term}" for term in rest)]
    return Formula(r"\begin{aligned}" + " \\\\\n".join(lines) + r"\end{aligned}", source)


def operator_form(matrices: Matrices) -> Step:
    """(95), (99)-(104)."""
    m = matrices
    parts = m.redfield_parts(m.rho)
    names = (r"S\rho q", r"q\rho S^\dagger", r"qS\rho", r"\rho S^\dagger q")
    numbers = ("(99)", "(100)", "(101)", "(102)")
    formulas = [
        Formula(rf"\left({name}\right)_{{00}}={sympy.latex(part[0, 0].expand())}", number)
        for name, part, number in zip(names, parts, numbers, strict=True)
    ]
    driven = m.redfield(m.rho)
    formulas += [
        row_formula(rf"R[\rho]_{{{a}{b}}}", driven[a, b], m.rho, "(103), (104)")
        for a, b in ((0, 0), (0, 1))
    ]
    return Step(
        "redfield",
        "The Redfield superoperator",
        r"$R[\rho]=S\rho q+q\rho S^\dagger-qS\rho-\rho S^\dagger q$, all four products as "
        r"matrices; the other elements are $R[\rho]_{11}=-R[\rho]_{00}$ and, for a Hermitian "
        r"$\rho$, $R[\rho]_{10}=R[\rho]_{01}^*$. The ledger compares all 16 elements with those of "
        "the ordered cumulant.",
        tuple(formulas),
        tuple(
            f"R[ρ]{a}{b} = {sympy.collect(driven[a, b], list(m.rho))}" for a, b in ((0, 0), (0, 1))
        ),
    )


def _element(equation: Ccqme, a: int, b: int, c: int, d: int) -> list[NamedForm]:
    form = equation.redfield((a, b, c, d))
    real = (form + form.conjugated()).scaled(_HALF)
    imaginary = (form - form.conjugated()).scaled(_OVER_2I)
    name = f"{a}{b},{c}{d}"
    shown = [
        NamedForm(rf"\mathrm{{Re}}\,R_{{{name}}}", f"Re R{name}", real),
        NamedForm(rf"\mathrm{{Im}}\,R_{{{name}}}", f"Im R{name}", imaginary),
    ]
    return [item for item in shown if item.form]


def redfield_forms(equation: Ccqme) -> Step:
    """The same elements from the ordered cumulant, as spectra and transforms."""
    columns = ((0, 0, 0, 0), (0, 0, 1, 1), (0, 0, 0, 1), (0, 1, 0, 0), (0, 1, 1, 1), (0, 1, 0, 1))
    return forms_step(
        "redfield-forms",
        "Redfield elements in spectra and transforms",
        r"From the ordered cumulant of second order. Population rates hold the spectrum at the "
        "transition frequency alone; the diagonal part of $q$ enters where populations and "
        "coherences mix, and in the pure dephasing.",
        [shown for element in columns for shown in _element(equation, *element)],
    )
