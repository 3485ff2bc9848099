"""Checks of tables, figures and what the text says of them: Secs. I, II, III, IV and App. G.

First the states and generators that numbers come from, and the stored hierarchy.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pertsym.certify.claims import Findings, check, holds, near
from pertsym.dynamics.methods import Method, evolve, generator_with_error, steady
from pertsym.generators.representation import BAND
from pertsym.generators.tcl import tcl_generator
from pertsym.language.evaluation import acting
from pertsym.model.values import Model
from pertsym.systems import proton_transfer as taa
from pertsym.systems.dvr import Grid, bound_states

Matrix = NDArray[np.complex128]
Reals = NDArray[np.float64]
Regime = tuple[float, float, str]

ENGINE = "engine"
PRINTED = "as printed (repaired)"
HIERARCHY = "hierarchy of equations of motion (QuTiP)"
DVR = "discrete variable representation of the fitted potential"

ETA = 0.3
LADDER = (0.01, 0.02)
"""Couplings between which slopes are measured."""
STEADY_ETAS = (0.1, 0.3, 1.0)
ETAS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
STEADY_METHODS: tuple[tuple[str, int], ...] = (
    *(("gibbs", 0), ("mean-force", 2), ("mean-force", 4), ("redfield", 2)),
    *(("redfield-secular", 2), ("ccqme", 2), ("ccqme-secular", 2), ("tcl4", 4)),
)
"""(method, order) of every steady state that is tabulated."""
PACKET_LEVELS = 12
_DECIMALS = 5  # of tabulated populations: what every machine agrees on


@cache
def model(eta: float, levels: int = 6) -> Model:
    """The paper's model."""
    return taa.proton_transfer(eta, levels)


@cache
def state(eta: float, method: str, order: int = 2) -> Matrix:
    """The steady state of a method, (6, 6), in the eigenbasis of H_S(eta)."""
    return steady(model(eta), method, order)


def populations(eta: float, method: str, order: int = 2) -> Reals:
    """Its diagonal."""
    return np.diag(state(eta, method, order)).real


@cache
def constant_generator(eta: float, method: str) -> Matrix:
    """K_0 + K_2 + ... of a method, (36, 36)."""
    return generator_with_error(model(eta), Method.parse(method, (method,)))[0]


def rates(eta: float, method: str) -> Reals:
    """Among populations, (6, 6)."""
    return constant_generator(eta, method)[::7, ::7].real


@cache
def hierarchy() -> Any:
    """The stored results of `python -m benchmarks.proton_transfer_heom`."""
    return json.loads(Path(__file__).with_name("heom.json").read_text(encoding="utf-8"))


def exact(kind: str, value: str = "populations", **at: float) -> Reals:
    """What the hierarchy has found, "steady" or over time, e.g. at an `eta`."""
    (record,) = [row for row in hierarchy()[kind] if at.items() <= row.items()]
    return np.array(record[value])


def times_of(key: str) -> list[float]:
    """The hierarchy's times in atomic units, e.g. those of "times_fs"."""
    start, stop, count = hierarchy()[key]
    times: list[float] = (taa.FEMTOSECOND * np.linspace(start, stop, count)).tolist()
    return times


def ascending(values: Iterable[float]) -> bool:
    """Whether each value is larger than the one before."""
    return all(a < b for a, b in pairwise(values))


def pairs(values: Mapping[float, float]) -> str:
    """Numbers by eta, for the words of a finding."""
    return ", ".join(f"{eta:g}: {value:.3g}" for eta, value in values.items())


# ---------------------------------------------------------------------------------------------
# Levels

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


@check(DVR, PRINTED, status="numerical")
def tables(digits: int) -> Findings:
    """Every printed digit of the six energies and of the position matrix."""
    found = taa.grid_states(0.0, 6).states
    for n, (value, text) in enumerate(zip(found.energies, ENERGIES, strict=True)):
        unit = 10.0 ** (int(text[-2:]) - 6)  # of the last digit
        yield holds(f"E_{n} = {text}", abs(value - float(text)) <= 0.5 * unit)
    yield holds("q", np.abs(found.position - np.array(POSITIONS)).max() <= 0.5e-4)


