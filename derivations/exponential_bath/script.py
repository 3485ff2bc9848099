"""Exponential correlation functions: every rate as an exact rational function, to eighth order.

Two levels in classical noise with C(t) = Delta^2 exp(-lambda |t|).  Closed spectral forms end at
fourth order, where principal-value integrals begin; for exponentials nothing ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import sympy

from derivations.exponential_bath import checks
from pertsym.codegen.expressions import ExpressionFunction
from pertsym.derivation import Formula, Step, typed
from pertsym.equations.bloch import QUANTITIES
from pertsym.equations.denominator_rule import over_gaps
from pertsym.expansion.cumulants import ordered_cumulant
from pertsym.expansion.interaction import Frequency
from pertsym.expansion.pairings import pairings
from pertsym.expansion.paths import generator_element
from pertsym.expansion.terms import Term, TimeIntegrand
from pertsym.paper import Paper
from pertsym.present.expressions import rendered, table
from pertsym.present.latex import integrand_latex
from pertsym.present.quantities import symbol


def narrate(order: int) -> Iterator[Step]:
    """The argument up to an order."""
    yield PAPER.told("models")
    yield counting_step(order)
    yield PAPER.told("denominators", denominators())
    yield PAPER.told("recursion")
    yield results_step(checks.FIELD_ALONG_X, order, ("k_up", "inv_T2", "inv_T2_prime"))
    yield results_step(checks.ISOTROPIC_FIELD, order, ("k_up", "inv_T2"))
    yield results_step(checks.TILTED_FIELD, order, ("k_up", "inv_T2"))


def counting_step(order: int) -> Step:
    """How many terms an order has, counted."""
    rows = []
    for n in range(2, order + 1, 2):
        survivors = list(ordered_cumulant(n))
        words = sum(len(signed) for _, signed in survivors)
        distinct = len({word for _, signed in survivors for word in signed})
        rows.append((n, sum(1 for _ in pairings(n)), len(survivors), words, distinct))
    heads = ("order", "pairings", "irreducible", "(pairing, word)", "words")
    return PAPER.told("counting", table([rf"\text{{{head}}}" for head in heads], rows))


def denominators() -> Iterator[Formula]:
    """One crossing and one nested term of the up rate at fourth order."""
    model = checks.FIELD_ALONG_X
    terms = generator_element(model.interaction, 4, (0, 0, 0, 0))
    crossing = next(t for t in terms if _crosses(t) and not any(t.shape.phase[1]))
    nested = next(t for t in terms if not _crosses(t) and any(t.shape.phase[1]))

    def inverse(rates: list[Any], x: Frequency) -> sympy.Symbol:
        form = "".join(f"{k:+d}{name}" for k, name in ((len(rates), r"\lambda "), (x[0], "y")) if k)
        form = re.sub(r"([+-])1(?=\D)", r"\1", form).removeprefix("+")
        return sympy.Symbol(f"({form})", commutative=False)  # keeps their order

    for term in (crossing, nested):
        coefficient, one = term.coefficient.re, TimeIntegrand(4, (term,), terms.real)
        ((_, product),) = over_gaps(one, lambda _: [(sympy.Integer(1), "lambda")], inverse)
        powers = [factor.as_base_exp() for factor in product.args_cnc()[1]]
        below = "".join(str(form) * int(power) for form, power in powers)
        sign, size = ("-" if coefficient < 0 else ""), abs(coefficient)
        above = rf"{'' if size == 1 else size}\,\Delta^4"
        integral = integrand_latex(one, "").lstrip("= &")
        yield typed(
            rf"{integral} = {sign}\frac{{{above}}}{{{below}}}",
            "both sides are printed from one term; the check integrates all of them",
        )


def _crosses(term: Term) -> bool:
    """Whether the arc of time 0 ends before the last time, at fourth order."""
    return all(factor.last < 3 for factor in term.shape.factors if factor.first == 1)


def results_step(model: checks.NoiseModel, order: int, names: tuple[str, ...]) -> Step:
    """The rates of one model, and the shift."""
    rates, mixed = model.rates, bool(model.interaction.symbols)
    formulas, lines = [], []
    for name in (*names, "frequency_shift"):
        latex, text = symbol(name)
        for n in range(2, order + 1, 2):
            value = rates.expression(name, n, checks.SYMBOLS)
            lines.append(f"{text}({n}) = {value}")
            if n <= 4 or not mixed:
                formulas.append(rendered(f"{latex}^{{({n})}}", value))
            if name == "k_up" and mixed:
                value = rates.expression(name, n, checks.SYMBOLS, eliminated=True)
                lines.append(f"k10({n}), coherences eliminated = {value}")
                if n <= 6:
                    formulas.append(rendered(rf"\bar k_{{10}}^{{({n})}}", value))
    long = " What is too long to print here is in the generated module." if order > 4 else ""
    return PAPER.told(model.name, formulas, text=lines, more=long)


def functions(*models: checks.NoiseModel) -> Iterator[ExpressionFunction]:
    """Every quantity of some models at every order."""
    for model in models:
        wanted = [(name, False) for name in QUANTITIES]
        wanted += [("k_up", True)] if model.interaction.symbols else []
        for (name, eliminated), n in product(wanted, checks.ORDERS):
            expression = model.rates.expression(name, n, checks.SYMBOLS, eliminated)
            what, full = f"{symbol(name).text}({n})", f"{model.name}_{name}_{n}"
            if eliminated:
                what = f"k10({n}) = k01({n}), coherences eliminated,"
                full = f"{model.name}_k_up_eliminated_{n}"
            yield ExpressionFunction(full, expression, f"{what} of {model.plain}")


PAPER = Paper(
    script=__file__,
    orders=checks.ORDERS,
    narrate=narrate,
    readings=checks.READINGS,
    modules={
        "fields.py": lambda: tuple(functions(checks.FIELD_ALONG_X, checks.ISOTROPIC_FIELD)),
        "tilted_field.py": lambda: tuple(functions(checks.TILTED_FIELD)),
    },
    checks=checks.CHECKS,
)
