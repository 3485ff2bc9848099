"""A density given as a formula, evaluated in ball arithmetic by a walk over its tree."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from operator import methodcaller
from types import MappingProxyType
from typing import Any, Final

import flint
import sympy

from pertsym.baths import balls
from pertsym.baths.balls import Ball, Decay
from pertsym.baths.panels import widened
from pertsym.expressions.numeric import BALLS, Arithmetic, NoValue, W, balls_of, compiled
from pertsym.precision import ball_bits

_ZERO, _ONE = flint.arb(0), flint.arb(1)
_COSINE = flint.arb("0.59")  # less than cos 2a of the half angle a of the sector, tan a = 1/2
_RING = 16
_SMALLEST = 400  # halvings
_TINY = flint.arb(2.0**-200)
_HIGHEST = 12  # order of a zero in a denominator


def _power(exponent: sympy.Expr) -> Callable[[Ball], Ball]:
    number: Any = int(exponent) if exponent.is_Integer else None
    value, plain = balls_of(exponent), BALLS.power(exponent)

    def power(z: Ball) -> Ball:
        return plain(z) if isinstance(z, flint.arb) else balls.power(z, number or value(None))

    return power


def _tanh(x: Ball) -> Ball:
    if not balls.is_series(x) or abs(x[0].real) > 1:
        return x * balls.tanh_quotient(x)
    grown, constant = (x - x[0]).exp(), x[0].tanh()  # no division by what may be 0
    rest = (grown - 1 / grown) / (grown + 1 / grown)
    return (constant + rest) / (1 + constant * rest)


_OWN: Final[Mapping[str, Callable[[Ball], Ball]]] = MappingProxyType(
    {
        "log": balls.log,
        "tanh": _tanh,
        "cosh": lambda x: (x.exp() + (-x).exp()) / 2,
        "sinh": lambda x: (x.exp() - (-x).exp()) / 2,
    }
)
"""Where those of arb are not analytic, or not of power series, or wide."""

_ANALYTIC: Final = Arithmetic(
    BALLS.constant, _power, lambda name: _OWN.get(name) or methodcaller(name)
)


def analytic(formula: sympy.Expr) -> Callable[[Ball], Ball]:
    """A formula as a function of balls and power series; not finite where it is not analytic."""
    return compiled(formula, _ANALYTIC)


class ExpressionBalls:
    """J of one formula: w^leading core(w), and its decay.

    Where J/w^power is not analytic at w = 0 (another root of w, an essential singularity), the
    core is that for the power 1 and has no value around 0.  Nor has a core with a `leading` power
    of its own above `infrared_power`, that of J as w -> 0.
    """

    def __init__(self, formula: sympy.Expr, infrared_power: float, leading: float) -> None:
        self._formula, self.leading = formula, leading
        self._core = self._compiled_core(leading)
        self._bounded = infrared_power >= leading

    @classmethod
    def of(cls, formula: sympy.Expr, infrared_power: float) -> ExpressionBalls:
        """With the power at small w, or 1, divided off."""
        if math.isfinite(infrared_power):
            found = cls(formula, infrared_power, infrared_power)
            bound = found._core(_disc(_TINY)) if infrared_power >= 1 else found._largest(_TINY)
            if bound.is_finite():
                return found
        return cls(formula, infrared_power, 1.0)

    def _compiled_core(self, leading: float) -> Callable[[Ball], Ball]:
        """Each term of a sum is divided for itself, so that powers of w combine exactly."""
        factor = W ** -sympy.nsimplify(leading, rational=True)
        factored = sympy.factor_terms(self._formula)
        combined = sympy.powsimp(factored * factor)
        if isinstance(factored, sympy.Mul):
            sums = [x for x in factored.args if isinstance(x, sympy.Add)]
            if combined.has(1 / W) and len(sums) == 1:
                rest = factored / sums[0]
                combined = sympy.Add(
                    *(sympy.powsimp(sympy.expand(x * rest) * factor) for x in sums[0].args)
                )
        return analytic(combined)

    def _removable(self, disc: Any) -> bool:
        """Whether J is meromorphic in a disc around 0, with a pole or zero at 0 only.

        It is if every function and every root is analytic at its argument, and a base g of a
        negative integer power vanishes at 0 alone: g = w^m mean of g^(m)/m! between 0 and w.
        """
        if self._watched is None:
            return False
        functions, divisors = self._watched
        return all(f(disc).is_finite() for f in functions) and all(
            _zero_free(f, disc) for f in divisors
        )

    @cached_property
    def _watched(self) -> tuple[list[Callable[[Ball], Ball]], list[Callable[[Ball], Ball]]] | None:
        """The functions and the divisors in J; None if J over the power has no value around 0."""
        nodes = [node for node in sympy.preorder_traversal(self._formula) if node.has(W)]
        powers = [node for node in nodes if isinstance(node, sympy.Pow)]
        whole = float(self.leading).is_integer() and all(p.exp.is_number for p in powers)
        if not (self._bounded and whole):
            return None
        roots = [p for p in powers if not p.exp.is_Integer]
        functions = [analytic(node) for node in nodes if node.is_Function or node in roots]
        return functions, [analytic(p.base) for p in powers if p.exp.is_Integer and p.exp < 0]

    def core(self, w: Ball) -> Ball:
        """J/w^leading; around 0, where a quotient is removable, from a circle around 0."""
        if balls.is_series(w):
            try:
                return self._core(w)
            except ValueError:  # no power series: 0 in a denominator
                if not w[0].is_zero():
                    raise ArithmeticError(f"{self._formula}: no series at {w[0]}") from None
            scaled = [c * w[1] ** k for k, c in enumerate(self._coefficients(w.prec))]
            return flint.acb_series(scaled, w.prec)
        value = self._core(w)
        if value.is_finite() or not w.contains(0):
            return value
        if w.is_zero():
            return self._coefficients(1)[0]
        ball = flint.arb(0, self._largest(2 * w.abs_upper()))
        return flint.acb(ball, ball)

    def _largest(self, radius: Any) -> Any:
        """|J/w^leading| for |w| <= radius; infinite where it may not be analytic.

        Of a removable quotient by the maximum principle.
        """
        whole = self._core(_disc(radius))
        if whole.is_finite():
            return whole.abs_upper()
        largest = flint.arb(0)
        if not self._removable(_disc(radius)):
            return flint.arb.pos_inf()
        for k in range(_RING):
            low, high = (flint.arb(flint.fmpq(2 * k + e, _RING)) for e in (-1, 1))
            value = self._core(flint.acb(low.union(high)).exp_pi_i() * radius)
            largest = largest.max(value.abs_upper() if value.is_finite() else flint.arb.pos_inf())
        return largest

    def _coefficients(self, terms: int) -> list[Any]:
        """Taylor coefficients at 0: means over a circle, aliases bounded on one 16 times larger."""
        radius = flint.arb(1)
        for _ in range(_SMALLEST):
            bound = self._largest(radius)
            if bound.is_finite():
                break
            radius = radius / 2
        else:
            raise ArithmeticError(f"{self._formula}: no circle around 0 for a Taylor series")
        bits = flint.ctx.prec
        count, found = bits // 4 + terms + 8, []
        with ball_bits(2 * bits):  # high powers of a small radius
            points = [(flint.acb(2 * k) / count).exp_pi_i() * radius / 16 for k in range(count)]
            values = [self._core(point) for point in points]
            for n in range(terms):
                mean = sum((v / p**n for v, p in zip(values, points, strict=True)), flint.acb(0))
                alias = 2 * bound / radius**n / flint.arb(16) ** count
                found.append(widened(mean / count, alias.abs_upper()))
        return found

    @cached_property
    def _tail(self) -> Callable[[Any], Any]:
        return compiled(self._formula, _TAILS)

    def decay(self, start: Any) -> Decay | None:
        """|J(w)| <= size |w|^power exp(-rate Re w), from leading terms with bounded remainders."""
        if self._formula.is_zero:
            return Decay(_ZERO, 0.0, _ZERO)
        start = balls.real(start)
        try:
            found = self._tail(_Tail(start, flint.arb(1), Fraction(1)))
        except NoValue:
            return None
        size, power = abs(found.factor) * (1 + found.error), float(found.power)
        degree = found.degree
        if degree == 0:
            return Decay(size, power, flint.arb(0))
        if not found.rate > 0:
            return None
        if degree >= 1:  # |exp(-b w^q)| <= exp(-b' w), b' = b W^(q-1) cos
            rate = found.rate * start ** balls.real(degree - 1)
            rate = rate if degree == 1 else rate * _COSINE
            return Decay(size, power, rate.lower())
        # a stretched exponential is less than any power from where it has fallen below it
        steep = 8
        fallen = found.rate * start ** balls.real(degree) * _COSINE
        if not fallen * balls.real(degree) > steep:
            return None
        return Decay(size * (-fallen).exp() * start**steep, power - steep, flint.arb(0))


def _disc(radius: Any) -> Any:
    """A ball that holds all |w| <= radius."""
    ball = flint.arb(0, radius.abs_upper())
    return flint.acb(ball, ball)


def _zero_free(function: Callable[[Ball], Ball], disc: Any) -> bool:
    """Whether it is sure to vanish nowhere in a disc around 0 but at 0."""
    try:
        here, there = (balls.taylor(function, at, 1, _HIGHEST) for at in (0, disc))
    except (ValueError, ArithmeticError):
        return False
    for at_zero, within in zip(here, there, strict=True):
        if not at_zero.is_zero():
            return bool(within.is_finite() and within.abs_lower() > 0)
    return False


@dataclass(frozen=True)
class _Tail:
    """factor w^power exp(-rate w^degree) (1 + d), |d| <= error, for |w| >= start in the sector.

    An error of 1 or more makes it a bound only.  What is not known raises `NoValue`.
    """

    start: Any
    factor: Any
    power: Fraction = Fraction(0)
    rate: Any = _ZERO
    degree: Fraction = Fraction(0)
    error: Any = _ZERO

    def __mul__(self, other: _Tail) -> _Tail:
        if self.degree and other.degree and self.degree != other.degree:
            raise NoValue("exponentials of two kinds")
        return _Tail(
            self.start,
            self.factor * other.factor,
            self.power + other.power,
            self.rate + other.rate,
            self.degree or other.degree,
            (1 + self.error) * (1 + other.error) - 1,
        )

    def __add__(self, other: _Tail) -> _Tail:
        """The slower part; the other is bounded relative to it."""
        top, part = sorted((self, other), key=_Tail._order)
        rise, fall = part.power - top.power, _ZERO
        if part.degree == top.degree and not part.rate > top.rate:
            falls = rise <= 0
        else:  # Re r w^q lies between r |w|^q and cos r |w|^q
            exponents = [(part.rate, part.degree), (-top.rate, top.degree)]
            if part.degree == top.degree:
                exponents = [(part.rate - top.rate, top.degree)]
            sizes = [(r * _COSINE if r > 0 else r) * self._reached(q) for r, q in exponents]
            fall = sum(sizes, fall)
            slope = sum(
                (x * balls.real(q) for x, (_, q) in zip(sizes, exponents, strict=True)),
                _ZERO,
            )
            falls = slope > max(balls.real(rise), 0)
        if not falls:
            raise NoValue("the slower term is not known")
        ratio = abs(part.factor / top.factor) * self._reached(rise) * (1 + part.error)
        return replace(top, error=top.error + ratio * (-fall).exp())

    def _order(self) -> tuple[Fraction, float, Fraction]:
        if self.degree and not abs(self.rate) > 0:
            raise NoValue("growth or decay")
        return self.degree if self.rate > 0 else -self.degree, float(self.rate), -self.power

    def _reached(self, power: Fraction) -> Any:
        return self.start ** balls.real(power)

    def __rtruediv__(self, one: int) -> _Tail:
        return self.raised(sympy.Integer(-1))

    def raised(self, exponent: sympy.Expr) -> _Tail:
        if not exponent.is_Rational:
            raise NoValue("a power that is no fraction")
        n = Fraction(int(exponent.p), int(exponent.q))
        whole = n.denominator == 1
        number: Any = int(n) if whole else balls.real(n)
        if whole and n > 0 and not self.error < 1:
            error = (1 + self.error) ** number - 1
        elif self.error < 1 and (whole or self.factor > 0):
            # |(1 + d)^n - 1|
            error = ((-abs(balls.real(n)) * (1 - self.error).log()).exp() - 1).abs_upper()
        else:
            raise NoValue("a power of what may vanish")
        factor, rate = self.factor**number, self.rate * balls.real(n)
        return _Tail(self.start, factor, self.power * n, rate, self.degree, error)

    @property
    def _size(self) -> Any:
        """A bound of the modulus at `start`, without the exponential."""
        return abs(self.factor) * self._reached(self.power) * (1 + self.error)

    def exp(self) -> _Tail:
        if self.degree or self.power > 2:
            raise NoValue("an exponential of that")
        if self.power <= 0:
            return _Tail(self.start, _ONE, error=self._size.exp() - 1)
        if self.error.is_zero():
            return _Tail(self.start, _ONE, rate=-self.factor, degree=self.power)
        # what is beside the leading term weakens it
        rate = -self.factor - abs(self.factor) * self.error / _COSINE
        return _Tail(self.start, _ONE, rate=rate, degree=self.power, error=_ONE)

    def exponentials(self, sign: int) -> _Tail:
        """cosh or sinh."""
        other = (self * _Tail(self.start, -_ONE)).exp()
        half = _Tail(self.start, _ONE / 2)
        return (self.exp() + other * _Tail(self.start, flint.arb(sign))) * half

    def wave(self) -> _Tail:
        """A bound of sine and cosine: |sin kw| <= exp(|k| |Im w|) and |Im w| <= Re w/2."""
        if self.degree or self.power != 1:
            raise NoValue("an oscillation of that")
        growth = abs(self.factor) * (_ONE / 2 + 9 * self.error / 8)  # |w| < 9/8 Re w
        return _Tail(self.start, _ONE, rate=-growth, degree=Fraction(1), error=_ONE)

    def tanh(self) -> _Tail:
        if self.degree or not 0 < self.power <= 1:
            raise NoValue("tanh of that")
        least = abs(self.factor) * self._reached(self.power) * (_COSINE - self.error)
        left = (-2 * least).exp()
        if not (least > 0 and left < 1):
            raise NoValue("tanh has not settled")
        sign = flint.arb(1 if self.factor > 0 else -1)
        return _Tail(self.start, sign, error=2 * left / (1 - left))


def _of_tails(name: str) -> Callable[[_Tail], _Tail]:
    known: dict[str, Callable[[_Tail], _Tail]] = {
        "exp": _Tail.exp,
        "sin": _Tail.wave,
        "cos": _Tail.wave,
        "tanh": _Tail.tanh,
        "cosh": lambda x: x.exponentials(1),
        "sinh": lambda x: x.exponentials(-1),
    }
    if name not in known:
        raise NoValue(f"{name} at large w")
    return known[name]


def _constant_tail(node: sympy.Expr) -> Callable[[_Tail], _Tail]:
    number = balls_of(node)

    def constant(w: _Tail) -> _Tail:
        value = number(None)
        if not abs(value) > 0:
            raise NoValue("a constant that may be 0")
        return _Tail(w.start, value)

    return constant


_TAILS: Final = Arithmetic(_constant_tail, lambda exponent: lambda x: x.raised(exponent), _of_tails)