@check(DVR, "closed forms of two oscillators", status="numerical")
def dvr(digits: int) -> Findings:
    """(9): known levels of the harmonic oscillator and of a Morse oscillator; convergence here."""
    mass, frequency, depth, width, n = 1836.0, 0.01, 0.1, 1.0, np.arange(8)
    spring, grids = mass * frequency**2 / 2, (Grid(-2.0, 2.0, 41), Grid(-1.2, 5.0, 81))
    oscillator = bound_states(lambda x: spring * x**2, mass, grids[0], 8).states
    morse_well = bound_states(
        lambda x: depth * (1 - np.exp(-width * x)) ** 2, mass, grids[1], 6, 1e-10
    )
    harmonic = width * math.sqrt(2 * depth / mass) * (n[:6] + 0.5)
    morse = harmonic - harmonic**2 / (4 * depth)
    raising = np.sqrt(n[1:] / (2 * mass * frequency))
    here = taa.grid_states(0.0, PACKET_LEVELS)
    yield near("harmonic energies", oscillator.energies, frequency * (n + 0.5))
    yield near("harmonic positions", np.abs(np.diag(oscillator.position, 1)), raising)
    yield near("Morse energies", morse_well.states.energies, morse, 1e-9)
    yield holds("energies converged", here.energy_change < 1e-12)
    yield holds("positions converged", here.position_change < 1e-9)


@check(DVR, status="numerical")
def potential(digits: int) -> Findings:
    """Fig. 1: two wells, the left one lower; |0> left, |1> right, the barrier between 1 and 2."""
    marks, states = taa.landmarks(), taa.grid_states(0.0, 6).states
    left = np.sum(states.vectors[states.grid.positions < marks.top] ** 2, axis=0)
    zero = float(taa.WELL(np.array([marks.left]))[0])
    yield holds("left < top < right", marks.left < marks.top < marks.right)
    yield holds("energies count from the minimum", abs(zero - marks.zero) < 1e-15)
    yield holds("the left well is the lower one", 0 < marks.asymmetry < marks.barrier)
    yield holds(f"|0> is left: {left[0]:.2f}", left[0] > 0.8)
    yield holds(f"|1> is right: {left[1]:.2f}", left[1] < 0.2)
    below, above = states.energies[1:3]
    yield holds("two levels below the barrier", below < marks.barrier < above)


# ---------------------------------------------------------------------------------------------
# Steady states


@check("TCL4 of the engine", "imaginary-time expansion of the engine", status="numerical")
def fourth_order_condition(digits: int) -> Findings:
    """(91): the diagonal of R2[rho2] + R4[rho_G] vanishes, and that of R2[rho2] alone does not."""
    orders, zeroth = tcl_generator(model(ETA), 4, band=BAND).orders, state(ETA, "gibbs")
    first = np.diag(acting(orders[2].matrix)(state(ETA, "mean-force") - zeroth)).real
    other = np.diag(acting(orders[4].matrix)(zeroth)).real
    yield near("R2[rho2] = -R4[rho_G] on the diagonal", first, -other, 1e-5)
    yield holds("R2[rho2] alone does not vanish", np.abs(first).max() > 1e-9)


@cache
def slope(method: str) -> float:
    """Power of eta by which steady populations leave the mean-force state."""
    gaps = [populations(eta, method) - populations(eta, "mean-force") for eta in LADDER]
    low, high = (float(np.abs(gap).max()) for gap in gaps)
    return math.log(high / low) / math.log(LADDER[1] / LADDER[0])


@check(ENGINE, "slopes between two couplings", status="numerical")
def scaling(digits: int) -> Findings:
    """Steady populations minus the mean-force state: eta for Gibbs and Redfield, eta^2 beyond."""
    for method, _ in STEADY_METHODS:
        if method != "mean-force":
            power = 1 if method in ("gibbs", "redfield", "redfield-secular") else 2
            found = slope(method)
            yield holds(f"{method}: slope {found:.2f}", abs(found - power) < 0.15)


