"""The eigenbasis of a stated model: in closed form where blocks have one or two levels.

Two levels [[a, b], [b*, d]] with b = |b| e^{i phi} or real have the gap

    w = sqrt((a - d)^2 + 4 |b|^2),   c = (a - d)/w = cos(theta),   s = 2 b/w = sin(theta),

and the eigenvectors |upper> = (cos(theta/2), sin(theta/2) e^{-i phi}), |lower> = (-sin(theta/2),
cos(theta/2) e^{-i phi}); each may change its sign (see `Eigenbasis.signs`) so that, where the
values of all symbols are known, the first of its largest components is positive.  Operators
between such levels are polynomials in c, s and half angles.  Of larger blocks the energies and
the matrix elements are named, and have values where the symbols have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import sympy
from numpy.typing import NDArray

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, Operator, Strengths, level_energies
from pertsym.expansion.rule import RuleBath
from pertsym.model.bath import Bath
from pertsym.model.cross import Cross
from pertsym.model.entries import hermitian_at, is_simple, numbers_of
from pertsym.model.errors import InputError
from pertsym.model.markov import MarkovNoise
from pertsym.model.matrix import eigenbasis, in_basis
from pertsym.model.read import Place
from pertsym.model.statement import Model
from pertsym.model.units import UNITS
from pertsym.model.values import AnyBath
from pertsym.model.values import Coupling as NumericCoupling
from pertsym.model.values import Model as NumericModel

Polynomial = Mapping[Strengths, Gaussian]
"""Product of symbols -> coefficient."""


@dataclass(frozen=True)
class Definition:
    """A name that formulas use: what it stands for, and its value where it is known.

    Attributes
    ----------
    name
    expression
        In the symbols of the model; None for an element of a block without closed form.
    element
        Instead: group of couplings (see `Model.groups`), row, column and part ("", "re" or "im")
        of the matrix element in the eigenbasis, without the strength.
    value
        None where a symbol has no value.
    meaning
        A phrase, such as "cosine of the mixing angle", or a matrix element "<0|S_B|1>".
    written
        The expression as it is shown, in names that are defined before it or a mixing angle; None
        as it is.
    """

    name: str
    expression: sympy.Expr | None
    element: tuple[int, int, int, str] | None = None
    value: float | None = None
    meaning: str = ""
    written: sympy.Expr | None = None


class Block(NamedTuple):
    """Sites that the Hamiltonian connects, and the levels made of them, lower first."""

    sites: tuple[int, ...]
    levels: tuple[int, ...]


def mixing_angle(block: Block, blocks: Sequence[Block]) -> sympy.Symbol:
    """The symbol of a pair's angle: theta, of several pairs each with its sites."""
    alone = sum(len(other.sites) == 2 for other in blocks) == 1
    return sympy.Symbol("theta" if alone else "theta_{}{}".format(*block.sites))


