"""Whether a formula for J continues below the positive axis, with its poles there.

Formulas are accepted whose singularities for Re w > 0 can be read off: products, sums and powers of
rational functions, of powers of w and of polynomials without zeros for Re w > 0, of exponentials
that fall no faster than e^-w, and of hyperbolic functions of a multiple of w.  What is accepted is
then tried: twice the real part of the G that its nodes give must be Ĉ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import sympy
from numpy.typing import NDArray

from pertsym.baths.jets import Jet
from pertsym.baths.nodes import Nodes
from pertsym.baths.thermal_path import thermal_path
from pertsym.expressions.numeric import W

if TYPE_CHECKING:
    from pertsym.baths.densities.density import Density

_Complex = NDArray[np.complex128]

_EDGE: Final = 1e-9  # of its modulus: a root so close to the imaginary axis is on it
_SURE: Final = 1e-13  # relative error of J on the path
_GONE: Final = 1e-40  # of the largest J on the path
_DECADES: Final = np.logspace(-30, 30, 1201)
_TRIED: Final = np.array([-300.0, -1.0, -0.01, 0.003, 0.05, 0.4, 1.0, 1.7, 5.0, 40.0, 300.0])
_CIRCLE: Final = np.exp(2j * np.pi * np.arange(64) / 64)


@dataclass
class _Found:
    """Singularities, collected from the tree; of infinitely many the nearest."""

    poles: list[complex] = field(default_factory=list)
    others: list[complex] = field(default_factory=list)


class ExpressionContinuation:
    """J at complex w of an analytic formula, from its jets, and its singularities."""

    def __init__(self, formula: sympy.Expr, jet: Any) -> None:
        self._jet = jet
        found = _Found()
        self.readable = _read(formula, found)
        right = [z for z in found.poles if z.real > _EDGE * abs(z)]
        lower = [z for z in right if z.imag < 0]
        apart = all(abs(a - b) > 1e-3 * abs(a) for i, a in enumerate(lower) for b in lower[:i])
        self.readable &= apart and all(abs(z.imag) > _EDGE * abs(z) for z in right)
        every = [abs(z) for z in (*found.poles, *found.others)]
        self.axis = min(every, default=math.inf)
        self.farthest = max(every, default=0.0)
        self._lower = lower
        self._singular = np.array([*found.poles, *found.others, 0.0])

    def at(self, w: _Complex) -> tuple[_Complex, Any]:
        """J at complex w, shape (M,), and its error."""
        with np.errstate(all="ignore"):
            jet = self._jet(Jet((w,), (np.zeros(w.shape),)))
        value = np.broadcast_to(np.asarray(jet.c[0], dtype=complex), w.shape)
        return value, np.broadcast_to(jet.e[0], w.shape)

    def resonances(self) -> tuple[_Complex, _Complex]:
        """Poles with Re w > 0 > Im w, and the residues from circles around them."""
        positions = np.array(self._lower, dtype=complex)
        residues = np.zeros_like(positions)
        for k, pole in enumerate(positions):
            away = np.abs(self._singular - pole)
            circle = 0.3 * np.min(away[away > 1e-6 * abs(pole)]) * _CIRCLE
            residues[k] = np.mean(self.at(pole + circle)[0] * circle)
        return positions, residues

    def reach(self, scale: float, falls: bool) -> float:
        """Where J has vanished on the path at 45 degrees, or where its last power begins."""
        if not falls:
            return max(scale, self.farthest)
        w = scale * _DECADES
        size = np.abs(self.at(w * np.exp(-0.25j * np.pi))[0])
        present = np.isfinite(size) & (size > _GONE * np.nanmax(size))
        return float(w[np.flatnonzero(present)[-1]]) * 1.2

    def is_sure(self, density: Density) -> bool:
        """Whether nodes of the bath at T = 0 give its spectrum back, and J keeps its digits."""
        scale = min(density.scale, self.axis)
        w = scale * _TRIED
        try:
            nodes = Nodes.of(thermal_path(density, False, math.inf), abs(w).min(), abs(w).max())
        except ArithmeticError:
            return False
        for arm in nodes.arms:
            value, error = self.at(arm.poles)
            if not np.all(error <= _SURE * np.abs(value) + 1e-290):
                return False
        found, bound = nodes.half_sided(w)
        with np.errstate(all="ignore"):
            wanted = 2 * self.at(np.abs(w).astype(complex))[0].real * (w > 0)
        missed = np.abs(2 * found.real - wanted)
        return bool(
            np.all(missed <= 2 * bound + 1e-13 * np.abs(wanted))
            and np.all(bound <= 1e-10 * np.abs(found))
        )


def _read(node: sympy.Expr, found: _Found) -> bool:
    """Whether all singularities for Re w > 0 are known."""
    if node == W or not node.has(W):
        return True
    if isinstance(node, (sympy.Add, sympy.Mul)):
        return all(_read(part, found) for part in node.args)
    if isinstance(node, sympy.exp):
        return _falls_slowly(sympy.expand(node.args[0]))
    if isinstance(node, (sympy.tanh, sympy.coth, sympy.sech, sympy.csch)):
        rate = node.args[0] / W
        if rate.has(W) or not rate.is_real:
            return False
        found.others.append(0.5j * math.pi / abs(float(rate)))
        return True
    if isinstance(node, sympy.Pow) and not node.exp.has(W):
        base, exponent = node.args
        if base == W or (exponent.is_Integer and exponent > 0):
            return _read(base, found)
        polynomial = base.as_poly(W)
        if polynomial is None or polynomial.degree() > 60:
            return False
        roots = [complex(z) for z in np.roots([complex(c) for c in polynomial.all_coeffs()])]
        if exponent.is_Integer:
            found.poles += roots * min(-int(exponent), 2)  # a repeated one is refused
            return True
        found.others += roots
        quadrant = all(z.real <= _EDGE * abs(z) for z in roots)
        return bool(polynomial.degree() <= 2 and polynomial.LC() > 0 and quadrant)
    return False


def _falls_slowly(exponent: sympy.Expr) -> bool:
    """Whether it is a constant and terms -c w^q, 0 < q <= 1, c > 0."""
    for term in sympy.Add.make_args(exponent):
        c, q = term.as_coeff_exponent(W)
        if c.has(W) or not (q == 0 or (q.is_real and 0 < q <= 1 and c.is_negative)):
            return False
    return True
