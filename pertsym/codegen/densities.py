"""Spectral densities as text that is code in Python and in C99.

The text uses + - * /, numbers, exp log pow sqrt fabs real imag where and the imaginary unit I,
which both languages can define for real and for complex arguments.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import sympy

from pertsym.baths.densities import (
    BathDensity,
    DrudeLorentz,
    Exponentials,
    ExpressionDensity,
    Ohmic,
    Underdamped,
)
from pertsym.model.errors import NotYetDerivable


@dataclass(frozen=True)
class DensityCode:
    """A density with J = amplitude * shape.

    Attributes
    ----------
    kind
        An identifier.
    formula
        J(w) for w > 0, for readers.
    parameters
        Names, in the order of `values_of`.
    amplitude
        In the parameters; it never enters the nodes.
    infrared, kink, ultraviolet, scale, axis, reach
        As in `pertsym.baths.density.Density`.
    prelude
        Complex (name, text) that what follows may use.
    continued
        The shape at complex w, Re w >= 0.
    resonances
        (position, residue) of poles of the shape with -pi/2 < arg w < 0.
    steps
        Real (name, text) for what follows.
    reduced, slope, slope_size
        shape/y at y > 0, its logarithmic derivative, and a bound of the terms of that.
    rounding
        Relative error of `reduced` in units of the roundoff.
    """

    kind: str
    formula: str
    parameters: tuple[str, ...]
    amplitude: str
    infrared: str
    kink: str
    ultraviolet: str
    scale: str
    axis: str
    reach: str
    continued: str
    reduced: str
    slope: str
    slope_size: str
    rounding: str
    prelude: tuple[tuple[str, str], ...] = ()
    resonances: tuple[tuple[str, str], ...] = ()
    steps: tuple[tuple[str, str], ...] = ()

    @property
    def shape_parameters(self) -> tuple[str, ...]:
        """Those that enter the nodes."""
        return tuple(name for name in self.parameters if name not in self.amplitude.split(" * "))


_OHMIC = DensityCode(
    kind="ohmic",
    formula="alpha w^s wc^(1-s) exp(-w/wc)",
    parameters=("alpha", "wc", "s"),
    amplitude="alpha",
    infrared="s",
    kink="where(fabs(s - 2.0 * floor(s / 2.0) - 1.0) == 0.0, s + 1.0, s)",
    ultraviolet="-INFINITY",
    scale="wc",
    axis="INFINITY",
    reach="(140.0 + 10.0 * s) * wc",
    continued="wc * pow(w / wc, s) * exp(-w / wc)",
    reduced="pow(y / wc, s - 1.0) * exp(-y / wc)",
    slope="(s - 1.0) / y - 1.0 / wc",
    slope_size="fabs(s - 1.0) / y + 1.0 / wc",
    rounding="12.0 + 2.0 * y / wc + 2.0 * fabs((s - 1.0) * log(y / wc))",
)

_DRUDE = DensityCode(
    kind="drude_lorentz",
    formula="2 lam gamma w/(gamma^2 + w^2)",
    parameters=("lam", "gamma"),
    amplitude="lam",
    infrared="1.0",
    kink="INFINITY",
    ultraviolet="-1.0",
    scale="gamma",
    axis="gamma",
    reach="gamma",
    continued="2.0 * (w / gamma) / ((1.0 + I * w / gamma) * (1.0 - I * w / gamma))",
    reduced="2.0 * gamma / (gamma * gamma + y * y)",
    slope="-2.0 * y / (gamma * gamma + y * y)",
    slope_size="2.0 * y / (gamma * gamma + y * y)",
    rounding="12.0",
)

_UNDERDAMPED = DensityCode(
    kind="underdamped",
    formula="lam^2 gamma w/[(w0^2 - w^2)^2 + gamma^2 w^2]",
    parameters=("lam", "w0", "gamma"),
    amplitude="lam * lam",
    infrared="1.0",
    kink="INFINITY",
    ultraviolet="-3.0",
    scale="fabs(slow)",
    axis="fabs(slow)",
    reach="fabs(pole)",
    prelude=(
        ("root", "sqrt((w0 - gamma / 2.0) * (w0 + gamma / 2.0) + 0.0 * I)"),
        ("pole", "real(root) - I * (gamma / 2.0 + imag(root))"),
        (
            "slow",
            "where(imag(root) > 0.0, -I * w0 * (w0 / fabs(pole)), -real(root) - I * gamma / 2.0)",
        ),
    ),
    continued="gamma * w / ((w - pole) * (w - slow) * (w + pole) * (w + slow))",
    resonances=(
        (
            "pole",
            "where(real(pole) > 0.0, 0.25 * I / where(real(pole) > 0.0, real(pole), 1.0), 0.0 * I)",
        ),
    ),
    steps=(
        ("detuning", "(w0 - y) * (w0 + y)"),
        ("friction", "gamma * y"),
        ("below", "detuning * detuning + friction * friction"),
    ),
    reduced="gamma / below",
    slope="-2.0 * y * (gamma * gamma - 2.0 * detuning) / below",
    slope_size="2.0 * y * (gamma * gamma + 2.0 * fabs(detuning)) / below",
    rounding="24.0",
)

CODES: Final[dict[type[Any], DensityCode]] = {
    Ohmic: _OHMIC,
    DrudeLorentz: _DRUDE,
    Underdamped: _UNDERDAMPED,
}


def code_of(density: BathDensity, bath: str) -> DensityCode | None:
    """The code of a density; None for a sum of exponentials, which is all numbers.

    Raises
    ------
    NotYetDerivable
        For a density that cannot be exported.
    """
    if isinstance(density, Exponentials):
        return None
    if isinstance(density, ExpressionDensity):
        return _rational(density, bath)
    code = CODES.get(type(density))
    if code is None:
        raise _refusal(bath, f"{type(density).__name__} has no code below the real axis")
    return code


def values_of(density: BathDensity, code: DensityCode) -> dict[str, float]:
    """The parameters' values."""
    return {name: float(getattr(density, name)) for name in code.parameters}


