"""Exact algebra of position and momentum, [X, P] = i, and of superoperators made from them.

An operator is a polynomial in normal order, sum c_ab X^a P^b; a superoperator is a sum of
rho -> c X^a P^b rho X^c P^d.  Both forms are unique, so that two operators, or two master
equations, are equal exactly if their coefficients are.
Heisenberg's equations of a quadratic Hamiltonian are solved with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import comb, factorial, prod
from types import MappingProxyType
from typing import Any, Self

import sympy

from pertsym.present.expressions import joined, tex

Powers = tuple[int, int]
"""(a, b) of X^a P^b."""

_Sandwich = tuple[Powers, Powers]
"""Powers on the left and on the right of the density operator."""


def _collected(terms: Iterable[tuple[Any, Any]]) -> Mapping[Any, sympy.Expr]:
    sums: dict[Any, sympy.Expr] = {}
    for key, coefficient in terms:
        sums[key] = sums.get(key, sympy.Integer(0)) + coefficient
    simple = {key: sympy.expand(value) for key, value in sums.items()}
    return MappingProxyType({key: simple[key] for key in sorted(simple) if simple[key] != 0})


def _reordered(b: int, c: int) -> Iterator[tuple[Powers, sympy.Expr]]:
    """P^b X^c in normal order: sum_k k! C(b,k) C(c,k) (-i)^k X^(c-k) P^(b-k)."""
    for k in range(min(b, c) + 1):
        weight = factorial(k) * comb(b, k) * comb(c, k)
        yield (c - k, b - k), weight * (-sympy.I) ** k


def _product(left: Powers, right: Powers) -> Iterator[tuple[Powers, sympy.Expr]]:
    for (c, b), weight in _reordered(left[1], right[0]):
        yield (left[0] + c, b + right[1]), weight


@dataclass(frozen=True, eq=False)
class _Sum:
    """A linear combination, equal to another if their difference is zero."""

    terms: Mapping[Any, sympy.Expr]

    def __add__(self, other: Self) -> Self:
        if not isinstance(other, type(self)):
            return NotImplemented
        return type(self)(_collected((*self.terms.items(), *other.terms.items())))

    def __sub__(self, other: Self) -> Self:
        return self + -other

    def __neg__(self) -> Self:
        return self.scaled(-1)

    def scaled(self, factor: Any) -> Self:
        """It times a number."""
        return type(self)(_collected((key, factor * value) for key, value in self.terms.items()))

    def __rmul__(self, factor: Any) -> Self:
        return self.scaled(factor)

    def __truediv__(self, factor: Any) -> Self:
        return self.scaled(1 / sympy.sympify(factor))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and not (self - other).terms

    def __hash__(self) -> int:
        return hash(tuple(self.terms.items()))


@dataclass(frozen=True, eq=False)
class Weyl(_Sum):
    """A polynomial in X and P with SymPy coefficients, in normal order (X to the left).

    Attributes
    ----------
    terms
        (a, b) -> coefficient of X^a P^b, expanded, without zeros.
    """

    terms: Mapping[Powers, sympy.Expr]

    @classmethod
    def of(cls, terms: Mapping[Powers, Any]) -> Weyl:
        """The polynomial with these coefficients (numbers or SymPy expressions)."""
        return cls(_collected((key, sympy.sympify(value)) for key, value in terms.items()))

    def __mul__(self, other: Weyl) -> Weyl:
        if not isinstance(other, Weyl):
            return NotImplemented if isinstance(other, _Sum) else self.scaled(other)
        return Weyl(
            _collected(
                (powers, x * y * weight)
                for left, x in self.terms.items()
                for right, y in other.terms.items()
                for powers, weight in _product(left, right)
            )
        )

    def __pow__(self, power: int) -> Weyl:
        return prod([self] * int(power), start=ONE)

    def commutator(self, other: Weyl) -> Weyl:
        """[self, other]."""
        return self * other - other * self

    def coefficient(self, a: int, b: int) -> sympy.Expr:
        """The coefficient of X^a P^b."""
        return self.terms.get((a, b), sympy.Integer(0))

    @property
    def degree(self) -> int:
        """The largest a + b, -1 for zero."""
        return max((a + b for a, b in self.terms), default=-1)


X = Weyl.of({(1, 0): 1})
P = Weyl.of({(0, 1): 1})
ONE = Weyl.of({(0, 0): 1})


@dataclass(frozen=True, eq=False)
class Superoperator(_Sum):
    """rho -> sum of c A rho B over normally ordered monomials A and B.

    Attributes
    ----------
    terms
        (powers of A, powers of B) -> coefficient, expanded, without zeros.
    """

    terms: Mapping[_Sandwich, sympy.Expr]

    @classmethod
    def sandwich(cls, left: Weyl, right: Weyl) -> Superoperator:
        """rho -> left rho right."""
        return cls(
            _collected(
                ((a, b), x * y) for a, x in left.terms.items() for b, y in right.terms.items()
            )
        )

    @classmethod
    def left(cls, operator: Weyl) -> Superoperator:
        """rho -> operator rho."""
        return cls.sandwich(operator, ONE)

    @classmethod
    def right(cls, operator: Weyl) -> Superoperator:
        """rho -> rho operator."""
        return cls.sandwich(ONE, operator)

    @classmethod
    def commutator(cls, operator: Weyl) -> Superoperator:
        """rho -> [operator, rho]."""
        return cls.left(operator) - cls.right(operator)

    @classmethod
    def anticommutator(cls, operator: Weyl) -> Superoperator:
        """rho -> {operator, rho}."""
        return cls.left(operator) + cls.right(operator)

    def __mul__(self, other: Superoperator | Weyl) -> Superoperator:
        """First `other`, then `self`; an operator multiplies what `self` makes of rho."""
        if isinstance(other, Weyl):
            return Superoperator.right(other) * self
        if not isinstance(other, Superoperator):
            return self.scaled(other)
        return Superoperator(
            _collected(
                ((left, right), x * y * u * v)
                for (a, b), x in self.terms.items()
                for (c, d), y in other.terms.items()
                for left, u in _product(a, c)
                for right, v in _product(d, b)
            )
        )

    def __rmul__(self, factor: Any) -> Superoperator:
        if isinstance(factor, Weyl):
            return Superoperator.left(factor) * self
        return self.scaled(factor)

    def adjoint_on(self, observable: Weyl) -> Weyl:
        """The operator O' with Tr[O S(rho)] = Tr[O' rho]: sum of c B O A."""
        total = Weyl.of({})
        for (a, b), coefficient in self.terms.items():
            product = Weyl.of({b: 1}) * observable * Weyl.of({a: 1})
            total = total + product.scaled(coefficient)
        return total


def operator(value: Weyl) -> str:
    """A polynomial in X and P."""
    pieces = []
    for powers, coefficient in sorted(value.terms.items(), reverse=True):
        letters, text = _letters(powers), tex(coefficient)
        shown = "" if coefficient == 1 and letters else text
        shown = f"({text})" if coefficient.is_Add else shown
        pieces.append(rf"{shown}\,{letters}" if shown else letters)
    return " + ".join(pieces).replace("+ -", "- ")


def superoperator(value: Superoperator) -> str:
    """A sum of c A rho B."""
    return joined(
        [
            rf"\left({tex(coefficient)}\right)\,{_letters(left)}\rho {_letters(right)}"
            for (left, right), coefficient in sorted(value.terms.items(), reverse=True)
        ]
    )


def _letters(powers: tuple[int, int]) -> str:
    return "".join(f"{c}^{n}" if n > 1 else c for c, n in zip("XP", powers, strict=True) if n)


MASS, FREQUENCY = sympy.symbols("M Omega0", positive=True)
TIME = sympy.Symbol("tau", real=True)


def oscillator_hamiltonian() -> Weyl:
    """H_S = P^2/(2M) + M Omega0^2 X^2/2."""
    kinetic = (P * P).scaled(1 / (2 * MASS))
    return kinetic + (X * X).scaled(MASS * FREQUENCY**2 / 2)


def heisenberg(hamiltonian: Weyl, operator: Weyl, time: sympy.Expr = TIME) -> Weyl:
    """O(t) = e^{iHt} O e^{-iHt} of an operator linear in X and P.

    dO/dt = i [H, O] maps the span of 1, X, P into itself if H is at most quadratic; the
    exponential of that 3 x 3 matrix follows from its powers by Cayley and Hamilton.

    Raises
    ------
    ValueError
        If H is not quadratic or O not linear, for which the equations do not close.
    """
    if hamiltonian.degree > 2 or operator.degree > 1:
        raise ValueError(
            "hamiltonian: Heisenberg's equations close for a quadratic Hamiltonian and a linear "
            f"operator, got degrees {hamiltonian.degree} and {operator.degree}; give those"
        )
    basis = ((0, 0), (1, 0), (0, 1))
    images = [hamiltonian.commutator(b).scaled(sympy.I) for b in (ONE, X, P)]
    matrix = sympy.Matrix(3, 3, lambda i, j: images[j].coefficient(*basis[i]))
    start = sympy.Matrix([operator.coefficient(*powers) for powers in basis])
    final = _exponential(matrix, time) * start
    return Weyl.of({powers: sympy.simplify(final[i]) for i, powers in enumerate(basis)})


def _exponential(matrix: sympy.Matrix, time: sympy.Expr) -> sympy.Matrix:
    """exp(A t) of a 3 x 3 matrix with A^3 = -w^2 A, which the Heisenberg matrices obey."""
    # the characteristic polynomial is z^3 - t z^2 + c z - d; here t = d = 0 and c = w^2
    z = sympy.Symbol("z")
    _, trace, square, determinant = (
        sympy.simplify(c) for c in sympy.Poly(matrix.charpoly(z).as_expr(), z).all_coeffs()
    )
    if trace != 0 or determinant != 0:
        raise ValueError("hamiltonian: it must be Hermitian and have no term that is odd in time")
    root = sympy.sqrt(square)
    if square == 0:
        return sympy.eye(3) + matrix * time + matrix**2 * time**2 / 2
    return (
        sympy.eye(3)
        + matrix * sympy.sin(root * time) / root
        + matrix**2 * (1 - sympy.cos(root * time)) / square
    )
