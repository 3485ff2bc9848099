"""Checks of the master equations for any n, F, H_S and S, and of Gaussian random matrices.

Last those of what users run: evolution, rates, the simulation, and what the figures show.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import flint
import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.linalg import expm
from scipy.special import j1

from derivations.esposito_gaspard_2003 import equations
from derivations.esposito_gaspard_2003.equations import linear
from pertsym.baths.divergence import Divergent
from pertsym.certify.averaged_commutator import (
    averaged_double_commutator,
    engine_generator,
    example,
)
from pertsym.certify.claims import Findings, check, checks_in, close, exact, holds, near
from pertsym.certify.conserved_energy_routes import rate_from_cumulant, rate_from_pole
from pertsym.certify.standard import coupling_orders, gauss
from pertsym.distributions import RULES
from pertsym.environments.non_crossing import NonCrossing
from pertsym.equations import conserved_energy as conserved
from pertsym.equations.energy_resolved import TwoLevels, master_equation
from pertsym.expansion.rule import ENERGY_RESOLVED, FIXED_STATE, Action
from pertsym.generators.canonical_form import commutator
from pertsym.model.random_matrix import RandomMatrixBath, RandomMatrixModel
from pertsym.model.units import UNITS
from pertsym.model.values import Coupling
from pertsym.random_matrix import ensemble, rates
from pertsym.random_matrix.ensemble import VARIANCE, Floats, band_nodes, golden_rule, half_chord
from pertsym.random_matrix.evolution import populations
from pertsym.random_matrix.methods import random_matrix_evolve

ENGINE = "ordered cumulant, non-crossing rule"
RULE = "non-crossing rule"
BRUTE = "averaged double commutator, 3 x 6 levels (double precision)"
SUMS = "all pairings, sums over levels (double precision)"
PRODUCT = "evolve, rates"
ANEW = "equations as read, integrated anew (double precision)"
ROUNDING = 1e-12
Matrix = NDArray[Any]


@check(ENGINE, BRUTE, status="numerical")
def brute_force(digits: int) -> Findings:
    """Both non-Markovian equations against the averaged double commutator, three models."""
    for seed in (1, 2, 3):
        model, time = example(seed), 1.7
        brute = averaged_double_commutator(model, time)
        kept = engine_generator(master_equation(ENERGY_RESOLVED), model, time)
        yield near(f"energy kept, model {seed}", kept, brute, ROUNDING)
        for level in (0, 3):
            fixed = engine_generator(master_equation(FIXED_STATE), model, time, level)
            traced = brute[..., level].sum(axis=2)
            yield near(f"environment at level {level}, model {seed}", fixed, traced, ROUNDING)


@check("matrix elements of sigma_x", "equation with open indices")
def two_routes(digits: int) -> Findings:
    """Two levels from matrix elements and from the equation with open indices; (9)."""
    for projector in equations.SUBSCRIPTS:
        for a, b in product((0, 1), repeat=2):
            opened = equations.specialised(equations.general(projector), a, b)
            found = equations.two_levels(projector, a, b)
            yield exact(f"{projector.name}, {a}{b}", found, opened)
        closed = TwoLevels().populations_close(projector, 2)
        yield holds(f"{projector.name}: populations close", closed)
    kept = equations.READINGS["non-markovian"]()(r"\sum_s\int d\epsilon\,\dot P_{ss}(\epsilon)=0")
    yield holds(f"(9) {kept}", not kept)


@check("proofs of the rewrite rules")
def long_times(digits: int) -> Findings:
    """(32): S = pi D - i P, proved among the rules of generalized functions."""
    RULES["B2"].prove()
    yield holds("S = pi D - i P", True)


@check(
    "exponential of the Liouvillian",
    "integrals of commutators (double precision)",
    status="numerical",
)
def dyson(digits: int) -> Findings:
    """(6), (16)-(18), (22), (23): the exact state's coefficients of lambda, a small environment.

    Two levels, and shells of two and three degenerate states; coefficients by the exponential of a
    block matrix, integrals by Gauss's rule.
    """
    draw = np.random.default_rng(11)
    shells, levels, time = np.repeat([0, 1], [2, 3]), np.array([0.0, 0.7]), 1.3
    h = np.diag(np.add.outer(levels, np.array([0.2, 0.9])[shells]).reshape(-1))
    s, b, p = (_hermitian(draw, n) for n in (2, 5, 4))
    p = p.reshape(2, 2, 2, 2).transpose(1, 3, 0, 2)  # P_ss' of each shell on the diagonal
    blocks = [shells == k for k in (0, 1)]
    start: Any = sum(np.kron(p[k, k], np.diag(m / m.sum())) for k, m in enumerate(blocks))
    means = np.array([np.trace(b[np.ix_(m, m)]).real / m.sum() for m in blocks])
    free = commutator(h)

    def seen(rho: Matrix) -> Matrix:
        """Tr X rho: P_ss' of each shell."""
        parts = rho.reshape(2, 5, 2, 5)
        return np.array([np.einsum("akbk->ab", parts[:, m][:, :, :, m]) for m in blocks])

    centred = b - np.diag(means[shells])
    for name, bath, of in (("B", b, means), ("B centred", centred, 0 * means)):
        v = np.kron(s, bath)

        def coefficients(t: float, v: Matrix = v) -> list[Matrix]:
            """Of lambda and lambda^2 in the interaction picture."""
            parts = coupling_orders(free, commutator(v), t, 2)[1:]
            return [(expm(-t * free) @ x @ start.reshape(-1)).reshape(h.shape) for x in parts]

        def moved(t: float, rho: Matrix, v: Matrix = v) -> Matrix:
            """L_I(t) rho."""
            u = expm(1j * h * t)
            vi = u @ v @ u.conj().T
            return -1j * (vi @ rho - rho @ vi)

        def once(t: float, moved: Any = moved) -> Any:
            return sum(w * moved(x, start) for x, w in gauss(t, 20))

        first, second = coefficients(time)
        twice: Any = sum(w * moved(x, once(x)) for x, w in gauss(time, 20))
        yield near(f"(6), first order, {name}", once(time), first, ROUNDING)
        yield near(f"(6), second order, {name}", twice, second, ROUNDING)
        yield near(f"(16), {name}", seen(twice), seen(second), ROUNDING)
        step = 1e-2  # a five-point derivative of the exact coefficient
        stencil = ((-2, 1), (-1, -8), (1, 8), (2, -1))
        slope: Any = sum(c * seen(coefficients(time + k * step)[1]) for k, c in stencil)
        yield near(f"(17), {name}", seen(moved(time, once(time))), slope / (12 * step), 1e-7)
        si = s * np.exp(1j * np.subtract.outer(levels, levels) * time)
        wanted = np.array([-1j * m * (si @ p[k, k] - p[k, k] @ si) for k, m in enumerate(of)])
        off = np.abs(seen(moved(time, start)) - wanted).max()
        yield holds(f"(18), {name}", off < ROUNDING)
    # `first` is that of the centred B, the last of the two
    yield holds("(23)", np.abs(seen(first)).max() < 1e-10)
    yield holds("the total state does change at first order", np.abs(first).max() > 1e-2)


