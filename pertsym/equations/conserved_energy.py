"""Two levels in an environment with levels: golden rule, and fourth order at one total energy.

With sigma_x coupling the golden-rule part pi delta(x) of every population element is read off the
engine's second-order terms, as SymPy expressions in n(eps), F(eps, eps'); what follows (conserved
quantity, rate, asymptotic z) is algebra.  + is the upper level, at energy eps of the environment;
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

from pertsym.equations.energy_resolved import TwoLevels
from pertsym.expansion.paths import Element, PathTerm
from pertsym.expansion.rule import Projector
from pertsym.model.random_matrix import DEVIATION, RADIUS, VARIANCE

EPS = sympy.Symbol("epsilon", real=True)
DELTA = sympy.Symbol("Delta", positive=True)
TOTAL = sympy.Symbol("E", real=True)
N = sympy.Function("n")
R = sympy.Function("r")
"""r(eps) = sqrt(1/4 - eps^2) in the band, 0 outside."""

_F = sympy.Function("F")


def smoothed_square(a: sympy.Expr, b: sympy.Expr) -> sympy.Expr:
    """F(a, b), symmetric: the arguments in a fixed order."""
    return _F(*sorted((sympy.expand(a), sympy.expand(b)), key=sympy.default_sort_key))


@dataclass(frozen=True)
class Transition:
    """A golden-rule term: the coefficient, from which energy, and how far the energy moves.

    Attributes
    ----------
    coefficient
        Of the population it acts on, energy of the environment afterwards eps.
    source
        Energy at which the population stands.
    """

    coefficient: sympy.Expr
    source: sympy.Expr


@cache
def golden_rule(projector: Projector, level: int, source: int, at: sympy.Expr = EPS) -> Transition:
    """The element source -> level of the Markovian population equation at energy `at`.

    Raises
    ------
    ValueError
        If the delta functions of the terms are not at one energy: then they are no transition.
    """
    found = golden_rule_terms(projector, (level, level, source, source), at)
    if len(found) != 1:
        raise ValueError(f"golden_rule: {len(found)} energies for one transition")
    ((where, coefficient),) = found.items()
    return Transition(coefficient, where)


def golden_rule_terms(
    projector: Projector, element: Element, at: sympy.Expr = EPS
) -> dict[sympy.Expr, sympy.Expr]:
    """The pi delta(x) of an element ab <- cd of the Markovian equation, coherences too.

    Returns
    -------
    dict
        Energy at which P_cd stands -> its coefficient in dP_ab/dt at the energy `at`.
    """
    found: dict[sympy.Expr, sympy.Expr] = {}
    for term in TwoLevels().element(projector, 2, element):
        coefficient, where = _on_shell(term, projector, at)
        found[where] = sympy.expand(found.get(where, 0) + LAM**2 * coefficient)
    return found


def _on_shell(
    term: PathTerm, projector: Projector, at: sympy.Expr
) -> tuple[sympy.Expr, sympy.Expr]:
    """pi delta(x) of one term, integrated over eps', and where its population stands."""
    shape = term.shape
    (weight,), (gap,), ((level,),) = shape.weights, shape.gaps, shape.system
    final, other = (0, 1) if shape.label == 0 else (1, 0)
    parts = dict(gap)
    # x = parts[other] (e' - e) + level Delta vanishes at e' = e - level Delta/parts[other]
    if parts[final] != -parts[other]:
        raise ValueError(f"the phase {gap} is no difference of two energies")
    resonant = at - sympy.Rational(level, parts[other]) * DELTA
    named = {final: at, other: resonant}
    a, b = (named[energy] for energy in weight.energies)
    value = sympy.pi * N(a) * smoothed_square(a, b)
    coefficient = sympy.Rational(term.coefficient.re.numerator, term.coefficient.re.denominator)
    return coefficient * value, named[0] if projector.resolves_energy else at


@dataclass(frozen=True)
class Relaxation:
    """dz/dt = -rate (z - z_infinity) with z = P_+ - P_- and the sum conserved.

    Attributes
    ----------
    down, up
        Rates + -> - and - -> +.
    pair
        Energies of the environment of the two populations that are coupled, + first.
    """

    down: sympy.Expr
    up: sympy.Expr
    pair: tuple[sympy.Expr, sympy.Expr]

    @property
    def rate(self) -> sympy.Expr:
        """Rate at which z relaxes."""
        return sympy.factor(self.down + self.up)

    @property
    def z_infinity(self) -> sympy.Expr:
        """Asymptotic z."""
        return sympy.cancel((self.up - self.down) / (self.up + self.down))


@cache
def relaxation(projector: Projector) -> Relaxation:
    """Rate and asymptotic z of the pair of populations that + at eps belongs to.

    Raises
    ------
    ValueError
        If the pair is not closed or its sum not conserved.
    """
    up_loss = golden_rule(projector, 1, 1)
    up_gain = golden_rule(projector, 1, 0)
    lower = up_gain.source
    down_gain = golden_rule(projector, 0, 1, lower)
    down_loss = golden_rule(projector, 0, 0, lower)
    if sympy.expand(down_gain.source - EPS) != 0:
        raise ValueError("relaxation: the pair of populations is not closed")
    if sympy.expand(up_loss.coefficient + down_gain.coefficient) != 0:
        raise ValueError("relaxation: the sum of the pair is not conserved")
    if sympy.expand(up_gain.coefficient + down_loss.coefficient) != 0:
        raise ValueError("relaxation: the sum of the pair is not conserved")
    return Relaxation(-up_loss.coefficient, up_gain.coefficient, (EPS, lower))


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
