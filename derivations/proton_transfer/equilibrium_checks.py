"""Checks of tables, equilibrium and wavepacket: Tables 1, 2, Secs. II, III, Figs. 4, 7-9.

First the states and generators that numbers come from, and the stored hierarchy.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pertsym.certify.claims import Findings, check, holds, near
from pertsym.dynamics.methods import Method, evolve, generator_with_error, steady
from pertsym.generators.representation import BAND
from pertsym.generators.steady import steady_state
from pertsym.generators.tcl import tcl_generator
from pertsym.language.evaluation import acting
from pertsym.model.values import Model
from pertsym.systems.dvr import Grid, bound_states
from pertsym.systems.proton_transfer import (
    FEMTOSECOND,
    WELL,
    grid_states,
    landmarks,
    proton_transfer,
    proton_wavepacket,
)

Matrix = NDArray[np.complex128]
Reals = NDArray[np.float64]

ENGINE = "engine"
PRINTED = "as printed (repaired)"
HIERARCHY = "hierarchy of equations of motion (QuTiP)"

STEADY_METHODS: tuple[tuple[str, int], ...] = (
    ("gibbs", 0),
    ("mean-force", 2),
    ("mean-force", 4),
    ("redfield", 2),
    ("redfield-secular", 2),
    ("ccqme", 2),
    ("ccqme-secular", 2),
    ("tcl4", 4),
)
"""(method, order) of every steady state that is tabulated."""


@cache
def model(eta: float, levels: int = 6) -> Model:
    """The paper's model."""
    return proton_transfer(eta, levels)


@cache
def state(eta: float, method: str, order: int = 2) -> Matrix:
    """The steady state of a method, (6, 6), in the eigenbasis of H_S(eta)."""
    if method == "tcl4":
        return steady_state(np.sum(list(tcl4_orders(eta).values()), axis=0))
    return steady(model(eta), method, order)


@cache
def tcl4_orders(eta: float) -> Mapping[int, Matrix]:
    """K_0, K_2 and K_4 at long times, (36, 36) each, by order."""
    found = tcl_generator(model(eta), 4, tolerance=1e-9, band=BAND).orders
    return {order: term.matrix for order, term in found.items()}


def populations(eta: float, method: str, order: int = 2) -> Reals:
    """Its diagonal."""
    return np.diag(state(eta, method, order)).real


@cache
def constant_generator(eta: float, method: str) -> Matrix:
    """K_0 + K_2 + ... of a method, (36, 36)."""
    return generator_with_error(model(eta), Method.parse(method, (method,)))[0]


@cache
def hierarchy() -> Mapping[str, Any]:
    """The stored results of `python -m benchmarks.proton_transfer_heom`."""
    path = Path(__file__).with_name("heom.json")
    data: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def exact(kind: str, value: str, **at: float) -> Reals:
    """What the hierarchy has found, e.g. "steady" "populations" of an `eta`."""
    (record,) = [row for row in hierarchy()[kind] if at.items() <= row.items()]
    return np.array(record[value])


def exact_steady(eta: float) -> Reals:
    """The hierarchy's steady populations."""
    return exact("steady", "populations", eta=eta)


def exact_dynamics(eta: float, initial: int) -> Reals:
    """The hierarchy's populations over time, shape (times, 6)."""
    return exact("dynamics", "populations", eta=eta, initial=initial)


def times_of(key: str) -> Reals:
    """The hierarchy's times in atomic units, e.g. those of "times_fs"."""
    start, stop, count = hierarchy()[key]
    return FEMTOSECOND * np.linspace(start, stop, count)


def ascending(values: Iterable[float]) -> bool:
    """Whether each value is larger than the one before."""
    listed = list(values)
    return all(a < b for a, b in pairwise(listed))


def pairs(values: Mapping[float, float]) -> str:
    """Numbers by eta, for the words of a finding."""
    return ", ".join(f"{eta:g}: {value:.3g}" for eta, value in values.items())


