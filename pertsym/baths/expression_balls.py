"""A density given as a formula, evaluated in ball arithmetic by a walk over its tree."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cached_property
from operator import methodcaller
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import flint
import sympy

from pertsym.baths import balls
from pertsym.baths.balls import Ball, Decay
from pertsym.expressions.numeric import Arithmetic, W, balls_of, compiled, enclosed, rational_ball

if TYPE_CHECKING:
    from pertsym.expressions.expression import Expression

_Node = Callable[[Ball], Ball]


def _power(exponent: sympy.Expr) -> _Node:
    power, number = float(exponent), balls_of(exponent)
    if exponent.is_Rational and Fraction(power) == Fraction(int(exponent.p), int(exponent.q)):
        return lambda z: balls.power(z, power)
    return lambda z: (balls.log(z) * number(None)).exp()


def _cosh(x: Ball) -> Ball:
    grown = x.exp()
    return (grown + 1 / grown) / 2


def _sinh(x: Ball) -> Ball:
    grown = x.exp()
    return (grown - 1 / grown) / 2


# arb's own functions where they are those of power series as well
_FUNCTIONS: Final[Mapping[str, _Node]] = MappingProxyType(
    {
        **{name: methodcaller(name) for name in ("exp", "sin", "cos")},
        "log": balls.log,
        "tan": lambda x: x.sin() / x.cos(),
        "tanh": lambda x: x * balls.tanh_quotient(x),
        "cosh": _cosh,
        "sinh": _sinh,
    }
)
_ANALYTIC: Final = Arithmetic(balls_of, _power, _FUNCTIONS.__getitem__)


def analytic(formula: sympy.Expr) -> _Node:
    """A formula as a function of balls and power series; not finite where it is not analytic."""
    return compiled(formula, _ANALYTIC)


_COSINE = flint.arb("0.59")  # less than cos 2a of the half angle a of the sector, tan a = 1/2
_RING = 16
_SMALLEST = 400  # halvings
_TINY = flint.acb(flint.arb(0, 2.0**-200), flint.arb(0, 2.0**-200))


class PiecewiseBalls:
    """J of an expression: one formula between two breaks, all divided by the same power of w.

    Raises
    ------
    ArithmeticError
        If a break is not an exact double, or a formula has no ball arithmetic.
    """

    def __init__(self, expression: Expression, infrared_power: float) -> None:
        breaks, self._formulas = expression.pieces
        if any(sympy.Rational(float(b)) != b for b in breaks):
            raise ArithmeticError(f"expression: J changes at {breaks}, which is no exact double")
        self._breaks = breaks
        first = ExpressionBalls(self._formulas[0], infrared_power)
        self.leading = first.leading
        others = [ExpressionBalls(f, self.leading, forced=True) for f in self._formulas[1:]]
        self._parts = (first, *others)
        self._edges: dict[tuple[int, int], tuple[float, Callable[[Ball], Ball]]] = {}

    def core(self, w: Ball, piece: int = 0) -> Ball:
        """J/w^leading of one piece."""
        return self._parts[piece].core(w)

    def decay(self, start: Any) -> Decay | None:
        """A bound for large w; None before the last break."""
        if self._formulas[-1].is_zero:
            return Decay(flint.arb(0), 0.0, flint.arb(0))
        return self._parts[-1].decay(start)

    def edge(self, index: int, side: int) -> tuple[float, Callable[[Ball], Ball]]:
        """J = x^power regular(x) at a distance x on one side of a break."""
        if (index, side) not in self._edges:
            formula = self._formulas[index + (side > 0)]
            beside = sympy.factor_terms(formula.subs(W, self._breaks[index] + side * W))
            factors = [f.as_base_exp() for f in sympy.Mul.make_args(beside)]
            power = sum((n for base, n in factors if base == W), sympy.Integer(0))
            power = power if power.is_Rational and not power.is_Integer else sympy.Integer(0)
            made = ExpressionBalls(sympy.powsimp(beside / W**power), 0.0, forced=True)
            self._edges[index, side] = float(power), made.core
        return self._edges[index, side]


class ExpressionBalls:
    """J of one formula: w^leading core(w), and its decay.

    Where J/w^power is not analytic at w = 0 (another root of w, an essential singularity), the
    core is that for the power 1 and has no value around 0.
    """

    def __init__(self, formula: sympy.Expr, infrared_power: float, forced: bool = False) -> None:
        self._formula = formula
        self.leading = infrared_power if math.isfinite(infrared_power) else 1.0
        self._core = self._compiled_core(self.leading)
        if not forced and not self._near_zero().is_finite() and self.leading != 1.0:
            self.leading = 1.0
            self._core = self._compiled_core(1.0)

    def _compiled_core(self, leading: float) -> _Node:
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

    def _near_zero(self) -> Any:
        return self._core(_TINY)

    @cached_property
    def _removable(self) -> bool:
        """Whether J is meromorphic around 0, so that J/w^leading is analytic there.

        It is if all powers are integers and every function is analytic at its argument.
        """
        for node in sympy.preorder_traversal(self._formula):
            if not node.has(W):
                continue
            if isinstance(node, sympy.Pow) and not node.exp.is_Integer:
                return False
            if node.is_Function and not analytic(node)(_TINY).is_finite():
                return False
        return float(self.leading).is_integer()

    def core(self, w: Ball) -> Ball:
        """J/w^leading; around 0, where a quotient is removable, from a circle around 0."""
        if balls.is_series(w):
            try:
                return self._core(w)
            except ValueError:  # no power series: 0 in a denominator
                if not (self._removable and w[0].is_zero()):
                    raise ArithmeticError(f"{self._formula}: no series at {w[0]}") from None
            found, factor = [], flint.acb(1)
            for c in self._coefficients(w.prec):
                found.append(c * factor)
                factor = factor * w[1]
            return flint.acb_series(found, w.prec)
        value = self._core(w)
        if value.is_finite() or not w.contains(0) or not self._removable:
            return value
        if w.is_zero():
            return self._coefficients(1)[0]
        ball = flint.arb(0, self._on_ring(2 * w.abs_upper()))
        return flint.acb(ball, ball)

    def _on_ring(self, radius: Any) -> Any:
        """The largest |J/w^leading| for |w| <= radius, by the maximum principle."""
        largest = flint.arb(0)
        for k in range(_RING):
            low, high = (flint.arb(flint.fmpq(2 * k + e, _RING)) for e in (-1, 1))
            value = self._core(_on_circle(radius, low.union(high)))
            largest = largest.max(value.abs_upper() if value.is_finite() else flint.arb.pos_inf())
        return largest

    def _coefficients(self, terms: int) -> list[Any]:
        """Taylor coefficients at 0: means over a circle, aliases bounded on one 16 times larger."""
        radius = flint.arb(1)
        for _ in range(_SMALLEST):
            bound = self._on_ring(radius)
            if bound.is_finite():
                break
            radius = radius / 2
        else:
            raise ArithmeticError(f"{self._formula}: no circle around 0 for a Taylor series")
        count = flint.ctx.prec // 4 + terms + 8
        small = radius / 16
        points = [(flint.acb(2 * k) / count).exp_pi_i() * small for k in range(count)]
        values = [self._core(point) for point in points]
        found = []
        for n in range(terms):
            total = sum((v / p**n for v, p in zip(values, points, strict=True)), flint.acb(0))
            alias = flint.arb(0, (2 * bound / radius**n / flint.arb(16) ** count).abs_upper())
            found.append(total / count + flint.acb(alias, alias))
        return found

    def decay(self, start: Any) -> Decay | None:
        """|J(w)| <= size |w|^power exp(-rate Re w), from leading terms with bounded remainders."""
        found = _leading(self._formula, balls.real(start))
        if found is None:
            return None
        size = abs(found.factor) * (1 + found.error)
        if found.degree and not found.rate > 0:
            return None
        if found.degree == 0:
            return Decay(size, float(found.power), flint.arb(0))
        if found.degree >= 1:  # |exp(-b w^q)| <= exp(-b' w), b' = b W^(q-1) cos
            rate = found.rate * balls.real(start) ** (balls.real(float(found.degree)) - 1)
            rate = rate if found.degree == 1 else rate * _COSINE
            return Decay(size, float(found.power), rate.lower())
        # a stretched exponential is less than any power from where it has fallen below it
        steep = 8
        slope = found.rate * found.degree * balls.real(start) ** balls.real(float(found.degree))
        if not slope * _COSINE > steep:
            return None
        falls = (-found.rate * _COSINE * balls.real(start) ** balls.real(float(found.degree))).exp()
        return Decay(
            size * falls * balls.real(start) ** steep, float(found.power) - steep, flint.arb(0)
        )


def _on_circle(radius: Any, turn: Any) -> Any:
    """radius exp(i pi turn)."""
    angle = turn * flint.arb.pi()
    return flint.acb(radius * angle.cos(), radius * angle.sin())


class _Leading(NamedTuple):
    """factor w^power exp(-rate w^degree) (1 + d), |d| <= error, for |w| >= start in the sector."""

    factor: Any
    power: sympy.Rational
    rate: Any
    degree: sympy.Rational
    error: Any


def _leading(node: sympy.Expr, start: Any) -> _Leading | None:
    """The leading term at large w; None where it is not known from `start` on."""
    zero, one = flint.arb(0), sympy.Integer(1)
    if not node.has(W):
        value = enclosed(node, None)
        return _Leading(value, 0 * one, zero, 0 * one, zero) if abs(value) > 0 else None
    if node == W:
        return _Leading(flint.arb(1), one, zero, 0 * one, zero)
    if isinstance(node, sympy.Mul):
        return _product([_leading(x, start) for x in node.args])
    if isinstance(node, sympy.Add):
        return _sum([_leading(x, start) for x in node.args], start)
    if isinstance(node, sympy.Pow) and node.exp.is_Rational:
        return _raised(_leading(node.base, start), node.exp)
    if isinstance(node, sympy.exp):
        return _exponential(sympy.expand(node.args[0]), start)
    if isinstance(node, (sympy.sin, sympy.cos)) and (node.args[0] / W).is_number:
        # |sin kw| <= exp(|k| |Im w|) and |Im w| <= Re w/2
        growth = -abs(enclosed(node.args[0] / W, None)) / 2
        return _Leading(flint.arb(1), 0 * one, growth, one, flint.arb(1))
    if isinstance(node, (sympy.tanh, sympy.coth)):
        inner = _leading(node.args[0], start)
        if inner is None or inner.degree or not inner.power > 0 or inner.power > 1:
            return None
        least = (
            abs(inner.factor) * start ** balls.real(float(inner.power)) * (_COSINE - inner.error)
        )
        left = (-2 * least).exp()
        sign = 1 if inner.factor > 0 else -1
        if not (least > 0 and left < 1):
            return None
        return _Leading(flint.arb(sign), 0 * one, zero, 0 * one, 2 * left / (1 - left))
    return None


def _product(parts: list[_Leading | None]) -> _Leading | None:
    result: _Leading | None = None
    for part in parts:
        if part is None:
            return None
        if result is None:
            result = part
            continue
        if result.degree and part.degree and result.degree != part.degree:
            return None
        result = _Leading(
            result.factor * part.factor,
            result.power + part.power,
            result.rate + part.rate,
            result.degree or part.degree,
            (1 + result.error) * (1 + part.error) - 1,
        )
    return result


def _sum(parts: list[_Leading | None], start: Any) -> _Leading | None:
    """The slowest part; the others are bounded relative to it (error >= 1: a bound only)."""
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    top = min(known, key=lambda x: (x.degree, float(x.rate), -x.power))
    error = top.error
    for part in known:
        if part is top:
            continue
        rise = float(part.power - top.power)
        mine, slow = (
            x.rate * start ** balls.real(float(x.degree)) if x.degree else flint.arb(0)
            for x in (part, top)
        )
        if part.degree == top.degree:
            fall, slope = _COSINE * (mine - slow), _COSINE * (mine - slow) * float(part.degree)
        else:
            fall = _COSINE * mine - slow
            slope = _COSINE * mine * float(part.degree) - slow * float(top.degree)
        same = part.degree == top.degree and not part.rate > top.rate
        if not (rise <= 0 if same else slope > max(rise, 0.0)):
            return None
        ratio = abs(part.factor / top.factor) * start ** balls.real(rise) * (1 + part.error)
        error = error + (ratio if same else ratio * (-fall).exp())
    return top._replace(error=error)


def _raised(base: _Leading | None, exponent: sympy.Rational) -> _Leading | None:
    if base is None:
        return None
    if exponent.is_Integer and exponent > 0 and not base.error < 1:  # a bound only
        n = int(exponent)
        error = (1 + base.error) ** n - 1
        return _Leading(base.factor**n, base.power * n, base.rate * n, base.degree, error)
    if not base.error < 1 or (not exponent.is_Integer and not base.factor > 0):
        return None
    number = flint.arb(rational_ball(exponent))
    grown = (-abs(number) * (1 - base.error).log()).exp() - 1  # |(1 + d)^n - 1|
    factor = base.factor ** (int(exponent) if exponent.is_Integer else number)
    return _Leading(
        factor, base.power * exponent, base.rate * number, base.degree, grown.abs_upper()
    )


def _exponential(exponent: sympy.Expr, start: Any) -> _Leading | None:
    """exp of a sum of powers: the leading one kept, those that vanish bounded.

    Other growing terms weaken the leading one; the result is then a bound only.
    """
    terms: list[tuple[Any, sympy.Rational]] = []
    for term in sympy.Add.make_args(exponent):
        coefficient, power = term.as_coeff_exponent(W)
        if coefficient.has(W) or not power.is_Rational:
            return None
        terms.append((enclosed(coefficient, None), power))
    coefficient, degree = max(terms, key=lambda term: term[1])
    if degree <= 0 or degree > 2 or not coefficient < 0:
        return None
    rate, factor, error = -coefficient, flint.arb(1), flint.arb(0)
    for other, power in terms:
        if power == degree:
            continue
        if power == 0:
            factor = factor * other.exp()
        elif power < 0:
            small = abs(other) * start ** balls.real(float(power))
            error = (1 + error) * small.exp() - 1
        else:
            rate = rate - abs(other) * start ** balls.real(float(power - degree)) / _COSINE
            error = error + 1
    if not rate > 0:
        return None
    return _Leading(factor, sympy.Integer(0), rate, degree, error)
