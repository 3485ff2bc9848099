"""Code of spectral densities for exports, derived from J as its class writes it.

See `pertsym.baths.densities.density.DensityCode` for what the text may use.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy

from pertsym.baths.densities.density import Density, DensityCode, Functions
from pertsym.expressions.expression import Expression

_W, _Y = sympy.Symbol("w"), sympy.Symbol("y", positive=True)


@lru_cache(maxsize=64)
def derived(density: type[Density]) -> DensityCode:
    """The code of a density that says `shape` and `facts`.

    J = (w/unit)^power rest stays in this form: the power is taken once, of a number of order 1.
    """

    def if_odd(power: sympy.Expr, yes: Any, no: Any) -> sympy.Expr:
        return sympy.Piecewise((yes, sympy.Eq(sympy.Mod(power, 2), 1)), (no, True))

    functions = Functions(sympy.exp, sympy.log, sympy.Pow, if_odd)
    known = density.parameters()
    names = [name for name, p in known.items() if p.form == "real"]
    amplitude = [name for name in names for _ in range(known[name].scales)]
    p = SimpleNamespace(
        **{
            name: sympy.Integer(1) if known[name].scales else sympy.Symbol(name, positive=True)
            for name in names
        }
    )
    unit, power, rest = (_exact(e) for e in density.shape(functions, _W, p))
    facts: dict[str, Any] = {
        name: text(_exact(e)) for name, e in density.facts(functions, p)._asdict().items()
    }
    lowered = power - 1
    body = sympy.factor_terms(sympy.together(rest.subs(_W, _Y) / unit))
    slope, size = _logarithmic_slope(body)
    rounding = 8 + 2 * _condition(body)
    if lowered != 0:
        slope, size = slope + lowered / _Y, size + sympy.Abs(lowered) / _Y
        rounding += 4 + 2 * sympy.Abs(lowered * sympy.log(_Y / unit)) + 2 * sympy.Abs(lowered)
    return DensityCode(
        (density.kind or density.__name__.lower()).replace("-", "_"),
        density.formula or str(density.shape(functions, _W, p)),
        tuple(names),
        " * ".join(amplitude) or "1.0",
        text(power),
        **facts,
        continued=f"{_power(_W / unit, power)} * {text(rest)}",
        reduced=f"{_power(_Y / unit, lowered)} * {text(body)}" if lowered != 0 else text(body),
        slope=text(slope),
        slope_size=text(size),
        rounding=text(rounding),
    )


def combined(codes: Sequence[DensityCode], bath: str) -> DensityCode:
    """The code of a sum; the k-th density's names end with _k."""
    own = [_renamed(code, k) for k, code in enumerate(codes)]
    parts = [f"part_{k}" for k in range(len(own))]
    steps = [step for c in own for step in c.steps]
    steps += [(part, f"{c.amplitude} * ({c.reduced})") for part, c in zip(parts, own, strict=True)]
    steps.append(("whole", " + ".join(parts)))

    def mean(field: str) -> str:
        terms = (f"{p} * ({getattr(c, field)})" for p, c in zip(parts, own, strict=True))
        return f"({' + '.join(terms)}) / where(whole > 0.0, whole, 1.0)"

    def extreme(function: str, field: str) -> str:
        first, *others = (str(getattr(c, field)) for c in own)
        for other in others:
            first = first if other == first else f"{function}({first}, {other})"
        return first

    return DensityCode(
        kind=f"mixture_{bath}",
        formula=" + ".join(c.formula for c in own),
        parameters=tuple(name for c in own for name in c.parameters),
        amplitude="1.0",
        infrared=extreme("minimum", "infrared"),
        kink=extreme("minimum", "kink"),
        ultraviolet=extreme("maximum", "ultraviolet"),
        scale=extreme("minimum", "scale"),
        axis=extreme("minimum", "axis"),
        reach=extreme("maximum", "reach"),
        prelude=tuple(entry for c in own for entry in c.prelude),
        continued=" + ".join(f"{c.amplitude} * ({c.continued})" for c in own),
        resonances=tuple((p, f"{c.amplitude} * ({r})") for c in own for p, r in c.resonances),
        steps=tuple(steps),
        reduced="whole",
        slope=mean("slope"),
        slope_size=mean("slope_size"),
        rounding=f"{mean('rounding')} + {len(own)}.0",
    )


