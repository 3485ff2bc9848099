"""Axes of a sweep: what can be swept in a model, values as they are written, one model of many."""

from __future__ import annotations

import copy
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

import numpy as np
from numpy.typing import ArrayLike

from pertsym.baths.densities import Exponentials
from pertsym.exact import exact_rational
from pertsym.model.bath import Bath
from pertsym.model.errors import InputError
from pertsym.model.file import model_of, parsed_document
from pertsym.model.read import Place, guess
from pertsym.model.values import Coupling, Model

LONGEST: Final = 1_000_000
"""Values of one axis."""

_PART: Final = re.compile(r'"([^"]*)"|([^."]+)')
_DENSITY: Final = "spectral_density"
_FORMS: Final = "write PATH=START:STOP:COUNT, PATH=START:STOP:COUNT:log or PATH=VALUE,VALUE,..."


class Temperature(NamedTuple):
    """The temperature (or beta) of some baths."""

    baths: tuple[str, ...]
    inverse: bool = False


class Parameter(NamedTuple):
    """A number in the spectral density of a bath."""

    bath: str
    name: str


class Energy(NamedTuple):
    """The energy of a level."""

    level: int


class Strength(NamedTuple):
    """The number that multiplies a coupling's operator."""

    coupling: int


class SymbolValue(NamedTuple):
    """The value of a symbol of the model file."""

    name: str


Target = Temperature | Parameter | Energy | Strength | SymbolValue


@dataclass(frozen=True)
class Axis:
    """One axis of a sweep.

    Attributes
    ----------
    path
        Dotted key of what is swept, as in the model file, e.g. "baths.b.lam"; the axis' name.
    values
        In the units of the model file.
    target
        What the path means in the model.
    unit
        Of the values.
    """

    path: str
    values: tuple[float, ...]
    target: Target
    unit: str


@dataclass(frozen=True)
class Subject:
    """The model that is swept.

    Attributes
    ----------
    model
        With strength 1 of the couplings whose strength is swept.
    text
        The model file, or a text that tells models built in Python apart.
    axes
    document
        The parsed model file, where symbols are swept.
    values
        Of symbols that are not swept.
    """

    model: Model
    text: str
    axes: tuple[Axis, ...]
    document: Mapping[str, Any] | None = None
    values: Mapping[str, Fraction] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def fixed(self) -> Model:
        """The model with the values of all axes that have only one."""
        model = self.model
        for axis in self.axes:
            if len(axis.values) == 1:
                model = with_value(model, axis.target, axis.values[0])
        return model

    def at(self, index: Sequence[int]) -> Model:
        """The model at one point of the grid."""
        chosen = [(axis.target, axis.values[i]) for axis, i in zip(self.axes, index, strict=True)]
        model = self.model
        symbols = {t.name: exact_rational(x) for t, x in chosen if isinstance(t, SymbolValue)}
        if symbols:  # first: they make the system that the other axes change
            assert self.document is not None
            given = {**self.values, **symbols}
            found = model_of(dict(self.document), Place(model.name), given)
            model = replace(found, name=model.name)
        for target, value in chosen:
            if not isinstance(target, SymbolValue):
                model = with_value(model, target, value)
        return model

    def with_value(self, value: float) -> Model:
        """The model of a subject of one axis with a value that need not be on it."""
        return replace(self, axes=(replace(self.axes[0], values=(value,)),)).at((0,))

    @property
    def over_symbols(self) -> bool:
        """Whether an axis is a symbol, so that every point has a system of its own."""
        return any(isinstance(axis.target, SymbolValue) for axis in self.axes)


