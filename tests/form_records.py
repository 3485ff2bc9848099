"""Spectral forms read back from their records: what `form_record` writes says everything."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.present.records import FORMAT, VERSION
from pertsym.reduction.spectral import (
    Atom,
    MatrixElement,
    Monomial,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
)

_ATOMS: Final[Mapping[str, tuple[Any, str, tuple[str, ...]]]] = {
    "element": (MatrixElement, "an element", ("S",)),
    "integral": (SpectralIntegral, "an integral", ("CC", "CP")),
    "thermal": (Thermal, "a thermal factor", ("T",)),
    "value": (Value, "a value", ("C", "P")),
}
"""Type of an atom -> its class, what it is called, and its kinds."""
_NAMES: Final = ("kind", "name", "other")
_FREQUENCIES: Final = ("frequency", "exponent", "shift", "pole")


def form_from_record(record: Mapping[str, Any]) -> SpectralForm:
    """The spectral form that `form_record` wrote.

    Raises
    ------
    ValueError
        For another format or version, or a record that lacks or misspells something; the
        message names the place.
    """
    found = (record.get("format"), record.get("version"))
    if found != (FORMAT, VERSION):
        raise ValueError(
            f"not a record of {FORMAT!r} version {VERSION}: found format {found[0]!r}, "
            f"version {found[1]!r}; write it again with this version"
        )
    terms: list[tuple[Monomial, Gaussian]] = []
    for k, item in enumerate(record.get("terms", ())):
        try:
            re, im = item["coefficient"]
            monomial = Monomial(
                int(item["pi_power"]),
                tuple((_frequency(form), int(power)) for form, power in item["denominators"]),
                tuple(_read_atom(atom) for atom in item["atoms"]),
            )
            terms.append((monomial, Gaussian(Fraction(re), Fraction(im))))
        except KeyError as error:
            raise ValueError(f"terms[{k}]: key {error.args[0]!r} is missing") from None
        except (TypeError, ValueError) as error:
            raise ValueError(f"terms[{k}]: {error}") from None
    return SpectralForm.collect(terms)


def _read_atom(data: Mapping[str, Any]) -> Atom:
    _one_of("type of an atom", data["type"], tuple(_ATOMS))
    made, called, kinds = _ATOMS[data["type"]]
    _one_of(f"kind of {called}", data["kind"], kinds)
    if made is SpectralIntegral:
        _one_of("reflect", data["reflect"], (-1, 1))
    read = dict.fromkeys(_FREQUENCIES, _frequency) | dict.fromkeys(_NAMES, str)
    atom: Atom = made(*(read.get(name, int)(data[name]) for name in made._fields))
    return atom


def _one_of(what: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{what} is {value!r}; it must be one of {', '.join(map(repr, allowed))}")


def _frequency(data: list[int]) -> Frequency:
    return tuple(int(x) for x in data)
