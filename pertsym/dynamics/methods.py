"""The methods of `steady` and `evolve` by name: which generator each of them means.

States of TCL come with the error that the error of their generator leaves in them; those that it
makes meaningless are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pertsym.baths.divergence import Divergent
from pertsym.dynamics.ccqme import ccqme
from pertsym.dynamics.levels import gibbs
from pertsym.dynamics.mean_force import mean_force
from pertsym.dynamics.propagation import Matrix, States, propagate, propagate_transient
from pertsym.dynamics.redfield import redfield, relaxation, unitary
from pertsym.dynamics.reliability import (
    NOTABLE,
    Misfit,
    Numbers,
    error_of_steady,
    errors_of_constant,
    errors_of_transient,
    felt,
    lowest_eigenvalue,
    require_known,
    require_positive,
)
from pertsym.estimate import Estimate
from pertsym.generators.canonical_form import total_term
from pertsym.generators.finite_time import NODES, FiniteTime, finite_time, second_order_transient
from pertsym.generators.initial_slip import tcl_slip
from pertsym.generators.limit import Limit
from pertsym.generators.product_form import ProductForm
from pertsym.generators.representation import (
    BAND,
    Represented,
    correlations_of,
    require_feasible,
)
from pertsym.generators.second_order import second_order
from pertsym.generators.steady import steady_state
from pertsym.generators.system import Correlated, System, element_name, single_threaded
from pertsym.generators.tcl import Generator, Request, tcl_generator
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.read import guess
from pertsym.model.values import AnyModel, Model, numeric, require_evolvable

MARKOVIAN: Final = ("redfield", "redfield-secular", "ccqme", "ccqme-secular")
STEADY: Final = ("gibbs", "mean-force", *MARKOVIAN, "tcl2", "tcl4", "tcl6", "...")
EVOLVE: Final = (
    *MARKOVIAN,
    *("tcl2", "tcl4", "..."),
    *("tcl2-asymptotic", "tcl4-asymptotic", "..."),
    *("tcl2-slip", "tcl4-slip", "..."),
)

_TCL: Final = re.compile(r"tcl([1-9][0-9]?)(?:-(asymptotic|slip))?")
_EARLY: Final = (1 / 64, 1 / 16, 1 / 4, 1, 4, 16, 64)  # of the first interval
_LATE: Final = (1 / 16, 1 / 4, 1)  # of the horizon
_TRANSIENT: Final = 0.3  # the part of the tolerance that the transient's generator may take
_STEADY_TOLERANCE: Final = 1e-9

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Method:
    """A parsed name: a Markovian method, a thermal state, or TCL of an order.

    Attributes
    ----------
    name
    order
        Of TCL; 0 for the others.
    asymptotic
        Whether the generator is constant.
    slip
        Whether the initial state is replaced by the one that the generator of t -> infinity
        must start from.
    """

    name: str
    order: int = 0
    asymptotic: bool = True
    slip: bool = False

    @classmethod
    def parse(cls, name: str, known: Sequence[str]) -> Method:
        """Read a method's name.

        Raises
        ------
        InputError
            If it is not one of `known`, or a TCL order is odd.
        """
        if name in known and name != "..." and not name.startswith("tcl"):
            return cls(name)
        found = _TCL.fullmatch(name)
        if found is None or (found[2] and "tcl2-asymptotic" not in known):
            raise InputError(
                "method",
                "",
                f"{name!r} is unknown{_why(name)}",
                f"{_near(name, known)}use one of {', '.join(known)}",
            )
        order = int(found[1])
        if order % 2:
            raise InputError(
                "method", "", f"{name!r} has an odd order", "use tcl2, tcl4, tcl6, ..."
            )
        return cls(name, order, found[2] is not None, found[2] == "slip")


def _near(name: str, known: Sequence[str]) -> str:
    advice = guess(name, known)
    return f"{advice} Or " if advice.startswith("did you mean") else ""


def _why(name: str) -> str:
    """What to add where a method is known elsewhere."""
    return " here: it is a state, which `steady` gives" if name in STEADY else ""


@dataclass(frozen=True, eq=False)
class Estimated:
    """States and how far their elements may be off, the truncation of the expansion apart.

    Attributes
    ----------
    states : (times, N, N)
        In the energy eigenbasis.
    errors : (times,)
        Of the largest element, from the error of the generator; 0 only where all is exact.
    """

    states: States
    errors: Numbers

    @property
    def largest_error(self) -> float:
        """The largest of `errors`."""
        return float(self.errors.max(initial=0.0))

    @property
    def notable(self) -> float | None:
        """The largest error if it is worth a note."""
        largest = self.largest_error
        return largest if largest > NOTABLE else None


def steady(model: AnyModel, method: str, order: int = 2) -> Matrix:
    """The steady state of a method.

    Parameters
    ----------
    model
    method
        One of `STEADY`; tclN is the null vector of K_0 + K_2 + ... + K_N at t -> infinity.
    order
        Of "mean-force": 2, 4, 6, ...

    Returns
    -------
    (N, N) array in the energy eigenbasis, unit trace.  Not necessarily positive.

    Raises
    ------
    InputError
        For an unknown method, baths without a common temperature where one is needed, or a
        steady state that is not unique.
    Divergent
        If the generator has an element that does not exist.
    NotYetDerivable
        If the error of the generator makes the state meaningless, or it is far from positive.
    """
    state: Matrix = steady_estimated(model, method, order).states[0]
    return state


@single_threaded
def steady_estimated(
    model: AnyModel, method: str, order: int = 2, progress: Progress = lambda _: None
) -> Estimated:
    """`steady`, as the only state, with its error."""
    model = numeric(model)
    chosen = Method.parse(method, STEADY)
    progress(f"{method} state")
    if chosen.name == "gibbs":
        return _exactly(gibbs(model)[None])
    if chosen.name == "mean-force":
        return thermal_estimated(model, order)
    constant, error = generator_with_error(model, chosen, progress)
    try:
        state = steady_state(constant)
    except InputError:
        _require_known_scale(model, chosen, error)
        raise
    found = Estimated(state[None], np.array([error_of_steady(constant, error, state)]))
    return _meaningful(found, method)


def thermal_estimated(model: Model, order: int) -> Estimated:
    """The mean-force Gibbs state to an order, as the only state, with its error."""
    equilibrium = mean_force(model, order)
    found = Estimated(equilibrium.matrix[None], np.array([equilibrium.error]))
    return _meaningful(found, "mean-force")


def _meaningful(found: Estimated, method: str, initial: Matrix | None = None) -> Estimated:
    """The same, unless it is no result (NotYetDerivable)."""
    require_known(found.errors, found.states, method)
    before = 0.0 if initial is None else lowest_eigenvalue(initial)
    error = found.states.shape[-1] * found.largest_error
    require_positive(lowest_eigenvalue(found.states), before, error, method)
    return found


def generator_with_error(
    model: Model, method: Method, progress: Progress = lambda _: None
) -> tuple[Matrix, Numbers]:
    """The constant generator of a Markovian method, or of TCL at t -> infinity, K_0 included.

    Beside it the error of each of its elements; of the CCQME that of its R.
    """
    if method.order:
        result = tcl_generator(
            model,
            method.order,
            tolerance=_STEADY_TOLERANCE,
            band=BAND,
            progress=progress,
            whole=True,
        )
        return _total(result)
    build = ccqme if method.name.startswith("ccqme") else redfield
    constant = build(model, secular=method.name.endswith("-secular"))
    rounding = np.finfo(float).eps * np.abs(unitary(model.energies))
    return constant, relaxation(model).error + rounding


def evolve(
    model: AnyModel,
    method: str,
    initial: Matrix,
    times: Sequence[float],
    progress: Progress = lambda _: None,
    tolerance: float = 1e-7,
) -> States:
    """States at ascending times from a product state at t = 0.

    Parameters
    ----------
    model
    method
        One of `EVOLVE`: tclN is time-dependent, tclN-asymptotic uses the t -> infinity generator,
        tclN-slip starts that from Lam rho(0), with Lam to order N: after the baths' memory it is
        tclN up to order N + 2, at early times (t = 0 included) it is no approximation.
    initial : (N, N)
        In the energy eigenbasis.
    times
        Inverse energy units, >= 0, ascending.
    progress
        Called with what is computed next.
    tolerance
        Of the time-dependent generator, relative to its largest element; the populations of
        tclN are good to about as much.

    Returns
    -------
    (times, N, N) array

    Raises
    ------
    InputError
        For an unknown method, a matrix that is no state (it need not be positive), or times that
        do not ascend from 0 on.
    Divergent
        If the generator has an element that does not exist.
    NotYetDerivable
        If the error of the generator makes the states meaningless, if they overflow, or if an
        eigenvalue lies so far below 0 that they are no states (`reliability.ABSURD`).
    """
    return evolve_estimated(model, method, initial, times, progress, tolerance).states


@single_threaded
def evolve_estimated(
    model: AnyModel,
    method: str,
    initial: Matrix,
    times: Sequence[float],
    progress: Progress = lambda _: None,
    tolerance: float = 1e-7,
) -> Estimated:
    """`evolve` with the error of each state."""
    model = numeric(model)
    chosen = Method.parse(method, EVOLVE)
    initial = require_evolvable(model.name, initial, times, model.dimension)
    progress(f"generator of {method}")
    if chosen.asymptotic:
        found = _under_constant(model, chosen, initial, times, progress)
    else:
        found = _under_transient(model, chosen, initial, times, progress, tolerance)
    return _meaningful(found, method, initial)


def _under_constant(
    model: Model, chosen: Method, initial: Matrix, times: Sequence[float], progress: Progress
) -> Estimated:
    constant, error = generator_with_error(model, chosen, progress)
    start = 0.0
    if chosen.slip:
        slip, slip_error = _total(tcl_slip(model, chosen.order, _STEADY_TOLERANCE, BAND, progress))
        initial = (slip @ initial.reshape(-1)).reshape(initial.shape)
        start = felt(slip_error)
    states = propagate(constant, initial, times)
    return Estimated(states, errors_of_constant(constant, error, times, start))


def _under_transient(
    model: Model,
    chosen: Method,
    initial: Matrix,
    times: Sequence[float],
    progress: Progress,
    tolerance: float,
) -> Estimated:
    system = System.of(model)
    end = max(times, default=0.0)
    if end == 0:
        return _exactly(np.array([initial] * len(times), dtype=complex))
    each = _TRANSIENT * tolerance
    try:
        transient, second = _transient(model, chosen.order, end, tolerance, progress)
        progress("propagation")
        states, off = propagate_transient(system.free, transient, initial, times, each)
    except ArithmeticError as fault:
        raise NotYetDerivable(
            model.name, "method", str(fault), "ask for earlier times or a lower order"
        ) from None
    return Estimated(states, errors_of_transient(system.free, transient, off, times, second))


def _transient(
    model: Model, order: int, end: float, tolerance: float, progress: Progress
) -> tuple[FiniteTime, Sequence[Misfit]]:
    """K(t) up to `end`, and what the baths' representation leaves in its second order."""
    each = _TRANSIENT * tolerance
    request = Request(model, order, end, tolerance, BAND, progress)
    if model.used_markov:
        limit = request.joint
    elif order == 2 and request.in_time is not None:
        progress("time-dependent generator")
        return second_order_transient(request.in_time, end, each), ()
    else:
        require_feasible(model, request.baths, order, NODES)
        limit = Limit.of(request.system, request.baths.fine, order)
    progress("time-dependent generator")
    transient = finite_time(limit, end, each, joint=True)
    known = model.used_markov or request.baths.exact
    return transient, () if known else _misfits(model, limit, request.baths, transient)


