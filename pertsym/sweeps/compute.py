"""Everything that a plan asks for, on its whole grid, in this process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar

import numpy as np

from pertsym.baths.divergence import Divergent
from pertsym.dynamics.methods import (
    EVOLVE,
    STEADY,
    Estimated,
    Method,
    evolve_estimated,
    steady_estimated,
)
from pertsym.equations.bloch import QUANTITIES
from pertsym.equations.generator import ELIMINATED
from pertsym.generators.system import single_threaded
from pertsym.generators.tcl import tcl_generator
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.rates import BlochRates, bloch_rates, mixes
from pertsym.sweeps.axes import Subject
from pertsym.sweeps.plan import Plan
from pertsym.sweeps.rates import (
    CONSTANT,
    CONSTANT_ORDER,
    NO_CONSTANT,
    ORDER,
    quantum_thermal,
    rates_over,
    scan_of,
)
from pertsym.sweeps.store import DIVERGENT, NOT_DERIVED, REFUSED, Field, Place

P = ParamSpec("P")
T = TypeVar("T")

POPULATION_RATE: Final = "population_rate"
STEADY_POPULATION: Final = "steady_population"
POPULATION: Final = "population"


@single_threaded
def compute(plan: Plan) -> dict[str, Field]:
    """Quantity -> field on the grid of the plan."""
    subject, order = plan.subject, plan.order
    result: dict[str, Field] = {}
    if order is not None:
        if plan.closed_rates:
            result |= _closed(subject, order)
        elif subject.model.dimension == 2:
            result |= _two_levels(subject, order)
        else:
            result |= _many_levels(subject, order)
    if plan.methods:
        result |= _states(plan)
    return result


def _closed(subject: Subject, order: int) -> dict[str, Field]:
    scan = {t: x for t, x in scan_of(subject.model, subject.axes).items() if x.size > 1}
    wanted = mixes(subject.model)
    return rates_over(subject.fixed, order, scan, subject.shape, eliminated=wanted)


def _two_levels(subject: Subject, order: int) -> dict[str, Field]:
    """Beyond fourth order, point by point; quantities as in `rates_over`."""
    grid, count = subject.shape, order // 2
    names = [*QUANTITIES]
    if subject.over_symbols or mixes(subject.model):
        names += [name + ELIMINATED for name in ("k_up", "k_down")]
    result = {name: Field.empty(grid, (ORDER,), (count,)) for name in names}
    if quantum_thermal(subject.model):
        result[CONSTANT] = Field.empty(grid, (CONSTANT_ORDER,), (count,))
    for index in np.ndindex(grid):
        fields = [(field, (*index, slice(None))) for field in result.values()]
        found = _asked(fields, bloch_rates, subject.at(index), order)
        if found is not None:
            for name, field in result.items():
                _put_rates(field, index, name, found)
    return result


def _put_rates(field: Field, index: tuple[int, ...], name: str, found: BlochRates) -> None:
    raw = name.removesuffix(ELIMINATED)
    listed = name if raw == name else "eliminated"
    rows: dict[int, Any]
    if name == CONSTANT:
        if found.equilibrium_constant is None:
            field.refuse((*index, slice(None)), NO_CONSTANT)
            return
        rows = dict(found.equilibrium_constant)
    elif raw != name and found.eliminated is not None:
        rows = {n: row[raw] for n, row in found.eliminated.items()}
    else:  # where nothing mixes, eliminating changes nothing
        rows = {n: row[raw] for n, row in found.orders.items()}
    for k, (n, value) in enumerate(sorted(rows.items())):
        if value is not None:
            field.put((*index, k), float(value.value), float(value.error))
            continue
        for start, missing in ((DIVERGENT, found.divergent), (NOT_DERIVED, found.not_derived)):
            reasons = missing.get(str(n), {})
            if reason := reasons.get(listed) or reasons.get(raw):
                field.refuse((*index, k), start + reason)


def _many_levels(subject: Subject, order: int) -> dict[str, Field]:
    """K_aa,bb of each order."""
    grid, size, count = subject.shape, subject.model.dimension, order // 2
    field = Field.empty(grid, (ORDER, "to_level", "from_level"), (count, size, size))
    factor = subject.model.units.rate_to_printed(1.0)
    for index in np.ndindex(grid):
        everything = [(field, (*index, *3 * (slice(None),)))]
        found = _asked(everything, tcl_generator, subject.at(index), order)
        if found is None:
            continue
        for k, n in enumerate(range(2, order + 1, 2)):
            term = found.orders[n]
            for a, b in np.ndindex(size, size):
                at, place = (*index, k, a, b), (a * size + a, b * size + b)
                if place in term.divergent:
                    field.refuse(at, DIVERGENT + term.divergent[place])
                elif place in term.not_derived:
                    field.refuse(at, NOT_DERIVED + term.not_derived[place])
                else:
                    value, error = term.matrix[place].real, term.error[place]
                    field.put(at, factor * value, factor * error)
    return {POPULATION_RATE: field}


def _states(plan: Plan) -> dict[str, Field]:
    """Populations of the steady state, and over time, by each method."""
    subject, size = plan.subject, plan.subject.model.dimension
    grid, count = subject.shape, len(plan.methods)
    result = {STEADY_POPULATION: Field.empty(grid, ("method", "level"), (count, size), shared=1)}
    times = [subject.model.units.time_to_internal(time) for time in plan.times]
    initial = plan.initial
    if initial is not None:
        sizes = (count, len(times), size)
        result[POPULATION] = Field.empty(grid, ("method", "time", "level"), sizes, shared=1)
    for index in np.ndindex(grid):
        model = subject.at(index)
        for k, method in enumerate(plan.methods):
            if _knows(method, STEADY):
                found = _asked(
                    [(result[STEADY_POPULATION], (*index, k))],
                    steady_estimated,
                    model,
                    method,
                )
                _put_states(result[STEADY_POPULATION], (*index, k), found, 0)
            else:
                reason = f"no steady state: {method} gives populations over time"
                result[STEADY_POPULATION].refuse((*index, k), reason)
            if initial is None:
                continue
            at = (*index, k, slice(None))
            if _knows(method, EVOLVE):
                found = _asked(
                    [(result[POPULATION], at)],
                    evolve_estimated,
                    model,
                    method,
                    initial,
                    times,
                )
                _put_states(result[POPULATION], at, found, slice(None))
            else:
                result[POPULATION].refuse(at, f"no dynamics: {method} is a state")
    return result


def _knows(method: str, known: tuple[str, ...]) -> bool:
    try:
        Method.parse(method, known)
    except InputError:
        return False
    return True


def _put_states(field: Field, at: Place, found: Estimated | None, which: int | slice) -> None:
    if found is not None:
        populations = np.real(np.diagonal(found.states, axis1=1, axis2=2))
        field.put(at, populations[which], found.errors[which])


def _asked(
    places: list[tuple[Field, Place]],
    question: Callable[P, T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T | None:
    """The answer; where there is none, the reason goes to every place."""
    try:
        with np.errstate(all="ignore"):  # overflow is found in the result and named there
            return question(*args, **kwargs)
    except Divergent as fault:
        reason = f"{DIVERGENT}{fault}"
    except NotYetDerivable as fault:
        reason = f"{NOT_DERIVED}{fault.key}: {fault.problem}"
    except InputError as fault:
        reason = f"{REFUSED}{fault.problem}; {fault.remedy}"
    for field, at in places:
        field.refuse(at, reason)
    return None