def _hermitian(draw: np.random.Generator, n: int) -> Matrix:
    m = draw.standard_normal((n, n)) + 1j * draw.standard_normal((n, n))
    return m + m.conj().T


# ---------------------------------------------------------------------------------------------
# Random matrices


@check(RULE, SUMS, status="numerical")
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
        everything = _all_pairings(actions, levels, times, start) * (variance / size) ** 2
        gap = abs(everything - planar - (variance / size) ** 2)
        sides = "".join("R" if side else "L" for side in right)
        yield holds(f"sides {sides}", gap <= ROUNDING)


def _placed(term: Any, start: Any, levels: Iterable[Any]) -> Iterator[dict[int, Any]]:
    """The energies of a contraction at all levels, that of number 0 at `start`."""
    energies = sorted({e for w in term.weights for e in w.energies} - {0})
    for values in product(levels, repeat=len(energies)):
        yield {0: start, **dict(zip(energies, values, strict=True))}


_PAIRINGS = (((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2)))


def _all_pairings(actions: Sequence[Action], levels: Any, times: Any, start: int) -> complex:
    """sum over states of the mean of four elements around the state, no diagram used.

    In units of the variance <B_ab B_cd> is 1 if the second one is the adjoint of the first.
    """
    left = [a.time for a in actions if not a.right]
    order = (*left, *reversed([a.time for a in actions if a.right]))
    total = 0j
    for inner in product(range(levels.size), repeat=3):
        path = (start, *inner, start)
        elements = [(path[k + 1], path[k]) for k in range(4)]
        mean = sum(all(elements[a] == elements[b][::-1] for a, b in x) for x in _PAIRINGS)
        turned = [levels[row] - levels[column] for row, column in elements]
        total += mean * np.exp(1j * np.dot(turned, times[list(order)]))
    return total


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
    both = sympy.factorial(k) * sympy.factorial(k + 1)
    moments = sympy.factorial(2 * k) / both * v**k / sympy.factorial(2 * k)
    bessel = 4 * (sympy.Rational(1, 4) ** (2 * k + 1)) / both
    yield exact("series of the correlation function", sympy.simplify(moments / bessel), 1)
    yield exact("variance", Fraction(ensemble.OFF_DIAGONAL) ** 2, Fraction(VARIANCE))
    yield exact("radius", Fraction(ensemble.RADIUS) ** 2, 4 * Fraction(VARIANCE))
    for t in (0.0, 0.7, 9.0):
        found = complex(ensemble.correlation(t, 0.2))
        with mpmath.workdps(20):
            integral = mpmath.quad(
                lambda e, t=t: mpmath.sqrt(0.25 - e * e) * mpmath.expj((0.2 - e) * t),
                [-0.5, 0, 0.5],
            )
        same = abs(found - complex(integral / mpmath.pi) / 2) < ROUNDING
        yield holds(f"C({t}) by quadrature (double precision)", same)


