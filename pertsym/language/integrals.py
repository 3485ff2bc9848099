"""An integral as the finite-part integrals of the engine: partial fractions, substitution, parts.

With u = s + r w the first spectrum stands at the variable itself; a single function under the
integral is a transform of it, FP int Ĉ(u)/(u - b)^n = P^(n-1)(b)/(n-1)! and, by the Poincaré-
Bertrand relation, FP int P(u)/(u - b)^n = -pi^2 Ĉ^(n-1)(b)/(n-1)!.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import factorial
from typing import NamedTuple

import flint

from pertsym.algebra.rational_functions import RationalFunction
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Frequency
from pertsym.language.field import (
    MOVING_BOLTZMANN,
    PI,
    VARIABLE,
    Boltzmann,
    Element,
    Field,
    Generator,
    Moving,
    SlopedIntegral,
)
from pertsym.language.limits import sign
from pertsym.language.syntax import Integral, NotUnderstood
from pertsym.reduction.spectral import (
    Atom,
    SpectralIntegral,
    Value,
    added,
    monomial,
    negated,
    subtracted,
)

Meaning = Callable[[Atom], Element]


class _Pole(NamedTuple):
    at: Frequency
    order: int


class Integrals:
    """Integrals over one variable in a field; `meaning` says what an atom is in the limit."""

    def __init__(self, field: Field, meaning: Meaning) -> None:
        self.field, self.meaning = field, meaning

    def integrated(self, integrand: Element, node: Integral) -> Element:
        """The integral of an element over the variable from -inf to inf.

        Raises
        ------
        NotUnderstood
            Where the integrand is not a sum of products of one or two functions over powers of
            linear forms, or a mark does not fit a pole.
        """
        re = self._real(integrand.re, node)
        im = self._real(integrand.im, node)
        return re + im * self.field.number(0, 1)

    def slope(self, element: Element) -> Element:
        """The derivative with respect to the variable, Ĉ' for Ĉ."""
        return Element(self._slope(element.re), self._slope(element.im))

    def _slope(self, part: RationalFunction) -> RationalFunction:
        total = self.field.rational(0)
        for generator in list(self.field.generators):
            if generator == VARIABLE:
                total = total + self.field.partial(part, generator)
            elif isinstance(generator, Moving):
                next_one = generator._replace(derivative=generator.derivative + 1)
                inner = self.field.real(next_one) * generator.reflect
                total = total + self.field.partial(part, generator) * inner
        return total

    def _real(self, part: RationalFunction, node: Integral) -> Element:
        total = self.field.number(0)
        if not part:
            return total
        poles, outside = self._poles(part.denominator, node)
        groups: dict[tuple[tuple[Moving, int], ...], list[tuple[dict[object, int], int]]] = {}
        for named, coefficient in self.field.exponents(part.numerator):
            named = self._balanced(named, node)
            moving = tuple(sorted((g, n) for g, n in named.items() if isinstance(g, Moving)))
            rest = {g: n for g, n in named.items() if not isinstance(g, Moving)}
            groups.setdefault(moving, []).append((rest, coefficient))
        singular: dict[_Pole, Element] = {}
        none = self.field.rational(0)
        for moving, monomials in groups.items():
            functions = [g for g, n in moving for _ in range(n)]
            numerator = self._in_variable(monomials)
            for (at, order), weight in self._fractions(numerator, poles, functions, node).items():
                for k in range(order if node.mark != "FP" else 0):
                    left = self._taylor(functions, at, k) * Element(weight, none)
                    pole = _Pole(at, order - k)
                    singular[pole] = singular[pole] + left if pole in singular else left
                value = self._elementary(functions, at, order, node)
                total = total + Element(weight * outside, none) * value
        self._require_mark([pole for pole, left in singular.items() if left], node)
        return total

    def _balanced(self, named: dict[Generator, int], node: Integral) -> dict[Generator, int]:
        """e^{-beta w} Ĉ(s + w) = e^{beta s} Ĉ(-s - w), by detailed balance."""
        n = named.pop(MOVING_BOLTZMANN, 0)
        for _ in range(n):
            fitting = [
                g
                for g in named
                if isinstance(g, Moving) and g.kind == "C" and not g.derivative and g.reflect > 0
            ]
            if not fitting:
                raise NotUnderstood(
                    "an exponential of the variable needs a spectrum Ĉ to turn over", node.at
                )
            g = fitting[0]
            turned = g._replace(reflect=-1, shift=negated(g.shift))
            named[g] -= 1
            named = {key: power for key, power in named.items() if power}
            named[turned] = named.get(turned, 0) + 1
            for k, x in enumerate(g.shift):  # e^{beta s}, s = shift
                key = Boltzmann(k)
                named[key] = named.get(key, 0) - 2 * x
        return named

    def _taylor(self, functions: list[Moving], at: Frequency, k: int) -> Element:
        """The k-th Taylor coefficient of a product of functions at a pole."""
        if not functions:
            return self.field.number(int(not k))
        first, *others = functions
        total = self.field.number(0)
        place = added(first.shift, at if first.reflect > 0 else negated(at))
        for j in range(k + 1):
            value = self.meaning(Value(first.kind, first.name, first.derivative + j, place))
            weight = self.field.number(Fraction(first.reflect**j, factorial(j)))
            total = total + weight * value * self._taylor(others, at, k - j)
        return total

    def _require_mark(self, poles: list[_Pole], node: Integral) -> None:
        """Poles that are left on the path: P for simple ones, FP for others."""
        for pole in poles:
            if node.half and sign(pole.at) == -1:
                continue  # not on the path
            if pole.order > 1:
                problem = "a pole of second or higher order needs a finite part, FP"
                raise NotUnderstood(problem, node.at)
            if not node.mark:
                raise NotUnderstood("a pole on the path: mark the integral P or FP", node.at)

    def _in_variable(
        self, monomials: list[tuple[dict[object, int], int]]
    ) -> dict[int, RationalFunction]:
        """Powers of the variable with what multiplies them."""
        found: dict[int, RationalFunction] = {}
        for named, coefficient in monomials:
            power = named.pop(VARIABLE, 0)
            term = self.field.rational(coefficient)
            for generator, n in named.items():
                factor = self.field.real(generator)
                for _ in range(abs(n)):
                    term = term * (factor if n > 0 else factor.inverse())
            found[power] = found[power] + term if power in found else term
        return found

    def _poles(
        self, denominator: flint.fmpz_mpoly, node: Integral
    ) -> tuple[list[_Pole], RationalFunction]:
        """Poles in the variable, and 1/(what does not depend on it)."""
        content, factors = denominator.factor()
        outside = self.field.rational(Fraction(1, int(content)))
        poles: dict[Frequency, int] = {}
        for factor, power in factors:
            part = self.field.quotient(factor)
            used = self.field.used(Element(part, self.field.rational(0)))
            if not any(g == VARIABLE or isinstance(g, Moving) for g in used):
                for _ in range(int(power)):
                    outside = outside * part.inverse()
                continue
            linear = self.field.moving_form(part)
            at = None if linear is None else [-x / linear[-1] for x in linear[:-1]]
            if linear is None or at is None or any(x.denominator != 1 for x in at):
                raise NotUnderstood(
                    "under an integral, divide only by ω minus a transition frequency "
                    "(or products and powers of that)",
                    node.at,
                )
            for _ in range(int(power)):
                outside = outside * self.field.rational(linear[-1]).inverse()
            pole = tuple(int(x) for x in at)
            poles[pole] = poles.get(pole, 0) + int(power)
        return [_Pole(at, order) for at, order in poles.items()], outside

    def _fractions(
        self,
        numerator: Mapping[int, RationalFunction],
        poles: list[_Pole],
        functions: list[Moving],
        node: Integral,
    ) -> dict[_Pole, RationalFunction]:
        """Coefficients of 1/(w - a)^j: the Laurent expansion at each pole."""
        if max(numerator) >= sum(pole.order for pole in poles):
            raise NotUnderstood(
                "the integrand must fall off: divide by a higher power of ω - a", node.at
            )
        found: dict[_Pole, RationalFunction] = {}
        for pole in poles:
            series = self._shifted(numerator, pole)
            for other in poles:
                if other.at == pole.at:
                    continue
                gap = self.field.linear(subtracted(pole.at, other.at)).re.inverse()
                for _ in range(other.order):
                    series = _times_geometric(series, gap)
            for k, weight in enumerate(series):
                if weight:
                    found[_Pole(pole.at, pole.order - k)] = weight
        return found

    def _shifted(
        self, numerator: Mapping[int, RationalFunction], pole: _Pole
    ) -> list[RationalFunction]:
        """Taylor coefficients of the numerator at the pole, as many as its order."""
        at = self.field.linear(pole.at).re
        series = [self.field.rational(0) for _ in range(pole.order)]
        for power in range(max(numerator), -1, -1):  # Horner's scheme in (a + t)
            raised = [x * at for x in series]
            for k in range(1, pole.order):
                raised[k] = raised[k] + series[k - 1]
            series = raised
            if power in numerator:
                series[0] = series[0] + numerator[power]
        return series

    def _elementary(
        self, functions: list[Moving], at: Frequency, order: int, node: Integral
    ) -> Element:
        """FP int of one or two functions over (w - at)^order."""
        if not functions:
            raise NotUnderstood("there is no bath function of the variable here", node.at)
        if len(functions) > 2:
            raise NotUnderstood("more than two functions of the variable", node.at)
        first, *others = sorted(functions, key=lambda f: (f.kind, f.name, f.derivative))
        r, s = first.reflect, first.shift
        pole = added(s, at if r > 0 else negated(at))
        sign = self.field.number(r if order % 2 else 1)
        if not others:
            return sign * self._transform(first, pole, order)
        (second,) = others
        if second.kind == "P" and first.kind == "P":
            raise NotUnderstood("an integral over two transforms P", node.at)
        reflect = second.reflect * r
        shift = subtracted(second.shift, s) if reflect > 0 else added(second.shift, s)
        integral = SpectralIntegral(
            f"C{second.kind}", first.name, second.name, reflect, shift, pole, order
        )
        return sign * self._by_parts(integral, first.derivative, second.derivative, node)

    def _transform(self, function: Moving, pole: Frequency, order: int) -> Element:
        derivative = function.derivative + order - 1
        weight = self.field.number(Fraction(1, factorial(order - 1)))
        if function.kind == "C":
            return weight * self.meaning(Value("P", function.name, derivative, pole))
        minus = self.field.number(-1) * self.field.generator(PI).power(2)
        return weight * minus * self.meaning(Value("C", function.name, derivative, pole))

    def _by_parts(self, integral: SpectralIntegral, a: int, b: int, node: Integral) -> Element:
        """int X^(a)(u) Y^(b)(s + r u)/(u - c)^n with all derivatives on the second function."""
        if a:
            onto = self._by_parts(integral, a - 1, b + 1, node) * self.field.number(
                -integral.reflect
            )
            higher = integral._replace(order=integral.order + 1)
            rest = self._by_parts(higher, a - 1, b, node)
            return onto + rest * self.field.number(integral.order)
        if not b:
            return self.field.form(monomial(Gaussian(1), integral), self.meaning)
        if integral.kind == "CC" and integral.name == integral.other:
            if b > 1:
                raise NotUnderstood(
                    "higher derivatives of one spectrum under an integral; integrate by parts",
                    node.at,
                )
            return self._own_slope(integral)
        return self.field.generator(SlopedIntegral(integral, b))

    def _own_slope(self, integral: SpectralIntegral) -> Element:
        """int Ĉ(u) Ĉ'(s + r u)/(u - c)^n, which is related to its mirror image.

        By parts and v = s + r u:  I(s, c) = r n int Ĉ Ĉ/(u - c)^(n+1) - r^(n+1) I(s', c') with
        s' = -r s, c' = s + r c.
        """
        r, n = integral.reflect, integral.order
        higher = integral._replace(order=n + 1)
        plain = self.field.form(monomial(Gaussian(r * n), higher), self.meaning)
        shift = integral.shift if r < 0 else negated(integral.shift)
        pole = added(integral.shift, integral.pole if r > 0 else negated(integral.pole))
        mirrored = integral._replace(shift=shift, pole=pole)
        sign = r ** (n + 1)
        if mirrored == integral:
            if sign > 0:
                return plain * self.field.number(Fraction(1, 2))
            return self.field.generator(SlopedIntegral(integral, 1))
        if integral <= mirrored:
            return self.field.generator(SlopedIntegral(integral, 1))
        image = self.field.generator(SlopedIntegral(mirrored, 1))
        return plain - image * self.field.number(sign)


def _times_geometric(
    series: list[RationalFunction], inverse: RationalFunction
) -> list[RationalFunction]:
    """The series times 1/(g + t), given 1/g."""
    found: list[RationalFunction] = []
    for k, x in enumerate(series):
        found.append((x - found[k - 1]) * inverse if k else x * inverse)
    return found