def slope(distance: Mapping[float, float]) -> float:
    """d log(distance)/d log(eta) between two values of eta."""
    (a, x), (b, y) = distance.items()
    return math.log(y / x) / math.log(b / a)


DVR = "discrete variable representation of the fitted potential"
PACKET_LEVELS = 12

ENERGIES = (  # Table 1, powers of ten supplied
    *("4.114537e-3", "4.691015e-3", "8.133116e-3"),
    *("1.110714e-2", "1.458100e-2", "1.881039e-2"),
)
POSITIONS = (  # Table 2
    (-0.3813, 0.3325, 0.0837, 0.1321, 0.0564, 0.0289),
    (0.3325, 0.6712, -0.2931, 0.0230, -0.0498, 0.0008),
    (0.0837, -0.2931, 0.4089, -0.4241, 0.0559, -0.0514),
    (0.1321, 0.0230, -0.4241, 0.1598, -0.5011, -0.0085),
    (0.0564, -0.0498, 0.0559, -0.5011, 0.2696, -0.5258),
    (0.0289, 0.0008, -0.0514, -0.0085, -0.5258, 0.2752),
)


def printed_energies() -> list[float]:
    """The six lowest levels at eta = 0, as many digits as are printed."""
    return [float(round(energy, 9)) for energy in grid_states(0.0, 6).states.energies]


def printed_positions() -> list[list[float]]:
    """q among them."""
    rounded = np.round(grid_states(0.0, 6).states.position, 6) + 0.0
    return [[float(x) for x in row] for row in rounded]


@check(DVR, PRINTED, status="numerical")
def table_1(digits: int) -> Findings:
    """Every printed digit of the six energies."""
    found = grid_states(0.0, 6).states.energies
    for n, (value, text) in enumerate(zip(found, ENERGIES, strict=True)):
        unit = 10.0 ** (int(text[-2:]) - 6)  # of the last digit
        yield holds(f"E_{n} = {text}", abs(value - float(text)) <= 0.5 * unit)


@check(DVR, PRINTED, status="numerical")
def table_2(digits: int) -> Findings:
    """Every printed digit of the position matrix."""
    found = grid_states(0.0, 6).states.position
    yield holds("q", np.abs(found - np.array(POSITIONS)).max() <= 0.5e-4)


@check(DVR, "closed forms of two oscillators", status="numerical")
def dvr(digits: int) -> Findings:
    """(9): known levels of the harmonic oscillator and of a Morse oscillator; convergence here."""
    mass, frequency, depth, width = 1836.0, 0.01, 0.1, 1.0
    oscillator = bound_states(
        lambda x: mass * frequency**2 * x**2 / 2, mass, Grid(-2.0, 2.0, 41), 8
    ).states
    n = np.arange(8)
    raising = np.sqrt((n[:-1] + 1) / (2 * mass * frequency))
    morse = bound_states(
        lambda x: depth * (1 - np.exp(-width * x)) ** 2, mass, Grid(-1.2, 5.0, 81), 6, 1e-10
    ).states
    spacing = width * math.sqrt(2 * depth / mass)
    half = np.arange(6) + 0.5
    exact = spacing * half - (spacing * half) ** 2 / (4 * depth)
    here = grid_states(0.0, PACKET_LEVELS)
    yield near("harmonic energies", oscillator.energies, frequency * (n + 0.5))
    yield near("harmonic positions", np.abs(np.diag(oscillator.position, 1)), raising)
    yield near("Morse energies", morse.energies, exact, 1e-9)
    yield holds("energies converged", here.energy_change < 1e-12)
    yield holds("positions converged", here.position_change < 1e-9)


