"""Checks of the figures with populations, and of what the text says about them.

References are stored results of the hierarchy of equations of motion.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from derivations.proton_transfer.equilibrium_checks import (
    ENGINE,
    HIERARCHY,
    Reals,
    ascending,
    constant_generator,
    exact_dynamics,
    exact_steady,
    hierarchy,
    model,
    pairs,
    populations,
    times_of,
)
from pertsym.certify.claims import Findings, check, holds, near
from pertsym.dynamics.methods import evolve
from pertsym.dynamics.propagation import propagate
from pertsym.systems.proton_transfer import FEMTOSECOND

Name = Literal["ultraweak", "weak", "intermediate"]


@dataclass(frozen=True)
class Regime:
    """Two relative errors of a population, and the regime that they mean.

    Attributes
    ----------
    gibbs_error
        |p_Gibbs - p_MF|/p_MF, with MF the second-order mean-force state.
    mean_force_error
        |p_MF - p_exact|/p_exact.
    name
        "intermediate" if the second error exceeds the threshold, else "weak" if the first one does,
        else "ultraweak".
    """

    gibbs_error: float
    mean_force_error: float
    name: Name


def classify(gibbs: float, mean_force: float, exact: float, threshold: float) -> Regime:
    """The coupling regime of a system from one equilibrium population.

    Parameters
    ----------
    gibbs, mean_force, exact
        The population by the Gibbs state of H_S, by the second-order mean-force state, and by a
        reference that is correct at any coupling.
    threshold
        Relative error that is not tolerated any more.
    """
    first = abs(gibbs - mean_force) / mean_force
    second = abs(mean_force - exact) / exact
    if second > threshold:
        return Regime(first, second, "intermediate")
    return Regime(first, second, "weak" if first > threshold else "ultraweak")


THRESHOLD = 1e-3
"""Of both relative errors of the regimes; a reading."""
_STORED = ("steady", "dynamics", "wavepacket")
_THIRD_DIGIT = 5e-4
ETAS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)


# ---------------------------------------------------------------------------------------------
# Populations


@cache
def dynamics(eta: float, method: str, initial: int) -> Reals:
    """Populations at the hierarchy's times, shape (times, 6)."""
    rho = np.zeros((6, 6), dtype=complex)
    rho[initial, initial] = 1.0
    times = times_of("times_fs")
    if method == "tcl4":
        states = evolve(model(eta), method, rho, times.tolist(), tolerance=1e-5)
    else:
        states = propagate(constant_generator(eta, method), rho, times.tolist())
    return np.diagonal(states, axis1=1, axis2=2).real


def mean_error(eta: float, method: str, initial: int) -> float:
    """Time average of |p0 - p0(hierarchy)|."""
    gap = dynamics(eta, method, initial) - exact_dynamics(eta, initial)
    return float(np.abs(gap[:, 0]).mean())


def relative_error(eta: float, method: str) -> float:
    """Time average of |p0 - p0(hierarchy)|/p0(hierarchy) from |0>."""
    exact = exact_dynamics(eta, 0)[:, 0]
    return float((np.abs(dynamics(eta, method, 0)[:, 0] - exact) / exact).mean())


@check(ENGINE, HIERARCHY, status="numerical")
def weak_coupling(digits: int) -> Findings:
    """Fig. 2(a)."""
    worst = {m: mean_error(0.1, m, 0) for m in ("redfield-secular", "ccqme-secular")}
    steady = {m: float(abs(populations(0.1, m)[0] - exact_steady(0.1)[0])) for m in worst}
    late = dynamics(0.1, "ccqme-secular", 0)
    for m, e in worst.items():
        yield holds(f"{m}: mean error {e:.4f}", e < 0.02)
    for m, e in steady.items():
        yield holds(f"{m}: steady state off by {e:.4f}", e < 0.01)
    yield holds("p0 falls all the time", ascending((-late[:, 0]).tolist()))
    yield holds("level 2 stays at the percent level", 0 < late[:, 2].max() < 0.05)


@check(ENGINE, HIERARCHY, status="numerical")
def steady_targets(digits: int) -> Findings:
    """Fig. 2(b): which state each method relaxes to at eta = 0.3."""
    exact, gibbs = exact_steady(0.3), populations(0.3, "gibbs")
    canonical = populations(0.3, "mean-force")
    yield near("Redfield's is Gibbs", populations(0.3, "redfield-secular"), gibbs)
    yield holds("Gibbs: too much of |0>", gibbs[0] > canonical[0] + 0.01)
    yield holds("Gibbs: too little of |1>", gibbs[1] < canonical[1] - 0.01)
    yield holds("the hierarchy's is mean-force", np.abs(exact - canonical).max() < 1e-3)
    yield holds(
        "CCQME's is mean-force", np.abs(populations(0.3, "ccqme-secular") - canonical).max() < 2e-3
    )


