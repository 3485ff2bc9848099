"""What the checks of the CCQME of two levels share: notation, numbers, printed symbols as forms."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import sympy

from derivations.ccqme_two_levels.matrices import Matrices
from pertsym.equations.ccqme import Ccqme
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.language.dictionary import Dictionary, Known
from pertsym.reduction.elements import with_elements
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm, Value, half_sided, monomial, negated

BATH = "B"
"""Name of the correlation function, and so of the bath of `model`."""
COUPLING = symbolic_interaction(2, [([["q00", "q01"], ["q01", "q11"]], BATH)])
EQUATION = Ccqme(COUPLING)
MATRICES = Matrices(2)
LEVELS = (0, 1)
BOTH = tuple((n, m) for n in LEVELS for m in LEVELS)

ENGINE = "ordered cumulant and arc-length reduction"
OPERATORS = "operator form in symbols"
IMAGINARY = "imaginary-time expansion and finite parts"
KMS = "forms modulo the KMS relation"
NUMERIC = "numerical equation (double precision)"

ELEMENTS = {"q00": Fraction(-3, 8), "q01": Fraction(1, 3), "q11": Fraction(2, 3)}
NUMBERS = {name: Gaussian(value) for name, value in ELEMENTS.items()}
BETA_VALUE = 1.25


def names() -> Dictionary:
    """Rates of the secular equation and K by order: how formulas of the ledger are read."""
    known = {
        f"k_{{{n}{m}}}^{{({order})}}": Known(EQUATION.secular_rate(order, n, m))
        for order in (2, 4)
        for n, m in ((1, 0), (0, 1))
    }
    constant = EquilibriumConstant(COUPLING)
    known |= {f"K^{{({order})}}": Known(constant[order]) for order in (0, 2)}
    return replace(Dictionary.of(COUPLING), quantities=known)


def element_name(n: int, m: int) -> str:
    """Name of q_nm, which is symmetric."""
    return f"q{min(n, m)}{max(n, m)}"


def in_forms(expression: sympy.Expr) -> SpectralForm:
    """A polynomial in q and in g, b, db as forms: g(D) = G(-D), b = Im g, db = db/dD."""
    total = ZERO_FORM
    for term in sympy.Add.make_args(sympy.expand(expression)):
        product = monomial(Gaussian(1))
        for factor in sympy.Mul.make_args(term):
            base, power = factor.as_base_exp()
            if base.is_Number or base == sympy.I:
                base, power = factor, 1
            for _ in range(int(power)):
                product = product * _factor(base)
        total = total + product
    return total


def _factor(symbol: sympy.Expr) -> SpectralForm:
    if symbol == sympy.I:
        return monomial(Gaussian(0, 1))
    if symbol.is_Rational:
        return monomial(Gaussian(Fraction(int(symbol.p), int(symbol.q))))
    if isinstance(symbol, sympy.conjugate):
        return _factor(symbol.args[0]).conjugated()
    kind, _, indices = symbol.name.partition("_")
    if kind == "q":
        return with_elements(monomial(Gaussian(1)), (symbol.name.replace("_", ""),))
    n, m = map(int, indices) if len(indices) == 2 else (0, 0)
    at = negated(COUPLING.transition(n, m))
    if kind == "g":
        return half_sided(BATH, at)
    # b(D) = -P(-D)/(2 pi), and so db/dD = P'(-D)/(2 pi)
    sign, derivative = (-1, 0) if kind == "b" else (1, 1)
    p = monomial(Gaussian(Fraction(sign, 2)), Value("P", BATH, derivative, at))
    return p.scaled(Gaussian(1), pi_power=-1)