@check("engine", "time integrals", status="numerical")
def secular(digits: int) -> Findings:
    """Fourth order: linear growth with the environment fixed, none with the energy kept."""
    two, splitting, energy = TwoLevels(), 0.3, -0.1
    try:
        two.fixed_energy_long_times(2)
        yield holds("order 2, environment fixed, converges", True)
        two.fixed_energy_long_times(4)
        yield holds("order 4, environment fixed, is refused", False)
    except Divergent as fault:
        yield holds("order 4, environment fixed, is refused", "t^1" in fault.reason)
    two.energy_resolved_long_times(4)
    # d/dt of the rate 1 -> 0 by second-order rates: down from the upper level, back from the lower
    # one, which the true sequence reaches with its energy, the subtracted one at `energy` again
    down, kept, fixed = (float(golden_rule(energy + k * splitting)) for k in (1, 0, -1))
    slope = _secular_coefficient(splitting, energy)
    agrees = abs(slope + down * (kept - fixed)) < 1e-5
    yield holds("slope in t to 1e-5 (damping extrapolated)", agrees)


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
            value = VARIANCE**2 * np.multiply.outer(weights, weights) + 0j
            for k in (0, 2):
                (level,) = term.shape.system[k]
                value = value / (eta + 1j * (linear(term.shape.gaps[k], at) + level * splitting))
            total += complex(term.coefficient) * complex(value.sum())
        values.append(total.real)
    return float(np.polyfit(dampings, values, len(dampings) - 1)[-1])


@check(RULE, "self-consistent resolvent, expanded, at one rational point", status="numerical")
def self_energy(digits: int) -> Findings:
    """All-left averages of the rule against g(z - e - Sigma), exactly, to sixth order."""
    shares = {Fraction(-1, 3): Fraction(1, 2), Fraction(1, 5): Fraction(1, 3),
              Fraction(2): Fraction(1, 6)}  # fmt: skip
    z, start, v = Fraction(5), Fraction(1, 7), Fraction(1, 4)

    def series(*coefficients: Fraction) -> Any:
        """In the square of the coupling."""
        exactly = [flint.fmpq(c.numerator, c.denominator) for c in coefficients]
        return flint.fmpq_series(exactly, prec=4)

    sigma = series()
    for _ in range(3):
        parts = (series(p) / (series(z - e) - sigma) for e, p in shares.items())
        sigma = series(Fraction(0), v) * sum(parts, series())
    resolved = 1 / (series(z - start) - sigma)
    for n in (1, 2, 3):
        actions = [Action(time, False) for time in reversed(range(2 * n))]
        total = Fraction(0)
        for term in NonCrossing().contract(actions, 0, 1):
            for at in _placed(term, start, shares):
                value, here = v ** len(term.weights) / (z - start), start
                for energy, e in at.items():
                    value *= shares[e] if energy else 1
                for form in term.frequencies:  # the energy after each action
                    here += linear(form, at)
                    value /= z - here
                total += value
        yield exact(f"order {2 * n}", series(total)[0], resolved[n])