def _renamed(code: DensityCode, k: int) -> DensityCode:
    names = (*code.parameters, *(name for name, _ in (*code.prelude, *code.steps)))
    pattern = re.compile(rf"\b({'|'.join(names) or '(?!)'})\b")

    def new(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(new, value))
        return pattern.sub(rf"\1_{k}", value)

    return DensityCode(*(new(value) for value in dataclasses.astuple(code)))


def rational(expression: Expression, infrared: float, bath: str) -> DensityCode:
    """The code of a rational odd J, whose poles are known.

    Raises
    ------
    ValueError
        If it is not that.
    """
    (w,) = expression.sympy_expr.free_symbols or (_W,)
    given = sympy.sympify(expression.sympy_expr)
    exact = sympy.nsimplify(given, rational=True)
    above, below = sympy.fraction(sympy.cancel(sympy.together(exact)))
    if not (above.is_polynomial(w) and below.is_polynomial(w)):
        raise ValueError("the expression is not rational, its singularities are not known")
    if sympy.expand(above.subs(w, -w) * below + above * below.subs(w, -w)) != 0:
        raise ValueError("the expression is not odd, it has a kink at w = 0")
    found = [  # of each factor alone, whose roots are simple
        (p, order)
        for factor, order in sympy.Poly(below, w).sqf_list()[1]
        for p in factor.nroots(n=30, maxsteps=200)
    ]
    if not found:
        raise ValueError("the expression is a polynomial, which does not decay")
    poles, orders = np.array([complex(p) for p, _ in found]), np.array([n for _, n in found])
    tilted = (np.abs(poles.real) > 1e-12 * np.abs(poles)) & (poles.imag < 0) & (poles.real > 0)
    if np.any(orders[tilted] > 1):
        raise ValueError("the expression has a multiple pole off the axes")
    on_axis = poles[np.abs(poles.real) <= 1e-12 * np.abs(poles)]
    slope = sympy.Poly(below, w).diff(w)
    residues = [  # with all digits: close poles take those of doubles
        complex(sympy.Poly(above, w).eval(found[k][0]) / slope.eval(found[k][0]))
        for k in np.flatnonzero(tilted)
    ]
    ultraviolet = sympy.degree(above, w) - sympy.degree(below, w)
    reduced = (given / w).subs(w, _Y)
    derivative, size = _logarithmic_slope(reduced)
    distance = float(np.min(np.abs(on_axis), initial=np.inf))
    return DensityCode(
        kind=f"expression_{bath}",
        formula=str(given),
        parameters=(),
        amplitude="1.0",
        infrared=repr(infrared),
        kink="INFINITY",
        ultraviolet=repr(float(ultraviolet)),
        scale=repr(float(np.min(np.abs(poles)))),
        axis=repr(distance) if math.isfinite(distance) else "INFINITY",
        reach=repr(float(np.max(np.abs(poles)))),
        continued=text(given),
        resonances=tuple(
            (_complex(p), _complex(r))
            for p, r in zip(poles[tilted].tolist(), residues, strict=True)
        ),
        reduced=text(reduced),
        slope=text(derivative),
        slope_size=text(size),
        rounding=text(8 + 2 * _condition(reduced)),
    )


def _exact(e: object) -> sympy.Expr:
    """Doubles that are integers as integers."""
    return sympy.nsimplify(sympy.sympify(e), rational=True)


def _complex(z: complex) -> str:
    return f"({z.real!r} + {z.imag!r} * I)"


def _power(base: sympy.Expr, exponent: sympy.Expr) -> str:
    return text(base) if exponent == 1 else f"pow({text(base)}, {text(exponent)})"


