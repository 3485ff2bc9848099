"""Three levels between two independent baths: population rates and coherences at fourth order.

Both transition frequencies and all matrix elements are symbols.  Every displayed result comes out
of the engine.
"""

from __future__ import annotations

from collections.abc import Iterator

from derivations.three_levels_two_baths.checks import (
    CHECKS,
    ELIMINATED,
    GENERATOR,
    INTERACTION,
    LEVELS,
    RATES,
    flow,
    form,
    names,
    population,
)
from pertsym.certify.standard import model_values, structure_values
from pertsym.codegen.quantities import quantity_functions
from pertsym.derivation import Step, argued
from pertsym.equations.mean_force import through_kms
from pertsym.narrative import (
    NamedForm,
    RoutesDisagree,
    cumulant_step,
    moments_step,
    named,
    reduction_steps,
    symbol,
)
from pertsym.paper import Paper
from pertsym.present.expressions import table
from pertsym.reduction.elements import by_elements

COHERENCES = ("R_1010", "R_2121", "R_2020")


@argued
def narrate(order: int) -> Iterator[Step]:
    """The argument up to order 2 or 4."""
    yield PAPER.told("hamiltonian")
    yield moments_step(order)
    yield cumulant_step(2)
    yield PAPER.told("second-order", named(GENERATOR, (*RATES, *COHERENCES), 2))
    if order < 4:
        return
    yield cumulant_step(4)
    yield from reduction_steps(GENERATOR, "k_20", 4)
    yield PAPER.told("rates", named(GENERATOR, [name for name in RATES if name != "k_20"], 4))
    changed = [name for name in RATES if form(f"{name}_eliminated", 4) != form(name, 4)]
    eliminated = named(GENERATOR, [f"{name}_eliminated" for name in changed], 4)
    listed = ", ".join(symbol(name).text for name in changed)
    yield PAPER.told("elimination", eliminated, changed=listed)
    yield PAPER.told("coherence", named(GENERATOR, ("R_2020",), 4))
    shown = [NamedForm(f"p_{n}^{{(2)}}", f"p{n}(2)", population(n, 2)) for n in range(LEVELS)]
    for level in range(LEVELS):
        left = through_kms(flow(level, 4))
        if left:
            raise RoutesDisagree(f"level {level} is not stationary in the equilibrium state")
        shown.append(NamedForm(rf"\dot p_{level}^{{(4)}}", f"dp{level}/dt(4)", left))
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
    orders=(2, 4),
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
    readings={
        "model": lambda: model_values(INTERACTION),
        "structure": lambda: structure_values(GENERATOR),
    },
    checks=CHECKS,
)
