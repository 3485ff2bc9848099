"""Checks of the printed tables, of the potential and of the grid that finds its levels."""

from __future__ import annotations

import math

import numpy as np

from derivations.proton_transfer.common import PRINTED, holds, within
from pertsym.certify.claims import Findings, check
from pertsym.systems.dvr import Grid, converged_states
from pertsym.systems.proton_transfer import WELL, grid_states, landmarks

DVR = "discrete variable representation of the fitted potential"
WAVEPACKET_LEVELS = 12

ENERGIES = (  # Table 1
    ("4.114537e-3", 1e-9),
    ("4.691015e-3", 1e-9),
    ("8.133116e-3", 1e-9),
    ("1.110714e-2", 1e-8),
    ("1.458100e-2", 1e-8),
    ("1.881039e-2", 1e-8),
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
    yield from (
        holds(f"E_{n} = {text}", abs(value - float(text)) <= 0.5 * unit)
        for n, (value, (text, unit)) in enumerate(zip(found, ENERGIES, strict=True))
    )


@check(DVR, PRINTED, status="numerical")
def table_2(digits: int) -> Findings:
    """Every printed digit of the position matrix."""
    found = grid_states(0.0, 6).states.position
    yield holds("q", np.abs(found - np.array(POSITIONS)).max() <= 0.5e-4)


@check(DVR, "closed forms of two oscillators", status="numerical")
def dvr(digits: int) -> Findings:
    """(9): known levels of the harmonic oscillator and of a Morse oscillator; convergence here."""
    mass, frequency, depth, width = 1836.0, 0.01, 0.1, 1.0
    oscillator = converged_states(
        lambda x: mass * frequency**2 * x**2 / 2, mass, Grid(-2.0, 2.0, 41), 8
    ).states
    n = np.arange(8)
    raising = np.sqrt((n[:-1] + 1) / (2 * mass * frequency))
    morse = converged_states(
        lambda x: depth * (1 - np.exp(-width * x)) ** 2, mass, Grid(-1.2, 5.0, 81), 6, 1e-10
    ).states
    spacing = width * math.sqrt(2 * depth / mass)
    half = np.arange(6) + 0.5
    exact = spacing * half - (spacing * half) ** 2 / (4 * depth)
    here = grid_states(0.0, WAVEPACKET_LEVELS)
    yield within("harmonic energies", oscillator.energies, frequency * (n + 0.5))
    yield within("harmonic positions", np.abs(np.diag(oscillator.position, 1)), raising)
    yield within("Morse energies", morse.energies, exact, 1e-9)
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