def _misfits(model: Model, limit: Limit, found: Represented, transient: FiniteTime) -> list[Misfit]:
    """The error of K_2 from exponentials, element by element, early and for t -> infinity.

    Where they stand for the baths up to a time only it is measured there and before.  Where K_2
    exists for t -> infinity it is known without them; elsewhere the error is that of the
    representation.  Early it is larger, because exponents need not follow what is fast beside the
    system: there it is measured by the coarser representation, whose distance shrinks less than
    the errors at the system's frequencies do, or, where a bath has no coarser one, by K_2 itself.
    """

    def off(time: float) -> Numbers:
        known = tcl_generator(model, 2, time).orders[2]
        gap: Numbers = np.abs(_second_at(limit.system, found.fine, time) - known.matrix)
        return gap + known.error

    error: Numbers
    if found.horizon < math.inf:
        error = np.max([off(found.horizon * part) for part in _LATE], axis=0)
    else:
        second = limit.generators[2]
        exact = second_order(limit.system, correlations_of(model))
        error = np.abs(second - exact.matrix) + exact.error
        if exact.divergent or not np.all(np.isfinite(error)):
            error = found.error * np.abs(second)
    pairs = zip(found.fine, found.coarse, strict=True)
    alike = any(fine.exponentials == coarse.exponentials for fine, coarse in pairs)
    early: list[Misfit] = []
    first = transient.panels[0].end if transient.panels else math.inf
    for time in (first * part for part in _EARLY if first * part <= transient.end):
        if alike:
            gap = off(time)
        else:
            pair = (_second_at(limit.system, baths, time) for baths in (found.fine, found.coarse))
            gap = np.abs(np.subtract(*pair)) * math.sqrt(found.ratio)
        if time >= first and felt(gap) * math.sqrt(found.ratio) <= felt(error):
            break  # from here on as late
        early.append(Misfit(time, error + gap))
    return [*early, Misfit(math.inf, error)]


