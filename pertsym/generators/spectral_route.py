"""The fourth-order generator of N levels from closed spectral forms, without any fit.

Every element is derived by itself: Liouville paths, arc-length reduction, and then values of Ĉ, P
and finite-part integrals over them.  Energies given as numbers are commensurate, so that all
frequencies are integer multiples of one unit: resonances and degenerate levels are found exactly,
and are reduced to derivatives before anything is evaluated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

import numpy as np

from pertsym.baths.correlation import Correlation
from pertsym.baths.divergence import Divergent
from pertsym.equations.models import independent_baths
from pertsym.expansion.interaction import Frequency, Interaction
from pertsym.expansion.paths import Element, generator_element
from pertsym.expansion.terms import TimeIntegrand
from pertsym.generators.long_times import divergent_elements
from pertsym.generators.second_order import Term
from pertsym.generators.system import System
from pertsym.model.errors import NotYetDerivable
from pertsym.model.values import Model
from pertsym.numerics.evaluate import evaluate
from pertsym.numerics.spectra import DoubleSpectra
from pertsym.reduction.arc_length_reduction import NotReducible, Reduction
from pertsym.reduction.spectral import CannotEvaluate

MOST_TERMS = 60_000
"""Time-domain terms evaluated in minutes; four levels with full operators have 52,000."""

_NOT_FINITE = "its closed form has no finite value in double precision"

Progress = Callable[[str], None]


def commensurate(energies: tuple[Fraction, ...]) -> tuple[tuple[Frequency, ...], Fraction]:
    """Energies above the lowest given as integer multiples of the largest unit they share."""
    gaps = [energy - energies[0] for energy in energies]
    denominator = math.lcm(*(gap.denominator for gap in gaps))
    multiples = [int(gap * denominator) for gap in gaps]
    common = math.gcd(*multiples) or 1
    return tuple((n // common,) for n in multiples), Fraction(common, denominator)


def interaction_of(model: Model) -> tuple[Interaction, Fraction]:
    """The exact interaction of a numerical model, and the unit of its frequencies."""
    forms, unit = commensurate(tuple(model.energies_exact))
    couplings = ((operator, name) for name, operator in model.bath_operators.items())
    classical = (bath.name for bath in model.used_baths if bath.statistics == "classical")
    interaction = independent_baths(model.dimension, couplings, real=classical)
    return replace(interaction, energies=forms), unit


def fourth_order(
    model: Model,
    correlations: Mapping[str, Correlation],
    progress: Progress = lambda _: None,
) -> Term:
    """K_4 for t -> infinity, element by element, with error bounds.

    Elements that do not exist are named in `divergent`; all others are right whatever diverges
    elsewhere.  Those of whose closed forms single integrals diverge, but not their sum, or that
    have no finite value in double precision, are in `not_derived`.

    Parameters
    ----------
    model
        Any number of levels, but few: the cost grows with the paths between them.
    correlations
        The correlation function of every bath.
    progress
        Called with what is computed next.

    Raises
    ------
    NotYetDerivable
        If there are too many terms, or one that has no numerical routine.
    """
    interaction, unit = interaction_of(model)
    progress("terms of order 4")
    integrands = _integrands(model, interaction)
    reduction = Reduction(interaction.real)
    spectra = DoubleSpectra({name: ((1, c),) for name, c in correlations.items()})
    size = model.dimension
    matrix = np.zeros((size**2, size**2), dtype=complex)
    error = np.zeros((size**2, size**2))
    parts: dict[tuple[int, int], str] = {}
    lost: dict[tuple[int, int], str] = {}
    for number, (element, integrand) in enumerate(integrands.items(), start=1):
        progress(f"order 4 in closed form, element {number} of {len(integrands)}")
        try:
            real, imaginary = (
                evaluate(form, (float(unit),), spectra) for form in reduction(integrand)
            )
        except Divergent as fault:
            parts.update(dict.fromkeys(_places(element, size), fault.reason))
            continue
        except (CannotEvaluate, NotReducible) as fault:
            raise NotYetDerivable(
                model.name,
                "order",
                f"element {element} of order 4: {fault}",
                "ask for order 2",
            ) from None
        value = complex(float(real.value), float(imaginary.value))
        off = math.hypot(float(real.error), float(imaginary.error))
        if not math.isfinite(abs(value) + off):
            lost.update(dict.fromkeys(_places(element, size), _NOT_FINITE))
            continue
        for place, entry in zip(_places(element, size), (value, value.conjugate()), strict=True):
            matrix[place] = entry
            error[place] = off
    divergent: dict[tuple[int, int], str] = {}
    if parts:
        progress("existence of the elements of order 4")
        found = divergent_elements(System.of(model), correlations, 4)
        divergent = {place: reason for place, reason in parts.items() if place in found}
        lost |= {
            place: f"{reason} in single terms, which cancel in the sum: no routine for that yet"
            for place, reason in parts.items()
            if place not in found
        }
    for place in lost:
        matrix[place], error[place] = np.nan, np.inf
    return Term(matrix, error, divergent, lost)


def _integrands(model: Model, interaction: Interaction) -> dict[Element, TimeIntegrand]:
    """The elements that are not zero, one of each pair of conjugates."""
    found: dict[Element, TimeIntegrand] = {}
    terms = 0
    for element in _elements(model.dimension):
        integrand = generator_element(interaction, 4, element)
        terms += len(integrand)
        if terms > MOST_TERMS:
            raise NotYetDerivable(
                model.name,
                "order",
                f"order 4 of {model.dimension} levels in closed form has more than "
                f"{MOST_TERMS} terms in the time domain",
                "ask for order 2, or use baths that exponentials can stand for",
            )
        if len(integrand):
            found[element] = integrand
    return found


def _elements(size: int) -> Iterator[Element]:
    """(a, b, c, d), of which (b, a, d, c) is the conjugate."""
    for a, b, c, d in np.ndindex(size, size, size, size):
        if (a, b, c, d) <= (b, a, d, c):
            yield a, b, c, d


def _places(element: Element, size: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Row and column of an element and of its conjugate."""
    a, b, c, d = element
    return (a * size + b, c * size + d), (b * size + a, d * size + c)