@dataclass(frozen=True, eq=False)
class Eigenbasis:
    """Energies, operators and definitions of a model in its eigenbasis.

    Attributes
    ----------
    model
    energies
        In the model's symbols; None where there is no closed form.
    blocks
        Sites and levels that belong together; none if the model is given by its energies.
    signs
        +-1 for each level: the eigenvector's sign beside the one of the module's formulas.
    operators
        bath -> (row, column) -> polynomial in symbols and defined names.
    definitions
        Of the names that the operators hold.
    """

    model: Model
    energies: tuple[sympy.Expr | None, ...]
    blocks: tuple[Block, ...]
    signs: tuple[int, ...]
    operators: Mapping[str, Mapping[tuple[int, int], Polynomial]]
    definitions: tuple[Definition, ...]

    @property
    def dimension(self) -> int:
        """The number of levels."""
        return len(self.energies)

    @property
    def closed(self) -> bool:
        """Whether energies and elements are formulas in the model's symbols."""
        return None not in self.energies

    @cached_property
    def frequencies(self) -> tuple[sympy.Expr | None, ...]:
        """E_k - E_0 for k > 0."""
        first = self.energies[0]
        return tuple(
            None if e is None or first is None else sympy.simplify(e - first)
            for e in self.energies[1:]
        )

    @cached_property
    def interaction(self) -> Interaction:
        """What the expansion takes: operators as polynomials in symbols, generic energies."""
        pairs: dict[tuple[str, str], str] = {}
        for name, cross in self.model.pairs.items():
            pairs |= {cross.baths: name, cross.baths[::-1]: name}
        return interaction_of(self.dimension, self.operators, self.model.classical, pairs)

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The model's symbols that formulas depend on, in the order of their declaration."""
        return tuple(self.model.symbols)

    def numbers(self, values: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Frequencies E_k - E_0, and every symbol and definition, floats or arrays as given.

        Values broadcast where everything is in closed form; otherwise they are single numbers.
        """
        found: dict[str, Any] = {name: _number(x) for name, x in values.items()}
        frequencies: list[Any] = list(self.frequencies)
        named = [d for d in self.definitions if d.expression is None]
        if named or None in frequencies:
            if any(np.size(x) > 1 for x in values.values()):
                raise InputError(
                    self.model.name,
                    "values",
                    "levels without closed form take one value a symbol",
                    "ask point by point",
                )
            energies, vectors = self.numerical(values)
            for d in named:
                assert d.element is not None
                group, i, j, part = d.element
                z = self.element_matrix(group, values, vectors)[i, j]
                found[d.name] = np.asarray(z.imag if part == "im" else z.real)
            frequencies = [np.asarray(e - energies[0]) for e in energies[1:]]
        else:
            frequencies = [evaluated(x, values) for x in frequencies]
        for d in self.definitions:
            if d.expression is not None:
                found[d.name] = evaluated(d.expression, values)
        return tuple(frequencies), found

    def at(
        self,
        values: Mapping[str, Fraction],
        baths: Sequence[AnyBath],
        cross: Sequence[Cross] | None = None,
    ) -> NumericModel:
        """The model in numbers, levels and signs as here; `cross` instead of the model's own.

        Raises
        ------
        InputError
            For a symbol without value, or baths that cannot be correlated as stated.
        """
        model, place = self.model, Place(self.model.name)
        observables = tuple(
            (name, hermitian_at(rows, values, place.field("observables").field(name)))
            for name, rows in model.observables
        )
        exact = [
            hermitian_at(c.scaled, values, place.field("couplings").field("operator"))
            for c in model.couplings
        ]
        if model.hamiltonian is None:
            here = place.field("energies")
            (row,) = numbers_of((model.energies or (),), values, here)
            levels = tuple(float(z.re) for z in row)
            operators, vectors = tuple(exact), model.vectors
        else:
            levels, columns = self.numerical({k: float(x) for k, x in values.items()})
            operators = in_basis(columns, exact)
            vectors = tuple(tuple(map(complex, row)) for row in columns.tolist())
        return NumericModel(
            model.name,
            UNITS[model.units],
            levels,
            tuple(
                NumericCoupling(operator, c.bath)
                for c, operator in zip(model.couplings, operators, strict=True)
            ),
            tuple(bath for bath in baths if isinstance(bath, Bath)),
            model.cross if cross is None else tuple(cross),
            vectors=vectors,
            observables=observables,
            markov=tuple(bath for bath in baths if isinstance(bath, MarkovNoise)),
            ruled=tuple(bath for bath in baths if isinstance(bath, RuleBath)),
        )

    def numerical(
        self, values: Mapping[str, Any]
    ) -> tuple[tuple[float, ...], NDArray[np.complex128]]:
        """Energies and eigenvectors as columns, in the order and with the signs of the levels."""
        exact = {name: _fraction(x) for name, x in values.items()}
        place = Place(self.model.name, "hamiltonian")
        assert self.model.hamiltonian is not None
        rows = hermitian_at(self.model.hamiltonian, exact, place)
        size = self.dimension
        energies, columns = np.zeros(size), np.zeros((size, size), dtype=complex)
        for block in self.blocks:
            part = tuple(tuple(rows[i][j] for j in block.sites) for i in block.sites)
            if len(part) == 2:
                a, b, d = float(part[0][0].re), complex(part[0][1]), float(part[1][1].re)
                own, vectors = _two_levels(a, b, d)
            else:
                own, vectors = eigenbasis(part)
            energies[list(block.levels)] = own
            columns[np.ix_(block.sites, block.levels)] = vectors
        columns = columns * np.array(self.signs)
        return tuple(map(float, energies)), columns

    def element_matrix(
        self, group: int, values: Mapping[str, Any], vectors: NDArray[np.complex128]
    ) -> NDArray[np.complex128]:
        """V^+ S V of the operators of one group of couplings."""
        exact = {name: _fraction(x) for name, x in values.items()}
        rows = hermitian_at(self.model.groups[group][2], exact, Place(self.model.name, "operator"))
        numbers = np.array([[complex(z) for z in row] for row in rows])
        found: NDArray[np.complex128] = vectors.conj().T @ numbers @ vectors
        return found


def interaction_of(
    dimension: int,
    operators: Mapping[str, Mapping[tuple[int, int], Polynomial]],
    real: Iterable[str] = (),
    pairs: Mapping[tuple[str, str], str] = MappingProxyType({}),
) -> Interaction:
    """The interaction of operators by bath: one S_a for each product of symbols.

    `pairs` names correlation functions between different baths; others are independent.
    """
    parts: list[tuple[str, str, Operator]] = []
    for bath, elements in operators.items():
        sorted_out: dict[Strengths, dict[tuple[int, int], Gaussian]] = {}
        for place, polynomial in elements.items():
            for names, z in polynomial.items():
                if z:
                    sorted_out.setdefault(names, {})[place] = z
        for names in sorted(sorted_out):
            entries = tuple((i, j, z) for (i, j), z in sorted(sorted_out[names].items()))
            parts.append((bath, "*".join(names), entries))
    functions = {(bath, bath): bath for bath in operators} | dict(pairs)
    correlations = {
        (a, b): functions[one, other]
        for a, (one, _, _) in enumerate(parts)
        for b, (other, _, _) in enumerate(parts)
        if (one, other) in functions
    }
    strengths = tuple(strength for _, strength, _ in parts)
    return Interaction(
        level_energies(dimension),
        tuple(entries for _, _, entries in parts),
        tuple(range(len(parts))),
        correlations,
        frozenset(real),
        strengths if any(strengths) else (),
    )


def _two_levels(a: float, b: complex, d: float) -> tuple[tuple[float, ...], NDArray[np.inexact]]:
    """Energies and columns lower, upper of the module's formulas."""
    x = a - d
    phase = 1.0 + 0j
    if b.real == 0 and b.imag:
        size, phase = b.imag, -1j
    elif b.imag:
        size, phase = abs(b), b.conjugate() / abs(b)
    else:
        size = b.real
    gap = float(np.hypot(x, 2 * size))
    angle = float(np.arctan2(2 * size, x)) / 2
    u, v = np.cos(angle), np.sin(angle)
    mean = (a + d) / 2
    return (mean - gap / 2, mean + gap / 2), np.array([[-v, u], [u * phase, v * phase]])


def evaluated(expression: sympy.Expr, values: Mapping[str, Any]) -> Any:
    """An expression at numbers or arrays."""
    if expression.is_Symbol:
        return _number(values[expression.name])
    names, function = _compiled(expression)
    if not names:
        return function()
    with np.errstate(all="ignore"):
        found = function(*(np.asarray(values[name], dtype=float) for name in names))
    return np.asarray(found, dtype=float)


def _number(x: Any) -> Any:
    return x if type(x) is float else np.asarray(x, dtype=float)


@lru_cache(maxsize=256)
def _compiled(expression: sympy.Expr) -> tuple[tuple[str, ...], Callable[..., Any]]:
    """Names of the symbols of an expression, and the expression as a function of them."""
    symbols = sorted(expression.free_symbols, key=str)
    if not symbols:
        value = float(expression.evalf(25))
        return (), lambda: value
    # NumPy has no functions of integers that are longer than its own
    long = {
        x: sympy.Float(x, 17)
        for x in expression.atoms(sympy.Rational)
        if not is_simple(x, tenths=True)
    }
    function = sympy.lambdify(symbols, expression.xreplace(long), "numpy")
    return tuple(map(str, symbols)), function


def _fraction(value: Any) -> Fraction:
    from pertsym.exact import exact_rational

    return value if isinstance(value, Fraction) else exact_rational(float(value))
