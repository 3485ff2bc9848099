"""The biased two-level system: its equations and what its checks share.

S = c + d sigma_z + x sigma_x with sigma_z = |1><1| - |0><0| and three real symbols: the matrix
elements are d0 = c - d, d1 = c + d on the diagonal and x off it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import sympy

from pertsym.equations.bloch import Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.generator import Generator
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction
from pertsym.language.dictionary import Dictionary, Known
from pertsym.reduction.elements import with_elements
from pertsym.reduction.spectral import SpectralForm, Value, monomial

BATH = "B"
C, D, X = sympy.symbols("c d x", real=True)
OPERATOR = ((C - D, X), (X, C + D))

INTERACTION = symbolic_interaction(2, [(OPERATOR, BATH)])
CLASSICAL_INTERACTION = symbolic_interaction(2, [(OPERATOR, BATH)], real=[BATH])
BLOCH = Bloch(INTERACTION)
GENERATOR = Generator(INTERACTION)
CLASSICAL_BLOCH = Bloch(CLASSICAL_INTERACTION)
CLASSICAL_GENERATOR = Generator(CLASSICAL_INTERACTION)
EQUATIONS = BLOCH
K = EquilibriumConstant(INTERACTION)

RATES = ("k_up", "k_down", "inv_T1", "inv_T2", "inv_T2_prime")
SHIFT = "frequency_shift"
ELIMINATED = tuple(f"{name}_eliminated" for name in (*RATES, SHIFT))
QUANTITIES = (*RATES, SHIFT, *ELIMINATED)


def form(name: str, order: int) -> SpectralForm:
    """The real spectral form of a quantity."""
    return EQUATIONS.series(name)[order].form


def spectrum(n: int, derivative: int = 0) -> SpectralForm:
    """Ĉ^(derivative)(n w0)."""
    return monomial(Gaussian(1), Value("C", BATH, derivative, (n,)))


def transform(n: int, derivative: int = 0) -> SpectralForm:
    """P^(derivative)(n w0)."""
    return monomial(Gaussian(1), Value("P", BATH, derivative, (n,)))


def times(spectral: SpectralForm, names: str) -> SpectralForm:
    """A form times a product of matrix elements, one letter each: "ddxx" is d^2 x^2."""
    return with_elements(spectral, tuple(sorted(names)))


def names() -> Dictionary:
    """Rates, eliminated rates and K by order: how formulas of the ledger are read."""
    known: dict[str, Known | str] = {}
    latex = {"k_10": "k_{10}", "k_01": "k_{01}"}
    latex |= {f"{name}_eliminated": rf"\tilde {symbol}" for name, symbol in latex.items()}
    for order in (2, 4):
        for name, symbol in latex.items():
            known[f"{symbol}^{{({order})}}"] = Known(form(name, order))
    known |= {f"K^{{({order})}}": Known(K[order]) for order in (0, 2)}
    return replace(Dictionary.of(INTERACTION), quantities=known)


@cache
def two_levels_only(strengths: str) -> Interaction:
    """The interaction with every matrix element but these set to zero."""
    return INTERACTION.at({name: Gaussian(0) for name in "cdx" if name not in strengths})
