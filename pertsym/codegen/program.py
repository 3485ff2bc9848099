"""Spectral forms of two levels as expressions that every language can print.

A form becomes a sum of products of named values

    C  Ĉ^(m)(n w0),   P  P^(m)(n w0),   D  P(w0) - P(-w0),   T  e^(-beta n w0) beta^m,
    Q  T^(m)(n w0) of the product of a spectrum and a transform (`pertsym.baths.product_nodes`),
    I, J  a finite-part integral over two baths that is no Q, and its regular part at a kink,
    M, R  the mean slope of a spectrum and the regular slope of a transform at a kink;

a form that was prepared for its baths (`numerics.evaluate.reduced`) also holds

    E, O  [P^(m)(w0) + P^(m)(-w0)]/2 and half the difference.

Beside each expression stands its majorant:
the same sum with every sign a plus.  |f(a + d) - f(a)| <= M(|a| + |d|) - M(|a|), so that one more
function gives the bound of the error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import factorial
from typing import Any, NamedTuple
from zlib import crc32

from pertsym.baths.existence import zero_order
from pertsym.codegen.emit import factored, joined, with_finite_kinks
from pertsym.distributions.chains import Kink, at_pole, depends_on_differences
from pertsym.exact import Gaussian
from pertsym.reduction.elements import symbols_of
from pertsym.reduction.spectral import (
    CannotEvaluate,
    MatrixElement,
    Monomial,
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
        "C", "P", "D", "T", "QC" (a product with Ĉ_B), "QP" (with P_B) or "S" (a matrix element);
        of prepared forms also "E", "O", "M", "R", "ICC", "ICP", "JCC", "JCP".
    baths
        Names; two for a product; that of a matrix element is its own.
    derivative
        m, and the power of beta for "T".
    multiple
        n of n w0.
    shift
        s of a product or an integral, in units of w0.
    reflect
        r of an integral over Ĉ_A(w) X_B(s + r w).
    kernel
        Of an integral: (coefficient, power of 1/w0, pole in units of w0, order) of its parts.
    """

    kind: str
    baths: tuple[str, ...]
    derivative: int = 0
    multiple: int = 0
    shift: int = 0
    reflect: int = -1
    kernel: tuple[tuple[Fraction, int, int, int], ...] = ()

    @property
    def is_integral(self) -> bool:
        """Whether it needs finite-part integrals, or P or a slope at w = 0."""
        if self.kind == "C":
            return not self.multiple and self.derivative > 0
        return self.kind[0] in "IJMR" or (self.kind == "P" and not self.multiple)

    @property
    def takes_slope(self) -> bool:
        """Whether P' of its last bath is asked for at w = 0."""
        if self.kind[0] == "J":
            return not self.shift
        poles = (n > 1 and not self.shift + self.reflect * p for _, _, p, n in self.kernel)
        return (self.kind == "P" and not self.multiple and self.derivative > 0) or any(poles)

    @property
    def meets_zero(self) -> bool:
        """Whether it exists only where the spectrum of its first bath is finite at w = 0."""
        if self.kind[0] == "I":
            return any(p == 0 for _, _, p, _ in self.kernel)
        # of P(0) the even part of the spectrum drops out
        at_zero = self.kind == "C" or (self.kind == "P" and self.derivative > 0)
        return self.kind[0] in "JMR" or (at_zero and not self.multiple)

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
        if self.kernel:
            shift += f"_{crc32(repr((self.reflect, self.kernel)).encode()):08x}"
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
    products
        Pairs of baths whose spectra meet at w = 0 under an integral, where nothing else vanishes.
    """

    quantity: str
    order: int
    atoms: tuple[Atom, ...]
    value: str
    majorant: str
    operations: int
    products: tuple[tuple[str, ...], ...] = ()

    @property
    def identifier(self) -> str:
        return f"{self.quantity}_{self.order}"


def expression(
    quantity: str, order: int, form: SpectralForm, smooth: frozenset[str] = frozenset()
) -> Expression:
    """The form as an expression; spectra of the baths `smooth` have no kink at any parameters.

    Raises
    ------
    CannotEvaluate
        For more than two levels.
    """
    require_evaluable(form)
    different = {name for name in {v.name for v in form.values} if _by_differences(form, name)}
    form, finite = with_finite_kinks(form, smooth)
    terms, products = [], set()
    for term in _prepared(form, finite):
        products |= {atom.baths for atom in term.atoms if _singular_together(atom)}
        parts = [term._replace(atoms=())]
        for atom in term.atoms:
            factors = as_products(atom) or _counted(atom, different)
            parts = [_times(part, factor) for part in parts for factor in factors]
        terms += parts
    found = _expression(quantity, order, list(_collected(iter(terms))))
    return replace(found, products=tuple(sorted(products)))


def _singular_together(atom: Atom) -> bool:
    if atom.kind[0] != "I" or atom.shift or any(p == 0 for _, _, p, _ in atom.kernel):
        return False
    return zero_order([(float(c), p, n) for c, _, p, n in atom.kernel]) == 0


def _counted(atom: Atom, different: set[str]) -> tuple[Term, ...]:
    """P(w0) as the difference from P(-w0), if only that counts."""
    if atom.kind == "P" and atom.derivative == 0 and atom.baths[0] in different:
        if atom.multiple < 0:
            return ()
        atom = Atom("D", atom.baths)
    return (Term(Fraction(1), 0, 0, (atom,)),)


def _expression(quantity: str, order: int, terms: Sequence[Term]) -> Expression:
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


def prepared_expression(form: SpectralForm, finite: tuple[Kink, ...]) -> Expression:
    """What `numerics.evaluate.reduced` gives, as an expression.

    Raises
    ------
    CannotEvaluate
        For more than two levels.
    """
    return _expression("form", 0, list(_collected(iter(_prepared(form, finite)))))


def _prepared(form: SpectralForm, finite: tuple[Kink, ...]) -> list[Term]:
    """Terms; poles over the same two functions share one integral."""
    terms: list[Term] = []
    families: dict[tuple[Any, ...], list[tuple[Fraction, int, int, int]]] = {}
    for m, z in form:
        start = _start(m, z)
        products = [start]
        for atom in m.atoms:
            kink = isinstance(atom, SpectralIntegral) and _at_kink(atom, finite)
            if isinstance(atom, SpectralIntegral) and not kink:
                rest = tuple(x for x in m.atoms if x is not atom)
                family = (*atom[:5], m.pi_power, tuple(f for x in rest for f in _plain(x)))
                (p,) = atom.pole
                part = start.coefficient, start.below, p, atom.order
                families.setdefault(family, []).append(part)
                products = []
                break
            factors = kink or tuple(Term(Fraction(1), 0, 0, (a,)) for a in _plain(atom, finite))
            products = [_times(product, factor) for product in products for factor in factors]
        terms += products
    for (kind, a, b, reflect, (s,), pi_power, others), parts in families.items():
        (first, below, _, _), *_ = sorted(parts, key=lambda part: part[1:])
        kernel = tuple(sorted((c / first, power - below, p, n) for c, power, p, n in parts))
        integral = Atom(f"I{kind}", (a, b), 0, 0, s, reflect, kernel)
        terms.append(Term(first, pi_power, below, tuple(sorted((integral, *others)))))
    return terms


def _plain(atom: object, finite: tuple[Kink, ...] = ()) -> tuple[Atom, ...]:
    """The atom of a prepared form that is no integral."""
    match atom:
        case MatrixElement(name=name):
            return (Atom("S", (name,)),)
        case Thermal(power=power, exponent=(n,)):
            return (Atom("T", (), power, n),)
        case Value(kind=kind, name=name, derivative=m, frequency=(n,)):
            if m == 1 and Kink(name, (n,)) in finite:
                return (Atom("M" if kind == "C" else "R", (name,), 1, n),)
            return (Atom({"P+": "E", "P-": "O"}.get(kind, kind), (name,), m, n),)
    raise CannotEvaluate(f"{atom} belongs to more than two levels")


def _at_kink(integral: SpectralIntegral, finite: tuple[Kink, ...]) -> tuple[Term, ...]:
    """The regular part of an integral whose divergence cancels against others, else nothing."""
    for kink in finite:
        turned = at_pole(integral, kink)
        if turned is not None:
            (s,), (p,) = turned.shift, turned.pole
            names = (turned.name, turned.other)
            atom = Atom(f"J{turned.kind}", names, 0, p, s, turned.reflect)
            return (Term(Fraction(1), 0, 0, (atom,)),)
    return ()


def as_products(atom: Atom) -> tuple[Term, ...]:
    """An integral as a sum over T of `product_nodes` and what the poles add; () if it is none."""
    plain = atom.reflect < 0 and atom.shift == 0
    if not (atom.kind[0] == "I" and plain and all(p for _, _, p, _ in atom.kernel)):
        return ()
    terms = []
    for c, below, p, n in atom.kernel:
        a, b = atom.baths
        integral = SpectralIntegral(atom.kind[1:], a, b, -1, (0,), (p,), n)
        start = Term(c, 0, below, ())
        terms += [_times(start, term) for term in _integral(integral)]
    return tuple(terms)


def _start(m: Monomial, z: Gaussian) -> Term:
    """The coefficient of a monomial."""
    scale = Fraction(1)
    for (n, *others), power in m.denominators:
        if others:
            raise CannotEvaluate("it belongs to more than two levels")
        scale /= n**power
    return Term(z.re * scale, m.pi_power, sum(power for _, power in m.denominators), ())


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


def _integral(integral: SpectralIntegral) -> Iterator[Term]:
    """FP int dw Ĉ_A(w) X_B(s - w)/(w - p)^n, as `product_nodes` writes it."""
    (s,), (p,), n = integral.shift, integral.pole, integral.order
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
