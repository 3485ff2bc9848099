"""The generated functions of Laird, Budimir and Skinner 1991, numbered as in the paper."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from derivations.laird_budimir_skinner_1991.common import BLOCH, K
from pertsym.codegen.module import FunctionSpec
from pertsym.equations.bloch import QUANTITIES
from pertsym.narrative import NamedForm, symbol
from pertsym.present.text import form_lines

SOURCES: Mapping[tuple[str, int], str] = MappingProxyType(
    {
        ("k_up", 2): "(69)",
        ("k_down", 2): "(77)",
        ("inv_T1", 2): "(80)",
        ("inv_T2", 2): "(121)",
        ("frequency_shift", 2): "(125)",
        ("k_up", 4): "(91)",
        ("k_down", 4): "(97)",
        ("inv_T1", 4): "(98)",
        ("inv_T2_prime", 4): "(135)",
    }
)
"""Quantity, order -> its equation in the paper."""


def named(name: str, order: int) -> NamedForm:
    """One contribution to a quantity, with its symbol and its number in the paper."""
    latex, text = symbol(name)
    form = BLOCH.series(name)[order].form
    return NamedForm(
        f"{latex}^{{({order})}}", f"{text}({order})", form, SOURCES.get((name, order), "")
    )


def specs() -> tuple[FunctionSpec, ...]:
    """The functions of rates.py."""
    functions = [
        _spec(f"{name}_{order}", named(name, order)) for order in (2, 4) for name in QUANTITIES
    ]
    for order, source in ((0, "(107)"), (2, "(116)")):
        functions.append(_spec(f"K_{order}", NamedForm("", f"K({order})", K[order], source)))
    return tuple(functions)


def _spec(name: str, shown: NamedForm) -> FunctionSpec:
    return FunctionSpec(
        name,
        shown.form,
        f"{shown.text} of the two-level system, the contribution of that order alone.",
        f"Eq. {shown.source}" if shown.source else "",
        "\n".join(form_lines(shown.form, shown.text, width=92)),
        "Raises Divergent where a spectrum, transform or integral it needs does not exist.",
    )
