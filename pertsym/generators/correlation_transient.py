"""K_2(t) from C(t) itself, where that is elementary: no exponentials, and no limit need exist.

K_2(t) rho = sum [Lam(t) rho, S] + h.c. with Lam_ab(t) = S_ab int_0^t ds C(s) e^{-i w_ab s}.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from pertsym.baths.time_correlation import TimeCorrelation, elementary
from pertsym.generators.finite_time import FiniteTime, integrate
from pertsym.generators.layout import AnalyticPace, Layout, Pace
from pertsym.generators.limit import Limit
from pertsym.generators.representation import correlations_of
from pertsym.generators.second_order import redfield_terms
from pertsym.generators.system import Array, System
from pertsym.generators.transient import Grid, State
from pertsym.model.values import Model


class CorrelationEquations:
    """int_0^t C(s) e^{-iws} ds at all Bohr frequencies of some baths.

    Parameters
    ----------
    system
    correlations
        Name of a bath -> its C(t).
    """

    def __init__(self, system: System, correlations: Mapping[str, TimeCorrelation]) -> None:
        self.system, self._correlations = system, correlations

    @cached_property
    def _frequencies(self) -> Mapping[str, tuple[Array, Array]]:
        """Those that a coupling has, and which of them each of its elements is."""
        gaps = self.system.gaps
        found = {}
        for name in self._correlations:
            present = self.system.operators[name] != 0
            values, places = np.unique(gaps[present], return_inverse=True)
            numbers = np.zeros(gaps.shape, dtype=np.intp)
            numbers[present] = places.reshape(-1)
            found[name] = values, numbers
        return found

    @property
    def numbers(self) -> int:
        """How many complex numbers are integrated."""
        return len(self._correlations) * self.system.dimension**2

    def pace(self, power: int, tolerance: float) -> Pace:
        """See `Equations`."""
        return Layout(
            [
                AnalyticPace(
                    correlation.strip,
                    float(np.abs(self._frequencies[name][0]).max(initial=0.0)),
                    power,
                    tolerance,
                )
                for name, correlation in self._correlations.items()
            ]
        )

    def start(self) -> State:
        """The integrals at t = 0."""
        return {name: np.zeros(len(w), complex) for name, (w, _) in self._frequencies.items()}

    def over(self, grid: Grid, state: State) -> tuple[dict[int, Array], State]:
        """See `Equations`."""
        times, size = grid.times, self.system.dimension
        total = np.zeros((len(times), size**2, size**2), dtype=complex)
        ends = {}
        for name, correlation in self._correlations.items():
            frequencies, places = self._frequencies[name]
            phases = np.exp(-1j * times[:, None] * frequencies)
            source = correlation.function(times)[:, None] * phases
            integral = grid.solve(np.zeros(len(frequencies)), state[name], source)
            ends[name] = grid.ends(integral)
            if len(frequencies):
                operator = self.system.operators[name]
                total += redfield_terms(operator, operator * integral[:, places])
        return {2: total}, ends


def equations_in_time(model: Model) -> CorrelationEquations | None:
    """Those of a model all of whose baths have an elementary C(t)."""
    found = {}
    for name, correlation in correlations_of(model).items():
        if (in_time := elementary(correlation)) is None:
            return None
        found[name] = in_time
    return CorrelationEquations(System.of(model), found)


def second_order_transient(
    equations: CorrelationEquations, end: float, tolerance: float
) -> FiniteTime:
    """K_2(t) up to `end`, which never settles.

    Raises
    ------
    ArithmeticError
        If it cannot be resolved to the tolerance.
    """
    size = equations.system.dimension**2
    limit = Limit(equations.system, (), {2: np.zeros((size, size), dtype=complex)})
    return integrate([equations], limit, end, tolerance)
