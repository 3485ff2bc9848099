"""Ultraweak, weak or intermediate coupling, by the equilibrium population of one level."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
