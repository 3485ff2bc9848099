"""Detailed balance at sixth order: the steady state of K_0 + K_2 + K_4 + K_6 and imaginary time.

Two levels, H_I = S (x) B with real symmetric S, one thermal bath.  The populations that the
generator leaves unchanged have the ratio K = K(0) + K(2) + K(4) + ..., with K(4) from K_2, K_4 and
K_6; for a coupling without diagonal elements that is k_up = K k_down order by order.  Equilibrium
says that K is the ratio of the elements of Tr_B exp(-beta H), whose expansion in imaginary time
knows nothing of rates.  Both are evaluated in ball arithmetic, for the Gaussian spectrum, which
is thermal at any precision.  So is the formula for K(4) without diagonal coupling.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import flint
import numpy as np

from pertsym.certify.brute_force import gaussian_pairs
from pertsym.certify.gaussian_spectrum import BATH, GaussianSpectrum
from pertsym.equations.fourth_constant import fourth_constant
from pertsym.equations.models import independent_baths
from pertsym.exact import Gaussian
from pertsym.generators.bloch_recursion import recursion
from pertsym.generators.hierarchy import Hierarchy
from pertsym.generators.system import System
from pertsym.precision import ball_decimals
from pertsym.reduction.spectral import Atom, SpectralIntegral, Thermal, Value

_GUARD_DIGITS = 20
_NOTHING = np.zeros(4, dtype=object)

Numbers = tuple[int, int, int]


@dataclass(frozen=True)
class TwoLevels:
    """E_1 - E_0 = w0 > 0 as decimal text, and S = [[s00, s01], [s01, s11]] as integers over 8."""

    splitting: str
    coupling: Numbers

    def operator(self, row: int, column: int) -> Fraction:
        """An element of S."""
        return Fraction(self.coupling[row + column], 8)

    @property
    def balls(self) -> Any:
        """S as an array of acb numbers."""
        rows = [[_ball(self.operator(a, b)) for b in range(2)] for a in range(2)]
        return np.array(rows, dtype=object)


def constants_from_generator(
    system: TwoLevels, bath: GaussianSpectrum, digits: int
) -> Mapping[int, Any]:
    """K(0), K(2), K(4) of the steady state, arb numbers.

    With rho_00 = 1 the order-n part of rho_11 is K(n).  Coherences follow from K_0 one order
    below, rho_11 from the population row two orders above.
    """
    with ball_decimals(digits + _GUARD_DIGITS + digits // 4):
        w0 = flint.acb(system.splitting)
        gaps = np.array([[0 * w0, -w0], [w0, 0 * w0]], dtype=object)
        levels = System(gaps, {BATH: system.balls})
        hierarchy = Hierarchy(levels, bath.exponents(digits), depth=3, precision=object)
        generators = recursion(hierarchy, 6).generators
        # rho_00, rho_01, rho_10, rho_11
        states: list[Any] = []
        for n in (0, 2, 4):
            driving = sum((generators[n - 2 * k] @ x for k, x in enumerate(states)), _NOTHING)
            state = np.array([int(n == 0), driving[1] / -1j / w0, driving[2] / 1j / w0, 0])
            states.append(state)
            flow = sum(generators[n + 2 - 2 * k][3] @ x for k, x in enumerate(states))
            state[3] = -flow / generators[2][3, 3]
        return {2 * k: state[3].real for k, state in enumerate(states)}


def constants_from_imaginary_time(
    system: TwoLevels, bath: GaussianSpectrum, digits: int
) -> Mapping[int, Any]:
    """K(0), K(2), K(4) from <n|Tr_B exp(-beta H)|n>, by Gauss-Legendre rules on simplices.

    A term of order n is a path of n + 1 levels with n - 1 durations in between, s_1 + ... <= beta,
    times a contraction of the bath.  The integrand is entire, so that the rule converges faster
    than exponentially.
    """
    with ball_decimals(digits + _GUARD_DIGITS):
        rule = _gauss_legendre(8 + digits)
        boltzmann = (-flint.arb(bath.beta) * flint.arb(system.splitting)).exp()
        two, four = (_imaginary_time(system, bath, rule, order) for order in (2, 4))
        second = boltzmann * (two[1] - two[0])
        fourth = boltzmann * (four[1] - four[0]) - second * two[0]
        return {0: boltzmann, 2: second, 4: fourth}


def _gauss_legendre(points: int) -> list[tuple[Any, Any]]:
    """Nodes and weights on (0, 1)."""
    pairs = (flint.arb.legendre_p_root(points, k, weight=True) for k in range(points))
    return [((1 + x) / 2, weight / 2) for x, weight in pairs]


def _imaginary_time(
    system: TwoLevels, bath: GaussianSpectrum, rule: list[tuple[Any, Any]], order: int
) -> list[Any]:
    """<n|Tr_B exp(-beta H)|n> exp(beta E_n)/Z_B of one order for both levels n.

    Every duration is a share of what those before have left of beta.
    """
    w0, beta = flint.arb(system.splitting), flint.arb(bath.beta)
    operator = flint.arb_mat([[x.real for x in row] for row in system.balls])
    pairings = tuple(gaussian_pairs(tuple(range(order))))
    totals = [flint.arb(0)] * 2
    for nodes in itertools.product(rule, repeat=order - 1):
        left, measure, path = beta, flint.arb(1), operator
        times = [flint.arb(0)]
        for share, weight in nodes:
            duration, measure = left * share, measure * weight * left
            left -= duration
            times.append(times[-1] + duration)
            decay = flint.arb_mat([[1, 0], [0, (-w0 * duration).exp()]])
            path = path * decay * operator
        contracted = flint.arb(0)
        for pairs in pairings:
            contracted += math.prod(bath.imaginary_time(times[j] - times[i]) for i, j in pairs)
        contracted *= measure * left
        for n in range(2):
            totals[n] += contracted * path[n, n] * (n * w0 * times[-1]).exp()
    return totals


def _ball(value: Fraction) -> Any:
    return flint.acb(value.numerator) / value.denominator


def constant_from_form(system: TwoLevels, bath: GaussianSpectrum, digits: int) -> Any:
    """K(4) from its closed form, no diagonal coupling; an arb number.

    Finite parts are trapezoidal sums on a line below the real axis, where Ĉ is entire: the real
    part of such a sum with 1/(w - p)^k is FP int, and with F(z) = P(z) + i pi Ĉ(z), the same
    integral of 1/(w - z) continued to z above the line,

        FP int Ĉ(w) P(-w)/(w - p)^k = Re {sum of Ĉ(w) F(-w)/(w - p)^k - i pi Res}.
    """
    rows = [[Gaussian(system.operator(a, b)) for b in range(2)] for a in range(2)]
    form = fourth_constant(independent_baths(2, [(rows, "B")]))
    with ball_decimals(digits + _GUARD_DIGITS):
        line = _Line(bath, digits + _GUARD_DIGITS // 2)
        w0, total = flint.arb(system.splitting), flint.arb(0)
        known: dict[Atom, Any] = {}
        for m, z in form:
            term = _ball(z.re).real * flint.arb.pi() ** m.pi_power
            for (n,), power in m.denominators:
                term /= (n * w0) ** power
            for atom in m.atoms:
                if atom not in known:
                    known[atom] = line.value(atom, w0)
                term *= known[atom]
            total += term
        return total


class _Line:
    """Sums over points below the real axis, by 2 sigma, at distances that leave e^-L."""

    def __init__(self, bath: GaussianSpectrum, digits: int) -> None:
        self._bath = bath
        target, width = math.log(10) * digits, float(bath.width)
        down, tilt = 2.0, float(bath.beta) * width / 2
        spacing = flint.arb(bath.width) * flint.arb(2 * math.pi * down / (target + down**2 / 2))
        reach = tilt + math.sqrt(2 * target + down**2 + tilt**2)
        count = math.ceil(reach * width / float(spacing.mid()))
        depth = -flint.arb(bath.width) * down
        self._points = [flint.acb(spacing * k, depth) for k in range(-count, count + 1)]
        self._weights = [bath.at(w) * spacing for w in self._points]
        self._turned = [self._transform(-w, 1) for w in self._points]

    def value(self, atom: Atom, w0: Any) -> Any:
        """An atom of a form of two levels, an arb number."""
        if isinstance(atom, Thermal):
            (n,), beta = atom.exponent, flint.arb(self._bath.beta)
            return beta**atom.power * (-beta * n * w0).exp()
        if isinstance(atom, Value):
            at, m = flint.acb(atom.frequency[0] * w0), atom.derivative
            if atom.kind == "C":
                return self._taylor(at, m).real * math.factorial(m)
            return self._transform(at, m + 1).real * math.factorial(m)
        assert isinstance(atom, SpectralIntegral)
        pole, k = flint.acb(atom.pole[0] * w0), atom.order
        terms = zip(self._points, self._weights, self._turned, strict=True)
        total = sum((c * f / (w - pole) ** k for w, c, f in terms), flint.acb(0))
        residue = sum(
            (
                self._taylor(pole, k - 1 - j) * self._transform(-pole, j + 1) * (-1) ** j
                for j in range(k)
            ),
            flint.acb(0),
        )
        return (total - flint.acb(0, 1) * flint.arb.pi() * residue).real

    def _transform(self, z: Any, order: int) -> Any:
        """int dw Ĉ(w)/(w - z)^order along the line, z above it."""
        pairs = zip(self._points, self._weights, strict=True)
        return sum((c / (w - z) ** order for w, c in pairs), flint.acb(0))

    def _taylor(self, w: Any, order: int) -> Any:
        """Ĉ^(order)(w)/order!, by Hermite's recursion."""
        variance = flint.arb(self._bath.width) ** 2
        slope = -w / variance + flint.arb(self._bath.beta) / 2
        found = [flint.acb(0), self._bath.at(w)]
        for k in range(1, order + 1):
            found.append((slope * found[-1] - found[-2] / variance) / k)
        return found[-1]
