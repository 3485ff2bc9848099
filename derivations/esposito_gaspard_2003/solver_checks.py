"""Checks of what users run: evolution, rates, the simulation, and what the paper's figures show."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import j1

from pertsym.certify.claims import Findings, check, holds
from pertsym.model.random_matrix import RandomMatrixBath, RandomMatrixModel
from pertsym.model.units import UNITS
from pertsym.model.values import Coupling
from pertsym.random_matrix.ensemble import Floats, band_nodes, half_chord
from pertsym.random_matrix.evolution import populations
from pertsym.random_matrix.methods import random_matrix_evolve
from pertsym.random_matrix.rates import random_matrix_rates

ENERGY, SHELL, STRENGTH = -0.25, 0.05, 0.1
UP = np.diag([0.0, 1.0]).astype(complex)
PRODUCT = "evolve, rates"
ANEW = "equations as read, integrated anew (double precision)"
METHODS = ("energy-resolved", "energy-resolved-markov", "redfield-nonmarkov", "redfield")
PER_FS = 2 * math.pi * 299792458 * 1e2 * 1e-15
"""1 cm^-1 in 1/fs."""


def model(
    splitting: float, strength: float = STRENGTH, units: str = "natural"
) -> RandomMatrixModel:
    """A spin with the environment at the energy of the figures."""
    levels, coupling = (
        (-splitting / 2, splitting / 2),
        Coupling.of(((0, 1), (1, 0)), "env", strength),
    )
    bath = RandomMatrixBath("env", ENERGY, SHELL)
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
            return [
                flow,
                -flow,
                *(kernel * math.cos((ENERGY + s * splitting) * t) for s in (1, -1)),
            ]

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

    first = np.zeros(4 if n == 1 else 2 * n)
    first[0] = 1.0
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
            rates = random_matrix_rates(given).equations
            for name, pair in (("energy_resolved", (r[1], r[2])), ("redfield", (r[0], r[2]))):
                wanted = square * sum(pair), (pair[0] - pair[1]) / sum(pair)
                found: Any = rates[name].rate, rates[name].z_infinity
                same = np.allclose(found, wanted, rtol=1e-9, atol=0)
                yield holds(f"rates, {name}, {units}", same)
            total = random_matrix_rates(given, 2, total_energy=0.1).orders[2] or 0.0
            right = np.isclose(total, square * inside, 1e-9, 0)
            yield holds(f"rates at a total energy, {units}", right)
    early = np.array([0.0, 0.5, 1.0, 2.0, 15.0])
    run = random_matrix_evolve(
        model(0.3, 0.3), "exact", UP, list(early), size=200, realisations=8, seed=3
    ).populations
    off = np.abs(run[:, 1] - run[:, 0] - z(model(0.3, 0.3), "energy-resolved", early))
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
        for strength in (0.1, 0.05):
            times = [0.0, 0.5 / strength**2]
            wanted = z(model(splitting, strength), full, np.array(times))[1]
            for slipped in (False, True):
                p = populations(
                    markov, splitting, strength**2, ENERGY, (0, 1), times, slipped=slipped
                )[1]
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
