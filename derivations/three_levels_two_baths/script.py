"""Three levels between two independent baths: population rates and coherences at fourth order.

Both transition frequencies and all matrix elements are symbols.  Every displayed result comes out
of the engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from pertsym import narrative
from pertsym.certify import standard
from pertsym.certify.claims import Findings, check, checks_in, exact
from pertsym.certify.standard import ORDERS, SYMBOLIC
from pertsym.codegen.quantities import quantity_functions
from pertsym.derivation import Step
from pertsym.equations.generator import Generator
from pertsym.equations.mean_force import boltzmann, second_order, through_kms
from pertsym.equations.symbolic_operators import symbolic_interaction
from pertsym.exact import Gaussian
from pertsym.generators.elimination import blocks, eliminated
from pertsym.generators.second_order import Term
from pertsym.language.dictionary import Dictionary, Known, known_quantities
from pertsym.paper import Paper
from pertsym.present.expressions import table
from pertsym.present.quantities import NamedForm, named, symbol
from pertsym.present.symbolic import form_expression, transition_symbols
from pertsym.reduction.elements import by_elements
from pertsym.reduction.spectral import ZERO_FORM, SpectralForm

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
COHERENCES = ("R_1010", "R_2121", "R_2020")


def form(name: str, order: int) -> SpectralForm:
    """The real spectral form of a quantity."""
    return GENERATOR.series(name)[order].form


def names() -> Dictionary:
    """Rates and populations by order: how formulas of the ledger are read."""
    known = known_quantities(GENERATOR, (*RATES, *ELIMINATED))
    for level, order in product(range(LEVELS), (0, 2)):
        known[f"p_{level}^{{({order})}}"] = Known(population(level, order))
    known["k_{xxyy}"] = Known(dict(by_elements(form("k_20", 4)))["x", "x", "y", "y"])
    return replace(Dictionary.of(INTERACTION), quantities=known)


def population(level: int, order: int) -> SpectralForm:
    """<n|Tr_B exp(-beta H)|n>/Z_B at order 0 or 2, from imaginary time."""
    return second_order(INTERACTION, level, level) if order else boltzmann(INTERACTION, level)


def flow(level: int, order: int) -> SpectralForm:
    """d p_level/dt, of order 2 or 4, in the equilibrium of imaginary time, before KMS is used."""
    total = ZERO_FORM
    for other, n in product(range(LEVELS), range(2, order + 1, 2)):
        if other != level:
            gain = form(f"k_{level}{other}_eliminated", n) * population(other, order - n)
            loss = form(f"k_{other}{level}_eliminated", n) * population(level, order - n)
            total += gain - loss
    return total


CHOSEN = (
    *((a, a, b, b) for a in range(LEVELS) for b in range(LEVELS)),
    (1, 0, 1, 0), (2, 1, 2, 1), (2, 0, 2, 0), (1, 0, 0, 1),
    (2, 0, 0, 2), (1, 0, 2, 1), (1, 0, 0, 0), (0, 2, 2, 0),
)  # fmt: skip
"""Populations, coherences and what couples them."""


def reference(
    matrices: standard.Matrices, frequencies: Sequence[float]
) -> Mapping[int, Mapping[str, float]]:
    """Rates between populations, and those after elimination of the coherences, from matrices."""
    known = {n: Term.exact(k) for n, k in matrices.items()}
    populations = next(block for block in blocks(known) if (0, 0) in block.elements)
    slow, p = eliminated(known, populations), populations.places
    return {
        n: {f"k_{a}{b}{suffix}": float(k[a, b].real) for a, b in PAIRS for suffix, k in both}
        for n in ORDERS
        for both in [(("", matrices[n][np.ix_(p, p)]), ("_eliminated", slow[n].matrix))]
    }


@check("two levels alone", SYMBOLIC)
def spectator(digits: int) -> Findings:
    """Without bath Y and the shift of level 2, levels 0 and 1 are two levels of their own."""
    (rows, bath), *_ = COUPLINGS
    three = Generator(INTERACTION.at({"y": Gaussian(0), "d2": Gaussian(0)}))
    two = Generator(symbolic_interaction(2, [([row[:2] for row in rows[:2]], bath)]))
    first = transition_symbols(2)[:1]
    for order in ORDERS:
        for element in two.elements:
            found = form_expression(three.form(order, element))
            wanted = form_expression(two.form(order, element), first)
            yield exact(f"{two.name(element)}({order})", found, wanted)
        leaking = [
            element
            for element in three.elements
            if len(three.element(order, element))
            and any((x == 2) != (y == 2) for x, y in zip(element[:2], element[2:], strict=True))
        ]
        yield exact(f"nothing enters or leaves level 2, order {order}", leaking, [])
        yield exact(f"R_2222({order})", three.form(order, (2, 2, 2, 2)), ZERO_FORM)


@check(SYMBOLIC)
def paths_between_baths(digits: int) -> Findings:
    """Independent baths add at second order; 0 <-> 2 is possible only through both, x^2 y^2."""
    for name in RATES:
        mixed = [m for m, _ in by_elements(form(name, 2)) if {"x", "y"} <= set(m)]
        yield exact(f"no interference in {name}(2)", mixed, [])
    for name in ("k_20", "k_02"):
        yield exact(f"{name}(2)", form(name, 2), ZERO_FORM)
        found = [m for m, _ in by_elements(form(name, 4))]
        yield exact(f"monomials of {name}(4)", found, [("x", "x", "y", "y")])


@check("rates in closed form", "imaginary-time expansion", "KMS relation")
def equilibrium(digits: int) -> Findings:
    """Both baths at one temperature: populations of imaginary time are stationary."""
    for level, order in product(range(LEVELS), ORDERS):
        yield exact(f"level {level}, order {order}", through_kms(flow(level, order)), ZERO_FORM)


elements_by_routes = standard.elements_by_routes(GENERATOR, CHOSEN, (5,))
rates_by_routes = standard.quantities_by_routes(GENERATOR, (*RATES, *ELIMINATED), reference, (6, 7))
generalized_functions = standard.generalized_functions(GENERATOR, (*RATES, "R_1010", "R_2020"))
trace_and_hermiticity = standard.trace_and_hermiticity(GENERATOR)
thermal_baths = standard.thermal_baths(GENERATOR, RATES, reference, 8)
CHECKS = checks_in(globals())


def narrate(order: int) -> Iterator[Step]:
    """The argument up to order 2 or 4."""
    yield PAPER.told("hamiltonian")
    yield from narrative.expansion_steps(order)
    yield PAPER.told("second-order", named(GENERATOR, (*RATES, *COHERENCES), 2))
    if order < 4:
        return
    yield narrative.wick_step(GENERATOR, "k_20", 4)
    yield from narrative.closing_steps(GENERATOR, "k_20", 4, method=False)
    yield PAPER.told("rates", named(GENERATOR, [name for name in RATES if name != "k_20"], 4))
    changed = [name for name in RATES if form(f"{name}_eliminated", 4) != form(name, 4)]
    eliminated = named(GENERATOR, [f"{name}_eliminated" for name in changed], 4)
    listed = ", ".join(symbol(name).text for name in changed)
    yield PAPER.told("elimination", eliminated, changed=listed)
    yield PAPER.told("coherence", named(GENERATOR, ("R_2020",), 4))
    shown = [NamedForm(f"p_{n}^{{(2)}}", f"p{n}(2)", population(n, 2)) for n in range(LEVELS)]
    for n in range(LEVELS):
        flows = through_kms(flow(n, 4))
        shown.append(NamedForm(rf"\dot p_{n}^{{(4)}}", f"dp{n}/dt(4)", flows))
    yield PAPER.told("equilibrium", shown)
    yield selection()


def selection() -> Step:
    """How many elements there are, and which do not vanish."""
    lines, rows = [], []
    for order in (2, 4):
        present = GENERATOR.nonzero(order)
        rows.append((order, len(present), LEVELS**4))
        lines.append(f"order {order}: {len(present)} of {LEVELS**4} elements")
        lines += [", ".join(present[k : k + 12]) for k in range(0, len(present), 12)]
    heads = [rf"\text{{{word}}}" for word in ("order", "elements that do not vanish", "of")]
    found = sorted({m for name in RATES for m, _ in by_elements(form(name, 4))})
    lines.append("monomials of the rates: " + ", ".join(" ".join(m) for m in found))
    return PAPER.told("selection", table(heads, rows), text=lines)


PAPER = Paper(
    script=__file__,
    equations=GENERATOR,
    narrate=narrate,
    modules={
        "rates.py": lambda: quantity_functions(
            GENERATOR,
            (*RATES, *ELIMINATED),
            COHERENCES,
            "three levels between two baths",
            "Frequencies in general position: an unbounded error says that a denominator "
            "vanishes. Raises\n    Divergent where a spectrum, transform or integral it needs does "
            "not exist.",
        )
    },
    terms=(*RATES, *COHERENCES),
    ledger_names=names,
    checks=CHECKS,
)
