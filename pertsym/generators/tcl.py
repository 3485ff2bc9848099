"""The time-convolutionless generator of a numerical model, with errors and divergences.

Of each order by the first of some routes that serves: a route says in a sentence why it does not
serve a request, or gives a term.  The first term that is good enough is taken; where none is, the
first of all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from pertsym.baths.correlation import Correlation
from pertsym.baths.divergence import Divergent
from pertsym.baths.node_poles import Poles, poles
from pertsym.generators.contracted import Contracted
from pertsym.generators.finite_time import NODES, FiniteTime, finite_time, second_order_transient
from pertsym.generators.jumps import has_odd_orders, largest_level, sources_of
from pertsym.generators.limit import Limit
from pertsym.generators.long_times import divergent_elements, tails
from pertsym.generators.product_form import SAME, ProductForm, bounded_fourth_order
from pertsym.generators.representation import (
    BESIDE,
    HIGHEST,
    LARGEST,
    TOLERANCE,
    Progress,
    Represented,
    correlations_of,
    represented,
    require_feasible,
    spread_error,
    twice,
)
from pertsym.generators.second_order import Term, second_order
from pertsym.generators.spectral_route import fourth_order
from pertsym.generators.system import Array, System, single_threaded
from pertsym.generators.transient import CorrelationEquations, equations_in_time
from pertsym.model.errors import NotYetDerivable
from pertsym.model.values import AnyModel, Model, numeric

_POOR = 1e-4  # of the largest element of an order: errors beyond it ask for another route
_ROUNDING = 1e-12  # of the second order: errors below it are rounding about zero
_WORK = 2e7  # numbers that order 4 from all poles may go through
_HIGHEST_BY_RULE = 6
_FINEST = 1e-12  # of K(t): what the integration is asked for


@dataclass(frozen=True, eq=False)
class Request:
    """What is asked for, as in `tcl_generator`, and what several routes need of it."""

    model: Model
    order: int
    time: float | None
    tolerance: float
    band: float | None
    progress: Progress
    spectral: bool = False

    @cached_property
    def system(self) -> System:
        """Levels and operators."""
        return System.of(self.model)

    @cached_property
    def correlations(self) -> Mapping[str, Correlation]:
        """Of every bath in use."""
        return correlations_of(self.model)

    @cached_property
    def in_time(self) -> CorrelationEquations | None:
        """For baths whose C(t) is elementary, if all are."""
        return equations_in_time(self.model)

    @cached_property
    def baths(self) -> Represented:
        """All baths as exponentials."""
        self.progress("exponential representation of the baths")
        return represented(self.model, self.tolerance, self.band, self.time)

    @cached_property
    def poles(self) -> Mapping[str, Poles] | None:
        """All poles of the baths, if every J continues below the real axis."""
        gaps = self.system.gaps.reshape(-1)
        every = np.abs(np.concatenate((gaps, np.subtract.outer(gaps, gaps).reshape(-1))))
        lowest = float(min(every[every > SAME * every.max(initial=0.0)], default=1.0))
        found: dict[str, Poles] = {}
        for name, correlation in self.correlations.items():
            try:
                bath = poles(correlation, lowest)
            except (Divergent, ArithmeticError):
                bath = None
            if bath is None:
                return None
            found[name] = bath
        return found

    @cached_property
    def tails(self) -> bool:
        """Whether some C(t) decays by a power of the time."""
        return any(True for _ in tails(self.correlations))

    @cached_property
    def limits(self) -> tuple[Limit, Limit]:
        """The generators for t -> infinity, with fine and coarse exponentials."""
        return twice(Limit.of, self.model, self.baths, self.order, self.progress)

    @cached_property
    def joint(self) -> Limit:
        """The generators for t -> infinity of Markov chains, and of exponentials beside them.

        Raises
        ------
        NotYetDerivable
            If a bath beside them is not given as exponentials, or no machine could hold it.
        """
        baths, order = sources_of(self.model), self.order
        size = largest_level(baths, order // 2) * self.model.dimension**4
        size *= BESIDE if order > 6 else 1
        if order > HIGHEST or size > LARGEST:
            raise NotYetDerivable(
                self.model.name,
                "order",
                f"order {order} of {self.model.dimension} levels with these chains needs "
                f"{size:.2g} numbers at a time",
                "ask for a lower order",
            )
        self.progress(f"recursion to order {order}")
        return Limit.of(self.system, baths, order)

    @cached_property
    def joint_transient(self) -> FiniteTime:
        """The same at finite times."""
        limit = self.joint
        return self.resolved(lambda end: finite_time(limit, end, _FINEST))

    @cached_property
    def transients(self) -> tuple[FiniteTime, FiniteTime]:
        """The generators at finite times, with fine and coarse exponentials."""
        require_feasible(self.model, self.baths, self.order, NODES)
        fine, coarse = self.limits
        self.progress("transient")
        first = self.resolved(lambda end: finite_time(fine, end, _FINEST))
        if coarse is fine:
            return first, first
        return first, self.resolved(lambda end: finite_time(coarse, end, _FINEST))

    @cached_property
    def second(self) -> Term:
        """K_2 for t -> infinity."""
        return second_order(self.system, self.correlations)

    def resolved(self, solve: Callable[[float], FiniteTime]) -> FiniteTime:
        """A solution up to the time that is asked for.

        Raises
        ------
        NotYetDerivable
            If K(t) cannot be resolved.
        """
        assert self.time is not None
        try:
            return solve(self.time)
        except ArithmeticError as fault:
            raise NotYetDerivable(
                self.model.name, "time", str(fault), "ask for an earlier time"
            ) from None


@dataclass(frozen=True)
class Route:
    """One way to a term.

    Attributes
    ----------
    name
    refusal
        Why it does not serve an order of a request; None if it does.
    term
        The term, or NotYetDerivable.
    is_good
        Whether there is no need to look further.
    """

    name: str
    refusal: Callable[[Request, int], str | None]
    term: Callable[[Request, int], Term]
    is_good: Callable[[Request, int, Term], bool] = lambda request, n, found: True


def term(request: Request, n: int) -> Term:
    """One order of the generator, n = 2, 4, ...

    Raises
    ------
    NotYetDerivable
        If no route serves, with the reason of the last that was tried.
    """
    first: Term | None = None
    fault: NotYetDerivable | None = None
    for route in ROUTES:
        if route.refusal(request, n) is not None:
            continue
        try:
            request.progress(f"order {n}: {route.name}")
            found = route.term(request, n)
        except NotYetDerivable as why:
            fault = why
            continue
        if route.is_good(request, n, found):
            return found if first is None else _filled(found, first)
        first = first or found
    if first is not None:
        lost = _poor(request, n, first) & (first.error > np.abs(first.matrix) / 2)
        return _without(first, lost)
    if fault is None:
        reasons = "; ".join(f"{x.name}: {x.refusal(request, n)}" for x in ROUTES)
        fault = NotYetDerivable(request.model.name, "order", reasons, "ask for another order")
    raise fault


def _only(
    *conditions: tuple[Callable[[Request, int], bool], str],
) -> Callable[[Request, int], str | None]:
    """The first condition that a request does not meet, in words."""

    def refusal(request: Request, n: int) -> str | None:
        return next((words for met, words in conditions if not met(request, n)), None)

    return refusal


_LIMIT = (lambda request, n: request.time is None, "only for t -> infinity")
_FINITE = (lambda request, n: request.time is not None, "only for finite times")
_LATER = (lambda request, n: request.time != 0, "there is nothing at t = 0")
_AT_ZERO = (lambda request, n: request.time == 0, "only for t = 0")
_SECOND = (lambda request, n: n == 2, "only for order 2")
_FOURTH = (lambda request, n: n == 4, "only for order 4")
_HIGHER = (lambda request, n: n > 2, "order 2 needs no exponentials")
_FITTED = (lambda request, n: not request.spectral, "a result without a fit is asked for")
_BEYOND_MEAN = (lambda request, n: n > 1, "the mean of the noise acts at once")
_JUMPS = (lambda request, n: bool(request.model.used_markov), "only for Markov chains")
_NO_RULE = (lambda request, n: not request.model.used_ruled, "only without such baths")
_RULED = (lambda request, n: bool(request.model.used_ruled), "only for baths with a rule")
_GAUSSIAN = (
    lambda request, n: not (request.model.used_markov or request.model.used_ruled),
    "only for Gaussian baths",
)
_ELEMENTARY = (
    lambda request, n: request.in_time is not None,
    "only for Ohmic baths, whose C(t) is elementary",
)


def _nothing(request: Request, n: int) -> Term:
    size = request.system.dimension**2
    return Term(np.zeros((size, size), dtype=complex), np.zeros((size, size)), {})


def _from_correlation(request: Request, n: int) -> Term:
    equations = request.in_time
    assert equations is not None
    found = request.resolved(lambda end: second_order_transient(equations, end, _FINEST))
    assert request.time is not None
    matrix = found.at(n, request.time)
    # exactly 0 where no operator leads
    return Term(matrix, np.where(matrix == 0, 0.0, found.error(n, request.time)), {})


def _few_poles(request: Request, n: int) -> bool:
    """Whether the work with all poles is a fraction of a second."""
    if request.system.dimension**4 > _WORK or request.poles is None:
        return False
    size, count = request.system.dimension, sum(len(x.c) for x in request.poles.values())
    return count * size**2 * max(count, 8 * size**2) <= _WORK


def _from_poles(request: Request, n: int) -> Term:
    assert request.poles is not None
    matrix, error = bounded_fourth_order(request.system, request.poles)
    request.progress(f"existence of the elements of order {n}")
    return Term(matrix, error, divergent_elements(request.system, request.correlations, n))


def _transient(request: Request, n: int) -> Term:
    time = request.time
    assert time is not None
    fine, coarse = request.transients
    matrix = fine.at(n, time)
    rough, lost = coarse.at(n, time), fine.error(n, time)
    return Term(matrix, spread_error(request.system, request.baths, n, matrix, rough, lost), {})


def _exponentials(request: Request, n: int) -> Term:
    fine, coarse = request.limits
    request.progress(f"existence of the elements of order {n}")
    divergent = divergent_elements(request.system, request.correlations, n)
    matrix, rough = fine.generators[n], coarse.generators[n]
    lost = ProductForm(fine.system, fine.correlations).rounding() if n == 4 else fine.rounding(n)
    error = spread_error(
        request.system, request.baths, n, matrix, rough, lost, divergent, request.tails
    )
    return Term(matrix, error, divergent)


def _joint(request: Request, n: int) -> Term:
    limit, time = request.joint, request.time
    if time is None or n == 1:
        matrix, error = limit.generators[n], limit.rounding(n)
    else:
        found = request.joint_transient
        matrix, error = found.at(n, time), found.error(n, time)
    return Term(matrix, np.full(matrix.shape, error), {})


def _by_rule(request: Request, n: int) -> Term:
    """The rule's own numbers."""
    model, time = request.model, request.time
    names = tuple(model.bath_operators)
    if time is None:
        model.require_gaussian()
    if len(names) > 1:
        raise NotYetDerivable(
            model.name,
            f"baths.{model.used_ruled[0].name}",
            f"averages over its rule and over other baths ({', '.join(names)}) are not combined",
            "couple the system to this bath alone",
        )
    if n > _HIGHEST_BY_RULE:
        raise NotYetDerivable(
            model.name,
            "order",
            f"the terms of order {n} of a contraction rule are too many to add up one by one",
            f"ask for order {_HIGHEST_BY_RULE} at most",
        )
    assert time is not None
    request.progress(f"terms of order {n}")
    (bath,), (operator,) = model.used_ruled, model.bath_operators.values()
    return Contracted.of(bath.rule, model.energies, (operator,), n).at(time)