CASES = ((Fraction(3, 10), Fraction(1, 10)), (Fraction(1, 2), Fraction(1, 10)))


@check(
    "closed form",
    "pole of the self-consistent ladder, level densities of a tiny coupling",
    "fourth-order ordered cumulant and dressing",
    status="numerical",
)
def conserved_energy(digits: int) -> Findings:
    """rate^(4) and z^(2) at conserved total energy: closed form, ladder, fourth-order cumulant."""
    series = conserved.conserved_energy_series()
    tables = {"rate": series.rate, "z": series.z_infinity}
    for splitting, total in CASES:
        case, half = f"Delta = {splitting}, E = {total}", splitting / 2
        with mpmath.workdps(3 * digits + 30):
            small = mpmath.mpf(10) ** (-digits - 5)
            points = [mpmath.mpf(x.numerator) / x.denominator for x in (total + half, total - half)]
            first, then = (_z(points, x) for x in (mpmath.mpf(0), small))
            second, fourth = rate_from_pole(splitting, total, digits)
            slope = (then - first) / small
            closed = {}
            for what, n, value in (
                ("rate", 2, second), ("rate", 4, fourth), ("z", 0, first), ("z", 2, slope),
            ):  # fmt: skip
                closed[what, n] = _closed(tables[what][n], splitting, total, digits)
                yield close(f"{what}({n}), {case}", value, closed[what, n], digits)
        cumulant = rate_from_cumulant(splitting, total, digits)
        yield close(f"fourth-order cumulant, {case}", cumulant, closed["rate", 4], digits)
        found = rates.conserved_energy((float(-half), float(half)), 1.0, float(total))
        for n in (2, 4):
            same = abs(found.rates[n] - float(closed["rate", n])) < ROUNDING
            yield holds(f"double precision, order {n}, {case}", same)


def _closed(expression: sympy.Expr, splitting: Fraction, total: Fraction, digits: int) -> Any:
    at = {conserved.DELTA: sympy.Rational(splitting), conserved.TOTAL: sympy.Rational(total)}
    inside = equations.at_total_energy(expression).subs({**at, conserved.LAM: 1})
    value = inside.replace(conserved.R, lambda x: sympy.sqrt(sympy.Rational(1, 4) - x**2))
    return mpmath.mpf(str(sympy.N(value, 2 * digits + 20)))


def _z(points: list[Any], coupling: Any) -> Any:
    g = [mpmath.mpc(0), mpmath.mpc(0)]
    for _ in range(12):
        w = [x - coupling / 16 * other for x, other in zip(points, reversed(g), strict=True)]
        g = [8 * (y - 1j * mpmath.sqrt(mpmath.mpf(1) / 4 - y * y)) for y in w]
    lower, upper = map(mpmath.im, g)
    return (lower - upper) / -(lower + upper)


# ---------------------------------------------------------------------------------------------
# What users run

ENERGY, SHELL, STRENGTH = -0.25, 0.05, 0.1
UP = np.diag([0.0, 1.0]).astype(complex)
METHODS = ("energy-resolved", "energy-resolved-markov", "redfield-nonmarkov", "redfield")
PER_FS = 2 * math.pi * 299792458 * 1e2 * 1e-15
"""1 cm^-1 in 1/fs."""


def model(
    splitting: float, strength: float = STRENGTH, units: str = "natural"
) -> RandomMatrixModel:
    """A spin with the environment at the energy of the figures."""
    coupling = Coupling.of(((0, 1), (1, 0)), "env", strength)
    levels, bath = (-splitting / 2, splitting / 2), RandomMatrixBath("env", ENERGY, SHELL)
    return RandomMatrixModel("spin", UNITS[units], levels, (coupling,), bath)


