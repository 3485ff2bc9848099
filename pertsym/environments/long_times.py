"""Whether a generator has a limit of long times: gaps whose frequency vanishes identically."""

from __future__ import annotations

from collections.abc import Sequence

from pertsym.baths.divergence import Divergent, power_text
from pertsym.environments.expansion import PathTerm


def secular_terms(terms: Sequence[PathTerm]) -> tuple[PathTerm, ...]:
    """Terms with a gap that no energy oscillates through, whatever the weights are.

    The terms are collected, so that they do not cancel for general weights.
    """
    return tuple(term for term in terms if term.secular_gaps())


def require_long_time_limit(terms: Sequence[PathTerm], name: str) -> None:
    """Refuse the limit t -> infinity of an element that grows with t.

    Parameters
    ----------
    terms
        Its collected terms.
    name
        How the element is called in the message.

    Raises
    ------
    Divergent
        Naming a term with the largest number of secular gaps, and the power of t.
    """
    secular = secular_terms(terms)
    if not secular:
        return
    worst = max(secular, key=lambda term: len(term.secular_gaps()))
    gaps = worst.secular_gaps()
    weights = " ".join(
        f"{w.name}({', '.join('ε' if e == 0 else f'ε{e}' for e in w.energies)})"
        for w in worst.shape.weights
    )
    where = ", ".join(f"τ{k}" for k in gaps)
    raise Divergent(
        f"{name} ~ t^{power_text(len(gaps))}: the term {worst.coefficient} ∫ {weights} has no "
        f"phase in {where} ({len(secular)} of {len(terms)} terms are like it)"
    )
