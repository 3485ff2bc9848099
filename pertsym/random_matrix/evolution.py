"""The second-order master equations of two levels, solved in time.

Populations obey closed equations, whose terms `pertsym.equations.energy_resolved` derives: each
has a density n F and a phase x, and stands at finite times with

    2 |S_ss'|^2 n F int_0^t cos(x tau) dtau = 2 |S_ss'|^2 n F sin(x t)/x;

sin(x t)/x becomes pi delta(x) in the Markovian equations, which may start from slipped
populations.  Energies are Gauss's nodes for the semicircle and the sharp initial energy, which
only loses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import DOP853

from pertsym.expansion.rule import ENERGY_RESOLVED, FIXED_STATE
from pertsym.model.errors import InputError, NotYetDerivable
from pertsym.random_matrix import second_order
from pertsym.random_matrix.ensemble import VARIANCE, Floats, band_nodes, resolvent, resolvent_slope

Progress = Callable[[str], None]
Derivative = Callable[[float, Floats], Floats]

_RELATIVE, _ABSOLUTE = 1e-9, 1e-12  # tolerances of the integration
_RUNAWAY = 1e6  # a population
_MOST_NODES = 6000  # four matrices over pairs of them: 1.2 GiB
_RESONANT = 1e-7  # |x| below this: sin(x t)/x = t
_SPARE_NODES = 64
_SLIP_NODES = 2000
_STEP = 1e-5  # of an energy, for a slope


@dataclass(frozen=True)
class Start:
    """Two levels and their environment at t = 0.

    Attributes
    ----------
    splitting, strength
        Delta > 0 and |S_01|^2.
    energy
        Sharp energy of the environment.
    lower, upper
        Populations.
    """

    splitting: float
    strength: float
    energy: float
    lower: float
    upper: float


class Solver(Protocol):
    """A master equation, solved."""

    def __call__(self, start: Start, times: Sequence[float], progress: Progress) -> Floats:
        """Populations of the lower and the upper level, (times, 2)."""
        ...


def populations(
    method: str,
    splitting: float,
    strength: float,
    energy: float,
    initial: tuple[float, float],
    times: Sequence[float],
    progress: Progress = lambda _: None,
    *,
    slipped: bool = False,
) -> Floats:
    """Populations of the lower and the upper level.

    Parameters
    ----------
    method
        One of `METHODS`.
    splitting, strength, energy
        Delta > 0, |S_01|^2 and the sharp energy of the environment at t = 0.
    initial
        Populations (lower, upper) at t = 0.
    times
        Ascending, >= 0, inverse energy units.
    slipped
        Start one of `SLIPPED` such that it joins the non-Markovian solution to second order; the
        populations at early times are not those of the system then.

    Returns
    -------
    (times, 2) array

    Raises
    ------
    InputError
        If there is no such method.
    NotYetDerivable
        If the times are too late for the energy-resolved equation, or the populations run away.
    """
    if method not in METHODS:
        raise InputError(
            "model",
            "method",
            f"{method!r} is no master equation for a random-matrix environment",
            f"use one of {', '.join(METHODS)}",
        )
    if slipped and method not in SLIPPED:
        raise InputError(
            "model", "slipped", f"{method!r} is not Markovian", f"use one of {', '.join(SLIPPED)}"
        )
    solver = (SLIPPED if slipped else METHODS)[method]
    return solver(Start(splitting, strength, energy, *initial), times, progress)


def _energy_resolved(start: Start, times: Sequence[float], progress: Progress) -> Floats:
    """Non-Markovian, energy kept: eps is a node, P_s(eps) the weight at it."""
    last = max(times, default=0.0)
    needed = int(last / 2) + _SPARE_NODES
    if needed > _MOST_NODES:
        raise NotYetDerivable(
            "model",
            "times",
            f"t = {last:g} needs {needed} energies of the environment and the square of that in "
            "numbers",
            f"use energy-resolved-markov, or times up to {2 * (_MOST_NODES - _SPARE_NODES)}",
        )
    nodes, weights = band_nodes(needed)
    energies = np.concatenate([[start.energy], nodes])
    density = 2 * start.strength * VARIANCE * np.concatenate([[0.0], weights])
    terms = second_order.loss_and_gain(ENERGY_RESOLVED)
    windows = [
        [
            _Window(energies + second_order.offset(term, s, start.splitting), energies)
            for term in terms
        ]
        for s in (0, 1)
    ]
    size = energies.size

    def derivative(t: float, state: Floats) -> Floats:
        levels = state[:size], state[size:]
        changes = [
            density * gain.apply(t, levels[1 - s]) - levels[s] * loss.apply(t, density)
            for s, (loss, gain) in enumerate(windows)
        ]
        return np.concatenate(changes)

    first = np.zeros(2 * size)
    first[0], first[size] = start.lower, start.upper
    states = _integrated(derivative, first, times, progress)
    return np.stack([states[:, :size].sum(axis=1), states[:, size:].sum(axis=1)], axis=1)


class _Window:
    """The matrix sin((a_i - b_j) t)/(a_i - b_j), applied without forming it at every time."""

    def __init__(self, a: Floats, b: Floats) -> None:
        x = a[:, None] - b[None, :]
        resonant = np.abs(x) < _RESONANT
        self._a, self._b = a, b
        self._inverse = np.where(resonant, 0.0, 1.0 / np.where(resonant, 1.0, x))
        self._rows, self._columns = np.nonzero(resonant)

    def apply(self, t: float, vector: Floats) -> Floats:
        """Sum over j."""
        a, b = self._a, self._b
        phases = np.stack([np.cos(b * t) * vector, np.sin(b * t) * vector], axis=1)
        both = self._inverse @ phases
        result: Floats = np.sin(a * t) * both[:, 0] - np.cos(a * t) * both[:, 1]
        np.add.at(result, self._rows, t * vector[self._columns])
        return result


def _redfield(start: Start, times: Sequence[float], progress: Progress) -> Floats:
    """Non-Markovian, the environment stays at `energy`."""
    last = max(times, default=0.0)
    nodes, weights = band_nodes(int(last / 4) + _SPARE_NODES)
    density = 2 * start.strength * VARIANCE * weights
    detuning = start.energy - nodes  # eps - eps'
    terms = second_order.loss_and_gain(FIXED_STATE)
    offsets = [[second_order.offset(term, s, start.splitting) for term in terms] for s in (0, 1)]

    def derivative(t: float, state: Floats) -> Floats:
        rates = [[density @ _window(detuning + x, t) for x in pair] for pair in offsets]
        return np.array(
            [gain * state[1 - s] - loss * state[s] for s, (loss, gain) in enumerate(rates)]
        )

    first = np.array([start.lower, start.upper])
    return _integrated(derivative, first, times, progress)


def _window(x: Floats, t: float) -> Floats:
    """sin(x t)/x."""
    return t * np.sinc(x * t / np.pi)


def _integrated(
    derivative: Derivative, start: Floats, times: Sequence[float], progress: Progress
) -> Floats:
    """The state at ascending times, each component to about 1e-9 of itself.

    Raises
    ------
    NotYetDerivable
        If the equation runs away, so that no step is small enough.
    """
    states = [start] * sum(time == 0 for time in times)
    solver = DOP853(derivative, 0.0, start, max(times, default=0.0), rtol=_RELATIVE, atol=_ABSOLUTE)
    while len(states) < len(times):
        failure = solver.step() if np.abs(solver.y).max() < _RUNAWAY else "populations run away"
        if failure:
            raise NotYetDerivable(
                "model",
                "method",
                f"the master equation cannot be followed beyond t = {solver.t:.6g}: {failure}",
                "at this coupling second order is no approximation; use exact, or earlier times",
            )
        dense = solver.dense_output()
        while len(states) < len(times) and times[len(states)] <= solver.t:
            states.append(dense(times[len(states)]))
            progress(f"master equation at t = {times[len(states) - 1]:g}")
    return np.array(states)


def _energy_resolved_markov(start: Start, times: Sequence[float], progress: Progress) -> Floats:
    """Each pair of levels at one total energy relaxes by itself."""
    t = np.asarray(times, dtype=float)
    delta, strength = start.splitting, start.strength
    upper = np.zeros_like(t)
    for share, energy, first in ((start.upper, 0.0, 1.0), (start.lower, delta, 0.0)):
        found = second_order.energy_resolved(delta, strength, start.energy - energy)
        upper += share * _upper(found.down, found.up, first, t)
    return np.stack([start.lower + start.upper - upper, upper], axis=1)


def _redfield_markov(start: Start, times: Sequence[float], progress: Progress) -> Floats:
    t = np.asarray(times, dtype=float)
    relaxation = second_order.redfield(start.splitting, start.strength, start.energy)
    total = start.lower + start.upper
    upper = total * _upper(relaxation.down, relaxation.up, start.upper / total, t)
    return np.stack([total - upper, upper], axis=1)


def _upper(down: ArrayLike, up: ArrayLike, start: float, t: Floats) -> Floats:
    """Population of the upper level of two whose populations add to 1, for rates that broadcast."""
    rate = np.add(down, up)
    end = np.divide(up, rate, out=np.full_like(rate, start), where=rate > 0)
    found: Floats = end + (start - end) * np.exp(-rate * t)
    return found


def _redfield_slipped(start: Start, times: Sequence[float], progress: Progress) -> Floats:
    """Redfield's Markovian equation from int_0^inf [K(t) - K(inf)] dt applied to the start."""
    down, up = (
        -2 * start.strength * VARIANCE * float(resolvent_slope(start.energy + side).real)
        for side in (start.splitting, -start.splitting)
    )
    moved = up * start.lower - down * start.upper
    slipped = replace(start, upper=start.upper + moved, lower=start.lower - moved)
    return _redfield_markov(slipped, times, progress)


