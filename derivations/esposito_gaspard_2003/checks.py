"""Checks of the master equations for any n, F, H_S and S, and of Gaussian random matrices.

Last those of what users run: evolution, rates, the simulation, and what the figures show.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

import mpmath
import numpy as np
import sympy
from numpy.typing import NDArray
from scipy.integrate import solve_ivp
from scipy.special import j1

from derivations.esposito_gaspard_2003 import equations
from derivations.esposito_gaspard_2003.equations import linear
from pertsym.baths.divergence import Divergent
from pertsym.certify import averaged_commutator as averaged
from pertsym.certify.claims import Findings, check, close, exact, holds, near
from pertsym.certify.conserved_energy_routes import from_ladder, rate_from_cumulant
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
from pertsym.random_matrix.methods import random_matrix_evolve

ENGINE = "ordered cumulant, non-crossing rule"
RULE = "non-crossing rule"
BRUTE = "averaged double commutator, 3 x 6 levels (double precision)"
SUMS = "all pairings, sums over levels (double precision)"
PRODUCT = "evolve, rates"
ANEW = "equations as read, integrated anew (double precision)"
EXPONENTIAL = "exponential of the Liouvillian"
COMMUTATORS = "integrals of commutators (double precision)"
ROUNDING = 1e-12
Matrix = NDArray[Any]
Times = Sequence[float]


@check(ENGINE, BRUTE, status="numerical")
def brute_force(digits: int) -> Findings:
    """Both non-Markovian equations against the averaged double commutator, three models."""
    for seed in (1, 2, 3):
        model, time = averaged.example(seed), 1.7
        brute = averaged.averaged_double_commutator(model, time)
        kept = averaged.engine_generator(master_equation(ENERGY_RESOLVED), model, time)
        yield near(f"energy kept, model {seed}", kept, brute, ROUNDING)
        for level in (0, 3):
            fixed = averaged.engine_generator(master_equation(FIXED_STATE), model, time, level)
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


@check(EXPONENTIAL, COMMUTATORS, status="numerical")
def dyson(digits: int) -> Findings:
    """(6), (16)-(18), (22), (23): the exact state's coefficients of lambda, a small environment.

    Two levels, and shells of two and three degenerate states; coefficients by the exponential of a
    block matrix, integrals by Gauss's rule.
    """
    draw, time = np.random.default_rng(11), 1.3
    shells, levels = np.repeat(np.eye(2), (2, 3), axis=1), np.array([0.0, 0.7])
    mixed = shells / shells.sum(axis=1, keepdims=True)  # the microcanonical states
    energies = np.add.outer(levels, np.array([0.2, 0.9]) @ shells).reshape(-1)
    gaps, free = np.subtract.outer(energies, energies), commutator(np.diag(energies))
    s, bath, p = (_hermitian(draw, n) for n in (2, 5, 4))
    p = p.reshape(2, 2, 2, 2)[[0, 1], :, [0, 1], :]  # P_ss' of each shell
    start = np.einsum("kab,ki,ij->aibj", p, mixed, np.eye(5)).reshape(10, 10)
    si = s * np.exp(1j * np.subtract.outer(levels, levels) * time)
    means = mixed @ np.diag(bath).real

    def seen(rho: Matrix) -> Any:
        """Tr X rho: P_ss' of each shell."""
        return np.einsum("aibi,ki->kab", rho.reshape(2, 5, 2, 5), shells)

    for what, of in (("B", means), ("B centred", 0 * means)):
        v = np.kron(s, bath - np.diag((means - of) @ shells))

        def moved(t: float, rho: Matrix, v: Matrix = v) -> Any:
            """L_I(t) rho."""
            vi = v * np.exp(1j * gaps * t)
            return -1j * (vi @ rho - rho @ vi)

        def once(t: float, moved: Any = moved) -> Any:
            return sum(w * moved(x, start) for x, w in gauss(t, 20))

        coupled, turned = commutator(v), np.exp(1j * gaps * time)
        parts = [x @ start.reshape(-1) for x in coupling_orders(free, coupled, time, 2)]
        exactly = (parts[1], parts[2], coupled @ parts[1])  # the last one is the second's slope
        first, second, slope = (turned * x.reshape(gaps.shape) for x in exactly)
        twice: Any = sum(w * moved(x, once(x)) for x, w in gauss(time, 20))
        yield near(f"(6), first order, {what}", once(time), first, ROUNDING)
        yield near(f"(6), (16), second order, {what}", twice, second, ROUNDING)
        yield near(f"(17), {what}", seen(moved(time, once(time))), seen(slope), ROUNDING)
        wanted = -1j * of[:, None, None] * (si @ p - p @ si)
        off = np.abs(seen(moved(time, start)) - wanted).max()
        yield holds(f"(18), {what}", off < ROUNDING)
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
                turned = [linear(form, at) for form in term.frequencies]
                planar += term.coefficient * np.exp(1j * np.dot(turned, times[[3, 2, 1, 0]]))
        gap = _all_pairings(actions, levels, times, start) - planar - 1
        sides = "".join("R" if side else "L" for side in right)
        yield holds(f"sides {sides}", abs(gap) * (variance / size) ** 2 <= ROUNDING)


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
    left, right = ([a.time for a in actions if a.right == side] for side in (False, True))
    at, total = times[[*left, *reversed(right)]], 0j
    for inner in product(range(levels.size), repeat=3):
        steps = [*pairwise((start, *inner, start))]
        mean = sum(all(steps[a] == steps[b][::-1] for a, b in x) for x in _PAIRINGS)
        turned = [levels[there] - levels[here] for here, there in steps]
        total += mean * np.exp(1j * np.dot(turned, at))
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
    # gap 2 is free; gaps 1 and 3 are integrated, damped by e^{-eta tau}, eta -> 0 extrapolated
    nodes, weights = band_nodes(300)
    at: dict[int, Any] = {0: energy, 1: nodes[:, None], 2: nodes}
    eta, slopes = np.array([0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.1]), np.zeros(7)
    for term in two.element(FIXED_STATE, 4, (0, 0, 1, 1)):
        if term.secular_gaps():
            value: Any = VARIANCE**2 * complex(term.coefficient) * np.outer(weights, weights)
            for k in (0, 2):
                (level,) = term.shape.system[k]
                phase = linear(term.shape.gaps[k], at) + level * splitting
                value = value / (eta[:, None, None] + 1j * phase)
            slopes += value.sum(axis=(1, 2)).real
    slope = np.polyfit(eta, slopes, len(eta) - 1)[-1]
    yield holds("slope in t to 1e-5", abs(slope + down * (kept - fixed)) < 1e-5)