def _second_at(system: System, baths: Sequence[Correlated], time: float) -> Matrix:
    """K_2 at a time from exponentials."""
    form = ProductForm(system, baths)
    second: Matrix = form.second(form.first_at(np.array([time])))[0]
    return second


def in_basis(
    model: Model, found: Estimated, basis: str, observables: Mapping[str, Matrix] | None = None
) -> tuple[Estimated, dict[str, Estimate]]:
    """States in a basis with their errors, and expectation values (times,) of observables.

    Observables, by default those of the model, are arrays in the basis the model was given in.
    """
    if observables is None:
        observables = {
            name: np.array([[complex(x) for x in row] for row in matrix])
            for name, matrix in model.observables
        }
    rounding = 8 * model.dimension * float(np.finfo(float).eps)
    expected: dict[str, Estimate] = {}
    for name, matrix in observables.items():
        inside = model.to_energy(matrix)
        values = np.real(np.einsum("ij,tji->t", inside, found.states))
        size = float(np.abs(inside).sum())
        expected[name] = Estimate(values, size * (found.errors + rounding))
    if basis == "energy" or model.vectors is None:
        return found, expected
    # an element in one basis is a sum over N^2 elements of the other with weights of norm <= N
    errors = found.errors * model.dimension + rounding
    return Estimated(model.to_system(found.states), errors), expected


def _exactly(states: States) -> Estimated:
    return Estimated(states, np.zeros(len(states)))


def _require_known_scale(model: Model, method: Method, error: Numbers) -> None:
    """Do not blame a model for what the error of its generator does."""
    if not method.order:
        return
    sizes = [float(np.abs(term.matrix).max()) for term in tcl_generator(model, 2).orders.values()]
    if felt(error) > NOTABLE * min((size for size in sizes if size), default=np.inf):
        raise NotYetDerivable(
            model.name,
            method.name,
            f"the generator has an error of {felt(error):.1g}, too large for a steady state",
            "ask for a lower order, or for the state at a finite time",
        )


def _total(result: Generator) -> tuple[Matrix, Numbers]:
    """The sum of all orders, if every element exists, and its error."""
    for n, term in result.orders.items():
        for place, reason in term.divergent.items():
            raise Divergent(reason, n, element_name(place, result.dimension, result.symbol))
        for place, reason in term.not_derived.items():
            raise NotYetDerivable(
                "generator",
                f"element {element_name(place, result.dimension, result.symbol)} of order {n}",
                reason,
                "use tcl2, or a bath that exponentials can stand for",
            )
    total = total_term(result.orders)
    return total.matrix, total.error