@check(ENGINE, status="numerical")
def secular_generators(digits: int) -> Findings:
    """Secs. I, III.1: positive populations, no coherences, relaxation times."""
    methods = ("redfield", "redfield-secular")
    full, secular = ({e: float(populations(e, m).min()) for e in STEADY_ETAS} for m in methods)
    yield holds(f"full Redfield: lowest population at eta = {pairs(full)}", max(full.values()) < 0)
    yield holds(f"secular: {pairs(secular)}", min(secular.values()) > 0)
    up = rates(1.0, "redfield-secular")
    yield holds("secular rates are not negative", np.all(up[~np.eye(6, dtype=bool)] >= 0))
    others = np.setdiff1d(np.arange(36), np.arange(6) * 7)
    for m in ("redfield-secular", "ccqme-secular"):
        yield holds(m, not np.any(constant_generator(0.3, m)[others, ::7]))
    modes = {eta: np.linalg.eigvals(rates(eta, "ccqme-secular")).real for eta in (0.1, 0.5, 1.0)}
    times = {eta: float(-1 / np.sort(x)[-2] / taa.FEMTOSECOND) for eta, x in modes.items()}
    yield holds(f"femtoseconds: {pairs(times)}", 400 < times[1.0] < times[0.5] < 1100)
    yield holds("far slower at weak coupling", times[0.1] > 4000)


@cache
def table(order: int) -> tuple[tuple[str, float, tuple[str, ...]], ...]:
    """(method, eta, six populations as text) for every method up to an order, and the hierarchy."""
    rows: list[tuple[str, float, Reals]] = []
    for eta in STEADY_ETAS:
        for method, its_order in STEADY_METHODS:
            if its_order <= order:
                named = f"{method}, order {its_order}" if method == "mean-force" else method
                rows.append((named, eta, populations(eta, method, its_order)))
        rows.append(("hierarchy", eta, exact("steady", eta=eta)))

    def written(x: float) -> str:
        return f"{round(float(x), _DECIMALS) + 0.0:.{_DECIMALS}f}"

    return tuple((named, eta, tuple(map(written, values))) for named, eta, values in rows)


def classify(gibbs: float, mean_force: float, exact: float, threshold: float) -> Regime:
    """|p_Gibbs - p_MF|/p_MF and |p_MF - p_exact|/p_exact of one population, and what they mean.

    "intermediate" if the second error exceeds the threshold, else "weak" if the first one does,
    else "ultraweak".
    """
    first, second = abs(gibbs - mean_force) / mean_force, abs(mean_force - exact) / exact
    below = "weak" if first > threshold else "ultraweak"
    return first, second, "intermediate" if second > threshold else below


THRESHOLD = 1e-3  # of both relative errors of the regimes; a reading


def regime(eta: float) -> Regime:
    """By the ground-state population, with the hierarchy's steady state as reference."""
    first, second = (float(populations(eta, m)[0]) for m in ("gibbs", "mean-force"))
    return classify(first, second, float(exact("steady", eta=eta)[0]), THRESHOLD)


@check(ENGINE, HIERARCHY, status="numerical")
def regimes(digits: int) -> Findings:
    """Sec. III.1: where each regime begins."""
    names = {row["eta"]: regime(row["eta"])[-1] for row in hierarchy()["steady"]}
    starts = min(eta for eta, name in names.items() if name == "intermediate")
    yield holds("0.01 is ultraweak", names[0.01] == "ultraweak")
    yield holds("0.1 is weak", names[0.1] == "weak")
    yield holds(f"intermediate from {starts}", 0.3 < starts < 1)


# ---------------------------------------------------------------------------------------------
# Populations over time


@cache
def dynamics(eta: float, method: str, initial: int) -> Reals:
    """Populations at the hierarchy's times, shape (times, 6)."""
    rho, times = np.diag(np.eye(6, dtype=complex)[initial]), times_of("times_fs")
    states = evolve(model(eta), method, rho, times, tolerance=1e-5)
    return np.diagonal(states, axis1=1, axis2=2).real


def mean_error(eta: float, method: str, initial: int = 0, relative: bool = False) -> float:
    """Time average of |p0 - p0(hierarchy)|, or of that over p0(hierarchy)."""
    wanted = exact("dynamics", eta=eta, initial=initial)[:, 0]
    gap = np.abs(dynamics(eta, method, initial)[:, 0] - wanted)
    return float((gap / wanted if relative else gap).mean())


