"""Three levels between two baths: the equations and what their checks share.

Bath X makes transitions between the levels 0 and 1 and shifts the levels 1 and 2; bath Y makes
transitions between 1 and 2.  Matrix elements x, y, d1, d2 and both transition frequencies are
symbols.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from pertsym.equations.equilibrium import EquilibriumConstant, principal_value_form
from pertsym.equations.generator import Generator
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.language.dictionary import Dictionary, Known
from pertsym.narrative import symbol
from pertsym.reduction.elements import by_elements
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm, Thermal, monomial

LEVELS = 3
COUPLINGS = (
    (((0, "x", 0), ("x", "d1", 0), (0, 0, "d2")), "X"),
    (((0, 0, 0), (0, 0, "y"), (0, "y", 0)), "Y"),
)
INTERACTION = symbolic_interaction(LEVELS, COUPLINGS)
GENERATOR = Generator(INTERACTION)
PAIRS = tuple((a, b) for a, b in product(range(LEVELS), repeat=2) if a != b)
RATES = tuple(f"k_{a}{b}" for a, b in PAIRS)
ELIMINATED = tuple(f"{name}_eliminated" for name in RATES)
_ONE = Gaussian(1)


def form(name: str, order: int) -> SpectralForm:
    """The real spectral form of a quantity."""
    return GENERATOR.series(name)[order].form


def names() -> Dictionary:
    """Rates and populations by order: how formulas of the ledger are read."""
    known = {
        f"{symbol(name).latex}^{{({order})}}": Known(form(name, order))
        for name in (*RATES, *ELIMINATED)
        for order in (2, 4)
    }
    for level in range(LEVELS):
        for order in (0, 2):
            known[f"p_{level}^{{({order})}}"] = Known(population(level, order))
    known["k_{xxyy}"] = Known(dict(by_elements(form("k_20", 4)))["x", "x", "y", "y"])
    return replace(Dictionary.of(INTERACTION), quantities=known)


def population(level: int, order: int) -> SpectralForm:
    """<n|Tr_B exp(-beta H)|n>/Z_B at order 0 or 2, from imaginary time."""
    if order == 0:
        return monomial(_ONE, Thermal("T", 0, INTERACTION.energies[level]))
    total = ZERO_FORM
    for term in EquilibriumConstant(INTERACTION).simplex_terms(level):
        total += principal_value_form(term)
    return total


def flow(level: int, order: int) -> SpectralForm:
    """d p_level/dt, of order 2 or 4, in the equilibrium of imaginary time, before KMS is used."""
    total = ZERO_FORM
    for other in range(LEVELS):
        if other == level:
            continue
        for n in range(2, order + 1, 2):
            gain = form(f"k_{level}{other}_eliminated", n) * population(other, order - n)
            loss = form(f"k_{other}{level}_eliminated", n) * population(level, order - n)
            total += gain - loss
    return total
