"""Energies: their differences, which of them are equal, and their Gibbs state exp(-beta H_S)/Z."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pertsym.model.bath import Bath
from pertsym.model.errors import InputError
from pertsym.model.values import Model

_ROUNDINGS: Final = 64  # of the largest |E|: what a diagonalisation may separate


def rounding_of(energies: Sequence[float]) -> float:
    """Energies closer than this differ by rounding only."""
    return _ROUNDINGS * float(np.finfo(float).eps) * max(abs(energy) for energy in energies)


def merged(energies: Sequence[float]) -> tuple[float, ...]:
    """The same energies, those that differ by rounding only made equal (order kept)."""
    tolerance = rounding_of(energies)
    result = list(energies)
    order = sorted(range(len(result)), key=result.__getitem__)
    for lower, upper in pairwise(order):
        if energies[upper] - energies[lower] <= tolerance:
            result[upper] = result[lower]
    return tuple(result)


def bohr_frequencies(energies: Sequence[float]) -> NDArray[np.float64]:
    """D_nm = E_n - E_m, shape (N, N)."""
    levels = np.asarray(energies, dtype=float)
    gaps: NDArray[np.float64] = levels[:, None] - levels[None, :]
    return gaps


def common_temperature(model: Model) -> float:
    """beta of all used baths; inf at T = 0.

    Raises
    ------
    InputError
        Naming the baths, unless all are quantum baths in equilibrium at one temperature.
    """
    beta = model.common_beta
    if beta is None:
        raise InputError(
            model.name,
            "baths",
            "an equilibrium state needs quantum baths at one temperature, but there are "
            + ", ".join(map(_description, model.used_baths)),
            "give every bath a spectral density, quantum statistics and the same temperature",
        )
    return beta


def _description(bath: Bath) -> str:
    if bath.beta is None:
        return f"{bath.name!r} (given as exponentials, no temperature)"
    return f"{bath.name!r} ({bath.statistics}, beta = {bath.beta:.12g})"


def boltzmann(energies: Sequence[float], beta: float) -> NDArray[np.float64]:
    """Normalised exp(-beta E_n); at T = 0 equal weights on the lowest energy."""
    above = np.asarray(merged(energies)) - min(energies)
    weights = (above == 0).astype(float) if math.isinf(beta) else np.exp(-beta * above)
    populations: NDArray[np.float64] = weights / weights.sum()
    return populations


def gibbs(model: Model) -> NDArray[np.complex128]:
    """exp(-beta H_S)/Z of the bare H_S, shape (N, N).

    Raises
    ------
    InputError
        If the baths have no common temperature.
    """
    return np.diag(boltzmann(model.energies, common_temperature(model))).astype(np.complex128)