@check(ENGINE, HIERARCHY, status="numerical")
def relaxation(digits: int) -> Findings:
    """Fig. 2, (a) to (d): eta = 0.1, 0.3, 0.5, 1; which state each method relaxes to."""
    redfield, ccqme = "redfield-secular", "ccqme-secular"
    late = dynamics(0.1, ccqme, 0)
    for m in (redfield, ccqme):
        worst = mean_error(0.1, m)
        off = abs(populations(0.1, m)[0] - exact("steady", eta=0.1)[0])
        yield holds(f"(a) {m}: mean error {worst:.4f}", worst < 0.02)
        yield holds(f"(a) {m}: steady state off by {off:.4f}", off < 0.01)
    yield holds("(a) p0 falls all the time", ascending(-late[:, 0]))
    yield holds("(a) level 2 stays at the percent level", 0 < late[:, 2].max() < 0.05)

    gibbs, canonical = (populations(0.3, m) for m in ("gibbs", "mean-force"))
    yield near("(b) Redfield's is Gibbs", populations(0.3, redfield), gibbs)
    yield holds("(b) Gibbs: too much of |0>", gibbs[0] > canonical[0] + 0.01)
    yield holds("(b) Gibbs: too little of |1>", gibbs[1] < canonical[1] - 0.01)
    found = {"hierarchy": exact("steady", eta=0.3), ccqme: populations(0.3, ccqme)}
    for (m, p), most in zip(found.items(), (1e-3, 2e-3), strict=True):
        yield holds(f"(b) that of {m} is mean-force", np.abs(p - canonical).max() < most)

    off = float(abs(populations(0.5, ccqme)[0] / populations(0.5, "mean-force")[0] - 1))
    good, bad = (mean_error(0.5, m) for m in (ccqme, redfield))
    yield holds(f"(c) CCQME's steady state is off by {off:.4f}", off < 0.006)
    yield holds(f"(c) CCQME follows: mean error {good:.4f}", good < 0.01)
    yield holds(f"(c) Redfield does not: {bad:.4f}", bad > 2 * good)

    true, methods = exact("steady", eta=1.0), ("mean-force", ccqme, redfield)
    distances = [float(np.abs((populations(1.0, m) - true)[:2]).max()) for m in methods]
    yield holds(f"(d) mean force, CCQME, Redfield: {distances}", ascending(distances))
    yield holds("(d) the mean-force state is close", distances[0] < 0.005)


@check(ENGINE, HIERARCHY, status="numerical")
def errors(digits: int) -> Findings:
    """Fig. 3."""
    methods = ("redfield-secular", "ccqme-secular")
    redfield, ccqme = ({e: mean_error(e, m, relative=True) for e in ETAS} for m in methods)
    line = np.polynomial.Polynomial.fit(ETAS, list(redfield.values()), 1)
    bend = float(np.abs(line(np.array(ETAS)) - list(redfield.values())).max())
    least = min(ccqme, key=lambda eta: ccqme[eta])
    yield holds(f"Redfield grows: {pairs(redfield)}", ascending(redfield.values()))
    yield holds(f"almost linearly, to within {bend:.4f}", bend < 0.01)
    yield holds("to five or six percent", 0.045 < redfield[1.0] < 0.065)
    yield holds(f"CCQME: {pairs(ccqme)}; least at {least}", ETAS[0] < least < ETAS[-1])
    yield holds("below 2 % up to 0.8", all(e < 0.02 for eta, e in ccqme.items() if eta <= 0.8))
    yield holds("then it grows", ccqme[1.0] > 1.5 * ccqme[least])
    yield holds("CCQME is the better one", all(ccqme[eta] < redfield[eta] for eta in ETAS))


@check(ENGINE, HIERARCHY, status="numerical")
def beyond(digits: int) -> Findings:
    """Sec. IV and beyond it: CCQME against Redfield and time-dependent TCL4."""
    for initial, eta in product((0, 1), (0.3, 0.5)):
        second, fourth = (mean_error(eta, m, initial) for m in ("ccqme-secular", "tcl4"))
        said = f"from |{initial}>, eta = {eta}: TCL4(t) {fourth:.4f}, CCQME {second:.4f}"
        yield holds(said, fourth < second)