def _in_closed_form(request: Request, n: int) -> Term:
    return fourth_order(request.model, request.correlations, request.progress)


def _is_precise(request: Request, n: int, found: Term) -> bool:
    # at T = 0 a spectrum that vanishes may save what diverges by the tail of C(t) alone
    vanishing = any(bath.beta == np.inf for bath in request.model.used_baths)
    return not np.any(_poor(request, n, found)) and not (vanishing and found.divergent)


ROUTES = (
    Route("the start", _only(_AT_ZERO, _BEYOND_MEAN), _nothing),
    Route("joint equations of state and chain", _only(_NO_RULE, _JUMPS), _joint),
    Route("contraction rule", _only(_RULED), _by_rule),
    Route("Ĉ and P", _only(_GAUSSIAN, _LIMIT, _SECOND), lambda request, n: request.second),
    Route("C(t)", _only(_GAUSSIAN, _FINITE, _LATER, _SECOND, _ELEMENTARY), _from_correlation),
    Route("transient of exponentials", _only(_GAUSSIAN, _FINITE, _LATER), _transient),
    Route(
        "poles of the baths",
        _only(_GAUSSIAN, _LIMIT, _FOURTH, _FITTED, (_few_poles, "only for few levels and poles")),
        _from_poles,
        _is_precise,
    ),
    Route("exponentials", _only(_GAUSSIAN, _LIMIT, _HIGHER, _FITTED), _exponentials, _is_precise),
    Route("closed spectral forms", _only(_GAUSSIAN, _LIMIT, _FOURTH), _in_closed_form),
)
"""Preferred first."""


