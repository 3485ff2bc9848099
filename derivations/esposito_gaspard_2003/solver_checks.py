"""Checks of what users run: evolution, rates, the simulation, and what the paper's figures show."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from scipy.special import j1

from pertsym.certify.claims import Finding, Findings, check
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

        def slope(t: float, y: Floats) -> list[float]:
            # the rates are unknowns too
            kernel = square * (j1(t / 2) / (2 * t) if t else 0.125)
            k = [kernel * math.cos((ENERGY + s * splitting) * t) for s in (1, -1)]
            flow = y[3] * y[1] - y[2] * y[0]
            return [flow, -flow, *k]

        first = np.array([1.0, 0.0, 0.0, 0.0])
    else:
        nodes, weights = band_nodes(int(times[-1] / 2) + 70)
        e = np.concatenate([[ENERGY], nodes])
        density = square / 8 * np.concatenate([[0.0], weights])  # n F de, doubled
        n = e.size
        x = e[:, None] - e[None, :] + splitting  # of + at the row, - at the column

        def slope(t: float, y: Floats) -> list[float]:
            window = t * np.sinc(x * t / np.pi)
            plus, minus = y[:n], y[n:]
            upper = density * (window @ minus) - plus * (window @ density)
            lower = density * (window.T @ plus) - minus * (window.T @ density)
            return list(np.concatenate([upper, lower]))

        first = np.zeros(2 * n)
        first[0] = 1.0
    run: Any = solve_ivp(
        slope, (0, times[-1]), first, "DOP853", times, rtol=1e-10, atol=1e-13, max_step=1.0
    )
    if method == "redfield-nonmarkov":
        run.y = run.y[:2]
    half = len(run.y) // 2
    found: Floats = run.y[:half].sum(axis=0) - run.y[half:].sum(axis=0)
    return found


@check(PRODUCT, ANEW, status="numerical")
def solvers(digits: int) -> Findings:
    """Every method of `evolve` and every number of `rates`, units included."""
    times = np.array([0.0, 0.4, 3.0, 11.0, 40.0])
    for splitting, strength in ((0.5, 0.4), (0.15, 0.25)):
        spin = model(splitting, strength)
        for method in (
            "energy-resolved",
            "energy-resolved-markov",
            "redfield-nonmarkov",
            "redfield",
        ):
            gap = np.abs(z(spin, method, times) - _anew(method, splitting, strength, times)).max()
            yield Finding(f"{method}, splitting {splitting}", bool(gap < 1e-7))
        r = [float(half_chord(ENERGY + k * splitting)) for k in (-1, 0, 1)]
        for units, factor in (("natural", 1.0), ("wavenumber", PER_FS)):
            rates = random_matrix_rates(model(splitting, strength, units)).equations
            for name, pair in (("energy_resolved", (r[1], r[2])), ("redfield", (r[0], r[2]))):
                wanted = factor * strength**2 * sum(pair), (pair[0] - pair[1]) / sum(pair)
                found: Any = rates[name].rate, rates[name].z_infinity
                same = np.allclose(found, wanted, rtol=1e-9, atol=0)
                yield Finding(f"rates, {name}, {units}", bool(same))
        for units, factor in (("natural", 1.0), ("wavenumber", PER_FS)):
            inside = [float(half_chord(0.1 + s * splitting / 2)) for s in (-1, 1)]
            conserved = random_matrix_rates(model(splitting, strength, units), 2, total_energy=0.1)
            right = np.isclose(
                conserved.orders[2] or 0.0, factor * strength**2 * sum(inside), 1e-9, 0
            )
            yield Finding(f"rates at a total energy, {units}", bool(right))
    early = np.array([0.0, 0.5, 1.0, 2.0, 15.0])
    run = random_matrix_evolve(
        model(0.3, 0.3), "exact", UP, list(early), size=200, realisations=8, seed=3
    ).populations
    gap = np.abs(run[:, 1] - run[:, 0] - z(model(0.3, 0.3), "energy-resolved", early))
    yield Finding("simulation, early", bool(gap[:4].max() < 0.01))
    yield Finding("simulation, t = 15", bool(gap[4] < 0.1))
    kept = bool(np.abs(run.sum(axis=1) - 1).max() < 1e-10)
    yield Finding("simulation keeps the trace", kept)


@check(
    "Markovian equation, slipped", "non-Markovian equation (double precision)", status="numerical"
)
def slippage(digits: int) -> Findings:
    """Without a slip the Markovian curve misses by lambda^2, with it by lambda^4."""
    for markov, full in (
        ("energy-resolved-markov", "energy-resolved"), ("redfield", "redfield-nonmarkov"),
    ):  # fmt: skip
        for splitting in (0.1, 0.2):
            left = {}
            for strength in (0.1, 0.05):
                spin, times = model(splitting, strength), np.array([0.0, 0.5 / strength**2])
                wanted = z(spin, full, times)[1]
                for slipped in (False, True):
                    p = populations(
                        markov, splitting, strength**2, ENERGY, (0, 1), list(times), slipped=slipped
                    )[1]
                    left[slipped, strength] = abs(p[1] - p[0] - wanted)
            what = f"{markov}, splitting {splitting}"
            bare = left[False, 0.1] / left[False, 0.05]
            yield Finding(f"{what}: of second order without", bool(3.4 < bare < 4.6))
            cured = left[True, 0.1] / left[True, 0.05]
            yield Finding(f"{what}: of higher order with it", bool(cured > 8))
            better = left[True, 0.1] < 0.3 * left[False, 0.1]
            yield Finding(f"{what}: nearer at lambda = 0.1", bool(better))


@check(PRODUCT, "simulated von Neumann equation (N = 300)", status="numerical")
def figures(digits: int) -> Findings:
    """What the text says of the figures, at its lambda = 0.1, with N = 300 in the simulation."""
    late, early = np.array([0.0, 30.0, 100.0, 300.0]), np.array([0.0, 1.0, 3.0, 6.0])
    gaps: dict[tuple[str, float], float] = {}
    for splitting in (0.01, 0.1, 0.5):
        spin = model(splitting)
        exact = z(spin, "exact", late, size=300, realisations=8, seed=1)
        for method in (
            "energy-resolved",
            "energy-resolved-markov",
            "redfield-nonmarkov",
            "redfield",
        ):
            gaps[method, splitting] = float(np.abs(z(spin, method, late) - exact).max())
    for splitting in (0.01, 0.1, 0.5):
        near = max(gaps["energy-resolved", splitting], gaps["energy-resolved-markov", splitting])
        yield Finding(f"splitting {splitting}: energy-resolved near", near < 0.1)
    far = {k: min(gaps["redfield", k], gaps["redfield-nonmarkov", k]) for k in (0.01, 0.1, 0.5)}
    yield Finding("splitting 0.01: Redfield near", far[0.01] < 0.1)
    yield Finding("splitting 0.1: Redfield farther", far[0.1] > gaps["energy-resolved", 0.1])
    yield Finding("splitting 0.5: Redfield far off", far[0.5] > 0.5)
    for splitting in (0.01, 0.5):
        spin = model(splitting)
        exact = z(spin, "exact", early, size=300, realisations=8, seed=2)
        off = {
            m: np.abs(z(spin, m, early) - exact)[1:].max()
            for m in ("energy-resolved", "energy-resolved-markov", "redfield")
        }
        follows = (
            off["energy-resolved"] < 0.003 < min(off["energy-resolved-markov"], off["redfield"])
        )
        yield Finding(f"splitting {splitting}: early decay", bool(follows))
    wide = model(5.0)
    curves = {m: z(wide, m, early) for m in ("energy-resolved", "redfield-nonmarkov")}
    exact = z(wide, "exact", early, size=300, realisations=4, seed=2)
    same = np.abs(curves["energy-resolved"] - curves["redfield-nonmarkov"]).max() < 1e-6
    yield Finding("splitting 5: both non-Markovian", bool(same))
    agree = np.abs(curves["energy-resolved"] - exact).max() < 1e-4
    yield Finding("splitting 5: exact", bool(agree))
    for method in ("energy-resolved-markov", "redfield"):
        still = bool(np.abs(z(wide, method, late) - 1).max() == 0)
        yield Finding(f"splitting 5: {method} stays", still)
    for energy, splitting in ((-0.4, 0.8), (-0.4, 0.95), (0.3, 0.1), (0.3, 0.25)):
        inside = energy + splitting < 0.5
        levels = replace(model(splitting), bath=RandomMatrixBath("env", energy, SHELL))
        relaxes = np.abs(z(levels, "energy-resolved-markov", late) - 1).max() > 1e-3
        yield Finding(f"triangle at {energy}, {splitting}", bool(relaxes) == inside)
