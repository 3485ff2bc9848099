"""Checks of the wavepacket: Eq. (21), Figs. 4 and 7-9."""

from __future__ import annotations

from functools import cache

import numpy as np

from derivations.proton_transfer.common import (
    HIERARCHY,
    Matrix,
    Reals,
    ascending,
    hierarchy,
    holds,
    model,
    pairs,
    times_of,
    within,
)
from pertsym.certify.claims import Findings, check
from pertsym.dynamics.methods import evolve, steady
from pertsym.systems.proton_transfer import WELL, landmarks
from pertsym.systems.proton_transfer import wavepacket as prepared

ENGINE = "engine"
PACKET_LEVELS = 12


@cache
def packet(eta: float, method: str = "ccqme-secular") -> tuple[Reals, Reals]:
    """<q>(t) at the hierarchy's times, and the purity of the coherences (times,)."""
    given = model(eta, PACKET_LEVELS)
    times = times_of("wavepacket_times_fs")
    states = evolve(given, method, prepared(eta, PACKET_LEVELS).state, times.tolist())
    coherent = np.abs(states - _diagonals(states)).max(axis=(1, 2))
    return np.einsum("ij,tji->t", position(eta), states).real, coherent


def position(eta: float) -> Matrix:
    """q among twelve levels."""
    given = model(eta, PACKET_LEVELS)
    return np.array([[complex(x) for x in row] for row in given.couplings[0].operator])


def _diagonals(states: Matrix) -> Matrix:
    result = np.zeros_like(states)
    places = np.arange(states.shape[-1])
    result[:, places, places] = states[:, places, places]
    return result


def exact_position(eta: float) -> Reals:
    """The hierarchy's <q>(t)."""
    (record,) = [row for row in hierarchy()["wavepacket"] if row["eta"] == eta]
    return np.array(record["position"])


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
    marks, start = landmarks(), prepared(0.1, PACKET_LEVELS)
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
    yield within("kinetic energy", energy, marks.barrier)
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