@check(RULE, "self-consistent resolvent, expanded, at one rational point", status="numerical")
def self_energy(digits: int) -> Findings:
    """All-left averages of the rule against g(z - e - Sigma), exactly, to sixth order."""
    levels, weights = map(sympy.sympify, (("-1/3", "1/5", "2"), ("1/2", "1/3", "1/6")))
    shares = dict(zip(levels, weights, strict=True))
    z, start, v = sympy.Rational(5), sympy.Rational(1, 7), sympy.Symbol("v")
    sigma = sympy.Integer(0)
    for _ in range(3):
        sigma = v * sum(p / (z - e - sigma) for e, p in shares.items())
    resolved = sympy.series(sympy.cancel(1 / (z - start - sigma)), v, 0, 4)
    for n in (1, 2, 3):
        actions, total = [Action(time, False) for time in reversed(range(2 * n))], sympy.Rational(0)
        for term in NonCrossing().contract(actions, 0, 1):
            for at in _placed(term, start, shares):
                value, here = sympy.prod(shares[e] for n, e in at.items() if n) / (z - start), start
                for form in term.frequencies:  # the energy after each action
                    here += linear(form, at)
                    value /= z - here
                total += value
        yield exact(f"order {2 * n}", total, resolved.coeff(v, n))


@check(
    "closed form",
    "pole of the self-consistent ladder, level densities of a tiny coupling",
    "fourth-order ordered cumulant and dressing",
    status="numerical",
)
def conserved_energy(digits: int) -> Findings:
    """rate^(4) and z^(2) at conserved total energy: closed form, ladder, fourth-order cumulant."""
    series, total = conserved.conserved_energy_series(), Fraction(1, 10)
    for splitting in (Fraction(3, 10), Fraction(1, 2)):
        at = splitting, total, digits
        (second, fourth), (first, then) = from_ladder(*at)
        for what, form, value in (
            ("rate(2)", series.rate[2], second),
            ("rate(4)", series.rate[4], fourth),
            ("rate(4), cumulant", series.rate[4], rate_from_cumulant(*at)),
            ("z(0)", series.z_infinity[0], first),
            ("z(2)", series.z_infinity[2], then),
        ):
            numbers = (splitting, total, 1)
            given = zip((conserved.DELTA, conserved.TOTAL, conserved.LAM), numbers, strict=True)
            inside = equations.at_total_energy(form).subs(list(given))
            found = inside.replace(conserved.R, lambda x: sympy.sqrt(sympy.Rational(1, 4) - x**2))
            with mpmath.workdps(2 * digits + 20):
                closed = mpmath.mpf(str(found.evalf(mpmath.mp.dps)))
                yield close(f"{what}, Delta = {splitting}, E = {total}", value, closed, digits)


