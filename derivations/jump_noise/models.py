"""Noise that jumps, as ladders, and the models whose rates are derived."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import NamedTuple

import sympy

from pertsym.algebra.linear_fractions import LinearFraction, Ring
from pertsym.equations.exact_rates import ExactRates
from pertsym.equations.exponential_bath import Entries, real_entries
from pertsym.equations.noise_ladders import JumpNoise, Ladder
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Operator, level_energies

ORDERS = (2, 4, 6, 8)
RATE, INVERSE, WEIGHT, SKEW, AMPLITUDE = "gamma", "epsilon", "p", "s", "lambda"
RING = Ring((RATE, INVERSE, WEIGHT, SKEW, AMPLITUDE, "y"))

G, L, W, N, P = sympy.symbols("gamma lambda omega_0 n p", positive=True)
SYMBOLS: Mapping[str, sympy.Expr] = {
    RATE: G, AMPLITUDE: L, "y": W, INVERSE: 1 / N, WEIGHT: P, SKEW: sympy.Symbol("varsigma"),
}  # fmt: skip

_ONE, _MINUS = Gaussian(1), Gaussian(-1)
FLIP: Operator = ((0, 1, _ONE), (1, 0, _ONE))
SPLIT: Operator = ((0, 0, _MINUS), (1, 1, _ONE))
TILTED: Operator = ((0, 0, _MINUS), (0, 1, _ONE), (1, 0, _ONE), (1, 1, _ONE))

VARIANCE = RING.variable(AMPLITUDE) * RING.variable(AMPLITUDE)
SHARE, ONE, ZERO = RING.variable(WEIGHT), RING.number(1), RING.number(0)

Noise = Callable[[Entries], Ladder]


def fluctuators(
    inverse: LinearFraction, part: LinearFraction = ONE, skew: LinearFraction = ZERO
) -> Noise:
    """The sum of 1/inverse telegraph signals xi = +-lambda, with a part of the variance.

    With a skew s the two states have unequal weight, centred: xi^2 = lambda^2 + s xi.
    """
    return lambda s: Ladder.fluctuators(s, RATE, VARIANCE * part, inverse, max(ORDERS), skew)


def kubo_anderson(weight: LinearFraction = SHARE) -> Noise:
    """xi = lambda, 0, -lambda with the probabilities p/2, 1 - p, p/2, drawn anew at the rate g.

    1, xi and xi^2 - p lambda^2 span all functions of the state; xi xi^2 = lambda^2 xi.
    """
    lowering = [weight * VARIANCE, (ONE - weight) * VARIANCE]
    return lambda s: Ladder.tridiagonal(s, [{}, {RATE: 1}, {RATE: 1}], [ZERO] * 3, lowering)


class Chain(NamedTuple):
    """A noise by its states, and the rates [i][j] of jumps j -> i; the diagonal does not matter."""

    states: tuple[sympy.Expr, ...]
    rates: Sequence[Sequence[sympy.Expr]]


def redrawn(states: tuple[sympy.Expr, ...], share: Sequence[sympy.Expr]) -> Chain:
    """States that are drawn anew with these probabilities at the rate g."""
    return Chain(states, tuple((p * G,) * len(states) for p in share))


_HALF = sympy.Rational(1, 2)
CHAINS: Mapping[str, Chain] = {
    "telegraph": redrawn((L, -L), (_HALF, _HALF)),
    "three fluctuators": Chain(
        tuple((3 - 2 * k) * L / sympy.sqrt(3) for k in range(4)),
        tuple(
            tuple(G * n * _HALF for n in row)
            for row in ((0, 1, 0, 0), (3, 0, 2, 0), (0, 2, 0, 3), (0, 0, 1, 0))
        ),
    ),
    "Kubo-Anderson": redrawn((L, sympy.Integer(0), -L), (P / 2, 1 - P, P / 2)),
}
"""Three fluctuators jump between 0 ... 3 of them up."""


def bath(operator: Operator, *noises: Noise) -> JumpNoise:
    """Independent noises that all multiply one operator."""
    s = real_entries(RING, operator)
    return JumpNoise(RING, ("y",), level_energies(2), tuple(noise(s) for noise in noises))


class JumpModel(NamedTuple):
    """A coupling and a noise; a short name for functions and checks, and both as text."""

    name: str
    plain: str
    noise: Noise
    operator: Operator = FLIP

    @property
    def rates(self) -> ExactRates[JumpNoise]:
        """All quantities through eighth order."""
        return _rates(self.name)

    def expression(self, quantity: str, order: int) -> sympy.Expr:
        """A quantity as one factored rational function."""
        return sympy.factor(self.rates.expression(quantity, order, SYMBOLS))


MODELS = (
    JumpModel(
        "telegraph",
        "H_I = xi sigma_x, xi = +-lam, <xi(t) xi(0)> = lam^2 exp(-gamma |t|)",
        fluctuators(ONE),
    ),
    JumpModel(
        "fluctuators",
        "H_I = xi sigma_x, xi the sum of n telegraph signals +-lam/sqrt(n)",
        fluctuators(RING.variable(INVERSE)),
    ),
    JumpModel(
        "kubo_anderson",
        "H_I = xi sigma_x, xi = lam, 0, -lam with probabilities p/2, 1 - p, p/2, redrawn at gamma",
        kubo_anderson(),
    ),
)
DEPHASING = tuple(x._replace(name=f"{x.name}_along_z", operator=SPLIT) for x in MODELS)


def model(name: str) -> JumpModel:
    """One of `MODELS` or `DEPHASING`."""
    return next(x for x in (*MODELS, *DEPHASING) if x.name == name)


@cache
def _rates(name: str) -> ExactRates[JumpNoise]:
    found = model(name)
    return ExactRates(bath(found.operator, found.noise), max(ORDERS))
