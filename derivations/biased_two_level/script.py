"""A biased two-level system: diagonal and off-diagonal coupling to one bath, fourth order.

Energies and matrix elements are symbols.  Every displayed result comes out of the engine.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from derivations.biased_two_level import checks
from derivations.biased_two_level.checks import ELIMINATED, EQUATIONS, QUANTITIES, K, form
from pertsym.codegen.quantities import quantity_functions
from pertsym.derivation import Step
from pertsym.equations.thermal import classical
from pertsym.narrative import closing_steps, expansion_steps, wick_step
from pertsym.paper import Paper
from pertsym.present.elements import strengths_markup
from pertsym.present.expressions import rendered
from pertsym.present.latex import form_latex
from pertsym.present.quantities import NamedForm, named, symbol
from pertsym.reduction.elements import by_elements

ELEMENTS = ("R_1010", "R_1001", "R_1000", "R_1011", "R_0001", "R_1101")


def narrate(order: int) -> Iterator[Step]:
    """The argument up to order 2 or 4."""
    told = PAPER.told
    yield told("hamiltonian")
    yield from expansion_steps(order)
    yield told("second-order", named(EQUATIONS, (*checks.RATES, checks.SHIFT), 2))
    yield told("mixing", named(EQUATIONS, ("R_1000", "R_1011", "R_0010", "R_1110"), 2))
    if order < 4:
        return
    yield wick_step(EQUATIONS, "k_up", 4)
    yield from closing_steps(EQUATIONS, "k_up", 4, method=False)
    yield told("rates", named(EQUATIONS, ("k_down", "inv_T1"), 4))
    yield interference()
    yield told("dephasing", named(EQUATIONS, ("inv_T2", "inv_T2_prime"), 4))
    elements = *named(EQUATIONS, ("R_1001",), 2), named(EQUATIONS, ("R_1010",), 4)[1]
    yield told("frequency-shift", elements, named(EQUATIONS, (checks.SHIFT,), 4))
    yield told("elimination", named(EQUATIONS, ELIMINATED, 4))
    yield told("detailed-balance", NamedForm("K^{(2)}", "K(2)", K[2]))
    yield told("classical", map(noisy, ("inv_T1", "inv_T2_prime")))
    fourth = [r for r in checks.rational_results() if r.name.endswith("4")]
    yield told(
        "exponential-field",
        [rendered(f"{symbol(r.name[:-2]).latex}^{{(4)}}", r.expression) for r in fourth],
    )


def interference() -> Step:
    """What multiplies each monomial of the matrix elements."""
    shown = []
    for name in ("inv_T1", "inv_T2_prime"):
        latex, text = symbol(name)
        for strengths, part in by_elements(form(name, 4)):
            product = strengths_markup(strengths)
            left = rf"{latex}^{{(4)}}\big|_{{{product.latex}}}"
            shown.append(NamedForm(left, f"{text}(4), {product.text}", part))
    found = {strengths for name in QUANTITIES for strengths, _ in by_elements(form(name, 4))}
    listed = ", ".join(f"${strengths_markup(strengths).latex}$" for strengths in sorted(found))
    return PAPER.told("interference", shown, monomials=listed)


def noisy(name: str) -> NamedForm:
    """A quantity at fourth order for real, even correlation functions."""
    latex, text = symbol(name)
    value = classical(form(name, 4, checks.CLASSICAL), [checks.BATH])
    return NamedForm(f"{latex}^{{(4)}}", f"{text}(4)", value)


def fourth_order(name: str) -> str:
    """The closed form of a quantity, for the ledger."""
    return form_latex(form(name, 4), f"{symbol(name).latex}^{{(4)}}")


PAPER = Paper(
    script=__file__,
    equations=EQUATIONS,
    narrate=narrate,
    modules={
        "rates.py": lambda: quantity_functions(
            EQUATIONS, QUANTITIES, ELEMENTS, "the biased two-level system"
        ),
        "exponential_bath.py": checks.rational_results,
    },
    terms=("k_up", "k_down", "inv_T2_prime", *ELEMENTS),
    ledger_names=checks.names,
    checks=checks.CHECKS,
    rendered={name: partial(fourth_order, name) for name in ELIMINATED},
)
