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

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
import sympy
from numpy.typing import NDArray

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, Operator, Strengths, level_energies
from pertsym.model.budget import bounded_work
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.matrix import eigenbasis, in_basis
from pertsym.model.read import Place
from pertsym.model.statement import LARGEST_SIMPLE, Model, Rows, hermitian_at, numbers_of
from pertsym.model.units import UNITS
from pertsym.model.values import Bath
from pertsym.model.values import Coupling as NumericCoupling
from pertsym.model.values import Model as NumericModel

_SAME: Final = 1e-12  # relative; named elements this close have one name, smaller ones are absent
_WORK: Final = 20_000_000

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
        A phrase, such as "cosine of the mixing angle".
    """

    name: str
    expression: sympy.Expr | None
    element: tuple[int, int, int, str] | None = None
    value: float | None = None
    meaning: str = ""


class Block(NamedTuple):
    """Sites that the Hamiltonian connects, and the levels made of them, lower first."""

    sites: tuple[int, ...]
    levels: tuple[int, ...]


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
        operators: list[Operator] = []
        strengths: list[str] = []
        baths: list[str] = []
        for bath, elements in self.operators.items():
            parts: dict[Strengths, dict[tuple[int, int], Gaussian]] = {}
            for place, polynomial in elements.items():
                for names, value in polynomial.items():
                    parts.setdefault(names, {})[place] = value
            for names in sorted(parts):
                operators.append(tuple((i, j, z) for (i, j), z in sorted(parts[names].items())))
                strengths.append("*".join(names))
                baths.append(bath)
        pairs = {
            (a, b): bath
            for a, bath in enumerate(baths)
            for b, other in enumerate(baths)
            if bath == other
        }
        return Interaction(
            level_energies(self.dimension),
            tuple(operators),
            tuple(range(len(operators))),
            pairs,
            frozenset(self.model.classical),
            tuple(strengths) if any(strengths) else (),
        )

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The model's symbols that formulas depend on, in the order of their declaration."""
        return tuple(self.model.symbols)

    def numbers(
        self, values: Mapping[str, Any]
    ) -> tuple[tuple[NDArray[np.float64], ...], dict[str, NDArray[np.float64]]]:
        """Frequencies E_k - E_0, and every symbol and definition, at values of the symbols.

        Values broadcast where everything is in closed form; otherwise they are single numbers.
        """
        found: dict[str, Any] = {name: np.asarray(x, dtype=float) for name, x in values.items()}
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
            frequencies = [_evaluated(x, values) for x in frequencies]
        for d in self.definitions:
            if d.expression is not None:
                found[d.name] = _evaluated(d.expression, values)
        return tuple(frequencies), found

    def at(self, values: Mapping[str, Fraction], baths: Sequence[Bath]) -> NumericModel:
        """The model in numbers, levels and signs as here.

        Raises
        ------
        InputError
            For a symbol without value.
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
            operators, vectors = tuple(exact), None
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
            tuple(baths),
            vectors,
            observables,
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


def eigenbasis_of(model: Model) -> Eigenbasis:
    """Find the eigenbasis of a stated model.

    Raises
    ------
    InputError
        For an entry that is not known to be real where it must be.
    NotYetDerivable
        If two levels of a block are degenerate whatever the symbols.
    """
    try:
        with bounded_work("the eigenbasis takes too much work", _WORK):
            return _Finder(model).found()
    except ValueError as fault:
        if isinstance(fault, InputError):
            raise
        raise NotYetDerivable(
            model.name, "hamiltonian", str(fault).partition(";")[0], "name its entries by symbols"
        ) from None


@dataclass
class _Angles:
    """A block of two in closed form; the sympy symbols stand for names used in operators."""

    x: sympy.Expr  # a - d
    b: sympy.Expr  # signed or absolute
    gap: sympy.Expr
    c: sympy.Expr
    s: sympy.Expr
    phase: tuple[sympy.Expr, sympy.Expr]  # cos(phi), sin(phi)


@dataclass
class _Finder:
    model: Model
    _definitions: dict[str, Definition] = field(default_factory=dict)
    _atoms: dict[sympy.Expr, str] = field(default_factory=dict)

    def found(self) -> Eigenbasis:
        model = self.model
        if model.hamiltonian is None:
            assert model.energies is not None
            levels = range(model.dimension)
            elements = [
                (bath, {(i, j): strength * self._tidy(rows[i][j]) for i in levels for j in levels})
                for bath, strength, rows in self._groups
            ]
            return self._basis(model.energies, (), (1,) * model.dimension, elements)
        h = sympy.Matrix(model.hamiltonian)
        sites = _connected(h)
        angles: dict[tuple[int, ...], _Angles] = {
            block: self._angles(h, *block) for block in sites if len(block) == 2
        }
        energies: dict[tuple[int, int], sympy.Expr | None] = {}
        for k, block in enumerate(sites):
            if len(block) == 1:
                energies[k, 0] = h[block[0], block[0]]
            elif len(block) == 2:
                mean = (h[block[0], block[0]] + h[block[1], block[1]]) / 2
                energies[k, 0] = mean - angles[block].gap / 2
                energies[k, 1] = mean + angles[block].gap / 2
            else:
                energies |= {(k, n): None for n in range(len(block))}
        order = self._order(energies, sites, h)
        level = {place: n for n, place in enumerate(order)}
        blocks = tuple(
            Block(block, tuple(level[k, n] for n in range(len(block))))
            for k, block in enumerate(sites)
        )
        signs = [1] * len(order)
        for pair in blocks:
            if len(pair.sites) == 2:
                for n, sign in zip(pair.levels, self._signs(angles[pair.sites]), strict=True):
                    signs[n] = sign
        columns = self._columns(blocks, angles, signs)
        elements = []
        for number, (bath, strength, rows) in enumerate(self._groups):
            found: dict[tuple[int, int], sympy.Expr] = {}
            pairs = [
                (one, other)
                for one in blocks
                for other in blocks
                if any(rows[i][j] != 0 for i in one.sites for j in other.sites)
            ]
            large = [pair for pair in pairs if max(len(block.sites) for block in pair) > 2]
            tidy = sympy.Matrix([[self._tidy(x) for x in row] for row in rows])
            for one, other in pairs:
                if (one, other) in large:
                    continue
                if one is other and len(one.sites) == 2:
                    found |= self._within(tidy, one, angles[one.sites], signs)
                    continue
                for m, n in itertools.product(one.levels, other.levels):
                    found[m, n] = sum(
                        sympy.conjugate(columns[i, m]) * tidy[i, j] * columns[j, n]
                        for i, j in itertools.product(one.sites, other.sites)
                    )
            if large:
                found |= self._numbered(number, h, blocks, tuple(signs), large)
            elements.append((bath, {place: strength * x for place, x in found.items()}))
        listed = tuple(energies[place] for place in order)
        return self._basis(listed, blocks, tuple(signs), elements)

    @cached_property
    def _groups(self) -> tuple[tuple[str, sympy.Expr, Rows], ...]:
        return tuple((bath, self._tidy(g), rows) for bath, g, rows in self.model.groups)

    def _numbered(
        self,
        group: int,
        h: sympy.Matrix,
        blocks: tuple[Block, ...],
        signs: tuple[int, ...],
        pairs: Sequence[tuple[Block, Block]],
    ) -> dict[tuple[int, int], sympy.Expr]:
        """Elements by name; equal values share one, what vanishes is absent."""
        model = self.model
        bath, _, rows = model.groups[group]
        needed = h.free_symbols.union(*(x.free_symbols for row in rows for x in row))
        matrix: NDArray[np.complex128] | None = None
        if model.values.keys() >= {str(s) for s in needed}:
            basis = Eigenbasis(model, (None,) * model.dimension, blocks, signs, {}, ())
            at = {name: float(x) for name, x in model.values.items()}
            matrix = basis.element_matrix(group, at, basis.numerical(at)[1])
        real = not h.has(sympy.I) and not any(x.has(sympy.I) for row in rows for x in row)
        several = "" if len(model.groups) == 1 else f"_{bath}_"
        seen: dict[float, sympy.Symbol] = {}

        def part(m: int, n: int, which: str) -> sympy.Expr:
            value = None
            if matrix is not None:
                value = float(matrix[m, n].imag if which == "im" else matrix[m, n].real)
                tolerance = _SAME * float(np.abs(matrix).max())
                if abs(value) <= tolerance:
                    return sympy.Integer(0)
                for other, symbol in seen.items():
                    if abs(abs(value) - abs(other)) <= tolerance:
                        return symbol if value * other > 0 else -symbol
            letter = {"": "S", "re": "x", "im": "y"}[which]
            levels = f"{m}{n}" if model.dimension <= 10 else f"{m}_{n}"
            name = self._free(f"{letter}{several}{levels}")
            what = {"": "", "re": "real part of ", "im": "imaginary part of "}[which]
            self._definitions[name] = Definition(
                name, None, (group, m, n, which), value, f"{what}<{m}|S|{n}>, bath {bath}"
            )
            symbol = sympy.Symbol(name, real=True)
            if value is not None:
                seen[value] = symbol
            return symbol

        found: dict[tuple[int, int], sympy.Expr] = {}
        for m, n in sorted({p for a, b in pairs for p in itertools.product(a.levels, b.levels)}):
            if m <= n:
                x = part(m, n, "" if real or m == n else "re")
                found[m, n] = x if real or m == n else x + sympy.I * part(m, n, "im")
                found[n, m] = sympy.conjugate(found[m, n])
        return found

    def _tidy(self, entry: sympy.Expr) -> sympy.Expr:
        total = sympy.Integer(0)
        for term in sympy.Add.make_args(sympy.expand(entry)):
            number, rest = term.as_coeff_Mul(rational=True)
            if not _is_simple(number):
                sign = sympy.sign(number)
                number = sign * self._named("a1", sign * number, "number")
            total += number * rest
        return total

    def _basis(
        self,
        energies: Sequence[sympy.Expr | None],
        blocks: tuple[Block, ...],
        signs: tuple[int, ...],
        elements: Iterable[tuple[str, Mapping[tuple[int, int], sympy.Expr]]],
    ) -> Eigenbasis:
        sums: dict[str, dict[tuple[int, int], sympy.Expr]] = {}
        for bath, some in elements:
            total = sums.setdefault(bath, {})
            for place, x in some.items():
                total[place] = total.get(place, 0) + x
        operators: dict[str, dict[tuple[int, int], Polynomial]] = {}
        for bath, total in sums.items():
            found = {place: self._polynomial(x, bath, place) for place, x in total.items()}
            operators[bath] = {place: x for place, x in found.items() if x}
        used = {
            name
            for found in operators.values()
            for polynomial in found.values()
            for names in polynomial
            for name in names
        }
        if len(energies) == 2 and None not in energies and _equal(*energies):
            raise self._degenerate()
        definitions = tuple(d for name, d in self._definitions.items() if name in used)
        return Eigenbasis(self.model, tuple(energies), blocks, signs, operators, definitions)

    def _angles(self, h: sympy.Matrix, i: int, j: int) -> _Angles:
        x = sympy.expand(h[i, i] - h[j, j])
        re, im = (sympy.simplify(part) for part in h[i, j].as_real_imag())
        phase = sympy.Integer(1), sympy.Integer(0)
        if im == 0:
            b = re
        elif re == 0:
            b, phase = im, (sympy.Integer(0), sympy.Integer(1))
        else:
            b = sympy.sqrt(sympy.simplify(re**2 + im**2))
            phase = sympy.simplify(re / b), sympy.simplify(im / b)
        gap = sympy.sqrt(sympy.factor(sympy.expand(x**2 + 4 * b**2)))
        if gap == 0:
            raise self._degenerate()
        c, s = sympy.simplify(x / gap), sympy.simplify(2 * b / gap)
        return _Angles(x, b, gap, c, s, phase)

    def _degenerate(self) -> NotYetDerivable:
        return NotYetDerivable(
            self.model.name,
            "system",
            "its two levels are degenerate, where no closed form divides by their distance",
            "lift the degeneracy, or ask for numbers",
        )

    def _order(
        self,
        energies: Mapping[tuple[int, int], sympy.Expr | None],
        sites: Sequence[tuple[int, ...]],
        h: sympy.Matrix,
    ) -> list[tuple[int, int]]:
        """Levels by energy where all are known, else block by block."""
        places = list(energies)
        values = self.model.values
        if values.keys() >= {str(s) for s in h.free_symbols}:
            rows = hermitian_at(self.model.hamiltonian or (), values, Place(self.model.name))
            size: dict[tuple[int, int], float] = {}
            for k, block in enumerate(sites):
                part = tuple(tuple(rows[i][j] for j in block) for i in block)
                size |= {(k, n): e for n, e in enumerate(eigenbasis(part)[0])}
            return sorted(places, key=lambda place: (size[place], place))
        if len(sites) == len(places) == 2:
            first, second = (energies[place] for place in places)
            if first is not None and second is not None and (first - second).is_positive:
                places.reverse()
        return places

    def _signs(self, angles: _Angles) -> tuple[int, int]:
        """Which eigenvectors change sign: the first of the largest components is positive."""
        if angles.phase[1] != 0:
            return 1, 1  # complex: as in the formulas
        x, s = (self._sign(z) for z in (angles.x, angles.b))
        first_is_largest = x <= 0 if s else x < 0
        # lower = (-sin, cos), upper = (cos, sin) of half the angle, cos >= 0
        lower = -1 if first_is_largest and s > 0 else 1
        upper = -1 if x < 0 and s < 0 else 1
        return lower, upper

    def _sign(self, z: sympy.Expr) -> int:
        """The sign where it is known, else that of positive symbols."""
        values = self.model.values
        if values.keys() >= {str(s) for s in z.free_symbols}:
            number = z.xreplace({s: _rational(values[str(s)]) for s in z.free_symbols})
            return int(sympy.sign(number))
        if z.is_negative:
            return -1
        return 0 if z == 0 else 1

    def _named(self, base: str, expression: sympy.Expr, meaning: str) -> sympy.Expr:
        """A symbol that stands for the expression; the expression itself where it is simple."""
        if not expression.free_symbols and expression.is_Rational and _is_simple(expression):
            return expression
        if expression not in self._atoms:
            name = self._free(base)
            self._atoms[expression] = name
            self._definitions[name] = Definition(
                name, expression, None, self._value(expression), meaning
            )
        return sympy.Symbol(self._atoms[expression], real=True)

    def _free(self, base: str) -> str:
        taken = {*self.model.symbols, *self._definitions}
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base.rstrip('0123456789')}{number}"
        return name

    def _value(self, expression: sympy.Expr) -> float | None:
        values = self.model.values
        if any(str(s) not in values for s in expression.free_symbols):
            return None
        return float(_evaluated(expression, {k: float(x) for k, x in values.items()}))

    def _phase(self, angles: _Angles) -> sympy.Expr:
        """e^{-i phi}."""
        cos = self._named("f", angles.phase[0], "cosine of the phase of the coupling of two sites")
        sin = self._named("h", angles.phase[1], "sine of the phase of the coupling of two sites")
        return cos - sympy.I * sin

    def _within(
        self, matrix: sympy.Matrix, block: Block, angles: _Angles, signs: Sequence[int]
    ) -> dict[tuple[int, int], sympy.Expr]:
        i, j = block.sites
        lower, upper = block.levels
        c = self._named("c", angles.c, "cosine of the mixing angle")
        s = self._named("s", angles.s, "sine of the mixing angle")
        p, r, q = matrix[i, i], matrix[j, j], matrix[i, j] * self._phase(angles)
        re, im = sympy.expand(q).as_real_imag()
        diagonal = (p - r) * c / 2 + s * re
        off = signs[lower] * signs[upper] * ((r - p) * s / 2 + re * c + sympy.I * im)
        return {
            (lower, lower): (p + r) / 2 - diagonal,
            (upper, upper): (p + r) / 2 + diagonal,
            (upper, lower): off,
            (lower, upper): sympy.conjugate(off),
        }

    def _columns(
        self, blocks: Sequence[Block], angles: Mapping[tuple[int, ...], _Angles], signs: list[int]
    ) -> _Columns:
        def of(block: Block, site: int, level: int) -> sympy.Expr:
            if len(block.sites) == 1:
                return sympy.Integer(1)
            found = angles[block.sites]
            half = sympy.atan2(2 * found.b, found.x) / 2
            u = self._named("u", sympy.cos(half), "cosine of half the mixing angle")
            v = self._named("v", sympy.sin(half), "sine of half the mixing angle")
            phase = self._phase(found) if site == block.sites[1] else sympy.Integer(1)
            upper, second = level == block.levels[1], site == block.sites[1]
            part = (v if second else u) if upper else (u if second else -v)
            return signs[level] * part * phase

        return _Columns({n: b for b in blocks for n in b.levels}, of)

    def _polynomial(
        self, element: sympy.Expr, bath: str, place: tuple[int, int]
    ) -> dict[Strengths, Gaussian]:
        if element.has(sympy.exp):
            element = element.rewrite(sympy.cos)
        found: dict[Strengths, Gaussian] = {}
        for term in sympy.Add.make_args(sympy.expand(element)):
            coefficient, names = Gaussian(1), []
            for factor in sympy.Mul.make_args(term):
                if factor == sympy.I:
                    coefficient = coefficient * Gaussian(0, 1)
                elif factor.is_Rational:  # numbers that are not simple have names
                    coefficient = coefficient * Fraction(int(factor.p), int(factor.q))
                else:
                    sign = -1 if factor.is_number and factor.is_negative else 1
                    coefficient = coefficient * sign
                    names += self._factor(sign * factor, bath, place)
            key = tuple(sorted(names))
            found[key] = found.get(key, Gaussian()) + coefficient
        return {names: z for names, z in sorted(found.items()) if z}

    def _factor(self, factor: sympy.Expr, bath: str, place: tuple[int, int]) -> list[str]:
        base, power = factor.as_base_exp()
        if base.is_Symbol and power.is_Integer and power > 0:
            return [base.name] * int(power)
        if base.is_Symbol or not power.is_Integer or power <= 0:
            base, power = factor, sympy.Integer(1)
        if not base.is_real:
            raise InputError(
                self.model.name,
                f"couplings of {bath}",
                f"{base} in element {place[0]},{place[1]} is not known to be real",
                "declare its symbols positive, or name it by a symbol",
            )
        name = str(self._named("a1", base, "abbreviation").name)
        return [name] * int(power)


@dataclass(frozen=True)
class _Columns:
    """Components of eigenvectors, made where they are asked for."""

    of_level: Mapping[int, Block]
    component: Callable[[Block, int, int], sympy.Expr]

    def __getitem__(self, place: tuple[int, int]) -> sympy.Expr:
        site, level = place
        return self.component(self.of_level[level], site, level)


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


def _connected(h: sympy.Matrix) -> list[tuple[int, ...]]:
    left = list(range(h.rows))
    found = []
    while left:
        block, new = [], [left[0]]
        while new:
            site = new.pop()
            left.remove(site)
            block.append(site)
            new += [k for k in left if k not in new and h[site, k] != 0]
        found.append(tuple(sorted(block)))
    return found


def _is_simple(number: sympy.Rational) -> bool:
    return max(abs(int(number.p)), int(number.q)) <= LARGEST_SIMPLE


def _evaluated(expression: sympy.Expr, values: Mapping[str, Any]) -> Any:
    """An expression at numbers or arrays."""
    symbols = sorted(expression.free_symbols, key=str)
    if not symbols:
        return np.asarray(float(expression.evalf(25)))
    # NumPy has no functions of integers that are longer than its own
    long = {x: sympy.Float(x, 17) for x in expression.atoms(sympy.Rational) if not _is_simple(x)}
    with np.errstate(all="ignore"):
        found = sympy.lambdify(symbols, expression.xreplace(long), "numpy")(
            *(np.asarray(values[str(s)], dtype=float) for s in symbols)
        )
    return np.asarray(found, dtype=float)


def _equal(one: sympy.Expr | None, other: sympy.Expr | None) -> bool:
    return bool(sympy.simplify(sympy.sympify(one) - sympy.sympify(other)) == 0)


def _rational(value: Fraction) -> sympy.Rational:
    return sympy.Rational(value.numerator, value.denominator)


def _fraction(value: Any) -> Fraction:
    from pertsym.exact import exact_rational

    return value if isinstance(value, Fraction) else exact_rational(float(value))
