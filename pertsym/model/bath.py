"""A Gaussian bath as a value: its spectral density, statistics and temperature."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Any, Literal, get_args

from pertsym.baths.checks import OTHER_UNIT, OUT_OF_RANGE, in_range
from pertsym.baths.densities import (
    BathDensity,
    Density,
    Exponentials,
    ExpressionDensity,
    SpinSurrogate,
)
from pertsym.exact import SMALLEST
from pertsym.model.errors import model_error
from pertsym.model.units import Units

Statistics = Literal["boson", "classical"]


def require_in_range(value: float, key: str) -> None:
    """InputError for a number with which nothing can be computed in double precision."""
    if not in_range(value, SMALLEST):
        raise model_error(key, f"must be {OUT_OF_RANGE}, got {value:.3g}", OTHER_UNIT)


def require_coupled(coupled: Sequence[str], known: Sequence[str]) -> None:
    """InputError unless there are couplings and each is to a known bath."""
    if not coupled:
        raise model_error("couplings", "there is no coupling", "couple the system to a bath")
    for index, bath in enumerate(coupled):
        if bath not in known:
            raise model_error(
                f"couplings[{index}].bath",
                f"there is no bath {bath!r}",
                f"add it, or use one of: {', '.join(known) or '(none)'}",
            )


def formula_of(text: str) -> Any:
    """The formula of a spectral density in w, as a SymPy expression.

    Raises
    ------
    ValueError
        If it cannot be read, or what it does as w -> 0 and w -> oo cannot be decided.
    """
    # only here: it brings SymPy, which models without formulas do not need
    from pertsym.expressions.expression import parse_expression

    expression = parse_expression(text)
    expression.infrared_power, expression.ultraviolet_power  # noqa: B018 - may be refused
    return expression


def density_from(value: Any) -> BathDensity:
    """A spectral density as it is, or of a formula: a text or a SymPy expression in w.

    Raises
    ------
    InputError
        If the formula is no spectral density.
    """
    if isinstance(value, BathDensity):
        return value
    try:
        return ExpressionDensity(formula_of(str(value)))
    except ValueError as fault:
        problem, _, remedy = str(fault).rpartition("; ")
        raise model_error("spectral_density", problem or str(fault), remedy) from None


def _require_number(value: object, key: str) -> None:
    if not isinstance(value, Real) or isinstance(value, bool):
        raise model_error(
            key,
            f"must be a number, got {value!r}",
            "write it without a unit: the `units` of the model say what it means",
        )


@dataclass(frozen=True, init=False)
class Bath:
    """A Gaussian bath: Bath(density, temperature=1.0), or Bath(name, statistics, beta, density).

    A temperature is in the unit of the model that the bath is given to: kelvin where its `units`
    are "atomic" or "wavenumber", as in a model file.  Until then, and with "natural" units, it is
    the energy k_B T.

    `name_or_density` stands first and is either.  The density may be a formula,
    ``Bath("0.1*w*exp(-w)", temperature=1.0)``.  Where a model names its baths (a mapping, or
    keywords of ``at``), no name is needed here.

    Conventions: C(t) = <B(t) B(0)>, Ĉ(w) = int dt e^{iwt} C(t); Ĉ(w > 0) = 2 J(w) [n(w) + 1] for
    bosons and 2 T J(|w|)/|w| for a classical bath.

    Attributes
    ----------
    name : str
    statistics : {"boson", "classical"}
    beta : float or None
        1/(k_B T) in inverse energy units, inf at T = 0 (`temperature` gives its inverse); None
        where C(t) is given as exponentials.
    density : spectral density of `pertsym.baths.densities`
        J in energy units, or `Exponentials`.

    Raises
    ------
    InputError
        If `beta` is not a positive number, missing, superfluous, or infinite for a classical
        bath.
    """

    name: str
    statistics: Statistics
    beta: float | None
    density: BathDensity
    _temperature: float | None = field(init=False, repr=False, compare=False, default=None)

    def __init__(
        self,
        name_or_density: Any = None,
        /,
        statistics: Statistics = "boson",
        beta: float | None = None,
        density: BathDensity | None = None,
        *,
        name: str = "",
        temperature: float | None = None,
    ) -> None:
        if isinstance(name_or_density, str) and density is not None:
            name = name_or_density
        elif name_or_density is not None:
            density = density_from(name_or_density)
        if density is None:
            raise model_error("density", "is missing", "give a spectral density, or Exponentials")
        if temperature is not None:
            if beta is not None:
                raise model_error(
                    "temperature", "is given together with beta", "give one of the two"
                )
            _require_number(temperature, "temperature")
            if not temperature >= 0:
                raise model_error(
                    "temperature", f"must not be negative, got {temperature!r}", "give T >= 0"
                )
            beta = 1 / temperature if temperature else math.inf
        elif beta is not None:
            _require_number(beta, "beta")
        for key, value in (
            ("name", name),
            ("statistics", statistics),
            ("beta", beta),
            ("density", density),
            ("_temperature", temperature),
        ):
            object.__setattr__(self, key, value)
        self._check()

    @classmethod
    def spin(cls, name: str, beta: float, density: Density) -> Bath:
        """Many spins with the density J(w), as the oscillators with their correlation function.

        C(t) = (1/pi) int_0^inf dw J(w) [cos wt - i tanh(beta w/2) sin wt]; the spins' own fourth
        cumulant is left out.
        """
        return cls(name, "boson", beta, SpinSurrogate(density, beta))

    @property
    def is_spin(self) -> bool:
        """Whether its oscillators stand for spins."""
        return not isinstance(self.density, Exponentials) and self.density.spins is not None

    def named(self, name: str) -> Bath:
        """The same bath under a name."""
        found = replace(self, name=name)
        object.__setattr__(found, "_temperature", self._temperature)
        return found

    def within(self, units: Units) -> Bath:
        """The bath in a model of these units, which say what its `temperature` means."""
        if self._temperature is None:
            return self
        return replace(self, beta=units.inverse_temperature(self._temperature))

    def plot(self) -> Any:
        """J, Ĉ, C(t) and its nodes, as a matplotlib Figure (pertsym[plot])."""
        from pertsym.pictures import draw_bath  # brings matplotlib

        return draw_bath(self)

    def _repr_latex_(self) -> str:
        """Density, statistics and temperature."""
        from pertsym.present.statement import bath_latex

        return f"$${bath_latex(self)}$$"

    def _check(self) -> None:
        if self.statistics not in get_args(Statistics):
            raise model_error(
                "statistics",
                f"unknown statistics {self.statistics!r}",
                f"use one of {', '.join(get_args(Statistics))}, or Bath.spin(name, beta, density)",
            )
        given = isinstance(self.density, Exponentials)
        if given != (self.beta is None):
            raise model_error(
                "beta",
                "exponentials are taken as given and have no temperature"
                if given
                else "a bath with a spectral density needs a temperature",
                "set beta = None" if given else "give beta, inf for T = 0",
            )
        if self.beta is None:
            return
        if not self.beta > 0 or not 1 / self.beta < math.inf:
            raise model_error(
                "beta", f"must be positive, got {self.beta!r}", "write beta = 1/(k_B T)"
            )
        if self.beta < math.inf:
            require_in_range(self.beta, "beta")
        if self.statistics == "classical" and math.isinf(self.beta):
            raise model_error(
                "temperature",
                "a classical bath does not exist at T = 0, where it has no fluctuations",
                'give a temperature > 0, or use statistics = "boson"',
            )
