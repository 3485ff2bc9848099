"""Noise that jumps: chains, models and what formulas are read with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import sympy

from pertsym.algebra.linear_fractions import LinearFraction, Ring
from pertsym.derivation import Reading
from pertsym.equations.exact_rates import ExactRates
from pertsym.equations.exponential_bath import Entries, real_entries
from pertsym.equations.noise_ladders import JumpNoise, Ladder
from pertsym.exact import Gaussian
from pertsym.expansion.interaction import Operator, level_energies
from pertsym.language.evaluation import Values

ORDERS = (2, 4, 6, 8)
RATE, INVERSE, WEIGHT, SKEW, AMPLITUDE = "gamma", "epsilon", "p", "s", "lambda"
RING = Ring((RATE, INVERSE, WEIGHT, SKEW, AMPLITUDE, "y"))

G, L, W, N, P = sympy.symbols("gamma lambda omega_0 n p", positive=True)
SYMBOLS: Mapping[str, sympy.Expr] = {
    RATE: G, AMPLITUDE: L, "y": W, INVERSE: 1 / N, WEIGHT: P, SKEW: sympy.Symbol("varsigma"),
}  # fmt: skip

Array = np.ndarray[Any, Any]
_STEPS = 400  # along the line to a critical coupling
_MET, _NEAR = 1e-4, 0.2  # of two eigenvalues there: of a double one, of the last step from it

_ONE, _MINUS = Gaussian(1), Gaussian(-1)
FLIP: Operator = ((0, 1, _ONE), (1, 0, _ONE))
SPLIT: Operator = ((0, 0, _MINUS), (1, 1, _ONE))
TILTED: Operator = ((0, 0, _MINUS), (0, 1, _ONE), (1, 0, _ONE), (1, 1, _ONE))

VARIANCE = RING.variable(AMPLITUDE) * RING.variable(AMPLITUDE)
ONE, ZERO = RING.number(1), RING.number(0)

Noise = Callable[[Entries], Ladder]


def fluctuators(
    inverse: LinearFraction, part: LinearFraction = ONE, skew: LinearFraction = ZERO
) -> Noise:
    """The sum of 1/inverse telegraph signals xi = +-lambda, with a part of the variance.

    With a skew s the two states have unequal weight, centred: xi^2 = lambda^2 + s xi.
    """
    return lambda s: Ladder.fluctuators(s, RATE, VARIANCE * part, inverse, max(ORDERS), skew)


def kubo_anderson() -> Noise:
    """xi = lambda, 0, -lambda with the probabilities p/2, 1 - p, p/2, drawn anew at the rate g.

    1, xi and xi^2 - p lambda^2 span all functions of the state; xi xi^2 = lambda^2 xi.
    """
    weight = RING.variable(WEIGHT)
    lowering = [weight * VARIANCE, (ONE - weight) * VARIANCE]
    return lambda s: Ladder.tridiagonal(s, [{}, {RATE: 1}, {RATE: 1}], [ZERO] * 3, lowering)


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


# The joint equations of state and noise, without any perturbation theory.

S, X = sympy.symbols("s x")
POPULATIONS = S * ((S + G) ** 2 + W**2) + 4 * X * (S + G)
COHERENCE = (S**2 + W**2) * (S + G) + 4 * X * S
PURE_DEPHASING = S * (S + G) + 4 * X
"""Secular polynomials of telegraph noise; x = lambda^2, s an eigenvalue, that of the coherence
along z without its -i w0."""
REDRAWN = G * (P * (S + G) ** 2 + (1 - P) * ((S + G) ** 2 + 4 * X)) - (S + G) * (
    (S + G) ** 2 + 4 * X
)
"""Kubo and Anderson's sum_k p_k g/(s + g + 2i xi_k) = 1 for three states along z, as polynomial."""


