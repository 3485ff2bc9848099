"""Two levels in classical noise of exponential correlation: three models, by name.

Each noise is a Gaussian Markov process with C(t) = Delta^2 exp(-lambda |t|), real and even.
"""

from __future__ import annotations

from dataclasses import dataclass

from pertsym.equations.exact_rates import ExactRates
from pertsym.equations.exponential_bath import Decay, Decays, ExponentialBath
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Interaction, Operator, level_energies

NOISE = "C1"
"""Name of the correlation function of all three models."""

_ONE, _MINUS = Gaussian(1), Gaussian(-1)
_FLIP: Operator = ((0, 1, _ONE), (1, 0, _ONE))
_SPLIT: Operator = ((0, 0, _MINUS), (1, 1, _ONE))
_RAISING: Operator = ((1, 0, _ONE),)
_LOWERING: Operator = ((0, 1, _ONE),)


@dataclass(frozen=True)
class NoiseModel:
    """A two-level system and its noise.

    Attributes
    ----------
    name
        Short, for functions and checks.
    interaction
        What is expanded.
    decay
        The exponential of its one correlation function.
    """

    name: str
    interaction: Interaction
    decay: Decay

    @property
    def decays(self) -> Decays:
        return {NOISE: (self.decay,)}

    def rates(self, order: int) -> ExactRates[ExponentialBath]:
        """All quantities through an order; derived when asked for."""
        return ExactRates.of(self.interaction, self.decays, order)


def field_along_x() -> NoiseModel:
    """H_I = sigma_x B(t): the Hermitian field of Laird, Budimir and Skinner, Eq. (E1)."""
    interaction = Interaction(
        level_energies(2), (_FLIP,), (0,), {(0, 0): NOISE}, frozenset({NOISE})
    )
    return NoiseModel("field_along_x", interaction, Decay(("Delta", "Delta"), "lambda"))


def isotropic_field() -> NoiseModel:
    """H_I = B(t)|1><0| + B*(t)|0><1| with <B*(t)B(0)> = C, <B(t)B(0)> = 0 (Eq. (E3)).

    Two independent real fields along x and y, each with C/2.
    """
    interaction = Interaction(
        level_energies(2),
        (_RAISING, _LOWERING),
        (1, 0),
        {(0, 1): NOISE, (1, 0): NOISE},
        frozenset({NOISE}),
    )
    return NoiseModel("isotropic_field", interaction, Decay(("Delta", "Delta"), "lambda"))


def tilted_field() -> NoiseModel:
    """H_I = [x sigma_x + d (|1><1| - |0><0|)] B(t), C(t) = exp(-lambda |t|): x, d are energies."""
    interaction = Interaction(
        level_energies(2),
        (_FLIP, _SPLIT),
        (0, 1),
        {(a, b): NOISE for a in range(2) for b in range(2)},
        frozenset({NOISE}),
        ("x", "d"),
    )
    return NoiseModel("tilted_field", interaction, Decay((), "lambda"))


MODELS = (field_along_x(), isotropic_field(), tilted_field())
