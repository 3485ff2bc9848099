"""Checks of the random-matrix parts: contraction rule, semicircle, fourth order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import mpmath
import numpy as np
import sympy

from derivations.esposito_gaspard_2003.equations import linear
from pertsym.baths.divergence import Divergent
from pertsym.certify.claims import Findings, check, close, exact, holds
from pertsym.certify.conserved_energy_routes import rate_from_cumulant, rate_from_pole
from pertsym.environments.non_crossing import NonCrossing
from pertsym.equations import conserved_energy
from pertsym.equations.energy_resolved import TwoLevels
from pertsym.expansion.rule import FIXED_STATE, Action
from pertsym.random_matrix import rates
from pertsym.random_matrix.ensemble import (
    OFF_DIAGONAL,
    RADIUS,
    VARIANCE,
    band_nodes,
    correlation,
    golden_rule,
)

ENGINE = "non-crossing rule"
SUMS = "all pairings, sums over levels (double precision)"
ROUNDING = 1e-12


@check(ENGINE, SUMS, status="numerical")
def contraction(digits: int) -> Findings:
    """The rule against every pairing of four matrices of finite size.

    For complex Gaussian matrices with variance v/N the crossing pairing forces all energies to be
    equal: it is v^2/N^2 whatever the times, and all that the rule leaves out.
    """
    size, variance, start = 6, 0.3, 2
    draw = np.random.default_rng(7)
    levels, times = draw.uniform(-1, 1, size), np.sort(draw.uniform(0, 3, 4))[::-1]
    for right in product((False, True), repeat=4):
        actions = [Action(time, right[time]) for time in (3, 2, 1, 0)]
        planar = 0j
        for term in NonCrossing().contract(actions, 0, 1):
            for at in _placed(term, levels[start], levels):
                phase = sum(
                    linear(form, at) * times[action.time]
                    for form, action in zip(term.frequencies, actions, strict=True)
                )
                planar += term.coefficient * (variance / size) ** 2 * np.exp(1j * phase)
        everything = _all_pairings(actions, levels, times, start, variance / size)
        gap = abs(everything - planar - (variance / size) ** 2)
        sides = "".join("R" if side else "L" for side in right)
        yield holds(f"sides {sides}", gap <= ROUNDING)


def _placed(term: Any, start: Any, levels: Iterable[Any]) -> Iterator[dict[int, Any]]:
    """The energies of a contraction at all levels, that of number 0 at `start`."""
    energies = sorted({e for w in term.weights for e in w.energies} - {0})
    for values in product(levels, repeat=len(energies)):
        yield {0: start, **dict(zip(energies, values, strict=True))}


def _all_pairings(
    actions: Sequence[Action], levels: Any, times: Any, start: int, square: float
) -> complex:
    """sum over states of the mean of four elements around the state, no diagram used."""
    left = [a.time for a in actions if not a.right]
    right = [a.time for a in actions if a.right]
    order = (*left, *reversed(right))
    total = 0j
    for inner in product(range(levels.size), repeat=3):
        path = (start, *inner, start)
        elements = [(path[k + 1], path[k]) for k in range(4)]
        mean = sum(
            _pair(elements[a], elements[b]) * _pair(elements[c], elements[d])
            for (a, b), (c, d) in (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2)))
        )
        if mean:
            phase = sum(
                (levels[row] - levels[column]) * times[time]
                for (row, column), time in zip(elements, order, strict=True)
            )
            total += mean * square**2 * np.exp(1j * phase)
    return total


def _pair(one: tuple[int, int], other: tuple[int, int]) -> int:
    """Mean of B_ab B_cd in units of the variance: 1 if the second is the adjoint of the first."""
    return int(one == other[::-1])


@check("integrals and counts", "closed form", status="numerical")
def semicircle(digits: int) -> Findings:
    """(81)-(87), (100): normalisation, density, F and the correlation function."""
    k = sympy.Symbol("k", integer=True, nonnegative=True)
    half, v = sympy.Rational(1, 2), sympy.Rational(1, 16)
    for n in range(4):
        actions = [Action(time, False) for time in reversed(range(2 * n))]
        count = sum(1 for _ in NonCrossing().contract(actions, 0, 1)) if n else 1
        # (8/pi) int e^2n sqrt(1/4 - e^2) de with e^2 = y/4 is a beta function
        shape = sympy.gamma(n + half) * sympy.gamma(3 * half) / sympy.gamma(n + 2)
        moment = 8 / sympy.pi * shape / 4 ** (n + 1)
        yield exact(f"moment {2 * n}: {count} pairings", moment, count * v**n)
        yield exact(f"Catalan number {n}", sympy.catalan(n), count)
    # coefficients of int rho cos(e t) = sum_k (-1)^k t^2k/(2k)! C_k v^k and of 4 J_1(t/2)/t
    catalan = sympy.factorial(2 * k) / (sympy.factorial(k) * sympy.factorial(k + 1))
    moments = catalan * v**k / sympy.factorial(2 * k)
    bessel = (
        4 * (sympy.Rational(1, 4) ** (2 * k + 1)) / (sympy.factorial(k) * sympy.factorial(k + 1))
    )
    yield exact("series of the correlation function", sympy.simplify(moments / bessel), 1)
    yield exact("variance", Fraction(OFF_DIAGONAL) ** 2, Fraction(VARIANCE))
    yield exact("radius", Fraction(RADIUS) ** 2, 4 * Fraction(VARIANCE))
    for t in (0.0, 0.7, 9.0):
        found = complex(correlation(t, 0.2))
        with mpmath.workdps(20):
            integral = mpmath.quad(
                lambda e, t=t: (
                    8 / mpmath.pi * mpmath.sqrt(0.25 - e * e) * mpmath.expj((0.2 - e) * t)
                ),
                [-0.5, 0, 0.5],
            )
        same = abs(found - complex(integral) / 16) < ROUNDING
        yield holds(f"C({t}) by quadrature (double precision)", same)


@check("engine", "time integrals", status="numerical")
def secular(digits: int) -> Findings:
    """Fourth order: linear growth with the environment fixed, none with the energy kept."""
    two = TwoLevels()
    try:
        two.fixed_energy_long_times(2)
        yield holds("order 2, environment fixed, converges", True)
        two.fixed_energy_long_times(4)
        yield holds("order 4, environment fixed, is refused", False)
    except Divergent as fault:
        yield holds("order 4, environment fixed, is refused", "t^1" in fault.reason)
    two.energy_resolved_long_times(4)
    # the coefficient of t is the difference of second-order rates at the two energies
    growth = _growth(0.3, -0.1)
    slope = _secular_coefficient(0.3, -0.1)
    yield holds("slope in t to 1e-5 (damping extrapolated)", abs(slope - growth) < 1e-5)


def _secular_coefficient(splitting: float, energy: float) -> float:
    """The coefficient of t in the fourth-order rate 1 -> 0: gap 2 free, gaps 1 and 3 integrated.

    Both are damped by e^{-eta tau}, eta -> 0 by extrapolation.
    """
    nodes, weights = band_nodes(300)
    terms = [t for t in TwoLevels().element(FIXED_STATE, 4, (0, 0, 1, 1)) if t.secular_gaps()]
    at: dict[int, Any] = {0: energy, 1: nodes[:, None], 2: nodes[None, :]}
    dampings, values = (0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1), []
    for eta in dampings:
        total = 0j
        for term in terms:
            value = VARIANCE**2 * weights[:, None] * weights[None, :] + 0j
            for k in (0, 2):
                (level,) = term.shape.system[k]
                value = value / (eta + 1j * (linear(term.shape.gaps[k], at) + level * splitting))
            total += complex(term.coefficient) * complex(value.sum())
        values.append(total.real)
    return float(np.polyfit(dampings, values, len(dampings) - 1)[-1])


def _growth(splitting: float, energy: float) -> float:
    """What second-order rates say: d/dt of the fourth-order rate 1 -> 0.

    With down(e) the rate from the upper level at e, up(e) back from the lower level at e, one block
    follows another: the true sequence starts where the last one ended, the subtracted one at
    `energy` again.
    """
    down = float(golden_rule(energy + splitting))
    back_true, back_fixed = float(golden_rule(energy)), float(golden_rule(energy - splitting))
    return -down * (back_true - back_fixed)


@check(ENGINE, "self-consistent resolvent, expanded, at one rational point", status="numerical")
def self_energy(digits: int) -> Findings:
    """All-left averages of the rule against g(z - e - Sigma), exactly, to sixth order."""
    nodes = ((Fraction(-1, 3), Fraction(1, 2)), (Fraction(1, 5), Fraction(1, 3)),
             (Fraction(2), Fraction(1, 6)))  # fmt: skip
    shares = dict(nodes)
    z, start, v = Fraction(5), Fraction(1, 7), Fraction(1, 4)
    sigma = [Fraction(0)] * 4  # powers of the coupling squared
    for _ in range(3):
        parts = [_reciprocal(z - e, sigma, p) for e, p in nodes]
        sigma = [Fraction(0), *(v * sum(c) for c in zip(*parts, strict=True))][:4]
    resolved = _reciprocal(z - start, sigma, Fraction(1))
    for n in (1, 2, 3):
        actions = [Action(time, False) for time in reversed(range(2 * n))]
        total = Fraction(0)
        for term in NonCrossing().contract(actions, 0, 1):
            for at in _placed(term, start, [e for e, _ in nodes]):
                value, here = v ** len(term.weights) / (z - start), start
                for energy, e in at.items():
                    value *= shares[e] if energy else 1
                for form in term.frequencies:  # the energy after each action
                    here += linear(form, at)
                    value /= z - here
                total += value
        yield exact(f"order {2 * n}", total, resolved[n])


def _reciprocal(constant: Fraction, series: list[Fraction], factor: Fraction) -> list[Fraction]:
    """factor/(constant - series) as a power series of the same length; series[0] is 0."""
    result: list[Fraction] = []
    for n in range(len(series)):
        carried = sum((series[k] * result[n - k] for k in range(1, n + 1)), start=Fraction(0))
        result.append(((factor if n == 0 else Fraction(0)) + carried) / constant)
    return result


CASES = ((Fraction(3, 10), Fraction(1, 10)), (Fraction(1, 2), Fraction(1, 10)))


@check(
    "closed form",
    "pole of the self-consistent ladder",
    "fourth-order ordered cumulant and dressing",
    status="numerical",
)
def conserved_rate(digits: int) -> Findings:
    """rate^(4) at conserved total energy: closed form, ladder pole, fourth-order cumulant."""
    series = conserved_energy.conserved_energy_series()
    for splitting, total in CASES:
        name = f"Delta = {splitting}, E = {total}"
        second, fourth = rate_from_pole(splitting, total, digits)
        with mpmath.workdps(3 * digits + 30):
            closed = [_closed(series.rate[n], splitting, total, digits) for n in (2, 4)]
            yield close(f"rate(2), {name}", second, closed[0], digits)
            yield close(f"rate(4), {name}", fourth, closed[1], digits)
        cumulant = rate_from_cumulant(splitting, total, digits)
        yield close(f"fourth-order cumulant, {name}", cumulant, closed[1], digits)
        half = float(splitting) / 2
        found = rates.conserved_energy((-half, half), 1.0, float(total))
        for n, value in zip((2, 4), closed, strict=True):
            same = abs(found.rates[n] - float(value)) < ROUNDING
            yield holds(f"double precision, order {n}, {name}", same)


def _closed(expression: sympy.Expr, splitting: Fraction, total: Fraction, digits: int) -> Any:
    inside = conserved_energy.in_band(expression)
    half = sympy.Rational(splitting) / 2
    points = (sympy.Rational(total) + half, sympy.Rational(total) - half)
    values = {conserved_energy.LAM: 1}
    for s in (0, 1):
        values[conserved_energy.X[s]] = points[s]
        values[conserved_energy.CHORD[s]] = sympy.sqrt(sympy.Rational(1, 4) - points[s] ** 2)
    return mpmath.mpf(str(sympy.N(inside.subs(values), 2 * digits + 20)))


@check("closed form", "self-consistent level densities", status="numerical")
def conserved_z(digits: int) -> Findings:
    """z^(2): level densities at E with the self-energies of a tiny coupling."""
    series = conserved_energy.conserved_energy_series()
    for splitting, total in CASES:
        with mpmath.workdps(3 * digits + 30):
            small = mpmath.mpf(10) ** (-digits - 5)
            half = mpmath.mpf(splitting.numerator) / splitting.denominator / 2
            energy = mpmath.mpf(total.numerator) / total.denominator
            points = [energy + half, energy - half]
            values = [_z(points, x) for x in (mpmath.mpf(0), small)]
            closed = [_closed(series.z_infinity[n], splitting, total, digits) for n in (0, 2)]
            name = f"Delta = {splitting}, E = {total}"
            yield close(f"z(0), {name}", values[0], closed[0], digits)
            quotient = (values[1] - values[0]) / small
            yield close(f"z(2), {name}", quotient, closed[1], digits)


def _z(points: list[Any], coupling: Any) -> Any:
    sigma = [mpmath.mpc(0), mpmath.mpc(0)]
    g = sigma
    for _ in range(12):
        w = [x - s for x, s in zip(points, sigma, strict=True)]
        g = [8 * (y - 1j * mpmath.sqrt(mpmath.mpf(1) / 4 - y * y)) for y in w]
        sigma = [coupling / 16 * g[1], coupling / 16 * g[0]]
    n = [-mpmath.im(x) for x in g]
    return (n[1] - n[0]) / (n[1] + n[0])
