"""Spectral forms of two levels as expressions that every language can print.

A form becomes a sum of products of named values

    C  Ĉ^(m)(n w0),   P  P^(m)(n w0),   D  P(w0) - P(-w0),   T  e^(-beta n w0) beta^m,
    Q  T^(m)(n w0) of the product of a spectrum and a transform (`pertsym.baths.product_nodes`);

finite-part integrals are Q and what their poles add.  Beside each expression stands its majorant:
the same sum with every sign a plus.  |f(a + d) - f(a)| <= M(|a| + |d|) - M(|a|), so that one more
function gives the bound of the error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import factorial
from typing import NamedTuple

from pertsym.codegen.emit import factored, joined
from pertsym.numerics.evaluate import depends_on_differences
from pertsym.reduction.elements import symbols_of
from pertsym.reduction.spectral import (
    CannotEvaluate,
    MatrixElement,
    SpectralForm,
    SpectralIntegral,
    Thermal,
    Value,
    require_evaluable,
)


class Atom(NamedTuple):
    """A number that the machinery delivers.

    Attributes
    ----------
    kind
        "C", "P", "D", "T", "QC" (a product with Ĉ_B), "QP" (with P_B) or "S" (a matrix element).
    baths
        Names; two for a product; that of a matrix element is its own.
    derivative
        m, and the power of beta for "T".
    multiple
        n of n w0.
    shift
        s of a product, in units of w0.
    """

    kind: str
    baths: tuple[str, ...]
    derivative: int = 0
    multiple: int = 0
    shift: int = 0

    @property
    def identifier(self) -> str:
        """A name for it in code."""
        if self.kind == "S":
            return self.baths[0]
        where = {0: "0", 1: "pw0", -1: "mw0"}.get(self.multiple, "")
        where = where or f"{'p' if self.multiple > 0 else 'm'}{abs(self.multiple)}w0"
        name = "_".join(b[1:] if b[:1] == "C" and b[1:].isdigit() else f"_{b}" for b in self.baths)
        prime = "d" * self.derivative
        if self.kind == "D":
            return f"D{name}"
        if self.kind == "T":
            power = f"_beta{self.derivative}" if self.derivative else ""
            return f"boltzmann_{where}{power}"
        shift = "" if not self.shift else f"_{'p' if self.shift > 0 else 'm'}{abs(self.shift)}"
        return f"{prime}{self.kind}{name}_{where}{shift}"


class Term(NamedTuple):
    """coefficient * pi^pi_power / w0^below * product of atoms."""

    coefficient: Fraction
    pi_power: int
    below: int
    atoms: tuple[Atom, ...]


@dataclass(frozen=True)
class Expression:
    """One order of one quantity.

    Attributes
    ----------
    quantity, order
    atoms
        What it needs, sorted.
    value, majorant
        Source in the atoms' identifiers, `w0` and `pi`; the majorant takes absolute values by the
        same names.  Numbers are written as doubles, powers as products: it is valid in every
        language.
    operations
        Rounding errors that one term can gather, in units of the roundoff.
    """

    quantity: str
    order: int
    atoms: tuple[Atom, ...]
    value: str
    majorant: str
    operations: int

    @property
    def identifier(self) -> str:
        return f"{self.quantity}_{self.order}"


def expression(quantity: str, order: int, form: SpectralForm) -> Expression:
    """The form as an expression.

    Raises
    ------
    CannotEvaluate
        For what the exported code has no routine for.
    """
    terms = list(_collected(_terms(form)))
    atoms = tuple(sorted({atom for term in terms for atom in term.atoms}))
    identifiers = [atom.identifier for atom in atoms]
    if len(set(identifiers)) != len(identifiers):
        raise CannotEvaluate("two names of baths or symbols give one name in code; rename one")
    return Expression(
        quantity,
        order,
        atoms,
        _source(terms),
        _source([term._replace(coefficient=abs(term.coefficient)) for term in terms]),
        8 + 2 * len(terms),
    )


def _terms(form: SpectralForm) -> Iterator[Term]:
    require_evaluable(form, mixed=True)
    different = {name for name in {v.name for v in form.values} if _by_differences(form, name)}
    for m, z in form:
        below = sum(power for _, power in m.denominators)
        scale = Fraction(1)
        for linear, power in m.denominators:
            scale /= linear[0] ** power
        start = Term(z.re * scale, m.pi_power, below, ())
        products = [start]
        for atom in m.atoms:
            products = [
                _times(product, factor)
                for product in products
                for factor in _factors(atom, different)
            ]
        yield from products


def _by_differences(form: SpectralForm, name: str) -> bool:
    plain = {v.frequency[0] for v in form.values if v[:3] == ("P", name, 0)}
    inside = any(i.kind == "CP" and i.other == name for i in form.integrals)
    return plain == {1, -1} and not inside and depends_on_differences(form, name)


def _times(a: Term, b: Term) -> Term:
    return Term(
        a.coefficient * b.coefficient,
        a.pi_power + b.pi_power,
        a.below + b.below,
        tuple(sorted((*a.atoms, *b.atoms))),
    )


def _factors(atom: object, different: set[str]) -> tuple[Term, ...]:
    """The atom of a form as a sum of terms."""
    one = Fraction(1)
    match atom:
        case MatrixElement(name=name):
            return (Term(one, 0, 0, (Atom("S", (name,)),)),)
        case Thermal(power=power, exponent=(n,)):
            return (Term(one, 0, 0, (Atom("T", (), power, n),)),)
        case Value(kind="P", name=name, derivative=0, frequency=(n,)) if name in different:
            # the other one is where P is counted from
            return (Term(one, 0, 0, (Atom("D", (name,)),)),) if n == 1 else ()
        case Value(kind=kind, name=name, derivative=m, frequency=(n,)):
            return (Term(one, 0, 0, (Atom(kind, (name,), m, n),)),)
        case SpectralIntegral():
            return tuple(_integral(atom))
    raise CannotEvaluate(f"{atom} belongs to more than two levels; export two levels")


def _integral(integral: SpectralIntegral) -> Iterator[Term]:
    """FP int dw Ĉ_A(w) X_B(s - w)/(w - p)^n, as `product_nodes` writes it."""
    (s,), (p,), n = integral.shift, integral.pole, integral.order
    if integral.reflect > 0 or p == 0 or s != 0:
        raise CannotEvaluate(
            "it holds an integral that comes from a diagonal part of a coupling in the energy "
            "eigenbasis, for which exported code has no routine yet; evaluate it with pertsym"
        )
    kind = "Q" + integral.kind[1]
    product = Atom(kind, (integral.name, integral.other), n - 1, p, s)
    yield Term(Fraction(1, factorial(n - 1)), 0, 0, (product,))
    sign, pi_power, other = (-1, 0, "P") if integral.kind == "CC" else (1, 2, "C")
    for j in range(n):  # Leibniz' rule for d^(n-1)/dp^(n-1) Ĉ_A(p) X(s - p)
        a = Atom("C", (integral.name,), n - 1 - j, p)
        b = Atom(other, (integral.other,), j, s - p)
        yield Term(Fraction(sign * (-1) ** j), pi_power, 0, tuple(sorted((a, b))))


def _collected(terms: Iterator[Term]) -> Iterator[Term]:
    sums: dict[tuple[int, int, tuple[Atom, ...]], Fraction] = {}
    for term in terms:
        key = term[1:]
        sums[key] = sums.get(key, Fraction(0)) + term.coefficient
    for key in sorted(sums):
        if sums[key]:
            yield Term(sums[key], *key)


def _source(terms: Sequence[Term]) -> str:
    if not terms:
        return "0.0"
    groups: dict[tuple[int, int], list[tuple[tuple[str, ...], Fraction]]] = {}
    for term in terms:
        names = tuple(atom.identifier for atom in term.atoms)
        groups.setdefault((term.pi_power, term.below), []).append((names, term.coefficient))
    pieces = []
    for (pi_power, below), items in groups.items():
        above = ["pi"] * max(pi_power, 0)
        under = ["pi"] * max(-pi_power, 0) + ["w0"] * below
        body = factored(items, _product)
        if above or under:
            body = f"({body})"
        body = " * ".join([*above, body])
        pieces.append(f"{body} / ({' * '.join(under)})" if under else body)
    return joined(pieces)


def _product(z: Fraction, factors: Sequence[str]) -> str:
    body = " * ".join(factors)
    if z in (1, -1) and factors:
        return body if z > 0 else f"-{body}"
    number = f"{z.numerator}.0" + (f" / {z.denominator}.0" if z.denominator != 1 else "")
    return f"{number} * {body}" if factors else number


Quantities = Mapping[str, Mapping[int, SpectralForm]]
"""quantity -> order -> form"""


def elements_of(quantities: Quantities) -> tuple[str, ...]:
    """Names of the symbolic matrix elements, sorted."""
    forms = [form for orders in quantities.values() for form in orders.values()]
    return tuple(sorted({name for form in forms for name in symbols_of(form)}))
