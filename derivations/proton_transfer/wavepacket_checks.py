"""Checks of the wavepacket: Eq. (21), Figs. 4 and 7-9."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

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
    populations,
    times_of,
    within,
)
from pertsym.certify.claims import Check, Evidence, conclude
from pertsym.dynamics.methods import evolve
from pertsym.systems.proton_transfer import WELL, landmarks, wavepacket

ENGINE = "engine"
PACKET_LEVELS = 12


@cache
def packet(eta: float, method: str = "ccqme-secular") -> tuple[Reals, Reals]:
    """<q>(t) at the hierarchy's times, and the purity of the coherences (times,)."""
    given = model(eta, PACKET_LEVELS)
    times = times_of("wavepacket_times_fs")
    states = evolve(given, method, wavepacket(eta, PACKET_LEVELS).state, times.tolist())
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


def wavepacket_motion(digits: int) -> Evidence:
    """(21), Fig. 4: the packet, its norm in twelve levels, and its motion."""
    marks, start = landmarks(), wavepacket(0.1, PACKET_LEVELS)
    energy = start.momentum**2 / (2 * WELL.mass)
    q, coherent = packet(0.1)
    early = q[: len(q) // 4]
    exact = np.array(hierarchy()["wavepacket"][0]["position"])
    return conclude(
        (ENGINE, HIERARCHY),
        within("kinetic energy", energy, marks.barrier),
        holds(f"norm in twelve levels: {start.captured:.4f}", start.captured > 0.99),
        holds(f"starts left: {q[0]:.3f}", q[0] < marks.top),
        holds(f"reaches the right: {early.max():.3f}", early.max() > marks.top),
        holds("coherences are there", coherent[0] > 0.1),
        holds("and decay", coherent[-1] < 0.5 * coherent[0]),
        holds("near the hierarchy at first", np.abs(q - exact)[:100].mean() < 0.03),
        status="numerical",
    )


def wavepacket_damping(digits: int) -> Evidence:
    """Figs. 7-9: coherences decay faster, and the mean-force position moves away from Gibbs."""
    left = {eta: float(packet(eta)[1][200]) for eta in (0.1, 0.3, 1.0)}
    shift = {}
    for eta in left:
        q = np.diag(position(eta)).real[:6]
        shift[eta] = float(abs((populations(eta, "mean-force") - populations(eta, "gibbs")) @ q))
    return conclude(
        (ENGINE,),
        holds(f"coherence left at 400 fs: {pairs(left)}", ascending(reversed(left.values()))),
        holds(f"shift of the position: {pairs(shift)}", ascending(shift.values())),
        status="numerical",
    )


CHECKS: Mapping[str, Check] = MappingProxyType(
    {"wavepacket": wavepacket_motion, "wavepacket_damping": wavepacket_damping}
)
