"""Formulas with Abs, Heaviside, Max, Min and Piecewise as analytic pieces between break points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, pairwise
from typing import Any, Final, NamedTuple

import flint
import mpmath
import sympy

from pertsym.expressions.numeric import W, balls_of, holds_at, rational_ball, shown, value_at
from pertsym.precision import ball_bits, decimals

SWITCHES: Final = (sympy.Abs, sympy.sign, sympy.Heaviside, sympy.Max, sympy.Min, sympy.Piecewise)
"""Functions that are analytic only between the zeros of something."""

_BITS: Final = 250
_DIGITS: Final = 60
_REACH: Final = 100  # binary exponents of w between which zeros of no polynomial are sought
_FINEST: Final = 1e-12  # of log2 w: two zeros that are closer are not told apart
_WORK: Final = 4_000  # enclosures
_BISECTIONS, _NEWTON = 60, 3
_UNEVEN: Final = 0.4859  # where intervals are split: rarely at a zero
_MOST_PIECES: Final = 500
_MOST_ROUNDS: Final = 200


_Function = Callable[[Any], Any]


class Pieces(NamedTuple):
    """formulas[i] between breaks[i - 1] and breaks[i], the first from 0, the last to infinity.

    Breaks are rational where the zero is, else numbers of 60 digits.
    """

    breaks: tuple[sympy.Expr, ...]
    formulas: tuple[sympy.Expr, ...]

    @property
    def intervals(self) -> Iterator[tuple[float, float, sympy.Expr]]:
        ends = (0.0, *map(float, self.breaks), float("inf"))
        return ((*ends[i : i + 2], f) for i, f in enumerate(self.formulas))

    @property
    def joined(self) -> sympy.Expr:
        """One expression in w again."""
        if not self.breaks:
            return self.formulas[0]
        cases = [(f, b > W) for f, b in zip(self.formulas, self.breaks, strict=False)]
        return sympy.Piecewise(*cases, (self.formulas[-1], True), evaluate=False)


def analytic_pieces(expr: sympy.Expr) -> Pieces:
    """Cut w > 0 where the argument of a switch changes sign.

    Raises
    ------
    ValueError
        If the sign changes cannot be found or are too many.
    """
    parts: list[tuple[Any, Any, sympy.Expr]] = [(sympy.S.Zero, sympy.oo, expr)]
    for _ in range(_MOST_ROUNDS):
        found = next((s for *_, f in parts if (s := _innermost(f)) is not None), None)
        if found is None:
            break
        parts = [cut for part in parts for cut in _cut(part, found)]
        if len(parts) > _MOST_PIECES:
            raise ValueError(f"the formula has more than {_MOST_PIECES} pieces; simplify it")
    else:
        raise ValueError("the formula has too many Abs, Heaviside, Max, Min, Piecewise; simplify")
    parts = [cut for part in parts for cut in _at_double_roots(part)]
    merged = [parts[0]]
    for low, high, formula in parts[1:]:
        if formula == merged[-1][2] and low not in _branch_points(formula):
            merged[-1] = (merged[-1][0], high, formula)
        else:
            merged.append((low, high, formula))
    return Pieces(tuple(high for _, high, _ in merged[:-1]), tuple(f for *_, f in merged))


def _innermost(expr: sympy.Expr) -> sympy.Expr | None:
    """A switch whose arguments hold no other."""
    inner = [s for s in expr.atoms(*SWITCHES) if not any(a.has(*SWITCHES) for a in s.args)]
    # rational conditions first: they bound the range in which others are sought
    return min(
        inner,
        key=lambda s: (not _is_rational(s), sympy.default_sort_key(s)),
        default=None,
    )


def _is_rational(switch: sympy.Expr) -> bool:
    return all(g.is_rational_function(W) for g in _deciding(switch))


def _cut(part: tuple[Any, Any, sympy.Expr], switch: sympy.Expr) -> list[tuple[Any, Any, Any]]:
    low, high, formula = part
    if not formula.has(switch):
        return [part]
    inside = {z for g in _deciding(switch) for z in sign_changes(g, low, high)}
    ends = [low, *sorted(inside), high]
    result = []
    for a, b in pairwise(ends):
        point = 2 * a + 1 if b == sympy.oo else (a + b) / 2
        with decimals(_DIGITS):
            chosen = _chosen(switch, value_at(point, mpmath.mpf(1)))
        result.append((a, b, formula.xreplace({switch: chosen})))
    return result


def _deciding(switch: sympy.Expr) -> list[sympy.Expr]:
    """What changes sign where the switch turns."""
    if isinstance(switch, (sympy.Max, sympy.Min)):
        return [a - b for a, b in combinations(switch.args, 2)]
    if isinstance(switch, sympy.Piecewise):
        conditions = [c for _, c in switch.args]
        atoms = [r for c in conditions for r in c.atoms(sympy.core.relational.Relational)]
        return [r.lhs - r.rhs for r in sorted(set(atoms), key=sympy.default_sort_key)]
    return [switch.args[0]]


def _chosen(switch: sympy.Expr, point: Any) -> sympy.Expr:
    """The analytic expression that a switch stands for around a point."""
    if isinstance(switch, sympy.Piecewise):
        for formula, condition in switch.args:
            if holds_at(condition, point):
                return formula
        raise ValueError(
            f"Piecewise says nothing about w = {float(point):.3g}; end it with (..., True)"
        )
    if isinstance(switch, (sympy.Max, sympy.Min)):
        best = max if isinstance(switch, sympy.Max) else min
        return best(switch.args, key=lambda a: mpmath.re(value_at(a, point)))
    argument = switch.args[0]
    negative = mpmath.re(value_at(argument, point)) < 0
    if isinstance(switch, sympy.Abs):
        return -argument if negative else argument
    if isinstance(switch, sympy.sign):
        return sympy.Integer(-1 if negative else 1)
    return sympy.Integer(0 if negative else 1)


def _at_double_roots(part: tuple[Any, Any, sympy.Expr]) -> list[tuple[Any, Any, sympy.Expr]]:
    """Cut also where a root such as (w^2 - 2w + 1)^(1/2) has a branch point but stays real."""
    low, high, formula = part
    inside = sorted(z for z in _branch_points(formula) if low < z < high)
    return [(a, b, formula) for a, b in pairwise([low, *inside, high])]


def _branch_points(formula: sympy.Expr) -> set[Any]:
    roots = [p.base for p in formula.atoms(sympy.Pow) if not p.exp.is_Integer and p.base.has(W)]
    return {z for g in roots if g.is_rational_function(W) for z, _ in positive_roots(g) or ()}


# -- zeros -------------------------------------------------------------------------------------


def sign_changes(
    g: sympy.Expr, low: Any = sympy.S.Zero, high: Any = sympy.oo
) -> tuple[sympy.Expr, ...]:
    """Every w between low and high at which g changes sign, ascending.

    Raises
    ------
    ValueError
        If they cannot be isolated with a moderate number of enclosures.
    """
    if not g.has(W):
        return ()
    exact = positive_roots(g) if g.is_rational_function(W) else None
    if exact is not None:
        return tuple(z for z, order in exact if order % 2 and low < z < high)
    g = sympy.factor_terms(g)
    if g.is_Mul:
        changes: set[sympy.Expr] = set()
        for factor in g.args:
            changes ^= set(sign_changes(factor, low, high))
        return tuple(sorted(changes))
    # over one of its own terms g may be monotonic: w e^-w - w^2 e^(-w/2), say
    ratios = [
        sympy.Add(*[sympy.powsimp(t / term) for t in g.args])
        for term in (g.args if g.is_Add else ())
        if term.has(W) and (term.is_positive or term.is_negative)
    ]
    for candidate in (g, *ratios):
        try:
            return _isolated(candidate, low, high)
        except _Unresolved:
            continue
    raise ValueError(f"the w at which {shown(g)} changes sign cannot be found; simplify it")


def positive_roots(g: sympy.Expr) -> tuple[tuple[sympy.Expr, int], ...] | None:
    """The zeros (and poles) w > 0 of a rational function with their orders, None if unknown.

    Raises
    ------
    ValueError
        If the numerator or the denominator is 0 but for its form.
    """
    found = complex_roots(g)
    if found is None:
        return None
    positive = [(z, order) for part in found for z, order in part if z.is_real and z > 0]
    return tuple(sorted(positive))


Roots = list[tuple[sympy.Expr, int]]


def complex_roots(g: sympy.Expr) -> tuple[Roots, Roots] | None:
    """Zeros and poles of a rational function of w with multiplicities; None if not over Q.

    Real ones are exact, or real numbers of 60 digits; others complex numbers.
    """
    above, below = sympy.fraction(sympy.cancel(sympy.together(g)))
    result: list[Roots] = []
    for part in (above, below):
        polynomial = part.as_poly(W)
        if polynomial is None or not all(c.is_Rational for c in polynomial.all_coeffs()):
            return None
        if polynomial.is_zero:
            raise ValueError(f"{g} is 0 for every w; leave it out")
        result.append(_polynomial_roots(polynomial))
    return result[0], result[1]


def _polynomial_roots(polynomial: sympy.Poly) -> Roots:
    ascending = [rational_ball(c) for c in reversed(polynomial.all_coeffs())]
    with ball_bits(_BITS):
        roots: Roots = []
        for factor, order in flint.fmpq_poly(ascending).factor()[1]:
            if factor.degree() == 1:
                exact = -factor[0] / factor[1]
                roots.append((sympy.Rational(int(exact.p), int(exact.q)), int(order)))
                continue
            isolated: Any = flint.fmpq_poly(factor).complex_roots()
            for z, _ in isolated:
                real, imaginary = _number(z.real), _number(z.imag)
                roots.append((real if z.imag == 0 else real + sympy.I * imaginary, int(order)))
        return roots


def _number(ball: Any) -> sympy.Expr:
    return sympy.Float(ball.mid().str(_DIGITS + 5, radius=False), _DIGITS)


class _Unresolved(Exception):
    """Too many enclosures, or two zeros too close to each other."""


def _isolated(g: sympy.Expr, first: Any, last: Any) -> tuple[sympy.Expr, ...]:
    """Zeros between 2^-100 and 2^100 from enclosures of g and g' on ever smaller intervals."""
    value, slope = balls_of(g), balls_of(sympy.diff(g, W))
    ends = (
        -float(_REACH) if first <= 0 else float(sympy.log(first, 2)) - _FINEST,
        float(_REACH) if last == sympy.oo else float(sympy.log(last, 2)) + _FINEST,
    )
    pending = [ends]
    found: list[sympy.Expr] = []
    work = 0
    with ball_bits(_BITS):
        while pending:
            a, b = pending.pop()
            work += 1
            if work > _WORK or b - a < _FINEST:
                raise _Unresolved
            low, high = flint.arb(2) ** flint.arb(a), flint.arb(2) ** flint.arb(b)
            whole = low.union(high)
            if _sign(value(whole)):
                continue
            if _sign(slope(whole)):
                signs = _sign(value(low)), _sign(value(high))
                if all(signs):
                    if signs[0] != signs[1]:
                        found.append(_refined(value, slope, low, high, signs[0]))
                    continue
            middle = a + _UNEVEN * (b - a)
            pending += [(middle, b), (a, middle)]
        return tuple(z for z in sorted(found) if first < z < last)


def _refined(value: _Function, slope: _Function, low: Any, high: Any, sign: int) -> sympy.Expr:
    """The only zero between low and high: bisection, then Newton's rule."""
    low, high = low.mid(), high.mid()
    for _ in range(_BISECTIONS):
        middle = ((low + high) / 2).mid()
        here = _sign(value(middle))
        if not here:
            return _number(middle)
        low, high = (middle, high) if here == sign else (low, middle)
    root = ((low + high) / 2).mid()
    for _ in range(_NEWTON):
        root = (root - value(root) / slope(root)).mid()
    return _number(root)


def _sign(ball: Any) -> int:
    """1 or -1 if that is certain, else 0."""
    return int(ball > 0) - int(ball < 0)
