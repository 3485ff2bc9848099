"""Whether an element of a generator has a limit of long times, whatever its weights are."""

from __future__ import annotations

from collections.abc import Sequence

from pertsym.baths.divergence import Divergent, power_text
from pertsym.expansion.paths import PathTerm


def require_long_time_limit(terms: Sequence[PathTerm], name: str) -> None:
    """Refuse the limit t -> infinity of an element that grows with t.

    It does if a term has a gap that no energy oscillates through, whatever the weights are: the
    terms are collected, so that they do not cancel for general weights.

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
    secular = [term for term in terms if term.secular_gaps()]
    if not secular:
        return
    worst = max(secular, key=lambda term: len(term.secular_gaps()))
    gaps = worst.secular_gaps()
    weights = " ".join(
        w.name + f"({', '.join('ε' if e == 0 else f'ε{e}' for e in w.energies)})" * bool(w.energies)
        for w in worst.shape.weights
    )
    where = ", ".join(f"τ{k}" for k in gaps)
    raise Divergent(
        f"{name} ~ t^{power_text(len(gaps))}: the term {worst.coefficient} ∫ {weights} has no "
        f"phase in {where} ({len(secular)} of {len(terms)} terms are like it)"
    )
