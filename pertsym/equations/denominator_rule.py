"""The denominator rule: exact integrals of time-domain terms for exponential correlation functions.

A term of the ordered cumulant is a product of correlation functions and a phase exp(-i x_k tau_k)
in each gap tau_k between neighbouring times.  With C(t) = sum_j c_j exp(-nu_j t) the integral over
a gap from 0 to infinity is

    1/(sum of the nu of the arcs across it + sum x_k y_k),      y_k = i (E_k - E_0),

and nothing else is ever divided by: an irreducible pairing has an arc across every gap.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pertsym.algebra.linear_fractions import LinearFraction
from pertsym.equations.exponential_bath import (
    Decays,
    decays_of,
    monomial,
    ring_of,
    transition_names,
)
from pertsym.expansion.interaction import Frequency, Interaction
from pertsym.expansion.terms import Factor, Term, TimeIntegrand

Exponentials = Callable[[Factor], Sequence[tuple[Any, Any]]]
"""(c, nu), or those of C* for a conjugated factor, elements of any field or names of them."""


def over_gaps(
    integrand: TimeIntegrand,
    exponentials: Exponentials,
    inverse: Callable[[list[Any], Frequency], Any],
) -> Iterator[tuple[Term, Any]]:
    """Every term with prod c/(all gaps) of every choice of exponents; the coefficient is left out.

    Parameters
    ----------
    inverse
        The nu of the arcs across a gap, and x -> 1/(sum nu + i x.w).  A high order has far more
        terms than distinct pairs of them: each is asked for once.
    """
    rates: list[Any] = []
    numbered: dict[tuple[str, bool], list[tuple[Any, int]]] = {}
    chosen: dict[tuple[Factor, ...], list[tuple[Any, list[tuple[int, ...]]]]] = {}
    known: dict[tuple[tuple[int, ...], Frequency], Any] = {}
    for term in integrand:
        factors, phase = term.shape.factors, term.shape.phase
        if factors not in chosen:
            for factor in factors:
                if (key := (factor.name, factor.conjugate)) not in numbered:
                    pairs = exponentials(factor)
                    numbered[key] = [(c, k) for k, (c, _) in enumerate(pairs, len(rates))]
                    rates += [nu for _, nu in pairs]
            chosen[factors] = [
                (
                    math.prod(c for c, _ in choice),
                    [
                        tuple(sorted(k for f, (_, k) in spans if f.first <= gap <= f.last))
                        for gap in range(1, len(phase) + 1)
                    ],
                )
                for choice in itertools.product(*(numbered[f.name, f.conjugate] for f in factors))
                for spans in [list(zip(factors, choice, strict=True))]
            ]
        for product, crossing in chosen[factors]:
            value = product
            for gap in zip(crossing, phase, strict=True):
                if gap not in known:
                    known[gap] = inverse([rates[k] for k in gap[0]], gap[1])
                value = value * known[gap]
            yield term, value


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
    ring, transitions = ring_of(interaction, decays), transition_names(interaction)

    def exponentials(factor: Factor) -> list[tuple[LinearFraction, str]]:
        sides = (x.side(factor.conjugate) for x in decays_of(factor.name, decays, interaction))
        return [(monomial(ring, symbols), rate) for symbols, rate in sides]

    def inverse(rates: list[str], x: Frequency) -> LinearFraction:
        counts = {rate: rates.count(rate) for rate in rates}
        form = counts | dict(zip(transitions, x, strict=True))
        return ring.number(1).over(ring.form(form))

    parts: tuple[list[LinearFraction], list[LinearFraction]] = [], []
    for term, value in over_gaps(integrand, exponentials, inverse):
        whole = value * monomial(ring, term.shape.strengths)
        for number, part in zip((term.coefficient.re, term.coefficient.im), parts, strict=True):
            if number:
                part.append(ring.number(number) * whole)
    return ring.sum(parts[0]).reduced(), ring.sum(parts[1]).reduced()
