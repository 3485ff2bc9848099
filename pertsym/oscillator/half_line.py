"""Principal values over w > 0 and sums over integers of rational functions, in closed form.

With R(w) = O(w^-2) and simple poles p,

    P int_0^inf dw R(w) = - sum_p Res_p R l(p),   l(p) = log(-p), but log(p) where p > 0,

from the contour around the positive axis with a logarithm on it; on a pole at p > 0 the mean of
both sides of the cut counts.  Likewise sum_{k >= 0} R(k) = - sum_p Res_p R psi(-p).
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy


class NotSimple(ValueError):
    """The integrand has a multiple pole, one at 0, or does not decay; says which."""


def _simple_poles(expression: sympy.Expr, w: sympy.Symbol) -> Iterator[tuple[sympy.Expr, ...]]:
    """(pole, residue) for every pole."""
    numerator, denominator = sympy.fraction(sympy.cancel(sympy.together(expression)))
    if sympy.degree(numerator, w) > sympy.degree(denominator, w) - 2:
        raise NotSimple(f"{expression}: it must fall at least as {w}^-2 for the sum to converge")
    slope = sympy.diff(denominator, w)
    _, factors = sympy.factor_list(denominator, w)
    for factor, multiplicity in factors:
        for pole, times in sympy.roots(factor, w).items():
            if multiplicity * times != 1 or pole == 0:
                raise NotSimple(f"{expression}: the pole at {pole} is multiple, or at the end 0")
            yield pole, sympy.factor((numerator / slope).subs(w, pole))


def half_line_principal_value(expression: sympy.Expr, w: sympy.Symbol) -> sympy.Expr:
    """P int_0^inf dw of a rational function whose other symbols are positive.

    Raises
    ------
    NotSimple
        For multiple poles, a pole at 0, or slow decay.
    """
    total = sympy.Integer(0)
    for pole, residue in _simple_poles(expression, w):
        if pole.is_positive:
            total -= residue * sympy.log(pole)
        elif pole.is_negative:
            total -= residue * sympy.log(-pole)
        else:  # log(+-i a) = log a +- i pi/2
            height = pole / sympy.I
            if not height.is_real:
                raise NotSimple(f"{expression}: the pole at {pole} is neither real nor imaginary")
            side = -1 if height.is_positive else 1
            total -= residue * (sympy.log(abs(height)) + side * sympy.I * sympy.pi / 2)
    return collect_logarithms(total)


def sum_over_integers(term: sympy.Expr, k: sympy.Symbol) -> sympy.Expr:
    """sum_{k = 1}^inf of a rational function of k, with digammas.

    Raises
    ------
    NotSimple
        As in `half_line_principal_value`.
    """
    total = sympy.Integer(0)
    for pole, residue in _simple_poles(term, k):
        total -= residue * sympy.digamma(1 - pole)
    return total


def collect_logarithms(expression: sympy.Expr) -> sympy.Expr:
    """Logarithms collected, with factored coefficients.

    Where the coefficients add up to 0, as they do if no unit is to be singled out, the logarithms
    are written of ratios.
    """
    expanded = sympy.expand(expression, log=True)
    logarithms = sorted(expanded.atoms(sympy.log), key=sympy.default_sort_key)
    collected = sympy.collect(expanded, logarithms, evaluate=False)
    weights = {log: collected.pop(log) for log in logarithms if log in collected}
    rest = [sympy.factor(value) * key for key, value in collected.items()]
    if len(weights) > 1 and sympy.cancel(sympy.together(sympy.Add(*weights.values()))) == 0:
        reference = logarithms[-1].args[0]
        del weights[logarithms[-1]]
        weights = {sympy.log(log.args[0] / reference): w for log, w in weights.items()}
    return sympy.Add(*rest, *(sympy.factor(w) * log for log, w in weights.items()))