def _poor(request: Request, n: int, found: Term) -> NDArray[np.bool_]:
    """Elements whose error is not small beside the largest of their order."""
    second = request.second
    largest = float(np.max(np.abs(second.matrix), where=second.error < np.inf, initial=0.0))
    known = found.error <= np.abs(found.matrix) / 2
    scale = float(np.max(np.abs(found.matrix), where=known, initial=0.0))
    enough = max(_POOR, 100 * request.tolerance) * scale
    poor: NDArray[np.bool_] = found.error > max(enough, _ROUNDING * largest)
    return poor


def _filled(term: Term, other: Term) -> Term:
    """What one route could not derive, from another one where that knows it."""
    known = {
        place: other.error[place]
        for place in term.not_derived
        if place not in other.divergent and other.error[place] <= abs(other.matrix[place]) / 2
    }
    if not known:
        return term
    matrix, error = term.matrix.copy(), term.error.copy()
    for place, off in known.items():
        matrix[place], error[place] = other.matrix[place], off
    left = {place: why for place, why in term.not_derived.items() if place not in known}
    return Term(matrix, error, term.divergent, left)


def _without(term: Term, lost: Array) -> Term:
    """The term without numbers that mean nothing."""
    reasons = {
        (int(row), int(column)): "the bath's exponentials leave an error of "
        f"{term.error[row, column]:.1e}, more than the value"
        for row, column in np.argwhere(lost)
        if (row, column) not in term.divergent
    }
    matrix, error = term.matrix.copy(), term.error.copy()
    for place in reasons:
        matrix[place], error[place] = np.nan, np.inf
    return Term(matrix, error, term.divergent, reasons) if reasons else term