def _energy_resolved_slipped(start: Start, times: Sequence[float], progress: Progress) -> Floats:
    """The same with the energy kept: what the early decay leaves at other total energies.

    int_0^inf [sin(x t)/x - pi delta(x)] dt = FP 1/x^2 spreads a population over the energies of the
    other level, and each pair of levels relaxes at its own total energy.
    """
    t = np.asarray(times, dtype=float)[:, None]
    nodes, weights = band_nodes(_SLIP_NODES)
    upper = np.zeros(t.size)
    for population, level in ((start.upper, 1), (start.lower, 0)):
        sign = 1 if level else -1
        other = start.energy + sign * start.splitting

        def up(energies: Floats, level: int = level) -> Floats:
            """Population of + at t from the other level at these energies, (times, energies)."""
            where = energies - start.splitting * level  # of the environment while the spin is up
            rates = second_order.transitions(ENERGY_RESOLVED, where, start.splitting)
            down, back = (start.strength * rate for rate in rates)
            return _upper(down, back, 1.0 - level, t)

        here = up(np.array([other]))
        slope = (up(np.array([other + _STEP])) - up(np.array([other - _STEP]))) / (2 * _STEP)
        x = nodes - other
        smooth = ((up(nodes) - here - slope * x) / x**2) @ weights
        at = complex(resolvent(other)), complex(resolvent_slope(other))
        spread = smooth - here[:, 0] * at[1].real - slope[:, 0] * at[0].real
        factor = 2 * start.strength * VARIANCE
        stays = (1 + factor * at[1].real) * _energy_resolved_markov(
            replace(start, upper=float(level), lower=1.0 - level), times, progress
        )[:, 1]
        upper += population * (stays + factor * spread)
    return np.stack([start.lower + start.upper - upper, upper], axis=1)


METHODS: Final[Mapping[str, Solver]] = MappingProxyType(
    {
        "energy-resolved": _energy_resolved,
        "energy-resolved-markov": _energy_resolved_markov,
        "redfield-nonmarkov": _redfield,
        "redfield": _redfield_markov,
    }
)
SLIPPED: Final[Mapping[str, Solver]] = MappingProxyType(
    {"energy-resolved-markov": _energy_resolved_slipped, "redfield": _redfield_slipped}
)
"""The Markovian ones, from initial values that make up for the early decay at second order."""
