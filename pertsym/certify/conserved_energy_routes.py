"""The fourth-order rate at conserved total energy by routes that share nothing but the Hamiltonian.

1. The engine's fourth-order cumulant with the energy kept, its terms integrated as they stand over
   both energies.  It acts on the eigenmode that decays at the rate g(E); dressed at second order
   this is, with x = E - h,

       n_s(h) [delta(x) - (k_o/2 pi) FP 1/x^2 - Re Sigma_s delta'(x)],

   normalised, h = eps + E_s, k_s the second-order rate out of s at total energy h, o the other
   level.  The dressing adds its change of the second-order rates.
2. The pole of the self-consistent ladder at a coupling so small that the next order is beyond the
   digits asked for.

A gap's denominator is 0+ + i (a_1 eps_1 + a_2 eps_2 + const).  In every term the a_j of one energy
have one sign, so that its path bends away from the real axis, to eps = t -+ i K (1/4 - t^2), and no
0+ is left; a factor sqrt(1/4 - t^2) stays at the ends of the band, for which the rule is Gauss's.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint
import mpmath

from pertsym.baths.balls import as_mpf
from pertsym.equations.energy_resolved import TwoLevels
from pertsym.expansion.paths import PathTerm
from pertsym.expansion.rule import ENERGY_RESOLVED, EnergyForm
from pertsym.model.random_matrix import RADIUS, VARIANCE
from pertsym.precision import ball_decimals, decimals

_BEND = Fraction(3, 2)  # K: branch points and poles are then about equally far from the path
_NODES_PER_DIGIT, _FEWEST = 4, 20
_GUARD_DIGITS = 10
_ITERATIONS = 400  # of self-energies and pole; a dozen for weak coupling

_Rule = list[tuple[Any, Any]]


def rate_from_cumulant(splitting: Fraction, total: Fraction, digits: int) -> Any:
    """rate^(4) for |S_01| = 1 and levels at -+ splitting/2, both inside the band (route 1)."""
    with ball_decimals(digits + _GUARD_DIGITS):
        delta, energy = (_ball(x) for x in (splitting, total))
        levels = [-delta / 2, delta / 2]
        nodes = _FEWEST + _NODES_PER_DIGIT * digits
        paths = {sign: _band(sign, nodes) for sign in (1, -1)}
        direct = [_sharp(delta, s, energy - levels[s], paths) for s in (0, 1)]
        rate = direct[0] - direct[1]
        for s, o in ((0, 1), (1, 0)):
            rate += _dressing(levels[s], levels[o], energy, nodes)
        return as_mpf(rate.real.mid())


def _ball(x: Fraction) -> Any:
    return flint.acb(x.numerator) / x.denominator


def _bent(sign: int, nodes: int, half: Any, middle: Any) -> _Rule:
    """Nodes and weights of int dx sqrt[(b - x)(x - a)] f(x), b - a = 2 half, on a bent path.

    x = middle + half [t + i sign K (1 - t^2)/2]; Gauss's rule for sqrt(1 - t^2).
    """
    rule, bend = [], _ball(_BEND / 2) * flint.acb(0, sign)
    for k in range(1, nodes + 1):
        angle = flint.arb(k) / (nodes + 1)
        t, weight = flint.acb(angle.cos_pi()), flint.acb(angle.sin_pi()) ** 2
        rest = (1 - bend * (1 + t)).sqrt() * (1 + bend * (1 - t)).sqrt() * (1 - 2 * bend * t)
        node = middle + half * (t + bend * (1 - t * t))
        rule.append((node, weight * rest * half**2 * flint.arb.pi() / (nodes + 1)))
    return rule


def _band(sign: int, nodes: int) -> _Rule:
    """int d eps rho(eps) f(eps) over the band."""
    return [(x, w * _scale()) for x, w in _bent(sign, nodes, _ball(RADIUS), flint.acb(0))]


def _scale() -> Any:
    """rho(E) = scale sqrt(R^2 - E^2)."""
    return 2 / (flint.arb.pi() * _ball(RADIUS) ** 2)


def _sharp(splitting: Any, source: int, energy: Any, paths: dict[int, _Rule]) -> Any:
    """Fourth-order change of P_1 in unit time from `source` at a sharp energy."""
    terms = TwoLevels().element(ENERGY_RESOLVED, 4, (1, 1, source, source))
    return sum((_integrated(term, splitting, energy, paths) for term in terms), flint.acb(0))


def _integrated(term: PathTerm, splitting: Any, energy: Any, paths: dict[int, _Rule]) -> Any:
    gaps = [
        (dict(gap), level * splitting)
        for gap, (level,) in zip(term.shape.gaps, term.shape.system, strict=True)
    ]
    rules = [paths[_side(term.shape.gaps, number)] for number in (1, 2)]
    starts = [form.get(0, 0) * energy + level for form, level in gaps]
    total = flint.acb(0)
    for x, weight in rules[0]:
        first = [start + form.get(1, 0) * x for start, (form, _) in zip(starts, gaps, strict=True)]
        inner = flint.acb(0)
        for y, share in rules[1]:
            product = share
            for begun, (form, _) in zip(first, gaps, strict=True):
                product /= begun + form.get(2, 0) * y
            inner += product
        total += weight * inner
    z = term.coefficient
    scale = _ball(VARIANCE) ** 2 * (_ball(z.re) + flint.acb(0, 1) * _ball(z.im))
    return scale * total * flint.acb(0, 1)  # 1/i^3


def _side(gaps: tuple[EnergyForm, ...], number: int) -> int:
    """The side of the axis where all gaps decay: the sign opposite to the coefficients."""
    signs = {1 if c > 0 else -1 for gap in gaps for energy, c in gap if energy == number and c}
    if len(signs) != 1:
        raise ValueError(f"gaps {gaps}: energy {number} has no side where all of them decay")
    return -signs.pop()


def _density(energy: Any) -> Any:
    """rho of one state, continued from the band."""
    return _scale() * (_ball(RADIUS) ** 2 - energy**2).sqrt()


def _density_slope(energy: Any) -> Any:
    return -energy * _scale() / (_ball(RADIUS) ** 2 - energy**2).sqrt()


def _dressing(own: Any, other: Any, total: Any, nodes: int) -> Any:
    """int k_s chi_s over total energies, chi_s the dressing of the mode in level s.

    k = 2 pi v rho; within the band Re g = E/(2 v), so that FP int rho/(h - E)^2 = -1/(2 v).
    """
    v = _ball(VARIANCE)
    golden = 2 * flint.arb.pi() * v
    back, out = (golden * _density(total - level) for level in (own, other))
    shift = v * (total - other) / (2 * v)
    # both densities differ from zero in one range
    middle, half = (own + other) / 2, _ball(RADIUS) - abs(own.real - other.real) / 2
    both = finite_part(lambda h: _remainder(h, own, other) * golden, total, middle, half, nodes)
    spread = (both + out / (2 * v)) / _density(total - own)
    slope = golden * _density_slope(total - other)
    return -back / (2 * flint.arb.pi()) * spread - shift * slope


def _remainder(h: Any, own: Any, other: Any) -> Any:
    """rho(h - own) rho(h - other) without the factor sqrt[(b - h)(h - a)] of the common range."""
    low, high = (own, other) if own.real < other.real else (other, own)
    radius = _ball(RADIUS)
    return _scale() ** 2 * (radius + h - low).sqrt() * (radius - h + high).sqrt()


def finite_part(
    function: Callable[[Any], Any], pole: Any, middle: Any, half: Any, nodes: int
) -> Any:
    """Hadamard's finite part of int sqrt[(b - x)(x - a)] function(x)/(x - pole)^2 from a to b.

    The mean of the paths above and below the pole; for a function that is real on the axis the
    real part of either.
    """
    rule = _bent(1, nodes, half, middle)
    total = sum((w * function(x) / (x - pole) ** 2 for x, w in rule), flint.acb(0))
    return flint.acb(total.real)


def from_ladder(
    splitting: Fraction, total: Fraction, digits: int
) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """(rate^(2), rate^(4)) from the pole of the ladder (route 2), (z^(0), z^(2)); |S_01| = 1."""
    half = splitting / 2
    with decimals(3 * digits + 30):
        # E - E_s, lower level first
        points = [mpmath.mpf(x.numerator) / x.denominator for x in (total + half, total - half)]
        small = mpmath.mpf(10) ** (-digits - 5)  # lambda^2
        tiny = small**2  # the next order is beyond 2 digits
        rates, z = zip(_ladder(points, tiny), _ladder(points, small), strict=True)
        # the next order by the difference quotient at two couplings
        step = small - tiny
        return (rates[0], (rates[1] - rates[0]) / step), (z[0], (z[1] - z[0]) / step)


def _ladder(points: list[Any], coupling: Any) -> tuple[Any, Any]:
    """rate/lambda^2 at the pole, and z of the level densities at E, at coupling lambda^2.

    `points` are E - E_s.  Self-energies and pole are iterated together; the resolvent is continued
    through the band to below the real axis.
    """
    found = []
    for decays in (True, False):
        lower = upper = mpmath.mpc(0)
        for _ in range(_ITERATIONS):
            before, rate = lower + upper, -decays * mpmath.im(lower + upper) / 8
            dressed = zip(points, (upper, lower), strict=True)
            z = [x - coupling * (1j * rate / 2 + other / 16) for x, other in dressed]
            lower, upper = (8 * (w - 1j * mpmath.sqrt(mpmath.mpf(1) / 4 - w * w)) for w in z)
            if abs(lower + upper - before) <= 4 * mpmath.eps * abs(before):
                break
        out, back = mpmath.im(lower), mpmath.im(upper)
        found.append(-(out + back) / 8 if decays else (back - out) / (out + back))
    return found[0], found[1]
