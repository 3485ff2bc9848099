"""Finding the eigenbasis of a stated model, in closed form where blocks have one or two levels.

The formulas are those of `pertsym.model.eigenbasis`; operators become polynomials in the symbols of
the model and in names for everything that is no polynomial, each with its definition.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Final

import numpy as np
import sympy
from numpy.typing import NDArray

from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Strengths
from pertsym.expressions.budget import bounded_work
from pertsym.expressions.numeric import rational
from pertsym.model.eigenbasis import (
    Block,
    Definition,
    Eigenbasis,
    Polynomial,
    evaluated,
    mixing_angle,
)
from pertsym.model.entries import Rows, hermitian_at, is_simple
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.model.matrix import eigenbasis
from pertsym.model.read import Place
from pertsym.model.statement import Model

_SAME: Final = 1e-12  # relative; named elements this close have one name, smaller ones are absent
_WORK: Final = 20_000_000


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
    name: str = "the mixing angle"


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
                (
                    bath,
                    {
                        (i, j): strength
                        * (self._tidy(x) if x.free_symbols else self._element(x, number, i, j))
                        for i in levels
                        for j in levels
                        for x in (rows[i][j],)
                    },
                )
                for number, (bath, strength, rows) in enumerate(self._groups)
            ]
            return self._basis(model.energies, (), (1,) * model.dimension, elements)
        h = sympy.Matrix(model.hamiltonian)
        sites = _connected(h)
        angles: dict[tuple[int, ...], _Angles] = {
            block: self._angles(h, *block) for block in sites if len(block) == 2
        }
        if len(angles) > 1:
            for (i, j), found_angles in angles.items():
                found_angles.name += f" of sites {i} and {j}"
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
        component = self._components(blocks, angles, signs)
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
            for one, other in pairs:
                if (one, other) in large:
                    continue
                if one is other and len(one.sites) == 2:
                    found |= self._within(number, one, angles[one.sites], signs)
                    continue
                for m, n in itertools.product(one.levels, other.levels):
                    total = sum(
                        sympy.conjugate(component(i, m)) * rows[i][j] * component(j, n)
                        for i, j in itertools.product(one.sites, other.sites)
                    )
                    found[m, n] = self._element(total, number, m, n)
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
        _, _, rows = model.groups[group]
        needed = h.free_symbols.union(*(x.free_symbols for row in rows for x in row))
        matrix: NDArray[np.complex128] | None = None
        if model.values.keys() >= {str(s) for s in needed}:
            basis = Eigenbasis(model, (None,) * model.dimension, blocks, signs, {}, ())
            at = {name: float(x) for name, x in model.values.items()}
            matrix = basis.element_matrix(group, at, basis.numerical(at)[1])
        real = not h.has(sympy.I) and not any(x.has(sympy.I) for row in rows for x in row)
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
            name = self._free(self._at({"": "S", "re": "x", "im": "y"}[which], group, m, n))
            what = {"": "", "re": "Re ", "im": "Im "}[which] + self._braket(group, m, n)
            self._definitions[name] = Definition(name, None, (group, m, n, which), value, what)
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

    def _at(self, letter: str, group: int, m: int, n: int) -> str:
        """The name of an element between two levels, with its bath if there are several."""
        alone, size = len(self.model.groups) == 1, self.model.dimension
        if alone and size == 2 and letter != "S":
            return letter
        bath = "" if alone else f"_{self.model.groups[group][0]}_"
        return f"{letter}{bath}{m}{'' if size <= 10 else '_'}{n}"

    def _element(self, x: sympy.Expr, group: int, m: int, n: int) -> sympy.Expr:
        """An element of an operator, real and imaginary part short."""
        x = sympy.expand(x.rewrite(sympy.cos) if x.has(sympy.exp) else x)
        bracket = self._braket(group, m, n)
        if not x.has(sympy.I):
            return self._short(self._at("S" if m == n else "x", group, m, n), x, bracket)
        re, im = x.as_real_imag()
        real = self._short(self._at("x", group, m, n), re, f"Re {bracket}")
        return real + sympy.I * self._short(self._at("y", group, m, n), im, f"Im {bracket}")

    def _braket(self, group: int, m: int, n: int) -> str:
        """A matrix element; S is the operator of a coupling without its strength."""
        bath, strength, _ = self.model.groups[group]
        alone = strength == 1 and sum(bath == other for other, _, _ in self.model.groups) == 1
        return f"<{m}|S_{bath}|{n}>" if alone else f"<{m}|S|{n}>"

    def _short(self, name: str, x: sympy.Expr, meaning: str) -> sympy.Expr:
        """A real expression; sums and decimals have names, whose powers are shorter than theirs."""
        x = sympy.expand(x)
        if not x.is_Add and is_simple(x.as_coeff_Mul(rational=True)[0]):
            return x
        sign = -1 if -x in self._atoms else 1
        return sign * self._named(name, sign * x, meaning)

    def _tidy(self, entry: sympy.Expr) -> sympy.Expr:
        total = sympy.Integer(0)
        for term in sympy.Add.make_args(sympy.expand(entry)):
            number, rest = term.as_coeff_Mul(rational=True)
            if not is_simple(number, tenths=True):
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
        for d in reversed(self._definitions.values()):  # later ones are made of earlier ones
            if d.name in used and d.written is not None:
                used |= {s.name for s in d.written.free_symbols}
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
        square = sympy.factor(sympy.expand(x**2 + 4 * b**2))
        gap = sympy.sqrt(x**2 + 4 * b**2 if square.is_Add else square)
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
            number = z.xreplace({s: rational(values[str(s)]) for s in z.free_symbols})
            return int(sympy.sign(number))
        if z.is_negative:
            return -1
        return 0 if z == 0 else 1

    def _named(
        self, base: str, expression: sympy.Expr, meaning: str, written: sympy.Expr | None = None
    ) -> sympy.Expr:
        """A symbol that stands for the expression; the expression itself where it is simple."""
        if not expression.free_symbols and expression.is_Rational and is_simple(expression):
            return expression
        if expression not in self._atoms:
            name = self._free(base)
            self._atoms[expression] = name
            behind = {
                sympy.Symbol(d.name, real=True): d.expression for d in self._definitions.values()
            }
            whole = expression.xreplace(behind)
            self._definitions[name] = Definition(
                name,
                whole,
                None,
                self._value(whole),
                meaning,
                expression if whole != expression else written,
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
        return float(evaluated(expression, {k: float(x) for k, x in values.items()}))

    def _phase(self, angles: _Angles) -> sympy.Expr:
        """e^{-i phi}."""
        cos = self._named("f", angles.phase[0], "cosine of the phase of the coupling of two sites")
        sin = self._named("h", angles.phase[1], "sine of the phase of the coupling of two sites")
        return cos - sympy.I * sin

    def _within(
        self, group: int, block: Block, angles: _Angles, signs: Sequence[int]
    ) -> dict[tuple[int, int], sympy.Expr]:
        rows = self.model.groups[group][2]
        i, j = block.sites
        lower, upper = block.levels
        c = self._named("c", angles.c, f"cosine of {angles.name}")
        s = self._named("s", angles.s, f"sine of {angles.name}")
        p, r, q = rows[i][i], rows[j][j], rows[i][j] * self._phase(angles)
        re, im = sympy.expand(q).as_real_imag()
        m, z = (self._at(letter, group, lower, upper) for letter in "mz")
        above, below = (self._braket(group, n, n) for n in (upper, lower))
        mean = self._short(m, (p + r) / 2, f"({above} + {below})/2")
        half = self._short(z, (p - r) * c / 2 + s * re, f"({above} - {below})/2")
        off = signs[lower] * signs[upper] * ((r - p) * s / 2 + re * c - sympy.I * im)
        off = self._element(off, group, lower, upper)
        return {
            (lower, lower): mean - half,
            (upper, upper): mean + half,
            (lower, upper): off,
            (upper, lower): sympy.conjugate(off),
        }

    def _components(
        self, blocks: Sequence[Block], angles: Mapping[tuple[int, ...], _Angles], signs: list[int]
    ) -> Callable[[int, int], sympy.Expr]:
        """site, level -> a component of an eigenvector, with names only for those asked for."""
        of_level = {n: block for block in blocks for n in block.levels}

        def component(site: int, level: int) -> sympy.Expr:
            block = of_level[level]
            if len(block.sites) == 1:
                return sympy.Integer(1)
            found = angles[block.sites]
            half = sympy.atan2(2 * found.b, found.x) / 2
            shown = mixing_angle(block, blocks) / 2
            u = self._named("u", sympy.cos(half), f"cosine of half {found.name}", sympy.cos(shown))
            v = self._named("v", sympy.sin(half), f"sine of half {found.name}", sympy.sin(shown))
            phase = self._phase(found) if site == block.sites[1] else sympy.Integer(1)
            upper, second = level == block.levels[1], site == block.sites[1]
            part = (v if second else u) if upper else (u if second else -v)
            return signs[level] * part * phase

        return component

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


def _equal(one: sympy.Expr | None, other: sympy.Expr | None) -> bool:
    return bool(sympy.simplify(sympy.sympify(one) - sympy.sympify(other)) == 0)
