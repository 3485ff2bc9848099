"""Detailed balance at sixth order: what the generator leaves unchanged is the equilibrium state.

The argument holds at every order; the numbers are those of K(4), which needs the sixth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import sympy

from derivations.detailed_balance_sixth_order.checks import (
    BATH,
    BIASED,
    CHECKS,
    OFF_DIAGONAL,
    READINGS,
    both_routes,
    closed_constant,
)
from pertsym.certify.detailed_balance import TwoLevels
from pertsym.derivation import Step, argued
from pertsym.narrative import NamedForm, RoutesDisagree
from pertsym.paper import Paper
from pertsym.present.expressions import rendered
from pertsym.present.latex import form_latex

SHOWN_DIGITS = 12


@argued
def narrate(order: int) -> Iterator[Step]:
    """The argument, and the numbers that generators up to an order give."""
    told = PAPER.told
    yield told("statement")
    yield told("argument")
    bath = (("A", BATH.amplitude), (r"\sigma", BATH.width), (r"\beta", BATH.beta))
    yield told("bath", [rendered(*pair) for pair in bath])
    if order >= 6:
        yield told("closed", NamedForm("K_4", "K_4", closed_constant()))
    yield numbers_step("off-diagonal", OFF_DIAGONAL, order)
    yield numbers_step("biased", BIASED, order)


def numbers_step(name: str, system: TwoLevels, order: int) -> Step:
    """K(0) ... of one system by both routes, as far as they agree."""
    s = sympy.Matrix(2, 2, lambda a, b: sympy.Rational(str(system.operator(a, b))))
    formulas = [rendered("S", s), rendered(r"\omega_0", system.splitting)]
    routes = both_routes(system, SHOWN_DIGITS + 3)
    for n in range(0, order, 2):
        one, other = (route[n].str(SHOWN_DIGITS, radius=False) for route in routes)
        if one != other:
            raise RoutesDisagree(f"{name}: K({n}) is {one} and {other}")
        formulas.append(rendered(f"K_{n}", one))
    return replace(PAPER.told("numbers", formulas, name=name, digits=SHOWN_DIGITS), key=name)


PAPER = Paper(
    script=__file__,
    orders=(2, 4, 6),
    narrate=narrate,
    contents="ledger and document",
    readings=READINGS,
    checks=CHECKS,
    rendered={"closed": lambda: form_latex(closed_constant(), "K_4")},
)
