"""Terms of a Gaussian environment in the time domain: spectral weights back to C(t).

With Wick's rule the general expansion is the same sum as the pair-based one of
`pertsym.expansion.paths`, which cancels reducible pairings before any path is walked and so reaches
higher orders; both give equal `TimeIntegrand`s.
"""

from __future__ import annotations

from collections.abc import Iterable

from pertsym.environments.expansion import PathTerm
from pertsym.expansion.terms import Factor, Shape, Term, TimeIntegrand


def time_integrand(
    order: int, terms: Iterable[PathTerm], real: frozenset[str] = frozenset()
) -> TimeIntegrand:
    """The terms with int dw Ĉ(w)/2pi e^{-iw(...)} written as C(...), or C(...)* for e^{+iw(...)}.

    Parameters
    ----------
    order, terms
        Of the expansion with the rule `Wick`.
    real
        Names of correlation functions that are real.

    Raises
    ------
    ValueError
        If a weight's energy is not that of one arc: the rule was not Wick's.
    """
    return TimeIntegrand.collect(order, (_term(term, real) for term in terms), real)


def _term(term: PathTerm, real: frozenset[str]) -> Term:
    factors = []
    for weight in term.shape.weights:
        (energy,) = weight.energies
        signs = {k: dict(gap).get(energy, 0) for k, gap in enumerate(term.shape.gaps, 1)}
        spanned = [k for k, sign in signs.items() if sign]
        first, last = min(spanned), max(spanned)
        directions = {signs[k] for k in range(first, last + 1)}
        if directions not in ({1}, {-1}):
            raise ValueError(f"{weight}: its phase is not that of one arc, see `gaps`")
        conjugate = directions == {-1} and weight.name not in real
        factors.append(Factor(first, last, weight.name, conjugate))
    return Term(term.coefficient, Shape(tuple(sorted(factors)), term.shape.system))