# ---------------------------------------------------------------------------------------------
# What users run

ENERGY, SHELL = -0.25, 0.05
UP = np.diag([0.0, 1.0]).astype(complex)
FULL = "non-Markovian equation (double precision)"
METHODS = ("energy-resolved", "energy-resolved-markov", "redfield-nonmarkov", "redfield")
PER_FS = 2 * math.pi * 299792458 * 1e2 * 1e-15
"""1 cm^-1 in 1/fs."""


def model(splitting: float, strength: float = 0.1, units: str = "natural") -> RandomMatrixModel:
    """A spin with the environment at the energy of the figures."""
    coupling = Coupling.of(((0, 1), (1, 0)), "env", strength)
    levels, bath = (-splitting / 2, splitting / 2), RandomMatrixBath("env", ENERGY, SHELL)
    return RandomMatrixModel("spin", UNITS[units], levels, (coupling,), bath)


def z(spin: RandomMatrixModel, method: str, times: Times, **options: Any) -> Any:
    """P_+ - P_- from +."""
    return random_matrix_evolve(spin, method, UP, times, **options).z


def _anew(method: str, splitting: float, strength: float, times: Times) -> Any:
    """The four equations, (88)-(92), (101)-(105), without the solver's code."""
    square, kept = strength**2, method.startswith("energy")
    if not method.endswith(("resolved", "nonmarkov")):
        up, down = half_chord([ENERGY - splitting * (not kept), ENERGY + splitting])
        end = (up - down) / (up + down)
        return end + (1 - end) * np.exp(-square * (up + down) * np.array(times))
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
        n, x = e.size, e[:, None] - e + splitting  # of + at the row, - at the column

        def slope(t: float, y: Floats) -> list[float]:
            window = t * np.sinc(x * t / np.pi)
            upper = density * (window @ y[n:]) - y[:n] * (window @ density)
            lower = density * (window.T @ y[:n]) - y[n:] * (window.T @ density)
            return [*upper, *lower]

    run: Any = solve_ivp(
        slope, (0, times[-1]), np.eye(1, max(4, 2 * n))[0], "DOP853", times,
        rtol=1e-10, atol=1e-13, max_step=1.0,
    )  # fmt: skip
    return run.y[:n].sum(axis=0) - run.y[n : 2 * n].sum(axis=0)


@check(PRODUCT, ANEW, status="numerical")
def solvers(digits: int) -> Findings:
    """Every method of `evolve` and every number of `rates`, units included."""
    times = (0.0, 0.4, 3.0, 11.0, 40.0)
    for splitting, strength in ((0.5, 0.4), (0.15, 0.25)):
        spin = model(splitting, strength)
        for method in METHODS:
            gap = np.abs(z(spin, method, times) - _anew(method, splitting, strength, times)).max()
            yield holds(f"{method}, splitting {splitting}", gap < 1e-7)
        fixed, kept, down = half_chord(ENERGY + splitting * np.array([-1, 0, 1]))
        inside = half_chord(0.1 + splitting / 2 * np.array([-1, 1])).sum()
        for units, factor in (("natural", 1.0), ("wavenumber", PER_FS)):
            square, given = factor * strength**2, model(splitting, strength, units)
            found = rates.random_matrix_rates(given).equations
            for name, up in (("energy_resolved", kept), ("redfield", fixed)):
                wanted = square * (up + down), (up - down) / (up + down)
                numbers: Any = found[name].rate, found[name].z_infinity
                same = np.allclose(numbers, wanted, rtol=1e-9, atol=0)
                yield holds(f"rates, {name}, {units}", same)
            total = rates.random_matrix_rates(given, 2, total_energy=0.1).orders[2]
            yield near(f"rates at a total energy, {units}", total, square * inside, 1e-9)
    early, spin = (0.0, 0.5, 1.0, 2.0, 15.0), model(0.3, 0.3)
    run = random_matrix_evolve(spin, "exact", UP, early, size=200, realisations=8, seed=3)
    off = np.abs(run.z - z(spin, "energy-resolved", early))
    yield holds("simulation, early", off[:4].max() < 0.01)
    yield holds("simulation, t = 15", off[4] < 0.1)
    yield near("simulation keeps the trace", run.populations.sum(axis=1), np.ones(5))


