"""Numerical functions of formulas: a model's symbols and baths in, values with bounds out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from inspect import Parameter, Signature
from typing import Any, NoReturn, Protocol

import numpy as np
import sympy

from pertsym.baths.checks import OTHER_UNIT, OUT_OF_RANGE, in_range
from pertsym.baths.correlation import Correlation
from pertsym.baths.densities import BathDensity, Exponentials
from pertsym.baths.tabulated import UNIT
from pertsym.codegen.bath_arguments import BathArguments, density_of
from pertsym.codegen.runtime import reals
from pertsym.estimate import Estimate
from pertsym.exact import LARGEST, SMALLEST, exact_rational
from pertsym.expansion.interaction import Interaction
from pertsym.language.dictionary import Dictionary
from pertsym.model.bath import Bath, Statistics
from pertsym.model.cross import Cross, with_values
from pertsym.model.eigenbasis import Eigenbasis
from pertsym.model.errors import InputError
from pertsym.model.statement import Model
from pertsym.model.units import UNITS, Units
from pertsym.model.values import AnyBath
from pertsym.numerics.form_function import function_of
from pertsym.numerics.requests import has_sums
from pertsym.numerics.single_point import single_of
from pertsym.reduction.elements import symbols_of
from pertsym.reduction.spectral import SpectralForm, Thermal

_NUMBER = (int, float)


class Parameters(Protocol):
    """What numerical functions take, and how it gives frequencies and matrix elements."""

    @property
    def positional(self) -> tuple[str, ...]:
        """Names that may be given by position."""

    @property
    def keywords(self) -> tuple[str, ...]:
        """Further names."""

    @property
    def defaults(self) -> Mapping[str, float]:
        """Values of those that need not be given."""

    @property
    def dictionary(self) -> Dictionary:
        """What the names of formulas stand for."""

    @property
    def pairs(self) -> Mapping[str, Cross]:
        """The correlation functions of two baths among those of formulas."""

    @property
    def units(self) -> Units:
        """What the numbers mean."""

    def needed(self, elements: Sequence[str]) -> set[str]:
        """The names behind the frequencies and these matrix elements."""

    def numbers(self, values: Mapping[str, Any]) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """Transition frequencies E_k - E_0, and values of the matrix elements."""


@dataclass(frozen=True)
class GenericParameters:
    """Transition frequencies and matrix elements as they stand in the formulas."""

    interaction: Interaction

    @property
    def positional(self) -> tuple[str, ...]:
        return frequency_names(self.interaction.dimension)

    @property
    def keywords(self) -> tuple[str, ...]:
        return self.interaction.symbols

    @property
    def defaults(self) -> Mapping[str, float]:
        return {}

    @property
    def dictionary(self) -> Dictionary:
        return Dictionary.of(self.interaction)

    @property
    def pairs(self) -> Mapping[str, Cross]:
        return {}

    @property
    def units(self) -> Units:
        return UNITS["natural"]

    def needed(self, elements: Sequence[str]) -> set[str]:
        return {*self.positional, *elements}

    def numbers(self, values: Mapping[str, Any]) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        return tuple(values[name] for name in self.positional), values


@dataclass(frozen=True)
class ModelParameters:
    """The symbols of a model as arguments of numerical functions."""

    basis: Eigenbasis

    @property
    def positional(self) -> tuple[str, ...]:
        energies = self.basis.model.energies or ()
        return tuple(e.name for e in energies if e.is_Symbol)

    @property
    def keywords(self) -> tuple[str, ...]:
        return tuple(name for name in self.basis.model.symbols if name not in self.positional)

    @property
    def defaults(self) -> Mapping[str, float]:
        return {name: float(x) for name, x in self.basis.model.values.items()}

    @cached_property
    def dictionary(self) -> Dictionary:
        from pertsym.language.model_names import dictionary_of

        return dictionary_of(self.basis)

    @property
    def pairs(self) -> Mapping[str, Cross]:
        return self.basis.model.pairs

    @property
    def units(self) -> Units:
        return UNITS[self.basis.model.units]

    def needed(self, elements: Sequence[str]) -> set[str]:
        basis = self.basis
        if any(d.expression is None for d in basis.definitions) or None in basis.frequencies:
            return set(basis.model.symbols)
        behind = {d.name: d.expression for d in basis.definitions}
        found: set[str] = set()
        for name in elements:
            expression = behind.get(name)
            found |= {name} if expression is None else {str(s) for s in expression.free_symbols}
        for frequency in basis.frequencies:
            found |= {str(s) for s in sympy.sympify(frequency).free_symbols}
        return found

    def numbers(self, values: Mapping[str, Any]) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        return self.basis.numbers(values)


def model_arguments(
    model: Model, values: Mapping[str, Any]
) -> tuple[dict[str, Fraction], list[AnyBath], Sequence[Cross]]:
    """Numbers, baths, correlations from the keywords of `Derived.at`, which says what is raised."""
    taken = {*model.bath_names, *model.symbols}
    values, cross = with_values(model.cross, model.pairs, taken, values)
    given = {n: x for n, x in values.items() if isinstance(x, AnyBath)}
    symbols = {n: x for n, x in values.items() if n not in given}
    known = {bath.name: bath for bath in model.baths}
    numbers = dict(model.values)
    unknown = [n for n in symbols if n not in model.symbols]
    unknown += [n for n in given if n not in model.bath_names]
    for name, x in symbols.items():
        if name in unknown:
            continue
        try:
            numbers[name] = x if isinstance(x, Fraction) else exact_rational(float(x))
        except (TypeError, ValueError):
            shown = f"{x!r} is not a finite number"
            raise InputError(model.name, name, shown, "give one; functions take arrays") from None
        if name in model.symbols and model.symbols[name].positive and not numbers[name] > 0:
            raise InputError(model.name, name, f"{x} is not positive", "correct it")
    missing = [n for n in model.symbols if n not in numbers]
    missing += [n for n in model.bath_names if n not in given and n not in known]
    for name in (n for n in symbols if n in model.bath_names):
        problem, advice = f"{symbols[name]!r} is no bath", "give Bath(density, temperature=...)"
        raise InputError(model.name, name, problem, advice)
    if missing or unknown:
        what = [f"a value for {n}" if n in model.symbols else f"a Bath for {n}" for n in missing]
        raise TypeError(
            "at(): "
            + "; ".join(
                filter(
                    None,
                    (
                        f"give {', '.join(what)}" if what else "",
                        f"unknown: {', '.join(unknown)}" if unknown else "",
                    ),
                )
            )
        )
    baths = [
        given[n].named(n) if n in given else known[n]
        for n in dict.fromkeys((*known, *model.bath_names))
    ]
    return numbers, baths, cross


def numerical_function(
    form: SpectralForm,
    interaction: Interaction,
    statistics: Statistics,
    baths: Mapping[str, Any],
    parameters: Parameters | None = None,
    *,
    is_rate: bool,
) -> Callable[..., Estimate]:
    """f(parameters, beta) -> Estimate(value, error) of a form; see `Result.function`.

    `is_rate` says that its value is a power of energy, printed as rates of the model's units are.
    """
    given = parameters or GenericParameters(interaction)
    units = given.units
    factor = units.rate_to_printed(1.0) if is_rate else 1.0
    baths = {n: x.within(units) if isinstance(x, Bath) else x for n, x in baths.items()}
    names = tuple(dict.fromkeys(interaction.correlations.values()))
    joint = BathArguments.of(form, names, given.pairs, baths)
    form, given_baths, own = joint.form, joint.baths, joint.temperatures
    needed = given.needed([name for name in symbols_of(form) if name not in joint.ratios])
    signature = _signature(given, needed, own)
    names = frequency_names(interaction.dimension)
    function = function_of(form)
    balanced = any(isinstance(atom, Thermal) for m, _ in form for atom in m.atoms)
    densities = [density_of(x) for x in given_baths.values()]
    plain = len(names) == 1 and all(has_sums(x) and _is_one(x) for x in densities)

    def evaluated(*args: Any, **kwargs: Any) -> Estimate:
        unknown = kwargs.keys() - signature.parameters.keys()
        if unknown:
            _refuse(sorted(unknown), signature, units)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        values = {
            name: x
            for name, x in bound.arguments.items()
            if x is not None or signature.parameters[name].default is Parameter.empty
        }
        for name, x in values.items():
            if not isinstance(x, _NUMBER):
                reals(name, x)  # refuses what is no number; x itself may be exact, or a list
        beta = values.pop("beta", None)
        betas = joint.betas(beta, {k: values.pop(k, None) for k in own})
        frequencies, elements = given.numbers(values)
        frequencies = tuple(map(_plain, frequencies))
        elements = {name: _plain(x) for name, x in (*elements.items(), *joint.ratios.items())}
        common = _common(betas) if balanced else None
        numbers = (*frequencies, *elements.values())
        if len(names) == 1 and not _is_positive(frequencies[0]):
            raise ValueError(f"w0: the level splitting must be positive, got {frequencies[0]}")
        _require_sizes(dict(zip(names, frequencies, strict=True)), betas, elements)
        if plain and all(isinstance(x, _NUMBER) for x in numbers):
            (w0,) = frequencies
            scalar = all(b is None or isinstance(b, _NUMBER) for b in (common, *betas.values()))
            if 0 < w0 < math.inf and scalar:
                singles = {
                    name: None
                    if density is None
                    else single_of(*_settled(name, density, statistics, betas[name]))
                    for name, density in given_baths.items()
                }
                found = function.single(float(w0), singles, common, elements)
                if found is not None:
                    return _printed(Estimate(*found), factor)
        if len(names) > 1:
            _require_off_resonance(form, names, frequencies)
        correlations = {
            name: None
            if density is None
            else Correlation(*_settled(name, density, statistics, betas[name]))
            for name, density in given_baths.items()
        }
        return _printed(function(frequencies, correlations, common, elements).estimate(), factor)

    evaluated.__signature__ = signature  # type: ignore[attr-defined]
    value_unit = f"in {units.rate or 'that of the energies'}" if is_rate else "a number"
    evaluated.__doc__ = (
        "Estimate(value, error) of the formula; all arguments broadcast.\n\n"
        f"Energies are in {units.energy or 'one unit'}, beta = 1/(k_B T) in "
        f"{units.beta or 'its inverse'}, the value is {value_unit}."
    )
    return evaluated


def _printed(found: Estimate, factor: float) -> Estimate:
    """An estimate times a factor other than 1, both of which are rounded."""
    if factor == 1:
        return found
    value = factor * found.value
    return Estimate(value, factor * found.error + 4 * UNIT * abs(value))


def _refuse(unknown: Sequence[str], signature: Signature, units: Units) -> NoReturn:
    """Say (TypeError) what a function takes; of a temperature, that it takes beta."""
    for name in unknown:
        head, _, bath = name.partition("_")
        if head in ("temperature", "T"):
            own = f"beta_{bath}" if bath else "beta"
            raise TypeError(
                f"{name}: the function takes inverse temperatures; give {own} = 1/(k_B T) in "
                f"{units.beta or '1/energy'}, or a Bath with a temperature to function(...)"
            )
    raise TypeError(f"{unknown[0]} is no parameter; there are {', '.join(signature.parameters)}")


def _common(betas: Mapping[str, Any]) -> Any:
    """The one inverse temperature that Boltzmann factors of a form need."""
    values = [beta for beta in betas.values() if beta is not None]
    if any(not np.array_equal(values[0], beta) for beta in values[1:]):
        raise TypeError(
            "beta: the formula holds for baths at one temperature; give the same to all"
        )
    return values[0] if values else None


def _require_sizes(
    frequencies: Mapping[str, Any], betas: Mapping[str, Any], elements: Mapping[str, Any]
) -> None:
    """Refuse numbers that model files may not hold either: their powers overflow.

    Raises
    ------
    ValueError
        Naming the argument.
    """
    for name, x in (*frequencies.items(), *elements.items()):
        _require_size(name, x)
    for beta in betas.values():
        if beta is not None:
            plain = isinstance(beta, _NUMBER) or np.ndim(beta) == 0
            _require_size("beta", beta if plain else np.where(_is_cold(beta), 0, beta))


def _require_size(name: str, x: Any) -> None:
    if isinstance(x, _NUMBER):
        if x == 0 or SMALLEST <= abs(x) <= LARGEST or (x == math.inf and name == "beta"):
            return
    elif in_range(x):
        return
    raise ValueError(f"{name}: must be {OUT_OF_RANGE}, got {x!r}; {OTHER_UNIT}")


def _is_positive(x: Any) -> bool:
    return bool(x > 0) if isinstance(x, _NUMBER) else bool(np.all(np.asarray(x) > 0))


def _is_one(density: BathDensity | None) -> bool:
    """Whether the parameters of J are numbers, not arrays."""
    if density is None or isinstance(density, Exponentials):
        return True
    return not any(map(np.ndim, density.values.values()))


def _is_cold(beta: Any) -> Any:
    return np.isposinf(np.asarray(beta, dtype=float))


def _require_off_resonance(
    form: SpectralForm, names: Sequence[str], frequencies: Sequence[Any]
) -> None:
    """Refuse frequencies at which a denominator of the formula is zero.

    Raises
    ------
    ValueError
        Naming the denominator; its limit is what numbers for the energies give.
    """
    for denominator in sorted(
        {factor for monomial, _ in form for factor, _ in monomial.denominators}
    ):
        parts = [(n, name, w) for n, name, w in zip(denominator, names, frequencies, strict=True)]
        total = sum(n * np.asarray(w, dtype=float) for n, _, w in parts if n)
        if not np.all(total):
            shown = " ".join(f"{n:+d}*{name}" for n, name, _ in parts if n)
            raise ValueError(
                f"{', '.join(names)}: the formula divides by {shown}, which is zero here; ask "
                "`.at(energies, ...)` of the generator, which takes the limit"
            )


def frequency_names(dimension: int) -> tuple[str, ...]:
    """Arguments of numerical functions: w0 for two levels, w1, w2, ... for more."""
    return ("w0",) if dimension == 2 else tuple(f"w{k}" for k in range(1, dimension))


def _signature(given: Parameters, needed: set[str], own: Iterable[str]) -> Signature:
    either, keyword = Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY

    def parameter(name: str, kind: Any) -> Parameter:
        default = given.defaults.get(name, Parameter.empty if name in needed else None)
        return Parameter(name, kind, default=default)

    return Signature(
        [
            *(parameter(name, either) for name in given.positional),
            Parameter("beta", either, default=None),
            *(parameter(name, keyword) for name in given.keywords),
            *(Parameter(name, keyword, default=None) for name in own),
        ]
    )


def _plain(x: Any) -> Any:
    """A number as a float, arrays as they are."""
    if type(x) is float:
        return x
    return float(x) if np.ndim(x) == 0 else x


def _settled(
    name: str, given: BathDensity | Bath, statistics: Statistics, beta: Any
) -> tuple[BathDensity, Statistics, Any]:
    """Density, statistics and inverse temperature of a bath."""
    density = given.density if isinstance(given, Bath) else given
    if isinstance(given, Bath):
        statistics = given.statistics
    if isinstance(density, Exponentials):
        return density, "boson", None
    if beta is None:
        raise TypeError(f"beta: bath {name!r} has a spectral density and needs a temperature")
    return density, statistics, _plain(beta)