def read_subject(
    model: Model | str | os.PathLike[str],
    over: Mapping[str, str | ArrayLike],
    values: Mapping[str, Fraction] = MappingProxyType({}),
) -> Subject:
    """Model and axes, checked together.

    Parameters
    ----------
    model
        A model, or the path of a model file.
    over
        Path -> values: "START:STOP:COUNT", the same with ":log", "VALUE,VALUE,...", or numbers.
    values
        Of symbols of a model file.

    Raises
    ------
    InputError
        Naming the file and the axis: an unknown path, values that the model cannot take, what is
        swept twice, no axis at all.
    """
    source = model.name if isinstance(model, Model) else os.fspath(model)
    place = Place(source)
    if not over:
        raise place.field("over").error("there is no axis", _FORMS)
    paths = [_canonical(written, Place(source, f"over {written}")) for written in over]
    listed = [_values(given, Place(source, f"over {written}")) for written, given in over.items()]
    document: Mapping[str, Any] | None = None
    symbols: dict[str, Target] = {}
    start: dict[str, Any] = {}
    if isinstance(model, Model):
        base, text = model, model.definition
    else:
        document = parsed_document(Path(model), place)
        declared = document.get("symbols")
        if isinstance(declared, dict):
            symbols = {f"symbols.{name}": SymbolValue(name) for name in declared}
        first = {p: exact_rational(x[0]) for p, x in zip(paths, listed, strict=True)}
        start = {t.name: first[p] for p, t in symbols.items() if p in first}  # type: ignore[union-attr]
        base, text, document = _read(Path(model), document, place, paths, {**values, **start})
        text += "".join(f"\n{name} = {value}" for name, value in sorted(values.items()))
    known = targets(base) | symbols
    axes: list[Axis] = []
    for written, numbers, path in zip(over, listed, paths, strict=True):
        here = Place(source, f"over {written}")
        if path not in known:
            short = [name for name in known if name.endswith(f".{path}")]
            advice = f"did you mean {short[0]!r}?" if len(short) == 1 else guess(path, known)
            raise here.error("there is no such number in the model", advice)
        axis = Axis(path, numbers, known[path], _unit(base, known[path]))
        for other in axes:
            if _meet(axis.target, other.target):
                raise here.error(f"is swept by {other.path!r} already", "keep one of the two")
        axes.append(axis)
        tried = Subject(base, "", (axis,), document, {**values, **start})
        _require_valid(axis, tried.with_value, here)
    return Subject(base, text, tuple(axes), document, dict(values))


def read_options(over: Iterable[str], source: str) -> dict[str, str]:
    """The texts PATH=VALUES of a command as a mapping.

    Raises
    ------
    InputError
        For a text without "=", or one path twice.
    """
    result: dict[str, str] = {}
    for text in over:
        path, equals, values = text.rpartition("=")
        place = Place(source, f"over {path or text}")
        if not equals or not path.strip():
            raise place.error("is no axis", _FORMS)
        if path.strip() in result:
            raise place.error("is given twice", "keep one of the two")
        result[path.strip()] = values
    return result


def targets(model: Model) -> dict[str, Target]:
    """Everything that can be swept: path -> what it means, in the order of the model file."""
    thermal = tuple(bath.name for bath in model.baths if bath.beta is not None)
    known: dict[str, Target] = {}
    if thermal:
        known["temperature"] = Temperature(thermal)
    for level in range(model.dimension):
        known[f"system.energies.{level}"] = Energy(level)
    for index in range(len(model.couplings)):
        known[f"couplings.{index}.strength"] = Strength(index)
    for bath in model.baths:
        key = Place("", "baths").field(bath.name).key
        if bath.beta is not None:
            known[f"{key}.temperature"] = Temperature((bath.name,))
            known[f"{key}.beta"] = Temperature((bath.name,), inverse=True)
        for name in _numbers(bath):
            known[f"{key}.{name}"] = Parameter(bath.name, name)
    return known


def density_of(bath: Bath) -> Any:
    """The density as it stands in a model file: of spins their own."""
    return bath.density.spins if bath.is_spin else bath.density  # type: ignore[union-attr]


def with_density(bath: Bath, **parameters: Any) -> Any:
    """The bath's own density with other parameters (ValueError if they are out of range)."""
    return density_of(bath).with_values(parameters)


