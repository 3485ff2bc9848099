"""Evaluation of a spectral density given as a formula, by a walk over its tree.

The tree is a SymPy expression made of sums, products, powers and a few functions; each node acts
on jets, so values, derivatives and error bounds come from one walk, and no text is ever executed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cached_property
from itertools import pairwise, product
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import flint
import numpy as np
import sympy

from pertsym.baths import balls, jets
from pertsym.baths.balls import Ball, Decay
from pertsym.baths.expression_balls import ExpressionBalls, analytic
from pertsym.baths.jets import Jet
from pertsym.expressions import asymptotics
from pertsym.expressions.budget import bounded_work
from pertsym.expressions.numeric import Arithmetic, NoValue, W, compiled, enclosed
from pertsym.precision import ball_decimals

if TYPE_CHECKING:
    from pertsym.baths.expression_continuation import ExpressionContinuation
    from pertsym.expressions.expression import Expression

_Node = Callable[[Jet], Jet]
_Function = Callable[[Ball], Ball]


def _constant(node: sympy.Expr) -> _Node:
    try:
        value = float(node)
    except TypeError:  # a root of what rounding makes negative is complex
        raise NoValue(f"{node} is not known to be real") from None
    rounding = 0.0 if node == value else jets.EPS * abs(value)
    return lambda w: Jet((value, *w.zeros), (rounding, *w.zeros))


def _power(exponent: sympy.Expr) -> _Node:
    number = float(exponent)
    if exponent.is_Integer and number < 0:
        return lambda base: jets.reciprocal(jets.power(base, -number))
    return lambda base: jets.power(base, number)


_FUNCTIONS: Final[Mapping[str, _Node]] = MappingProxyType(
    {
        "exp": jets.exp,
        "log": jets.log,
        "tan": jets.tan,
        "tanh": jets.tanh,
        "cos": lambda a: jets.cos_sin(a)[0],
        "sin": lambda a: jets.cos_sin(a)[1],
        "cosh": lambda a: jets.cosh_sinh(a)[0],
        "sinh": lambda a: jets.cosh_sinh(a)[1],
    }
)
_JETS: Final = Arithmetic(_constant, _power, _FUNCTIONS.__getitem__)

_SERIES_TERMS: Final = 8
_SERIES_DIGITS: Final = 100
_SCALE_DECADES: Final = 60
_UNDERFLOW: Final = 1e-300
_LIMIT_DECADES: Final = 30  # how close to w = 0 stands for the limit
_LIMITS: Final = (_LIMIT_DECADES, _LIMIT_DECADES + 2)
_DIGITS: Final = 500  # five derivatives of the root of a square, beside its zero
_BESIDE: Final = 45  # digits of the distance at which derivatives are taken; breaks have 60
_EQUAL: Final = 38  # digits to which derivatives on both sides must agree
_HIGHEST: Final = 5  # derivative that is compared; what is smoother still counts as one more
_NEAR: Final = (-34, -38)  # decimal exponents of two distances from the break
_TOLERANCE: Final = 1e-3
_DENOMINATOR: Final = 60


class ExpressionJet:
    """J(w) as a function of jets, with its behaviour at small and large w.

    Convention: Ĉ(w > 0) = 2 J(w) [n(w) + 1] for a boson bath.

    Raises
    ------
    ValueError
        If the formula has a node that is not known, or its behaviour cannot be decided.
    """

    def __init__(self, expression: Expression) -> None:
        self._expression = expression
        self._breaks = tuple(map(float, expression.pieces.breaks))
        self._parts = tuple(map(_Analytic, expression.pieces.formulas))

    def jet(self, w: Jet) -> Jet:
        """J."""
        return self._chosen(w, [part.jet for part in self._parts])

    def reduced_jet(self, w: Jet) -> Jet:
        """J/w."""
        return self._chosen(w, [part.reduced_jet for part in self._parts])

    def _chosen(self, w: Jet, parts: list[_Node]) -> Jet:
        if len(parts) == 1:
            return parts[0](w)
        shape = np.broadcast_shapes(*map(np.shape, (*w.c, *w.e)))
        c, e = ([np.broadcast_to(v, shape) for v in values] for values in (w.c, w.e))
        index = np.searchsorted(self._breaks, np.asarray(np.real(c[0])), side="right")
        result = [np.zeros(shape, dtype=np.result_type(*c)) for _ in c]
        errors = [np.zeros(shape) for _ in c]
        for i in np.unique(index):
            here = index == i
            part = parts[i](Jet(tuple(v[here] for v in c), tuple(v[here] for v in e)))
            for into, values in zip((*result, *errors), (*part.c, *part.e), strict=True):
                into[here] = values
        return Jet(tuple(v[()] for v in result), tuple(v[()] for v in errors))

    @cached_property
    def balls(self) -> tuple[ExpressionBalls, ...]:
        """J of every piece, divided by the same power of w.

        Raises
        ------
        ArithmeticError
            If a break is not an exact double.
        """
        breaks, formulas = self._expression.pieces
        if any(sympy.Rational(float(b)) != b for b in breaks):
            raise ArithmeticError(f"expression: J changes at {breaks}, which is no exact double")
        first = ExpressionBalls.of(formulas[0], self.infrared_power)
        return first, *(ExpressionBalls(f, -math.inf, first.leading) for f in formulas[1:])

    @property
    def leading(self) -> float:
        return self.balls[0].leading

    def core(self, w: Ball, piece: int = 0) -> Ball:
        """J/w^leading of one piece."""
        return self.balls[piece].core(w)

    def decay(self, start: Any) -> Decay | None:
        """A bound for large w; None before the last break."""
        return self.balls[-1].decay(start)

    def edge(self, index: int, side: int) -> tuple[float, Callable[[Ball], Ball]]:
        """J = x^power regular(x) at a distance x on one side of a break."""
        return self._edges[index, side]

    @cached_property
    def _edges(self) -> dict[tuple[int, int], tuple[float, Callable[[Ball], Ball]]]:
        breaks, formulas = self._expression.pieces
        found: dict[tuple[int, int], tuple[float, Callable[[Ball], Ball]]] = {}
        for index, side in product(range(len(breaks)), (-1, 1)):
            formula = formulas[index + (side > 0)].subs(W, breaks[index] + side * W)
            factors = [f.as_base_exp() for f in sympy.Mul.make_args(sympy.factor_terms(formula))]
            power = sum((n for base, n in factors if base == W), sympy.Integer(0))
            power = power if power.is_Rational and not power.is_Integer else sympy.Integer(0)
            regular = sympy.powsimp(sympy.factor_terms(formula) / W**power)
            found[index, side] = float(power), ExpressionBalls(regular, 0.0, 0.0).core
        return found

    @cached_property
    def continuation(self) -> ExpressionContinuation:
        """Below the axis, of the first piece."""
        from pertsym.baths.expression_continuation import ExpressionContinuation

        return ExpressionContinuation(self._parts[0].formula, self._parts[0].exact)

    @cached_property
    def infrared_power(self) -> float:
        """p of J ~ w^p as w -> 0+."""
        return self._expression.infrared_power

    @cached_property
    def ultraviolet_power(self) -> float:
        """p of J ~ w^p as w -> inf, -inf for faster decay."""
        return self._parts[-1].ultraviolet_power

    @property
    def end(self) -> float:
        """J is 0 beyond; inf if it is not."""
        last = self._expression.pieces.breaks[-1:]
        return float(last[0]) if last and self._parts[-1].formula.is_zero else math.inf

    @cached_property
    def kink_power(self) -> float:
        """Smallest power in the small-w expansion that is not an odd integer."""
        try:
            with bounded_work("the powers at small w take too much work"):
                return self._kink_power()
        except (ValueError, ArithmeticError):
            return self.infrared_power  # the cautious answer: nothing is known of the next term

    def _kink_power(self) -> float:
        formula, lowest = self._parts[0].formula, self.infrared_power
        if not _is_odd(lowest) or math.isinf(lowest):
            return lowest
        powers = (power for power in formula.atoms(sympy.Pow) if power.has(W))
        # elsewhere a power is analytic whatever its exponent
        exponents = [power.exp for power in powers if power.exp.is_Integer or _at_zero(power.base)]
        if not all(exponent.is_Rational for exponent in exponents):
            return lowest
        root = math.lcm(1, *(int(exponent.q) for exponent in exponents))
        if root == 1 and sympy.simplify(formula.subs(W, -W) + formula) == 0:
            return math.inf
        with ball_decimals(_SERIES_DIGITS):
            core = ExpressionBalls(formula.subs(W, W**root), lowest * root, lowest * root).core
            found = enumerate(balls.taylor(core, 0, 1, root * _SERIES_TERMS))
            there = [lowest + k / root for k, c in found if not c.contains(0)]
        return next((p for p in there if not _is_odd(p)), lowest + _SERIES_TERMS - 2)

    @cached_property
    def features(self) -> tuple[tuple[float, float], ...]:
        """Resonances and peaks that can be read off the tree, as (centre, width)."""
        found = [
            (centre, width)
            for (low, high, _), part in zip(
                self._expression.pieces.intervals, self._parts, strict=True
            )
            for centre, width in part.features
            if low - width < centre < high + width
        ]
        return _distinct(sorted(found))

    @cached_property
    def edges(self) -> tuple[tuple[float, float], ...]:
        """Break points w > 0, each with the order of the first derivative that jumps there."""
        pieces = self._expression.pieces
        pairs = zip(pieces.breaks, pairwise(map(analytic, pieces.formulas)), strict=True)
        return tuple((float(at), regularity(at, *pair)) for at, pair in pairs)

    @cached_property
    def scale(self) -> float:
        """A frequency at which J varies: where J is largest, or J w^k if J is largest at an end."""
        exponent = self._balance()
        if exponent is None:
            return 1.0
        w = np.logspace(-_SCALE_DECADES, _SCALE_DECADES, 16 * _SCALE_DECADES + 1)
        with np.errstate(all="ignore"):
            size = np.abs(np.broadcast_to(self.jet(jets.variable(w, 0)).c[0], w.shape))
            size = np.where(np.isfinite(size), size, 0.0) * w**exponent
        return float(w[int(np.argmax(size))]) if np.any(size > 0) else 1.0

    def _balance(self) -> float | None:
        """k such that J w^k vanishes at both ends, 0 if J does; None for a pure power."""
        low, high = self.infrared_power, self.ultraviolet_power
        if high < 0 < low:
            return 0.0
        if math.isinf(high) and math.isinf(low):
            return 0.0
        if math.isinf(high):
            return 1.0 - low
        if math.isinf(low):
            return -1.0 - high
        return -(low + high) / 2 if high < low else None


def _compiled(formula: sympy.Expr) -> _Node:
    try:
        return compiled(formula, _JETS)
    except NoValue as fault:
        raise ValueError(
            f"expression: {fault}; use + - * / ** and exp, log, sqrt, sin, cos, tan, sinh, cosh, "
            "tanh, Abs, Heaviside, Max, Min, Piecewise"
        ) from None


class _Analytic:
    """One analytic formula as a function of jets."""

    def __init__(self, formula: sympy.Expr) -> None:
        self.formula = formula
        self.exact = _compiled(formula)
        # dividing the factored form keeps J/w free of cancellation at small w
        self._divided = sympy.factor_terms(formula) / W
        self._reduced = _compiled(self._divided)

    def jet(self, w: Jet) -> Jet:
        return self._without_overflow(self.exact, self.formula, w)

    def reduced_jet(self, w: Jet) -> Jet:
        return self._without_overflow(self._reduced, self._divided, w)

    def _without_overflow(self, node: _Node, formula: sympy.Expr, w: Jet) -> Jet:
        """The jet; where doubles overflow on the way, as in exp(-w^2) sinh(w), from balls.

        Far out on an exponential tail nothing is left of any derivative either.
        """
        with np.errstate(all="ignore"):
            result = node(w)
        shape = np.broadcast_shapes(*map(np.shape, (*w.c, *result.c)))
        arrays = [np.broadcast_to(v, shape) for v in (*result.c, *result.e)]
        lost = ~np.all(np.isfinite(arrays), axis=0)
        if not np.any(lost):
            return result
        count = len(result.c)
        c, e = [np.array(a) for a in arrays[:count]], [np.array(a) for a in arrays[count:]]
        at = np.broadcast_to(w.c[0], shape)
        for place in sorted(map(tuple, np.argwhere(lost)), key=lambda index: at[index].real):
            exact = _without_limits(formula, at[place].item(), count)
            # not finite (none): the cutoff's exponent itself overflows
            nothing = all(abs(x.real) < _UNDERFLOW for x in exact)
            if nothing and self._falls and np.isrealobj(at) and at[place] > 0:
                beyond = lost & (at >= at[place])
                for k in range(count):
                    c[k][beyond], e[k][beyond] = 0.0, _UNDERFLOW
                break
            for k, value in enumerate(exact):
                c[k][place] = complex(value) if np.iscomplexobj(c[k]) else float(value.real)
                e[k][place] = jets.EPS * abs(c[k][place]) + _UNDERFLOW
        return Jet(tuple(a[()] for a in c), tuple(a[()] for a in e))

    @cached_property
    def _falls(self) -> bool:
        """Whether nothing is left of it far out: it falls faster than every power."""
        try:
            return math.isinf(self.ultraviolet_power)
        except ValueError:  # of a piece that ends before infinity
            return False

    @cached_property
    def ultraviolet_power(self) -> float:
        """p of the formula ~ w^p as w -> inf, -inf for faster decay."""
        return asymptotics.power(self.formula, sympy.oo)

    @cached_property
    def features(self) -> tuple[tuple[float, float], ...]:
        """Resonances and peaks that can be read off the tree, as (centre, width)."""
        found: set[tuple[float, float]] = set()
        for power in self.formula.atoms(sympy.Pow):
            if power.exp.is_negative:
                roots = _roots(power.base, W)
                found.update((z.real, abs(z.imag)) for z in roots if 0 < abs(z.imag) < z.real)
        for bump in self.formula.atoms(sympy.exp):
            exponent = bump.args[0]
            curvature = sympy.diff(exponent, W, 2)
            for z in _roots(sympy.diff(exponent, W), W):
                if z.real > 0 and abs(z.imag) < 1e-9 * z.real:
                    bend = abs(complex(curvature.subs(W, z.real)))
                    if bend > 0 and bend**-0.5 < z.real:
                        found.add((z.real, bend**-0.5))
        return tuple(sorted(found))


def _without_limits(formula: sympy.Expr, w: complex, terms: int) -> list[Any]:
    """Taylor coefficients by balls; at w = 0 their limit, if there is one.  Empty if none."""
    if not np.isfinite(w):
        return []
    function = analytic(formula)
    small = 0 if w == 0 else max(0, -math.floor(math.log10(abs(w))))  # digits that J/w^p cancels
    with ball_decimals((_LIMIT_DECADES + small) * (terms + 2)):
        near, nearer = (
            [flint.acb(x.mid()) for x in balls.taylor(function, flint.acb(w) + beside, 1, terms)]
            for beside in ((flint.arb(10) ** -d for d in _LIMITS) if w == 0 else (0, 0))
        )
        settled = all(
            x.is_finite() and abs(x - y) <= jets.EPS * abs(y) + _UNDERFLOW
            for x, y in zip(near, nearer, strict=True)
        )
        return nearer if settled else []


def _at_zero(base: sympy.Expr) -> bool:
    """Whether a base may vanish at w = 0."""
    with ball_decimals(_LIMIT_DECADES):
        return bool(flint.acb(analytic(base)(flint.acb(0))).contains(0))


def _is_odd(power: float) -> bool:
    return power == math.inf or power % 2 == 1


def _distinct(features: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Without repetitions: conjugate roots come out equal only to rounding."""
    result: list[tuple[float, float]] = []
    for centre, width in features:
        if not result or centre - result[-1][0] > 0.1 * min(width, result[-1][1]):
            result.append((centre, width))
        elif width < result[-1][1]:
            result[-1] = (centre, width)
    return tuple(result)


