"""What a formula says: its tree as an element of the field, in a limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import NamedTuple

from pertsym.expansion.interaction import Frequency
from pertsym.language.dictionary import Dictionary
from pertsym.language.field import (
    BETA,
    MOVING_BOLTZMANN,
    PI,
    VARIABLE,
    Element,
    Field,
    Moving,
    TooLarge,
)
from pertsym.language.integrals import Integrals
from pertsym.language.limits import Limit, Relations, sign
from pertsym.language.parser import parse
from pertsym.language.syntax import (
    Call,
    Integral,
    Measure,
    Node,
    NotUnderstood,
    Number,
    Power,
    Product,
    Slope,
    Sum,
    Symbol,
    walk,
)
from pertsym.reduction.spectral import Atom, MatrixElement, SpectralForm, Value

THERMAL_FUNCTIONS = ("J", "n", "exp", "coth", "tanh", "sinh", "cosh")


def needs_temperature(node: Node) -> bool:
    """Whether a formula speaks of J, n, exponentials or beta: then detailed balance is meant."""
    return any(
        (isinstance(part, Call) and part.function.kind in THERMAL_FUNCTIONS)
        or (isinstance(part, Symbol) and part.kind in ("beta", "T"))
        for part in walk(node)
    )


class _Scope(NamedTuple):
    """Inside which integral we are: the name of its variable, "" outside."""

    variable: str = ""


class Reader:
    """Turns trees into elements of one field."""

    def __init__(self, field: Field, dictionary: Dictionary, limit: Limit) -> None:
        self.field, self.dictionary, self.limit = field, dictionary, limit
        self.relations = Relations(field, limit)
        self.integrals = Integrals(field, self.relations)
        self._defined_elements: dict[str, Element] = {}

    def element(self, node: Node) -> Element:
        """The element that a tree means.

        Raises
        ------
        NotUnderstood
            With the place of what has no meaning.
        """
        return self._of(node, _Scope())

    def _of(self, node: Node, scope: _Scope) -> Element:
        match node:
            case Number(value):
                return self.field.number(value)
            case Symbol():
                return self._symbol(node, scope)
            case Sum(terms):
                total = self.field.number(0)
                for sign, term in terms:
                    part = self._of(term, scope)
                    total = total + (part if sign > 0 else -part)
                return total
            case Product():
                return self._product(node, scope)
            case Power(Call(function, argument, _), exponent, at) if function.kind == "abs":
                return self._modulus(self._of(argument, scope), exponent, at)
            case Power(base, exponent, at):
                return self._power(self._of(base, scope), exponent, at)
            case Call():
                return self._power(self._call(node, scope), node.function.power, node.at)
            case Integral():
                return self._integral(node, scope)
            case Slope(variable, body, _) if variable in self.dictionary.elements:
                inner = self._of(body, scope)
                return self.field.derivative(inner, MatrixElement("S", variable))
            case Slope(variable, body, at):
                if variable != scope.variable:
                    raise NotUnderstood(
                        "d/dω stands under an integral over the same variable; elsewhere write a "
                        "prime",
                        at,
                    )
                return self.integrals.slope(self._of(body, scope))
            case Measure(_, at):
                raise NotUnderstood("dω without an integral sign, or in a sum or power", at)

    def _symbol(self, node: Symbol, scope: _Scope) -> Element:
        field = self.field
        match node.kind:
            case "pi":
                return field.generator(PI)
            case "i":
                return field.number(0, 1)
            case "beta":
                return field.generator(BETA)
            case "T":
                return field.generator(BETA).inverse()
            case "one":
                return field.number(1)
            case "element":
                return self._element(node.name)
            case "frequency":
                return field.linear(node.form)
            case "quantity":
                return self._quantity(node.name)
            case _ if node.name != scope.variable and self.dictionary.free:
                return field.linear((self.dictionary.free,) + (0,) * (self.dictionary.count - 1))
            case _:
                if node.name != scope.variable:
                    raise NotUnderstood(
                        "a variable outside of its integral; frequencies are "
                        f"{', '.join(self.dictionary.frequencies)}",
                        node.at,
                    )
                return field.generator(VARIABLE)

    def _element(self, name: str) -> Element:
        """A matrix element: a generator, or what it is defined to be."""
        if name not in self.dictionary.definitions:
            return self.field.generator(MatrixElement("S", name))
        if name not in self._defined_elements:
            formula = self.dictionary.definitions[name]
            self._defined_elements[name] = self.element(parse(formula, self.dictionary, "text"))
        return self._defined_elements[name]

    def reduced(self, element: Element) -> Element:
        """Modulo the squares that the dictionary knows."""
        for name, formula in self.dictionary.squares.items():
            square = self.element(parse(formula, self.dictionary, "text"))
            element = self.field.reduced(element, MatrixElement("S", name), square)
        return element

    def _atom(self, atom: Atom) -> Element:
        return self._element(atom.name) if isinstance(atom, MatrixElement) else self.relations(atom)

    def _quantity(self, name: str) -> Element:
        known = self.dictionary.quantities[name]
        assert not isinstance(known, str)
        return self.derived(known.form, known.imaginary)

    def derived(self, form: SpectralForm, imaginary: SpectralForm) -> Element:
        """form + i imaginary in this limit."""
        part = self.field.form(imaginary, self._atom) * self.field.number(0, 1)
        return self.field.form(form, self._atom) + part

    def _product(self, node: Product, scope: _Scope) -> Element:
        total = self.field.number(1)
        for side, factor in node.factors:
            if isinstance(factor, Measure) and side > 0 and scope.variable:
                continue  # counted by the integral
            value = self._of(factor, scope)
            total = self._times(total, self._power(value, side, factor.at), factor.at)
        return total

    def _times(self, a: Element, b: Element, at: int) -> Element:
        with _understood(at):
            return a * b

    def _power(self, value: Element, exponent: int, at: int) -> Element:
        with _understood(at):
            return value if exponent == 1 else value.power(exponent)

    def _modulus(self, value: Element, exponent: int, at: int) -> Element:
        if exponent % 2:
            raise NotUnderstood("a modulus is understood with an even power", at)
        conjugate = Element(value.re, -value.im)
        return self._power(self._times(value, conjugate, at), exponent // 2, at)

    def _integral(self, node: Integral, scope: _Scope) -> Element:
        if scope.variable:
            raise NotUnderstood("an integral inside an integral", node.at)
        measures = _measures(node.body)
        if len(measures) != 1:
            raise NotUnderstood("an integral needs one dω among its factors, not in a sum", node.at)
        integrand = self._of(node.body, _Scope(measures[0].variable))
        if node.half:
            return self._half(integrand, node)
        return self.integrals.integrated(integrand, node)

    def _half(self, integrand: Element, node: Integral) -> Element:
        """From 0 to inf at T = 0, where Ĉ(w) = 2 J(w) vanishes at w < 0: the whole line."""
        moving = [g for g in self.field.used(integrand) if isinstance(g, Moving)]
        fits = all(g.kind == "C" and g.reflect == 1 and not any(g.shift) and g.name for g in moving)
        if self.limit != "zero-temperature" or not fits or not moving:
            raise NotUnderstood(
                "an integral from 0 is understood at T = 0 only (--limit zero-temperature), over "
                "J(ω) or Ĉ(ω) and their derivatives",
                node.at,
            )
        return self.integrals.integrated(integrand, node)

    def _call(self, node: Call, scope: _Scope) -> Element:
        function, at = node.function, node.at
        value = self._of(node.argument, scope)
        if function.kind == "abs":
            raise NotUnderstood("a modulus is understood with an even power", at)
        if function.kind in ("Re", "Im"):
            none = self.field.rational(0)
            return Element(value.re if function.kind == "Re" else value.im, none)
        if value.im:
            raise NotUnderstood("the argument of a function must be real", node.argument.at)
        if function.kind == "defined":
            return self._defined(function.name, function.derivative, value, at)
        if function.kind in ("C", "P", "J"):
            return self._bath(node, value)
        if function.kind != "n" and function.derivative:
            raise NotUnderstood(f"a derivative of {function.kind}", at)
        if self.limit == "classical" and function.kind == "n":
            raise NotUnderstood("n belongs to thermal bosons; in the classical limit write T", at)
        if function.kind == "n":
            form = self.field.linear_form(value.re)
            if form is None or not any(form):
                raise NotUnderstood(
                    "n takes a transition frequency (not the variable of an integral)",
                    node.argument.at,
                )
            return self.relations.occupation(form, function.derivative, at)
        exponent = self.field.thermal_form(value.re) if value else (Fraction(0),)
        if function.kind == "exp" and scope.variable and exponent is None:
            return self._moving_exponential(value, node)
        if exponent is None:
            raise NotUnderstood(
                f"{function.kind} takes beta times a combination of transition frequencies",
                node.argument.at,
            )
        return self._hyperbolic(function.kind, exponent, at)

    def _moving_exponential(self, value: Element, node: Call) -> Element:
        """e^{-beta (w + shift)} under an integral, where detailed balance turns Ĉ(w) over."""
        form = self.field.moving_form(value.re * self.field.real(BETA).inverse())
        if self.limit != "thermal" or form is None or abs(form[-1]) != 1:
            raise NotUnderstood(
                "under an integral an exponential is e^{±beta (ω - frequency)}, with detailed "
                "balance",
                node.argument.at,
            )
        *shift, r = form
        outside = self.relations.exponential(shift, node.at)
        return self.field.generator(MOVING_BOLTZMANN).power(-int(r)) * outside

    def _defined(self, head: str, derivative: int, value: Element, at: int) -> Element:
        """A source's own rational function, at a value of its argument."""
        name, formula = self.dictionary.functions[head]
        argument = MatrixElement("S", name)
        body = self.element(parse(formula, self.dictionary, "latex"))
        for _ in range(derivative):
            body = self.field.derivative(body, argument)
        with _understood(at, "this function is infinite here"):
            return self.field.substituted(body, argument, value)

    def _hyperbolic(self, kind: str, x: tuple[Fraction, ...], at: int) -> Element:
        relations, minus = self.relations, tuple(-a for a in x)
        if kind == "exp":
            return relations.exponential(x, at)
        if kind == "coth":
            return relations.coth(x, at)
        if kind == "tanh":
            return relations.coth(x, at).inverse() if any(x) else self.field.number(0)
        up, down = relations.exponential(x, at), relations.exponential(minus, at)
        both = up + down if kind == "cosh" else up - down
        return both * self.field.number(Fraction(1, 2))

    def _bath(self, node: Call, value: Element) -> Element:
        function, place = node.function, node.argument.at
        form = self.field.moving_form(value.re)
        if form is None or any(x.denominator != 1 for x in form):
            raise NotUnderstood(
                "the argument must be an integer combination of "
                f"{', '.join(self.dictionary.frequencies)} (and the variable of an integral)",
                place,
            )
        *linear, r = (int(x) for x in form)
        frequency: Frequency = tuple(linear)
        name, derivative = function.name, function.derivative
        if r:
            if abs(r) != 1:
                raise NotUnderstood("the variable enters with the factor 1 or -1", place)
            if function.kind != "J":
                moving = Moving(function.kind, name, derivative, r, frequency)
                return self.field.generator(moving)
            if self.limit == "zero-temperature" and r == 1 and not any(frequency):
                half = self.field.number(Fraction(1, 2))
                return self.field.generator(Moving("C", name, derivative, 1, frequency)) * half
            raise NotUnderstood(
                "J under an integral is understood at T = 0 from 0 to ∞; else write Ĉ", node.at
            )
        if function.kind == "J" and self.dictionary.one_sided and sign(frequency) == -1:
            return self.field.number(0)
        if function.kind == "J":
            return self.relations.density(name, frequency, derivative, node.at)
        return self.relations(Value(function.kind, name, derivative, frequency))


@contextmanager
def _understood(at: int, infinite: str = "division by zero") -> Iterator[None]:
    try:
        yield
    except ZeroDivisionError:
        raise NotUnderstood(infinite, at) from None
    except TooLarge as fault:
        raise NotUnderstood(str(fault), at) from None


def _measures(node: Node) -> list[Measure]:
    """The dω among the factors of a product, numerators of fractions included."""
    if isinstance(node, Measure):
        return [node]
    if isinstance(node, Product):
        return [m for side, factor in node.factors if side > 0 for m in _measures(factor)]
    return []