@check(DVR, status="numerical")
def potential(digits: int) -> Findings:
    """Fig. 1: two wells, the left one lower; |0> left, |1> right, the barrier between 1 and 2."""
    marks = landmarks()
    states = grid_states(0.0, 6).states
    x = states.grid.positions
    left = np.sum(states.vectors[x < marks.top] ** 2, axis=0)
    zero = float(WELL(np.array([marks.left]))[0])
    yield holds("left < top < right", marks.left < marks.top < marks.right)
    yield holds("energies count from the minimum", abs(zero - marks.zero) < 1e-15)
    yield holds("the left well is the lower one", 0 < marks.asymmetry < marks.barrier)
    yield holds(f"|0> is left: {left[0]:.2f}", left[0] > 0.8)
    yield holds(f"|1> is right: {left[1]:.2f}", left[1] < 0.2)
    yield holds(
        "two levels below the barrier", states.energies[1] < marks.barrier < states.energies[2]
    )


ETA = 0.3
LADDER = (0.01, 0.02)
"""Couplings between which slopes are measured."""
STEADY_ETAS = (0.1, 0.3, 1.0)
_DECIMALS = 5  # of tabulated populations: what every machine agrees on


@check("TCL4 of the engine", "imaginary-time expansion of the engine", status="numerical")
def fourth_order_condition(digits: int) -> Findings:
    """(91): the diagonal of R2[rho2] + R4[rho_G] vanishes, and that of R2[rho2] alone does not."""
    orders = tcl4_orders(ETA)
    zeroth = state(ETA, "gibbs")
    second = state(ETA, "mean-force") - zeroth
    first = np.diag(acting(orders[2])(second)).real
    other = np.diag(acting(orders[4])(zeroth)).real
    yield near("R2[rho2] = -R4[rho_G] on the diagonal", first, -other, 1e-5)
    yield holds("R2[rho2] alone does not vanish", np.abs(first).max() > 1e-9)


def _distance(eta: float, method: str) -> float:
    return float(np.abs(populations(eta, method) - populations(eta, "mean-force")).max())


@check(ENGINE, "slopes between two couplings", status="numerical")
def scaling(digits: int) -> Findings:
    """Steady populations minus the mean-force state: eta for Gibbs and Redfield, eta^2 beyond."""
    first, second = ("gibbs", "redfield-secular", "redfield"), ("ccqme", "ccqme-secular", "tcl4")
    for method in first + second:
        power = 1 if method in first else 2
        found = slope({eta: _distance(eta, method) for eta in LADDER})
        yield holds(f"{method}: slope {found:.2f}", abs(found - power) < 0.15)


@check(ENGINE, status="numerical")
def positivity(digits: int) -> Findings:
    """Sec. I: full Redfield has negative populations, its secular part has not."""
    full, secular = (
        {eta: float(populations(eta, m).min()) for eta in STEADY_ETAS}
        for m in ("redfield", "redfield-secular")
    )
    rates = constant_generator(1.0, "redfield-secular")[::7, ::7].real
    off = rates - np.diag(np.diag(rates))
    yield holds(f"full Redfield: lowest population at eta = {pairs(full)}", max(full.values()) < 0)
    yield holds(f"secular: {pairs(secular)}", min(secular.values()) > 0)
    yield holds("secular rates are not negative", off.min() >= 0)


# ---------------------------------------------------------------------------------------------
# What is tabulated


@cache
def table(order: int) -> tuple[tuple[str, float, tuple[str, ...]], ...]:
    """(method, eta, six populations as text) for every method up to an order, and the hierarchy."""
    rows = []
    for eta in STEADY_ETAS:
        for method, its_order in STEADY_METHODS:
            if its_order <= order:
                named = f"{method}, order {its_order}" if method == "mean-force" else method
                rows.append((named, eta, _rounded(populations(eta, method, its_order).tolist())))
        rows.append(("hierarchy", eta, _rounded(exact_steady(eta).tolist())))
    return tuple(rows)


def _rounded(values: Sequence[float]) -> tuple[str, ...]:
    return tuple(f"{round(value, _DECIMALS) + 0.0:.{_DECIMALS}f}" for value in values)


@cache
def slopes(order: int) -> dict[str, str]:
    """Power of eta by which steady populations leave the mean-force state, by method."""
    methods = [m for m, n in STEADY_METHODS if n <= order and m != "mean-force"]
    return {m: f"{slope({eta: _distance(eta, m) for eta in LADDER}):.1f}" for m in methods}


