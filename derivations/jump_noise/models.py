"""Noise that jumps: chains, models and what formulas are read with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import mpmath
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
    RATE: G,
    AMPLITUDE: L,
    "y": W,
    INVERSE: 1 / N,
    WEIGHT: P,
    SKEW: sympy.Symbol("varsigma"),
}

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


def fluctuators(inverse: LinearFraction, part: LinearFraction = ONE) -> Noise:
    """The sum of 1/inverse telegraph signals, with a part of the variance."""
    order = max(ORDERS)
    return lambda s: Ladder.fluctuators(s, RATE, VARIANCE * part, inverse, order)


def telegraph() -> Noise:
    """xi = +-lambda."""
    return fluctuators(ONE)


def unequal() -> Noise:
    """Two states of unequal weight, centred: xi^2 = lambda^2 + s xi."""
    skew = RING.variable(SKEW)
    return lambda s: Ladder.fluctuators(s, RATE, VARIANCE, ONE, max(ORDERS), skew)


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


@dataclass(frozen=True)
class JumpModel:
    """A coupling and a noise.

    Attributes
    ----------
    name
        Short, for functions and checks.
    plain
        The coupling and its noise as text.
    operator, noise
    """

    name: str
    plain: str
    operator: Operator
    noise: Noise

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
        FLIP,
        telegraph(),
    ),
    JumpModel(
        "fluctuators",
        "H_I = xi sigma_x, xi the sum of n telegraph signals +-lam/sqrt(n)",
        FLIP,
        fluctuators(RING.variable(INVERSE)),
    ),
    JumpModel(
        "kubo_anderson",
        "H_I = xi sigma_x, xi = lam, 0, -lam with probabilities p/2, 1 - p, p/2, redrawn at gamma",
        FLIP,
        kubo_anderson(),
    ),
)
DEPHASING = tuple(replace(x, name=f"{x.name}_along_z", operator=SPLIT) for x in MODELS)


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


def joint_bloch_matrix(field: str) -> sympy.Matrix:
    """d/dt of <x, y, z> and <xi x, xi y, xi z>/lambda in telegraph noise, X for lambda^2.

    H = (w0/2) sigma_z + xi sigma_field: Bloch's equations in a field that jumps, along x or z.
    """
    amplitude = sympy.sqrt(X)
    rotation = {
        "x": sympy.Matrix([[0, 0, 0], [0, 0, -2], [0, 2, 0]]),
        "z": sympy.Matrix([[0, -2, 0], [2, 0, 0], [0, 0, 0]]),
    }
    free = rotation["z"] * W / 2
    kick = rotation[field] * amplitude
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
    """The joint generator over the states of a chain and row-major vec, of mpmath numbers.

    d rho_i/dt = -i [H_S + values_i S, rho_i] + sum_j W_ij rho_j, with W from rates[i][j] of j -> i.
    """
    one, s = np.eye(2, dtype=int), np.zeros((2, 2), dtype=object)
    for a, b, z in operator:
        s[a, b] = mpmath.mpf(z.re.numerator) / z.re.denominator
    jumps = np.array(rates, dtype=object)
    total = np.kron(jumps - np.diag(jumps.sum(axis=0)), np.eye(4, dtype=int))
    for i, x in enumerate(values):
        h = np.array([[0, 0], [0, w0]], dtype=object) + x * s
        place = slice(4 * i, 4 * i + 4)
        total[place, place] += -1j * (np.kron(h, one) - np.kron(one, h.T))
    return total


GAMMA, LAMBDA, OMEGA, SHARE, ASYMMETRY, NUMBER = 1.4, 0.05, 1.1, 0.4, 0.03, 5
NAMES = {r"\gamma": GAMMA, r"\lambda": LAMBDA, r"\omega_0": OMEGA, "n": NUMBER, "p": SHARE}


def number(name: str, quantity: str, *orders: int) -> float:
    """The sum of a derived quantity at the numbers."""
    at = {G: GAMMA, L: LAMBDA, W: OMEGA, N: NUMBER, P: SHARE}
    return sum(float(model(name).expression(quantity, n).subs(at)) for n in orders)


def joint(states: Sequence[float], jumps: Any, operator: Operator) -> Array:
    """The joint generator of a chain, double precision."""
    return joint_matrix(states, jumps, operator, OMEGA).astype(complex)


def eigenvalue(
    states: Sequence[float], jumps: Sequence[Sequence[float]], operator: Operator, near: complex
) -> complex:
    """The eigenvalue of the joint equations that is nearest."""
    found = np.linalg.eigvals(joint(states, jumps, operator))
    return complex(found[np.argmin(np.abs(found - near))])


_HALF = [[0, GAMMA / 2], [GAMMA / 2, 0]]
_SIGNAL = ([LAMBDA, -LAMBDA], _HALF)


def populations() -> Values:
    """s = -1/T1 of telegraph noise."""
    s = eigenvalue(*_SIGNAL, FLIP, -number("telegraph", "inv_T1", *ORDERS))
    return Values([NAMES | {"s": s, "1/T_1": -s, r"\frac1{T_1}": -s}])


def coherence() -> Values:
    """s = -1/T2 - i omega of telegraph noise."""
    decay, shift = (number("telegraph", x, *ORDERS) for x in ("inv_T2", "frequency_shift"))
    return Values([NAMES | {"s": eigenvalue(*_SIGNAL, FLIP, -decay - 1j * (OMEGA + shift))}])


def dephasing() -> Values:
    """1/T2 of telegraph noise along z."""
    near = -number("telegraph_along_z", "inv_T2", 2) - 1j * OMEGA
    decay = -(eigenvalue(*_SIGNAL, SPLIT, near) + 1j * OMEGA)
    return Values([NAMES | {"1/T_2": decay, r"\frac1{T_2}": decay}])


def redrawn() -> Values:
    """s of three states that are drawn anew, along z; p_k and xi_k of the states."""
    p, states = [SHARE / 2, 1 - SHARE, SHARE / 2], [LAMBDA, 0.0, -LAMBDA]
    jumps = [[GAMMA * p[i] if i != j else 0.0 for j in range(3)] for i in range(3)]
    near = -number("kubo_anderson_along_z", "inv_T2", 2) - 1j * OMEGA
    s = eigenvalue(states, jumps, SPLIT, near) + 1j * OMEGA
    of_states = {f"p_{k}": p[k] for k in range(3)} | {rf"\xi_{k}": states[k] for k in range(3)}
    return Values([NAMES | of_states | {"s": s}], {"k": range(3)})


def unequal_pair() -> Values:
    r"""s along z for two states with xi^2 = lambda^2 + \varsigma xi, centred."""
    root = np.sqrt(ASYMMETRY**2 + 4 * LAMBDA**2)
    states = [(ASYMMETRY + root) / 2, (ASYMMETRY - root) / 2]
    p = [-states[1] / root, states[0] / root]
    jumps = [[0.0, GAMMA * p[0]], [GAMMA * p[1], 0.0]]
    s = eigenvalue(states, jumps, SPLIT, -4 * LAMBDA**2 / GAMMA - 1j * OMEGA) + 1j * OMEGA
    return Values([NAMES | {"s": s, r"\varsigma": ASYMMETRY}])


def ladder() -> Values:
    """xi between components of the ladder of n signals, at a number n, and their decay."""
    (given,) = bath(FLIP, fluctuators(RING.variable(INVERSE))).ladders
    ((_, matrix),) = given.parts
    point = dict.fromkeys(RING.names, 0) | {"gamma": GAMMA, "lambda": LAMBDA, INVERSE: 1 / NUMBER}
    at = [point[name] for name in RING.names]
    names: dict[str, Any] = dict(NAMES)
    for r, row in enumerate(matrix):
        names |= {rf"\xi_{{{r},{s}}}": float(complex(x.near(at)).real) for s, x in enumerate(row)}
        names[rf"\nu_{r}"] = given.decays[r].get("gamma", 0) * GAMMA
    return Values([names], {"r": range(3)})


def fourth_order() -> Values:
    """1/T1 of many fluctuators at fourth order."""
    value = number("fluctuators", "inv_T1", 4)
    return Values([NAMES | {r"\left(1/T_1\right)^{(4)}": value}])


def equations() -> Values:
    """The joint equations of three states and the system, term by term."""
    states = [0.3, 0.1, -0.25]
    jumps = [[0, 0.4, 0.2], [0.3, 0, 0.5], [0.1, 0.7, 0]]
    rng = np.random.default_rng(3)
    rho = rng.normal(size=(3, 2, 2)) + 1j * rng.normal(size=(3, 2, 2))
    moved = (joint(states, jumps, TILTED) @ rho.reshape(-1)).reshape(3, 2, 2)
    w = np.array(jumps) - np.diag(np.sum(jumps, axis=0))
    names: dict[str, Any] = {"H_S": np.diag([0, OMEGA]), "S": np.array([[-1, 1], [1, 1]])}
    for k in range(3):
        names |= {rf"\rho_{k}": rho[k], rf"\dot\rho_{k}": moved[k], rf"\xi_{k}": states[k]}
        names |= {f"W_{{{k}{j}}}": w[k, j] for j in range(3)}
    return Values([names], {"k": range(3), "j": range(3)})


READINGS: Mapping[str, Callable[[], Reading]] = {
    "populations": populations,
    "coherence": coherence,
    "dephasing": dephasing,
    "redrawn": redrawn,
    "unequal": unequal_pair,
    "ladder": ladder,
    "fluctuators": fourth_order,
    "joint": equations,
}