@dataclass(frozen=True, eq=False)
class Generator:
    """K_0, K_2, ... of a model; K_1, K_3, ... too where they exist.

    Attributes
    ----------
    dimension
        N; superoperators are N^2 x N^2 over row-major vec, energy eigenbasis.
    orders
        Order -> contribution of that order, in the model's energy unit (hbar = 1).
    symbol
        "K", or that of another superoperator.
    """

    dimension: int
    orders: Mapping[int, Term]
    symbol: str = "K"


@single_threaded
def tcl_generator(
    model: AnyModel,
    order: int,
    time: float | None = None,
    tolerance: float = TOLERANCE,
    band: float | None = None,
    progress: Progress = lambda _: None,
    spectral: bool = False,
    whole: bool = False,
) -> Generator:
    """The time-convolutionless (ordered-cumulant) generator in the Schroedinger picture.

    Parameters
    ----------
    model
        Any number of levels, couplings and baths.
    order
        0 or even: the highest order in the coupling.  Markov chains with odd moments have odd
        orders too, of which those below it are given.
    time
        None for t -> infinity; else the time, in inverse energy units, since the state was a
        product of a system state and the baths' equilibrium.
    tolerance
        Of the representation of a bath by exponentials, relative to sup|G|.
    band
        None, or the `band` of `represented`: fewer exponentials for many levels.
    progress
        Called with what is computed next.
    spectral
        Whether order 4 for t -> infinity comes from closed spectral forms, without a fit; it
        does by itself where a bath cannot be represented by exponentials.
    whole
        Whether no order is of use without those below it: none is computed above one with an
        element that does not exist.

    Raises
    ------
    ValueError
        If the order is not even and >= 0, the time is negative, or `spectral` is asked for
        another order than 4 or a finite time.
    NotYetDerivable
        If no route of `pertsym.generators.tcl` serves, with the reason of the last one.
    """
    model = numeric(model)
    if order < 0 or order % 2:
        raise ValueError(f"order: must be an even integer >= 0, got {order}")
    if time is not None and not 0 <= time < np.inf:
        raise ValueError(f"time: must be >= 0 and finite, got {time!r}; leave it out for the limit")
    if spectral and (order != 4 or time is not None):
        raise ValueError("spectral: closed forms are those of order 4 for t -> infinity")
    request = Request(model, order, time, tolerance, band, progress, spectral)
    orders = {0: Term.exact(request.system.free)}
    # the highest first: what cannot be had at all is known before anything else is computed
    step = 1 if has_odd_orders(model) else 2
    found: dict[int, Term] = {}
    for n in sorted(range(order, 0, -step), reverse=not whole):
        found[n] = term(request, n)
        if whole and found[n].divergent:
            break
    orders.update(sorted(found.items()))
    return Generator(model.dimension, MappingProxyType(orders))