def _refusal(bath: str, problem: str) -> NotYetDerivable:
    return NotYetDerivable(
        "model",
        f"baths.{bath}.spectral_density",
        f"cannot be exported: {problem}",
        "use ohmic, drude-lorentz, underdamped, exponentials or a rational odd expression",
    )


def _rational(density: ExpressionDensity, bath: str) -> DensityCode:
    """A rational odd J: its poles are known."""
    (w,) = density.expression.sympy_expr.free_symbols or (sympy.Symbol("w"),)
    y = sympy.Symbol("y", positive=True)
    given = sympy.sympify(density.expression.sympy_expr)
    exact = sympy.nsimplify(given, rational=True)
    above, below = sympy.fraction(sympy.cancel(sympy.together(exact)))
    if not (above.is_polynomial(w) and below.is_polynomial(w)):
        raise _refusal(bath, "the expression is not rational, its singularities are not known")
    if sympy.expand(above.subs(w, -w) * below + above * below.subs(w, -w)) != 0:
        raise _refusal(bath, "the expression is not odd, it has a kink at w = 0")
    poles = np.array([complex(p) for p in sympy.Poly(below, w).nroots(n=30, maxsteps=200)])
    tilted = (np.abs(poles.real) > 1e-12 * np.abs(poles)) & (poles.imag < 0) & (poles.real > 0)
    on_axis = poles[np.abs(poles.real) <= 1e-12 * np.abs(poles)]
    slope = sympy.Poly(below, w).diff(w)
    residues = [complex(sympy.Poly(above, w).eval(p) / slope.eval(p)) for p in poles[tilted]]
    ultraviolet = sympy.degree(above, w) - sympy.degree(below, w)
    reduced = (given / w).subs(w, y)
    derivative = sympy.diff(sympy.log(reduced), y)
    distance = float(np.min(np.abs(on_axis), initial=np.inf))
    return DensityCode(
        kind=f"expression_{bath}",
        formula=str(given),
        parameters=(),
        amplitude="1.0",
        infrared=repr(float(density.infrared_power)),
        kink="INFINITY",
        ultraviolet=repr(float(ultraviolet)),
        scale=repr(float(np.min(np.abs(poles)))),
        axis=repr(distance) if math.isfinite(distance) else "INFINITY",
        reach=repr(float(np.max(np.abs(poles)))),
        continued=text(given),
        resonances=tuple(
            (_complex(p), _complex(r)) for p, r in zip(poles[tilted], residues, strict=True)
        ),
        reduced=text(reduced),
        slope=text(derivative),
        slope_size=f"fabs({text(derivative)}) * ({text(_condition(derivative))})",
        rounding=f"8.0 * ({text(_condition(reduced))})",
    )


def _complex(z: complex) -> str:
    return f"({z.real!r} + {z.imag!r} * I)"


def _condition(e: sympy.Expr) -> sympy.Expr:
    """Rounding errors of an expression, relative, in units of the roundoff."""
    if e.is_Add:
        return sum(sympy.Abs(t) * _condition(t) for t in e.args) / sympy.Abs(e) + 1
    if e.is_Mul:
        return sum(_condition(t) for t in e.args) + 1
    if e.is_Pow and e.exp.is_number:
        return sympy.Abs(e.exp) * _condition(e.base) + 1
    return sympy.Integer(1)


def text(e: sympy.Expr) -> str:
    """A rational expression as text; powers are products, numbers doubles."""
    if e.is_Number:
        return repr(float(e)) if e >= 0 else f"({float(e)!r})"
    if e.is_Symbol:
        return str(e)
    if e.is_Add:
        return "(" + " + ".join(text(t) for t in e.args) + ")"
    if e.is_Mul:
        above = [t for t in e.args if not (t.is_Pow and t.exp.is_negative)]
        below = [1 / t for t in e.args if t.is_Pow and t.exp.is_negative]
        top = " * ".join(map(text, above)) or "1.0"
        return f"({top})" if not below else f"({top} / ({' * '.join(map(text, below))}))"
    if e.is_Pow and e.exp.is_Integer:
        factor = text(e.base)
        body = " * ".join([factor] * abs(int(e.exp)))
        return f"({body})" if e.exp > 0 else f"(1.0 / ({body}))"
    if isinstance(e, sympy.Abs):
        return f"fabs({text(e.args[0])})"
    raise NotYetDerivable("model", "spectral_density", f"{e} cannot be exported", "use a fraction")
