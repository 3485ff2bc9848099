"""Numbers of a derived model: rates, generator, states and dynamics, each with its error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pertsym.baths.divergence import Divergent
from pertsym.dynamics.methods import (
    Estimated,
    evolve_estimated,
    in_basis,
    steady_estimated,
    thermal_estimated,
)
from pertsym.equations.bloch import QUANTITIES
from pertsym.equations.generator import ELIMINATED, Generator
from pertsym.equations.series import Indexed, remembered
from pertsym.estimate import Estimate, scientific
from pertsym.expansion.interaction import Interaction, level_energies
from pertsym.generators.heat_current import heat_currents
from pertsym.generators.system import element_name
from pertsym.generators.tcl import tcl_generator
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.values import Model, state_of
from pertsym.present.quantities import expansion_latex
from pertsym.rates import BlochRates, bloch_rates, fourth_order_constant
from pertsym.reduction.spectral import CannotEvaluate

Basis = Literal["system", "energy"]
_CONSTANT = "equilibrium_constant"
_LARGEST = 9
"""Rows of a matrix that is shown."""
_TWO_LEVELS = {
    "k_10": "k_up",
    "k_01": "k_down",
    "inv_T2_10": "inv_T2",
    "frequency_shift_10": "frequency_shift",
}


@dataclass(frozen=True, eq=False)
class States:
    """States at some times, in a basis, with the error of their elements.

    Attributes
    ----------
    times : (times,)
        In the model's time unit; none of a steady state.
    states : (times, N, N)
    error : (times,)
        Of the largest element, the truncation of the expansion apart.
    basis
        "system" (in which the model was given) or "energy".
    expectation
        name -> values and errors (times,) of the model's observables.
    unit
        Of the times.
    model, method
        Names, of what was propagated and how.
    """

    times: NDArray[np.float64] | None
    states: NDArray[np.complex128]
    error: NDArray[np.float64]
    basis: Basis
    expectation: Mapping[str, Estimate]
    unit: str = "1/energy"
    model: str = ""
    method: str = ""

    def plot(self, name: str = "", **others: States) -> Any:
        """Populations and coherences over time, a matplotlib Figure (pertsym[plot]).

        `name` says what these states are, by default their method; keywords add those of other
        methods, as in ``tcl2.plot("tcl2", tcl4=tcl4)``.

        Raises
        ------
        ModuleNotFoundError
            Without matplotlib.
        InputError
            If there are no times, or another basis.
        """
        from pertsym.pictures import draw_states  # brings matplotlib

        return draw_states({name or self.method or "these": self, **others}, self.model)

    @property
    def populations(self) -> NDArray[np.float64]:
        """Diagonal elements, (times, N)."""
        found: NDArray[np.float64] = np.real(np.diagonal(self.states, axis1=1, axis2=2))
        return found

    @property
    def matrix(self) -> NDArray[np.complex128]:
        """The last state, (N, N): of a steady state the only one."""
        last: NDArray[np.complex128] = self.states[-1]
        return last

    def __len__(self) -> int:
        return len(self.states)

    def _repr_latex_(self) -> str:
        """The last state as a matrix, and the bound of its elements."""

        bound = scientific(float(self.error[-1]), 1)
        return rf"$$\rho={_matrix_latex(np.round(self.matrix, 6))}\pm {bound}$$"

    def __repr__(self) -> str:
        shown = np.array2string(
            np.round(self.populations, 8) + 0.0, suppress_small=True, threshold=40
        )
        largest = float(self.error.max(initial=0.0))
        return f"populations, {self.basis} basis, elements to {largest:.1g}:\n{shown}"


def _matrix_latex(matrix: NDArray[Any]) -> str:
    """Numbers to six digits; parts below 5e-7 of the largest are not shown."""
    least = 5e-7 * max(float(np.abs(matrix).max(initial=0.0)), 1e-300)

    def entry(z: complex) -> str:
        real, imaginary = (x if abs(x) >= least else 0.0 for x in (z.real, z.imag))
        if not imaginary:
            return scientific(real, 6) if real else "0"
        size = scientific(abs(imaginary), 6)
        lead = f"{scientific(real, 6)}{'-' if imaginary < 0 else '+'}" if real else ""
        return f"{lead or ('-' if imaginary < 0 else '')}{size}\\,i"

    rows = r"\\".join("&".join(map(entry, row)) for row in matrix.tolist())
    return rf"\begin{{pmatrix}}{rows}\end{{pmatrix}}"


class Superoperator(np.ndarray[Any, Any]):
    """An array of numbers that shows itself as a matrix in a notebook, to 9 x 9."""

    def _repr_latex_(self) -> str | None:
        if self.ndim != 2 or max(self.shape) > _LARGEST or not np.isfinite(self).all():
            return None
        return f"$${_matrix_latex(np.asarray(self))}$$"


@dataclass(frozen=True)
class NumberSeries:
    """A quantity order by order: `series[order]` is an `Estimate`."""

    name: str
    _of: Callable[[int], Estimate]

    def __getitem__(self, order: int) -> Estimate:
        return self._of(order)

    def _repr_latex_(self) -> str:
        return expansion_latex(self.name)

    def __repr__(self) -> str:
        return f"{self.name}: index by the order, e.g. [2] or [4]"


@dataclass(frozen=True)
class Arrays:
    """Superoperators order by order, N^2 x N^2 over row-major vec, in the printed unit."""

    _of: Callable[[int], NDArray[Any]]
    what: str

    def __getitem__(self, order: int) -> NDArray[Any]:
        return self._of(order).view(Superoperator)

    def __repr__(self) -> str:
        return f"{self.what}: index by the order, e.g. [2] or [4]"


@dataclass(frozen=True, repr=False)
class Numbers:
    """The numbers of one model; levels and phases are those of its formulas.

    Attributes
    ----------
    model
        In the eigenbasis, as the numerical functions take it.
    """

    model: Model
    _rates: dict[int, BlochRates] = remembered()
    _generators: dict[int, Any] = remembered()
    _currents: dict[int, Mapping[str, Mapping[int, Estimate]]] = remembered()

    @cached_property
    def _names(self) -> Generator:
        size = self.model.dimension
        return Generator(Interaction(level_energies(size), (), (), {}))

    @property
    def matrix(self) -> Arrays:
        """K_n for t -> infinity, in the eigenbasis; matrix[0] is -i [H_S, .]."""
        return Arrays(lambda order: self._checked(order, "matrix"), "generator")

    @property
    def error(self) -> Arrays:
        """Error of each element of `matrix`."""
        return Arrays(lambda order: self._checked(order, "error"), "error of the generator")

    def _term(self, order: int) -> Any:
        if order not in self._generators:
            self._generators.update(tcl_generator(self.model, order).orders)
        return self._generators[order]

    def _checked(self, order: int, what: str) -> NDArray[Any]:
        term = self._term(order)
        for place, reason in term.divergent.items():
            raise Divergent(reason, order, element_name(place, self.model.dimension))
        for place, reason in term.not_derived.items():
            name = element_name(place, self.model.dimension)
            raise NotYetDerivable(self.model.name, name, reason, "ask for another order")
        found: NDArray[Any] = self.model.units.rate_to_printed(1.0) * getattr(term, what)
        return found

    def __dir__(self) -> list[str]:
        own = [name for name in object.__dir__(self) if not name.startswith("_")]
        two = (*QUANTITIES, _CONSTANT) if self.model.dimension == 2 else ()
        elements = [self._names.name(e) for e in self._names.elements]
        return sorted({*own, *two, *self._names.names, *elements})

    @property
    def R(self) -> Indexed[NumberSeries]:
        """Elements of the generator: R[a, b, c, d] is R_ab,cd."""
        return Indexed("R", self.model.dimension, self.__getitem__)

    @property
    def k(self) -> Indexed[NumberSeries]:
        """Population rates: k[a, b] is the rate b -> a."""
        return Indexed("k", self.model.dimension, self.__getitem__)

    def __getattr__(self, name: str) -> NumberSeries:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except ValueError as fault:
            raise AttributeError(str(fault)) from None

    def __getitem__(self, name: str) -> NumberSeries:
        """A quantity by name, as of `pertsym.derive`.

        Raises
        ------
        ValueError
            If there is none.
        NotYetDerivable
            If it has a formula and no numbers.
        """
        if self.model.dimension == 2:
            bare = name.removesuffix(ELIMINATED)
            plain = _TWO_LEVELS.get(bare, bare)
            if plain in QUANTITIES or name == _CONSTANT:
                suffix = name.removeprefix(bare)
                return NumberSeries(name, lambda order: self._rate(plain + suffix, order))
        self._names.series(name)  # or it says what there is
        if name.endswith(ELIMINATED):
            reason = f"{name!r} has numbers for two levels alone"
            raise NotYetDerivable(self.model.name, "quantity", reason, "ask for its formula")
        digits = name.partition("_")[2]
        indices = [int(x) for x in (digits.split(",") if "," in digits else digits)]
        if name.startswith("k_"):
            indices = [indices[0], indices[0], indices[1], indices[1]]
        a, b, c, d = indices
        size = self.model.dimension
        place = (a * size + b, c * size + d)

        def element(order: int) -> Estimate:
            value = self._element(order, place)
            return Estimate(value.value.real, value.error) if name.startswith("k_") else value

        return NumberSeries(name, element)

    def _element(self, order: int, place: tuple[int, int]) -> Estimate:
        term = self._term(order)
        name = element_name(place, self.model.dimension)
        if place in term.divergent:
            raise Divergent(term.divergent[place], order, name)
        if place in term.not_derived:
            reason = term.not_derived[place]
            raise NotYetDerivable(self.model.name, name, reason, "ask for another order")
        factor = self.model.units.rate_to_printed(1.0)
        return Estimate(factor * complex(term.matrix[place]), factor * float(term.error[place]))

    def _rate(self, name: str, order: int) -> Estimate:
        constant = name == _CONSTANT
        if constant and order == 4 and self.model.common_beta is not None:
            return fourth_order_constant(self.model).estimate()
        highest = max(order + 2 if constant else order, 2)
        if highest not in self._rates:
            self._rates[highest] = bloch_rates(self.model, highest)
        found = self._rates[highest]
        if constant and found.equilibrium_constant is None:
            raise InputError(
                self.model.name,
                name,
                "there is no equilibrium",
                "let all baths be quantum baths at one temperature",
            )
        try:
            return found.contribution(name, order).estimate()
        except CannotEvaluate as fault:
            raise NotYetDerivable(
                self.model.name, name, str(fault), "ask for another order"
            ) from None

    def steady(self, method: str, order: int = 2, basis: Basis = "system") -> States:
        """The steady state of a method of `pertsym.steady`; `order` is that of mean-force.

        In a basis as of `evolve`; raises as `pertsym.steady`.
        """
        return self._shown(None, steady_estimated(self.model, method, order), basis)

    def mean_force(self, order: int = 2, basis: Basis = "system") -> States:
        """The mean-force Gibbs state to order 0, 2, 4, ..., in a basis as of `evolve`."""
        return self._shown(None, thermal_estimated(self.model, order), basis)

    def heat_current(self, bath: str) -> NumberSeries:
        """What a bath gives per unit time in the steady state, I = -d<H_B>/dt, order by order.

        `heat_current("hot")[4]` is the fourth-order contribution, an energy of the model file over
        its time.  The steady state is expanded likewise, so that the currents of all baths add up
        to zero at every order.  Raises as `pertsym.generators.heat_current.heat_currents`; an
        InputError for a bath that is not coupled.
        """
        names = [each.name for each in self.model.used_baths]
        if bath not in names:
            raise InputError(
                self.model.name,
                "heat_current",
                f"no coupling acts on a bath {bath!r}",
                f"use one of {', '.join(names)}",
            )
        factor = self.model.units.rate_to_printed(1.0)

        def current(order: int) -> Estimate:
            if order not in self._currents:
                self._currents[order] = heat_currents(self.model, order)
            found = self._currents[order][bath][order]
            return Estimate(factor * found.value, factor * found.error)

        return NumberSeries(f"heat_current_{bath}", current)

    def evolve(
        self,
        method: str,
        *,
        initial: int | ArrayLike,
        times: Sequence[float] | NDArray[np.float64],
        basis: Basis = "system",
    ) -> States:
        """States over time from a product state at t = 0.

        Parameters
        ----------
        method
            As of `pertsym.evolve`: "tcl2", "tcl4-asymptotic", "redfield", ...
        initial
            A level of the basis, or a density matrix (N, N) in it.
        times
            In the model's time unit, >= 0, ascending.
        basis
            Of the initial state and of the result: "system", in which the model was given, or
            "energy".

        Raises
        ------
        InputError
            For a level or a basis that there is not; and as `pertsym.evolve`.
        """
        _require_basis(basis)
        size = self.model.dimension
        state = state_of(self.model.name, initial, size)
        if basis == "system" and state.shape == (size, size):
            state = self.model.to_energy(state)
        grid = np.asarray(times, dtype=float)
        inside = [self.model.units.time_to_internal(float(t)) for t in grid]
        return self._shown(grid, evolve_estimated(self.model, method, state, inside), basis, method)

    def _shown(
        self,
        times: NDArray[np.float64] | None,
        found: Estimated,
        basis: Basis,
        method: str = "",
    ) -> States:
        _require_basis(basis)
        shown, expected = in_basis(self.model, found, basis)
        unit = self.model.units.time or "1/energy"
        name = self.model.name
        return States(times, shown.states, shown.errors, basis, expected, unit, name, method)

    def plot(self, kind: str = "states", **options: Any) -> Any:
        """A picture (a matplotlib Figure; pertsym[plot]), labelled in the model's units.

        Parameters
        ----------
        kind
            "states" (populations and coherences over `times`, by `methods`, from `initial`, in
            `basis`), "rates" (both orders and their sum of `quantities` against `values` of
            `over`, "temperature", "baths.NAME.temperature" or "splitting"), "bath" (J, Ĉ, C(t) and
            its nodes) or "generator" (heat maps of one `order`).
        **options
            As named, those of `pertsym.pictures`; `times` and `values` by default from the model:
            over its relaxation, around its own temperature.

        Raises
        ------
        ModuleNotFoundError
            Without matplotlib.
        InputError
            For an unknown kind, or what has no picture.
        """
        from pertsym.pictures import plot  # brings matplotlib

        return plot(self.model, kind, **options)

    def _repr_latex_(self) -> str:
        levels = r",\quad ".join(
            f"E_{{{k}}}={scientific(e)}" for k, e in enumerate(self.model.energies)
        )
        return f"$${levels}$$"

    def __repr__(self) -> str:
        levels = ", ".join(f"{e:.6g}" for e in self.model.energies)
        names = ", ".join(f"{n}" for n in (QUANTITIES if self.model.dimension == 2 else ("k_10",)))
        return (
            f"{self.model.name} with levels at {levels}; {names}, ..., R_abcd and matrix by "
            "order; steady, heat_current, evolve, mean_force"
        )


def _require_basis(basis: str) -> None:
    if basis not in ("system", "energy"):
        raise InputError("basis", "", f"{basis!r} is unknown", "use 'system' or 'energy'")
