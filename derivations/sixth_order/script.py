"""Sixth order in closed form, as far as it goes: which time integrals over three arcs factorise.

The population rate of an off-diagonal coupling is worked out to the end.
"""

from __future__ import annotations

from collections.abc import Iterator

from derivations.sixth_order.checks import (
    CHECKS,
    CLOSED,
    GENERATOR,
    READINGS,
    ROWS,
    closed_sum,
    pieces,
    rate_by_parts,
)
from pertsym.derivation import Step, argued
from pertsym.narrative import named
from pertsym.paper import Paper
from pertsym.present.expressions import rendered, table


@argued
def narrate(order: int) -> Iterator[Step]:
    """Lower orders, which close, and at sixth order the whole argument."""
    told = PAPER.told
    yield told("lower-orders", named(GENERATOR, ("k_10",), *range(2, min(order, 4) + 1, 2)))
    if order < 6:
        return
    yield told("arc-lengths")
    yield told("theorem")
    yield count_step()
    count, shown = pieces().counts()[0], "products of G(±ω0), G'(±ω0), G''(±ω0)"
    yield told("closed", rendered(CLOSED, closed_sum()), text=(f"{count} {shown}",), count=count)
    yield told("rest")
    yield numbers_step()


def count_step() -> Step:
    """The theorem at work."""
    found = [(what, name, *pieces(n).counts()) for n, (what, _, _, name) in enumerate(ROWS)]
    heads = ("coupling", "real part of", "products", "one integral", "two")
    rows = [
        (rf"\text{{{what}}}", f"{name[0]}_{{{name[2:]}}}^{{(6)}}", *counts)
        for what, name, *counts in found
    ]
    lines = [
        f"{what}, Re {name}(6): {a} products, {b} with one integral, {c} with two"
        for what, name, a, b, c in found
    ]
    return PAPER.told("counts", table([rf"\text{{{head}}}" for head in heads], rows), text=lines)


def numbers_step() -> Step:
    """The size of each part."""
    closed, _, one, two = rate_by_parts()
    parts = {
        CLOSED: closed,
        r"K_{\text{one integral}}": one,
        r"K_{\text{two integrals}}": two,
        r"k_{10}^{(6)}": closed + one + two,
    }
    a, b, c, total = values = [f"{x:.10g}" for x in parts.values()]
    line = f"closed {a}, one integral {b}, two integrals {c}; k10(6) = {total}"
    return PAPER.told("numbers", map(rendered, parts, values), text=(line,))


PAPER = Paper(
    script=__file__,
    equations=GENERATOR,
    orders=(2, 4, 6),
    narrate=narrate,
    contents="ledger and document",
    readings=READINGS,
    rendered={"closed": lambda: f"{CLOSED}={closed_sum()}"},
    checks=CHECKS,
)
