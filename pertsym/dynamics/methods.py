"""The methods of `steady` and `evolve` by name: which generator each of them means."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from pertsym.baths.divergence import Divergent
from pertsym.dynamics.ccqme import ccqme
from pertsym.dynamics.gibbs import gibbs
from pertsym.dynamics.mean_force import mean_force
from pertsym.dynamics.propagation import Matrix, States, propagate, propagate_transient
from pertsym.dynamics.redfield import redfield
from pertsym.dynamics.steady import steady_state
from pertsym.generators.bloch_recursion import slow_subspace
from pertsym.generators.finite_time import finite_time
from pertsym.generators.slipped import Slip, tcl_slip
from pertsym.generators.system import System
from pertsym.generators.tcl import BAND, Generator, represented, require_feasible, tcl_generator
from pertsym.generators.threads import single_threaded
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.values import Model

MARKOVIAN: Final = ("redfield", "redfield-secular", "ccqme", "ccqme-secular")
STEADY: Final = ("gibbs", "mean-force", *MARKOVIAN, "tcl2", "tcl4", "tcl6", "...")
EVOLVE: Final = (
    *MARKOVIAN,
    *("tcl2", "tcl4", "..."),
    *("tcl2-asymptotic", "tcl4-asymptotic", "..."),
    *("tcl2-slip", "tcl4-slip", "..."),
)

_TCL: Final = re.compile(r"tcl([1-9][0-9]?)(?:-(asymptotic|slip))?")
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
            raise InputError("method", "", f"{name!r} is unknown", f"use one of {', '.join(known)}")
        order = int(found[1])
        if order % 2:
            raise InputError(
                "method", "", f"{name!r} has an odd order", "use tcl2, tcl4, tcl6, ..."
            )
        return cls(name, order, found[2] is not None, found[2] == "slip")


@single_threaded
def steady(
    model: Model, method: str, order: int = 2, progress: Progress = lambda _: None
) -> Matrix:
    """The steady state of a method.

    Parameters
    ----------
    model
    method
        One of `STEADY`; tclN is the null vector of K_0 + K_2 + ... + K_N at t -> infinity.
    order
        Of "mean-force": 2 or 4.

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
    """
    chosen = Method.parse(method, STEADY)
    if chosen.name == "gibbs":
        return gibbs(model)
    if chosen.name == "mean-force":
        return mean_force(model, order).matrix
    return steady_state(generator(model, chosen, progress))


def generator(model: Model, method: Method, progress: Progress = lambda _: None) -> Matrix:
    """The constant generator of a Markovian method, or of TCL at t -> infinity, K_0 included."""
    if method.order:
        result = tcl_generator(
            model, method.order, tolerance=_STEADY_TOLERANCE, band=BAND, progress=progress
        )
        return _total(result)
    build = ccqme if method.name.startswith("ccqme") else redfield
    return build(model, secular=method.name.endswith("-secular"))


@single_threaded
def evolve(
    model: Model,
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
        Inverse energy units, >= 0.
    progress
        Called with what is computed next.
    tolerance
        Of the time-dependent generator, relative to its largest element; the populations of
        tclN are good to about as much.

    Returns
    -------
    (times, N, N) array
    """
    chosen = Method.parse(method, EVOLVE)
    if chosen.asymptotic:
        constant = generator(model, chosen, progress)
        if chosen.slip:
            slip = tcl_slip(model, chosen.order, _STEADY_TOLERANCE, BAND, progress)
            initial = (_total(slip) @ initial.reshape(-1)).reshape(initial.shape)
        return propagate(constant, initial, times)
    system = System.of(model)
    progress("exponential representation of the baths")
    found = represented(model, tolerance, BAND)
    require_feasible(model, found, chosen.order)
    slow = slow_subspace(system, found.fine, chosen.order)
    end = max(times, default=0.0)
    if end == 0:
        return np.array([initial] * len(times), dtype=complex)
    progress("time-dependent generator")
    transient = finite_time(slow, end, _TRANSIENT * tolerance, joint=True)
    progress("propagation")
    return propagate_transient(system.free, transient, initial, times, _TRANSIENT * tolerance)


def _total(result: Generator | Slip) -> Matrix:
    """The sum of all orders, if every element exists."""
    size = result.dimension
    for n, term in result.orders.items():
        for (row, column), reason in term.divergent.items():
            (a, b), (c, d) = divmod(row, size), divmod(column, size)
            what = "initial slip, " if isinstance(result, Slip) else ""
            raise Divergent(f"{what}element {a}{b},{c}{d} of order {n}: {reason}")
        for (row, column), reason in term.not_derived.items():
            (a, b), (c, d) = divmod(row, size), divmod(column, size)
            raise NotYetDerivable(
                "generator",
                f"element {a}{b},{c}{d} of order {n}",
                reason,
                "use tcl2, or a bath that exponentials can stand for",
            )
    total: Matrix = np.sum([term.matrix for term in result.orders.values()], axis=0)
    return total