def _logarithmic_slope(e: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """d/dy log e, and the sum of the moduli of its terms."""
    if e.is_Mul:
        parts = [_logarithmic_slope(factor) for factor in e.args]
        return sympy.Add(*(s for s, _ in parts)), sympy.Add(*(s for _, s in parts))
    if e.is_Pow and not e.exp.has(_Y):
        slope, size = _logarithmic_slope(e.base)
        return e.exp * slope, sympy.Abs(e.exp) * size
    if isinstance(e, sympy.exp):
        above, below = sympy.expand(sympy.diff(e.args[0], _Y)), sympy.Integer(1)
    else:
        above, below = sympy.expand(sympy.diff(e, _Y)), e
    terms = sympy.Add.make_args(above)
    return above / below, sympy.Add(*map(sympy.Abs, terms)) / sympy.Abs(below)


def _condition(e: sympy.Expr) -> sympy.Expr:
    """Rounding errors of an expression, relative, in units of the roundoff; symbols are exact."""
    if e.is_Symbol:
        return sympy.Integer(0)
    if e.is_Number:
        return sympy.Integer(0 if sympy.Rational(float(e)) == e else 1)
    if e.is_Add:
        own = [_condition(t) for t in e.args]
        rounded = len(own) - 1
        if all(t.is_nonnegative for t in e.args) and all(c.is_number for c in own):
            return max(own) + rounded
        terms = zip(e.args, own, strict=True)
        return sympy.Add(*(sympy.Abs(t) * c for t, c in terms)) / sympy.Abs(e) + rounded
    if e.is_Mul:
        factors = [t for t in e.args if t != -1]
        return sympy.Add(*map(_condition, factors)) + len(factors) - 1  # divisions included
    if e.is_Pow and e.exp.is_Integer:
        times = abs(int(e.exp))
        return times * _condition(e.base) + times - 1
    if e.is_Pow and e.base != sympy.E:
        steep = sympy.Abs(sympy.log(e.base) * e.exp) * _condition(e.exp)
        return sympy.Abs(e.exp) * _condition(e.base) + steep + 4
    if isinstance(e, sympy.exp):
        return sympy.Abs(e.args[0]) * _condition(e.args[0]) + 2
    if isinstance(e, sympy.log):
        return _condition(e.args[0]) / sympy.Abs(e) + 2
    raise ValueError(f"{e} has no code")


def text(e: sympy.Expr) -> str:
    """An expression as text; integer powers are products, numbers doubles."""
    if e in (sympy.oo, -sympy.oo):
        return "INFINITY" if e == sympy.oo else "-INFINITY"
    if e.is_Number:
        return repr(float(e)) if e >= 0 else f"({float(e)!r})"
    if e.is_Symbol:
        return str(e)
    if e.is_Add:
        return "(" + " + ".join(text(t) for t in e.args) + ")"
    if e.is_Mul:
        above = [t for t in e.args if not _is_below(t)]
        below = [1 / t for t in e.args if _is_below(t)]
        top = " * ".join(map(text, above)) or "1.0"
        return f"({top})" if not below else f"({top} / ({' * '.join(map(text, below))}))"
    if e.is_Pow and e.exp.is_Integer:
        factor = text(e.base)
        body = " * ".join([factor] * abs(int(e.exp)))
        return f"({body})" if e.exp > 0 else f"(1.0 / ({body}))"
    if isinstance(e, (sympy.exp, sympy.log, sympy.Abs)):
        name = "fabs" if isinstance(e, sympy.Abs) else type(e).__name__
        return f"{name}({text(e.args[0])})"
    if e.is_Pow:
        return f"pow({text(e.base)}, {text(e.exp)})"
    if isinstance(e, sympy.Mod):
        one, other = map(text, e.args)
        return f"({one} - {other} * floor({one} / {other}))"
    if isinstance(e, sympy.Piecewise) and len(e.args) == 2:
        (first, condition), (second, _) = e.args
        if isinstance(condition, sympy.Eq):
            left, right = map(text, condition.args)
            return f"where(fabs({left} - {right}) == 0.0, {text(first)}, {text(second)})"
    raise ValueError(f"{e} has no code")


def _is_below(e: sympy.Expr) -> bool:
    return bool(e.is_Pow and e.exp.is_Rational and e.exp.is_negative)
