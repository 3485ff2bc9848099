"""Three levels between two baths: the equations and what their checks share.

Bath X makes transitions between the levels 0 and 1 and shifts the levels 1 and 2; bath Y makes
transitions between 1 and 2.  Matrix elements x, y, d1, d2 and both transition frequencies are
symbols.
"""

from __future__ import annotations

from itertools import product
from math import comb

from pertsym.equations.equilibrium import EquilibriumConstant, principal_value_form
from pertsym.equations.generator import Generator
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.equations.thermal import substitute
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.reduction.spectral import (
    ZERO_FORM,
    Atom,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
    monomial,
    negated,
)

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


def kms(spectral: SpectralForm) -> SpectralForm:
    """Every Ĉ(-w) as exp(-beta w) Ĉ(w), the first nonzero multiple in w being positive.

    Which of the two is kept is a matter of notation, so that no sign of w2 - w1 is needed.  Under
    an integral w -> -w gives Ĉ_X(w) Ĉ_Y(-s - w) = exp(-beta s) Ĉ_X(-w) Ĉ_Y(s + w).
    """
    return substitute(spectral, _kms)


def _kms(atom: Atom) -> SpectralForm:
    if isinstance(atom, SpectralIntegral) and atom.reflect < 0 and _reversed(atom.shift):
        s = negated(atom.shift)
        mirrored = atom._replace(shift=s, pole=negated(atom.pole))
        return monomial(Gaussian((-1) ** atom.order), mirrored, Thermal("T", 0, s))
    if isinstance(atom, Value) and atom[0] == "C" and _reversed(atom.frequency):
        w, m = negated(atom.frequency), atom.derivative
        total = ZERO_FORM
        for k in range(m + 1):
            weight = Gaussian((-1) ** k * comb(m, k))
            total += monomial(weight, Value("C", atom.name, k, w), Thermal("T", m - k, w))
        return total
    return monomial(_ONE, atom)


def _reversed(frequency: Frequency) -> bool:
    return next((n for n in frequency if n), 0) < 0
