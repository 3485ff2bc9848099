"""The biased two-level system: its equations and what its checks share.

S = c + d sigma_z + x sigma_x with sigma_z = |1><1| - |0><0| and three real symbols: the matrix
elements are d0 = c - d, d1 = c + d on the diagonal and x off it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import sympy

from pertsym.certify.standard import model_values, structure_values
from pertsym.derivation import Reading
from pertsym.equations.bloch import Bloch
from pertsym.equations.equilibrium import EquilibriumConstant
from pertsym.equations.generator import Generator
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction
from pertsym.language.dictionary import Dictionary, Known
from pertsym.narrative import symbol
from pertsym.reduction.elements import by_elements, with_elements
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm, Value, monomial

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


def exchanged(spectral: SpectralForm) -> SpectralForm:
    """w0 -> -w0 and d -> -d, which exchanges the names of the two levels."""
    total = ZERO_FORM
    for names, part in by_elements(spectral.reversed_frequencies()):
        odd = names.count("d") % 2
        total += times(-part if odd else part, "".join(names))
    return total


def names() -> Dictionary:
    """Quantities, their monomials and K by order: how formulas of the ledger are read."""
    known = {
        f"{symbol(name).latex}^{{({order})}}": Known(form(name, order))
        for name in QUANTITIES
        for order in (2, 4)
    }
    known |= {f"K^{{({order})}}": Known(K[order]) for order in (0, 2)}
    for monomials, part in by_elements(form("k_up", 4)):
        known[f"k_{{{''.join(monomials)}}}"] = Known(part)
    known[r"k_{01}(\omega_0,d)"] = Known(form("k_down", 4))
    known[r"k_{10}(-\omega_0,-d)"] = Known(exchanged(form("k_up", 4)))
    return replace(Dictionary.of(INTERACTION), quantities=known)


def readings() -> Mapping[str, Callable[[], Reading]]:
    """How formulas are read that are no equations between spectral forms."""
    return {
        "model": lambda: model_values(INTERACTION),
        "structure": lambda: structure_values(GENERATOR),
    }


@cache
def two_levels_only(strengths: str) -> Interaction:
    """The interaction with every matrix element but these set to zero."""
    return INTERACTION.at({name: Gaussian(0) for name in "cdx" if name not in strengths})
