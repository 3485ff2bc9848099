"""Ĉ of a bath below the real axis, from J there and the temperature.

Boson: Ĉ(w) = 2 J(w)/(1 - e^(-beta w)) with J odd, at T = 0 2 J(w) theta(w); classical:
Ĉ(w) = 2 T J(|w|)/|w|.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pertsym.baths.node_path import Path, extension

FULL, EMPTY = 40.0, 746.0  # beta |w| from which on e^(-beta |w|) does not count, or is 0


def thermal_path(density: Any, classical: bool, beta: Any) -> Path:
    """Everything the rule for the nodes needs.

    Parameters
    ----------
    density : pertsym.baths.densities.Density
        That continues; its parameters may be arrays, of shape S with that of beta.
    classical : bool
    beta : float or ndarray
        inf is T = 0.  Where it is complex, only `spectrum` and `resonances` have a meaning.
    """
    size = np.abs(beta)
    cold = not classical and bool(np.all(np.isinf(size)))
    warm = not classical and not cold
    scales = [float(np.min(density.scale)), density.axis]
    if warm:
        scales.append(float(np.min(2 * math.pi / size)))
    positions, residues = density.resonances
    if positions.shape[-1]:
        positions = np.concatenate((positions, -positions.conj()), -1)
        residues = np.concatenate((residues, residues.conj()), -1)
        residues = residues * occupied(positions, classical, beta)
    power = density.infrared_power - (not cold)
    ultraviolet = density.ultraviolet_power
    tails = (ultraviolet - 1, ultraviolet - 1) if classical else (-math.inf, ultraviolet)
    left = right = density.reach
    if warm:
        decay = 60 / float(np.min(size))  # e^-(beta w) on the path at 45 degrees
        if math.isfinite(ultraviolet):
            # on the right it must have decayed where the path ends, well above where J is a power
            left, right = decay, max(right, decay / extension(ultraviolet))
        else:
            left = min(left, 2 * decay)
    return Path(
        spectrum=lambda w: spectrum_below(density, classical, beta, w),
        power=power,
        tails=tails,
        left=not cold,
        reach=(left, right),
        scale=min(scales),
        analytic=math.isinf(density.kink_power) and not cold,
        resonances=(positions, residues),
    )


def spectrum_below(density: Any, classical: bool, beta: Any, w: Any) -> Any:
    """Ĉ at complex w, continued from w > 0 where Re w >= 0, else from w < 0."""
    side = np.where(w.real >= 0, 1, -1)
    return density.continued(side * w) * side * occupied(w, classical, beta)


def occupied(w: Any, classical: bool, beta: Any) -> Any:
    """Ĉ/J with J odd: 2/(1 - e^(-beta w)), at T = 0 2 theta(w), classically 2T/w."""
    beta = np.asarray(beta)
    if not classical and np.all(np.isinf(beta)):
        return np.where(w.real > 0, 2.0, 0.0)
    beta = beta[..., None] if beta.ndim else beta
    if classical:
        return 2 / (beta * w)
    x = beta * w
    right = x.real >= 0
    if right.all() or not right.any():
        return _on_one_side(x, bool(right.all()))
    found = np.empty(x.shape, complex)
    found[right], found[~right] = _on_one_side(x[right], True), _on_one_side(x[~right], False)
    return found


def _on_one_side(x: Any, right: bool) -> Any:
    """2/(1 - e^-x), Re x of one sign, without overflow, and without cancellation at small x."""
    found = np.full(x.shape, 2.0 if right else 0.0, complex)
    x = -x if right else x
    near = x.real > (-FULL if right else -EMPTY)
    x = x[near]
    decay = np.exp(x)
    missing = 1 - decay
    small = np.abs(x) < 0.25  # above, 1 - e^x loses two bits, well within `OPERATIONS`
    missing[small] = -np.expm1(x[small])
    found[near] = (2.0 if right else -2.0 * decay) / missing
    return found