def joint_bloch_matrix() -> sympy.Matrix:
    """d/dt of <x, y, z> and <xi x, xi y, xi z>/lambda in telegraph noise, X for lambda^2.

    H = (w0/2) sigma_z + xi sigma_x: Bloch's equations in a field that jumps.
    """
    free = sympy.Matrix([[0, -W, 0], [W, 0, 0], [0, 0, 0]])
    kick = sympy.Matrix([[0, 0, 0], [0, 0, -2], [0, 2, 0]]) * sympy.sqrt(X)
    return sympy.Matrix(sympy.BlockMatrix([[free, kick], [kick, free - G * sympy.eye(3)]]))


def critical_couplings(splitting: float) -> tuple[complex, ...]:
    """All x = lambda^2 at which the populations' eigenvalue meets another one, gamma = 1.

    Zeros of the discriminant to which a straight line from x = 0 leads that eigenvalue into a
    double one; nearest first.  The nearest is where its power series stops converging.
    """
    polynomial = POPULATIONS.subs({G: 1, W: sympy.Rational(splitting)})
    discriminant = sympy.Poly(sympy.discriminant(polynomial, S), X)
    coefficients = [sympy.Poly(c, X) for c in sympy.Poly(polynomial, S).all_coeffs()]
    rows = np.array([[complex(c.coeff_monomial(X**k)) for k in (0, 1)] for c in coefficients])

    def eigenvalues(x: complex) -> Array:
        return np.roots(rows @ np.array([1, x]))

    met = []
    for x in sorted(map(complex, discriminant.nroots(n=20)), key=lambda x: (abs(x), x.imag)):
        s = 0j
        for step in range(1, _STEPS):
            found = eigenvalues(x * step / _STEPS)
            s = complex(found[np.argmin(np.abs(found - s))])
        first, second = sorted(eigenvalues(x), key=lambda other: abs(other - s))[:2]
        if abs(first - second) < _MET and abs(first - s) < _NEAR:
            met.append(x)
    return tuple(met)


def joint_matrix(values: Sequence[Any], rates: Any, operator: Operator, w0: Any) -> Array:
    """The joint generator over the states of a chain and row-major vec, of numbers of any kind.

    d rho_i/dt = -i [H_S + values_i S, rho_i] + sum_j W_ij rho_j, with W from rates[i][j] of j -> i.
    """
    one, s = np.eye(2, dtype=int), np.zeros((2, 2), dtype=object)
    for a, b, z in operator:
        s[a, b] = int(z.re)
    jumps = np.array(rates, dtype=object)
    total = np.kron(jumps - np.diag(jumps.sum(axis=0)), np.eye(4, dtype=int))
    for i, x in enumerate(values):
        h = np.array([[0, 0], [0, w0]], dtype=object) + x * s
        place = slice(4 * i, 4 * i + 4)
        total[place, place] += -1j * (np.kron(h, one) - np.kron(one, h.T))
    return total


GAMMA, LAMBDA, OMEGA, SHARE, ASYMMETRY, NUMBER = 1.4, 0.05, 1.1, 0.4, 0.03, 5
NAMES: Mapping[str, Any] = {
    r"\gamma": GAMMA, r"\lambda": LAMBDA, r"\omega_0": OMEGA, r"\varsigma": ASYMMETRY,
    "n": NUMBER, "p": SHARE,
}  # fmt: skip


def number(name: str, quantity: str, *orders: int) -> float:
    """The sum of a derived quantity at the numbers."""
    at = {G: GAMMA, L: LAMBDA, W: OMEGA, N: NUMBER, P: SHARE}
    return sum(float(model(name).expression(quantity, n).subs(at)) for n in orders)


def joint(states: Sequence[float], jumps: Any, operator: Operator) -> Array:
    """The joint generator of a chain, double precision."""
    return joint_matrix(states, jumps, operator, OMEGA).astype(complex)


def eigenvalue(
    states: Sequence[float], share: Sequence[float], operator: Operator, near: complex
) -> Values:
    """Reads a formula for s, the nearest eigenvalue of the joint equations, or for what decays.

    The states are drawn anew with these probabilities; along z s is without its -i w0.
    """
    jumps = GAMMA * np.outer(share, np.ones(len(share)))
    found = np.linalg.eigvals(joint(states, jumps, operator)) + 1j * OMEGA * (operator is SPLIT)
    s = complex(found[np.argmin(np.abs(found - near))])
    names: dict[str, Any] = {"s": s} | dict.fromkeys(_INVERSES, -s)
    names |= {rf"\xi_{k}": x for k, x in enumerate(states)}
    names |= {f"p_{k}": p for k, p in enumerate(share)}
    return Values([{**NAMES, **names}], {"k": range(len(states))})


