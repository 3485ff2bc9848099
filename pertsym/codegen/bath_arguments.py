"""The baths that a numerical function of a formula is given: names, correlated pairs, temperatures.

A correlation function C_ab of two baths is given as a number, the fraction in
J_ab = fraction * sqrt(J_a J_b), or as the density J_ab itself.  Where it is a fraction, the formula
is rewritten with Ĉ_ab = r Ĉ_a, r = fraction * sqrt(amplitude of J_b / amplitude of J_a).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pertsym.baths.densities import BathDensity, Exponentials
from pertsym.baths.densities.density import Density
from pertsym.exact import Gaussian
from pertsym.model.bath import Bath, density_from
from pertsym.model.cross import Cross, independent, require_positive_fractions, spellings
from pertsym.model.errors import InputError
from pertsym.reduction.elements import symbols_of
from pertsym.reduction.spectral import (
    Atom,
    MatrixElement,
    Monomial,
    SpectralForm,
    SpectralIntegral,
    Value,
)


@dataclass(frozen=True)
class BathArguments:
    """What is given, by names that are identifiers.

    Attributes
    ----------
    form
        In these names.
    baths
        A density, a `Bath`, or None for what is left out.
    ratios
        Symbols of `form` besides its own: Ĉ_ab/Ĉ_a of pairs that are given by a fraction.
    temperatures
        Keyword -> name, for each of several baths of the system.
    pairs
        Name of a pair -> its baths, which have one temperature.
    """

    form: SpectralForm
    baths: Mapping[str, BathDensity | Bath | None]
    ratios: Mapping[str, Any]
    temperatures: Mapping[str, str]
    pairs: Mapping[str, tuple[str, str]]

    @classmethod
    def of(
        cls,
        form: SpectralForm,
        known: Iterable[str],
        pairs: Mapping[str, Cross],
        given: Mapping[str, Any],
    ) -> BathArguments:
        """Of a form of a system with correlation functions `known`, those of `pairs` among them.

        Raises
        ------
        TypeError
            If a correlation function of the formula is not given, or one is not of this system.
        InputError
            For pairs whose matrix of densities is not positive semidefinite; of densities with
            arrays as parameters that is not looked at.
        """
        names = tuple(dict.fromkeys(known))
        single = [name for name in names if name not in pairs]
        ways = spellings(pairs, single)
        values = {ways.get(name, name): x for name, x in given.items()}
        unknown = sorted(values.keys() - {*names, *pairs})
        if unknown:
            raise TypeError(f"function() got {', '.join(unknown)}, which this system does not have")
        needed = {a.name for a in form.values}
        needed |= {name for a in form.integrals for name in (a.name, a.other)}
        baths = {n: _density(values[n]) for n in single if n in values}
        ratios: dict[str, tuple[str, Any]] = {}
        stated: list[Cross] = []
        for name, cross in pairs.items():
            value = values.get(name, cross.density if cross.fraction is None else cross.fraction)
            ends = [baths.get(end, ()) for end in cross.baths]
            if None in ends or (value is None and name in values):
                baths[name] = None
            elif value is None:
                continue  # it is missing if the form has it
            elif isinstance(value, int | float | np.ndarray | np.generic):
                stated.append(Cross(cross.baths, value))  # type: ignore[arg-type]
                if name in needed:
                    needed = (needed - {name}) | set(cross.baths)
                    if () not in ends:
                        ratios[name] = cross.baths[0], value * _ratio(cross.baths, ends)
            else:
                baths[name] = _of_pair(name, _density(value), ends[0])
                stated.append(Cross(cross.baths, density=density_of(baths[name])))  # type: ignore[arg-type]
        missing = sorted(needed - baths.keys())
        if missing:
            raise TypeError(
                f"function() needs a spectral density for {', '.join(missing)}; write "
                f"{missing[0].replace(',', '_')}=... (None leaves that bath out"
                + (", a number is a fraction)" if missing[0] in pairs else ")")
            )
        _require_positive(stated, baths)
        plain: dict[str, str] = {}
        for name in names:
            safe = re.sub(r"\W", "_", name)
            plain[name] = (
                safe if safe not in (*names, *plain.values()) or safe == name else f"{safe}_"
            )
        own = symbols_of(form)
        symbols = {name: f"ratio_{plain[name]}" for name in ratios}
        symbols |= {name: f"{symbol}_" for name, symbol in symbols.items() if symbol in own}
        sources = {name: (plain[a], symbols[name]) for name, (a, _) in ratios.items()}
        changed = sources or any(n != x for n, x in plain.items())
        return cls(
            _renamed(form, plain, sources) if changed else form,
            {plain[name]: x for name, x in baths.items() if name in plain},
            {symbols[name]: x for name, (_, x) in ratios.items()},
            {f"beta_{plain[n]}": plain[n] for n in single} if len(names) > 1 else {},
            {plain[n]: (plain[c.baths[0]], plain[c.baths[1]]) for n, c in pairs.items()},
        )

    def betas(self, common: Any, own: Mapping[str, Any]) -> dict[str, Any]:
        """Inverse temperatures by bath, None where none is given; `own` by keyword.

        Raises
        ------
        TypeError
            For a list as the common one of several baths, which could mean one for each, for a
            common one that no bath takes, or for two temperatures of correlated baths.
        """
        if isinstance(common, list | tuple) and len(self.temperatures) > 1:
            raise TypeError(
                "beta: a list could mean one temperature a bath; write "
                f"{', '.join(f'{name}=...' for name in self.temperatures)}, or numpy.array(...) to "
                "scan one"
            )
        given = {name: own[keyword] for keyword, name in self.temperatures.items()}
        known = [n for n, x in self.baths.items() if isinstance(x, Bath) and x.beta]
        others = [n for n in self.baths if n not in known and given.get(n) is None]
        if common is not None and known and not others:
            raise TypeError(
                f"beta: each bath has a temperature already ({', '.join(known)}); leave beta out, "
                "or give a spectral density in place of a Bath"
            )

        def of(name: str) -> Any:
            bath = self.baths.get(name)
            beta = given.get(name)
            if beta is None and isinstance(bath, Bath):
                beta = bath.beta
            return common if beta is None else beta

        found = {name: of(name) for name in self.baths}
        for name, (a, b) in self.pairs.items():
            if self.baths.get(a, ()) is None or self.baths.get(b, ()) is None:
                continue
            if not np.array_equal(of(a), of(b)):
                raise TypeError(
                    f"beta: {a} and {b} are correlated, and correlated baths have one temperature"
                )
            if name in found:
                found[name] = of(a)
        return found


def _density(given: Any) -> BathDensity | Bath | None:
    return density_from(given) if given is not None and not isinstance(given, Bath) else given


def density_of(given: BathDensity | Bath | None) -> BathDensity | None:
    """The spectral density of what is given for a bath."""
    return given.density if isinstance(given, Bath) else given


def _of_pair(name: str, given: BathDensity | Bath | None, partner: Any) -> BathDensity | Bath:
    """J_ab with the statistics and the temperature of its baths."""
    density = density_of(given)
    assert density is not None
    if isinstance(partner, Bath) and not isinstance(density, Exponentials):
        return replace(partner, name=name, density=density) if partner.beta else density
    return density


def _ratio(names: tuple[str, str], baths: Iterable[Any]) -> Any:
    """sqrt(J_b/J_a) of two densities that differ by a factor."""
    a, b = map(density_of, baths)
    if not isinstance(a, Density) or not isinstance(b, Density):
        raise TypeError(
            f"function() needs J_{names[0]}{names[1]} as exponentials where the baths are given so"
        )
    (x, shape), (y, other) = a.split(), b.split()
    if not _same(shape, other):
        raise InputError(
            "model",
            "cross.fraction",
            f"the densities of {names[0]!r} and {names[1]!r} differ in more than a factor",
            "give J_ab as a spectral density",
        )
    with np.errstate(all="ignore"):
        found = np.where(np.equal(x, 0), 0.0, np.sqrt(np.divide(y, x)))
    return float(found) if found.ndim == 0 else found


def _same(a: Density, b: Density) -> bool:
    """Whether two densities are equal, arrays among their parameters entry by entry."""
    if type(a) is not type(b):
        return False
    one, other = a.values, b.values
    return one.keys() == other.keys() and (
        all(np.array_equal(one[n], other[n]) for n in one)
        if any(np.ndim(x) for x in (*one.values(), *other.values()))
        else a == b
    )


def _require_positive(stated: list[Cross], baths: Mapping[str, BathDensity | Bath | None]) -> None:
    """Refuse an indefinite matrix of densities; see `BathArguments.of`."""
    if all(c.density is None for c in stated):
        if stated:
            require_positive_fractions({c.baths: c.fraction for c in stated})
        return
    ends = {name: density_of(baths.get(name)) for c in stated for name in c.baths}
    densities = [*ends.values(), *(c.density for c in stated if c.density is not None)]
    fractions = [c.fraction for c in stated if c.fraction is not None]
    scalar = not any(map(np.ndim, fractions)) and all(
        isinstance(x, Density) and not any(map(np.ndim, x.values.values())) for x in densities
    )
    if scalar:  # J is positive where Ĉ is, at any temperature
        one = ((Gaussian(1),),)
        members = [(Bath(n, "boson", 1.0, x), one) for n, x in ends.items() if x is not None]
        independent(members, stated)


def _renamed(
    form: SpectralForm, names: Mapping[str, str], ratios: Mapping[str, tuple[str, str]]
) -> SpectralForm:
    """The form with other names, and r Ĉ_a for each Ĉ_ab of `ratios`."""
    terms = []
    for m, z in form:
        atoms: list[Atom] = []

        def source(name: str, atoms: list[Atom] = atoms) -> str:
            found, *symbol = ratios.get(name, (names[name],))
            atoms.extend(MatrixElement("S", x) for x in symbol)
            return found

        for atom in m.atoms:
            if isinstance(atom, SpectralIntegral):
                atom = atom._replace(name=source(atom.name), other=source(atom.other))
            elif isinstance(atom, Value):
                atom = atom._replace(name=source(atom.name))
            atoms.append(atom)
        terms.append((Monomial(m.pi_power, m.denominators, tuple(atoms)), z))
    return SpectralForm.collect(terms)