@check("Markovian equation, slipped", FULL, status="numerical")
def slippage(digits: int) -> Findings:
    """Without a slip the Markovian curve misses by lambda^2, with it by lambda^4."""
    pairs = (("energy-resolved-markov", "energy-resolved"), ("redfield", "redfield-nonmarkov"))
    for (markov, full), splitting in product(pairs, (0.1, 0.2)):
        missed = []
        for strength in (0.1, 0.05):
            spin, times = model(splitting, strength), (0.0, 0.5 / strength**2)
            both = [z(spin, markov, times, slipped=slipped)[1] for slipped in (False, True)]
            missed.append(np.abs(np.array(both) - z(spin, full, times)[1]))
        what = f"{markov}, splitting {splitting}"
        bare, cured = missed[0] / missed[1]
        yield holds(f"{what}: of second order without", 3.4 < bare < 4.6)
        yield holds(f"{what}: of higher order with it", cured > 8)
        yield holds(f"{what}: nearer at lambda = 0.1", missed[0][1] < 0.3 * missed[0][0])


@check(PRODUCT, "simulated von Neumann equation (N = 300)", status="numerical")
def figures(digits: int) -> Findings:
    """What the text says of the figures, at its lambda = 0.1, with N = 300 in the simulation."""
    late, early = (0.0, 30.0, 100.0, 300.0), (0.0, 1.0, 3.0, 6.0)

    def distances(splitting: float, times: Times, seed: int, count: int = 8) -> list[float]:
        """From the simulation, of every method, the largest."""
        spin = model(splitting)
        exact = z(spin, "exact", times, size=300, realisations=count, seed=seed)
        return [float(np.abs(z(spin, m, times) - exact).max()) for m in METHODS]

    for splitting in (0.01, 0.1, 0.5):
        kept, pauli, *redfield = distances(splitting, late, 1)
        far = min(redfield)
        yield holds(f"splitting {splitting}: energy-resolved near", max(kept, pauli) < 0.1)
        said = {0.01: ("near", far < 0.1), 0.1: ("farther", far > kept), 0.5: ("off", far > 0.5)}
        yield holds(f"splitting {splitting}: Redfield {said[splitting][0]}", said[splitting][1])
    for splitting in (0.01, 0.5):
        kept, pauli, _, markov = distances(splitting, early, 2)
        yield holds(f"splitting {splitting}: early decay", kept < 0.003 < min(pauli, markov))
    wide = [z(model(5.0), m, t) for m, t in zip(METHODS, (early, late, early, late), strict=True)]
    yield holds("splitting 5: both non-Markovian", np.abs(wide[0] - wide[2]).max() < 1e-6)
    yield holds("splitting 5: exact", distances(5.0, early, 2, 4)[0] < 1e-4)
    yield holds("splitting 5: the Markovian ones stay", np.all(np.array(wide[1::2]) == 1))
    for energy, splitting in ((-0.4, 0.8), (-0.4, 0.95), (0.3, 0.1), (0.3, 0.25)):
        levels = replace(model(splitting), bath=RandomMatrixBath("env", energy, SHELL))
        relaxes = np.abs(z(levels, "energy-resolved-markov", late) - 1).max() > 1e-3
        inside = energy + splitting < 0.5
        yield holds(f"triangle at {energy}, {splitting}", relaxes == inside)
