"""P of an overdamped bath in closed form: exact at every point, no nodes and no table.

J(w)/lam = 2 gamma w/(gamma^2 + w^2), tau = 2 pi/beta, s = 1/(gamma^2 + w^2):

    P(w)/lam = 2 pi gamma^2 s - 2 w s {2 gamma Re[D(iw) - D(gamma)] + tau},   D(u) = psi(1 + u/tau).

psi is moved up by MOVED and expanded there; log tau drops out of the difference, which leaves one
formula for all temperatures, T = 0 included, without cancellation near it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pertsym.baths.tabulated import UNIT

CLOSED = ("drude_lorentz",)  # kinds of densities, each with KIND_parts here and in ways.c
MOVED = 9
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def drude_lorentz_parts(x: Any, beta: Any, classical: bool, gamma: Any) -> tuple[Any, ...]:
    """S_0, D_0, S_1, D_1 as in `tabulated` at x > 0, and the bounds of their errors."""
    s = 1 / (gamma * gamma + x * x)
    bend = (gamma - x) * (gamma + x) * s * s
    tau = 2 * math.pi / np.asarray(beta)
    if classical:
        none, slope, rise = 0.0 * s, -2 * tau * s, -2 * tau * bend
        lost = 32 * UNIT * np.abs(tau)
        return none, none, slope, lost * s, rise, lost * np.abs(bend), none, none
    difference, rate = _digamma_difference(x, tau, gamma)
    lost = UNIT * (64 + 32 * np.abs(difference))
    even, turn = 2 * math.pi * gamma * gamma * s, -4 * math.pi * (gamma * s) ** 2
    steep = np.abs(bend)
    slope = -2 * s * (2 * gamma * difference + tau)
    rise = -4 * gamma * (bend * difference + x * s * rate) - 2 * tau * bend
    slope_error = 4 * gamma * s * lost + 32 * UNIT * tau * s
    rise_error = 4 * gamma * (steep * lost + 96 * UNIT * x * s * rate) + 32 * UNIT * tau * steep
    return even, 16 * UNIT * even, slope, slope_error, rise, rise_error, turn, -16 * UNIT * turn


def _digamma_difference(x: Any, tau: Any, gamma: Any) -> tuple[Any, Any]:
    """Re[psi(1 + ix/tau) - psi(1 + gamma/tau)] and its derivative with respect to x."""
    difference, rate = 0.0, 0.0
    square = x * x
    for j in range(1, MOVED):
        step = j * tau
        distance, place = step * step + square, step + gamma
        inverse = 1 / (distance * place)
        difference = difference - tau * (step * gamma - square) * inverse
        once = place * inverse
        rate = rate + step * once * once
    far, place = MOVED * tau + 1j * x, MOVED * tau + gamma
    size = far.real * far.real + square
    ratio, own = tau * far.conj() / size, tau / place
    power, real = ratio * ratio, own * own
    series, slope, other = 0.0, 0.0, 0.0
    for k in range(len(BERNOULLI), 0, -1):
        series = series * power + BERNOULLI[k - 1] / (2 * k)
        slope = slope * power + BERNOULLI[k - 1]
        other = other * real + BERNOULLI[k - 1] / (2 * k)
    difference = difference + 0.5 * np.log(size / (place * place))
    difference = difference - (0.5 * ratio + series * power).real + 0.5 * own + other * real
    rate = 2 * x * tau * rate - ((1 + 0.5 * ratio + slope * power) * far.conj()).imag / size
    return difference, rate
