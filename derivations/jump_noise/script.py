"""Noise that jumps between states: rates to eighth order, the Gaussian limit, and where it ends.

Telegraph noise is the smallest environment that is not Gaussian.  Its joint equations with the
system are a finite matrix, so that every order can be held against the exact eigenvalue, and the
radius of convergence of the expansion is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import sympy

from derivations.jump_noise import checks as noise
from derivations.jump_noise.checks import CHECKS, FLIP, ORDERS, READINGS, SPLIT, expression
from pertsym.codegen.expressions import ExpressionFunction
from pertsym.derivation import Step
from pertsym.equations.bloch import QUANTITIES
from pertsym.expansion.interaction import Operator
from pertsym.paper import Paper
from pertsym.present.expressions import rendered, table
from pertsym.present.quantities import symbol

_SHOWN = ("inv_T1", "inv_T2", "frequency_shift")
_SPLITTINGS = (0.25, 0.5, 1.0, 2.0, 4.0)


PLAIN = {
    "telegraph": "H_I = xi sigma_x, xi = +-lam, <xi(t) xi(0)> = lam^2 exp(-gamma |t|)",
    "fluctuators": "H_I = xi sigma_x, xi the sum of n telegraph signals +-lam/sqrt(n)",
    "kubo_anderson": (
        "H_I = xi sigma_x, xi = lam, 0, -lam with probabilities p/2, 1 - p, p/2, redrawn at gamma"
    ),
}
"""The noises that are shown."""


def narrate(order: int) -> Iterator[Step]:
    """The argument up to an order."""
    yield PAPER.told("chain")
    yield PAPER.told("recursion")
    for name in PLAIN:
        yield rates_step(name, name, _SHOWN, order)
    yield rates_step("dephasing", "fluctuators", ("inv_T2",), order, SPLIT)
    yield convergence_step()


def rates_step(
    key: str, given: str, names: tuple[str, ...], order: int, operator: Operator = FLIP
) -> Step:
    """The rates of one noise; what is long is printed as text only."""
    formulas, lines = [], []
    short = given == "telegraph" or operator == SPLIT
    for name in names:
        latex, text = symbol(name)
        for n in range(2, order + 1, 2):
            value = expression(given, name, n, operator)
            lines.append(f"{text}({n}) = {value}")
            if short or n <= 4 or (name == "inv_T1" and n == 6):
                formulas.append(rendered(f"{latex}^{{({n})}}", value))
    return PAPER.told(key, formulas, text=lines)


def convergence_step() -> Step:
    """Branch points of the exact eigenvalue."""
    discriminant = sympy.factor(sympy.discriminant(noise.populations(), noise.S) / -4)
    rows = [(f"{w:g}", f"{noise.reach(w) ** 0.5:.4f}") for w in _SPLITTINGS]
    ordered = sympy.collect(sympy.expand(discriminant), noise.X)
    heads = (r"\omega_0/\gamma", r"\lambda_c/\gamma")
    return PAPER.told("convergence", rendered("0", ordered), table(heads, rows))


def functions(given: str) -> tuple[ExpressionFunction, ...]:
    """Every quantity of a noise at every order."""
    return tuple(
        ExpressionFunction(
            f"{given}_{name}_{n}", value, f"{symbol(name).text}({n}) of {PLAIN[given]}."
        )
        for name in QUANTITIES
        for n in ORDERS
        if (value := expression(given, name, n))
    )


PAPER = Paper(
    script=__file__,
    orders=ORDERS,
    narrate=narrate,
    readings=READINGS,
    modules={f"{given}.py": partial(functions, given) for given in PLAIN},
    rational="Noise that jumps between states",
    checks=CHECKS,
)