def beta_of(model: Model, target: Temperature, value: float) -> float:
    """The inverse temperature that a value on the axis stands for."""
    return value if target.inverse else model.units.inverse_temperature(value)


def _read(
    path: Path,
    document: dict[str, Any],
    place: Place,
    paths: Sequence[str],
    values: Mapping[str, Fraction],
) -> tuple[Model, str, dict[str, Any]]:
    """Model, text and content of a file; strengths that are swept are 1."""
    model = model_of(document, place, values)
    chosen = [targets(model).get(written) for written in paths]
    swept = [target.coupling for target in chosen if isinstance(target, Strength)]
    if any(isinstance(target, Energy) for target in chosen) and (
        "energies" not in document["system"]
    ):
        raise (
            place.field("system")
            .field("energies")
            .error("cannot be swept where the file gives a hamiltonian", "give energies")
        )
    if swept:
        document = copy.deepcopy(document)
        for index in swept:
            document["couplings"][index]["strength"] = 1
        model = model_of(document, place, values)
    return model, path.read_text(encoding="utf-8"), document


def _numbers(bath: Bath) -> tuple[str, ...]:
    """The parameters of a density that are single numbers."""
    if isinstance(bath.density, Exponentials):
        return ()
    return tuple(n for n, value in density_of(bath).values.items() if np.ndim(value) == 0)


def _canonical(written: str, place: Place) -> str:
    """The path as `targets` spells it."""
    text = written.strip()
    parts: list[str] = []
    position = 0
    while found := _PART.match(text, position):
        parts.append(found[1] if found[1] is not None else found[2])
        position = found.end()
        if position == len(text):
            break
        if text[position] != ".":
            position = -1
            break
        position += 1
    if position != len(text) or not parts:
        raise place.error("is no path", 'write for example temperature or baths."my bath".lam')
    if len(parts) > 3 and parts[0] == "baths" and parts[2] == _DENSITY:
        del parts[2]
    if len(parts) > 1 and parts[0] == "baths":
        return ".".join((Place("", "baths").field(parts[1]).key, *parts[2:]))
    return ".".join(parts)


def _values(given: str | ArrayLike, place: Place) -> tuple[float, ...]:
    if isinstance(given, str):
        return _range(given, place) if ":" in given else _list(given, place)
    try:
        numbers = np.atleast_1d(np.asarray(given, dtype=float))
    except (TypeError, ValueError):
        raise place.error("must be real numbers", "give a list of numbers") from None
    if numbers.ndim != 1:
        raise place.error(f"has {numbers.ndim} dimensions", "give a list of numbers")
    return _checked([float(x) for x in numbers], place)


def _list(text: str, place: Place) -> tuple[float, ...]:
    if not text.strip():
        raise place.error("has no values", _FORMS)
    return _checked([_number(part, place) for part in text.split(",")], place)


def _range(text: str, place: Place) -> tuple[float, ...]:
    parts = text.split(":")
    logarithmic = len(parts) == 4 and parts[3].strip() == "log"
    if len(parts) != 3 and not logarithmic:
        raise place.error(f"{text!r} is no range", _FORMS)
    start, stop = (_number(part, place) for part in parts[:2])
    try:
        count = int(parts[2])
    except ValueError:
        raise place.error(f"the count {parts[2]!r} is no integer", _FORMS) from None
    if count > LONGEST:
        raise place.error(f"has {count} values", f"ask for {LONGEST} at most")
    if count < 1 or (count == 1 and start != stop):
        raise place.error(
            f"{count} values from {start:g} to {stop:g} are no range, both ends belong to it",
            "ask for two or more",
        )
    if not (math.isfinite(start) and math.isfinite(stop)):
        raise place.error(f"{text!r} has an end that is not finite", "give finite numbers")
    if logarithmic and not (start > 0 and stop > 0):
        raise place.error(f"{text!r} spaces logarithms of numbers <= 0", "start above 0")
    if not math.isfinite(stop - start):
        raise place.error(f"{text!r} is too wide", "bring the ends closer together")
    spaced = np.geomspace if logarithmic else np.linspace
    return _checked([float(x) for x in spaced(start, stop, count)], place)


