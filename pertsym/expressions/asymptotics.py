"""How J(w) behaves at the ends of w > 0: the powers that decide whether integrals exist.

Both answers are the limit of the logarithmic slope w J'/J, taken analytically: slopes of factors
add, those of rational functions are degrees, the rest is a limit by SymPy.  The result is then
confronted with the numerical slope at w = 1e-60 or 1e60 in 400 digits; a disagreement is an
error, never a guess.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import mpmath
import sympy

from pertsym.expressions.budget import bounded_work
from pertsym.expressions.numeric import NoValue, W, shown, value_at
from pertsym.precision import decimals

_DIGITS: Final = 400
_FAR: Final = 60  # decimal exponent of the confronting point
_SLOPE_TOLERANCE: Final = 0.02  # a logarithm shifts the slope by 1/(60 ln 10) = 0.007
_ENDS: Final = {sympy.S.Zero: "w -> 0", sympy.oo: "w -> oo"}


class _Undecided(Exception):
    """The analysis came to no result."""


@lru_cache(maxsize=256)
def power(expr: sympy.Expr, end: sympy.Expr) -> float:
    """p of J ~ w^p as w -> 0+, or of a bound of J as w -> oo; inf or -inf: faster than every power.

    Raises
    ------
    ValueError
        If it cannot be decided, J grows faster than every power, or carries a logarithm.
    """
    with bounded_work(_undecided_text(expr, end)):
        try:
            return _power(expr, end)
        except _Undecided:
            raise ValueError(
                f"{_undecided_text(expr, end)}; simplify the formula, or tabulate J with "
                'kind = "table"'
            ) from None


def _power(expr: sympy.Expr, end: sympy.Expr) -> float:
    at_zero = end.is_zero
    vanishes = sympy.oo if at_zero else sympy.S.NegativeInfinity
    envelope = expr if at_zero else _without_oscillations(expr)
    slope = vanishes if expr.is_zero else _slope(envelope, end)
    if slope == vanishes:
        return float(vanishes)
    if slope.is_infinite:
        hint = "no bath has such a spectrum" if at_zero else "multiply it by a cutoff"
        raise ValueError(f"J = {shown(expr)} grows faster than every power as {_ENDS[end]}; {hint}")
    if (at_zero or slope.is_zero) and _carries_logarithm(envelope, slope, end):
        if not at_zero:
            raise _Undecided  # integrals over J/w hang on the logarithm
        raise ValueError(
            f"J = {shown(expr)} behaves as w^{slope} times a logarithm as w -> 0; "
            "only pure powers can be handled, replace the logarithm by a power"
        )
    if envelope == expr:
        _confront(expr, float(slope), -_FAR if at_zero else _FAR)
    return float(slope)


def _undecided_text(expr: sympy.Expr, end: sympy.Expr) -> str:
    return f"the behaviour of J = {shown(expr)} as {_ENDS[end]} cannot be decided"


def _slope(expr: sympy.Expr, end: sympy.Expr) -> sympy.Expr:
    """Return the limit of w J'/J at 0 or oo: a real number, oo or -oo."""
    if not expr.has(W):
        return sympy.S.Zero
    if expr == W:
        return sympy.S.One
    if expr.is_Pow and not expr.exp.has(W):
        return expr.exp * _slope(expr.base, end)
    if expr.is_Add and all(term.is_positive for term in expr.args):
        slopes = [_slope(term, end) for term in expr.args]  # nothing cancels
        return sympy.Max(*slopes) if end is sympy.oo else sympy.Min(*slopes)
    if expr.is_Add and expr.is_rational_function(W):
        return _degree(expr, end)
    if isinstance(expr, sympy.exp):
        return _limit(W * sympy.diff(expr.args[0], W), end)
    if expr.is_Mul:
        total = sum((_slope(factor, end) for factor in expr.args), sympy.S.Zero)
        if total is not sympy.nan:  # nan: one factor grows, another falls beyond all powers
            return total
    return _limit(W * sympy.diff(expr, W) / expr, end)


def _degree(expr: sympy.Expr, end: sympy.Expr) -> sympy.Expr:
    """Return the slope of a rational function from the degrees of its polynomials."""
    above, below = (sympy.Poly(part, W) for part in sympy.fraction(sympy.together(expr)))
    if above.is_zero:
        raise _Undecided  # a hidden zero
    if end is sympy.oo:
        return sympy.Integer(above.degree() - below.degree())
    lowest = [min(exponents for (exponents,) in part.monoms()) for part in (above, below)]
    return sympy.Integer(lowest[0] - lowest[1])


def _limit(expr: sympy.Expr, end: sympy.Expr) -> sympy.Expr:
    try:
        value = sympy.limit(expr, W, end, "+" if end.is_zero else "-")
    except Exception:  # SymPy's limits fail in many ways: NotImplementedError, PoleError, ...
        raise _Undecided from None
    if value in (sympy.oo, sympy.S.NegativeInfinity):
        return value
    value = sympy.simplify(value)
    if value.free_symbols or not (value.is_number and value.is_real and value.is_finite):
        raise _Undecided
    return value


def _carries_logarithm(expr: sympy.Expr, power: sympy.Expr, end: sympy.Expr) -> bool:
    """Whether J/w^p tends to 0 or infinity, which needs a logarithm, written or hidden in w^f."""
    hidden = any(p.exp.has(W) and p.base.has(W) for p in expr.atoms(sympy.Pow))
    if not hidden and not expr.has(sympy.log):
        return False
    prefactor = _limit(expr / W**power, end)
    return bool(prefactor.is_zero or prefactor.is_infinite)


def _without_oscillations(expr: sympy.Expr) -> sympy.Expr:
    """Replace every sine and cosine of unbounded argument by a constant of its own.

    The constants are generic, so that the leading power of the result bounds that of J.
    """
    constants: dict[sympy.Expr, sympy.Expr] = {}
    for call in sorted(expr.atoms(sympy.sin, sympy.cos), key=sympy.default_sort_key):
        if call.has(W) and _limit(call.args[0], sympy.oo).is_infinite:
            constants[call] = sympy.Dummy(f"c{len(constants)}", positive=True)
    return expr.xreplace(constants)


def _confront(expr: sympy.Expr, power: float, exponent: int) -> None:
    """Compare with log2[J(2w)/J(w)] at w = 10^exponent; a slope without value says nothing."""
    with decimals(_DIGITS):
        point = mpmath.mpf(10) ** exponent
        try:
            near, far = value_at(expr, point), value_at(expr, 2 * point)
        except NoValue:
            return
        if near and far and abs(mpmath.log(abs(far / near), 2) - power) > _SLOPE_TOLERANCE:
            raise _Undecided