def z(spin: RandomMatrixModel, method: str, times: Floats, **options: Any) -> Floats:
    """P_+ - P_- from +."""
    found = random_matrix_evolve(spin, method, UP, list(times), **options).populations
    return found[:, 1] - found[:, 0]


def _anew(method: str, splitting: float, strength: float, times: Floats) -> Floats:
    """The four equations, (88)-(92), (101)-(105), without the solver's code."""
    square = strength**2
    r = {k: float(half_chord(ENERGY + k * splitting)) for k in (-1, 0, 1)}
    if method in ("energy-resolved-markov", "redfield"):
        up, down = (r[0] if method.startswith("energy") else r[-1]), r[1]
        end = (up - down) / (up + down)
        return end + (1 - end) * np.exp(-square * (up + down) * times)
    if method == "redfield-nonmarkov":
        n = 1

        def slope(t: float, y: Floats) -> list[float]:  # the rates are unknowns too
            kernel = square * (j1(t / 2) / (2 * t) if t else 0.125)
            flow = y[3] * y[1] - y[2] * y[0]
            turning = [kernel * math.cos((ENERGY + s * splitting) * t) for s in (1, -1)]
            return [flow, -flow, *turning]

    else:
        nodes, weights = band_nodes(int(times[-1] / 2) + 70)
        e = np.concatenate([[ENERGY], nodes])
        density = square / 8 * np.concatenate([[0.0], weights])  # n F de, doubled
        n, x = e.size, e[:, None] - e[None, :] + splitting  # of + at the row, - at the column

        def slope(t: float, y: Floats) -> list[float]:
            window = t * np.sinc(x * t / np.pi)
            plus, minus = y[:n], y[n:]
            upper = density * (window @ minus) - plus * (window @ density)
            lower = density * (window.T @ plus) - minus * (window.T @ density)
            return list(np.concatenate([upper, lower]))

    first = np.eye(1, 4 if n == 1 else 2 * n)[0]
    run: Any = solve_ivp(
        slope, (0, times[-1]), first, "DOP853", times, rtol=1e-10, atol=1e-13, max_step=1.0
    )
    found: Floats = run.y[:n].sum(axis=0) - run.y[n : 2 * n].sum(axis=0)
    return found


@check(PRODUCT, ANEW, status="numerical")
def solvers(digits: int) -> Findings:
    """Every method of `evolve` and every number of `rates`, units included."""
    times = np.array([0.0, 0.4, 3.0, 11.0, 40.0])
    for splitting, strength in ((0.5, 0.4), (0.15, 0.25)):
        spin = model(splitting, strength)
        for method in METHODS:
            gap = np.abs(z(spin, method, times) - _anew(method, splitting, strength, times)).max()
            yield holds(f"{method}, splitting {splitting}", gap < 1e-7)
        r = [float(half_chord(ENERGY + k * splitting)) for k in (-1, 0, 1)]
        inside = sum(float(half_chord(0.1 + s * splitting / 2)) for s in (-1, 1))
        for units, factor in (("natural", 1.0), ("wavenumber", PER_FS)):
            square, given = factor * strength**2, model(splitting, strength, units)
            found = rates.random_matrix_rates(given).equations
            for name, pair in (("energy_resolved", (r[1], r[2])), ("redfield", (r[0], r[2]))):
                wanted = square * sum(pair), (pair[0] - pair[1]) / sum(pair)
                numbers: Any = found[name].rate, found[name].z_infinity
                same = np.allclose(numbers, wanted, rtol=1e-9, atol=0)
                yield holds(f"rates, {name}, {units}", same)
            total = rates.random_matrix_rates(given, 2, total_energy=0.1).orders[2] or 0.0
            right = np.isclose(total, square * inside, 1e-9, 0)
            yield holds(f"rates at a total energy, {units}", right)
    early, spin = np.array([0.0, 0.5, 1.0, 2.0, 15.0]), model(0.3, 0.3)
    run = random_matrix_evolve(
        spin, "exact", UP, list(early), size=200, realisations=8, seed=3
    ).populations
    off = np.abs(run[:, 1] - run[:, 0] - z(spin, "energy-resolved", early))
    yield holds("simulation, early", off[:4].max() < 0.01)
    yield holds("simulation, t = 15", off[4] < 0.1)
    yield holds("simulation keeps the trace", np.abs(run.sum(axis=1) - 1).max() < 1e-10)


