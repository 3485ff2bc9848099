"""Two levels in an environment with levels: fourth order at one total energy.

SymPy expressions in n(eps), F(eps, eps').  + is the upper level, at energy eps of the environment;
Delta = E_+ - E_-.

To fourth order the non-crossing self-energies are used.  At leading order in 1/N that of level s is
Sigma_s(z) = u g(z - E_o - Sigma_o(z)), o the
other level, u = lambda^2 v, g the resolvent of H_B: the all-left averages of the non-crossing rule,
resummed.  Rungs between ket and bra have the same weight, so that the ladder at frequency omega has
the poles omega = 0 and

    omega = sum_s [Sigma_s^R(E + omega/2) - Sigma_s^A(E - omega/2)],

the second one at omega = -i rate.  Both are expanded in u here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import sympy

from pertsym.model.random_matrix import DEVIATION, RADIUS, VARIANCE

EPS = sympy.Symbol("epsilon", real=True)
DELTA = sympy.Symbol("Delta", positive=True)
TOTAL = sympy.Symbol("E", real=True)
N = sympy.Function("n")
R = sympy.Function("r")
"""r(eps) = sqrt(1/4 - eps^2) in the band, 0 outside."""

_F = sympy.Function("F")
"""F(a, b), symmetric."""


def semicircle(expression: sympy.Expr) -> sympy.Expr:
    """The expression for Gaussian orthogonal matrices: F = v/N, n the semicircle of radius R."""
    size = sympy.Symbol("N", positive=True)
    constant = expression.replace(_F, lambda *_: sympy.Rational(VARIANCE) / size)
    density = 2 * size / (sympy.pi * sympy.Rational(RADIUS) ** 2)
    numerator, denominator = sympy.fraction(
        sympy.factor(constant.replace(N, lambda e: density * R(e)))
    )
    if denominator != 1:
        numerator = sympy.expand(numerator)  # r - r' rather than -(r' - r)
    return numerator / denominator


def bath_correlation(tau: sympy.Expr) -> sympy.Expr:
    """sqrt(v) J_1(R tau)/tau: C(tau) of Gaussian orthogonal matrices without e^{i eps tau}."""
    return sympy.Rational(DEVIATION) * sympy.besselj(1, sympy.Rational(RADIUS) * tau) / tau


U = sympy.Symbol("u", positive=True)
"""lambda^2 v, with v = n F summed over the band (1/16 for Gaussian orthogonal matrices)."""

LEVELS = ("-", "+")


def _part(part: str, level: str, prime: str = "") -> sympy.Symbol:
    return sympy.Symbol(rf"\mathrm{{{part}}}\,g_{{{level}}}{prime}", real=True)


RE = tuple(_part("Re", level) for level in LEVELS)
IM = tuple(_part("Im", level) for level in LEVELS)
RE_SLOPE = tuple(_part("Re", level, "'") for level in LEVELS)
IM_SLOPE = tuple(_part("Im", level, "'") for level in LEVELS)
"""Real and imaginary parts of g_s = g(E - E_s + i0) and of its derivative; lower level first."""


@dataclass(frozen=True)
class ConservedEnergySeries:
    """Contributions by order in the coupling, in RE, IM, RE_SLOPE, IM_SLOPE and U."""

    rate: dict[int, sympy.Expr]
    z_infinity: dict[int, sympy.Expr]


@cache
def conserved_energy_series() -> ConservedEnergySeries:
    """Expand the pole and the level densities at total energy E to fourth order."""
    g = [RE[s] + sympy.I * IM[s] for s in (0, 1)]
    slope = [RE_SLOPE[s] + sympy.I * IM_SLOPE[s] for s in (0, 1)]
    first = [U * g[1], U * g[0]]  # Sigma_s to order u
    second_rate = sympy.expand(-2 * sum(sympy.im(sigma) for sigma in first))
    # g_o at E - i rate/2 - E_o - Sigma_o, to first order in what was added to E - E_o
    added = [-sympy.I * second_rate / 2 - sigma for sigma in first]
    second = [U * slope[1] * added[1], U * slope[0] * added[0]]
    fourth_rate = sympy.expand(-2 * sum(sympy.im(sympy.expand(sigma)) for sigma in second))
    # the populations at E are the level densities, z = (n_+ - n_-)/(n_+ + n_-)
    n = [-IM[s] for s in (0, 1)]
    change = [sympy.im(sympy.expand(slope[s] * first[s])) for s in (0, 1)]
    x = sympy.Symbol("x")
    shifted = [n[s] + x * change[s] for s in (0, 1)]
    z = (shifted[1] - shifted[0]) / (shifted[1] + shifted[0])
    return ConservedEnergySeries(
        {2: sympy.factor(second_rate), 4: sympy.collect(fourth_rate, U)},
        {0: z.subs(x, 0), 2: sympy.factor(sympy.diff(z, x).subs(x, 0))},
    )


def in_band(expression: sympy.Expr) -> sympy.Expr:
    """Gaussian orthogonal matrices with both levels inside the band.

    g = (x - i r)/(2 v), g' = (1 + i x/r)/(2 v), u = lambda^2 v; x_s = E - E_s, r_s = r(x_s).
    """
    v = sympy.Rational(VARIANCE)
    values: dict[sympy.Symbol, sympy.Expr] = {U: LAM**2 * v}
    for s in (0, 1):
        values[RE[s]], values[IM[s]] = X[s] / (2 * v), -CHORD[s] / (2 * v)
        values[RE_SLOPE[s]], values[IM_SLOPE[s]] = 1 / (2 * v), X[s] / CHORD[s] / (2 * v)
    return sympy.factor(sympy.expand(expression.subs(values)))


LAM = sympy.Symbol("lambda", positive=True)
X = tuple(sympy.Symbol(f"x_{{{level}}}", real=True) for level in LEVELS)
CHORD = tuple(sympy.Symbol(f"r_{{{level}}}", positive=True) for level in LEVELS)