def _number(text: str, place: Place) -> float:
    try:
        return float(text)
    except ValueError:
        raise place.error(f"{text.strip()!r} is no number", _FORMS) from None


def _checked(values: list[float], place: Place) -> tuple[float, ...]:
    if not values:
        raise place.error("has no values", _FORMS)
    if len(values) > LONGEST:
        raise place.error(f"has {len(values)} values", f"give {LONGEST} at most")
    for value in values:
        if not math.isfinite(value):
            raise place.error(f"{value!r} is not finite", "give finite numbers")
    if len(set(values)) < len(values):
        seen: set[float] = set()
        twice = next(x for x in values if x in seen or seen.add(x))  # type: ignore[func-returns-value]
        raise place.error(f"has the value {twice:g} twice", "give every value once")
    return tuple(values)


def _meet(one: Target, other: Target) -> bool:
    """Whether two targets set the same number."""
    if isinstance(one, Temperature) and isinstance(other, Temperature):
        return not set(one.baths).isdisjoint(other.baths)
    return one == other


def _require_valid(axis: Axis, build: Callable[[float], Model], place: Place) -> None:
    """Name a value that is wrong by itself before anything is computed.

    What is allowed is an interval of each number, so that the ends of the values tell.
    """
    for value in (min(axis.values), max(axis.values)):
        try:
            build(value)
        except InputError as error:
            raise place.error(f"{value:g}: {error.problem}", error.remedy) from None
        except ValueError as error:
            problem, _, remedy = str(error).partition(": ")[2].rpartition("; ")
            raise place.error(problem or str(error), remedy or "correct it") from None


def with_value(model: Model, target: Target, value: float) -> Model:
    """The model with another number, in the units of the model file."""
    match target:
        case SymbolValue():
            raise ValueError(f"target: {target.name!r} needs the model file; see Subject.at")
        case Energy(level):
            energies = list(model.energies)
            energies[level] = value
            return replace(model, energies=tuple(energies))
        case Strength(index):
            couplings = list(model.couplings)
            operator, bath = couplings[index].operator, couplings[index].bath
            couplings[index] = Coupling.of(operator, bath, value)
            return replace(model, couplings=tuple(couplings))
        case Parameter(name, parameter):
            chosen = (
                _rebuilt(bath, cast(float, bath.beta), with_density(bath, **{parameter: value}))
                if bath.name == name
                else bath
                for bath in model.baths
            )
            return replace(model, baths=tuple(chosen))
        case Temperature(names):
            return replace(
                model,
                baths=tuple(
                    _rebuilt(bath, _beta(model, target, value), density_of(bath))
                    if bath.name in names
                    else bath
                    for bath in model.baths
                ),
            )


def _rebuilt(bath: Bath, beta: float, density: Any) -> Bath:
    if bath.is_spin:
        return Bath.spin(bath.name, beta, density)
    return replace(bath, beta=beta, density=density)


def _beta(model: Model, target: Temperature, value: float) -> float:
    if value < 0 or (target.inverse and value == 0):
        raise InputError(
            "model",
            "beta" if target.inverse else "temperature",
            "beta must be positive" if target.inverse else "a temperature must not be negative",
            "write temperature = 0 for absolute zero" if target.inverse else "give T >= 0",
        )
    return beta_of(model, target, value)


def _unit(model: Model, target: Target) -> str:
    """The unit of an axis from the model's table of units; "1" where there is none."""
    units = model.units
    match target:
        case Temperature(inverse=True):
            return units.beta or "1/energy"
        case Temperature():
            return units.temperature or "energy"
        case Energy():
            return units.energy or "energy"
        case Strength():
            return "1"
        case SymbolValue():
            return "as in the model file"
        case Parameter(name, parameter):
            power = density_of(model.bath(name)).dimension(parameter)
            energy = units.energy or "energy"
            return "1" if power == 0 else energy if power == 1 else f"({energy})^{power:g}"