@cache
def packet(eta: float) -> tuple[Reals, Reals]:
    """<q>(t) of the CCQME at the hierarchy's times, and its largest coherence (times,)."""
    given, times = model(eta, PACKET_LEVELS), times_of("wavepacket_times_fs")
    start = proton_wavepacket(eta, PACKET_LEVELS).state
    states = evolve(given, "ccqme-secular", start, times.tolist())
    coherences = np.abs(states * (1 - np.eye(PACKET_LEVELS))).max(axis=(1, 2))
    return np.einsum("ij,tji->t", position(eta), states).real, coherences


def position(eta: float) -> Matrix:
    """q among twelve levels."""
    return np.array(model(eta, PACKET_LEVELS).couplings[0].operator, dtype=complex)


def exact_position(eta: float) -> Reals:
    """The hierarchy's <q>(t)."""
    return exact("wavepacket", "position", eta=eta)


def equilibrium(eta: float, method: str) -> float:
    """<q> in a steady state, twelve levels."""
    return float(np.trace(position(eta) @ steady(model(eta, PACKET_LEVELS), method)).real)


def oscillation(q: Reals) -> list[float]:
    """The standard deviation of <q> in three windows of a fifth each: first, middle and last."""
    fifth = len(q) // 5
    return [float(q[k * fifth : (k + 1) * fifth].std()) for k in (0, 2, 4)]


@check(ENGINE, HIERARCHY, status="numerical")
def wavepacket(digits: int) -> Findings:
    """(21), Fig. 4 at eta = 0.1: the packet, its motion from well to well, and where it settles."""
    marks, start = landmarks(), proton_wavepacket(0.1, PACKET_LEVELS)
    energy = start.momentum**2 / (2 * WELL.mass)
    q, coherent = packet(0.1)
    exact = exact_position(0.1)
    canonical, gibbs, found = (
        equilibrium(0.1, m) for m in ("mean-force", "gibbs", "ccqme-secular")
    )
    for name, track in (("CCQME", q), ("hierarchy", exact)):
        crossings = int(np.count_nonzero(np.diff(np.sign(track - marks.top))))
        left = oscillation(track)
        yield holds(f"{name}: {crossings} times over the barrier", crossings > 20)
        yield holds(f"{name}: oscillation {left}", ascending(reversed(left)))
    yield near("kinetic energy", energy, marks.barrier)
    yield holds(f"norm in twelve levels: {start.captured:.4f}", start.captured > 0.99)
    yield holds(f"starts left: {q[0]:.3f}", q[0] < marks.top)
    yield holds("coherences are there, and decay", 0.1 < 2 * coherent[-1] < coherent[0])
    yield holds("on the hierarchy's track", np.abs(q - exact).mean() < 0.015)
    yield holds(
        f"settles at {found:.4f}: mean force {canonical:.4f}, Gibbs {gibbs:.4f}",
        abs(found - canonical) < 0.3 * abs(found - gibbs),
    )


@check(ENGINE, HIERARCHY, status="numerical")
def wavepacket_damping(digits: int) -> Findings:
    """Figs. 7-9: what is left of the oscillation of <q>, and the mean-force shift of <q>."""
    etas = (0.1, 0.3, 0.5, 1.0)
    tracks = {"CCQME": {e: packet(e)[0] for e in etas},
              "hierarchy": {e: exact_position(e) for e in etas}}  # fmt: skip
    for name, found in tracks.items():
        left = {e: oscillation(q)[2] / oscillation(q)[0] for e, q in found.items()}
        said = f"{name}: left of the oscillation: {pairs(left)}"
        yield holds(said, ascending(reversed(left.values())))
    shift = {e: equilibrium(e, "mean-force") - equilibrium(e, "gibbs") for e in etas}
    yield holds(f"shift of the position: {pairs(shift)}", ascending([0.0, *shift.values()]))
