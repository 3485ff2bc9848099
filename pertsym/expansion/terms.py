"""Canonical terms of a time-ordered integral: the compact currency of the expansion.

A term is coefficient * product of correlation functions * phase, to be integrated over the gaps
tau_1 .. tau_m >= 0 between neighbouring times.  A factor C(tau_first + ... + tau_last) spans
consecutive gaps; the phase is exp(-i sum_k x_k tau_k) with x_k an integer linear form over the
transition frequencies.  Where matrix elements are symbols, a term names those that multiply it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency, Strengths, require_strengths


class Factor(NamedTuple):
    """The correlation function `name` (conjugated or not) of tau_first + ... + tau_last."""

    first: int
    last: int
    name: str
    conjugate: bool = False


class Shape(NamedTuple):
    """What a term looks like apart from its coefficient: equal shapes are collected."""

    factors: tuple[Factor, ...]
    phase: tuple[Frequency, ...]
    strengths: Strengths = ()


class Term(NamedTuple):
    coefficient: Gaussian
    shape: Shape


@dataclass(frozen=True)
class TimeIntegrand:
    """A sum of terms over the same gaps, sorted by shape.

    With `real_part`, the value is the real part of the sum and every term stands for its
    conjugate too.
    """

    order: int
    terms: tuple[Term, ...]
    real: frozenset[str] = frozenset()
    real_part: bool = False

    @classmethod
    def collect(
        cls, order: int, terms: Iterable[Term], real: frozenset[str] = frozenset()
    ) -> TimeIntegrand:
        """Add up terms of equal shape and drop those that cancel."""
        return cls(order, _collected(terms), real)

    def __iter__(self) -> Iterator[Term]:
        return iter(self.terms)

    def __len__(self) -> int:
        return len(self.terms)

    def __add__(self, other: TimeIntegrand) -> TimeIntegrand:
        if (self.order, self.real_part) != (other.order, other.real_part):
            raise ValueError(
                "cannot add integrands of different order, or a real part to a complex sum"
            )
        return TimeIntegrand(
            self.order,
            _collected((*self.terms, *other.terms)),
            self.real | other.real,
            self.real_part,
        )

    def scaled(self, scalar: Gaussian) -> TimeIntegrand:
        """The integrand times a number; of a real part only a real number can be a multiple."""
        if self.real_part and scalar.im:
            raise ValueError(f"a real part can only be scaled by a real number, got {scalar}")
        return self._mapped(lambda term: Term(scalar * term.coefficient, term.shape))

    def conjugated(self) -> TimeIntegrand:
        """The complex conjugate: C <-> C*, phases reversed."""
        return self._mapped(lambda term: conjugate(term, self.real))

    def real_parts(self) -> TimeIntegrand:
        """The real part, each conjugate pair of shapes collected into one representative.

        The representative is the one whose first nonzero phase is positive; without any phase,
        the one whose factors sort first.
        """
        return TimeIntegrand(
            self.order,
            _collected(representative(term, self.real) for term in self.terms),
            self.real,
            real_part=True,
        )

    def reversed_frequencies(self) -> TimeIntegrand:
        """Every transition frequency w -> -w (the rule that turns k_up into k_down)."""
        flipped = self._mapped(
            lambda term: Term(
                term.coefficient, term.shape._replace(phase=_negated(term.shape.phase))
            )
        )
        return flipped.real_parts() if self.real_part else flipped

    @property
    def strengths(self) -> tuple[str, ...]:
        """Names of the real symbols that occur, sorted."""
        return tuple(sorted({name for term in self.terms for name in term.shape.strengths}))

    def by_strengths(self) -> tuple[tuple[Strengths, TimeIntegrand], ...]:
        """The integrand as a polynomial in its symbols: monomials with what multiplies them."""
        parts: dict[Strengths, list[Term]] = {}
        for term in self.terms:
            plain = Term(term.coefficient, term.shape._replace(strengths=()))
            parts.setdefault(term.shape.strengths, []).append(plain)
        return tuple(
            (names, TimeIntegrand(self.order, tuple(parts[names]), self.real, self.real_part))
            for names in sorted(parts)
        )

    def numeric(self) -> TimeIntegrand:
        """The integrand itself if it holds no symbols.

        Raises
        ------
        ValueError
            Naming the symbols: they need numbers before anything can be integrated.
        """
        if self.strengths:
            raise ValueError(
                f"integrand: {', '.join(self.strengths)} have no values; put numbers in with `at`"
            )
        return self

    def at(self, strengths: Mapping[str, Gaussian]) -> TimeIntegrand:
        """The integrand with real numbers for some or all of its symbols.

        Raises
        ------
        ValueError
            For a number that is not real.
        """
        require_strengths(strengths, (*self.strengths, *strengths))

        def substituted(term: Term) -> Term:
            coefficient = term.coefficient
            for name in term.shape.strengths:
                coefficient = coefficient * strengths.get(name, 1)
            left = tuple(name for name in term.shape.strengths if name not in strengths)
            return Term(coefficient, term.shape._replace(strengths=left))

        return self._mapped(substituted)

    def _mapped(self, function: Callable[[Term], Term]) -> TimeIntegrand:
        return TimeIntegrand(
            self.order, _collected(map(function, self.terms)), self.real, self.real_part
        )


def conjugate(term: Term, real: frozenset[str]) -> Term:
    """The complex conjugate of one term; names in `real` are their own conjugates."""
    factors = tuple(
        sorted(
            factor._replace(conjugate=not factor.conjugate) if factor.name not in real else factor
            for factor in term.shape.factors
        )
    )
    shape = term.shape._replace(factors=factors, phase=_negated(term.shape.phase))
    return Term(term.coefficient.conjugate(), shape)


def representative(term: Term, real: frozenset[str]) -> Term:
    """The term or its conjugate, whichever stands for both in a real part."""
    leading = next((component for x in term.shape.phase for component in x if component), 0)
    mirrored = conjugate(term, real)
    if leading > 0:
        return term
    if leading < 0:
        return mirrored
    if term.shape == mirrored.shape:  # its own conjugate: only the real part of c counts
        return Term(Gaussian(term.coefficient.re), term.shape)
    return min(term, mirrored, key=lambda candidate: candidate.shape)


def _negated(phase: tuple[Frequency, ...]) -> tuple[Frequency, ...]:
    return tuple(tuple(-component for component in x) for x in phase)


def _collected(terms: Iterable[Term]) -> tuple[Term, ...]:
    sums: dict[Shape, Gaussian] = {}
    for coefficient, shape in terms:
        previous = sums.get(shape)
        sums[shape] = coefficient if previous is None else previous + coefficient
    return tuple(Term(sums[shape], shape) for shape in sorted(sums) if sums[shape])
