"""The fourth cumulant of a spin bath, as the solvers use it, for couplings other than 1."""

from __future__ import annotations

import math

import numpy as np

from pertsym.certify.claims import Finding, Findings, check
from pertsym.environments.spins import BathSpin, IndependentSpins
from pertsym.generators.contracted import Contracted
from pertsym.generators.system import Array

_STEP = 1e-3


@check("exponential of block matrices", "closed form (double precision)", status="numerical")
def spin_cumulant(digits: int) -> Findings:
    """Pure dephasing against the cumulants of a two-valued variable; generator against state."""
    for g, beta, time in ((0.4, 0.9, 1.3), (1.7, 0.3, 0.6)):
        term = _term(np.zeros(2), np.diag([1.0 + 0j, -1.0]), (BathSpin(g, 1.0, 0.0, beta),))
        mean = -math.tanh(beta / 2)
        kappa = (1 - mean**2) * (1 + 3 * mean**2) - 3 * (1 - mean**2) ** 2
        phase = (2 * g) ** 4 * kappa
        wanted = np.diag([0.0, 1.0, 1.0, 0.0]) * phase * time**3 / 6
        gap = np.abs(term.at(time).matrix - wanted).max()
        yield Finding(f"generator, g = {g}", bool(gap < 1e-12 * abs(phase)))
        change = (term.state(time).matrix @ np.full(4, 0.5))[1]
        same = abs(change - phase * time**4 / 48) < 1e-12 * abs(phase)
        yield Finding(f"state, g = {g}", bool(same))
    energies, operator = np.array([0.0, 0.8]), np.array([[0.2, 1], [1, -0.3]], dtype=complex)
    start = np.array([0.3, 0.1j, -0.1j, 0.7])
    spins = (BathSpin(0.9, 0.7, 1.1, 0.6), BathSpin(0.5, 0.0, 1.3, 2.0))
    term, time = _term(energies, operator, spins), 1.4
    ahead, here, behind = (term.state(time + s).matrix @ start for s in (_STEP, 0.0, -_STEP))
    slope = (ahead - behind) / (2 * _STEP)
    gaps = (energies[:, None] - energies[None, :]).reshape(-1)
    free = start * np.exp(-1j * gaps * time)
    made = -1j * gaps * here + term.at(time).matrix @ free
    near = np.abs(slope - made).max() < 1e-5 * np.abs(slope).max()
    yield Finding("derivative of the state (central difference)", bool(near))


def _term(energies: Array, operator: Array, spins: tuple[BathSpin, ...]) -> Contracted:
    return Contracted.of(IndependentSpins(spins, only=(4,)), energies, (operator,), 4)
