"""The denominator rule: exact integrals of time-domain terms for exponential correlation functions.

A term of the ordered cumulant is a product of correlation functions and a phase exp(-i x_k tau_k)
in each gap tau_k between neighbouring times.  With C(t) = sum_j c_j exp(-nu_j t) the integral over
a gap from 0 to infinity is

    1/(sum of the nu of the arcs across it + sum x_k y_k),      y_k = i (E_k - E_0),

and nothing else is ever divided by: an irreducible pairing has an arc across every gap.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import NamedTuple

from pertsym.algebra.linear_fractions import LinearForm, LinearFraction, Ring
from pertsym.equations.exponential_bath import (
    Decays,
    decays_of,
    monomial,
    ring_of,
    transition_names,
)
from pertsym.expansion.interaction import Interaction
from pertsym.expansion.terms import Term, TimeIntegrand


class Integrated(NamedTuple):
    """One choice of exponents in one term: symbols above, one linear form for each gap below."""

    symbols: tuple[str, ...]
    gaps: tuple[LinearForm, ...]

    def value(self, ring: Ring) -> LinearFraction:
        """Without the coefficient of the term."""
        result = monomial(ring, self.symbols)
        for form in self.gaps:
            result = result.over(form)
        return result


def integrated(term: Term, interaction: Interaction, decays: Decays) -> Iterator[Integrated]:
    """Every choice of exponents for the correlation functions of a term."""
    ring, transitions = ring_of(interaction, decays), transition_names(interaction)
    factors, phase = term.shape.factors, term.shape.phase
    for choice in itertools.product(*(decays_of(f.name, decays, interaction) for f in factors)):
        symbols = list(term.shape.strengths)
        gaps: list[dict[str, int]] = [{} for _ in phase]
        for factor, decay in zip(factors, choice, strict=True):
            above, rate = decay.side(factor.conjugate)
            symbols += above
            for gap in gaps[factor.first - 1 : factor.last]:
                gap[rate] = gap.get(rate, 0) + 1
        forms = (
            ring.form(gap | dict(zip(transitions, x, strict=True)))
            for gap, x in zip(gaps, phase, strict=True)
        )
        yield Integrated(tuple(symbols), tuple(forms))


def integrate(
    integrand: TimeIntegrand, interaction: Interaction, decays: Decays
) -> tuple[LinearFraction, LinearFraction]:
    """The integral of an element's terms over all gaps, as A and B of A + i B.

    A and B are rational in the y_k; with real matrix elements B is zero.

    Raises
    ------
    ValueError
        If the integrand stands for a real part, which is not rational in the y_k.
    """
    if integrand.real_part:
        raise ValueError("integrand: pass the complex terms of an element, not a real part")
    ring = ring_of(interaction, decays)
    parts: tuple[list[LinearFraction], list[LinearFraction]] = [], []
    for term in integrand:
        total = ring.sum(i.value(ring) for i in integrated(term, interaction, decays))
        for number, part in zip((term.coefficient.re, term.coefficient.im), parts, strict=True):
            if number:
                part.append(ring.number(number) * total)
    return ring.sum(parts[0]).reduced(), ring.sum(parts[1]).reduced()
