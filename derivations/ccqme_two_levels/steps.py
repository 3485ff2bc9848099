"""Steps that show the Redfield equation of two levels: as matrices of symbols, and as spectra.

Equation numbers are those of Appendix F of the CCQME paper on proton transfer.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial

import sympy

from derivations.ccqme_two_levels.common import COUPLING, MATRICES
from derivations.ccqme_two_levels.matrices import Matrices
from pertsym.certify.standard import model_values
from pertsym.derivation import Formula, Step, typed
from pertsym.equations.ccqme import Ccqme
from pertsym.exact import Gaussian
from pertsym.narrative import NamedForm, forms_step, rendered, rows

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
            typed(
                r"H=\omega_0|1\rangle\langle1|+q\otimes B+H_B",
                model_values(COUPLING, "q"),
                "(92), (93)",
            ),
            rendered("q", m.q, "(96)"),
            rendered("S", m.filtered, "(98)"),
        ),
    )


def _plain(matrix: sympy.Matrix) -> str:
    rows = matrix.tolist()
    return "[" + ", ".join("[" + ", ".join(map(str, row)) + "]" for row in rows) + "]"


def product_formula(name: str, part: sympy.Matrix, number: str = "") -> Formula:
    """The first element of one of the four products."""
    return rendered(rf"\left({name}\right)_{{00}}", sympy.expand(part[0, 0]), number)


def rendered_products() -> dict[str, Callable[[], str]]:
    """S and the four products of the ledger, as matrices of symbols."""
    m = MATRICES
    found: dict[str, Callable[[], str]] = {"S": lambda: rendered("S", m.filtered).latex}
    names = (r"S\rho q", r"q\rho S^\dagger", r"qS\rho", r"\rho S^\dagger q")
    for key, name, part in zip(PRODUCTS, names, m.redfield_parts(m.rho), strict=True):
        found[key] = partial(_latex, name, part)
    return found


def _latex(name: str, part: sympy.Matrix) -> str:
    return product_formula(name, part).latex


PRODUCTS = ("S rho q", "q rho S+", "q S rho", "rho S+ q")


def operator_form(matrices: Matrices) -> Step:
    """(95), (99)-(104)."""
    m = matrices
    parts = m.redfield_parts(m.rho)
    names = (r"S\rho q", r"q\rho S^\dagger", r"qS\rho", r"\rho S^\dagger q")
    numbers = ("(99)", "(100)", "(101)", "(102)")
    formulas = [
        product_formula(name, part, number)
        for name, part, number in zip(names, parts, numbers, strict=True)
    ]
    driven = m.redfield(m.rho)
    formulas += [
        rows(rf"R[\rho]_{{{a}{b}}}", driven[a, b], m.rho, "(103), (104)")
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