@check(ENGINE, HIERARCHY, status="numerical")
def relaxation_from_one(digits: int) -> Findings:
    """Fig. 6: from |1>."""
    early = slice(1, 26)
    for eta in (0.5, 1.0):
        true = exact("dynamics", eta=eta, initial=1)[early, 1]
        fast = dynamics(eta, "redfield-secular", 1)[early, 1]
        yield holds(f"Redfield relaxes too fast at {eta}", np.all(fast < true))
        better, worse = (mean_error(eta, f"{m}-secular", 1) for m in ("ccqme", "redfield"))
        yield holds(f"CCQME is the better one at {eta}", better < worse)


@check(HIERARCHY, "the same, one level of the hierarchy less", status="numerical")
def hierarchy_converged(digits: int) -> Findings:
    """Fig. 5: the last step in depth of our own hierarchy, and one Pade term more or less."""
    third_digit, terms = 5e-4, hierarchy()["terms"]["change"]
    for key in ("steady", "dynamics", "wavepacket"):
        most = max(row["change"] for row in hierarchy()[key])
        yield holds(f"{key}: change {most:.1e}", most < third_digit)
    yield holds(f"one Pade term more: {terms['4']:.1e}", terms["4"] < 0.1 * third_digit)
    yield holds(f"one less, not as good: {terms['2']:.1e}", terms["4"] < terms["2"] < third_digit)


# ---------------------------------------------------------------------------------------------
# The wavepacket


@cache
def packet(eta: float) -> tuple[Reals, Reals, dict[str, float]]:
    """Of the CCQME of twelve levels <q>(t), its largest coherence (times,), and steady <q>."""
    twelve, start = model(eta, PACKET_LEVELS), taa.proton_wavepacket(eta, PACKET_LEVELS).state
    q = np.array(twelve.couplings[0].operator, dtype=complex)
    states = evolve(twelve, "ccqme-secular", start, times_of("wavepacket_times_fs"))
    coherences = np.abs(states * (1 - np.eye(PACKET_LEVELS))).max(axis=(1, 2))
    methods = ("ccqme-secular", "mean-force", "gibbs")
    settled = {m: float(np.trace(q @ steady(twelve, m)).real) for m in methods}
    return np.einsum("ij,tji->t", q, states).real, coherences, settled


@check(ENGINE, HIERARCHY, status="numerical")
def wavepacket(digits: int) -> Findings:
    """(21), Fig. 4 at eta = 0.1: the packet, its motion from well to well, where it settles.

    Figs. 7-9: what is left of the oscillation of <q>, and the mean-force shift of <q>.
    """
    marks, start = taa.landmarks(), taa.proton_wavepacket(0.1, PACKET_LEVELS)
    etas = (0.1, 0.3, 0.5, 1.0)
    true = {e: exact("wavepacket", "position", eta=e) for e in etas}
    tracks = {"CCQME": {e: packet(e)[0] for e in etas}, "hierarchy": true}
    for name, found in tracks.items():
        crossings = int(np.count_nonzero(np.diff(np.sign(found[0.1] - marks.top))))
        # <q> varies so much in the first, the middle and the last fifth
        windows = {e: [float(x.std()) for x in np.array_split(q, 5)[::2]] for e, q in found.items()}
        left = {e: w[2] / w[0] for e, w in windows.items()}
        yield holds(f"{name}: {crossings} times over the barrier", crossings > 20)
        yield holds(f"{name}: oscillation {windows[0.1]}", ascending(reversed(windows[0.1])))
        said = f"{name}: left of the oscillation: {pairs(left)}"
        yield holds(said, ascending(reversed(left.values())))
    q, coherent, steady_q = packet(0.1)
    yield near("kinetic energy", start.momentum**2 / (2 * taa.WELL.mass), marks.barrier)
    yield holds(f"norm in twelve levels: {start.captured:.4f}", start.captured > 0.99)
    yield holds(f"starts left: {q[0]:.3f}", q[0] < marks.top)
    yield holds("coherences are there, and decay", 0.1 < 2 * coherent[-1] < coherent[0])
    yield holds("on the hierarchy's track", np.abs(q - true[0.1]).mean() < 0.015)
    settled, canonical, gibbs = steady_q.values()
    nearer = abs(settled - canonical) < 0.3 * abs(settled - gibbs)
    yield holds(f"settles at {steady_q}", nearer)
    shift = {e: packet(e)[2]["mean-force"] - packet(e)[2]["gibbs"] for e in etas}
    yield holds(f"shift of the position: {pairs(shift)}", ascending([0.0, *shift.values()]))
