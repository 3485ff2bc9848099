"""A model as it is stated: a Hamiltonian in any basis, with symbols or numbers, and its couplings.

The numerical core knows models in their eigenbasis (`pertsym.model.values.Model`); here stands what
the user wrote, from which `pertsym.model.eigenbasis` finds that basis.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType

import sympy

from pertsym.model.bath import Bath
from pertsym.model.cross import Cross, names_of
from pertsym.model.entries import (
    Entries,
    Entry,
    Rows,
    averaged,
    decimals,
    entry_of,
    hermitian_at,
    require_free_names,
    require_hermitian,
    rows_of,
    symbols_of,
    vanishes,
    with_symbols,
    written,
)
from pertsym.model.errors import InputError
from pertsym.model.read import Place, guess
from pertsym.model.symbols import (
    Declared,
    Symbols,
)
from pertsym.model.units import UNITS
from pertsym.model.values import AnyBath
from pertsym.model.values import Coupling as NumericCoupling
from pertsym.model.values import Model as NumericModel


@dataclass(frozen=True, init=False)
class Coupling:
    """strength * operator (x) B: a Hermitian operator in the basis of the model's system.

    Parameters
    ----------
    operator
        N rows of N entries: numbers, texts such as "-Delta/2" or SymPy expressions.
    bath
        Name of the bath that B belongs to.
    strength
        Multiplies the operator.

    Examples
    --------
    >>> Coupling([["1/2", 0], [0, "-1/2"]], "B")
    [1/2, 0; 0, -1/2] (x) B
    """

    operator: Rows
    bath: str
    strength: sympy.Expr

    def __init__(self, operator: Entries, bath: str, strength: Entry = 1) -> None:
        place = Place("model", "operator")
        object.__setattr__(self, "operator", rows_of(operator, place))
        object.__setattr__(self, "bath", bath)
        object.__setattr__(self, "strength", entry_of(strength, Place("model", "strength")))

    @classmethod
    def of(cls, operator: Entries, bath: str, strength: Entry = 1) -> Coupling:
        """The same as the constructor."""
        return cls(operator, bath, strength)

    def numeric(self) -> NumericCoupling:
        """The coupling as exact numbers.

        Raises
        ------
        InputError
            If an entry holds a symbol, or the operator is not Hermitian.
        """
        place = Place("model", "operator")
        return NumericCoupling(hermitian_at(self.scaled, {}, place), self.bath)

    @property
    def scaled(self) -> Rows:
        """The operator times the strength."""
        return tuple(tuple(sympy.expand(self.strength * x) for x in row) for row in self.operator)

    def __repr__(self) -> str:
        inner = written(self.operator)
        factor = "" if self.strength == 1 else f"{decimals(self.strength)} * "
        return f"{factor}[{inner}] (x) {self.bath}"

    def _repr_latex_(self) -> str:
        from pertsym.present.statement import coupling_latex

        return f"$${coupling_latex(self)}$$"


@dataclass(frozen=True, init=False)
class Model:
    """A system coupled to baths, as it is stated.

    Parameters
    ----------
    hamiltonian
        H_S, N rows of N entries (numbers, texts such as "-eps/2", SymPy expressions), Hermitian,
        in any basis.
    energies
        Instead: the levels, whose basis the operators are given in.
    couplings
        In the basis of the system.
    baths
        By name; left out, baths are only names and can be given where numbers are asked for.
    cross
        Correlations between baths; the others are independent.  In formulas baths a and b that
        are correlated have C_ab besides C_a and C_b; `Cross(("a", "b"))` needs no more.
    symbols
        name -> a number, "real" or "positive".  Other names in the entries are real symbols.
    observables
        name -> a Hermitian matrix in the basis of the system.
    vectors
        With `energies` only: column n is level n in the basis that observables and states are
        given in; None where that is the eigenbasis.
    name, units
        As in a model file.

    Raises
    ------
    InputError
        Naming the entry that is wrong.

    Examples
    --------
    >>> Model(hamiltonian=[["eps/2", "Delta/2"], ["Delta/2", "-eps/2"]],
    ...       couplings=[Coupling([["1/2", 0], [0, "-1/2"]], "B")])
    model: H_S = [eps/2, Delta/2; Delta/2, -eps/2]; H_I = [1/2, 0; 0, -1/2] (x) B
    """

    hamiltonian: Rows | None
    energies: tuple[sympy.Expr, ...] | None
    couplings: tuple[Coupling, ...]
    baths: tuple[AnyBath, ...]
    cross: tuple[Cross, ...]
    symbols: Symbols
    observables: tuple[tuple[str, Rows], ...]
    vectors: tuple[tuple[complex, ...], ...] | None
    name: str
    units: str

    def __init__(
        self,
        *,
        hamiltonian: Entries | None = None,
        energies: Sequence[Entry] | None = None,
        couplings: Iterable[Coupling | NumericCoupling | tuple[Entries, str]] = (),
        baths: Mapping[str, AnyBath] | Iterable[AnyBath] = (),
        cross: Iterable[Cross] = (),
        symbols: Mapping[str, float | Fraction | str | Declared] = MappingProxyType({}),
        observables: Mapping[str, Entries] = MappingProxyType({}),
        vectors: Sequence[Sequence[complex]] | None = None,
        name: str = "model",
        units: str = "natural",
    ) -> None:
        place = Place(name)
        if (hamiltonian is None) == (energies is None):
            raise place.field("hamiltonian").error(
                "give either a hamiltonian or energies", "give exactly one of the two"
            )
        if vectors is not None and energies is None:
            raise place.field("vectors").error(
                "follow from the hamiltonian", "leave them out, or give energies"
            )
        if units not in UNITS:
            raise place.field("units").error(f"unknown units {units!r}", guess(units, UNITS))
        key = "hamiltonian" if energies is None else "energies"
        here = place.field(key)
        h = None if hamiltonian is None else rows_of(hamiltonian, here)
        e = None
        if energies is not None:
            e = tuple(entry_of(x, here.item(k)) for k, x in enumerate(energies))
        size = len(h or e or ())
        if size < 2:
            raise here.error("gives fewer than two levels", "give every level")
        stated = tuple(
            c
            if isinstance(c, Coupling)
            else Coupling(c.operator, c.bath)
            if isinstance(c, NumericCoupling)
            else Coupling(*c)
            for c in couplings
        )
        if not stated:
            raise place.field("couplings").error(
                "there is no coupling", "give at least one Coupling"
            )
        seen = {k: rows_of(x, place.field("observables").field(k)) for k, x in observables.items()}
        everything = [*(h or ()), *([e] if e else []), *((c.strength,) for c in stated)]
        everything += [row for c in stated for row in c.operator]
        everything += [row for matrix in seen.values() for row in matrix]
        table = symbols_of((x for row in everything for x in row), symbols, place.field("symbols"))
        known = {name: s.symbol for name, s in table.items()}

        def unified(matrix: Rows) -> Rows:
            return tuple(tuple(with_symbols(x, known) for x in row) for row in matrix)

        for k, coupling in enumerate(stated):
            here = place.field("couplings").item(k)
            if len(coupling.operator) != size:
                raise here.field("operator").error(
                    f"has {len(coupling.operator)} rows, but the system has {size} levels",
                    f"give a {size} x {size} matrix",
                )
        given = tuple(
            _changed(c, unified(c.operator), with_symbols(c.strength, known)) for c in stated
        )
        named = [b.named(n) for n, b in baths.items()] if isinstance(baths, Mapping) else baths
        bound = tuple(b.within(UNITS[units]) if isinstance(b, Bath) else b for b in named)
        _require_baths(given, bound, place)
        require_free_names(table, e, [c.bath for c in given], place)
        correlated = tuple(cross)
        _require_cross(correlated, [c.bath for c in given], bound, place)
        for field_name, value in (
            ("hamiltonian", None if h is None else unified(h)),
            ("energies", None if e is None else tuple(with_symbols(x, known) for x in e)),
            ("couplings", given),
            ("baths", bound),
            ("cross", correlated),
            ("symbols", MappingProxyType(table)),
            ("observables", tuple((k, unified(x)) for k, x in seen.items())),
            ("vectors", vectors if vectors is None else tuple(map(tuple, vectors))),
            ("name", name),
            ("units", units),
        ):
            object.__setattr__(self, field_name, value)
        self._check_hermitian(place)

    @classmethod
    def of(
        cls,
        energies: Sequence[float],
        couplings: Iterable[Coupling | NumericCoupling],
        baths: Sequence[Bath],
        *,
        name: str = "model",
        units: str = "natural",
        cross: Sequence[Cross] = (),
    ) -> NumericModel:
        """A model of numbers in its eigenbasis, as the numerical functions take it."""
        return NumericModel.of(
            energies, tuple(couplings), baths, name=name, units=units, cross=cross
        )

    def _check_hermitian(self, place: Place) -> None:
        matrices: list[tuple[Rows, Place]] = [
            (c.operator, place.field("couplings").item(k).field("operator"))
            for k, c in enumerate(self.couplings)
        ]
        matrices += [(x, place.field("observables").field(n)) for n, x in self.observables]
        if self.hamiltonian is not None:
            matrices.append((self.hamiltonian, place.field("hamiltonian")))
        for rows, here in matrices:
            require_hermitian(rows, here)
        reals = [(x, place.field("energies").item(k)) for k, x in enumerate(self.energies or ())]
        reals += [
            (c.strength, place.field("couplings").item(k).field("strength"))
            for k, c in enumerate(self.couplings)
        ]
        for x, here in reals:
            if not vanishes(x - sympy.conjugate(x)):
                raise here.error(f"{x} is not real", "give a real number or formula")

    @property
    def dimension(self) -> int:
        """The number of levels N."""
        return len(self.hamiltonian or self.energies or ())

    @property
    def values(self) -> dict[str, Fraction]:
        """The symbols that have a value."""
        return {name: s.value for name, s in self.symbols.items() if s.value is not None}

    def numeric(self) -> NumericModel:
        """The model in its eigenbasis, at its own values and with its own baths.

        Raises
        ------
        InputError
            Naming a symbol without value or a bath that is only a name.
        """
        from pertsym.model.diagonalisation import eigenbasis_of  # which stands on this module

        known = {bath.name for bath in self.baths}
        for kind, names, have in (
            ("symbols", self.symbols, self.values.keys()),
            ("baths", self.bath_names, known),
        ):
            if missing := [name for name in names if name not in have]:
                raise InputError(
                    self.name,
                    f"{kind}.{missing[0]}",
                    "has no value" if kind == "symbols" else "is only a name",
                    "state it in the model, or give it to pertsym.derive(model).at(...)",
                )
        return eigenbasis_of(self).at(self.values, self.baths)

    @property
    def bath_names(self) -> tuple[str, ...]:
        """Of the couplings, in their order."""
        return tuple(dict.fromkeys(coupling.bath for coupling in self.couplings))

    @property
    def classical(self) -> tuple[str, ...]:
        """The correlation functions that are known to be real."""
        gaussian = (b for b in self.baths if isinstance(b, Bath))
        own = [b.name for b in gaussian if b.statistics == "classical"]
        return (*own, *(name for name, c in self.pairs.items() if set(c.baths) <= set(own)))

    @cached_property
    def pairs(self) -> dict[str, Cross]:
        """The correlations between baths of the couplings, by the names that formulas use.

        Raises
        ------
        InputError
            If such a name is that of something else.
        """
        used = self.bath_names
        coupled = [cross for cross in self.cross if set(cross.baths) <= set(used)]
        return names_of(coupled, {*used, *self.symbols})

    @cached_property
    def groups(self) -> tuple[tuple[str, sympy.Expr, Rows], ...]:
        """(bath, strength, sum of the operators of this bath that come with this strength)."""
        found: dict[tuple[str, sympy.Expr], Rows] = {}
        for c in self.couplings:
            key = c.bath, c.strength
            zero = tuple((sympy.Integer(0),) * self.dimension for _ in c.operator)
            found[key] = tuple(
                tuple(x + y for x, y in zip(*rows, strict=True))
                for rows in zip(found.get(key, zero), c.operator, strict=True)
            )
        return tuple((*key, averaged(rows)) for key, rows in found.items())

    def __repr__(self) -> str:
        if self.hamiltonian is not None:
            system = f"H_S = [{written(self.hamiltonian)}]"
        else:
            system = f"levels {written((self.energies or (),))}"
        pairs = "".join(f"; correlated: {', '.join(c.baths)}" for c in self.cross)
        return f"{self.name}: {system}; H_I = {' + '.join(map(repr, self.couplings))}{pairs}"

    def _repr_latex_(self) -> str:
        from pertsym.present.statement import hamiltonian_latex, interaction_latex

        return rf"$${hamiltonian_latex(self)}\qquad {interaction_latex(self)}$$"


def _changed(coupling: Coupling, operator: Rows, strength: sympy.Expr) -> Coupling:
    """The coupling with other entries, which are expressions already."""
    found = object.__new__(Coupling)
    for name, value in (("operator", operator), ("bath", coupling.bath), ("strength", strength)):
        object.__setattr__(found, name, value)
    return found


def _require_baths(couplings: Sequence[Coupling], baths: Sequence[AnyBath], place: Place) -> None:
    names = [bath.name for bath in baths]
    if not names:
        return
    for k, coupling in enumerate(couplings):
        if coupling.bath not in names:
            raise (
                place.field("couplings")
                .item(k)
                .field("bath")
                .error(f"there is no bath {coupling.bath!r}", guess(coupling.bath, names))
            )


def _require_cross(
    crosses: Sequence[Cross],
    coupled: Sequence[str],
    baths: Sequence[AnyBath],
    place: Place,
) -> None:
    """What can be said before all numbers are known: with baths their parameters, else names."""
    known = {bath.name: bath for bath in baths if isinstance(bath, Bath)}
    for k, cross in enumerate(crosses):
        here = place.field("cross").item(k)
        if baths and not cross.is_open:
            cross.check(known, here.key)
        for n, name in enumerate(cross.baths if not baths or cross.is_open else ()):
            if name not in coupled:
                raise (
                    here.field("baths")
                    .item(n)
                    .error(f"there is no bath {name!r}", guess(name, coupled))
                )
        if any(set(cross.baths) == set(other.baths) for other in crosses[:k]):
            raise here.field("baths").error(
                f"{' and '.join(cross.baths)} have a correlation already", "state it once"
            )