@check(ENGINE, HIERARCHY, status="numerical")
def intermediate_coupling(digits: int) -> Findings:
    """Fig. 2(c): eta = 0.5."""
    canonical = populations(0.5, "mean-force")
    steady = float(abs(populations(0.5, "ccqme-secular")[0] / canonical[0] - 1))
    ccqme, redfield = (mean_error(0.5, m, 0) for m in ("ccqme-secular", "redfield-secular"))
    yield holds(f"CCQME's steady state is off by {steady:.4f}", steady < 0.006)
    yield holds(f"CCQME follows: mean error {ccqme:.4f}", ccqme < 0.01)
    yield holds(f"Redfield does not: {redfield:.4f}", redfield > 2 * ccqme)


@check(ENGINE, HIERARCHY, status="numerical")
def strong_coupling(digits: int) -> Findings:
    """Fig. 2(d): distances from the hierarchy's steady state at eta = 1."""
    exact = exact_steady(1.0)
    off = {
        m: float(np.abs(populations(1.0, m) - exact)[:2].max())
        for m in ("mean-force", "ccqme-secular", "redfield-secular")
    }
    yield holds(f"in this order: {off}", ascending(off.values()))
    yield holds("the mean-force state is close", off["mean-force"] < 0.005)


@check(ENGINE, HIERARCHY, status="numerical")
def errors(digits: int) -> Findings:
    """Fig. 3."""
    redfield = {eta: relative_error(eta, "redfield-secular") for eta in ETAS}
    ccqme = {eta: relative_error(eta, "ccqme-secular") for eta in ETAS}
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
    for initial in (0, 1):
        for eta in (0.3, 0.5):
            second = mean_error(eta, "ccqme-secular", initial)
            fourth = mean_error(eta, "tcl4", initial)
            said = f"from |{initial}>, eta = {eta}: TCL4(t) {fourth:.4f}, CCQME {second:.4f}"
            yield holds(said, fourth < second)


@check(ENGINE, HIERARCHY, status="numerical")
def relaxation_from_one(digits: int) -> Findings:
    """Fig. 6: from |1>."""
    early = slice(1, 26)
    for eta in (0.5, 1.0):
        exact = exact_dynamics(eta, 1)[early, 1]
        fast = dynamics(eta, "redfield-secular", 1)[early, 1]
        yield holds(f"Redfield relaxes too fast at {eta}", np.all(fast < exact))
        better = mean_error(eta, "ccqme-secular", 1) < mean_error(eta, "redfield-secular", 1)
        yield holds(f"CCQME is the better one at {eta}", better)


@check(HIERARCHY, "the same, one level of the hierarchy less", status="numerical")
def hierarchy_converged(digits: int) -> Findings:
    """Fig. 5: the last step in depth of our own hierarchy, and one Pade term more or less."""
    records = {key: [row["change"] for row in hierarchy()[key]] for key in _STORED}
    terms = hierarchy()["terms"]["change"]
    for key, x in records.items():
        yield holds(f"{key}: change {max(x):.1e}", max(x) < _THIRD_DIGIT)
    yield holds(f"one Pade term more: {terms['4']:.1e}", terms["4"] < 0.1 * _THIRD_DIGIT)
    yield holds(f"one less, not as good: {terms['2']:.1e}", terms["4"] < terms["2"] < _THIRD_DIGIT)


@check(ENGINE, status="numerical")
def no_coherences(digits: int) -> Findings:
    """Sec. III.1: secular generators do not couple populations to coherences."""
    places = np.arange(6) * 7
    others = np.setdiff1d(np.arange(36), places)
    for m in ("redfield-secular", "ccqme-secular"):
        yield holds(m, not np.any(constant_generator(0.3, m)[np.ix_(others, places)]))


@check(ENGINE, status="numerical")
def relaxation_times(digits: int) -> Findings:
    """Sec. III.1: the slowest mode of the populations, in femtoseconds."""
    times = {}
    for eta in (0.1, 0.5, 1.0):
        rates = constant_generator(eta, "ccqme-secular")[::7, ::7].real
        slowest = np.sort(np.linalg.eigvals(rates).real)[-2]
        times[eta] = float(-1 / slowest / FEMTOSECOND)
    yield holds(f"femtoseconds: {pairs(times)}", 400 < times[1.0] < times[0.5] < 1100)
    yield holds("far slower at weak coupling", times[0.1] > 4000)


def regime(eta: float) -> Regime:
    """By the ground-state population, with the hierarchy's steady state as reference."""
    first, second = (float(populations(eta, m)[0]) for m in ("gibbs", "mean-force"))
    return classify(first, second, float(exact_steady(eta)[0]), THRESHOLD)


@check(ENGINE, HIERARCHY, status="numerical")
def regimes(digits: int) -> Findings:
    """Sec. III.1: where each regime begins."""
    names = {row["eta"]: regime(row["eta"]).name for row in hierarchy()["steady"]}
    starts = min(eta for eta, name in names.items() if name == "intermediate")
    yield holds("0.01 is ultraweak", names[0.01] == "ultraweak")
    yield holds("0.1 is weak", names[0.1] == "weak")
    yield holds(f"intermediate from {starts}", 0.3 < starts < 1)
