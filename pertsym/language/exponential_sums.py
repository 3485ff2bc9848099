"""Exact sums of rational functions times exponentials, closed under the integrals of a derivation.

A term is a number, times powers of linear forms in the variables, times the exponential of times
multiplied by linear forms in frequencies.  Integrals over times and over frequencies, limits and
derivatives stay inside, with Gaussian-rational numbers throughout; pi is a rational number like
any other, which an identity between such sums cannot tell from the true one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import factorial, isqrt
from typing import Final

from pertsym.exact import Gaussian
from pertsym.language.reader import NotRead

PI: Final = Fraction(2837, 903)
HIGHEST: Final = 4
"""Powers of delta beyond this one are dropped."""

Linear = tuple[tuple[str, Gaussian], ...]
"""Sorted pairs of variable and coefficient; the variable of the constant is ""."""
Factors = tuple[tuple[Linear, int], ...]
Exponent = tuple[tuple[str, Linear], ...]
"""Times ("" for none) with what multiplies them."""

DELTA: Final[Linear] = (("delta", Gaussian(1)),)


def linear(pairs: Iterable[tuple[str, Gaussian]]) -> Linear:
    """The form with equal variables added up."""
    sums: dict[str, Gaussian] = {}
    for name, z in pairs:
        sums[name] = sums.get(name, Gaussian()) + z
    return tuple(sorted((name, z) for name, z in sums.items() if z))


def constant(z: Gaussian | Fraction | int) -> Linear:
    """The form without variables."""
    return linear([("", z if isinstance(z, Gaussian) else Gaussian(z))])


def variable(name: str) -> Linear:
    """One variable."""
    return ((name, Gaussian(1)),)


def multiple(form: Linear, z: Gaussian | Fraction | int) -> Linear:
    """z * form."""
    return linear((name, c * z) for name, c in form)


def put_in(form: Linear, name: str, value: Linear) -> Linear:
    """The form with a variable replaced."""
    z = coefficient(form, name)
    return linear([*(pair for pair in form if pair[0] != name), *multiple(value, z)])


def coefficient(form: Linear, name: str) -> Gaussian:
    """What multiplies a variable."""
    return dict(form).get(name, Gaussian())


def reciprocal(z: Gaussian) -> Gaussian:
    """1/z."""
    if not z:
        raise NotRead("division by zero")
    return 1 / z


def root(z: Gaussian) -> Gaussian:
    """The square root of a square of a rational number."""
    above, below = isqrt(abs(z.re.numerator)), isqrt(z.re.denominator)
    found = Gaussian(Fraction(above, below))
    if found * found != z:
        raise NotRead(f"the square root of {z} is not rational")
    return found


def raised(z: Gaussian, n: int) -> Gaussian:
    """z^n."""
    return (z if n >= 0 else reciprocal(z)) ** abs(n)


Number = Gaussian | Fraction | int


@dataclass(frozen=True)
class ExponentialSum:
    """The sum; immutable."""

    terms: Mapping[tuple[Factors, Exponent], Gaussian]

    @classmethod
    def of(cls, terms: Iterable[tuple[Gaussian, Factors, Exponent]]) -> ExponentialSum:
        """Collected terms; powers of delta beyond the highest are dropped."""
        sums: dict[tuple[Factors, Exponent], Gaussian] = {}
        for z, factors, exponent in terms:
            z, factors = _normal(z, factors)
            if not z or _beyond(factors):
                continue
            key = (factors, _exponent(exponent))
            sums[key] = sums.get(key, Gaussian()) + z
        return cls({key: z for key, z in sums.items() if z})

    @classmethod
    def number(cls, z: Number) -> ExponentialSum:
        return cls.of([(z if isinstance(z, Gaussian) else Gaussian(z), (), ())])

    @classmethod
    def form(cls, form: Linear, power: int = 1) -> ExponentialSum:
        """A power of a linear form; sums of variables are expanded for positive powers."""
        if power != 1:
            return cls.of([(Gaussian(1), ((form, power),), ())])
        return cls.of((z, ((variable(name), 1),) if name else (), ()) for name, z in form)

    @classmethod
    def exponential(cls, exponent: Iterable[tuple[str, Linear]]) -> ExponentialSum:
        return cls.of([(Gaussian(1), (), tuple(exponent))])

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __iter__(self) -> Iterator[tuple[Gaussian, Factors, Exponent]]:
        return ((z, factors, exponent) for (factors, exponent), z in self.terms.items())

    def __add__(self, other: ExponentialSum | Number) -> ExponentialSum:
        if not isinstance(other, (ExponentialSum, Gaussian, Fraction, int)):
            return NotImplemented
        sums = dict(self.terms)
        for key, z in _summed(other).terms.items():
            sums[key] = sums[key] + z if key in sums else z
        return ExponentialSum({key: z for key, z in sums.items() if z})

    __radd__ = __add__

    def __neg__(self) -> ExponentialSum:
        return ExponentialSum({key: -z for key, z in self.terms.items()})

    def __sub__(self, other: ExponentialSum | Number) -> ExponentialSum:
        return self + -other

    def __rsub__(self, other: Number) -> ExponentialSum:
        return -self + other

    def __mul__(self, other: ExponentialSum | Number) -> ExponentialSum:
        if not isinstance(other, (ExponentialSum, Gaussian, Fraction, int)):
            return NotImplemented
        sums: dict[tuple[Factors, Exponent], Gaussian] = {}
        for (a, e), x in self.terms.items():
            for (b, f), y in _summed(other).terms.items():
                factors = _collected((*a, *b)) if a and b else a or b
                if not _beyond(factors):
                    key = (factors, _exponent((*e, *f)) if e and f else e or f)
                    sums[key] = sums[key] + x * y if key in sums else x * y
        return ExponentialSum({key: z for key, z in sums.items() if z})

    __rmul__ = __mul__

    def conjugate(self) -> ExponentialSum:
        """All variables are real."""
        return ExponentialSum.of(
            (
                z.conjugate(),
                tuple((_conjugate(form), n) for form, n in factors),
                tuple((time, _conjugate(form)) for time, form in exponent),
            )
            for z, factors, exponent in self
        )

    def as_linear(self) -> Linear:
        """The sum as a linear form in its variables."""
        pairs = []
        for z, factors, exponent in self:
            if exponent or len(factors) > 1 or any(n != 1 or len(f) > 1 for f, n in factors):
                raise NotRead("this is no linear form in the variables")
            pairs.append((factors[0][0][0][0] if factors else "", z))
        return linear(pairs)

    def inverse(self) -> ExponentialSum:
        """1/sum of one term, or of a linear form."""
        if len(self.terms) == 1:
            ((z, factors, exponent),) = self
            return ExponentialSum.of(
                [
                    (
                        reciprocal(z),
                        tuple((form, -n) for form, n in factors),
                        tuple((time, multiple(form, -1)) for time, form in exponent),
                    )
                ]
            )
        if not self:
            raise NotRead("division by zero")
        return ExponentialSum.form(self.as_linear(), -1)

    def power(self, n: int) -> ExponentialSum:
        base, result = (self if n >= 0 else self.inverse()), ExponentialSum.number(1)
        for _ in range(abs(n)):
            result = result * base
        return result

    def put_in(self, name: str, value: Linear) -> ExponentialSum:
        """A variable replaced by a linear form."""
        terms = []
        for z, factors, exponent in self:
            turned: list[tuple[str, Linear]] = []
            for time, form in exponent:
                inner = put_in(form, name, value)
                if time == name:
                    turned += [(t, multiple(inner, c)) for t, c in value]
                else:
                    turned.append((time, inner))
            moved = tuple((put_in(form, name, value), n) for form, n in factors)
            terms.append((z, moved, tuple(turned)))
        return ExponentialSum.of(terms)

    def derivative(self, name: str) -> ExponentialSum:
        """With respect to a variable."""
        terms = []
        for z, factors, exponent in self:
            for k, (form, n) in enumerate(factors):
                lowered = (*factors[:k], (form, n - 1), *factors[k + 1 :])
                terms.append((z * coefficient(form, name) * n, lowered, exponent))
            for time, form in exponent:
                if time == name:
                    terms.append((z, (*factors, (form, 1)), exponent))
                terms.append((z * coefficient(form, name), (*factors, (_time(time), 1)), exponent))
        return ExponentialSum.of(terms)

    def over_time(self, name: str, upper: Linear | None) -> ExponentialSum:
        """The integral over a variable from 0 to a linear form, None for infinity."""
        total = ExponentialSum({})
        for z, factors, exponent in self:
            rate = dict(exponent).get(name, ())
            rest = tuple(pair for pair in exponent if pair[0] != name)
            outside = tuple(pair for pair in factors if not coefficient(pair[0], name))
            inner = ExponentialSum.number(1)
            for form, n in factors:
                if coefficient(form, name):
                    if n < 0:
                        raise NotRead(f"an integral over {name} with {name} in a denominator")
                    inner = inner * ExponentialSum.form(form).power(n)
            front = ExponentialSum.of([(z, outside, rest)])
            for w, inside, _ in inner:
                n = {form[0][0]: k for form, k in inside}.get(name, 0)
                left = tuple(pair for pair in inside if pair[0][0][0] != name)
                primitive = _primitive(name, n, rate)
                ends = -primitive.put_in(name, ())
                if upper is not None:
                    ends = ends + primitive.put_in(name, upper)
                elif coefficient(rate, "").re >= 0:
                    raise NotRead(f"the integral over {name} does not converge")
                total = total + front * ExponentialSum.of([(w, left, ())]) * ends
        return total

    def over_line(self, name: str, marked: bool) -> ExponentialSum:
        """The integral over a variable from -inf to inf by residues, poles on the line halved."""
        total = ExponentialSum({})
        on_path: dict[Linear, ExponentialSum] = {}
        for z, factors, exponent in self:
            side = _closing(exponent, name)
            for k, (form, n) in enumerate(factors):
                a = coefficient(form, name)
                if not a or n >= 0:
                    continue
                pole = multiple(linear(p for p in form if p[0] != name), -reciprocal(a))
                height = coefficient(pole, "").im
                where = (height > 0) - (height < 0)
                weight = where if not side else (side if where == side else side * (not where))
                if not weight and (where or marked):
                    continue
                front = z * raised(a, n) * Fraction(1, factorial(-n - 1))
                rest = ExponentialSum.of([(front, factors[:k] + factors[k + 1 :], exponent)])
                for _ in range(-n - 1):
                    rest = rest.derivative(name)
                residue = rest.put_in(name, pole)
                if not where:
                    on_path[pole] = on_path.get(pole, ExponentialSum({})) + residue
                scale = Gaussian(0, PI * weight * (1 if not side or not where else 2))
                total = total + residue * ExponentialSum.number(scale)
        if not marked and any(residue for residue in on_path.values()):
            raise NotRead("a pole on the path: mark the integral P")
        return total

    def at_late_times(self, name: str) -> ExponentialSum:
        """The limit of a time to infinity."""
        kept = []
        for z, factors, exponent in self:
            rate = coefficient(dict(exponent).get(name, ()), "").re
            if rate < 0:
                continue
            used = any(time == name for time, _ in exponent)
            if used or any(coefficient(form, name) for form, _ in factors):
                raise NotRead(f"no limit {name} -> infinity")
            kept.append((z, factors, exponent))
        return ExponentialSum.of(kept)

    def before(self, order: int) -> ExponentialSum:
        """Without powers of delta from an order on."""
        return ExponentialSum.of(term for term in self if dict(term[1]).get(DELTA, 0) < order)

    def values(self, at: Mapping[str, Fraction]) -> dict[Gaussian, Gaussian]:
        """Exponents with their numbers, when all variables have the values `at`."""
        found: dict[Gaussian, Gaussian] = {}
        for z, factors, exponent in self:
            for form, n in factors:
                z = z * raised(_value(form, at), n)
            total = Gaussian()
            for time, form in exponent:
                total = total + _value(form, at) * (at[time] if time else 1)
            found[total] = found.get(total, Gaussian()) + z
        return {exponent: z for exponent, z in found.items() if z}


def _summed(value: ExponentialSum | Number) -> ExponentialSum:
    return value if isinstance(value, ExponentialSum) else ExponentialSum.number(value)


def _primitive(name: str, n: int, rate: Linear) -> ExponentialSum:
    """An integral of x^n exp(rate x)."""
    x = variable(name)
    if not rate:
        return ExponentialSum.of([(Gaussian(Fraction(1, n + 1)), ((x, n + 1),), ())])
    return ExponentialSum.of(
        (
            Gaussian(Fraction((-1) ** k * factorial(n), factorial(n - k))),
            ((x, n - k), (rate, -k - 1)),
            ((name, rate),),
        )
        for k in range(n + 1)
    )


def _closing(exponent: Exponent, name: str) -> int:
    """The half plane in which an exponential of the variable falls off; 0 without one."""
    slopes = [coefficient(form, name) for _, form in exponent]
    sides = {(z.im > 0) - (z.im < 0) for z in slopes if z}
    if len(sides) > 1 or any(z.re for z in slopes):
        raise NotRead(f"exponentials of {name} that fall off on different sides")
    return sides.pop() if sides else 0


def _normal(z: Gaussian, factors: Factors) -> tuple[Gaussian, Factors]:
    """Forms with the leading coefficient 1, constants multiplied into the number."""
    led: list[tuple[Linear, int]] = []
    for form, n in factors:
        if not n:
            continue
        lead = next((c for name, c in form if name), None)
        if lead is None:
            z = z * raised(coefficient(form, ""), n)
            continue
        if lead != 1:
            z, form = z * raised(lead, n), multiple(form, reciprocal(lead))
        led.append((form, n))
    return z, _collected(led)


def _collected(factors: Iterable[tuple[Linear, int]]) -> Factors:
    """Powers of equal forms added up, in one order."""
    powers: dict[Linear, int] = {}
    for form, n in factors:
        powers[form] = powers.get(form, 0) + n
    kept = [(form, n) for form, n in powers.items() if n]
    return tuple(sorted(kept, key=_place) if len(kept) > 1 else kept)


def _beyond(factors: Factors) -> bool:
    """Whether a term is of an order in delta that is dropped."""
    return any(n > HIGHEST and form == DELTA for form, n in factors)


def _place(factor: tuple[Linear, int]) -> list[tuple[str, tuple[int, int, int]]]:
    return [(name, z.integers) for name, z in factor[0]]


def _exponent(exponent: Iterable[tuple[str, Linear]]) -> Exponent:
    sums: dict[str, Linear] = {}
    for time, form in exponent:
        sums[time] = linear([*sums.get(time, ()), *form])
    return tuple((time, form) for time, form in sorted(sums.items()) if form)


def _time(name: str) -> Linear:
    return variable(name) if name else constant(1)


def _conjugate(form: Linear) -> Linear:
    return tuple((name, z.conjugate()) for name, z in form)


def _value(form: Linear, at: Mapping[str, Fraction]) -> Gaussian:
    total = Gaussian()
    for name, z in form:
        total = total + z * (at[name] if name else 1)
    return total