def _roots(expression: sympy.Expr, w: sympy.Symbol) -> list[complex]:
    """All complex roots of the numerator if it is a polynomial in w, else nothing."""
    polynomial = sympy.fraction(sympy.together(expression))[0].as_poly(w)
    if polynomial is None or polynomial.degree() < 1 or polynomial.degree() > 60:
        return []
    return [complex(z) for z in np.roots([complex(c) for c in polynomial.all_coeffs()])]


# -- break points ------------------------------------------------------------------------------


def regularity(position: sympy.Expr, below: _Function, above: _Function) -> float:
    """The order of the first derivative that jumps, a fraction if it diverges on either side.

    Parameters
    ----------
    position : sympy number
        > 0; rational, or known to 60 digits.
    below, above : functions of balls and power series
        The formulas on either side.

    Raises
    ------
    ValueError
        If J is not finite there, or its behaviour is not that of a power.
    """
    with ball_decimals(_DIGITS):
        at = enclosed(position).mid()
        singular = min(_singular_power(below, at, -1), _singular_power(above, at, 1))
        if singular < 0:
            raise ValueError(f"expression: J is infinite at w = {float(at):.6g}; it must be finite")
        highest = int(min(math.ceil(singular) - 1, _HIGHEST)) if singular < math.inf else _HIGHEST
        # beside the break, where nothing is 0/0
        left, right = (
            [(c.real * at**k).mid() for k, c in enumerate(_beside(f, at, side, -_BESIDE, highest))]
            for f, side in ((below, -1), (above, 1))
        )
        size = max((abs(x) * math.factorial(k) for ds in (left, right) for k, x in enumerate(ds)))
        for k, (x, y) in enumerate(zip(left, right, strict=True)):
            if abs(x - y) * math.factorial(k) > size * flint.arb(10) ** -_EQUAL:
                return float(k)
        return min(singular, float(_HIGHEST + 1))


def _beside(f: _Function, at: Any, side: int, exponent: int, highest: int) -> list[Any]:
    """Taylor coefficients at a relative distance 10^exponent."""
    return balls.taylor(f, at * (1 + side * flint.arb(10) ** exponent), 1, highest + 1)


def _singular_power(f: _Function, at: Any, side: int) -> float:
    """The lowest power of |w - at| on one side that is not a natural number, or inf."""
    near = [_beside(f, at, side, exponent, _HIGHEST) for exponent in _NEAR]
    decades = _NEAR[0] - _NEAR[1]
    for k, (far, close) in enumerate(zip(*near, strict=True)):
        far, close = far.mid().abs_upper(), close.mid().abs_upper()
        if close > 10 * far and far > 0:
            slope = float((close / far).log()) / math.log(10) / decades
            power = k - slope
            exact = Fraction(power).limit_denominator(_DENOMINATOR)
            if abs(power - exact) > _TOLERANCE or exact.denominator == 1:
                raise ValueError(
                    f"expression: J at w = {float(at):.6g} is not a power of the distance from it; "
                    "replace the logarithm there"
                )
            return float(exact)
    return math.inf