@check(
    "Markovian equation, slipped", "non-Markovian equation (double precision)", status="numerical"
)
def slippage(digits: int) -> Findings:
    """Without a slip the Markovian curve misses by lambda^2, with it by lambda^4."""
    pairs = (("energy-resolved-markov", "energy-resolved"), ("redfield", "redfield-nonmarkov"))
    for (markov, full), splitting in product(pairs, (0.1, 0.2)):
        left = {}
        for strength, slipped in product((0.1, 0.05), (False, True)):
            times = [0.0, 0.5 / strength**2]
            wanted = z(model(splitting, strength), full, np.array(times))[1]
            p = populations(markov, splitting, strength**2, ENERGY, (0, 1), times, slipped=slipped)[
                1
            ]
            left[slipped, strength] = abs(p[1] - p[0] - wanted)
        what = f"{markov}, splitting {splitting}"
        bare, cured = (left[slipped, 0.1] / left[slipped, 0.05] for slipped in (False, True))
        yield holds(f"{what}: of second order without", 3.4 < bare < 4.6)
        yield holds(f"{what}: of higher order with it", cured > 8)
        yield holds(f"{what}: nearer at lambda = 0.1", left[True, 0.1] < 0.3 * left[False, 0.1])


@check(PRODUCT, "simulated von Neumann equation (N = 300)", status="numerical")
def figures(digits: int) -> Findings:
    """What the text says of the figures, at its lambda = 0.1, with N = 300 in the simulation."""
    late, early = np.array([0.0, 30.0, 100.0, 300.0]), np.array([0.0, 1.0, 3.0, 6.0])

    def distances(splitting: float, times: Floats, seed: int, count: int = 8) -> dict[str, float]:
        """From the simulation, of every method, the largest."""
        spin = model(splitting)
        exact = z(spin, "exact", times, size=300, realisations=count, seed=seed)
        return {m: float(np.abs(z(spin, m, times) - exact).max()) for m in METHODS}

    off = {splitting: distances(splitting, late, 1) for splitting in (0.01, 0.1, 0.5)}
    for splitting, gaps in off.items():
        near = max(gaps["energy-resolved"], gaps["energy-resolved-markov"])
        yield holds(f"splitting {splitting}: energy-resolved near", near < 0.1)
    far = {k: min(gaps["redfield"], gaps["redfield-nonmarkov"]) for k, gaps in off.items()}
    yield holds("splitting 0.01: Redfield near", far[0.01] < 0.1)
    yield holds("splitting 0.1: Redfield farther", far[0.1] > off[0.1]["energy-resolved"])
    yield holds("splitting 0.5: Redfield far off", far[0.5] > 0.5)
    for splitting in (0.01, 0.5):
        gaps = distances(splitting, early, 2)
        markov = min(gaps["energy-resolved-markov"], gaps["redfield"])
        follows = gaps["energy-resolved"] < 0.003 < markov
        yield holds(f"splitting {splitting}: early decay", follows)
    wide = model(5.0)
    curves = [z(wide, m, early) for m in ("energy-resolved", "redfield-nonmarkov")]
    same = np.abs(curves[0] - curves[1]).max() < 1e-6
    yield holds("splitting 5: both non-Markovian", same)
    yield holds("splitting 5: exact", distances(5.0, early, 2, 4)["energy-resolved"] < 1e-4)
    for method in ("energy-resolved-markov", "redfield"):
        still = np.abs(z(wide, method, late) - 1).max() == 0
        yield holds(f"splitting 5: {method} stays", still)
    for energy, splitting in ((-0.4, 0.8), (-0.4, 0.95), (0.3, 0.1), (0.3, 0.25)):
        levels = replace(model(splitting), bath=RandomMatrixBath("env", energy, SHELL))
        relaxes = np.abs(z(levels, "energy-resolved-markov", late) - 1).max() > 1e-3
        inside = energy + splitting < 0.5
        yield holds(f"triangle at {energy}, {splitting}", relaxes == inside)


CHECKS = checks_in(globals())