_INVERSES = ("1/T_1", r"\frac1{T_1}", "1/T_2", r"\frac1{T_2}")
_SIGNAL = (LAMBDA, -LAMBDA), (0.5, 0.5)


def coherence() -> Values:
    """s = -1/T2 - i omega of telegraph noise."""
    decay, shift = (number("telegraph", x, *ORDERS) for x in ("inv_T2", "frequency_shift"))
    return eigenvalue(*_SIGNAL, FLIP, -decay - 1j * (OMEGA + shift))


def redrawn() -> Values:
    """Three states that are drawn anew, along z."""
    near = -number("kubo_anderson_along_z", "inv_T2", 2)
    return eigenvalue((LAMBDA, 0.0, -LAMBDA), (SHARE / 2, 1 - SHARE, SHARE / 2), SPLIT, near)


def unequal_pair() -> Values:
    r"""s along z for two states with xi^2 = lambda^2 + \varsigma xi, centred."""
    root = np.sqrt(ASYMMETRY**2 + 4 * LAMBDA**2)
    upper, lower = (ASYMMETRY + root) / 2, (ASYMMETRY - root) / 2
    share = (-lower / root, upper / root)
    return eigenvalue((upper, lower), share, SPLIT, -4 * LAMBDA**2 / GAMMA)


def ladder() -> Values:
    """xi between components of the ladder of n signals, at a number n, and their decay."""
    (given,) = bath(FLIP, fluctuators(RING.variable(INVERSE))).ladders
    ((_, matrix),) = given.parts
    point = dict.fromkeys(RING.names, 0) | {RATE: GAMMA, AMPLITUDE: LAMBDA, INVERSE: 1 / NUMBER}
    at, names = list(point.values()), dict(NAMES)
    for r, row in enumerate(matrix):
        names |= {rf"\xi_{{{r},{s}}}": float(complex(x.near(at)).real) for s, x in enumerate(row)}
        names[rf"\nu_{r}"] = given.decays[r].get(RATE, 0) * GAMMA
    return Values([names], {"r": range(3)})


def equations() -> Values:
    """The joint equations of three states and the system, term by term."""
    states, jumps = [0.3, 0.1, -0.25], np.array([[0, 0.4, 0.2], [0.3, 0, 0.5], [0.1, 0.7, 0]])
    rng = np.random.default_rng(3)
    rho = rng.normal(size=(3, 2, 2)) + 1j * rng.normal(size=(3, 2, 2))
    moved = (joint(states, jumps, TILTED) @ rho.reshape(-1)).reshape(3, 2, 2)
    w = jumps - np.diag(jumps.sum(axis=0))
    names: dict[str, Any] = {"H_S": np.diag([0, OMEGA]), "S": np.array([[-1, 1], [1, 1]])}
    for k in range(3):
        names |= {rf"\rho_{k}": rho[k], rf"\dot\rho_{k}": moved[k], rf"\xi_{k}": states[k]}
        names |= {f"W_{{{k}{j}}}": w[k, j] for j in range(3)}
    return Values([names], {"k": range(3), "j": range(3)})


READINGS: Mapping[str, Callable[[], Reading]] = {
    "populations": lambda: eigenvalue(*_SIGNAL, FLIP, -number("telegraph", "inv_T1", *ORDERS)),
    "coherence": coherence,
    "dephasing": lambda: eigenvalue(*_SIGNAL, SPLIT, -number("telegraph_along_z", "inv_T2", 2)),
    "redrawn": redrawn,
    "unequal": unequal_pair,
    "ladder": ladder,
    "fluctuators": lambda: Values(
        [{**NAMES, r"\left(1/T_1\right)^{(4)}": number("fluctuators", "inv_T1", 4)}]
    ),
    "joint": equations,
}
